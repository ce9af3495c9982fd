//! `coredeck spot-share`, `coredeck tune` and `coredeck clean`: what is typed of the care of groups and templates.

use super::verbs::PlainArgs;
use crate::config::parse_span;
use crate::error::{Error, Result};
use crate::gateway::change::{Setting, Tuning};
use crate::model::{RefreshPreset, Text};
use crate::ops::intent::{CleanWish, RefreshWish, ShareWish};
use clap::{Args, ValueEnum};

/// `coredeck spot-share`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The policy is sent back whole with what is named here changed in it, and `coredeck op rollback` sets the recorded one.
Members stay what they are until they are replaced; with --refresh they are, by what [tiers.refresh] says.
  coredeck spot-share web --preset 20/80 --on-demand-base 2
  coredeck spot-share web --preset 0/100 --refresh --alarm web-5xx
  coredeck spot-share web --types m5.large,m5a.large,m6i.large --strategy price-capacity-optimized --dry-run")]
pub(super) struct ShareArgs {
    #[command(flatten)]
    pub(super) plain: PlainArgs,
    /// On demand and spot above the base, in percent
    #[arg(long, value_enum, conflicts_with = "on_demand_percent", value_name = "ON-DEMAND/SPOT")]
    preset: Option<Preset>,
    /// On-demand instances that always come first
    #[arg(long, value_name = "N")]
    on_demand_base: Option<u32>,
    /// Percent on demand above the base
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    on_demand_percent: Option<u32>,
    /// How AWS chooses spot pools: price-capacity-optimized, capacity-optimized, lowest-price, …
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<String>,
    /// The types, in order of preference, perhaps with weights: m5.large,m5.xlarge=2
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// Replace all members by an instance refresh that launches the new policy; the group keeps it when that succeeds
    #[arg(long)]
    refresh: bool,
    /// An alarm that fails the refresh; may be repeated
    #[arg(long = "alarm", value_name = "NAME", requires = "refresh")]
    alarms: Vec<String>,
    /// Go on although the refresh may hurt: what stands in the way as a risk is only warned of
    #[arg(long, requires = "refresh")]
    pub(super) override_verdict: bool,
}

/// Shares that people speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Half and half
    #[value(name = "50/50")]
    Half,
    /// A fifth on demand
    #[value(name = "20/80")]
    Fifth,
    /// Nothing but spot above the base
    #[value(name = "0/100")]
    None,
}

impl ShareArgs {
    /// What was said; none where nothing was.
    pub(super) fn wish(&self) -> Option<ShareWish> {
        let preset = self.preset.map(|preset| match preset {
            Preset::Half => 50,
            Preset::Fifth => 20,
            Preset::None => 0,
        });
        let wish = ShareWish {
            base: self.on_demand_base,
            percent: preset.or(self.on_demand_percent),
            strategy: self.strategy.clone(),
            types: self.types.clone(),
        };
        (wish != ShareWish::default()).then_some(wish)
    }

    /// How the refresh that follows is wanted; none where none is.
    pub(super) fn refresh(&self) -> Option<RefreshWish> {
        let alarms = (!self.alarms.is_empty()).then(|| self.alarms.iter().map(Text::new).collect());
        let preset = RefreshPreset { alarms, ..RefreshPreset::default() };
        self.refresh.then(|| RefreshWish { preset, ..RefreshWish::default() })
    }
}

/// `coredeck tune`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What is not named stays as it is; `coredeck op rollback` sets back exactly what was there.
  coredeck tune web --end-first OldestLaunchTemplate,Default --warmup 120s --rebalance on --maintenance 90-110
  coredeck tune web --warmup none --maintenance none")]
pub(super) struct TuneArgs {
    #[command(flatten)]
    pub(super) plain: PlainArgs,
    /// Termination policies in order: OldestLaunchTemplate, OldestInstance, AllocationStrategy, Default, …
    #[arg(long, value_name = "POLICIES", value_delimiter = ',')]
    end_first: Vec<String>,
    /// How long a new member is in service before it counts: 120s; `none` takes the default warm-up away
    #[arg(long, value_name = "DURATION")]
    warmup: Option<String>,
    /// Replace spot instances at risk before they are taken
    #[arg(long, value_enum, value_name = "ON|OFF")]
    rebalance: Option<Switch>,
    /// Least and most percent of the desired capacity while members are replaced: 90-110; `none` takes it away
    #[arg(long, value_name = "LEAST-MOST")]
    maintenance: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl TuneArgs {
    /// What was said; none where nothing was.
    ///
    /// # Errors
    ///
    /// A duration or bounds that are none.
    pub(super) fn tuning(&self) -> Result<Option<Tuning>> {
        let warmup = match self.warmup.as_deref() {
            None => Setting::Keep,
            Some("none") => Setting::Clear,
            Some(typed) => {
                let wrong = |why: String| Error::usage(format!("--warmup {typed}: {why}"));
                let seconds = parse_span(typed).map_err(wrong)?.as_secs();
                Setting::To(u32::try_from(seconds).map_err(|_| wrong("it is too long".to_owned()))?)
            }
        };
        let maintenance = match self.maintenance.as_deref() {
            None => Setting::Keep,
            Some("none") => Setting::Clear,
            Some(typed) => Setting::To(bounds(typed).ok_or_else(|| {
                Error::usage(format!("--maintenance {typed}: write the least and the most percent, 90-110"))
            })?),
        };
        let policies = self.end_first.iter().map(Text::new).collect::<Vec<Text>>();
        let tuning = Tuning {
            terminations: (!policies.is_empty()).then_some(policies),
            warmup,
            rebalances: self.rebalance.map(|switch| switch == Switch::On),
            maintenance,
        };
        Ok((!tuning.is_empty()).then_some(tuning))
    }
}

/// Two percentages with a line between.
fn bounds(typed: &str) -> Option<(u32, u32)> {
    let (min, max) = typed.split_once('-')?;
    Some((min.trim().parse().ok()?, max.trim().parse().ok()?))
}

/// `coredeck clean`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What a group, an instance, a refresh or another template uses stays, and so does everything that an operation in the
journal recorded and might go back to. What goes is gone for good.
  coredeck clean web --newest 5 --dry-run
  coredeck clean web --forget 90d        operations of more than 90 days ago are not gone back to any more
  coredeck clean web --images --images-named 'core-docker-*' --reason 'old AMIs cost 40 USD a month'")]
pub(super) struct CleanArgs {
    #[command(flatten)]
    pub(super) plain: PlainArgs,
    /// So many of the newest versions stay, whatever uses them
    #[arg(long, value_name = "N", default_value_t = 3)]
    newest: u32,
    /// Deregister images that only deleted versions launch, with their snapshots
    #[arg(long)]
    images: bool,
    /// Deregister images of this account that are called so and that nothing here launches; may be repeated
    #[arg(long = "images-named", value_name = "NAME*")]
    named: Vec<String>,
    /// Give up what operations recorded that are over and were begun longer ago than this: 90d
    #[arg(long, value_name = "DURATION")]
    forget: Option<String>,
}

impl CleanArgs {
    /// What was said; the journal is asked later.
    ///
    /// # Errors
    ///
    /// A duration that is none.
    pub(super) fn wish(&self) -> Result<CleanWish> {
        let forget_s = match self.forget.as_deref() {
            None => None,
            Some(typed) => {
                let wrong = |why: String| Error::usage(format!("--forget {typed}: {why}"));
                Some(parse_span(typed).map_err(wrong)?.as_secs())
            }
        };
        let named = self.named.clone();
        Ok(CleanWish { newest: self.newest, images: self.images, named, forget_s, recorded: None })
    }
}
