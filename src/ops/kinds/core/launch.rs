//! What a new host is launched from: the template of its tier, the exact version, and the subnet where fewest of the
//! tier's hosts are.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::CoreWish;
use super::super::super::launching::LaunchFact;
use super::super::super::placement::memory_mib;
use super::super::super::plan::Fact;
use super::super::protect::count;
use crate::error::Result;
use crate::fleet::TemplateRow;
use crate::gateway::{Look, Seen};
use crate::model::tier::{TierFacts, classify};
use crate::model::{ImageId, InstanceType, Scope, TemplateRef, TemplateVersion, Text, Tier};

/// What new hosts are launched from.
pub(super) struct Launch<'a> {
    row: &'a TemplateRow,
    version: TemplateVersion,
    /// The type, where the version names none.
    wished: Option<InstanceType>,
    /// The subnets with the hosts that the tier has in each, fewest first; empty where the template says it.
    subnets: Vec<(Text, usize)>,
}

/// The template that was named, or the tier's, in one place where that is given; none where there is none, or something
/// was refused.
///
/// # Errors
///
/// Its version or image could not be looked at.
pub(super) async fn of<'a>(
    desk: &'a Desk<'_>,
    tier: &Tier,
    wish: &CoreWish,
    within: Option<&Scope>,
    draft: &mut Draft,
) -> Result<Option<Launch<'a>>> {
    let Some((row, version)) = template(desk, tier, wish, within, draft) else { return Ok(None) };
    let label = &row.it.name;
    let number = match version.as_deref().unwrap_or("$Default") {
        "$Default" | "default" => row.it.default_version,
        "$Latest" | "latest" => row.it.latest_version,
        other => match other.parse() {
            Ok(number) => number,
            Err(_) => {
                draft.refuse(
                    format!("{label}:{other}"),
                    "it is no version",
                    "write a number, default or latest",
                );
                return Ok(None);
            }
        },
    };
    let look = Look::Versions { template: row.it.id.clone(), from: number };
    let Seen::Versions(all) = desk.look(&row.scope, look).await? else { return Ok(None) };
    let Some(version) = all.into_iter().find(|one| one.number == number) else {
        let mend = format!(
            "aws ec2 describe-launch-template-versions --launch-template-id {} lists them",
            row.it.id
        );
        draft.refuse(format!("{label}:{number}"), "there is no such version", mend);
        return Ok(None);
    };
    let wished = match (&version.instance_type, version.by_attributes) {
        (None, false) => tier.instance_types.first().cloned(),
        _ => None,
    };
    let launch = Launch { row, wished, subnets: subnets(desk, row, tier, wish), version };
    launch.mind(desk, tier, draft).await?;
    Ok(Some(launch))
}

/// The template and the version that is wished of it.
fn template<'a>(
    desk: &'a Desk<'_>,
    tier: &Tier,
    wish: &CoreWish,
    within: Option<&Scope>,
    draft: &mut Draft,
) -> Option<(&'a TemplateRow, Option<String>)> {
    let configured = tier.launch.version.as_ref().map(ToString::to_string);
    let (name, version) = match (&wish.template, &tier.launch.template) {
        (Some(wished), _) => match wished.rsplit_once(':') {
            Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
            None => (wished.clone(), None),
        },
        (None, Some(name)) => (name.to_string(), configured),
        (None, None) => {
            // The one that says by its tags that it is the tier's.
            let is_its = |row: &&TemplateRow| {
                let facts = TierFacts { tags: Some(&row.it.tags), ..TierFacts::default() };
                let is_here = within.is_none_or(|scope| *row.scope == *scope);
                is_here
                    && classify(&desk.config.tiers, facts).is_some_and(|found| found.tier.name == tier.name)
            };
            let all: Vec<&TemplateRow> = desk.fleet.templates.iter().filter(is_its).collect();
            return match all.as_slice() {
                [] => None,
                [only] => Some((only, configured)),
                several => {
                    let names: Vec<&str> = several.iter().map(|row| row.it.name.as_str()).collect();
                    let why =
                        format!("{} launch templates are tagged as its: {}", several.len(), names.join(", "));
                    draft.refuse(format!("tier {}", tier.name), why, "say which by --template NAME");
                    None
                }
            };
        }
    };
    // The same name may be given in several places.
    let mut here = desk.fleet.templates.iter().filter(|row| {
        within.is_some_and(|scope| *row.scope == *scope)
            && (row.it.id.as_str() == name || row.it.name == *name)
    });
    if let (Some(only), None) = (here.next(), here.next()) {
        return Some((only, version));
    }
    let row = desk.templates(&[name], draft).first().copied()?;
    if let Some(scope) = within.filter(|scope| *row.scope != **scope) {
        let why = format!("it is in {}, and what is moved is in {scope}", row.scope);
        draft.refuse(&row.it.name, why, "name a launch template of that place: --template NAME");
        return None;
    }
    Some((row, version))
}

/// The subnets that new hosts may be launched in, with the tier's hosts in each.
fn subnets(desk: &Desk<'_>, row: &TemplateRow, tier: &Tier, wish: &CoreWish) -> Vec<(Text, usize)> {
    let here = || {
        let all = desk.fleet.instances.iter();
        all.filter(|one| {
            one.scope == row.scope && one.tier.as_ref() == Some(&tier.name) && !one.it.state.is_gone()
        })
    };
    let mut subnets: Vec<Text> = match (&wish.subnet, &tier.launch.subnets) {
        (Some(only), _) => vec![Text::new(only)],
        (None, Some(list)) => list.clone(),
        (None, None) => here().filter_map(|one| one.it.subnet_id.clone()).collect(),
    };
    if wish.subnet.is_none() && tier.launch.subnets.is_none() {
        subnets.sort();
        subnets.dedup();
    }
    let held = |subnet: &Text| here().filter(|one| one.it.subnet_id.as_ref() == Some(subnet)).count();
    let mut counted: Vec<(Text, usize)> =
        subnets.into_iter().map(|subnet| (subnet.clone(), held(&subnet))).collect();
    counted.sort_by_key(|(_, held)| *held);
    counted
}

impl Launch<'_> {
    /// Where it is.
    pub(super) fn scope(&self) -> &Scope {
        &self.row.scope
    }

    /// The template with its version and what it launches, as a person calls it.
    pub(super) fn name(&self) -> String {
        let kind = self.instance_type().map_or(String::new(), |kind| format!(" ({kind})"));
        format!("{}:{}{kind}", self.row.it.name, self.version.number)
    }

    /// The type that is launched, where anybody says it.
    pub(super) fn instance_type(&self) -> Option<&InstanceType> {
        self.version.instance_type.as_ref().or(self.wished.as_ref())
    }

    /// The type that the call names beside the template.
    pub(super) fn wished(&self) -> Option<&InstanceType> {
        self.wished.as_ref()
    }

    /// The exact version.
    pub(super) fn template(&self) -> TemplateRef {
        TemplateRef {
            id: self.row.it.id.clone(),
            name: self.row.it.name.clone(),
            version: Text::from(self.version.number.to_string()),
        }
    }

    /// Where the nth new host goes: to the subnet that has fewest then; and where that has no room, to the others, those
    /// with fewest first. Empty where the template says it.
    pub(super) fn places(&self, nth: usize) -> Vec<Text> {
        let mut held = self.subnets.clone();
        for _ in 0..nth {
            if let Some(fewest) = held.iter_mut().min_by_key(|(_, held)| *held) {
                fewest.1 += 1;
            }
        }
        held.sort_by_key(|(_, held)| *held);
        held.into_iter().map(|(subnet, _)| subnet).collect()
    }

    /// What a launch rests on.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let about = self.version.description.as_deref().unwrap_or_default();
        let fact =
            LaunchFact::TemplateVersion { template: self.row.it.id.clone(), number: self.version.number };
        let mut facts = vec![Fact { fact: Aspect::Launching { fact }, was: Value::word(about) }];
        facts.extend(self.image().map(|image| Fact {
            fact: Aspect::Launching { fact: LaunchFact::Image { image } },
            was: Value::word("available"),
        }));
        facts
    }

    /// Its image, where the version names one and not a parameter that does.
    fn image(&self) -> Option<ImageId> {
        let image = self.version.image.as_deref()?;
        image.starts_with("ami-").then(|| ImageId::new(image))
    }

    /// Refuses what EC2 could never launch, and says what a person should know.
    async fn mind(&self, desk: &Desk<'_>, tier: &Tier, draft: &mut Draft) -> Result<()> {
        let name = self.name();
        if let Some(image) = self.image() {
            let seen = desk.look(&self.row.scope, Look::Images { of: vec![image.clone()] }).await?;
            let state = match &seen {
                Seen::Images(all) => all.iter().find(|one| one.id == image).and_then(|one| one.state.clone()),
                _ => None,
            };
            if state.as_deref() != Some("available") {
                let is = state.map_or("gone".to_owned(), |state| state.to_string());
                let mend = format!(
                    "give {} a version with another image, and name that: --template {}:VERSION",
                    self.row.it.name, self.row.it.name
                );
                draft.refuse(&name, format!("its image {image} is {is}"), mend);
            }
        }
        if self.version.is_spot {
            draft.warn(format!("{name} launches spot instances: AWS may end them with two minutes' notice"));
        }
        if let Some(kind) = self.instance_type()
            && !tier.instance_types.is_empty()
            && !tier.instance_types.contains(kind)
        {
            let wanted: Vec<&str> = tier.instance_types.iter().map(InstanceType::as_str).collect();
            draft.warn(format!(
                "hosts of tier {} should be {}, and this is {kind}",
                tier.name,
                wanted.join(" or ")
            ));
        }
        if tier.cores_per_host.is_some_and(|most| most > 1)
            && self.instance_type().is_some_and(|kind| memory_mib(kind.as_str()).is_none())
        {
            draft.warn("how much memory that type has is not known: cores on it get no limit".to_owned());
        }
        Ok(())
    }

    /// Says what new hosts mean.
    pub(super) fn say(&self, news: usize, draft: &mut Draft) {
        draft.hold(&self.row.scope, "template", self.row.it.id.as_str(), crate::store::journal::Grip::Shared);
        let more = format!(
            "the prices of instance types are not read; {} more {} paid until somebody ends {}",
            count(news, "instance"),
            if news == 1 { "is" } else { "are" },
            if news == 1 { "it" } else { "them" }
        );
        draft.cost = Some(match draft.cost.take() {
            Some(before) => format!("{before}; {more}"),
            None => more,
        });
        if !self.row.groups.is_empty() {
            let groups: Vec<&str> = self.row.groups.iter().map(|group| group.as_str()).collect();
            draft.warn(format!(
                "{} is launched from by {} too: the new instance stands beside it and is no member, so that no \
                 scale-in, refresh or rollout of the group touches it",
                self.row.it.name,
                groups.join(", ")
            ));
        }
    }
}
