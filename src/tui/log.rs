//! A log that is being read: the lines that are kept, which of them show, and how they lie on the screen.
//!
//! Memory is bounded: the oldest lines are forgotten first, and counted. A line that comes is laid below the others;
//! only a change of width, filter or wrapping, or lines that belong between others, lay everything again.

mod laid;

use crate::logs::{Filter, Flow, Left, Line, Said, Sought};
use crate::model::Text;
use crate::ops::counter::Declined;
use crate::tui::cell;
use jiff::civil::Date;
use laid::{DEEPEST, marked};
pub(super) use laid::{Laid, Sheet};
use std::collections::VecDeque;
use unicode_width::UnicodeWidthStr;

/// Lines that are kept at most.
pub(super) const MOST: usize = 10_000;
/// Bytes of text that are kept at most.
const MOST_BYTES: usize = 8 << 20;
/// What stands before a sentence about what is read.
const MARK: &str = "! ";
/// Sentences that stand below the newest line at most, and the rows that each takes there.
const BELOW: (usize, usize) = (3, 2);
/// The part of a line that is the day it was written on, in a row before its first.
const DAY: u16 = u16::MAX;

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
enum Entry {
    Line(Line),
    Said(String),
}

/// A row of the screen: of which entry, counted from the first that ever came, and which part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    entry: u64,
    part: u16,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown<'a> {
    /// The day of the lines below.
    Day(Date),
    /// A part of a line. The number tells lines apart.
    Part(u64, &'a Line, usize),
    /// A row of something that is to be known of the log.
    Said(String),
}

/// A log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// What was asked for.
    pub(super) of: Sought,
    pub(super) ticket: u64,
    pub(super) standing: Standing,
    /// What lines come from, as they are called before each, and whether they come.
    pub(super) sources: Vec<String>,
    flows: Vec<Flow>,
    entries: VecDeque<Entry>,
    /// Entries that went before the first that is kept.
    gone: u64,
    /// Lines among those that are kept.
    kept: usize,
    /// Lines that were forgotten.
    pub(super) forgotten: u64,
    /// Sentences among those that are kept.
    pub(super) remarks: usize,
    bytes: usize,
    rows: VecDeque<Row>,
    /// Lines that show.
    pub(super) shown: u64,
    /// Lines that do not because nobody can tell whether they should.
    pub(super) left: Left,
    sheet: Sheet,
    /// The day when it was opened, whose lines need no date, and the day of the last line that was laid.
    today: Date,
    day: Date,
    /// Columns of the longest name of a source.
    widest: usize,
    /// The newest line stays on the screen.
    pub(super) sticks: bool,
    /// What was typed, and what it means.
    pub(super) filter: String,
    wanted: Filter,
    only: Vec<Vec<Text>>,
    /// Why some sources do not come, as long as they do not; and the last of it, laid out.
    standing_out: VecDeque<Said>,
    below: Vec<String>,
}

impl Log {
    /// Nothing of it has been read.
    pub(super) fn new(of: Sought, ticket: u64, sheet: Sheet, now: jiff::Timestamp) -> Self {
        Self {
            of,
            ticket,
            standing: Standing::Waiting,
            sources: Vec::new(),
            flows: Vec::new(),
            entries: VecDeque::new(),
            gone: 0,
            kept: 0,
            forgotten: 0,
            remarks: 0,
            bytes: 0,
            rows: VecDeque::new(),
            shown: 0,
            left: Left::default(),
            today: sheet.day(now),
            day: sheet.day(now),
            widest: 0,
            sheet,
            sticks: true,
            filter: String::new(),
            wanted: Filter::default(),
            only: Vec::new(),
            standing_out: VecDeque::new(),
            below: Vec::new(),
        }
    }

    /// The same log, of which nothing has been read: with its filter and its folds.
    pub(super) fn again(&self, ticket: u64, now: jiff::Timestamp) -> Self {
        let mut log = Self::new(self.of.clone(), ticket, self.sheet.clone(), now);
        log.filter.clone_from(&self.filter);
        log
    }

    /// The sources are known.
    pub(super) fn begun(&mut self, sources: Vec<String>, only: Vec<Vec<Text>>) {
        self.flows = vec![Flow::Comes; sources.len()];
        self.widest = sources.iter().map(|name| name.width()).max().unwrap_or(0);
        (self.sources, self.standing) = (sources, Standing::Catching);
        self.wanted.only.clone_from(&only);
        self.only = only;
        let typed = std::mem::take(&mut self.filter);
        if self.narrow(&typed).is_err() {
            self.say(Said::note(format!("the filter {typed} means nothing here any more")));
        }
    }

    /// One more source is known.
    pub(super) fn joined(&mut self, source: String, only: Vec<Text>) {
        self.widest = self.widest.max(source.width());
        self.sources.push(source);
        self.flows.push(Flow::Comes);
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

    fn push(&mut self, entry: Entry) -> usize {
        self.count_in(&entry);
        self.lay(&entry, self.gone + self.entries.len() as u64);
        self.entries.push_back(entry);
        let before = self.rows.len();
        self.forget();
        before - self.rows.len()
    }

    fn count_in(&mut self, entry: &Entry) {
        self.bytes += size(entry);
        match entry {
            Entry::Line(_) => self.kept += 1,
            Entry::Said(_) => self.remarks += 1,
        }
    }

    /// Lines come that belong between the others. Where what was in that row is now.
    pub(super) fn insert(&mut self, late: Vec<Line>, top: usize) -> usize {
        let anchor = self.rows.get(top).copied();
        let at = anchor.and_then(|row| usize::try_from(row.entry.checked_sub(self.gone)?).ok());
        let known = std::mem::take(&mut self.entries);
        let mut late = late.into_iter().map(Entry::Line).peekable();
        let mut now_at = None;
        let is_before = |late: &Entry, known: &Entry| match (late, known) {
            (Entry::Line(late), Entry::Line(known)) => late.at < known.at,
            _ => false,
        };
        for (nth, entry) in known.into_iter().enumerate() {
            while let Some(earlier) = late.next_if(|late| is_before(late, &entry)) {
                self.count_in(&earlier);
                self.entries.push_back(earlier);
            }
            if Some(nth) == at {
                now_at = Some(self.gone + self.entries.len() as u64);
            }
            self.entries.push_back(entry);
        }
        for last in late {
            self.count_in(&last);
            self.entries.push_back(last);
        }
        self.rows.clear();
        self.forget();
        self.lay_all();
        let Some((row, entry)) = anchor.zip(now_at) else { return top };
        let first = self.rows.partition_point(|row| row.entry < entry);
        let mine = self.rows.range(first..).take_while(|row| row.entry == entry);
        first + mine.take_while(|one| one.part != row.part).count()
    }

    /// Forgets the oldest entries where there are too many.
    fn forget(&mut self) {
        while self.entries.len() > MOST || self.bytes > MOST_BYTES {
            let Some(old) = self.entries.pop_front() else { break };
            self.bytes -= size(&old);
            let mut has_shown = false;
            while self.rows.front().is_some_and(|row| row.entry == self.gone) {
                self.rows.pop_front();
                has_shown = true;
            }
            match old {
                Entry::Said(_) => self.remarks -= 1,
                Entry::Line(line) => {
                    self.kept -= 1;
                    self.forgotten += 1;
                    self.uncount(&line, has_shown);
                }
            }
            self.gone += 1;
        }
    }

    fn uncount(&mut self, line: &Line, has_shown: bool) {
        if has_shown {
            self.shown = self.shown.saturating_sub(1);
        } else if self.left != Left::default() {
            let mut left = Left::default();
            self.wanted.admits(line, &mut left);
            self.left.without_level = self.left.without_level.saturating_sub(left.without_level);
            self.left.without_whom = self.left.without_whom.saturating_sub(left.without_whom);
        }
    }

    /// Something is said of what is read. Why a source does not come stands below the newest line until it comes
    /// again; everything else among the lines, where it was said. How many rows went at the top.
    pub(super) fn say(&mut self, said: Said) -> usize {
        if let Some(flow) = said.flow {
            for source in &said.of {
                if let Some(known) = self.flows.get_mut(usize::from(*source)) {
                    *known = flow;
                }
            }
            let flows = &self.flows;
            let comes = |of: &u16| flows.get(usize::from(*of)).is_none_or(|flow| *flow == Flow::Comes);
            self.standing_out.retain(|known| !known.of.iter().all(comes));
        }
        let is_out = matches!(said.flow, Some(Flow::Waits | Flow::Ended));
        if !is_out && !said.text.is_empty() {
            return self.push(Entry::Said(said.text));
        }
        if is_out {
            self.standing_out.push_back(said);
            if self.standing_out.len() > self.flows.len().max(BELOW.0) {
                self.standing_out.pop_front();
            }
        }
        self.lay_below();
        0
    }

    /// Sources whose lines come, and of how many.
    pub(super) fn coming(&self) -> (usize, usize) {
        (self.flows.iter().filter(|flow| **flow == Flow::Comes).count(), self.flows.len())
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
        self.sheet.wraps = !self.sheet.wraps;
        self.sheet.left = 0;
        self.lay_all();
    }

    pub(super) fn wraps(&self) -> bool {
        self.sheet.wraps
    }

    /// Looks further along lines that are cut, or back.
    pub(super) fn slide(&mut self, is_right: bool) {
        let step = (self.sheet.width / 4).max(1);
        let left = self.sheet.left;
        self.sheet.left = if is_right { left + step } else { left.saturating_sub(step) };
    }

    /// The screen is so wide, and this is how it marks what is cut.
    pub(super) fn fit(&mut self, width: usize, cut: &'static str) {
        if (self.sheet.width, self.sheet.cut) != (width, cut) {
            (self.sheet.width, self.sheet.cut) = (width, cut);
            self.lay_all();
            self.lay_below();
        }
    }

    /// Rows in all.
    pub(super) fn count(&self) -> usize {
        self.rows.len() + self.below.len()
    }

    /// Lines in all.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// What a row shows.
    pub(super) fn at(&self, row: usize) -> Option<Shown<'_>> {
        let Some(Row { entry: number, part }) = self.rows.get(row).copied() else {
            let below = self.below.get(row.checked_sub(self.rows.len())?);
            return below.cloned().map(Shown::Said);
        };
        let at = usize::try_from(number.checked_sub(self.gone)?).ok()?;
        Some(match (self.entries.get(at)?, part) {
            (Entry::Said(text), part) => Shown::Said(self.sentence(text).into_iter().nth(usize::from(part))?),
            (Entry::Line(line), DAY) => Shown::Day(self.sheet.day(line.at)),
            (Entry::Line(line), part) => Shown::Part(number, line, usize::from(part)),
        })
    }

    /// How a line lies.
    pub(super) fn laid(&self, line: &Line) -> Laid {
        let name = self.sources.get(usize::from(line.from)).map_or("", String::as_str);
        let source = (self.sources.len() > 1).then_some((name, self.widest));
        Laid::new(line, source, &self.sheet)
    }

    fn lay_all(&mut self) {
        self.rows.clear();
        (self.shown, self.left, self.day) = (0, Left::default(), self.today);
        let entries = std::mem::take(&mut self.entries);
        for (at, entry) in (self.gone..).zip(&entries) {
            self.lay(entry, at);
        }
        self.entries = entries;
    }

    fn lay(&mut self, entry: &Entry, at: u64) {
        let rows = match entry {
            Entry::Line(line) => {
                if !self.wanted.admits(line, &mut self.left) {
                    return;
                }
                self.shown += 1;
                let day = self.sheet.day(line.at);
                if day != self.day {
                    self.rows.push_back(Row { entry: at, part: DAY });
                    self.day = day;
                }
                self.laid(line).parts.len()
            }
            // What is to be known of the lines is nothing that a filter is about.
            Entry::Said(text) => self.sentence(text).len(),
        };
        let parts = 0..rows.clamp(1, DEEPEST);
        self.rows.extend(parts.map(|part| Row { entry: at, part: u16::try_from(part).unwrap_or(DAY) }));
    }

    /// A sentence, row by row, always whole: whoever cuts long lines wants to read it all the same.
    fn sentence(&self, text: &str) -> Vec<String> {
        cell::wrap(&format!("{MARK}{text}"), self.sheet.width.saturating_sub(1))
    }

    fn lay_below(&mut self) {
        let first = self.standing_out.len().saturating_sub(BELOW.0);
        let mut below = Vec::new();
        for said in self.standing_out.iter().skip(first) {
            let rows = self.sentence(&said.text);
            let is_more = rows.len() > BELOW.1;
            below.extend(rows.into_iter().take(BELOW.1));
            if let Some(last) = below.last_mut().filter(|_| is_more) {
                *last = marked(last, self.sheet.width.saturating_sub(1), self.sheet.cut);
            }
        }
        self.below = below;
    }
}

fn size(entry: &Entry) -> usize {
    200 + match entry {
        Entry::Line(line) => line.message.len() + line.more.iter().map(String::len).sum::<usize>(),
        Entry::Said(text) => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    fn line(second: i64, message: &str, more: usize) -> Line {
        let at = Timestamp::from_second(second).unwrap();
        Line { at, from: 0, head: None, message: message.to_owned(), more: vec!["\tat a.B".to_owned(); more] }
    }

    fn log(width: usize) -> Log {
        let sheet = Sheet { width, cut: "…", zone: TimeZone::UTC, wraps: true, left: 0 };
        Log::new(Sought::anywhere("core/a"), 1, sheet, Timestamp::UNIX_EPOCH)
    }

    fn seconds(log: &Log) -> Vec<i64> {
        let second = |entry: &Entry| match entry {
            Entry::Line(line) => Some(line.at.as_second()),
            Entry::Said(_) => None,
        };
        log.entries.iter().filter_map(second).collect()
    }

    #[test]
    fn the_oldest_lines_are_forgotten_and_counted_and_whoever_looks_below_is_told() {
        let mut log = log(40);
        assert_eq!(log.take(vec![line(0, "first", 2)]), 0);
        assert_eq!(log.count(), 3);
        let many = (1..=MOST as i64).map(|at| line(at, "x", 0)).collect();
        assert_eq!(log.take(many), 3, "three rows went with the first line");
        assert_eq!((log.kept(), log.forgotten, log.count(), log.shown), (MOST, 1, MOST, MOST as u64));
        assert!(matches!(log.at(0), Some(Shown::Part(1, line, 0)) if line.at.as_second() == 1));
    }

    #[test]
    fn long_lines_wrap_or_do_not_and_a_filter_leaves_rows_out() {
        let mut log = log(41);
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
    fn late_lines_lie_between_the_others_and_whoever_reads_stays_where_they_are() {
        let mut log = log(60);
        log.take(vec![line(10, "a", 1), line(20, "b", 1), line(30, "c", 1)]);
        // The second row of the second line is at the top.
        let top = log.insert(vec![line(5, "early", 0), line(15, "between", 2), line(40, "last", 0)], 3);
        assert_eq!(seconds(&log), [5, 10, 15, 20, 30, 40]);
        assert!(matches!(log.at(top), Some(Shown::Part(3, line, 1)) if line.message == "b"), "{top}");
        // Where the oldest go, they go first.
        let many = (1_000..1_000 + MOST as i64).map(|at| line(at, "x", 0)).collect();
        log.take(many);
        log.insert(vec![line(7, "too old", 0)], 0);
        assert_eq!((log.kept(), log.forgotten, seconds(&log)[0]), (MOST, 7, 1_000));
    }

    #[test]
    fn another_day_begins_with_its_date() {
        let mut log = log(60);
        log.take(vec![line(86_390, "a", 0), line(86_399, "b", 0), line(86_401, "c", 0)]);
        assert_eq!(log.count(), 4, "today needs none");
        let day = jiff::civil::date(1970, 1, 2);
        assert!(matches!(log.at(2), Some(Shown::Day(shown)) if shown == day));
        log.take(vec![line(86_402, "d", 0)]);
        assert_eq!(log.count(), 5);
    }

    #[test]
    fn a_source_that_comes_no_more_is_counted_and_what_was_said_of_it_stays_until_it_comes_again() {
        let mut log = log(60);
        log.begun(vec!["a".to_owned(), "b".to_owned()], vec![Vec::new(); 2]);
        log.take(vec![line(1, "x", 0)]);
        log.say(Said::turn(vec![1], Flow::Waits, "b waits: its agent is silent"));
        assert_eq!((log.coming(), log.count()), ((1, 2), 2));
        assert!(matches!(log.at(1), Some(Shown::Said(said)) if said.contains("its agent")));
        log.take(vec![line(2, "y", 0)]);
        assert!(matches!(log.at(2), Some(Shown::Said(_))), "below the newest line");
        log.say(Said::turn(vec![1], Flow::Comes, ""));
        assert_eq!((log.coming(), log.count()), ((2, 2), 2));
    }

    #[test]
    fn what_is_said_stands_where_it_was_said_whole_and_whatever_the_filter() {
        let mut log = log(30);
        log.take(vec![line(0, "first", 0)]);
        log.say(Said::note("Systems Manager cannot reach i-0: its agent is offline"));
        log.take(vec![line(1, "second", 0)]);
        assert_eq!((log.kept(), log.shown, log.remarks), (2, 2, 1));
        log.narrow("second").unwrap();
        assert_eq!(log.shown, 1);
        let mut rows = Vec::new();
        while let Some(Shown::Said(row)) = log.at(rows.len()) {
            rows.push(row);
        }
        assert!(rows.len() == 3 && rows.iter().all(|row| row.width() < 30), "{rows:?}");
        assert_eq!(rows.join(" "), "! Systems Manager cannot reach i-0: its agent is offline");
    }

    #[test]
    fn what_nobody_can_tell_is_counted_and_forgotten_with_its_lines() {
        let mut log = log(60);
        log.begun(vec!["a".to_owned()], vec![vec!["acme.example.com".into()]]);
        log.take(vec![line(1, "java.lang.OutOfMemoryError", 0)]);
        assert_eq!((log.shown, log.kept(), log.left.without_whom), (0, 1, 1));
        log.take((2..=1 + MOST as i64).map(|at| line(at, "x", 0)).collect());
        assert_eq!((log.kept(), log.left.without_whom), (MOST, MOST as u64));
    }
}
