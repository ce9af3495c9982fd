//! What a scenario lets happen.

use super::Event;
use crate::sim::script::What;
use crate::sim::world::keeping::Parameter;
use crate::sim::world::place::Place;
use compact_str::CompactString;

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
            What::Parameter(name, value) => {
                let version = self.parameters.get(name.as_str()).map_or(1, |known| known.version + 1);
                let kind = self.parameters.get(name.as_str()).map_or("String", |known| known.kind);
                let parameter = Parameter {
                    name: name.into(),
                    kind,
                    value: value.clone(),
                    version,
                    modified: now,
                    ..Parameter::default()
                };
                self.parameters.insert(name.into(), parameter);
            }
        }
        Some(())
    }
}
