//! The cluster query language, as far as placement constraints and lists of hosts need it.
//!
//! `attribute:NAME`, `ec2InstanceId`, `agentConnected`, `agentVersion` and `runningTasksCount` with `==`, `!=`,
//! `=~`, `in`, `!in`, `exists`, `!exists`, `>` and `<`; joined by `and`, `or`, `not` and parentheses.

use regex::Regex;

/// An expression that was understood.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Test(String, Test),
}

/// What an expression asks of one subject.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Is(String),
    Matches(Regex),
    In(Vec<String>),
    Exists,
    Above(f64),
    Below(f64),
}

/// Reads an expression; the error is what was not understood.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let words = words(text)?;
    let mut left = words.as_slice();
    let found = any(&mut left)?;
    match left.first() {
        None => Ok(found),
        Some(word) => Err(format!("{word} was not expected")),
    }
}

/// Splits into words: brackets and commas stand for themselves, quotes hold a word together.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let is_own = matches!(c, '(' | ')' | '[' | ']' | ',');
        if (is_own || c.is_whitespace()) && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        match c {
            '\'' | '"' => {
                let rest: String = chars.by_ref().take_while(|next| *next != c).collect();
                word.push_str(&rest);
            }
            _ if is_own => found.push(c.to_string()),
            _ if c.is_whitespace() => {}
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    if found.is_empty() { Err("an expression is missing".to_owned()) } else { Ok(found) }
}

fn next<'w>(left: &mut &'w [String]) -> Result<&'w str, String> {
    let (first, rest) = left.split_first().ok_or("the expression ends too early")?;
    *left = rest;
    Ok(first)
}

fn joined(
    left: &mut &[String],
    joins: [&str; 2],
    part: fn(&mut &[String]) -> Result<Expression, String>,
) -> Result<Vec<Expression>, String> {
    let mut parts = vec![part(left)?];
    while left.first().is_some_and(|word| joins.contains(&word.as_str())) {
        next(left)?;
        parts.push(part(left)?);
    }
    Ok(parts)
}

fn any(left: &mut &[String]) -> Result<Expression, String> {
    joined(left, ["or", "||"], all).map(Expression::Any)
}

fn all(left: &mut &[String]) -> Result<Expression, String> {
    joined(left, ["and", "&&"], one).map(Expression::All)
}

fn one(left: &mut &[String]) -> Result<Expression, String> {
    let first = next(left)?;
    if matches!(first, "not" | "!") {
        return Ok(Expression::Not(Box::new(one(left)?)));
    }
    if first == "(" {
        let inner = any(left)?;
        return match next(left)? {
            ")" => Ok(inner),
            other => Err(format!(") was expected, not {other}")),
        };
    }
    let known = ["ec2InstanceId", "agentConnected", "agentVersion", "runningTasksCount"];
    if !first.starts_with("attribute:") && !known.contains(&first) {
        return Err(format!("{first} is not understood here"));
    }
    let subject = first.trim_start_matches("attribute:").to_owned();
    let operator = next(left)?;
    let mut number = || next(left)?.parse::<f64>().map_err(|_| "a number was expected".to_owned());
    let (test, is_not) = match operator {
        ">" | "greater_than" => (Test::Above(number()?), false),
        "<" | "less_than" => (Test::Below(number()?), false),
        "==" | "equals" => (Test::Is(next(left)?.to_owned()), false),
        "!=" | "not_equals" => (Test::Is(next(left)?.to_owned()), true),
        "=~" | "matches" => {
            let pattern = Regex::new(&format!("^(?:{})$", next(left)?)).map_err(|error| error.to_string())?;
            (Test::Matches(pattern), false)
        }
        "exists" => (Test::Exists, false),
        "!exists" | "not_exists" => (Test::Exists, true),
        "in" | "!in" | "not_in" => {
            if next(left)? != "[" {
                return Err("[ was expected".to_owned());
            }
            let mut of = Vec::new();
            loop {
                match next(left)? {
                    "]" => break,
                    "," => {}
                    word => of.push(word.to_owned()),
                }
            }
            (Test::In(of), operator != "in")
        }
        other => return Err(format!("{other} is not understood here")),
    };
    let test = Expression::Test(subject, test);
    Ok(if is_not { Expression::Not(Box::new(test)) } else { test })
}

impl Expression {
    /// Tells whether it holds where `value` tells what a subject is.
    pub(crate) fn holds(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Not(part) => !part.holds(value),
            Self::Test(subject, test) => {
                let Some(found) = value(subject) else { return false };
                let number = || found.parse::<f64>().ok();
                match test {
                    Test::Is(wanted) => found == *wanted,
                    Test::Matches(pattern) => pattern.is_match(&found),
                    Test::In(of) => of.contains(&found),
                    Test::Exists => true,
                    Test::Above(limit) => number().is_some_and(|found| found > *limit),
                    Test::Below(limit) => number().is_some_and(|found| found < *limit),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let value = |name: &str| match name {
            "ecs.instance-type" => Some("m5.large".to_owned()),
            "ecs.availability-zone" => Some("us-east-1a".to_owned()),
            "runningTasksCount" => Some("3".to_owned()),
            _ => None,
        };
        parse(text).unwrap().holds(&value)
    }

    #[test]
    fn expressions_hold_or_do_not() {
        for (text, expected) in [
            ("attribute:ecs.instance-type == m5.large", true),
            ("attribute:ecs.instance-type =~ m5.*", true),
            ("attribute:ecs.instance-type =~ t3.*", false),
            ("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", true),
            ("attribute:ecs.availability-zone !in [us-east-1a]", false),
            ("attribute:stack exists", false),
            ("attribute:stack !exists and runningTasksCount > 2", true),
            ("not (attribute:ecs.instance-type == m5.large or runningTasksCount < 1)", false),
            ("attribute:ecs.instance-type != 't3.small' && runningTasksCount < 4", true),
        ] {
            assert_eq!(holds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for text in ["", "task:group == x", "attribute:a", "attribute:a == b )", "attribute:a in b"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
