//! The join, on small hand-made parts.

use super::made::{self, core, group, template, tenant, tiers};
use super::{Fleet, join};
use crate::gateway::{Reading, Source};
use crate::model::{
    Check, CoreRecord, Health, Home, Instance, InstanceState, InstanceStatus, Known, Rule, Scope, Service,
    Tags, Target, TargetGroup, TargetState, Task, TenantRecord, Trouble, TroubleKind, WhyUnknown,
};
use crate::snapshot::{Part, Snapshot};
use jiff::Timestamp;
use std::sync::Arc;

mod judged;

fn instance(id: &str, tags: &[(&str, &str)]) -> Arc<Instance> {
    Arc::new(made::instance(id, tags))
}

fn joined(readings: Vec<Reading>) -> Fleet {
    let at = Timestamp::UNIX_EPOCH;
    let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "us-east-1".into() }));
    for reading in readings {
        part.settle(reading, at, true);
    }
    snapshot(part)
}

fn snapshot(part: Part) -> Fleet {
    let at = Timestamp::UNIX_EPOCH;
    join(&Snapshot { seq: 1, taken_at: at, parts: vec![Arc::new(part)], troubles: vec![] }, &tiers())
}

#[test]
fn an_instance_gets_its_group_tier_and_what_else_is_known_of_it() {
    let fleet = joined(vec![
        Reading::Instances(vec![instance("i-1", &[]), instance("i-2", &[("tier", "DEV")])]),
        Reading::Groups(vec![group("shared-a", &["i-1"], "1")]),
    ]);
    let [first, second] = &fleet.instances[..] else { panic!("two rows") };
    assert_eq!(first.group.as_ref().unwrap().as_str(), "shared-a");
    assert_eq!(first.tier.as_ref().unwrap().as_str(), "shared");
    assert_eq!(first.tier_by.as_deref(), Some("group shared-*"));
    assert_eq!(second.tier.as_ref().unwrap().as_str(), "development");
    assert!(matches!(second.member, Known::Yes(None)));
    assert!(matches!(first.agent, Known::No(WhyUnknown::NotAsked)));
    // Status checks were not read, so nobody may call it well.
    assert_eq!(first.health, Health::Unknown);
}

#[test]
fn a_failed_check_is_bad_and_says_so() {
    let status = InstanceStatus {
        id: "i-1".into(),
        system: Check::Ok,
        instance: Check::Impaired,
        ebs: None,
        events: vec![],
    };
    let fleet = joined(vec![Reading::Instances(vec![instance("i-1", &[])]), Reading::Statuses(vec![status])]);
    assert_eq!(fleet.instances[0].health, Health::Bad);
    assert_eq!(fleet.instances[0].troubles, ["instance status check failed"]);
}

#[test]
fn a_list_that_broke_off_proves_nothing_about_what_it_lacks() {
    let at = Timestamp::UNIX_EPOCH;
    let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "r".into() }));
    part.settle(Reading::Instances(vec![instance("i-1", &[])]), at, true);
    part.settle(Reading::Groups(vec![group("g", &["i-9"], "1")]), at, false);
    let trouble = Trouble {
        kind: TroubleKind::Garbled,
        call: "autoscaling:DescribeAutoScalingGroups".into(),
        code: None,
        message: "cut".into(),
        hint: None,
        request_id: None,
        at,
    };
    part.failed(Source::Groups, trouble);
    assert!(matches!(snapshot(part).instances[0].member, Known::No(_)));
}

#[test]
fn a_group_knows_how_far_behind_its_template_it_is() {
    let readings = |version| {
        vec![Reading::Groups(vec![group("g", &["i-1"], version)]), Reading::Templates(vec![template()])]
    };
    let behind = |version| joined(readings(version)).groups[0].versions_behind;
    assert_eq!(behind("1"), Known::Yes(Some(2)));
    assert_eq!(behind("3"), Known::Yes(Some(0)));
    assert_eq!(behind("$Default"), Known::Yes(Some(2)));
    assert_eq!(behind("$Latest"), Known::Yes(None));
}

#[test]
fn cores_and_tenants_come_from_the_registry_with_their_troubles() {
    let fleet = joined(vec![
        Reading::Instances(vec![instance("i-1", &[("tier", "dev")]), instance("i-2", &[])]),
        Reading::Groups(vec![group("shared-a", &["i-2"], "1")]),
        Reading::Clusters(vec![]),
        Reading::Registry {
            cores: vec![core("c1", "i-1"), core("c2", "i-1"), core("c3", "i-2"), core("c4", "i-404")],
            tenants: vec![
                tenant("t1", "c3", "production"),
                tenant("t2", "c3", "development"),
                tenant("t3", "nowhere", "production"),
            ],
            faults: vec![],
        },
    ]);
    let by_id = |id: &str| fleet.cores.iter().find(|core| core.id.as_str() == id).unwrap();
    assert_eq!(by_id("c1").tier.as_ref().unwrap().as_str(), "development");
    assert_eq!(by_id("c1").troubles, ["its host i-1: 2 cores, tier development allows 1"]);
    assert_eq!(by_id("c3").tenants, Known::Yes(2));
    // 2 production places; one is taken, and a development tenant takes half of one.
    assert_eq!(by_id("c3").room, Known::Yes(Some(0)));
    assert_eq!(by_id("c4").troubles, ["its host i-404 does not exist"]);
    assert_eq!(fleet.tenants[2].health, Health::Bad);
    assert_eq!(fleet.tenants[2].troubles, ["its core nowhere is neither in the registry nor a task"]);
    assert_eq!(fleet.tiers[0].cores, Known::Yes(2));
    assert_eq!(fleet.tiers[0].core_room, Known::Yes(Some(1)));
}

#[test]
fn a_tenant_whose_rule_points_nowhere_is_bad() {
    let arn = |name: &str| format!("arn:aws:elasticloadbalancing:r:1:targetgroup/{name}/1");
    let rule = |host: &str, to: &str| Rule {
        arn: format!("rule-{host}").as_str().into(),
        balancer: "lb".into(),
        balancer_name: "lb".into(),
        balancer_dns: None,
        port: Some(443),
        priority: "1".into(),
        hosts: vec![format!("{host}.Example.com").into()],
        paths: vec![],
        forwards: vec![(arn(to).as_str().into(), 1)],
        other_action: None,
    };
    let fleet = joined(vec![
        Reading::TargetGroups(vec![TargetGroup {
            arn: arn("live").as_str().into(),
            name: "live".into(),
            protocol: None,
            port: None,
            target_type: "instance".into(),
            vpc_id: None,
            health_path: None,
            balancers: vec![],
        }]),
        Reading::Targets(vec![Target {
            group: arn("live").as_str().into(),
            id: "i-1".into(),
            port: None,
            zone: None,
            state: TargetState::Healthy,
            reason: None,
            description: None,
        }]),
        Reading::Rules(vec![rule("t1", "live"), rule("t2", "gone")]),
        Reading::Registry {
            cores: vec![core("c", "i-1")],
            tenants: vec![tenant("t1", "c", "production"), tenant("t2", "c", "production")],
            faults: vec![],
        },
    ]);
    assert_eq!(fleet.rules[0].health, Health::Ok);
    assert_eq!(fleet.rules[0].healthy, Known::Yes((1, 1)));
    assert!(fleet.tenants[0].rule.is_some());
    assert_eq!(fleet.tenants[1].troubles[0], "its rule: points nowhere: target group gone does not exist");
}

fn part_of(region: &str, readings: Vec<Reading>) -> Part {
    let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: region.into() }));
    for reading in readings {
        part.settle(reading, Timestamp::UNIX_EPOCH, true);
    }
    part
}

fn joined_parts(parts: Vec<Part>) -> Fleet {
    let parts = parts.into_iter().map(Arc::new).collect();
    join(&Snapshot { seq: 1, taken_at: Timestamp::UNIX_EPOCH, parts, troubles: vec![] }, &tiers())
}

fn registry(cores: Vec<CoreRecord>, tenants: Vec<TenantRecord>) -> Reading {
    Reading::Registry { cores, tenants, faults: vec![] }
}

fn trouble() -> Trouble {
    Trouble {
        kind: TroubleKind::Garbled,
        call: "ec2:DescribeInstances".into(),
        code: None,
        message: "cut".into(),
        hint: None,
        request_id: None,
        at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_tenants_core_is_looked_for_everywhere_and_missed_only_where_everything_was_read() {
    let tenants = || registry(vec![], vec![tenant("t1", "far", "production")]);
    let there = registry(vec![core("far", "i-9")], vec![]);
    let fleet = joined_parts(vec![part_of("r1", vec![tenants()]), part_of("r2", vec![there])]);
    assert_eq!(fleet.cores[0].tenants, Known::Yes(1));
    assert!(fleet.tenants[0].troubles.is_empty(), "{:?}", fleet.tenants[0].troubles);
    // A core may be a task, and nobody listed those.
    let fleet = joined_parts(vec![part_of("r1", vec![tenants()])]);
    assert_eq!(fleet.tenants[0].health, Health::Unknown);
    let unread =
        joined_parts(vec![part_of("r1", vec![tenants(), Reading::Clusters(vec![])]), part_of("r2", vec![])]);
    assert_eq!(unread.tenants[0].health, Health::Unknown);
    let fleet = joined_parts(vec![part_of("r1", vec![tenants(), Reading::Clusters(vec![])])]);
    assert_eq!(fleet.tenants[0].health, Health::Bad);
}

#[test]
fn what_an_older_list_lacks_may_just_have_been_made() {
    let later = Timestamp::from_second(60).unwrap();
    let mut part = part_of("r", vec![Reading::Instances(vec![])]);
    part.settle(registry(vec![core("c", "i-new")], vec![]), later, true);
    let fleet = joined_parts(vec![part.clone()]);
    assert_eq!(fleet.cores[0].health, Health::Unknown);
    assert_eq!(fleet.cores[0].troubles, ["its host i-new was not there when instances were last listed"]);
    part.settle(Reading::Instances(vec![]), later, true);
    assert_eq!(joined_parts(vec![part]).cores[0].health, Health::Bad);
}

#[test]
fn a_list_that_broke_off_counts_nothing_and_says_that_there_is_trouble() {
    let at = Timestamp::UNIX_EPOCH;
    let mut part = part_of("r", vec![Reading::Groups(vec![group("g", &["i-1", "i-2"], "2")])]);
    part.settle(Reading::Instances(vec![instance("i-1", &[])]), at, false);
    part.settle(Reading::Templates(vec![template()]), at, false);
    part.settle(registry(vec![core("c", "i-1")], vec![]), at, false);
    let pending = joined_parts(vec![part.clone()]);
    assert_eq!(pending.groups[0].spot, Known::No(WhyUnknown::Pending));
    assert!(matches!(pending.groups[0].image, Known::No(WhyUnknown::Pending)));
    assert_eq!(pending.instances[0].cores, Known::No(WhyUnknown::Pending));
    for source in [Source::Instances, Source::Templates, Source::Registry] {
        part.failed(source, trouble());
    }
    let broken = joined_parts(vec![part]);
    assert_eq!(broken.groups[0].spot, Known::No(WhyUnknown::Trouble));
    assert!(matches!(broken.groups[0].image, Known::No(WhyUnknown::Trouble)));
    assert_eq!(broken.instances[0].cores, Known::No(WhyUnknown::Trouble));
    assert_eq!(broken.tiers[0].cores, Known::No(WhyUnknown::Trouble));
    assert!(broken.tiers[0].health >= Health::Unknown);
}

#[test]
fn a_tier_is_counted_and_called_well_only_when_all_that_it_rests_on_was_read() {
    let mut readings = vec![
        Reading::Instances(vec![]),
        Reading::Groups(vec![]),
        registry(vec![], vec![]),
        Reading::Clusters(vec![]),
    ];
    let fleet = joined(readings.clone());
    assert_eq!(fleet.tiers[0].cores, Known::Yes(0));
    assert_eq!(fleet.tiers[0].tenants, Known::No(WhyUnknown::NotAsked));
    assert_eq!(fleet.tiers[0].health, Health::Ok);
    readings.pop();
    let fleet = joined(readings);
    assert_eq!(fleet.tiers[0].cores, Known::No(WhyUnknown::NotAsked));
    assert_eq!(fleet.tiers[0].health, Health::Unknown);
}

#[test]
fn an_instance_of_which_aws_reports_no_checks_is_not_called_well() {
    let fleet = joined(vec![Reading::Instances(vec![instance("i-1", &[])]), Reading::Statuses(vec![])]);
    assert!(matches!(fleet.instances[0].status, Known::Yes(None)));
    assert_eq!(fleet.instances[0].health, Health::Unknown);
}

#[test]
fn a_core_on_a_terminated_host_says_that_the_registry_is_behind() {
    let mut gone = Instance::clone(&instance("i-1", &[]));
    gone.state = InstanceState::Terminated;
    let fleet =
        joined(vec![Reading::Instances(vec![Arc::new(gone)]), registry(vec![core("c", "i-1")], vec![])]);
    assert_eq!(
        fleet.cores[0].troubles,
        ["its host i-1 was terminated, and the registry still names the core"]
    );
}

#[test]
fn a_tier_says_first_which_customers_are_out_and_then_which_machines_are_not_well() {
    let status = |id: &str| InstanceStatus {
        id: id.into(),
        system: Check::Ok,
        instance: Check::Impaired,
        ebs: None,
        events: vec![],
    };
    let tags = [("tier", "dev")];
    let target = Target {
        group: "tg".into(),
        id: "i-2".into(),
        port: Some(3567),
        zone: None,
        state: TargetState::Unhealthy,
        reason: None,
        description: None,
    };
    let fleet = joined(vec![
        Reading::Instances(vec![instance("i-1", &tags), instance("i-2", &tags)]),
        Reading::Statuses(vec![status("i-1"), status("i-2")]),
        Reading::Targets(vec![target]),
        registry(
            vec![
                core("c1", "i-1"),
                CoreRecord { port: Some(3567), ..core("c2", "i-2") },
                CoreRecord { tier: Some("development".into()), ..core("c3", "i-404") },
            ],
            vec![],
        ),
    ]);
    let said: Vec<&str> = fleet.tiers[0].troubles.iter().map(|it| it.says.as_str()).collect();
    let [out, lost, first, second] = said[..] else { panic!("{said:?}") };
    assert!(out.starts_with("core c2: its load balancer finds it unhealthy"), "{said:?}");
    assert!(lost.starts_with("core c3: its host i-404 does not exist"), "{said:?}");
    // What a core has from its host is said by the host.
    assert_eq!([first, second], ["i-1: instance status check failed", "i-2: instance status check failed"]);
}

#[test]
fn a_host_that_runs_no_more_is_not_well_while_cores_are_registered_on_it() {
    let judged = |state, cores: &[&str]| {
        let mut gone = Instance::clone(&instance("i-1", &[("tier", "dev")]));
        gone.state = state;
        let cores = cores.iter().map(|id| core(id, "i-1")).collect();
        joined(vec![Reading::Instances(vec![Arc::new(gone)]), registry(cores, vec![tenant("t", "c", "")])])
    };
    let of = |fleet: &Fleet| (fleet.instances[0].health, fleet.instances[0].troubles.join("; "));
    let terminated = judged(InstanceState::Terminated, &["c"]);
    assert_eq!(of(&terminated), (Health::Bad, "terminated, and 1 core is registered on it".into()));
    let stopped = judged(InstanceState::Stopped, &["c", "d"]);
    assert_eq!(of(&stopped), (Health::Warn, "stopped, and 2 cores are registered on it".into()));
    for state in [InstanceState::Terminated, InstanceState::Stopped] {
        assert_eq!(of(&judged(state, &[])), (Health::Ok, String::new()), "as it should be");
    }
    // A registry that was not read names no core, and no host is bad for it.
    let mut gone = Instance::clone(&instance("i-1", &[]));
    gone.state = InstanceState::Terminated;
    assert_eq!(of(&joined(vec![Reading::Instances(vec![Arc::new(gone)])])).0, Health::Ok);
    // It is no running instance of its tier, which says by its core what is wrong.
    let tier = &terminated.tiers[0];
    assert_eq!((tier.instances, tier.by_health, tier.health), (0, [0; 5], Health::Bad));
    assert!(
        tier.troubles.iter().any(|it| it.says.starts_with("core c: its host i-1 was")),
        "{:?}",
        tier.troubles
    );
}

fn task(id: &str, service: &str) -> Task {
    Task {
        arn: format!("arn:aws:ecs:r:1:task/main/{id}").as_str().into(),
        cluster: "arn:aws:ecs:r:1:cluster/main".into(),
        task_definition: "core:1".into(),
        group: Some(format!("service:{service}").into()),
        started_by: None,
        last_status: "RUNNING".into(),
        desired_status: "RUNNING".into(),
        health: None,
        host: None,
        zone: None,
        launch_type: None,
        cpu: None,
        memory: None,
        created_at: None,
        started_at: None,
        stopped_at: None,
        stopped_reason: None,
        ports: vec![],
        images: vec![],
        tags: Tags::default(),
    }
}

fn service(name: &str, tags: &[(&str, &str)], behind: &str) -> Service {
    Service {
        arn: format!("arn:aws:ecs:r:1:service/main/{name}").as_str().into(),
        name: name.into(),
        cluster: "arn:aws:ecs:r:1:cluster/main".into(),
        status: "ACTIVE".into(),
        desired: 1,
        running: 1,
        pending: 0,
        task_definition: "core:1".into(),
        launch_type: None,
        strategy: None,
        min_percent: None,
        max_percent: None,
        deployments: vec![],
        events: vec![],
        target_groups: vec![(behind.into(), "core".into(), 3567)],
        providers: vec![],
        created_at: None,
        tags: tags.iter().copied().collect(),
    }
}

#[test]
fn a_core_that_the_registry_and_ecs_both_name_is_one_core() {
    let record = CoreRecord { version: Some("11.0.4".into()), ..core("abc", "i-1") };
    let fleet = joined(vec![
        Reading::Services(vec![service("core", &[("tier", "dev")], "tg")]),
        Reading::Tasks(vec![task("abc", "core"), task("def", "core")]),
        registry(vec![record], vec![]),
    ]);
    let ids: Vec<&str> = fleet.cores.iter().map(|core| core.id.as_str()).collect();
    assert_eq!(ids, ["abc", "def"]);
    assert!(matches!(fleet.cores[0].home, Home::Task { .. }));
    assert_eq!(fleet.cores[0].version.as_deref(), Some("11.0.4"));
}

#[test]
fn a_host_name_is_a_tenant_only_where_its_whole_traffic_leads_to_a_core_service() {
    let rule = |priority: &str, host: &str, paths: &[&str], forwards: &[(&str, u32)]| Rule {
        arn: format!("rule-{priority}").as_str().into(),
        balancer: "lb".into(),
        balancer_name: "lb".into(),
        balancer_dns: None,
        port: Some(443),
        priority: priority.into(),
        hosts: vec![host.into()],
        paths: paths.iter().map(|path| (*path).into()).collect(),
        forwards: forwards.iter().map(|(arn, weight)| ((*arn).into(), *weight)).collect(),
        other_action: None,
    };
    let fleet = joined(vec![
        Reading::Services(vec![
            service("core", &[("tier", "dev")], "tg-core"),
            service("api", &[], "tg-api"),
        ]),
        Reading::Rules(vec![
            rule("1", "api.example.com", &["/core/*"], &[("tg-core", 1)]),
            rule("2", "api.example.com", &[], &[("tg-api", 1)]),
            rule("3", "moved.example.com", &[], &[("tg-api", 1), ("tg-core", 0)]),
            rule("4", "customer.example.com", &[], &[]),
            rule("5", "customer.example.com", &["/*"], &[("tg-core", 1)]),
        ]),
    ]);
    let ids: Vec<&str> = fleet.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
    assert_eq!(ids, ["customer.example.com"]);
    assert_eq!(fleet.tenants[0].rule.as_ref().unwrap().as_str(), "rule-5");
}

#[test]
fn a_core_that_its_load_balancer_finds_unhealthy_is_bad_on_the_healthiest_host() {
    let group = "arn:aws:elasticloadbalancing:r:1:targetgroup/cores/1";
    let status = InstanceStatus {
        id: "i-1".into(),
        system: Check::Ok,
        instance: Check::Ok,
        ebs: None,
        events: vec![],
    };
    let target = |port, state| Target {
        group: group.into(),
        id: "i-1".into(),
        port: Some(port),
        zone: None,
        state,
        reason: Some("Target.Timeout".into()),
        description: None,
    };
    let on = |id: &str, port| CoreRecord { port: Some(port), ..core(id, "i-1") };
    let fleet = joined(vec![
        Reading::Instances(vec![instance("i-1", &[])]),
        Reading::Statuses(vec![status]),
        Reading::Targets(vec![target(3567, TargetState::Unhealthy), target(3568, TargetState::Healthy)]),
        registry(vec![on("sick", 3567), on("well", 3568)], vec![]),
    ]);
    let by_id = |id: &str| fleet.cores.iter().find(|core| core.id.as_str() == id).unwrap();
    assert_eq!(by_id("sick").health, Health::Bad);
    assert_eq!(by_id("sick").troubles, ["its load balancer finds it unhealthy in cores (Target.Timeout)"]);
    assert_eq!(by_id("well").health, Health::Ok);
}
