//! How the screen looks and listens here: theme, keymap, signs and colours, from names and the environment.

use super::fault::Fault;
use super::keymap::{self, Keymap};
use super::signs::Signs;
use super::theme::{self, Depth, Theme};
use crate::clock::Clock;
use crate::error::{Error, Result};
use std::path::Path;

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
}

impl Options {
    /// Loads a theme and a keymap by name: `<folder>/themes/<name>.toml` and `<folder>/keymaps/<name>.toml`
    /// where they exist, or else those that come with the program. `default` as a theme picks one that fits
    /// the terminal. Every fault of both files is in the error's hints.
    pub fn load(
        theme: &str,
        keymap: &str,
        folder: Option<&Path>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let depth = depth(&env);
        let theme = if theme == "default" { usual_theme(depth, &env) } else { theme };
        let mut faults = Vec::new();
        let themes = theme::SHIPPED.iter().map(|(name, _)| *name);
        let theme = match file(folder, "themes", theme)? {
            Some((file, text)) => Theme::parse(&file, &text),
            None => Theme::shipped(theme).map_err(|found| named(found, "theme", themes)),
        };
        let keymaps = keymap::SHIPPED.iter().map(|(name, _)| *name);
        let keymap = match file(folder, "keymaps", keymap)? {
            Some((file, text)) => Keymap::parse(&file, &text),
            None => Keymap::shipped(keymap).map_err(|found| named(found, "keymap", keymaps)),
        };
        let mut keep = |found: Vec<Fault>| faults.extend(found.iter().map(ToString::to_string));
        let theme = theme.map_err(&mut keep);
        let keymap = keymap.map_err(&mut keep);
        let (Ok(theme), Ok(keymap)) = (theme, keymap) else {
            let mut error = Error::usage("the theme or the keymap cannot be used");
            error.hints = faults;
            return Err(error);
        };
        let get = |name: &str| env(name);
        let signs =
            Signs::of_locale(get("LC_ALL").as_deref(), get("LC_CTYPE").as_deref(), get("LANG").as_deref());
        Ok(Self { theme: theme.at(depth), keymap, signs, clock: Clock::Real })
    }
}

/// What a name that is no file's means: nothing has a line or a column then.
fn named<'a>(mut found: Vec<Fault>, what: &str, names: impl Iterator<Item = &'a str>) -> Vec<Fault> {
    if let [fault] = found.as_mut_slice()
        && fault.hint.is_none()
    {
        fault.hint = Some(format!("{what}s are {}", names.collect::<Vec<_>>().join(", ")));
    }
    found
}

/// A file of the user's own, by name.
fn file(folder: Option<&Path>, below: &str, name: &str) -> Result<Option<(String, String)>> {
    let Some(folder) = folder.filter(|_| !name.contains(['/', '\\'])) else { return Ok(None) };
    let path = folder.join(below).join(format!("{name}.toml"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path.display().to_string(), text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::failed(format!("{} cannot be read", path.display())).because(error)),
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

/// The theme for a terminal that nobody said anything about. `COLORFGBG`, where a terminal sets it, ends in
/// the number of its background colour.
fn usual_theme(depth: Depth, env: &impl Fn(&str) -> Option<String>) -> &'static str {
    let background: Option<u8> =
        env("COLORFGBG").and_then(|value| value.rsplit(';').next().and_then(|number| number.parse().ok()));
    match (depth, background) {
        (Depth::Sixteen, _) => "ansi16",
        (_, Some(7 | 9..=15)) => "light",
        _ => "dark",
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
        assert_eq!(usual_theme(Depth::Many, &env(&[("COLORFGBG", "0;15")])), "light");
        assert_eq!(usual_theme(Depth::Many, &env(&[("COLORFGBG", "15;0")])), "dark");
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
        assert!(error.hints[0].contains("themes are dark, light"), "{:?}", error.hints);
    }

    #[test]
    fn a_bare_environment_still_gives_a_screen() {
        let options = Options::load("default", "default", None, env(&[])).unwrap();
        assert_eq!(options.signs, Signs::Ascii);
    }
}
