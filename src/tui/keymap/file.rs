//! Reads a keymap file: layers, sequences, `inherits`, `unbind`, labels.

use super::{Keymap, is_a_slip};
use crate::tui::action::{ACTIONS, Action, Danger, Layer};
use crate::tui::chord::{Chord, KEY_NAMES, parse_sequence, show_sequence};
use crate::tui::fault::{Faults, meant};
use crate::tui::layered::Draft;
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

impl Draft for Keymap {
    fn take(&mut self, table: &DeTable<'_>, faults: &mut Faults<'_>) {
        let mut layers: Vec<(Layer, Vec<Binding>)> = Vec::new();
        for (key, value) in table {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("name" | "inherits", _) => {}
                ("labels", DeValue::Table(table)) => labels(faults, table, self),
                (word, DeValue::Table(table)) => {
                    match Layer::ALL.into_iter().find(|layer| layer.word() == word) {
                        Some(layer) => layers.push((layer, bindings(faults, layer, table))),
                        None => {
                            let words = Layer::ALL.iter().map(|layer| layer.word()).chain(["labels"]);
                            faults.at(at, format!("no layer named `{word}`"), meant(word, words));
                        }
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
            conflicts(faults, bindings);
            let bound = self.layers.entry(*layer).or_default();
            for binding in bindings {
                bind(bound, binding);
            }
        }
        // A layer in which nothing is bound is none.
        self.layers.retain(|_, bound| !bound.is_empty());
    }
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
        let is_dangerous = action.about().is_some_and(|about| about.danger != Danger::None);
        if is_dangerous && is_a_slip(&chords) {
            let message = format!(
                "`{name}` must not be one slip away: write a sequence or alt-, not `{}`",
                show_sequence(&chords)
            );
            faults.at(offset, message, None);
        }
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
fn conflicts(faults: &mut Faults<'_>, bindings: &[Binding]) {
    for (at, binding) in bindings.iter().enumerate() {
        for earlier in bindings.iter().take(at) {
            let keys = show_sequence(&binding.chords);
            if earlier.chords == binding.chords {
                let message =
                    format!("`{keys}` is the same key as line {} binds", faults.line(earlier.offset));
                faults.at(binding.offset, message, None);
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
                    faults.line(short.offset)
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
