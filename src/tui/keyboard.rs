//! The terminal's side that is read: bytes from stdin as what they mean, in the order they came.
//!
//! Nothing is read ahead of whoever asks, so what comes while the screen is closed stays with the terminal.

use super::decode::{Decoder, Heard};
use crate::clock::monotonic;
use crate::error::{Error, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use std::collections::VecDeque;
use std::io::{Stdin, stdin};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout_at;

/// How long the rest of a sequence may take after its escape, before the escape is a key by itself. Long
/// enough for a packet that a bad line cut in two, too short to be felt.
const ESCAPE: Duration = Duration::from_millis(50);

/// Bytes that are read at once: a full queue of the line discipline.
const CHUNK: usize = 4096;

/// Whoever reads what is typed.
pub(super) struct Keyboard {
    input: AsyncFd<Stdin>,
    decoder: Decoder,
    heard: VecDeque<Heard>,
    /// When what was begun is given up.
    until: Option<Instant>,
}

impl Keyboard {
    pub(super) fn new() -> Result<Self> {
        // Deprecated because a descriptor may be closed under it: nobody closes stdin here.
        #[allow(deprecated)]
        let input = AsyncFd::with_interest(stdin(), Interest::READABLE)
            .map_err(|error| Error::failed("the terminal cannot be read").because(error))?;
        Ok(Self { input, decoder: Decoder::default(), heard: VecDeque::new(), until: None })
    }

    /// The next thing that is heard. May be dropped while it waits without losing anything.
    pub(super) async fn next(&mut self) -> Result<Heard> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            let readable = self.input.readable();
            let ready = match self.until {
                Some(until) => timeout_at(until.into(), readable).await,
                None => Ok(readable.await),
            };
            let Ok(ready) = ready else {
                self.until = None;
                let heard = self.decoder.give_up();
                self.heard.extend(heard);
                continue;
            };
            let mut ready =
                ready.map_err(|error| Error::failed("the terminal cannot be read").because(error))?;
            while is_readable()? {
                let mut bytes = [0; CHUNK];
                let count = match read(stdin(), &mut bytes) {
                    Ok(0) | Err(Errno::IO) => {
                        return Err(Error::new(ErrorKind::Interrupted, "the terminal is gone"));
                    }
                    Ok(count) => count,
                    Err(Errno::INTR | Errno::AGAIN) => continue,
                    Err(error) => return Err(Error::failed("the terminal cannot be read").because(error)),
                };
                self.heard.extend(self.decoder.feed(bytes.get(..count).unwrap_or_default()));
                self.until = self.decoder.waits().then(|| monotonic() + ESCAPE);
            }
            ready.clear_ready();
        }
    }

    /// Waits until everything that was asked is answered, no longer than this: an answer that comes later would
    /// be typed into the shell. What else is heard meanwhile was typed too late.
    pub(super) async fn hear_out(&mut self, within: Duration) {
        let until = monotonic() + within;
        while let Ok(Ok(heard)) = timeout_at(until.into(), self.next()).await {
            if heard == Heard::Attributes {
                return;
            }
        }
    }

    /// What was heard already, without waiting.
    pub(super) fn at_hand(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }
}

fn is_readable() -> Result<bool> {
    let input = stdin();
    let mut fds = [PollFd::new(&input, PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec::default())) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(Error::failed("the terminal cannot be read").because(error)),
    }
}
