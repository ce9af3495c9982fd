//! Auto Scaling's loop over a group: who is gone, who is missing, who is too many.

use super::machines::Order;
use super::{Event, SOON};
use crate::sim::world::balancing::{Health, Target};
use crate::sim::world::machine::{Kind, State, Tag};
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Activity, Group, Member, Stage};
use compact_str::{CompactString, format_compact};

impl Group {
    /// Tells whether a process is suspended.
    pub(crate) fn suspends(&self, process: &str) -> bool {
        self.suspended.iter().any(|(name, _)| name == process)
    }

    /// Members that count: there, or on their way to be.
    pub(crate) fn live(&self) -> usize {
        self.members.iter().filter(|member| matches!(member.stage, Stage::Pending | Stage::InService)).count()
    }

    fn forget(&mut self, instance: &str) {
        self.members.retain(|member| member.instance != instance);
    }
}

impl Place {
    /// One look at a group.
    pub(super) fn look_at_group(&mut self, name: &str) {
        if !self.groups.has(name) {
            return;
        }
        self.reap(name);
        self.proceed_with_terminations(name);
        let refreshing = self.step_refresh(name);
        self.meet_desired(name, refreshing);
        let Some(group) = self.groups.get(name) else { return };
        let moving =
            group.members.iter().any(|member| !matches!(member.stage, Stage::InService | Stage::Standby));
        if moving || refreshing {
            self.note(SOON, Event::Group(name.into()));
        }
    }

    /// Lets go of members whose instances are gone.
    fn reap(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        let mut gone = Vec::new();
        for member in &group.members {
            let state = self.instances.get(&member.instance).map(|instance| instance.state);
            let is_over = match member.stage {
                Stage::Terminating | Stage::TerminatingWait => {
                    matches!(state, None | Some(State::Terminated))
                }
                _ => state.is_none_or(State::is_gone),
            };
            if is_over {
                gone.push((member.instance.clone(), member.stage));
            }
        }
        for (instance, stage) in gone {
            if let Some(group) = self.groups.get_mut(name) {
                group.forget(&instance);
            }
            if !matches!(stage, Stage::Terminating | Stage::TerminatingWait) {
                let cause = "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.";
                self.act(name, &format!("Terminating EC2 instance: {instance}"), cause);
            }
        }
    }

    /// Ends members whose hosts have been drained.
    fn proceed_with_terminations(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        let waiting: Vec<CompactString> = group
            .members
            .iter()
            .filter(|member| member.stage == Stage::TerminatingWait)
            .map(|member| member.instance.clone())
            .collect();
        for instance in waiting {
            if !self.drain_host(&instance) {
                self.set_stage(name, &instance, Stage::Terminating);
                self.terminate(&instance, ("Client.InstanceInitiatedShutdown", "Terminated by Auto Scaling"));
            }
        }
    }

    fn set_stage(&mut self, group: &str, instance: &str, stage: Stage) {
        let now = self.now;
        let found = self.groups.get_mut(group);
        if let Some(member) =
            found.and_then(|group| group.members.iter_mut().find(|m| m.instance == instance))
        {
            member.stage = stage;
            member.since = now;
        }
    }

    /// Launches what is missing, ends what is too many.
    fn meet_desired(&mut self, name: &str, refreshing: bool) {
        let Some(group) = self.groups.get(name) else { return };
        let (live, desired) = (group.live(), usize::try_from(group.desired).unwrap_or(0));
        if live < desired && !group.suspends("Launch") {
            for at in live..desired {
                let cause = format!(
                    "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {at} to {}.",
                    at + 1
                );
                self.launch_member(name, &cause);
            }
        }
        if live > desired && !refreshing {
            for at in (desired..live).rev() {
                let Some(victim) = self.groups.get(name).and_then(|group| self.victim(group)) else { break };
                let cause = format!(
                    "an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from {} to {at}.",
                    at + 1
                );
                self.end_member(name, &victim, &cause);
            }
        }
    }

    /// Whom scale-in takes: not the protected; the oldest template first, then the oldest.
    fn victim(&self, group: &Group) -> Option<CompactString> {
        if group.suspends("Terminate") {
            return None;
        }
        let open = group.members.iter().filter(|member| {
            !member.is_protected && matches!(member.stage, Stage::InService | Stage::Pending)
        });
        open.min_by_key(|member| (member.version, member.since)).map(|member| member.instance.clone())
    }

    /// Ends a member: its host drains first when its capacity provider says so.
    pub(crate) fn end_member(&mut self, name: &str, instance: &str, cause: &str) {
        self.act(name, &format!("Terminating EC2 instance: {instance}"), cause);
        self.drain_targets(instance, None);
        let drains = self.providers.rows().any(|provider| provider.group == name && provider.drains);
        if drains && self.drain_host(instance) {
            self.set_stage(name, instance, Stage::TerminatingWait);
        } else {
            self.set_stage(name, instance, Stage::Terminating);
            self.terminate(instance, ("Client.InstanceInitiatedShutdown", "Terminated by Auto Scaling"));
        }
        self.note(SOON, Event::Group(name.into()));
    }

    /// Launches a member by the group's template and mix.
    pub(crate) fn launch_member(&mut self, name: &str, cause: &str) -> Option<CompactString> {
        let group = self.groups.get(name)?;
        let number = self.launch_version(group)?;
        let template = self.templates.get(&group.template.id)?;
        let version = template.version(&number.to_string())?;
        let (kind, is_spot) = self.purchase(group, version.kind);
        let mut zones: Vec<(usize, usize)> = group
            .zones
            .iter()
            .map(|zone| {
                let here = |member: &&Member| {
                    self.instances.get(&member.instance).is_some_and(|instance| instance.zone == *zone)
                };
                (group.members.iter().filter(here).count(), *zone)
            })
            .collect();
        zones.sort_unstable();
        let like = group.members.first().and_then(|member| self.instances.get(&member.instance));
        let mut tags: Vec<Tag> =
            group.tags.iter().filter(|(_, propagates)| *propagates).map(|(tag, _)| tag.clone()).collect();
        tags.push(("aws:autoscaling:groupName".into(), name.into()));
        tags.push(("aws:ec2launchtemplate:id".into(), template.id.clone()));
        tags.push(("aws:ec2launchtemplate:version".into(), number.to_string().into()));
        let order = Order {
            kind,
            zone: zones.first().map_or(0, |(_, zone)| *zone),
            image: version.image.clone(),
            is_spot,
            busy: like.map_or(12.0, |instance| instance.load.mean),
            profile: version.profile.clone(),
            security_group: (std::sync::Arc::clone(&version.security_group), "fleet-node".into()),
            tags,
        };
        let reservation = self.dice.id("r");
        let id = self.start_instance(order, &reservation, 0);
        let now = self.now;
        let member = Member {
            instance: id.clone(),
            stage: Stage::Pending,
            is_healthy: true,
            is_protected: false,
            version: number,
            since: now,
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.members.push(member);
        }
        self.act(name, &format!("Launching a new EC2 instance: {id}"), cause);
        self.note(SOON, Event::Group(name.into()));
        Some(id)
    }

    /// The version that a launch takes now: a refresh's while one runs.
    pub(super) fn launch_version(&self, group: &Group) -> Option<u32> {
        let template = self.templates.get(&group.template.id)?;
        let choice = group
            .refreshes
            .last()
            .filter(|refresh| matches!(refresh.status, "Pending" | "InProgress" | "Baking"));
        let wanted = choice.and_then(|refresh| refresh.desired.as_ref()).unwrap_or(&group.template);
        template.version(&wanted.version).map(|version| version.number)
    }

    /// Which type, and whether from the spot market: the base first, then by percent.
    fn purchase(&self, group: &Group, own: Option<&'static str>) -> (&'static Kind, bool) {
        let fallback = own.and_then(Kind::named).unwrap_or(&crate::sim::world::machine::KINDS[0]);
        let Some(mix) = &group.mix else { return (fallback, false) };
        let mut on_demand = 0;
        let mut spot = 0;
        for member in &group.members {
            match self.instances.get(&member.instance).map(|instance| instance.spot_request.is_some()) {
                Some(true) => spot += 1,
                Some(false) => on_demand += 1,
                None => {}
            }
        }
        let above = (on_demand + spot + 1_u32).saturating_sub(mix.on_demand_base);
        let wanted = mix.on_demand_base + (above * mix.on_demand_percent).div_ceil(100);
        let is_spot = on_demand >= wanted;
        let at = if is_spot { usize::try_from(spot).unwrap_or(0) % mix.overrides.len().max(1) } else { 0 };
        let kind = mix.overrides.get(at).and_then(|(name, _)| Kind::named(name));
        (kind.unwrap_or(fallback), is_spot)
    }

    /// A member's instance runs: it is in service, becomes a target, and its agent will register.
    pub(crate) fn enter_service(&mut self, name: &str, instance: &str) {
        self.set_stage(name, instance, Stage::InService);
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return };
        let protects = group.protects_new;
        if let Some(member) = group.members.iter_mut().find(|member| member.instance == instance) {
            member.is_protected = protects;
        }
        for activity in group
            .activities
            .iter_mut()
            .filter(|a| a.status == "InProgress" && a.description.contains(instance))
        {
            activity.status = "Successful";
            activity.progress = 100;
            activity.ended = Some(now);
        }
        for arn in group.target_groups.clone() {
            if let Some(group) = self.target_groups.get_mut(&arn) {
                let health = Health::Initial(now.plus(i64::from(group.interval) * 2));
                group.targets.push(Target { id: instance.into(), port: group.port, health });
            }
        }
        self.note(45, Event::Registers(instance.into()));
    }

    /// Writes an activity.
    pub(crate) fn act(&mut self, name: &str, description: &str, cause: &str) {
        let id = CompactString::from(self.dice.uuid());
        let now = self.now;
        let is_launch = description.starts_with("Launching");
        let activity = Activity {
            id,
            description: description.into(),
            cause: format!("At {} {cause}", now.rfc3339()),
            started: now,
            ended: (!is_launch).then_some(now),
            status: if is_launch { "InProgress" } else { "Successful" },
            message: None,
            progress: if is_launch { 50 } else { 100 },
            details: format_compact!(
                "{{\"Subnet ID\":\"{}\",\"Availability Zone\":\"{}\"}}",
                self.subnet(0),
                self.zone(0)
            )
            .into(),
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.activities.push(activity);
            // Six weeks of a restless group would fill the memory; the newest are what is asked for.
            if group.activities.len() > 1000 {
                group.activities.drain(..500);
            }
        }
    }
}
