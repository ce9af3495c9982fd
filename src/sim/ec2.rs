//! EC2: what is served of it, and what its operations share.

mod attributes;
mod changes;
mod images;
mod instances;
mod kinds;
pub(crate) mod launch;
mod regions;
mod spot;
mod statuses;
mod templates;
mod versions;

use super::fault::Fault;
use super::filter::Filter;
use super::page::Paging;
use super::service::{Call, Operation, Protocol, Service};
use super::shape::{Fields, Shape, list};
use super::world::machine::Tag;
use templates::version_shape;

pub(crate) const SERVICE: Service = Service {
    name: "ec2",
    model: "ec2",
    title: "EC2",
    protocol: Protocol::Ec2,
    version: "2016-11-15",
    target: "",
    namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
    bad_parameter: "UnknownParameter",
    operations: &[
        Operation::read(
            "DescribeInstances",
            &["InstanceId", "Filter", "MaxResults", "NextToken", "DryRun"],
            instances::describe,
        ),
        Operation::read(
            "DescribeInstanceStatus",
            &["InstanceId", "Filter", "MaxResults", "NextToken", "DryRun", "IncludeAllInstances"],
            statuses::describe,
        ),
        Operation::read(
            "DescribeLaunchTemplates",
            &["LaunchTemplateId", "LaunchTemplateName", "Filter", "MaxResults", "NextToken", "DryRun"],
            templates::describe,
        ),
        Operation::read(
            "DescribeLaunchTemplateVersions",
            &[
                "LaunchTemplateId",
                "LaunchTemplateName",
                "LaunchTemplateVersion",
                "MinVersion",
                "MaxVersion",
                "ResolveAlias",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun",
            ],
            templates::describe_versions,
        ),
        Operation::read(
            "DescribeImages",
            &[
                "ImageId",
                "Owner",
                "ExecutableBy",
                "Filter",
                "MaxResults",
                "NextToken",
                "IncludeDeprecated",
                "IncludeDisabled",
                "DryRun",
            ],
            images::describe,
        ),
        Operation::read(
            "DescribeRegions",
            &["RegionName", "Filter", "AllRegions", "DryRun"],
            regions::describe,
        ),
        Operation::read(
            "DescribeAvailabilityZones",
            &["ZoneName", "ZoneId", "Filter", "AllAvailabilityZones", "DryRun"],
            regions::describe_zones,
        ),
        Operation::read(
            "DescribeSpotPriceHistory",
            &[
                "InstanceType",
                "ProductDescription",
                "AvailabilityZone",
                "AvailabilityZoneId",
                "StartTime",
                "EndTime",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun",
            ],
            spot::history,
        ),
        Operation::read(
            "DescribeInstanceTypes",
            &["InstanceType", "Filter", "MaxResults", "NextToken", "DryRun"],
            kinds::describe,
        ),
        Operation::read(
            "DescribeInstanceTypeOfferings",
            &["LocationType", "Filter", "MaxResults", "NextToken", "DryRun"],
            kinds::offerings,
        ),
        Operation::write("TerminateInstances", &["InstanceId", "DryRun"], changes::terminate),
        Operation::write("StopInstances", &["InstanceId", "DryRun", "Force"], changes::stop),
        Operation::write("StartInstances", &["InstanceId", "DryRun"], changes::start),
        Operation::write("RunInstances", launch::TAKES, launch::run),
        Operation::write("RebootInstances", &["InstanceId", "DryRun"], changes::reboot),
        Operation::read(
            "DescribeInstanceAttribute",
            &["InstanceId", "Attribute", "DryRun"],
            attributes::describe,
        ),
        Operation::write(
            "ModifyInstanceAttribute",
            &["InstanceId", "Attribute", "Value", "DisableApiTermination", "DryRun"],
            attributes::modify,
        ),
        Operation::write(
            "CreateLaunchTemplate",
            &[
                "LaunchTemplateName",
                "VersionDescription",
                "LaunchTemplateData",
                "TagSpecification",
                "ClientToken",
                "DryRun",
            ],
            versions::create_template,
        ),
        Operation::write(
            "DeleteLaunchTemplate",
            &["LaunchTemplateId", "LaunchTemplateName", "DryRun"],
            versions::delete_template,
        ),
        Operation::write("CreateTags", &["ResourceId", "Tag", "DryRun"], changes::create_tags),
        Operation::write("DeleteTags", &["ResourceId", "Tag", "DryRun"], changes::delete_tags),
        Operation::write(
            "CreateLaunchTemplateVersion",
            &[
                "LaunchTemplateId",
                "LaunchTemplateName",
                "SourceVersion",
                "ResolveAlias",
                "VersionDescription",
                "LaunchTemplateData",
                "ClientToken",
                "DryRun",
            ],
            versions::create_version,
        ),
        Operation::write(
            "ModifyLaunchTemplate",
            &["LaunchTemplateId", "LaunchTemplateName", "SetDefaultVersion", "ClientToken", "DryRun"],
            versions::modify_template,
        ),
        Operation::write(
            "DeleteLaunchTemplateVersions",
            &["LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion", "DryRun"],
            versions::delete_versions,
        ),
        Operation::write(
            "DeregisterImage",
            &["ImageId", "DeleteAssociatedSnapshots", "DryRun"],
            images::deregister,
        ),
    ],
};

/// How most of EC2 pages.
const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    default: 1000,
    min: 5,
    max: 1000,
    bad_size: "InvalidParameterValue",
    bad_token: "InvalidParameterValue",
};

/// Answers a dry run as EC2 does: with an error that means yes.
fn dry_run(call: &Call) -> Result<(), Fault> {
    if call.input.flag("DryRun") {
        let sentence = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::new("DryRunOperation", sentence).with_status(412));
    }
    Ok(())
}

/// Refuses a list of ids together with a page size, as EC2 does.
fn ids_or_pages(call: &Call, ids: &str) -> Result<(), Fault> {
    if !call.input.list(ids).is_empty() && call.input.get("MaxResults").is_some() {
        return Err(Fault::new(
            "InvalidParameterCombination",
            format!("The parameter {ids} cannot be used with the parameter MaxResults"),
        ));
    }
    Ok(())
}

fn bad_filter(filter: &Filter) -> Fault {
    Fault::new("InvalidParameterValue", format!("The filter '{}' is invalid", filter.name))
}

/// Tries the filters that every tagged resource knows; none when the filter is not about tags.
fn by_tag(filter: &Filter, tags: &[Tag]) -> Option<bool> {
    if let Some(key) = filter.name.strip_prefix("tag:") {
        return Some(tags.iter().any(|(name, value)| name == key && filter.admits(value)));
    }
    match filter.name {
        "tag-key" => Some(filter.admits_any(tags.iter().map(|(name, _)| name.as_str()))),
        "tag-value" => Some(filter.admits_any(tags.iter().map(|(_, value)| value.as_str()))),
        _ => None,
    }
}

/// How the metadata of every machine here can be asked for: by session only.
fn metadata_options() -> Fields {
    Fields::new()
        .with("state", "applied")
        .with("httpTokens", "required")
        .with("httpPutResponseHopLimit", 2i64)
        .with("httpEndpoint", "enabled")
}

fn tag_set(tags: &[Tag]) -> Shape {
    list(tags, |(key, value)| Fields::new().with("key", key).with("value", value))
}
