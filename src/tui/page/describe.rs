//! One row in full: its troubles first, then every column of its kind, wrapped.

use super::TextLine;
use super::table::cell_text;
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::query::{Kind, Shown, Value};
use crate::tui::cell;
use crate::tui::drill::Drill;
use crate::tui::state::{RowKey, Ui};
use crate::tui::theme::Role;
use crate::tui::view;
use unicode_width::UnicodeWidthStr;

pub(crate) fn lines(ui: &Ui, kind: Kind, key: &RowKey, width: usize) -> Vec<TextLine> {
    let fleet = &ui.world.fleet;
    let Some(at) = view::find(kind, fleet, key) else {
        let text = format!(
            "{} {} in {} is not in the fleet any more, or its list was not read",
            kind.singular(),
            key.id,
            key.scope
        );
        return cell::wrap(&text, width).into_iter().map(|line| vec![(Role::Trouble, line)]).collect();
    };
    let ctx = super::ctx(fleet, ui);
    let mut lines = Vec::new();
    for trouble in kind.troubles(ctx, at) {
        let text = format!("{} {trouble}", ui.signs().dot());
        lines.extend(cell::wrap(&text, width).into_iter().map(|line| vec![(Role::Trouble, line)]));
    }
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    let names = kind.columns().iter().map(|column| column.name.len()).max().unwrap_or(0);
    let names = names.min(width / 3);
    for column in kind.columns() {
        // Troubles stand above; what only says in another unit what another column says is left out.
        let is_repeated = column.shown == Shown::Named && !column.needs.contains(&Source::Metrics);
        if column.name == "troubles" || is_repeated {
            continue;
        }
        let value = (column.get)(ctx, at);
        let values = match &value {
            Value::Tags(tags) if !tags.is_empty() => {
                tags.iter().map(|(key, value)| (Role::Text, format!("{key} = {value}"))).collect()
            }
            Value::List(words) if words.len() > 1 => {
                words.iter().map(|word| (Role::Text, word.to_string())).collect()
            }
            Value::Moment(moment) => {
                vec![(Role::Text, format!("{} ({})", ui.moment(*moment), cell::age(*moment, ui.now)))]
            }
            value => {
                let (role, text) = cell_text(value.clone(), column, ui.now, ui.signs());
                vec![(if role == Role::Row { Role::Text } else { role }, why(value, text))]
            }
        };
        let mut name = cell::cut(column.name, names, ui.signs().cut()).into_owned();
        name.push_str(&" ".repeat(names.saturating_sub(name.width()) + 2));
        for (role, text) in values {
            for line in cell::wrap(&text, width.saturating_sub(names + 2)) {
                let lead = std::mem::replace(&mut name, " ".repeat(names + 2));
                lines.push(vec![(Role::Field, lead), (role, line)]);
            }
        }
    }
    if let Some((to, into)) = Drill::into(kind, ctx, at) {
        lines.push(Vec::new());
        let text = format!("Enter in the list leads to {} of {}", to.word(), harmless(&into.label()));
        lines.extend(cell::wrap(&text, width).into_iter().map(|line| vec![(Role::Dim, line)]));
    }
    lines
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
