//! Every first page as it looks, small and large, well and in trouble.

use super::fleet;
use coredeck::gateway::{Reading, Source};
use coredeck::model::Scope;
use coredeck::snapshot::Part;
use coredeck::tui::headless::{Headless, headless, styles};
use coredeck::tui::theme::{Depth, Theme};
use coredeck::tui::{Effect, Input};
use coredeck::world::Wish;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (180, 50);

/// A picture at both sizes.
macro_rules! pictures {
    ($($name:ident $keys:literal;)+) => {
        #[test]
        fn pages_look_like_this() {
            $(
                insta::assert_snapshot!(concat!(stringify!($name), "_80x24"), headless(fleet::full(), $keys, SMALL));
                insta::assert_snapshot!(concat!(stringify!($name), "_180x50"), headless(fleet::full(), $keys, LARGE));
            )+
        }
    };
}

pictures! {
    overview "";
    instances "2";
    groups "3";
    services "4";
    cores "5";
    tenants "6";
    help "?";
    troubles "!";
    describe "2/i-00000000000000005<ret>d";
    tier_instances "jj<ret>";
    group_instances "3<ret>";
    service_tasks "4j<ret>";
    task_instance "4j<ret><ret>";
    filter_error "2/stat:running";
    filter_typing "2/type:t3 and st";
    sorted "2s<right><right><right><ret>";
    command ":inst";
    which_key "g";
    capacity "gy";
}

#[test]
fn nothing_known_yet_says_what_is_awaited() {
    let mut part = Part::new(fleet::scope("prod", "eu-west-1"));
    for source in Source::ALL {
        part.asked(source);
    }
    let world = fleet::world(vec![part]);
    insta::assert_snapshot!("reading_overview", headless(world.clone(), "", SMALL));
    insta::assert_snapshot!("reading_instances", headless(world, "2", SMALL));
    insta::assert_snapshot!("empty_world", headless(fleet::world(vec![]), "2", SMALL));
}

#[test]
fn a_partial_list_says_so_and_old_rows_keep_their_age() {
    let mut first = fleet::part("prod", "eu-west-1", vec![fleet::instance(1, "shared", "a", "eu-west-1")]);
    first.settle(Reading::Groups(vec![]), fleet::ago(4_000), true);
    first.failed(Source::Groups, fleet::denied());
    let mut second = Part::new(fleet::scope("prod", "us-east-1"));
    let page = vec![std::sync::Arc::new(fleet::instance(2, "shared", "b", "us-east-1"))];
    second.settle(Reading::Instances(page), fleet::ago(5), false);
    second.asked(Source::Instances);
    insta::assert_snapshot!("partial_instances", headless(fleet::world(vec![first, second]), "2", (120, 16)));
}

#[test]
fn hostile_text_is_harmless_and_cut_by_its_width() {
    let mut hostile = fleet::instance(1, "shared", "evil", "eu-west-1");
    let long = "x".repeat(256);
    hostile.tags = [
        ("Name", "\u{1b}[2J日本語日本語日本語日本語日本語日本語日本語"),
        ("tier", "shared"),
        ("rtl", "שלום עולם"),
        ("override", "a\u{202e}b"),
        ("long", long.as_str()),
        ("combining", "e\u{301}\u{301}clair"),
    ]
    .into_iter()
    .collect();
    let world = fleet::world(vec![fleet::part("prod", "eu-west-1", vec![hostile])]);
    insta::assert_snapshot!("hostile_list", headless(world.clone(), "2", SMALL));
    insta::assert_snapshot!("hostile_describe", headless(world, "2dG", SMALL));
}

#[test]
fn tiny_screens_show_rows_first() {
    insta::assert_snapshot!("tiny_10x3", headless(fleet::full(), "2", (10, 3)));
    insta::assert_snapshot!("tiny_40x8", headless(fleet::full(), "2", (40, 8)));
    insta::assert_snapshot!("wide_300x10", headless(fleet::full(), "2", (300, 10)));
}

#[test]
fn without_colours_the_cursor_and_health_still_show() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    screen.theme = Theme::shipped("dark").unwrap().at(Depth::None);
    screen.keys("2");
    let frame = screen.frame();
    let all: Vec<String> = (0..SMALL.1).flat_map(|y| styles(&frame.cells, y)).collect();
    assert!(all.iter().all(|run| !run.contains("fg=") && !run.contains("bg=")), "{all:?}");
    let text = screen.text();
    assert!(text.contains("▌") && text.contains("✖ bad"), "{text}");
    screen.theme = Theme::shipped("dark").unwrap().at(Depth::Sixteen);
    assert_eq!(styles(&screen.frame().cells, 3).first().map(String::as_str), Some("0..1 fg=LightCyan bold"));
}

#[test]
fn what_is_looked_at_is_told_once_and_metrics_only_for_rows_that_show() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    screen.keys("2jjk").input(Input::World(fleet::full()));
    let looks = |screen: &Headless| {
        let looks = screen.effects.iter().filter_map(|effect| match effect {
            Effect::Wish(Wish::Look(interest)) => Some(interest.clone()),
            _ => None,
        });
        looks.collect::<Vec<_>>()
    };
    assert_eq!(looks(&screen).len(), 2, "the overview, then the instances");
    assert!(
        looks(&screen)
            .iter()
            .all(|look| look.metrics_of.is_empty() && !look.sources.contains(&Source::Metrics))
    );
    screen.keys("m");
    let last = looks(&screen).pop().unwrap();
    assert!(last.sources.contains(&Source::Metrics));
    let rows = screen.text().lines().filter(|line| line.contains(" i-0")).count();
    assert_eq!(last.metrics_of.len(), rows, "{}", screen.text());
    assert!(looks(&screen).iter().all(|look| !look.is_idle), "a screen that is there is looked at");
}

#[test]
fn refresh_reads_the_page_again_and_on_troubles_what_failed() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    screen.keys("4r");
    assert!(
        matches!(screen.effects.last(), Some(Effect::Wish(Wish::Refresh(sources))) if sources.contains(&Source::Services))
    );
    screen.keys("!r");
    let dev = Scope { account: "dev".into(), region: "eu-west-1".into() };
    assert_eq!(screen.effects.last(), Some(&Effect::Wish(Wish::Retry(dev))));
}

#[test]
fn the_cursor_stays_on_its_row_when_rows_move() {
    let mut screen = Headless::new(fleet::full(), LARGE);
    screen.keys("2Gk");
    let row =
        |screen: &Headless| screen.text().lines().find(|line| line.starts_with('▌')).unwrap().to_string();
    let before = row(&screen);
    screen.keys("s<right><right><ret>S");
    assert_eq!(row(&screen), before);
    screen.input(Input::World(fleet::full()));
    assert_eq!(row(&screen), before);
}

#[test]
fn back_and_forward_return_to_where_one_was() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    screen.keys("3j");
    let groups = screen.text();
    screen.keys("<ret>jd");
    let describe = screen.text();
    screen.keys("<esc><esc>");
    assert_eq!(screen.text(), groups);
    screen.keys("]]");
    assert_eq!(screen.text(), describe);
}

#[test]
fn a_filter_that_is_given_up_brings_the_rows_back() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    let before = screen.keys("2").text();
    screen.keys("/tier:shared");
    assert!(screen.text().contains("6 of 33"), "{}", screen.text());
    screen.keys("<esc>");
    assert_eq!(screen.text(), before);
}

#[test]
fn a_query_that_is_wrong_keeps_the_rows_that_there_were() {
    for (typed, rows) in [
        ("helth=bad", "33"),
        ("type:t3 helth=bad", "11 of 33"),
        ("type:t3 (", "11 of 33"),
        ("type:t3 state=", "11 of 33"),
    ] {
        let mut screen = Headless::new(fleet::full(), SMALL);
        let text = screen.keys("2").keys(&format!("/{typed}")).text();
        let title = text.lines().nth(1).unwrap();
        let count = title.trim_start_matches("instances  ");
        assert!(count.starts_with(rows) && !text.contains("none of"), "{typed}: {text}");
        screen.keys("<esc>");
        assert!(!screen.text().contains(" of 33"), "given up: {}", screen.text());
    }
}

#[test]
fn commands_complete_and_wrong_ones_are_pointed_at() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    screen.keys(":serv<tab><ret>");
    assert!(screen.text().contains("services  2"), "{}", screen.text());
    screen.keys(":instnaces<ret>");
    assert!(screen.text().contains("did you mean `instances`?"), "{}", screen.text());
    screen.keys("<esc>:instances tier:shared<ret>");
    assert!(screen.text().contains("instances  6 of 33"), "{}", screen.text());
    screen.keys(":sort launched_at desc<ret>");
    assert!(screen.text().contains("by launched_at ↓"), "{}", screen.text());
    screen.keys(":q<ret>");
    assert_eq!(screen.effects.last(), Some(&Effect::Quit));
}

#[test]
fn on_ten_columns_what_is_wrong_and_what_keys_do_can_still_be_read() {
    let text = headless(fleet::full(), "", (10, 24));
    assert!(text.contains("    · pro…") && !text.contains("(+"), "{text}");
    // What a key does stands below it: beside it there is room for one letter.
    let text = headless(fleet::full(), "?", (10, 60));
    assert!(text.contains("\n q") && !text.lines().skip(2).any(|line| line.ends_with('…')), "{text}");
}
