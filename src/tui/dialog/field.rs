//! The fields of a dialog: what each verb lets one choose, and the options that come of it.

mod care;
mod core;
mod launched;

use crate::config::parse_span;
use crate::ops::intent::{CoreWish, RefreshWish, RolloutWish};
use crate::ops::{OnTimeout, Options, Then};
use crate::tui::line::Line;

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) content: Content,
}

/// Which field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Desired,
    Min,
    Max,
    Processes,
    Image,
    Canary,
    Watch,
    Default,
    Share,
    Base,
    Strategy,
    Types,
    Ended,
    Warmup,
    Rebalancing,
    Maintenance,
    Replacing,
    Newest,
    Unused,
    Older,
    Deprecated,
    Owners,
    Finished,
    Version,
    Healthy,
    Checkpoints,
    Alarms,
    Protected,
    Risk,
    Under,
    To,
    Host,
    Database,
    Traffic,
    Then,
    Replace,
    Standalone,
    Containers,
    OnTimeout,
    Patience,
    Unavailable,
    Budget,
    Tag,
    Reason,
}

/// What is in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// One of some words.
    Choice(&'static [&'static str], usize),
    /// A line.
    Text(Line),
}

const THEN: &[&str] = &["keep", "standby", "terminate"];
const ON_TIMEOUT: &[&str] = &["undo", "leave", "force"];
const REPLACE: &[&str] = &["not said", "yes", "no"];
const STANDALONE: &[&str] = &["refuse", "stop"];
const CONTAINERS: &[&str] = &["leave", "stop"];
const PROTECTED: &[&str] = &["not said", "replace", "ignore", "wait"];
const RISK: &[&str] = &["refuse", "take"];
const UNDER: &[&str] = &["refuse", "adopt"];
const TRAFFIC: &[&str] = &["where served", "drain", "keep"];
const DEFAULT: &[&str] = &["leave", "move"];
const REFUSED: &[&str] = &["refuse", "take"];
const FINISHED: &[&str] = &["take back", "keep"];
const BUDGET: &[&str] = &["keep", "override"];
const TAG: &[&str] = &["heed", "ignore"];

impl Name {
    /// What stands before it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Desired => "desired",
            Self::Min => "min",
            Self::Max => "max",
            Self::Processes => "processes",
            Self::Image => "image",
            Self::Canary => "canary",
            Self::Watch => "watch",
            Self::Default => "$Default",
            Self::Share => "% on demand",
            Self::Base => "base",
            Self::Strategy => "spot strategy",
            Self::Types => "types",
            Self::Ended => "ended first",
            Self::Warmup => "warm-up",
            Self::Rebalancing => "rebalancing",
            Self::Maintenance => "maintenance",
            Self::Replacing => "members",
            Self::Newest => "newest",
            Self::Unused => "images",
            Self::Older => "older image",
            Self::Deprecated => "deprecated image",
            Self::Owners => "other owners",
            Self::Finished => "finished groups",
            Self::Version => "version",
            Self::Healthy => "healthy",
            Self::Checkpoints => "checkpoints",
            Self::Alarms => "alarms",
            Self::Protected => "protected",
            Self::Risk => "risks",
            Self::Under => "refresh under way",
            Self::To => "to",
            Self::Host => "host",
            Self::Database => "database",
            Self::Traffic => "traffic",
            Self::Then => "then",
            Self::Replace => "replace",
            Self::Standalone => "standalone tasks",
            Self::Containers => "other containers",
            Self::OnTimeout => "on time-out",
            Self::Patience => "patience",
            Self::Unavailable => "max unavailable",
            Self::Budget => "budget",
            Self::Tag => "do-not-disrupt",
            Self::Reason => "reason",
        }
    }

    /// What it means, for the line below.
    pub(crate) fn doc(self) -> &'static str {
        match self {
            Self::Desired => "how many instances or tasks there should be",
            Self::Min => "fewest instances; empty leaves it as it is (groups only)",
            Self::Max => "most instances; empty leaves it as it is (groups only)",
            Self::Processes => {
                "Launch, Terminate, HealthCheck, InstanceRefresh, ReplaceUnhealthy, AZRebalance, …"
            }
            Self::Image => {
                "ami-…, al2023, a parameter, OWNER:NAME*; empty is the newest of what each group launches"
            }
            Self::Canary => "percent of each group that are tried first; empty is 5, one instance at least",
            Self::Watch => "how long these are watched before the rest follows: 10m",
            Self::Default => "what $Default of the templates means when everything has succeeded",
            Self::Share => "percent on demand above the base: 50, 20, 0; empty leaves it",
            Self::Base => "on-demand instances that always come first; empty leaves it",
            Self::Strategy => "how AWS chooses spot pools",
            Self::Types => "in order of preference: m5.large m5.xlarge=2; empty leaves them",
            Self::Ended => "termination policies in order: OldestLaunchTemplate Default; empty leaves them",
            Self::Warmup => "how long a new member does not count: 120s; none; empty leaves it",
            Self::Rebalancing => "whether spot instances at risk are replaced before they are taken",
            Self::Replacing => "when members become what the new share says",
            Self::Newest => "so many of the newest versions stay, whatever uses them: 3",
            Self::Unused => "images that only deleted versions launch: gone for good, with their snapshots",
            Self::Maintenance => "percent of the desired capacity, 90-110; none; empty leaves it",
            Self::Older => "an image that was made before what it replaces",
            Self::Deprecated => "an image that its maker calls deprecated",
            Self::Owners => "accounts whose images are trusted besides, with commas between",
            Self::Finished => "what becomes of groups that are done when a later one fails",
            Self::Version => {
                "of the launch template: a number, latest or default; empty is what the group has"
            }
            Self::Healthy => {
                "percent in service, from-to: 100-110 launches first; empty is the tier's preset"
            }
            Self::Checkpoints => "percentages at which it waits: 10,50,100; none; empty is the tier's preset",
            Self::Alarms => "alarms that fail it, with commas between",
            Self::Protected => "what becomes of members that are protected from scale-in",
            Self::Risk => "whether it goes on although it may hurt",
            Self::Under => "whether a refresh that somebody else started is taken over and followed",
            Self::To => "the version, a tag of the image that each core has, or a whole image: 11.0.5",
            Self::Host => "which host, by id or name; empty is the one that fits best",
            Self::Database => {
                "the SecureString with the database's address, {core} for the id; empty is that of the entry"
            }
            Self::Traffic => {
                "whether it is led away first: where another target is healthy, always, or never"
            }
            Self::Then => "what becomes of an instance that is empty",
            Self::Replace => "whether its group launches another instance for one that leaves",
            Self::Standalone => "tasks that no service keeps: a stopped one is gone for good",
            Self::Containers => "containers that ECS does not know, stopped through Systems Manager",
            Self::OnTimeout => "what happens to a target that takes too long",
            Self::Patience => {
                "how long a target may take: 30m, 2h; empty: 30m for hosts, 1h for a deployment"
            }
            Self::Unavailable => "so many of a tier at once; empty: what the configuration says",
            Self::Budget => "how many of a tier may be unavailable at once",
            Self::Tag => "what the tag coredeck:do-not-disrupt forbids",
            Self::Reason => "why: kept in the journal",
        }
    }
}

impl Field {
    fn choice(name: Name, all: &'static [&'static str]) -> Self {
        Self { name, content: Content::Choice(all, 0) }
    }

    /// A line to be typed.
    pub(crate) fn line(name: Name, text: String) -> Self {
        Self { name, content: Content::Text(Line::new(text)) }
    }

    /// The fields of a verb: with the size that its only target has, and the processes that stand still there.
    pub(crate) fn of_verb(verb: &str, desired: Option<u32>, processes: String) -> Vec<Self> {
        let mut fields = match verb {
            "drain" => vec![
                Self::choice(Name::Then, THEN),
                Self::choice(Name::Replace, REPLACE),
                Self::choice(Name::Standalone, STANDALONE),
                Self::choice(Name::Containers, CONTAINERS),
            ],
            "standby" | "terminate" => vec![Self::choice(Name::Replace, REPLACE)],
            "scale" => {
                let desired = desired.map(|desired| desired.to_string()).unwrap_or_default();
                vec![
                    Self::line(Name::Desired, desired),
                    Self::line(Name::Min, String::new()),
                    Self::line(Name::Max, String::new()),
                ]
            }
            "suspend" | "resume" => vec![Self::line(Name::Processes, processes)],
            "spot-share" | "tune" | "clean" => care::fields(verb),
            "refresh" => {
                let empty = |name| Self::line(name, String::new());
                vec![
                    empty(Name::Version),
                    empty(Name::Healthy),
                    empty(Name::Checkpoints),
                    empty(Name::Alarms),
                    Self::choice(Name::Protected, PROTECTED),
                    Self::choice(Name::Risk, RISK),
                    Self::choice(Name::Under, UNDER),
                ]
            }
            "core restart" => vec![Self::choice(Name::Traffic, TRAFFIC), Self::choice(Name::Risk, RISK)],
            "core upgrade" => vec![Self::line(Name::To, String::new()), Self::choice(Name::Risk, RISK)],
            "core move" => vec![
                Self::line(Name::Host, String::new()),
                Self::line(Name::Database, String::new()),
                Self::choice(Name::Risk, RISK),
            ],
            "core stop" => vec![Self::choice(Name::Risk, RISK)],
            "rollout" => {
                let empty = |name| Self::line(name, String::new());
                vec![
                    empty(Name::Image),
                    empty(Name::Canary),
                    empty(Name::Watch),
                    empty(Name::Alarms),
                    Self::choice(Name::Default, DEFAULT),
                    Self::choice(Name::Finished, FINISHED),
                    Self::choice(Name::Older, REFUSED),
                    Self::choice(Name::Deprecated, REFUSED),
                    empty(Name::Owners),
                    Self::choice(Name::Risk, RISK),
                ]
            }
            _ => Vec::new(),
        };
        fields.push(Self::choice(Name::OnTimeout, ON_TIMEOUT));
        if matches!(verb, "drain" | "redeploy") {
            fields.push(Self::line(Name::Patience, String::new()));
        }
        let takes_down =
            ["drain", "standby", "stop", "reboot", "terminate", "core restart", "core stop", "core upgrade"];
        if takes_down.contains(&verb) {
            fields.push(Self::line(Name::Unavailable, String::new()));
            fields.push(Self::choice(Name::Budget, BUDGET));
        }
        fields.push(Self::choice(Name::Tag, TAG));
        fields.push(Self::line(Name::Reason, String::new()));
        fields
    }

    /// The line, or the word that is chosen.
    pub(crate) fn text(&self) -> &str {
        match &self.content {
            Content::Choice(all, at) => all.get(*at).copied().unwrap_or_default(),
            Content::Text(line) => &line.text,
        }
    }

    /// Whether another plan comes of another content.
    pub(crate) fn is_planned(&self) -> bool {
        self.name != Name::Reason
    }
}

/// The options that fields come to.
///
/// # Errors
///
/// A sentence about the one that is no number.
pub(crate) fn options(fields: &[Field]) -> Result<Options, String> {
    let mut options = Options::default();
    if fields.iter().any(|field| field.name == Name::Image) {
        let wish = launched::image(fields)?;
        options.rollout = (wish != RolloutWish::default()).then(|| Box::new(wish));
    } else {
        let wish = launched::refresh(fields)?;
        options.refresh = (wish != RefreshWish::default()).then(|| Box::new(wish));
    }
    let core = core::wish(fields);
    options.core = (core != CoreWish::default()).then(|| Box::new(core));
    options.share = care::share(fields)?.map(Box::new);
    options.tuning = care::tuning(fields)?.map(Box::new);
    if let Some(field) = fields.iter().find(|field| field.name == Name::Replacing) {
        let wish = options.refresh.take().unwrap_or_default();
        options.refresh = (field.text() == care::BY_REFRESH).then_some(wish);
    }
    options.clean = care::clean(fields)?.map(Box::new);
    for field in fields {
        let text = field.text().trim();
        let number = || match text {
            "" => Ok(None),
            digits => match digits.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{}: `{digits}` is no whole number", field.name.label())),
            },
        };
        match field.name {
            Name::Desired => options.desired = number()?,
            Name::Min => options.min = number()?,
            Name::Max => options.max = number()?,
            Name::Processes => {
                let words = text.split([' ', ',']).filter(|word| !word.is_empty());
                options.processes = words.map(str::to_owned).collect();
            }
            Name::Then => {
                options.then = match text {
                    "standby" => Then::Standby,
                    "terminate" => Then::Terminate,
                    _ => Then::Keep,
                }
            }
            Name::Replace => {
                options.replace = match text {
                    "yes" => Some(true),
                    "no" => Some(false),
                    _ => None,
                }
            }
            Name::Standalone => options.include_standalone = text == "stop",
            Name::Containers => options.stop_containers = text == "stop",
            Name::OnTimeout => {
                options.on_timeout = match text {
                    "leave" => OnTimeout::Leave,
                    "force" => OnTimeout::Force,
                    _ => OnTimeout::Undo,
                }
            }
            Name::Patience if text.is_empty() => {}
            Name::Patience => {
                let span = parse_span(text).map_err(|why| format!("{}: {why}", field.name.label()))?;
                options.timeout_s = Some(span.as_secs());
            }
            Name::Unavailable => match number()? {
                Some(0) => return Err("max unavailable: at least 1".to_owned()),
                most => options.max_unavailable = most,
            },
            Name::Budget => options.override_budget = text == "override",
            Name::Tag => options.ignore_do_not_disrupt = text == "ignore",
            Name::Risk => options.override_verdict = text == "take",
            Name::To
            | Name::Host
            | Name::Database
            | Name::Traffic
            | Name::Image
            | Name::Canary
            | Name::Watch
            | Name::Default
            | Name::Share
            | Name::Base
            | Name::Strategy
            | Name::Types
            | Name::Ended
            | Name::Warmup
            | Name::Rebalancing
            | Name::Maintenance
            | Name::Replacing
            | Name::Newest
            | Name::Unused
            | Name::Older
            | Name::Deprecated
            | Name::Owners
            | Name::Finished
            | Name::Version
            | Name::Healthy
            | Name::Checkpoints
            | Name::Alarms
            | Name::Protected
            | Name::Under
            | Name::Reason => {}
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_in_which_nothing_was_chosen_asks_for_what_a_script_without_flags_does() {
        for kind in crate::ops::KINDS {
            assert_eq!(
                options(&Field::of_verb(kind.word, None, String::new())),
                Ok(Options::default()),
                "{}",
                kind.word
            );
        }
    }

    #[test]
    fn every_choice_becomes_its_option() {
        let mut fields = Field::of_verb("drain", None, String::new());
        for field in &mut fields {
            if let Content::Choice(all, at) = &mut field.content {
                *at = all.len() - 1;
            }
        }
        let chosen = options(&fields).unwrap();
        assert_eq!(
            (chosen.then, chosen.on_timeout, chosen.replace),
            (Then::Terminate, OnTimeout::Force, Some(false))
        );
        assert!(chosen.include_standalone && chosen.stop_containers);
        assert!(chosen.override_budget && chosen.ignore_do_not_disrupt);
        let mut type_in = |name: Name, text: &str| {
            let field = fields.iter_mut().find(|field| field.name == name).unwrap();
            field.content = Content::Text(Line::new(text));
            options(&fields)
        };
        assert_eq!(type_in(Name::Patience, "1h30m").unwrap().timeout_s, Some(5_400));
        let both = type_in(Name::Unavailable, "3").unwrap();
        assert_eq!((both.timeout_s, both.max_unavailable), (Some(5_400), Some(3)));
        assert_eq!(type_in(Name::Unavailable, "0"), Err("max unavailable: at least 1".to_owned()));
        assert!(type_in(Name::Patience, "90").unwrap_err().starts_with("patience: \"90\" has no unit"));
        let mut fields = Field::of_verb("scale", Some(4), String::new());
        assert_eq!(options(&fields).unwrap().desired, Some(4));
        fields[1].content = Content::Text(Line::new("two"));
        assert_eq!(options(&fields), Err("min: `two` is no whole number".to_owned()));
    }
}
