//! A line being typed: the filter, which works while it is typed, and the command line.

use super::{command, logging, palette, steering};
use crate::query::{Ctx, Kind, Query};
use crate::tui::action::Action;
use crate::tui::line::Line;
use crate::tui::oplist;
use crate::tui::state::{Candidate, Effect, Page, Prompt, PromptError, Purpose, Target, Ui};

pub(super) fn begin(ui: &mut Ui, purpose: Purpose) {
    let before = match (purpose, ui.list()) {
        (Purpose::Filter, Some(list)) => list.filter.clone(),
        (Purpose::Filter, None) if matches!(ui.here.page, Page::Operations) => ui.oplist.filter.clone(),
        (Purpose::Filter, None) if matches!(ui.here.page, Page::Log(_)) => {
            ui.log.as_ref().map(|log| log.filter.clone()).unwrap_or_default()
        }
        (Purpose::Filter, None) => {
            ui.say("this page has no rows to filter: open a list first, or type :instances QUERY");
            return;
        }
        (Purpose::Command, _) => String::new(),
    };
    ui.prompt = Some(Prompt {
        purpose,
        line: Line::new(before.clone()),
        before,
        error: None,
        candidates: Vec::new(),
        picked: None,
        takes_first: false,
        word_from: 0,
    });
    changed(ui);
    ui.settle();
}

pub(super) fn insert(ui: &mut Ui, text: &str) {
    if let Some(prompt) = &mut ui.prompt {
        prompt.line.insert(text);
        changed(ui);
    }
}

/// Pasted text goes into the line being typed, as one line; elsewhere it means nothing, since a pasted
/// `q` must not quit.
pub(super) fn paste(ui: &mut Ui, text: &str) -> Vec<Effect> {
    if ui.prompt.is_some() || ui.dialog.as_ref().is_some_and(|dialog| !dialog.is_confirming()) {
        let line: String = text
            .trim_end_matches(['\n', '\r'])
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if ui.prompt.is_none() {
            return super::changing::insert(ui, &line);
        }
        insert(ui, &line);
    } else {
        let says = if ui.dialog.is_some() {
            "pasted text confirms nothing: type it"
        } else {
            "pasted text is only taken while a filter or a command is typed"
        };
        ui.say(says);
    }
    Vec::new()
}

pub(super) fn act(ui: &mut Ui, action: Action) -> Vec<Effect> {
    let Some(prompt) = &mut ui.prompt else { return Vec::new() };
    let line = &mut prompt.line;
    match action {
        Action::Accept => return accept(ui),
        Action::Cancel => {
            cancel(ui);
            return Vec::new();
        }
        Action::Complete | Action::CompleteBack => {
            complete(ui, action == Action::CompleteBack);
            return Vec::new();
        }
        Action::CursorLeft => line.left(),
        Action::CursorRight => line.right(),
        Action::CursorStart => line.cursor = 0,
        Action::CursorEnd => line.cursor = line.text.len(),
        Action::Erase => line.erase(),
        Action::EraseForward => line.erase_forward(),
        Action::EraseWord => line.erase_word(),
        Action::EraseLine => line.erase_line(),
        Action::EraseRest => line.erase_rest(),
        Action::Older | Action::Newer => {
            let typed = match prompt.purpose {
                Purpose::Filter => &mut ui.filters,
                Purpose::Command => &mut ui.commands,
            };
            let text = if action == Action::Older { typed.older(&line.text) } else { typed.newer() };
            if let Some(text) = text {
                *line = Line::new(text);
            }
        }
        _ => {}
    }
    changed(ui);
    Vec::new()
}

/// Offers what has been found meanwhile for the line as it stands.
pub(super) fn offer(ui: &mut Ui) {
    changed(ui);
}

/// After every change of the line: candidates, and for filters the rows at once.
fn changed(ui: &mut Ui) {
    let Some(prompt) = &mut ui.prompt else { return };
    prompt.picked = None;
    prompt.error = None;
    let (purpose, text) = (prompt.purpose, prompt.line.text.clone());
    let before = prompt.line.before().to_string();
    let kind = ui.list().map(|list| list.kind);
    let world = std::sync::Arc::clone(&ui.world);
    let ctx = Ctx { fleet: &world.fleet, now: ui.now };
    let (word_from, candidates) = match (purpose, kind) {
        (Purpose::Filter, Some(kind)) => command::filter_candidates(kind, ctx, &before, 0),
        (Purpose::Filter, None) if matches!(ui.here.page, Page::Log(_)) => (0, Vec::new()),
        (Purpose::Filter, None) => command::operation_candidates(&before),
        _ => command::candidates(ui, &before),
    };
    let is_known = is_known(ui, &text);
    let mut error = None;
    if let (Purpose::Filter, Some(kind)) = (purpose, kind) {
        match Query::parse(&text, kind) {
            Ok(_) => filter_by(ui, &text),
            Err(faults) => {
                error = PromptError::of(&faults);
                // A word that becomes the name of a column was looked for in all of them while it was typed, and found
                // nowhere: that says nothing of the query that it is a part of.
                let at = error.as_ref().map_or(0, |error| error.at);
                filter_by(ui, right_so_far(&text, at, kind));
            }
        }
    }
    if (purpose, kind) == (Purpose::Filter, None) && matches!(ui.here.page, Page::Log(_)) {
        error = logging::narrow(ui, &text);
    } else if (purpose, kind) == (Purpose::Filter, None) {
        error = oplist::fault(&text);
        if error.is_none() {
            steering::rearrange(ui, |list| list.filter = text.clone());
        }
    }
    if let Some(prompt) = &mut ui.prompt {
        prompt.takes_first = purpose == Purpose::Command && !is_known && !candidates.is_empty();
        (prompt.word_from, prompt.candidates, prompt.error) = (word_from, candidates, error);
    }
}

/// Shows the rows that a query finds.
fn filter_by(ui: &mut Ui, query: &str) {
    if let Some(list) = ui.list_mut()
        && list.filter != query
    {
        query.clone_into(&mut list.filter);
        ui.refresh_view();
    }
}

/// As much of a query as can be answered before the word that is wrong.
fn right_so_far(text: &str, wrong_at: usize, kind: Kind) -> &str {
    let mut so_far = text.get(..wrong_at).unwrap_or_default();
    loop {
        // No half word: it is a part of what is wrong.
        so_far = so_far.rfind(char::is_whitespace).and_then(|end| so_far.get(..end)).unwrap_or_default();
        if so_far.is_empty() || Query::parse(so_far, kind).is_ok() {
            return so_far;
        }
    }
}

/// Tells whether a line is a command, or a view that is kept.
fn is_known(ui: &Ui, text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.is_empty() || command::is_command(word) || ui.seat.views.get(text.trim()).is_some()
}

fn complete(ui: &mut Ui, backwards: bool) {
    let Some(prompt) = &mut ui.prompt else { return };
    let count = prompt.candidates.len();
    if count == 0 {
        return;
    }
    let picked = match (prompt.picked, backwards) {
        (None, false) => 0,
        (None, true) => count - 1,
        (Some(at), false) => (at + 1) % count,
        (Some(at), true) => (at + count - 1) % count,
    };
    let Some(word) = prompt.candidates.get(picked).map(|candidate| candidate.text.clone()) else { return };
    let from = prompt.word_from;
    let kept = std::mem::take(&mut prompt.candidates);
    let cursor = prompt.line.cursor;
    prompt.line.text.replace_range(from..cursor, &word);
    prompt.line.cursor = from + word.len();
    changed(ui);
    if let Some(prompt) = &mut ui.prompt {
        // The candidates stay those of what was typed, so that the next press takes the next one.
        if count > 1 {
            (prompt.candidates, prompt.word_from, prompt.picked) = (kept, from, Some(picked));
        }
    }
}

fn cancel(ui: &mut Ui) {
    let Some(prompt) = ui.prompt.take() else { return };
    ui.filters.leave();
    ui.commands.leave();
    let is_log = matches!(ui.here.page, Page::Log(_));
    match (prompt.purpose, ui.list_mut()) {
        (Purpose::Filter, Some(list)) => list.filter = prompt.before,
        (Purpose::Filter, None) if is_log => {
            // It held before, so nothing is wrong with it.
            let _ = logging::narrow(ui, &prompt.before);
        }
        (Purpose::Filter, None) => steering::rearrange(ui, |list| list.filter = prompt.before),
        (Purpose::Command, _) => {}
    }
    ui.refresh_view();
}

fn accept(ui: &mut Ui) -> Vec<Effect> {
    let Some(prompt) = &ui.prompt else { return Vec::new() };
    if prompt.error.is_some() {
        // It stays open on its error; `cancel` brings back what held before.
        return Vec::new();
    }
    let (purpose, text) = (prompt.purpose, prompt.line.text.trim().to_string());
    if purpose == Purpose::Command && !is_known(ui, &text) && ui.hunt_now() {
        changed(ui);
    }
    let Some(prompt) = &ui.prompt else { return Vec::new() };
    let taken =
        prompt.picked.or(prompt.takes_first.then_some(0)).and_then(|at| prompt.candidates.get(at)).cloned();
    match taken {
        Some(Candidate { target: target @ (Target::Object(..) | Target::Operation(_)), .. }) => {
            ui.prompt = None;
            ui.commands.remember(&text);
            palette::go_to(ui, target);
            ui.settle();
            return Vec::new();
        }
        // What needs something after it goes on being typed.
        Some(candidate) if prompt.takes_first && prompt.picked.is_none() => {
            let text = candidate.text;
            if let Some(prompt) = &mut ui.prompt {
                prompt.line = Line::new(text.clone());
            }
            changed(ui);
            return if text.ends_with(' ') { Vec::new() } else { accept(ui) };
        }
        _ => {}
    }
    match purpose {
        Purpose::Filter => {
            ui.prompt = None;
            ui.filters.remember(&text);
            ui.refresh_view();
            Vec::new()
        }
        Purpose::Command => {
            let effects = command::run(ui, &text);
            match effects {
                Ok(effects) => {
                    ui.prompt = None;
                    ui.commands.remember(&text);
                    ui.settle();
                    effects
                }
                Err(error) => {
                    let leading = ui
                        .prompt
                        .as_ref()
                        .map_or(0, |prompt| prompt.line.text.len() - prompt.line.text.trim_start().len());
                    if let Some(prompt) = &mut ui.prompt {
                        prompt.error = Some(PromptError { at: error.at + leading, ..error });
                    }
                    Vec::new()
                }
            }
        }
    }
}
