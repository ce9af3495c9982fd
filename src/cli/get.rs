//! `coredeck get`: rows in the format of choice, once or for as long as somebody watches.

use super::annals::Annals;
use super::args::{Format, GetArgs};
use super::output::{Output, Paging};
use super::partial::{Warning, extent, texts, verdict};
use super::plan::{MetricsOf, Plan};
use super::reach::Reach;
use super::rows::{Answer, Paper, answer, stream};
use crate::capacity::reckon;
use crate::collect::{Collector, Keeping};
use crate::config::{Config, least_every, span};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{INVENTORY, join, metric_samples, samples};
use crate::gateway::Source;
use crate::model::{Gauges, InstanceId, Scope, Usd};
use crate::query::{Ctx, Kind};
use crate::snapshot::{Part, Snapshot};
use crate::world::{Interest, Wish, World};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs the command once.
pub(super) async fn run(
    plan: &Plan,
    args: &GetArgs,
    reach: &Reach,
    annals: &Annals,
    out: &mut Output,
) -> Result<()> {
    let limit = limit(args.timeout.as_deref())?;
    let world = match reach.asks_by_ways(&plan.sources) {
        Some(first) => {
            let world = reach.once(&first, Interest::default(), limit, out).await;
            let cores = plan.asked(Ctx { fleet: &world.fleet, now: world.fleet.at });
            reach.ask_cores(&world, cores, limit, out).await?
        }
        None => reach.once(&plan.sources, Interest::default(), limit, out).await,
    };
    let world = with_metrics(plan, world, reach, limit, out).await;
    let shown = show(plan, args, &reach.config, &annals.tell(plan.kind, Arc::clone(&world)), out);
    // Whoever reads the answer has it by now, and does not wait for this.
    if reach.config.history.has_gets {
        keep(plan, reach, &world, out)?;
    }
    // The process ends: nobody should wait while a hundred thousand rows are given back one by one.
    std::mem::forget(world);
    shown
}

/// Keeps what was read once for a look back, as the screen and `--watch` do.
fn keep(plan: &Plan, reach: &Reach, world: &World, out: &mut Output) -> Result<()> {
    let Some(history) = reach.history()? else { return Ok(()) };
    let mut figures = samples(&world.snapshot, &world.fleet);
    for part in &world.snapshot.parts {
        let is_whole = |source: &&Source| {
            let standing = part.standing(**source);
            standing.is_whole && standing.trouble.is_none()
        };
        for source in plan.sources.iter().filter(is_whole) {
            history.keep_patiently(part, *source);
        }
        figures.extend(metric_samples(part));
    }
    history.note(figures);
    history.close().iter().for_each(|trouble| out.warn(trouble));
    Ok(())
}

/// What `--timeout` says.
pub(super) fn limit(typed: Option<&str>) -> Result<Option<Duration>> {
    let Some(typed) = typed else { return Ok(None) };
    match crate::config::parse_span(typed) {
        Ok(Duration::ZERO) => Err(Error::usage("--timeout: in no time nothing can answer")
            .hint("leave it out, or write for example `--timeout 10s`")),
        Ok(limit) => Ok(Some(limit)),
        Err(why) => Err(Error::usage(format!("--timeout {typed}: {why}"))),
    }
}

/// Writes one answer.
pub(super) fn show(
    plan: &Plan,
    args: &GetArgs,
    config: &Config,
    world: &World,
    out: &mut Output,
) -> Result<()> {
    let paper = Paper { width: out.width, colour: out.colour, is_stream: false };
    let warnings = if plan.format == Format::Json && plan.group_by.is_none() {
        stream(plan, world, out)?
    } else {
        let Answer { text, warnings, .. } = answer(plan, world, paper)?;
        out.data(&text)?;
        warnings
    };
    say_beside(plan, config, world, &warnings, out);
    let grave = plan.grave(&warnings);
    verdict(&grave, args.allow_partial, extent(&world.snapshot, &plan.sources))
}

/// Warnings, and what a person should know of the figures.
fn say_beside(plan: &Plan, config: &Config, world: &World, warnings: &[Warning], out: &mut Output) {
    texts(warnings).iter().for_each(|text| out.warn(text));
    let is_table = matches!(plan.format, Format::Table | Format::Wide);
    let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
    if is_table && plan.rows(ctx).is_empty() && warnings.is_empty() {
        let is_bare = matches!(plan.kind, Kind::Cores | Kind::Tenants) && world.snapshot.names_no_core();
        let why = if is_bare { format!(": the registry names no cores; {INVENTORY}") } else { String::new() };
        out.say(&format!("no {} found{why}", plan.kind));
    }
    let shows_tiers = plan.columns(&world.fleet).iter().any(|column| column.name == "tier");
    if is_table && shows_tiers && config.tiers_are_guessed && plan.kind.len(&world.fleet) > 0 {
        out.say(GUESSED);
    }
    if plan.metrics != MetricsOf::Nobody && world.spending.dollars > crate::model::Usd::ZERO {
        out.say(&format!("metrics cost about {}", world.spending.dollars));
    }
}

const GUESSED: &str = "\
tiers are guessed, by the tags coredeck:tier, tier, mode, environment and env and by the names of groups and
services; the column tier_by says which, `coredeck config init` writes a configuration to change it";

/// Reads the metrics that the plan needs into a world that lacks them.
async fn with_metrics(
    plan: &Plan,
    world: Arc<World>,
    reach: &Reach,
    limit: Option<Duration>,
    out: &mut Output,
) -> Arc<World> {
    let wanted = wanted_metrics(plan, &world);
    if wanted.is_empty() {
        return world;
    }
    price_of(wanted.len(), plan.gauges).iter().for_each(|price| out.say(price));
    let interest = Interest {
        sources: vec![Source::Metrics],
        metrics_of: wanted,
        gauges: plan.gauges,
        ..Interest::default()
    };
    let metered = reach.once(&[Source::Metrics], interest, limit, out).await;
    let mut snapshot = Snapshot::clone(&world.snapshot);
    for part in &mut snapshot.parts {
        let metered = metered.snapshot.parts.iter().find(|metered| metered.scope == part.scope);
        if let Some(metered) = metered {
            Arc::make_mut(part).metrics = metered.metrics.clone();
        }
    }
    let mut fleet = join(&snapshot, &reach.config.tiers);
    reckon(&mut fleet, &reach.config.capacity);
    let fleet = Arc::new(fleet);
    Arc::new(World { snapshot: Arc::new(snapshot), fleet, ..World::clone(&metered) })
}

/// What one metric of one instance costs: $0.01 for a thousand.
const ONE_METRIC: Usd = Usd::from_micros(10);
/// A price that is worth a word before it is paid.
const WORTH_A_WORD: Usd = Usd::from_micros(10_000);

/// What these metrics of so many instances cost, where that is worth a word.
fn price_of(instances: usize, gauges: Gauges) -> Option<String> {
    let metrics = instances.saturating_mul(gauges.count());
    let price = ONE_METRIC * i64::try_from(metrics).unwrap_or(i64::MAX);
    (price > WORTH_A_WORD).then(|| format!("the metrics of {instances} instances cost about {price}"))
}

/// The instances whose metrics the plan needs.
fn wanted_metrics(plan: &Plan, world: &World) -> Vec<(Scope, InstanceId)> {
    // Only instances have metrics, and cores those of their hosts.
    if !matches!(plan.kind, Kind::Instances | Kind::Cores) {
        return Vec::new();
    }
    let rows = plan.metered(Ctx { fleet: &world.fleet, now: world.fleet.at });
    if plan.kind == Kind::Instances {
        let instances = rows.iter().filter_map(|at| world.fleet.instances.get(*at));
        return instances.map(|row| (Scope::clone(&row.scope), row.it.id.clone())).collect();
    }
    let cores = rows.iter().filter_map(|at| world.fleet.cores.get(*at));
    let hosts: BTreeSet<&InstanceId> = cores.filter_map(|core| core.home.instance_id()).collect();
    let instances = world.fleet.instances.iter().filter(|row| hosts.contains(&row.it.id));
    instances.map(|row| (Scope::clone(&row.scope), row.it.id.clone())).collect()
}

/// Writes an answer now and after every change, until nobody reads any more.
pub(super) async fn watch(
    plan: &Plan,
    args: &GetArgs,
    reach: &Reach,
    annals: &Annals,
    out: &mut Output,
) -> Result<()> {
    let (config, slower) = cadence(plan, args.watch.as_deref().unwrap_or_default(), &reach.config)?;
    slower.iter().for_each(|note| out.say(note));
    let cancel = CancellationToken::new();
    // What is watched is also kept for a look back.
    let kept = Keeping { history: reach.history()?, ..Keeping::default() };
    let mut collector = reach.start(config, &plan.rests_on(), kept, cancel.clone());
    let ended = follow(plan, &slower, reach, annals, &mut collector, out).await;
    cancel.cancel();
    // What was read last is still to be kept; what one of the reads broke of is in the log.
    let _ = collector.task.await;
    ended
}

/// Writes an answer for every world that says something else, until nobody reads any more.
async fn follow(
    plan: &Plan,
    slower: &Option<String>,
    reach: &Reach,
    annals: &Annals,
    collector: &mut Collector,
    out: &mut Output,
) -> Result<()> {
    let gone = out.gone();
    tokio::pin!(gone);
    let mut last = None;
    // Until something is looked at, the collector only sweeps.
    let mut looked_at = None;
    let mut price = None;
    let mut told = 0;
    loop {
        let world = annals.tell(plan.kind, Arc::clone(&collector.world.borrow_and_update()));
        let wanted = wanted_metrics(plan, &world);
        let cores = plan.asked(Ctx { fleet: &world.fleet, now: world.fleet.at });
        let wanted = (wanted, cores);
        if looked_at.as_ref() != Some(&wanted) {
            looked_at = Some(wanted.clone());
            let (wanted, cores) = wanted;
            let dearer = price_of(wanted.len(), plan.gauges)
                .map(|price| format!("{price}, each time that they are read"));
            if dearer != price {
                dearer.iter().for_each(|price| out.say(price));
                price = dearer;
            }
            let interest = Interest {
                sources: plan.rests_on(),
                metrics_of: wanted,
                gauges: plan.gauges,
                cores_of: Some(cores),
                ..Interest::default()
            };
            if collector.wishes.send(Wish::Look(interest)).await.is_err() {
                return Err(Error::failed("reading the fleet ended by itself"));
            }
        }
        // A scope that hangs delays nobody: each scope that has answered is a reason to write, and the
        // others stand among the warnings. Within a scope half a list is worth no answer.
        let settled = settled(plan, &world);
        let is_due = settled.is_some_and(|settled| settled > told || settled == world.snapshot.parts.len());
        told = settled.unwrap_or_default().max(told);
        if is_due {
            let paper = Paper { width: out.width, colour: out.colour, is_stream: true };
            let Answer { text, warnings, essence } = answer(plan, &world, paper)?;
            let is_first = last.is_none();
            if last.as_ref() != Some(&essence) {
                let text = match (plan.format, out.paging) {
                    (Format::Table | Format::Wide, Paging::InPlace) => format!("{CLEAR}{text}"),
                    (Format::Json | Format::Yaml, _) => text,
                    _ if is_first => text,
                    _ => format!("\n{text}"),
                };
                out.data(&text)?;
                texts(&warnings).iter().for_each(|text| out.warn(text));
                if text.starts_with(CLEAR) {
                    // These were said before, and have just been wiped away.
                    reach.warnings.iter().for_each(|text| out.warn(text));
                    slower.iter().chain(&price).for_each(|text| out.say(text));
                }
                last = Some(essence);
            }
        }
        tokio::select! {
            changed = collector.world.changed() => {
                changed.map_err(|_| Error::failed("reading the fleet ended by itself"))?;
            }
            () = &mut gone => {
                return Err(Error::new(ErrorKind::BrokenPipe, "nobody reads what is written any more"));
            }
        }
    }
}

/// Puts a table where the one before stood. What scrolled away earlier is the person's, and stays.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// In how many scopes every source that the plan rests on has answered or failed once; none while nothing
/// at all is known.
fn settled(plan: &Plan, world: &World) -> Option<usize> {
    let snapshot = &world.snapshot;
    let is_known = !snapshot.parts.is_empty() || !snapshot.troubles.is_empty();
    is_known.then(|| {
        let is_settled = |source: &Source, part: &Part| {
            let standing = part.standing(*source);
            standing.is_whole || standing.trouble.is_some()
        };
        let parts = snapshot.parts.iter();
        parts.filter(|part| plan.sources.iter().all(|source| is_settled(source, part))).count()
    })
}

/// The configuration with the interval of `--watch` for everything that is watched, and a word on what is
/// read less often than was asked for.
fn cadence(plan: &Plan, interval: &str, config: &Config) -> Result<(Config, Option<String>)> {
    let mut config = config.clone();
    if interval.is_empty() {
        return Ok((config, None));
    }
    let every = crate::config::parse_span(interval)
        .map_err(|why| Error::usage(format!("--watch={interval}: {why}")))?;
    let mut slower = Vec::new();
    for (source, usual) in &mut config.cadence {
        if plan.rests_on().contains(source) {
            let least = least_every(*source);
            *usual = every.max(least).min(Duration::from_secs(86_400));
            config.insisted.insert(*source);
            if every < least {
                slower.push(format!("{} every {}", source.word(), span(least)));
            }
        }
    }
    let slower = (!slower.is_empty()).then(|| format!("read at most: {}", slower.join(", ")));
    Ok((config, slower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Argv;
    use crate::clock::Clock;
    use crate::gateway::{Ask, FleetReader, GatewayError, Reading, Spending, Urgency};
    use crate::model::{AccountName, AlarmState, Region};
    use clap::Parser;
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use std::io::Write;
    use std::sync::Mutex;
    use tokio::sync::mpsc;

    #[test]
    fn only_instances_and_cores_have_columns_that_need_metrics() {
        for kind in Kind::ALL {
            let is_paid = kind.columns().iter().any(|column| column.needs.contains(&Source::Metrics));
            let is_known = matches!(kind, Kind::Instances | Kind::Cores);
            assert_eq!(is_paid, is_known, "{kind}: `wanted_metrics` must learn it");
        }
    }

    fn watching(argv: &str) -> (Plan, GetArgs) {
        let argv = Argv::try_parse_from(argv.split(' ')).unwrap();
        let Some(crate::cli::args::Command::Get(args)) = argv.command else { panic!("not a get") };
        (Plan::new(&args).unwrap(), args)
    }

    /// Each reading of the alarms finds one more.
    #[derive(Default)]
    struct More(Mutex<Vec<Urgency>>);

    impl FleetReader for More {
        fn regions(&self, _: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
            async { Ok(vec!["r".into()]) }.boxed()
        }

        fn home_region(&self, _: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
            async { Ok("r".into()) }.boxed()
        }

        fn read(
            &self,
            _: &Scope,
            ask: Ask,
            urgency: Urgency,
            _: Option<mpsc::Sender<Reading>>,
        ) -> BoxFuture<'_, Result<Reading, GatewayError>> {
            assert_eq!(ask.source(), Source::Alarms);
            let mut asked = self.0.lock().unwrap();
            asked.push(urgency);
            let alarm = |at: usize| crate::model::Alarm {
                name: format!("a{at}").into(),
                arn: "arn".into(),
                state: AlarmState::Ok,
                reason: None,
                changed_at: None,
                namespace: None,
                metric: None,
                dimensions: vec![],
                description: None,
                actions_enabled: true,
            };
            let alarms = (0..asked.len()).map(alarm).collect();
            async move { Ok(Reading::Alarms(alarms)) }.boxed()
        }

        fn remind(&self, _: &Scope, _: &Reading) {}

        fn spending(&self) -> Spending {
            Spending::default()
        }
    }

    /// Reads until there are two alarms, then goes away.
    struct Two(Vec<u8>);

    impl Write for Two {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            let has_two = String::from_utf8_lossy(&self.0).contains("a1");
            if has_two { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_watched_is_read_again_at_its_cadence() {
        let (plan, args) = watching("coredeck get alarms -o name --watch");
        let cadence = vec![(Source::Alarms, Duration::from_millis(1))];
        let config = Config { cadence, ..Config::default() };
        let reader = Arc::new(More::default());
        let reach = Reach::new(config, Arc::clone(&reader) as Arc<dyn FleetReader>, Clock::default());
        let mut out = Output::to(Two(Vec::new()), std::io::sink());
        // A sweep, which nobody watches, would come after five minutes.
        let annals = Annals::none();
        let watched = watch(&plan, &args, &reach, &annals, &mut out);
        let ended = tokio::time::timeout(Duration::from_secs(60), watched).await.expect("it is read again");
        assert_eq!(ended.unwrap_err().kind, ErrorKind::BrokenPipe);
        assert!(reader.0.lock().unwrap().iter().skip(1).all(|urgency| *urgency == Urgency::Screen));
    }

    #[test]
    fn the_interval_holds_for_all_that_is_watched_within_bounds_that_are_said() {
        let every = |argv: &str| {
            let (plan, args) = watching(argv);
            let (config, slower) =
                cadence(&plan, args.watch.as_deref().unwrap(), &Config::default()).unwrap();
            (config.every(Source::Instances), config.every(Source::Metrics), slower)
        };
        let seconds = Duration::from_secs;
        let usual = Config::default().every(Source::Metrics);
        assert_eq!(every("coredeck get instances -o name --watch=7s"), (seconds(7), usual, None));
        let (instances, metrics, slower) = every("coredeck get instances --columns id,cpu --watch=1s");
        assert_eq!((instances, metrics), (seconds(5), seconds(60)));
        assert_eq!(slower.as_deref(), Some("read at most: instances every 5s, metrics every 1m"));
    }

    #[test]
    fn only_more_than_a_cent_is_announced() {
        assert_eq!(price_of(250, Gauges::ALL), None);
        let says = |price: Option<String>| price.unwrap_or_default();
        assert_eq!(says(price_of(10_000, Gauges::ALL)), "the metrics of 10000 instances cost about $0.40");
        let one = Gauges::from_iter([crate::model::Gauge::Cpu]);
        assert_eq!(says(price_of(10_000, one)), "the metrics of 10000 instances cost about $0.10");
    }
}
