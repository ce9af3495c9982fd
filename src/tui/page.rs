//! What each page needs and how it divides the screen; the pages themselves are below `page/`.

pub(super) mod bars;
pub(super) mod capacity;
pub(super) mod chart;
pub(super) mod describe;
pub(super) mod dialog;
pub(super) mod help;
pub(super) mod log;
pub(super) mod menu;
pub(super) mod operation;
pub(super) mod operations;
pub(super) mod overview;
pub(super) mod preview;
pub(super) mod running;
pub(super) mod slider;
pub(super) mod table;
pub(super) mod trend;
pub(super) mod troubles;

use super::card::Card;
use super::drill::called;
use super::oplist;
use super::state::{Page, Ui};
use super::theme::Role;
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{Gauges, Scope};
use crate::query::asked::cores_asked;
use crate::query::{Ctx, Kind, related};
use crate::snapshot::Snapshot;
use crate::world::Interest;

/// One line of a page of text: pieces, each in its own role.
pub(super) type TextLine = Vec<(Role, String)>;

/// Which row of the screen holds what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) header: Option<u16>,
    /// That this is the past.
    pub(super) slider: Option<u16>,
    pub(super) title: Option<u16>,
    pub(super) columns: Option<u16>,
    pub(super) body: u16,
    /// How many rows the list or the text has.
    pub(super) body_height: u16,
    /// How many columns.
    pub(super) body_width: u16,
    /// Where the row under the cursor shows in full.
    pub(super) aside: Option<Area>,
    /// The row below the body and what shows beside or below it.
    pub(super) body_end: u16,
    pub(super) trouble: Option<u16>,
    /// What is wrong with the line being typed, or what it may become.
    pub(super) advice: Option<u16>,
    /// The line being typed, or the hints.
    pub(super) bottom: Option<u16>,
}

/// A part of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) width: u16,
    pub(super) height: u16,
}

/// From so many columns on a row shows in full beside its list; below that, under it.
const BESIDE: u16 = 120;
/// A body of fewer rows has no room for both.
const BELOW: u16 = 12;

/// Divides the screen. What matters most gets a row first: the rows themselves, the page's title, the line
/// being typed, the trouble, the headings, the header, and the hints last.
pub(super) fn layout(ui: &Ui) -> Layout {
    layout_of(ui, ui.height)
}

/// Divides a screen of so many rows.
pub(super) fn layout_of(ui: &Ui, height: u16) -> Layout {
    let mut left = height.saturating_sub(1);
    let mut take = |wanted: bool| {
        let taken = wanted && left > 0;
        left -= u16::from(taken);
        taken
    };
    let types = ui.prompt.is_some();
    let is_list = ui.list().is_some();
    let mut bottom = take(types);
    // That this is the past is worth more than where one is.
    let slider = take(slider::is_there(ui));
    let title = take(true);
    let advice = take(types);
    let trouble = take(has_trouble(ui));
    let columns = take(is_list);
    let header = take(true);
    bottom |= take(!types);
    let mut at = 0;
    let mut next = |is_there: bool| {
        is_there.then(|| {
            at += 1;
            at - 1
        })
    };
    let (header, slider, title, columns) = (next(header), next(slider), next(title), next(columns));
    let body = at;
    let below = u16::from(trouble) + u16::from(advice) + u16::from(bottom);
    let body_height = height.saturating_sub(body + below);
    let body_end = body + body_height;
    at = body_end;
    let mut next = |is_there: bool| {
        is_there.then(|| {
            at += 1;
            at - 1
        })
    };
    let (trouble, bottom, advice) = (next(trouble), next(bottom), next(advice));
    let whole = Layout {
        header,
        slider,
        title,
        columns,
        body,
        body_height,
        body_width: ui.width,
        aside: None,
        body_end,
        trouble,
        advice,
        bottom,
    };
    if ui.is_split && is_list { split(whole) } else { whole }
}

/// Divides the body between a list and the row under its cursor in full.
fn split(whole: Layout) -> Layout {
    let Layout { body, body_height, body_width, columns, .. } = whole;
    if body_width >= BESIDE {
        let left = body_width / 2;
        // The headings are the list's own: what stands beside begins on their row.
        let y = columns.unwrap_or(body);
        let area = Area { x: left + 2, y, width: body_width - left - 2, height: body + body_height - y };
        Layout { body_width: left, aside: Some(area), ..whole }
    } else if body_height >= BELOW {
        let upper = (body_height * 2 / 5).max(4);
        let area = Area { x: 0, y: body + upper + 1, width: body_width, height: body_height - upper - 1 };
        Layout { body_height: upper, aside: Some(area), ..whole }
    } else {
        whole
    }
}

/// Why a row cannot show in full beside or below its list.
pub(super) fn no_room(ui: &Ui) -> Option<String> {
    let layout = layout(ui);
    (ui.is_split && ui.list().is_some() && layout.aside.is_none()).then(|| {
        let rows = ui.height + BELOW.saturating_sub(layout.body_height);
        format!("no room for both: the screen must be {BESIDE} columns wide or {rows} rows high")
    })
}

/// The column that tells rows of a kind apart in tables.
pub(super) fn key_column(kind: Kind) -> &'static str {
    kind.columns().first().map_or("", |column| column.name)
}

/// Tells whether anything could not be read.
pub(super) fn has_trouble(ui: &Ui) -> bool {
    let snapshot = &ui.world.snapshot;
    !snapshot.troubles.is_empty()
        || ui.world.timeline.trouble.is_some()
        || snapshot.troubled().next().is_some()
        || registry_faults(snapshot).next().is_some()
        || !snapshot.doubled().is_empty()
}

/// Entries of the registry that could not be understood: whose cores and tenants are therefore missing.
pub(super) fn registry_faults(snapshot: &Snapshot) -> impl Iterator<Item = (&Scope, &str)> {
    snapshot.parts.iter().flat_map(|part| {
        let faults = part.registry.value.iter().flat_map(|registry| &registry.faults);
        faults.map(|fault| (part.scope.as_ref(), fault.as_str()))
    })
}

/// How many lines of the page show at once.
pub(super) fn height(ui: &Ui) -> usize {
    let rows = usize::from(layout(ui).body_height);
    match &ui.here.page {
        Page::Operations if rows > 0 => (rows / operations::DEEP).max(1),
        _ => rows,
    }
}

/// How many rows, or lines of text, the page has.
pub(super) fn count(ui: &Ui) -> usize {
    match &ui.here.page {
        Page::Overview => overview::items(ui).len(),
        Page::List(list) => list.count(),
        Page::Operations => oplist::shown(ui).len(),
        Page::Log(_) => log::count(ui),
        _ => text(ui).len(),
    }
}

/// The lines of a page of text at this width.
pub(super) fn text(ui: &Ui) -> Vec<TextLine> {
    let width = usize::from(ui.width);
    match &ui.here.page {
        Page::Describe(card) => {
            describe::lines(ui, card, width).into_iter().map(|line| line.pieces).collect()
        }
        Page::Troubles => troubles::lines(ui, width),
        Page::Capacity => capacity::lines(ui, width),
        Page::Help(kind) => help::lines(ui, *kind, width),
        Page::Operation(id) => operation::lines(ui, id, width),
        Page::Log(_) => log::lines(ui, ui.here.top, height(ui)),
        Page::Overview | Page::List(_) | Page::Operations => Vec::new(),
    }
}

/// What the page is called.
pub(super) fn name(ui: &Ui) -> &'static str {
    match &ui.here.page {
        Page::Overview => "overview",
        Page::List(list) => list.kind.word(),
        Page::Describe(card) => card.kind.singular(),
        Page::Troubles => "troubles",
        Page::Capacity => "capacity",
        Page::Help(_) => "help",
        Page::Operations => "operations",
        Page::Operation(_) => "operation",
        Page::Log(_) => "log",
    }
}

/// What was opened on the way to the page and the page itself.
pub(super) fn path(ui: &Ui) -> Vec<String> {
    let mut path = ui.here.path.clone();
    path.push(match &ui.here.page {
        Page::Describe(card) => titled(ui, card),
        Page::Operation(id) => id.clone(),
        Page::Log(of) => format!("log of {}", harmless(&of.name)),
        _ => name(ui).to_string(),
    });
    path
}

/// What a described row is called: by its own id as long as it is there.
fn titled(ui: &Ui, card: &Card) -> String {
    let name = match card.at {
        Some(at) => called(card.kind, ctx(&ui.world.fleet, ui), at),
        None if card.key.id.starts_with("arn:") => crate::model::short_arn(&card.key.id).to_string(),
        None => card.key.id.clone(),
    };
    format!("{} {name}", card.kind.singular())
}

/// The page that is being looked at, also through a page of text that lies over it for a moment.
pub(super) fn beneath(ui: &Ui) -> &Page {
    let pages = std::iter::once(&ui.here).chain(ui.behind.iter().rev()).map(|place| &place.page);
    let mut pages = pages.filter(|page| !matches!(page, Page::Troubles | Page::Help(_)));
    pages.next().unwrap_or(&Page::Overview)
}

/// The sources that the page's rows are.
pub(super) fn own_sources(ui: &Ui) -> &'static [Source] {
    match beneath(ui) {
        Page::List(list) => list.kind.sources(),
        Page::Describe(card) => card.kind.sources(),
        Page::Capacity => capacity::SOURCES,
        // Operations are the journal's, and read nothing of AWS.
        Page::Operations | Page::Operation(_) | Page::Log(_) => &[],
        Page::Overview | Page::Troubles | Page::Help(_) => overview::SOURCES,
    }
}

/// The list that the page is, rather than what is joined to it.
pub(super) fn main_source(ui: &Ui) -> Option<Source> {
    let sources = own_sources(ui);
    let named = |kind: &Kind| sources.iter().find(|source| source.word() == kind.word());
    let main = match beneath(ui) {
        Page::List(list) => named(&list.kind),
        Page::Describe(card) => named(&card.kind),
        Page::Operations | Page::Operation(_) | Page::Log(_) => None,
        Page::Overview | Page::Troubles | Page::Capacity | Page::Help(_) => Some(&Source::Instances),
    };
    main.or(sources.first()).copied()
}

/// The sources that the page's rows and columns come from.
pub(super) fn sources(ui: &Ui) -> Vec<Source> {
    let mut sources = own_sources(ui).to_vec();
    match beneath(ui) {
        Page::List(list) => {
            list.view.columns.iter().for_each(|shape| sources.extend_from_slice(shape.column.needs));
            // An alarm that rings is a reason for an instance, and for what stands on one, not to be well.
            if matches!(list.kind, Kind::Instances | Kind::Cores | Kind::Tenants) {
                sources.push(Source::Alarms);
            }
            if ui.aside.is_some() {
                sources.extend(in_full(list.kind));
            }
        }
        Page::Describe(card) => {
            sources.extend(in_full(card.kind));
            card.kind.columns().iter().for_each(|column| sources.extend_from_slice(column.needs));
        }
        // Users and requests are the cores' own word, where the configuration lets them be asked.
        Page::Capacity => sources.push(Source::Admin),
        Page::Overview
        | Page::Troubles
        | Page::Help(_)
        | Page::Operations
        | Page::Operation(_)
        | Page::Log(_) => {}
    }
    sources.sort();
    sources.dedup();
    sources
}

/// Tells whether some list of the page was neither read nor could not be.
pub(super) fn awaits(ui: &Ui) -> bool {
    if ui.dialog.as_ref().is_some_and(|dialog| dialog.is_waiting()) {
        return true;
    }
    if matches!(ui.here.page, Page::Log(_)) {
        return ui.log.as_ref().is_none_or(|log| log.standing.is_early());
    }
    if matches!(ui.here.page, Page::Operations | Page::Operation(_)) && !ui.register.is_read {
        return true;
    }
    let snapshot = &ui.world.snapshot;
    let mut sources = sources(ui);
    if sources.is_empty() {
        sources = Source::ALL.to_vec();
    }
    sources.retain(|source| *source != Source::Metrics);
    let is_missing = |part: &crate::snapshot::Part, source: &Source| {
        let standing = part.standing(*source);
        standing.trouble.is_none() && (standing.as_of.is_none() || !standing.is_whole)
    };
    let is_empty = snapshot.parts.is_empty() && snapshot.troubles.is_empty();
    is_empty || snapshot.parts.iter().any(|part| sources.iter().any(|source| is_missing(part, source)))
}

/// What a row in full rests on, but for what costs money.
fn in_full(kind: Kind) -> Vec<Source> {
    let free = kind.columns().iter().filter(|column| !column.needs.contains(&Source::Metrics));
    let mut sources = kind.sources().to_vec();
    sources.extend(free.flat_map(|column| column.needs));
    sources.extend(related::sources(kind));
    sources
}

/// What the collector should know of what is being looked at.
pub(super) fn interest(ui: &Ui) -> Interest {
    let mut sources = sources(ui);
    if matches!(ui.here.page, Page::Troubles) {
        // Whoever reads of a trouble waits for its end: it is tried again as often as if its rows showed.
        let troubled = ui.world.snapshot.troubled().map(|(_, source, _)| source);
        sources.extend(troubled.filter(|source| *source != Source::Metrics));
        sources.sort();
        sources.dedup();
    }
    // A screen without the focus is still looked at, beside the window that has it: what is free goes on being
    // read, and what costs money waits until somebody comes back. One in the background is stopped with all of
    // the program, so nothing is read then anyway.
    // And nothing is paid for rows of the past.
    let is_paid = sources.contains(&Source::Metrics) && ui.has_focus() && !ui.is_past();
    let metrics_of = if is_paid { looked_at(ui) } else { Vec::new() };
    let cores_of = if sources.contains(&Source::Admin) { asked(ui) } else { Some(Vec::new()) };
    let is_acting = ui.register.open().any(|listed| listed.lives);
    Interest { sources, metrics_of, gauges: gauges(ui), cores_of, is_acting, ..Interest::default() }
}

/// The cores whose own word shows.
fn asked(ui: &Ui) -> Option<Vec<(crate::model::Scope, crate::model::CoreId)>> {
    let fleet = ui.fleet_here();
    match beneath(ui) {
        _ if ui.is_past() => Some(Vec::new()),
        Page::List(list) => {
            let lines = ui.here.top..ui.here.top.saturating_add(height(ui));
            let rows = lines.take_while(|line| *line < list.count()).filter_map(|line| list.row(line));
            Some(cores_asked(list.kind, fleet, rows))
        }
        Page::Describe(card) => Some(cores_asked(card.kind, fleet, card.at)),
        // Figures of all of them together would take a session for each: it says so instead, and what asks them.
        _ => Some(Vec::new()),
    }
}

/// Which metrics the page shows: what does not show is not paid for.
fn gauges(ui: &Ui) -> Gauges {
    match &ui.here.page {
        Page::List(list) => list.view.columns.iter().filter_map(|shape| shape.column.gauge()).collect(),
        _ => Gauges::ALL,
    }
}

/// The instances on the screen, and those that the filter cannot decide without.
fn looked_at(ui: &Ui) -> Vec<(crate::model::Scope, crate::model::InstanceId)> {
    let fleet = ui.fleet_here();
    let rows: Vec<usize> = match &ui.here.page {
        Page::List(list) if list.kind == Kind::Instances => {
            let lines = ui.here.top..ui.here.top.saturating_add(height(ui));
            lines.take_while(|line| *line < list.count()).filter_map(|line| list.row(line)).collect()
        }
        Page::List(list) if list.kind == Kind::Cores => {
            let lines = ui.here.top..ui.here.top.saturating_add(height(ui));
            let rows = lines.take_while(|line| *line < list.count()).filter_map(|line| list.row(line));
            hosts_of(fleet, rows)
        }
        Page::Describe(card) if card.kind == Kind::Instances => card.at.into_iter().collect(),
        Page::Describe(card) if card.kind == Kind::Cores => hosts_of(fleet, card.at.into_iter()),
        _ => Vec::new(),
    };
    let rows = rows.into_iter().filter_map(|at| fleet.instances.get(at));
    let mut looked_at: Vec<_> = rows.map(|row| (row.scope.as_ref().clone(), row.it.id.clone())).collect();
    let probed = ui.list().map_or(&[][..], |list| list.probe.round());
    for which in probed {
        if !looked_at.contains(which) {
            looked_at.push(which.clone());
        }
    }
    looked_at
}

/// The rows of the instances under some cores, each once.
fn hosts_of(fleet: &crate::fleet::Fleet, cores: impl Iterator<Item = usize>) -> Vec<usize> {
    let cores = cores.filter_map(|at| fleet.cores.get(at));
    let hosts: std::collections::HashSet<_> = cores.filter_map(|core| core.home.instance_id()).collect();
    // Asked at every key: where there is nobody to look for, a hundred thousand are not walked.
    if hosts.is_empty() {
        return Vec::new();
    }
    let instances = fleet.instances.iter().enumerate();
    instances.filter(|(_, row)| hosts.contains(&row.it.id)).map(|(at, _)| at).collect()
}

/// Where cells are taken from.
pub(super) fn ctx<'a>(fleet: &'a crate::fleet::Fleet, ui: &Ui) -> Ctx<'a> {
    Ctx { fleet, now: ui.now }
}
