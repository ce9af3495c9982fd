//! One row in full: its troubles first, what it is, charts, what belongs to it, what happened to it, and then
//! every other field, by who tells it.

use super::chart::chart;
use super::overview::health_role;
use super::table::cell_text;
use super::{TextLine, trend};
use crate::fleet::Fleet;
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{Health, InstanceState, Known, Metrics, Point};
use crate::query::{Column, Ctx, Kind, Shown, Unit, Value};
use crate::snapshot::{Measure, Subject};
use crate::tui::card::{Card, EVENTS, NAMED};
use crate::tui::cell;
use crate::tui::drill::called;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr;

/// A line of a card, and the number of its link where it leads on.
pub(crate) struct CardLine {
    pub(crate) pieces: TextLine,
    pub(crate) link: Option<usize>,
}

/// Sections of fields, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Main,
    More,
    From(Source),
    Tags,
}

impl Section {
    const ALL: [Self; 16] = [
        Self::From(Source::Groups),
        Self::From(Source::Refreshes),
        Self::From(Source::Hosts),
        Self::From(Source::Agents),
        Self::From(Source::Statuses),
        Self::From(Source::Images),
        Self::From(Source::Published),
        Self::From(Source::Templates),
        Self::From(Source::Targets),
        Self::From(Source::TargetGroups),
        Self::From(Source::Instances),
        Self::From(Source::Registry),
        Self::From(Source::Metrics),
        Self::From(Source::Admin),
        Self::More,
        Self::Tags,
    ];

    /// Where a field stands: with others that the same list tells.
    fn of(column: &Column) -> Self {
        match (column.needs, column.shown, column.unit) {
            (.., Unit::Tags) => Self::Tags,
            // A selector put it there, whatever its group says.
            _ if column.name == "tier_by" => Self::More,
            (_, Shown::Always, _) => Self::Main,
            ([only], ..) => Self::From(*only),
            ([_, .., last], ..) => Self::From(*last),
            _ => Self::More,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::More => "More",
            Self::Tags => "Tags",
            Self::From(source) => match source {
                Source::Groups => "In its Auto Scaling group",
                Source::Refreshes => "Instance refresh",
                Source::Hosts => "In ECS",
                Source::Agents => "Systems Manager",
                Source::Statuses => "Status checks",
                Source::Images => "Image",
                Source::Published => "Newest image",
                Source::Templates => "Launch template",
                Source::Targets | Source::TargetGroups => "Traffic",
                Source::Registry => "Registry",
                Source::Metrics => "Metrics, latest points",
                Source::Admin => "By its own word",
                _ => "Instances",
            },
        }
    }
}

/// Every line of a card.
pub(crate) fn lines(ui: &Ui, card: &Card, width: usize) -> Vec<CardLine> {
    let fleet = &ui.world.fleet;
    let kind = card.kind;
    let mut paper = Paper { ui, width, lines: Vec::new(), link: 0, picked: card.picked };
    let Some(at) = card.at else {
        let text = format!(
            "{} {} in {} is not in the fleet any more, or its list was not read",
            kind.singular(),
            card.key.id,
            card.key.scope
        );
        paper.wrapped(Role::Trouble, "", &text);
        return paper.lines;
    };
    let ctx = super::ctx(fleet, ui);
    for trouble in kind.troubles(ctx, at) {
        paper.wrapped(Role::Trouble, &format!("{} ", ui.signs().dot()), trouble);
    }
    if let Some(listed) = ui.holder(kind, fleet, at) {
        let progress = super::operations::progress(ui, listed);
        let text = format!(
            "held by operation {} of {} ({}): {}",
            progress.id,
            progress.who,
            progress.standing.word(),
            progress.title
        );
        paper.wrapped(Role::Note, &format!("{} ", ui.signs().held()), &text);
    }
    if !paper.lines.is_empty() {
        paper.blank();
    }
    let names = kind.columns().iter().map(|column| column.name.len()).max().unwrap_or(0).min(width / 3);
    paper.fields(kind, ctx, at, Section::Main, names);
    if !(kind == Kind::Instances && paper.charts(at, names)) {
        paper.courses(kind, at, names);
    }
    paper.related(card, ctx);
    paper.events(card, ctx);
    for section in Section::ALL {
        paper.fields(kind, ctx, at, section, names);
    }
    paper.lines
}

/// What lines are written on.
struct Paper<'a> {
    ui: &'a Ui,
    width: usize,
    lines: Vec<CardLine>,
    /// The number of the next link.
    link: usize,
    picked: Option<usize>,
}

impl Paper<'_> {
    fn line(&mut self, pieces: TextLine) {
        self.lines.push(CardLine { pieces, link: None });
    }

    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.pieces.is_empty()) {
            self.line(TextLine::new());
        }
    }

    fn title(&mut self, title: &str, behind: &str) {
        self.blank();
        let mut pieces = vec![(Role::Title, title.to_string())];
        if !behind.is_empty() {
            pieces.push((Role::Dim, format!("  {behind}")));
        }
        self.line(pieces);
    }

    /// A text in lines that stand below each other, after a lead.
    fn wrapped(&mut self, role: Role, lead: &str, text: &str) {
        let mut lead = lead.to_string();
        for line in cell::wrap(text, self.width.saturating_sub(lead.width())) {
            let next = " ".repeat(lead.width());
            self.line(vec![(role, std::mem::replace(&mut lead, next)), (role, line)]);
        }
    }

    /// A line that leads on.
    fn linked(&mut self, pieces: TextLine) {
        let is_picked = self.picked == Some(self.link);
        let mark = if is_picked { format!("{} ", self.ui.signs().cursor()) } else { "  ".into() };
        let mut line = vec![(Role::Gutter, mark)];
        line.extend(pieces.into_iter().map(|(role, text)| {
            (if is_picked && role == Role::RowKey { Role::RowCursor } else { role }, text)
        }));
        self.lines.push(CardLine { pieces: line, link: Some(self.link) });
        self.link += 1;
    }

    /// The fields of a section.
    fn fields(&mut self, kind: Kind, ctx: Ctx<'_>, at: usize, section: Section, names: usize) {
        let columns = kind.columns().iter().filter(|column| {
            // Troubles stand above; what only says in another unit what another column says is left out.
            let is_repeated = column.shown == Shown::Named && !column.needs.contains(&Source::Metrics);
            column.name != "troubles" && !is_repeated && Section::of(column) == section
        });
        let columns: Vec<&Column> = columns.collect();
        let mut has_title = section == Section::Main;
        // A list that is known to say nothing of the row takes one line.
        let is_empty = |column: &&Column| (column.get)(ctx, at) == Value::Absent;
        if matches!(section, Section::From(_)) && !columns.is_empty() && columns.iter().all(is_empty) {
            self.title(section.title(), "-");
            return;
        }
        for column in columns {
            if !has_title {
                self.title(section.title(), "");
                has_title = true;
            }
            let value = (column.get)(ctx, at);
            let values = self.values(value, column);
            let mut name = cell::cut(column.name, names, self.ui.signs().cut()).into_owned();
            name.push_str(&" ".repeat(names.saturating_sub(name.width()) + 2));
            for (role, indent, text) in values {
                let room = self.width.saturating_sub(names + 2 + indent);
                for line in cell::wrap(&text, room) {
                    let lead = std::mem::replace(&mut name, " ".repeat(names + 2));
                    self.line(vec![(Role::Field, lead), (Role::Text, " ".repeat(indent)), (role, line)]);
                }
            }
        }
    }

    /// A value on lines of its own: its role, how far it is set in, and its text.
    fn values(&self, value: Value<'_>, column: &Column) -> Vec<(Role, usize, String)> {
        let ui = self.ui;
        match value {
            Value::Tags(tags) if !tags.is_empty() => {
                tags.iter().map(|(key, value)| (Role::Text, 0, format!("{key} = {value}"))).collect()
            }
            Value::List(words) if words.len() > 1 => {
                words.iter().map(|word| (Role::Text, 0, word.to_string())).collect()
            }
            Value::Moment(at) => {
                vec![(Role::Text, 0, format!("{} ({})", ui.moment(at), cell::age(at, ui.now)))]
            }
            Value::Nested(json) if is_deep(&json) => {
                let mut lines = Vec::new();
                nested(&json, 0, "", &mut lines);
                lines.into_iter().map(|(indent, text)| (Role::Text, indent, text)).collect()
            }
            value => {
                let (role, text) = cell_text(value.clone(), column, ui.now, ui.signs());
                vec![(if role == Role::Row { Role::Text } else { role }, 0, why(&value, text))]
            }
        }
    }

    /// The metrics of an instance as charts. Returns whether there are any.
    fn charts(&mut self, at: usize, names: usize) -> bool {
        let fleet = std::sync::Arc::clone(&self.ui.world.fleet);
        let Some(row) = fleet.instances.get(at) else { return false };
        let Known::Yes(Some(metrics)) = &row.metrics else { return false };
        let Metrics { cpu, network_in, network_out, credits, .. } = &**metrics;
        let series = [
            ("cpu", cpu, Some(100.0)),
            ("network_in", network_in, None),
            ("network_out", network_out, None),
            ("credits", credits, None),
        ];
        if series.iter().all(|(_, points, _)| points.is_empty()) {
            return false;
        }
        self.title("Metrics", &span(series.iter().flat_map(|(_, points, _)| points.iter()), self.ui));
        let lines = if self.width >= 70 { 2 } else { 1 };
        for (name, points, most) in series.into_iter().filter(|(_, points, _)| !points.is_empty()) {
            let column = Kind::Instances.columns().iter().find(|column| column.name == name);
            let Some(column) = column else { continue };
            let shown = |value: f64| cell::show(Value::Number(value), column, self.ui.now).into_owned();
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            let highest = values.iter().copied().fold(0.0, f64::max);
            let last = values.last().copied().unwrap_or(f64::NAN);
            let says = format!("  now {}, at most {}", shown(last), shown(highest));
            let room = self.width.saturating_sub(names + 2 + says.width()).clamp(1, 60);
            let drawn = chart(&values, most.unwrap_or(highest), room, lines, self.ui.signs());
            // Few points stand broader.
            let broad = (room / values.len().max(1)).clamp(1, 3);
            let widen =
                |line: &String| line.chars().flat_map(|c| std::iter::repeat_n(c, broad)).collect::<String>();
            let drawn: Vec<String> = drawn.iter().map(widen).collect();
            self.drawn(name, names, &drawn, &says);
        }
        true
    }

    /// A chart behind its name, and what it says behind that.
    fn drawn(&mut self, name: &str, names: usize, lines: &[String], says: &str) {
        for (nth, drawn) in lines.iter().enumerate() {
            let is_last = nth + 1 == lines.len();
            let name = if is_last { name } else { "" };
            let lead = format!("{name:<width$}", width = names + 2);
            let mut pieces = vec![(Role::Field, lead), (Role::HealthBusy, drawn.clone())];
            if is_last {
                pieces.push((Role::Text, says.to_owned()));
            }
            self.line(pieces);
        }
    }

    /// How the figures of the row went, as far as that was kept.
    fn courses(&mut self, kind: Kind, at: usize, names: usize) {
        let fleet = std::sync::Arc::clone(&self.ui.world.fleet);
        let Some((subject, figures)) = figures(kind, &fleet, at) else { return };
        let lines = if self.width >= 70 { 2 } else { 1 };
        let columns = self.width.saturating_sub(names + 2 + 36).clamp(8, 60);
        let mut has_title = false;
        for (measure, name, most) in figures {
            let frame = trend::Frame { columns, lines, most: *most };
            let column = Kind::Instances.columns().iter().find(|column| column.name == measure.word());
            let show = |value: f64| match column {
                Some(column) => cell::show(Value::Number(value), column, self.ui.now).into_owned(),
                None => format!("{value:.0}"),
            };
            let Some(course) = trend::course(self.ui, &subject, *measure, frame, show) else { continue };
            if !has_title {
                self.title("Trend", &format!("the last {}", course.span));
                has_title = true;
            }
            self.drawn(name, names, &course.lines, &format!("  {}", course.says));
        }
    }

    /// What belongs to the row, kind by kind.
    fn related(&mut self, card: &Card, ctx: Ctx<'_>) {
        if card.related.is_empty() {
            return;
        }
        self.title("Related", "");
        let words = card.related.iter().map(|(kind, _)| kind.word().len()).max().unwrap_or(0);
        for (kind, rows) in &card.related {
            let mut word = format!("{:<words$}  ", kind.word());
            for row in rows.iter().take(NAMED).map(|row| *row as usize) {
                let lead = std::mem::replace(&mut word, " ".repeat(words + 2));
                let mut pieces = vec![(Role::Field, lead), (Role::RowKey, called(*kind, ctx, row))];
                if let Some(health) = kind.health(ctx, row) {
                    let text = format!("  {} {}", self.ui.signs().health(health), health.word());
                    pieces.push((health_role(health), text));
                }
                let instance = ctx.fleet.instances.get(row).filter(|_| *kind == Kind::Instances);
                if let Some(state) =
                    instance.map(|row| row.it.state).filter(|it| *it != InstanceState::Running)
                {
                    pieces.push((Role::Text, format!("  {}", state.word())));
                }
                if let Some(first) = kind.troubles(ctx, row).first() {
                    let used: usize = pieces.iter().map(|(_, text)| text.width()).sum();
                    let room = self.width.saturating_sub(used + 4);
                    let text = cell::cut(first, room, self.ui.signs().cut()).into_owned();
                    pieces.push((Role::Dim, format!("  {text}")));
                }
                self.linked(pieces);
            }
            if rows.len() > NAMED {
                let bad = rows.iter().filter(|row| kind.health(ctx, **row as usize) >= Some(Health::Warn));
                let bad = match bad.count() {
                    0 => String::new(),
                    bad => format!(", {bad} of them not well"),
                };
                let text = format!("all {}{bad}", rows.len());
                self.linked(vec![(Role::Field, " ".repeat(words + 2)), (Role::RowKey, text)]);
            }
        }
    }

    /// What happened to the row lately.
    fn events(&mut self, card: &Card, ctx: Ctx<'_>) {
        if card.events.is_empty() {
            return;
        }
        self.title("Events", "");
        for at in card.events.iter().take(EVENTS) {
            let Some(event) = ctx.fleet.events.get(*at as usize) else { continue };
            let age = event.at.map_or_else(|| "-".into(), |at| cell::age(at, self.ui.now));
            let sign = self.ui.signs().health(event.health);
            let room = self.width.saturating_sub(12);
            let what = cell::cut(&event.what(), room, self.ui.signs().cut()).into_owned();
            self.linked(vec![
                (Role::Field, format!("{age:>6}  ")),
                (health_role(event.health), format!("{sign} ")),
                (Role::RowKey, what),
            ]);
        }
        if card.events.len() > EVENTS {
            let text = format!("all {}", card.events.len());
            self.linked(vec![(Role::Field, " ".repeat(8)), (Role::RowKey, text)]);
        }
    }
}

/// A figure: what is measured, what it is called, and the highest that it can be.
type Figure = (Measure, &'static str, Option<f64>);

/// The figures that are kept of a row.
fn figures(kind: Kind, fleet: &Fleet, at: usize) -> Option<(Subject, &'static [Figure])> {
    const METERED: &[Figure] = &[
        (Measure::Cpu, "cpu", Some(100.0)),
        (Measure::NetworkIn, "network_in", None),
        (Measure::NetworkOut, "network_out", None),
        (Measure::Credits, "credits", None),
    ];
    const COUNTED: &[Figure] = &[(Measure::Running, "running", None), (Measure::Desired, "desired", None)];
    match kind {
        Kind::Instances => {
            let row = fleet.instances.get(at)?;
            Some((Subject::Instance(row.scope.as_ref().clone(), row.it.id.clone()), METERED))
        }
        Kind::Groups => {
            let row = fleet.groups.get(at)?;
            Some((Subject::Group(row.scope.as_ref().clone(), row.it.name.clone()), COUNTED))
        }
        Kind::Services => {
            let row = fleet.services.get(at)?;
            Some((Subject::Service(row.scope.as_ref().clone(), row.it.arn.clone()), COUNTED))
        }
        _ => None,
    }
}

/// Which line a card's picked link is on.
pub(crate) fn picked_line(lines: &[CardLine], card: &Card) -> Option<usize> {
    let picked = card.picked?;
    lines.iter().position(|line| line.link == Some(picked))
}

/// From when to when points are.
fn span<'a>(points: impl Iterator<Item = &'a Point>, ui: &Ui) -> String {
    let (mut first, mut last) = (None, None);
    for point in points {
        first = Some(first.map_or(point.at, |at: jiff::Timestamp| at.min(point.at)));
        last = last.max(Some(point.at));
    }
    match (first, last) {
        (Some(first), Some(last)) => format!("{} to {}", ui.clock(first), ui.clock(last)),
        _ => String::new(),
    }
}

/// Tells whether a value has parts of its own: such a one takes a line for each.
fn is_deep(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        Json::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

/// The parts of a value, each set in below what it belongs to.
fn nested(json: &Json, indent: usize, lead: &str, lines: &mut Vec<(usize, String)>) {
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            let mut lead = lead.to_string();
            let inner = indent + lead.len();
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                let (at, mark) = (if lead.is_empty() { inner } else { indent }, std::mem::take(&mut lead));
                if is_deep(value) {
                    lines.push((at, format!("{mark}{}", harmless(name))));
                    nested(value, inner + 2, "", lines);
                } else {
                    lines.push((at, format!("{mark}{} {}", harmless(name), flat(value))));
                }
            }
        }
        Json::Array(items) if is_deep(json) => {
            items.iter().for_each(|item| nested(item, indent, "- ", lines));
        }
        other => lines.push((indent, format!("{lead}{}", flat(other)))),
    }
}

/// A value without parts in one line.
fn flat(json: &Json) -> String {
    match json {
        Json::Null => "-".into(),
        Json::Bool(true) => "yes".into(),
        Json::Bool(false) => "no".into(),
        Json::String(text) if text.is_empty() => "-".into(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "-".into(),
        Json::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(", "),
        Json::Object(_) => "-".into(),
        other => other.to_string(),
    }
}

/// A value that is not known says why here, where there is room for it.
fn why(value: &Value<'_>, text: String) -> String {
    use crate::model::WhyUnknown::{NotAsked, Pending, Trouble};
    match value {
        Value::Unknown(NotAsked) => format!("{text} (not asked for)"),
        Value::Unknown(Pending) => format!("{text} (being read)"),
        Value::Unknown(Trouble) => format!("{text} (could not be read)"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::nested;
    use serde_json::json;

    #[test]
    fn parts_are_set_in_below_what_they_belong_to() {
        let mut lines = Vec::new();
        let value =
            json!([{ "id": "a", "why": null, "in": { "x": 1, "on": true } }, { "id": "b", "list": [1, 2] }]);
        nested(&value, 0, "", &mut lines);
        let shown: Vec<String> =
            lines.iter().map(|(at, text)| format!("{}{text}", " ".repeat(*at))).collect();
        assert_eq!(shown, ["- id a", "  in", "    on yes", "    x 1", "- id b", "  list 1, 2"]);
    }
}
