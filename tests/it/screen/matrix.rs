//! Every page in every state, at both sizes, in every theme at every depth of colour, under every keymap: what must
//! be true of all of them, in one table instead of a picture each.

use super::rich::rich;
use super::{changes, every, fleet};
use coredeck::query::Kind;
use coredeck::tui::Input;
use coredeck::tui::action::{Action, Layer};
use coredeck::tui::chord::parse_keys;
use coredeck::tui::headless::Headless;
use coredeck::tui::keymap::{self, Keymap};
use coredeck::tui::theme::{self, Depth, Theme};
use coredeck::world::World;
use ratatui::style::Color;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr as _;

pub(super) const SIZES: [(u16, u16); 2] = [(80, 24), (180, 50)];

/// The keys that lead to every page, and what lies over one.
pub(super) fn pages() -> Vec<(String, String)> {
    let mut pages = vec![("overview".to_owned(), String::new())];
    for kind in Kind::ALL {
        let list = format!(":{}<ret>", kind.word());
        pages.push((format!("{kind} in full"), format!("{list}d")));
        pages.push((kind.to_string(), list));
    }
    for (name, keys) in [
        ("troubles", "!"),
        ("help", "?"),
        ("jump menu", "2o"),
        ("columns", "2C"),
        ("split", "2v"),
        ("grouped", "2:group tier<ret>"),
        ("palette", ":re"),
        ("filter", "2/state:r"),
        ("filter in error", "2/stat:r"),
        ("sort", "2s"),
        ("operations", "gx"),
        ("operations filtered", "gx/state:open<ret>s"),
        ("operation", "gx<ret>"),
        ("dialog planning", "2xd"),
        ("dialog with a plan", "2xd"),
        ("dialog declined", "2xd"),
        ("dialog of a request", "gxXc"),
    ] {
        pages.push((name.to_owned(), keys.to_owned()));
    }
    pages
}

/// A page, with operations in the journal.
pub(super) fn open(world: &Arc<World>, size: (u16, u16), page: &str, keys: &str) -> Headless {
    let mut screen = Headless::new(Arc::clone(world), size);
    screen.input(changes::operations()).keys(keys);
    match page {
        "dialog with a plan" => changes::plan_arrives(&mut screen, true),
        "dialog declined" => changes::plan_arrives(&mut screen, false),
        _ => {}
    }
    screen
}

/// One of two places failed.
fn partial() -> Arc<World> {
    let mut world = World::clone(&rich());
    let mut snapshot = world.snapshot.as_ref().clone();
    snapshot.parts.truncate(1);
    snapshot.parts.push(Arc::new(every::failed("dev")));
    world.snapshot = Arc::new(snapshot);
    Arc::new(world)
}

/// The states, and what each page says somewhere: one of these.
fn states() -> [(&'static str, Arc<World>, &'static [&'static str]); 5] {
    [
        ("full", rich(), &[]),
        ("empty", every::empty(), &[]),
        ("loading", every::loading(), &["reading"]),
        ("partial", partial(), &["partial", "denied", "let the role"]),
        (
            "failed",
            fleet::world(vec![every::failed("prod")]),
            &["could not be read", "partial", "denied", "let the role"],
        ),
    ]
}

#[test]
fn every_page_in_every_state_fits_and_says_how_it_stands() {
    for (state, world, says) in states() {
        for size in SIZES {
            for (page, keys) in pages() {
                let text = open(&world, size, &page, &keys).text();
                let at = format!("{page}, {state}, {size:?}");
                let lines: Vec<&str> = text.lines().collect();
                // Below a line that is being typed stands only what is wrong with it.
                let is_typed = matches!(page.as_str(), "palette" | "filter");
                assert_eq!(lines.len(), usize::from(size.1), "{at}");
                assert!(lines.iter().all(|line| line.width() <= usize::from(size.0)), "{at}:\n{text}");
                assert!(lines[0].starts_with("default"), "whose fleet it is: {at}:\n{text}");
                assert!(!lines[size.1 as usize - 1].is_empty() || is_typed, "{at}:\n{text}");
                // Calls and help are known without being read; a line being typed takes the place of troubles.
                let is_told =
                    !matches!(page.as_str(), "help" | "calls" | "calls in full" | "filter in error")
                        && !page.starts_with("operation")
                        && !page.starts_with("dialog");
                let is_said = says.is_empty() || says.iter().any(|word| text.contains(word));
                assert!(is_said || !is_told, "{at} says none of {says:?}:\n{text}");
                let is_well = text.contains("● ok") || text.contains("✓");
                assert!(
                    !(matches!(state, "loading" | "failed") && is_well),
                    "{at}: nothing is well:\n{text}"
                );
            }
        }
    }
}

#[test]
fn the_trouble_is_named_with_its_mend_wherever_it_shows() {
    let world = fleet::world(vec![every::failed("prod")]);
    for size in SIZES {
        let mut screen = Headless::new(Arc::clone(&world), size);
        let text = screen.keys("!").text();
        let trouble = fleet::denied();
        assert!(text.contains("prod/us-east-1"), "{text}");
        let said: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let hint = trouble.hint.unwrap();
        assert!(said.contains(hint.split_whitespace().next().unwrap()), "{hint}\n{text}");
    }
}

/// Whether a terminal of that depth has a colour.
fn has(depth: Depth, colour: Color) -> bool {
    match (depth, colour) {
        (_, Color::Reset) => true,
        (Depth::None, _) => false,
        (Depth::Sixteen, Color::Rgb(..) | Color::Indexed(16..)) => false,
        (Depth::Many, Color::Rgb(..)) => false,
        _ => true,
    }
}

#[test]
fn every_theme_at_every_depth_shows_the_same_words_in_colours_that_are_there() {
    let themes: Vec<&str> = theme::SHIPPED.iter().map(|(name, _)| *name).collect();
    assert!(themes.len() >= 10, "{themes:?}");
    for (state, world, _) in states() {
        // What a state looks like has its words whatever the page: of all but the full one some stand for all.
        let some = ["", "2", "2d", "!", "?", "2/state:r"].map(|keys| (keys.to_owned(), keys.to_owned()));
        let (pages, size) = match state {
            "full" => (pages(), SIZES[0]),
            _ => (some.to_vec(), SIZES[1]),
        };
        for (page, keys) in pages {
            let mut screen = open(&world, size, &page, &keys);
            screen.theme = Theme::plain();
            let plain = screen.text();
            for name in &themes {
                for depth in [Depth::True, Depth::Many, Depth::Sixteen, Depth::None] {
                    screen.theme = Theme::shipped(name).unwrap().at(depth);
                    let frame = screen.frame();
                    let at = format!("{name} at {depth:?}, {state}, {page}");
                    assert_eq!(coredeck::tui::headless::text(&frame.cells), plain, "{at}");
                    for cell in &frame.cells.content {
                        assert!(has(depth, cell.fg) && has(depth, cell.bg), "{at}: {cell:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_page_is_left_with_one_key_under_every_keymap() {
    for name in keymap::SHIPPED.iter().map(|(name, _)| *name) {
        let keymap = Arc::new(Keymap::shipped(name).unwrap());
        let mut screen = Headless::new(rich(), SIZES[0]);
        screen.input(Input::Keymap(Arc::clone(&keymap)));
        let overview = screen.text();
        for kind in Kind::ALL {
            let mut screen = Headless::new(rich(), SIZES[0]);
            screen.input(Input::Keymap(Arc::clone(&keymap)));
            let go = Action::Go(kind);
            let keys = keymap.keys_of(Layer::List, go);
            let Some(keys) = keys.first() else { continue };
            let typed = keys
                .split(' ')
                .map(|key| if key.chars().count() == 1 { key.to_owned() } else { format!("<{key}>") });
            for chord in parse_keys(&typed.collect::<String>()) {
                screen.input(Input::Key(chord));
            }
            assert!(
                screen.text().lines().nth(1).is_some_and(|title| title.starts_with(kind.word())),
                "{name} {kind}:\n{}",
                screen.text()
            );
            screen.keys("<esc>");
            assert_eq!(screen.text(), overview, "{name} {kind}");
        }
    }
}
