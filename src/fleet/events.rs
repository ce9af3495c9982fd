//! One timeline of what happened, from everything that AWS keeps a record of.
//!
//! An event borrows from the section that tells of it, so a timeline of thousands costs little to make again.

use super::Fleet;
use super::deeds::Deed;
use super::rows::Item;
use crate::config::span;
use crate::model::{
    Activity, Alarm, AlarmState, Deployment, Health, Instance, InstanceState, InstanceStatus, Refresh,
    ScheduledEvent, Scope, Service, ServiceEvent, Template, TemplateVersion, short_arn,
};
use crate::snapshot::{Gone, Part, Snapshot, Turns};
use jiff::Timestamp;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// An instance of which nobody saw for longer when it went has no moment of its own.
const UNSEEN: Duration = Duration::from_secs(600);

/// Something that happened, or that AWS has announced.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// When it last moved: its end, or else its beginning; to come for what is announced. None where AWS
    /// gave no moment.
    pub at: Option<Timestamp>,
    /// How much it should worry.
    pub health: Health,
    /// What sort of thing it is.
    pub sort: Sort,
    tale: Tale,
}

/// The sorts of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A scaling activity of a group.
    Scaling,
    /// Spot capacity that AWS took back, or said that it may.
    Interruption,
    /// An instance refresh of a group.
    Refresh,
    /// A line that ECS wrote about a service.
    Service,
    /// A deployment of a service.
    Deployment,
    /// An alarm that changed its state.
    Alarm,
    /// What AWS will do to an instance, or did.
    Planned,
    /// The end of an instance.
    Termination,
    /// A new version of a launch template.
    Version,
    /// An operation of coredeck.
    Operation,
}

impl Sort {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scaling => "scaling",
            Self::Interruption => "interruption",
            Self::Refresh => "refresh",
            Self::Service => "service",
            Self::Deployment => "deployment",
            Self::Alarm => "alarm",
            Self::Planned => "planned",
            Self::Termination => "termination",
            Self::Version => "version",
            Self::Operation => "operation",
        }
    }
}

/// What an event is about: the sort of resource, what people call it, and what tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `group`, `service`, `alarm`, `instance`, `template` or `operation`.
    pub sort: &'static str,
    /// What people call it.
    pub name: &'a str,
    /// A name where names are unique, else an id or an ARN.
    pub id: &'a str,
}

/// Where an event is told.
#[derive(Clone, Debug)]
enum Tale {
    Activity(Item<Activity>),
    Refresh(Item<Refresh>),
    Service(Item<Service>, usize),
    Deployment(Item<Service>, usize),
    /// And what it was before, where that was seen.
    Alarm(Item<Alarm>, Option<AlarmState>),
    Planned(Item<InstanceStatus>, usize),
    Version(Item<Template>, usize),
    Taken(Arc<Instance>),
    /// Listed as gone; nobody saw it go.
    Ended(Arc<Instance>),
    Gone(Arc<Turns>, usize),
    Deed(Arc<[Deed]>, usize),
}

impl EventRow {
    /// An operation, of a list of them.
    pub(super) fn of_deed(deeds: &Arc<[Deed]>, nth: usize) -> Option<Self> {
        let Deed { scope, at, health, .. } = deeds.get(nth)?;
        let (scope, at, tale) = (Arc::clone(scope), Some(*at), Tale::Deed(Arc::clone(deeds), nth));
        Some(Self { scope, at, health: *health, sort: Sort::Operation, tale })
    }

    /// What it is about.
    pub fn subject(&self) -> Subject<'_> {
        let group = |name| Subject { sort: "group", name, id: name };
        match &self.tale {
            Tale::Activity(it) => group(it.group.as_str()),
            Tale::Refresh(it) => group(it.group.as_str()),
            Tale::Service(it, _) | Tale::Deployment(it, _) => {
                Subject { sort: "service", name: it.name.as_str(), id: it.arn.as_str() }
            }
            Tale::Alarm(it, _) => Subject { sort: "alarm", name: it.name.as_str(), id: it.arn.as_str() },
            Tale::Planned(it, _) => Subject { sort: "instance", name: it.id.as_str(), id: it.id.as_str() },
            Tale::Taken(it) | Tale::Ended(it) => {
                Subject { sort: "instance", name: it.id.as_str(), id: it.id.as_str() }
            }
            Tale::Gone(all, at) => {
                let id = all.gone().get(*at).map_or("", |gone| gone.it.id.as_str());
                Subject { sort: "instance", name: id, id }
            }
            Tale::Version(it, _) => Subject { sort: "template", name: it.name.as_str(), id: it.id.as_str() },
            Tale::Deed(all, at) => {
                let id = all.get(*at).map_or("", |deed| deed.id.as_str());
                Subject { sort: "operation", name: id, id }
            }
        }
    }

    /// AWS's own word for how it stands.
    pub fn state(&self) -> Option<&str> {
        match &self.tale {
            Tale::Activity(it) => Some(it.status.as_str()),
            Tale::Refresh(it) => Some(it.status.as_str()),
            Tale::Deployment(it, at) => {
                it.deployments.get(*at).and_then(|it| it.rollout.as_deref().or(Some(it.status.as_str())))
            }
            Tale::Alarm(it, _) => Some(it.state.word()),
            Tale::Planned(it, at) => it.events.get(*at).map(|event| planned_state(event)),
            Tale::Taken(it) | Tale::Ended(it) => Some(it.state.word()),
            Tale::Gone(all, at) => all.gone().get(*at).map(|gone| gone.it.state.word()),
            Tale::Deed(all, at) => all.get(*at).map(|deed| deed.state.as_str()),
            Tale::Service(..) | Tale::Version(..) => None,
        }
    }

    /// What happened, in a sentence. May hold text from AWS.
    pub fn what(&self) -> Cow<'_, str> {
        match &self.tale {
            Tale::Activity(it) => Cow::Borrowed(it.description.as_str()),
            Tale::Refresh(it) => Cow::Owned(refresh(it)),
            Tale::Service(it, at) => {
                Cow::Borrowed(it.events.get(*at).map_or("", |event| said(event, &it.name)))
            }
            Tale::Deployment(it, at) => {
                Cow::Owned(it.deployments.get(*at).map_or_else(String::new, deployment))
            }
            Tale::Alarm(it, before) => Cow::Borrowed(turned(*before, it.state)),
            Tale::Planned(it, at) => Cow::Owned(it.events.get(*at).map_or_else(String::new, |event| {
                format!("AWS {} {}", if event.is_open() { "plans" } else { "planned" }, event.code)
            })),
            Tale::Version(it, at) => {
                Cow::Owned(it.versions.get(*at).map_or_else(String::new, |version| new_version(it, version)))
            }
            Tale::Taken(_) => Cow::Borrowed("spot capacity was taken back"),
            Tale::Ended(it) => Cow::Borrowed(ended(it.state)),
            Tale::Gone(all, at) => Cow::Owned(all.gone().get(*at).map_or_else(String::new, went)),
            Tale::Deed(all, at) => {
                Cow::Owned(all.get(*at).map_or_else(String::new, |deed| {
                    format!("{}: {}, by {}", deed.title, deed.state, deed.who)
                }))
            }
        }
    }

    /// Why, in AWS's words.
    pub fn why(&self) -> Option<&str> {
        match &self.tale {
            Tale::Activity(it) => it.message.as_deref().or(Some(it.cause.as_str())),
            Tale::Refresh(it) => it.reason.as_deref(),
            Tale::Deployment(it, at) => it.deployments.get(*at)?.reason.as_deref(),
            Tale::Alarm(it, _) => it.reason.as_deref(),
            Tale::Planned(it, at) => it.events.get(*at).map(|event| event.description.as_str()),
            Tale::Version(it, at) => it.versions.get(*at)?.description.as_deref(),
            Tale::Taken(it) | Tale::Ended(it) => it.state_reason(),
            Tale::Gone(all, at) => all.gone().get(*at)?.it.state_reason(),
            Tale::Deed(all, at) => all.get(*at)?.reason.as_deref(),
            Tale::Service(..) => None,
        }
    }

    /// When it began, where AWS tells that apart.
    pub fn began_at(&self) -> Option<Timestamp> {
        match &self.tale {
            Tale::Activity(it) => it.started_at,
            Tale::Refresh(it) => it.started_at,
            Tale::Deployment(it, at) => it.deployments.get(*at)?.created_at,
            Tale::Deed(all, at) => all.get(*at).map(|deed| deed.began_at),
            _ => self.at,
        }
    }

    /// What tells it apart from every other event of its scope.
    pub fn id(&self) -> Cow<'_, str> {
        match &self.tale {
            Tale::Activity(it) => Cow::Borrowed(it.id.as_str()),
            Tale::Refresh(it) => Cow::Borrowed(it.id.as_str()),
            Tale::Service(it, at) => Cow::Borrowed(it.events.get(*at).map_or("", |event| event.id.as_str())),
            Tale::Deployment(it, at) => {
                let id = it.deployments.get(*at).map_or("", |deployment| deployment.id.as_str());
                Cow::Owned(format!("{}/{id}", it.name))
            }
            Tale::Alarm(it, _) => Cow::Owned(format!("alarm/{}", it.name)),
            Tale::Planned(it, at) => {
                let code = it.events.get(*at).map_or("", |event| event.code.as_str());
                Cow::Owned(format!("{}/{code}/{at}", it.id))
            }
            Tale::Version(it, at) => {
                let number = it.versions.get(*at).map_or(0, |version| version.number);
                Cow::Owned(format!("{}/{number}", it.id))
            }
            Tale::Taken(it) => Cow::Owned(format!("{}/taken", it.id)),
            Tale::Ended(_) | Tale::Gone(..) => Cow::Owned(format!("{}/gone", self.subject().id)),
            Tale::Deed(all, at) => Cow::Borrowed(all.get(*at).map_or("", |deed| deed.id.as_str())),
        }
    }

    /// Ids of the instances that it names.
    pub fn instances(&self) -> Vec<&str> {
        match &self.tale {
            Tale::Activity(it) => named(&it.description),
            Tale::Service(it, at) => it.events.get(*at).map_or_else(Vec::new, |event| named(&event.message)),
            Tale::Planned(it, _) => vec![it.id.as_str()],
            Tale::Taken(_) | Tale::Ended(_) | Tale::Gone(..) => vec![self.subject().id],
            Tale::Deed(all, at) => all.get(*at).map_or_else(Vec::new, |deed| {
                let targets = deed.targets.iter().map(String::as_str);
                targets.filter(|target| target.starts_with("i-")).collect()
            }),
            Tale::Refresh(_) | Tale::Deployment(..) | Tale::Alarm(..) | Tale::Version(..) => Vec::new(),
        }
    }
}

/// Everything that happened in all parts, what is still to come first, then the newest; what has no moment
/// last.
pub(super) fn join(snapshot: &Snapshot, fleet: &Fleet) -> Vec<EventRow> {
    let mut events = Vec::new();
    for part in &snapshot.parts {
        groups(part, &mut events);
        services(part, &mut events);
        others(part, &mut events);
    }
    departures(snapshot, fleet, &mut events);
    events.sort_by_key(|event| Reverse(event.at));
    events
}

fn groups(part: &Part, events: &mut Vec<EventRow>) {
    let scope = || Arc::clone(&part.scope);
    for it in part.activities.value.iter().flat_map(Item::all) {
        let health = match it.status.as_str() {
            "Successful" => Health::Ok,
            "Failed" => Health::Bad,
            "Cancelled" => Health::Warn,
            _ => Health::Busy,
        };
        let is_spot = ["interruption", "rebalance recommendation"].iter().any(|word| it.cause.contains(word));
        let (sort, health) =
            if is_spot { (Sort::Interruption, health.max(Health::Warn)) } else { (Sort::Scaling, health) };
        let at = it.ended_at.or(it.started_at);
        events.push(EventRow { scope: scope(), at, health, sort, tale: Tale::Activity(it) });
    }
    for it in part.refreshes.value.iter().flat_map(Item::all) {
        let health = match it.status.as_str() {
            "Successful" => Health::Ok,
            "Failed" | "RollbackFailed" => Health::Bad,
            "Cancelled" | "RollbackSuccessful" => Health::Warn,
            _ => Health::Busy,
        };
        let at = it.ended_at.or(it.started_at);
        events.push(EventRow { scope: scope(), at, health, sort: Sort::Refresh, tale: Tale::Refresh(it) });
    }
}

fn services(part: &Part, events: &mut Vec<EventRow>) {
    for it in part.services.value.iter().flat_map(Item::all) {
        events.extend(it.events.iter().enumerate().map(|(nth, event)| EventRow {
            scope: Arc::clone(&part.scope),
            at: event.at,
            health: service_line(event),
            sort: Sort::Service,
            tale: Tale::Service(it.clone(), nth),
        }));
        events.extend(it.deployments.iter().enumerate().map(|(nth, deployment)| EventRow {
            scope: Arc::clone(&part.scope),
            at: deployment.updated_at.or(deployment.created_at),
            health: match deployment.rollout.as_deref() {
                Some("FAILED") => Health::Bad,
                Some("IN_PROGRESS") => Health::Busy,
                _ => Health::Ok,
            },
            sort: Sort::Deployment,
            tale: Tale::Deployment(it.clone(), nth),
        }));
    }
}

fn others(part: &Part, events: &mut Vec<EventRow>) {
    let scope = || Arc::clone(&part.scope);
    for it in part.alarms.value.iter().flat_map(Item::all).filter(|it| it.changed_at.is_some()) {
        let (at, health) = (it.changed_at, super::health::alarm(&it));
        let before = part.turns.alarm_before(&it);
        events.push(EventRow {
            scope: scope(),
            at,
            health,
            sort: Sort::Alarm,
            tale: Tale::Alarm(it, before),
        });
    }
    for it in part.statuses.value.iter().flat_map(Item::all) {
        events.extend(it.events.iter().enumerate().map(|(nth, event)| EventRow {
            scope: scope(),
            at: event.not_before,
            health: if event.is_open() { Health::Warn } else { Health::Ok },
            sort: Sort::Planned,
            tale: Tale::Planned(it.clone(), nth),
        }));
    }
    for it in part.templates.value.iter().flat_map(Item::all) {
        events.extend(it.versions.iter().enumerate().map(|(nth, version)| EventRow {
            scope: scope(),
            at: version.created_at,
            health: Health::Ok,
            sort: Sort::Version,
            tale: Tale::Version(it.clone(), nth),
        }));
    }
}

/// Instances that went: those that a list still names and those that were seen to go. What a group says of its own
/// is told by its activities, which have the moment.
fn departures(snapshot: &Snapshot, fleet: &Fleet, events: &mut Vec<EventRow>) {
    let activities =
        || snapshot.parts.iter().flat_map(|part| part.activities.value.iter().flat_map(|it| it.iter()));
    let told: HashSet<&str> = activities()
        .filter(|it| it.description.starts_with("Terminating"))
        .flat_map(|it| named(&it.description))
        .collect();
    let mut seen: HashSet<&str> = HashSet::new();
    for part in &snapshot.parts {
        for (nth, gone) in part.turns.gone().iter().enumerate() {
            let id = gone.it.id.as_str();
            seen.insert(id);
            let is_taken = is_taken(&gone.it);
            if told.contains(id) && !is_taken {
                continue;
            }
            let (sort, health) = match gone.it.state.is_gone() {
                _ if is_taken => (Sort::Interruption, Health::Warn),
                true => (Sort::Termination, worry(&gone.it)),
                // Nobody can say how it went.
                false => (Sort::Termination, Health::Unknown),
            };
            let tale = if is_taken {
                Tale::Taken(Arc::clone(&gone.it))
            } else {
                Tale::Gone(Arc::clone(&part.turns), nth)
            };
            events.push(EventRow { scope: Arc::clone(&part.scope), at: Some(gone.by), health, sort, tale });
        }
    }
    for row in &fleet.instances {
        let id = row.it.id.as_str();
        let (sort, health, tale) = match () {
            () if is_taken(&row.it) => (Sort::Interruption, Health::Warn, Tale::Taken(Arc::clone(&row.it))),
            () if row.it.state.is_gone() && !told.contains(id) => {
                (Sort::Termination, worry(&row.it), Tale::Ended(Arc::clone(&row.it)))
            }
            () => continue,
        };
        if !seen.contains(id) {
            events.push(EventRow { scope: Arc::clone(&row.scope), at: None, health, sort, tale });
        }
    }
}

fn is_taken(it: &Instance) -> bool {
    it.state_reason().is_some_and(|reason| reason.starts_with("Server.Spot"))
}

/// What somebody wanted worries nobody; what AWS did by itself may.
fn worry(it: &Instance) -> Health {
    let is_theirs = it.state_reason().is_some_and(|reason| reason.starts_with("Server."));
    if is_theirs { Health::Warn } else { Health::Ok }
}

fn ended(state: InstanceState) -> &'static str {
    match state {
        InstanceState::ShuttingDown => "is being terminated",
        _ => "was terminated",
    }
}

/// How an instance went that was seen before and after.
fn went(gone: &Gone) -> String {
    let mut says = match gone.it.state {
        state if state.is_gone() => ended(state).to_owned(),
        state => format!("is listed no more, and was {} when it last was", state.word()),
    };
    // Where nobody looked for a while, it is not known when.
    let unseen = gone.by.duration_since(gone.after).unsigned_abs();
    if unseen > UNSEEN {
        says.push_str(&format!(", at some time in the {} before", span(unseen)));
    }
    says
}

/// What an alarm's change was. AWS tells only what it is now; that it rang before is told where it was seen.
fn turned(before: Option<AlarmState>, now: AlarmState) -> &'static str {
    use AlarmState::{Alarm, InsufficientData, Ok};
    match (before, now) {
        (Some(Alarm), Ok) => "is OK again",
        (Some(InsufficientData), Ok) => "has data, and is OK",
        (_, Ok) => "turned OK",
        (Some(InsufficientData), Alarm) => "has data, and rings",
        (_, Alarm) => "rings",
        (Some(Alarm), InsufficientData) => "has no data any more; it rang before",
        (_, InsufficientData) => "has no data",
    }
}

/// What ECS says of a service. It begins each line with the name, which stands beside it anyway.
pub(super) fn said<'e>(event: &'e ServiceEvent, service: &str) -> &'e str {
    let rest = event.message.strip_prefix("(service ").and_then(|rest| rest.strip_prefix(service));
    rest.and_then(|rest| rest.strip_prefix(") ")).unwrap_or(&event.message)
}

/// ECS has no levels: what it could not do is told by its words.
fn service_line(event: &ServiceEvent) -> Health {
    let worries = ["unable to", "unhealthy", "failed", "was unable"];
    if worries.iter().any(|words| event.message.contains(words)) { Health::Warn } else { Health::Ok }
}

fn planned_state(event: &ScheduledEvent) -> &'static str {
    match () {
        () if event.is_open() => "planned",
        () if event.description.starts_with("[Completed]") => "completed",
        () => "cancelled",
    }
}

fn refresh(it: &Refresh) -> String {
    let mut says = "instance refresh".to_owned();
    if let Some(percent) = it.percent {
        says.push_str(&format!(", {percent} % done"));
    }
    if let Some(remaining) = it.remaining.filter(|_| it.is_active()) {
        says.push_str(&format!(", {remaining} to go"));
    }
    says
}

fn deployment(it: &Deployment) -> String {
    let Deployment { running, desired, failed, .. } = it;
    let failed = if *failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{}: {running} of {desired} tasks run{failed}", short_arn(&it.task_definition))
}

fn new_version(it: &Template, version: &TemplateVersion) -> String {
    let latest = if version.number == it.latest_version { ", the latest" } else { "" };
    let image = version.image.as_deref().map(|image| format!(" with {image}")).unwrap_or_default();
    format!("version {} was made{image}{latest}", version.number)
}

/// Ids of instances in a text.
fn named(text: &str) -> Vec<&str> {
    let is_id = |word: &&str| {
        word.strip_prefix("i-")
            .is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(is_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{join, made};
    use crate::gateway::Reading;
    use crate::model::Particulars;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(part: &Part) -> Vec<(&'static str, String, Option<i64>)> {
        let parts = vec![Arc::new(part.clone())];
        let snapshot = Snapshot { seq: 1, taken_at: at(0), parts, troubles: vec![] };
        let events = join(&snapshot, &made::tiers()).events;
        let told = |row: &EventRow| {
            let what = format!("{} {}", row.subject().name, row.what());
            (row.sort.word(), what, row.at.map(Timestamp::as_second))
        };
        events.iter().map(told).collect()
    }

    #[test]
    fn an_instance_that_went_is_told_with_the_moment_when_that_was_seen_and_once() {
        let one = |id: &str, state, reason: Option<&str>| {
            let particulars = Particulars { state_reason: reason.map(Into::into), ..Particulars::default() };
            Arc::new(Instance { state, particulars: particulars.into(), ..made::instance(id, &[]) })
        };
        let user = Some("Client.UserInitiatedShutdown");
        let spot = Some("Server.SpotInstanceTermination");
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "us-east-1".into() }));
        let running = |id| one(id, InstanceState::Running, None);
        let before = one("i-0000000a", InstanceState::Terminated, user);
        let list = vec![before.clone(), running("i-0000000b"), running("i-0000000c"), running("i-0000000d")];
        part.settle(Reading::Instances(list), at(100), true);
        // It was gone before anybody looked, and AWS does not tell when.
        assert_eq!(told(&part), [("termination", "i-0000000a was terminated".to_owned(), None)]);
        let list = vec![
            before,
            one("i-0000000b", InstanceState::ShuttingDown, user),
            one("i-0000000c", InstanceState::Terminated, spot),
            running("i-0000000d"),
        ];
        part.settle(Reading::Instances(list), at(130), true);
        let seen = [
            ("termination", "i-0000000b is being terminated".to_owned(), Some(130)),
            ("interruption", "i-0000000c spot capacity was taken back".to_owned(), Some(130)),
            ("termination", "i-0000000a was terminated".to_owned(), None),
        ];
        assert_eq!(told(&part), seen);
        // AWS forgets them all; what was seen stays, and for what nobody saw in time no moment is made up.
        part.settle(Reading::Instances(vec![]), at(4_000), true);
        let lost = "i-0000000d is listed no more, and was running when it last was, \
                    at some time in the 1h4m30s before";
        assert_eq!(
            told(&part),
            [
                ("termination", lost.to_owned(), Some(4_000)),
                ("termination", "i-0000000b is being terminated".to_owned(), Some(130)),
                ("interruption", "i-0000000c spot capacity was taken back".to_owned(), Some(130)),
            ]
        );
    }

    #[test]
    fn a_member_that_its_group_ended_is_told_by_the_group_alone() {
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "us-east-1".into() }));
        let activity = Activity {
            id: "act-1".into(),
            group: "g".into(),
            status: "Successful".into(),
            description: "Terminating EC2 instance: i-0000000a".into(),
            cause: "at 12:00 an instance was taken out of service".into(),
            message: None,
            started_at: Some(at(90)),
            ended_at: Some(at(95)),
        };
        part.settle(Reading::Activities(vec![activity]), at(100), true);
        let gone = Instance { state: InstanceState::Terminated, ..made::instance("i-0000000a", &[]) };
        part.settle(Reading::Instances(vec![Arc::new(gone)]), at(100), true);
        assert_eq!(told(&part), [("scaling", "g Terminating EC2 instance: i-0000000a".to_owned(), Some(95))]);
    }

    #[test]
    fn a_line_about_a_service_does_not_name_it_twice() {
        let said = |message: &str, service| {
            let event = ServiceEvent { id: "e".into(), at: None, message: message.into() };
            said(&event, service).to_owned()
        };
        assert_eq!(said("(service api) was unable to place a task", "api"), "was unable to place a task");
        assert_eq!(said("(service api-2) has begun", "api"), "(service api-2) has begun");
        assert_eq!(said("", "api"), "");
    }

    #[test]
    fn an_alarm_is_ok_again_only_where_it_was_seen_to_ring() {
        use AlarmState::{Alarm as Rings, InsufficientData, Ok};
        let said = [None, Some(InsufficientData), Some(Rings)].map(|before| turned(before, Ok));
        assert_eq!(said, ["turned OK", "has data, and is OK", "is OK again"]);
        assert_eq!(turned(Some(Ok), Rings), "rings");
        assert_eq!(turned(Some(Rings), InsufficientData), "has no data any more; it rang before");
    }

    #[test]
    fn instances_are_found_in_sentences() {
        let text = "Terminating EC2 instance: i-0123456789abcdef0, (instance i-0a1b2c3d) is i-n i-xyz";
        assert_eq!(named(text), ["i-0123456789abcdef0", "i-0a1b2c3d"]);
    }
}
