//! `core create`: a container on the host that fits best, or on a new one where none has room, its secrets read by the
//! host itself, then its entry in the registry, then its traffic.

use super::super::super::desk::{Desk, Draft};
use super::super::super::guard::forbids;
use super::super::super::intent::{CoreWish, Intent};
use super::super::super::placement::{Room, memory_mib, place, share_mib, usable_mib};
use super::super::protect::count;
use super::found::{is_plain, silence};
use super::launch;
use super::made::Made;
use super::newcomer::Newcomer;
use super::papers::{Papers, REMOVE, RUN};
use super::pattern;
use super::replica;
use crate::error::{Error, Result};
use crate::fleet::InstanceRow;
use crate::model::{InstanceId, Known, Scope, Tier};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;

/// The first port of a host that a core gets.
pub(super) const FIRST_PORT: u16 = 3567;

/// Cores are made.
pub(in super::super) fn create<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent).boxed()
}

async fn draft(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let wish = intent.options.core.as_deref().cloned().unwrap_or_default();
    let mut draft = Draft::default();
    let like =
        wish.like.as_ref().and_then(|name| desk.fleet.cores.iter().find(|core| core.id.as_str() == name));
    if let Some(row) = like.and_then(|core| replica::service_of(desk, core)) {
        return replica::draft(desk, row, intent).await;
    }
    let ids = new_ids(desk, intent, &mut draft);
    let pattern = pattern::of(desk, &wish, intent.options.override_verdict, &mut draft).await?;
    let (Some(pattern), false) = (pattern, ids.is_empty()) else { return Ok(draft) };
    let tier = pattern.tier;
    let doors = pattern.doors(desk, &mut draft).await?;
    let mut rows =
        if wish.wants_new_host() { Vec::new() } else { candidates(desk, tier, &wish, intent, &mut draft) };
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
    let homeless: Vec<&String> =
        ids.iter().zip(&placed).filter(|(_, host)| host.is_none()).map(|(id, _)| id).collect();
    let launch = match homeless.is_empty() || !wish.may_launch() {
        true => None,
        false => launch::of(desk, tier, &wish, None, &mut draft).await?,
    };
    if !homeless.is_empty() && launch.is_none() {
        if draft.refusals.is_empty() {
            let of = Homeless { tier, rooms: &rooms, lacking: homeless.len(), wanted: ids.len() };
            let (target, why, mend) = no_room(desk, intent, &of);
            draft.refuse(target, why, mend);
        }
        return Ok(draft);
    }
    let chosen: Vec<(&String, &InstanceRow)> =
        ids.iter().zip(&placed).filter_map(|(id, host)| Some((id, *rows.get((*host)?)?))).collect();
    let mut scopes: Vec<&Scope> = chosen.iter().map(|(_, row)| &*row.scope).collect();
    scopes.extend(launch.as_ref().map(|launch| launch.scope()));
    let papers = Papers::look(desk, &scopes, &[RUN, REMOVE]).await?;
    let mut secrets: Vec<(&Scope, [String; 2])> =
        chosen.iter().map(|(id, row)| (&*row.scope, pattern.secrets(id))).collect();
    let homes =
        launch.iter().flat_map(|launch| homeless.iter().map(|id| (launch.scope(), pattern.secrets(id))));
    secrets.extend(homes);
    pattern::check_secrets(desk, &secrets, &mut draft).await?;
    let more: Vec<_> = secrets
        .iter()
        .flat_map(|(scope, _)| pattern.more_secrets().into_iter().map(|names| (*scope, names)))
        .collect();
    pattern::check_secrets(desk, &more, &mut draft).await?;
    let mut ports: BTreeMap<&InstanceId, Vec<u16>> = BTreeMap::new();
    for (id, row) in &chosen {
        let taken = ports.entry(&row.it.id).or_insert_with(|| used_ports(desk, row));
        let port = if doors.is_empty() { free_port(taken) } else { pattern.port() };
        let Some(port) = port.filter(|port| !taken.contains(port)) else {
            let why = format!("no port of {} is free for it", row.it.id);
            draft.refuse(id, why, "name another host by --host");
            continue;
        };
        taken.push(port);
        let secrets = pattern.secrets(id);
        let (scope, host) = (&*row.scope, &row.it.id);
        let made = Made {
            id,
            scope,
            host,
            port,
            secrets: &secrets,
            memory: demand(row),
            most,
            nth: 0,
            pattern: &pattern,
        };
        let lane = made.lane(desk, row, &papers, &doors, draft.lanes.len());
        draft.lanes.push(lane);
        draft.hold(&row.scope, "core", id, Grip::Alone);
        draft.hold(&row.scope, "instance", row.it.id.as_str(), Grip::Shared);
    }
    let hosts = ports.len();
    let mut news = 0;
    if let Some(launch) = &launch {
        let homeless: Vec<&str> = homeless.iter().map(|id| id.as_str()).collect();
        for ids in homeless.chunks(usize::try_from(most.max(1)).unwrap_or(1)) {
            let newcomer = Newcomer { ids, launch, nth: news, most, wished: wish.memory_mib, tier };
            newcomer.draft(desk, &pattern, &papers, &doors, &mut draft);
            news += 1;
        }
        launch.say(desk, news, &mut draft).await;
    }
    let mut places = Vec::new();
    if hosts > 0 {
        places.push(count(hosts, "host"));
    }
    if let Some(launch) = &launch {
        places.push(format!("{} of {}", count(news, "new instance"), launch.name()));
    }
    draft.title = format!(
        "create {} of tier {} on {}, from {}",
        count(ids.len(), "core"),
        tier.name,
        places.join(" and "),
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

/// What found no place.
pub(super) struct Homeless<'a> {
    /// Its tier.
    pub(super) tier: &'a Tier,
    /// Hosts that can take cores, with the room on them.
    pub(super) rooms: &'a [Room],
    /// Cores that found none.
    pub(super) lacking: usize,
    /// Cores that were to find one.
    pub(super) wanted: usize,
}

/// That no host has room, or nothing says what a new one is launched from; with the next command.
pub(super) fn no_room(desk: &Desk<'_>, intent: &Intent, of: &Homeless<'_>) -> (String, String, String) {
    let Homeless { tier, rooms, lacking, wanted } = *of;
    let wish = intent.options.core.as_deref().cloned().unwrap_or_default();
    let group = desk.fleet.groups.iter().find(|row| row.tier.as_ref() == Some(&tier.name));
    let target = format!("tier {}", tier.name);
    let configured = format!("[tiers.{}.launch] template = \"NAME\" in the configuration", tier.name);
    if wish.wants_new_host() {
        let why = format!(
            "nothing says what a new host of it is launched from: no --template, no template under \
             [tiers.{}.launch], and no launch template is tagged as its",
            tier.name
        );
        let theirs = group.and_then(|row| Some((&row.it.name, row.it.template.as_ref()?)));
        let mend = match theirs {
            Some((group, template)) => format!(
                "{} (what {group} launches from), or {configured}",
                again(intent, &wish, template.name.as_str())
            ),
            None => format!("{}, or {configured}", again(intent, &wish, "NAME")),
        };
        return (target, why, mend);
    }
    let cores: u32 = rooms.iter().map(|room| room.cores).sum();
    let most: u32 = rooms.iter().map(|room| room.most).sum();
    let why = match rooms.len() {
        0 => format!("{lacking} of {wanted} find no room: no host of it can take a core now"),
        hosts => format!(
            "{lacking} of {wanted} find no room: {} that can take cores hold {cores} of {most}",
            count(hosts, "host")
        ),
    };
    let each = tier.cores_per_host.unwrap_or(1).max(1);
    let more = u32::try_from(lacking).unwrap_or(u32::MAX).div_ceil(each);
    let mend = match group {
        Some(row) => {
            let desired = row.it.desired.saturating_add(more);
            let max = if desired > row.it.max { format!(" --max {desired}") } else { String::new() };
            format!("coredeck scale {} --desired {desired}{max} first", row.it.name)
        }
        None if !wish.may_launch() => format!("launch {more} more instances of tier {} first", tier.name),
        None => {
            format!("name the launch template of its hosts: --template NAME, or {configured} (docs/cores.md)")
        }
    };
    (target, why, mend)
}

/// The same command with a launch template.
fn again(intent: &Intent, wish: &CoreWish, template: &str) -> String {
    let mut said = format!("coredeck {} {}", intent.verb, intent.targets.join(" "));
    let flags = [
        ("--tier", &wish.tier),
        ("--like", &wish.like),
        ("--image", &wish.image),
        ("--api-key", &wish.api_key),
        ("--database", &wish.database),
    ];
    let groups = wish.target_groups.iter().map(|name| ("--target-group", name));
    let flags = flags.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
    for (flag, value) in flags.chain(groups) {
        said += &format!(" {flag} {value}");
    }
    format!("{said} --host new --template {template}")
}

/// What a wish that names nothing to go by is answered.
pub(super) fn needs_a_tier(known: &[Tier]) -> Error {
    let names: Vec<&str> = known.iter().map(|tier| tier.name.as_str()).collect();
    Error::usage("no tier is given").hint(format!("--tier {}, or --like CORE", names.join("|")))
}
