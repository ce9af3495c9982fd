//! Signals while there may be sessions: these are ended first, and then a signal does what it does where nobody listens.
//!
//! Whoever once listened for a signal has taken its usual action from it for the rest of the process. So somebody listens
//! as long as sessions may be open, also while the thread that runs a command waits for a person at a prompt.

use super::Tunnels;
use crate::error::{Error, Result};
use crate::store::CallBook;
use rustix::process::{Signal, getpid, kill_process};
use std::sync::Arc;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The signals that end a program.
pub(in crate::cli) struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub(in crate::cli) fn new() -> Result<Self> {
        let of = |kind: SignalKind| {
            signal(kind).map_err(|why| Error::failed("cannot listen for signals").because(why))
        };
        Ok(Self {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
            hangup: of(SignalKind::hangup())?,
        })
    }

    /// The next of them.
    pub(in crate::cli) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hangup.recv() => Signal::HUP,
        }
    }
}

impl Tunnels {
    /// Lets a signal end all sessions, and then the process. It keeps no port open, and gives way when what is returned
    /// is dropped; once a signal has come it does not any more.
    pub(in crate::cli) fn guard(&self, mut signals: Signals, book: Option<&Arc<CallBook>>) -> DropGuard {
        let (ports, book) = (Arc::downgrade(&self.0), book.map(Arc::downgrade));
        let lets_go = CancellationToken::new();
        let let_go = lets_go.clone();
        tokio::spawn(async move {
            let came = tokio::select! {
                biased;
                () = let_go.cancelled() => return,
                came = signals.next() => came,
            };
            if let Some(ports) = ports.upgrade() {
                ports.over.cancel();
                ports.close_all().await;
            }
            // After that: the calls that end sessions are recorded too.
            if let Some(book) = book.and_then(|book| book.upgrade()) {
                book.close();
            }
            end_by(came);
        });
        lets_go.drop_guard()
    }
}

/// Ends the process as this signal does where nobody listens: a shell tells it as 128 and its number.
fn end_by(came: Signal) {
    #[expect(
        unsafe_code,
        reason = "the runtime never gives a signal its usual action back, and only libc does"
    )]
    // SAFETY: it takes two numbers, and the usual action runs no code and touches no memory of ours. That it cannot fail
    // for these signals is why its answer changes nothing.
    let _ = unsafe { libc::signal(came.as_raw(), libc::SIG_DFL) };
    if let Err(why) = kill_process(getpid(), came) {
        tracing::warn!(%why, "a signal could not be passed on");
    }
}
