//! Reads a keymap file: layers, sequences, `inherits`, `unbind`, labels.

use super::{Keymap, SHIPPED};
use crate::tui::action::{ACTIONS, Action, Layer};
use crate::tui::chord::{Chord, KEY_NAMES, parse_sequence, show_sequence};
use crate::tui::fault::{Fault, Faults, meant};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// What unbinds a key that an inherited keymap binds.
const UNBIND: &str = "unbind";

/// One line of a layer: its keys, where they stand, and what they do (none unbinds).
struct Binding {
    chords: Vec<Chord>,
    offset: usize,
    action: Option<Action>,
}

pub(super) fn no_such(name: &str) -> Fault {
    Fault {
        file: name.to_string(),
        line: 1,
        column: 1,
        message: format!("no keymap named `{name}` comes with coredeck"),
        hint: meant(name, SHIPPED.iter().map(|(name, _)| *name)),
    }
}

pub(super) fn parse(file: &str, text: &str) -> Result<Keymap, Vec<Fault>> {
    parse_within(file, text, &mut Vec::new())
}

fn parse_within(file: &str, text: &str, heirs: &mut Vec<String>) -> Result<Keymap, Vec<Fault>> {
    let mut faults = Faults::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    faults.toml(&errors);
    let mut keymap = Keymap::default();
    let mut inherited = Vec::new();
    let mut layers: Vec<(Layer, Vec<Binding>)> = Vec::new();
    for (key, value) in table.get_ref() {
        let at = key.span().start;
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("name", DeValue::String(_)) => {}
            ("inherits", DeValue::String(name)) => match parent(name, heirs) {
                Ok(parent) => keymap = parent,
                Err(Inherit::Unknown) => {
                    let hint = meant(name, SHIPPED.iter().map(|(name, _)| *name));
                    faults.at(
                        value.span().start,
                        format!("no keymap named `{name}` comes with coredeck"),
                        hint,
                    );
                }
                Err(Inherit::Cycle) => {
                    faults.at(value.span().start, format!("`{name}` inherits from itself"), None);
                }
                Err(Inherit::Faults(mut found)) => inherited.append(&mut found),
            },
            ("name" | "inherits", _) => faults.at(value.span().start, "a name is expected, in quotes", None),
            ("labels", DeValue::Table(table)) => labels(&mut faults, table, &mut keymap),
            (word, DeValue::Table(table)) => {
                match Layer::ALL.into_iter().find(|layer| layer.word() == word) {
                    Some(layer) => layers.push((layer, bindings(&mut faults, layer, table))),
                    None => faults.at(
                        at,
                        format!("no layer named `{word}`"),
                        meant(word, Layer::ALL.iter().map(|layer| layer.word())),
                    ),
                }
            }
            (word, _) => {
                let known = ["name", "inherits", "labels"];
                let words = known.into_iter().chain(Layer::ALL.iter().map(|layer| layer.word()));
                faults.at(at, format!("no setting named `{word}`"), meant(word, words));
            }
        }
    }
    for (layer, bindings) in &layers {
        conflicts(&mut faults, text, bindings);
        let bound = keymap.layers.entry(*layer).or_default();
        for binding in bindings {
            bind(bound, binding);
        }
    }
    let mut found = faults.into_found();
    found.append(&mut inherited);
    if found.is_empty() { Ok(keymap) } else { Err(found) }
}

enum Inherit {
    Unknown,
    Cycle,
    Faults(Vec<Fault>),
}

fn parent(name: &str, heirs: &mut Vec<String>) -> Result<Keymap, Inherit> {
    if heirs.iter().any(|heir| heir == name) {
        return Err(Inherit::Cycle);
    }
    let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name).ok_or(Inherit::Unknown)?;
    heirs.push(name.to_string());
    parse_within(&format!("{name}.toml"), text, heirs).map_err(Inherit::Faults)
}

fn labels(faults: &mut Faults<'_>, table: &DeTable<'_>, keymap: &mut Keymap) {
    for (key, value) in table {
        match (parse_sequence(key.get_ref()), value.get_ref()) {
            (Ok(chords), DeValue::String(label)) => {
                keymap.labels.insert(chords, label.to_string());
            }
            (Err(why), _) => faults.at(key.span().start, why, None),
            (Ok(_), _) => faults.at(value.span().start, "a label is expected, in quotes", None),
        }
    }
}

fn bindings(faults: &mut Faults<'_>, layer: Layer, table: &DeTable<'_>) -> Vec<Binding> {
    let mut found = Vec::new();
    for (key, value) in table {
        let offset = key.span().start;
        let chords = match parse_sequence(key.get_ref()) {
            Ok(chords) => chords,
            Err(why) => {
                let last = key.get_ref().rsplit(['-', ' ']).next().unwrap_or_default().to_string();
                let hint =
                    if why.contains("no key named") { meant(&last, KEY_NAMES.iter().copied()) } else { None };
                faults.at(offset, why, hint);
                continue;
            }
        };
        let DeValue::String(name) = value.get_ref() else {
            faults.at(value.span().start, "the name of an action is expected, in quotes", None);
            continue;
        };
        if name == UNBIND {
            found.push(Binding { chords, offset, action: None });
            continue;
        }
        let Some(action) = Action::named(name) else {
            let names = ACTIONS.iter().map(|about| about.name).chain([UNBIND]);
            faults.at(value.span().start, format!("no action named `{name}`"), meant(name, names));
            continue;
        };
        let layers = action.about().map_or(&[][..], |about| about.layers);
        if layers.contains(&layer) {
            found.push(Binding { chords, offset, action: Some(action) });
        } else {
            let message = format!(
                "`{name}` cannot be bound in [{}]; it belongs in {}",
                layer.word(),
                one_of(layers.iter().map(|layer| format!("[{}]", layer.word())).collect())
            );
            faults.at(value.span().start, message, None);
            found.push(Binding { chords, offset, action: Some(action) });
        }
    }
    found.sort_by_key(|binding| binding.offset);
    found
}

fn one_of(words: Vec<String>) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Two bindings of one layer in one file that cannot both be meant.
fn conflicts(faults: &mut Faults<'_>, text: &str, bindings: &[Binding]) {
    let line =
        |binding: &Binding| text.get(..binding.offset).map_or(1, |before| before.matches('\n').count() + 1);
    for (at, binding) in bindings.iter().enumerate() {
        for earlier in bindings.iter().take(at) {
            let keys = show_sequence(&binding.chords);
            if earlier.chords == binding.chords {
                faults.at(
                    binding.offset,
                    format!("`{keys}` is the same key as line {} binds", line(earlier)),
                    None,
                );
            } else if earlier.action.is_some() && binding.action.is_some() {
                let (short, long) = if binding.chords.starts_with(&earlier.chords) {
                    (earlier, binding)
                } else if earlier.chords.starts_with(&binding.chords) {
                    (binding, earlier)
                } else {
                    continue;
                };
                let message = format!(
                    "`{}` can never be pressed, because `{}` is bound on line {}",
                    show_sequence(&long.chords),
                    show_sequence(&short.chords),
                    line(short)
                );
                faults.at(long.offset, message, None);
            }
        }
    }
}

/// Puts one binding over what is there: a shorter or longer sequence in its way goes.
fn bind(bound: &mut BTreeMap<Vec<Chord>, Action>, binding: &Binding) {
    bound.retain(|keys, _| !keys.starts_with(&binding.chords) && !binding.chords.starts_with(keys));
    if let Some(action) = binding.action {
        bound.insert(binding.chords.clone(), action);
    }
}
