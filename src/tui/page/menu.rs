//! The lines of the menu that is open.

use super::TextLine;
use super::overview::health_role;
use crate::model::Health;
use crate::tui::action::{Action, Layer};
use crate::tui::cell;
use crate::tui::menu::{Columns, Jump, Menu, Way};
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// What the box of a menu is called.
pub(crate) fn title(menu: &Menu) -> String {
    match menu {
        Menu::Jump(jump) => format!("from {}", jump.from),
        Menu::Columns(columns) => format!("columns of {}", columns.kind.word()),
    }
}

/// Every line of a menu; the chosen one has the cursor's mark.
pub(crate) fn lines(ui: &Ui, menu: &Menu) -> Vec<TextLine> {
    match menu {
        Menu::Jump(jump) => ways(ui, jump),
        Menu::Columns(columns) => shown(ui, columns),
    }
}

fn marked(ui: &Ui, is_at: bool) -> (Role, String) {
    (Role::Gutter, if is_at { format!("{} ", ui.signs().cursor()) } else { "  ".into() })
}

fn ways(ui: &Ui, jump: &Jump) -> Vec<TextLine> {
    if jump.ways.is_empty() {
        return vec![vec![(Role::Dim, "  nothing that was read belongs to it".into())]];
    }
    let keys: Vec<String> = jump.ways.iter().map(|way| key(ui, way)).collect();
    let key_width = keys.iter().map(|key| key.width()).max().unwrap_or(0);
    let words = jump.ways.iter().map(|way| way.to.word().len()).max().unwrap_or(0);
    let counts = jump.ways.iter().map(|way| way.count.to_string().len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (at, (way, key)) in jump.ways.iter().zip(keys).enumerate() {
        let is_at = at == jump.at;
        let word = if is_at { Role::RowCursor } else { Role::RowKey };
        let blank = " ".repeat(key_width - key.width() + 2);
        let mut line = vec![
            marked(ui, is_at),
            (Role::HintKey, key),
            (Role::Text, blank),
            (word, format!("{:<words$}", way.to.word())),
            (Role::Strong, format!("  {:>counts$}  ", way.count)),
        ];
        if let Some(name) = &way.name {
            line.push((Role::Text, format!("{name}  ")));
        }
        line.extend(healths(ui, &way.health, way.count == 1));
        match (way.gone, way.count) {
            (0, _) => {}
            (_, 1) => line.push((Role::Dim, "gone".to_owned())),
            (gone, _) => line.push((Role::Dim, format!("{gone} gone"))),
        }
        lines.push(line);
    }
    lines
}

/// How many are how well; of one alone only how well it is.
pub(crate) fn healths(ui: &Ui, counts: &[(Health, usize)], is_one: bool) -> TextLine {
    let mut line = TextLine::new();
    for (health, count) in counts {
        let sign = ui.signs().health(*health);
        let text = if is_one {
            format!("{sign} {}  ", health.word())
        } else {
            format!("{sign} {count} {}  ", health.word())
        };
        line.push((health_role(*health), text));
    }
    line
}

/// The key that leads there at once.
fn key(ui: &Ui, way: &Way) -> String {
    ui.keymap.keys_of(Layer::Menu, Action::Go(way.to)).into_iter().next().unwrap_or_default()
}

fn shown(ui: &Ui, columns: &Columns) -> Vec<TextLine> {
    let names = columns.all.iter().map(|(column, _)| column.name.len()).max().unwrap_or(0);
    let lines = columns.all.iter().enumerate().map(|(at, (column, shows))| {
        let is_at = at == columns.at;
        let role = match (is_at, shows) {
            (true, _) => Role::RowCursor,
            (false, true) => Role::RowKey,
            (false, false) => Role::Dim,
        };
        let doc = cell::cut(column.doc, usize::from(ui.width).saturating_sub(names + 8), ui.signs().cut());
        vec![
            marked(ui, is_at),
            (if *shows { Role::HealthOk } else { Role::Dim }, if *shows { "[x] " } else { "[ ] " }.into()),
            (role, format!("{:<names$}  ", column.name)),
            (Role::Dim, doc.into_owned()),
        ]
    });
    lines.collect()
}
