//! ELBv2: load balancers, listeners, rules, target groups and the health of targets.

use super::machine::Tag;
use crate::sim::time::Moment;
use compact_str::CompactString;

/// A load balancer.
#[derive(Clone, Debug)]
pub(crate) struct Balancer {
    pub(crate) arn: CompactString,
    pub(crate) name: CompactString,
    pub(crate) dns: CompactString,
    pub(crate) is_internal: bool,
    pub(crate) created: Moment,
    pub(crate) tags: Vec<Tag>,
}

/// A listener.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) arn: CompactString,
    pub(crate) balancer: CompactString,
    pub(crate) port: u16,
    pub(crate) protocol: &'static str,
    pub(crate) certificate: Option<CompactString>,
}

/// What a rule does with a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// Target groups with weights.
    Forward(Vec<(CompactString, u32)>),
    /// Protocol, port and status of a redirect.
    Redirect(&'static str, &'static str, &'static str),
    /// Status and text of a fixed answer.
    Answer(&'static str, &'static str),
}

/// A listener rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) arn: CompactString,
    pub(crate) listener: CompactString,
    /// None for the default rule.
    pub(crate) priority: Option<u32>,
    pub(crate) hosts: Vec<CompactString>,
    pub(crate) paths: Vec<CompactString>,
    pub(crate) act: Act,
}

/// The health of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// First checks run until then.
    Initial(Moment),
    Healthy,
    /// The answer that fails it.
    Failing(&'static str),
    TimesOut,
    /// Being deregistered until then.
    Draining(Moment),
}

impl Health {
    /// Whether it passes its checks then: the first ones end by themselves.
    pub(crate) fn is_well(self, at: Moment) -> bool {
        match self {
            Self::Healthy => true,
            Self::Initial(until) => until <= at,
            Self::Failing(_) | Self::TimesOut | Self::Draining(_) => false,
        }
    }
}

/// A registered target.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) id: CompactString,
    pub(crate) port: u16,
    pub(crate) health: Health,
}

/// A target group.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetGroup {
    pub(crate) arn: CompactString,
    pub(crate) name: CompactString,
    pub(crate) port: u16,
    pub(crate) path: CompactString,
    pub(crate) interval: u32,
    pub(crate) drain: u32,
    pub(crate) tags: Vec<Tag>,
    pub(crate) targets: Vec<Target>,
    /// Attributes that were set, besides the delay.
    pub(crate) attributes: Vec<(CompactString, CompactString)>,
    /// Healthy and unhealthy threshold, and seconds of the time-out; none for 2, 3 and 5.
    pub(crate) thresholds: Option<(u32, u32, u32)>,
}
