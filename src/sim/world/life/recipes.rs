//! What a launch takes: template, type and image as the group has them, or as a refresh does while it goes forward.

use crate::sim::fault::Fault;
use crate::sim::world::machine::{Image, KINDS, Kind, TemplateVersion};
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Member, Mix, Override, TemplateChoice};
use compact_str::{CompactString, format_compact};

/// Whatever a launch needs to know.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) template: CompactString,
    pub(crate) version: TemplateVersion,
    pub(crate) kind: &'static Kind,
    pub(crate) image: CompactString,
    pub(crate) weight: u32,
    pub(crate) is_spot: bool,
}

/// The template and the mix that launches of a group take now.
pub(crate) fn configuration(group: &Group) -> (&TemplateChoice, Option<&Mix>) {
    let forward = group.refreshes.last().filter(|refresh| refresh.goes_forward());
    match forward.and_then(|refresh| Some((refresh.desired.as_ref()?, refresh.mix.as_ref()))) {
        Some(wished) => wished,
        None => (&group.template, group.mix.as_ref()),
    }
}

impl Place {
    /// The version of the group's template, or of the refresh's, that launches take now.
    pub(crate) fn launch_version(&self, group: &Group) -> Option<&TemplateVersion> {
        self.version_of(configuration(group).0)
    }

    /// The version that a choice means now.
    pub(crate) fn version_of(&self, choice: &TemplateChoice) -> Option<&TemplateVersion> {
        self.templates.get(&choice.id)?.version(&choice.version)
    }

    /// The id of an image that may be named by a parameter: `resolve:ssm:NAME`, with `:VERSION` behind it.
    pub(crate) fn image_id(&self, image: &str) -> Option<CompactString> {
        let Some(name) = image.strip_prefix("resolve:ssm:") else { return Some(image.into()) };
        self.parameter_value(name).map(CompactString::from)
    }

    /// The image that a launch takes, if it may and if it runs on the type.
    ///
    /// # Errors
    /// EC2's own refusals.
    pub(crate) fn image_for(&self, image: &str, kind: &Kind) -> Result<&Image, Fault> {
        let id = self.image_id(image).ok_or_else(|| {
            let sentence = format!("Unable to retrieve the image id for the parameter of '{image}'");
            Fault::new("InvalidParameterValue", sentence)
        })?;
        let found = self.images.get(&id).ok_or_else(|| {
            Fault::new("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"))
        })?;
        if !found.is_public && found.owner != *self.account {
            return Err(Fault::new("AuthFailure", format!("Not authorized for images: [{id}]")));
        }
        if kind.architecture != found.architecture {
            return Err(Fault::new(
                "InvalidParameterValue",
                format!(
                    "The architecture '{}' of the specified instance type does not match the architecture '{}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.",
                    kind.architecture, found.architecture
                ),
            ));
        }
        Ok(found)
    }

    /// What the next launch of a group takes.
    ///
    /// # Errors
    /// Why it cannot be, in the words of a scaling activity.
    pub(crate) fn recipe(&self, group: &Group) -> Result<Recipe, CompactString> {
        let (choice, mix) = configuration(group);
        let base = self.version_of(choice);
        let (kind, own, is_spot) = self.purchase(group, mix, base);
        let choice = own.and_then(|own| own.template.as_ref()).unwrap_or(choice);
        let version = self.version_of(choice).ok_or_else(|| {
            format_compact!(
                "The launch template version {} of {} does not exist. Launching EC2 instance failed.",
                choice.version,
                choice.name
            )
        })?;
        let named = own.and_then(|own| own.image.as_ref()).unwrap_or(&version.image);
        let failed = |fault: Fault| format_compact!("{}. Launching EC2 instance failed.", fault.message);
        let image = self.image_for(named, kind).map_err(failed)?;
        if group.lacks_room {
            let zone = self.zone(group.zones.first().copied().unwrap_or_default());
            return Err(format_compact!(
                "We currently do not have sufficient {} capacity in the Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity. Launching EC2 instance failed.",
                kind.name
            ));
        }
        Ok(Recipe {
            template: choice.id.clone(),
            version: version.clone(),
            kind,
            image: image.id.clone(),
            weight: own.and_then(|own| own.weight).unwrap_or(1),
            is_spot,
        })
    }

    /// Which type, by which override, and whether from the spot market: the base first, then by percent.
    fn purchase<'g>(
        &self,
        group: &Group,
        mix: Option<&'g Mix>,
        base: Option<&TemplateVersion>,
    ) -> (&'static Kind, Option<&'g Override>, bool) {
        let own = base.and_then(|base| base.kind).and_then(Kind::named).unwrap_or(&KINDS[0]);
        let Some(mix) = mix else { return (own, None, false) };
        let (mut on_demand, mut spot) = (0_u32, 0_u32);
        for member in &group.members {
            match self.instances.get(&member.instance).map(|instance| instance.spot_request.is_some()) {
                Some(true) => spot += member.weight.max(1),
                Some(false) => on_demand += member.weight.max(1),
                None => {}
            }
        }
        let above = (on_demand + spot + 1).saturating_sub(mix.on_demand_base);
        let wanted = mix.on_demand_base + (above * mix.on_demand_percent).div_ceil(100);
        let is_spot = on_demand >= wanted;
        let chosen = mix.overrides.get(self.allotted(group, mix, is_spot));
        let image = base.and_then(|base| self.image_id(&base.image)).and_then(|id| self.images.get(&id));
        let fits = |one: &&Kind| {
            chosen.is_some_and(|chosen| chosen.fits(one.name))
                && chosen.is_some_and(|chosen| {
                    chosen.needs.is_none() || image.is_none_or(|image| image.architecture == one.architecture)
                })
        };
        (KINDS.iter().find(fits).unwrap_or(own), chosen, is_spot)
    }

    /// The template, its version and the image that a member gets where it stands.
    pub(super) fn renewal(
        &self,
        group: &Group,
        member: &Member,
    ) -> Option<((CompactString, u32), CompactString)> {
        let (choice, mix) = configuration(group);
        let own = mix.and_then(|mix| mix.of(member.kind));
        let choice = own.and_then(|own| own.template.as_ref()).unwrap_or(choice);
        let version = self.version_of(choice)?;
        let named = own.and_then(|own| own.image.as_ref()).unwrap_or(&version.image);
        Some(((choice.id.clone(), version.number), self.image_id(named)?))
    }

    /// Tells whether a member is what launches of its group make now.
    pub(crate) fn is_current(&self, group: &Group, member: &Member) -> bool {
        let (choice, mix) = configuration(group);
        let mix = mix.filter(|mix| !mix.overrides.is_empty());
        let own = mix.and_then(|mix| mix.of(member.kind));
        if mix.is_some() && own.is_none() {
            return false;
        }
        let choice = own.and_then(|own| own.template.as_ref()).unwrap_or(choice);
        let Some(version) = self.version_of(choice) else { return false };
        let named = own.and_then(|own| own.image.as_ref()).unwrap_or(&version.image);
        // An alias may mean another image by now; so may an override of the same version.
        let floats = named.starts_with("resolve:") || own.is_some_and(|own| own.image.is_some());
        let is_same_image = !floats || self.image_id(named).is_none_or(|id| id == member.image);
        member.template == choice.id && member.version == version.number && is_same_image
    }
}
