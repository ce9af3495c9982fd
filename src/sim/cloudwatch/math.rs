//! Metric math: what an expression of GetMetricData says, read and computed.

mod read;

pub(super) use self::read::{Expr, Op, read};

use crate::sim::time::Moment;
use std::collections::HashMap;

/// Points of a series, oldest first.
pub(super) type Points = Vec<(Moment, f64)>;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Scalar(f64),
    Series(Points),
    /// Several series with their labels.
    Many(Vec<(String, Points)>),
}

/// What expressions are computed with.
pub(super) struct Sheet<'s> {
    /// What each id came to.
    pub(super) known: &'s HashMap<String, Value>,
    /// Series that are metrics, in the order in which they were asked for: id, label, points.
    pub(super) metrics: &'s [(String, String, Points)],
    /// Seconds of a period.
    pub(super) period: i64,
    /// First and last moment of the span that is asked for.
    pub(super) span: (Moment, Moment),
}

impl Sheet<'_> {
    /// Computes an expression; the error is what it cannot be computed of.
    pub(super) fn value(&self, expr: &Expr) -> Result<Value, String> {
        match expr {
            Expr::Number(number) => Ok(Value::Scalar(*number)),
            Expr::Text(text) => Err(format!("the text \"{text}\" stands where a figure is needed")),
            Expr::Id(id) => self.known.get(id).cloned().ok_or_else(|| format!("nothing has the id '{id}'")),
            Expr::Negated(inner) => each(self.value(inner)?, |figure| -figure),
            Expr::Binary(op, left, right) => binary(*op, self.value(left)?, self.value(right)?),
            Expr::Call(name, args) => self.call(name, args),
        }
    }

    fn call(&self, name: &str, args: &[Expr]) -> Result<Value, String> {
        let needs = |count: usize| {
            if args.len() == count { Ok(()) } else { Err(format!("{name} takes {count} arguments")) }
        };
        let arg = |at: usize| {
            args.get(at).ok_or_else(|| format!("{name} lacks an argument")).and_then(|arg| self.value(arg))
        };
        match name {
            "METRICS" => self.metrics(args),
            "LIST" => {
                let mut all = Vec::new();
                for (at, item) in args.iter().enumerate() {
                    match self.value(item)? {
                        Value::Series(points) => all.push((format!("{}", at + 1), points)),
                        Value::Many(more) => all.extend(more),
                        Value::Scalar(_) => return Err("a list holds series".into()),
                    }
                }
                Ok(Value::Many(all))
            }
            "METRIC_COUNT" => {
                needs(1)?;
                let Value::Many(all) = arg(0)? else { return Err("METRIC_COUNT counts METRICS()".into()) };
                Ok(Value::Scalar(all.len() as f64))
            }
            "SUM" | "AVG" | "MIN" | "MAX" | "STDDEV" => {
                needs(1)?;
                Ok(gathered(arg(0)?, |figures| summary(name, figures)))
            }
            "ABS" => each(arg(0)?, f64::abs),
            "CEIL" => each(arg(0)?, f64::ceil),
            "FLOOR" => each(arg(0)?, f64::floor),
            "LOG" => each(arg(0)?, f64::ln),
            "LOG10" => each(arg(0)?, f64::log10),
            "FIRST" | "LAST" => {
                needs(1)?;
                let Value::Series(points) = arg(0)? else { return Err(format!("{name} is of one series")) };
                let point = if name == "FIRST" { points.first() } else { points.last() };
                Ok(Value::Scalar(point.map_or(f64::NAN, |(_, figure)| *figure)))
            }
            "DIFF" | "RATE" | "RUNNING_SUM" => {
                needs(1)?;
                series(arg(0)?, |points| stepped(name, points))
            }
            "PERIOD" => {
                needs(1)?;
                Ok(Value::Scalar(self.period as f64))
            }
            "TIME_SERIES" => {
                needs(1)?;
                let Value::Scalar(figure) = arg(0)? else { return Err("TIME_SERIES is of a number".into()) };
                Ok(Value::Series(self.moments().into_iter().map(|at| (at, figure)).collect()))
            }
            "FILL" => {
                needs(2)?;
                self.fill(arg(0)?, args.get(1))
            }
            "IF" if args.len() == 2 || args.len() == 3 => {
                let otherwise = if args.len() == 3 { Some(arg(2)?) } else { None };
                Ok(chosen(arg(0)?, arg(1)?, otherwise))
            }
            _ => Err(format!("the function {name} is not understood here")),
        }
    }

    /// Every metric that was asked for, or those whose id holds a text.
    fn metrics(&self, args: &[Expr]) -> Result<Value, String> {
        let part = match args {
            [] => "",
            [Expr::Text(part)] => part.as_str(),
            _ => return Err("METRICS takes nothing or a text".into()),
        };
        let meant = self.metrics.iter().filter(|(id, _, _)| id.contains(part));
        Ok(Value::Many(meant.map(|(_, label, points)| (label.clone(), points.clone())).collect()))
    }

    /// The beginnings of the periods of the span.
    fn moments(&self) -> Vec<Moment> {
        let bucket = self.period.max(1) * 1000;
        let first = self.span.0.0.div_euclid(bucket) * bucket;
        let first = if first < self.span.0.0 { first + bucket } else { first };
        let mut moments = Vec::new();
        let mut at = first;
        while at < self.span.1.0 && moments.len() < 100_800 {
            moments.push(Moment(at));
            at += bucket;
        }
        moments
    }

    fn fill(&self, value: Value, with: Option<&Expr>) -> Result<Value, String> {
        let moments = self.moments();
        let fill: Box<dyn Fn(Points) -> Points> = match with {
            Some(Expr::Id(word)) if word == "REPEAT" => Box::new(move |points| repeated(&moments, &points)),
            Some(Expr::Id(word)) if word == "LINEAR" => Box::new(move |points| joined(&moments, &points)),
            Some(other) => {
                let Value::Scalar(figure) = self.value(other)? else {
                    return Err("FILL takes a number, REPEAT or LINEAR".into());
                };
                Box::new(move |points| {
                    let known: HashMap<Moment, f64> = points.into_iter().collect();
                    moments.iter().map(|at| (*at, known.get(at).copied().unwrap_or(figure))).collect()
                })
            }
            None => return Err("FILL lacks an argument".into()),
        };
        series(value, fill)
    }
}

/// What was last, until something else comes; nothing before the first.
fn repeated(moments: &[Moment], points: &Points) -> Points {
    let mut rest = points.iter().peekable();
    let mut last = None;
    let mut out = Vec::new();
    for at in moments {
        while let Some((_, figure)) = rest.next_if(|(then, _)| then <= at) {
            last = Some(*figure);
        }
        out.extend(last.map(|figure| (*at, figure)));
    }
    out
}

/// A straight line between the points around a gap; nothing before the first and after the last.
fn joined(moments: &[Moment], points: &Points) -> Points {
    let mut out = Vec::new();
    for at in moments {
        let after = points.partition_point(|(then, _)| then < at);
        let right = points.get(after);
        let left = after.checked_sub(1).and_then(|before| points.get(before));
        match (left, right) {
            (_, Some((then, figure))) if then == at => out.push((*at, *figure)),
            (Some((from, a)), Some((to, b))) => {
                let share = (at.0 - from.0) as f64 / (to.0 - from.0).max(1) as f64;
                out.push((*at, a + (b - a) * share));
            }
            _ => {}
        }
    }
    out
}

/// Applies to every figure.
fn each(value: Value, apply: impl Fn(f64) -> f64) -> Result<Value, String> {
    let over = |points: Points| -> Points { points.into_iter().map(|(at, f)| (at, apply(f))).collect() };
    Ok(match value {
        Value::Scalar(figure) => Value::Scalar(apply(figure)),
        Value::Series(points) => Value::Series(over(points)),
        Value::Many(all) => {
            Value::Many(all.into_iter().map(|(label, points)| (label, over(points))).collect())
        }
    })
}

/// Applies to every series; a number is none.
fn series(value: Value, apply: impl Fn(Points) -> Points) -> Result<Value, String> {
    Ok(match value {
        Value::Scalar(_) => return Err("a number stands where a series is needed".into()),
        Value::Series(points) => Value::Series(apply(points)),
        Value::Many(all) => {
            Value::Many(all.into_iter().map(|(label, points)| (label, apply(points))).collect())
        }
    })
}

/// One figure of a series, or one series of several: at each moment that of the figures there are.
fn gathered(value: Value, summary: impl Fn(&[f64]) -> f64) -> Value {
    match value {
        Value::Scalar(figure) => Value::Scalar(figure),
        Value::Series(points) => {
            let figures: Vec<f64> = points.into_iter().map(|(_, figure)| figure).collect();
            Value::Scalar(if figures.is_empty() { f64::NAN } else { summary(&figures) })
        }
        Value::Many(all) => {
            let mut by_moment: std::collections::BTreeMap<Moment, Vec<f64>> = Default::default();
            for (at, figure) in all.into_iter().flat_map(|(_, points)| points) {
                by_moment.entry(at).or_default().push(figure);
            }
            Value::Series(by_moment.into_iter().map(|(at, figures)| (at, summary(&figures))).collect())
        }
    }
}

fn summary(name: &str, figures: &[f64]) -> f64 {
    let count = figures.len().max(1) as f64;
    let sum: f64 = figures.iter().sum();
    match name {
        "SUM" => sum,
        "AVG" => sum / count,
        "MIN" => figures.iter().copied().fold(f64::INFINITY, f64::min),
        "MAX" => figures.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => (figures.iter().map(|figure| (figure - sum / count).powi(2)).sum::<f64>() / count).sqrt(),
    }
}

fn stepped(name: &str, points: Points) -> Points {
    if name == "RUNNING_SUM" {
        let mut sum = 0.0;
        let add = |(at, figure): (Moment, f64)| {
            sum += figure;
            (at, sum)
        };
        return points.into_iter().map(add).collect();
    }
    let pairs = points.iter().zip(points.iter().skip(1));
    pairs
        .map(|((from, a), (to, b))| {
            let seconds = if name == "RATE" { to.since(*from).max(1) as f64 } else { 1.0 };
            (*to, (b - a) / seconds)
        })
        .collect()
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn apply(op: Op, left: f64, right: f64) -> f64 {
    match op {
        Op::Add => left + right,
        Op::Subtract => left - right,
        Op::Multiply => left * right,
        Op::Divide => left / right,
        Op::Power => left.powf(right),
        Op::Less => truth(left < right),
        Op::LessOrEqual => truth(left <= right),
        Op::More => truth(left > right),
        Op::MoreOrEqual => truth(left >= right),
        Op::Equal => truth(left == right),
        Op::Unequal => truth(left != right),
        Op::And => truth(left != 0.0 && right != 0.0),
        Op::Or => truth(left != 0.0 || right != 0.0),
    }
}

/// Two series meet where both have points; what is no number (a division by nothing) is left out.
fn binary(op: Op, left: Value, right: Value) -> Result<Value, String> {
    let meet = |a: &Points, b: &Points| -> Points {
        let known: HashMap<Moment, f64> = b.iter().copied().collect();
        let both = a.iter().filter_map(|(at, figure)| Some((*at, apply(op, *figure, *known.get(at)?))));
        both.filter(|(_, figure)| figure.is_finite()).collect()
    };
    let finite =
        |points: Points| -> Points { points.into_iter().filter(|(_, figure)| figure.is_finite()).collect() };
    Ok(match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(apply(op, a, b)),
        (Value::Series(a), Value::Series(b)) => Value::Series(meet(&a, &b)),
        (Value::Many(all), Value::Series(b)) => {
            Value::Many(all.into_iter().map(|(label, a)| (label, meet(&a, &b))).collect())
        }
        (Value::Series(a), Value::Many(all)) => {
            Value::Many(all.into_iter().map(|(label, b)| (label, meet(&a, &b))).collect())
        }
        (Value::Many(_), Value::Many(_)) => return Err("two lists of series do not meet".into()),
        (value, Value::Scalar(b)) => series(each(value, |a| apply(op, a, b))?, finite)?,
        (Value::Scalar(a), value) => series(each(value, |b| apply(op, a, b))?, finite)?,
    })
}

/// IF: at each moment of the condition one thing or the other, or nothing.
fn chosen(condition: Value, yes: Value, no: Option<Value>) -> Value {
    let at = |value: &Value, moment: Moment| match value {
        Value::Scalar(figure) => Some(*figure),
        Value::Series(points) => points.iter().find(|(then, _)| *then == moment).map(|(_, f)| *f),
        Value::Many(all) => all
            .first()
            .and_then(|(_, points)| points.iter().find(|(then, _)| *then == moment))
            .map(|(_, f)| *f),
    };
    match condition {
        Value::Scalar(figure) if figure != 0.0 => yes,
        Value::Scalar(_) => no.unwrap_or(Value::Series(Vec::new())),
        Value::Series(points) => {
            let pick = |(moment, holds): (Moment, f64)| {
                let meant = if holds != 0.0 { Some(&yes) } else { no.as_ref() };
                Some((moment, at(meant?, moment)?))
            };
            Value::Series(points.into_iter().filter_map(pick).collect())
        }
        Value::Many(all) => {
            let first = all.into_iter().next().map(|(_, points)| points).unwrap_or_default();
            chosen(Value::Series(first), yes, no)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, Sheet, Value, read};
    use std::collections::HashMap;

    fn compute(text: &str) -> Result<Value, String> {
        let series =
            |figures: &[(i64, f64)]| figures.iter().map(|(at, f)| (Moment(at * 60_000), *f)).collect();
        let (a, b): (Vec<_>, Vec<_>) =
            (series(&[(0, 1.0), (1, 2.0), (3, 4.0)]), series(&[(0, 10.0), (1, 0.0)]));
        let known: HashMap<String, Value> =
            [("a".to_owned(), Value::Series(a.clone())), ("b".to_owned(), Value::Series(b.clone()))].into();
        let metrics = [("a".to_owned(), "A".to_owned(), a), ("b".to_owned(), "B".to_owned(), b)];
        let span = (Moment(0), Moment(240_000));
        Sheet { known: &known, metrics: &metrics, period: 60, span }.value(&read(text)?)
    }

    fn figures(text: &str) -> Vec<(i64, f64)> {
        match compute(text).unwrap() {
            Value::Series(points) => points.into_iter().map(|(at, f)| (at.0 / 60_000, f)).collect(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn figures_meet_where_both_have_them() {
        assert_eq!(figures("a * 2 + 1"), [(0, 3.0), (1, 5.0), (3, 9.0)]);
        assert_eq!(figures("a + b"), [(0, 11.0), (1, 2.0)]);
        assert_eq!(figures("a / b"), [(0, 0.1)], "a division by nothing has no point");
        assert_eq!(figures("-a ^ 2"), [(0, -1.0), (1, -4.0), (3, -16.0)]);
        assert_eq!(figures("SUM(METRICS())"), [(0, 11.0), (1, 2.0), (3, 4.0)]);
        assert_eq!(figures("MAX([a, b])"), [(0, 10.0), (1, 2.0), (3, 4.0)]);
        assert_eq!(figures("AVG(METRICS(\"a\"))"), [(0, 1.0), (1, 2.0), (3, 4.0)]);
        assert_eq!(compute("SUM(a)"), Ok(Value::Scalar(7.0)));
        assert_eq!(compute("(1 + 2) * 3 - 10 / 4"), Ok(Value::Scalar(6.5)));
    }

    #[test]
    fn gaps_are_filled_as_asked() {
        assert_eq!(figures("FILL(a, 0)"), [(0, 1.0), (1, 2.0), (2, 0.0), (3, 4.0)]);
        assert_eq!(figures("FILL(a, REPEAT)"), [(0, 1.0), (1, 2.0), (2, 2.0), (3, 4.0)]);
        assert_eq!(figures("FILL(a, LINEAR)"), [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]);
        assert_eq!(figures("IF(a > 1, a, 100)"), [(0, 100.0), (1, 2.0), (3, 4.0)]);
        assert_eq!(figures("IF(a >= 2 AND b < 5, 1)"), [(1, 1.0)]);
        assert_eq!(figures("DIFF(a)"), [(1, 1.0), (3, 2.0)]);
        assert_eq!(figures("RATE(a) * PERIOD(a)"), [(1, 1.0), (3, 1.0)]);
    }

    #[test]
    fn what_cannot_be_computed_is_said() {
        for bad in ["c", "a +", "SUM(", "NOPE(a)", "1 2", "a $ b", "FILL(a)", "METRICS(1)", "\"a\"", ""] {
            assert!(compute(bad).is_err(), "{bad}");
        }
        assert!(read(&"(".repeat(2_000)).is_err(), "nesting has an end");
    }
}
