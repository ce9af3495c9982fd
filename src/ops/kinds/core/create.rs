//! `core create`: a container on the host that fits best, its secrets read by the host itself, then its entry in the
//! registry, then its traffic.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::desk::{Desk, Draft};
use super::super::super::guard::{DO_NOT_DISRUPT, forbids};
use super::super::super::intent::{CoreWish, Intent};
use super::super::super::placement::{Room, memory_mib, place, share_mib, usable_mib};
use super::super::super::plan::{Fact, Lane, Proof, ROOM_FOR_ID, Step, Undo};
use super::super::inventory::{put, remove, version};
use super::super::protect::count;
use super::doors::Door;
use super::found::{is_plain, parameter, silence};
use super::papers::{Command, Papers, REMOVE, RUN};
use super::pattern::{self, Pattern};
use crate::error::{Error, Result};
use crate::fleet::InstanceRow;
use crate::inventory::{Part, value};
use crate::model::{Known, Text, Tier};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;

/// The first port of a host that a core gets.
const FIRST_PORT: u16 = 3567;

/// Cores are made.
pub(in super::super) fn create<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent).boxed()
}

async fn draft(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let wish = intent.options.core.as_deref().cloned().unwrap_or_default();
    let mut draft = Draft::default();
    let ids = new_ids(desk, intent, &mut draft);
    let pattern = pattern::of(desk, &wish, intent.options.override_verdict, &mut draft).await?;
    let (Some(pattern), false) = (pattern, ids.is_empty()) else { return Ok(draft) };
    let tier = pattern.tier;
    let doors = pattern.doors(desk, &mut draft).await?;
    let mut rows = candidates(desk, tier, &wish, intent, &mut draft);
    if wish.host.is_none() && !doors.is_empty() {
        // Replicas listen at one port, and stand on hosts of their own.
        let theirs = pattern.hosts_of_replicas(desk, &doors);
        let is_taken =
            |row: &InstanceRow| pattern.port().is_some_and(|port| used_ports(desk, row).contains(&port));
        rows.retain(|row| !theirs.contains(row.it.id.as_str()) && !is_taken(row));
    }
    let most = tier.cores_per_host.unwrap_or(1);
    let rooms: Vec<Room> = rows.iter().map(|row| room(desk, row, most, wish.memory_mib)).collect();
    let demand = |row: &InstanceRow| limit(row, most, wish.memory_mib);
    // What a core takes is its share of a host; hosts of a tier are alike, and the smallest decides where they are not.
    let mib = rows.iter().filter_map(|row| demand(row)).min().unwrap_or(0);
    let placed = place(&rooms, &vec![mib; ids.len()]);
    let homeless = placed.iter().filter(|host| host.is_none()).count();
    if homeless > 0 {
        let (target, why, mend) = no_room(desk, tier, &rooms, homeless, ids.len());
        draft.refuse(target, why, mend);
        return Ok(draft);
    }
    let scopes: Vec<_> = rows.iter().map(|row| &*row.scope).collect();
    let papers = Papers::look(desk, &scopes, &[RUN, REMOVE]).await?;
    let mut ports: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
    let chosen: Vec<(String, usize)> = ids.into_iter().zip(placed.into_iter().flatten()).collect();
    let secrets: Vec<(&InstanceRow, [String; 2])> =
        chosen.iter().filter_map(|(id, host)| Some((*rows.get(*host)?, pattern.secrets(id)))).collect();
    pattern::check_secrets(desk, &secrets, &mut draft).await?;
    let more: Vec<_> = secrets
        .iter()
        .flat_map(|(row, _)| pattern.more_secrets().into_iter().map(|names| (*row, names)))
        .collect();
    pattern::check_secrets(desk, &more, &mut draft).await?;
    for ((id, host), (_, secrets)) in chosen.iter().zip(&secrets) {
        let row = rows[*host];
        let taken = ports.entry(*host).or_insert_with(|| used_ports(desk, row));
        let port = if doors.is_empty() { free_port(taken) } else { pattern.port() };
        let Some(port) = port.filter(|port| !taken.contains(port)) else {
            let why = format!("no port of {} is free for it", row.it.id);
            draft.refuse(id, why, "name another host by --host");
            continue;
        };
        taken.push(port);
        let made = Made { id, row, port, secrets, memory: demand(row), most, pattern: &pattern };
        let lane = made.lane(desk, &papers, &doors, draft.lanes.len());
        draft.lanes.push(lane);
        draft.hold(&row.scope, "core", id, Grip::Alone);
        draft.hold(&row.scope, "instance", row.it.id.as_str(), Grip::Shared);
    }
    let hosts: std::collections::BTreeSet<usize> = chosen.iter().map(|(_, host)| *host).collect();
    draft.title = format!(
        "create {} of tier {} on {}, from {}",
        count(draft.lanes.len(), "core"),
        tier.name,
        count(hosts.len(), "host"),
        pattern.image
    );
    Ok(draft)
}

/// The ids that were named, as far as they can be new cores.
fn new_ids(desk: &Desk<'_>, intent: &Intent, draft: &mut Draft) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in &intent.targets {
        if !is_plain(id) {
            draft.refuse(id, "it is no id for a core", "letters, digits, _, . and - are taken");
        } else if desk.fleet.cores.iter().any(|core| core.id.as_str() == id) {
            draft.refuse(id, "there is a core of that id already", "choose another id");
        } else if ids.contains(id) {
            draft.refuse(id, "it is named twice", "name each once");
        } else {
            ids.push(id.clone());
        }
    }
    ids
}

/// The hosts of a tier that could take a core.
pub(super) fn candidates<'a>(
    desk: &'a Desk<'_>,
    tier: &Tier,
    wish: &CoreWish,
    intent: &Intent,
    draft: &mut Draft,
) -> Vec<&'a InstanceRow> {
    if let Some(host) = &wish.host {
        let rows = desk.instances(std::slice::from_ref(host), draft);
        for row in &rows {
            if let Some((why, mend)) = silence(row) {
                draft.refuse(&row.it.id, why, mend);
            }
            if row.tier.as_ref() != Some(&tier.name) {
                let is = row.tier.as_ref().map_or("no tier".to_owned(), |name| format!("tier {name}"));
                draft.refuse(&row.it.id, format!("it is of {is}"), format!("name a host of {}", tier.name));
            }
            desk.mind_tags(row, intent, draft);
        }
        return rows;
    }
    let is_fit = |row: &&InstanceRow| {
        let serves = match &row.member {
            Known::Yes(Some(member)) => member.state == "InService",
            _ => true,
        };
        row.tier.as_ref() == Some(&tier.name)
            && matches!(&row.host, Known::Yes(None))
            && serves
            && silence(row).is_none()
            && forbids(&row.it.tags, &intent.options, desk.now).is_none()
    };
    let mut rows: Vec<&InstanceRow> = desk.fleet.instances.iter().filter(is_fit).collect();
    rows.sort_by(|one, other| (&one.scope, &one.it.id).cmp(&(&other.scope, &other.it.id)));
    rows
}

/// MiB that a core on a host may use; none where nothing limits it.
pub(super) fn limit(row: &InstanceRow, most: u32, wished: Option<u32>) -> Option<u32> {
    wished.or_else(|| share_mib(memory_mib(row.it.instance_type.as_str())?, most))
}

fn cores_on(desk: &Desk<'_>, row: &InstanceRow) -> u32 {
    let on = desk.fleet.cores.iter().filter(|core| core.home.instance_id() == Some(&row.it.id));
    u32::try_from(on.count()).unwrap_or(u32::MAX)
}

pub(super) fn room(desk: &Desk<'_>, row: &InstanceRow, most: u32, wished: Option<u32>) -> Room {
    let cores = cores_on(desk, row);
    let memory = memory_mib(row.it.instance_type.as_str());
    // What the others take is not read: each is taken to have the share that this one gets.
    let free_mib = memory.map(|memory| {
        let each = share_mib(memory, most).or(wished).unwrap_or(0);
        usable_mib(memory).saturating_sub(each.saturating_mul(cores))
    });
    Room { cores, most, free_mib }
}

pub(super) fn used_ports(desk: &Desk<'_>, row: &InstanceRow) -> Vec<u16> {
    let on = desk.fleet.cores.iter().filter(|core| core.home.instance_id() == Some(&row.it.id));
    on.filter_map(|core| core.port).collect()
}

pub(super) fn free_port(taken: &[u16]) -> Option<u16> {
    (FIRST_PORT..FIRST_PORT + 1_000).find(|port| !taken.contains(port))
}

/// That no host has room, with what makes some.
pub(super) fn no_room(
    desk: &Desk<'_>,
    tier: &Tier,
    rooms: &[Room],
    homeless: usize,
    wanted: usize,
) -> (String, String, String) {
    let cores: u32 = rooms.iter().map(|room| room.cores).sum();
    let most: u32 = rooms.iter().map(|room| room.most).sum();
    let why = format!(
        "{homeless} of {wanted} find no room: {} that can take cores hold {cores} of {most}",
        count(rooms.len(), "host")
    );
    let each = tier.cores_per_host.unwrap_or(1).max(1);
    let more = u32::try_from(homeless).unwrap_or(u32::MAX).div_ceil(each);
    let group = desk.fleet.groups.iter().find(|row| row.tier.as_ref() == Some(&tier.name));
    let mend = match group {
        Some(row) => {
            let desired = row.it.desired.saturating_add(more);
            let max = if desired > row.it.max { format!(" --max {desired}") } else { String::new() };
            format!("coredeck scale {} --desired {desired}{max} first", row.it.name)
        }
        None => format!("launch {more} more instances of tier {} first", tier.name),
    };
    (format!("tier {}", tier.name), why, mend)
}

/// A core that is made.
pub(super) struct Made<'a> {
    pub(super) id: &'a str,
    /// Its host.
    pub(super) row: &'a InstanceRow,
    pub(super) port: u16,
    /// The names of its secrets: API keys, and the database's address.
    pub(super) secrets: &'a [String; 2],
    /// MiB that it may use; none for no limit.
    pub(super) memory: Option<u32>,
    /// Cores that its host may run.
    pub(super) most: u32,
    pub(super) pattern: &'a Pattern<'a>,
}

impl Made<'_> {
    /// Its container's name.
    pub(super) fn container(&self) -> String {
        format!("supertokens-{}", self.id)
    }

    fn lane(&self, desk: &Desk<'_>, papers: &Papers, doors: &[Door], number: usize) -> Lane {
        let fleet = desk.config.fleet.as_str();
        let host = &self.row.it.id;
        let entry = parameter(fleet, self.id);
        let tag = self.row.it.tags.get(DO_NOT_DISRUPT).map_or(Value::Absent, Value::word);
        let facts = vec![
            Fact { fact: Aspect::InstanceState { instance: host.clone() }, was: Value::word("running") },
            Fact {
                fact: Aspect::InstanceTag { instance: host.clone(), key: DO_NOT_DISRUPT.into() },
                was: tag,
            },
            Fact { fact: version(&entry), was: Value::Absent },
        ];
        let mut steps = papers.put(&self.row.scope, &[RUN, REMOVE]);
        steps.push(self.run(fleet, papers, number));
        steps.push(self.entry(&entry));
        for door in doors {
            let door = Door { id: Text::new(host.as_str()), port: self.port, ..door.clone() };
            steps.push(door.back(door.leave()));
        }
        Lane {
            name: format!("{} on {host}:{}", self.id, self.port),
            target: self.id.to_owned(),
            scope: (*self.row.scope).clone(),
            tier: None,
            facts,
            steps,
        }
    }

    /// The step that makes it.
    pub(super) fn run(&self, fleet: &str, papers: &Papers, lane: usize) -> Step {
        let host = &self.row.it.id;
        let [keys, database] = self.secrets;
        let mut parameters = vec![
            ("Container", self.container()),
            ("Core", self.id.to_owned()),
            ("Fleet", fleet.to_owned()),
            ("Tier", self.pattern.tier.name.to_string()),
            ("Image", self.pattern.image.clone()),
            ("Port", self.port.to_string()),
            ("Memory", self.memory.unwrap_or(0).to_string()),
            ("Most", self.most.to_string()),
            ("ApiKeys", keys.clone()),
            ("Database", database.clone()),
            ("Region", self.row.scope.region.to_string()),
            ("Operation", ROOM_FOR_ID.to_owned()),
        ];
        parameters.extend(self.pattern.carried.parameters());
        let removal = vec![("Container", self.container()), ("Operation", ROOM_FOR_ID.to_owned())];
        let back = Command { paper: REMOVE, host, word: "remove again", lane, parameters: removal };
        let memory = self.memory.map_or(String::new(), |mib| format!(" with {mib} MiB"));
        Step {
            title: format!(
                "make {} on {host}{memory}{} and wait until it answers, its database too",
                self.container(),
                self.pattern.carried.words()
            ),
            go: papers.run(&Command { paper: RUN, host, word: "run", lane, parameters }),
            undo: Undo::Exact { leg: Box::new(papers.run(&back)) },
            proof: Proof::Checked,
            expected_s: 30,
            may_be_forced: false,
        }
    }

    fn entry(&self, name: &str) -> Step {
        let [keys, database] = self.secrets;
        let mut fields = vec![
            ("tier", json!(self.pattern.tier.name.as_str())),
            ("instance_id", json!(self.row.it.id.as_str())),
            ("container", json!(self.container())),
            ("port", json!(self.port)),
            ("image", json!(self.pattern.image)),
            ("api_key_parameter", json!(keys)),
            ("database_parameter", json!(database)),
        ];
        fields.extend(pattern::tag(&self.pattern.image).map(|tag| ("version", json!(tag))));
        let value = value(Part::Cores, None, &fields);
        let absent = (version(name), Value::Absent);
        let ours = (super::super::inventory::hash(name), super::super::super::aspect::hash_of(&value));
        Step {
            title: format!("write {name}"),
            go: put(name, &value, false, absent),
            undo: Undo::Exact { leg: Box::new(remove(name, ours)) },
            proof: Proof::Checked,
            expected_s: 2,
            may_be_forced: false,
        }
    }
}

/// What a wish that names nothing to go by is answered.
pub(super) fn needs_a_tier(known: &[Tier]) -> Error {
    let names: Vec<&str> = known.iter().map(|tier| tier.name.as_str()).collect();
    Error::usage("no tier is given").hint(format!("--tier {}, or --like CORE", names.join("|")))
}
