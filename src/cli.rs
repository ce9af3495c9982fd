//! The command line: argv comes in, an exit code goes out.
//!
//! Each command is a file below `cli/`; they read the same worlds by the same queries as the screen.
//! stdout is data, stderr everything else, and only `output` prints.

mod annals;
mod apply;
mod args;
mod bars;
mod begin;
mod calls;
mod capacity;
mod care;
mod cell;
mod choose;
mod config;
mod core;
mod counter;
mod describe;
mod drift;
mod failure;
mod footprint;
mod get;
mod going;
mod grouped;
mod history;
mod inventory;
mod json;
mod log;
mod logs;
mod looks;
mod op;
pub mod output;
mod pages;
mod partial;
mod past;
mod plan;
mod priority;
mod reach;
mod refresh;
mod rollout;
mod rows;
mod screen;
mod shell;
mod sim;
mod table;
mod tunnel;
mod verbs;
mod view;

use crate::clock::Clock;
use crate::config::Surroundings;
use crate::error::{Error, Result, did_you_mean};
use crate::gateway::FleetReader;
use crate::query::Kind;
use args::{Argv, Command, DescribeFormat, Format, ShowFormat};
use output::{Colour, Output};
pub use reach::Hands;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// The world outside a run. A test gives its own.
#[derive(Clone, Default)]
pub struct Outside {
    /// Environment and folders.
    pub around: Surroundings,
    /// Who reads the fleet; AWS, unless somebody stands in for it.
    pub reader: Option<Arc<dyn FleetReader>>,
    /// What operations see and act with, where somebody stands in for AWS.
    pub hands: Option<Hands>,
    /// The time.
    pub clock: Clock,
    /// Who starts programs that live on.
    pub starter: priority::Starter,
}

/// Runs what was typed, writes to stdout and stderr, and returns the exit code.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitCode {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let wants_colour = if argv.iter().any(|word| word == "--no-color") { Colour::No } else { Colour::Yes };
    let mut out = Output::of_process(wants_colour);
    let outside = Outside { around: Surroundings::of_process(), ..Outside::default() };
    ExitCode::from(run_with(&argv, &outside, &mut out))
}

/// Runs what was typed in this outside and returns the exit code.
pub fn run_with(argv: &[OsString], outside: &Outside, out: &mut Output) -> u8 {
    let done = match Argv::read(argv) {
        Ok(argv) => {
            out.errors_as_json = is_json(argv.command.as_ref());
            obey(argv, outside, out)
        }
        Err(error) => {
            out.errors_as_json = args::asks_for_json(argv);
            misunderstood(&error, out)
        }
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            out.fail(&error);
            error.kind.exit_code()
        }
    }
}

fn is_json(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Get(get)) => get.output == Format::Json,
        Some(Command::Calls(calls)) => calls.output == Format::Json,
        Some(Command::Verb(verb)) => verb.is_json(),
        Some(Command::Apply(apply)) => apply.is_json(),
        Some(Command::Op(op)) => op.is_json(),
        Some(Command::Inventory(inventory)) => inventory.is_json(),
        Some(Command::Logs(logs)) => logs.json,
        Some(Command::Core(core)) => core.is_json(),
        Some(Command::Capacity(capacity)) => capacity.is_json(),
        Some(Command::History(history)) => history.output == ShowFormat::Json,
        Some(Command::Describe(describe)) => describe.output == DescribeFormat::Json,
        Some(Command::Config(args::ConfigCommand::Show { output })) => *output == ShowFormat::Json,
        _ => false,
    }
}

/// What clap could not understand, or was asked to explain.
fn misunderstood(error: &clap::Error, out: &mut Output) -> Result<()> {
    use clap::error::ErrorKind as Sort;
    let styled = error.render();
    match error.kind() {
        Sort::DisplayHelp | Sort::DisplayVersion => {
            let is_coloured = out.colour == Colour::Yes;
            out.data(&if is_coloured { styled.ansi().to_string() } else { styled.to_string() })
        }
        _ => {
            let text = styled.to_string();
            let mut lines = text.trim_end().lines();
            let first = lines.next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            let mut message = first.to_owned();
            let mut hints = Vec::new();
            let typed = error.get(clap::error::ContextKind::InvalidSubcommand).map(ToString::to_string);
            let commands = args::tree();
            let names = commands.get_subcommands().map(clap::Command::get_name);
            if let Some(meant) = typed.and_then(|typed| did_you_mean(&typed, names)) {
                hints.push(format!("did you mean `{meant}`?"));
            }
            for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
                match line.strip_prefix("tip: ") {
                    Some(tip) => hints.push(tip.to_owned()),
                    None if line.starts_with("Usage:") || line.starts_with("For more") => {
                        hints.push(line.to_owned());
                    }
                    None => message.push_str(&format!("\n{line}")),
                }
            }
            let mut wrong = Error::usage(message);
            wrong.hints = hints;
            Err(wrong)
        }
    }
}

fn obey(argv: Argv, outside: &Outside, out: &mut Output) -> Result<()> {
    let Argv { global, screen, command } = argv;
    log::start(&global)?;
    if command.is_some() && screen != args::ScreenArgs::default() {
        return Err(Error::usage("--lean, --no-mouse, --headless and --size are flags of the screen")
            .hint("the screen opens without a command: `coredeck --lean`"));
    }
    match command {
        Some(Command::Config(command)) => config::run(&command, &global.flags(), &outside.around, out),
        Some(Command::Theme(command)) => looks::theme(&command, &global, outside, out),
        Some(Command::Keymap(command)) => looks::keymap(&command, &global, outside, out),
        Some(Command::Completions { shell }) => pages::completions(shell, out),
        Some(Command::Man { folder }) => pages::man(folder.as_deref(), out),
        Some(Command::Calls(args)) => calls::run(&args, &global, outside, out),
        // Calls are not in AWS: those of earlier runs are listed, like `coredeck calls`.
        Some(Command::Get(args)) if Kind::parse(&args.kind)? == Kind::Calls => {
            if args.at.is_some() {
                return Err(Error::usage("calls are listed with their times, not as of a moment")
                    .hint("name the span: `coredeck calls --since 2h`"));
            }
            if args.group_by.is_some() {
                return Err(Error::usage("calls are not put together by a column")
                    .hint("`coredeck calls --summary` adds them up"));
            }
            if args.watch.is_some() {
                return Err(Error::usage("calls of earlier runs cannot be watched")
                    .hint("those of the screen show there: open it and type `:calls`"));
            }
            calls::run(&(&args).into(), &global, outside, out)
        }
        Some(Command::History(args)) => history::run(&args, &global, outside, out),
        Some(Command::Get(args)) if args.at.is_some() => {
            let plan = plan::Plan::new(&args)?;
            let archive = past::Archive::open(&global, outside, out)?;
            let world = archive.world(args.at.as_deref().unwrap_or_default())?;
            archive.say(&world, out);
            let world = annals::Annals::of(&global, outside).tell(plan.kind, Arc::new(world));
            get::show(&plan, &args, &archive.config, &world, out)
        }
        Some(Command::Describe(args)) if args.at.is_some() && Kind::parse(&args.kind)? != Kind::Calls => {
            let kind = Kind::parse(&args.kind)?;
            let archive = past::Archive::open(&global, outside, out)?;
            let world = archive.world(args.at.as_deref().unwrap_or_default())?;
            archive.say(&world, out);
            describe::answer(&args, kind, &world, Some(&archive.config.capacity), out)
        }
        Some(Command::Get(args)) => {
            let plan = plan::Plan::new(&args)?;
            block_on(async {
                let reach = reach::open(&global, outside, out).await?;
                let annals = annals::Annals::of(&global, outside);
                match args.watch {
                    Some(_) => get::watch(&plan, &args, &reach, &annals, out).await,
                    None => get::run(&plan, &args, &reach, &annals, out).await,
                }
            })
        }
        Some(Command::Describe(args)) => {
            if Kind::parse(&args.kind)? == Kind::Calls {
                return calls::describe(&args, &global, outside, out);
            }
            block_on(async {
                let reach = reach::open(&global, outside, out).await?;
                describe::run(&args, &reach, out).await
            })
        }
        Some(Command::Verb(verb)) => verbs::run(&verb, &global, outside, out),
        Some(Command::Apply(args)) => apply::run(&args, &global, outside, out),
        Some(Command::Op(command)) => op::run(&command, &global, outside, out),
        Some(Command::Capacity(args)) => capacity::run(&args, &global, outside, out),
        Some(Command::Inventory(command)) => inventory::run(&command, &global, outside, out),
        Some(Command::Shell(args)) => block_on(shell::run(&args, &global, outside, out)),
        Some(Command::Logs(args)) => block_on(logs::run(&args, &global, outside, out)),
        Some(Command::Core(command)) => core::run(&command, &global, outside, out),
        Some(Command::Sim(args)) => {
            // It stands for what runs on machines of its own, and gives way to whoever looks at it from here.
            let give_way = priority::give_way();
            give_way();
            block_on_a(
                Builder::new_multi_thread().enable_all().on_thread_start(give_way),
                sim::run(args, outside.clock, out),
            )
        }
        None => {
            let outside = Outside { starter: priority::Starter::here()?, ..outside.clone() };
            screen::run(&global, &screen, &outside, out)
        }
    }
}

/// Runs a command that waits for others.
fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    block_on_a(Builder::new_multi_thread().enable_all(), work)
}

/// The same, on a runtime that is made to measure.
fn block_on_a(wanted: &mut Builder, work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = runtime(wanted)?;
    let done = runtime.block_on(Box::pin(work));
    // Reads that are still under way have nobody to tell.
    runtime.shutdown_background();
    done
}

fn runtime(wanted: &mut Builder) -> Result<Runtime> {
    wanted.build().map_err(|why| Error::failed("cannot start the runtime").because(why))
}
