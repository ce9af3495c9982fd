//! The docker command on pretended hosts: ps, inspect, stop, kill, start, restart, rm, version; `make` has those that
//! make containers.

use super::Container;
use super::show::{inspected, inspected_image, row, table};
use super::template::render;
use crate::sim::dice::Dice;
use crate::sim::filter::glob;
use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use crate::sim::world::shell::{Ended, Programs};
use compact_str::CompactString;
use std::collections::BTreeMap;

/// What a host can run: docker, curl and aws, and nothing else.
pub(crate) struct OnHost<'p> {
    pub(crate) place: &'p mut Place,
    pub(crate) instance: CompactString,
    /// Seconds that its commands have taken.
    pub(crate) elapsed: i64,
    /// Variables that its programs see.
    pub(crate) exported: BTreeMap<String, String>,
    /// What its script wrote into files.
    pub(crate) files: BTreeMap<String, String>,
}

impl Programs for OnHost<'_> {
    fn run(&mut self, words: &[String], input: &str) -> Option<Ended> {
        let (name, args) = words.split_first()?;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if matches!(name.as_str(), "curl" | "aws") {
            let ended = if name == "curl" { self.curl(&args) } else { self.aws(&args) };
            self.elapsed += ended.seconds;
            return Some(ended);
        }
        // Seconds are all that scripts ask a host's clock for.
        if let ("date", ["+%s"]) = (name.as_str(), args.as_slice()) {
            return Some(wrote(format!("{}\n", self.now().0.div_euclid(1000))));
        }
        if name != "docker" {
            return None;
        }
        // `docker container ls` and its like are the long forms.
        let args = match args.as_slice() {
            ["container", rest @ ..] => rest,
            all => all,
        };
        let (verb, args) = args.split_first().map_or(("", &[] as &[&str]), |(verb, args)| (*verb, args));
        // The client alone knows its own version.
        let is_alone = matches!(verb, "--version" | "--help");
        let ended = match verb {
            _ if !is_alone && self.place.without_docker.contains(&self.instance) => failed(
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
                    .to_owned(),
            ),
            "ps" | "ls" | "list" => self.ps(args),
            "inspect" => self.inspect(args),
            "stop" | "kill" | "restart" | "start" | "rm" => self.change(verb, args),
            "logs" => self.logs(args),
            "pull" => self.pull(args),
            "run" => self.make(args, input),
            "rename" => self.rename(args),
            "update" => wrote(args.last().map(|name| format!("{name}\n")).unwrap_or_default()),
            "version" | "--version" => wrote("Docker version 25.0.8, build 0bab007\n".to_owned()),
            other => failed(format!("docker: '{other}' is not a docker command.\nSee 'docker --help'\n")),
        };
        self.elapsed += ended.seconds;
        Some(ended)
    }

    fn waits(&mut self, seconds: i64) {
        self.elapsed += seconds;
    }

    fn exports(&mut self, name: &str, value: &str) {
        self.exported.insert(name.to_owned(), value.to_owned());
    }

    fn writes(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }
}

pub(super) fn wrote(out: String) -> Ended {
    Ended { out, ..Ended::default() }
}

pub(super) fn failed(err: String) -> Ended {
    Ended { err, code: 1, ..Ended::default() }
}

/// Options with their values, and the other words. `valued` are those options that take a value.
pub(super) fn options<'a>(args: &[&'a str], valued: &[&str]) -> (Vec<(&'a str, &'a str)>, Vec<&'a str>) {
    let (mut found, mut rest) = (Vec::new(), Vec::new());
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        match arg.split_once('=') {
            _ if !arg.starts_with('-') => rest.push(arg),
            Some((name, value)) if name.starts_with("--") => found.push((name, value)),
            _ if valued.contains(&arg) => found.push((arg, args.next().unwrap_or_default())),
            _ => found.push((arg, "")),
        }
    }
    (found, rest)
}

impl OnHost<'_> {
    /// The moment that it is for the script.
    pub(super) fn now(&self) -> Moment {
        self.place.now.plus(self.elapsed)
    }

    fn ps(&self, args: &[&str]) -> Ended {
        let (options, rest) = options(args, &["--format", "--filter", "-f", "-n", "--last"]);
        if !rest.is_empty() {
            return failed("\"docker ps\" accepts no arguments.\n".to_owned());
        }
        let has = |names: &[&str]| options.iter().any(|(name, _)| names.contains(name));
        let (mut all, mut quiet) = (has(&["-a", "--all"]), has(&["-q", "--quiet"]));
        for (name, _) in options.iter().filter(|(name, _)| !name.starts_with("--")) {
            all |= name.contains('a');
            quiet |= name.contains('q');
        }
        let now = self.now();
        let mut containers = self.place.containers(&self.instance);
        containers.sort_by_key(|one| std::cmp::Reverse(one.created));
        for (name, value) in &options {
            if !matches!(*name, "--filter" | "-f") {
                continue;
            }
            let Some((key, wanted)) = value.split_once('=') else {
                return failed(format!(
                    "invalid argument \"{value}\" for \"-f, --filter\" flag: bad format of filter (expected name=value)\n"
                ));
            };
            all |= key == "status";
            match key {
                "label" | "name" | "id" | "status" | "ancestor" | "publish" => {
                    containers.retain(|one| self.admits(one, key, wanted));
                }
                other => return failed(format!("Error response from daemon: invalid filter '{other}'\n")),
            }
        }
        containers.retain(|one| all || one.runs(now));
        let is_whole = has(&["--no-trunc"]);
        let rows: Vec<_> = containers.iter().map(|one| row(one, now, is_whole)).collect();
        let format = options.iter().find(|(name, _)| *name == "--format").map(|(_, value)| *value);
        let template = match format {
            Some("json") => "{{json .}}",
            Some(format) => format.trim_start_matches("table "),
            None if quiet => "{{.ID}}",
            None => return wrote(table(&rows)),
        };
        let mut out = String::new();
        for row in &rows {
            match render(template, row) {
                Ok(line) => out.push_str(&(line + "\n")),
                Err(why) => return failed(format!("failed to execute template: {why}\n")),
            }
        }
        wrote(out)
    }

    fn admits(&self, one: &Container, key: &str, wanted: &str) -> bool {
        match key {
            "label" => match wanted.split_once('=') {
                Some((name, value)) => one.labels.iter().any(|(k, v)| k == name && v == value),
                None => one.labels.iter().any(|(k, _)| k == wanted),
            },
            "name" => one.name.contains(wanted.trim_matches(['^', '$', '/'])),
            "id" => one.id.starts_with(wanted),
            "publish" => one.ports.iter().any(|(port, _)| wanted.parse() == Ok(*port)),
            "status" => (wanted == "running") == one.runs(self.now()),
            _ => glob(&format!("{wanted}*"), &one.image),
        }
    }

    /// The container of an id, of the beginning of one, or of a name.
    pub(super) fn named(&self, name: &str) -> Option<Container> {
        let all = self.place.containers(&self.instance);
        let by_name = all.iter().find(|one| one.name == name.trim_start_matches('/'));
        let is_id = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        by_name.or_else(|| all.iter().find(|one| is_id && one.id.starts_with(name))).cloned()
    }

    /// A container of an image, by the image's name or id.
    fn of_image(&self, image: &str) -> Option<Container> {
        let all = self.place.containers(&self.instance).into_iter();
        all.into_iter()
            .find(|one| one.image == image || inspected_image(one).get("Id").is_some_and(|id| id == image))
    }

    fn inspect(&self, args: &[&str]) -> Ended {
        let (options, names) = options(args, &["--format", "-f", "--type"]);
        let format = options.iter().find(|(name, _)| matches!(*name, "--format" | "-f"));
        let is_image = options.contains(&("--type", "image"));
        let mut ended = Ended::default();
        let mut whole = Vec::new();
        for name in names {
            let found = if is_image { self.of_image(name) } else { self.named(name) };
            let Some(one) = found else {
                ended.err.push_str(&format!("Error: No such object: {name}\n"));
                ended.code = 1;
                continue;
            };
            let mut value = if is_image { inspected_image(&one) } else { inspected(&one, self.now()) };
            if let Some(config) = value.pointer_mut("/HostConfig/LogConfig") {
                *config = super::logged::config(self.place, &one);
            }
            match format {
                None => whole.push(value),
                Some((_, template)) => match render(template, &value) {
                    Ok(line) => ended.out.push_str(&(line + "\n")),
                    Err(why) => return failed(format!("{why}\n")),
                },
            }
        }
        if format.is_none() {
            ended.out = serde_json::Value::Array(whole).to_string() + "\n";
        }
        ended
    }

    fn change(&mut self, verb: &str, args: &[&str]) -> Ended {
        let (options, names) = options(args, &["-t", "--time", "--timeout", "-s", "--signal"]);
        let limit = options.iter().find(|(name, _)| matches!(*name, "-t" | "--time" | "--timeout"));
        let limit: i64 = limit.and_then(|(_, value)| value.parse().ok()).unwrap_or(10);
        let forced = options.iter().any(|(name, _)| matches!(*name, "-f" | "--force"));
        if names.is_empty() {
            return failed(format!("\"docker {verb}\" requires at least 1 argument.\n"));
        }
        let mut ended = Ended::default();
        for name in names {
            let Some(one) = self.named(name) else {
                ended.err.push_str(&format!("Error response from daemon: No such container: {name}\n"));
                ended.code = 1;
                continue;
            };
            match self.change_one(verb, &one, limit, forced, ended.seconds) {
                Ok(seconds) => {
                    ended.seconds += seconds;
                    ended.out.push_str(&format!("{name}\n"));
                }
                Err(why) => {
                    ended.err.push_str(&format!("Error response from daemon: {why}\n"));
                    ended.code = 1;
                }
            }
        }
        ended
    }

    /// Changes one container; what it takes in seconds. A core needs some to close: from the moment that it is told to
    /// stop it takes no new connections. Whom it serves it gives five seconds; where it cuts somebody off it takes
    /// twelve to end. Of customers, who are not really there, one in eight is such a one.
    fn change_one(
        &mut self,
        verb: &str,
        one: &Container,
        limit: i64,
        forced: bool,
        already: i64,
    ) -> Result<i64, String> {
        let now = self.now();
        let runs = one.runs(now);
        let mut dice = Dice::new(6, &one.id);
        let told = Moment(now.0 + already * 1000);
        let closes = match self.place.serving.left(&self.instance, &one.ports, told) {
            Some(left) if left > 5_000 => 12,
            Some(left) => (left + 1_300 + 999) / 1000,
            None if dice.below(8) == 0 => 12,
            None => dice.between(2, 5),
        };
        let (seconds, code) = match verb {
            "kill" => (0, 137),
            _ if closes > limit => (limit, 137),
            _ => (closes, 0),
        };
        if verb == "kill" && !runs {
            return Err(format!("cannot kill container: {}: container is not running", one.id));
        }
        if verb == "rm" && runs && !forced {
            return Err(format!(
                "cannot remove container \"/{}\": container is running: stop the container before removing or force remove",
                one.name
            ));
        }
        let Some(mine) = self.place.docker.get_mut(&self.instance) else { return self.stop_task(one, verb) };
        let Some(at) = mine.iter().position(|known| known.id == one.id) else {
            return self.stop_task(one, verb);
        };
        let Some(known) = mine.get_mut(at) else { return Ok(0) };
        Ok(match verb {
            "stop" | "kill" if runs => {
                known.closing = Some(now.plus(already));
                known.stopped = Some((now.plus(already + seconds), code));
                seconds
            }
            "start" if !runs => {
                known.start_anew(now.plus(already));
                1
            }
            "restart" => {
                let seconds = if runs { seconds + 1 } else { 1 };
                known.closing = Some(now.plus(already));
                known.start_anew(now.plus(already + seconds));
                seconds
            }
            "rm" => {
                mine.remove(at);
                1
            }
            _ => 0,
        })
    }

    /// A container of ECS that somebody stops: its task ends, and its service starts another one.
    fn stop_task(&mut self, one: &Container, verb: &str) -> Result<i64, String> {
        let arn = one.labels.iter().find(|(key, _)| key == "com.amazonaws.ecs.task-arn");
        let Some((_, arn)) = arn.filter(|_| matches!(verb, "stop" | "kill")) else {
            return Err(format!("the container {} cannot be changed here", one.name));
        };
        let mut parts = arn.rsplit('/');
        let (id, cluster) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let reason = "Essential container in task exited";
        self.place.stop_task(cluster, id, "EssentialContainerExited", reason);
        Ok(3)
    }
}
