//! Containers that are made on pretended hosts: `docker pull`, `run` and `rename`, and the secrets that the host reads
//! by its own role.

use super::commands::{OnHost, failed, options, wrote};
use super::{Container, Setup, boot};
use crate::sim::dice::Dice;
use crate::sim::world::shell::Ended;
use compact_str::CompactString;

/// Seconds that an image takes that is not there yet.
const PULLS_S: i64 = 11;
/// MiB without which a core's process is killed.
const LEAST_MIB: u32 = 128;

/// The options of `docker run` that take a value.
const VALUED: &[&str] = &[
    "--name",
    "--restart",
    "-p",
    "--publish",
    "-m",
    "--memory",
    "--cpus",
    "-l",
    "--label",
    "-e",
    "--env",
    "--stop-timeout",
    "--log-driver",
    "--log-opt",
    "--network",
    "--env-file",
    "--cpu-period",
    "--cpu-quota",
    "-v",
    "--volume",
    "--label-file",
    "--entrypoint",
    "-u",
    "--user",
];

/// A refusal of docker's to make a container.
fn refused(why: String) -> Ended {
    Ended { err: format!("docker: Error response from daemon: {why}.\n"), code: 125, ..Ended::default() }
}

/// Whether a registry has an image: those of cores exist in every version that is numbers, and no others.
fn exists(image: &str) -> bool {
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    !name.contains("supertokens") || tag.split('.').all(|part| part.parse::<u32>().is_ok())
}

impl OnHost<'_> {
    fn has(&self, image: &str) -> bool {
        let mut all = self.place.docker.get(&self.instance).into_iter().flatten();
        all.any(|one| one.image == image)
    }

    /// `docker pull`
    pub(super) fn pull(&self, args: &[&str]) -> Ended {
        let (_, rest) = options(args, &[]);
        let Some(image) = rest.first() else {
            return failed("\"docker pull\" requires exactly 1 argument.\n".to_owned());
        };
        if !exists(image) {
            return failed(format!(
                "Error response from daemon: manifest for {image} not found: manifest unknown\n"
            ));
        }
        let seconds = if self.has(image) { 1 } else { PULLS_S };
        Ended { out: format!("{image}\n"), seconds, ..Ended::default() }
    }

    /// `docker run`
    pub(super) fn make(&mut self, args: &[&str], input: &str) -> Ended {
        let (options, rest) = options(args, VALUED);
        let all = |names: &[&str]| -> Vec<&str> {
            options.iter().filter(|(name, _)| names.contains(name)).map(|(_, value)| *value).collect()
        };
        let Some(image) = rest.first() else {
            return failed("\"docker run\" requires at least 1 argument.\n".to_owned());
        };
        let now = self.now();
        let mut dice = Dice::new(8, &format!("{}/{}/{}", self.instance, now.0, args.join(" ")));
        let id = CompactString::from(dice.hex(64));
        let name =
            all(&["--name"]).first().map_or_else(|| format!("c-{}", dice.hex(8)), |name| (*name).to_owned());
        if let Some(other) = self.named(&name) {
            let id = &other.id;
            let why =
                format!("Conflict. The container name \"/{name}\" is already in use by container \"{id}\"");
            return refused(why);
        }
        if !self.has(image) && !exists(image) {
            return refused(format!("manifest for {image} not found: manifest unknown"));
        }
        let seconds = if self.has(image) { 1 } else { PULLS_S };
        let ports: Option<Vec<(u16, u16)>> = all(&["-p", "--publish"])
            .into_iter()
            .map(|pair| {
                let (host, inner) = pair.split_once(':')?;
                Some((host.parse().ok()?, inner.parse().ok()?))
            })
            .collect();
        let Some(ports) = ports else { return refused("invalid containerPort".to_owned()) };
        let taken = |port: u16| {
            let all = self.place.containers(&self.instance);
            all.into_iter().any(|one| one.runs(now) && one.ports.iter().any(|(host, _)| *host == port))
        };
        let bound = ports.iter().find(|(host, _)| taken(*host)).map(|(host, _)| *host);
        let memory = all(&["-m", "--memory"]).first().and_then(|text| match text.strip_suffix('m') {
            Some(mib) => mib.parse().ok(),
            None => u32::try_from(text.parse::<u64>().ok()? / 1_048_576).ok(),
        });
        let cpus = all(&["--cpus"]).first().and_then(|text| text.parse::<f64>().ok());
        let number = |name: &str| all(&[name]).first().and_then(|text| text.parse().ok()).unwrap_or(0);
        let last = |names: &[&str]| CompactString::from(all(names).last().copied().unwrap_or_default());
        let setup = Setup {
            mounts: all(&["-v", "--volume"])
                .into_iter()
                .filter_map(|pair| Some(pair.split(':').nth(1)?.into()))
                .collect(),
            network: last(&["--network", "--net"]),
            user: last(&["-u", "--user"]),
            entrypoint: all(&["--entrypoint"]).first().map(|path| (*path).into()),
            quota: number("--cpu-quota"),
            period: number("--cpu-period"),
            restart: last(&["--restart"]),
        };
        let filed: Vec<&str> = all(&["--label-file"])
            .iter()
            .filter_map(|path| self.files.get(*path))
            .flat_map(|text| text.lines())
            .collect();
        let labels: Vec<_> = filed
            .into_iter()
            .chain(all(&["-l", "--label"]))
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (CompactString::from(key), CompactString::from(value)))
            // What is said last holds.
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_iter()
            .collect();
        let env = all(&["-e", "--env"]).into_iter().filter_map(|pair| match pair.split_once('=') {
            Some((name, value)) => Some((name.into(), value.into())),
            None => self.exported.get(pair).map(|value| (pair.into(), value.into())),
        });
        let mut env: Vec<(CompactString, CompactString)> = env.collect();
        if all(&["--env-file"]).contains(&"/dev/stdin") {
            let lines = input.lines().filter_map(|line| line.split_once('='));
            env.extend(lines.map(|(name, value)| (name.into(), value.into())));
        }
        let started = now.plus(seconds);
        let is_core = image.contains("supertokens");
        let core = labels.iter().find(|(key, _)| key == "coredeck.core").map(|(_, value)| value.clone());
        let stopped = if bound.is_some() {
            Some((started, 128))
        } else if is_core && memory.is_some_and(|mib: u32| mib < LEAST_MIB) {
            Some((started.plus(boot(0) / 2), 137))
        } else {
            None
        };
        let container = Container {
            id: id.clone(),
            name: name.into(),
            image: (*image).into(),
            command: "docker-entrypoint.sh supertokens start",
            ports,
            labels,
            created: started,
            started,
            before: Vec::new(),
            stopped,
            closing: None,
            memory,
            cpus: cpus.map(|cpus| (cpus * 1000.0) as u32),
            core,
            env,
            setup,
        };
        self.place.docker.entry(self.instance.clone()).or_default().push(container);
        match bound {
            // Docker keeps what it has made and cannot start.
            Some(port) => refused(format!(
                "driver failed programming external connectivity: Bind for 0.0.0.0:{port} failed: port is already allocated"
            )),
            None => Ended { seconds, ..wrote(format!("{id}\n")) },
        }
    }

    /// `docker rename`
    pub(super) fn rename(&mut self, args: &[&str]) -> Ended {
        let [from, to] = args else {
            return failed("\"docker rename\" requires exactly 2 arguments.\n".to_owned());
        };
        let Some(one) = self.named(from) else {
            return failed(format!("Error response from daemon: No such container: {from}\n"));
        };
        if self.named(to).is_some() {
            return failed(format!(
                "Error response from daemon: Error when allocating new name: Conflict. The container name \"/{to}\" is already in use\n"
            ));
        }
        for known in self.place.docker.get_mut(&self.instance).into_iter().flatten() {
            if known.id == one.id {
                known.name = (*to).into();
            }
        }
        Ended::default()
    }

    /// `aws ssm get-parameter`, which the host's role may.
    pub(super) fn aws(&self, args: &[&str]) -> Ended {
        let ["ssm", "get-parameter", rest @ ..] = args else {
            return Ended {
                err: "aws: error: argument command: Invalid choice\n".to_owned(),
                code: 252,
                ..Ended::default()
            };
        };
        let (options, _) = options(rest, &["--name", "--query", "--output", "--region"]);
        let given = |wanted: &str| options.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let is_here = given("--region").is_none_or(|region| region == self.place.region);
        let name = given("--name").unwrap_or_default();
        match self.place.parameters.get(name).filter(|_| is_here) {
            Some(found) => Ended { seconds: 1, ..wrote(format!("{}\n", found.value)) },
            None => Ended {
                err: "An error occurred (ParameterNotFound) when calling the GetParameter operation: \n"
                    .to_owned(),
                code: 254,
                seconds: 1,
                ..Ended::default()
            },
        }
    }
}
