//! Lines of a stream put together: a stack trace belongs to the line above it.

use super::line::{Head, Line, parse};
use super::mask::Mask;
use jiff::Timestamp;
use std::sync::Arc;

/// Lines that one may have below it; a trace that is longer is cut, and says so.
const MOST: usize = 400;
/// Milliseconds after which nothing belongs to a line any more.
const TOGETHER: i64 = 3_000;
/// Characters that are kept of a line.
const LONGEST: usize = 16_000;

/// Folds the lines of one stream, in their order.
#[derive(Debug)]
pub struct Fold {
    from: u16,
    mask: Arc<Mask>,
    open: Option<Line>,
    cut: usize,
    is_old: bool,
}

impl Fold {
    /// Nothing yet, of this source.
    pub fn new(from: u16, mask: Arc<Mask>) -> Self {
        Self { from, mask, open: None, cut: 0, is_old: false }
    }

    /// Takes the next event of the stream; gives the line that is whole by it.
    pub fn push(&mut self, at: Timestamp, text: &str) -> Option<Line> {
        let text = shortened(text.trim_end_matches(['\n', '\r']));
        if let Some((head, message, more)) = parse(&text) {
            let line = self.line(at, Some(head), &message, &more);
            return self.next(line);
        }
        if text.trim().is_empty() {
            return None;
        }
        let close = |line: &Line| at.as_millisecond() - line.at.as_millisecond() < TOGETHER;
        if let Some(line) = &mut self.open
            && (line.head.is_some() || is_continued(&text))
            && close(line)
        {
            if line.more.len() < MOST {
                line.more.push(self.mask.masked(&text).into_owned());
            } else {
                self.cut += 1;
            }
            self.is_old = false;
            return None;
        }
        let line = self.line(at, None, &text, &[]);
        self.next(line)
    }

    /// Ends what is open: no more of the stream comes for now.
    pub fn flush(&mut self) -> Option<Line> {
        self.is_old = false;
        let mut line = self.open.take()?;
        let cut = std::mem::take(&mut self.cut);
        if cut > 0 {
            line.more.push(format!("… {cut} more lines"));
        }
        Some(line)
    }

    /// Ends what has been open since the last time that this was asked: a trace may come in two readings.
    pub fn flush_old(&mut self) -> Option<Line> {
        if self.is_old {
            return self.flush();
        }
        self.is_old = self.open.is_some();
        None
    }

    fn next(&mut self, line: Line) -> Option<Line> {
        let whole = self.flush();
        self.open = Some(line);
        whole
    }

    fn line(&self, at: Timestamp, head: Option<Head>, message: &str, more: &[String]) -> Line {
        let at = head.as_ref().and_then(|head| head.at).unwrap_or(at);
        let more = more.iter().take(MOST).map(|line| self.mask.masked(line).into_owned());
        Line {
            at,
            from: self.from,
            head: head.map(Arc::new),
            message: self.mask.masked(message).into_owned(),
            more: more.collect(),
        }
    }
}

/// Whether a line goes on with the one above it, whatever that is.
fn is_continued(text: &str) -> bool {
    text.starts_with([' ', '\t'])
        || ["Caused by:", "Suppressed:", "at ", "... "].iter().any(|start| text.starts_with(start))
}

fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap()
    }

    fn head(message: &str) -> String {
        format!(
            "21 Nov 2026 19:31:42:658 +0000 | ERROR | pid: x | v9 | [main] thread | a.b | Tenant(, public, public) | {message}"
        )
    }

    #[test]
    fn a_trace_stays_with_its_line_and_blank_lines_go() {
        let mut fold = Fold::new(3, Arc::default());
        let said =
            [head("boom").as_str(), "", "java.lang.X: y", "\tat a.B", "Caused by: z", head("next").as_str()]
                .map(str::to_owned);
        let whole: Vec<Line> = said.iter().filter_map(|text| fold.push(at(0), text)).collect();
        assert_eq!(whole.len(), 1);
        assert_eq!((whole[0].from, whole[0].message.as_str()), (3, "boom"));
        assert_eq!(whole[0].more, ["java.lang.X: y", "\tat a.B", "Caused by: z"]);
        assert_eq!(fold.flush().unwrap().message, "next");
        assert_eq!(fold.flush(), None);
    }

    #[test]
    fn a_trace_that_comes_in_two_readings_stays_whole() {
        let mut fold = Fold::new(0, Arc::default());
        let begun = "2026-11-21T19:31:42.658Z".parse().unwrap();
        assert_eq!(fold.push(begun, &head("boom")), None);
        assert_eq!(fold.flush_old(), None);
        assert_eq!(fold.push(begun, "\tat a.B"), None);
        assert_eq!(fold.flush_old(), None, "it grew, so it may grow again");
        assert_eq!(fold.flush_old().unwrap().more, ["\tat a.B"]);
    }

    #[test]
    fn lines_of_no_core_stand_alone_but_for_what_is_indented() {
        let mut fold = Fold::new(0, Arc::default());
        assert_eq!(fold.push(at(0), "GET / 200"), None);
        assert_eq!(fold.push(at(1), "GET / 500").unwrap().message, "GET / 200");
        assert_eq!(fold.push(at(2), "  at x"), None);
        assert_eq!(fold.push(at(9_000), "  at y").unwrap().more, ["  at x"]);
    }

    #[test]
    fn a_trace_without_end_is_cut_and_says_so() {
        let mut fold = Fold::new(0, Arc::default());
        let begun = "2026-11-21T19:31:42.658Z".parse().unwrap();
        fold.push(begun, &head("boom"));
        (0..MOST + 7).for_each(|_| assert_eq!(fold.push(begun, "\tat a.B"), None));
        assert_eq!(fold.flush().unwrap().more.last().unwrap(), "… 7 more lines");
    }
}
