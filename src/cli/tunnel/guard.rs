//! Signals while there may be sessions: these are ended first, and then a signal does what it does where nobody listens.
//!
//! Whoever once listened for a signal has taken its usual action from it for the rest of the process. So somebody listens
//! as long as sessions may be open, also while the thread that runs a command waits for a person at a prompt.

use super::Tunnels;
use crate::error::{Error, Result};
use crate::store::CallBook;
use rustix::process::{Signal, getpid, kill_process};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// So long a signal may take to end the process.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

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

/// Whoever ends all sessions, and then the process, when a signal comes. It gives way when it is dropped; once a signal
/// has come it does not any more.
pub(in crate::cli) struct Guard {
    lets_go: CancellationToken,
    /// Whether a signal has come, and the process goes on all the same.
    task: JoinHandle<bool>,
}

impl Guard {
    /// Makes it give way, and waits until it has. Where a signal came first the process ends meanwhile, as a rule: whether
    /// it should have.
    pub(in crate::cli) async fn let_go(mut self) -> bool {
        self.lets_go.cancel();
        (&mut self.task).await.unwrap_or(false)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lets_go.cancel();
    }
}

impl Tunnels {
    /// Whether the sessions are being ended.
    pub(in crate::cli) fn are_ending(&self) -> bool {
        self.0.over.is_cancelled()
    }

    /// Lets a signal end all sessions, and then the process. It keeps no port open.
    pub(in crate::cli) fn guard(&self, mut signals: Signals, book: Option<&Arc<CallBook>>) -> Guard {
        let (ports, book) = (Arc::downgrade(&self.0), book.map(Arc::downgrade));
        let lets_go = CancellationToken::new();
        let let_go = lets_go.clone();
        let task = tokio::spawn(async move {
            // A signal first: whoever listens next may not have heard it.
            let came = tokio::select! {
                biased;
                came = signals.next() => came,
                () = let_go.cancelled() => return false,
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
            // Another thread may take it; and whoever is the first process of a container is not ended by it at all.
            tokio::time::sleep(TAKEN_WITHIN).await;
            true
        });
        Guard { lets_go, task }
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
