//! Draws the list of operations.

use super::{Canvas, gutter};
use crate::tui::cell;
use crate::tui::oplist;
use crate::tui::page::{self, operations, table};
use crate::tui::state::Ui;

/// Draws as many operations as there is room for.
pub(super) fn draw(ui: &Ui, canvas: &mut Canvas<'_>, layout: page::Layout) {
    let width = usize::from(ui.width);
    let shown = oplist::shown(ui);
    if shown.is_empty() || ui.register.trouble.is_some() {
        let (role, text) = operations::none(ui);
        let lines = cell::wrap(&text, width.saturating_sub(usize::from(table::GUTTER)));
        for (y, line) in (layout.body..).zip(lines.iter().take(usize::from(layout.body_height))) {
            canvas.line(table::GUTTER, y, &vec![(role, line.clone())]);
        }
        return;
    }
    let mut y = layout.body;
    for (nth, listed) in shown.iter().enumerate().skip(ui.here.top) {
        for line in operations::rows(ui, listed, width) {
            if y >= layout.body_end {
                return;
            }
            if nth == ui.here.cursor {
                gutter(ui, canvas, y);
            }
            canvas.line(table::GUTTER, y, &line);
            y += 1;
        }
    }
}
