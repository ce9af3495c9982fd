//! Which lines are wanted.

use super::line::{Level, Line};
use crate::model::Text;
use regex::Regex;

/// What a line must have. What is empty asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One of these connection URI domains, in small letters; `-` is the core's own.
    pub domains: Vec<Text>,
    /// One of these apps.
    pub apps: Vec<Text>,
    /// One of these tenants.
    pub tenants: Vec<Text>,
    /// This level or a graver one.
    pub level: Option<Level>,
    /// Somewhere in it or in what belongs to it.
    pub grep: Vec<Regex>,
    /// What must not be in it.
    pub without: Vec<Regex>,
    /// From one of these sources.
    pub from: Vec<u16>,
    /// By source: domains that its lines must be about, where a tenant was asked for and not its core.
    pub only: Vec<Vec<Text>>,
}

/// Lines that were left out because they say nothing of what was asked: counted, since one may be the one that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Lines without a level.
    pub without_level: u64,
    /// Lines that name nobody.
    pub without_whom: u64,
}

/// What may stand before a colon in a typed filter.
const KEYS: [&str; 5] = ["level", "cud", "app", "tenant", "source"];

impl Filter {
    /// Reads a filter as it is typed: words and `/regular expressions/`, which a line must hold, `!` before what it
    /// must not hold, and `level:warn`, `cud:acme.example.com`, `app:a`, `tenant:t`, `source:prod-acme`.
    ///
    /// # Errors
    ///
    /// The byte at which something is wrong, and what.
    pub fn read(typed: &str, sources: &[Text]) -> Result<Self, (usize, String)> {
        let mut filter = Self::default();
        for (from, word) in words(typed) {
            let wrong = |why: String| (from, why);
            let (is_not, plain) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            if let Some((key, value)) = plain.split_once(':')
                && KEYS.contains(&key)
            {
                if is_not {
                    return Err(wrong("`!` stands before words only".to_owned()));
                }
                match key {
                    "level" => {
                        let level = Level::of(value);
                        filter.level = Some(
                            level.ok_or_else(|| wrong("a level is debug, info, warn or error".to_owned()))?,
                        );
                    }
                    "cud" => filter.domains.push(value.into()),
                    "app" => filter.apps.push(value.into()),
                    "tenant" => filter.tenants.push(value.into()),
                    _ => {
                        let mine = |name: &Text| name.contains(value);
                        let found = sources.iter().enumerate().filter(|(_, name)| mine(name));
                        filter.from.extend(found.filter_map(|(at, _)| u16::try_from(at).ok()));
                        if filter.from.is_empty() {
                            return Err(wrong(format!("no source is called like {value}")));
                        }
                    }
                }
                continue;
            }
            let pattern = match plain.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
                Some(pattern) => {
                    Regex::new(pattern).map_err(|_| wrong("no regular expression".to_owned()))?
                }
                None if plain.is_empty() => continue,
                None => Regex::new(&format!("(?i){}", regex::escape(plain)))
                    .map_err(|_| wrong("this cannot be looked for".to_owned()))?,
            };
            if is_not { filter.without.push(pattern) } else { filter.grep.push(pattern) }
        }
        Ok(filter)
    }

    /// Whether a line is wanted; counts what cannot be told.
    pub fn admits(&self, line: &Line, left: &mut Left) -> bool {
        if !self.from.is_empty() && !self.from.contains(&line.from) {
            return false;
        }
        let only = self.only.get(usize::from(line.from)).map(Vec::as_slice).unwrap_or_default();
        let asks_whom = !(self.domains.is_empty() && self.apps.is_empty() && self.tenants.is_empty());
        if asks_whom || !only.is_empty() {
            let Some(whom) = line.whom() else {
                left.without_whom += 1;
                return false;
            };
            let is_one = |wanted: &[Text]| {
                wanted.is_empty()
                    || wanted.iter().any(|one| {
                        if one == "-" {
                            whom.domain.is_empty()
                        } else {
                            whom.domain.eq_ignore_ascii_case(one)
                        }
                    })
            };
            let holds = |wanted: &[Text], name: &Text| wanted.is_empty() || wanted.contains(name);
            if !is_one(&self.domains)
                || !is_one(only)
                || !holds(&self.apps, &whom.app)
                || !holds(&self.tenants, &whom.tenant)
            {
                return false;
            }
        }
        if let Some(least) = self.level {
            match line.level() {
                None => {
                    left.without_level += 1;
                    return false;
                }
                Some(level) if level < least => return false,
                Some(_) => {}
            }
        }
        let is_in = |pattern: &Regex| {
            pattern.is_match(&line.message) || line.more.iter().any(|more| pattern.is_match(more))
        };
        self.grep.iter().all(is_in) && !self.without.iter().any(is_in)
    }
}

/// The words of what was typed and where each begins. A pattern ends with its second slash, and may hold blanks.
fn words(typed: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut rest = typed;
    while !rest.is_empty() {
        let from = typed.len() - rest.len();
        let opened = rest.strip_prefix('!').unwrap_or(rest);
        let closed = opened.strip_prefix('/').and_then(|pattern| {
            let mut ends = pattern.match_indices('/').map(|(at, _)| at + 1);
            let is_end =
                |at: &usize| pattern.get(*at..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' '));
            ends.find(is_end).map(|at| rest.len() - pattern.len() + at)
        });
        let end = closed.or_else(|| rest.find(' ')).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if !word.is_empty() {
            words.push((from, word));
        }
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Fold;
    use std::sync::Arc;

    fn line(from: u16, level: &str, domain: &str, message: &str) -> Line {
        let mut fold = Fold::new(from, Arc::default());
        let text = format!(
            "21 Nov 2026 19:31:42:658 +0000 | {level} | pid: x | v9 | [main] thread | a.b | Tenant({domain}, public, t1) | {message}"
        );
        fold.push(jiff::Timestamp::UNIX_EPOCH, &text);
        fold.flush().unwrap()
    }

    #[test]
    fn domains_levels_and_words_narrow() {
        let mut left = Left::default();
        let mut admits = |filter: &Filter, line: &Line| filter.admits(line, &mut left);
        let (own, acme) = (line(0, "INFO", "", "a"), line(1, "ERROR", "Acme.example.com", "boom"));
        let of = |domain: &str| Filter { domains: vec![domain.into()], ..Filter::default() };
        assert!(admits(&of("-"), &own) && !admits(&of("-"), &acme));
        assert!(admits(&of("acme.example.com"), &acme) && !admits(&of("acme.example.com"), &own));
        let grave = Filter { level: Some(Level::Warn), ..Filter::default() };
        assert!(admits(&grave, &acme) && !admits(&grave, &own));
        let only = Filter { only: vec![Vec::new(), vec!["other".into()]], ..Filter::default() };
        assert!(admits(&only, &own) && !admits(&only, &acme));
        let words = Filter { grep: vec![Regex::new("bo+m").unwrap()], ..Filter::default() };
        assert!(admits(&words, &acme) && !admits(&words, &own));
        let without = Filter { without: words.grep, ..Filter::default() };
        assert!(!admits(&without, &acme) && admits(&without, &own));
        assert_eq!(left, Left::default());
    }

    #[test]
    fn a_typed_line_is_a_filter_or_says_where_it_is_wrong() {
        let sources = ["prod-acme".into(), "prod-b".into()];
        let mut left = Left::default();
        let mut admits =
            |typed: &str, line: &Line| Filter::read(typed, &sources).unwrap().admits(line, &mut left);
        let error = line(0, "ERROR", "acme", "Boom at 7");
        assert!(admits("", &error) && admits("boom level:warn cud:acme source:acme /a. 7/", &error));
        assert!(!admits("!boom", &error) && !admits("source:prod-b", &error) && !admits("/boom/", &error));
        assert_eq!(Filter::read("a level:x", &sources).unwrap_err().0, 2);
        assert_eq!(Filter::read("/(/", &sources).unwrap_err().0, 0);
        assert_eq!(Filter::read("x source:none", &sources).unwrap_err().0, 2);
        assert!(Filter::read("!level:warn", &sources).is_err());
    }

    #[test]
    fn what_cannot_be_told_is_counted() {
        let mut fold = Fold::new(0, Arc::default());
        fold.push(jiff::Timestamp::UNIX_EPOCH, "Exception in thread \"main\" java.lang.OutOfMemoryError");
        let odd = fold.flush().unwrap();
        let mut left = Left::default();
        assert!(!Filter { level: Some(Level::Error), ..Filter::default() }.admits(&odd, &mut left));
        assert!(!Filter { apps: vec!["public".into()], ..Filter::default() }.admits(&odd, &mut left));
        assert_eq!((left.without_level, left.without_whom), (1, 1));
        assert!(Filter::default().admits(&odd, &mut left));
    }
}
