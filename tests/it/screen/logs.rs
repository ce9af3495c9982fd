//! The page of a log: opened from a row, followed, held still, filtered and wrapped, with bounded memory; and the real
//! binary's over the demo fleet. Who stands behind the counter is played by the test.

use super::fleet;
use coredeck::logs::{Flow, Fold, Said};
use coredeck::ops::counter::{Answer, Declined, LogPart, Order};
use coredeck::tui::decode::{Button, Mouse};
use coredeck::tui::headless::Headless;
use coredeck::tui::{Effect, Input};
use std::sync::Arc;

fn orders(screen: &mut Headless) -> Vec<Order> {
    let orders = std::mem::take(&mut screen.effects).into_iter();
    orders.filter_map(|effect| if let Effect::Order(order) = effect { Some(order) } else { None }).collect()
}

/// Lines that two cores wrote.
fn lines(from: std::ops::Range<usize>) -> LogPart {
    let mut lines = Vec::new();
    let mask = Arc::default();
    for n in from {
        let mut fold = Fold::new(u16::try_from(n % 2).unwrap(), Arc::clone(&mask));
        let (level, more) = if n % 5 == 4 { ("ERROR", "\tat a.B\nCaused by: x") } else { ("INFO", "") };
        let (minute, second) = (n / 60 % 60, n % 60);
        let text = format!(
            "21 Nov 2026 19:{minute:02}:{second:02}:658 +0000 | {level} | pid: x | v9 | [main] thread | a.b | Tenant(c{}.example.com, public, public) | line {n} \u{1b}[2J {}",
            n % 3,
            "long ".repeat(14)
        );
        fold.push(jiff::Timestamp::UNIX_EPOCH, &text);
        let at = format!("2026-11-21T19:{minute:02}:{second:02}.658Z").parse().unwrap();
        more.lines().for_each(|line| assert_eq!(fold.push(at, line), None));
        lines.extend(fold.flush());
    }
    LogPart::Lines(lines)
}

/// The log of the first core, from the list of cores.
fn opened(size: (u16, u16)) -> (Headless, u64) {
    let mut screen = Headless::new(fleet::full(), size);
    screen.keys("5L");
    let asked = orders(&mut screen);
    let [Order::ReadLog { ticket, of }] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(of.name.starts_with("core/") && of.scope.is_some(), "{of:?}");
    (screen, *ticket)
}

fn tell(screen: &mut Headless, ticket: u64, part: LogPart) {
    screen.input(Input::Answer(Answer::Log { ticket, part }));
}

#[test]
fn a_log_is_opened_followed_held_still_and_filtered() {
    for size in [(80, 24), (180, 50)] {
        let (mut screen, ticket) = opened(size);
        assert!(screen.text().contains("looking for where the lines are"), "{}", screen.text());
        let sources = vec!["prod-a".to_owned(), "prod-b".to_owned()];
        tell(&mut screen, ticket, LogPart::Begun { sources, only: vec![Vec::new(); 2] });
        tell(&mut screen, ticket, lines(0..100));
        tell(&mut screen, ticket, LogPart::CaughtUp);
        insta::assert_snapshot!(format!("log-{}x{}", size.0, size.1), screen.text());
        assert!(!screen.text().contains('\u{1b}') && screen.text().contains("line 99"));
        tell(&mut screen, ticket, lines(100..101));
        assert!(screen.text().contains("line 100"), "the newest stays in sight");
        // Whoever moves up reads on, whatever comes.
        let before = screen.keys("kk").text();
        tell(&mut screen, ticket, lines(101..140));
        let body = |text: &str| text.lines().skip(2).take(15).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(body(&before), body(&screen.text()));
        assert!(screen.text().contains("paused here"), "{}", screen.text());
        assert!(screen.keys("f").text().contains("line 139"));
        // Filtered while it is typed; what means nothing is said.
        let text = screen.keys("/level:error source:prod-b<ret>").text();
        assert!(text.contains("14 of 140 lines") && text.contains("Caused by: x"), "{text}");
        assert!(!text.contains("prod-a ") && !text.contains("INFO"), "{text}");
        assert!(screen.keys("/<c-u>level:x").text().contains("debug, info, warn or error"));
        assert!(screen.keys("<esc>").text().contains("14 of 140 lines"), "what held before holds again");
        assert!(screen.keys("c").text().contains("140 lines"));
        let wrapped = screen.text();
        assert_ne!(wrapped, screen.keys("w").text(), "cut instead of wrapped");
        // Copied as it shows, and left: nobody reads it any more.
        screen.keys("y");
        let copied = screen
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(text) if text.contains("line 139")));
        assert!(copied, "{:?}", screen.effects);
        assert_eq!(orders(&mut screen), []);
        screen.keys("<esc>");
        assert_eq!(orders(&mut screen), [Order::LeaveLog]);
        tell(&mut screen, ticket, lines(0..1));
        assert!(!screen.text().contains("line 0"), "what comes too late is for nobody");
    }
}

#[test]
fn what_is_said_shows_and_what_cannot_be_read_says_why() {
    let (mut screen, ticket) = opened((80, 24));
    let why = Declined {
        what: "no core is called so".to_owned(),
        hints: vec!["coredeck get cores".to_owned()],
        ..Declined::default()
    };
    tell(&mut screen, ticket, LogPart::Declined(why));
    assert!(screen.text().contains("no core is called so") && screen.text().contains("coredeck get cores"));
    screen.keys("<esc>L");
    let again = orders(&mut screen);
    let Some(Order::ReadLog { ticket, .. }) = again.last() else { panic!("{again:?}") };
    tell(&mut screen, *ticket, LogPart::Begun { sources: vec!["a".to_owned()], only: vec![Vec::new()] });
    let offline =
        "Systems Manager cannot reach i-0123456789abcdef0: its agent is offline or it has none \u{1b}[31m";
    tell(&mut screen, *ticket, LogPart::Said(Said::note(offline)));
    tell(&mut screen, *ticket, LogPart::CaughtUp);
    // Whole, wrapped where the screen ends, once, and among the lines, where it was said.
    let text = screen.text();
    let all = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        all.contains(
            "! Systems Manager cannot reach i-0123456789abcdef0: its agent is offline or it has none ␛[31m"
        ),
        "{text}"
    );
    assert_eq!(text.matches("Systems Manager").count(), 1, "{text}");
    assert!(text.contains("1 remark") && text.contains("no line in the last ten minutes"), "{text}");
    tell(&mut screen, *ticket, lines(0..2));
    let text = screen.keys("/line 1<ret>").text();
    assert!(text.contains("line 1") && text.contains("! Systems Manager"), "{text}");
    let text = screen.keys("w").text();
    assert!(text.contains("it has none") || text.contains("none ␛[31m"), "never cut: {text}");
    screen.keys("wc");
    // Who reads further up is told that something was said below.
    tell(&mut screen, *ticket, lines(2..60));
    screen.keys("gg");
    tell(&mut screen, *ticket, LogPart::Said(Said::note("a: only the last lines fit")));
    assert!(screen.text().contains("a: only the last lines fit"), "{}", screen.text());
    // The oldest are forgotten, and that is said.
    screen.keys("f");
    tell(&mut screen, *ticket, lines(0..9_992));
    assert!(screen.text().contains("last 9999 of 10052"), "{}", screen.text());
}

#[test]
fn a_source_that_comes_no_more_is_counted_in_the_title_and_why_stays_below_the_newest_line() {
    let (mut screen, ticket) = opened((130, 24));
    let sources = vec!["prod-a".to_owned(), "prod-b".to_owned()];
    tell(&mut screen, ticket, LogPart::Begun { sources, only: vec![Vec::new(); 2] });
    let why = "prod-b: Systems Manager cannot reach i-1";
    tell(&mut screen, ticket, LogPart::Said(Said::turn(vec![1], Flow::Waits, why)));
    tell(&mut screen, ticket, LogPart::CaughtUp);
    let text = screen.text();
    assert!(text.contains("following 1 of 2") && text.contains("of the 1 of 2 that could be read"), "{text}");
    tell(&mut screen, ticket, LogPart::Said(Said::turn(vec![0], Flow::Waits, "prod-a: it is down")));
    let text = screen.text();
    assert!(
        text.contains("none of 2 comes now") && text.contains("nothing was read of prod-a, prod-b"),
        "{text}"
    );
    // Its line takes the place of the news; what was said of the other stays, whatever is pressed.
    tell(&mut screen, ticket, LogPart::Said(Said::turn(vec![0], Flow::Comes, "")));
    tell(&mut screen, ticket, lines(0..60));
    let text = screen.keys("jk").keys("G").text();
    assert!(
        text.contains("following 1 of 2") && text.contains(why) && !text.contains("it is down"),
        "{text}"
    );
    // What comes late is put in its place, and whoever reads stays where they are.
    screen.keys("kkkkkk");
    let body = |text: &str| text.lines().skip(2).take(15).map(str::to_owned).collect::<Vec<_>>();
    let before = body(&screen.text());
    let LogPart::Lines(late) = lines(0..5) else { panic!() };
    tell(&mut screen, ticket, LogPart::Late(late));
    assert_eq!(before, body(&screen.text()));
    assert!(screen.text().contains("65 lines"), "{}", screen.text());
    tell(&mut screen, ticket, LogPart::Said(Said::turn(vec![1], Flow::Comes, "")));
    let text = screen.keys("G").text();
    assert!(!text.contains(why) && text.contains("following · 65 lines"), "{text}");
}

#[test]
fn the_wheel_stops_a_log_that_follows_and_reading_again_asks_anew_with_its_filter() {
    let (mut screen, ticket) = opened((130, 24));
    tell(&mut screen, ticket, LogPart::Begun { sources: vec!["a".to_owned()], only: vec![Vec::new()] });
    tell(&mut screen, ticket, lines(0..100));
    tell(&mut screen, ticket, LogPart::CaughtUp);
    let before = screen.text();
    let text = screen.input(Input::Mouse(Mouse { what: Button::WheelUp, x: 3, y: 5 })).text();
    assert!(text != before && text.contains("paused here"), "{text}");
    screen.keys("/level:error<ret>");
    orders(&mut screen);
    screen.keys("r");
    let asked = orders(&mut screen);
    let [Order::ReadLog { ticket: again, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    tell(&mut screen, ticket, lines(100..105));
    assert!(!screen.text().contains("line 104"), "what was asked before is for nobody");
    tell(&mut screen, *again, LogPart::Begun { sources: vec!["a".to_owned()], only: vec![Vec::new()] });
    tell(&mut screen, *again, lines(0..100));
    assert!(
        screen.text().contains("20 of 100 lines") && screen.text().contains("level:error"),
        "{}",
        screen.text()
    );
}

#[test]
fn a_tenant_s_log_says_how_many_of_the_lines_show_and_how_many_name_nobody() {
    let (mut screen, ticket) = opened((180, 50));
    let only = vec![vec!["c1.example.com".into()]; 2];
    tell(&mut screen, ticket, LogPart::Begun { sources: vec!["a".to_owned(), "b".to_owned()], only });
    tell(&mut screen, ticket, lines(0..30));
    let mut fold = Fold::new(0, Arc::default());
    fold.push("2026-11-21T19:09:00Z".parse().unwrap(), "java.lang.OutOfMemoryError: Java heap space");
    tell(&mut screen, ticket, LogPart::Lines(fold.flush().into_iter().collect()));
    tell(&mut screen, ticket, LogPart::CaughtUp);
    let text = screen.text();
    assert!(text.contains("10 of 31 lines · 1 name nobody") && !text.contains("OutOfMemory"), "{text}");
}

#[test]
fn a_shell_is_opened_while_the_screen_lives_and_can_be_given_up() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.keys("5");
    screen.effects.clear();
    let text = screen.keys("e").text();
    assert!(text.contains("opening a shell in core/") && text.contains("esc gives up"), "{text}");
    let [Effect::Shell(of)] = screen.effects.as_slice() else { panic!("{:?}", screen.effects) };
    assert!(of.name.starts_with("core/") && of.scope.is_some(), "{of:?}");
    // What is typed meanwhile means nothing, here or there.
    screen.effects.clear();
    assert_eq!(screen.keys("jxT2:<ret>e").text(), text);
    assert!(screen.effects.is_empty(), "{:?}", screen.effects);
    assert!(screen.keys("<esc>").text().contains("given up"));
    assert_eq!(screen.effects, [Effect::LeaveShell]);
    // Too late: nobody waits for it any more.
    screen.input(Input::Shell(Err("no such core".to_owned())));
    assert!(!screen.text().contains("no such core"));
    let text = screen.keys("e").input(Input::Shell(Err("no plugin \u{1b}[2J".to_owned()))).text();
    assert!(text.contains("no plugin ␛[2J"), "{text}");
    let text = screen.keys("e").input(Input::Shell(Ok(7))).text();
    assert!(text.contains("ended with 7"), "{text}");
    assert_ne!(screen.keys("2").text(), text, "keys mean what they meant");
}
