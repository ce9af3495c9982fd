//! Where an operation stands: its plan with everything that was recorded of it folded in. Pure; whoever
//! reads the same records sees the same state, whether it runs the operation or only watches.

mod asked;
mod doubt;
mod held;

use super::event::{At, End, Event, Failure, Outcome, Verb, Way};
use super::judgement::Judgement;
use super::plan::{Aftermath, Leg, Plan, Step};
use crate::gateway::change::{Change, Token};
use crate::store::journal::{Entry, OpRecord};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An operation.
#[derive(Clone, Debug)]
pub struct OpState {
    /// As it was entered.
    pub record: Arc<OpRecord>,
    /// Its plan, with its own id put in where the plan leaves room for it.
    pub plan: Arc<Plan>,
    /// Its lanes, in the plan's order.
    pub lanes: Vec<LaneState>,
    /// What it is told to do.
    pub mode: Mode,
    /// Calls so far, by their number.
    pub calls: BTreeMap<u64, Call>,
    /// The last request that was heard.
    pub heard: i64,
    /// Records so far.
    pub length: usize,
    /// The number of the last record.
    pub last_seq: i64,
    /// When it was recorded.
    pub last_at: Timestamp,
    /// When the first runner took it on.
    pub started_at: Option<Timestamp>,
    /// When the runner that has it now, or had it last, took it on.
    pub claimed_at: Option<Timestamp>,
    /// How it ended, and when.
    pub ended: Option<(Outcome, Timestamp)>,
    /// Why nothing could be seen, while that is so, and what to do about it.
    pub blind: Option<(String, Option<String>)>,
    /// Why the last runner went away, when it said so.
    pub left: Option<String>,
    /// What its runner lives in.
    pub home: Option<String>,
    /// Records that could not be understood.
    pub faults: Vec<String>,
}

/// What an operation is told to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Go on.
    #[default]
    Going,
    /// Wait.
    Paused,
    /// Begin nothing more.
    Cancelling,
    /// Undo everything.
    RollingBack,
}

/// A call that was made or is about to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The steps that it serves.
    pub steps: Vec<At>,
    /// Which way.
    pub way: Way,
    /// What.
    pub change: Box<Change>,
    /// Under which token.
    pub token: Token,
    /// When it was intended.
    pub at: Timestamp,
    /// AWS's id of the request.
    pub request_id: Option<String>,
    /// How it went.
    pub result: Known,
    /// When the same is made again at the soonest, where its answer was lost.
    pub again_at: Option<Timestamp>,
}

/// What is known of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Nothing yet: it is under way, or its runner died over it.
    Open,
    /// AWS took it.
    Taken,
    /// It failed so.
    Failed(Failure, String),
}

/// A target on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneState {
    /// Where it is.
    pub phase: Phase,
    /// The step it is at.
    pub at: usize,
    /// What is known of each step, there and back.
    pub there: Vec<StepState>,
    /// The same for the way back.
    pub back: Vec<StepState>,
    /// Records of the operation when this lane last changed.
    pub changed: usize,
    /// When it got its turn.
    pub opened_at: Option<Timestamp>,
    /// Why it failed or was barred.
    pub why: Vec<String>,
    /// Steps on the way there of which a call may have happened without anybody knowing, and when the last such call
    /// was made. What was tried after it and refused says nothing about it.
    pub doubts: BTreeMap<usize, Timestamp>,
    /// How far what AWS does for it is, in words.
    pub told: Option<String>,
    /// The instance that it launched, once that is known.
    pub named: Option<String>,
    /// What the step that was judged last is judged by, and when that was so first.
    pub judged: Option<Judgement>,
    /// What is known of holding that, and of letting it go again, and of stopping it.
    pub hold: StepState,
    /// The same of letting it go again.
    pub release: StepState,
    /// The same of stopping it.
    pub stop: StepState,
    /// The step that is held, and since when.
    pub held: Option<(usize, Timestamp)>,
    /// What follows on the step that was given up.
    pub aftermath: Aftermath,
    /// It is not taken back with the others.
    pub stays: bool,
}

/// The number that stands for what somebody else had called before.
pub const ADOPTED: u64 = 0;

/// Where a target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// Its steps are being done.
    There,
    /// Its steps are being undone.
    Back,
    /// It is over.
    Over(End),
}

/// What is known of a step in one direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum StepState {
    /// Nothing was done.
    #[default]
    Fresh,
    /// A call is under way, or was when its runner died.
    Open {
        /// Which.
        call: u64,
        /// Since when.
        since: Timestamp,
    },
    /// AWS took a call, or there was none to make: it is waited for.
    Waiting {
        /// Since when.
        since: Timestamp,
        /// Which call, where there was one.
        call: Option<u64>,
    },
    /// A call may have happened.
    Doubtful {
        /// Which.
        call: u64,
        /// When it was made.
        since: Timestamp,
    },
    /// A call failed for now, or is known not to have happened.
    Again {
        /// When the step was first tried.
        first: Timestamp,
        /// When it failed last.
        since: Timestamp,
    },
    /// AWS said no.
    Refused {
        /// What it said.
        why: String,
        /// Permission is missing.
        is_denied: bool,
    },
    /// It is done. Whether something was changed for it.
    Done(bool),
    /// It was given up. Whether something was changed for it.
    GivenUp(bool),
}

impl StepState {
    /// Whether anything was changed, or may have been.
    pub fn is_touched(&self) -> bool {
        match self {
            Self::Fresh | Self::Again { .. } | Self::Refused { .. } => false,
            Self::Waiting { call, .. } => call.is_some(),
            Self::Open { .. } | Self::Doubtful { .. } => true,
            Self::Done(is_touched) | Self::GivenUp(is_touched) => *is_touched,
        }
    }
}

impl OpState {
    /// An operation of which nothing was recorded but that it was entered.
    ///
    /// # Errors
    ///
    /// Its plan cannot be read.
    pub fn new(record: OpRecord) -> crate::error::Result<Self> {
        let plan = Plan::parse(&record.plan)?.bound(&record.id)?;
        let lane = |lane: &super::plan::Lane| LaneState {
            there: vec![StepState::Fresh; lane.steps.len()],
            back: vec![StepState::Fresh; lane.steps.len()],
            ..LaneState::default()
        };
        let at = record.at;
        Ok(Self {
            lanes: plan.lanes.iter().map(lane).collect(),
            plan: Arc::new(plan),
            record: Arc::new(record),
            mode: Mode::Going,
            calls: BTreeMap::new(),
            heard: 0,
            length: 0,
            last_seq: 0,
            last_at: at,
            started_at: None,
            claimed_at: None,
            ended: None,
            blind: None,
            left: None,
            home: None,
            faults: Vec::new(),
        })
    }

    /// Folds a record in.
    pub fn take(&mut self, entry: &Entry) {
        self.length += 1;
        self.last_seq = entry.seq;
        self.last_at = self.last_at.max(entry.at);
        if entry.epoch == 0 {
            return;
        }
        match serde_json::from_str::<Event>(&entry.body) {
            Ok(event) => self.apply(event, entry.at),
            Err(error) => self.faults.push(format!("record {} cannot be understood: {error}", entry.seq)),
        }
    }

    /// The plan of a step.
    pub fn step(&self, at: At) -> Option<&Step> {
        self.plan.lanes.get(at.lane)?.steps.get(at.step)
    }

    /// How a step is gone in a direction.
    pub fn leg(&self, at: At, way: Way) -> Option<&Leg> {
        let step = self.step(at)?;
        match way {
            Way::There => Some(&step.go),
            Way::Back => step.undo.leg(),
            Way::Hold => step.go.aside.as_ref().map(|aside| &aside.hold),
            Way::Release => step.go.aside.as_ref().map(|aside| &aside.release),
            Way::Stop => step.go.aside.as_ref().map(|aside| &aside.stop),
        }
    }

    /// How many lanes ended so.
    pub fn count(&self, end: End) -> usize {
        self.lanes.iter().filter(|lane| lane.phase == Phase::Over(end)).count()
    }

    /// How an operation whose lanes are all over ended.
    pub fn outcome(&self) -> Outcome {
        let done = self.count(End::Done);
        let bad = self.count(End::Left) + self.count(End::Stuck);
        let undone = self.count(End::Undone);
        let never = self.count(End::Untouched) + self.count(End::Skipped);
        match (done, bad, undone, never) {
            (_, 0, 0, 0) => Outcome::Done,
            (_, 0, 1.., _) => Outcome::RolledBack,
            (0, 0, 0, _) => Outcome::Failed,
            _ => Outcome::PartWay,
        }
    }

    fn state(&mut self, at: At, way: Way) -> Option<&mut StepState> {
        let lane = self.lanes.get_mut(at.lane)?;
        match way {
            Way::There => lane.there.get_mut(at.step),
            Way::Back => lane.back.get_mut(at.step),
            Way::Hold => Some(&mut lane.hold),
            Way::Release => Some(&mut lane.release),
            Way::Stop => Some(&mut lane.stop),
        }
    }

    fn set(&mut self, at: At, way: Way, state: StepState) {
        let length = self.length;
        self.keep_doubt(at, way, &state);
        if let Some(was) = self.state(at, way) {
            *was = state;
        }
        if let Some(lane) = self.lanes.get_mut(at.lane) {
            lane.changed = length;
        }
    }

    fn apply(&mut self, event: Event, at: Timestamp) {
        let length = self.length;
        if !matches!(event, Event::Blind { .. } | Event::Left { .. }) {
            self.blind = None;
        }
        match event {
            Event::Claimed { home, .. } => {
                self.started_at = self.started_at.or(Some(at));
                self.claimed_at = Some(at);
                self.home = Some(home);
                self.left = None;
                // What was seen before belongs to another process.
                self.lanes.iter_mut().for_each(|lane| lane.changed = length);
            }
            Event::Opened { lanes } => {
                for lane in lanes {
                    if let Some(lane) = self.lanes.get_mut(lane) {
                        lane.phase = Phase::There;
                        lane.opened_at = Some(at);
                        lane.changed = length;
                    }
                }
            }
            Event::Barred { lane, why } => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.phase = Phase::Over(End::Untouched);
                    lane.why = why;
                }
            }
            Event::Intended { call, steps, way, change, token } => {
                for step in &steps {
                    self.set(*step, way, StepState::Open { call, since: at });
                }
                let result = Known::Open;
                self.calls.insert(
                    call,
                    Call { steps, way, change, token, at, request_id: None, result, again_at: None },
                );
            }
            Event::Answered { call, request_id, missed, .. } => self.answered(call, request_id, &missed, at),
            Event::Failed { call, how, why, request_id, again_at, .. } => {
                self.postpone(call, again_at);
                self.failed(call, how, why, request_id, at);
            }
            Event::Adopted { call, steps } => {
                let Some(way) = self.calls.get(&call).map(|call| call.way) else { return };
                for step in steps {
                    self.set(step, way, StepState::Waiting { since: at, call: Some(call) });
                }
            }
            Event::Missing { call, steps } => {
                let Some((way, first)) = self.calls.get(&call).map(|call| (call.way, call.at)) else {
                    return;
                };
                for step in steps {
                    self.set(step, way, StepState::Again { first, since: at });
                    if let (Way::There, Some(lane)) = (way, self.lanes.get_mut(step.lane)) {
                        lane.doubts.remove(&step.step);
                    }
                }
            }
            Event::Waiting { at: step, way, is_adopted } => {
                let call = is_adopted.then_some(ADOPTED);
                self.set(step, way, StepState::Waiting { since: at, call });
            }
            Event::Told { at: step, what } => {
                if let Some(lane) = self.lanes.get_mut(step.lane) {
                    lane.told = Some(what);
                }
            }
            Event::Named { at: step, is } => match self.plan.housed(step.lane, &is) {
                Some(plan) => {
                    self.plan = Arc::new(plan);
                    if let Some(lane) = self.lanes.get_mut(step.lane) {
                        lane.named = Some(is);
                    }
                }
                None => self.faults.push(format!("{is} cannot be the id of an instance")),
            },
            Event::Judged { at: step, seen } => {
                if let Some(lane) = self.lanes.get_mut(step.lane) {
                    lane.judged = Some(Judgement { step: step.step, since: at, seen });
                }
            }
            Event::Settled { at: step, way, .. } => {
                let is_touched = self.is_touched(step, way);
                self.set(step, way, StepState::Done(is_touched));
                if let Some(lane) = self.lanes.get_mut(step.lane) {
                    match way {
                        Way::There => lane.at = step.step + 1,
                        Way::Back => lane.at = step.step.saturating_sub(1),
                        Way::Hold => lane.held = Some((step.step, at)),
                        Way::Release => lane.released(at),
                        Way::Stop => {}
                    }
                }
            }
            Event::GaveUp { at: step, way, why, then, .. } => {
                let is_touched = self.is_touched(step, way);
                self.set(step, way, StepState::GivenUp(is_touched));
                if let Some(lane) = self.lanes.get_mut(step.lane) {
                    lane.why.push(why);
                    lane.aftermath = then;
                    if way == Way::Hold && is_touched {
                        lane.held = Some((step.step, at));
                    }
                }
            }
            Event::Turned { lane } => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.phase = Phase::Back;
                    lane.at = lane.at.min(lane.there.len().saturating_sub(1));
                    lane.changed = length;
                }
            }
            Event::Kept { lane, why } => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.phase = Phase::Over(End::Left);
                    lane.why.push(why);
                    lane.stays = true;
                }
            }
            Event::Closed { lane, end } => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.phase = Phase::Over(end);
                }
            }
            Event::Asked { seq, verb, .. } => {
                self.heard = self.heard.max(seq);
                self.mode = match (verb, self.mode) {
                    (Verb::Rollback, _) | (_, Mode::RollingBack) => Mode::RollingBack,
                    (Verb::Cancel, _) | (_, Mode::Cancelling) => Mode::Cancelling,
                    (Verb::Pause, _) => Mode::Paused,
                    (Verb::Resume, _) => Mode::Going,
                    (Verb::Takeover, mode) => mode,
                };
                // What could not be held or let go is tried again.
                if verb == Verb::Resume {
                    self.lanes.iter_mut().for_each(LaneState::forgive);
                }
            }
            Event::Blind { why, hint, .. } => self.blind = Some((why, hint)),
            Event::Left { why } => self.left = Some(why),
            Event::Ended { end } => self.ended = Some((end, at)),
        }
    }

    fn answered(&mut self, call: u64, id: Option<String>, missed: &[(At, String)], at: Timestamp) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.result = Known::Taken;
        known.request_id = id;
        let (steps, way) = (known.steps.clone(), known.way);
        for step in steps {
            let state = match missed.iter().find(|(missed, _)| *missed == step) {
                Some((_, why)) => StepState::Refused { why: why.clone(), is_denied: false },
                None => StepState::Waiting { since: at, call: Some(call) },
            };
            self.set(step, way, state);
        }
    }

    fn failed(&mut self, call: u64, how: Failure, why: String, id: Option<String>, at: Timestamp) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.result = Known::Failed(how, why.clone());
        known.request_id = id;
        let (steps, way, made_at) = (known.steps.clone(), known.way, known.at);
        // How long the same has been tried: since the first of the calls that failed one after the other.
        let first = self.first_try(call, &steps, way).unwrap_or(made_at);
        for step in steps {
            let state = match how {
                Failure::Refused | Failure::Full => StepState::Refused { why: why.clone(), is_denied: false },
                Failure::Denied => StepState::Refused { why: why.clone(), is_denied: true },
                Failure::Passing => StepState::Again { first, since: at },
                Failure::Unknown => StepState::Doubtful { call, since: made_at },
            };
            self.set(step, way, state);
        }
    }
}
