//! One row in full: which row it is, what belongs to it and what happened to it, found once for each world.

use super::rowname;
use super::state::RowKey;
use crate::fleet::Fleet;
use crate::query::related::related;
use crate::query::{Ctx, Kind};
use crate::world::World;
use std::sync::Arc;

/// How many related rows of a kind are named; the rest is counted.
pub(super) const NAMED: usize = 5;
/// How many of the latest events are told.
pub(super) const EVENTS: usize = 8;

/// A row with everything around it.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) kind: Kind,
    pub(super) key: RowKey,
    /// The fleet that everything here was found in.
    fleet: Option<Arc<Fleet>>,
    pub(super) at: Option<usize>,
    /// Rows that belong to it, by kind, without events.
    pub(super) related: Vec<(Kind, Vec<u32>)>,
    /// Its events, the newest first.
    pub(super) events: Vec<u32>,
    /// The line that Enter follows.
    pub(super) picked: Option<usize>,
    /// The first line that shows where the card stands beside a list.
    pub(super) top: usize,
}

/// Where a line of a card leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// To a row.
    Row(Kind, u32),
    /// To all rows of a kind that belong to this one.
    All(Kind),
}

impl Card {
    /// A card of a row, found in this world.
    pub(super) fn new(kind: Kind, key: RowKey, world: &World) -> Self {
        let mut card = Self {
            kind,
            key,
            fleet: None,
            at: None,
            related: Vec::new(),
            events: Vec::new(),
            picked: None,
            top: 0,
        };
        card.find(world);
        card
    }

    /// Finds everything again where the world is another one.
    pub(super) fn find(&mut self, world: &World) {
        if self.fleet.as_ref().is_some_and(|fleet| Arc::ptr_eq(fleet, &world.fleet)) {
            return;
        }
        let fleet = &world.fleet;
        self.fleet = Some(Arc::clone(fleet));
        self.at = rowname::find(self.kind, fleet, &self.key);
        let ctx = Ctx { fleet, now: fleet.at };
        let mut all = self.at.map_or_else(Vec::new, |at| related(ctx, self.kind, at));
        let events = all.iter().position(|(kind, _)| *kind == Kind::Events);
        self.events = events.map(|at| all.remove(at).1).unwrap_or_default();
        self.related = all;
        let links = self.links().len();
        self.picked = self.picked.filter(|picked| *picked < links);
    }

    /// The lines that lead on, in their order.
    pub(super) fn links(&self) -> Vec<Link> {
        let mut links = Vec::new();
        for (kind, rows) in &self.related {
            links.extend(rows.iter().take(NAMED).map(|row| Link::Row(*kind, *row)));
            if rows.len() > NAMED {
                links.push(Link::All(*kind));
            }
        }
        links.extend(self.events.iter().take(EVENTS).map(|row| Link::Row(Kind::Events, *row)));
        if self.events.len() > EVENTS {
            links.push(Link::All(Kind::Events));
        }
        links
    }

    /// Picks the next line that leads on, or the one before; from the last on to the first.
    pub(super) fn pick(&mut self, is_forward: bool) {
        let count = self.links().len();
        self.picked = match (count, self.picked, is_forward) {
            (0, ..) => None,
            (_, None, true) => Some(0),
            (_, None, false) => Some(count - 1),
            (_, Some(at), true) => Some((at + 1) % count),
            (_, Some(at), false) => Some((at + count - 1) % count),
        };
    }

    /// Where the picked line leads; where none was picked, the first.
    pub(super) fn link(&self) -> Option<Link> {
        self.links().get(self.picked.unwrap_or(0)).copied()
    }
}
