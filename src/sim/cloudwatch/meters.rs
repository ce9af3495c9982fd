//! What can be measured: instances, groups, clusters, services, load balancers, and the samples of each.
//!
//! A sample is what one thing sent in one minute (or five). Statistics are made of samples, so a figure over
//! a group is made of those of its members.

use crate::sim::dice::{hash, mix};
use crate::sim::time::Moment;
use crate::sim::world::balancing::{Act, Target, TargetGroup};
use crate::sim::world::containers::Cluster;
use crate::sim::world::crowd::{THREADS, service};
use crate::sim::world::machine::{Flaw, Instance, State};
use crate::sim::world::place::Place;
use std::collections::HashMap;

/// The metrics of each kind of thing, with their units.
pub(crate) const EC2: &[(&str, &str)] = &[
    ("CPUUtilization", "Percent"),
    ("NetworkIn", "Bytes"),
    ("NetworkOut", "Bytes"),
    ("NetworkPacketsIn", "Count"),
    ("NetworkPacketsOut", "Count"),
    ("StatusCheckFailed", "Count"),
    ("StatusCheckFailed_Instance", "Count"),
    ("StatusCheckFailed_System", "Count"),
    ("CPUCreditBalance", "Count"),
    ("CPUCreditUsage", "Count"),
];
pub(crate) const GROUP: &[(&str, &str)] = &[
    ("GroupMinSize", "None"),
    ("GroupMaxSize", "None"),
    ("GroupDesiredCapacity", "None"),
    ("GroupInServiceInstances", "None"),
    ("GroupPendingInstances", "None"),
    ("GroupStandbyInstances", "None"),
    ("GroupTerminatingInstances", "None"),
    ("GroupTotalInstances", "None"),
];
pub(crate) const CLUSTER: &[(&str, &str)] = &[
    ("CPUUtilization", "Percent"),
    ("MemoryUtilization", "Percent"),
    ("CPUReservation", "Percent"),
    ("MemoryReservation", "Percent"),
];
pub(crate) const SERVICE: &[(&str, &str)] =
    &[("CPUUtilization", "Percent"), ("MemoryUtilization", "Percent")];
pub(crate) const BALANCER: &[(&str, &str)] = &[
    ("RequestCount", "Count"),
    ("TargetResponseTime", "Seconds"),
    ("HTTPCode_Target_2XX_Count", "Count"),
    ("HTTPCode_Target_5XX_Count", "Count"),
];
pub(crate) const TARGETS: &[(&str, &str)] = &[
    ("RequestCount", "Count"),
    ("TargetResponseTime", "Seconds"),
    ("HTTPCode_Target_2XX_Count", "Count"),
    ("HTTPCode_Target_5XX_Count", "Count"),
    ("HealthyHostCount", "Count"),
    ("UnHealthyHostCount", "Count"),
];

/// Bytes of a request: what the traffic of a host is counted in requests with.
const REQUEST: f64 = 1_500.0;

/// Something that sends metrics.
pub(crate) enum Meter<'p> {
    Instances(Vec<&'p Instance>),
    /// The name of a group whose sizes are kept.
    Sizes(&'p str),
    /// Hosts with the units that tasks hold of them, and of which tasks.
    Cluster(Vec<(&'p Instance, u32, u32)>),
    /// Tasks: their host, what all tasks hold of it, and a number of their own.
    Tasks(Vec<(&'p Instance, u32, u64)>),
    /// Target groups, and whether their sizes may be asked for.
    Targets(Vec<&'p TargetGroup>, bool),
}

impl<'p> Meter<'p> {
    /// What a namespace and dimensions mean; none where nothing sends such metrics.
    pub(crate) fn find(place: &'p Place, namespace: &str, dimensions: &[(&str, &str)]) -> Option<Self> {
        let mut sorted = dimensions.to_vec();
        sorted.sort_unstable();
        match (namespace, sorted.as_slice()) {
            ("AWS/EC2", [("InstanceId", id)]) => Some(Self::Instances(vec![place.instances.get(id)?])),
            ("AWS/EC2", [("AutoScalingGroupName", name)]) => {
                let members = place.groups.get(name)?.members.iter();
                Some(Self::Instances(
                    members.filter_map(|member| place.instances.get(&member.instance)).collect(),
                ))
            }
            ("AWS/AutoScaling", [("AutoScalingGroupName", name)]) => {
                Some(Self::Sizes(&place.groups.get(name)?.name))
            }
            ("AWS/ECS", [("ClusterName", name)]) => {
                let cluster = place.clusters.get(name)?;
                let held = cluster.holdings(&place.definitions);
                let hosts = cluster.hosts.rows().filter_map(|host| {
                    let instance = place.instances.get(&host.instance)?;
                    let (cpu, memory) =
                        held.get(host.id.as_str()).map_or((0, 0), |held| (held.cpu, held.memory));
                    Some((instance, cpu, memory))
                });
                Some(Self::Cluster(hosts.collect()))
            }
            ("AWS/ECS", [("ClusterName", name), ("ServiceName", service)]) => {
                let cluster = place.clusters.get(name)?;
                cluster.services.get(service)?;
                Some(Self::Tasks(tasks(place, cluster, service)))
            }
            ("AWS/ApplicationELB", [("LoadBalancer", tail)]) => {
                Some(Self::Targets(behind(place, tail)?, false))
            }
            ("AWS/ApplicationELB", [("LoadBalancer", tail), ("TargetGroup", group)]) => {
                let behind = behind(place, tail)?;
                let one = behind.into_iter().find(|found| target_tail(&found.arn) == *group)?;
                Some(Self::Targets(vec![one], true))
            }
            _ => None,
        }
    }

    /// Seconds between two samples of a metric: an instance without detailed monitoring sends every five
    /// minutes, credits always come so.
    pub(crate) fn sample_seconds(&self, metric: &str) -> i64 {
        match self {
            Self::Instances(all) => {
                let is_detailed = all.iter().any(|instance| instance.is_monitored);
                if is_detailed && !metric.starts_with("CPUCredit") { 60 } else { 300 }
            }
            _ => 60,
        }
    }

    /// Adds what was sent of a metric in the sample that begins then and takes so many seconds.
    pub(crate) fn samples(
        &self,
        place: &Place,
        metric: &str,
        at: Moment,
        seconds: i64,
        now: Moment,
        out: &mut Vec<f64>,
    ) {
        let end = at.plus(seconds);
        if end > now {
            return;
        }
        match self {
            Self::Instances(all) => {
                let there = all.iter().filter(|instance| runs(instance, at, end));
                out.extend(there.filter_map(|instance| ec2(instance, metric, at, seconds)));
            }
            Self::Sizes(name) => {
                let nth = GROUP.iter().position(|(known, _)| *known == metric);
                let kept = place.gauges.group(name, at);
                out.extend(nth.zip(kept).and_then(|(nth, sizes)| sizes.get(nth).copied()).map(f64::from));
            }
            Self::Cluster(hosts) => {
                let there: Vec<_> = hosts.iter().filter(|(host, _, _)| runs(host, at, end)).collect();
                out.extend(cluster(&there, metric, at));
            }
            Self::Tasks(all) => {
                for (host, held, own) in all.iter().filter(|(host, _, _)| runs(host, at, end)) {
                    out.extend(task(host, *held, *own, metric, at));
                }
            }
            Self::Targets(groups, has_sizes) => match metric {
                "HealthyHostCount" | "UnHealthyHostCount" if *has_sizes => {
                    let nth = usize::from(metric == "UnHealthyHostCount");
                    for group in groups {
                        let kept = place.gauges.targets(&group.arn, at);
                        out.extend(kept.and_then(|sizes| sizes.get(nth).copied()).map(f64::from));
                    }
                }
                _ => out.extend(traffic(place, groups, metric, at)),
            },
        }
    }
}

/// The unit of a metric.
pub(crate) fn unit(namespace: &str, metric: &str) -> &'static str {
    let table = match namespace {
        "AWS/EC2" => EC2,
        "AWS/AutoScaling" => GROUP,
        "AWS/ECS" => CLUSTER,
        _ => TARGETS,
    };
    table.iter().find(|(known, _)| *known == metric).map_or("None", |(_, unit)| *unit)
}

/// What CloudWatch calls a target group.
pub(crate) fn target_tail(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, tail)| tail)
}

/// What CloudWatch calls a load balancer.
pub(crate) fn balancer_tail(arn: &str) -> &str {
    arn.split_once(":loadbalancer/").map_or(arn, |(_, tail)| tail)
}

/// Target groups that rules of a load balancer forward to; none where there is no such load balancer.
pub(crate) fn behind<'p>(place: &'p Place, tail: &str) -> Option<Vec<&'p TargetGroup>> {
    let balancer = place.balancers.rows().find(|balancer| balancer_tail(&balancer.arn) == tail)?;
    let mut found: Vec<&TargetGroup> = Vec::new();
    for rule in place.rules.rows() {
        let is_here =
            place.listeners.get(&rule.listener).is_some_and(|listener| listener.balancer == balancer.arn);
        let Act::Forward(shares) = &rule.act else { continue };
        if !is_here {
            continue;
        }
        for group in shares.iter().filter_map(|(arn, _)| place.target_groups.get(arn)) {
            if !found.iter().any(|known| known.arn == group.arn) {
                found.push(group);
            }
        }
    }
    Some(found)
}

fn tasks<'p>(place: &'p Place, cluster: &'p Cluster, service: &str) -> Vec<(&'p Instance, u32, u64)> {
    let held = cluster.holdings(&place.definitions);
    let mine = cluster
        .tasks
        .rows()
        .filter(|task| task.service.as_deref() == Some(service) && task.status == "RUNNING");
    mine.filter_map(|task| {
        let host = cluster.hosts.get(&task.host)?;
        let units = held.get(host.id.as_str()).map_or(0, |held| held.cpu);
        Some((place.instances.get(&host.instance)?, units, hash(&task.id)))
    })
    .collect()
}

/// It ran for the whole of the sample.
fn runs(instance: &Instance, at: Moment, end: Moment) -> bool {
    instance.launched <= at && (instance.state == State::Running || end <= instance.state_since)
}

/// One sample of an instance; none for metrics that it does not have.
fn ec2(instance: &Instance, metric: &str, at: Moment, seconds: i64) -> Option<f64> {
    let load = &instance.load;
    let minutes = seconds as f64 / 60.0;
    let is_impaired = instance.impaired_since.is_some_and(|since| since <= at);
    Some(rounded(match metric {
        "CPUUtilization" => load.cpu(instance.kind, at),
        "NetworkIn" => load.network_in(at) * minutes,
        "NetworkOut" => load.network_out(at) * minutes,
        "NetworkPacketsIn" => load.network_in(at) * minutes / 700.0,
        "NetworkPacketsOut" => load.network_out(at) * minutes / 900.0,
        "CPUCreditBalance" => load.credits(instance.kind, at)?,
        "CPUCreditUsage" => {
            instance.kind.credits?;
            load.cpu(instance.kind, at) / 100.0 * f64::from(instance.kind.vcpus()) * minutes
        }
        "StatusCheckFailed" | "StatusCheckFailed_Instance" => f64::from(u8::from(is_impaired)),
        "StatusCheckFailed_System" => 0.0,
        _ => return None,
    }))
}

fn units(instance: &Instance) -> f64 {
    f64::from(instance.kind.vcpus() * 1024)
}

/// What a task uses of what it was given: its share of what its host does.
fn task(host: &Instance, held: u32, own: u64, metric: &str, at: Moment) -> Option<f64> {
    Some(rounded(match metric {
        "CPUUtilization" => host.load.cpu(host.kind, at) * units(host) / f64::from(held.max(1)),
        "MemoryUtilization" => memory(own, at),
        _ => return None,
    }))
}

/// Memory fills slowly and differs from task to task.
fn memory(own: u64, at: Moment) -> f64 {
    let quarter = u64::try_from(at.0 / 900_000).unwrap_or(0);
    let share = |seed: u64| (mix(seed) >> 11) as f64 / (1u64 << 53) as f64;
    48.0 + 22.0 * share(own) + 2.0 * share(own ^ quarter)
}

fn cluster(hosts: &[&(&Instance, u32, u32)], metric: &str, at: Moment) -> Option<f64> {
    let all: f64 = hosts.iter().map(|(host, _, _)| units(host)).sum();
    let memory_of = |host: &Instance| f64::from(host.kind.memory);
    let all_memory: f64 = hosts.iter().map(|(host, _, _)| memory_of(host)).sum();
    if all <= 0.0 {
        return None;
    }
    Some(rounded(match metric {
        "CPUUtilization" => {
            hosts.iter().map(|(host, _, _)| host.load.cpu(host.kind, at) * units(host)).sum::<f64>() / all
        }
        "MemoryUtilization" => {
            let used = hosts.iter().map(|(host, _, held)| f64::from(*held) * memory(host.load.seed, at));
            used.sum::<f64>() / all_memory
        }
        "CPUReservation" => hosts.iter().map(|(_, cpu, _)| f64::from(*cpu)).sum::<f64>() * 100.0 / all,
        "MemoryReservation" => {
            hosts.iter().map(|(_, _, held)| f64::from(*held)).sum::<f64>() * 100.0 / all_memory
        }
        _ => return None,
    }))
}

/// What targets were asked in a minute. Those that fail their checks are asked nothing; a few answers in ten
/// thousand are errors.
fn traffic(place: &Place, groups: &[&TargetGroup], metric: &str, at: Moment) -> Option<f64> {
    let (mut requests, mut errors, mut waited) = (0.0, 0.0, 0.0);
    for group in groups {
        let mut on: HashMap<&str, f64> = HashMap::new();
        for target in &group.targets {
            *on.entry(target.id.as_str()).or_default() += 1.0;
        }
        for target in group.targets.iter().filter(|target| target.health.is_well(at)) {
            let Some(host) = place.instances.get(&target.id) else { continue };
            if !runs(host, at, at.plus(60)) {
                continue;
            }
            let share = on.get(target.id.as_str()).copied().unwrap_or(1.0).max(1.0);
            let own = place.docker.get(&target.id).into_iter().flatten();
            let mut cores = own.filter(|one| one.core.is_some() && one.runs(at));
            let asked = match cores.find(|one| one.ports.iter().any(|(port, _)| *port == target.port)) {
                // What its core counts itself.
                Some(_) => {
                    let neighbours = place.neighbours(&target.id).at(at.0 / 60_000);
                    let crowds = place.crowds(&target.id, target.port);
                    let crowd: f64 = crowds.map(|crowd| crowd.requests(at, 60)).sum();
                    host.load.requests(host.kind, neighbours, at.0 / 60_000) as f64 + crowd.round()
                }
                None => (host.load.network_in(at) / REQUEST / share).floor(),
            };
            let minute = u64::try_from(at.0 / 60_000).unwrap_or(0);
            let chance = (mix(host.load.seed ^ mix(minute ^ u64::from(target.port))) >> 11) as f64;
            let chance = chance / (1u64 << 53) as f64;
            let is_faulty = place.images.get(&host.image).and_then(|image| image.flaw) == Some(Flaw::Errors);
            let share = if is_faulty { 0.3 } else { 0.000_5 };
            requests += asked;
            errors += (asked * share * (0.5 + chance)).round();
            waited += asked * (service(&host.load, host.kind, at) + queued(place, target, at));
        }
    }
    match metric {
        "RequestCount" => Some(requests),
        "HTTPCode_Target_2XX_Count" if requests > errors => Some(requests - errors),
        "HTTPCode_Target_5XX_Count" if errors > 0.0 => Some(errors),
        "TargetResponseTime" if requests > 0.0 => Some(rounded(waited / requests)),
        _ => None,
    }
}

/// Seconds that a request to a target waits for a thread, in a minute in the middle.
fn queued(place: &Place, target: &Target, at: Moment) -> f64 {
    if place.crowds(&target.id, target.port).next().is_none() {
        return 0.0;
    }
    let core = place.core_at(&target.id, target.port, at);
    let threads = core.as_ref().and_then(|core| core.variable("MAX_SERVER_POOL_SIZE")?.parse().ok());
    let looks = (0..60).step_by(5).map(|second| at.plus(second));
    let all: Vec<f64> =
        looks.map(|at| place.queue(&target.id, target.port, threads.unwrap_or(THREADS), at)).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

fn rounded(figure: f64) -> f64 {
    (figure * 1e6).round() / 1e6
}
