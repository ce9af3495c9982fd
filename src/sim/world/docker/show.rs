//! Containers as docker shows them: rows of `docker ps`, and what `docker inspect` knows, for templates.

use super::Container;
use crate::sim::time::Moment;
use serde_json::{Map, Value, json};

/// What `docker ps` knows of a container, by docker's names.
pub(super) fn row(one: &Container, now: Moment, is_whole: bool) -> Value {
    let id: String = one.id.chars().take(if is_whole { 64 } else { 12 }).collect();
    let runs = one.runs(now);
    let since = ago(now.since(one.started));
    let status = match one.stopped.filter(|_| !runs) {
        None => format!("Up {since}"),
        Some((at, code)) => format!("Exited ({code}) {} ago", ago(now.since(at))),
    };
    let ports: Vec<String> = one
        .ports
        .iter()
        .filter(|_| runs)
        .map(|(host, inner)| format!("0.0.0.0:{host}->{inner}/tcp, [::]:{host}->{inner}/tcp"))
        .collect();
    let labels: Vec<String> = one.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let command = if is_whole || one.command.chars().count() <= 20 {
        one.command.to_owned()
    } else {
        one.command.chars().take(19).collect::<String>() + "…"
    };
    json!({
        "Command": format!("\"{command}\""),
        "CreatedAt": stamp(one.created),
        "ID": id,
        "Image": one.image,
        "Labels": labels.join(","),
        "LocalVolumes": "0",
        "Mounts": "",
        "Names": one.name,
        "Networks": "bridge",
        "Ports": ports.join(", "),
        "RunningFor": format!("{} ago", ago(now.since(one.created))),
        "Size": "0B",
        "State": if runs { "running" } else { "exited" },
        "Status": status,
    })
}

/// What `docker inspect` knows of a container.
pub(super) fn inspected(one: &Container, now: Moment) -> Value {
    let runs = one.runs(now);
    let never = "0001-01-01T00:00:00Z".to_owned();
    let (finished, code) = match one.stopped.filter(|_| !runs) {
        Some((at, code)) => (at.rfc3339(), code),
        None => (never, 0),
    };
    let labels: Map<String, Value> =
        one.labels.iter().map(|(key, value)| (key.to_string(), Value::from(value.as_str()))).collect();
    let env = IMAGE_ENV.iter().map(|pair| (*pair).to_owned());
    let env: Vec<String> = env.chain(one.env.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    let setup = &one.setup;
    let entrypoint = setup.entrypoint.as_deref().or(one.command.split(' ').next());
    let mounts: Vec<Value> = setup
        .mounts
        .iter()
        .map(|at| json!({ "Type": "bind", "Source": "/etc/host", "Destination": at, "RW": true }))
        .collect();
    let or = |text: &str, usual: &str| if text.is_empty() { usual.to_owned() } else { text.to_owned() };
    let bindings: Map<String, Value> = one
        .ports
        .iter()
        .map(|(host, inner)| {
            (format!("{inner}/tcp"), json!([{ "HostIp": "0.0.0.0", "HostPort": host.to_string() }]))
        })
        .collect();
    json!({
        "Id": one.id,
        "Created": one.created.rfc3339(),
        "Path": one.command.split(' ').next().unwrap_or_default(),
        "Args": one.command.split(' ').skip(1).collect::<Vec<_>>(),
        "State": {
            "Status": if runs { "running" } else { "exited" },
            "Running": runs, "Paused": false, "Restarting": false, "OOMKilled": false, "Dead": false,
            "Pid": if runs { 4000 + one.started.0 % 20_000 } else { 0 },
            "ExitCode": code, "Error": "",
            "StartedAt": one.started.rfc3339(), "FinishedAt": finished,
        },
        "Image": image_id(&one.image),
        "Name": format!("/{}", one.name),
        "RestartCount": 0,
        "HostConfig": {
            "Memory": one.memory.map_or(0, |mib| i64::from(mib) * 1_048_576),
            "NanoCpus": one.cpus.map_or(0, |thousandths| i64::from(thousandths) * 1_000_000),
            "CpuQuota": setup.quota, "CpuPeriod": setup.period,
            "NetworkMode": or(&setup.network, "bridge"),
            "PortBindings": bindings,
            "RestartPolicy": { "Name": or(&setup.restart, "always"), "MaximumRetryCount": 0 },
            "LogConfig": { "Type": "awslogs", "Config": {} },
        },
        "Mounts": mounts,
        "Config": {
            "Image": one.image, "Labels": labels, "Env": env, "User": setup.user,
            "Entrypoint": [entrypoint],
            "Cmd": one.command.split(' ').skip(1).collect::<Vec<_>>(),
        },
        "NetworkSettings": { "Ports": if runs { bindings.clone() } else { Map::new() } },
    })
}

/// Variables that every image sets.
const IMAGE_ENV: [&str; 2] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"];

fn image_id(image: &str) -> String {
    format!("sha256:{}", crate::sim::dice::Dice::new(1, image).hex(64))
}

/// What `docker inspect --type image` knows, of an image that a container is of.
pub(super) fn inspected_image(one: &Container) -> Value {
    json!({
        "Id": image_id(&one.image),
        "RepoTags": [one.image],
        "Config": {
            "Env": IMAGE_ENV, "Labels": { "org.opencontainers.image.vendor": "image" }, "User": "",
            "Entrypoint": [one.command.split(' ').next()],
            "Cmd": one.command.split(' ').skip(1).collect::<Vec<_>>(),
        },
    })
}

/// A span of time as docker says it.
fn ago(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..=59 => format!("{seconds} seconds"),
        60..=119 => "About a minute".to_owned(),
        120..=3_599 => format!("{} minutes", seconds / 60),
        3_600..=7_199 => "About an hour".to_owned(),
        7_200..=172_799 => format!("{} hours", seconds / 3600),
        172_800..=1_209_599 => format!("{} days", seconds / 86_400),
        1_209_600..=5_183_999 => format!("{} weeks", seconds / 604_800),
        _ => format!("{} months", seconds / 2_592_000),
    }
}

fn stamp(at: Moment) -> String {
    at.gmt().replace(" GMT", " +0000 UTC")
}

/// The columns of `docker ps`, with the names of their values.
const COLUMNS: [(&str, &str); 7] = [
    ("CONTAINER ID", "ID"),
    ("IMAGE", "Image"),
    ("COMMAND", "Command"),
    ("CREATED", "RunningFor"),
    ("STATUS", "Status"),
    ("PORTS", "Ports"),
    ("NAMES", "Names"),
];

/// The table of `docker ps`.
pub(super) fn table(rows: &[Value]) -> String {
    let cell = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut lines: Vec<Vec<String>> = vec![COLUMNS.map(|(title, _)| title.to_owned()).to_vec()];
    lines.extend(rows.iter().map(|row| COLUMNS.map(|(_, name)| cell(row, name)).to_vec()));
    let width =
        |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..COLUMNS.len()).map(|at| width(at).unwrap_or(0)).collect();
    let mut out = String::new();
    for line in &lines {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(padded.join("   ").trim_end());
        out.push('\n');
    }
    out
}
