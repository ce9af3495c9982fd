//! Answers that are read past the SDK, or not read at all.
//!
//! The SDK's reader makes a value of everything that an answer holds, and of the machine's time takes ten times
//! what the rows that are kept are worth (docs/builds.md). A request asks for another one by an interceptor,
//! which puts it in the place of the SDK's own. A page whose list is the same, byte for byte, as a page of the
//! time before is not read at all: its rows are handed out again. The two longest lists are read out of the
//! answer itself; what that reader cannot read the SDK reads, errors among it, so that nothing is lost by it but
//! time.

use super::seen::{Key, Lasting, Seen};
use crate::aws::xml::Unreadable;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, Output, OutputOrError,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer};
use memchr::memmem;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh3::Xxh3;

/// What a page brings: its rows, and the token of the next one.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// Reads a whole answer.
pub(super) type Parse<T> = fn(&str) -> Result<Page<T>, Unreadable>;

/// A list that is read so.
#[derive(Debug)]
pub(super) struct Shape<T> {
    /// Where its rows stand in an answer.
    pub(super) list: Extent,
    /// Reads a whole answer; none where the SDK does.
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
        Self { reader: Arc::new(Reader { own, subject, empty, shape, seen, found: Mutex::default() }) }
    }

    /// The page that the answer held. Where the SDK has read it, `split` makes it of what the SDK read, and
    /// tells whether the rows are all that there is to say of it: then they are remembered.
    pub(super) fn page_or(&self, split: impl FnOnce() -> (Page<T>, bool)) -> Page<T> {
        let found = std::mem::take(&mut *self.reader.found());
        match found {
            Found::Page(page) => page,
            Found::Nothing => split().0,
            Found::Unread(key) => {
                let (mut page, is_all) = split();
                if is_all {
                    self.reader.seen.keep(key, &mut page.0);
                }
                page
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
}

struct Reader<T: Lasting> {
    /// How the SDK itself would read the answer.
    own: Option<FrozenLayer>,
    subject: String,
    empty: fn() -> Output,
    shape: Shape<T>,
    seen: Arc<Seen<T>>,
    found: Mutex<Found<T>>,
}

/// What has become of an answer.
#[derive(Default)]
enum Found<T> {
    /// Nobody has looked at it.
    #[default]
    Nothing,
    /// It is new, and the SDK reads it.
    Unread(Key),
    /// It is known, or was read past the SDK.
    Page(Page<T>),
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
        let found = body.map_or(Found::Nothing, |body| reader.read(body));
        let is_read = matches!(found, Found::Page(_));
        *reader.found() = found;
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
        let parse = || (self.shape.parse?)(std::str::from_utf8(body).ok()?).ok();
        let Some((list, rest)) = apart(body, self.shape.list) else {
            return parse().map_or(Found::Nothing, Found::Page);
        };
        let key = self.key(list);
        if let Some(rows) = self.seen.find(key)
            && let Some(next) = token(rest, self.shape.list)
        {
            return Found::Page((rows.to_vec(), next));
        }
        match parse() {
            Some(mut page) => {
                self.seen.keep(key, &mut page.0);
                Found::Page(page)
            }
            None if self.shape.parse.is_none() => Found::Unread(key),
            None => Found::Nothing,
        }
    }

    fn key(&self, list: &[u8]) -> Key {
        let mut hash = Xxh3::new();
        hash.update(self.subject.as_bytes());
        // No subject ends so: the subject and the list do not run into each other.
        hash.update(b"\0");
        hash.update(list);
        hash.digest128()
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found<T>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of the list, and what follows it.
fn apart(body: &[u8], list: Extent) -> Option<(&[u8], &[u8])> {
    let Extent::Element { name, .. } = list else { return Some((body, &[])) };
    let from = memmem::find(body, format!("<{name}>").as_bytes())?;
    let end = format!("</{name}>");
    let to = memmem::rfind(body, end.as_bytes())? + end.len();
    Some((body.get(from..to)?, body.get(to..)?))
}

/// The token in what follows a list; none where it cannot be told, or where the answer ends too early.
fn token(rest: &[u8], list: Extent) -> Option<Option<String>> {
    let Extent::Element { token, .. } = list else { return Some(None) };
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

    #[test]
    fn a_list_that_ends_without_its_answer_has_no_known_token() {
        const LIST: Extent = Extent::Element { name: "reservationSet", token: "nextToken" };
        let token = |rest: &[u8]| token(rest, LIST);
        assert_eq!(
            token(b"<nextToken>a</nextToken></DescribeInstancesResponse>\n"),
            Some(Some("a".to_owned()))
        );
        assert_eq!(token(b"</DescribeInstancesResponse>"), Some(None));
        for unclear in ["", "<nextToken>a</next", "<nextToken>a&amp;</nextToken></DescribeInstancesResponse>"]
        {
            assert_eq!(token(unclear.as_bytes()), None, "{unclear}");
        }
    }
}
