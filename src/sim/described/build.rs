//! Builds a described fleet into a place: images, templates, hosts and groups, then what stands on them.

use super::containers::{balancers, clusters, records, rules, services, target_groups};
use super::registry::{alarms, cores, logs, parameters, tenants};
use super::{Fleet, Group, Hosts, Machine, troubles};
use crate::sim::builder::containers::{AGENT, host, provider};
use crate::sim::builder::{Builder, DAY, HOUR, Launch, NewGroup, tag};
use crate::sim::filter::glob;
use crate::sim::world::machine::Kind;
use crate::sim::world::scaling::{self, Mix, Needs, Override, TemplateChoice};
use compact_str::CompactString;
use std::collections::HashMap;
use std::time::Duration;

/// What has been built so far, by the names of the scenario.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) images: HashMap<String, CompactString>,
    /// Ids of launch templates.
    templates: HashMap<String, CompactString>,
    /// ARNs of target groups.
    pub(super) target_groups: HashMap<String, CompactString>,
    /// ARNs of load balancers, and of their HTTPS listeners.
    pub(super) balancers: HashMap<String, (CompactString, CompactString)>,
    /// Ids of the instances of a host or group, oldest first.
    pub(super) machines: HashMap<String, Vec<CompactString>>,
}

/// Seconds of a span of time.
pub(super) fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX / 4)
}

/// Builds a fleet into a place.
pub(crate) fn fill(place: &mut Builder, fleet: &Fleet) {
    place.fleet = fleet.name.as_str().into();
    place.standard_images();
    let mut built = Built::default();
    images(place, &mut built, fleet);
    templates(place, &mut built, fleet);
    target_groups(place, &mut built, fleet);
    balancers(place, &mut built, fleet);
    clusters(place, fleet);
    for hosts in &fleet.hosts {
        launch(place, &mut built, hosts);
    }
    for groups in &fleet.groups {
        scale(place, &mut built, groups);
    }
    hooks(place, fleet);
    super::containers::register(place, &built, fleet);
    services(place, &built, fleet);
    rules(place, &built, fleet);
    records(place, &built, fleet);
    cores(place, &built, fleet);
    tenants(place, fleet);
    alarms(place, &built, fleet);
    logs(place, fleet);
    parameters(place, fleet);
    for trouble in &fleet.troubles {
        troubles::plant(place, trouble);
    }
}

fn images(place: &mut Builder, built: &mut Built, fleet: &Fleet) {
    for known in place.place.images.rows() {
        built.images.insert(known.name.to_string(), known.id.clone());
    }
    for image in &fleet.images {
        let age = seconds(image.age);
        // Amazon's AMIs are kept for two years; a deprecated one is past that whatever its age.
        let kept = match (image.is_deprecated, image.is_own) {
            (true, _) => (age / 2).max(1),
            (false, true) => 0,
            (false, false) => 730 * DAY,
        };
        let what = (image.name.as_str(), "described by a scenario");
        let id = place.image(what, image.is_own, image.architecture, (age, kept));
        if let Some(made) = place.place.images.get_mut(&id) {
            if let Some(owner) = &image.owner {
                (made.owner, made.owner_alias) = (owner.as_str().into(), None);
            }
            made.is_public = !image.is_own && !image.is_private;
            (made.state, made.flaw) = (image.state, image.flaw);
            made.boot = image.boot.unwrap_or(made.boot);
            (made.is_instance_store, made.has_ena) = (image.is_instance_store, image.has_ena);
        }
        if image.is_gone {
            place.place.images.remove(&id);
        }
        built.images.insert(image.name.clone(), id);
    }
}

fn templates(place: &mut Builder, built: &mut Built, fleet: &Fleet) {
    for template in &fleet.templates {
        for n in 0..template.count {
            let name = template.name.text(n);
            let latest = i64::try_from(template.images.len()).unwrap_or(1);
            let ids: Vec<(CompactString, i64)> = (1..)
                .zip(&template.images)
                .map(|(number, image)| (image_id(built, image), (latest - number + 1) * 20))
                .collect();
            let versions: Vec<(&CompactString, &str, i64)> =
                ids.iter().map(|(id, age)| (id, "", *age)).collect();
            let id = place.template(&name, template.kind.map(|kind| kind.name), template.default, &versions);
            built.templates.insert(name, id);
        }
    }
}

fn hooks(place: &mut Builder, fleet: &Fleet) {
    for hook in &fleet.hooks {
        for group in place.place.groups.rows_mut().filter(|group| glob(&hook.group, &group.name)) {
            group.hooks.push(scaling::Hook {
                name: hook.name.as_str().into(),
                is_launch: hook.is_launch,
                heartbeat: hook.heartbeat,
                goes_on: hook.goes_on,
                target: None,
                role: None,
                metadata: None,
            });
        }
    }
}

fn image_id(built: &Built, name: &str) -> CompactString {
    if name.starts_with("resolve:") {
        return name.into();
    }
    built.images.get(name).cloned().unwrap_or_default()
}

/// The image of a machine: the one it names, or the newest that fits its architecture and its work.
fn image_of(place: &mut Builder, built: &Built, machine: &Machine, is_ecs: bool) -> CompactString {
    let standard = place.standard_images();
    match &machine.image {
        Some(name) => image_id(built, name),
        None if machine.kind.architecture == "arm64" => standard.ecs_arm,
        None if is_ecs => standard.ecs,
        None => standard.docker,
    }
}

fn launch(place: &mut Builder, built: &mut Built, hosts: &Hosts) {
    let machine = &hosts.machine;
    let image = image_of(place, built, machine, false);
    let mut reservation = CompactString::default();
    for n in 0..hosts.count {
        let name = hosts.name.text(n);
        let index = n % hosts.together;
        if index == 0 {
            reservation = place.id("r");
        }
        let mut tags = vec![tag("Name", &name)];
        if !machine.tier.is_empty() {
            tags.push(tag("tier", &machine.tier));
        }
        tags.extend(machine.tags.iter().map(|(key, value)| tag(key, &value.text(n))));
        let id = place.launch(Launch {
            kind: machine.kind,
            zone: hosts.zone.unwrap_or(n % 3),
            image: &image,
            age: seconds(machine.age),
            reservation: &reservation,
            index: u32::try_from(index).unwrap_or(0),
            is_spot: hosts.is_spot,
            busy: machine.cpu,
            has_agent: true,
            tags,
        });
        pack(place, machine, &name, &id);
        built.machines.insert(name, vec![id]);
    }
}

/// Puts the cores of a machine on it, and their tenants on them.
fn pack(place: &mut Builder, machine: &Machine, name: &str, instance: &str) {
    let age = (seconds(machine.age) - 240).max(1);
    let tier = if machine.tier.is_empty() { "development" } else { machine.tier.as_str() };
    let mode = if tier == "development" { "development" } else { "production" };
    for slot in 0..machine.cores {
        let core = if machine.cores == 1 { name.to_owned() } else { format!("{name}-{slot}") };
        place.core(&core, tier, instance, 3567 + slot, &machine.version, age);
        for number in 0..machine.tenants {
            let tenant = if machine.tenants == 1 { core.clone() } else { format!("{core}-t{number:02}") };
            let domain = (mode == "production").then(|| format!("{tenant}.cores.example.com"));
            place.tenant(&tenant, &tenant, &core, domain.as_deref(), mode, age);
        }
    }
}

fn scale(place: &mut Builder, built: &mut Built, groups: &Group) {
    let machine = &groups.machine;
    let image = image_of(place, built, machine, groups.cluster.is_some());
    let mut own = None;
    for n in 0..groups.count {
        let name = groups.name.text(n);
        let template = match &groups.template {
            Some(named) => built.templates.get(&named.text(n)).cloned().unwrap_or_default(),
            // The groups of a table without a template share one.
            None => {
                let made = own.get_or_insert_with(|| {
                    let age = seconds(machine.age) / DAY + 1;
                    place.template(&name, Some(machine.kind.name), 1, &[(&image, "", age)])
                });
                made.clone()
            }
        };
        group(place, built, groups, n, &name, &template);
    }
}

/// A template with its version, by the names of the scenario.
fn own_template(built: &Built, named: &str) -> Option<TemplateChoice> {
    let (name, version) = named.split_once(':')?;
    let id = built.templates.get(name)?.clone();
    Some(TemplateChoice { id, name: name.into(), version: version.into() })
}

fn mix(built: &Built, groups: &Group) -> Option<Mix> {
    let own = |(at, kind): (usize, &&'static Kind)| Override {
        kind: kind.name.into(),
        weight: groups.weights.get(at).copied(),
        image: groups.override_images.get(at).map(|image| image_id(built, image)),
        template: groups.override_templates.get(at).and_then(|named| own_template(built, named)),
        ..Override::default()
    };
    let needed = groups.needs.map(|(cpus, memory)| Override {
        needs: Some(Needs { cpus: (cpus, None), memory: (memory, None) }),
        ..Override::default()
    });
    let overrides: Vec<Override> = groups.types.iter().enumerate().map(own).chain(needed).collect();
    (!overrides.is_empty()).then_some(Mix {
        overrides,
        on_demand_base: groups.on_demand_base,
        on_demand_percent: groups.on_demand_percent,
        spot_strategy: "price-capacity-optimized",
        ..Mix::default()
    })
}

/// Makes one group with its members.
fn group(place: &mut Builder, built: &mut Built, groups: &Group, n: usize, name: &str, template: &str) {
    let machine = &groups.machine;
    let current = place.place.templates.get(template).and_then(|found| found.version(&groups.version));
    let current = current.map_or(1, |version| version.number);
    let mix = mix(built, groups);
    let arns = groups.target_groups.iter().filter_map(|named| built.target_groups.get(&named.text(n)));
    let arns: Vec<CompactString> = arns.cloned().collect();
    place.group(NewGroup {
        name,
        template,
        version: current,
        mix,
        sizes: (groups.min, groups.desired, groups.max),
        age: seconds(machine.age) / DAY + 30,
        tier: &machine.tier,
        target_groups: arns.clone(),
    });
    let since = place.ago(seconds(machine.age)).rfc3339();
    if let Some(made) = place.place.groups.get_mut(name) {
        made.template.version = groups.version.as_str().into();
        made.protects_new = groups.is_protected;
        made.maintenance = groups.maintenance;
        made.checks_balancer = groups.checks_balancer.unwrap_or(made.checks_balancer);
        let whole = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        made.grace = groups.grace.map_or(made.grace, whole);
        made.warmup = groups.warmup.map(whole).or(made.warmup);
        let own = machine.tags.iter().map(|(key, value)| (tag(key, &value.text(n)), true));
        made.tags.extend(own);
        let suspended = groups.suspended.iter();
        made.suspended = suspended
            .map(|process| (process.as_str().into(), format!("User suspended at {since}").into()))
            .collect();
    }
    let cluster = groups.cluster.as_ref().map(|named| named.text(n));
    if let Some(cluster) = &cluster {
        provider(place, name, name, groups.managed.0);
        if let Some(made) = place.place.providers.get_mut(name) {
            made.drains = groups.managed.1;
        }
        if let Some(found) = place.place.clusters.get_mut(cluster) {
            found.providers.push(name.into());
        }
    }
    let mut members = Vec::new();
    for at in 0..groups.desired {
        // Where they weigh something, fewer are enough.
        let capacity = place.place.groups.get(name).map_or(0, |made| made.live());
        if capacity >= groups.desired as usize {
            break;
        }
        let (kind, is_spot) = choice(groups, at);
        let version = if at < groups.behind { current.saturating_sub(1).max(1) } else { current };
        // Members of one age came by one call; ten at a time, an hour apart.
        let age = (seconds(machine.age) - i64::from(at / 10) * HOUR).max(300);
        let id = place.member(name, kind, version, age, is_spot, machine.cpu);
        if let Some(cluster) = &cluster {
            host(place, cluster, name, &id, AGENT);
        }
        pack(place, machine, &format!("{name}-{at:02}"), &id);
        members.push(id);
    }
    built.machines.insert(name.to_owned(), members);
}

/// The type and the lifecycle of the member of that number, as the policy shares them out.
fn choice(groups: &Group, at: u32) -> (&'static Kind, bool) {
    if groups.types.is_empty() {
        return (groups.machine.kind, false);
    }
    let above = groups.desired.saturating_sub(groups.on_demand_base);
    let on_demand = groups.on_demand_base + (above * groups.on_demand_percent).div_ceil(100);
    let which = usize::try_from(at).unwrap_or(0) % groups.types.len();
    (groups.types.get(which).copied().unwrap_or(groups.machine.kind), at >= on_demand)
}
