//! Keys as people write them: `j`, `ctrl-f`, `shift-tab`, and whole runs of them, `/cpu>80<ret>jj<esc>`.

use crate::error::did_you_mean;
use std::fmt;

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A character; letters carry their own case, so shift is never said of them.
    Char(char),
    /// One of the keys with a name.
    Named(Named),
    /// A function key, from 1.
    F(u8),
}

macro_rules! named {
    ($($variant:ident $name:literal $($other:literal)*;)+) => {
        /// A key that writes no character.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Named { $($variant),+ }

        impl Named {
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            fn parse(word: &str) -> Option<Self> {
                match word { $($name $(| $other)* => Some(Self::$variant),)+ _ => None }
            }
        }

        /// Every name that a key may be called by.
        pub(crate) const KEY_NAMES: &[&str] = &["space", "minus", "ctrl-", "alt-", "shift-", $($name, $($other,)*)+];
    };
}

named! {
    Enter "enter" "ret" "return";
    Esc "esc" "escape";
    Tab "tab";
    Backspace "backspace" "bs";
    Delete "delete" "del";
    Insert "insert" "ins";
    Left "left";
    Right "right";
    Up "up";
    Down "down";
    Home "home";
    End "end";
    PageUp "pageup" "pgup";
    PageDown "pagedown" "pgdn" "pgdown";
}

/// One press: a key and what was held with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// Control was held.
    pub has_ctrl: bool,
    /// Alt (or meta) was held.
    pub has_alt: bool,
    /// Shift was held; only said of keys that write no character.
    pub has_shift: bool,
}

impl Chord {
    /// A key alone.
    pub fn plain(key: Key) -> Self {
        Self { key, has_ctrl: false, has_alt: false, has_shift: false }
    }

    /// A key with what was held with it. A letter takes shift into its case, and loses its case to control,
    /// because terminals cannot tell the two apart.
    pub(super) fn held(key: Key, has_ctrl: bool, has_alt: bool, has_shift: bool) -> Self {
        let key = match key {
            Key::Char(c) if has_ctrl => Key::Char(c.to_ascii_lowercase()),
            Key::Char(c) if has_shift => Key::Char(c.to_ascii_uppercase()),
            key => key,
        };
        Self { key, has_ctrl, has_alt, has_shift: has_shift && !matches!(key, Key::Char(_)) }
    }

    /// Reads one chord, `ctrl-f`; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chord = Self::plain(Key::Char(' '));
        let mut rest = text;
        loop {
            let (held, tail) = match rest.split_once('-') {
                Some((held, tail)) if !tail.is_empty() && !held.is_empty() => (held, tail),
                _ => break,
            };
            match held {
                "ctrl" | "c" => chord.has_ctrl = true,
                "alt" | "a" | "meta" => chord.has_alt = true,
                "shift" | "s" => chord.has_shift = true,
                _ => return Err(format!("no modifier named `{held}`: write ctrl-, alt- or shift-")),
            }
            rest = tail;
        }
        let mut chars = rest.chars();
        chord.key = match (chars.next(), chars.next()) {
            (None, _) => return Err("an empty key".into()),
            (Some(c), None) => Key::Char(c),
            _ => match rest {
                "space" => Key::Char(' '),
                "minus" => Key::Char('-'),
                "lt" => Key::Char('<'),
                "gt" => Key::Char('>'),
                _ => match rest.strip_prefix('f').and_then(|n| n.parse().ok()) {
                    Some(n @ 1..=24) => Key::F(n),
                    _ => Key::Named(Named::parse(rest).ok_or_else(|| format!("no key named `{rest}`"))?),
                },
            },
        };
        if let Key::Char(c) = chord.key {
            if chord.has_shift && c.is_ascii_alphabetic() {
                chord.key = Key::Char(c.to_ascii_uppercase());
            } else if chord.has_shift {
                return Err(format!("shift with `{c}` is another character: write that character"));
            }
            if chord.has_ctrl && c.is_ascii_uppercase() {
                return Err(format!("terminals cannot tell ctrl-{c} from ctrl-{}", c.to_ascii_lowercase()));
            }
            chord.has_shift = false;
        }
        Ok(chord)
    }

    /// The character that it writes into a line, if it writes one.
    pub fn typed(self) -> Option<char> {
        match self.key {
            Key::Char(c) if !self.has_ctrl && !self.has_alt && !c.is_control() => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_ctrl {
            f.write_str("ctrl-")?;
        }
        if self.has_alt {
            f.write_str("alt-")?;
        }
        if self.has_shift {
            f.write_str("shift-")?;
        }
        match self.key {
            Key::Char(' ') => f.write_str("space"),
            Key::Char(c) => write!(f, "{c}"),
            Key::F(n) => write!(f, "f{n}"),
            Key::Named(named) => f.write_str(named.word()),
        }
    }
}

/// Keys to be pressed one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<Chord>);

impl std::str::FromStr for Keys {
    type Err = String;

    /// Reads a run of keys as text: `/cpu>80<ret>jj<esc>`. Every name that no key has is told; a `<` that begins no
    /// name stands for itself.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults: Vec<String> = Vec::new();
        let keys = read_keys(text, |name, why| {
            let last = name.rsplit('-').next().unwrap_or(name);
            let held = name.strip_suffix(last).unwrap_or_default();
            let keys =
                KEY_NAMES.iter().copied().filter(|key| !key.ends_with('-') && Chord::parse(last).is_err());
            let near = did_you_mean(last, keys);
            let hint = near.map_or_else(String::new, |near| format!(", did you mean `<{held}{near}>`?"));
            faults.push(format!("`<{name}>`: {why}{hint}"));
        });
        if faults.is_empty() {
            return Ok(Self(keys));
        }
        Err(format!("{} (a `<` that is meant to be typed is written `<lt>`)", faults.join("; ")))
    }
}

/// Reads a run of keys as text, as `Keys` does; a name that no key has is typed letter by letter.
pub fn parse_keys(text: &str) -> Vec<Chord> {
    read_keys(text, |_, _| ())
}

/// Reads a run of keys; tells of what looks like the name of a key and is none.
fn read_keys(text: &str, mut unknown: impl FnMut(&str, String)) -> Vec<Chord> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let name = rest
            .strip_prefix('<')
            .and_then(|tail| tail.split_once('>'))
            .filter(|(name, _)| name.chars().count() > 1 && !name.contains(['<', ' ']));
        match name.map(|(name, tail)| (Chord::parse(name), name, tail)) {
            Some((Ok(chord), _, tail)) => {
                keys.push(chord);
                rest = tail;
                continue;
            }
            Some((Err(why), name, _)) if is_like_a_name(name) => unknown(name, why),
            _ => {}
        }
        keys.push(Chord::plain(Key::Char(c)));
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    keys
}

/// Names of keys are words, and those of function keys end in a number.
fn is_like_a_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Reads a sequence as keymaps write it: chords with spaces between, `g i`.
pub(crate) fn parse_sequence(text: &str) -> Result<Vec<Chord>, String> {
    let chords: Vec<_> = text.split_whitespace().map(Chord::parse).collect::<Result<_, _>>()?;
    if chords.is_empty() {
        return Err("an empty key: write `space` for the space bar".into());
    }
    Ok(chords)
}

/// A sequence as keymaps write it.
pub(crate) fn show_sequence(chords: &[Chord]) -> String {
    chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_read_back_what_they_write() {
        for text in
            ["j", "G", "ctrl-f", "alt-x", "shift-tab", "space", "f5", "-", "ctrl--", "pageup", "<", ":"]
        {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text, "{text}");
        }
        assert_eq!(Chord::parse("ret").unwrap().to_string(), "enter");
        assert_eq!(Chord::parse("shift-g").unwrap().to_string(), "G");
    }

    #[test]
    fn bad_chords_say_why() {
        assert_eq!(
            Chord::parse("hyper-x").unwrap_err(),
            "no modifier named `hyper`: write ctrl-, alt- or shift-"
        );
        assert_eq!(Chord::parse("entr").unwrap_err(), "no key named `entr`");
        assert!(Chord::parse("ctrl-G").unwrap_err().contains("cannot tell"));
        assert!(Chord::parse("").is_err());
    }

    #[test]
    fn a_run_of_keys_reads_names_and_leaves_lone_brackets() {
        let shown = |text: &str| parse_keys(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown("/a<2h<ret>"), ["/", "a", "<", "2", "h", "enter"]);
        assert_eq!(shown("<ctrl-w>x<esc>"), ["ctrl-w", "x", "esc"]);
        assert_eq!(shown("a<b>"), ["a", "<", "b", ">"]);
    }

    #[test]
    fn every_name_that_no_key_has_is_told_with_the_nearest() {
        let read = |text: &str| text.parse::<Keys>();
        assert_eq!(read("/a<2h<ret>"), Ok(Keys(parse_keys("/a<2h<ret>"))));
        for typed in ["/age<1h", "/age<lt>1h<ret>", "a<b>", "/a<1 b>2", "/cpu<80 mem>5", "<", "<>", "/a<-1>"]
        {
            assert!(read(typed).is_ok(), "{typed}: {:?}", read(typed));
        }
        let why = read("2<retrun>jj<crtl-w><f99>").unwrap_err();
        let wanted = "`<retrun>`: no key named `retrun`, did you mean `<return>`?; `<crtl-w>`: no modifier named `crtl`";
        assert!(why.starts_with(wanted), "{why}");
        assert!(why.contains("`<f99>`: no key named `f99`") && why.contains("is written `<lt>`"), "{why}");
    }
}
