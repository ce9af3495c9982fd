//! The registry, alarms, log groups, parameters and troubles of a described fleet.

use super::super::pattern::Pattern;
use super::super::spans::Table;
use super::Reader;
use crate::sim::described::{Alarm, Core, Ill, LogGroup, Parameter, Tenant, Trouble, Watched};
use crate::sim::world::keeping::Watch;

const DAY: u64 = 86_400;

const ALARM: &[&str] = &[
    "name",
    "count",
    "metric",
    "namespace",
    "instance",
    "group",
    "service",
    "cluster",
    "balancer",
    "statistic",
    "period",
    "evaluations",
    "datapoints",
    "threshold",
    "comparison",
    "missing",
];
const COMPARISONS: &[(&str, &str)] = &[
    (">", "GreaterThanThreshold"),
    (">=", "GreaterThanOrEqualToThreshold"),
    ("<", "LessThanThreshold"),
    ("<=", "LessThanOrEqualToThreshold"),
];
const STATISTICS: &[(&str, &str)] = &[
    ("Average", "Average"),
    ("Sum", "Sum"),
    ("Minimum", "Minimum"),
    ("Maximum", "Maximum"),
    ("SampleCount", "SampleCount"),
];
const MISSING: &[(&str, &str)] = &[
    ("missing", "missing"),
    ("breaching", "breaching"),
    ("notBreaching", "notBreaching"),
    ("ignore", "ignore"),
];
/// Days that CloudWatch Logs can be told to keep what is written.
const RETENTIONS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

impl Reader<'_, '_> {
    pub(super) fn core(&mut self, table: &Table) -> Option<Core> {
        table.only(&["id", "count", "tier", "host", "port", "version", "age"], self.faults);
        let (id, count) = self.named(table, "id")?;
        let host = self.needs(table, "host", &["hosts", "group"], count)?;
        Some(Core {
            id,
            count,
            tier: self.text(table, "tier", "development"),
            host,
            port: self.number(table, "port", 3567_u16),
            version: self.text(table, "version", "11.0.4"),
            age: self.age(table, DAY),
        })
    }

    pub(super) fn tenant(&mut self, table: &Table) -> Option<Tenant> {
        table.only(&["id", "count", "name", "core", "domain", "mode", "age"], self.faults);
        let (id, count) = self.named(table, "id")?;
        // Cores that hosts and groups bring along have names of their own.
        table.required("core", self.faults)?;
        let core = self.pattern(table, "core")?;
        let modes = [("production", "production"), ("development", "development")];
        let mode = self.word(table, "mode", &modes, Some("production"))?.to_owned();
        let name = self.pattern(table, "name").unwrap_or_else(|| id.clone());
        let domain = self.pattern(table, "domain");
        Some(Tenant { id, count, name, core, domain, mode, age: self.age(table, DAY) })
    }

    pub(super) fn alarm(&mut self, table: &Table) -> Option<Alarm> {
        table.only(ALARM, self.faults);
        let (name, count) = self.named(table, "name")?;
        table.required("metric", self.faults)?;
        let metric = self.text(table, "metric", "");
        let (watched, usual) = self.watched(table, count)?;
        let threshold = table.real("threshold", self.faults);
        if !table.has("threshold") {
            self.faults.add(table.span(), "threshold is missing".to_owned());
        }
        let period = self.number(table, "period", 300_u32);
        if period == 0 || !period.is_multiple_of(60) {
            self.faults.add(table.at("period"), format!("period must be a multiple of 60, not {period}"));
        }
        let evaluations = self.number(table, "evaluations", 1_u32);
        let datapoints = self.number(table, "datapoints", evaluations);
        if datapoints == 0 || datapoints > evaluations {
            let sentence =
                format!("datapoints must be from 1 to the {evaluations} evaluations, not {datapoints}");
            self.faults.add(table.at("datapoints"), sentence);
        }
        let statistic = self.word(table, "statistic", STATISTICS, Some("Average"));
        let comparison = self.word(table, "comparison", COMPARISONS, Some("GreaterThanThreshold"));
        let missing = self.word(table, "missing", MISSING, Some("missing"));
        Some(Alarm {
            name,
            count,
            watched,
            watch: Watch {
                namespace: self.text(table, "namespace", usual).into(),
                metric: metric.into(),
                statistic: statistic?,
                period,
                evaluations,
                datapoints,
                threshold: threshold?,
                comparison: comparison?,
                missing: missing?,
            },
        })
    }

    /// What an alarm watches, and the namespace that metrics of such things are in.
    fn watched(&mut self, table: &Table, count: usize) -> Option<(Watched, &'static str)> {
        let named: Vec<&str> =
            ["instance", "group", "service", "balancer"].into_iter().filter(|key| table.has(key)).collect();
        if let [_, second, ..] = named.as_slice() {
            self.faults.add(table.at(second), "an alarm watches one thing".to_owned());
            return None;
        }
        match named.first() {
            Some(&"instance") => {
                let instance = self.of(table, "instance", &["hosts", "group"], count)?;
                Some((Watched::Instance(instance), "AWS/EC2"))
            }
            Some(&"group") => {
                Some((Watched::Group(self.of(table, "group", &["group"], count)?), "AWS/AutoScaling"))
            }
            Some(&"service") => {
                let service = self.of(table, "service", &["service"], count)?;
                let cluster = self.needs(table, "cluster", &["cluster"], count)?;
                Some((Watched::Service(cluster, service), "AWS/ECS"))
            }
            Some(_) => {
                let balancer = self.of(table, "balancer", &["balancer"], count)?;
                Some((Watched::Balancer(balancer), "AWS/ApplicationELB"))
            }
            None => Some((Watched::Nothing, "Custom")),
        }
    }

    pub(super) fn log_group(&mut self, table: &Table) -> Option<LogGroup> {
        table.only(&["name", "count", "days"], self.faults);
        let (name, count) = self.named(table, "name")?;
        let days = table.has("days").then(|| self.number(table, "days", 30_u32));
        if days.is_some_and(|days| !RETENTIONS.contains(&days)) {
            let known: Vec<String> = RETENTIONS.iter().map(u32::to_string).collect();
            let sentence = format!("CloudWatch Logs keeps for one of {} days", known.join(", "));
            self.faults.add(table.at("days"), sentence);
        }
        Some(LogGroup { name, count, days })
    }

    pub(super) fn parameter(&mut self, table: &Table) -> Option<Parameter> {
        table.only(&["name", "count", "value", "secret"], self.faults);
        let (name, count) = self.named(table, "name")?;
        if !name.text(0).starts_with('/') {
            self.faults.add(table.at("name"), "a parameter's name begins with a slash".to_owned());
        }
        table.required("value", self.faults)?;
        let value = table.text("value", self.faults)?;
        // JSON has braces of its own; only a number of a row is written out.
        let value = Pattern::read(value).unwrap_or_else(|_| Pattern::plain(value));
        Some(Parameter { name, count, value, is_secret: table.flag("secret", self.faults) })
    }

    pub(super) fn trouble(&mut self, table: &Table) -> Option<Trouble> {
        table.only(&["what", "instance", "service", "group", "times", "age"], self.faults);
        table.required("what", self.faults)?;
        let words: Vec<(&str, (&str, Ill))> =
            Ill::ALL.iter().map(|(word, of, ill)| (*word, (*of, *ill))).collect();
        let (of, what) = self.word(table, "what", &words, None)?;
        let name = table.required(of, self.faults)?.to_owned();
        let kinds: &[&str] = match of {
            "instance" => &["hosts", "group"],
            "service" => &["service"],
            _ => &["group"],
        };
        if !self.names.fits(kinds, &name) {
            let near = self.names.nearest(kinds, &name);
            let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
            let sentence = format!("there is no {} called {name}{near}", kinds.join(" or "));
            self.faults.add(table.at(of), sentence);
        }
        let times = self.number(table, "times", usize::MAX);
        Some(Trouble { what, of: name, times, age: self.age(table, 1200) })
    }
}
