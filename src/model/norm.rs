//! What a figure of CloudWatch must be, so that what was launched is well: which figure, over how long, and its bound.

use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a figure must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Norm {
    /// What people call it.
    pub name: Text,
    /// The figure. In a configuration its dimensions may hold `{group}`, `{target_group}`, `{load_balancer}`,
    /// `{cluster}` and `{tier}`.
    pub series: Series,
    /// What it must be.
    pub bound: Bound,
    /// What it means that nothing was measured.
    pub no_data: NoData,
}

/// A figure of CloudWatch: one metric over a while, or its share of another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// `AWS/ApplicationELB`
    pub namespace: Text,
    /// `HTTPCode_Target_5XX_Count`
    pub metric: Text,
    /// The metric of the same things that it is a share of; none where it stands for itself.
    pub per: Option<Text>,
    /// What is made of the samples of a minute, and of the minutes.
    pub statistic: Statistic,
    /// Names and values.
    pub dimensions: Vec<(Text, Text)>,
    /// Over how many seconds up to now, in whole minutes.
    pub over_s: u32,
}

/// A bound of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// More is ill.
    AtMost(Figure),
    /// Less is ill.
    AtLeast(Figure),
}

impl Bound {
    /// Whether a figure keeps to it.
    pub fn holds(self, figure: Figure) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }
}

/// What it means that nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoData {
    /// Nobody knows: it is waited for, and what has not come when the time is up is taken for ill.
    #[default]
    Wait,
    /// It is well: a metric that is sent only when something is wrong.
    Well,
    /// It is ill: a metric that is always sent by what lives.
    Ill,
}

impl NoData {
    /// Every one, with its word.
    pub const ALL: [(&str, Self); 3] = [("wait", Self::Wait), ("well", Self::Well), ("ill", Self::Ill)];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Well => "well",
            Self::Ill => "ill",
        }
    }
}

/// A number with six decimals, kept in millionths: figures are compared, and plans are hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figure(i64);

impl Figure {
    /// The nearest figure; none of what is no number, or beyond nine trillion.
    pub fn of(number: f64) -> Option<Self> {
        let millionths = (number * 1e6).round();
        (millionths.is_finite() && millionths.abs() <= 9e18).then_some(Self(millionths as i64))
    }

    /// Reads `0.01`, `250`, `1%`; none of what is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, scale) = match text.strip_suffix('%') {
            Some(share) => (share.trim_end(), 0.01),
            None => (text, 1.0),
        };
        let is_plain = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        Self::of(digits.parse::<f64>().ok().filter(|_| is_plain)? * scale)
    }

    /// The number.
    pub fn number(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// What is made of samples.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Statistic {
    /// Added up.
    Sum,
    /// Their mean.
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// How many there are.
    SampleCount,
    /// `p99`, `p99.9`: so many percent are no larger. Over several minutes it is the largest of theirs.
    Percentile(Text),
}

impl Statistic {
    /// Reads CloudWatch's word; none of what is none.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let percent: f64 = word.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then(|| Self::Percentile(Text::new(word)))?
            }
        })
    }

    /// CloudWatch's word.
    pub fn word(&self) -> &str {
        match self {
            Self::Sum => "Sum",
            Self::Average => "Average",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
            Self::SampleCount => "SampleCount",
            Self::Percentile(word) => word,
        }
    }

    /// One number of those of several minutes; none of none.
    pub fn gather(&self, minutes: &[f64]) -> Option<f64> {
        let sum = || minutes.iter().sum::<f64>();
        if minutes.is_empty() {
            return None;
        }
        match self {
            Self::Sum | Self::SampleCount => Some(sum()),
            Self::Average => Some(sum() / minutes.len() as f64),
            Self::Minimum => minutes.iter().copied().reduce(f64::min),
            Self::Maximum | Self::Percentile(_) => minutes.iter().copied().reduce(f64::max),
        }
    }
}

impl TryFrom<String> for Statistic {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::parse(&word).ok_or_else(|| format!("`{word}` is no statistic"))
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.word().to_owned()
    }
}

/// A figure as it was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Which.
    pub series: Series,
    /// What it is; none where nothing was measured, or there was nothing to be a share of.
    pub figure: Option<Figure>,
    /// The start of the last minute in which anything was measured.
    pub latest: Option<Timestamp>,
}

impl Series {
    /// The figure of the minutes that were measured. Errors that nobody counted, of requests that somebody did, are none.
    pub fn figure(&self, own: &[f64], per: &[f64]) -> Option<Figure> {
        let own = self.statistic.gather(own);
        if self.per.is_none() {
            return Figure::of(own?);
        }
        let whole = self.statistic.gather(per).filter(|whole| *whole > 0.0)?;
        Figure::of(own.unwrap_or(0.0) / whole)
    }

    /// A figure of it as a person reads it, to two digits.
    pub fn told(&self, figure: Figure) -> String {
        let number = figure.number();
        let (number, unit) = if self.per.is_some() { (number * 100.0, " %") } else { (number, "") };
        let lead = if number == 0.0 { 0.0 } else { number.abs().log10().floor() };
        let fine = 10_f64.powf((1.0 - lead).max(0.0));
        format!("{}{unit}", (number * fine).round() / fine)
    }
}

impl Norm {
    /// What it must be, in a few words: `at most 1 %`.
    pub fn wanted(&self) -> String {
        let exact = |figure: Figure| match self.series.per {
            Some(_) => format!("{} %", Figure(figure.0.saturating_mul(100))),
            None => figure.to_string(),
        };
        match self.bound {
            Bound::AtMost(most) => format!("at most {}", exact(most)),
            Bound::AtLeast(least) => format!("at least {}", exact(least)),
        }
    }

    /// Over how long it is measured, in words.
    pub fn span(&self) -> String {
        match self.series.over_s / 60 {
            minutes if minutes > 0 && minutes % 60 == 0 => format!("{} h", minutes / 60),
            minutes => format!("{minutes} min"),
        }
    }
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} over {}", self.name, self.wanted(), self.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(per: bool, statistic: &str) -> Series {
        Series {
            namespace: "AWS/ApplicationELB".into(),
            metric: "HTTPCode_Target_5XX_Count".into(),
            per: per.then(|| "RequestCount".into()),
            statistic: Statistic::parse(statistic).unwrap(),
            dimensions: Vec::new(),
            over_s: 300,
        }
    }

    #[test]
    fn a_share_is_of_sums_and_no_errors_among_requests_are_none() {
        let share = series(true, "Sum");
        assert_eq!(share.figure(&[1.0, 2.0], &[100.0, 200.0]), Figure::of(0.01));
        assert_eq!(share.figure(&[], &[100.0]), Figure::of(0.0), "5XX is sent only when there are any");
        assert_eq!(share.figure(&[3.0], &[]), None, "nobody asked anything");
        assert_eq!(share.figure(&[], &[0.0]), None);
        assert_eq!(series(false, "Sum").figure(&[], &[]), None);
        let of = |word: &str| series(false, word).figure(&[4.0, 1.0, 7.0], &[]).unwrap().number();
        assert_eq!(
            ["Sum", "Average", "Minimum", "Maximum", "p99.9", "SampleCount"].map(of),
            [12.0, 4.0, 1.0, 7.0, 7.0, 12.0]
        );
    }

    #[test]
    fn figures_are_read_compared_and_told() {
        assert_eq!(Figure::parse("1%"), Figure::of(0.01));
        assert_eq!(Figure::parse("0.25").map(|it| it.to_string()).as_deref(), Some("0.25"));
        for wrong in ["", "%", "ten", "1e9", "inf", "NaN", "1.2.3", "--1"] {
            assert_eq!(Figure::parse(wrong), None, "{wrong}");
        }
        let (most, least) = (Figure::parse("1%").unwrap(), Figure::parse("20").unwrap());
        let holds = |bound: Bound, number| bound.holds(Figure::of(number).unwrap());
        assert!(holds(Bound::AtMost(most), 0.01) && !holds(Bound::AtMost(most), 0.010_001));
        assert!(holds(Bound::AtLeast(least), 20.0) && !holds(Bound::AtLeast(least), 19.9));
        let told = |per, number| series(per, "Sum").told(Figure::of(number).unwrap());
        assert_eq!([told(true, 0.012_345), told(true, 0.0), told(true, 1.0)], ["1.2 %", "0 %", "100 %"]);
        assert_eq!([told(false, 0.001_234), told(false, 1234.5)], ["0.0012", "1235"]);
        let norm = Norm {
            name: "errors".into(),
            series: series(true, "Sum"),
            bound: Bound::AtMost(most),
            no_data: NoData::Wait,
        };
        assert_eq!(norm.to_string(), "errors at most 1 % over 5 min");
    }

    #[test]
    fn what_a_plan_says_of_it_is_read_back() {
        let norm = Norm {
            name: "slow".into(),
            series: series(false, "p99"),
            bound: Bound::AtLeast(Figure::of(0.5).unwrap()),
            no_data: NoData::Ill,
        };
        let json = serde_json::to_string(&norm).unwrap();
        assert!(json.contains("\"statistic\":\"p99\"") && json.contains("{\"at_least\":500000}"), "{json}");
        assert_eq!(serde_json::from_str::<Norm>(&json).unwrap(), norm);
        assert!(serde_json::from_str::<Norm>(&json.replace("p99", "p999")).is_err());
    }
}
