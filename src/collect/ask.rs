//! From a source to the ask that reads it: what must be named is taken from what was read before.

use crate::config::Config;
use crate::gateway::{Ask, Reading, Source};
use crate::model::{ImageId, InstanceId, TemplateRef, Trouble};
use crate::snapshot::Part;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

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

/// Decides what to do about a source. `metrics_of` are the instances that somebody looks at here.
pub(super) fn next(
    source: Source,
    part: &Part,
    config: &Config,
    metrics_of: &[InstanceId],
    now: Timestamp,
) -> Next {
    let mut blocked = None;
    let mut has_any = source.needs().is_empty();
    for need in source.needs() {
        let standing = part.standing(*need);
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
    name(source, part, config, metrics_of, now)
}

fn name(source: Source, part: &Part, config: &Config, metrics_of: &[InstanceId], now: Timestamp) -> Next {
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
        Source::Agents => Next::Ask(Ask::Agents),
        Source::Alarms => Next::Ask(Ask::Alarms),
        Source::Registry => Next::Ask(Ask::Registry(format!("/coredeck/{}/", config.fleet))),
        Source::Templates => Next::Ask(Ask::Templates(templates_in_use(part))),
        Source::Images => ask(images_in_use(part), Ask::Images, Reading::Images(vec![])),
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
                .map(|group| group.arn.clone())
                .collect(),
            Ask::Targets,
            Reading::Targets(vec![]),
        ),
        Source::Metrics => ask(
            metrics_of.to_vec(),
            |of| Ask::Metrics { of, since: now.saturating_sub(METRICS_WINDOW).unwrap_or(now) },
            Reading::Metrics(vec![]),
        ),
    }
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
    let of_instances = part
        .instances
        .value
        .iter()
        .flat_map(|list| list.iter())
        .filter(|instance| !instance.state.is_gone())
        .filter_map(|instance| {
            let (id, version) = instance.template_tag()?;
            Some(TemplateRef { id: id.into(), name: Default::default(), version: version.into() })
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
        .map(|instance| instance.image_id.clone());
    let of_templates = part
        .templates
        .value
        .iter()
        .flat_map(|list| list.iter())
        .flat_map(|template| &template.versions)
        .filter_map(|version| version.image.as_deref())
        .filter(|image| image.starts_with("ami-"))
        .map(ImageId::new);
    let used: BTreeSet<ImageId> =
        of_instances.chain(of_templates).filter(|image| !image.is_empty()).collect();
    used.into_iter().collect()
}
