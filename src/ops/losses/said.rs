//! What a plan takes down, in words: the gravest first, some by name and the others counted; and what could not be read,
//! so that silence never passes for good news.

use super::super::confirm::is_production;
use super::super::desk::{Desk, Draft};
use super::super::kinds::Kind;
use super::super::plan::Lane;
use super::{Ending, Loss, Lost, Until, losses, places};
use crate::fleet::Fleet;
use crate::gateway::Source;
use crate::model::Scope;
use crate::snapshot::{Part, Snapshot};
use std::sync::Arc;

/// Cores and target groups that have a line of their own, each.
const LINES: usize = 5;
/// Tenants and hosts that are named in a line.
const NAMES: usize = 3;

impl Loss {
    /// Whether customers' production goes down with it. Where its tier is not known it may be.
    pub fn is_production(&self) -> bool {
        self.tier.as_deref().is_none_or(is_production)
    }

    fn line(&self) -> String {
        let (name, hosts) = (&self.name, hosts(&self.hosts));
        let (are, has) = if self.tenants.len() == 1 { ("is", "has") } else { ("are", "have") };
        let (until, those) = (self.until.said(), tenants(&self.tenants));
        let chosen = match (self.is_chance, self.hosts.len()) {
            (false, _) => "",
            (true, 1) => "if AWS chooses that one, ",
            (true, _) => "if AWS chooses those, ",
        };
        match (self.of, self.tenants.is_empty(), self.is_open) {
            (Lost::Core, true, _) => {
                format!(
                    "core {name} runs on {hosts}: {chosen}no other answers in its place, and it is down{until}"
                )
            }
            (Lost::Core, false, true) => format!(
                "core {name} runs on {hosts}: {chosen}whether {those} {has} another core that answers is not known; \
                 otherwise {} down{until}",
                if self.tenants.len() == 1 { "it is" } else { "they are" }
            ),
            (Lost::Core, false, false) => format!(
                "core {name} runs on {hosts}: {chosen}{those} {has} no other core that answers, and {are} down{until}"
            ),
            (Lost::TargetGroup, is_empty, _) => {
                let what = match self.hosts.len() {
                    1 => format!("{hosts} is the last healthy target of {name}"),
                    _ => format!("{hosts} are the last healthy targets of {name}"),
                };
                if is_empty { what } else { format!("{what}: {chosen}{those} {are} down{until}") }
            }
        }
    }
}

impl Until {
    fn said(self) -> &'static str {
        match self {
            Self::Rebooted => " until it has rebooted",
            Self::Replaced => " until another member answers in its place",
            Self::Undone => " until this is undone",
            Self::Started => " until its container is started again",
            Self::Ever => "",
        }
    }
}

/// Whom a plan takes down, which is said before all else.
pub fn tell(desk: &Desk<'_>, kind: &Kind, draft: &mut Draft) -> Vec<Loss> {
    if !kind.takes_from_hosts() {
        return Vec::new();
    }
    let found = losses(desk.fleet, &draft.lanes, &draft.endings, &unseen(desk.snapshot));
    let mut said = sayings(&found);
    said.extend(unread(desk.snapshot, desk.fleet, &draft.lanes, &draft.endings));
    draft.warnings.splice(0..0, said);
    found
}

/// A line for each of some, production first, and one for all others.
pub(super) fn sayings(losses: &[Loss]) -> Vec<String> {
    let mut all = Vec::new();
    for of in [Lost::Core, Lost::TargetGroup] {
        let mut mine: Vec<&Loss> = losses.iter().filter(|loss| loss.of == of).collect();
        mine.sort_by_key(|loss| {
            (loss.is_chance, !loss.is_production(), std::cmp::Reverse(loss.tenants.len()))
        });
        all.extend(mine.iter().take(LINES).map(|loss| loss.line()));
        let others = mine.get(LINES..).unwrap_or_default();
        if others.is_empty() {
            continue;
        }
        let tenants: usize = others.iter().map(|loss| loss.tenants.len()).sum();
        let with = match tenants {
            0 => String::new(),
            1 => ", with 1 tenant".to_owned(),
            many => format!(", with {many} tenants"),
        };
        let is_chance = others.iter().all(|loss| loss.is_chance);
        let (one, many) = match of {
            Lost::Core if is_chance => ("core could go down", "cores could go down"),
            Lost::Core => ("core goes down", "cores go down"),
            Lost::TargetGroup if is_chance => (
                "target group could lose its last healthy target",
                "target groups could lose their last healthy targets",
            ),
            Lost::TargetGroup => (
                "target group loses its last healthy target",
                "target groups lose their last healthy targets",
            ),
        };
        let what = if others.len() == 1 { one } else { many };
        all.push(format!("and {} more {what}{with}", others.len()));
    }
    all
}

/// The places whose targets were not read whole.
fn unseen(snapshot: &Snapshot) -> Vec<Scope> {
    let lacks = |source| move |part: &&Arc<Part>| !part.standing(source).is_whole;
    snapshot.parts.iter().filter(lacks(Source::Targets)).map(|part| (*part.scope).clone()).collect()
}

/// What could not be read of all by which it is told whom the lanes take down. Nothing where they take nobody anything.
pub(super) fn unread(snapshot: &Snapshot, fleet: &Fleet, lanes: &[Lane], endings: &[Ending]) -> Vec<String> {
    let scopes = places(fleet, lanes, endings);
    if scopes.is_empty() {
        return Vec::new();
    }
    let mut lacking = Vec::new();
    for part in &snapshot.parts {
        let is_here = scopes.contains(&&*part.scope);
        for source in [Source::Registry, Source::Targets, Source::Rules] {
            let standing = part.standing(source);
            // A registry names hosts wherever they are.
            if !standing.is_whole && (is_here || source == Source::Registry) {
                let why =
                    standing.trouble.map(|trouble| format!(" ({})", trouble.message)).unwrap_or_default();
                lacking.push(format!("{} of {}{why}", source.word(), part.scope));
            }
        }
    }
    match lacking.len() {
        0 => Vec::new(),
        _ => {
            vec![format!("who goes down with it is not wholly known: not read were {}", some(&lacking, ", "))]
        }
    }
}

fn hosts(names: &[String]) -> String {
    some(names, " and ")
}

/// Tenants by name, or counted with some of their names.
fn tenants(names: &[String]) -> String {
    match names {
        [only] => format!("tenant {only}"),
        many => format!("{} tenants ({})", many.len(), some(many, ", ")),
    }
}

/// Some names, and how many more there are.
fn some(names: &[String], between: &str) -> String {
    match names.len().saturating_sub(NAMES) {
        0 => names.join(between),
        more => format!("{} and {more} more", names[..NAMES].join(", ")),
    }
}
