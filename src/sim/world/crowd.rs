//! Crowds: one tenant that asks its core for more than that can serve, and what everybody else waits meanwhile.
//!
//! All domains of a core share its server threads. What comes faster than they serve it stands in line, and whoever comes
//! then stands behind it, whomever he belongs to: the line grows by what is too much, and is worked off afterwards.

use super::load::Load;
use super::machine::Kind;
use super::place::Place;
use crate::sim::time::Moment;
use compact_str::CompactString;

/// Server threads of a core, where its configuration does not say.
pub(crate) const THREADS: u64 = 10;
/// Milliseconds of a step in which a line grows or is worked off.
const STEP: i64 = 1_000;
/// Part of its threads that a core is held to have busy at most while it still keeps up.
const BUSIEST: f64 = 0.97;

/// One tenant's crowd.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crowd {
    /// The host of its core.
    pub(crate) instance: CompactString,
    /// The port of its core there.
    pub(crate) port: u16,
    /// Its connection URI domain; empty for the core's own.
    pub(crate) domain: String,
    /// Requests a second, besides what is usual.
    pub(crate) rate: f64,
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

impl Crowd {
    /// Requests of it from a moment on, so many seconds long.
    pub(crate) fn requests(&self, at: Moment, seconds: i64) -> f64 {
        let (from, until) = (self.from.0.max(at.0), self.until.0.min(at.0 + seconds * 1_000));
        self.rate * (until - from).max(0) as f64 / 1_000.0
    }
}

/// Seconds that a request takes a thread of a core on this host.
pub(crate) fn service(load: &Load, kind: &Kind, at: Moment) -> f64 {
    0.012 + 0.000_9 * load.cpu(kind, at)
}

impl Place {
    /// The crowds of a core.
    pub(crate) fn crowds(&self, instance: &str, port: u16) -> impl Iterator<Item = &Crowd> {
        self.crowds.iter().filter(move |crowd| crowd.instance == instance && crowd.port == port)
    }

    /// Seconds that whoever comes to a core at a moment waits for a thread because of a crowd; nothing without one.
    pub(crate) fn queue(&self, instance: &str, port: u16, threads: u64, at: Moment) -> f64 {
        let mine: Vec<&Crowd> = self.crowds(instance, port).filter(|crowd| crowd.from <= at).collect();
        let (Some(first), Some(host)) =
            (mine.iter().map(|crowd| crowd.from.0).min(), self.instances.get(instance))
        else {
            return 0.0;
        };
        let neighbours = self.neighbours(instance);
        let (mut line, mut wait, mut moment) = (0.0_f64, 0.0, first);
        while moment <= at.0 {
            let now = Moment(moment);
            let takes = service(&host.load, host.kind, now);
            let serves = threads.max(1) as f64 / takes;
            let usual =
                host.load.requests(host.kind, neighbours.at(moment / 60_000), moment / 60_000) as f64 / 60.0;
            let is_on = |crowd: &&&Crowd| crowd.from.0 <= moment && moment < crowd.until.0;
            let crowd: f64 = mine.iter().filter(is_on).map(|crowd| crowd.rate).sum();
            let comes = usual + crowd;
            // Where nearly all are busy somebody waits by chance (Sakasegawa).
            let busy = (comes / serves).min(BUSIEST);
            let chance = busy.powf((2.0 * (threads as f64 + 1.0)).sqrt() - 1.0) / (1.0 - busy);
            let by_chance = if crowd > 0.0 { takes / threads.max(1) as f64 * chance } else { 0.0 };
            wait = line / serves + by_chance;
            let step = STEP.min(at.0 - moment);
            line = (line + (comes - serves) * step as f64 / 1_000.0).max(0.0);
            if step == 0 {
                return wait;
            }
            if crowd == 0.0 && line == 0.0 && !mine.iter().any(|crowd| crowd.from.0 > moment) {
                return 0.0;
            }
            moment += step;
        }
        wait
    }
}
