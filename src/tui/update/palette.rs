//! The palette: everything that can be gone to or done, found by a few of its letters.

use super::command::{OWN, is_offered};
use super::show_card;
use super::steering::show_one;
use crate::model::text::harmless;
use crate::query::Kind;
use crate::tui::action::{ACTIONS, Action};
use crate::tui::hunt::{Search, is_asked};
use crate::tui::rowname;
use crate::tui::state::{Candidate, Target, Ui};

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
    for (name, action) in [("operations", Action::Operations), ("capacity", Action::Capacity)] {
        let doc = action.about().map_or("", |about| about.doc);
        search.offer(name, doc, 60, || Candidate {
            text: name.to_owned(),
            what: "page",
            doc: doc.to_owned(),
            key: key(ui, action),
            target: Target::Line,
        });
    }
    for (name, view) in ui.seat.views.iter() {
        search.offer(name, "", 50, || Candidate {
            text: name.to_owned(),
            what: "view",
            doc: format!("{} {}", view.kind.word(), view.query).trim_end().to_owned(),
            key: String::new(),
            target: Target::Line,
        });
    }
    let is_page = |action: Action| {
        matches!(action, Action::Go(_) | Action::Overview | Action::Operations | Action::Capacity)
    };
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
    operations(ui, typed, &mut search);
    search.with(ui.things_of(typed))
}

/// Operations of the journal, by their ids and by what they are about.
fn operations(ui: &Ui, typed: &str, search: &mut Search) {
    if !is_asked(typed.trim()) {
        return;
    }
    for listed in &ui.register.ops {
        let record = &listed.op.record;
        let stands = listed.op.ended.as_ref().map_or("open", |(outcome, _)| outcome.word());
        let doc = harmless(&format!("{}: {stands}", record.title)).into_owned();
        search.offer(&record.id, &doc, 20, || Candidate {
            text: harmless(&record.id).into_owned(),
            what: "operation",
            doc: doc.clone(),
            key: String::new(),
            target: Target::Operation(record.id.clone()),
        });
    }
}

fn key(ui: &Ui, action: Action) -> String {
    ui.keymap.keys_of(ui.layer_below(), action).into_iter().next().unwrap_or_default()
}

/// Shows a thing that was chosen by its id or name.
pub(super) fn go_to(ui: &mut Ui, target: Target) {
    match target {
        Target::Line => {}
        Target::Operation(id) => show_one(ui, id),
        Target::Object(kind, key) if rowname::find(kind, &ui.world.fleet, &key).is_none() => {
            ui.complain(format!("{} {} is gone", kind.singular(), harmless(&key.id)));
        }
        Target::Object(kind, key) => show_card(ui, kind, key),
    }
}
