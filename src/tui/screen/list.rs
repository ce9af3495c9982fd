//! Draws a list: headings, rows, and the heads of groups.

use super::{Canvas, gutter};
use crate::query::group::{Group, subtotal};
use crate::tui::cell;
use crate::tui::page::{self, bars, menu, table};
use crate::tui::state::{List, Ui};
use crate::tui::theme::Role;
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

/// Draws the headings and the lines that show.
pub(super) fn draw(ui: &Ui, list: &List, canvas: &mut Canvas<'_>, layout: page::Layout) {
    let placed = table::placed(list, layout.body_width);
    if let Some(y) = layout.columns {
        draw_headings(ui, list, &placed, canvas, y, layout.body_width);
    }
    if list.view.rows.is_empty() {
        let (role, text) = bars::empty_list(ui);
        let lines = cell::wrap(&text, usize::from(layout.body_width.saturating_sub(table::GUTTER)));
        for (y, line) in (layout.body..).zip(lines.iter().take(usize::from(layout.body_height))) {
            canvas.line(table::GUTTER, y, &vec![(role, line.clone())]);
        }
        return;
    }
    let Some(fleet) = list.view.fleet.as_deref() else { return };
    let ctx = page::ctx(fleet, ui);
    let has_marks = ui.marks.count(list.kind) > 0;
    for (nth, y) in (layout.body..layout.body + layout.body_height).enumerate() {
        let line = ui.here.top + nth;
        if line >= list.count() {
            break;
        }
        let is_cursor = line == ui.here.cursor;
        if is_cursor {
            gutter(ui, canvas, y);
        }
        if let Some(group) = list.head(line) {
            draw_head(ui, list, group, &placed, canvas, y, is_cursor);
            continue;
        }
        let Some(at) = list.row(line) else { continue };
        if has_marks && list.key_of(line).is_some_and(|key| ui.marks.has(list.kind, &key)) {
            canvas.put(1, y, ui.signs().marked(), canvas.theme.style(Role::ColumnSorted), 1);
        } else if ui.holder(list.kind, fleet, at).is_some() {
            canvas.put(1, y, ui.signs().held(), canvas.theme.style(Role::HealthBusy), 1);
        }
        for place in &placed {
            let value = (place.shape.column.get)(ctx, at);
            let (role, text) = table::cell_text(value, place.shape.column, ui.now, ui.signs());
            let text = cell::cut(&text, usize::from(place.width), ui.signs().cut());
            let mut style =
                canvas.theme.style(if place.at == 0 && role == Role::Row { Role::RowKey } else { role });
            if is_cursor && place.at == 0 {
                style = style.patch(canvas.theme.style(Role::RowCursor));
            }
            let indent = if place.shape.is_number() {
                place.width.saturating_sub(u16::try_from(text.width()).unwrap_or(0))
            } else {
                0
            };
            canvas.put(place.x + indent, y, &text, style, place.width - indent);
        }
    }
}

/// The head of a group: what its rows have in common, how many there are and how well, and sums below the
/// headings that have one.
fn draw_head(
    ui: &Ui,
    list: &List,
    group: &Group,
    placed: &[table::Placed],
    canvas: &mut Canvas<'_>,
    y: u16,
    is_cursor: bool,
) {
    let Some(fleet) = list.view.fleet.as_deref() else { return };
    let ctx = page::ctx(fleet, ui);
    let end = placed.last().map_or(0, |last| last.x + last.width);
    let mut room_to = end;
    for place in placed.iter().rev() {
        let Some(sum) = subtotal(ctx, place.shape.column, &group.rows) else { continue };
        let shown = cell::show(sum.value, place.shape.column, ui.now);
        let (role, text) = if sum.is_whole {
            (Role::Strong, shown.into_owned())
        } else {
            (Role::Unknown, format!("{}{shown}", ui.signs().at_least()))
        };
        let text = cell::cut(&text, usize::from(place.width), ui.signs().cut()).into_owned();
        let indent = place.width.saturating_sub(u16::try_from(text.width()).unwrap_or(0));
        canvas.put(place.x + indent, y, &text, canvas.theme.style(role), place.width - indent);
        room_to = place.x;
    }
    let is_folded = list.folded.contains(&group.name);
    let mut style = canvas.theme.style(Role::Title);
    if is_cursor {
        style = style.patch(canvas.theme.style(Role::RowCursor));
    }
    let lead = format!("{} {}", ui.signs().fold(is_folded), group.name);
    let x = table::GUTTER.min(ui.width.saturating_sub(1));
    let mut x = canvas.put(x, y, &lead, style, room_to.saturating_sub(x));
    let count = format!("  {}  ", group.rows.len());
    x = canvas.put(x, y, &count, canvas.theme.style(Role::Strong), room_to.saturating_sub(x));
    let worst_first = group.by_health.iter().rev().filter(|(_, count)| *count > 0);
    let counts: Vec<_> = worst_first.map(|(health, count)| (*health, *count as usize)).collect();
    for (role, text) in menu::healths(ui, &counts, false) {
        if x + u16::try_from(text.trim_end().width()).unwrap_or(u16::MAX) > room_to {
            break;
        }
        x = canvas.put(x, y, &text, canvas.theme.style(role), room_to.saturating_sub(x));
    }
}

fn draw_headings(
    ui: &Ui,
    list: &List,
    placed: &[table::Placed],
    canvas: &mut Canvas<'_>,
    y: u16,
    width: u16,
) {
    for place in placed {
        let column = place.shape.column;
        let sort = list.sort.filter(|sort| sort.column == column.name);
        let arrow = match sort {
            Some(sort) if sort.is_descending => ui.signs().descending(),
            Some(_) => ui.signs().ascending(),
            None => "",
        };
        let role = match (list.picking == Some(place.at), sort.is_some()) {
            (true, _) => Role::ColumnPicked,
            (false, true) => Role::ColumnSorted,
            (false, false) => Role::Column,
        };
        let text = format!("{}{arrow}", column.title);
        let text = cell::cut(&text, usize::from(place.width), ui.signs().cut());
        let wide = u16::try_from(text.width()).unwrap_or(0);
        let indent = if place.shape.is_number() { place.width.saturating_sub(wide) } else { 0 };
        let mut style = canvas.theme.style(role);
        if role == Role::ColumnPicked {
            // Told without colours too.
            style = style.add_modifier(Modifier::REVERSED);
        }
        canvas.put(place.x + indent, y, &text, style, place.width - indent);
    }
    // Columns that lie off to either side.
    if let [_, next, ..] = placed
        && next.at > 1
    {
        canvas.put(next.x.saturating_sub(2), y, ui.signs().back(), canvas.theme.style(Role::Column), 1);
    }
    if placed.last().is_some_and(|last| last.at + 1 < list.view.columns.len()) {
        canvas.put(width.saturating_sub(1), y, ui.signs().part(), canvas.theme.style(Role::Column), 1);
    }
}
