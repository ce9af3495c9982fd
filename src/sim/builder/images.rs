//! AMIs: those that every fleet has, and those that are registered beside them.

use super::{Builder, DAY, tag};
use crate::sim::world::machine::Image;
use compact_str::CompactString;

/// The account that publishes the ECS-optimised AMIs.
const AMAZON: &str = "591542846629";

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
        self.publish_images(&images);
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
        let snapshot = self.dice.id("snap").into();
        self.register((id, snapshot), (name, what), is_own, architecture, (age, kept))
    }

    /// The same with ids that are known.
    pub(super) fn register(
        &mut self,
        (id, snapshot): (CompactString, CompactString),
        (name, what): (&str, &str),
        is_own: bool,
        architecture: &'static str,
        (age, kept): (i64, i64),
    ) -> CompactString {
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
            state: "available",
            boot: if architecture == "arm64" { "uefi" } else { "uefi-preferred" },
            root: "/dev/xvda",
            is_instance_store: false,
            has_ena: true,
            snapshot,
            tags,
            flaw: None,
        };
        self.place.images.insert(id.clone(), image);
        id
    }
}
