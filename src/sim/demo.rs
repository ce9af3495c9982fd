//! The demo fleet: the founding one, with trouble to find.
//!
//! Development cores packed on t3.small, a production core on its own t2.micro for each customer, two shared
//! t3.large hosts full of tenants, an API on ECS over a mixed group behind a load balancer, arm64 workers;
//! and what goes wrong in such a fleet: an old AMI, spent credits, silent agents, a service that can never
//! deploy, a target that fails, protected instances before a refresh, a rule that points nowhere, a host with
//! room and one that is overfull. Ages are relative to the start.

mod api;
mod builder;
mod cells;
mod containers;
mod docker;
mod names;
mod watch;
mod workers;

use self::builder::Builder;
use super::time::Moment;
use super::world::place::Place;
use std::sync::Arc;

/// Builds the demo fleet of one account in one region, grown to at least so many instances.
pub(crate) fn place(
    seed: u64,
    account: &Arc<str>,
    region: &'static str,
    now: Moment,
    instances: Option<usize>,
) -> Place {
    let mut fleet = Builder::new(Place::empty(seed, account, region), now, seed);
    let images = fleet.standard_images();
    let balancers = docker::balancers(&mut fleet);
    docker::development(&mut fleet, &images);
    docker::production(&mut fleet, &images, &balancers);
    docker::shared(&mut fleet, &images, &balancers);
    docker::legacy(&mut fleet, &images);
    api::api(&mut fleet, &images, &balancers);
    workers::workers(&mut fleet, &images);
    cells::grow(&mut fleet, &images, instances.unwrap_or(0));
    watch::alarms(&mut fleet);
    watch::logs(&mut fleet);
    fleet.place.wake(now);
    fleet.place
}
