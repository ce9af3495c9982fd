//! `coredeck op`: operations seen and steered through the journal, whoever runs them.

mod ask;
mod export;
mod list;
mod runner;
mod spawn;
mod watch;

use super::Outside;
use super::args::Global;
use super::begin::Form;
use super::output::Output;
use crate::clock::Clock;
use crate::config::Surroundings;
use crate::error::{Error, ErrorKind, Result};
use crate::ops::progress::{Progress, Standing};
use crate::ops::{self, Verb};
use crate::store::journal::{Journal, Ledger, OpRecord, Who};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

pub(super) use ask::{ask, request};
pub(super) use runner::{run_here, run_quietly, timer};
pub(super) use spawn::start;
pub(super) use watch::{Follow, follow};

/// `coredeck op`
#[derive(Debug, Subcommand)]
pub(super) enum OpCommand {
    /// List operations, newest first
    List(ListArgs),
    /// Show one operation with its targets
    Show(OneArgs),
    /// Follow one operation to its end
    Watch(WatchArgs),
    /// Make no more calls until resumed
    Pause(AskArgs),
    /// Go on with an operation that is paused, or whose runner is gone
    Resume(AskArgs),
    /// Begin no more targets, and leave those begun as they are
    Cancel(AskArgs),
    /// Take an operation over from a runner that does not answer
    Takeover(AskArgs),
    /// Undo what an operation did
    Rollback(RollbackArgs),
    /// Show everything that was recorded of one operation
    Log(OneArgs),
    /// Write every operation and record, one JSON object a line
    Export,
    /// Follow the chain of records and say whether any was changed
    Verify,
    /// Run an operation in this process
    #[command(hide = true)]
    Run(RunArgs),
}

/// `coredeck op list`
#[derive(Args, Clone, Debug)]
pub(super) struct ListArgs {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) limit: usize,
    /// Only those that are not over
    #[arg(long)]
    pub(super) open: bool,
    /// How to write them
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    pub(super) output: Form,
}

/// One operation.
#[derive(Args, Clone, Debug)]
pub(super) struct OneArgs {
    /// Its id, or the beginning of it
    pub(super) id: String,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    pub(super) output: Form,
}

/// `coredeck op watch`
#[derive(Args, Clone, Debug)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    pub(super) one: OneArgs,
    /// Wait at most so long, then return with 7: 90s, 10m
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
}

/// What is asked of an operation.
#[derive(Args, Clone, Debug)]
pub(super) struct AskArgs {
    #[command(flatten)]
    pub(super) one: OneArgs,
    /// Why: kept in the journal
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Return at once instead of following it
    #[arg(long)]
    pub(super) detach: bool,
}

/// `coredeck op rollback`
#[derive(Args, Clone, Debug)]
pub(super) struct RollbackArgs {
    /// Its id, or the beginning of it
    pub(super) id: String,
    #[command(flatten)]
    pub(super) manner: super::begin::Manner,
}

/// `coredeck op run`
#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    pub(super) id: String,
    #[arg(long, default_value = "here")]
    pub(super) home: String,
    #[arg(long)]
    pub(super) force: bool,
}

impl OpCommand {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        match self {
            Self::List(args) => args.output == Form::Json,
            Self::Show(args) | Self::Log(args) => args.output == Form::Json,
            Self::Watch(args) => args.one.output == Form::Json,
            Self::Pause(args) | Self::Resume(args) | Self::Cancel(args) | Self::Takeover(args) => {
                args.one.output == Form::Json
            }
            Self::Rollback(args) => args.manner.is_json(),
            Self::Export => true,
            Self::Verify | Self::Run(_) => false,
        }
    }
}

/// Runs the command.
pub(super) fn run(command: &OpCommand, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let place = Place::find(global, outside)?;
    match command {
        OpCommand::List(args) => list::list(args, &place, outside, out),
        OpCommand::Show(args) => list::show(args, &place, outside, out),
        OpCommand::Log(args) => list::log(args, &place, out),
        OpCommand::Export => export::export(&place, out),
        OpCommand::Verify => export::verify(&place, out),
        OpCommand::Watch(args) => super::block_on(watch::run(args, &place, outside, out)),
        OpCommand::Pause(args) => super::block_on(ask::run(Verb::Pause, args, &place, outside, out)),
        OpCommand::Resume(args) => super::block_on(ask::run(Verb::Resume, args, &place, outside, out)),
        OpCommand::Cancel(args) => super::block_on(ask::run(Verb::Cancel, args, &place, outside, out)),
        OpCommand::Takeover(args) => super::block_on(ask::run(Verb::Takeover, args, &place, outside, out)),
        OpCommand::Rollback(args) => super::block_on(ask::rollback(args, &place, global, outside, out)),
        OpCommand::Run(args) => {
            // Away from the terminal that started it, before anything else: its end must not be ours.
            let _ = rustix::process::setsid();
            super::block_on(runner::run(args, &place, global, outside, out))
        }
    }
}

/// Where the journal is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its file.
    pub(super) file: PathBuf,
}

impl Place {
    /// Where the journal of this run is: `COREDECK_JOURNAL`, or among the user's data. A demo has one of its
    /// own, which ends with it.
    pub(super) fn find(global: &Global, outside: &Outside) -> Result<Self> {
        let around: &Surroundings = &outside.around;
        if global.demo {
            let folder = std::env::temp_dir().join(format!("coredeck-demo-{}", std::process::id()));
            return Ok(Self { file: folder.join("journal.db") });
        }
        if let Some(file) = around.var("COREDECK_JOURNAL") {
            return Ok(Self { file: PathBuf::from(file) });
        }
        let folder = around.data_folder.as_ref().ok_or_else(|| {
            Error::failed("there is no home folder, so nobody knows where the journal is")
                .hint("name it: COREDECK_JOURNAL=/var/lib/coredeck/journal.db")
        })?;
        Ok(Self { file: folder.join("coredeck").join("journal.db") })
    }

    /// Opens it, and makes it where there is none.
    pub(super) fn open(&self) -> Result<Journal> {
        Ok(Journal::open(&self.file)?)
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    /// Where the runner of an operation logs to.
    pub(super) fn log(&self, id: &str) -> PathBuf {
        self.folder().join("logs").join(format!("{id}.log"))
    }
}

/// Who acts here, as far as the machine tells.
pub(super) fn who(outside: &Outside) -> Who {
    let around = &outside.around;
    let named = |names: &[&str]| names.iter().find_map(|name| around.var(name)).map(str::to_owned);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let terminal = named(&["SSH_TTY"]).or_else(|| {
        let link = std::fs::read_link("/dev/fd/0").ok()?;
        let link = link.to_string_lossy().into_owned();
        (link.starts_with("/dev/") && link != "/dev/null").then_some(link)
    });
    Who {
        user: named(&["SUDO_USER", "USER", "LOGNAME"])
            .unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw())),
        host,
        terminal,
        from: named(&["SSH_CONNECTION", "SSH_CLIENT"])
            .and_then(|text| text.split(' ').next().map(str::to_owned)),
        principal: None,
    }
}

/// Where an operation goes that nobody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toward {
    /// To its end.
    There,
    /// To the end of what it began.
    Stop,
    /// Back to what was before.
    Back,
}

impl Toward {
    /// Where what is asked makes it go.
    fn after(verb: Verb) -> Self {
        match verb {
            Verb::Rollback => Self::Back,
            Verb::Cancel => Self::Stop,
            _ => Self::There,
        }
    }

    /// Where it goes by itself.
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::RollingBack => Self::Back,
            Standing::Cancelling => Self::Stop,
            _ => Self::There,
        }
    }

    /// What can be asked of it meanwhile, as it is typed.
    fn steers(self, id: &str) -> Option<String> {
        match self {
            Self::There => {
                Some(format!("coredeck op pause {id}, op cancel {id} or op rollback {id} steer it"))
            }
            Self::Stop => Some(format!("coredeck op rollback {id} takes back what it did instead")),
            Self::Back => None,
        }
    }
}

/// The end of those who did not wait for it: only what it still listens to is named.
pub(super) fn still_running(id: &str, toward: Toward) -> Error {
    let how = match toward {
        Toward::There => "goes on",
        Toward::Stop => "ends what it began",
        Toward::Back => "takes back what it did",
    };
    let error =
        Error::new(ErrorKind::Running, format!("operation {id} {how}, whether somebody looks or not"))
            .hint(format!("coredeck op watch {id} follows it to its end"));
    match toward.steers(id) {
        Some(steers) => error.hint(steers),
        None => error,
    }
}

/// An operation, and whether a runner has it. That is asked first: a runner that comes to its end writes so, and then
/// lives no more.
fn seen(journal: &dyn Ledger, id: &str) -> Result<(ops::OpState, bool)> {
    let id = journal.op(id)?.id;
    let lives = journal.runner(&id)?.is_some_and(|(_, lives)| lives);
    Ok((ops::read(journal, &id)?, lives))
}

/// How an operation stands.
pub(super) fn progress(journal: &dyn Ledger, id: &str, clock: Clock) -> Result<Progress> {
    let (op, lives) = seen(journal, id)?;
    Ok(Progress::of(&op, lives, clock.now()))
}

/// Writes how an operation stands, for a program.
pub(super) fn say_standing(journal: &dyn Ledger, id: &str, clock: Clock, out: &mut Output) -> Result<()> {
    let progress = progress(journal, id, clock)?;
    out.data(&(standing_json(&progress) + "\n"))
}

/// How an operation stands, as one line of JSON.
pub(super) fn standing_json(progress: &Progress) -> String {
    let mut told = serde_json::to_value(progress).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("schema".to_owned(), "coredeck.operation.v1".into());
    }
    super::json::line(&told)
}

/// The error by which a script learns how an operation ended; none when it is done.
pub(super) fn ended(op: &ops::OpState) -> Result<()> {
    let Some(kind) = ops::run::verdict(op) else { return Ok(()) };
    let id = &op.record.id;
    let word = op.ended.map_or("over", |(outcome, _)| outcome.word());
    let mut error = Error::new(kind, format!("operation {id} {word}"));
    for (number, lane) in op.lanes.iter().enumerate() {
        if let ops::Phase::Over(end) = lane.phase
            && end != ops::End::Done
        {
            let name = op.plan.lanes.get(number).map_or("", |lane| lane.name.as_str());
            let why = ops::progress::ended(op, number);
            let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
            error.message.push_str(&format!("\n{name}: {}{why}", end.word()));
        }
    }
    let left: Vec<&str> = op
        .lanes
        .iter()
        .zip(&op.plan.lanes)
        .filter(|(lane, _)| lane.phase != ops::Phase::Over(ops::End::Done))
        .map(|(_, plan)| plan.target.as_str())
        .collect();
    if !left.is_empty() && op.plan.intent.verb != ops::rollback::VERB {
        // What a rollout does to templates is done for its groups: those are what can be typed.
        let intent = &op.plan.intent;
        let of_groups = intent.verb == "rollout";
        let typed: Vec<&str> = intent.targets.iter().map(String::as_str).collect();
        let targets = if of_groups { typed } else { left };
        let bare = ops::Options { on_timeout: intent.options.on_timeout, ..ops::Options::default() };
        let more = if intent.options == bare { "" } else { ", with the options of before" };
        error = error.hint(format!("to go on: coredeck {} {}{more}", intent.verb, targets.join(" ")));
    }
    if let Some(command) = ops::rollback::command(op).filter(|_| kind == ErrorKind::PartWay) {
        let stuck: Vec<&str> = op
            .lanes
            .iter()
            .zip(&op.plan.lanes)
            .filter(|(lane, _)| lane.phase == ops::Phase::Over(ops::End::Stuck))
            .map(|(_, plan)| plan.name.as_str())
            .collect();
        let first = match stuck.as_slice() {
            [] => String::new(),
            stuck => format!(", once what stopped {} is mended", stuck.join(", ")),
        };
        error = error.hint(format!("to take it back{first}: {command}"));
    }
    if let Some(command) = ops::rollback::retry(op) {
        let mut lanes = op.lanes.iter().zip(&op.plan.lanes);
        let is_untouched = lanes.all(|(lane, plan)| (0..plan.steps.len()).all(|at| !lane.is_touched(at)));
        let so_far = if is_untouched { "nothing was taken back by it; once" } else { "once" };
        error = error.hint(format!("{so_far} that is mended: {command}"));
    }
    Err(error.hint(format!("coredeck op log {id} has every call")))
}

/// Records of an operation that can be read, whatever state the journal is in.
pub(super) enum Reading {
    /// All is well.
    Whole(Box<Journal>),
    /// What could be saved.
    Saved(Box<crate::store::journal::Salvage>),
}

impl Reading {
    /// Opens the journal for reading; what stops that is said, and what can be read is read all the same.
    pub(super) fn open(place: &Place, out: &mut Output) -> Result<Self> {
        match Journal::open(&place.file).and_then(|journal| journal.sound().map(|()| journal)) {
            Ok(journal) => Ok(Self::Whole(Box::new(journal))),
            Err(error) => {
                out.warn(&format!("{error}; this is what can be read of it"));
                let saved = crate::store::journal::Salvage::read(&place.file)?;
                saved.faults.iter().for_each(|fault| out.warn(fault));
                Ok(Self::Saved(Box::new(saved)))
            }
        }
    }

    /// The operations, newest first.
    pub(super) fn ops(&self, most: usize) -> Result<Vec<OpRecord>> {
        match self {
            Self::Whole(journal) => Ok(journal.ops(most)?),
            Self::Saved(saved) => Ok(saved.ops.iter().take(most).cloned().collect()),
        }
    }

    /// One operation with its records, and whether a runner has it.
    pub(super) fn state(&self, id: &str) -> Result<(ops::OpState, bool)> {
        match self {
            Self::Whole(journal) => seen(journal.as_ref(), id),
            Self::Saved(saved) => {
                let mut op = ops::OpState::new(saved.op(id)?)?;
                let id = op.record.id.clone();
                saved.entries.iter().filter(|entry| entry.op == id).for_each(|entry| op.take(entry));
                Ok((op, false))
            }
        }
    }

    /// The records of an operation, in order.
    pub(super) fn entries(&self, id: &str) -> Result<Vec<crate::store::journal::Entry>> {
        match self {
            Self::Whole(journal) => Ok(journal.entries(id, 0)?),
            Self::Saved(saved) => Ok(saved.entries.iter().filter(|entry| entry.op == id).cloned().collect()),
        }
    }
}
