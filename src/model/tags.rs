//! Tags: a small sorted list, since most resources carry fewer than a dozen.

use super::text::Text;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Tags of one resource, sorted by key. Values hold whatever a user typed.
///
/// A fleet has a hundred thousand of these, and what is launched alike has the same keys: those are one list, which all
/// with the same share (`Keyrings`). All values are one text, each behind a character whose number is its length in bytes.
/// With a string for each key and each value it would be four times the memory, and as many places to look at.
#[derive(Clone, Default)]
pub struct Tags {
    /// None where there are no tags.
    keys: Option<Arc<Keys>>,
    values: Box<str>,
}

/// The keys of a resource's tags, sorted.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Keys(Box<[Text]>);

impl Keys {
    fn position(&self, key: &str) -> Option<usize> {
        // There are a few dozen at most, and most differ in length already: this beats halving them.
        self.0.iter().position(|own| own == key)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(Text::as_str)
    }
}

/// Lists of keys that several resources share: the first of each kind stands for all that are equal to it.
#[derive(Debug, Default)]
pub struct Keyrings(HashSet<Arc<Keys>>);

impl Keyrings {
    /// Lets tags share their keys with those before them.
    pub fn share(&mut self, tags: &mut Tags) {
        let Some(keys) = &tags.keys else { return };
        match self.0.get(keys) {
            Some(known) => tags.keys = Some(Arc::clone(known)),
            None => drop(self.0.insert(Arc::clone(keys))),
        }
    }

    /// Lets tags share these keys from now on.
    pub fn know(&mut self, tags: &Tags) {
        self.0.extend(tags.keys.clone());
    }

    /// Forgets the keys that nothing has any more.
    pub fn prune(&mut self) {
        self.0.retain(|keys| Arc::strong_count(keys) > 1);
    }
}

/// The longest value that is kept, in bytes: more than a million. AWS allows 256 characters.
const LONGEST: usize = (char::MAX as u32 - GAP) as usize;
/// No character has one of these numbers.
const GAP: u32 = 0x800;
const GAP_FROM: u32 = 0xd800;

/// The character that stands for a length; none where it is too long.
fn length_char(length: usize) -> Option<char> {
    let number = u32::try_from(length.min(LONGEST + 1)).ok()?;
    char::from_u32(if number < GAP_FROM { number } else { number + GAP })
}

/// Takes the first value off the text of all.
fn first_value(values: &str) -> Option<(&str, &str)> {
    let mut chars = values.chars();
    let number = u32::from(chars.next()?);
    let length = if number < GAP_FROM { number } else { number - GAP };
    chars.as_str().split_at_checked(length as usize)
}

/// Values one after the other, as many as there are.
struct Values<'a> {
    rest: &'a str,
    left: usize,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (value, rest) = first_value(self.rest)?;
        (self.rest, self.left) = (rest, self.left.saturating_sub(1));
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Values<'_> {}

impl Tags {
    /// Sorts and keeps the last value of a repeated key. A value of more than a million bytes is left out with its key;
    /// AWS allows 256 characters.
    pub fn new<T: AsRef<str>>(pairs: impl IntoIterator<Item = (T, T)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        pairs.reverse();
        pairs.dedup_by(|a, b| a.0.as_ref() == b.0.as_ref());
        // A length takes a byte, or two where the value is long.
        let length = pairs.iter().map(|(_, value)| value.as_ref().len() + 2).sum();
        let (mut keys, mut values) = (Vec::with_capacity(pairs.len()), String::with_capacity(length));
        for (key, value) in pairs.iter().rev().map(|(key, value)| (key.as_ref(), value.as_ref())) {
            let Some(length) = length_char(value.len()) else { continue };
            values.push(length);
            values.push_str(value);
            keys.push(Text::new(key));
        }
        let keys = (!keys.is_empty()).then(|| Arc::new(Keys(keys.into_boxed_slice())));
        Self { keys, values: values.into_boxed_str() }
    }

    /// The value of exactly this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.keys.as_ref()?.position(key)?;
        self.values().nth(at)
    }

    /// Reads a little of the values, so that they are on their way from memory. What is read means nothing.
    pub fn fetch(&self) -> u8 {
        const LINE: usize = 64;
        let byte = |at: usize| self.values.as_bytes().get(at).copied().unwrap_or_default();
        byte(0) ^ byte(LINE)
    }

    /// All values in key order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> {
        Values { rest: &self.values, left: self.keys.as_ref().map_or(0, |keys| keys.0.len()) }
    }

    /// All pairs in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let keys = self.keys.as_deref().map_or(&[][..], |keys| &keys.0);
        keys.iter().map(Text::as_str).zip(self.values())
    }

    /// The keys; none where there are no tags. Those that are the same lie in the same place, where they are shared.
    pub fn keys(&self) -> Option<&Arc<Keys>> {
        self.keys.as_ref()
    }

    /// All values, one after the other, and a character between any two. What is in none of it is in no value.
    pub fn text(&self) -> &str {
        &self.values
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_none()
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        let same_keys = match (&self.keys, &other.keys) {
            (Some(own), Some(others)) => Arc::ptr_eq(own, others) || own == others,
            (own, others) => own.is_none() && others.is_none(),
        };
        same_keys && self.values == other.values
    }
}

impl Eq for Tags {}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.iter().len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Tags;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tags")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<Text, Text>()? {
                    pairs.push(pair);
                }
                Ok(Tags::new(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self::new(pairs.into_iter().map(|(k, v)| (Text::new(k), Text::new(v))))
    }
}

#[cfg(test)]
mod tests {
    use super::{GAP_FROM, Keyrings, LONGEST, Tags};
    use std::sync::Arc;

    #[test]
    fn every_key_is_found_and_comes_back_whole() {
        for count in 0..9 {
            let pairs: Vec<_> = (0..count).map(|n| (format!("k{n}é"), "v".repeat(n))).collect();
            let tags: Tags = pairs.iter().rev().cloned().collect();
            for (key, value) in &pairs {
                assert_eq!(tags.get(key), Some(value.as_str()));
            }
            assert!(tags.iter().eq(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))));
            assert_eq!((tags.get(""), tags.get("k"), tags.get("z")), (None, None, None));
            let written = postcard::to_stdvec(&tags).unwrap();
            assert_eq!(postcard::from_bytes::<Tags>(&written).unwrap(), tags);
            let written = serde_json::to_string(&tags).unwrap();
            assert_eq!(serde_json::from_str::<Tags>(&written).unwrap(), tags);
        }
    }

    #[test]
    fn a_value_of_any_length_comes_back_and_one_of_a_million_bytes_is_left_out() {
        let gap = GAP_FROM as usize;
        for length in [0, 1, 127, 128, 255, 256, 4_096, gap - 1, gap, gap + 1, 0xffff, 0x1_0000, LONGEST] {
            let tags: Tags = [("a", "x".repeat(length)), ("b", "y".to_owned())].into_iter().collect();
            assert_eq!(tags.get("a").map(str::len), Some(length));
            assert_eq!(tags.get("b"), Some("y"), "{length}");
        }
        let tags: Tags = [("a", "x".repeat(LONGEST + 1)), ("b", "y".to_owned())].into_iter().collect();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("b", "y")]);
    }

    #[test]
    fn tags_with_the_same_keys_share_them_and_are_equal_by_what_they_say() {
        let tags = |value: &str| Tags::from_iter([("Name", value), ("team", "auth")]);
        let (mut first, mut second) = (tags("a"), tags("b"));
        assert!(!Arc::ptr_eq(first.keys().unwrap(), second.keys().unwrap()));
        assert_eq!(first, tags("a"));
        let mut keyrings = Keyrings::default();
        keyrings.share(&mut first);
        keyrings.share(&mut second);
        assert!(Arc::ptr_eq(first.keys().unwrap(), second.keys().unwrap()));
        assert_eq!((&first, &second), (&tags("a"), &tags("b")));
        assert_ne!(first, second);
        assert_ne!(Tags::default(), first);
        drop((first, second));
        keyrings.prune();
        assert_eq!(keyrings.0.len(), 0);
    }

    #[test]
    fn finds_by_key_and_keeps_the_last_of_two() {
        let tags: Tags = [("b", "1"), ("a", "x"), ("b", "2")].into_iter().collect();
        assert_eq!(tags.get("b"), Some("2"));
        assert_eq!(tags.get("c"), None);
        assert_eq!(tags.iter().len(), 2);
    }
}
