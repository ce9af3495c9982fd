//! What is said of figures of CloudWatch: which keep to their bounds, which do not, and of which nothing is known.

use crate::model::text::harmless;
use crate::model::{Figure, Measured, NoData, Norm};
use serde::{Deserialize, Serialize};

/// What can be said of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It is as it must be.
    Within,
    /// It is not.
    Beyond,
    /// Nothing was measured, and nobody said what that means.
    Silent,
}

impl Says {
    /// How a person calls figures of which it is said.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Within => "figure within its bound",
            Self::Beyond => "figure beyond its bound",
            Self::Silent => "figure without data",
        }
    }

    /// The figures of which it is said, each in a few words.
    pub(super) fn of(self, norms: &[Norm], seen: &[Measured]) -> Vec<String> {
        let told = norms.iter().filter_map(|norm| {
            let measured = seen.iter().find(|measured| measured.series == norm.series)?;
            (said(norm, measured.figure) == self).then(|| words(norm, measured.figure))
        });
        told.collect()
    }
}

/// What is said of one figure.
fn said(norm: &Norm, figure: Option<Figure>) -> Says {
    match (figure.map(|figure| norm.bound.holds(figure)), norm.no_data) {
        (Some(true), _) | (None, NoData::Well) => Says::Within,
        (Some(false), _) | (None, NoData::Ill) => Says::Beyond,
        (None, NoData::Wait) => Says::Silent,
    }
}

/// A figure with its bound.
fn words(norm: &Norm, figure: Option<Figure>) -> String {
    let name = harmless(&norm.name);
    match figure {
        Some(figure) => format!("{name} {} ({})", norm.series.told(figure), norm.wanted()),
        None => format!("{name} without data in {}", norm.span()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bound, Series, Statistic};

    #[test]
    fn a_figure_without_data_is_what_was_said_of_that_and_else_not_known() {
        let norm = |no_data| Norm {
            name: "errors".into(),
            series: Series {
                namespace: "n".into(),
                metric: "m".into(),
                per: Some("p".into()),
                statistic: Statistic::Sum,
                dimensions: Vec::new(),
                over_s: 300,
            },
            bound: Bound::AtMost(Figure::parse("1%").unwrap()),
            no_data,
        };
        let seen = |figure| vec![Measured { series: norm(NoData::Wait).series, figure, latest: None }];
        let all = |no_data, figure| {
            [Says::Within, Says::Beyond, Says::Silent]
                .map(|says| says.of(&[norm(no_data)], &seen(figure)).join(""))
        };
        let none = "errors without data in 5 min";
        assert_eq!(all(NoData::Wait, None), ["", "", none]);
        assert_eq!(all(NoData::Well, None), [none, "", ""]);
        assert_eq!(all(NoData::Ill, None), ["", none, ""]);
        let good = "errors 0.5 % (at most 1 %)";
        assert_eq!(all(NoData::Ill, Figure::of(0.005)), [good, "", ""]);
        let bad = "errors 33 % (at most 1 %)";
        assert_eq!(all(NoData::Well, Figure::of(0.33)), ["", bad, ""]);
    }
}
