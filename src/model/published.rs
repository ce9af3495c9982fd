//! Images that their makers publish through parameters: which parameter an image came from, and how far behind
//! what it names now an image is.

use super::ids::ImageId;
use super::template::Image;
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A parameter that names an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The parameter's name.
    pub parameter: Text,
    /// How often it was set: grows by one with each image.
    pub version: u64,
    /// When it was last set.
    pub changed_at: Option<Timestamp>,
    /// What it names now.
    pub now: Told,
    /// The images that it named before, newest first, with the version that named them. Empty where AWS
    /// keeps none, or does not say.
    pub past: Vec<(u64, ImageId)>,
}

/// What the value of such a parameter says. All but the image may be missing: values of some makers are an id
/// and nothing else, and older ones leave things out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The image.
    pub image: ImageId,
    /// Its name.
    pub name: Option<Text>,
    /// The version of the ECS agent in it.
    pub agent: Option<Text>,
    /// What its maker calls the version of it.
    pub image_version: Option<Text>,
    /// The operating system.
    pub os: Option<Text>,
}

/// How far an image is behind what a parameter names now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// So many versions; none of them when it is the newest.
    By(u64),
    /// At least so many: it is older than everything that AWS remembers of the parameter.
    AtLeast(u64),
}

impl Behind {
    /// The number in it.
    pub fn count(self) -> u64 {
        match self {
            Self::By(count) | Self::AtLeast(count) => count,
        }
    }
}

impl Published {
    /// How far an image is behind.
    pub fn behind(&self, image: &ImageId) -> Behind {
        if self.now.image == *image {
            return Behind::By(0);
        }
        match self.past.iter().find(|(_, past)| past == image) {
            Some((version, _)) => Behind::By(self.version.saturating_sub(*version).max(1)),
            None => Behind::AtLeast(self.past.len() as u64 + 1),
        }
    }
}

/// Families of images whose makers publish them: how a name begins, and the parameter. `{arch}` stands for the
/// architecture, and what is in square brackets is there for arm64 alone.
const FAMILIES: [(&str, &str); 11] = [
    ("al2023-ami-ecs-hvm-", "/aws/service/ecs/optimized-ami/amazon-linux-2023[/arm64]/recommended/image_id"),
    (
        "al2023-ami-ecs-neuron-hvm-",
        "/aws/service/ecs/optimized-ami/amazon-linux-2023/neuron/recommended/image_id",
    ),
    ("al2023-ami-ecs-gpu-hvm-", "/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id"),
    ("amzn2-ami-ecs-hvm-", "/aws/service/ecs/optimized-ami/amazon-linux-2[/arm64]/recommended/image_id"),
    (
        "amzn2-ami-ecs-kernel-5.10-hvm-",
        "/aws/service/ecs/optimized-ami/amazon-linux-2/kernel-5.10[/arm64]/recommended/image_id",
    ),
    ("amzn2-ami-ecs-gpu-hvm-", "/aws/service/ecs/optimized-ami/amazon-linux-2/gpu/recommended/image_id"),
    ("amzn2-ami-ecs-inf-hvm-", "/aws/service/ecs/optimized-ami/amazon-linux-2/inf/recommended/image_id"),
    ("bottlerocket-aws-ecs-1-nvidia-", "/aws/service/bottlerocket/aws-ecs-1-nvidia/{arch}/latest/image_id"),
    ("bottlerocket-aws-ecs-1-", "/aws/service/bottlerocket/aws-ecs-1/{arch}/latest/image_id"),
    ("bottlerocket-aws-ecs-2-nvidia-", "/aws/service/bottlerocket/aws-ecs-2-nvidia/{arch}/latest/image_id"),
    ("bottlerocket-aws-ecs-2-", "/aws/service/bottlerocket/aws-ecs-2/{arch}/latest/image_id"),
];

impl Image {
    /// The public parameter that names the newest of its family; none for images of one's own, and for what
    /// nobody publishes.
    pub fn published_by(&self) -> Option<Text> {
        let name = self.name.as_deref()?;
        // Anybody may call an image so; where AWS says who made it, it must be AWS.
        if self.owner_alias.as_deref().is_some_and(|alias| alias != "amazon") {
            return None;
        }
        let architecture = self.architecture.as_deref()?;
        let (_, pattern) = FAMILIES.iter().find(|(begin, _)| name.starts_with(begin))?;
        let whole = match (pattern.split_once('['), architecture) {
            (Some((before, rest)), "arm64") => format!("{before}{}", rest.replacen(']', "", 1)),
            (Some((before, rest)), _) => {
                format!("{before}{}", rest.split_once(']').map_or("", |(_, rest)| rest))
            }
            (None, _) => pattern.replace("{arch}", architecture),
        };
        Some(whole.into())
    }

    /// The day after which its maker mends nothing in it any more, for families that have reached or will
    /// reach their end.
    pub fn end_of_support(&self) -> Option<&'static str> {
        let name = self.name.as_deref().unwrap_or_default();
        (name.starts_with("amzn2-") || name.starts_with("amazon-linux-2/")).then_some("2026-06-30")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, architecture: &str) -> Image {
        Image {
            name: Some(name.into()),
            architecture: Some(architecture.into()),
            owner_alias: Some("amazon".into()),
            ..Image::default()
        }
    }

    #[test]
    fn an_image_leads_back_to_its_parameter() {
        let of = |name, architecture| image(name, architecture).published_by().map(|text| text.to_string());
        let ecs = |rest: &str| Some(format!("/aws/service/ecs/optimized-ami/{rest}/recommended/image_id"));
        assert_eq!(
            of("al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-x86_64", "x86_64"),
            ecs("amazon-linux-2023")
        );
        assert_eq!(
            of("al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-arm64", "arm64"),
            ecs("amazon-linux-2023/arm64")
        );
        assert_eq!(of("amzn2-ami-ecs-hvm-2.0.20240131-x86_64-ebs", "x86_64"), ecs("amazon-linux-2"));
        assert_eq!(
            of("amzn2-ami-ecs-kernel-5.10-hvm-2.0-arm64", "arm64"),
            ecs("amazon-linux-2/kernel-5.10/arm64")
        );
        assert_eq!(
            of("bottlerocket-aws-ecs-2-arm64-v1.20.0-abc", "arm64").as_deref(),
            Some("/aws/service/bottlerocket/aws-ecs-2/arm64/latest/image_id")
        );
        assert_eq!(of("core-docker-2026.11.04", "x86_64"), None);
        let mut forged = image("al2023-ami-ecs-hvm-9", "x86_64");
        forged.owner_alias = Some("aws-marketplace".into());
        assert_eq!(forged.published_by(), None);
    }

    #[test]
    fn how_far_behind_is_said_by_the_parameters_own_versions() {
        let it = Published {
            parameter: "/p".into(),
            version: 9,
            changed_at: None,
            now: Told { image: "ami-9".into(), ..Told::default() },
            past: vec![(8, "ami-8".into()), (6, "ami-6".into())],
        };
        assert_eq!(it.behind(&"ami-9".into()), Behind::By(0));
        assert_eq!(it.behind(&"ami-6".into()), Behind::By(3));
        assert_eq!(it.behind(&"ami-1".into()), Behind::AtLeast(3));
    }
}
