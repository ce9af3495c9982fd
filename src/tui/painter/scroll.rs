//! Finds what has only moved up or down between two frames, so that the terminal moves it by itself.

use super::look;
use ratatui::buffer::{Buffer, Cell};
use std::hash::{Hash as _, Hasher};

/// With fewer rows that differ, moving is not worth looking for.
const FEWEST: usize = 3;

/// Whole rows of the terminal that move: those from `top` to before `bottom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    /// The first row of the region.
    pub top: u16,
    /// The row after the last one of the region.
    pub bottom: u16,
    /// By how many rows; at least one and fewer than there are in the region.
    pub by: u16,
    /// Whether they move up, and blank rows come in from below.
    pub is_up: bool,
}

/// What a row looks like, as a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Print {
    /// Like every other blank row: it tells nothing about what moved.
    Blank,
    Of(u64),
}

/// Quick, and good enough for rows: a false match costs bytes, never a wrong screen.
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// The cells of one row.
pub(super) fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let from = usize::from(y) * width;
    buffer.content.get(from..from + width).unwrap_or_default()
}

fn print(row: &[Cell]) -> Print {
    let mut fold = Fold(0);
    let mut is_blank = true;
    for cell in row {
        let (symbol, pen) = look(cell);
        is_blank &= symbol == " ";
        symbol.hash(&mut fold);
        pen.hash(&mut fold);
    }
    if is_blank { Print::Blank } else { Print::Of(fold.finish()) }
}

/// The region whose rows are found again elsewhere, if many are. Whether moving it is worth its bytes is the
/// caller's question.
pub(super) fn found(shown: &Buffer, next: &Buffer) -> Option<Shift> {
    let height = next.area.height;
    let differ = (0..height).filter(|y| row(shown, *y) != row(next, *y)).count();
    if differ < FEWEST {
        return None;
    }
    let old: Vec<Print> = (0..height).map(|y| print(row(shown, y))).collect();
    let new: Vec<Print> = (0..height).map(|y| print(row(next, y))).collect();
    let most = old.len().saturating_sub(1);
    let mut best: Option<(usize, Shift)> = None;
    for by in 1..=most {
        for is_up in [true, false] {
            // Where each row comes from: further down when everything moves up.
            let (from, to) = if is_up { (by, 0) } else { (0, by) };
            let pairs = old.iter().skip(from).zip(new.iter().skip(to)).enumerate();
            let same = |(_, (old, new)): &(usize, (&Print, &Print))| old == new && **old != Print::Blank;
            let (mut count, mut first, mut last) = (0, None, 0);
            for (at, _) in pairs.filter(same) {
                (count, last) = (count + 1, at);
                first.get_or_insert(at);
            }
            // Also where only the edges are known: between them rows may have changed while they moved.
            let Some(first) = first.filter(|_| count >= FEWEST) else { continue };
            if best.is_none_or(|(most, _)| count > most) {
                best = shift(first, last, by, is_up).map(|shift| (count, shift)).or(best);
            }
        }
    }
    best.map(|(_, shift)| shift.widened(shown, next))
}

/// The region in which the rows from the first to the last pair lie, before and after the move.
fn shift(first: usize, last: usize, by: usize, is_up: bool) -> Option<Shift> {
    let of = |n: usize| u16::try_from(n).ok();
    Some(Shift { top: of(first)?, bottom: of(last + by + 1)?, by: of(by)?, is_up })
}

impl Shift {
    /// Takes in the rows beyond an edge that are more like the row that moves there than like the one that is
    /// there: the one that the cursor has just left.
    fn widened(self, shown: &Buffer, next: &Buffer) -> Self {
        let alike = |old: u16, new: u16| {
            let pairs = row(shown, old).iter().zip(row(next, new));
            pairs.filter(|(old, new)| look(old) == look(new)).count()
        };
        let mut wider = self;
        let height = next.area.height;
        loop {
            let moves = |new: u16| {
                let old = if self.is_up { new.checked_add(self.by) } else { new.checked_sub(self.by) };
                old.filter(|old| *old < height).is_some_and(|old| alike(old, new) > alike(new, new))
            };
            // The next row to come out of the region at either end, where it lies after the move.
            let above = wider.top.checked_sub(1).filter(|top| {
                let new = if self.is_up { *top } else { *top + self.by };
                moves(new)
            });
            let below = Some(wider.bottom).filter(|bottom| {
                *bottom < height && moves(if self.is_up { *bottom - self.by } else { *bottom })
            });
            if above.is_none() && below.is_none() {
                return wider;
            }
            wider.top = above.unwrap_or(wider.top);
            wider.bottom += u16::from(below.is_some());
        }
    }

    /// What the terminal shows after the move.
    pub(super) fn moved(self, shown: &Buffer) -> Buffer {
        let mut moved = shown.clone();
        let width = usize::from(shown.area.width);
        let (top, bottom) = (usize::from(self.top) * width, usize::from(self.bottom) * width);
        let by = usize::from(self.by) * width;
        let Some(region) = moved.content.get_mut(top..bottom) else { return moved };
        let vacant = if self.is_up {
            region.rotate_left(by);
            region.len() - by..region.len()
        } else {
            region.rotate_right(by);
            0..by
        };
        for cell in region.get_mut(vacant).into_iter().flatten() {
            cell.reset();
        }
        moved
    }

    /// The bytes that make the terminal move the rows; its pen must be plain, since what comes in blank takes
    /// the background of the pen. Where the cursor is afterwards is not certain.
    ///
    /// Lines are deleted and inserted within margins: every terminal since the VT102 knows that, the Linux
    /// console among them, which knows neither `SU` nor `SD`, and nothing reaches the scrollback.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let Self { top, bottom, by, is_up } = self;
        let by = if by == 1 { String::new() } else { by.to_string() };
        let what = if is_up { 'M' } else { 'L' };
        let first = top + 1;
        out.extend_from_slice(format!("\x1b[{first};{bottom}r\x1b[{first}H\x1b[{by}{what}\x1b[r").as_bytes());
    }
}
