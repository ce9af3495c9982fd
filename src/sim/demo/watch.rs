//! Alarms and log groups of the demo fleet.

use crate::sim::builder::{Builder, DAY, HOUR};
use crate::sim::world::keeping::{Alarm, LogGroup, Watch};
use compact_str::CompactString;

/// Makes the alarms: most are quiet, a few are not.
pub(super) fn alarms(fleet: &mut Builder) {
    let named = |fleet: &Builder, name: &str| {
        let found = fleet.place.instances.rows().find(|instance| instance.tag("Name") == Some(name));
        found.map(|instance| instance.id.clone()).unwrap_or_default()
    };
    for customer in ["slatepay", "thistle", "redwharf", "lumenary", "ferncart", "tidepool"] {
        let id = named(fleet, &format!("prod-{customer}"));
        let is_spent = customer == "slatepay";
        alarm(
            fleet,
            &format!("prod-{customer}-credits-low"),
            "CPUCreditBalance",
            id.clone(),
            (10.0, false),
            is_spent,
            3 * HOUR,
        );
        let is_down = customer == "redwharf";
        alarm(
            fleet,
            &format!("prod-{customer}-status-check"),
            "StatusCheckFailed",
            id,
            (0.0, true),
            is_down,
            20 * 60,
        );
    }
    let balancer = fleet.place.balancers.rows().find(|balancer| balancer.name == "api-public");
    let dimension =
        balancer.and_then(|balancer| balancer.arn.split_once(":loadbalancer/")).map(|(_, tail)| tail.into());
    let topic = Alarm {
        name: "auth-api-5xx".into(),
        description: "The API answers errors; runbook: wiki/auth-api-5xx".into(),
        watch: Watch {
            namespace: "AWS/ApplicationELB".into(),
            metric: "HTTPCode_Target_5XX_Count".into(),
            statistic: "Sum",
            period: 60,
            evaluations: 3,
            datapoints: 3,
            threshold: 50.0,
            comparison: "GreaterThanThreshold",
            missing: "notBreaching",
        },
        dimensions: dimension.map(|value| ("LoadBalancer", value)).into_iter().collect(),
        state: "OK",
        reason: "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [NonBreaching].".to_owned(),
        since: fleet.ago(2 * DAY),
        updated: fleet.ago(200 * DAY),
        actions_enabled: true,
    };
    let silent = Alarm {
        name: "dashboard-latency".into(),
        description: "Nobody has sent this metric since the move to ECS".into(),
        watch: Watch {
            namespace: "Dashboard".into(),
            metric: "LatencyP95".into(),
            statistic: "Average",
            threshold: 800.0,
            missing: "missing",
            ..topic.watch.clone()
        },
        dimensions: Vec::new(),
        state: "INSUFFICIENT_DATA",
        reason: "Insufficient Data: 3 datapoints were unknown.".to_owned(),
        since: fleet.ago(88 * DAY),
        actions_enabled: false,
        ..topic.clone()
    };
    for alarm in [topic, silent] {
        fleet.place.alarms.insert(alarm.name.clone(), alarm);
    }
}

fn alarm(
    fleet: &mut Builder,
    name: &str,
    metric: &'static str,
    instance: CompactString,
    (threshold, above): (f64, bool),
    is_loud: bool,
    age: i64,
) {
    let now = fleet.now;
    let load = fleet.place.instances.get(&instance);
    let figure = match (metric, load) {
        ("CPUCreditBalance", Some(found)) => found.load.credits(found.kind, now.minus(300)).unwrap_or(0.0),
        _ => f64::from(u8::from(is_loud)),
    };
    let verb = match (is_loud, above) {
        (true, true) => "was greater than",
        (true, false) => "was less than",
        (false, true) => "was not greater than",
        (false, false) => "was not less than",
    };
    let reason = format!(
        "Threshold Crossed: 1 datapoint [{figure:.2} ({})] {verb} the threshold ({threshold:.1}).",
        now.minus(age).rfc3339()
    );
    let alarm = Alarm {
        name: name.into(),
        description: CompactString::default(),
        watch: Watch {
            namespace: "AWS/EC2".into(),
            metric: metric.into(),
            statistic: "Average",
            period: 300,
            evaluations: 1,
            datapoints: 1,
            threshold,
            comparison: if above { "GreaterThanThreshold" } else { "LessThanThreshold" },
            missing: "missing",
        },
        dimensions: vec![("InstanceId", instance)],
        state: if is_loud { "ALARM" } else { "OK" },
        reason,
        since: now.minus(age),
        updated: now.minus(150 * DAY),
        actions_enabled: true,
    };
    fleet.place.alarms.insert(name, alarm);
}

/// Makes the log groups: one for each task family, all kept for a month but the API's, which nobody limited.
pub(super) fn logs(fleet: &mut Builder) {
    let mut names: Vec<CompactString> =
        fleet.place.definitions.rows().map(|definition| definition.log_group.clone()).collect();
    names.push("/coredeck/core-hosts".into());
    names.sort_unstable();
    names.dedup();
    for name in names {
        let is_endless = name == "/ecs/auth-api";
        let group = LogGroup {
            name: name.clone(),
            created: fleet.ago(610 * DAY),
            days: (!is_endless).then_some(30),
            bytes_a_day: if is_endless { 9_400_000_000 } else { 310_000_000 },
        };
        fleet.place.logs.insert(name, group);
    }
}
