//! What figures of CloudWatch must be: `metrics` of `[tiers.refresh]`.

use super::{Cell, Reader};
use crate::config::norm::{HOLES, OVER_S, minutes, parse_norm, statistic, usual};
use crate::error::did_you_mean;
use crate::model::{Bound, Figure, NoData, Norm, Series, Statistic, Text};
use toml::de::{DeTable, DeValue};

/// The keys of one.
const KEYS: [&str; 10] = [
    "name",
    "namespace",
    "metric",
    "per",
    "statistic",
    "dimensions",
    "at_most",
    "at_least",
    "over",
    "no_data",
];
/// Figures of a tier at most: each is asked for, and billed, once in half a minute.
const MOST: usize = 20;

impl Reader<'_> {
    /// A list of lines and tables.
    pub(super) fn norms(&mut self, cell: &Cell<'_>) -> Option<Vec<Norm>> {
        let DeValue::Array(cells) = cell.get_ref() else {
            self.wrong_type(cell, "metrics", "a list, each a line or a table");
            return None;
        };
        let mut norms: Vec<Norm> = Vec::new();
        for cell in cells.iter() {
            let Some(norm) = self.norm(cell) else { continue };
            if norms.iter().any(|known| known.name == norm.name) {
                let hint = Some("give each a `name` of its own".to_owned());
                self.fault(cell.span(), (format!("two of `metrics` are called `{}`", norm.name), hint));
            }
            self.odd(cell, &norm);
            norms.push(norm);
        }
        if norms.len() > MOST {
            let hint = Some("each is asked for, and billed, once in half a minute".to_owned());
            self.fault(cell.span(), (format!("`metrics` may hold {MOST} at most"), hint));
        }
        Some(norms)
    }

    fn norm(&mut self, cell: &Cell<'_>) -> Option<Norm> {
        let table = match cell.get_ref() {
            DeValue::String(line) => {
                return parse_norm(line).map_err(|why| self.fault(cell.span(), (why, None))).ok();
            }
            DeValue::Table(table) => table,
            _ => {
                self.wrong_type(cell, "metrics", "a line or a table");
                return None;
            }
        };
        self.keys(table, &KEYS, "a table of `metrics`");
        let mut named = |key: &str| {
            let Some(cell) = table.get(key) else {
                let hint = format!("write `{key} = \"…\"`");
                self.missing(cell.span(), format!("a figure of `metrics` lacks `{key}`"), hint);
                return None;
            };
            self.checked(cell, key, word).map(Text::new)
        };
        let (namespace, metric) = (named("namespace"), named("metric"));
        let per = table.get("per").and_then(|cell| self.checked(cell, "per", word)).map(Text::new);
        let name = table.get("name").and_then(|cell| self.checked(cell, "name", word)).map(Text::new);
        let statistic = match table.get("statistic") {
            Some(cell) => self.read_by(cell, "statistic", statistic),
            None => Some(Statistic::Sum),
        };
        let over_s = match table.get("over") {
            Some(cell) => self.read_by(cell, "over", minutes),
            None => Some(OVER_S),
        };
        let dimensions = table.get("dimensions").map(|cell| self.dimensions(cell));
        let bound = self.bound(cell, table);
        let no_data = table.get("no_data").map_or(Some(NoData::default()), |cell| self.no_data(cell));
        let (namespace, metric) = (namespace?, metric?);
        Some(Norm {
            name: name.unwrap_or_else(|| metric.clone()),
            series: Series {
                dimensions: dimensions.unwrap_or_else(|| usual(&namespace)),
                namespace,
                metric,
                per,
                statistic: statistic?,
                over_s: over_s?,
            },
            bound: bound?,
            no_data: no_data?,
        })
    }

    /// What is right, and will not do what was meant by it.
    fn odd(&mut self, cell: &Cell<'_>, norm: &Norm) {
        let Series { metric, per, .. } = &norm.series;
        let is_of_errors = metric.contains("5XX") || metric.contains("4XX") || metric.ends_with("ErrorCount");
        if per.is_none() && norm.no_data == NoData::Wait && is_of_errors {
            let message = format!(
                "`{metric}` is sent only when there is such an answer, and its absence is waited for"
            );
            let hint = "write `no_data = \"well\"`, or make it a share with `per = \"RequestCount\"`";
            self.warn(cell.span(), (message, Some(hint.to_owned())));
        }
    }

    fn read_by<T>(&mut self, cell: &Cell<'_>, key: &str, read: fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(cell, key)?;
        read(text).map_err(|why| self.fault(cell.span(), (format!("`{key}`: {why}"), None))).ok()
    }

    fn bound(&mut self, cell: &Cell<'_>, table: &DeTable<'_>) -> Option<Bound> {
        match (table.get("at_most"), table.get("at_least")) {
            (Some(most), None) => self.figure(most, "at_most").map(Bound::AtMost),
            (None, Some(least)) => self.figure(least, "at_least").map(Bound::AtLeast),
            (both, _) => {
                let word = if both.is_some() { "both" } else { "neither" };
                let message = format!("a figure of `metrics` has {word} of `at_most` and `at_least`");
                self.fault(cell.span(), (message, Some("write one of them".to_owned())));
                None
            }
        }
    }

    /// A number, or a share such as `"1%"`.
    fn figure(&mut self, cell: &Cell<'_>, key: &str) -> Option<Figure> {
        let text = match cell.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(digits) => digits.as_str().to_owned(),
            DeValue::Float(digits) => digits.as_str().to_owned(),
            _ => {
                self.wrong_type(cell, key, "a number, or a share such as \"1%\"");
                return None;
            }
        };
        let figure = Figure::parse(&text);
        if figure.is_none() {
            let message = format!("`{key}` must be a number, or a share such as \"1%\", and not `{text}`");
            self.fault(cell.span(), (message, None));
        }
        figure
    }

    fn dimensions(&mut self, cell: &Cell<'_>) -> Vec<(Text, Text)> {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "dimensions", "a table such as { AutoScalingGroupName = \"{group}\" }");
            return Vec::new();
        };
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        let values = pairs.into_iter().filter_map(|(key, cell)| {
            let value = self.checked(cell, key.get_ref(), filled)?;
            Some((Text::new(key.get_ref()), Text::new(value)))
        });
        values.collect()
    }

    fn no_data(&mut self, cell: &Cell<'_>) -> Option<NoData> {
        let word = self.text(cell, "no_data")?;
        let known = NoData::ALL.into_iter().find(|(known, _)| *known == word);
        if known.is_none() {
            let words = NoData::ALL.map(|(word, _)| word);
            let hint = did_you_mean(word, words).map_or_else(
                || format!("write one of {}", words.join(", ")),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.fault(cell.span(), (format!("`no_data` cannot be `{word}`"), Some(hint)));
        }
        known.map(|(_, known)| known)
    }
}

/// A name of CloudWatch's, or of ours.
fn word(raw: &str) -> Option<(String, Option<String>)> {
    (raw.is_empty() || raw.len() > 255).then(|| (format!("`{raw}` must have 1 to 255 characters"), None))
}

/// The value of a dimension, with what is filled in for each group.
fn filled(raw: &str) -> Option<(String, Option<String>)> {
    let mut rest = raw.to_owned();
    HOLES.iter().for_each(|hole| rest = rest.replace(hole, ""));
    if rest.contains(['{', '}']) {
        let hint = format!("what may stand in braces: {}", HOLES.join(", "));
        return Some((format!("`{raw}` cannot be filled in"), Some(hint)));
    }
    word(raw)
}
