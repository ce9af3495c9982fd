//! Bare words in rows of instances, of which there are a hundred thousand: looked for without making a value of
//! each cell, and once only in what many rows share.

use super::columns::{Column, Ctx};
use super::expr::{Fits, On, Term, Test, tag_fits};
use super::kind::{Kind, Reach};
use super::lex::Sign;
use super::parse::Query;
use super::pattern::Pattern;
use super::truth::Truth;
use crate::fleet::InstanceRow;
use crate::model::{GroupName, Health, InstanceState, Keys, Lifecycle, Make, Tags, TierName};
use std::cell::RefCell;
use std::sync::Arc;

/// Places for what rows share and was looked at: more than are in use at a time.
const PLACES: usize = 1_024;

/// A query on its way through many rows of a fleet. It remembers what it found, so each thread has one of its own.
pub struct Searcher<'q> {
    query: &'q Query,
    ctx: Ctx<'q>,
    words: Vec<Words<'q>>,
    /// How far what it looks at lies from the rows.
    pub reach: Reach,
}

impl<'q> Searcher<'q> {
    pub(super) fn new(query: &'q Query, ctx: Ctx<'q>) -> Self {
        let mut words = Vec::new();
        if query.kind() == Kind::Instances {
            query.terms(&mut |term| words.extend(Words::of(term)));
        }
        let reaches = query.columns_used().into_iter().map(Reach::of);
        Self { query, ctx, words, reach: reaches.max().unwrap_or(Reach::Row) }
    }

    /// Tells whether row `at` answers, as `Query::truth` does.
    pub fn truth(&self, at: usize) -> Truth {
        self.query.truth_by(self.ctx, at, &self.words)
    }
}

/// Where bare words are looked for.
#[derive(Clone, Copy)]
pub(super) struct Anywhere<'q> {
    pub(super) columns: &'q [&'static Column],
    /// Terms that are quicker to answer.
    pub(super) words: &'q [Words<'q>],
}

/// A term of bare words over instances.
pub(super) struct Words<'q> {
    term: &'q Term,
    patterns: Vec<&'q Pattern>,
    states: Memo<InstanceState>,
    healths: Memo<Health>,
    lifecycles: Memo<Lifecycle>,
    makes: Places,
    keys: Places,
}

/// What was found in values of which there are few.
struct Memo<K>(RefCell<Vec<(K, bool)>>);

impl<K: Copy + PartialEq> Memo<K> {
    const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    fn of(&self, key: K, find: impl FnOnce() -> bool) -> bool {
        let mut known = self.0.borrow_mut();
        if let Some((_, is_found)) = known.iter().find(|(own, _)| *own == key) {
            return *is_found;
        }
        let is_found = find();
        known.push((key, is_found));
        is_found
    }
}

/// What was found in what rows share. That is told by where it lies, and lies there for as long as the fleet does.
struct Places(RefCell<Vec<(usize, bool)>>);

impl Places {
    fn new() -> Self {
        Self(RefCell::new(vec![(0, false); PLACES]))
    }

    fn of<T>(&self, shared: &Arc<T>, find: impl FnOnce() -> bool) -> bool {
        let place = Arc::as_ptr(shared).addr();
        let mut known = self.0.borrow_mut();
        // The lowest bits are the same of all.
        let Some(slot) = known.get_mut((place >> 4) % PLACES) else { return find() };
        if slot.0 != place {
            *slot = (place, find());
        }
        slot.1
    }
}

impl<'q> Words<'q> {
    /// None for a term that is not of this sort, which goes the long way.
    fn of(term: &'q Term) -> Option<Self> {
        let is_plain = term.on == On::Anywhere && term.sign == Sign::Has;
        let pattern = |test: &'q Test| match &test.fits {
            Fits::Text(pattern) => Some(pattern),
            Fits::Unknown | Fits::Absent | Fits::Typed(_) => None,
        };
        let patterns = term.tests.iter().map(pattern).collect::<Option<Vec<_>>>();
        patterns.filter(|_| is_plain).map(|patterns| Self {
            term,
            patterns,
            states: Memo::new(),
            healths: Memo::new(),
            lifecycles: Memo::new(),
            makes: Places::new(),
            keys: Places::new(),
        })
    }

    /// Tells whether it answers this term.
    pub(super) fn is_for(&self, term: &Term) -> bool {
        std::ptr::eq(self.term, term)
    }

    /// Tells whether one of the words is in a row.
    pub(super) fn are_in(&self, row: &InstanceRow) -> bool {
        let it = &row.it;
        let maybe = |text: Option<&str>| text.is_some_and(|text| !text.is_empty() && self.fit(text));
        self.states.of(it.state, || self.fit(it.state.word()))
            || self.healths.of(row.health, || self.fit(row.health.word()))
            || self.lifecycles.of(it.lifecycle, || self.fit(it.lifecycle.word()))
            || self.make(&it.make)
            || self.fit(it.id.as_str())
            || maybe(row.tier.as_ref().map(TierName::as_str))
            || maybe(row.group.as_ref().map(GroupName::as_str))
            || maybe(it.private_ip.as_deref())
            || self.tags(&it.tags)
    }

    fn fit(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(text))
    }

    fn tags(&self, tags: &Tags) -> bool {
        let in_keys = |keys: &Arc<Keys>| self.keys.of(keys, || keys.iter().any(|key| self.fit(key)));
        tags.keys().is_some_and(in_keys)
            || self.patterns.iter().any(|pattern| pattern.is_anything() || tag_fits(pattern, tags))
    }

    /// Looks into what instances share that were launched alike.
    fn make(&self, make: &Arc<Make>) -> bool {
        self.makes.of(make, || self.fit(make.instance_type.as_str()) || self.fit(make.zone.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::expr::is_searched;
    use super::super::kind::Kind;

    #[test]
    fn every_column_that_bare_words_are_looked_for_in_is_looked_into() {
        let columns: Vec<&str> = Kind::Instances
            .columns()
            .iter()
            .filter(|column| is_searched(column))
            .map(|column| column.name)
            .collect();
        // A column more needs a line more in `Words::are_in`. The name is a tag, and so looked for among the tags.
        let looked_into = [
            "id",
            "name",
            "type",
            "state",
            "health",
            "tier",
            "group",
            "zone",
            "lifecycle",
            "private_ip",
            "tags",
        ];
        assert_eq!(columns, looked_into);
    }
}
