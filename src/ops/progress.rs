//! An operation in progress, as a screen or a script shows it: computed from its state, and nothing else.

use super::commit::Commit;
use super::event::{At, End, Outcome};
use super::rollback::{self, SoFar, TakenBack, command, stays};
use super::state::{Known, LaneState, Mode, OpState, Phase, StepState};
use crate::gateway::change::Change;
use jiff::Timestamp;
use serde::Serialize;

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// Its id.
    pub id: String,
    /// The word for what it does.
    pub kind: String,
    /// What it does, in a line.
    pub title: String,
    /// Who began it.
    pub who: String,
    /// Why.
    pub reason: Option<String>,
    /// When it was begun.
    pub at: Timestamp,
    /// How it stands.
    pub standing: Standing,
    /// What keeps it, in a sentence.
    pub note: Option<String>,
    /// What to type next, where there is something.
    pub hint: Option<String>,
    /// Steps that are over.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
    /// How many of its targets have come back, where it went or goes back.
    pub back: Option<Back>,
    /// Seconds that it is still expected to take; none when it is over or nobody can tell.
    pub left_s: Option<u64>,
    /// What is to be committed to Terraform or CloudFormation after it.
    pub commit: Vec<Commit>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Which other operation takes, or took, it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<TakenBack>,
    /// Its targets.
    pub lanes: Vec<LaneProgress>,
}

/// How far the way back is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Back {
    /// Targets that are what they were before.
    pub done: usize,
    /// Targets that are to be.
    pub of: usize,
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was entered, and no runner has it yet.
    Entered,
    /// It goes on.
    Running,
    /// It waits, as it was told.
    Paused,
    /// It ends what it began.
    Cancelling,
    /// It undoes what it did.
    RollingBack,
    /// AWS cannot be asked; it is tried again.
    Blind,
    /// Its runner is gone.
    Orphaned,
    /// It is over, and well.
    Done,
    /// It failed, with nothing changed.
    Failed,
    /// It stopped part way.
    PartWay,
    /// It failed, and was undone.
    RolledBack,
}

impl Standing {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::RollingBack => "rolling back",
            Self::Blind => "cannot see AWS",
            Self::Orphaned => "its runner is gone",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::PartWay => "stopped part way",
            Self::RolledBack => "rolled back",
        }
    }

    /// Whether nothing more will happen to it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::PartWay | Self::RolledBack)
    }
}

/// How far a target is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaneProgress {
    /// What a person calls it.
    pub name: String,
    /// The word for where it is.
    pub state: &'static str,
    /// What is done now, or why nothing more is.
    pub now: String,
    /// How far what AWS does by itself is, while it does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
    /// Steps that are over.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

impl Progress {
    /// How far an operation is. `lives` says whether a runner has it.
    pub fn of(op: &OpState, lives: bool, now: Timestamp) -> Self {
        let lanes: Vec<LaneProgress> = (0..op.lanes.len()).map(|lane| lane_progress(op, lane)).collect();
        let standing = standing(op, lives);
        let id = &op.record.id;
        let hint = match standing {
            Standing::Orphaned | Standing::Entered if !lives => Some(format!("coredeck op resume {id}")),
            Standing::Paused => Some(format!("coredeck op resume {id}")),
            Standing::Blind => op.blind.as_ref().and_then(|(_, hint)| hint.clone()),
            Standing::PartWay => command(op).or_else(|| Some(format!("coredeck op log {id}"))),
            _ => None,
        };
        Self {
            id: id.clone(),
            kind: op.record.kind.clone(),
            title: op.record.title.clone(),
            who: op.record.who.to_string(),
            reason: op.record.reason.clone(),
            at: op.record.at,
            standing,
            note: op.blind.as_ref().map(|(why, _)| why.clone()).or_else(|| op.left.clone()),
            hint,
            done: lanes.iter().map(|lane| lane.done).sum(),
            total: lanes.iter().map(|lane| lane.total).sum(),
            back: way_back(op),
            left_s: left(op, standing, now),
            commit: super::commit::of(op),
            ended_at: op.ended.map(|(_, at)| at),
            taken_back: None,
            lanes,
        }
    }

    /// The same among other operations of the journal, newest first: one of them may have taken it back since.
    pub fn among(op: &OpState, lives: bool, now: Timestamp, ops: &[&OpState]) -> Self {
        let mut progress = Self::of(op, lives, now);
        progress.taken_back = rollback::taken_back(&progress.id, ops).filter(|_| progress.standing.is_over());
        let Some(TakenBack { by, so_far }) = &progress.taken_back else { return progress };
        // What it made of the groups is so no more: what is to be committed now is told by what took it back.
        if *so_far != SoFar::PartWay {
            progress.commit.clear();
        }
        match so_far {
            SoFar::Done => {
                progress.standing = Standing::RolledBack;
                progress.hint = None;
                progress.note = Some(format!("rolled back by operation {by}"));
            }
            SoFar::UnderWay => {
                progress.hint = Some(format!("coredeck op watch {by}"));
                progress.note = Some(format!("operation {by} is rolling it back"));
            }
            SoFar::PartWay => {
                progress.hint = command(op).or(progress.hint);
                progress.note = Some(format!("operation {by} was to roll it back and stopped part way"));
            }
        }
        progress
    }

    /// How much is over, of how much: steps, or targets on the way back.
    pub fn tally(&self) -> (usize, usize) {
        self.back.map_or((self.done, self.total), |back| (back.done, back.of))
    }

    /// The same in words.
    pub fn said(&self) -> String {
        match self.back {
            Some(Back { done, of: 1 }) => format!("{done} of 1 target back"),
            Some(Back { done, of }) => format!("{done} of {of} targets back"),
            None => format!("{} of {} steps", self.done, self.total),
        }
    }
}

/// How far the way back of an operation is; none where it goes none.
fn way_back(op: &OpState) -> Option<Back> {
    let is_all = op.takes_all_back();
    let is_back = |phase| matches!(phase, Phase::Back | Phase::Over(End::Undone | End::Stuck));
    let was_ever = op.lanes.iter().any(|lane| is_back(lane.phase));
    if !op.is_going_back() && (op.ended.is_none() || !was_ever) {
        return None;
    }
    let is_meant = |lane: &&LaneState| {
        (is_all || is_back(lane.phase)) && (0..lane.there.len()).any(|step| lane.is_touched(step))
    };
    let all: Vec<&LaneState> = op.lanes.iter().filter(is_meant).collect();
    let done = all.iter().filter(|lane| lane.phase == Phase::Over(End::Undone)).count();
    (!all.is_empty()).then_some(Back { done, of: all.len() })
}

fn standing(op: &OpState, lives: bool) -> Standing {
    match (op.ended, op.mode) {
        (Some((Outcome::Done, _)), _) => Standing::Done,
        (Some((Outcome::Failed, _)), _) => Standing::Failed,
        (Some((Outcome::PartWay, _)), _) => Standing::PartWay,
        (Some((Outcome::RolledBack, _)), _) => Standing::RolledBack,
        (None, _) if !lives && op.started_at.is_none() => Standing::Entered,
        (None, _) if !lives => Standing::Orphaned,
        (None, Mode::Paused) => Standing::Paused,
        (None, _) if op.blind.is_some() => Standing::Blind,
        (None, Mode::Cancelling) => Standing::Cancelling,
        (None, Mode::RollingBack) => Standing::RollingBack,
        (None, Mode::Going) if op.is_going_back() => Standing::RollingBack,
        (None, Mode::Going) => Standing::Running,
    }
}

/// What was expected of the steps that are not over, less what the longest of them has taken already.
fn left(op: &OpState, standing: Standing, now: Timestamp) -> Option<u64> {
    if standing != Standing::Running {
        return None;
    }
    let began = op.started_at?;
    let taken = u64::try_from(now.duration_since(began).as_secs()).unwrap_or(0);
    let waiting = op.lanes.iter().any(|lane| lane.phase == Phase::Waiting);
    let open = op.lanes.iter().enumerate().filter(|(_, lane)| lane.phase == Phase::There);
    let longest = open
        .map(|(number, lane)| {
            let steps = op.plan.lanes[number].steps.iter().skip(lane.at);
            steps.map(|step| step.expected_s).sum::<u64>()
        })
        .max()
        .unwrap_or(0);
    Some(if waiting { op.plan.expected_s().saturating_sub(taken).max(longest) } else { longest })
}

fn lane_progress(op: &OpState, number: usize) -> LaneProgress {
    let lane = &op.lanes[number];
    let plan = &op.plan.lanes[number];
    let total = plan.steps.len();
    // Whoever ended it wrote nothing of how it stands with this one.
    let is_open = op.ended.is_some() && !matches!(lane.phase, Phase::Over(_));
    let (state, done, now) = match lane.phase {
        Phase::Waiting if is_open => ("not begun", 0, String::new()),
        Phase::There if is_open => {
            let step = doing(op, At { lane: number, step: lane.at });
            ("not known", lane.at.min(total), format!("{step}; how it ended was not recorded"))
        }
        Phase::Back if is_open => {
            let step = undoing(op, number);
            ("not known", stand(lane), format!("{step}; whether it was taken back was not recorded"))
        }
        Phase::Waiting => ("waiting", 0, "waits for its turn".to_owned()),
        Phase::There => ("running", lane.at.min(total), doing(op, At { lane: number, step: lane.at })),
        Phase::Back => ("undoing", stand(lane), undoing(op, number)),
        Phase::Over(End::Done) => ("done", total, lane.told.clone().unwrap_or_default()),
        Phase::Over(end) => (end.word(), stand(lane), ended(op, number).join("; ")),
    };
    let told = lane.told.clone().filter(|_| matches!(lane.phase, Phase::There | Phase::Back));
    LaneProgress { name: plan.name.clone(), state, now, told, done, total }
}

/// Steps of a target that were done and not taken back.
fn stand(lane: &LaneState) -> usize {
    let is_done = |state: &StepState| matches!(state, StepState::Done(_));
    lane.there.iter().zip(&lane.back).filter(|(there, back)| is_done(there) && !is_done(back)).count()
}

/// Why a target ended as it did.
pub fn ended(op: &OpState, lane: usize) -> Vec<String> {
    let why = op.lanes.get(lane).map(|lane| lane.why.clone()).unwrap_or_default();
    why.into_iter().chain(stays(op, lane)).collect()
}

fn doing(op: &OpState, at: At) -> String {
    let Some(step) = op.step(at) else { return String::new() };
    let state = op.lanes[at.lane].there.get(at.step);
    let how = match state {
        Some(StepState::Doubtful { .. }) => "; its answer was lost, looking whether it happened",
        Some(StepState::Again { .. }) => "; AWS was busy, tried again",
        Some(StepState::Waiting { call: Some(_), .. }) if !step.go.act.is_idle() => {
            if step.go.act.change().is_some_and(is_of_a_core) {
                "; the core took it"
            } else {
                "; AWS took it"
            }
        }
        _ => "",
    };
    let lane = &op.lanes[at.lane];
    let how = lane.told.as_ref().map_or_else(|| how.to_owned(), |told| format!(": {told}"));
    let held =
        if lane.is_held() { "; held: AWS replaces nothing until the operation is resumed" } else { "" };
    // Why it could not be held, let go or stopped.
    let why = if lane.why.is_empty() { String::new() } else { format!("; {}", lane.why.join("; ")) };
    format!("{}{how}{held}{why}", step.title)
}

fn undoing(op: &OpState, number: usize) -> String {
    let lane = &op.lanes[number];
    let open = (0..lane.there.len())
        .rev()
        .find(|step| lane.is_touched(*step) && !matches!(lane.back[*step], StepState::Done(_)));
    let step = open.and_then(|step| op.step(At { lane: number, step }));
    let told = lane.told.as_ref().map(|told| format!(": {told}")).unwrap_or_default();
    step.map_or(String::new(), |step| format!("undo: {}{told}", step.title))
}

/// One line for each thing that happened, for `op log` and `op watch`.
pub fn line(op: &OpState, event: &super::event::Event) -> String {
    use super::event::{Event, How, Way};
    let name = |lane: &usize| op.plan.lanes.get(*lane).map_or("?", |lane| lane.name.as_str()).to_owned();
    let names = |steps: &[At]| {
        let names: Vec<String> = steps.iter().map(|at| name(&at.lane)).collect();
        names.join(", ")
    };
    let title = |at: &At, way: &Way| {
        let title = op.step(*at).map_or("?", |step| step.title.as_str());
        match way {
            Way::There => title.to_owned(),
            Way::Back => format!("undo of: {title}"),
            Way::Hold => format!("hold: {title}"),
            Way::Release => format!("let go on: {title}"),
            Way::Stop => format!("stop: {title}"),
        }
    };
    match event {
        Event::Claimed { who, pid, home } => format!("run by {who} (process {pid}, {home})"),
        Event::Opened { lanes } => {
            format!("begun: {}", lanes.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        Event::Barred { lane, why } => format!("{}: not touched: {}", name(lane), why.join("; ")),
        Event::Intended { steps, change, call, .. } => {
            format!("call {call}: {} for {}", change.action(), names(steps))
        }
        Event::Answered { call, request_id, missed, .. } => {
            let id = request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
            let missed: String =
                missed.iter().map(|(at, why)| format!("; not {}: {why}", name(&at.lane))).collect();
            let is_of_a_core = op.calls.get(call).is_some_and(|call| is_of_a_core(&call.change));
            let who = if is_of_a_core { "the core" } else { "AWS" };
            format!("call {call}: {who} took it{id}{missed}")
        }
        Event::Failed { call, why, again_at, .. } => {
            let again = again_at.map(|at| format!("; made again not before {at:.0}")).unwrap_or_default();
            format!("call {call}: {why}{again}")
        }
        Event::Adopted { call, steps } => {
            format!("call {call}: its answer was lost, and it happened for {}", names(steps))
        }
        Event::Missing { call, steps } => {
            format!("call {call}: its answer was lost, and it did not happen for {}", names(steps))
        }
        Event::Waiting { at, way, .. } => format!("{}: {}", name(&at.lane), title(at, way)),
        Event::Kept { lane, why } => format!("{}: not taken back: {why}", name(lane)),
        Event::Told { at, what } => format!("{}: {what}", name(&at.lane)),
        Event::Named { at, is } => {
            format!("{}: the new instance is {}", name(&at.lane), crate::model::text::harmless(is))
        }
        Event::Judged { at, seen } => {
            let seen: Vec<String> = seen.iter().map(|(fact, value)| format!("{fact}: {value}")).collect();
            format!("{}: judged by {}", name(&at.lane), seen.join("; "))
        }
        Event::Settled { at, way, how, .. } => {
            let how = match how {
                How::Already => "was so already",
                How::Done => "done",
                How::Forced => "not waited for any longer",
                How::Kept => "cannot be undone",
            };
            format!("{}: {}: {how}", name(&at.lane), title(at, way))
        }
        Event::GaveUp { at, way, why, .. } => {
            format!("{}: {}: given up: {why}", name(&at.lane), title(at, way))
        }
        Event::Turned { lane } => format!("{}: what was done is undone", name(lane)),
        Event::Closed { lane, end } => format!("{}: {}", name(lane), end.word()),
        Event::Asked { verb, who, reason, .. } => {
            let why = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{who} asks to {}{why}", verb.said())
        }
        Event::Blind { why, .. } => format!("AWS cannot be asked: {why}"),
        Event::Left { why } => format!("the runner left: {why}"),
        Event::Ended { end } => end.word().to_owned(),
    }
}

/// Whether it is a core that is asked, and not AWS.
fn is_of_a_core(change: &Change) -> bool {
    matches!(change, Change::PutCore { .. })
}

/// Calls whose outcome nobody knows yet.
pub fn open_calls(op: &OpState) -> usize {
    op.calls.values().filter(|call| call.result == Known::Open).count()
}
