//! What a rollout asks of launch templates, of EC2, and of the members that were launched from a new version.

mod measuring;

pub use measuring::Says;

use super::aspect::Value;
use crate::gateway::{Look, Seen};
use crate::model::text::harmless;
use crate::model::{
    AlarmState, Check, ClusterArn, GroupName, ImageId, InstanceId, InstanceState, InstanceType, Newcomer,
    Norm, Readiness, TargetGroupArn, TemplateId, TemplateRef, Text, Trouble,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What EC2 says to a dry run of what it would do.
pub const WOULD: &str = "EC2 would";

/// What is said of an instance that runs, passes its checks, and can be told what to do.
pub const READY: &str = "ready";

/// The tag by which an instance is known that an operation launched: the operation, and the number of its lane.
pub const LAUNCHED_BY: &str = "coredeck:operation";

/// A fact about what is launched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum LaunchFact {
    /// The number of a template's latest version.
    TemplateLatest {
        /// Which template.
        template: TemplateId,
    },
    /// The number that `$Default` means.
    TemplateDefault {
        /// Which template.
        template: TemplateId,
    },
    /// What the maker of a version wrote; absent where there is no such version.
    TemplateVersion {
        /// Which template.
        template: TemplateId,
        /// Which version.
        number: u64,
    },
    /// The number of the version whose maker wrote this; absent where there is none.
    VersionOf {
        /// Which template.
        template: TemplateId,
        /// From which number on is looked.
        from: u64,
        /// What its maker wrote.
        description: Text,
    },
    /// What became of a version that got another number than it was to have, in words; absent where it has that one or
    /// there is none.
    Stray {
        /// Which template.
        template: TemplateId,
        /// What a person calls that.
        name: Text,
        /// The number that it was to have.
        number: u64,
        /// What its maker wrote.
        description: Text,
    },
    /// The state of an image: `available`. Absent when it is gone.
    Image {
        /// Which image.
        image: ImageId,
    },
    /// Whether EC2 would launch a version: [`WOULD`], or why not. Absent while EC2 does not know the version.
    WouldLaunch {
        /// Which version.
        template: TemplateRef,
        /// Where.
        subnet: Option<Text>,
        /// As which type.
        instance_type: Option<InstanceType>,
    },
    /// Members launched from a version that serve: by their group, status checks, ECS agent and targets.
    Fit {
        /// Which members, and who is asked.
        of: Judged,
    },
    /// Members launched from a version that somebody says are ill.
    Unfit {
        /// Which members, and who is asked.
        of: Judged,
    },
    /// The id of the instance that an operation launched. Absent where it launched none, or EC2 does not show it yet.
    Launched {
        /// What its tag [`LAUNCHED_BY`] says.
        mark: Text,
    },
    /// The state of that instance.
    LaunchedState {
        /// What its tag says.
        mark: Text,
    },
    /// Whether an instance can be worked with: [`READY`], or what is lacking. Absent while EC2 does not know it.
    Ready {
        /// Which.
        instance: InstanceId,
    },
    /// The cores that the registry says an instance houses, beside those that are meant to be there.
    Housed {
        /// Below which path the cores' entries lie.
        path: Text,
        /// Which instance.
        instance: InstanceId,
        /// The ids of the cores that are meant to be there.
        but: Vec<Text>,
    },
    /// Alarms that ring.
    Ringing {
        /// Which are listened to.
        alarms: Vec<Text>,
    },
    /// Figures of CloudWatch of which one thing can be said.
    Measured {
        /// What.
        says: Says,
        /// What they must be.
        of: Vec<Norm>,
    },
}

/// Members that are judged, and who is asked about them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Their group.
    pub group: GroupName,
    /// The version that they were launched from.
    pub template: TemplateRef,
    /// The versions that types with a template of their own were launched from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<TemplateRef>,
    /// The cluster that they must join; none where the group's members are in none.
    pub cluster: Option<ClusterArn>,
    /// The target groups that they must be healthy in.
    pub target_groups: Vec<TargetGroupArn>,
}

impl LaunchFact {
    /// The look that shows it.
    pub fn look(&self) -> Look {
        match self {
            Self::TemplateLatest { template } | Self::TemplateDefault { template } => {
                Look::Templates { of: vec![template.clone()] }
            }
            Self::TemplateVersion { template, number } => {
                Look::Versions { template: template.clone(), from: *number }
            }
            Self::VersionOf { template, from: number, .. } | Self::Stray { template, number, .. } => {
                Look::Versions { template: template.clone(), from: *number }
            }
            Self::Image { image } => Look::Images { of: vec![image.clone()] },
            Self::WouldLaunch { template, subnet, instance_type } => Look::Launch {
                template: template.clone(),
                subnet: subnet.clone(),
                instance_type: instance_type.clone(),
            },
            Self::Fit { of } | Self::Unfit { of } => Look::Newcomers {
                group: of.group.clone(),
                template: of.template.clone(),
                others: of.others.clone(),
                cluster: of.cluster.clone(),
                target_groups: of.target_groups.clone(),
            },
            Self::Launched { mark } | Self::LaunchedState { mark } => {
                Look::Tagged { key: LAUNCHED_BY.into(), value: mark.clone() }
            }
            Self::Ready { instance } => Look::Readiness { of: vec![instance.clone()] },
            Self::Housed { path, .. } => Look::ParametersUnder { path: path.clone() },
            Self::Ringing { alarms } => Look::Alarms { of: alarms.clone() },
            Self::Measured { of, .. } => {
                Look::Measures { of: of.iter().map(|norm| norm.series.clone()).collect() }
            }
        }
    }

    /// Its value in what was seen; none when that was an answer to another look.
    pub fn value(&self, seen: &Seen) -> Option<Value> {
        Some(match (self, seen) {
            (Self::TemplateLatest { template }, Seen::Templates(all)) => {
                let found = all.iter().find(|one| one.id == *template);
                found.map_or(Value::Absent, |one| Value::Count(one.latest_version))
            }
            (Self::TemplateDefault { template }, Seen::Templates(all)) => {
                let found = all.iter().find(|one| one.id == *template);
                found.map_or(Value::Absent, |one| Value::Count(one.default_version))
            }
            (Self::TemplateVersion { number, .. }, Seen::Versions(all)) => {
                let found = all.iter().find(|one| one.number == *number);
                found.map_or(Value::Absent, |one| Value::word(one.description.as_deref().unwrap_or_default()))
            }
            (Self::VersionOf { description, .. }, Seen::Versions(all)) => {
                let found = all.iter().find(|one| one.description.as_ref() == Some(description));
                found.map_or(Value::Absent, |one| Value::Count(one.number))
            }
            (Self::Stray { name, number, description, .. }, Seen::Versions(all)) => {
                let is_stray = |one: &&crate::model::TemplateVersion| {
                    one.number != *number && one.description.as_ref() == Some(description)
                };
                all.iter().find(is_stray).map_or(Value::Absent, |one| {
                    Value::Word(format!(
                        "ours became version {}, which nothing launches; coredeck clean {name} deletes it",
                        one.number
                    ))
                })
            }
            (Self::Image { image }, Seen::Images(all)) => {
                let found = all.iter().find(|one| one.id == *image).and_then(|one| one.state.as_ref());
                found.filter(|state| *state != "deregistered").map_or(Value::Absent, Value::word)
            }
            (Self::WouldLaunch { .. }, Seen::Launch(why)) => match why {
                None => Value::word(WOULD),
                Some(trouble) if is_not_yet(trouble) => Value::Absent,
                Some(trouble) => Value::Word(explained(trouble)),
            },
            (Self::Fit { of }, Seen::Newcomers(all)) => {
                let fit = all.iter().filter(|one| is_fit(one, of));
                Value::Words(sorted(fit.map(|one| one.id.to_string())))
            }
            (Self::Unfit { .. }, Seen::Newcomers(all)) => {
                let ill = all.iter().filter_map(|one| Some(format!("{} {}", one.id, ill(one)?)));
                Value::Words(sorted(ill))
            }
            (Self::Launched { .. }, Seen::Instances(all)) => {
                all.iter().min_by_key(|one| &one.id).map_or(Value::Absent, |one| Value::word(one.id.as_str()))
            }
            (Self::LaunchedState { .. }, Seen::Instances(all)) => all
                .iter()
                .min_by_key(|one| &one.id)
                .map_or(Value::Absent, |one| Value::word(one.state.word())),
            (Self::Ready { instance }, Seen::Readiness(all)) => all
                .iter()
                .find(|one| one.id == *instance)
                .map_or(Value::Absent, |one| Value::Word(lacks(one))),
            (Self::Housed { instance, but, .. }, Seen::Parameters(all)) => {
                let housed = all.iter().filter_map(|one| {
                    let fields: serde_json::Value = serde_json::from_str(one.value.as_deref()?).ok()?;
                    let id = one.name.rsplit('/').next()?;
                    let is_other = !but.iter().any(|meant| meant == id);
                    (is_other && fields.get("instance_id")?.as_str()? == instance.as_str())
                        .then(|| id.to_owned())
                });
                Value::Words(sorted(housed))
            }
            (Self::Measured { says, of }, Seen::Measures(all)) => Value::Words(says.of(of, all)),
            (Self::Ringing { .. }, Seen::Alarms(all)) => {
                let ringing = all.iter().filter(|alarm| alarm.state == AlarmState::Alarm);
                Value::Words(sorted(ringing.map(|alarm| alarm.name.to_string())))
            }
            _ => return None,
        })
    }
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

/// What keeps an instance from being worked with, in words; [`READY`] when nothing does.
fn lacks(one: &Readiness) -> String {
    if one.state != InstanceState::Running {
        let why = one.state_reason.as_ref().map(|why| format!(" ({})", harmless(why))).unwrap_or_default();
        return format!("{}{why}", one.state.word());
    }
    let checks = match one.checks {
        Some(Check::Ok) => None,
        Some(Check::Impaired) => Some("fails a status check".to_owned()),
        _ => Some("runs, and its status checks are not over".to_owned()),
    };
    let agent = match one.agent.as_deref() {
        Some("Online") => None,
        Some(other) => Some(format!("its Systems Manager agent is {}", harmless(other))),
        None => Some(
            "Systems Manager has not heard of it (its role needs AmazonSSMManagedInstanceCore, its agent a way to \
             AWS)"
                .to_owned(),
        ),
    };
    match (checks, agent) {
        (None, None) => READY.to_owned(),
        (Some(checks), _) => checks,
        (None, Some(agent)) => agent,
    }
}

/// A version that was made a moment ago may not be known everywhere.
fn is_not_yet(trouble: &Trouble) -> bool {
    matches!(
        trouble.code.as_deref(),
        Some("InvalidLaunchTemplateId.VersionNotFound" | "InvalidLaunchTemplateName.NotFoundException")
    )
}

/// Whether everybody who was asked says that it serves.
fn is_fit(one: &Newcomer, of: &Judged) -> bool {
    let is_healthy = |group: &TargetGroupArn| {
        let mut told = one.targets.iter().filter(|(of, _)| of == group).peekable();
        told.peek().is_some() && told.all(|(_, state)| state == "healthy")
    };
    one.state == "InService"
        && one.health.eq_ignore_ascii_case("healthy")
        && one.checks == Some(Check::Ok)
        && (of.cluster.is_none() || one.agent == Some(true))
        && of.target_groups.iter().all(is_healthy)
}

/// What ails a member, where somebody says so.
fn ill(one: &Newcomer) -> Option<String> {
    let mut ails = Vec::new();
    if one.health.eq_ignore_ascii_case("unhealthy") {
        ails.push("is unhealthy by its group".to_owned());
    }
    if one.checks == Some(Check::Impaired) {
        ails.push("fails a status check".to_owned());
    }
    if one.state == "InService" && one.agent == Some(false) {
        ails.push("has an ECS agent that is not connected".to_owned());
    }
    for (group, state) in one.targets.iter().filter(|(_, state)| state == "unhealthy") {
        let name = group.as_str().rsplit('/').nth(1).unwrap_or(group.as_str());
        ails.push(format!("is {state} in {name}"));
    }
    (!ails.is_empty()).then(|| ails.join(" and "))
}

/// The permission without which EC2 launches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// This one, and what for.
    One(&'static str, &'static str),
    /// One of several, in words: AWS does not say which.
    OneOf(&'static str),
}

/// Which permission is missing, where it is that which EC2 says. Auto Scaling calls each of the three "not authorized
/// to use launch template".
pub fn lacking(trouble: &Trouble) -> Option<Lacking> {
    let said = &trouble.message;
    let code = trouble.code.as_deref().unwrap_or_default();
    let is_denied = matches!(code, "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException")
        || said.to_ascii_lowercase().contains("not authorized to use launch template");
    if !is_denied {
        return None;
    }
    let known = [
        ("iam:PassRole", "for the role of its instance profile"),
        ("ec2:CreateTags", "because the version tags what it launches"),
        ("ec2:RunInstances", "on the template, its image, subnet or security groups"),
    ];
    let found = known.into_iter().find(|(action, _)| said.contains(action));
    Some(found.map_or(
        Lacking::OneOf(
            "ec2:RunInstances, or ec2:CreateTags where the version tags what it launches, or iam:PassRole for the role \
             of its instance profile (AWS does not say which; `aws sts decode-authorization-message` does)",
        ),
        |(action, what)| Lacking::One(action, what),
    ))
}

/// Why EC2 would launch nothing, in words that say which permission is missing.
pub fn explained(trouble: &Trouble) -> String {
    let what = match lacking(trouble) {
        None => {
            let code = trouble.code.as_deref().unwrap_or_default();
            return format!("{code}: {}", trouble.message).trim_start_matches(": ").to_owned();
        }
        Some(Lacking::One(action, what)) => format!("{action} {what}"),
        Some(Lacking::OneOf(words)) => words.to_owned(),
    };
    format!("permission is missing: {what}; Auto Scaling asks the same of whoever starts a refresh")
}

impl fmt::Display for LaunchFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TemplateLatest { template } => {
                write!(f, "latest version of {}", harmless(template.as_str()))
            }
            Self::TemplateDefault { template } => {
                write!(f, "default version of {}", harmless(template.as_str()))
            }
            Self::TemplateVersion { template, number } => {
                write!(f, "version {number} of {}", harmless(template.as_str()))
            }
            Self::VersionOf { template, description, .. } => {
                write!(f, "number of `{}` of {}", harmless(description), harmless(template.as_str()))
            }
            Self::Stray { name, number, .. } => {
                write!(f, "what became of version {number} of {}", harmless(name))
            }
            Self::Image { image } => write!(f, "state of {}", harmless(image.as_str())),
            Self::WouldLaunch { template, subnet, instance_type } => {
                write!(f, "launch of {}:{}", harmless(template.id.as_str()), harmless(&template.version))?;
                if let Some(kind) = instance_type {
                    write!(f, " as {}", harmless(kind.as_str()))?;
                }
                subnet.as_ref().map_or(Ok(()), |subnet| write!(f, " in {}", harmless(subnet)))
            }
            Self::Fit { of } => write!(f, "new members of {} that serve", harmless(of.group.as_str())),
            Self::Unfit { of } => write!(f, "new members of {} that are ill", harmless(of.group.as_str())),
            Self::Launched { mark } => write!(f, "instance launched by {}", harmless(mark)),
            Self::LaunchedState { mark } => {
                write!(f, "state of the instance launched by {}", harmless(mark))
            }
            Self::Ready { instance } => write!(f, "readiness of {}", harmless(instance.as_str())),
            Self::Housed { instance, .. } => {
                write!(f, "other cores on {}", harmless(instance.as_str()))
            }
            Self::Ringing { alarms } => {
                let names: Vec<_> = alarms.iter().map(|alarm| harmless(alarm).into_owned()).collect();
                write!(f, "alarm among {}", names.join(", "))
            }
            Self::Measured { says, .. } => f.write_str(says.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TroubleKind;

    fn newcomer() -> Newcomer {
        Newcomer {
            id: "i-1".into(),
            state: "InService".into(),
            health: "Healthy".into(),
            checks: Some(Check::Ok),
            agent: Some(true),
            targets: vec![("arn:aws:elb:x:1:targetgroup/web/abc".into(), "healthy".into())],
        }
    }

    fn judged() -> Judged {
        Judged {
            group: "web".into(),
            template: TemplateRef { id: "lt-1".into(), name: "web".into(), version: "8".into() },
            others: Vec::new(),
            cluster: Some("arn:cluster".into()),
            target_groups: vec!["arn:aws:elb:x:1:targetgroup/web/abc".into()],
        }
    }

    #[test]
    fn a_member_serves_when_everybody_says_so_and_is_ill_when_anybody_does() {
        assert!(is_fit(&newcomer(), &judged()) && ill(&newcomer()).is_none());
        type Change = (fn(&mut Newcomer), Option<&'static str>);
        let changes: [Change; 7] = [
            (|one| one.state = "Pending".into(), None),
            (|one| one.health = "Unhealthy".into(), Some("is unhealthy by its group")),
            (|one| one.checks = Some(Check::Initializing), None),
            (|one| one.checks = Some(Check::Impaired), Some("fails a status check")),
            (|one| one.agent = None, None),
            (|one| one.agent = Some(false), Some("has an ECS agent that is not connected")),
            (|one| one.targets[0].1 = "unhealthy".into(), Some("is unhealthy in web")),
        ];
        for (change, why) in changes {
            let mut one = newcomer();
            change(&mut one);
            assert!(!is_fit(&one, &judged()), "{one:?}");
            assert_eq!(ill(&one).as_deref(), why, "{one:?}");
        }
        let mut unknown = newcomer();
        unknown.targets.clear();
        assert!(!is_fit(&unknown, &judged()), "not registered yet");
    }

    #[test]
    fn a_missing_permission_is_told_by_its_name() {
        let trouble = |code: &str, message: &str| Trouble {
            kind: TroubleKind::Denied,
            call: "ec2:RunInstances".into(),
            code: Some(code.into()),
            message: message.to_owned(),
            hint: None,
            request_id: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let says = |message| explained(&trouble("UnauthorizedOperation", message));
        assert!(
            says("User: x is not authorized to perform: iam:PassRole on resource: r")
                .contains("missing: iam:PassRole")
        );
        assert!(
            says("not authorized to perform: ec2:CreateTags on resource").contains("missing: ec2:CreateTags")
        );
        assert!(
            says("not authorized to perform: ec2:RunInstances on resource")
                .contains("missing: ec2:RunInstances on")
        );
        assert!(says("You are not authorized to use launch template").contains("AWS does not say which"));
        let misleading = trouble("ValidationError", "You are not authorized to use launch template: lt-1");
        assert!(matches!(lacking(&misleading), Some(Lacking::OneOf(_))), "by another code, too");
        assert_eq!(
            explained(&trouble("InvalidAMIID.NotFound", "no such image")),
            "InvalidAMIID.NotFound: no such image"
        );
    }
}
