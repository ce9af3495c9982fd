//! A world that changes nothing on the screen has no frame drawn. `Headless` itself checks, in every test that drives it,
//! that a frame which is spared would have been the same.

use super::fleet::{denied, full, later, now, read_again};
use super::matrix::{SIZES, open, pages};
use super::rich::rich;
use coredeck::gateway::Source;
use coredeck::tui::Input;
use coredeck::tui::headless::Headless;
use coredeck::world::World;
use std::sync::Arc;

#[test]
fn no_frame_is_drawn_of_a_list_that_says_what_it_said() {
    let world = rich();
    for size in SIZES {
        let mut spared = Vec::new();
        for (page, keys) in pages() {
            let mut screen = open(&world, size, &page, &keys);
            screen.input(Input::Tick(later(now(), 7))).input(Input::World(read_again(&world, 7)));
            if screen.spared == 1 {
                spared.push(page);
            }
        }
        for list in
            ["instances", "cores", "tenants", "groups", "services", "tasks", "targets", "alarms", "grouped"]
        {
            assert!(spared.iter().any(|page| page == list), "{list} is drawn in vain: {spared:?}");
        }
        // Others show more than rows: calls go on, and what a card or a box says is not looked into.
        for other in
            ["overview", "calls", "events", "instances in full", "troubles", "split", "palette", "jump menu"]
        {
            assert!(!spared.iter().any(|page| page == other), "{other} may say something else");
        }
    }
}

#[test]
fn a_frame_is_drawn_of_whatever_shows() {
    let before = full();
    let drawn = |what: &str, change: &dyn Fn(&mut World)| {
        let mut screen = Headless::new(Arc::clone(&before), (180, 50));
        screen.keys("2");
        let shown = screen.frame();
        let mut world = World::clone(&before);
        change(&mut world);
        screen.input(Input::World(Arc::new(world)));
        assert_eq!(screen.spared, 0, "{what}");
        assert_ne!(screen.frame(), shown, "{what} does not show at all");
    };
    drawn("a trouble", &|world| {
        let mut snapshot = world.snapshot.as_ref().clone();
        Arc::make_mut(&mut snapshot.parts[0]).failed(Source::Alarms, denied());
        world.snapshot = Arc::new(snapshot);
    });
    drawn("a count that grew by a step", &|world| world.spending.calls *= 10);
    drawn("a call that was held back", &|world| world.spending.throttles += 1);
    drawn("the past", &|world| world.timeline.past = Some(now()));
    drawn("an instance that is gone", &|world| {
        let mut fleet = world.fleet.as_ref().clone();
        fleet.instances = fleet.instances.iter().skip(1).cloned().collect();
        world.fleet = Arc::new(fleet);
    });
}
