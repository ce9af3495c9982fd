//! Answers as data: one tree, written as EC2's XML, as query XML, as JSON or as CBOR.

use super::time::Moment;
use compact_str::CompactString;
use quick_xml::escape::escape;
use std::fmt::Write as _;

/// A value of an answer. Names are the names on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Text(CompactString),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(Moment),
    List(Vec<Shape>),
    /// A list whose items have a name of their own in XML.
    Items(&'static str, Vec<Shape>),
    Map(Vec<(CompactString, Shape)>),
    Struct(Vec<(&'static str, Shape)>),
}

/// A structure that is being filled.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(Vec<(&'static str, Shape)>);

impl Fields {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(12))
    }

    /// With this member.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Shape>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// With this member, if there is one.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<Shape>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With another value for a member that is there already.
    pub(crate) fn replacing(mut self, name: &'static str, value: impl Into<Shape>) -> Self {
        if let Some((_, old)) = self.0.iter_mut().find(|(member, _)| *member == name) {
            *old = value.into();
        }
        self
    }

    /// With what `fill` adds when `condition` holds.
    pub(crate) fn when(self, condition: bool, fill: impl FnOnce(Self) -> Self) -> Self {
        if condition { fill(self) } else { self }
    }
}

impl From<Fields> for Shape {
    fn from(fields: Fields) -> Self {
        Self::Struct(fields.0)
    }
}
impl From<&str> for Shape {
    fn from(text: &str) -> Self {
        Self::Text(CompactString::from(text))
    }
}
impl From<&String> for Shape {
    fn from(text: &String) -> Self {
        Self::Text(CompactString::from(text.as_str()))
    }
}
impl From<String> for Shape {
    fn from(text: String) -> Self {
        Self::Text(CompactString::from(text))
    }
}
impl From<&CompactString> for Shape {
    fn from(text: &CompactString) -> Self {
        Self::Text(text.clone())
    }
}
impl From<CompactString> for Shape {
    fn from(text: CompactString) -> Self {
        Self::Text(text)
    }
}
impl From<&std::sync::Arc<str>> for Shape {
    fn from(text: &std::sync::Arc<str>) -> Self {
        Self::Text(CompactString::from(text.as_ref()))
    }
}
impl From<bool> for Shape {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Shape {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Shape {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<u16> for Shape {
    fn from(value: u16) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<usize> for Shape {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<f64> for Shape {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
impl From<Moment> for Shape {
    fn from(value: Moment) -> Self {
        Self::Time(value)
    }
}
impl<T: Into<Self>> From<Vec<T>> for Shape {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

/// Makes a list of what `each` makes of every item.
pub(crate) fn list<T, S: Into<Shape>>(items: impl IntoIterator<Item = T>, each: impl FnMut(T) -> S) -> Shape {
    Shape::List(items.into_iter().map(each).map(Into::into).collect())
}

impl Shape {
    /// Writes the content of an element; list items are elements named `item`.
    pub(crate) fn write_xml(&self, out: &mut String, item: &str) {
        match self {
            Self::Text(text) => out.push_str(&escape(text.as_str())),
            Self::Int(number) => _ = write!(out, "{number}"),
            Self::Float(number) => _ = write!(out, "{number}"),
            Self::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
            Self::Time(at) => out.push_str(&at.rfc3339()),
            Self::List(list) => list.iter().for_each(|value| element(out, item, value, item)),
            Self::Items(name, list) => list.iter().for_each(|value| element(out, name, value, item)),
            Self::Map(entries) => {
                for (key, value) in entries {
                    out.push_str("<entry>");
                    element(out, "key", &Self::Text(key.clone()), item);
                    element(out, "value", value, item);
                    out.push_str("</entry>");
                }
            }
            Self::Struct(fields) => fields.iter().for_each(|(name, value)| element(out, name, value, item)),
        }
    }

    /// The items of a list; a value by itself is one.
    pub(crate) fn into_items(self) -> Vec<Self> {
        match self {
            Self::List(items) | Self::Items(_, items) => items,
            other => vec![other],
        }
    }

    /// Lets the token of the next page lead to this page again.
    pub(crate) fn repeat_token(&mut self, asked: super::input::Input) {
        let Self::Struct(fields) = self else { return };
        for (name, value) in fields {
            let sent = match *name {
                "NextMarker" => asked.text("Marker"),
                "NextToken" | "nextToken" => asked.text("NextToken").or_else(|| asked.text("nextToken")),
                _ => None,
            };
            if let Some(sent) = sent {
                *value = Self::from(sent);
            }
        }
    }

    /// The same as JSON; times are numbers of seconds.
    pub(crate) fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Int(number) => Value::from(*number),
            Self::Float(number) => Value::from(*number),
            Self::Bool(yes) => Value::from(*yes),
            Self::Time(at) => Value::from(at.epoch()),
            Self::List(list) | Self::Items(_, list) => Value::Array(list.iter().map(Self::json).collect()),
            Self::Map(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.to_string(), value.json())).collect())
            }
            Self::Struct(fields) => {
                Value::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect())
            }
        }
    }

    /// The same as CBOR; times carry tag 1.
    pub(crate) fn cbor(&self) -> ciborium::Value {
        use ciborium::Value;
        match self {
            Self::Text(text) => Value::Text(text.to_string()),
            Self::Int(number) => Value::Integer((*number).into()),
            Self::Float(number) => Value::Float(*number),
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Time(at) => Value::Tag(1, Box::new(Value::Float(at.epoch()))),
            Self::List(list) | Self::Items(_, list) => Value::Array(list.iter().map(Self::cbor).collect()),
            Self::Map(entries) => Value::Map(
                entries.iter().map(|(key, value)| (Value::Text(key.to_string()), value.cbor())).collect(),
            ),
            Self::Struct(fields) => Value::Map(
                fields.iter().map(|(name, value)| (Value::Text((*name).to_owned()), value.cbor())).collect(),
            ),
        }
    }
}

/// Writes one element with its content. Writing to a `String` cannot fail.
pub(crate) fn element(out: &mut String, name: &str, value: &Shape, item: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    value.write_xml(out, item);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}
