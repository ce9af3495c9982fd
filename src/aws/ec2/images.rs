//! `DescribeImages` by id: what an image is, and which ids AWS no longer lists.

use crate::aws::translate::{text, word, written_moment};
use crate::model::{AccountId, Image, ImageId, Trouble};
use aws_sdk_ec2::types::Image as SdkImage;
use std::collections::BTreeSet;

/// How many ids one call names.
pub(super) const CHUNK: usize = 100;

/// Returns what AWS says of an image.
pub(super) fn image(raw: SdkImage) -> Image {
    Image {
        id: raw.image_id.map(ImageId::from).unwrap_or_default(),
        name: text(raw.name),
        owner_id: raw.owner_id.map(AccountId::from),
        architecture: word(raw.architecture),
        created_at: written_moment(raw.creation_date.as_deref()),
        deprecated_at: written_moment(raw.deprecation_time.as_deref()),
        state: word(raw.state).or_else(|| Some("unknown".into())),
        platform: text(raw.platform_details),
        root_device_type: word(raw.root_device_type),
        owner_alias: text(raw.image_owner_alias),
        boot_mode: word(raw.boot_mode),
        has_ena: raw.ena_support,
    }
}

/// Returns the row of an image that something uses and AWS no longer lists.
pub(super) fn gone(id: ImageId) -> Image {
    Image { id, ..Image::default() }
}

/// Returns the ids in chunks, each id once, in order; what cannot be an image id (`resolve:ssm:…`) is
/// left out, because AWS would refuse the whole call for it.
pub(super) fn chunks(ids: &[ImageId]) -> Vec<Vec<ImageId>> {
    let ids: BTreeSet<&ImageId> = ids.iter().filter(|id| id.as_str().starts_with("ami-")).collect();
    let ids: Vec<ImageId> = ids.into_iter().cloned().collect();
    ids.chunks(CHUNK).map(<[ImageId]>::to_vec).collect()
}

/// Tells whether AWS refused because of an id, which says something about that id and not about the rest.
pub(super) fn is_about_an_id(trouble: &Trouble) -> bool {
    trouble.code.as_deref().is_some_and(|code| code.starts_with("InvalidAMIID."))
}

/// What to do with ids that AWS refused together.
#[derive(Debug, PartialEq)]
pub(super) struct Retry {
    /// Those that are gone.
    pub(super) gone: Vec<ImageId>,
    /// Those to ask for again, in as many calls.
    pub(super) again: Vec<Vec<ImageId>>,
}

/// Splits ids that AWS refused: those that its message names are gone, the others are asked again.
/// Where the message names none of them, halves are asked until the bad one stands alone.
pub(super) fn retry(ids: Vec<ImageId>, message: &str) -> Retry {
    let said: BTreeSet<&str> = message
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let (named, rest): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| said.contains(id.as_str()));
    if named.is_empty() && rest.len() > 1 {
        let half = rest.len() / 2;
        let again = rest.chunks(rest.len() - half).map(<[ImageId]>::to_vec).collect();
        return Retry { gone: Vec::new(), again };
    }
    if named.is_empty() {
        return Retry { gone: rest, again: Vec::new() };
    }
    Retry { gone: named, again: if rest.is_empty() { Vec::new() } else { vec![rest] } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types as sdk;

    fn ids(of: &[&str]) -> Vec<ImageId> {
        of.iter().map(ImageId::new).collect()
    }

    #[test]
    fn an_image_is_carried_over() {
        let raw = SdkImage::builder()
            .image_id("ami-1")
            .name("al2023")
            .owner_id("591542846629")
            .architecture(sdk::ArchitectureValues::X8664)
            .creation_date("2024-09-17T03:04:05.000Z")
            .deprecation_time("2026-09-17T03:04:05.000Z")
            .state(sdk::ImageState::Available)
            .platform_details("Linux/UNIX")
            .root_device_type(sdk::DeviceType::Ebs);
        let got = image(raw.build());
        assert_eq!((got.id.as_str(), got.name.as_deref()), ("ami-1", Some("al2023")));
        assert_eq!(got.owner_id.as_ref().map(AccountId::as_str), Some("591542846629"));
        assert_eq!(got.architecture.as_deref(), Some("x86_64"));
        assert_eq!(got.created_at.map(|at| at.to_string()).as_deref(), Some("2024-09-17T03:04:05Z"));
        assert_eq!(got.deprecated_at.map(|at| at.to_string()).as_deref(), Some("2026-09-17T03:04:05Z"));
        assert_eq!(got.state.as_deref(), Some("available"));
        assert_eq!(got.platform.as_deref(), Some("Linux/UNIX"));
        assert_eq!(got.root_device_type.as_deref(), Some("ebs"));
    }

    #[test]
    fn a_listed_image_is_never_gone_and_a_gone_one_always() {
        assert!(!image(SdkImage::builder().image_id("ami-1").build()).is_gone());
        assert!(gone(ImageId::new("ami-1")).is_gone());
        let novel = SdkImage::builder().state(sdk::ImageState::from("melting")).build();
        assert_eq!(image(novel).state.as_deref(), Some("melting"));
    }

    #[test]
    fn ids_are_asked_once_in_chunks_and_only_if_they_are_ids() {
        let mut many: Vec<ImageId> = (0..250).map(|n| ImageId::from(format!("ami-{n:03}"))).collect();
        many.extend(ids(&["ami-007", "resolve:ssm:/x", ""]));
        let chunks = chunks(&many);
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
        assert!(super::chunks(&[]).is_empty());
    }

    #[test]
    fn ids_that_the_message_names_are_gone_and_the_rest_is_asked_again() {
        let got = retry(ids(&["ami-1", "ami-12", "ami-3"]), "The image ids '[ami-1, ami-3]' do not exist");
        assert_eq!(got, Retry { gone: ids(&["ami-1", "ami-3"]), again: vec![ids(&["ami-12"])] });
    }

    #[test]
    fn without_a_name_in_the_message_halves_are_asked_until_one_stands_alone() {
        let got = retry(ids(&["ami-1", "ami-2", "ami-3"]), "no such image");
        assert_eq!(got, Retry { gone: vec![], again: vec![ids(&["ami-1", "ami-2"]), ids(&["ami-3"])] });
        let got = retry(ids(&["ami-1", "ami-2"]), "no such image");
        assert_eq!(got.again, vec![ids(&["ami-1"]), ids(&["ami-2"])]);
        assert_eq!(retry(ids(&["ami-9"]), "no"), Retry { gone: ids(&["ami-9"]), again: vec![] });
    }
}
