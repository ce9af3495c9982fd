//! What each page needs and how it divides the screen; the pages themselves are below `page/`.

pub(super) mod bars;
pub(super) mod describe;
pub(super) mod help;
pub(super) mod overview;
pub(super) mod table;
pub(super) mod troubles;

use super::state::{Page, Ui};
use super::theme::Role;
use super::view;
use crate::gateway::Source;
use crate::model::Scope;
use crate::query::{Ctx, Kind};
use crate::snapshot::Snapshot;
use crate::world::Interest;

/// One line of a page of text: pieces, each in its own role.
pub(super) type TextLine = Vec<(Role, String)>;

/// Which row of the screen holds what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) header: Option<u16>,
    pub(super) title: Option<u16>,
    pub(super) columns: Option<u16>,
    pub(super) body: u16,
    pub(super) body_height: u16,
    pub(super) trouble: Option<u16>,
    /// What is wrong with the line being typed, or what it may become.
    pub(super) advice: Option<u16>,
    /// The line being typed, or the hints.
    pub(super) bottom: Option<u16>,
}

/// Divides the screen. What matters most gets a row first: the rows themselves, the page's title, the line
/// being typed, the trouble, the headings, the header, and the hints last.
pub(super) fn layout(ui: &Ui) -> Layout {
    let mut left = ui.height.saturating_sub(1);
    let mut take = |wanted: bool| {
        let taken = wanted && left > 0;
        left -= u16::from(taken);
        taken
    };
    let types = ui.prompt.is_some();
    let is_list = ui.list().is_some();
    let mut bottom = take(types);
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
    let (header, title, columns) = (next(header), next(title), next(columns));
    let body = at;
    let below = u16::from(trouble) + u16::from(advice) + u16::from(bottom);
    let body_height = ui.height.saturating_sub(body + below);
    at = body + body_height;
    let mut next = |is_there: bool| {
        is_there.then(|| {
            at += 1;
            at - 1
        })
    };
    let (trouble, bottom, advice) = (next(trouble), next(bottom), next(advice));
    Layout { header, title, columns, body, body_height, trouble, advice, bottom }
}

/// Tells whether anything could not be read.
pub(super) fn has_trouble(ui: &Ui) -> bool {
    let snapshot = &ui.world.snapshot;
    !snapshot.troubles.is_empty()
        || snapshot.troubled().next().is_some()
        || registry_faults(snapshot).next().is_some()
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
    usize::from(layout(ui).body_height)
}

/// How many rows, or lines of text, the page has.
pub(super) fn count(ui: &Ui) -> usize {
    match &ui.here.page {
        Page::Overview => overview::items(ui).len(),
        Page::List(list) => list.view.rows.len(),
        _ => text(ui).len(),
    }
}

/// The lines of a page of text at this width.
pub(super) fn text(ui: &Ui) -> Vec<TextLine> {
    let width = usize::from(ui.width);
    match &ui.here.page {
        Page::Describe(kind, key) => describe::lines(ui, *kind, key, width),
        Page::Troubles => troubles::lines(ui, width),
        Page::Help(kind) => help::lines(ui, *kind, width),
        Page::Overview | Page::List(_) => Vec::new(),
    }
}

/// What the page is called.
pub(super) fn name(ui: &Ui) -> &'static str {
    match &ui.here.page {
        Page::Overview => "overview",
        Page::List(list) => list.kind.word(),
        Page::Describe(kind, _) => kind.singular(),
        Page::Troubles => "troubles",
        Page::Help(_) => "help",
    }
}

/// What was opened on the way to the page and the page itself.
pub(super) fn path(ui: &Ui) -> Vec<String> {
    let mut path = ui.here.path.clone();
    path.push(match &ui.here.page {
        Page::Describe(kind, key) => format!("{} {}", kind.singular(), short(&key.id)),
        _ => name(ui).to_string(),
    });
    path
}

fn short(id: &str) -> &str {
    if id.starts_with("arn:") { crate::model::short_arn(id) } else { id }
}

/// The page that is being looked at, also through a page of text that lies over it for a moment.
fn beneath(ui: &Ui) -> &Page {
    let pages = std::iter::once(&ui.here).chain(ui.behind.iter().rev()).map(|place| &place.page);
    let mut pages = pages.filter(|page| !matches!(page, Page::Troubles | Page::Help(_)));
    pages.next().unwrap_or(&Page::Overview)
}

/// The sources that the page's rows are.
pub(super) fn own_sources(ui: &Ui) -> &'static [Source] {
    match beneath(ui) {
        Page::List(list) => list.kind.sources(),
        Page::Describe(kind, _) => kind.sources(),
        Page::Overview | Page::Troubles | Page::Help(_) => overview::SOURCES,
    }
}

/// The list that the page is, rather than what is joined to it.
pub(super) fn main_source(ui: &Ui) -> Option<Source> {
    let sources = own_sources(ui);
    let named = |kind: &Kind| sources.iter().find(|source| source.word() == kind.word());
    let main = match beneath(ui) {
        Page::List(list) => named(&list.kind),
        Page::Describe(kind, _) => named(kind),
        Page::Overview | Page::Troubles | Page::Help(_) => Some(&Source::Instances),
    };
    main.or(sources.first()).copied()
}

/// The sources that the page's rows and columns come from.
pub(super) fn sources(ui: &Ui) -> Vec<Source> {
    let mut sources = own_sources(ui).to_vec();
    match beneath(ui) {
        Page::List(list) => {
            list.view.columns.iter().for_each(|shape| sources.extend_from_slice(shape.column.needs));
        }
        Page::Describe(kind, _) => {
            kind.columns().iter().for_each(|column| sources.extend_from_slice(column.needs));
        }
        Page::Overview | Page::Troubles | Page::Help(_) => {}
    }
    sources.sort();
    sources.dedup();
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
    let metrics_of = if sources.contains(&Source::Metrics) { looked_at(ui) } else { Vec::new() };
    // A screen without the focus is still looked at, beside the window that has it; and one in the
    // background is stopped with all of the program, so nothing is read then anyway.
    Interest { sources, metrics_of, is_idle: false }
}

/// The instances on the screen, and those that the filter cannot decide without.
fn looked_at(ui: &Ui) -> Vec<(crate::model::Scope, crate::model::InstanceId)> {
    let fleet = &ui.world.fleet;
    let rows: Vec<usize> = match &ui.here.page {
        Page::List(list) if list.kind == Kind::Instances => {
            let lines = ui.here.top..ui.here.top.saturating_add(height(ui));
            lines.map_while(|line| list.row(line)).collect()
        }
        Page::Describe(Kind::Instances, key) => view::find(Kind::Instances, fleet, key).into_iter().collect(),
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

/// Where cells are taken from.
pub(super) fn ctx<'a>(fleet: &'a crate::fleet::Fleet, ui: &Ui) -> Ctx<'a> {
    Ctx { fleet, now: ui.now }
}
