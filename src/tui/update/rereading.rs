//! Reading again: what the page shows, or everything that is in trouble.

use super::logging;
use crate::gateway::Source;
use crate::tui::page;
use crate::tui::state::{Effect, Page, Ui};
use crate::world::Wish;
use std::sync::Arc;

/// Reads again what the page shows; on the troubles page, everything that is in trouble.
pub(super) fn refresh(ui: &mut Ui) -> Vec<Effect> {
    if matches!(ui.here.page, Page::Troubles) {
        return retry(ui);
    }
    if matches!(page::beneath(ui), Page::Log(_)) {
        return logging::again(ui);
    }
    let sources = page::sources(ui);
    if let Some(list) = ui.list_mut() {
        list.probe.go_on();
    }
    ui.say("reading again");
    vec![Effect::Wish(Wish::Refresh(sources))]
}

/// Every scope with a section in trouble is read again, what was found in the registry too; and where an
/// account's regions could not be listed, they are listed again with any wish to refresh.
fn retry(ui: &mut Ui) -> Vec<Effect> {
    let snapshot = Arc::clone(&ui.world.snapshot);
    let mut scopes = Vec::new();
    for (scope, ..) in snapshot.troubled() {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    let mut says = Vec::new();
    let mut effects = Vec::new();
    let accounts: Vec<&str> = snapshot.troubles.iter().map(|(what, _)| what.as_str()).collect();
    let has_faults = page::registry_faults(&snapshot).next().is_some();
    if !accounts.is_empty() {
        says.push(format!("listing the regions of {} again", accounts.join(", ")));
    }
    if !scopes.is_empty() {
        let names: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        says.push(format!("reading {} again", names.join(", ")));
    }
    if has_faults {
        says.push("reading the registry again".into());
    }
    if !accounts.is_empty() || has_faults {
        let sources = if has_faults { vec![Source::Registry] } else { Vec::new() };
        effects.push(Effect::Wish(Wish::Refresh(sources)));
    }
    effects.extend(scopes.into_iter().map(|scope| Effect::Wish(Wish::Retry(scope))));
    if says.is_empty() {
        says.push("nothing is in trouble".into());
    }
    ui.say(crate::model::text::harmless(&says.join("; ")));
    effects
}
