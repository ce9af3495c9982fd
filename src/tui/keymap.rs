//! Keymaps: which sequence of keys means which action, layer by layer.
//!
//! A keymap is a complete TOML file (`keymaps/default.toml` is one); `file` reads it and tells every fault
//! at once. Looking up is a pure function of the layer and the keys pressed so far.

mod file;

use super::action::{Action, Layer};
use super::chord::{Chord, Key, show_sequence};
use super::fault::Fault;
use super::layered::Shelf;
use std::collections::BTreeMap;

/// The keymaps that come with the program: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("default", include_str!("../../keymaps/default.toml")),
    ("vim", include_str!("../../keymaps/vim.toml")),
    ("emacs", include_str!("../../keymaps/emacs.toml")),
    ("k9s", include_str!("../../keymaps/k9s.toml")),
];

/// The keymaps that come with the program.
pub const SHELF: Shelf = Shelf::shipped("keymap", SHIPPED);

/// Every binding, and what prefixes are called in the which-key box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    layers: BTreeMap<Layer, BTreeMap<Vec<Chord>, Action>>,
    labels: BTreeMap<Vec<Chord>, String>,
}

/// What the keys pressed so far add up to.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// An action.
    Run(Action),
    /// The beginning of longer sequences.
    Pending,
    /// Nothing.
    Nothing,
}

impl Keymap {
    /// The keymap of that name that comes with the program. No fault is possible in one of them that
    /// passed the tests.
    pub fn shipped(name: &str) -> Result<Self, Vec<Fault>> {
        Self::load(&SHELF, name)
    }

    /// The keymap of that name from a shelf of them.
    pub fn load(shelf: &Shelf, name: &str) -> Result<Self, Vec<Fault>> {
        shelf.load(name)
    }

    /// Reads a keymap file that may inherit from those that come with the program. Tells every fault at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        SHELF.read(file, text)
    }

    /// Reads a keymap file that may inherit from those of a shelf. Tells every fault at once.
    pub fn parse_on(shelf: &Shelf, file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        shelf.read(file, text)
    }

    /// The whole keymap as a file that inherits from none.
    pub fn to_toml(&self, name: &str) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut text = format!("name = {}\n\n[labels]\n", quoted(name));
        for (keys, label) in &self.labels {
            text.push_str(&format!("{} = {}\n", quoted(&show_sequence(keys)), quoted(label)));
        }
        for layer in Layer::ALL {
            text.push_str(&format!("\n[{}]\n", layer.word()));
            for (keys, action) in self.layer(layer) {
                text.push_str(&format!(
                    "{} = {}\n",
                    quoted(&show_sequence(keys)),
                    quoted(&action.to_string())
                ));
            }
        }
        text
    }

    /// What `keys` mean while `layer` has the focus.
    pub fn lookup(&self, layer: Layer, keys: &[Chord]) -> Match {
        for layer in reach(layer) {
            let Some(bound) = self.layers.get(&layer) else { continue };
            if let Some(action) = bound.get(keys) {
                return Match::Run(*action);
            }
            if bound.keys().any(|sequence| sequence.starts_with(keys)) {
                return Match::Pending;
            }
        }
        Match::Nothing
    }

    /// The next keys after those pressed so far, each with what it leads to: the which-key box. Actions that do not
    /// fit what is there are left out.
    pub fn next(&self, layer: Layer, keys: &[Chord], fits: impl Fn(Action) -> bool) -> Vec<(Chord, String)> {
        let mut found: BTreeMap<Chord, String> = BTreeMap::new();
        for layer in reach(layer) {
            for (sequence, action) in self.layers.get(&layer).into_iter().flatten() {
                let Some(&[next, ref rest @ ..]) = sequence.strip_prefix(keys) else { continue };
                if rest.is_empty() && !fits(*action) {
                    continue;
                }
                let says = if rest.is_empty() {
                    action.about().map_or_else(String::new, |about| about.doc.to_string())
                } else {
                    let upto = sequence.get(..=keys.len()).unwrap_or_default();
                    self.labels.get(upto).cloned().unwrap_or_else(|| "…".into())
                };
                found.entry(next).or_insert(says);
            }
        }
        found.into_iter().collect()
    }

    /// What a prefix is called.
    pub fn label(&self, keys: &[Chord]) -> Option<&str> {
        self.labels.get(keys).map(String::as_str)
    }

    /// The sequences that lead to an action from a layer, shortest first.
    pub fn keys_of(&self, layer: Layer, action: Action) -> Vec<String> {
        let mut found: Vec<&Vec<Chord>> = Vec::new();
        for below in reach(layer) {
            for (sequence, bound) in self.layers.get(&below).into_iter().flatten() {
                if *bound == action && self.leads(layer, sequence, action) {
                    found.push(sequence);
                }
            }
        }
        found.sort_by_key(|sequence| (sequence.len(), show_sequence(sequence).chars().count()));
        found.into_iter().map(|sequence| show_sequence(sequence)).collect()
    }

    /// Tells whether keys that are pressed one after the other lead to an action: a layer above may take the first
    /// of them for something else.
    fn leads(&self, layer: Layer, sequence: &[Chord], action: Action) -> bool {
        let is_open =
            |upto| sequence.get(..upto).is_some_and(|keys| self.lookup(layer, keys) == Match::Pending);
        (1..sequence.len()).all(is_open) && self.lookup(layer, sequence) == Match::Run(action)
    }

    /// The sequences that one layer itself binds to an action, shortest first.
    pub fn keys_here(&self, layer: Layer, action: Action) -> Vec<String> {
        let mut found: Vec<String> = self
            .layer(layer)
            .filter(|(_, bound)| *bound == action)
            .map(|(keys, _)| show_sequence(keys))
            .collect();
        found.sort_by_key(|keys| keys.chars().count());
        found
    }

    /// The bindings of one layer.
    pub fn layer(&self, layer: Layer) -> impl Iterator<Item = (&[Chord], Action)> {
        self.layers.get(&layer).into_iter().flatten().map(|(keys, action)| (keys.as_slice(), *action))
    }
}

/// Tells whether keys are pressed by accident: one key alone, or what other programs taught fingers to press
/// (ctrl-a in screen, ctrl-d and ctrl-k everywhere). Nothing that changes the fleet may be bound to them.
fn is_a_slip(keys: &[Chord]) -> bool {
    let Some((first, rest)) = keys.split_first() else { return true };
    let is_taught = first.has_ctrl && !first.has_alt && matches!(first.key, Key::Char('a' | 'd' | 'k'));
    let is_bare = rest.is_empty() && !first.has_ctrl && !first.has_alt;
    is_taught || is_bare
}

fn reach(layer: Layer) -> impl Iterator<Item = Layer> {
    std::iter::once(layer).chain(layer.falls_through().then_some(Layer::All))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::ACTIONS;

    fn keys(text: &str) -> Vec<Chord> {
        crate::tui::chord::parse_sequence(text).unwrap()
    }

    #[test]
    fn every_shipped_keymap_loads_and_binds_or_names_every_action() {
        for (name, _) in SHIPPED {
            let keymap = Keymap::shipped(name).unwrap_or_else(|faults| panic!("{faults:#?}"));
            for about in ACTIONS {
                let is_bound = about.layers.iter().any(|l| !keymap.keys_of(*l, about.action).is_empty());
                // What is about the line being typed cannot be typed there.
                let is_named = crate::tui::update::is_offered(about.action);
                assert!(
                    is_bound || (is_named && *name != "default"),
                    "{name} binds nothing to {}",
                    about.name
                );
            }
            for about in ACTIONS.iter().filter(|about| about.danger != crate::tui::action::Danger::None) {
                for layer in [Layer::List, Layer::Text] {
                    let keys = keymap.keys_of(layer, about.action);
                    assert!(
                        keys.iter().any(|keys| keys.contains(' ')),
                        "{name}: no sequence for {}",
                        about.name
                    );
                }
            }
            let command = keymap.keys_of(Layer::List, Action::Command);
            assert!(!command.is_empty(), "{name} has no way to type a name");
        }
    }

    #[test]
    fn a_keymap_written_out_reads_back_the_same() {
        for (name, _) in SHIPPED {
            let keymap = Keymap::shipped(name).unwrap();
            assert_eq!(Keymap::parse("again.toml", &keymap.to_toml(name)).as_ref(), Ok(&keymap), "{name}");
        }
    }

    #[test]
    fn nothing_that_changes_the_fleet_is_one_slip_away() {
        for (text, slips) in [
            ("x", true),
            ("delete", true),
            ("f8", true),
            ("X", true),
            ("ctrl-d", true),
            ("ctrl-k x", true),
            ("ctrl-a ctrl-x", true),
            ("x x", false),
            ("alt-x", false),
            ("ctrl-alt-d", false),
            ("ctrl-x", false),
        ] {
            assert_eq!(is_a_slip(&keys(text)), slips, "{text}");
        }
        for (name, _) in SHIPPED {
            let keymap = Keymap::shipped(name).unwrap();
            for layer in Layer::ALL {
                for (keys, action) in keymap.layer(layer) {
                    let is_dangerous = action.about().unwrap().danger != crate::tui::action::Danger::None;
                    assert!(!is_dangerous || !is_a_slip(keys), "{name} [{}] {action}", layer.word());
                }
            }
        }
    }

    #[test]
    fn default_keys_pass_through_tmux_and_screen() {
        let keymap = Keymap::shipped("default").unwrap();
        for layer in Layer::ALL {
            for (sequence, action) in keymap.layer(layer) {
                let first = sequence[0].to_string();
                assert!(
                    !["ctrl-a", "ctrl-b", "ctrl-d", "ctrl-k"].contains(&first.as_str()),
                    "{first} → {action}"
                );
            }
        }
    }

    #[test]
    fn keys_that_a_layer_above_takes_lead_nowhere() {
        let text = "[all]\n'g p' = 'go-overview'\n'x p' = 'go-overview'\n[list]\ng = 'top'\n";
        let keymap = Keymap::parse("t.toml", text).unwrap();
        assert_eq!(keymap.keys_of(Layer::List, Action::Overview), ["x p"]);
        assert_eq!(keymap.keys_of(Layer::Text, Action::Overview).len(), 2);
    }

    #[test]
    fn sequences_wait_and_layers_shadow() {
        let text = "[all]\n'g i' = 'go-instances'\nq = 'quit'\n[list]\n'g g' = 'top'\nq = 'up'\n[labels]\ng = 'go to'";
        let keymap = Keymap::parse("t.toml", text).unwrap();
        assert_eq!(keymap.lookup(Layer::List, &keys("g")), Match::Pending);
        assert_eq!(keymap.lookup(Layer::List, &keys("g g")), Match::Run(Action::Top));
        assert_eq!(
            keymap.lookup(Layer::List, &keys("g i")),
            Match::Run(Action::Go(crate::query::Kind::Instances))
        );
        assert_eq!(keymap.lookup(Layer::List, &keys("q")), Match::Run(Action::Up));
        assert_eq!(keymap.lookup(Layer::Text, &keys("q")), Match::Run(Action::Quit));
        assert_eq!(keymap.lookup(Layer::Prompt, &keys("q")), Match::Nothing);
        let next: Vec<_> =
            keymap.next(Layer::List, &keys("g"), |_| true).into_iter().map(|(c, _)| c.to_string()).collect();
        assert_eq!(next, ["g", "i"]);
        assert_eq!(keymap.label(&keys("g")), Some("go to"));
    }

    #[test]
    fn a_file_may_inherit_replace_and_unbind() {
        let text = "inherits = 'default'\n[all]\nq = 'unbind'\nQ = 'quit'\n'1 x' = 'help'";
        let keymap = Keymap::parse("t.toml", text).unwrap();
        assert_eq!(keymap.lookup(Layer::All, &keys("q")), Match::Nothing);
        assert_eq!(keymap.lookup(Layer::All, &keys("Q")), Match::Run(Action::Quit));
        assert_eq!(
            keymap.lookup(Layer::All, &keys("1")),
            Match::Pending,
            "a longer sequence replaces the shorter"
        );
        assert_eq!(keymap.lookup(Layer::All, &keys("?")), Match::Run(Action::Help));
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_place() {
        let text = "inherits = 'defualt'\n[al]\nx = 'quit'\n[all]\nq = 'qiut'\nhyper-x = 'quit'\ng = 'top'\n\
                    'g i' = 'help'\nret = 'help'\nenter = 'quit'\nz = 3\nj = 'down'\n'' = 'quit'";
        let faults: Vec<String> =
            Keymap::parse("my.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
        let expected = [
            "my.toml:1:12: no keymap named `defualt`; did you mean `default`?",
            "my.toml:2:2: no layer named `al`; did you mean `all`?",
            "my.toml:5:5: no action named `qiut`; did you mean `quit`?",
            "my.toml:6:1: no modifier named `hyper`: write ctrl-, alt- or shift-",
            "my.toml:7:5: `top` cannot be bound in [all]; it belongs in [list], [text], [sort] or [menu]",
            "my.toml:8:1: `g i` can never be pressed, because `g` is bound on line 7",
            "my.toml:10:1: `enter` is the same key as line 9 binds",
            "my.toml:11:5: the name of an action is expected, in quotes",
            "my.toml:12:5: `down` cannot be bound in [all]; it belongs in [list], [text], [menu] or [dialog]",
            "my.toml:13:1: an empty key: write `space` for the space bar",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn broken_toml_is_a_fault_with_a_place_and_no_panic() {
        let faults = Keymap::parse("my.toml", "[all]\nq = \n[list]\nx = 'nope'").unwrap_err();
        assert_eq!((faults[0].line, faults.len() >= 2), (2, true), "{faults:?}");
    }
}
