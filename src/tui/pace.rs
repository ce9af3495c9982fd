//! When the next frame is drawn: pure, from what changed, when the last one was drawn, and what is on its way.
//!
//! ```text
//!   nothing changed ─────────────────────→ never
//!   changed ── rows that a key asked for ─→ when they are here, or after a frame's time without them
//!      │
//!      ├── for a key ─────────────────────→ a frame's time after the last one for a key
//!      ├── somebody looks ────────────────→ a frame's time after the last one, two after one that a key got out of turn
//!      └── nobody looks ──────────────────→ a second after the last one
//! ```
//!
//! A key does not wait because something else has just been drawn: figures that come in would make every key late.
//! What it is early, the next frame that nobody asked for waits longer, so that there is never more than one frame
//! beyond one in a frame's time.

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
    /// When a frame was last drawn for a key.
    answered_at: Option<Instant>,
    /// When a frame was last made, whoever asked for it.
    drawn_at: Option<Instant>,
    /// No frame that nobody asked for is made sooner.
    quiet_until: Option<Instant>,
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
        // Not anew for each key: whoever holds one down sees frames all the same.
        self.held_until.get_or_insert(now + HOLD);
    }

    /// They are here.
    pub(super) fn release(&mut self) {
        self.held_until = None;
    }

    /// When a frame is due; none while nothing has changed. Nobody who does something waits because of a frame that
    /// nobody asked for.
    pub(super) fn due_at(&self, now: Instant, has_focus: bool) -> Option<Instant> {
        let due = match (self.is_urgent, has_focus) {
            (true, _) => self.answered_at.map(|at| at + FRAME),
            (false, true) => self.quiet_until,
            (false, false) => self.quiet_until.max(self.drawn_at.map(|at| at + UNSEEN)),
        };
        let due = due.unwrap_or(now);
        self.is_dirty.then(|| self.held_until.map_or(due, |until| until.max(due)))
    }

    /// A frame has been drawn. One that a key asked for counts whether anything was new in it or not: who holds a key at
    /// the end of a list has no more frames drawn for it than anybody else.
    pub(super) fn drawn(&mut self, at: Instant) {
        let answered_at = if self.is_urgent { Some(at) } else { self.answered_at };
        // One that came out of turn has not used up the time of the one before it.
        let quiet_until = Some(self.quiet_until.map_or(at, |until| until.max(at)) + FRAME);
        *self = Self { answered_at, drawn_at: Some(at), quiet_until, ..Self::default() };
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
        pace.hurry();
        pace.drawn(start);
        assert_eq!(pace.due_at(start, true), None);
        pace.change();
        assert_eq!(pace.due_at(start, true), Some(start + FRAME));
        assert_eq!(pace.due_at(start, false), Some(start + UNSEEN));
        pace.hurry();
        assert_eq!(pace.due_at(start, false), Some(start + FRAME), "somebody did something all the same");
    }

    #[test]
    fn a_key_does_not_wait_for_a_frame_that_nobody_asked_for() {
        let start = crate::clock::monotonic();
        let mut pace = Pace::default();
        pace.change();
        pace.drawn(start);
        let key = start + FRAME / 4;
        pace.change();
        pace.hurry();
        assert!(pace.due_at(key, true).is_some_and(|at| at <= key), "a key is answered at once");
        pace.drawn(key);
        pace.change();
        assert_eq!(pace.due_at(key, true), Some(start + 2 * FRAME), "what nobody asked for waits the longer");
        pace.hurry();
        assert_eq!(pace.due_at(key, true), Some(key + FRAME), "and the next key a frame's time");
    }

    #[test]
    fn however_keys_and_news_come_there_is_one_frame_at_most_beyond_one_in_a_frames_time() {
        let start = crate::clock::monotonic();
        let step = FRAME / 16;
        // Keys and news as often as can be, keys only now and then, and news only.
        for (keys, news) in [(1, 1), (3, 1), (17, 1), (40, 7), (u32::MAX, 1)] {
            let mut pace = Pace::default();
            let mut frames: Vec<Instant> = Vec::new();
            for tick in 0..4_000 {
                let now = start + step * tick;
                if tick % news == 0 {
                    pace.change();
                }
                if tick % keys == keys - 1 {
                    pace.change();
                    pace.hurry();
                }
                if pace.due_at(now, true).is_some_and(|at| at <= now) {
                    pace.drawn(now);
                    frames.push(now);
                }
            }
            for (first, from) in frames.iter().enumerate() {
                for (last, to) in frames.iter().enumerate().skip(first) {
                    let most = (*to - *from).as_nanos() / FRAME.as_nanos() + 2;
                    assert!((last - first + 1) as u128 <= most, "{keys} {news}: {first} to {last}");
                }
            }
            assert!(frames.len() > 200, "{keys} {news}: and nothing starves, {}", frames.len());
        }
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
