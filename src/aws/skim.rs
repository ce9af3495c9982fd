//! An answer as it comes: what of its list is known already is passed over, the rest is kept.
//!
//! A page of a thousand instances takes two megabytes. To hold them as they came from the line and once more in one
//! piece, four times a minute, was a fifth of what an idle screen took of a processor, most of it for memory that is
//! touched for the first time. So an answer is compared while it comes; of one that has not changed nothing is kept but
//! what stands around its list.

use super::seen::{Key, Lasting, Seen};
use super::trail::{FIRST, Trail, key};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::{Error, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame};
use memchr::memmem;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A list begins within so many bytes of its answer, or is not looked for any more.
const HEAD: usize = 4 << 10;

/// What has come of an answer.
pub(super) struct Skim<T: Lasting> {
    seen: Arc<Seen<T>>,
    subject: String,
    /// The tag that opens the list.
    open: String,
    /// What is kept: an answer with less in its list.
    kept: Vec<u8>,
    /// Where the list begins in it, and what its page is found by.
    list: Option<(usize, Option<Key>)>,
    state: State<T>,
}

enum State<T> {
    /// The beginning of the list has not come yet.
    Head,
    /// The list has been as it was for so many pieces; what has come of the next one waits.
    Known { trail: Arc<Trail<T>>, pieces: usize, waiting: Vec<u8> },
    /// Nothing more is known.
    Rest { known: Option<(Arc<Trail<T>>, usize)> },
}

/// What a list is known to begin with.
pub(super) struct Skimmed<T> {
    /// Where the list begins in what was kept.
    pub(super) from: usize,
    /// What the page is found by.
    pub(super) key: Key,
    /// The page that it was compared with, and how many pieces of it have come again.
    pub(super) known: Option<(Arc<Trail<T>>, usize)>,
}

impl<T: Lasting> Skim<T> {
    /// Before the first byte of an answer about `subject`, whose list is in an element called `list`.
    pub(super) fn new(seen: Arc<Seen<T>>, subject: &str, list: &str) -> Self {
        let (subject, open) = (subject.to_owned(), format!("<{list}>"));
        Self { seen, subject, open, kept: Vec::new(), list: None, state: State::Head }
    }

    /// Takes what comes next.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        if matches!(self.state, State::Head) {
            self.kept.extend_from_slice(bytes);
            return self.begin(false);
        }
        while let State::Known { trail, pieces, waiting } = &mut self.state {
            let Some(length) = trail.length(*pieces) else {
                self.rest();
                break;
            };
            let missing = length.saturating_sub(waiting.len());
            let Some((more, after)) = bytes.split_at_checked(missing) else {
                waiting.extend_from_slice(bytes);
                return;
            };
            // What lies in one stretch is compared where it lies.
            let is_known = if waiting.is_empty() {
                trail.is(*pieces, more)
            } else {
                waiting.extend_from_slice(more);
                bytes = after;
                trail.is(*pieces, waiting)
            };
            if !is_known {
                self.rest();
                break;
            }
            if waiting.is_empty() {
                bytes = after;
            }
            waiting.clear();
            *pieces += 1;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// Looks for the list's beginning, and for a page that began so. At the `end` of an answer it is as long as it is.
    fn begin(&mut self, is_end: bool) {
        if self.list.is_none() {
            let head = self.kept.get(..HEAD).unwrap_or(&self.kept);
            let at = memmem::find(head, self.open.as_bytes());
            self.list = at.map(|at| (at + self.open.len(), None));
        }
        let Some((from, found_by)) = &mut self.list else {
            if self.kept.len() >= HEAD {
                self.state = State::Rest { known: None };
            }
            return;
        };
        let from = *from;
        let list = self.kept.get(from..).unwrap_or_default();
        let Some(first) = list.get(..FIRST).or(is_end.then_some(list)) else { return };
        let key = key(&self.subject, first);
        *found_by = Some(key);
        let Some(trail) = self.seen.peek(key) else {
            self.state = State::Rest { known: None };
            return;
        };
        self.state = State::Known { trail, pieces: 0, waiting: Vec::new() };
        let list = self.kept.split_off(from);
        self.take(&list);
    }

    /// Keeps what waits, and all that comes.
    fn rest(&mut self) {
        let known = match std::mem::replace(&mut self.state, State::Head) {
            State::Head => None,
            State::Rest { known } => known,
            State::Known { trail, pieces, waiting } => {
                self.kept.extend_from_slice(&waiting);
                Some((trail, pieces))
            }
        };
        self.state = State::Rest { known };
    }

    /// The answer has ended: what was kept of it, and what was not.
    pub(super) fn end(mut self) -> (Vec<u8>, Option<Skimmed<T>>) {
        if matches!(self.state, State::Head) {
            self.begin(true);
        }
        self.rest();
        let State::Rest { known } = self.state else { return (self.kept, None) };
        let skimmed = self.list.and_then(|(from, key)| Some(Skimmed { from, key: key?, known }));
        (self.kept, skimmed)
    }
}

/// Puts an answer's body through a skim, and says at its end what came of it. The body that is left comes in one piece, which
/// nobody need copy.
pub(super) fn skim<T: Lasting>(
    response: &mut HttpResponse,
    skim: Skim<T>,
    done: impl FnOnce(Option<Skimmed<T>>) + Send + Sync + 'static,
) {
    let inner = std::mem::replace(response.body_mut(), SdkBody::taken());
    let skimming = Some((skim, Box::new(done) as Done<T>));
    *response.body_mut() = SdkBody::from_body_1_x(Skimming { inner, skimming, last: None });
}

type Done<T> = Box<dyn FnOnce(Option<Skimmed<T>>) + Send + Sync>;

struct Skimming<T: Lasting> {
    inner: SdkBody,
    skimming: Option<(Skim<T>, Done<T>)>,
    /// What follows a body, which comes behind it.
    last: Option<Frame<Bytes>>,
}

impl<T: Lasting> fmt::Debug for Skimming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skimming").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<T: Lasting> Body for Skimming<T> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while self.skimming.is_some() {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => match (frame.into_data(), &mut self.skimming) {
                    (Ok(bytes), Some((skim, _))) => skim.take(&bytes),
                    (Ok(_), None) => {}
                    (Err(last), _) => self.last = Some(last),
                },
                Some(Err(broken)) => return Poll::Ready(Some(Err(broken))),
                None => {
                    let Some((skim, done)) = self.skimming.take() else { break };
                    let (kept, skimmed) = skim.end();
                    done(skimmed);
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from(kept)))));
                }
            }
        }
        Poll::Ready(self.last.take().map(Ok))
    }
}
