//! `coredeck config`: write one, show it, check it, tell where it is.

use super::args::{ConfigCommand, ShowFormat};
use super::json;
use super::output::Output;
use super::table::{self, Cell, Heading};
use crate::config::{Flags, Origin, Setting, Surroundings, check, file, init, load, settings};
use crate::error::{Error, Result};
use crate::model::text::harmless;
use crate::query::Unit;
use crate::tui::Options;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Runs the command.
pub(super) fn run(
    command: &ConfigCommand,
    flags: &Flags,
    around: &Surroundings,
    out: &mut Output,
) -> Result<()> {
    match command {
        ConfigCommand::Init { file } => {
            let path = match file {
                Some(file) => file.clone(),
                None => place(flags, around)?.0,
            };
            init(&path)?;
            out.say(&format!("wrote {}", shown(&path)));
            out.say("edit it, then `coredeck config check`");
            Ok(())
        }
        ConfigCommand::Show { output } => show(*output, flags, around, out),
        ConfigCommand::Check { file } => {
            let (warnings, looks) = match file {
                Some(file) => {
                    let warnings = check(file, around)?;
                    (
                        warnings,
                        load(&Flags { config: Some(file.clone()), ..Flags::default() }, around)?.config,
                    )
                }
                None => {
                    let loaded = load(flags, around)?;
                    (loaded.warnings, loaded.config)
                }
            };
            // What the screen would refuse when it opens is a fault of the configuration that names it.
            let folder = around.config_folder.as_ref().map(|folder| folder.join("coredeck"));
            let var = |name: &str| around.var(name).map(str::to_owned);
            Options::load(&looks.theme, &looks.keymap, folder.as_deref(), var)?;
            warnings.iter().for_each(|warning| out.warn(&warning.to_string()));
            let what = match (file, self::file(flags, around)) {
                (Some(file), _) => shown(file),
                (None, Some((path, _))) if path.exists() => shown(&path),
                (None, _) => "there is no configuration file; the defaults".to_owned(),
            };
            let odd = match warnings.len() {
                0 => String::new(),
                1 => ", with one warning".to_owned(),
                n => format!(", with {n} warnings"),
            };
            out.say(&format!("{what}: good{odd}"));
            Ok(())
        }
        ConfigCommand::Path => {
            let (path, origin) = place(flags, around)?;
            out.data(&format!("{}\n", shown(&path)))?;
            let by = match origin {
                Origin::Default => String::new(),
                origin => format!(", named by {origin}"),
            };
            out.say(&format!("{}{by}", if path.exists() { "it is there" } else { "it is not there" }));
            Ok(())
        }
    }
}

fn place(flags: &Flags, around: &Surroundings) -> Result<(PathBuf, Origin)> {
    file(flags, around).ok_or_else(|| {
        Error::failed("there is no home folder to look for a configuration in")
            .hint("name a file with `--config FILE` or COREDECK_CONFIG")
    })
}

fn shown(path: &std::path::Path) -> String {
    harmless(&path.to_string_lossy()).into_owned()
}

fn show(format: ShowFormat, flags: &Flags, around: &Surroundings, out: &mut Output) -> Result<()> {
    let loaded = load(flags, around)?;
    let settings = settings(&loaded, around);
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    if format == ShowFormat::Table {
        out.data(&text(&settings, out))?;
    } else {
        let document = json!({
            "schema": "coredeck.config.v1",
            "file": loaded.config.file,
            "data": settings,
            "warnings": warnings,
        });
        let is_json = format == ShowFormat::Json;
        out.data(&if is_json { json::document(&document) } else { json::yaml(&document) })?;
    }
    warnings.iter().for_each(|warning| out.warn(warning));
    Ok(())
}

fn text(settings: &[Setting], out: &Output) -> String {
    let heading =
        |title: &str| Heading { title: title.to_owned(), unit: Unit::Text, is_id: title != "VALUE" };
    let headings = [heading("KEY"), heading("SOURCE"), heading("VALUE")];
    let cell = |text: String| Cell { text: harmless(&text).into_owned(), health: None };
    let rows: Vec<Vec<Cell>> = settings
        .iter()
        .map(|setting| {
            let value = match (&setting.value, &setting.note) {
                (Value::Null, Some(note)) => format!("({note})"),
                (value, Some(note)) => format!("{} ({note})", plain(value)),
                (value, None) => plain(value),
            };
            vec![cell(setting.key.clone()), cell(setting.source.to_string()), cell(value)]
        })
        .collect();
    table::draw(&headings, &rows, true, out.width, out.colour)
}

/// A value as a person writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| match value {
                Value::Array(items) => {
                    format!("{key}={}", items.iter().map(plain).collect::<Vec<_>>().join("|"))
                }
                value => format!("{key}={}", plain(value)),
            });
            pairs.collect::<Vec<_>>().join(", ")
        }
        scalar => scalar.to_string(),
    }
}
