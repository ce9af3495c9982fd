//! Whether a group can launch an image, and whether it should: each reason against it with its mend.

use super::types::{architecture, is_nitro};
use crate::model::{Image, InstanceType, Text};
use jiff::Timestamp;

/// What somebody lets pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// An image that is deprecated.
    pub deprecated: bool,
    /// An image that is older than what the group launches now.
    pub older: bool,
    /// Images of these accounts.
    pub owners: Vec<Text>,
}

/// A reason against an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong with it.
    pub why: String,
    /// What mends it.
    pub mend: String,
}

/// Everything that is against launching an image in a group, and everything that a person should know.
pub fn fits(
    image: &Image,
    now: Option<&Image>,
    types: &[InstanceType],
    own_account: &str,
    allowed: &Allowed,
    at: Timestamp,
) -> (Vec<Wrong>, Vec<String>) {
    let (mut wrongs, mut warnings) = (Vec::new(), Vec::new());
    let mut wrong = |why: String, mend: &str| wrongs.push(Wrong { why, mend: mend.to_owned() });
    let id = &image.id;
    if let Some(state) = image.state.as_deref().filter(|state| *state != "available") {
        wrong(
            format!("{id} is {state}: it cannot be launched"),
            "wait until it is available, or name another image",
        );
    }
    if let Some(built) = image.architecture.as_deref() {
        let others: Vec<&str> =
            types.iter().map(InstanceType::as_str).filter(|name| architecture(name) != built).collect();
        if !others.is_empty() {
            wrong(
                format!("{id} is for {built}, and the group launches {}", others.join(", ")),
                "name the image for their processors: al2023 and al2023-arm64 are two",
            );
        } else if let Some(before) =
            now.and_then(|now| now.architecture.as_deref()).filter(|was| *was != built)
        {
            wrong(
                format!("{id} is for {built}, and what it replaces is for {before}"),
                "name the image for the same processors",
            );
        }
    }
    if image.root_device_type.as_deref().is_some_and(|kind| kind != "ebs") {
        wrong(
            format!("{id} has no EBS root volume: its instances lose everything when they stop"),
            "name an image with an EBS root volume",
        );
    }
    boots(image, types, &mut wrong);
    if let Some(owner) = image.owner_id.as_ref() {
        let is_known = image.owner_alias.as_deref() == Some("amazon")
            || owner.as_str() == own_account
            || now.and_then(|now| now.owner_id.as_ref()) == Some(owner)
            || allowed.owners.iter().any(|known| *known == owner.as_str());
        if !is_known {
            wrong(
                format!(
                    "{id} belongs to account {owner}: neither to this one nor to AWS, and the group runs none of it"
                ),
                &format!("if you trust that account, say --allow-owner {owner}"),
            );
        }
    }
    if image.deprecated_at.is_some_and(|then| then <= at) {
        let why = format!("{id} is deprecated: its maker has newer ones");
        if allowed.deprecated {
            warnings.push(why);
        } else {
            wrong(why, "name a newer one, or say --allow-deprecated");
        }
    }
    if let (Some(made), Some(before)) = (image.created_at, now.and_then(|now| now.created_at))
        && made < before
    {
        let why = format!("{id} was made {made:.0}, before what it would replace ({before:.0})");
        if allowed.older {
            warnings.push(why);
        } else {
            wrong(why, "name a newer one, or say --allow-older");
        }
    }
    if let Some((was, is)) = now.and_then(family).zip(family(image)).filter(|(was, is)| was != is) {
        warnings.push(format!(
            "{id} is of another family ({is}) than what it replaces ({was}): the ECS agent, docker and whatever user \
             data rests on may be another one, or missing"
        ));
    }
    warnings.extend(support(image, at));
    if let Some(made) = image.created_at {
        let days = at.duration_since(made).as_hours() / 24;
        if days > 180 {
            warnings.push(format!("{id} is {days} days old"));
        }
    }
    (wrongs, warnings)
}

/// Until when its maker mends an image that has reached or will reach its end.
pub fn support(image: &Image, at: Timestamp) -> Option<String> {
    let day = image.end_of_support()?;
    let word = if at.to_string().as_str() > day { "ended" } else { "ends" };
    Some(format!("{} is Amazon Linux 2, whose support {word} on {day}: plan to leave it", image.id))
}

/// What an image is one of: its public parameter, or its name without the numbers in it.
fn family(image: &Image) -> Option<String> {
    let stem = |name: &Text| name.chars().filter(|sign| !sign.is_ascii_digit() && *sign != '.').collect();
    image.published_by().map(|parameter| parameter.to_string()).or_else(|| image.name.as_ref().map(stem))
}

fn boots(image: &Image, types: &[InstanceType], wrong: &mut impl FnMut(String, &str)) {
    let id = &image.id;
    let of = |is_meant: &dyn Fn(&str) -> bool| -> Vec<String> {
        types.iter().map(InstanceType::as_str).filter(|name| is_meant(name)).map(str::to_owned).collect()
    };
    match image.boot_mode.as_deref() {
        Some("uefi") => {
            let old = of(&|name| !is_nitro(name));
            if !old.is_empty() {
                wrong(
                    format!("{id} starts by UEFI alone, and {} start by BIOS", old.join(", ")),
                    "name an image whose boot mode is uefi-preferred or legacy-bios",
                );
            }
        }
        Some("legacy-bios") => {
            let arm = of(&|name| architecture(name) == "arm64");
            if !arm.is_empty() {
                wrong(
                    format!("{id} starts by BIOS, and {} start by UEFI", arm.join(", ")),
                    "name an image whose boot mode is uefi",
                );
            }
        }
        _ => {}
    }
    if image.has_ena == Some(false) {
        let new = of(&is_nitro);
        if !new.is_empty() {
            wrong(
                format!("{id} has no ENA driver, and {} have no other network card", new.join(", ")),
                "name an image that was registered with ENA support",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        Image {
            id: "ami-2".into(),
            owner_id: Some("1".into()),
            architecture: Some("x86_64".into()),
            state: Some("available".into()),
            root_device_type: Some("ebs".into()),
            boot_mode: Some("uefi-preferred".into()),
            has_ena: Some(true),
            created_at: "2026-11-01T00:00:00Z".parse().ok(),
            ..Image::default()
        }
    }

    fn against(image: &Image, now: Option<&Image>, types: &[&str], allowed: &Allowed) -> Vec<String> {
        let types: Vec<InstanceType> = types.iter().map(|name| InstanceType::new(*name)).collect();
        let at = "2026-11-21T12:00:00Z".parse().unwrap();
        fits(image, now, &types, "1", allowed, at).0.into_iter().map(|wrong| wrong.why).collect()
    }

    #[test]
    fn what_cannot_run_there_is_refused_with_its_reason() {
        let of = |change: fn(&mut Image), types: &[&str]| {
            let mut image = image();
            change(&mut image);
            against(&image, None, types, &Allowed::default()).join("; ")
        };
        assert_eq!(of(|_| (), &["t3.small", "t2.micro"]), "");
        assert!(
            of(|_| (), &["t3.small", "m7g.large"])
                .contains("is for x86_64, and the group launches m7g.large")
        );
        assert!(of(|it| it.boot_mode = Some("uefi".into()), &["t2.micro"]).contains("starts by UEFI alone"));
        assert!(of(|it| it.has_ena = Some(false), &["t3.small"]).contains("no ENA driver"));
        assert_eq!(of(|it| it.has_ena = Some(false), &["t2.micro"]), "");
        assert!(of(|it| it.root_device_type = Some("instance-store".into()), &[]).contains("no EBS root"));
        assert!(of(|it| it.state = Some("pending".into()), &[]).contains("is pending"));
        assert!(of(|it| it.owner_id = Some("9".into()), &[]).contains("belongs to account 9"));
        assert!(
            of(|it| it.deprecated_at = "2026-01-01T00:00:00Z".parse().ok(), &[]).contains("is deprecated")
        );
    }

    #[test]
    fn what_is_only_unwise_can_be_allowed() {
        let mut old = image();
        old.created_at = "2025-01-01T00:00:00Z".parse().ok();
        old.owner_id = Some("9".into());
        old.deprecated_at = old.created_at;
        let now = image();
        assert_eq!(against(&old, Some(&now), &["t3.small"], &Allowed::default()).len(), 3);
        let allowed = Allowed { deprecated: true, older: true, owners: vec!["9".into()] };
        assert_eq!(against(&old, Some(&now), &["t3.small"], &allowed), Vec::<String>::new());
    }

    #[test]
    fn an_image_that_leaves_its_family_is_warned_of() {
        let named = |name: &str, alias: Option<&str>| Image {
            name: Some(name.into()),
            owner_alias: alias.map(Text::new),
            ..image()
        };
        let warned = |to: &Image, from: &Image| {
            let (_, warnings) = fits(to, Some(from), &[], "1", &Allowed::default(), Timestamp::UNIX_EPOCH);
            warnings.iter().any(|warning| warning.contains("another family"))
        };
        let docker = named("core-docker-2026.08.12", Some("self"));
        let newer = named("core-docker-2026.11.05", Some("self"));
        let ecs = named("al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-x86_64", Some("amazon"));
        let next = named("al2023-ami-ecs-hvm-2023.0.20261201-kernel-6.12-x86_64", Some("amazon"));
        assert!(warned(&ecs, &docker) && warned(&docker, &ecs));
        assert!(!warned(&newer, &docker) && !warned(&next, &ecs));
    }
}
