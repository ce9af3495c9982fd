//! A refresh or a rollout on its page: wave by wave and group by group how far AWS is, which checkpoints it has
//! passed, what it is judged by and what was seen of that, and the buttons that hold it, let it go on and take it back.

use super::Sheet;
use crate::gateway::Change;
use crate::gateway::change::Preferences;
use crate::model::Health;
use crate::model::text::harmless;
use crate::ops::Aspect;
use crate::ops::event::{At, End};
use crate::ops::judgement::{Verdict, verdict};
use crate::ops::plan::{Lane, Step};
use crate::ops::progress::LaneProgress;
use crate::ops::refreshing::{Counted, counted, explains};
use crate::ops::state::{LaneState, OpState, Phase};
use crate::tui::cell;
use crate::tui::page::TextLine;
use crate::tui::page::operations::{bar, progress};
use crate::tui::page::overview::health_role;
use crate::tui::signs::Signs;
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// Columns of a group's name at most, on a narrow screen and on a wide one.
const NAME: (usize, usize) = (22, 44);
/// From so many columns on a screen is wide.
const WIDE: usize = 120;
/// Where what is said below a group begins.
const INDENT: &str = "      ";

/// The preferences of the refresh that a step starts; none for other steps.
fn wants(step: &Step) -> Option<&Preferences> {
    match step.go.act.change() {
        Some(Change::StartRefresh { preferences, .. }) => Some(preferences),
        _ => None,
    }
}

fn is_refresh(step: &Step) -> bool {
    wants(step).is_some() || step.go.tells.iter().any(|it| matches!(it, Aspect::RefreshProgress { .. }))
}

/// Whether an operation has groups that AWS refreshes.
pub(super) fn is_one(op: &OpState) -> bool {
    op.plan.lanes.iter().any(|lane| lane.steps.iter().any(is_refresh))
}

/// A bar of so many columns with its checkpoints in it.
fn marked(signs: Signs, percent: u32, marks: &[u32], width: usize) -> String {
    let at = |mark: u32| usize::try_from(mark).unwrap_or(0) * width / 100;
    let full = at(percent.min(100));
    let one = |column: usize| {
        let is_mark = marks.iter().any(|mark| *mark < 100 && at(*mark) == column);
        match (is_mark, column < full) {
            (true, _) => signs.side(),
            (false, true) => signs.full(),
            (false, false) => signs.void(),
        }
    };
    (0..width).map(one).collect()
}

/// Lanes under one heading.
struct Part {
    name: String,
    lanes: Vec<usize>,
}

/// The lanes of an operation by their waves, or by tiers where all go side by side.
fn parts(op: &OpState) -> Vec<Part> {
    let lanes = &op.plan.lanes;
    if op.plan.waves.is_empty() {
        let mut parts: Vec<(Option<&str>, Part)> = Vec::new();
        for (number, lane) in lanes.iter().enumerate() {
            let tier = lane.tier.as_deref();
            match parts.iter_mut().find(|(of, _)| *of == tier) {
                Some((_, part)) => part.lanes.push(number),
                None => {
                    let name = tier.map_or_else(|| "Groups".to_owned(), |tier| format!("Groups of {tier}"));
                    parts.push((tier, Part { name, lanes: vec![number] }));
                }
            }
        }
        return parts.into_iter().map(|(_, part)| part).collect();
    }
    let count = op.plan.waves.len();
    let named = op.plan.waves.iter().enumerate().map(|(at, wave)| Part {
        name: format!("Wave {} of {count}: {}", at + 1, what(lanes, wave)),
        lanes: wave.clone(),
    });
    named.collect()
}

/// What the lanes of a wave do.
fn what(lanes: &[Lane], wave: &[usize]) -> String {
    let mine = || wave.iter().filter_map(|at| lanes.get(*at));
    let changes = || mine().flat_map(|lane| &lane.steps).filter_map(|step| step.go.act.change());
    if changes().any(|change| matches!(change, Change::CreateTemplateVersion { .. })) {
        return "new template versions".to_owned();
    }
    if changes().any(|change| matches!(change, Change::SetDefaultVersion { .. })) {
        return "$Default of the templates".to_owned();
    }
    let mut tiers: Vec<&str> = mine().filter_map(|lane| lane.tier.as_deref()).collect();
    tiers.sort_unstable();
    tiers.dedup();
    let of = if tiers.is_empty() { String::new() } else { format!(" of {}", tiers.join(", ")) };
    match mine().count() {
        1 => format!("one group{of}"),
        many => format!("{many} groups{of}"),
    }
}

/// How many lanes are where, in a few words.
fn census(op: &OpState, lanes: &[LaneProgress], part: &Part) -> String {
    let mut words: Vec<(&str, usize)> = Vec::new();
    for at in &part.lanes {
        let (Some(lane), Some(state)) = (lanes.get(*at), op.lanes.get(*at)) else { continue };
        let word = word(lane, state).1;
        match words.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => words.push((word, 1)),
        }
    }
    words.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// How a lane stands: its health, and the word for it.
fn word(lane: &LaneProgress, state: &LaneState) -> (Health, &'static str) {
    let is_part =
        || counted(state.told.as_deref().unwrap_or_default()).replaced.is_some_and(|(done, of)| done < of);
    match (lane.state, state.is_held()) {
        ("running", true) => (Health::Warn, "held"),
        ("running", false) => (Health::Busy, "under way"),
        ("done", _) if is_part() => (Health::Warn, "done in part"),
        ("done", _) => (Health::Ok, "done"),
        ("waiting", _) => (Health::Unknown, "waiting"),
        ("undoing", _) => (Health::Warn, "going back"),
        ("undone", _) => (Health::Warn, "taken back"),
        (word @ ("skipped" | "untouched"), _) => (Health::Warn, word),
        (word, _) => (Health::Bad, word),
    }
}

impl Sheet<'_> {
    /// The groups of a refresh or a rollout.
    pub(super) fn board(&mut self) {
        let progress = progress(self.ui, self.listed);
        let op = &self.listed.op;
        let most = if self.width >= WIDE { NAME.1 } else { NAME.0 };
        let names = progress.lanes.iter().map(|lane| harmless(&lane.name).width());
        let wide = names.max().unwrap_or(0).clamp(4, most);
        for part in parts(op) {
            self.lines.push(TextLine::new());
            let title = format!("{}: {}", part.name, census(op, &progress.lanes, &part));
            self.put(Role::Title, (Role::Title, String::new()), &title);
            for number in part.lanes {
                if let (Some(lane), Some(state)) = (progress.lanes.get(number), op.lanes.get(number)) {
                    self.group(number, lane, state, wide);
                }
            }
        }
    }

    fn group(&mut self, number: usize, lane: &LaneProgress, state: &LaneState, wide: usize) {
        let (ui, op) = (self.ui, &self.listed.op);
        let Some(plan) = op.plan.lanes.get(number) else { return };
        let wants = plan.steps.iter().find_map(wants);
        let told = state.told.as_deref().unwrap_or_default();
        let counts = counted(told);
        let (health, word) = word(lane, state);
        let signs = ui.signs();
        let columns = if self.width >= WIDE { 40 } else { 20 };
        let bar = if plan.steps.iter().any(is_refresh) {
            let marks = wants.map(|wants| wants.checkpoints.as_slice()).unwrap_or_default();
            // A group that had nothing to replace is done without a percentage.
            let is_done = state.phase == Phase::Over(End::Done);
            let percent = counts.percent.unwrap_or(if is_done && told.is_empty() { 100 } else { 0 });
            marked(signs, percent, marks, columns)
        } else {
            bar(signs, lane.done, lane.total, columns)
        };
        let name = cell::cut(&harmless(&lane.name), wide, signs.cut()).into_owned();
        let blank = " ".repeat(wide.saturating_sub(name.width()));
        let sign = if health == Health::Unknown { signs.dot() } else { signs.health(health) };
        let bar = format!("{blank}  {bar}");
        let room = self.width.saturating_sub(4 + name.width() + bar.width());
        let says = cell::cut(&format!("  {}  {word}", numbers(counts)), room, signs.cut()).into_owned();
        self.lines.push(vec![
            (health_role(health), format!("  {sign} ")),
            (Role::RowKey, name),
            (health_role(health), bar),
            (Role::Text, says),
        ]);
        let is_open = matches!(state.phase, Phase::There | Phase::Back);
        let is_well = matches!(health, Health::Ok | Health::Unknown) || lane.state == "skipped";
        if !is_open && is_well {
            return;
        }
        self.story(lane, state);
        if let Some(wants) = wants.filter(|_| is_open) {
            self.aims(wants, counts);
        }
        self.evidence(number, state);
        // What else belongs to the group: versions made, judgements, waits.
        if plan.steps.len() > 1 {
            for step in 0..plan.steps.len() {
                self.step(At { lane: number, step }, state);
            }
        }
    }

    /// What AWS says of it, and why it went wrong where it did.
    fn story(&mut self, lane: &LaneProgress, state: &LaneState) {
        let told = state.told.as_deref().unwrap_or_default();
        let lead = || (Role::Text, INDENT.to_owned());
        if !told.is_empty() {
            // Why it went wrong may say all of it.
            if !state.why.iter().any(|why| explains(why, told)) {
                self.put(Role::Text, lead(), told);
            }
        } else if !lane.now.is_empty() {
            self.put(Role::Text, lead(), &lane.now);
        }
        let is_said =
            |why: &&String| told.contains(why.as_str()) || told.is_empty() && lane.now.contains(why.as_str());
        for why in state.why.iter().filter(|why| !is_said(why)) {
            self.put(Role::Trouble, lead(), why);
        }
    }

    /// What a refresh is to pass, and what is watched meanwhile.
    fn aims(&mut self, wants: &Preferences, counts: Counted) {
        let signs = self.ui.signs();
        let span = |seconds: u32| crate::config::span(std::time::Duration::from_secs(seconds.into()));
        let mut words = Vec::new();
        if !wants.checkpoints.is_empty() {
            // On the way back none counts any more.
            let percent = counts.percent.filter(|_| !counts.is_back).unwrap_or(0);
            let mark = |mark: &u32| {
                let sign = if *mark <= percent { signs.health(Health::Ok) } else { signs.dot() };
                format!("{sign}{mark}")
            };
            let marks: Vec<String> = wants.checkpoints.iter().map(mark).collect();
            let delay = span(wants.checkpoint_delay_s);
            words.push(format!("checkpoints {} %, {delay} each", marks.join(" ")));
        }
        if wants.checkpoints.last().is_some_and(|last| *last < 100) {
            words.push("ends with a part".to_owned());
        }
        if wants.bake_s > 0 {
            words.push(format!("bakes {}", span(wants.bake_s)));
        }
        words.push(match wants.alarms.as_slice() {
            [] => "no alarm watches".to_owned(),
            alarms => {
                let names: Vec<&str> = alarms.iter().map(|name| name.as_str()).collect();
                format!("watched by {}", names.join(", "))
            }
        });
        let back =
            if wants.rolls_back { "AWS goes back by itself" } else { "AWS does not go back by itself" };
        words.push(back.to_owned());
        self.put(Role::Dim, (Role::Dim, INDENT.to_owned()), &words.join("; "));
    }

    /// What it is judged by, and what was seen of that last.
    fn evidence(&mut self, number: usize, state: &LaneState) {
        let ui = self.ui;
        let Some(judged) = &state.judged else { return };
        let Some(step) = self.listed.op.step(At { lane: number, step: judged.step }) else { return };
        let since = ui.clock(judged.since);
        let mut told = Vec::new();
        for (fact, value) in &judged.seen {
            let (health, more) = match verdict(&step.go, fact, value) {
                Verdict::Well => (Health::Ok, String::new()),
                Verdict::Awaited(count) => (Health::Busy, format!(", {count} wanted")),
                Verdict::Ill => (Health::Bad, String::new()),
            };
            let count = value.count().filter(|count| *count > 0);
            let count = count.map(|count| format!(" ({count}{more})")).unwrap_or_else(|| {
                more.strip_prefix(", ").map(|more| format!(" ({more})")).unwrap_or_default()
            });
            told.push((health, format!("{fact}: {value}{count}")));
        }
        self.put(Role::Dim, (Role::Dim, INDENT.to_owned()), &format!("judged, as it is since {since}:"));
        for (health, text) in told {
            let role = if health == Health::Ok { Role::Text } else { health_role(health) };
            self.put(role, (health_role(health), format!("{INDENT}  {} ", ui.signs().health(health))), &text);
        }
    }
}

/// Counts and the percentage of a group, as wide for all.
fn numbers(counts: Counted) -> String {
    // On the way back those count that have come back; what had been replaced stands below.
    let live = counts.back.filter(|_| counts.is_back).or(counts.replaced);
    let pair = live.map(|(done, of)| format!("{done} of {of}")).unwrap_or_default();
    let percent = counts.percent.map(|percent| format!("{percent} %")).unwrap_or_default();
    format!("{pair:>12} {percent:>5}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_its_checkpoints_in_it() {
        assert_eq!(marked(Signs::Ascii, 40, &[20, 50, 100], 10), "##|#.|....");
        assert_eq!(marked(Signs::Ascii, 100, &[100], 10), "##########");
        assert_eq!(marked(Signs::Ascii, 0, &[], 4), "....");
    }
}
