//! Types of a mixed group that are launched with an image of their own: each gets the one that is meant for it.

use super::super::super::desk::{Desk, Draft};
use super::super::super::image::{Found, find};
use super::super::super::intent::RolloutWish;
use super::super::refresh::{Picture, Target};
use super::{image_of, may_launch};
use crate::error::Result;
use crate::fleet::GroupRow;
use crate::model::{InstanceType, Text};

/// The target with the group's policy in which every type that has an image of its own has the new one, and whether any
/// differs; none where one cannot be launched, which is then refused. The way back keeps the old policy as it is.
pub(super) async fn images(
    desk: &Desk<'_>,
    row: &GroupRow,
    target: Target,
    wish: &RolloutWish,
    draft: &mut Draft,
) -> Result<Option<(Target, bool)>> {
    let group = &*row.it;
    let Some(mut mix) = group.mix.clone().filter(|mix| mix.own.iter().any(|own| own.image.is_some())) else {
        return Ok(Some((target, false)));
    };
    let (mut target, mut is_new, mut is_fine) = (target, false, true);
    for own in &mut mix.own {
        let Some(old) = own.image.clone() else { continue };
        let Some((kind, _)) = mix.types.get(own.at) else { continue };
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
        draft.warn(format!(
            "{}: type {kind} has an image of its own: {} instead of {old}",
            group.name,
            found.words()
        ));
        // What is gone cannot be launched on the way back.
        if now.is_some_and(|now| now.is_gone())
            && let Some(to) = &mut target.to
        {
            to.image = Picture::Gone(old);
        }
        own.image = Some(Text::new(found.image.id.as_str()));
    }
    target.mix = Some(mix);
    Ok(is_fine.then_some((target, is_new)))
}

/// A type that launches the image as its own.
pub(super) fn type_with(target: &Target, found: &Found) -> Option<InstanceType> {
    let mix = target.mix.as_ref()?;
    let has = |image: &Text| image.as_str() == found.image.id.as_str();
    let own = mix.own.iter().find(|own| own.image.as_ref().is_some_and(has))?;
    mix.types.get(own.at).map(|(kind, _)| kind.clone())
}
