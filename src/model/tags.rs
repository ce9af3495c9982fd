//! Tags: a small sorted list, since most resources carry fewer than a dozen.

use super::text::Text;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Tags of one resource, sorted by key. Values hold whatever a user typed.
///
/// All keys and values are one text, one after the other: a fleet has a hundred thousand of these, and a string of
/// its own for each would be three times the memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tags {
    text: Box<str>,
    /// Where each key ends in the text, and where its value does.
    ends: Box<[(u32, u32)]>,
}

impl Tags {
    /// Sorts and keeps the last value of a repeated key. What is longer than 4 GiB altogether is left out; AWS
    /// allows fifty tags of 384 characters.
    pub fn new<T: AsRef<str>>(pairs: impl IntoIterator<Item = (T, T)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        pairs.reverse();
        pairs.dedup_by(|a, b| a.0.as_ref() == b.0.as_ref());
        let length = pairs.iter().map(|(key, value)| key.as_ref().len() + value.as_ref().len()).sum();
        let (mut text, mut ends) = (String::with_capacity(length), Vec::with_capacity(pairs.len()));
        for (key, value) in pairs.iter().rev().map(|(key, value)| (key.as_ref(), value.as_ref())) {
            let (key_end, end) = (text.len() + key.len(), text.len() + key.len() + value.len());
            let (Ok(key_end), Ok(end)) = (u32::try_from(key_end), u32::try_from(end)) else { break };
            text.push_str(key);
            text.push_str(value);
            ends.push((key_end, end));
        }
        Self { text: text.into_boxed_str(), ends: ends.into_boxed_slice() }
    }

    /// The value of exactly this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        // There are a few dozen at most, and most differ in length already: this beats halving them.
        let text = self.text.as_bytes();
        let mut from = 0;
        for (key_end, end) in &self.ends {
            let (key_end, end) = (*key_end as usize, *end as usize);
            if key_end - from == key.len() && text.get(from..key_end) == Some(key.as_bytes()) {
                return self.text.get(key_end..end);
            }
            from = end;
        }
        None
    }

    /// Reads a little of both parts, so that they are on their way from memory. What is read means nothing.
    pub fn fetch(&self) -> u8 {
        let text = self.text.as_bytes().first().copied().unwrap_or_default();
        text ^ self.ends.first().map_or(0, |(end, _)| end.to_le_bytes()[0])
    }

    fn pair(&self, at: usize) -> Option<(&str, &str)> {
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        let (key_end, end) = *self.ends.get(at)?;
        let part = |from: u32, to: u32| self.text.get(from as usize..to as usize);
        Some((part(from, key_end)?, part(key_end, end)?))
    }

    /// All pairs in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        (0..self.ends.len()).map(|at| self.pair(at).unwrap_or_default())
    }

    /// All keys and values, one after the other. What is in none of it is in no key and in no value.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.ends.len()))?;
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
    use super::Tags;

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
    fn finds_by_key_and_keeps_the_last_of_two() {
        let tags: Tags = [("b", "1"), ("a", "x"), ("b", "2")].into_iter().collect();
        assert_eq!(tags.get("b"), Some("2"));
        assert_eq!(tags.get("c"), None);
        assert_eq!(tags.iter().len(), 2);
    }
}
