//! The real program in a real terminal: keys, resizing, leaving, signals and panics, and the terminal given back.

use super::fleet;
use crate::pty::{Terminal, demo};
use coredeck::clock::Clock;
use coredeck::tui::keymap::Keymap;
use coredeck::tui::signs::Signs;
use coredeck::tui::theme::Theme;
use coredeck::tui::{About, Options};
use portable_pty::CommandBuilder;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Set for the program under test where it must panic.
const PANIC: &str = "COREDECK_TEST_SCREEN_PANIC";

#[test]
fn one_can_walk_filter_resize_and_leave() {
    let mut seat = demo(24, 80);
    for (keys, wanted) in [
        ("2", "instances  7"),
        ("/tier:prod", "/tier:prod"),
        ("\r", "/tier:prod"),
        ("d", "private_ip"),
        ("\u{1b}", "/tier:prod"),
        ("3", "workers-r7g"),
        ("\r", "› group"),
        (":services\r", "auth-core"),
        ("?", "Leave coredeck"),
    ] {
        seat.press(keys);
        seat.wait_for(wanted);
    }
    seat.resize(50, 180);
    // In the same instant.
    seat.press("2");
    seat.wait_for("PRIVATE IP");
    seat.press("q");
    let (status, after) = seat.ended();
    assert!(status.success() && after.is_empty(), "{status:?} {after:?}");
}

#[test]
fn signals_end_it_and_give_the_terminal_back() {
    for name in ["TERM", "HUP", "INT"] {
        let seat = demo(24, 80);
        seat.signal(name);
        let (status, after) = seat.ended();
        assert!(!status.success() && after.contains(&format!("ended by SIG{name}")), "{status:?} {after:?}");
    }
}

#[test]
fn stopped_and_continued_it_draws_again() {
    let mut seat = Terminal::shell(24, 80);
    seat.wait_for("shell>");
    seat.press("coredeck --demo\n");
    seat.wait("the first screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("production")
    });
    seat.press("2");
    seat.wait_for("STATE");
    for _ in 0..3 {
        seat.press("\u{1a}");
        // The terminal is given back before the program stops, and the shell says that it has.
        seat.wait("the shell", |screen| {
            !screen.alternate_screen()
                && screen.contents().contains("Stopped")
                && screen.contents().trim_end().ends_with("shell>")
        });
        seat.press("fg\n");
        seat.wait("the instances again", |screen| {
            screen.alternate_screen() && screen.contents().contains("STATE")
        });
    }
    // In the very moment of the first frame.
    seat.press("q");
    seat.wait("the shell after coredeck", |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("shell>")
    });
    seat.press("exit\n");
    seat.ended();
}

#[test]
fn without_a_shell_to_return_to_it_does_not_stop() {
    let mut seat = demo(24, 80);
    seat.press("\u{1a}");
    seat.wait_for("no shell waits");
    seat.press("q");
    assert!(seat.ended().0.success());
}

/// What a terminal says that is a plain VT220.
const ATTRIBUTES: &str = "\u{1b}[?62;22c";

#[test]
fn a_light_background_and_a_quick_answer_are_taken_in() {
    let mut seat = demo(24, 80);
    seat.wait_written("\u{1b}]11;?");
    let title = |screen: &vt100::Screen| screen.cell(1, 0).map(vt100::Cell::fgcolor);
    let dark = seat.screen(title);
    seat.press(&format!("\u{1b}]11;rgb:ffff/ffff/f0f0\u{1b}\\{ATTRIBUTES}"));
    seat.wait("the colours for a light ground", |screen| title(screen) != dark);
    assert!(!seat.text().contains("11;rgb"), "{}", seat.text());
    seat.press("q");
    assert!(seat.ended().0.success());
}

#[test]
fn a_terminal_that_answers_slowly_gets_less() {
    let mut seat = demo(24, 80);
    let begun = Instant::now();
    // Nothing but what is done anyway: the answer is held back while somebody moves about.
    while begun.elapsed() < Duration::from_millis(400) {
        seat.press("3");
        seat.wait_for("IN SERVICE");
        seat.press("2");
        seat.wait_for("TYPE");
    }
    seat.press(ATTRIBUTES);
    seat.wait_for("ms away");
    seat.press("q");
    assert!(seat.ended().0.success());
}

/// mosh hands on neither what a terminal is nor its background, and takes no clipboard.
#[test]
fn a_terminal_that_answers_nothing_hangs_nothing_and_loses_no_key() {
    let mut seat = Terminal::start(&["--demo"], 24, 80);
    seat.wait_written("\u{1b}]11;?");
    // At once, before anything is read.
    seat.press("2/type:zzz\r:groups\r");
    seat.wait("the groups", |screen| {
        let text = screen.contents();
        text.contains("IN SERVICE") && text.lines().nth(4).is_some_and(|line| !line.trim().is_empty())
    });
    seat.press("jjk");
    seat.wait("the second row under the cursor", |screen| {
        screen.contents().lines().nth(4).is_some_and(|line| line.starts_with('▌'))
    });
    assert!(!seat.text().contains("ms away"), "what never answers is not called slow:\n{}", seat.text());
    // What could be the first byte of an answer is a key, soon.
    seat.press("\u{1b}");
    seat.wait_for("/type:zzz");
    seat.press("3");
    seat.wait_for("IN SERVICE");
    seat.press("y");
    seat.wait_for("sent to the clipboard");
    seat.press("?");
    seat.wait_for("Leave coredeck");
    let begun = Instant::now();
    seat.press("q");
    let (status, after) = seat.ended();
    assert!(status.success() && after.is_empty(), "{status:?} {after:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "it does not wait for an answer for good");
}

#[test]
fn a_terminal_that_cannot_draw_is_left_as_it_is_and_told_what_to_do() {
    for (args, says) in [(&["--demo"][..], "coredeck get KIND"), (&[], "TERM says")] {
        let seat = Terminal::called("dumb", args, 24, 80);
        let (status, said) = seat.ended();
        assert!(!status.success() && said.contains(says), "{status:?} {said:?}");
        assert!(!said.contains('\u{1b}'), "no escape sequence at all: {said:?}");
    }
    // Scripts work there as anywhere, without colours.
    let seat = Terminal::called("dumb", &["--demo", "get", "groups"], 24, 80);
    let (status, said) = seat.ended();
    assert!(status.success() && said.contains("IN SERVICE") && !said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn the_mouse_the_clipboard_and_pasted_text() {
    let mut seat = demo(24, 80);
    let is_ours =
        |screen: &vt100::Screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::PressRelease;
    seat.wait("the mouse is ours", is_ours);
    seat.wait_for("▌ i-");
    seat.press("\u{1b}[<0;5;6M\u{1b}[<0;5;6m");
    seat.wait("the third row", |screen| {
        screen.contents().lines().nth(5).is_some_and(|line| line.starts_with("▌ i-"))
    });
    seat.press("y");
    seat.wait_for("sent to the clipboard: i-");
    assert!(seat.written().contains("\u{1b}]52;c;aS0"), "OSC 52 with an id that begins with i-");
    seat.press("\u{1b}[200~q\n:quit\r\u{1b}[201~");
    seat.wait_for("pasted text is only taken");
    seat.press(",m");
    seat.wait("the mouse is the terminal's", |screen| !is_ours(screen));
    seat.press("q");
    assert!(seat.ended().0.success());
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let mut seat = demo(24, 80);
    for n in 0..60 {
        seat.resize(5 + n % 40, 10 + (n * 37) % 190);
    }
    seat.resize(30, 100);
    seat.press("1");
    seat.wait("the overview at the last size", |screen| {
        let last = screen.rows(0, 100).last();
        screen.contents().contains("production") && last.is_some_and(|row| row.contains("help"))
    });
    seat.press("q");
    assert!(seat.ended().0.success());
}

#[test]
fn looks_change_while_it_runs() {
    let mut seat = demo(24, 80);
    seat.press(":theme dracula\r");
    seat.wait_for("theme dracula");
    seat.press(":theme drakula\r");
    seat.wait_for("did you mean `dracula`?");
    seat.press(":keymap k9s\r");
    seat.wait_for("keymap k9s");
    seat.press("1");
    seat.wait_for("production");
    seat.press(":quit\r");
    assert!(seat.ended().0.success());
}

#[test]
fn a_panic_anywhere_gives_the_terminal_back_and_is_read() {
    if std::env::var_os(PANIC).is_some() {
        panic_with_a_screen();
        return;
    }
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "screen::pty::a_panic_anywhere_gives_the_terminal_back_and_is_read",
        "--nocapture",
    ]);
    command.env(PANIC, "1");
    let (status, after) = Terminal::of(command, None, 24, 80).ended();
    assert!(!status.success(), "{after}");
    assert!(
        after.contains("the collector fell over") && after.contains("a part of coredeck failed"),
        "{after}"
    );
}

/// What the program under test does: a screen, and a task beside it that panics once the screen looks.
fn panic_with_a_screen() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let shown = runtime.block_on(async {
        let (world, seen) = watch::channel(fleet::full());
        let (wishes, mut wished) = mpsc::channel(8);
        let collector = tokio::spawn(async move {
            wished.recv().await;
            let _world = world;
            panic!("the collector fell over");
        });
        let keymap = Keymap::shipped("default").unwrap();
        let options = Options::new(Theme::plain(), keymap, Signs::Unicode, Clock::Fixed(fleet::now()));
        let here = tokio::runtime::Handle::current();
        let shown = coredeck::tui::run(seen, wishes, None, About::default(), options, None, here).await;
        assert!(collector.await.is_err());
        shown
    });
    panic!("{}", shown.unwrap_err());
}
