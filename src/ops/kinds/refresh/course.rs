//! The step that refreshes a group: started, followed to its end, held, stopped and taken back.
//!
//! ```text
//! there ─ StartInstanceRefresh(to) ─→ Successful
//! back  ─ while that is under way: RollbackInstanceRefresh, or CancelInstanceRefresh where AWS cannot go back
//!       │ where AWS says that it cannot (IrreversibleInstanceRefresh): CancelInstanceRefresh, too
//!       └ when it is over: StartInstanceRefresh(what the group launched before)
//! ```
//!
//! StartInstanceRefresh has no client token: when its answer is lost the refresh is known again by the version
//! that it launches, its preferences, and that it came after the newest one that the group had before.

use crate::gateway::change::{Change, Desired, Preferences};
use crate::model::{GroupName, Text};
use crate::ops::aspect::{Aspect, Value};
use crate::ops::condition::Condition;
use crate::ops::plan::{Act, Aftermath, Arm, Aside, Ending, Leg, Proof, Step, Undo, leg, wait};
use crate::ops::refreshing::RefreshMark;

/// Every status after which nothing more happens to a refresh.
const OVER: [&str; 5] = ["Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"];
/// How often a refresh is looked at, in seconds: once for each group, whoever asks.
const EVERY_S: u64 = 30;
/// How long a refresh may take to stop: what is being launched or ended may wait an hour for its hook.
const STOP_S: u64 = 4 * 3_600;

/// What a group is refreshed to, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    /// What new instances are launched with; none for what the group has.
    pub desired: Option<Desired>,
    /// Every preference.
    pub preferences: Preferences,
}

/// The way back from a refresh.
#[derive(Clone, Debug, PartialEq)]
pub enum Back {
    /// To what the group launched before, exactly.
    Exact {
        /// What that was.
        aim: Aim,
        /// AWS itself can go back while the refresh is under way.
        by_aws: bool,
    },
    /// To what the group launched before, as well as can be.
    BestEffort {
        /// What that was.
        aim: Aim,
        /// AWS itself can go back while the refresh is under way.
        by_aws: bool,
        /// What will not be as it was.
        why: String,
    },
    /// There is none, and why.
    Impossible(String),
}

impl Back {
    fn aim(&self) -> Option<(&Aim, bool)> {
        match self {
            Self::Exact { aim, by_aws } | Self::BestEffort { aim, by_aws, .. } => Some((aim, *by_aws)),
            Self::Impossible(_) => None,
        }
    }
}

/// A refresh of one group.
#[derive(Clone, Debug)]
pub struct Course<'a> {
    /// The group.
    pub group: &'a GroupName,
    /// The newest refresh that it had when this was planned.
    pub newest: Option<&'a Text>,
    /// What it does, in a line.
    pub title: String,
    /// Where it goes.
    pub to: Aim,
    /// How it is taken back.
    pub back: Back,
    /// Instances that it replaces.
    pub of: u32,
    /// Seconds that it is expected to take.
    pub expected_s: u64,
    /// Seconds that it may take.
    pub within_s: u64,
    /// Whether EC2 was asked to launch the version.
    pub proof: Proof,
}

impl Course<'_> {
    /// The step.
    pub fn step(&self) -> Step {
        let mark =
            |aim: &Aim| RefreshMark::started(self.group, self.newest, aim.desired.as_ref(), &aim.preferences);
        let start = |aim: &Aim| Change::StartRefresh {
            group: self.group.clone(),
            preferences: Box::new(aim.preferences.clone()),
            desired: aim.desired.clone().map(Box::new),
        };
        let way = |own: &Aim, counter: Option<(&Aim, bool)>| {
            let counter = counter.map(|(aim, by_aws)| (mark(aim), by_aws));
            toward(self.group, &mark(own), start(own), counter.as_ref(), self.of, self.within_s)
        };
        let back = self.back.aim();
        // What takes the way back turns round again by itself, because that one names a version.
        let go = way(&self.to, back.map(|(aim, _)| (aim, true)));
        let undo = back.map(|(aim, by_aws)| {
            let leg = way(aim, Some((&self.to, by_aws)));
            Box::new(counting(leg, self.group, aim))
        });
        Step {
            title: self.title.clone(),
            go,
            undo: undoing(&self.back, undo),
            proof: self.proof.clone(),
            expected_s: self.expected_s,
            may_be_forced: false,
        }
    }
}

/// A refresh that somebody else started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign<'a> {
    pub(super) group: &'a GroupName,
    pub(super) id: &'a Text,
    /// What it makes the group launch; none where that is not known, or it is on its way back already.
    pub(super) desired: Option<&'a Desired>,
    /// It is on its way back already.
    pub(super) is_back: bool,
    /// Instances that it replaces.
    pub(super) of: u32,
    pub(super) left_s: u64,
    pub(super) within_s: u64,
}

/// The step that takes over a refresh which somebody else started.
pub(super) fn adopted(foreign: Foreign<'_>, newest: Option<&Text>, title: String, back: &Back) -> Step {
    let Foreign { group, id, desired, is_back, of, left_s, within_s } = foreign;
    let mark = RefreshMark::known(group, id);
    let mut ends = ends(&mark, None);
    if is_back {
        ends.retain(|end| end.then != Aftermath::Turn);
        ends.push(Ending {
            when: is(&mark, "RollbackFailed"),
            why: "AWS could not take it back".to_owned(),
            then: Aftermath::Policy,
        });
    }
    let goal = is(&mark, if is_back { "RollbackSuccessful" } else { "Successful" });
    let go = Leg {
        act: Act::Adopt { desired: desired.cloned().map(Box::new) },
        ends,
        tells: vec![Aspect::RefreshProgress { mark: mark.clone(), total: of }],
        aside: Some(Box::new(aside(group, &mark))),
        ..wait(goal, within_s, EVERY_S)
    };
    let undo = back.aim().map(|(aim, by_aws)| {
        let own = RefreshMark::started(group, newest, aim.desired.as_ref(), &aim.preferences);
        let start = Change::StartRefresh {
            group: group.clone(),
            preferences: Box::new(aim.preferences.clone()),
            desired: aim.desired.clone().map(Box::new),
        };
        let leg = toward(group, &own, start, Some(&(mark.clone(), by_aws)), of, within_s);
        Box::new(counting(leg, group, aim))
    });
    Step {
        title,
        go,
        undo: undoing(back, undo),
        proof: Proof::NotNeeded,
        expected_s: left_s,
        may_be_forced: false,
    }
}

fn undoing(back: &Back, leg: Option<Box<Leg>>) -> Undo {
    match (back, leg) {
        (Back::Exact { .. }, Some(leg)) => Undo::Exact { leg },
        (Back::BestEffort { why, .. }, Some(leg)) => Undo::BestEffort { leg, why: why.clone() },
        (Back::Impossible(why), _) => Undo::Impossible { why: why.clone() },
        (Back::Exact { .. } | Back::BestEffort { .. }, None) => {
            Undo::Impossible { why: "what the group launched before is not known".to_owned() }
        }
    }
}

/// A way back that says how many members run again what they ran.
fn counting(mut leg: Leg, group: &GroupName, aim: &Aim) -> Leg {
    leg.tells.extend(
        aim.desired.as_ref().map(|to| Aspect::GroupRuns { group: group.clone(), versions: to.templates() }),
    );
    leg
}

/// One way: by turning the counter refresh round while that is under way, and by a refresh of its own otherwise.
fn toward(
    group: &GroupName,
    own: &RefreshMark,
    start: Change,
    counter: Option<&(RefreshMark, bool)>,
    of: u32,
    within_s: u64,
) -> Leg {
    let mut arms = vec![Arm { when: going(own), change: None, taken: there(own) }];
    let mut until = vec![is(own, "Successful")];
    let mut tells = vec![Aspect::RefreshProgress { mark: own.clone(), total: of }];
    if let Some((counter, by_aws)) = counter {
        let forward = || one_of(counter, &["Pending", "InProgress", "Baking"]);
        if *by_aws {
            let taken = one_of(counter, &["RollbackInProgress", "RollbackSuccessful", "RollbackFailed"]);
            let change = Change::RollBackRefresh { group: group.clone() };
            arms.push(Arm { when: forward(), change: Some(Box::new(change)), taken });
        }
        // Also where AWS says that it cannot go back after all: then a new refresh does.
        let taken = one_of(counter, &["Cancelling", "Cancelled"]);
        let change = Change::CancelRefresh { group: group.clone(), waits: true };
        arms.push(Arm { when: forward(), change: Some(Box::new(change)), taken });
        arms.push(Arm { when: going(counter), change: None, taken: there(counter) });
        until.push(is(counter, "RollbackSuccessful"));
        tells.push(Aspect::RefreshProgress { mark: counter.clone(), total: of });
    }
    let always = Condition::All { of: Vec::new() };
    arms.push(Arm { when: always, change: Some(Box::new(start)), taken: there(own) });
    Leg {
        act: Act::AsSeen { arms },
        taken: Some(there(own)),
        ends: ends(own, counter.map(|(mark, _)| mark)),
        tells,
        aside: Some(Box::new(aside(group, own))),
        ..wait(Condition::Any { of: until }, within_s, EVERY_S)
    }
}

/// The other ends of a refresh.
fn ends(own: &RefreshMark, counter: Option<&RefreshMark>) -> Vec<Ending> {
    let end =
        |words: &[&str], why: &str, then| Ending { when: one_of(own, words), why: why.to_owned(), then };
    let mut ends = vec![
        end(
            &["RollbackInProgress", "RollbackSuccessful", "RollbackFailed"],
            "AWS takes it back",
            Aftermath::Turn,
        ),
        end(&["Failed"], "the refresh failed", Aftermath::Policy),
        end(&["Cancelled"], "the refresh was cancelled", Aftermath::Leave),
    ];
    ends.extend(counter.map(|counter| Ending {
        when: is(counter, "RollbackFailed"),
        why: "AWS could not take it back".to_owned(),
        then: Aftermath::Policy,
    }));
    ends
}

/// How a refresh is held, let go on and stopped.
fn aside(group: &GroupName, own: &RefreshMark) -> Aside {
    let process = || Text::new("InstanceRefresh");
    let suspended = |to| {
        let fact = Aspect::GroupSuspended { group: group.clone(), process: process() };
        Condition::is(fact, Value::Flag(to))
    };
    let (name, processes) = (|| group.clone(), || vec![process()]);
    let hold = Change::SuspendProcesses { group: name(), processes: processes() };
    let release = Change::ResumeProcesses { group: name(), processes: processes() };
    let stop = Change::CancelRefresh { group: name(), waits: true };
    let over: Vec<&str> = OVER.to_vec();
    let mut stopping = over.clone();
    stopping.push("Cancelling");
    Aside {
        hold: leg(hold, suspended(true), 300, 5),
        release: leg(release, suspended(false), 300, 5),
        stop: Leg { taken: Some(one_of(own, &stopping)), ..leg(stop, one_of(own, &over), STOP_S, EVERY_S) },
    }
}

fn status(mark: &RefreshMark) -> Aspect {
    Aspect::RefreshStatus { mark: mark.clone() }
}

fn is(mark: &RefreshMark, word: &str) -> Condition {
    Condition::is(status(mark), Value::word(word))
}

fn one_of(mark: &RefreshMark, words: &[&str]) -> Condition {
    Condition::OneOf { fact: status(mark), values: words.iter().map(Value::word).collect() }
}

/// It has been started, however it ended.
fn there(mark: &RefreshMark) -> Condition {
    Condition::IsNot { fact: status(mark), value: Value::Absent }
}

/// It is under way, in whatever word.
fn going(mark: &RefreshMark) -> Condition {
    let over = OVER.iter().map(|word| Condition::IsNot { fact: status(mark), value: Value::word(word) });
    Condition::All { of: over.chain([there(mark)]).collect() }
}
