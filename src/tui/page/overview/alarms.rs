//! The alarms of the overview: how many ring, which, since when and why.

use super::{Item, Row, beside, health_role, nothing, ringing};
use crate::gateway::Source;
use crate::model::AlarmState;
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// A title, and a line for each alarm that rings.
pub(super) fn ring(ui: &Ui, width: usize, rows: &mut Vec<Row>) {
    let fleet = &ui.world.fleet;
    let ringing = ringing(ui);
    let parts = &ui.world.snapshot.parts;
    let known = parts.iter().filter(|part| part.standing(Source::Alarms).as_of.is_some()).count();
    let lacking = fleet.alarms.iter().filter(|row| row.it.state == AlarmState::InsufficientData).count();
    let mut title = vec![(Role::Title, "Alarms".to_string())];
    let mut below = Vec::new();
    if known == 0 {
        let (role, text) = nothing(ui, &[Source::Alarms], "nothing was found");
        below = beside(&mut title, role, &text, width);
    } else {
        let mut text = format!("  {} ringing of {}", ringing.len(), fleet.alarms.len());
        if lacking > 0 {
            text.push_str(&format!(", {lacking} without data"));
        }
        title.push((Role::Dim, text));
        if known < parts.len() {
            title.push((Role::Unknown, format!("  partial: read in {known} of {} scopes", parts.len())));
        }
    }
    rows.push(Row { item: None, pieces: title });
    rows.append(&mut below);
    for at in ringing {
        let Some(row) = fleet.alarms.get(at) else { continue };
        let since = row.it.changed_at.map_or_else(|| "?".into(), |at| cell::age(at, ui.now));
        let sign = ui.signs().health(row.health);
        let lead = format!("{sign} ALARM {since:>4}  ");
        // Names repeat over accounts and regions.
        let home = if parts.len() > 1 { format!("{} ", row.scope) } else { String::new() };
        let most = (width / 2).clamp(32, 60);
        let name = cell::cut(&format!("{home}{}", row.it.name), most, ui.signs().cut()).into_owned();
        let rest = width.saturating_sub(2 + lead.width() + name.width() + 2);
        let reason = row.it.reason.as_deref().unwrap_or("");
        rows.push(Row {
            item: Some(Item::Alarm(at)),
            pieces: vec![
                (health_role(row.health), lead),
                (Role::RowKey, name),
                (Role::Dim, format!("  {}", cell::cut(reason, rest, ui.signs().cut()))),
            ],
        });
    }
}
