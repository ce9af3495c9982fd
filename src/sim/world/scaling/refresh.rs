//! Instance refreshes as they are kept.

use super::{Mix, TemplateChoice};
use crate::sim::time::Moment;
use compact_str::CompactString;
use std::collections::BTreeSet;

/// An instance refresh.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refresh {
    pub(crate) id: CompactString,
    pub(crate) status: &'static str,
    pub(crate) strategy: Strategy,
    pub(crate) reason: Option<CompactString>,
    pub(crate) started: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    pub(crate) percent: u32,
    pub(crate) remaining: u32,
    pub(crate) preferences: Preferences,
    /// The template that the group takes on when it succeeds.
    pub(crate) desired: Option<TemplateChoice>,
    /// The mix that goes with it; none for a plain template.
    pub(crate) mix: Option<Mix>,
    /// Since when nothing that is left may be touched, or nothing can be launched.
    pub(crate) stalled: Option<Moment>,
    /// Since when replacements come and fail, without one that stays.
    pub(crate) failing: Option<Moment>,
    /// Replacements that are on their way or warm up.
    pub(crate) hopes: Vec<CompactString>,
    /// The end of its bake time.
    pub(crate) held_until: Option<Moment>,
    /// Members that were there at the start.
    pub(crate) before: BTreeSet<CompactString>,
    /// The highest checkpoint that was reached, and until when it holds.
    pub(crate) checkpoint: Option<(u32, Moment)>,
    /// The desired capacity at the last look: a checkpoint can be reached again when it grows.
    pub(crate) size: u32,
    /// Milliseconds that it has worked, and until when they are counted.
    pub(crate) worked: i64,
    pub(crate) counted: Option<Moment>,
    pub(crate) rollback: Option<Rollback>,
    /// A cancellation does not wait for launches and terminations under way.
    pub(crate) ends_quietly: bool,
}

/// How instances are renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Others take their places.
    #[default]
    Rolling,
    /// They keep their places, and get another root volume.
    ReplaceRootVolume,
}

/// How a refresh stood when its rollback began.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rollback {
    pub(crate) reason: CompactString,
    pub(crate) since: Moment,
    pub(crate) percent: u32,
    pub(crate) remaining: u32,
}

/// How a refresh behaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Preferences {
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) warmup: Option<u32>,
    pub(crate) checkpoints: Vec<u32>,
    pub(crate) checkpoint_delay: Option<u32>,
    pub(crate) skips_matching: bool,
    pub(crate) rolls_back: bool,
    pub(crate) protected: &'static str,
    pub(crate) standby: &'static str,
    pub(crate) alarms: Vec<CompactString>,
    pub(crate) bake: u32,
}

impl Refresh {
    /// Tells whether it still works.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.status, "Pending" | "InProgress" | "Baking" | "RollbackInProgress" | "Cancelling")
    }

    /// Launches take its configuration.
    pub(crate) fn goes_forward(&self) -> bool {
        matches!(self.status, "Pending" | "InProgress" | "Baking")
    }
}
