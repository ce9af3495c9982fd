//! Spot markets: what an instance type cost in a zone, and when that changed.
//!
//! Two series are real: m3.medium in us-east-1b and r3.large in us-east-1e, of 2015, played again and again.
//! Every other market takes its level from the list price less the saving that AWS's Spot Instance Advisor
//! of 2025-07 names, and its moves from one of the two: fewer, and flattened, since markets have been calmer
//! from 2017 on; the more often a type is interrupted, the livelier; a little drift comes by chance. Regions other than us-east-1 have no list
//! price here, so their levels rest on that of us-east-1.

use super::dice::{hash, mix};
use super::time::Moment;

const HISTORY: &str = include_str!("data/spot-2015.txt");
const ADVISOR: &str = include_str!("../../data/spot-advisor.csv");
const ON_DEMAND: &str = include_str!("../../data/ondemand-us-east-1.csv");

/// The only product whose prices are known here.
pub(crate) const PRODUCT: &str = "Linux/UNIX";

/// How far back a price history reaches, in days.
pub(crate) const REACH: i64 = 90;

/// A real series: changes as seconds since 1970 and 1/10000 USD.
#[derive(Debug)]
struct Real {
    kind: &'static str,
    zone: &'static str,
    changes: Vec<(i64, u32)>,
    median: f64,
}

impl Real {
    fn read() -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut at = 0;
        for line in HISTORY.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            if !line.starts_with(|first: char| first.is_ascii_digit()) {
                let (kind, zone) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                at = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                all.push(Self { kind, zone, changes: Vec::new(), median: 1.0 });
                continue;
            }
            let Some(last) = all.last_mut() else { continue };
            for (gap, price) in words.filter_map(|word| word.split_once(',')) {
                at += gap.parse().unwrap_or(0);
                last.changes.push((at, price.parse().unwrap_or(0)));
            }
        }
        for one in &mut all {
            let mut prices: Vec<u32> = one.changes.iter().map(|(_, price)| *price).collect();
            prices.sort_unstable();
            one.median = prices.get(prices.len() / 2).copied().map_or(1.0, f64::from);
        }
        all
    }

    fn first(&self) -> i64 {
        self.changes.first().map_or(0, |(at, _)| *at)
    }

    /// Seconds after which it begins again.
    fn span(&self) -> i64 {
        (self.changes.last().map_or(0, |(at, _)| *at) - self.first() + 1).max(1)
    }

    /// The price of a moment of the series, which is not over.
    fn price(&self, at: i64) -> f64 {
        let after = self.changes.partition_point(|(then, _)| *then <= at);
        let last = after.checked_sub(1).and_then(|nth| self.changes.get(nth)).or(self.changes.last());
        last.map_or(self.median, |(_, price)| f64::from(*price))
    }
}

/// The markets of a region.
#[derive(Debug)]
pub(crate) struct Markets {
    real: Vec<Real>,
    /// Types with their list price in USD, the saving in percent and how often they are interrupted (0 to 4).
    pub(crate) kinds: Vec<(&'static str, f64, f64, u32)>,
    region: &'static str,
}

/// A change: when, and to how many USD an hour.
pub(crate) type Change = (Moment, f64);

impl Markets {
    /// The markets of a region: the types of which both the list price and the saving are known.
    pub(crate) fn of(region: &'static str) -> Self {
        let prices: std::collections::HashMap<&str, f64> = rows(ON_DEMAND)
            .filter_map(|row| row.split_once(','))
            .filter_map(|(kind, price)| Some((kind, price.parse().ok()?)))
            .collect();
        let kinds = rows(ADVISOR)
            .filter_map(|row| {
                let mut cells = row.split(',');
                if cells.next()? != region {
                    return None;
                }
                let kind = cells.next()?;
                let (saving, range) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
                Some((kind, *prices.get(kind)?, saving, range))
            })
            .collect();
        Self { real: Real::read(), kinds, region }
    }

    /// Changes of a market from `start` to `end`, newest first, with the last one before: the price at `start`.
    pub(crate) fn changes(&self, nth: usize, zone: &str, start: Moment, end: Moment) -> Vec<Change> {
        let Some((kind, list, saving, range)) = self.kinds.get(nth).copied() else { return Vec::new() };
        let mut changes = match self.real.iter().find(|real| real.kind == kind && real.zone == zone) {
            Some(real) => replayed(real, start, end),
            None => self.derived((kind, list, saving, range), zone, start, end),
        };
        changes.reverse();
        changes
    }

    fn derived(
        &self,
        (kind, list, saving, range): (&str, f64, f64, u32),
        zone: &str,
        start: Moment,
        end: Moment,
    ) -> Vec<Change> {
        let own = hash(&format!("{}/{kind}/{zone}", self.region));
        let Some(real) = self.real.get(usize::try_from(own % 2).unwrap_or(0)) else { return Vec::new() };
        let share = (mix(own) >> 11) as f64 / (1u64 << 53) as f64;
        let level = list * (1.0 - saving / 100.0) * (0.93 + 0.14 * share);
        let liveliness = 0.04 + 0.04 * f64::from(range);
        // Between four and twelve hours from change to change at most.
        let step = (12 - 2 * i64::from(range)) * 3600;
        let shift = i64::try_from(mix(own ^ 7) % real.span().unsigned_abs()).unwrap_or(0);
        let price = |slot: i64| {
            let at = real.first() + (slot * step + shift - real.first()).rem_euclid(real.span());
            let move_ = (real.price(at) / real.median).powf(liveliness);
            // Even where the old series stood still, a market of today drifts a little from day to day.
            let drift = (mix(own ^ (slot / 3).unsigned_abs()) >> 11) as f64 / (1u64 << 53) as f64;
            let price = (level * move_ * (0.98 + 0.04 * drift)).clamp(list * 0.1, list);
            ((price * 10_000.0).round() / 10_000.0).min(list)
        };
        // A change does not come on the hour.
        let moment = |slot: i64| {
            let late = mix(own ^ slot.unsigned_abs()) % step.unsigned_abs();
            Moment((slot * step + i64::try_from(late).unwrap_or(0)) * 1000)
        };
        let first = start.0.div_euclid(1000 * step) - 1;
        let last = end.0.div_euclid(1000 * step);
        // Far enough back that a change is found before the start.
        let mut before = first;
        while before > first - 400 && price(before) == price(before - 1) {
            before -= 1;
        }
        let mut changes: Vec<Change> = Vec::new();
        for slot in before..=last {
            let (at, now) = (moment(slot), price(slot));
            if at > end || changes.last().is_some_and(|(_, price)| *price == now) {
                continue;
            }
            changes.push((at, now));
        }
        from_start(changes, start)
    }
}

/// What a type costs an hour in a region, on demand or usually on the spot market, in USD; none where that is not
/// known.
pub(crate) fn usual(region: &str, kind: &str, is_spot: bool) -> Option<f64> {
    let list = rows(ON_DEMAND).filter_map(|row| row.split_once(',')).find(|(name, _)| *name == kind)?;
    let list: f64 = list.1.parse().ok()?;
    if !is_spot {
        return Some(list);
    }
    let saving = rows(ADVISOR).find_map(|row| {
        let mut cells = row.split(',');
        let is_it = cells.next()? == region && cells.next()? == kind;
        cells.next().filter(|_| is_it)?.parse::<f64>().ok()
    });
    Some(list * (1.0 - saving? / 100.0))
}

/// Data rows: without comments and headings.
fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#')).skip(1)
}

/// A real series, played again and again, oldest first.
fn replayed(real: &Real, start: Moment, end: Moment) -> Vec<Change> {
    let (first, span) = (real.first(), real.span());
    let round = |at: Moment| (at.0.div_euclid(1000) - first).div_euclid(span);
    let mut changes = Vec::new();
    for round in round(start) - 1..=round(end) {
        let shifted = real
            .changes
            .iter()
            .map(|(at, price)| (Moment((at + round * span) * 1000), f64::from(*price) / 10_000.0));
        changes.extend(shifted.filter(|(at, _)| *at <= end));
    }
    from_start(changes, start)
}

/// Leaves away what was over before the start.
fn from_start(mut changes: Vec<Change>, start: Moment) -> Vec<Change> {
    let before = changes.partition_point(|(at, _)| *at <= start).saturating_sub(1);
    changes.split_off(before.min(changes.len()))
}

#[cfg(test)]
mod tests {
    use super::{Markets, Moment};

    fn moment(text: &str) -> Moment {
        Moment::read(text).unwrap()
    }

    #[test]
    fn the_real_series_is_as_it_was() {
        let markets = Markets::of("us-east-1");
        let nth = markets.kinds.iter().position(|(kind, ..)| *kind == "m3.medium").unwrap();
        let (start, end) = (moment("2015-03-13T00:00:00Z"), moment("2015-03-15T00:00:00Z"));
        let changes = markets.changes(nth, "us-east-1b", start, end);
        let said: Vec<(String, f64)> = changes.iter().map(|(at, price)| (at.rfc3339(), *price)).collect();
        assert!(said.contains(&("2015-03-14T10:20:10.000Z".to_owned(), 0.452)), "{said:?}");
        assert!(changes.last().unwrap().0 <= start, "the price at the start is there");
        assert!(markets.real.iter().map(|real| real.changes.len()).sum::<usize>() > 20_900);
    }

    #[test]
    fn every_market_has_a_price_below_the_list_and_moves_alike_whenever_it_is_asked() {
        let markets = Markets::of("eu-west-1");
        let (start, end) = (moment("2026-10-01T00:00:00Z"), moment("2026-11-21T12:00:00Z"));
        for (nth, (kind, list, ..)) in markets.kinds.iter().enumerate() {
            let changes = markets.changes(nth, "eu-west-1a", start, end);
            let is_falling = changes.windows(2).all(|pair| pair[0].0 > pair[1].0);
            assert!(!changes.is_empty() && is_falling, "{kind}: {changes:?}");
            assert!(changes.iter().all(|(_, price)| *price > 0.0 && price <= list), "{kind}");
            let later = markets.changes(nth, "eu-west-1a", moment("2026-11-01T00:00:00Z"), end);
            assert!(later.iter().all(|change| changes.contains(change)), "{kind}: one history");
        }
        let lively = markets
            .kinds
            .iter()
            .enumerate()
            .filter(|(nth, _)| markets.changes(*nth, "eu-west-1a", start, end).len() > 20);
        assert!(lively.count() > markets.kinds.len() / 2, "prices move");
    }
}
