//! What comes down to whoever shows the fleet, and what goes up from there.
//!
//! `collect` publishes a `World` after every change and acts on each `Wish`; screens never see a client.

use crate::fleet::{Deed, Fleet};
use crate::gateway::{Bucket, Source, Spending};
use crate::model::{CoreId, Gauges, InstanceId, Scope, TargetGroupArn};
use crate::snapshot::{Snapshot, Trends};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything there is to show, at one moment. Cheap to clone and to compare by `seq`.
#[derive(Clone, Debug)]
pub struct World {
    /// The sections with their ages and troubles.
    pub snapshot: Arc<Snapshot>,
    /// The rows joined from them.
    pub fleet: Arc<Fleet>,
    /// Calls, throttles and estimated dollars of this session.
    pub spending: Spending,
    /// Where the token buckets stood when this was made.
    pub buckets: Arc<[Bucket]>,
    /// When what failed is tried again, as far as that is planned.
    pub retries: Arc<BTreeMap<(Scope, Source), Timestamp>>,
    /// What is kept of the past, and which moment of it this world shows.
    pub timeline: Timeline,
}

/// What is kept of the past, and which moment of it is shown.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// How figures went.
    pub trends: Arc<Trends>,
    /// The first moment that can be shown again; none while nothing is kept.
    pub since: Option<Timestamp>,
    /// The moment that the snapshot and the rows show, when it is a past one. Nothing may be done to the
    /// fleet from there: it is not what is.
    pub past: Option<Timestamp>,
    /// Why some of the past is not kept or cannot be shown, in one sentence.
    pub trouble: Option<Arc<str>>,
}

/// What somebody who looks at the fleet wants from the collector.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Read these sources again now, in every scope.
    Refresh(Vec<Source>),
    /// Read everything of one scope again now, for example after a new login.
    Retry(Scope),
    /// This is what is on the screen now.
    Look(Interest),
    /// Show the fleet as it was then; none: as it is.
    At(Option<Timestamp>),
    /// Tell these operations among what happened, from now on.
    Deeds(Arc<[Deed]>),
}

/// What is being looked at: decides what is read often, and whose metrics are paid for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interest {
    /// Sources whose rows are on the screen.
    pub sources: Vec<Source>,
    /// Visible instances, whose metrics are wanted.
    pub metrics_of: Vec<(Scope, InstanceId)>,
    /// Which of their metrics.
    pub gauges: Gauges,
    /// The cores to ask where each takes a way of its own (`reach = "ssm"`): none for all of them.
    pub cores_of: Option<Vec<(Scope, CoreId)>>,
    /// The only target groups whose targets are read: none for all of them.
    pub targets_of: Option<Vec<(Scope, TargetGroupArn)>>,
    /// Whether an operation is under way: then long lists are read as often as short ones.
    pub is_acting: bool,
    /// Whether anybody looks at all: false while the terminal is suspended or out of focus.
    pub is_idle: bool,
}
