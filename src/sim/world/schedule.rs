//! The ECS service scheduler.

/// What ECS says of a service whose limits forbid every step.
pub(crate) fn stuck_line(service: &str) -> String {
    format!(
        "(service {service}) was unable to stop or start tasks during a deployment because of the service \
         deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
}
