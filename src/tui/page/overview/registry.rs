//! How many entries of the registry differ from what the last inventory saw.

use super::Row;
use crate::model::DriftSort;
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use std::collections::BTreeMap;

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
