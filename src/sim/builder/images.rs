//! AMIs: those that every fleet has, and those that are registered beside them.

use super::{Builder, DAY, tag};
use crate::sim::dice::Dice;
use crate::sim::world::keeping::{Parameter, Past};
use crate::sim::world::machine::Image;
use compact_str::CompactString;

/// The account that publishes the ECS-optimised AMIs.
const AMAZON: &str = "591542846629";
/// The ECS agent in the newest of them.
const AGENT: &str = super::containers::AGENT;
/// The version of a published parameter that the oldest image known here was.
const PUBLISHED_BEFORE: u32 = 41;

/// AMIs of the fleet.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Images {
    pub(in crate::sim) docker: CompactString,
    pub(in crate::sim) docker_old: CompactString,
    pub(in crate::sim) ecs: CompactString,
    pub(in crate::sim) ecs_old: CompactString,
    pub(in crate::sim) ecs_arm: CompactString,
    pub(in crate::sim) ecs_arm_old: CompactString,
    pub(in crate::sim) ancient: CompactString,
}

impl Builder {
    /// The AMIs that every fleet has, registered when they are first asked for.
    pub(in crate::sim) fn standard_images(&mut self) -> Images {
        if let Some(images) = &self.images {
            return images.clone();
        }
        let images = self.register_images();
        self.publish(&images);
        self.images = Some(images.clone());
        images
    }

    fn register_images(&mut self) -> Images {
        let mut image = |name: &str, what: &str, is_own: bool, architecture, age: i64, kept: i64| {
            self.image((name, what), is_own, architecture, (age * DAY, kept * DAY))
        };
        let optimized = "Amazon Linux AMI 2023 x86_64 ECS HVM EBS";
        let optimized_arm = "Amazon Linux AMI 2023 arm64 ECS HVM EBS";
        Images {
            docker: image("core-docker-2026.11.04", "Docker preinstalled, for cores", true, "x86_64", 17, 0),
            docker_old: image(
                "core-docker-2026.08.12",
                "Docker preinstalled, for cores",
                true,
                "x86_64",
                101,
                0,
            ),
            ecs: image(
                "al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-x86_64",
                optimized,
                false,
                "x86_64",
                11,
                730,
            ),
            ecs_old: image(
                "al2023-ami-ecs-hvm-2023.0.20260929-kernel-6.1-x86_64",
                optimized,
                false,
                "x86_64",
                53,
                730,
            ),
            ecs_arm: image(
                "al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-arm64",
                optimized_arm,
                false,
                "arm64",
                11,
                730,
            ),
            ecs_arm_old: image(
                "al2023-ami-ecs-hvm-2023.0.20260929-kernel-6.1-arm64",
                optimized_arm,
                false,
                "arm64",
                53,
                730,
            ),
            ancient: image(
                "amzn2-ami-ecs-hvm-2.0.20240131-x86_64-ebs",
                "Amazon Linux AMI 2.0.20240131 x86_64 ECS HVM GP2",
                false,
                "x86_64",
                1025,
                730,
            ),
        }
    }

    /// What AWS publishes as its newest images, with those that it named before: parameters that every account reads.
    fn publish(&mut self, images: &Images) {
        let between = "al2023-ami-ecs-hvm-2023.0.20261020-kernel-6.1";
        let between_x86 = self.stranger(&format!("{between}-x86_64"), "x86_64", 32);
        let between_arm = self.stranger(&format!("{between}-arm64"), "arm64", 32);
        let last = self.stranger("amzn2-ami-ecs-hvm-2.0.20260622-x86_64-ebs", "x86_64", 152);
        let ecs = "/aws/service/ecs/optimized-ami";
        self.series(
            &format!("{ecs}/amazon-linux-2023"),
            "Amazon Linux 2023",
            &[images.ecs_old.clone(), between_x86, images.ecs.clone()],
        );
        self.series(
            &format!("{ecs}/amazon-linux-2023/arm64"),
            "Amazon Linux 2023",
            &[images.ecs_arm_old.clone(), between_arm, images.ecs_arm.clone()],
        );
        self.series(&format!("{ecs}/amazon-linux-2"), "Amazon Linux 2", &[images.ancient.clone(), last]);
        for architecture in ["x86_64", "arm64"] {
            let name = |version: &str| format!("bottlerocket-aws-ecs-2-{architecture}-{version}");
            let old = self.stranger(&name("v1.49.0-713f44ce"), architecture, 61);
            let new = self.stranger(&name("v1.51.0-47438798"), architecture, 19);
            let base = format!("/aws/service/bottlerocket/aws-ecs-2/{architecture}/latest");
            self.published(format!("{base}/image_id"), &[old, new], |image| image.id.to_string());
        }
    }

    /// An image of AWS's that nothing of the fleet was made from when it began.
    fn stranger(&mut self, name: &str, architecture: &'static str, days: i64) -> CompactString {
        let mut dice = Dice::new(self.seed, name);
        let created = self.now.minus(days * DAY);
        let image = Image {
            id: dice.id("ami").into(),
            name: name.into(),
            description: "published by AWS".into(),
            owner: AMAZON.into(),
            owner_alias: Some("amazon"),
            architecture,
            created,
            deprecated: Some(created.plus(730 * DAY)),
            is_public: true,
            snapshot: dice.id("snap").into(),
            tags: Vec::new(),
        };
        let id = image.id.clone();
        self.place.images.insert(id.clone(), image);
        id
    }

    /// The parameters of a family of ECS images, oldest image first: one of JSON, and one for each of its parts.
    fn series(&mut self, base: &str, os: &'static str, images: &[CompactString]) {
        let whole = move |image: &Image| {
            serde_json::json!({
                "ecs_agent_version": AGENT, "ecs_runtime_version": "Docker version 25.0.14", "image_id": image.id,
                "image_name": image.name, "os": os, "schema_version": 1,
            })
            .to_string()
        };
        self.published(format!("{base}/recommended"), images, whole);
        self.published(format!("{base}/recommended/image_id"), images, |image| image.id.to_string());
        self.published(format!("{base}/recommended/image_name"), images, |image| image.name.to_string());
        self.published(format!("{base}/recommended/ecs_agent_version"), images, |_| AGENT.to_owned());
    }

    /// A parameter that was set once for each image, oldest first, and had been before.
    fn published(&mut self, name: String, images: &[CompactString], value: impl Fn(&Image) -> String) {
        let rows = images.iter().filter_map(|id| self.place.images.get(id));
        let mut past: Vec<Past> = (PUBLISHED_BEFORE..)
            .zip(rows)
            .map(|(version, image)| Past {
                kind: "String",
                value: value(image),
                version,
                modified: image.created.plus(DAY),
                description: None,
                user: None,
            })
            .collect();
        let Some(newest) = past.pop() else { return };
        let name = CompactString::from(name);
        let parameter = Parameter {
            name: name.clone(),
            kind: newest.kind,
            value: newest.value,
            version: newest.version,
            modified: newest.modified,
            past,
            ..Parameter::default()
        };
        self.place.parameters.insert(name, parameter);
    }

    /// Registers an AMI: name and description, whose it is, its age and after which age it is deprecated
    /// (in seconds; 0 for never). Returns its id.
    pub(in crate::sim) fn image(
        &mut self,
        (name, what): (&str, &str),
        is_own: bool,
        architecture: &'static str,
        (age, kept): (i64, i64),
    ) -> CompactString {
        let id = CompactString::from(self.dice.id("ami"));
        let created = self.now.minus(age);
        let own = CompactString::from(self.place.account.as_ref());
        let tags = if is_own { vec![tag("Name", name), tag("built-by", "packer")] } else { Vec::new() };
        let image = Image {
            id: id.clone(),
            name: name.into(),
            description: what.into(),
            owner: if is_own { own } else { AMAZON.into() },
            owner_alias: (!is_own).then_some("amazon"),
            architecture,
            created,
            deprecated: (kept > 0).then(|| created.plus(kept)),
            is_public: !is_own,
            snapshot: self.dice.id("snap").into(),
            tags,
        };
        self.place.images.insert(id.clone(), image);
        id
    }
}
