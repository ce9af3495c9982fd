//! Images that their makers publish through parameters: what a parameter names now, and what it named before.
//!
//! Values are JSON for the families of ECS, and a plain id for Bottlerocket and for what ends in `image_id`.

use super::PARAMETERS_PAGE;
use crate::aws::api::Api;
use crate::aws::call::{Desk, Pages};
use crate::aws::fan::{self, Piece};
use crate::aws::look::all;
use crate::aws::translate::{fractional_moment, required};
use crate::gateway::{GatewayError, Reading};
use crate::model::{ImageId, Published, Text, Told, Trouble, TroubleKind};
use aws_sdk_ssm::types::{Parameter, ParameterHistory};
use futures::FutureExt as _;
use serde::Deserialize;

/// The longest page of a parameter's history.
const HISTORY_PAGE: i32 = 50;

/// The end of parameters whose value is JSON, and what is added for the id alone.
const WHOLE: &str = "/recommended";
const ALONE: &str = "/image_id";

/// These parameters with their past; those that do not exist are left out.
pub(in crate::aws) async fn published(
    desk: &Desk,
    names: &[Text],
    pages: &Pages,
) -> Result<Vec<Published>, GatewayError> {
    let chunks: Vec<Vec<Text>> = names.chunks(PARAMETERS_PAGE as usize).map(<[Text]>::to_vec).collect();
    let ask = |names: Vec<Text>| async move { some(desk, &names).await.map_err(fan::nothing) }.boxed();
    let (now, trouble) = fan::apart(fan::each(chunks, ask, fan::shown(pages, Reading::Published)).await);
    let ask = |one: Published| with_past(desk, one).boxed();
    let all = fan::each(now, ask, fan::unshown).await;
    fan::after(trouble, all).map_err(|broken| broken.partial(Reading::Published))
}

/// What these parameters name now, without their past.
pub(in crate::aws) async fn look_at_published(
    desk: &Desk,
    names: &[Text],
) -> Result<Vec<Published>, Trouble> {
    let chunks: Vec<Vec<Text>> = names.chunks(PARAMETERS_PAGE as usize).map(<[Text]>::to_vec).collect();
    let ask = |names: Vec<Text>| {
        async move {
            match some(desk, &names).await {
                // Where the whole value cannot be read the id alone may be there.
                Err(trouble) if trouble.kind == TroubleKind::Garbled => {
                    let alone = |name: &Text| match name.ends_with(WHOLE) {
                        true => Text::from(format!("{name}{ALONE}")),
                        false => name.clone(),
                    };
                    let bare: Vec<Text> = names.iter().map(alone).collect();
                    if bare == names { Err(trouble) } else { some(desk, &bare).await }
                }
                other => other,
            }
        }
        .boxed()
    };
    all(chunks, ask).await
}

async fn some(desk: &Desk, names: &[Text]) -> Result<Vec<Published>, Trouble> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let request = || desk.ssm().get_parameters().set_names(Some(names.clone())).with_decryption(false).send();
    let answer = desk.call(Api::GetParameters, request).await?;
    let all = answer.parameters.unwrap_or_default().into_iter();
    all.map(|raw| {
        let name = raw.name.clone().unwrap_or_default();
        now(raw).map_err(|why| desk.trouble(Api::GetParameters, TroubleKind::Other, format!("{name}: {why}")))
    })
    .collect()
}

/// Adds what a parameter named before. Where AWS does not say, or may not be asked, it has none.
async fn with_past(desk: &Desk, one: Published) -> Piece<Published> {
    let request = |token| {
        let ask = desk.ssm().get_parameter_history().name(one.parameter.as_str()).with_decryption(false);
        ask.max_results(HISTORY_PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::GetParameterHistory, request, |page| {
        (page.parameters.unwrap_or_default().into_iter().filter_map(before).collect(), page.next_token)
    });
    let (past, trouble): (Vec<(u64, ImageId)>, _) = fan::apart(read.await);
    let is_kept_back = |trouble: &Trouble| {
        matches!(trouble.kind, TroubleKind::Denied | TroubleKind::NotFound | TroubleKind::Refused)
    };
    let whole = Published { past: earlier(past, one.version), ..one };
    match trouble.filter(|trouble| !is_kept_back(trouble)) {
        None => Ok(vec![whole]),
        Some(trouble) => fan::settle(vec![whole], Some(trouble)),
    }
}

/// Versions before the newest, newest first.
fn earlier(mut past: Vec<(u64, ImageId)>, newest: u64) -> Vec<(u64, ImageId)> {
    past.retain(|(version, _)| *version < newest);
    past.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    past
}

fn before(raw: ParameterHistory) -> Option<(u64, ImageId)> {
    let version = u64::try_from(raw.version).ok()?;
    Some((version, told(&raw.value?).ok()?.image))
}

fn now(raw: Parameter) -> Result<Published, String> {
    Ok(Published {
        parameter: required(raw.name),
        version: u64::try_from(raw.version).unwrap_or(0),
        changed_at: fractional_moment(raw.last_modified_date),
        now: told(&raw.value.unwrap_or_default())?,
        past: Vec::new(),
    })
}

/// What a value says of an image.
fn told(value: &str) -> Result<Told, String> {
    #[derive(Deserialize)]
    struct Whole {
        image_id: String,
        image_name: Option<String>,
        image_version: Option<String>,
        ecs_agent_version: Option<String>,
        os: Option<String>,
    }
    let value = value.trim();
    let is_id = |id: &str| {
        id.strip_prefix("ami-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    let no_image = || "its value names no image: an ami-… or JSON with an image_id is wanted".to_owned();
    if is_id(value) {
        return Ok(Told { image: ImageId::new(value), ..Told::default() });
    }
    let whole: Whole = serde_json::from_str(value).map_err(|_| no_image())?;
    if !is_id(&whole.image_id) {
        return Err(no_image());
    }
    Ok(Told {
        image: ImageId::from(whole.image_id),
        name: whole.image_name.map(Text::from),
        agent: whole.ecs_agent_version.map(Text::from),
        image_version: whole.image_version.map(Text::from),
        os: whole.os.map(Text::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    #[test]
    fn a_value_is_an_id_or_json_of_which_only_the_id_must_be_there() {
        assert_eq!(told(" ami-0281c9a5cd9de63bd\n").unwrap().image.as_str(), "ami-0281c9a5cd9de63bd");
        let whole = told(
            r#"{"ecs_agent_version":"1.88.0","ecs_runtime_version":"Docker version 25.0.6",
                "image_id":"ami-1","image_name":"al2023-ami-ecs-hvm-2023.0.20241115-kernel-6.1-x86_64",
                "os":"Amazon Linux 2023","schema_version":1}"#,
        )
        .unwrap();
        assert_eq!((whole.image.as_str(), whole.agent.as_deref()), ("ami-1", Some("1.88.0")));
        assert_eq!(whole.image_version, None);
        for wrong in ["", "hello", "{}", "{\"image_id\":\"x\"}", "ami-", "[\"ami-1\"]"] {
            assert!(told(wrong).unwrap_err().contains("names no image"), "{wrong}");
        }
    }

    #[tokio::test]
    async fn the_past_is_read_newest_first_and_may_be_kept_back() {
        let json = |status, body: &str| Say::Whole(status, "application/x-amz-json-1.1", body.to_owned());
        let fake = Fake::new(move |request, _| match request {
            text if text.contains("GetParameters\"") || text.contains("AmazonSSM.GetParameters\r") => json(
                200,
                r#"{"Parameters":[{"Name":"/a","Value":"ami-3","Version":3},{"Name":"/b","Value":"ami-9","Version":9}],
                    "InvalidParameters":["/c"]}"#,
            ),
            text if text.contains("\"/a\"") => json(
                200,
                r#"{"Parameters":[{"Name":"/a","Value":"ami-1","Version":1},{"Name":"/a","Value":"ami-2","Version":2},
                    {"Name":"/a","Value":"ami-3","Version":3}]}"#,
            ),
            _ => json(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#),
        })
        .await;
        let names: Vec<Text> = ["/a", "/b", "/c"].map(Text::from).to_vec();
        let read = published(&fake.desk().await, &names, &Pages::default()).await.unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].past, [(2, "ami-2".into()), (1, "ami-1".into())]);
        assert!(read[1].past.is_empty(), "denied: how far behind is not known");
    }
}
