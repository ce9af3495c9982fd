//! Colours by name, and the nearest that a terminal with fewer of them can show.

use ratatui::style::Color;

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None at all: `NO_COLOR`.
    None,
    /// The sixteen of the terminal's own palette.
    Sixteen,
    /// 256.
    Many,
    /// All.
    True,
}

/// The sixteen names, and what they roughly look like.
pub(super) const NAMES: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [170, 0, 0]),
    ("green", Color::Green, [0, 170, 0]),
    ("yellow", Color::Yellow, [170, 120, 0]),
    ("blue", Color::Blue, [0, 0, 190]),
    ("magenta", Color::Magenta, [170, 0, 170]),
    ("cyan", Color::Cyan, [0, 160, 170]),
    ("white", Color::Gray, [190, 190, 190]),
    ("bright-black", Color::DarkGray, [100, 100, 100]),
    ("bright-red", Color::LightRed, [255, 85, 85]),
    ("bright-green", Color::LightGreen, [85, 255, 85]),
    ("bright-yellow", Color::LightYellow, [255, 255, 85]),
    ("bright-blue", Color::LightBlue, [95, 135, 255]),
    ("bright-magenta", Color::LightMagenta, [255, 100, 255]),
    ("bright-cyan", Color::LightCyan, [85, 255, 255]),
    ("bright-white", Color::White, [255, 255, 255]),
];

/// Reads a colour that is no name of a palette: `#rrggbb`, `0` to `255`, or one of the sixteen names.
pub(super) fn parse(text: &str) -> Option<Color> {
    if let Some(hex) = text.strip_prefix('#') {
        let bytes = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
        let [_, r, g, b] = bytes.to_be_bytes();
        return Some(Color::Rgb(r, g, b));
    }
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Ok(index) = text.parse() {
        return Some(Color::Indexed(index));
    }
    NAMES.iter().find(|(name, ..)| *name == text).map(|(_, colour, _)| *colour)
}

/// How a theme file writes a colour.
pub(super) fn name(colour: Color) -> String {
    match colour {
        Color::Reset => "default".to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(index) => index.to_string(),
        other => {
            let found = NAMES.iter().find(|(_, named, _)| *named == other);
            found.map_or_else(|| other.to_string().to_lowercase(), |(name, ..)| (*name).to_owned())
        }
    }
}

impl Depth {
    /// The nearest colour that a terminal of this depth shows; none where it shows none.
    pub fn nearest(self, colour: Color) -> Option<Color> {
        match (self, colour) {
            (Self::None, _) => None,
            (Self::True, _) | (_, Color::Reset) => Some(colour),
            (Self::Many, Color::Rgb(r, g, b)) => Some(Color::Indexed(index([r, g, b]))),
            (Self::Sixteen, Color::Rgb(r, g, b)) => Some(named([r, g, b])),
            (Self::Sixteen, Color::Indexed(index)) => Some(named(rgb(index))),
            _ => Some(colour),
        }
    }
}

/// How well one colour is read on another, as WCAG 2 has it: from 1 to 21; 4.5 is enough for text.
pub fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [r, g, b] = colour.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// What a colour that every terminal shows alike looks like; none for those that its own palette decides.
#[cfg(test)]
pub(super) fn seen(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index @ 16..) => Some(rgb(index)),
        _ => None,
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> i32 {
    // Green weighs most in what the eye calls bright, blue least.
    a.iter()
        .zip(b)
        .zip([3, 4, 2])
        .map(|((a, b), weight)| (i32::from(*a) - i32::from(b)).pow(2) * weight)
        .sum()
}

fn named(wanted: [u8; 3]) -> Color {
    NAMES
        .iter()
        .min_by_key(|(_, _, looks)| distance(*looks, wanted))
        .map_or(Color::Reset, |(_, colour, _)| *colour)
}

const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the 6×6×6 cube and of the 24 greys.
fn index(wanted: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|index| distance(rgb(*index), wanted)).unwrap_or(7)
}

/// What an index of the 256 colours looks like.
fn rgb(index: u8) -> [u8; 3] {
    let step = |n: u8| STEPS.get(usize::from(n % 6)).copied().unwrap_or_default();
    match index {
        0..=15 => NAMES.get(usize::from(index)).map_or([0; 3], |(_, _, looks)| *looks),
        16..=231 => [step((index - 16) / 36), step((index - 16) / 6), step(index - 16)],
        232.. => [8 + (index - 232) * 10; 3],
    }
}
