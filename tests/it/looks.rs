//! `coredeck theme` and `coredeck keymap`, and the screen without a terminal, as the real binary.

use crate::binary::Home;

#[test]
fn themes_and_keymaps_are_listed_shown_checked_and_printed() {
    let home = Home::new();
    let ran = home.run(&["theme", "list"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for name in ["dark", "light", "ansi16", "high-contrast", "colour-blind", "solarized-dark", "nord"] {
        assert!(ran.out.lines().any(|line| line.trim_start().starts_with(name)), "{name}: {}", ran.out);
    }
    assert!(ran.out.contains("in force"), "{}", ran.out);
    let ran = home.run(&["keymap", "show", "emacs"]);
    assert!(ran.out.lines().any(|line| line.contains("alt-x") && line.contains("command")), "{}", ran.out);
    // What is printed may be kept as one's own, and is good.
    for (sort, name) in [("theme", "dark"), ("keymap", "default")] {
        let printed = home.run(&[sort, "print-default"]).out;
        let file = home.write(&format!("config/coredeck/{sort}s/mine.toml"), &printed);
        for what in ["mine", file.to_str().unwrap(), name] {
            let ran = home.run(&[sort, "check", what]);
            assert_eq!((ran.code, ran.err.contains("good")), (Some(0), true), "{ran:?}");
        }
        assert!(home.run(&[sort, "list"]).out.contains("mine"));
    }
    let shown = home.run(&["theme", "show", "mine"]).out;
    let line = |shown: &str, role: &str| shown.lines().find(|line| line.starts_with(role)).map(str::to_owned);
    assert!(line(&shown, "health.bad").unwrap().ends_with("  #ff6b6b bold"), "{shown}");
    let shown = home.run_with(&["theme", "show", "ansi16"], &[("NO_COLOR", "1")]).out;
    assert!(line(&shown, "health.bad").unwrap().ends_with("  red bold"), "{shown}");
    assert!(line(&shown, "text.dim").unwrap().ends_with("  default"), "{shown}");
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let home = Home::new();
    let file = home.write("config/coredeck/keymaps/mine.toml", "inherits = 'vimm'\n[all]\nq = 'qiut'\n");
    let ran = home.run(&["keymap", "check", "mine"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let at = file.display();
    assert!(
        ran.err.contains(&format!("{at}:1:12: no keymap named `vimm`; did you mean `vim`?")),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains(&format!("{at}:3:5: no action named `qiut`; did you mean `quit`?")),
        "{}",
        ran.err
    );
    let ran = home.run(&["theme", "show", "solarised"]);
    assert!(ran.code == Some(2) && ran.err.contains("no theme named `solarised`"), "{ran:?}");
}

#[test]
fn keys_without_a_terminal_write_the_last_screen() {
    let home = Home::new();
    let ran = home.run(&["--demo", "--headless", "2/tier:production<ret>", "--size", "100x20"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("instances  ") && ran.out.contains("/tier:production"), "{}", ran.out);
    assert!(!ran.out.contains("reading"), "every list was read: {}", ran.out);
    assert_eq!(ran.out.lines().count(), 20);
    let ran = home.run(&["--headless", "q", "get", "instances"]);
    assert!(ran.code == Some(2) && ran.err.contains("flags of the screen"), "{ran:?}");
    let ran = home.run(&["--demo", "--headless", "2<retrun><ecs>"]);
    assert!(ran.code == Some(2) && ran.out.is_empty(), "{ran:?}");
    assert!(ran.err.contains("did you mean `<return>`?") && ran.err.contains("`<ecs>`"), "{ran:?}");
    let ran = home.run(&["--demo", "--headless", "q", "--size", "0x9"]);
    assert!(ran.code == Some(2) && ran.err.contains("80x24"), "{ran:?}");
}

#[test]
fn a_terminal_that_cannot_draw_is_told_what_to_do_instead() {
    let home = Home::new();
    let ran = home.run_with(&["--demo"], &[("TERM", "dumb")]);
    assert!(ran.code == Some(2) && ran.err.contains("coredeck get"), "{ran:?}");
}
