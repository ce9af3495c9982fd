//! What Terraform and CloudFormation must say after an operation: its groups launch something else than they did, and
//! the next apply would take that back.

use super::aspect::{Aspect, Value};
use super::event::End;
use super::plan::{Act, Lane};
use super::refreshing::version;
use super::state::{OpState, Phase};
use crate::gateway::change::{Change, Desired};
use crate::model::text::harmless;
use crate::model::{TemplateRef, Text};
use serde::Serialize;

/// Groups that are named before the others are only counted.
const NAMED: usize = 3;

/// A version to commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The groups that launch it now.
    pub groups: Vec<String>,
    /// The launch template, by its name where that is known.
    pub template: Text,
    /// Its version.
    pub version: Text,
}

impl Commit {
    /// The same in a sentence.
    pub fn said(&self) -> String {
        let Self { groups, template, version } = self;
        let named: Vec<&str> = groups.iter().take(NAMED).map(String::as_str).collect();
        let more = groups.len().saturating_sub(NAMED);
        let (names, launch) = match (named.as_slice(), more) {
            ([only], _) => ((*only).to_owned(), "launches"),
            (all, 0) => (all.join(", "), "launch"),
            (all, more) => (format!("{} and {more} more", all.join(", ")), "launch"),
        };
        let text = format!("{names} {launch} version {version} of {template} now: {}", values(version));
        harmless(&text).into_owned()
    }
}

/// A version as either of them writes it.
pub fn values(version: &Text) -> String {
    format!(
        "commit `version = \"{version}\"` (Terraform, launch_template) or `Version: '{version}'` (CloudFormation), \
         or the next apply takes it back"
    )
}

/// What is to be committed after an operation, a template's version each; nothing before it is over.
pub fn of(op: &OpState) -> Vec<Commit> {
    let mut all: Vec<Commit> = Vec::new();
    if op.ended.is_none() {
        return all;
    }
    let done = op.plan.lanes.iter().zip(&op.lanes).filter(|(_, lane)| lane.phase == Phase::Over(End::Done));
    for (lane, _) in done {
        for launched in launched(lane) {
            let name = if launched.name.is_empty() { launched.id.as_str() } else { launched.name.as_str() };
            let is_it = |one: &&mut Commit| one.template == name && one.version == launched.version;
            match all.iter_mut().find(is_it) {
                Some(one) => one.groups.push(lane.name.clone()),
                None => all.push(Commit {
                    groups: vec![lane.name.clone()],
                    template: Text::new(name),
                    version: launched.version.clone(),
                }),
            }
        }
    }
    all
}

/// What a lane made its group launch that it did not launch before.
fn launched(lane: &Lane) -> Vec<&TemplateRef> {
    let known = lane.facts.iter().filter(|fact| matches!(fact.fact, Aspect::GroupLaunches { .. }));
    let known: Vec<String> = known
        .filter_map(|fact| if let Value::Words(words) = &fact.was { Some(words.clone()) } else { None })
        .flatten()
        .collect();
    let mut launched: Vec<&TemplateRef> = Vec::new();
    for change in lane.steps.iter().flat_map(|step| changes(&step.go.act)) {
        let Change::StartRefresh { desired: Some(desired), .. } = change else { continue };
        let (template, own) = match &**desired {
            Desired::Template(template) => (template, &[][..]),
            Desired::Mixed { template, mix } => (template, mix.own.as_slice()),
        };
        let own = own.iter().filter_map(|own| own.template.as_ref());
        for one in std::iter::once(template).chain(own) {
            let word = version(one);
            let was_so =
                known.iter().any(|known| known == word.as_str() || known.ends_with(&format!(" with {word}")));
            if !was_so && !launched.contains(&one) {
                launched.push(one);
            }
        }
    }
    launched
}

fn changes(act: &Act) -> Vec<&Change> {
    match act {
        Act::Once { change } => vec![&**change],
        Act::AsSeen { arms } => arms.iter().filter_map(|arm| arm.change.as_deref()).collect(),
        Act::Wait | Act::Adopt | Act::FirstWithRoom { .. } | Act::StopTasks { .. } => Vec::new(),
    }
}
