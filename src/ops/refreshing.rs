//! An instance refresh as an operation sees it: which one is meant, what a group is saved with, and how far it is.

use crate::gateway::change::{Desired, Handling, Preferences};
use crate::model::text::harmless;
use crate::model::{Group, GroupName, Member, Mix, RefreshDetail, TemplateRef, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which refresh of a group is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RefreshMark {
    /// The group.
    pub group: GroupName,
    /// Which of its refreshes.
    pub which: Which,
}

/// A refresh by its id, or by what it is known again by when the answer that held its id was lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one of this id.
    Known(Text),
    /// The first one after another that launches this and was started with these preferences.
    Started {
        /// The newest refresh that the group had before; none when it had none.
        after: Option<Text>,
        /// Template and version, `lt-…:7`; none when it launches what the group has.
        launches: Option<Text>,
        /// What of a mixed group's policy it sets, in words; none where it sets none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mix: Option<Text>,
        /// Every preference.
        wants: Box<Preferences>,
    },
}

impl RefreshMark {
    /// The refresh that will be started with these.
    pub fn started(
        group: &GroupName,
        after: Option<&Text>,
        desired: Option<&Desired>,
        wants: &Preferences,
    ) -> Self {
        let launches = desired.map(|desired| version(desired.template()));
        let mix = match desired {
            Some(Desired::Mixed { mix, .. }) => Some(spread(mix)),
            _ => None,
        };
        let which = Which::Started { after: after.cloned(), launches, mix, wants: Box::new(wants.clone()) };
        Self { group: group.clone(), which }
    }

    /// The refresh of that id.
    pub fn known(group: &GroupName, id: &Text) -> Self {
        Self { group: group.clone(), which: Which::Known(id.clone()) }
    }

    /// Means a refresh that comes after this one. One that is known by its id stays the one.
    pub fn renew(&mut self, newest: Option<&Text>) {
        if let Which::Started { after, .. } = &mut self.which {
            *after = newest.cloned();
        }
    }

    /// The refresh among those of the group, the newest of which stands first.
    pub fn find<'a>(&self, all: &'a [RefreshDetail]) -> Option<&'a RefreshDetail> {
        match &self.which {
            Which::Known(id) => all.iter().find(|one| one.refresh.id == *id),
            Which::Started { after, launches, mix, wants } => {
                let later = all.iter().take_while(|one| Some(&one.refresh.id) != after.as_ref());
                let is_meant = |one: &&RefreshDetail| {
                    // What AWS does not tell of a policy is no difference.
                    let told = one.mix.as_ref().map(spread);
                    let is_same_mix = told.is_none() || mix.is_none() || told == *mix;
                    one.launches.as_ref().map(version) == *launches && is_same_mix && is_like(one, wants)
                };
                later.filter(is_meant).last()
            }
        }
    }
}

impl fmt::Display for RefreshMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = harmless(self.group.as_str());
        match &self.which {
            Which::Known(id) => write!(f, "refresh {} of {group}", harmless(id)),
            Which::Started { launches: Some(version), .. } => {
                write!(f, "refresh of {group} to {}", harmless(version))
            }
            Which::Started { launches: None, .. } => write!(f, "refresh of {group}"),
        }
    }
}

/// Whether a refresh was started with these preferences. What AWS does not tell is no difference.
fn is_like(one: &RefreshDetail, wants: &Preferences) -> bool {
    let same = |told: Option<u32>, ours: u32| told.is_none_or(|told| told == ours);
    let told = &one.wants;
    let handled = |told: &Option<Text>, ours: Handling, replace: &str| {
        let word = match ours {
            Handling::Replace => replace,
            Handling::Ignore => "Ignore",
            Handling::Wait => "Wait",
        };
        told.as_ref().is_none_or(|told| told == word)
    };
    let has_checkpoints = !wants.checkpoints.is_empty();
    same(told.min_healthy, wants.min_healthy)
        && same(told.max_healthy, wants.max_healthy)
        && same(told.warmup_s, wants.warmup_s)
        && same(told.bake_s, wants.bake_s)
        && one.checkpoints == wants.checkpoints
        && (!has_checkpoints || same(told.checkpoint_delay_s, wants.checkpoint_delay_s))
        && told.skips_matching.is_none_or(|told| told == wants.skips_matching)
        && one.rolls_back == wants.rolls_back
        && handled(&told.protected, wants.protected, "Refresh")
        && handled(&told.standby, wants.standby, "Terminate")
        && told.alarms == wants.alarms
}

/// Of a mixed group's policy what tells one share from another, and what AWS adds nothing to by itself.
fn spread(mix: &Mix) -> Text {
    let types: Vec<&str> = mix.types.iter().map(|(kind, _)| kind.as_str()).collect();
    let (base, percent) = (mix.on_demand_base, mix.on_demand_percent);
    Text::from(format!("{base} on demand, {percent} % above, {}", types.join(" ")))
}

/// Template and version as marks name them: by the id, where it is known.
pub fn version(template: &TemplateRef) -> Text {
    let name = if template.id.is_empty() { template.name.as_str() } else { template.id.as_str() };
    Text::from(format!("{name}:{}", template.version))
}

/// What a group is saved with, a word for each part: somebody who changes any of it makes a plan stale.
pub fn launches(group: &Group) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(group.template.as_ref().map(|template| version(template).to_string()));
    words.extend(group.launch_configuration.as_ref().map(|name| format!("launch configuration {name}")));
    words.extend(group.mix.as_ref().map(mixed).into_iter().flatten());
    words
}

/// How much of a mixed group is on demand.
pub(super) fn share(mix: &Mix) -> String {
    format!("{} on demand, {} % above", mix.on_demand_base, mix.on_demand_percent)
}

fn mixed(mix: &Mix) -> Vec<String> {
    let mut words = vec![share(mix)];
    let strategies = [("on demand", &mix.on_demand_strategy), ("spot", &mix.spot_strategy)];
    words.extend(strategies.into_iter().filter_map(|(of, word)| Some(format!("{of} {}", word.as_ref()?))));
    words.extend(mix.spot_pools.map(|pools| format!("{pools} spot pools")));
    words.extend(mix.spot_max_price.as_ref().map(|price| format!("spot at most {price}")));
    for (at, (kind, weight)) in mix.types.iter().enumerate() {
        let mut word = kind.to_string();
        if let Some(weight) = weight {
            word.push_str(&format!(" weighs {weight}"));
        }
        if let Some(own) = mix.own.iter().find(|own| own.at == at) {
            let parts = own.template.as_ref().map(version).into_iter();
            parts.chain(own.image.clone()).for_each(|part| word.push_str(&format!(" with {part}")));
        }
        words.push(word);
    }
    words.extend(mix.unheld.iter().map(ToString::to_string));
    words
}

/// How far a refresh is, in words that hold for its status: a percentage falls back to 0 on the way back, and a
/// refresh whose checkpoints end below 100 has succeeded with a part.
pub fn progress(one: &RefreshDetail, of: u32) -> String {
    let refresh = &one.refresh;
    let total = of.max(refresh.remaining.unwrap_or(0));
    let counts = |remaining: u32| format!("{} of {total}", total.saturating_sub(remaining));
    let percent = refresh.percent.map(|percent| format!(" ({percent} %)")).unwrap_or_default();
    let replaced = refresh.remaining.map(|remaining| format!("replaced {}{percent}", counts(remaining)));
    let replaced = replaced.unwrap_or_else(|| "nothing is replaced yet".to_owned());
    let at_turn = one.remaining_on_rollback.map(counts);
    let at_turn = at_turn.map(|counts| format!("; {counts} had been replaced")).unwrap_or_default();
    let last = one.checkpoints.last().copied().unwrap_or(100);
    let passed = refresh.percent.and_then(|now| one.checkpoints.iter().rev().find(|mark| **mark <= now));
    let mut said = match refresh.status.as_str() {
        "Pending" => "waits to begin".to_owned(),
        "InProgress" => match passed {
            Some(mark) if *mark < 100 => format!("{replaced}, checkpoint {mark} % reached"),
            _ => replaced,
        },
        "Baking" => format!("{replaced}; alarms are watched for {} s more", one.wants.bake_s.unwrap_or(0)),
        "Successful" if last < 100 => {
            format!("{replaced}: a part, as its checkpoints end at {last} %; the others stay as they were")
        }
        "Successful" => replaced,
        "RollbackInProgress" => format!("goes back{percent}{at_turn}"),
        "RollbackSuccessful" => format!("went back{at_turn}"),
        "RollbackFailed" => format!("could not go back{at_turn}"),
        "Cancelling" => format!("is being cancelled; {replaced}"),
        "Cancelled" => format!("was cancelled; {replaced}"),
        "Failed" => format!("failed; {replaced}"),
        other => format!("{other}: {replaced}"),
    };
    let why = one.rollback_reason.as_ref().or(refresh.reason.as_ref());
    if let Some(why) = why.filter(|_| refresh.status != "Successful") {
        said.push_str(&format!(": {why}"));
    }
    said
}

/// How [`progress`] begins where it says what became of a refresh.
const FATES: [&str; 5] = ["goes back", "went back", "could not go back", "was cancelled", "failed"];

/// What [`progress`] said, without what became of it: how far it was, and why.
fn rest(said: &str) -> &str {
    let goes_on =
        |rest: &&str| rest.is_empty() || ["; ", ": ", " ("].iter().any(|lead| rest.starts_with(lead));
    FATES.iter().find_map(|fate| said.strip_prefix(fate)).filter(goes_on).unwrap_or(said)
}

/// Why a refresh was left, with how far it was: what became of it is said once.
pub fn explained(why: &str, said: &str) -> String {
    let rest = rest(said);
    if rest.len() == said.len() { format!("{why}: {said}") } else { format!("{why}{rest}") }
}

/// Whether an explanation tells all that was said of a refresh.
pub fn explains(why: &str, said: &str) -> bool {
    let rest = rest(said);
    why.contains(said) || !rest.is_empty() && rest.len() < said.len() && why.ends_with(rest)
}

/// How far a refresh is, by the numbers in what [`progress`] says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Instances replaced, and of how many; on the way back those that had been when it turned.
    pub replaced: Option<(u32, u32)>,
    /// AWS's own percentage: of those that are healthy and warmed up, and on the way back of the way back.
    pub percent: Option<u32>,
    /// It is on its way back, or came back.
    pub is_back: bool,
    /// Members that run what the group goes back to, and of how many; none where nobody counted.
    pub back: Option<(u32, u32)>,
}

/// How many members run what the group goes back to, in words; none where it has no member.
pub fn back(group: &Group, to: &[TemplateRef]) -> Option<String> {
    let is_leaving =
        |member: &&Member| ["Terminat", "Detach"].iter().any(|word| member.state.starts_with(word));
    let has = |member: &&Member| {
        let is_it = |has: &TemplateRef, one: &TemplateRef| {
            has.version == one.version && (has.id == one.id || has.id.is_empty() && has.name == one.name)
        };
        member.template.as_ref().is_some_and(|has| to.iter().any(|one| is_it(has, one)))
    };
    let all = || group.members.iter().filter(|member| !is_leaving(member));
    let what = match to {
        [only] => format!("version {}", only.version),
        _ => "what they ran before".to_owned(),
    };
    (all().count() > 0).then(|| format!("{} of {} run {what}", all().filter(has).count(), all().count()))
}

/// The numbers in what [`progress`] said.
pub fn counted(said: &str) -> Counted {
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let pair = |(left, right): (&str, &str)| {
        let done = left.rsplit(' ').next().and_then(number)?;
        Some((done, number(right)?))
    };
    let at_turn = said.split_once(" had been replaced").and_then(|(before, _)| before.rsplit_once(" of "));
    let replaced = said.split_once("replaced ").and_then(|(_, after)| after.split_once(" of "));
    let percent = said.split_once(" %)").and_then(|(before, _)| before.rsplit('(').next()?.parse().ok());
    let is_back = FATES.iter().take(3).any(|fate| said.starts_with(fate));
    let back = said.rsplit_once(" run ").and_then(|(before, _)| {
        let (done, of) = before.rsplit("; ").next()?.split_once(" of ")?;
        Some((done.parse().ok()?, of.parse().ok()?))
    });
    Counted { replaced: if is_back { at_turn } else { replaced }.and_then(pair), percent, is_back, back }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Refresh, RefreshWants};

    #[test]
    fn what_became_of_a_refresh_is_said_once() {
        let stuck = "could not go back; 1 of 12 had been replaced: no room";
        let why = explained("AWS could not take it back", stuck);
        assert_eq!(why, "AWS could not take it back; 1 of 12 had been replaced: no room");
        assert!(
            explains(&why, stuck) && !explains(&why, "could not go back; 2 of 12 had been replaced: no room")
        );
        // As journals of older versions have it.
        assert!(explains(&format!("AWS could not take it back: {stuck}"), stuck));
        let cases = [
            (
                "the refresh failed",
                "failed; replaced 3 of 12 (25 %)",
                "the refresh failed; replaced 3 of 12 (25 %)",
            ),
            ("AWS takes it back", "goes back (8 %)", "AWS takes it back (8 %)"),
            ("an alarm rings", "replaced 3 of 12 (25 %)", "an alarm rings: replaced 3 of 12 (25 %)"),
            ("it did not start", "failedover is no answer", "it did not start: failedover is no answer"),
        ];
        for (why, said, all) in cases {
            assert_eq!(explained(why, said), all);
        }
        assert!(!explains("an alarm rings", "replaced 3 of 12 (25 %)"));
        assert!(!explains("an alarm rings", "could not go back"), "what became of it is not said by why");
    }

    fn wants() -> Preferences {
        Preferences {
            min_healthy: 100,
            max_healthy: 110,
            warmup_s: 60,
            checkpoints: vec![25, 100],
            checkpoint_delay_s: 600,
            skips_matching: true,
            rolls_back: true,
            protected: Handling::Ignore,
            standby: Handling::Ignore,
            alarms: vec!["errors".into()],
            bake_s: 900,
        }
    }

    fn refresh(id: &str, status: &str, percent: u32, remaining: u32) -> RefreshDetail {
        RefreshDetail {
            refresh: Refresh {
                group: "web".into(),
                id: id.into(),
                status: status.into(),
                reason: None,
                percent: Some(percent),
                remaining: Some(remaining),
                started_at: None,
                ended_at: None,
            },
            launches: Some(TemplateRef { id: "lt-1".into(), name: "web".into(), version: "7".into() }),
            mix: None,
            checkpoints: vec![25, 100],
            rolls_back: true,
            rollback_reason: None,
            remaining_on_rollback: None,
            wants: RefreshWants {
                min_healthy: Some(100),
                max_healthy: Some(110),
                warmup_s: Some(60),
                checkpoint_delay_s: Some(600),
                skips_matching: Some(true),
                protected: Some("Ignore".into()),
                standby: Some("Ignore".into()),
                alarms: vec!["errors".into()],
                bake_s: Some(900),
            },
        }
    }

    #[test]
    fn a_refresh_is_ours_by_version_preferences_and_order() {
        let template = TemplateRef { id: "lt-1".into(), name: String::new().into(), version: "7".into() };
        let desired = Desired::Template(template);
        let mark = |after: Option<&str>| {
            let after = after.map(Text::new);
            RefreshMark::started(&"web".into(), after.as_ref(), Some(&desired), &wants())
        };
        let old = refresh("ir-old", "Successful", 100, 0);
        let mut foreign = refresh("ir-foreign", "Cancelled", 0, 12);
        foreign.wants.min_healthy = Some(90);
        let ours = refresh("ir-ours", "InProgress", 0, 12);
        let all = [ours.clone(), foreign.clone(), old.clone()];
        assert_eq!(mark(Some("ir-old")).find(&all), Some(&ours));
        assert_eq!(mark(Some("ir-ours")).find(&all), None, "an earlier one is not meant");
        assert_eq!(mark(None).find(&[foreign]), None, "another's preferences");
        let mut other = ours.clone();
        other.launches.as_mut().unwrap().version = "8".into();
        assert_eq!(mark(None).find(&[other]), None, "another's version");
        assert_eq!(RefreshMark::known(&"web".into(), &"ir-old".into()).find(&all), Some(&old));
        // There and back launch the same version where only the share of spot changes.
        let share = |percent| Mix { on_demand_percent: percent, ..Mix::default() };
        let mixed = |percent| Desired::Mixed { template: desired.template().clone(), mix: share(percent) };
        let mark = |percent| RefreshMark::started(&"web".into(), None, Some(&mixed(percent)), &wants());
        let told = RefreshDetail { mix: Some(share(20)), ..ours.clone() };
        assert_eq!(mark(20).find(std::slice::from_ref(&told)), Some(&told));
        assert_eq!(mark(50).find(&[told]), None, "another share");
        assert_eq!(mark(50).find(std::slice::from_ref(&ours)), Some(&ours), "AWS tells none");
    }

    #[test]
    fn progress_is_told_by_counts_that_fit_the_status() {
        let says = |one: &RefreshDetail| progress(one, 12);
        assert_eq!(
            says(&refresh("r", "InProgress", 25, 9)),
            "replaced 3 of 12 (25 %), checkpoint 25 % reached"
        );
        assert_eq!(says(&refresh("r", "InProgress", 8, 11)), "replaced 1 of 12 (8 %)");
        assert_eq!(says(&refresh("r", "Successful", 100, 0)), "replaced 12 of 12 (100 %)");
        let mut part = refresh("r", "Successful", 25, 9);
        part.checkpoints = vec![25];
        assert!(says(&part).contains("3 of 12 (25 %): a part, as its checkpoints end at 25 %"));
        let mut back = refresh("r", "RollbackInProgress", 0, 9);
        back.remaining_on_rollback = Some(9);
        back.rollback_reason = Some("alarm errors".into());
        assert_eq!(says(&back), "goes back (0 %); 3 of 12 had been replaced: alarm errors");
        assert_eq!(
            says(&refresh("r", "InProgress", 0, 15)),
            "replaced 0 of 15 (0 %)",
            "a group that grew meanwhile"
        );
        let numbers = |one: &RefreshDetail| {
            let Counted { replaced, percent, is_back, .. } = counted(&says(one));
            (replaced, percent, is_back)
        };
        assert_eq!(numbers(&refresh("r", "InProgress", 25, 9)), (Some((3, 12)), Some(25), false));
        assert_eq!(numbers(&refresh("r", "Cancelling", 8, 11)), (Some((1, 12)), Some(8), false));
        assert_eq!(numbers(&part), (Some((3, 12)), Some(25), false));
        assert_eq!(numbers(&back), (Some((3, 12)), Some(0), true));
        assert_eq!(counted("waits to begin"), Counted::default());
        let counts = counted(
            "goes back (8 %); 3 of 12 had been replaced: it should not run here; 11 of 13 run version 3",
        );
        assert_eq!((counts.replaced, counts.back), (Some((3, 12)), Some((11, 13))));
        assert_eq!(counted("goes back (8 %); 3 of 12 had been replaced: it should not run here").back, None);
    }
}
