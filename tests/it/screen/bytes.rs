//! What a frame costs the line: exact counts of bytes, not times.

use super::fleet;
use coredeck::tui::headless::Headless;
use coredeck::tui::painter::Painter;
use coredeck::tui::theme::{Depth, Theme};
use coredeck::tui::{Input, Setup, chord};
use std::num::NonZero;
use std::sync::Arc;

/// What a terminal shows after bytes.
fn shown(parser: &vt100::Parser) -> String {
    parser
        .screen()
        .rows(0, parser.screen().size().1.get())
        .map(|row| format!("{}\n", row.trim_end()))
        .collect()
}

struct Line {
    screen: Headless,
    painter: Painter,
    terminal: vt100::Parser,
}

impl Line {
    fn new(size: (u16, u16)) -> Self {
        let mut line = Self {
            screen: Headless::new(fleet::full(), size),
            painter: Painter::new(false),
            terminal: vt100::Parser::new(NonZero::new(size.1).unwrap(), NonZero::new(size.0).unwrap(), 0),
        };
        line.screen.theme = Theme::shipped("dark").unwrap().at(Depth::Many);
        line.draw();
        line
    }

    /// Draws; the bytes reach a terminal that must then show what was drawn.
    fn draw(&mut self) -> usize {
        let frame = self.screen.frame();
        let bytes = self.painter.paint(&frame.cells, frame.cursor);
        self.terminal.process(&bytes);
        assert_eq!(shown(&self.terminal), self.screen.text());
        assert_eq!(self.terminal.screen().hide_cursor(), frame.cursor.is_none());
        bytes.len()
    }

    fn press(&mut self, keys: &str) -> usize {
        self.screen.keys(keys);
        self.draw()
    }
}

#[test]
fn an_unchanged_frame_costs_nothing() {
    let mut line = Line::new((180, 50));
    for keys in ["2", "j", "d", "<esc>", "?", "<esc>", "/prod"] {
        line.press(keys);
        assert_eq!(line.draw(), 0, "after {keys}");
    }
    // Time that changes no text, and a world that says the same, are free too.
    line.press("<esc>");
    line.screen.input(Input::Tick(fleet::now()));
    line.screen.input(Input::World(fleet::full()));
    assert_eq!(line.draw(), 0);
}

#[test]
fn reading_the_same_again_costs_nothing_as_long_as_it_is_read_in_time() {
    for keys in ["1", "2", "3", "7", "2d", "?"] {
        let mut line = Line::new((180, 50));
        line.press(keys);
        let (mut world, mut at) = (fleet::full(), fleet::now());
        for _ in 0..3 {
            // Less than a minute in all: what is told as an age of so many minutes is another matter.
            (world, at) = (fleet::read_again(&world, 7), fleet::later(at, 7));
            line.screen.input(Input::Tick(at)).input(Input::World(Arc::clone(&world)));
            assert_eq!(line.draw(), 0, "after {keys}");
        }
        line.screen.input(Input::Tick(fleet::later(at, 121)));
        assert!(line.draw() > 0, "after {keys}: what is not read in time is told with its age");
    }
}

#[test]
fn what_is_spent_while_nothing_changes_is_no_reason_to_write() {
    for size in [(80, 24), (180, 50)] {
        let mut line = Line::new(size);
        line.press("2");
        let mut at = fleet::now();
        for nth in 1..4 {
            at = fleet::later(at, 7);
            let mut world = coredeck::world::World::clone(&fleet::read_again(&fleet::full(), 7 * nth));
            world.spending.calls += 9 * nth.unsigned_abs();
            world.spending.dollars += coredeck::model::Usd::from_micros(480 * nth);
            line.screen.input(Input::Tick(at)).input(Input::World(Arc::new(world)));
            assert_eq!(line.draw(), 0, "{size:?}: read {nth} times more");
        }
    }
}

#[test]
fn a_cursor_move_stays_within_its_budget() {
    for size in [(80, 24), (180, 50)] {
        let mut line = Line::new(size);
        line.press("2");
        let costs: Vec<usize> = "jjjjjkkk".chars().map(|key| line.press(&key.to_string())).collect();
        assert!(costs.iter().all(|cost| *cost > 0 && *cost <= 150), "{size:?}: {costs:?}");
    }
}

#[test]
fn pages_filters_and_resizes_arrive_as_drawn() {
    let mut line = Line::new((100, 30));
    for keys in [
        "2",
        "w",
        "<right><right>",
        "/type:t3",
        "<ret>",
        "G",
        "d",
        "!",
        "<esc><esc><esc>",
        "g",
        "<esc>",
        "1",
        ":sort",
    ] {
        line.press(keys);
    }
    for (width, height) in [(40, 12), (10, 3), (180, 50)] {
        line.terminal.screen_mut().set_size(NonZero::new(height).unwrap(), NonZero::new(width).unwrap());
        line.screen.input(Input::Resize(width, height));
        line.draw();
    }
}

#[test]
fn text_from_outside_cannot_drive_the_terminal() {
    let mut hostile = fleet::instance(1, "shared", "evil", "eu-west-1");
    let long = "x".repeat(256);
    hostile.tags = [
        ("Name", "\u{1b}[2J\u{1b}]0;owned\u{7}日本語\u{202e}abc"),
        ("tier", "shared"),
        ("rtl", "שלום עולם"),
        ("long", long.as_str()),
        ("\u{9b}31m", "e\u{301}\u{200b}"),
    ]
    .into_iter()
    .collect();
    let world = fleet::world(vec![fleet::part("prod", "eu-west-1", vec![hostile])]);
    let mut screen = Headless::new(world, (80, 40));
    for keys in ["2", "w", "d", "<esc>", "/\u{1b}[2J"] {
        screen.keys(keys);
        let frame = screen.frame();
        let bytes = Painter::new(false).paint(&frame.cells, frame.cursor);
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            !text.contains("\u{1b}]") && !text.contains('\u{7}') && !text.contains('\u{9b}'),
            "after {keys}"
        );
        assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'), "after {keys}");
        assert_eq!(text.matches("\u{1b}[2J").count(), 1, "only our own erase, after {keys}");
    }
}

#[test]
fn a_terminal_without_utf8_gets_ascii_only() {
    let keymap = coredeck::tui::keymap::Keymap::shipped("default").unwrap();
    let setup = Setup::new(keymap, coredeck::tui::signs::Signs::Ascii, (80, 24));
    let mut screen = Headless::with(fleet::full(), fleet::now(), setup, Theme::plain());
    for key in chord::parse_keys("1") {
        screen.input(Input::Key(key));
    }
    for keys in ["", "2", "d", "?", "!"] {
        screen.keys(keys);
        let frame = screen.frame();
        assert!(Painter::new(true).paint(&frame.cells, frame.cursor).is_ascii(), "after {keys}");
    }
}
