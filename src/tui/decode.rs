//! What a terminal sends, byte by byte, as what it means: keys, pasted text, the mouse, focus and answers.
//!
//! Sequences are taken by the grammar of ECMA-48, so that one nobody knows is skipped whole and nothing
//! can get stuck; whatever comes, there is no panic. A lone escape is a key only once nothing follows it:
//! whoever reads waits a moment and then says `give_up`.

use super::chord::{Chord, Key, Named};

/// What was heard from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A key was pressed.
    Key(Chord),
    /// Text was pasted.
    Paste(String),
    /// A button of the mouse or its wheel.
    Mouse(Mouse),
    /// The window of the terminal has the focus, or lost it.
    Focus(bool),
    /// The background's colour, as was asked for.
    Background([u8; 3]),
    /// What the terminal says it is: it answers everything that was asked before.
    Attributes,
}

/// Something the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What it did.
    pub what: Button,
    /// The column, from 0.
    pub x: u16,
    /// The row, from 0.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// The left button went down.
    Left,
    /// The middle button went down.
    Middle,
    /// The right button went down.
    Right,
    /// One step of the wheel, away from the person.
    WheelUp,
    /// One step of the wheel, towards the person.
    WheelDown,
}

/// The most bytes of a control sequence that are kept; longer ones are skipped.
const LONGEST: usize = 64;
/// The most bytes of an operating system command that are kept.
const LONGEST_COMMAND: usize = 256;
/// The most bytes of one paste.
const LONGEST_PASTE: usize = 1 << 20;
/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Where in a sequence the decoder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// After escape.
    Escape,
    /// In a character of so many more bytes.
    Utf8 {
        missing: usize,
        has_alt: bool,
    },
    /// After `ESC [`.
    Control,
    /// After `ESC O`.
    Shift,
    /// After `ESC [ [`: the function keys of the Linux console.
    Linux,
    /// The three bytes of an old mouse report.
    OldMouse,
    /// After `ESC ]`.
    Command,
    /// Within a string that means nothing here.
    Skipped,
    /// After an escape within one of the two before; true for a command.
    End(bool),
    Paste,
}

/// Takes bytes in and tells what they mean.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    kept: Vec<u8>,
    heard: Vec<Heard>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::Ground, kept: Vec::new(), heard: Vec::new() }
    }
}

impl Decoder {
    /// Takes bytes in, in whatever pieces they come, and returns what is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Heard> {
        for byte in bytes {
            self.byte(*byte);
        }
        std::mem::take(&mut self.heard)
    }

    /// Tells whether a sequence was begun that may as well be a key by itself.
    pub fn waits(&self) -> bool {
        matches!(
            self.state,
            State::Escape
                | State::Shift
                | State::Control
                | State::Linux
                | State::OldMouse
                | State::Command
                | State::Skipped
                | State::Utf8 { .. }
                | State::End(_)
        )
    }

    /// Nothing followed for a while: what was begun is what it is by itself.
    pub fn give_up(&mut self) -> Vec<Heard> {
        let kept = std::mem::take(&mut self.kept);
        let alone = match (std::mem::replace(&mut self.state, State::Ground), kept.as_slice()) {
            (State::Escape, _) => Some(Chord::plain(Key::Named(Named::Esc))),
            (State::Shift, _) => Some(alt('O')),
            (State::Control, []) => Some(alt('[')),
            (State::Command, []) => Some(alt(']')),
            (State::Skipped, [begin]) => Some(alt(char::from(*begin))),
            _ => None,
        };
        self.heard.extend(alone.map(Heard::Key));
        std::mem::take(&mut self.heard)
    }

    fn to(&mut self, state: State) {
        self.state = state;
        self.kept.clear();
    }

    fn key(&mut self, chord: Chord) {
        self.heard.push(Heard::Key(chord));
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.ground(byte, false),
            State::Escape => self.escape(byte),
            State::Utf8 { missing, has_alt } => self.utf8(byte, missing, has_alt),
            State::Control => self.control(byte),
            State::Shift => {
                self.to(State::Ground);
                match byte {
                    0x1b => self.to(State::Escape),
                    b'M' => self.key(Chord::plain(Key::Named(Named::Enter))),
                    // The keypad in application mode sends its digits and signs so.
                    b'j'..=b'y' => self.key(Chord::plain(Key::Char(char::from(byte - 0x40)))),
                    _ => self.heard.extend(letter_key(byte).map(Chord::plain).map(Heard::Key)),
                }
            }
            State::Linux => {
                self.to(State::Ground);
                match byte {
                    0x1b => self.to(State::Escape),
                    b'A'..=b'E' => self.key(Chord::plain(Key::F(byte - b'A' + 1))),
                    _ => {}
                }
            }
            State::OldMouse => {
                self.kept.push(byte);
                if let [button, x, y] = self.kept.as_slice() {
                    let at = |byte: &u8| u16::from(byte.saturating_sub(33));
                    let mouse = button.checked_sub(32).and_then(|code| mouse(u16::from(code), at(x), at(y)));
                    self.heard.extend(mouse.map(Heard::Mouse));
                    self.to(State::Ground);
                }
            }
            State::Command | State::Skipped => self.string(byte),
            State::End(is_command) => {
                if byte != b'\\' {
                    // No end after all: the string is given up, and the escape begins something new.
                    self.to(State::Escape);
                    self.byte(byte);
                } else {
                    self.end_string(is_command);
                }
            }
            State::Paste => {
                self.kept.push(byte);
                if self.kept.ends_with(PASTE_END) {
                    let length = (self.kept.len() - PASTE_END.len()).min(LONGEST_PASTE);
                    let text = self.kept.get(..length).unwrap_or_default();
                    self.heard.push(Heard::Paste(String::from_utf8_lossy(text).into_owned()));
                    self.to(State::Ground);
                } else if self.kept.len() > LONGEST_PASTE + PASTE_END.len() {
                    // The rest is dropped, its end still waited for.
                    self.kept.remove(LONGEST_PASTE);
                }
            }
        }
    }

    fn ground(&mut self, byte: u8, has_alt: bool) {
        let missing = match byte {
            0x1b => return self.to(State::Escape),
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            0x80.. => return self.to(State::Ground),
            _ => 0,
        };
        if missing > 0 {
            self.to(State::Utf8 { missing, has_alt });
            self.kept.push(byte);
            return;
        }
        self.to(State::Ground);
        self.key(Chord { has_alt, ..plain(byte) });
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            0x1b => self.key(Chord::plain(Key::Named(Named::Esc))),
            b'[' => self.to(State::Control),
            b'O' => self.to(State::Shift),
            b']' => self.to(State::Command),
            b'P' | b'X' | b'^' | b'_' => {
                self.to(State::Skipped);
                self.kept.push(byte);
            }
            _ => self.ground(byte, true),
        }
    }

    fn utf8(&mut self, byte: u8, missing: usize, has_alt: bool) {
        if !matches!(byte, 0x80..=0xbf) {
            // Half a character is nothing; what comes now is something else.
            self.to(State::Ground);
            return self.byte(byte);
        }
        self.kept.push(byte);
        if missing > 1 {
            self.state = State::Utf8 { missing: missing - 1, has_alt };
            return;
        }
        let typed = std::str::from_utf8(&self.kept).ok().and_then(|text| text.chars().next());
        self.to(State::Ground);
        if let Some(c) = typed.filter(|c| !c.is_control()) {
            self.key(Chord { has_alt, ..Chord::plain(Key::Char(c)) });
        }
    }

    fn control(&mut self, byte: u8) {
        match byte {
            0x1b => self.to(State::Escape),
            0x20..=0x3f => {
                if self.kept.len() <= LONGEST {
                    self.kept.push(byte);
                }
            }
            b'[' if self.kept.is_empty() => self.to(State::Linux),
            b'M' if self.kept.is_empty() => self.to(State::OldMouse),
            b'~' if self.kept == b"200" => self.to(State::Paste),
            0x40..=0x7e => {
                let kept = std::mem::take(&mut self.kept);
                self.to(State::Ground);
                if kept.len() <= LONGEST {
                    self.heard.extend(sequence(&kept, byte));
                }
            }
            _ => self.to(State::Ground),
        }
    }

    fn string(&mut self, byte: u8) {
        let is_command = self.state == State::Command;
        match byte {
            0x07 => self.end_string(is_command),
            0x1b => self.state = State::End(is_command),
            _ if self.kept.len() <= LONGEST_COMMAND => self.kept.push(byte),
            _ => {}
        }
    }

    fn end_string(&mut self, is_command: bool) {
        if is_command && self.kept.len() <= LONGEST_COMMAND {
            self.heard.extend(background(&self.kept).map(Heard::Background));
        }
        self.to(State::Ground);
    }
}

fn alt(c: char) -> Chord {
    Chord { has_alt: true, ..Chord::plain(Key::Char(c)) }
}

/// A key that is one byte of ASCII.
fn plain(byte: u8) -> Chord {
    let ctrl = |c: u8| Chord { has_ctrl: true, ..Chord::plain(Key::Char(char::from(c))) };
    match byte {
        b'\r' => Chord::plain(Key::Named(Named::Enter)),
        b'\t' => Chord::plain(Key::Named(Named::Tab)),
        0x7f => Chord::plain(Key::Named(Named::Backspace)),
        0 => ctrl(b' '),
        0x01..=0x1a => ctrl(byte - 1 + b'a'),
        0x1c..=0x1f => ctrl(byte + 0x40),
        _ => Chord::plain(Key::Char(char::from(byte))),
    }
}

/// The keys that end in a letter.
fn letter_key(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Named(Named::Up),
        b'B' => Key::Named(Named::Down),
        b'C' => Key::Named(Named::Right),
        b'D' => Key::Named(Named::Left),
        b'F' => Key::Named(Named::End),
        b'H' => Key::Named(Named::Home),
        b'P'..=b'S' => Key::F(last - b'P' + 1),
        _ => return None,
    })
}

/// The keys that end in `~`.
fn numbered_key(number: u16) -> Option<Key> {
    let f = |n: u16| u8::try_from(n).ok().map(Key::F);
    match number {
        1 | 7 => Some(Key::Named(Named::Home)),
        2 => Some(Key::Named(Named::Insert)),
        3 => Some(Key::Named(Named::Delete)),
        4 | 8 => Some(Key::Named(Named::End)),
        5 => Some(Key::Named(Named::PageUp)),
        6 => Some(Key::Named(Named::PageDown)),
        11..=15 => f(number - 10),
        17..=21 => f(number - 11),
        23..=26 => f(number - 12),
        28 | 29 => f(number - 15),
        31..=34 => f(number - 17),
        _ => None,
    }
}

/// A key that is told by its character's number.
fn coded_key(code: u32) -> Option<Key> {
    Some(match code {
        9 => Key::Named(Named::Tab),
        13 | 57414 => Key::Named(Named::Enter),
        27 => Key::Named(Named::Esc),
        8 | 127 => Key::Named(Named::Backspace),
        57399..=57408 => Key::Char(char::from_u32(code - 57399 + 48)?),
        _ => Key::Char(
            char::from_u32(code).filter(|c| !c.is_control() && !('\u{e000}'..='\u{f8ff}').contains(c))?,
        ),
    })
}

/// A whole control sequence: its parameters and its last byte.
fn sequence(kept: &[u8], last: u8) -> Option<Heard> {
    let text = std::str::from_utf8(kept).ok()?;
    match (text.chars().next(), last) {
        (Some('<'), b'M') => {
            let mut numbers = text.get(1..)?.split(';').map(str::parse::<u16>);
            let (code, x, y) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
            return mouse(code, x.saturating_sub(1), y.saturating_sub(1)).map(Heard::Mouse);
        }
        (Some('?'), b'c') => return Some(Heard::Attributes),
        (Some('<' | '=' | '>' | '?'), _) => return None,
        (None, b'I' | b'O') => return Some(Heard::Focus(last == b'I')),
        (None, b'Z') => {
            return Some(Heard::Key(Chord { has_shift: true, ..Chord::plain(Key::Named(Named::Tab)) }));
        }
        _ => {}
    }
    let part = |nth: usize| text.split(';').nth(nth).unwrap_or_default();
    let number = |nth: usize| part(nth).split(':').next().and_then(|digits| digits.parse::<u16>().ok());
    let (key, held) = match (last, number(0)) {
        // As xterm tells keys that have no code of their own: `27;modifiers;character~`.
        (b'~', Some(27)) => (coded_key(part(2).parse().ok()?)?, 1),
        (b'~', Some(number)) => (numbered_key(number)?, 1),
        (b'u', _) => (coded_key(part(0).split(':').next()?.parse().ok()?)?, 1),
        _ => (letter_key(last)?, 1),
    };
    // The end of a press is no key.
    if part(held).split(':').nth(1) == Some("3") {
        return None;
    }
    let held = number(held).unwrap_or(1).saturating_sub(1);
    Some(Heard::Key(Chord::held(key, held & 4 != 0, held & (2 | 32) != 0, held & 1 != 0)))
}

/// The number of a mouse report: two bits for the button, then shift, alt, control, moving, and the wheel.
fn mouse(code: u16, x: u16, y: u16) -> Option<Mouse> {
    let what = match code & !0b1_1100 {
        0 => Button::Left,
        1 => Button::Middle,
        2 => Button::Right,
        64 => Button::WheelUp,
        65 => Button::WheelDown,
        _ => return None,
    };
    Some(Mouse { what, x, y })
}

/// `11;rgb:ffff/ffff/ffff`: the colour of the background, each part in one to four hexadecimal digits.
fn background(kept: &[u8]) -> Option<[u8; 3]> {
    let text = std::str::from_utf8(kept).ok()?.strip_prefix("11;")?;
    let parts = text.strip_prefix("rgb:").or_else(|| text.strip_prefix("rgba:"))?;
    let mut parts = parts.split('/').map(|digits| {
        let is_plain = matches!(digits.len(), 1..=4) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| is_plain)?;
        let most = 16_u32.pow(u32::try_from(digits.len()).ok()?) - 1;
        u8::try_from(value * 255 / most).ok()
    });
    Some([parts.next()??, parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every event in words, however the bytes are cut into pieces.
    fn shown(bytes: &[u8]) -> Vec<String> {
        let say = |heard: Vec<Heard>| {
            heard.into_iter().map(|heard| match heard {
                Heard::Key(chord) => chord.to_string(),
                other => format!("{other:?}"),
            })
        };
        let mut whole = Decoder::default();
        let mut said: Vec<String> = say(whole.feed(bytes)).collect();
        if whole.waits() {
            said.extend(say(whole.give_up()));
        }
        let mut single = Decoder::default();
        let mut again: Vec<String> =
            bytes.iter().flat_map(|byte| say(single.feed(&[*byte])).collect::<Vec<_>>()).collect();
        if single.waits() {
            again.extend(say(single.give_up()));
        }
        assert_eq!(said, again, "in pieces");
        said
    }

    #[test]
    fn keys_are_what_terminals_send_for_them() {
        for (bytes, wanted) in [
            (&b"jG \r\t\x7f\x08"[..], &["j", "G", "space", "enter", "tab", "backspace", "ctrl-h"][..]),
            (b"\x01\x1a\x00\x1f", &["ctrl-a", "ctrl-z", "ctrl-space", "ctrl-_"]),
            (b"\x1b", &["esc"]),
            (b"\x1b\x1b[A", &["esc", "up"]),
            (b"\x1bx\x1b[Z\x1bOP\x1b[[B", &["alt-x", "shift-tab", "f1", "f2"]),
            (b"\x1b\x7f\x1b\r\x1b/", &["alt-backspace", "alt-enter", "alt-/"]),
            (
                b"\x1b[1;5C\x1b[3~\x1b[5;2~\x1b[15~\x1b[24~",
                &["ctrl-right", "delete", "shift-pageup", "f5", "f12"],
            ),
            (b"\x1b[97;5u\x1b[27;5;105~\x1b[97;1:3u\x1b[65;2u", &["ctrl-a", "ctrl-i", "A"]),
            ("é日\u{1f600}".as_bytes(), &["é", "日", "😀"]),
            (b"\xc3\xff\x80a", &["a"]),
            (b"\x1b[", &["alt-["]),
            (b"\x1bP", &["alt-P"]),
            (b"\x1bO", &["alt-O"]),
            // Unknown sequences are skipped whole, and the next key is heard.
            (b"\x1b[?1;2$yq\x1b[>41;354;0cq\x1bP1$r0m\x1b\\q\x1b]0;title\x07q", &["q", "q", "q", "q"]),
            (b"\x1b[12\x1b[Bq", &["down", "q"]),
        ] {
            assert_eq!(shown(bytes), wanted, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn the_mouse_focus_paste_and_answers_are_told() {
        let mouse = |what, x, y| Heard::Mouse(Mouse { what, x, y });
        let mut decoder = Decoder::default();
        assert_eq!(
            decoder.feed(b"\x1b[<0;5;3M\x1b[<0;5;3m\x1b[<65;1;1M"),
            [mouse(Button::Left, 4, 2), mouse(Button::WheelDown, 0, 0)]
        );
        assert_eq!(decoder.feed(b"\x1b[M !!\x1b[<35;5;3M"), [mouse(Button::Left, 0, 0)]);
        assert_eq!(decoder.feed(b"\x1b[I\x1b[O"), [Heard::Focus(true), Heard::Focus(false)]);
        assert_eq!(decoder.feed(b"\x1b[200~a\x1b[Ab\n\x1b[201~q")[0], Heard::Paste("a\u{1b}[Ab\n".into()));
        assert_eq!(
            decoder.feed(b"\x1b]11;rgb:ffff/8080/0000\x1b\\\x1b]11;rgb:f/8/0\x07\x1b[?64;1;2c"),
            [Heard::Background([255, 128, 0]), Heard::Background([255, 136, 0]), Heard::Attributes]
        );
        assert_eq!(decoder.feed(b"\x1b]11;rgb:12345/0/0\x07\x1b]11;?\x07\x1b]11;rgb:+1/0/0\x07"), []);
        assert!(!decoder.waits());
    }

    #[test]
    fn what_is_too_long_is_dropped_and_not_kept() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(&[b"\x1b[", "1;".repeat(500).as_bytes(), b"A"].concat()), []);
        assert_eq!(decoder.feed(&[b"\x1b]11;", "x".repeat(5000).as_bytes(), b"\x07"].concat()), []);
        decoder.feed(b"\x1b[200~");
        decoder.feed("x".repeat(LONGEST_PASTE + 9).as_bytes());
        let heard = decoder.feed(PASTE_END);
        assert!(matches!(&heard[..], [Heard::Paste(text)] if text.len() == LONGEST_PASTE));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_mean_the_same(
            pieces in prop::collection::vec(prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(b"\x1b[]O<;0125~uMPc\\".to_vec())], 0..12), 0..12)
        ) {
            let all = pieces.concat();
            let mut whole = Decoder::default();
            let mut cut = Decoder::default();
            let in_pieces: Vec<Heard> = pieces.iter().flat_map(|piece| cut.feed(piece)).collect();
            prop_assert_eq!(whole.feed(&all), in_pieces);
            // Nothing gets stuck: after the ends of paste and strings, a key is a key.
            cut.feed(b"\x1b\\\x1b[201~");
            cut.give_up();
            prop_assert_eq!(cut.feed(b"q").last().cloned(), Some(Heard::Key(Chord::parse("q").unwrap())));
        }
    }
}
