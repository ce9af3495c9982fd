//! When the next frame is drawn: pure, from what changed, when the last one was drawn, and what is on its way.
//!
//! ```text
//!   nothing changed ─────────────────────→ never
//!   changed ── rows that a key asked for ─→ when they are here, or after a frame's time without them
//!      │
//!      ├── somebody looks ────────────────→ a frame's time after the last one
//!      └── nobody looks ──────────────────→ a second after the last one
//! ```

use std::time::{Duration, Instant};

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// The least time between two frames that nobody looks at.
const UNSEEN: Duration = Duration::from_secs(1);
/// A key that asks for other rows is answered by one frame that has them, not by one without and, a frame's time
/// later, another with them. It waits no longer than this: nobody notices that a letter comes so late.
const HOLD: Duration = Duration::from_millis(24);

/// What decides when a frame is due.
#[derive(Debug, Default)]
pub(super) struct Pace {
    drawn_at: Option<Instant>,
    held_until: Option<Instant>,
    is_dirty: bool,
    is_urgent: bool,
}

impl Pace {
    /// What is on the screen is no longer what should be.
    pub(super) fn change(&mut self) {
        self.is_dirty = true;
    }

    /// Somebody did something and waits to see it.
    pub(super) fn hurry(&mut self) {
        self.is_urgent = true;
    }

    /// Rows that a key asked for are being made.
    pub(super) fn hold(&mut self, now: Instant) {
        self.held_until = Some(now + HOLD);
    }

    /// They are here.
    pub(super) fn release(&mut self) {
        self.held_until = None;
    }

    /// When a frame is due; none while nothing has changed.
    pub(super) fn due_at(&self, now: Instant, has_focus: bool) -> Option<Instant> {
        let pause = if self.is_urgent || has_focus { FRAME } else { UNSEEN };
        let due = self.drawn_at.map_or(now, |at| at + pause);
        self.is_dirty.then(|| self.held_until.map_or(due, |until| until.max(due)))
    }

    /// A frame has been drawn.
    pub(super) fn drawn(&mut self, at: Instant) {
        *self = Self { drawn_at: Some(at), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_a_frame_apart_and_rarer_where_nobody_looks() {
        let start = crate::clock::monotonic();
        let mut pace = Pace::default();
        assert_eq!(pace.due_at(start, true), None);
        pace.change();
        assert_eq!(pace.due_at(start, true), Some(start), "the first at once");
        pace.drawn(start);
        assert_eq!(pace.due_at(start, true), None);
        pace.change();
        assert_eq!(pace.due_at(start, true), Some(start + FRAME));
        assert_eq!(pace.due_at(start, false), Some(start + UNSEEN));
        pace.hurry();
        assert_eq!(pace.due_at(start, false), Some(start + FRAME), "somebody did something all the same");
    }

    #[test]
    fn a_key_that_asks_for_rows_gets_one_frame_with_them_or_one_without_soon() {
        let start = crate::clock::monotonic();
        let mut pace = Pace::default();
        pace.drawn(start);
        let key = start + 4 * FRAME;
        pace.change();
        pace.hurry();
        pace.hold(key);
        assert_eq!(pace.due_at(key, true), Some(key + HOLD));
        pace.release();
        assert!(pace.due_at(key, true).is_some_and(|at| at <= key), "at once when they are here");
        pace.hold(key);
        pace.drawn(key + HOLD);
        pace.change();
        assert_eq!(pace.due_at(key, true), Some(key + HOLD + FRAME), "one frame is held back, not the next");
    }
}
