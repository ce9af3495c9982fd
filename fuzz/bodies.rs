//! What each fuzz target does with its bytes. The fuzzers below `fuzz_targets/` call these, and so does the
//! normal suite (`tests/it/fuzz.rs`), with the kept corpus and with random input.
//!
//! Each holds more than that nothing panics: what was read must read back, faults must have places, and bytes
//! must mean the same in whatever pieces they come.

use coredeck::query::{Kind, Query};
use coredeck::tui::chord::parse_keys;
use coredeck::tui::decode::Decoder;
use coredeck::tui::fault::Fault;
use coredeck::tui::keymap::Keymap;
use coredeck::tui::saved::Views;
use coredeck::tui::theme::{Depth, Role, Theme};
use std::path::Path;

/// What a target is called, and what it does.
pub(crate) type Body = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const BODIES: [Body; 6] = [
    ("input", input),
    ("query", query),
    ("keymap", keymap),
    ("theme", theme),
    ("config", config),
    ("views", views),
];

/// Bytes as a terminal sends them: keys, mouse, pastes and answers.
pub(crate) fn input(bytes: &[u8]) {
    let mut whole = Decoder::default();
    let mut heard = whole.feed(bytes);
    let mut cut = Decoder::default();
    let mut pieces: Vec<_> = bytes.chunks(3).flat_map(|piece| cut.feed(piece)).collect();
    assert_eq!(heard, pieces, "in pieces");
    heard.extend(whole.give_up());
    pieces.extend(cut.give_up());
    assert_eq!(heard, pieces, "given up");
    // Keys as people write them, in scripts.
    for chord in parse_keys(&String::from_utf8_lossy(bytes)) {
        let written = chord.to_string();
        assert!(!written.is_empty());
    }
}

/// A filter, for every kind of row.
pub(crate) fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in Kind::ALL {
        if let Err(faults) = Query::parse(text, kind) {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(fault.span.start <= fault.span.end && fault.span.end <= text.len(), "{fault:?}");
                assert!(text.is_char_boundary(fault.span.start), "{fault:?}");
            }
        }
    }
}

/// A keymap file. One that is good reads back from what it comes to.
pub(crate) fn keymap(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Keymap::parse("fuzz.toml", text) {
        Ok(keymap) => {
            let written = keymap.to_toml("fuzz");
            assert_eq!(Keymap::parse("written.toml", &written).as_ref(), Ok(&keymap), "{written}");
        }
        Err(faults) => placed(text, &faults),
    }
}

/// A theme file, in every number of colours.
pub(crate) fn theme(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Theme::parse("fuzz.toml", text) {
        Ok(theme) => {
            for depth in [Depth::None, Depth::Sixteen, Depth::Many, Depth::True] {
                let theme = theme.clone().at(depth);
                Role::ALL.iter().for_each(|role| assert!(theme.escape(*role).ends_with('m')));
                assert!(depth != Depth::None || !theme.has_colour());
            }
        }
        Err(faults) => placed(text, &faults),
    }
}

/// A configuration.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let profiles = ["default".to_owned(), "prod".to_owned()];
    match coredeck::config::check_text(Path::new("fuzz.toml"), text, &profiles) {
        Ok(warnings) => drop(warnings.iter().map(ToString::to_string).collect::<Vec<_>>()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A file of kept views. One that is good reads back as it was.
pub(crate) fn views(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Views::parse("fuzz.toml", text) {
        Ok(views) => {
            let written = views.to_toml();
            assert_eq!(Views::parse("written.toml", &written).as_ref(), Ok(&views), "{written}");
        }
        Err(faults) => placed(text, &faults),
    }
}

/// Every fault has a place within the text.
fn placed(text: &str, faults: &[Fault]) {
    assert!(!faults.is_empty());
    let lines = text.matches('\n').count() + 1;
    for fault in faults.iter().filter(|fault| fault.file == "fuzz.toml") {
        assert!((1..=lines).contains(&fault.line) && fault.column >= 1, "{fault}");
    }
}
