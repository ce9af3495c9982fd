//! A list of rows that worlds share: a world in which nothing but its age is new holds the rows of the one before.

use super::InstanceRow;
use super::gist::Gist;
use super::ranks::Ranks;
use super::spread::Spread;
use crate::model::Scope;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

/// Rows that are cheap to hand on. To change them makes them one's own first.
#[derive(Debug)]
pub struct Rows<T>(Arc<Held<T>>);

/// Rows, and what was found out about them: that holds for as long as they are what they are.
#[derive(Debug)]
struct Held<T> {
    rows: Vec<T>,
    spread: OnceLock<Spread>,
    ranks: OnceLock<Arc<Ranks>>,
    gist: OnceLock<Option<Arc<Gist>>>,
}

impl<T> Held<T> {
    const fn new(rows: Vec<T>) -> Self {
        Self { rows, spread: OnceLock::new(), ranks: OnceLock::new(), gist: OnceLock::new() }
    }
}

/// A copy is about to be changed, so that nothing is known of it.
impl<T: Clone> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self::new(self.rows.clone())
    }
}

impl<T> Rows<T> {
    /// Tells whether these are the very same rows, and not only equal ones.
    pub fn are(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Over how many accounts and regions they spread. All of them are looked at once.
    pub(super) fn spread(&self, scope: impl Fn(&T) -> &Arc<Scope>) -> &Spread {
        self.0.spread.get_or_init(|| Spread::of(self.0.rows.iter().map(scope)))
    }
}

impl Rows<InstanceRow> {
    /// Where each of them stands among all, where that was found out.
    pub fn ranks(&self) -> Option<&Arc<Ranks>> {
        self.0.ranks.get()
    }

    /// Keeps where each of them stands among all. The first who finds that out is believed.
    pub fn keep(&self, ranks: Arc<Ranks>) {
        self.0.ranks.set(ranks).ok();
    }

    /// What bare words are looked for in, where that was gathered.
    pub fn gist(&self) -> Option<&Arc<Gist>> {
        self.0.gist.get()?.as_ref()
    }

    /// Tells whether it was gathered, or could not be.
    pub fn is_gist_known(&self) -> bool {
        self.0.gist.get().is_some()
    }

    /// Sees to it that it was gathered, or that it is known that it cannot be. Who comes while another gathers waits for that.
    pub fn gist_or(&self, gather: impl FnOnce() -> Option<Gist>) {
        self.0.gist.get_or_init(|| gather().map(Arc::new));
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self(Arc::new(Held::new(rows)))
    }
}

impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Vec::from_iter(rows).into()
    }
}

impl<T> Deref for Rows<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0.rows
    }
}

impl<T: Clone> DerefMut for Rows<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        let held = Arc::make_mut(&mut self.0);
        (held.spread, held.ranks, held.gist) = Default::default();
        &mut held.rows
    }
}

impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.rows.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, Spread};
    use crate::model::Scope;
    use std::sync::Arc;

    #[test]
    fn a_copy_is_the_same_rows_until_it_is_changed() {
        let first: Rows<u8> = vec![1, 2].into();
        let mut second = first.clone();
        assert!(first.are(&second));
        second.push(3);
        assert!(!first.are(&second));
        assert_eq!((first.len(), second.as_slice()), (2, &[1, 2, 3][..]));
    }

    #[test]
    fn what_was_found_out_about_rows_is_forgotten_when_they_change() {
        let [here, there] = ["eu-west-1", "us-east-1"]
            .map(|region| Arc::new(Scope { account: "main".into(), region: region.into() }));
        let mut rows: Rows<Arc<Scope>> = vec![Arc::clone(&here), here].into();
        let spread = |rows: &Rows<Arc<Scope>>| {
            let Spread { accounts, regions, .. } = rows.spread(|scope| scope);
            (*accounts, *regions)
        };
        assert_eq!(spread(&rows), (false, false));
        rows.push(there);
        assert_eq!(spread(&rows), (false, true));
    }
}
