//! Judged by moto and boto3: the real images that AWS published and the real parameters that name them. What we
//! resolve is what boto3 resolves, the version that we make of it is what boto3 reads, and how far groups have
//! drifted from it is what boto3 lets us count.
//!
//! **Moto has no instance refresh**: none of its four calls, in no version. What is done with a version is judged
//! on the simulator alone; here we only see that a refresh that moto does not know leaves us in doubt, and say so.

use super::Changed;
use crate::binary::Home;
use crate::changes::{reach, scope};
use coredeck::gateway::change::{Answered, Handling, Preferences};
use coredeck::gateway::{Change, FleetWriter as _, Proof, Token};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;

const FAMILY: &str = "/aws/service/ecs/optimized-ami/amazon-linux-2023";

impl Changed {
    /// What a public parameter names, as boto3 reads it.
    fn named(&self, parameter: &str) -> String {
        let said = self.boto.ask("ssm", "get_parameter", json!({ "Name": parameter }));
        said["Parameter"]["Value"].as_str().unwrap().to_owned()
    }

    /// Ids of published images by how they are called, in the order of their names.
    fn called(&self, name: &str) -> Vec<(String, String)> {
        let asked = json!({ "Owners": ["amazon"], "Filters": [{ "Name": "name", "Values": [name] }] });
        let said = self.boto.ask("ec2", "describe_images", asked);
        let text = |image: &Value, key: &str| image[key].as_str().unwrap().to_owned();
        let images = said["Images"].as_array().unwrap().iter();
        let mut all: Vec<_> = images.map(|image| (text(image, "Name"), text(image, "ImageId"))).collect();
        all.sort();
        all
    }

    /// A group of two whose template launches an image.
    fn launching(&self, name: &str, image: &str) -> String {
        let data = json!({ "ImageId": image, "InstanceType": "t3.large" });
        let asked = json!({ "LaunchTemplateName": name, "LaunchTemplateData": data });
        let made = self.boto.ask("ec2", "create_launch_template", asked);
        let template = made["LaunchTemplate"]["LaunchTemplateId"].as_str().unwrap().to_owned();
        let subnets = self.boto.ask("ec2", "describe_subnets", json!({}));
        let asked = json!({
            "AutoScalingGroupName": name, "MinSize": 0, "MaxSize": 4, "DesiredCapacity": 2,
            "VPCZoneIdentifier": subnets["Subnets"][0]["SubnetId"],
            "LaunchTemplate": { "LaunchTemplateId": template, "Version": "1" },
        });
        self.boto.ask("autoscaling", "create_auto_scaling_group", asked);
        template
    }
}

#[test]
fn real_images_of_real_parameters_are_versions_and_drift_that_boto3_reads() {
    let Some(scene) = Changed::new() else { return };
    let newest = scene.named(&format!("{FAMILY}/recommended/image_id"));
    let all = scene.called("al2023-ami-ecs-hvm-2023.0.*-kernel-6.1-x86_64");
    assert!(all.len() > 20, "{} real images", all.len());
    let (old_name, old) = all.iter().rev().find(|(_, id)| *id != newest).cloned().unwrap();
    let template = scene.launching("drifted", &old);
    scene.launching("fresh", &newest);
    let home = Home::new();
    let drift = || -> Vec<Value> {
        let columns = "name,drift,image_id,image_name,hosts,stale,version,parameter,newest_id";
        home.rows(&["get", "drift", "-o", "json", "--columns", columns, "--endpoint-url", &scene.moto.url])
    };
    let row = |rows: &[Value], name: &str| rows.iter().find(|row| row["name"] == name).cloned().unwrap();
    let rows = drift();
    let drifted = row(&rows, "drifted");
    assert_eq!((&drifted["image_id"], &drifted["image_name"]), (&json!(old), &json!(old_name)));
    assert_eq!((&drifted["newest_id"], &drifted["drift"]), (&json!(newest), &json!("behind")), "{drifted}");
    assert_eq!(drifted["parameter"], format!("{FAMILY}/recommended/image_id"));
    let fresh = row(&rows, "fresh");
    assert_eq!((&fresh["drift"], &fresh["stale"]), (&json!("current"), &json!(0)), "{fresh}");
    // Every group that boto3 lists has a row, and no other.
    let groups = scene.boto.ask("autoscaling", "describe_auto_scaling_groups", json!({}));
    let names = |rows: &[Value], key: &str| -> BTreeSet<String> {
        rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        names(&rows, "name"),
        names(groups["AutoScalingGroups"].as_array().unwrap(), "AutoScalingGroupName")
    );

    // The version that a rollout makes of it, proved before it is made.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let writer = runtime.block_on(reach(&scene.moto.url, None)).writer().unwrap();
    let version = Change::CreateTemplateVersion {
        template: template.as_str().into(),
        from: 1,
        image: newest.as_str().into(),
        description: "coredeck op=judged".to_owned(),
    };
    let proof = runtime.block_on(writer.prove(&scope(), &version));
    assert!(matches!(proof, Ok(Proof::Proved { .. })), "{proof:?}");
    let receipt =
        runtime.block_on(writer.write(&scope(), &version, &Token::of(&["judged", "version"]))).unwrap();
    assert_eq!(receipt.answered, Answered::Version(2));
    let asked = json!({ "LaunchTemplateId": template, "Versions": ["2"] });
    let said = scene.boto.ask("ec2", "describe_launch_template_versions", asked);
    assert_eq!(said["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"], newest);
    // Set to it by hand, the group launches the newest, and its members are what is left behind.
    let asked = json!({ "AutoScalingGroupName": "drifted", "LaunchTemplate": { "LaunchTemplateId": template, "Version": "2" } });
    scene.boto.ask("autoscaling", "update_auto_scaling_group", asked);
    let drifted = row(&drift(), "drifted");
    assert_eq!(
        (&drifted["drift"], &drifted["image_id"], &drifted["hosts"], &drifted["stale"]),
        (&json!("mixed"), &json!(newest), &json!(2), &json!(2)),
        "{drifted}"
    );

    // There is no refresh to judge: what moto does not know leaves us in doubt.
    let refresh = Change::StartRefresh {
        group: "drifted".into(),
        preferences: Box::new(Preferences {
            min_healthy: 100,
            max_healthy: 110,
            warmup_s: 60,
            checkpoints: Vec::new(),
            checkpoint_delay_s: 0,
            skips_matching: true,
            rolls_back: false,
            protected: Handling::Ignore,
            standby: Handling::Ignore,
            alarms: Vec::new(),
            bake_s: 0,
        }),
        desired: None,
    };
    let doubt =
        runtime.block_on(writer.write(&scope(), &refresh, &Token::of(&["judged", "refresh"]))).unwrap_err();
    assert!(doubt.may_have_acted(), "{doubt:?}");
    let said = "\n*** NOT JUDGED by moto: instance refreshes. It has none of their four calls; the simulator alone has seen them. ***\n";
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}
