//! What new cores are made like: tier, image, the names of their secrets, and the target groups that lead to them.

use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::{CoreWish, Looked};
use super::carried::Carried;
use super::create::needs_a_tier;
use super::doors::{Door, doors, note_left_out};
use super::found::{Found, parameter};
use super::memory::Keeps;
use crate::error::{Result, did_you_mean};
use crate::gateway::{Look, Seen};
use crate::inventory::{Entry, entries};
use crate::model::{Core, Home, Scope, Text, Tier};
use std::collections::{BTreeMap, BTreeSet};

/// What new cores are made like.
pub(super) struct Pattern<'a> {
    /// Their tier.
    pub(super) tier: &'a Tier,
    /// Their image, with its tag.
    pub(super) image: String,
    /// The name of the SecureString with their API keys, `{core}` for their ids.
    api_key: String,
    /// The same of their database's address.
    database: String,
    /// The core that they are replicas of.
    like: Option<&'a Core>,
    /// What else their containers are made with.
    pub(super) carried: Carried,
    target_groups: Vec<String>,
}

/// What was wished, with what is usual in the tier where nothing was said; none where something was refused.
///
/// # Errors
///
/// No tier is given, or the registry could not be read.
pub(super) async fn of<'a>(
    desk: &'a Desk<'_>,
    wish: &CoreWish,
    override_verdict: bool,
    draft: &mut Draft,
) -> Result<Option<Pattern<'a>>> {
    let like = match &wish.like {
        None => None,
        Some(name) => match desk.cores(std::slice::from_ref(name), draft).first() {
            Some(core) => Some(*core),
            None => return Ok(None),
        },
    };
    if let Some(Core { id, home: Home::Task { service, .. }, .. }) = like {
        let why = format!("it is a task of the ECS service {service}, which could not be read");
        draft.refuse(id, why, "`coredeck get services -v` shows what AWS says");
        return Ok(None);
    }
    let tiers = &desk.config.tiers;
    let name = wish.tier.clone().or_else(|| Some(like?.tier.as_ref()?.to_string()));
    let name = name.ok_or_else(|| needs_a_tier(tiers))?;
    let Some(tier) = tiers.iter().find(|tier| tier.name.as_str() == name) else {
        let mend = match did_you_mean(&name, tiers.iter().map(|tier| tier.name.as_str())) {
            Some(meant) => format!("did you mean {meant}?"),
            None => {
                let names: Vec<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
                format!("the tiers are {}", names.join(", "))
            }
        };
        draft.refuse(format!("tier {name}"), "there is no such tier", mend);
        return Ok(None);
    };
    let entry = match like {
        Some(core) => entry(desk, core).await?,
        None => None,
    };
    let text = |field: &str| entry.as_ref().and_then(|entry| entry.text(field)).map(str::to_owned);
    let looked = like.map(|core| {
        let found = wish.looked.iter().find(|looked| looked.core == core.id.as_str());
        found.cloned().unwrap_or_else(|| Looked {
            core: core.id.to_string(),
            trouble: Some("its host was not asked".to_owned()),
            ..Looked::default()
        })
    });
    let carried = Carried::of(&wish.carry, looked.as_ref(), override_verdict, draft);
    // What the container runs is what counts: the entry may be old, and a usual one may be a newer version.
    let runs = looked.map(|looked| looked.image);
    if let (Some(runs), Some(entered)) = (&runs, text("image"))
        && *runs != entered
        && !runs.is_empty()
    {
        draft.warn(format!(
            "its entry in the registry says {entered}, and it runs {runs}: the new one gets that"
        ));
    }
    let usual = || if like.is_some() { None } else { usual(desk, tier) };
    let image = wish.image.clone().or_else(|| runs.filter(|image| !image.is_empty())).or_else(usual);
    if image.is_none() && like.is_some() {
        // That it was not asked is said already.
        return Ok(None);
    }
    let Some(image) = image else {
        let mend = "--image supertokens/supertokens-postgresql:VERSION";
        draft.refuse(format!("tier {name}"), "no core of it tells which image is usual", mend);
        return Ok(None);
    };
    if !is_image(&image) {
        draft.refuse(&image, "it is no name of an image with a tag", "write it like name/name:11.0.4");
        return Ok(None);
    }
    let fleet = desk.config.fleet.as_str();
    let secret = |wished: &Option<String>, field: &str, word: &str| {
        let own = || format!("/coredeck/{fleet}/secrets/{{core}}/{word}");
        wished.clone().or_else(|| text(field)).unwrap_or_else(own)
    };
    Ok(Some(Pattern {
        tier,
        image,
        api_key: secret(&wish.api_key, "api_key_parameter", "api-key"),
        database: secret(&wish.database, "database_parameter", "database-uri"),
        like,
        carried,
        target_groups: wish.target_groups.clone(),
    }))
}

/// A core's entry in the registry; none where it has none.
///
/// # Errors
///
/// It could not be read.
pub(super) async fn entry(desk: &Desk<'_>, core: &Core) -> Result<Option<Entry>> {
    let fleet = desk.config.fleet.as_str();
    let of = vec![parameter(fleet, core.id.as_str())];
    let Seen::Parameters(seen) = desk.look(&core.scope, Look::Parameters { of }).await? else {
        return Ok(None);
    };
    Ok(entries(&core.scope, &format!("/coredeck/{fleet}"), &seen).into_iter().next())
}

/// The image that most of a tier's cores run, the newest where several are as usual.
fn usual(desk: &Desk<'_>, tier: &Tier) -> Option<String> {
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    let cores = desk.fleet.cores.iter().filter(|core| core.tier.as_ref() == Some(&tier.name));
    for version in cores.filter_map(|core| core.version.as_deref()) {
        *versions.entry(version).or_default() += 1;
    }
    let (version, _) = versions.into_iter().max_by_key(|(version, count)| (*count, numbers(version)))?;
    Some(format!("supertokens/supertokens-postgresql:{version}"))
}

/// The numbers of a version, to be compared.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

/// The tag of an image.
pub(super) fn tag(image: &str) -> Option<&str> {
    image.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag)
}

/// Whether it is an image with a tag that our documents take.
pub(super) fn is_image(image: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._:/-".contains(c);
    image.len() <= 255
        && image.starts_with(|c: char| c.is_ascii_alphanumeric())
        && image.chars().all(is_good)
        && tag(image).is_some_and(|tag| !tag.is_empty())
}

impl Pattern<'_> {
    /// The names of the secrets of a core: API keys, and the database's address.
    pub(super) fn secrets(&self, core: &str) -> [String; 2] {
        [&self.api_key, &self.database].map(|name| name.replace("{core}", core))
    }

    /// The names of their other secrets, by twos as [`check_secrets`] takes them.
    pub(super) fn more_secrets(&self) -> Vec<[String; 2]> {
        self.carried.secrets.values().map(|name| [name.clone(), name.clone()]).collect()
    }

    /// The hosts on which one of those serves that they are replicas of: a second one there would fall with it.
    pub(super) fn hosts_of_replicas(&self, desk: &Desk<'_>, doors: &[Door]) -> BTreeSet<Text> {
        let targets =
            desk.fleet.targets.iter().filter(|row| doors.iter().any(|door| door.group == row.it.group));
        let mut hosts: BTreeSet<Text> = targets.map(|row| row.it.id.clone()).collect();
        hosts.extend(self.like.and_then(|core| core.home.instance_id()).map(|id| Text::new(id.as_str())));
        hosts
    }

    /// The port that replicas listen at: that of the core that they are like.
    pub(super) fn port(&self) -> Option<u16> {
        self.like.and_then(|core| core.port).or(Some(3567))
    }

    /// The target groups that lead to the new cores: those that were named, or those of the core that they are like.
    ///
    /// # Errors
    ///
    /// What they do with targets that leave could not be seen.
    pub(super) async fn doors(&self, desk: &Desk<'_>, draft: &mut Draft) -> Result<Vec<Door>> {
        let mut all = Vec::new();
        for name in &self.target_groups {
            let found = desk.fleet.target_groups.iter().find(|row| row.it.name == name.as_str());
            match found {
                Some(row) if row.it.target_type == "instance" => {
                    all.push(Door::new(desk, row.it.arn.clone()));
                }
                Some(row) => {
                    let why = format!("its targets are {}s", row.it.target_type);
                    draft.refuse(name, why, "name one whose targets are instances");
                }
                None => {
                    let names = desk.fleet.target_groups.iter().map(|row| row.it.name.as_str());
                    let meant = did_you_mean(name, names).map_or_else(
                        || "`coredeck get target-groups` lists them".to_owned(),
                        |meant| format!("did you mean {meant}?"),
                    );
                    draft.refuse(name, "there is no such target group", meant);
                }
            }
        }
        if !self.target_groups.is_empty() {
            return Ok(all);
        }
        let Some(core) = self.like else { return Ok(all) };
        let host = core.home.instance_id();
        let row = desk.fleet.instances.iter().find(|row| Some(&row.it.id) == host);
        let (Some(row), Some(port)) = (row, core.port) else { return Ok(all) };
        let (container, keeps) = (Text::new(""), Keeps::default());
        let found = Found { core, host: row, container, port, entry: None, keeps };
        note_left_out(desk, &found, draft);
        Ok(doors(desk, &found, draft)
            .await?
            .into_iter()
            .filter(Door::is_in)
            .map(|door| Door::new(desk, door.group))
            .collect())
    }
}

/// Refuses cores whose secrets are not there, or are no secrets. Only their kinds are looked at.
///
/// # Errors
///
/// They could not be looked at.
pub(super) async fn check_secrets(
    desk: &Desk<'_>,
    wanted: &[(&Scope, [String; 2])],
    draft: &mut Draft,
) -> Result<()> {
    let mut places: BTreeMap<&Scope, BTreeSet<&str>> = BTreeMap::new();
    for (scope, names) in wanted {
        places.entry(scope).or_default().extend(names.iter().map(String::as_str));
    }
    for (scope, names) in places {
        let is_name = |name: &str| {
            let is_good = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
            name.starts_with('/') && name.len() > 1 && name.len() <= 512 && name.chars().all(is_good)
        };
        let (good, bad): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| is_name(name));
        for name in bad {
            draft.refuse(
                name,
                "it is no name of a parameter",
                "write it like /coredeck/FLEET/secrets/CORE/api-key",
            );
        }
        let of = good.iter().map(Text::new).collect();
        let Seen::Parameters(seen) = desk.look(scope, Look::Parameters { of }).await? else { continue };
        for name in good {
            match seen.iter().find(|one| one.name == name) {
                Some(one) if one.kind == "SecureString" => {}
                Some(one) => {
                    let why = format!("it is a {}, which everybody reads who may read parameters", one.kind);
                    draft.refuse(name, why, "make it a SecureString");
                }
                None => draft.refuse(
                    name,
                    format!(
                        "there is no such parameter in {scope}, and its host would look for the secret there"
                    ),
                    format!("aws ssm put-parameter --type SecureString --name {name} --value file://…"),
                ),
            }
        }
    }
    Ok(())
}
