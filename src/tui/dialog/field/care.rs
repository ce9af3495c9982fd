//! The fields of a group's mix and of how it treats its members.

use super::{Field, Name};
use crate::config::parse_span;
use crate::gateway::change::{Setting, Tuning};
use crate::model::Text;
use crate::ops::intent::{CleanWish, ShareWish};

const STRATEGY: &[&str] = &[
    "not said",
    "price-capacity-optimized",
    "capacity-optimized",
    "capacity-optimized-prioritized",
    "lowest-price",
];
const REBALANCING: &[&str] = &["not said", "on", "off"];

/// Members are replaced by a refresh.
pub(super) const BY_REFRESH: &str = "by a refresh";
const REPLACING: &[&str] = &["as they come", BY_REFRESH];
const UNUSED: &[&str] = &["keep", "deregister"];

/// The fields of `spot-share`, of `tune` and of `clean`.
pub(super) fn fields(verb: &str) -> Vec<Field> {
    let empty = |name| Field::line(name, String::new());
    match verb {
        "spot-share" => vec![
            empty(Name::Share),
            empty(Name::Base),
            Field::choice(Name::Strategy, STRATEGY),
            empty(Name::Types),
            Field::choice(Name::Replacing, REPLACING),
            empty(Name::Alarms),
            Field::choice(Name::Risk, super::RISK),
        ],
        "clean" => vec![
            Field::line(Name::Newest, CleanWish::default().newest.to_string()),
            Field::choice(Name::Unused, UNUSED),
        ],
        _ => vec![
            empty(Name::Ended),
            empty(Name::Warmup),
            Field::choice(Name::Rebalancing, REBALANCING),
            empty(Name::Maintenance),
        ],
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',']).filter(|word| !word.is_empty())
}

/// What fields say of a share; none where they say nothing.
pub(super) fn share(fields: &[Field]) -> Result<Option<ShareWish>, String> {
    let mut wish = ShareWish::default();
    for field in fields {
        let text = field.text().trim();
        let number = |text: &str| {
            let wrong = || format!("{}: `{text}` is no whole number", field.name.label());
            text.parse::<u32>().map(Some).map_err(|_| wrong())
        };
        match field.name {
            _ if text.is_empty() || text == "not said" => {}
            Name::Share => wish.percent = number(text)?,
            Name::Base => wish.base = number(text)?,
            Name::Strategy => wish.strategy = Some(text.to_owned()),
            Name::Types => wish.types = words(text).map(str::to_owned).collect(),
            _ => {}
        }
    }
    Ok((wish != ShareWish::default()).then_some(wish))
}

/// What fields say of settings; none where they say nothing.
pub(super) fn tuning(fields: &[Field]) -> Result<Option<Tuning>, String> {
    let mut tuning = Tuning::default();
    for field in fields {
        let text = field.text().trim();
        match field.name {
            _ if text.is_empty() || text == "not said" => {}
            Name::Ended => tuning.terminations = Some(words(text).map(Text::new).collect()),
            Name::Warmup if text == "none" => tuning.warmup = Setting::Clear,
            Name::Warmup => {
                let span = parse_span(text).map_err(|why| format!("warm-up: {why}"))?;
                let seconds = u32::try_from(span.as_secs()).map_err(|_| "warm-up: it is too long")?;
                tuning.warmup = Setting::To(seconds);
            }
            Name::Rebalancing => tuning.rebalances = Some(text == "on"),
            Name::Maintenance if text == "none" => tuning.maintenance = Setting::Clear,
            Name::Maintenance => {
                let bounds = text
                    .split_once('-')
                    .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
                let wrong = || format!("maintenance: `{text}` is not like 90-110");
                tuning.maintenance = Setting::To(bounds.ok_or_else(wrong)?);
            }
            _ => {}
        }
    }
    Ok((!tuning.is_empty()).then_some(tuning))
}

/// What fields say of cleaning; none where they are of something else. The journal is asked later.
pub(super) fn clean(fields: &[Field]) -> Result<Option<CleanWish>, String> {
    let Some(newest) = fields.iter().find(|field| field.name == Name::Newest) else { return Ok(None) };
    let text = newest.text().trim();
    let count = text.parse().map_err(|_| format!("newest: `{text}` is no whole number"))?;
    let images = fields.iter().any(|field| field.name == Name::Unused && field.text() == "deregister");
    let wish = CleanWish { newest: count, images, ..CleanWish::default() };
    Ok((wish != CleanWish::default()).then_some(wish))
}

#[cfg(test)]
mod tests {
    use super::super::{Content, Name, options};
    use super::*;
    use crate::tui::line::Line;

    #[test]
    fn what_is_typed_becomes_a_share_and_a_tuning() {
        let typed = |verb: &str, texts: &[(Name, &str)]| {
            let mut all = fields(verb);
            for (name, text) in texts {
                let field = all.iter_mut().find(|field| field.name == *name).unwrap();
                field.content = match &field.content {
                    Content::Text(_) => Content::Text(Line::new(*text)),
                    Content::Choice(words, _) => {
                        Content::Choice(words, words.iter().position(|word| word == text).unwrap())
                    }
                };
            }
            options(&all)
        };
        let share = typed(
            "spot-share",
            &[
                (Name::Share, "20"),
                (Name::Types, "m5.large, m5a.large"),
                (Name::Strategy, "capacity-optimized"),
            ],
        );
        let share = *share.unwrap().share.unwrap();
        assert_eq!((share.percent, share.base), (Some(20), None));
        assert_eq!((share.types.len(), share.strategy.as_deref()), (2, Some("capacity-optimized")));
        let alarmed = [(Name::Share, "0"), (Name::Alarms, "errors")];
        assert_eq!(typed("spot-share", &alarmed).unwrap().refresh, None, "nobody asked for a refresh");
        let refreshed =
            typed("spot-share", &[alarmed[0], alarmed[1], (Name::Replacing, BY_REFRESH)]).unwrap();
        assert_eq!(refreshed.refresh.unwrap().preset.alarms, Some(vec!["errors".into()]));
        let tuned =
            typed("tune", &[(Name::Warmup, "2m"), (Name::Maintenance, "none"), (Name::Rebalancing, "off")]);
        let tuned = *tuned.unwrap().tuning.unwrap();
        assert_eq!((tuned.warmup, tuned.maintenance), (Setting::To(120), Setting::Clear));
        assert_eq!((tuned.rebalances, tuned.terminations), (Some(false), None));
        assert!(typed("tune", &[(Name::Maintenance, "ninety")]).unwrap_err().contains("not like 90-110"));
        assert_eq!(typed("tune", &[]).unwrap().tuning, None);
        let cleaned = *typed("clean", &[(Name::Unused, "deregister")]).unwrap().clean.unwrap();
        assert_eq!((cleaned.newest, cleaned.images, cleaned.recorded), (3, true, None));
    }
}
