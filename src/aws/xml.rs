//! Walking through an XML answer without keeping it: names and texts are looked at where they lie.
//!
//! The SDK's own readers make a value of everything an answer holds. Of the longest lists coredeck keeps a
//! small part, and walks through the rest.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Why an answer could not be walked through. Whoever gets it lets the SDK read the answer, which then
/// says in its own words what is wrong.
#[derive(Debug)]
pub(super) struct Unreadable;

impl<E: std::error::Error> From<E> for Unreadable {
    fn from(_: E) -> Self {
        Self
    }
}

/// A walk through one document.
pub(super) struct Walk<'a> {
    reader: Reader<&'a [u8]>,
}

impl<'a> Walk<'a> {
    /// Before the root of a document.
    pub(super) fn new(document: &'a str) -> Self {
        let mut reader = Reader::from_str(document);
        reader.config_mut().expand_empty_elements = true;
        Self { reader }
    }

    /// How many bytes of the document have been walked through: behind the end of the element that was walked through last.
    pub(super) fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Enters the root, which has to be called so.
    ///
    /// # Errors
    ///
    /// There is no root, or another one.
    pub(super) fn enter(&mut self, name: &str) -> Result<(), Unreadable> {
        loop {
            match self.reader.read_event()? {
                Event::Start(root) if root.local_name().as_ref() == name => return Ok(()),
                Event::Start(_) | Event::End(_) | Event::Eof => return Err(Unreadable),
                _ => {}
            }
        }
    }

    /// Tells `child` the name of every element inside the current one, up to its end. `child` walks through
    /// that element whole: by [`Walk::each`], [`Walk::text`] or [`Walk::skip`].
    ///
    /// # Errors
    ///
    /// The document is no XML or ends too early, or `child` failed.
    pub(super) fn each(
        &mut self,
        mut child: impl FnMut(&mut Self, &str) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        while let Some(element) = self.next()? {
            child(self, element.local_name().as_ref())?;
        }
        Ok(())
    }

    /// Tells `item` of every `item` inside the current element, which is how EC2 writes a list.
    ///
    /// # Errors
    ///
    /// As [`Walk::each`].
    pub(super) fn items(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.each(|walk, name| if name == "item" { item(walk) } else { walk.skip() })
    }

    /// The text of the current element, up to its end.
    ///
    /// # Errors
    ///
    /// The document is no XML or ends too early, or there are elements inside.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        let mut all = Cow::Borrowed("");
        loop {
            match self.reader.read_event()? {
                Event::Text(piece) => join(&mut all, piece.into_inner()),
                Event::CData(piece) => join(&mut all, piece.into_inner()),
                Event::GeneralRef(entity) => {
                    let letter = match entity.resolve_char_ref()? {
                        Some(letter) => letter,
                        None => named(&entity)?,
                    };
                    all.to_mut().push(letter);
                }
                Event::End(_) => return Ok(all),
                Event::Start(_) | Event::Eof => return Err(Unreadable),
                _ => {}
            }
        }
    }

    /// The text of the element of this name inside the current one, up to the current one's end; empty where
    /// there is none.
    ///
    /// # Errors
    ///
    /// As [`Walk::text`].
    pub(super) fn text_of(&mut self, wanted: &str) -> Result<Cow<'a, str>, Unreadable> {
        let mut found = Cow::Borrowed("");
        self.each(|walk, name| {
            if name == wanted {
                found = walk.text()?;
                return Ok(());
            }
            walk.skip()
        })?;
        Ok(found)
    }

    /// Passes the current element over, up to its end.
    ///
    /// # Errors
    ///
    /// The document is no XML or ends too early.
    pub(super) fn skip(&mut self) -> Result<(), Unreadable> {
        let mut depth = 0_usize;
        loop {
            match self.reader.read_event()? {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 0 => return Ok(()),
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(Unreadable),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Option<BytesStart<'a>>, Unreadable> {
        loop {
            match self.reader.read_event()? {
                Event::Start(element) => return Ok(Some(element)),
                Event::End(_) => return Ok(None),
                Event::Eof => return Err(Unreadable),
                _ => {}
            }
        }
    }
}

fn join<'a>(all: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if all.is_empty() {
        *all = piece;
    } else {
        all.to_mut().push_str(&piece);
    }
}

/// The letter of one of the five entities that every document knows; others need a declaration, which no
/// answer has.
fn named(entity: &str) -> Result<char, Unreadable> {
    match entity {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::{Unreadable, Walk};

    fn seen(document: &str) -> Result<Vec<(String, String)>, Unreadable> {
        let mut walk = Walk::new(document);
        walk.enter("root")?;
        let mut seen = Vec::new();
        walk.each(|walk, name| {
            if name == "deep" {
                return walk.skip();
            }
            let name = name.to_owned();
            seen.push((name, walk.text()?.into_owned()));
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn texts_come_as_they_were_meant_and_what_is_deep_is_passed_over() {
        let found = seen(
            "<?xml version=\"1.0\"?>\n<root xmlns=\"x\"> <a>1 &lt; 2 &amp;&#33; &#x263a;</a><b/> <!-- no -->\
             <deep><a>no</a><deep><b/></deep></deep><c><![CDATA[<&>]]></c><a></a></root>",
        )
        .unwrap();
        let found: Vec<_> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, [("a", "1 < 2 &! ☺"), ("b", ""), ("c", "<&>"), ("a", "")]);
    }

    #[test]
    fn what_is_broken_is_never_taken_for_a_list() {
        for broken in [
            "",
            "no xml",
            "<other></other>",
            "<root><a>1</a>",
            "<root><a>1</root>",
            "<root><a>1<b/></a></root>",
            "<root><a>&nothing;</a></root>",
            "<root><a>1</a><b",
        ] {
            assert!(seen(broken).is_err(), "{broken}");
        }
    }
}
