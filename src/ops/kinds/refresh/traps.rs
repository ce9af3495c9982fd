//! What makes a refresh stall, fail or hurt, found before anything is changed. Pure: everything that decides is
//! handed in, and each finding has its reason and its mend.

use super::target::{Picture, Target};
use super::wants::unavailable;
use crate::gateway::change::Preferences;
use crate::model::{
    Alarm, AlarmState, CapacityProvider, Group, Handling, Hook, InstanceId, RefreshDetail, Text,
};

/// Auto Scaling's own name for the hook by which ECS drains hosts.
pub(super) const DRAIN_HOOK: &str = "ecs-managed-draining-termination-hook";
/// How long an instance may stand at a hook before nobody seems to complete it, in seconds.
const UNATTENDED_S: i64 = 600;

/// A group with everything that decides whether a refresh of it goes well.
#[derive(Clone, Debug)]
pub(super) struct Scene<'a> {
    pub(super) group: &'a Group,
    pub(super) target: &'a Target,
    pub(super) wants: &'a Preferences,
    /// What was said of checkpoints, protection and so on, by flags or by the tier.
    pub(super) said: &'a crate::model::RefreshPreset,
    /// The capacity providers that stand on it.
    pub(super) providers: Vec<&'a CapacityProvider>,
    pub(super) hooks: &'a [Hook],
    /// Newest first.
    pub(super) refreshes: &'a [RefreshDetail],
    /// The alarms that are wanted, as far as they are there.
    pub(super) alarms: &'a [Alarm],
    /// Members that stand at a hook, and since when their machines run, in seconds.
    pub(super) waiting: Vec<(&'a InstanceId, bool, i64)>,
    /// Members that run tasks of ECS.
    pub(super) with_tasks: usize,
    /// How many of its tier may be unavailable, and the tier; none where that does not bind.
    pub(super) budget: Option<(&'a str, usize)>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It will not do: why, and the mend.
    Refused(String, String),
    /// It is refused unless somebody takes the risk: why, and the mend.
    Risky(String, String),
    /// Worth knowing.
    Worth(String),
}

fn refused(why: impl Into<String>, mend: impl Into<String>) -> Found {
    Found::Refused(why.into(), mend.into())
}

fn risky(why: impl Into<String>, mend: impl Into<String>) -> Found {
    Found::Risky(why.into(), mend.into())
}

fn worth(what: impl Into<String>) -> Found {
    Found::Worth(what.into())
}

/// Everything that stands against a refresh, or should be known.
pub(super) fn traps(scene: &Scene<'_>) -> Vec<Found> {
    let checks: [fn(&Scene<'_>, &mut Vec<Found>); 13] = [
        under_way, suspended, sizes, weights, health, protected, standby, draining, hooks, alarms, images,
        by_words, fighting,
    ];
    let mut found = Vec::new();
    checks.iter().for_each(|check| check(scene, &mut found));
    found
}

/// Whether ECS drains hosts of the group before it ends them: its provider says so and the hook is there.
pub(super) fn drains(providers: &[&CapacityProvider], hooks: &[Hook]) -> bool {
    providers.iter().any(|provider| provider.managed_draining)
        && hooks.iter().any(|hook| hook.is_on_terminate && hook.name == DRAIN_HOOK)
}

fn named<'a>(ids: impl Iterator<Item = &'a InstanceId>) -> String {
    let ids: Vec<&str> = ids.map(InstanceId::as_str).collect();
    match ids.as_slice() {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        ids => ids.join(", "),
    }
}

fn under_way(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let Some(active) = scene.refreshes.iter().find(|one| one.refresh.is_active()) else { return };
    let name = &scene.group.name;
    let launches = active.launches.as_ref().map(|template| format!(" to version {}", template.version));
    let why = format!(
        "refresh {}{} is under way already ({}, {} %)",
        active.refresh.id,
        launches.unwrap_or_default(),
        active.refresh.status,
        active.refresh.percent.unwrap_or(0)
    );
    found.push(refused(why, format!("coredeck refresh {name} --adopt takes it over and follows it")));
}

fn suspended(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let group = scene.group;
    let stands = |process: &&str| group.suspended.iter().any(|suspended| suspended == *process);
    let stops: Vec<&str> =
        ["Launch", "Terminate", "InstanceRefresh", "AddToLoadBalancer"].into_iter().filter(stands).collect();
    if !stops.is_empty() {
        let why = match stops.as_slice() {
            ["AddToLoadBalancer"] => {
                "AddToLoadBalancer is suspended: new instances would get no traffic".to_owned()
            }
            stops => format!("{} is suspended: it would stand still without a word", stops.join(" and ")),
        };
        let flags: Vec<String> = stops.iter().map(|process| format!("--process {process}")).collect();
        found.push(refused(why, format!("coredeck resume {} {}", group.name, flags.join(" "))));
    }
    for process in ["HealthCheck", "ReplaceUnhealthy"].into_iter().filter(|process| stands(process)) {
        found.push(worth(format!(
            "{process} of {} is suspended: new instances that are not well may go unnoticed",
            group.name
        )));
    }
}

fn sizes(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let Scene { group, wants, .. } = scene;
    let down = unavailable(group.desired, wants);
    if group.desired == 0 {
        found.push(worth(format!("{} is empty: only what it launches from now on changes", group.name)));
        return;
    }
    if down >= group.desired {
        let why = format!(
            "with --min-healthy {} all {} of its instances may be out of service at once",
            wants.min_healthy, group.desired
        );
        found.push(risky(why, "say --min-healthy 100: a new one is launched before an old one ends"));
    }
    if let Some((tier, limit)) = scene.budget.filter(|(_, limit)| down as usize > *limit) {
        let why = format!("{down} of tier {tier} would be unavailable at once and {limit} may be");
        let mend = "raise --min-healthy, or say --max-unavailable N or --override-budget";
        found.push(refused(why, mend));
    }
    if wants.max_healthy > 100 && group.desired >= group.max {
        found.push(worth(format!(
            "{} has its maximum of {}: it goes above it for a while, which subnets and quotas must have room for",
            group.name, group.max
        )));
    }
    if group.members.len() < group.desired as usize {
        let lacking = group.desired as usize - group.members.len();
        found.push(worth(format!(
            "{} lacks {lacking} of its {} instances: it waits until they are there",
            group.name, group.desired
        )));
    }
    let is_ill = |member: &&crate::model::Member| member.health.eq_ignore_ascii_case("unhealthy");
    if group.members.iter().any(|member| is_ill(&member)) {
        let ids = named(group.members.iter().filter(is_ill).map(|member| &member.id));
        found.push(worth(format!("{ids} of {} is not healthy: it waits for that first", group.name)));
    }
    if group.status.is_some() {
        found.push(refused("it is being deleted", "leave it"));
    }
}

fn weights(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let Some(mix) = &scene.group.mix else { return };
    let desired = scene.group.desired;
    let heavy = mix.types.iter().find(|(_, weight)| {
        weight
            .as_ref()
            .and_then(|weight| weight.parse::<u32>().ok())
            .is_some_and(|weight| weight > 1 && weight >= desired)
    });
    let Some((kind, Some(weight))) = heavy else { return };
    let why = format!(
        "one {kind} weighs {weight} and {desired} is desired: AWS may replace every instance at once"
    );
    let mend =
        format!("coredeck scale {} --desired {} first, or lower the weights", scene.group.name, desired * 2);
    found.push(risky(why, mend));
}

fn health(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let group = scene.group;
    if !group.health_check.eq_ignore_ascii_case("EC2") || !scene.wants.alarms.is_empty() {
        return;
    }
    let why = format!(
        "{} checks only whether machines run (health check EC2), and no alarm watches: a version that starts and \
         does not serve would replace all",
        group.name
    );
    if group.target_groups.is_empty() {
        found.push(worth(format!("{why}; name alarms with --alarm")));
    } else {
        let mend = "name an alarm with --alarm, or let the group's health check be ELB";
        found.push(risky(why, mend));
    }
}

fn protected(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let Scene { group, wants, said, .. } = scene;
    let ids = || group.members.iter().filter(|member| member.is_protected).map(|member| &member.id);
    let count = ids().count();
    if count == 0 {
        return;
    }
    let by_ecs = scene.providers.iter().any(|provider| provider.managed_termination_protection);
    let drains = drains(&scene.providers, scene.hooks);
    let who = if by_ecs { " by ECS (as hosts that run tasks are)" } else { "" };
    let list = format!("{} of its members ({}) are protected{who}", count, named(ids()));
    match (wants.protected, said.protected) {
        (Handling::Wait, _) => {
            let why = format!("{list}: it would wait an hour for them and then fail");
            found.push(refused(why, unprotect(scene, by_ecs)));
        }
        (Handling::Ignore, Some(_)) => {
            found.push(worth(format!("{list} and stay as they are: the refresh succeeds without them")));
        }
        (Handling::Ignore, None) => {
            let why = format!("{list}: nobody said what becomes of them");
            found.push(refused(why, unprotect(scene, by_ecs)));
        }
        (Handling::Replace, None) if drains => {
            found.push(worth(format!("{list}; ECS drains them, so they are replaced all the same")));
        }
        (Handling::Replace, _) => {
            found.push(worth(format!("{list} and are replaced all the same")));
        }
    }
}

fn unprotect(scene: &Scene<'_>, by_ecs: bool) -> String {
    let name = &scene.group.name;
    if by_ecs && !drains(&scene.providers, scene.hooks) {
        return "turn on managed draining of its capacity provider, so that they can be drained and replaced; or \
                say --protected ignore to leave them, or --protected replace once something drains them"
            .to_owned();
    }
    format!(
        "say --protected replace to replace them all the same, --protected ignore to leave them, or coredeck \
         unprotect them (`coredeck get instances group:{name} is:protected` lists them)"
    )
}

fn standby(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let Scene { group, wants, .. } = scene;
    let is_out =
        |member: &&crate::model::Member| matches!(member.state.as_str(), "Standby" | "EnteringStandby");
    let count = group.members.iter().filter(is_out).count();
    if count == 0 {
        return;
    }
    let ids = named(group.members.iter().filter(is_out).map(|member| &member.id));
    match wants.standby {
        Handling::Wait => {
            let why =
                format!("{count} of its members ({ids}) are in standby: it would wait an hour and then fail");
            let mend = "coredeck return them first, or say --standby ignore or --standby replace";
            found.push(refused(why, mend));
        }
        Handling::Ignore => {
            found.push(worth(format!("{count} of {} in standby ({ids}) stay as they are", group.name)));
        }
        Handling::Replace => {
            found.push(worth(format!("{count} of {} in standby ({ids}) are ended too", group.name)));
        }
    }
}

fn draining(scene: &Scene<'_>, found: &mut Vec<Found>) {
    if scene.with_tasks == 0 || drains(&scene.providers, scene.hooks) {
        return;
    }
    let name = &scene.group.name;
    let claims = scene.providers.iter().any(|provider| provider.managed_draining);
    let other = scene.hooks.iter().find(|hook| hook.is_on_terminate);
    if let Some(hook) = other.filter(|_| !claims) {
        found.push(worth(format!(
            "hosts of {name} run tasks and ECS does not drain them: hook {} must, within {} s",
            hook.name, hook.heartbeat_s
        )));
        return;
    }
    let tasks = scene.with_tasks;
    let why = if claims {
        format!(
            "{tasks} of its hosts run tasks, and the group lacks the hook {DRAIN_HOOK} by which ECS would drain them"
        )
    } else {
        format!("{tasks} of its hosts run tasks, and nothing drains them before they end")
    };
    let mend = "turn on managed draining of its capacity provider, or add a lifecycle hook that drains";
    found.push(risky(why, mend));
}

fn hooks(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let name = &scene.group.name;
    for hook in scene.hooks {
        if hook.is_on_terminate && hook.name == DRAIN_HOOK {
            continue;
        }
        let stuck = scene.waiting.iter().find(|(_, is_ending, since_s)| {
            *is_ending == hook.is_on_terminate && *since_s > UNATTENDED_S.min(i64::from(hook.heartbeat_s) / 2)
        });
        let (at, what) =
            if hook.is_on_terminate { ("Terminating:Wait", "end") } else { ("Pending:Wait", "start") };
        match stuck {
            Some((id, _, since_s)) if !hook.is_on_terminate => {
                let why = format!(
                    "{id} stands in {at} at hook {} after {since_s} s: nobody seems to complete it, so that new \
                     instances would never get into service",
                    hook.name
                );
                let mend = format!(
                    "mend what completes the hook, or take it away; `aws autoscaling complete-lifecycle-action \
                     --lifecycle-action-result CONTINUE --auto-scaling-group-name {name} --lifecycle-hook-name {} \
                     --instance-id {id}` lets this one go",
                    hook.name
                );
                found.push(refused(why, mend));
            }
            Some((id, _, _)) => found.push(worth(format!(
                "{id} of {name} stands in {at} at hook {}: if nobody completes it, each round takes {} s",
                hook.name, hook.heartbeat_s
            ))),
            None => {
                let gone = if hook.default_result == "ABANDON" && !hook.is_on_terminate {
                    ", and is then ended again, so that the refresh gets nowhere"
                } else {
                    ""
                };
                found.push(worth(format!(
                    "hook {} of {name} holds each instance that begins to {what} for up to {} s unless somebody \
                     completes it{gone}",
                    hook.name, hook.heartbeat_s
                )));
            }
        }
    }
}

fn alarms(scene: &Scene<'_>, found: &mut Vec<Found>) {
    for wanted in &scene.wants.alarms {
        match scene.alarms.iter().find(|alarm| alarm.name == *wanted) {
            None => found.push(refused(
                format!("there is no alarm {wanted}"),
                "`coredeck get alarms` lists them".to_owned(),
            )),
            Some(alarm) if alarm.state == AlarmState::Alarm => found.push(refused(
                format!("alarm {wanted} rings already: the refresh would fail at once"),
                "wait until it is quiet, or leave it away".to_owned(),
            )),
            Some(alarm) if alarm.state == AlarmState::InsufficientData => {
                found.push(worth(format!("alarm {wanted} has not enough data: it may never ring")));
            }
            Some(_) => {}
        }
    }
}

fn images(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let name = &scene.group.name;
    if let Some(to) = &scene.target.to {
        match &to.image {
            Picture::Gone(id) => found.push(refused(
                format!("image {id} of version {} is gone: nothing could be launched", to.it.version),
                "name another version with --to-version",
            )),
            Picture::Parameter(parameter) => found.push(worth(format!(
                "version {} looks its image up at each launch ({parameter}): new instances need not be alike",
                to.it.version
            ))),
            Picture::There | Picture::Unknown => {}
        }
    }
    if let Some(version) =
        scene.target.before.as_ref().filter(|old| matches!(old.image, Picture::Parameter(_)))
    {
        found.push(worth(format!(
            "AWS cannot roll {name} back while the refresh runs, and not by itself: version {} looks its image up in \
             the Parameter Store; coredeck would cancel it and refresh to version {} instead",
            version.it.version, version.it.version
        )));
    }
}

fn by_words(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let (name, target, said) = (&scene.group.name, scene.target, scene.said);
    if let Some(follows) = &target.follows {
        let number = target.to.as_ref().map(|to| to.it.version.to_string()).unwrap_or_default();
        let before = target.before.as_ref().map_or_else(
            || "which version that would be is not known".to_owned(),
            |before| {
                format!(
                    "coredeck would cancel it and refresh to version {}, which most run",
                    before.it.version
                )
            },
        );
        found.push(worth(format!(
            "{name} follows {follows}, which is version {number} now: that number is sent, and the group keeps it. \
             AWS cannot roll such a group back: {before}"
        )));
    }
    if target.by_attributes {
        if said.skips_matching == Some(true) {
            let why = "it chooses types by attributes: AWS refuses to skip members that match";
            found.push(refused(why, "leave --skip-matching away"));
        }
        found.push(worth(format!(
            "{name} chooses types by attributes: every member is replaced, and nothing can be sent along"
        )));
    }
    if said.rolls_back == Some(true) && !scene.wants.rolls_back {
        let why = "AWS cannot go back by itself here: see what it launches";
        found.push(refused(why, "leave --auto-rollback away; coredeck takes it back as far as it can"));
    }
    if let Some(last) = scene.wants.checkpoints.last().filter(|last| **last < 100) {
        found.push(worth(format!(
            "the checkpoints of {name} end at {last} %: the refresh succeeds with that part, and the others stay as they are"
        )));
    }
}

fn fighting(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let name = &scene.group.name;
    if scene.providers.iter().any(|provider| provider.managed_scaling) {
        found.push(worth(format!(
            "ECS scales {name} by itself: what it launches meanwhile has the new version, and percentages jump"
        )));
    }
    if scene.target.unsendable.is_none() && scene.target.to.is_some() {
        found.push(worth(format!(
            "until it is over nobody can change what {name} launches: `terraform apply` and stack updates fail"
        )));
    }
}

/// What Terraform and CloudFormation must say afterwards, since the group has drifted from them.
pub(super) fn to_commit(group: &str, version: &Text) -> String {
    format!(
        "afterwards {group} launches version {version}: commit `version = \"{version}\"` (Terraform, launch_template) \
         or `Version: '{version}'` (CloudFormation), or the next apply takes it back"
    )
}
