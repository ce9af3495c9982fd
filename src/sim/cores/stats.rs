//! How much a core has to do, minute by minute: its host's load, and what it was really asked.

use super::answers::Core;
use super::memory::Process;
use crate::sim::time::Moment;
use serde_json::{Value, json};

/// Minutes that a core remembers.
const MINUTES: i64 = 1440;

impl Core {
    /// Requests a second of an app in a minute: its share of what the host has to do.
    fn rate(&self, app: &str, apps: usize, minute: i64) -> f64 {
        self.load.requests(self.machine, self.neighbours, app, apps, minute)
    }

    /// The answer of /requests/stats for an app: a day of minutes, -1 where nothing is known.
    pub(super) fn stats(&self, app: &str, process: &Process) -> Value {
        let apps = process.known.keys().filter(|(.., tenant)| tenant == "public").count();
        let this = self.now.0 / 60_000;
        let first = self.started.0 / 60_000 + 1;
        let (mut averages, mut peaks): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
        for minute in this - MINUTES..this {
            if minute < first {
                averages.push((-1).into());
                peaks.push((-1).into());
                continue;
            }
            let asked = process.asked.get(&(minute, app.to_owned())).copied().unwrap_or(0);
            let average = self.rate(app, apps, minute) + f64::from(asked) / 60.0;
            averages.push(((average * 1000.0).round() / 1000.0).into());
            let asked_at_once = i64::from(asked.min(5));
            peaks.push(((average * 2.4).ceil() as i64).max(asked_at_once).into());
        }
        json!({
            "status": "OK", "atMinute": this, "averageRequestsPerSecond": averages, "peakRequestsPerSecond": peaks,
        })
    }
}

/// Counts a request of an app, and forgets what is older than a day.
pub(super) fn count(process: &mut Process, app: &str, now: Moment) {
    let minute = now.0 / 60_000;
    *process.asked.entry((minute, app.to_owned())).or_default() += 1;
    process.asked = process.asked.split_off(&(minute - MINUTES, String::new()));
}
