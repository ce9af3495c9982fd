//! Natural order: texts without regard to case, and the numbers in them by value, so that `i-2` comes
//! before `i-10` and `1.9.0` before `1.10.0`.
//!
//! The order is that of an encoding: a run of digits becomes the digit `0`, its length and its digits
//! without leading zeros, everything else its lower-case bytes. The first encoded bytes, taken as
//! numbers, decide nearly every comparison of a sort.

use std::cmp::Ordering;

/// The encoded bytes of a text, one after the other.
struct Encoded<'a> {
    rest: &'a [u8],
    digits: usize,
    length: Option<u8>,
}

fn encoded(text: &[u8]) -> Encoded<'_> {
    Encoded { rest: text, digits: 0, length: None }
}

impl Iterator for Encoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(length) = self.length.take() {
            return Some(length);
        }
        let (byte, behind) = self.rest.split_first()?;
        if self.digits > 0 {
            self.digits -= 1;
            self.rest = behind;
            return Some(*byte);
        }
        if !byte.is_ascii_digit() {
            self.rest = behind;
            return Some(byte.to_ascii_lowercase());
        }
        let run = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let zeros = self.rest.iter().take(run).take_while(|byte| **byte == b'0').count();
        self.rest = self.rest.get(zeros..).unwrap_or_default();
        self.digits = run - zeros;
        self.length = Some(u8::try_from(self.digits).unwrap_or(u8::MAX));
        Some(b'0')
    }
}

/// Compares two texts; those that differ only in case or leading zeros are equal.
pub fn order_without_case(a: &str, b: &str) -> Ordering {
    encoded(a.as_bytes()).cmp(encoded(b.as_bytes()))
}

/// Compares two texts; only the same text is equal.
pub fn order(a: &str, b: &str) -> Ordering {
    order_without_case(a, b).then_with(|| a.cmp(b))
}

/// How many encoded bytes a sort looks at before it looks at the text itself.
pub(super) const PREFIX: usize = 31;

/// The first encoded bytes of a text, filled up with zeros: never greater for the lesser of two texts.
/// The same as `encoded` gives, in one tight loop, since a sort does it for every row.
pub(super) fn prefix(text: &[u8]) -> [u8; PREFIX] {
    let mut bytes = [0; PREFIX];
    let (mut at, mut rest) = (0, text);
    while let Some((byte, behind)) = rest.split_first()
        && let Some(place) = bytes.get_mut(at)
    {
        at += 1;
        if !byte.is_ascii_digit() {
            *place = byte.to_ascii_lowercase();
            rest = behind;
            continue;
        }
        *place = b'0';
        let zeros = rest.iter().take_while(|byte| **byte == b'0').count();
        let number = rest.get(zeros..).unwrap_or_default();
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = number.get(digits..).unwrap_or_default();
        let Some((length, places)) = bytes.get_mut(at..).and_then(<[u8]>::split_first_mut) else { break };
        *length = u8::try_from(digits).unwrap_or(u8::MAX);
        let kept = digits.min(places.len());
        for (place, digit) in places.iter_mut().zip(number.get(..kept).unwrap_or_default()) {
            *place = *digit;
        }
        at += 1 + kept;
    }
    bytes
}

/// The length of the beginning that all texts share and that no comparison needs to look at: it never
/// ends within a number.
pub(super) fn shared<'a>(mut texts: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = texts.next().map(str::as_bytes) else { return 0 };
    let mut length = first.len();
    for text in texts {
        let same = first.iter().zip(text.as_bytes()).take(length).take_while(|(a, b)| a == b).count();
        length = same;
        if length == 0 {
            break;
        }
    }
    while length > 0 && first.get(length - 1).is_some_and(u8::is_ascii_digit) {
        length -= 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::{PREFIX, encoded, order, order_without_case, prefix, shared};
    use proptest::prelude::*;
    use std::cmp::Ordering;

    #[test]
    fn numbers_count_by_value() {
        let mut names = ["i-10", "i-2", "I-1", "i-02", "i", "i-a", "i-1x"];
        names.sort_by(|a, b| order(a, b));
        assert_eq!(names, ["i", "I-1", "i-1x", "i-02", "i-2", "i-10", "i-a"]);
        assert_eq!(order("1.9.0", "1.10.0"), Ordering::Less);
        assert_eq!(order_without_case("Prod-01", "prod-1"), Ordering::Equal);
    }

    #[test]
    fn a_shared_beginning_never_cuts_a_number() {
        assert_eq!(shared(["core-12", "core-13"].into_iter()), 5);
        assert_eq!(shared(["a", "b"].into_iter()), 0);
        assert_eq!(shared(["same", "same"].into_iter()), 4);
        assert_eq!(shared(std::iter::empty()), 0);
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[aA0-2.]{0,8}", b in "[aA0-2.]{0,8}", c in "[aA0-2.]{0,8}") {
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &b) == Ordering::Equal, a == b);
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le());
            }
        }

        #[test]
        fn a_prefix_is_the_beginning_of_the_encoding(text in "[a-bA0-2\u{0}é]{0,40}") {
            let mut expected: Vec<u8> = encoded(text.as_bytes()).take(PREFIX).collect();
            expected.resize(PREFIX, 0);
            prop_assert_eq!(prefix(text.as_bytes()).to_vec(), expected);
        }

        #[test]
        fn prefixes_never_contradict_the_order(a in "x?[a0-2\u{0}é]{0,30}", b in "x?[a0-2\u{0}é]{0,30}") {
            let cut = shared([a.as_str(), b.as_str()].into_iter());
            let (pa, pb) = (prefix(&a.as_bytes()[cut..]), prefix(&b.as_bytes()[cut..]));
            if pa != pb {
                prop_assert_eq!(pa.cmp(&pb), order_without_case(&a, &b));
            }
        }
    }
}
