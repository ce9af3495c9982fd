//! Which rows are shown, in which order: the query and the sort of the command line.

use crate::error::{Error, Result};
use crate::query::{Column, Ctx, Kind};

/// A query and a sort, understood.
pub(super) struct Choice {
    kind: Kind,
}

impl Choice {
    pub(super) fn parse(kind: Kind, query: &str, order: &[String]) -> Result<Self> {
        if !query.trim().is_empty() || !order.is_empty() {
            return Err(Error::usage("queries and sorting are not wired yet"));
        }
        Ok(Self { kind })
    }

    pub(super) fn columns(&self) -> Vec<&'static Column> {
        Vec::new()
    }

    pub(super) fn rows(&self, ctx: Ctx<'_>) -> Vec<usize> {
        (0..self.kind.len(ctx.fleet)).collect()
    }
}
