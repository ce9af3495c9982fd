//! The fields of a refresh and of a rollout: what groups launch instead of what they have.

use super::{Field, Name};
use crate::config::parse_norm;
use crate::model::{Handling, Norm, Text};
use crate::ops::image::Meant;
use crate::ops::intent::{RefreshWish, RolloutWish};

/// The fields that say something, and what.
fn said(fields: &[Field]) -> impl Iterator<Item = (Name, &str)> {
    fields.iter().map(|field| (field.name, field.text().trim())).filter(|(_, text)| !text.is_empty())
}

/// Names of alarms, with commas between.
fn alarms(text: &str) -> Vec<Text> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Text::new).collect()
}

/// What figures of CloudWatch must be, with semicolons between; `none` for none.
fn figures(text: &str) -> Result<Vec<Norm>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let lines = text.split(';').map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &str| parse_norm(line).map_err(|why| format!("{}: {why}", Name::Metric.label()));
    lines.map(read).collect()
}

/// What fields say of a rollout.
pub(super) fn image(fields: &[Field]) -> Result<RolloutWish, String> {
    let mut wish = RolloutWish::default();
    for (name, text) in said(fields) {
        let wrong = |shape: &str| format!("{}: `{text}` is not like {shape}", name.label());
        match name {
            Name::Image => {
                wish.image = Meant::parse(text).map_err(|_| wrong("ami-…, al2023 or self:core-*"))?;
            }
            Name::Canary => {
                let percent =
                    text.trim_end_matches('%').parse().ok().filter(|percent| (1..=100).contains(percent));
                wish.canary = Some(percent.ok_or_else(|| wrong("5"))?);
            }
            Name::Watch => {
                let span = crate::config::parse_span(text).map_err(|_| wrong("10m"))?;
                wish.watch_s = Some(span.as_secs());
            }
            Name::Alarms => wish.preset.alarms = Some(alarms(text)),
            Name::Metric => wish.preset.metrics = Some(figures(text)?),
            Name::Default => wish.move_default = text == "move",
            Name::Older => wish.allow_older = text == "take",
            Name::Deprecated => wish.allow_deprecated = text == "take",
            Name::Finished => wish.keep_finished = text == "keep",
            Name::Owners => {
                let accounts = text.split([',', ' ']).filter(|account| !account.is_empty());
                let is_account =
                    |one: &str| one.len() == 12 && one.bytes().all(|digit| digit.is_ascii_digit());
                wish.allow_owners = accounts.map(str::to_owned).collect();
                if !wish.allow_owners.iter().all(|one| is_account(one)) {
                    return Err(wrong("123456789012"));
                }
            }
            _ => {}
        }
    }
    Ok(wish)
}

/// What fields say of a refresh.
pub(super) fn refresh(fields: &[Field]) -> Result<RefreshWish, String> {
    let mut wish = RefreshWish::default();
    for (name, text) in said(fields) {
        let wrong = |shape: &str| format!("{}: `{text}` is not like {shape}", name.label());
        match name {
            Name::Version => wish.version = Some(text.to_owned()),
            Name::Healthy => {
                let bounds = text.split_once('-').and_then(|(low, high)| {
                    Some((low.trim().parse::<u32>().ok()?, high.trim().parse::<u32>().ok()?))
                });
                let fits =
                    |(low, high): &(u32, u32)| *low <= 100 && (100..=200).contains(high) && high - low <= 100;
                let (low, high) = bounds.filter(fits).ok_or_else(|| wrong("90-100 or 100-110"))?;
                (wish.preset.min_healthy, wish.preset.max_healthy) = (Some(low), Some(high));
            }
            Name::Checkpoints if text == "none" => wish.preset.checkpoints = Some(Vec::new()),
            Name::Checkpoints => {
                let marks = text.split([',', ' ']).filter(|mark| !mark.is_empty());
                let marks: Option<Vec<u32>> = marks.map(|mark| mark.parse().ok()).collect();
                let fits = |marks: &Vec<u32>| {
                    marks.is_sorted_by(|one, next| one < next)
                        && marks.iter().all(|mark| (1..=100).contains(mark))
                };
                wish.preset.checkpoints = Some(marks.filter(fits).ok_or_else(|| wrong("10,50,100 or none"))?);
            }
            Name::Alarms => wish.preset.alarms = Some(alarms(text)),
            Name::Metric => wish.preset.metrics = Some(figures(text)?),
            Name::Protected => wish.preset.protected = Handling::named(text),
            Name::Matching => {
                wish.preset.skips_matching = match text {
                    "yes" => Some(true),
                    "no" => Some(false),
                    _ => None,
                }
            }
            Name::Under => wish.adopt = text == "adopt",
            _ => {}
        }
    }
    // What is taken over keeps what it was started with.
    if wish.adopt {
        wish = RefreshWish { adopt: true, ..RefreshWish::default() };
    }
    Ok(wish)
}
