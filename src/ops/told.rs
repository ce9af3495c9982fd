//! Operations as the fleet's timeline tells them, among what AWS keeps a record of.

use super::progress::{Progress, Standing};
use super::state::OpState;
use crate::fleet;
use crate::model::Health;
use jiff::Timestamp;
use std::sync::Arc;

/// How well an operation stands.
pub fn health(standing: Standing) -> Health {
    match standing {
        Standing::Entered | Standing::Running => Health::Busy,
        Standing::Paused
        | Standing::Cancelling
        | Standing::RollingBack
        | Standing::Blind
        | Standing::RolledBack => Health::Warn,
        Standing::Orphaned | Standing::Failed | Standing::PartWay => Health::Bad,
        Standing::Done => Health::Ok,
    }
}

/// An operation as the timeline tells it, among those of the journal, newest first; none where it acts on nothing.
/// `lives` says whether a runner has it.
pub fn deed(op: &OpState, lives: bool, now: Timestamp, ops: &[&OpState]) -> Option<fleet::Deed> {
    let standing = Progress::among(op, lives, now, ops).standing;
    Some(fleet::Deed {
        id: op.record.id.clone(),
        title: op.record.title.clone(),
        who: op.record.who.to_string(),
        reason: op.record.reason.clone(),
        state: standing.word().to_owned(),
        health: health(standing),
        began_at: op.record.at,
        at: op.ended.map_or(op.record.at, |(_, at)| at),
        scope: Arc::new(op.plan.lanes.first()?.scope.clone()),
        targets: op.plan.lanes.iter().map(|lane| lane.target.clone()).collect(),
    })
}
