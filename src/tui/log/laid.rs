//! How one line lies on the screen: what stands before its message, and its rows, wrapped or cut, made once.

use crate::logs::{Level, Line};
use crate::model::text::harmless;
use crate::tui::cell;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Rows that one line takes at most.
pub(super) const DEEPEST: usize = 400;
/// Columns that the name of a source takes at most, and at least where room is scarce.
const NAME: (usize, usize) = (20, 8);
/// Columns of a message below which it begins on a row of its own.
const LEAST: usize = 8;
/// Columns before what belongs to a line.
const BELOW: usize = 4;
/// Columns before a message that has its own row.
const OWN_ROW: usize = 2;

/// What lines are laid on.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Sheet {
    /// Columns.
    pub(in crate::tui) width: usize,
    /// The sign of a cut.
    pub(in crate::tui) cut: &'static str,
    /// The zone of times.
    pub(in crate::tui) zone: TimeZone,
    /// Whether long lines go on in the next row.
    pub(in crate::tui) wraps: bool,
    /// Columns of long lines that are passed over, where they do not.
    pub(in crate::tui) left: usize,
}

impl Sheet {
    /// The day of a moment.
    pub(in crate::tui) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// `19:31:42.658Z`
    fn time(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        let mark = if zoned.offset().is_zero() { "Z" } else { "" };
        format!("{}{mark}", zoned.strftime("%H:%M:%S%.3f"))
    }
}

/// A line as it lies.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Laid {
    /// What stands before the message.
    pub(in crate::tui) lead: String,
    /// Its rows; the first stands behind the lead, and is empty where the message begins below it.
    pub(in crate::tui) parts: Vec<String>,
    /// How many rows are the message's own.
    own: usize,
    /// Columns before the message's own rows after the first.
    indent: usize,
}

impl Laid {
    /// Lays a line, whose source is called so where there are several; their names are so wide.
    pub(in crate::tui) fn new(line: &Line, source: Option<(&str, usize)>, sheet: &Sheet) -> Self {
        let lead = lead(line, source, sheet);
        let behind = sheet.width.saturating_sub(lead.width() + 1);
        let has_own_row = behind < LEAST;
        let (indent, room) = match has_own_row {
            true => (OWN_ROW, sheet.width.saturating_sub(OWN_ROW).max(1)),
            false => (lead.width() + 1, behind),
        };
        let mut parts = Vec::new();
        if has_own_row {
            parts.push(String::new());
        }
        sheet.rows(&line.message, room, &mut parts);
        let own = parts.len();
        for more in &line.more {
            sheet.rows(more, sheet.width.saturating_sub(BELOW).max(1), &mut parts);
        }
        if parts.len() > DEEPEST {
            parts.truncate(DEEPEST);
            if let Some(last) = parts.last_mut() {
                *last = marked(last, last.width().max(1), sheet.cut);
            }
        }
        Self { lead, parts, own, indent }
    }

    /// Columns before that row.
    pub(in crate::tui) fn indent(&self, part: usize) -> usize {
        if part < self.own { self.indent } else { BELOW }
    }
}

impl Sheet {
    /// Appends the rows of a text, no more than one too many.
    fn rows(&self, text: &str, room: usize, rows: &mut Vec<String>) {
        let most = (DEEPEST + 1).saturating_sub(rows.len());
        if most == 0 {
            return;
        }
        let text = harmless(&text.replace('\t', "    ")).into_owned();
        if self.wraps {
            wrapped(&text, room, most, rows);
        } else {
            rows.push(slid(&text, self.left, room, self.cut));
        }
    }
}

/// What stands before a message: no more than about half of the width. The domain is cut first, then names of sources.
fn lead(line: &Line, source: Option<(&str, usize)>, sheet: &Sheet) -> String {
    let most = sheet.width * 11 / 20;
    let time = sheet.time(line.at);
    let level = format!("{:<5}", line.level().map_or("", Level::word));
    let fixed = time.width() + 1 + level.width();
    let mut lead = time;
    if let Some((name, widest)) = source {
        let wide = widest.min(NAME.0).min(most.saturating_sub(fixed + 1).max(NAME.1));
        if fixed + 1 + wide <= most {
            let name = cell::cut(name, wide, sheet.cut);
            lead.push_str(&format!(" {name}{}", " ".repeat(wide.saturating_sub(name.width()))));
        }
    }
    lead.push_str(&format!(" {level}"));
    if let Some(whom) = line.whom().filter(|whom| !whom.domain.is_empty()) {
        let room = most.saturating_sub(lead.width() + 1);
        if room >= LEAST {
            lead.push_str(&format!(" {}", cell::cut(&whom.domain, room, sheet.cut)));
        }
    }
    lead
}

/// Appends text in pieces of at most so many columns, cut where the room ends: a line of a log is no prose.
fn wrapped(text: &str, room: usize, most: usize, pieces: &mut Vec<String>) {
    let until = pieces.len() + most;
    let mut used = 0;
    pieces.push(String::new());
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room && used > 0 {
            if pieces.len() >= until {
                return;
            }
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
}

/// Text of which more was cut off: so many columns, and the sign at its end.
pub(super) fn marked(text: &str, columns: usize, sign: &str) -> String {
    format!("{}{sign}", cell::cut(text, columns.saturating_sub(sign.width()), ""))
}

/// Text without its first columns, in so many: what is passed over and what is cut off shows as a sign.
fn slid(text: &str, left: usize, room: usize, sign: &str) -> String {
    if left == 0 {
        return cell::cut(text, room, sign).into_owned();
    }
    let mut passed = 0;
    let rest = text.char_indices().find(|(_, c)| {
        let is_there = passed >= left;
        passed += c.width().unwrap_or(0);
        is_there
    });
    if text.is_empty() {
        return String::new();
    }
    let rest = rest.and_then(|(at, _)| text.get(at..)).unwrap_or_default();
    format!("{sign}{}", cell::cut(rest, room.saturating_sub(sign.width()), sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Fold;
    use std::sync::Arc;

    fn sheet(width: usize, wraps: bool, left: usize) -> Sheet {
        Sheet { width, cut: "…", zone: TimeZone::UTC, wraps, left }
    }

    fn line(domain: &str, message: &str) -> Line {
        let mut fold = Fold::new(0, Arc::default());
        let text = format!(
            "21 Nov 2026 19:31:42:658 +0000 | ERROR | pid: x | v9 | [main] thread | a.b | Tenant({domain}, public, t1) | {message}"
        );
        fold.push(jiff::Timestamp::UNIX_EPOCH, &text);
        fold.flush().unwrap()
    }

    #[test]
    fn whatever_stands_before_it_a_message_can_be_read_and_a_cut_is_marked() {
        let domain = "customer-with-a-long-name.eu.auth.example.com";
        let whole = "the whole of what it says, to its end";
        for width in [20, 40, 60, 80, 180] {
            for source in [None, Some(("auth-core-production-eu/3f2a91bc", 40))] {
                let laid = Laid::new(&line(domain, whole), source, &sheet(width, true, 0));
                let said: String = laid.parts.concat();
                assert_eq!(said, whole, "at {width}");
                for (at, part) in laid.parts.iter().enumerate() {
                    let before = if at == 0 { laid.lead.width() + 1 } else { laid.indent(at) };
                    assert!(part.is_empty() || before + part.width() <= width, "at {width}: {laid:?}");
                }
                assert!(laid.lead.starts_with("19:31:42.658Z") && laid.lead.contains("ERROR"), "{laid:?}");
                assert!(width < 60 || laid.lead.width() <= width * 11 / 20, "{laid:?}");
            }
        }
        let laid = Laid::new(&line(domain, whole), None, &sheet(80, false, 0));
        assert!(laid.lead.ends_with('…') && laid.parts[0].ends_with('…'), "{laid:?}");
    }

    #[test]
    fn lines_that_are_cut_can_be_looked_along() {
        let long = "0123456789".repeat(20);
        let sheet = |left| sheet(60, false, left);
        let laid = Laid::new(&line("", &long), None, &sheet(25));
        assert!(laid.parts[0].starts_with("…5678901") && laid.parts[0].ends_with('…'), "{laid:?}");
        let laid = Laid::new(&line("", &long), None, &sheet(190));
        assert_eq!(laid.parts, ["…0123456789"]);
        assert_eq!(Laid::new(&line("", &long), None, &sheet(900)).parts, ["…"]);
    }

    #[test]
    fn a_line_without_end_takes_its_most_rows_and_says_that_it_was_cut() {
        let laid = Laid::new(&line("", &"x".repeat(100_000)), None, &sheet(50, true, 0));
        assert_eq!(laid.parts.len(), DEEPEST);
        assert!(laid.parts[DEEPEST - 1].ends_with('…') && laid.parts[0].ends_with('x'));
    }

    #[test]
    fn pieces_are_never_wider_than_their_room() {
        let mut pieces = Vec::new();
        wrapped("aé漢字bcdefgh", 4, 9, &mut pieces);
        assert!(pieces.iter().all(|piece| piece.width() <= 4), "{pieces:?}");
        assert_eq!(pieces.concat(), "aé漢字bcdefgh");
    }
}
