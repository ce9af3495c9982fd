//! The fields of a dialog: what each verb lets one choose, and the options that come of it.

mod care;
mod core;
mod launched;
mod name;
mod setting;

pub(crate) use name::Name;

use crate::config::parse_span;
use crate::ops::intent::{ConfigWish, CoreWish, RefreshWish, RolloutWish};
use crate::ops::{OnTimeout, Options, Then};
use crate::tui::line::Line;

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) content: Content,
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
const MATCHING: &[&str] = &["not said", "yes", "no"];
const RISK: &[&str] = &["refuse", "take"];
const UNDER: &[&str] = &["refuse", "adopt"];
const TRAFFIC: &[&str] = &["where served", "drain", "keep"];
const DEFAULT: &[&str] = &["leave", "move"];
const REFUSED: &[&str] = &["refuse", "take"];
const FINISHED: &[&str] = &["take back", "keep"];
const BUDGET: &[&str] = &["keep", "override"];
const TAG: &[&str] = &["heed", "ignore"];

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
                Self::choice(Name::Risk, RISK),
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
                    empty(Name::Metric),
                    Self::choice(Name::Protected, PROTECTED),
                    Self::choice(Name::Matching, MATCHING),
                    Self::choice(Name::Risk, RISK),
                    Self::choice(Name::Under, UNDER),
                ]
            }
            "core restart" => vec![Self::choice(Name::Traffic, TRAFFIC), Self::choice(Name::Risk, RISK)],
            "core upgrade" => vec![
                Self::line(Name::To, String::new()),
                Self::choice(Name::Downgrade, REFUSED),
                Self::choice(Name::Risk, RISK),
            ],
            "core move" => core::moved(),
            "core stop" => vec![Self::choice(Name::Risk, RISK)],
            "core create" => core::fields(),
            "core config set" | "core keys rotate" | "core keys retire" => setting::fields(verb),
            "rollout" => {
                let empty = |name| Self::line(name, String::new());
                vec![
                    empty(Name::Image),
                    empty(Name::Canary),
                    empty(Name::Watch),
                    empty(Name::Alarms),
                    empty(Name::Metric),
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

    /// Takes what was typed. What might be a secret is not taken, and why is said.
    pub(crate) fn insert(&mut self, typed: &str) -> Option<String> {
        let Content::Text(line) = &mut self.content else { return None };
        line.insert(typed);
        let (kept, why) = match self.name {
            Name::Set => setting::withheld(&line.text)?,
            Name::Variables => core::withheld(&line.text)?,
            _ => return None,
        };
        *line = Line::new(kept);
        Some(why)
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
    let core = core::wish(fields)?;
    options.core = (core != CoreWish::default()).then(|| Box::new(core));
    let setting = setting::wish(fields)?;
    options.core_config = (setting != ConfigWish::default()).then(|| Box::new(setting));
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
            | Name::Memory
            | Name::Variables
            | Name::Hidden
            | Name::Without
            | Name::Downgrade
            | Name::Database
            | Name::Ids
            | Name::Tier
            | Name::Like
            | Name::Made
            | Name::Template
            | Name::Subnet
            | Name::ApiKey
            | Name::Doors
            | Name::Domain
            | Name::App
            | Name::Tenant
            | Name::Set
            | Name::Secrets
            | Name::Unset
            | Name::Saas
            | Name::NewKey
            | Name::Generate
            | Name::Keep
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
            | Name::Metric
            | Name::Protected
            | Name::Matching
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
        let mut fields = Field::of_verb("refresh", None, String::new());
        let matching = fields.iter_mut().find(|field| field.name == Name::Matching).unwrap();
        matching.content = Content::Choice(MATCHING, 2);
        assert_eq!(options(&fields).unwrap().refresh.unwrap().preset.skips_matching, Some(false));
        let mut fields = Field::of_verb("scale", Some(4), String::new());
        assert_eq!(options(&fields).unwrap().desired, Some(4));
        fields[1].content = Content::Text(Line::new("two"));
        assert_eq!(options(&fields), Err("min: `two` is no whole number".to_owned()));
    }
}
