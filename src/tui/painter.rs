//! Turns the difference between two frames into as few bytes as a terminal needs.
//!
//! Frames in, bytes out, no terminal here: what is written goes to whoever holds the descriptor. An unchanged
//! frame costs nothing at all. What the terminal shows now is remembered, pen and cursor included.

mod scroll;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use std::io::Write;
use unicode_width::UnicodeWidthStr;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// What the terminal shows, as far as we know.
#[derive(Debug)]
pub struct Painter {
    shown: Option<Buffer>,
    pen: Option<Pen>,
    at: Option<Position>,
    has_cursor: Option<bool>,
    only_ascii: bool,
}

/// Frames of fewer bytes than this are not searched for what has moved.
const DEAR: usize = 64;

/// A jump to the right takes so many bytes; a single step takes one less.
const JUMP: u16 = 4;

/// The longest frame that is not marked as one: it is one write and one packet, and comes in one piece anyway.
const ONE_PIECE: usize = 512;

/// How the next character will look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// A blank shows neither its own colour nor its weight.
    fn of_blank(self) -> Self {
        let visible = Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT;
        let modifier = self.modifier & visible;
        if modifier.is_empty() { Self { fg: Color::Reset, bg: self.bg, modifier } } else { self }
    }
}

/// A cell as it looks: two cells that look the same are the same.
fn look(cell: &Cell) -> (&str, Pen) {
    let pen = Pen::of(cell);
    match cell.symbol() {
        " " | "" => (" ", pen.of_blank()),
        symbol => (symbol, pen),
    }
}

fn width(symbol: &str) -> u16 {
    u16::try_from(symbol.width()).unwrap_or(1).max(1)
}

impl Painter {
    /// A painter for a terminal of which nothing is known yet.
    pub fn new(only_ascii: bool) -> Self {
        Self { shown: None, pen: None, at: None, has_cursor: None, only_ascii }
    }

    /// Forgets what the terminal shows: after a resize, and after somebody else drew on it.
    pub fn forget(&mut self) {
        *self = Self::new(self.only_ascii);
    }

    /// The bytes that turn what is shown into `next`, with the cursor at `cursor` or hidden.
    pub fn paint(&mut self, next: &Buffer, cursor: Option<Position>) -> Vec<u8> {
        let mut out = Vec::new();
        let blank;
        let shown = match self.shown.take() {
            Some(shown) if shown.area == next.area => shown,
            _ => {
                self.pen = Some(Pen::PLAIN);
                self.at = None;
                self.has_cursor = None;
                out.extend_from_slice(b"\x1b[r\x1b[0m\x1b[2J");
                blank = Buffer::empty(next.area);
                blank
            }
        };
        self.hide_cursor_before_work(&shown, next, cursor, &mut out);
        self.rows(&shown, next, &mut out);
        match cursor {
            Some(position) => {
                self.go(position, &mut out);
                if self.has_cursor != Some(true) {
                    out.extend_from_slice(b"\x1b[?25h");
                    self.has_cursor = Some(true);
                }
            }
            None if self.has_cursor != Some(false) => {
                out.extend_from_slice(b"\x1b[?25l");
                self.has_cursor = Some(false);
            }
            None => {}
        }
        self.shown = Some(next.clone());
        if out.len() <= ONE_PIECE {
            return out;
        }
        let mut framed = Vec::with_capacity(out.len() + BEGIN.len() + END.len());
        framed.extend_from_slice(BEGIN);
        framed.append(&mut out);
        framed.extend_from_slice(END);
        framed
    }

    /// Synchronized output hides a moving cursor where it is known; elsewhere a first full frame would flash.
    fn hide_cursor_before_work(
        &mut self,
        shown: &Buffer,
        next: &Buffer,
        cursor: Option<Position>,
        out: &mut Vec<u8>,
    ) {
        if self.has_cursor.is_none() && cursor.is_none() && shown.area == next.area {
            out.extend_from_slice(b"\x1b[?25l");
            self.has_cursor = Some(false);
        }
    }

    /// Writes what differs, after the terminal has moved what has only moved where that takes fewer bytes.
    fn rows(&mut self, shown: &Buffer, next: &Buffer, out: &mut Vec<u8>) {
        let before = (self.pen, self.at);
        let mut apart = Vec::new();
        self.every_row(shown, next, &mut apart);
        let after = (self.pen, self.at);
        if let Some(shift) = (apart.len() > DEAR).then(|| scroll::found(shown, next)).flatten() {
            (self.pen, self.at) = before;
            let mut moved = Vec::new();
            self.dip(Pen::PLAIN, &mut moved);
            shift.write(&mut moved);
            // Terminals differ in where the margins leave it.
            self.at = None;
            self.every_row(&shift.moved(shown), next, &mut moved);
            if moved.len() < apart.len() {
                out.append(&mut moved);
                return;
            }
        }
        (self.pen, self.at) = after;
        out.append(&mut apart);
    }

    fn every_row(&mut self, shown: &Buffer, next: &Buffer, out: &mut Vec<u8>) {
        for y in next.area.top()..next.area.bottom() {
            if scroll::row(shown, y) != scroll::row(next, y) {
                self.row(scroll::row(shown, y), scroll::row(next, y), y, out);
            }
        }
    }

    /// Turns a row of the terminal from what it was into what it is to be.
    fn row(&mut self, old: &[Cell], new: &[Cell], y: u16, out: &mut Vec<u8>) {
        let nothing = Cell::EMPTY;
        let right = u16::try_from(new.len()).unwrap_or(u16::MAX);
        let was = |x: u16| look(old.get(usize::from(x)).unwrap_or(&nothing));
        let will = |x: u16| look(new.get(usize::from(x)).unwrap_or(&nothing));
        let blank = (" ", Pen::PLAIN);
        // From here on to the right everything is blank.
        let mut blank_from = right;
        while blank_from > 0 {
            let after_wide = blank_from >= 2 && width(will(blank_from - 2).0) > 1;
            if will(blank_from - 1) != blank || after_wide {
                break;
            }
            blank_from -= 1;
        }
        let mut x = 0;
        let mut torn = false;
        while x < right {
            let (symbol, pen) = will(x);
            let wide = width(symbol).min(right - x);
            let differs = (x..x + wide).any(|x| was(x) != will(x));
            if !differs && !torn {
                x += wide;
                continue;
            }
            if x >= blank_from && right - x > 3 {
                if torn || (x..right).any(|x| was(x) != blank) {
                    self.reach(Position { x, y }, new, out);
                    self.dip(Pen::PLAIN, out);
                    out.extend_from_slice(b"\x1b[K");
                }
                return;
            }
            // Half of a wide character that is overwritten leaves its other half in doubt.
            torn = differs && (0..wide).any(|dx| dx + width(was(x + dx).0) > wide);
            self.reach(Position { x, y }, new, out);
            if !self.is_dipped(symbol, pen) {
                self.dip(pen, out);
            }
            let is_simple = symbol.chars().count() == 1 && wide == 1;
            if self.only_ascii && !symbol.is_ascii() {
                out.extend(std::iter::repeat_n(b'?', usize::from(wide)));
            } else {
                out.extend_from_slice(symbol.as_bytes());
            }
            x += wide;
            // At the right edge terminals differ in where the cursor is; after anything but a simple
            // character they may differ in how wide it was.
            self.at = (is_simple && x < right).then_some(Position { x, y });
        }
    }

    /// Tells whether a symbol looks as it should with the pen as it is: a blank does not show its colour.
    fn is_dipped(&self, symbol: &str, pen: Pen) -> bool {
        self.pen.is_some_and(|now| if symbol == " " { now.of_blank() == pen } else { now == pen })
    }

    /// Goes to a place. What stands between is written again where that is shorter than to jump over it.
    fn reach(&mut self, to: Position, new: &[Cell], out: &mut Vec<u8>) {
        if let Some(at) = self.at.filter(|at| at.y == to.y && at.x < to.x && to.x - at.x < JUMP) {
            let between = new.get(usize::from(at.x)..usize::from(to.x)).unwrap_or_default();
            let is_easy = |cell: &Cell| {
                let (symbol, pen) = look(cell);
                symbol.len() == 1 && self.is_dipped(symbol, pen)
            };
            // A single step is three bytes, more are four.
            if between.iter().all(is_easy) {
                between.iter().for_each(|cell| out.extend_from_slice(look(cell).0.as_bytes()));
                self.at = Some(to);
                return;
            }
        }
        self.go(to, out);
    }

    fn go(&mut self, to: Position, out: &mut Vec<u8>) {
        if self.at == Some(to) {
            return;
        }
        let mut best = match (to.x, to.y) {
            (0, 0) => "\x1b[H".to_string(),
            (0, y) => format!("\x1b[{}H", y + 1),
            (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        if let Some(at) = self.at {
            let mut offer = |way: String| {
                if way.len() < best.len() {
                    best = way;
                }
            };
            if at.y == to.y && to.x > at.x {
                let by = to.x - at.x;
                offer(if by == 1 { "\x1b[C".into() } else { format!("\x1b[{by}C") });
            }
            if at.y == to.y && to.x < at.x {
                let by = at.x - to.x;
                offer(if by == 1 { "\x08".into() } else { format!("\x1b[{by}D") });
            }
            if to.x == 0 && at.y == to.y {
                offer("\r".into());
            }
            if to.x == 0 && to.y == at.y + 1 {
                offer("\r\n".into());
            }
            if at.x == to.x && to.y > at.y {
                let by = to.y - at.y;
                offer(if by == 1 { "\x1b[B".into() } else { format!("\x1b[{by}B") });
            }
        }
        out.extend_from_slice(best.as_bytes());
        self.at = Some(to);
    }

    /// Changes the pen by the shorter of what differs and a fresh start.
    fn dip(&mut self, pen: Pen, out: &mut Vec<u8>) {
        if self.pen == Some(pen) {
            return;
        }
        let mut fresh = vec!["0".to_string()];
        parts(Pen::PLAIN, pen, &mut fresh);
        let mut best = if fresh.len() == 1 { String::new() } else { fresh.join(";") };
        if let Some(old) = self.pen {
            let mut change = Vec::new();
            parts(old, pen, &mut change);
            let change = change.join(";");
            if change.len() < best.len() {
                best = change;
            }
        }
        // Writing to a vector cannot fail.
        let _ = write!(out, "\x1b[{best}m");
        self.pen = Some(pen);
    }
}

/// The escape sequence after which text looks like this, whatever it looked like before.
pub(super) fn pen(style: Style) -> String {
    let pen = Pen {
        fg: style.fg.unwrap_or(Color::Reset),
        bg: style.bg.unwrap_or(Color::Reset),
        modifier: style.add_modifier,
    };
    let mut codes = vec!["0".to_string()];
    parts(Pen::PLAIN, pen, &mut codes);
    format!("\x1b[{}m", codes.join(";"))
}

/// The attributes that lead from one pen to another.
fn parts(old: Pen, new: Pen, out: &mut Vec<String>) {
    let (gone, came) = (old.modifier - new.modifier, new.modifier - old.modifier);
    let mut came = came;
    if gone.intersects(Modifier::BOLD | Modifier::DIM) {
        out.push("22".into());
        came |= new.modifier & (Modifier::BOLD | Modifier::DIM);
    }
    for (modifier, off) in [
        (Modifier::ITALIC, 23),
        (Modifier::UNDERLINED, 24),
        (Modifier::REVERSED, 27),
        (Modifier::CROSSED_OUT, 29),
    ] {
        if gone.contains(modifier) {
            out.push(off.to_string());
        }
    }
    for (modifier, on) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
        (Modifier::CROSSED_OUT, 9),
    ] {
        if came.contains(modifier) {
            out.push(on.to_string());
        }
    }
    if old.fg != new.fg {
        out.push(colour(new.fg, 30));
    }
    if old.bg != new.bg {
        out.push(colour(new.bg, 40));
    }
}

fn colour(colour: Color, base: u8) -> String {
    let bright = |n: u8| (base + 60 + n).to_string();
    let dark = |n: u8| (base + n).to_string();
    match colour {
        Color::Reset => dark(9),
        Color::Black => dark(0),
        Color::Red => dark(1),
        Color::Green => dark(2),
        Color::Yellow => dark(3),
        Color::Blue => dark(4),
        Color::Magenta => dark(5),
        Color::Cyan => dark(6),
        Color::Gray => dark(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// An empty frame of a size.
pub(crate) fn frame(width: u16, height: u16) -> Buffer {
    Buffer::empty(Rect::new(0, 0, width, height))
}
