//! From one row to the rows that belong to it: what Enter and the jump menu show.

use super::rowname;
use super::state::RowKey;
use crate::fleet::{Bearer, TierRow};
use crate::model::TierName;
use crate::model::text::harmless;
use crate::query::related::{enters, reach};
use crate::query::{Ctx, Kind, Value};

/// Which rows of a list show: those that belong to what was opened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Drill {
    /// Rows of a tier; none is what falls into no tier.
    Tier(Option<TierName>),
    /// What belongs to a row of another kind, and what people call that row.
    Of(Kind, RowKey, String),
}

impl Drill {
    /// What belongs to row `at`.
    pub(super) fn of(kind: Kind, ctx: Ctx<'_>, at: usize) -> Option<Self> {
        Some(Self::Of(kind, rowname::key(kind, ctx.fleet, at)?, called(kind, ctx, at)))
    }

    /// What the path at the top calls it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Tier(Some(tier)) => format!("tier {tier}"),
            Self::Tier(None) => "no tier".into(),
            Self::Of(kind, _, name) => format!("{} {name}", kind.singular()),
        }
    }

    /// Where Enter on a tier leads: to what its worst trouble is of, and to its instances where all is well.
    pub(super) fn kind_of(tier: &TierRow) -> Kind {
        match tier.troubles.first().map(|worst| worst.of) {
            None | Some(Bearer::Instance) => Kind::Instances,
            Some(Bearer::Group) => Kind::Groups,
            Some(Bearer::Service) => Kind::Services,
            Some(Bearer::Core) => Kind::Cores,
            Some(Bearer::Tenant) => Kind::Tenants,
        }
    }

    /// Where Enter on row `at` of a kind leads; none shows the row's details instead.
    pub(super) fn into(kind: Kind, ctx: Ctx<'_>, at: usize) -> Option<(Kind, Self)> {
        let row = u32::try_from(at).ok()?;
        let to = enters(kind).iter().find(|to| !reach(ctx, kind, &[row], **to).is_empty())?;
        Some((*to, Self::of(kind, ctx, at)?))
    }

    /// The rows of a kind that belong to it, in their own order.
    pub(super) fn rows(&self, kind: Kind, ctx: Ctx<'_>) -> Vec<u32> {
        match self {
            Self::Tier(tier) => of_tier(tier.as_ref(), kind, ctx),
            Self::Of(from, key, _) => {
                let at = rowname::find(*from, ctx.fleet, key).and_then(|at| u32::try_from(at).ok());
                at.map_or_else(Vec::new, |at| reach(ctx, *from, &[at], kind))
            }
        }
    }

    /// Tells whether what was opened is gone, so that nobody knows any more what belongs to it.
    pub(super) fn is_gone(&self, ctx: Ctx<'_>) -> bool {
        match self {
            Self::Tier(_) => false,
            Self::Of(from, key, _) => rowname::find(*from, ctx.fleet, key).is_none(),
        }
    }
}

fn of_tier(tier: Option<&TierName>, kind: Kind, ctx: Ctx<'_>) -> Vec<u32> {
    let Some(column) = kind.columns().iter().find(|column| column.name == "tier") else { return Vec::new() };
    let is_of = |at: &u32| match ((column.get)(ctx, *at as usize), tier) {
        (Value::Text(of), Some(tier)) => of == tier.as_str(),
        (Value::Absent, None) => true,
        _ => false,
    };
    (0..u32::try_from(kind.len(ctx.fleet)).unwrap_or(u32::MAX)).filter(is_of).collect()
}

/// What people call a row: by its name where names are used to tell such rows apart, else by its id.
pub(super) fn called(kind: Kind, ctx: Ctx<'_>, at: usize) -> String {
    let by_id = matches!(kind, Kind::Instances | Kind::Images | Kind::Tenants);
    let name = kind.columns().iter().find(|column| column.name == "name").filter(|_| !by_id);
    let name = name.and_then(|column| match (column.get)(ctx, at) {
        Value::Text(name) if !name.is_empty() => Some(harmless(&name).into_owned()),
        _ => None,
    });
    name.unwrap_or_else(|| harmless(&kind.id(ctx, at)).into_owned())
}
