//! Judged by moto and boto3: changes that the writer made are what boto3 then reads. What moto does not know
//! ([`UNKNOWN`]) it answers with an HTML page and status 500, which must leave us in doubt and never in the belief
//! that it was done, or was not.

use super::Changed;
use crate::changes::{one_of_each, reach, scope};
use coredeck::aws::Writer;
use coredeck::gateway::change::{Answered, Document, HostState, TargetRef, Tuning};
use coredeck::gateway::{Change, FleetWriter as _, Proof, Token, WriteError};
use coredeck::model::{Mix, TemplateRef};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Calls that moto does not have.
const UNKNOWN: [&str; 7] = [
    "autoscaling:CancelInstanceRefresh",
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:RollbackInstanceRefresh",
    "autoscaling:StartInstanceRefresh",
    "ec2:DeleteLaunchTemplateVersions",
    "ecs:UpdateTaskProtection",
    "ssm:CancelCommand",
];

/// The writer, and which calls it has made.
struct Hand {
    writer: Writer,
    made: RefCell<BTreeSet<&'static str>>,
    runtime: tokio::runtime::Runtime,
}

impl Hand {
    fn new(url: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let writer = runtime.block_on(reach(url, None)).writer().unwrap();
        Self { writer, made: RefCell::default(), runtime }
    }

    fn done(&self, change: &Change) -> Answered {
        let token = Token::of(&["op", change.action()]);
        let receipt = self.runtime.block_on(self.writer.write(&scope(), change, &token));
        let receipt = receipt.unwrap_or_else(|error| panic!("{change:?}: {error}"));
        assert!(receipt.missed.is_empty(), "{receipt:?}");
        assert!(receipt.command.starts_with("aws "), "{receipt:?}");
        self.made.borrow_mut().insert(change.action());
        receipt.answered
    }

    fn fails(&self, change: &Change) -> WriteError {
        self.runtime.block_on(self.writer.write(&scope(), change, &Token::of(&["no"]))).unwrap_err()
    }

    /// Asks first whether it would be done, and that nothing was.
    fn proved(&self, change: &Change) {
        let proof = self.runtime.block_on(self.writer.prove(&scope(), change));
        assert!(matches!(proof, Ok(Proof::Proved { .. })), "{change:?}: {proof:?}");
    }
}

#[test]
fn changes_are_what_boto3_then_reads() {
    let Some(scene) = Changed::new() else { return };
    let hand = Hand::new(&scene.moto.url);
    groups(&scene, &hand);
    containers(&scene, &hand);
    targets(&scene, &hand);
    instances(&scene, &hand);
    templates(&scene, &hand);
    commands(&scene, &hand);
    parameters(&scene, &hand);

    let mut told = BTreeSet::new();
    for change in one_of_each() {
        let action = change.action();
        if UNKNOWN.contains(&action) {
            let error = hand.fails(&change);
            assert!(error.may_have_acted(), "{action}: {error:?}");
            told.insert(action);
        } else {
            assert!(hand.made.borrow().contains(action), "{action} was not judged");
        }
    }
    assert_eq!(told.into_iter().collect::<Vec<_>>(), UNKNOWN);
}

fn groups(scene: &Changed, hand: &Hand) {
    let (spare, one) = (|| "spare".into(), scene.made("/members/spare/0"));
    let guard =
        |is_protected| Change::ProtectScaleIn { group: spare(), instances: vec![one.into()], is_protected };
    let member = || scene.member("spare", one);
    assert_eq!(hand.done(&guard(true)), Answered::Yes);
    assert_eq!(member()["ProtectedFromScaleIn"], true);
    assert_eq!(hand.done(&guard(false)), Answered::Yes);
    assert_eq!(member()["ProtectedFromScaleIn"], false);

    let enter = Change::EnterStandby { group: spare(), instances: vec![one.into()], is_decremented: true };
    assert!(matches!(hand.done(&enter), Answered::Activities(all) if all.len() == 1));
    assert_eq!(
        (&member()["LifecycleState"], &scene.group("spare")["DesiredCapacity"]),
        (&json!("Standby"), &json!(2))
    );
    let exit = Change::ExitStandby { group: spare(), instances: vec![one.into()] };
    assert!(matches!(hand.done(&exit), Answered::Activities(all) if all.len() == 1));
    assert_eq!(
        (&member()["LifecycleState"], &scene.group("spare")["DesiredCapacity"]),
        (&json!("InService"), &json!(3))
    );

    let processes = || vec!["AZRebalance".into(), "InstanceRefresh".into()];
    hand.done(&Change::SuspendProcesses { group: spare(), processes: processes() });
    assert_eq!(scene.suspended("spare"), ["AZRebalance", "InstanceRefresh"]);
    hand.done(&Change::ResumeProcesses { group: spare(), processes: vec!["AZRebalance".into()] });
    assert_eq!(scene.suspended("spare"), ["InstanceRefresh"]);

    let sizes = || {
        let group = scene.group("sized");
        ["MinSize", "DesiredCapacity", "MaxSize"].map(|name| group[name].as_u64().unwrap())
    };
    hand.done(&Change::SetDesired { group: "sized".into(), desired: 4 });
    assert_eq!(sizes(), [0, 4, 6]);
    let resize = |min, max, desired| Change::ResizeGroup { group: "sized".into(), min, max, desired };
    hand.done(&resize(Some(1), Some(5), Some(3)));
    assert_eq!(sizes(), [1, 3, 5]);
    hand.done(&resize(None, Some(9), None));
    assert_eq!(sizes(), [1, 3, 9]);

    let template =
        || TemplateRef { id: scene.made("/template").into(), name: "cores".into(), version: "1".into() };
    let mix = Mix {
        on_demand_base: 1,
        on_demand_percent: 20,
        spot_strategy: Some("price-capacity-optimized".into()),
        types: vec![("t3.large".into(), None), ("t3a.large".into(), None)],
        ..Mix::default()
    };
    hand.done(&Change::SetMix { group: "sized".into(), template: template(), mix: Box::new(mix) });
    let policy = &scene.group("sized")["MixedInstancesPolicy"];
    let spread = &policy["InstancesDistribution"];
    assert_eq!(
        ["OnDemandBaseCapacity", "OnDemandPercentageAboveBaseCapacity"].map(|name| spread[name].as_u64()),
        [Some(1), Some(20)],
        "{policy}"
    );
    assert_eq!(spread["SpotAllocationStrategy"], "price-capacity-optimized");
    let overrides = &policy["LaunchTemplate"]["Overrides"];
    assert_eq!(overrides, &json!([{ "InstanceType": "t3.large" }, { "InstanceType": "t3a.large" }]));
    // Moto takes settings besides sizes and policies without a word, and keeps none of them.
    let tuning = Tuning { rebalances: Some(true), ..Tuning::default() };
    hand.done(&Change::TuneGroup { group: "sized".into(), tuning });
    assert_eq!(sizes(), [1, 3, 9]);

    let [one, two] = ["/members/ended/0", "/members/ended/1"].map(|way| scene.made(way));
    let end = |instance: &str, is_decremented| Change::TerminateInGroup {
        instance: instance.into(),
        is_decremented,
    };
    hand.done(&end(one, true));
    assert_eq!(
        (scene.state(one).as_str(), &scene.group("ended")["DesiredCapacity"]),
        ("terminated", &json!(2))
    );
    hand.done(&end(two, false));
    assert_eq!(
        (scene.state(two).as_str(), &scene.group("ended")["DesiredCapacity"]),
        ("terminated", &json!(2))
    );
}

fn containers(scene: &Changed, hand: &Hand) {
    let cluster = || scene.made("/cluster").into();
    let machines = ["/members/hosts/0", "/members/hosts/1"].map(|way| scene.made(way));
    let arns = machines.map(|machine| scene.made(&format!("/hosts/{machine}")));
    let set = |to| Change::HostState { cluster: cluster(), hosts: arns.map(Into::into).to_vec(), to };
    for (to, word) in [(HostState::Draining, "DRAINING"), (HostState::Active, "ACTIVE")] {
        let Answered::Hosts(all) = hand.done(&set(to)) else { panic!() };
        assert!(all.len() == 2 && all.iter().all(|(_, status)| *status == word), "{all:?}");
        assert_eq!(machines.map(|machine| scene.host(machine)), [word, word]);
    }
    let task = scene.made(&format!("/tasks/{}/0", machines[0]));
    let reason = "coredeck op-1: it's time".to_owned();
    hand.done(&Change::StopTask { cluster: cluster(), task: task.into(), reason: reason.clone() });
    let seen = scene.task(task);
    assert_eq!((&seen["lastStatus"], &seen["stoppedReason"]), (&json!("STOPPED"), &json!(reason)));

    let service = || scene.made("/services/sized").into();
    let scale = Change::ScaleService { cluster: cluster(), service: service(), desired: 7 };
    assert!(matches!(hand.done(&scale), Answered::Service { desired: 7, .. }));
    let before = scene.service("sized");
    assert_eq!(before["desiredCount"], 7);
    let Answered::Service { deployment, .. } =
        hand.done(&Change::Redeploy { cluster: cluster(), service: service() })
    else {
        panic!()
    };
    let after = scene.service("sized");
    assert_eq!(after["deployments"][0]["id"], deployment.unwrap().as_str());
    assert_ne!(after["deployments"][0]["id"], before["deployments"][0]["id"]);
    assert_eq!(after["desiredCount"], 7, "nothing else is changed");
}

fn targets(scene: &Changed, hand: &Hand) {
    let target_group = || scene.made("/targets/direct").into();
    let machine = scene.made("/alone/0");
    let targets = || vec![TargetRef { id: machine.into(), port: Some(3567), zone: None }];
    assert_eq!(scene.targets("direct"), [format!("{machine}:3567")]);
    hand.done(&Change::Deregister { target_group: target_group(), targets: targets() });
    assert!(scene.targets("direct").is_empty());
    hand.done(&Change::Register { target_group: target_group(), targets: targets() });
    assert_eq!(scene.targets("direct"), [format!("{machine}:3567")]);
}

fn instances(scene: &Changed, hand: &Hand) {
    let [one, two, three] = ["/alone/2", "/alone/3", "/alone/4"].map(|way| scene.made(way));
    let both = || vec![one.into(), two.into()];
    let (stop, start) =
        (Change::StopInstances { instances: both() }, Change::StartInstances { instances: both() });
    hand.proved(&stop);
    assert_eq!(scene.state(one), "running", "it was only asked");
    let Answered::Instances(moved) = hand.done(&stop) else { panic!() };
    assert_eq!((moved.len(), moved[0].before.as_str()), (2, "running"));
    assert_eq!([one, two].map(|id| scene.state(id)), ["stopped", "stopped"]);
    hand.proved(&start);
    hand.done(&start);
    assert_eq!([one, two].map(|id| scene.state(id)), ["running", "running"]);
    hand.done(&Change::RebootInstances { instances: both() });
    assert_eq!([one, two].map(|id| scene.state(id)), ["running", "running"]);
    let end = Change::TerminateInstances { instances: vec![three.into()] };
    hand.proved(&end);
    hand.done(&end);
    assert_eq!(scene.state(three), "terminated");
    let nobody = Change::TerminateInstances { instances: vec![one.into(), "i-0123456789abcdef0".into()] };
    let error = hand.fails(&nobody);
    assert!(matches!(&error, WriteError::Refused(_)), "{error:?}");
    assert_eq!((error.code(), scene.state(one).as_str()), (Some("InvalidInstanceID.NotFound"), "running"));

    let tags = || {
        let instance = scene.instance(one);
        let rows = instance["Tags"].as_array().cloned().unwrap_or_default();
        let pair =
            |row: Value| (row["Key"].as_str().unwrap().to_owned(), row["Value"].as_str().unwrap().to_owned());
        rows.into_iter().map(pair).collect::<BTreeMap<_, _>>()
    };
    let set = [("coredeck:do-not-disrupt", "till noon <&> é"), ("empty", "")];
    hand.done(&Change::Tag { resources: vec![one.into()], tags: set.into_iter().collect() });
    let wanted = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(tags(), BTreeMap::from(wanted));
    let keys = vec!["coredeck:do-not-disrupt".into()];
    hand.done(&Change::Untag { resources: vec![one.into()], keys });
    assert_eq!(tags().into_keys().collect::<Vec<_>>(), ["empty"]);
}

fn templates(scene: &Changed, hand: &Hand) {
    let (template, image) = (|| scene.made("/template").into(), scene.made("/images/1"));
    let change = Change::CreateTemplateVersion {
        template: template(),
        from: 1,
        image: image.into(),
        description: "coredeck op=op-1".to_owned(),
    };
    hand.proved(&change);
    assert_eq!(hand.done(&change), Answered::Version(2));
    assert_eq!(
        hand.done(&Change::SetDefaultVersion { template: template(), version: 2 }),
        Answered::Version(2)
    );
    let asked = json!({ "LaunchTemplateId": scene.made("/template"), "Versions": ["$Default"] });
    let said = scene.boto.ask("ec2", "describe_launch_template_versions", asked);
    let version = &said["LaunchTemplateVersions"][0];
    // What it should take over from the first version moto leaves out.
    assert_eq!(
        (&version["VersionNumber"], &version["VersionDescription"]),
        (&json!(2), &json!("coredeck op=op-1"))
    );
    assert_eq!(version["LaunchTemplateData"]["ImageId"], image);

    let exact = TemplateRef { id: template(), name: "".into(), version: "2".into() };
    let tags = || [("Name", "a core's <host>"), ("coredeck:operation", "op-1/0")].into_iter().collect();
    let kind = Some("t3.small".into());
    let launch = Change::RunInstance { template: exact, subnet: None, instance_type: kind, tags: tags() };
    hand.proved(&launch);
    let Answered::Launched(id) = hand.done(&launch) else { panic!() };
    let instance = scene.instance(id.as_str());
    assert_eq!((&instance["InstanceType"], instance["ImageId"].as_str()), (&json!("t3.small"), Some(image)));
    let carried = instance["Tags"].as_array().unwrap();
    for (key, value) in tags().iter() {
        assert!(carried.contains(&json!({ "Key": key, "Value": value })), "{carried:?}");
    }

    let made = scene.boto.ask("ec2", "register_image", json!({ "Name": "core-docker-1" }));
    let image = || made["ImageId"].as_str().unwrap().into();
    let change = Change::DeregisterImage { image: image(), with_snapshots: true };
    hand.proved(&change);
    hand.done(&change);
    let asked = json!({ "Filters": [{ "Name": "name", "Values": ["core-docker-1"] }] });
    assert_eq!(scene.boto.ask("ec2", "describe_images", asked)["Images"], json!([]));
}

fn commands(scene: &Changed, hand: &Hand) {
    let content = json!({ "schemaVersion": "2.2", "description": "judged", "mainSteps": [{
        "action": "aws:runShellScript", "name": "list", "inputs": { "runCommand": ["docker ps"] }
    }] });
    let make = Change::CreateDocument { name: "judged".into(), content: content.to_string() };
    let Answered::Document { version, sha256 } = hand.done(&make) else { panic!() };
    assert_eq!(version, "1");
    let kept = scene.boto.ask("ssm", "get_document", json!({ "Name": "judged" }));
    assert_eq!(serde_json::from_str::<Value>(kept["Content"].as_str().unwrap()).unwrap(), content);
    let known = scene.boto.ask("ssm", "describe_document", json!({ "Name": "judged" }));
    assert_eq!(known["Document"]["Hash"], sha256.clone().unwrap_or_default().as_str());

    let send = Change::SendCommand {
        document: Document { name: "judged".into(), version: Some("1".into()), sha256 },
        instances: vec![scene.made("/alone/5").into()],
        parameters: BTreeMap::from([("Containers".into(), vec!["0123456789ab".into(), "it's -x".into()])]),
        comment: "coredeck op-1/step-2".to_owned(),
        deliver_within_s: 60,
        errors: 0,
        concurrency: 10,
    };
    let Answered::Command(id) = hand.done(&send) else { panic!() };
    let said = scene.boto.ask("ssm", "list_commands", json!({ "CommandId": id.as_str() }));
    let sent = &said["Commands"][0];
    // Moto sends it to more machines than were named; what it was asked is kept as it was asked.
    assert_eq!((&sent["Comment"], &sent["DocumentName"]), (&json!("coredeck op-1/step-2"), &json!("judged")));
    assert_eq!(sent["Parameters"], json!({ "Containers": ["0123456789ab", "it's -x"] }));
    assert_eq!((&sent["MaxConcurrency"], &sent["MaxErrors"]), (&json!("10"), &json!("0")));
}

fn parameters(scene: &Changed, hand: &Hand) {
    let name = "/coredeck/judged/cores/a";
    let put = |value: &str, overwrites| Change::PutParameter {
        name: name.into(),
        value: value.to_owned(),
        description: "coredeck op-1".to_owned(),
        overwrites,
    };
    assert_eq!(hand.done(&put(r#"{"port":1}"#, false)), Answered::Version(1));
    let refused = hand.fails(&put(r#"{"port":2}"#, false));
    assert_eq!(refused.code(), Some("ParameterAlreadyExists"), "{refused:?}");
    assert_eq!(hand.done(&put(r#"{"port":3}"#, true)), Answered::Version(2));
    let kept = scene.boto.ask("ssm", "get_parameter_history", json!({ "Name": name }));
    let kept: Vec<_> =
        kept["Parameters"].as_array().unwrap().iter().map(|one| one["Value"].clone()).collect();
    assert_eq!(kept, [json!(r#"{"port":1}"#), json!(r#"{"port":3}"#)]);
    let newest = scene.boto.ask("ssm", "get_parameter", json!({ "Name": name }));
    assert_eq!(newest["Parameter"]["Type"], "String");
    assert_eq!(hand.done(&Change::DeleteParameter { name: name.into() }), Answered::Yes);
    let left = scene.boto.ask("ssm", "get_parameters", json!({ "Names": [name] }));
    assert_eq!(left["InvalidParameters"], json!([name]));
}
