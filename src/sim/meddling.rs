//! What whoever runs the simulator lets happen to hosts, zones and containers.

use super::Running;
use super::world::place::Place;
use std::sync::PoisonError;

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
}
