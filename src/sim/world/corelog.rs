//! What pretended containers log: the cores' own lines, as text or as JSON, made of the traffic that they have.
//!
//! Nothing is kept. A minute of a stream is a function of who writes it and of the minute, so whoever asks twice
//! reads the same, and a day can be read without a day having been lived through.

use super::docker::Container;
use super::load::Load;
use super::machine::Kind;
use super::neighbours::{Neighbours, Run};
use super::place::Place;
use crate::sim::dice::{Dice, hash};
use crate::sim::time::Moment;
use compact_str::{CompactString, format_compact};

/// Cores whose docker was told of the log group only: the stream is the container's id, or is made of it.
const UNNAMED: &str = "prod-orbitly";
const TAGGED: &str = "prod-pinecrest";
/// The log group of docker hosts, in fleets that have one.
const HOSTS: &str = "/coredeck/core-hosts";
/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;
/// Requests of a minute that are logged at most for one app.
const MOST: u64 = 4_000;

/// Who writes a stream.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// As CloudWatch names the stream; a container's name where there is none.
    pub(crate) stream: CompactString,
    /// Distinguishes what it writes.
    seed: u64,
    version: CompactString,
    /// When it ran, earlier runs first.
    runs: Vec<Run>,
    /// Connection URI domains by name; its own, without one, first.
    domains: Vec<CompactString>,
    load: Load,
    machine: &'static Kind,
    neighbours: Neighbours,
    form: Form,
    /// What somebody lets it write besides.
    remarks: Vec<Line>,
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    /// Of a program that is no core.
    Plain,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Moment,
    pub(crate) text: String,
}

/// One thing that a core says.
struct Said<'a> {
    at: Moment,
    level: &'static str,
    thread: String,
    caller: &'static str,
    domain: &'a str,
    message: String,
    /// Lines of a stack trace.
    trace: Vec<String>,
}

/// Requests, with how often of a hundred.
const REQUESTS: [(u64, &str, &str); 7] = [
    (34, "POST", "/recipe/session/refresh"),
    (27, "POST", "/recipe/session/verify"),
    (14, "POST", "/recipe/signin"),
    (9, "GET", "/recipe/user"),
    (7, "POST", "/recipe/session"),
    (5, "GET", "/users/count"),
    (4, "POST", "/recipe/user/password/reset/token"),
];

const SERVED: &str = "io.supertokens.webserver.WebserverAPI.service(WebserverAPI.java:489)";

impl Author {
    /// The lines of a minute, in order.
    pub(crate) fn minute(&self, minute: i64) -> Vec<Line> {
        let (from, to) = (minute * MINUTE, (minute + 1) * MINUTE);
        let mut lines = Vec::new();
        let lives = |at: Moment| {
            self.runs.iter().any(|(began, ended)| at >= *began && ended.is_none_or(|ended| at <= ended))
        };
        let is_in = |(began, ended): &Run| began.0 < to && ended.is_none_or(|ended| ended.0 >= from);
        if !self.runs.iter().any(is_in) {
            return lines;
        }
        let mut said = self.life(from, to);
        // What began a minute earlier may end in this one.
        for one in [minute - 1, minute] {
            let apps: Vec<String> = self.domains.iter().map(|domain| format!("{domain}/public")).collect();
            let counts = self.load.requests_by_app(
                self.machine,
                self.neighbours.at(one),
                apps.iter().map(String::as_str),
                one,
            );
            for (domain, count) in self.domains.iter().zip(counts) {
                said.extend(self.served(domain, one, count).into_iter().flatten());
            }
        }
        said.retain(|one| (from..to).contains(&one.at.0) && lives(one.at));
        said.sort_by_key(|one| one.at);
        for one in said {
            self.write(&one, &mut lines);
        }
        let remarks = self.remarks.iter().filter(|one| (from..to).contains(&one.at.0));
        let before = lines.len();
        lines.extend(remarks.cloned());
        if lines.len() > before {
            lines.sort_by_key(|one| one.at);
        }
        lines
    }

    /// What it says when it starts and when it ends.
    fn life(&self, from: i64, to: i64) -> Vec<Said<'_>> {
        let mut said = Vec::new();
        let mut main = |at: Moment, caller: &'static str, message: &str| {
            if (from..to).contains(&at.0) {
                said.push(Said {
                    at,
                    level: "INFO",
                    thread: "main".to_owned(),
                    caller,
                    domain: "",
                    message: message.to_owned(),
                    trace: Vec::new(),
                });
            }
        };
        for (started, stopped) in &self.runs {
            if self.form == Form::Plain {
                main(*started, "", "listening");
                continue;
            }
            let later = |milliseconds: i64| Moment(started.0 + milliseconds);
            main(*started, "io.supertokens.Main.init(Main.java:128)", "Loading supertokens config.");
            main(
                later(900),
                "io.supertokens.Main.init(Main.java:140)",
                "Setting up PostgreSQL connection pool.",
            );
            let boot = 6_400 + 160 * i64::try_from(self.domains.len().saturating_sub(1)).unwrap_or(0);
            main(
                later(boot),
                "io.supertokens.Main.init(Main.java:236)",
                "Started SuperTokens on 0.0.0.0:3567 with PID: 1",
            );
            if let Some(stopped) = stopped {
                main(*stopped, "io.supertokens.Main.stopApp(Main.java:420)", "Goodbye");
            }
        }
        said
    }

    /// So many requests of a domain that begin in a minute: each is called and ends, and some fail.
    fn served<'a>(&'a self, domain: &'a str, minute: i64, count: u64) -> Vec<Vec<Said<'a>>> {
        let mut dice = Dice::new(self.seed ^ minute.unsigned_abs(), &format!("{domain}/public"));
        let fails = dice.below(9) == 0;
        let count = count.min(MOST);
        let broken = if fails { dice.below(count.max(1)) } else { u64::MAX };
        (0..count)
            .map(|nth| {
                let at = Moment(minute * MINUTE + dice.between(0, MINUTE - 1));
                let mut turn = dice.below(100);
                let (_, method, path) = REQUESTS
                    .into_iter()
                    .find(|(share, ..)| {
                        let is_it = turn < *share;
                        turn = turn.saturating_sub(*share);
                        is_it
                    })
                    .unwrap_or(REQUESTS[0]);
                let took = match dice.below(100) {
                    0 => dice.between(700, 3_000),
                    1..=9 => dice.between(60, 220),
                    _ => dice.between(3, 45),
                };
                let thread = format!("http-nio-0.0.0.0-3567-exec-{}", dice.between(1, 10));
                let say = |after: i64, level: &'static str, message: String, trace: Vec<String>| Said {
                    at: Moment(at.0 + after),
                    level,
                    thread: thread.clone(),
                    caller: SERVED,
                    domain,
                    message,
                    trace,
                };
                let mut said = vec![say(
                    0,
                    "INFO",
                    format!("API called: {path}. Method: {method}. Version: 5.1"),
                    Vec::new(),
                )];
                if nth == broken {
                    let (message, trace) = failure(domain);
                    said.push(say(took - 1, "ERROR", message, trace));
                }
                said.push(say(
                    took,
                    "INFO",
                    format!("API ended: {path}. Method: {method}. Version: 5.1"),
                    Vec::new(),
                ));
                said
            })
            .collect()
    }

    fn write(&self, said: &Said<'_>, lines: &mut Vec<Line>) {
        let at = said.at;
        let mut push = |text: String| lines.push(Line { at, text });
        let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let pid = Dice::new(self.seed, "pid").uuid();
        match self.form {
            Form::Plain => {
                let message = said.message.strip_prefix("API ended: ");
                // One line for each request, when it ends.
                if let Some(message) = message.or((said.thread == "main").then_some(&said.message)) {
                    push(format!("{stamp:.3} {} {message}", said.level));
                }
            }
            Form::Text => {
                let date = stamp.strftime("%d %b %Y %H:%M:%S");
                let thousandths = at.0.rem_euclid(1000);
                let (level, version, thread) = (said.level, &self.version, &said.thread);
                let (caller, domain, message) = (said.caller, said.domain, &said.message);
                push(format!(
                    "{date}:{thousandths:03} +0000 | {level} | pid: {pid} | v{version} | [{thread}] thread | {caller} | Tenant({domain}, public, public) | {message}"
                ));
                said.trace.iter().for_each(|line| push(line.clone()));
            }
            Form::Json => {
                let mut message = said.message.clone();
                for line in &said.trace {
                    message.push('\n');
                    message.push_str(line);
                }
                push(
                    serde_json::json!({
                        "message": message,
                        "tenant": { "connectionUriDomain": said.domain, "appId": "public", "tenantId": "public" },
                        "timestamp": format!("{stamp:.3}"), "level": said.level, "pid": pid,
                        "coreVersion": self.version, "threadName": said.thread, "callerData": said.caller,
                    })
                    .to_string(),
                );
            }
        }
    }
}

/// What a core says when its database does not answer. It names the database's host and user, and masks the password.
fn failure(domain: &str) -> (String, Vec<String>) {
    let user = domain.split('.').next().unwrap_or_default().replace('-', "_");
    let user = if user.is_empty() { "supertokens" } else { &user };
    let host = format!("customers-{}.db.internal", hash(domain) % 9 + 1);
    let message = format!(
        "java.sql.SQLTransientConnectionException: jdbc:postgresql://{host}:5432/{user}?user={user}&password=******** - Connection is not available, request timed out after 5000ms."
    );
    let trace = [
        "\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)",
        "\tat com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:197)",
        "\tat io.supertokens.storage.postgresql.ConnectionPool.getConnection(ConnectionPool.java:231)",
        "\tat io.supertokens.webserver.WebserverAPI.service(WebserverAPI.java:512)",
    ];
    let mut trace: Vec<String> = trace.into_iter().map(str::to_owned).collect();
    trace.push(format!(
        "Caused by: org.postgresql.util.PSQLException: Connection to {host}:5432 refused. Check that the hostname and port are correct."
    ));
    trace.push("\t... 41 more".to_owned());
    (message, trace)
}

impl Place {
    /// The log group and stream that a container's lines go to, where they go to CloudWatch.
    pub(crate) fn log_of(&self, container: &Container) -> Option<(CompactString, CompactString)> {
        let label = |name: &str| container.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        if let (Some(arn), Some(family)) =
            (label("com.amazonaws.ecs.task-arn"), label("com.amazonaws.ecs.task-definition-family"))
        {
            let (name, task) = (label("com.amazonaws.ecs.container-name")?, arn.rsplit('/').next()?);
            return Some((format_compact!("/ecs/{family}"), format_compact!("{name}/{name}/{task}")));
        }
        let core = container.core.clone()?;
        let is_kept = label("coredeck.tier").is_some_and(|tier| tier != "development");
        let stream = match core.as_str() {
            UNNAMED => container.id.clone(),
            TAGGED => format_compact!("core/{}", container.id.chars().take(12).collect::<String>()),
            _ => core,
        };
        (is_kept && self.logs.has(HOSTS)).then(|| (HOSTS.into(), stream))
    }

    /// The option that names the stream of a container, where there is one: its own name, or a template for it.
    pub(crate) fn log_option(container: &Container, stream: &str) -> Option<(&'static str, String)> {
        match container.core.as_deref() {
            Some(UNNAMED) => None,
            Some(TAGGED) => Some(("tag", "core/{{.ID}}".to_owned())),
            _ => Some(("awslogs-stream", stream.to_owned())),
        }
    }

    /// Who writes what a container logs.
    pub(crate) fn author(&self, instance: &str, container: &Container) -> Option<Author> {
        let host = self.instances.get(instance)?;
        Some(self.author_among(host.load, host.kind, container, self.neighbours(instance)))
    }

    fn author_among(
        &self,
        load: Load,
        machine: &'static Kind,
        container: &Container,
        neighbours: Neighbours,
    ) -> Author {
        let is_core = container.image.contains("supertokens/");
        let is_task = container.core.is_none();
        let mut domains = vec![CompactString::default()];
        if let Some(core) = &container.core {
            domains.extend(self.domains_of(core));
            domains.sort();
        }
        let remarks = self.remarks.iter().filter(|(core, _)| container.core.as_ref() == Some(core));
        let remarks = remarks.map(|(_, line)| line.clone()).collect();
        let stream = self.log_of(container).map_or_else(|| container.name.clone(), |(_, stream)| stream);
        Author {
            seed: hash(&container.id),
            stream,
            version: container.image.rsplit_once(':').map_or("", |(_, tag)| tag).into(),
            runs: container.runs_of(),
            domains,
            load,
            machine,
            neighbours,
            remarks,
            form: match (is_core, is_task) {
                (false, _) => Form::Plain,
                (true, true) => Form::Json,
                (true, false) => Form::Text,
            },
        }
    }

    /// The domains that a shared core serves, by the registry.
    fn domains_of(&self, core: &str) -> Vec<CompactString> {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        let word = |value: &serde_json::Value, name: &str| {
            value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        };
        let suffix = format!("/cores/{core}");
        let mut entries = self.parameters.values().filter(|one| one.name.ends_with(&suffix));
        let is_shared = entries.any(|one| word(&value(&one.value), "tier") == "shared");
        let tenants = self.parameters.values().filter(|one| is_shared && one.name.contains("/tenants/"));
        tenants
            .map(|one| value(&one.value))
            .filter(|tenant| word(tenant, "core") == core)
            .map(|tenant| CompactString::from(word(&tenant, "domain").to_lowercase()))
            .filter(|domain| !domain.is_empty())
            .collect()
    }

    /// Everybody who writes into a log group.
    pub(crate) fn authors(&self, group: &str) -> Vec<Author> {
        let mut hosts: Vec<&str> = Vec::new();
        if group == HOSTS {
            hosts.extend(self.docker.keys().map(CompactString::as_str));
        }
        for cluster in self.clusters.rows() {
            for task in cluster.tasks.rows() {
                let writes = self.definitions.get(&task.definition).is_some_and(|one| one.log_group == group);
                let host = cluster.hosts.get(&task.host).filter(|_| writes);
                hosts.extend(host.map(|host| host.instance.as_str()));
            }
        }
        hosts.sort_unstable();
        hosts.dedup();
        let mut found: Vec<Author> = Vec::new();
        for host in hosts.into_iter().filter_map(|id| self.instances.get(id)) {
            let mut all = self.containers(&host.id);
            // What a task has written stays when it has stopped.
            let gone = self.task_containers(&host.id).filter(|(task, _)| !task.is_active());
            all.extend(gone.map(|(_, one)| one));
            let neighbours = self.neighbours(&host.id);
            for one in all.iter().filter(|one| self.log_of(one).is_some_and(|(to, _)| to == group)) {
                found.push(self.author_among(host.load, host.kind, one, neighbours.clone()));
            }
        }
        found.sort_by(|a, b| a.stream.cmp(&b.stream));
        found
    }
}
