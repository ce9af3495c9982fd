//! Places as they were: what reads that lag behind are answered from.

use super::held;
use super::place::Place;
use crate::sim::time::Moment;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What one place was from which moment on, oldest first.
type Ages = VecDeque<(Moment, Arc<Place>)>;

/// The past of every place, as far back as anybody may ask. Nothing is kept when nobody may.
#[derive(Debug, Default)]
pub(crate) struct Past {
    reach: Option<i64>,
    places: Mutex<HashMap<(Arc<str>, &'static str), Ages>>,
}

impl Past {
    /// A past that reaches so far back; none keeps nothing.
    pub(crate) fn new(reach: Option<Duration>) -> Self {
        let reach = reach.map(|reach| i64::try_from(reach.as_millis()).unwrap_or(i64::MAX / 4));
        Self { reach, places: Mutex::default() }
    }

    /// Keeps a place as it is from now on.
    pub(crate) fn keep(&self, place: &Place, now: Moment) {
        let Some(reach) = self.reach else { return };
        let mut places = held(&self.places);
        let ages = places.entry((Arc::clone(&place.account), place.region)).or_default();
        ages.push_back((now, Arc::new(place.clone())));
        // One that is older than the reach stays: it is what was then.
        while ages.get(1).is_some_and(|(at, _)| at.0 <= now.0 - reach) {
            ages.pop_front();
        }
    }

    /// A place as it was then; as it was first, if that is later.
    pub(crate) fn at(&self, account: &Arc<str>, region: &'static str, then: Moment) -> Option<Arc<Place>> {
        let places = held(&self.places);
        let ages = places.get(&(Arc::clone(account), region))?;
        let found = ages.iter().rev().find(|(at, _)| *at <= then).or_else(|| ages.front());
        found.map(|(_, place)| Arc::clone(place))
    }
}
