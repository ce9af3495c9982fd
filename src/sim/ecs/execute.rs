//! ECS exec: a session with a container of a task.

use super::{cluster, invalid, tail};
use crate::sim::channel::{Leads, Target};
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::ssm::LATEST_AGENT;
use crate::sim::world::containers::Task;
use crate::sim::world::place::Place;
use std::sync::Arc;

/// Whether a task was started with ECS exec: those of cores were.
pub(super) fn is_enabled(place: &Place, task: &Task) -> bool {
    place.definitions.get(&task.definition).is_some_and(|found| found.image.starts_with("supertokens/"))
}

/// ExecuteCommand.
pub(super) fn execute(call: &Call, place: &mut Place) -> Answer {
    if call.input.text("command").is_none() {
        return Err(invalid("command is required."));
    }
    let found = cluster(call, place)?;
    let name = call.input.text("task").map(tail).unwrap_or_default();
    let Some(task) = found.tasks.get(name).filter(|task| task.status == "RUNNING") else {
        return Err(invalid("The referenced task was not found."));
    };
    if !call.input.flag("interactive") {
        return Err(invalid("Interactive is the only mode supported currently."));
    }
    if !is_enabled(place, task) {
        return Err(invalid(
            "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn\u{2019}t running. Wait and try again or run a new task with execute command enabled and try again.",
        ));
    }
    let (task, cluster) = (task.clone(), found.name.clone());
    let arn = place.arn("ecs", &format!("task/{cluster}/{}", task.id));
    let home = place.arn("ecs", &format!("cluster/{cluster}"));
    let container =
        place.definitions.get(&task.definition).map(|one| one.container.clone()).unwrap_or_default();
    let id = format!("ecs-execute-command-{}", place.dice.hex(17));
    let token = format!("AAEAA{}", place.dice.secret(120));
    let target = Target {
        account: Arc::clone(&place.account),
        region: place.region,
        instance: String::new(),
        agent: LATEST_AGENT,
    };
    let url = call.world.channels.open(&id, &token, target, Leads::Shell { inside: true });
    let session = Fields::new().with("sessionId", id).with("streamUrl", url).with("tokenValue", token);
    Ok(Fields::new()
        .with("clusterArn", home)
        .with("containerArn", format!("{}/1", arn.replace(":task/", ":container/")))
        .with("containerName", container)
        .with("interactive", true)
        .with("session", session)
        .with("taskArn", arn)
        .into())
}
