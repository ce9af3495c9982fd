//! `core move`: a core gets another host, or one that is launched for it. It is made there, answers, takes traffic, and
//! only then the old one leaves and stops: both may run at once, because they have the same database.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::desk::{Desk, Draft, tier};
use super::super::super::guard::DO_NOT_DISRUPT;
use super::super::super::intent::{CoreWish, Intent};
use super::super::super::placement::{Room, place};
use super::super::super::plan::{Fact, Lane, ROOM_FOR_HOST, Step};
use super::super::protect::count;
use super::create::{self, FIRST_PORT, candidates, free_port, limit, no_room, room, used_ports};
use super::doors::{self, Door, doors, short};
use super::found::{Found, found};
use super::launch::{self, Launch};
use super::made::Made;
use super::memory;
use super::newcomer::Newcomer;
use super::papers::{Papers, REMOVE, RUN, START, STOP};
use super::pattern::{self, Pattern, check_secrets, entry};
use super::power::stopped;
use super::upgrade::entered;
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::inventory::Entry;
use crate::model::{Scope, TargetState, Text, Tier};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;

/// What moving a core takes.
const PAPERS: [super::papers::Paper; 4] = [RUN, REMOVE, STOP, START];

/// Cores get other hosts.
pub(in super::super) fn relocate<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent).boxed()
}

/// A core that moves.
struct Mover<'a> {
    one: &'a Found<'a>,
    /// Its entry.
    old: Entry,
    /// How it is made anew: as it is.
    pattern: Pattern<'a>,
    doors: Vec<Door>,
}

/// A core that no host has room for, and the room that there is.
type Homeless<'a> = (Mover<'a>, Vec<Room>);

/// Names of secrets, where they are looked for.
type Secrets<'a> = Vec<(&'a Scope, [String; 2])>;

async fn draft(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let wish = intent.options.core.as_deref().cloned().unwrap_or_default();
    let mut draft = Draft::default();
    let mut cores = found(desk, intent, &mut draft).await?;
    memory::mind(desk, &mut cores, &mut draft).await;
    let mut begun: Vec<(&InstanceRow, u16)> = Vec::new();
    let mut secrets = Vec::new();
    let mut homeless: Vec<Homeless<'_>> = Vec::new();
    for one in &cores {
        let Some(mover) = mover(desk, one, &wish, intent, &mut draft).await? else { continue };
        let most = mover.pattern.tier.cores_per_host.unwrap_or(1);
        let before = draft.refusals.len();
        let rows = rows(desk, &mover, &wish, intent, &mut draft);
        if draft.refusals.len() > before {
            // The host that was named is none, or none for it: that there is no room is no news.
            continue;
        }
        let taken = |row: &InstanceRow| begun.iter().filter(|(other, _)| other.it.id == row.it.id).count();
        let rooms: Vec<Room> = rows
            .iter()
            .map(|row| {
                let mut room = room(desk, row, most, wish.memory_mib);
                room.cores += u32::try_from(taken(row)).unwrap_or(u32::MAX);
                room
            })
            .collect();
        let placed = place(&rooms, &[0]).first().copied().flatten();
        let Some(row) = placed.and_then(|at| rows.get(at).copied()) else {
            homeless.push((mover, rooms));
            continue;
        };
        let mut ports = used_ports(desk, row);
        ports.extend(begun.iter().filter(|(other, _)| other.it.id == row.it.id).map(|(_, port)| *port));
        // Behind a load balancer the port may be another one too: its targets have ports of their own.
        let port = Some(one.port).filter(|port| !ports.contains(port)).or_else(|| free_port(&ports));
        let Some(port) = port else {
            let why = format!("no port of {} is free for it", row.it.id);
            draft.refuse(&one.core.id, why, "name another host by --host");
            continue;
        };
        begun.push((row, port));
        let papers = Papers::look(desk, &[&*row.scope], &PAPERS).await?;
        let lane = to_a_host(desk, &mover, (row, port), &wish, &papers, draft.lanes.len());
        draft.lanes.push(lane);
        one.hold(&mut draft);
        draft.hold(&row.scope, "instance", row.it.id.as_str(), Grip::Shared);
        mover.name_secrets(&row.scope, &mut secrets);
    }
    let news = if wish.may_launch() {
        to_new_hosts(desk, intent, &homeless, &mut secrets, &mut draft).await?
    } else {
        for (mover, rooms) in &homeless {
            let of = create::Homeless { tier: mover.pattern.tier, rooms, lacking: 1, wanted: 1 };
            let (_, why, mend) = no_room(desk, intent, &of);
            draft.refuse(&mover.one.core.id, why, mend);
        }
        Vec::new()
    };
    check_secrets(desk, &secrets, &mut draft).await?;
    if !draft.lanes.is_empty() {
        draft.warn(
            "the stopped container stays on the old host, so that the way back is short; remove it by hand",
        );
    }
    let moved: usize = draft.lanes.iter().map(|lane| lane.target.split(',').count()).sum();
    draft.title = format!("move {}", count(moved, "core"));
    if !news.is_empty() {
        draft.title.push_str(&format!(" with {}", news.join(" and ")));
    }
    Ok(draft)
}

/// A core with everything that is needed to make it elsewhere; none where something is refused.
async fn mover<'a>(
    desk: &'a Desk<'_>,
    one: &'a Found<'a>,
    wish: &CoreWish,
    intent: &Intent,
    draft: &mut Draft,
) -> Result<Option<Mover<'a>>> {
    // Everything of it is as it was, but where it is.
    let like = CoreWish { like: Some(one.core.id.to_string()), ..wish.clone() };
    let Some(pattern) = pattern::of(desk, &like, intent.options.override_verdict, draft).await? else {
        return Ok(None);
    };
    let Some(old) = entry(desk, one.core).await?.filter(|_| one.entry.is_some()) else {
        let why = "its entry is in the registry of another place than its host";
        draft.refuse(&one.core.id, why, "move one of them");
        return Ok(None);
    };
    if let Some(why) = old.is_closed() {
        let why = format!("its entry cannot be written: {why}");
        draft.refuse(&one.core.id, why, "mend the entry by hand");
        return Ok(None);
    }
    let doors = doors(desk, one, draft).await?;
    doors::mind_group(one, &doors, intent, draft);
    Ok(Some(Mover { one, old, pattern, doors }))
}

/// The hosts that could take a core: none where a new one is wanted.
fn rows<'a>(
    desk: &'a Desk<'_>,
    mover: &Mover<'_>,
    wish: &CoreWish,
    intent: &Intent,
    draft: &mut Draft,
) -> Vec<&'a InstanceRow> {
    if wish.wants_new_host() {
        return Vec::new();
    }
    let mut rows = candidates(desk, mover.pattern.tier, wish, intent, draft);
    rows.retain(|row| row.it.id != mover.one.host.it.id && row.scope == mover.one.host.scope);
    if wish.host.is_none() {
        rows.retain(|row| mover.beside(desk, row).is_none());
    }
    for row in &rows {
        if let Some(group) = mover.beside(desk, row).filter(|_| wish.host.is_some()) {
            draft.warn(format!(
                "another target of {group} is on {} already: with that host both of {}'s would be gone",
                row.it.id, group
            ));
        }
    }
    rows
}

impl Mover<'_> {
    fn served(&self) -> impl Iterator<Item = &Door> {
        self.doors.iter().filter(|door| door.is_in())
    }

    /// The target group that another process on a host serves beside it.
    fn beside(&self, desk: &Desk<'_>, row: &InstanceRow) -> Option<Text> {
        let is_there = |door: &&Door| {
            let mut all = desk.fleet.targets.iter();
            all.any(|target| {
                target.it.group == door.group
                    && target.it.id == row.it.id.as_str()
                    && target.it.state != TargetState::Draining
            })
        };
        self.served().find(is_there).map(|door| short(&door.group))
    }

    /// Whether two would fall together on one host that serve the same.
    fn shares(&self, other: &Self) -> bool {
        self.served().any(|door| other.served().any(|its| its.group == door.group))
    }

    fn name_secrets<'a>(&self, scope: &'a Scope, secrets: &mut Secrets<'a>) {
        secrets.push((scope, self.pattern.secrets(self.one.core.id.as_str())));
        secrets.extend(self.pattern.more_secrets().into_iter().map(|names| (scope, names)));
    }

    /// The steps that make it there, lead its traffic there, and stop it here; and what they rest on.
    fn steps(
        &self,
        desk: &Desk<'_>,
        made: &Made<'_>,
        papers: &Papers,
        lane: usize,
    ) -> (Vec<Fact>, Vec<Step>) {
        let (host, port, nth) = (made.host, made.port, made.nth);
        let mut facts = self.one.facts();
        let mut steps = vec![made.run(desk.config.fleet.as_str(), papers, lane)];
        for door in self.served() {
            let there = Door { id: Text::new(host.as_str()), port, state: None, ..door.clone() };
            steps.push(there.back(there.leave()));
        }
        let fields = [
            ("instance_id", json!(host.as_str())),
            ("container", json!(made.container())),
            ("port", json!(port)),
            ("image", json!(made.pattern.image)),
            ("version", json!(pattern::tag(&made.pattern.image))),
            ("tier", json!(made.pattern.tier.name.as_str())),
            ("api_key_parameter", json!(made.secrets[0])),
            ("database_parameter", json!(made.secrets[1])),
        ];
        steps.push(entered(&self.old, &fields));
        for door in self.served() {
            facts.push(door.rests_on());
            steps.push(door.out());
        }
        steps.push(stopped(self.one, papers, lane, nth));
        (facts, steps)
    }
}

/// The lane to a host that is there.
fn to_a_host(
    desk: &Desk<'_>,
    mover: &Mover<'_>,
    (row, port): (&InstanceRow, u16),
    wish: &CoreWish,
    papers: &Papers,
    number: usize,
) -> Lane {
    let (scope, host) = (&*row.scope, &row.it.id);
    let id = mover.one.core.id.as_str();
    let secrets = mover.pattern.secrets(id);
    let most = mover.pattern.tier.cores_per_host.unwrap_or(1);
    let memory = limit(row, most, wish.memory_mib);
    let made =
        Made { id, scope, host, port, secrets: &secrets, memory, most, nth: 0, pattern: &mover.pattern };
    let (mut facts, moved) = mover.steps(desk, &made, papers, number);
    facts.push(Fact { fact: Aspect::InstanceState { instance: host.clone() }, was: Value::word("running") });
    let tag = row.it.tags.get(DO_NOT_DISRUPT).map_or(Value::Absent, Value::word);
    let fact = Aspect::InstanceTag { instance: host.clone(), key: DO_NOT_DISRUPT.into() };
    facts.push(Fact { fact, was: tag });
    let mut steps = papers.put(scope, &PAPERS);
    steps.extend(moved);
    Lane {
        name: format!("{id} from {} to {host}:{port}", mover.one.host.it.id),
        target: id.to_owned(),
        scope: scope.clone(),
        tier: tier(None),
        facts,
        steps,
    }
}

/// Adds lanes to hosts that are launched for the cores: as few as their tiers allow. Returns what is launched, in words.
async fn to_new_hosts<'a>(
    desk: &'a Desk<'_>,
    intent: &Intent,
    homeless: &[Homeless<'a>],
    secrets: &mut Secrets<'a>,
    draft: &mut Draft,
) -> Result<Vec<String>> {
    let wish = &intent.options.core.as_deref().cloned().unwrap_or_default();
    let mut kinds: BTreeMap<(&Scope, &str), Vec<&Homeless<'a>>> = BTreeMap::new();
    for one in homeless {
        let key = (&*one.0.one.host.scope, one.0.pattern.tier.name.as_str());
        kinds.entry(key).or_default().push(one);
    }
    let mut news = Vec::new();
    for ((scope, _), all) in kinds {
        let Some((first, rooms)) = all.first() else { continue };
        let tier: &Tier = first.pattern.tier;
        let before = draft.refusals.len();
        let Some(launch) = launch::of(desk, tier, wish, Some(scope), draft).await? else {
            if draft.refusals.len() == before {
                let of = create::Homeless { tier, rooms, lacking: all.len(), wanted: all.len() };
                let (_, why, mend) = no_room(desk, intent, &of);
                all.iter().for_each(|(mover, _)| draft.refuse(&mover.one.core.id, &why, &mend));
            }
            continue;
        };
        let papers = Papers::look(desk, &[scope], &PAPERS).await?;
        let most = tier.cores_per_host.unwrap_or(1).max(1);
        let mut batches: Vec<Vec<&Mover<'_>>> = Vec::new();
        for (mover, _) in all {
            mover.name_secrets(scope, secrets);
            let takes = |batch: &&mut Vec<&Mover<'_>>| {
                batch.len() < most as usize && !batch.iter().any(|other| other.shares(mover))
            };
            match batches.iter_mut().find(takes) {
                Some(batch) => batch.push(mover),
                None => batches.push(vec![mover]),
            }
        }
        for (nth, batch) in batches.iter().enumerate() {
            to_a_new_host(desk, batch, &launch, (nth, most), wish, &papers, draft);
        }
        launch.say(desk, batches.len(), draft).await;
        news.push(format!("{} of {}", count(batches.len(), "new instance"), launch.name()));
    }
    Ok(news)
}

fn to_a_new_host(
    desk: &Desk<'_>,
    batch: &[&Mover<'_>],
    launch: &Launch<'_>,
    (nth, most): (usize, u32),
    wish: &CoreWish,
    papers: &Papers,
    draft: &mut Draft,
) {
    let Some(first) = batch.first() else { return };
    let (scope, number) = (launch.scope(), draft.lanes.len());
    let ids: Vec<&str> = batch.iter().map(|mover| mover.one.core.id.as_str()).collect();
    let newcomer =
        Newcomer { ids: &ids, launch, nth, most, wished: wish.memory_mib, tier: first.pattern.tier };
    let host = Newcomer::host();
    let mut facts = launch.facts();
    let mut steps = papers.put(scope, &PAPERS);
    steps.extend(newcomer.begun(desk, number, draft));
    let mut ports: Vec<u16> = Vec::new();
    for (nth, mover) in batch.iter().enumerate() {
        let id = mover.one.core.id.as_str();
        let own = Some(mover.one.port).filter(|port| !ports.contains(port));
        let port = own.or_else(|| free_port(&ports)).unwrap_or(FIRST_PORT);
        ports.push(port);
        let secrets = mover.pattern.secrets(id);
        let (memory, pattern) = (newcomer.memory(), &mover.pattern);
        let made = Made { id, scope, host: &host, port, secrets: &secrets, memory, most, nth, pattern };
        let (more, moved) = mover.steps(desk, &made, papers, number);
        facts.extend(more);
        steps.extend(moved);
        mover.one.hold(draft);
    }
    steps.push(Newcomer::opened());
    facts.sort_by(|one, other| one.fact.cmp(&other.fact));
    facts.dedup();
    if batch.len() > 1 {
        draft.warn(format!(
            "{} share a new host: where one of them fails there, all of them go back, and it is ended",
            ids.join(", ")
        ));
    }
    let mut from: Vec<&str> = batch.iter().map(|mover| mover.one.host.it.id.as_str()).collect();
    from.dedup();
    draft.lanes.push(Lane {
        name: format!("{} from {} to {ROOM_FOR_HOST}", ids.join(", "), from.join(", ")),
        target: ids.join(","),
        scope: scope.clone(),
        tier: tier(None),
        facts,
        steps,
    });
}
