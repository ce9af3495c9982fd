//! An operation followed through the journal: by bars on a terminal, by lines elsewhere, by JSON for programs.

use super::{Place, Toward, WatchArgs, ended, standing_json, still_running};
use crate::cli::Outside;
use crate::cli::bars::Bars;
use crate::cli::begin::Form;
use crate::cli::output::Output;
use crate::cli::tunnel::Signals;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::text::harmless;
use crate::ops::event::Event;
use crate::ops::progress::{Progress, Standing, line};
use crate::ops::{self, OpState};
use crate::store::journal::{Journal, Ledger};
use rustix::process::Signal;
use std::time::Duration;

/// How often is looked when no bell rings: a runner that dies rings none.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How an operation is followed.
pub(crate) struct Follow {
    /// By a program.
    pub(crate) is_json: bool,
    /// For how long at most.
    pub(crate) within: Option<Duration>,
}

/// `coredeck op watch`
pub(super) async fn run(args: &WatchArgs, place: &Place, outside: &Outside, out: &mut Output) -> Result<()> {
    let within = args.timeout.as_deref().map(|typed| {
        crate::config::parse_span(typed).map_err(|why| Error::usage(format!("--timeout {typed}: {why}")))
    });
    let how = Follow { is_json: args.one.output == Form::Json, within: within.transpose()? };
    let journal = place.open()?;
    let id = journal.op(&args.one.id)?.id;
    follow(&journal, &id, &how, Signals::new()?, outside.clock, out).await
}

/// Follows an operation to its end, or until one of these signals comes: then it goes on without us.
pub(in crate::cli) async fn follow(
    journal: &Journal,
    id: &str,
    how: &Follow,
    mut signals: Signals,
    clock: Clock,
    out: &mut Output,
) -> Result<()> {
    let bell = journal.watch();
    let limit = tokio::time::sleep(how.within.unwrap_or(Duration::from_secs(u32::MAX.into())));
    tokio::pin!(limit);
    let mut op = ops::read(journal, id)?;
    let mut told = Teller::new(how.is_json, out);
    let mut since = 0;
    loop {
        // First whether it lives: a runner that comes to its end writes so, and then lives no more.
        let lives = journal.runner(id)?.is_some_and(|(_, lives)| lives);
        for entry in journal.entries(id, since)? {
            since = entry.seq;
            if entry.seq > op.last_seq {
                op.take(&entry);
            }
            if let Ok(event) = serde_json::from_str::<Event>(&entry.body) {
                told.event(&op, &entry, &event, out)?;
            }
        }
        let progress = Progress::of(&op, lives, clock.now());
        told.standing(&progress);
        // A runner that has written its end gives its targets back next, and rings: whoever goes on with them at once
        // shall find them free.
        if op.ended.is_some() && !lives {
            told.close();
            if how.is_json {
                out.data(&(standing_json(&progress) + "\n"))?;
            } else {
                progress.commit.iter().for_each(|commit| out.say(&commit.said()));
            }
            return ended(&op);
        }
        if progress.standing == Standing::Orphaned {
            told.close();
            return Err(orphaned(&op));
        }
        tokio::select! {
            () = bell.rings() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = &mut limit => {
                told.close();
                return Err(still_running(id, Toward::of(progress.standing)));
            }
            came = signals.next() => {
                told.close();
                let running = still_running(id, Toward::of(progress.standing));
                let kind = if came == Signal::INT { ErrorKind::Interrupted } else { running.kind };
                return Err(Error { kind, ..running });
            }
        }
    }
}

fn orphaned(op: &OpState) -> Error {
    let id = &op.record.id;
    let why = op.left.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    Error::new(ErrorKind::PartWay, format!("the runner of operation {id} is gone{why}"))
        .hint(format!("coredeck op resume {id} goes on where it stopped"))
        .hint(format!("coredeck op rollback {id} undoes what it did"))
}

/// Says what happens.
enum Teller {
    /// To a program, as lines of JSON.
    Program,
    /// To a person, by lines.
    Lines,
    /// To a person, by bars.
    Bars(Box<Bars>),
}

impl Teller {
    fn new(is_json: bool, out: &Output) -> Self {
        if is_json {
            Self::Program
        } else if out.is_attended {
            Self::Bars(Box::new(Bars::new()))
        } else {
            Self::Lines
        }
    }

    fn event(
        &mut self,
        op: &OpState,
        entry: &crate::store::journal::Entry,
        event: &Event,
        out: &mut Output,
    ) -> Result<()> {
        match self {
            Self::Program => out.data(&(super::export::record(entry) + "\n")),
            Self::Lines => {
                out.say(&format!("{:.0}  {}", entry.at, harmless(&line(op, event))));
                Ok(())
            }
            Self::Bars(_) => Ok(()),
        }
    }

    fn standing(&mut self, progress: &Progress) {
        if let Self::Bars(bars) = self {
            bars.show(progress);
        }
    }

    fn close(&mut self) {
        if let Self::Bars(bars) = self {
            bars.close();
        }
    }
}
