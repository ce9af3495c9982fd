//! Joining the sections of each part into rows, by id.

use super::belonging::{Belonging, Belongings, Named};
use super::rows::{
    ClusterRow, GroupRow, HostRow, ImageRow, InstanceRow, Item, MemberItem, ServiceRow, TaskRow, TemplateRow,
};
use super::{Fleet, drift, events, health, lack, people, tiers, traffic};
use crate::model::tier::classify;
use crate::model::{
    Agent, Alarm, AlarmState, Group, Host, Image, InstanceStatus, Known, Lifecycle, Metrics, Refresh,
    Template, Text, Tier, TierFacts, TierName, WhyUnknown, short_arn,
};
use crate::snapshot::{Part, Section, Snapshot};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Joins a snapshot into rows, sorted by the parts' order and then as AWS listed them.
pub fn join(snapshot: &Snapshot, tiers: &[Tier]) -> Fleet {
    let mut fleet = Fleet::empty(snapshot.taken_at);
    let (cores, alarms) = (cores_by_host(snapshot), alarms_by_host(snapshot));
    let mut spans = Vec::with_capacity(snapshot.parts.len());
    for part in &snapshot.parts {
        let index = Index::new(part);
        let from = Marks::of(&fleet);
        ecs(part, &index, tiers, &mut fleet);
        instances(part, &index, (&cores, &alarms), tiers, &mut fleet);
        groups(part, &index, tiers, from.instances, &mut fleet);
        host_tiers(from, &mut fleet);
        made_from(part, &index, from, &mut fleet);
        let drifted =
            drift::rows(part, &fleet.instances[from.instances..], &fleet.groups[from.groups..], fleet.at);
        fleet.drift.extend(drifted);
        traffic::join(part, from.targets, &mut fleet);
        spans.push(Span { from, to: Marks::of(&fleet) });
    }
    people::join(snapshot, tiers, &spans, &mut fleet);
    fleet.events = events::join(snapshot, &fleet).into();
    fleet.tiers = tiers::sum(snapshot, tiers, &fleet).into();
    fleet
}

/// Where the rows of the current part begin.
#[derive(Clone, Copy)]
struct Marks {
    instances: usize,
    groups: usize,
    services: usize,
    tasks: usize,
    hosts: usize,
    targets: usize,
    rules: usize,
}

impl Marks {
    fn of(fleet: &Fleet) -> Self {
        Self {
            instances: fleet.instances.len(),
            groups: fleet.groups.len(),
            services: fleet.services.len(),
            tasks: fleet.tasks.len(),
            hosts: fleet.hosts.len(),
            targets: fleet.targets.len(),
            rules: fleet.rules.len(),
        }
    }
}

/// The rows of one part.
#[derive(Clone, Copy)]
pub(super) struct Span {
    from: Marks,
    to: Marks,
}

impl Span {
    pub(super) fn services(&self) -> Range<usize> {
        self.from.services..self.to.services
    }

    pub(super) fn tasks(&self) -> Range<usize> {
        self.from.tasks..self.to.tasks
    }

    pub(super) fn rules(&self) -> Range<usize> {
        self.from.rules..self.to.rules
    }
}

/// Cores by host, in whichever part the registry that names them is.
fn cores_by_host(snapshot: &Snapshot) -> HashMap<&str, u32> {
    let registries = snapshot.parts.iter().filter_map(|part| part.registry.value.as_ref());
    let hosts = registries.flat_map(|registry| &registry.cores).filter_map(|core| core.instance_id.as_ref());
    let mut count = HashMap::new();
    for id in hosts {
        *count.entry(id.as_str()).or_insert(0) += 1;
    }
    count
}

/// Alarms by the id of the instance that they name.
type Ringing = HashMap<Text, Vec<Item<Alarm>>>;

/// Alarms that ring, by the instance that they name: that may be in another part, where one account watches
/// over others.
fn alarms_by_host(snapshot: &Snapshot) -> Ringing {
    let mut ringing = Ringing::new();
    let alarms = snapshot.parts.iter().filter_map(|part| part.alarms.value.as_ref()).flat_map(Item::all);
    for alarm in alarms.filter(|alarm| alarm.state == AlarmState::Alarm) {
        let named = alarm.dimensions.iter().filter(|(name, _)| &**name == "InstanceId");
        named.for_each(|(_, id)| ringing.entry(id.clone()).or_default().push(alarm.clone()));
    }
    ringing
}

/// A section's list by id; unknown when the section is. A list that is not whole answers only for what
/// it holds: that an id is missing from it proves nothing.
struct ById<K, V> {
    map: Known<HashMap<K, V>>,
    lack: Option<WhyUnknown>,
}

impl<K: std::hash::Hash + Eq, V: Clone> ById<K, V> {
    fn new<T>(section: &Section<Vec<T>>, entries: impl FnOnce(&Arc<Vec<T>>) -> HashMap<K, V>) -> Self {
        let map = match (&section.value, section.known()) {
            (Some(list), _) => Known::Yes(entries(list)),
            (None, known) => known.map(|_| HashMap::new()),
        };
        Self { map, lack: (!section.is_whole).then(|| lack::why(section.standing())) }
    }

    fn find(&self, key: &K) -> Known<Option<V>> {
        match (self.map.as_ref().map(|map| map.get(key).cloned()), self.lack) {
            (Known::Yes(None), Some(why)) => Known::No(why),
            (found, _) => found,
        }
    }
}

struct Index {
    members: ById<Text, MemberItem>,
    hosts: ById<Text, Item<Host>>,
    agents: ById<Text, Item<Agent>>,
    statuses: ById<Text, Item<InstanceStatus>>,
    metrics: ById<Text, Item<Metrics>>,
    images: ById<Text, Item<Image>>,
    clusters: HashMap<Text, Text>,
}

impl Index {
    fn new(part: &Part) -> Self {
        let key = |id: &str| Text::new(id);
        Self {
            members: ById::new(&part.groups, |list| {
                Item::all(list)
                    .flat_map(|group| MemberItem::all(&group).collect::<Vec<_>>())
                    .map(|member| (key(member.id.as_str()), member))
                    .collect()
            }),
            hosts: ById::new(&part.hosts, |list| {
                Item::all(list)
                    .filter_map(|host| Some((key(host.instance_id.as_ref()?.as_str()), host.clone())))
                    .collect()
            }),
            agents: ById::new(&part.agents, |list| {
                Item::all(list).map(|agent| (key(agent.id.as_str()), agent)).collect()
            }),
            statuses: ById::new(&part.statuses, |list| {
                Item::all(list).map(|status| (key(status.id.as_str()), status)).collect()
            }),
            metrics: ById::new(&part.metrics, |list| {
                Item::all(list).map(|metrics| (key(metrics.id.as_str()), metrics)).collect()
            }),
            images: ById::new(&part.images, |list| {
                Item::all(list).map(|image| (key(image.id.as_str()), image)).collect()
            }),
            clusters: part
                .clusters
                .value
                .iter()
                .flat_map(|list| list.iter())
                .map(|cluster| (key(cluster.arn.as_str()), cluster.name.clone()))
                .collect(),
        }
    }

    fn cluster(&self, arn: &str) -> Text {
        self.clusters.get(arn).cloned().unwrap_or_else(|| Text::new(short_arn(arn)))
    }
}

fn instances(
    part: &Part,
    index: &Index,
    (cores_on, alarms): (&HashMap<&str, u32>, &Ringing),
    tiers: &[Tier],
    fleet: &mut Fleet,
) {
    let mut named = Named::default();
    let by_group: HashMap<&str, (&TierName, Arc<str>)> = part
        .groups
        .value
        .iter()
        .flat_map(|list| list.iter())
        .filter_map(|group| {
            let facts =
                TierFacts { tags: Some(&group.tags), group: Some(group.name.as_str()), service: None };
            let found = classify(tiers, facts)?;
            Some((group.name.as_str(), (&found.tier.name, named.of(found.by))))
        })
        .collect();
    let Some(list) = &part.instances.value else { return };
    fleet.instances.reserve_exact(list.len());
    // Half a registry counts too few.
    let registry = match &part.registry {
        registry if registry.is_whole => Known::Yes(()),
        registry => Known::No(lack::why(registry.standing())),
    };
    fleet.instances.reserve(list.len());
    let mut belongings = Belongings::default();
    for it in list.iter() {
        let key = Text::new(it.id.as_str());
        let member = index.members.find(&key);
        let group = match &member {
            Known::Yes(Some(member)) => Some(member.group().name.clone()),
            _ => it.group_tag().map(Into::into),
        };
        let facts = TierFacts {
            tags: Some(&it.tags),
            group: group.as_ref().map(|name| name.as_str()),
            service: None,
        };
        let (tier, tier_by) = match classify(tiers, facts) {
            Some(found) => (Some(found.tier.name.clone()), Some(named.of(found.by))),
            None => match group.as_ref().and_then(|name| by_group.get(name.as_str())) {
                Some((tier, by)) => (Some((*tier).clone()), Some(Arc::clone(by))),
                None => (None, None),
            },
        };
        let belongs = belongings.of(Belonging { tier, tier_by, group });
        let host = index.hosts.find(&key);
        let agent = index.agents.find(&key);
        let status = index.statuses.find(&key);
        // A reading holds every instance that was asked for, so a missing one was never asked for.
        let metrics = match index.metrics.find(&key) {
            Known::Yes(None) => Known::No(WhyUnknown::NotAsked),
            found => found,
        };
        let image = index.images.find(&Text::new(it.image_id.as_str()));
        let cores = registry.map(|()| cores_on.get(key.as_str()).copied().unwrap_or(0));
        let (health, troubles) = health::instance(&health::Machine {
            it,
            member: &member,
            host: &host,
            agent: &agent,
            status: &status,
            metrics: &metrics,
            image: &image,
            cores: &cores,
            ringing: alarms.get(&key).map_or(&[], Vec::as_slice),
            tier: belongs.tier.as_ref().and_then(|name| tiers.iter().find(|tier| tier.name == *name)),
        });
        fleet.instances.push(InstanceRow {
            scope: Arc::clone(&part.scope),
            it: Arc::clone(it),
            belongs,
            member,
            host,
            agent,
            status,
            metrics,
            image,
            cores,
            health,
            troubles,
        });
    }
}

fn groups(part: &Part, index: &Index, tiers: &[Tier], from: usize, fleet: &mut Fleet) {
    let Some(list) = &part.groups.value else { return };
    let is_spot: HashMap<&str, bool> = fleet.instances[from..]
        .iter()
        .map(|row| (row.it.id.as_str(), row.it.lifecycle == Lifecycle::Spot))
        .collect();
    let refreshes: ById<Text, Item<Refresh>> = ById::new(&part.refreshes, |list| {
        let mut newest = HashMap::new();
        for refresh in Item::all(list) {
            newest.entry(Text::new(refresh.group.as_str())).or_insert(refresh);
        }
        newest
    });
    for it in Item::all(list) {
        let facts = TierFacts { tags: Some(&it.tags), group: Some(it.name.as_str()), service: None };
        let in_service = it.members.iter().filter(|member| member.state == "InService").count();
        let each = it.members.iter().map(|member| is_spot.get(member.id.as_str()).copied());
        // Known as soon as every member is: the list need not be whole, but it may be older than the group.
        let spot = match each.collect::<Option<Vec<bool>>>() {
            Some(each) => Known::Yes(each.into_iter().filter(|is_spot| *is_spot).count() as u32),
            None => Known::No(lack::why(part.instances.standing())),
        };
        let refresh = refreshes.find(&Text::new(it.name.as_str()));
        let (versions_behind, image) = launches(part, index, &it);
        let (health, troubles) = health::group(&it, in_service as u32, &refresh, &image, &versions_behind);
        fleet.groups.push(GroupRow {
            scope: Arc::clone(&part.scope),
            tier: classify(tiers, facts).map(|found| found.tier.name.clone()),
            in_service: in_service as u32,
            spot,
            protected: it.members.iter().filter(|member| member.is_protected).count() as u32,
            refresh,
            versions_behind,
            image,
            health,
            troubles,
            it,
        });
    }
}

/// How far a group's template version is behind, and the image that it launches.
fn launches(part: &Part, index: &Index, group: &Group) -> (Known<Option<u64>>, Known<Option<Item<Image>>>) {
    let Some(used) = &group.template else { return (Known::Yes(None), Known::Yes(None)) };
    let templates = &part.templates;
    let found = templates
        .value
        .iter()
        .flat_map(|list| list.iter())
        .find(|template| template.id == used.id || (used.id.is_empty() && template.name == used.name));
    let Some(template) = found else {
        let since = part.groups.same_since;
        return (lack::absent(templates, since), lack::absent(templates, since));
    };
    let behind = behind(template, used.version.as_str());
    let number = match used.version.as_str() {
        "$Latest" => template.latest_version,
        "$Default" | "" => template.default_version,
        number => match number.parse() {
            Ok(number) => number,
            Err(_) => return (Known::Yes(None), Known::Yes(None)),
        },
    };
    // Versions are read after the templates, and a new one is in no older list.
    let image = match template.versions.iter().find(|version| version.number == number) {
        Some(version) => version.image.as_ref().map_or(Known::Yes(None), |id| index.images.find(id)),
        None => lack::absent(templates, part.groups.same_since),
    };
    (Known::Yes(behind), image)
}

fn ecs(part: &Part, index: &Index, tiers: &[Tier], fleet: &mut Fleet) {
    let scope = || Arc::clone(&part.scope);
    for it in part.clusters.value.iter().flat_map(Item::all) {
        let (health, troubles) = health::cluster(&it);
        fleet.clusters.push(ClusterRow { scope: scope(), it, health, troubles });
    }
    for it in part.services.value.iter().flat_map(Item::all) {
        let cluster = index.cluster(it.cluster.as_str());
        let facts = TierFacts {
            tags: Some(&it.tags),
            group: None,
            service: Some((cluster.as_str(), it.name.as_str())),
        };
        let tier = classify(tiers, facts).map(|found| found.tier.name.clone());
        let (health, troubles) = health::service(&it);
        fleet.services.push(ServiceRow { scope: scope(), cluster, tier, health, troubles, it });
    }
    let under: ById<Text, Option<Text>> = ById::new(&part.hosts, |list| {
        list.iter()
            .map(|host| {
                (Text::new(host.arn.as_str()), host.instance_id.as_ref().map(|id| Text::new(id.as_str())))
            })
            .collect()
    });
    for it in part.tasks.value.iter().flat_map(Item::all) {
        let cluster = index.cluster(it.cluster.as_str());
        let instance = match &it.host {
            Some(host) => under.find(&Text::new(host.as_str())).map(Option::flatten),
            None => Known::Yes(None),
        };
        let (health, troubles) = health::task(&it);
        fleet.tasks.push(TaskRow { scope: scope(), cluster, instance, health, troubles, it });
    }
    for it in part.hosts.value.iter().flat_map(Item::all) {
        let cluster = index.cluster(it.cluster.as_str());
        let (health, troubles) = health::host(&it);
        fleet.hosts.push(HostRow { scope: scope(), cluster, tier: None, health, troubles, it });
    }
}

/// A container instance belongs to the tier of the instance under it.
fn host_tiers(from: Marks, fleet: &mut Fleet) {
    let tiers: HashMap<&str, &TierName> = fleet.instances[from.instances..]
        .iter()
        .filter_map(|row| Some((row.it.id.as_str(), row.tier.as_ref()?)))
        .collect();
    for row in &mut fleet.hosts[from.hosts..] {
        row.tier =
            row.it.instance_id.as_ref().and_then(|id| tiers.get(id.as_str())).map(|tier| (*tier).clone());
    }
}

/// Templates and images, with how much is made from each.
fn made_from(part: &Part, index: &Index, from: Marks, fleet: &mut Fleet) {
    let (mut by_template, mut by_image) = (HashMap::<&str, Vec<&str>>::new(), HashMap::<&str, u32>::new());
    for row in fleet.instances[from.instances..].iter().filter(|row| !row.it.state.is_gone()) {
        // The tags tell what it was launched from; where there are none, its group does.
        let told = row.member.as_ref().yes().and_then(|member| member.as_ref()?.template.as_ref());
        let told = told.map(|used| (used.id.as_str(), used.version.as_str()));
        if let Some((template, version)) = row.it.template_tag().or(told) {
            by_template.entry(template).or_default().push(version);
        }
        *by_image.entry(row.it.image_id.as_str()).or_default() += 1;
    }
    for it in part.templates.value.iter().flat_map(Item::all) {
        let users = part.groups.value.iter().flat_map(|list| list.iter()).filter_map(|group| {
            let used = group.template.as_ref()?;
            let is_it = used.id == it.id || (used.id.is_empty() && used.name == it.name);
            is_it.then(|| (group.name.clone(), behind(&it, used.version.as_str())))
        });
        let (groups, lags): (Vec<_>, Vec<_>) = users.unzip();
        let behind = lags.into_iter().flatten().max();
        let image = it
            .versions
            .iter()
            .find(|version| version.number == it.default_version)
            .and_then(|version| version.image.clone());
        let launched = by_template.get(it.id.as_str()).map_or(&[][..], Vec::as_slice);
        let is_older = |version: &&&str| version.parse().is_ok_and(|number: u64| number < it.latest_version);
        let older = launched.iter().filter(is_older).count() as u32;
        let instances = launched.len() as u32;
        let scope = Arc::clone(&part.scope);
        let made = image.as_ref().map_or(Known::Yes(None), |id| index.images.find(id));
        let (_, _, image_behind) = drift::behind(part, &made);
        fleet.templates.push(TemplateRow {
            scope,
            groups,
            instances,
            older,
            behind,
            image,
            made,
            image_behind,
            it,
        });
    }
    for it in part.images.value.iter().flat_map(Item::all) {
        let templates = part
            .templates
            .value
            .iter()
            .flat_map(|list| list.iter())
            .flat_map(|template| &template.versions)
            .filter(|version| version.image.as_deref() == Some(it.id.as_str()))
            .count();
        let newer = part
            .images
            .value
            .iter()
            .flat_map(|list| list.iter())
            .filter(|other| drift::is_newer(other, &it))
            .count() as u32;
        let (health, troubles) = health::image(&it, fleet.at);
        let instances = by_image.get(it.id.as_str()).copied().unwrap_or(0);
        fleet.images.push(ImageRow {
            scope: Arc::clone(&part.scope),
            instances,
            templates: templates as u32,
            newer,
            health,
            troubles,
            it,
        });
    }
}

/// How many versions behind the latest a template's version is that somebody launches from; none where it
/// follows the latest, or names no number.
fn behind(template: &Template, version: &str) -> Option<u64> {
    let number = match version {
        "$Latest" => return None,
        "$Default" | "" => template.default_version,
        number => number.parse().ok()?,
    };
    Some(template.latest_version.saturating_sub(number))
}
