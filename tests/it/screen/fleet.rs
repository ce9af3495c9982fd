//! A small made fleet for the screen: three tiers, two accounts in two regions, with the troubles of a bad night.

use coredeck::fleet::join;
use coredeck::gateway::{Reading, Source, Spending};
use coredeck::model::{
    AccountId, AccountName, Alarm, AlarmState, Check, Cluster, ClusterArn, CoreRecord, Deployment, Group,
    GroupName, Host, HostArn, Identity, ImageId, Instance, InstanceId, InstanceState, InstanceStatus,
    InstanceType, Lifecycle, Make, Member, Particulars, Region, Registration, Scope, Selector, Service,
    ServiceArn, Standing, Tags, Task, TaskArn, TemplateId, TemplateRef, TenantRecord, Text, Tier, TierName,
    Trouble, TroubleKind, Usd, Zone,
};
use coredeck::snapshot::{Part, Snapshot};
use coredeck::world::World;
use jiff::Timestamp;
use std::sync::Arc;

/// The moment of every made world.
pub(super) fn now() -> Timestamp {
    "2026-11-21T21:03:12Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).unwrap()
}

pub(super) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_second(at.as_second() + seconds).unwrap()
}

pub(super) fn text(raw: &str) -> Option<Text> {
    Some(Text::new(raw))
}

pub(super) fn scope(account: &str, region: &str) -> Arc<Scope> {
    Arc::new(Scope { account: AccountName::new(account), region: Region::new(region) })
}

pub(super) fn tiers() -> Vec<Tier> {
    let tier = |name: &str, cores: Option<u32>, tenants: Option<u32>| Tier {
        name: TierName::new(name),
        selectors: vec![Selector::Tag { key: Text::new("tier"), value: Text::new(name) }],
        cores_per_host: cores,
        tenants_per_core: tenants,
        development_tenants_per_core: tenants.map(|tenants| tenants * 2),
        ..Tier::default()
    };
    vec![
        tier("development", Some(7), None),
        tier("production", Some(1), Some(1)),
        tier("shared", Some(1), Some(50)),
    ]
}

/// An instance, `i-000…<n>`, of a tier and group.
pub(super) fn instance(n: u32, tier: &str, group: &str, region: &str) -> Instance {
    let types = [("development", "t3.small"), ("production", "t2.micro"), ("shared", "t3.large")];
    let kind = types.iter().find(|(name, _)| *name == tier).map_or("m5.large", |(_, kind)| *kind);
    Instance {
        particulars: Particulars { reservation_id: Text::new("r-1"), ..Particulars::default() }.into(),
        id: InstanceId::new(format!("i-{n:017x}")),
        state: InstanceState::Running,
        launched_at: Some(ago(i64::from(n) * 7_000 + 120)),
        private_ip: text(&format!("10.0.{}.{}", n / 250, n % 250)),
        tags: [
            ("Name", format!("{group}-{n}").as_str()),
            ("tier", tier),
            ("aws:autoscaling:groupName", group),
        ]
        .into_iter()
        .collect(),
        make: Arc::new(Make {
            owner_id: AccountId::new("111122223333"),
            instance_type: InstanceType::new(kind),
            zone: Zone::new(format!("{region}{}", ["a", "b", "c"][n as usize % 3])),
            image_id: ImageId::new("ami-0aa11bb22cc33dd44"),
            architecture: text("x86_64"),
            lifecycle: if n.is_multiple_of(4) { Lifecycle::Spot } else { Lifecycle::OnDemand },
            vpc_id: text("vpc-1"),
            subnet_id: text("subnet-1"),
            key_name: None,
            profile_arn: None,
            platform: text("Linux/UNIX"),
            security_groups: Box::new([Text::new("sg-1"), Text::new("sg-2")]),
            root_device: text("/dev/xvda"),
            detailed_monitoring: false,
        }),
    }
}

fn group(name: &str, tier: &str, members: &[Arc<Instance>]) -> Group {
    let template = Some(TemplateRef {
        id: TemplateId::new("lt-1"),
        name: Text::new("core"),
        version: Text::new("$Latest"),
    });
    let members: Vec<Member> = members
        .iter()
        .filter(|instance| instance.group_tag() == Some(name))
        .map(|instance| {
            let standing = Standing {
                instance_type: Some(instance.instance_type.clone()),
                zone: instance.zone.clone(),
                state: Text::new("InService"),
                health: Text::new("Healthy"),
                is_protected: false,
                template: template.clone(),
                weight: None,
            };
            Member::new(instance.id.clone(), standing)
        })
        .collect();
    let count = u32::try_from(members.len()).unwrap();
    Group {
        name: GroupName::new(name),
        arn: Text::new("arn:aws:autoscaling:x"),
        min: 1,
        max: count + 2,
        desired: count,
        members,
        template,
        launch_configuration: None,
        mix: None,
        zones: Vec::new(),
        subnets: Vec::new(),
        health_check: Text::new("EC2"),
        grace_s: Some(300),
        target_groups: Vec::new(),
        suspended: Vec::new(),
        protects_new: false,
        rebalances: None,
        termination_policies: Vec::new(),
        warmup_s: None,
        maintenance: None,
        created_at: Some(ago(40 * 86_400)),
        status: None,
        tags: [("tier", tier)].into_iter().collect(),
    }
}

fn service(name: &str, desired: u32, running: u32) -> Service {
    let rollout = if running < desired { "IN_PROGRESS" } else { "COMPLETED" };
    Service {
        arn: ServiceArn::new(format!("arn:aws:ecs:eu-west-1:111122223333:service/cores/{name}")),
        name: Text::new(name),
        cluster: cluster_arn(),
        status: Text::new("ACTIVE"),
        desired,
        running,
        pending: 0,
        task_definition: Text::new("arn:aws:ecs:eu-west-1:111122223333:task-definition/core:41"),
        launch_type: text("EC2"),
        strategy: text("REPLICA"),
        min_percent: Some(50),
        max_percent: Some(200),
        deployments: vec![Deployment {
            id: Text::new("ecs-svc/1"),
            status: Text::new("PRIMARY"),
            rollout: text(rollout),
            reason: None,
            task_definition: Text::new("arn:aws:ecs:eu-west-1:111122223333:task-definition/core:41"),
            desired,
            running,
            pending: 0,
            failed: 0,
            created_at: Some(ago(7_300)),
            updated_at: Some(ago(7_200)),
        }],
        events: Vec::new(),
        target_groups: Vec::new(),
        providers: Vec::new(),
        created_at: Some(ago(90 * 86_400)),
        tags: [("tier", "shared")].into_iter().collect(),
    }
}

fn cluster_arn() -> ClusterArn {
    ClusterArn::new("arn:aws:ecs:eu-west-1:111122223333:cluster/cores")
}

fn host_arn(n: u32) -> HostArn {
    HostArn::new(format!("arn:aws:ecs:eu-west-1:111122223333:container-instance/cores/{n:08x}"))
}

fn host(n: u32, instance: &Instance) -> Host {
    let registration = Registration {
        cluster: cluster_arn(),
        status: Text::new("ACTIVE"),
        is_connected: n != 2,
        agent_version: text("1.89.0"),
        cpu_total: 2048,
        memory_total: 7_800,
        instance_type: Some(instance.instance_type.clone()),
        zone: Some(instance.zone.clone()),
        ..Registration::default()
    };
    Host {
        running_tasks: 1,
        cpu_free: 1024,
        memory_free: 3_800,
        registered_at: Some(ago(86_400)),
        ..Host::new(host_arn(n), Some(instance.id.clone()), registration)
    }
}

fn task(n: u32, service: &str) -> Task {
    Task {
        arn: TaskArn::new(format!("arn:aws:ecs:eu-west-1:111122223333:task/cores/{n:032x}")),
        cluster: cluster_arn(),
        task_definition: Text::new("arn:aws:ecs:eu-west-1:111122223333:task-definition/core:41"),
        group: text(&format!("service:{service}")),
        started_by: None,
        last_status: Text::new("RUNNING"),
        desired_status: Text::new("RUNNING"),
        health: text("HEALTHY"),
        host: Some(host_arn(n)),
        zone: Some(Zone::new("eu-west-1a")),
        launch_type: text("EC2"),
        cpu: text("1024"),
        memory: text("2048"),
        created_at: Some(ago(5_000)),
        started_at: Some(ago(4_990)),
        stopped_at: None,
        stopped_reason: None,
        ports: vec![32_768],
        images: vec![Text::new("supertokens/core:11.0.4")],
        tags: Tags::default(),
    }
}

pub(super) fn alarm(name: &str, state: AlarmState) -> Alarm {
    Alarm {
        name: Text::new(name),
        arn: Text::new(format!("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}")),
        state,
        reason: Some("Threshold Crossed: 3 datapoints were greater than the threshold (80.0)".into()),
        changed_at: Some(ago(3_900)),
        namespace: text("AWS/EC2"),
        metric: text("CPUUtilization"),
        dimensions: Vec::new(),
        description: None,
        actions_enabled: true,
    }
}

pub(super) fn settle(part: &mut Part, reading: Reading) {
    part.settle(reading, ago(20), true);
}

/// The sources whose sections are read but empty.
fn settle_rest(part: &mut Part) {
    for reading in [
        Reading::Templates(vec![]),
        Reading::Images(vec![]),
        Reading::Published(vec![]),
        Reading::Refreshes(vec![]),
        Reading::Activities(vec![]),
        Reading::TargetGroups(vec![]),
        Reading::Targets(vec![]),
        Reading::Rules(vec![]),
        Reading::Records(vec![]),
        Reading::Agents(vec![]),
        Reading::Admin(vec![]),
    ] {
        settle(part, reading);
    }
}

/// A part with instances and their groups, and everything else read and empty.
pub(super) fn part(account: &str, region: &str, instances: Vec<Instance>) -> Part {
    let mut part = Part::new(scope(account, region));
    let instances: Vec<Arc<Instance>> = instances.into_iter().map(Arc::new).collect();
    let mut groups: Vec<(String, String)> = instances
        .iter()
        .filter_map(|instance| {
            Some((instance.group_tag()?.to_string(), instance.tags.get("tier")?.to_string()))
        })
        .collect();
    groups.sort();
    groups.dedup();
    let statuses = instances.iter().map(|instance| InstanceStatus {
        id: instance.id.clone(),
        system: Check::Ok,
        instance: if instance.id.as_str().ends_with("05") { Check::Impaired } else { Check::Ok },
        ebs: None,
        events: Vec::new(),
    });
    settle(&mut part, Reading::Statuses(statuses.collect()));
    settle(
        &mut part,
        Reading::Groups(groups.iter().map(|(name, tier)| group(name, tier, &instances)).collect()),
    );
    settle(&mut part, Reading::Instances(instances));
    let account_id = AccountId::new(if account == "dev" { "444455556666" } else { "111122223333" });
    let identity = Identity { account_id, arn: "arn:aws:iam::1:role/x".into() };
    settle(&mut part, Reading::Identity(identity));
    settle(&mut part, Reading::Clusters(vec![]));
    settle(&mut part, Reading::Services(vec![]));
    settle(&mut part, Reading::Tasks(vec![]));
    settle(&mut part, Reading::Hosts(vec![]));
    settle(&mut part, Reading::Alarms(vec![]));
    settle(&mut part, Reading::Registry { cores: vec![], tenants: vec![], faults: vec![] });
    settle_rest(&mut part);
    part
}

pub(super) fn denied() -> Trouble {
    Trouble {
        kind: TroubleKind::Denied,
        call: Text::new("ecs:ListClusters"),
        code: text("AccessDeniedException"),
        message: "the role arn:aws:iam::444455556666:role/oncall may not ecs:ListClusters".into(),
        hint: Some("let the role do ecs:ListClusters, then press r".into()),
        request_id: text("f00d-cafe"),
        at: ago(31),
    }
}

pub(super) fn world(parts: Vec<Part>) -> Arc<World> {
    let mut snapshot = Snapshot::empty(now());
    snapshot.seq = 1;
    snapshot.parts = parts.into_iter().map(Arc::new).collect();
    let fleet = join(&snapshot, &tiers());
    let spending = Spending { calls: 142, throttles: 3, failures: 1, dollars: Usd::from_micros(12_400) };
    Arc::new(World {
        snapshot: Arc::new(snapshot),
        fleet: Arc::new(fleet),
        spending,
        buckets: Arc::default(),
        retries: Arc::default(),
        timeline: Default::default(),
    })
}

/// The full fleet of the tests.
pub(super) fn full() -> Arc<World> {
    world(parts())
}

/// Its parts.
pub(super) fn parts() -> Vec<Part> {
    let mut instances = Vec::new();
    instances.extend((1..=6).map(|n| instance(n, "shared", "shared-hosts", "eu-west-1")));
    instances.extend((10..=25).map(|n| instance(n, "production", "prod-api", "eu-west-1")));
    let hosts: Vec<Host> = (1..=4).map(|n| host(n, &instances[n as usize - 1])).collect();
    let mut first = part("prod", "eu-west-1", instances);
    let cluster = Cluster {
        arn: cluster_arn(),
        name: Text::new("cores"),
        status: Text::new("ACTIVE"),
        host_count: 4,
        running_tasks: 4,
        pending_tasks: 0,
        service_count: 2,
        providers: Vec::new(),
        managed_draining: false,
        tags: Tags::default(),
    };
    settle(&mut first, Reading::Clusters(vec![cluster]));
    settle(&mut first, Reading::Services(vec![service("shared-a", 2, 2), service("shared-b", 3, 2)]));
    settle(
        &mut first,
        Reading::Tasks((1..=4).map(|n| task(n, if n <= 2 { "shared-a" } else { "shared-b" })).collect()),
    );
    settle(&mut first, Reading::Hosts(hosts));
    let alarms = vec![
        alarm("shared-hosts-cpu-high", AlarmState::Alarm),
        alarm("prod-api-cpu-high", AlarmState::Ok),
        alarm("prod-api-credits-low", AlarmState::InsufficientData),
    ];
    settle(&mut first, Reading::Alarms(alarms));
    let core = CoreRecord {
        id: "core-7".into(),
        tier: Some(TierName::new("production")),
        instance_id: Some(InstanceId::new(format!("i-{:017x}", 10))),
        port: Some(3567),
        version: text("11.0.4"),
        ..CoreRecord::default()
    };
    let tenant = |id: &str| TenantRecord {
        id: id.into(),
        name: text(id),
        core: Some("core-7".into()),
        domain: text(&format!("{id}.auth.example.com")),
        mode: text("production"),
        ..TenantRecord::default()
    };
    settle(
        &mut first,
        Reading::Registry { cores: vec![core], tenants: vec![tenant("acme")], faults: vec![] },
    );
    let second = part(
        "prod",
        "us-east-1",
        (30..=35).map(|n| instance(n, "production", "prod-us", "us-east-1")).collect(),
    );
    let mut third = part(
        "dev",
        "eu-west-1",
        (40..=44).map(|n| instance(n, "development", "dev-hosts", "eu-west-1")).collect(),
    );
    third.failed(Source::Clusters, denied());
    vec![first, second, third]
}

/// The same world, every list read again so many seconds later with the same result.
pub(super) fn read_again(world: &World, seconds: i64) -> Arc<World> {
    let mut snapshot = world.snapshot.as_ref().clone();
    for part in snapshot.parts.iter_mut().map(Arc::make_mut) {
        macro_rules! read_again {
            ($($section:ident)+) => { $(part.$section.as_of = part.$section.as_of.map(|at| later(at, seconds));)+ };
        }
        read_again!(identity instances statuses templates images groups refreshes activities clusters services);
        read_again!(tasks hosts target_groups targets rules agents alarms registry metrics);
    }
    let mut spending = world.spending;
    spending.calls += 7;
    Arc::new(World { snapshot: Arc::new(snapshot), spending, ..world.clone() })
}
