//! Tables as a person shapes them: columns, groups with subtotals, marks, and the row beside its list.

use super::fleet;
use super::rich::rich;
use coredeck::tui::headless::Headless;
use coredeck::tui::{Effect, Input};
use coredeck::world::Wish;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (180, 50);

fn head(screen: &Headless) -> String {
    screen.text().lines().nth(2).unwrap().to_string()
}

#[test]
fn columns_are_chosen_moved_and_kept_for_the_page() {
    let mut screen = Headless::new(rich(), LARGE);
    screen.keys("3C");
    // Hide the tier, and bring what comes after it to the front.
    screen.keys("jjjj jKK<ret>");
    let chosen = head(&screen);
    assert!(!chosen.contains("TIER") && chosen.find("DESIRED") < chosen.find("REGION"), "{chosen}");
    let text = screen.keys("16").text();
    assert!(text.contains("tenants"), "{text}");
    screen.keys("3");
    assert_eq!(head(&screen), chosen, "in this session the page keeps its columns");
    screen.keys("Cjjj <esc>");
    assert_eq!(head(&screen), chosen, "given up, nothing changes");
    screen.keys("C <ret>");
    assert!(head(&screen).contains(" NAME"), "what tells rows apart stays: {}", head(&screen));
}

#[test]
fn rows_stand_together_with_subtotals_and_fold() {
    let mut screen = Headless::new(rich(), LARGE);
    let text = screen.keys("3:group tier<ret>").text();
    let head = |text: &str, name: &str| {
        text.lines()
            .find(|line| line.contains(&format!("▾ {name} ")))
            .unwrap_or_else(|| panic!("{text}"))
            .to_string()
    };
    let production = head(&text, "production");
    assert!(production.contains(" 2 ") && production.contains("22"), "two groups that want 22: {production}");
    assert!(text.contains("3 groups by tier"), "{text}");
    let folded = screen.keys("Z").text();
    assert_eq!(folded.matches('▸').count(), 3, "{folded}");
    assert!(!folded.contains(" prod-api"), "{folded}");
    let one = screen.keys("<home><ret>").text();
    assert_eq!((one.matches('▸').count(), one.matches('▾').count()), (2, 1), "enter unfolds:\n{one}");
    let apart = screen.keys(":ungroup<ret>").text();
    assert!(!apart.contains('▸') && apart.contains(" prod-api"), "{apart}");
    let text = screen.keys(":group tags<ret>").text();
    assert!(text.contains("nothing can be put together by it"), "{text}");
}

#[test]
fn groups_are_chosen_in_the_headings_and_sums_tell_what_they_lack() {
    let mut screen = Headless::new(rich(), LARGE);
    let text = screen.keys("8b<right><right><ret>").text();
    assert!(text.contains("groups by"), "{text}");
    // The cursor steps over heads like over rows, and a head is no row.
    let text = screen.keys("<home>d").text();
    assert!(text.contains("there is no row to describe"), "{text}");
    let again = screen.keys("b<ret>").text();
    assert!(!again.contains("groups by"), "the same column takes them apart:\n{again}");
}

#[test]
fn marks_stay_when_rows_are_read_again_move_or_go() {
    let mut screen = Headless::new(rich(), SMALL);
    let text = screen.keys("2  ").text();
    assert!(text.contains("2 marked") && text.matches('◆').count() == 2, "{text}");
    screen.input(Input::World(rich())).keys("S:sort launched_at desc<ret>");
    assert!(screen.text().contains("2 marked"), "{}", screen.text());
    assert!(
        screen.keys("3").text().contains("groups") && !screen.text().contains("marked"),
        "{}",
        screen.text()
    );
    assert!(screen.keys("2").text().contains("2 marked"), "{}", screen.text());
    screen.input(Input::World(fleet::world(vec![fleet::part("prod", "eu-west-1", vec![])])));
    assert!(screen.text().contains("2 marked (2 gone)"), "{}", screen.text());
    assert!(screen.keys("u").text().contains("2 instances unmarked"), "{}", screen.text());
    assert!(!screen.text().contains("2 marked"), "{}", screen.text());
}

#[test]
fn ranges_inversion_queries_and_groups_mark_many_at_once() {
    let mut screen = Headless::new(rich(), LARGE);
    assert!(screen.keys("2V").text().contains("mark the row where the range begins first"));
    assert!(screen.keys(" jjjV").text().contains("5 marked"), "{}", screen.text());
    assert!(screen.keys("*").text().contains("28 marked"), "33 but 5: {}", screen.text());
    assert!(screen.keys("u:mark tier:shared<ret>").text().contains("6 marked"), "{}", screen.text());
    assert!(
        screen.keys(":mark stat:running<ret>").text().contains("did you mean 'state'?"),
        "{}",
        screen.text()
    );
    let text = screen.keys("<esc>u/tier:shared<ret>:mark state:running<ret>").text();
    assert!(text.contains("6 marked"), "only rows of the list: {text}");
    let text = screen.keys("cu:group tier<ret><home> ").text();
    assert!(text.contains("marked"), "the head of a group stands for its rows: {text}");
    assert!(screen.keys(" ").text().contains("groups by tier") && !screen.text().contains(" marked"));
}

#[test]
fn a_row_shows_in_full_beside_its_list_below_it_or_not_at_all() {
    let mut screen = Headless::new(rich(), LARGE);
    let text = screen.keys("2v").text();
    assert!(text.contains('│') && text.contains("Related"), "{text}");
    let first = text.lines().find(|line| line.contains("│ id ")).unwrap().to_string();
    let text = screen.keys("j").text();
    let second = text.lines().find(|line| line.contains("│ id ")).unwrap().to_string();
    assert_ne!(first.split('│').nth(1), second.split('│').nth(1), "it follows the cursor");
    let below = Headless::new(rich(), SMALL).keys("2v").text();
    assert!(below.contains("────") && below.contains("id   "), "{below}");
    let none = Headless::new(rich(), (80, 14)).keys("2v").text();
    assert!(none.contains("no room for both"), "{none}");
    let text = screen.keys("JJ").text();
    assert!(!text.contains("│ id "), "scrolled by itself:\n{text}");
    assert!(screen.keys("KK").text().contains("│ id "), "{}", screen.text());
    assert!(!screen.keys("v").text().contains('│'));
}

#[test]
fn what_shows_beside_a_list_is_read_but_never_for_money() {
    let mut screen = Headless::new(rich(), LARGE);
    screen.keys("2vjj");
    let mut looks = screen.effects.iter().filter_map(|effect| match effect {
        Effect::Wish(Wish::Look(interest)) => Some(interest),
        _ => None,
    });
    let last = looks.next_back().unwrap();
    assert!(last.sources.contains(&coredeck::gateway::Source::Agents), "{:?}", last.sources);
    assert!(last.metrics_of.is_empty() && !last.sources.contains(&coredeck::gateway::Source::Metrics));
}

#[test]
fn calls_are_told_as_the_commands_that_repeat_them() {
    let text = Headless::new(rich(), LARGE).keys("gk").text();
    assert!(text.contains("aws ec2 describe-instances --region eu-west-1 --profile prod"), "{text}");
    assert!(text.contains("denied") && text.contains("160ms") && text.contains("$0.00004"), "{text}");
}

#[test]
fn columns_that_lie_off_to_the_left_are_marked_and_come_back_where_all_fit() {
    let mut screen = Headless::new(rich(), SMALL);
    assert!(!head(screen.keys("2")).contains('‹'));
    let scrolled = head(screen.keys("w<right><right>"));
    assert!(
        scrolled.starts_with("  ID") && scrolled.contains(" ‹ ") && scrolled.ends_with('›'),
        "{scrolled}"
    );
    let usual = head(screen.keys("w"));
    assert!(!usual.contains('‹') && usual.contains("HEALTH"), "wide mode is left: {usual}");
    // What was scrolled to on a narrow screen hides nothing where there is room for everything.
    let scrolled = head(screen.keys("<right><right>"));
    assert!(scrolled.contains('‹'), "{scrolled}");
    screen.input(Input::Resize(400, 24));
    let wide = head(&screen);
    assert!(!wide.contains('‹') && wide.contains("HEALTH"), "{wide}");
    screen.keys("<right>").input(Input::Resize(80, 24));
    assert!(!head(&screen).contains('‹'), "{}", head(&screen));
}
