//! Systems Manager: managed instances and the Parameter Store.

mod changes;
mod commands;
mod documents;
mod parameters;
mod sessions;

use super::fault::Fault;
use super::filter::Filter;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{Fields, list};
use super::world::machine::{Agent, Instance, State, dotted};
use super::world::place::Place;

pub(crate) const SERVICE: Service = Service {
    name: "ssm",
    model: "ssm",
    title: "SSM",
    protocol: Protocol::Json,
    version: "2014-11-06",
    target: "AmazonSSM",
    namespace: "",
    bad_parameter: "ValidationException",
    operations: &[
        Operation::read(
            "DescribeInstanceInformation",
            &["Filters", "InstanceInformationFilterList", "MaxResults", "NextToken"],
            describe_instances,
        ),
        Operation::read("GetParameter", &["Name", "WithDecryption"], parameters::get),
        Operation::read("GetParameters", &["Names", "WithDecryption"], parameters::get_several),
        Operation::read(
            "GetParametersByPath",
            &["Path", "Recursive", "WithDecryption", "MaxResults", "NextToken"],
            parameters::get_by_path,
        ),
        Operation::write(
            "PutParameter",
            &[
                "Name",
                "Value",
                "Type",
                "Overwrite",
                "Description",
                "Tier",
                "DataType",
                "KeyId",
                "AllowedPattern",
                "Tags",
            ],
            changes::put,
        ),
        Operation::write("DeleteParameter", &["Name"], changes::delete),
        Operation::write("DeleteParameters", &["Names"], changes::delete_several),
        Operation::write(
            "CreateDocument",
            &["Name", "Content", "DocumentType", "DocumentFormat", "TargetType"],
            documents::create,
        ),
        Operation::write(
            "UpdateDocument",
            &["Name", "Content", "DocumentVersion", "DocumentFormat", "TargetType"],
            documents::update,
        ),
        Operation::write(
            "UpdateDocumentDefaultVersion",
            &["Name", "DocumentVersion"],
            documents::set_default,
        ),
        Operation::write("DeleteDocument", &["Name"], documents::delete),
        Operation::read("DescribeDocument", &["Name", "DocumentVersion"], documents::describe),
        Operation::read("GetDocument", &["Name", "DocumentVersion", "DocumentFormat"], documents::get),
        Operation::write("SendCommand", commands::TAKES, commands::send),
        Operation::write(
            "StartSession",
            &["Target", "DocumentName", "Reason", "Parameters"],
            sessions::start,
        ),
        Operation::write("TerminateSession", &["SessionId"], sessions::end),
        Operation::read(
            "DescribeSessions",
            &["State", "Filters", "MaxResults", "NextToken"],
            sessions::describe,
        ),
        Operation::write("CancelCommand", &["CommandId", "InstanceIds"], commands::cancel),
        Operation::read(
            "ListCommands",
            &["CommandId", "InstanceId", "Filters", "MaxResults", "NextToken"],
            commands::list_commands,
        ),
        Operation::read(
            "ListCommandInvocations",
            &["CommandId", "InstanceId", "Filters", "Details", "MaxResults", "NextToken"],
            commands::list_invocations,
        ),
        Operation::read(
            "GetCommandInvocation",
            &["CommandId", "InstanceId", "PluginName"],
            commands::get_invocation,
        ),
        Operation::read(
            "GetParameterHistory",
            &["Name", "WithDecryption", "MaxResults", "NextToken"],
            parameters::history,
        ),
    ],
};

pub(crate) use self::documents::furnish;

const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    default: 10,
    min: 5,
    max: 50,
    bad_size: "ValidationException",
    bad_token: "InvalidNextToken",
};

fn describe_instances(call: &Call, place: &Place) -> Answer {
    let mut filters: Vec<Filter> = Vec::new();
    for (list, key, values) in
        [("Filters", "Key", "Values"), ("InstanceInformationFilterList", "key", "valueSet")]
    {
        for filter in call.input.list(list) {
            filters.push(Filter { name: filter.text(key).unwrap_or_default(), values: filter.texts(values) });
        }
    }
    let known = ["InstanceIds", "PingStatus", "PlatformTypes", "AgentVersion", "ResourceType"];
    let is_known = |name: &str| known.contains(&name) || name.starts_with("tag:") || name == "tag-key";
    if let Some(filter) = filters.iter().find(|filter| !is_known(filter.name)) {
        return Err(Fault::new(
            "InvalidInstanceInformationFilterValue",
            format!("{} is no filter", filter.name),
        ));
    }
    let page = PAGING.of(call)?;
    let managed = |instance: &Instance| {
        instance.agent.is_some()
            && matches!(instance.state, State::Running | State::Stopped | State::Stopping)
    };
    let rows = place.instances.after(page.after).filter(|(_, instance)| {
        managed(instance)
            && filters.iter().all(|filter| match filter.name {
                "InstanceIds" => filter.admits(&instance.id),
                "PingStatus" => filter.admits(ping(call, instance).0),
                "PlatformTypes" => filter.admits("Linux"),
                "AgentVersion" => instance.agent.as_ref().is_some_and(|agent| filter.admits(agent.version)),
                "ResourceType" => filter.admits("EC2Instance"),
                "tag-key" => filter.admits_any(instance.tags.iter().map(|(key, _)| key.as_str())),
                name => {
                    instance.tag(name.trim_start_matches("tag:")).is_some_and(|value| filter.admits(value))
                }
            })
    });
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |instance| {
        let (word, last) = ping(call, instance);
        Fields::new()
            .with("InstanceId", &instance.id)
            .with("PingStatus", word)
            .with("LastPingDateTime", last)
            .maybe("AgentVersion", instance.agent.as_ref().map(|agent| agent.version))
            .with(
                "IsLatestVersion",
                instance.agent.as_ref().is_some_and(|agent| agent.version == LATEST_AGENT),
            )
            .with("PlatformType", "Linux")
            .with("PlatformName", "Amazon Linux")
            .with("PlatformVersion", if is_old(place, instance) { "2" } else { "2023" })
            .with("ResourceType", "EC2Instance")
            .with("IPAddress", dotted(instance.private_ip, '.'))
            .with("ComputerName", format!("ip-{}.ec2.internal", dotted(instance.private_ip, '-')))
            .with("AssociationStatus", "Success")
            .with("SourceId", &instance.id)
            .with("SourceType", "AWS::EC2::Instance")
    });
    Ok(Fields::new().with("InstanceInformationList", shapes).maybe("NextToken", token).into())
}

/// The version of the agent that is new.
pub(crate) const LATEST_AGENT: &str = "3.3.2958.0";

fn is_old(place: &Place, instance: &Instance) -> bool {
    place.images.get(&instance.image).is_some_and(|image| image.name.starts_with("amzn2"))
}

/// The agent's ping status, and when it was last heard: agents call every five minutes.
fn ping(call: &Call, instance: &Instance) -> (&'static str, super::time::Moment) {
    let silent = instance.agent.as_ref().and_then(|agent: &Agent| agent.silent_since);
    let silent = silent.or((instance.state != State::Running).then_some(instance.state_since));
    match silent {
        Some(since) => ("ConnectionLost", since),
        None => {
            let phase = i64::try_from(super::dice::hash(&instance.id) % 300).unwrap_or(0);
            let beat = (call.now.0 / 1000 - phase).rem_euclid(300);
            ("Online", call.now.minus(beat))
        }
    }
}
