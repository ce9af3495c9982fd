//! Where instances belong: their tier and their group, which hundreds share.

use crate::model::{GroupName, Selector, TierName};
use std::collections::HashSet;
use std::sync::Arc;

/// Where instances belong: hundreds have the same tier and group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Belonging {
    /// The tier.
    pub tier: Option<TierName>,
    /// The selector that put them there.
    pub tier_by: Option<Arc<str>>,
    /// The group, from its member list or else from their tag.
    pub group: Option<GroupName>,
}

/// Where instances belong, each place once.
#[derive(Default)]
pub(super) struct Belongings {
    known: HashSet<Arc<Belonging>>,
    last: Arc<Belonging>,
}

impl Belongings {
    /// That one, shared with those before it.
    pub(super) fn of(&mut self, wanted: Belonging) -> Arc<Belonging> {
        // Those of one group mostly stand together.
        if *self.last != wanted {
            let wanted = Arc::new(wanted);
            self.last = self.known.get(&wanted).map_or_else(|| Arc::clone(&wanted), Arc::clone);
            self.known.insert(wanted);
        }
        Arc::clone(&self.last)
    }
}

/// Selectors are few and rows are many: what one is called is written once.
#[derive(Default)]
pub(super) struct Named<'a>(Vec<(&'a Selector, Arc<str>)>);

impl<'a> Named<'a> {
    /// What that one is called.
    pub(super) fn of(&mut self, selector: &'a Selector) -> Arc<str> {
        if let Some((_, name)) = self.0.iter().find(|(known, _)| std::ptr::eq(*known, selector)) {
            return Arc::clone(name);
        }
        let name: Arc<str> = selector.to_string().into();
        self.0.push((selector, Arc::clone(&name)));
        name
    }
}
