//! A value with parts of its own, on lines below each other.

use crate::model::text::harmless;
use serde_json::Value as Json;

/// Tells whether a value has parts of its own: such a one takes a line for each.
pub(super) fn is_deep(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        Json::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

/// The parts of a value, each set in below what it belongs to.
pub(super) fn nested(json: &Json, indent: usize, lead: &str, lines: &mut Vec<(usize, String)>) {
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            let mut lead = lead.to_string();
            let inner = indent + lead.len();
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                let (at, mark) = (if lead.is_empty() { inner } else { indent }, std::mem::take(&mut lead));
                if is_deep(value) {
                    lines.push((at, format!("{mark}{}", harmless(name))));
                    nested(value, inner + 2, "", lines);
                } else {
                    lines.push((at, format!("{mark}{} {}", harmless(name), flat(value))));
                }
            }
        }
        Json::Array(items) if is_deep(json) => {
            items.iter().for_each(|item| nested(item, indent, "- ", lines));
        }
        other => lines.push((indent, format!("{lead}{}", flat(other)))),
    }
}

/// A value without parts in one line.
fn flat(json: &Json) -> String {
    match json {
        Json::Null => "-".into(),
        Json::Bool(true) => "yes".into(),
        Json::Bool(false) => "no".into(),
        Json::String(text) if text.is_empty() => "-".into(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "-".into(),
        Json::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(", "),
        Json::Object(_) => "-".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::nested;
    use serde_json::json;

    #[test]
    fn parts_are_set_in_below_what_they_belong_to() {
        let mut lines = Vec::new();
        let value =
            json!([{ "id": "a", "why": null, "in": { "x": 1, "on": true } }, { "id": "b", "list": [1, 2] }]);
        nested(&value, 0, "", &mut lines);
        let shown: Vec<String> =
            lines.iter().map(|(at, text)| format!("{}{text}", " ".repeat(*at))).collect();
        assert_eq!(shown, ["- id a", "  in", "    on yes", "    x 1", "- id b", "  list 1, 2"]);
    }
}
