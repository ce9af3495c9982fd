//! What is wrong with a configuration: where, what, and what was probably meant.

use crate::model::text::harmless;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use unicode_width::UnicodeWidthStr;

/// One fault or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// What is wrong, one sentence without a final period.
    pub message: String,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
}

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// How many characters it covers on that line; at least 1.
        width: usize,
        /// The line itself, without what looks like a secret.
        text: String,
    },
    /// In an environment variable.
    Env(&'static str),
    /// In a flag.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column, .. } => {
                write!(f, "{}:{line}:{column}", harmless(&path.to_string_lossy()))
            }
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl Fault {
    /// The order in which faults are read: down the file.
    pub(super) fn order(&self) -> (usize, usize) {
        match self.place {
            Place::File { line, column, .. } => (line, column),
            Place::Env(_) | Place::Flag(_) => (usize::MAX, 0),
        }
    }
}

impl fmt::Display for Fault {
    /// Place and message, then for files the line with a caret under the fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, harmless(&self.message))?;
        let hint = self.hint.as_deref().map(harmless).unwrap_or_default();
        let Place::File { line, column, width, text, .. } = &self.place else {
            return if hint.is_empty() { Ok(()) } else { write!(f, "\n  {hint}") };
        };
        let before: String = text.chars().take(column - 1).collect();
        let under: String = text.chars().skip(column - 1).take(*width).collect();
        let (before, under) = (harmless(&before).width(), harmless(&under).width().max(1));
        let number = line.to_string();
        write!(f, "\n  {number} | {}", harmless(text))?;
        write!(f, "\n  {:number$} | {:before$}{}", "", "", "^".repeat(under), number = number.len())?;
        if !hint.is_empty() {
            write!(f, " {hint}")?;
        }
        Ok(())
    }
}

/// Every fault of a configuration at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A file's text, and the way from a byte to a line and a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doc<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Doc<'_> {
    /// The line that a byte is on, from 1.
    pub(super) fn line_of(&self, byte: usize) -> usize {
        1 + self.text.bytes().take(byte).filter(|b| *b == b'\n').count()
    }

    /// The place of a span of bytes; what reaches past the end of its line is cut there.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let (before, after) = self.text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = after.find('\n').map_or(self.text.len(), |at| start + at);
        let raw = self.text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r');
        let column = 1 + before.get(line_start..).unwrap_or_default().chars().count();
        let within = self.text.get(start..span.end.clamp(start, line_end)).unwrap_or_default();
        Place::File {
            path: self.path.to_path_buf(),
            line: self.line_of(start),
            column,
            width: within.trim_end().chars().count().max(1),
            text: without_secrets(raw),
        }
    }
}

/// Words that betray a key as one for a secret.
const SECRETS: [&str; 9] =
    ["secret", "password", "passwd", "passphrase", "token", "api_key", "apikey", "access_key", "private_key"];

/// Tells whether a key looks as if its value were a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    SECRETS.iter().any(|word| key.contains(word))
}

/// Cuts a line after the first key that looks like one for a secret, so that showing where a fault
/// is never shows the secret.
fn without_secrets(line: &str) -> String {
    let line = &without_user(line);
    let mut key_start = 0;
    for (at, c) in line.char_indices() {
        match c {
            '=' if is_secret(line.get(key_start..at).unwrap_or_default()) => {
                return format!("{}= …", line.get(..at).unwrap_or_default());
            }
            '=' | ',' | '{' | '[' => key_start = at + 1,
            _ => {}
        }
    }
    line.to_owned()
}

/// Hides the user and password of a URL.
fn without_user(line: &str) -> String {
    let Some((scheme, rest)) = line.split_once("://") else { return line.to_owned() };
    let host_end = rest.find(['/', '"', '\'', ' ']).unwrap_or(rest.len());
    match rest.get(..host_end).and_then(|host| host.rfind('@')) {
        Some(at) => format!("{scheme}://…{}", rest.get(at..).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Doc, Fault, without_secrets};
    use std::path::Path;

    #[test]
    fn a_caret_stands_under_wide_text_and_control_characters() {
        let doc = Doc { path: Path::new("c.toml"), text: "a = 1\n東京\t\u{1b}x = 2\n" };
        let start = doc.text.find('x').unwrap_or(0);
        let fault = Fault { place: doc.place(start..start + 1), message: "odd".into(), hint: None };
        insta::assert_snapshot!(fault, @"
        c.toml:2:5: odd
          2 | 東京␉␛x = 2
            |       ^
        ");
    }

    #[test]
    fn a_line_with_a_secret_shows_only_its_key() {
        assert_eq!(without_secrets("db_password = \"hunter2\""), "db_password = …");
        assert_eq!(
            without_secrets("role = { arn = \"a\", api-key = \"k\" }"),
            "role = { arn = \"a\", api-key = …"
        );
        assert_eq!(without_secrets("name = \"token\""), "name = \"token\"");
    }
}
