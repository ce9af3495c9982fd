//! What moves targets in and out of target groups. AWS answers both with nothing.

use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Pen, inked};
use crate::gateway::Change;
use crate::gateway::change::{Answered, TargetRef};
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;

/// Carries out a change of Elastic Load Balancing.
pub(in crate::aws) async fn change(pen: &Pen<'_>, change: &Change) -> Result<Done, Stop> {
    let elb = pen.desk().elb();
    match change {
        Change::Deregister { target_group, targets } => {
            let request = || {
                let ask = elb.deregister_targets().target_group_arn(target_group.as_str());
                inked!(pen, aws_sdk_elasticloadbalancingv2, ask.set_targets(Some(named(targets))))
            };
            pen.put(Api::DeregisterTargets, request).await?;
        }
        Change::Register { target_group, targets } => {
            let request = || {
                let ask = elb.register_targets().target_group_arn(target_group.as_str());
                inked!(pen, aws_sdk_elasticloadbalancingv2, ask.set_targets(Some(named(targets))))
            };
            pen.put(Api::RegisterTargets, request).await?;
        }
        other => return Err(pen.elsewhere(other)),
    }
    Ok(Answered::Yes.into())
}

fn named(targets: &[TargetRef]) -> Vec<TargetDescription> {
    let one = |target: &TargetRef| {
        TargetDescription::builder()
            .id(target.id.as_str())
            .set_port(target.port.map(i32::from))
            .set_availability_zone(target.zone.as_ref().map(ToString::to_string))
            .build()
    };
    targets.iter().map(one).collect()
}
