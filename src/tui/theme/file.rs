//! Reads a theme file: `inherits`, `[palette]`, `[styles]`.

use super::{Role, SHIPPED, Theme, color};
use crate::tui::fault::{Fault, Faults, meant};
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A theme before its roles fall back on their parents. Colours stay names until the end, so that an
/// heir that changes only the palette changes everything painted with it.
#[derive(Default)]
struct Draft {
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

pub(super) fn no_such(name: &str) -> Fault {
    Fault {
        file: name.to_string(),
        line: 1,
        column: 1,
        message: format!("no theme named `{name}` comes with coredeck"),
        hint: meant(name, SHIPPED.iter().map(|(name, _)| *name)),
    }
}

pub(super) fn parse(file: &str, text: &str) -> Result<Theme, Vec<Fault>> {
    let draft = draft(file, text, &mut Vec::new())?;
    let find = |name: &String| draft.palette.get(name).copied().or_else(|| color::parse(name));
    let paint = |named: &Named| {
        let mut style = Style::new().add_modifier(named.modifier);
        style.fg = named.fg.as_ref().and_then(find);
        style.bg = named.bg.as_ref().and_then(find);
        style
    };
    let styles =
        Role::ALL.iter().map(|role| resolve(&draft.styles, role.name()).map_or_else(Style::new, paint));
    Ok(Theme { styles: styles.collect() })
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

fn draft(file: &str, text: &str, heirs: &mut Vec<String>) -> Result<Draft, Vec<Fault>> {
    let mut faults = Faults::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    faults.toml(&errors);
    let mut theme = Draft::default();
    let mut inherited = Vec::new();
    for (key, value) in table.get_ref() {
        let at = value.span().start;
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("name", DeValue::String(_)) | ("palette" | "styles", DeValue::Table(_)) => {}
            ("background", DeValue::String(word)) if matches!(word.as_ref(), "dark" | "light") => {}
            ("background", _) => faults.at(at, "a background is \"dark\" or \"light\"", None),
            ("inherits", DeValue::String(name)) => {
                let shipped = SHIPPED.iter().find(|(shipped, _)| shipped == name);
                if heirs.iter().any(|heir| heir == name) {
                    faults.at(at, format!("`{name}` inherits from itself"), None);
                } else if let Some((_, text)) = shipped {
                    heirs.push(name.to_string());
                    match draft(&format!("{name}.toml"), text, heirs) {
                        Ok(parent) => theme = parent,
                        Err(mut found) => inherited.append(&mut found),
                    }
                } else {
                    let hint = meant(name, SHIPPED.iter().map(|(name, _)| *name));
                    faults.at(at, format!("no theme named `{name}` comes with coredeck"), hint);
                }
            }
            ("name" | "inherits", _) => faults.at(at, "a name is expected, in quotes", None),
            ("palette" | "styles", _) => faults.at(at, "a table is expected", None),
            (word, _) => {
                let hint = meant(word, ["name", "inherits", "background", "palette", "styles"]);
                faults.at(key.span().start, format!("no setting named `{word}`"), hint);
            }
        }
    }
    // The palette first, wherever it stands in the file: styles name its colours.
    for (name, value) in section(table.get_ref(), "palette") {
        let colour = match value.get_ref() {
            DeValue::String(text) => color::parse(text).ok_or_else(|| text.to_string()),
            DeValue::Integer(number) => {
                color::parse(number.as_str()).ok_or_else(|| number.as_str().to_string())
            }
            other => Err(other.type_str().to_string()),
        };
        match colour {
            Ok(colour) => drop(theme.palette.insert(name.get_ref().to_string(), colour)),
            Err(wrong) => faults.at(value.span().start, no_colour(&wrong), None),
        }
    }
    for (name, value) in section(table.get_ref(), "styles") {
        if !is_role(name.get_ref()) {
            let names = Role::ALL.iter().map(|role| role.name());
            let hint = meant(name.get_ref(), names);
            faults.at(name.span().start, format!("no role named `{}`", name.get_ref()), hint);
            continue;
        }
        if let Some(style) = style(&mut faults, &theme.palette, value) {
            theme.styles.insert(name.get_ref().to_string(), style);
        }
    }
    let mut found = faults.into_found();
    found.append(&mut inherited);
    if found.is_empty() { Ok(theme) } else { Err(found) }
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
