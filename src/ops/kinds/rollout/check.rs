//! `rollout --check`: whether there is something to roll out.

use super::super::super::desk::{Desk, Draft};
use super::super::super::image::{Meant, find, support};
use super::super::super::intent::RolloutWish;
use super::from;
use crate::error::Result;
use crate::model::{Image, Known};

/// What a look at a group found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The group.
    pub group: String,
    /// What there is to do; none when there is nothing.
    pub todo: Option<String>,
    /// What it launches, and what was looked for, in words.
    pub says: String,
    /// What it is to leave all the same: an image that its maker mends no more, or not for long.
    pub support: Option<String>,
}

/// Whether there is something to roll out: the group launches another image than is meant, or members run another
/// one than the group launches.
///
/// # Errors
///
/// A group is unknown, or AWS could not be asked.
pub async fn check(desk: &Desk<'_>, groups: &[String], wish: &RolloutWish) -> Result<Vec<Checked>> {
    let mut draft = Draft::default();
    let mut all = Vec::new();
    for row in desk.groups(groups, &mut draft) {
        let Some((_, now)) = from(desk, row, &mut draft).await? else { continue };
        let has = now.as_ref().map_or("an image that is not known", |now| now.id.as_str()).to_owned();
        let mut drift = desk.fleet.drift.iter();
        let drift = drift.find(|one| one.name == row.it.name && one.scope == row.scope);
        let ends = |image: &Image| support(image, desk.now);
        let mut ending = now.as_ref().and_then(ends);
        let (mut todo, says) = match find(desk, &row.scope, &wish.image, now.as_ref()).await? {
            Ok(found) if now.as_ref().is_some_and(|now| now.id == found.image.id) => {
                (None, format!("launches {}", found.words()))
            }
            Ok(found) => {
                // Of two that end, the one that stays is told of.
                ending = ends(&found.image).or(ending);
                (Some(format!("launches {has}, and {} is meant", found.words())), format!("launches {has}"))
            }
            // Nobody publishes images of one's own: what is in use tells whether there are younger ones.
            Err(_) if wish.image == Meant::Newest => match drift.map(|drift| drift.younger) {
                Some(younger @ 1..) => (
                    Some(format!("launches {has}, and {younger} younger of its family are in use")),
                    format!("launches {has}"),
                ),
                _ => (
                    None,
                    format!("launches {has}, which nobody publishes newer ones of; name one by --image"),
                ),
            },
            Err(lost) => {
                draft.refuse(&row.it.name, lost.why, lost.mend);
                continue;
            }
        };
        if todo.is_none()
            && let Some(Known::Yes(stale @ 1..)) = drift.map(|drift| drift.stale)
        {
            todo = Some(format!("{stale} of its members run another image than it launches"));
        }
        all.push(Checked { group: row.it.name.to_string(), todo, says, support: ending });
    }
    if draft.refusals.is_empty() {
        return Ok(all);
    }
    Err(crate::ops::guard::refused("rollout", draft.refusals))
}
