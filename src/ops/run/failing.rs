//! What a call that failed means for what follows, and what of a launch is denied where Auto Scaling does not say.

use super::super::event::{Event, Failure};
use super::super::launching::{Lacking, lacking};
use crate::gateway::change::{Change, Desired, LAUNCH_DENIED, WriteError};
use crate::gateway::{FleetProbe, Look, Seen};
use crate::model::{InstanceType, Scope, TroubleKind};

/// Whether a refresh that was to be stopped or turned round was over by itself since it was looked at: what follows is
/// decided by another look.
fn is_over_meanwhile(change: &Change, error: &WriteError) -> bool {
    use Change::{CancelRefresh, RollBackRefresh};
    matches!(change, CancelRefresh { .. } | RollBackRefresh { .. })
        && error.trouble().code.as_deref() == Some("ActiveInstanceRefreshNotFound")
}

/// What is recorded of a call that failed.
pub(super) fn failed(call: u64, change: &Change, error: &WriteError) -> Event {
    let trouble = error.trouble();
    let is_without_credentials = matches!(trouble.kind, TroubleKind::NoCredentials | TroubleKind::Expired);
    let how = match error {
        WriteError::Unknown(_) => Failure::Unknown,
        _ if error.is_passing() || is_without_credentials || is_over_meanwhile(change, error) => {
            Failure::Passing
        }
        _ if error.is_full() => Failure::Full,
        _ if trouble.kind == TroubleKind::Denied => Failure::Denied,
        _ => Failure::Refused,
    };
    Event::Failed {
        call,
        how,
        code: trouble.code.as_ref().map(ToString::to_string),
        request_id: trouble.request_id.as_ref().map(ToString::to_string),
        why: error.advice(),
        hint: trouble.hint.clone(),
        again_at: None,
    }
}

/// Which permission a refused refresh lacks. Auto Scaling says only that launching is denied, and means three permissions
/// of the caller; EC2, asked by a dry run of the same version, names the one.
pub(super) async fn lacks(
    probe: &dyn FleetProbe,
    scope: &Scope,
    change: &Change,
    error: &WriteError,
) -> Option<String> {
    let Change::StartRefresh { desired: Some(desired), .. } = change else { return None };
    if !error.trouble().message.starts_with(LAUNCH_DENIED) {
        return None;
    }
    let (template, instance_type) = (desired.template().clone(), first_type(desired));
    let version = template.version.clone();
    let said = |words: &str| Some(format!("a dry run of version {version} by EC2 says: {words}"));
    match probe.look(scope, &Look::Launch { template, subnet: None, instance_type }).await {
        Ok(Seen::Launch(None)) => said("it would launch now, so try again"),
        Ok(Seen::Launch(Some(trouble))) => match lacking(&trouble)? {
            Lacking::One(action, what) => said(&format!("{action} is missing, {what}")),
            Lacking::OneOf(words) => said(&format!("missing is {words}")),
        },
        // It was refused already: what EC2 could have added is not worth a trouble of its own.
        Ok(_) | Err(_) => None,
    }
}

/// The type that a mixed group is tried with: the first that is launched from the group's own template.
fn first_type(desired: &Desired) -> Option<InstanceType> {
    let Desired::Mixed { mix, .. } = desired else { return None };
    let is_own = |at: usize| mix.own.iter().any(|own| own.at == at);
    let mut types = mix.types.iter().enumerate().filter(|(at, _)| !is_own(*at));
    types.next().map(|(_, (kind, _))| kind.clone())
}
