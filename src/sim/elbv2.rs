//! Elastic Load Balancing v2: balancers, listeners, rules, target groups, target health.

mod changes;
mod groups;
mod more;
mod rules;

use super::fault::Fault;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{Fields, Shape, list};
use super::world::balancing::{Act, Health, Listener, Rule, Target, TargetGroup};
use super::world::place::Place;
use compact_str::CompactString;

pub(crate) const SERVICE: Service = Service {
    name: "elasticloadbalancing",
    model: "elbv2",
    title: "ELBv2",
    protocol: Protocol::Query,
    version: "2015-12-01",
    target: "",
    namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    bad_parameter: "ValidationError",
    operations: &[
        Operation::read(
            "DescribeLoadBalancers",
            &["LoadBalancerArns", "Names", "Marker", "PageSize"],
            describe_balancers,
        ),
        Operation::read(
            "DescribeListeners",
            &["LoadBalancerArn", "ListenerArns", "Marker", "PageSize"],
            describe_listeners,
        ),
        Operation::read("DescribeRules", &["ListenerArn", "RuleArns", "Marker", "PageSize"], describe_rules),
        Operation::read(
            "DescribeTargetGroups",
            &["LoadBalancerArn", "TargetGroupArns", "Names", "Marker", "PageSize"],
            describe_target_groups,
        ),
        Operation::read("DescribeTags", &["ResourceArns"], more::describe_tags),
        Operation::read("DescribeTargetGroupAttributes", &["TargetGroupArn"], more::describe_attributes),
        Operation::read(
            "DescribeTargetHealth",
            &["TargetGroupArn", "Targets", "Include"],
            describe_target_health,
        ),
        Operation::write("RegisterTargets", &["TargetGroupArn", "Targets"], changes::register),
        Operation::write("DeregisterTargets", &["TargetGroupArn", "Targets"], changes::deregister),
        Operation::write("ModifyRule", &["RuleArn", "Conditions", "Actions"], rules::modify),
        Operation::write("DeleteRule", &["RuleArn"], rules::delete),
        Operation::write("CreateRule", &["ListenerArn", "Conditions", "Priority", "Actions"], rules::create),
        Operation::write("SetRulePriorities", &["RulePriorities"], rules::set_priorities),
        Operation::write(
            "ModifyTargetGroupAttributes",
            &["TargetGroupArn", "Attributes"],
            more::modify_attributes,
        ),
        Operation::write("CreateTargetGroup", groups::TAKES, groups::create),
        Operation::write("DeleteTargetGroup", &["TargetGroupArn"], groups::delete),
    ],
};

const PAGING: Paging = Paging {
    size: "PageSize",
    token: "Marker",
    default: 400,
    min: 1,
    max: 400,
    bad_size: "ValidationError",
    bad_token: "ValidationError",
};

fn not_found(code: &'static str, noun: &str, what: &str) -> Fault {
    Fault::new(code, format!("{noun} '{what}' not found"))
}

fn describe_balancers(call: &Call, place: &Place) -> Answer {
    let (arns, names) = (call.input.texts("LoadBalancerArns"), call.input.texts("Names"));
    if arns.len() > 20 || names.len() > 20 {
        return Err(Fault::new("ValidationError", "At most 20 load balancers can be named"));
    }
    if let Some(arn) = arns.iter().find(|arn| !place.balancers.has(arn)) {
        return Err(not_found("LoadBalancerNotFound", "Load balancer", arn));
    }
    if let Some(name) = names.iter().find(|name| !place.balancers.rows().any(|b| b.name == **name)) {
        return Err(Fault::new("LoadBalancerNotFound", format!("Load balancers '[{name}]' not found")));
    }
    let page = PAGING.of(call)?;
    let rows = place.balancers.after(page.after).filter(|(_, balancer)| {
        (arns.is_empty() && names.is_empty())
            || arns.contains(&balancer.arn.as_str())
            || names.contains(&balancer.name.as_str())
    });
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |balancer| {
        let zones = list(0..place.zones.len().min(3), |zone| {
            Fields::new()
                .with("ZoneName", place.zone(zone))
                .with("SubnetId", place.subnet(zone))
                .with("LoadBalancerAddresses", Shape::List(Vec::new()))
        });
        Fields::new()
            .with("LoadBalancerArn", &balancer.arn)
            .with("DNSName", &balancer.dns)
            .with("CanonicalHostedZoneId", "Z35SXDOTRQ7X7K")
            .with("CreatedTime", balancer.created)
            .with("LoadBalancerName", &balancer.name)
            .with("Scheme", if balancer.is_internal { "internal" } else { "internet-facing" })
            .with("VpcId", &place.vpc)
            .with("State", Fields::new().with("Code", "active"))
            .with("Type", "application")
            .with("AvailabilityZones", zones)
            .with("SecurityGroups", Shape::List(Vec::new()))
            .with("IpAddressType", "ipv4")
    });
    Ok(Fields::new().with("LoadBalancers", shapes).maybe("NextMarker", token).into())
}

fn default_act<'p>(place: &'p Place, listener: &Listener) -> Option<&'p Act> {
    let rule = place.rules.rows().find(|rule| rule.listener == listener.arn && rule.priority.is_none());
    rule.map(|rule| &rule.act)
}

fn describe_listeners(call: &Call, place: &Place) -> Answer {
    let balancer = call.input.text("LoadBalancerArn");
    let arns = call.input.texts("ListenerArns");
    match (balancer, arns.is_empty()) {
        (Some(arn), _) if !place.balancers.has(arn) => {
            return Err(not_found("LoadBalancerNotFound", "Load balancer", arn));
        }
        (None, true) => {
            return Err(Fault::new(
                "ValidationError",
                "You must specify either listener ARNs or a load balancer ARN",
            ));
        }
        _ => {}
    }
    if let Some(arn) = arns.iter().find(|arn| !place.listeners.has(arn)) {
        return Err(not_found("ListenerNotFound", "Listener", arn));
    }
    let page = PAGING.of(call)?;
    let rows = place.listeners.after(page.after).filter(|(_, listener)| {
        balancer.is_none_or(|arn| listener.balancer == arn)
            && (arns.is_empty() || arns.contains(&listener.arn.as_str()))
    });
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |listener| {
        Fields::new()
            .with("ListenerArn", &listener.arn)
            .with("LoadBalancerArn", &listener.balancer)
            .with("Port", listener.port)
            .with("Protocol", listener.protocol)
            .when(listener.certificate.is_some(), |fields| {
                let certificate = Fields::new().maybe("CertificateArn", listener.certificate.as_ref());
                fields
                    .with("Certificates", Shape::List(vec![certificate.into()]))
                    .with("SslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06")
            })
            .with(
                "DefaultActions",
                Shape::List(default_act(place, listener).map(action).into_iter().collect()),
            )
    });
    Ok(Fields::new().with("Listeners", shapes).maybe("NextMarker", token).into())
}

fn action(act: &Act) -> Shape {
    match act {
        Act::Forward(groups) => {
            let config = Fields::new()
                .with(
                    "TargetGroups",
                    list(groups, |(arn, weight)| {
                        Fields::new().with("TargetGroupArn", arn).with("Weight", *weight)
                    }),
                )
                .with("TargetGroupStickinessConfig", Fields::new().with("Enabled", false));
            let only = match groups.as_slice() {
                [(arn, _)] => Some(arn),
                _ => None,
            };
            Fields::new()
                .with("Type", "forward")
                .maybe("TargetGroupArn", only)
                .with("Order", 1i64)
                .with("ForwardConfig", config)
                .into()
        }
        Act::Redirect(protocol, port, status) => {
            let config = Fields::new()
                .with("Protocol", *protocol)
                .with("Port", *port)
                .with("Host", "#{host}")
                .with("Path", "/#{path}")
                .with("Query", "#{query}")
                .with("StatusCode", *status);
            Fields::new().with("Type", "redirect").with("Order", 1i64).with("RedirectConfig", config).into()
        }
        Act::Answer(status, text) => {
            let config = Fields::new()
                .with("MessageBody", *text)
                .with("StatusCode", *status)
                .with("ContentType", "text/plain");
            Fields::new()
                .with("Type", "fixed-response")
                .with("Order", 1i64)
                .with("FixedResponseConfig", config)
                .into()
        }
    }
}

fn describe_rules(call: &Call, place: &Place) -> Answer {
    let listener = call.input.text("ListenerArn");
    let arns = call.input.texts("RuleArns");
    match (listener, arns.is_empty()) {
        (None, true) | (Some(_), false) => {
            return Err(Fault::new("ValidationError", "You must specify either listener ARN or rule ARNs"));
        }
        (Some(arn), true) if !place.listeners.has(arn) => {
            return Err(not_found("ListenerNotFound", "Listener", arn));
        }
        _ => {}
    }
    if let Some(arn) = arns.iter().find(|arn| !place.rules.has(arn)) {
        return Err(not_found("RuleNotFound", "Rule", arn));
    }
    // In the order of their priorities, the default rule last.
    let mut rows: Vec<&Rule> = place
        .rules
        .rows()
        .filter(|rule| listener.is_none_or(|arn| rule.listener == arn))
        .filter(|rule| arns.is_empty() || arns.contains(&rule.arn.as_str()))
        .collect();
    rows.sort_by_key(|rule| (rule.listener.clone(), rule.priority.unwrap_or(u32::MAX)));
    let page = PAGING.of(call)?;
    let (rows, token) = page.take(call, (1..).zip(&rows));
    let shapes = list(rows, |rule| rule_shape(rule));
    Ok(Fields::new().with("Rules", shapes).maybe("NextMarker", token).into())
}

fn rule_shape(rule: &Rule) -> Fields {
    let condition = |field: &'static str, config: &'static str, values: &[CompactString]| {
        let values = list(values, Shape::from);
        Fields::new()
            .with("Field", field)
            .with("Values", values.clone())
            .with(config, Fields::new().with("Values", values))
    };
    let mut conditions = Vec::new();
    if !rule.hosts.is_empty() {
        conditions.push(condition("host-header", "HostHeaderConfig", &rule.hosts));
    }
    if !rule.paths.is_empty() {
        conditions.push(condition("path-pattern", "PathPatternConfig", &rule.paths));
    }
    let priority = rule.priority.map_or_else(|| "default".to_owned(), |priority| priority.to_string());
    Fields::new()
        .with("RuleArn", &rule.arn)
        .with("Priority", priority)
        .with("Conditions", conditions)
        .with("Actions", Shape::List(vec![action(&rule.act)]))
        .with("IsDefault", rule.priority.is_none())
}

/// Balancers whose rules forward to a target group.
fn users<'p>(place: &'p Place, group: &str) -> Vec<&'p CompactString> {
    let mut found = Vec::new();
    for rule in place.rules.rows() {
        let Act::Forward(groups) = &rule.act else { continue };
        if !groups.iter().any(|(arn, _)| arn == group) {
            continue;
        }
        if let Some(listener) = place.listeners.get(&rule.listener)
            && !found.contains(&&listener.balancer)
        {
            found.push(&listener.balancer);
        }
    }
    found
}

fn describe_target_groups(call: &Call, place: &Place) -> Answer {
    let (arns, names) = (call.input.texts("TargetGroupArns"), call.input.texts("Names"));
    let balancer = call.input.text("LoadBalancerArn");
    if let Some(arn) = balancer.filter(|arn| !place.balancers.has(arn)) {
        return Err(not_found("LoadBalancerNotFound", "Load balancer", arn));
    }
    if let Some(arn) = arns.iter().find(|arn| !place.target_groups.has(arn)) {
        return Err(not_found("TargetGroupNotFound", "Target group", arn));
    }
    if let Some(name) = names.iter().find(|name| !place.target_groups.rows().any(|g| g.name == **name)) {
        return Err(Fault::new("TargetGroupNotFound", format!("Target groups '[{name}]' not found")));
    }
    let page = PAGING.of(call)?;
    let rows = place.target_groups.after(page.after).filter(|(_, group)| {
        (arns.is_empty() || arns.contains(&group.arn.as_str()))
            && (names.is_empty() || names.contains(&group.name.as_str()))
            && balancer.is_none_or(|arn| users(place, &group.arn).iter().any(|user| *user == arn))
    });
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |group| group_shape(place, group));
    Ok(Fields::new().with("TargetGroups", shapes).maybe("NextMarker", token).into())
}

/// A target group as the wire has it.
fn group_shape(place: &Place, group: &TargetGroup) -> Fields {
    let (healthy, unhealthy, timeout) = group.thresholds.unwrap_or((2, 3, 5));
    Fields::new()
        .with("TargetGroupArn", &group.arn)
        .with("TargetGroupName", &group.name)
        .with("Protocol", "HTTP")
        .with("Port", group.port)
        .with("VpcId", &place.vpc)
        .with("HealthCheckProtocol", "HTTP")
        .with("HealthCheckPort", "traffic-port")
        .with("HealthCheckEnabled", true)
        .with("HealthCheckIntervalSeconds", group.interval)
        .with("HealthCheckTimeoutSeconds", timeout)
        .with("HealthyThresholdCount", healthy)
        .with("UnhealthyThresholdCount", unhealthy)
        .with("HealthCheckPath", &group.path)
        .with("Matcher", Fields::new().with("HttpCode", "200"))
        .with("LoadBalancerArns", list(users(place, &group.arn), Shape::from))
        .with("TargetType", "instance")
        .with("ProtocolVersion", "HTTP1")
        .with("IpAddressType", "ipv4")
}

/// A member that must be there and is not.
fn absent(member: &str) -> Fault {
    Fault::new(
        "ValidationError",
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

fn describe_target_health(call: &Call, place: &Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").ok_or_else(|| absent("targetGroupArn"))?;
    let group =
        place.target_groups.get(arn).ok_or_else(|| not_found("TargetGroupNotFound", "Target groups", arn))?;
    let is_used = !users(place, arn).is_empty();
    let wanted = call.input.list("Targets");
    if wanted.iter().any(|one| one.text("Id").is_none()) {
        return Err(absent("targets.member.id"));
    }
    let mut shapes = Vec::new();
    for target in &group.targets {
        let is_wanted = wanted.is_empty()
            || wanted.iter().any(|one| {
                one.text("Id") == Some(&target.id)
                    && one.number("Port").ok().flatten().is_none_or(|port| port == i64::from(target.port))
            });
        if is_wanted {
            shapes.push(target_shape(call, place, target, is_used));
        }
    }
    for one in &wanted {
        let id = one.text("Id").unwrap_or_default();
        if group.targets.iter().any(|target| target.id == id) {
            continue;
        }
        let port = one.number("Port").ok().flatten().unwrap_or(i64::from(group.port));
        let health = Fields::new()
            .with("State", "unused")
            .with("Reason", "Target.NotRegistered")
            .with("Description", "Target is not registered to the target group");
        let target = Fields::new().with("Id", id).with("Port", port);
        shapes.push(Fields::new().with("Target", target).with("TargetHealth", health));
    }
    Ok(Fields::new().with("TargetHealthDescriptions", shapes).into())
}

/// A target's state, reason and description as of now.
fn health(
    call: &Call,
    place: &Place,
    target: &Target,
    is_used: bool,
) -> (&'static str, &'static str, String) {
    let machine = place.instances.get(&target.id);
    let is_running = machine.is_none_or(|m| m.state == super::world::machine::State::Running);
    match target.health {
        Health::Draining(_) => {
            ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress".to_owned())
        }
        _ if !is_running => ("unused", "Target.InvalidState", "Target is in the stopped state".to_owned()),
        _ if !is_used => (
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer".to_owned(),
        ),
        _ if place.is_down(&target.id, target.port, call.now) => {
            ("unhealthy", "Target.FailedHealthChecks", "Health checks failed".to_owned())
        }
        Health::Initial(until) if until > call.now => {
            ("initial", "Elb.RegistrationInProgress", "Target registration is in progress".to_owned())
        }
        Health::Initial(_) | Health::Healthy => ("healthy", "", String::new()),
        Health::Failing(code) => (
            "unhealthy",
            "Target.ResponseCodeMismatch",
            format!("Health checks failed with these codes: [{code}]"),
        ),
        Health::TimesOut => ("unhealthy", "Target.Timeout", "Request timed out".to_owned()),
    }
}

fn target_shape(call: &Call, place: &Place, target: &Target, is_used: bool) -> Fields {
    let (state, reason, description) = health(call, place, target, is_used);
    let shown = Fields::new()
        .with("State", state)
        .when(!reason.is_empty(), |fields| fields.with("Reason", reason).with("Description", description));
    // Instance targets carry no zone in the answer.
    let name = Fields::new().with("Id", &target.id).with("Port", target.port);
    Fields::new()
        .with("Target", name)
        .with("HealthCheckPort", target.port.to_string())
        .with("TargetHealth", shown)
        .with("AnomalyDetection", Fields::new().with("Result", "normal").with("MitigationInEffect", "no"))
}
