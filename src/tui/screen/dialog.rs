//! Draws the dialog before something is changed, over the page.

use super::{Canvas, draw_rule};
use crate::tui::page::dialog;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

/// Draws the dialog that is open; returns where the cursor stands.
pub(super) fn draw(ui: &Ui, canvas: &mut Canvas<'_>) -> Option<Position> {
    let open = ui.dialog.as_ref()?;
    let room = dialog::room(ui, open);
    let blank = " ".repeat(usize::from(ui.width));
    for y in room.top..=room.confirm {
        canvas.put(0, y, &blank, canvas.theme.style(Role::Text), ui.width);
    }
    if let Some(size) = dialog::too_small(ui, open) {
        let lines = usize::from((room.confirm + 1).saturating_sub(room.top));
        let says = dialog::says_too_small(size, usize::from(ui.width), lines);
        for (y, line) in (room.top..=room.confirm).zip(says) {
            canvas.line(0, y, &vec![(Role::Trouble, line)]);
        }
        return None;
    }
    draw_rule(ui, canvas, room.top, &open.title);
    let mut cursor = None;
    let fields = dialog::fields(ui, open);
    for (y, line) in (room.top + 1..).zip(fields.lines.iter().take(usize::from(room.fields))) {
        canvas.line(0, y, line);
    }
    if let Some((x, line)) = fields.cursor.filter(|(_, line)| *line < usize::from(room.fields)) {
        let y = room.top + 1 + u16::try_from(line).unwrap_or(0);
        cursor = Some(Position { x: u16::try_from(x).unwrap_or(0).min(ui.width.saturating_sub(1)), y });
    }
    let lines = dialog::text(ui, open, usize::from(ui.width));
    let height = usize::from(room.height);
    let top = open.top.min(lines.len().saturating_sub(height));
    if room.text > room.top + 1 {
        draw_rule(ui, canvas, room.text - 1, "");
    }
    for (y, line) in (room.text..).zip(lines.iter().skip(top).take(height)) {
        canvas.line(0, y, line);
    }
    if lines.len() > height && height > 0 {
        let text = format!(" {}-{} of {} lines ", top + 1, (top + height).min(lines.len()), lines.len());
        let wide = u16::try_from(text.width()).unwrap_or(u16::MAX);
        if wide + 4 < ui.width {
            let x = ui.width - wide - 2;
            canvas.put(x, room.text.saturating_sub(1), &text, canvas.theme.style(Role::BoxTitle), wide);
        }
    }
    let (line, at) = dialog::confirm(ui, open);
    canvas.line(0, room.confirm, &line);
    if let Some(x) = at {
        let x = u16::try_from(x).unwrap_or(u16::MAX).min(ui.width.saturating_sub(1));
        cursor = Some(Position { x, y: room.confirm });
    }
    cursor
}
