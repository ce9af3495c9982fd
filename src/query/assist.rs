//! Help while a query is typed: what its pieces are, and what could stand at the cursor.

use super::columns::{Column, Ctx};
use super::expr;
use super::kind::Kind;
use super::lex::{Form, Lexeme, RawField, Sign, What, ends_word, lex};
use super::natural;
use super::pattern::{Needle, is_wild, write_quoted};
use super::value::{Unit, Value};
use crate::model::Health;
use crate::model::text::is_unsafe;
use std::collections::HashMap;
use std::ops::Range;

/// So many rows are all looked at for candidates.
const ROWS: usize = 4_000;

/// Of more rows about so many are: enough to know what is common, few enough for one keystroke, which has three milliseconds
/// for everything. They lie far apart, and each is waited for.
const SOME: usize = 1_000;

/// Candidates that are offered at once.
const OFFERED: usize = 50;

/// A piece of a query, for colouring it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes.
    pub span: Range<usize>,
    /// What it is.
    pub hue: Hue,
}

/// What a piece of a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// The name of a column, or `tag.KEY`.
    Column,
    /// A sign behind a column.
    Sign,
    /// A value behind a sign.
    Value,
    /// A regular expression with its slashes.
    Regex,
    /// A bare word.
    Word,
    /// `and`, `or`, `not`, `!`
    Keyword,
    /// A parenthesis.
    Parenthesis,
    /// A name that no column has.
    Wrong,
}

/// Returns the pieces of a query in their order. It never fails: what cannot be read is left out.
/// Faults with their places come from `Query::parse`.
pub fn paint(source: &str, kind: Kind) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for Lexeme { span, what } in lex(source).0 {
        match what {
            What::Open | What::Close => pieces.push(Piece { span, hue: Hue::Parenthesis }),
            What::Not | What::And | What::Or => pieces.push(Piece { span, hue: Hue::Keyword }),
            What::Term(term) => {
                let plain = if term.field.is_some() { Hue::Value } else { Hue::Word };
                if let Some((field, _, sign)) = term.field {
                    let hue = if source_of(kind, &field).is_some() { Hue::Column } else { Hue::Wrong };
                    pieces.push(Piece { span: field.span, hue });
                    pieces.push(Piece { span: sign, hue: Hue::Sign });
                }
                pieces.extend(term.values.into_iter().map(|value| Piece {
                    hue: if value.form == Form::Regex { Hue::Regex } else { plain },
                    span: value.span,
                }));
            }
        }
    }
    pieces
}

/// What could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that a candidate replaces.
    pub span: Range<usize>,
    /// The candidates, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// One thing that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What is written; harmless to a terminal.
    pub text: String,
    /// A line that explains it; may be empty.
    pub doc: String,
    /// What it is.
    pub offer: Offer,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A column.
    Column,
    /// A tag's key.
    Tag,
    /// A sign for the column before it.
    Sign,
    /// A value that rows have.
    Value,
    /// `and`, `or`, `not`
    Keyword,
}

/// Returns what could stand at the cursor, given in bytes. Values come from the rows themselves.
pub fn complete(source: &str, cursor: usize, ctx: Ctx<'_>, kind: Kind) -> Completion {
    let cursor = (0..=cursor.min(source.len())).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0);
    let before = source.get(..cursor).unwrap_or("");
    let none = Completion { span: cursor..cursor, candidates: Vec::new() };
    let (lexemes, _) = lex(before);
    // Inside quotes, slashes or behind a blank that belongs to a term, the last word does not end here.
    let last = lexemes.last().filter(|lexeme| lexeme.span.end == cursor);
    if let Some(Lexeme { span, what: What::Term(term) }) = last {
        if let Some((field, sign, place)) = &term.field {
            let (start, typed) = match term.values.last() {
                Some(value) if value.span.end == cursor && value.form == Form::Bare => {
                    (value.span.start, value.text.as_str())
                }
                None if place.end == cursor => (cursor, ""),
                Some(_) if before.ends_with(',') => (cursor, ""),
                _ => return none,
            };
            let Some((column, key)) = source_of(kind, field) else { return none };
            return Completion {
                span: start..cursor,
                candidates: values(column, key, *sign, typed, ctx, kind),
            };
        }
        return match term.values.last() {
            Some(value) if value.form == Form::Bare => {
                let candidates = names(&value.text, lexemes.len() > 1, ctx, kind);
                Completion { span: span.clone(), candidates }
            }
            _ => none,
        };
    }
    match last {
        Some(Lexeme { what: What::Open | What::Not, .. }) | None => {
            let is_open = before.is_empty() || before.ends_with(|c: char| ends_word(c) || c == '!');
            if is_open {
                Completion { candidates: names("", !lexemes.is_empty(), ctx, kind), ..none }
            } else {
                none
            }
        }
        Some(_) => none,
    }
}

/// The column that a written name means, and the key where it means a tag.
fn source_of(kind: Kind, field: &RawField) -> Option<(&'static Column, Option<&str>)> {
    match &field.key {
        Some(key) => tags_of(kind).map(|column| (column, Some(key.as_str()))),
        None => kind.column(&field.name).ok().map(|column| (column, None)),
    }
}

fn tags_of(kind: Kind) -> Option<&'static Column> {
    kind.columns().iter().find(|column| column.unit == Unit::Tags)
}

/// Columns, tags and keywords that begin as typed; for a whole column, the signs that suit it first.
fn names(typed: &str, is_further: bool, ctx: Ctx<'_>, kind: Kind) -> Vec<Candidate> {
    let needle = Needle::new(typed);
    let mut offered = Vec::new();
    if let Some(column) = kind.columns().iter().find(|column| column.name.eq_ignore_ascii_case(typed)) {
        offered.extend(signs(column.unit).iter().map(|(sign, doc)| Candidate {
            text: format!("{}{}", column.name, sign.word()),
            doc: (*doc).to_owned(),
            offer: Offer::Sign,
        }));
    }
    let columns = kind.columns().iter().filter(|column| needle.begins(column.name));
    offered.extend(columns.map(|column| Candidate {
        text: column.name.to_owned(),
        doc: column.doc.to_owned(),
        offer: Offer::Column,
    }));
    if typed.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("tag")) {
        offered.extend(keys(typed, ctx, kind));
    }
    let keywords = [("not", "what does not hold"), ("and", "both hold"), ("or", "either holds")];
    let keywords =
        keywords.into_iter().filter(|(word, _)| (is_further || *word == "not") && needle.begins(word));
    offered.extend(keywords.map(|(word, doc)| Candidate {
        text: word.to_owned(),
        doc: doc.to_owned(),
        offer: Offer::Keyword,
    }));
    offered
}

fn signs(unit: Unit) -> &'static [(Sign, &'static str)] {
    const SEARCH: [(Sign, &str); 3] =
        [(Sign::Has, "contains, or fits a pattern"), (Sign::Is, "is exactly"), (Sign::IsNot, "is not")];
    const ORDER: [(Sign, &str); 6] = [
        (Sign::More, "more than"),
        (Sign::Less, "less than"),
        (Sign::AtLeast, "at least"),
        (Sign::AtMost, "at most"),
        (Sign::Is, "is exactly"),
        (Sign::IsNot, "is not"),
    ];
    match unit {
        Unit::Text | Unit::Flag | Unit::List | Unit::Tags | Unit::Nested | Unit::Health => &SEARCH,
        _ => &ORDER,
    }
}

/// Tags whose key begins as typed behind `tag.`, the commonest first.
fn keys(typed: &str, ctx: Ctx<'_>, kind: Kind) -> Vec<Candidate> {
    let Some(column) = tags_of(kind) else { return Vec::new() };
    let key = typed.get(4..).unwrap_or("");
    let needle = Needle::new(key.strip_prefix('"').unwrap_or(key));
    let mut counts: HashMap<String, usize> = HashMap::new();
    let looked = Looked::at(ctx, kind);
    for at in looked.rows() {
        if let Value::Tags(tags) = (column.get)(ctx, at) {
            for (key, _) in tags.iter().filter(|(key, _)| needle.begins(key)) {
                count(&mut counts, key);
            }
        }
    }
    ranked(
        counts,
        kind,
        looked,
        |key| {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = expr::write_tag(&mut text, key);
            text
        },
        Offer::Tag,
    )
}

/// Values that rows have in a column and that begin as typed, the commonest first.
fn values(
    column: &'static Column,
    key: Option<&str>,
    sign: Sign,
    typed: &str,
    ctx: Ctx<'_>,
    kind: Kind,
) -> Vec<Candidate> {
    let needle = Needle::new(typed);
    let fixed: Vec<&str> = match column.unit {
        Unit::Flag => vec!["yes", "no"],
        Unit::Health => {
            [Health::Ok, Health::Busy, Health::Unknown, Health::Warn, Health::Bad].map(Health::word).into()
        }
        _ => Vec::new(),
    };
    if !fixed.is_empty() {
        let fixed = fixed.into_iter().filter(|word| needle.begins(word));
        return fixed
            .map(|word| Candidate { text: word.to_owned(), doc: String::new(), offer: Offer::Value })
            .collect();
    }
    if sign.is_order() && column.unit != Unit::Text && key.is_none() {
        return Vec::new();
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut see = |text: &str| {
        if needle.begins(text) {
            count(&mut counts, text);
        }
    };
    let looked = Looked::at(ctx, kind);
    for at in looked.rows() {
        match ((column.get)(ctx, at), key) {
            (Value::Tags(tags), Some(key)) => tags.get(key).into_iter().for_each(&mut see),
            (Value::Text(text), None) => see(&text),
            (Value::List(words), None) => words.iter().for_each(|word| see(word)),
            _ => {}
        }
    }
    ranked(counts, kind, looked, bare_or_quoted, Offer::Value)
}

fn count(counts: &mut HashMap<String, usize>, text: &str) {
    match counts.get_mut(text) {
        Some(count) => *count += 1,
        None => drop(counts.insert(text.to_owned(), 1)),
    }
}

/// Rows of a kind that are looked at: all of a small fleet, and every so manyth of a large one.
#[derive(Clone, Copy)]
struct Looked {
    of: usize,
    step: usize,
}

impl Looked {
    fn at(ctx: Ctx<'_>, kind: Kind) -> Self {
        let of = kind.len(ctx.fleet);
        Self { of, step: if of > ROWS { of.div_ceil(SOME) } else { 1 } }
    }

    fn rows(self) -> impl Iterator<Item = usize> {
        (0..self.of).step_by(self.step)
    }

    /// How many rows have something that so many of those have that were looked at.
    fn told(self, count: usize, kind: Kind) -> String {
        let word = if count == 1 { kind.singular() } else { kind.word() };
        if self.step == 1 { format!("{count} {word}") } else { format!("about {} {word}", count * self.step) }
    }
}

/// The commonest texts, and how many rows have them. Texts that could drive a terminal are left out.
fn ranked(
    counts: HashMap<String, usize>,
    kind: Kind,
    looked: Looked,
    write: impl Fn(&str) -> String,
    offer: Offer,
) -> Vec<Candidate> {
    let mut texts: Vec<(String, usize)> =
        counts.into_iter().filter(|(text, _)| !text.is_empty() && !text.contains(is_unsafe)).collect();
    texts.sort_by(|(a, many), (b, few)| few.cmp(many).then_with(|| natural::order(a, b)));
    texts.truncate(OFFERED);
    texts
        .into_iter()
        .map(|(text, count)| {
            let doc = looked.told(count, kind);
            Candidate { text: write(&text), doc, offer }
        })
        .collect()
}

/// A value as it must be written behind a sign to stand for itself.
fn bare_or_quoted(text: &str) -> String {
    let is_plain = !text.contains(|c| ends_word(c) || c == ',')
        && !text.starts_with(['"', '/'])
        && !is_wild(text)
        && text != "-";
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::new();
    // Writing to a String cannot fail.
    let _ = write_quoted(&mut quoted, text);
    quoted
}

#[cfg(test)]
mod tests {
    use super::{Hue, Offer, complete, paint};
    use crate::fleet::Fleet;
    use crate::query::made::{fleet, row};
    use crate::query::{Ctx, Kind, Query, select};
    use proptest::prelude::*;

    fn made() -> Fleet {
        fleet(vec![
            row("i-1", &[("Name", "api one"), ("aws:x", "1"), ("Env", "prod")]),
            row("i-2", &[("Name", "api-2"), ("Env", "prod")]),
            row("i-3", &[("Name", "web\u{1b}"), ("Env", "dev,test")]),
        ])
    }

    fn offered(typed: &str) -> Vec<String> {
        let fleet = made();
        let ctx = Ctx { fleet: &fleet, now: fleet.at };
        complete(typed, typed.len(), ctx, Kind::Instances).candidates.into_iter().map(|c| c.text).collect()
    }

    #[test]
    fn pieces_are_told_apart() {
        let source = "!(state:run,/x/ or stat>1) word";
        let hues: Vec<(&str, Hue)> =
            paint(source, Kind::Instances).into_iter().map(|p| (&source[p.span], p.hue)).collect();
        assert_eq!(
            hues,
            [
                ("!", Hue::Keyword),
                ("(", Hue::Parenthesis),
                ("state", Hue::Column),
                (":", Hue::Sign),
                ("run", Hue::Value),
                ("/x/", Hue::Regex),
                ("or", Hue::Keyword),
                ("stat", Hue::Wrong),
                (">", Hue::Sign),
                ("1", Hue::Value),
                (")", Hue::Parenthesis),
                ("word", Hue::Word),
            ]
        );
    }

    #[test]
    fn columns_signs_and_values_are_offered() {
        assert_eq!(offered("lifecycle_"), ["lifecycle_state"]);
        assert_eq!(offered("cpu")[..2], ["cpu>", "cpu<"]);
        assert_eq!(offered("x (zon"), ["zone"]);
        assert_eq!(offered("name:"), ["\"api one\"", "api-2"], "dangerous text is not offered");
        assert_eq!(offered("state=r"), ["running"]);
        assert_eq!(offered("state=running,"), ["running"]);
        assert_eq!(offered("health:w"), ["warn"]);
        assert_eq!(offered("protected:"), ["yes", "no"]);
        assert_eq!(offered("tag.E"), ["tag.Env"]);
        assert_eq!(offered("tag.a"), ["tag.\"aws:x\""]);
        assert_eq!(offered("tag.Env:"), ["prod", "\"dev,test\""]);
        assert_eq!(offered("name:\"ap"), [""; 0]);
        assert!(offered("x o").iter().any(|c| c == "or") && offered("x o").iter().any(|c| c == "owner_id"));
        assert!(offered("").iter().any(|c| c == "not") && !offered("").iter().any(|c| c == "or"));
    }

    #[test]
    fn an_offered_value_selects_the_rows_that_it_counts() {
        let fleet = made();
        let ctx = Ctx { fleet: &fleet, now: fleet.at };
        for field in ["name=", "zone=", "tag.Env=", "id="] {
            for candidate in complete(field, field.len(), ctx, Kind::Instances).candidates {
                assert_eq!(candidate.offer, Offer::Value);
                let query = Query::parse(&format!("{field}{}", candidate.text), Kind::Instances).unwrap();
                let rows = select(&query, ctx, Kind::Instances).len();
                assert_eq!(candidate.doc.split(' ').next(), Some(rows.to_string().as_str()), "{candidate:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn help_never_panics_and_stays_within_the_text(text in "[a-z:=<>!(),\"/ é.]{0,24}", cursor in 0..30usize) {
            let fleet = made();
            let ctx = Ctx { fleet: &fleet, now: fleet.at };
            let completion = complete(&text, cursor, ctx, Kind::Instances);
            prop_assert!(text.get(completion.span).is_some());
            let mut end = 0;
            for piece in paint(&text, Kind::Instances) {
                prop_assert!(piece.span.start >= end && text.get(piece.span.clone()).is_some());
                end = piece.span.end;
            }
        }
    }
}
