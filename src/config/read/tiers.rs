//! The tiers of a file.

use super::{Cell, Reader};
use crate::config::origin::Origin;
use crate::config::shape;
use crate::model::tier::Launch;
use crate::model::{InstanceType, Limit, Selector, Text, Tier, TierName};
use std::ops::Range;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The keys of a tier.
pub(super) const KEYS: [&str; 10] = [
    "name",
    "tags",
    "groups",
    "services",
    "cores_per_host",
    "tenants_per_core",
    "instance_types",
    "max_unavailable",
    "refresh",
    "launch",
];

/// The keys of what new hosts of a tier are launched from.
const LAUNCH_KEYS: [&str; 3] = ["template", "version", "subnets"];

/// More than any machine or core holds; whoever types more has slipped.
const MOST: u32 = 10_000;

impl Reader<'_> {
    pub(super) fn tiers(&mut self, cell: &Cell<'_>) -> Option<Vec<Tier>> {
        let tables = self.tables(cell, "tiers");
        let mut tiers: Vec<Tier> = Vec::new();
        for (at, (span, table)) in tables.into_iter().enumerate() {
            let heading = self.heading(&span);
            self.keys(table, &KEYS, "[[tiers]]");
            let name = self.name(heading.clone(), table, "tiers", "a tier");
            let name = name.unwrap_or_else(|| format!("tier-{}", at + 1));
            if tiers.iter().any(|tier| tier.name.as_str() == name) {
                let span = table.get("name").map_or(heading.clone(), |cell| cell.span());
                self.fault(span, (format!("two tiers are named `{name}`"), None));
            }
            for (key, cell) in KEYS.iter().filter_map(|key| Some((key, table.get(*key)?))) {
                self.note(format!("tiers.{name}.{key}"), cell);
            }
            self.origins.note(format!("tiers.{name}"), self.at_line(heading.start));
            let selectors = self.selectors(&heading, table);
            let mut tier = Tier { name: TierName::from(name), selectors, ..Tier::default() };
            if let Some(cell) = table.get("cores_per_host") {
                tier.cores_per_host = self.count(cell, "cores_per_host", MOST);
            }
            if let Some(cell) = table.get("tenants_per_core") {
                self.tenants(cell, &mut tier);
            }
            if let Some(cell) = table.get("instance_types") {
                let types =
                    self.texts(cell, "instance_types", "a list of instance types", shape::instance_type);
                tier.instance_types = types.into_iter().map(InstanceType::new).collect();
            }
            if let Some(cell) = table.get("max_unavailable") {
                tier.max_unavailable = self.limit(cell);
            }
            if let Some(cell) = table.get("refresh") {
                let name = tier.name.to_string();
                tier.refresh = self.preset(cell, &name);
            }
            if let Some(cell) = table.get("launch") {
                let name = tier.name.to_string();
                tier.launch = self.launch(cell, &name);
            }
            tiers.push(tier);
        }
        (!tiers.is_empty()).then_some(tiers)
    }

    /// What new hosts are launched from.
    fn launch(&mut self, cell: &Cell<'_>, tier: &str) -> Launch {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(
                cell,
                "launch",
                "a table such as { template = \"core-host\", version = \"$Default\" }",
            );
            return Launch::default();
        };
        self.keys(table, &LAUNCH_KEYS, "[tiers.launch]");
        for (key, cell) in LAUNCH_KEYS.iter().filter_map(|key| Some((key, table.get(*key)?))) {
            self.note(format!("tiers.{tier}.launch.{key}"), cell);
        }
        let template = table.get("template").and_then(|cell| {
            let text = self.text(cell, "template")?;
            if text.trim().is_empty() {
                self.fault(
                    cell.span(),
                    ("`template` is empty".to_owned(), Some("write its id or name".to_owned())),
                );
                return None;
            }
            Some(Text::new(text))
        });
        let version = table.get("version").and_then(|cell| {
            let number = match cell.get_ref() {
                DeValue::Integer(_) => self.count(cell, "version", u32::MAX).map(|number| number.to_string()),
                _ => self.text(cell, "version").map(str::to_owned),
            }?;
            if !matches!(number.as_str(), "$Default" | "$Latest") && number.parse::<u64>().is_err() {
                let hint = "write \"$Default\", \"$Latest\" or a number".to_owned();
                self.fault(
                    cell.span(),
                    (format!("`{number}` is no version of a launch template"), Some(hint)),
                );
                return None;
            }
            Some(Text::from(number))
        });
        let subnets = table.get("subnets").map(|cell| {
            if cell.get_ref().as_str() == Some("template") {
                return Vec::new();
            }
            let wanted = "a list of subnet ids, or \"template\"";
            self.texts(cell, "subnets", wanted, shape::subnet).into_iter().map(Text::new).collect()
        });
        if template.is_none() && version.is_some() && table.get("template").is_none() {
            let hint = "add `template`, by id or name".to_owned();
            self.missing(cell.span(), "a version needs the template that it is of".to_owned(), hint);
        }
        Launch { template, version, subnets }
    }

    /// A number of instances, or a share of them: `2`, `"10%"`.
    fn limit(&mut self, cell: &Cell<'_>) -> Option<Limit> {
        const WANTED: &str = "a whole number such as 2, or a share such as \"10%\"";
        let number = match cell.get_ref() {
            DeValue::Integer(digits) => u32::from_str_radix(digits.as_str(), digits.radix()).ok(),
            DeValue::String(text) => {
                let share = text.strip_suffix('%').and_then(|share| share.trim().parse().ok());
                let share = share.filter(|share| *share <= 100).map(Limit::Percent);
                if share.is_none() {
                    let message = format!("`max_unavailable` must be {WANTED}");
                    self.fault(cell.span(), (message, Some("a share is between 0% and 100%".to_owned())));
                }
                return share;
            }
            _ => {
                self.wrong_type(cell, "max_unavailable", WANTED);
                return None;
            }
        };
        if number.is_none() {
            let message = format!("`max_unavailable` must be {WANTED}");
            self.fault(cell.span(), (message, None));
        }
        number.map(Limit::Count)
    }

    /// A number, or one for production and one for development tenants.
    fn tenants(&mut self, cell: &Cell<'_>, tier: &mut Tier) {
        let Some(table) = cell.get_ref().as_table() else {
            tier.tenants_per_core = match cell.get_ref() {
                DeValue::Integer(_) => self.count(cell, "tenants_per_core", MOST),
                _ => {
                    self.wrong_type(
                        cell,
                        "tenants_per_core",
                        "a whole number or { production = …, development = … }",
                    );
                    None
                }
            };
            return;
        };
        self.keys(table, &["production", "development"], "`tenants_per_core`");
        if let Some(cell) = table.get("production") {
            tier.tenants_per_core = self.count(cell, "production", MOST);
        }
        if let Some(cell) = table.get("development") {
            tier.development_tenants_per_core = self.count(cell, "development", MOST);
        }
        if table.get("production").is_none() {
            let hint = "or write one number for both".to_owned();
            self.missing(cell.span(), "`tenants_per_core` lacks `production`".to_owned(), hint);
        }
    }

    /// What puts things into the tier: tags in the file's order, then groups, then services.
    fn selectors(&mut self, heading: &Range<usize>, table: &DeTable<'_>) -> Vec<Selector> {
        let mut selectors = Vec::new();
        if let Some(cell) = table.get("tags") {
            match cell.get_ref().as_table() {
                Some(tags) => {
                    let mut tags: Vec<_> = tags.iter().collect();
                    tags.sort_by_key(|(key, _)| key.span().start);
                    for (key, cell) in tags {
                        if key.get_ref().is_empty() {
                            self.fault(key.span(), ("a tag's key cannot be empty".to_owned(), None));
                        }
                        let values =
                            self.texts(cell, key.get_ref(), "a glob or a list of globs", shape::glob);
                        let key = Text::new(key.get_ref());
                        let tag = |value: &str| Selector::Tag { key: key.clone(), value: Text::new(value) };
                        selectors.extend(values.into_iter().map(tag));
                    }
                }
                None => self.wrong_type(cell, "tags", "a table such as { env = \"prod*\" }"),
            }
        }
        if let Some(cell) = table.get("groups") {
            let globs = self.texts(cell, "groups", "a list of globs", shape::glob);
            selectors.extend(globs.into_iter().map(|glob| Selector::Group(Text::new(glob))));
        }
        if let Some(cell) = table.get("services") {
            let globs = self.texts(cell, "services", "a list of globs", shape::glob);
            for glob in globs {
                if !glob.contains('/') && !glob.starts_with('*') {
                    let message = format!("`{glob}` is matched against `cluster/service`");
                    let hint = format!("for a service of any cluster write `*/{glob}`");
                    self.warn(cell.span(), (message, Some(hint)));
                }
                selectors.push(Selector::Service(Text::new(glob)));
            }
        }
        if ["tags", "groups", "services"].iter().all(|key| table.get(*key).is_none()) {
            let hint = "add `tags`, `groups` or `services`".to_owned();
            self.missing(heading.clone(), "nothing would ever fall into this tier".to_owned(), hint);
        }
        selectors
    }

    /// The heading of a table, without what follows it.
    pub(super) fn heading(&self, span: &Range<usize>) -> Range<usize> {
        let rest = self.doc.text.get(span.start..span.end).unwrap_or_default();
        span.start..span.start + rest.find('\n').unwrap_or(rest.len()).min(rest.len())
    }

    pub(super) fn at_line(&self, byte: usize) -> Origin {
        Origin::File(Arc::clone(&self.path), self.doc.line_of(byte))
    }
}
