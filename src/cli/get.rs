//! `coredeck get`: rows in the format of choice, once or for as long as somebody watches.

use super::args::{Format, GetArgs};
use super::output::Output;
use super::partial::{Warning, texts, verdict};
use super::plan::{MetricsOf, Plan};
use super::reach::Reach;
use super::rows::{Answer, Paper, answer};
use crate::config::{Config, least_every};
use crate::error::{Error, Result};
use crate::fleet::join;
use crate::gateway::Source;
use crate::model::{InstanceId, Scope};
use crate::query::{Ctx, Kind};
use crate::snapshot::{Part, Snapshot};
use crate::world::{Interest, Wish, World};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs the command once.
pub(super) async fn run(plan: &Plan, args: &GetArgs, reach: &Reach, out: &mut Output) -> Result<()> {
    let world = reach.once(&plan.sources, Interest::default()).await;
    let world = with_metrics(plan, world, reach).await;
    show(plan, args, &reach.config, &world, out)
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
    let Answer { text, warnings, .. } = answer(plan, world, paper)?;
    out.data(&text)?;
    say_beside(plan, config, world, &warnings, out);
    verdict(&warnings, args.allow_partial)
}

/// Warnings, and what a person should know of the figures.
fn say_beside(plan: &Plan, config: &Config, world: &World, warnings: &[Warning], out: &mut Output) {
    texts(warnings).iter().for_each(|text| out.warn(text));
    let is_table = matches!(plan.format, Format::Table | Format::Wide);
    let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
    if is_table && plan.rows(ctx).is_empty() && warnings.is_empty() {
        out.say(&format!("no {} found", plan.kind));
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
async fn with_metrics(plan: &Plan, world: Arc<World>, reach: &Reach) -> Arc<World> {
    let wanted = wanted_metrics(plan, &world);
    if wanted.is_empty() {
        return world;
    }
    let interest = Interest { sources: vec![Source::Metrics], metrics_of: wanted, is_idle: false };
    let metered = reach.once(&[Source::Metrics], interest).await;
    let mut snapshot = Snapshot::clone(&world.snapshot);
    for part in &mut snapshot.parts {
        let metered = metered.snapshot.parts.iter().find(|metered| metered.scope == part.scope);
        if let Some(metered) = metered {
            Arc::make_mut(part).metrics = metered.metrics.clone();
        }
    }
    let fleet = Arc::new(join(&snapshot, &reach.config.tiers));
    Arc::new(World { snapshot: Arc::new(snapshot), fleet, ..World::clone(&metered) })
}

/// The instances whose metrics the plan needs.
fn wanted_metrics(plan: &Plan, world: &World) -> Vec<(Scope, InstanceId)> {
    let rows = |rows: &[usize]| -> Vec<(Scope, InstanceId)> {
        let instances = rows.iter().filter_map(|at| world.fleet.instances.get(*at));
        instances.map(|row| (Scope::clone(&row.scope), row.it.id.clone())).collect()
    };
    // Only instances have columns that need metrics.
    match plan.metrics {
        _ if plan.kind != Kind::Instances => Vec::new(),
        MetricsOf::Nobody => Vec::new(),
        MetricsOf::Shown => rows(&plan.rows(Ctx { fleet: &world.fleet, now: world.fleet.at })),
        MetricsOf::Everybody => rows(&(0..world.fleet.instances.len()).collect::<Vec<_>>()),
    }
}

/// Writes an answer now and after every change, until nobody reads any more.
pub(super) async fn watch(plan: &Plan, args: &GetArgs, reach: &Reach, out: &mut Output) -> Result<()> {
    let config = cadence(plan, args.watch.as_deref().unwrap_or_default(), &reach.config)?;
    let cancel = CancellationToken::new();
    let _guard = cancel.clone().drop_guard();
    let mut collector = reach.start(config, &plan.rests_on(), None, cancel);
    let mut last = None;
    let mut looked_at: Vec<(Scope, InstanceId)> = Vec::new();
    let mut told = 0;
    loop {
        let world = Arc::clone(&collector.world.borrow_and_update());
        let wanted = wanted_metrics(plan, &world);
        if wanted != looked_at {
            looked_at.clone_from(&wanted);
            let interest = Interest { sources: plan.rests_on(), metrics_of: wanted, is_idle: false };
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
                let text = match (plan.format, out.width) {
                    // A terminal shows one table at a time.
                    (Format::Table | Format::Wide, Some(_)) => format!("\u{1b}[H\u{1b}[2J\u{1b}[3J{text}"),
                    (Format::Json | Format::Yaml, _) => text,
                    _ if is_first => text,
                    _ => format!("\n{text}"),
                };
                out.data(&text)?;
                texts(&warnings).iter().for_each(|text| out.warn(text));
                last = Some(essence);
            }
        }
        if collector.world.changed().await.is_err() {
            return Err(Error::failed("reading the fleet ended by itself"));
        }
    }
}

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

/// The configuration with the interval of `--watch` for everything that is watched.
fn cadence(plan: &Plan, interval: &str, config: &Config) -> Result<Config> {
    let mut config = config.clone();
    if interval.is_empty() {
        return Ok(config);
    }
    let every = crate::config::parse_span(interval)
        .map_err(|why| Error::usage(format!("--watch={interval}: {why}")))?;
    for (source, usual) in &mut config.cadence {
        if plan.rests_on().contains(source) {
            *usual = every.max(least_every(*source)).min(Duration::from_secs(86_400));
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use crate::gateway::Source;
    use crate::query::Kind;

    #[test]
    fn only_instances_have_columns_that_need_metrics() {
        for kind in Kind::ALL {
            let is_paid = kind.columns().iter().any(|column| column.needs.contains(&Source::Metrics));
            assert_eq!(is_paid, kind == Kind::Instances, "{kind}: `wanted_metrics` must learn it");
        }
    }
}
