//! How an inventory is written: tables and lines for people, one document for programs.

use crate::cli::args::ShowFormat;
use crate::cli::json;
use crate::cli::output::Colour;
use crate::cli::table::{self, Cell, Heading};
use crate::fleet::Fleet;
use crate::inventory::{CoreSeen, Diff, Difference, HostSeen, Observed, Policy, Sort, TenantSeen, Unjudged};
use crate::model::text::harmless;
use crate::model::{Health, Known, Route, Tenant};
use crate::query::Unit;
use crate::query::show::age;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A document in the format of choice.
pub(super) fn written(document: &Value, format: ShowFormat) -> String {
    match format {
        ShowFormat::Yaml => json::yaml(document),
        ShowFormat::Json | ShowFormat::Table => json::document(document),
    }
}

/// What a host is called.
pub(super) fn host(host: &HostSeen) -> String {
    match &host.name {
        Some(name) => format!("{} ({name})", host.id),
        None => host.id.to_string(),
    }
}

/// Which entries were not judged, the same reason once.
pub(super) fn unjudged(all: &[Unjudged]) -> Vec<String> {
    let mut whys: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in all {
        match whys.iter_mut().find(|(why, _)| *why == one.why) {
            Some((_, names)) => names.push(&one.name),
            None => whys.push((&one.why, vec![&one.name])),
        }
    }
    let said = |(why, names): &(&str, Vec<&str>)| {
        let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        harmless(&format!("{shown}{more}: not judged: {why}")).into_owned()
    };
    whys.iter().map(said).collect()
}

fn cell(text: impl AsRef<str>) -> Cell {
    Cell { text: harmless(text.as_ref()).into_owned(), health: None }
}

fn maybe(text: Option<impl ToString>) -> Cell {
    cell(text.map(|text| text.to_string()).unwrap_or_default())
}

fn heading(title: &str, unit: Unit) -> Heading {
    Heading { title: title.to_owned(), unit, is_id: title == "CORE" || title == "HOST" || title == "DOMAIN" }
}

/// The memory that containers of a host may take at most, as docker said it: of its cores that run, and how many of
/// them have no limit. None where docker said nothing of any.
fn memory(host: &HostSeen, seen: &Observed) -> Option<(u64, usize)> {
    let is_here =
        |one: &&CoreSeen| one.scope == host.scope && one.instance_id.as_ref() == Some(&host.id) && one.runs();
    host.containers.as_ref().ok()?;
    let cores: Vec<&CoreSeen> = seen.cores.iter().filter(is_here).collect();
    let limited = cores.iter().filter_map(|one| one.memory_mib);
    let without = cores.iter().filter(|one| one.memory_mib.is_none()).count();
    (!cores.is_empty()).then(|| (limited.sum(), without))
}

fn memory_said((limited, without): (u64, usize)) -> String {
    match (limited, without) {
        (0, _) => "no limits".to_owned(),
        (limited, 0) => format!("{limited} MiB"),
        (limited, without) => format!("{limited} MiB, {without} without limit"),
    }
}

/// The host names of tenants that Route 53 leads somewhere, with their tenants.
fn names(fleet: &Fleet) -> Vec<(&Tenant, &Route)> {
    let led = fleet.tenants.iter().filter_map(|tenant| match &tenant.route {
        Known::Yes(Some(route)) => Some((tenant, &**route)),
        Known::Yes(None) | Known::No(_) => None,
    });
    let mut all: Vec<(&Tenant, &Route)> = led.collect();
    all.sort_by(|one, other| one.1.way.cmp(&other.1.way));
    all
}

/// Tables of hosts, cores, tenants and host names.
pub(super) fn observed(
    seen: &Observed,
    fleet: &Fleet,
    now: Timestamp,
    width: Option<usize>,
    colour: Colour,
) -> String {
    let mut text = String::new();
    let mut table = |headings: &[(&str, Unit)], rows: Vec<Vec<Cell>>| {
        if rows.is_empty() {
            return;
        }
        let headings: Vec<Heading> = headings.iter().map(|(title, unit)| heading(title, *unit)).collect();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&table::draw(&headings, &rows, true, width, colour));
    };
    let hosts = seen.hosts.iter().map(|one| {
        let answer = match &one.containers {
            Ok(count) if one.is_cut => format!("more than {count} containers"),
            Ok(1) => "1 container".to_owned(),
            Ok(count) => format!("{count} containers"),
            Err(why) => why.clone(),
        };
        let health = match &one.containers {
            Ok(_) if !one.is_cut => Health::Ok,
            Err(_) if one.is_down => Health::Unknown,
            _ => Health::Warn,
        };
        let answer = Cell { health: Some(health), ..cell(answer) };
        let memory = maybe(memory(one, seen).map(memory_said));
        vec![cell(one.id.as_str()), maybe(one.name.as_ref()), maybe(one.tier.as_ref()), answer, memory]
    });
    let text_units = |titles: &'static [&'static str]| -> Vec<(&'static str, Unit)> {
        titles.iter().map(|title| (*title, Unit::Text)).collect()
    };
    table(&text_units(&["HOST", "NAME", "TIER", "ANSWER", "MEMORY"]), hosts.collect());
    let cores = seen.cores.iter().map(|one| {
        let state = if one.runs() { Health::Ok } else { Health::Warn };
        vec![
            cell(one.id.as_str()),
            maybe(one.tier.as_ref()),
            maybe(one.instance_id.as_ref()),
            maybe(one.port),
            maybe(one.version.as_ref()),
            Cell { health: Some(state), ..cell(&one.state) },
            maybe(one.started_at.map(|at| age(at, now))),
            maybe(limits(one)),
            cell(one.found.word()),
            cell(age(one.at, now)),
        ]
    });
    let headings = [
        ("CORE", Unit::Text),
        ("TIER", Unit::Text),
        ("ON", Unit::Text),
        ("PORT", Unit::Count),
        ("VERSION", Unit::Text),
        ("STATE", Unit::Text),
        ("UP", Unit::Span),
        ("LIMITS", Unit::Text),
        ("BY", Unit::Text),
        ("SEEN", Unit::Span),
    ];
    table(&headings, cores.collect());
    let tenants = seen.tenants.iter().map(|one| {
        let also: Vec<&str> = one.also.iter().map(|id| id.as_str()).collect();
        vec![cell(&one.domain), cell(one.core.as_str()), cell(also.join(", ")), cell(one.by)]
    });
    table(&text_units(&["DOMAIN", "SERVED BY", "AND", "SAYS"]), tenants.collect());
    let names = names(fleet).into_iter().map(|(tenant, route)| {
        let ends: Vec<String> = route.ends.iter().map(ToString::to_string).collect();
        vec![
            cell(route.way.first().map_or("", |name| name.as_str())),
            cell(tenant.id.as_str()),
            cell(ends.join(", ")),
            cell(route.way.iter().skip(1).map(|name| name.as_str()).collect::<Vec<_>>().join(", ")),
            cell(format!("{} s", route.ttl)),
            cell(if route.is_private { format!("{} (private)", route.zone) } else { route.zone.to_string() }),
        ]
    });
    table(&text_units(&["NAME", "TENANT", "LEADS TO", "BY WAY OF", "TTL", "ZONE"]), names.collect());
    text
}

fn limits(core: &CoreSeen) -> Option<String> {
    let memory = core.memory_mib.map(|mib| format!("{mib} MiB"));
    let cpu = core.cpu_millis.map(|millis| format!("{:.2} CPU", millis as f64 / 1000.0));
    match (memory, cpu) {
        (Some(memory), Some(cpu)) => Some(format!("{memory}, {cpu}")),
        (memory, cpu) => memory.or(cpu),
    }
}

/// Everything that was seen.
pub(super) fn observed_json(seen: &Observed, fleet: &Fleet) -> Value {
    let hosts = seen.hosts.iter().map(|one| {
        json!({
            "account": one.scope.account, "region": one.scope.region, "id": one.id, "name": one.name,
            "tier": one.tier, "containers": one.containers.as_ref().ok(), "trouble": one.containers.as_ref().err(),
            "is_cut": one.is_cut, "is_down": one.is_down,
            "memory_limits_mib": memory(one, seen).map(|(limited, _)| limited),
            "cores_without_limit": memory(one, seen).map(|(_, without)| without),
        })
    });
    let cores = seen.cores.iter().map(|one| {
        json!({
            "account": one.scope.account, "region": one.scope.region, "id": one.id, "tier": one.tier,
            "instance_id": one.instance_id, "container": one.container, "image": one.image,
            "version": one.version, "port": one.port, "state": one.state,
            "started_at": one.started_at.map(|at| at.to_string()), "memory_mib": one.memory_mib,
            "cpu_millis": one.cpu_millis, "found_by": one.found.word(), "seen_at": one.at.to_string(),
        })
    });
    let tenant = |one: &TenantSeen| {
        json!({
            "account": one.scope.account, "region": one.scope.region, "domain": one.domain, "core": one.core,
            "also": one.also, "found_by": one.by,
        })
    };
    let name = |(tenant, route): (&Tenant, &Route)| {
        json!({
            "account": tenant.scope.account, "region": tenant.scope.region, "name": route.way.first(),
            "tenant": tenant.id, "leads_to": route.ends.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "way": route.way, "ttl_s": route.ttl, "zone": route.zone, "is_private": route.is_private,
        })
    };
    json!({
        "schema": "coredeck.inventory.v1",
        "hosts": hosts.collect::<Vec<_>>(),
        "cores": cores.collect::<Vec<_>>(),
        "tenants": seen.tenants.iter().map(tenant).collect::<Vec<_>>(),
        "names": names(fleet).into_iter().map(name).collect::<Vec<_>>(),
        "notes": seen.notes,
    })
}

/// Differences, one after the other.
pub(super) fn diff(diff: &Diff, policy: Policy) -> String {
    let mut text = String::new();
    for one in &diff.differences {
        let sign = match one.sort {
            Sort::Add => "+",
            Sort::Change => "~",
            Sort::Gone => "-",
            Sort::Conflict => "!",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{sign} {}{}", harmless(&one.name), left(one, policy));
        let _ = writeln!(text, "    {}", harmless(&one.why));
        for (field, was, now) in &one.fields {
            let was = was.as_deref().map(|was| format!("{} → ", harmless(was))).unwrap_or_default();
            let _ = writeln!(text, "    {field}: {was}{}", harmless(now));
        }
    }
    for one in &diff.unjudged {
        let _ = writeln!(text, "? {}\n    not judged: {}", harmless(&one.name), harmless(&one.why));
    }
    text
}

/// Why a difference would not be written.
fn left(one: &Difference, policy: Policy) -> &'static str {
    match one.sort {
        _ if one.is_due(policy) => "",
        Sort::Gone => " (left: --prune removes it)",
        Sort::Conflict if one.is_open => " (left: --overwrite-edited writes over it)",
        _ => " (left: a person has to decide)",
    }
}

/// How many of each, in a line.
pub(super) fn sum(diff: &Diff, policy: Policy) -> String {
    let count = |sort: Sort| diff.differences.iter().filter(|one| one.sort == sort).count();
    format!(
        "{} as the registry says, {} to add, {} to change, {} gone, {} in conflict, {} not judged; {} would be written",
        diff.same,
        count(Sort::Add),
        count(Sort::Change),
        count(Sort::Gone),
        count(Sort::Conflict),
        diff.unjudged.len(),
        diff.writes(policy).len()
    )
}

/// Differences for programs.
pub(super) fn diff_json(diff: &Diff, policy: Policy) -> Value {
    let differences = diff.differences.iter().map(|one| {
        let fields: Vec<Value> = one
            .fields
            .iter()
            .map(|(field, was, now)| json!({ "field": field, "registry": was, "seen": now }))
            .collect();
        json!({
            "account": one.scope.account, "region": one.scope.region, "name": one.name, "sort": one.sort,
            "why": one.why, "fields": fields, "version": one.was.as_ref().map(|(version, _)| version),
            "is_written": one.is_due(policy),
        })
    });
    let unjudged = diff.unjudged.iter().map(|one| json!({ "name": one.name, "why": one.why }));
    json!({
        "schema": "coredeck.inventory-diff.v1",
        "differences": differences.collect::<Vec<_>>(),
        "unjudged": unjudged.collect::<Vec<_>>(),
        "same": diff.same,
        "to_write": diff.writes(policy).len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;

    #[test]
    fn what_is_not_judged_for_the_same_reason_is_one_sentence() {
        let one = |name: &str, why: &str| Unjudged {
            scope: Scope { account: "a".into(), region: "r".into() },
            name: name.to_owned(),
            why: why.to_owned(),
        };
        let all = [
            one("a", "offline"),
            one("x", "gone"),
            one("b", "offline"),
            one("c", "offline"),
            one("d", "offline"),
        ];
        assert_eq!(unjudged(&all), ["a, b, c and 1 more: not judged: offline", "x: not judged: gone"]);
    }
}
