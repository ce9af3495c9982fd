//! A query as a tree, and how it is written and asked.

use super::columns::{Column, Ctx};
use super::lex::{Form, Sign, ends_word};
use super::literal::Literal;
use super::pattern::{Pattern, write_quoted, write_value};
use super::truth::Truth;
use super::value::{Unit, Value};
use super::words::Anywhere;
use crate::gateway::Source;
use crate::model::Tags;
use serde_json::Value as Json;
use std::fmt;

/// A part of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// Every row.
    Every,
    /// What does not hold.
    Not(Box<Self>),
    /// All of these hold.
    And(Vec<Self>),
    /// One of these holds.
    Or(Vec<Self>),
    /// A test of a row.
    Term(Term),
}

/// A test of one column, or of all text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Term {
    pub(super) on: On,
    pub(super) sign: Sign,
    /// One of these must fit; exactly one where the sign asks for an order.
    pub(super) tests: Vec<Test>,
}

/// Where a test looks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum On {
    /// At all text of a row.
    Anywhere,
    /// At a column.
    Column(&'static Column),
    /// At the value of one tag, in the column that holds all tags.
    Tag(&'static Column, String),
}

/// One value, as it was written and as it is compared.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) form: Form,
    pub(super) text: String,
    pub(super) fits: Fits,
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form && self.text == other.text
    }
}

/// What fits.
#[derive(Clone, Debug)]
pub(super) enum Fits {
    /// What is not known.
    Unknown,
    /// What is known to be absent.
    Absent,
    /// A text.
    Text(Pattern),
    /// A value with a type.
    Typed(Literal),
}

impl Expr {
    /// Tells whether it holds for row `at`. `anywhere` says where bare words are looked for.
    pub(super) fn truth(&self, ctx: Ctx<'_>, at: usize, anywhere: Anywhere<'_>) -> Truth {
        match self {
            Self::Every => Truth::True,
            Self::Not(inner) => !inner.truth(ctx, at, anywhere),
            Self::And(all) => {
                fold(all, Truth::True, Truth::False, Truth::and, |e| e.truth(ctx, at, anywhere))
            }
            Self::Or(any) => fold(any, Truth::False, Truth::True, Truth::or, |e| e.truth(ctx, at, anywhere)),
            Self::Term(term) => term.truth(ctx, at, anywhere),
        }
    }

    /// What is certain for row `at` whatever a source says: terms that need it are not known.
    pub(super) fn truth_without(
        &self,
        source: Source,
        ctx: Ctx<'_>,
        at: usize,
        anywhere: Anywhere<'_>,
    ) -> Truth {
        let part = |e: &Self| e.truth_without(source, ctx, at, anywhere);
        match self {
            Self::Not(inner) => !part(inner),
            Self::And(all) => fold(all, Truth::True, Truth::False, Truth::and, part),
            Self::Or(any) => fold(any, Truth::False, Truth::True, Truth::or, part),
            Self::Term(term) if term.needs(source) => Truth::Unknown,
            Self::Every | Self::Term(_) => self.truth(ctx, at, anywhere),
        }
    }

    /// Calls `see` with every term.
    pub(super) fn terms<'e>(&'e self, see: &mut impl FnMut(&'e Term)) {
        match self {
            Self::Every => {}
            Self::Not(inner) => inner.terms(see),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.terms(see)),
            Self::Term(term) => see(term),
        }
    }
}

/// Joins truths and stops as soon as nothing can change the outcome.
fn fold<T>(
    items: impl IntoIterator<Item = T>,
    start: Truth,
    stop: Truth,
    join: fn(Truth, Truth) -> Truth,
    ask: impl Fn(T) -> Truth,
) -> Truth {
    let mut truth = start;
    for item in items {
        truth = join(truth, ask(item));
        if truth == stop {
            break;
        }
    }
    truth
}

impl Term {
    fn needs(&self, source: Source) -> bool {
        match &self.on {
            On::Anywhere => false,
            On::Column(column) | On::Tag(column, _) => column.needs.contains(&source),
        }
    }

    fn truth(&self, ctx: Ctx<'_>, at: usize, anywhere: Anywhere<'_>) -> Truth {
        match &self.on {
            On::Anywhere => {
                let words = anywhere.words.iter().find(|words| words.is_for(self));
                if let (Some(words), Some(row)) = (words, ctx.fleet.instances.get(at)) {
                    return words.are_in(at, row).into();
                }
                fold(anywhere.columns, Truth::False, Truth::True, Truth::or, |column| {
                    self.fits(&(column.get)(ctx, at), ctx)
                })
            }
            On::Column(column) => {
                let ask = || self.fits(&(column.get)(ctx, at), ctx);
                match anywhere.alike.iter().find(|alike| alike.is_for(self)) {
                    Some(alike) => alike.truth(at, ask),
                    None => ask(),
                }
            }
            On::Tag(column, key) => match (column.get)(ctx, at) {
                Value::Tags(tags) => self.fits(&Value::maybe_text(tags.get(key)), ctx),
                other => self.fits(&other, ctx),
            },
        }
    }

    fn fits(&self, cell: &Value<'_>, ctx: Ctx<'_>) -> Truth {
        if self.sign.is_order() {
            return self.tests.first().map_or(Truth::Unknown, |test| test.ordered(self.sign, cell, ctx));
        }
        let any = fold(&self.tests, Truth::False, Truth::True, Truth::or, |test| test.holds(cell, ctx));
        if self.sign == Sign::IsNot { !any } else { any }
    }
}

impl Test {
    fn ordered(&self, sign: Sign, cell: &Value<'_>, ctx: Ctx<'_>) -> Truth {
        let order = match (cell, &self.fits) {
            (Value::Absent, _) => return Truth::False,
            (Value::Unknown(_), _) => return Truth::Unknown,
            (cell, Fits::Typed(literal)) => literal.order(cell, ctx.now),
            _ => None,
        };
        order.map_or(Truth::Unknown, |order| {
            match sign {
                Sign::Less => order.is_lt(),
                Sign::AtMost => order.is_le(),
                Sign::More => order.is_gt(),
                Sign::AtLeast => order.is_ge(),
                Sign::Has | Sign::Is => order.is_eq(),
                Sign::IsNot => order.is_ne(),
            }
            .into()
        })
    }

    fn holds(&self, cell: &Value<'_>, ctx: Ctx<'_>) -> Truth {
        match (cell, &self.fits) {
            (Value::Unknown(_), Fits::Unknown) | (Value::Absent, Fits::Absent) => Truth::True,
            (_, Fits::Unknown) => Truth::False,
            (Value::Unknown(_), _) => Truth::Unknown,
            (Value::Absent, _) | (_, Fits::Absent) => Truth::False,
            (_, Fits::Text(pattern)) if pattern.is_anything() => Truth::True,
            (cell, Fits::Text(pattern)) => text_fits(pattern, cell).into(),
            (cell, Fits::Typed(literal)) => literal.equals(cell, ctx.now),
        }
    }
}

/// Tells whether any text of a cell matches.
fn text_fits(pattern: &Pattern, cell: &Value<'_>) -> bool {
    match cell {
        Value::Text(text) => pattern.matches(text),
        Value::List(words) => words.iter().any(|word| pattern.matches(word)),
        Value::Tags(tags) => {
            let in_keys = || tags.keys().is_some_and(|keys| keys.iter().any(|key| pattern.matches(key)));
            tag_fits(pattern, tags) || in_keys()
        }
        Value::Nested(parts) => any_leaf(parts, pattern),
        Value::Health(health) => pattern.matches(health.word()),
        Value::Flag(flag) => pattern.matches(if *flag { "yes" } else { "no" }),
        Value::Moment(at) => pattern.matches(&at.to_string()),
        Value::Count(n) => pattern.matches(&n.to_string()),
        Value::Number(n) => pattern.matches(&n.to_string()),
        Value::Dollars(usd) => pattern.matches(&usd.to_string()),
        Value::Span(_) | Value::Absent | Value::Unknown(_) => false,
    }
}

/// Tells whether the value of any tag matches.
pub(super) fn tag_fits(pattern: &Pattern, tags: &Tags) -> bool {
    !pattern.is_nowhere_in(tags.text()) && tags.values().any(|value| pattern.matches(value))
}

fn any_leaf(parts: &Json, pattern: &Pattern) -> bool {
    match parts {
        Json::Null => false,
        Json::Bool(flag) => pattern.matches(if *flag { "yes" } else { "no" }),
        Json::Number(n) => pattern.matches(&n.to_string()),
        Json::String(text) => pattern.matches(text),
        Json::Array(items) => items.iter().any(|item| any_leaf(item, pattern)),
        Json::Object(fields) => fields.values().any(|value| any_leaf(value, pattern)),
    }
}

/// Tells whether bare words look into a column.
pub(super) fn is_searched(column: &Column) -> bool {
    use super::columns::Shown;
    column.name == "id"
        || column.unit == Unit::Tags
        || (column.shown == Shown::Always && matches!(column.unit, Unit::Text | Unit::List | Unit::Health))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => Ok(()),
            Self::Not(inner) => {
                f.write_str("!")?;
                inner.write_inside(f)
            }
            Self::And(parts) => write_parts(f, parts, " "),
            Self::Or(parts) => write_parts(f, parts, " or "),
            Self::Term(term) => write!(f, "{term}"),
        }
    }
}

impl Expr {
    fn write_inside(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(_) | Self::Or(_) => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, parts: &[Expr], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        part.write_inside(f)?;
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            On::Anywhere => {}
            On::Column(column) => write!(f, "{}{}", column.name, self.sign.word())?,
            On::Tag(_, key) => {
                write_tag(f, key)?;
                f.write_str(self.sign.word())?;
            }
        }
        for (at, test) in self.tests.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write_value(f, test.form, &test.text)?;
        }
        Ok(())
    }
}

/// Writes `tag.KEY`, the key in quotes where it must be.
pub(super) fn write_tag(f: &mut impl fmt::Write, key: &str) -> fmt::Result {
    f.write_str("tag.")?;
    let is_plain = !key.is_empty()
        && !key.contains(|c| ends_word(c) || matches!(c, ':' | '=' | '<' | '>' | '!' | '"' | ','));
    if is_plain { f.write_str(key) } else { write_quoted(f, key) }
}
