//! Where the rows of a page that was read end in its answer, and what the bytes up to there come to: so much of the next
//! answer as is the same need be neither kept nor read.

use super::seen::Key;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// A list is looked at in pieces of at least so many bytes; the last one may be shorter. What has changed is read from the
/// beginning of its piece on.
const PIECE: usize = 32 << 10;

/// A page is found again by so many first bytes of its list: by the name of its first row.
pub(super) const FIRST: usize = 1 << 10;

/// Where an item of a list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// In bytes from the beginning of the answer.
    pub(super) at: usize,
    /// So many rows of the answer have come by then.
    pub(super) rows: usize,
}

/// Some items of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    bytes: usize,
    hash: Key,
    /// Rows in this piece and in those before it.
    rows: usize,
}

/// The rows of a page, and its pieces where its list is looked at so.
#[derive(Debug)]
pub(super) struct Trail<T> {
    pieces: Vec<Piece>,
    rows: Box<[T]>,
}

impl<T> Trail<T> {
    /// A page of these pieces, or of none where its list comes again as a whole or not at all. None where the pieces do not
    /// tell of all rows, no fewer and no more: a page that came again would then lack some.
    pub(super) fn new(pieces: Vec<Piece>, rows: &[T]) -> Option<Self>
    where
        T: Clone,
    {
        let is_all = pieces.last().is_none_or(|last| last.rows == rows.len());
        is_all.then(|| Self { pieces, rows: rows.into() })
    }

    /// Tells whether so many pieces are all of the list.
    pub(super) fn is_all(&self, count: usize) -> bool {
        count == self.pieces.len()
    }

    /// All rows.
    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// So many pieces from the beginning.
    pub(super) fn pieces(&self, count: usize) -> &[Piece] {
        self.pieces.get(..count).unwrap_or(&self.pieces)
    }

    /// The rows of so many pieces.
    pub(super) fn rows_of(&self, count: usize) -> &[T] {
        let rows = self.pieces(count).last().map_or(0, |piece| piece.rows);
        self.rows.get(..rows).unwrap_or_default()
    }

    /// The bytes of a piece; none behind the last one.
    pub(super) fn length(&self, piece: usize) -> Option<usize> {
        self.pieces.get(piece).map(|piece| piece.bytes)
    }

    /// Tells whether a piece is made of these bytes.
    pub(super) fn is(&self, piece: usize, bytes: &[u8]) -> bool {
        self.pieces
            .get(piece)
            .is_some_and(|piece| piece.bytes == bytes.len() && piece.hash == xxh3_128(bytes))
    }
}

/// The pieces of a list that begins at `from` in `body` and whose items end at `ends`, behind `rows` others.
pub(super) fn pieces(body: &[u8], from: usize, ends: &[End], rows: usize) -> Vec<Piece> {
    let (mut all, mut from) = (Vec::new(), from);
    for (place, end) in ends.iter().enumerate() {
        let is_last = place + 1 == ends.len();
        if end.at.saturating_sub(from) < PIECE && !is_last {
            continue;
        }
        let Some(bytes) = body.get(from..end.at) else { break };
        all.push(Piece { bytes: bytes.len(), hash: xxh3_128(bytes), rows: rows + end.rows });
        from = end.at;
    }
    all
}

/// What a page is found by: what it answers, and the first bytes of its list, or all of it.
pub(super) fn key(subject: &str, list: &[u8]) -> Key {
    let mut hash = Xxh3::new();
    hash.update(subject.as_bytes());
    // No subject ends so: the subject and the list do not run into each other.
    hash.update(b"\0");
    hash.update(list);
    hash.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_with_items_and_cover_the_list_up_to_its_last_item() {
        let body = vec![b'x'; 4 * PIECE + 10];
        let at = [PIECE / 2, PIECE + 5, PIECE + 6, 3 * PIECE, 3 * PIECE + 1, 4 * PIECE];
        let ends: Vec<End> = at.iter().enumerate().map(|(row, at)| End { at: *at, rows: 2 * row }).collect();
        let made = pieces(&body, 3, &ends, 100);
        let made: Vec<_> = made.iter().map(|piece| (piece.bytes, piece.rows)).collect();
        assert_eq!(made, [(PIECE + 2, 102), (2 * PIECE - 5, 106), (PIECE, 110)]);
        assert!(pieces(&body, 3, &[], 0).is_empty());
        // Places that are not in the answer end the list early.
        let beyond = [End { at: body.len() + 1, rows: 1 }];
        assert!(pieces(&body, 3, &beyond, 0).is_empty());
    }

    #[test]
    fn a_piece_is_told_by_its_bytes() {
        let body = b"abcdef";
        let ends = [End { at: 4, rows: 1 }];
        let trail = Trail::new(pieces(body, 1, &ends, 0), &['a']).unwrap();
        assert!(Trail::new(pieces(body, 1, &ends, 0), &['a', 'b']).is_none(), "it tells of one row");
        assert!(Trail::<char>::new(pieces(body, 1, &ends, 0), &[]).is_none());
        assert_eq!((trail.length(0), trail.length(1)), (Some(3), None));
        assert!(trail.is(0, b"bcd"));
        assert!(!trail.is(0, b"bcx") && !trail.is(0, b"bcde") && !trail.is(1, b""));
        assert_eq!((trail.rows_of(0), trail.rows_of(1), trail.rows_of(9)), (&[][..], &['a'][..], &['a'][..]));
        assert_ne!(key("a", b"b"), key("", b"ab"));
    }
}
