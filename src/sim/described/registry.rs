//! The registry, alarms, log groups and parameters of a described fleet.

use super::build::{Built, seconds};
use super::{Alarm, Fleet, Watched};
use crate::sim::builder::{Builder, DAY};
use crate::sim::world::keeping;
use compact_str::CompactString;

pub(super) fn cores(place: &mut Builder, built: &Built, fleet: &Fleet) {
    for cores in &fleet.cores {
        for n in 0..cores.count {
            let host = built.machines.get(&cores.host.text(n)).and_then(|ids| ids.first());
            let host = host.cloned().unwrap_or_default();
            place.core(&cores.id.text(n), &cores.tier, &host, cores.port, &cores.version, seconds(cores.age));
        }
    }
}

pub(super) fn tenants(place: &mut Builder, fleet: &Fleet) {
    for tenants in &fleet.tenants {
        for n in 0..tenants.count {
            let domain = tenants.domain.as_ref().map(|domain| domain.text(n));
            place.tenant(
                &tenants.id.text(n),
                &tenants.name.text(n),
                &tenants.core.text(n),
                domain.as_deref(),
                &tenants.mode,
                seconds(tenants.age),
            );
        }
    }
}

pub(super) fn alarms(place: &mut Builder, built: &Built, fleet: &Fleet) {
    for alarms in &fleet.alarms {
        for n in 0..alarms.count {
            let alarm = keeping::Alarm {
                name: alarms.name.text(n).into(),
                description: CompactString::default(),
                watch: alarms.watch.clone(),
                dimensions: dimensions(built, alarms, n),
                // CloudWatch says so of every new alarm, and looks at it within the minute.
                state: "INSUFFICIENT_DATA",
                reason: "Unchecked: Initial alarm creation".to_owned(),
                since: place.now,
                updated: place.ago(30 * DAY),
                actions_enabled: true,
            };
            place.place.alarms.insert(alarm.name.clone(), alarm);
        }
    }
}

fn dimensions(built: &Built, alarms: &Alarm, n: usize) -> Vec<(&'static str, CompactString)> {
    match &alarms.watched {
        Watched::Instance(named) => {
            let ids = built.machines.get(&named.text(n)).into_iter().flatten();
            ids.take(1).map(|id| ("InstanceId", id.clone())).collect()
        }
        Watched::Group(named) => vec![("AutoScalingGroupName", named.text(n).into())],
        Watched::Service(cluster, service) => {
            vec![("ClusterName", cluster.text(n).into()), ("ServiceName", service.text(n).into())]
        }
        Watched::Balancer(named) => {
            let arn = built.balancers.get(&named.text(n)).map(|(arn, _)| arn.as_str()).unwrap_or_default();
            let tail = arn.split_once(":loadbalancer/").map(|(_, tail)| tail).unwrap_or_default();
            vec![("LoadBalancer", tail.into())]
        }
        Watched::Nothing => Vec::new(),
    }
}

pub(super) fn logs(place: &mut Builder, fleet: &Fleet) {
    for logs in &fleet.logs {
        for n in 0..logs.count {
            let name = CompactString::from(logs.name.text(n));
            let group = keeping::LogGroup {
                name: name.clone(),
                created: place.ago(300 * DAY),
                days: logs.days,
                bytes_a_day: 310_000_000,
            };
            place.place.logs.insert(name, group);
        }
    }
}

pub(super) fn parameters(place: &mut Builder, fleet: &Fleet) {
    for parameters in &fleet.parameters {
        let kind = if parameters.is_secret { "SecureString" } else { "String" };
        for n in 0..parameters.count {
            place.parameter(parameters.name.text(n), kind, parameters.value.text(n), DAY);
        }
    }
}
