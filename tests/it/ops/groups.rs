//! What tests of groups look at and ask for: members by their version, how an operation ended, why something was
//! refused, the plan that takes an operation back, and what somebody asks of it later.

use super::bench::{Bench, who};
use crate::sim_groups::{asg, element};
use coredeck::error::Error;
use coredeck::ops::{OpState, Outcome, Plan, Timer};
use coredeck::store::journal::Ledger;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Members of a group by the version that they were launched with, and the version that it is saved with.
pub(super) async fn versions(bench: &Bench, group: &str) -> (BTreeMap<String, usize>, String) {
    let named = format!("AutoScalingGroupNames.member.1={group}");
    let answer = asg(&bench.running, "DescribeAutoScalingGroups", &named).await;
    let (before, rest) = answer.split_once("<Instances>").unwrap_or((&answer, ""));
    let (members, after) = rest.split_once("</Instances>").unwrap_or(("", rest));
    let mut counts = BTreeMap::new();
    for member in members.split("<member>").filter(|member| member.contains("<Version>")) {
        *counts.entry(element(member, "Version").to_owned()).or_default() += 1;
    }
    let saved = if before.contains("<Version>") { before } else { after };
    (counts, element(saved, "Version").to_owned())
}

/// Twelve members, all of one version, and the group saved with it.
pub(super) fn all(version: &str) -> (BTreeMap<String, usize>, String) {
    (BTreeMap::from([(version.to_owned(), 12)]), version.to_owned())
}

/// How an operation ended; none while it has not.
pub(super) fn end(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

/// Everything that an error says: what, why, and what to do.
pub(super) fn why(error: &Error) -> String {
    let beneath = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{}; {beneath}; {}", error.message, error.hints.join("; "))
}

/// The plan that takes an operation back.
pub(super) async fn taken_back(bench: &Bench, op: &OpState) -> Plan {
    bench.undo(op).await.unwrap()
}

/// Asks something of an operation so many minutes from now.
pub(super) fn ask_in(bench: &Bench, id: &str, minutes: i64, verb: &'static str) {
    let at = bench.timer.now() + SignedDuration::from_mins(minutes);
    let (journal, id) = (bench.journal(), id.to_owned());
    let ask = move || {
        journal.ask(&id, verb, &who("ben"), None, at).unwrap();
    };
    bench.timer.then.lock().unwrap().push((at, Box::new(ask)));
}
