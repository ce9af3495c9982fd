//! `tune`: how groups treat their members: who is ended first, warm-up, capacity rebalancing, maintenance policy.

use super::super::aspect::{Aspect, GroupSetting, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg};
use super::protect::count;
use crate::error::{Error, Result, did_you_mean};
use crate::fleet::GroupRow;
use crate::gateway::change::{Change, Setting, Tuning};
use crate::model::{Group, GroupName, Text};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Every termination policy that AWS knows; besides these it takes the ARN of a function.
const POLICIES: [&str; 7] = [
    "Default",
    "AllocationStrategy",
    "OldestLaunchTemplate",
    "OldestLaunchConfiguration",
    "ClosestToNextInstanceHour",
    "NewestInstance",
    "OldestInstance",
];

/// Groups get settings.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let wanted = known(intent.options.tuning.as_deref().cloned().unwrap_or_default())?;
        let mut draft = Draft::default();
        for row in desk.groups(&intent.targets, &mut draft) {
            lane(desk, row, intent, &wanted, &mut draft);
        }
        let names: Vec<String> = words(&wanted).into_iter().map(|(setting, to)| said(setting, &to)).collect();
        draft.title = format!("tune {}: {}", count(draft.lanes.len(), "group"), names.join(", "));
        Ok(draft)
    }
    .boxed()
}

fn lane(desk: &Desk<'_>, row: &GroupRow, intent: &Intent, wanted: &Tuning, draft: &mut Draft) {
    let group: &Group = &row.it;
    if let Some(why) = forbids(&group.tags, &intent.options, desk.now) {
        draft.refuse(&group.name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    if wanted.rebalances == Some(true) && group.mix.as_ref().is_none_or(|mix| mix.on_demand_percent == 100) {
        draft.warn(format!(
            "{} launches no spot instances: capacity rebalancing does nothing there",
            group.name
        ));
    }
    draft.hold(&row.scope, "group", group.name.as_str(), Grip::Alone);
    let fact = |setting| Aspect::GroupSetting { group: group.name.clone(), setting };
    let words = words(wanted);
    let facts = words.iter().map(|(setting, _)| Fact { fact: fact(*setting), was: setting.of(group) });
    let is_changed = words.iter().any(|(setting, to)| setting.of(group) != *to);
    let back = before(wanted, group);
    // A list that AWS tells as empty cannot be sent back so.
    let undo = match (is_changed, back.fault()) {
        (false, _) => Undo::Nothing,
        (true, None) => Undo::Exact { leg: Box::new(set(&group.name, back)) },
        (true, Some(why)) => Undo::Impossible { why },
    };
    let title = words.iter().map(|(setting, to)| {
        let (was, word) = (setting.of(group), setting.word());
        if was == *to { format!("keep {word} {to}") } else { format!("{word} {was} → {to}") }
    });
    draft.lanes.push(Lane {
        name: group.name.to_string(),
        target: group.name.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        facts: facts.collect(),
        steps: vec![Step {
            title: format!("set {}: {}", group.name, title.collect::<Vec<_>>().join(", ")),
            go: set(&group.name, wanted.clone()),
            undo,
            proof: Proof::Checked,
            expected_s: 2,
            may_be_forced: false,
        }],
    });
}

fn set(group: &GroupName, tuning: Tuning) -> Leg {
    let of = words(&tuning)
        .into_iter()
        .map(|(setting, to)| Condition::is(Aspect::GroupSetting { group: group.clone(), setting }, to));
    let until = Condition::All { of: of.collect() };
    leg(Change::TuneGroup { group: group.clone(), tuning }, until, 60, 5)
}

/// What is said of each setting, and what will then be seen of it.
fn words(tuning: &Tuning) -> Vec<(GroupSetting, Value)> {
    let mut words = Vec::new();
    if let Some(policies) = &tuning.terminations {
        let policies = policies.iter().map(ToString::to_string).collect();
        words.push((GroupSetting::Terminations, Value::Words(policies)));
    }
    match tuning.warmup {
        Setting::Keep => {}
        Setting::Clear => words.push((GroupSetting::Warmup, Value::Absent)),
        Setting::To(seconds) => words.push((GroupSetting::Warmup, GroupSetting::span(seconds))),
    }
    if let Some(is_on) = tuning.rebalances {
        words.push((GroupSetting::Rebalancing, Value::Flag(is_on)));
    }
    match tuning.maintenance {
        Setting::Keep => {}
        Setting::Clear => words.push((GroupSetting::Maintenance, Value::Absent)),
        Setting::To(bounds) => words.push((GroupSetting::Maintenance, GroupSetting::bounds(bounds))),
    }
    words
}

fn said(setting: GroupSetting, to: &Value) -> String {
    format!("{} {to}", setting.word())
}

/// What a group has of the settings that are changed.
fn before(wanted: &Tuning, group: &Group) -> Tuning {
    fn was<T>(wanted: &Setting<T>, had: Option<T>) -> Setting<T> {
        match (wanted, had) {
            (Setting::Keep, _) => Setting::Keep,
            (_, Some(had)) => Setting::To(had),
            (_, None) => Setting::Clear,
        }
    }
    Tuning {
        terminations: wanted.terminations.as_ref().map(|_| group.termination_policies.clone()),
        warmup: was(&wanted.warmup, group.warmup_s),
        rebalances: wanted.rebalances.map(|_| group.rebalances.unwrap_or(false)),
        maintenance: was(&wanted.maintenance, group.maintenance),
    }
}

/// Settings with the names that AWS knows.
fn known(mut wanted: Tuning) -> Result<Tuning> {
    if wanted.is_empty() {
        return Err(Error::usage("no setting is named").hint(
            "--end-first OldestLaunchTemplate,Default, --warmup 120s, --rebalance on or --maintenance 90-110",
        ));
    }
    for policy in wanted.terminations.iter_mut().flatten() {
        if policy.starts_with("arn:") {
            continue;
        }
        let Some(known) = POLICIES.iter().find(|known| known.eq_ignore_ascii_case(policy)) else {
            let error = Error::usage(format!("there is no termination policy `{policy}`"));
            return Err(match did_you_mean(policy, POLICIES) {
                Some(meant) => error.hint(format!("did you mean {meant}?")),
                None => error.hint(POLICIES.join(", ")),
            });
        };
        *policy = Text::new(known);
    }
    match wanted.fault() {
        Some(fault) => Err(Error::usage(fault)),
        None => Ok(wanted),
    }
}
