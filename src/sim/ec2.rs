//! EC2: what is served of it, and what its operations share.

mod changes;
mod images;
mod instances;
mod kinds;
mod regions;
mod spot;
mod statuses;
mod templates;

use super::fault::Fault;
use super::filter::Filter;
use super::page::Paging;
use super::service::{Call, Operation, Protocol, Run, Service};
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
        Operation {
            name: "DescribeInstances",
            takes: &["InstanceId", "Filter", "MaxResults", "NextToken", "DryRun"],
            run: Run::Read(instances::describe),
        },
        Operation {
            name: "DescribeInstanceStatus",
            takes: &["InstanceId", "Filter", "MaxResults", "NextToken", "DryRun", "IncludeAllInstances"],
            run: Run::Read(statuses::describe),
        },
        Operation {
            name: "DescribeLaunchTemplates",
            takes: &["LaunchTemplateId", "LaunchTemplateName", "Filter", "MaxResults", "NextToken", "DryRun"],
            run: Run::Read(templates::describe),
        },
        Operation {
            name: "DescribeLaunchTemplateVersions",
            takes: &[
                "LaunchTemplateId",
                "LaunchTemplateName",
                "LaunchTemplateVersion",
                "MinVersion",
                "MaxVersion",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun",
            ],
            run: Run::Read(templates::describe_versions),
        },
        Operation {
            name: "DescribeImages",
            takes: &[
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
            run: Run::Read(images::describe),
        },
        Operation {
            name: "DescribeRegions",
            takes: &["RegionName", "Filter", "AllRegions", "DryRun"],
            run: Run::Read(regions::describe),
        },
        Operation {
            name: "DescribeAvailabilityZones",
            takes: &["ZoneName", "ZoneId", "Filter", "AllAvailabilityZones", "DryRun"],
            run: Run::Read(regions::describe_zones),
        },
        Operation {
            name: "DescribeSpotPriceHistory",
            takes: &[
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
            run: Run::Read(spot::history),
        },
        Operation {
            name: "DescribeInstanceTypes",
            takes: &["InstanceType", "Filter", "MaxResults", "NextToken", "DryRun"],
            run: Run::Read(kinds::describe),
        },
        Operation {
            name: "DescribeInstanceTypeOfferings",
            takes: &["LocationType", "Filter", "MaxResults", "NextToken", "DryRun"],
            run: Run::Read(kinds::offerings),
        },
        Operation {
            name: "TerminateInstances",
            takes: &["InstanceId", "DryRun"],
            run: Run::Write(changes::terminate),
        },
        Operation {
            name: "StopInstances",
            takes: &["InstanceId", "DryRun", "Force"],
            run: Run::Write(changes::stop),
        },
        Operation {
            name: "StartInstances",
            takes: &["InstanceId", "DryRun"],
            run: Run::Write(changes::start),
        },
        Operation {
            name: "CreateTags",
            takes: &["ResourceId", "Tag", "DryRun"],
            run: Run::Write(changes::create_tags),
        },
        Operation {
            name: "DeleteTags",
            takes: &["ResourceId", "Tag", "DryRun"],
            run: Run::Write(changes::delete_tags),
        },
        Operation {
            name: "CreateLaunchTemplateVersion",
            takes: &[
                "LaunchTemplateId",
                "LaunchTemplateName",
                "SourceVersion",
                "VersionDescription",
                "LaunchTemplateData",
                "ClientToken",
                "DryRun",
            ],
            run: Run::Write(changes::create_version),
        },
        Operation {
            name: "ModifyLaunchTemplate",
            takes: &["LaunchTemplateId", "LaunchTemplateName", "SetDefaultVersion", "ClientToken", "DryRun"],
            run: Run::Write(changes::modify_template),
        },
        Operation {
            name: "DeleteLaunchTemplateVersions",
            takes: &["LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion", "DryRun"],
            run: Run::Write(changes::delete_versions),
        },
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

fn tag_set(tags: &[Tag]) -> Shape {
    list(tags, |(key, value)| Fields::new().with("key", key).with("value", value))
}
