//! How one value looks in a cell: harmless, coarse where it is an age, and `?` where it is not known.

use crate::model::text::{harmless, is_plain};
use crate::query::{Column, Value};
use jiff::Timestamp;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A value as a cell shows it. Ages are coarse, so that a table at rest sends no bytes.
pub(crate) fn show<'a>(value: Value<'a>, column: &Column, now: Timestamp) -> Cow<'a, str> {
    match value {
        Value::Moment(at) => Cow::Owned(age(at, now)),
        Value::Span(for_long) if is_age(column) => {
            Cow::Owned(span(i64::try_from(for_long.as_secs()).unwrap_or(i64::MAX)))
        }
        other => other.show(column.unit, now),
    }
}

/// Tells whether a column's spans grow by themselves.
pub(crate) fn is_age(column: &Column) -> bool {
    column.name == "age" || column.name.ends_with("_age")
}

/// How long ago something was: `<1m`, `5m`, `3h`, `12d`; `in 5m` for what is to come.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    if seconds < 0 { format!("in {}", span(-seconds)) } else { span(seconds) }
}

fn span(seconds: i64) -> String {
    match seconds {
        ..MINUTE => "<1m".into(),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..172_800 => format!("{}h", seconds / HOUR),
        _ => format!("{}d", seconds / DAY),
    }
}

/// The moment at which `age` will read differently.
pub(crate) fn next_change(at: Timestamp, now: Timestamp) -> Timestamp {
    let seconds = now.as_second() - at.as_second();
    let step = match seconds.abs() {
        ..HOUR => MINUTE,
        HOUR..172_800 => HOUR,
        _ => DAY,
    };
    let next = (seconds.div_euclid(step) + 1) * step;
    Timestamp::from_second(at.as_second() + next).unwrap_or(Timestamp::MAX)
}

/// Text that fits into so many columns, with `mark` at its end when something was cut off. Characters
/// that take two columns, and those that combine with the one before, stay whole.
pub(crate) fn cut<'a>(text: &'a str, columns: usize, mark: &str) -> Cow<'a, str> {
    if is_plain(text) { cut_plain(text, columns, mark) } else { cut_any(text, columns, mark) }
}

/// Each byte is a column.
fn cut_plain<'a>(text: &'a str, columns: usize, mark: &str) -> Cow<'a, str> {
    if text.len() <= columns {
        return Cow::Borrowed(text);
    }
    let (room, mark) = columns.checked_sub(mark.width()).map_or((0, ""), |room| (room, mark));
    let kept = text.get(..room).unwrap_or_default();
    if mark.is_empty() { Cow::Borrowed(kept) } else { Cow::Owned([kept, mark].concat()) }
}

fn cut_any<'a>(text: &'a str, columns: usize, mark: &str) -> Cow<'a, str> {
    let text = harmless(text);
    if text.len() <= columns || text.width() <= columns {
        return text;
    }
    let room = columns.saturating_sub(mark.width());
    let (mut kept, mut used) = (String::new(), 0);
    for grapheme in text.graphemes(true) {
        let wide = grapheme.width();
        if used + wide > room {
            break;
        }
        kept.push_str(grapheme);
        used += wide;
    }
    if mark.width() <= columns {
        kept.push_str(mark);
    }
    Cow::Owned(kept)
}

/// Text broken into lines of so many columns: at spaces where there are some, within words where not.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    let begin = |lines: &mut Vec<String>, used: &mut usize| {
        while lines.last().is_some_and(|line| line.ends_with(' ')) {
            lines.last_mut().map(String::pop);
        }
        lines.push(String::new());
        *used = 0;
    };
    let text = harmless(text);
    for word in text.split_inclusive(' ') {
        let wide = word.width();
        if used > 0 && used + word.trim_end().width() > columns {
            begin(&mut lines, &mut used);
        }
        if wide <= columns {
            if let Some(line) = lines.last_mut() {
                line.push_str(word);
            }
            used += wide;
            continue;
        }
        for grapheme in word.graphemes(true) {
            let wide = grapheme.width();
            if used > 0 && used + wide > columns {
                begin(&mut lines, &mut used);
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(grapheme);
            }
            used += wide;
        }
    }
    if let Some(line) = lines.last_mut() {
        line.truncate(line.trim_end().len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_coarse_and_say_when_they_change() {
        let at = Timestamp::from_second(1_000_000).unwrap();
        let after = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        for (seconds, text) in [
            (0, "<1m"),
            (61, "1m"),
            (3599, "59m"),
            (3600, "1h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (-90, "in 1m"),
        ] {
            assert_eq!(age(at, after(seconds)), text);
            let next = next_change(at, after(seconds));
            assert!(next > after(seconds), "{seconds}");
            let just_before = Timestamp::from_second(next.as_second() - 1).unwrap();
            if seconds >= 0 {
                assert_eq!(age(at, just_before), text, "{seconds}");
                assert_ne!(age(at, next), text, "{seconds}");
            }
        }
    }

    #[test]
    fn cutting_keeps_wide_and_combining_characters_whole() {
        assert_eq!(cut("日本語テスト", 5, "…"), "日本…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(cut("abc", 3, "…"), "abc");
        assert_eq!(cut("abcd", 0, "…"), "");
        assert_eq!(cut("\u{1b}[31mred", 20, "…"), "␛[31mred");
    }

    #[test]
    fn plain_text_is_cut_as_any_other() {
        for text in ["", "a", "cell-0001 us-east-1a", "~ \\ ~"] {
            for (columns, mark) in
                (0..24).flat_map(|columns| ["", "~", "…", "..", "日"].map(|mark| (columns, mark)))
            {
                assert_eq!(
                    cut_plain(text, columns, mark),
                    cut_any(text, columns, mark),
                    "{text:?} {columns} {mark:?}"
                );
            }
        }
    }

    #[test]
    fn wrapping_breaks_at_spaces_and_within_long_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
