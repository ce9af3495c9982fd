//! What cores say of the row: a day of requests of each app as charts, and who fills the databases' connections.

use super::Paper;
use crate::capacity::{left, pools};
use crate::model::admin::{Place, together};
use crate::query::Kind;
use crate::query::word::domains;
use crate::tui::cell;
use crate::tui::page::chart::chart;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// Apps whose day is drawn: those with the most requests.
const APPS: usize = 12;
/// Databases that are named.
const DATABASES: usize = 12;
/// Columns that an app's name takes at most.
const WIDEST: usize = 28;

/// A day of an app: requests a minute, half an hour a point.
type Day = (String, Vec<f64>);

impl Paper<'_> {
    /// The requests of a day, app by app; of a core with several all together first.
    pub(super) fn requests(&mut self, kind: Kind, at: usize) {
        let domains = domains(&self.ui.world.fleet, kind, at);
        let told: Vec<(Place, &[Option<f64>])> = domains.iter().flat_map(|domain| domain.by_app()).collect();
        let minutes = |day: &[Option<f64>]| -> Vec<f64> {
            day.iter().map(|point| point.map_or(f64::NAN, |rate| rate * 60.0)).collect()
        };
        let mut days: Vec<Day> = told.iter().map(|(place, day)| (place.to_string(), minutes(day))).collect();
        days.retain(|(_, day)| day.iter().any(|point| !point.is_nan()));
        let busy = |day: &[f64]| day.iter().filter(|point| !point.is_nan()).sum::<f64>();
        days.sort_by(|one, other| busy(&other.1).total_cmp(&busy(&one.1)));
        let apart = days.len();
        days.truncate(APPS);
        if apart > 1 {
            let all: Vec<&[Option<f64>]> = told.iter().map(|(_, day)| *day).collect();
            days.insert(0, (format!("all {apart} apps"), minutes(&together(&all))));
        }
        if days.is_empty() {
            return;
        }
        self.title("Requests a minute", "a day, half an hour a column, the latest at the right");
        let names = days.iter().map(|(name, _)| name.width()).max().unwrap_or(0).min(WIDEST);
        let lines = if self.width >= 70 { 2 } else { 1 };
        for (name, day) in days {
            let highest = day.iter().copied().filter(|point| !point.is_nan()).fold(0.0, f64::max);
            let last = day.iter().rev().copied().find(|point| !point.is_nan()).unwrap_or(f64::NAN);
            let says = format!("  now {last:.0}, at most {highest:.0}");
            let room = self.width.saturating_sub(names + 2 + says.width()).clamp(1, day.len().max(1));
            let drawn = chart(&day, highest, room, lines, self.ui.signs());
            self.drawn(&cell::cut(&name, names, self.ui.signs().cut()), names, &drawn, &says);
        }
        if apart > APPS {
            self.line(vec![(Role::Dim, format!("and {} more apps with fewer requests", apart - APPS))]);
        }
    }

    /// How much more fits on a core, by each thing that limits it.
    pub(super) fn left(&mut self, kind: Kind, at: usize) {
        let fleet = &self.ui.world.fleet;
        let Some(core) = fleet.cores.get(at).filter(|_| kind == Kind::Cores) else { return };
        let left = left(fleet, core, &self.ui.about.figures);
        self.title("Capacity left", "by what limits it");
        for (what, said) in left.said() {
            let role = if said.starts_with('?') { Role::Unknown } else { Role::Text };
            self.wrapped(role, &format!("{what:<18}"), &said);
        }
    }

    /// The connections to the row's databases, whoever opens them.
    pub(super) fn databases(&mut self, kind: Kind, at: usize) {
        let fleet = &self.ui.world.fleet;
        let all = pools(fleet, &domains(fleet, kind, at), &self.ui.about.figures);
        if all.is_empty() {
            return;
        }
        self.title("Database connections", "of all cores and replicas with pools to it, at most");
        for pools in all.iter().take(DATABASES) {
            let role = if pools.is_too_many() { Role::HealthBad } else { Role::Text };
            self.wrapped(role, &format!("{}  ", pools.database), &pools.said());
        }
        if all.len() > DATABASES {
            self.line(vec![(Role::Dim, format!("and {} more databases", all.len() - DATABASES))]);
        }
    }
}
