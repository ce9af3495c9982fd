//! Images, templates, hosts and groups of a described fleet.

use super::super::pattern::Pattern;
use super::super::spans::{Faults, Table};
use super::Reader;
use crate::sim::described::{Group, Hook, Hosts, Image, Machine, Template};
use crate::sim::world::machine::{Flaw, KINDS, Kind};
use crate::sim::world::scaling::PROCESSES;

const DAY: u64 = 86_400;

const HOSTS: &[&str] = &[
    "name", "count", "type", "image", "age", "cpu", "tier", "tags", "cores", "tenants", "version", "zone",
    "spot", "together",
];
const GROUP: &[&str] = &[
    "name",
    "count",
    "type",
    "types",
    "template",
    "template-version",
    "behind",
    "image",
    "age",
    "cpu",
    "tier",
    "tags",
    "cores",
    "tenants",
    "version",
    "on-demand-base",
    "on-demand-percent",
    "min",
    "desired",
    "max",
    "target-groups",
    "protected",
    "cluster",
    "suspended",
    "weights",
    "override-images",
    "override-templates",
    "needs-cpus",
    "needs-memory",
    "maintenance",
    "health",
    "grace",
    "warmup",
    "managed-protection",
    "managed-draining",
];

const IMAGE: &[&str] = &[
    "name",
    "owner",
    "architecture",
    "age",
    "deprecated",
    "private",
    "gone",
    "flaw",
    "state",
    "boot",
    "root",
    "ena",
];

impl Reader<'_, '_> {
    pub(super) fn image(&mut self, table: &Table) -> Option<Image> {
        table.only(IMAGE, self.faults);
        let name = table.required("name", self.faults)?.to_owned();
        let stranger = table
            .text("owner", self.faults)
            .filter(|owner| owner.len() == 12 && owner.bytes().all(|digit| digit.is_ascii_digit()));
        let is_own = match stranger {
            Some(_) => Some(false),
            None => self.word(table, "owner", &[("self", true), ("amazon", false)], Some(true)),
        };
        let kinds = [("x86_64", "x86_64"), ("arm64", "arm64")];
        let architecture = self.word(table, "architecture", &kinds, Some("x86_64"));
        let flaws = [
            ("unhealthy", Flaw::Unhealthy),
            ("no-agent", Flaw::NoAgent),
            ("impaired", Flaw::Impaired),
            ("errors", Flaw::Errors),
        ];
        let states = ["available", "pending", "failed", "disabled"].map(|word| (word, word));
        let boots = ["uefi", "uefi-preferred", "legacy-bios"].map(|word| (word, word));
        let roots = [("ebs", false), ("instance-store", true)];
        Some(Image {
            name,
            is_own: is_own?,
            owner: stranger.map(str::to_owned),
            is_private: table.flag("private", self.faults),
            is_gone: table.flag("gone", self.faults),
            flaw: self.word(table, "flaw", &flaws.map(|(word, flaw)| (word, Some(flaw))), None).flatten(),
            state: self.word(table, "state", &states, Some("available"))?,
            boot: self.word(table, "boot", &boots.map(|(word, boot)| (word, Some(boot))), None).flatten(),
            is_instance_store: self.word(table, "root", &roots, Some(false))?,
            has_ena: !table.has("ena") || table.flag("ena", self.faults),
            architecture: architecture?,
            age: self.age(table, 30 * DAY),
            is_deprecated: table.flag("deprecated", self.faults),
        })
    }

    pub(super) fn template(&mut self, table: &Table) -> Option<Template> {
        table.only(&["name", "count", "type", "images", "default"], self.faults);
        let (name, count) = self.named(table, "name")?;
        let kind = self.kind(table, "type");
        let images = self.images(table, "images");
        if !table.has("images") || images.is_empty() {
            self.faults.add(table.span(), "a template needs images, one for each version".to_owned());
            return None;
        }
        let latest = u32::try_from(images.len()).unwrap_or(u32::MAX);
        let default = self.number(table, "default", latest);
        if default == 0 || default > latest {
            let sentence = format!("default must be a version from 1 to {latest}, not {default}");
            self.faults.add(table.at("default"), sentence);
        }
        Some(Template { name, count, kind, images, default })
    }

    /// Names of images, or aliases of them: `resolve:ssm:` and the name of a parameter.
    fn images(&mut self, table: &Table, key: &str) -> Vec<String> {
        let mut images = Vec::new();
        for (name, span) in table.texts(key, self.faults).unwrap_or_default() {
            if !name.starts_with("resolve:ssm:/") {
                self.refers(&Pattern::plain(name), span, &["image"], 1);
            }
            images.push(name.to_owned());
        }
        images
    }

    /// Templates with a version each, `web:1`; an empty one for none.
    fn own_templates(&mut self, table: &Table, key: &str) -> Vec<String> {
        let mut templates = Vec::new();
        for (name, span) in table.texts(key, self.faults).unwrap_or_default() {
            match name.split_once(':') {
                Some((template, _)) => self.refers(&Pattern::plain(template), span, &["template"], 1),
                None if name.is_empty() => {}
                None => self.faults.add(span, format!("{name} is no template with a version such as web:1")),
            }
            templates.push(name.to_owned());
        }
        templates
    }

    pub(super) fn hook(&mut self, table: &Table) -> Option<Hook> {
        table.only(&["name", "group", "on", "heartbeat", "result"], self.faults);
        let name = table.required("name", self.faults)?.to_owned();
        let group = table.required("group", self.faults)?.to_owned();
        if !self.names.fits(&["group"], &group) {
            self.faults.add(table.at("group"), format!("there is no group called {group}"));
        }
        table.required("on", self.faults)?;
        let is_launch = self.word(table, "on", &[("launch", true), ("terminate", false)], None)?;
        let heartbeat = table.span_of_time("heartbeat", self.faults).map_or(3600, |span| span.as_secs());
        if !(30..=7200).contains(&heartbeat) {
            self.faults.add(table.at("heartbeat"), "a heartbeat is from 30s to 2h".to_owned());
        }
        let results = [("continue", true), ("abandon", false)];
        let goes_on = self.word(table, "result", &results, Some(false))?;
        Some(Hook { name, group, is_launch, heartbeat: u32::try_from(heartbeat).unwrap_or(3600), goes_on })
    }

    pub(super) fn hosts(&mut self, table: &Table) -> Option<Hosts> {
        table.only(HOSTS, self.faults);
        let (name, count) = self.named(table, "name")?;
        table.required("type", self.faults)?;
        let kind = self.kind(table, "type")?;
        let machine = self.machine(table, kind)?;
        let zone = match table.text("zone", self.faults) {
            None => None,
            Some(letter) => match self.zones.chars().position(|known| letter.chars().eq([known])) {
                Some(at) => Some(at),
                None => {
                    let known: Vec<String> = self.zones.chars().map(String::from).collect();
                    let sentence = format!("there is no zone {letter}; there are {}", known.join(", "));
                    self.faults.add(table.at("zone"), sentence);
                    None
                }
            },
        };
        let is_spot = table.flag("spot", self.faults);
        let together = self.number(table, "together", 1_usize).max(1);
        Some(Hosts { name, count, machine, zone, is_spot, together })
    }

    pub(super) fn group(&mut self, table: &Table) -> Option<Group> {
        table.only(GROUP, self.faults);
        let (name, count) = self.named(table, "name")?;
        let types = self.kinds(table, "types");
        if !table.has("type") && !table.has("types") {
            self.faults.add(table.span(), "a group needs type, or types for a mixed one".to_owned());
            return None;
        }
        let kind = self.kind(table, "type").or_else(|| types.first().copied())?;
        let override_templates = self.own_templates(table, "override-templates");
        // A type with a template of its own launches whatever image that names.
        let has_own = |at: usize| override_templates.get(at).is_some_and(|named| !named.is_empty());
        let mut plain = types.iter().enumerate().filter(|(at, _)| !has_own(*at));
        if let Some((_, other)) = plain.find(|(_, other)| other.architecture != kind.architecture) {
            let sentence = format!("{} is not of the architecture of {}", other.name, kind.name);
            self.faults.add(table.at("types"), sentence);
        }
        let machine = self.machine(table, kind)?;
        let template = self.of(table, "template", &["template"], count);
        if template.is_some() && table.has("image") {
            self.faults.add(table.at("image"), "the image is the template's; name one of the two".to_owned());
        }
        let version = self.text(table, "template-version", "$Latest");
        let is_number = version.parse().is_ok_and(|number: u32| number > 0);
        if !is_number && version != "$Latest" && version != "$Default" {
            let sentence = "template-version must be a number, $Latest or $Default".to_owned();
            self.faults.add(table.at("template-version"), sentence);
        }
        let desired = self.number(table, "desired", 1_u32);
        let min = self.number(table, "min", desired.min(1));
        let max = self.number(table, "max", desired.saturating_mul(2).max(min));
        if min > max {
            self.faults.add(table.at("min"), format!("min is {min} and max is {max}: no group can be so"));
        } else if !(min..=max).contains(&desired) {
            let sentence = format!("desired must be from min {min} to max {max}, not {desired}");
            self.faults.add(table.at("desired"), sentence);
        }
        let behind = self.number(table, "behind", 0_u32);
        if behind > desired {
            self.faults
                .add(table.at("behind"), format!("behind is more than the {desired} that are desired"));
        }
        let weights = table.wholes("weights", self.faults).unwrap_or_default();
        let override_images = self.images(table, "override-images");
        for (key, count) in [
            ("weights", weights.len()),
            ("override-images", override_images.len()),
            ("override-templates", override_templates.len()),
        ] {
            if table.has(key) && count != types.len() {
                let sentence = format!("{key} must be as many as the {} types", types.len());
                self.faults.add(table.at(key), sentence);
            }
        }
        let needs = (self.number(table, "needs-cpus", 0_u32), self.number(table, "needs-memory", 0_u32));
        let maintenance = table.wholes("maintenance", self.faults);
        let maintenance = match maintenance.as_deref() {
            None => None,
            Some([least, most]) if *least <= 100 && (100..=200).contains(most) => Some((*least, *most)),
            Some(_) => {
                let sentence = "maintenance is two percentages such as [90, 110]".to_owned();
                self.faults.add(table.at("maintenance"), sentence);
                None
            }
        };
        let is_protected = table.flag("protected", self.faults);
        let said = |key: &str, usual: bool, faults: &mut Faults| match table.has(key) {
            true => table.flag(key, faults),
            false => usual,
        };
        let managed = (
            said("managed-protection", is_protected, self.faults),
            said("managed-draining", true, self.faults),
        );
        let on_demand_percent = self.number(table, "on-demand-percent", 100_u32);
        if on_demand_percent > 100 {
            self.faults.add(table.at("on-demand-percent"), "a percentage is at most 100".to_owned());
        }
        Some(Group {
            name,
            count,
            machine,
            template,
            version,
            behind,
            types,
            weights,
            override_images,
            override_templates,
            needs: (needs != (0, 0)).then_some(needs),
            on_demand_base: self.number(table, "on-demand-base", 0_u32),
            on_demand_percent,
            min,
            desired,
            max,
            target_groups: self.all_of(table, "target-groups", &["target-group"], count),
            is_protected,
            managed,
            maintenance,
            checks_balancer: self
                .word(table, "health", &[("EC2", Some(false)), ("ELB", Some(true))], None)
                .flatten(),
            grace: table.span_of_time("grace", self.faults),
            warmup: table.span_of_time("warmup", self.faults),
            cluster: self.of(table, "cluster", &["cluster"], count),
            suspended: self.suspended(table),
        })
    }

    fn suspended(&mut self, table: &Table) -> Vec<String> {
        let named = table.texts("suspended", self.faults).unwrap_or_default();
        for (process, span) in &named {
            if !PROCESSES.contains(process) {
                let near = crate::error::did_you_mean(process, PROCESSES.iter().copied());
                let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
                self.faults.add(span.clone(), format!("Auto Scaling has no process {process}{near}"));
            }
        }
        named.into_iter().map(|(process, _)| process.to_owned()).collect()
    }

    fn machine(&mut self, table: &Table, kind: &'static Kind) -> Option<Machine> {
        let image = self.of(table, "image", &["image"], 1).map(|image| image.text(0));
        let cpu = table.real("cpu", self.faults).unwrap_or(8.0);
        if cpu > 100.0 {
            self.faults.add(table.at("cpu"), format!("cpu is a percentage up to 100, not {cpu}"));
        }
        let mut tags = Vec::new();
        for (key, value, span) in table.pairs("tags", self.faults) {
            if key.starts_with("aws:") {
                self.faults.add(span.clone(), format!("{key}: tags that begin with aws: are AWS's own"));
            }
            tags.push((key, self.read_pattern(value, span).unwrap_or_else(|| Pattern::plain(value))));
        }
        if tags.len() > 40 {
            self.faults
                .add(table.at("tags"), "a resource has at most 50 tags, and some are AWS's".to_owned());
        }
        Some(Machine {
            kind,
            image,
            age: self.age(table, 10 * DAY),
            cpu,
            tier: self.text(table, "tier", ""),
            tags,
            cores: self.number(table, "cores", 0_u16),
            tenants: self.number(table, "tenants", 0_u32),
            version: self.text(table, "version", "11.0.4"),
        })
    }

    /// An instance type; none when there is no such key.
    fn kind(&mut self, table: &Table, key: &str) -> Option<&'static Kind> {
        let name = table.text(key, self.faults)?;
        self.kind_named(name, table.at(key))
    }

    fn kinds(&mut self, table: &Table, key: &str) -> Vec<&'static Kind> {
        let named = table.texts(key, self.faults).unwrap_or_default();
        named.into_iter().filter_map(|(name, span)| self.kind_named(name, span)).collect()
    }

    fn kind_named(&mut self, name: &str, span: std::ops::Range<usize>) -> Option<&'static Kind> {
        if let Some(kind) = Kind::named(name) {
            return Some(kind);
        }
        let known = KINDS.iter().map(|kind| kind.name);
        let near = crate::error::did_you_mean(name, known.clone());
        let near = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        let all: Vec<&str> = known.collect();
        self.faults.add(span, format!("no type {name} is pretended{near} There are {}", all.join(", ")));
        None
    }
}
