//! Finding what was typed among the things of the fleet: at once among few, off the key's own task among many.
//!
//! At most one hunt runs. What it finds for a line that is no longer the one being typed is dropped, and the next
//! one looks for what the line says then, so none is ever queued.

use super::ask::AT_ONCE;
use super::state::{Candidate, Effect, Purpose, Target, Ui};
use super::{rowname, update};
use crate::fleet::Fleet;
use crate::query::{Ctx, Kind};
use jiff::Timestamp;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::sync::Arc;

/// How many candidates are kept; the box shows as many of them as it has room for.
const OFFERED: usize = 50;
/// From so many letters on, things of the fleet are offered too.
const OBJECTS_FROM: usize = 2;
/// The most letters of a name that are looked at: names from outside may be of any length.
const LONGEST: usize = 300;

/// A candidate with how well it fits.
type Found = (u32, Candidate);

/// What is being looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Hunting {
    /// Counts the hunts.
    generation: u64,
    /// The hunt that runs.
    running: Option<u64>,
    /// What the last one found, and for which line.
    found: Option<(String, Vec<Found>)>,
}

/// A look through all things of a large fleet, with all that it needs.
#[derive(Clone, Debug)]
pub struct Hunt {
    generation: u64,
    typed: String,
    fleet: Arc<Fleet>,
    now: Timestamp,
}

impl PartialEq for Hunt {
    fn eq(&self, other: &Self) -> bool {
        (self.generation, &self.typed) == (other.generation, &other.typed)
    }
}

/// What a hunt found.
#[derive(Clone, Debug)]
pub struct Hunted {
    generation: u64,
    typed: String,
    found: Vec<Found>,
}

impl Hunt {
    /// Does the work: tens of milliseconds of a processor for 100,000 things.
    pub fn run(self) -> Hunted {
        let Self { generation, typed, fleet, now } = self;
        let found = things(&fleet, now, &typed);
        Hunted { generation, typed, found }
    }
}

impl Ui {
    /// The line whose things are not known yet: none where they are few, or nobody asks for any.
    fn unhunted(&self) -> Option<String> {
        let prompt = self.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Command)?;
        // While one goes through what was found, that stays.
        let typed = prompt.line.before().trim();
        let is_open = prompt.picked.is_none() && prompt.error.is_none() && update::means_anything(typed);
        let is_known = self.hunting.found.as_ref().is_some_and(|(of, _)| of == typed);
        (is_open && is_asked(typed) && !is_few(&self.world.fleet) && !is_known).then(|| typed.to_owned())
    }

    /// Tells whether things are being looked for.
    pub(super) fn is_hunting(&self) -> bool {
        self.unhunted().is_some()
    }

    /// The hunt that is to run now: none while one runs.
    pub(super) fn next_hunt(&mut self) -> Option<Effect> {
        if self.prompt.is_none() {
            self.hunting.found = None;
        }
        if self.hunting.running.is_some() {
            return None;
        }
        let typed = self.unhunted()?;
        let generation = self.hunting.generation + 1;
        (self.hunting.generation, self.hunting.running) = (generation, Some(generation));
        Some(Effect::Hunt(Box::new(self.hunt(typed, generation))))
    }

    fn hunt(&self, typed: String, generation: u64) -> Hunt {
        Hunt { generation, typed, fleet: Arc::clone(&self.world.fleet), now: self.now }
    }

    /// Takes in what a hunt found. Returns whether that is what the line asks for.
    pub(super) fn take_things(&mut self, hunted: Hunted) -> bool {
        if self.hunting.running == Some(hunted.generation) {
            self.hunting.running = None;
        }
        let is_wanted = self.unhunted().as_ref() == Some(&hunted.typed);
        if is_wanted {
            self.hunting.found = Some((hunted.typed, hunted.found));
        }
        is_wanted
    }

    /// Looks at once, for whoever takes the first candidate before a hunt has ended: a key is never lost, and
    /// what it means does not depend on how fast it was pressed. Returns whether there was anything to look for.
    pub(super) fn hunt_now(&mut self) -> bool {
        let Some(typed) = self.unhunted() else { return false };
        let Hunted { typed, found, .. } = self.hunt(typed, self.hunting.generation).run();
        self.hunting.found = Some((typed, found));
        true
    }

    /// The things that a line may mean, as far as they are known.
    pub(super) fn things_of(&self, typed: &str) -> Vec<Found> {
        let typed = typed.trim();
        match &self.hunting.found {
            _ if !is_asked(typed) => Vec::new(),
            _ if is_few(&self.world.fleet) => things(&self.world.fleet, self.now, typed),
            Some((of, found)) if of == typed => found.clone(),
            _ => Vec::new(),
        }
    }
}

/// Whether enough was typed for things to be offered.
pub(super) fn is_asked(typed: &str) -> bool {
    typed.chars().count() >= OBJECTS_FROM
}

fn is_few(fleet: &Fleet) -> bool {
    sought().map(|kind| kind.len(fleet)).sum::<usize>() <= AT_ONCE
}

/// A call or an event is nothing that one goes to by its name.
fn sought() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Calls | Kind::Events | Kind::Drift))
}

/// The things of a fleet that may be meant, the best first.
fn things(fleet: &Arc<Fleet>, now: Timestamp, typed: &str) -> Vec<Found> {
    let mut search = Search::new(typed);
    sought().for_each(|kind| objects(fleet, now, kind, &mut search));
    search.end()
}

/// The things of one kind, by id and by name.
fn objects(fleet: &Arc<Fleet>, now: Timestamp, kind: Kind, search: &mut Search) {
    let ctx = Ctx { fleet, now };
    let name = kind.columns().iter().find(|column| column.name == "name");
    for at in 0..kind.len(fleet) {
        let id = kind.id(ctx, at);
        let named = name.map(|column| (column.get)(ctx, at).show(column.unit, now));
        let named = named.filter(|named| !matches!(named.as_ref(), "-" | "?") && *named != id);
        let named = named.as_deref().unwrap_or_default();
        search.offer_any([&id, named], "", worth(kind), || {
            let scope = kind.scope(ctx, at).map(ToString::to_string).unwrap_or_default();
            let key = rowname::key(kind, fleet, at);
            Candidate {
                text: crate::model::text::harmless(&id).into_owned(),
                what: kind.singular(),
                doc: format!("{named} {scope}").trim_start().to_owned(),
                key: String::new(),
                target: key.map_or(Target::Line, |key| Target::Object(kind, key)),
            }
        });
    }
}

/// What somebody who types a name most likely means by it, where several things fit alike: what runs and whom it
/// serves before what it is made of, and what tells of it last. Less than one letter is worth.
fn worth(kind: Kind) -> u32 {
    match kind {
        Kind::Instances => 12,
        Kind::Cores => 11,
        Kind::Tenants => 10,
        Kind::Hosts => 9,
        Kind::Groups => 8,
        Kind::Services => 7,
        Kind::Clusters => 6,
        Kind::Tasks | Kind::Templates => 5,
        Kind::Images | Kind::TargetGroups => 4,
        Kind::Rules => 3,
        Kind::Targets => 2,
        Kind::Drift => 1,
        Kind::Alarms | Kind::Events | Kind::Calls => 0,
    }
}

/// What is called exactly so comes before what begins so, and that before what only has the letters.
const WHOLE: u32 = 100_000;
const BEGINS: u32 = 10_000;

/// A search by letters, which keeps the best that it was offered.
pub(super) struct Search {
    pattern: Pattern,
    typed: String,
    matcher: Matcher,
    letters: Vec<char>,
    found: Vec<(u32, Candidate)>,
    /// What is worse than this is not kept any more.
    least: u32,
}

impl Search {
    pub(super) fn new(typed: &str) -> Self {
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        let typed = typed.trim().to_lowercase();
        Self {
            pattern: Pattern::parse(&escaped(&typed), CaseMatching::Ignore, Normalization::Smart),
            typed,
            matcher: Matcher::new(config),
            letters: Vec::new(),
            found: Vec::new(),
            least: 0,
        }
    }

    pub(super) fn offer(&mut self, name: &str, doc: &str, bonus: u32, candidate: impl FnOnce() -> Candidate) {
        self.offer_any([name, ""], doc, bonus, candidate);
    }

    /// The same for what has two names; the second may be empty.
    pub(super) fn offer_any(
        &mut self,
        names: [&str; 2],
        doc: &str,
        bonus: u32,
        candidate: impl FnOnce() -> Candidate,
    ) {
        let best = names.map(|name| self.fits(name)).into_iter().flatten().max();
        let score = match (best, doc.is_empty()) {
            (Some(score), _) => score + bonus,
            // A word of the explanation counts less, and its letters must stand together.
            (None, false) if self.typed.len() > 2 && doc.to_lowercase().contains(&self.typed) => {
                bonus / 2 + 1
            }
            _ => return,
        };
        if score < self.least {
            return;
        }
        self.found.push((score, candidate()));
        if self.found.len() >= 4 * OFFERED {
            self.cut();
            self.least = self.found.last().map_or(0, |(score, _)| score + 1);
        }
    }

    /// How well a name fits; none where it does not.
    fn fits(&mut self, name: &str) -> Option<u32> {
        let score = self.score(name).filter(|_| !name.is_empty())?;
        let lower = name.to_lowercase();
        let whole = if lower == self.typed { WHOLE } else { 0 };
        let begins = if !self.typed.is_empty() && lower.starts_with(&self.typed) { BEGINS } else { 0 };
        Some(score + whole + begins)
    }

    fn score(&mut self, name: &str) -> Option<u32> {
        let end = name.char_indices().nth(LONGEST).map_or(name.len(), |(at, _)| at);
        self.letters.clear();
        let name = Utf32Str::new(name.get(..end).unwrap_or(name), &mut self.letters);
        self.pattern.score(name, &mut self.matcher)
    }

    /// Stable, so that what is offered first stands first among equals.
    fn cut(&mut self) {
        self.found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        self.found.truncate(OFFERED);
    }

    /// What was kept, the best first.
    fn end(mut self) -> Vec<Found> {
        self.cut();
        self.found
    }

    /// What was kept and what was found elsewhere, the best first.
    pub(super) fn with(mut self, found: Vec<Found>) -> Vec<Candidate> {
        self.found.extend(found);
        self.end().into_iter().map(|(_, candidate)| candidate).collect()
    }
}

/// The letters as they are: signs that mean something to the matcher mean themselves here.
fn escaped(typed: &str) -> String {
    let mut text = String::with_capacity(typed.len());
    for word in typed.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        if word.starts_with(['^', '\'', '!', '\\']) {
            text.push('\\');
        }
        match word.strip_suffix('$') {
            Some(rest) => text.push_str(&format!("{rest}\\$")),
            None => text.push_str(word),
        }
    }
    text
}
