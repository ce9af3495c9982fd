//! Which cores must be asked for their own word, so that some rows can be told whole.

use super::Kind;
use crate::fleet::Fleet;
use crate::model::{CoreId, Home, Scope};
use std::collections::HashSet;

/// The cores that these rows are, or that serve them, each once; none for rows of kinds that rest on no core's word.
pub fn cores_asked(kind: Kind, fleet: &Fleet, rows: impl IntoIterator<Item = usize>) -> Vec<(Scope, CoreId)> {
    let rows = rows.into_iter();
    let found: Vec<usize> = match kind {
        Kind::Cores => rows.collect(),
        Kind::Tenants => {
            let tenants = rows.filter_map(|at| fleet.tenants.get(at));
            let serving: HashSet<&CoreId> = tenants.filter_map(|tenant| tenant.core.as_ref()).collect();
            let cores = fleet.cores.iter().enumerate();
            cores.filter(|(_, core)| serving.contains(&core.id)).map(|(at, _)| at).collect()
        }
        _ => Vec::new(),
    };
    let cores = found.into_iter().filter_map(|at| fleet.cores.get(at));
    let asked = cores.filter(|core| matches!(core.home, Home::Container { .. }));
    asked.map(|core| (Scope::clone(&core.scope), core.id.clone())).collect()
}
