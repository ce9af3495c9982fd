//! Parameters as they stand, by name and below a path. Nothing is decrypted.

use super::{PARAMETERS_PAGE, registry};
use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::translate::{fractional_moment, required, word};
use crate::model::{ParameterDetail, Text, Trouble};
use aws_sdk_ssm::types::{Parameter, ParameterType};

/// Names that one call may hold.
const NAMES: usize = 10;

/// These parameters, as far as they are there.
pub(in crate::aws) async fn look_at_parameters(
    desk: &Desk,
    names: &[Text],
) -> Result<Vec<ParameterDetail>, Trouble> {
    let parts = names.chunks(NAMES).map(<[Text]>::to_vec).collect();
    crate::aws::look::all(parts, |part: Vec<Text>| {
        Box::pin(async move {
            let part: Vec<String> = part.iter().map(ToString::to_string).collect();
            let request =
                || desk.ssm().get_parameters().set_names(Some(part.clone())).with_decryption(false).send();
            let answer = desk.call(Api::GetParameters, request).await?;
            Ok(answer.parameters.unwrap_or_default().into_iter().map(detail).collect())
        })
    })
    .await
}

/// Every parameter below a path.
pub(in crate::aws) async fn look_at_parameters_under(
    desk: &Desk,
    path: &str,
) -> Result<Vec<ParameterDetail>, Trouble> {
    let path = registry::path(path);
    let request = |token| {
        let ask = desk.ssm().get_parameters_by_path().path(&path).recursive(true).with_decryption(false);
        ask.max_results(PARAMETERS_PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::GetParametersByPath, request, |page| {
        (page.parameters.unwrap_or_default().into_iter().map(detail).collect(), page.next_token)
    });
    Ok(read.await?)
}

fn detail(raw: Parameter) -> ParameterDetail {
    let is_plain = raw.r#type == Some(ParameterType::String);
    ParameterDetail {
        name: required(raw.name),
        kind: word(raw.r#type).unwrap_or_default(),
        version: u64::try_from(raw.version).unwrap_or_default(),
        value: raw.value.filter(|_| is_plain),
        modified_at: fractional_moment(raw.last_modified_date),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    #[tokio::test]
    async fn parameters_are_asked_for_ten_a_call_and_secrets_are_dropped() {
        let fake = Fake::new(|request, _| {
            let body = if request.contains("/p/0\"") {
                r#"{"Parameters":[{"Name":"/p/0","Type":"String","Value":"{}","Version":7},
                    {"Name":"/p/1","Type":"SecureString","Value":"AQICAH","Version":1}]}"#
            } else {
                r#"{"Parameters":[],"InvalidParameters":["/p/10"]}"#
            };
            Say::Whole(200, "application/x-amz-json-1.1", body.to_owned())
        })
        .await;
        let names: Vec<Text> = (0..11).map(|n| format!("/p/{n}").into()).collect();
        let read = look_at_parameters(&fake.desk().await, &names).await.unwrap();
        assert_eq!((read[0].version, read[0].value.as_deref()), (7, Some("{}")));
        assert_eq!((read[1].kind.as_str(), read[1].value.as_deref()), ("SecureString", None));
        assert!(!format!("{read:?}").contains("{}"), "values are not for logs");
        let heard = fake.heard.lock().unwrap();
        assert_eq!(heard.len(), 2);
        assert!(heard.iter().all(|request| request.contains("\"WithDecryption\":false")));
    }
}
