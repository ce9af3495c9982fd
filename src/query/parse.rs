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
use super::kin::Alike;
use super::kind::Kind;
use super::lex::{Form, Lexeme, RawField, RawTerm, RawValue, Sign, What, lex};
use super::literal::Literal;
use super::pattern::{Needle, Pattern, escape_slashes, is_wild, regex};
use super::truth::Truth;
use super::value::Unit;
use super::words::{Anywhere, Searcher, Words};
use crate::gateway::Source;
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
        let mut parser =
            Parser { kind, end: text.len(), lexemes: &lexemes, at: 0, depth: 0, gave_up: false, faults };
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
        self.truth_by(ctx, at, (&[], &[]))
    }

    /// The same, where some terms are answered in a quicker way.
    pub(super) fn truth_by(
        &self,
        ctx: Ctx<'_>,
        at: usize,
        (words, alike): (&[Words<'_>], &[Alike<'_>]),
    ) -> Truth {
        self.expr.truth(ctx, at, Anywhere { columns: &self.anywhere, words, alike })
    }

    /// Asks many rows of a fleet.
    pub fn searcher<'q>(&'q self, ctx: Ctx<'q>) -> Searcher<'q> {
        Searcher::new(self, ctx)
    }

    /// What it asks.
    pub(super) fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Calls `see` with every term.
    pub(super) fn terms<'q>(&'q self, see: &mut impl FnMut(&'q Term)) {
        self.expr.terms(see);
    }

    /// Tells what is certain for row `at` before a source was read: its terms that need the source count
    /// as not known, so what comes out false or true stays so whatever the source says.
    pub fn truth_without(&self, source: Source, ctx: Ctx<'_>, at: usize) -> Truth {
        self.expr.truth_without(source, ctx, at, Anywhere { columns: &self.anywhere, words: &[], alike: &[] })
    }

    /// The columns that it looks at, so that a script reads the sources that it needs and no more.
    pub fn columns_used(&self) -> Vec<&'static Column> {
        let mut used: Vec<&'static Column> = Vec::new();
        self.expr.terms(&mut |term| used.extend(self.columns_of(term)));
        used.sort_by_key(|column| column.name);
        used.dedup();
        used
    }

    /// The columns that one of its terms looks at.
    pub(super) fn columns_of(&self, term: &Term) -> impl Iterator<Item = &'static Column> {
        let (all, one) = match &term.on {
            On::Anywhere => (self.anywhere.as_slice(), None),
            On::Column(column) | On::Tag(column, _) => (&[][..], Some(*column)),
        };
        all.iter().copied().chain(one)
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
    gave_up: bool,
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
        if self.take(&What::Close).is_none() && !self.gave_up {
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
            self.gave_up = true;
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

#[cfg(test)]
mod tests {
    use super::Query;
    use crate::model::{Health, InstanceState};
    use crate::query::made::{cpu, fleet, row, with};
    use crate::query::{Ctx, Kind, select};

    fn found(query: &str) -> Vec<String> {
        let mut busy = row("i-1", &[("Name", "prod-core-1"), ("aws:autoscaling:groupName", "prod")]);
        busy.metrics = cpu(Some(Some(91.5)));
        busy.group = Some("prod".into());
        busy.health = Health::Warn;
        let mut idle = with(row("i-2", &[("Name", "dev-Core-2"), ("version", "1.10.0")]), |it| {
            it.state = InstanceState::Stopped;
            it.launched_at = None;
        });
        idle.metrics = cpu(Some(None));
        let unknown = row("i-10", &[("Name", "dev core 3"), ("version", "1.9.0")]);
        let fleet = fleet(vec![busy, idle, unknown]);
        let ctx = Ctx { fleet: &fleet, now: fleet.at };
        let query = Query::parse(query, Kind::Instances).unwrap_or_else(|faults| {
            panic!("{}", faults.iter().map(|f| f.render(query)).collect::<String>())
        });
        let rows = select(&query, ctx, Kind::Instances);
        rows.into_iter().map(|at| Kind::Instances.id(ctx, at as usize).into_owned()).collect()
    }

    fn faults(query: &str, kind: Kind) -> String {
        let faults = Query::parse(query, kind).expect_err(query);
        faults.iter().map(|fault| fault.render(query)).collect::<Vec<_>>().join("\n\n")
    }

    #[test]
    fn words_are_joined_by_and() {
        assert_eq!(found("core"), ["i-1", "i-2", "i-10"]);
        assert_eq!(found("CORE dev"), ["i-2", "i-10"]);
        assert_eq!(found("core AND stopped"), ["i-2"]);
        assert_eq!(found("prod or stopped"), ["i-1", "i-2"]);
        assert_eq!(found("!dev"), ["i-1"]);
        assert_eq!(found("not (prod or stopped)"), ["i-10"]);
        assert_eq!(found("\"dev core\""), ["i-10"]);
        assert_eq!(found("dev-*"), ["i-2"]);
        assert_eq!(found("/core.[12]$/"), ["i-1", "i-2"]);
        assert_eq!(found(""), ["i-1", "i-2", "i-10"]);
        assert_eq!(found("nothing"), [""; 0]);
    }

    #[test]
    fn columns_take_text_patterns_lists_and_exact_values() {
        assert_eq!(found("state:run"), ["i-1", "i-10"]);
        assert_eq!(found("state=run"), [""; 0]);
        assert_eq!(found("state=stopped,pending"), ["i-2"]);
        assert_eq!(found("name!=dev-core-2"), ["i-1", "i-10"]);
        assert_eq!(found("id:i-1?"), ["i-10"]);
        assert_eq!(found("security_groups=sg-22 name:/^dev/"), ["i-2", "i-10"]);
        assert_eq!(found("root_device:\"/dev/xvd\" id=i-1"), ["i-1"]);
        assert_eq!(found("detailed_monitoring:yes"), [""; 0]);
        assert_eq!(found("asg:prod"), ["i-1"]);
        assert_eq!(found("health:warn"), ["i-1"]);
        assert_eq!(found("health>=busy"), ["i-1"]);
    }

    #[test]
    fn tags_are_asked_by_key() {
        assert_eq!(found("tag.Name:dev"), ["i-2", "i-10"]);
        assert_eq!(found("tag.\"aws:autoscaling:groupName\":*"), ["i-1"]);
        assert_eq!(found("tag.version:-"), ["i-1"]);
        assert_eq!(found("tag.version>1.9.0"), ["i-2"]);
        assert_eq!(found("tags:1.10"), ["i-2"]);
    }

    #[test]
    fn comparisons_know_units() {
        assert_eq!(found("cpu>80"), ["i-1"]);
        assert_eq!(found("cpu > 80% id:i"), ["i-1"]);
        assert_eq!(found("age>=2h"), ["i-1", "i-10"]);
        assert_eq!(found("launched_at<1h"), [""; 0]);
        assert_eq!(found("launched_at>2026-06-01T09:00"), ["i-1", "i-10"]);
        assert_eq!(found("launched_at:2026-06-01"), ["i-1", "i-10"]);
        assert_eq!(found("id<i-2"), ["i-1"]);
    }

    #[test]
    fn what_is_unknown_is_in_neither_half() {
        assert_eq!(found("cpu>80"), ["i-1"]);
        assert_eq!(found("!cpu>80"), ["i-2"], "absent is known, unknown is not");
        assert_eq!(found("cpu:?"), ["i-10"]);
        assert_eq!(found("!cpu:?"), ["i-1", "i-2"]);
        assert_eq!(found("cpu:-"), ["i-2"]);
        assert_eq!(found("cpu>80 or cpu<=80"), ["i-1"]);
        assert_eq!(found("cpu>80 or id=i-10"), ["i-1", "i-10"]);
        assert_eq!(found("cpu:?,91.5"), ["i-1", "i-10"]);
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_place() {
        assert_eq!(
            faults("stat:running cpu>lots (age<2y name:/a(b/", Kind::Instances),
            "instances have no column 'stat'\n  stat:running cpu>lots (age<2y name:/a(b/\n  ^^^^\n  did you mean 'state'?\n\n\
             'lots' is not a number\n  stat:running cpu>lots (age<2y name:/a(b/\n                   ^^^^\n  write percent as 80 or 80%\n\n\
             this ( is never closed\n  stat:running cpu>lots (age<2y name:/a(b/\n                        ^\n  add the missing ), or put the text into quotes\n\n\
             unknown unit 'y'\n  stat:running cpu>lots (age<2y name:/a(b/\n                             ^^\n  units are ms, s, m, h, d, w: 90s, 2h, 1d12h\n\n\
             regular expression: unclosed group\n  stat:running cpu>lots (age<2y name:/a(b/\n                                       ^"
        );
    }

    #[test]
    fn single_faults() {
        let first = |query: &str| Query::parse(query, Kind::Instances).unwrap_err().remove(0);
        let told = |query: &str| (first(query).span, first(query).message);
        assert_eq!(told("a \"b"), (2..3, "this \" is never closed".into()));
        assert_eq!(told("a)b"), (1..2, "this ) closes nothing".into()));
        assert_eq!(told("a or"), (4..4, "something to look for is missing here".into()));
        assert_eq!(told("()"), (1..1, "something to look for is missing here".into()));
        assert_eq!(told("name: x"), (5..5, "a value is missing after ':'".into()));
        assert_eq!(told(">80"), (0..3, "a sign needs a column before it".into()));
        assert_eq!(
            told("root_device:/dev/xvda"),
            (17..21, "text behind the closing / of a regular expression".into())
        );
        assert_eq!(told("tags>3"), (4..5, "tags has several values, and so no order".into()));
        assert_eq!(told("age:2h"), (4..6, "a span of time is compared, not searched".into()));
        assert_eq!(told("cpu:8*"), (4..6, "only text takes a pattern".into()));
        assert_eq!(told("tag.:x"), (0..4, "the tag's key is missing".into()));
        assert_eq!(told("health:wrn"), (7..10, "'wrn' is no health".into()));
        assert_eq!(told("name:/\\/(/"), (8..9, "regular expression: unclosed group".into()));
        assert_eq!(told(&"(".repeat(100)), (64..65, "nested more than 64 deep".into()));
        assert_eq!(told(&"!".repeat(100)), (64..65, "nested more than 64 deep".into()));
        assert_eq!(
            first("launched_at:2h").hint.as_deref(),
            Some("write 2026-01-31, or compare its age: <2h")
        );
        assert_eq!(faults("tag.a:b", Kind::Alarms).lines().next(), Some("alarms have no tags"));
        assert_eq!(first("lifecylce:spot").hint.as_deref(), Some("did you mean 'lifecycle'?"));
    }

    #[test]
    fn a_script_learns_which_columns_it_must_read() {
        let used = |query: &str| {
            let query = Query::parse(query, Kind::Instances).unwrap();
            query.columns_used().iter().map(|column| column.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(used("cpu>80 !(ssm:Online or cpu<3)"), "cpu ssm");
        assert_eq!(used("tag.Name:x"), "tags");
        assert_eq!(used(""), "");
        assert_eq!(used("word"), "group health id lifecycle name private_ip state tags tier type zone");
    }

    #[test]
    fn every_example_of_the_page_is_a_query() {
        let page = include_str!("../../docs/queries.md");
        let (prose, _) = page.split_once("## Mistakes").unwrap();
        let example =
            regex::Regex::new("`([a-z_]+(?:\\.[^`: ]+|\\.\"[^`]+\")?(?:!=|<=|>=|[:=<>])[^`]+)`").unwrap();
        let mut seen = 0;
        for found in example.captures_iter(prose) {
            let text = &found[1];
            if text.starts_with("column") {
                continue;
            }
            let parses = [Kind::Instances, Kind::Tasks, Kind::Events]
                .iter()
                .any(|kind| Query::parse(text, *kind).is_ok());
            assert!(parses, "{text}: {:?}", Query::parse(text, Kind::Instances));
            seen += 1;
        }
        assert!(seen >= 30, "only {seen} examples were found");
        assert!(page.contains(&faults("stat:running cpu>lots", Kind::Instances)));
    }
}
