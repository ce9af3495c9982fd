//! No key is passed over in silence: it does something, or says why it does not.

use super::matrix::{SIZES, open, pages};
use super::rich::rich;
use coredeck::tui::Input;
use coredeck::tui::action::{ACTIONS, Action, Layer};
use coredeck::tui::chord::Chord;
use coredeck::tui::headless::Headless;
use coredeck::tui::keymap::{self, Keymap};
use std::sync::Arc;

/// Those that stop at an edge as everywhere else.
fn moves(action: Action) -> bool {
    use Action::*;
    matches!(action, Down | Up | PageDown | PageUp | HalfDown | HalfUp | Top | Bottom | Left | Right)
        || matches!(action, PaneDown | PaneUp | CursorLeft | CursorRight | CursorStart | CursorEnd)
        || matches!(action, Erase | EraseForward | EraseWord | EraseLine | EraseRest | Older | Newer)
}

#[test]
fn every_key_does_something_on_every_page_or_says_why_not() {
    let keymap = Keymap::shipped("default").unwrap();
    // One way to each action of a layer.
    let mut bound: Vec<Vec<Chord>> = Vec::new();
    for layer in Layer::ALL {
        for about in ACTIONS.iter().filter(|about| !moves(about.action)) {
            let mut keys: Vec<&[Chord]> = keymap
                .layer(layer)
                .filter(|(_, action)| *action == about.action)
                .map(|(keys, _)| keys)
                .collect();
            keys.sort_by_key(|keys| keys.len());
            bound.extend(keys.first().map(|keys| keys.to_vec()));
        }
    }
    bound.sort();
    bound.dedup();
    let is_move = |keys: &[Chord]| {
        Layer::ALL.iter().any(|layer| keymap.layer(*layer).any(|(other, act)| other == keys && moves(act)))
    };
    bound.retain(|keys| !is_move(keys));
    assert!(bound.len() > 80, "{bound:?}");
    // One list stands for all of them; what is wrong with a filter stays until it is mended.
    let all: Vec<&str> = coredeck::query::Kind::ALL.iter().map(|kind| kind.word()).collect();
    let is_looked_at = |page: &str| {
        let of = page.strip_suffix(" in full").unwrap_or(page);
        let is_one_of_two = matches!(page, "filter" | "operations filtered" | "calls in full");
        page != "filter in error"
            && !is_one_of_two
            && (!all.contains(&of) || matches!(of, "instances" | "calls"))
    };
    let mut silent = Vec::new();
    for (page, keys) in pages().into_iter().filter(|(page, _)| is_looked_at(page)) {
        let (world, size) = (rich(), (60, 24));
        let fresh = || open(&world, size, &page, &keys);
        let (before, effects) = (fresh().frame(), fresh().effects.len());
        // In a menu each key is one by itself.
        let is_menu = matches!(page.as_str(), "columns" | "jump menu");
        for keys in bound.iter().filter(|keys| keys.len() == 1 || !is_menu) {
            let mut screen = fresh();
            for key in keys {
                screen.input(Input::Key(*key));
            }
            if screen.effects.len() == effects && screen.frame() == before {
                silent.push(format!("{page}: {}", keys.iter().map(ToString::to_string).collect::<String>()));
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn a_key_that_means_nothing_is_said_to_under_every_keymap() {
    for name in keymap::SHIPPED.iter().map(|(name, _)| *name) {
        let keymap = Arc::new(Keymap::shipped(name).unwrap());
        // What is wrong with a filter stays until it is mended.
        for (page, keys) in pages().into_iter().filter(|(page, _)| page != "filter in error") {
            let mut screen = open(&rich(), SIZES[0], &page, &keys);
            screen.input(Input::Keymap(Arc::clone(&keymap)));
            screen.keys("<f9>");
            let text = screen.text();
            assert!(text.contains("no key f9 here"), "{name}, {page}:\n{text}");
            let is_helped = !keymap.keys_of(Layer::List, Action::Help).is_empty();
            assert!(
                is_helped && (text.contains(" for keys") || text.contains(" leaves")),
                "{name}, {page}:\n{text}"
            );
        }
        let mut screen = Headless::new(rich(), SIZES[0]);
        screen.input(Input::Keymap(Arc::clone(&keymap)));
        // The next key says something else, and what was begun goes on.
        screen.keys("2~");
        assert!(screen.text().contains("no key ~ here; ? for keys"), "{name}:\n{}", screen.text());
        screen.keys("<down>");
        assert!(!screen.text().contains("no key"), "{name}:\n{}", screen.text());
        screen.keys("xq");
        assert!(screen.text().contains("no key x q here; ? for keys"), "{name}:\n{}", screen.text());
        screen.keys("/~");
        assert!(
            !screen.text().contains("no key") && screen.text().contains("/~"),
            "{name}:\n{}",
            screen.text()
        );
    }
}
