//! Themes: how each role on the screen looks, from a file with a palette, dotted roles and inheritance.
//!
//! A role that a theme leaves out looks like its parent: `health.bad` like `health`, that like `text`.
//! What something means is always told by a sign or a word as well, so every theme may be all one colour.

mod color;
mod file;

pub use color::{Depth, contrast};

use super::fault::Fault;
use super::layered::Shelf;
use file::Sketch;
use ratatui::style::{Color, Modifier, Style};

/// The themes that come with the program: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("high-contrast-light", include_str!("../../themes/high-contrast-light.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("colour-blind-light", include_str!("../../themes/colour-blind-light.toml")),
    ("solarized-dark", include_str!("../../themes/solarized-dark.toml")),
    ("solarized-light", include_str!("../../themes/solarized-light.toml")),
    ("gruvbox-dark", include_str!("../../themes/gruvbox-dark.toml")),
    ("gruvbox-light", include_str!("../../themes/gruvbox-light.toml")),
    ("nord", include_str!("../../themes/nord.toml")),
    ("catppuccin-mocha", include_str!("../../themes/catppuccin-mocha.toml")),
    ("catppuccin-latte", include_str!("../../themes/catppuccin-latte.toml")),
    ("dracula", include_str!("../../themes/dracula.toml")),
];

/// The themes that come with the program.
pub const SHELF: Shelf = Shelf::shipped("theme", SHIPPED);

/// What a theme is meant to be seen on. It is never painted: the terminal keeps its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// Something dark.
    Dark,
    /// Something light.
    Light,
    /// This colour.
    Colour([u8; 3]),
}

impl Background {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "dark" => Some(Self::Dark),
            "light" => Some(Self::Light),
            _ if word.starts_with('#') => match color::parse(word)? {
                Color::Rgb(r, g, b) => Some(Self::Colour([r, g, b])),
                _ => None,
            },
            _ => None,
        }
    }

    /// Tells whether dark text is read on it.
    pub fn is_light(self) -> bool {
        match self {
            Self::Dark => false,
            Self::Light => true,
            // Where black and white can be read equally well.
            Self::Colour(colour) => contrast(colour, [0; 3]) > contrast(colour, [255; 3]),
        }
    }
}

macro_rules! roles {
    ($($variant:ident $name:literal)+) => {
        /// What a piece of the screen is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // docs/screen.md has a table of them.
        pub enum Role { $($variant),+ }

        impl Role {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its dotted name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

roles! {
    Text "text"
    Dim "text.dim"
    Strong "text.strong"
    Header "header"
    HeaderFleet "header.fleet"
    HeaderMark "header.mark"
    HeaderStale "header.stale"
    Past "header.past"
    Title "title"
    TitlePart "title.part"
    Column "column"
    ColumnSorted "column.sorted"
    ColumnPicked "column.picked"
    Row "row"
    RowCursor "row.cursor"
    RowKey "row.key"
    Gutter "gutter"
    HealthOk "health.ok"
    HealthBusy "health.busy"
    HealthUnknown "health.unknown"
    HealthWarn "health.warn"
    HealthBad "health.bad"
    Unknown "unknown"
    Trouble "trouble"
    TroubleHint "trouble.hint"
    Note "note"
    Prompt "prompt"
    PromptError "prompt.error"
    PromptCandidate "prompt.candidate"
    PromptPicked "prompt.picked"
    Hint "hint"
    HintKey "hint.key"
    Box "box"
    BoxTitle "box.title"
    Field "field"
}

/// Every role's style.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    styles: Vec<Style>,
    background: Option<Background>,
}

impl Theme {
    /// The theme of that name that comes with the program.
    pub fn shipped(name: &str) -> Result<Self, Vec<Fault>> {
        Self::load(&SHELF, name)
    }

    /// The theme of that name from a shelf of them.
    pub fn load(shelf: &Shelf, name: &str) -> Result<Self, Vec<Fault>> {
        shelf.load::<Sketch>(name).map(|sketch| sketch.paint())
    }

    /// Reads a theme file that may inherit from those that come with the program. Tells every fault at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse_on(&SHELF, file, text)
    }

    /// Reads a theme file that may inherit from those of a shelf. Tells every fault at once.
    pub fn parse_on(shelf: &Shelf, file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        shelf.read::<Sketch>(file, text).map(|sketch| sketch.paint())
    }

    /// What it is meant to be seen on, where it says so.
    pub fn background(&self) -> Option<Background> {
        self.background
    }

    /// How a role looks, as the escape sequence that a terminal needs for it.
    pub fn escape(&self, role: Role) -> String {
        super::painter::pen(self.style(role))
    }

    /// A theme without colours, for when none can be read.
    pub fn plain() -> Self {
        let bold = |role: &Role| matches!(role, Role::Title | Role::RowCursor | Role::HeaderFleet);
        let style = |role| if bold(role) { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        Self { styles: Role::ALL.iter().map(style).collect(), background: None }
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The same theme in fewer colours: what the terminal cannot show becomes the nearest that it can.
    pub fn at(mut self, depth: Depth) -> Self {
        for style in &mut self.styles {
            style.fg = style.fg.and_then(|colour| depth.nearest(colour));
            style.bg = style.bg.and_then(|colour| depth.nearest(colour));
        }
        self
    }

    /// How a role looks, in words: `#ff6b6b bold`.
    pub fn words(&self, role: Role) -> String {
        let style = self.style(role);
        let mut words: Vec<String> = style.fg.map(color::name).into_iter().collect();
        words.extend(style.bg.map(|colour| format!("on {}", color::name(colour))));
        words.extend(style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase()));
        if words.is_empty() { "as the terminal writes".to_owned() } else { words.join(" ") }
    }

    /// The same theme with nothing but what means something: the colours of health and trouble, and what shows
    /// which heading or candidate is picked. Fewer styles are fewer bytes.
    pub fn lean(mut self) -> Self {
        for (role, style) in Role::ALL.iter().zip(&mut self.styles) {
            // The terminal's own colours are the shortest to name; none where the theme has none.
            let paint = |style: Style, colour: Color| Style { fg: style.fg.map(|_| colour), ..Style::new() };
            match role {
                Role::HealthBad | Role::PromptError => *style = paint(*style, Color::Red),
                Role::HealthWarn | Role::Trouble | Role::HeaderStale => *style = paint(*style, Color::Yellow),
                Role::ColumnPicked | Role::PromptPicked => {
                    *style = Style::new().add_modifier(Modifier::REVERSED);
                }
                _ => *style = Style::new(),
            }
        }
        self
    }

    /// Tells whether any role has a colour.
    pub fn has_colour(&self) -> bool {
        let set = |colour: Option<Color>| colour.is_some_and(|colour| colour != Color::Reset);
        self.styles.iter().any(|style| set(style.fg) || set(style.bg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_loads_at_every_depth() {
        for (name, _) in SHIPPED {
            let theme = Theme::shipped(name).unwrap_or_else(|faults| panic!("{faults:#?}"));
            assert!(theme.has_colour(), "{name}");
            assert!(!theme.clone().at(Depth::None).has_colour(), "{name}");
            for style in theme.at(Depth::Sixteen).styles {
                assert!(!matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_))), "{name}: {style:?}");
            }
        }
    }

    #[test]
    fn text_can_be_read_on_the_background_that_a_theme_names() {
        let mut measured = 0;
        for (name, _) in SHIPPED {
            let theme = Theme::shipped(name).unwrap();
            let Some(Background::Colour(ground)) = theme.background() else {
                assert_eq!(*name, "ansi16", "{name} does not name its background");
                continue;
            };
            assert_eq!(
                theme.background().unwrap().is_light(),
                name.contains("light") || name.contains("latte")
            );
            let least = if name.starts_with("high-contrast") { 7.0 } else { 4.5 };
            for role in Role::ALL {
                for (depth, least) in [(Depth::True, least), (Depth::Many, least * 0.9)] {
                    let style = theme.clone().at(depth).style(*role);
                    let (fg, bg) = (style.fg.and_then(color::seen), style.bg.and_then(color::seen));
                    if fg.is_none() && bg.is_none() {
                        continue;
                    }
                    // Text in the terminal's own colour is not ours to measure, but on our own ground.
                    let ratio = contrast(fg.unwrap_or(ground), bg.unwrap_or(ground));
                    assert!(ratio >= least, "{name} {} at {depth:?}: {ratio:.2}", role.name());
                    measured += 1;
                }
            }
        }
        assert!(measured > 500, "{measured}");
    }

    #[test]
    fn health_is_told_apart_by_those_who_see_few_colours() {
        // Okabe and Ito: each of these differs from the others in lightness or along blue and yellow too.
        for name in ["colour-blind", "colour-blind-light"] {
            let theme = Theme::shipped(name).unwrap();
            let of = |role| theme.style(role).fg.and_then(color::seen).unwrap();
            let colours = [Role::HealthOk, Role::HealthBusy, Role::HealthWarn, Role::HealthBad].map(of);
            for (at, one) in colours.iter().enumerate() {
                for other in &colours[..at] {
                    // Red and green fall together for who lacks either; what is left is their mean, and blue.
                    let [r, g, b] = [0, 1, 2].map(|n| f64::from(one[n]) - f64::from(other[n]));
                    assert!((r * 0.6 + g * 0.4).abs() + b.abs() > 40.0, "{name}: {one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_role_that_is_left_out_looks_like_its_parent() {
        let theme = Theme::parse(
            "t.toml",
            "[styles]\ntext = 'blue'\nhealth = { fg = 'red', bold = true }\n'health.ok' = 'green'",
        )
        .unwrap();
        assert_eq!(theme.style(Role::HealthBad), Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert_eq!(theme.style(Role::HealthOk).fg, Some(Color::Green));
        assert_eq!(theme.style(Role::Title).fg, Some(Color::Blue));
    }

    #[test]
    fn a_theme_may_inherit_and_change_the_palette() {
        let text = "inherits = 'dark'\n[palette]\nred = '#010203'\n[styles]\n'row.cursor' = 'red'";
        let theme = Theme::parse("t.toml", text).unwrap();
        assert_eq!(theme.style(Role::RowCursor).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(theme.style(Role::Gutter), Theme::shipped("dark").unwrap().style(Role::Gutter));
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_place() {
        let text = "inherits = 'drak'\nbackground = 'grey'\n[palette]\nred = '#12345'\n[styles]\n'health.bda' = 'rde'\n\
                    title = 'gren'\nnote = { fg = 'blue', blink = true }\nhint = 3\ntitel = 'blue'\n";
        let faults: Vec<String> =
            Theme::parse("my.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
        let expected = [
            "my.toml:1:12: no theme named `drak`; did you mean `dark`?",
            "my.toml:2:14: a background is \"dark\", \"light\" or a colour, \"#rrggbb\"",
            "my.toml:4:7: `#12345` is no colour; write \"#rrggbb\", a number from 0 to 255 or a name such as \"bright-red\"",
            "my.toml:6:1: no role named `health.bda`; did you mean `health.bad`?",
            "my.toml:6:16: no colour named `rde`",
            "my.toml:7:9: no colour named `gren`; did you mean `green`?",
            "my.toml:8:23: no attribute named `blink`; write fg, bg, bold, dim, italic, underline or reverse",
            "my.toml:9:8: a colour or a table such as { fg = \"red\", bold = true } is expected",
            "my.toml:10:1: no role named `titel`; did you mean `title`?",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_colour_is_told_by_the_word_that_a_theme_would_have_for_it() {
        let text = "[styles]\ntext = 'default'\ntitle = { fg = 'white', bg = 'bright-black', bold = true }\n\
                    note = '#A0b1C2'\nhint = '208'";
        let theme = Theme::parse("t.toml", text).unwrap();
        let told = [Role::Text, Role::Title, Role::Note, Role::Hint].map(|role| theme.words(role));
        assert_eq!(told, ["default", "white on bright-black bold", "#a0b1c2", "208"]);
        for (name, colour, _) in color::NAMES {
            assert_eq!(color::name(colour), name);
        }
    }

    #[test]
    fn sixteen_colours_keep_the_hue() {
        let near = |r, g, b| Depth::Sixteen.nearest(Color::Rgb(r, g, b));
        assert_eq!(near(255, 85, 85), Some(Color::LightRed));
        assert_eq!(near(0, 160, 0), Some(Color::Green));
        assert_eq!(near(255, 255, 255), Some(Color::White));
        assert_eq!(Depth::Many.nearest(Color::Rgb(255, 0, 0)), Some(Color::Indexed(196)));
    }
}
