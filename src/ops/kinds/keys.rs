//! `core keys rotate` and `core keys retire`: an API key of a customer is replaced while nobody is locked out.
//!
//! First two keys are valid, the present one and the new one. No core tells which key a request came with, so that it
//! is a person who knows when the customer's backends have the new one, and says so: then the others are taken away,
//! by an operation of its own.

use super::super::aspect::Value;
use super::super::desk::{Desk, Draft};
use super::super::intent::{ConfigWish, Intent};
use super::super::telling::trouble;
use super::config::unquoted;
use super::site::{Putting, Site, seal, seen};
use crate::error::Result;
use crate::gateway::AdminError;
use crate::gateway::core::{CoreDoor, CoreLook, CoreSeen, SealedFrom, SecretRef, Worth};
use crate::model::admin::Place;
use crate::model::setting::fault_of_keys;
use crate::model::{Sealed, Setting, Text};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};

const KEYS: &str = "api_keys";

/// The new key is valid beside the present ones.
pub(super) fn rotate<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    add(desk, intent).boxed()
}

/// Only one key stays valid.
pub(super) fn retire<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    drop_others(desk, intent).boxed()
}

/// The keys that open a place now.
struct Present {
    site: Site,
    /// The whole list.
    held: Sealed,
    /// It sets them itself.
    is_own: bool,
}

/// Finds the place and its keys; what stands in the way is refused.
async fn present(
    desk: &Desk<'_>,
    intent: &Intent,
    wish: &ConfigWish,
    draft: &mut Draft,
) -> Result<Option<Present>> {
    let Some(mut site) = Site::find(desk, intent, wish, draft).await? else { return Ok(None) };
    site.mind(desk, draft).await?;
    let first = site.first().core.clone();
    if let Some(other) = site.split(desk, &[KEYS], draft).await?.first() {
        let why = format!(
            "its processes do not have the same keys for {}: {} has others",
            site.place,
            other.first().core
        );
        let mend = format!(
            "make them one first: coredeck core config set {first}{} --secret {KEYS}=PARAMETER",
            naming(&site)
        );
        draft.refuse(&first, why, mend);
        return Ok(None);
    }
    if site.place.is_base() {
        let why = "the keys of a core's own domain stand in its container's environment (API_KEYS), which no call changes";
        let mend = format!(
            "put both keys, with a comma between, into the SecureString that its environment is made of, and start it \
             anew: coredeck core restart {first}; for a customer's keys name --domain"
        );
        draft.refuse(&first, why, mend);
        return Ok(None);
    }
    if site.place.tenant != "public" {
        let error = AdminError::Conflict { key: KEYS.into(), within: "app".into() };
        draft.refuse(&first, error.to_string(), "keys are an app's: leave --tenant away");
        return Ok(None);
    }
    let own = match site.own(KEYS) {
        Some(Setting::Hidden(held)) => unquoted(held),
        _ => None,
    };
    let inherited = match site.held(KEYS).map(|held| &held.value) {
        Some(Setting::Hidden(held)) => unquoted(held),
        _ => None,
    };
    let is_own = own.is_some();
    let Some(held) = own.or(inherited) else {
        let why = format!("no key opens {}: anybody may call it", site.place);
        let mend = "set the first with `coredeck core config set … --secret api_keys=PARAMETER`";
        draft.refuse(&first, why, mend);
        return Ok(None);
    };
    Ok(Some(Present { site, held, is_own }))
}

fn each(keys: &Sealed) -> BTreeSet<String> {
    keys.open().split(',').map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect()
}

/// A key that lies in a SecureString: one, and such as a core takes.
async fn key(
    desk: &Desk<'_>,
    site: &Site,
    name: &str,
    draft: &mut Draft,
) -> Result<Option<(SecretRef, Sealed)>> {
    let Some(found) = site.secure(desk, name, draft).await? else { return Ok(None) };
    let read = site.secrets(desk, [found.clone()]).await?;
    let Some(value) = read.get(&found).cloned() else {
        draft.refuse(name, "it could not be decrypted", "reading it needs ssm:GetParameters and kms:Decrypt");
        return Ok(None);
    };
    if let Some(fault) = fault_of_keys(value.open()) {
        draft.refuse(
            name,
            format!("it holds no key that a core takes: {fault}"),
            "--generate makes a good one",
        );
        return Ok(None);
    }
    if value.open().contains(',') {
        draft.refuse(
            name,
            "it holds several keys",
            "one at a time: put the new one alone into a SecureString",
        );
        return Ok(None);
    }
    Ok(Some((found, value)))
}

async fn add(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let mut draft = Draft::default();
    let none = ConfigWish::default();
    let wish = intent.options.core_config.as_deref().unwrap_or(&none);
    let Some(Present { site, held, is_own }) = present(desk, intent, wish, &mut draft).await? else {
        return Ok(draft);
    };
    let mut before = Vec::new();
    let new = match (&wish.new_key, &wish.generate) {
        (Some(name), _) => {
            let Some((found, value)) = key(desk, &site, name, &mut draft).await? else { return Ok(draft) };
            if each(&held).contains(value.open()) {
                let mend = format!("when its backends have it: {}", retiring(&site, name));
                draft.refuse(name, format!("it opens {} already", site.place), mend);
                return Ok(draft);
            }
            if let Some(why) = opens_base(desk, &site, &found, &value).await? {
                draft.refuse(name, why, "--generate makes one that nobody has");
                return Ok(draft);
            }
            found
        }
        (None, Some(name)) => {
            if let Some(found) = site.parameter(desk, name).await? {
                let why = format!("it is there already (version {})", found.version);
                draft.refuse(name, why, "--new takes what lies in it; --generate wants a name that is free");
                return Ok(draft);
            }
            let made = SecretRef { parameter: name.into(), version: 1 };
            let title = format!("make a random key and put it into {name}, unseen");
            before.push(seal(&made, SealedFrom::Random, title));
            made
        }
        (None, None) => {
            let core = &site.first().core;
            let region = Some(site.scope.region.as_str());
            let mend =
                ways_to_a_key(desk.config.fleet.as_str(), core.as_str(), &naming(&site), region).join("; ");
            draft.refuse(core, "no new key was named", mend);
            return Ok(draft);
        }
    };
    let (kept, made) = site.keep(desk, KEYS, &held, &[]).await?;
    before.splice(..0, made);
    let from = if is_own { Worth::Sealed { of: vec![kept.clone()] } } else { Worth::Inherited };
    let both = Worth::Sealed { of: vec![kept.clone(), new.clone()] };
    let well = Value::Flag(true);
    let mut until = site.serves(Some(&new), &well);
    until.extend(site.serves(Some(&kept), &well));
    let back = site.serves(Some(&kept), &well);
    let title = format!("let the key of {new} open {} beside the present one", site.place);
    if !is_own {
        draft.warn(format!(
            "{} sets no keys itself and takes those of what stands above: they stay valid for it until they are retired",
            site.place
        ));
    }
    draft.warn(format!(
        "two keys are valid then: bring the one of {} to the customer's backends; which key a request comes with no \
         core tells; when they have it: {}",
        new.parameter,
        retiring(&site, &new.parameter)
    ));
    put(desk, &site, Putting { title, turns: turn(from, both), before, until, back, stays: None }, draft)
        .await
}

async fn drop_others(desk: &Desk<'_>, intent: &Intent) -> Result<Draft> {
    let mut draft = Draft::default();
    let none = ConfigWish::default();
    let wish = intent.options.core_config.as_deref().unwrap_or(&none);
    let Some(Present { site, held, is_own }) = present(desk, intent, wish, &mut draft).await? else {
        return Ok(draft);
    };
    let Some(name) = &wish.keep_key else {
        draft.refuse(
            &site.first().core,
            "no key was named that stays",
            "--keep PARAMETER names its SecureString",
        );
        return Ok(draft);
    };
    let Some((stays, value)) = key(desk, &site, name, &mut draft).await? else { return Ok(draft) };
    let keys = each(&held);
    if !is_own || !keys.contains(value.open()) {
        let mend = format!("coredeck core keys rotate {} … --new {name}", site.first().core);
        draft.refuse(
            name,
            format!("its key does not open {}: everybody would be locked out", site.place),
            mend,
        );
        return Ok(draft);
    }
    if keys.len() == 1 {
        draft.refuse(
            name,
            format!("it is the only key that opens {}", site.place),
            "there is nothing to retire",
        );
        return Ok(draft);
    }
    let (kept, made) = site.keep(desk, KEYS, &held, &[]).await?;
    let before = made.into_iter().collect();
    let from = Worth::Sealed { of: vec![kept.clone()] };
    let one = Worth::Sealed { of: vec![stays.clone()] };
    let well = Value::Flag(true);
    let mut until = site.serves(Some(&stays), &well);
    let first = held.open().split(',').next().map(str::trim).unwrap_or_default();
    if first != value.open() {
        // The first of the kept list is what a look shows: it must be refused everywhere.
        until.extend(site.serves(Some(&kept), &trouble(&AdminError::WrongKey)));
    }
    let back = site.serves(Some(&kept), &well);
    let gone = keys.len() - 1;
    let title = format!("take {gone} of {} keys away from {}: that of {stays} stays", keys.len(), site.place);
    draft.warn(format!(
        "whoever still has {} gets 401 from then on",
        if gone == 1 { "the other key" } else { "one of the other keys" }
    ));
    draft.warn(traffic(desk, &site).await?);
    put(desk, &site, Putting { title, turns: turn(from, one), before, until, back, stays: None }, draft).await
}

fn turn(from: Worth, to: Worth) -> BTreeMap<Text, (Worth, Worth)> {
    BTreeMap::from([(Text::new(KEYS), (from, to))])
}

async fn put(desk: &Desk<'_>, site: &Site, putting: Putting, mut draft: Draft) -> Result<Draft> {
    draft.title.clone_from(&putting.title);
    let lane = site.lane(desk, putting, &mut draft).await?;
    draft.lanes.push(lane);
    Ok(draft)
}

/// What can be known of who uses which key, said as it is.
async fn traffic(desk: &Desk<'_>, site: &Site) -> Result<String> {
    let (mut rate, mut unheard) = (0.0, 0);
    for at in &site.replicas {
        let look = CoreLook::Traffic { at: at.clone(), place: site.place.clone() };
        match seen(desk, &site.scope, look).await? {
            CoreSeen::Traffic(Ok(traffic)) => match traffic.latest() {
                Some(latest) => rate += latest,
                None => unheard += 1,
            },
            _ => unheard += 1,
        }
    }
    let beside = if unheard > 0 { format!(", {unheard} processes not counted") } else { String::new() };
    Ok(format!(
        "no core tells which key a request comes with: that the customer's backends have the new one only they can \
         say; {} had {rate:.1} requests a second in the last minute{beside}",
        site.place
    ))
}

/// Why a key must not become a customer's: it opens the core's own domain, too, or nobody knows whether it does.
async fn opens_base(desk: &Desk<'_>, site: &Site, key: &SecretRef, value: &Sealed) -> Result<Option<String>> {
    let base = Place::of("");
    let unknown = |at: &CoreDoor, error: &AdminError| {
        format!("whether it opens {}'s own domain, too, could not be asked: {error}", at.core)
    };
    for at in &site.replicas {
        if at.key.is_some() {
            // Asked and not compared: it may be the secret of a shared core, which nothing lists.
            let look = CoreLook::Serves { at: at.clone(), place: base.clone(), with: Some(key.clone()) };
            match seen(desk, &site.scope, look).await? {
                CoreSeen::Serves(Err(AdminError::WrongKey)) => {}
                CoreSeen::Serves(Err(error)) => return Ok(Some(unknown(at, &error))),
                _ => {
                    let why = format!("it opens {}'s own domain, too: who has it would open both", at.core);
                    return Ok(Some(why));
                }
            }
            continue;
        }
        // A domain that anybody may call is opened by every key, and what it would take must be looked up.
        let look = CoreLook::Settings { at: at.clone(), place: base.clone() };
        let all = match seen(desk, &site.scope, look).await? {
            CoreSeen::Settings(Ok(all)) => all,
            CoreSeen::Settings(Err(error)) => return Ok(Some(unknown(at, &error))),
            _ => Vec::new(),
        };
        let keys = all.into_iter().find(|one| one.key == KEYS).and_then(|one| match one.value {
            Setting::Hidden(held) => unquoted(&held),
            Setting::Shown(_) => None,
        });
        if keys.is_some_and(|keys| each(&keys).contains(value.open())) {
            return Ok(Some(format!("it is a key of {}'s own domain: who has it would open both", at.core)));
        }
    }
    Ok(None)
}

/// What to do where no new key was named, each with the whole line to type: a new one that nobody sees, or one's own,
/// which no argument of a program shows.
pub fn ways_to_a_key(fleet: &str, target: &str, place: &str, region: Option<&str>) -> [String; 3] {
    let name = format!("/coredeck/{fleet}/secrets/{target}/key-2");
    let line = format!("coredeck core keys rotate {target}{place}");
    let region = region.map(|region| format!(" --region {region}")).unwrap_or_default();
    [
        format!("a random one that nobody sees, under a name that is free: {line} --generate {name}"),
        format!(
            "or put your own into a SecureString, alone, of at least 20 letters, digits, = and -: openssl rand -hex 32 \
             | tr -d '\\n' | aws ssm put-parameter --type SecureString --name {name} --value file:///dev/stdin{region}"
        ),
        format!("and then name it: {line} --new {name}"),
    ]
}

fn retiring(site: &Site, parameter: &str) -> String {
    format!("coredeck core keys retire {}{} --keep {parameter}", site.first().core, naming(site))
}

/// The flags that name a place.
fn naming(site: &Site) -> String {
    let mut said = String::new();
    if !site.place.domain.is_empty() {
        said += &format!(" --domain {}", site.place.domain);
    }
    if site.place.app != "public" {
        said += &format!(" --app {}", site.place.app);
    }
    said
}
