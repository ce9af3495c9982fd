//! Judging rows: how well something is, and why, in sentences that a person can act on.

use super::events;
use super::rows::{Item, MemberItem};
use crate::model::{
    Agent, Alarm, AlarmState, Check, Cluster, Group, Health, Host, Image, Instance, InstanceState,
    InstanceStatus, Known, Metrics, Refresh, Service, Target, TargetState, Task, Tier,
};
use jiff::Timestamp;

/// A judgement being made: the worst finding so far, and all of them.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    worst: Option<Health>,
    troubles: Vec<(Health, String)>,
}

impl Verdict {
    /// Adds a finding.
    pub(super) fn find(&mut self, health: Health, sentence: impl Into<String>) {
        self.note(health);
        self.troubles.push((health, sentence.into()));
    }

    /// Lowers the verdict without a sentence.
    pub(super) fn note(&mut self, health: Health) {
        self.worst = Some(self.worst.map_or(health, |worst| worst.max(health)));
    }

    /// Ends the judgement: `otherwise` is what to say when nothing was found.
    pub(super) fn end(mut self, otherwise: Health) -> (Health, Vec<String>) {
        self.troubles.sort_by_key(|(health, _)| std::cmp::Reverse(*health));
        let sentences = self.troubles.into_iter().map(|(_, sentence)| sentence).collect();
        (self.worst.unwrap_or(otherwise), sentences)
    }
}

/// What is known of an instance's machine when it is judged.
pub(super) struct Machine<'a> {
    pub(super) it: &'a Instance,
    pub(super) member: &'a Known<Option<MemberItem>>,
    pub(super) host: &'a Known<Option<Item<Host>>>,
    pub(super) agent: &'a Known<Option<Item<Agent>>>,
    pub(super) status: &'a Known<Option<Item<InstanceStatus>>>,
    pub(super) metrics: &'a Known<Option<Item<Metrics>>>,
    pub(super) image: &'a Known<Option<Item<Image>>>,
    pub(super) cores: &'a Known<u32>,
    /// Alarms that ring and name it.
    pub(super) ringing: &'a [Item<Alarm>],
    pub(super) tier: Option<&'a Tier>,
}

pub(super) fn instance(machine: &Machine<'_>) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    match machine.it.state {
        InstanceState::Running => {}
        InstanceState::Pending | InstanceState::Stopping | InstanceState::ShuttingDown => {
            return (Health::Busy, vec![]);
        }
        InstanceState::Stopped => return left_behind(machine, Health::Warn, "stopped"),
        InstanceState::Terminated => return left_behind(machine, Health::Bad, "terminated"),
        InstanceState::Unknown => return (Health::Unknown, vec![]),
    }
    if let Known::Yes(Some(status)) = machine.status {
        checks(status, &mut verdict);
    }
    if let Known::Yes(Some(member)) = machine.member {
        if member.health != "Healthy" {
            verdict.find(Health::Bad, format!("group {} says {}", member.group().name, member.health));
        }
        match member.state.as_str() {
            "InService" => {}
            "Standby" => verdict.find(Health::Warn, "in standby: serves nothing"),
            _ => verdict.note(Health::Busy),
        }
    }
    if let Known::Yes(Some(host)) = machine.host {
        host_into(host, &mut verdict);
    }
    if let Known::Yes(Some(agent)) = machine.agent
        && agent.ping != "Online"
    {
        verdict.find(Health::Warn, format!("Systems Manager agent: {}", agent.ping));
    }
    if let Known::Yes(Some(image)) = machine.image
        && image.is_gone()
    {
        verdict.find(Health::Warn, format!("its image {} is gone", image.id));
    }
    if let Known::Yes(Some(metrics)) = machine.metrics
        && let Some(last) = metrics.credits.last()
        && last.value < 1.0
    {
        verdict.find(Health::Bad, "out of CPU credits");
    }
    if let (Known::Yes(cores), Some(tier)) = (machine.cores, machine.tier)
        && let Some(most) = tier.cores_per_host
        && *cores > most
    {
        verdict.find(Health::Warn, format!("{cores} cores, tier {} allows {most}", tier.name));
    }
    for alarm in machine.ringing {
        let muted = if alarm.actions_enabled { "" } else { ", its actions are off" };
        verdict.find(Health::Warn, format!("alarm {} rings{muted}", alarm.name));
    }
    // AWS reports checks of every running instance: where it reports none, nobody has checked.
    let is_checked = matches!(machine.status, Known::Yes(Some(_)));
    verdict.end(if is_checked { Health::Ok } else { Health::Unknown })
}

/// A host that runs no more is as it should be, unless the registry still looks for cores on it.
fn left_behind(machine: &Machine<'_>, health: Health, state: &str) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    if let Known::Yes(cores @ 1..) = machine.cores {
        let are = if *cores == 1 { "core is" } else { "cores are" };
        verdict.find(health, format!("{state}, and {cores} {are} registered on it"));
    }
    verdict.end(Health::Ok)
}

fn checks(status: &InstanceStatus, verdict: &mut Verdict) {
    let each = [("system", Some(status.system)), ("instance", Some(status.instance)), ("volume", status.ebs)];
    for (name, check) in each {
        match check {
            Some(Check::Impaired) => verdict.find(Health::Bad, format!("{name} status check failed")),
            Some(Check::Initializing) => verdict.note(Health::Busy),
            Some(Check::InsufficientData) => {
                verdict.find(Health::Warn, format!("{name} status check has no data"));
            }
            _ => {}
        }
    }
    for event in status.events.iter().filter(|event| event.is_open()) {
        let when = event.not_before.map(|at| format!(" not before {at:.0}")).unwrap_or_default();
        verdict.find(Health::Warn, format!("AWS plans {}{when}", event.code));
    }
}

fn host_into(host: &Host, verdict: &mut Verdict) {
    if !host.is_connected && host.status != "INACTIVE" {
        verdict.find(Health::Bad, "ECS agent is not connected");
    }
    match host.status.as_str() {
        "ACTIVE" => {}
        "DRAINING" | "REGISTERING" | "DEREGISTERING" => verdict.note(Health::Busy),
        other => verdict.find(Health::Bad, format!("ECS says {other}")),
    }
}

pub(super) fn host(host: &Host) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    host_into(host, &mut verdict);
    verdict.end(Health::Ok)
}

pub(super) fn group(
    group: &Group,
    in_service: u32,
    refresh: &Known<Option<Item<Refresh>>>,
    image: &Known<Option<Item<Image>>>,
    versions_behind: &Known<Option<u64>>,
) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    if let Some(status) = &group.status {
        verdict.find(Health::Busy, status.as_str());
    }
    if in_service == 0 && group.desired > 0 {
        verdict.find(Health::Bad, format!("none of {} in service", group.desired));
    } else if in_service < group.desired && group.members.iter().all(|member| member.weight.is_none()) {
        verdict.find(Health::Warn, format!("{in_service} of {} in service", group.desired));
    }
    let sick = group.members.iter().filter(|member| member.health != "Healthy").count();
    if sick > 0 {
        verdict.find(Health::Bad, format!("{sick} unhealthy"));
    }
    if !group.suspended.is_empty() {
        verdict.find(Health::Warn, format!("suspended: {}", group.suspended.join(", ")));
    }
    if let Known::Yes(Some(refresh)) = refresh {
        if refresh.is_active() {
            verdict.find(Health::Busy, format!("refresh {} {}", refresh.status, progress(refresh)));
        } else if matches!(refresh.status.as_str(), "Failed" | "RollbackFailed") {
            verdict.find(Health::Warn, format!("last refresh: {}", refresh.status));
        }
    }
    if let Known::Yes(Some(image)) = image
        && image.is_gone()
    {
        verdict.find(Health::Bad, format!("its image {} is gone: it cannot launch", image.id));
    }
    if let Known::Yes(Some(behind @ 1..)) = versions_behind {
        let s = if *behind == 1 { "" } else { "s" };
        verdict.find(Health::Warn, format!("{behind} template version{s} behind"));
    }
    verdict.end(Health::Ok)
}

/// Counts first: percent alone lies, and falls to nothing in a rollback.
fn progress(refresh: &Refresh) -> String {
    match (refresh.remaining, refresh.percent) {
        (Some(remaining), Some(percent)) => format!("{percent} %, {remaining} to go"),
        (Some(remaining), None) => format!("{remaining} to go"),
        (None, Some(percent)) => format!("{percent} %"),
        (None, None) => String::new(),
    }
}

pub(super) fn cluster(cluster: &Cluster) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    if cluster.status != "ACTIVE" {
        verdict.find(Health::Warn, format!("ECS says {}", cluster.status));
    }
    if cluster.pending_tasks > 0 {
        verdict.find(Health::Busy, format!("{} tasks pending", cluster.pending_tasks));
    }
    verdict.end(Health::Ok)
}

pub(super) fn service(service: &Service) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    if service.status != "ACTIVE" {
        verdict.find(Health::Busy, format!("ECS says {}", service.status));
    }
    let deploying = service.deployments.len() > 1
        || service.deployments.iter().any(|d| d.rollout.as_deref() == Some("IN_PROGRESS"));
    for deployment in service.deployments.iter().filter(|d| d.rollout.as_deref() == Some("FAILED")) {
        let why = deployment.reason.as_deref().unwrap_or("no reason given");
        verdict.find(Health::Bad, format!("deployment failed: {why}"));
    }
    if service.running == 0 && service.desired > 0 && !deploying {
        verdict.find(Health::Bad, format!("none of {} tasks runs", service.desired));
    } else if service.running < service.desired && !deploying {
        verdict.find(Health::Warn, format!("{} of {} tasks run", service.running, service.desired));
    }
    if deploying {
        verdict
            .find(Health::Busy, format!("deploying, {} of {} tasks run", service.running, service.desired));
    }
    if let Some(event) = service.events.first()
        && event.message.contains("unable to")
    {
        verdict.find(Health::Warn, events::said(event, &service.name).to_owned());
    }
    if service.is_stuck() {
        let (min, max) = (service.min_percent.unwrap_or(0), service.max_percent.unwrap_or(0));
        let s = if service.desired == 1 { "" } else { "s" };
        verdict.find(
            Health::Warn,
            format!(
                "cannot replace its task{s}: min {min} % and max {max} % of {} leave no room to stop or start one",
                service.desired
            ),
        );
    }
    verdict.end(Health::Ok)
}

pub(super) fn task(task: &Task) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    if task.health.as_deref() == Some("UNHEALTHY") {
        verdict.find(Health::Bad, "container health check fails");
    }
    if task.last_status == "STOPPED" {
        let why = task.stopped_reason.as_deref().filter(|why| !why.is_empty());
        verdict.find(Health::Warn, why.map_or_else(|| "stopped".to_owned(), |why| format!("stopped: {why}")));
    } else if task.last_status != task.desired_status {
        verdict.note(Health::Busy);
    }
    verdict.end(Health::Ok)
}

pub(super) fn target(target: &Target) -> Health {
    match target.state {
        TargetState::Healthy => Health::Ok,
        TargetState::Initial | TargetState::Draining => Health::Busy,
        TargetState::Unhealthy => Health::Bad,
        TargetState::Unused => Health::Warn,
        TargetState::Unavailable => Health::Unknown,
    }
}

pub(super) fn alarm(alarm: &Alarm) -> Health {
    match alarm.state {
        AlarmState::Ok => Health::Ok,
        AlarmState::Alarm => Health::Bad,
        AlarmState::InsufficientData => Health::Unknown,
    }
}

pub(super) fn image(image: &Image, at: Timestamp) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    if image.is_gone() {
        verdict.find(Health::Bad, "gone: what launches from it cannot");
    } else if image.state.as_deref() != Some("available") {
        let state = image.state.as_deref().unwrap_or("unknown");
        verdict.find(Health::Warn, format!("state {state}"));
    }
    if let Some(end) = image.deprecated_at
        && end <= at
    {
        verdict.find(Health::Warn, format!("deprecated since {}", end.strftime("%Y-%m-%d")));
    }
    verdict.end(Health::Ok)
}
