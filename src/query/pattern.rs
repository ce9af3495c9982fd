//! Patterns over text: substrings without regard to case, globs, whole texts, regular expressions.

use super::lex::Form;
use crate::model::tier::glob;
use regex::{Regex, RegexBuilder};
use std::fmt;
use std::ops::Range;

/// A pattern, compiled once per query.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// Stands anywhere in the text.
    Within(Needle),
    /// Is the whole text.
    Whole(Needle),
    /// `*` any run, `?` any one character; over the whole text.
    Glob(String),
    /// Is found in the text. Without regard to case, unless it says `(?-i)`.
    Regex(Regex),
}

impl Pattern {
    /// Tells whether a text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Within(needle) => needle.is_within(text),
            Self::Whole(needle) => needle.is_whole(text),
            Self::Glob(pattern) => glob(pattern, text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Tells whether it can match no part of a text: quick to say of a long one whose parts are many.
    pub(super) fn is_nowhere_in(&self, text: &str) -> bool {
        matches!(self, Self::Within(needle) if !needle.is_within(text))
    }

    /// What is looked for anywhere in a text, in lower case, where that is nothing but ASCII.
    pub(super) fn plain(&self) -> Option<&str> {
        match self {
            Self::Within(needle) if needle.ends.is_some() => Some(&needle.lower),
            _ => None,
        }
    }

    /// Tells whether it matches every text.
    pub(super) fn is_anything(&self) -> bool {
        matches!(self, Self::Glob(pattern) if pattern.bytes().all(|byte| byte == b'*'))
    }
}

/// Tells whether an unquoted text holds wild characters.
pub(super) fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Bytes that are looked at together: the compiler makes a few instructions of it.
const TOGETHER: usize = 16;

/// A text to be found without regard to case, and without a copy of what it is looked for in.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    lower: String,
    /// The first and the last byte, folded; none where the case of letters outside of ASCII counts.
    ends: Option<(u8, u8)>,
}

/// Makes one of both cases of a letter. Some other characters become one another too.
const fn folded(byte: u8) -> u8 {
    byte | 0x20
}

impl Needle {
    /// Prepares a text for searching.
    pub(super) fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let bytes = lower.as_bytes();
        let ends = bytes.first().zip(bytes.last()).filter(|_| lower.is_ascii());
        let ends = ends.map(|(first, last)| (folded(*first), folded(*last)));
        Self { lower, ends }
    }

    /// Tells whether a text that holds this one holds the other too.
    pub(super) fn holds(&self, other: &Self) -> bool {
        self.ends.is_some() && other.ends.is_some() && self.lower.contains(&other.lower)
    }

    fn is_within(&self, text: &str) -> bool {
        let Some(ends) = self.ends else {
            return text.char_indices().any(|(at, _)| self.begins(text.get(at..).unwrap_or("")))
                || self.lower.is_empty();
        };
        let (needle, text) = (self.lower.as_bytes(), text.as_bytes());
        // Where it may begin, and beside each such place the one where it would end.
        let Some(last) = text.len().checked_sub(needle.len()) else { return false };
        let (firsts, lasts) = (text.get(..=last), text.get(needle.len() - 1..));
        let (Some(firsts), Some(lasts)) = (firsts, lasts) else { return false };
        let is_here =
            |at: usize| text.get(at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle));
        let many = firsts.chunks_exact(TOGETHER).zip(lasts.chunks_exact(TOGETHER));
        let few = firsts.len() - firsts.len() % TOGETHER;
        many.zip((0..).step_by(TOGETHER)).any(|((firsts, lasts), from)| {
            may_be(ends, firsts, lasts) && (from..from + TOGETHER).any(is_here)
        }) || (few..firsts.len())
            .any(|at| firsts.get(at).is_some_and(|byte| folded(*byte) == ends.0) && is_here(at))
    }

    fn is_whole(&self, text: &str) -> bool {
        if self.ends.is_some() {
            return self.lower.eq_ignore_ascii_case(text);
        }
        text.chars().flat_map(char::to_lowercase).eq(self.lower.chars())
    }

    /// Tells whether a text begins with it.
    pub(super) fn begins(&self, text: &str) -> bool {
        let mut text = text.chars().flat_map(char::to_lowercase);
        self.lower.chars().all(|c| text.next() == Some(c))
    }
}

/// Tells whether what begins and ends so may be in one of these places.
fn may_be((first, last): (u8, u8), firsts: &[u8], lasts: &[u8]) -> bool {
    firsts
        .iter()
        .zip(lasts)
        .fold(0, |found, (a, b)| found | (u8::from(folded(*a) == first) & u8::from(folded(*b) == last)))
        != 0
}

/// A regular expression that cannot be read.
#[derive(Debug, PartialEq)]
pub(super) struct BadRegex {
    /// Which bytes of the expression.
    pub(super) span: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
}

/// Compiles a regular expression, with a bound on the memory that it may take.
pub(super) fn regex(text: &str) -> Result<Regex, BadRegex> {
    let whole = |message: String| BadRegex { span: 0..text.len(), message };
    match regex_syntax::parse(text) {
        Ok(_) => {}
        Err(regex_syntax::Error::Parse(error)) => return Err(bad(*error.span(), error.kind())),
        Err(regex_syntax::Error::Translate(error)) => return Err(bad(*error.span(), error.kind())),
        Err(error) => return Err(whole(error.to_string())),
    }
    RegexBuilder::new(text).case_insensitive(true).size_limit(1 << 20).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => whole("it needs more than 1 MiB when compiled".to_owned()),
        other => whole(other.to_string().lines().last().unwrap_or_default().to_owned()),
    })
}

fn bad(span: regex_syntax::ast::Span, what: &impl fmt::Display) -> BadRegex {
    BadRegex { span: span.start.offset..span.end.offset, message: what.to_string() }
}

/// Writes a value as a query writes it, so that it is read back as the same value.
pub(super) fn write_value(f: &mut impl fmt::Write, form: Form, text: &str) -> fmt::Result {
    match form {
        Form::Bare => f.write_str(text),
        Form::Quoted => write_quoted(f, text),
        Form::Regex => write!(f, "/{}/", escape_slashes(text)),
    }
}

/// Writes a text in quotes.
pub(super) fn write_quoted(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// Returns a regular expression as it stands between slashes.
pub(super) fn escape_slashes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' => shown.push_str("\\/"),
            '\\' => {
                shown.push(c);
                shown.extend(chars.next());
            }
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Needle, Pattern, regex};
    use proptest::prelude::*;

    #[test]
    fn finds_without_regard_to_case() {
        assert!(Needle::new("PROD").is_within("core-prod-1"));
        assert!(Needle::new("é").is_within("CAFÉ"));
        assert!(Needle::new("").is_within(""));
        assert!(!Needle::new("prod").is_within("pro"));
        assert!(Needle::new("İ").is_within("İstanbul"));
        assert!(Needle::new("STRASSE").is_whole("Strasse"));
    }

    #[test]
    fn a_bad_regex_says_where() {
        let bad = regex("ab(c").unwrap_err();
        assert_eq!((bad.span, bad.message.as_str()), (2..3, "unclosed group"));
        assert!(regex("(a{1000}){1000}").unwrap_err().message.contains("1 MiB"));
        assert!(Pattern::Regex(regex("^A").unwrap()).matches("abc"));
        assert!(!Pattern::Regex(regex("(?-i)^A").unwrap()).matches("abc"));
    }

    proptest! {
        #[test]
        fn ascii_search_equals_the_plain_one(hay in "[a-cA-C -]{0,24}", needle in "[a-cA-C]{1,4}") {
            let expected = hay.to_lowercase().contains(&needle.to_lowercase());
            prop_assert_eq!(Needle::new(&needle).is_within(&hay), expected);
        }

        #[test]
        fn a_long_text_is_searched_to_its_end(hay in "[a-cA-C@`_\u{7f}-]{20,120}", needle in "[a-cA-C@`_-]{1,5}") {
            let expected = hay.to_lowercase().contains(&needle.to_lowercase());
            prop_assert_eq!(Needle::new(&needle).is_within(&hay), expected);
        }
    }
}
