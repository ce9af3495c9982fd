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
/// later, another with them. It waits no longer than this, half of what people take for at once: a frame that is drawn
/// shortly before the rows come makes them wait for the next one.
const HOLD: Duration = Duration::from_millis(48);

/// What decides when a frame is due.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When something was last written to the terminal, or drawn for a key.
    written_at: Option<Instant>,
    /// When a frame was last made, whether anything was new in it or not.
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

    /// When a frame is due; none while nothing has changed. Nobody who does something waits because of a frame in
    /// which nothing was new.
    pub(super) fn due_at(&self, now: Instant, has_focus: bool) -> Option<Instant> {
        let (last, pause) = match (self.is_urgent, has_focus) {
            (true, _) => (self.written_at, FRAME),
            (false, true) => (self.drawn_at, FRAME),
            (false, false) => (self.drawn_at, UNSEEN),
        };
        let due = last.map_or(now, |at| at + pause);
        self.is_dirty.then(|| self.held_until.map_or(due, |until| until.max(due)))
    }

    /// A frame has been drawn, and so many bytes of it were new. One that a key asked for counts in any case: who holds
    /// a key at the end of a list has no more frames drawn for it than anybody else.
    pub(super) fn drawn(&mut self, at: Instant, bytes: usize) {
        let written_at = if bytes > 0 || self.is_urgent { Some(at) } else { self.written_at };
        *self = Self { written_at, drawn_at: Some(at), ..Self::default() };
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
        pace.drawn(start, 70);
        assert_eq!(pace.due_at(start, true), None);
        pace.change();
        assert_eq!(pace.due_at(start, true), Some(start + FRAME));
        assert_eq!(pace.due_at(start, false), Some(start + UNSEEN));
        pace.hurry();
        assert_eq!(pace.due_at(start, false), Some(start + FRAME), "somebody did something all the same");
    }

    #[test]
    fn a_key_does_not_wait_for_a_frame_in_which_nothing_was_new() {
        let start = crate::clock::monotonic();
        let mut pace = Pace::default();
        pace.drawn(start, 70);
        let later = start + 4 * FRAME;
        pace.change();
        pace.drawn(later, 0);
        pace.change();
        assert_eq!(pace.due_at(later, true), Some(later + FRAME), "what nobody asked for waits");
        pace.hurry();
        assert_eq!(pace.due_at(later, true), Some(start + FRAME), "a key is answered at once");
        pace.drawn(later, 0);
        pace.change();
        pace.hurry();
        assert_eq!(pace.due_at(later, true), Some(later + FRAME), "and the next one a frame's time later");
    }

    #[test]
    fn a_key_that_asks_for_rows_gets_one_frame_with_them_or_one_without_soon() {
        let start = crate::clock::monotonic();
        let mut pace = Pace::default();
        pace.drawn(start, 70);
        let key = start + 4 * FRAME;
        pace.change();
        pace.hurry();
        pace.hold(key);
        assert_eq!(pace.due_at(key, true), Some(key + HOLD));
        pace.release();
        assert!(pace.due_at(key, true).is_some_and(|at| at <= key), "at once when they are here");
        pace.hold(key);
        pace.drawn(key + HOLD, 70);
        pace.change();
        assert_eq!(pace.due_at(key, true), Some(key + HOLD + FRAME), "one frame is held back, not the next");
    }
}
