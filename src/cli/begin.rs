//! From an intent or a plan to a running operation: shown, confirmed, entered, started, and followed.

use super::Outside;
use super::args::Global;
use super::op::timer;
use super::op::{self, Place};
use super::output::Output;
use super::reach::{self, Hands, Reach};
use super::tunnel::Signals;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Source;
use crate::model::{Identity, Scope};
use crate::ops::begin::{Beginning, check, enter};
use crate::ops::hosts::Asking;
use crate::ops::kinds::{kind, look_at_cores, targets_of};
use crate::ops::{Confirm, Desk, Intent, Plan, preview};
use crate::world::{Interest, World};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

/// How an operation is begun and followed.
#[derive(Args, Clone, Debug)]
pub(super) struct Manner {
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the plan to this file and change nothing; `coredeck apply FILE` runs it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    plan_out: Option<PathBuf>,
    /// With --dry-run or --plan-out: exit with 3 when there is something to change
    #[arg(long)]
    detailed_exitcode: bool,
    /// Ask nothing. Guards hold all the same
    #[arg(short, long)]
    yes: bool,
    /// Wait for the end; so it is unless --detach is given
    #[arg(long, conflicts_with = "detach")]
    wait: bool,
    /// Let it run and return at once, with 7
    #[arg(long)]
    detach: bool,
    /// Wait at most so long, then return with 7 while it goes on: 90s, 10m
    #[arg(long, value_name = "DURATION", conflicts_with = "detach")]
    timeout: Option<String>,
    /// Why: kept in the journal
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// How to write what happens
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// How what happens is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people
    Text,
    /// One JSON document a line
    Json,
}

impl Manner {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        self.output == Form::Json
    }

    /// Finds what was mistyped before anything is read.
    pub(super) fn check(&self) -> Result<()> {
        self.patience().map(|_| ())
    }

    fn patience(&self) -> Result<Option<Duration>> {
        let parsed = self.timeout.as_deref().map(|typed| {
            crate::config::parse_span(typed).map_err(|why| Error::usage(format!("--timeout {typed}: {why}")))
        });
        parsed.transpose()
    }

    /// Whether nothing is asked.
    pub(super) fn is_yes(&self) -> bool {
        self.yes
    }

    /// Whether nobody waits for the end.
    pub(super) fn detaches(&self) -> bool {
        self.detach
    }

    /// Whether nothing is changed.
    pub(super) fn only_shows(&self) -> bool {
        self.dry_run || self.plan_out.is_some()
    }
}

/// Plans an intent, and does with the plan what was asked.
pub(super) async fn plan_and_run(
    intent: Intent,
    manner: &Manner,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let reach = reach::open(global, outside, out).await?;
    let (first, then_targets) = kind(&intent.verb)?.first();
    let mut world = reach.once(&first, Interest::default(), None, out).await;
    if then_targets {
        world = reach.read_targets(&world, targets_of(&world.fleet, &intent), out).await;
    }
    let mut intent = intent;
    let may_put = !manner.only_shows() || manner.yes || global.demo;
    ask_hosts(reach.hands()?, reach.clock(), &world, may_put, &mut intent).await;
    let desk = desk(&reach, &world)?;
    let plan = reach.patiently(desk.plan(intent), out).await?;
    run(plan, manner, &reach, global, outside, out).await
}

/// Runs a plan that was made earlier, if it still holds.
pub(super) async fn apply(
    plan: Plan,
    manner: &Manner,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let reach = reach::open(global, outside, out).await?;
    let world = reach.once(&[Source::Identity], Interest::default(), None, out).await;
    let identities = identities(&world);
    let probe = std::sync::Arc::clone(&reach.hands()?.probe);
    let now = reach.clock().now();
    check(&plan, reach.config.fleet.as_str(), &identities, probe.as_ref(), now).await?;
    run(plan, manner, &reach, global, outside, out).await
}

/// As whom each account knows us.
pub(super) fn identities(world: &World) -> Vec<(Scope, Identity)> {
    let parts = world.snapshot.parts.iter();
    parts
        .filter_map(|part| Some(((*part.scope).clone(), Identity::clone(part.identity.value.as_ref()?))))
        .collect()
}

/// Asks hosts what an intent rests on besides, and writes their answers into it.
pub(super) async fn ask_hosts(
    hands: &Hands,
    clock: Clock,
    world: &World,
    may_put: bool,
    intent: &mut Intent,
) {
    let timer = timer(clock);
    let asking = Asking {
        probe: hands.probe.as_ref(),
        writer: hands.writer.as_deref(),
        timer: timer.as_ref(),
        mark: format!("coredeck look {:x}-{:x}", clock.now().as_microsecond(), std::process::id()),
        may_put,
    };
    look_at_cores(&asking, &world.fleet, intent).await;
}

/// Where plans are made of what was just read.
pub(super) fn desk<'a>(reach: &'a Reach, world: &'a World) -> Result<Desk<'a>> {
    Ok(desk_of(&reach.config, reach.hands()?, world, reach.clock().now()))
}

/// The same for whoever holds no more than that.
pub(super) fn desk_of<'a>(
    config: &'a Config,
    hands: &'a Hands,
    world: &'a World,
    now: Timestamp,
) -> Desk<'a> {
    Desk {
        snapshot: &world.snapshot,
        fleet: &world.fleet,
        config,
        probe: hands.probe.as_ref(),
        writer: hands.writer.as_deref(),
        now,
    }
}

/// Shows a plan, and runs it if that is wanted.
pub(super) async fn run(
    plan: Plan,
    manner: &Manner,
    reach: &Reach,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let is_json = manner.is_json();
    if reach.is_ending() {
        // Whatever could not be asked because everything ends is in no plan that anybody sees.
        reach.lets_go_of_signals().await;
        return Err(stopped());
    }
    if is_json && manner.only_shows() {
        out.data(&super::json::document(&serde_json::to_value(&plan).unwrap_or_default()))?;
    } else if !is_json {
        let text = preview::text(&plan);
        if manner.only_shows() { out.data(&text)? } else { out.say(&text) }
    }
    if manner.only_shows() {
        if let Some(file) = &manner.plan_out {
            write(&plan, file)?;
            out.say(&format!("the plan is in {}; run it with: coredeck apply {0}", file.display()));
        }
        let pending = Error::new(ErrorKind::Pending, "there is something to change, and nothing was changed");
        return if manner.detailed_exitcode { Err(pending) } else { Ok(()) };
    }
    if reach.hands()?.writer.is_none() {
        return Err(Error::new(ErrorKind::Refused, "coredeck is in read-only mode; nothing was changed")
            .hint("leave --read-only away, or set read_only = false in the configuration"));
    }
    if !manner.yes {
        confirm(&plan, out)?;
    }
    // Whoever follows leaves with Ctrl-C, and the operation goes on; whoever was stopped before begins none. Listened for
    // first: what comes between is not lost.
    let signals = Signals::new()?;
    if reach.lets_go_of_signals().await {
        return Err(stopped());
    }
    let place = Place::find(global, outside)?;
    let journal = place.open()?;
    let mut who = op::who(outside);
    who.principal = plan.accounts.first().map(|account| account.principal.clone());
    let beginning =
        Beginning { who, reason: manner.reason.clone(), reach: global.again(), at: reach.clock().now() };
    let record = enter(&journal, &plan, beginning)?;
    if !is_json {
        out.say(&format!("operation {} is entered", record.id));
    }
    let follow = op::Follow { is_json, within: manner.patience()? };
    if global.demo {
        return op::run_here(&record.id, reach, journal, &follow, signals, out).await;
    }
    op::start(&record, &place, &journal, outside).await?.said(out);
    if manner.detach {
        if is_json {
            op::say_standing(&journal, &record.id, reach.clock(), out)?;
        }
        return Err(op::still_running(&record.id, op::Toward::There));
    }
    op::follow(&journal, &record.id, &follow, signals, reach.clock(), out).await
}

fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "stopped; nothing was changed")
}

/// Writes a plan to a new file that only its owner may read: it names resources.
fn write(plan: &Plan, file: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let shown = file.display().to_string();
    let failed = |why: std::io::Error| Error::usage(format!("cannot write the plan to {shown}")).because(why);
    let mut open = std::fs::OpenOptions::new();
    let mut written = open.write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    let text = plan.json() + "\n";
    written.write_all(text.as_bytes()).and_then(|()| written.sync_all()).map_err(failed)
}

/// Asks a person. The more a plan destroys, the more must be typed; anything else means no.
fn confirm(plan: &Plan, out: &mut Output) -> Result<()> {
    let refused = || Error::new(ErrorKind::Refused, "it was not confirmed; nothing was changed");
    if !std::io::stdin().is_terminal() || !out.is_attended {
        return Err(Error::usage(
            "this changes something and nobody can be asked: stdin or stderr is no terminal",
        )
        .hint("say --yes to change it unasked; guards hold all the same")
        .hint("or look first: --dry-run shows the plan, --plan-out FILE keeps it"));
    }
    let answer = Confirm::of(plan);
    out.ask(&match &answer {
        Confirm::Yes => "Type yes to do this [no]: ".to_owned(),
        Confirm::Words(words) => format!("Type `{words}` to do this [no]: "),
    });
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    let typed = typed.trim();
    let is_meant = match answer {
        Confirm::Yes => matches!(typed, "yes" | "y"),
        Confirm::Words(words) => typed == words,
    };
    if is_meant { Ok(()) } else { Err(refused()) }
}
