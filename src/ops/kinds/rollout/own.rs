//! Types of a mixed group that are launched with an image or a template of their own: each gets the image that is meant
//! for it, which is another one for other processors.

use super::super::super::desk::{Desk, Draft};
use super::super::super::image::{Found, find};
use super::super::super::intent::RolloutWish;
use super::super::refresh::{Picture, Target, Version, own_version};
use super::{Made, image_of, may_launch, number};
use crate::error::Result;
use crate::fleet::GroupRow;
use crate::model::{InstanceType, OwnLaunch, TemplateRef, Text};

/// The target with the group's policy in which every type that has an image of its own has the new one, and every type
/// that has a template of its own a new version of that; and whether any differs. None where one cannot be launched,
/// which is then refused. The way back keeps the old policy as it is.
pub(super) async fn images(
    desk: &Desk<'_>,
    row: &GroupRow,
    target: Target,
    wish: &RolloutWish,
    made: &mut Vec<Made>,
    draft: &mut Draft,
) -> Result<Option<(Target, bool)>> {
    let group = &*row.it;
    let has_own = |own: &OwnLaunch| own.image.is_some() || own.template.is_some();
    let mix = target.pinned.clone().or_else(|| group.mix.clone());
    let Some(mut mix) = mix.filter(|mix| mix.own.iter().any(has_own)) else {
        return Ok(Some((target, false)));
    };
    let (mut target, mut is_new, mut is_fine) = (target, false, true);
    for own in &mut mix.own {
        let Some((kind, _)) = mix.types.get(own.at) else { continue };
        let Some((old, before)) = launched(desk, row, own).await? else { continue };
        let now = image_of(desk, row, &old);
        let found = match find(desk, &row.scope, &wish.image, now.as_ref()).await? {
            Ok(found) => found,
            Err(lost) => {
                draft.refuse(&group.name, format!("for its type {kind}: {}", lost.why), lost.mend);
                is_fine = false;
                continue;
            }
        };
        let launches = (now.as_ref(), std::slice::from_ref(kind));
        is_fine &= may_launch(desk, row, &found, launches, wish, draft);
        if found.image.id.as_str() == old.as_str() {
            continue;
        }
        is_new = true;
        // What is gone cannot be launched on the way back.
        if now.is_some_and(|now| now.is_gone())
            && let Some(to) = &mut target.to
        {
            to.image = Picture::Gone(old.clone());
        }
        match (before, &mut own.template) {
            (Some(before), Some(template)) => {
                let Some(number) = number(desk, row, &before, (&found, Some(kind.clone())), made, draft)
                else {
                    is_fine = false;
                    continue;
                };
                draft.warn(format!(
                    "{}: type {kind} has a template of its own: version {number} of {} instead of {}, with {} instead of \
                     {old}",
                    group.name,
                    template.name,
                    before.it.version,
                    found.words()
                ));
                template.version = number.to_string().into();
            }
            _ => {
                draft.warn(format!(
                    "{}: type {kind} has an image of its own: {} instead of {old}",
                    group.name,
                    found.words()
                ));
                own.image = Some(Text::new(found.image.id.as_str()));
            }
        }
    }
    target.mix = Some(mix);
    Ok(is_fine.then_some((target, is_new)))
}

/// The image that a type is launched with by what is its own, and the version of its own template where that says it.
async fn launched(
    desk: &Desk<'_>,
    row: &GroupRow,
    own: &OwnLaunch,
) -> Result<Option<(Text, Option<Version>)>> {
    // An image beside a template comes before what the template says.
    if let Some(image) = &own.image {
        return Ok(Some((image.clone(), None)));
    }
    let Some(template) = &own.template else { return Ok(None) };
    let version = own_version(desk, row, template).await?;
    Ok(version.and_then(|version| Some((version.says.image.clone()?, Some(version)))))
}

/// A type that launches the image as its own.
pub(super) fn type_with(target: &Target, found: &Found) -> Option<InstanceType> {
    let mix = target.mix.as_ref()?;
    let has = |image: &Text| image.as_str() == found.image.id.as_str();
    let own = mix.own.iter().find(|own| own.image.as_ref().is_some_and(has))?;
    mix.types.get(own.at).map(|(kind, _)| kind.clone())
}

/// The versions that types with a template of their own will be launched from.
pub(super) fn templates(row: &GroupRow, target: &Target) -> Vec<TemplateRef> {
    let mix = target.mix.as_ref().or(target.pinned.as_ref()).or(row.it.mix.as_ref());
    mix.into_iter().flat_map(|mix| &mix.own).filter_map(|own| own.template.clone()).collect()
}
