//! What it means that a section lacks something: that it is not there, or only that nobody saw it.

use crate::gateway::Source;
use crate::model::{Known, WhyUnknown};
use crate::snapshot::{Part, Section, Snapshot, Standing};
use jiff::Timestamp;
use std::sync::Arc;

/// Why a section that is not whole cannot tell. A read that broke off is trouble; one whose pages still
/// arrive is not.
pub(super) fn why(standing: Standing<'_>) -> WhyUnknown {
    match (standing.trouble, standing.as_of) {
        (Some(_), _) => WhyUnknown::Trouble,
        (None, Some(_)) => WhyUnknown::Pending,
        (None, None) if standing.is_asked => WhyUnknown::Pending,
        (None, None) => WhyUnknown::NotAsked,
    }
}

/// What a section that lacks something says of something that another section names, which was read at
/// `since`: nothing, unless it is whole and as new. What was made a moment ago is in no older list.
pub(super) fn absent<T, V>(section: &Section<T>, since: Option<Timestamp>) -> Known<Option<V>> {
    if !section.is_whole {
        Known::No(why(section.standing()))
    } else if section.as_of < since {
        Known::No(WhyUnknown::Pending)
    } else {
        Known::Yes(None)
    }
}

/// When a whole list of a source was read. Where there is no cluster nobody has to ask for what is in one.
fn whole(part: &Part, source: Source) -> Known<Option<Timestamp>> {
    let standing = part.standing(source);
    if standing.is_whole {
        return Known::Yes(standing.as_of);
    }
    let holder = match source {
        Source::Services | Source::Tasks | Source::Hosts => {
            part.clusters.value.as_ref().filter(|list| list.is_empty()).map(|_| part.clusters.standing())
        }
        _ => None,
    };
    match holder.filter(|holder| holder.is_whole) {
        Some(holder) => Known::Yes(holder.as_of),
        None => Known::No(why(standing)),
    }
}

/// Whether these sources were read whole in every part. A sum over parts of which one is unknown is unknown,
/// and trouble says more than waiting.
pub(super) fn everywhere(snapshot: &Snapshot, sources: &[Source]) -> Known<()> {
    let mut worst = if snapshot.parts.is_empty() { Known::No(WhyUnknown::Pending) } else { Known::Yes(()) };
    for part in &snapshot.parts {
        for source in sources {
            worst = match (worst, whole(part, *source)) {
                (Known::No(WhyUnknown::Trouble), _) | (_, Known::Yes(_)) => worst,
                (Known::No(WhyUnknown::Pending), Known::No(WhyUnknown::NotAsked)) => worst,
                (_, Known::No(why)) => Known::No(why),
            };
        }
    }
    worst
}

/// What it proves that something is in none of the lists of some sources, in no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It does not exist: every list is whole, and as new as what names it.
    Proven,
    /// Every list is whole, but one is older than what names it.
    Older,
    /// Not every list is whole.
    Unread,
}

/// Weighs the absence of what a section names that was read at `since`.
pub(super) fn absence(parts: &[Arc<Part>], sources: &[Source], since: Option<Timestamp>) -> Absence {
    let mut found = Absence::Proven;
    for part in parts {
        for source in sources {
            match whole(part, *source) {
                Known::No(_) => return Absence::Unread,
                Known::Yes(at) if at < since => found = Absence::Older,
                Known::Yes(_) => {}
            }
        }
    }
    found
}
