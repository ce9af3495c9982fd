//! What a container was made with, as its host told it, and what of it a new one on another host is made with too.
//! Values of secrets never leave their host: they are named, or the plan is refused with their names.

use super::super::super::desk::Draft;
use super::super::super::intent::{Carry, Looked};
use super::found::is_plain;
use crate::model::setting::may_hold_a_secret;
use crate::model::text::harmless;
use std::collections::{BTreeMap, BTreeSet};

/// What its document prints first.
const HEAD: &str = "coredeck-core 1";
/// Variables that every new core gets, and those that the address of its database stands for.
const COVERED: [&str; 8] = [
    "API_KEYS",
    "POSTGRESQL_CONNECTION_URI",
    "POSTGRESQL_CONNECTION_SCHEME",
    "POSTGRESQL_DATABASE_NAME",
    "POSTGRESQL_HOST",
    "POSTGRESQL_PASSWORD",
    "POSTGRESQL_PORT",
    "POSTGRESQL_USER",
];
/// The label that names the SecureStrings of a core's other secrets.
const SECRETS: &str = "coredeck.secrets";
/// Billionths of a processor in one.
const NANO: u64 = 1_000_000_000;

/// What a host printed of a container; none where it is cut off.
pub(super) fn read(core: &str, port: u16, printed: &str) -> Option<Looked> {
    let mut lines = printed.lines().skip_while(|line| *line != HEAD);
    lines.next()?;
    let mut looked = Looked { core: core.to_owned(), ..Looked::default() };
    let mut ports = Vec::new();
    let mut is_whole = false;
    for line in lines {
        let line = harmless(line.trim_end());
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let pair = || rest.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        match word {
            "image" => looked.image = rest.to_owned(),
            "network" if !matches!(rest, "default" | "bridge") => {
                looked.lacks.insert("network".to_owned(), format!("its network {rest}"));
            }
            "mount" => looked.lack("mounts", rest),
            "port" => ports.push(rest.to_owned()),
            "own" => match rest.split_once(' ') {
                Some(("option", name)) => looked.lack("log", name),
                _ if rest == "begin" => looked.lack("entrypoint", "its entrypoint, command or user"),
                _ => looked.lack("lines", "a variable of several lines"),
            },
            "cpus" => looked.nano_cpus = nano(rest),
            "log" => looked.log = rest.to_owned(),
            "option" => looked.log_options.extend(pair()),
            "set" => looked.settings.extend(pair()),
            "env" => looked.names.push(rest.to_owned()),
            "label" => match pair() {
                Some((name, value)) if name == SECRETS => {
                    let pairs = value.split(',').filter_map(|pair| pair.split_once('='));
                    looked.secrets.extend(pairs.map(|(name, at)| (name.to_owned(), at.to_owned())));
                }
                Some((name, value)) => {
                    looked.labels.insert(name, value);
                }
                None => {}
            },
            "key" => looked.keys.push(rest.to_owned()),
            "end" => is_whole = true,
            _ => {}
        }
    }
    let usual =
        [format!(":{port}:3567/tcp"), format!("0.0.0.0:{port}:3567/tcp"), format!("[::]:{port}:3567/tcp")];
    ports.retain(|port| !usual.contains(port));
    ports.iter().for_each(|port| looked.lack("ports", port));
    is_whole.then_some(looked)
}

/// Billionths of a processor, of `NanoCpus CpuQuota CpuPeriod`.
fn nano(text: &str) -> Option<u64> {
    let mut numbers = text.split(' ').map(|word| word.parse::<i64>().unwrap_or(0));
    let (nano, quota, period) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let all = |number: i64| u64::try_from(number).ok().filter(|number| *number > 0);
    let period = all(period).unwrap_or(100_000);
    all(nano).or_else(|| all(quota)?.checked_mul(NANO)?.checked_div(period))
}

impl Looked {
    fn lack(&mut self, word: &str, what: &str) {
        let said = self.lacks.entry(word.to_owned()).or_default();
        said.push_str(if said.is_empty() { "" } else { " " });
        said.push_str(what);
    }
}

/// What a new container is made with beside its image, port, memory and two secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// Variables that hold no secret.
    pub(super) settings: BTreeMap<String, String>,
    /// Variables by the names of their SecureStrings.
    pub(super) secrets: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    nano_cpus: Option<u64>,
    log: Option<String>,
    log_options: BTreeMap<String, String>,
    /// Ids of the keys of the core that it has the database of.
    keys: Vec<String>,
}

/// Whether a text may be a value of a setting or a label of ours.
fn is_value(text: &str) -> bool {
    text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./:-".contains(c))
}

/// Whether a variable may be called so: none that the script's own shell heeds.
fn is_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let heeded = ["PATH", "HOME", "IFS", "ENV", "SHELL", "PWD"];
    (2..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(is_good)
        && !heeded.contains(&name)
        && !["LD_", "AWS_", "DOCKER_", "COREDECK_"].iter().any(|start| name.starts_with(start))
}

impl Carried {
    /// What was wished, and what the container of the core that it is like was made with; what can be neither carried
    /// over nor was said is refused, all of it at once.
    pub(super) fn of(wish: &Carry, like: Option<&Looked>, override_keys: bool, draft: &mut Draft) -> Self {
        let mut carried =
            Self { settings: wish.settings.clone(), secrets: wish.secrets.clone(), ..Self::default() };
        for (name, value) in &carried.settings {
            if is_name(name) && may_hold_a_secret(name) {
                // Its value is not repeated.
                draft.refuse(
                    name,
                    "it is or may hold a secret, and a setting stands in the plan, the journal and the host's history",
                    format!("put it into a SecureString, and say --secret {name}=PARAMETER"),
                );
            } else if !is_name(name) || !is_value(value) {
                let why = "it is no name of a variable with a plain value";
                draft.refuse(
                    name,
                    why,
                    "letters, digits and _./:- are taken; keep anything else in a SecureString: --secret",
                );
            }
        }
        for name in carried.secrets.keys().filter(|name| !is_name(name)) {
            draft.refuse(name, "it is no name of a variable that a core is told", "write it in capitals");
        }
        let Some(looked) = like else { return carried };
        let core = &looked.core;
        if let Some(trouble) = &looked.trouble {
            let why = format!("what its container was made with could not be asked: {trouble}");
            draft.refuse(core, why, "a new one without its settings would serve other tables, or nobody");
            return carried;
        }
        let said: BTreeSet<&String> =
            wish.settings.keys().chain(wish.secrets.keys()).chain(&wish.without).collect();
        for (name, value) in looked.settings.iter().filter(|(name, _)| !said.contains(name)) {
            carried.settings.insert(name.clone(), value.clone());
        }
        let is_open = |name: &&String| !COVERED.contains(&name.as_str()) && !said.contains(name);
        let mut missing = Vec::new();
        for name in looked.names.iter().filter(is_open) {
            match looked.secrets.get(name) {
                Some(at) => {
                    carried.secrets.insert(name.clone(), at.clone());
                }
                None => missing.push(name.as_str()),
            }
        }
        if !missing.is_empty() {
            let why = format!(
                "its container has variables whose values do not leave its host: {}. A new one would lack them",
                missing.join(", ")
            );
            let first = missing.first().copied().unwrap_or_default();
            let mend = format!(
                "name a SecureString for each that is secret (--secret {first}=/coredeck/…), say the value of one that \
                 is not (--setting {first}=…), or leave it out (--without {first})"
            );
            draft.refuse(core, why, mend);
        }
        for (word, what) in &looked.lacks {
            if wish.without.contains(word) {
                draft.warn(format!("{core}: the new container does not have {what} of the old one"));
                continue;
            }
            let why = format!("its container has what a new one is not made with: {word}, {what}");
            draft.refuse(core, why, format!("say --without {word} if the core needs none of it"));
        }
        let mut left = Vec::new();
        for (name, value) in &looked.labels {
            let is_good =
                name.split('/').all(is_plain) && value.chars().all(|c| is_value(&c.to_string()) || c == '@');
            match is_good && value.len() <= 128 {
                true => drop(carried.labels.insert(name.clone(), value.clone())),
                false => left.push(name.as_str()),
            }
        }
        if !left.is_empty() {
            draft.warn(format!("{core}: labels that are not carried over: {}", left.join(", ")));
        }
        carried.nano_cpus = looked.nano_cpus;
        if !looked.lacks.contains_key("log") && !matches!(looked.log.as_str(), "" | "json-file") {
            carried.log = Some(looked.log.clone());
        }
        if !looked.lacks.contains_key("log") {
            carried.log_options = looked.log_options.clone();
        }
        carried.keys = looked.keys.clone();
        if looked.keys.is_empty() {
            let why = "it shows no keys now, by which a new one is known to have the same users";
            if override_keys {
                draft.warn(format!("{core}: {why}: nobody compares them"));
            } else {
                draft.refuse(core, why, "see that it answers, or say --override-verdict");
            }
        }
        carried
    }

    /// What the document takes.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let pairs = |all: &BTreeMap<String, String>| {
            let pairs: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if pairs.is_empty() { "none".to_owned() } else { pairs.join(",") }
        };
        let none = || "none".to_owned();
        vec![
            ("Settings", pairs(&self.settings)),
            ("Secrets", pairs(&self.secrets)),
            ("Labels", pairs(&self.labels)),
            ("Cpus", self.nano_cpus.map_or_else(none, |nano| nano.to_string())),
            ("Log", self.log.clone().unwrap_or_else(none)),
            ("LogOptions", pairs(&self.log_options)),
            ("Keys", if self.keys.is_empty() { none() } else { self.keys.join(",") }),
        ]
    }

    /// In words, for a step's title: what it is made with besides; nothing where that is nothing.
    pub(super) fn words(&self) -> String {
        let mut all: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        all.extend(self.secrets.iter().map(|(name, at)| format!("{name} of {at}")));
        if all.is_empty() { String::new() } else { format!(", {}", all.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "coredeck-core 1\nimage a/b:1\nnetwork bridge\ncpus 0 50000 100000\nlog awslogs\nmount /x\n\
        mount /y\nport :3567:3567/tcp\nport :9000:9000/tcp\nset BASE_PATH=/auth\nenv API_KEYS\nenv SUPERTOKENS_SAAS_SECRET\n\
        env OAUTH_CLIENT_SECRET_ENCRYPTION_KEY\noption awslogs-group=/cores\nlabel team=a\nlabel note=a b\n\
        label coredeck.secrets=OAUTH_CLIENT_SECRET_ENCRYPTION_KEY=/s/oauth\nkey s-1\nkey d-2\nend\n";

    #[test]
    fn what_can_be_carried_is_and_the_rest_is_refused_by_its_names() {
        let looked = read("c1", 3567, PRINTED).unwrap();
        let mut draft = Draft::default();
        let wish = Carry { without: ["mounts".to_owned()].into(), ..Carry::default() };
        let carried = Carried::of(&wish, Some(&looked), false, &mut draft);
        let said: Vec<String> =
            draft.refusals.iter().map(|one| format!("{} {}", one.why, one.mend)).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("leave its host: SUPERTOKENS_SAAS_SECRET. A new"), "{said:?}");
        assert!(said[0].contains("--secret SUPERTOKENS_SAAS_SECRET=/coredeck/"), "{said:?}");
        assert!(said[1].contains(":9000:9000/tcp") && said[1].contains("--without ports"), "{said:?}");
        assert!(
            draft.warnings.iter().any(|warning| warning.contains("does not have /x /y")),
            "{:?}",
            draft.warnings
        );
        let parameters: BTreeMap<&str, String> = carried.parameters().into_iter().collect();
        let of = |name: &str| parameters[name].as_str();
        assert_eq!((of("Settings"), of("Cpus"), of("Keys")), ("BASE_PATH=/auth", "500000000", "s-1,d-2"));
        assert_eq!(of("Secrets"), "OAUTH_CLIENT_SECRET_ENCRYPTION_KEY=/s/oauth");
        assert_eq!(
            (of("Labels"), of("Log"), of("LogOptions")),
            ("team=a", "awslogs", "awslogs-group=/cores")
        );
        // One that shows no keys cannot be compared with.
        let silent = Looked { keys: Vec::new(), lacks: BTreeMap::new(), names: Vec::new(), ..looked };
        let mut draft = Draft::default();
        Carried::of(&wish, Some(&silent), false, &mut draft);
        assert!(draft.refusals[0].why.contains("shows no keys now"));
        assert_eq!(read("c1", 3567, PRINTED.trim_end_matches("end\n")), None, "it is cut off");
    }

    #[test]
    fn variables_that_a_shell_heeds_are_none_of_a_core() {
        let settings =
            [("PATH", "/x"), ("LD_PRELOAD", "/x"), ("A_B", "x y"), ("lower", "x"), ("GOOD_ONE", "/x:1")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut draft = Draft::default();
        Carried::of(&Carry { settings, ..Carry::default() }, None, false, &mut draft);
        assert_eq!(draft.refusals.len(), 4, "{:?}", draft.refusals);
    }
}
