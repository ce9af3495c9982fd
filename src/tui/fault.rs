//! What is wrong in a keymap or theme file, with its place and what was probably meant.

use std::fmt;

/// One thing wrong in a file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name, as it was given.
    pub file: String,
    /// The line, from 1; 0 where no file is meant.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// One sentence, no final period.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Collects every fault of one file, so that all are told at once.
pub(crate) struct Faults<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Adds a fault at a byte offset of the text.
    pub(crate) fn at(&mut self, offset: usize, message: impl Into<String>, hint: Option<String>) {
        let (line, column) = place(self.text, offset);
        let file = self.file.to_string();
        self.found.push(Fault { file, line, column, message: message.into(), hint });
    }

    /// Adds what the TOML parser itself complains of.
    pub(crate) fn toml(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            self.at(offset, error.message().lines().collect::<Vec<_>>().join(" "), None);
        }
    }

    /// The line that a byte offset is on, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        place(self.text, offset).0
    }

    /// Every fault so far, in the order of the file.
    pub(crate) fn into_found(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| (fault.line, fault.column));
        self.found
    }
}

/// "did you mean `x`?", when one of the candidates is near.
pub(crate) fn meant<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    crate::error::did_you_mean(typed, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// Line and column, both from 1, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    (line, column)
}
