//! Who uses which version of a launch template, or might want it back.

use super::super::super::desk::Desk;
use crate::error::Result;
use crate::fleet::TemplateRow;
use crate::gateway::{Look, Seen};
use crate::model::{Group, TemplateRef, TemplateVersion, Text};
use std::collections::{BTreeMap, BTreeSet};

/// The version of a template that is meant; none where another template is.
fn number(row: &TemplateRow, it: &TemplateRef) -> Option<u64> {
    let is_mine = if it.id.is_empty() { it.name == row.it.name } else { it.id == row.it.id };
    match it.version.as_str() {
        _ if !is_mine => None,
        "$Latest" => Some(row.it.latest_version),
        "$Default" | "" => Some(row.it.default_version),
        number => number.parse().ok(),
    }
}

/// The versions of a template that a group launches, its types' own ones among them.
pub(super) fn launches(group: &Group, row: &TemplateRow) -> impl Iterator<Item = u64> {
    let own = group.mix.iter().flat_map(|mix| &mix.own).filter_map(|own| own.template.as_ref());
    group.template.iter().chain(own).filter_map(|it| number(row, it))
}

/// Versions that stay, each with the first reason.
#[derive(Default)]
pub(super) struct Uses(BTreeMap<u64, String>);

impl Uses {
    /// Whatever groups, their members, instances, refreshes and operations use or recorded.
    pub(super) async fn of(
        desk: &Desk<'_>,
        row: &TemplateRow,
        all: &[TemplateVersion],
        recorded: &BTreeSet<String>,
    ) -> Result<Self> {
        let (id, name) = (&row.it.id, &row.it.name);
        let mut uses = Self::default();
        uses.add(Some(row.it.default_version), || "it is the default".to_owned());
        uses.add(Some(row.it.latest_version), || "it is the latest".to_owned());
        let number = |it: &TemplateRef| number(row, it);
        for group in desk.fleet.groups.iter().filter(|group| group.scope == row.scope) {
            let of = &group.it.name;
            let mut is_meant = false;
            for version in launches(&group.it, row) {
                is_meant = true;
                uses.add(Some(version), || format!("{of} launches it"));
            }
            for member in &group.it.members {
                let version = member.template.as_ref().and_then(number);
                uses.add(version, || format!("{} of {of} runs it", member.id));
            }
            // A refresh that goes on may go forward or back, also of a group that launches something else by now.
            let may_go_on = group
                .refresh
                .as_ref()
                .yes()
                .is_none_or(|one| one.as_ref().is_some_and(|one| one.is_active()));
            if (is_meant || may_go_on)
                && let Seen::Refreshes(refreshes) =
                    desk.look(&row.scope, Look::Refreshes { group: of.clone() }).await?
            {
                for one in refreshes.iter().filter(|one| one.refresh.is_active()) {
                    let version = one.launches.as_ref().and_then(number);
                    uses.add(version, || format!("refresh {} of {of} launches it", one.refresh.id));
                }
            }
        }
        for instance in
            desk.fleet.instances.iter().filter(|one| one.scope == row.scope && !one.it.state.is_gone())
        {
            if let Some((template, version)) = instance.it.template_tag()
                && template == id.as_str()
            {
                uses.add(version.parse().ok(), || format!("{} runs it", instance.it.id));
            }
        }
        for one in all {
            let is_known = [id.as_str(), name.as_str()]
                .into_iter()
                .any(|word| recorded.contains(&format!("{word}:{}", one.number)));
            uses.add(is_known.then_some(one.number), || "an operation recorded it, to go back to".to_owned());
        }
        Ok(uses)
    }

    /// So many of the newest stay too.
    pub(super) fn newest(&mut self, all: &[TemplateVersion], count: u32) {
        for one in all.iter().rev().take(count as usize) {
            self.add(Some(one.number), || format!("it is among the newest {count}"));
        }
    }

    fn add(&mut self, version: Option<u64>, why: impl FnOnce() -> String) {
        if let Some(version) = version {
            self.0.entry(version).or_insert_with(why);
        }
    }

    /// Whether a version stays.
    pub(super) fn keep(&self, version: u64) -> bool {
        self.0.contains_key(&version)
    }

    /// What stays, and why.
    pub(super) fn told(&self, name: &Text) -> Vec<String> {
        self.0.iter().map(|(version, why)| format!("{name} keeps version {version}: {why}")).collect()
    }
}
