//! What a scenario lets happen.

use super::Event;
use crate::sim::script::What;
use crate::sim::world::machine::TemplateVersion;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Preferences, Refresh, TemplateChoice};
use compact_str::{CompactString, format_compact};

impl Place {
    /// Notes what a scenario lets happen here.
    pub(crate) fn tell(&mut self, seconds: i64, what: What) {
        self.told.push(what);
        self.note(seconds, Event::Told(self.told.len() - 1));
    }

    /// The instance of an id, or of a name tag: the first that is not gone.
    fn meant(&self, name: &str) -> Option<CompactString> {
        if self.instances.has(name) {
            return Some(name.into());
        }
        let there = |instance: &&crate::sim::world::machine::Instance| {
            instance.tag("Name") == Some(name) && !instance.state.is_gone()
        };
        self.instances.rows().find(there).map(|instance| instance.id.clone())
    }

    pub(super) fn do_as_told(&mut self, number: usize) {
        let Some(what) = self.told.get(number).cloned() else { return };
        if self.carry_out_told(&what).is_none() {
            tracing::warn!(?what, account = %self.account, region = self.region, "nothing here is called so");
        }
    }

    fn carry_out_told(&mut self, what: &What) -> Option<()> {
        let now = self.now;
        match what {
            What::Interrupt(name) => {
                let id = self.meant(name)?;
                self.drain_host(&id);
                self.note(120, Event::Taken(id));
            }
            What::Terminate(name) => {
                let id = self.meant(name)?;
                self.terminate(&id, ("Client.UserInitiatedShutdown", "User initiated shutdown"));
            }
            What::Stop(name) => {
                let id = self.meant(name)?;
                self.stop_instance(&id);
            }
            What::Impair(name) => {
                let id = self.meant(name)?;
                self.instances.get_mut(&id)?.impaired_since = Some(now);
            }
            What::Heal(name) => {
                let id = self.meant(name)?;
                self.instances.get_mut(&id)?.impaired_since = None;
            }
            What::Silence(name) => {
                let id = self.meant(name)?;
                if let Some(agent) = &mut self.instances.get_mut(&id)?.agent {
                    agent.silent_since = Some(now);
                }
                for cluster in self.clusters.rows_mut() {
                    for host in cluster.hosts.rows_mut().filter(|host| host.instance == id) {
                        host.is_connected = false;
                    }
                }
            }
            What::Scale(name, desired) => {
                let group = self.groups.get_mut(name)?;
                group.desired = (*desired).clamp(group.min, group.max);
                self.note(1, Event::Group(name.into()));
            }
            What::Deploy(cluster, name) => {
                let service = self.clusters.get(cluster)?.services.get(name)?;
                let definition = service.deployments.first()?.definition.clone();
                self.deploy(cluster, name, definition);
            }
            What::Alarm(name, state) => {
                let alarm = self.alarms.get_mut(name)?;
                alarm.state = match state.as_str() {
                    "ALARM" => "ALARM",
                    "OK" => "OK",
                    _ => "INSUFFICIENT_DATA",
                };
                alarm.reason = "The state was set by hand.".to_owned();
                alarm.since = now;
            }
            What::Tag(name, key, value) => {
                let id = self.meant(name)?;
                let tags = &mut self.instances.get_mut(&id)?.tags;
                match tags.iter_mut().find(|(known, _)| known == key) {
                    Some((_, old)) => *old = value.into(),
                    None => tags.push((key.into(), value.into())),
                }
            }
            What::Parameter(name, value) => self.publish(name, value.clone(), 1, now),
            What::Refresh(name, version) => self.refresh_as_told(name, version.as_deref())?,
            What::CancelRefresh(name) => {
                let refresh = self.groups.get_mut(name)?.active_refresh()?;
                refresh.status = "Cancelling";
                refresh.reason = Some("Cancelled due to user request.".into());
                self.note(1, Event::Group(name.into()));
            }
            What::Suspend(name, process) => {
                let reason = format_compact!("User suspended at {}", now.rfc3339());
                let group = self.groups.get_mut(name)?;
                if !group.suspends(process) {
                    group.suspended.push((process.into(), reason));
                }
            }
            What::Resume(name, process) => {
                self.groups.get_mut(name)?.suspended.retain(|(known, _)| known != process);
                self.note(1, Event::Group(name.into()));
            }
            What::Version(name, image) => {
                let image = self.images.rows().find(|known| known.name == *image)?.id.clone();
                let template = self.templates.rows_mut().find(|known| known.name == *name)?;
                let latest = template.versions.last()?.clone();
                template.highest += 1;
                let number = template.highest;
                template.versions.push(TemplateVersion { number, image, created: now, ..latest });
            }
            What::UseVersion(name, version) => {
                let group = self.groups.get_mut(name)?;
                let is_there =
                    self.templates.get(&group.template.id).is_some_and(|one| one.version(version).is_some());
                let is_free =
                    group.refreshes.last().is_none_or(|one| !one.is_active() || one.desired.is_none());
                if !is_there || !is_free {
                    return None;
                }
                group.template.version = version.into();
            }
            What::Deregister(name) => {
                let id = self.images.rows().find(|known| known.name == *name)?.id.clone();
                self.images.remove(&id);
            }
            What::Room(name, has_room) => {
                self.groups.get_mut(name)?.lacks_room = !has_room;
                self.note(1, Event::Group(name.into()));
            }
            What::ZoneRoom(name, has_room) => {
                let at = self.zones.iter().position(|zone| zone.name == *name)?;
                if *has_room {
                    self.full_zones.remove(&at)
                } else {
                    self.full_zones.insert(at)
                };
            }
            What::Docker(name, is_up) => {
                let id = self.meant(name)?;
                if *is_up {
                    self.without_docker.remove(&id)
                } else {
                    self.without_docker.insert(id)
                };
            }
            What::Protect(name, is_protected) => {
                let id = self.meant(name)?;
                let group = CompactString::from(self.instances.get(&id)?.group()?);
                self.groups.get_mut(&group)?.member_mut(&id)?.is_protected = *is_protected;
            }
        }
        Some(())
    }

    /// A refresh from the console, with what the console sends when nobody changes it.
    fn refresh_as_told(&mut self, name: &str, version: Option<&str>) -> Option<()> {
        let id = CompactString::from(self.dice.uuid());
        let group = self.groups.get_mut(name)?;
        if group.active_refresh().is_some() {
            return None;
        }
        let desired =
            version.map(|version| TemplateChoice { version: version.into(), ..group.template.clone() });
        let (min, max) = group.maintenance.unzip();
        let preferences = Preferences {
            min: min.unwrap_or(90),
            max,
            skips_matching: true,
            protected: "Ignore",
            standby: "Ignore",
            ..Preferences::default()
        };
        let mix = group.mix.clone().filter(|_| desired.is_some());
        group.refreshes.push(Refresh {
            id,
            status: "Pending",
            preferences,
            desired,
            mix,
            ..Refresh::default()
        });
        self.note(1, Event::Group(name.into()));
        Some(())
    }
}
