//! `[[fleet]]`: what stands where, every table checked on its own and against the names of the others.

mod containers;
mod machines;
mod names;
mod records;

use self::names::Names;
use super::pattern::Pattern;
use super::spans::{Faults, Table};
use crate::sim::MOST_INSTANCES;
use crate::sim::described::Fleet;
use crate::sim::world::geography::Region;
use std::time::Duration;

const FLEET: &[&str] = &[
    "account",
    "region",
    "name",
    "base",
    "image",
    "template",
    "target-group",
    "balancer",
    "cluster",
    "hosts",
    "group",
    "hook",
    "service",
    "rule",
    "record",
    "core",
    "tenant",
    "alarm",
    "log-group",
    "parameter",
    "trouble",
];

/// What the tables of one fleet are read with.
struct Reader<'r, 't> {
    faults: &'r mut Faults<'t>,
    names: &'r Names,
    /// Letters of the zones of the regions that it stands in.
    zones: String,
}

/// Reads one fleet; whatever is wrong with it is among the faults afterwards.
pub(super) fn fleet(table: &Table, regions: &[String], faults: &mut Faults) -> Fleet {
    table.only(FLEET, faults);
    let text =
        |name: &str, usual: &str, faults: &mut Faults| table.text(name, faults).unwrap_or(usual).to_owned();
    let account = text("account", "*", faults);
    let region = text("region", "*", faults);
    let name = text("name", "demo", faults);
    let has_demo = match table.text("base", faults) {
        Some("demo") => true,
        Some("empty") | None => false,
        Some(other) => {
            faults.add(table.at("base"), format!("base must be demo or empty, not {other}"));
            false
        }
    };
    let mut meant = regions.iter().filter(|name| crate::sim::filter::glob(&region, name)).peekable();
    if meant.peek().is_none() && !regions.is_empty() {
        let near = crate::error::did_you_mean(&region, regions.iter().map(String::as_str));
        let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        faults.add(table.at("region"), format!("{region} is none of the regions of this scenario{near}"));
    }
    let letters = meant.filter_map(|name| Region::named(name)).map(|region| region.zones);
    let zones = letters.min_by_key(|zones| zones.len()).unwrap_or("abc").to_owned();
    let names = Names::gather(table, has_demo, faults);
    let mut reader = Reader { faults, names: &names, zones };
    let fleet = Fleet {
        account,
        region,
        name,
        has_demo,
        images: reader.each(table, "image", Reader::image),
        templates: reader.each(table, "template", Reader::template),
        target_groups: reader.each(table, "target-group", Reader::target_group),
        balancers: reader.each(table, "balancer", Reader::balancer),
        clusters: reader.each(table, "cluster", Reader::cluster),
        hosts: reader.each(table, "hosts", Reader::hosts),
        groups: reader.each(table, "group", Reader::group),
        hooks: reader.each(table, "hook", Reader::hook),
        services: reader.each(table, "service", Reader::service),
        rules: reader.each(table, "rule", Reader::rule),
        records: reader.each(table, "record", Reader::record),
        cores: reader.each(table, "core", Reader::core),
        tenants: reader.each(table, "tenant", Reader::tenant),
        alarms: reader.each(table, "alarm", Reader::alarm),
        logs: reader.each(table, "log-group", Reader::log_group),
        parameters: reader.each(table, "parameter", Reader::parameter),
        troubles: reader.each(table, "trouble", Reader::trouble),
    };
    let launched: usize = fleet.hosts.iter().map(|hosts| hosts.count).sum::<usize>()
        + fleet.groups.iter().map(|group| group.count.saturating_mul(group.desired as usize)).sum::<usize>();
    if launched > MOST_INSTANCES {
        let sentence = format!("{launched} instances are too many; at most {MOST_INSTANCES} are pretended");
        faults.add(table.span(), sentence);
    }
    fleet
}

impl<'t> Reader<'_, 't> {
    /// Reads every table of a kind; those that lack what they need are left out and among the faults.
    fn each<T>(
        &mut self,
        fleet: &Table,
        kind: &str,
        read: impl Fn(&mut Self, &Table) -> Option<T>,
    ) -> Vec<T> {
        let tables = fleet.tables(kind, self.faults);
        tables.iter().filter_map(|table| read(self, table)).collect()
    }

    fn text(&mut self, table: &Table, name: &str, usual: &str) -> String {
        table.text(name, self.faults).unwrap_or(usual).to_owned()
    }

    fn number<N: TryFrom<u64>>(&mut self, table: &Table, name: &str, usual: N) -> N {
        let Some(number) = table.whole(name, self.faults) else { return usual };
        N::try_from(number).unwrap_or_else(|_| {
            self.faults.add(table.at(name), format!("{name} is too large"));
            usual
        })
    }

    fn age(&mut self, table: &Table, usual: u64) -> Duration {
        table.span_of_time("age", self.faults).unwrap_or(Duration::from_secs(usual))
    }

    /// A pattern; none when there is no such key.
    fn pattern(&mut self, table: &Table, name: &str) -> Option<Pattern> {
        let text = table.text(name, self.faults)?;
        self.read_pattern(text, table.at(name))
    }

    fn read_pattern(&mut self, text: &str, span: std::ops::Range<usize>) -> Option<Pattern> {
        match Pattern::read(text) {
            Ok(pattern) => Some(pattern),
            Err(sentence) => {
                self.faults.add(span, sentence);
                None
            }
        }
    }

    /// What a table calls its rows, and how many it has of them.
    fn named(&mut self, table: &Table, key: &str) -> Option<(Pattern, usize)> {
        table.required(key, self.faults)?;
        let count = self.count(table);
        Some((self.pattern(table, key)?, count))
    }

    fn count(&mut self, table: &Table) -> usize {
        self.number(table, "count", 1_usize)
    }

    /// A reference to rows of another kind: for every number there has to be one.
    fn of(&mut self, table: &Table, key: &str, kinds: &[&'static str], count: usize) -> Option<Pattern> {
        let pattern = self.pattern(table, key)?;
        self.refers(&pattern, table.at(key), kinds, count);
        Some(pattern)
    }

    /// The same where it has to be there.
    fn needs(&mut self, table: &Table, key: &str, kinds: &[&'static str], count: usize) -> Option<Pattern> {
        table.required(key, self.faults)?;
        self.of(table, key, kinds, count)
    }

    /// The same for a list of them.
    fn all_of(&mut self, table: &Table, key: &str, kinds: &[&'static str], count: usize) -> Vec<Pattern> {
        let texts = table.texts(key, self.faults).unwrap_or_default();
        let mut patterns = Vec::new();
        for (text, span) in texts {
            if let Some(pattern) = self.read_pattern(text, span.clone()) {
                self.refers(&pattern, span, kinds, count);
                patterns.push(pattern);
            }
        }
        patterns
    }

    fn refers(
        &mut self,
        pattern: &Pattern,
        span: std::ops::Range<usize>,
        kinds: &[&'static str],
        count: usize,
    ) {
        let missing = (0..count).map(|n| pattern.text(n)).find(|name| !self.names.has(kinds, name));
        if let Some(name) = missing {
            let near = self.names.nearest(kinds, &name);
            let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
            let kind = kinds.join(" or ");
            self.faults.add(span, format!("there is no {kind} called {name}{near}"));
        }
    }

    /// One of a few words.
    fn word<T: Copy>(
        &mut self,
        table: &Table,
        key: &str,
        words: &[(&str, T)],
        usual: Option<T>,
    ) -> Option<T> {
        let Some(text) = table.text(key, self.faults) else { return usual };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let near = crate::error::did_you_mean(text, words.iter().map(|(word, _)| *word));
        let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let sentence = format!("{key} must be one of {}, not {text}{near}", known.join(", "));
        self.faults.add(table.at(key), sentence);
        None
    }
}
