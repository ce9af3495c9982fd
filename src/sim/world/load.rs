//! What instances have to do: processor, network and credits as functions of time.
//!
//! A load is a daily wave around a mean, with noise that depends on the instance and the period only:
//! whoever asks twice for the same minute hears the same figure. Credits are what the wave leaves over
//! since the load began, so no history has to be kept.

use super::machine::Kind;
use crate::sim::dice::{hash, mix};
use crate::sim::time::Moment;
use std::f64::consts::TAU;

const DAY: f64 = 86_400.0;
/// Requests a second that one percent of a host's processors serves.
const PER_PERCENT: f64 = 0.9;

/// The load of one instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    /// Distinguishes its noise.
    pub(crate) seed: u64,
    /// Percent of all processors, averaged over a day.
    pub(crate) mean: f64,
    /// How far the day moves it up and down.
    pub(crate) swing: f64,
    /// The second of the day at which it is highest.
    pub(crate) peak: f64,
    /// Since when it is so.
    pub(crate) since: Moment,
    /// The credits it began with.
    pub(crate) credits: f64,
}

impl Load {
    fn wave(&self, at: Moment) -> f64 {
        ((at.epoch() - self.peak) / DAY * TAU).cos()
    }

    /// Noise from -1 to 1 for a moment's minute.
    fn noise(&self, at: Moment, salt: u64) -> f64 {
        let minute = u64::try_from(at.0 / 60_000).unwrap_or(0);
        (mix(self.seed ^ mix(minute ^ (salt << 56))) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Processor use in percent, limited to the baseline when a standard burstable has no credits.
    pub(crate) fn cpu(&self, kind: &Kind, at: Moment) -> f64 {
        let wanted = self.mean + self.swing * self.wave(at);
        let wanted = (wanted * (1.0 + 0.18 * self.noise(at, 1))).clamp(0.3, 99.6);
        match kind.credits {
            Some((_, _, baseline))
                if !kind.is_unlimited && self.credits(kind, at).is_some_and(|left| left < 0.5) =>
            {
                wanted.min(baseline * (1.0 + 0.02 * self.noise(at, 2)))
            }
            _ => wanted,
        }
    }

    /// CPU credits left; none for types that have no such thing.
    pub(crate) fn credits(&self, kind: &Kind, at: Moment) -> Option<f64> {
        let (earned, most, baseline) = kind.credits?;
        let hours = (at.since(self.since) as f64 / 3600.0).max(0.0);
        let spent = |percent: f64| percent / baseline * earned;
        let drift = (earned - spent(self.mean)) * hours;
        let angle = |moment: Moment| ((moment.epoch() - self.peak) / DAY * TAU).sin();
        let ripple = spent(self.swing) * (DAY / 3600.0 / TAU) * (angle(at) - angle(self.since));
        if drift > most {
            // A host that earns more than it spends sits at its limit, less what today's peak took.
            let busy = (spent(self.mean + self.swing * self.wave(at)) - earned).max(0.0);
            return Some((most - busy * 2.0).clamp(0.0, most));
        }
        Some((self.credits + drift - ripple).clamp(0.0, most))
    }

    /// Requests of a minute to one core among so many containers of its host.
    pub(crate) fn requests(&self, kind: &Kind, neighbours: usize, minute: i64) -> u64 {
        let rate = self.cpu(kind, Moment(minute * 60_000)) * PER_PERCENT / neighbours.max(1) as f64;
        (rate * 60.0).round() as u64
    }

    /// The same by app: whole requests whose sum is that figure, whoever adds them up.
    pub(crate) fn requests_by_app<'a>(
        &self,
        kind: &Kind,
        neighbours: usize,
        apps: impl Iterator<Item = &'a str>,
        minute: i64,
    ) -> Vec<u64> {
        let moment = mix(u64::try_from(minute).unwrap_or(0));
        let busy = |app: &str| 0.6 + 0.8 * ((mix(hash(app) ^ moment) >> 11) as f64 / (1u64 << 53) as f64);
        let parts: Vec<f64> = apps.map(busy).collect();
        let (all, whole) = (parts.iter().sum::<f64>(), self.requests(kind, neighbours, minute));
        let (mut until, mut before) = (0.0, 0);
        let last = parts.len();
        (1..)
            .zip(parts)
            .map(|(nth, part): (usize, f64)| {
                until += part;
                let after = if nth == last { whole } else { (whole as f64 * until / all).floor() as u64 };
                let mine = after.saturating_sub(before);
                before = after.max(before);
                mine
            })
            .collect()
    }

    /// Bytes received in a minute.
    pub(crate) fn network_in(&self, at: Moment) -> f64 {
        let busy = (self.mean + self.swing * self.wave(at)).max(0.5);
        busy * 61_000.0 * (1.0 + 0.35 * self.noise(at, 3))
    }

    /// Bytes sent in a minute.
    pub(crate) fn network_out(&self, at: Moment) -> f64 {
        let busy = (self.mean + self.swing * self.wave(at)).max(0.5);
        busy * 88_000.0 * (1.0 + 0.35 * self.noise(at, 4))
    }
}
