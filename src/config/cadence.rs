//! How often each source is read: the usual span, and the least and most that a file may ask for.

use super::shape::Wrong;
use crate::gateway::Source;
use std::time::Duration;

const MINUTE: u64 = 60;

/// The longest span that may be asked for; beyond it a list is not refreshed but forgotten.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * MINUTE);

/// The span for every source when nobody says otherwise.
pub(super) fn usual() -> Vec<(Source, Duration)> {
    Source::ALL.into_iter().map(|source| (source, usual_for(source))).collect()
}

/// The span for one source when nobody says otherwise. What changes while one looks at it is read
/// every quarter of a minute; what only people change, every few minutes.
pub(super) fn usual_for(source: Source) -> Duration {
    let seconds = match source {
        Source::Instances | Source::Groups | Source::Refreshes => 15,
        Source::Services | Source::Tasks | Source::Hosts | Source::Targets => 15,
        Source::Alarms => 30,
        Source::Statuses | Source::Activities | Source::Clusters | Source::Rules => MINUTE,
        Source::Registry | Source::Metrics | Source::Admin => MINUTE,
        // An agent says that it is there once in five minutes, unless somebody has set `HealthFrequencyMinutes`.
        Source::Agents => 2 * MINUTE,
        Source::TargetGroups | Source::Templates | Source::Prices | Source::Records => 5 * MINUTE,
        Source::Identity | Source::Images | Source::Published => 15 * MINUTE,
    };
    Duration::from_secs(seconds)
}

/// A list of more rows than this is read less often than a short one: what some dozen calls bring, since most come a thousand
/// at a time. Of ECS a hundred cost two calls, one for their names and one for what they are, and Systems Manager tells of
/// its agents fifty at a time.
const fn long(source: Source) -> usize {
    match source {
        Source::Hosts | Source::Tasks | Source::Agents => 250,
        _ => 25_000,
    }
}

/// For each so many rows of a list this much time lies between two readings of it.
const STEP: Duration = Duration::from_secs(15);

/// But never more than this: a change shows within five minutes, however large the fleet is.
const LONGEST_STEP: Duration = Duration::from_secs(5 * MINUTE);

/// The span for a list of so many rows that is to be read so often, where nobody asked for that by name. A long list
/// takes the same share of a processor and of AWS's patience as one that is just not long, though nothing in it has changed.
pub fn at_ease(source: Source, every: Duration, rows: usize) -> Duration {
    let long = long(source);
    if rows <= long {
        return every;
    }
    let steps = u32::try_from(rows.div_ceil(long)).unwrap_or(u32::MAX);
    every.max(STEP.saturating_mul(steps).min(LONGEST_STEP))
}

/// The shortest span that a file may ask for, so that no file hammers AWS: every scope spends calls
/// from a bucket that the account's other programs drink from too. CloudWatch bills each metric and
/// has a new point a minute at best, so reading metrics more often buys nothing.
pub fn least_every(source: Source) -> Duration {
    let seconds = match source {
        Source::Metrics | Source::Identity | Source::Images => MINUTE,
        Source::Published | Source::Prices | Source::Records => MINUTE,
        Source::Templates | Source::TargetGroups | Source::Agents | Source::Registry => 15,
        // A core counts our questions among its own traffic.
        Source::Admin => 30,
        _ => 5,
    };
    Duration::from_secs(seconds)
}

/// Reads a span for a source and holds it to its bounds.
pub(super) fn checked(source: Source, raw: &str) -> Result<Duration, Wrong> {
    let every = parse_span(raw).map_err(|why| (why, None))?;
    let (least, word) = (least_every(source), source.word());
    if every < least {
        let message = format!("`{word}` cannot be read more often than every {}", span(least));
        let hint = match source {
            Source::Metrics => "CloudWatch has no newer points and bills every metric that is asked for",
            _ => "every call is one less for the account's other programs",
        };
        return Err((message, Some(hint.to_owned())));
    }
    if every > LONGEST {
        return Err((format!("`{word}` must be read at least once in {}", span(LONGEST)), None));
    }
    Ok(every)
}

/// Reads a span such as `15s`, `5m`, `1h30m`; says what is wrong otherwise.
pub fn parse_span(raw: &str) -> Result<Duration, String> {
    const SHAPE: &str = "a duration is a number and a unit, such as \"15s\", \"5m\" or \"1h30m\"";
    let mut total: u64 = 0;
    let mut rest = raw.trim();
    if rest.is_empty() {
        return Err(SHAPE.to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        let each = match unit {
            "s" | "sec" => 1,
            "m" | "min" => MINUTE,
            "h" => 60 * MINUTE,
            "d" => 24 * 60 * MINUTE,
            "" if !number.is_empty() => {
                return Err(format!("\"{raw}\" has no unit: write \"{raw}s\" for seconds"));
            }
            _ => return Err(SHAPE.to_owned()),
        };
        if number.is_empty() {
            return Err(SHAPE.to_owned());
        }
        let more = number.parse::<u64>().ok().and_then(|number| number.checked_mul(each));
        total = more
            .and_then(|more| total.checked_add(more))
            .ok_or_else(|| format!("\"{raw}\" is longer than can be counted"))?;
        rest = tail.trim_start();
    }
    Ok(Duration::from_secs(total))
}

/// Writes a span the way `parse_span` reads it: `15s`, `5m`, `1h30m`.
pub fn span(every: Duration) -> String {
    let mut rest = every.as_secs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, each) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= each {
            text.push_str(&format!("{}{unit}", rest / each));
            rest %= each;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{at_ease, least_every, parse_span, span, usual_for};
    use crate::gateway::Source;
    use std::time::Duration;

    #[test]
    fn spans_are_read_and_written_alike() {
        for text in ["15s", "5m", "1h30m", "1d", "2d3h4m5s"] {
            assert_eq!(parse_span(text).map(span).as_deref(), Ok(text));
        }
        assert_eq!(parse_span("90s"), Ok(Duration::from_secs(90)));
        assert!(parse_span("15").is_err_and(|why| why.contains("\"15s\"")));
        for wrong in ["", "s", "5 parsecs", "-5s", "99999999999999999999s", "9999999999999999999d", "5µ"] {
            assert!(parse_span(wrong).is_err(), "{wrong:?} was taken for a duration");
        }
    }

    #[test]
    fn a_list_of_a_hundred_thousand_is_read_once_a_minute_and_a_short_one_as_often_as_ever() {
        let of = |seconds, rows| at_ease(Source::Instances, Duration::from_secs(seconds), rows).as_secs();
        assert_eq!([0, 1_040, 25_000].map(|rows| of(15, rows)), [15, 15, 15]);
        assert_eq!([25_001, 50_000, 99_000, 100_000].map(|rows| of(15, rows)), [30, 30, 60, 60]);
        assert_eq!([100_000, 1_000_000, usize::MAX].map(|rows| of(300, rows)), [300, 300, 300]);
        assert_eq!(of(15, usize::MAX), 300, "a change of the largest fleet shows within minutes too");
    }

    #[test]
    fn what_comes_by_many_calls_is_long_sooner() {
        for source in [Source::Hosts, Source::Tasks, Source::Agents] {
            let of = |rows| at_ease(source, usual_for(source), rows);
            assert_eq!([0, 250].map(of), [usual_for(source); 2]);
            assert_eq!(of(485), usual_for(source).max(Duration::from_secs(30)));
            assert_eq!(of(1_040), usual_for(source).max(Duration::from_secs(75)));
            assert_eq!([10_000, 100_000].map(of), [Duration::from_secs(300); 2]);
        }
    }

    #[test]
    fn the_usual_span_is_never_below_the_least() {
        for source in Source::ALL {
            assert!(usual_for(source) >= least_every(source), "{}", source.word());
        }
    }
}
