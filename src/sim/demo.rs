//! The demo fleet: the founding one, with trouble to find.
//!
//! Development cores packed on t3.small, a production core on its own t2.micro for each customer, two shared
//! t3.large hosts full of tenants, an API on ECS over a mixed group behind a load balancer, arm64 workers;
//! and what goes wrong in such a fleet: an old AMI, spent credits, silent agents, a service that can never
//! deploy, a target that fails, protected instances before a refresh, a rule that points nowhere, a host with
//! room and one that is overfull. Ages are relative to the start.

mod api;
mod cells;
mod docker;
mod hosted;
mod names;
mod watch;
mod workers;

use super::builder::Builder;

/// Adds the demo fleet to a place.
pub(super) fn fill(fleet: &mut Builder) {
    let images = fleet.standard_images();
    let balancers = docker::balancers(fleet);
    docker::development(fleet, &images);
    docker::production(fleet, &images, &balancers);
    docker::shared(fleet, &images, &balancers);
    docker::legacy(fleet, &images);
    api::api(fleet, &images, &balancers);
    workers::workers(fleet, &images);
    watch::alarms(fleet);
    watch::logs(fleet);
    hosted::zones(fleet);
    docker::production_template(fleet, &images);
}

/// Grows a place to at least so many instances.
pub(super) fn grow(fleet: &mut Builder, instances: usize) {
    let images = fleet.standard_images();
    cells::grow(fleet, &images, instances);
    watch::logs(fleet);
}
