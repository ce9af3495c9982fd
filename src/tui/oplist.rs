//! Which operations show, and in what order: a small filter and a sort of their own, since they are the journal's and
//! no rows of the fleet.

use super::page::operations::{health, progress};
use super::state::{PromptError, Ui};
use crate::error::did_you_mean;
use crate::model::Health;
use crate::ops::counter::Listed;
use crate::ops::progress::Progress;
use std::cmp::Reverse;
use std::sync::Arc;

/// What operations can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The worst first.
    State,
    /// What they do.
    Kind,
    /// Who began them.
    Who,
    /// When they were begun, the latest first.
    Begun,
    /// How far they are, the least first.
    Done,
}

impl By {
    pub(super) const ALL: [Self; 5] = [Self::State, Self::Kind, Self::Who, Self::Begun, Self::Done];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Kind => "kind",
            Self::Who => "who",
            Self::Begun => "begun",
            Self::Done => "done",
        }
    }
}

/// What the page of operations shows of them.
#[derive(Clone, Debug, Default)]
pub(super) struct OpList {
    /// The filter in force, as it was typed.
    pub(super) filter: String,
    /// The order, and whether it is turned round; none is the journal's: the latest first.
    pub(super) order: Option<(By, bool)>,
}

/// The fields that a filter can name.
pub(super) const FIELDS: [(&str, &str); 6] = [
    ("state", "how it stands; `open` is all that is not over"),
    ("kind", "what it does: drain, refresh"),
    ("who", "who began it"),
    ("why", "the reason that was given"),
    ("target", "what it acts on"),
    ("id", "its id"),
];

/// One word of a filter: all must hold.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    is_not: bool,
    field: Option<&'static str>,
    text: String,
}

/// Reads a filter; the error points into it.
fn parse(filter: &str) -> Result<Vec<Term>, PromptError> {
    let mut terms = Vec::new();
    let mut at = 0;
    for word in filter.split(' ') {
        let from = at;
        at += word.len() + 1;
        let (is_not, rest) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
        if rest.is_empty() {
            continue;
        }
        let (field, text) = match rest.split_once(':') {
            None => (None, rest),
            Some((name, text)) => match FIELDS.iter().find(|(known, _)| *known == name) {
                Some((known, _)) => (Some(*known), text),
                None => {
                    let near = did_you_mean(name, FIELDS.iter().map(|(known, _)| *known));
                    let hint = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => FIELDS.map(|(known, _)| known).join(", "),
                    };
                    let message = format!("operations have no `{name}`; {hint}");
                    return Err(PromptError { at: from + usize::from(is_not), message });
                }
            },
        };
        terms.push(Term { is_not, field, text: text.to_lowercase() });
    }
    Ok(terms)
}

/// What is wrong with a filter.
pub(super) fn fault(filter: &str) -> Option<PromptError> {
    parse(filter).err()
}

/// What the word being typed may become: where it begins, and each with what it means.
pub(super) fn offers(before: &str) -> (usize, Vec<(String, &'static str)>) {
    let from = before.rfind(' ').map_or(0, |at| at + 1);
    let word = before.get(from..).unwrap_or_default();
    let bare = word.strip_prefix('!').unwrap_or(word);
    let from = from + (word.len() - bare.len());
    if before.trim().is_empty() || bare.contains(':') {
        return (before.len(), Vec::new());
    }
    let fields = FIELDS.iter().filter(|(name, _)| name.starts_with(bare));
    (from, fields.map(|(name, doc)| (format!("{name}:"), *doc)).collect())
}

fn holds(term: &Term, listed: &Listed, progress: &Progress) -> bool {
    let has = |text: &str| text.to_lowercase().contains(&term.text);
    let state = || has(progress.standing.word()) || (term.text == "open" && listed.op.ended.is_none());
    let targets = || listed.op.plan.lanes.iter().any(|lane| has(&lane.target) || has(&lane.name));
    let why = || progress.reason.as_deref().is_some_and(has);
    let is_there = match term.field {
        Some("state") => state(),
        Some("kind") => has(&progress.kind),
        Some("who") => has(&progress.who),
        Some("why") => why(),
        Some("target") => targets(),
        Some("id") => has(&progress.id),
        _ => {
            has(&progress.title)
                || has(&progress.id)
                || has(&progress.kind)
                || has(&progress.who)
                || has(progress.standing.word())
                || why()
                || targets()
        }
    };
    is_there != term.is_not
}

/// The operations that show, in their order. A filter that cannot be read holds none back: the line being typed
/// says what is wrong with it.
pub(super) fn shown(ui: &Ui) -> Vec<Arc<Listed>> {
    let OpList { filter, order } = &ui.oplist;
    let terms = parse(filter).unwrap_or_default();
    if terms.is_empty() && order.is_none() {
        return ui.register.ops.clone();
    }
    let with = |listed: &Arc<Listed>| (progress(ui, listed), Arc::clone(listed));
    let mut all: Vec<(Progress, Arc<Listed>)> = ui.register.ops.iter().map(with).collect();
    all.retain(|(progress, listed)| terms.iter().all(|term| holds(term, listed, progress)));
    if let Some((by, is_turned)) = order {
        let worst = |it: &(Progress, _)| Reverse(health(it.0.standing).max(Health::Ok));
        // Each sort keeps the journal's order among what is alike.
        match by {
            By::State => all.sort_by_key(worst),
            By::Kind => all.sort_by(|(one, _), (other, _)| one.kind.cmp(&other.kind)),
            By::Who => all.sort_by(|(one, _), (other, _)| one.who.cmp(&other.who)),
            By::Begun => all.sort_by_key(|(it, _)| Reverse(it.at)),
            By::Done => all.sort_by_key(|(it, _)| (it.done * 1_000).checked_div(it.total).unwrap_or(0)),
        }
        if *is_turned {
            all.reverse();
        }
    }
    all.into_iter().map(|(_, listed)| listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_words_and_fields_and_says_what_it_does_not_know() {
        let term = |is_not, field, text: &str| Term { is_not, field, text: text.into() };
        assert_eq!(
            parse("Drain state:failed  !who:anna").unwrap(),
            [
                term(false, None, "drain"),
                term(false, Some("state"), "failed"),
                term(true, Some("who"), "anna")
            ]
        );
        assert_eq!(parse("!").unwrap(), []);
        let fault = fault("x !staet:failed").unwrap();
        assert_eq!((fault.at, fault.message.contains("did you mean `state`?")), (3, true), "{fault:?}");
    }

    #[test]
    fn fields_are_offered_where_they_can_stand() {
        let words = |before| offers(before).1.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        assert_eq!(words("x w"), ["who:", "why:"]);
        assert_eq!(offers("x !w").0, 3);
        assert!(words("").is_empty() && words("state:fa").is_empty());
    }
}
