//! Every key and what it does, from the action table and the keymap in force; then the columns of the list.

use super::TextLine;
use crate::query::Kind;
use crate::tui::action::{ACTIONS, Layer};
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// From so many columns on what a key does stands beside it; on narrower screens below.
const BESIDE: usize = 30;

pub(crate) fn lines(ui: &Ui, kind: Option<Kind>, width: usize) -> Vec<TextLine> {
    let mut lines = Vec::new();
    for layer in Layer::ALL {
        let mut entries = Vec::new();
        for about in ACTIONS.iter().filter(|about| about.layers.contains(&layer)) {
            let keys: Vec<String> = ui.keymap.keys_here(layer, about.action);
            if !keys.is_empty() {
                entries.push((keys.join("  "), about.doc.to_string()));
            }
        }
        section(&mut lines, layer.title(), entries, width);
    }
    let language = [
        ("word", "the word is anywhere in a column that shows"),
        ("state:running", "the column holds it; `=` is the whole column, `column:/…/` a regular expression"),
        ("cpu>80 age<2h", "comparisons, with units"),
        ("!zone:a", "not"),
        ("a and (b or c)", "a blank also means and"),
    ];
    section(
        &mut lines,
        "The query language of filters",
        language.map(|(a, b)| (a.into(), b.into())).to_vec(),
        width,
    );
    if let Some(kind) = kind {
        let columns = kind.columns().iter().map(|column| (column.name.to_string(), column.doc.to_string()));
        section(&mut lines, &format!("Columns of {}", kind.word()), columns.collect(), width);
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

fn section(lines: &mut Vec<TextLine>, title: &str, entries: Vec<(String, String)>, width: usize) {
    if entries.is_empty() {
        return;
    }
    lines.push(vec![(Role::Title, title.to_string())]);
    if width < BESIDE {
        for (name, doc) in entries {
            let put = |role: Role, indent: usize, text: &str| {
                let wrapped = cell::wrap(text, width.saturating_sub(indent)).into_iter();
                wrapped.map(|line| vec![(Role::Text, " ".repeat(indent)), (role, line)]).collect::<Vec<_>>()
            };
            lines.extend(put(Role::HintKey, 1, &name));
            lines.extend(put(Role::Text, 2, &doc));
        }
        lines.push(Vec::new());
        return;
    }
    let names = entries.iter().map(|(name, _)| name.width()).max().unwrap_or(0).min((width / 3).max(8));
    for (name, doc) in entries {
        let docs = cell::wrap(&doc, width.saturating_sub(names + 4));
        let names_lines = cell::wrap(&name, names);
        for at in 0..docs.len().max(names_lines.len()) {
            let name = names_lines.get(at).map_or("", String::as_str);
            let blank = " ".repeat(names.saturating_sub(name.width()) + 2);
            let doc = docs.get(at).cloned().unwrap_or_default();
            lines.push(vec![
                (Role::Text, "  ".into()),
                (Role::HintKey, name.to_string()),
                (Role::Text, blank),
                (Role::Text, doc),
            ]);
        }
    }
    lines.push(Vec::new());
}
