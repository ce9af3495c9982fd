//! What we asked ourselves, by app and process: a core counts our calls among its requests, and answers
//! `/hello` unlooked at when too many ask.

use crate::gateway::{Door, HostAt};
use crate::model::admin::{MINUTES, Place, Traffic};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// At most one `/hello` in this time, whoever of us asks for it.
const BETWEEN_HELLOS: Duration = Duration::from_secs(1);
/// Minutes for which a seen peak says how busy an app is.
const LATELY: i64 = 5;

/// One app in one process.
type Key = (Option<HostAt>, String, String, String);

#[derive(Debug, Default)]
struct App {
    calls: BTreeMap<i64, u32>,
    hello: Option<Instant>,
    peak: Option<(i64, u32)>,
}

/// The calls of this client.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<HashMap<Key, App>>);

impl Tally {
    /// Counts a call that is about to be sent.
    pub(super) fn count(&self, door: &Door, place: &Place, now: Timestamp) {
        let minute = minute(now);
        let mut apps = self.apps();
        let calls = &mut apps.entry(key(door, place)).or_default().calls;
        *calls.entry(minute).or_default() += 1;
        let oldest = minute - i64::try_from(MINUTES).unwrap_or(i64::MAX) - 1;
        *calls = calls.split_off(&oldest);
    }

    /// Our calls of each minute.
    pub(super) fn ours(&self, door: &Door, place: &Place) -> BTreeMap<i64, u32> {
        self.apps().get(&key(door, place)).map(|app| app.calls.clone()).unwrap_or_default()
    }

    /// When the next `/hello` may go; whoever is told so has that turn.
    pub(super) fn turn(&self, door: &Door, place: &Place, now: Instant) -> Instant {
        let mut apps = self.apps();
        let app = apps.entry(key(door, place)).or_default();
        let turn = app.hello.map_or(now, |last| now.max(last + BETWEEN_HELLOS));
        app.hello = Some(turn);
        turn
    }

    /// Keeps how busy the app was in the last full minute.
    pub(super) fn saw(&self, door: &Door, place: &Place, traffic: &Traffic, now: Timestamp) {
        let peak = traffic.peak.iter().rev().flatten().next();
        if let Some(peak) = peak {
            self.apps().entry(key(door, place)).or_default().peak = Some((minute(now), *peak));
        }
    }

    /// The most requests in a second, where that was seen lately.
    pub(super) fn busy(&self, door: &Door, place: &Place, now: Timestamp) -> Option<u32> {
        let apps = self.apps();
        let (at, peak) = apps.get(&key(door, place))?.peak?;
        (minute(now) - at <= LATELY).then_some(peak)
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<Key, App>> {
        // Whole entries are written: one that a panic left behind is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(door: &Door, place: &Place) -> Key {
    (door.host.clone(), door.address.clone(), place.domain.to_string(), place.app.to_string())
}

fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door { address: "http://127.0.0.1:3567".into(), host: None, key: None }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60 + 7).unwrap()
    }

    #[test]
    fn hellos_take_turns_a_second_apart_by_app() {
        let tally = Tally::default();
        let now = crate::clock::monotonic();
        let (one, other) = (Place::of("c1.example.com"), Place::of("c2.example.com"));
        assert_eq!(tally.turn(&door(), &one, now), now);
        assert_eq!(tally.turn(&door(), &one, now), now + BETWEEN_HELLOS);
        assert_eq!(tally.turn(&door(), &one, now), now + BETWEEN_HELLOS * 2);
        assert_eq!(tally.turn(&door(), &other, now), now, "another app has its own");
    }

    #[test]
    fn calls_are_counted_by_minute_and_forgotten_after_a_day() {
        let tally = Tally::default();
        let place = Place::of("");
        for minute in [1000, 1000, 1001] {
            tally.count(&door(), &place, at(minute));
        }
        assert_eq!(tally.ours(&door(), &place), BTreeMap::from([(1000, 2), (1001, 1)]));
        tally.count(&door(), &place, at(2442));
        assert_eq!(tally.ours(&door(), &place), BTreeMap::from([(1001, 1), (2442, 1)]));
    }

    #[test]
    fn a_peak_is_worth_something_for_some_minutes() {
        let tally = Tally::default();
        let place = Place::of("");
        let traffic = Traffic { at_minute: 10, average: vec![Some(1.0)], peak: vec![Some(9), None] };
        assert_eq!(tally.busy(&door(), &place, at(10)), None);
        tally.saw(&door(), &place, &traffic, at(10));
        assert_eq!(tally.busy(&door(), &place, at(15)), Some(9));
        assert_eq!(tally.busy(&door(), &place, at(16)), None);
    }
}
