//! How the screen looks and listens here: theme, keymap, signs and colours, from names and the environment.

use super::copy::Between;
use super::fault::Fault;
use super::keymap::{self, Keymap};
use super::layered::Shelf;
use super::props::Props;
use super::saved::Views;
use super::seat::Lean;
use super::setup::Setup;
use super::signs::Signs;
use super::state::About;
use super::theme::{self, Background, Depth, Theme};
use crate::clock::Clock;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The theme's name that means whichever fits the terminal.
const USUAL: &str = "default";

/// How the screen looks and listens.
#[derive(Clone, Debug)]
pub struct Options {
    /// The theme, already in the colours that the terminal has.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// The signs that the locale allows.
    pub signs: Signs,
    /// Where time comes from.
    pub clock: Clock,
    /// Where other themes and keymaps are found.
    pub looks: Looks,
    /// Whether little is sent to the terminal; none lets the time that it takes to answer decide.
    pub lean: Option<Lean>,
    /// Whether the mouse is ours.
    pub has_mouse: bool,
    /// Whether the terminal may be asked what it is.
    pub asks: bool,
    /// What stands between us and the terminal.
    pub between: Between,
    /// Where views are kept, and those that are.
    pub saved: Option<PathBuf>,
    /// Those that are kept.
    pub views: Views,
}

impl Options {
    /// These looks, and of everything else the least: nothing is asked of the terminal.
    pub fn new(theme: Theme, keymap: Keymap, signs: Signs, clock: Clock) -> Self {
        Self {
            theme,
            keymap,
            signs,
            clock,
            looks: Looks::new(None, |_| None),
            lean: Some(Lean::Off),
            has_mouse: false,
            asks: false,
            between: Between::Nothing,
            saved: None,
            views: Views::default(),
        }
    }

    /// What a screen of this size begins with, and what it is dressed with.
    pub(super) fn into_parts(self, about: About, size: (u16, u16)) -> (Setup, Props) {
        let names = |shelf: &Shelf| shelf.names().into_iter().map(|(name, _)| name).collect();
        let setup = Setup {
            about,
            lean: self.lean.unwrap_or_default(),
            has_mouse: self.has_mouse,
            themes: names(&self.looks.themes),
            keymaps: names(&self.looks.keymaps),
            views: self.views,
            ..Setup::new(self.keymap, self.signs, size)
        };
        (setup, Props { theme: self.theme, looks: self.looks, saved: self.saved })
    }

    /// Loads a theme and a keymap by name: `<folder>/themes/<name>.toml` and `<folder>/keymaps/<name>.toml`
    /// where they exist, or else those that come with the program. `default` as a theme picks one that fits
    /// the terminal. Every fault of both files is in the error's hints.
    pub fn load(
        theme: &str,
        keymap: &str,
        folder: Option<&Path>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let looks = Looks { is_usual: theme == USUAL, ..Looks::new(folder, &env) };
        let mut faults = Vec::new();
        let mut keep = |found: Vec<Fault>| faults.extend(found.iter().map(ToString::to_string));
        let theme = looks.theme(theme).map_err(&mut keep);
        let keymap = looks.keymap(keymap).map_err(&mut keep);
        let (Ok(theme), Ok(keymap)) = (theme, keymap) else {
            let mut error = Error::usage("the theme or the keymap cannot be used");
            error.hints = faults;
            return Err(error);
        };
        let signs =
            Signs::of_locale(env("LC_ALL").as_deref(), env("LC_CTYPE").as_deref(), env("LANG").as_deref());
        Ok(Self {
            looks,
            lean: None,
            has_mouse: true,
            asks: true,
            between: Between::of(&env),
            ..Self::new(theme, keymap, signs, Clock::Real)
        })
    }
}

/// Where themes and keymaps are found, and what of them this terminal can show.
#[derive(Clone, Debug)]
pub struct Looks {
    /// The themes.
    pub themes: Shelf,
    /// The keymaps.
    pub keymaps: Shelf,
    depth: Depth,
    is_light: bool,
    /// Nobody chose a theme, so the background may.
    is_usual: bool,
    /// The background is told by the environment, or cannot be asked for.
    is_told: bool,
}

impl Looks {
    /// Those of a folder and of the program, in the colours that the environment tells of.
    pub fn new(folder: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Self {
        let at = |below: &str| folder.map(|folder| folder.join(below));
        // Where a terminal sets it, it ends in the number of its background colour.
        let background: Option<u8> = env("COLORFGBG")
            .and_then(|value| value.rsplit(';').next().and_then(|number| number.parse().ok()));
        Self {
            themes: theme::SHELF.and(at("themes")),
            keymaps: keymap::SHELF.and(at("keymaps")),
            depth: depth(&env),
            is_light: matches!(background, Some(7 | 9..=15)),
            is_usual: false,
            // The Linux console prints what it does not understand of the question.
            is_told: background.is_some() || env("TERM").is_some_and(|term| term == "linux"),
        }
    }

    /// The theme of that name in the colours of this terminal; `default` is whichever fits it.
    pub fn theme(&self, name: &str) -> std::result::Result<Theme, Vec<Fault>> {
        let name = if name == USUAL { self.usual() } else { name };
        Theme::load(&self.themes, name).map(|theme| theme.at(self.depth))
    }

    /// The keymap of that name.
    pub fn keymap(&self, name: &str) -> std::result::Result<Keymap, Vec<Fault>> {
        Keymap::load(&self.keymaps, name)
    }

    /// How many colours there are.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The name of the theme for this terminal when nobody chose one.
    pub fn usual(&self) -> &'static str {
        match (self.depth, self.is_light) {
            (Depth::Sixteen, _) => "ansi16",
            (_, true) => "light",
            (_, false) => "dark",
        }
    }

    /// Tells whether the background should be asked for: it decides something, and nothing else told it.
    pub fn wants_background(&self) -> bool {
        self.is_usual && !self.is_told && !matches!(self.depth, Depth::None | Depth::Sixteen)
    }

    /// The terminal says what its background is. Returns the theme for it where that is another one now.
    pub fn see(&mut self, background: [u8; 3]) -> Option<Theme> {
        let is_light = Background::Colour(background).is_light();
        if !self.is_usual || self.is_told || is_light == self.is_light {
            return None;
        }
        self.is_light = is_light;
        self.theme(USUAL).ok()
    }

    /// Somebody chose a theme: from now on the background does not.
    pub fn chose(&mut self, name: &str) {
        self.is_usual = name == USUAL;
    }
}

/// How many colours the terminal says it has.
fn depth(env: &impl Fn(&str) -> Option<String>) -> Depth {
    let get = |name: &str| env(name).unwrap_or_default();
    let term = get("TERM");
    if !get("NO_COLOR").is_empty() || term.ends_with("-m") || term == "vt100" || term == "vt220" {
        Depth::None
    } else if matches!(get("COLORTERM").as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256")
        || matches!(term.as_str(), "alacritty" | "xterm-kitty" | "xterm-ghostty" | "foot")
    {
        Depth::Many
    } else {
        Depth::Sixteen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(pairs: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_string())
    }

    #[test]
    fn colours_follow_the_environment() {
        assert_eq!(depth(&env(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")])), Depth::None);
        assert_eq!(depth(&env(&[("TERM", "xterm-256color"), ("NO_COLOR", "")])), Depth::Many);
        assert_eq!(depth(&env(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")])), Depth::True);
        assert_eq!(depth(&env(&[("TERM", "screen")])), Depth::Sixteen);
        let usual = |fgbg| {
            let looks = Looks::new(None, env(&[("TERM", "xterm-256color"), ("COLORFGBG", fgbg)]));
            (looks.usual(), looks.is_told)
        };
        assert_eq!(usual("0;15"), ("light", true));
        assert_eq!(usual("15;0"), ("dark", true));
        assert_eq!(usual("15;default"), ("dark", false));
    }

    #[test]
    fn the_terminals_background_decides_only_where_nobody_else_did() {
        let many = [("TERM", "xterm-256color")];
        let mut options = Options::load("default", "default", None, env(&many)).unwrap();
        assert!(options.looks.wants_background());
        assert_eq!(options.looks.see([10, 10, 10]), None);
        let light = Theme::shipped("light").unwrap().at(Depth::Many);
        assert_eq!(options.looks.see([250, 245, 230]), Some(light));
        options.looks.chose("nord");
        assert_eq!(options.looks.see([10, 10, 10]), None);
        let chosen = Options::load("dark", "default", None, env(&many)).unwrap();
        assert!(!chosen.looks.wants_background());
        let told = Options::load("default", "default", None, env(&[many[0], ("COLORFGBG", "0;15")])).unwrap();
        assert!(!told.looks.wants_background());
    }

    #[test]
    fn both_files_faults_are_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for (below, text) in [("themes", "[styles]\ntitel = 'red'"), ("keymaps", "[all]\nq = 'qiut'")] {
            std::fs::create_dir(folder.path().join(below)).unwrap();
            std::fs::write(folder.path().join(below).join("mine.toml"), text).unwrap();
        }
        let error = Options::load("mine", "mine", Some(folder.path()), env(&[])).unwrap_err();
        assert_eq!(error.hints.len(), 2, "{:?}", error.hints);
        assert!(error.hints[0].ends_with("mine.toml:2:1: no role named `titel`; did you mean `title`?"));
        assert!(error.hints[1].ends_with("mine.toml:2:5: no action named `qiut`; did you mean `quit`?"));
        let error = Options::load("zzz", "default", Some(folder.path()), env(&[])).unwrap_err();
        assert!(
            error.hints[0].contains("themes are mine, dark, light")
                || error.hints[0].contains("themes are dark, light"),
            "{:?}",
            error.hints
        );
    }

    #[test]
    fn a_bare_environment_still_gives_a_screen() {
        let options = Options::load("default", "default", None, env(&[])).unwrap();
        assert_eq!(options.signs, Signs::Ascii);
    }
}
