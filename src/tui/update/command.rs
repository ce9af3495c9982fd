//! The command line: pages with a query, actions by name, `sort COLUMN`.

use super::{act, marking, open_filtered, palette, sort_by, steering, together, views};
use crate::config::parse_moment;
use crate::error::did_you_mean;
use crate::query::{Ctx, Kind, Offer, Query, complete};
use crate::tui::action::{ACTIONS, Action, Layer};
use crate::tui::oplist::{self, By};
use crate::tui::saved;
use crate::tui::state::{Candidate, Effect, Page, PromptError, SortBy, Target, Ui};

/// How many candidates are offered.
const OFFERED: usize = 12;

/// Commands that take something after them, and what they do.
pub(super) const OWN: [(&str, &str); 9] = [
    ("sort", "Sort by a column, also one that does not show; `desc` for the greatest first"),
    ("filter", "Show only rows that match a query"),
    ("group", "Put rows together by a column"),
    ("at", "Show the fleet as it was: -1h, 22:54, 2026-11-21T22:54:00Z"),
    ("mark", "Mark every row that matches a query"),
    ("theme", "Change the colours"),
    ("keymap", "Change the keys"),
    ("save-view", "Keep this page with its filter and order under a name"),
    ("forget-view", "Forget a view that was kept"),
];

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
        "operations" | "ops" => return Ok(act(ui, Action::Operations)),
        "capacity" => return Ok(act(ui, Action::Capacity)),
        "at" => {
            let at = parse_moment(rest, ui.real, &ui.about.zone);
            return match at {
                Ok(at) => Ok(super::time::go(ui, Some(at))),
                Err(why) => wrong(rest_at, why),
            };
        }
        "sort" if matches!(ui.here.page, Page::Operations) => {
            let (name, order) = rest.split_once(' ').unwrap_or((rest, "asc"));
            let by = By::ALL.into_iter().find(|by| by.word() == name);
            if by.is_none() && !name.is_empty() {
                let known = By::ALL.map(By::word).join(", ");
                return wrong(rest_at, format!("operations are not sorted by `{name}`; they are by {known}"));
            }
            let is_turned = match order.trim() {
                "asc" => false,
                "desc" => true,
                other => {
                    return wrong(
                        rest_at + name.len() + 1,
                        format!("`{other}` is no order; write asc or desc"),
                    );
                }
            };
            steering::rearrange(ui, |list| list.order = by.map(|by| (by, is_turned)));
            return Ok(Vec::new());
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
        "filter" if matches!(ui.here.page, Page::Operations) => {
            if let Some(error) = oplist::fault(rest) {
                return Err(PromptError { at: error.at + rest_at, ..error });
            }
            steering::rearrange(ui, |list| list.filter = rest.to_owned());
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
        "theme" | "keymap" if rest.is_empty() => {
            let names = if word == "theme" { &ui.seat.themes } else { &ui.seat.keymaps };
            return wrong(line.len(), format!("which? {}", names.join(", ")));
        }
        "theme" => return Ok(vec![Effect::Theme(rest.to_owned())]),
        "keymap" => return Ok(vec![Effect::Keymap(rest.to_owned())]),
        "save-view" => {
            let name =
                saved::name_of(rest).map_err(|message| PromptError { at: rest_at, message })?.to_owned();
            let Some(view) = views::of(ui) else {
                return wrong(0, "this page is no list: open one, filter and sort it, and keep that".into());
            };
            let mut kept = ui.seat.views.clone();
            kept.keep(&name, view);
            return Ok(vec![Effect::Views(kept)]);
        }
        "forget-view" => {
            let mut kept = ui.seat.views.clone();
            if !kept.forget(rest) {
                let names: Vec<&str> = kept.iter().map(|(name, _)| name).collect();
                let near = did_you_mean(rest, names.iter().copied());
                let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return wrong(rest_at, format!("no view named `{rest}`{hint}"));
            }
            return Ok(vec![Effect::ForgetView(rest.to_owned(), kept)]);
        }
        _ => {}
    }
    if let Ok(kind) = Kind::parse(word) {
        check(kind, rest, rest_at)?;
        open_filtered(ui, kind, rest);
        return Ok(Vec::new());
    }
    if let Some(view) = ui.seat.views.get(word).filter(|_| rest.is_empty()).cloned() {
        views::open(ui, &view);
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
pub(in crate::tui) fn is_offered(action: Action) -> bool {
    action.about().is_some_and(|about| {
        about.layers.iter().any(|layer| matches!(layer, Layer::All | Layer::List))
            && !matches!(action, Action::Command | Action::Sort | Action::Filter)
    })
}

fn words() -> impl Iterator<Item = &'static str> {
    let kinds = Kind::ALL.into_iter().map(Kind::word);
    let actions = ACTIONS.iter().filter(|about| is_offered(about.action)).map(|about| about.name);
    let own = OWN.iter().map(|(name, _)| *name);
    kinds
        .chain(own)
        .chain(["overview", "operations", "ops", "capacity", "ungroup", "q", "quit", "exit"])
        .chain(actions)
}

/// Tells whether a line that begins with this word is a command.
pub(in crate::tui) fn is_command(word: &str) -> bool {
    Kind::parse(word).is_ok() || words().any(|known| known == word)
}

/// Tells whether what was typed may be a page, an action or a thing by a few of its letters: a command that takes
/// words after it is none.
pub(in crate::tui) fn means_anything(typed: &str) -> bool {
    match typed.split_whitespace().collect::<Vec<_>>().as_slice() {
        [first, _, ..] => !is_command(first),
        _ => true,
    }
}

/// What the line may become: where the part begins that a candidate replaces, and the candidates.
pub(super) fn candidates(ui: &Ui, before: &str) -> (usize, Vec<Candidate>) {
    let kind = ui.list().map(|list| list.kind);
    let ctx = Ctx { fleet: &ui.world.fleet, now: ui.now };
    let from = word_start(before);
    let typed = before.get(from..).unwrap_or_default();
    let words: Vec<&str> = before.get(..from).unwrap_or_default().split_whitespace().collect();
    let of = |what, names: Vec<&str>| {
        (from, matching(typed, names.into_iter()).into_iter().map(|text| plain(text, what)).collect())
    };
    let names = |names: &[String]| names.iter().map(|name| &**name).collect::<Vec<_>>().join("\n");
    match (words.as_slice(), kind) {
        ([], _) => (before.len() - before.trim_start().len(), palette::candidates(ui, before)),
        (["sort" | "group"], Some(kind)) => {
            of("column", kind.columns().iter().map(|column| column.name).collect())
        }
        (["sort"], None) if matches!(ui.here.page, Page::Operations) => {
            of("order", By::ALL.map(By::word).to_vec())
        }
        (["sort", _], _) => of("order", vec!["asc", "desc"]),
        (["theme"], _) => of("theme", names(&ui.seat.themes).lines().collect()),
        (["keymap"], _) => of("keymap", names(&ui.seat.keymaps).lines().collect()),
        (["save-view" | "forget-view"], _) => {
            of("view", ui.seat.views.iter().map(|(name, _)| name).collect())
        }
        (["filter" | "mark", ..], Some(kind)) => filter_candidates(kind, ctx, before, after_word(before)),
        ([first, ..], _) => match Kind::parse(first) {
            Ok(kind) => filter_candidates(kind, ctx, before, after_word(before)),
            Err(_) if is_command(first) => (from, Vec::new()),
            // Several words of a name.
            Err(_) => (before.len() - before.trim_start().len(), palette::candidates(ui, before)),
        },
    }
}

/// Where the first word of a line ends.
fn after_word(line: &str) -> usize {
    let lead = line.len() - line.trim_start().len();
    lead + line.trim_start().find(char::is_whitespace).unwrap_or(line.len() - lead)
}

fn plain(text: String, what: &'static str) -> Candidate {
    Candidate { text, what, doc: String::new(), key: String::new(), target: Target::Line }
}

/// What the query that begins at byte `at` may go on with: columns, and values that rows have.
pub(super) fn filter_candidates(
    kind: Kind,
    ctx: Ctx<'_>,
    before: &str,
    at: usize,
) -> (usize, Vec<Candidate>) {
    let query = before.get(at..).unwrap_or_default();
    if query.trim().is_empty() {
        return (before.len(), Vec::new());
    }
    let completion = complete(query, query.len(), ctx, kind);
    let offered = completion.candidates.into_iter().take(OFFERED).map(|candidate| {
        let what = match candidate.offer {
            Offer::Column => "column",
            Offer::Tag => "tag",
            Offer::Sign => "sign",
            Offer::Value => "value",
            Offer::Keyword => "word",
        };
        Candidate { doc: candidate.doc, ..plain(candidate.text, what) }
    });
    (at + completion.span.start, offered.collect())
}

/// What a filter of operations may go on with.
pub(super) fn operation_candidates(before: &str) -> (usize, Vec<Candidate>) {
    let (from, offered) = oplist::offers(before);
    let named = |(text, doc): (String, &str)| Candidate { doc: doc.to_owned(), ..plain(text, "column") };
    (from, offered.into_iter().map(named).collect())
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
