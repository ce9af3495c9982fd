//! The public parameters of AWS that name AMIs, each with the versions that it had.

use super::containers::AGENT;
use super::{Builder, DAY, Images};
use crate::sim::dice::Dice;
use compact_str::CompactString;
use serde_json::json;

/// Where the ECS-optimised AMIs are named.
const ECS: &str = "/aws/service/ecs/optimized-ami";
/// Where Bottlerocket's are.
const BOTTLEROCKET: &str = "/aws/service/bottlerocket/aws-ecs-2";

/// A release of an AMI: name, id, age in days, ECS agent, Docker.
type Release<'a> = (String, CompactString, i64, &'a str, &'a str);

impl Builder {
    /// Registers the AMIs that are only published, and the parameters that name them and the standard ones.
    pub(super) fn publish_images(&mut self, images: &Images) {
        for (architecture, below, newest, older) in [
            ("x86_64", "amazon-linux-2023", &images.ecs, &images.ecs_old),
            ("arm64", "amazon-linux-2023/arm64", &images.ecs_arm, &images.ecs_arm_old),
        ] {
            let name = |date: &str| format!("al2023-ami-ecs-hvm-2023.0.{date}-kernel-6.1-{architecture}");
            let between = self.released(&name("20261020"), architecture, 32);
            let releases = [
                (name("20260929"), older.clone(), 53, "1.97.0", "25.0.13"),
                (name("20261020"), between, 32, "1.97.1", "25.0.14"),
                (name("20261110"), newest.clone(), 11, AGENT, "25.0.14"),
            ];
            self.recommend(&format!("{ECS}/{below}"), "Amazon Linux 2023", 41, &releases);
            let plain = format!("al2023-ami-2023.9.20261105.0-kernel-6.1-{architecture}");
            let plain = self.released(&plain, architecture, 16);
            let latest = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default";
            let at = self.ago(16 * DAY);
            self.place.publish(&format!("{latest}-{architecture}"), plain.to_string(), 88, at);
        }
        // The last one before the end of support.
        for (architecture, below, end) in
            [("x86_64", "amazon-linux-2", "x86_64-ebs"), ("arm64", "amazon-linux-2/arm64", "arm64-ebs")]
        {
            let ancient = "amzn2-ami-ecs-hvm-2.0.20240131-x86_64-ebs".to_owned();
            let last = format!("amzn2-ami-ecs-hvm-2.0.20260622-{end}");
            let last = (last.clone(), self.released(&last, architecture, 152), 152, "1.96.0", "25.0.6");
            let first = (ancient, images.ancient.clone(), 1025, "1.81.0", "20.10.25");
            let releases = if architecture == "x86_64" { vec![first, last] } else { vec![last] };
            self.recommend(&format!("{ECS}/{below}"), "Amazon Linux 2", 41, &releases);
        }
        for architecture in ["x86_64", "arm64"] {
            for (version, commit, age) in [("1.49.0", "713f44ce", 61), ("1.51.0", "47438798", 19)] {
                let name = format!("bottlerocket-aws-ecs-2-{architecture}-v{version}-{commit}");
                let id = self.released(&name, architecture, age);
                let at = self.ago((age - 1) * DAY);
                for word in ["latest", version] {
                    let below = format!("{BOTTLEROCKET}/{architecture}/{word}");
                    self.place.publish(&format!("{below}/image_id"), id.to_string(), 41, at);
                    let said = format!("{version}-{commit}");
                    self.place.publish(&format!("{below}/image_version"), said, 41, at);
                }
            }
        }
    }

    /// Registers an AMI of Amazon's; its id is the same in every account of a region.
    fn released(&mut self, name: &str, architecture: &'static str, age: i64) -> CompactString {
        let mut dice = Dice::new(self.seed, &format!("{}/{name}", self.place.region));
        let ids = (CompactString::from(dice.id("ami")), CompactString::from(dice.id("snap")));
        let what = "published by AWS";
        self.register(ids, (name, what), false, architecture, (age * DAY, 730 * DAY))
    }

    /// Publishes releases, oldest first: each by its name, and one after the other as what is recommended.
    fn recommend(&mut self, below: &str, os: &str, first: u32, releases: &[Release]) {
        for (name, id, age, agent, docker) in releases {
            // A day after it was made.
            let at = self.ago((age - 1) * DAY);
            let version = name.split('-').find(|part| part.starts_with("20") || part.starts_with("2.0"));
            let mut fields = json!({
                "ecs_agent_version": agent,
                "ecs_runtime_version": format!("Docker version {docker}"),
                "image_id": id,
                "image_name": name,
                "image_version": version.unwrap_or_default(),
                "os": os,
                "schema_version": 1,
                "source_image_name": format!("{}-minimal", name.replace("-ecs-hvm", "")),
            });
            // Older entries say less.
            if *age > 730
                && let Some(fields) = fields.as_object_mut()
            {
                fields.retain(|key, _| key != "image_version" && key != "source_image_name");
            }
            for word in ["recommended", name.as_str()] {
                let number = if word == "recommended" { first } else { 1 };
                self.place.publish(&format!("{below}/{word}"), fields.to_string(), number, at);
                for (key, value) in fields.as_object().into_iter().flatten() {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    self.place.publish(&format!("{below}/{word}/{key}"), value, number, at);
                }
            }
        }
    }
}
