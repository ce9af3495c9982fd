//! `core upgrade`: a core gets another image, one replica of a target group after the other. A newer core changes the
//! schema of its database when it starts, so going back is not always possible, and that is said.

use super::super::super::aspect::{Value, hash_of};
use super::super::super::desk::{Desk, Draft, tier};
use super::super::super::intent::{CoreWish, Intent, OnTimeout};
use super::super::super::plan::{Lane, Leg, Proof, ROOM_FOR_ID, Step, Undo};
use super::super::inventory::{hash, put, version};
use super::super::protect::count;
use super::doors::{self, Door, doors};
use super::found::{Found, found};
use super::memory;
use super::papers::{Command, Papers, REPLACE};
use super::pattern::{entry, is_image, numbers, tag};
use super::power::waves;
use crate::error::{Error, Result};
use crate::inventory::{Entry, Part, value};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

/// Seconds that one replica takes besides the wait for its connections.
const REPLACED_S: u64 = 60;

/// Cores get another image.
pub(in super::super) fn upgrade<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent).boxed()
}

async fn draft(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let wish = intent.options.core.as_deref().cloned().unwrap_or_default();
    let Some(wanted) = wish.image.clone().filter(|wanted| !wanted.is_empty()) else {
        return Err(Error::usage("no version is given").hint("coredeck core upgrade CORE --to 11.0.5"));
    };
    let mut draft = Draft::default();
    let mut cores = found(desk, intent, &mut draft).await?;
    memory::mind(desk, &mut cores, &mut draft).await;
    let scopes: Vec<_> = cores.iter().map(|one| &*one.host.scope).collect();
    let papers = Papers::look(desk, &scopes, &[REPLACE]).await?;
    let mut at_doors = Vec::new();
    let mut titles: Vec<String> = Vec::new();
    for one in &cores {
        let Some(change) = change(desk, one, &wanted, &wish, &mut draft).await? else { continue };
        let doors = doors(desk, one, &mut draft).await?;
        doors::mind(one, &doors, intent, &mut draft);
        doors::mind_group(one, &doors, intent, &mut draft);
        mixed(desk, intent, one, &doors, &mut draft);
        let lane = lane(desk, one, &change, &doors, &papers, draft.lanes.len());
        draft.lanes.push(lane);
        at_doors.push(doors.into_iter().map(|door| door.group).collect());
        one.hold(&mut draft);
        titles.push(change.to.clone());
    }
    draft.waves = waves(&at_doors);
    draft.is_one_piece = !draft.waves.is_empty() && intent.options.on_timeout == OnTimeout::Undo;
    if !draft.waves.is_empty() {
        let one = |lane: &Lane| lane.steps.iter().map(|step| step.expected_s).sum::<u64>();
        let longest = draft
            .waves
            .iter()
            .map(|wave| wave.iter().filter_map(|at| draft.lanes.get(*at)).map(one).max().unwrap_or(0));
        let span = crate::config::span(std::time::Duration::from_secs(longest.sum()));
        let then = if draft.is_one_piece { "takes all back" } else { "leaves the rest as they are" };
        draft.warn(format!(
            "replicas of one target group run both versions beside each other for about {span}; the first that fails \
             {then}"
        ));
    }
    if !draft.lanes.is_empty() {
        draft.warn(
            "a newer core changes its database's schema when it starts, while others still use it: an undo brings the \
             old image back and not the old schema",
        );
    }
    titles.dedup();
    let to = if let [only] = titles.as_slice() { only.clone() } else { wanted };
    draft.title = format!("upgrade {} to {to}", count(draft.lanes.len(), "core"));
    Ok(draft)
}

/// What becomes of one core.
struct Change {
    from: String,
    to: String,
    entry: Entry,
}

/// The images of a core before and after; none where that is refused.
async fn change(
    desk: &Desk<'_>,
    one: &Found<'_>,
    wanted: &str,
    wish: &CoreWish,
    draft: &mut Draft,
) -> Result<Option<Change>> {
    let id = &one.core.id;
    let Some(entry) = entry(desk, one.core).await?.filter(|_| one.entry.is_some()) else {
        draft.refuse(id, "its entry is in the registry of another place than its host", "move one of them");
        return Ok(None);
    };
    if let Some(why) = entry.is_closed() {
        draft.refuse(id, format!("its entry cannot be written: {why}"), "mend the entry by hand");
        return Ok(None);
    }
    let Some(from) = entry.text("image").map(str::to_owned) else {
        draft.refuse(
            id,
            "the registry does not say which image it runs",
            "coredeck inventory sync asks its host",
        );
        return Ok(None);
    };
    // A tag alone is another version of the same image.
    let to = match wanted.contains([':', '/']) {
        true => wanted.to_owned(),
        false => format!("{}:{wanted}", from.rsplit_once(':').map_or(from.as_str(), |(name, _)| name)),
    };
    if !is_image(&to) || !is_image(&from) {
        draft.refuse(
            id,
            format!("{to} is no name of an image with a tag"),
            "write it like 11.0.5 or name/name:11.0.5",
        );
        return Ok(None);
    }
    if from == to {
        draft.refuse(id, format!("it runs {to} already"), "leave it out");
        return Ok(None);
    }
    let versions = (tag(&from).map(numbers), tag(&to).map(numbers));
    if let (Some(was), Some(is)) = versions
        && is < was
    {
        // Patches keep the schema; minor and major versions are made because of it.
        let is_over_schema = is.get(..2) != was.get(..2);
        if is_over_schema && !wish.allow_downgrade {
            let why = format!("{to} is older than {from}, whose schema its database has");
            draft.refuse(id, why, "say --allow-downgrade if it is known that the older one reads it");
            return Ok(None);
        }
        draft.warn(format!("{id}: {to} is older than {from}"));
    }
    Ok(Some(Change { from, to, entry }))
}

/// Versions that are mixed already, or would stay so.
fn mixed(desk: &Desk<'_>, intent: &Intent, one: &Found<'_>, doors: &[Door], draft: &mut Draft) {
    for door in doors.iter().filter(|door| door.is_in()) {
        let others = desk.fleet.targets.iter().filter(|row| row.it.group == door.group).filter_map(|row| {
            desk.fleet.cores.iter().find(|core| {
                core.id != one.core.id
                    && core.port == row.it.port
                    && core.home.instance_id().is_some_and(|id| row.it.id == id.as_str())
            })
        });
        for other in others {
            let name = doors::short(&door.group);
            if !intent.targets.iter().any(|target| target == other.id.as_str()) {
                let why = format!("{} serves {name} beside it and would stay at its version", other.id);
                if intent.options.override_verdict {
                    draft.warn(format!("{}: {why}", one.core.id));
                } else {
                    draft.refuse(
                        &one.core.id,
                        why,
                        format!("name {} too, or say --override-verdict", other.id),
                    );
                }
            } else if other.version != one.core.version {
                let words = |core: &crate::model::Core| core.version.as_deref().unwrap_or("?").to_owned();
                draft.warn(format!("{name} is served by {} and {} already", words(one.core), words(other)));
            }
        }
    }
}

fn lane(
    desk: &Desk<'_>,
    one: &Found<'_>,
    change: &Change,
    doors: &[Door],
    papers: &Papers,
    number: usize,
) -> Lane {
    let mut facts = one.facts();
    let mut steps = papers.put(&one.host.scope, &[REPLACE]);
    let leaving: Vec<&Door> = doors.iter().filter(|door| door.is_in() && door.healthy > 0).collect();
    for door in &leaving {
        facts.push(door.rests_on());
        steps.push(door.out());
    }
    let replace = |image: &str, word: &str| -> Leg {
        let parameters = vec![
            ("Container", one.container.to_string()),
            ("Core", one.core.id.to_string()),
            ("Fleet", desk.config.fleet.to_string()),
            ("Tier", one.core.tier.as_ref().map_or("none".to_owned(), ToString::to_string)),
            ("Port", one.port.to_string()),
            ("Image", image.to_owned()),
            ("Operation", ROOM_FOR_ID.to_owned()),
        ];
        papers.run(&Command { paper: REPLACE, host: &one.host.it.id, word, lane: number, parameters })
    };
    let (from, to) = (tag(&change.from).unwrap_or_default(), tag(&change.to).unwrap_or_default());
    let why = one.keeps.why(format!("the database keeps the schema that {to} made; {from} may not read it"));
    steps.push(Step {
        title: format!("replace {from} by {to} in {}, back on its own if it does not answer", one.container),
        go: replace(&change.to, "upgrade"),
        undo: Undo::BestEffort { leg: Box::new(replace(&change.from, "back")), why },
        proof: Proof::Checked,
        expected_s: REPLACED_S,
        may_be_forced: false,
    });
    steps.push(entered(&change.entry, &[("image", json!(change.to)), ("version", json!(to))]));
    steps.extend(leaving.iter().map(|door| door.back(door.leave())));
    Lane {
        name: format!("{} on {}", one.core.id, one.host.it.id),
        target: one.core.id.to_string(),
        scope: (*one.host.scope).clone(),
        tier: tier(one.core.tier.as_ref()),
        facts,
        steps,
    }
}

/// The step that writes an entry with other fields, and how that is set back.
pub(super) fn entered(entry: &Entry, fields: &[(&'static str, serde_json::Value)]) -> Step {
    let name = &entry.name;
    let to = value(Part::Cores, Some(entry), fields);
    let ours = (hash(name), hash_of(&to));
    let from = (version(name), Value::Count(entry.version));
    Step {
        title: format!("write {name}"),
        go: put(name, &to, true, from),
        undo: Undo::Exact { leg: Box::new(put(name, &entry.raw, true, ours)) },
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    }
}
