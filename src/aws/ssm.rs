//! Systems Manager: managed instances, and the registry of cores and tenants in Parameter Store.

mod agents;
mod change;
mod look;
mod parameters;
mod published;
mod registry;
mod secrets;

pub(super) use change::{change, seal};
pub(super) use look::{
    look_at_commands, look_at_document, look_at_invocation, look_at_invocations, look_at_outcomes,
};
pub(super) use parameters::{look_at_parameters, look_at_parameters_under};
pub(super) use published::{look_at_published, published};
pub(super) use secrets::{not_asked, secrets};

use self::registry::Entry;
use super::api::Api;
use super::call::{Broken, Desk, Pages};
use crate::gateway::{GatewayError, Reading};
use crate::model::{Agent, InstanceId, Trouble};
use aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput;
use aws_sdk_ssm::types::InstanceInformationStringFilter;
use futures::future::join_all;
use std::sync::{Mutex, PoisonError};

/// The longest page of managed instances.
const AGENTS_PAGE: i32 = 50;

/// The longest page of parameters.
const PARAMETERS_PAGE: i32 = 10;

/// Every managed instance.
pub(super) async fn agents(desk: &Desk, pages: &Pages) -> Result<Vec<Agent>, GatewayError> {
    let request = |token| {
        desk.ssm().describe_instance_information().max_results(AGENTS_PAGE).set_next_token(token).send()
    };
    desk.pages_shown(
        Api::DescribeInstanceInformation,
        request,
        |page| {
            let agents = page.instance_information_list.unwrap_or_default();
            (agents.into_iter().map(agents::agent).collect(), page.next_token)
        },
        pages,
        Reading::Agents,
    )
    .await
    .map_err(|broken| broken.partial(Reading::Agents))
}

/// What Systems Manager says of the agents of these instances; those that it never heard of are left out.
pub(super) async fn look_at_agents(desk: &Desk, of: &[InstanceId]) -> Result<Vec<Agent>, Trouble> {
    let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
    let filter = InstanceInformationStringFilter::builder().key("InstanceIds").set_values(Some(ids)).build();
    let Ok(filter) = filter else { return Ok(Vec::new()) };
    let request = |token| {
        let ask = desk.ssm().describe_instance_information().filters(filter.clone());
        ask.max_results(AGENTS_PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::DescribeInstanceInformation, request, |page| {
        let agents = page.instance_information_list.unwrap_or_default();
        (agents.into_iter().map(agents::agent).collect(), page.next_token)
    });
    Ok(read.await?)
}

/// Cores and tenants under this path, `/coredeck/<fleet>/`; always a `Reading::Registry`.
/// Nothing is decrypted.
pub(super) async fn registry(desk: &Desk, path: &str, pages: &Pages) -> Result<Reading, GatewayError> {
    let path = &registry::path(path);
    // Ten parameters are all that a page holds, and the next one has to wait for it: so they are read side by side. Secrets
    // lie beside them, as many again, and are not even listed.
    let so_far: &Mutex<[Vec<Entry>; 3]> = &Mutex::default();
    let places = [("", false), ("/cores", true), ("/tenants", true)].into_iter().enumerate();
    let read = places.map(|(at, (below, is_deep))| async move {
        let place = &format!("{path}{below}");
        let request = |token| {
            let ask = desk.ssm().get_parameters_by_path().path(place).recursive(is_deep);
            ask.with_decryption(false).max_results(PARAMETERS_PAGE).set_next_token(token).send()
        };
        let split = |page: GetParametersByPathOutput| {
            let parameters = page.parameters.unwrap_or_default();
            (parameters.into_iter().map(|raw| registry::entry(raw, path)).collect(), page.next_token)
        };
        let shown = |read: &[Entry]| {
            pages.show(|| {
                let mut all = so_far.lock().unwrap_or_else(PoisonError::into_inner);
                all[at] = read.to_vec();
                registry::reading(all.concat())
            })
        };
        desk.follow(Api::GetParametersByPath, None, request, split, shown).await
    });
    let (mut all, mut trouble) = (Vec::new(), None);
    for part in join_all(read).await {
        match part {
            Ok(read) => all.extend(read),
            Err(Broken { read, trouble: why }) => {
                all.extend(read);
                trouble.get_or_insert(why);
            }
        }
    }
    match trouble {
        None => Ok(registry::reading(all)),
        Some(trouble) => Err(Broken { read: all, trouble }.partial(registry::reading)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::TroubleKind;

    fn json(status: u16, body: &str) -> Say {
        Say::Whole(status, "application/x-amz-json-1.1", body.to_owned())
    }

    #[tokio::test]
    async fn the_registry_is_read_to_its_end_without_decryption() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("\"NextToken\":\"two\"") => json(
                200,
                r#"{"Parameters":[{"Name":"/coredeck/main/cores/b","Type":"String","Value":"oops"}]}"#,
            ),
            text if text.contains("main/cores\"") => json(
                200,
                r#"{"Parameters":[{"Name":"/coredeck/main/cores/a","Type":"String","Value":"{\"port\":3567}"}],
                    "NextToken":"two"}"#,
            ),
            text if text.contains("main/tenants\"") => json(
                200,
                r#"{"Parameters":[{"Name":"/coredeck/main/tenants/acme","Type":"String","Value":"{}"}]}"#,
            ),
            _ => json(
                200,
                r#"{"Parameters":[{"Name":"/coredeck/main/key","Type":"SecureString","Value":"AQICAH"},
                    {"Name":"/coredeck/main/notes","Type":"String","Value":"hunter2"}]}"#,
            ),
        })
        .await;
        let read = registry(&fake.desk().await, "/coredeck/main/", &Pages::default()).await.unwrap();
        assert!(!format!("{read:?}").contains("AQICAH") && !format!("{read:?}").contains("hunter2"));
        let Reading::Registry { cores, tenants, faults } = read else { panic!() };
        assert_eq!((cores.len(), tenants.len(), faults.len()), (1, 1, 2));
        assert!(faults.iter().any(|it| it.starts_with("/coredeck/main/cores/b is not a core")), "{faults:?}");
        assert!(faults.iter().any(|it| it.starts_with("/coredeck/main/notes is neither")), "{faults:?}");
        let heard = fake.heard.lock().unwrap();
        assert_eq!(heard.len(), 4, "cores, tenants and what lies beside them are read side by side");
        for request in heard.iter() {
            assert!(request.contains("\"WithDecryption\":false"));
            // What lies deeper elsewhere are secrets: they are not listed.
            let is_deep = request.contains("\"Recursive\":true");
            assert_eq!(is_deep, !request.contains("\"Path\":\"/coredeck/main\""), "{request}");
        }
    }

    #[tokio::test]
    async fn a_registry_that_breaks_off_is_partial() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("main/cores\"") && !text.contains("NextToken") => json(
                200,
                r#"{"Parameters":[{"Name":"/coredeck/main/cores/a","Type":"String","Value":"{}"}],"NextToken":"x"}"#,
            ),
            _ => json(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#),
        })
        .await;
        let error = registry(&fake.desk().await, "/coredeck/main", &Pages::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Denied);
        assert!(
            matches!(error.partial.as_deref(), Some(Reading::Registry { cores, .. }) if cores.len() == 1)
        );
    }

    #[tokio::test]
    async fn agents_are_read_fifty_a_page() {
        let fake = Fake::new(|_, _| {
            json(200, r#"{"InstanceInformationList":[{"InstanceId":"i-1","PingStatus":"Online","LastPingDateTime":1.5}]}"#)
        })
        .await;
        let read = agents(&fake.desk().await, &Pages::default()).await.unwrap();
        assert_eq!((read[0].id.as_str(), read[0].ping.as_str()), ("i-1", "Online"));
        assert!(fake.heard.lock().unwrap()[0].contains("\"MaxResults\":50"));
    }
}
