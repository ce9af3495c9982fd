//! The lines around every page: the header with the data's age, the path, the trouble, and the hints.

mod hints;
mod trouble;
mod why;

pub(crate) use hints::hints;
pub(crate) use trouble::trouble;

use super::overview::{nothing, registry::lacks_cores};
use super::{TextLine, registry_faults};
use crate::fleet::INVENTORY;
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{Scope, Usd};
use crate::query::Kind;
use crate::snapshot::Part;
use crate::tui::action::{Action, Layer};
use crate::tui::cell;
use crate::tui::oplist;
use crate::tui::probe::BOUND;
use crate::tui::seat::Lean;
use crate::tui::signs::Signs;
use crate::tui::state::{List, Page, Ui};
use crate::tui::theme::Role;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// How old what the page shows is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Age<'a> {
    /// The list that the page is, and how old it may be before it is overdue. None where nothing is read.
    main: Option<(Source, Duration)>,
    /// It was read somewhere.
    is_read: bool,
    /// It was read nowhere, and is being read nowhere: there is nothing to wait for.
    is_given_up: bool,
    /// Its oldest overdue reading.
    late: Option<(Timestamp, &'a Scope)>,
    /// The oldest overdue reading of another list that the page shows; of the main one when it is overdue in
    /// some places only.
    behind: Option<(Timestamp, &'a Scope, Source)>,
    /// Lists of the page that were never read.
    missing: usize,
    /// When the next list becomes overdue, unless it is read again before.
    late_at: Option<Timestamp>,
}

impl Age<'_> {
    /// The moment at which the header says something else, when nothing is read meanwhile.
    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let shown = [self.late.map(|(at, _)| at), self.behind.map(|(at, ..)| at)];
        shown.into_iter().flatten().map(|at| cell::next_change(at, now)).chain(self.late_at).min()
    }
}

/// How old the lists are that the page uses. One that is read again at its pace is never older than
/// twice that, which the header says once; only what is older has its moment told, so that a screen on which
/// nothing changes sends nothing.
pub(crate) fn age(ui: &Ui) -> Age<'_> {
    let main = super::main_source(ui);
    let parts = &ui.world.snapshot.parts;
    let fresh_for = |source: Source| ui.about.fresh_for(source, ui.world.snapshot.rows(source));
    let mut age = Age {
        main: main.map(|main| (main, fresh_for(main))),
        is_given_up: !parts.is_empty() || !ui.world.snapshot.troubles.is_empty(),
        ..Age::default()
    };
    let mut is_fresh_somewhere = false;
    // How long a list is depends on all places: it is counted once for all of them.
    let sources: Vec<(Source, Duration)> = super::sources(ui)
        .into_iter()
        .filter(|source| *source != Source::Metrics)
        .map(|source| (source, fresh_for(source)))
        .collect();
    let lists =
        parts.iter().flat_map(|part| sources.iter().map(move |(source, span)| (part, *source, *span)));
    for (part, source, span) in lists {
        let (is_main, standing) = (Some(source) == main, part.standing(source));
        if is_main {
            age.is_read |= standing.as_of.is_some();
            age.is_given_up &= standing.trouble.is_some() && !standing.is_asked;
        }
        let Some(at) = standing.as_of else {
            age.missing += 1;
            continue;
        };
        let late_at = at.checked_add(span).unwrap_or(Timestamp::MAX);
        if late_at > ui.now {
            is_fresh_somewhere |= is_main;
            age.late_at = Some(age.late_at.map_or(late_at, |before| before.min(late_at)));
        } else if is_main && age.late.is_none_or(|(oldest, _)| at < oldest) {
            age.late = Some((at, part.scope.as_ref()));
        } else if !is_main && age.behind.is_none_or(|(oldest, ..)| at < oldest) {
            age.behind = Some((at, part.scope.as_ref(), source));
        }
    }
    if let (Some((at, scope)), Some(main), true) = (age.late, main, is_fresh_somewhere) {
        age.behind = Some((at, scope, main));
    }
    age
}

/// A piece of the header, and how soon it gives way when there is no room: the highest number goes first.
type Piece = (u8, Role, String);

/// The first line: whose fleet, from where, how old, at what cost.
pub(crate) fn header(ui: &Ui) -> TextLine {
    let snapshot = &ui.world.snapshot;
    let mut left: Vec<Piece> = vec![(1, Role::HeaderFleet, harmless(&ui.about.fleet).into_owned())];
    if ui.is_past() {
        left.push((0, Role::Past, " PAST ".into()));
    }
    if let Some(endpoint) = &ui.about.endpoint {
        left.push((2, Role::HeaderMark, harmless(endpoint).into_owned()));
    }
    if let Some((role, text)) = super::operations::in_header(ui) {
        left.push((1, role, text));
    }
    match ui.lean() {
        Lean::Off => {}
        Lean::Asked => left.push((3, Role::HeaderMark, "lean".into())),
        Lean::Slow(by) => left.push((3, Role::HeaderMark, format!("lean: {} ms away", by.as_millis()))),
    }
    let accounts: BTreeSet<_> = snapshot.parts.iter().map(|part| &part.scope.account).collect();
    let regions: BTreeSet<_> = snapshot.parts.iter().map(|part| &part.scope.region).collect();
    if let ([part], true) = (snapshot.parts.as_slice(), snapshot.parts.len() == 1) {
        left.push((5, Role::Header, harmless(&part.scope.to_string()).into_owned()));
    } else if !snapshot.parts.is_empty() {
        let times = ui.signs().times();
        let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let scopes = format!("{} {times} {}", many(accounts.len(), "account"), many(regions.len(), "region"));
        left.push((5, Role::Header, scopes));
    }
    let mut right: Vec<Piece> = Vec::new();
    let age = age(ui);
    match (age.main, age.late) {
        (None, _) => {}
        (Some(_), _) if !age.is_read && ui.is_past() => {
            right.push((0, Role::HeaderStale, "nothing was kept".into()));
        }
        (Some(_), _) if !age.is_read && age.is_given_up => {
            right.push((0, Role::HeaderStale, "nothing was read".into()));
        }
        (Some(_), _) if !age.is_read => right.push((0, Role::Note, format!("reading{}", ui.signs().cut()))),
        (Some((main, _)), Some((at, _))) => {
            let text = format!("{} as of {} ({} old)", named(main), ui.clock(at), cell::age(at, ui.now));
            right.push((0, Role::HeaderStale, text));
        }
        (Some((main, within)), None) => {
            right.push((0, Role::Header, format!("{} under {} old", named(main), about(within))));
        }
    }
    if let (Some((at, scope, source)), true) = (age.behind, age.is_read) {
        let (scope, old) = (harmless(&scope.to_string()).into_owned(), cell::age(at, ui.now));
        right.push((4, Role::HeaderStale, format!("behind: {scope} {} ({old} old)", named(source))));
    }
    if age.missing > 0 && age.is_read {
        let why = if ui.is_past() { "not kept" } else { "not read yet" };
        right.push((6, Role::Note, format!("{} {why}", age.missing)));
    }
    let spending = &ui.world.spending;
    right.push((7, Role::Header, format!("{} calls", roughly(spending.calls))));
    if spending.throttles > 0 {
        right.push((3, Role::HeaderStale, format!("{} throttled", spending.throttles)));
    }
    right.push((6, Role::Header, spent(spending.dollars)));
    fit(left, right, usize::from(ui.width), ui.signs().dot())
}

/// A span in its largest whole unit: `30s`, `2m`, `1h`.
fn about(span: Duration) -> String {
    match span.as_secs() {
        seconds @ ..=90 => format!("{seconds}s"),
        seconds @ 91..7200 => format!("{}m", seconds.div_ceil(60)),
        seconds => format!("{}h", seconds.div_ceil(3600)),
    }
}

/// A count that grows all the time, in steps of 1, 2 and 5: each change of it would be bytes on an idle line.
/// The troubles page has it exactly.
fn roughly(count: u64) -> String {
    match (count < 10, step(count)) {
        (true, _) => count.to_string(),
        (false, step) => format!("{step}+"),
    }
}

/// What was spent, likewise in steps; below a cent it is not worth a byte.
fn spent(dollars: Usd) -> String {
    match u64::try_from(dollars.micros()).unwrap_or(0) {
        0 => dollars.to_string(),
        1..10_000 => "under $0.01".to_owned(),
        micros => format!("{}+", Usd::from_micros(i64::try_from(step(micros)).unwrap_or(i64::MAX))),
    }
}

/// The greatest of 1, 2, 5, 10, 20, 50 and so on that is not above a count.
fn step(count: u64) -> u64 {
    let step = 10_u64.pow(count.checked_ilog10().unwrap_or(0));
    match count / step {
        ..2 => step,
        2..5 => 2 * step,
        _ => 5 * step,
    }
}

/// Drops what matters least until the rest fits; the right half stands at the right.
fn fit(mut left: Vec<Piece>, mut right: Vec<Piece>, width: usize, dot: &str) -> TextLine {
    let between = dot.width() + 2;
    let wide = |pieces: &[Piece]| {
        pieces.iter().map(|(.., text)| text.width()).sum::<usize>() + between * pieces.len().saturating_sub(1)
    };
    loop {
        let gap = if left.is_empty() || right.is_empty() { 0 } else { 2 };
        if wide(&left) + wide(&right) + gap <= width || left.len() + right.len() <= 1 {
            break;
        }
        let last = left.iter().chain(&right).map(|(rank, ..)| *rank).max();
        left.retain(|(rank, ..)| Some(*rank) != last);
        right.retain(|(rank, ..)| Some(*rank) != last);
    }
    let blank = width.saturating_sub(wide(&left) + wide(&right));
    let mut line = TextLine::new();
    let mut put = |pieces: Vec<Piece>, blank: usize| {
        line.push((Role::Header, " ".repeat(blank)));
        for (at, (_, role, text)) in pieces.into_iter().enumerate() {
            if at > 0 {
                line.push((Role::Header, format!(" {dot} ")));
            }
            line.push((role, text));
        }
    };
    put(left, 0);
    put(right, blank);
    line
}

/// A list as people say it.
fn named(source: Source) -> String {
    source.word().replace('_', " ")
}

/// The second line: where one is, how many rows of how many, by what order and filter.
pub(crate) fn title(ui: &Ui) -> TextLine {
    let signs = ui.signs();
    let facts = facts(ui);
    let wide = |pieces: &TextLine| pieces.iter().map(|(_, text)| text.width()).sum::<usize>();
    // Where one comes from gives way to what is here.
    let mut path = super::path(ui);
    let mut line = trail(&path, signs, false);
    let mut is_short = false;
    while path.len() > 1 && wide(&line) + wide(&facts) > usize::from(ui.width) {
        path.remove(0);
        is_short = true;
        line = trail(&path, signs, is_short);
    }
    if is_short && wide(&line) + wide(&facts) > usize::from(ui.width) {
        line = trail(&path, signs, false);
    }
    line.extend(facts);
    let room = usize::from(ui.width).saturating_sub(wide(&line));
    line.extend(why::why(ui, room));
    line
}

/// The parts of a path; those that were left out show as a mark.
fn trail(path: &[String], signs: Signs, is_short: bool) -> TextLine {
    let mut line = TextLine::new();
    if is_short {
        line.push((Role::TitlePart, format!("{} {} ", signs.cut(), signs.part())));
    }
    let last = path.len().saturating_sub(1);
    for (at, part) in path.iter().enumerate() {
        if at > 0 {
            line.push((Role::TitlePart, format!(" {} ", signs.part())));
        }
        line.push((if at == last { Role::Title } else { Role::TitlePart }, part.clone()));
    }
    line
}

/// What is told of the operations: how many, which and in what order.
fn operations_facts(ui: &Ui) -> TextLine {
    let mut line = TextLine::new();
    if !ui.register.is_read || ui.register.trouble.is_some() {
        return line;
    }
    let (shown, of) = (oplist::shown(ui).len(), ui.register.ops.len());
    let count = if shown == of { format!("  {of}") } else { format!("  {shown} of {of}") };
    line.push((Role::Strong, count));
    if !ui.oplist.filter.trim().is_empty() && ui.prompt.is_none() {
        line.push((Role::TitlePart, format!("  /{}", harmless(&ui.oplist.filter))));
    }
    if let Some((by, is_turned)) = ui.oplist.order {
        let arrow = if is_turned { ui.signs().descending() } else { ui.signs().ascending() };
        line.push((Role::TitlePart, format!("  by {} {arrow}", by.word())));
    }
    line
}

/// What is told of the rows: how many, whether all, which and in what order.
fn facts(ui: &Ui) -> TextLine {
    let signs = ui.signs();
    let mut line = TextLine::new();
    let sources = match &ui.here.page {
        Page::Overview => super::overview::SOURCES,
        Page::List(list) => list.kind.sources(),
        Page::Operations => return operations_facts(ui),
        Page::Log(_) => {
            return ui.log.as_deref().map(super::log::facts).unwrap_or_default();
        }
        _ => return line,
    };
    if let Page::List(list) = &ui.here.page {
        let (rows, of) = (list.view.rows.len(), list.view.of);
        let count = if rows == of { format!("  {rows}") } else { format!("  {rows} of {of}") };
        line.extend(list.view.question.is_some().then_some((Role::Strong, count)));
        line.extend(list.is_sorting().then(|| (Role::Note, format!("  sorting{}", signs.cut()))));
    }
    let parts = &ui.world.snapshot.parts;
    let has = |part: &Part, source: &Source| {
        let standing = part.standing(*source);
        standing.is_whole && standing.as_of.is_some()
    };
    let whole = parts.iter().filter(|part| sources.iter().all(|source| has(part, source))).count();
    // A first read that is on its way is no news yet; one that failed is.
    let lists = || parts.iter().flat_map(|part| sources.iter().map(move |source| (part, source)));
    let comes = |(part, source): (&Arc<Part>, &Source)| {
        !has(part, source) && part.standing(*source).trouble.is_none()
    };
    if ui.is_past() {
        let missing = lists().filter(|(part, source)| !has(part, source)).count();
        line.extend(super::slider::not_kept(missing, lists().count()));
    } else if lists().any(comes) {
        let read = lists().filter(|(part, source)| has(part, source)).count();
        let text = format!("  reading{} ({read} of {} lists)", signs.cut(), lists().count());
        line.push((Role::Note, text));
    } else if whole < parts.len() {
        line.push((Role::Unknown, format!("  partial: whole in {whole} of {} scopes", parts.len())));
    }
    match ui.world.snapshot.troubles.len() {
        0 => {}
        1 => line.push((Role::Unknown, "  partial: 1 account is left out".into())),
        n => line.push((Role::Unknown, format!("  partial: {n} accounts are left out"))),
    }
    let is_told = matches!(&ui.here.page, Page::List(list) if list.kind == Kind::Events) && !ui.is_past();
    if is_told && ui.register.trouble.is_some() {
        let text = "  partial: operations of coredeck are missing, the journal cannot be read";
        line.push((Role::Unknown, text.to_owned()));
    }
    if sources.contains(&Source::Registry) {
        match registry_faults(&ui.world.snapshot).count() {
            0 => {}
            1 => line.push((Role::Unknown, "  partial: 1 registry entry is faulty".into())),
            n => line.push((Role::Unknown, format!("  partial: {n} registry entries are faulty"))),
        }
    }
    let Page::List(list) = &ui.here.page else { return line };
    if !list.view.undecided.is_empty() {
        let more = match (list.probe.is_reading(), list.probe.left() > 0) {
            (true, _) => format!(" (reading{})", signs.cut()),
            (false, true) => match ui.keymap.keys_of(Layer::List, Action::Refresh).into_iter().next() {
                Some(key) => format!(" ({key} reads more)"),
                None => String::new(),
            },
            (false, false) => String::new(),
        };
        line.push((Role::Unknown, format!("  {} not known{more}", list.view.undecided.len())));
    }
    if !list.filter.trim().is_empty() && ui.prompt.is_none() {
        line.push((Role::TitlePart, format!("  /{}", list.filter)));
    }
    if let Some(sort) = list.sort {
        let arrow = if sort.is_descending { signs.descending() } else { signs.ascending() };
        line.push((Role::TitlePart, format!("  by {} {arrow}", sort.column)));
    }
    if let Some(by) = list.group_by {
        line.push((Role::TitlePart, format!("  {} groups by {by}", list.view.groups.len())));
    }
    let (marked, gone) = (ui.marks.count(list.kind), ui.marks.gone(list.kind));
    if marked > 0 {
        line.push((Role::Strong, format!("  {marked} marked")));
    }
    if gone > 0 {
        line.push((Role::Unknown, format!(" ({gone} gone)")));
    }
    line
}

/// What an empty list says.
pub(crate) fn empty_list(ui: &Ui) -> (Role, String) {
    let Page::List(list) = &ui.here.page else { return (Role::Dim, String::new()) };
    if let Some(drill) = list.drill.as_ref().filter(|drill| drill.is_gone(super::ctx(&ui.world.fleet, ui))) {
        let text = format!("{} is not in the fleet any more, or its list was not read", drill.label());
        return (Role::Trouble, text);
    }
    if let Some(says) = list.first_answer(&ui.world.fleet) {
        return (Role::Note, format!("{says}{}", ui.signs().cut()));
    }
    if !list.view.undecided.is_empty() {
        return (Role::Unknown, undecided(ui, list));
    }
    if list.view.of > 0 {
        let key = ui.keymap.keys_of(Layer::List, Action::ClearFilter).into_iter().next().unwrap_or_default();
        return (Role::Dim, format!("none of {} matches the filter; {key} clears it", list.view.of));
    }
    let none = match list.kind {
        Kind::Cores | Kind::Tenants if lacks_cores(ui) => {
            format!("no {} are known: the registry names none; {INVENTORY}", list.kind.word())
        }
        kind => format!("no {}", kind.word()),
    };
    nothing(ui, list.kind.sources(), &none)
}

/// What a list says in which nothing is known to match: of how many rows too little is known, and how that is
/// mended.
fn undecided(ui: &Ui, list: &List) -> String {
    let (count, of) = (list.view.undecided.len(), list.view.of);
    if list.view.paid.is_empty() {
        return format!("none of {of} is known to match; too little is known of {count} to say");
    }
    let what = list.view.paid.join(" and ");
    let mut text = format!("none of {of} is known to match yet: {what} is not known for {count}");
    if list.probe.is_reading() {
        text.push_str(&format!("; reading {} of them{}", list.probe.round().len(), ui.signs().cut()));
        return text;
    }
    if ui.prompt.is_some() {
        text.push_str("; enter begins to read it");
        return text;
    }
    if let Some(key) = ui.keymap.keys_of(Layer::List, Action::Refresh).into_iter().next() {
        text.push_str(&match list.probe.left() {
            0 => format!("; {key} reads again"),
            left => format!("; {key} reads {} more", left.min(BOUND)),
        });
    }
    let query = list.filter.trim().replace('\'', "'\\''");
    text.push_str(&format!(
        "; all are read by `coredeck get {} '{query}'`, which costs money",
        list.kind.word()
    ));
    text
}
