//! Pages on their way in: what has been read of lists that are not whole yet.

use super::Run;
use crate::clock::monotonic;
use crate::gateway::Reading;
use crate::model::Scope;
use std::sync::Arc;

/// What has been read of a list so far, and where.
pub(super) type Page = (Arc<Scope>, Reading);

/// Pages that wait together: each holds what the ones before it held, so that only the last of a list is worth the work.
fn last_of_each(pages: impl Iterator<Item = Page>) -> Vec<Page> {
    let mut last: Vec<Page> = Vec::new();
    for (scope, reading) in pages {
        last.retain(|(of, before)| *of != scope || before.source() != reading.source());
        last.push((scope, reading));
    }
    last
}

impl Run {
    /// Takes in all pages that wait.
    pub(super) fn take_pages(&mut self) {
        self.take_pages_after(None);
    }

    /// Takes in this page and all that wait.
    pub(super) fn take_pages_after(&mut self, first: Option<Page>) {
        let waiting = std::iter::from_fn(|| self.pages.try_recv().ok());
        for (scope, reading) in last_of_each(first.into_iter().chain(waiting)) {
            self.board.page(&scope, reading, monotonic(), self.clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Source;
    use crate::model::admin::CoreWord;

    #[test]
    fn of_pages_that_wait_together_the_last_of_each_list_and_place_is_taken() {
        let place = |region: &str| Arc::new(Scope { account: "a".into(), region: region.into() });
        let words =
            |count: usize| Reading::Admin((0..count).map(|_| Arc::new(CoreWord::default())).collect());
        let pages = [
            (place("r1"), words(1)),
            (place("r1"), Reading::Images(vec![])),
            (place("r2"), words(7)),
            (place("r1"), words(2)),
            (place("r1"), words(3)),
        ];
        let taken = last_of_each(pages.into_iter());
        let told: Vec<(&str, Source)> =
            taken.iter().map(|(scope, reading)| (scope.region.as_str(), reading.source())).collect();
        assert_eq!(told, [("r1", Source::Images), ("r2", Source::Admin), ("r1", Source::Admin)]);
        assert_eq!(taken[2].1, words(3));
    }
}
