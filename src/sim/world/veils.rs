//! Eventual consistency: for a moment after a change EC2 shows what was before it.

use super::machine::{Instance, Template};
use super::place::Place;
use crate::sim::time::Moment;
use compact_str::CompactString;
use std::collections::HashMap;

/// What reads show instead of what is, and until when; none for what they do not see yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Veils {
    /// Reads lag at all.
    pub(crate) is_on: bool,
    instances: HashMap<CompactString, (Moment, Option<Instance>)>,
    templates: HashMap<CompactString, (Moment, Option<Template>)>,
}

impl Place {
    /// Before a change of an instance, or before it is there: reads will lag.
    pub(crate) fn veil_instance(&mut self, id: &str) {
        if let Some(until) = self.lag() {
            let before = self.instances.get(id).cloned();
            self.veils.instances.retain(|_, (until, _)| *until > self.now);
            self.veils.instances.entry(id.into()).or_insert((until, before)).0 = until;
        }
    }

    /// The same for a launch template.
    pub(crate) fn veil_template(&mut self, id: &str) {
        if let Some(until) = self.lag() {
            let before = self.templates.get(id).cloned();
            self.veils.templates.retain(|_, (until, _)| *until > self.now);
            self.veils.templates.entry(id.into()).or_insert((until, before)).0 = until;
        }
    }

    /// Until when a change that is made now is not seen everywhere: one to four seconds.
    fn lag(&mut self) -> Option<Moment> {
        self.veils.is_on.then(|| Moment(self.now.0 + self.dice.between(1000, 4000)))
    }

    /// An instance as a read sees it now.
    pub(crate) fn seen<'p>(&'p self, instance: &'p Instance, now: Moment) -> Option<&'p Instance> {
        match self.veils.instances.get(&instance.id) {
            Some((until, before)) if *until > now => before.as_ref(),
            _ => Some(instance),
        }
    }

    /// A launch template as a read sees it now.
    pub(crate) fn seen_template<'p>(&'p self, template: &'p Template, now: Moment) -> Option<&'p Template> {
        match self.veils.templates.get(&template.id) {
            Some((until, before)) if *until > now => before.as_ref(),
            _ => Some(template),
        }
    }
}
