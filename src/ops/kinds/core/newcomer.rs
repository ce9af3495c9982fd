//! A host that is launched for cores: exactly one, known by the operation that launched it, watched until it can be
//! worked with, and ended again with nobody else's core on it.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::guard::DO_NOT_DISRUPT;
use super::super::super::launching::{LAUNCHED_BY, LaunchFact, READY};
use super::super::super::placement::{memory_mib, share_mib};
use super::super::super::plan::{
    Act, Aftermath, Ending, Fact, Lane, Leg, Proof, ROOM_FOR_HOST, ROOM_FOR_ID, Spoiled, Step, Undo, leg,
    wait,
};
use super::super::inventory::version;
use super::create::FIRST_PORT;
use super::doors::Door;
use super::found::parameter;
use super::launch::Launch;
use super::made::Made;
use super::papers::{Papers, REMOVE, RUN};
use super::pattern::Pattern;
use crate::gateway::change::Change;
use crate::model::tier::{TierFacts, classify};
use crate::model::{InstanceId, Selector, Tags, Text, Tier};
use crate::store::journal::Grip;

/// Seconds that EC2 may take to show an instance that it launched.
const SHOWN_S: u64 = 300;
/// Seconds that an instance may take until it runs, has passed its checks, and its agent was heard.
const READY_S: u64 = 900;
/// Seconds that an instance may take to end.
const ENDED_S: u64 = 600;

/// A host that is launched for cores.
pub(super) struct Newcomer<'a> {
    /// The cores' ids.
    pub(super) ids: &'a [&'a str],
    /// What it is launched from.
    pub(super) launch: &'a Launch<'a>,
    /// How many others are launched before it.
    pub(super) nth: usize,
    /// Cores that it may run.
    pub(super) most: u32,
    /// MiB that each core may use, where somebody said it.
    pub(super) wished: Option<u32>,
    /// The cores' tier.
    pub(super) tier: &'a Tier,
}

impl Newcomer<'_> {
    /// What stands for its id while nobody knows that.
    pub(super) fn host() -> InstanceId {
        InstanceId::new(ROOM_FOR_HOST)
    }

    /// MiB that a core on it may use; none for no limit.
    pub(super) fn memory(&self) -> Option<u32> {
        let kind = self.launch.instance_type();
        self.wished.or_else(|| share_mib(memory_mib(kind?.as_str())?, self.most))
    }

    /// The steps that launch it, and wait until it can be worked with. The lane of that number is its own.
    pub(super) fn begun(&self, desk: &Desk<'_>, number: usize, draft: &mut Draft) -> [Step; 2] {
        let (host, mark) = (Self::host(), Text::from(format!("{ROOM_FOR_ID}/{number}")));
        [self.launched(desk, desk.config.fleet.as_str(), &host, &mark, draft), ready(&host)]
    }

    /// The step that lets everybody at it.
    pub(super) fn opened() -> Step {
        opened(&Self::host())
    }

    /// Adds the lane that makes new cores on it.
    pub(super) fn draft(
        &self,
        desk: &Desk<'_>,
        pattern: &Pattern<'_>,
        papers: &Papers,
        doors: &[Door],
        draft: &mut Draft,
    ) {
        let fleet = desk.config.fleet.as_str();
        let (scope, number) = (self.launch.scope(), draft.lanes.len());
        let host = Self::host();
        let mut facts = self.launch.facts();
        let mut steps = papers.put(scope, &[RUN, REMOVE]);
        steps.extend(self.begun(desk, number, draft));
        let memory = self.memory();
        let mut port = if doors.is_empty() { FIRST_PORT } else { pattern.port().unwrap_or(FIRST_PORT) };
        for (nth, id) in self.ids.iter().enumerate() {
            // Replicas of one target group listen at one port, so that each needs a host of its own.
            if nth > 0 && !doors.is_empty() {
                draft.refuse(
                    id,
                    "its port is taken on the new host",
                    "make one core at a time, with --host new",
                );
                continue;
            }
            let secrets = pattern.secrets(id);
            let made = Made {
                id,
                scope,
                host: &host,
                port,
                secrets: &secrets,
                memory,
                most: self.most,
                nth,
                pattern,
            };
            facts.push(Fact { fact: version(&parameter(fleet, id)), was: Value::Absent });
            steps.extend(made.steps(fleet, papers, doors, number));
            draft.hold(scope, "core", id, Grip::Alone);
            port = port.saturating_add(1);
        }
        steps.push(Self::opened());
        draft.lanes.push(Lane {
            name: format!("{} on {ROOM_FOR_HOST}", self.ids.join(", ")),
            target: self.ids.join(","),
            scope: scope.clone(),
            tier: None,
            facts,
            steps,
        });
    }

    /// What it carries from the start: by what it is found again, what puts it into its tier, and what keeps everybody
    /// else's hands off it until its cores are there.
    fn tags(&self, desk: &Desk<'_>, fleet: &str, mark: &Text, draft: &mut Draft) -> Tags {
        let tier = self.tier;
        let name = match self.ids {
            [only] => (*only).to_owned(),
            _ => format!("{fleet}-{}", tier.name),
        };
        let mut tags = vec![
            ("Name".to_owned(), name),
            ("coredeck:fleet".to_owned(), fleet.to_owned()),
            (LAUNCHED_BY.to_owned(), mark.to_string()),
            (DO_NOT_DISRUPT.to_owned(), guard()),
        ];
        match of_tier(&desk.config.tiers, tier) {
            Some(tag) => tags.push(tag),
            None => draft.warn(format!(
                "no tag puts an instance into tier {}: the new one falls into it only if its template's tags do that",
                tier.name
            )),
        }
        Tags::new(tags)
    }

    fn launched(
        &self,
        desk: &Desk<'_>,
        fleet: &str,
        host: &InstanceId,
        mark: &Text,
        draft: &mut Draft,
    ) -> Step {
        let places = self.launch.places(self.nth);
        let place = match places.split_first() {
            None => String::new(),
            Some((first, [])) => format!(" in {first}"),
            Some((first, more)) => {
                let more: Vec<&str> = more.iter().map(|subnet| subnet.as_str()).collect();
                format!(" in {first}, or where AWS has no room there in {}", more.join(", "))
            }
        };
        let tags = self.tags(desk, fleet, mark, draft);
        let change = |subnet| Change::RunInstance {
            template: self.launch.template(),
            subnet,
            instance_type: self.launch.wished().cloned(),
            tags: tags.clone(),
        };
        let act = match places.is_empty() {
            true => Act::once(change(None)),
            false => Act::FirstWithRoom { changes: places.into_iter().map(|it| change(Some(it))).collect() },
        };
        let is_there = Aspect::Launching { fact: LaunchFact::Launched { mark: mark.clone() } };
        let until = Condition::IsNot { fact: is_there.clone(), value: Value::Absent };
        let go =
            Leg { act, taken: Some(until.clone()), names: Some(is_there.clone()), ..wait(until, SHOWN_S, 5) };
        let undo = Undo::Exact { leg: Box::new(self.ended(fleet, host, mark, is_there)) };
        Step {
            title: format!("launch one instance of {}{place}", self.launch.name()),
            go,
            undo,
            proof: Proof::Checked,
            expected_s: 10,
            may_be_forced: false,
        }
    }

    /// Ends the instance that was launched, while it is that one and houses nobody else's core.
    fn ended(&self, fleet: &str, host: &InstanceId, mark: &Text, is_there: Aspect) -> Leg {
        let by_mark = Aspect::Launching { fact: LaunchFact::LaunchedState { mark: mark.clone() } };
        let by_id = Aspect::InstanceState { instance: host.clone() };
        let gone = || vec![Value::Absent, Value::word("terminated")];
        let one_of = |fact: &Aspect, values| Condition::OneOf { fact: fact.clone(), values };
        let is_not = |word: Value| Condition::IsNot { fact: by_id.clone(), value: word };
        let mut going = gone();
        going.push(Value::word("shutting-down"));
        let housed = Aspect::Launching {
            fact: LaunchFact::Housed {
                path: Text::from(format!("/coredeck/{fleet}/cores")),
                instance: host.clone(),
                but: self.ids.iter().map(|id| Text::new(*id)).collect(),
            },
        };
        let is_another = Condition::is(by_mark.clone(), Value::Absent)
            .and(is_not(Value::Absent))
            .and(is_not(Value::word("terminated")));
        let change = Change::TerminateInstances { instances: vec![host.clone()] };
        let until = one_of(&by_mark, gone()).and(one_of(&by_id, gone()));
        Leg {
            taken: Some(one_of(&by_mark, going)),
            spoiled: Some(Spoiled {
                when: Condition::Any { of: vec![Condition::AtLeast { fact: housed, count: 1 }, is_another] },
                why: format!(
                    "it houses another core by now, or lost the tag {LAUNCHED_BY} by which it is ours: it is not ended"
                ),
            }),
            names: Some(is_there),
            ..leg(change, until, ENDED_S, 10)
        }
    }
}

/// What the guarding tag says.
fn guard() -> String {
    format!("true;{ROOM_FOR_ID} makes a core on it")
}

/// A tag that puts an instance into a tier.
fn of_tier(tiers: &[Tier], tier: &Tier) -> Option<(String, String)> {
    let tags = tier.selectors.iter().filter_map(|selector| match selector {
        Selector::Tag { key, value } => Some((key.to_string(), value.as_str())),
        Selector::Group(_) | Selector::Service(_) => None,
    });
    let mut fitting = tags.flat_map(|(key, glob)| {
        let plain: String = glob.chars().filter(|c| !matches!(c, '*' | '?')).collect();
        [tier.name.to_string(), plain].map(|value| (key.clone(), value))
    });
    fitting.find(|(key, value)| {
        let tags: Tags = [(key.as_str(), value.as_str())].into_iter().collect();
        let facts = TierFacts { tags: Some(&tags), ..TierFacts::default() };
        !value.is_empty() && classify(tiers, facts).is_some_and(|found| found.tier.name == tier.name)
    })
}

/// The step that waits until it can be worked with.
fn ready(host: &InstanceId) -> Step {
    let fact = Aspect::Launching { fact: LaunchFact::Ready { instance: host.clone() } };
    let state = Aspect::InstanceState { instance: host.clone() };
    let ended = ["shutting-down", "terminated", "stopping", "stopped"].map(Value::word).to_vec();
    Step {
        title: format!("wait until {host} runs, has passed its checks, and Systems Manager hears its agent"),
        go: Leg {
            ends: vec![Ending {
                when: Condition::OneOf { fact: state, values: ended },
                why: "EC2 did not keep it".to_owned(),
                then: Aftermath::Policy,
            }],
            tells: vec![fact.clone()],
            ..wait(Condition::is(fact, Value::word(READY)), READY_S, 10)
        },
        undo: Undo::Nothing,
        proof: Proof::NotNeeded,
        expected_s: 180,
        may_be_forced: false,
    }
}

/// The step that lets everybody at it.
fn opened(host: &InstanceId) -> Step {
    let fact = Aspect::InstanceTag { instance: host.clone(), key: DO_NOT_DISRUPT.into() };
    let resources = vec![Text::new(host.as_str())];
    let off = Change::Untag { resources: resources.clone(), keys: vec![DO_NOT_DISRUPT.into()] };
    let on = Change::Tag { resources, tags: [(DO_NOT_DISRUPT, guard().as_str())].into_iter().collect() };
    let back = leg(on, Condition::is(fact.clone(), Value::Word(guard())), 120, 5);
    Step {
        title: format!("take {DO_NOT_DISRUPT} off {host}: others may work with it"),
        go: leg(off, Condition::is(fact, Value::Absent), 120, 5),
        undo: Undo::Exact { leg: Box::new(back) },
        proof: Proof::Unproved("there is no such instance yet".to_owned()),
        expected_s: 2,
        may_be_forced: false,
    }
}
