//! What a step waits for: a condition over facts, with what was last seen of them.

use super::aspect::{Aspect, Value};
use super::telling::CoreFact;
use crate::model::Scope;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A condition over facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum Condition {
    /// The fact is this.
    Is {
        /// Which fact.
        fact: Aspect,
        /// What it must be.
        value: Value,
    },
    /// The fact is one of these.
    OneOf {
        /// Which fact.
        fact: Aspect,
        /// What it may be.
        values: Vec<Value>,
    },
    /// The fact is anything but this.
    IsNot {
        /// Which fact.
        fact: Aspect,
        /// What it must not be.
        value: Value,
    },
    /// The count is at most this.
    AtMost {
        /// Which fact.
        fact: Aspect,
        /// The bound.
        count: u64,
    },
    /// The count is at least this.
    AtLeast {
        /// Which fact.
        fact: Aspect,
        /// The bound.
        count: u64,
    },
    /// AWS took the call. For what leaves no trace that could be looked at.
    Taken,
    /// All of these hold.
    All {
        /// Which.
        of: Vec<Condition>,
    },
    /// One of these holds.
    Any {
        /// Which.
        of: Vec<Condition>,
    },
}

impl Condition {
    /// The fact is this.
    pub fn is(fact: Aspect, value: Value) -> Self {
        Self::Is { fact, value }
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All { mut of } => {
                of.push(other);
                Self::All { of }
            }
            one => Self::All { of: vec![one, other] },
        }
    }

    /// The state that it asks for, where that is one which people call by a word or a number.
    pub fn sets(&self) -> Option<&Value> {
        match self {
            Self::Is { fact, value } => {
                let is_called_so = match fact {
                    Aspect::HostStatus { .. }
                    | Aspect::ServiceDesired { .. }
                    | Aspect::GroupDesired { .. } => true,
                    Aspect::GroupSetting { .. } => *value != Value::Absent,
                    // Of a secret it is only known which one it is.
                    Aspect::Core { fact } => {
                        matches!(&**fact, CoreFact::Setting { known, .. } if known.is_empty())
                            && *value != Value::Absent
                    }
                    _ => false,
                };
                is_called_so.then_some(value)
            }
            Self::All { of } => of.iter().find_map(Self::sets),
            _ => None,
        }
    }

    /// The facts that decide it.
    pub fn facts(&self) -> Vec<&Aspect> {
        match self {
            Self::Is { fact, .. }
            | Self::OneOf { fact, .. }
            | Self::IsNot { fact, .. }
            | Self::AtMost { fact, .. }
            | Self::AtLeast { fact, .. } => vec![fact],
            Self::All { of } | Self::Any { of } => of.iter().flat_map(Self::facts).collect(),
            Self::Taken => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub fn facts_mut(&mut self) -> Vec<&mut Aspect> {
        match self {
            Self::Is { fact, .. }
            | Self::OneOf { fact, .. }
            | Self::IsNot { fact, .. }
            | Self::AtMost { fact, .. }
            | Self::AtLeast { fact, .. } => vec![fact],
            Self::All { of } | Self::Any { of } => of.iter_mut().flat_map(Self::facts_mut).collect(),
            Self::Taken => Vec::new(),
        }
    }

    /// Whether it holds by what was seen; none when something that decides was not looked at.
    pub fn holds(&self, eye: &Eye, scope: &Scope) -> Option<bool> {
        let value = |fact: &Aspect| eye.value(scope, fact);
        match self {
            Self::Is { fact, value: wanted } => Some(value(fact)? == wanted),
            Self::OneOf { fact, values } => Some(values.contains(value(fact)?)),
            Self::IsNot { fact, value: unwanted } => Some(value(fact)? != unwanted),
            Self::AtMost { fact, count } => Some(value(fact)?.count().is_some_and(|found| found <= *count)),
            Self::AtLeast { fact, count } => Some(value(fact)?.count().is_some_and(|found| found >= *count)),
            // Only the journal knows.
            Self::Taken => None,
            Self::All { of } => {
                let all: Option<Vec<bool>> = of.iter().map(|one| one.holds(eye, scope)).collect();
                Some(all?.into_iter().all(|one| one))
            }
            Self::Any { of } => {
                let all: Option<Vec<bool>> = of.iter().map(|one| one.holds(eye, scope)).collect();
                Some(all?.into_iter().any(|one| one))
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |of: &[Self], word: &str| of.iter().map(Self::to_string).collect::<Vec<_>>().join(word);
        match self {
            Self::Is { fact, value } => write!(f, "{fact} is {value}"),
            Self::OneOf { fact, values } => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(f, "{fact} is {}", values.join(" or "))
            }
            Self::IsNot { fact, value } => write!(f, "{fact} is not {value}"),
            Self::AtMost { fact, count: 0 } => write!(f, "no {fact}"),
            Self::AtMost { fact, count } => write!(f, "{fact}: at most {count}"),
            Self::AtLeast { fact, count } => write!(f, "{fact}: at least {count}"),
            Self::Taken => f.write_str("AWS took it"),
            Self::All { of } => f.write_str(&joined(of, ", ")),
            Self::Any { of } => f.write_str(&joined(of, ", or ")),
        }
    }
}

/// What was last seen of each fact.
#[derive(Clone, Debug, Default)]
pub struct Eye {
    seen: BTreeMap<(Scope, Aspect), Sight>,
    /// The budget was last asked for room then, in vain or not.
    pub asked_room_at: Option<Timestamp>,
}

/// One fact as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// What it was.
    pub value: Value,
    /// When.
    pub at: Timestamp,
    /// How much was recorded of the operation by then: what was seen before an act says nothing about it.
    pub after: usize,
}

impl Eye {
    /// Keeps what was seen.
    pub fn keep(&mut self, scope: Scope, fact: Aspect, sight: Sight) {
        self.seen.insert((scope, fact), sight);
    }

    /// What was last seen of a fact.
    pub fn sight(&self, scope: &Scope, fact: &Aspect) -> Option<&Sight> {
        // The map owns its keys, and a pair of borrowed ones cannot be made of two references.
        self.seen.get(&(scope.clone(), fact.clone()))
    }

    /// Its value.
    pub fn value(&self, scope: &Scope, fact: &Aspect) -> Option<&Value> {
        self.sight(scope, fact).map(|sight| &sight.value)
    }
}
