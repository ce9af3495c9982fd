//! A core that is made: its container, its entry in the registry, its traffic.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::desk::Desk;
use super::super::super::guard::DO_NOT_DISRUPT;
use super::super::super::plan::{Fact, Lane, Proof, ROOM_FOR_ID, Step, Undo};
use super::super::inventory::{put, remove, version};
use super::doors::Door;
use super::found::parameter;
use super::papers::{Command, Papers, REMOVE, RUN};
use super::pattern::{self, Pattern};
use crate::fleet::InstanceRow;
use crate::inventory::{Part, value};
use crate::model::{InstanceId, Scope, Text};
use serde_json::json;

/// A core that is made.
pub(super) struct Made<'a> {
    pub(super) id: &'a str,
    /// Where it is made.
    pub(super) scope: &'a Scope,
    /// Its host.
    pub(super) host: &'a InstanceId,
    pub(super) port: u16,
    /// The names of its secrets: API keys, and the database's address.
    pub(super) secrets: &'a [String; 2],
    /// MiB that it may use; none for no limit.
    pub(super) memory: Option<u32>,
    /// Cores that its host may run.
    pub(super) most: u32,
    /// How many others are made before it in the same lane.
    pub(super) nth: usize,
    pub(super) pattern: &'a Pattern<'a>,
}

impl Made<'_> {
    /// Its container's name.
    pub(super) fn container(&self) -> String {
        format!("supertokens-{}", self.id)
    }

    /// Its lane on a host that is there.
    pub(super) fn lane(
        &self,
        desk: &Desk<'_>,
        row: &InstanceRow,
        papers: &Papers,
        doors: &[Door],
        number: usize,
    ) -> Lane {
        let fleet = desk.config.fleet.as_str();
        let host = self.host;
        let entry = parameter(fleet, self.id);
        let tag = row.it.tags.get(DO_NOT_DISRUPT).map_or(Value::Absent, Value::word);
        let facts = vec![
            Fact { fact: Aspect::InstanceState { instance: host.clone() }, was: Value::word("running") },
            Fact {
                fact: Aspect::InstanceTag { instance: host.clone(), key: DO_NOT_DISRUPT.into() },
                was: tag,
            },
            Fact { fact: version(&entry), was: Value::Absent },
        ];
        let mut steps = papers.put(self.scope, &[RUN, REMOVE]);
        steps.extend(self.steps(fleet, papers, doors, number));
        Lane {
            name: format!("{} on {host}:{}", self.id, self.port),
            target: self.id.to_owned(),
            scope: self.scope.clone(),
            tier: None,
            facts,
            steps,
        }
    }

    /// The steps that make it, enter it and lead traffic to it.
    pub(super) fn steps(&self, fleet: &str, papers: &Papers, doors: &[Door], lane: usize) -> Vec<Step> {
        let mut steps = vec![self.run(fleet, papers, lane), self.entry(&parameter(fleet, self.id))];
        for door in doors {
            let door = Door { id: Text::new(self.host.as_str()), port: self.port, ..door.clone() };
            steps.push(door.back(door.leave()));
        }
        steps
    }

    /// The step that makes it.
    pub(super) fn run(&self, fleet: &str, papers: &Papers, lane: usize) -> Step {
        let host = self.host;
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
            ("Region", self.scope.region.to_string()),
            ("Operation", ROOM_FOR_ID.to_owned()),
        ];
        parameters.extend(self.pattern.carried.parameters());
        let removal = vec![("Container", self.container()), ("Operation", ROOM_FOR_ID.to_owned())];
        let word = |word: &str| match self.nth {
            0 => word.to_owned(),
            nth => format!("{word} {nth}"),
        };
        let (made, removed) = (word("run"), word("remove again"));
        let back = Command { paper: REMOVE, host, word: &removed, lane, parameters: removal };
        let memory = self.memory.map_or(String::new(), |mib| format!(" with {mib} MiB"));
        Step {
            title: format!(
                "make {} on {host}{memory}{} and wait until it answers, its database too",
                self.container(),
                self.pattern.carried.words()
            ),
            go: papers.run(&Command { paper: RUN, host, word: &made, lane, parameters }),
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
            ("instance_id", json!(self.host.as_str())),
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
