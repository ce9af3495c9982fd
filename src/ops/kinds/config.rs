//! `core config set`: settings of a domain, an app or a tenant, by the core's own merging put.
//!
//! What the core would refuse is refused before, with its own reason. What is set back is what was there: shown in the
//! plan where anybody may see it, and else by the SecureString that holds it.

use super::super::aspect::Value;
use super::super::desk::{Desk, Draft};
use super::super::intent::{ConfigWish, Intent, SettingWish};
use super::super::plan::{Fact, Lane, Step};
use super::super::telling::value_of;
use super::site::{Putting, Site, affected};
use crate::error::{Result, did_you_mean};
use crate::gateway::AdminError;
use crate::gateway::core::Worth;
use crate::model::setting::{
    MIGRATION, Reach, chooses_database, fault_of_keys, is_open, names, protected, reach,
};
use crate::model::{Sealed, Setting, Text};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeSet;

/// One lane: the put, after what must be kept.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    make(desk, intent).boxed()
}

/// A setting on its way from one value to another.
struct Turn {
    key: Text,
    from: Worth,
    to: Worth,
    /// What holds before and after, in words.
    said: String,
}

/// What is kept before a put, and what that rests on.
type Kept = Vec<(Step, Fact)>;

async fn make(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let mut draft = Draft::default();
    let none = ConfigWish::default();
    let wish = intent.options.core_config.as_deref().unwrap_or(&none);
    let target = intent.targets.join(" ");
    if wish.set.is_empty() {
        draft.refuse(&target, "nothing is to be set", "say KEY=VALUE, --secret KEY=PARAMETER or --unset KEY");
        return Ok(draft);
    }
    let Some(mut site) = Site::find(desk, intent, wish, &mut draft).await? else { return Ok(draft) };
    site.mind(desk, &mut draft).await?;
    let keys: Vec<&str> = wish.set.keys().map(String::as_str).collect();
    let apart = site.split(desk, &keys, &mut draft).await?;
    let mut all: Vec<(&Site, Vec<Turn>, Kept)> = Vec::new();
    for site in std::iter::once(&site).chain(&apart) {
        let mut kept = Vec::new();
        let mut turns = Vec::new();
        for (key, wanted) in &wish.set {
            let before = draft.refusals.len();
            permit(site, key, wanted, &mut draft);
            if draft.refusals.len() > before {
                continue;
            }
            let turn = turn(desk, site, key, wanted, &mut kept, &mut draft).await?;
            turns.extend(turn);
        }
        if !turns.is_empty() {
            all.push((site, turns, kept));
        }
    }
    if !draft.refusals.is_empty() {
        return Ok(draft);
    }
    if all.is_empty() {
        draft.refuse(&target, "all of it is so already", "there is nothing to do");
        return Ok(draft);
    }
    // Each process that is put by itself has turns of its own; what is said of all of them is said once.
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for (site, turns, _) in &all {
        for turn in turns.iter().filter(|turn| keys.insert(turn.key.as_str())) {
            warn(site, turn, &mut draft);
        }
    }
    let at: Vec<&str> = all.iter().map(|(site, ..)| site.first().core.as_str()).collect();
    let at = at.join(" and ");
    draft.title = match keys.iter().collect::<Vec<_>>().as_slice() {
        [one] => format!("set {one} of {} at {at}", site.place),
        all => format!("set {} settings of {} at {at}", all.len(), site.place),
    };
    // What is put at one process after the other is taken back together: one lane.
    let mut whole: Option<Lane> = None;
    for (site, turns, kept) in all {
        let more = lane(desk, site, turns, kept, &mut draft).await?;
        match &mut whole {
            None => whole = Some(more),
            Some(lane) => {
                lane.facts.extend(more.facts);
                lane.steps.extend(more.steps);
            }
        }
    }
    draft.lanes.extend(whole);
    Ok(draft)
}

/// Refuses what the core would refuse, with its reason, and what must not be.
fn permit(site: &Site, key: &str, wanted: &SettingWish, draft: &mut Draft) {
    let known = reach(key);
    let says = |error: AdminError| error.to_string();
    if known.is_none() {
        let mend = match did_you_mean(key, names()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "`coredeck core config show` lists them".to_owned(),
        };
        draft.refuse(key, says(AdminError::UnknownSetting { key: key.into() }), mend);
        return;
    }
    if known == Some(Reach::Base) {
        let mend = "it stands in the container's environment: start the core anew with another one";
        draft.refuse(key, says(AdminError::BaseOnly { key: key.into() }), mend);
        return;
    }
    if site.place.is_base() {
        let mend = "it stands in the container's environment; --domain, --app or --tenant name what a call can change";
        draft.refuse(key, says(AdminError::BaseConfig), mend);
        return;
    }
    if known == Some(Reach::App) && site.place.tenant != "public" {
        let error = AdminError::Conflict { key: key.into(), within: "app".into() };
        draft.refuse(key, says(error), "set it for the app: leave --tenant away");
        return;
    }
    if let Some(what) = protected(key).filter(|_| !site.shows_protected()) {
        let mend = "--key-parameter NAME names the SecureString with the secret of the shared core";
        draft.refuse(key, says(AdminError::Protected { what: what.into() }), mend);
        return;
    }
    match wanted {
        SettingWish::Open { .. } if !is_open(key) => {
            let mend = format!("put it into a SecureString and say --secret {key}=PARAMETER");
            draft.refuse(
                key,
                "it is or may hold a secret, which no plan, journal or argument may show",
                mend,
            );
        }
        SettingWish::Open { json }
            if key == "postgresql_connection_pool_size" && json.trim_matches('"') == "1" =>
        {
            let why = "a pool of one connection hangs: the put fails after a minute, and the domain with it";
            draft.refuse(key, why, "2 at least");
        }
        SettingWish::Open { json } if key == "migration_mode" => migration(site, json, draft),
        SettingWish::Unset if key == "migration_mode" => migration(site, "\"LEGACY\"", draft),
        _ => {}
    }
}

/// One step at a time, and never back from the last.
fn migration(site: &Site, json: &str, draft: &mut Draft) {
    let place = |word: &str| MIGRATION.iter().position(|mode| *mode == word.trim_matches('"'));
    let now = match site.held("migration_mode").map(|held| &held.value) {
        Some(Setting::Shown(value)) => place(&value.to_string()).unwrap_or(0),
        _ => 0,
    };
    let key = "migration_mode";
    match place(json) {
        None => {
            draft.refuse(key, format!("it is one of {}", MIGRATION.join(", ")), "write it as the core does");
        }
        Some(_) if now == MIGRATION.len() - 1 => {
            draft.refuse(key, "MIGRATED is the end: the old tables are no longer written", "it stays so");
        }
        Some(to) if to.abs_diff(now) > 1 => {
            let why = format!("it goes one step at a time, and is {}", MIGRATION[now]);
            let next = if to > now { now + 1 } else { now - 1 };
            draft.refuse(key, why, format!("set {} first", MIGRATION[next]));
        }
        Some(_) => {}
    }
}

/// From what to what a setting goes; none when it is so already.
async fn turn(
    desk: &Desk<'_>,
    site: &Site,
    key: &str,
    wanted: &SettingWish,
    steps: &mut Vec<(Step, Fact)>,
    draft: &mut Draft,
) -> Result<Option<Turn>> {
    let own = site.own(key);
    let mut candidates = Vec::new();
    let mut secret = None;
    let to = match wanted {
        SettingWish::Unset => Worth::Inherited,
        SettingWish::Open { json } => Worth::Open { json: json.clone() },
        SettingWish::Secret { parameter } => {
            let Some(found) = site.secure(desk, parameter, draft).await? else { return Ok(None) };
            candidates.push(found.parameter.clone());
            let read = site.secrets(desk, [found.clone()]).await?;
            let Some(value) = read.get(&found).cloned() else {
                let mend = "reading it needs ssm:GetParameters and kms:Decrypt";
                draft.refuse(key, format!("{parameter} could not be decrypted"), mend);
                return Ok(None);
            };
            let fault = (key == "api_keys").then(|| fault_of_keys(value.open())).flatten();
            if let Some(fault) = fault {
                draft.refuse(key, format!("{parameter} does not do: {fault}"), "put another one into it");
                return Ok(None);
            }
            secret = Some(value);
            Worth::Sealed { of: vec![found] }
        }
    };
    let is_same = match (own, &to) {
        (None, Worth::Inherited) => true,
        (Some(Setting::Shown(value)), Worth::Open { json }) => {
            serde_json::from_str::<serde_json::Value>(json).is_ok_and(|wanted| wanted == *value)
        }
        (Some(Setting::Hidden(held)), Worth::Sealed { .. }) => unquoted(held) == secret,
        _ => false,
    };
    if is_same {
        return Ok(None);
    }
    let from = match own {
        None => Worth::Inherited,
        Some(Setting::Shown(value)) => Worth::Open { json: value.to_string() },
        Some(Setting::Hidden(held)) => {
            let Some(held) = unquoted(held) else {
                let why = "its present value is no text, and could not be set back";
                draft.refuse(key, why, "look at it with the core's own call");
                return Ok(None);
            };
            let (kept, made) = site.keep(desk, key, &held, &candidates).await?;
            steps.extend(made);
            Worth::Sealed { of: vec![kept] }
        }
    };
    let inherited = || match site.held(key).map(|held| held.value.shown()) {
        Some(shown) => format!("not set here ({shown} holds)"),
        None => "not set here".to_owned(),
    };
    let word = |worth: &Worth| match worth {
        Worth::Inherited => None,
        Worth::Open { json } => Some(json.clone()),
        Worth::Sealed { .. } => Some(format!("(hidden: {})", value_of(worth))),
    };
    let said = format!(
        "{key}: {} → {}",
        word(&from).unwrap_or_else(inherited),
        word(&to).unwrap_or_else(|| "not set here, what stands above holds".to_owned())
    );
    Ok(Some(Turn { key: key.into(), from, to, said }))
}

/// The text in a hidden setting's JSON.
pub(super) fn unquoted(held: &Sealed) -> Option<Sealed> {
    serde_json::from_str::<String>(held.open()).ok().map(Sealed::new)
}

/// What a person should know of one of them.
fn warn(site: &Site, turn: &Turn, draft: &mut Draft) {
    let (holds, own) = affected(&site.domains, &site.place, &turn.key);
    let list = |places: &[crate::model::admin::Place]| {
        let some: Vec<String> = places.iter().take(6).map(ToString::to_string).collect();
        let more = places.len().saturating_sub(some.len());
        some.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let besides = match own.as_slice() {
        [] => String::new(),
        own => format!("; not for {}, which set their own", list(own)),
    };
    draft.warn(format!("{} will hold for {}{besides}", turn.key, list(&holds)));
    let key = turn.key.as_str();
    if key == "api_keys" {
        draft.warn(match turn.to {
            Worth::Inherited => format!(
                "without api_keys of its own {} takes the keys of what stands above: the customer's keys get 401, and \
                 the shared core's own key opens the customer's users",
                site.place
            ),
            _ => format!(
                "every key that is not among the new ones gets 401 at once; `coredeck core keys rotate {}` lets two be \
                 valid",
                site.first().core
            ),
        });
    } else if chooses_database(key) {
        draft.warn(format!(
            "{key} decides which database {} is: its users are those that are in there; nothing is copied",
            site.place
        ));
    } else if reach(key) == Some(Reach::Database) {
        draft.warn(format!("{key}: the core opens another pool of connections and closes the present one"));
    }
}

async fn lane(
    desk: &Desk<'_>,
    site: &Site,
    turns: Vec<Turn>,
    before: Vec<(Step, Fact)>,
    draft: &mut Draft,
) -> Result<Lane> {
    let serves = || site.serves(None, &Value::Flag(true));
    // One that did not serve before need not when it is taken back.
    let back = if site.effective.is_empty() { Vec::new() } else { serves() };
    let ends = turns.iter().any(|turn| {
        turn.key == "migration_mode"
            && matches!(&turn.to, Worth::Open { json } if json.contains("\"MIGRATED\""))
    });
    let said: Vec<&str> = turns.iter().map(|turn| turn.said.as_str()).collect();
    let others: Vec<&str> = site.replicas.iter().skip(1).map(|at| at.core.as_str()).collect();
    let known_by = match others.as_slice() {
        [] => String::new(),
        others => format!("; until {} know it too", others.join(", ")),
    };
    let title = format!("put {}{known_by}", said.join(", "));
    if site.replicas.len() > 1 {
        draft.warn(format!(
            "{} processes have this base database: {} is asked, the others look once a minute or when they are asked for a list, as they are here",
            site.replicas.len(),
            site.first().core
        ));
    }
    let putting = Putting {
        title,
        turns: turns.into_iter().map(|turn| (turn.key, (turn.from, turn.to))).collect(),
        before,
        until: serves(),
        back,
        stays: ends.then(|| "MIGRATED is the end: the old tables are no longer written".to_owned()),
    };
    site.lane(desk, putting, draft).await
}

/// A setting as it holds, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub key: String,
    /// Its value; what is or may be a secret reads `(hidden)`.
    pub value: String,
    /// What holds where nobody sets it.
    pub default: String,
    /// Where it is set, the nearest place; none where it is as it comes.
    pub set_at: Option<String>,
}

/// What holds for a place of a core, and where it is set.
///
/// # Errors
///
/// The core is not known, cannot be asked, or does not know the place.
pub async fn held(
    desk: &Desk<'_>,
    target: &str,
    wish: &ConfigWish,
) -> Result<(crate::model::admin::Place, Vec<Held>)> {
    let mut draft = Draft::default();
    let intent =
        Intent { verb: "core config show".to_owned(), targets: vec![target.to_owned()], ..Intent::default() };
    let site = Site::find(desk, &intent, wish, &mut draft).await?;
    let Some(site) = site.filter(|_| draft.refusals.is_empty()) else {
        return Err(super::super::guard::refused(&intent.verb, draft.refusals));
    };
    let above = [site.place.clone(), site.place.of_app(), crate::model::admin::Place::of(&site.place.domain)];
    let set_at = |one: &crate::model::admin::Effective| {
        let own = above.iter().find(|place| {
            super::super::telling::setup(&site.domains, place).is_some_and(|own| own.contains_key(&one.key))
        });
        let differs = one.value != one.default;
        own.map(ToString::to_string).or_else(|| differs.then(|| format!("the base of {}", site.first().core)))
    };
    let all = site.effective.iter().map(|one| Held {
        key: one.key.to_string(),
        value: one.value.shown(),
        default: one.default.shown(),
        set_at: set_at(one),
    });
    Ok((site.place.clone(), all.collect()))
}
