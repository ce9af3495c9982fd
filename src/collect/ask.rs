//! From a source to the ask that reads it: what must be named is taken from what was read before.

use crate::config::{Config, CoreReach};
use crate::gateway::{Ask, Reading, Source, Visit};
use crate::model::{
    CoreId, CoreRecord, Gauges, Image, ImageId, InstanceId, InstanceState, InstanceType, TargetGroupArn,
    TemplateRef, Text, Trouble,
};
use crate::snapshot::Part;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet};

/// How far back metrics are read: long enough for a trend, one request either way.
const METRICS_WINDOW: SignedDuration = SignedDuration::from_hours(3);

/// What to do about a source of a part.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Ask this.
    Ask(Ask),
    /// There is nothing to ask about: the answer is known to be empty.
    Empty(Reading),
    /// What must be named first could not be read.
    Blocked(Trouble),
    /// What must be named first has not been tried yet.
    Wait,
}

/// What alone is to be asked about, where it is not everything.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Only<'a> {
    /// Cores that are asked themselves.
    pub(super) cores: Option<&'a [CoreId]>,
    /// Target groups whose targets are read.
    pub(super) targets: Option<&'a [TargetGroupArn]>,
}

/// Decides what to do about a source. `metrics_of` are the instances that somebody looks at here, and which of
/// their metrics; `only` what else is left out.
pub(super) fn next(
    source: Source,
    part: &Part,
    config: &Config,
    metrics_of: (&[InstanceId], Gauges),
    only: Only<'_>,
    now: Timestamp,
) -> Next {
    let mut blocked = None;
    let mut has_any = source.needs().is_empty();
    for need in source.needs() {
        let standing = part.standing(*need);
        // What is being read now may name something new: asking with the old names would then be called whole.
        if standing.is_asked {
            return Next::Wait;
        }
        match (standing.as_of, standing.trouble) {
            (Some(_), _) if standing.is_whole || standing.trouble.is_some() => has_any = true,
            (_, Some(trouble)) => blocked = Some((*need, trouble)),
            _ => return Next::Wait,
        }
    }
    if let (false, Some((need, trouble))) = (has_any, blocked) {
        let message = format!("needs {}, and that could not be read: {}", need.word(), trouble.message);
        return Next::Blocked(Trouble { message, ..trouble.clone() });
    }
    name(source, part, config, metrics_of, only, now)
}

fn name(
    source: Source,
    part: &Part,
    config: &Config,
    (metrics_of, gauges): (&[InstanceId], Gauges),
    only: Only<'_>,
    now: Timestamp,
) -> Next {
    fn ask<T>(names: Vec<T>, ask: impl FnOnce(Vec<T>) -> Ask, empty: Reading) -> Next {
        if names.is_empty() { Next::Empty(empty) } else { Next::Ask(ask(names)) }
    }
    let groups = || part.groups.value.iter().flat_map(|list| list.iter());
    let clusters =
        || part.clusters.value.iter().flat_map(|list| list.iter()).map(|cluster| cluster.arn.clone());
    match source {
        Source::Identity => Next::Ask(Ask::Identity),
        Source::Instances => Next::Ask(Ask::Instances),
        Source::Statuses => Next::Ask(Ask::Statuses),
        Source::Groups => Next::Ask(Ask::Groups),
        Source::Clusters => Next::Ask(Ask::Clusters),
        Source::TargetGroups => Next::Ask(Ask::TargetGroups),
        Source::Rules => Next::Ask(Ask::Rules),
        Source::Records if !config.dns.route53 => Next::Empty(Reading::Records(vec![])),
        Source::Records => ask(host_names(part), Ask::Records, Reading::Records(vec![])),
        Source::Agents => Next::Ask(Ask::Agents),
        Source::Alarms => Next::Ask(Ask::Alarms),
        Source::Registry => Next::Ask(Ask::Registry(format!("/coredeck/{}/", config.fleet))),
        Source::Templates => Next::Ask(Ask::Templates(templates_in_use(part))),
        Source::Images => ask(images_in_use(part), Ask::Images, Reading::Images(vec![])),
        Source::Published => ask(publishers(part), Ask::Published, Reading::Published(vec![])),
        Source::Refreshes => ask(
            groups().map(|group| group.name.clone()).collect(),
            Ask::Refreshes,
            Reading::Refreshes(vec![]),
        ),
        Source::Activities => ask(
            groups().map(|group| group.name.clone()).collect(),
            Ask::Activities,
            Reading::Activities(vec![]),
        ),
        Source::Services => ask(clusters().collect(), Ask::Services, Reading::Services(vec![])),
        Source::Tasks => ask(clusters().collect(), Ask::Tasks, Reading::Tasks(vec![])),
        Source::Hosts => ask(clusters().collect(), Ask::Hosts, Reading::Hosts(vec![])),
        Source::Targets => ask(
            part.target_groups
                .value
                .iter()
                .flat_map(|list| list.iter())
                .filter(|group| only.targets.is_none_or(|wanted| wanted.contains(&group.arn)))
                .map(|group| group.arn.clone())
                .collect(),
            Ask::Targets,
            Reading::Targets(vec![]),
        ),
        Source::Admin if config.cores.reach == CoreReach::Off => Next::Empty(Reading::Admin(vec![])),
        Source::Admin => {
            let mut visits = visits(part);
            if let Some(wanted) = only.cores {
                visits.retain(|visit| wanted.contains(&visit.core));
            }
            ask(visits, Ask::Admin, Reading::Admin(vec![]))
        }
        Source::Prices => {
            let (of, products) = markets_in_use(part);
            if of.is_empty() || products.is_empty() {
                return Next::Empty(Reading::Prices(vec![]));
            }
            Next::Ask(Ask::Prices { of, products, since: now })
        }
        Source::Metrics => ask(
            metrics_of.to_vec(),
            |of| Ask::Metrics { of, gauges, since: now.saturating_sub(METRICS_WINDOW).unwrap_or(now) },
            Reading::Metrics(vec![]),
        ),
    }
}

/// The host names that the registry and the rules name: no other zones are read than those that may hold them.
fn host_names(part: &Part) -> Vec<Text> {
    let tenants = part.registry.value.iter().flat_map(|registry| &registry.tenants);
    let rules = part.rules.value.iter().flat_map(|list| list.iter());
    let of_rules = rules.flat_map(|rule| &rule.hosts).filter(|host| !host.contains(['*', '?']));
    let names: BTreeSet<Text> = tenants
        .filter_map(|tenant| tenant.domain.as_ref())
        .chain(of_rules)
        .map(|name| Text::from(name.to_lowercase()))
        .collect();
    names.into_iter().collect()
}

/// The cores that the registry names, where their hosts run. What runs as a task is known to no registry, and its
/// key neither.
pub(super) fn visits(part: &Part) -> Vec<Visit> {
    let hosts: HashMap<&str, &str> = part
        .instances
        .value
        .iter()
        .flat_map(|list| list.iter())
        .filter(|instance| instance.state == InstanceState::Running)
        .filter_map(|instance| Some((instance.id.as_str(), instance.private_ip.as_deref()?)))
        .collect();
    let cores = part.registry.value.iter().flat_map(|registry| &registry.cores);
    let visit = |core: &CoreRecord| {
        let address = hosts.get(core.instance_id.as_ref()?.as_str())?;
        Some(Visit {
            core: core.id.clone(),
            address: core.address(address),
            instance: core.instance_id.clone()?,
            key_parameter: core.api_key_parameter.clone(),
        })
    };
    cores.filter_map(visit).collect()
}

/// Template versions that groups and instances refer to.
fn templates_in_use(part: &Part) -> Vec<TemplateRef> {
    let of_groups = part
        .groups
        .value
        .iter()
        .flat_map(|list| list.iter())
        .flat_map(|group| {
            group.template.iter().chain(group.members.iter().filter_map(|member| member.template.as_ref()))
        })
        .cloned();
    // Instances are many and their templates few: compare what is borrowed before anything is copied.
    let of_instances: HashSet<(&str, &str)> = part
        .instances
        .value
        .iter()
        .flat_map(|list| list.iter())
        .filter(|instance| !instance.state.is_gone())
        .filter_map(|instance| instance.template_tag())
        .collect();
    let of_instances = of_instances.into_iter().map(|(id, version)| TemplateRef {
        id: id.into(),
        name: Default::default(),
        version: version.into(),
    });
    let used: BTreeSet<TemplateRef> = of_groups.chain(of_instances).collect();
    used.into_iter().collect()
}

/// Images that instances run or template versions name.
fn images_in_use(part: &Part) -> Vec<ImageId> {
    let of_instances = part
        .instances
        .value
        .iter()
        .flat_map(|list| list.iter())
        .filter(|instance| !instance.state.is_gone())
        .map(|instance| instance.image_id.as_str());
    let of_templates = part
        .templates
        .value
        .iter()
        .flat_map(|list| list.iter())
        .flat_map(|template| &template.versions)
        .filter_map(|version| version.image.as_deref())
        .filter(|image| image.starts_with("ami-"));
    let used: HashSet<&str> = of_instances.chain(of_templates).filter(|image| !image.is_empty()).collect();
    let mut used: Vec<ImageId> = used.into_iter().map(ImageId::new).collect();
    used.sort();
    used
}

/// The parameters that name the newest of what images in use are of.
fn publishers(part: &Part) -> Vec<Text> {
    let images = part.images.value.iter().flat_map(|list| list.iter());
    let names: BTreeSet<Text> = images.filter_map(Image::published_by).collect();
    names.into_iter().collect()
}

/// The types of the instances that are there, and their platforms.
fn markets_in_use(part: &Part) -> (Vec<InstanceType>, Vec<Text>) {
    let (mut types, mut products): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
    let instances = part.instances.value.iter().flat_map(|list| list.iter());
    for instance in instances.filter(|instance| !instance.state.is_gone()) {
        types.insert(instance.instance_type.as_str());
        products.extend(instance.platform.as_deref());
    }
    (types.into_iter().map(InstanceType::new).collect(), products.into_iter().map(Text::new).collect())
}

/// Tells whether an ask names something that an earlier one of the same source did not.
pub(super) fn names_more(ask: &Ask, before: &Ask) -> bool {
    fn more<T: Ord>(names: &[T], before: &[T]) -> bool {
        let before: BTreeSet<&T> = before.iter().collect();
        names.iter().any(|name| !before.contains(name))
    }
    match (ask, before) {
        (Ask::Templates(names), Ask::Templates(before)) => more(names, before),
        (Ask::Images(names), Ask::Images(before)) => more(names, before),
        (Ask::Published(names), Ask::Published(before)) => more(names, before),
        (Ask::Refreshes(names), Ask::Refreshes(before)) => more(names, before),
        (Ask::Activities(names), Ask::Activities(before)) => more(names, before),
        (Ask::Services(names), Ask::Services(before)) => more(names, before),
        (Ask::Tasks(names), Ask::Tasks(before)) => more(names, before),
        (Ask::Hosts(names), Ask::Hosts(before)) => more(names, before),
        (Ask::Targets(names), Ask::Targets(before)) => more(names, before),
        (Ask::Records(names), Ask::Records(before)) => more(names, before),
        (Ask::Admin(names), Ask::Admin(before)) => more(names, before),
        (Ask::Prices { of, products, .. }, Ask::Prices { of: before, products: known, .. }) => {
            more(of, before) || more(products, known)
        }
        _ => false,
    }
}
