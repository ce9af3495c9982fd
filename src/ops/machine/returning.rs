//! The way back of a lane: which step is undone next, and how it ended.

use super::super::condition::Eye;
use super::super::event::{At, End, Event, How, Way};
use super::super::plan::Undo;
use super::super::state::{OpState, StepState};
use super::{Need, One};
use jiff::Timestamp;

/// The way back: the last step that changed something and is not undone.
pub(super) fn back(op: &OpState, number: usize, eye: &Eye, now: Timestamp) -> Need {
    let lane = &op.lanes[number];
    let is_open = |step: &usize| {
        lane.is_touched(*step) && !matches!(lane.back[*step], StepState::Done(_) | StepState::GivenUp(_))
    };
    let Some(step) = (0..lane.there.len()).rev().find(is_open) else {
        return Need::Note(Event::Closed { lane: number, end: end_of_return(op, number) });
    };
    let at = At { lane: number, step };
    match op.step(at).map(|step| &step.undo) {
        Some(Undo::Exact { leg } | Undo::BestEffort { leg, .. }) => {
            One { op, eye, now, at, way: Way::Back, leg }.need()
        }
        Some(Undo::Nothing | Undo::Impossible { .. }) | None => {
            Need::Note(Event::Settled { at, way: Way::Back, how: How::Kept, seen: Vec::new() })
        }
    }
}

/// How a target ended that was taken back.
fn end_of_return(op: &OpState, number: usize) -> End {
    let lane = &op.lanes[number];
    let mut is_touched = false;
    for step in 0..lane.there.len() {
        if !lane.is_touched(step) {
            continue;
        }
        is_touched = true;
        let is_kept = matches!(
            op.step(At { lane: number, step }).map(|step| &step.undo),
            Some(Undo::Impossible { .. }) | None
        );
        if is_kept || matches!(lane.back[step], StepState::GivenUp(_)) {
            return End::Stuck;
        }
    }
    if is_touched { End::Undone } else { End::Untouched }
}
