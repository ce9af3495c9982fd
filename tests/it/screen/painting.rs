//! Frames that follow each other arrive as each alone would: moved, changed in part, wide characters and all.

use super::fleet;
use coredeck::tui::headless::Headless;
use coredeck::tui::painter::Painter;
use coredeck::tui::theme::{Depth, Theme};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use std::num::NonZero;

fn terminal(width: u16, height: u16) -> vt100::Parser {
    vt100::Parser::new(NonZero::new(height).unwrap(), NonZero::new(width).unwrap(), 100)
}

/// What can be seen of every cell: a blank shows no colour of its own.
fn seen(terminal: &vt100::Parser) -> Vec<String> {
    let screen = terminal.screen();
    let (rows, cols) = screen.size();
    let cell = |row, col| {
        let cell = screen.cell(row, col).unwrap();
        let text = if cell.contents().is_empty() { " " } else { cell.contents() };
        let (fg, weight) = match text == " " && !cell.inverse() && !cell.underline() {
            true => (vt100::Color::Default, false),
            false => (cell.fgcolor(), cell.bold()),
        };
        let flags = (weight, cell.italic() && text != " ", cell.underline(), cell.inverse(), cell.is_wide());
        format!("{text} {fg:?} {:?} {flags:?}", cell.bgcolor())
    };
    (0..rows.get()).flat_map(|row| (0..cols.get()).map(move |col| cell(row, col))).collect()
}

/// A terminal that got only this frame.
fn alone(cells: &Buffer, cursor: Option<Position>) -> vt100::Parser {
    let mut terminal = terminal(cells.area.width, cells.area.height);
    terminal.process(&Painter::new(false).paint(cells, cursor));
    terminal
}

fn style(nth: u8) -> Style {
    let plain = Style::default();
    match nth {
        0 => plain.fg(Color::Red),
        1 => plain.fg(Color::Rgb(10, 20, 30)).add_modifier(Modifier::BOLD),
        2 => plain.bg(Color::Indexed(17)),
        3 => plain.add_modifier(Modifier::REVERSED),
        4 => plain.add_modifier(Modifier::UNDERLINED),
        _ => plain,
    }
}

type Line = Vec<(String, u8)>;

fn line() -> impl Strategy<Value = Line> {
    let text = prop::sample::select(vec![
        "i-0abc",
        "running",
        " ",
        "   ",
        "t3.small",
        "日本語",
        "é",
        "x",
        "e\u{301}",
        "prod-🚀",
        "",
        "1.5%",
    ]);
    prop::collection::vec((text.prop_map(str::to_owned), 0u8..8), 0..7)
}

/// A frame: a window over a long text with a head and a foot that stay, a bar, and some lines that changed.
#[derive(Clone, Debug)]
struct Look {
    from: usize,
    bar: Option<(u16, u8)>,
    changed: Vec<(usize, Line)>,
    head: String,
    cursor: Option<(u16, u16)>,
}

fn look() -> impl Strategy<Value = Look> {
    let bar = prop::option::of((0u16..20, 2u8..4));
    let changed = prop::collection::vec((0usize..60, line()), 0..3);
    let cursor = prop::option::weighted(0.2, (0u16..44, 0u16..20));
    (0usize..40, bar, changed, "[a-c]{0,4}", cursor).prop_map(|(from, bar, changed, head, cursor)| Look {
        from,
        bar,
        changed,
        head,
        cursor,
    })
}

fn draw(text: &[Line], look: &Look, (width, height): (u16, u16)) -> Buffer {
    let mut cells = Buffer::empty(Rect::new(0, 0, width, height));
    for y in 0..height {
        let mut x = 0;
        let stays = [(look.head.clone(), 1)];
        let pieces = match y {
            0 => &stays[..],
            y => text.get(look.from + usize::from(y)).map_or(&[][..], Vec::as_slice),
        };
        for (piece, nth) in pieces {
            (x, _) = cells.set_stringn(x, y, piece, usize::from(width - x), style(*nth));
        }
        if let Some((_, nth)) = look.bar.filter(|(bar, _)| *bar == y) {
            cells.set_style(Rect::new(0, y, width, 1), style(nth));
        }
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_shown_before_the_terminal_ends_as_if_it_had_got_this_frame_alone(
        text in prop::collection::vec(line(), 30..60),
        looks in prop::collection::vec(look(), 2..8),
        size in (1u16..44, 1u16..20),
    ) {
        let mut text = text;
        let mut shown = terminal(size.0, size.1);
        let mut painter = Painter::new(false);
        for look in looks {
            for (at, line) in &look.changed {
                if let Some(place) = text.get_mut(*at) {
                    place.clone_from(line);
                }
            }
            let cells = draw(&text, &look, size);
            let cursor = look.cursor.filter(|(x, y)| *x < size.0 && *y < size.1).map(|(x, y)| Position { x, y });
            shown.process(&painter.paint(&cells, cursor));
            let alone = alone(&cells, cursor);
            prop_assert_eq!(seen(&shown), seen(&alone), "{:?}", look);
            if cursor.is_some() {
                prop_assert_eq!(shown.screen().cursor_position(), alone.screen().cursor_position());
            }
            prop_assert!(painter.paint(&cells, cursor).is_empty(), "nothing is left to do");
        }
    }
}

/// The most bytes that a key costs when each moves the whole list by a row.
fn scrolling(size: (u16, u16), keys: &str, is_lean: bool) -> usize {
    let rows = (1..=200).map(|n| fleet::instance(n, "shared", "core-shared", "eu-west-1")).collect();
    let world = fleet::world(vec![fleet::part("prod", "eu-west-1", rows)]);
    let mut screen = Headless::new(world, size);
    screen.theme = Theme::shipped("dark").unwrap().at(Depth::Many);
    let (mut painter, mut shown) = (Painter::new(false), terminal(size.0, size.1));
    if is_lean {
        screen.theme = screen.theme.clone().lean();
    }
    screen.keys("2").keys(&"j".repeat(usize::from(size.1)));
    let mut costs = Vec::new();
    for key in std::iter::once("").chain(keys.split_inclusive(|_: char| true)) {
        screen.keys(key);
        let frame = screen.frame();
        let bytes = painter.paint(&frame.cells, frame.cursor);
        shown.process(&bytes);
        assert_eq!(seen(&shown), seen(&alone(&frame.cells, frame.cursor)), "after {key}");
        costs.push(bytes.len());
    }
    costs.into_iter().skip(1).max().unwrap()
}

#[test]
fn a_cursor_move_that_scrolls_costs_little_more_than_the_new_row() {
    let mut over = Vec::new();
    for (size, is_lean, most) in
        [((80, 24), false, 150), ((80, 24), true, 110), ((180, 50), false, 220), ((180, 50), true, 165)]
    {
        let cost = scrolling(size, "jjjjjjjjjj", is_lean);
        if cost > most {
            over.push(format!("{size:?} lean {is_lean}: {cost} of {most}"));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}
