//! A log that is being read: the lines that are kept, which of them show, and how they lie on the screen.
//!
//! Memory is bounded: the oldest lines are forgotten first, and counted. A line that comes is laid below the others;
//! only a change of width, filter or wrapping, or lines that belong between others, lay everything again.

mod laid;

use crate::logs::{Filter, Flow, Left, Line, Said, Sought};
use crate::model::Text;
use crate::model::text::harmless;
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
/// Sentences about what is read that are kept.
const SENTENCES: usize = 20;
/// Of those, how many stand below the newest line, and the rows that each takes there at most.
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

/// A row of the screen: of which line, counted from the first that ever came, and which part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    line: u64,
    part: u16,
}

/// What a row shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown<'a> {
    /// The day of the lines below.
    Day(Date),
    /// A part of a line. The number tells lines apart.
    Part(u64, &'a Line, usize),
    /// Something that is to be known of the log.
    Said(&'a str),
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
    lines: VecDeque<Line>,
    /// Lines that were forgotten.
    pub(super) forgotten: u64,
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
    /// What is to be known of what shows.
    pub(super) said: VecDeque<Said>,
    /// The last of it, laid out.
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
            lines: VecDeque::new(),
            forgotten: 0,
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
            said: VecDeque::new(),
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

    /// Lines come. How many rows went at the top, for whoever looks at those below.
    pub(super) fn take(&mut self, lines: Vec<Line>) -> usize {
        let before = self.rows.len();
        let mut laid = 0;
        for line in lines {
            self.bytes += size(&line);
            let rows = self.rows.len();
            self.lay(&line, self.forgotten + self.lines.len() as u64);
            laid += self.rows.len() - rows;
            self.lines.push_back(line);
            self.forget();
        }
        (before + laid).saturating_sub(self.rows.len())
    }

    /// Lines come that belong between the others. Where what was in that row is now.
    pub(super) fn insert(&mut self, late: Vec<Line>, top: usize) -> usize {
        let anchor = self.rows.get(top).copied();
        let at = anchor.and_then(|row| usize::try_from(row.line.checked_sub(self.forgotten)?).ok());
        self.bytes += late.iter().map(size).sum::<usize>();
        let known = std::mem::take(&mut self.lines);
        let mut late = late.into_iter().peekable();
        let mut now_at = None;
        for (nth, line) in known.into_iter().enumerate() {
            while let Some(earlier) = late.next_if(|late| late.at < line.at) {
                self.lines.push_back(earlier);
            }
            if Some(nth) == at {
                now_at = Some(self.forgotten + self.lines.len() as u64);
            }
            self.lines.push_back(line);
        }
        self.lines.extend(late);
        self.rows.clear();
        self.forget();
        self.lay_all();
        let Some((row, line)) = anchor.zip(now_at) else { return top };
        let first = self.rows.partition_point(|row| row.line < line);
        let mine = self.rows.range(first..).take_while(|row| row.line == line);
        first + mine.take_while(|one| one.part != row.part).count()
    }

    /// Forgets the oldest lines where there are too many.
    fn forget(&mut self) {
        while self.lines.len() > MOST || self.bytes > MOST_BYTES {
            let Some(old) = self.lines.pop_front() else { break };
            self.bytes -= size(&old);
            let mut has_shown = false;
            while self.rows.front().is_some_and(|row| row.line == self.forgotten) {
                self.rows.pop_front();
                has_shown = true;
            }
            if has_shown {
                self.shown = self.shown.saturating_sub(1);
            } else if self.left != Left::default() {
                let mut left = Left::default();
                self.wanted.admits(&old, &mut left);
                self.left.without_level = self.left.without_level.saturating_sub(left.without_level);
                self.left.without_whom = self.left.without_whom.saturating_sub(left.without_whom);
            }
            self.forgotten += 1;
        }
    }

    /// Something is said of what is read.
    pub(super) fn say(&mut self, said: Said) {
        if let Some(flow) = said.flow {
            for source in &said.of {
                if let Some(known) = self.flows.get_mut(usize::from(*source)) {
                    *known = flow;
                }
            }
        }
        // What was said of a source that comes again does not hold any more.
        let flows = &self.flows;
        let comes = |of: &u16| flows.get(usize::from(*of)).is_none_or(|flow| *flow == Flow::Comes);
        self.said.retain(|known| known.flow.is_none() || !known.of.iter().all(comes));
        if !said.text.is_empty() {
            self.said.push_back(said);
        }
        if self.said.len() > SENTENCES {
            self.said.pop_front();
        }
        self.lay_below();
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

    /// Rows in all; none as long as no line shows.
    pub(super) fn count(&self) -> usize {
        if self.rows.is_empty() { 0 } else { self.rows.len() + self.below.len() }
    }

    /// Lines in all.
    pub(super) fn kept(&self) -> usize {
        self.lines.len()
    }

    /// What a row shows.
    pub(super) fn at(&self, row: usize) -> Option<Shown<'_>> {
        let Some(Row { line: number, part }) = self.rows.get(row).copied() else {
            return self.below.get(row.checked_sub(self.rows.len())?).map(|said| Shown::Said(said));
        };
        let line = self.lines.get(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)?;
        Some(match part {
            DAY => Shown::Day(self.sheet.day(line.at)),
            part => Shown::Part(number, line, usize::from(part)),
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
        let lines = std::mem::take(&mut self.lines);
        for (at, line) in (self.forgotten..).zip(&lines) {
            self.lay(line, at);
        }
        self.lines = lines;
    }

    fn lay(&mut self, line: &Line, at: u64) {
        if !self.wanted.admits(line, &mut self.left) {
            return;
        }
        self.shown += 1;
        let day = self.sheet.day(line.at);
        if day != self.day {
            self.rows.push_back(Row { line: at, part: DAY });
            self.day = day;
        }
        let rows = self.laid(line).parts.len().clamp(1, DEEPEST);
        self.rows.extend((0..rows).map(|part| Row { line: at, part: u16::try_from(part).unwrap_or(DAY) }));
    }

    fn lay_below(&mut self) {
        let first = self.said.len().saturating_sub(BELOW.0);
        let mut below = Vec::new();
        for said in self.said.iter().skip(first) {
            let rows = cell::wrap(&harmless(&said.text), self.sheet.width.max(1));
            let is_more = rows.len() > BELOW.1;
            below.extend(rows.into_iter().take(BELOW.1));
            if let Some(last) = below.last_mut().filter(|_| is_more) {
                *last = marked(last, self.sheet.width, self.sheet.cut);
            }
        }
        self.below = below;
    }
}

fn size(line: &Line) -> usize {
    line.message.len() + line.more.iter().map(String::len).sum::<usize>() + 200
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
        log.lines.iter().map(|line| line.at.as_second()).collect()
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
        log.say(Said::note("only the last lines"));
        log.say(Said::turn(vec![1], Flow::Comes, ""));
        assert_eq!((log.coming(), log.said.len()), ((2, 2), 1));
        assert!(matches!(log.at(1), Some(Shown::Said("only the last lines"))));
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
