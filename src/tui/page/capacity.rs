//! How much more fits into each tier, and when it is full: what `coredeck capacity` says, with the reasons.

use super::TextLine;
use crate::capacity::{Capacity, Growth, capacity, next_step};
use crate::fleet::Counted;
use crate::gateway::Source;
use crate::model::{Home, Known, WhyUnknown};
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// What the page rests on.
pub(crate) const SOURCES: &[Source] = &[
    Source::Instances,
    Source::Groups,
    Source::Registry,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Hosts,
    Source::Rules,
    Source::TargetGroups,
    Source::Targets,
    Source::Statuses,
];

/// Columns that a name takes, and that a figure takes.
const NAME: usize = 22;
const FIGURE: usize = 16;

/// Columns that a sentence needs beside its name, and how far it is set in where it goes on below.
const LEAST: usize = 20;
const BELOW: usize = 2;

pub(crate) fn lines(ui: &Ui, width: usize) -> Vec<TextLine> {
    let about = &ui.about;
    let rows = capacity(&ui.world.fleet, &about.tiers, &about.figures, &ui.world.timeline.trends, ui.now);
    let mut lines = Vec::new();
    if rows.is_empty() {
        lines.push(vec![(Role::Dim, "no tiers: nothing was found yet".to_owned())]);
    }
    if let Some(step) = next_step(&rows, &about.tiers) {
        let step = crate::model::text::harmless(&step).into_owned();
        put(&mut lines, width, vec![(Role::Note, step)]);
        lines.push(Vec::new());
    }
    let unasked = ui.world.fleet.cores.iter().filter(|core| {
        matches!((&core.home, &core.word), (Home::Container { .. }, Known::No(WhyUnknown::NotAsked)))
    });
    let unasked = unasked.count();
    if unasked > 0 && ui.about.asks_by_ways {
        put(
            &mut lines,
            width,
            vec![(
                Role::Note,
                format!(
                    "{unasked} cores were not asked what they do: each takes a session of Systems Manager."
                ),
            )],
        );
        put(&mut lines, width, vec![(Role::Note, "`coredeck capacity` asks them all.".to_owned())]);
        lines.push(Vec::new());
    }
    for row in &rows {
        tier(ui, row, width, &mut lines);
        lines.push(Vec::new());
    }
    lines.pop();
    lines
}

fn tier(ui: &Ui, row: &Capacity, width: usize, lines: &mut Vec<TextLine>) {
    let figures = &ui.about.figures;
    let hosts = if row.hosts == 1 { "1 host".to_owned() } else { format!("{} hosts", row.hosts) };
    let name = crate::model::text::harmless(row.tier.as_str()).into_owned();
    lines.push(vec![(Role::Title, name), (Role::Dim, format!("  {hosts}"))]);
    let tells = [
        ("cores", row.cores.said(), more(&row.cores.said_left()), row.cores.left()),
        ("tenants", row.tenants.said(), more(&row.said_tenants_left()), row.tenants.left()),
        ("monthly users", row.monthly.said(), more(&row.monthly.said_left()), row.monthly.left()),
        ("requests a second", row.said_rate(), String::new(), None),
        ("database", row.said_database(figures), String::new(), None),
        ("connections", row.connections.said(), more(&row.connections.said_left()), row.connections.left()),
    ];
    for (what, used, left, count) in tells {
        let role = match count {
            Some(left) if left < 0 => Role::Trouble,
            _ => Role::Text,
        };
        put(
            lines,
            width,
            vec![
                (Role::Dim, format!("  {what:<NAME$}")),
                (Role::Text, format!("{used:<FIGURE$}")),
                (role, left),
            ],
        );
    }
    for (what, said) in [("processors measured", row.said_measured()), ("memory reserved", row.said_memory())]
    {
        if said != "?" {
            put(lines, width, vec![(Role::Dim, format!("  {what:<NAME$}")), (Role::Text, said)]);
        }
    }
    for density in &row.densities {
        let said = crate::model::text::harmless(&density.said()).into_owned();
        put(lines, width, vec![(Role::Dim, format!("  {:<NAME$}", "density")), (Role::Text, said)]);
    }
    // What nobody tells how many there are has no growth either, and that is said below.
    let is_told = |growth: &Growth| !matches!(growth, Growth::Unknown(_));
    let mut growths = vec![("growth of tenants", &row.growth)];
    if is_told(&row.monthly_growth) || matches!(row.monthly.used, Known::Yes(_)) {
        growths.push(("growth of monthly", &row.monthly_growth));
    }
    if is_told(&row.users_growth) {
        growths.push(("growth of users", &row.users_growth));
    }
    for (what, growth) in growths {
        put(lines, width, vec![(Role::Dim, format!("  {what:<NAME$}")), (Role::Text, growth.to_string())]);
    }
    if let Some(once) = row.once.and_then(Counted::said) {
        put(lines, width, vec![(Role::Dim, format!("  {once}"))]);
    }
    for lack in row.lacks().into_iter().filter(|lack| !lack.starts_with("growth")) {
        put(lines, width, vec![(Role::Dim, format!("  ? {lack}"))]);
    }
}

/// How many more, in words; nothing where that is not known.
fn more(left: &str) -> String {
    match left {
        "?" => String::new(),
        "no limit" => left.to_owned(),
        _ if left.ends_with("too many") => left.to_owned(),
        _ => format!("{left} more"),
    }
}

/// A line; what has no room in it goes on below, under where it began.
fn put(lines: &mut Vec<TextLine>, width: usize, mut pieces: TextLine) {
    let Some((role, last)) = pieces.pop() else { return };
    let before: usize = pieces.iter().map(|(_, text)| text.width()).sum();
    let mut indent = match last.width() - last.trim_start().width() {
        blank if before == 0 && blank > 0 => blank + BELOW,
        _ => before,
    };
    if before > 0 && width < before + LEAST {
        // A column of single words beside the name is harder to read than lines below it.
        lines.push(std::mem::take(&mut pieces));
        indent = BELOW.min(width / 2);
        pieces.push((Role::Text, " ".repeat(indent)));
    }
    let mut said = cell::wrap(&last, width.saturating_sub(indent)).into_iter();
    pieces.push((role, said.next().unwrap_or_default()));
    lines.push(pieces);
    lines.extend(said.map(|text| vec![(role, format!("{}{text}", " ".repeat(indent)))]));
}
