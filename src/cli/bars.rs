//! Bars on a terminal's stderr: one for the whole operation, one for each target that is on its way.

use super::output::place_for_bars;
use crate::config::span;
use crate::model::text::harmless;
use crate::ops::progress::{LaneProgress, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// Targets that have a bar of their own; the others stand in the sum.
const MOST: usize = 10;

/// Bars, drawn only when something changed.
pub(super) struct Bars {
    all: MultiProgress,
    sum: ProgressBar,
    lanes: BTreeMap<String, ProgressBar>,
}

impl Bars {
    /// No bar yet.
    pub(super) fn new() -> Self {
        let all = MultiProgress::with_draw_target(place_for_bars());
        let sum = all.add(ProgressBar::new(0));
        if let Ok(style) = ProgressStyle::with_template("{msg}\n{bar:40} {pos}/{len}  {prefix}") {
            sum.set_style(style.progress_chars("=> "));
        }
        Self { all, sum, lanes: BTreeMap::new() }
    }

    /// Shows how far an operation is.
    pub(super) fn show(&mut self, progress: &Progress) {
        let (done, of) = progress.tally();
        self.sum.set_length(of as u64);
        self.sum.set_position(done as u64);
        let left =
            progress.left_s.map(|left| format!(", about {} left", span(Duration::from_secs(left.max(1)))));
        self.sum.set_prefix(format!("{}{}", progress.standing.word(), left.unwrap_or_default()));
        let note = progress.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        // What a refresh is sent with was shown before, and stands in `op show`.
        let title = progress.title.split("; ").next().unwrap_or_default();
        self.sum.set_message(format!("{} {}{}", progress.id, harmless(title), harmless(&note)));
        for lane in &progress.lanes {
            let is_shown = matches!(lane.state, "running" | "undoing") || self.lanes.contains_key(&lane.name);
            if !is_shown || (self.lanes.len() >= MOST && !self.lanes.contains_key(&lane.name)) {
                continue;
            }
            let bar = self.lanes.entry(lane.name.clone()).or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new(lane.total as u64));
                if let Ok(style) = ProgressStyle::with_template("  {bar:12} {prefix} {wide_msg}") {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar
            });
            bar.set_position(lane.done as u64);
            bar.set_prefix(harmless(&lane.name).into_owned());
            bar.set_message(harmless(&line(lane)).into_owned());
        }
    }

    /// Leaves the last picture standing.
    pub(super) fn close(&mut self) {
        self.lanes.values().for_each(ProgressBar::abandon);
        self.sum.abandon();
    }
}

/// How a target stands, in a line that is cut at the terminal's edge: how far it is comes before what is done, which
/// stands above.
fn line(lane: &LaneProgress) -> String {
    match (&lane.told, lane.now.as_str()) {
        (Some(told), _) => format!("{}: {told}", lane.state),
        (None, "") => lane.state.to_owned(),
        (None, now) => format!("{}: {now}", lane.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_comes_before_what_a_narrow_terminal_cuts() {
        let lane = |told: Option<&str>| LaneProgress {
            name: "web".to_owned(),
            state: "running",
            now: "refresh web from version 3 to version 2 of web: 12 of 12 instances; healthy".to_owned(),
            told: told.map(str::to_owned),
            done: 0,
            total: 1,
        };
        assert_eq!(line(&lane(Some("replaced 3 of 12 (25 %)"))), "running: replaced 3 of 12 (25 %)");
        assert!(line(&lane(None)).starts_with("running: refresh web from version 3"));
    }
}
