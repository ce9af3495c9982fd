//! What a step is judged by, as it was seen last, and what each piece of that means for the step.

use super::aspect::Value;
use super::condition::Condition;
use super::plan::Leg;
use jiff::Timestamp;

/// What a step is judged by, as it was seen last.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Which step of its lane.
    pub step: usize,
    /// Since when it is so.
    pub since: Timestamp,
    /// What was seen, by the names of the facts.
    pub seen: Vec<(String, Value)>,
}

/// What one piece of evidence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is against going on.
    Well,
    /// It is not yet as it must be; so many are wanted.
    Awaited(u64),
    /// It ends the step.
    Ill,
}

/// What a piece of evidence, by the name of its fact, means for a leg.
pub fn verdict(leg: &Leg, name: &str, value: &Value) -> Verdict {
    let ends = leg.ends.iter().flat_map(|end| bounds(&end.when));
    for bound in ends.filter(|bound| bound.is_of(name)) {
        if bound.holds(value) {
            return Verdict::Ill;
        }
    }
    let mut goals = bounds(&leg.until).into_iter().filter(|bound| bound.is_of(name));
    let missed = goals.find(|bound| !bound.holds(value));
    missed.map_or(Verdict::Well, |bound| Verdict::Awaited(bound.count))
}

/// A bound on the count of a fact.
struct Bound {
    name: String,
    is_least: bool,
    count: u64,
}

impl Bound {
    fn is_of(&self, name: &str) -> bool {
        self.name == name
    }

    fn holds(&self, value: &Value) -> bool {
        let found = value.count();
        found.is_some_and(|found| if self.is_least { found >= self.count } else { found <= self.count })
    }
}

/// Every bound in a condition, however deep.
fn bounds(condition: &Condition) -> Vec<Bound> {
    match condition {
        Condition::AtLeast { fact, count } => {
            vec![Bound { name: fact.to_string(), is_least: true, count: *count }]
        }
        Condition::AtMost { fact, count } => {
            vec![Bound { name: fact.to_string(), is_least: false, count: *count }]
        }
        Condition::All { of } | Condition::Any { of } => of.iter().flat_map(bounds).collect(),
        Condition::Is { .. } | Condition::OneOf { .. } | Condition::IsNot { .. } | Condition::Taken => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Aspect;
    use crate::ops::launching::LaunchFact;
    use crate::ops::plan::{Aftermath, Ending, wait};

    #[test]
    fn evidence_is_well_awaited_or_ill_by_what_the_leg_does_with_it() {
        let fact =
            |alarm: &str| Aspect::Launching { fact: LaunchFact::Ringing { alarms: vec![alarm.into()] } };
        let until = Condition::AtLeast { fact: fact("fit"), count: 2 }
            .and(Condition::AtMost { fact: fact("unfit"), count: 0 });
        let mut leg = wait(Condition::Any { of: vec![until, Condition::Taken] }, 60, 5);
        leg.ends.push(Ending {
            when: Condition::AtLeast { fact: fact("rings"), count: 1 },
            why: String::new(),
            then: Aftermath::Turn,
        });
        let words = |count: usize| Value::Words(vec!["x".to_owned(); count]);
        let says = |name: &str, count| verdict(&leg, &fact(name).to_string(), &words(count));
        assert_eq!((says("fit", 1), says("fit", 2)), (Verdict::Awaited(2), Verdict::Well));
        assert_eq!((says("unfit", 1), says("unfit", 0)), (Verdict::Awaited(0), Verdict::Well));
        assert_eq!((says("rings", 1), says("rings", 0)), (Verdict::Ill, Verdict::Well));
        assert_eq!(says("another", 9), Verdict::Well);
    }
}
