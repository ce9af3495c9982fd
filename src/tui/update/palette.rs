//! The palette: everything that can be gone to or done, found by a few of its letters.

use super::command::{OWN, is_offered};
use super::show_card;
use crate::query::{Ctx, Kind};
use crate::tui::action::{ACTIONS, Action};
use crate::tui::state::{Candidate, RowKey, Target, Ui};
use crate::tui::view;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// How many candidates are kept; the box shows as many of them as it has room for.
const OFFERED: usize = 50;
/// From so many letters on, things of the fleet are offered too.
const OBJECTS_FROM: usize = 2;
/// The most letters of a name that are looked at: names from outside may be of any length.
const LONGEST: usize = 300;

/// Everything that what was typed may mean, the best first.
pub(super) fn candidates(ui: &Ui, typed: &str) -> Vec<Candidate> {
    let mut search = Search::new(typed);
    for kind in [None].into_iter().chain(Kind::ALL.map(Some)) {
        let (name, action) =
            kind.map_or(("overview", Action::Overview), |kind| (kind.word(), Action::Go(kind)));
        let doc = action.about().map_or("", |about| about.doc);
        search.offer(name, doc, 60, || Candidate {
            text: name.to_owned(),
            what: "page",
            doc: doc.to_owned(),
            key: key(ui, action),
            target: Target::Line,
        });
    }
    let about = Action::Operations.about().map_or("", |about| about.doc);
    search.offer("operations", about, 60, || Candidate {
        text: "operations".to_owned(),
        what: "page",
        doc: about.to_owned(),
        key: key(ui, Action::Operations),
        target: Target::Line,
    });
    for (name, view) in ui.seat.views.iter() {
        search.offer(name, "", 50, || Candidate {
            text: name.to_owned(),
            what: "view",
            doc: format!("{} {}", view.kind.word(), view.query).trim_end().to_owned(),
            key: String::new(),
            target: Target::Line,
        });
    }
    let is_page = |action: Action| matches!(action, Action::Go(_) | Action::Overview | Action::Operations);
    for about in ACTIONS.iter().filter(|about| is_offered(about.action) && !is_page(about.action)) {
        search.offer(about.name, about.doc, 40, || Candidate {
            text: about.name.to_owned(),
            what: "action",
            doc: about.doc.to_owned(),
            key: key(ui, about.action),
            target: Target::Line,
        });
    }
    for (name, doc) in OWN {
        search.offer(name, doc, 40, || Candidate {
            text: format!("{name} "),
            what: "command",
            doc: doc.to_owned(),
            key: String::new(),
            target: Target::Line,
        });
    }
    if typed.trim().chars().count() >= OBJECTS_FROM {
        for kind in Kind::ALL {
            objects(ui, kind, &mut search);
        }
    }
    search.best()
}

fn key(ui: &Ui, action: Action) -> String {
    ui.keymap.keys_of(ui.layer_below(), action).into_iter().next().unwrap_or_default()
}

/// Shows a thing that was chosen by its id or name.
pub(super) fn go_to(ui: &mut Ui, kind: Kind, key: RowKey) {
    if view::find(kind, &ui.world.fleet, &key).is_none() {
        ui.complain(format!("{} {} is gone", kind.singular(), crate::model::text::harmless(&key.id)));
        return;
    }
    show_card(ui, kind, key);
}

/// The things of one kind, by id and by name.
fn objects(ui: &Ui, kind: Kind, search: &mut Search) {
    // A call or an event is nothing that one goes to by its name.
    if matches!(kind, Kind::Calls | Kind::Events) {
        return;
    }
    let fleet = &ui.world.fleet;
    let ctx = Ctx { fleet, now: ui.now };
    let name = kind.columns().iter().find(|column| column.name == "name");
    for at in 0..kind.len(fleet) {
        let id = kind.id(ctx, at);
        let named = name.map(|column| (column.get)(ctx, at).show(column.unit, ui.now));
        let named = named.filter(|named| !matches!(named.as_ref(), "-" | "?") && *named != id);
        let named = named.as_deref().unwrap_or_default();
        search.offer(&id, named, 0, || {
            let scope = kind.scope(ctx, at).map(ToString::to_string).unwrap_or_default();
            let key = view::key(kind, fleet, at);
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

/// A search by letters, which keeps the best that it was offered.
struct Search {
    pattern: Pattern,
    typed: String,
    matcher: Matcher,
    letters: Vec<char>,
    found: Vec<(u32, Candidate)>,
    /// What is worse than this is not kept any more.
    least: u32,
}

impl Search {
    fn new(typed: &str) -> Self {
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

    fn offer(&mut self, name: &str, doc: &str, bonus: u32, candidate: impl FnOnce() -> Candidate) {
        let score = match (self.score(name), doc.is_empty()) {
            (Some(score), _) => {
                let lower = name.to_lowercase();
                let whole = if lower == self.typed { 1_000 } else { 0 };
                let begins = if !self.typed.is_empty() && lower.starts_with(&self.typed) { 200 } else { 0 };
                score + whole + begins + bonus
            }
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

    fn best(mut self) -> Vec<Candidate> {
        self.cut();
        self.found.into_iter().map(|(_, candidate)| candidate).collect()
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
