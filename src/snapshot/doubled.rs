//! Places that are configured twice under two names.

use super::{Part, Snapshot};
use crate::model::{AccountId, Scope};
use std::sync::Arc;

/// A place that is configured twice under two names: one AWS account in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubled {
    /// The place as it is called the second time.
    pub scope: Arc<Scope>,
    /// And the first time.
    pub before: Arc<Scope>,
    /// The AWS account that both are.
    pub account: AccountId,
}

impl Doubled {
    /// What mends it.
    pub const HINT: &str = "leave one of the two accounts out of the configuration";
}

impl std::fmt::Display for Doubled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "is AWS account {}, as {} is: what is there is counted twice", self.account, self.before)
    }
}

impl Part {
    /// The AWS account it is: as AWS says who we are there, or else as its instances say whose they are.
    fn account_id(&self) -> Option<&AccountId> {
        let told = self.identity.value.as_ref().map(|identity| &identity.account_id);
        told.or_else(|| Some(&self.instances.value.as_ref()?.first()?.owner_id))
    }
}

impl Snapshot {
    /// The places that are configured twice, as far as it is known which AWS accounts they are.
    pub fn doubled(&self) -> Vec<Doubled> {
        let mut seen: Vec<(&AccountId, &Arc<Scope>)> = Vec::new();
        let mut doubled = Vec::new();
        for part in &self.parts {
            let Some(account) = part.account_id() else { continue };
            let is_same = |(id, scope): &&(&AccountId, &Arc<Scope>)| {
                *id == account && scope.region == part.scope.region
            };
            match seen.iter().find(is_same) {
                Some((_, before)) => doubled.push(Doubled {
                    scope: Arc::clone(&part.scope),
                    before: Arc::clone(before),
                    account: account.clone(),
                }),
                None => seen.push((account, &part.scope)),
            }
        }
        doubled
    }
}
