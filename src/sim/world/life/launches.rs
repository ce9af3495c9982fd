//! How a member of a group is launched and comes into service, and the activities that tell of it.

use super::machines::Order;
use super::recipes::Recipe;
use super::{Event, SOON};
use crate::sim::world::balancing::{Health, Target};
use crate::sim::world::machine::{Flaw, Tag};
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Activity, Member, Stage};
use compact_str::{CompactString, format_compact};
use std::sync::Arc;

impl Place {
    /// Launches a member by the group's template and mix; none, with a failed activity, when that cannot be.
    pub(crate) fn launch_member(&mut self, name: &str, cause: &str) -> Option<CompactString> {
        let group = self.groups.get(name)?;
        let Recipe { template, version, kind, image, weight, is_spot } = match self.recipe(group) {
            Ok(recipe) => recipe,
            Err(why) => {
                self.fail_launch(name, cause, &why);
                return None;
            }
        };
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
        tags.push(("aws:ec2launchtemplate:id".into(), template.clone()));
        tags.push(("aws:ec2launchtemplate:version".into(), version.number.to_string().into()));
        let order = Order {
            kind,
            zone: zones.first().map_or(0, |(_, zone)| *zone),
            image: image.clone(),
            is_spot,
            busy: like.map_or(12.0, |instance| instance.load.mean),
            profile: version.profile,
            security_group: (Arc::clone(&version.security_group), "fleet-node".into()),
            tags,
        };
        let reservation = self.dice.id("r");
        let id = self.start_instance(order, &reservation, 0);
        let now = self.now;
        let member = Member {
            instance: id.clone(),
            stage: Stage::Pending,
            is_healthy: true,
            template,
            version: version.number,
            kind: kind.name,
            image,
            weight,
            since: now,
            ..Member::default()
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.members.push(member);
        }
        self.act(name, &format!("Launching a new EC2 instance: {id}"), cause);
        self.note(SOON, Event::Group(name.into()));
        Some(id)
    }

    /// Notes a launch that failed, and looks again in a while.
    fn fail_launch(&mut self, name: &str, cause: &str, why: &str) {
        let said = self.groups.get(name).and_then(|group| group.activities.last());
        let is_new = said
            .is_none_or(|last| last.message.as_deref() != Some(why) || self.now.since(last.started) >= 300);
        if is_new {
            self.act(name, &format!("Launching a new EC2 instance.  Status Reason: {why}"), cause);
            let now = self.now;
            if let Some(last) = self.groups.get_mut(name).and_then(|group| group.activities.last_mut()) {
                last.status = "Failed";
                last.ended = Some(now);
                last.progress = 100;
                last.message = Some(why.into());
            }
        }
        self.note(60, Event::Group(name.into()));
    }

    /// A member's instance runs: its hooks hold it, or it is in service.
    pub(super) fn arrive(&mut self, name: &str, instance: &str) {
        let stage = self.groups.get(name).and_then(|group| {
            group.members.iter().find(|member| member.instance == instance).map(|member| member.stage)
        });
        if stage != Some(Stage::Pending) {
            return;
        }
        // Whatever runs on it starts while a hook holds it.
        self.note(45, Event::Registers(instance.into()));
        if !self.hold(name, instance, true) {
            self.enter_service(name, instance);
        }
    }

    /// A member is in service, and a target of its group's load balancers.
    pub(crate) fn enter_service(&mut self, name: &str, instance: &str) {
        self.set_stage(name, instance, Stage::InService);
        let now = self.now;
        self.succeed_activities(name, instance);
        let fails = self.flaw(instance) == Some(Flaw::Unhealthy);
        let Some(group) = self.groups.get_mut(name) else { return };
        let protects = group.protects_new;
        let adds = !group.suspends("AddToLoadBalancer");
        if let Some(member) = group.member_mut(instance) {
            member.is_protected = protects;
            member.is_healthy = true;
        }
        for arn in group.target_groups.clone().into_iter().filter(|_| adds) {
            if let Some(group) = self.target_groups.get_mut(&arn) {
                let health = match fails {
                    true => Health::Failing("502"),
                    false => Health::Initial(now.plus(i64::from(group.interval) * 2)),
                };
                group.targets.retain(|target| target.id != instance);
                group.targets.push(Target { id: instance.into(), port: group.port, health });
            }
        }
    }

    /// Writes an activity. Launches, terminations and moves to standby go on until something ends them.
    pub(crate) fn act(&mut self, name: &str, description: &str, cause: &str) {
        let id = CompactString::from(self.dice.uuid());
        let now = self.now;
        let goes_on = ["Launching", "Terminating", "Moving EC2 instance to Standby", "Detaching"]
            .iter()
            .any(|verb| description.starts_with(verb));
        let activity = Activity {
            id,
            description: description.into(),
            cause: format!("At {} {cause}", now.rfc3339()),
            started: now,
            ended: (!goes_on).then_some(now),
            status: if goes_on { "InProgress" } else { "Successful" },
            message: None,
            progress: if goes_on { 50 } else { 100 },
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

    /// What goes on about an instance has come to its end.
    pub(super) fn succeed_activities(&mut self, name: &str, instance: &str) {
        self.end_activities(name, instance, "Successful", None);
    }

    /// What goes on about an instance has failed.
    pub(super) fn fail_activity(&mut self, name: &str, instance: &str, why: &str) {
        self.end_activities(name, instance, "Failed", Some(why));
    }

    fn end_activities(&mut self, name: &str, instance: &str, status: &'static str, why: Option<&str>) {
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return };
        let open = group.activities.iter_mut().rev().take(200);
        for activity in open.filter(|a| a.status == "InProgress" && a.description.contains(instance)) {
            activity.status = status;
            activity.progress = 100;
            activity.ended = Some(now);
            activity.message = why.map(CompactString::from);
        }
    }
}
