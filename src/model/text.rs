//! Text that came from outside, and how it is made harmless before a terminal sees it.

use std::borrow::Cow;

/// A short string: up to 24 bytes live inline, which covers most ids, states and types.
pub type Text = compact_str::CompactString;

/// Returns `raw` with everything that could drive or confuse a terminal made visible instead.
///
/// Control characters (C0, DEL, C1) become their Unicode control pictures or `\u{…}`; characters that
/// reorder or hide text (bidirectional overrides and isolates, zero-width and tag characters) become
/// `\u{…}`. Ordinary right-to-left letters stay: they only read in their own direction.
pub fn harmless(raw: &str) -> Cow<'_, str> {
    if is_plain(raw) || !raw.chars().any(is_unsafe) {
        return Cow::Borrowed(raw);
    }
    let mut shown = String::with_capacity(raw.len() + 8);
    for c in raw.chars() {
        match c {
            '\u{00}'..='\u{1f}' => {
                shown.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => shown.push('\u{2421}'),
            c if is_unsafe(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Tells whether a text is nothing but printable ASCII: each byte of it is a character of one column, and harmless. Nearly
/// all text is, and to see that takes a few instructions for sixteen bytes.
pub fn is_plain(text: &str) -> bool {
    // Without an early end, so that the compiler takes many bytes at a time.
    text.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~'))
}

/// Tells whether a character must not reach a terminal as it is.
pub fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\u{00}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{harmless, is_plain, is_unsafe};
    use unicode_width::UnicodeWidthChar;

    #[test]
    fn an_escape_sequence_loses_its_power_and_stays_readable() {
        assert_eq!(harmless("a\u{1b}[2Jb"), "a␛[2Jb");
        assert_eq!(harmless("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(harmless("x\u{202e}y"), "x\\u{202e}y");
    }

    #[test]
    fn plain_is_what_is_harmless_and_one_column_wide_in_one_byte() {
        for c in (0..=0x10ffff_u32).filter_map(char::from_u32) {
            let is_simple = c.is_ascii() && !is_unsafe(c) && c.width() == Some(1);
            assert_eq!(is_plain(&format!("core {c} 1")), is_simple, "{c:?}");
        }
        assert!(is_plain(""));
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(harmless("שלום-prod 1"), std::borrow::Cow::Borrowed(_)));
    }
}
