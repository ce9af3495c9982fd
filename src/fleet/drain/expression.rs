//! The cluster query language of placement constraints, as far as it speaks of what a host is known for:
//! `attribute:NAME` and `ec2InstanceId` with `==`, `!=`, `in`, `!in`, `=~`, `!~` and `exists`, joined by `and`, `or`, `not`
//! and brackets. Anything else is not understood, and said to be.

use crate::model::HostDetail;
use regex::Regex;

/// Whether an expression is true for a host; none when it is not understood.
pub(super) fn holds(text: &str, host: &HostDetail) -> Option<bool> {
    let words = words(text);
    let mut parser = Parser { words: &words, host };
    let is_true = parser.any()?;
    parser.words.is_empty().then_some(is_true)
}

/// Brackets, commas and operators stand for themselves; quotes hold a word together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '(' | ')' | '[' | ']' | ',' => words.push(c.to_string()),
            '\'' | '"' => words.push(chars.by_ref().take_while(|next| *next != c).collect()),
            _ => {
                let mut word = c.to_string();
                let ends = |next: &char| next.is_whitespace() || "()[],'\"".contains(*next);
                while let Some(next) = chars.next_if(|next| !ends(next)) {
                    word.push(next);
                }
                words.push(word);
            }
        }
    }
    words
}

struct Parser<'a> {
    words: &'a [String],
    host: &'a HostDetail,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.first().is_some_and(|first| first.eq_ignore_ascii_case(word));
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }

    fn any(&mut self) -> Option<bool> {
        let mut is_true = self.all()?;
        while self.take("or") || self.take("||") {
            is_true |= self.all()?;
        }
        Some(is_true)
    }

    fn all(&mut self) -> Option<bool> {
        let mut is_true = self.one()?;
        while self.take("and") || self.take("&&") {
            is_true &= self.one()?;
        }
        Some(is_true)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("not") || self.take("!") {
            return self.one().map(|is_true| !is_true);
        }
        if self.take("(") {
            let is_true = self.any()?;
            return self.take(")").then_some(is_true);
        }
        let has = self.subject()?;
        let operator = self.next()?;
        Some(match operator {
            "exists" => has.is_some(),
            "!exists" | "not_exists" => has.is_none(),
            "==" | "equals" => {
                let wanted = self.next()?;
                has == Some(wanted)
            }
            // What AWS makes of an attribute that is not there is not written anywhere.
            "!=" | "not_equals" => {
                let wanted = self.next()?;
                has? != wanted
            }
            "=~" | "matches" => {
                let pattern = Regex::new(&format!("^(?:{})$", self.next()?)).ok()?;
                has.is_some_and(|has| pattern.is_match(has))
            }
            "in" => {
                let all = self.list()?;
                has.is_some_and(|has| all.contains(&has))
            }
            "!in" | "not_in" => {
                let all = self.list()?;
                !all.contains(&has?)
            }
            _ => return None,
        })
    }

    /// What a host has of a subject: nothing, or a value. A subject that is not known is not understood.
    fn subject(&mut self) -> Option<Option<&'a str>> {
        let name = self.next()?;
        if name == "ec2InstanceId" {
            return Some(self.host.host.instance_id.as_ref().map(AsRef::as_ref));
        }
        let name = name.strip_prefix("attribute:")?;
        let found = self.host.attributes.iter().find(|(known, _)| known == name);
        Some(found.map(|(_, value)| value.as_deref().unwrap_or_default()))
    }

    fn list(&mut self) -> Option<Vec<&'a str>> {
        if !self.take("[") {
            return None;
        }
        let mut all = vec![self.next()?];
        while self.take(",") {
            all.push(self.next()?);
        }
        self.take("]").then_some(all)
    }
}
