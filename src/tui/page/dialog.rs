//! The lines of the dialog before something is changed: its fields, the plan or what stands against it, and how
//! it is confirmed.

use super::TextLine;
use super::preview;
use crate::model::text::harmless;
use crate::ops::{Confirm, Verb};
use crate::tui::cell;
use crate::tui::dialog::{Content, Dialog, Field, Name, Stage, What};
use crate::tui::line::Line;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Lines with the place of the cursor in them: column and line.
pub(crate) struct Fields {
    pub(crate) lines: Vec<TextLine>,
    pub(crate) cursor: Option<(usize, usize)>,
}

/// Which rows of the screen a dialog has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Its first row: the line with its title.
    pub(crate) top: u16,
    /// Rows of fields below that.
    pub(crate) fields: u16,
    /// The first row of the plan, and how many there are.
    pub(crate) text: u16,
    pub(crate) height: u16,
    /// The row of the confirmation.
    pub(crate) confirm: u16,
}

/// Divides the body. The confirmation is always there, then as much of the fields as leaves half to the plan.
pub(crate) fn room(ui: &Ui, dialog: &Dialog) -> Room {
    room_of(ui, dialog, (ui.width, ui.height))
}

fn room_of(ui: &Ui, dialog: &Dialog, (width, height): (u16, u16)) -> Room {
    let layout = super::layout_of(ui, height);
    let top = layout.columns.unwrap_or(layout.body);
    let all = layout.body_end.saturating_sub(top);
    let wanted = fields_in(ui, dialog, usize::from(width)).lines.len();
    let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
    let fields = wanted.min(all.saturating_sub(3) / 2);
    let text = top + 1 + fields + 1;
    let confirm = layout.body_end.saturating_sub(1);
    Room { top, fields, text, height: confirm.saturating_sub(text), confirm }
}

/// Fewer lines of a plan than these are no plan to look at, and so are narrower ones.
const LEAST_LINES: u16 = 3;
const LEAST_COLUMNS: usize = 30;
/// No dialog needs a screen of more rows.
const MOST_ROWS: u16 = 60;

/// The columns and rows that the screen must have before this may be confirmed, where it has fewer: nobody says yes
/// to what does not show.
pub(crate) fn too_small(ui: &Ui, dialog: &Dialog) -> Option<(u16, u16)> {
    let asks = match dialog.confirm()? {
        Confirm::Yes => brief(None).width(),
        // What is typed stands behind it, and the cursor behind that.
        Confirm::Words(words) => brief(Some(&words)).width() + harmless(&words).width() + 1,
    };
    let columns = u16::try_from(LEAST_COLUMNS.max(1 + asks)).unwrap_or(u16::MAX);
    let is_enough = |size: (u16, u16)| room_of(ui, dialog, size).height >= LEAST_LINES;
    if ui.width >= columns && is_enough((ui.width, ui.height)) {
        return None;
    }
    let width = ui.width.max(columns);
    let rows = (1..MOST_ROWS).find(|rows| is_enough((width, *rows))).unwrap_or(MOST_ROWS);
    Some((columns, rows))
}

/// That the screen is too small, in as many words as there is room for.
pub(crate) fn says_too_small((columns, rows): (u16, u16), width: usize, lines: usize) -> Vec<String> {
    let size = format!("{columns}x{rows}");
    let ways = [
        format!(
            "The screen is too small to show what would be done: {columns} columns and {rows} rows are needed. \
             Nothing is done before; esc leaves"
        ),
        format!("too small for the plan: {size} is needed; esc leaves"),
        format!("too small: {size} is needed"),
        format!("too small: {size}"),
    ];
    let mut wrapped = ways.iter().map(|says| cell::wrap(says, width));
    wrapped.find(|wrapped| wrapped.len() <= lines).unwrap_or_else(|| vec![size])
}

/// How many lines of the plan show at once, and how many there are.
pub(crate) fn extent(ui: &Ui) -> (usize, usize) {
    ui.dialog.as_ref().map_or((0, 0), |dialog| {
        (usize::from(room(ui, dialog).height), text(ui, dialog, usize::from(ui.width)).len())
    })
}

/// The fields, as many on a line as fit; why has a line of its own.
pub(crate) fn fields(ui: &Ui, dialog: &Dialog) -> Fields {
    fields_in(ui, dialog, usize::from(ui.width))
}

fn fields_in(ui: &Ui, dialog: &Dialog, width: usize) -> Fields {
    let mut made = Fields { lines: Vec::new(), cursor: None };
    let mut used = width;
    for (at, field) in dialog.fields.iter().enumerate() {
        let is_at = at == dialog.focus;
        let lead = if is_at { ui.signs().cursor() } else { " " };
        let label = field.name.label();
        let (before, value) = match &field.content {
            Content::Choice(..) => (0, format!("<{}>", field.text())),
            Content::Text(line) => part(line, width.saturating_sub(label.width() + 4), ui.signs().cut()),
        };
        let least = if field.name == Name::Reason { 20 } else { 6 };
        let value = match &field.content {
            Content::Choice(..) => value,
            Content::Text(_) => format!("{value:_<least$}"),
        };
        let wide = 1 + label.width() + 1 + value.width() + 2;
        if used + wide > width || field.name == Name::Reason {
            made.lines.push(TextLine::new());
            used = 0;
        }
        let line = made.lines.len() - 1;
        if is_at && matches!(field.content, Content::Text(_)) {
            made.cursor = Some((used + 1 + label.width() + 1 + before, line));
        }
        let role = if is_at { Role::RowCursor } else { Role::Strong };
        if let Some(pieces) = made.lines.last_mut() {
            pieces.push((Role::Gutter, lead.to_owned()));
            pieces.push((Role::Dim, format!("{label} ")));
            pieces.push((role, value));
            pieces.push((Role::Text, "  ".to_owned()));
        }
        used += wide;
    }
    if let Some(field) = dialog.field() {
        let said = cell::wrap(&doc(field), width.saturating_sub(2));
        made.lines.extend(said.into_iter().map(|line| vec![(Role::Hint, format!(" {line}"))]));
    }
    made
}

/// As much of a line as fits around its cursor, with marks where something is cut off; and where the cursor stands.
fn part(line: &Line, room: usize, cut: &str) -> (usize, String) {
    let (before, after) = (harmless(line.before()), harmless(line.after()));
    let at = before.width();
    if at + after.width() < room {
        return (at, format!("{before}{after}"));
    }
    // A column is left for the cursor behind the end, and one for the mark before what shows.
    let hidden = (at + 2).saturating_sub(room);
    let (mut left, mut shown) = (0, String::new());
    for grapheme in before.graphemes(true) {
        if left < hidden {
            left += grapheme.width();
        } else {
            shown.push_str(grapheme);
        }
    }
    if hidden > 0 {
        shown.insert_str(0, cut);
    }
    let at = shown.width();
    shown.push_str(&cell::cut(&after, room.saturating_sub(at), cut));
    (at, shown)
}

fn doc(field: &Field) -> String {
    match &field.content {
        Content::Choice(all, _) => format!("{}: {} (left, right)", field.name.doc(), all.join(" | ")),
        Content::Text(_) => field.name.doc().to_owned(),
    }
}

/// The plan, or what is said in its place.
pub(crate) fn text(ui: &Ui, dialog: &Dialog, width: usize) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let wide = width.saturating_sub(2);
    let mut say = |role: Role, text: &str| {
        lines.extend(cell::wrap(text, wide).into_iter().map(|text| vec![(role, format!(" {text}"))]));
    };
    if let Some(note) = &dialog.note {
        say(Role::Unknown, note);
    }
    match &dialog.stage {
        Stage::Lacking(what) => say(Role::Note, what),
        Stage::Planning(so_far) => {
            let cut = ui.signs().cut();
            say(Role::Note, &format!("reading the fleet and planning{cut} nothing is changed by that"));
            so_far.iter().for_each(|so_far| say(Role::Dim, so_far));
        }
        Stage::Planned(offer) | Stage::Beginning(offer) => lines.extend(preview::plan(ui, offer, width)),
        Stage::Declined(declined) => lines.extend(preview::declined(ui, declined, width)),
        Stage::Ready => {
            if let What::Ask(_, verb) = &dialog.what {
                say(Role::Text, asks(*verb));
            }
        }
    }
    lines
}

/// What comes of asking.
fn asks(verb: Verb) -> &'static str {
    match verb {
        Verb::Pause => "No more calls are made until it is resumed. What was begun at AWS goes on there.",
        Verb::Resume => "It goes on where it stands, with a new runner where the last one is gone.",
        Verb::Cancel => {
            "No more targets are begun, and those that were begun are left as they are: half done. It ends as \
             `stopped part way`; rolling it back afterwards undoes what was done."
        }
        Verb::Rollback => {
            "Every target that was begun is set back, last step first, and no more are begun. What cannot be \
             undone is listed at the end."
        }
        Verb::Takeover => {
            "Another runner becomes its runner. The one that has it now can write nothing any more, and \
             therefore calls nothing any more. The new one waits a minute for a call that may be under way."
        }
    }
}

/// The line of the confirmation, and the column of the cursor in it where something is typed.
pub(crate) fn confirm(ui: &Ui, dialog: &Dialog) -> (TextLine, Option<usize>) {
    let cut = ui.signs().cut();
    let is_at = dialog.is_confirming();
    let lead = (Role::Gutter, if is_at { ui.signs().cursor().to_owned() } else { " ".to_owned() });
    let only = |role: Role, text: String| (vec![lead.clone(), (role, text)], None);
    let elsewhere = if is_at { "" } else { " (tab leads here)" };
    let fits = |asks: usize| asks < usize::from(ui.width);
    match (&dialog.stage, dialog.confirm()) {
        (Stage::Lacking(_), _) => only(Role::Dim, "no plan yet".to_owned()),
        (Stage::Planning(_), _) => only(Role::Dim, format!("planning{cut} esc leaves")),
        (Stage::Beginning(_), _) => {
            only(Role::Note, format!("entered into the journal and given a runner{cut}"))
        }
        (Stage::Declined(_), _) => only(
            Role::Trouble,
            "Nothing was changed. Enter plans it again, tab goes to the fields, esc leaves".to_owned(),
        ),
        (_, Some(Confirm::Yes)) => {
            let asks = ["Do this? Press ", "y", &format!(" to do it, esc to leave [no]{elsewhere}")];
            let pieces = if fits(asks.concat().width()) {
                let [ask, key, rest] = asks.map(str::to_owned);
                vec![lead.clone(), (Role::Strong, ask), (Role::HintKey, key), (Role::Strong, rest)]
            } else {
                vec![lead.clone(), (Role::Strong, brief(None))]
            };
            (pieces, None)
        }
        (_, Some(Confirm::Words(words))) => {
            let typed = harmless(&words).into_owned();
            let ways = [
                format!("Type {typed} and enter to do this, esc to leave [no]{elsewhere}: "),
                format!("Type {typed} and enter, esc leaves [no]: "),
            ];
            // What is typed must have room behind it.
            let mut ways = ways.into_iter().filter(|ask| fits(ask.width() + typed.width() + 1));
            let ask = ways.next().unwrap_or_else(|| brief(Some(&words)));
            let before = harmless(dialog.typed.before()).into_owned();
            let at = 1 + ask.width() + before.width();
            let pieces = vec![
                lead.clone(),
                (Role::Strong, ask),
                (Role::Prompt, harmless(&dialog.typed.text).into_owned()),
            ];
            (pieces, is_at.then_some(at))
        }
        (_, None) => only(Role::Dim, String::new()),
    }
}

/// The same question where there is little room.
fn brief(words: Option<&str>) -> String {
    match words {
        None => "y does it, esc leaves [no]".to_owned(),
        Some(words) => format!("Type {} [no]: ", harmless(words)),
    }
}
