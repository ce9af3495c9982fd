//! Every page, at both sizes: full, empty, loading, partial and failed; and how each looks, in words.

use super::fleet;
use super::rich::rich;
use coredeck::gateway::Source;
use coredeck::query::Kind;
use coredeck::snapshot::Part;
use coredeck::tui::Input;
use coredeck::tui::headless::{Headless, headless, styles};
use coredeck::tui::theme::{Role, Theme};
use coredeck::world::World;
use ratatui::style::Color;
use std::sync::Arc;

const SIZES: [(u16, u16); 2] = [(80, 24), (180, 50)];

/// A picture at both sizes.
macro_rules! pictures {
    ($($name:ident $keys:literal;)+) => {
        #[test]
        fn pages_with_everything_look_like_this() {
            $(
                for (width, height) in SIZES {
                    let name = format!("{}_{width}x{height}", stringify!($name));
                    insta::assert_snapshot!(name, headless(rich(), $keys, (width, height)));
                }
            )+
        }
    };
}

pictures! {
    rich_overview "";
    clusters "gc";
    hosts "8";
    tasks "7";
    templates "gp";
    images "gm";
    target_groups "gb";
    targets "gd";
    rules "gr";
    alarms "9";
    events "0";
    calls "gk";
    split "2v";
    grouped "3:group tier<ret>";
    marked "2 j V";
    columns_menu "2C";
    jump_menu "6o";
    charts "2/i-00000000000000002<ret>d";
    described_tenant "6d<tab><tab>";
    described_template "gpd";
    described_call "gkjd";
}

fn page(kind: Kind) -> String {
    format!(":{}<ret>", kind.word())
}

/// A place in which every list was read and is empty.
pub(super) fn empty() -> Arc<World> {
    fleet::world(vec![fleet::part("prod", "eu-west-1", vec![])])
}

pub(super) fn loading() -> Arc<World> {
    let mut part = Part::new(fleet::scope("prod", "eu-west-1"));
    Source::ALL.into_iter().for_each(|source| part.asked(source));
    fleet::world(vec![part])
}

pub(super) fn failed(account: &str) -> Part {
    let mut part = Part::new(fleet::scope(account, "us-east-1"));
    Source::ALL.into_iter().for_each(|source| part.failed(source, fleet::denied()));
    part
}

/// The screen of a page.
fn screen(world: Arc<World>, kind: Kind, size: (u16, u16)) -> Headless {
    let mut screen = Headless::new(world, size);
    screen.keys(&page(kind));
    screen
}

/// The first colour of the line that holds a text.
fn colour_of(screen: &Headless, text: &str) -> String {
    let shown = screen.text();
    let at =
        shown.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text:?}:\n{shown}"));
    styles(&screen.frame().cells, u16::try_from(at).unwrap()).join("; ")
}

fn painted(role: Role) -> String {
    let colour: Color = Theme::shipped("dark").unwrap().style(role).fg.unwrap();
    format!("fg={colour}")
}

#[test]
fn an_empty_page_says_that_there_is_nothing() {
    for size in SIZES {
        for kind in Kind::ALL {
            let screen = screen(empty(), kind, size);
            let nothing = format!("no {}", kind.word());
            assert!(screen.text().contains(&nothing), "{kind}:\n{}", screen.text());
            assert!(colour_of(&screen, &nothing).contains(&painted(Role::Dim)), "{kind}");
            assert!(!screen.text().contains("partial") && !screen.text().contains("reading"), "{kind}");
        }
        let text = Headless::new(empty(), size).text();
        assert!(text.contains("no operation, refresh, deployment or drain"), "{text}");
        let below: String = text.lines().skip(1).collect();
        assert!(below.contains("cost is not read") && !below.contains('$'), "no figure is made up: {text}");
    }
}

#[test]
fn a_page_that_is_being_read_says_so_and_calls_nothing_well() {
    for size in SIZES {
        // Calls are known without being read.
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Calls) {
            let screen = screen(loading(), kind, size);
            let text = screen.text();
            assert!(text.contains("reading…") && text.contains(" of prod/eu-west-1"), "{kind}:\n{text}");
            assert!(!text.contains(&format!("no {}", kind.word())), "{kind}:\n{text}");
        }
        let text = Headless::new(loading(), size).text();
        assert!(text.contains("Running now  reading…") && text.contains("Alarms  reading…"), "{text}");
        assert!(!text.contains("● ok"), "{text}");
    }
}

#[test]
fn a_page_that_failed_says_what_and_why_in_the_colour_of_trouble() {
    for size in SIZES {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Calls) {
            let screen = screen(fleet::world(vec![failed("prod")]), kind, size);
            let text = screen.text();
            assert!(text.contains("could not be read"), "{kind}:\n{text}");
            assert!(colour_of(&screen, "could not be read").contains(&painted(Role::Trouble)), "{kind}");
            assert!(text.contains("partial: whole in 0 of 1 scopes"), "{kind}:\n{text}");
        }
    }
}

#[test]
fn a_page_of_which_a_scope_failed_shows_the_other_and_says_partial() {
    for size in SIZES {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Calls) {
            let mut world = World::clone(&rich());
            let mut snapshot = world.snapshot.as_ref().clone();
            snapshot.parts.truncate(1);
            snapshot.parts.push(Arc::new(failed("dev")));
            world.snapshot = Arc::new(snapshot);
            let screen = screen(Arc::new(world), kind, size);
            let text = screen.text();
            assert!(text.contains("partial: whole in 1 of 2 scopes"), "{kind}:\n{text}");
            assert!(colour_of(&screen, "partial: whole").contains(&painted(Role::Unknown)), "{kind}");
            assert!(text.contains("▌"), "{kind} shows rows:\n{text}");
        }
    }
}

#[test]
fn every_page_has_rows_and_describes_each_of_its_kind_without_leaving_out_a_field() {
    for kind in Kind::ALL {
        let mut screen = screen(rich(), kind, (180, 400));
        let text = screen.text();
        assert!(text.contains("▌"), "{kind}:\n{text}");
        let text = screen.keys("d").text();
        for column in kind.columns() {
            let is_repeated = matches!(column.name, "age" | "image_age" | "troubles");
            assert!(
                is_repeated || text.contains(column.name) || has_one_line(column.needs, &text),
                "{kind}.{}:\n{text}",
                column.name
            );
        }
    }
}

/// A list that says nothing of a row takes one line instead of one for each field.
fn has_one_line(needs: &[Source], text: &str) -> bool {
    !needs.is_empty() && text.lines().any(|line| line.ends_with("  -") && !line.contains('_'))
}

#[test]
fn health_is_painted_by_its_word_and_signed_without_colours() {
    let mut screen = screen(rich(), Kind::Instances, SIZES[1]);
    assert!(colour_of(&screen, "✖ bad").contains(&painted(Role::HealthBad)));
    assert!(colour_of(&screen, "● ok").contains(&painted(Role::HealthOk)));
    screen.keys(" ");
    assert!(screen.text().lines().any(|line| line.starts_with(" ◆i-")), "{}", screen.text());
    screen.theme = Theme::plain();
    screen.input(Input::World(rich()));
    assert!(screen.text().contains("✖ bad") && screen.text().contains("1 marked"));
}
