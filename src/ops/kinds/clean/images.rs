//! Images that nothing launches any more: those of versions that go, and those of our own that were named.

use super::versions;
use crate::error::Result;
use crate::fleet::TemplateRow;
use crate::gateway::change::{self, Change, WriteError};
use crate::gateway::{Look, Seen};
use crate::model::{Image, ImageId, TemplateVersion, Text};
use crate::ops::desk::{Desk, Draft};
use crate::ops::intent::CleanWish;
use std::collections::{BTreeMap, BTreeSet};

/// Templates whose versions are read to find out who else launches an image.
const MOST_TEMPLATES: usize = 200;
/// Images that stay whose reasons are told.
const TOLD: usize = 12;
/// How templates name a parameter in which the image stands.
const LOOKED_UP: &str = "resolve:ssm:";

/// Images that may go: nothing here launches them, no operation recorded them, and EC2 would deregister them.
pub(super) async fn unused(
    desk: &Desk<'_>,
    row: &TemplateRow,
    all: &[TemplateVersion],
    old: &[&TemplateVersion],
    wish: &CleanWish,
    recorded: &BTreeSet<String>,
    draft: &mut Draft,
) -> Result<Vec<Image>> {
    let mut wanted = BTreeMap::new();
    for name in &wish.named {
        let look = Look::ImagesNamed { owner: "self".into(), name: Text::new(name) };
        if let Seen::Images(found) = desk.look(&row.scope, look).await? {
            wanted.extend(found.into_iter().map(|image| (image.id.clone(), image)));
        }
    }
    if wish.images {
        let of: BTreeSet<ImageId> = old.iter().filter_map(|one| id(one.image.as_ref()?)).collect();
        let of: Vec<ImageId> = of.into_iter().filter(|id| !wanted.contains_key(id)).collect();
        if !of.is_empty()
            && let Seen::Images(found) = desk.look(&row.scope, Look::Images { of }).await?
        {
            let there = found.into_iter().filter(|image| !image.is_gone());
            wanted.extend(there.map(|image| (image.id.clone(), image)));
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let used = match used(desk, row, all, old).await? {
        Ok(used) => used,
        Err(why) => {
            draft.notes.push(format!("{why}: no image goes"));
            return Ok(Vec::new());
        }
    };
    let mut gone = Vec::new();
    let mut kept = Vec::new();
    for (id, image) in wanted {
        if let Some(by) = used.get(&id) {
            kept.push(format!("{id} stays: {by}"));
        } else if recorded.contains(id.as_str()) {
            kept.push(format!("{id} stays: an operation recorded it, to go back to"));
        } else if let Some(why) = refusal(desk, row, &id).await {
            kept.push(format!("{id} stays: {why}"));
        } else {
            gone.push(image);
        }
    }
    let more = kept.len().saturating_sub(TOLD);
    draft.notes.extend(kept.into_iter().take(TOLD));
    if more > 0 {
        draft.notes.push(format!("{more} more images stay, for the like reasons"));
    }
    if !gone.is_empty() {
        draft.warn(
            "whether other accounts, regions, stacks or scripts launch an image cannot be seen from here",
        );
    }
    Ok(gone)
}

fn id(text: &Text) -> Option<ImageId> {
    text.starts_with("ami-").then(|| ImageId::new(text.as_str()))
}

/// Whose it is, and whether it may go, EC2 says itself.
async fn refusal(desk: &Desk<'_>, row: &TemplateRow, image: &ImageId) -> Option<String> {
    let writer = desk.writer?;
    let change = Change::DeregisterImage { image: image.clone(), with_snapshots: true };
    match writer.prove(&row.scope, &change).await {
        Ok(change::Proof::Proved { .. } | change::Proof::None) => None,
        Err(WriteError::Refused(trouble)) => {
            Some(format!("AWS would not deregister it: {}", trouble.message))
        }
        Err(error) => Some(format!("AWS could not be asked: {error}")),
    }
}

/// Images that something here may still launch, each with the first that does; or why that cannot be seen.
async fn used(
    desk: &Desk<'_>,
    row: &TemplateRow,
    all: &[TemplateVersion],
    old: &[&TemplateVersion],
) -> Result<std::result::Result<BTreeMap<ImageId, String>, String>> {
    let groups = || desk.fleet.groups.iter().filter(|group| group.scope == row.scope);
    if let Some(group) = groups().find(|group| group.it.launch_configuration.is_some()) {
        return Ok(Err(format!("{} uses a launch configuration, whose image is not read", group.it.name)));
    }
    let templates = desk.fleet.templates.iter();
    let others: Vec<&TemplateRow> =
        templates.filter(|other| other.scope == row.scope && other.it.id != row.it.id).collect();
    if others.len() > MOST_TEMPLATES {
        return Ok(Err(format!("there are {} other templates, too many to read", others.len())));
    }
    let mut used: BTreeMap<ImageId, String> = BTreeMap::new();
    let mut looked_up: BTreeMap<Text, String> = BTreeMap::new();
    let mut note = |image: &Text, by: String| match image.strip_prefix(LOOKED_UP) {
        Some(parameter) => drop(looked_up.entry(Text::new(parameter)).or_insert(by)),
        None => drop(id(image).map(|id| used.entry(id).or_insert(by))),
    };
    let stays = all.iter().filter(|one| !old.iter().any(|gone| gone.number == one.number));
    for one in stays {
        let by = || format!("version {} of {} launches it", one.number, row.it.name);
        one.image.iter().for_each(|image| note(image, by()));
    }
    // What runs of it comes first: that is what somebody would miss at once.
    let instances =
        desk.fleet.instances.iter().filter(|one| one.scope == row.scope && !one.it.state.is_gone());
    for one in instances {
        note(&Text::new(one.it.image_id.as_str()), format!("{} was launched from it", one.it.id));
    }
    for other in others {
        for one in versions(desk, other, &other.it.id).await? {
            let by = || format!("version {} of {} launches it", one.number, other.it.name);
            one.image.iter().for_each(|image| note(image, by()));
        }
    }
    for group in groups() {
        let own = group.it.mix.iter().flat_map(|mix| &mix.own).filter_map(|own| own.image.as_ref());
        own.for_each(|image| note(image, format!("{} launches it", group.it.name)));
    }
    if looked_up.is_empty() {
        return Ok(Ok(used));
    }
    let look = Look::Published { of: looked_up.keys().cloned().collect() };
    let Seen::Published(named) = desk.look(&row.scope, look).await? else {
        return Ok(Err("what parameters name could not be read".to_owned()));
    };
    for (parameter, by) in looked_up {
        let found = named.iter().find(|one| one.parameter == parameter);
        let Some(found) = found else {
            return Ok(Err(format!("what parameter {parameter} names is not known")));
        };
        used.entry(found.now.image.clone()).or_insert(format!("parameter {parameter} names it, and {by}"));
    }
    Ok(Ok(used))
}
