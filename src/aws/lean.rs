//! Answers that are read past the SDK, or not read at all.
//!
//! The SDK's reader makes a value of everything that an answer holds, and of the machine's time takes ten times
//! what the rows that are kept are worth (docs/builds.md). A request asks for another one by an interceptor,
//! which puts it in the place of the SDK's own. Of a page whose list begins as it did the time before, byte for byte,
//! so much is not read at all, nor kept as it comes (`skim`): its rows are handed out again. The two longest lists are
//! read out of the answer itself; what that reader cannot read the SDK reads, errors among it, so that nothing is
//! lost by it but time.

use super::seen::{Key, Lasting, Seen};
use super::skim::{Skim, Skimmed, skim};
use super::trail::{End, Piece, Trail, key, pieces};
use crate::aws::xml::{Unreadable, Walk};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextMut, Output,
    OutputOrError,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer};
use memchr::memmem;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a page brings: its rows, and the token of the next one.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// A page that was read out of an answer.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) page: Page<T>,
    /// Where the items of its list end.
    pub(super) ends: Vec<End>,
}

/// Reads a whole answer.
pub(super) type Parse<T> = fn(&str) -> Result<Read<T>, Unreadable>;

/// A list that is read so.
#[derive(Debug)]
pub(super) struct Shape<T> {
    /// Where its rows stand in an answer.
    pub(super) list: Extent,
    /// Reads a whole answer; none where the SDK does, which makes a row of each item.
    pub(super) parse: Option<Parse<T>>,
}

/// What of an answer is its list, so that two answers with the same list are alike.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// All of it. It holds no token.
    Whole,
    /// This element. Around it stand the request's id and the token of the next page, in an element of that
    /// name, which differ each time.
    Element {
        /// `reservationSet`.
        name: &'static str,
        /// `nextToken`.
        token: &'static str,
    },
}

impl<T> Clone for Shape<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shape<T> {}

/// One request that is answered so: its interceptor, and where its page is found afterwards.
pub(super) struct Lean<T: Lasting> {
    reader: Arc<Reader<T>>,
}

impl<T: Lasting> Clone for Lean<T> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader) }
    }
}

impl<T: Lasting> fmt::Debug for Lean<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.reader)
    }
}

impl<T: Lasting> Lean<T> {
    /// For one request of `operation` about `subject`, whose answer is then said to be `empty`. What rows take
    /// from the request and not from the answer belongs to its subject.
    pub(super) fn new(
        operation: &impl RuntimePlugin,
        subject: &str,
        empty: fn() -> Output,
        shape: Shape<T>,
        seen: Arc<Seen<T>>,
    ) -> Self {
        let (own, subject) = (operation.config(), subject.to_owned());
        let reader =
            Reader { own, subject, empty, shape, seen, skimmed: Mutex::default(), found: Mutex::default() };
        Self { reader: Arc::new(reader) }
    }

    /// The page that the answer held. Where the SDK has read it, or what of it was not known, `split` makes rows of what
    /// the SDK read, and tells whether they are all that there is to say of it: then they are remembered.
    pub(super) fn page_or(&self, split: impl FnOnce() -> (Page<T>, bool)) -> Page<T> {
        let found = std::mem::take(&mut *held(&self.reader.found));
        match found {
            Found::Page(page) => page,
            Found::Unread { known, place } => {
                let ((rows, next), is_all) = split();
                let place =
                    place.filter(|place| is_all && place.items.is_none_or(|items| items == rows.len()));
                (self.reader.put_together(&known, rows, place), next)
            }
        }
    }
}

impl<T: Lasting> Intercept for Lean<T> {
    fn name(&self) -> &'static str {
        "coredeck lean"
    }

    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reader = SharedReader(Arc::clone(&self.reader));
        cfg.interceptor_state().store_put(SharedResponseDeserializer::new(reader));
        Ok(())
    }

    /// The interceptors of the client have come before: those that count what arrives, and hold a slow line to its pace,
    /// see all of it.
    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reader = Arc::clone(&self.reader);
        // An attempt before this one may have got some way.
        *held(&reader.skimmed) = None;
        let response = context.response_mut();
        if let (Extent::Element { name, .. }, 200) = (reader.shape.list, response.status().as_u16()) {
            let new = Skim::new(Arc::clone(&reader.seen), &reader.subject, name);
            skim(response, new, move |skimmed| *held(&reader.skimmed) = skimmed);
        }
        Ok(())
    }
}

struct Reader<T: Lasting> {
    /// How the SDK itself would read the answer.
    own: Option<FrozenLayer>,
    subject: String,
    empty: fn() -> Output,
    shape: Shape<T>,
    seen: Arc<Seen<T>>,
    /// What of the answer was passed over as it came.
    skimmed: Mutex<Option<Skimmed<T>>>,
    found: Mutex<Found<T>>,
}

/// What has become of an answer.
enum Found<T> {
    /// The SDK reads it: what follows what is known.
    Unread { known: Known<T>, place: Option<Place> },
    /// It is known, or was read past the SDK.
    Page(Page<T>),
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self::Unread { known: None, place: None }
    }
}

/// A page that the answer began as, and how many of its pieces have come again.
type Known<T> = Option<(Arc<Trail<T>>, usize)>;

/// Under what a page is remembered, and how.
struct Place {
    key: Key,
    /// The pieces of what was read.
    pieces: Vec<Piece>,
    /// How many items they are of. None where a list comes again as a whole or not at all.
    items: Option<usize>,
}

impl<T: Lasting> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("list", &self.shape.list).finish_non_exhaustive()
    }
}
#[derive(Debug)]
struct SharedReader<T: Lasting>(Arc<Reader<T>>);

impl<T: Lasting> DeserializeResponse for SharedReader<T> {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        cfg: &ConfigBag,
    ) -> OutputOrError {
        let reader = &self.0;
        let body = response.body().bytes().filter(|_| response.status().as_u16() == 200);
        let found = body.map_or_else(Found::default, |body| reader.read(body));
        let is_read = matches!(found, Found::Page(_));
        *held(&reader.found) = found;
        if is_read {
            return Ok((reader.empty)());
        }
        let own = reader.own.as_deref().and_then(|layer| layer.load::<SharedResponseDeserializer>());
        let Some(own) = own else {
            return Err(OrchestratorError::other("the SDK names no reader for this answer"));
        };
        let read = own.deserialize_nonstreaming_with_config(response, cfg)?;
        // The SDK takes XML that was cut off for an answer that was short, half a row at its end included.
        let is_xml = matches!(reader.shape.list, Extent::Element { .. });
        if is_xml && body.is_some_and(|body| !is_whole(body)) {
            return Err(OrchestratorError::response("the answer was cut off".into()));
        }
        Ok(read)
    }
}

impl<T: Lasting> Reader<T> {
    fn read(&self, body: &[u8]) -> Found<T> {
        let Extent::Element { name, token } = self.shape.list else { return self.read_whole(body) };
        let skimmed = held(&self.skimmed).take();
        let (key, from, known) = skimmed.map_or((None, 0, None), |it| (Some(it.key), it.from, it.known));
        let list = body.get(from..).unwrap_or_default();
        if let (Some(key), Some((trail, pieces))) = (key, &known)
            && trail.is_all(*pieces)
            && let Some(next) = after(list, name).and_then(|rest| next(rest, token))
        {
            self.seen.find(key);
            return Found::Page((trail.rows().to_vec(), next));
        }
        let before = known.as_ref().map_or(0, |(trail, pieces)| trail.rows_of(*pieces).len());
        let place = |ends: &[End]| {
            let pieces = pieces(body, from, ends, before);
            key.map(|key| Place { key, pieces, items: Some(ends.len()) })
        };
        let text = std::str::from_utf8(body);
        match (self.shape.parse, text) {
            (Some(parse), Ok(text)) => match parse(text) {
                Ok(Read { page: (rows, next), ends }) => {
                    Found::Page((self.put_together(&known, rows, place(&ends)), next))
                }
                Err(Unreadable) => Found::Unread { known, place: None },
            },
            (None, Ok(text)) if key.is_some() => {
                let place = ends(text, from, name).ok().and_then(|ends| place(&ends));
                Found::Unread { known, place }
            }
            _ => Found::Unread { known, place: None },
        }
    }

    fn read_whole(&self, body: &[u8]) -> Found<T> {
        let key = key(&self.subject, body);
        match self.seen.find(key) {
            Some(page) => Found::Page((page.rows().to_vec(), None)),
            None => {
                Found::Unread { known: None, place: Some(Place { key, pieces: Vec::new(), items: None }) }
            }
        }
    }

    /// All rows of a page: those that are known, and behind them those that were read.
    fn put_together(&self, known: &Known<T>, mut read: Vec<T>, place: Option<Place>) -> Vec<T> {
        self.seen.join(&mut read);
        let (mut rows, mut pieces) = match known {
            Some((trail, count)) => (trail.rows_of(*count).to_vec(), trail.pieces(*count).to_vec()),
            None => (Vec::new(), Vec::new()),
        };
        if rows.is_empty() {
            rows = read;
        } else {
            rows.append(&mut read);
        }
        if let Some(place) = place {
            pieces.extend(place.pieces);
            self.seen.keep(place.key, rows.len(), || Trail::new(pieces, &rows));
        }
        rows
    }
}

fn held<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What follows a list in which nothing is left.
fn after<'a>(list: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let list = list.trim_ascii_start().strip_prefix(b"</")?;
    list.strip_prefix(name.as_bytes())?.strip_prefix(b">")
}

/// Where the items of a list end which begins at `from`, for an answer that the SDK reads: each is a row.
fn ends(body: &str, from: usize, name: &str) -> Result<Vec<End>, Unreadable> {
    let start = from.checked_sub(name.len() + 2).ok_or(Unreadable)?;
    let mut walk = Walk::new(body.get(start..).ok_or(Unreadable)?);
    let mut ends = Vec::new();
    walk.enter(name)?;
    walk.each(|walk, _| {
        walk.skip()?;
        ends.push(End { at: start + walk.position(), rows: ends.len() + 1 });
        Ok(())
    })?;
    Ok(ends)
}

/// The token in what follows a list; none where it cannot be told, or where the answer ends too early.
fn next(rest: &[u8], token: &str) -> Option<Option<String>> {
    if !is_whole(rest) {
        return None;
    }
    let name = format!("<{token}>");
    let Some(at) = memmem::find(rest, name.as_bytes()) else { return Some(None) };
    let rest = rest.get(at + name.len()..)?;
    let text = std::str::from_utf8(rest.get(..memchr::memchr(b'<', rest)?)?).ok()?;
    (!text.contains('&')).then(|| Some(text.to_owned()))
}

/// Tells whether an answer ends as it should.
fn is_whole(body: &[u8]) -> bool {
    body.trim_ascii_end().ends_with(b"Response>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::operation::describe_instances::DescribeInstances;

    #[test]
    fn a_list_that_ends_without_its_answer_has_no_known_token() {
        let next = |rest: &[u8]| next(rest, "nextToken");
        assert_eq!(
            next(b"<nextToken>a</nextToken></DescribeInstancesResponse>\n"),
            Some(Some("a".to_owned()))
        );
        assert_eq!(next(b"</DescribeInstancesResponse>"), Some(None));
        for unclear in ["", "<nextToken>a</next", "<nextToken>a&amp;</nextToken></DescribeInstancesResponse>"]
        {
            assert_eq!(next(unclear.as_bytes()), None, "{unclear}");
        }
    }

    #[test]
    fn items_end_where_their_elements_do() {
        let body =
            "<R><Result>\n<Rows><member><x/></member>\n <member/><member>é</member></Rows></Result></R>";
        let from = body.find("<Rows>").unwrap() + "<Rows>".len();
        let found: Vec<_> =
            ends(body, from, "Rows").unwrap().iter().map(|end| (&body[end.at..][..3], end.rows)).collect();
        assert_eq!(found, [("\n <", 1), ("<me", 2), ("</R", 3)]);
        assert!(ends(body, 2, "Rows").is_err());
        assert!(ends("<Rows><member>", 6, "Rows").is_err());
        assert!(after(b" \n</Rows></Result>", "Rows").is_some_and(|rest| rest == b"</Result>"));
        assert!(after(b"<member/></Rows>", "Rows").is_none() && after(b"</RowsOf>", "Rows").is_none());
    }

    impl Lasting for Arc<str> {
        type Kin = ();
        fn join(&mut self, (): &mut ()) {}
        fn leave((): &mut ()) {}
    }

    const NAMES: Shape<Arc<str>> =
        Shape { list: Extent::Element { name: "Set", token: "next" }, parse: Some(names) };

    /// Each item has one name or more.
    fn names(body: &str) -> Result<Read<Arc<str>>, Unreadable> {
        let (mut all, mut next, mut ends) = (Vec::new(), None, Vec::new());
        let mut walk = Walk::new(body);
        walk.enter("NamesResponse")?;
        walk.each(|walk, name| {
            match name {
                "Set" => walk.items(|walk| {
                    walk.each(|walk, name| {
                        if name == "name" {
                            all.push(Arc::from(&*walk.text()?));
                            return Ok(());
                        }
                        walk.skip()
                    })?;
                    ends.push(End { at: walk.position(), rows: all.len() });
                    Ok(())
                })?,
                "next" => next = Some(walk.text()?.into_owned()),
                _ => walk.skip()?,
            }
            Ok(())
        })?;
        Ok(Read { page: (all, next), ends })
    }

    /// Items of one name or two, each in 7,000 bytes.
    fn answer(items: &[(u16, bool)], token: Option<u8>) -> String {
        let one = |(id, is_pair): &(u16, bool)| {
            let (more, padding) = (if *is_pair { "<name>another</name>" } else { "" }, "x".repeat(7_000));
            format!("\n<item><name>{id}</name><y>{padding}</y>{more}</item>")
        };
        let (count, all): (_, String) = (items.len(), items.iter().map(one).collect());
        let token = token.map(|token| format!("<next>{token}</next>")).unwrap_or_default();
        format!(
            "<?xml version=\"1.0\"?><NamesResponse><id>{count}</id><Set>{all}\n</Set>{token}</NamesResponse>"
        )
    }

    fn lean(seen: &Arc<Seen<Arc<str>>>) -> Lean<Arc<str>> {
        Lean::new(&DescribeInstances::new(), "", || Output::erase(()), NAMES, Arc::clone(seen))
    }

    /// The page of an answer that comes in stretches, and how many bytes of it were kept; none where the SDK would read it.
    fn come(seen: &Arc<Seen<Arc<str>>>, body: &str, stretch: usize) -> (Option<Page<Arc<str>>>, usize) {
        let reader = lean(seen).reader;
        let mut skim = Skim::new(Arc::clone(seen), "", "Set");
        body.as_bytes().chunks(stretch).for_each(|bytes| skim.take(bytes));
        let (kept, skimmed) = skim.end();
        *held(&reader.skimmed) = skimmed;
        match reader.read(&kept) {
            Found::Page(page) => (Some(page), kept.len()),
            Found::Unread { .. } => (None, kept.len()),
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_known_and_what_is_read_make_the_page_that_all_of_it_makes(
            first in proptest::collection::vec(proptest::prelude::any::<(u16, bool)>(), 0..40),
            changes in proptest::collection::vec(proptest::prelude::any::<(u16, u8, bool)>(), 1..6),
            stretch in 1_usize..60_000,
            cut in 0_usize..300_000,
        ) {
            let seen = Arc::new(Seen::default());
            let mut rows = first;
            for (at, what, is_pair) in changes {
                for _ in 0..2 {
                    let body = answer(&rows, (what % 2 == 0).then_some(what));
                    seen.begin();
                    let (page, _) = come(&seen, &body, stretch);
                    seen.end();
                    proptest::prop_assert_eq!(page.unwrap(), names(&body).unwrap().page);
                    // One that is cut off is never taken for a page, and spoils nothing.
                    let is_cut = cut < body.len();
                    proptest::prop_assert!(!is_cut || come(&seen, &body[..cut], stretch).0.is_none());
                }
                let at = usize::from(at) % (rows.len() + 1);
                match what % 3 {
                    0 => rows.insert(at, (u16::from(what), is_pair)),
                    1 if at < rows.len() => { rows.remove(at); }
                    _ => if let Some(row) = rows.get_mut(at) { row.1 = !row.1 },
                }
            }
        }
    }

    #[test]
    fn of_a_page_that_is_the_same_nothing_is_kept_and_of_another_what_follows_the_change() {
        let (seen, mut rows) = (Arc::new(Seen::default()), (0..40).map(|id| (id, true)).collect::<Vec<_>>());
        let (first, all) = come(&seen, &answer(&rows, None), 9_999);
        let (again, kept) = come(&seen, &answer(&rows, Some(7)), 400_000);
        let (first, again) = (first.unwrap().0, again.unwrap());
        assert!(all > 280_000 && kept < 300, "{kept} of {all}");
        assert_eq!((again.0.len(), again.1.as_deref()), (80, Some("7")));
        assert!(first.iter().zip(&again.0).all(|(before, now)| Arc::ptr_eq(before, now)));
        rows[30].1 = false;
        let (changed, kept) = come(&seen, &answer(&rows, None), 1);
        let changed = changed.unwrap().0;
        assert!((70_000..110_000).contains(&kept), "{kept} of {all}");
        assert_eq!((changed.len(), &*changed[60], &*changed[61]), (79, "30", "31"));
        assert!(Arc::ptr_eq(&first[40], &changed[40]) && !Arc::ptr_eq(&first[60], &changed[60]));
    }
}
