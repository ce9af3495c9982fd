//! Judged by moto and boto3: changes that coredeck made are what boto3 then reads. Moto has no instance refresh, no
//! task protection and no lifecycle actions, sends commands to more instances than were named, and moves no task of a
//! host that drains (facts of moto, not of AWS): those are not judged here.

use super::FLEET;
use crate::changes::{reach, scope};
use crate::python::{Moto, judges};
use coredeck::aws::Writer;
use coredeck::gateway::change::{Answered, HostState, TargetRef};
use coredeck::gateway::{Change, FleetWriter as _, Proof, Token, WriteError};
use serde_json::Value;

async fn done(writer: &Writer, change: &Change) -> Answered {
    let token = Token::of(&["op", change.action()]);
    let receipt = writer.write(&scope(), change, &token).await;
    let receipt = receipt.unwrap_or_else(|error| panic!("{change:?}: {error}"));
    assert!(receipt.missed.is_empty(), "{receipt:?}");
    assert!(receipt.command.starts_with("aws "), "{receipt:?}");
    receipt.answered
}

fn find<'a>(truth: &'a Value, kind: &str, key: &str, value: &str) -> &'a Value {
    let mut rows = truth[kind].as_array().unwrap().iter();
    rows.find(|row| row[key] == value).unwrap_or_else(|| panic!("no {kind} {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_what_boto3_then_reads() {
    let Some(python) = judges() else { return };
    let (moto, before) = tokio::task::block_in_place(|| {
        let moto = Moto::start(python, &[]);
        python.run("seed_fleet.py", &[&moto.url, "us-east-1", FLEET]);
        let before = python.run("dump.py", &[&moto.url, "us-east-1"]);
        (moto, before)
    });
    let aws = reach(&moto.url, None).await;
    let writer = aws.writer().unwrap();
    let group = before["groups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| {
            let members = group["Instances"].as_array().unwrap();
            members.len() >= 3 && members.iter().all(|one| one["LifecycleState"] == "InService")
        })
        .unwrap();
    let name = group["AutoScalingGroupName"].as_str().unwrap();
    let member = |nth: usize| group["Instances"][nth]["InstanceId"].as_str().unwrap().to_owned();
    let desired = u32::try_from(group["DesiredCapacity"].as_u64().unwrap()).unwrap();
    let (guarded, standby) = (member(0), member(1));

    let change = Change::ProtectScaleIn {
        group: name.into(),
        instances: vec![guarded.as_str().into()],
        is_protected: true,
    };
    assert_eq!(done(&writer, &change).await, Answered::Yes);
    let change = Change::EnterStandby {
        group: name.into(),
        instances: vec![standby.as_str().into()],
        is_decremented: true,
    };
    assert!(matches!(done(&writer, &change).await, Answered::Activities(all) if all.len() == 1));
    let processes = vec!["AZRebalance".into(), "InstanceRefresh".into()];
    done(&writer, &Change::SuspendProcesses { group: name.into(), processes }).await;

    let host = before["hosts"].as_array().unwrap().iter().find(|host| host["status"] == "ACTIVE").unwrap();
    let host_arn = host["containerInstanceArn"].as_str().unwrap();
    let cluster = before["clusters"].as_array().unwrap().iter();
    let cluster = cluster
        .map(|one| one["clusterArn"].as_str().unwrap())
        .find(|arn| host_arn.split('/').nth(1) == arn.rsplit('/').next());
    let cluster = cluster.unwrap();
    let change =
        Change::HostState { cluster: cluster.into(), hosts: vec![host_arn.into()], to: HostState::Draining };
    assert_eq!(done(&writer, &change).await, Answered::Hosts(vec![(host_arn.into(), "DRAINING".into())]));
    let service = &before["services"][0];
    let service_arn = service["serviceArn"].as_str().unwrap();
    let change = Change::ScaleService {
        cluster: service["clusterArn"].as_str().unwrap().into(),
        service: service_arn.into(),
        desired: 7,
    };
    assert!(matches!(done(&writer, &change).await, Answered::Service { desired: 7, .. }));

    let target =
        before["targets"].as_array().unwrap().iter().find(|one| one["Target"]["Port"].is_u64()).unwrap();
    let (target_group, id) =
        (target["TargetGroupArn"].as_str().unwrap(), target["Target"]["Id"].as_str().unwrap());
    let port = target["Target"]["Port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let targets = vec![TargetRef { id: id.into(), port, zone: None }];
    done(&writer, &Change::Deregister { target_group: target_group.into(), targets }).await;

    let runs = before["instances"].as_array().unwrap().iter();
    let runs: Vec<&str> = runs
        .filter(|one| one["State"]["Name"] == "running" && one["InstanceLifecycle"].is_null())
        .map(|one| one["InstanceId"].as_str().unwrap())
        .filter(|one| *one != id && !group.to_string().contains(one))
        .collect();
    let (stopped, ended) = (runs[0], runs[runs.len() - 1]);
    let stop = Change::StopInstances { instances: vec![stopped.into()] };
    assert!(matches!(writer.prove(&scope(), &stop).await, Ok(Proof::Proved { .. })));
    let Answered::Instances(moved) = done(&writer, &stop).await else { panic!() };
    assert_eq!((moved[0].id.as_str(), moved[0].before.as_str()), (stopped, "running"));
    done(&writer, &Change::TerminateInstances { instances: vec![ended.into()] }).await;
    let tags = [("coredeck:do-not-disrupt", "till noon")].into_iter().collect();
    done(&writer, &Change::Tag { resources: vec![guarded.as_str().into()], tags }).await;

    let template = &before["templates"][0];
    let template_id = template["LaunchTemplateId"].as_str().unwrap();
    let latest = template["LatestVersionNumber"].as_u64().unwrap();
    let image = find(&before, "instances", "InstanceId", stopped)["ImageId"].as_str().unwrap();
    let change = Change::CreateTemplateVersion {
        template: template_id.into(),
        from: latest,
        image: image.into(),
        description: "coredeck op-1".to_owned(),
    };
    assert!(matches!(writer.prove(&scope(), &change).await, Ok(Proof::Proved { .. })));
    assert_eq!(done(&writer, &change).await, Answered::Version(latest + 1));
    let change = Change::SetDefaultVersion { template: template_id.into(), version: latest + 1 };
    assert_eq!(done(&writer, &change).await, Answered::Version(latest + 1));

    let nobody = Change::TerminateInstances { instances: vec!["i-0123456789abcdef0".into()] };
    let error = writer.write(&scope(), &nobody, &Token::of(&["no"])).await.unwrap_err();
    assert!(matches!(error, WriteError::Refused(_)), "{error:?}");

    let after = tokio::task::block_in_place(|| python.run("dump.py", &[&moto.url, "us-east-1"]));
    let group = find(&after, "groups", "AutoScalingGroupName", name);
    assert_eq!(group["DesiredCapacity"], desired - 1);
    let of = |id: &str| {
        let mut members = group["Instances"].as_array().unwrap().iter();
        members.find(|one| one["InstanceId"] == id).unwrap().clone()
    };
    assert_eq!(of(&guarded)["ProtectedFromScaleIn"], true);
    assert_eq!(of(&standby)["LifecycleState"], "Standby");
    let suspended: Vec<&str> = group["SuspendedProcesses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["ProcessName"].as_str().unwrap())
        .collect();
    assert!(suspended.contains(&"AZRebalance") && suspended.contains(&"InstanceRefresh"), "{suspended:?}");
    assert_eq!(find(&after, "hosts", "containerInstanceArn", host_arn)["status"], "DRAINING");
    assert_eq!(find(&after, "services", "serviceArn", service_arn)["desiredCount"], 7);
    let is_left = |one: &Value| one["TargetGroupArn"] == target_group && one["Target"]["Id"] == id;
    assert!(!after["targets"].as_array().unwrap().iter().any(is_left), "it is still a target");
    assert_eq!(find(&after, "instances", "InstanceId", stopped)["State"]["Name"], "stopped");
    assert_eq!(find(&after, "instances", "InstanceId", ended)["State"]["Name"], "terminated");
    let tagged = find(&after, "instances", "InstanceId", &guarded)["Tags"].to_string();
    assert!(tagged.contains("coredeck:do-not-disrupt") && tagged.contains("till noon"), "{tagged}");
    let template = find(&after, "templates", "LaunchTemplateId", template_id);
    assert_eq!(template["DefaultVersionNumber"], latest + 1);
    let made = after["template_versions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["LaunchTemplateId"] == template_id && one["VersionNumber"] == latest + 1);
    let made = made.unwrap();
    assert_eq!(
        (&made["VersionDescription"], &made["LaunchTemplateData"]["ImageId"]),
        (&"coredeck op-1".into(), &image.into())
    );
}
