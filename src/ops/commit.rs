//! What Terraform and CloudFormation must say after an operation: its groups launch something else than they did, and
//! the next apply would take that back.

use super::aspect::{Aspect, Value};
use super::event::End;
use super::plan::{Act, Lane, Leg, Step};
use super::refreshing::{share, version};
use super::state::{OpState, Phase};
use crate::gateway::change::{Change, Desired};
use crate::model::text::harmless;
use crate::model::{GroupName, Mix, TemplateRef, Text};
use serde::Serialize;

/// Groups and types that are named before the others are only counted.
const NAMED: usize = 3;

/// A value to commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The groups that have it now.
    pub groups: Vec<String>,
    /// Where of a group it stands.
    pub place: Place,
    /// The types that have it; none where it is the group's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// What it is.
    #[serde(flatten)]
    pub value: Worth,
}

/// Where of a group a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In its launch template.
    LaunchTemplate,
    /// In its mixed instances policy.
    MixedInstancesPolicy,
    /// In the overrides of that: what single types have of their own.
    Override,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Worth {
    /// A version of a launch template.
    Version {
        /// Which template, by its name where that is known.
        template: Text,
        /// Its version.
        version: Text,
    },
    /// An image.
    Image {
        /// Its id.
        image: Text,
    },
    /// How much is on demand.
    Share {
        /// Instances that always are.
        on_demand_base: u32,
        /// Percent of those above.
        on_demand_percent: u32,
    },
}

/// A value as it stands in a group, with the word by which it is known whether that had it before.
struct Part {
    commit: Commit,
    word: String,
}

impl Commit {
    /// The same in a sentence.
    pub fn said(&self) -> String {
        let named: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let launch = if named.len() == 1 { "launches" } else { "launch" };
        harmless(&format!("{} {launch} {} now: {}", some(&named), self.what(), self.values())).into_owned()
    }

    fn what(&self) -> String {
        let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        let of = if types.is_empty() { String::new() } else { format!(" as {}", some(&types)) };
        match &self.value {
            Worth::Version { template, version } => format!("version {version} of {template}{of}"),
            Worth::Image { image } => format!("{image}{of}"),
            Worth::Share { on_demand_base, on_demand_percent } => {
                format!("{on_demand_percent} % on demand above {on_demand_base}")
            }
        }
    }

    /// The value as either of them writes it.
    fn values(&self) -> String {
        let (terraform, formation) = match &self.value {
            Worth::Version { version, .. } => {
                let places = match self.place {
                    Place::LaunchTemplate => ("launch_template", "CloudFormation"),
                    Place::MixedInstancesPolicy => (
                        "launch_template_specification of mixed_instances_policy",
                        "CloudFormation, LaunchTemplateSpecification of MixedInstancesPolicy",
                    ),
                    Place::Override => (
                        "launch_template_specification of its override",
                        "CloudFormation, LaunchTemplateSpecification in Overrides",
                    ),
                };
                let (terraform, formation) = places;
                (
                    format!("`version = \"{version}\"` (Terraform, {terraform})"),
                    format!("`Version: '{version}'` ({formation})"),
                )
            }
            Worth::Image { image } => (
                format!("`image_id = \"{image}\"` (Terraform, its override, where the provider knows that)"),
                format!("`ImageId: {image}` (CloudFormation, Overrides)"),
            ),
            Worth::Share { on_demand_base: base, on_demand_percent: percent } => (
                format!(
                    "`on_demand_base_capacity = {base}` and `on_demand_percentage_above_base_capacity = {percent}` \
                     (Terraform, instances_distribution)"
                ),
                format!(
                    "`OnDemandBaseCapacity: {base}` and `OnDemandPercentageAboveBaseCapacity: {percent}` \
                     (CloudFormation, InstancesDistribution)"
                ),
            ),
        };
        format!("commit {terraform} or {formation}, or the next apply takes it back")
    }
}

/// The first of some names, and how many more.
fn some(all: &[&str]) -> String {
    match (all.get(..NAMED), all.len().saturating_sub(NAMED)) {
        (Some(first), more) if more > 0 => format!("{} and {more} more", first.join(", ")),
        _ => all.join(", "),
    }
}

/// What a group will have to be committed with that it is not saved with (by the words of what it launches), a sentence
/// each.
pub fn planned(group: &GroupName, saved: &[String], desired: &Desired) -> Vec<String> {
    let news = parts(desired).into_iter().filter(|part| !is_known(saved, part));
    let said = news.map(|Part { commit, .. }| {
        let text = format!("afterwards {group} launches {}: {}", commit.what(), commit.values());
        harmless(&text).into_owned()
    });
    said.collect()
}

/// What is to be committed after an operation; nothing before it is over.
pub fn of(op: &OpState) -> Vec<Commit> {
    let mut all: Vec<Commit> = Vec::new();
    if op.ended.is_none() {
        return all;
    }
    let done = op.plan.lanes.iter().zip(&op.lanes).filter(|(_, lane)| lane.phase == Phase::Over(End::Done));
    for (lane, _) in done {
        for one in lane.steps.iter().flat_map(|step| launched(lane, step)) {
            let is_it = |had: &&mut Commit| {
                had.value == one.value && had.place == one.place && had.types == one.types
            };
            match all.iter_mut().find(is_it) {
                Some(had) if had.groups.contains(&lane.name) => {}
                Some(had) => had.groups.push(lane.name.clone()),
                None => all.push(Commit { groups: vec![lane.name.clone()], ..one }),
            }
        }
    }
    all
}

/// What a step made its group launch that it did not launch before: by what the plan recorded of the group, and where it
/// recorded nothing by where the way back would lead.
fn launched(lane: &Lane, step: &Step) -> Vec<Commit> {
    let recorded = lane.facts.iter().find_map(|fact| match (&fact.fact, &fact.was) {
        (Aspect::GroupLaunches { .. }, Value::Words(words)) => Some(words),
        _ => None,
    });
    let before: Vec<Part> = match recorded {
        Some(_) => Vec::new(),
        None => step.undo.leg().into_iter().flat_map(desired).flat_map(|it| parts(&it)).collect(),
    };
    let is_new = |part: &Part| match recorded {
        Some(words) => !is_known(words, part),
        None => !before.iter().any(|had| had.commit == part.commit),
    };
    let news = desired(&step.go).into_iter().flat_map(|desired| parts(&desired)).filter(is_new);
    news.map(|part| part.commit).collect()
}

/// Whether a group that is saved with these words has it already.
fn is_known(words: &[String], part: &Part) -> bool {
    match part.commit.types.as_slice() {
        [] => words.contains(&part.word),
        types => types.iter().all(|kind| {
            let mut mine = words.iter().filter(|word| word.split(' ').next() == Some(kind));
            mine.any(|word| word.split(" with ").skip(1).any(|has| has == part.word))
        }),
    }
}

/// What a leg makes its group launch.
fn desired(leg: &Leg) -> Vec<Desired> {
    let of = |change: &Change| match change {
        Change::StartRefresh { desired, .. } => desired.as_deref().cloned(),
        Change::SetMix { template, mix, .. } => {
            Some(Desired::Mixed { template: template.clone(), mix: (**mix).clone() })
        }
        _ => None,
    };
    match &leg.act {
        Act::Once { change } => of(change).into_iter().collect(),
        Act::AsSeen { arms } => arms.iter().filter_map(|arm| of(arm.change.as_deref()?)).collect(),
        Act::Adopt { desired } => desired.iter().map(|desired| (**desired).clone()).collect(),
        Act::Wait | Act::FirstWithRoom { .. } | Act::StopTasks { .. } => Vec::new(),
    }
}

/// Everything of what a group launches that stands somewhere.
fn parts(desired: &Desired) -> Vec<Part> {
    let part = |place, types: Vec<String>, value, word: Text| Part {
        commit: Commit { groups: Vec::new(), place, types, value },
        word: word.to_string(),
    };
    let worth = |template: &TemplateRef| {
        let name =
            if template.name.is_empty() { Text::new(template.id.as_str()) } else { template.name.clone() };
        Worth::Version { template: name, version: template.version.clone() }
    };
    let (template, mix): (_, Option<&Mix>) = match desired {
        Desired::Template(template) => (template, None),
        Desired::Mixed { template, mix } => (template, Some(mix)),
    };
    let place = if mix.is_some() { Place::MixedInstancesPolicy } else { Place::LaunchTemplate };
    let mut all = vec![part(place, Vec::new(), worth(template), version(template))];
    let Some(mix) = mix else { return all };
    let (on_demand_base, on_demand_percent) = (mix.on_demand_base, mix.on_demand_percent);
    let of_share = Worth::Share { on_demand_base, on_demand_percent };
    all.push(part(place, Vec::new(), of_share, Text::from(share(mix))));
    for own in &mix.own {
        let Some((kind, _)) = mix.types.get(own.at) else { continue };
        let has = own.template.iter().map(|template| (worth(template), version(template)));
        let has =
            has.chain(own.image.iter().map(|image| (Worth::Image { image: image.clone() }, image.clone())));
        for (value, word) in has {
            match all.iter_mut().find(|one| one.commit.place == Place::Override && one.commit.value == value)
            {
                Some(one) => one.commit.types.push(kind.to_string()),
                None => all.push(part(Place::Override, vec![kind.to_string()], value, word)),
            }
        }
    }
    all
}
