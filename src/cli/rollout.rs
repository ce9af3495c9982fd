//! `coredeck rollout`: which image, how it is tried, and whether there is something to do.

use super::Outside;
use super::args::Global;
use super::begin;
use super::output::Output;
use super::reach;
use super::verbs::PlainArgs;
use crate::config::parse_span;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{RefreshPreset, Text};
use crate::ops::image::Meant;
use crate::ops::intent::RolloutWish;
use crate::ops::kinds::rollout::{self, Checked};
use crate::query::Kind;
use crate::world::Interest;
use clap::Args;

/// `coredeck rollout`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Each group's launch template gets a new version in which only the image differs. Development groups come first, then the
smallest other one alone, then the rest. Of each group a few instances are tried, judged by their group, status checks,
ECS agents, target health and alarms, and watched; what fails is taken back, and all that was done before it too.
  coredeck rollout web api --image al2023 --alarm web-5xx --canary 10 --watch 15m
  coredeck rollout web --image self:core-docker-* --move-default --note 'docker 25, ssm-agent'
  coredeck rollout --check web api       exits with 3 when there is something to roll out")]
pub(super) struct RolloutArgs {
    #[command(flatten)]
    pub(super) plain: PlainArgs,
    /// `newest` of what each group launches now, by its public parameter; an ami-… id; a parameter's name; al2023,
    /// al2023-arm64, bottlerocket, bottlerocket-arm64, al2; or OWNER:NAME* for the youngest that is called so. Several
    /// with commas: each group and type gets the first that is for its processors
    #[arg(long, value_name = "IMAGE", default_value = "newest")]
    image: String,
    /// Only tell whether there is something to roll out: exits with 3 when there is, with 0 when not
    #[arg(long)]
    pub(super) check: bool,
    /// Take over the refreshes that are under way in these groups, whoever started them, and follow them, as `coredeck
    /// refresh --adopt` does
    #[arg(long, conflicts_with_all = [
        "check", "image", "canary", "watch", "alarms", "metrics", "bake", "warmup", "min_healthy", "max_healthy",
        "move_default", "keep_finished", "notes", "allow_deprecated", "allow_older", "allow_owners", "override_verdict",
    ])]
    pub(super) adopt: bool,
    /// Percent of each group that are tried first; one instance at least
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    canary: Option<u32>,
    /// How long the first ones are watched before the rest follows: 10m
    #[arg(long, value_name = "DURATION")]
    watch: Option<String>,
    /// An alarm that ends it; may be repeated
    #[arg(long = "alarm", value_name = "NAME")]
    alarms: Vec<String>,
    /// What a figure of CloudWatch must be, else it is taken back: 'AWS/ApplicationELB
    /// HTTPCode_Target_5XX_Count/RequestCount <= 1%'; may be repeated; `none` for none of those that the tier has
    #[arg(long = "metric", value_name = "FIGURE")]
    metrics: Vec<String>,
    /// How long alarms are watched after the last replacement
    #[arg(long, value_name = "DURATION")]
    bake: Option<String>,
    /// How long an instance is in service before it counts: 90s, 5m
    #[arg(long, value_name = "DURATION")]
    warmup: Option<String>,
    /// Percent of the desired capacity that must be in service
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    min_healthy: Option<u32>,
    /// Percent of the desired capacity that may be there
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(100..=200))]
    max_healthy: Option<u32>,
    /// Move $Default of the templates to the new version when everything has succeeded
    #[arg(long)]
    move_default: bool,
    /// Groups that are done stay on the new image when a later one fails
    #[arg(long)]
    keep_finished: bool,
    /// What the image must have: kept in the plan for whoever looks at it; may be repeated
    #[arg(long = "note", value_name = "TEXT")]
    notes: Vec<String>,
    /// Take an image that its maker calls deprecated
    #[arg(long)]
    allow_deprecated: bool,
    /// Take an image that is older than what it replaces
    #[arg(long)]
    allow_older: bool,
    /// Take images of this account too; may be repeated
    #[arg(long = "allow-owner", value_name = "ACCOUNT")]
    allow_owners: Vec<String>,
    /// Go on although it may hurt: what stands in the way as a risk is only warned of
    #[arg(long)]
    pub(super) override_verdict: bool,
}

impl RolloutArgs {
    /// What was said of the rollout.
    pub(super) fn wish(&self) -> Result<RolloutWish> {
        let seconds = |flag: &str, typed: &Option<String>| -> Result<Option<u32>> {
            let Some(typed) = typed else { return Ok(None) };
            let wrong = |why: String| Error::usage(format!("--{flag} {typed}: {why}"));
            let span = parse_span(typed).map_err(wrong)?;
            u32::try_from(span.as_secs()).map(Some).map_err(|_| wrong("it is too long".to_owned()))
        };
        Ok(RolloutWish {
            image: Meant::parse(&self.image)?,
            canary: self.canary,
            watch_s: seconds("watch", &self.watch)?.map(u64::from),
            move_default: self.move_default,
            keep_finished: self.keep_finished,
            notes: self.notes.clone(),
            allow_deprecated: self.allow_deprecated,
            allow_older: self.allow_older,
            allow_owners: self.allow_owners.clone(),
            preset: RefreshPreset {
                min_healthy: self.min_healthy,
                max_healthy: self.max_healthy,
                warmup_s: seconds("warmup", &self.warmup)?,
                bake_s: seconds("bake", &self.bake)?,
                alarms: (!self.alarms.is_empty()).then(|| self.alarms.iter().map(Text::new).collect()),
                metrics: super::refresh::norms(&self.metrics)?,
                ..RefreshPreset::default()
            },
        })
    }

    /// Tells whether there is something to roll out.
    pub(super) fn tell(&self, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
        let wish = self.wish()?;
        super::block_on(async {
            let reach = reach::open(global, outside, out).await?;
            let mut sources = crate::ops::kind("rollout")?.sources.to_vec();
            sources.extend(Kind::Drift.sources());
            let world = reach.once(&sources, Interest::default(), None, out).await;
            let desk = begin::desk(&reach, &world)?;
            let all = rollout::check(&desk, &self.plain.targets, &wish).await?;
            if self.plain.manner.is_json() {
                let rows: Vec<_> = all
                    .iter()
                    .map(|Checked { group, todo, says, support }| {
                        serde_json::json!({ "group": group, "todo": todo, "says": says, "support": support })
                    })
                    .collect();
                out.data(&super::json::document(&serde_json::Value::Array(rows)))?;
            } else {
                let lines: Vec<String> = all
                    .iter()
                    .map(|one| {
                        let ends = one.support.iter().map(|ends| format!("; {ends}")).collect::<String>();
                        let line = format!("{}: {}{ends}", one.group, one.todo.as_ref().unwrap_or(&one.says));
                        format!("{}\n", crate::model::text::harmless(&line))
                    })
                    .collect();
                out.data(&lines.concat())?;
            }
            let todo = all.iter().filter(|one| one.todo.is_some()).count();
            if todo == 0 {
                return Ok(());
            }
            let what =
                format!("{todo} of {} groups have something to roll out; nothing was changed", all.len());
            Err(Error::new(ErrorKind::Pending, what))
        })
    }
}
