//! Bare words in rows of instances, of which there are a hundred thousand: looked for without making a value of
//! each cell, and once only in what many rows share.

use super::columns::{Column, Ctx};
use super::expr::{Fits, On, Term, Test, tag_fits};
use super::gist::Finders;
use super::kin::Alike;
use super::kind::{Kind, Reach};
use super::lex::Sign;
use super::parse::Query;
use super::pattern::Pattern;
use super::truth::Truth;
use crate::fleet::InstanceRow;
use crate::fleet::gist::{Gist, Kin};
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
    alike: Vec<Alike<'q>>,
    /// How far what it looks at lies from the rows.
    pub reach: Reach,
}

impl<'q> Searcher<'q> {
    pub(super) fn new(query: &'q Query, ctx: Ctx<'q>) -> Self {
        let (mut words, mut alike, mut reach) = (Vec::new(), Vec::new(), Reach::Row);
        let is_of_instances = query.kind() == Kind::Instances;
        let gist = ctx.fleet.instances.gist().filter(|_| is_of_instances).map(AsRef::as_ref);
        query.terms(&mut |term| {
            let own = is_of_instances.then(|| Words::of(term, gist)).flatten();
            let of_kin = gist.and_then(|gist| Alike::of(term, gist));
            // What is answered from a gist lies nowhere else.
            if of_kin.is_none() && own.as_ref().is_none_or(|words| words.gist.is_none()) {
                reach = query.columns_of(term).map(Reach::of).fold(reach, Ord::max);
            }
            words.extend(own);
            alike.extend(of_kin);
        });
        Self { query, ctx, words, alike, reach }
    }

    /// Tells whether row `at` answers, as `Query::truth` does.
    pub fn truth(&self, at: usize) -> Truth {
        self.query.truth_by(self.ctx, at, (&self.words, &self.alike))
    }
}

/// Where bare words are looked for.
#[derive(Clone, Copy)]
pub(super) struct Anywhere<'q> {
    pub(super) columns: &'q [&'static Column],
    /// Terms that are quicker to answer.
    pub(super) words: &'q [Words<'q>],
    /// And those that are answered once for all kin.
    pub(super) alike: &'q [Alike<'q>],
}

/// A term of bare words over instances.
pub(super) struct Words<'q> {
    term: &'q Term,
    patterns: Vec<&'q Pattern>,
    /// Where the rows' own texts are looked for, where there is such a thing.
    gist: Option<InGist<'q>>,
    states: Memo<InstanceState>,
    healths: Memo<Health>,
    lifecycles: Memo<Lifecycle>,
    makes: Places,
    keys: Places,
}

/// A gist, what is looked for in it, and what was found in the kin so far.
struct InGist<'q> {
    gist: &'q Gist,
    finders: Finders,
    kins: RefCell<Vec<Option<bool>>>,
}

/// What a row has in common with others, as far as words are looked for in it.
struct Shared<'r> {
    state: InstanceState,
    health: Health,
    make: &'r Arc<Make>,
    keys: Option<&'r Arc<Keys>>,
    tags: Option<&'r Tags>,
    tier: Option<&'r TierName>,
    group: Option<&'r GroupName>,
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
    fn of(term: &'q Term, gist: Option<&'q Gist>) -> Option<Self> {
        let is_plain = term.on == On::Anywhere && term.sign == Sign::Has;
        let pattern = |test: &'q Test| match &test.fits {
            Fits::Text(pattern) => Some(pattern),
            Fits::Unknown | Fits::Absent | Fits::Typed(_) => None,
        };
        let patterns = term.tests.iter().map(pattern).collect::<Option<Vec<_>>>();
        let in_gist = |patterns: &[&Pattern]| {
            let (gist, finders) = (gist?, Finders::of(patterns)?);
            Some(InGist { gist, finders, kins: RefCell::new(vec![None; gist.kins().len()]) })
        };
        patterns.filter(|_| is_plain).map(|patterns| Self {
            term,
            gist: in_gist(&patterns),
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

    /// Tells whether one of the words is in this row, which is number `at` of the fleet.
    pub(super) fn are_in(&self, at: usize, row: &InstanceRow) -> bool {
        match self.gist.as_ref().and_then(|gist| Some((gist, gist.gist.row(at)?))) {
            Some((gist, (text, kin))) => self.are_in_kin(gist, kin as usize) || gist.finders.are_in(text),
            None => self.are_shared(&Shared::of(row)) || self.are_own(row),
        }
    }

    fn are_in_kin(&self, gist: &InGist<'_>, kin: usize) -> bool {
        let mut known = gist.kins.borrow_mut();
        let (Some(is_found), Some(own)) = (known.get_mut(kin), gist.gist.kins().get(kin)) else {
            return false;
        };
        *is_found.get_or_insert_with(|| self.are_shared(&Shared::by(own)))
    }

    /// In what rows have in common.
    fn are_shared(&self, it: &Shared<'_>) -> bool {
        let maybe = |text: Option<&str>| text.is_some_and(|text| !text.is_empty() && self.fit(text));
        let in_keys = |keys: &Arc<Keys>| self.keys.of(keys, || keys.iter().any(|key| self.fit(key)));
        self.states.of(it.state, || self.fit(it.state.word()))
            || self.healths.of(it.health, || self.fit(it.health.word()))
            || self.lifecycles.of(it.make.lifecycle, || self.fit(it.make.lifecycle.word()))
            || self.make(it.make)
            || maybe(it.tier.map(TierName::as_str))
            || maybe(it.group.map(GroupName::as_str))
            || it.keys.is_some_and(in_keys)
            || it.tags.is_some_and(|tags| self.values(tags))
    }

    /// In what is a row's own.
    fn are_own(&self, row: &InstanceRow) -> bool {
        let it = &row.it;
        self.fit(it.id.as_str())
            || it.private_ip.as_deref().is_some_and(|ip| !ip.is_empty() && self.fit(ip))
            || self.values(&it.tags)
    }

    fn values(&self, tags: &Tags) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_anything() || tag_fits(pattern, tags))
    }

    fn fit(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(text))
    }

    /// Looks into what instances share that were launched alike.
    fn make(&self, make: &Arc<Make>) -> bool {
        self.makes.of(make, || self.fit(make.instance_type.as_str()) || self.fit(make.zone.as_str()))
    }
}

impl<'r> Shared<'r> {
    fn of(row: &'r InstanceRow) -> Self {
        Self {
            state: row.it.state,
            health: row.health,
            make: &row.it.make,
            keys: row.it.tags.keys(),
            tags: None,
            tier: row.tier.as_ref(),
            group: row.group.as_ref(),
        }
    }

    fn by(kin: &'r Kin) -> Self {
        let Kin { state, health, make, keys, tags, tier, group } = kin;
        Self {
            state: *state,
            health: *health,
            make,
            keys: keys.as_ref(),
            tags: tags.as_ref(),
            tier: tier.as_ref(),
            group: group.as_ref(),
        }
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
        // A column more needs a line more in `Words::are_shared` or, for what is each row's own, `Words::are_own` and
        // `Read::of`. The name is a tag, and so looked for among the tags.
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
