//! Public parameters: what AWS itself publishes below `/aws/service/`, AMIs above all.

use super::keeping::{Parameter, Past};
use super::place::Place;
use crate::sim::time::Moment;
use std::collections::BTreeMap;

/// What their names begin with.
pub(crate) const PUBLIC: &str = "/aws/service/";

impl Place {
    /// The parameters among which one of that name, or below that path, would be.
    pub(crate) fn parameters_of(&self, name: &str) -> &BTreeMap<compact_str::CompactString, Parameter> {
        let is_public = name.starts_with(PUBLIC) || format!("{name}/").starts_with(PUBLIC);
        if is_public { &self.published } else { &self.parameters }
    }

    /// A parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters_of(name).get(name)
    }

    /// The value of a parameter, `NAME` or `NAME:VERSION`.
    pub(crate) fn parameter_value(&self, name: &str) -> Option<&str> {
        let (name, version) = name.split_once(':').map_or((name, None), |(name, it)| (name, Some(it)));
        let found = self.parameter(name)?;
        let Some(wanted) = version else { return Some(&found.value) };
        if wanted.parse() == Ok(found.version) {
            return Some(&found.value);
        }
        let past = found.past.iter().find(|past| wanted.parse() == Ok(past.version))?;
        Some(&past.value)
    }

    /// Writes a parameter's next version, the first one with this number; what was before is its past.
    pub(crate) fn publish(&mut self, name: &str, value: String, first: u32, at: Moment) {
        let kept = if name.starts_with(PUBLIC) { &mut self.published } else { &mut self.parameters };
        match kept.get_mut(name) {
            Some(known) => {
                known.past.push(Past {
                    kind: known.kind,
                    value: std::mem::replace(&mut known.value, value),
                    version: known.version,
                    modified: known.modified,
                    description: known.description.clone(),
                    user: known.user.clone(),
                });
                known.version += 1;
                known.modified = at;
            }
            None => {
                let made = Parameter {
                    name: name.into(),
                    kind: "String",
                    value,
                    version: first,
                    modified: at,
                    ..Parameter::default()
                };
                kept.insert(name.into(), made);
            }
        }
    }
}
