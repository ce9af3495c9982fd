//! Tables that are too large to be filtered and sorted while one types: what runs, what waits, and what shows.

use super::fleet;
use coredeck::tui::headless::Headless;
use coredeck::tui::update::update;
use coredeck::tui::{Effect, Hunt, Input, Job};
use coredeck::world::World;
use std::sync::Arc;

const SMALL: (u16, u16) = (80, 24);

/// More rows than are sorted at once.
fn many(rows: u32) -> Arc<World> {
    let instances = (0..rows).map(|n| fleet::instance(n, "shared", "hosts", "eu-west-1")).collect();
    fleet::world(vec![fleet::part("prod", "eu-west-1", instances)])
}

/// A screen whose jobs are run when the test says so.
struct Screen {
    screen: Headless,
    jobs: Vec<Job>,
    /// Jobs that were told that nobody waits for them.
    stopped: Vec<Job>,
    hunts: Vec<Hunt>,
}

impl Screen {
    fn new(world: Arc<World>) -> Self {
        Self { screen: Headless::new(world, SMALL), jobs: Vec::new(), stopped: Vec::new(), hunts: Vec::new() }
    }

    fn input(&mut self, input: Input) {
        for effect in update(&mut self.screen.ui, input) {
            match effect {
                Effect::Sift(job) => self.jobs.push(*job),
                Effect::Hunt(hunt) => self.hunts.push(*hunt),
                _ => {}
            }
        }
        while self.jobs.len() > 1 && self.jobs[0].is_in_vain() {
            self.stopped.push(self.jobs.remove(0));
        }
        assert!(self.jobs.len() <= 1 && self.hunts.len() <= 1, "one runs, and none is queued");
    }

    fn keys(&mut self, keys: &str) {
        for chord in coredeck::tui::chord::parse_keys(keys) {
            self.input(Input::Key(chord));
        }
    }

    /// The job that runs ends.
    fn end(&mut self) {
        let job = self.jobs.pop().expect("a job runs");
        self.input(Input::Sifted(Box::new(job.run())));
    }

    fn title(&self) -> String {
        self.screen.text().lines().nth(1).unwrap().to_string()
    }
}

#[test]
fn while_a_filter_is_typed_each_letter_ends_the_job_of_the_one_before() {
    let mut screen = Screen::new(many(6_000));
    screen.keys("2");
    assert!(screen.screen.text().contains("sorting 6000 instances"), "{}", screen.screen.text());
    screen.end();
    assert!(screen.title().contains("6000") && !screen.title().contains("sorting"), "{}", screen.title());
    screen.keys("/id:17");
    let before = screen.screen.text();
    assert!(screen.title().contains("6000") && screen.title().contains("sorting"), "{before}");
    assert!(before.contains("i-0000000000000"), "the old rows stay: {before}");
    screen.keys("6f");
    // What the earlier letters asked for is dropped, however late it comes.
    assert!(screen.stopped.len() >= 4 && screen.stopped.iter().all(Job::is_in_vain));
    for job in std::mem::take(&mut screen.stopped) {
        screen.input(Input::Sifted(Box::new(job.run())));
        assert!(screen.title().contains("  6000  sorting"), "{}", screen.title());
    }
    assert!(!screen.jobs[0].is_in_vain());
    screen.end();
    assert!(
        screen.title().contains(" 1 of 6000") && !screen.title().contains("sorting"),
        "{}",
        screen.title()
    );
    assert!(screen.jobs.is_empty());
    screen.keys("<ret>");
    assert!(screen.jobs.is_empty(), "the same rows answer the same question");
}

#[test]
fn letter_by_letter_a_filter_finds_what_it_finds_at_once_and_a_letter_less_finds_it_again() {
    let rows = |screen: &Screen| {
        let text = screen.screen.text();
        let lines = text.lines().skip(1).take(20).map(|line| line.trim_start_matches('▌').trim());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let at_once = |filter: &str| {
        let mut screen = Screen::new(many(6_000));
        screen.keys("2");
        screen.end();
        screen.keys(&format!("/{filter}"));
        screen.end();
        rows(&screen)
    };
    let mut screen = Screen::new(many(6_000));
    screen.keys("2");
    screen.end();
    screen.keys("/");
    let mut typed = String::new();
    for letter in ["h", "o", "s", "t", "s", "-", "1", "7"] {
        typed.push_str(letter);
        screen.keys(letter);
        screen.end();
        assert_eq!(rows(&screen), at_once(&typed), "{typed}");
    }
    assert!(screen.title().contains(" 111 of 6000"), "{}", screen.title());
    screen.keys("<backspace>");
    screen.end();
    assert!(screen.title().contains(" 1111 of 6000"), "{}", screen.title());
}

#[test]
fn a_world_that_arrives_meanwhile_is_sorted_next_and_nothing_starves() {
    let mut screen = Screen::new(many(6_000));
    screen.keys("2");
    for rows in [6_001, 6_002, 6_003] {
        screen.input(Input::World(many(rows)));
    }
    screen.end();
    assert!(screen.title().contains(" 6000") && !screen.title().contains("sorting"), "{}", screen.title());
    screen.end();
    assert!(screen.title().contains(" 6003"), "{}", screen.title());
    assert!(screen.jobs.is_empty());
}

#[test]
fn a_row_is_opened_as_it_shows_though_a_newer_world_is_being_sorted() {
    let mut screen = Screen::new(many(6_000));
    screen.keys("2");
    screen.end();
    screen.keys("jjj");
    let shown = screen.screen.text().lines().find(|line| line.starts_with('▌')).map(str::to_string);
    let shown = shown.unwrap_or_else(|| panic!("no cursor:\n{}", screen.screen.text()));
    let id = shown
        .split_whitespace()
        .find(|word| word.contains("i-0"))
        .unwrap()
        .trim_start_matches('▌')
        .to_string();
    // In the newer world that row stands elsewhere.
    let instances = (0..6_500).rev().map(|n| fleet::instance(n, "shared", "hosts", "eu-west-1")).collect();
    screen.input(Input::World(fleet::world(vec![fleet::part("prod", "eu-west-1", instances)])));
    screen.keys("d");
    assert!(screen.screen.text().contains(&id), "{id}\n{}", screen.screen.text());
}

#[test]
fn whoever_leaves_and_comes_back_sees_the_rows_that_were_asked_for() {
    let mut screen = Screen::new(many(6_000));
    screen.keys("2");
    screen.end();
    screen.keys("s<ret>");
    screen.keys("3");
    screen.end();
    assert!(screen.jobs.is_empty(), "nobody looks at them");
    screen.keys("<esc>");
    screen.end();
    assert!(screen.title().contains("6000") && screen.title().contains("by "), "{}", screen.title());
}

#[test]
fn a_small_table_is_sorted_at_once() {
    let mut screen = Screen::new(many(5_000));
    screen.keys("2/id:17<ret>s<ret>w");
    assert!(screen.jobs.is_empty());
    assert!(screen.title().contains(" of 5000"), "{}", screen.title());
}

#[test]
fn the_palette_looks_through_a_large_fleet_beside_the_keys_and_drops_what_nobody_asks_any_more() {
    let mut screen = Screen::new(many(6_000));
    screen.keys(":i");
    assert!(screen.hunts.is_empty(), "one letter means no thing");
    screen.keys("-00");
    let before = screen.screen.text();
    assert!(before.contains(":i-00\n searching"), "the key waits for nothing: {before}");
    // What the first letters asked for is dropped; then what was typed meanwhile is looked for.
    screen.keys("00000000000176f");
    let stale = screen.hunts.pop().unwrap();
    screen.input(Input::Hunted(Box::new(stale.run())));
    assert!(screen.screen.text().contains("searching"), "{}", screen.screen.text());
    let hunt = screen.hunts.pop().expect("the next one looks for what the line says now");
    screen.input(Input::Hunted(Box::new(hunt.run())));
    let found = screen.screen.text();
    assert!(found.contains("i-0000000000000176f") && !found.contains("searching"), "{found}");
    assert!(screen.hunts.is_empty());
    screen.keys("<ret>");
    assert!(screen.screen.text().contains("instance i-0000000000000176f"), "{}", screen.screen.text());
}

#[test]
fn whoever_is_faster_than_the_palette_gets_the_same() {
    let mut screen = Screen::new(many(6_000));
    screen.keys(":i-0000000000000176f<ret>");
    assert!(screen.screen.text().contains("instance i-0000000000000176f"), "{}", screen.screen.text());
    // The hunt that still runs finds a screen on which nothing is typed.
    let late = screen.hunts.pop().unwrap();
    screen.input(Input::Hunted(Box::new(late.run())));
    assert!(screen.hunts.is_empty());
    screen.keys(":groups<ret>");
    assert!(screen.screen.text().contains("groups"), "{}", screen.screen.text());
}
