//! One row in full: its troubles first, what it is, charts, what belongs to it, what happened to it, and then
//! every other field, by who tells it.

mod figures;
mod nested;
mod word;

use super::TextLine;
use super::overview::health_role;
use super::table::cell_text;
use crate::gateway::Source;
use crate::model::{Health, InstanceState};
use crate::query::related::gone;
use crate::query::{Column, Ctx, Kind, Shown, Unit, Value};
use crate::tui::card::{Card, EVENTS, NAMED};
use crate::tui::cell;
use crate::tui::drill::called;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use nested::{is_deep, nested};
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
    const ALL: [Self; 17] = [
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
        Self::From(Source::Records),
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
                Source::Records => "Host names",
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
    paper.prices(kind, at, names);
    paper.requests(kind, at);
    paper.left(kind, at);
    paper.databases(kind, at);
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
                let gone = match gone(ctx, *kind, rows) {
                    0 => String::new(),
                    gone => format!(", {gone} gone"),
                };
                let text = format!("all {}{bad}{gone}", rows.len());
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

/// Which line a card's picked link is on.
pub(crate) fn picked_line(lines: &[CardLine], card: &Card) -> Option<usize> {
    let picked = card.picked?;
    lines.iter().position(|line| line.link == Some(picked))
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
