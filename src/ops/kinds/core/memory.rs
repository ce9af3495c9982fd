//! Cores that have no database: everything that their users did is gone when they stop, and no undo brings it back. So
//! they are asked before anything is planned that stops them.

use super::super::super::aspect::Aspect;
use super::super::super::desk::{Desk, Draft};
use super::super::super::plan::{Fact, Leg, Undo};
use super::super::super::telling::CoreFact;
use super::super::site::{door_of, seen};
use super::found::Found;
use crate::error::Result;
use crate::gateway::core::{CoreLook, CoreSeen};
use crate::model::Core;
use crate::model::admin::Place;
use futures::StreamExt as _;

/// Cores that are asked at the same time.
const AT_ONCE: usize = 16;
/// Cores that a note names.
const NAMED: usize = 4;
/// Why the stop of such a core cannot be undone.
const LOST: &str =
    "it has no database: what its users did is gone when it stops, and the start gives an empty core";
/// Why nobody can promise that a stop is undone wholly.
const UNASKED: &str =
    "whether it has a database could not be asked: what its users did in one without is gone when it stops";

/// Where a core keeps what its users do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Nobody knows: it was not asked, or did not tell.
    #[default]
    Unknown,
    /// In a database.
    InDatabase,
    /// In its memory.
    InMemory,
}

impl Keeps {
    /// How a stop is undone by a start.
    pub(super) fn undone(self, leg: Leg) -> Undo {
        match self {
            Self::InDatabase => Undo::Exact { leg: Box::new(leg) },
            Self::InMemory => Undo::BestEffort { leg: Box::new(leg), why: LOST.to_owned() },
            Self::Unknown => Undo::BestEffort { leg: Box::new(leg), why: UNASKED.to_owned() },
        }
    }

    /// Why what replaces such a core cannot be undone wholly: this, and what else there is to it.
    pub(super) fn why(self, besides: String) -> String {
        match self {
            Self::InDatabase | Self::Unknown => besides,
            Self::InMemory => format!("{LOST}; {besides}"),
        }
    }
}

/// Asks the cores that will stop where they keep what their users do, and says before anything is done what would be
/// lost, and which of them did not tell, and why.
pub(super) async fn mind(desk: &Desk<'_>, cores: &mut [Found<'_>], draft: &mut Draft) {
    let asked: Vec<_> = cores.iter().map(|one| is_in_memory(desk, one.core)).collect();
    let answers: Vec<std::result::Result<bool, String>> =
        futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut silent = Vec::new();
    for (one, answer) in cores.iter_mut().zip(answers) {
        let id = &one.core.id;
        match answer {
            Ok(true) => {
                one.keeps = Keeps::InMemory;
                draft.warn(format!(
                    "{id} has no database and keeps everything in its memory: its users, sessions and tenants are gone \
                     when it stops, and no undo brings them back; name a database in its container's environment first \
                     (POSTGRESQL_CONNECTION_URI)"
                ));
            }
            Ok(false) => one.keeps = Keeps::InDatabase,
            Err(why) => silent.push(format!("{id} ({why})")),
        }
    }
    if !silent.is_empty() {
        let more = silent.len().saturating_sub(NAMED);
        let besides = if more > 0 { format!(" and {more} more") } else { String::new() };
        silent.truncate(NAMED);
        draft.note(format!(
            "whether they have a database could not be asked of {}{besides}: what a core without one holds is gone when it \
             stops",
            silent.join(", ")
        ));
    }
}

/// Whether a core keeps everything in its memory, or why nobody knows. One that is not well must still be restarted, so
/// that it is no refusal.
async fn is_in_memory(desk: &Desk<'_>, core: &Core) -> std::result::Result<bool, String> {
    let Some(at) = door_of(desk, &core.scope, &core.id) else {
        return Err("no way leads to it".to_owned());
    };
    match seen(desk, &core.scope, CoreLook::Nature { at }).await {
        Ok(CoreSeen::Nature { is_in_memory: Some(is_in_memory), .. }) => Ok(is_in_memory),
        Ok(CoreSeen::Nature { features: Err(error), .. }) => Err(error.to_string()),
        Ok(CoreSeen::Nature { .. }) => Err("its telemetry is off".to_owned()),
        Ok(_) => Err("it did not answer".to_owned()),
        Err(error) => Err(error.message),
    }
}

/// That a core runs, as what a plan rests on; none where it does not answer with what only a running one has. Whether its
/// database serves is another matter: what it says of that now is what it shall say then.
///
/// # Errors
///
/// It runs, and what it serves could not be asked.
pub(super) async fn running(desk: &Desk<'_>, core: &Core) -> Result<Option<Fact>> {
    let Some(at) = door_of(desk, &core.scope, &core.id) else { return Ok(None) };
    let keys = seen(desk, &core.scope, CoreLook::Keys { at: at.clone() }).await;
    if !matches!(keys, Ok(CoreSeen::Keys(Ok(keys))) if !keys.is_empty()) {
        return Ok(None);
    }
    let fact = CoreFact::Serves { at, place: Place::of(""), with: None };
    let was = fact.value(&desk.look(&core.scope, fact.look()).await?);
    Ok(was.map(|was| Fact { fact: Aspect::Core { fact: Box::new(fact) }, was }))
}
