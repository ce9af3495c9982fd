//! What operations hold: which row is whose target, for the sign beside it, and what the timeline tells of them.

use super::state::Ui;
use crate::fleet::{Deed, Fleet};
use crate::ops::Phase;
use crate::ops::counter::{Listed, Register};
use crate::ops::told;
use crate::query::Kind;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the engine knows a row by; none for kinds that no operation acts on.
pub(super) fn target(of: Kind, fleet: &Fleet, at: usize) -> Option<String> {
    match of {
        Kind::Instances => fleet.instances.get(at).map(|row| row.it.id.to_string()),
        Kind::Hosts => fleet.hosts.get(at)?.it.instance_id.as_ref().map(ToString::to_string),
        Kind::Tasks => fleet.tasks.get(at).map(|row| row.it.arn.to_string()),
        Kind::Groups => fleet.groups.get(at).map(|row| row.it.name.to_string()),
        Kind::Services => fleet.services.get(at).map(|row| row.it.arn.to_string()),
        Kind::Templates => fleet.templates.get(at).map(|row| row.it.id.to_string()),
        Kind::Tenants => fleet.tenants.get(at).map(|tenant| tenant.id.to_string()),
        Kind::Cores => fleet.cores.get(at).map(|core| core.id.to_string()),
        _ => None,
    }
}

/// The targets of operations that are not over, as far as they are not over themselves, and whose they are.
pub(super) fn held(register: &Register) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for listed in register.open() {
        for (lane, state) in listed.op.plan.lanes.iter().zip(&listed.op.lanes) {
            if !matches!(state.phase, Phase::Over(_)) {
                held.insert(lane.target.clone(), listed.op.record.id.clone());
            }
        }
    }
    held
}

/// The operations as the timeline tells them.
pub(super) fn deeds(register: &Register, now: Timestamp) -> Arc<[Deed]> {
    let ops = register.states();
    let deeds = register.ops.iter().filter_map(|listed| told::deed(&listed.op, listed.lives, now, &ops));
    deeds.collect()
}

impl Ui {
    /// The operation that holds a row.
    pub(super) fn holder(&self, of: Kind, fleet: &Fleet, at: usize) -> Option<&Arc<Listed>> {
        if self.held.is_empty() || self.is_past() {
            return None;
        }
        self.register.find(self.held.get(&target(of, fleet, at)?)?)
    }
}
