//! From text to a query, with every fault at once.
//!
//! ```text
//! any   = all ("or" all)*
//! all   = one ("and"? one)*
//! one   = ("!" | "not") one | "(" any ")" | term
//! term  = value | column sign value ("," value)*
//! ```

use super::columns::{Column, Ctx};
use super::expr::{Expr, Fits, On, Term, Test, is_searched};
use super::fault::Fault;
use super::kind::Kind;
use super::lex::{Form, Lexeme, RawField, RawTerm, RawValue, Sign, What, lex};
use super::literal::Literal;
use super::pattern::{Needle, Pattern, escape_slashes, is_wild, regex};
use super::truth::Truth;
use super::value::Unit;
use std::fmt;
use std::ops::Range;

/// Parentheses and negations inside one another, at most; more is a mistake or an attack.
const DEPTH: usize = 64;

/// A question to the rows of one kind. Written with `Display`, it parses to the same query again.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    kind: Kind,
    expr: Expr,
    anywhere: Vec<&'static Column>,
}

impl Query {
    /// The query that every row of a kind answers.
    pub fn every(kind: Kind) -> Self {
        Self { kind, expr: Expr::Every, anywhere: Vec::new() }
    }

    /// Reads a query against the columns of a kind. Blank text asks for every row.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Vec<Fault>> {
        let (lexemes, faults) = lex(text);
        let mut parser = Parser { kind, end: text.len(), lexemes: &lexemes, at: 0, depth: 0, faults };
        let expr = parser.whole();
        let mut faults = parser.faults;
        if faults.is_empty() {
            let anywhere = kind.columns().iter().filter(|column| is_searched(column)).collect();
            return Ok(Self { kind, expr, anywhere });
        }
        faults.sort_by_key(|fault| (fault.span.start, fault.span.end));
        faults.dedup();
        Err(faults)
    }

    /// The kind whose rows it asks.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Tells whether it asks for every row.
    pub fn is_every(&self) -> bool {
        self.expr == Expr::Every
    }

    /// Tells whether row `at` of its kind answers it: for certain, not, or not known.
    pub fn truth(&self, ctx: Ctx<'_>, at: usize) -> Truth {
        self.expr.truth(ctx, at, &self.anywhere)
    }

    /// The columns that it looks at, so that a script reads the sources that it needs and no more.
    pub fn columns_used(&self) -> Vec<&'static Column> {
        let mut used: Vec<&'static Column> = Vec::new();
        self.expr.terms(&mut |term| match &term.on {
            On::Anywhere => used.extend(&self.anywhere),
            On::Column(column) | On::Tag(column, _) => used.push(column),
        });
        used.sort_by_key(|column| column.name);
        used.dedup();
        used
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

struct Parser<'l> {
    kind: Kind,
    end: usize,
    lexemes: &'l [Lexeme],
    at: usize,
    depth: usize,
    faults: Vec<Fault>,
}

impl<'l> Parser<'l> {
    fn peek(&self) -> Option<&'l Lexeme> {
        self.lexemes.get(self.at)
    }

    fn take(&mut self, what: &What) -> Option<&'l Lexeme> {
        let lexeme = self.peek().filter(|lexeme| lexeme.what == *what)?;
        self.at += 1;
        Some(lexeme)
    }

    fn fault(&mut self, fault: Fault) -> Expr {
        self.faults.push(fault);
        Expr::Every
    }

    fn whole(&mut self) -> Expr {
        if self.lexemes.is_empty() {
            return Expr::Every;
        }
        let mut parts = vec![self.any()];
        // `any` stops before a parenthesis that nothing opened.
        while let Some(stray) = self.peek() {
            self.at += 1;
            self.fault(
                Fault::new(stray.span.clone(), "this ) closes nothing")
                    .hint("remove it, or put the text into quotes"),
            );
            if self.peek().is_some() {
                parts.push(self.any());
            }
        }
        one_of(parts, Expr::And)
    }

    fn any(&mut self) -> Expr {
        let mut parts = vec![self.all()];
        while self.take(&What::Or).is_some() {
            parts.push(self.all());
        }
        one_of(parts, Expr::Or)
    }

    fn all(&mut self) -> Expr {
        let mut parts = vec![self.one()];
        loop {
            match self.peek().map(|lexeme| &lexeme.what) {
                Some(What::And) => self.at += 1,
                None | Some(What::Or | What::Close) => return one_of(parts, Expr::And),
                Some(_) => {}
            }
            parts.push(self.one());
        }
    }

    fn one(&mut self) -> Expr {
        let Some(lexeme) = self.peek() else {
            return self.missing(self.end..self.end);
        };
        match &lexeme.what {
            What::Not => {
                self.at += 1;
                self.deeper(lexeme, |parser| Expr::Not(Box::new(parser.one())))
            }
            What::Open => {
                self.at += 1;
                self.deeper(lexeme, |parser| parser.parentheses(lexeme))
            }
            What::Term(raw) => {
                self.at += 1;
                self.term(raw)
            }
            What::And | What::Or | What::Close => {
                let start = lexeme.span.start;
                if lexeme.what == What::And {
                    self.at += 1;
                }
                self.missing(start..start)
            }
        }
    }

    fn missing(&mut self, at: Range<usize>) -> Expr {
        self.fault(
            Fault::new(at, "something to look for is missing here").hint(
                "write a word, column:value or a comparison; \"and\", \"or\", \"not\" in quotes are words",
            ),
        )
    }

    fn parentheses(&mut self, open: &Lexeme) -> Expr {
        let inner = self.any();
        if self.take(&What::Close).is_none() {
            self.fault(
                Fault::new(open.span.clone(), "this ( is never closed")
                    .hint("add the missing ), or put the text into quotes"),
            );
        }
        inner
    }

    /// Goes one level down. What is nested too deeply is skipped, so that no query exhausts the stack.
    fn deeper(&mut self, open: &Lexeme, inner: impl FnOnce(&mut Self) -> Expr) -> Expr {
        if self.depth == DEPTH {
            self.at = self.lexemes.len();
            return self.fault(
                Fault::new(open.span.clone(), format!("nested more than {DEPTH} deep"))
                    .hint("remove parentheses and negations that do nothing"),
            );
        }
        self.depth += 1;
        let expr = inner(self);
        self.depth -= 1;
        expr
    }

    fn term(&mut self, raw: &RawTerm) -> Expr {
        let (on, sign, unit) = match &raw.field {
            None => (Some(On::Anywhere), Sign::Has, Unit::Text),
            Some((field, sign, _)) => match self.field(field) {
                Some((on, unit)) => (Some(on), *sign, unit),
                None => (None, *sign, Unit::Text),
            },
        };
        if let (Some((field, sign, place)), true) = (&raw.field, on.is_some())
            && sign.is_order()
            && matches!(unit, Unit::List | Unit::Tags | Unit::Nested)
        {
            return self.fault(
                Fault::new(place.clone(), format!("{} has several values, and so no order", field.name))
                    .hint("search in it with ':'"),
            );
        }
        let mut tests = Vec::with_capacity(raw.values.len());
        for value in &raw.values {
            match test(value, raw.field.is_some(), sign, unit) {
                Ok(test) => tests.push(test),
                // The type of an unknown column is not known either.
                Err(_) if on.is_none() && value.form != Form::Regex => {}
                Err(fault) => self.faults.push(fault),
            }
        }
        // Without tests the lexer has said what is wrong.
        match on {
            Some(on) if !tests.is_empty() => Expr::Term(Term { on, sign, tests }),
            _ => Expr::Every,
        }
    }

    fn field(&mut self, field: &RawField) -> Option<(On, Unit)> {
        let Some(key) = &field.key else {
            return match self.kind.column(&field.name) {
                Ok(column) => Some((On::Column(column), column.unit)),
                Err(_) => {
                    self.fault(unknown_column(self.kind, &field.name, field.span.clone()));
                    None
                }
            };
        };
        let Some(tags) = self.kind.columns().iter().find(|column| column.unit == Unit::Tags) else {
            self.fault(Fault::new(field.span.clone(), format!("{} have no tags", self.kind)));
            return None;
        };
        if key.is_empty() {
            self.fault(Fault::new(field.span.clone(), "the tag's key is missing").hint(
                "write tag.KEY:value, and a key that holds ':' in quotes: tag.\"aws:ec2:fleet-id\":value",
            ));
            return None;
        }
        Some((On::Tag(tags, key.clone()), Unit::Text))
    }
}

/// The one part itself, or all of them joined.
fn one_of(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => Expr::Every,
    }
}

/// The fault of a column that a kind does not have.
pub(super) fn unknown_column(kind: Kind, name: &str, span: Range<usize>) -> Fault {
    let fault = Fault::new(span, format!("{kind} have no column '{name}'"));
    match kind.nearest_column(&name.to_lowercase().replace('-', "_")) {
        Some(near) => fault.hint(format!("did you mean '{near}'?")),
        None => {
            let names: Vec<_> = kind.columns().iter().map(|column| column.name).collect();
            fault.hint(format!("put text into quotes to search for it; columns are {}", names.join(", ")))
        }
    }
}

/// Turns a written value into a test that suits the type of its column.
fn test(value: &RawValue, has_field: bool, sign: Sign, unit: Unit) -> Result<Test, Fault> {
    let is_bare = value.form == Form::Bare;
    let here = || value.span.clone();
    let fits = match value.text.as_str() {
        "?" | "-" if is_bare && has_field => {
            if sign.is_order() {
                return Err(Fault::new(here(), "unknown and absent have no order")
                    .hint("write column:? for unknown, column:- for absent"));
            }
            if value.text == "?" { Fits::Unknown } else { Fits::Absent }
        }
        text if value.form == Form::Regex => Fits::Text(expression(value, text, sign, unit)?),
        _ if sign.is_order() => Fits::Typed(literal(value, unit)?),
        text if is_bare && is_wild(text) => match unit {
            Unit::Text | Unit::List | Unit::Tags | Unit::Nested | Unit::Moment | Unit::Health => {
                Fits::Text(Pattern::Glob(text.to_owned()))
            }
            _ if text.bytes().all(|byte| byte == b'*') => Fits::Text(Pattern::Glob(text.to_owned())),
            _ => {
                return Err(
                    Fault::new(here(), "only text takes a pattern").hint("compare with <, <=, = , >= or >")
                );
            }
        },
        text => match unit {
            Unit::Text | Unit::List | Unit::Tags | Unit::Nested if sign == Sign::Has => {
                Fits::Text(Pattern::Within(Needle::new(text)))
            }
            Unit::Text | Unit::List | Unit::Tags | Unit::Nested => {
                Fits::Text(Pattern::Whole(Needle::new(text)))
            }
            Unit::Moment => Fits::Text(day(value)?),
            Unit::Span if sign == Sign::Has => {
                return Err(Fault::new(here(), "a span of time is compared, not searched")
                    .hint(format!("write < or > instead of ':', as in age<{text}")));
            }
            _ => Fits::Typed(literal(value, unit)?),
        },
    };
    Ok(Test { form: value.form, text: value.text.clone(), fits })
}

fn literal(value: &RawValue, unit: Unit) -> Result<Literal, Fault> {
    Literal::parse(&value.text, unit)
        .map_err(|bad| Fault::new(value.span.clone(), bad.message).hint(bad.hint))
}

/// A moment that begins as written: `2026-01-31` is that day, `2026-01-31T09` that hour, in UTC.
fn day(value: &RawValue) -> Result<Pattern, Fault> {
    let looks_right = value.text.len() >= 4
        && value.text.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && value.text.as_bytes().get(4).is_none_or(|byte| *byte == b'-');
    if !looks_right {
        return Err(Fault::new(
            value.span.clone(),
            format!("'{}' is not the beginning of a date", value.text),
        )
        .hint("write 2026-01-31, or compare its age: <2h"));
    }
    Ok(Pattern::Glob(format!("{}*", value.text)))
}

fn expression(value: &RawValue, text: &str, sign: Sign, unit: Unit) -> Result<Pattern, Fault> {
    let is_text =
        matches!(unit, Unit::Text | Unit::List | Unit::Tags | Unit::Nested | Unit::Moment | Unit::Health);
    if sign.is_order() || !is_text {
        return Err(Fault::new(value.span.clone(), "only text is searched with a regular expression")
            .hint("compare with a value, or search a text column: name:/…/"));
    }
    regex(text).map(Pattern::Regex).map_err(|bad| {
        // The place is counted in the expression; between slashes its own slashes are longer.
        let place = |offset: usize| {
            let before = text.get(..offset).map_or(0, |before| escape_slashes(before).len());
            (value.span.start + 1 + before).min(value.span.end)
        };
        Fault::new(place(bad.span.start)..place(bad.span.end), format!("regular expression: {}", bad.message))
    })
}
