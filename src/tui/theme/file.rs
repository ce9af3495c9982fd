//! Reads a theme file: `inherits`, `[palette]`, `[styles]`.

use super::{Background, Role, Theme, color};
use crate::tui::fault::{Faults, meant};
use crate::tui::layered::Draft;
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A theme before its roles fall back on their parents. Colours stay names until the end, so that an
/// heir that changes only the palette changes everything painted with it.
#[derive(Default)]
pub(super) struct Sketch {
    background: Option<Background>,
    palette: BTreeMap<String, Color>,
    styles: BTreeMap<String, Named>,
}

/// A style whose colours are names.
#[derive(Default)]
struct Named {
    fg: Option<String>,
    bg: Option<String>,
    modifier: Modifier,
}

impl Sketch {
    /// Every role painted, with the background that it is meant for.
    pub(super) fn paint(&self) -> Theme {
        let find = |name: &String| self.palette.get(name).copied().or_else(|| color::parse(name));
        let paint = |named: &Named| {
            let mut style = Style::new().add_modifier(named.modifier);
            style.fg = named.fg.as_ref().and_then(find);
            style.bg = named.bg.as_ref().and_then(find);
            style
        };
        let styles =
            Role::ALL.iter().map(|role| resolve(&self.styles, role.name()).map_or_else(Style::new, paint));
        Theme { styles: styles.collect(), background: self.background }
    }
}

/// The style of a role, or of its nearest ancestor that has one; `text` is everybody's ancestor.
fn resolve<'s>(styles: &'s BTreeMap<String, Named>, name: &str) -> Option<&'s Named> {
    let mut name = name;
    loop {
        if let Some(style) = styles.get(name) {
            return Some(style);
        }
        name = match name.rsplit_once('.') {
            Some((parent, _)) => parent,
            None if name != "text" => "text",
            None => return None,
        };
    }
}

impl Draft for Sketch {
    fn take(&mut self, table: &DeTable<'_>, faults: &mut Faults<'_>) {
        for (key, value) in table {
            let at = value.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("name" | "inherits", _) | ("palette" | "styles", DeValue::Table(_)) => {}
                ("background", DeValue::String(word)) => match Background::parse(word) {
                    Some(background) => self.background = Some(background),
                    None => {
                        faults.at(at, "a background is \"dark\", \"light\" or a colour, \"#rrggbb\"", None);
                    }
                },
                ("background", _) => {
                    faults.at(at, "a background is \"dark\", \"light\" or a colour, \"#rrggbb\"", None);
                }
                ("palette" | "styles", _) => faults.at(at, "a table is expected", None),
                (word, _) => {
                    let hint = meant(word, ["name", "inherits", "background", "palette", "styles"]);
                    faults.at(key.span().start, format!("no setting named `{word}`"), hint);
                }
            }
        }
        // The palette first, wherever it stands in the file: styles name its colours.
        for (name, value) in section(table, "palette") {
            let colour = match value.get_ref() {
                DeValue::String(text) => color::parse(text).ok_or_else(|| text.to_string()),
                DeValue::Integer(number) => {
                    color::parse(number.as_str()).ok_or_else(|| number.as_str().to_string())
                }
                other => Err(other.type_str().to_string()),
            };
            match colour {
                Ok(colour) => drop(self.palette.insert(name.get_ref().to_string(), colour)),
                Err(wrong) => faults.at(value.span().start, no_colour(&wrong), None),
            }
        }
        for (name, value) in section(table, "styles") {
            if !is_role(name.get_ref()) {
                let names = Role::ALL.iter().map(|role| role.name());
                let hint = meant(name.get_ref(), names);
                faults.at(name.span().start, format!("no role named `{}`", name.get_ref()), hint);
            }
            // How a role looks that is not there may be wrong too: all is told at once.
            if let Some(style) = style(faults, &self.palette, value)
                && is_role(name.get_ref())
            {
                self.styles.insert(name.get_ref().to_string(), style);
            }
        }
    }
}

/// A role, or a parent of roles.
fn is_role(name: &str) -> bool {
    Role::ALL.iter().any(|role| {
        role.name().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn no_colour(wrong: &str) -> String {
    format!(
        "`{wrong}` is no colour; write \"#rrggbb\", a number from 0 to 255 or a name such as \"bright-red\""
    )
}

type Entry<'t, 'i> = (&'t Spanned<toml::de::DeString<'i>>, &'t Spanned<DeValue<'i>>);

fn section<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> impl Iterator<Item = Entry<'t, 'i>> {
    table.get(name).and_then(|value| value.get_ref().as_table()).into_iter().flatten()
}

fn colour(
    faults: &mut Faults<'_>,
    palette: &BTreeMap<String, Color>,
    value: &Spanned<DeValue<'_>>,
) -> Option<String> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.as_ref(),
        DeValue::Integer(number) => number.as_str(),
        _ => {
            faults.at(value.span().start, "a colour is expected, in quotes", None);
            return None;
        }
    };
    let found = palette.get(text).copied().or_else(|| color::parse(text));
    if found.is_none() && text.starts_with(|c: char| c == '#' || c.is_ascii_digit()) {
        faults.at(value.span().start, no_colour(text), None);
    } else if found.is_none() {
        let names = palette.keys().map(String::as_str).chain(color::NAMES.iter().map(|(name, ..)| *name));
        faults.at(
            value.span().start,
            format!("no colour named `{text}`"),
            meant(text, names.chain(["default"])),
        );
    }
    found.map(|_| text.to_string())
}

fn style(
    faults: &mut Faults<'_>,
    palette: &BTreeMap<String, Color>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Named> {
    let table = match value.get_ref() {
        DeValue::Table(table) => table,
        DeValue::String(_) => {
            return colour(faults, palette, value).map(|fg| Named { fg: Some(fg), ..Named::default() });
        }
        _ => {
            let message = "a colour or a table such as { fg = \"red\", bold = true } is expected";
            faults.at(value.span().start, message, None);
            return None;
        }
    };
    let mut style = Named::default();
    for (key, value) in table {
        let modifier = match key.get_ref().as_ref() {
            "fg" => {
                style.fg = colour(faults, palette, value);
                continue;
            }
            "bg" => {
                style.bg = colour(faults, palette, value);
                continue;
            }
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            word => {
                let message = format!(
                    "no attribute named `{word}`; write fg, bg, bold, dim, italic, underline or reverse"
                );
                faults.at(key.span().start, message, None);
                continue;
            }
        };
        match value.get_ref().as_bool() {
            Some(true) => style.modifier |= modifier,
            Some(false) => {}
            None => faults.at(value.span().start, "true or false is expected", None),
        }
    }
    Some(style)
}
