//! Small lists that lie over a page: where one can go from a row, and which columns a table shows.

use super::drill::{Drill, called};
use super::state::Ui;
use super::{page, view};
use crate::model::text::harmless;
use crate::model::{Health, TierName};
use crate::query::related::{gone, related};
use crate::query::{Column, Ctx, Kind, Width};

/// The menu that is open.
#[derive(Clone, Debug)]
pub(super) enum Menu {
    Jump(Jump),
    Columns(Columns),
}

/// Where one can go from a row.
#[derive(Clone, Debug)]
pub(super) struct Jump {
    /// What the row is called.
    pub(super) from: String,
    pub(super) of: Drill,
    pub(super) ways: Vec<Way>,
    pub(super) at: usize,
}

/// One kind of rows that belong to the row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    pub(super) to: Kind,
    pub(super) count: usize,
    /// How many of them are terminated, or are being.
    pub(super) gone: usize,
    /// The name of the only one.
    pub(super) name: Option<String>,
    /// How many are how well, the worst first; those that are well last.
    pub(super) health: Vec<(Health, usize)>,
}

/// The columns of a kind, those that show first.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) kind: Kind,
    pub(super) all: Vec<(&'static Column, bool)>,
    pub(super) at: usize,
}

impl Menu {
    /// How many lines it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Jump(jump) => jump.ways.len(),
            Self::Columns(columns) => columns.all.len(),
        }
    }

    /// The line that is chosen.
    pub(super) fn at(&self) -> usize {
        match self {
            Self::Jump(jump) => jump.at,
            Self::Columns(columns) => columns.at,
        }
    }

    /// Chooses a line.
    pub(super) fn go(&mut self, to: usize) {
        let to = to.min(self.len().saturating_sub(1));
        match self {
            Self::Jump(jump) => jump.at = to,
            Self::Columns(columns) => columns.at = to,
        }
    }
}

impl Jump {
    /// Where one can go from a row; none where the row is gone.
    pub(super) fn from(kind: Kind, ctx: Ctx<'_>, at: usize) -> Option<Self> {
        let of = Drill::of(kind, ctx, at)?;
        let found = related(ctx, kind, at);
        let ways = found.iter().map(|(to, rows)| Way::to(*to, ctx, rows)).collect();
        Some(Self { from: format!("{} {}", kind.singular(), called(kind, ctx, at)), of, ways, at: 0 })
    }

    /// Where one can go from a tier.
    pub(super) fn from_tier(tier: Option<TierName>, ctx: Ctx<'_>) -> Self {
        let of = Drill::Tier(tier);
        let kinds = [Kind::Instances, Kind::Cores, Kind::Tenants, Kind::Groups, Kind::Services, Kind::Hosts];
        let ways = kinds.into_iter().map(|to| Way::to(to, ctx, &of.rows(to, ctx)));
        let ways = ways.filter(|way| way.count > 0).collect();
        Self { from: of.label(), of, ways, at: 0 }
    }
}

impl Way {
    fn to(to: Kind, ctx: Ctx<'_>, rows: &[u32]) -> Self {
        let health = [Health::Bad, Health::Warn, Health::Unknown, Health::Busy, Health::Ok];
        let count =
            |health: Health| rows.iter().filter(|row| to.health(ctx, **row as usize) == Some(health)).count();
        let health = health.into_iter().map(|health| (health, count(health))).filter(|(_, n)| *n > 0);
        let name = match rows {
            // An event's id says nothing to anybody; what happened does.
            [only] if to == Kind::Events => {
                ctx.fleet.events.get(*only as usize).map(|event| harmless(&event.what()).into_owned())
            }
            [only] => Some(called(to, ctx, *only as usize)),
            _ => None,
        };
        let gone = gone(ctx, to, rows);
        Self { to, count: rows.len(), gone, name, health: health.collect() }
    }
}

impl Columns {
    /// The columns of the list that is open.
    pub(super) fn of(ui: &Ui) -> Option<Self> {
        let list = ui.list()?;
        let shown: Vec<&'static Column> = match ui.chosen.get(&list.kind) {
            Some(names) => view::named(list.kind, names),
            None => {
                let width = if list.is_wide { Width::Wide } else { Width::Narrow };
                view::in_usual_order(list.kind, list.kind.visible(&ui.world.fleet, width))
            }
        };
        let rest = list.kind.columns().iter().filter(|column| !shown.contains(column));
        let all = shown.iter().map(|column| (*column, true)).chain(rest.map(|column| (column, false)));
        Some(Self { kind: list.kind, all: all.collect(), at: 0 })
    }

    /// Shows the chosen column, or hides it. The first one tells rows apart and stays.
    pub(super) fn toggle(&mut self) {
        let key = page::key_column(self.kind);
        if let Some((column, shows)) = self.all.get_mut(self.at)
            && column.name != key
        {
            *shows = !*shows;
        }
    }

    /// Moves the chosen column up or down in the table.
    pub(super) fn shift(&mut self, is_down: bool) {
        let to = if is_down { self.at + 1 } else { self.at.saturating_sub(1) };
        if to < self.all.len() && to != self.at {
            self.all.swap(self.at, to);
            self.at = to;
        }
    }

    /// The names of those that show, in their order.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.all.iter().filter(|(_, shows)| *shows).map(|(column, _)| column.name).collect()
    }
}
