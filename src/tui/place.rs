//! Where one is: a page, and how far one has gone on it.

use super::drill::Drill;
use super::state::{List, Page};
use crate::query::Kind;

/// A page with where one is on it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// What was opened on the way here.
    pub(super) path: Vec<String>,
    pub(super) page: Page,
    pub(super) cursor: usize,
    /// The first line that shows.
    pub(super) top: usize,
}

impl Place {
    pub(super) fn new(page: Page) -> Self {
        Self { path: Vec::new(), page, cursor: 0, top: 0 }
    }

    pub(super) fn list(kind: Kind, drill: Option<Drill>) -> Self {
        Self::new(Page::List(Box::new(List::new(kind, drill))))
    }
}
