//! `core create` where a service of ECS keeps the cores: a replica more is a task more.

use super::super::super::aspect::Aspect;
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::guard::forbids;
use super::super::super::intent::Intent;
use super::super::super::plan::{Proof, Step, Undo, wait};
use super::super::protect::count;
use super::super::scale;
use super::doors::short;
use crate::error::Result;
use crate::fleet::ServiceRow;
use crate::fleet::drain::{Blocker, Scene, finds_room};
use crate::gateway::{Look, Seen};
use crate::model::{Core, Home, Known, ServiceArn, ServiceDetail, TargetState, Task, Text};
use crate::store::journal::Grip;

/// Seconds that targets of new tasks may take to become healthy.
const HEALTHY_S: u64 = 900;

/// The service that keeps a core; none where none does, or it was not read.
pub(super) fn service_of<'a>(desk: &'a Desk<'_>, core: &Core) -> Option<&'a ServiceRow> {
    let Home::Task { task, service, .. } = &core.home else { return None };
    let cluster = task.as_str().rsplit('/').nth(1)?;
    desk.fleet.services.iter().find(|row| row.it.name == *service && row.cluster == cluster)
}

/// A service gets so many replicas more.
///
/// # Errors
///
/// Its cluster could not be looked at.
pub(super) async fn draft(desk: &Desk<'_>, row: &ServiceRow, intent: &Intent) -> Result<Draft> {
    let mut draft = Draft::default();
    let service = &*row.it;
    let label = format!("{}/{}", row.cluster, service.name);
    let more = u32::try_from(intent.targets.len()).unwrap_or(u32::MAX);
    let desired = service.desired.saturating_add(more);
    if let Some(why) = forbids(&service.tags, &intent.options, desk.now) {
        draft.refuse(&label, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    if service.strategy.as_deref() == Some("DAEMON") {
        draft.refuse(&label, "a daemon runs once on every host", "change the number of hosts instead");
        return Ok(draft);
    }
    if service.deployments.len() > 1 {
        let mend = "wait until it has ended: its tasks would be of two versions";
        draft.refuse(&label, "a deployment of it is under way", mend);
    }
    if service.running < service.desired {
        draft.warn(format!(
            "{label} lacks {} already: what keeps those away may keep the new ones away",
            count((service.desired - service.running) as usize, "task")
        ));
    }
    room(desk, row, more, intent, &mut draft).await?;
    connections(desk, row, more, intent, &mut draft);
    draft.warn(format!(
        "ECS names its tasks itself: {} not used as {}",
        intent.targets.join(", ") + if more == 1 { " is" } else { " are" },
        if more == 1 { "an id" } else { "ids" }
    ));
    draft.hold(&row.scope, "service", service.arn.as_str(), Grip::Alone);
    let mut lane = scale::of_service(row, desired);
    lane.steps.extend(service.target_groups.iter().map(|(group, ..)| {
        let in_it = desk.fleet.targets.iter().filter(|one| one.scope == row.scope && one.it.group == *group);
        let healthy = in_it.filter(|one| one.it.state == TargetState::Healthy).count() as u64;
        let fact = Aspect::TargetsHealthy { target_group: group.clone() };
        let until = Condition::AtLeast { fact, count: healthy + u64::from(more) };
        Step {
            title: format!("wait until {} more are healthy in {}", more, short(group)),
            go: wait(until, HEALTHY_S, 10),
            undo: Undo::Nothing,
            proof: Proof::NotNeeded,
            expected_s: 60,
            may_be_forced: false,
        }
    }));
    draft.lanes.push(lane);
    draft.title = format!(
        "create {} of {label}: from {} to {desired} tasks",
        count(more as usize, "replica"),
        service.desired
    );
    Ok(draft)
}

/// Whether the hosts of its cluster have room.
async fn room(
    desk: &Desk<'_>,
    row: &ServiceRow,
    more: u32,
    intent: &Intent,
    draft: &mut Draft,
) -> Result<()> {
    let (service, scope) = (&*row.it, &*row.scope);
    let label = format!("{}/{}", row.cluster, service.name);
    let is_fargate = |name: &Text| name.starts_with("FARGATE");
    if service.launch_type.as_deref() == Some("FARGATE")
        || !service.providers.is_empty() && service.providers.iter().all(is_fargate)
    {
        return Ok(());
    }
    let cluster = &service.cluster;
    let Seen::Hosts(hosts) = desk.look(scope, Look::HostsOf { cluster: cluster.clone() }).await? else {
        return Ok(());
    };
    let known = desk.fleet.services.iter().filter(|one| one.scope == row.scope && one.it.cluster == *cluster);
    let of: Vec<ServiceArn> = known.map(|one| one.it.arn.clone()).collect();
    let Seen::Services(services) = desk.look(scope, Look::Services { cluster: cluster.clone(), of }).await?
    else {
        return Ok(());
    };
    let mut of: Vec<Text> = services.iter().map(|one| one.service.task_definition.clone()).collect();
    of.sort();
    of.dedup();
    let Seen::Definitions(definitions) = desk.look(scope, Look::Definitions { of }).await? else {
        return Ok(());
    };
    let here = desk.fleet.tasks.iter().filter(|one| one.scope == row.scope && one.it.cluster == *cluster);
    let tasks: Vec<Task> = here.map(|one| Task::clone(&one.it)).collect();
    let scene = Scene {
        hosts: &hosts,
        services: &services,
        tasks: &tasks,
        definitions: &definitions,
        protections: &[],
        leavings: &[],
    };
    let mine: Option<&ServiceDetail> = services.iter().find(|one| one.service.arn == service.arn);
    let blocker = match mine {
        Some(detail) => finds_room(&scene, detail, more),
        None => Some(Blocker::Unknown("it could not be looked at".to_owned())),
    };
    // Its capacity provider launches hosts by itself, as long as the group behind it may grow.
    let may_grow = |arn: &Text| {
        let group = desk.fleet.groups.iter().find(|group| group.it.arn == *arn);
        group.is_some_and(|group| group.it.desired < group.it.max)
    };
    let is_scaled = desk
        .fleet
        .clusters
        .iter()
        .filter(|one| one.it.arn == *cluster)
        .flat_map(|one| &one.it.providers)
        .filter(|provider| provider.managed_scaling && service.providers.contains(&provider.name))
        .any(|provider| provider.group_arn.as_ref().is_some_and(may_grow));
    match blocker {
        None => {}
        Some(Blocker::NoRoom { .. }) if is_scaled => {
            draft.warn(format!(
                "no host of {} has room now: its capacity provider must launch one first",
                row.cluster
            ));
        }
        Some(blocker @ Blocker::NoRoom { .. }) if !intent.options.override_verdict => {
            let mend = format!("add hosts to {} first, or say --override-verdict", row.cluster);
            draft.refuse(&label, blocker.reason(), mend);
        }
        Some(blocker) => draft.warn(format!("{label}: {}", blocker.reason())),
    }
    Ok(())
}

/// What its replicas open to the database: a pool for its own domain and one for each that it serves.
fn connections(desk: &Desk<'_>, row: &ServiceRow, more: u32, intent: &Intent, draft: &mut Draft) {
    let figures = &desk.config.capacity;
    let is_mine = |core: &&Core| service_of(desk, core).is_some_and(|mine| mine.it.arn == row.it.arn);
    let served = desk.fleet.cores.iter().filter(is_mine).map(|core| {
        let tenants = match &core.tenants {
            Known::Yes(tenants) => *tenants,
            Known::No(_) => 0,
        };
        let names = match &core.names {
            Known::Yes(names) => u32::try_from(names.len()).unwrap_or(u32::MAX),
            Known::No(_) => 0,
        };
        tenants.max(names)
    });
    let domains = served.max().unwrap_or(0).saturating_add(1);
    let each = domains.saturating_mul(figures.connections_per_domain);
    let all = each.saturating_mul(row.it.desired.saturating_add(more));
    let label = format!("{}/{}", row.cluster, row.it.name);
    draft.notes.push(format!(
        "each replica opens up to {each} connections to the database ({} of {} each), all together {all}",
        count(domains as usize, "domain"),
        figures.connections_per_domain
    ));
    match figures.max_connections {
        Some(most) if all > most && !intent.options.override_verdict => {
            let why =
                format!("its replicas would open up to {all} connections, and the database takes {most}");
            draft.refuse(
                &label,
                why,
                "make the pools smaller, raise [capacity] max_connections, or say --override-verdict",
            );
        }
        Some(most) if all > most => {
            draft.warn(format!("its replicas open up to {all} connections, and the database takes {most}"));
        }
        Some(_) => {}
        None => draft.warn(
            "how many connections its database takes is not known: say max_connections under [capacity]"
                .to_owned(),
        ),
    }
}
