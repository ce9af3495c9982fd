//! `core start`: its undo promises no more than is known, and what it is planned on is what it finds.

use super::bench::{Bench, intent};
use super::config::{ONE, rig};
use super::successors::by_hand;
use coredeck::gateway::change::{TargetRef, Token};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::Scope;
use coredeck::ops::{Intent, OpState, Outcome, Plan, Undo};

fn free(verb: &str) -> Intent {
    let mut intent = intent(verb, &[ONE]);
    intent.options.override_budget = true;
    intent
}

async fn planned(bench: &Bench, verb: &str) -> Plan {
    bench.plan(free(verb)).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source))
}

async fn done(bench: &Bench, plan: &Plan) -> OpState {
    let op = bench.run(&bench.enter(plan).id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    op
}

/// Why the step that begins so is undone only in part.
fn doubt(plan: &Plan, begins: &str) -> Option<String> {
    let steps = plan.lanes[0].steps.iter();
    match &steps.clone().find(|step| step.title.starts_with(begins)).expect("the step").undo {
        Undo::BestEffort { why, .. } => Some(why.clone()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_a_core_whose_database_nobody_knows_is_never_called_exact() {
    let bench = rig().await;
    done(&bench, &planned(&bench, "core stop").await).await;
    // A core that is down cannot be asked; to stop it once more may lose what its users did meanwhile.
    let start = planned(&bench, "core start").await;
    let why = doubt(&start, "start supertokens-").expect("no promise");
    assert!(why.contains("could not be asked"), "{why}");
    let started = done(&bench, &start).await;
    // Whoever takes that back, and then that, is promised no more.
    let back = bench.undo(&started).await.unwrap();
    assert!(doubt(&back, "undo: start supertokens-").expect("no promise").contains("could not be asked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_planned_while_the_core_ran_rests_on_that() {
    let bench = rig().await;
    let world = bench.world("core start").await;
    let core = world.fleet.cores.iter().find(|core| core.id.as_str() == ONE).unwrap();
    let host = core.home.instance_id().unwrap().clone();
    let row = world.fleet.targets.iter().find(|row| row.it.id == host.as_str()).expect("a target");
    let scope = Scope::clone(&row.scope);
    // It runs, and somebody took it out of traffic by hand.
    let targets = vec![TargetRef { id: row.it.id.clone(), port: row.it.port, zone: None }];
    let out = Change::Deregister { target_group: row.it.group.clone(), targets };
    bench.writer().write(&scope, &out, &Token::of(&["test"])).await.unwrap();
    let look = Look::Targets { group: row.it.group.clone() };
    for _ in 0..20 {
        let Seen::Targets(left) = bench.aws.look(&scope, &look).await.unwrap() else { panic!() };
        if left.iter().all(|target| target.id != host.as_str()) {
            break;
        }
        bench.running.step(std::time::Duration::from_secs(60));
    }
    let plan = planned(&bench, "core start").await;
    let text = coredeck::ops::preview::text(&plan);
    assert!(text.contains("runs and answers already: only its traffic is given back"), "{text}");
    // It stops before the plan is run: taken back, it would be left running, which it is not now.
    by_hand(&bench, host.as_str(), &format!("docker stop supertokens-{ONE}")).await;
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Failed), "{:?}", op.lanes);
    let why = op.lanes[0].why.join(" ");
    assert!(why.contains(&format!("served by {ONE}")), "{why}");
}
