//! How the figures of a row went: its metrics as charts, what was kept of its counts, and what its markets cost.

use super::Paper;
use crate::fleet::Fleet;
use crate::model::{Instance, Known, Lifecycle, Market, Metrics, Point, Scope};
use crate::query::{Kind, Value};
use crate::snapshot::{Measure, Subject};
use crate::tui::cell;
use crate::tui::page::chart::chart;
use crate::tui::page::trend;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// Markets of which a card shows the prices: those with the most instances.
const MARKETS: usize = 6;

/// How far apart the points of a series are where there are too few to tell.
const PERIOD: SignedDuration = SignedDuration::from_mins(5);

impl Paper<'_> {
    /// The metrics of an instance as charts. Returns whether there are any.
    pub(super) fn charts(&mut self, at: usize, names: usize) -> bool {
        let fleet = std::sync::Arc::clone(&self.ui.world.fleet);
        let Some(row) = fleet.instances.get(at) else { return false };
        let Known::Yes(Some(metrics)) = &row.metrics else { return false };
        let Metrics { cpu, network_in, network_out, credits, .. } = &**metrics;
        let series = [
            ("cpu", cpu, Some(100.0)),
            ("network_in", network_in, None),
            ("network_out", network_out, None),
            ("credits", credits, None),
        ];
        if series.iter().all(|(_, points, _)| points.is_empty()) {
            return false;
        }
        self.title("Metrics", &span(series.iter().flat_map(|(_, points, _)| points.iter()), self.ui));
        let lines = if self.width >= 70 { 2 } else { 1 };
        let drawn = series.into_iter().filter(|(_, points, _)| !points.is_empty());
        let drawn = drawn.filter_map(|(name, points, most)| {
            let column = Kind::Instances.columns().iter().find(|column| column.name == name)?;
            let shown = |value: f64| cell::show(Value::Number(value), column, self.ui.now).into_owned();
            let highest = points.iter().map(|point| point.value).fold(0.0, f64::max);
            let last = points.last().map_or_else(|| "?".to_owned(), |last| shown(last.value));
            let last = match ended(points, self.ui.now) {
                Some(at) => format!("last {last} ({})", self.ui.clock(at)),
                None => format!("now {last}"),
            };
            let says = format!("  {last}, at most {}", shown(highest));
            Some((name, points, most.unwrap_or(highest), says))
        });
        let drawn: Vec<_> = drawn.collect();
        // All are as broad as the one with the least room, so that what was at one time stands in one column.
        let widest = drawn.iter().map(|(.., says)| says.width()).max().unwrap_or(0);
        let room = self.width.saturating_sub(names + 2 + widest).clamp(1, 60);
        for (name, points, most, says) in drawn {
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            let drawn = chart(&values, most, room, lines, self.ui.signs());
            // Few points stand broader.
            let broad = (room / values.len().max(1)).clamp(1, 3);
            let widen =
                |line: &String| line.chars().flat_map(|c| std::iter::repeat_n(c, broad)).collect::<String>();
            let drawn: Vec<String> = drawn.iter().map(widen).collect();
            self.drawn(name, names, &drawn, &says);
        }
        true
    }

    /// A chart behind its name, and what it says behind that. Both stand in its first line: below it the next chart
    /// begins, which would be read as theirs.
    pub(super) fn drawn(&mut self, name: &str, names: usize, lines: &[String], says: &str) {
        for (nth, drawn) in lines.iter().enumerate() {
            let is_first = nth == 0;
            let name = if is_first { name } else { "" };
            let lead = format!("{name:<width$}", width = names + 2);
            let mut pieces = vec![(Role::Field, lead), (Role::HealthBusy, drawn.clone())];
            if is_first {
                pieces.push((Role::Text, says.to_owned()));
            }
            self.line(pieces);
        }
    }

    /// How the figures of the row went, as far as that was kept.
    pub(super) fn courses(&mut self, kind: Kind, at: usize, names: usize) {
        let fleet = std::sync::Arc::clone(&self.ui.world.fleet);
        let Some((subject, figures)) = figures(kind, &fleet, at) else { return };
        let lines = if self.width >= 70 { 2 } else { 1 };
        let columns = self.width.saturating_sub(names + 2 + 36).clamp(8, 60);
        let mut has_title = false;
        for (measure, name, most) in figures {
            let frame = trend::Frame { columns, lines, most: *most };
            let column = Kind::Instances.columns().iter().find(|column| column.name == measure.word());
            let show = |value: f64| match column {
                Some(column) => cell::show(Value::Number(value), column, self.ui.now).into_owned(),
                None => format!("{value:.0}"),
            };
            let Some(course) = trend::course(self.ui, &subject, *measure, frame, show) else { continue };
            if !has_title {
                self.title("Trend", &format!("the last {}", course.span));
                has_title = true;
            }
            self.drawn(name, names, &course.lines, &format!("  {}", course.says));
        }
    }

    /// What the spot instances of the row cost where they run, and how that went.
    pub(super) fn prices(&mut self, kind: Kind, at: usize, names: usize) {
        let fleet = std::sync::Arc::clone(&self.ui.world.fleet);
        let markets = markets(kind, &fleet, at);
        let called = |market: &Market| format!("{} {}", market.instance_type, market.zone);
        let lead = markets.iter().map(|(_, market)| called(market).width()).max().unwrap_or(0).max(names);
        let columns = self.width.saturating_sub(lead + 2 + 40).clamp(8, 60);
        let frame = trend::Frame { columns, lines: 1, most: None };
        let mut has_title = false;
        for (scope, market) in markets {
            let name = called(&market);
            let subject = Subject::Market(scope, market);
            let course = trend::course(self.ui, &subject, Measure::SpotPrice, frame, trend::dollars);
            let trend = self.ui.world.timeline.trends.get(&subject, Measure::SpotPrice);
            let now = trend.and_then(|trend| trend.at(self.ui.now)).map(trend::dollars);
            if !has_title && (course.is_some() || now.is_some()) {
                let span =
                    course.as_ref().map_or_else(String::new, |course| format!("the last {}", course.span));
                self.title("Spot price, an hour", &span);
                has_title = true;
            }
            match (course, now) {
                (Some(course), _) => {
                    self.drawn(&name, lead, &course.lines, &format!("  {}", course.says));
                }
                (None, Some(now)) => {
                    let lead = format!("{name:<width$}", width = lead + 2);
                    self.line(vec![(Role::Field, lead), (Role::Text, format!("now {now}"))]);
                }
                (None, None) => {}
            }
        }
    }
}

/// The spot markets that a row's instances are in, those with the most first.
fn markets(kind: Kind, fleet: &Fleet, at: usize) -> Vec<(Scope, Market)> {
    let of = |scope: &Scope, it: &Instance| {
        let product =
            it.platform.clone().filter(|_| it.lifecycle == Lifecycle::Spot && !it.state.is_gone())?;
        let market = Market { instance_type: it.instance_type.clone(), zone: it.zone.clone(), product };
        Some((scope.clone(), market))
    };
    let mut counts: BTreeMap<(Scope, Market), usize> = BTreeMap::new();
    match kind {
        Kind::Instances => {
            let row = fleet.instances.get(at);
            counts.extend(row.and_then(|row| of(&row.scope, &row.it)).map(|market| (market, 1)));
        }
        Kind::Groups => {
            let Some(group) = fleet.groups.get(at) else { return Vec::new() };
            let name = &group.it.name;
            let own = fleet
                .instances
                .iter()
                .filter(|row| row.group.as_ref() == Some(name) && row.scope == group.scope);
            for market in own.filter_map(|row| of(&row.scope, &row.it)) {
                *counts.entry(market).or_default() += 1;
            }
        }
        _ => {}
    }
    let mut markets: Vec<_> = counts.into_iter().collect();
    markets.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    markets.into_iter().take(MARKETS).map(|(market, _)| market).collect()
}

/// A figure: what is measured, what it is called, and the highest that it can be.
type Figure = (Measure, &'static str, Option<f64>);

/// The figures that are kept of a row.
fn figures(kind: Kind, fleet: &Fleet, at: usize) -> Option<(Subject, &'static [Figure])> {
    const METERED: &[Figure] = &[
        (Measure::Cpu, "cpu", Some(100.0)),
        (Measure::NetworkIn, "network_in", None),
        (Measure::NetworkOut, "network_out", None),
        (Measure::Credits, "credits", None),
    ];
    const COUNTED: &[Figure] = &[(Measure::Running, "running", None), (Measure::Desired, "desired", None)];
    match kind {
        Kind::Instances => {
            let row = fleet.instances.get(at)?;
            Some((Subject::Instance(row.scope.as_ref().clone(), row.it.id.clone()), METERED))
        }
        Kind::Groups => {
            let row = fleet.groups.get(at)?;
            Some((Subject::Group(row.scope.as_ref().clone(), row.it.name.clone()), COUNTED))
        }
        Kind::Services => {
            let row = fleet.services.get(at)?;
            Some((Subject::Service(row.scope.as_ref().clone(), row.it.arn.clone()), COUNTED))
        }
        _ => None,
    }
}

/// When a series ended, where that is so long ago that its last point says nothing of now: two of its periods
/// after the one that the point stands for.
fn ended(points: &[Point], now: Timestamp) -> Option<Timestamp> {
    let last = points.last()?.at;
    let gaps = points.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(next.at.duration_since(one.at)),
        _ => None,
    });
    let period = gaps.filter(SignedDuration::is_positive).min().unwrap_or(PERIOD);
    (now.duration_since(last) > period * 3).then_some(last)
}

/// From when to when points are.
fn span<'a>(points: impl Iterator<Item = &'a Point>, ui: &Ui) -> String {
    let (mut first, mut last) = (None, None);
    for point in points {
        first = Some(first.map_or(point.at, |at: Timestamp| at.min(point.at)));
        last = last.max(Some(point.at));
    }
    match (first, last) {
        (Some(first), Some(last)) => format!("{} to {}", ui.clock(first), ui.clock(last)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_point_is_no_figure_of_now_once_two_more_should_have_come() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let points = |seconds: &[i64]| {
            seconds.iter().map(|second| Point { at: at(*second), value: 1.0 }).collect::<Vec<_>>()
        };
        let every_five = points(&[0, 300, 600]);
        assert_eq!(ended(&every_five, at(600)), None);
        assert_eq!(ended(&every_five, at(1_500)), None, "the next one may still be on its way");
        assert_eq!(ended(&every_five, at(1_501)), Some(at(600)));
        // A gap is no period, and what is measured each minute is old sooner.
        assert_eq!(ended(&points(&[0, 60, 600]), at(781)), Some(at(600)));
        assert_eq!(ended(&points(&[600]), at(1_500)), None);
        assert_eq!(ended(&points(&[600]), at(1_501)), Some(at(600)));
        assert_eq!(ended(&[], at(0)), None);
    }
}
