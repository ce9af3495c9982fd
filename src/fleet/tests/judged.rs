//! How rows are judged by what other lists say, and by how old those are.

use super::{core, instance, joined_parts, part_of, registry, tenant};
use crate::gateway::Reading;
use crate::model::{Alarm, AlarmState, Health, Known, Rule, TargetGroup, WhyUnknown};
use crate::snapshot::Part;
use jiff::Timestamp;

fn target_group(name: &str) -> TargetGroup {
    TargetGroup {
        arn: name.into(),
        name: name.into(),
        protocol: None,
        port: None,
        target_type: "instance".into(),
        vpc_id: None,
        health_path: None,
        balancers: vec!["lb".into()],
    }
}

fn rule_to(group: &str) -> Rule {
    Rule {
        arn: "rule".into(),
        balancer: "lb".into(),
        balancer_name: "lb".into(),
        balancer_dns: None,
        port: Some(443),
        priority: "1".into(),
        hosts: vec![],
        paths: vec![],
        forwards: vec![(group.into(), 1)],
        other_action: None,
    }
}

#[test]
fn an_alarm_that_rings_is_a_reason_for_the_instance_that_it_names() {
    let alarm = |name: &str, id: &str, state, actions_enabled| Alarm {
        name: name.into(),
        arn: name.into(),
        state,
        reason: None,
        changed_at: None,
        namespace: None,
        metric: None,
        dimensions: vec![("InstanceId".into(), id.into())],
        description: None,
        actions_enabled,
    };
    let alarms = vec![
        alarm("cpu-high", "i-1", AlarmState::Alarm, true),
        alarm("disk", "i-1", AlarmState::Ok, true),
        alarm("old", "i-2", AlarmState::Alarm, false),
    ];
    let instances = vec![instance("i-1", &[]), instance("i-2", &[]), instance("i-3", &[])];
    // One account watches over the instances of another.
    let fleet = joined_parts(vec![
        part_of("r1", vec![Reading::Instances(instances)]),
        part_of("r2", vec![Reading::Alarms(alarms)]),
    ]);
    let told: Vec<_> = fleet.instances.iter().map(|row| (row.health, row.troubles.clone())).collect();
    assert_eq!(told[0], (Health::Warn, vec!["alarm cpu-high rings".to_owned()]));
    assert_eq!(told[1], (Health::Warn, vec!["alarm old rings, its actions are off".to_owned()]));
    assert!(told[2].1.is_empty());
}

#[test]
fn tenants_of_a_core_are_not_known_before_every_registry_is() {
    let here = registry(vec![core("c", "i-1")], vec![tenant("t1", "c", "production")]);
    let there = registry(vec![], vec![tenant("t2", "c", "production")]);
    let mut core_row = core("c", "i-1");
    core_row.tier = Some("shared".into());
    let here_shared = registry(vec![core_row], vec![tenant("t1", "c", "production")]);
    let half = joined_parts(vec![part_of("r1", vec![here_shared.clone()]), part_of("r2", vec![])]);
    assert_eq!(half.cores[0].tenants, Known::No(WhyUnknown::NotAsked));
    assert_eq!(half.cores[0].room, Known::No(WhyUnknown::NotAsked));
    let whole = joined_parts(vec![part_of("r1", vec![here_shared]), part_of("r2", vec![there.clone()])]);
    assert_eq!((whole.cores[0].tenants, whole.cores[0].room), (Known::Yes(2), Known::Yes(Some(0))));
    let no_tier = joined_parts(vec![part_of("r1", vec![here]), part_of("r2", vec![])]);
    assert_eq!(no_tier.cores[0].room, Known::Yes(None), "no tier sets a density");
}

/// Target groups are read more often than targets. Each time that they were the younger list, a group without
/// targets was said to be unknown until targets were read again, and bad after: the verdict flickered.
#[test]
fn a_target_group_that_was_read_again_and_is_the_same_is_judged_as_before() {
    let groups = || Reading::TargetGroups(vec![target_group("tg")]);
    let rules = || Reading::Rules(vec![rule_to("tg")]);
    let second = |n| Timestamp::from_second(n).unwrap();
    let mut part = part_of("r", vec![]);
    part.settle(groups(), second(0), true);
    part.settle(rules(), second(0), true);
    part.settle(Reading::Targets(vec![]), second(5), true);
    let judged = |part: &Part| {
        let fleet = joined_parts(vec![part.clone()]);
        (fleet.target_groups[0].health, fleet.rules[0].health)
    };
    let before = judged(&part);
    assert_eq!(before, (Health::Warn, Health::Bad));
    part.settle(groups(), second(10), true);
    part.settle(rules(), second(10), true);
    assert_eq!(judged(&part), before, "the same groups again say nothing new");
    // One that is new may have targets that nobody asked for yet.
    part.settle(Reading::TargetGroups(vec![target_group("new")]), second(20), true);
    assert_eq!(judged(&part).0, Health::Unknown);
}
