//! Themes: how each role on the screen looks, from a file with a palette, dotted roles and inheritance.
//!
//! A role that a theme leaves out looks like its parent: `health.bad` like `health`, that like `text`.
//! What something means is always told by a sign or a word as well, so every theme may be all one colour.

mod color;
mod file;

pub use color::Depth;

use super::fault::Fault;
use ratatui::style::{Color, Modifier, Style};

/// The themes that come with the program: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
];

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
}

impl Theme {
    /// The theme of that name that comes with the program.
    pub fn shipped(name: &str) -> Result<Self, Vec<Fault>> {
        let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) else {
            return Err(vec![file::no_such(name)]);
        };
        Self::parse(&format!("{name}.toml"), text)
    }

    /// Reads a theme file. Tells every fault at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        file::parse(file, text)
    }

    /// A theme without colours, for when none can be read.
    pub fn plain() -> Self {
        let bold = |role: &Role| matches!(role, Role::Title | Role::RowCursor | Role::HeaderFleet);
        let style = |role| if bold(role) { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        Self { styles: Role::ALL.iter().map(style).collect() }
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
        let text = "inherits = 'drak'\nbackground = 'grey'\n[palette]\nred = '#12345'\n[styles]\n'health.bda' = 'red'\n\
                    title = 'gren'\nnote = { fg = 'blue', blink = true }\nhint = 3\ntitel = 'blue'\n";
        let faults: Vec<String> =
            Theme::parse("my.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
        let expected = [
            "my.toml:1:12: no theme named `drak` comes with coredeck; did you mean `dark`?",
            "my.toml:2:14: a background is \"dark\" or \"light\"",
            "my.toml:4:7: `#12345` is no colour; write \"#rrggbb\", a number from 0 to 255 or a name such as \"bright-red\"",
            "my.toml:6:1: no role named `health.bda`; did you mean `health.bad`?",
            "my.toml:7:9: no colour named `gren`; did you mean `green`?",
            "my.toml:8:23: no attribute named `blink`; write fg, bg, bold, dim, italic, underline or reverse",
            "my.toml:9:8: a colour or a table such as { fg = \"red\", bold = true } is expected",
            "my.toml:10:1: no role named `titel`; did you mean `title`?",
        ];
        assert_eq!(faults, expected);
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
