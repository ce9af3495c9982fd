//! Launch templates and their versions.

use super::{PAGING, bad_filter, by_tag, dry_run, tag_set};
use crate::sim::fault::Fault;
use crate::sim::filter::{Filter, filters};
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::machine::{Template, TemplateVersion};
use crate::sim::world::place::Place;
use compact_str::CompactString;

const TEMPLATE_PAGING: Paging = Paging { default: 200, min: 1, max: 200, ..PAGING };

/// DescribeLaunchTemplates.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    let filters = filters(call.input, "Filter", "Value");
    let known = ["create-time", "launch-template-name", "tag-key", "tag-value"];
    if let Some(filter) = filters.iter().find(|f| !f.name.starts_with("tag:") && !known.contains(&f.name)) {
        return Err(bad_filter(filter));
    }
    let ids = call.input.texts("LaunchTemplateId");
    let names = call.input.texts("LaunchTemplateName");
    for id in &ids {
        seen(call, place, by_id(place, id)?)?;
    }
    for name in &names {
        seen(call, place, by_name(place, name)?)?;
    }
    let is_named = |template: &Template| {
        (ids.is_empty() && names.is_empty())
            || ids.contains(&template.id.as_str())
            || names.contains(&template.name.as_str())
    };
    let page = TEMPLATE_PAGING.of(call)?;
    let seen = place.templates.after(page.after);
    let seen = seen.filter_map(|(serial, template)| Some((serial, place.seen_template(template, call.now)?)));
    let rows = seen
        .filter(|(_, template)| is_named(template) && filters.iter().all(|filter| admits(filter, template)));
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |template| shape(place, template));
    Ok(Fields::new().with("launchTemplates", shapes).maybe("nextToken", token).into())
}

/// A template as the wire has it.
pub(super) fn shape(place: &Place, template: &Template) -> Shape {
    Fields::new()
        .with("launchTemplateId", &template.id)
        .with("launchTemplateName", &template.name)
        .with("createTime", template.created)
        .with("createdBy", format!("arn:aws:iam::{}:user/terraform", place.account))
        .with("defaultVersionNumber", template.default)
        .with("latestVersionNumber", template.latest())
        .with("tagSet", tag_set(&template.tags))
        .into()
}

fn admits(filter: &Filter, template: &Template) -> bool {
    by_tag(filter, &template.tags).unwrap_or_else(|| match filter.name {
        "create-time" => filter.admits(&template.created.rfc3339()),
        _ => filter.admits(&template.name),
    })
}

/// The template of an id, or EC2's refusal.
pub(super) fn by_id<'p>(place: &'p Place, id: &str) -> Result<&'p Template, Fault> {
    place.templates.get(id).ok_or_else(|| unknown(id))
}

/// The template of a name, or EC2's refusal.
pub(super) fn by_name<'p>(place: &'p Place, name: &str) -> Result<&'p Template, Fault> {
    place.templates.rows().find(|template| template.name == name).ok_or_else(|| {
        let sentence =
            format!("At least one of the launch templates specified in the request does not exist: {name}.");
        Fault::new("InvalidLaunchTemplateName.NotFoundException", sentence)
    })
}

/// A template as a read sees it now, or EC2's refusal when it does not see it yet.
fn seen<'p>(call: &Call, place: &'p Place, template: &'p Template) -> Result<&'p Template, Fault> {
    place.seen_template(template, call.now).ok_or_else(|| unknown(&template.id))
}

fn unknown(id: &str) -> Fault {
    let sentence = format!("The specified launch template, with template ID {id}, does not exist.");
    Fault::new("InvalidLaunchTemplateId.NotFound", sentence)
}

/// DescribeLaunchTemplateVersions: of one template, or `$Latest` and `$Default` of all.
pub(super) fn describe_versions(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    let filters = filters(call.input, "Filter", "Value");
    let known = ["image-id", "instance-type", "is-default-version", "iam-instance-profile"];
    if let Some(filter) = filters.iter().find(|filter| !known.contains(&filter.name)) {
        return Err(bad_filter(filter));
    }
    let wanted = call.input.texts("LaunchTemplateVersion");
    let template = match (call.input.text("LaunchTemplateId"), call.input.text("LaunchTemplateName")) {
        (Some(_), Some(_)) => {
            return Err(Fault::new(
                "InvalidParameterCombination",
                "LaunchTemplateId and LaunchTemplateName cannot be specified together",
            ));
        }
        (Some(id), None) => Some(seen(call, place, by_id(place, id)?)?),
        (None, Some(name)) => Some(seen(call, place, by_name(place, name)?)?),
        (None, None) => None,
    };
    let number = |name: &str| {
        let invalid =
            |sent| Fault::new("InvalidParameterValue", format!("Invalid value '{sent}' for {name}"));
        call.input.number(name).map_err(invalid)
    };
    let (least, most) = (number("MinVersion")?, number("MaxVersion")?);
    let mut rows: Vec<(&Template, &TemplateVersion)> = Vec::new();
    match template {
        None => {
            if wanted.is_empty() || wanted.iter().any(|version| !matches!(*version, "$Latest" | "$Default")) {
                return Err(Fault::new(
                    "MissingParameter",
                    "When no launch template is named, the versions must be $Latest, $Default or both",
                ));
            }
            let all = place.templates.rows().filter_map(|one| place.seen_template(one, call.now));
            for template in all {
                rows.extend(wanted.iter().filter_map(|text| Some((template, template.version(text)?))));
            }
        }
        Some(template) if !wanted.is_empty() => {
            for text in &wanted {
                let version = template.version(text).ok_or_else(|| {
                    Fault::new(
                        "InvalidLaunchTemplateId.VersionNotFound",
                        format!("Could not find launch template version {text} of {}.", template.id),
                    )
                })?;
                rows.push((template, version));
            }
        }
        Some(template) => {
            let within = |version: &&TemplateVersion| {
                let number = i64::from(version.number);
                least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
            };
            rows.extend(template.versions.iter().filter(within).rev().map(|version| (template, version)));
        }
    }
    rows.retain(|(template, version)| {
        filters.iter().all(|filter| match filter.name {
            "image-id" => filter.admits(&version.image),
            "instance-type" => version.kind.is_some_and(|kind| filter.admits(kind)),
            "is-default-version" => {
                filter.admits(if version.number == template.default { "true" } else { "false" })
            }
            _ => version.profile.as_deref().is_some_and(|arn| filter.admits(arn)),
        })
    });
    let page = TEMPLATE_PAGING.of(call)?;
    let (rows, token) = page.take(call, (1..).zip(&rows));
    let shapes = list(rows, |(template, version)| {
        version_shape(template, version, super::versions::alias(call, place, version))
    });
    Ok(Fields::new().with("launchTemplateVersionSet", shapes).maybe("nextToken", token).into())
}

/// A version as the wire has it, with what its image's alias means.
pub(super) fn version_shape(
    template: &Template,
    version: &TemplateVersion,
    alias: Option<CompactString>,
) -> Shape {
    let data = Fields::new()
        .when(!version.image.is_empty(), |fields| {
            fields.with("imageId", alias.as_ref().unwrap_or(&version.image))
        })
        .maybe("instanceType", version.kind)
        .with("keyName", "oncall")
        .with("ebsOptimized", true)
        .maybe("iamInstanceProfile", version.profile.as_ref().map(|arn| Fields::new().with("arn", arn)))
        .maybe("userData", version.user_data.as_ref())
        .with("securityGroupIdSet", Shape::List(vec![Shape::from(&version.security_group)]))
        .with("monitoring", Fields::new().with("enabled", true))
        .with("metadataOptions", super::metadata_options())
        .when(!version.tags.is_empty(), |fields| {
            let specification =
                Fields::new().with("resourceType", "instance").with("tagSet", tag_set(&version.tags));
            fields.with("tagSpecificationSet", Shape::List(vec![specification.into()]))
        });
    Fields::new()
        .with("launchTemplateId", &template.id)
        .with("launchTemplateName", &template.name)
        .with("versionNumber", version.number)
        .maybe("versionDescription", version.description.as_ref())
        .with("createTime", version.created)
        .with("createdBy", &version.created_by)
        .with("defaultVersion", version.number == template.default)
        .with("launchTemplateData", data)
        .into()
}
