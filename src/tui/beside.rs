//! What is done beside the thread that draws.
//!
//! That thread has a runtime of its own (`cli::screen`): it waits for its keys itself. In a runtime of several threads it
//! would be told of them by one of the others, whichever comes to look, and while all of these read lists none does: a key
//! lay there for up to 40 ms.

use crate::error::{Error, Result};
use crate::logs::Sought;
use crate::ops::counter::{Aside, Declined, Inside};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What comes of work: nothing where the work failed.
pub(super) type Coming<T> = oneshot::Receiver<Box<T>>;

/// A session, or why there is none.
pub(super) type Opening = std::result::Result<Box<dyn Inside>, Declined>;

/// The runtime that reads the fleet. Its threads give way to the one that draws (`cli::priority`).
#[derive(Clone, Debug)]
pub(super) struct Beside(Handle);

impl Beside {
    pub(super) fn new(runtime: Handle) -> Self {
        Self(runtime)
    }

    /// Does what nobody at the keys waits for, on a thread that gives way.
    pub(super) fn patiently<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Coming<T> {
        let (work, told) = telling(work);
        drop(self.0.spawn_blocking(work));
        told
    }

    /// Opens a session.
    pub(super) fn open(&self, aside: &Arc<dyn Aside>, of: Sought) -> JoinHandle<Opening> {
        self.0.spawn(aside.open(of))
    }

    /// Ends the session that nobody waits for any more, once it is there.
    pub(super) fn leave(&self, opening: JoinHandle<Opening>) {
        let leave = async {
            if let Ok(Ok(inside)) = opening.await {
                inside.give_up().await;
            }
        };
        drop(self.0.spawn(leave));
    }

    /// Does something on this thread, whose priority the programs that it starts have. What it leaves behind, as connections
    /// that are kept for the next call, lives over there and not here, where nobody looks after it once this is done.
    pub(super) async fn with<T>(&self, mut work: BoxFuture<'static, T>) -> T {
        poll_fn(|context| {
            let _there = self.0.enter();
            work.poll_unpin(context)
        })
        .await
    }
}

/// Does what somebody waits for on a thread like this one, which gives way to nobody.
pub(super) fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Coming<T>> {
    let (work, told) = telling(work);
    std::thread::Builder::new()
        .name("rows".to_owned())
        .spawn(work)
        .map_err(|why| Error::failed("no thread could be started to look through the rows").because(why))?;
    Ok(told)
}

/// Work that tells what came of it, and who is told. Nobody may be there any more who wants to know.
fn telling<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> (impl FnOnce() + Send + 'static, Coming<T>) {
    let (tell, told) = oneshot::channel();
    (move || drop(tell.send(Box::new(work()))), told)
}
