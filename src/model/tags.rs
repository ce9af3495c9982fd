//! Tags: a small sorted list, since most resources carry fewer than a dozen.

use super::packed::{Packing, texts};
use super::text::Text;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Tags of one resource, sorted by key. Values hold whatever a user typed.
///
/// A fleet has a hundred thousand of these, and what is launched alike has the same keys and often the same values: those are
/// one list and one text, which all with the same share (`Keyrings`).
/// With a string for each key and each value it would be four times the memory, and as many places to look at.
#[derive(Clone, Default)]
pub struct Tags {
    /// None where there are no tags.
    keys: Option<Arc<Keys>>,
    values: Arc<str>,
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

/// Lists of keys, and values, that several resources share: the first of each kind stands for all that are equal to it.
#[derive(Debug, Default)]
pub struct Keyrings {
    keys: HashSet<Arc<Keys>>,
    values: HashSet<Arc<str>>,
    /// To look for room once more would take more than it gives.
    is_full: bool,
}

/// Values that are remembered. Where more resources differ in them, as each has a name of its own, there is little to share.
const MOST_VALUES: usize = 16_384;

impl Keyrings {
    /// Lets tags share their keys and values with those before them.
    pub fn share(&mut self, tags: &mut Tags) {
        let Some(keys) = &tags.keys else { return };
        match self.keys.get(keys) {
            Some(known) => tags.keys = Some(Arc::clone(known)),
            None => drop(self.keys.insert(Arc::clone(keys))),
        }
        match self.values.get(&tags.values) {
            Some(known) => tags.values = Arc::clone(known),
            None => self.know_values(tags),
        }
    }

    /// Lets tags share these keys and values from now on.
    pub fn know(&mut self, tags: &Tags) {
        self.keys.extend(tags.keys.clone());
        self.know_values(tags);
    }

    fn know_values(&mut self, tags: &Tags) {
        if self.values.len() >= MOST_VALUES && !self.is_full {
            // Those that one resource alone has make room for those behind it: it and this list hold them.
            self.values.retain(|values| Arc::strong_count(values) > 2);
            self.is_full = self.values.len() > MOST_VALUES / 2;
        }
        if self.values.len() < MOST_VALUES && !self.is_full {
            self.values.insert(Arc::clone(&tags.values));
        }
    }

    /// Forgets the keys and values that nothing has any more.
    pub fn prune(&mut self) {
        self.keys.retain(|keys| Arc::strong_count(keys) > 1);
        self.values.retain(|values| Arc::strong_count(values) > 1);
        self.is_full = false;
    }
}

impl Tags {
    /// Sorts and keeps the last value of a repeated key. A value of more than a million bytes is left out with its key;
    /// AWS allows 256 characters.
    pub fn new<T: AsRef<str>>(pairs: impl IntoIterator<Item = (T, T)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        pairs.reverse();
        pairs.dedup_by(|a, b| a.0.as_ref() == b.0.as_ref());
        let length = pairs.iter().map(|(_, value)| value.as_ref().len() + 2).sum();
        let (mut keys, mut values) = (Vec::with_capacity(pairs.len()), Packing::with_room(length));
        for (key, value) in pairs.iter().rev().map(|(key, value)| (key.as_ref(), value.as_ref())) {
            if values.add(value).is_some() {
                keys.push(Text::new(key));
            }
        }
        let keys = (!keys.is_empty()).then(|| Arc::new(Keys(keys.into_boxed_slice())));
        Self { keys, values: values.done().into() }
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
    pub fn values(&self) -> impl Iterator<Item = &str> {
        texts(&self.values)
    }

    /// All pairs in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let keys = self.keys.as_deref().map_or(&[][..], |keys| &keys.0);
        let mut values = self.values();
        keys.iter().map(move |key| (key.as_str(), values.next().unwrap_or_default()))
    }

    /// The keys; none where there are no tags. Those that are the same lie in the same place, where they are shared.
    pub fn keys(&self) -> Option<&Arc<Keys>> {
        self.keys.as_ref()
    }

    /// Where its values lie: tags that share them lie in one place.
    pub fn place(&self) -> usize {
        self.values.as_ptr().addr()
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
        same_keys && (Arc::ptr_eq(&self.values, &other.values) || self.values == other.values)
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
    use super::super::packed::LONGEST;
    use super::{Keyrings, MOST_VALUES, Tags};
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
    fn a_value_of_a_million_bytes_is_left_out_with_its_key() {
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
        let mut third = tags("a");
        assert_ne!(third.place(), first.place());
        keyrings.share(&mut third);
        assert_eq!((third.place(), &third), (first.place(), &first));
        assert_ne!(third.place(), second.place());
        drop((first, second, third));
        keyrings.prune();
        assert_eq!((keyrings.keys.len(), keyrings.values.len()), (0, 0));
    }

    #[test]
    fn values_of_one_resource_make_room_for_those_of_many_and_none_is_lost() {
        let mut keyrings = Keyrings::default();
        let mut share = |at: usize| {
            let mut tags = Tags::from_iter([("Name", at.to_string())]);
            keyrings.share(&mut tags);
            tags
        };
        // Resources with names of their own, and behind them some that are called alike.
        let own: Vec<Tags> = (0..2 * MOST_VALUES + 5).map(&mut share).collect();
        let alike: Vec<Tags> = (0..100).map(|at| share(1_000_000 + at % 10)).collect();
        assert!(own.iter().enumerate().all(|(at, tags)| tags.get("Name") == Some(&at.to_string())));
        assert!(alike.iter().zip(&alike[10..]).all(|(one, other)| one.place() == other.place()));
        // More of them in pairs than are remembered.
        let pairs: Vec<Tags> = (0..2 * MOST_VALUES).map(|at| share(2_000_000 + at / 2)).collect();
        assert!(
            pairs
                .iter()
                .enumerate()
                .all(|(at, tags)| tags.get("Name") == Some(&(2_000_000 + at / 2).to_string()))
        );
        assert!(keyrings.values.len() <= MOST_VALUES);
        assert_eq!(keyrings.keys.len(), 1);
    }

    #[test]
    fn finds_by_key_and_keeps_the_last_of_two() {
        let tags: Tags = [("b", "1"), ("a", "x"), ("b", "2")].into_iter().collect();
        assert_eq!(tags.get("b"), Some("2"));
        assert_eq!(tags.get("c"), None);
        assert_eq!(tags.iter().len(), 2);
    }
}
