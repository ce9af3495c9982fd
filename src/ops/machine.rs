//! What to do next: a pure function of what was recorded, what was last seen, and the time.
//!
//! ```text
//! Fresh ──holds already──────────────────────────────────────────→ Done
//!   └─intend─→ Open ─answer─→ Waiting ──it is so──────────────────→ Done
//!               │                └──too late / spoiled─────────────→ GivenUp ─→ undo, leave or force
//!               ├─no answer─→ Doubtful ─found→ Waiting
//!               │                └─not found, after AWS had time───→ Again
//!               ├─not now───→ Again ─after a pause─→ intend
//!               └─no────────→ Refused ─────────────────────────────→ GivenUp
//! ```

mod arms;
mod beside;
mod deed;
mod doubt;
mod naming;
mod returning;
mod room;
mod waves;

use self::beside::{beside, goes_by_itself};
use self::deed::deed;
use self::returning::back;
use self::waves::{fate, in_turn, may_turn, needed};
use super::aspect::{Aspect, Value};
use super::condition::{Condition, Eye};
use super::event::{At, End, Event, How, Way};
use super::intent::OnTimeout;
use super::plan::{Act, Aftermath, Leg};
use super::refreshing::explained;
use super::state::{LaneState, Mode, OpState, Phase, StepState};
use crate::gateway::change::Change;
use crate::model::Scope;
use jiff::{SignedDuration, Timestamp};

/// How long AWS is given to show that a call happened whose answer was lost.
const SHOWN_WITHIN_S: u64 = 90;
/// How often is looked meanwhile.
const DOUBT_EVERY_S: u64 = 10;
/// How long after a call that failed for now the same is tried again.
const AGAIN_AFTER_S: u64 = 10;
/// How long what was seen is good for an act: after a pause of hours nobody knows what it has become.
const FRESH_FOR_S: u64 = 30;
/// From so many seconds on between two looks all lanes look at the same moments.
const SHARED_BEAT_S: u64 = 30;
/// How often is asked whether the budget has room.
pub const ROOM_EVERY_S: u64 = 30;

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Record this.
    Note(Event),
    /// Look at these facts.
    Look(Vec<(Scope, Aspect)>),
    /// Record the intent, and make this call.
    Act(Deed),
    /// Give these lanes their turn, as far as nothing has changed for them and budgets have room.
    Open(Vec<usize>),
    /// Wait until then, or until something is asked; for ever when there is nothing to wait for.
    Sleep(Option<Timestamp>),
    /// It is over.
    Over,
}

/// A call to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// The steps that it serves.
    pub steps: Vec<At>,
    /// Which way.
    pub way: Way,
    /// Where.
    pub scope: Scope,
    /// What.
    pub change: Change,
    /// An earlier call whose token is used again.
    pub same_as: Option<u64>,
}

/// What one lane needs.
enum Need {
    Note(Event),
    Look(Vec<Aspect>),
    Act { at: At, way: Way, change: Change, same_as: Option<u64> },
    Until(Timestamp),
}

/// Decides what to do next.
pub fn next(op: &OpState, eye: &Eye, now: Timestamp) -> Move {
    if op.ended.is_some() {
        return Move::Over;
    }
    if let Some(event) = steer(op) {
        return Move::Note(event);
    }
    let active: Vec<usize> = lanes(op, |phase| matches!(phase, Phase::There | Phase::Back));
    let waiting: Vec<usize> = lanes(op, |phase| phase == Phase::Waiting);
    if active.is_empty() && waiting.is_empty() {
        return Move::Note(Event::Ended { end: op.outcome() });
    }
    let is_paused = op.mode == Mode::Paused;
    let waiting = if is_paused { Vec::new() } else { in_turn(op, waiting) };
    let mut needs = Vec::new();
    for lane in &active {
        let need = match beside(op, *lane, eye, now) {
            Some(need) => need,
            None if is_paused => continue,
            None => need(op, *lane, eye, now),
        };
        match need {
            Need::Note(event) => return Move::Note(event),
            other => needs.push((*lane, other)),
        }
    }
    let asked = eye.asked_room_at.map(|at| after(at, ROOM_EVERY_S));
    if !waiting.is_empty() && asked.is_none_or(|at| at <= now) {
        return Move::Open(waiting);
    }
    let mut facts: Vec<(Scope, Aspect)> = Vec::new();
    for (lane, need) in &needs {
        if let (Need::Look(aspects), Some(plan)) = (need, op.plan.lanes.get(*lane)) {
            facts.extend(aspects.iter().map(|aspect| (plan.scope.clone(), aspect.clone())));
        }
    }
    if !facts.is_empty() {
        facts.sort();
        facts.dedup();
        return Move::Look(facts);
    }
    if let Some(deed) = deed(op, &needs) {
        return Move::Act(deed);
    }
    let wakes =
        needs.iter().filter_map(|(_, need)| if let Need::Until(at) = need { Some(*at) } else { None });
    Move::Sleep(wakes.chain(asked.filter(|_| !waiting.is_empty())).min())
}

/// What the mode of an operation makes of its lanes.
fn steer(op: &OpState) -> Option<Event> {
    let (mode, stops) = fate(op);
    for (number, lane) in op.lanes.iter().enumerate() {
        let at_rest = |lane: &LaneState| {
            !matches!(lane.there.get(lane.at), Some(StepState::Open { .. } | StepState::Doubtful { .. }))
                && !goes_by_itself(op, number)
                && lane.at < lane.there.len()
        };
        let event = match (mode, lane.phase) {
            (Mode::Cancelling | Mode::RollingBack, Phase::Waiting) => {
                Event::Closed { lane: number, end: End::Skipped }
            }
            (Mode::Cancelling, Phase::There) if at_rest(lane) => {
                let is_touched = (0..lane.there.len()).any(|step| lane.is_touched(step));
                let end = if is_touched { End::Left } else { End::Skipped };
                Event::Closed { lane: number, end }
            }
            (Mode::RollingBack, Phase::There | Phase::Over(End::Done | End::Left))
                if may_turn(op, number) =>
            {
                match needed(op, number) {
                    Some(why) => Event::Kept { lane: number, why },
                    None => Event::Turned { lane: number },
                }
            }
            (Mode::Going, Phase::Waiting) if stops => Event::Closed { lane: number, end: End::Skipped },
            (Mode::Going, Phase::Waiting) => match op.denied(number).or_else(|| needed(op, number)) {
                Some(why) => Event::Barred { lane: number, why: vec![why] },
                None => continue,
            },
            _ => continue,
        };
        return Some(event);
    }
    None
}

fn lanes(op: &OpState, is_meant: impl Fn(Phase) -> bool) -> Vec<usize> {
    op.lanes.iter().enumerate().filter(|(_, lane)| is_meant(lane.phase)).map(|(number, _)| number).collect()
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// What a lane needs.
fn need(op: &OpState, number: usize, eye: &Eye, now: Timestamp) -> Need {
    let lane = &op.lanes[number];
    match lane.phase {
        Phase::There => {
            let at = At { lane: number, step: lane.at };
            match op.step(at) {
                None => Need::Note(Event::Closed { lane: number, end: End::Done }),
                Some(step) => One { op, eye, now, at, way: Way::There, leg: &step.go }.need(),
            }
        }
        Phase::Back => back(op, number, eye, now),
        Phase::Waiting | Phase::Over(_) => Need::Until(Timestamp::MAX),
    }
}

/// One step in one direction.
struct One<'a> {
    op: &'a OpState,
    eye: &'a Eye,
    now: Timestamp,
    at: At,
    way: Way,
    leg: &'a Leg,
}

impl One<'_> {
    fn scope(&self) -> &Scope {
        &self.op.plan.lanes[self.at.lane].scope
    }

    fn lane(&self) -> &LaneState {
        &self.op.lanes[self.at.lane]
    }

    fn state(&self) -> &StepState {
        match self.way {
            Way::There => &self.lane().there[self.at.step],
            Way::Back => &self.lane().back[self.at.step],
            Way::Hold => &self.lane().hold,
            Way::Release => &self.lane().release,
            Way::Stop => &self.lane().stop,
        }
    }

    /// Everything that decides about this step.
    fn facts(&self) -> Vec<&Aspect> {
        // What is to be undone is not known by its id before it has a name.
        if let (Way::Back, Some(names)) = (self.way, self.unnamed()) {
            return vec![names];
        }
        let mut facts = self.leg.until.facts();
        facts.extend(self.leg.taken.iter().flat_map(Condition::facts));
        facts.extend(self.leg.spoiled.iter().flat_map(|spoiled| spoiled.when.facts()));
        facts.extend(self.leg.ends.iter().flat_map(|end| end.when.facts()));
        facts.extend(self.leg.tells.iter().chain(&self.leg.judges));
        match &self.leg.act {
            Act::StopTasks { listed, .. } => facts.push(listed),
            Act::AsSeen { arms } => {
                facts.extend(
                    arms.iter().flat_map(|arm| arm.when.facts().into_iter().chain(arm.taken.facts())),
                );
            }
            Act::Wait | Act::Adopt { .. } | Act::Once { .. } | Act::FirstWithRoom { .. } => {}
        }
        facts
    }

    /// When the oldest of them was seen, where all were seen after the lane last changed.
    fn seen_at(&self) -> Option<Timestamp> {
        let changed = self.lane().changed;
        let sights = self.facts().into_iter().map(|fact| {
            self.eye.sight(self.scope(), fact).filter(|sight| sight.after >= changed).map(|sight| sight.at)
        });
        // What needs no look was seen just now.
        Some(sights.collect::<Option<Vec<_>>>()?.into_iter().min().unwrap_or(self.now))
    }

    fn holds(&self, condition: &Condition) -> bool {
        condition.holds(self.eye, self.scope()).unwrap_or(false)
    }

    fn seen(&self) -> Vec<(String, Value)> {
        let mut told: Vec<(String, Value)> = Vec::new();
        for fact in self.leg.until.facts() {
            if let Some(value) = self.eye.value(self.scope(), fact) {
                told.push((fact.to_string(), value.clone()));
            }
        }
        told
    }

    fn look(&self) -> Need {
        Need::Look(self.facts().into_iter().cloned().collect())
    }

    /// Looks again when the last look is so old. Who looks seldom does so on the same beat as all others, so that
    /// one call serves many.
    fn look_every(&self, seconds: u64, seen_at: Timestamp) -> Need {
        let beat = i64::try_from(seconds).unwrap_or(i64::MAX);
        let due = match Timestamp::from_second(
            seen_at.as_second().div_euclid(beat.max(1)).saturating_add(1).saturating_mul(beat),
        ) {
            Ok(next) if seconds >= SHARED_BEAT_S => next,
            _ => after(seen_at, seconds),
        };
        if due <= self.now { self.look() } else { Need::Until(due) }
    }

    /// When AWS will have shown what a call on the way there did that nobody knows of.
    fn shown_at(&self) -> Option<Timestamp> {
        let is_fresh = self.way == Way::Back && matches!(self.state(), StepState::Fresh);
        let since = self.lane().doubted_since(self.at.step).filter(|_| is_fresh)?;
        Some(after(since, SHOWN_WITHIN_S))
    }

    fn settled(&self, how: How) -> Need {
        Need::Note(Event::Settled { at: self.at, way: self.way, how, seen: self.seen() })
    }

    fn need(&self) -> Need {
        if let StepState::GivenUp(_) = self.state() {
            return self.given_up();
        }
        let Some(seen_at) = self.seen_at() else { return self.look() };
        if let Some(need) = self.naming(seen_at) {
            return need;
        }
        if let Some(what) = self.news() {
            return Need::Note(Event::Told { at: self.at, what });
        }
        if let Some(seen) = self.evidence() {
            return Need::Note(Event::Judged { at: self.at, seen });
        }
        if self.leg.until == Condition::Taken {
            if let StepState::Waiting { call: Some(_), .. } = self.state() {
                return self.settled(How::Done);
            }
        } else if self.holds(&self.leg.until) {
            if let Some(shown) = self.shown_at().filter(|shown| seen_at < *shown) {
                // What looks undone may only look so, as long as AWS may not show what was done.
                return if shown <= self.now { self.look() } else { self.look_every(DOUBT_EVERY_S, seen_at) };
            }
            // A call whose answer was lost and whose effect is seen happened, or somebody else did the same.
            let is_new = !matches!(self.state(), StepState::Fresh);
            return self.settled(if is_new { How::Done } else { How::Already });
        }
        if let Some(spoiled) = self.leg.spoiled.as_ref().filter(|spoiled| self.holds(&spoiled.when)) {
            return self.give_up(false, spoiled.why.clone());
        }
        if let Some(end) = self.leg.ends.iter().find(|end| self.holds(&end.when)) {
            let why = self.told().map_or_else(|| end.why.clone(), |told| explained(&end.why, &told));
            return self.end(false, why, end.then);
        }
        if let Some(call) = self.refused_as_ours() {
            return Need::Note(Event::Adopted { call, steps: vec![self.at] });
        }
        if let StepState::Refused { why, is_denied } = self.state() {
            if let Some(change) = self.instead() {
                return self.act(change, None);
            }
            if let Some(need) = self.elsewhere(seen_at) {
                return need;
            }
            let why = if *is_denied { format!("permission is missing: {why}") } else { why.clone() };
            return self.give_up(false, why);
        }
        match *self.state() {
            StepState::Fresh | StepState::Open { .. } | StepState::Doubtful { .. }
                if after(seen_at, FRESH_FOR_S) <= self.now =>
            {
                self.look()
            }
            StepState::Fresh => self.begin(),
            StepState::Again { first, since } => self.again(first, since, seen_at),
            StepState::Open { call, since } | StepState::Doubtful { call, since } => {
                self.doubt(call, since, seen_at)
            }
            StepState::Waiting { since, .. } => self.wait(since, seen_at),
            StepState::Refused { .. } | StepState::GivenUp(_) | StepState::Done(_) => {
                Need::Until(Timestamp::MAX)
            }
        }
    }

    fn is_late(&self, since: Timestamp) -> bool {
        after(since, self.leg.within_s) <= self.now
    }

    fn act(&self, change: Change, same_as: Option<u64>) -> Need {
        Need::Act { at: self.at, way: self.way, change, same_as }
    }

    fn begin(&self) -> Need {
        match &self.leg.act {
            Act::Wait => self.waiting(false),
            // What is on its way back already is undone like what we turn back ourselves.
            Act::Adopt { .. } => self.waiting(true),
            Act::Once { change } => self.act((**change).clone(), None),
            Act::FirstWithRoom { .. } => match self.untried() {
                Some(change) => self.act(change, None),
                None => self.waiting(false),
            },
            Act::AsSeen { .. } => match self.arm().and_then(|arm| arm.change.as_deref()) {
                Some(change) => self.act(change.clone(), None),
                None => self.waiting(true),
            },
            Act::StopTasks { .. } => match self.next_stop() {
                Some(change) => self.act(change, None),
                None => self.waiting(false),
            },
        }
    }

    fn waiting(&self, is_adopted: bool) -> Need {
        Need::Note(Event::Waiting { at: self.at, way: self.way, is_adopted })
    }

    /// Tries the same again, after a pause and one more look. A try that follows a long time without any,
    /// such as one without credentials, is made however late it is.
    fn again(&self, first: Timestamp, since: Timestamp, seen_at: Timestamp) -> Need {
        let due = after(since, AGAIN_AFTER_S);
        if due > self.now {
            return Need::Until(due);
        }
        if after(seen_at, AGAIN_AFTER_S) <= self.now {
            return self.look();
        }
        if self.is_late(first) && after(since, 3 * AGAIN_AFTER_S) > self.now {
            return self.give_up(true, "AWS did not take it in time".to_owned());
        }
        self.begin()
    }

    fn wait(&self, since: Timestamp, seen_at: Timestamp) -> Need {
        if let Some(change) = self.next_stop().or_else(|| self.next_arm()) {
            return self.act(change, None);
        }
        if self.is_late(since) {
            // The last word is a look that was made after the time was up.
            if seen_at < after(since, self.leg.within_s) {
                return self.look();
            }
            if self.leg.rests {
                return self.settled(How::Done);
            }
            let is_forced = self.op.plan.on_timeout == OnTimeout::Force
                && self.way == Way::There
                && self.op.step(self.at).is_some_and(|step| step.may_be_forced);
            return if is_forced {
                self.settled(How::Forced)
            } else {
                self.give_up(true, format!("after {} s still not: {}", self.leg.within_s, self.leg.until))
            };
        }
        let end = after(since, self.leg.within_s);
        match self.look_every(self.leg.every_s, seen_at) {
            Need::Until(at) => Need::Until(at.min(end)),
            other => other,
        }
    }

    fn give_up(&self, is_late: bool, why: String) -> Need {
        self.end(is_late, why, Aftermath::Policy)
    }

    fn end(&self, is_late: bool, why: String, then: Aftermath) -> Need {
        Need::Note(Event::GaveUp { at: self.at, way: self.way, is_late, why, seen: self.seen(), then })
    }

    /// What follows when a step was given up.
    fn given_up(&self) -> Need {
        let lane = self.at.lane;
        match self.way {
            // The way back goes on with the steps before; the lane ends stuck.
            Way::Back | Way::Hold | Way::Release | Way::Stop => Need::Until(Timestamp::MAX),
            Way::There if !(0..self.lane().there.len()).any(|step| self.lane().is_touched(step)) => {
                Need::Note(Event::Closed { lane, end: End::Untouched })
            }
            Way::There => {
                let is_left = match self.lane().aftermath {
                    Aftermath::Policy => self.op.plan.on_timeout == OnTimeout::Leave,
                    Aftermath::Turn => false,
                    Aftermath::Leave => true,
                };
                let end = Event::Closed { lane, end: End::Left };
                Need::Note(if is_left { end } else { Event::Turned { lane } })
            }
        }
    }
}
