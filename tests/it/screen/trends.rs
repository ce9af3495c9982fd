//! How figures went: on the overview and on the describe page, out of what was kept.

use super::fleet;
use coredeck::snapshot::{Held, Measure, Subject, Trend, Trends};
use coredeck::tui::headless::{Headless, headless};
use coredeck::world::World;
use std::sync::Arc;

/// Spans of minutes ago, from and to, in which a figure held a value.
fn trend(spans: &[(i64, i64, f64)]) -> Trend {
    let held = |(from, until, value): &(i64, i64, f64)| Held {
        from: fleet::ago(from * 60),
        until: fleet::ago(until * 60),
        value: *value,
    };
    Trend::of(spans.iter().map(held).collect())
}

/// The full fleet, with some courses.
fn world(courses: Vec<(Subject, Measure, Trend)>) -> Arc<World> {
    let mut world = World::clone(&fleet::full());
    let mut trends = Trends::default();
    for (subject, measure, trend) in courses {
        trends.put(subject, measure, trend);
    }
    world.timeline.trends = Arc::new(trends);
    Arc::new(world)
}

#[test]
fn the_overview_shows_how_the_fleet_went_where_there_is_room() {
    let shared = fleet::full().fleet.tiers.iter().find_map(|tier| tier.name.clone()).unwrap();
    let courses = || {
        vec![
            (Subject::Fleet, Measure::Instances, trend(&[(180, 90, 6.0), (60, 0, 9.0)])),
            (Subject::Fleet, Measure::Unwell, trend(&[(180, 0, 2.0)])),
            (Subject::Tier(Some(shared.clone())), Measure::Instances, trend(&[(180, 30, 1.0), (29, 0, 4.0)])),
        ]
    };
    let text = headless(world(courses()), "", (120, 50));
    assert!(text.contains("Trend  the last 6h"), "{text}");
    assert!(text.contains("now 9, 6 to 9") && text.contains("▅") && text.contains("█"), "{text}");
    assert!(text.contains("now 2, the same all along"), "{text}");
    assert!(text.contains(&format!("tier {shared}")) && text.contains("now 4, 1 to 4"), "{text}");
    // What is wrong comes before how it went.
    let small = headless(world(courses()), "", (80, 12));
    assert!(!small.contains("Trend"), "{small}");
    assert!(!headless(fleet::full(), "", (120, 50)).contains("Trend"), "nothing was kept");
}

#[test]
fn a_figure_without_a_course_draws_none_and_one_that_is_old_is_not_known() {
    let young = world(vec![(Subject::Fleet, Measure::Instances, trend(&[(3, 0, 6.0)]))]);
    assert!(!headless(young, "", (120, 50)).contains("Trend"), "three minutes are no course");
    let old = world(vec![(Subject::Fleet, Measure::Instances, trend(&[(90, 60, 6.0)]))]);
    let text = headless(old, "", (120, 50));
    assert!(text.contains("now ?, the same all along"), "{text}");
}

#[test]
fn a_group_and_an_instance_show_their_own() {
    let full = fleet::full();
    let group = &full.fleet.groups[0];
    let of_group = Subject::Group(group.scope.as_ref().clone(), group.it.name.clone());
    let instance = &full.fleet.instances[0];
    let of_instance = Subject::Instance(instance.scope.as_ref().clone(), instance.it.id.clone());
    let world = world(vec![
        (of_group.clone(), Measure::Running, trend(&[(50, 20, 3.0), (19, 0, 1.0)])),
        (of_group, Measure::Desired, trend(&[(50, 0, 3.0)])),
        (of_instance, Measure::Cpu, trend(&[(50, 20, 12.0), (19, 0, 99.0)])),
    ]);
    for size in [(80, 24), (180, 50)] {
        let text = Headless::new(Arc::clone(&world), size).keys(&format!(":{}<ret>", group.it.name)).text();
        assert!(text.contains("Trend  the last 1h"), "{text}");
        assert!(text.contains("running") && text.contains("now 1, 1 to 3"), "{text}");
        let text = Headless::new(Arc::clone(&world), size).keys(&format!(":{}<ret>", instance.it.id)).text();
        assert!(text.contains("now 99%, 12% to 99%"), "{text}");
    }
}
