//! What two readings of a list show together and neither does alone: which instances went, and what alarms came
//! from. AWS lists a terminated instance for an hour only, and says of an alarm only what it is now.

use crate::model::{Alarm, AlarmState, Instance, Text};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// As many instances that went are remembered in one place, the latest.
const REMEMBERED: usize = 500;

/// What was seen to change since the first reading of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turns {
    /// Instances that went, in the order in which that was seen.
    gone: Vec<Gone>,
    /// What alarms were before they became what they are, by their ARNs, and when they changed.
    alarms: BTreeMap<Text, (Option<Timestamp>, AlarmState)>,
}

/// An instance that went while somebody looked.
#[derive(Clone, Debug, PartialEq)]
pub struct Gone {
    /// As it was listed last.
    pub it: Arc<Instance>,
    /// When it was still there.
    pub after: Timestamp,
    /// When it was first seen to be gone.
    pub by: Timestamp,
}

impl Turns {
    /// Instances that went.
    pub fn gone(&self) -> &[Gone] {
        &self.gone
    }

    /// What an alarm was before it became what it is; none where nobody saw that.
    pub fn alarm_before(&self, alarm: &Alarm) -> Option<AlarmState> {
        let (changed_at, before) = self.alarms.get(&alarm.arn)?;
        (*changed_at == alarm.changed_at).then_some(*before)
    }

    /// Compares two whole lists of instances that were read at these moments, the older one first.
    pub(super) fn see_instances(
        &mut self,
        (after, old): (Timestamp, &[Arc<Instance>]),
        (by, new): (Timestamp, &[Arc<Instance>]),
    ) {
        // Most stand where they stood. Those that do not are looked for.
        let mut pairs: Vec<(&Arc<Instance>, &Arc<Instance>)> = Vec::new();
        let mut left: HashMap<&str, &Arc<Instance>> = HashMap::new();
        let mut moved: Vec<&Arc<Instance>> = Vec::new();
        for (old, new) in old.iter().zip(new) {
            if Arc::ptr_eq(old, new) {
                continue;
            }
            if old.id == new.id {
                pairs.push((old, new));
            } else {
                left.insert(old.id.as_str(), old);
                moved.push(new);
            }
        }
        left.extend(old.iter().skip(new.len()).map(|old| (old.id.as_str(), old)));
        moved.extend(new.iter().skip(old.len()));
        for new in moved {
            if let Some(old) = left.remove(new.id.as_str()) {
                pairs.push((old, new));
            }
        }
        for (old, new) in pairs {
            match (old.state.is_gone(), new.state.is_gone()) {
                (false, true) => self.gone.push(Gone { it: Arc::clone(new), after, by }),
                // It goes on going: as it is listed now says more, and when it went stays.
                (true, true) => {
                    self.gone
                        .iter_mut()
                        .filter(|gone| gone.it.id == new.id)
                        .for_each(|gone| gone.it = Arc::clone(new));
                }
                // It is back: a list had lacked it for a moment.
                (_, false) => {}
            }
        }
        let mut lost: Vec<&Arc<Instance>> = left.into_values().filter(|old| !old.state.is_gone()).collect();
        lost.sort_by(|one, other| one.id.cmp(&other.id));
        self.gone.extend(lost.into_iter().map(|old| Gone { it: Arc::clone(old), after, by }));
        if !self.gone.is_empty() {
            // A few went, of a list that may be long.
            let went: HashSet<&str> = self.gone.iter().map(|gone| gone.it.id.as_str()).collect();
            let is_back = |it: &&Arc<Instance>| !it.state.is_gone() && went.contains(it.id.as_str());
            let back: HashSet<&str> = new.iter().filter(is_back).map(|it| it.id.as_str()).collect();
            self.gone.retain(|gone| !back.contains(gone.it.id.as_str()));
        }
        let surplus = self.gone.len().saturating_sub(REMEMBERED);
        self.gone.drain(..surplus);
    }

    /// Compares two whole lists of alarms, the older one first.
    pub(super) fn see_alarms(&mut self, old: &[Alarm], new: &[Alarm]) {
        let old: HashMap<&str, &Alarm> = old.iter().map(|alarm| (alarm.arn.as_str(), alarm)).collect();
        let mut alarms = BTreeMap::new();
        for new in new {
            let Some(old) = old.get(new.arn.as_str()) else { continue };
            if old.state != new.state {
                alarms.insert(new.arn.clone(), (new.changed_at, old.state));
            } else if let Some(before) =
                self.alarms.remove(&new.arn).filter(|(changed_at, _)| *changed_at == new.changed_at)
            {
                alarms.insert(new.arn.clone(), before);
            }
        }
        self.alarms = alarms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceState;

    fn one(id: &str, state: InstanceState) -> Arc<Instance> {
        Arc::new(Instance { id: id.into(), state, ..Instance::default() })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Who went, by which reading, and in which state each was listed last.
    fn told(turns: &Turns) -> Vec<(&str, i64, &'static str)> {
        turns
            .gone()
            .iter()
            .map(|gone| (gone.it.id.as_str(), gone.by.as_second(), gone.it.state.word()))
            .collect()
    }

    #[test]
    fn instances_that_go_are_remembered_with_the_moment_when_that_was_seen() {
        use InstanceState::{Running, ShuttingDown, Terminated};
        let mut turns = Turns::default();
        let mut before =
            vec![one("i-a", Running), one("i-b", Running), one("i-c", Terminated), one("i-d", Running)];
        let mut read = |turns: &mut Turns, second: i64, list: Vec<Arc<Instance>>| {
            turns.see_instances((at(second - 10), &before), (at(second), &list));
            before = list;
        };
        read(
            &mut turns,
            10,
            vec![one("i-new", Running), one("i-a", ShuttingDown), one("i-b", Running), one("i-d", Running)],
        );
        assert_eq!(
            told(&turns),
            [("i-a", 10, "shutting-down")],
            "what was gone before anybody looked is not told"
        );
        read(&mut turns, 20, vec![one("i-d", Running), one("i-a", Terminated), one("i-new", Running)]);
        assert_eq!(
            told(&turns),
            [("i-a", 10, "terminated"), ("i-b", 20, "running")],
            "one is listed no more"
        );
        // What AWS forgets stays; what a list had only lacked for a moment was never gone.
        read(&mut turns, 30, vec![one("i-d", Running), one("i-b", Running), one("i-new", Running)]);
        assert_eq!(told(&turns), [("i-a", 10, "terminated")]);
        read(&mut turns, 40, Vec::new());
        assert_eq!(told(&turns).len(), 4);
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let all: Vec<_> =
            (0..REMEMBERED + 7).map(|n| one(&format!("i-{n:05}"), InstanceState::Running)).collect();
        let mut turns = Turns::default();
        turns.see_instances((at(0), &all), (at(1), &[]));
        assert_eq!((turns.gone().len(), turns.gone()[0].it.id.as_str()), (REMEMBERED, "i-00007"));
    }

    #[test]
    fn what_an_alarm_was_before_is_known_where_it_was_seen() {
        use AlarmState::{Alarm as Rings, InsufficientData, Ok};
        let alarm = |state, changed| Alarm {
            name: "a".into(),
            arn: "arn:a".into(),
            state,
            reason: None,
            changed_at: Some(at(changed)),
            namespace: None,
            metric: None,
            dimensions: Vec::new(),
            description: None,
            actions_enabled: true,
        };
        let mut turns = Turns::default();
        let mut before = alarm(InsufficientData, 1);
        let mut read = |state, changed| {
            let now = alarm(state, changed);
            turns.see_alarms(std::slice::from_ref(&before), std::slice::from_ref(&now));
            before = now.clone();
            turns.alarm_before(&now)
        };
        assert_eq!(read(InsufficientData, 1), None);
        assert_eq!(read(Ok, 5), Some(InsufficientData));
        assert_eq!(read(Ok, 5), Some(InsufficientData), "and stays known");
        assert_eq!(read(Rings, 7), Some(Ok));
        assert_eq!(read(Ok, 9), Some(Rings));
        assert_eq!(read(Ok, 20), None, "it was something else in between, and nobody saw what");
    }
}
