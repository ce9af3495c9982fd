//! What is not known, not whole or not understood is said, and what mends it.

use super::fleet;
use coredeck::gateway::{Reading, Source};
use coredeck::model::{AlarmState, Identity, InstanceId, Metrics, Point, Scope};
use coredeck::snapshot::Part;
use coredeck::tui::headless::{Headless, headless};
use coredeck::tui::keymap::Keymap;
use coredeck::tui::screen::wake_at;
use coredeck::tui::signs::Signs;
use coredeck::tui::theme::Theme;
use coredeck::tui::{About, Effect, Input, Setup};
use coredeck::world::{Interest, Wish, World};
use std::sync::Arc;
use std::time::Duration;

const SMALL: (u16, u16) = (80, 24);

/// A part whose registry holds an entry that could not be understood.
fn faulty() -> Part {
    let mut part = fleet::part("dev", "eu-west-1", vec![]);
    let faults = vec!["/coredeck/default/cores/core-9: no JSON".to_string()];
    part.settle(Reading::Registry { cores: vec![], tenants: vec![], faults }, fleet::ago(20), true);
    part
}

/// A world in which an account's regions could not be listed.
fn unlisted() -> Arc<World> {
    let mut world = fleet::world(vec![fleet::part("dev", "eu-west-1", vec![])]).as_ref().clone();
    let mut snapshot = world.snapshot.as_ref().clone();
    snapshot.troubles.push(("billing".into(), fleet::denied()));
    world.snapshot = Arc::new(snapshot);
    Arc::new(world)
}

fn wishes(screen: &Headless) -> Vec<Wish> {
    let wishes = screen.effects.iter().filter_map(|effect| match effect {
        Effect::Wish(wish @ (Wish::Refresh(_) | Wish::Retry(_))) => Some(wish.clone()),
        _ => None,
    });
    wishes.collect()
}

fn looks(screen: &Headless) -> Vec<Interest> {
    let looks = screen.effects.iter().filter_map(|effect| match effect {
        Effect::Wish(Wish::Look(interest)) => Some(interest.clone()),
        _ => None,
    });
    looks.collect()
}

#[test]
fn where_the_registry_names_no_core_nobody_has_counted_cores_and_the_next_command_is_named() {
    let parts = || {
        let mut parts = fleet::parts();
        for part in &mut parts {
            fleet::settle(part, Reading::Registry { cores: vec![], tenants: vec![], faults: vec![] });
        }
        parts
    };
    let mut known = parts();
    known.pop();
    let tier = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.trim_start_matches(['▌', ' ']).starts_with(name));
        line.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default()
    };
    // Sentences go on in the next line.
    let says = |text: &str, what: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").contains(what);
    for size in [SMALL, (180, 50)] {
        let text = headless(fleet::world(known.clone()), "", size);
        let production = tier(&text, "production");
        assert!(production.contains(&"?/22".to_owned()) && !text.contains("0/22"), "{text}");
        assert!(
            text.contains("Registry  names no cores") && says(&text, "`coredeck inventory diff`"),
            "{text}"
        );
        for (keys, what) in [("5", "no cores are known"), ("6", "no tenants are known")] {
            let text = headless(fleet::world(vec![known[1].clone()]), keys, size);
            assert!(text.contains(what) && says(&text, "`coredeck inventory diff`"), "{keys}:\n{text}");
        }
    }
    // What the registry names is counted, and so is that a tier without hosts has none.
    let text = headless(fleet::world(fleet::parts()[..2].to_vec()), "", SMALL);
    assert!(tier(&text, "production").contains(&"1/22".to_owned()), "{text}");
    assert!(!text.contains("names no cores"), "{text}");
    let text = headless(fleet::world(vec![fleet::part("dev", "eu-west-1", vec![])]), "", SMALL);
    assert!(
        !text.contains("names no cores") && tier(&text, "production").contains(&"0/0".to_owned()),
        "{text}"
    );
}

#[test]
fn an_entry_of_the_registry_that_was_not_understood_shows_where_cores_and_tenants_do() {
    for keys in ["", "5", "6"] {
        let text = headless(fleet::world(vec![faulty()]), keys, SMALL);
        assert!(text.contains("partial: 1 registry entry is faulty"), "after {keys}:\n{text}");
        assert!(text.contains("dev/eu-west-1 registry: /coredeck/default/cores/core-9"), "{keys}:\n{text}");
    }
    let text = headless(fleet::world(vec![faulty()]), "7", SMALL);
    assert!(!text.contains("registry entry"), "{text}");
    let mut screen = Headless::new(fleet::world(vec![faulty()]), SMALL);
    let text = screen.keys("!r").text();
    assert!(text.contains("core-9: no JSON") && text.contains("reading the registry again"), "{text}");
    assert_eq!(wishes(&screen), [Wish::Refresh(vec![Source::Registry])]);
}

#[test]
fn an_account_whose_regions_could_not_be_listed_is_tried_again() {
    let mut screen = Headless::new(unlisted(), SMALL);
    assert!(screen.text().contains("partial: 1 account is left out"), "{}", screen.text());
    let text = screen.keys("!").text();
    assert!(text.contains("nothing of this account is shown; r lists its regions again"), "{text}");
    let text = screen.keys("r").text();
    assert!(text.contains("listing the regions of billing again"), "{text}");
    assert_eq!(wishes(&screen), [Wish::Refresh(vec![])]);
    let mut well = Headless::new(fleet::world(vec![fleet::part("dev", "eu-west-1", vec![])]), SMALL);
    assert!(well.keys("!r").text().contains("nothing is in trouble"), "{}", well.text());
    assert_eq!(wishes(&well), []);
}

#[test]
fn the_overview_wakes_for_the_alarms_that_it_shows_and_no_others() {
    let with = |state: AlarmState| {
        let mut part = fleet::part("dev", "eu-west-1", vec![]);
        let mut alarm = fleet::alarm("disk", state);
        alarm.changed_at = Some(fleet::ago(10));
        part.settle(Reading::Alarms(vec![alarm]), fleet::ago(20), true);
        wake_at(&Headless::new(fleet::world(vec![part]), SMALL).ui).unwrap()
    };
    assert_eq!(with(AlarmState::Ok), fleet::ago(20 - 120), "only when its data has become old");
    assert!(with(AlarmState::Alarm) <= fleet::ago(-60));
}

#[test]
fn the_header_tells_how_old_the_list_is_once_it_is_overdue_by_its_own_cadence() {
    let mut part = fleet::part("prod", "eu-west-1", vec![fleet::instance(1, "shared", "a", "eu-west-1")]);
    let late = fleet::part("dev", "eu-west-1", vec![]);
    let at = |seconds: &[(Source, u64)], parts: Vec<Part>, keys: &str, now: i64| {
        let cadence = seconds.iter().map(|(source, every)| (*source, Duration::from_secs(*every))).collect();
        let keymap = Keymap::shipped("default").unwrap();
        let about = About { cadence, ..About::default() };
        let setup = Setup { about, ..Setup::new(keymap, Signs::Unicode, (120, 24)) };
        let mut screen = Headless::with(fleet::world(parts), fleet::ago(-now), setup, Theme::plain());
        screen.keys(keys);
        (screen.text().lines().next().unwrap().to_string(), wake_at(&screen.ui).unwrap())
    };
    // Read 20 seconds ago, every 15 seconds.
    let every = [(Source::Instances, 15)];
    let (head, wake) = at(&every, vec![part.clone()], "2", 0);
    assert!(head.contains("instances under 30s old") && !head.contains("as of"), "{head}");
    assert_eq!(wake, fleet::ago(20 - 30));
    let (head, _) = at(&every, vec![part.clone()], "2", 9);
    assert!(head.contains("under 30s old"), "{head}");
    let (head, _) = at(&every, vec![part.clone()], "2", 10);
    assert!(head.contains("instances as of 21:02:52Z (<1m old)"), "{head}");
    let (head, wake) = at(&every, vec![part.clone()], "2", 50);
    assert!(head.contains("(1m old)"), "{head}");
    assert!(wake <= fleet::ago(20 - 120), "{wake}");
    part.settle(Reading::Statuses(vec![]), fleet::ago(100), true);
    // Another list that shows beside it is named with its place.
    let (head, _) = at(&[(Source::Statuses, 40)], vec![part.clone(), late], "2", 0);
    assert!(head.contains("under 2m old"), "{head}");
    assert!(head.contains("behind: prod/eu-west-1 statuses (1m old)"), "{head}");
}

#[test]
fn where_nothing_could_be_read_the_header_does_not_wait() {
    let mut part = Part::new(fleet::scope("prod", "us-east-1"));
    Source::ALL.into_iter().for_each(|source| part.failed(source, fleet::denied()));
    let head = |part: &Part| {
        headless(fleet::world(vec![part.clone()]), "2", SMALL).lines().next().unwrap().to_string()
    };
    assert!(head(&part).contains("nothing was read"), "{}", head(&part));
    part.asked(Source::Instances);
    assert!(head(&part).contains("reading…"), "{}", head(&part));
}

#[test]
fn over_help_and_troubles_the_page_below_is_still_read_and_so_is_what_failed() {
    let mut part = fleet::part("prod", "eu-west-1", vec![]);
    part.failed(Source::Rules, fleet::denied());
    let mut screen = Headless::new(fleet::world(vec![part]), SMALL);
    screen.keys("2");
    let list = looks(&screen).last().unwrap().sources.clone();
    assert!(list.contains(&Source::Instances) && !list.contains(&Source::Rules));
    screen.keys("?");
    assert_eq!(looks(&screen).last().unwrap().sources, list);
    screen.keys("?!");
    let look = looks(&screen).last().unwrap().sources.clone();
    assert!(look.contains(&Source::Instances) && look.contains(&Source::Rules), "{look:?}");
}

#[test]
fn the_overview_counts_at_least_what_it_knows_of_some_scopes() {
    let some = fleet::part("prod", "eu-west-1", vec![fleet::instance(1, "shared", "a", "eu-west-1")]);
    let failed = || {
        let mut part = Part::new(fleet::scope("prod", "us-east-1"));
        Source::ALL.into_iter().for_each(|source| part.failed(source, fleet::denied()));
        part
    };
    let line = |parts: Vec<Part>| {
        let text = headless(fleet::world(parts), "", (120, 24));
        text.lines().find(|line| line.contains(" shared ")).unwrap().to_string()
    };
    let whole = line(vec![some.clone()]);
    assert!(whole.contains("ok") && !whole.contains('≥'), "{whole}");
    let partial = line(vec![some, failed()]);
    assert_eq!(partial.matches("≥1").count(), 3, "instances, groups and the zone: {partial}");
    assert!(partial.contains("unknown") && !partial.contains('%'), "{partial}");
    let none = line(vec![failed()]);
    assert!(!none.contains('0') && none.contains("unknown"), "{none}");
}

#[test]
fn a_first_read_on_its_way_is_no_partial_list() {
    let mut part = Part::new(fleet::scope("prod", "eu-west-1"));
    Source::ALL.into_iter().for_each(|source| part.asked(source));
    part.settle(Reading::Instances(vec![]), fleet::ago(1), true);
    let text = headless(fleet::world(vec![part.clone()]), "2", SMALL);
    assert!(text.contains("reading… (1 of 2 lists)") && !text.contains("partial"), "{text}");
    part.failed(Source::Groups, fleet::denied());
    let text = headless(fleet::world(vec![part]), "2", SMALL);
    assert!(text.contains("partial: whole in 0 of 1 scopes"), "{text}");
}

#[test]
fn health_and_state_show_on_a_narrow_screen_of_several_scopes_with_long_names() {
    let mut instances = vec![fleet::instance(1, "shared", "shared", "ap-southeast-2")];
    instances[0].tags = [("Name", "a-name-that-is-as-long-as-names-in-a-fleet-become")].into_iter().collect();
    let here = fleet::part("production-of-customers", "ap-southeast-2", instances);
    let there = fleet::part("dev", "eu-west-1", vec![fleet::instance(9, "shared", "b", "eu-west-1")]);
    let text = headless(fleet::world(vec![here, there]), "2", SMALL);
    let head = text.lines().find(|line| line.contains(" ID ")).unwrap();
    let at = |title: &str| head.find(title).unwrap_or_else(|| panic!("no {title}:\n{text}"));
    assert!(at("HEALTH") < at("STATE") && at("STATE") < at("NAME") && at("NAME") < at("ACCOUNT"), "{text}");
}

#[test]
fn rows_that_are_equally_well_stand_by_place_and_natural_name() {
    let named = |n: u32, name: &str, region: &str| {
        let mut instance = fleet::instance(n, "shared", "hosts", region);
        instance.tags = [("Name", name)].into_iter().collect();
        instance
    };
    let west = vec![named(1, "api-10", "us-west-2"), named(2, "api-9", "us-west-2")];
    let east = vec![named(3, "api-2", "us-east-1"), named(5, "zzz", "us-east-1")];
    let parts = vec![fleet::part("prod", "us-west-2", west), fleet::part("prod", "us-east-1", east)];
    let text = headless(fleet::world(parts), "2", (120, 24));
    let names = ["zzz", "api-2", "api-9", "api-10"].map(|name| text.find(&format!(" {name} ")).unwrap());
    assert!(names.is_sorted(), "the ill one first, then by region and name: {names:?}\n{text}");
}

#[test]
fn what_a_filter_pays_for_shows_on_a_narrow_screen() {
    let text = headless(metered(3, &[(2, Some(93.0))]), "2/cpu>80<ret>", SMALL);
    assert!(text.contains("CPU") && text.contains("93%"), "{text}");
}

/// Instances of which some were metered: by number, with a CPU use or with no point at all.
fn metered(count: u32, metered: &[(u32, Option<f64>)]) -> Arc<World> {
    let instances = (1..=count).map(|n| fleet::instance(n, "shared", "hosts", "eu-west-1")).collect();
    let mut part = fleet::part("prod", "eu-west-1", instances);
    let metrics = metered.iter().map(|(n, cpu)| Metrics {
        id: InstanceId::new(format!("i-{n:017x}")),
        cpu: cpu.iter().map(|value| Point { at: fleet::ago(60), value: *value }).collect(),
        ..Metrics::default()
    });
    if !metered.is_empty() {
        part.settle(Reading::Metrics(metrics.collect()), fleet::ago(5), true);
    }
    fleet::world(vec![part])
}

fn numbers(of: &[(Scope, InstanceId)]) -> Vec<u32> {
    of.iter().map(|(_, id)| u32::from_str_radix(id.as_str().trim_start_matches("i-"), 16).unwrap()).collect()
}

#[test]
fn a_filter_that_costs_money_reads_some_rows_after_others_until_a_bound() {
    let mut screen = Headless::new(metered(260, &[]), (180, 24));
    screen.keys("2/cpu>80");
    assert!(looks(&screen).iter().all(|look| look.metrics_of.is_empty()), "half typed, nothing is paid for");
    screen.keys("<ret>");
    assert!(screen.text().contains("cpu is not known for 260; reading 50 of them…"), "{}", screen.text());
    let mut read: Vec<(u32, Option<f64>)> = Vec::new();
    for round in 1..=4_usize {
        let asked = numbers(&looks(&screen).last().unwrap().metrics_of);
        assert_eq!(asked.len(), 50, "round {round}");
        assert!(asked.iter().all(|n| read.iter().all(|(known, _)| known != n)), "each is asked for once");
        read.extend(asked.iter().map(|n| (*n, Some(10.0))));
        screen.input(Input::World(metered(260, &read)));
    }
    let text = screen.text();
    assert!(text.contains("cpu is not known for 60; r reads 60 more"), "{text}");
    assert!(text.contains("`coredeck get instances 'cpu>80'`"), "{text}");
    assert!(text.contains("60 not known (r reads more)"), "{text}");
    let told = looks(&screen).len();
    screen.input(Input::World(metered(260, &read)));
    assert_eq!(looks(&screen).len(), told, "beyond the bound nothing is read unasked");
    screen.keys("r");
    let asked = numbers(&looks(&screen).last().unwrap().metrics_of);
    assert_eq!(asked.len(), 50);
    read.extend(asked.iter().enumerate().map(|(at, n)| (*n, Some(if at == 7 { 93.0 } else { 10.0 }))));
    screen.input(Input::World(metered(260, &read)));
    let text = screen.text();
    assert!(text.contains("1 of 260  10 not known (reading…)") && text.contains("93"), "{text}");
}

#[test]
fn rows_without_any_figure_are_not_asked_for_for_ever() {
    let mut screen = Headless::new(metered(3, &[]), SMALL);
    screen.keys("2/cpu>80<ret>");
    assert_eq!(looks(&screen).last().unwrap().metrics_of.len(), 3);
    screen.input(Input::World(metered(3, &[(1, None), (2, None), (3, None)])));
    assert!(screen.text().contains("none of 3 matches the filter"), "{}", screen.text());
    // What has no point is forgotten with the next reading.
    screen.input(Input::World(metered(3, &[])));
    let told = looks(&screen).len();
    screen.input(Input::World(metered(3, &[])));
    assert_eq!(looks(&screen).len(), told);
}

#[test]
fn only_rows_of_the_list_count_as_not_known() {
    let mut screen = Headless::new(fleet::full(), SMALL);
    screen.keys("jj<ret>");
    let all = screen.text();
    screen.keys("/cpu>80<ret>");
    let text = screen.text();
    assert!(all.contains("instances  6") && text.contains("0 of 6  6 not known"), "{all}\n{text}");
}

#[test]
fn one_cause_is_told_once_with_all_that_it_fails() {
    let mut part = fleet::part("prod", "eu-west-1", vec![]);
    let mut there = fleet::part("prod", "us-east-1", vec![]);
    for source in [Source::Instances, Source::Groups, Source::Rules] {
        part.failed(source, fleet::denied());
    }
    there.failed(Source::Groups, fleet::denied());
    let mut screen = Headless::new(fleet::world(vec![part, there]), (120, 24));
    let text = screen.keys("2").text();
    assert!(text.contains("prod/eu-west-1 instances and 3 more: denied"), "{text}");
    let text = screen.keys("!").text();
    assert!(text.contains("4 lists: denied") && text.contains("prod/us-east-1: groups"), "{text}");
    assert!(text.contains("prod/eu-west-1: instances, groups, rules"), "{text}");
    assert_eq!(text.matches("may not ecs:ListClusters").count(), 1, "{text}");
}

#[test]
fn an_account_that_is_configured_twice_is_said() {
    let place = |account: &str, region: &str, owner: &str| {
        let mut part = fleet::part(account, region, vec![]);
        let identity = Identity { account_id: owner.into(), arn: "arn:aws:iam::1:role/x".into() };
        part.settle(Reading::Identity(identity), fleet::ago(20), true);
        part
    };
    let apart = [place("a", "eu-west-1", "1"), place("b", "eu-west-1", "2"), place("c", "us-east-1", "1")];
    let text = headless(fleet::world(apart.to_vec()), "!", (120, 24));
    assert!(text.contains("Nothing is in trouble"), "{text}");
    let mut screen = Headless::new(
        fleet::world(vec![place("main", "eu-west-1", "1"), place("again", "eu-west-1", "1")]),
        (120, 24),
    );
    let told = "again/eu-west-1: is AWS account 1, as main/eu-west-1";
    assert!(screen.text().contains(told), "{}", screen.text());
    let text = screen.keys("!").text();
    assert!(text.contains("configured twice") && text.contains("leave one of the two"), "{text}");
}

#[test]
fn a_line_that_is_cut_has_a_mark_where_it_ends() {
    let mut screen = Headless::new(super::every::empty(), (40, 12));
    let text = screen.keys("!").text();
    assert!(text.contains("Nothing is in trouble: everything that …\n"), "{text}");
    // What is told at the end of the title does not swallow the end of a name either.
    let mut screen = Headless::new(super::rich::rich(), (40, 12));
    let text = screen.keys("2d").text();
    let title = text.lines().nth(1).unwrap();
    assert!(title.starts_with("instances › instance i-") && title.contains("… 1-"), "{text}");
    // A line that just fits has none.
    let text = Headless::new(super::every::empty(), (81, 12)).keys("!").text();
    assert!(text.contains("everything that was asked for was read.\n"), "{text}");
}

#[test]
fn a_row_that_is_not_well_says_why_beside_the_title() {
    for size in [(80, 24), (180, 50)] {
        let mut screen = Headless::new(super::rich::rich(), size);
        let title = |screen: &Headless| screen.text().lines().nth(1).unwrap().to_owned();
        screen.keys("2");
        assert!(title(&screen).ends_with("why: instance status check failed (+2 more)"), "{}", screen.text());
        // A row that is well says nothing, and in full it says so itself.
        screen.keys("G");
        assert!(!title(&screen).contains("why"), "{}", screen.text());
        screen.keys("gg,l");
        assert!(!title(&screen).contains("why"), "as little as can be is sent\n{}", screen.text());
        // Kinds that keep no troubles say it in a column of theirs, which may be far to the right.
        screen.keys(",l:alarms<ret>");
        assert!(title(&screen).contains("why: Threshold Crossed"), "{}", screen.text());
    }
}
