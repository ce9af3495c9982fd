//! What a group is refreshed to, by number, and what it launched before: resolved when the plan is made.

use crate::error::Result;
use crate::fleet::GroupRow;
use crate::gateway::change::Desired;
use crate::gateway::{Look, Seen};
use crate::model::{Group, Image, Mix, Template, TemplateRef, TemplateVersion, Text};
use crate::ops::desk::Desk;
use crate::ops::guard::Refusal;
use crate::ops::intent::RefreshWish;
use std::collections::BTreeMap;

/// A template version with what is known of its image.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ops::kinds) struct Version {
    /// By id and number.
    pub(in crate::ops::kinds) it: TemplateRef,
    /// What the version says.
    pub(in crate::ops::kinds) says: TemplateVersion,
    /// What is known of its image.
    pub(in crate::ops::kinds) image: Picture,
}

/// An image as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ops::kinds) enum Picture {
    /// It is there.
    There,
    /// AWS no longer lists it.
    Gone(Text),
    /// It is looked up in the Parameter Store at each launch.
    Parameter(Text),
    /// Nobody looked: an image that nothing uses yet, or none in the version.
    Unknown,
}

/// What a group is refreshed to, and from what.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ops::kinds) struct Target {
    /// The version that new instances are launched with; none for a group with a launch configuration.
    pub(in crate::ops::kinds) to: Option<Version>,
    /// The mixed policy that is sent with it, where that differs from the group's own.
    pub(in crate::ops::kinds) mix: Option<Mix>,
    /// What it launched before; none where that is not known or the same.
    pub(in crate::ops::kinds) before: Option<Version>,
    /// What the group follows instead of a number: `$Latest`, `$Default`.
    pub(in crate::ops::kinds) follows: Option<Text>,
    /// The group's policy with numbers where types with a template of their own follow a word; none where none does.
    pub(in crate::ops::kinds) pinned: Option<Mix>,
    /// Why no configuration can be sent, so that AWS launches what the group has.
    pub(in crate::ops::kinds) unsendable: Option<String>,
    /// Members that match cannot be told from others: types are chosen by attributes.
    pub(in crate::ops::kinds) by_attributes: bool,
}

impl Target {
    /// What is sent for a version: the policy of a mixed group whole.
    pub(in crate::ops::kinds) fn desired(&self, version: &Version, mix: Option<&Mix>) -> Option<Desired> {
        if self.unsendable.is_some() {
            return None;
        }
        let template = version.it.clone();
        Some(match mix {
            Some(mix) => Desired::Mixed { template, mix: mix.clone() },
            None => Desired::Template(template),
        })
    }

    /// Whether it launches what the group launched before.
    pub(in crate::ops::kinds) fn is_same(&self) -> bool {
        self.before.is_none()
    }
}

/// Resolves what was asked for.
///
/// # Errors
///
/// Versions could not be looked at.
pub(in crate::ops::kinds) async fn resolve(
    desk: &Desk<'_>,
    row: &GroupRow,
    wish: &RefreshWish,
) -> Result<std::result::Result<Target, Refusal>> {
    let group = &*row.it;
    let names_one = wish.version.is_some() || wish.template.is_some();
    let Some(current) = &group.template else {
        if names_one {
            let why = "it launches from a launch configuration, which has no versions";
            let mend = "move the group to a launch template first, or leave --to-version and --template away";
            return Ok(Err(Refusal::new(&group.name, why, mend)));
        }
        let why = "it launches from a launch configuration, which no refresh can name";
        return Ok(Ok(Target {
            to: None,
            before: None,
            follows: None,
            unsendable: Some(why.to_owned()),
            mix: None,
            pinned: None,
            by_attributes: false,
        }));
    };
    let Some(part) = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope) else {
        return Ok(Err(Refusal::new(&group.name, "its account was not read", "try again")));
    };
    let templates = part.templates.value.as_ref().map(|all| all.as_slice()).unwrap_or_default();
    let images = part.images.value.as_ref().map(|all| all.as_slice()).unwrap_or_default();
    let Some(own) = templates.iter().find(|one| is_named(one, current.id.as_str(), &current.name)) else {
        let why = format!("its launch template {} is gone", current.name);
        let mend = "give the group another one: it can launch nothing";
        return Ok(Err(Refusal::new(&group.name, why, mend)));
    };
    let template = match &wish.template {
        None => own,
        Some(named) => match templates.iter().find(|one| is_named(one, named, named)) {
            Some(template) => template,
            None => {
                let why = format!("there is no launch template {named}");
                return Ok(Err(Refusal::new(&group.name, why, "`coredeck get templates` lists them")));
            }
        },
    };
    let wanted = match (wish.version.as_deref(), &wish.template) {
        (Some(version), _) => number(template, version),
        (None, Some(_)) => Some(template.default_version),
        (None, None) => number(own, &current.version),
    };
    let Some(wanted) = wanted else {
        let named = wish.version.as_deref().unwrap_or(&current.version);
        let mend = format!("name a number from 1 to {}, latest or default", template.latest_version);
        return Ok(Err(Refusal::new(&group.name, format!("`{named}` is no version"), mend)));
    };
    let Some(to) = version(desk, row, template, wanted, images).await? else {
        let why = format!("{} has no version {wanted}", template.name);
        let mend = format!("`coredeck describe template {}` shows them", template.name);
        return Ok(Err(Refusal::new(&group.name, why, mend)));
    };
    let pinned = match group.mix.as_ref().map(|mix| pinned(mix, templates)).transpose() {
        Ok(pinned) => pinned.flatten(),
        Err(name) => {
            let why = format!("launch template {name} of one of its types is gone");
            return Ok(Err(Refusal::new(
                &group.name,
                why,
                "give that type another one: it can launch nothing",
            )));
        }
    };
    let follows = current.version.starts_with('$') || current.version.is_empty();
    let follows =
        follows.then(|| if current.version.is_empty() { "$Default".into() } else { current.version.clone() });
    let (of, old) = match &follows {
        None => (own, number(own, &current.version)),
        // What a group runs that follows a word is what most of its members were launched with.
        Some(_) => usual(group, templates).unwrap_or((own, number(own, &current.version))),
    };
    let is_same = of.id == template.id && old == Some(wanted);
    let before = match old.filter(|_| !is_same) {
        Some(old) => version(desk, row, of, old, images).await?,
        None => None,
    };
    let mix_is_unheld = group.mix.as_ref().and_then(|mix| mix.unheld.first());
    let by_attributes = to.says.by_attributes
        || group.mix.as_ref().is_some_and(|mix| mix.unheld.iter().any(|part| part == "InstanceRequirements"));
    let unsendable = if by_attributes {
        Some("it chooses types by attributes, and AWS takes no configuration for such a refresh".to_owned())
    } else {
        mix_is_unheld.map(|part| format!("its mixed policy has {part}, which cannot be sent back whole"))
    };
    Ok(Ok(Target { to: Some(to), before, follows, unsendable, mix: None, pinned, by_attributes }))
}

/// A policy in which no type's own template follows a word; none where none does, or the name of a template that is gone.
fn pinned(mix: &Mix, templates: &[Template]) -> std::result::Result<Option<Mix>, Text> {
    let mut new = mix.clone();
    for own in new.own.iter_mut().filter_map(|own| own.template.as_mut()) {
        let found = templates.iter().find(|one| is_named(one, own.id.as_str(), &own.name));
        let Some(found) = found else { return Err(own.name.clone()) };
        if own.version.is_empty() || own.version.starts_with('$') {
            own.version = number(found, &own.version).unwrap_or(found.default_version).to_string().into();
        }
    }
    Ok((new != *mix).then_some(new))
}

/// The version that a type with a template of its own is launched with; none where that is gone.
///
/// # Errors
///
/// It could not be looked at.
pub(in crate::ops::kinds) async fn own_version(
    desk: &Desk<'_>,
    row: &GroupRow,
    own: &TemplateRef,
) -> Result<Option<Version>> {
    let Some(part) = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope) else {
        return Ok(None);
    };
    let templates = part.templates.value.as_ref().map(|all| all.as_slice()).unwrap_or_default();
    let images = part.images.value.as_ref().map(|all| all.as_slice()).unwrap_or_default();
    let Some(template) = templates.iter().find(|one| is_named(one, own.id.as_str(), &own.name)) else {
        return Ok(None);
    };
    match number(template, &own.version) {
        Some(number) => version(desk, row, template, number, images).await,
        None => Ok(None),
    }
}

fn is_named(template: &Template, id: &str, name: &str) -> bool {
    if id.is_empty() { template.name == name } else { template.id.as_str() == id || template.name == id }
}

/// The number that a word means now.
fn number(template: &Template, word: &str) -> Option<u64> {
    match word {
        "$Latest" | "latest" => Some(template.latest_version),
        "$Default" | "default" | "" => Some(template.default_version),
        number => number.parse().ok().filter(|number| *number > 0),
    }
}

/// The version that most members were launched with.
fn usual<'a>(group: &Group, templates: &'a [Template]) -> Option<(&'a Template, Option<u64>)> {
    let mut counts: BTreeMap<&TemplateRef, usize> = BTreeMap::new();
    for template in group.members.iter().filter_map(|member| member.template.as_ref()) {
        *counts.entry(template).or_default() += 1;
    }
    let (most, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let template = templates.iter().find(|one| is_named(one, most.id.as_str(), &most.name))?;
    Some((template, number(template, &most.version)))
}

async fn version(
    desk: &Desk<'_>,
    row: &GroupRow,
    template: &Template,
    number: u64,
    images: &[Image],
) -> Result<Option<Version>> {
    let says = match template.versions.iter().find(|one| one.number == number) {
        Some(known) => Some(known.clone()),
        None => {
            let look = Look::Versions { template: template.id.clone(), from: number };
            match desk.look(&row.scope, look).await? {
                Seen::Versions(all) => all.into_iter().find(|one| one.number == number),
                _ => None,
            }
        }
    };
    Ok(says.map(|says| {
        let image = picture(says.image.as_ref(), images);
        let version = Text::from(number.to_string());
        let it = TemplateRef { id: template.id.clone(), name: template.name.clone(), version };
        Version { it, says, image }
    }))
}

fn picture(image: Option<&Text>, images: &[Image]) -> Picture {
    match image {
        None => Picture::Unknown,
        Some(id) if !id.starts_with("ami-") => Picture::Parameter(id.clone()),
        Some(id) => match images.iter().find(|image| image.id.as_str() == id.as_str()) {
            Some(image) if image.is_gone() => Picture::Gone(id.clone()),
            Some(_) => Picture::There,
            None => Picture::Unknown,
        },
    }
}
