//! `inventory`: what was seen is written into the registry, entry by entry, as far as each is still what it was.
//!
//! AWS has no write that depends on a version. So every step looks just before it writes, and afterwards tells by
//! the value whose write is there; who finds a third one leaves it alone.

use super::super::aspect::{Aspect, Value, hash_of};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, ROOM_FOR_ID, Spoiled, Step, Undo, leg};
use crate::error::{Error, Result};
use crate::gateway::change::Change;
use crate::inventory::Write;
use crate::model::{Scope, Text};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;

/// How long a write may take to show.
const WITHIN_S: u64 = 180;

/// The entries of each host or core are a lane.
pub(super) fn draft<'a>(_: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { make(intent) }.boxed()
}

fn make(intent: &Intent) -> Result<Draft> {
    let writes = &intent.options.writes;
    if writes.is_empty() {
        return Err(Error::usage("there is nothing to write").hint("coredeck inventory diff"));
    }
    let mut draft = Draft::default();
    let mut lanes: BTreeMap<(&Scope, &str), Vec<&Write>> = BTreeMap::new();
    for write in writes {
        lanes.entry((&write.scope, &write.lane)).or_default().push(write);
    }
    for ((scope, name), writes) in lanes {
        for path in &intent.targets {
            draft.hold(scope, "registry", path, Grip::Alone);
        }
        let facts = writes.iter().map(|write| Fact { fact: version(&write.name), was: was(write) });
        draft.lanes.push(Lane {
            name: name.to_owned(),
            target: name.to_owned(),
            scope: scope.clone(),
            tier: None,
            facts: facts.collect(),
            steps: writes.iter().map(|write| step(write)).collect(),
        });
    }
    let removed = writes.iter().filter(|write| write.to.is_none()).count();
    let changed = writes.iter().filter(|write| write.was.is_some()).count() - removed;
    let added = writes.len() - changed - removed;
    draft.title = format!("write the registry: {added} new, {changed} changed, {removed} removed");
    if removed > 0 {
        draft.warn("an undo writes removed entries again, and their earlier versions stay gone");
    }
    Ok(draft)
}

pub(super) fn version(name: &str) -> Aspect {
    Aspect::ParameterVersion { parameter: Text::new(name) }
}

pub(super) fn hash(name: &str) -> Aspect {
    Aspect::ParameterHash { parameter: Text::new(name) }
}

fn was(write: &Write) -> Value {
    write.was.as_ref().map_or(Value::Absent, |(version, _)| Value::Count(*version))
}

/// What a fact must not be, both of them: then it is a third thing, which somebody else made.
fn neither(one: (Aspect, Value), other: (Aspect, Value)) -> Option<Spoiled> {
    let not = |(fact, value)| Condition::IsNot { fact, value };
    Some(Spoiled {
        when: not(one).and(not(other)),
        why: "somebody else wrote it meanwhile, and it is left as they wrote it".to_owned(),
    })
}

pub(super) fn put(name: &str, value: &str, overwrites: bool, from: (Aspect, Value)) -> Leg {
    let ours = (hash(name), hash_of(value));
    let change = Change::PutParameter {
        name: Text::new(name),
        value: value.to_owned(),
        description: format!("coredeck {ROOM_FOR_ID}"),
        overwrites,
    };
    let until = Condition::is(ours.0.clone(), ours.1.clone());
    Leg { taken: Some(until.clone()), spoiled: neither(ours, from), ..leg(change, until, WITHIN_S, 5) }
}

pub(super) fn remove(name: &str, from: (Aspect, Value)) -> Leg {
    let gone = (version(name), Value::Absent);
    let until = Condition::is(gone.0.clone(), gone.1.clone());
    let change = Change::DeleteParameter { name: Text::new(name) };
    Leg { taken: Some(until.clone()), spoiled: neither(gone, from), ..leg(change, until, WITHIN_S, 5) }
}

fn step(write: &Write) -> Step {
    let name = &write.name;
    let as_planned = (version(name), was(write));
    let ours = |value: &str| (hash(name), hash_of(value));
    let absent = (version(name), Value::Absent);
    let (verb, go, undo) = match (&write.was, &write.to) {
        (Some((_, before)), Some(to)) => {
            let back = put(name, before, true, ours(to));
            ("change", put(name, to, true, as_planned), Undo::Exact { leg: Box::new(back) })
        }
        (None, Some(to)) => {
            let back = remove(name, ours(to));
            ("add", put(name, to, false, as_planned), Undo::Exact { leg: Box::new(back) })
        }
        (Some((_, before)), None) => {
            let back = put(name, before, false, absent);
            let why = "its earlier versions are gone".to_owned();
            ("remove", remove(name, as_planned), Undo::BestEffort { leg: Box::new(back), why })
        }
        (None, None) => ("remove", remove(name, as_planned), Undo::Nothing),
    };
    Step {
        title: format!("{verb} {name} ({})", write.why),
        go,
        undo,
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    }
}
