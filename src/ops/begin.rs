//! From a plan to an operation: everything that keeps a plan from being run is said before anything is changed.

use super::condition::{Eye, Sight};
use super::guard::{Refusal, Refusals};
use super::plan::{Account, Plan};
use super::run::see;
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::FleetProbe;
use crate::model::{Identity, Scope};
use crate::store::journal::{Ledger, OpRecord, Who};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Who begins an operation, and how it is reached again.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Who.
    pub who: Who,
    /// Why.
    pub reason: Option<String>,
    /// Flags that a runner is started with.
    pub reach: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// Holds a plan to the fleet and the accounts that it would be run in.
///
/// # Errors
///
/// It is past its time, made for another fleet or account, or something that it rests on has changed: each
/// difference is named.
pub async fn check(
    plan: &Plan,
    fleet: &str,
    identities: &[(Scope, Identity)],
    probe: &dyn FleetProbe,
    now: Timestamp,
) -> Result<()> {
    let refuse = |what: String, hint: &str| Err(Error::new(ErrorKind::Refused, what).hint(hint.to_owned()));
    const AGAIN: &str = "make the plan again, look at it, and run that one";
    if plan.expires_at < now {
        return refuse(format!("the plan was good until {:.0}; nothing was changed", plan.expires_at), AGAIN);
    }
    if plan.fleet != fleet {
        let what =
            format!("the plan is for the fleet {}, and this is {fleet}; nothing was changed", plan.fleet);
        return refuse(what, "name the right configuration with --config");
    }
    for Account { scope, id, .. } in &plan.accounts {
        let found = identities.iter().find(|(known, _)| known == scope).map(|(_, identity)| identity);
        match found {
            None => {
                let what = format!("the plan acts in {scope}, which this configuration does not reach");
                return refuse(what, "name the right accounts with --config, --profile and --region");
            }
            Some(found) if found.account_id != *id => {
                let what = format!(
                    "the plan was made for account {id}, and {scope} is account {} now; nothing was changed",
                    found.account_id
                );
                return refuse(what, "log in to the account that the plan was made for, or make it again");
            }
            Some(_) => {}
        }
    }
    let facts: Vec<_> = plan.facts().map(|(scope, fact)| (scope.clone(), fact.clone())).collect();
    let seen = see(probe, &facts).await.map_err(|trouble| super::desk::blind(&trouble))?;
    let mut eye = Eye::default();
    for ((scope, fact), value) in seen {
        eye.keep(scope, fact, Sight { value, at: now, after: 0 });
    }
    let mut stale = Vec::new();
    for lane in &plan.lanes {
        for difference in lane.differences(&eye).unwrap_or_default() {
            stale.push(Refusal::new(&lane.name, difference, "make the plan again"));
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let what = "the plan is stale: the fleet has changed since it was made; nothing was changed by this";
    Err(Error::new(ErrorKind::Refused, what).because(Refusals(stale)).hint(AGAIN))
}

/// Enters an operation into the journal. From here on it is known to everybody, and can be run and resumed.
///
/// # Errors
///
/// The plan is past its time. Another operation holds a target: the error says whose. The journal cannot be
/// written.
pub fn enter(ledger: &dyn Ledger, plan: &Plan, beginning: Beginning) -> Result<OpRecord> {
    let Beginning { who, reason, reach, at } = beginning;
    // Somebody may have looked at it for an hour before saying yes.
    if plan.expires_at < at {
        let what = format!("the plan was good until {:.0}; nothing was changed", plan.expires_at);
        return Err(
            Error::new(ErrorKind::Refused, what).hint("make the plan again, look at it, and run that one")
        );
    }
    let record = OpRecord {
        id: op_id(plan, &who, at),
        fleet: plan.fleet.clone(),
        kind: plan.intent.verb.clone(),
        title: plan.title.clone(),
        plan_id: plan.id.clone(),
        plan: plan.json(),
        reach,
        who,
        reason,
        // The journal keeps microseconds.
        at: Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at),
    };
    ledger.begin(&record, &plan.holds)?;
    Ok(record)
}

/// An id that people can say, in the order of time, that no other operation has: the day, and a part of a hash.
fn op_id(plan: &Plan, who: &Who, at: Timestamp) -> String {
    let words =
        format!("{} {} {} {} {}", plan.id, who.host, who.user, std::process::id(), at.as_nanosecond());
    let hash: String = Sha256::digest(words).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("op-{}-{hash}", at.strftime("%m%d"))
}
