//! What is done beside the steps of a lane: what AWS goes on with by itself is held, let go and stopped.

use super::super::condition::Eye;
use super::super::event::{At, Way};
use super::super::state::{LaneState, Mode, OpState, Phase, StepState};
use super::{Need, One};
use jiff::Timestamp;

/// Whether AWS is at a lane's step by itself, and is still to be stopped: what comes of that ends the lane.
pub(super) fn goes_by_itself(op: &OpState, number: usize) -> bool {
    let lane = &op.lanes[number];
    let step = op.step(At { lane: number, step: lane.at });
    lane.is_going()
        && step.is_some_and(|step| step.go.aside.is_some())
        && !matches!(lane.stop, StepState::GivenUp(_))
}

/// What is done beside a lane's own steps: what AWS goes on with by itself is held while the operation is paused,
/// let go again, and stopped when it is cancelled or what it did cannot be undone.
pub(super) fn beside(op: &OpState, number: usize, eye: &Eye, now: Timestamp) -> Option<Need> {
    let lane = &op.lanes[number];
    let is_open =
        |step: &usize| lane.there[*step].is_touched() && !matches!(lane.there[*step], StepState::Done(_));
    let step = match (lane.held, lane.phase) {
        (Some((step, _)), _) => step,
        (None, Phase::Back) => (0..lane.there.len()).rev().find(is_open)?,
        (None, _) => lane.at,
    };
    let at = At { lane: number, step };
    let planned = op.step(at)?;
    let aside = planned.go.aside.as_deref()?;
    let one = |way, leg| One { op, eye, now, at, way, leg };
    if op.mode == Mode::Paused && lane.is_going() {
        let is_over = matches!(lane.hold, StepState::Done(_) | StepState::GivenUp(_));
        return (!is_over).then(|| one(Way::Hold, &aside.hold).need());
    }
    if lane.is_held() && !matches!(lane.release, StepState::GivenUp(_)) {
        return Some(one(Way::Release, &aside.release).need());
    }
    let is_stopped = match lane.phase {
        Phase::There => op.mode == Mode::Cancelling && goes_by_itself(op, number) && !is_doubtful(lane),
        Phase::Back => planned.undo.leg().is_none() || matches!(lane.back[step], StepState::GivenUp(_)),
        Phase::Waiting | Phase::Over(_) => false,
    };
    if !is_stopped || matches!(lane.stop, StepState::Done(_) | StepState::GivenUp(_)) {
        return None;
    }
    // What has come to an end by itself, or is on its way back, is not stopped.
    let there = one(Way::There, &planned.go);
    if lane.phase == Phase::There {
        if there.seen_at().is_none() {
            return Some(there.look());
        }
        if there.holds(&planned.go.until) || planned.go.ends.iter().any(|end| there.holds(&end.when)) {
            return None;
        }
    }
    Some(one(Way::Stop, &aside.stop).need())
}

/// Whether it is not known that AWS took the call of the step that a lane is at.
fn is_doubtful(lane: &LaneState) -> bool {
    matches!(lane.there.get(lane.at), Some(StepState::Open { .. } | StepState::Doubtful { .. }))
}
