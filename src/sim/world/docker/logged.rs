//! `docker logs`, and where docker sends what a container writes.

use super::Container;
use super::commands::{OnHost, failed, options, wrote};
use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use crate::sim::world::shell::Ended;
use serde_json::{Value, json};

/// Minutes back that are read at most: docker turns its files over.
const KEPT: i64 = 180;

/// The log driver of a container, with its options.
pub(super) fn config(place: &Place, one: &Container) -> Value {
    match place.log_of(one) {
        Some((group, stream)) => {
            let mut options = json!({ "awslogs-group": group, "awslogs-region": place.region });
            if let (Some((name, value)), Some(all)) =
                (Place::log_option(one, &stream), options.as_object_mut())
            {
                all.insert(name.to_owned(), value.into());
            }
            json!({ "Type": "awslogs", "Config": options })
        }
        None => json!({ "Type": "json-file", "Config": {} }),
    }
}

impl OnHost<'_> {
    /// `docker logs [--timestamps] [--since …] [--until …] [--tail …] CONTAINER`: all of it on one stream.
    pub(super) fn logs(&self, args: &[&str]) -> Ended {
        let (options, names) = options(args, &["--since", "--until", "--tail", "-n"]);
        let [name] = names.as_slice() else {
            return failed("\"docker logs\" requires exactly 1 argument.\n".to_owned());
        };
        let Some(one) = self.named(name) else {
            return failed(format!("Error response from daemon: No such container: {name}\n"));
        };
        let value =
            |names: &[&str]| options.iter().find(|(name, _)| names.contains(name)).map(|(_, value)| *value);
        let now = self.now();
        let time = |name: &str, otherwise: i64| {
            value(&[name]).and_then(Moment::read).map_or(otherwise, |moment| moment.0)
        };
        let oldest = one.created.0.max(now.0 - KEPT * 60_000);
        let (since, until) = (time("--since", oldest).max(oldest), time("--until", now.0).min(now.0));
        let most = value(&["--tail", "-n"]).and_then(|count| count.parse::<usize>().ok());
        let Some(author) = self.place.author(&self.instance, &one) else { return Ended::default() };
        let mut lines = Vec::new();
        // From the newest back, as far as is wanted.
        for minute in (since.div_euclid(60_000)..=until.div_euclid(60_000)).rev() {
            let mut part = author.minute(minute);
            part.retain(|line| (since..=until).contains(&line.at.0));
            part.append(&mut lines);
            lines = part;
            if most.is_some_and(|most| lines.len() >= most) {
                break;
            }
        }
        let skipped = most.map_or(0, |most| lines.len().saturating_sub(most));
        let has_times = value(&["--timestamps", "-t"]).is_some();
        let mut out = String::new();
        for line in lines.into_iter().skip(skipped) {
            if has_times {
                let stamp = line.at.rfc3339();
                // Docker writes nine digits.
                out.push_str(&format!("{}000000Z ", stamp.trim_end_matches('Z')));
            }
            out.push_str(&line.text);
            out.push('\n');
        }
        wrote(out)
    }
}
