//! `core move`: a core gets another host. It is made there, answers, takes traffic, and only then the old one leaves
//! and stops: both may run at once, because they have the same database.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::desk::{Desk, Draft, tier};
use super::super::super::guard::DO_NOT_DISRUPT;
use super::super::super::intent::Intent;
use super::super::super::placement::place;
use super::super::super::plan::{Fact, Lane};
use super::super::protect::count;
use super::create::{candidates, free_port, limit, no_room, room, used_ports};
use super::doors::{self, Door, doors};
use super::found::{Found, found};
use super::made::Made;
use super::papers::{Papers, REMOVE, RUN, START, STOP};
use super::pattern::{self, check_secrets, entry};
use super::power::stopped;
use super::upgrade::entered;
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::model::Text;
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

/// Cores get other hosts.
pub(in super::super) fn relocate<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent).boxed()
}

async fn draft(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let wish = intent.options.core.as_deref().cloned().unwrap_or_default();
    let mut draft = Draft::default();
    let cores = found(desk, intent, &mut draft).await?;
    let mut begun: Vec<(&InstanceRow, u16)> = Vec::new();
    let mut secrets = Vec::new();
    for one in &cores {
        // Everything of it is as it was, but where it is.
        let like = crate::ops::intent::CoreWish { like: Some(one.core.id.to_string()), ..wish.clone() };
        let Some(pattern) = pattern::of(desk, &like, intent.options.override_verdict, &mut draft).await?
        else {
            continue;
        };
        let Some(old) = entry(desk, one.core).await?.filter(|_| one.entry.is_some()) else {
            let why = "its entry is in the registry of another place than its host";
            draft.refuse(&one.core.id, why, "move one of them");
            continue;
        };
        if let Some(why) = old.is_closed() {
            draft.refuse(
                &one.core.id,
                format!("its entry cannot be written: {why}"),
                "mend the entry by hand",
            );
            continue;
        }
        let mut rows = candidates(desk, pattern.tier, &wish, intent, &mut draft);
        rows.retain(|row| row.it.id != one.host.it.id && row.scope == one.host.scope);
        let most = pattern.tier.cores_per_host.unwrap_or(1);
        let taken = |row: &InstanceRow| begun.iter().filter(|(other, _)| other.it.id == row.it.id).count();
        let rooms: Vec<_> = rows
            .iter()
            .map(|row| {
                let mut room = room(desk, row, most, wish.memory_mib);
                room.cores += u32::try_from(taken(row)).unwrap_or(u32::MAX);
                room
            })
            .collect();
        let Some(row) = place(&rooms, &[0]).first().copied().flatten().and_then(|at| rows.get(at).copied())
        else {
            let (_, why, mend) = no_room(desk, pattern.tier, &rooms, 1, 1, false);
            draft.refuse(&one.core.id, why, mend);
            continue;
        };
        let doors = doors(desk, one, &mut draft).await?;
        doors::mind_group(one, &doors, intent, &mut draft);
        let mut ports = used_ports(desk, row);
        ports.extend(begun.iter().filter(|(other, _)| other.it.id == row.it.id).map(|(_, port)| *port));
        // Behind a load balancer the port may be another one too: its targets have ports of their own.
        let port = Some(one.port).filter(|port| !ports.contains(port)).or_else(|| free_port(&ports));
        let Some(port) = port else {
            draft.refuse(
                &one.core.id,
                format!("no port of {} is free for it", row.it.id),
                "name another host by --host",
            );
            continue;
        };
        begun.push((row, port));
        let named = pattern.secrets(one.core.id.as_str());
        let papers = Papers::look(desk, &[&*row.scope], &[RUN, REMOVE, STOP, START]).await?;
        let made = Made {
            id: one.core.id.as_str(),
            scope: &row.scope,
            host: &row.it.id,
            port,
            secrets: &named,
            memory: limit(row, most, wish.memory_mib),
            most,
            nth: 0,
            pattern: &pattern,
        };
        let mut lane = lane(desk, one, &old, &made, &doors, &papers, draft.lanes.len());
        let tag = row.it.tags.get(DO_NOT_DISRUPT).map_or(Value::Absent, Value::word);
        let fact = Aspect::InstanceTag { instance: row.it.id.clone(), key: DO_NOT_DISRUPT.into() };
        lane.facts.push(Fact { fact, was: tag });
        draft.lanes.push(lane);
        one.hold(&mut draft);
        draft.hold(&row.scope, "instance", row.it.id.as_str(), Grip::Shared);
        secrets.push((&*row.scope, named.clone()));
        secrets.extend(pattern.more_secrets().into_iter().map(|names| (&*row.scope, names)));
    }
    check_secrets(desk, &secrets, &mut draft).await?;
    if !draft.lanes.is_empty() {
        draft.warn(
            "the stopped container stays on the old host, so that the way back is short; remove it by hand",
        );
    }
    draft.title = format!("move {}", count(draft.lanes.len(), "core"));
    Ok(draft)
}

fn lane(
    desk: &Desk<'_>,
    one: &Found<'_>,
    old: &crate::inventory::Entry,
    made: &Made<'_>,
    doors: &[Door],
    papers: &Papers,
    number: usize,
) -> Lane {
    let port = made.port;
    let mut facts = one.facts();
    let (scope, host) = (made.scope, made.host);
    facts.push(Fact { fact: Aspect::InstanceState { instance: host.clone() }, was: Value::word("running") });
    let mut steps = papers.put(scope, &[RUN, REMOVE, STOP, START]);
    steps.push(made.run(desk.config.fleet.as_str(), papers, number));
    let served: Vec<&Door> = doors.iter().filter(|door| door.is_in()).collect();
    for door in &served {
        let there = Door { id: Text::new(host.as_str()), port, state: None, ..(*door).clone() };
        steps.push(there.back(there.leave()));
    }
    steps.push(entered(
        old,
        &[
            ("instance_id", json!(host.as_str())),
            ("container", json!(made.container())),
            ("port", json!(port)),
            ("image", json!(made.pattern.image)),
            ("version", json!(pattern::tag(&made.pattern.image))),
            ("tier", json!(made.pattern.tier.name.as_str())),
            ("api_key_parameter", json!(made.secrets[0])),
            ("database_parameter", json!(made.secrets[1])),
        ],
    ));
    for door in &served {
        facts.push(door.rests_on());
        steps.push(door.out());
    }
    steps.push(stopped(one, papers, number));
    Lane {
        name: format!("{} from {} to {host}:{port}", one.core.id, one.host.it.id),
        target: one.core.id.to_string(),
        scope: scope.clone(),
        tier: tier(None),
        facts,
        steps,
    }
}
