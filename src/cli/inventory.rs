//! `coredeck inventory`: what there is is asked for, compared with the registry, and written into it.

mod report;

use super::Outside;
use super::args::{Global, ShowFormat};
use super::begin::{self, Manner};
use super::drift;
use super::op::timer;
use super::output::Output;
use super::partial::{texts, warnings};
use super::reach::{self, Reach};
use crate::config::CoreReach;
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Source;
use crate::inventory::{Diff, Difference, Policy};
use crate::ops::hosts::{Asking, SOURCES, Survey, survey};
use crate::ops::{Intent, Options};
use crate::store::keep_drift;
use crate::world::{Interest, World};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `coredeck inventory`
#[derive(Debug, Subcommand)]
pub(super) enum InventoryCommand {
    /// Show the hosts, cores and tenants that were found, and what said so
    Show(ShowArgs),
    /// Show where the registry differs from what was found; exit with 3 when there is something to write
    Diff(DiffArgs),
    /// Write what was found into the registry: an operation that can be undone
    Sync(SyncArgs),
}

/// What every inventory takes.
#[derive(Args, Clone, Debug)]
pub(super) struct AskArgs {
    /// How to write it
    #[arg(short, long, value_enum, default_value_t = ShowFormat::Table)]
    output: ShowFormat,
    /// Put the document that lists containers into an account that lacks it
    #[arg(short, long)]
    yes: bool,
    /// Ask no core for its domains; where `reach` is "ssm" each takes a session of Systems Manager
    #[arg(long)]
    without_cores: bool,
    /// Exit with 0 although something could not be asked
    #[arg(long)]
    allow_partial: bool,
}

/// How far it goes.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct PolicyArgs {
    /// Remove entries too, of what is proved to be gone
    #[arg(long)]
    prune: bool,
    /// Write over entries too that a person wrote or edited
    #[arg(long)]
    overwrite_edited: bool,
}

impl PolicyArgs {
    fn policy(self) -> Policy {
        Policy { prune: self.prune, overwrite: self.overwrite_edited }
    }
}

/// `coredeck inventory show`
#[derive(Args, Clone, Debug)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    ask: AskArgs,
}

/// `coredeck inventory diff`
#[derive(Args, Clone, Debug)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    policy: PolicyArgs,
}

/// `coredeck inventory sync`
#[derive(Args, Clone, Debug)]
pub(super) struct SyncArgs {
    /// Ask no core for its domains; where `reach` is "ssm" each takes a session of Systems Manager
    #[arg(long)]
    without_cores: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    manner: Manner,
}

impl InventoryCommand {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        match self {
            Self::Show(args) => args.ask.output == ShowFormat::Json,
            Self::Diff(args) => args.ask.output == ShowFormat::Json,
            Self::Sync(args) => args.manner.is_json(),
        }
    }
}

/// What was found.
struct Found {
    world: Arc<World>,
    survey: Survey,
}

/// Keeps what differs, so that lists and the screen say so too.
fn keep(
    survey: &Survey,
    diff: &Diff,
    is_left: impl Fn(&Difference) -> bool,
    reach: &Reach,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) {
    // A demo leaves nothing behind.
    let Some(file) = drift::file(&reach.config, &outside.around).filter(|_| !global.demo) else { return };
    let kept = drift::of(diff, &survey.entries, reach.clock().now(), is_left);
    if let Err(error) = keep_drift(&file, &kept) {
        out.warn(&error.to_string());
    }
}

/// Runs the command.
pub(super) fn run(
    command: &InventoryCommand,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    super::block_on(async {
        match command {
            InventoryCommand::Show(args) => show(args, global, outside, out).await,
            InventoryCommand::Diff(args) => diff(args, global, outside, out).await,
            InventoryCommand::Sync(args) => sync(args, global, outside, out).await,
        }
    })
}

/// Reads the fleet and asks its hosts.
async fn look(reach: &Reach, may_put: bool, asks_cores: bool, out: &mut Output) -> Result<Found> {
    let mut sources = SOURCES.to_vec();
    if reach.config.cores.reach != CoreReach::Off && asks_cores {
        sources.extend([Source::Registry, Source::Admin]);
    }
    if reach.config.dns.route53 {
        sources.extend([Source::Registry, Source::Records]);
    }
    sources.sort();
    sources.dedup();
    let world = match reach.asks_by_ways(&sources) {
        Some(first) => {
            let world = reach.once(&first, Interest::default(), None, out).await;
            reach.ask_every_core(world, out).await?
        }
        None => reach.once(&sources, Interest::default(), None, out).await,
    };
    texts(&warnings(&world.snapshot, &sources)).iter().for_each(|text| out.warn(text));
    let hands = reach.hands()?;
    let clock = timer(reach.clock());
    let asking = Asking {
        probe: hands.probe.as_ref(),
        writer: hands.writer.as_deref(),
        timer: clock.as_ref(),
        mark: format!(
            "coredeck inventory {:x}-{:x}",
            reach.clock().now().as_microsecond(),
            std::process::id()
        ),
        may_put,
    };
    let survey = survey(&asking, reach.config.fleet.as_str(), &world.snapshot, &world.fleet).await;
    let survey = survey.map_err(|(scope, trouble)| {
        let error = Error::failed(format!("the registry of {scope} could not be read"));
        trouble.hint.iter().fold(error.because(trouble.to_string()), |error, hint| error.hint(hint.clone()))
    })?;
    Ok(Found { world, survey })
}

async fn show(args: &ShowArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let reach = reach::open(global, outside, out).await?;
    let found = look(&reach, args.ask.yes || global.demo, !args.ask.without_cores, out).await?;
    let now = reach.clock().now();
    let text = match args.ask.output {
        ShowFormat::Table => {
            let fleet = &found.world.fleet;
            report::observed(&found.survey.seen, fleet, now, out.width, out.colour)
        }
        format => report::written(&report::observed_json(&found.survey.seen, &found.world.fleet), format),
    };
    out.data(&text)?;
    keep(&found.survey, &found.survey.diff(), |_| true, &reach, global, outside, out);
    found.survey.seen.notes.iter().for_each(|note| out.say(note));
    whole(&found, args.ask.allow_partial, out)
}

async fn diff(args: &DiffArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let reach = reach::open(global, outside, out).await?;
    let found = look(&reach, args.ask.yes || global.demo, !args.ask.without_cores, out).await?;
    let (diff, policy) = (found.survey.diff(), args.policy.policy());
    keep(&found.survey, &diff, |_| true, &reach, global, outside, out);
    let text = match args.ask.output {
        ShowFormat::Table => report::diff(&diff, policy),
        format => report::written(&report::diff_json(&diff, policy), format),
    };
    out.data(&text)?;
    found.survey.seen.notes.iter().for_each(|note| out.say(note));
    if args.ask.output == ShowFormat::Table {
        out.say(&report::sum(&diff, policy));
    }
    let due = diff.writes(policy).len();
    let whole = whole(&found, args.ask.allow_partial, out);
    let said = match due {
        0 => return whole,
        1 => "1 entry is to be written".to_owned(),
        due => format!("{due} entries are to be written"),
    };
    Err(Error::new(ErrorKind::Pending, said).hint("coredeck inventory sync"))
}

async fn sync(args: &SyncArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    args.manner.check()?;
    let reach = reach::open(global, outside, out).await?;
    if reach.hands()?.writer.is_none() {
        let said = "coredeck is in read-only mode: hosts are asked by commands, and nothing was sent";
        return Err(Error::new(ErrorKind::Refused, said)
            .hint("leave --read-only away, or set read_only = false in the configuration"));
    }
    let found = look(&reach, args.manner.is_yes() || global.demo, !args.without_cores, out).await?;
    let (diff, policy) = (found.survey.diff(), args.policy.policy());
    keep(&found.survey, &diff, |_| true, &reach, global, outside, out);
    let writes = diff.writes(policy);
    silent(&found, out);
    report::unjudged(&diff.unjudged).iter().for_each(|said| out.warn(said));
    if !args.manner.is_json() {
        diff.differences
            .iter()
            .filter(|one| !one.is_due(policy))
            .for_each(|one| out.warn(&format!("{}: {}: {}", one.name, one.sort.word(), one.why)));
    }
    if writes.is_empty() {
        out.say(&format!("there is nothing to write: {}", report::sum(&diff, policy)));
        return Ok(());
    }
    let options = Options { writes, ..Options::default() };
    let intent = Intent { verb: "inventory".to_owned(), targets: vec![found.survey.path.clone()], options };
    let plan = begin::desk(&reach, &found.world)?.plan(intent).await?;
    begin::run(plan, &args.manner, &reach, global, outside, out).await?;
    if !args.manner.only_shows() {
        keep(&found.survey, &diff, |one| !one.is_due(policy), &reach, global, outside, out);
    }
    Ok(())
}

/// Says which hosts could not be asked, the same reason once. How many those are.
fn silent(found: &Found, out: &mut Output) -> usize {
    let mut whys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for host in found.survey.seen.hosts.iter().filter(|host| !host.is_down) {
        match &host.containers {
            Err(why) => whys.entry(why).or_default().push(report::host(host)),
            Ok(_) if host.is_cut => {
                let why = "it has more containers than its answer could hold";
                whys.entry(why).or_default().push(report::host(host));
            }
            Ok(_) => {}
        }
    }
    for (why, hosts) in &whys {
        let shown = hosts.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = hosts.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.warn(&crate::model::text::harmless(&format!("{shown}{more}: {why}")));
    }
    whys.values().map(Vec::len).sum()
}

/// An answer that lacks hosts is not whole.
fn whole(found: &Found, is_allowed: bool, out: &mut Output) -> Result<()> {
    let silent = silent(found, out);
    if silent == 0 || is_allowed {
        return Ok(());
    }
    Err(Error::failed(format!("{silent} of {} hosts could not be asked", found.survey.seen.hosts.len()))
        .hint("--allow-partial takes what there is; nothing of theirs is taken for gone"))
}
