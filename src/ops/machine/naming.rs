//! An instance that a step launches gets its name when it is seen; and one that was never launched is not ended.

use super::super::aspect::{Aspect, Value};
use super::super::event::{Event, How, Way};
use super::super::state::Known;
use super::{DOUBT_EVERY_S, Need, One, after};
use jiff::Timestamp;

impl One<'_> {
    /// What shows the id of the instance that this step launches, while nobody has seen it.
    pub(super) fn unnamed(&self) -> Option<&Aspect> {
        self.leg.names.as_ref().filter(|_| self.lane().named.is_none())
    }

    /// Names the instance; or, on the way back, finds that there is none.
    pub(super) fn naming(&self, seen_at: Timestamp) -> Option<Need> {
        let fact = self.unnamed()?;
        if let Some(Value::Word(is)) = self.eye.value(self.scope(), fact) {
            return Some(Need::Note(Event::Named { at: self.at, is: is.clone() }));
        }
        if self.way != Way::Back {
            return None;
        }
        if let Some(shown) = self.shown_at().filter(|shown| seen_at < *shown) {
            return Some(if shown <= self.now {
                self.look()
            } else {
                self.look_every(DOUBT_EVERY_S, seen_at)
            });
        }
        let mut mine = self.op.calls.values().rev();
        let taken = mine.find(|call| {
            call.way == Way::There && call.steps.contains(&self.at) && matches!(call.result, Known::Taken)
        });
        Some(match taken {
            None => self.settled(How::Already),
            Some(call) => {
                let until = after(call.at, self.leg.within_s);
                if seen_at >= until {
                    let why = format!("AWS took the launch, and shows no instance of it: {fact} is absent");
                    self.give_up(true, why)
                } else {
                    self.look_every(DOUBT_EVERY_S, seen_at)
                }
            }
        })
    }
}
