//! ListMetrics: every metric that something here sends.

use super::meters::{BALANCER, CLUSTER, EC2, GROUP, SERVICE, TARGETS, balancer_tail, behind, target_tail};
use crate::sim::fault::Fault;
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// AWS gives 500 a page and lets nobody choose.
const PAGING: Paging = Paging {
    size: "",
    token: "NextToken",
    default: 500,
    min: 1,
    max: 500,
    bad_size: "InvalidParameterValue",
    bad_token: "InvalidParameterValue",
};

/// One metric of one thing.
struct Row {
    namespace: &'static str,
    name: &'static str,
    dimensions: Vec<(&'static str, CompactString)>,
}

/// What a caller asks for.
struct Asked<'c> {
    namespace: Option<&'c str>,
    name: Option<&'c str>,
    /// Names with values, or with any value.
    dimensions: Vec<(&'c str, Option<&'c str>)>,
}

impl Asked<'_> {
    fn admits(&self, row: &Row) -> bool {
        self.namespace.is_none_or(|namespace| namespace == row.namespace)
            && self.name.is_none_or(|name| name == row.name)
            && self.dimensions.iter().all(|(name, value)| {
                row.dimensions
                    .iter()
                    .any(|(known, found)| known == name && value.is_none_or(|value| value == found.as_str()))
            })
    }
}

/// Keys of rows: which sort of thing, which one of them, which of its metrics.
fn key(sort: u64, serial: u64, nth: usize) -> u64 {
    sort << 56 | serial << 8 | u64::try_from(nth).unwrap_or(255)
}

pub(super) fn list_metrics(call: &Call, place: &Place) -> Answer {
    let active = call.input.text("RecentlyActive");
    if active.is_some_and(|span| span != "PT3H") {
        return Err(Fault::new("InvalidParameterValue", "RecentlyActive can only be PT3H"));
    }
    let dimensions = call.input.list("Dimensions");
    if dimensions.len() > 10 {
        return Err(Fault::new("InvalidParameterValue", "At most ten dimensions can be named"));
    }
    let asked = Asked {
        namespace: call.input.text("Namespace"),
        name: call.input.text("MetricName"),
        dimensions: dimensions
            .into_iter()
            .map(|one| (one.text("Name").unwrap_or_default(), one.text("Value")))
            .collect(),
    };
    let page = PAGING.of(call)?;
    let mut rows: Vec<(u64, Row)> = Vec::new();
    for (sort, walk) in (1_u64..).zip([instances, groups, containers, balancers]) {
        // A page ends inside of a sort; those before it are over.
        if rows.len() > page.limit || page.after >> 56 > sort {
            continue;
        }
        let mut take = |serial: u64, nth: usize, row: Row| {
            let key = key(sort, serial, nth);
            if key > page.after && asked.admits(&row) {
                rows.push((key, row));
            }
            rows.len() <= page.limit
        };
        let from = if page.after >> 56 == sort { (page.after & ((1 << 56) - 1)) >> 8 } else { 0 };
        walk(place, from, active.is_some().then_some(call.now), &mut take);
    }
    let (rows, token) = page.take(call, rows.iter().map(|(key, row)| (*key, row)));
    let shapes = list(rows, |row| {
        let dimensions =
            list(&row.dimensions, |(name, value)| Fields::new().with("Name", *name).with("Value", value));
        Fields::new()
            .with("Namespace", row.namespace)
            .with("MetricName", row.name)
            .with("Dimensions", dimensions)
    });
    let none: Vec<Shape> = Vec::new();
    Ok(Fields::new()
        .with("Metrics", shapes)
        .maybe("NextToken", token)
        .with("OwningAccounts", Shape::List(none))
        .into())
}

/// Takes a row; false when there are enough.
type Take<'t> = &'t mut dyn FnMut(u64, usize, Row) -> bool;
/// The moment from which three hours are counted back, if only what is active is wanted.
type Recently = Option<crate::sim::time::Moment>;

fn instances(place: &Place, from: u64, recently: Recently, take: Take) {
    for (serial, instance) in place.instances.after(from.saturating_sub(1)) {
        let is_quiet = |now| instance.state != State::Running && instance.state_since < now;
        if recently.is_some_and(|now| is_quiet(now.minus(3 * 3600))) {
            continue;
        }
        for (nth, (name, _)) in EC2.iter().enumerate() {
            if name.starts_with("CPUCredit") && instance.kind.credits.is_none() {
                continue;
            }
            let dimensions = vec![("InstanceId", instance.id.clone())];
            if !take(serial, nth, Row { namespace: "AWS/EC2", name, dimensions }) {
                return;
            }
        }
    }
}

fn groups(place: &Place, from: u64, _: Recently, take: Take) {
    for (serial, group) in place.groups.after(from.saturating_sub(1)) {
        let scaling = GROUP.iter().map(|(name, _)| ("AWS/AutoScaling", *name));
        let members = EC2.iter().map(|(name, _)| ("AWS/EC2", *name)).filter(|_| !group.members.is_empty());
        for (nth, (namespace, name)) in scaling.chain(members).enumerate() {
            let dimensions = vec![("AutoScalingGroupName", group.name.clone())];
            if !take(serial, nth, Row { namespace, name, dimensions }) {
                return;
            }
        }
    }
}

fn containers(place: &Place, _: u64, _: Recently, take: Take) {
    // Services have serial numbers of their own in each cluster; here they are counted through.
    let mut serial = 0;
    for cluster in place.clusters.rows() {
        serial += 1;
        for (nth, (name, _)) in CLUSTER.iter().enumerate() {
            let dimensions = vec![("ClusterName", cluster.name.clone())];
            if !take(serial, nth, Row { namespace: "AWS/ECS", name, dimensions }) {
                return;
            }
        }
        for service in cluster.services.rows() {
            serial += 1;
            for (nth, (name, _)) in SERVICE.iter().enumerate() {
                let dimensions =
                    vec![("ClusterName", cluster.name.clone()), ("ServiceName", service.name.clone())];
                if !take(serial, nth, Row { namespace: "AWS/ECS", name, dimensions }) {
                    return;
                }
            }
        }
    }
}

fn balancers(place: &Place, _: u64, _: Recently, take: Take) {
    let mut serial = 0;
    for balancer in place.balancers.rows() {
        serial += 1;
        let tail = balancer_tail(&balancer.arn);
        let dimension = ("LoadBalancer", CompactString::from(tail));
        for (nth, (name, _)) in BALANCER.iter().enumerate() {
            let dimensions = vec![dimension.clone()];
            if !take(serial, nth, Row { namespace: "AWS/ApplicationELB", name, dimensions }) {
                return;
            }
        }
        for group in behind(place, tail).unwrap_or_default() {
            serial += 1;
            for (nth, (name, _)) in TARGETS.iter().enumerate() {
                let targets = ("TargetGroup", CompactString::from(target_tail(&group.arn)));
                let dimensions = vec![targets, dimension.clone()];
                if !take(serial, nth, Row { namespace: "AWS/ApplicationELB", name, dimensions }) {
                    return;
                }
            }
        }
    }
}
