//! Token buckets: how many calls an account may make in a region, as far as AWS publishes it.
//!
//! EC2 counts each operation by itself, and what it makes or ends besides; ECS counts families of operations
//! together. CloudWatch Logs publishes transactions a second for each of its calls, some of them by region. Auto Scaling, load balancing, Systems Manager and CloudWatch publish nothing: their figures here are
//! guesses on the careful side. Buckets fill with pretended time.

use super::fault::Fault;
use super::input::Input;
use super::time::Moment;
use super::world::held;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A family of calls: its name, what its bucket holds, and tokens that come back a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Family {
    name: &'static str,
    /// Each operation has its own bucket.
    is_each: bool,
    holds: f64,
    refill: f64,
}

const fn each(name: &'static str, holds: f64, refill: f64) -> Family {
    Family { name, is_each: true, holds, refill }
}

const fn shared(name: &'static str, holds: f64, refill: f64) -> Family {
    Family { name, is_each: false, holds, refill }
}

/// Lists of EC2 that cost more when nothing narrows them.
const WIDE: &[&str] = &["DescribeInstances", "DescribeInstanceStatus"];

/// Regions where CloudWatch Logs takes ten searches a second; everywhere else it takes five.
const TEN_SEARCHES: &[&str] = &["us-east-1", "us-west-2", "eu-west-1"];

/// The family of a call.
fn family(region: &str, service: &str, call: &str, input: Input) -> Option<Family> {
    let reads = ["Describe", "List", "Get", "Search"].iter().any(|verb| call.starts_with(verb));
    Some(match (service, call) {
        ("ec2", "RunInstances" | "StartInstances") => each("start", 5.0, 2.0),
        ("ec2", "CreateTags" | "DeleteTags") => each("tags", 100.0, 10.0),
        (
            "ec2",
            "CreateLaunchTemplateVersion" | "ModifyLaunchTemplate" | "TerminateInstances" | "DeregisterImage",
        ) => each("heavy", 100.0, 5.0),
        ("ec2", _) if reads => {
            let narrowed =
                |name: &&str| matches!(*name, "Filter" | "MaxResults" | "NextToken") || name.ends_with("Id");
            match WIDE.contains(&call) && !input.names().any(|name| narrowed(&name)) {
                true => each("wide", 50.0, 10.0),
                false => each("read", 100.0, 20.0),
            }
        }
        ("ec2", _) => each("change", 50.0, 5.0),
        (
            "ecs",
            "DescribeContainerInstances"
            | "DescribeTasks"
            | "ListContainerInstances"
            | "ListTasks"
            | "ListAttributes",
        ) => shared("cluster resource read", 100.0, 20.0),
        (
            "ecs",
            "UpdateContainerInstancesState"
            | "StopTask"
            | "RunTask"
            | "DeregisterContainerInstance"
            | "ExecuteCommand",
        ) => shared("cluster resource modify", 100.0, 40.0),
        ("ecs", "DescribeServices" | "ListServices") => shared("service read", 100.0, 20.0),
        ("ecs", "UpdateService" | "CreateService" | "DeleteService") => shared("service modify", 50.0, 5.0),
        ("ecs", "DescribeClusters" | "ListClusters") => shared("cluster read", 50.0, 20.0),
        ("ecs", "UpdateTaskProtection" | "GetTaskProtection") => shared("task protection", 200.0, 80.0),
        ("ecs", "DescribeCapacityProviders") => shared("capacity provider read", 50.0, 20.0),
        ("ecs", "PutClusterCapacityProviders" | "UpdateCapacityProvider") => {
            shared("capacity provider modify", 10.0, 1.0)
        }
        ("ecs", _) => shared("other", 50.0, 20.0),
        ("autoscaling", _) => shared(if reads { "read" } else { "change" }, 20.0, 10.0),
        ("elasticloadbalancing", _) => shared(if reads { "read" } else { "change" }, 20.0, 10.0),
        ("ssm", "SendCommand") => each("command", 5.0, 2.0),
        ("ssm", _) => each(if reads { "read" } else { "change" }, 40.0, 10.0),
        ("route53", _) => shared("all", 5.0, 5.0),
        ("monitoring", _) => each("read", 50.0, 50.0),
        ("logs", "FilterLogEvents") => {
            let searches = if TEN_SEARCHES.contains(&region) { 10.0 } else { 5.0 };
            each("search", searches, searches)
        }
        ("logs", "GetLogEvents") => each("events", 25.0, 25.0),
        ("logs", "DescribeLogStreams") => each("streams", 5.0, 5.0),
        ("logs", "DescribeLogGroups") => each("groups", 10.0, 10.0),
        ("logs", _) => each("change", 5.0, 5.0),
        ("pricing", _) => each("read", 10.0, 5.0),
        _ => return None,
    })
}

/// What is made or ended costs tokens of its own: how many a bucket of it holds, how many come back a second.
fn resources(call: &str, input: Input) -> Option<(f64, f64, f64)> {
    let ids = input.list("InstanceId").len().max(1) as f64;
    let most = input.number("MaxCount").ok().flatten().unwrap_or(1).max(1) as f64;
    match call {
        "RunInstances" => Some((most, 1000.0, 2.0)),
        "StartInstances" => Some((ids, 1000.0, 2.0)),
        "StopInstances" | "TerminateInstances" => Some((ids, 1000.0, 20.0)),
        _ => None,
    }
}

/// An account, a region, and what is counted.
type Key = (Arc<str>, &'static str, String);

/// The buckets of a world.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<Key, (f64, Moment)>>);

impl Buckets {
    /// Takes what a call costs; the error is the service's own when there is not enough left.
    pub(crate) fn take(
        &self,
        (account, region): (&Arc<str>, &'static str),
        (service, call): (&str, &str),
        input: Input,
        now: Moment,
    ) -> Result<(), Fault> {
        let Some(family) = family(region, service, call, input) else { return Ok(()) };
        let own = if family.is_each { call } else { "" };
        let name = format!("{service}/{}/{own}", family.name);
        let mut costs = vec![(name, 1.0, family.holds, family.refill)];
        if service == "ec2"
            && let Some((count, holds, refill)) = resources(call, input)
        {
            costs.push((format!("ec2/instances/{call}"), count, holds, refill));
        }
        let mut buckets = held(&self.0);
        for (name, cost, holds, refill) in costs {
            let (left, at) = buckets.entry((Arc::clone(account), region, name)).or_insert((holds, now));
            let passed = (now.0 - at.0).max(0) as f64 / 1000.0;
            *left = (*left + passed * refill).min(holds);
            *at = now;
            if *left < cost {
                return Err(throttled(service));
            }
            *left -= cost;
        }
        Ok(())
    }
}

fn throttled(service: &str) -> Fault {
    match service {
        "ec2" => Fault::new("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
        "ecs" | "ssm" | "logs" | "pricing" => Fault::new("ThrottlingException", "Rate exceeded"),
        _ => Fault::new("Throttling", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asks(buckets: &Buckets, service: &str, call: &str, input: &serde_json::Value, now: i64) -> usize {
        asks_in("us-east-1", buckets, service, call, input, now)
    }

    fn asks_in(
        region: &'static str,
        buckets: &Buckets,
        service: &str,
        call: &str,
        input: &serde_json::Value,
        now: i64,
    ) -> usize {
        let account: Arc<str> = "1".into();
        let take =
            || buckets.take((&account, region), (service, call), Input::new(input), Moment(now)).is_ok();
        (0..1000).take_while(|_| take()).count()
    }

    #[test]
    fn searches_of_logs_are_few_and_fewer_in_small_regions() {
        let buckets = Buckets::default();
        let asks = |region, call, now| asks_in(region, &buckets, "logs", call, &json!({}), now);
        assert_eq!(asks("us-east-1", "FilterLogEvents", 0), 10);
        assert_eq!(asks("ap-south-1", "FilterLogEvents", 0), 5);
        assert_eq!(asks("us-east-1", "GetLogEvents", 0), 25, "a bucket of its own");
        assert_eq!(asks("us-east-1", "FilterLogEvents", 200), 2, "and it fills again");
        let input = json!({});
        let place = (&Arc::from("1"), "us-east-1");
        let refused = buckets.take(place, ("logs", "FilterLogEvents"), Input::new(&input), Moment(200));
        assert_eq!(refused.unwrap_err().code, "ThrottlingException");
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let buckets = Buckets::default();
        let narrowed = json!({ "MaxResults": "100" });
        assert_eq!(asks(&buckets, "ec2", "DescribeInstances", &narrowed, 0), 100);
        assert_eq!(asks(&buckets, "ec2", "DescribeInstances", &narrowed, 1000), 20);
        assert_eq!(asks(&buckets, "ec2", "DescribeInstances", &json!({}), 1000), 50, "another bucket");
        assert_eq!(asks(&buckets, "ec2", "DescribeImages", &narrowed, 1000), 100, "each by itself");
    }

    #[test]
    fn ecs_counts_families_together() {
        let buckets = Buckets::default();
        assert_eq!(asks(&buckets, "ecs", "ListTasks", &json!({}), 0), 100);
        assert_eq!(asks(&buckets, "ecs", "DescribeContainerInstances", &json!({}), 0), 0);
        assert_eq!(asks(&buckets, "ecs", "StopTask", &json!({}), 0), 100);
    }

    #[test]
    fn instances_cost_tokens_of_their_own() {
        let buckets = Buckets::default();
        let many = json!({ "MaxCount": "400" });
        assert_eq!(asks(&buckets, "ec2", "RunInstances", &many, 0), 2);
    }
}
