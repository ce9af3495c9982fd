//! Changes: one of every sort as requests that the aws command would send the same, what is said when the
//! answer is bad or lost, and what they do to a pretended fleet.

mod looked;
mod lost;
mod repeated;

use coredeck::aws;
use coredeck::config::{Account, Config, Login, Regions};
use coredeck::gateway::Change;
use coredeck::gateway::change::{
    Desired, Document, Handling, HostState, Preferences, Setting, TargetRef, Tuning,
};
use coredeck::model::{AccountName, Mix, Region, Scope, TemplateRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The scope of every change here.
pub(crate) fn scope() -> Scope {
    Scope { account: AccountName::new("main"), region: Region::new("us-east-1") }
}

/// Keys that any stand-in takes.
fn keys() -> Vec<(&'static str, String)> {
    vec![("AWS_ACCESS_KEY_ID", "judge".to_owned()), ("AWS_SECRET_ACCESS_KEY", "judge".to_owned())]
}

/// The accounts of a configuration that has one, which is all at this address.
pub(crate) async fn reach(url: &str, environment: Option<Vec<(&'static str, String)>>) -> Arc<aws::Aws> {
    let config = Config {
        accounts: vec![Account { name: AccountName::new("main"), login: Login::Chain, regions: None }],
        regions: Regions::Named(vec![Region::new("us-east-1")]),
        endpoint_url: Some(url.to_owned()),
        ..Config::default()
    };
    let environment = Some(environment.unwrap_or_else(keys));
    let options = aws::Options { environment, ..aws::Options::default() };
    Arc::new(aws::connect(&config, options).await.unwrap())
}

/// Preferences with everything in them.
pub(crate) fn preferences() -> Preferences {
    Preferences {
        min_healthy: 100,
        max_healthy: 110,
        warmup_s: 60,
        checkpoints: vec![5, 50, 100],
        checkpoint_delay_s: 600,
        skips_matching: true,
        rolls_back: true,
        protected: Handling::Replace,
        standby: Handling::Ignore,
        alarms: vec!["errors".into(), "it's slow".into()],
        bake_s: 900,
    }
}

/// One change of every sort, and more where one has several faces.
pub(crate) fn one_of_each() -> Vec<Change> {
    let (cluster, group) = (|| "arn:aws:ecs:us-east-1:1:cluster/main".into(), || "web fleet".into());
    let instances = || vec!["i-1".into(), "i-2".into()];
    let target_group = || "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1".into();
    let target =
        |id: &str, port, zone: Option<&str>| TargetRef { id: id.into(), port, zone: zone.map(Into::into) };
    let template = || TemplateRef { id: "lt-1".into(), name: "web".into(), version: "7".into() };
    let by_name = TemplateRef { id: "".into(), ..template() };
    let mix = Mix {
        on_demand_base: 1,
        on_demand_percent: 20,
        spot_strategy: Some("price-capacity-optimized".into()),
        spot_max_price: Some("0.05".into()),
        types: vec![("t3.small".into(), Some("2".into())), ("t3a.small".into(), None)],
        on_demand_strategy: Some("prioritized".into()),
        ..Mix::default()
    };
    let document = Document {
        name: "coredeck-stop".into(),
        version: Some("3".into()),
        sha256: Some("ab".repeat(32).into()),
    };
    let command = |document, parameters| Change::SendCommand {
        document,
        instances: instances(),
        parameters,
        comment: "coredeck op-1/step-2".to_owned(),
        deliver_within_s: 60,
        errors: 0,
        concurrency: 10,
    };
    let plain = Document { name: "AWS-Noop".into(), version: None, sha256: None };
    let parameters = BTreeMap::from([("Containers".into(), vec!["0123456789ab".into(), "-x 'y'".into()])]);
    let refresh = |desired: Option<Desired>| {
        let preferences = match &desired {
            Some(_) => preferences(),
            None => Preferences { rolls_back: false, checkpoints: vec![], alarms: vec![], ..preferences() },
        };
        Change::StartRefresh {
            group: group(),
            preferences: Box::new(preferences),
            desired: desired.map(Box::new),
        }
    };
    vec![
        Change::HostState {
            cluster: cluster(),
            hosts: vec!["h/1".into(), "h/2".into()],
            to: HostState::Draining,
        },
        Change::HostState { cluster: cluster(), hosts: vec!["h/1".into()], to: HostState::Active },
        Change::StopTask {
            cluster: cluster(),
            task: "t/1".into(),
            reason: "coredeck op-1: it's time".to_owned(),
        },
        Change::ProtectTasks { cluster: cluster(), tasks: vec!["t/1".into()], minutes: Some(60) },
        Change::ProtectTasks { cluster: cluster(), tasks: vec!["t/1".into()], minutes: None },
        Change::ScaleService { cluster: cluster(), service: "s/web".into(), desired: 0 },
        Change::Redeploy { cluster: cluster(), service: "s/web".into() },
        Change::EnterStandby { group: group(), instances: instances(), is_decremented: true },
        Change::EnterStandby { group: group(), instances: instances(), is_decremented: false },
        Change::ExitStandby { group: group(), instances: instances() },
        Change::ProtectScaleIn { group: group(), instances: instances(), is_protected: true },
        Change::ProtectScaleIn { group: group(), instances: instances(), is_protected: false },
        Change::TerminateInGroup { instance: "i-1".into(), is_decremented: true },
        Change::SetDesired { group: group(), desired: 3 },
        Change::ResizeGroup { group: group(), min: Some(0), max: Some(9), desired: Some(3) },
        Change::ResizeGroup { group: group(), min: None, max: Some(9), desired: None },
        Change::SetMix { group: group(), template: template(), mix: Box::new(mix.clone()) },
        Change::TuneGroup {
            group: group(),
            tuning: Tuning {
                terminations: Some(vec!["OldestLaunchTemplate".into(), "Default".into()]),
                warmup: Setting::To(120),
                rebalances: Some(true),
                maintenance: Setting::To((90, 110)),
            },
        },
        Change::TuneGroup {
            group: group(),
            tuning: Tuning {
                terminations: None,
                warmup: Setting::Clear,
                rebalances: None,
                maintenance: Setting::Clear,
            },
        },
        Change::SuspendProcesses {
            group: group(),
            processes: vec!["Launch".into(), "InstanceRefresh".into()],
        },
        Change::ResumeProcesses { group: group(), processes: vec!["Launch".into()] },
        Change::CompleteHook {
            group: group(),
            hook: "drain".into(),
            instance: "i-1".into(),
            is_continued: true,
        },
        refresh(Some(Desired::Template(template()))),
        refresh(Some(Desired::Mixed { template: by_name, mix })),
        refresh(None),
        Change::CancelRefresh { group: group(), waits: true },
        Change::CancelRefresh { group: group(), waits: false },
        Change::RollBackRefresh { group: group() },
        Change::Deregister { target_group: target_group(), targets: vec![target("i-1", Some(3567), None)] },
        Change::Register {
            target_group: target_group(),
            targets: vec![target("10.0.0.7", Some(80), Some("all")), target("i-2", None, None)],
        },
        Change::StopInstances { instances: instances() },
        Change::StartInstances { instances: instances() },
        Change::RebootInstances { instances: instances() },
        Change::TerminateInstances { instances: instances() },
        Change::CreateTemplateVersion {
            template: "lt-1".into(),
            from: 6,
            image: "ami-1".into(),
            description: "coredeck op=op-1 ami=ami-1".to_owned(),
        },
        Change::RunInstance {
            template: template(),
            subnet: Some("subnet-1".into()),
            instance_type: Some("t3.small".into()),
            tags: [("Name", "it's new"), ("coredeck:operation", "op-1/0")].into_iter().collect(),
        },
        Change::RunInstance {
            template: template(),
            subnet: None,
            instance_type: None,
            tags: [("Name", "plain")].into_iter().collect(),
        },
        Change::SetDefaultVersion { template: "lt-1".into(), version: 7 },
        Change::DeleteVersions { template: "lt-1".into(), versions: vec![1, 2] },
        Change::DeregisterImage { image: "ami-1".into(), with_snapshots: true },
        Change::Tag {
            resources: vec!["i-1".into(), "lt-1".into()],
            tags: [("coredeck:do-not-disrupt", "until = 5"), ("empty", "")].into_iter().collect(),
        },
        Change::Untag { resources: vec!["i-1".into()], keys: vec!["coredeck:do-not-disrupt".into()] },
        command(document, parameters),
        command(plain, BTreeMap::new()),
        Change::CancelCommand { command: "0c0ffee0-0000-4000-8000-0123456789ab".into() },
        Change::CreateDocument {
            name: "coredeck-stop".into(),
            content: "{\"schemaVersion\": \"2.2\"}".to_owned(),
        },
        Change::PutParameter {
            name: "/coredeck/main/cores/a".into(),
            value: "{\"tier\":\"it's\",\"port\":3567}".to_owned(),
            description: "coredeck op-1".to_owned(),
            overwrites: true,
        },
        Change::PutParameter {
            name: "/coredeck/main/cores/b".into(),
            value: "{}".to_owned(),
            description: "coredeck op-1".to_owned(),
            overwrites: false,
        },
        Change::DeleteParameter { name: "/coredeck/main/cores/a".into() },
    ]
}
