//! Groups that get smaller while some of their members may not go, or do not count.

use super::bench::{Bench, intent};
use super::groups::end;
use crate::sim_groups::asg;
use coredeck::fleet::GroupRow;
use coredeck::ops::{Confirm, Outcome, Plan, Timer, Undo};
use jiff::SignedDuration;

const GROUP: &str = "dev-hosts";

/// Lets so many seconds go by.
async fn pass(bench: &Bench, seconds: i64) {
    let at = bench.timer.now() + SignedDuration::from_secs(seconds);
    bench.timer.until(at).await;
}

/// Asks AWS something of these members, as somebody else would.
async fn told(bench: &Bench, action: &str, ids: &[&str], rest: &str) {
    let ids: Vec<String> = (1..).zip(ids).map(|(at, id)| format!("InstanceIds.member.{at}={id}")).collect();
    let rest = format!("AutoScalingGroupName={GROUP}&{}&{rest}", ids.join("&"));
    let answer = asg(&bench.running, action, &rest).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{action}: {answer}");
}

async fn group(bench: &Bench) -> GroupRow {
    let world = bench.world("scale").await;
    world.fleet.groups.iter().find(|row| row.it.name.as_str() == GROUP).unwrap().clone()
}

/// The plan that makes it smaller, with how many steps it has.
async fn smaller(bench: &Bench, desired: u32) -> (Plan, usize) {
    let mut wanted = intent("scale", &[GROUP]);
    wanted.options.desired = Some(desired);
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap();
    let steps = plan.lanes[0].steps.len();
    (plan, steps)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_group_is_not_waited_for_beyond_those_who_are_in_standby() {
    let bench = Bench::new().await;
    let first = group(&bench).await.it.members[0].id.clone();
    told(&bench, "EnterStandby", &[first.as_str()], "ShouldDecrementDesiredCapacity=true").await;
    pass(&bench, 5).await;
    let before = group(&bench).await;
    assert_eq!((before.it.desired, before.it.members.len()), (11, 12));
    let (plan, steps) = smaller(&bench, 10).await;
    assert_eq!(steps, 2);
    let said = plan.warnings.join("\n");
    assert!(
        said.contains("ends 1 of 12 instances") && said.contains("; 1 is in standby and stays"),
        "{said}"
    );
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done));
    let after = group(&bench).await;
    assert_eq!((after.it.desired, after.it.members.len()), (10, 11));
    assert!(after.it.members.iter().any(|one| one.id == first && one.state == "Standby"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_members_that_are_protected_it_is_said_that_they_stay_and_nobody_waits_for_them() {
    let bench = Bench::new().await;
    let members = group(&bench).await.it;
    let ids: Vec<&str> = members.members.iter().map(|one| one.id.as_str()).collect();
    told(&bench, "SetInstanceProtection", &ids[1..], "ProtectedFromScaleIn=true").await;
    pass(&bench, 5).await;
    // The one that may go goes; the others stay, though fewer are wanted.
    let (plan, steps) = smaller(&bench, 9).await;
    assert_eq!(steps, 2);
    let said = plan.warnings.join("\n");
    assert!(
        said.contains(&format!("ends {}; 11 are protected from that and stay", ids[0]))
            && said.contains("stays at 11 instead of 9")
            && said.contains(&format!("`coredeck unprotect {}`", ids[1])),
        "{said}"
    );
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done));
    let after = group(&bench).await;
    assert_eq!((after.it.desired, after.it.members.len()), (9, 11));
    assert!(after.it.members.iter().all(|one| one.id.as_str() != ids[0]));
    // Nobody may go any more: nothing is waited for at all.
    let (plan, steps) = smaller(&bench, 8).await;
    assert_eq!(steps, 1);
    assert!(plan.warnings.iter().any(|line| line.contains("ends nobody now")), "{:?}", plan.warnings);
    // What the plan names lets one go.
    let plan_of_one = bench.plan(intent("unprotect", &[ids[1]])).await.unwrap();
    let said = plan_of_one.warnings.join("\n");
    let ended = format!("has more than the 9 that it wants: unprotected, {} is ended", ids[1]);
    assert!(said.contains(&ended), "{said}");
    // That is no small thing any more, and cannot be undone.
    assert_eq!(Confirm::of(&plan_of_one), Confirm::Words(ids[1].to_owned()));
    assert!(matches!(plan_of_one.lanes[0].steps[0].undo, Undo::Impossible { .. }));
    let op = bench.run(&bench.enter(&plan_of_one).id).await;
    assert_eq!(end(&op), Some(Outcome::Done));
    pass(&bench, 600).await;
    let after = group(&bench).await;
    assert_eq!((after.it.desired, after.it.members.len()), (9, 10));
    // Where nobody is too many it is as harmless as ever.
    let (plan, _) = smaller(&bench, 10).await;
    bench.run(&bench.enter(&plan).id).await;
    let plan_of_one = bench.plan(intent("unprotect", &[ids[2]])).await.unwrap();
    assert_eq!(Confirm::of(&plan_of_one), Confirm::Yes);
    assert!(plan_of_one.warnings.is_empty(), "{:?}", plan_of_one.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_already_is_not_counted_and_is_waited_for() {
    let bench = Bench::new().await;
    let first = group(&bench).await.it.members[0].id.clone();
    let rest = format!("InstanceId={first}&ShouldDecrementDesiredCapacity=true");
    let answer = asg(&bench.running, "TerminateInstanceInAutoScalingGroup", &rest).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let before = group(&bench).await;
    assert!(before.it.desired == 11 && before.it.members[0].state.starts_with("Terminating"));
    let (plan, _) = smaller(&bench, 10).await;
    let said = plan.warnings.join("\n");
    assert!(said.contains("ends 1 of 11 instances") && !said.contains(first.as_str()), "{said}");
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done));
    let after = group(&bench).await;
    assert_eq!((after.it.desired, after.it.members.len()), (10, 10));
}
