//! What is known of each call: its permission, its limit, what a lost answer means, whether AWS tries it out.

use super::{Change, Preferences, TargetRef};
use crate::model::{Mix, Text};
use serde::{Deserialize, Serialize};

/// What may be done when it is not known whether a change happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Send it again: it sets a state, so that doing it twice is doing it once. Look first all the same
    /// where somebody else may have set another state since.
    Harmless,
    /// Send it again with the same token and the same parameters: AWS does it once and gives the same answer.
    Token,
    /// Look for [`Change::mark`]: found, it happened and is ours. Not found after AWS had time to show
    /// it, it may be sent again.
    Mark,
    /// Look at the targets: their state tells whether it happened. Never send it again unseen. A reboot
    /// leaves no trace that AWS shows.
    Observe,
}

/// The most instances that one call of EC2 is given: one bad id fails them all.
const MOST_INSTANCES: usize = 50;

impl Change {
    /// The permission that it needs, as a policy spells it: `autoscaling:EnterStandby`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::HostState { .. } => "ecs:UpdateContainerInstancesState",
            Self::StopTask { .. } => "ecs:StopTask",
            Self::ProtectTasks { .. } => "ecs:UpdateTaskProtection",
            Self::ScaleService { .. } | Self::Redeploy { .. } => "ecs:UpdateService",
            Self::EnterStandby { .. } => "autoscaling:EnterStandby",
            Self::ExitStandby { .. } => "autoscaling:ExitStandby",
            Self::ProtectScaleIn { .. } => "autoscaling:SetInstanceProtection",
            Self::TerminateInGroup { .. } => "autoscaling:TerminateInstanceInAutoScalingGroup",
            Self::SetDesired { .. } => "autoscaling:SetDesiredCapacity",
            Self::ResizeGroup { .. } | Self::SetMix { .. } | Self::TuneGroup { .. } => {
                "autoscaling:UpdateAutoScalingGroup"
            }
            Self::SuspendProcesses { .. } => "autoscaling:SuspendProcesses",
            Self::ResumeProcesses { .. } => "autoscaling:ResumeProcesses",
            Self::CompleteHook { .. } => "autoscaling:CompleteLifecycleAction",
            Self::StartRefresh { .. } => "autoscaling:StartInstanceRefresh",
            Self::CancelRefresh { .. } => "autoscaling:CancelInstanceRefresh",
            Self::RollBackRefresh { .. } => "autoscaling:RollbackInstanceRefresh",
            Self::Deregister { .. } => "elasticloadbalancing:DeregisterTargets",
            Self::Register { .. } => "elasticloadbalancing:RegisterTargets",
            Self::StopInstances { .. } => "ec2:StopInstances",
            Self::StartInstances { .. } => "ec2:StartInstances",
            Self::RebootInstances { .. } => "ec2:RebootInstances",
            Self::TerminateInstances { .. } => "ec2:TerminateInstances",
            Self::RunInstance { .. } => "ec2:RunInstances",
            Self::CreateTemplateVersion { .. } => "ec2:CreateLaunchTemplateVersion",
            Self::SetDefaultVersion { .. } => "ec2:ModifyLaunchTemplate",
            Self::DeleteVersions { .. } => "ec2:DeleteLaunchTemplateVersions",
            Self::DeregisterImage { .. } => "ec2:DeregisterImage",
            Self::Tag { .. } => "ec2:CreateTags",
            Self::Untag { .. } => "ec2:DeleteTags",
            Self::SendCommand { .. } => "ssm:SendCommand",
            Self::CancelCommand { .. } => "ssm:CancelCommand",
            Self::CreateDocument { .. } => "ssm:CreateDocument",
            Self::PutParameter { .. } | Self::SealSecret { .. } => "ssm:PutParameter",
            // No call of AWS's: the core's own.
            Self::PutCore { .. } => "core:Put",
            Self::DeleteParameter { .. } => "ssm:DeleteParameter",
        }
    }

    /// What may be done when it is not known whether it happened.
    pub fn again(&self) -> Again {
        match self {
            Self::HostState { .. }
            | Self::StopTask { .. }
            | Self::ProtectTasks { .. }
            | Self::ScaleService { .. }
            | Self::ProtectScaleIn { .. }
            | Self::SetDesired { .. }
            | Self::ResizeGroup { .. }
            | Self::SetMix { .. }
            | Self::TuneGroup { .. }
            | Self::SuspendProcesses { .. }
            | Self::ResumeProcesses { .. }
            | Self::CompleteHook { .. }
            | Self::Deregister { .. }
            | Self::Register { .. }
            | Self::StopInstances { .. }
            | Self::StartInstances { .. }
            | Self::TerminateInstances { .. }
            | Self::DeleteVersions { .. }
            | Self::DeregisterImage { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::CancelCommand { .. } => Again::Harmless,
            Self::CreateTemplateVersion { .. }
            | Self::SetDefaultVersion { .. }
            | Self::RunInstance { .. } => Again::Token,
            Self::SendCommand { .. } | Self::PutParameter { .. } | Self::SealSecret { .. } => Again::Mark,
            Self::StartRefresh { desired, .. } if desired.is_some() => Again::Mark,
            Self::StartRefresh { .. }
            | Self::CancelRefresh { .. }
            | Self::RollBackRefresh { .. }
            | Self::Redeploy { .. }
            | Self::EnterStandby { .. }
            | Self::ExitStandby { .. }
            | Self::TerminateInGroup { .. }
            | Self::RebootInstances { .. }
            | Self::CreateDocument { .. }
            | Self::DeleteParameter { .. }
            // It would be harmless, but one whose answer was lost may still be carried out: a put that waits for a
            // database hangs for up to a minute.
            | Self::PutCore { .. } => Again::Observe,
        }
    }

    /// What it can be found again by: a command's comment, the template version that a refresh launches
    /// (`lt-…:7`), the description of a template version or of a parameter's version in its history.
    pub fn mark(&self) -> Option<String> {
        match self {
            Self::SendCommand { comment, .. } => Some(comment.clone()),
            Self::CreateTemplateVersion { description, .. } | Self::PutParameter { description, .. } => {
                Some(description.clone())
            }
            Self::SealSecret { sealing } => Some(sealing.description.clone()),
            Self::StartRefresh { desired: Some(desired), .. } => {
                let template = desired.template();
                let name = if template.id.is_empty() { template.name.as_str() } else { template.id.as_str() };
                Some(format!("{name}:{}", template.version))
            }
            _ => None,
        }
    }

    /// Whether EC2 can be asked if it would do it, without doing it.
    pub fn can_be_proved(&self) -> bool {
        matches!(
            self,
            Self::StopInstances { .. }
                | Self::StartInstances { .. }
                | Self::RebootInstances { .. }
                | Self::TerminateInstances { .. }
                | Self::RunInstance { .. }
                | Self::CreateTemplateVersion { .. }
                | Self::SetDefaultVersion { .. }
                | Self::DeleteVersions { .. }
                | Self::DeregisterImage { .. }
                | Self::Tag { .. }
                | Self::Untag { .. }
        )
    }

    /// The most targets that one call may name.
    pub fn most(&self) -> usize {
        match self {
            Self::HostState { .. } | Self::ProtectTasks { .. } => 10,
            Self::EnterStandby { .. } | Self::ExitStandby { .. } => 20,
            Self::ProtectScaleIn { .. } | Self::SendCommand { .. } => 50,
            Self::StopInstances { .. }
            | Self::StartInstances { .. }
            | Self::RebootInstances { .. }
            | Self::TerminateInstances { .. } => MOST_INSTANCES,
            Self::Deregister { .. } | Self::Register { .. } => 100,
            Self::Tag { .. } | Self::Untag { .. } => 1000,
            Self::SuspendProcesses { .. } | Self::ResumeProcesses { .. } => 9,
            _ => 1,
        }
    }

    /// What it acts upon: the ids, ARNs or names that it sends.
    pub fn targets(&self) -> Vec<&str> {
        fn all<T: AsRef<str>>(items: &[T]) -> Vec<&str> {
            items.iter().map(AsRef::as_ref).collect()
        }
        match self {
            Self::HostState { hosts, .. } => all(hosts),
            Self::StopTask { task, .. } => vec![task.as_str()],
            Self::ProtectTasks { tasks, .. } => all(tasks),
            Self::ScaleService { service, .. } | Self::Redeploy { service, .. } => vec![service.as_str()],
            Self::EnterStandby { instances, .. }
            | Self::ExitStandby { instances, .. }
            | Self::ProtectScaleIn { instances, .. }
            | Self::StopInstances { instances }
            | Self::StartInstances { instances }
            | Self::RebootInstances { instances }
            | Self::TerminateInstances { instances }
            | Self::SendCommand { instances, .. } => all(instances),
            Self::TerminateInGroup { instance, .. } | Self::CompleteHook { instance, .. } => {
                vec![instance.as_str()]
            }
            Self::SetDesired { group, .. }
            | Self::ResizeGroup { group, .. }
            | Self::SetMix { group, .. }
            | Self::TuneGroup { group, .. }
            | Self::SuspendProcesses { group, .. }
            | Self::ResumeProcesses { group, .. }
            | Self::StartRefresh { group, .. }
            | Self::CancelRefresh { group, .. }
            | Self::RollBackRefresh { group } => vec![group.as_str()],
            Self::Deregister { targets, .. } | Self::Register { targets, .. } => {
                targets.iter().map(|target| target.id.as_str()).collect()
            }
            Self::CreateTemplateVersion { template, .. }
            | Self::SetDefaultVersion { template, .. }
            | Self::DeleteVersions { template, .. } => vec![template.as_str()],
            Self::RunInstance { template, .. } => vec![template.id.as_str()],
            Self::DeregisterImage { image, .. } => vec![image.as_str()],
            Self::Tag { resources, .. } | Self::Untag { resources, .. } => all(resources),
            Self::CancelCommand { command } => vec![command.as_str()],
            Self::CreateDocument { name, .. }
            | Self::PutParameter { name, .. }
            | Self::DeleteParameter { name } => vec![name.as_str()],
            Self::SealSecret { sealing } => vec![sealing.parameter.as_str()],
            Self::PutCore { put } => vec![put.at.core.as_str()],
        }
    }

    /// Itself, or as many changes as AWS's limit on targets makes of it, in the order of its targets.
    pub fn parts(self) -> Vec<Self> {
        fn cut<T: Clone>(items: &[T], most: usize, one: impl Fn(Vec<T>) -> Change) -> Vec<Change> {
            items.chunks(most).map(|part| one(part.to_vec())).collect()
        }
        let most = self.most();
        match &self {
            Self::HostState { cluster, hosts, to } if hosts.len() > most => {
                cut(hosts, most, |hosts| Self::HostState { cluster: cluster.clone(), hosts, to: *to })
            }
            Self::ProtectTasks { cluster, tasks, minutes } if tasks.len() > most => {
                let minutes = *minutes;
                cut(tasks, most, |tasks| Self::ProtectTasks { cluster: cluster.clone(), tasks, minutes })
            }
            Self::EnterStandby { group, instances, is_decremented } if instances.len() > most => {
                let is_decremented = *is_decremented;
                let part = |instances| Self::EnterStandby { group: group.clone(), instances, is_decremented };
                cut(instances, most, part)
            }
            Self::ExitStandby { group, instances } if instances.len() > most => {
                cut(instances, most, |instances| Self::ExitStandby { group: group.clone(), instances })
            }
            Self::ProtectScaleIn { group, instances, is_protected } if instances.len() > most => {
                let is_protected = *is_protected;
                let part = |instances| Self::ProtectScaleIn { group: group.clone(), instances, is_protected };
                cut(instances, most, part)
            }
            Self::StopInstances { instances } => {
                cut(instances, most, |instances| Self::StopInstances { instances })
            }
            Self::StartInstances { instances } => {
                cut(instances, most, |instances| Self::StartInstances { instances })
            }
            Self::RebootInstances { instances } => {
                cut(instances, most, |instances| Self::RebootInstances { instances })
            }
            Self::TerminateInstances { instances } => {
                cut(instances, most, |instances| Self::TerminateInstances { instances })
            }
            Self::SendCommand { instances, .. } if instances.len() > most => {
                let whole = self.clone();
                cut(instances, most, |part| match whole.clone() {
                    Self::SendCommand {
                        document,
                        parameters,
                        comment,
                        deliver_within_s,
                        errors,
                        concurrency,
                        ..
                    } => Self::SendCommand {
                        document,
                        instances: part,
                        parameters,
                        comment,
                        deliver_within_s,
                        errors,
                        concurrency,
                    },
                    other => other,
                })
            }
            Self::Deregister { target_group, targets } if targets.len() > most => {
                let part = |targets| Self::Deregister { target_group: target_group.clone(), targets };
                cut(targets, most, part)
            }
            Self::Register { target_group, targets } if targets.len() > most => {
                let part = |targets| Self::Register { target_group: target_group.clone(), targets };
                cut(targets, most, part)
            }
            Self::Tag { resources, tags } if resources.len() > most => {
                cut(resources, most, |resources| Self::Tag { resources, tags: tags.clone() })
            }
            Self::Untag { resources, keys } if resources.len() > most => {
                cut(resources, most, |resources| Self::Untag { resources, keys: keys.clone() })
            }
            _ => vec![self],
        }
    }

    /// Why it could never be sent: no target, too many, a text that AWS does not take. None when all is well.
    pub fn fault(&self) -> Option<String> {
        let targets = self.targets();
        if targets.is_empty() || targets.iter().any(|target| target.is_empty()) {
            return Some(format!("{} names no target", self.action()));
        }
        if targets.len() > self.most() {
            return Some(format!("{} takes {} targets, not {}", self.action(), self.most(), targets.len()));
        }
        let too_long = |what: &str, text: &str, most: usize| {
            let length = text.chars().count();
            (length > most).then(|| format!("{what} has {length} characters and may have {most}"))
        };
        let empty = |what: &str, is_empty: bool| is_empty.then(|| format!("{what} is empty"));
        match self {
            Self::ProtectTasks { minutes: Some(minutes), .. } if !(1..=2880).contains(minutes) => {
                Some(format!("tasks can be protected for 1 to 2880 minutes, not {minutes}"))
            }
            Self::SuspendProcesses { processes, .. } | Self::ResumeProcesses { processes, .. } => {
                empty("the list of processes", processes.is_empty())
            }
            Self::DeleteVersions { versions, .. } if versions.len() > 200 => {
                Some(format!("200 versions can be deleted at once, not {}", versions.len()))
            }
            Self::DeleteVersions { versions, .. } => empty("the list of versions", versions.is_empty()),
            Self::SetMix { mix, .. } => whole(mix),
            Self::TuneGroup { tuning, .. } => {
                empty("the list of settings", tuning.is_empty()).or_else(|| tuning.fault())
            }
            Self::ResizeGroup { min, max, desired, .. } => {
                empty("the new size", min.is_none() && max.is_none() && desired.is_none())
            }
            Self::Deregister { targets, .. } | Self::Register { targets, .. } => repeated(targets),
            Self::CreateTemplateVersion { description, .. } => {
                too_long("the version's description", description, 255)
            }
            Self::PutParameter { value, description, .. } => empty("the parameter's value", value.is_empty())
                .or_else(|| too_long("the parameter's value", value, 4096))
                .or_else(|| too_long("the parameter's description", description, 1024)),
            Self::SealSecret { sealing } => {
                too_long("the parameter's description", &sealing.description, 1024)
            }
            Self::PutCore { put } => empty("the list of settings", put.settings.is_empty()),
            // `$Latest` may be another one when the answer is lost and the same is asked again.
            Self::RunInstance { template, .. } if template.version.parse::<u64>().is_err() => Some(format!(
                "an instance is launched from a version with a number, not {}",
                template.version
            )),
            Self::RunInstance { tags, .. } => empty("the list of tags", tags.is_empty()),
            Self::Tag { tags, .. } => empty("the list of tags", tags.is_empty()),
            Self::Untag { keys, .. } => empty("the list of tags", keys.is_empty()),
            Self::SendCommand { comment, deliver_within_s, concurrency, .. } => {
                too_long("the command's comment", comment, 100)
                    .or_else(|| empty("the command's comment", comment.is_empty()))
                    .or_else(|| {
                        let is_right = (30..=2_592_000).contains(deliver_within_s);
                        (!is_right).then(|| {
                            format!("a command is delivered within 30 to 2592000 s, not {deliver_within_s}")
                        })
                    })
                    .or_else(|| empty("the number of instances at a time", *concurrency == 0))
            }
            Self::StartRefresh { preferences, desired, .. } => preferences.fault().or_else(|| {
                (preferences.rolls_back && desired.is_none())
                    .then(|| "a refresh without a desired configuration cannot be rolled back".to_owned())
            }),
            _ => None,
        }
    }
}

/// Why a policy could not be sent whole, and would lose something.
fn whole(mix: &Mix) -> Option<String> {
    match mix.unheld.first() {
        Some(part) => Some(format!("its mixed instances policy has {part}, which would be lost")),
        None if mix.types.is_empty() => {
            Some("a mixed instances policy without types would lose them all".to_owned())
        }
        None if mix.on_demand_percent > 100 => Some(format!("{} % is more than all", mix.on_demand_percent)),
        None => None,
    }
}

fn repeated(targets: &[TargetRef]) -> Option<String> {
    let mut seen: Vec<(&Text, Option<u16>)> = Vec::with_capacity(targets.len());
    targets.iter().find_map(|target| {
        let key = (&target.id, target.port);
        if seen.contains(&key) {
            return Some(format!("{} is named twice", target.id));
        }
        seen.push(key);
        None
    })
}

impl Preferences {
    /// Why AWS would refuse them.
    fn fault(&self) -> Option<String> {
        let Self { min_healthy, max_healthy, checkpoints, checkpoint_delay_s, bake_s, alarms, .. } = self;
        if *min_healthy > 100 || !(100..=200).contains(max_healthy) || max_healthy - min_healthy > 100 {
            return Some(format!(
                "the healthy percentages are {min_healthy} to {max_healthy}: the fewest is at most 100, the \
                 most 100 to 200 and at most 100 above it"
            ));
        }
        let ascends = checkpoints.is_sorted_by(|one, next| one < next);
        if !ascends || checkpoints.iter().any(|percent| !(1..=100).contains(percent)) {
            return Some(format!("checkpoints ascend from 1 to 100, unlike {checkpoints:?}"));
        }
        if *checkpoint_delay_s > 172_800 || *bake_s > 172_800 {
            return Some("a refresh waits 172800 s (two days) at most".to_owned());
        }
        (alarms.len() > 10).then(|| format!("a refresh watches 10 alarms at most, not {}", alarms.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Desired, Handling, HostState, Preferences, TargetRef};
    use super::Again;
    use crate::model::{HostArn, InstanceId, TemplateRef};

    fn hosts(count: usize) -> Change {
        let hosts = (0..count).map(|n| HostArn::from(format!("arn:h/{n}"))).collect();
        Change::HostState { cluster: "arn:c".into(), hosts, to: HostState::Draining }
    }

    fn preferences() -> Preferences {
        Preferences {
            min_healthy: 100,
            max_healthy: 110,
            warmup_s: 60,
            checkpoints: vec![5, 50, 100],
            checkpoint_delay_s: 600,
            skips_matching: true,
            rolls_back: true,
            protected: Handling::Ignore,
            standby: Handling::Ignore,
            alarms: Vec::new(),
            bake_s: 0,
        }
    }

    #[test]
    fn a_wish_over_many_targets_becomes_calls_that_each_fit() {
        let whole = hosts(23);
        assert_eq!(
            whole.fault().as_deref(),
            Some("ecs:UpdateContainerInstancesState takes 10 targets, not 23")
        );
        let parts = whole.clone().parts();
        assert_eq!(parts.iter().map(|part| part.targets().len()).collect::<Vec<_>>(), [10, 10, 3]);
        assert!(parts.iter().all(|part| part.fault().is_none()));
        let named: Vec<&str> = parts.iter().flat_map(Change::targets).collect();
        assert_eq!(named, whole.targets(), "each once, in their order");
        assert_eq!(hosts(10).parts(), [hosts(10)]);
    }

    #[test]
    fn what_names_nothing_is_never_sent() {
        assert!(hosts(0).fault().is_some());
        let all = Change::SuspendProcesses { group: "g".into(), processes: Vec::new() };
        assert_eq!(all.fault().as_deref(), Some("the list of processes is empty"), "AWS would suspend all");
        let nobody = Change::StopInstances { instances: vec![InstanceId::default()] };
        assert!(nobody.fault().is_some());
        let one = TargetRef { id: "i-1".into(), port: Some(80), zone: None };
        let twice = Change::Register { target_group: "arn:t".into(), targets: vec![one.clone(), one] };
        assert_eq!(twice.fault().as_deref(), Some("i-1 is named twice"));
    }

    #[test]
    fn a_refresh_is_found_again_only_by_the_version_that_it_launches() {
        let refresh = |desired| Change::StartRefresh {
            group: "g".into(),
            preferences: Box::new(preferences()),
            desired,
        };
        let version = TemplateRef { id: "lt-1".into(), name: "web".into(), version: "7".into() };
        let ours = refresh(Some(Box::new(Desired::Template(version))));
        assert_eq!((ours.again(), ours.mark().as_deref()), (Again::Mark, Some("lt-1:7")));
        assert_eq!(ours.fault(), None);
        let plain = refresh(None);
        assert_eq!((plain.again(), plain.mark()), (Again::Observe, None));
        assert!(plain.fault().is_some(), "it asks for a rollback that AWS cannot do");
    }

    #[test]
    fn preferences_that_aws_refuses_are_refused_here() {
        let fault = |change: fn(&mut Preferences)| {
            let mut one = preferences();
            change(&mut one);
            one.fault()
        };
        assert_eq!(fault(|_| ()), None);
        assert!(fault(|one| one.max_healthy = 201).is_some());
        assert!(fault(|one| (one.min_healthy, one.max_healthy) = (50, 160)).is_some());
        assert!(fault(|one| one.checkpoints = vec![50, 50]).is_some());
        assert!(fault(|one| one.checkpoints = vec![50, 20]).is_some());
        assert!(fault(|one| one.bake_s = 172_801).is_some());
    }

    #[test]
    fn a_plan_can_hold_a_change() {
        let text = serde_json::to_string(&hosts(1)).unwrap();
        assert_eq!(text, r#"{"change":"host_state","cluster":"arn:c","hosts":["arn:h/0"],"to":"draining"}"#);
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), hosts(1));
    }
}
