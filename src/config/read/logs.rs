//! `[logs]`

use super::{Cell, Layer, Reader};
use crate::config::Logs;

/// Its keys.
const KEYS: [&str; 2] = ["group", "stream"];
/// What may stand in a stream's name.
const HOLES: [&str; 3] = ["{core}", "{container}", "{instance}"];

impl Reader<'_> {
    pub(super) fn logs(&mut self, cell: &Cell<'_>, layer: &mut Layer) {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "logs", "a table");
            return;
        };
        self.keys(table, &KEYS, "[logs]");
        let mut logs = Logs::default();
        for (key, place) in KEYS.into_iter().zip([&mut logs.group, &mut logs.stream]) {
            let Some(cell) = table.get(key) else { continue };
            self.note(format!("logs.{key}"), cell);
            *place = self.checked(cell, key, if key == "group" { group } else { stream }).map(Into::into);
        }
        layer.logs = Some(logs);
    }
}

fn group(raw: &str) -> Option<(String, Option<String>)> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    (raw.is_empty() || raw.len() > 512 || !raw.chars().all(is_good)).then(|| {
        (format!("`{raw}` cannot be a log group"), Some("use letters, digits and `_-/.#`".to_owned()))
    })
}

fn stream(raw: &str) -> Option<(String, Option<String>)> {
    let mut rest = raw.to_owned();
    HOLES.iter().for_each(|hole| rest = rest.replace(hole, ""));
    (raw.is_empty() || rest.contains(['{', '}', ':', '*'])).then(|| {
        let hint = format!("what may stand in braces: {}", HOLES.join(", "));
        (format!("`{raw}` cannot be a log stream"), Some(hint))
    })
}
