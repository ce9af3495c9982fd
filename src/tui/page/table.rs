//! A list as a table: which columns fit, and the cells of the rows that show.

use super::overview::health_role;
use crate::query::{Column, Value};
use crate::tui::cell;
use crate::tui::signs::Signs;
use crate::tui::state::List;
use crate::tui::theme::Role;
use crate::tui::view::Shape;
use jiff::Timestamp;

/// Columns of the gutter: the cursor's mark and a blank.
pub(crate) const GUTTER: u16 = 2;
/// Columns between two cells.
const GAP: u16 = 2;

/// Below this many columns of the screen, none but the first column of the table is wider than `SQUEEZED`.
const NARROW: u16 = 100;
const SQUEEZED: u16 = 20;

/// A column as it is placed on the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// Its number among the columns of the view.
    pub(crate) at: usize,
    pub(crate) shape: Shape,
    pub(crate) x: u16,
    /// How wide it is here: cut at the right edge.
    pub(crate) width: u16,
}

/// The columns that show: the first always, then those from `left` on that fit; all of them where there is room for
/// all. A column that would be cut shows only when a useful part of it fits.
pub(crate) fn placed(list: &List, width: u16) -> Vec<Placed> {
    let left = if fits(list, width) { 0 } else { list.left };
    let mut placed = from(&list.view.columns, left, width);
    spread(&mut placed, width);
    placed
}

/// Tells whether there is room for every column.
pub(crate) fn fits(list: &List, width: u16) -> bool {
    let placed = from(&list.view.columns, 0, width);
    let is_whole = |last: &Placed| last.width >= whole(&last.shape, last.at, width);
    placed.len() == list.view.columns.len() && placed.last().is_none_or(is_whole)
}

/// The columns from `left` on.
fn from(columns: &[Shape], left: usize, width: u16) -> Vec<Placed> {
    let mut placed = Vec::new();
    let mut x = GUTTER.min(width.saturating_sub(1));
    for (at, shape) in columns.iter().enumerate() {
        if at > 0 && at <= left {
            continue;
        }
        let room = width.saturating_sub(x);
        let whole = whole(shape, at, width);
        let wide = whole.min(room);
        if wide == 0 || (at > 0 && wide < whole && (shape.is_number() || wide < 8)) {
            break;
        }
        placed.push(Placed { at, shape: *shape, x, width: wide });
        x = x.saturating_add(wide + GAP);
    }
    placed
}

/// How wide a column is where nothing cuts it.
fn whole(shape: &Shape, at: usize, width: u16) -> u16 {
    if at > 0 && width < NARROW { shape.width.min(SQUEEZED) } else { shape.width }
}

/// What is left over at the right goes to the columns that were cut, to the one that lacks most first.
fn spread(placed: &mut [Placed], width: u16) {
    let mut left = placed.last().map_or(0, |last| width.saturating_sub(last.x + last.width));
    let lacks = |place: &Placed| place.shape.full.saturating_sub(place.width);
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|nth| std::cmp::Reverse(placed.get(*nth).map_or(0, lacks)));
    for nth in order {
        let more = placed.get(nth).map_or(0, lacks).min(left);
        left -= more;
        for (at, place) in placed.iter_mut().enumerate().skip(nth) {
            if at == nth {
                place.width += more;
            } else {
                place.x += more;
            }
        }
    }
}

/// The number of the last column that shows.
pub(crate) fn last_column(list: &List, width: u16) -> usize {
    placed(list, width).last().map_or(0, |placed| placed.at)
}

/// What a cell says and how it is painted.
pub(crate) fn cell_text(value: Value<'_>, column: &Column, now: Timestamp, signs: Signs) -> (Role, String) {
    match value {
        Value::Health(health) => (health_role(health), format!("{} {}", signs.health(health), health.word())),
        Value::Unknown(_) => (Role::Unknown, "?".into()),
        value => {
            let text = cell::show(value, column, now).into_owned();
            // A known nothing is a dash; a blank would read as not known.
            let text = if text.trim().is_empty() { "-".into() } else { text };
            (Role::Row, text)
        }
    }
}
