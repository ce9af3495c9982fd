//! What makes a refresh stall, fail or hurt, found before anything is changed. Pure: everything that decides is
//! handed in, and each finding has its reason and its mend.

mod own;

use self::own::{immovable, own_images};
use super::target::{Picture, Target};
use super::wants::unavailable;
use crate::gateway::change::Preferences;
use crate::model::{Alarm, AlarmState, CapacityProvider, Group, Handling, Hook, InstanceId, RefreshDetail};

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
    /// Services with tasks on its members of which ECS can move none, by `cluster/service`: how many tasks are wanted, and
    /// the lowest and the highest percent.
    pub(super) stuck: &'a [(String, u32, u32, u32)],
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
    let checks: [fn(&Scene<'_>, &mut Vec<Found>); 15] = [
        under_way, suspended, sizes, weights, health, protected, standby, draining, immovable, hooks, alarms,
        images, own_images, by_words, fighting,
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
    let Some(mix) = scene.target.mix.as_ref().or(scene.group.mix.as_ref()) else { return };
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
         unprotect them (`coredeck get instances group={name} protected:yes` lists them)"
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

#[cfg(test)]
mod tests {
    use super::super::target::Version;
    use super::super::wants::{Allowed, preferences};
    use super::*;
    use crate::model::{Member, Refresh, RefreshPreset, RefreshWants, TemplateRef, TemplateVersion};
    use serde_json::json;

    /// Everything that a scene borrows from: a web group of twelve behind a load balancer, to which nothing happens.
    struct Stage {
        group: Group,
        target: Target,
        said: RefreshPreset,
        providers: Vec<CapacityProvider>,
        hooks: Vec<Hook>,
        refreshes: Vec<RefreshDetail>,
        alarms: Vec<Alarm>,
        waiting: Vec<(InstanceId, bool, i64)>,
        with_tasks: usize,
        stuck: Vec<(String, u32, u32, u32)>,
        budget: Option<usize>,
    }

    fn version(number: u64, image: Picture) -> Version {
        let it = TemplateRef { id: "lt-1".into(), name: "web".into(), version: number.to_string().into() };
        let says = TemplateVersion {
            number,
            description: None,
            created_at: None,
            image: Some("ami-1".into()),
            instance_type: None,
            is_spot: false,
            key_name: None,
            by_attributes: false,
        };
        Version { it, says, image }
    }

    fn member(at: usize) -> Member {
        crate::fleet::made::member(&format!("i-{at}"))
    }

    fn stage() -> Stage {
        let group = json!({
            "name": "web", "arn": "arn:g", "min": 1, "max": 20, "desired": 12, "members": [], "zones": [],
            "subnets": [], "health_check": "ELB", "target_groups": ["arn:tg"], "suspended": [],
            "protects_new": false, "termination_policies": [], "tags": {}
        });
        let mut group: Group = serde_json::from_value(group).unwrap();
        group.members = (0..12).map(member).collect();
        Stage {
            group,
            target: Target {
                to: Some(version(7, Picture::There)),
                before: Some(version(6, Picture::There)),
                follows: None,
                unsendable: None,
                mix: None,
                pinned: None,
                by_attributes: false,
            },
            said: RefreshPreset::default(),
            providers: Vec::new(),
            hooks: Vec::new(),
            refreshes: Vec::new(),
            alarms: Vec::new(),
            waiting: Vec::new(),
            with_tasks: 0,
            stuck: Vec::new(),
            budget: Some(2),
        }
    }

    fn provider(draining: bool) -> CapacityProvider {
        CapacityProvider {
            name: "web".into(),
            group_arn: Some("arn:g".into()),
            managed_scaling: false,
            target_percent: None,
            managed_termination_protection: true,
            managed_draining: draining,
        }
    }

    fn hook(name: &str, is_on_terminate: bool) -> Hook {
        Hook {
            name: name.into(),
            is_on_terminate,
            heartbeat_s: 3_600,
            default_result: if is_on_terminate { "CONTINUE" } else { "ABANDON" }.into(),
            notifies: None,
        }
    }

    fn alarm(state: AlarmState) -> Alarm {
        Alarm {
            name: "errors".into(),
            arn: "arn:a".into(),
            state,
            reason: None,
            changed_at: None,
            namespace: None,
            metric: None,
            dimensions: Vec::new(),
            description: None,
            actions_enabled: true,
        }
    }

    fn found(stage: &Stage) -> Vec<Found> {
        let providers: Vec<&CapacityProvider> = stage.providers.iter().collect();
        let allowed = Allowed {
            rolls_back: stage.target.follows.is_none(),
            skips_matching: !stage.target.by_attributes,
            drains: drains(&providers, &stage.hooks),
        };
        let wants = preferences(&stage.said, &stage.group, allowed);
        traps(&Scene {
            group: &stage.group,
            target: &stage.target,
            wants: &wants,
            said: &stage.said,
            providers,
            hooks: &stage.hooks,
            refreshes: &stage.refreshes,
            alarms: &stage.alarms,
            waiting: stage.waiting.iter().map(|(id, is_ending, since)| (id, *is_ending, *since)).collect(),
            with_tasks: stage.with_tasks,
            stuck: &stage.stuck,
            budget: stage.budget.map(|limit| ("web", limit)),
        })
    }

    /// What is asked of a finding: refused, a risk or a warning, with words of its reason and of its mend.
    enum Is {
        Refused(&'static str, &'static str),
        Risky(&'static str, &'static str),
        Worth(&'static str),
        Nothing,
    }

    fn protect(stage: &mut Stage) {
        stage.group.members[3].is_protected = true;
    }

    fn drained(stage: &mut Stage) {
        stage.providers = vec![provider(true)];
        stage.hooks = vec![hook(DRAIN_HOOK, true)];
    }

    /// What it is, what is changed on the stage, and what is found then.
    type Case = (&'static str, fn(&mut Stage), Is);

    #[test]
    fn every_trap_is_found_with_its_mend() {
        let cases: &[Case] = &[
            ("a plain group", |_| (), Is::Nothing),
            (
                "protected by hand",
                protect,
                Is::Refused("1 of its members (i-3) are protected", "--protected replace"),
            ),
            (
                "protected, and it would wait",
                |stage| {
                    protect(stage);
                    stage.said.protected = Some(Handling::Wait);
                },
                Is::Refused("would wait an hour", "coredeck unprotect"),
            ),
            (
                "protected and passed over",
                |stage| {
                    protect(stage);
                    stage.said.protected = Some(Handling::Ignore);
                },
                Is::Worth("succeeds without them"),
            ),
            (
                "protected by ECS without a drain",
                |stage| {
                    protect(stage);
                    stage.providers = vec![provider(false)];
                },
                Is::Refused("by ECS", "turn on managed draining"),
            ),
            (
                "protected by ECS with a proven drain",
                |stage| {
                    protect(stage);
                    drained(stage);
                },
                Is::Worth("ECS drains them"),
            ),
            (
                "draining claimed, and the hook is gone",
                |stage| {
                    stage.with_tasks = 4;
                    stage.providers = vec![provider(true)];
                },
                Is::Risky("lacks the hook", "turn on managed draining"),
            ),
            (
                "tasks and no drain",
                |stage| stage.with_tasks = 4,
                Is::Risky("nothing drains them", "lifecycle hook"),
            ),
            (
                "tasks and a hook of one's own",
                |stage| {
                    stage.with_tasks = 4;
                    stage.hooks = vec![hook("drain", true)];
                },
                Is::Worth("hook drain must"),
            ),
            (
                "tasks that ECS cannot move",
                |stage| {
                    drained(stage);
                    stage.stuck = vec![("prod/auth".to_owned(), 1, 50, 150)];
                },
                Is::Risky("drains for 48 hours", "coredeck scale prod/auth --desired 2"),
            ),
            (
                "standby that it would wait for",
                |stage| {
                    stage.group.members[1].state = "Standby".into();
                    stage.said.standby = Some(Handling::Wait);
                },
                Is::Refused("are in standby", "coredeck return"),
            ),
            (
                "standby that stays",
                |stage| stage.group.members[1].state = "Standby".into(),
                Is::Worth("in standby (i-1) stay"),
            ),
            (
                "a launch hook that nobody completes",
                |stage| {
                    stage.hooks = vec![hook("warm", false)];
                    stage.waiting = vec![("i-9".into(), false, 1_900)];
                },
                Is::Refused("stands in Pending:Wait at hook warm", "complete-lifecycle-action"),
            ),
            (
                "a launch hook that somebody may complete",
                |stage| stage.hooks = vec![hook("warm", false)],
                Is::Worth("gets nowhere"),
            ),
            (
                "Launch is suspended",
                |stage| stage.group.suspended = vec!["Launch".into()],
                Is::Refused("stand still without a word", "coredeck resume web --process Launch"),
            ),
            (
                "a hold that somebody forgot",
                |stage| stage.group.suspended = vec!["InstanceRefresh".into()],
                Is::Refused("InstanceRefresh is suspended", "--process InstanceRefresh"),
            ),
            (
                "AddToLoadBalancer is suspended",
                |stage| stage.group.suspended = vec!["AddToLoadBalancer".into()],
                Is::Refused("no traffic", "--process AddToLoadBalancer"),
            ),
            (
                "HealthCheck is suspended",
                |stage| stage.group.suspended = vec!["HealthCheck".into()],
                Is::Worth("may go unnoticed"),
            ),
            ("at its maximum", |stage| stage.group.max = 12, Is::Worth("goes above it")),
            (
                "one instance and 90 %",
                |stage| {
                    stage.group.desired = 1;
                    stage.group.members.truncate(1);
                    stage.said.min_healthy = Some(90);
                },
                Is::Risky("may be out of service at once", "--min-healthy 100"),
            ),
            (
                "more than the tier's budget",
                |stage| stage.said.min_healthy = Some(50),
                Is::Refused("6 of tier web would be unavailable at once and 2 may be", "--override-budget"),
            ),
            (
                "a type that weighs all",
                |stage| {
                    let types = vec![("m5.24xlarge".into(), Some("12".into()))];
                    stage.group.mix = Some(crate::model::Mix { types, ..Default::default() });
                },
                Is::Risky("replace every instance at once", "--desired 24"),
            ),
            (
                "types by attributes",
                |stage| {
                    stage.target.by_attributes = true;
                    stage.target.unsendable = Some("attributes".to_owned());
                    stage.said.skips_matching = Some(true);
                },
                Is::Refused("AWS refuses to skip", "--skip-matching"),
            ),
            (
                "a group that follows $Latest",
                |stage| stage.target.follows = Some("$Latest".into()),
                Is::Worth("follows $Latest, which is version 7 now: that number is sent"),
            ),
            (
                "auto-rollback that AWS cannot do",
                |stage| {
                    stage.target.follows = Some("$Default".into());
                    stage.said.rolls_back = Some(true);
                },
                Is::Refused("AWS cannot go back by itself", "--auto-rollback"),
            ),
            (
                "the old image comes from a parameter",
                |stage| stage.target.before = Some(version(6, Picture::Parameter("resolve:ssm:/x".into()))),
                Is::Worth("AWS cannot roll web back"),
            ),
            (
                "the new image is gone",
                |stage| stage.target.to = Some(version(7, Picture::Gone("ami-1".into()))),
                Is::Refused("image ami-1 of version 7 is gone", "--to-version"),
            ),
            (
                "an alarm that rings",
                |stage| {
                    stage.said.alarms = Some(vec!["errors".into()]);
                    stage.alarms = vec![alarm(AlarmState::Alarm)];
                },
                Is::Refused("rings already", "wait until it is quiet"),
            ),
            (
                "an alarm that is not there",
                |stage| stage.said.alarms = Some(vec!["errors".into()]),
                Is::Refused("there is no alarm errors", "get alarms"),
            ),
            (
                "an alarm that knows nothing",
                |stage| {
                    stage.said.alarms = Some(vec!["errors".into()]);
                    stage.alarms = vec![alarm(AlarmState::InsufficientData)];
                },
                Is::Worth("not enough data"),
            ),
            (
                "health check EC2 and no alarm before customers",
                |stage| stage.group.health_check = "EC2".into(),
                Is::Risky("no alarm watches", "--alarm"),
            ),
            (
                "health check EC2 where nothing is served",
                |stage| {
                    stage.group.health_check = "EC2".into();
                    stage.group.target_groups.clear();
                },
                Is::Worth("name alarms with --alarm"),
            ),
            (
                "another refresh is under way",
                |stage| {
                    let refresh = Refresh {
                        group: "web".into(),
                        id: "ir-9".into(),
                        status: "Baking".into(),
                        reason: None,
                        percent: Some(100),
                        remaining: Some(0),
                        started_at: None,
                        ended_at: None,
                    };
                    stage.refreshes = vec![RefreshDetail {
                        mix: None,
                        refresh,
                        launches: None,
                        checkpoints: Vec::new(),
                        rolls_back: false,
                        rollback_reason: None,
                        remaining_on_rollback: None,
                        wants: RefreshWants::default(),
                    }];
                },
                Is::Refused("refresh ir-9 is under way already (Baking, 100 %)", "--adopt"),
            ),
            ("a part only", |stage| stage.said.checkpoints = Some(vec![9, 25]), Is::Worth("end at 25 %")),
            (
                "ECS scales it",
                |stage| {
                    drained(stage);
                    stage.providers[0].managed_scaling = true;
                },
                Is::Worth("ECS scales web by itself"),
            ),
        ];
        for (name, change, is) in cases {
            let mut stage = stage();
            change(&mut stage);
            let found = found(&stage);
            let has = |fits: &dyn Fn(&Found) -> bool| found.iter().any(fits);
            let fits = match is {
                Is::Refused(why, mend) => {
                    has(&|one| matches!(one, Found::Refused(a, b) if a.contains(*why) && b.contains(*mend)))
                }
                Is::Risky(why, mend) => {
                    has(&|one| matches!(one, Found::Risky(a, b) if a.contains(*why) && b.contains(*mend)))
                }
                Is::Worth(what) => {
                    has(&|one| matches!(one, Found::Worth(a) if a.contains(*what)))
                        && !has(&|one| !matches!(one, Found::Worth(_)))
                }
                Is::Nothing => {
                    found.len() == 1 && has(&|one| matches!(one, Found::Worth(a) if a.contains("terraform")))
                }
            };
            assert!(fits, "{name}: {found:?}");
        }
    }
}
