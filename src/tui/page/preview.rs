//! A plan as the screen shows it before it is run, and what stands against one.

use super::TextLine;
use crate::config::span;
use crate::model::text::harmless;
use crate::ops::counter::{Declined, Offer};
use crate::ops::plan::{Cost, Lane, Proof, Step, Undo, short};
use crate::ops::preview::{proofs, reversible};
use crate::tui::action::{Action, Layer};
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Targets that are written out; the others are counted.
const WRITTEN_OUT: usize = 100;
/// The width of the names before what is told of a plan.
const NAMES: usize = 9;

/// Lines of a command that are shown.
pub(super) const COMMAND_LINES: usize = 8;

/// Every line of a plan: what matters to a decision first, then each target with its steps and commands.
pub(crate) fn plan(ui: &Ui, offer: &Offer, width: usize) -> Vec<TextLine> {
    let plan = &offer.plan;
    let mut paper = Paper { lines: Vec::new(), width };
    paper.put(Role::Title, 1, "", &plan.title);
    for warning in &plan.warnings {
        paper.row(Role::Trouble, "warning", warning);
    }
    // A field may be the answer to it.
    let warnings: Vec<&String> = plan.warnings.iter().collect();
    fields(ui, &warnings).iter().for_each(|line| paper.row(Role::Dim, "", line));
    let calls = plan.changes();
    let takes = span(Duration::from_secs(plan.expected_s().max(1)));
    let targets = plan.lanes.len();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let what = format!(
        "{targets} target{}, {calls} change{} at most, about {takes}; on a time-out: {}",
        plural(targets),
        plural(calls),
        plan.on_timeout.word()
    );
    paper.row(Role::Text, "what", &what);
    let is_lost = plan.lanes.iter().flat_map(|lane| &lane.steps).any(|step| is_lost(&step.undo));
    let undo = match reversible(plan) {
        undo if undo.starts_with("yes") => {
            let key = ui.keymap.keys_of(Layer::Text, Action::RollBack).into_iter().next();
            key.map_or_else(|| undo.to_owned(), |key| format!("{undo} or {key} on its page"))
        }
        undo => undo.replace("see above", "see below"),
    };
    paper.row(if is_lost { Role::Trouble } else { Role::Text }, "undo", &undo);
    paper.row(Role::Text, "proof", &proofs(plan));
    for pool in &plan.pools {
        let budget = format!("at most {} of tier {} unavailable at once", pool.most, pool.tier);
        paper.row(Role::Text, "budget", &budget);
    }
    match &plan.cost {
        Cost::None => paper.row(Role::Text, "cost", "no change"),
        Cost::Unknown(why) => paper.row(Role::Unknown, "cost", &format!("not known: {why}")),
        Cost::More(more) => paper.row(Role::Text, "cost", &more.to_string()),
    }
    for note in &plan.notes {
        paper.row(Role::Text, "note", note);
    }
    for account in &plan.accounts {
        paper.row(Role::Text, "where", &format!("{}, account {}", account.scope, account.id));
    }
    for (number, lane) in plan.lanes.iter().take(WRITTEN_OUT).enumerate() {
        paper.blank();
        self::lane(&mut paper, lane, offer.commands.get(number).map_or(&[][..], Vec::as_slice));
    }
    if plan.lanes.len() > WRITTEN_OUT {
        paper.blank();
        let more = plan.lanes.len() - WRITTEN_OUT;
        paper.put(Role::Dim, 1, "", &format!("and {more} more targets, by the same steps"));
    }
    paper.blank();
    for account in &plan.accounts {
        paper.row(Role::Dim, "as", &account.principal);
    }
    let valid = format!("{}, good until {}", short(&plan.id), ui.clock(plan.expires_at));
    paper.row(Role::Dim, "plan", &valid);
    paper.lines
}

fn is_lost(undo: &Undo) -> bool {
    matches!(undo, Undo::Impossible { .. })
}

fn lane(paper: &mut Paper, lane: &Lane, commands: &[Option<String>]) {
    let tier = lane.tier.as_ref().map(|tier| format!("  tier {tier}")).unwrap_or_default();
    paper.put(Role::RowKey, 1, "", &format!("{}{tier}", lane.name));
    for fact in &lane.facts {
        paper.put(Role::Dim, 3, "", &format!("now: {} is {}", fact.fact, fact.was));
    }
    for (number, step) in lane.steps.iter().enumerate() {
        let lead = format!("{}. ", number + 1);
        paper.put(Role::Text, 3, &lead, &format!("{}{}", step.title, expected(step)));
        let undo = match &step.undo {
            Undo::Nothing => None,
            Undo::Exact { .. } => Some((Role::Dim, "undone exactly".to_owned())),
            Undo::BestEffort { why, .. } => Some((Role::Unknown, format!("undone only in part: {why}"))),
            Undo::Impossible { why } => Some((Role::Trouble, format!("NOT REVERSIBLE: {why}"))),
        };
        let proof = match &step.proof {
            Proof::Proved => Some("AWS said that it would".to_owned()),
            Proof::Checked => Some("only checked: there is no dry run for it".to_owned()),
            Proof::Unproved(why) => Some(format!("not proved: {why}")),
            Proof::NotNeeded => None,
        };
        let indent = 3 + lead.width();
        let told: Vec<String> = undo.iter().map(|(_, text)| text.clone()).chain(proof).collect();
        if !told.is_empty() {
            let role = undo.map_or(Role::Dim, |(role, _)| role);
            paper.put(role, indent, "", &told.join("; "));
        }
        if let Some(Some(command)) = commands.get(number) {
            paper.command(indent, command);
        }
    }
}

/// How long a step is expected to take, where that is worth a word.
fn expected(step: &Step) -> String {
    match step.expected_s {
        0 | 1 => String::new(),
        seconds => format!("  (about {})", span(Duration::from_secs(seconds))),
    }
}

/// What stands against a plan, each with its mend.
pub(crate) fn declined(ui: &Ui, declined: &Declined, width: usize) -> Vec<TextLine> {
    let mut paper = Paper { lines: Vec::new(), width };
    paper.put(Role::Trouble, 1, "", &declined.what);
    for why in &declined.why {
        paper.put(Role::Text, 1, &format!("{} ", ui.signs().dot()), why);
    }
    for hint in &declined.hints {
        paper.put(Role::TroubleHint, 1, &format!("{} ", ui.signs().next()), hint);
    }
    let said: Vec<&String> = declined.why.iter().chain(&declined.hints).collect();
    if said.iter().any(|text| speaks_of_flags(text)) {
        paper.blank();
        paper.put(Role::Dim, 1, "", "What a flag does in a script, a field above does here: tab goes there.");
        fields(ui, &said).iter().for_each(|line| paper.put(Role::Dim, 1, "", line));
    }
    paper.lines
}

/// Whether a text speaks of flags of ours. Those of the commands of AWS are no fields here.
fn speaks_of_flags(text: &str) -> bool {
    text.contains("--") && !text.contains("aws ")
}

/// Which fields do here what the flags do that are spoken of.
fn fields(ui: &Ui, said: &[&String]) -> Vec<String> {
    let ours: Vec<&&String> = said.iter().filter(|text| speaks_of_flags(text)).collect();
    let is_named = |flag: &&str| {
        let is_it = |word: &str| word.trim_end_matches([',', '.', ';', ':', ')']) == *flag;
        ours.iter().any(|text| text.split([' ', '`', '(']).any(is_it))
    };
    let all = ui.dialog.iter().flat_map(|dialog| &dialog.fields);
    let named = all.filter_map(|field| Some((field.name.flag().filter(is_named)?, field.name.label())));
    named.map(|(flag, label)| format!("{flag} is the field `{label}` here.")).collect()
}

/// What lines are written on.
struct Paper {
    lines: Vec<TextLine>,
    width: usize,
}

impl Paper {
    /// Wrapped text behind a lead: what does not fit on a line is put below, as far in.
    fn put(&mut self, role: Role, indent: usize, lead: &str, text: &str) {
        let inner = indent + lead.width();
        let text = harmless(text);
        for (nth, part) in cell::wrap(&text, self.width.saturating_sub(inner + 1)).into_iter().enumerate() {
            let blank = if nth == 0 { format!("{}{lead}", " ".repeat(indent)) } else { " ".repeat(inner) };
            self.lines.push(vec![(Role::Dim, blank), (role, part)]);
        }
    }

    /// A named fact about the plan.
    fn row(&mut self, role: Role, name: &str, text: &str) {
        self.put(role, 1, &format!("{name:<NAMES$}"), text);
    }

    /// A command. One that carries a whole document would push what is decided by out of sight.
    fn command(&mut self, indent: usize, command: &str) {
        let before = self.lines.len();
        self.put(Role::Note, indent, "", command);
        let many = (self.lines.len() - before).saturating_sub(COMMAND_LINES);
        if many > 1 {
            self.lines.truncate(before + COMMAND_LINES);
            let more = format!("and {many} lines more of it, which the operation's log has once it is made");
            self.put(Role::Dim, indent, "", &more);
        }
    }

    fn blank(&mut self) {
        self.lines.push(TextLine::new());
    }
}
