//! Secrets of the Parameter Store by name, decrypted into what cannot be printed.

use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::gateway::GatewayError;
use crate::model::{Sealed, Text, Trouble, TroubleKind};
use aws_sdk_ssm::types::ParameterType;
use std::collections::BTreeMap;

/// Names that one call may hold.
const NAMES: usize = 10;

/// Says that no core may be asked.
pub(in crate::aws) fn not_asked(desk: &Desk) -> Trouble {
    let said = "the configuration lets no core be asked";
    let trouble = desk.trouble(Api::GetParameters, TroubleKind::Refused, said);
    Trouble { hint: Some("set reach = \"direct\" under [cores]; see docs/cores.md".to_owned()), ..trouble }
}

/// The values of these SecureStrings, by the names that they were asked by: `NAME` or `NAME:VERSION`. What is none, or
/// not there, is missing.
pub(in crate::aws) async fn secrets(
    desk: &Desk,
    names: &[Text],
) -> Result<BTreeMap<Text, Sealed>, GatewayError> {
    let mut found = BTreeMap::new();
    for some in calls(names) {
        let wanted: Vec<String> = some.iter().map(ToString::to_string).collect();
        let request =
            || desk.ssm().get_parameters().set_names(Some(wanted.clone())).with_decryption(true).send();
        let answer = desk.call(Api::GetParameters, request).await?;
        for parameter in answer.parameters.unwrap_or_default() {
            // A key that somebody put down as plain text is not used: it would be taken for safe.
            if parameter.r#type == Some(ParameterType::SecureString)
                && let (Some(name), Some(value)) = (parameter.name, parameter.value)
                && let Some(asked) = some.iter().find(|asked| bare(asked) == name)
            {
                found.insert((*asked).clone(), Sealed::new(value));
            }
        }
    }
    Ok(found)
}

/// A name without its version.
fn bare(name: &str) -> &str {
    name.split_once(':').map_or(name, |(name, _)| name)
}

/// Names put into calls: so many at most, and each parameter once, since an answer does not tell two of its versions
/// apart by name.
fn calls(names: &[Text]) -> Vec<Vec<&Text>> {
    let mut calls: Vec<Vec<&Text>> = Vec::new();
    for name in names {
        let fits =
            |call: &&mut Vec<&Text>| call.len() < NAMES && call.iter().all(|other| bare(other) != bare(name));
        match calls.iter_mut().find(fits) {
            Some(call) => call.push(name),
            None => calls.push(vec![name]),
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_parameter_are_asked_for_by_calls_of_their_own() {
        let names: Vec<Text> = ["/a:1", "/b", "/a:2", "/c:7"].map(Text::new).to_vec();
        let calls = calls(&names);
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["/a:1", "/b", "/c:7"]);
        let many: Vec<Text> = (0..25).map(|n| Text::new(format!("/p/{n}"))).collect();
        assert_eq!(super::calls(&many).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    }
}
