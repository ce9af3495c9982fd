//! The overview: every tier with its health, capacity, spread and troubles; what is a guess; what is going on;
//! alarms; money.

mod alarms;
mod detail;
pub(crate) mod registry;

use self::detail::{Detail, Space};
use super::running::{self, Of, Running};
use super::{TextLine, trend};
use crate::fleet::TierRow;
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{AlarmState, Health, Known};
use crate::snapshot::{Measure, Subject};
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// What the overview adds up.
pub(crate) const SOURCES: &[Source] = &[
    Source::Instances,
    Source::Statuses,
    Source::Groups,
    Source::Refreshes,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Hosts,
    Source::TargetGroups,
    Source::Targets,
    Source::Rules,
    Source::Registry,
    Source::Alarms,
];

/// How many of the things that go on show.
const RUNNING: usize = 12;

/// Something the cursor can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A tier, by its number.
    Tier(usize),
    /// Something that goes on; and which of them it is.
    Running(Of, usize),
    /// An alarm, by its number.
    Alarm(usize),
}

/// A line of the overview.
pub(crate) struct Row {
    pub(crate) item: Option<Item>,
    pub(crate) pieces: TextLine,
}

/// What the cursor can be on, in order.
pub(crate) fn items(ui: &Ui) -> Vec<Item> {
    let tiers = (0..ui.world.fleet.tiers.len()).map(Item::Tier);
    let running = running::all(ui).into_iter().take(RUNNING).enumerate();
    let running = running.map(|(nth, it)| Item::Running(it.of, nth));
    tiers.chain(running).chain(ringing(ui).into_iter().map(Item::Alarm)).collect()
}

/// What the cursor is on.
pub(crate) fn item(ui: &Ui, cursor: usize) -> Option<Item> {
    items(ui).get(cursor).copied()
}

/// Alarms that ring.
pub(crate) fn ringing(ui: &Ui) -> Vec<usize> {
    let alarms = ui.world.fleet.alarms.iter().enumerate();
    alarms.filter(|(_, row)| row.it.state == AlarmState::Alarm).map(|(at, _)| at).collect()
}

/// A column of the tier table: how wide, its heading, whether at the right.
const COLUMNS: [(&str, usize, bool); 9] = [
    ("TIER", 14, false),
    ("HEALTH", 10, false),
    ("INSTANCES", 12, true),
    ("CORES", 9, true),
    ("TENANTS", 7, true),
    ("SPOT", 5, true),
    ("GROUPS", 6, true),
    ("SERVICES", 8, true),
    ("ZONES", 0, false),
];

/// Every line: as much of each tier as leaves room for what goes on and what rings.
pub(crate) fn rows(ui: &Ui) -> Vec<Row> {
    let height = super::height(ui);
    let tiers = &ui.world.fleet.tiers;
    let mut detail = Detail::new(tiers, Space::Roomy);
    let mut made = told(ui, &detail);
    if made.len() > height {
        detail = Detail::new(tiers, Space::Tight);
        made = told(ui, &detail);
    }
    let left = detail.spend(tiers, height.saturating_sub(made.len()), detail::ENOUGH);
    // How it went is worth less than what is wrong: it shows where there is room for all of it, and more of what
    // is wrong than anyone reads at once takes the lines that then are left.
    let courses = courses(ui);
    let courses = if courses.len() <= left { courses } else { Vec::new() };
    detail.spend(tiers, left - courses.len(), usize::MAX);
    let mut made = told(ui, &detail);
    made.extend(courses);
    made
}

/// The figures of the fleet of which the overview shows how they went.
const COURSES: [(Measure, &str); 3] =
    [(Measure::Instances, "instances"), (Measure::Unwell, "not well"), (Measure::Alarms, "alarms ringing")];

/// Spot markets of which the overview shows what they cost: those whose price moved most.
const MARKETS: usize = 3;

/// The spot markets of the fleet whose price moved, the farthest first.
fn markets(ui: &Ui) -> Vec<(Subject, Measure, String)> {
    let mut moved: Vec<(f64, &Subject)> = Vec::new();
    for (subject, measure, trend) in ui.world.timeline.trends.iter() {
        let prices = || trend.spans().iter().map(|held| held.value);
        let most = prices().fold(0.0, f64::max);
        let least = prices().fold(most, f64::min);
        if measure == Measure::SpotPrice && most > least {
            moved.push(((most - least) / most, subject));
        }
    }
    moved.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let named = |(_, subject): (f64, &Subject)| {
        let Subject::Market(_, market) = subject else { return None };
        let says = harmless(&format!("{} {}", market.instance_type, market.zone)).into_owned();
        Some((subject.clone(), Measure::SpotPrice, says))
    };
    moved.into_iter().filter_map(named).take(MARKETS).collect()
}

/// How the fleet went, and the tiers that changed; nothing before anything was kept for long enough.
fn courses(ui: &Ui) -> Vec<Row> {
    let width = usize::from(ui.width);
    let tiers = ui.world.fleet.tiers.iter().filter_map(|tier| tier.name.as_ref());
    let names: Vec<(Subject, Measure, String)> = COURSES
        .into_iter()
        .map(|(measure, name)| (Subject::Fleet, measure, name.to_owned()))
        .chain(tiers.map(|name| {
            let says = format!("tier {}", harmless(name.as_str()));
            (Subject::Tier(Some(name.clone())), Measure::Instances, says)
        }))
        .chain(markets(ui))
        .collect();
    let lead = 22.min(width / 4);
    let frame = trend::Frame { columns: (width / 2).clamp(8, 60), lines: 1, most: None };
    let mut rows = Vec::new();
    for (subject, measure, name) in names {
        let show = |value: f64| match measure {
            Measure::SpotPrice => trend::dollars(value),
            _ => format!("{value:.0}"),
        };
        let course = trend::course(ui, &subject, measure, frame, show);
        let Some(course) = course.filter(|it| it.has_changed || subject == Subject::Fleet) else { continue };
        if rows.is_empty() {
            rows.push(plain(Role::Text, String::new()));
            let title =
                vec![(Role::Title, "Trend".to_owned()), (Role::Dim, format!("  the last {}", course.span))];
            rows.push(Row { item: None, pieces: title });
        }
        let name = cell::cut(&name, lead, ui.signs().cut());
        let blank = " ".repeat(lead.saturating_sub(name.width()) + 2);
        let room = width.saturating_sub(2 + lead + 2 + frame.columns + 2);
        rows.push(Row {
            item: None,
            pieces: vec![
                (Role::Field, format!("{name}{blank}")),
                (Role::HealthBusy, course.lines.concat()),
                (Role::Text, format!("  {}", cell::cut(&course.says, room, ui.signs().cut()))),
            ],
        });
    }
    rows
}

fn told(ui: &Ui, detail: &Detail) -> Vec<Row> {
    let width = usize::from(ui.width);
    let fleet = &ui.world.fleet;
    let mut rows = Vec::new();
    if let Some(note) = &ui.about.note {
        let room = width.saturating_sub(2);
        if detail.space == Space::Tight {
            // Where every line counts, what is wrong counts more than how it is configured.
            rows.push(plain(Role::Note, cell::cut(note, room, ui.signs().cut()).into_owned()));
        } else {
            rows.extend(cell::wrap(note, room).into_iter().map(|text| plain(Role::Note, text)));
        }
    }
    if fleet.tiers.is_empty() {
        let (role, text) = nothing(ui, &[Source::Instances], "no tiers: nothing was found");
        rows.extend(cell::wrap(&text, width.saturating_sub(2)).into_iter().map(|text| plain(role, text)));
    } else {
        tiers(ui, width, detail, &mut rows);
    }
    let blank = |rows: &mut Vec<Row>| {
        if detail.space == Space::Roomy {
            rows.push(plain(Role::Text, String::new()));
        }
    };
    blank(&mut rows);
    going_on(ui, width, &mut rows);
    blank(&mut rows);
    alarms::ring(ui, width, &mut rows);
    registry::empty(ui, width, &mut rows);
    registry::drifted(ui, width, &mut rows);
    blank(&mut rows);
    let spend = vec![(Role::Title, "Spend".into()), (Role::Dim, "  not known yet: cost is not read".into())];
    rows.push(Row { item: None, pieces: spend });
    rows
}

/// The table of tiers, and below each what it runs on and what is wrong.
fn tiers(ui: &Ui, width: usize, detail: &Detail, rows: &mut Vec<Row>) {
    let shown = shown(width);
    let heads =
        COLUMNS.iter().zip(&shown).map(|((title, ..), width)| ((Role::Column, (*title).to_string()), *width));
    rows.push(Row { item: None, pieces: cells(ui, heads.collect()) });
    for (at, tier) in ui.world.fleet.tiers.iter().enumerate() {
        rows.push(Row { item: Some(Item::Tier(at)), pieces: cells(ui, tier_cells(ui, tier, &shown)) });
        if let Some(spread) = spread(ui, tier, width).filter(|_| detail.space == Space::Roomy) {
            rows.push(plain(Role::Dim, spread));
        }
        let troubles = detail.of(at);
        let more = tier.troubles.len().saturating_sub(troubles);
        for (nth, trouble) in tier.troubles.iter().take(troubles).enumerate() {
            let more =
                if nth + 1 == troubles && more > 0 { format!(" (+{more} more)") } else { String::new() };
            // What is wrong is worth more than how much else is.
            let more = if width < 6 + more.len() + 20 { String::new() } else { more };
            let room = width.saturating_sub(6 + more.len());
            let text = cell::cut(&trouble.says, room, ui.signs().cut()).into_owned();
            rows.push(plain(Role::Trouble, format!("  {} {text}{more}", ui.signs().dot())));
        }
    }
}

/// Which types of instances a tier runs on, over which zones they spread where the table has no room for that, and
/// which of its cores are on none of them.
fn spread(ui: &Ui, tier: &TierRow, width: usize) -> Option<String> {
    let at_least = if extent(ui, Source::Instances) == Extent::All { "" } else { ui.signs().at_least() };
    let told = |counts: &[(crate::model::Text, u32)]| {
        let each = counts.iter().map(|(name, count)| format!("{} {at_least}{count}", harmless(name)));
        each.collect::<Vec<_>>().join("  ")
    };
    let has_zones = shown(width).len() == COLUMNS.len();
    let mut says = told(&tier.types);
    if !has_zones && !tier.zones.is_empty() {
        says.push_str(&format!(" {} {}", ui.signs().dot(), told(&tier.zones)));
    }
    if let (adrift @ 1.., Known::Yes(cores)) = (tier.adrift, tier.cores) {
        let are = if adrift == 1 { "is" } else { "are" };
        let before = if says.is_empty() { String::new() } else { format!("{says} {} ", ui.signs().dot()) };
        says = format!("{before}{adrift} of its {cores} cores {are} on no running instance of the tier");
    }
    let says = cell::cut(&says, width.saturating_sub(6), ui.signs().cut()).into_owned();
    (!says.is_empty()).then(|| format!("    {says}"))
}

/// What is going on now.
fn going_on(ui: &Ui, width: usize, rows: &mut Vec<Row>) {
    let all = running::all(ui);
    let sources = [Source::Groups, Source::Refreshes, Source::Services, Source::Hosts];
    let mut title = vec![(Role::Title, "Running now".to_string())];
    let mut below = Vec::new();
    match (all.len(), nothing(ui, &sources, "no operation, refresh, deployment or drain")) {
        (0, (role, text)) => below = beside(&mut title, role, &text, width),
        (n, _) if n > RUNNING => title.push((Role::Dim, format!("  {RUNNING} of {n}"))),
        (n, _) => title.push((Role::Dim, format!("  {n}"))),
    }
    if ui.register.trouble.is_some() && !ui.is_past() {
        let text = "  operations of coredeck are missing: its journal cannot be read (:operations says why)";
        title.push((Role::Trouble, text.to_owned()));
    }
    rows.push(Row { item: None, pieces: title });
    rows.append(&mut below);
    for (nth, it) in all.into_iter().take(RUNNING).enumerate() {
        let Running { of, what, name, says, health } = it;
        let lead = format!("{} {what:<10}  ", ui.signs().health(health));
        let name = cell::cut(&name, (width / 2).max(20), ui.signs().cut()).into_owned();
        let rest = width.saturating_sub(2 + lead.width() + name.width() + 2);
        let says = cell::cut(&says, rest, ui.signs().cut()).into_owned();
        rows.push(Row {
            item: Some(Item::Running(of, nth)),
            pieces: vec![(health_role(health), lead), (Role::RowKey, name), (Role::Dim, format!("  {says}"))],
        });
    }
}

/// Puts a sentence behind a title; returns the rows of what has no room there.
fn beside(title: &mut Vec<(Role, String)>, role: Role, text: &str, width: usize) -> Vec<Row> {
    let taken: usize = title.iter().map(|(_, text)| text.width()).sum();
    let mut lines = cell::wrap(text, width.saturating_sub(2 + taken + 2)).into_iter();
    title.push((role, format!("  {}", lines.next().unwrap_or_default())));
    let rest: Vec<String> = lines.collect();
    let rest =
        cell::wrap(&rest.join(" "), width.saturating_sub(4)).into_iter().filter(|line| !line.is_empty());
    rest.map(|line| plain(role, format!("  {line}"))).collect()
}

fn plain(role: Role, text: String) -> Row {
    Row { item: None, pieces: vec![(role, text)] }
}

/// The widths of the columns that fit; those at the end go first, the zones take what is left.
fn shown(width: usize) -> Vec<usize> {
    let mut shown = Vec::new();
    let mut used = 2;
    for (_, wide, _) in COLUMNS {
        let left = width.saturating_sub(used);
        if shown.is_empty() {
            let first = wide.min(left.max(1));
            shown.push(first);
            used += first + 2;
        } else if wide == 0 && left >= 12 {
            shown.push(left);
        } else if wide > 0 && left >= wide {
            shown.push(wide);
            used += wide + 2;
        } else {
            break;
        }
    }
    shown
}

fn cells(ui: &Ui, cells: Vec<((Role, String), usize)>) -> TextLine {
    let mut pieces = Vec::new();
    for (at, ((role, text), width)) in cells.into_iter().enumerate() {
        let text = cell::cut(&text, width, ui.signs().cut());
        let blank = " ".repeat(width.saturating_sub(text.width()));
        let is_right = COLUMNS.get(at).is_some_and(|(_, _, is_right)| *is_right);
        // What is blank has no underline and no ground of its own.
        let (before, after) = if is_right { (blank, String::new()) } else { (String::new(), blank) };
        pieces.extend([(Role::Text, before), (role, text.into_owned()), (Role::Text, format!("{after}  "))]);
    }
    pieces.pop();
    pieces
}

/// In how many scopes a list was read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// In every scope, and no account is left out.
    All,
    /// In some, or only in part: what is counted is the least that there is.
    Some,
    /// Nowhere was anything read.
    None,
}

fn extent(ui: &Ui, source: Source) -> Extent {
    let snapshot = &ui.world.snapshot;
    let standings = || snapshot.parts.iter().map(|part| part.standing(source));
    if standings().all(|standing| standing.as_of.is_none()) {
        Extent::None
    } else if snapshot.troubles.is_empty() && standings().all(|it| it.as_of.is_some() && it.is_whole) {
        Extent::All
    } else {
        Extent::Some
    }
}

fn tier_cells(ui: &Ui, tier: &TierRow, shown: &[usize]) -> Vec<((Role, String), usize)> {
    let signs = ui.signs();
    let count = |known: Known<u32>| match known {
        Known::Yes(count) => (Role::Row, count.to_string()),
        Known::No(_) => (Role::Unknown, "?".into()),
    };
    let read = |source: Source, count: u32| match extent(ui, source) {
        Extent::All => (Role::Row, count.to_string()),
        Extent::Some => (Role::Unknown, format!("{}{count}", signs.at_least())),
        Extent::None => (Role::Unknown, "?".into()),
    };
    let (_, cores) = count(tier.cores);
    let extent = extent(ui, Source::Instances);
    let is_read = extent != Extent::None;
    let cores = match tier.core_room {
        _ if !is_read => "?".into(),
        Known::Yes(Some(room)) => format!("{cores}/{room}"),
        Known::Yes(None) => cores,
        Known::No(_) => format!("{cores}/?"),
    };
    let cores_role = if cores.contains('?') { Role::Unknown } else { Role::Row };
    let at_least = if extent == Extent::All { "" } else { signs.at_least() };
    let zones = tier.zones.iter().map(|(zone, count)| format!("{} {at_least}{count}", harmless(zone)));
    let spot = match tier.instances {
        // A share of some is not the share of all.
        _ if extent != Extent::All => (Role::Unknown, "?".into()),
        0 => (Role::Row, "-".into()),
        all => (Role::Row, format!("{}%", u64::from(tier.spot) * 100 / u64::from(all))),
    };
    let name = tier.name.as_ref().map_or("(no tier)", |name| name.as_str());
    // Nothing that was not read is called well.
    let how = match extent {
        Extent::All => tier.health,
        Extent::Some => tier.health.max(Health::Unknown),
        Extent::None => Health::Unknown,
    };
    let health = format!("{} {}", signs.health(how), how.word());
    // The worst of anything in it: that these are instances is said where they are counted.
    let (role, mut instances) = read(Source::Instances, tier.instances);
    if let Some(bad @ 1..) = tier.by_health.get(4) {
        // Where both have no room the count stands alone, and is not cut: what is bad is said below it.
        let both = format!("{instances}, {bad} bad");
        if both.chars().count() <= COLUMNS[2].1 {
            instances = both;
        }
    }
    let all = [
        (Role::RowKey, harmless(name).into_owned()),
        (health_role(how), health),
        (role, instances),
        (cores_role, cores),
        count(tier.tenants),
        spot,
        read(Source::Groups, tier.groups),
        read(Source::Services, tier.services),
        (Role::Row, zones.collect::<Vec<_>>().join("  ")),
    ];
    all.into_iter().zip(shown.iter().copied()).collect()
}

/// How a health is painted.
pub(crate) fn health_role(health: Health) -> Role {
    match health {
        Health::Ok => Role::HealthOk,
        Health::Busy => Role::HealthBusy,
        Health::Unknown => Role::HealthUnknown,
        Health::Warn => Role::HealthWarn,
        Health::Bad => Role::HealthBad,
    }
}

/// Why there is nothing to show: it is being read, could not be read, or is not there.
pub(crate) fn nothing(ui: &Ui, sources: &[Source], found_nothing: &str) -> (Role, String) {
    let parts = &ui.world.snapshot.parts;
    if parts.is_empty() {
        return match ui.world.snapshot.troubles.first() {
            Some((what, trouble)) => (Role::Trouble, format!("not read: {what}: {trouble}")),
            None => (Role::Note, format!("reading{} waiting for accounts and regions", ui.signs().cut())),
        };
    }
    let mut awaited = Vec::new();
    let mut failed = None;
    for part in parts {
        for source in sources {
            let standing = part.standing(*source);
            match (standing.as_of, standing.trouble) {
                (None, None) => awaited.push(format!("{} of {}", source.word(), part.scope)),
                (_, Some(trouble)) if failed.is_none() => {
                    failed =
                        Some(format!("{} of {} could not be read: {trouble}", source.word(), part.scope));
                }
                _ => {}
            }
        }
    }
    let more = awaited.len().saturating_sub(3);
    awaited.truncate(3);
    let mut waits = awaited.join(", ");
    if more > 0 {
        waits.push_str(&format!(" and {more} more"));
    }
    if ui.is_past() && !waits.is_empty() {
        return (Role::Unknown, format!("not known: nobody had read {waits} in the hour before"));
    }
    match (waits.is_empty(), failed) {
        (false, None) => (Role::Note, format!("reading{} {waits}", ui.signs().cut())),
        (false, Some(failed)) => (Role::Trouble, format!("{failed}; reading{} {waits}", ui.signs().cut())),
        (true, Some(failed)) => (Role::Trouble, failed),
        (true, None) => (Role::Dim, found_nothing.to_string()),
    }
}
