//! Plans for hosts say whom they take down, before anybody says yes.

use super::bench::{Bench, intent};
use coredeck::model::Known;
use coredeck::ops::plan::Plan;
use coredeck::ops::{Confirm, Intent, Then};
use coredeck::world::World;

/// The host of a core of the registry.
fn host(world: &World, core: &str) -> String {
    let found = world.fleet.cores.iter().find(|one| one.id.as_str() == core).expect("a core");
    found.home.instance_id().expect("its host").to_string()
}

fn of(verb: &str, host: &str) -> Intent {
    let mut wanted = intent(verb, &[host]);
    wanted.options.ignore_do_not_disrupt = true;
    wanted.options.override_budget = true;
    wanted
}

#[tokio::test(flavor = "multi_thread")]
async fn every_plan_that_takes_a_customer_down_says_so_and_must_be_typed() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let host = host(&world, "prod-ashgrove");
    let down = format!(
        "core prod-ashgrove runs on {host}: tenant ashgrove has no other core that answers, and is down"
    );
    let last = format!("{host} is the last healthy target of core-ashgrove");
    let ends = Intent {
        options: coredeck::ops::Options { then: Then::Terminate, ..of("drain", &host).options },
        ..of("drain", &host)
    };
    for (wanted, until) in [
        (of("drain", &host), " until this is undone"),
        (ends, ""),
        (of("terminate", &host), ""),
        (of("reboot", &host), " until it has rebooted"),
    ] {
        let verb = wanted.verb.clone();
        let plan = bench.plan(wanted).await.unwrap();
        assert_eq!(plan.warnings[..2], [format!("{down}{until}"), last.clone()], "{verb}");
        assert_eq!(plan.losses.len(), 2, "{verb}: {:?}", plan.losses);
        assert_eq!(Plan::parse(&plan.json()).unwrap(), plan);
        // Whatever tier the host itself is in.
        let mut bare = plan.clone();
        bare.lanes[0].tier = None;
        assert_eq!(Confirm::of(&bare), Confirm::Words(host.clone()), "{verb}");
        bare.losses.clear();
        if verb == "drain" && until.starts_with(' ') {
            assert_eq!(Confirm::of(&bare), Confirm::Yes);
        }
    }
    assert!(bench.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_tasks_that_move_takes_nobody_down() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let moves = world.fleet.tasks.iter().find(|row| row.it.service() == Some("webhook-worker")).unwrap();
    let is_under = |row: &&coredeck::fleet::InstanceRow| matches!(&row.host, Known::Yes(Some(host)) if Some(&host.arn) == moves.it.host.as_ref());
    let id = world.fleet.instances.iter().find(is_under).unwrap().it.id.to_string();
    let plan = bench.plan(of("drain", &id)).await.unwrap();
    assert!(plan.losses.is_empty(), "{:?}", plan.losses);
}
