//! How much a core has to do, minute by minute: its part of what its host has to do, and what it was really asked.

use super::answers::Core;
use super::memory::{Databases, Process};
use super::pool::Pool;
use crate::sim::time::Moment;
use serde_json::{Value, json};

/// Minutes that a core remembers.
const MINUTES: i64 = 1440;

/// Apps whose database has customers in it: only they are asked for anything.
fn used(process: &Process, databases: &Databases) -> Vec<String> {
    let publics = process.known.keys().filter(|(.., tenant)| tenant == "public");
    let mut apps: Vec<String> = publics
        .filter(|of| databases.since(&Pool::of(&process.resolved(of)), &of.1).is_some())
        .filter(|(_, app, _)| app == "public")
        .map(|(domain, app, _)| format!("{domain}/{app}"))
        .collect();
    apps.sort();
    apps
}

impl Core {
    /// The answer of /requests/stats for an app: a day of minutes, -1 where nothing is known.
    pub(super) fn stats(&self, app: &str, process: &Process, databases: &Databases) -> Value {
        let apps = used(process, databases);
        let at = apps.iter().position(|one| one == app);
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
            let all = apps.iter().map(String::as_str);
            let served = at.map_or(0, |at| {
                let by_app = self.load.requests_by_app(self.machine, self.neighbours.at(minute), all, minute);
                by_app.get(at).copied().unwrap_or(0)
            });
            let crowd: f64 = self
                .crowds
                .iter()
                .filter(|crowd| {
                    app.split_once('/').is_some_and(|(domain, app)| domain == crowd.domain && app == "public")
                })
                .map(|crowd| crowd.requests(Moment(minute * 60_000), 60))
                .sum();
            let average = (served as f64 + f64::from(asked) + crowd.round()) / 60.0;
            averages.push(average.into());
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
