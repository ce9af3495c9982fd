//! What cores said of the domains of a row: of all that a core has, or of a tenant's own.

use super::Kind;
use crate::fleet::Fleet;
use crate::model::Known;
use crate::model::admin::DomainWord;
use std::sync::Arc;

/// The domains of a core or a tenant, as far as they were told; none of any other row.
pub fn domains(fleet: &Fleet, kind: Kind, at: usize) -> Vec<Arc<DomainWord>> {
    match kind {
        Kind::Cores => match fleet.cores.get(at).map(|core| &core.word) {
            Some(Known::Yes(Some(word))) => word.domains.clone(),
            _ => Vec::new(),
        },
        Kind::Tenants => match fleet.tenants.get(at).map(|tenant| &tenant.word) {
            Some(Known::Yes(Some(word))) => vec![Arc::clone(word)],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
