//! A list as what became of the list before it: runs of rows that stayed, and rows that are new.
//!
//! As bytes it is compressed text with a line for each piece: `=FROM,COUNT` for a run, else a row as JSON.

use super::row::{Row, Rows};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

/// A piece of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// So many rows that the list before had from there on.
    Kept { from: usize, count: usize },
    /// A row that it did not have, by its place in what was read.
    New(usize),
}

/// What became of a list.
#[derive(Debug, PartialEq)]
pub(super) struct Delta {
    pub(super) pieces: Vec<Piece>,
    /// The numbers of the rows as they are now.
    pub(super) hashes: Vec<u64>,
    /// How many rows are new.
    pub(super) new: usize,
}

impl Delta {
    /// A list of which nothing was known before.
    pub(super) fn full(hashes: Vec<u64>) -> Self {
        Self { pieces: (0..hashes.len()).map(Piece::New).collect(), new: hashes.len(), hashes }
    }

    /// How `after` comes from `before`, row by row. Where the order means nothing, rows that stayed keep their
    /// places and new ones stand at the end: AWS may list the same rows in any order.
    pub(super) fn between(before: &[u64], after: &[u64], is_ordered: bool) -> Self {
        let mut places: HashMap<u64, Vec<usize>> = HashMap::with_capacity(before.len());
        for (at, hash) in before.iter().enumerate().rev() {
            places.entry(*hash).or_default().push(at);
        }
        // Where each row stood before; the same row may stand in a list twice.
        let stood: Vec<Option<usize>> =
            after.iter().map(|hash| places.get_mut(hash).and_then(Vec::pop)).collect();
        let mut order: Vec<(usize, Option<usize>)> = stood.into_iter().enumerate().collect();
        if !is_ordered {
            order.sort_by_key(|(_, stood)| stood.unwrap_or(usize::MAX));
        }
        let mut delta = Self { pieces: Vec::new(), hashes: Vec::with_capacity(after.len()), new: 0 };
        for (at, stood) in order {
            delta.hashes.extend(after.get(at));
            match (stood, delta.pieces.last_mut()) {
                (Some(stood), Some(Piece::Kept { from, count })) if *from + *count == stood => *count += 1,
                (Some(from), _) => delta.pieces.push(Piece::Kept { from, count: 1 }),
                (None, _) => {
                    delta.pieces.push(Piece::New(at));
                    delta.new += 1;
                }
            }
        }
        delta
    }

    /// Tells whether nothing became of the list.
    pub(super) fn is_none(&self, before: usize) -> bool {
        match self.pieces.as_slice() {
            [] => before == 0,
            [Piece::Kept { from: 0, count }] => *count == before,
            _ => false,
        }
    }

    /// As bytes.
    pub(super) fn write(&self, rows: &Rows) -> io::Result<Vec<u8>> {
        let mut out = BufWriter::with_capacity(1 << 16, DeflateEncoder::new(Vec::new(), Compression::fast()));
        for piece in &self.pieces {
            match piece {
                Piece::Kept { from, count } => write!(out, "={from},{count}")?,
                Piece::New(at) => rows.write(*at, &mut out)?,
            }
            out.write_all(b"\n")?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}

/// Writes a whole list as bytes. A row that nobody could read stays one that nobody can.
pub(super) fn write_all<T: Row>(rows: &[Option<T>]) -> io::Result<Vec<u8>> {
    let mut out = BufWriter::with_capacity(1 << 16, DeflateEncoder::new(Vec::new(), Compression::fast()));
    for row in rows {
        match row {
            Some(row) => serde_json::to_writer(&mut out, row)?,
            None => out.write_all(b"null")?,
        }
        out.write_all(b"\n")?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

/// The list that these bytes make of the one before, of whatever `read` makes of a row's JSON. Fails where the
/// bytes themselves are damaged.
pub(super) fn apply<R: Default>(
    bytes: &[u8],
    mut before: Vec<R>,
    mut read: impl FnMut(&[u8]) -> R,
) -> io::Result<Vec<R>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a frame names rows that are not there");
    let mut lines = BufReader::with_capacity(1 << 16, DeflateDecoder::new(bytes));
    let mut after = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(after);
        }
        match line.strip_prefix(b"=") {
            None => after.push(read(&line)),
            Some(run) => {
                let run = std::str::from_utf8(run).map_err(|_| damaged())?.trim_end();
                let (from, count) = run.split_once(',').ok_or_else(damaged)?;
                let from: usize = from.parse().map_err(|_| damaged())?;
                let count: usize = count.parse().map_err(|_| damaged())?;
                let to = from.checked_add(count).ok_or_else(damaged)?;
                let kept = before.get_mut(from..to).ok_or_else(damaged)?;
                after.extend(kept.iter_mut().map(std::mem::take));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_stayed_are_named_in_runs_and_only_new_ones_are_written() {
        let delta = Delta::between(&[1, 2, 3, 4, 5], &[5, 1, 9, 2, 4], false);
        let kept = |from, count| Piece::Kept { from, count };
        assert_eq!(delta.pieces, [kept(0, 2), kept(3, 2), Piece::New(2)]);
        assert_eq!((delta.hashes.as_slice(), delta.new), (&[1, 2, 4, 5, 9][..], 1));
        let ordered = Delta::between(&[1, 2, 3], &[9, 1, 2, 3], true);
        assert_eq!(ordered.pieces, [Piece::New(0), kept(0, 3)]);
        assert_eq!(ordered.hashes, [9, 1, 2, 3]);
    }

    #[test]
    fn another_order_is_no_change_where_it_means_nothing() {
        assert!(Delta::between(&[1, 2, 3], &[3, 1, 2], false).is_none(3));
        assert!(!Delta::between(&[1, 2, 3], &[3, 1, 2], true).is_none(3));
        assert!(!Delta::between(&[1, 2, 3], &[1, 2], false).is_none(3), "one is gone");
        assert!(Delta::between(&[], &[], false).is_none(0) && !Delta::between(&[1], &[], false).is_none(1));
    }

    #[test]
    fn a_row_that_stands_twice_stays_twice() {
        let delta = Delta::between(&[7, 7, 8], &[7, 8, 7, 7], false);
        assert_eq!(delta.hashes.iter().filter(|hash| **hash == 7).count(), 3);
        assert_eq!(delta.new, 1);
    }

    #[test]
    fn bytes_that_name_rows_which_are_not_there_are_damaged() {
        let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
        out.write_all(b"=0,2\n").unwrap();
        let bytes = out.finish().unwrap();
        let len = |line: &[u8]| line.len();
        assert!(apply(&bytes, vec![1], len).is_err());
        assert!(apply(b"\xff\xff", vec![], len).is_err());
        assert_eq!(apply(&bytes, vec![1, 2], len).unwrap(), [1, 2]);
    }
}
