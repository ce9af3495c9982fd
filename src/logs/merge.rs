//! Several readings put together by time.

use super::line::Line;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Readings, each in the order of time, as one in the order of time. It holds a batch of each and no more.
#[derive(Debug)]
pub struct Merge {
    heads: Vec<(VecDeque<Line>, mpsc::Receiver<Vec<Line>>)>,
}

impl Merge {
    /// Puts these together.
    pub fn new(readings: Vec<mpsc::Receiver<Vec<Line>>>) -> Self {
        Self { heads: readings.into_iter().map(|reading| (VecDeque::new(), reading)).collect() }
    }

    /// The next line; none when all have ended.
    pub async fn next(&mut self) -> Option<Line> {
        let mut at = 0;
        // No line is the next before every reading has shown its first.
        while let Some((lines, reading)) = self.heads.get_mut(at) {
            if !lines.is_empty() {
                at += 1;
            } else if let Some(more) = reading.recv().await {
                lines.extend(more);
            } else {
                self.heads.remove(at);
            }
        }
        let first = self.heads.iter_mut().min_by_key(|(lines, _)| lines.front().map(|line| line.at))?;
        first.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn line(second: i64, from: u16) -> Line {
        let at = Timestamp::from_second(second).unwrap();
        Line { at, from, head: None, message: String::new(), more: Vec::new() }
    }

    #[tokio::test]
    async fn lines_come_in_the_order_of_time_whoever_is_read_first() {
        let (a, first) = mpsc::channel(4);
        let (b, second) = mpsc::channel(4);
        a.send(vec![line(1, 0), line(4, 0)]).await.unwrap();
        b.send(Vec::new()).await.unwrap();
        b.send(vec![line(2, 1)]).await.unwrap();
        b.send(vec![line(3, 1), line(9, 1)]).await.unwrap();
        drop((a, b));
        let mut merge = Merge::new(vec![first, second]);
        let mut seen = Vec::new();
        while let Some(line) = merge.next().await {
            seen.push((line.at.as_second(), line.from));
        }
        assert_eq!(seen, [(1, 0), (2, 1), (3, 1), (4, 0), (9, 1)]);
    }
}
