//! What each page needs and how it divides the screen; the pages themselves are below `page/`.

pub(super) mod bars;
pub(super) mod describe;
pub(super) mod help;
pub(super) mod overview;
pub(super) mod slider;
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
    /// That this is the past.
    pub(super) slider: Option<u16>,
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
    let body_height = ui.height.saturating_sub(body + below);
    at = body + body_height;
    let mut next = |is_there: bool| {
        is_there.then(|| {
            at += 1;
            at - 1
        })
    };
    let (trouble, bottom, advice) = (next(trouble), next(bottom), next(advice));
    Layout { header, slider, title, columns, body, body_height, trouble, advice, bottom }
}

/// Tells whether anything could not be read.
pub(super) fn has_trouble(ui: &Ui) -> bool {
    let snapshot = &ui.world.snapshot;
    !snapshot.troubles.is_empty()
        || ui.world.timeline.trouble.is_some()
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

/// The sources that the page's rows come from.
pub(super) fn sources(ui: &Ui) -> Vec<Source> {
    let mut sources = match &ui.here.page {
        Page::Overview => overview::SOURCES.to_vec(),
        Page::List(list) => {
            let mut sources = list.kind.sources().to_vec();
            for shape in &list.view.columns {
                sources.extend_from_slice(shape.column.needs);
            }
            sources
        }
        Page::Describe(kind, _) => {
            let mut sources = kind.sources().to_vec();
            for column in kind.columns() {
                sources.extend_from_slice(column.needs);
            }
            sources
        }
        Page::Troubles | Page::Help(_) => Vec::new(),
    };
    sources.sort();
    sources.dedup();
    sources
}

/// What the collector should know of what is being looked at.
pub(super) fn interest(ui: &Ui) -> Interest {
    let sources = sources(ui);
    // Nothing is paid for rows of the past.
    let is_paid = sources.contains(&Source::Metrics) && !ui.is_past();
    let metrics_of = if is_paid { looked_at(ui) } else { Vec::new() };
    // A screen without the focus is still looked at, beside the window that has it; and one in the
    // background is stopped with all of the program, so nothing is read then anyway.
    Interest { sources, metrics_of, is_idle: false }
}

/// The instances on the screen, and those that the filter cannot decide without.
fn looked_at(ui: &Ui) -> Vec<(crate::model::Scope, crate::model::InstanceId)> {
    let fleet = ui.fleet_here();
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
