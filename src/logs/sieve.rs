//! What CloudWatch can be asked to leave out, without losing a line: a pattern that at least one event of every wanted
//! line holds. Which lines are wanted is decided here all the same, once more and exactly.
//!
//! A line may be many events, a head and a stack trace. So the pattern only finds where wanted lines are, and the time
//! around each is then read whole.

use super::filter::Filter;
use super::line::Level;
use crate::model::Text;
use jiff::{SignedDuration, Timestamp};

/// What is read before an event that was found: a trace belongs to its head for three seconds, by the core's own clock.
const BEFORE: SignedDuration = SignedDuration::from_secs(10);
/// What is read behind one.
const BEHIND: SignedDuration = SignedDuration::from_secs(6);
/// Spans that are read at most; nearer ones are read together.
const MOST_SPANS: usize = 40;
/// Characters that a pattern of CloudWatch may have.
const LONGEST: usize = 1_024;
/// Letters that say enough to be looked for.
const SHORTEST: usize = 3;

/// A pattern, and what it cannot find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sieve {
    /// A regular expression as CloudWatch takes it, between `%`.
    pub pattern: String,
    /// Whether lines that name no level, or nobody, are never seen, and so not counted either.
    pub hides_untold: bool,
}

impl Sieve {
    /// The best pattern for a filter; none where nothing can be said in one.
    pub fn of(filter: &Filter) -> Option<Self> {
        let grep = filter.grep.iter().filter_map(|regex| literal(regex.as_str()));
        let best = grep.max_by_key(String::len).map(|pattern| (pattern, false));
        let level = |least: Level| {
            (filter.level == Some(least)).then(|| {
                let words: &[&str] = match least {
                    Level::Error => &["error", "fatal"],
                    _ => &["warn", "error", "fatal"],
                };
                (words.iter().map(|word| any_case(word)).collect::<Vec<_>>().join("|"), true)
            })
        };
        // What every source's lines must name: a tenant of each was asked for.
        let tenants = match filter.only.iter().any(Vec::is_empty) {
            true => None,
            false => named(&filter.only.concat()),
        };
        let whom = named(&filter.domains).or(tenants).map(|pattern| (pattern, true));
        let found = best.or_else(|| level(Level::Error)).or(whom).or_else(|| level(Level::Warn));
        let (pattern, hides_untold) = found.filter(|(pattern, _)| pattern.len() <= LONGEST)?;
        Some(Self { pattern: format!("%{pattern}%"), hides_untold })
    }
}

/// Lines about one of these domains hold its name, however it is written; none where the core's own is wanted.
fn named(domains: &[Text]) -> Option<String> {
    let is_plain = |domain: &Text| {
        domain.len() >= SHORTEST
            && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let are_plain = !domains.is_empty() && domains.iter().all(is_plain);
    are_plain.then(|| domains.iter().map(|domain| any_case(domain)).collect::<Vec<_>>().join("|"))
}

/// A word in capitals, small letters or both.
fn any_case(word: &str) -> String {
    let one = |c: char| match c {
        'a'..='z' | 'A'..='Z' => format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()),
        other => plain(other),
    };
    word.chars().map(one).collect()
}

/// A character that stands for itself, or for any where CloudWatch has no way to say it.
fn plain(c: char) -> String {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | ',' => c.to_string(),
        ' ' => "\\s".to_owned(),
        '.' => "\\.".to_owned(),
        _ => ".".to_owned(),
    }
}

/// A regular expression that is only words, or one of several, as CloudWatch takes it. What JSON may write otherwise
/// than text, such as quotes, and what stands for a masked secret is none.
fn literal(regex: &str) -> Option<String> {
    let (is_any_case, regex) = match regex.strip_prefix("(?i)") {
        Some(rest) => (true, rest),
        None => (false, regex),
    };
    let mut words = vec![String::new()];
    let mut chars = regex.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '|' => {
                words.push(String::new());
                continue;
            }
            '\\' => chars.next().filter(|c| ".-".contains(*c))?,
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ' ' | ':' | ',' | '-' => c,
            _ => return None,
        };
        words.last_mut()?.push(c);
    }
    let written = |word: &String| match is_any_case {
        true => any_case(word),
        false => word.chars().map(plain).collect(),
    };
    let are_long = words.iter().all(|word| word.trim().len() >= SHORTEST);
    are_long.then(|| words.iter().map(written).collect::<Vec<_>>().join("|"))
}

/// The spans around these moments, by time, within one; none where they are so much of it that reading all of it costs
/// no more.
pub(super) fn spans(
    mut found: Vec<Timestamp>,
    since: Timestamp,
    until: Timestamp,
) -> Option<Vec<(Timestamp, Timestamp)>> {
    found.sort();
    let shift = |at: Timestamp, by: SignedDuration| at.checked_add(by).unwrap_or(at);
    let around = |at: &Timestamp| (shift(*at, -BEFORE).max(since), shift(*at, BEHIND).min(until));
    let all: Vec<_> = found.iter().map(around).filter(|(from, to)| from < to).collect();
    let mut apart = SignedDuration::from_secs(5);
    loop {
        let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (from, to) in &all {
            match spans.last_mut() {
                Some(last) if from.duration_since(last.1) <= apart => last.1 = last.1.max(*to),
                _ => spans.push((*from, *to)),
            }
        }
        if spans.len() <= MOST_SPANS {
            let read: SignedDuration = spans.iter().map(|(from, to)| to.duration_since(*from)).sum();
            return (read <= until.duration_since(since) / 2).then_some(spans);
        }
        apart *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn greps(all: &[&str]) -> Filter {
        Filter { grep: all.iter().map(|text| Regex::new(text).unwrap()).collect(), ..Filter::default() }
    }

    fn pattern(filter: &Filter) -> Option<String> {
        Sieve::of(filter).map(|sieve| sieve.pattern)
    }

    #[test]
    fn what_can_be_said_in_a_pattern_is_and_the_rest_is_not() {
        for (regex, wanted) in [
            ("timed out", Some("%timed\\sout%")),
            ("HikariPool|deadlock", Some("%HikariPool|deadlock%")),
            ("a\\.b\\.c", Some("%a\\.b\\.c%")),
            ("(?i)boom", Some("%[bB][oO][oO][mM]%")),
            ("status: 500", Some("%status.\\s500%")),
            ("a.c", None),
            ("user \"x\"", None),
            ("https://", None),
            ("\\d+", None),
            ("***", None),
            ("ab", None),
            ("boom|", None),
            ("größer", None),
        ] {
            let Ok(regex) = Regex::new(regex) else { continue };
            let filter = Filter { grep: vec![regex.clone()], ..Filter::default() };
            assert_eq!(pattern(&filter).as_deref(), wanted, "{regex}");
        }
        assert_eq!(pattern(&greps(&["abc", "a long one", "\\d"])).as_deref(), Some("%a\\slong\\sone%"));
        assert_eq!(pattern(&Filter::default()), None);
    }

    #[test]
    fn levels_and_tenants_are_said_where_every_wanted_line_names_them() {
        let level = |level| Filter { level: Some(level), ..Filter::default() };
        let error = Sieve::of(&level(Level::Error)).unwrap();
        assert_eq!(error.pattern, "%[eE][rR][rR][oO][rR]|[fF][aA][tT][aA][lL]%");
        assert!(error.hides_untold && !Sieve::of(&greps(&["boom"])).unwrap().hides_untold);
        assert!(pattern(&level(Level::Warn)).unwrap().starts_with("%[wW][aA][rR][nN]|"));
        assert_eq!(pattern(&level(Level::Info)), None, "nearly every line");
        let whom = |domains: &[&str], only: &[&[&str]]| Filter {
            domains: domains.iter().map(Text::new).collect(),
            only: only.iter().map(|all| all.iter().map(Text::new).collect()).collect(),
            ..Filter::default()
        };
        assert_eq!(pattern(&whom(&["c1.io"], &[])).as_deref(), Some("%[cC]1\\.[iI][oO]%"));
        assert_eq!(pattern(&whom(&["c1.io", "-"], &[])), None, "the core's own is no name");
        assert_eq!(
            pattern(&whom(&[], &[&["c1.io"], &["c2.io"]])).as_deref(),
            Some("%[cC]1\\.[iI][oO]|[cC]2\\.[iI][oO]%")
        );
        assert_eq!(pattern(&whom(&[], &[&["c1.io"], &[]])), None, "all of one source is wanted");
    }

    #[test]
    fn spans_reach_as_far_as_a_trace_does_and_never_are_many() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let found = |all: &[i64]| spans(all.iter().map(|second| at(*second)).collect(), at(0), at(3_600));
        assert_eq!(found(&[]), Some(vec![]));
        assert_eq!(found(&[100]), Some(vec![(at(90), at(106))]));
        assert_eq!(found(&[3, 118, 100]), Some(vec![(at(0), at(9)), (at(90), at(124))]));
        assert_eq!(found(&[3_599]), Some(vec![(at(3_589), at(3_600))]));
        let often: Vec<i64> = (0..3_600).step_by(10).collect();
        assert_eq!(found(&often), None, "that is all of it");
        let many: Vec<i64> = (0..60).map(|n| n * 20 + (n % 2) * 15).collect();
        assert!(found(&many).is_none_or(|spans| spans.len() <= MOST_SPANS));
    }
}
