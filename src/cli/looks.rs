//! `coredeck theme` and `coredeck keymap`: what there is, what one of them comes to, and what is wrong with it.

use super::Outside;
use super::args::{Global, LooksCommand};
use super::output::{Colour, Output};
use super::table::{self, Cell, Heading};
use crate::config::{Config, load};
use crate::error::{Error, Result};
use crate::model::text::harmless;
use crate::query::Unit;
use crate::tui::fault::Fault;
use crate::tui::keymap::Keymap;
use crate::tui::layered::{Found, Shelf, open};
use crate::tui::theme::{Role, Theme};
use crate::tui::{Looks, action};
use std::path::Path;

/// Runs `coredeck theme`.
pub(super) fn theme(
    command: &LooksCommand,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let (looks, config) = looks(global, outside)?;
    let in_force = if config.theme == "default" { looks.usual().to_owned() } else { config.theme };
    match command {
        LooksCommand::List => list(&looks.themes, &in_force, out),
        LooksCommand::Show { name } => {
            let name = name.as_deref().unwrap_or(&in_force);
            let theme = Theme::load(&looks.themes, name).map_err(|faults| wrong(name, &faults))?;
            // Words are not painted: they say what the file comes to, however many colours there are here.
            let theme = if out.colour == Colour::Yes { theme.at(looks.depth()) } else { theme };
            show_theme(&theme, out)
        }
        LooksCommand::Check { file } => {
            let file = file.as_deref().unwrap_or(&in_force);
            check(&looks.themes, file, out, |shelf, file, text| Theme::parse_on(shelf, file, text).map(drop))
        }
        LooksCommand::PrintDefault { name } => {
            print(crate::tui::theme::SHIPPED, "theme", name.as_deref().unwrap_or("dark"), out)
        }
    }
}

/// Runs `coredeck keymap`.
pub(super) fn keymap(
    command: &LooksCommand,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let (looks, config) = looks(global, outside)?;
    match command {
        LooksCommand::List => list(&looks.keymaps, &config.keymap, out),
        LooksCommand::Show { name } => {
            let name = name.as_deref().unwrap_or(&config.keymap);
            let keymap = Keymap::load(&looks.keymaps, name).map_err(|faults| wrong(name, &faults))?;
            show_keymap(&keymap, out)
        }
        LooksCommand::Check { file } => {
            let file = file.as_deref().unwrap_or(&config.keymap);
            check(&looks.keymaps, file, out, |shelf, file, text| {
                Keymap::parse_on(shelf, file, text).map(drop)
            })
        }
        LooksCommand::PrintDefault { name } => {
            print(crate::tui::keymap::SHIPPED, "keymap", name.as_deref().unwrap_or("default"), out)
        }
    }
}

fn looks(global: &Global, outside: &Outside) -> Result<(Looks, Config)> {
    let around = &outside.around;
    let folder = around.config_folder.as_ref().map(|folder| folder.join("coredeck"));
    let looks = Looks::new(folder.as_deref(), |name| {
        if name == "NO_COLOR" && global.no_color {
            Some("1".to_owned())
        } else {
            around.var(name).map(str::to_owned)
        }
    });
    Ok((looks, Config::clone(&load(&global.flags(), around)?.config)))
}

fn wrong(what: &str, faults: &[Fault]) -> Error {
    let many = if faults.len() == 1 { "one fault".to_owned() } else { format!("{} faults", faults.len()) };
    let mut error = Error::usage(format!("{}: {many}", harmless(what)));
    error.hints = faults.iter().map(|fault| harmless(&fault.to_string()).into_owned()).collect();
    error
}

fn heading(title: &str) -> Heading {
    Heading { title: title.to_owned(), unit: Unit::Text, is_id: false }
}

fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), health: None }
}

fn list(shelf: &Shelf, in_force: &str, out: &mut Output) -> Result<()> {
    let rows: Vec<Vec<Cell>> = shelf
        .names()
        .into_iter()
        .map(|(name, found)| {
            let found = match found {
                Found::Shipped => "coredeck".to_owned(),
                Found::Own(path) => harmless(&path.display().to_string()).into_owned(),
            };
            let mark = if name == in_force { "in force" } else { "" };
            vec![cell(harmless(&name)), cell(found), cell(mark)]
        })
        .collect();
    let text =
        table::draw(&[heading("NAME"), heading("FROM"), heading("")], &rows, true, out.width, Colour::No);
    out.data(&text)
}

/// Every role in its own style, so that one sees what a file comes to on this terminal; in words where there is none
/// or it shows no colours.
fn show_theme(theme: &Theme, out: &mut Output) -> Result<()> {
    let wide = Role::ALL.iter().map(|role| role.name().len()).max().unwrap_or(0);
    let is_coloured = out.colour == Colour::Yes;
    let mut text = String::new();
    for role in Role::ALL {
        let name = role.name();
        if is_coloured {
            let style = theme.escape(*role);
            text.push_str(&format!("{name:wide$}  {style}i-0a1b2c3d  running  t3.large\x1b[0m\n"));
        } else {
            text.push_str(&format!("{name:wide$}  {}\n", theme.words(*role)));
        }
    }
    out.data(&text)
}

fn show_keymap(keymap: &Keymap, out: &mut Output) -> Result<()> {
    let mut rows = Vec::new();
    for layer in action::Layer::ALL {
        for about in action::ACTIONS.iter().filter(|about| about.layers.contains(&layer)) {
            let keys = keymap.keys_here(layer, about.action);
            if !keys.is_empty() {
                rows.push(vec![cell(layer.word()), cell(keys.join("  ")), cell(about.name), cell(about.doc)]);
            }
        }
    }
    let headings = [heading("LAYER"), heading("KEYS"), heading("ACTION"), heading("WHAT IT DOES")];
    out.data(&table::draw(&headings, &rows, true, out.width, Colour::No))
}

/// Reads a file by its path, or by its name where it is no path.
fn check(
    shelf: &Shelf,
    file: &str,
    out: &mut Output,
    parse: impl Fn(&Shelf, &str, &str) -> std::result::Result<(), Vec<Fault>>,
) -> Result<()> {
    let path = Path::new(file);
    let is_path = file.contains('/') || path.extension().is_some_and(|extension| extension == "toml");
    let read = if is_path { open(path).map(|text| (file.to_owned(), text)) } else { shelf.text(file) };
    let (shown, text) = read.map_err(|fault| wrong(file, &[fault]))?;
    parse(shelf, &shown, &text).map_err(|faults| wrong(file, &faults))?;
    out.say(&format!("{}: good", harmless(&shown)));
    Ok(())
}

/// The file as it comes with the program, with its comments.
fn print(shipped: &[(&str, &str)], what: &str, name: &str, out: &mut Output) -> Result<()> {
    match shipped.iter().find(|(shipped, _)| *shipped == name) {
        Some((_, text)) => out.data(text),
        None => {
            let names: Vec<&str> = shipped.iter().map(|(name, _)| *name).collect();
            Err(Error::usage(format!("no {what} named `{}` comes with coredeck", harmless(name)))
                .hint(format!("{what}s are {}", names.join(", "))))
        }
    }
}
