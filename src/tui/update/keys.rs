//! Keys that were pressed: what they add up to, and what is said where they mean nothing.

use super::{act, changing, logging, typing};
use crate::tui::action::{Action, Layer};
use crate::tui::chord::{Chord, Key, Named, show_sequence};
use crate::tui::keymap::Match;
use crate::tui::state::{Effect, Ui};

/// Takes in a key.
pub(super) fn press(ui: &mut Ui, chord: Chord) -> Vec<Effect> {
    ui.note = None;
    if ui.entering.is_some() {
        return logging::give_up(ui, chord);
    }
    if !ui.pending.is_empty() && chord == Chord::plain(Key::Named(Named::Esc)) {
        ui.pending.clear();
        return Vec::new();
    }
    ui.pending.push(chord);
    match ui.keymap.lookup(ui.layer(), &ui.pending) {
        Match::Run(action) => {
            ui.pending.clear();
            act(ui, action)
        }
        Match::Pending => Vec::new(),
        Match::Nothing => {
            let keys = std::mem::take(&mut ui.pending);
            if let (Some(_), None, [only]) = (&ui.dialog, &ui.prompt, keys.as_slice())
                && let Some(c) = only.typed()
            {
                return changing::insert(ui, c.encode_utf8(&mut [0; 4]));
            }
            match (&ui.prompt, chord.typed()) {
                (Some(_), Some(c)) if keys.len() == 1 => typing::insert(ui, c.encode_utf8(&mut [0; 4])),
                _ => ui.say(unknown_key(ui, &keys)),
            }
            Vec::new()
        }
    }
}

/// Says that keys mean nothing here, and which one tells what does.
fn unknown_key(ui: &Ui, keys: &[Chord]) -> String {
    let first = |action| ui.keymap.keys_of(ui.layer(), action).into_iter().next();
    let more = match (first(Action::Help), first(Action::Cancel)) {
        (Some(key), _) => format!("; {key} for keys"),
        (None, Some(key)) => format!("; {key} leaves"),
        (None, None) => String::new(),
    };
    format!("no key {} here{more}", show_sequence(keys))
}

/// Whoever types where nothing is written into is told where something is.
pub(super) fn not_typed(ui: &mut Ui) -> Vec<Effect> {
    let key = |action| ui.keymap.keys_of(Layer::Dialog, action).into_iter().next();
    let ways = [(Action::NextField, "goes to the next field"), (Action::Cancel, "leaves")];
    let ways = ways.into_iter().filter_map(|(action, does)| Some(format!("; {} {does}", key(action)?)));
    let says = format!("nothing is typed here{}", ways.collect::<String>());
    ui.say(says);
    Vec::new()
}
