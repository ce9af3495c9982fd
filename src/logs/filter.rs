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

impl Filter {
    /// Whether a line is wanted; counts what cannot be told.
    pub fn admits(&self, line: &Line, left: &mut Left) -> bool {
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
