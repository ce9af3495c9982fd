//! How the groups of a tier are refreshed: `[tiers.refresh]`.

use super::{Cell, Reader};
use crate::config::parse_span;
use crate::error::did_you_mean;
use crate::model::{Handling, RefreshPreset, Text};
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

/// Its keys.
pub(super) const KEYS: [&str; 12] = [
    "min_healthy",
    "max_healthy",
    "warmup",
    "checkpoints",
    "checkpoint_delay",
    "bake",
    "skip_matching",
    "auto_rollback",
    "protected",
    "standby",
    "alarms",
    "metrics",
];
/// The longest that AWS waits at a checkpoint or bakes, in seconds: two days.
const LONGEST_S: u64 = 172_800;
/// The most alarms that AWS watches.
const ALARMS: usize = 10;

impl Reader<'_> {
    /// The preset of a tier.
    pub(super) fn preset(&mut self, cell: &Cell<'_>, tier: &str) -> RefreshPreset {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "refresh", "a table such as { min_healthy = 100, bake = \"15m\" }");
            return RefreshPreset::default();
        };
        self.keys(table, &KEYS, "[tiers.refresh]");
        for (key, cell) in KEYS.iter().filter_map(|key| Some((key, table.get(*key)?))) {
            self.note(format!("tiers.{tier}.refresh.{key}"), cell);
        }
        let preset = RefreshPreset {
            min_healthy: self.percent(table, "min_healthy", 0..=100),
            max_healthy: self.percent(table, "max_healthy", 100..=200),
            warmup_s: self.seconds(table, "warmup", u64::from(u32::MAX)),
            checkpoints: table.get("checkpoints").and_then(|cell| self.checkpoints(cell)),
            checkpoint_delay_s: self.seconds(table, "checkpoint_delay", LONGEST_S),
            bake_s: self.seconds(table, "bake", LONGEST_S),
            skips_matching: table.get("skip_matching").and_then(|cell| self.flag(cell, "skip_matching")),
            rolls_back: table.get("auto_rollback").and_then(|cell| self.flag(cell, "auto_rollback")),
            protected: self.handling(table, "protected"),
            standby: self.handling(table, "standby"),
            alarms: table.get("alarms").and_then(|cell| self.alarms(cell)),
            metrics: table.get("metrics").and_then(|cell| self.norms(cell)),
        };
        if let (Some(min), Some(max), Some(cell)) =
            (preset.min_healthy, preset.max_healthy, table.get("max_healthy"))
            && max - min > 100
        {
            let message = format!("`max_healthy` may be at most 100 above `min_healthy`, which is {min}");
            self.fault(cell.span(), (message, Some(format!("write at most {}", min + 100))));
        }
        preset
    }

    fn whole(&mut self, cell: &Cell<'_>, key: &str, bounds: &RangeInclusive<u32>) -> Option<u32> {
        let DeValue::Integer(digits) = cell.get_ref() else {
            self.wrong_type(cell, key, "a whole number");
            return None;
        };
        let number = u32::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let message = format!("`{key}` must be between {} and {}", bounds.start(), bounds.end());
            self.fault(cell.span(), (message, None));
        }
        number
    }

    fn percent(&mut self, table: &DeTable<'_>, key: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        self.whole(table.get(key)?, key, &bounds)
    }

    fn seconds(&mut self, table: &DeTable<'_>, key: &str, most: u64) -> Option<u32> {
        let cell = table.get(key)?;
        let text = self.text(cell, key)?;
        match parse_span(text) {
            Ok(span) if span.as_secs() <= most => u32::try_from(span.as_secs()).ok(),
            Ok(_) => {
                let longest = crate::config::span(std::time::Duration::from_secs(most));
                self.fault(cell.span(), (format!("`{key}` may be {longest} at most"), None));
                None
            }
            Err(why) => {
                self.fault(cell.span(), (format!("`{key}`: {why}"), None));
                None
            }
        }
    }

    fn checkpoints(&mut self, cell: &Cell<'_>) -> Option<Vec<u32>> {
        let DeValue::Array(cells) = cell.get_ref() else {
            self.wrong_type(cell, "checkpoints", "a list of percentages such as [10, 50, 100]");
            return None;
        };
        let mut marks: Vec<u32> = Vec::new();
        for cell in cells.iter() {
            let Some(mark) = self.whole(cell, "checkpoints", &(1..=100)) else { continue };
            if marks.last().is_some_and(|last| *last >= mark) {
                let hint = Some("write them in rising order, none twice".to_owned());
                self.fault(cell.span(), (format!("`checkpoints` must ascend, and {mark} does not"), hint));
            }
            marks.push(mark);
        }
        if let Some(last) = marks.last().filter(|last| **last < 100) {
            let message =
                format!("the last of `checkpoints` is {last}: only that part of a group is refreshed");
            self.warn(cell.span(), (message, Some("end it with 100 to replace all".to_owned())));
        }
        Some(marks)
    }

    fn handling(&mut self, table: &DeTable<'_>, key: &str) -> Option<Handling> {
        let cell = table.get(key)?;
        let word = self.text(cell, key)?;
        let known = Handling::named(word);
        if known.is_none() {
            let words = Handling::ALL.map(Handling::word);
            let hint = did_you_mean(word, words).map_or_else(
                || format!("write one of {}", words.join(", ")),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.fault(cell.span(), (format!("`{key}` cannot be `{word}`"), Some(hint)));
        }
        known
    }

    fn alarms(&mut self, cell: &Cell<'_>) -> Option<Vec<Text>> {
        let fits = |name: &str| {
            let is_right = !name.is_empty() && name.len() <= 255;
            (!is_right).then(|| ("an alarm's name has 1 to 255 characters".to_owned(), None))
        };
        let names = self.texts(cell, "alarms", "a list of alarms", fits);
        if names.len() > ALARMS {
            self.fault(cell.span(), (format!("AWS watches {ALARMS} alarms at most"), None));
            return None;
        }
        (!names.is_empty()).then(|| names.into_iter().map(Text::new).collect())
    }
}
