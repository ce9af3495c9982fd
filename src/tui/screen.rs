//! Draws the state. Reads it, never changes it; builds only the rows that show.

mod dialog;
mod list;
mod operations;
mod palette;

use super::card::Card;
use super::keymap::Match;
use super::oplist;
use super::page::{self, TextLine, bars, describe, menu, overview, slider, table};
use super::state::{Page, Purpose, Ui};
use super::theme::{Role, Theme};
use super::{cell, painter};
use crate::model::text::{harmless, is_plain};
use crate::query::{Column, Kind, Value};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

/// A frame: the cells, and where the cursor stands when a line is being typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The cells.
    pub cells: Buffer,
    /// The cursor; hidden when there is none.
    pub cursor: Option<Position>,
}

/// Where text is put.
struct Canvas<'a> {
    cells: Buffer,
    theme: &'a Theme,
    /// What ends a line that has more than there is room for.
    cut: &'static str,
}

impl Canvas<'_> {
    /// Writes at most `room` columns of text; returns the column after it. Whatever the text holds, it is
    /// harmless on the screen and stays within its room.
    fn put(&mut self, x: u16, y: u16, text: &str, style: Style, room: u16) -> u16 {
        if y >= self.cells.area.height || x >= self.cells.area.width {
            return x;
        }
        let room = room.min(self.cells.area.width - x);
        if is_plain(text) {
            return self.put_plain(x, y, text, style, room);
        }
        let text = cell::cut(text, usize::from(room), "");
        let (x, _) = self.cells.set_stringn(x, y, text.as_ref(), usize::from(room), style);
        x
    }

    /// Writes text of which each byte is a column, which nearly all is: most of what a frame takes is this.
    fn put_plain(&mut self, x: u16, y: u16, text: &str, style: Style, room: u16) -> u16 {
        let start = self.cells.index_of(x, y);
        let cells = self.cells.content.get_mut(start..start + usize::from(room)).unwrap_or_default();
        let mut end = x;
        for (cell, byte) in cells.iter_mut().zip(text.bytes()) {
            cell.set_char(char::from(byte)).set_style(style);
            end += 1;
        }
        end
    }

    fn line(&mut self, x: u16, y: u16, pieces: &TextLine) {
        let all = usize::from(self.cells.area.width.saturating_sub(x));
        let wide: usize = pieces.iter().map(|(_, text)| text.width()).sum();
        let blank = pieces.last().map_or(0, |(_, text)| text.width() - text.trim_end().width());
        // Nobody may take a line that goes on for one that ends at the edge.
        let is_cut = wide - blank > all;
        let end = self.cells.area.width.saturating_sub(u16::from(is_cut));
        let mut x = x;
        for (role, text) in pieces {
            let room = end.saturating_sub(x);
            let mut style = self.theme.style(*role);
            if *role == Role::Past {
                // Told in every theme, and without colours too.
                style = style.add_modifier(Modifier::REVERSED | Modifier::BOLD);
            }
            x = self.put(x, y, text, style, room);
        }
        if is_cut {
            self.put(x, y, self.cut, self.theme.style(Role::Dim), 1);
        }
    }
}

/// Draws everything.
pub fn draw(ui: &Ui, theme: &Theme) -> Frame {
    let lean;
    let theme = if ui.lean().is_on() {
        lean = theme.clone().lean();
        &lean
    } else {
        theme
    };
    let mut canvas = Canvas { cells: painter::frame(ui.width, ui.height), theme, cut: ui.signs().cut() };
    if ui.width == 0 || ui.height == 0 {
        return Frame { cells: canvas.cells, cursor: None };
    }
    let layout = page::layout(ui);
    if let Some(y) = layout.header {
        canvas.line(0, y, &bars::header(ui));
    }
    if let Some(y) = layout.slider {
        canvas.line(0, y, &slider::line(ui));
    }
    if let Some(y) = layout.title {
        canvas.line(0, y, &bars::title(ui));
    }
    if let Some(y) = layout.trouble {
        canvas.line(0, y, &bars::trouble(ui));
    }
    match &ui.here.page {
        Page::Overview => draw_overview(ui, &mut canvas, layout),
        Page::List(list) => list::draw(ui, list, &mut canvas, layout),
        Page::Operations => operations::draw(ui, &mut canvas, layout),
        Page::Log(_) => {
            let height = usize::from(layout.body_height);
            for (y, line) in (layout.body..).zip(page::log::lines(ui, ui.here.top, height)) {
                canvas.line(0, y, &line);
            }
        }
        _ => {
            let lines = page::text(ui);
            let shown = lines.iter().skip(ui.here.top).take(usize::from(layout.body_height));
            for (y, line) in (layout.body..).zip(shown) {
                canvas.line(0, y, line);
            }
            if let Some(y) = layout.title {
                more(ui, &mut canvas, y, lines.len(), usize::from(layout.body_height));
            }
        }
    }
    draw_aside(ui, &mut canvas, layout);
    let in_dialog = dialog::draw(ui, &mut canvas);
    draw_menu(ui, &mut canvas, layout);
    draw_which_key(ui, &mut canvas, layout);
    palette::draw(ui, &mut canvas, layout);
    let mut cursor = in_dialog;
    match (&ui.prompt, layout.bottom) {
        (Some(_), Some(y)) => cursor = draw_prompt(ui, &mut canvas, y, layout.advice),
        (None, Some(y)) => canvas.line(0, y, &bars::hints(ui)),
        _ => {}
    }
    Frame { cells: canvas.cells, cursor }
}

/// At the end of the title, how much of the text shows.
fn more(ui: &Ui, canvas: &mut Canvas<'_>, y: u16, lines: usize, height: usize) {
    if lines <= height || height == 0 {
        return;
    }
    let last = (ui.here.top + height).min(lines);
    let text = format!("  {}-{last} of {lines}", ui.here.top + 1);
    let wide = u16::try_from(text.width()).unwrap_or(u16::MAX);
    if wide < ui.width {
        let is_below = canvas.cells.cell((ui.width - wide, y)).is_some_and(|cell| cell.symbol() != " ");
        canvas.put(ui.width - wide, y, &text, canvas.theme.style(Role::TitlePart), wide);
        if is_below {
            canvas.put(ui.width - wide, y, ui.signs().cut(), canvas.theme.style(Role::Dim), 1);
        }
    }
}

fn draw_overview(ui: &Ui, canvas: &mut Canvas<'_>, layout: page::Layout) {
    let rows = overview::rows(ui);
    let items = overview::items(ui);
    let cursor = items.get(ui.here.cursor).copied();
    let height = usize::from(layout.body_height);
    let top = overview_top(ui, &rows, height);
    for (y, row) in (layout.body..).zip(rows.iter().skip(top).take(height)) {
        let is_cursor = row.item.is_some() && row.item == cursor;
        if is_cursor {
            gutter(ui, canvas, y);
        }
        let mut pieces = row.pieces.clone();
        let mut x = table::GUTTER.min(ui.width.saturating_sub(1));
        for (role, text) in pieces.drain(..) {
            let mut style = canvas.theme.style(role);
            if is_cursor && role == Role::RowKey {
                style = style.patch(canvas.theme.style(Role::RowCursor));
            }
            let room = ui.width.saturating_sub(x);
            x = canvas.put(x, y, &text, style, room);
        }
    }
}

/// The first line of the overview that shows: as little scrolled as the cursor allows.
fn overview_top(ui: &Ui, rows: &[overview::Row], height: usize) -> usize {
    let items = overview::items(ui);
    let Some(item) = items.get(ui.here.cursor) else { return 0 };
    let at = rows.iter().position(|row| row.item == Some(*item)).unwrap_or(0);
    // The lines below an item belong to it: they show with it as far as there is room.
    let next = rows.iter().skip(at + 1).position(|row| row.item.is_some()).unwrap_or(rows.len() - at - 1);
    let is_last = ui.here.cursor + 1 == items.len();
    let end = if is_last { rows.len() } else { (at + 1 + next).min(at + height) };
    end.saturating_sub(height).min(at)
}

/// The number of the overview's item that stands in a row of the screen.
pub(super) fn overview_item_at(ui: &Ui, y: u16) -> Option<usize> {
    let layout = page::layout(ui);
    let rows = overview::rows(ui);
    let top = overview_top(ui, &rows, usize::from(layout.body_height));
    let item = rows.get(top + usize::from(y.checked_sub(layout.body)?))?.item?;
    overview::items(ui).iter().position(|it| *it == item)
}

fn gutter(ui: &Ui, canvas: &mut Canvas<'_>, y: u16) {
    canvas.put(0, y, ui.signs().cursor(), canvas.theme.style(Role::Gutter), 1);
}

/// The row under the cursor in full, beside its list or below it.
fn draw_aside(ui: &Ui, canvas: &mut Canvas<'_>, layout: page::Layout) {
    let Some(area) = layout.aside else { return };
    let style = canvas.theme.style(Role::Box);
    if area.x > 0 {
        for y in area.y..area.y + area.height {
            canvas.put(area.x - 2, y, ui.signs().side(), style, 1);
        }
    } else {
        let rule = ui.signs().rule().repeat(usize::from(area.width));
        canvas.put(0, area.y - 1, &rule, style, area.width);
    }
    let Some(card) = &ui.aside else {
        let text = "the cursor is on no row";
        canvas.put(area.x, area.y, text, canvas.theme.style(Role::Dim), area.width);
        return;
    };
    let lines = describe::lines(ui, card, usize::from(area.width));
    let height = usize::from(area.height);
    let top = card.top.min(lines.len().saturating_sub(height));
    for (y, line) in (area.y..).zip(lines.iter().skip(top).take(height)) {
        canvas.line(area.x, y, &line.pieces);
    }
}

/// The box of a menu, above the hints.
fn draw_menu(ui: &Ui, canvas: &mut Canvas<'_>, layout: page::Layout) {
    let Some(open) = &ui.menu else { return };
    let lines = menu::lines(ui, open);
    let height = usize::from(layout.body_end.saturating_sub(layout.body));
    let deep = lines.len().min(height.saturating_sub(1));
    if deep == 0 {
        return;
    }
    let top = layout.body_end - u16::try_from(deep + 1).unwrap_or(1);
    draw_rule(ui, canvas, top, &menu::title(open));
    let blank = " ".repeat(usize::from(ui.width));
    let first = (open.at() + 1).saturating_sub(deep);
    for (y, line) in (top + 1..).zip(lines.iter().skip(first).take(deep)) {
        canvas.put(0, y, &blank, canvas.theme.style(Role::Text), ui.width);
        canvas.line(0, y, line);
    }
}

/// A line across the screen that begins with a label.
fn draw_rule(ui: &Ui, canvas: &mut Canvas<'_>, y: u16, label: &str) {
    let width = usize::from(ui.width);
    let label = if label.is_empty() { String::new() } else { format!(" {label} ") };
    let label = cell::cut(&label, width.saturating_sub(4), ui.signs().cut()).into_owned();
    let rule = ui.signs().rule().repeat(width.saturating_sub(label.width() + 2));
    let title: TextLine =
        vec![(Role::Box, ui.signs().rule().repeat(2.min(width))), (Role::BoxTitle, label), (Role::Box, rule)];
    canvas.line(0, y, &title);
}

/// The box of what may follow the keys pressed so far.
fn draw_which_key(ui: &Ui, canvas: &mut Canvas<'_>, layout: page::Layout) {
    if ui.pending.is_empty() || ui.keymap.lookup(ui.layer(), &ui.pending) != Match::Pending {
        return;
    }
    let next = ui.keymap.next(ui.layer(), &ui.pending, |action| super::update::fits_row(ui, action));
    let entries: Vec<(String, String)> =
        next.into_iter().map(|(chord, says)| (chord.to_string(), says)).collect();
    let keys = entries.iter().map(|(key, _)| key.width()).max().unwrap_or(0);
    let says = entries.iter().map(|(_, says)| says.width()).max().unwrap_or(0);
    let width = usize::from(ui.width);
    let each = (keys + 2 + says + 3).min(width).max(1);
    let across = (width / each).max(1);
    let deep = entries.len().div_ceil(across);
    let height = usize::from(layout.body_end.saturating_sub(layout.body));
    let deep = deep.min(height.saturating_sub(1));
    if deep == 0 {
        return;
    }
    let top = layout.body_end - u16::try_from(deep + 1).unwrap_or(1);
    let blank = " ".repeat(width);
    draw_rule(ui, canvas, top, ui.keymap.label(&ui.pending).unwrap_or_default());
    for nth in 0..deep {
        let y = top + 1 + u16::try_from(nth).unwrap_or(0);
        canvas.put(0, y, &blank, canvas.theme.style(Role::Text), ui.width);
        for column in 0..across {
            let Some((key, says)) = entries.get(column * deep + nth) else { break };
            let x = u16::try_from(column * each).unwrap_or(u16::MAX);
            let pad = " ".repeat(keys.saturating_sub(key.width()) + 2);
            let room = u16::try_from(each.saturating_sub(1)).unwrap_or(u16::MAX);
            let after = canvas.put(x, y, key, canvas.theme.style(Role::HintKey), room);
            let left = (x + room).saturating_sub(after);
            let says = format!("{pad}{says}");
            let says = cell::cut(&says, usize::from(left), ui.signs().cut());
            canvas.put(after, y, &says, canvas.theme.style(Role::Text), left);
        }
    }
}

/// The line being typed; returns where its cursor stands.
fn draw_prompt(ui: &Ui, canvas: &mut Canvas<'_>, y: u16, advice: Option<u16>) -> Option<Position> {
    let prompt = ui.prompt.as_ref()?;
    let lead = match prompt.purpose {
        Purpose::Filter => "/",
        Purpose::Command => ":",
    };
    let width = usize::from(ui.width);
    let before = harmless(prompt.line.before());
    // The end of the line shows when it is longer than the screen.
    let hidden = (before.width() + 2).saturating_sub(width);
    let skip = |text: &str| {
        let mut left = hidden;
        let mut from = 0;
        for (at, c) in text.char_indices() {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(unicode_width::UnicodeWidthChar::width(c).unwrap_or(0));
            from = at + c.len_utf8();
        }
        text.get(from..).unwrap_or_default().to_string()
    };
    let shown_before = skip(&before);
    let after = harmless(prompt.line.after());
    let style = canvas.theme.style(Role::Prompt);
    let x = canvas.put(0, y, lead, canvas.theme.style(Role::HintKey), ui.width);
    let x = canvas.put(x, y, &shown_before, style, ui.width.saturating_sub(x));
    canvas.put(x, y, &after, style, ui.width.saturating_sub(x));
    if let Some(y) = advice {
        let lead_at = prompt.line.text.get(..prompt.error.as_ref().map_or(0, |error| error.at));
        let caret = 1 + harmless(lead_at.unwrap_or(&prompt.line.text)).width().saturating_sub(hidden);
        draw_advice(ui, canvas, y, caret.min(width.saturating_sub(1)));
    }
    Some(Position { x: x.min(ui.width.saturating_sub(1)), y })
}

/// Below the line being typed: what is wrong and where, or what the word may become.
fn draw_advice(ui: &Ui, canvas: &mut Canvas<'_>, y: u16, caret: usize) {
    let Some(prompt) = &ui.prompt else { return };
    let width = usize::from(ui.width);
    if let Some(error) = &prompt.error {
        let style = canvas.theme.style(Role::PromptError);
        let message = harmless(&error.message);
        let point = u16::try_from(caret).unwrap_or(u16::MAX);
        canvas.put(point, y, ui.signs().point(), style, 1);
        let right = width.saturating_sub(caret + 2);
        if right >= message.width() || right >= caret {
            let text = cell::cut(&message, right, ui.signs().cut());
            canvas.put(point.saturating_add(2), y, &text, style, ui.width);
        } else {
            let text = cell::cut(&message, caret.saturating_sub(1), ui.signs().cut());
            let x = caret.saturating_sub(text.width() + 1);
            canvas.put(u16::try_from(x).unwrap_or(0), y, &text, style, ui.width);
        }
        return;
    }
    if let Some(note) = &ui.note {
        canvas.put(1, y, &note.text, canvas.theme.style(Role::Note), ui.width);
        return;
    }
    let mut x: u16 = 1;
    for (at, candidate) in prompt.candidates.iter().enumerate() {
        let wide = u16::try_from(candidate.text.width()).unwrap_or(u16::MAX);
        if x.saturating_add(wide) > ui.width || prompt.purpose == Purpose::Command {
            break;
        }
        let role = if prompt.picked == Some(at) { Role::PromptPicked } else { Role::PromptCandidate };
        x = canvas.put(x, y, &candidate.text, canvas.theme.style(role), ui.width) + 2;
    }
    if prompt.purpose == Purpose::Command
        && prompt.candidates.is_empty()
        && !prompt.line.text.trim().is_empty()
    {
        let says = if ui.is_hunting() { "searching" } else { "nothing is called like that" };
        let text = cell::cut(says, width.saturating_sub(1), ui.signs().cut());
        let is_command =
            super::update::is_command(prompt.line.text.split_whitespace().next().unwrap_or_default());
        if !is_command {
            canvas.put(1, y, &text, canvas.theme.style(Role::Hint), ui.width);
        }
    }
    if prompt.candidates.is_empty() && prompt.purpose == Purpose::Filter {
        let text = match ui.here.page {
            Page::Operations => {
                "words, state:open, kind:drain, who:anna, why:…, target:i-0…, !not; tab completes"
            }
            Page::Log(_) => "words, !word, /regex/, level:warn, cud:a.example.com, app:…, tenant:…, source:…",
            _ => "words, column:value, cpu>80, age<2h, !not, and, or, (…); tab completes a column",
        };
        let text = cell::cut(text, width.saturating_sub(1), ui.signs().cut());
        canvas.put(1, y, &text, canvas.theme.style(Role::Hint), ui.width);
    }
}

/// The next moment at which something on the screen must change by itself; none when nothing will.
pub fn wake_at(ui: &Ui) -> Option<Timestamp> {
    // The past stays as it was.
    if ui.is_past() {
        return None;
    }
    let mut moments: Vec<Timestamp> = Vec::new();
    moments.extend(bars::age(ui).next_change(ui.now));
    let height = page::height(ui);
    let ctx = page::ctx(ui.fleet_here(), ui);
    let mut see = |column: &Column, at: usize| match (column.get)(ctx, at) {
        Value::Moment(at) => moments.push(cell::next_change(at, ui.now)),
        Value::Span(span) if cell::is_age(column) => {
            moments.extend(ui.now.checked_sub(span).map(|at| cell::next_change(at, ui.now)));
        }
        _ => {}
    };
    match &ui.here.page {
        Page::List(list) => {
            let layout = page::layout(ui);
            let placed = table::placed(list, layout.body_width);
            let shown = ui.here.top..ui.here.top.saturating_add(height).min(list.count());
            for at in shown.filter_map(|line| list.row(line)) {
                for place in &placed {
                    see(place.shape.column, at);
                }
            }
            if let Some(card) = ui.aside.as_ref().filter(|_| layout.aside.is_some()) {
                see_card(card, &mut see);
            }
        }
        Page::Describe(card) => see_card(card, &mut see),
        Page::Overview => {
            // Only alarms that ring show, and with them their age.
            let alarms = &ui.world.fleet.alarms;
            let shown = overview::ringing(ui).into_iter().filter_map(|at| alarms.get(at)?.it.changed_at);
            moments.extend(shown.map(|at| cell::next_change(at, ui.now)));
        }
        Page::Operations => {
            let shown = oplist::shown(ui);
            let shown = shown.iter().skip(ui.here.top).take(height);
            moments.extend(shown.map(|listed| cell::next_change(listed.op.record.at, ui.real)));
        }
        Page::Operation(id) => {
            let shown = ui.register.find(id).map(|listed| listed.op.record.at);
            moments.extend(shown.map(|at| cell::next_change(at, ui.real)));
        }
        Page::Troubles | Page::Capacity | Page::Help(_) | Page::Log(_) => {}
    }
    moments.into_iter().min()
}

/// Every moment that a card shows.
fn see_card(card: &Card, see: &mut impl FnMut(&Column, usize)) {
    if let Some(at) = card.at {
        card.kind.columns().iter().for_each(|column| see(column, at));
    }
    let when = Kind::Events.columns().first();
    for (column, at) in when.into_iter().flat_map(|column| card.events.iter().map(move |at| (column, at))) {
        see(column, *at as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_put_as_any_other() {
        let theme = Theme::plain();
        let style = Style::new().add_modifier(Modifier::BOLD);
        let over = Style::new().add_modifier(Modifier::REVERSED);
        for text in ["", "a", "core-0001 us-east-1a", "~!@ [x]"] {
            for (x, room) in (0..14).flat_map(|x| [0, 1, 5, 40].map(|room| (x, room))) {
                let mut canvas = Canvas { cells: painter::frame(12, 2), theme: &theme, cut: "~" };
                // What was there before keeps what the new style says nothing about.
                canvas.put(0, 1, "############", over, 12);
                let mut plain = canvas.cells.clone();
                let end = canvas.put(x, 1, text, style, room);
                let expected = if x < 12 {
                    plain.set_stringn(x, 1, text, usize::from(room.min(12 - x)), style).0
                } else {
                    x
                };
                assert_eq!((end, &canvas.cells), (expected, &plain), "{text:?} at {x} in {room}");
            }
        }
    }
}
