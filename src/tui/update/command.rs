//! The command line: pages with a query, actions by name, `sort COLUMN`.

use super::{act, marking, open_filtered, sort_by, together};
use crate::config::parse_moment;
use crate::error::did_you_mean;
use crate::query::{Ctx, Kind, Query, complete};
use crate::tui::action::{ACTIONS, Action, Layer};
use crate::tui::state::{Effect, PromptError, SortBy, Ui};

/// How many candidates are offered.
const OFFERED: usize = 12;

/// Commands that are no action and no page.
const OWN: [&str; 8] = ["sort", "filter", "group", "ungroup", "mark", "overview", "at", "q"];

impl PromptError {
    /// The first fault; how many more there are shows when it is mended.
    pub(super) fn of(faults: &[crate::query::Fault]) -> Option<Self> {
        let fault = faults.first()?;
        let message = match &fault.hint {
            Some(hint) => format!("{}; {hint}", fault.message),
            None => fault.message.clone(),
        };
        Some(Self { at: fault.span.start, message })
    }
}

/// Carries out a line. The error points into it.
pub(super) fn run(ui: &mut Ui, line: &str) -> Result<Vec<Effect>, PromptError> {
    let (word, rest_at) = match line.find(char::is_whitespace) {
        Some(at) => (line.get(..at).unwrap_or_default(), at),
        None => (line, line.len()),
    };
    let rest = line.get(rest_at..).unwrap_or_default();
    let rest_at = rest_at + (rest.len() - rest.trim_start().len());
    let rest = rest.trim();
    let wrong = |at: usize, message: String| Err(PromptError { at, message });
    match word {
        "" => return Ok(Vec::new()),
        "q" | "quit" | "exit" => return Ok(act(ui, Action::Quit)),
        "overview" => return Ok(act(ui, Action::Overview)),
        "at" => {
            let at = parse_moment(rest, ui.real, &ui.about.zone);
            return match at {
                Ok(at) => Ok(super::time::go(ui, Some(at))),
                Err(why) => wrong(rest_at, why),
            };
        }
        "sort" => {
            let Some(kind) = ui.list().map(|list| list.kind) else {
                return wrong(0, "this page has no table to sort".into());
            };
            let mut words = rest.split_whitespace();
            let Some(name) = words.next() else {
                sort_by(ui, None);
                return Ok(Vec::new());
            };
            let column = kind.column(name).map_err(|error| PromptError {
                at: rest_at,
                message: [error.message]
                    .into_iter()
                    .chain(error.hints.into_iter().take(1))
                    .collect::<Vec<_>>()
                    .join("; "),
            })?;
            let is_descending = match words.next() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(other) => {
                    let at = rest_at + rest.rfind(other).unwrap_or(0);
                    return wrong(at, format!("`{other}` is no order; write asc or desc"));
                }
            };
            sort_by(ui, Some(SortBy { column: column.name, is_descending }));
            return Ok(Vec::new());
        }
        "group" => {
            let Some(kind) = ui.list().map(|list| list.kind) else {
                return wrong(0, "this page has no table".into());
            };
            let column = kind.column(rest).map_err(|error| PromptError {
                at: rest_at,
                message: error.hints.into_iter().take(1).fold(error.message, |a, b| format!("{a}; {b}")),
            })?;
            if ui.list().is_some_and(|list| list.group_by != Some(column.name)) {
                together::put(ui, column.name);
            }
            return Ok(Vec::new());
        }
        "ungroup" => {
            together::apart(ui);
            return Ok(Vec::new());
        }
        "mark" => {
            let Some(kind) = ui.list().map(|list| list.kind) else {
                return wrong(0, "this page has no rows to mark".into());
            };
            check(kind, rest, rest_at)?;
            if let Ok(query) = Query::parse(rest, kind) {
                marking::by_query(ui, &query);
            }
            return Ok(Vec::new());
        }
        "filter" => {
            let Some(kind) = ui.list().map(|list| list.kind) else {
                return wrong(0, "this page has no rows to filter".into());
            };
            check(kind, rest, rest_at)?;
            if let Some(list) = ui.list_mut() {
                list.filter = rest.to_string();
            }
            ui.refresh_view();
            return Ok(Vec::new());
        }
        _ => {}
    }
    if let Ok(kind) = Kind::parse(word) {
        check(kind, rest, rest_at)?;
        open_filtered(ui, kind, rest);
        return Ok(Vec::new());
    }
    let action = Action::named(word).filter(|action| is_offered(*action));
    match action {
        Some(_) if !rest.is_empty() => wrong(rest_at, format!("`{word}` takes nothing after it")),
        Some(action) => {
            let layer = ui.layer_below();
            let layers = action.about().map_or(&[][..], |about| about.layers);
            if layers.contains(&layer) || layers.contains(&Layer::All) {
                // The action is about the page below the line, not about the line.
                ui.prompt = None;
                return Ok(act(ui, action));
            }
            wrong(0, format!("`{word}` means nothing on this page"))
        }
        None => {
            let near = did_you_mean(word, words());
            let hint = near
                .map_or_else(|| "tab shows what there is".into(), |near| format!("did you mean `{near}`?"));
            wrong(0, format!("no page and no command named `{word}`; {hint}"))
        }
    }
}

fn check(kind: Kind, query: &str, at: usize) -> Result<(), PromptError> {
    match Query::parse(query, kind) {
        Ok(_) => Ok(()),
        Err(faults) => match PromptError::of(&faults) {
            Some(error) => Err(PromptError { at: error.at + at, ..error }),
            None => Ok(()),
        },
    }
}

/// Actions that make sense when typed: not those about the line itself.
fn is_offered(action: Action) -> bool {
    action.about().is_some_and(|about| {
        about.layers.iter().any(|layer| matches!(layer, Layer::All | Layer::List))
            && !matches!(action, Action::Command | Action::Sort | Action::Filter)
    })
}

fn words() -> impl Iterator<Item = &'static str> {
    let kinds = Kind::ALL.into_iter().map(Kind::word);
    let actions = ACTIONS.iter().filter(|about| is_offered(about.action)).map(|about| about.name);
    kinds.chain(OWN).chain(actions)
}

/// What the word before the cursor may become: where it begins, and the candidates.
pub(super) fn candidates(kind: Option<Kind>, ctx: Ctx<'_>, before: &str) -> (usize, Vec<String>) {
    let from = word_start(before);
    let typed = before.get(from..).unwrap_or_default();
    let head = before.get(..from).unwrap_or_default().trim();
    match (head, kind) {
        ("", _) => (from, matching(typed, words())),
        ("sort" | "group", Some(kind)) => {
            (from, matching(typed, kind.columns().iter().map(|column| column.name)))
        }
        (head, Some(kind)) if head == "filter" || head.starts_with("filter ") => {
            filter_candidates(kind, ctx, before, "filter".len())
        }
        (head, Some(kind)) if head == "mark" || head.starts_with("mark ") => {
            filter_candidates(kind, ctx, before, "mark".len())
        }
        (head, _) => match Kind::parse(head.split_whitespace().next().unwrap_or_default()) {
            Ok(kind) => {
                let word = before.trim_start().find(char::is_whitespace).unwrap_or(0);
                filter_candidates(kind, ctx, before, before.len() - before.trim_start().len() + word)
            }
            Err(_) if head.starts_with("sort ") => (from, matching(typed, ["asc", "desc"].into_iter())),
            Err(_) => (from, Vec::new()),
        },
    }
}

/// What the query that begins at byte `at` may go on with: columns, and values that rows have.
pub(super) fn filter_candidates(kind: Kind, ctx: Ctx<'_>, before: &str, at: usize) -> (usize, Vec<String>) {
    let query = before.get(at..).unwrap_or_default();
    if query.trim().is_empty() {
        return (before.len(), Vec::new());
    }
    let completion = complete(query, query.len(), ctx, kind);
    let texts = completion.candidates.into_iter().map(|candidate| candidate.text).take(OFFERED);
    (at + completion.span.start, texts.collect())
}

fn word_start(before: &str) -> usize {
    before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before.get(at..).and_then(|tail| tail.chars().next()).map_or(1, char::len_utf8))
}

/// Words that begin with what was typed, then those that hold it; each once.
fn matching<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let typed = typed.to_lowercase();
    let (mut begin, mut hold) = (Vec::new(), Vec::new());
    for word in words {
        if begin.iter().chain(&hold).any(|known| known == word) {
            continue;
        }
        if word.starts_with(&typed) {
            begin.push(word.to_string());
        } else if !typed.is_empty() && word.contains(&typed) {
            hold.push(word.to_string());
        }
    }
    begin.append(&mut hold);
    begin.truncate(OFFERED);
    begin
}
