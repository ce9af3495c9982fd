//! Docker on pretended hosts: the cores of the registry as containers, and beside them what ECS runs there.

pub(crate) mod commands;
mod curl;
mod logged;
mod make;
mod show;
mod template;

pub(crate) use self::commands::OnHost;
use super::containers::Task;
use super::held;
use super::keeping::Parameter;
use super::machine::{State, Tag};
use super::place::Place;
use crate::sim::dice::Dice;
use crate::sim::time::Moment;
use compact_str::{CompactString, format_compact};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The port of a core in its container.
const CORE_PORT: u16 = 3567;

/// A container that was started by hand or by Systems Manager.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    /// 64 digits.
    pub(crate) id: CompactString,
    pub(crate) name: CompactString,
    pub(crate) image: CompactString,
    pub(crate) command: &'static str,
    /// Of the host, and in the container.
    pub(crate) ports: Vec<(u16, u16)>,
    pub(crate) labels: Vec<Tag>,
    pub(crate) created: Moment,
    pub(crate) started: Moment,
    /// From when to when it ran before it was started anew.
    pub(crate) before: Vec<(Moment, Moment)>,
    /// When it stopped or will have stopped, and how it exited.
    pub(crate) stopped: Option<(Moment, i64)>,
    /// When it was last told to stop: from then on it takes no more connections.
    pub(crate) closing: Option<Moment>,
    /// MiB that it may use at most; none for no limit.
    pub(crate) memory: Option<u32>,
    /// Thousandths of a processor that it may use at most.
    pub(crate) cpus: Option<u32>,
    /// The core that it is, by its id in the registry.
    pub(crate) core: Option<CompactString>,
    /// What its process sees, by name.
    pub(crate) env: Vec<(CompactString, CompactString)>,
    /// How it was made, beside that.
    pub(crate) setup: Setup,
}

/// How a container was made, where that is not as usual: empty texts and zeroes are what docker takes by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// Where something of the host is mounted in it.
    pub(crate) mounts: Vec<CompactString>,
    pub(crate) network: CompactString,
    pub(crate) user: CompactString,
    pub(crate) entrypoint: Option<CompactString>,
    /// Microseconds of a processor in each period; 0 for no such limit.
    pub(crate) quota: i64,
    pub(crate) period: i64,
    pub(crate) restart: CompactString,
}

/// Until when processes that are really asked have something to do, by host and port.
#[derive(Clone, Debug, Default)]
pub(crate) struct Serving(Arc<Mutex<HashMap<(CompactString, u16), Moment>>>);

impl Serving {
    /// A process has something to do until then.
    pub(crate) fn until(&self, instance: &str, port: u16, until: Moment) {
        let mut all = held(&self.0);
        let last = all.entry((instance.into(), port)).or_insert(until);
        *last = until.max(*last);
    }

    /// What a process has to do yet at a moment, in milliseconds; none where it has nothing.
    fn left(&self, instance: &str, ports: &[(u16, u16)], at: Moment) -> Option<i64> {
        let all = held(&self.0);
        let last = ports.iter().filter_map(|(port, _)| all.get(&(instance.into(), *port))).max()?;
        Some(last.0 - at.0).filter(|left| *left > 0)
    }
}

/// Seconds between a process's start and its open port: longer the more domains it opens pools for.
pub(crate) fn boot(domains: usize) -> i64 {
    // 6.4 s without a domain, 14.4 s with fifty.
    let milliseconds = 6_400 + 160 * i64::try_from(domains).unwrap_or(i64::MAX / 200);
    (milliseconds + 999) / 1000
}

impl Container {
    /// It runs again from then on; where it ran until now it stops a moment before.
    pub(crate) fn start_anew(&mut self, at: Moment) {
        let ended = self.stopped.map_or(at.minus(1), |(stopped, _)| stopped);
        self.before.push((self.started, ended));
        (self.started, self.stopped) = (at, None);
    }

    /// Tells whether it runs.
    pub(crate) fn runs(&self, now: Moment) -> bool {
        self.stopped.is_none_or(|(at, _)| at > now)
    }
}

impl Place {
    /// Puts a container onto its host for every core that the registry knows.
    pub(crate) fn raise_containers(&mut self) {
        let mut found = Vec::new();
        for parameter in self.parameters.values() {
            let Some((fleet, core)) = core_name(&parameter.name) else { continue };
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&parameter.value) else { continue };
            let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            let instance = CompactString::from(text("instance_id"));
            let Some(host) = self.instances.get(&instance) else { continue };
            let port = value.get("port").and_then(serde_json::Value::as_u64);
            let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(CORE_PORT);
            let mut dice = Dice::new(3, &format!("{instance}/{core}"));
            // A core comes up some minutes after its host.
            let started = host.launched.plus(200 + dice.between(5, 60)).max(parameter.modified);
            let tier = text("tier");
            let memory = match tier {
                "development" => Some(256),
                "production" => Some(640),
                _ => None,
            };
            let label = |key: &str, value: &str| (CompactString::from(key), CompactString::from(value));
            let container = Container {
                id: dice.hex(64).into(),
                name: text("container").into(),
                image: text("image").into(),
                command: "docker-entrypoint.sh supertokens start",
                ports: vec![(port, CORE_PORT)],
                labels: vec![
                    label("coredeck.core", core),
                    label("coredeck.fleet", fleet),
                    label("coredeck.tier", tier),
                    label("mode", if tier == "development" { "development" } else { "production" }),
                    label("type", "session-service"),
                ],
                created: started.minus(1),
                started,
                before: Vec::new(),
                stopped: None,
                closing: None,
                memory,
                cpus: (tier == "development").then_some(500),
                core: Some(core.into()),
                env: self.env_of(core, &value),
                setup: Setup::default(),
            };
            found.push((instance, container));
        }
        for (instance, container) in found {
            self.docker.entry(instance).or_default().push(container);
        }
    }

    /// What a core of the registry was started with: its keys, and the address of its database.
    fn env_of(&self, core: &str, entry: &serde_json::Value) -> Vec<(CompactString, CompactString)> {
        let secret = |field: &str| {
            let name = entry.get(field).and_then(serde_json::Value::as_str)?;
            Some(CompactString::from(self.parameters.get(name)?.value.as_str()))
        };
        let mut dice = Dice::new(9, core);
        let address = format_compact!("postgresql://{core}:{}@databases.internal:5432/{core}", dice.hex(20));
        let keys = secret("api_key_parameter").unwrap_or_else(|| dice.hex(32).into());
        vec![
            ("API_KEYS".into(), keys),
            ("POSTGRESQL_CONNECTION_URI".into(), secret("database_parameter").unwrap_or(address)),
        ]
    }

    /// Every container of a host, those of ECS too.
    pub(crate) fn containers(&self, instance: &str) -> Vec<Container> {
        let mut all = self.docker.get(instance).cloned().unwrap_or_default();
        let Some(found) = self.instances.get(instance) else { return all };
        for cluster in self.clusters.rows() {
            let Some(host) = cluster.hosts.rows().find(|host| host.instance == instance) else { continue };
            if host.is_connected {
                all.push(Container {
                    id: Dice::new(4, &host.id).hex(64).into(),
                    name: "ecs-agent".into(),
                    image: "amazon/amazon-ecs-agent:latest".into(),
                    command: "/agent",
                    ports: Vec::new(),
                    labels: Vec::new(),
                    created: found.launched.plus(40),
                    started: found.launched.plus(41),
                    before: Vec::new(),
                    stopped: None,
                    closing: None,
                    memory: None,
                    cpus: None,
                    core: None,
                    env: Vec::new(),
                    setup: Setup::default(),
                });
            }
        }
        all.extend(self.task_containers(instance).filter(|(task, _)| task.is_active()).map(|(_, one)| one));
        all
    }

    /// Every task that was ever put on a host and is still known.
    pub(crate) fn tasks_on(&self, instance: &str) -> impl Iterator<Item = &Task> {
        self.tasks_with_clusters(instance).map(|(_, task)| task)
    }

    fn tasks_with_clusters(&self, instance: &str) -> impl Iterator<Item = (&CompactString, &Task)> {
        self.clusters.rows().flat_map(move |cluster| {
            let host = cluster.hosts.rows().find(|host| host.instance == instance);
            let tasks = host
                .into_iter()
                .flat_map(|host| cluster.tasks.rows().filter(move |task| task.host == host.id));
            tasks.map(|task| (&cluster.name, task))
        })
    }

    /// The containers of the tasks of a host that began to run, those that have stopped too.
    pub(crate) fn task_containers(&self, instance: &str) -> impl Iterator<Item = (&Task, Container)> {
        self.tasks_with_clusters(instance).filter_map(|(cluster, task)| {
            let (started, definition) = (task.started?, self.definitions.get(&task.definition)?);
            let short: String = task.id.chars().take(12).collect();
            let (family, name) = (&definition.family, &definition.container);
            let label = |key: &str, value: CompactString| (CompactString::from(key), value);
            let arn = self.arn("ecs", &format!("task/{cluster}/{}", task.id));
            let exit = task.end.as_ref().and_then(|(_, _, exit)| *exit).unwrap_or(0);
            let container = Container {
                id: Dice::new(5, &task.id).hex(64).into(),
                name: format_compact!("ecs-{family}-{}-{name}-{short}", definition.revision),
                image: definition.image.clone(),
                command: "docker-entrypoint.sh",
                ports: task.host_port.zip(definition.port).into_iter().collect(),
                labels: vec![
                    label("com.amazonaws.ecs.cluster", cluster.clone()),
                    label("com.amazonaws.ecs.container-name", name.clone()),
                    label("com.amazonaws.ecs.task-arn", arn),
                    label("com.amazonaws.ecs.task-definition-family", family.clone()),
                ],
                created: started.minus(1),
                started,
                before: Vec::new(),
                stopped: task.stopped.map(|at| (at, exit)),
                closing: None,
                memory: Some(definition.memory),
                cpus: None,
                core: None,
                env: Vec::new(),
                setup: Setup::default(),
            };
            Some((task, container))
        })
    }

    /// The core that answers at a port of a host now.
    pub(crate) fn core_at(&self, instance: &str, port: u16, now: Moment) -> Option<Container> {
        let runs = self.instances.get(instance).is_some_and(|found| found.state == State::Running);
        let all = if runs { self.containers(instance) } else { Vec::new() };
        all.into_iter().find(|one| {
            let is_core = one.core.is_some() || one.image.starts_with("supertokens/");
            let is_closing = one.closing.is_some_and(|at| at <= now && one.started <= at);
            is_core && one.runs(now) && !is_closing && one.ports.iter().any(|(host, _)| *host == port)
        })
    }

    /// Tells whether what should answer at a port of a host does not, or not yet.
    pub(crate) fn is_down(&self, instance: &str, port: u16, now: Moment) -> bool {
        let all = self.docker.get(instance).into_iter().flatten();
        let mine: Vec<&Container> =
            all.filter(|one| one.ports.iter().any(|(host, _)| *host == port)).collect();
        // One that was stopped for another may still be there.
        !mine.is_empty() && !mine.iter().any(|one| self.is_up(one, now))
    }

    /// Tells whether a container runs and has opened its port: a core does when all its domains are there.
    pub(crate) fn is_up(&self, one: &Container, now: Moment) -> bool {
        let age = now.since(one.started);
        one.runs(now) && (age > 300 || age >= boot(self.domains(one)))
    }

    /// The domains of a shared core.
    fn domains(&self, one: &Container) -> usize {
        let Some(core) = one.core.as_deref() else { return 0 };
        let is_shared = one.labels.iter().any(|(key, value)| key == "coredeck.tier" && value == "shared");
        let mine = |parameter: &&Parameter| {
            parameter.name.contains("/tenants/") && {
                let value: serde_json::Value = serde_json::from_str(&parameter.value).unwrap_or_default();
                value.get("core").and_then(serde_json::Value::as_str) == Some(core)
            }
        };
        if is_shared { self.parameters.values().filter(mine).count() } else { 0 }
    }

    /// A host stopped: so did what docker ran on it.
    pub(crate) fn halt_containers(&mut self, instance: &str) {
        let now = self.now;
        for one in self.docker.get_mut(instance).into_iter().flatten() {
            if one.runs(now) {
                (one.stopped, one.closing) = (Some((now, 143)), Some(now));
            }
        }
    }

    /// A host is back: docker starts again what did not stop by hand.
    pub(crate) fn resume_containers(&mut self, instance: &str) {
        let now = self.now;
        for one in self.docker.get_mut(instance).into_iter().flatten() {
            if one.stopped.is_some_and(|(_, code)| code == 143) {
                (one.started, one.stopped) = (now, None);
            }
        }
    }
}

impl Container {
    /// A variable of its own.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where its users are: as many words as tell one set of tables from another. A core whose variables name no
    /// database keeps them in its memory, unless a file of the host tells it otherwise.
    pub(crate) fn tables(&self) -> String {
        let is_filed = self.setup.mounts.iter().any(|at| at.starts_with("/usr/lib/supertokens"));
        let kind = if self.image.contains("mysql") { "MYSQL" } else { "POSTGRESQL" };
        let of = |name: &str| self.variable(&format!("{kind}_{name}")).unwrap_or_default();
        let host = format!("{}{}", of("HOST"), of("DATABASE_NAME"));
        let address = of("CONNECTION_URI");
        let database = if address.is_empty() { &host } else { address };
        match (is_filed, database) {
            (true, _) => format!("file {}", self.core.as_deref().unwrap_or_default()),
            (false, "") => format!("memory {} {}", self.id, self.started.0),
            (false, database) => {
                let (schema, prefix) = (of("TABLE_SCHEMA"), of("TABLE_NAMES_PREFIX"));
                let schema = if schema.is_empty() { "public" } else { schema };
                format!("{database} {schema} {prefix}")
            }
        }
    }
}

/// Fleet and core of a parameter of the registry, `/coredeck/<fleet>/cores/<core>`.
pub(crate) fn core_name(parameter: &str) -> Option<(&str, &str)> {
    parameter.strip_prefix("/coredeck/")?.split_once("/cores/").filter(|(_, core)| !core.contains('/'))
}
