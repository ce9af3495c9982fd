//! `coredeck logs`: what cores log, from CloudWatch Logs or from docker on their hosts, put together by time.

mod print;

use super::Outside;
use super::args::Global;
use super::output::Output;
use super::partial::{texts, warnings};
use super::reach::{self, Reach};
use crate::config::{Config, parse_moment, parse_span};
use crate::error::{Error, ErrorKind, Result};
use crate::logs::hostlog::Asker;
use crate::logs::{
    Feed, Filter, Flow, Fresh, Gaze, Latency, Left, Level, Line, Origin, Place, Reading, SOURCES, Said,
    Sieve, Sought, resolve, start,
};
use crate::model::Text;
use crate::model::text::harmless;
use crate::world::Interest;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use print::Printer;
use regex::{Regex, RegexBuilder};
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use tokio::signal::unix::{SignalKind, signal};

/// Hosts that are asked at most: each takes a command of Systems Manager's.
const MOST_HOSTS: usize = 30;
/// How far back is looked where nothing is said.
const USUAL: &str = "10m";

/// `coredeck logs`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A name is looked for among cores, tenants, services, instances and tasks, in this order; `tenant/acme` says which.
A tenant of a shared core is its own lines there. Known secrets and the addresses of databases read `***`.")]
pub(super) struct LogsArgs {
    /// A core, tenant, service, instance or task; several are put together
    #[arg(required = true, value_name = "CORE|TENANT|SERVICE|INSTANCE|TASK")]
    pub(super) names: Vec<String>,
    /// From when: 10m, 2h, 22:54, 2026-11-21T22:54:00Z; 10m by default
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Up to when
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "follow")]
    until: Option<String>,
    /// The last N lines of them
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<usize>,
    /// Wait for new lines
    #[arg(short, long)]
    follow: bool,
    /// About this connection URI domain; `-` is the core's own; may be repeated
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',', allow_hyphen_values = true)]
    cud: Vec<String>,
    /// About this app
    #[arg(long, value_name = "APP", value_delimiter = ',')]
    app: Vec<String>,
    /// About this tenant of its app
    #[arg(long, value_name = "TENANT", value_delimiter = ',')]
    tenant: Vec<String>,
    /// This level or a graver one
    #[arg(long, value_enum, ignore_case = true)]
    level: Option<LevelWord>,
    /// With this regular expression in the line or what belongs to it; may be repeated
    #[arg(short, long, value_name = "REGEX")]
    grep: Vec<String>,
    /// Without this one
    #[arg(long, value_name = "REGEX")]
    grep_not: Vec<String>,
    /// Tell how long requests took instead, by domain, from the lines that cores write of each
    #[arg(long, conflicts_with_all = ["follow", "tail"])]
    slow: bool,
    /// One JSON document a line
    #[arg(long)]
    pub(super) json: bool,
    /// Put the document that reads docker's logs into an account that lacks it
    #[arg(short, long)]
    yes: bool,
}

/// A level as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LevelWord {
    /// Everything that has a level
    Debug,
    /// What goes on
    Info,
    /// What may be wrong
    Warn,
    /// What is wrong
    Error,
}

impl From<LevelWord> for Level {
    fn from(word: LevelWord) -> Self {
        match word {
            LevelWord::Debug => Self::Debug,
            LevelWord::Info => Self::Info,
            LevelWord::Warn => Self::Warn,
            LevelWord::Error => Self::Error,
        }
    }
}

impl LogsArgs {
    fn filter(&self, origins: &[Origin]) -> Result<Filter> {
        let texts = |all: &[String]| all.iter().map(Text::from).collect();
        Ok(Filter {
            domains: texts(&self.cud),
            apps: texts(&self.app),
            tenants: texts(&self.tenant),
            level: self.level.map(Level::from),
            grep: patterns("--grep", &self.grep)?,
            from: Vec::new(),
            without: patterns("--grep-not", &self.grep_not)?,
            only: origins.iter().map(|origin| origin.only.clone()).collect(),
        })
    }

    /// From when and up to when.
    fn span(&self, now: Timestamp) -> Result<(Timestamp, Option<Timestamp>)> {
        let zone = TimeZone::system();
        let read = |flag: &str, typed: &str| {
            parse_moment(typed, now, &zone).map_err(|why| Error::usage(format!("{flag} {typed}: {why}")))
        };
        let until = self.until.as_deref().map(|typed| read("--until", typed)).transpose()?;
        let since = match self.since.as_deref() {
            Some(typed) => read("--since", typed)?,
            None => {
                let usual = parse_span(USUAL).unwrap_or_default();
                until.unwrap_or(now).checked_sub(usual).unwrap_or(now)
            }
        };
        if until.is_some_and(|until| until <= since) {
            return Err(Error::usage("--until is not after --since, so no line can be between them"));
        }
        Ok((since, until))
    }
}

fn patterns(flag: &str, typed: &[String]) -> Result<Vec<Regex>> {
    let read = |text: &String| {
        let bad = |why: regex::Error| Error::usage(format!("{flag} is no regular expression")).because(why);
        RegexBuilder::new(text).size_limit(1 << 20).build().map_err(bad)
    };
    typed.iter().map(read).collect()
}

/// Where docker's lines are by configuration.
pub(super) fn configured(config: &Config) -> Option<(Text, Text)> {
    let group = config.logs.group.clone()?;
    Some((group, config.logs.stream.clone().unwrap_or_else(|| Text::new("{core}"))))
}

/// Whether so many hosts can be asked.
pub(super) fn check_hosts(origins: &[Origin], config: &Config) -> Result<()> {
    let hosts = origins.iter().filter(|origin| matches!(origin.place, Place::Container { .. })).count();
    if hosts > MOST_HOSTS && config.logs.group.is_none() {
        return Err(Error::usage(format!(
            "{hosts} docker containers would each take a command of Systems Manager, and {MOST_HOSTS} is the most"
        ))
        .hint("name fewer")
        .hint("or say in `[logs]` of the configuration which log group of CloudWatch docker sends lines to"));
    }
    Ok(())
}

/// Runs the command.
pub(super) async fn run(args: &LogsArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let reach = reach::open_unguarded(global, outside, out).await?;
    let (since, until) = args.span(reach.clock().now())?;
    // What is mistyped is said before anything is read.
    args.filter(&[])?;
    let origins = find(args, &reach, out).await?;
    check_hosts(&origins, &reach.config)?;
    let filter = args.filter(&origins)?;
    let hands = reach.hands()?;
    let clock = reach.clock();
    let mark = format!("coredeck logs {:x}-{:x}", clock.now().as_microsecond(), std::process::id());
    let may_put = args.yes || global.demo;
    let asker = Asker::new(hands.probe.clone(), hands.writer.clone(), mark, may_put);
    let reading = Reading {
        origins: origins.clone(),
        since,
        until,
        follows: args.follow,
        // A filter may want lines from far before the last.
        tail: args.tail.filter(|_| is_open(&filter)).and_then(|tail| u32::try_from(tail).ok()),
        sieve: Sieve::of(&filter),
        asker,
        configured: configured(&reach.config),
        clock,
        gaze: Gaze::steady(),
    };
    let hides_untold = reading.sieve.as_ref().is_some_and(|sieve| sieve.hides_untold);
    let (feed, troubles) = start(reading).await;
    troubles.iter().for_each(|said| out.warn(&harmless(&said.text)));
    let missing = troubles.iter().filter(|said| said.flow.is_some()).count();
    let printer = Printer::new(&origins, args.json, out.colour);
    let mut show = Show {
        args,
        filter,
        printer,
        left: Left::default(),
        hides_untold,
        shown: 0,
        missing,
        waiting: BTreeSet::new(),
        told: BTreeSet::new(),
    };
    show.run(feed, out).await
}

/// Whether nothing is filtered.
fn is_open(filter: &Filter) -> bool {
    let Filter { domains, apps, tenants, level, grep, without, from: _, only } = filter;
    domains.is_empty()
        && apps.is_empty()
        && tenants.is_empty()
        && level.is_none()
        && grep.is_empty()
        && without.is_empty()
        && only.iter().all(Vec::is_empty)
}

async fn find(args: &LogsArgs, reach: &Reach, out: &mut Output) -> Result<Vec<Origin>> {
    let world = reach.once(&SOURCES, Interest::default(), None, out).await;
    let sought: Vec<Sought> = args.names.iter().map(Sought::anywhere).collect();
    let found = resolve(&world.fleet, &sought);
    if found.is_err() {
        texts(&warnings(&world.snapshot, &SOURCES)).iter().for_each(|text| out.warn(text));
    }
    found
}

/// Shows what is read.
struct Show<'a> {
    args: &'a LogsArgs,
    filter: Filter,
    printer: Printer,
    left: Left,
    /// Whether CloudWatch was asked for what names a level, or somebody, and for nothing else.
    hides_untold: bool,
    shown: u64,
    /// Origins of which something could not be read.
    missing: usize,
    /// Origins whose lines do not come now, and are waited for.
    waiting: BTreeSet<u16>,
    /// Why some wait, as it was said.
    told: BTreeSet<String>,
}

/// What happens next.
enum Next {
    Line(Line),
    Lines(Vec<Line>),
    Joins(Origin),
    Said(Said),
    PastIsOver,
    Over,
    Interrupted,
}

impl Show<'_> {
    async fn run(&mut self, mut feed: Feed, out: &mut Output) -> Result<()> {
        let signals = |why: std::io::Error| Error::failed("cannot listen for signals").because(why);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
        let gone = out.gone();
        tokio::pin!(gone);
        let mut last: VecDeque<Line> = VecDeque::new();
        let mut latency = Latency::default();
        let (mut in_past, mut is_said) = (true, true);
        let mut text = String::new();
        loop {
            let next = tokio::select! {
                biased;
                _ = interrupt.recv() => Next::Interrupted,
                () = &mut gone => Next::Over,
                said = feed.said.recv(), if is_said => match said {
                    Some(said) => Next::Said(said),
                    None => { is_said = false; continue }
                },
                line = feed.past.next(), if in_past => line.map_or(Next::PastIsOver, Next::Line),
                fresh = feed.fresh.recv(), if !in_past => match fresh {
                    Some(Fresh::Lines(lines) | Fresh::Late(lines)) => Next::Lines(lines),
                    Some(Fresh::Source(origin)) => Next::Joins(origin),
                    None => Next::Over,
                },
            };
            match next {
                Next::Line(line) => {
                    if !self.filter.admits(&line, &mut self.left) {
                        continue;
                    }
                    if self.args.slow {
                        latency.take(&line);
                    } else if let Some(most) = self.args.tail {
                        last.push_back(line);
                        if last.len() > most {
                            last.pop_front();
                        }
                    } else {
                        self.shown += 1;
                        self.printer.write(&line, &mut text);
                        if text.len() > 8_192 {
                            out.data(&text)?;
                            text.clear();
                        }
                    }
                }
                Next::PastIsOver => {
                    in_past = false;
                    for line in last.drain(..) {
                        self.shown += 1;
                        self.printer.write(&line, &mut text);
                    }
                    out.data(&text)?;
                    text.clear();
                    if self.args.slow {
                        self.printer.latency(&latency, &mut text);
                        out.data(&text)?;
                    }
                    if !self.args.follow {
                        // What is still to be said comes before the end.
                        while let Some(said) = feed.said.recv().await {
                            self.say(&said, out);
                        }
                        break;
                    }
                }
                Next::Lines(lines) => {
                    for line in lines.iter().filter(|line| self.filter.admits(line, &mut self.left)) {
                        self.shown += 1;
                        self.printer.write(line, &mut text);
                    }
                    out.data(&text)?;
                    text.clear();
                }
                Next::Joins(origin) => {
                    self.printer.joins(&origin);
                    out.say(&format!("{} has begun, and joins", harmless(&origin.name)));
                    self.filter.only.push(origin.only);
                }
                Next::Said(said) => {
                    if !text.is_empty() {
                        out.data(&text)?;
                        text.clear();
                    }
                    self.say(&said, out);
                }
                Next::Over => break,
                Next::Interrupted => {
                    self.hides_untold &= feed.searched.load(Ordering::Relaxed);
                    out.data(&text)?;
                    if out.is_attended {
                        // The terminal has written ^C and stays on its line.
                        out.say("");
                    }
                    self.sum(out);
                    return Err(Error::new(
                        ErrorKind::Interrupted,
                        format!("stopped after {} lines", self.shown),
                    ));
                }
            }
        }
        self.hides_untold &= feed.searched.load(Ordering::Relaxed);
        self.sum(out);
        if self.shown == 0 && !self.args.slow && !self.args.json && self.missing == 0 {
            out.say("no line");
        }
        if self.missing > 0 || !self.waiting.is_empty() {
            return Err(Error::new(ErrorKind::Partial, "not everything could be read"));
        }
        Ok(())
    }

    fn say(&mut self, said: &Said, out: &mut Output) {
        match said.flow {
            Some(Flow::Waits) => self.waiting.extend(&said.of),
            _ => self.waiting.retain(|from| !said.of.contains(from)),
        }
        // What comes again needs no sentence, and what waits again and again none each time.
        let mut is_new = || said.flow != Some(Flow::Waits) || self.told.insert(said.text.clone());
        if said.text.is_empty() || !is_new() {
            return;
        }
        // What waits may still come.
        self.missing += usize::from(said.flow != Some(Flow::Waits));
        out.warn(&harmless(&said.text));
    }

    /// What was left out because it could not be told.
    fn sum(&self, out: &mut Output) {
        if self.hides_untold {
            out.say(
                "CloudWatch was asked for lines that name the level or the tenant: those that name none were left out, uncounted",
            );
        }
        let Left { without_level, without_whom } = self.left;
        for (count, what, flag) in [
            (without_level, "name no level", "--level"),
            (without_whom, "name nobody", "--cud, --app and --tenant, or a tenant's name,"),
        ] {
            if count > 0 && !self.hides_untold {
                out.warn(&format!("{count} lines that {what} were left out: {flag} cannot tell"));
            }
        }
    }
}
