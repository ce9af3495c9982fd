//! Any keys on any size: no panic, and the screen never writes outside itself.

use super::fleet;
use coredeck::tui::Input;
use coredeck::tui::headless::Headless;
use coredeck::tui::painter::Painter;
use coredeck::tui::screen::wake_at;
use proptest::prelude::*;

/// Keys that lead somewhere, more often than those that do not.
fn keys() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "g",
        "j",
        "k",
        "G",
        "<pgdn>",
        "<pgup>",
        "<ctrl-u>",
        "<home>",
        "<ret>",
        "<esc>",
        "d",
        "?",
        "!",
        ":",
        "/",
        "s",
        "S",
        "w",
        "m",
        "<left>",
        "<right>",
        "<tab>",
        "<shift-tab>",
        "<bs>",
        "<ctrl-w>",
        "<up>",
        "<down>",
        "r",
        "c",
        "]",
        "o",
        "v",
        "J",
        " ",
        "V",
        "*",
        "u",
        "b",
        "z",
        "Z",
        "C",
        "0",
        "group zone",
        "cpu>80",
        "type:t3",
        "sort name",
        "日本",
        "\u{301}",
        "(",
        "\"",
    ]);
    prop::collection::vec(known, 0..25).prop_map(|keys| keys.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_and_no_size_make_it_panic(
        keys in keys(), width in 0u16..=300, height in 0u16..=100, again in (0u16..=300, 0u16..=100), empties in any::<bool>()
    ) {
        let mut screen = Headless::new(fleet::full(), (width, height));
        let mut painter = Painter::new(false);
        screen.keys(&keys);
        let frame = screen.frame();
        prop_assert_eq!((frame.cells.area.width, frame.cells.area.height), (width, height));
        painter.paint(&frame.cells, frame.cursor);
        if let Some(cursor) = frame.cursor {
            prop_assert!(cursor.x < width && cursor.y < height);
        }
        // The world may change under every page, to nothing at all.
        if empties {
            screen.input(Input::World(fleet::world(vec![])));
        }
        screen.input(Input::Resize(again.0, again.1));
        screen.keys("jj<ret>");
        let frame = screen.frame();
        painter.paint(&frame.cells, frame.cursor);
        prop_assert!(painter.paint(&frame.cells, frame.cursor).is_empty());
        prop_assert!(wake_at(&screen.ui).is_none_or(|at| at > fleet::now()));
    }
}
