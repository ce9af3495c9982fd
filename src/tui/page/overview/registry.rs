//! What the registry does not tell: that it is empty, or how many of its entries differ from what the last
//! inventory saw.

use super::{Row, beside};
use crate::fleet::{INVENTORY, TierRow};
use crate::model::{DriftSort, Known, WhyUnknown};
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use std::collections::BTreeMap;

/// That nobody has told of any core on docker hosts; nothing where somebody has, or there are no such hosts.
pub(crate) fn lacks_cores(ui: &Ui) -> bool {
    let is_uncounted = |tier: &TierRow| tier.name.is_some() && tier.cores == Known::No(WhyUnknown::NotAsked);
    ui.world.snapshot.names_no_core() && ui.world.fleet.tiers.iter().any(is_uncounted)
}

/// A line about an empty registry; none where it names cores.
pub(super) fn empty(ui: &Ui, width: usize, rows: &mut Vec<Row>) {
    if !lacks_cores(ui) {
        return;
    }
    let mut title = vec![(Role::Title, "Registry".to_owned())];
    let text = format!("names no cores, so what runs on docker hosts is not known: {INVENTORY}");
    let below = beside(&mut title, Role::Unknown, &text, width);
    rows.push(Row { item: None, pieces: title });
    rows.extend(below);
}

/// A line about it; none where nothing differs.
pub(super) fn drifted(ui: &Ui, width: usize, rows: &mut Vec<Row>) {
    let fleet = &ui.world.fleet;
    let all = fleet.cores.iter().filter_map(|core| core.drift.as_ref());
    let all = all.chain(fleet.tenants.iter().filter_map(|tenant| tenant.drift.as_ref()));
    let mut sorts: BTreeMap<DriftSort, usize> = BTreeMap::new();
    let mut at = None;
    for drift in all.filter(|drift| drift.sort.is_drift()) {
        *sorts.entry(drift.sort).or_default() += 1;
        at = at.max(Some(drift.at));
    }
    let Some(at) = at else { return };
    let each: Vec<String> = sorts.iter().map(|(sort, count)| format!("{count} {}", sort.word())).collect();
    let sum: usize = sorts.values().sum();
    let entries = if sum == 1 { "entry differs" } else { "entries differ" };
    let text = format!("  {sum} {entries} from the inventory of {}: {}", ui.clock(at), each.join(", "));
    let text = cell::cut(&text, width.saturating_sub(10), ui.signs().cut()).into_owned();
    let pieces = vec![(Role::Title, "Registry".to_owned()), (Role::Trouble, text)];
    rows.push(Row { item: None, pieces });
}
