//! A plan as people read it: what will be done to what, what it may cost them, and what cannot be undone.

use super::plan::{Account, Cost, Plan, Proof, Undo, short};
use crate::config::span;
use crate::model::text::harmless;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Lanes that are written out; the others are counted.
const WRITTEN_OUT: usize = 12;

/// The plan as text for a terminal, without colours.
pub fn text(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write(plan, &mut text);
    text
}

fn write(plan: &Plan, text: &mut String) -> std::fmt::Result {
    writeln!(text, "{}", harmless(&plan.title))?;
    for Account { scope, id, principal } in &plan.accounts {
        writeln!(text, "  in {scope}, account {id}, as {}", harmless(principal))?;
    }
    writeln!(text)?;
    for lane in plan.lanes.iter().take(WRITTEN_OUT) {
        writeln!(text, "{}", harmless(&lane.name))?;
        for (number, step) in lane.steps.iter().enumerate() {
            writeln!(text, "  {}. {}", number + 1, harmless(&step.title))?;
            match &step.undo {
                Undo::Nothing | Undo::Exact { .. } => {}
                Undo::BestEffort { why, .. } => writeln!(text, "     undone only in part: {why}")?,
                Undo::Impossible { why } => writeln!(text, "     NOT REVERSIBLE: {why}")?,
            }
        }
    }
    if plan.lanes.len() > WRITTEN_OUT {
        writeln!(text, "… and {} more, by the same steps", plan.lanes.len() - WRITTEN_OUT)?;
    }
    writeln!(text)?;
    writeln!(
        text,
        "targets    {}, {} calls that change something at most",
        plan.lanes.len(),
        plan.changes()
    )?;
    for (number, wave) in plan.waves.iter().enumerate() {
        let names: Vec<_> =
            wave.iter().filter_map(|at| plan.lanes.get(*at)).map(|lane| harmless(&lane.name)).collect();
        writeln!(text, "wave {:<5} {}", number + 1, names.join(", "))?;
    }
    if plan.is_one_piece {
        writeln!(text, "failure    the first that fails stops all, and everything is taken back")?;
    }
    for pool in &plan.pools {
        writeln!(text, "budget     at most {} of tier {} unavailable at once", pool.most, pool.tier)?;
    }
    let expected = span(Duration::from_secs(plan.expected_s().max(1)));
    writeln!(text, "expected   {expected}; on a time-out: {}", plan.on_timeout.word())?;
    match &plan.cost {
        Cost::None => writeln!(text, "cost       no change")?,
        Cost::Unknown(why) => writeln!(text, "cost       not known: {}", harmless(why))?,
        Cost::More(more) => writeln!(text, "cost       {}", harmless(&more.to_string()))?,
    }
    writeln!(text, "proof      {}", proofs(plan))?;
    writeln!(text, "reversible {}", reversible(plan))?;
    for note in &plan.notes {
        writeln!(text, "note       {}", harmless(note))?;
    }
    for warning in &plan.warnings {
        writeln!(text, "warning    {}", harmless(warning))?;
    }
    writeln!(text, "plan       {}, good until {:.0}", short(&plan.id), plan.expires_at)
}

/// Which steps AWS was asked about.
pub fn proofs(plan: &Plan) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for step in plan.lanes.iter().flat_map(|lane| &lane.steps) {
        if step.go.act.is_idle() {
            continue;
        }
        let word = match step.proof {
            Proof::Proved => "proved by a dry run",
            Proof::Checked | Proof::NotNeeded => "only checked: there is no dry run for it",
            Proof::Unproved(_) => "not proved: AWS could not be asked",
        };
        *counts.entry(word).or_default() += 1;
    }
    let parts: Vec<String> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    if parts.is_empty() { "nothing is changed".to_owned() } else { parts.join(", ") }
}

/// Whether it can be undone, in words.
pub fn reversible(plan: &Plan) -> &'static str {
    let undos = || plan.lanes.iter().flat_map(|lane| &lane.steps).map(|step| &step.undo);
    if undos().any(|undo| matches!(undo, Undo::Impossible { .. })) {
        "NO, not wholly: see above"
    } else if undos().any(|undo| matches!(undo, Undo::BestEffort { .. })) {
        "in part: see above"
    } else {
        "yes, by `coredeck op rollback`"
    }
}
