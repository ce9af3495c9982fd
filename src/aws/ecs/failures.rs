//! `failures[]`: what ECS could not describe, told inside an answer that says 200.

use crate::aws::api::Api;
use crate::aws::call::{Broken, Desk};
use crate::model::TroubleKind;
use aws_sdk_ecs::types::Failure;

/// Returns what was read as it is, or broken where ECS could not tell about some of it.
pub(super) fn settle<T>(
    desk: &Desk,
    api: Api,
    read: Vec<T>,
    failures: Option<Vec<Failure>>,
) -> Result<Vec<T>, Broken<T>> {
    match sentence(&failures.unwrap_or_default()) {
        None => Ok(read),
        Some(said) => Err(Broken { read, trouble: desk.trouble(api, TroubleKind::Other, said) }),
    }
}

/// Returns one sentence about what failed. `MISSING` is none: between the list and its description
/// things end.
fn sentence(failures: &[Failure]) -> Option<String> {
    let failed: Vec<_> = failures.iter().filter(|failure| failure.reason() != Some("MISSING")).collect();
    let first = failed.first()?;
    let what = first.arn().unwrap_or("something without a name");
    let why = first.reason().unwrap_or("no reason given");
    let detail = first.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let others = match failed.len() - 1 {
        0 => String::new(),
        more => format!(", and about {more} more"),
    };
    Some(format!("ECS could not tell about {what}: {why}{detail}{others}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(arn: &str, reason: &str) -> Failure {
        Failure::builder().arn(arn).reason(reason).build()
    }

    #[test]
    fn what_ended_since_the_list_is_no_trouble() {
        assert_eq!(sentence(&[failure("arn:t", "MISSING")]), None);
        assert_eq!(sentence(&[]), None);
    }

    #[test]
    fn any_other_reason_is_told_with_the_first_name() {
        let said = sentence(&[
            failure("arn:gone", "MISSING"),
            failure("arn:a", "ACCESS_DENIED"),
            failure("arn:b", "X"),
        ]);
        assert_eq!(said.as_deref(), Some("ECS could not tell about arn:a: ACCESS_DENIED, and about 1 more"));
        let bare = Failure::builder().detail("d").build();
        let said = sentence(&[bare]);
        assert_eq!(
            said.as_deref(),
            Some("ECS could not tell about something without a name: no reason given (d)")
        );
    }
}
