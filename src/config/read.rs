//! Reads a file into a layer of values, collecting every fault on the way.
//!
//! The text is parsed with recovery and the values are checked by hand, so that one run reports all
//! that is wrong. Lines that are not TOML are not judged a second time for what they seem to say.

mod accounts;
mod capacity;
mod logs;
mod norm;
mod preset;
mod tiers;

pub(super) use accounts::unknown_profile;

use super::fault::{Doc, Fault, is_secret};
use super::origin::{Origin, Origins};
use super::shape::{self, Verdict, Wrong};
use super::{Account, CoreReach, Figures, Logs, Regions, cadence, past};
use crate::error::did_you_mean;
use crate::gateway::Source;
use crate::model::{FleetName, Region, Tier};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys at the top of a file.
const TOP: [&str; 14] = [
    "fleet",
    "accounts",
    "regions",
    "tiers",
    "refresh",
    "history",
    "cores",
    "dns",
    "capacity",
    "logs",
    "endpoint_url",
    "read_only",
    "theme",
    "keymap",
];
/// The keys of `[history]`.
const HISTORY: [&str; 3] = ["keep", "size", "gets"];
/// The keys of `[cores]`.
const CORES: [&str; 2] = ["reach", "proxy"];
/// The keys of `[dns]`.
const DNS: [&str; 1] = ["route53"];

/// What a file says; what it does not say is none.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) fleet: Option<FleetName>,
    pub(super) accounts: Option<Vec<Account>>,
    pub(super) regions: Option<Regions>,
    pub(super) tiers: Option<Vec<Tier>>,
    pub(super) refresh: Vec<(Source, Duration)>,
    pub(super) endpoint_url: Option<String>,
    pub(super) read_only: Option<bool>,
    pub(super) theme: Option<String>,
    pub(super) keymap: Option<String>,
    pub(super) keep: Option<Duration>,
    pub(super) size: Option<u64>,
    pub(super) reach: Option<CoreReach>,
    pub(super) route53: Option<bool>,
    pub(super) proxy: Option<String>,
    pub(super) gets: Option<bool>,
    pub(super) capacity: Option<Figures>,
    pub(super) logs: Option<Logs>,
}

/// A layer with what was found on the way to it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) layer: Layer,
    pub(super) origins: Origins,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

/// A value with its place.
type Cell<'t> = Spanned<DeValue<'t>>;

/// Reads a file's text.
pub(super) fn read(path: &Path, text: &str, profiles: &[String]) -> Outcome {
    let (table, errors) = DeTable::parse_recoverable(text);
    let doc = Doc { path, text };
    let mut reader = Reader {
        doc,
        path: Arc::from(path),
        profiles,
        origins: Origins::default(),
        faults: Vec::new(),
        warnings: Vec::new(),
        broken: Vec::new(),
    };
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        reader.broken.push(doc.line_of(span.start));
        reader.faults.push(Fault {
            place: doc.place(span),
            message: error.message().replace('\n', ", "),
            hint: None,
        });
    }
    let layer = reader.top(table.get_ref());
    let Reader { origins, mut faults, mut warnings, .. } = reader;
    faults.sort_by_key(Fault::order);
    faults.dedup();
    warnings.sort_by_key(Fault::order);
    Outcome { layer, origins, faults, warnings }
}

/// Walks the parsed tables.
struct Reader<'a> {
    doc: Doc<'a>,
    path: Arc<Path>,
    profiles: &'a [String],
    origins: Origins,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    /// Lines that are not TOML.
    broken: Vec<usize>,
}

impl Reader<'_> {
    fn fault(&mut self, span: Range<usize>, (message, hint): Wrong) {
        if !self.broken.contains(&self.doc.line_of(span.start)) {
            self.faults.push(Fault { place: self.doc.place(span), message, hint });
        }
    }

    fn warn(&mut self, span: Range<usize>, (message, hint): Wrong) {
        self.warnings.push(Fault { place: self.doc.place(span), message, hint });
    }

    /// Says that a key is missing; not where broken lines may hold it.
    fn missing(&mut self, span: Range<usize>, message: String, hint: String) {
        if self.broken.is_empty() {
            self.fault(span, (message, Some(hint)));
        }
    }

    fn note(&mut self, key: impl Into<String>, cell: &Cell<'_>) {
        let origin = Origin::File(Arc::clone(&self.path), self.doc.line_of(cell.span().start));
        self.origins.note(key, origin);
    }

    fn top(&mut self, table: &DeTable<'_>) -> Layer {
        self.keys(table, &TOP, "");
        let mut layer = Layer::default();
        if let Some(cell) = table.get("fleet") {
            self.note("fleet", cell);
            let named = self.checked(cell, "fleet", |raw| shape::name(raw, "a fleet"));
            layer.fleet = named.map(FleetName::new);
        }
        if let Some(cell) = table.get("endpoint_url") {
            self.note("endpoint_url", cell);
            layer.endpoint_url = self.checked(cell, "endpoint_url", shape::endpoint).map(str::to_owned);
        }
        if let Some(cell) = table.get("read_only") {
            self.note("read_only", cell);
            layer.read_only = self.flag(cell, "read_only");
        }
        if let Some(cell) = table.get("theme") {
            self.note("theme", cell);
            layer.theme = self.checked(cell, "theme", |raw| shape::name(raw, "a theme")).map(str::to_owned);
        }
        if let Some(cell) = table.get("keymap") {
            self.note("keymap", cell);
            layer.keymap =
                self.checked(cell, "keymap", |raw| shape::name(raw, "a keymap")).map(str::to_owned);
        }
        if let Some(cell) = table.get("regions") {
            self.note("regions", cell);
            layer.regions = self.regions(cell);
        }
        if let Some(cell) = table.get("refresh") {
            layer.refresh = self.refresh(cell);
        }
        if let Some(cell) = table.get("history") {
            self.history(cell, &mut layer);
        }
        if let Some(cell) = table.get("dns") {
            self.dns(cell, &mut layer);
        }
        if let Some(cell) = table.get("cores") {
            self.cores(cell, &mut layer);
        }
        if let Some(cell) = table.get("capacity") {
            self.capacity(cell, &mut layer);
        }
        if let Some(cell) = table.get("logs") {
            self.logs(cell, &mut layer);
        }
        if let Some(cell) = table.get("accounts") {
            self.note("accounts", cell);
            layer.accounts = self.accounts(cell);
        }
        if let Some(cell) = table.get("tiers") {
            self.note("tiers", cell);
            layer.tiers = self.tiers(cell);
        }
        layer
    }

    /// Faults for keys that are not known in a table, and for those that look like secrets.
    fn keys(&mut self, table: &DeTable<'_>, known: &[&str], inside: &str) {
        for key in table.keys() {
            let raw: &str = key.get_ref();
            if known.contains(&raw) {
                continue;
            }
            if is_secret(raw) {
                let message = format!("`{raw}` looks like a secret, and secrets have no place in this file");
                let hint = "credentials come from the AWS SDK: name a `profile` or a `role`";
                self.fault(key.span(), (message, Some(hint.to_owned())));
                continue;
            }
            let place = if inside.is_empty() { String::new() } else { format!(" in {inside}") };
            let hint = match did_you_mean(raw, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => match home_of(raw) {
                    Some(home) if home != inside => format!("it belongs in {home}"),
                    _ => format!("known here: {}", known.join(", ")),
                },
            };
            self.fault(key.span(), (format!("unknown key `{raw}`{place}"), Some(hint)));
        }
    }

    fn wrong_type(&mut self, cell: &Cell<'_>, key: &str, wanted: &str) {
        let got = match cell.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(cell.span(), (format!("`{key}` must be {wanted}, not {got}"), None));
    }

    /// Text.
    fn text<'t>(&mut self, cell: &'t Cell<'_>, key: &str) -> Option<&'t str> {
        let text = cell.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(cell, key, "text in quotes");
        }
        text
    }

    /// Yes or no.
    fn flag(&mut self, cell: &Cell<'_>, key: &str) -> Option<bool> {
        let flag = cell.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(cell, key, "true or false");
        }
        flag
    }

    /// Text of a shape.
    fn checked<'t>(
        &mut self,
        cell: &'t Cell<'_>,
        key: &str,
        check: impl Fn(&str) -> Option<Wrong>,
    ) -> Option<&'t str> {
        let text = self.text(cell, key)?;
        match check(text) {
            Some(wrong) => {
                self.fault(cell.span(), wrong);
                None
            }
            None => Some(text),
        }
    }

    /// One text or a list of them, each of a shape, none twice.
    fn texts<'t>(
        &mut self,
        cell: &'t Cell<'_>,
        key: &str,
        wanted: &str,
        check: impl Fn(&str) -> Option<Wrong>,
    ) -> Vec<&'t str> {
        let mut texts: Vec<&str> = Vec::new();
        let cells = match cell.get_ref() {
            DeValue::Array(cells) => cells.iter().collect(),
            DeValue::String(_) => vec![cell],
            _ => {
                self.wrong_type(cell, key, wanted);
                return texts;
            }
        };
        if cells.is_empty() {
            self.fault(
                cell.span(),
                (format!("`{key}` is an empty list"), Some("leave the key away".to_owned())),
            );
        }
        for cell in cells {
            if let Some(text) = self.checked(cell, key, &check) {
                if texts.contains(&text) {
                    self.fault(cell.span(), (format!("`{text}` stands here twice"), None));
                } else {
                    texts.push(text);
                }
            }
        }
        texts
    }

    /// A whole number from 1 to a bound.
    fn count(&mut self, cell: &Cell<'_>, key: &str, most: u32) -> Option<u32> {
        let DeValue::Integer(digits) = cell.get_ref() else {
            self.wrong_type(cell, key, "a whole number");
            return None;
        };
        let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
        let count = number.and_then(|number| u32::try_from(number).ok()).filter(|n| (1..=most).contains(n));
        if count.is_none() {
            let message = format!("`{key}` must be between 1 and {most}");
            let hint = (number == Some(0)).then(|| "leave the key away for no limit".to_owned());
            self.fault(cell.span(), (message, hint));
        }
        count
    }

    /// `"all"`, a region, or a list of regions.
    fn regions(&mut self, cell: &Cell<'_>) -> Option<Regions> {
        let cells: Vec<&Cell<'_>> = match cell.get_ref() {
            DeValue::String(word) if word == "all" => return Some(Regions::All),
            DeValue::String(_) => vec![cell],
            DeValue::Array(cells) => cells.iter().collect(),
            _ => {
                self.wrong_type(cell, "regions", "a list of regions or \"all\"");
                return None;
            }
        };
        if cells.is_empty() {
            let hint = "name regions, write \"all\", or leave the key away".to_owned();
            self.fault(cell.span(), ("`regions` is an empty list".to_owned(), Some(hint)));
            return None;
        }
        let mut regions: Vec<Region> = Vec::new();
        for cell in cells {
            let Some(raw) = self.text(cell, "regions") else { continue };
            match shape::region(raw) {
                Verdict::Right => {}
                Verdict::Odd(odd) => self.warn(cell.span(), odd),
                Verdict::Wrong(_) if raw == "all" => {
                    let hint = "write `regions = \"all\"`".to_owned();
                    self.fault(
                        cell.span(),
                        ("`all` stands for itself, not in a list".to_owned(), Some(hint)),
                    );
                }
                Verdict::Wrong(wrong) => self.fault(cell.span(), wrong),
            }
            if regions.iter().any(|region| region.as_str() == raw) {
                self.fault(cell.span(), (format!("`{raw}` stands here twice"), None));
            }
            regions.push(Region::new(raw));
        }
        Some(Regions::Named(regions))
    }

    fn refresh(&mut self, cell: &Cell<'_>) -> Vec<(Source, Duration)> {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "refresh", "a table");
            return Vec::new();
        };
        let words = Source::ALL.map(Source::word);
        self.keys(table, &words, "[refresh]");
        let mut spans = Vec::new();
        for source in Source::ALL {
            let Some(cell) = table.get(source.word()) else { continue };
            self.note(format!("refresh.{}", source.word()), cell);
            let Some(raw) = self.text(cell, source.word()) else { continue };
            match cadence::checked(source, raw) {
                Ok(every) => spans.push((source, every)),
                Err(wrong) => self.fault(cell.span(), wrong),
            }
        }
        spans
    }

    fn history(&mut self, cell: &Cell<'_>, layer: &mut Layer) {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "history", "a table");
            return;
        };
        self.keys(table, &HISTORY, "[history]");
        layer.keep = self.kept(table, "keep", past::span_kept);
        layer.size = self.kept(table, "size", past::bytes_kept);
        if let Some(cell) = table.get("gets") {
            self.note("history.gets", cell);
            layer.gets = self.flag(cell, "gets");
        }
    }

    fn cores(&mut self, cell: &Cell<'_>, layer: &mut Layer) {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "cores", "a table");
            return;
        };
        self.keys(table, &CORES, "[cores]");
        if let Some(cell) = table.get("reach") {
            self.note("cores.reach", cell);
            let all = [CoreReach::Off, CoreReach::Direct, CoreReach::Ssm];
            let word = self.checked(cell, "reach", |raw| {
                let is_known = all.iter().any(|reach| reach.word() == raw);
                (!is_known).then(|| {
                    let hint = "write \"direct\" to ask cores at their hosts' private addresses, \"ssm\" to do so through Systems Manager, or \"off\"";
                    (format!("`{raw}` is no way to a core"), Some(hint.to_owned()))
                })
            });
            layer.reach = word.and_then(|word| all.into_iter().find(|reach| reach.word() == word));
        }
        if let Some(cell) = table.get("proxy") {
            self.note("cores.proxy", cell);
            layer.proxy = self.checked(cell, "proxy", shape::endpoint).map(str::to_owned);
        }
    }

    fn dns(&mut self, cell: &Cell<'_>, layer: &mut Layer) {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "dns", "a table");
            return;
        };
        self.keys(table, &DNS, "[dns]");
        if let Some(cell) = table.get("route53") {
            self.note("dns.route53", cell);
            layer.route53 = self.flag(cell, "route53");
        }
    }

    fn kept<T>(&mut self, table: &DeTable<'_>, key: &str, read: fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let cell = table.get(key)?;
        self.note(format!("history.{key}"), cell);
        match read(self.text(cell, key)?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.fault(cell.span(), wrong);
                None
            }
        }
    }

    /// The tables of a list of tables.
    fn tables<'t, 'd>(&mut self, cell: &'t Cell<'d>, key: &str) -> Vec<(Range<usize>, &'t DeTable<'d>)> {
        let DeValue::Array(cells) = cell.get_ref() else {
            let message = format!("`{key}` must be a list of tables");
            self.fault(cell.span(), (message, Some(format!("write `[[{key}]]`"))));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for cell in cells.iter() {
            match cell.get_ref().as_table() {
                Some(table) => tables.push((cell.span(), table)),
                None => self.wrong_type(cell, key, "a list of tables"),
            }
        }
        tables
    }
}

/// The table that a key belongs in, for those who put it elsewhere.
fn home_of(key: &str) -> Option<&'static str> {
    if accounts::KEYS.contains(&key) && key != "name" && key != "regions" {
        Some("[[accounts]]")
    } else if accounts::ROLE_KEYS.contains(&key) {
        Some("the `role` of [[accounts]]")
    } else if tiers::KEYS.contains(&key) && key != "name" {
        Some("[[tiers]]")
    } else if Source::ALL.iter().any(|source| source.word() == key) {
        Some("[refresh]")
    } else if HISTORY.contains(&key) {
        Some("[history]")
    } else if DNS.contains(&key) {
        Some("[dns]")
    } else if CORES.contains(&key) {
        Some("[cores]")
    } else {
        None
    }
}
