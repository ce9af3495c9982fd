//! What CloudWatch measures of an instance: four series, each paid for by itself.

use super::ids::InstanceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A series of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gauge {
    /// CPU use in percent of all its processors.
    Cpu,
    /// Bytes received, per second.
    NetworkIn,
    /// Bytes sent, per second.
    NetworkOut,
    /// CPU credits left; only burstable types have them.
    Credits,
}

impl Gauge {
    /// Every gauge.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::NetworkIn, Self::NetworkOut, Self::Credits];

    /// The word for it, which is also the name of its column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::NetworkIn => "network_in",
            Self::NetworkOut => "network_out",
            Self::Credits => "credits",
        }
    }

    /// The gauge of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gauge| gauge.word() == word)
    }
}

/// Some of the gauges. `Default` is all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Gauges([bool; 4]);

impl Default for Gauges {
    fn default() -> Self {
        Self::ALL
    }
}

impl Gauges {
    /// All four.
    pub const ALL: Self = Self([true; 4]);
    /// None of them.
    pub const NONE: Self = Self([false; 4]);

    /// Tells whether a gauge is among them.
    pub fn holds(self, gauge: Gauge) -> bool {
        self.each().any(|one| one == gauge)
    }

    /// Tells whether all of the others are among them.
    pub fn hold_all(self, others: Self) -> bool {
        others.each().all(|gauge| self.holds(gauge))
    }

    /// Those that are among them, in the order of `Gauge::ALL`.
    pub fn each(self) -> impl Iterator<Item = Gauge> {
        Gauge::ALL.into_iter().zip(self.0).filter(|(_, is_in)| *is_in).map(|(gauge, _)| gauge)
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.each().count()
    }

    /// Tells whether there is none.
    pub fn is_empty(self) -> bool {
        self.count() == 0
    }
}

impl FromIterator<Gauge> for Gauges {
    fn from_iter<I: IntoIterator<Item = Gauge>>(gauges: I) -> Self {
        let wanted: Vec<Gauge> = gauges.into_iter().collect();
        Self(Gauge::ALL.map(|gauge| wanted.contains(&gauge)))
    }
}

/// Metrics of one instance: the latest points of each series, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Whose.
    pub id: InstanceId,
    /// What was asked for: a series that was not says nothing, though it is empty.
    #[serde(default)]
    pub asked: Gauges,
    /// CPU use in percent of all its processors.
    pub cpu: Vec<Point>,
    /// Bytes received, per second.
    pub network_in: Vec<Point>,
    /// Bytes sent, per second.
    pub network_out: Vec<Point>,
    /// CPU credits left; only burstable types have them.
    pub credits: Vec<Point>,
}

impl Metrics {
    /// The points of a gauge.
    pub fn series(&self, gauge: Gauge) -> &[Point] {
        match gauge {
            Gauge::Cpu => &self.cpu,
            Gauge::NetworkIn => &self.network_in,
            Gauge::NetworkOut => &self.network_out,
            Gauge::Credits => &self.credits,
        }
    }

    /// The points of a gauge, to add to.
    pub fn series_mut(&mut self, gauge: Gauge) -> &mut Vec<Point> {
        match gauge {
            Gauge::Cpu => &mut self.cpu,
            Gauge::NetworkIn => &mut self.network_in,
            Gauge::NetworkOut => &mut self.network_out,
            Gauge::Credits => &mut self.credits,
        }
    }
}

/// One point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The start of the period it stands for.
    pub at: Timestamp,
    /// The value, in the series' unit.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_known_by_their_words_and_all_unless_some_are_named() {
        for gauge in Gauge::ALL {
            assert_eq!(Gauge::named(gauge.word()), Some(gauge));
            assert!(Gauges::default().holds(gauge) && !Gauges::NONE.holds(gauge));
        }
        let two: Gauges = ["credits", "cpu", "cpu"].into_iter().filter_map(Gauge::named).collect();
        assert_eq!(two.each().collect::<Vec<_>>(), [Gauge::Cpu, Gauge::Credits]);
        assert!(Gauges::ALL.hold_all(two) && !two.hold_all(Gauges::ALL) && two.hold_all(Gauges::NONE));
    }
}
