//! Load balancing: target groups, the health of targets, and the rules that send traffic to them.

use super::ids::{BalancerArn, RuleArn, TargetGroupArn, Zone};
use super::text::Text;
use serde::{Deserialize, Serialize};

/// An ELBv2 target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: TargetGroupArn,
    /// Its name.
    pub name: Text,
    /// `HTTP`, `HTTPS`, `TCP`, …
    pub protocol: Option<Text>,
    /// The default port of its targets.
    pub port: Option<u16>,
    /// `instance`, `ip`, `lambda`, `alb`
    pub target_type: Text,
    /// `vpc-…`
    pub vpc_id: Option<Text>,
    /// The path that is probed.
    pub health_path: Option<Text>,
    /// Load balancers that use it.
    pub balancers: Vec<BalancerArn>,
}

/// One target of a group and its health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its group.
    pub group: TargetGroupArn,
    /// An instance id, an address, or an ARN.
    pub id: Text,
    /// Its port.
    pub port: Option<u16>,
    /// Its zone.
    pub zone: Option<Zone>,
    /// Its health.
    pub state: TargetState,
    /// AWS's reason code, `Target.FailedHealthChecks`.
    pub reason: Option<Text>,
    /// AWS's description of it.
    pub description: Option<Text>,
}

/// The health of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// Registered, first checks running.
    Initial,
    /// Well.
    Healthy,
    /// Fails its checks.
    Unhealthy,
    /// Not in use: no rule, or stopped.
    Unused,
    /// Being deregistered; open connections may finish.
    Draining,
    /// Checks are off, or not known.
    Unavailable,
}

impl TargetState {
    /// AWS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unused => "unused",
            Self::Draining => "draining",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A listener rule: which requests go to which target groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its ARN.
    pub arn: RuleArn,
    /// The load balancer's ARN.
    pub balancer: BalancerArn,
    /// The load balancer's name.
    pub balancer_name: Text,
    /// The load balancer's DNS name; none where AWS did not tell.
    #[serde(default)]
    pub balancer_dns: Option<Text>,
    /// The listener's port.
    pub port: Option<u16>,
    /// `1`…`50000` or `default`
    pub priority: Text,
    /// Host names it matches; may hold `*` and `?`.
    pub hosts: Vec<Text>,
    /// Path patterns it matches.
    pub paths: Vec<Text>,
    /// Where it forwards, with weights.
    pub forwards: Vec<(TargetGroupArn, u32)>,
    /// What it does instead of forwarding: `redirect`, `fixed-response 503`.
    pub other_action: Option<Text>,
}
