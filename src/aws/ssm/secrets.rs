//! Secrets of the Parameter Store by name, decrypted into what cannot be printed.

use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::gateway::GatewayError;
use crate::model::{Sealed, Text};
use aws_sdk_ssm::types::ParameterType;
use std::collections::BTreeMap;

/// Names that one call may hold.
const NAMES: usize = 10;

/// The values of these SecureStrings. What is none, or not there, is missing.
pub(in crate::aws) async fn secrets(
    desk: &Desk,
    names: &[Text],
) -> Result<BTreeMap<Text, Sealed>, GatewayError> {
    let mut found = BTreeMap::new();
    for some in names.chunks(NAMES) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let request =
            || desk.ssm().get_parameters().set_names(Some(some.clone())).with_decryption(true).send();
        let answer = desk.call(Api::GetParameters, request).await?;
        for parameter in answer.parameters.unwrap_or_default() {
            // A key that somebody put down as plain text is not used: it would be taken for safe.
            if parameter.r#type == Some(ParameterType::SecureString)
                && let (Some(name), Some(value)) = (parameter.name, parameter.value)
            {
                found.insert(Text::new(&name), Sealed::new(value));
            }
        }
    }
    Ok(found)
}
