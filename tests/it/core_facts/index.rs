//! The page that says of each recorded fact where it is held, held to the table and to the tests.

use super::rows::table;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/core-facts.md");

/// Everything between backquotes in the second column.
fn named() -> Vec<&'static str> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fact"));
    let held = rows.filter_map(|line| line.split(" | ").nth(1));
    held.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn each_line_of_the_table_stands_in_the_page_and_each_name_of_the_page_is_there() {
    let lines: Vec<&str> = table().iter().map(|fact| fact.what).collect();
    let once: BTreeSet<&str> = lines.iter().copied().collect();
    assert_eq!(once.len(), lines.len(), "two lines of one name");
    let named = named();
    let missing: Vec<_> = once.iter().filter(|what| !named.contains(what)).collect();
    assert!(missing.is_empty(), "the page does not say what these hold: {missing:#?}");
    let tests = [
        include_str!("sweeps.rs"),
        include_str!("stops.rs"),
        include_str!("stories.rs"),
        include_str!("../core_api.rs"),
        include_str!("../core_words.rs"),
        include_str!("../sim_hosts.rs"),
        include_str!("../logs.rs"),
        include_str!("../troubles_at_once.rs"),
        include_str!("../ops/cores.rs"),
        include_str!("../ops/inventory.rs"),
        include_str!("../ops/together.rs"),
        include_str!("../ops/config.rs"),
        include_str!("../../../src/supertokens/refusal.rs"),
        include_str!("../../../src/supertokens/tally.rs"),
        include_str!("../../../src/sim/cores/flight.rs"),
        include_str!("../../../src/sim/cores/memory.rs"),
        include_str!("../../../src/sim/cores/seed.rs"),
        include_str!("../../../src/sim/cores/place.rs"),
        include_str!("../../../src/sim/cores/pool.rs"),
        include_str!("../../../src/logs/line.rs"),
        include_str!("../../../src/model/admin.rs"),
    ];
    let is_test = |name: &str| tests.iter().any(|text| text.contains(&format!("fn {name}(")));
    let unknown: Vec<_> = named.iter().filter(|name| !once.contains(*name) && !is_test(name)).collect();
    assert!(unknown.is_empty(), "the page names what is not there: {unknown:#?}");
}
