//! JSON and YAML that stay harmless when somebody looks at them with `cat`.
//!
//! Both escape what could drive or confuse a terminal as `\u…`, which parsers turn back into the very
//! same text. YAML strings always stand in quotes: then no tag can become a number, a date or a `no`.

use crate::model::text::is_unsafe;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// A document on lines of its own, indented.
pub(super) fn document(value: &Value) -> String {
    let mut text = write(value, Escaping(PrettyFormatter::new(), Wide::Pair));
    text.push('\n');
    text
}

/// The same written row by row, so that a long list is never in memory as a whole.
///
/// # Errors
/// What the writer failed of.
pub(super) fn write_document(value: &impl Serialize, writer: &mut dyn Write) -> io::Result<()> {
    let formatter = Escaping(PrettyFormatter::new(), Wide::Pair);
    value.serialize(&mut Serializer::with_formatter(&mut *writer, formatter)).map_err(io::Error::from)?;
    writer.write_all(b"\n")
}

/// A document on one line, without the line's end.
pub(super) fn line(value: &Value) -> String {
    write(value, Escaping(CompactFormatter, Wide::Pair))
}

/// A scalar as YAML writes it: JSON's way, but for how it escapes wide characters.
fn scalar(value: &Value) -> String {
    write(value, Escaping(CompactFormatter, Wide::Long))
}

/// The same as YAML.
pub(super) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    node(value, 0, &mut text);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.trim_start_matches(['\n', ' ']).to_owned()
}

fn write(value: &Value, formatter: impl Formatter) -> String {
    let mut bytes = Vec::new();
    // Writing a tree of values with text keys into memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Appends what follows a key or a dash: a scalar on the same line, or a block below it.
fn node(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&format!("\n{:depth$}-", "", depth = depth * 2));
                inner(item, depth + 1, text);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let is_plain = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                let is_word = matches!(
                    key.as_str(),
                    "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
                );
                let quoted = scalar(&Value::from(key.as_str()));
                let key = if is_plain && !is_word && !key.is_empty() { key } else { &quoted };
                text.push_str(&format!("\n{:depth$}{key}:", "", depth = depth * 2));
                inner(value, depth + 1, text);
            }
        }
        other => text.push_str(&scalar(other)),
    }
}

fn inner(value: &Value, depth: usize, text: &mut String) {
    let is_block = match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    if !is_block {
        text.push(' ');
    }
    node(value, depth, text);
}

/// How a character beyond the first 65,536 is escaped.
#[derive(Clone, Copy)]
enum Wide {
    /// As a surrogate pair, which is all that JSON knows and no YAML parser takes.
    Pair,
    /// As `\U` and eight digits, which is YAML's.
    Long,
}

/// Writes unsafe characters as `\u…`.
struct Escaping<F>(F, Wide);

macro_rules! delegate {
    ($($name:ident($($arg:ident: $type:ty),*));+ $(;)?) => {$(
        fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        }
    )+};
}

impl<F: Formatter> Formatter for Escaping<F> {
    delegate! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| is_unsafe(*c)) {
            writer.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
            if matches!(self.1, Wide::Long) && c.len_utf16() > 1 {
                write!(writer, "\\U{:08x}", u32::from(c))?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            plain = at + c.len_utf8();
        }
        writer.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{document, line, yaml};
    use crate::model::text::is_unsafe;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC*|[\u{0}-\u{ff}\u{2028}\u{202e}\u{e0041}]*|no|1e3|- a|2026-01-01|# x|~"
                .prop_map(Value::from),
        ];
        scalar.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z_]{0,5}|[\u{0}-\u{ff}]*", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_comes_back_and_none_can_drive_a_terminal(value in values()) {
            for text in [document(&value), line(&value), yaml(&value)] {
                prop_assert!(text.chars().all(|c| c == '\n' || !is_unsafe(c)), "{text:?}");
            }
            prop_assert_eq!(&serde_json::from_str::<Value>(&document(&value)).unwrap(), &value);
            prop_assert_eq!(&serde_json::from_str::<Value>(&line(&value)).unwrap(), &value);
            let read: Value = serde_yaml_ng::from_str(&yaml(&value)).unwrap();
            prop_assert_eq!(&read, &value, "{}", yaml(&value));
        }
    }

    #[test]
    fn yaml_is_what_people_expect() {
        let value =
            json!({"schema": "x", "data": [{"id": "i-1", "n": 3, "tags": {"a:b": "no"}}, {}], "none": []});
        insta::assert_snapshot!(yaml(&value), @r#"
        data:
          -
            id: "i-1"
            "n": 3
            tags:
              "a:b": "no"
          - {}
        none: []
        schema: "x"
        "#);
    }
}
