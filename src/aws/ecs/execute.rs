//! ECS exec: a command in a container of a task.

use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::shell::Answer;
use crate::model::{ClusterArn, Sealed, TaskArn, Trouble, TroubleKind, short_arn};
use aws_sdk_ecs::types::ContainerDefinition;
use serde_json::{Value, json};

/// Runs a command in a container of a task: where none is named, in the only one, or the one that the task is about.
pub(in crate::aws) async fn execute(
    desk: &Desk,
    cluster: &ClusterArn,
    task: &TaskArn,
    container: Option<&str>,
    command: &str,
) -> Result<(Answer, Value), Trouble> {
    let look = || desk.ecs().describe_tasks().cluster(cluster.as_str()).tasks(task.as_str()).send();
    let found = desk.call(Api::DescribeTasks, look).await?.tasks.unwrap_or_default();
    let refused = |said: String, hint: Option<&str>| {
        let mut trouble = desk.trouble(Api::ExecuteCommand, TroubleKind::Refused, said);
        trouble.hint = hint.map(str::to_owned);
        trouble
    };
    let id = short_arn(task.as_str());
    let Some(found) = found.into_iter().next() else {
        return Err(refused(format!("ECS does not know the task {id} any more"), None));
    };
    if !found.enable_execute_command {
        let hint = "enable it for the service (enableExecuteCommand) and let it start its tasks again";
        return Err(refused(format!("the task {id} was started without ECS exec"), Some(hint)));
    }
    let containers = found.containers.unwrap_or_default();
    let definition = found.task_definition_arn.as_deref().unwrap_or_default();
    let usual = match container {
        None if containers.len() > 1 => usual(desk, definition).await?,
        _ => None,
    };
    let container = container.or(usual.as_deref());
    let named = |one: &&aws_sdk_ecs::types::Container| container.is_none_or(|name| one.name() == Some(name));
    let mine: Vec<_> = containers.iter().filter(named).collect();
    let names = || containers.iter().filter_map(|one| one.name()).collect::<Vec<_>>().join(", ");
    let one = match mine.as_slice() {
        [one] => *one,
        [] => return Err(refused(format!("the task {id} has no such container: {}", names()), None)),
        _ => {
            let hint = format!("coredeck shell task/{} --container NAME", last(task.as_str()));
            return Err(refused(format!("the task {id} has several containers: {}", names()), Some(&hint)));
        }
    };
    let name = one.name().unwrap_or_default();
    let request = || {
        let ask = desk.ecs().execute_command().cluster(cluster.as_str()).task(task.as_str());
        ask.container(name).interactive(true).command(command).send()
    };
    let answer = desk.call(Api::ExecuteCommand, request).await?;
    let session = answer.session.unwrap_or_else(|| aws_sdk_ecs::types::Session::builder().build());
    let (Some(id), Some(token), Some(url)) = (session.session_id, session.token_value, session.stream_url)
    else {
        return Err(desk.trouble(Api::ExecuteCommand, TroubleKind::Garbled, "the answer opens no session"));
    };
    let sealed = json!({ "SessionId": id, "TokenValue": token, "StreamUrl": url }).to_string();
    let runtime = one.runtime_id().unwrap_or_default();
    let (cluster, task) = (last(cluster.as_str()), last(task.as_str()));
    let asked = json!({ "Target": format!("ecs:{cluster}_{task}_{runtime}") });
    Ok((Answer { id: id.into(), sealed: Sealed::new(sealed) }, asked))
}

/// The container of a task that is meant where nobody says which: the others are beside it.
async fn usual(desk: &Desk, definition: &str) -> Result<Option<String>, Trouble> {
    let look = || desk.ecs().describe_task_definition().task_definition(definition).send();
    let found = desk.call(Api::DescribeTaskDefinition, look).await?.task_definition;
    Ok(found.and_then(|found| meant(found.container_definitions()).map(str::to_owned)))
}

/// The only one that the task cannot do without, or the only core among those.
fn meant(all: &[ContainerDefinition]) -> Option<&str> {
    let essential: Vec<_> = all.iter().filter(|one| one.essential() != Some(false)).collect();
    let is_core =
        |one: &&&ContainerDefinition| one.image().is_some_and(|image| image.contains("supertokens"));
    let cores: Vec<_> = essential.iter().filter(is_core).copied().collect();
    match (essential.as_slice(), cores.as_slice()) {
        ([one], _) | (_, [one]) => one.name(),
        _ => None,
    }
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_that_a_task_is_about_is_meant_and_nothing_is_guessed() {
        let one = |name: &str, image: &str, essential: Option<bool>| {
            ContainerDefinition::builder().name(name).image(image).set_essential(essential).build()
        };
        let core = || one("auth", "registry/supertokens/supertokens-postgresql:9.2", None);
        let proxy = |essential| one("proxy", "envoyproxy/envoy:v1", essential);
        assert_eq!(meant(&[proxy(Some(false)), core()]), Some("auth"), "the other may end");
        assert_eq!(meant(&[proxy(None), core()]), Some("auth"), "the core of two that may not");
        assert_eq!(meant(&[proxy(None), one("api", "api:1", Some(true))]), None);
        assert_eq!(meant(&[core(), core()]), None);
        assert_eq!(meant(&[]), None);
    }
}
