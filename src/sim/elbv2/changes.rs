//! What changes targets.

use super::{absent, not_found};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::balancing::{Health, Target};
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// The targets that a call names, with their ports.
fn targets(call: &Call, place: &Place, arn: &str) -> Result<Vec<(CompactString, u16)>, Fault> {
    let group =
        place.target_groups.get(arn).ok_or_else(|| not_found("TargetGroupNotFound", "Target groups", arn))?;
    let rows = call.input.list("Targets");
    if rows.is_empty() {
        return Err(Fault::new("ValidationError", "At least one target must be named"));
    }
    rows.into_iter()
        .map(|row| {
            let sent = row.number("Port").ok().flatten().unwrap_or(i64::from(group.port));
            let port = u16::try_from(sent)
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| Fault::new("ValidationError", format!("Port '{sent}' is out of range")))?;
            let id = row.text("Id").ok_or_else(|| absent("targets.member.id"))?;
            Ok((CompactString::from(id), port))
        })
        .collect()
}

/// RegisterTargets: instances that run.
pub(super) fn register(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    let targets = targets(call, place, arn)?;
    for (id, _) in &targets {
        match place.instances.get(id).map(|instance| instance.state) {
            Some(State::Running) => {}
            Some(_) => {
                let sentence = format!(
                    "The following targets are not in a running state and cannot be registered: '{id}'"
                );
                return Err(Fault::new("InvalidTarget", sentence));
            }
            None => return Err(Fault::new("InvalidTarget", format!("Instance ID '{id}' is not valid"))),
        }
    }
    for (id, port) in targets {
        let Some(group) = place.target_groups.get_mut(arn) else { continue };
        let health = Health::Initial(call.now.plus(i64::from(group.interval) * 2));
        match group.targets.iter_mut().find(|target| target.id == id && target.port == port) {
            Some(known) if matches!(known.health, Health::Draining(_)) => known.health = health,
            Some(_) => {}
            None => group.targets.push(Target { id, port, health }),
        }
    }
    Ok(Fields::new().into())
}

/// DeregisterTargets: unknown ones are no error. Nothing is waited for where no load balancer uses the group.
pub(super) fn deregister(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    let is_used = !super::users(place, arn).is_empty();
    for (id, port) in targets(call, place, arn)? {
        if is_used {
            place.drain_target(arn, &id, port);
        } else if let Some(group) = place.target_groups.get_mut(arn) {
            group.targets.retain(|target| target.id != id || target.port != port);
        }
    }
    Ok(Fields::new().into())
}
