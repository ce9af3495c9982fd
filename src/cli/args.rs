//! What can be typed: the tree of commands and flags. Nothing is done here.

use super::calls::CallsArgs;
use super::history::HistoryArgs;
use super::sim::SimArgs;
use crate::config::Flags;
use crate::query::Kind;
use crate::tui::chord::Keys;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Runs a fleet of SuperTokens-style auth cores on AWS.
///
/// Without a command it opens the screen. Commands write data to stdout and everything else to stderr.
#[derive(Debug, Parser)]
#[command(name = "coredeck", version, max_term_width = 100, after_help = AFTER)]
pub(super) struct Argv {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const AFTER: &str = "\
Exit codes: 0 done; 1 failed or refused, or an answer that is not whole; 2 wrong usage; 130 interrupted.
Operations besides: 3 changes pending; 4 held by another; 5 stopped part way; 6 rolled back; 7 still running.
Try: coredeck --demo, or coredeck --demo get instances";

/// Flags that stand before or after any command.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Global {
    /// Read this configuration instead of the usual one
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Look into the account of this AWS profile instead of the configured ones; may be repeated
    #[arg(long = "profile", global = true, value_name = "PROFILE")]
    profiles: Vec<String>,
    /// Look into this region instead of the configured ones, or `all`; may be repeated
    #[arg(long = "region", global = true, value_name = "REGION", value_delimiter = ',')]
    regions: Vec<String>,
    /// Talk to this URL instead of to AWS
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    endpoint_url: Option<String>,
    /// Look at a pretended fleet that runs inside this process; touches no AWS account
    #[arg(long, global = true, conflicts_with_all = ["profiles", "endpoint_url"])]
    pub(super) demo: bool,
    /// Change nothing: whatever could is not even made; configured as read_only = true
    #[arg(long, global = true)]
    read_only: bool,
    /// Never colour anything; NO_COLOR does the same
    #[arg(long, global = true)]
    pub(super) no_color: bool,
    /// Log what is done, to stderr or --log-file; twice for more, thrice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Append the log to this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) log_file: Option<PathBuf>,
}

/// Flags of the screen, which opens without a command.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "The screen")]
pub(super) struct ScreenArgs {
    /// Send the terminal as little as can be; on its own that happens when it answers slowly
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "always", value_name = "WHEN")]
    pub(super) lean: Option<When>,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(super) no_mouse: bool,
    /// Press these keys, `2/type:t3<ret>`, without a terminal, and write the last screen to stdout
    #[arg(long, value_name = "KEYS", allow_hyphen_values = true)]
    pub(super) headless: Option<Keys>,
    /// How large the screen without a terminal is
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = size, requires = "headless")]
    pub(super) size: Option<(u16, u16)>,
}

/// When something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// Whatever the terminal is like
    Always,
    /// When the terminal answers slowly
    Auto,
    /// Not at all
    Never,
}

/// `80x24`
fn size(raw: &str) -> Result<(u16, u16), String> {
    let parsed =
        raw.split_once(['x', '×']).and_then(|(wide, high)| Some((wide.parse().ok()?, high.parse().ok()?)));
    match parsed {
        Some((1..=1000, 1..=1000)) => parsed.ok_or_else(String::new),
        _ => Err("write columns and rows, 1 to 1000 of each, as in 80x24".to_owned()),
    }
}

/// Flags that choose a fleet: a command that has none to do with does not show them.
const OF_A_FLEET: [&str; 6] = ["config", "profiles", "regions", "endpoint_url", "demo", "read_only"];

/// The tree of commands. The pretended AWS reaches no fleet, so its help is rid of the flags that choose one.
pub(super) fn tree() -> clap::Command {
    let tree = <Argv as clap::CommandFactory>::command();
    let named = |arg: &&clap::Arg| OF_A_FLEET.contains(&arg.get_id().as_str());
    let hidden: Vec<_> = tree.get_arguments().filter(named).map(|arg| arg.clone().hide(true)).collect();
    tree.mut_subcommand("sim", |sim| sim.args(hidden))
}

impl Argv {
    /// Understands what was typed.
    pub(super) fn read(argv: &[std::ffi::OsString]) -> Result<Self, clap::Error> {
        let mut read = tree().try_get_matches_from(argv)?;
        clap::FromArgMatches::from_arg_matches_mut(&mut read).map_err(|error| error.format(&mut tree()))
    }
}

impl Global {
    /// The flags that reach the same fleet from another process.
    pub(super) fn again(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut say = |flag: &str, value: String| flags.extend([flag.to_owned(), value]);
        if let Some(config) = &self.config {
            let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
            say("--config", config.to_string_lossy().into_owned());
        }
        self.profiles.iter().for_each(|profile| say("--profile", profile.clone()));
        self.regions.iter().for_each(|region| say("--region", region.clone()));
        if let Some(url) = &self.endpoint_url {
            say("--endpoint-url", url.clone());
        }
        flags
    }

    /// What they say of the configuration.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            profiles: self.profiles.clone(),
            regions: self.regions.clone(),
            endpoint_url: self.endpoint_url.clone(),
            read_only: self.read_only,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Verb(super::verbs::Verb),
    /// Run a plan that `--plan-out` wrote, if nothing it rests on has changed
    Apply(super::apply::ApplyArgs),
    /// See and steer operations: running ones and past ones
    #[command(subcommand)]
    Op(super::op::OpCommand),
    /// List what the fleet is made of
    Get(GetArgs),
    /// Show everything that is known of one thing
    Describe(DescribeArgs),
    /// Tell how many more cores, tenants and users fit into each tier, and when it is full
    Capacity(super::capacity::CapacityArgs),
    /// Ask hosts, ECS, load balancers and cores what there is, and keep the registry in step
    #[command(subcommand)]
    Inventory(super::inventory::InventoryCommand),
    /// Open a shell in a core, on an instance or in a task, through Systems Manager
    Shell(super::shell::ShellArgs),
    /// Show what cores log, put together by time
    Logs(super::logs::LogsArgs),
    /// Change cores: create, restart, stop, start, upgrade, move
    #[command(subcommand)]
    Core(super::core::CoreCommand),
    /// List what earlier runs asked of AWS, as aws commands, with what it cost
    Calls(CallsArgs),
    /// Tell what is kept of the past, or remove some of it
    History(HistoryArgs),
    /// Look after the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the screen's colours
    #[command(subcommand)]
    Theme(LooksCommand),
    /// Look at the screen's keys
    #[command(subcommand)]
    Keymap(LooksCommand),
    /// Serve a pretended AWS on this machine, for trying things out and for tests
    Sim(SimArgs),
    /// Write the completions for a shell to stdout
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to stdout, or a page for each command into a folder
    Man {
        /// Where to write the pages
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
}

/// `coredeck get`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Queries hold words, column:value, comparisons with units, regular expressions between slashes, !, and, or
and parentheses: coredeck get instances 'state:running tier:production (cpu>80 or age<2h) !zone:/1a$/'
JSON is {\"schema\", \"as_of\", \"data\", \"warnings\"}; as_of is the age of the oldest list behind it.")]
pub(super) struct GetArgs {
    /// What to list
    #[arg(value_parser = KindWord, ignore_case = true)]
    pub(super) kind: String,
    /// Which of them; several words are joined by spaces
    #[arg(value_name = "QUERY")]
    pub(super) query: Vec<String>,
    /// How to write them
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(super) output: Format,
    /// Which columns, by name; columns that cost money are read only when they are named
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    pub(super) columns: Vec<String>,
    /// Sort by these columns; `:desc` turns one around
    #[arg(long, value_delimiter = ',', value_name = "COLUMN[:desc],…", allow_hyphen_values = true)]
    pub(super) sort: Vec<String>,
    /// Put rows together by a column: one line for each group, with its count, health and sums
    #[arg(long, value_name = "COLUMN")]
    pub(super) group_by: Option<String>,
    /// Write at most so many, one at least
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(super) limit: Option<usize>,
    /// Keep looking and write again whenever something changed; JSON then takes one line each time
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "INTERVAL")]
    pub(super) watch: Option<String>,
    /// Show the fleet as it was then, from what was kept: -1h, 22:54, 2026-11-21T22:54:00Z
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "watch")]
    pub(super) at: Option<String>,
    /// Show after so long what has answered by then, and name what has not; otherwise places that are silent
    /// a quarter of a minute longer than all others are given up
    #[arg(long, value_name = "SPAN", conflicts_with = "watch")]
    pub(super) timeout: Option<String>,
    /// Exit with 0 although something could not be read
    #[arg(long)]
    pub(super) allow_partial: bool,
    /// Leave the headings away
    #[arg(long)]
    pub(super) no_headers: bool,
}

/// `coredeck describe`
#[derive(Args, Clone, Debug)]
pub(super) struct DescribeArgs {
    /// What it is
    #[arg(value_parser = KindWord, ignore_case = true)]
    pub(super) kind: String,
    /// Its id, name or ARN
    pub(super) id: String,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t = DescribeFormat::Text)]
    pub(super) output: DescribeFormat,
    /// Show it as it was then, from what was kept: -1h, 22:54, 2026-11-21T22:54:00Z
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) at: Option<String>,
    /// Show after so long what has answered by then, and name what has not; otherwise places that are silent
    /// a quarter of a minute longer than all others are given up
    #[arg(long, value_name = "SPAN")]
    pub(super) timeout: Option<String>,
    /// Exit with 0 although something could not be read
    #[arg(long)]
    pub(super) allow_partial: bool,
}

/// `coredeck config`
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a commented configuration with all defaults; never overwrites one
    Init {
        /// Where to write it instead of to the usual place
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Show every value and where it came from
    Show {
        /// How to write them
        #[arg(short, long, value_enum, default_value_t = ShowFormat::Table)]
        output: ShowFormat,
    },
    /// Find every fault of a configuration
    Check {
        /// The file, instead of the one that would be used
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Tell where the configuration is looked for
    Path,
}

/// `coredeck theme` and `coredeck keymap`
#[derive(Debug, Subcommand)]
pub(super) enum LooksCommand {
    /// List every name, and where it is found
    List,
    /// Show what one of them comes to, with all that it inherits
    Show {
        /// Its name; the one in force by default
        name: Option<String>,
    },
    /// Find every fault of a file, or of one by its name
    Check {
        /// The file, or a name; the one in force by default
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<String>,
    },
    /// Write the file of one that comes with coredeck to stdout, to begin one's own with
    PrintDefault {
        /// Its name; the default by default
        name: Option<String>,
    },
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The columns that matter most, aligned
    Table,
    /// Every column that costs nothing, aligned
    Wide,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
    /// Comma-separated values with a line of names
    Csv,
    /// One id a line
    Name,
}

/// How a thing is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DescribeFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
}

/// How settings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowFormat {
    /// Aligned
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
}

/// Takes any word, so that `Kind::parse` can say what is wrong with it; help and completions still
/// get to know the kinds.
#[derive(Clone, Debug)]
struct KindWord;

impl TypedValueParser for KindWord {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        let word = value.to_str().map(str::to_owned);
        word.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidUtf8).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Kind::ALL.into_iter().map(|kind| {
            PossibleValue::new(kind.word()).alias(kind.singular()).aliases(kind.aliases().iter().copied())
        })))
    }
}

/// Tells whether argv, which could not be parsed, asks for errors that a program can read.
pub(super) fn asks_for_json(argv: &[std::ffi::OsString]) -> bool {
    let words: Vec<_> = argv.iter().filter_map(|word| word.to_str()).collect();
    let is_json = |word: &str| word.eq_ignore_ascii_case("json");
    words.windows(2).any(|pair| matches!(pair, ["-o" | "--output", word] if is_json(word)))
        || words.iter().any(|word| {
            word.strip_prefix("--output=")
                .or_else(|| word.strip_prefix("-o"))
                .is_some_and(|word| is_json(word.trim_start_matches('=')))
        })
}

/// A count of rows to write: none would look like an answer that found none.
fn at_least_one(raw: &str) -> Result<usize, String> {
    match raw.parse() {
        Ok(0) => Err("0 rows would look like an answer that found nothing; leave --limit out".to_owned()),
        Ok(rows) => Ok(rows),
        Err(_) => Err("write a whole number of rows".to_owned()),
    }
}
