//! One way of a step: what is done, what is waited for, and to which ends it may come.

use super::super::aspect::Aspect;
use super::super::condition::Condition;
use crate::gateway::change::{Change, Desired};
use crate::model::{ClusterArn, HostArn};
use serde::{Deserialize, Serialize};

/// One way of a step: there or back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// What is done.
    pub act: Act,
    /// What shows that it is done. Where it holds already, nothing is done.
    pub until: Condition,
    /// What shows that AWS took it, before it is done; none where `until` is all that can be seen.
    pub taken: Option<Condition>,
    /// What shows that it never will be done.
    pub spoiled: Option<Spoiled>,
    /// How long it may take, in seconds.
    pub within_s: u64,
    /// How often is looked, in seconds.
    pub every_s: u64,
    /// Other ends that it may come to, and what follows on each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<Ending>,
    /// How far it is, in words, by the first of these that is there, and how many are back behind it: looked at along, and
    /// recorded when it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tells: Vec<Aspect>,
    /// What it is judged by: looked at along, and recorded whenever any of it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<Aspect>,
    /// It is done when its time is up: it only watches.
    #[serde(default, skip_serializing_if = "super::is_not")]
    pub rests: bool,
    /// What shows the id of the instance that it launches, for which the later steps of its lane keep room. The way
    /// back keeps it too, and does nothing where no instance was launched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Aspect>,
    /// How that which AWS goes on with by itself is held, let go and stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Box<Aside>>,
}

/// An end that a leg may come to besides being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// What is seen then.
    pub when: Condition,
    /// What that means, in a sentence.
    pub why: String,
    /// What follows.
    pub then: Aftermath,
}

/// What follows when a step came to another end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aftermath {
    /// What the plan says of steps that fail.
    #[default]
    Policy,
    /// It is on its way back already: the lane turns, whatever the plan says.
    Turn,
    /// Somebody decided it: it is left as it is.
    Leave,
}

impl Aftermath {
    /// Whether it is the usual one, which records leave out.
    pub fn is_usual(&self) -> bool {
        *self == Self::Policy
    }
}

/// What is done beside a leg whose work AWS goes on with when nobody looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    /// How AWS is kept from going on while the operation is paused.
    pub hold: Leg,
    /// How it is let go on.
    pub release: Leg,
    /// How it is stopped for good when the operation is cancelled, or cannot be undone.
    pub stop: Leg,
}

/// What shows that waiting on is in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoiled {
    /// What is seen then.
    pub when: Condition,
    /// What that means, in a sentence.
    pub why: String,
}

/// What is done in a leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Nothing: it only waits.
    Wait,
    /// One change, once. Boxed: it is much larger than the others.
    Once {
        /// Which.
        change: Box<Change>,
    },
    /// Nothing: what is under way already is taken for this step's own.
    Adopt {
        /// What a refresh makes its group launch that is taken over; none where that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        desired: Option<Box<Desired>>,
    },
    /// The first arm that fits what is seen; looked at again until the leg is done, so that one may follow on
    /// another. What no arm fits is waited for.
    AsSeen {
        /// The arms, in order.
        arms: Vec<Arm>,
    },
    /// One of several changes that would do: the first, and where AWS has no room for that, the next. Each is a call of
    /// its own with a token of its own, and none follows on one that may have happened.
    FirstWithRoom {
        /// The changes, in the order in which they are tried.
        changes: Vec<Change>,
    },
    /// Every task that a fact lists is stopped, one after the other, until it lists none.
    StopTasks {
        /// Their cluster.
        cluster: ClusterArn,
        /// Their host.
        host: HostArn,
        /// The fact that lists them.
        listed: Aspect,
    },
}

/// What is done in one state of things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The state of things.
    pub when: Condition,
    /// What is done; none when it is only waited for.
    pub change: Option<Box<Change>>,
    /// What shows that AWS took it.
    pub taken: Condition,
}

impl Act {
    /// A change that is made once.
    pub fn once(change: Change) -> Self {
        Self::Once { change: Box::new(change) }
    }

    /// The change that it makes as things stand when it is planned; none where that is not known, or nothing.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Once { change } => Some(change),
            Self::AsSeen { arms } => arms.iter().rev().find_map(|arm| arm.change.as_deref()),
            Self::FirstWithRoom { changes } => changes.first(),
            Self::Wait | Self::Adopt { .. } | Self::StopTasks { .. } => None,
        }
    }

    /// The changes that AWS is asked about before the plan is shown: every one that may be made instead of the first, too.
    pub fn proved(&self) -> Vec<&Change> {
        match self {
            Self::FirstWithRoom { changes } => changes.iter().collect(),
            _ => self.change().into_iter().collect(),
        }
    }

    /// Whether it makes no call.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Wait | Self::Adopt { .. })
    }
}

impl Leg {
    /// Every fact in it, to be changed.
    pub fn facts_mut(&mut self) -> Vec<&mut Aspect> {
        let mut facts = self.until.facts_mut();
        facts.extend(self.taken.iter_mut().flat_map(Condition::facts_mut));
        facts.extend(self.spoiled.iter_mut().flat_map(|spoiled| spoiled.when.facts_mut()));
        facts.extend(self.ends.iter_mut().flat_map(|end| end.when.facts_mut()));
        facts.extend(&mut self.tells);
        facts.extend(&mut self.judges);
        facts.extend(&mut self.names);
        match &mut self.act {
            Act::AsSeen { arms } => {
                for arm in arms {
                    facts.extend(arm.when.facts_mut());
                    facts.extend(arm.taken.facts_mut());
                }
            }
            Act::StopTasks { listed, .. } => facts.push(listed),
            Act::Wait | Act::Adopt { .. } | Act::Once { .. } | Act::FirstWithRoom { .. } => {}
        }
        if let Some(aside) = &mut self.aside {
            for leg in [&mut aside.hold, &mut aside.release, &mut aside.stop] {
                facts.extend(leg.facts_mut());
            }
        }
        facts
    }
}

/// A leg that makes one change and waits until something is so.
pub fn leg(change: Change, until: Condition, within_s: u64, every_s: u64) -> Leg {
    Leg { act: Act::once(change), ..wait(until, within_s, every_s) }
}

/// A leg that only waits.
pub fn wait(until: Condition, within_s: u64, every_s: u64) -> Leg {
    Leg {
        act: Act::Wait,
        until,
        taken: None,
        spoiled: None,
        within_s,
        every_s,
        ends: Vec::new(),
        tells: Vec::new(),
        judges: Vec::new(),
        rests: false,
        names: None,
        aside: None,
    }
}
