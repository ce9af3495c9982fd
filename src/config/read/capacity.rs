//! `[capacity]`

use super::{Cell, Layer, Reader};
use crate::config::Figures;

/// Its keys.
const KEYS: [&str; 5] = [
    "monthly_users_per_host",
    "requests_per_host",
    "database_mib_per_million_users",
    "connections_per_domain",
    "max_connections",
];
/// No figure is larger.
const MOST: u32 = 1_000_000_000;

impl Reader<'_> {
    pub(super) fn capacity(&mut self, cell: &Cell<'_>, layer: &mut Layer) {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "capacity", "a table");
            return;
        };
        self.keys(table, &KEYS, "[capacity]");
        let mut figures = Figures::default();
        let mut max = 0;
        let places = [
            &mut figures.monthly_users_per_host,
            &mut figures.requests_per_host,
            &mut figures.database_mib_per_million_users,
            &mut figures.connections_per_domain,
            &mut max,
        ];
        for (key, place) in KEYS.into_iter().zip(places) {
            if let Some(cell) = table.get(key) {
                self.note(format!("capacity.{key}"), cell);
                *place = self.count(cell, key, MOST).unwrap_or(*place);
            }
        }
        figures.max_connections = (max > 0).then_some(max);
        layer.capacity = Some(figures);
    }
}
