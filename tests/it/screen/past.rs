//! The past on the screen: how one gets there and back, that it is said, and that nothing is done from there.

use super::fleet;
use coredeck::gateway::Reading;
use coredeck::snapshot::Part;
use coredeck::tui::headless::{Headless, styles};
use coredeck::tui::screen::wake_at;
use coredeck::tui::theme::Theme;
use coredeck::tui::{Effect, Input};
use coredeck::world::{Timeline, Wish, World};
use jiff::Timestamp;
use std::sync::Arc;

const SMALL: (u16, u16) = (80, 24);

fn now_with(timeline: Timeline) -> Arc<World> {
    Arc::new(World { timeline, ..fleet::full().as_ref().clone() })
}

fn kept() -> Timeline {
    Timeline { since: Some(fleet::ago(4 * 3600)), ..Timeline::default() }
}

/// The fleet as it was half an hour ago: half of it was read, two minutes before.
fn then() -> Arc<World> {
    let at = fleet::ago(1800);
    let mut part = Part::new(fleet::scope("prod", "eu-west-1"));
    let instances = vec![fleet::instance(1, "shared", "shared-hosts", "eu-west-1")];
    part.settle(Reading::Instances(instances.into_iter().map(Arc::new).collect()), fleet::ago(1920), true);
    let world = fleet::world(vec![part, Part::new(fleet::scope("dev", "eu-west-1"))]);
    let mut snapshot = world.snapshot.as_ref().clone();
    snapshot.taken_at = at;
    let mut rows = world.fleet.as_ref().clone();
    rows.at = at;
    let timeline = Timeline { past: Some(at), ..kept() };
    Arc::new(World {
        snapshot: Arc::new(snapshot),
        fleet: Arc::new(rows),
        timeline,
        ..world.as_ref().clone()
    })
}

fn wishes(screen: &Headless) -> Vec<Option<Timestamp>> {
    let wishes = screen.effects.iter().filter_map(|effect| match effect {
        Effect::Wish(Wish::At(at)) => Some(*at),
        _ => None,
    });
    wishes.collect()
}

#[test]
fn keys_and_the_command_line_go_back_and_forth() {
    let mut screen = Headless::new(now_with(kept()), SMALL);
    screen.keys("<lt>").keys(":at -1h<ret>:at 20:33:12<ret>");
    assert_eq!(
        wishes(&screen),
        [Some(fleet::ago(300)), Some(fleet::ago(3600)), Some(fleet::ago(1800))],
        "{}",
        screen.text()
    );
    screen.keys("}}");
    assert_eq!(wishes(&screen).last(), Some(&None), "an hour later than that is now");
    let text = screen.keys(":at tomorrow<ret>").text();
    assert!(text.contains("`tomorrow` is no moment; write -1h"), "{text}");
    let text = screen.keys("<esc>:at -9d<ret>").text();
    assert!(text.contains("nothing was kept before 2026-11-21 17:03:12Z"), "{text}");
    assert_eq!(wishes(&screen).last(), Some(&Some(fleet::ago(4 * 3600))));
}

#[test]
fn where_nothing_is_kept_it_says_so() {
    let mut screen = Headless::new(now_with(Timeline::default()), SMALL);
    assert!(screen.keys("{").text().contains("nothing is kept of the past yet"), "{}", screen.text());
    let trouble = Some("the history cannot be written: disk full".into());
    let mut screen = Headless::new(now_with(Timeline { trouble, ..kept() }), SMALL);
    assert!(screen.text().contains("! all 2"), "{}", screen.text());
    assert!(
        screen.keys("!").text().contains("▲ history: the history cannot be written"),
        "{}",
        screen.text()
    );
    assert_eq!(wishes(&screen), []);
}

#[test]
fn the_past_is_said_in_words_and_by_more_than_a_colour() {
    for size in [SMALL, (180, 50)] {
        let mut screen = Headless::new(now_with(kept()), size);
        screen.input(Input::World(then()));
        let text = screen.keys("2").text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains(" PAST "), "{text}");
        assert!(lines[0].contains("as of 20:31:12Z"), "ages are counted to then: {text}");
        assert!(lines[1].contains("PAST 2026-11-21 20:33:12Z · 30m ago"), "{text}");
        assert!(lines[1].contains('●') && lines[1].contains('─'), "{text}");
        assert!(lines[2].contains("partial: 3 of 4 lists were not kept"), "{text}");
        assert!(lines.iter().any(|line| line.contains("i-00000000000000001")), "{text}");
        screen.theme = Theme::plain();
        assert!(
            styles(&screen.frame().cells, 1)[0].contains("reversed"),
            "{:?}",
            styles(&screen.frame().cells, 1)
        );
    }
}

#[test]
fn the_past_looks_like_this() {
    for (size, name) in [(SMALL, "small"), ((180, 50), "large")] {
        let mut screen = Headless::new(now_with(kept()), size);
        screen.input(Input::World(then()));
        insta::assert_snapshot!(format!("past_instances_{name}"), screen.keys("2").text());
        insta::assert_snapshot!(format!("past_cores_{name}"), screen.keys("5").text());
    }
}

#[test]
fn nothing_is_read_or_paid_for_from_there_and_nothing_ages() {
    let mut screen = Headless::new(now_with(kept()), SMALL);
    screen.input(Input::World(then()));
    screen.keys("2m");
    let before = screen.effects.len();
    let text = screen.keys("r").text();
    assert!(text.contains("this is the past: nothing is read or done from here; . returns to now"), "{text}");
    assert_eq!(screen.effects.len(), before);
    let paid = screen.effects.iter().any(
        |effect| matches!(effect, Effect::Wish(Wish::Look(interest)) if !interest.metrics_of.is_empty()),
    );
    assert!(!paid, "{:?}", screen.effects);
    let frame = screen.frame();
    assert_eq!(wake_at(&screen.ui), None);
    screen.input(Input::Tick(fleet::ago(-40)));
    assert_eq!(screen.frame().cells.content[..80], frame.cells.content[..80]);
    assert!(screen.text().contains("as of 20:31:12Z"), "{}", screen.text());
}

#[test]
fn the_way_there_is_said_and_so_is_what_stands_in_it() {
    let mut screen = Headless::new(now_with(kept()), SMALL);
    let text = screen.keys(":at -30m<ret>").text();
    assert!(text.contains("looking back to 2026-11-21 20:33:12Z"), "{text}");
    // Worlds of now still arrive meanwhile.
    screen.input(Input::World(now_with(kept())));
    assert!(screen.text().contains("looking back"), "{}", screen.text());
    screen.input(Input::World(then()));
    assert!(!screen.text().contains("looking back"), "{}", screen.text());
    screen.keys("<lt>");
    let failed =
        Timeline { trouble: Some("the history cannot be read: gone".into()), ..then().timeline.clone() };
    screen.input(Input::World(Arc::new(World { timeline: failed, ..then().as_ref().clone() })));
    let text = screen.text();
    assert!(text.contains("the history cannot be read: gone") && !text.contains("looking back"), "{text}");
    screen.keys(".");
    screen.input(Input::World(now_with(kept())));
    assert!(!screen.text().contains("PAST"), "{}", screen.text());
}
