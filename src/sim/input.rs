//! What a caller sent, the same whether it came as a form, as JSON or as CBOR.

use super::time::Moment;
use serde_json::{Map, Value};

/// A part of what was sent. Lists of the query protocols are arrays here, `member` is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(&'a Value);

impl<'a> Input<'a> {
    /// Looks at a tree.
    pub(crate) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// The member names that were sent.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.as_object().into_iter().flat_map(|object| object.keys()).map(String::as_str)
    }

    /// A member, if it was sent.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|value| !value.is_null()).map(Self)
    }

    /// A text member.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Self::as_text)
    }

    /// This part as text.
    pub(crate) fn as_text(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// A whole number member; the error is what was sent instead.
    pub(crate) fn number(self, name: &str) -> Result<Option<i64>, String> {
        let Some(Self(value)) = self.get(name) else { return Ok(None) };
        match value {
            Value::Number(number) => number.as_i64().map(Some).ok_or_else(|| number.to_string()),
            Value::String(text) => text.parse().map(Some).map_err(|_| text.clone()),
            other => Err(other.to_string()),
        }
    }

    /// A truth member.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.get(name).is_some_and(Self::as_flag)
    }

    /// This part as truth.
    pub(crate) fn as_flag(self) -> bool {
        match self.0 {
            Value::Bool(yes) => *yes,
            Value::String(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// A time member.
    pub(crate) fn time(self, name: &str) -> Option<Moment> {
        match self.get(name)?.0 {
            Value::Number(number) => number.as_f64().map(|seconds| Moment((seconds * 1000.0) as i64)),
            Value::String(text) => Moment::read(text),
            _ => None,
        }
    }

    /// The items of a list member; a member that is missing or empty has none.
    pub(crate) fn list(self, name: &str) -> Vec<Self> {
        match self.get(name).map(|part| part.0) {
            Some(Value::Array(items)) => items.iter().map(Self).collect(),
            Some(Value::String(text)) if text.is_empty() => Vec::new(),
            Some(Value::Object(_)) | None => Vec::new(),
            Some(other) => vec![Self(other)],
        }
    }

    /// The texts of a list member.
    pub(crate) fn texts(self, name: &str) -> Vec<&'a str> {
        self.list(name).into_iter().filter_map(Self::as_text).collect()
    }
}

impl std::fmt::Display for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Makes a tree of the pairs of a form: `Filter.1.Name=x` becomes `{"Filter": [{"Name": "x"}]}`.
pub(crate) fn from_form(body: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (percent_decoded(key), percent_decoded(value));
        plant(&mut root, &mut key.split('.'), value);
    }
    settle(root)
}

fn plant<'k>(at: &mut Value, path: &mut impl Iterator<Item = &'k str>, leaf: String) {
    let Some(step) = path.next() else {
        *at = Value::String(leaf);
        return;
    };
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    if let Value::Object(object) = at {
        plant(object.entry(step.to_owned()).or_insert(Value::Null), path, leaf);
    }
}

/// Turns objects with numbered members into arrays, and lifts what `member` holds.
fn settle(value: Value) -> Value {
    let Value::Object(mut object) = value else { return value };
    if object.len() == 1
        && let Some(inner) = object.remove("member")
    {
        return settle(inner);
    }
    let mut numbered: Vec<(u32, Value)> = Vec::new();
    if !object.is_empty() && object.keys().all(|key| key.parse::<u32>().is_ok()) {
        for (key, inner) in object {
            numbered.push((key.parse().unwrap_or(0), settle(inner)));
        }
        numbered.sort_by_key(|(number, _)| *number);
        return Value::Array(numbered.into_iter().map(|(_, inner)| inner).collect());
    }
    Value::Object(object.into_iter().map(|(key, inner)| (key, settle(inner))).collect())
}

/// Undoes the encoding of form bodies; what is no valid escape stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escaped = (byte == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match escaped {
            Some(value) => {
                out.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => out.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Makes a tree of CBOR; tags are taken off.
pub(crate) fn from_cbor(value: ciborium::Value) -> Value {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Integer(number) => i64::try_from(number).map_or(Value::Null, Value::from),
        Cbor::Float(number) => Value::from(number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(yes) => Value::Bool(yes),
        Cbor::Tag(_, inner) => from_cbor(*inner),
        Cbor::Array(items) => Value::Array(items.into_iter().map(from_cbor).collect()),
        Cbor::Map(entries) => Value::Object(
            entries
                .into_iter()
                .filter_map(|(key, value)| Some((key.into_text().ok()?, from_cbor(value))))
                .collect(),
        ),
        _ => Value::Null,
    }
}
