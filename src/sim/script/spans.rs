//! TOML tables whose faults know their lines.

use crate::error::Error;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The faults of a file, gathered.
pub(super) struct Faults<'t> {
    text: &'t str,
    name: &'t str,
    found: Vec<(usize, usize, String)>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str, name: &'t str) -> Self {
        Self { text, name, found: Vec::new() }
    }

    /// Adds one where it is.
    pub(super) fn add(&mut self, span: Range<usize>, sentence: String) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        self.found.push((line, column, sentence));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them in the order of their lines.
    pub(super) fn into_error(mut self) -> Error {
        self.found.sort();
        self.found.dedup();
        let name = self.name;
        let lines: Vec<String> = self
            .found
            .iter()
            .map(|(line, column, sentence)| format!("{name}:{line}:{column}: {sentence}"))
            .collect();
        Error::usage(lines.join("\n"))
    }
}

/// A table with its place in the file.
pub(super) struct Table<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
}

impl<'a> Table<'a> {
    pub(super) fn new(table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self { table, span }
    }

    /// Where it is.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where a key's value is; the table, where there is no such key.
    pub(super) fn at(&self, name: &str) -> Range<usize> {
        self.table.get(name).map_or_else(|| self.span(), Spanned::span)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Faults every key that is not one of these.
    pub(super) fn only(&self, known: &[&str], faults: &mut Faults) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let near = crate::error::did_you_mean(name, known.iter().copied());
                let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
                faults.add(key.span(), format!("unknown key {name}{near}"));
            }
        }
    }

    fn typed<T>(
        &self,
        name: &str,
        what: &str,
        faults: &mut Faults,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.table.get(name)?;
        let read = read(value.get_ref());
        if read.is_none() {
            faults.add(value.span(), format!("{name} must be {what}"));
        }
        read
    }

    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        self.typed(name, "text", faults, DeValue::as_str)
    }

    /// A text that has to be there.
    pub(super) fn required(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        if !self.has(name) {
            faults.add(self.span(), format!("{name} is missing"));
        }
        self.text(name, faults)
    }

    pub(super) fn whole(&self, name: &str, faults: &mut Faults) -> Option<u64> {
        self.typed(name, "a whole number from 0", faults, |value| {
            let number = value.as_integer()?;
            u64::from_str_radix(number.as_str(), number.radix()).ok()
        })
    }

    pub(super) fn real(&self, name: &str, faults: &mut Faults) -> Option<f64> {
        self.typed(name, "a number from 0", faults, |value| {
            let text = match value {
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                _ => return None,
            };
            text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
        })
    }

    /// A span of time such as `90s`, `10m`, `1h 30m`.
    pub(super) fn span_of_time(&self, name: &str, faults: &mut Faults) -> Option<Duration> {
        self.typed(name, "a span of time such as 90s or 1h 30m", faults, |value| duration(value.as_str()?))
    }

    /// A truth; no where nothing is said.
    pub(super) fn flag(&self, name: &str, faults: &mut Faults) -> bool {
        self.typed(name, "true or false", faults, DeValue::as_bool).unwrap_or(false)
    }

    /// Texts by name, with the places of the values, in the order of the names.
    pub(super) fn pairs(&self, name: &str, faults: &mut Faults) -> Vec<(String, &'a str, Range<usize>)> {
        let read = |value: &'a DeValue<'a>| {
            let entries = value.as_table()?.iter();
            entries
                .map(|(key, value)| {
                    Some((key.get_ref().to_string(), value.get_ref().as_str()?, value.span()))
                })
                .collect()
        };
        self.typed(name, "a table of texts", faults, read).unwrap_or_default()
    }

    /// Tells whether a value is a list.
    pub(super) fn is_list(&self, name: &str) -> bool {
        self.table.get(name).is_some_and(|value| value.get_ref().is_array())
    }

    /// Tells whether a value is text.
    pub(super) fn is_text(&self, name: &str) -> bool {
        self.table.get(name).is_some_and(|value| value.get_ref().is_str())
    }

    /// A list of texts with their places.
    pub(super) fn texts(&self, name: &str, faults: &mut Faults) -> Option<Vec<(&'a str, Range<usize>)>> {
        self.typed(name, "a list of texts", faults, |value| {
            value.as_array()?.iter().map(|item| Some((item.get_ref().as_str()?, item.span()))).collect()
        })
    }

    /// A list of whole numbers.
    pub(super) fn wholes(&self, name: &str, faults: &mut Faults) -> Option<Vec<u32>> {
        self.typed(name, "a list of whole numbers from 0", faults, |value| {
            let number = |item: &Spanned<DeValue<'a>>| {
                let number = item.get_ref().as_integer()?;
                u32::from_str_radix(number.as_str(), number.radix()).ok()
            };
            value.as_array()?.iter().map(number).collect()
        })
    }

    /// The tables of `[[name]]`.
    pub(super) fn tables(&self, name: &str, faults: &mut Faults) -> Vec<Self> {
        let read = |value: &'a DeValue<'a>| {
            let tables = value.as_array()?.iter();
            tables.map(|item| Some(Self::new(item.get_ref().as_table()?, item.span()))).collect()
        };
        self.typed(name, &format!("tables under [[{name}]]"), faults, read).unwrap_or_default()
    }
}

/// Reads a span of time: numbers with the units ms, s, m, h, d, with or without blanks between.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|one: char| !one.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let letters = after.find(|one: char| !one.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
        let part = match unit {
            "ms" => Duration::from_millis(number),
            "s" => seconds(1)?,
            "m" => seconds(60)?,
            "h" => seconds(3600)?,
            "d" => seconds(86_400)?,
            _ => return None,
        };
        sum = sum.checked_add(part)?;
        rest = after.trim_start();
    }
    Some(sum)
}
