//! Whom plans take down, on small fleets made by hand.

use super::said::{sayings, unread};
use super::{Ending, Turn, Until, losses};
use crate::fleet::made::{core, group, instance, tenant, tiers};
use crate::fleet::{Fleet, GroupRow, Item, join};
use crate::gateway::change::{Change, TargetRef};
use crate::gateway::{Reading, Source};
use crate::model::{
    CoreRecord, Member, Rule, Scope, Target, TargetGroup, TargetState, TenantRecord, Trouble, TroubleKind,
};
use crate::ops::condition::Condition;
use crate::ops::plan::{Lane, Proof, Step, Undo, leg};
use crate::snapshot::{Part, Snapshot};
use jiff::Timestamp;
use std::sync::Arc;

fn scope() -> Scope {
    Scope { account: "a".into(), region: "r".into() }
}

fn arn(group: &str) -> String {
    format!("arn:aws:elasticloadbalancing:r:1:targetgroup/{group}/1")
}

fn target(group: &str, host: &str, state: TargetState) -> Target {
    let (zone, reason, description) = (None, None, None);
    Target {
        group: arn(group).as_str().into(),
        id: host.into(),
        port: Some(3567),
        zone,
        state,
        reason,
        description,
    }
}

fn rule(tenant: &str, group: &str) -> Rule {
    Rule {
        arn: format!("rule-{tenant}").as_str().into(),
        balancer: "lb".into(),
        balancer_name: "lb".into(),
        balancer_dns: None,
        port: Some(443),
        priority: "1".into(),
        hosts: vec![format!("{tenant}.example.com").into()],
        paths: vec![],
        forwards: vec![(arn(group).as_str().into(), 1)],
        other_action: None,
    }
}

fn fleet(
    targets: Vec<Target>,
    rules: Vec<Rule>,
    cores: Vec<CoreRecord>,
    tenants: Vec<TenantRecord>,
) -> Fleet {
    let target_group = |name: &str| TargetGroup {
        arn: arn(name).as_str().into(),
        name: name.into(),
        protocol: None,
        port: None,
        target_type: "instance".into(),
        vpc_id: None,
        health_path: None,
        balancers: vec!["lb".into()],
    };
    let mut part = Part::new(Arc::new(scope()));
    let mut workers = group("workers", &["i-1", "i-2"], "1");
    workers.target_groups = vec![arn("shared").as_str().into()];
    let readings = vec![
        Reading::Groups(vec![workers]),
        Reading::Instances(["i-1", "i-2", "i-3"].map(|id| Arc::new(instance(id, &[]))).to_vec()),
        Reading::TargetGroups(["own", "shared"].map(target_group).to_vec()),
        Reading::Targets(targets),
        Reading::Rules(rules),
        Reading::Registry { cores, tenants, faults: vec![] },
    ];
    for reading in readings {
        part.settle(reading, Timestamp::UNIX_EPOCH, true);
    }
    let taken_at = Timestamp::UNIX_EPOCH;
    join(&Snapshot { seq: 1, taken_at, parts: vec![Arc::new(part)], troubles: vec![] }, &tiers())
}

fn placed(id: &str, host: &str, tier: &str) -> CoreRecord {
    CoreRecord { tier: Some(tier.into()), port: Some(3567), ..core(id, host) }
}

fn lane(host: &str, change: Change) -> Lane {
    Lane {
        name: host.to_owned(),
        target: host.to_owned(),
        scope: scope(),
        tier: None,
        facts: vec![],
        steps: vec![Step {
            title: String::new(),
            go: leg(change, Condition::Taken, 1, 1),
            undo: Undo::Nothing,
            proof: Proof::Checked,
            expected_s: 1,
            may_be_forced: false,
        }],
    }
}

fn out(host: &str, group: &str) -> Lane {
    let targets = vec![TargetRef { id: host.into(), port: Some(3567), zone: None }];
    lane(host, Change::Deregister { target_group: arn(group).as_str().into(), targets })
}

fn ended(host: &str) -> Lane {
    lane(host, Change::TerminateInstances { instances: vec![host.into()] })
}

fn said(fleet: &Fleet, lanes: &[Lane]) -> Vec<String> {
    sayings(&losses(fleet, lanes, &[], &[]))
}

#[test]
fn the_only_core_of_a_tenant_is_said_with_the_last_target_of_its_group_until_when() {
    let fleet = fleet(
        vec![target("own", "i-1", TargetState::Healthy)],
        vec![rule("t1", "own")],
        vec![placed("c1", "i-1", "production")],
        vec![tenant("t1", "c1", "production")],
    );
    let down = "core c1 runs on i-1: tenant t1 has no other core that answers, and is down";
    let last = "i-1 is the last healthy target of own";
    assert_eq!(said(&fleet, &[out("i-1", "own")]), [format!("{down} until this is undone").as_str(), last]);
    assert_eq!(said(&fleet, &[ended("i-1")]), [down, last]);
    let reboot = lane("i-1", Change::RebootInstances { instances: vec!["i-1".into()] });
    assert_eq!(said(&fleet, &[reboot]), [format!("{down} until it has rebooted").as_str(), last]);
    let stopped = lane("i-1", Change::StopInstances { instances: vec!["i-1".into()] });
    assert_eq!(losses(&fleet, &[stopped], &[], &[])[0].until, Until::Undone);
    // Another host's end is nothing to it.
    assert!(said(&fleet, &[ended("i-2")]).is_empty());
}

#[test]
fn what_another_healthy_target_carries_is_no_loss_until_that_one_goes_too() {
    let all = |second| {
        let targets = vec![target("shared", "i-1", TargetState::Healthy), target("shared", "i-2", second)];
        let rules = vec![rule("t1", "shared"), rule("t2", "shared")];
        let cores = vec![placed("c1", "i-1", "shared"), placed("c2", "i-2", "shared")];
        fleet(targets, rules, cores, vec![tenant("t1", "c1", "production"), tenant("t2", "c1", "production")])
    };
    let fleet = all(TargetState::Healthy);
    assert!(said(&fleet, &[ended("i-1")]).is_empty(), "{:?}", said(&fleet, &[ended("i-1")]));
    let both = [
        "core c1 runs on i-1: 2 tenants (t1, t2) have no other core that answers, and are down",
        "core c2 runs on i-2: no other answers in its place, and it is down",
        "i-1 and i-2 are the last healthy targets of shared",
    ];
    assert_eq!(said(&fleet, &[ended("i-1"), ended("i-2")]), both);
    // One that is not healthy carries nobody.
    let alone = said(&all(TargetState::Unhealthy), &[ended("i-1")]);
    assert_eq!(alone, [both[0], "i-1 is the last healthy target of shared"]);
}

#[test]
fn a_core_without_a_load_balancer_goes_with_its_host_alone() {
    let fleet = fleet(
        vec![target("own", "i-1", TargetState::Healthy)],
        vec![],
        vec![placed("c1", "i-1", "dev"), CoreRecord { port: Some(3568), ..placed("c2", "i-1", "dev") }],
        vec![tenant("t2", "c2", "development")],
    );
    // c2 is in no target group: what leaves one does not concern it.
    let first = "core c1 runs on i-1: no other answers in its place, and it is down";
    let last = "i-1 is the last healthy target of own";
    assert_eq!(said(&fleet, &[out("i-1", "own")]), [format!("{first} until this is undone").as_str(), last]);
    let second = "core c2 runs on i-1: tenant t2 has no other core that answers, and is down";
    assert_eq!(said(&fleet, &[ended("i-1")]), [second, first, last]);
}

#[test]
fn targets_that_were_not_read_are_no_good_news() {
    let fleet =
        fleet(vec![], vec![rule("t1", "own")], vec![placed("c1", "i-1", "x")], vec![tenant("t1", "c1", "p")]);
    let found = losses(&fleet, &[ended("i-1")], &[], &[scope()]);
    assert!(found[0].is_open);
    let line = "core c1 runs on i-1: whether tenant t1 has another core that answers is not known; otherwise it is down";
    assert_eq!(sayings(&found), [line]);
}

#[test]
fn of_many_cores_some_are_named_production_first_and_the_others_counted() {
    let id = |at: u32| format!("c{at}");
    let mut cores: Vec<_> = (0..8).map(|at| placed(&id(at), "i-1", "development")).collect();
    cores.push(placed("last", "i-1", "production"));
    let tenants = (0..8).map(|at| tenant(&format!("t{at}"), &id(at), "development")).collect();
    let lines = said(&fleet(vec![], vec![], cores, tenants), &[ended("i-1")]);
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[0].starts_with("core last "), "{lines:?}");
    assert_eq!(lines[5], "and 4 more cores go down, with 4 tenants");
}

#[test]
fn what_could_not_be_read_is_said_where_somebody_may_be_taken_down() {
    let mut part = Part::new(Arc::new(scope()));
    for reading in [Reading::Targets(vec![]), Reading::Rules(vec![])] {
        part.settle(reading, Timestamp::UNIX_EPOCH, true);
    }
    part.failed(
        Source::Registry,
        Trouble {
            kind: TroubleKind::Denied,
            call: "ssm:GetParametersByPath".into(),
            code: None,
            message: "not allowed".into(),
            hint: None,
            request_id: None,
            at: Timestamp::UNIX_EPOCH,
        },
    );
    let snapshot =
        Snapshot { seq: 1, taken_at: Timestamp::UNIX_EPOCH, parts: vec![Arc::new(part)], troubles: vec![] };
    let fleet = join(&snapshot, &tiers());
    let line = "who goes down with it is not wholly known: not read were registry of a/r (not allowed)";
    assert_eq!(unread(&snapshot, &fleet, &[ended("i-1")], &[]), [line]);
    let start = lane("i-1", Change::StartInstances { instances: vec!["i-1".into()] });
    assert!(unread(&snapshot, &fleet, &[start], &[]).is_empty());
}

/// What is said where the group of the first two hosts ends them by itself.
fn by_group(fleet: &Fleet, ending: impl Fn(&GroupRow) -> Ending) -> Vec<String> {
    sayings(&losses(fleet, &[], &[ending(&fleet.groups[0])], &[]))
}

/// Both members are replaced, so many of them at once.
fn replaced(at_once: u32) -> impl Fn(&GroupRow) -> Ending {
    move |row| Ending::replaced(row, vec!["i-1".into(), "i-2".into()], at_once)
}

/// A core on each of two members: one in a target group of its own, one in that of their group, as its twin is.
fn two_members() -> Fleet {
    fleet(
        vec![
            target("own", "i-1", TargetState::Healthy),
            target("shared", "i-1", TargetState::Healthy),
            target("shared", "i-2", TargetState::Healthy),
        ],
        vec![rule("t1", "own"), rule("t2", "shared")],
        vec![placed("c1", "i-1", "production"), placed("c2", "i-2", "shared")],
        vec![tenant("t1", "c1", "production"), tenant("t2", "c2", "production")],
    )
}

#[test]
fn members_that_are_replaced_take_down_what_no_replacement_carries() {
    let two = two_members();
    let down = "core c1 runs on i-1: tenant t1 has no other core that answers, and is down";
    let last = "i-1 is the last healthy target of own";
    // Whoever comes in their place enters the group's own target group, and one of them is always there.
    for at_once in [0, 1] {
        assert_eq!(by_group(&two, replaced(at_once)), [down, last], "{at_once}");
    }
    // Where all of them go before the first replacement comes it is empty meanwhile.
    let second = "core c2 runs on i-2: tenant t2 has no other core that answers, and is down until another member \
                  answers in its place";
    let both = "i-1 and i-2 are the last healthy targets of shared";
    assert_eq!(by_group(&two, replaced(2)), [down, second, last, both]);
    // A group that serves nobody takes nobody down.
    assert!(by_group(&fleet(vec![], vec![], vec![], vec![]), replaced(2)).is_empty());
}

#[test]
fn of_a_smaller_group_it_is_said_who_could_be_down_and_never_that_more_go_than_do() {
    let two = two_members();
    let own =
        "core c1 runs on i-1: if AWS chooses that one, tenant t1 has no other core that answers, and is down";
    // One of two in the shared target group stays, whichever that is.
    assert_eq!(by_group(&two, |row| Ending::fewer(row, 1)), [own, "i-1 is the last healthy target of own"]);
    let all = by_group(&two, |row| Ending::fewer(row, 0));
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all.iter().all(|line| !line.contains("if AWS")), "{all:?}");
    let changed = |change: &dyn Fn(&mut Member), desired: u32| {
        let mut group = group("workers", &["i-1", "i-2"], "1");
        change(&mut group.members[0]);
        let row = GroupRow { it: Item::all(&Arc::new(vec![group])).next().unwrap(), ..two.groups[0].clone() };
        Ending::fewer(&row, desired)
    };
    // Who is protected stays, so that the other one is it; and so does who is in standby.
    let protected = changed(&|one| one.is_protected = true, 1);
    for ending in [protected, changed(&|one| one.state = "Standby".into(), 0)] {
        assert_eq!((ending.turn, ending.some_of_them()), (Turn::Fewer { count: 1 }, None));
        assert!(sayings(&losses(&two, &[], &[ending], &[])).is_empty());
    }
    // Who leaves already is not one of those that go, and not one that stays in their place.
    let leaving = changed(&|one| one.state = "Terminating:Wait".into(), 0);
    assert_eq!((leaving.members.len(), leaving.turn), (1, Turn::Fewer { count: 1 }));
    // Where no more count than are wanted nobody goes.
    let none = changed(&|one| one.state = "Terminating".into(), 1);
    assert!(none.members.is_empty() && none.turn == Turn::Fewer { count: 0 });
    // Four units may be one heavy member, or four light ones.
    let heavy = changed(&|one| one.weight = Some(4), 4);
    assert_eq!(heavy.turn, Turn::Fewer { count: 1 });
}
