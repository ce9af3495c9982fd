//! The process that runs an operation: deaf to the terminal's end, and gone when the operation is over.

use super::{Follow, Place, RunArgs, ended, follow, who};
use crate::cli::Outside;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::reach::{self, Reach, Tools};
use crate::cli::tunnel::Signals;
use crate::clock::{Clock, monotonic};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Scope;
use crate::ops::census::Lists;
use crate::ops::{self, Edge, Start, Timer};
use crate::store::journal::{Journal, Ledger};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// `coredeck op run`
pub(super) async fn run(
    args: &RunArgs,
    place: &Place,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let signals = |why: std::io::Error| Error::failed("cannot listen for signals").because(why);
    let mut hangup = signal(SignalKind::hangup()).map_err(signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let stop = CancellationToken::new();
    let journal = place.open()?;
    let op = ops::read(&journal, &args.id)?;
    let reach = reach::open_unguarded(global, outside, out).await?;
    let start = Start { who: who(outside), home: args.home.clone(), force: args.force };
    let edge = edge(&op, &reach.tools()?, journal, stop.clone())?;
    let running = ops::run(&edge, &op.record.id, &start);
    tokio::pin!(running);
    loop {
        tokio::select! {
            done = &mut running => {
                let op = done?;
                out.say(&format!("operation {} {}", op.record.id, op.ended.map_or("is left", |(end, _)| end.word())));
                return ended(&op);
            }
            // The terminal that started it is gone: it goes on.
            _ = hangup.recv() => {}
            _ = interrupt.recv() => stop.cancel(),
            _ = terminate.recv() => stop.cancel(),
        }
    }
}

/// Runs an operation in this process and follows it: for a demo, whose fleet ends with the process.
pub(crate) async fn run_here(
    id: &str,
    reach: &Reach,
    journal: Journal,
    how: &Follow,
    signals: Signals,
    out: &mut Output,
) -> Result<()> {
    let file = journal.file().to_path_buf();
    let op = ops::read(&journal, id)?;
    let stop = CancellationToken::new();
    let edge = edge(&op, &reach.tools()?, Journal::open(&file)?, stop.clone())?;
    let start = Start { who: op.record.who.clone(), home: "here".to_owned(), force: false };
    let followed = async {
        let seen = follow(&journal, id, how, signals, reach.clock(), out).await;
        // Whoever does not wait for its end ends it with the demo.
        stop.cancel();
        seen
    };
    let (ran, seen) = tokio::join!(ops::run(&edge, id, &start), followed);
    ran?;
    if let Some(folder) = file.parent() {
        // A demo leaves nothing behind; what cannot be removed lies among the temporary files.
        let _ = std::fs::remove_dir_all(folder);
    }
    seen
}

/// Runs an operation in this process to its end, or until it is told to stop: for the screen of a demo.
pub(crate) async fn run_quietly(
    id: &str,
    tools: &Tools,
    file: &std::path::Path,
    is_forced: bool,
    stop: CancellationToken,
) -> Result<()> {
    let journal = Journal::open(file)?;
    let op = ops::read(&journal, id)?;
    let start = Start { who: op.record.who.clone(), home: "here".to_owned(), force: is_forced };
    let edge = edge(&op, tools, journal, stop)?;
    ops::run(&edge, id, &start).await.map(|_| ())
}

fn edge(op: &ops::OpState, tools: &Tools, journal: Journal, stop: CancellationToken) -> Result<Edge> {
    let hands = tools.hands.clone();
    let writer = hands.writer.ok_or_else(|| {
        Error::new(ErrorKind::Refused, "coredeck is in read-only mode, and an operation changes something")
    })?;
    let mut scopes: Vec<Scope> = op.plan.accounts.iter().map(|account| account.scope.clone()).collect();
    scopes.dedup();
    let bell = journal.listen(&op.record.id);
    Ok(Edge {
        probe: hands.probe,
        writer,
        ledger: Arc::new(journal) as Arc<dyn Ledger>,
        census: Arc::new(Lists {
            reader: Arc::clone(&tools.reader),
            scopes,
            tiers: tools.config.tiers.clone(),
        }),
        timer: timer(tools.clock),
        bell,
        stop,
    })
}

/// A timer that goes by this clock.
pub(crate) fn timer(clock: Clock) -> Arc<dyn Timer> {
    Arc::new(Watch { begun: clock.now(), at: monotonic(), clock })
}

/// A clock that is read once and then runs by itself: setting the machine's clock moves no deadline.
struct Watch {
    begun: Timestamp,
    at: Instant,
    clock: Clock,
}

impl Timer for Watch {
    fn now(&self) -> Timestamp {
        match self.clock {
            Clock::Fixed(_) | Clock::Led(_) => self.clock.now(),
            Clock::Real => {
                let ran = SignedDuration::try_from(monotonic().duration_since(self.at)).unwrap_or_default();
                self.begun.saturating_add(ran).unwrap_or(Timestamp::MAX)
            }
        }
    }

    fn until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let span = at.duration_since(self.now());
        tokio::time::sleep(span.try_into().unwrap_or_default()).boxed()
    }
}
