//! Standalone tasks, and the protection of tasks.

use super::make::{constraints, definition, number, strategy, tags};
use super::{batch, cluster, failure, hosts, invalid, tail, tasks};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::containers::{Constraint, Task};
use crate::sim::world::place::Place;
use crate::sim::world::placing::{choose, nearest, open_hosts};
use crate::sim::world::tokens::Fresh;
use compact_str::CompactString;

/// What RunTask understands.
pub(super) const TAKES: &[&str] = &[
    "cluster",
    "taskDefinition",
    "count",
    "launchType",
    "capacityProviderStrategy",
    "group",
    "startedBy",
    "placementConstraints",
    "tags",
    "clientToken",
];

/// RunTask: one to ten; what finds no place is a failure in an answer that is no error.
pub(super) fn run(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let found = cluster(call, place)?;
    let home = found.name.clone();
    let count = number(input, "count")?.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(invalid("The count must be from 1 to 10."));
    }
    if !matches!(input.text("launchType"), None | Some("EC2")) {
        return Err(invalid("Only the launch type EC2 is understood here."));
    }
    if input.text("startedBy").is_some_and(|by| by.len() > 128) {
        return Err(invalid("startedBy must be at most 128 characters."));
    }
    let wanted = definition(input, place)?.clone();
    let providers = found.providers.clone();
    let shares = strategy(input, "capacityProviderStrategy", place, &providers)?;
    let provider = shares.first().map(|share| share.provider.clone());
    let mut limits = constraints(input)?;
    limits.extend(wanted.constraints.iter().filter(|one| **one != Constraint::Distinct).cloned());
    let token = input.text("clientToken").filter(|token| !token.is_empty());
    match token.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Mismatch) => {
            return Err(Fault::new(
                "ConflictException",
                "The RunTask request could not be processed due to conflicts: the clientToken was used with other parameters.",
            ));
        }
        Some(Fresh::Done(ids)) => return answer(call, place, &ids, Vec::new()),
        Some(Fresh::New) | None => {}
    }
    let cluster = super::named_cluster(place, &home);
    let mut candidates =
        cluster.map(|found| open_hosts(place, found, provider.as_deref(), &limits, None)).unwrap_or_default();
    if candidates.is_empty() && limits.is_empty() {
        return Err(invalid("No Container Instances were found in your cluster."));
    }
    let mut ids: Vec<String> = Vec::new();
    let mut failures = Vec::new();
    for _ in 0..count {
        let Some(chosen) = choose(&mut candidates, &wanted, false) else {
            let lack = nearest(&candidates, &wanted);
            let host = lack.map(|(host, _)| host).unwrap_or_default();
            let reason = lack.map_or("ATTRIBUTE", |(_, lack)| lack.code());
            let arn = place.arn("ecs", &format!("container-instance/{home}/{host}"));
            failures.push(Fields::new().with("arn", arn).with("reason", reason));
            continue;
        };
        let of = Task {
            started_by: input.text("startedBy").unwrap_or_default().into(),
            provider: provider.clone(),
            group: input.text("group").map(CompactString::from),
            tags: tags(input),
            ..Task::default()
        };
        let id = place.begin_task(&home, &wanted, chosen, of);
        ids.push(id.into());
    }
    let ids = ids.join(" ");
    if let Some(token) = token {
        place.tokens.keep(call, token, ids.clone());
    }
    answer(call, place, &ids, failures)
}

fn answer(call: &Call, place: &Place, ids: &str, failures: Vec<Fields>) -> Answer {
    let cluster = cluster(call, place)?;
    let started = ids.split(' ').filter_map(|id| cluster.tasks.get(id));
    let shapes = list(started, |task| tasks::shape(call, place, cluster, task));
    Ok(Fields::new().with("tasks", shapes).with("failures", failures).into())
}

/// Minutes for which a task can be protected.
const LONGEST: u32 = 2880;

/// UpdateTaskProtection: of tasks of services, at most ten.
pub(super) fn protect(call: &Call, place: &mut Place) -> Answer {
    let home = cluster(call, place)?.name.clone();
    let ids = batch(call, "tasks", 10, "Tasks")?;
    if call.input.get("protectionEnabled").is_none() {
        return Err(invalid("protectionEnabled is required."));
    }
    let is_on = call.input.flag("protectionEnabled");
    let minutes = number(call.input, "expiresInMinutes")?;
    if minutes.is_some_and(|minutes| !(1..=LONGEST).contains(&minutes)) {
        return Err(invalid("expiresInMinutes must be between 1 and 2880."));
    }
    let until = is_on.then(|| call.now.plus(i64::from(minutes.unwrap_or(120)) * 60));
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        let arn = place.arn("ecs", &format!("task/{home}/{}", tail(id)));
        let task = place.clusters.get_mut(&home).and_then(|found| found.tasks.get_mut(tail(id)));
        match task.filter(|task| task.is_active() && task.wanted != "STOPPED") {
            Some(task) if task.service.is_some() => {
                task.protected_until = until;
                done.push(protection(arn, until));
            }
            Some(_) => failures.push(
                Fields::new()
                    .with("arn", arn)
                    .with("reason", "TASK_NOT_VALID")
                    .with("detail", "The specified task is not managed by a service."),
            ),
            None => failures.push(failure(arn)),
        }
    }
    place.wake_services(&home);
    Ok(Fields::new().with("protectedTasks", done).with("failures", failures).into())
}

fn protection(arn: CompactString, until: Option<crate::sim::time::Moment>) -> Fields {
    Fields::new()
        .with("taskArn", arn)
        .with("protectionEnabled", until.is_some())
        .maybe("expirationDate", until)
}

/// GetTaskProtection: of those that are named, at most ten, or of all tasks of services.
pub(super) fn protections(call: &Call, place: &Place) -> Answer {
    let cluster = cluster(call, place)?;
    let named = call.input.texts("tasks");
    if named.len() > 10 {
        return Err(invalid("Tasks cannot have more than 10 elements."));
    }
    let arn = |id: &str| place.arn("ecs", &format!("task/{}/{id}", cluster.name));
    let shown = |task: &Task| {
        let until = task.protected_until.filter(|until| *until > call.now);
        protection(arn(&task.id), until)
    };
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    if named.is_empty() {
        let all = cluster.tasks.rows().filter(|task| task.service.is_some() && task.is_active());
        found.extend(all.map(shown));
    }
    for id in named {
        match cluster.tasks.get(tail(id)).filter(|task| task.is_active()) {
            Some(task) if task.service.is_some() => found.push(shown(task)),
            Some(task) => {
                failures.push(Fields::new().with("arn", arn(&task.id)).with("reason", "TASK_NOT_VALID"));
            }
            None => failures.push(failure(arn(tail(id)))),
        }
    }
    Ok(Fields::new().with("protectedTasks", found).with("failures", failures).into())
}

/// DeregisterContainerInstance: a host without running tasks, or by force.
pub(super) fn deregister(call: &Call, place: &mut Place) -> Answer {
    let found = cluster(call, place)?;
    let home = found.name.clone();
    let id = CompactString::from(tail(call.input.text("containerInstance").unwrap_or_default()));
    let host = found.hosts.get(&id).ok_or_else(|| invalid("Referenced container instance not found."))?;
    let busy = found.tasks.rows().any(|task| task.host == id && task.status == "RUNNING");
    if busy && !call.input.flag("force") {
        return Err(invalid("Found running tasks on the instance."));
    }
    let mut gone = host.clone();
    gone.status = "INACTIVE";
    let shape: Shape = hosts::shape(call, place, found, &gone, None);
    if let Some(found) = place.clusters.get_mut(&home) {
        found.hosts.remove(&id);
        for task in found.tasks.rows_mut().filter(|task| task.host == id && task.is_active()) {
            task.wanted = "STOPPED";
            task.status = "STOPPED";
            task.stopping = task.stopping.or(Some(call.now));
            task.stopped = Some(call.now);
            task.end = Some(("TerminationNotice", "Container instance was deregistered.".into(), None));
        }
    }
    place.wake_services(&home);
    Ok(Fields::new().with("containerInstance", shape).into())
}
