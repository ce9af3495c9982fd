//! Undoing an operation that is over: a new operation, built from what the old one recorded.

mod again;

pub use again::{Taken, allowed, taken};

use super::aspect::{Aspect, Value};
use super::desk::{Desk, blind};
use super::event::{End, Outcome};
use super::guard::{Refusal, refused};
use super::intent::Intent;
use super::plan::{Act, Cost, Fact, GOOD_FOR, Lane, Leg, Plan, Proof, ROOM_FOR_ID, SCHEMA, Step, Undo};
use super::ran;
use super::run::see;
use super::state::{OpState, Phase, StepState};
use crate::error::{Error, Result};
use crate::gateway::{Look, Seen};
use crate::model::{GroupName, Text};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The word that such an operation goes by.
pub const VERB: &str = "rollback";

/// A plan that takes back what an operation changed, last step first.
///
/// # Errors
///
/// It is not over; it changed nothing; nothing of it can be undone; or its targets cannot be seen.
pub async fn plan(desk: &Desk<'_>, op: &OpState) -> Result<Plan> {
    let id = &op.record.id;
    if op.ended.is_none() {
        return Err(Error::usage(format!(
            "operation {id} is not over: it rolls itself back when it is asked to"
        )));
    }
    let mut lanes = Vec::new();
    let mut kept = Vec::new();
    // Which lane of the old operation became which of the new one.
    let mut became = BTreeMap::new();
    for (number, lane) in op.lanes.iter().enumerate() {
        let plan = &op.plan.lanes[number];
        let mut steps = Vec::new();
        for (at, step) in plan.steps.iter().enumerate().rev() {
            let is_open = lane.is_touched(at) && !matches!(lane.back[at], StepState::Done(_));
            if !is_open || matches!(lane.phase, Phase::Waiting) {
                continue;
            }
            match &step.undo {
                Undo::Nothing => {}
                Undo::Impossible { why } => kept.push(format!("{}: {}: {why}", plan.name, step.title)),
                Undo::Exact { leg } | Undo::BestEffort { leg, .. } => steps.push(Step {
                    title: title(step, leg),
                    go: Leg { names: None, ..(**leg).clone() },
                    undo: once_more(step),
                    proof: Proof::Checked,
                    expected_s: step.expected_s,
                    may_be_forced: false,
                }),
            }
        }
        if !steps.is_empty() {
            became.insert(number, lanes.len());
            lanes.push(Lane { facts: Vec::new(), steps, tier: None, ..plan.clone() });
        }
    }
    if lanes.is_empty() {
        let why = if kept.is_empty() {
            "it changed nothing that is still changed".to_owned()
        } else {
            kept.join("; ")
        };
        return Err(refused(VERB, vec![Refusal::new(id, why, "there is nothing to undo")]));
    }
    rename(id, &mut lanes);
    renew(desk, &mut lanes).await?;
    bind(desk, &mut lanes).await?;
    let plan = Plan {
        schema: SCHEMA.to_owned(),
        id: String::new(),
        fleet: op.plan.fleet.clone(),
        intent: Intent {
            verb: VERB.to_owned(),
            targets: vec![id.clone()],
            options: op.plan.intent.options.clone(),
        },
        title: format!("roll back {id}: {}", op.plan.title),
        made_at: desk.now,
        expires_at: desk.now.saturating_add(GOOD_FOR).unwrap_or(Timestamp::MAX),
        accounts: op.plan.accounts.clone(),
        lanes,
        pools: Vec::new(),
        holds: op.plan.holds.clone(),
        on_timeout: super::intent::OnTimeout::Leave,
        warnings: kept.into_iter().map(|kept| format!("stays as it is: {kept}")).collect(),
        notes: Vec::new(),
        cost: match &op.plan.cost {
            Cost::None => Cost::None,
            Cost::Unknown(_) => {
                Cost::Unknown("what the operation changed in cost was not known either".to_owned())
            }
            Cost::More(more) if is_all_launched(op) => Cost::More(more.ended()),
            Cost::More(_) => Cost::Unknown("not all of what was to be launched was".to_owned()),
        },
        waves: op
            .plan
            .waves
            .iter()
            .rev()
            .map(|wave| again(wave, &became))
            .filter(|wave| !wave.is_empty())
            .collect(),
        is_one_piece: false,
        losses: Vec::new(),
    };
    Ok(plan.sealed())
}

/// What a step of the way back is called: by the step that it takes back, and by what it sets, which is what the call
/// says. Whoever reads only the former would take it for the call.
fn title(step: &Step, back: &Leg) -> String {
    const SETS: &str = " (back to ";
    let again = step.title.strip_prefix("undo: ");
    let what = match again {
        Some(again) => format!("once more: {}", again.split(SETS).next().unwrap_or(again)),
        None => format!("undo: {}", step.title),
    };
    match back.until.sets().filter(|_| again.is_none()) {
        Some(value) => format!("{what}{SETS}{value})"),
        None => what,
    }
}

/// How what was taken back is done once more: no better than it was taken back.
fn once_more(step: &Step) -> Undo {
    let leg = Box::new(step.go.clone());
    match (&step.go.names, &step.undo) {
        (Some(_), _) => Undo::Impossible { why: "an instance that was ended is gone".to_owned() },
        (None, Undo::BestEffort { why, .. }) => Undo::BestEffort { leg, why: why.clone() },
        (None, _) => Undo::Exact { leg },
    }
}

/// Whether every instance that an operation was to launch is known by its id.
fn is_all_launched(op: &OpState) -> bool {
    let mut lanes = op.plan.lanes.iter().zip(&op.lanes);
    lanes.all(|(plan, lane)| lane.named.is_some() || !plan.steps.iter().any(|step| step.go.names.is_some()))
}

/// The lanes of a wave that have something to take back. What went one after the other comes back so, the last first.
fn again(wave: &[usize], became: &BTreeMap<usize, usize>) -> Vec<usize> {
    wave.iter().filter_map(|lane| became.get(lane).copied()).collect()
}

/// Whether anything that an operation changed is still changed and could be set back.
pub fn is_possible(op: &OpState) -> bool {
    op.lanes.iter().zip(&op.plan.lanes).any(|(lane, plan)| {
        let mut steps = plan.steps.iter().enumerate();
        steps.any(|(at, step)| {
            step.undo.leg().is_some()
                && lane.is_touched(at)
                && !matches!(lane.back.get(at), Some(StepState::Done(_)))
        })
    })
}

/// The command that takes back what is still changed; none where nothing of it can be undone. What a way back left is
/// taken back by the operation that it was to take back.
pub fn command(op: &OpState) -> Option<String> {
    let first = op.plan.intent.targets.first().filter(|_| op.plan.intent.verb == VERB);
    is_possible(op).then(|| format!("coredeck op rollback {}", first.unwrap_or(&op.record.id)))
}

/// The command that tries a way back again that changed nothing; none where it has changed something, or is none.
pub fn retry(op: &OpState) -> Option<String> {
    let first = op.plan.intent.targets.first().filter(|_| op.plan.intent.verb == VERB)?;
    let is_over = op.ended.is_some_and(|(outcome, _)| outcome != Outcome::Done);
    (is_over && command(op).is_none()).then(|| format!("coredeck op rollback {first}"))
}

/// That another operation takes, or took, an operation back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenBack {
    /// Which.
    pub by: String,
    /// How far that is.
    pub so_far: SoFar,
}

/// How far an operation is that takes another one back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SoFar {
    /// It is not over.
    UnderWay,
    /// It took back what could be.
    Done,
    /// It stopped part way.
    PartWay,
}

/// Who takes an operation back, by the operations of the journal, newest first. One that changed nothing took nothing
/// back, and no more does one that was taken back itself.
pub fn taken_back(id: &str, ops: &[&OpState]) -> Option<TakenBack> {
    let mut at_it = ops.iter().enumerate().filter(|(_, op)| {
        let intent = &op.plan.intent;
        intent.verb == VERB && intent.targets.first().is_some_and(|first| first == id)
    });
    at_it.find_map(|(nth, op)| {
        let so_far = match op.ended {
            None => SoFar::UnderWay,
            Some((Outcome::Done, _)) => SoFar::Done,
            Some((Outcome::PartWay, _)) => SoFar::PartWay,
            Some((Outcome::Failed | Outcome::RolledBack, _)) => return None,
        };
        let by = op.record.id.clone();
        // Only what was begun later can have taken it back.
        let again = taken_back(&by, &ops[..nth]);
        let is_undone = again.is_some_and(|again| again.so_far == SoFar::Done);
        (!is_undone).then_some(TakenBack { by, so_far })
    })
}

/// What of a target stays as it is, and why: the steps that cannot be undone.
pub fn stays(op: &OpState, lane: usize) -> Vec<String> {
    let (Some(state), Some(plan)) = (op.lanes.get(lane), op.plan.lanes.get(lane)) else { return Vec::new() };
    if !matches!(state.phase, Phase::Over(End::Stuck)) {
        return Vec::new();
    }
    let touched = plan.steps.iter().enumerate().filter(|(at, _)| state.is_touched(*at));
    let why = touched.filter_map(|(_, step)| match &step.undo {
        Undo::Impossible { why } => Some(format!("{} cannot be undone: {why}", step.title)),
        _ => None,
    });
    why.collect()
}

/// Marks of refreshes mean those that come now. While one is under way they mean that one still.
async fn renew(desk: &Desk<'_>, lanes: &mut [Lane]) -> Result<()> {
    for lane in lanes {
        let mut newest: BTreeMap<GroupName, Option<Text>> = BTreeMap::new();
        let groups = lane.steps.iter_mut().flat_map(legs).flat_map(Leg::facts_mut);
        let groups: BTreeSet<GroupName> =
            groups.filter_map(|fact| Some(fact.mark_mut()?.group.clone())).collect();
        for group in groups {
            let seen = desk.look(&lane.scope, Look::Refreshes { group: group.clone() }).await?;
            let Seen::Refreshes(all) = seen else { continue };
            if !all.iter().any(|one| one.refresh.is_active()) {
                newest.insert(group, all.first().map(|one| one.refresh.id.clone()));
            }
        }
        for fact in lane.steps.iter_mut().flat_map(legs).flat_map(Leg::facts_mut) {
            if let Some(mark) = fact.mark_mut()
                && let Some(newest) = newest.get(&mark.group)
            {
                mark.renew(newest.as_ref());
            }
        }
    }
    Ok(())
}

/// Commands are known by their operation's id: those that take it back are known by the new one's.
fn rename(old: &str, lanes: &mut [Lane]) {
    for leg in lanes.iter_mut().flat_map(|lane| &mut lane.steps).flat_map(legs) {
        if let Act::Once { change } = &mut leg.act {
            ran::renew(change, old, ROOM_FOR_ID);
        }
        for fact in leg.facts_mut() {
            if let Aspect::Ran { fact } = fact {
                let mark = fact.mark_mut();
                mark.comment = mark.comment.replace(old, ROOM_FOR_ID);
            }
        }
    }
}

/// The ways of a step.
fn legs(step: &mut Step) -> Vec<&mut Leg> {
    let back = match &mut step.undo {
        Undo::Exact { leg } | Undo::BestEffort { leg, .. } => Some(&mut **leg),
        Undo::Nothing | Undo::Impossible { .. } => None,
    };
    std::iter::once(&mut step.go).chain(back).collect()
}

/// Binds lanes to what is so now.
async fn bind(desk: &Desk<'_>, lanes: &mut [Lane]) -> Result<()> {
    for lane in lanes {
        let facts: Vec<_> = lane
            .steps
            .iter()
            .flat_map(|step| step.go.until.facts())
            .map(|fact| (lane.scope.clone(), fact.clone()))
            .collect();
        let seen = see(desk.probe, &facts).await.map_err(|trouble| blind(&trouble))?;
        for ((_, fact), was) in seen {
            // Lists of tasks change by themselves.
            if !matches!(was, Value::Words(_)) && !lane.facts.iter().any(|known| known.fact == fact) {
                lane.facts.push(Fact { fact, was });
            }
        }
    }
    Ok(())
}
