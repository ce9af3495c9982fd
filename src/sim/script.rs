//! Scenarios in TOML: what is pretended, what goes wrong, and what happens when.

mod fleet;
pub(crate) mod pattern;
mod spans;

use self::spans::{Faults, Table};
use super::faults::{Mischief, Rule};
use super::world::scaling::PROCESSES;
use super::{Options, Scenario};
use crate::clock::Clock;
use crate::error::Error;
use std::path::Path;
use std::time::Duration;

/// Something that a scenario lets happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// When, after the start in pretended time.
    pub at: Duration,
    /// The number of the account that it happens in, with `*` and `?`.
    pub account: String,
    /// The region that it happens in, with `*` and `?`.
    pub region: String,
    /// What.
    pub what: What,
}

/// What can happen. Instances are named by id or by their `Name` tag.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A spot instance gets its notice, and is taken two minutes later.
    Interrupt(String),
    /// Somebody terminates an instance.
    Terminate(String),
    /// Somebody stops an instance.
    Stop(String),
    /// An instance fails its status check from now on.
    Impair(String),
    /// It passes again.
    Heal(String),
    /// The agents on an instance fall silent.
    Silence(String),
    /// A group's desired capacity is set, which launches or ends instances.
    Scale(String, u32),
    /// A service (cluster, name) gets a new deployment.
    Deploy(String, String),
    /// An alarm takes a state.
    Alarm(String, String),
    /// Somebody else edits a tag: instance, key, value.
    Tag(String, String, String),
    /// Somebody else edits a parameter, or AWS publishes one: name, value.
    Parameter(String, String),
    /// Somebody else starts an instance refresh of a group, with a version of its template when one is named.
    Refresh(String, Option<String>),
    /// Somebody else cancels the refresh of a group.
    CancelRefresh(String),
    /// Somebody else suspends a process of a group.
    Suspend(String, String),
    /// Somebody else resumes it.
    Resume(String, String),
    /// A template gets another version with this image, by its name.
    Version(String, String),
    /// Somebody else sets a group to a version of its template.
    UseVersion(String, String),
    /// An image is deregistered, by its name.
    Deregister(String),
    /// There is room for a group's launches, or none.
    Room(String, bool),
    /// There is room for instances that are launched by themselves in a zone, by its name, or none.
    ZoneRoom(String, bool),
    /// Docker's daemon on an instance answers, or not any more; containers go on as they are.
    Docker(String, bool),
    /// An instance is protected from scale-in, or not any more.
    Protect(String, bool),
}

const TOP: &[&str] = &[
    "fleet",
    "seed",
    "speed",
    "instances",
    "accounts",
    "regions",
    "start",
    "lags",
    "buckets",
    "clock_off",
    "fault",
    "event",
];
const FAULT: &[&str] =
    &["kind", "service", "call", "account", "region", "rate", "times", "from", "until", "delay"];
const EVENT: &[&str] = &[
    "at",
    "do",
    "account",
    "region",
    "instance",
    "group",
    "desired",
    "cluster",
    "service",
    "alarm",
    "state",
    "key",
    "value",
    "parameter",
    "version",
    "process",
    "template",
    "image",
    "zone",
];

/// What an event can do.
const DEEDS: [&str; 24] = [
    "interrupt",
    "terminate",
    "stop",
    "impair",
    "heal",
    "silence",
    "scale",
    "deploy",
    "alarm",
    "tag",
    "parameter",
    "refresh",
    "cancel-refresh",
    "suspend",
    "resume",
    "new-version",
    "use-version",
    "deregister",
    "no-room",
    "room",
    "protect",
    "unprotect",
    "docker-down",
    "docker-up",
];

/// Reads a scenario file into options; what it does not say stays as it is by default.
///
/// # Errors
/// A file that cannot be read; and every fault in it at once, each with its line.
pub fn read(path: &Path) -> Result<Options, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("cannot read the scenario {}", path.display())).because(error)
    })?;
    parse(&text, &path.display().to_string())
}

/// Reads the text of a scenario; `name` is what its faults call it.
///
/// # Errors
/// As for [`read`].
pub fn parse(text: &str, name: &str) -> Result<Options, Error> {
    let mut faults = Faults::new(text, name);
    let mut options = Options::default();
    let (document, torn) = toml::de::DeTable::parse_recoverable(text);
    for error in &torn {
        faults.add(error.span().unwrap_or_default(), error.message().to_owned());
    }
    // What follows from a torn line is no fault of its own.
    if !torn.is_empty() {
        return Err(faults.into_error());
    }
    let top = Table::new(document.get_ref(), document.span());
    top.only(TOP, &mut faults);
    if let Some(seed) = top.whole("seed", &mut faults) {
        options.seed = seed;
    }
    if let Some(speed) = top.real("speed", &mut faults) {
        options.speed = speed;
        if speed > 1_000_000.0 {
            faults.add(top.at("speed"), "speed must be from 0 to 1000000".to_owned());
        }
    }
    options.instances = top.whole("instances", &mut faults).and_then(|count| usize::try_from(count).ok());
    if options.instances.is_some_and(|count| count > super::MOST_INSTANCES) {
        faults.add(top.at("instances"), format!("instances must be at most {}", super::MOST_INSTANCES));
    }
    if top.is_list("accounts") {
        options.account_ids = account_ids(&top, &mut faults);
        options.accounts = options.account_ids.len();
    } else if let Some(count) = top.whole("accounts", &mut faults) {
        options.accounts = usize::try_from(count).unwrap_or(usize::MAX);
    }
    if top.has("accounts") && !(1..=super::MOST_ACCOUNTS).contains(&options.accounts) {
        faults.add(top.at("accounts"), format!("accounts must be from 1 to {}", super::MOST_ACCOUNTS));
    }
    if let Some(regions) = top.texts("regions", &mut faults) {
        for (name, span) in &regions {
            if let Some(fault) = super::region_fault(name) {
                faults.add(span.clone(), fault);
            }
        }
        options.regions = regions.into_iter().map(|(name, _)| name.to_owned()).collect();
    }
    if let Some(start) = top.text("start", &mut faults) {
        match start.parse() {
            Ok(at) => options.clock = Clock::Fixed(at),
            Err(_) => {
                let sentence = format!("{start} is no moment such as 2026-11-21T12:00:00Z");
                faults.add(top.at("start"), sentence);
            }
        }
    }
    options.lags = top.flag("lags", &mut faults);
    options.buckets = top.flag("buckets", &mut faults);
    if let Some(off) = top.text("clock_off", &mut faults) {
        match off.parse() {
            Ok(off) => options.clock_off = off,
            Err(_) => {
                faults.add(top.at("clock_off"), format!("{off} is no time such as 20m or -90s"));
            }
        }
    }
    if top.is_text("fleet") {
        match top.text("fleet", &mut faults) {
            Some("empty") => options.scenario = Scenario::Empty,
            None | Some("demo") => {}
            Some(other) => {
                let sentence =
                    format!("fleet must be demo or empty, or be described under [[fleet]]; it is {other}");
                faults.add(top.at("fleet"), sentence);
            }
        }
    } else if top.has("fleet") {
        options.scenario = Scenario::Empty;
        let tables = top.tables("fleet", &mut faults);
        options.fleets =
            tables.iter().map(|table| fleet::fleet(table, &options.regions, &mut faults)).collect();
    }
    options.faults =
        top.tables("fault", &mut faults).iter().filter_map(|table| rule(table, &mut faults)).collect();
    options.events =
        top.tables("event", &mut faults).iter().filter_map(|table| happening(table, &mut faults)).collect();
    if faults.is_empty() { Ok(options) } else { Err(faults.into_error()) }
}

/// The numbers that accounts are to have.
fn account_ids(top: &Table, faults: &mut Faults) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for (id, span) in top.texts("accounts", faults).unwrap_or_default() {
        if id.len() != 12 || !id.bytes().all(|digit| digit.is_ascii_digit()) {
            faults.add(span, format!("{id} is no account: those are twelve digits"));
        } else if ids.iter().any(|known| known == id) {
            faults.add(span, format!("account {id} is named twice"));
        } else {
            ids.push(id.to_owned());
        }
    }
    ids
}

fn rule(table: &Table, faults: &mut Faults) -> Option<Rule> {
    table.only(FAULT, faults);
    let word = table.required("kind", faults)?;
    let Some((_, kind)) = Mischief::ALL.into_iter().find(|(known, _)| *known == word) else {
        let words = Mischief::ALL.map(|(known, _)| known);
        let near = crate::error::did_you_mean(word, words).map(|near| format!(", did you mean {near}?"));
        faults.add(table.at("kind"), format!("no fault is called {word}{}", near.unwrap_or_default()));
        return None;
    };
    let mut rule = Rule::always(kind);
    for (name, place) in [
        ("service", &mut rule.service),
        ("call", &mut rule.call),
        ("account", &mut rule.account),
        ("region", &mut rule.region),
    ] {
        if let Some(text) = table.text(name, faults) {
            *place = text.to_owned();
        }
    }
    if let Some(rate) = table.real("rate", faults) {
        rule.rate = rate;
        if rate > 1.0 {
            faults.add(table.at("rate"), format!("rate is a share from 0 to 1, not {rate}"));
        }
    }
    rule.times = table.whole("times", faults);
    rule.from = table.span_of_time("from", faults).unwrap_or_default();
    rule.until = table.span_of_time("until", faults);
    if rule.until.is_some_and(|until| until <= rule.from) {
        faults.add(table.at("until"), "until must come after from".to_owned());
    }
    if let Some(delay) = table.span_of_time("delay", faults) {
        rule.delay = delay;
    }
    Some(rule)
}

fn happening(table: &Table, faults: &mut Faults) -> Option<Happening> {
    table.only(EVENT, faults);
    let at = table.span_of_time("at", faults);
    if at.is_none() && !table.has("at") {
        faults.add(table.span(), "an event needs at".to_owned());
    }
    let word = table.required("do", faults)?;
    let mut need = |name: &str| table.required(name, faults).map(str::to_owned);
    let what = match word {
        "interrupt" => What::Interrupt(need("instance")?),
        "terminate" => What::Terminate(need("instance")?),
        "stop" => What::Stop(need("instance")?),
        "impair" => What::Impair(need("instance")?),
        "heal" => What::Heal(need("instance")?),
        "silence" => What::Silence(need("instance")?),
        "scale" => {
            let group = need("group")?;
            let desired = table.whole("desired", faults).and_then(|count| u32::try_from(count).ok());
            let Some(desired) = desired else {
                faults.add(table.span(), "scale needs desired, a whole number".to_owned());
                return None;
            };
            What::Scale(group, desired)
        }
        "deploy" => What::Deploy(need("cluster")?, need("service")?),
        "alarm" => {
            let (name, state) = (need("alarm")?, need("state")?);
            if !matches!(state.as_str(), "OK" | "ALARM" | "INSUFFICIENT_DATA") {
                faults.add(
                    table.at("state"),
                    format!("state must be OK, ALARM or INSUFFICIENT_DATA, not {state}"),
                );
            }
            What::Alarm(name, state)
        }
        "tag" => What::Tag(need("instance")?, need("key")?, need("value")?),
        "parameter" => What::Parameter(need("parameter")?, need("value")?),
        "refresh" => What::Refresh(need("group")?, table.text("version", faults).map(str::to_owned)),
        "cancel-refresh" => What::CancelRefresh(need("group")?),
        "suspend" | "resume" => {
            let (group, process) = (need("group")?, need("process")?);
            if !PROCESSES.contains(&process.as_str()) {
                let sentence = format!("Auto Scaling has no process {process}");
                faults.add(table.at("process"), sentence);
            }
            if word == "suspend" { What::Suspend(group, process) } else { What::Resume(group, process) }
        }
        "new-version" => What::Version(need("template")?, need("image")?),
        "use-version" => What::UseVersion(need("group")?, need("version")?),
        "deregister" => What::Deregister(need("image")?),
        "no-room" | "room" => match table.text("zone", faults).map(str::to_owned) {
            Some(zone) => What::ZoneRoom(zone, word == "room"),
            None => What::Room(table.required("group", faults)?.to_owned(), word == "room"),
        },
        "docker-down" | "docker-up" => What::Docker(need("instance")?, word == "docker-up"),
        "protect" | "unprotect" => What::Protect(need("instance")?, word == "protect"),
        other => {
            let near = crate::error::did_you_mean(other, DEEDS).map(|near| format!(", did you mean {near}?"));
            faults.add(table.at("do"), format!("nothing is called {other}{}", near.unwrap_or_default()));
            return None;
        }
    };
    let text = |name: &str, faults: &mut Faults| table.text(name, faults).unwrap_or("*").to_owned();
    let (account, region) = (text("account", faults), text("region", faults));
    Some(Happening { at: at?, account, region, what })
}
