//! What whoever runs the simulator lets happen to hosts, zones and containers.

use super::Running;
use super::time::Moment;
use super::world::corelog::Line;
use super::world::crowd::Crowd;
use super::world::place::Place;
use std::sync::PoisonError;
use std::time::Duration;

impl Running {
    /// Cuts a core (by its id in the registry) off from its database, or brings that back; tells whether there is
    /// such a core.
    pub fn cut_off(&self, core: &str, is_cut_off: bool) -> bool {
        self.each_place(|place| {
            let held = &mut place.cut_off;
            if is_cut_off {
                held.insert(core.into())
            } else {
                held.remove(core)
            };
        });
        self.cores.as_ref().is_some_and(|cores| cores.cut_off(core, is_cut_off))
    }

    /// Lets a zone (by its name) have no room for instances that are launched by themselves, or room again.
    pub fn fill_zone(&self, zone: &str, is_full: bool) {
        self.each_place(|place| {
            let Some(at) = place.zones.iter().position(|one| one.name == zone) else { return };
            if is_full {
                place.full_zones.insert(at)
            } else {
                place.full_zones.remove(&at)
            };
        });
    }

    /// Lets docker's daemon on an instance answer nothing, or answer again. Its containers go on as they are.
    pub fn halt_docker(&self, instance: &str, is_down: bool) {
        self.each_place(|place| {
            let held = &mut place.without_docker;
            if is_down {
                held.insert(instance.into())
            } else {
                held.remove(instance)
            };
        });
    }

    fn each_place(&self, mut change: impl FnMut(&mut Place)) {
        for place in self.site.world.settled() {
            change(&mut place.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Puts a variable into the environment of a core's container, and a label onto it.
    pub fn plant(&self, core: &str, variable: &str, value: &str, label: &str, text: &str) {
        self.each_place(|place| {
            let mine = place.docker.values_mut().flatten().filter(|one| one.core.as_deref() == Some(core));
            for container in mine {
                container.env.push((variable.into(), value.into()));
                container.labels.push((label.into(), text.into()));
            }
        });
    }

    /// Lets a tenant of a core, by its connection URI domain, ask for so many requests a second more than usual, from now
    /// on for so long in pretended time. All tenants of that core share its server threads, and wait.
    pub fn crowd(&self, core: &str, domain: &str, rate: f64, lasts: Duration) {
        let from = self.site.world.clock.now();
        let until = Moment(from.0.saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX)));
        self.each_place(|place| {
            let mut of_it = Vec::new();
            for (instance, all) in &place.docker {
                let ports = all
                    .iter()
                    .filter(|one| one.core.as_deref() == Some(core))
                    .filter_map(|one| one.ports.first());
                of_it.extend(ports.map(|(port, _)| (instance.clone(), *port)));
            }
            let crowd =
                |(instance, port)| Crowd { instance, port, domain: domain.to_lowercase(), rate, from, until };
            place.crowds.extend(of_it.into_iter().map(crowd));
        });
    }

    /// Lets a core write this line, so long ago.
    pub fn remark(&self, core: &str, ago: Duration, text: &str) {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(0);
        let at = Moment(self.site.world.clock.now().0.saturating_sub(ago));
        self.each_place(|place| {
            place.remarks.push((core.into(), Line { at, text: text.to_owned() }));
        });
    }
}
