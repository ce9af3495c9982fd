//! The lanes of a rollout: what happens to a template, to a group, and to `$Default`.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::RolloutWish;
use super::super::super::launching::{Judged, LaunchFact, WOULD};
use super::super::super::plan::{
    Act, Aftermath, Ending, Fact, Lane, Leg, Proof, ROOM_FOR_ID, Step, Undo, leg, wait,
};
use super::super::refresh::figures;
use super::{HEARD_S, JUDGE_S, Made, canary, watch_s};
use crate::fleet::GroupRow;
use crate::gateway::change::Change;
use crate::model::{ClusterArn, Known, TargetGroupArn, TemplateId, TemplateRef, Text};

/// How often a canary is looked at, in seconds.
const EVERY_S: u64 = 30;
/// How long a new version may take to be there, and to be known everywhere.
const VERSION_S: u64 = 300;

fn fact(fact: LaunchFact) -> Aspect {
    Aspect::Launching { fact }
}

fn step(title: String, go: Leg, undo: Undo, proof: Proof, expected_s: u64) -> Step {
    Step { title, go, undo, proof, expected_s, may_be_forced: false }
}

/// A lane for each template: its versions are made one after the other, in the order of their numbers.
pub(super) fn templates(made: &[Made], draft: &mut Draft) -> Vec<usize> {
    let mut numbers = Vec::new();
    let mut seen: Vec<&TemplateId> = Vec::new();
    for one in made {
        if seen.contains(&&one.template) {
            continue;
        }
        seen.push(&one.template);
        let mine = made.iter().filter(|other| other.template == one.template && other.scope == one.scope);
        let steps = mine.flat_map(template_steps).collect();
        let latest = fact(LaunchFact::TemplateLatest { template: one.template.clone() });
        numbers.push(draft.lanes.len());
        draft.lanes.push(Lane {
            name: one.name.to_string(),
            target: one.template.to_string(),
            scope: one.scope.clone(),
            tier: None,
            facts: vec![Fact { fact: latest, was: Value::Count(one.latest) }],
            steps,
        });
    }
    numbers
}

fn template_steps(one: &Made) -> Vec<Step> {
    let description = format!("coredeck op={ROOM_FOR_ID} ami={} from={}", one.image.id, one.from);
    let version = || fact(LaunchFact::TemplateVersion { template: one.template.clone(), number: one.number });
    let ours = Value::word(&description);
    let made = LaunchFact::VersionOf {
        template: one.template.clone(),
        from: one.number,
        description: Text::new(&description),
    };
    let stray = LaunchFact::Stray {
        template: one.template.clone(),
        name: one.name.clone(),
        number: one.number,
        description: Text::new(&description),
    };
    let change = Change::CreateTemplateVersion {
        template: one.template.clone(),
        from: one.from,
        image: one.image.id.clone(),
        description,
    };
    let is_ours = Condition::is(version(), ours.clone());
    let is_another = Condition::IsNot { fact: version(), value: Value::Absent }
        .and(Condition::IsNot { fact: version(), value: ours });
    // Numbers never come back: where the newest versions were deleted AWS goes on behind them, and nothing tells before.
    let is_elsewhere = Condition::AtLeast { fact: fact(made), count: one.number + 1 };
    let end = |when, why| Ending { when, why, then: Aftermath::Policy };
    let ends = vec![
        end(
            is_another,
            format!(
                "somebody else made version {} of {} meanwhile, so that no group was touched; the same command plans \
                 again, from that number on",
                one.number, one.name
            ),
        ),
        end(
            is_elsewhere,
            format!(
                "AWS gave the new version of {} a higher number than {}: newer ones were once there and were deleted, \
                 so that no group was touched; the same command plans again, from that number on",
                one.name, one.number
            ),
        ),
    ];
    let tells = vec![fact(stray)];
    let go = Leg { taken: Some(is_ours.clone()), ends, tells, ..leg(change, is_ours, VERSION_S, 5) };
    let title = format!(
        "make version {} of {}: version {} with image {}, for {}",
        one.number,
        one.name,
        one.from,
        one.words,
        one.groups.join(", ")
    );
    let mut steps = vec![step(title, go, Undo::Nothing, Proof::Checked, 3)];
    for (subnet, kind) in &one.tries {
        let template = TemplateRef {
            id: one.template.clone(),
            name: one.name.clone(),
            version: one.number.to_string().into(),
        };
        let would =
            fact(LaunchFact::WouldLaunch { template, subnet: subnet.clone(), instance_type: kind.clone() });
        let no = Condition::IsNot { fact: would.clone(), value: Value::Absent }
            .and(Condition::IsNot { fact: would.clone(), value: Value::word(WOULD) });
        let go = Leg {
            ends: vec![Ending {
                when: no,
                why: format!("EC2 would not launch version {}", one.number),
                then: Aftermath::Policy,
            }],
            tells: vec![would.clone()],
            ..wait(Condition::is(would, Value::word(WOULD)), VERSION_S, 15)
        };
        let place = subnet.as_ref().map(|subnet| format!(" in {subnet}")).unwrap_or_default();
        let title = format!("ask EC2 by a dry run whether it would launch version {}{place}", one.number);
        steps.push(step(title, go, Undo::Nothing, Proof::NotNeeded, 3));
    }
    steps
}

/// A group's lane: its refresh up to the canary, the watch over that, and the rest.
pub(super) fn group(
    desk: &Desk<'_>,
    row: &GroupRow,
    (to, others): (&TemplateRef, Vec<TemplateRef>),
    lane: Lane,
    target_groups: Vec<TargetGroupArn>,
    wish: &RolloutWish,
) -> Lane {
    let Some(refresh) = lane.steps.first().cloned() else { return lane };
    let group = &*row.it;
    let judged = Judged {
        group: group.name.clone(),
        template: to.clone(),
        others,
        cluster: cluster(desk, row),
        target_groups,
    };
    let percent = canary(wish, group.desired);
    let wanted = (u64::from(group.desired) * u64::from(percent)).div_ceil(100).max(1);
    let fit = fact(LaunchFact::Fit { of: judged.clone() });
    let unfit = fact(LaunchFact::Unfit { of: judged });
    let is_well = Condition::AtLeast { fact: fit.clone(), count: wanted }
        .and(Condition::AtMost { fact: unfit.clone(), count: 0 });
    let measured = figures::well(&refresh.go);
    let is_well = measured.clone().into_iter().fold(is_well, Condition::and);
    let mut bad = Vec::new();
    let mut judges = vec![fit.clone(), unfit.clone()];
    judges.extend(refresh.go.judges.iter().cloned());
    let alarms: Vec<Text> = match &refresh.go.act {
        Act::AsSeen { arms } => {
            arms.iter().filter_map(|arm| arm.change.as_deref()).find_map(alarms_of).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    if !alarms.is_empty() {
        let ringing = fact(LaunchFact::Ringing { alarms });
        judges.push(ringing.clone());
        bad.push(Ending {
            when: Condition::AtLeast { fact: ringing, count: 1 },
            why: "an alarm rings".to_owned(),
            then: Aftermath::Turn,
        });
    }
    let over = refresh.go.until.clone();
    let warmup = group.warmup_s.or(group.grace_s).unwrap_or(300);
    let watch = watch_s(wish);
    // A group that is empty, or whose canary is everybody, is done when its refresh is.
    let tried =
        if group.desired == 0 { over.clone() } else { Condition::Any { of: vec![is_well, over.clone()] } };
    let first = Step {
        title: format!("{}; first {wanted} of {} and judge them", refresh.title, group.desired),
        go: Leg {
            until: tried,
            ends: with(&refresh.go.ends, &bad),
            within_s: JUDGE_S + u64::from(warmup),
            every_s: EVERY_S,
            judges: judges.clone(),
            ..refresh.go.clone()
        },
        expected_s: 300 + u64::from(warmup),
        ..refresh.clone()
    };
    let ill = Ending {
        when: Condition::AtLeast { fact: unfit.clone(), count: 1 },
        why: "a new member is ill".to_owned(),
        then: Aftermath::Turn,
    };
    let watched = Leg {
        act: Act::Wait,
        until: over.clone(),
        taken: None,
        ends: with(&refresh.go.ends, &with(&bad, std::slice::from_ref(&ill))),
        within_s: watch,
        every_s: EVERY_S,
        rests: true,
        judges: judges.clone(),
        ..refresh.go.clone()
    };
    // Who is silent at the end of the watch has said nothing for them.
    let heard = measured.map(|well| {
        let none_ill = Condition::AtMost { fact: unfit.clone(), count: 0 };
        let go = Leg {
            act: Act::Wait,
            until: Condition::Any { of: vec![well.and(none_ill), over.clone()] },
            taken: None,
            ends: with(&refresh.go.ends, &with(&bad, &[ill])),
            within_s: HEARD_S,
            every_s: EVERY_S,
            judges,
            ..refresh.go.clone()
        };
        let words = figures::words(&refresh.go).unwrap_or_default();
        step(
            format!("hear what CloudWatch says of {}: {words}", group.name),
            go,
            Undo::Nothing,
            Proof::NotNeeded,
            30,
        )
    });
    let rest = Leg { act: Act::Wait, taken: None, ends: with(&refresh.go.ends, &bad), ..refresh.go.clone() };
    let span = crate::config::span(std::time::Duration::from_secs(watch.max(1)));
    let measured = if heard.is_some() { ", figures" } else { "" };
    let steps = [
        Some(first),
        Some(step(
            format!(
                "watch the new members of {} for {span}: group, status checks, ECS agents, targets, alarms{measured}",
                group.name
            ),
            watched,
            Undo::Nothing,
            Proof::NotNeeded,
            watch,
        )),
        heard,
        Some(step(
            format!("wait until the rest of {} has followed", group.name),
            rest,
            Undo::Nothing,
            Proof::NotNeeded,
            refresh.expected_s,
        )),
    ];
    Lane { steps: steps.into_iter().flatten().collect(), ..lane }
}

fn alarms_of(change: &Change) -> Option<Vec<Text>> {
    match change {
        Change::StartRefresh { preferences, .. } => Some(preferences.alarms.clone()),
        _ => None,
    }
}

fn with(ends: &[Ending], more: &[Ending]) -> Vec<Ending> {
    ends.iter().chain(more).cloned().collect()
}

/// The cluster that the members of a group are in.
pub(in crate::ops::kinds) fn cluster(desk: &Desk<'_>, row: &GroupRow) -> Option<ClusterArn> {
    let mut members = desk
        .fleet
        .instances
        .iter()
        .filter(|one| one.scope == row.scope && one.group.as_ref() == Some(&row.it.name));
    members.find_map(|one| match &one.host {
        Known::Yes(Some(host)) => Some(host.cluster.clone()),
        _ => None,
    })
}

/// A lane for each template whose `$Default` is moved, when everything before is done.
pub(super) fn defaults(made: &[Made], draft: &mut Draft) -> Vec<usize> {
    let mut numbers = Vec::new();
    for (at, one) in made.iter().enumerate() {
        // Of several new versions of one template the last is the one.
        if made.iter().skip(at + 1).any(|later| later.template == one.template && later.scope == one.scope) {
            continue;
        }
        let default = || fact(LaunchFact::TemplateDefault { template: one.template.clone() });
        let to = |version: u64| {
            let change = Change::SetDefaultVersion { template: one.template.clone(), version };
            leg(change, Condition::is(default(), Value::Count(version)), 120, 5)
        };
        numbers.push(draft.lanes.len());
        draft.lanes.push(Lane {
            name: format!("$Default of {}", one.name),
            target: format!("{} $Default", one.template),
            scope: one.scope.clone(),
            tier: None,
            facts: vec![Fact { fact: default(), was: Value::Count(one.default) }],
            steps: vec![step(
                format!("move $Default of {} from version {} to {}", one.name, one.default, one.number),
                to(one.number),
                Undo::Exact { leg: Box::new(to(one.default)) },
                Proof::Unproved("the version is made by this operation".to_owned()),
                3,
            )],
        });
    }
    numbers
}
