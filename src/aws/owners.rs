//! Which AWS account stands behind which configured one: AWS counts requests by account number and region,
//! so two profiles that lead into one account drink from the same buckets.

use super::limit::{Lanes, Limiter};
use crate::clock::{Pace, Steady};
use crate::model::{AccountId, AccountName, Region, Scope};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The limiters of all scopes, and what is known of who owns them.
#[derive(Debug)]
pub(super) struct Owners {
    book: Mutex<Book>,
    pace: Arc<dyn Pace>,
}

impl Default for Owners {
    fn default() -> Self {
        Self::new(Arc::new(Steady))
    }
}

#[derive(Debug, Default)]
struct Book {
    numbers: BTreeMap<AccountName, AccountId>,
    lanes: BTreeMap<(AccountId, Region), Arc<Lanes>>,
    limiters: BTreeMap<Scope, Arc<Limiter>>,
}

impl Owners {
    /// Nobody yet, with limiters whose time passes so.
    pub(super) fn new(pace: Arc<dyn Pace>) -> Self {
        Self { book: Mutex::default(), pace }
    }

    /// The limiter of a scope. Until its account's number is known it is shared with nobody.
    pub(super) fn limiter(&self, scope: &Scope) -> Arc<Limiter> {
        let mut book = self.book();
        let limiter = Arc::clone(
            book.limiters
                .entry(scope.clone())
                .or_insert_with(|| Arc::new(Limiter::new(Arc::clone(&self.pace)))),
        );
        book.settle(scope, &limiter, &self.pace);
        limiter
    }

    /// Learns the number of an account: from now on it shares with those of the same number.
    pub(super) fn know(&self, account: &AccountName, number: &AccountId) {
        let mut book = self.book();
        book.numbers.insert(account.clone(), number.clone());
        let own = book.limiters.iter().filter(|(scope, _)| scope.account == *account);
        let own: Vec<_> = own.map(|(scope, limiter)| (scope.clone(), Arc::clone(limiter))).collect();
        own.iter().for_each(|(scope, limiter)| book.settle(scope, limiter, &self.pace));
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn settle(&mut self, scope: &Scope, limiter: &Limiter, pace: &Arc<dyn Pace>) {
        let Some(number) = self.numbers.get(&scope.account) else { return };
        let lanes = self.lanes.entry((number.clone(), scope.region.clone()));
        let lanes = lanes.or_insert_with(|| Arc::new(Lanes::new(Arc::clone(pace))));
        limiter.join(lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Family;
    use super::Owners;
    use crate::gateway::Urgency;
    use crate::model::{AccountId, AccountName, Region, Scope};
    use futures::FutureExt;

    /// Half of it: one token, and hardly more.
    const SMALL: Family = Family { name: "small", refill: 0, burst: 2 };

    fn scope(account: &str, region: &str) -> Scope {
        Scope { account: AccountName::new(account), region: Region::new(region) }
    }

    #[tokio::test]
    async fn two_names_of_one_account_spend_one_rate_once_that_is_known() {
        let owners = Owners::default();
        let (ours, number) = (owners.limiter(&scope("reader", "eu-west-1")), AccountId::new("111122223333"));
        let other = owners.limiter(&scope("other", "eu-west-1"));
        owners.know(&AccountName::new("reader"), &number);
        owners.know(&AccountName::new("admin"), &number);
        owners.know(&AccountName::new("other"), &AccountId::new("444455556666"));
        assert_eq!(ours.turn(SMALL, Urgency::User).now_or_never(), Some(Ok(())));
        let same = owners.limiter(&scope("admin", "eu-west-1"));
        assert_eq!(same.turn(SMALL, Urgency::User).now_or_never(), None, "the other name has spent it");
        let elsewhere = owners.limiter(&scope("admin", "us-east-1"));
        assert_eq!(elsewhere.turn(SMALL, Urgency::User).now_or_never(), Some(Ok(())));
        assert_eq!(other.turn(SMALL, Urgency::User).now_or_never(), Some(Ok(())));
    }
}
