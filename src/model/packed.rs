//! Several texts in one, each behind a character whose number is its length in bytes. A hundred thousand instances have a
//! dozen each: with a place for each of them they would be several times the memory.

/// The longest text that is kept, in bytes: more than a million.
pub(super) const LONGEST: usize = (char::MAX as u32 - GAP) as usize;
/// No character has one of these numbers.
const GAP: u32 = 0x800;
const GAP_FROM: u32 = 0xd800;

/// The character that stands for a length; none where it is too long.
fn length_char(length: usize) -> Option<char> {
    let number = u32::try_from(length.min(LONGEST + 1)).ok()?;
    char::from_u32(if number < GAP_FROM { number } else { number + GAP })
}

/// Texts that are about to be packed.
#[derive(Default)]
pub(super) struct Packing(String);

impl Packing {
    /// With room for so many bytes. A length takes one of them, or two where a text is long.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Adds a text; none where it is too long, which is then left out.
    pub(super) fn add(&mut self, text: &str) -> Option<()> {
        self.0.push(length_char(text.len())?);
        self.0.push_str(text);
        Some(())
    }

    /// All of them in one, with a character before each: what is in none of it is in no text.
    pub(super) fn done(self) -> String {
        self.0
    }
}

/// Each text of those that are packed in this one, in its turn.
pub(super) fn texts(packed: &str) -> Texts<'_> {
    Texts(packed)
}

/// Texts one after the other.
pub(super) struct Texts<'a>(&'a str);

impl<'a> Iterator for Texts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut chars = self.0.chars();
        let number = u32::from(chars.next()?);
        let length = if number < GAP_FROM { number } else { number - GAP };
        let (text, rest) = chars.as_str().split_at_checked(length as usize)?;
        self.0 = rest;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{GAP_FROM, LONGEST, Packing, texts};

    #[test]
    fn texts_of_any_length_come_back_and_one_of_a_million_bytes_is_left_out() {
        let gap = GAP_FROM as usize;
        for length in [0, 1, 127, 128, 255, 256, 4_096, gap - 1, gap, gap + 1, 0xffff, 0x1_0000, LONGEST] {
            let long = "x".repeat(length);
            let mut packing = Packing::default();
            let added = ["é", &long, "", "y"].map(|text| packing.add(text));
            assert_eq!(added, [Some(()); 4]);
            let packed = packing.done();
            assert!(texts(&packed).eq(["é", &long, "", "y"]), "{length}");
        }
        let mut packing = Packing::with_room(2);
        assert_eq!(packing.add(&"x".repeat(LONGEST + 1)), None);
        assert_eq!(packing.add("y"), Some(()));
        assert!(texts(&packing.done()).eq(["y"]));
    }
}
