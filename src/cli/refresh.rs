//! `coredeck refresh`: to which version, and every preference that can be said.

use super::verbs::PlainArgs;
use crate::config::{parse_norm, parse_span};
use crate::error::{Error, Result};
use crate::model::{Handling, Norm, RefreshPreset, Text};
use crate::ops::intent::RefreshWish;
use clap::{Args, ValueEnum};

/// `coredeck refresh`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What is not said is taken from the tier's [tiers.refresh], and else is wise for the group's size; all of it is
shown and sent. `coredeck op pause` holds it (AWS replaces nothing meanwhile), `op resume` lets it go on, `op cancel`
stops it, `op rollback` takes it back, after it succeeded too.
  coredeck refresh web --to-version 7 --alarm web-5xx --checkpoints 10,50,100 --checkpoint-delay 15m
  coredeck refresh web --adopt           follow, hold and take back a refresh that somebody else started")]
pub(super) struct RefreshArgs {
    #[command(flatten)]
    pub(super) plain: PlainArgs,
    /// The version of the launch template: a number, latest or default; what the group has where it is not said
    #[arg(long, value_name = "VERSION")]
    to_version: Option<String>,
    /// Another launch template, by id or name
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// Percent of the desired capacity that must be in service
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    min_healthy: Option<u32>,
    /// Percent of the desired capacity that may be there
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(100..=200))]
    max_healthy: Option<u32>,
    /// How long an instance is in service before it counts: 90s, 5m
    #[arg(long, value_name = "DURATION")]
    warmup: Option<String>,
    /// Percentages at which it waits, ascending: 10,50,100; `none` for no wait
    #[arg(long, value_name = "PERCENTS")]
    checkpoints: Option<String>,
    /// How long it waits at each of them
    #[arg(long, value_name = "DURATION")]
    checkpoint_delay: Option<String>,
    /// How long alarms are watched after the last replacement
    #[arg(long, value_name = "DURATION")]
    bake: Option<String>,
    /// Leave members alone that match already
    #[arg(long, value_enum, value_name = "YES|NO", num_args = 0..=1, default_missing_value = "yes")]
    skip_matching: Option<Choice>,
    /// Let AWS go back by itself on failure or alarm
    #[arg(long, value_enum, value_name = "YES|NO", num_args = 0..=1, default_missing_value = "yes")]
    auto_rollback: Option<Choice>,
    /// What becomes of members that are protected from scale-in
    #[arg(long, value_enum, value_name = "WHAT")]
    protected: Option<Apart>,
    /// What becomes of members in standby
    #[arg(long, value_enum, value_name = "WHAT")]
    standby: Option<Apart>,
    /// An alarm that fails it; may be repeated
    #[arg(long = "alarm", value_name = "NAME")]
    alarms: Vec<String>,
    /// What a figure of CloudWatch must be, else it is taken back: 'AWS/ApplicationELB
    /// HTTPCode_Target_5XX_Count/RequestCount <= 1%'; may be repeated; `none` for no such judge
    #[arg(long = "metric", value_name = "FIGURE")]
    metrics: Vec<String>,
    /// Take over the refresh that is under way, whoever started it, and follow it
    #[arg(long, visible_alias = "watch", conflicts_with_all = [
        "to_version", "template", "min_healthy", "max_healthy", "warmup", "checkpoints", "checkpoint_delay", "bake",
        "skip_matching", "auto_rollback", "protected", "standby", "alarms", "metrics",
    ])]
    adopt: bool,
    /// Go on although it may hurt: what stands in the way as a risk is only warned of
    #[arg(long)]
    pub(super) override_verdict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Apart {
    /// They are replaced all the same
    Replace,
    /// They stay as they are
    Ignore,
    /// It waits an hour for somebody to let go of them, and then fails
    Wait,
}

impl Apart {
    fn handling(self) -> Handling {
        match self {
            Self::Replace => Handling::Replace,
            Self::Ignore => Handling::Ignore,
            Self::Wait => Handling::Wait,
        }
    }
}

impl RefreshArgs {
    /// What was said of the refresh; none where nothing was.
    pub(super) fn wish(&self) -> Result<Option<RefreshWish>> {
        let seconds = |flag: &str, typed: &Option<String>| -> Result<Option<u32>> {
            let Some(typed) = typed else { return Ok(None) };
            let wrong = |why: String| Error::usage(format!("--{flag} {typed}: {why}"));
            let span = parse_span(typed).map_err(wrong)?;
            u32::try_from(span.as_secs()).map(Some).map_err(|_| wrong("it is too long".to_owned()))
        };
        let is_yes = |choice: Option<Choice>| choice.map(|choice| choice == Choice::Yes);
        let preset = RefreshPreset {
            min_healthy: self.min_healthy,
            max_healthy: self.max_healthy,
            warmup_s: seconds("warmup", &self.warmup)?,
            checkpoints: self.checkpoints.as_deref().map(percentages).transpose()?,
            checkpoint_delay_s: seconds("checkpoint-delay", &self.checkpoint_delay)?,
            bake_s: seconds("bake", &self.bake)?,
            skips_matching: is_yes(self.skip_matching),
            rolls_back: is_yes(self.auto_rollback),
            protected: self.protected.map(Apart::handling),
            standby: self.standby.map(Apart::handling),
            alarms: (!self.alarms.is_empty()).then(|| self.alarms.iter().map(Text::new).collect()),
            metrics: norms(&self.metrics)?,
        };
        let wish = RefreshWish {
            version: self.to_version.clone(),
            template: self.template.clone(),
            preset,
            adopt: self.adopt,
        };
        Ok((wish != RefreshWish::default()).then_some(wish))
    }
}

/// What figures must be; none where nothing was said of them.
pub(super) fn norms(typed: &[String]) -> Result<Option<Vec<Norm>>> {
    match typed {
        [] => Ok(None),
        [none] if none == "none" => Ok(Some(Vec::new())),
        lines => {
            let each = lines.iter().map(|line| {
                parse_norm(line).map_err(|why| Error::usage(format!("--metric '{line}': {why}")))
            });
            each.collect::<Result<Vec<Norm>>>().map(Some)
        }
    }
}

/// Percentages with commas between, which must ascend to 100 at most.
fn percentages(typed: &str) -> Result<Vec<u32>> {
    if typed.trim() == "none" {
        return Ok(Vec::new());
    }
    let marks: Option<Vec<u32>> =
        typed.split(',').map(|mark| mark.trim().trim_end_matches('%').parse().ok()).collect();
    let marks = marks.filter(|marks| {
        marks.is_sorted_by(|one, next| one < next) && marks.iter().all(|mark| (1..=100).contains(mark))
    });
    marks.ok_or_else(|| {
        Error::usage(format!("--checkpoints {typed}: percentages ascend from 1 to 100"))
            .hint("for example --checkpoints 10,50,100, or --checkpoints none")
    })
}

#[cfg(test)]
mod tests {
    use super::percentages;
    use crate::error::ErrorKind;

    #[test]
    fn checkpoints_are_percentages_that_ascend_or_none() {
        assert_eq!(percentages("10, 50%,100").unwrap(), [10, 50, 100]);
        assert_eq!(percentages("20").unwrap(), [20], "a part of a group, which the plan warns of");
        assert_eq!(percentages(" none ").unwrap(), [0_u32; 0]);
        for wrong in
            ["", "0,100", "10,101", "50,10", "10,10,100", "10,,100", "ten", "-1", "10;50", "10 50", "nine%"]
        {
            let error = percentages(wrong).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{wrong}");
            assert_eq!(error.message, format!("--checkpoints {wrong}: percentages ascend from 1 to 100"));
            assert!(error.hints.iter().any(|hint| hint.contains("--checkpoints none")), "{:?}", error.hints);
        }
    }
}
