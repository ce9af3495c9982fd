//! Requests on their way through a core: how long each takes, and what becomes of it when the core is told to stop.

use super::Key;
use crate::sim::time::Moment;
use crate::sim::world::held;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Milliseconds that a core which was told to stop gives to whom it still serves.
const GRACE_MS: i64 = 5_000;

/// A request that a core is at work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) begun: Moment,
    /// When it is answered, if nobody stops the core.
    pub(super) until: Moment,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Waits,
    Answered,
    /// The connection was closed without an answer.
    Cut,
}

impl Flight {
    /// What has become of it by now; `told` is when the core was last told to stop.
    pub(super) fn fate(&self, told: Option<Moment>, now: Moment) -> Fate {
        let cut = told.filter(|at| *at >= self.begun).map(|at| Moment(at.0 + GRACE_MS));
        match cut.filter(|cut| self.until > *cut) {
            Some(cut) if now >= cut => Fate::Cut,
            None if now >= self.until => Fate::Answered,
            _ => Fate::Waits,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<Numbered>);

/// Those on their way by number, and the last number.
#[derive(Debug, Default)]
struct Numbered {
    last: u64,
    all: BTreeMap<u64, (Key, Flight)>,
}

/// One that is on its way until this is dropped.
pub(super) struct Boarded<'f> {
    flights: &'f Flights,
    number: u64,
}

impl Flights {
    pub(super) fn board(&self, key: &Key, flight: Flight) -> Boarded<'_> {
        let mut numbered = held(&self.0);
        numbered.last += 1;
        let number = numbered.last;
        numbered.all.insert(number, (key.clone(), flight));
        Boarded { flights: self, number }
    }

    /// Those of one core.
    pub(super) fn of(&self, key: &Key) -> Vec<Flight> {
        held(&self.0).all.values().filter(|(of, _)| of == key).map(|(_, flight)| *flight).collect()
    }
}

impl Drop for Boarded<'_> {
    fn drop(&mut self) {
        held(&self.flights.0).all.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_served_when_a_core_is_told_to_stop_has_five_seconds() {
        let at = |seconds: f64| Moment((seconds * 1000.0) as i64);
        let short = Flight { begun: at(10.0), until: at(13.8) };
        let long = Flight { begun: at(10.0), until: at(24.0) };
        let told = Some(at(10.0));
        assert_eq!(short.fate(told, at(13.7)), Fate::Waits);
        assert_eq!(short.fate(told, at(60.0)), Fate::Answered, "however late one looks");
        assert_eq!((long.fate(told, at(14.9)), long.fate(told, at(15.0))), (Fate::Waits, Fate::Cut));
        assert_eq!(long.fate(None, at(24.0)), Fate::Answered);
        assert_eq!(long.fate(Some(at(9.0)), at(24.0)), Fate::Answered, "that was the process before");
    }
}
