//! A log that is being read: the lines that are kept, which of them show, and how they lie on the screen.
//!
//! Memory is bounded: the oldest lines are forgotten first, and counted. Nothing is laid out twice; a line that comes
//! is laid below the others, and only a change of width, filter or wrapping lays everything again.

use crate::logs::{Filter, Left, Line};
use crate::model::Text;
use crate::model::text::harmless;
use crate::ops::counter::Declined;
use crate::tui::cell;
use std::collections::VecDeque;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Lines that are kept at most.
pub(super) const MOST: usize = 10_000;
/// Bytes of text that are kept at most.
const MOST_BYTES: usize = 8 << 20;
/// What stands before a sentence about what is read.
const MARK: &str = "! ";
/// Rows that one line takes at most.
const DEEPEST: usize = 400;

/// How far the reading is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// Nothing has come yet.
    Waiting,
    /// Lines of the last minutes come.
    Catching,
    /// New lines are shown as they come.
    Following,
    /// Nothing more comes.
    Over,
    /// Nothing can be read, and why.
    Declined(Declined),
}

impl Standing {
    /// Whether the last minutes are still on their way.
    pub(super) fn is_early(&self) -> bool {
        matches!(self, Self::Waiting | Self::Catching)
    }
}

/// Something that came: a line, or what is to be known of the lines, where it was said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    /// A line.
    Line(Line),
    /// A sentence about what is read, or cannot be.
    Said(String),
}

/// A row of the screen: of which entry, counted from the first that ever came, and which part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) entry: u64,
    pub(super) part: u16,
}

/// A log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// What was asked for: `core/prod-acme`.
    pub(super) names: Vec<String>,
    pub(super) ticket: u64,
    pub(super) standing: Standing,
    /// What lines come from, as they are called before each.
    pub(super) sources: Vec<String>,
    entries: VecDeque<Entry>,
    /// Entries that went before the first that is kept.
    gone: u64,
    /// Lines among those that are kept.
    kept: usize,
    /// Lines that were forgotten.
    pub(super) forgotten: u64,
    /// Sentences that are kept.
    pub(super) remarks: usize,
    bytes: usize,
    rows: VecDeque<Row>,
    /// Lines that show.
    pub(super) shown: u64,
    width: usize,
    pub(super) wraps: bool,
    /// The newest line stays on the screen.
    pub(super) sticks: bool,
    /// What was typed, and what it means.
    pub(super) filter: String,
    wanted: Filter,
    only: Vec<Vec<Text>>,
}

impl Log {
    /// Nothing of it has been read.
    pub(super) fn new(names: Vec<String>, ticket: u64) -> Self {
        Self {
            names,
            ticket,
            standing: Standing::Waiting,
            sources: Vec::new(),
            entries: VecDeque::new(),
            gone: 0,
            kept: 0,
            forgotten: 0,
            remarks: 0,
            bytes: 0,
            rows: VecDeque::new(),
            shown: 0,
            width: 0,
            wraps: true,
            sticks: true,
            filter: String::new(),
            wanted: Filter::default(),
            only: Vec::new(),
        }
    }

    /// The sources are known.
    pub(super) fn begun(&mut self, sources: Vec<String>, only: Vec<Vec<Text>>) {
        (self.sources, self.standing) = (sources, Standing::Catching);
        self.wanted.only.clone_from(&only);
        self.only = only;
    }

    /// One more source is known.
    pub(super) fn joined(&mut self, source: String, only: Vec<Text>) {
        self.sources.push(source);
        self.only.push(only);
        // What was typed may mean the new one as well; it was understood before.
        let typed = std::mem::take(&mut self.filter);
        if self.narrow(&typed).is_err() {
            self.filter = typed;
        }
    }

    /// Lines come. How many rows went at the top, for whoever looks at those below.
    pub(super) fn take(&mut self, lines: Vec<Line>) -> usize {
        lines.into_iter().map(|line| self.push(Entry::Line(line))).sum()
    }

    /// Something is said of what is read: it stands among the lines, where it was said. How many rows went at the top.
    pub(super) fn say(&mut self, text: String) -> usize {
        self.push(Entry::Said(text))
    }

    fn push(&mut self, entry: Entry) -> usize {
        let mut went = 0;
        self.bytes += size(&entry);
        match entry {
            Entry::Line(_) => self.kept += 1,
            Entry::Said(_) => self.remarks += 1,
        }
        self.lay(&entry, self.gone + self.entries.len() as u64);
        self.entries.push_back(entry);
        while self.entries.len() > MOST || self.bytes > MOST_BYTES {
            let Some(old) = self.entries.pop_front() else { break };
            self.bytes -= size(&old);
            match old {
                Entry::Line(_) => {
                    self.kept -= 1;
                    self.forgotten += 1;
                }
                Entry::Said(_) => self.remarks -= 1,
            }
            while self.rows.front().is_some_and(|row| row.entry == self.gone) {
                self.rows.pop_front();
                went += 1;
            }
            self.gone += 1;
        }
        went
    }

    /// Another filter; the error is the byte that it points at, and what is wrong.
    pub(super) fn narrow(&mut self, typed: &str) -> Result<(), (usize, String)> {
        let sources: Vec<Text> = self.sources.iter().map(Text::from).collect();
        let mut wanted = Filter::read(typed, &sources)?;
        wanted.only.clone_from(&self.only);
        (self.filter, self.wanted) = (typed.to_owned(), wanted);
        self.lay_all();
        Ok(())
    }

    pub(super) fn wrap(&mut self) {
        self.wraps = !self.wraps;
        self.lay_all();
    }

    /// The screen is so wide.
    pub(super) fn widen(&mut self, width: usize) {
        if self.width != width {
            self.width = width;
            self.lay_all();
        }
    }

    /// Rows in all.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Lines in all.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// What stands in a row, and which part of it.
    pub(super) fn at(&self, row: usize) -> Option<(&Entry, usize)> {
        let Row { entry, part } = *self.rows.get(row)?;
        let at = usize::try_from(entry.checked_sub(self.gone)?).ok()?;
        Some((self.entries.get(at)?, usize::from(part)))
    }

    fn lay_all(&mut self) {
        self.rows.clear();
        self.shown = 0;
        let entries = std::mem::take(&mut self.entries);
        for (at, entry) in (self.gone..).zip(&entries) {
            self.lay(entry, at);
        }
        self.entries = entries;
    }

    fn lay(&mut self, entry: &Entry, at: u64) {
        let rows = match entry {
            // What cannot be told is left out on the screen as in scripts; the title says how many of all show.
            Entry::Line(line) if !self.wanted.admits(line, &mut Left::default()) => return,
            Entry::Line(line) => {
                self.shown += 1;
                self.parts(line).len()
            }
            // What is to be known of the lines is nothing that a filter is about.
            Entry::Said(text) => self.sentence(text).len(),
        };
        let parts = 0..rows.clamp(1, DEEPEST);
        self.rows.extend(parts.map(|part| Row { entry: at, part: u16::try_from(part).unwrap_or(u16::MAX) }));
    }

    /// A sentence, row by row, always whole: whoever cuts long lines wants to read it all the same.
    pub(super) fn sentence(&self, text: &str) -> Vec<String> {
        cell::wrap(&format!("{MARK}{text}"), self.width.saturating_sub(1))
    }

    /// The texts of a line, row by row. The first begins after what stands before it.
    pub(super) fn parts(&self, line: &Line) -> Vec<String> {
        let first = self.lead(line).width();
        let mut parts = self.cut(&line.message, self.width.saturating_sub(first + 1));
        for more in &line.more {
            parts.extend(self.cut(more, self.width.saturating_sub(4)));
        }
        parts.truncate(DEEPEST);
        parts
    }

    /// How many of the parts are the message's own.
    pub(super) fn own(&self, line: &Line) -> usize {
        let first = self.lead(line).width();
        self.cut(&line.message, self.width.saturating_sub(first + 1)).len()
    }

    /// What stands before a line's message.
    pub(super) fn lead(&self, line: &Line) -> String {
        let time = line.at.strftime("%H:%M:%S%.3f");
        let level = line.level().map_or("", crate::logs::Level::word);
        let mut lead = format!("{time} ");
        if self.sources.len() > 1 {
            let name = self.sources.get(usize::from(line.from)).map_or("", String::as_str);
            let wide = self.sources.iter().map(|name| name.width()).max().unwrap_or(0).min(20);
            let name = cell::cut(name, wide, "…");
            lead.push_str(&format!("{name}{} ", " ".repeat(wide.saturating_sub(name.width()))));
        }
        lead.push_str(&format!("{level:<5}"));
        if let Some(whom) = line.whom().filter(|whom| !whom.domain.is_empty()) {
            lead.push_str(&format!(" {}", harmless(&whom.domain)));
        }
        lead
    }

    fn cut(&self, text: &str, room: usize) -> Vec<String> {
        let text = harmless(&text.replace('\t', "    ")).into_owned();
        if !self.wraps || room < 8 {
            return vec![text];
        }
        wrapped(&text, room)
    }
}

fn size(entry: &Entry) -> usize {
    200 + match entry {
        Entry::Line(line) => line.message.len() + line.more.iter().map(String::len).sum::<usize>(),
        Entry::Said(text) => text.len(),
    }
}

/// Text in pieces of at most so many columns, cut where the room ends: a line of a log is no prose.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn line(second: i64, message: &str, more: usize) -> Line {
        let at = Timestamp::from_second(second).unwrap();
        Line { at, from: 0, head: None, message: message.to_owned(), more: vec!["\tat a.B".to_owned(); more] }
    }

    #[test]
    fn the_oldest_lines_are_forgotten_and_counted_and_whoever_looks_below_is_told() {
        let mut log = Log::new(vec!["core/a".to_owned()], 1);
        log.widen(40);
        assert_eq!(log.take(vec![line(0, "first", 2)]), 0);
        assert_eq!(log.count(), 3);
        let many = (1..=MOST as i64).map(|at| line(at, "x", 0)).collect();
        assert_eq!(log.take(many), 3, "three rows went with the first line");
        assert_eq!((log.kept(), log.forgotten, log.count()), (MOST, 1, MOST));
        assert_eq!(log.at(0).unwrap().0, &Entry::Line(line(1, "x", 0)));
    }

    #[test]
    fn long_lines_wrap_or_do_not_and_a_filter_leaves_rows_out() {
        let mut log = Log::new(vec!["core/a".to_owned()], 1);
        log.widen(40);
        log.take(vec![line(0, &"y".repeat(50), 0), line(1, "boom", 1)]);
        assert_eq!(log.count(), 5, "50 columns in 21 each, then one line with one below");
        log.wrap();
        assert_eq!(log.count(), 3);
        log.narrow("boom").unwrap();
        assert_eq!((log.count(), log.shown), (2, 1));
        assert!(log.narrow("/(/").is_err());
        assert_eq!(log.count(), 2, "a filter that means nothing changes nothing");
    }

    #[test]
    fn what_is_said_stands_where_it_was_said_whole_and_whatever_the_filter() {
        let mut log = Log::new(vec!["core/a".to_owned()], 1);
        log.widen(30);
        log.take(vec![line(0, "first", 0)]);
        log.say("Systems Manager cannot reach i-0: its agent is offline".to_owned());
        log.take(vec![line(1, "second", 0)]);
        assert_eq!((log.kept(), log.shown, log.remarks, log.count()), (2, 2, 1, 5));
        log.narrow("second").unwrap();
        assert_eq!((log.shown, log.count()), (1, 4));
        let Some((Entry::Said(text), 0)) = log.at(0) else { panic!("{:?}", log.at(0)) };
        let rows = log.sentence(text);
        assert!(rows.len() == 3 && rows.iter().all(|row| row.width() < 30), "{rows:?}");
        assert_eq!(rows.join(" "), "! Systems Manager cannot reach i-0: its agent is offline");
    }

    #[test]
    fn pieces_are_never_wider_than_their_room() {
        for piece in wrapped("aé漢字bcdefgh", 4) {
            assert!(piece.width() <= 4, "{piece}");
        }
    }
}
