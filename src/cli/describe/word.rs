//! What cores say of a core or tenant: a day of requests of each app, and who fills its databases' connections.

use crate::capacity::{Left, Pools, left, pools};
use crate::cli::output::{Colour, paint};
use crate::config::Figures;
use crate::fleet::Fleet;
use crate::model::admin::points;
use crate::model::text::harmless;
use crate::query::Kind;
use crate::query::word::domains;
use serde_json::{Map, Value as Json, json};
use unicode_width::UnicodeWidthStr;

/// Minutes of a point of a day.
const POINT: u32 = 30;

/// Each app with its requests a minute, half an hour a point; those that tell nothing are left out.
fn days(fleet: &Fleet, kind: Kind, at: usize) -> Vec<(String, Vec<Option<f64>>)> {
    let domains = domains(fleet, kind, at);
    let all = domains.iter().flat_map(|domain| domain.by_app());
    let minutes = |day: &[Option<f64>]| day.iter().map(|point| point.map(|rate| rate * 60.0)).collect();
    all.filter(|(_, day)| day.iter().any(Option::is_some))
        .map(|(place, day)| (place.to_string(), minutes(day)))
        .collect()
}

fn databases(fleet: &Fleet, kind: Kind, at: usize, figures: Option<&Figures>) -> Vec<Pools> {
    figures.map_or_else(Vec::new, |figures| pools(fleet, &domains(fleet, kind, at), figures))
}

fn room(fleet: &Fleet, kind: Kind, at: usize, figures: Option<&Figures>) -> Option<Left> {
    let core = fleet.cores.get(at).filter(|_| kind == Kind::Cores)?;
    figures.map(|figures| left(fleet, core, figures))
}

/// Appends it for people.
pub(super) fn text(
    fleet: &Fleet,
    kind: Kind,
    at: usize,
    figures: Option<&Figures>,
    colour: Colour,
    text: &mut String,
) {
    let days = days(fleet, kind, at);
    if !days.is_empty() {
        let title = "requests a minute, a day, half an hour a letter, the latest at the right";
        text.push_str(&format!("{}\n", paint(title, "1", colour)));
    }
    let names = days.iter().map(|(name, _)| harmless(name).width()).max().unwrap_or(0);
    for (name, day) in &days {
        let most = day.iter().flatten().copied().fold(0.0, f64::max);
        let now = day.iter().rev().flatten().next().copied().unwrap_or(0.0);
        let name = harmless(name);
        text.push_str(&format!("  {name:names$}  {}  now {now:.0}, at most {most:.0}\n", points(day)));
    }
    if let Some(left) = room(fleet, kind, at, figures) {
        text.push_str(&format!("{}\n", paint("capacity left", "1", colour)));
        for (what, said) in left.said() {
            text.push_str(&format!("  {what:<18}{said}\n"));
        }
    }
    let databases = databases(fleet, kind, at, figures);
    if !databases.is_empty() {
        let title = "database connections, of all cores and replicas with pools to it, at most";
        text.push_str(&format!("{}\n", paint(title, "1", colour)));
    }
    for one in &databases {
        let said = if one.is_too_many() { paint(&one.said(), "31;1", colour) } else { one.said() };
        text.push_str(&format!("  {}  {said}\n", harmless(&one.database)));
    }
}

/// Adds it for programs: nothing where nothing is known.
pub(super) fn document(
    fleet: &Fleet,
    kind: Kind,
    at: usize,
    figures: Option<&Figures>,
    object: &mut Map<String, Json>,
) {
    if !matches!(kind, Kind::Cores | Kind::Tenants) {
        return;
    }
    let days = days(fleet, kind, at)
        .into_iter()
        .map(|(name, day)| json!({ "app": name, "minutes_a_point": POINT, "requests_a_minute": day }));
    object.insert("requests".to_owned(), days.collect());
    if let Some(left) = room(fleet, kind, at, figures) {
        object.insert("capacity_left".to_owned(), left.json());
    }
    let databases = databases(fleet, kind, at, figures);
    object.insert("databases".to_owned(), databases.iter().map(Pools::json).collect());
}
