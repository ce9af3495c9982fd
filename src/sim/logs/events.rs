//! FilterLogEvents and GetLogEvents: what streams hold, page by page.
//!
//! An event is seen some moments after it happened, which differ from event to event, as ingestion does. A call reads
//! so much of the time that it was asked for and no more: a page may be empty and have a token all the same.

use super::matching::Pattern;
use super::{group, invalid};
use crate::sim::dice::{hash, mix};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::corelog::{Author, Line};
use crate::sim::world::place::Place;
use std::collections::HashMap;

/// Events of a page at most.
const MOST: i64 = 10_000;
/// Bytes of a page at most, each event with 26 more than its text.
const BYTES: usize = 1_048_576;
/// Minutes that one call reads at most.
const MINUTES: i64 = 45;
const MINUTE: i64 = 60_000;

/// An event of a stream.
struct Event<'a> {
    stream: &'a str,
    line: Line,
    ingested: i64,
    id: String,
}

/// A place in a group: the minute, and how many of its events were given.
#[derive(Clone, Copy, Debug, PartialEq)]
struct At {
    minute: i64,
    given: usize,
}

/// What a call wants.
struct Wish<'a> {
    now: i64,
    from: i64,
    until: i64,
    authors: &'a [Author],
    pattern: Pattern,
}

impl Wish<'_> {
    /// The events of a minute that can be seen now, in order.
    fn minute(&self, minute: i64) -> Vec<Event<'_>> {
        let mut found = Vec::new();
        for author in self.authors {
            let seed = hash(&author.stream);
            // An id is of a line, wherever it stands: more lines come into a minute when a neighbour goes.
            let mut alike: HashMap<(i64, u64), u64> = HashMap::new();
            for line in author.minute(minute) {
                let content = hash(&line.text);
                let count = alike.entry((line.at.0, content)).or_default();
                let number = *count;
                *count += 1;
                let mark = mix(seed ^ mix(minute.unsigned_abs()) ^ content);
                // Lines of one moment arrive together; some moments arrive late.
                let moment = mix(seed ^ line.at.0.unsigned_abs());
                let late = if moment.is_multiple_of(16) { 4_000 } else { 200 };
                let ingested = line.at.0 + 150 + i64::try_from(moment % late).unwrap_or(0);
                let is_meant = (self.from..self.until).contains(&line.at.0) && ingested <= self.now;
                if is_meant && self.pattern.admits(&line.text) {
                    let id = format!("{:020}{mark:020}{number:016}", line.at.0);
                    found.push(Event { stream: &author.stream, line, ingested, id });
                }
            }
        }
        found.sort_by_key(|event| event.line.at);
        found
    }
}

fn limit(call: &Call) -> Result<usize, Fault> {
    let asked = call.input.number("limit").ok().flatten().unwrap_or(MOST);
    if !(1..=MOST).contains(&asked) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{asked}' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000"
        )));
    }
    Ok(usize::try_from(asked).unwrap_or(1))
}

/// The span of a call in milliseconds: from, and up to but without.
fn span(call: &Call, created: i64) -> (i64, i64) {
    let number = |name: &str| call.input.number(name).ok().flatten();
    (number("startTime").unwrap_or(created).max(created), number("endTime").unwrap_or(i64::MAX))
}

fn mark(call: &Call, at: At, kind: &str) -> u64 {
    mix(hash(kind) ^ call.seed ^ mix(at.minute.unsigned_abs()) ^ mix(at.given as u64 + 1))
}

fn token(call: &Call, at: At, kind: &str) -> String {
    format!("{kind}/{:016x}{:08x}{:016x}", at.minute, at.given, mark(call, at, kind))
}

fn read_token(call: &Call, text: &str) -> Option<(String, At)> {
    let (kind, digits) = text.split_once('/')?;
    let part = |from: usize, to: usize| u64::from_str_radix(digits.get(from..to)?, 16).ok();
    let minute = i64::try_from(part(0, 16)?).ok()?;
    let at = At { minute, given: usize::try_from(part(16, 24)?).ok()? };
    (digits.len() == 40 && part(24, 40)? == mark(call, at, kind)).then(|| (kind.to_owned(), at))
}

fn bad_token() -> Fault {
    invalid("The specified nextToken is invalid.")
}

pub(super) fn filter(call: &Call, place: &Place) -> Answer {
    let group = group(call, place)?;
    let (names, prefix) =
        (call.input.texts("logStreamNames"), call.input.text("logStreamNamePrefix").unwrap_or_default());
    if !names.is_empty() && !prefix.is_empty() {
        return Err(invalid("LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters."));
    }
    if names.len() > 100 {
        return Err(invalid("At most 100 log streams can be named."));
    }
    let mut authors = place.authors(&group.name);
    if names.iter().any(|name| !authors.iter().any(|author| author.stream == *name)) {
        return Err(Fault::new("ResourceNotFoundException", "The specified log stream does not exist."));
    }
    authors.retain(|author| {
        author.stream.starts_with(prefix) && (names.is_empty() || names.contains(&author.stream.as_str()))
    });
    let (from, until) = span(call, group.created.0);
    let limit = limit(call)?;
    let pattern = Pattern::read(call.input.text("filterPattern").unwrap_or_default())?;
    let wish = Wish { now: call.now.0, from, until, authors: &authors, pattern };
    let mut at = match call.input.text("nextToken") {
        None => At { minute: from.div_euclid(MINUTE), given: 0 },
        Some(text) => {
            let (kind, at) = read_token(call, text).ok_or_else(bad_token)?;
            if kind != "s" {
                return Err(bad_token());
            }
            at
        }
    };
    let last = until.min(call.now.0 + MINUTE).div_euclid(MINUTE);
    let stop = at.minute + MINUTES;
    let (mut events, mut bytes) = (Vec::new(), 0);
    let mut is_full = false;
    while at.minute <= last && at.minute < stop && !is_full {
        let mut all = wish.minute(at.minute).into_iter().skip(at.given).peekable();
        while let Some(event) = all.peek() {
            let size = event.line.text.len() + 26;
            if events.len() == limit || (bytes + size > BYTES && !events.is_empty()) {
                is_full = true;
                break;
            }
            bytes += size;
            at.given += 1;
            events.extend(all.next());
        }
        if !is_full {
            at = At { minute: at.minute + 1, given: 0 };
        }
    }
    let more = (at.minute <= last).then(|| token(call, at, "s"));
    let shapes = list(&events, |event| {
        Fields::new()
            .with("logStreamName", event.stream)
            .with("timestamp", event.line.at.0)
            .with("message", event.line.text.as_str())
            .with("ingestionTime", event.ingested)
            .with("eventId", event.id.as_str())
    });
    Ok(Fields::new()
        .with("events", shapes)
        .with("searchedLogStreams", Shape::List(Vec::new()))
        .maybe("nextToken", more)
        .into())
}

pub(super) fn get(call: &Call, place: &Place) -> Answer {
    let group = group(call, place)?;
    let stream = call.input.text("logStreamName").unwrap_or_default();
    let mut authors = place.authors(&group.name);
    authors.retain(|author| author.stream == stream);
    if authors.is_empty() {
        return Err(Fault::new("ResourceNotFoundException", "The specified log stream does not exist."));
    }
    let (from, until) = span(call, group.created.0);
    let limit = limit(call)?;
    let wish = Wish { now: call.now.0, from, until, authors: &authors, pattern: Pattern::default() };
    let first = from.div_euclid(MINUTE);
    let last = until.min(call.now.0 + MINUTE).div_euclid(MINUTE);
    let (is_forward, mut at) = match call.input.text("nextToken") {
        Some(text) => {
            let (kind, at) = read_token(call, text).ok_or_else(bad_token)?;
            (kind == "f", at)
        }
        None if call.input.flag("startFromHead") => (true, At { minute: first, given: 0 }),
        None => (false, At { minute: last + 1, given: 0 }),
    };
    let begin = at;
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut read = 0;
    if is_forward {
        while at.minute <= last && read < MINUTES && events.len() < limit {
            let all = wish.minute(at.minute);
            let whole = all.len();
            let room = limit - events.len();
            events.extend(all.into_iter().skip(at.given).take(room));
            at = if at.given + room >= whole && at.minute < last {
                At { minute: at.minute + 1, given: 0 }
            } else {
                At { given: (at.given + room).min(whole), ..at }
            };
            read += 1;
            if at.minute == last && at.given >= wish.minute(last).len() {
                break;
            }
        }
    } else {
        let mut parts = Vec::new();
        let mut room = limit;
        while room > 0 && read < MINUTES && (at.given > 0 || at.minute > first) {
            if at.given == 0 {
                at = At { minute: at.minute - 1, given: wish.minute(at.minute - 1).len() };
            }
            let take = at.given.min(room);
            let mut all = wish.minute(at.minute);
            all.truncate(at.given);
            parts.push(all.split_off(at.given - take));
            (room, at.given, read) = (room - take, at.given - take, read + 1);
        }
        events.extend(parts.into_iter().rev().flatten());
    }
    let (forward, backward) = if is_forward { (at, begin) } else { (begin, at) };
    let shapes = list(&events, |event| {
        Fields::new()
            .with("timestamp", event.line.at.0)
            .with("message", event.line.text.as_str())
            .with("ingestionTime", event.ingested)
    });
    Ok(Fields::new()
        .with("events", shapes)
        .with("nextForwardToken", token(call, forward, "f"))
        .with("nextBackwardToken", token(call, backward, "b"))
        .into())
}
