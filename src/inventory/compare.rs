//! What was seen beside what the registry says: what would be written, what a person has to decide, and what
//! nobody can judge.

use super::entry::{Entry, Part, Seal, value};
use super::gather::{CoreSeen, Found, HostSeen, Observed};
use crate::model::{CoreId, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How far an inventory goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Remove entries of what is proved to be gone.
    pub prune: bool,
    /// Write over what a person wrote.
    pub overwrite: bool,
}

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// It was seen and is not in the registry.
    Add,
    /// The registry is behind what was seen.
    Change,
    /// The registry names what is proved not to be there.
    Gone,
    /// The registry says something else, and a person wrote it; or what was seen is ambiguous.
    Conflict,
}

impl Sort {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its kind.
    pub sort: Sort,
    /// What is, or would be, its entry's place and name.
    pub scope: Scope,
    /// The parameter's whole name.
    pub name: String,
    /// What entries that belong together share: a host's or a core's id.
    pub lane: String,
    /// Fields that differ: what the registry says, and what was seen.
    pub fields: Vec<(&'static str, Option<String>, String)>,
    /// Why, in a sentence.
    pub why: String,
    /// The version that the entry has now, and its value; none where there is none.
    pub was: Option<(u64, String)>,
    /// What it would be; none when it would be removed, or when nothing can be written.
    pub to: Option<String>,
    /// Whether it can be written at all.
    pub is_open: bool,
}

impl Difference {
    /// Whether a synchronisation would write it.
    pub fn is_due(&self, policy: Policy) -> bool {
        self.is_open
            && match self.sort {
                Sort::Add | Sort::Change => true,
                Sort::Gone => policy.prune,
                Sort::Conflict => policy.overwrite,
            }
    }
}

/// An entry that could not be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Unjudged {
    /// Where its parameter is.
    pub scope: Scope,
    /// Its parameter's name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What came of the comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Differences, by name.
    pub differences: Vec<Difference>,
    /// What nobody can judge, by name.
    pub unjudged: Vec<Unjudged>,
    /// Entries that say what was seen.
    pub same: usize,
}

/// One parameter to be written or removed: what an operation is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Where.
    pub scope: Scope,
    /// The parameter's whole name.
    pub name: String,
    /// What entries that belong together share.
    pub lane: String,
    /// Why.
    pub why: String,
    /// The version that it has, and its value; none where there is none.
    pub was: Option<(u64, String)>,
    /// What it shall be; none when it shall be removed.
    pub to: Option<String>,
}

impl Diff {
    /// What a synchronisation writes.
    pub fn writes(&self, policy: Policy) -> Vec<Write> {
        let due = self.differences.iter().filter(|one| one.is_due(policy));
        due.map(|one| Write {
            scope: one.scope.clone(),
            name: one.name.clone(),
            lane: one.lane.clone(),
            why: format!("{}: {}", one.sort.word(), one.why),
            was: one.was.clone(),
            to: one.to.clone(),
        })
        .collect()
    }
}

/// Compares. `path` is where the registry is: `/coredeck/main`.
pub fn compare(path: &str, seen: &Observed, entries: &[Entry]) -> Diff {
    let desk = Desk { path: path.trim_end_matches('/'), seen, entries };
    let mut diff = Diff::default();
    desk.cores(&mut diff);
    desk.tenants(&mut diff);
    diff.differences.sort_by(|one, other| (&one.scope, &one.name).cmp(&(&other.scope, &other.name)));
    diff.unjudged.sort_by(|one, other| one.name.cmp(&other.name));
    diff
}

struct Desk<'a> {
    path: &'a str,
    seen: &'a Observed,
    entries: &'a [Entry],
}

/// What becomes of an entry that names something that was not seen.
enum Fate {
    Gone(String),
    Unknown(String),
    Broken(String),
}

impl<'a> Desk<'a> {
    fn of(&self, part: Part) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.entries.iter().filter(move |entry| entry.part == part)
    }

    fn cores(&self, diff: &mut Diff) {
        let mut seen: BTreeMap<&str, Vec<&CoreSeen>> = BTreeMap::new();
        for core in self.seen.cores.iter().filter(|core| core.found == Found::Docker) {
            seen.entry(core.id.as_str()).or_default().push(core);
        }
        let tasks: BTreeSet<&str> = self
            .seen
            .cores
            .iter()
            .filter(|core| core.found == Found::Ecs)
            .map(|core| core.id.as_str())
            .collect();
        let hosts: BTreeMap<&str, &HostSeen> =
            self.seen.hosts.iter().map(|host| (host.id.as_str(), host)).collect();
        for entry in self.of(Part::Cores) {
            match seen.remove(entry.id.as_str()) {
                Some(found) => self.core(entry, &found, diff),
                None if tasks.contains(entry.id.as_str()) => diff.same += 1,
                None => self.missing(entry, self.fate(entry, &hosts), diff),
            }
        }
        for (id, found) in seen {
            let running: Vec<&&CoreSeen> = found.iter().filter(|core| core.runs()).collect();
            // A container that somebody stopped long ago is not put down as a core.
            let Some(core) = running.first() else { continue };
            let name = format!("{}/cores/{id}", self.path);
            let fields = fields(core);
            let mut one = Difference {
                sort: Sort::Add,
                scope: core.scope.clone(),
                lane: core.instance_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                fields: fields.iter().map(|(field, value)| (*field, None, plain(value))).collect(),
                why: format!("it runs on {} and is not in the registry", on(core)),
                was: None,
                to: Some(value(Part::Cores, None, &fields)),
                is_open: true,
                name,
            };
            if running.len() > 1 {
                ambiguous(&mut one, &running);
            } else if !is_name(id) {
                (one.sort, one.is_open) = (Sort::Conflict, false);
                one.why = "its id cannot be a parameter's name: label its container coredeck.core".to_owned();
            }
            diff.differences.push(one);
        }
    }

    fn core(&self, entry: &Entry, found: &[&CoreSeen], diff: &mut Diff) {
        let running: Vec<&&CoreSeen> = found.iter().filter(|core| core.runs()).collect();
        let named = found
            .iter()
            .find(|core| core.instance_id.as_ref().map(|id| id.as_str()) == entry.text("instance_id"));
        // Of several stopped ones the one that the registry names is meant.
        let Some(core) = running.first().copied().or(named).or(found.first()) else { return };
        let moved = entry
            .text("instance_id")
            .filter(|was| core.instance_id.as_ref().is_some_and(|now| now.as_str() != *was));
        let why = match moved {
            Some(was) => format!("it is on {} and no longer on {was}", on(core)),
            None => format!("docker on {} says otherwise", on(core)),
        };
        let lane = core.instance_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut seen = fields(core);
        // What it has no more is taken out of the entry; of a task nobody knows.
        if core.base_path.is_none() && core.container.is_some() && entry.text("base_path").is_some() {
            seen.push(("base_path", Value::Null));
        }
        let one = self.differs(entry, &seen, lane, why);
        match one {
            Some(mut one) => {
                if running.len() > 1 {
                    ambiguous(&mut one, &running);
                }
                diff.differences.push(one);
            }
            None => diff.same += 1,
        }
    }

    /// An entry that says something else than was seen.
    fn differs(
        &self,
        entry: &Entry,
        seen: &[(&'static str, Value)],
        lane: String,
        why: String,
    ) -> Option<Difference> {
        let empty = serde_json::Map::new();
        let had = entry.fields.as_ref().unwrap_or(&empty);
        let differing: Vec<&(&'static str, Value)> = seen
            .iter()
            .filter(|(field, value)| {
                // A tier that a person gave it stays: what hosts say of it is a guess or a label.
                let is_given = *field == "tier" && entry.seal != Seal::Intact && had.contains_key(*field);
                had.get(*field) != Some(value) && !is_given
            })
            .collect();
        if differing.is_empty() && entry.fields.is_ok() {
            return None;
        }
        let is_filled = |field: &str| had.contains_key(field);
        let is_by_hand = entry.seal != Seal::Intact && differing.iter().any(|(field, _)| is_filled(field));
        let closed = entry.is_closed();
        let sort = if closed.is_some() || is_by_hand { Sort::Conflict } else { Sort::Change };
        let why = match (&closed, entry.seal) {
            (Some(closed), _) => format!("nothing is written over it: {closed}"),
            (None, Seal::Broken) if is_by_hand => {
                format!("{why}; it was edited by hand since the last inventory")
            }
            (None, Seal::None) if is_by_hand => format!("{why}; no inventory wrote it"),
            (None, _) => why,
        };
        let to_write: Vec<(&'static str, Value)> = differing.iter().map(|one| (*one).clone()).collect();
        // What a closed entry holds is not repeated anywhere.
        let shown = |field: &str| had.get(field).filter(|_| closed.is_none()).map(plain);
        Some(Difference {
            sort,
            scope: entry.scope.clone(),
            name: entry.name.clone(),
            lane,
            fields: differing.iter().map(|(field, value)| (*field, shown(field), plain(value))).collect(),
            why,
            is_open: closed.is_none(),
            was: closed.is_none().then(|| (entry.version, entry.raw.clone())),
            to: closed.is_none().then(|| value(entry.part, Some(entry), &to_write)),
        })
    }

    fn missing(&self, entry: &Entry, fate: Fate, diff: &mut Diff) {
        let why = match fate {
            Fate::Unknown(why) => {
                diff.unjudged.push(Unjudged { scope: entry.scope.clone(), name: entry.name.clone(), why });
                return;
            }
            Fate::Gone(why) | Fate::Broken(why) if entry.is_closed().is_some() => why,
            Fate::Gone(why) => {
                let lane = entry.text("instance_id").or_else(|| entry.text("core")).unwrap_or(&entry.id);
                diff.differences.push(Difference {
                    sort: Sort::Gone,
                    scope: entry.scope.clone(),
                    name: entry.name.clone(),
                    lane: lane.to_owned(),
                    fields: Vec::new(),
                    why,
                    was: Some((entry.version, entry.raw.clone())),
                    to: None,
                    is_open: true,
                });
                return;
            }
            Fate::Broken(why) => why,
        };
        diff.differences.push(Difference {
            sort: Sort::Conflict,
            scope: entry.scope.clone(),
            name: entry.name.clone(),
            lane: entry.id.clone(),
            fields: Vec::new(),
            why,
            was: None,
            to: None,
            is_open: false,
        });
    }

    /// Why a core of the registry was not seen.
    fn fate(&self, entry: &Entry, hosts: &BTreeMap<&str, &HostSeen>) -> Fate {
        if let Err(why) = &entry.fields {
            return Fate::Broken(format!("it cannot be understood: {why}"));
        }
        let Some(id) = entry.text("instance_id") else {
            return Fate::Broken("it names no host, and no host has it".to_owned());
        };
        match hosts.get(id) {
            Some(HostSeen { containers: Err(why), .. }) => {
                Fate::Unknown(format!("its host {id} could not be asked: {why}"))
            }
            Some(HostSeen { is_cut: true, .. }) => {
                Fate::Unknown(format!("its host {id} has more containers than its answer could hold"))
            }
            Some(_) => Fate::Gone(format!("its host {id} answered, and has no such container")),
            None => match &self.seen.instances {
                Some(all) if all.iter().any(|known| known.as_str() == id) => {
                    Fate::Unknown(format!("its host {id} was not asked"))
                }
                Some(_) => Fate::Gone(format!("its host {id} does not exist")),
                None => Fate::Unknown("not all instances could be read".to_owned()),
            },
        }
    }

    fn tenants(&self, diff: &mut Diff) {
        let by_domain: BTreeMap<&str, &super::TenantSeen> =
            self.seen.tenants.iter().map(|tenant| (tenant.domain.as_str(), tenant)).collect();
        let mut named: BTreeSet<String> = BTreeSet::new();
        for entry in self.of(Part::Tenants) {
            let Some(domain) = entry.text("domain").map(str::to_lowercase) else {
                match &entry.fields {
                    // A tenant that is its whole core has no domain that anybody could look for.
                    Ok(_) => diff.same += 1,
                    Err(why) => {
                        self.missing(entry, Fate::Broken(format!("it cannot be understood: {why}")), diff);
                    }
                }
                continue;
            };
            named.insert(domain.clone());
            match by_domain.get(domain.as_str()) {
                Some(tenant) => {
                    let core = entry.text("core");
                    let serves = |id: &CoreId| Some(id.as_str()) == core;
                    if serves(&tenant.core) || tenant.also.iter().any(serves) {
                        diff.same += 1;
                        continue;
                    }
                    let seen = [("core", Value::from(tenant.core.as_str()))];
                    let why = format!("{} says that {} serves it", tenant.by, tenant.core);
                    match self.differs(entry, &seen, tenant.core.to_string(), why) {
                        Some(one) => diff.differences.push(one),
                        None => diff.same += 1,
                    }
                }
                None => self.unseen(entry, &domain, diff),
            }
        }
        for tenant in self.seen.tenants.iter().filter(|tenant| !named.contains(tenant.domain.as_str())) {
            let fields = [
                ("core", Value::from(tenant.core.as_str())),
                ("domain", Value::from(tenant.domain.as_str())),
            ];
            let is_open = is_name(&tenant.domain);
            let name = format!("{}/tenants/{}", self.path, tenant.domain);
            let is_taken = self.of(Part::Tenants).any(|entry| entry.name == name);
            diff.differences.push(Difference {
                sort: if is_open && !is_taken { Sort::Add } else { Sort::Conflict },
                scope: tenant.scope.clone(),
                name,
                lane: tenant.core.to_string(),
                fields: fields.iter().map(|(field, value)| (*field, None, plain(value))).collect(),
                why: if is_taken {
                    "an entry of that name is about another domain".to_owned()
                } else {
                    format!("{} names it, and no entry does", tenant.by)
                },
                was: None,
                to: Some(value(Part::Tenants, None, &fields)),
                is_open: is_open && !is_taken,
            });
        }
    }

    /// A tenant's domain that nobody named.
    fn unseen(&self, entry: &Entry, domain: &str, diff: &mut Diff) {
        let fate = match entry.text("core").and_then(|core| Some((core, self.seen.told.get(core)?))) {
            // The core's own list is the only proof: a customer without a rule may still be served.
            Some((core, domains)) if !domains.is_empty() && !domains.contains(domain) => {
                Fate::Gone(format!("its core {core} lists its domains, and {domain} is not among them"))
            }
            _ => {
                let is_on_its_own = entry.text("core").is_some_and(|core| {
                    let cores = self.seen.cores.iter();
                    cores.clone().any(|seen| seen.id.as_str() == core && seen.runs())
                });
                if is_on_its_own {
                    // Its core is there, and nothing else could be asked.
                    diff.same += 1;
                    return;
                }
                Fate::Unknown("neither its core nor a rule tells of it".to_owned())
            }
        };
        self.missing(entry, fate, diff);
    }
}

/// Several containers claim to be one core.
fn ambiguous(one: &mut Difference, running: &[&&CoreSeen]) {
    let hosts: Vec<String> = running.iter().map(|core| on(core)).collect();
    (one.sort, one.is_open) = (Sort::Conflict, false);
    one.why = format!("it runs in several places at once: {}", hosts.join(", "));
}

fn on(core: &CoreSeen) -> String {
    core.instance_id.as_ref().map_or_else(|| "no host".to_owned(), ToString::to_string)
}

fn fields(core: &CoreSeen) -> Vec<(&'static str, Value)> {
    let text = |value: Option<&str>| value.map(Value::from);
    [
        ("tier", text(core.tier.as_ref().map(|tier| tier.as_str()))),
        ("instance_id", text(core.instance_id.as_ref().map(|id| id.as_str()))),
        ("container", text(core.container.as_deref())),
        ("port", core.port.map(Value::from)),
        ("base_path", text(core.base_path.as_deref())),
        ("version", text(core.version.as_deref())),
        ("image", text(core.image.as_deref())),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, value?)))
    .collect()
}

fn plain(value: &Value) -> String {
    if value.is_null() {
        return "nothing".to_owned();
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether AWS takes it as the last part of a parameter's name.
fn is_name(id: &str) -> bool {
    !id.is_empty() && id.len() <= 512 && id.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
