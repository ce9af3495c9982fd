//! What was not read, of all that an answer needs, and how old the oldest of it is.

use crate::error::{Error, ErrorKind};
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::snapshot::{Doubled, Snapshot};
use jiff::Timestamp;
use serde::Serialize;

/// One thing that is not known, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Warning {
    /// The account and region; only an account where its regions are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    /// What could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    /// The sort of trouble.
    pub(super) kind: &'static str,
    /// The AWS call that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<String>,
    /// What happened.
    pub(super) message: String,
    /// What to do or type next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    /// When the value that is shown all the same was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<String>,
}

/// Warnings as lines for people: what has one cause in one place is said once.
pub(super) fn texts(warnings: &[Warning]) -> Vec<String> {
    let mut groups: Vec<(&Warning, Vec<&'static str>)> = Vec::new();
    for warning in warnings {
        let is_same = |(first, _): &&mut (&Warning, Vec<&'static str>)| {
            first.scope == warning.scope
                && first.kind == warning.kind
                && first.message == warning.message
                && first.hint == warning.hint
        };
        match (groups.iter_mut().find(is_same), warning.source) {
            (Some((_, sources)), Some(source)) => sources.push(source),
            (_, source) => groups.push((warning, source.into_iter().collect())),
        }
    }
    groups
        .into_iter()
        .map(|(first, sources)| {
            let place = match (sources.join(", "), first.scope.as_deref()) {
                (sources, Some(scope)) if !sources.is_empty() => format!("{sources} of {scope}: "),
                (_, Some(scope)) => format!("{scope}: "),
                (_, None) => String::new(),
            };
            // One call is named; of several each is in JSON.
            let call = first.call.as_deref().filter(|_| sources.len() < 2);
            let call = call.map(|call| format!("{call}: ")).unwrap_or_default();
            let hint = first.hint.as_deref().map(|hint| format!("\n  {hint}")).unwrap_or_default();
            let text = format!("{place}{call}{}{hint}", first.message);
            text.lines().map(harmless).collect::<Vec<_>>().join("\n")
        })
        .collect()
}

/// Everything that these sources did not tell, in the order of the configuration.
pub(super) fn warnings(snapshot: &Snapshot, sources: &[Source]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = snapshot
        .troubles
        .iter()
        .map(|(who, trouble)| Warning {
            scope: Some(who.clone()),
            source: None,
            kind: trouble.kind.word(),
            call: Some(trouble.call.to_string()),
            message: trouble.message.clone(),
            hint: trouble.hint.clone(),
            as_of: None,
        })
        .collect();
    warnings.extend(snapshot.doubled().into_iter().map(|twice| Warning {
        scope: Some(twice.scope.to_string()),
        source: None,
        kind: "doubled",
        call: None,
        message: twice.to_string(),
        hint: Some(Doubled::HINT.to_owned()),
        as_of: None,
    }));
    for part in &snapshot.parts {
        for source in sources {
            let standing = part.standing(*source);
            if standing.is_whole && standing.trouble.is_none() {
                continue;
            }
            let (kind, call, message, hint) = match standing.trouble {
                Some(trouble) => (
                    trouble.kind.word(),
                    Some(trouble.call.to_string()),
                    trouble.message.clone(),
                    trouble.hint.clone(),
                ),
                None if standing.as_of.is_some() => {
                    ("partial", None, "only a part was read".to_owned(), None)
                }
                None => ("unread", None, "nothing was read".to_owned(), None),
            };
            warnings.push(Warning {
                scope: Some(part.scope.to_string()),
                source: Some(source.word()),
                kind,
                call,
                message,
                hint,
                as_of: standing.as_of.map(|at| at.to_string()),
            });
        }
        let registry = part.registry.value.as_ref().filter(|_| sources.contains(&Source::Registry));
        warnings.extend(registry.into_iter().flat_map(|registry| &registry.faults).map(|fault| Warning {
            scope: Some(part.scope.to_string()),
            source: Some(Source::Registry.word()),
            kind: "garbled",
            call: None,
            message: fault.clone(),
            hint: Some("correct the parameter in the Parameter Store".to_owned()),
            as_of: None,
        }));
    }
    warnings
}

/// How much of an answer there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// No list was read anywhere.
    Nothing,
    /// Some was.
    Something,
}

/// How much these sources told.
pub(super) fn extent(snapshot: &Snapshot, sources: &[Source]) -> Extent {
    let is_read = |source: &Source| snapshot.oldest(*source).is_some();
    if sources.iter().any(is_read) { Extent::Something } else { Extent::Nothing }
}

/// Rows that may or may not belong to an answer, since what the query asks of them is not known.
pub(super) fn undecided(rows: usize) -> Option<Warning> {
    let message = match rows {
        0 => return None,
        1 => "one row may or may not answer the query: too little is known of it".to_owned(),
        n => format!("{n} rows may or may not answer the query: too little is known of them"),
    };
    Some(Warning {
        scope: None,
        source: None,
        kind: "undecided",
        call: None,
        message,
        hint: None,
        as_of: None,
    })
}

/// The age of the oldest of these sources; none while one has told nothing anywhere.
pub(super) fn as_of(snapshot: &Snapshot, sources: &[Source]) -> Option<Timestamp> {
    sources.iter().filter_map(|source| snapshot.oldest(*source)).min()
}

/// These sources and those that must be read before them, each once.
pub(super) fn with_needs(sources: impl IntoIterator<Item = Source>) -> Vec<Source> {
    let mut open: Vec<Source> = sources.into_iter().collect();
    let mut wanted = Vec::new();
    while let Some(source) = open.pop() {
        if !wanted.contains(&source) {
            wanted.push(source);
            open.extend(source.needs());
        }
    }
    Source::ALL.into_iter().filter(|source| wanted.contains(source)).collect()
}

/// The error that ends a partial answer, unless it is allowed. Where nothing at all was read there is nothing
/// to allow.
pub(super) fn verdict(warnings: &[Warning], is_allowed: bool, extent: Extent) -> Result<(), Error> {
    if warnings.is_empty() || is_allowed {
        return Ok(());
    }
    if extent == Extent::Nothing {
        return Err(Error::new(ErrorKind::Partial, "nothing could be read: the warnings say why"));
    }
    let message = match warnings.len() {
        1 => "the answer is not whole: the warning says what is missing".to_owned(),
        n => format!("the answer is not whole: {n} warnings say what is missing"),
    };
    Err(Error::new(ErrorKind::Partial, message)
        .hint("`--allow-partial` takes what there is and exits with 0"))
}
