//! The words of a query: terms, signs and parentheses, each with its place.
//!
//! The lexer never fails: what it cannot read becomes a fault, and it goes on behind it, so that every
//! fault of a query is found at once. The screen colours a half-typed query with the same words.

use super::fault::Fault;
use std::ops::Range;

/// One word of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lexeme {
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) what: What,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `!` or `not`
    Not,
    /// `and`
    And,
    /// `or`
    Or,
    /// Something to look for.
    Term(RawTerm),
}

/// A term as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawTerm {
    /// The column and the sign behind it; none for a bare word.
    pub(super) field: Option<(RawField, Sign, Range<usize>)>,
    /// Its alternatives; more than one only behind `:`, `=` and `!=`. Empty after a fault.
    pub(super) values: Vec<RawValue>,
}

/// A column as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawField {
    pub(super) span: Range<usize>,
    /// The column's name, or `tag`.
    pub(super) name: String,
    /// The key behind `tag.`
    pub(super) key: Option<String>,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawValue {
    pub(super) span: Range<usize>,
    pub(super) form: Form,
    /// The text without quotes, slashes and their escapes.
    pub(super) text: String,
}

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is: `*` and `?` are wild, `?` alone is unknown, `-` alone is absent.
    Bare,
    /// In quotes: every character stands for itself.
    Quoted,
    /// Between slashes.
    Regex,
}

/// The sign between a column and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Has,
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Sign {
    /// Every sign; a longer one before its own beginning.
    pub(super) const ALL: [Self; 7] =
        [Self::IsNot, Self::AtMost, Self::AtLeast, Self::Has, Self::Is, Self::Less, Self::More];

    /// How it is written.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Has => ":",
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Tells whether it asks for an order.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Has | Self::Is | Self::IsNot)
    }

    fn at_start(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sign| text.starts_with(sign.word()))
    }
}

/// Splits a query into words, and collects what cannot be read.
pub(super) fn lex(source: &str) -> (Vec<Lexeme>, Vec<Fault>) {
    let mut lexer = Lexer { source, at: 0, lexemes: Vec::new(), faults: Vec::new() };
    while lexer.step() {}
    (lexer.lexemes, lexer.faults)
}

/// Tells whether an unquoted word ends before this character.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')')
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    lexemes: Vec<Lexeme>,
    faults: Vec<Fault>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.source.len() - self.rest().trim_start().len();
    }

    /// Reads on while characters satisfy `keep`.
    fn run(&mut self, keep: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn push(&mut self, start: usize, what: What) {
        self.lexemes.push(Lexeme { span: start..self.at, what });
    }

    fn step(&mut self) -> bool {
        self.skip_blanks();
        let start = self.at;
        let Some(c) = self.peek() else { return false };
        match c {
            '(' | ')' => {
                self.at += 1;
                self.push(start, if c == '(' { What::Open } else { What::Close });
            }
            '!' if !self.rest().starts_with("!=") => {
                self.at += 1;
                self.push(start, What::Not);
            }
            '"' | '/' => {
                let values = self.delimited(c).into_iter().collect();
                self.push(start, What::Term(RawTerm { field: None, values }));
            }
            _ if Sign::at_start(self.rest()).is_some() => self.stray_sign(start),
            _ => self.word(start),
        }
        true
    }

    fn stray_sign(&mut self, start: usize) {
        self.run(|c| !ends_word(c));
        self.faults.push(
            Fault::new(start..self.at, "a sign needs a column before it")
                .hint("write column:value or column>number, or put the text into quotes"),
        );
        self.push(start, What::Term(RawTerm { field: None, values: Vec::new() }));
    }

    fn word(&mut self, start: usize) {
        if let Some(field) = self.field() {
            return self.fielded(start, field);
        }
        self.at = start;
        let text = self.run(|c| !ends_word(c));
        let what = match text.to_ascii_lowercase().as_str() {
            "and" => What::And,
            "or" => What::Or,
            "not" => What::Not,
            _ => {
                let value = RawValue { span: start..self.at, form: Form::Bare, text: text.to_owned() };
                What::Term(RawTerm { field: None, values: vec![value] })
            }
        };
        self.push(start, what);
    }

    /// Reads `column` or `tag.KEY` when a sign follows. Blanks may stand before a sign that compares.
    fn field(&mut self) -> Option<(RawField, Sign, Range<usize>)> {
        let start = self.at;
        let name = self.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).to_owned();
        if name.is_empty() || name.starts_with(|c: char| c.is_numeric() || c == '-') {
            return None;
        }
        let key = if name.eq_ignore_ascii_case("tag") && self.peek() == Some('.') {
            self.at += 1;
            Some(match self.peek() {
                Some('"') => self.delimited('"')?.text,
                _ => self.run(|c| !ends_word(c) && !matches!(c, ':' | '=' | '<' | '>' | '!')).to_owned(),
            })
        } else {
            None
        };
        let span = start..self.at;
        let touching = Sign::at_start(self.rest());
        if touching.is_none() {
            if matches!(name.to_ascii_lowercase().as_str(), "and" | "or" | "not") {
                return None;
            }
            self.skip_blanks();
        }
        let sign = Sign::at_start(self.rest()).filter(|sign| touching.is_some() || *sign != Sign::Has)?;
        let at = self.at;
        self.at += sign.word().len();
        Some((RawField { span, name, key }, sign, at..self.at))
    }

    fn fielded(&mut self, start: usize, field: (RawField, Sign, Range<usize>)) {
        let sign = field.1;
        if sign != Sign::Has {
            self.skip_blanks();
        }
        let mut values = Vec::new();
        loop {
            values.extend(self.value(sign));
            if sign.is_order() || self.peek() != Some(',') {
                break;
            }
            self.at += 1;
        }
        self.push(start, What::Term(RawTerm { field: Some(field), values }));
    }

    fn value(&mut self, sign: Sign) -> Option<RawValue> {
        let start = self.at;
        match self.peek() {
            Some(c @ ('"' | '/')) => return self.delimited(c),
            Some(',') if !sign.is_order() => {}
            Some(c) if !ends_word(c) => {
                let text = self.run(|c| !ends_word(c) && (sign.is_order() || c != ',')).to_owned();
                return Some(RawValue { span: start..self.at, form: Form::Bare, text });
            }
            _ => {}
        }
        self.faults.push(
            Fault::new(start..start, format!("a value is missing after '{}'", sign.word()))
                .hint("write the value right behind the sign; '?' means unknown, '-' means absent"),
        );
        None
    }

    /// Reads `"…"` or `/…/`. In quotes `\"` and `\\` stand for `"` and `\`; between slashes `\/` for `/`.
    fn delimited(&mut self, mark: char) -> Option<RawValue> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        let mut end = None;
        while let Some((at, c)) = chars.next() {
            if c == mark {
                end = Some(at + 1);
                break;
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some((_, next)) if next == mark || (mark == '"' && next == '\\') => text.push(next),
                Some((_, next)) => text.extend([c, next]),
                None => text.push(c),
            }
        }
        let Some(end) = end else {
            self.at = self.source.len();
            let hint = if mark == '"' {
                "close it with another \"; a \" inside is written \\\""
            } else {
                "close it with another /, or put the text into quotes to search for a path"
            };
            self.faults.push(Fault::new(start..start + 1, format!("this {mark} is never closed")).hint(hint));
            return None;
        };
        self.at = start + end;
        let form = if mark == '"' { Form::Quoted } else { Form::Regex };
        if form == Form::Regex && self.peek().is_some_and(|c| !ends_word(c) && c != ',') {
            let behind = self.at;
            self.run(|c| !ends_word(c) && c != ',');
            let whole = self.source.get(start..self.at).unwrap_or("");
            self.faults.push(
                Fault::new(behind..self.at, "text behind the closing / of a regular expression")
                    .hint(format!("to search for a path, put it into quotes: \"{whole}\"")),
            );
            return None;
        }
        Some(RawValue { span: start..self.at, form, text })
    }
}
