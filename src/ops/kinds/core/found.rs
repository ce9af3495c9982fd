//! Cores as operations find them: the container, the host under it, and everything that keeps hands off them.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::desk::{Desk, Draft};
use super::super::super::guard::DO_NOT_DISRUPT;
use super::super::super::intent::Intent;
use super::super::super::plan::Fact;
use super::memory::Keeps;
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::gateway::{Look, Seen};
use crate::model::{Core, DriftSort, Home, InstanceState, Known, Scope, Text};
use crate::store::journal::Grip;
use std::collections::BTreeMap;

/// A core on a docker host that can be reached.
pub(super) struct Found<'a> {
    /// The core.
    pub(super) core: &'a Core,
    /// Its host.
    pub(super) host: &'a InstanceRow,
    /// Its container's name.
    pub(super) container: Text,
    /// Its port on the host.
    pub(super) port: u16,
    /// Its entry's parameter, and the entry as it stands; none where the registry is in another place than the host.
    pub(super) entry: Option<EntrySeen>,
    /// Where it keeps what its users do, where that was asked.
    pub(super) keeps: Keeps,
}

/// An entry of the registry as it stands.
#[derive(Clone, Debug)]
pub(super) struct EntrySeen {
    /// Its parameter.
    pub(super) name: Text,
    /// Its version.
    pub(super) version: u64,
}

impl Found<'_> {
    /// What a plan for it rests on, whatever is done.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let id = &self.host.it.id;
        let tag = self.host.it.tags.get(DO_NOT_DISRUPT).map_or(Value::Absent, Value::word);
        let mut facts = vec![
            Fact { fact: Aspect::InstanceState { instance: id.clone() }, was: Value::word("running") },
            Fact { fact: Aspect::InstanceTag { instance: id.clone(), key: DO_NOT_DISRUPT.into() }, was: tag },
        ];
        // Somebody may move it meanwhile.
        facts.extend(self.entry.as_ref().map(|entry| Fact {
            fact: Aspect::ParameterVersion { parameter: entry.name.clone() },
            was: Value::Count(entry.version),
        }));
        facts
    }

    /// Takes hold of it, and of its host together with others.
    pub(super) fn hold(&self, draft: &mut Draft) {
        draft.hold(&self.host.scope, "core", self.core.id.as_str(), Grip::Alone);
        draft.hold(&self.host.scope, "instance", self.host.it.id.as_str(), Grip::Shared);
    }
}

/// The name of a core's parameter.
pub(super) fn parameter(fleet: &str, core: &str) -> Text {
    Text::from(format!("/coredeck/{fleet}/cores/{core}"))
}

/// The cores that were named, as far as they can be dealt with; the others are refused.
///
/// # Errors
///
/// Their entries could not be read.
pub(super) async fn found<'a>(
    desk: &'a Desk<'_>,
    intent: &Intent,
    draft: &mut Draft,
) -> Result<Vec<Found<'a>>> {
    let mut all = Vec::new();
    for core in desk.cores(&intent.targets, draft) {
        let Home::Container { instance_id, container } = &core.home else {
            of_ecs(core, intent, draft);
            continue;
        };
        let Some(host) = instance_id.as_ref().and_then(|id| row(desk, id.as_str())) else {
            let why = match instance_id {
                Some(id) => format!("its host {id} does not exist"),
                None => "the registry names no host for it".to_owned(),
            };
            draft.refuse(&core.id, why, "coredeck inventory sync asks the hosts what runs where");
            continue;
        };
        if let Some((why, mend)) = silence(host) {
            draft.refuse(&core.id, format!("its host {}: {why}", host.it.id), mend);
            continue;
        }
        let (Some(container), Some(port)) = (container.clone(), core.port) else {
            let why = "the registry names no container or no port for it";
            draft.refuse(&core.id, why, "coredeck inventory sync asks the hosts what runs where");
            continue;
        };
        if !is_plain(&container) || !is_plain(core.id.as_str()) {
            let why = "its container's name, or its own, has signs that docker does not take";
            draft.refuse(&core.id, why, "letters, digits, _, . and - are taken");
            continue;
        }
        desk.mind_tags(host, intent, draft);
        if let Some(drift) = core.drift.as_ref().filter(|drift| drift.sort != DriftSort::Same) {
            let why = drift.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            draft.warn(format!(
                "{}: its entry in the registry stands as {} to the last inventory{why}",
                core.id,
                drift.sort.word()
            ));
        }
        all.push(Found { core, host, container, port, entry: None, keeps: Keeps::default() });
    }
    // One look for all entries of a place.
    let fleet = desk.config.fleet.as_str();
    let mut places: BTreeMap<&Scope, Vec<Text>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.core.scope == one.host.scope) {
        places.entry(&one.host.scope).or_default().push(parameter(fleet, one.core.id.as_str()));
    }
    let mut versions: BTreeMap<(Scope, Text), u64> = BTreeMap::new();
    for (scope, of) in places {
        if let Seen::Parameters(seen) = desk.look(scope, Look::Parameters { of }).await? {
            versions.extend(seen.into_iter().map(|one| ((scope.clone(), one.name), one.version)));
        }
    }
    for one in &mut all {
        let name = parameter(fleet, one.core.id.as_str());
        let version = versions.get(&((*one.host.scope).clone(), name.clone()));
        one.entry = version.map(|version| EntrySeen { name, version: *version });
    }
    Ok(all)
}

/// Whether a name is one that our documents take.
pub(super) fn is_plain(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    name.len() <= 128 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_good)
}

fn row<'a>(desk: &'a Desk<'_>, id: &str) -> Option<&'a InstanceRow> {
    desk.fleet.instances.iter().find(|row| row.it.id.as_str() == id && !row.it.state.is_gone())
}

/// Why a host cannot be told anything, and what to do; none when it can.
pub(super) fn silence(row: &InstanceRow) -> Option<(String, String)> {
    let id = &row.it.id;
    if row.it.state != InstanceState::Running {
        return Some((format!("it is {}", row.it.state.word()), format!("coredeck start {id} first")));
    }
    match &row.agent {
        Known::Yes(Some(agent)) if agent.ping == "Online" => None,
        Known::Yes(Some(agent)) => {
            let since = agent.last_ping_at.map(|at| format!(", last heard at {at:.0}")).unwrap_or_default();
            let why = format!("its Systems Manager agent is offline ({}{since})", agent.ping);
            Some((why, format!("look at the agent there, or coredeck reboot {id}")))
        }
        Known::Yes(None) => Some((
            "Systems Manager does not manage it".to_owned(),
            "its role needs AmazonSSMManagedInstanceCore, and its agent a way to AWS".to_owned(),
        )),
        Known::No(_) => Some((
            "whether Systems Manager manages it could not be read".to_owned(),
            "ssm:DescribeInstanceInformation is what it takes (docs/iam.md)".to_owned(),
        )),
    }
}

/// A core that is a task is ECS's: it is dealt with by its service.
fn of_ecs(core: &Core, intent: &Intent, draft: &mut Draft) {
    let Home::Task { task, service, .. } = &core.home else { return };
    let cluster = task.as_str().rsplit('/').nth(1).unwrap_or_default();
    let mend = match intent.verb.as_str() {
        "core restart" => {
            format!("coredeck redeploy {cluster}/{service}, or coredeck stop {} for this one", core.id)
        }
        "core stop" | "core start" => format!("coredeck scale {cluster}/{service} --desired N"),
        _ => format!("deploy another task definition to {cluster}/{service}"),
    };
    draft.refuse(&core.id, format!("it is a task of the ECS service {service}, which keeps it"), mend);
}
