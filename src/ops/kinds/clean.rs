//! `clean`: versions of launch templates that nothing uses go, and with them images that only they launched.
//!
//! What a group, an instance, another template, a refresh or a recorded operation may still want stays. Where that
//! cannot be seen nothing is cleaned.

mod images;
mod uses;

use self::uses::Uses;
use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::{CleanWish, Intent};
use super::super::launching::LaunchFact;
use super::super::plan::{Fact, Lane, Proof, Step, Undo, leg};
use super::super::refreshing::launches;
use super::protect::count;
use crate::error::{Error, Result};
use crate::fleet::TemplateRow;
use crate::gateway::change::Change;
use crate::gateway::{Look, Seen};
use crate::model::{Image, TemplateId, TemplateVersion, Text};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeSet;

/// Versions that stay whose reasons are told.
const TOLD: usize = 12;
/// Versions that one call deletes.
const AT_ONCE: usize = 200;

/// Templates lose versions.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let wish = intent.options.clean.as_deref().cloned().unwrap_or_default();
        let Some(recorded) = wish.recorded.clone() else {
            return Err(Error::failed("the journal was not asked what operations might go back to")
                .hint("coredeck clean TEMPLATE asks it"));
        };
        let recorded: BTreeSet<String> = recorded.into_iter().collect();
        let mut draft = Draft::default();
        let mut versions = 0;
        for row in desk.templates(&intent.targets, &mut draft) {
            versions += lane(desk, row, intent, &wish, &recorded, &mut draft).await?;
        }
        let steps = draft.lanes.iter().flat_map(|lane| &lane.steps);
        let images =
            steps.filter(|step| matches!(step.go.act.change(), Some(Change::DeregisterImage { .. }))).count();
        let and = if images == 0 { String::new() } else { format!(", and {}", count(images, "image")) };
        let templates = count(draft.lanes.len(), "launch template");
        draft.title = format!("delete {} of {templates}{and}", count(versions, "version"));
        Ok(draft)
    }
    .boxed()
}

async fn lane(
    desk: &Desk<'_>,
    row: &TemplateRow,
    intent: &Intent,
    wish: &CleanWish,
    recorded: &BTreeSet<String>,
    draft: &mut Draft,
) -> Result<usize> {
    let (id, name) = (&row.it.id, &row.it.name);
    if let Some(why) = forbids(&row.it.tags, &intent.options, desk.now) {
        draft.refuse(name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    let all = versions(desk, row, id).await?;
    let mut uses = Uses::of(desk, row, &all, recorded).await?;
    uses.newest(&all, wish.newest);
    let old: Vec<&TemplateVersion> = all.iter().filter(|one| !uses.keep(one.number)).collect();
    let gone = if wish.images || !wish.named.is_empty() {
        images::unused(desk, row, &all, &old, wish, recorded, draft).await?
    } else {
        Vec::new()
    };
    if old.is_empty() && gone.is_empty() {
        let why = format!("nothing of its {} is unused", count(all.len(), "version"));
        let mend = match uses.told(name).last() {
            Some(why) if wish.newest == 0 => why.clone(),
            _ => "keep fewer of the newest: --newest 0".to_owned(),
        };
        draft.refuse(name, why, mend);
        return Ok(0);
    }
    let told = uses.told(name);
    let more = told.len().saturating_sub(TOLD);
    draft.notes.extend(told.into_iter().rev().take(TOLD));
    if more > 0 {
        draft.notes.push(format!("{name} keeps {more} more, for the like reasons"));
    }
    draft.hold(&row.scope, "template", id.as_str(), Grip::Alone);
    let numbers: Vec<u64> = old.iter().map(|one| one.number).collect();
    let mut steps: Vec<Step> = numbers.chunks(AT_ONCE).map(|part| delete(id, name, part)).collect();
    steps.extend(gone.into_iter().map(|image| deregister(&image)));
    // Whoever launches another version meanwhile may launch one of these.
    let groups = desk.fleet.groups.iter().filter(|group| group.scope == row.scope);
    let mine = groups.filter(|group| uses::launches(&group.it, row).next().is_some());
    let versions = Fact {
        fact: Aspect::Versions { template: id.clone(), numbers: numbers.clone() },
        was: Value::Words(numbers.iter().map(ToString::to_string).collect()),
    };
    let launched = mine.map(|group| Fact {
        fact: Aspect::GroupLaunches { group: group.it.name.clone() },
        was: Value::Words(launches(&group.it)),
    });
    let facts = std::iter::once(versions).chain(launched).collect();
    draft.lanes.push(Lane {
        name: name.to_string(),
        target: id.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        facts,
        steps,
    });
    Ok(numbers.len())
}

/// Every version of a template.
async fn versions(desk: &Desk<'_>, row: &TemplateRow, id: &TemplateId) -> Result<Vec<TemplateVersion>> {
    match desk.look(&row.scope, Look::Versions { template: id.clone(), from: 1 }).await? {
        Seen::Versions(all) => Ok(all),
        _ => Err(Error::failed("AWS answered something else than it was asked")),
    }
}

fn delete(id: &TemplateId, name: &Text, numbers: &[u64]) -> Step {
    let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let fact = Aspect::Versions { template: id.clone(), numbers: numbers.to_vec() };
    let change = Change::DeleteVersions { template: id.clone(), versions: numbers.to_vec() };
    Step {
        title: format!("delete {} of {name}: {}", count(numbers.len(), "version"), list.join(", ")),
        go: leg(change, Condition::AtMost { fact, count: 0 }, 120, 5),
        undo: Undo::Impossible {
            why: "a version that was deleted never comes back, nor does its number".to_owned(),
        },
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    }
}

fn deregister(image: &Image) -> Step {
    let gone = Condition::is(
        Aspect::Launching { fact: LaunchFact::Image { image: image.id.clone() } },
        Value::Absent,
    );
    let change = Change::DeregisterImage { image: image.id.clone(), with_snapshots: true };
    let name = image.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    Step {
        title: format!("deregister {}{name}, with its snapshots", image.id),
        go: leg(change, gone, 120, 5),
        undo: Undo::Impossible {
            why: "an image that was deregistered is gone, and its snapshots with it".to_owned(),
        },
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    }
}
