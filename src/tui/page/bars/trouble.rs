//! The line that says what could not be read.

use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{Health, Trouble};
use crate::snapshot::Doubled;
use crate::tui::action::Action;
use crate::tui::cell;
use crate::tui::page::{self, TextLine, has_trouble, registry_faults};
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// A cause of trouble, told by the first list that it fails.
struct Told<'a> {
    /// The page shows one of the lists.
    is_here: bool,
    what: String,
    message: String,
    hint: Option<&'a str>,
    /// How many other lists it fails.
    more: usize,
}

/// The line that says what could not be read: what the page shows first.
pub(crate) fn trouble<'a>(ui: &'a Ui) -> TextLine {
    if !has_trouble(ui) {
        return TextLine::new();
    }
    let snapshot = &ui.world.snapshot;
    let here = page::sources(ui);
    let said = |trouble: &Trouble| format!("{}: {}", trouble.kind.word(), trouble.message);
    // One cause often fails many lists: it is told once, by the first of them that this page shows.
    let mut all: Vec<Told<'_>> = Vec::new();
    let mut tell = |is_here: bool, what: String, message: String, hint: Option<&'a str>| match all
        .iter_mut()
        .find(|told| told.message == message && told.hint == hint)
    {
        Some(told) if is_here && !told.is_here => {
            (told.is_here, told.what, told.more) = (true, what, told.more + 1);
        }
        Some(told) => told.more += 1,
        None => all.push(Told { is_here, what, message, hint, more: 0 }),
    };
    for (what, trouble) in &snapshot.troubles {
        tell(true, what.clone(), said(trouble), trouble.hint.as_deref());
    }
    for twice in snapshot.doubled() {
        tell(true, twice.scope.to_string(), twice.to_string(), Some(Doubled::HINT));
    }
    for (scope, source, trouble) in snapshot.troubled() {
        let what = format!("{scope} {}", source.word());
        tell(here.contains(&source), what, said(trouble), trouble.hint.as_deref());
    }
    if let Some(why) = &ui.world.timeline.trouble {
        tell(false, "history".to_owned(), why.to_string(), None);
    }
    for (scope, fault) in registry_faults(snapshot) {
        tell(here.contains(&Source::Registry), format!("{scope} registry"), fault.to_string(), None);
    }
    // What this page shows comes first; the order is otherwise kept.
    all.sort_by_key(|told| !told.is_here);
    let count = all.len();
    let Some(Told { mut what, message, hint, more, .. }) = all.into_iter().next() else {
        return TextLine::new();
    };
    if more > 0 {
        what.push_str(&format!(" and {more} more"));
    }
    let sign = ui.signs().health(Health::Warn);
    let key = ui.keymap.keys_of(ui.layer_below(), Action::Troubles).into_iter().next().unwrap_or_default();
    let tail = if count > 1 { format!("  {key} all {count}") } else { format!("  {key} more") };
    let width = usize::from(ui.width);
    let room = width.saturating_sub(tail.width());
    let says = format!("{sign} {}: {}", harmless(&what), harmless(&message));
    let mut line = TextLine::new();
    let next = hint.map(|hint| format!(" {} {}", ui.signs().next(), harmless(hint)));
    // The next command is worth more than the end of the sentence: the sentence keeps at least half.
    let hint_room = next.as_ref().map_or(0, |next| next.width()).min(room / 2);
    let says = cell::cut(&says, room.saturating_sub(hint_room), ui.signs().cut()).into_owned();
    let left = room.saturating_sub(says.width());
    line.push((Role::Trouble, says));
    if let Some(next) = next {
        let next = cell::cut(&next, left, ui.signs().cut()).into_owned();
        line.push((Role::TroubleHint, next));
    }
    let used: usize = line.iter().map(|(_, text)| text.width()).sum();
    line.push((Role::Text, " ".repeat(room.saturating_sub(used))));
    line.push((Role::HintKey, tail));
    line
}
