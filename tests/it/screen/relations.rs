//! From row to row: Enter, the jump menu, related lines, and the way back.

use super::fleet;
use super::rich::rich;
use coredeck::gateway::Reading;
use coredeck::model::{CoreRecord, Instance, InstanceState};
use coredeck::query::Kind;
use coredeck::tui::Input;
use coredeck::tui::headless::Headless;
use std::sync::Arc;

const SMALL: (u16, u16) = (80, 24);

/// What the path at the top ends with after these keys.
fn ends(keys: &str) -> String {
    let text = Headless::new(rich(), (180, 50)).keys(keys).text();
    text.lines().nth(1).unwrap().split("  ").next().unwrap().trim().to_string()
}

#[test]
fn every_step_between_a_tenant_and_an_image_is_there_both_ways() {
    // The tenant acme, its rule, target group, core, host, group, template and image; and all the way back.
    let there = [
        ("6", "tenants"),
        ("or", "rules"),
        ("ob", "target-groups"),
        ("oe", "cores"),
        ("oi", "instances"),
        ("oa", "groups"),
        ("op", "templates"),
        ("om", "images"),
    ];
    let back = [
        ("op", "templates"),
        ("oa/prod-api<ret>", "groups"),
        ("oe", "cores"),
        ("ob", "target-groups"),
        ("or", "rules"),
        ("on", "tenants"),
    ];
    let mut keys = String::new();
    for (more, page) in there.into_iter().chain(back) {
        keys.push_str(more);
        let path = ends(&keys);
        assert!(path.ends_with(page), "after {keys}: {path}");
    }
    let text = Headless::new(rich(), SMALL).keys(&keys).text();
    assert!(text.contains("acme"), "{text}");
}

#[test]
fn containers_lead_from_cluster_to_host_and_back() {
    let there =
        [("gc", "clusters"), ("os", "services"), ("ot", "tasks"), ("oh", "hosts"), ("oi", "instances")];
    let back = [("oh", "hosts"), ("ot", "tasks"), ("os", "services"), ("oc", "clusters")];
    let mut keys = String::new();
    for (more, page) in there.into_iter().chain(back) {
        keys.push_str(more);
        let path = ends(&keys);
        assert!(path.ends_with(page), "after {keys}: {path}");
    }
}

#[test]
fn a_tenants_group_is_two_keys_away_and_one_back() {
    let mut screen = Headless::new(rich(), SMALL);
    let tenants = screen.keys("6").text();
    let text = screen.keys("oa").text();
    assert!(text.contains("groups  1") && text.contains("▌ prod-api"), "{text}");
    assert_eq!(screen.keys("<esc>").text(), tenants);
    assert!(screen.keys("]").text().contains("▌ prod-api"), "forward again");
}

#[test]
fn the_menu_counts_says_how_well_and_leads_by_arrow_or_by_letter() {
    let mut screen = Headless::new(rich(), SMALL);
    let text = screen.keys("3/shared<ret>o").text();
    let line = |word: &str| {
        text.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}:\n{text}"))
    };
    assert!(text.contains("from group shared-hosts"), "{text}");
    assert!(line("i  instances").contains("6") && line("i  instances").contains("✖ 1 bad"), "{text}");
    assert!(line("p  templates").contains("core"), "{text}");
    assert!(screen.keys("k").text().lines().any(|line| line.contains("▌ v  events")), "{}", screen.text());
    assert!(screen.keys("j<ret>").text().contains("instances  6"), "{}", screen.text());
    let text = screen.keys("<esc>on").text();
    assert!(text.contains("no tenants belong to group shared-hosts"), "{text}");
    let text = screen.keys("<esc>").text();
    assert!(!text.contains("from group"), "{text}");
}

#[test]
fn a_tier_has_a_menu_too() {
    let mut screen = Headless::new(rich(), SMALL);
    let text = screen.keys("jjo").text();
    assert!(text.contains("from tier shared") && text.contains("i  instances  6"), "{text}");
    let text = screen.keys("s").text();
    assert!(text.contains("tier shared › services  2"), "{text}");
}

#[test]
fn a_tier_leads_to_what_is_wrong_in_it() {
    let core = |id: &str, host: u32| CoreRecord {
        id: id.into(),
        instance_id: Some(format!("i-{host:017x}").as_str().into()),
        tier: Some("production".into()),
        ..CoreRecord::default()
    };
    let mut part = fleet::part(
        "prod",
        "eu-west-1",
        vec![
            fleet::instance(10, "production", "prod-api", "eu-west-1"),
            fleet::instance(40, "development", "dev-hosts", "eu-west-1"),
            fleet::instance(0x105, "shared", "shared-hosts", "eu-west-1"),
        ],
    );
    let cores = vec![core("core-7", 10), core("core-8", 404)];
    fleet::settle(&mut part, Reading::Registry { cores, tenants: vec![], faults: vec![] });
    let mut screen = Headless::new(fleet::world(vec![part]), (120, 30));
    assert!(screen.text().contains("core core-8: its host"), "{}", screen.text());
    let text = screen.keys("j<ret>").text();
    assert!(text.contains("tier production › cores  2"), "{text}");
    let first = text.lines().nth(3).unwrap();
    assert!(first.contains("core-8") && first.contains("✖ bad"), "the worst first: {text}");
    // A machine that is not well is an instance, and so is what is looked at where all is well.
    for (keys, wanted) in
        [("1gg<ret>", "tier development › instances  1"), ("1G<ret>", "tier shared › instances  1")]
    {
        let text = screen.keys(keys).text();
        assert!(text.contains(wanted), "after {keys}: {text}");
    }
}

#[test]
fn related_lines_of_a_row_lead_on_with_enter() {
    let mut screen = Headless::new(rich(), (100, 40));
    let text = screen.keys("6d").text();
    assert!(text.contains("Related") && text.contains("core-7"), "{text}");
    let text = screen.keys("<tab>").text();
    assert!(text.lines().any(|line| line.starts_with("▌ ") && line.contains("core-7")), "{text}");
    let text = screen.keys("<ret>").text();
    assert!(text.contains("tenant acme › core core-7"), "{text}");
    // From a core to its host, and to its group.
    let text = screen.keys("<tab><tab><ret>").text();
    assert!(text.contains("instance i-0000000000000000a"), "{text}");
    assert!(screen.keys("<esc><esc>").text().contains("tenants › tenant acme"), "{}", screen.text());
    let all = screen.keys("<esc>3/shared<ret>d<tab><tab><tab><tab><tab><tab><ret>").text();
    assert!(all.contains("group shared-hosts › instances  6"), "more than are named lead to a list:\n{all}");
}

#[test]
fn events_of_a_row_stand_with_it_and_lead_back_to_it() {
    let mut screen = Headless::new(rich(), (100, 60));
    let text = screen.keys("2/i-00000000000000002<ret>d").text();
    assert!(
        text.contains("Events") && text.contains("in 4d") && text.contains("instance-retirement"),
        "{text}"
    );
    assert!(text.contains("Launching a new EC2 instance"), "{text}");
    let text = screen.keys("<esc>0jj<ret>").text();
    assert!(text.contains("groups  1") || text.contains("services  1"), "{text}");
}

#[test]
fn what_changed_in_the_last_hour_is_a_query() {
    let text = Headless::new(rich(), (180, 50)).keys("0/age<lt>1h<ret>").text();
    assert!(text.contains("Launching a new EC2 instance: i-00000000000000002"), "{text}");
    assert!(text.contains("instance refresh, 40 % done, 3 to go"), "{text}");
    assert!(!text.contains("instance-retirement"), "what is to come did not happen:\n{text}");
    assert!(!text.contains("no Spot capacity") && !text.contains("90m"), "{text}");
}

#[test]
fn a_row_that_is_gone_says_so_wherever_one_stands() {
    let nothing = || fleet::world(vec![fleet::part("prod", "eu-west-1", vec![])]);
    let mut screen = Headless::new(rich(), SMALL);
    screen.keys("3/shared<ret><ret>").input(Input::World(nothing()));
    assert!(screen.text().contains("group shared-hosts is not in the fleet any more"), "{}", screen.text());
    let mut screen = Headless::new(rich(), SMALL);
    screen.keys("2d").input(Input::World(nothing()));
    assert!(screen.text().contains("is not in the fleet any more"), "{}", screen.text());
    assert!(screen.keys("o").text().contains("there is no row to go from"), "{}", screen.text());
    for kind in Kind::ALL {
        let mut screen = Headless::new(rich(), SMALL);
        screen.keys(&format!(":{kind}<ret>vo")).input(Input::World(nothing()));
        screen.keys("<ret>jjd<tab><ret>");
        assert!(!screen.text().is_empty());
    }
}

#[test]
fn instances_that_are_gone_are_told_apart_where_all_are_counted() {
    let mut parts = fleet::parts();
    let all = parts[0].instances.value.clone().unwrap();
    let gone = format!("i-{:017x}", 11);
    let all = all.iter().map(|it| {
        let mut it = Instance::clone(it);
        if it.id.as_str() == gone {
            it.state = InstanceState::Terminated;
        }
        Arc::new(it)
    });
    fleet::settle(&mut parts[0], Reading::Instances(all.collect()));
    let world = fleet::world(parts);
    let mut screen = Headless::new(Arc::clone(&world), (120, 30));
    let text = screen.keys("3/prod-api<ret>o").text();
    let way = text.lines().find(|line| line.contains("instances  16")).unwrap_or_else(|| panic!("{text}"));
    assert!(way.ends_with("1 gone"), "{way}");
    // And in full, where so many are not named.
    let mut screen = Headless::new(world, (120, 90));
    let text = screen.keys("3/prod-api<ret>d").text();
    assert!(text.contains("all 16") && text.contains(", 1 gone"), "{text}");
}
