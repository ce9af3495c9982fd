//! Tables: aligned columns without borders, as wide as their text, never wider than the terminal.

use super::cell;
use super::output::{Colour, paint};
use crate::model::Health;
use crate::query::Unit;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// No column is cut below this; beyond that lines are longer than the terminal.
const LEAST: usize = 8;
/// Between two columns.
const GAP: &str = "  ";

/// A heading.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    pub(super) title: String,
    pub(super) unit: Unit,
    /// What a person copies to name the row; it is never cut.
    pub(super) is_id: bool,
}

/// A cell: its text, which must be harmless, and the health that it shows, if it shows one.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) health: Option<Health>,
}

/// Draws a table. Without a width, which is when a program reads it, nothing is cut.
pub(super) fn draw(
    headings: &[Heading],
    rows: &[Vec<Cell>],
    has_headings: bool,
    width: Option<usize>,
    colour: Colour,
) -> String {
    let widths = widths(headings, rows, has_headings, width);
    let mut table = String::new();
    if has_headings {
        let cells = headings.iter().map(|heading| {
            let title = fit(&heading.title, usize::MAX);
            (paint(&title, "1", colour), title.width(), is_number(heading.unit))
        });
        line(cells, &widths, &mut table);
    }
    for row in rows {
        let cells = row.iter().zip(headings).zip(&widths).map(|((cell, heading), width)| {
            let text = fit(&cell.text, *width);
            let painted = match cell.health {
                Some(health) => paint(&text, cell::style(health), colour),
                None => text.clone(),
            };
            (painted, text.width(), is_number(heading.unit))
        });
        line(cells, &widths, &mut table);
    }
    table
}

/// Appends a line: painted text, its width, and whether it stands right.
fn line(cells: impl Iterator<Item = (String, usize, bool)>, widths: &[usize], table: &mut String) {
    let mut line = String::new();
    let last = widths.len().saturating_sub(1);
    for (at, ((text, width, right), column)) in cells.zip(widths).enumerate() {
        let pad = " ".repeat(column.saturating_sub(width));
        match (right, at == last) {
            (true, _) => line.push_str(&format!("{pad}{text}")),
            (false, true) => line.push_str(&text),
            (false, false) => line.push_str(&format!("{text}{pad}")),
        }
        if at != last {
            line.push_str(GAP);
        }
    }
    table.push_str(line.trim_end());
    table.push('\n');
}

fn is_number(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Count | Unit::Number | Unit::Percent | Unit::Mebibytes | Unit::BytesPerSecond | Unit::Dollars
    )
}

/// The widths of all columns: those of their text, then the widest that may be cut are, one by one.
fn widths(headings: &[Heading], rows: &[Vec<Cell>], has_headings: bool, width: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(at, heading)| {
            let title = if has_headings { heading.title.width() } else { 0 };
            rows.iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.text.width())
                .max()
                .unwrap_or(0)
                .max(title)
        })
        .collect();
    let Some(room) = width else { return widths };
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    loop {
        let total = widths.iter().sum::<usize>() + gaps;
        let Some(over) = total.checked_sub(room).filter(|over| *over > 0) else { return widths };
        let least = |at: usize| headings.get(at).map_or(LEAST, |heading| heading.title.width().max(LEAST));
        let may_be_cut = |at: usize| headings.get(at).is_some_and(|h| !h.is_id && !is_number(h.unit));
        let widest = widths
            .iter()
            .enumerate()
            .filter(|(at, width)| may_be_cut(*at) && **width > least(*at))
            .max_by_key(|(_, width)| **width)
            .map(|(at, width)| (at, *width));
        let Some((at, wide)) = widest else { return widths };
        // Down to the next widest, so that no column pays alone.
        let next = widths.iter().copied().filter(|other| *other < wide).max().unwrap_or(0);
        let floor = least(at).max(next.min(wide - 1)).min(wide - 1);
        if let Some(width) = widths.get_mut(at) {
            *width = wide.saturating_sub(over).max(floor);
        }
    }
}

/// Text cut to a width, with a sign that it was.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let wide = cluster.width();
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push_str(cluster);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::{Cell, Heading, draw, fit};
    use crate::cli::output::Colour;
    use crate::model::Health;
    use crate::query::Unit;
    use unicode_width::UnicodeWidthStr;

    fn heading(title: &str, unit: Unit) -> Heading {
        Heading { title: title.to_owned(), unit, is_id: title == "ID" }
    }

    fn row(texts: &[&str]) -> Vec<Cell> {
        texts.iter().map(|text| Cell { text: (*text).to_owned(), health: None }).collect()
    }

    #[test]
    fn wide_text_is_aligned_and_cut_to_the_terminal() {
        let headings = [heading("ID", Unit::Text), heading("NAME", Unit::Text), heading("N", Unit::Count)];
        let rows =
            [row(&["i-0123456789abcdef0", "東京のとても長い名前のホスト", "7"]), row(&["i-1", "b", "1000"])];
        let table = draw(&headings, &rows, true, None, Colour::No);
        insta::assert_snapshot!(table, @r"
        ID                   NAME                             N
        i-0123456789abcdef0  東京のとても長い名前のホスト     7
        i-1                  b                             1000
        ");
        let table = draw(&headings, &rows, true, Some(44), Colour::No);
        assert!(table.lines().all(|line| line.width() <= 44), "{table}");
        insta::assert_snapshot!(table, @r"
        ID                   NAME                  N
        i-0123456789abcdef0  東京のとても長い…     7
        i-1                  b                  1000
        ");
        let narrow = draw(&headings, &rows, false, Some(10), Colour::No);
        assert!(narrow.contains("i-0123456789abcdef0"), "an id was cut: {narrow}");
    }

    #[test]
    fn colour_does_not_move_columns() {
        let headings = [heading("HEALTH", Unit::Health), heading("NAME", Unit::Text)];
        let rows = [vec![
            Cell { text: "✖ bad".into(), health: Some(Health::Bad) },
            Cell { text: "x".into(), health: None },
        ]];
        assert_eq!(
            draw(&headings, &rows, false, None, Colour::Yes),
            "\u{1b}[31;1m✖ bad\u{1b}[0m   x\n".replace("   x", "  x")
        );
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(fit("東京都", 5), "東京…");
        assert_eq!(fit("東京都", 4), "東…");
        assert_eq!(fit("abc", 3), "abc");
    }
}
