//! The plan of a way back says what it sets, and not only what it takes back.

use super::bench::{Bench, intent};
use super::groups::{end, taken_back};
use coredeck::model::Known;
use coredeck::ops::{Outcome, preview};

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_of_a_drain_says_that_it_sets_active() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let moves = world.fleet.tasks.iter().find(|row| row.it.service() == Some("webhook-worker")).unwrap();
    let is_under = |row: &&coredeck::fleet::InstanceRow| matches!(&row.host, Known::Yes(Some(host)) if Some(&host.arn) == moves.it.host.as_ref());
    let id = world.fleet.instances.iter().find(is_under).unwrap().it.id.to_string();
    let mut wanted = intent("drain", &[&id]);
    wanted.options.override_budget = true;
    let done = bench.run(&bench.enter(&bench.plan(wanted).await.unwrap()).id).await;
    assert_eq!(end(&done), Some(Outcome::Done));
    let back = taken_back(&bench, &done).await;
    let text = preview::text(&back);
    assert!(text.contains(&format!("undo: set {id} to DRAINING (back to ACTIVE)")), "{text}");
    let was: Vec<String> = back.lanes[0].facts.iter().map(|fact| fact.was.to_string()).collect();
    assert!(was.contains(&"DRAINING".to_owned()), "what is so before it: {was:?}");
    // And once more: no chain of words grows out of it.
    let undone = bench.run(&bench.enter(&back).id).await;
    let again = taken_back(&bench, &undone).await;
    assert_eq!(again.lanes[0].steps[0].title, format!("once more: set {id} to DRAINING"));
}
