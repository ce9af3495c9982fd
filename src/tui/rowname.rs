//! What rows are called, so that one is found again in another world.

use super::state::RowKey;
use crate::fleet::Fleet;
use crate::query::{Ctx, Kind};
use std::borrow::Cow;
use std::sync::Arc;

/// What a row is called across worlds.
pub(super) fn key(kind: Kind, fleet: &Fleet, at: usize) -> Option<RowKey> {
    let ctx = Ctx { fleet, now: fleet.at };
    let scope = Arc::clone(kind.scope(ctx, at)?);
    Some(RowKey { scope, id: identity(kind, ctx, at).into_owned() })
}

/// What tells rows of one scope apart. Ids do, but for tasks and hosts of several clusters only ARNs do,
/// and one target may stand in several groups.
pub(super) fn identity<'a>(kind: Kind, ctx: Ctx<'a>, at: usize) -> Cow<'a, str> {
    let fleet = ctx.fleet;
    let own = match kind {
        Kind::Services => fleet.services.get(at).map(|row| row.it.arn.as_str()),
        Kind::Tasks => fleet.tasks.get(at).map(|row| row.it.arn.as_str()),
        Kind::Hosts => fleet.hosts.get(at).map(|row| row.it.arn.as_str()),
        Kind::Rules => fleet.rules.get(at).map(|row| row.it.arn.as_str()),
        Kind::Targets => {
            return fleet.targets.get(at).map_or_else(Default::default, |row| {
                format!("{} {} {}", row.it.group, row.it.id, row.it.port.unwrap_or(0)).into()
            });
        }
        _ => None,
    };
    own.map_or_else(|| kind.id(ctx, at), Cow::Borrowed)
}

pub(super) fn is_called(kind: Kind, ctx: Ctx<'_>, at: usize, wanted: &RowKey) -> bool {
    kind.scope(ctx, at).is_some_and(|scope| *scope == wanted.scope) && identity(kind, ctx, at) == wanted.id
}

/// The row that is called so, if it is still there.
pub(super) fn find(kind: Kind, fleet: &Fleet, wanted: &RowKey) -> Option<usize> {
    let ctx = Ctx { fleet, now: fleet.at };
    (0..kind.len(fleet)).find(|at| is_called(kind, ctx, *at, wanted))
}
