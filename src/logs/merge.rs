//! Several readings put together by time.

use super::line::Line;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

/// A reading: the sources that it is of, and its batches in the order of time.
pub(super) type Batches = (Vec<u16>, mpsc::Receiver<Vec<Line>>);

/// Readings, each in the order of time, as one in the order of time. It holds a batch of each and no more.
#[derive(Debug)]
pub struct Merge {
    heads: Vec<(VecDeque<Line>, Batches)>,
}

impl Merge {
    /// Puts these together.
    pub(super) fn new(readings: Vec<Batches>) -> Self {
        Self { heads: readings.into_iter().map(|reading| (VecDeque::new(), reading)).collect() }
    }

    /// The next line; none when all have ended. May be dropped while it waits without losing anything.
    pub async fn next(&mut self) -> Option<Line> {
        let mut at = 0;
        // No line is the next before every reading has shown its first.
        while let Some((lines, (_, reading))) = self.heads.get_mut(at) {
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

    /// Takes out the readings that have nothing to show now: the next line waits for them no longer. None where no
    /// other has anything either: then nobody is held back.
    pub(super) fn leave_behind(&mut self) -> Vec<Batches> {
        let mut left = Vec::new();
        for (mut lines, (of, mut reading)) in std::mem::take(&mut self.heads) {
            let mut has_ended = false;
            while lines.is_empty() && !has_ended {
                match reading.try_recv() {
                    Ok(more) => lines.extend(more),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => has_ended = true,
                }
            }
            match lines.is_empty() {
                true if has_ended => {}
                true => left.push((of, reading)),
                false => self.heads.push((lines, (of, reading))),
            }
        }
        if self.heads.is_empty() {
            self.heads = left.into_iter().map(|reading| (VecDeque::new(), reading)).collect();
            return Vec::new();
        }
        left
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
        let mut merge = Merge::new(vec![(vec![0], first), (vec![1], second)]);
        let mut seen = Vec::new();
        while let Some(line) = merge.next().await {
            seen.push((line.at.as_second(), line.from));
        }
        assert_eq!(seen, [(1, 0), (2, 1), (3, 1), (4, 0), (9, 1)]);
    }

    #[tokio::test]
    async fn only_those_that_have_nothing_to_show_are_left_behind() {
        let (silent, first) = mpsc::channel(4);
        let (ready, second) = mpsc::channel(4);
        let (ended, third) = mpsc::channel(4);
        ready.send(vec![line(2, 1)]).await.unwrap();
        ended.send(Vec::new()).await.unwrap();
        drop((ready, ended));
        let mut merge = Merge::new(vec![(vec![0, 7], first), (vec![1], second), (vec![2], third)]);
        let left = merge.leave_behind();
        assert_eq!(left.iter().map(|(of, _)| of.clone()).collect::<Vec<_>>(), [vec![0, 7]]);
        assert_eq!(merge.next().await.map(|line| line.from), Some(1));
        assert_eq!(merge.next().await, None);
        let mut alone = Merge::new(left);
        assert!(alone.leave_behind().is_empty(), "nobody is held back by it");
        silent.send(vec![line(5, 7)]).await.unwrap();
        assert_eq!(alone.next().await.map(|line| line.from), Some(7));
    }
}
