//! Every value of a configuration in one list, with where it came from.

use super::{Config, Loaded, Login, Origin, Regions, Surroundings, cadence, past};
use crate::model::{Limit, Selector, Tier};
use serde::Serialize;
use serde_json::{Value, json};

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Its key, `accounts.prod.profile`.
    pub key: String,
    /// Its value; null where the SDK's own chain decides and nothing is known of what it will find.
    pub value: Value,
    /// Where it came from.
    pub source: Origin,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Lists every value in the order of the template.
pub fn settings(loaded: &Loaded, around: &Surroundings) -> Vec<Setting> {
    let mut list = List { loaded, around, settings: Vec::new() };
    let config = &loaded.config;
    list.push("fleet", json!(config.fleet.as_str()));
    for account in &config.accounts {
        let key = |field: &str| format!("accounts.{}.{field}", account.name);
        list.push(&key("name"), json!(account.name.as_str()));
        list.login(&account.login, &key);
        if let Some(regions) = &account.regions {
            list.regions(&key("regions"), regions);
        }
    }
    list.regions("regions", &config.regions);
    list.endpoint(config);
    list.push("read_only", json!(config.read_only));
    for tier in &config.tiers {
        list.tier(tier);
    }
    for (source, every) in &config.cadence {
        list.push(&format!("refresh.{}", source.word()), json!(cadence::span(*every)));
    }
    let keep = &config.history;
    let span = if keep.span.is_zero() { "off".to_owned() } else { cadence::span(keep.span) };
    list.push("history.keep", json!(span));
    list.push("history.size", json!(past::size(keep.bytes)));
    list.push("history.gets", json!(keep.has_gets));
    list.push("cores.reach", json!(config.cores.reach.word()));
    if let Some(proxy) = &config.cores.proxy {
        list.push("cores.proxy", json!(proxy));
    }
    list.push("dns.route53", json!(config.dns.route53));
    for (key, value) in [("group", &config.logs.group), ("stream", &config.logs.stream)] {
        if let Some(value) = value {
            list.push(&format!("logs.{key}"), json!(value.as_str()));
        }
    }
    let figures = &config.capacity;
    for (key, figure) in [
        ("monthly_users_per_host", Some(figures.monthly_users_per_host)),
        ("requests_per_host", Some(figures.requests_per_host)),
        ("database_mib_per_million_users", Some(figures.database_mib_per_million_users)),
        ("connections_per_domain", Some(figures.connections_per_domain)),
        ("max_connections", figures.max_connections),
    ] {
        if let Some(figure) = figure {
            list.push(&format!("capacity.{key}"), json!(figure));
        }
    }
    list.push("theme", json!(config.theme));
    list.push("keymap", json!(config.keymap));
    list.settings
}

struct List<'a> {
    loaded: &'a Loaded,
    around: &'a Surroundings,
    settings: Vec<Setting>,
}

impl List<'_> {
    fn push(&mut self, key: &str, value: Value) {
        let source = self.loaded.origins.of(key);
        self.settings.push(Setting { key: key.to_owned(), value, source, note: None });
    }

    /// What the SDK's own chain decides; the first variable that is set tells what it will find.
    fn chain(&mut self, key: &str, variables: &[&'static str], otherwise: &str) {
        let found = variables.iter().find_map(|name| Some((self.around.var(name)?, Origin::Env(name))));
        let (value, source) = found.map_or((Value::Null, Origin::Default), |(raw, from)| (json!(raw), from));
        let note = Some(if value.is_null() {
            otherwise.to_owned()
        } else {
            "by the AWS SDK's own chain".to_owned()
        });
        self.settings.push(Setting { key: key.to_owned(), value, source, note });
    }

    fn login(&mut self, login: &Login, key: &impl Fn(&str) -> String) {
        match login {
            Login::Chain => self.chain(
                &key("profile"),
                &["AWS_PROFILE"],
                "the AWS SDK's own chain: environment, default profile, SSO, container, instance profile",
            ),
            Login::Profile(profile) => self.push(&key("profile"), json!(profile.as_str())),
            Login::Role { from, arn, external_id, mfa_serial, session_name } => {
                self.push(&key("role.arn"), json!(arn.as_str()));
                match from {
                    Some(from) => self.push(&key("role.from"), json!(from.as_str())),
                    None => self.chain(&key("role.from"), &["AWS_PROFILE"], "the AWS SDK's own chain"),
                }
                for (field, value) in
                    [("external_id", external_id), ("mfa_serial", mfa_serial), ("session_name", session_name)]
                {
                    if let Some(value) = value {
                        self.push(&key(&format!("role.{field}")), json!(value.as_str()));
                    }
                }
            }
        }
    }

    fn regions(&mut self, key: &str, regions: &Regions) {
        match regions {
            Regions::Chain => {
                let otherwise = "the region of the profile, or of the instance that this runs on";
                self.chain(key, &["AWS_REGION", "AWS_DEFAULT_REGION"], otherwise);
            }
            Regions::All => self.push(key, json!("all")),
            Regions::Named(regions) => {
                let names: Vec<&str> = regions.iter().map(AsRef::as_ref).collect();
                self.push(key, json!(names));
            }
        }
    }

    fn endpoint(&mut self, config: &Config) {
        match &config.endpoint_url {
            Some(url) => self.push("endpoint_url", json!(url)),
            None => self.chain("endpoint_url", &["AWS_ENDPOINT_URL"], "AWS itself"),
        }
    }

    fn tier(&mut self, tier: &Tier) {
        let key = |field: &str| format!("tiers.{}.{field}", tier.name);
        let first = self.settings.len();
        self.push(&key("name"), json!(tier.name.as_str()));
        let mut tags = serde_json::Map::new();
        let (mut groups, mut services) = (Vec::new(), Vec::new());
        for selector in &tier.selectors {
            match selector {
                Selector::Tag { key, value } => {
                    let values = tags.entry(key.as_str()).or_insert_with(|| json!([]));
                    if let Value::Array(values) = values {
                        values.push(json!(value.as_str()));
                    }
                }
                Selector::Group(glob) => groups.push(glob.as_str()),
                Selector::Service(glob) => services.push(glob.as_str()),
            }
        }
        if !tags.is_empty() {
            self.push(&key("tags"), Value::Object(tags));
        }
        if !groups.is_empty() {
            self.push(&key("groups"), json!(groups));
        }
        if !services.is_empty() {
            self.push(&key("services"), json!(services));
        }
        if let Some(cores) = tier.cores_per_host {
            self.push(&key("cores_per_host"), json!(cores));
        }
        match (tier.tenants_per_core, tier.development_tenants_per_core) {
            (Some(all), None) => self.push(&key("tenants_per_core"), json!(all)),
            (Some(production), Some(development)) => {
                let both = json!({"production": production, "development": development});
                self.push(&key("tenants_per_core"), both);
            }
            (None, Some(development)) => {
                self.push(&key("tenants_per_core"), json!({"development": development}));
            }
            (None, None) => {}
        }
        if !tier.instance_types.is_empty() {
            let types: Vec<&str> = tier.instance_types.iter().map(AsRef::as_ref).collect();
            self.push(&key("instance_types"), json!(types));
        }
        let launch = &tier.launch;
        for (word, value) in [("template", &launch.template), ("version", &launch.version)] {
            if let Some(value) = value {
                self.push(&key(&format!("launch.{word}")), json!(value.as_str()));
            }
        }
        if let Some(subnets) = &launch.subnets {
            let all: Vec<&str> = subnets.iter().map(|subnet| subnet.as_str()).collect();
            self.push(&key("launch.subnets"), if all.is_empty() { json!("template") } else { json!(all) });
        }
        match tier.max_unavailable {
            Some(Limit::Count(count)) => self.push(&key("max_unavailable"), json!(count)),
            Some(share) => self.push(&key("max_unavailable"), json!(share.to_string())),
            None => {}
        }
        self.preset(tier, &key("refresh"));
        if self.loaded.config.tiers_are_guessed
            && let Some(setting) = self.settings.get_mut(first)
        {
            setting.note = Some("guessed: the configuration names no tiers".to_owned());
        }
    }

    /// What the tier says of how its groups are refreshed.
    fn preset(&mut self, tier: &Tier, at: &str) {
        let preset = &tier.refresh;
        let span = |seconds: u32| json!(super::span(std::time::Duration::from_secs(seconds.into())));
        let said = [
            ("min_healthy", preset.min_healthy.map(|it| json!(it))),
            ("max_healthy", preset.max_healthy.map(|it| json!(it))),
            ("warmup", preset.warmup_s.map(span)),
            ("checkpoints", preset.checkpoints.as_ref().map(|it| json!(it))),
            ("checkpoint_delay", preset.checkpoint_delay_s.map(span)),
            ("bake", preset.bake_s.map(span)),
            ("skip_matching", preset.skips_matching.map(|it| json!(it))),
            ("auto_rollback", preset.rolls_back.map(|it| json!(it))),
            ("protected", preset.protected.map(|it| json!(it.word()))),
            ("standby", preset.standby.map(|it| json!(it.word()))),
            ("alarms", preset.alarms.as_ref().map(|it| json!(it))),
            ("metrics", preset.metrics.as_ref().map(|it| it.iter().map(ToString::to_string).collect())),
        ];
        for (key, value) in said {
            if let Some(value) = value {
                self.push(&format!("{at}.{key}"), value);
            }
        }
    }
}
