//! Run Command: commands are sent, listed, asked after and cancelled.

use super::PAGING;
use super::documents::{find, hash, version};
use crate::sim::fault::Fault;
use crate::sim::filter::Filter;
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::time::Moment;
use crate::sim::world::commands::{Document, Invocation, Sent};
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use compact_str::CompactString;
use serde_json::Value;

fn invalid(code: &'static str, sentence: impl Into<String>) -> Fault {
    Fault::new(code, sentence)
}

fn validation(sentence: impl Into<String>) -> Fault {
    Fault::new("ValidationException", sentence)
}

/// What SendCommand understands.
pub(super) const TAKES: &[&str] = &[
    "InstanceIds",
    "Targets",
    "DocumentName",
    "DocumentVersion",
    "DocumentHash",
    "DocumentHashType",
    "TimeoutSeconds",
    "Comment",
    "Parameters",
    "MaxConcurrency",
    "MaxErrors",
];

/// SendCommand: to at most fifty hosts by their ids, or to those that five targets name.
pub(super) fn send(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let row = find(place, input.text("DocumentName").unwrap_or_default())?;
    let index = version(row, input.text("DocumentVersion"))?;
    let content = row.versions.get(index).cloned().unwrap_or_default();
    if let Some(wanted) = input.text("DocumentHash")
        && !wanted.eq_ignore_ascii_case(&hash(&content))
    {
        return Err(invalid("InvalidDocument", "The document hash does not match the document's content."));
    }
    let document = row.name.clone();
    let parameters = parameters(call, row, &content)?;
    let comment = input.text("Comment").unwrap_or_default();
    if comment.chars().count() > 100 {
        return Err(validation(
            "1 validation error detected: Value at 'comment' failed to satisfy constraint: Member must have length less than or equal to 100",
        ));
    }
    let timeout = input.number("TimeoutSeconds").ok().flatten().unwrap_or(3600);
    if !(30..=2_592_000).contains(&timeout) {
        return Err(validation("TimeoutSeconds must be from 30 to 2592000"));
    }
    let limit = |name: &str, usual: &str| {
        let text = input.text(name).unwrap_or(usual);
        let number = text.trim_end_matches('%').parse::<u32>();
        let is_good = number.is_ok_and(|number| !text.ends_with('%') || number <= 100);
        if is_good { Ok(CompactString::from(text)) } else { Err(validation(format!("{name} is not valid"))) }
    };
    let limits = (limit("MaxConcurrency", "50")?, limit("MaxErrors", "0")?);
    let hosts = hosts(call, place)?;
    let id = CompactString::from(place.dice.uuid());
    let known = Moment(call.now.0 + place.dice.between(1000, 2000));
    let invocation = |instance: &CompactString| Invocation {
        instance: instance.clone(),
        status: "Pending",
        details: "Pending",
        code: -1,
        ..Invocation::default()
    };
    let targets: Vec<Value> = input
        .list("Targets")
        .into_iter()
        .map(|part| serde_json::json!({ "Key": part.text("Key"), "Values": part.texts("Values") }))
        .collect();
    let sent = Sent {
        id: id.clone(),
        document,
        version: index,
        comment: comment.into(),
        parameters,
        asked: call.now,
        known,
        expires: call.now.plus(timeout),
        timeout,
        targets: targets.into(),
        named: input.texts("InstanceIds").into_iter().map(CompactString::from).collect(),
        limits,
        is_cancelled: false,
        invocations: hosts.iter().map(invocation).collect(),
    };
    let shape = command_shape(&sent);
    place.sent.insert(id.clone(), sent);
    place.spread(&id);
    Ok(Fields::new().with("Command", shape).into())
}

/// The hosts that a call names: managed, and running.
fn hosts(call: &Call, place: &Place) -> Result<Vec<CompactString>, Fault> {
    let ids = call.input.texts("InstanceIds");
    let targets = call.input.list("Targets");
    if ids.is_empty() == targets.is_empty() {
        return Err(validation("Either instance ids or targets have to be given"));
    }
    if ids.len() > 50 || targets.len() > 5 {
        return Err(validation("At most 50 instance ids or 5 targets can be given"));
    }
    let is_managed = |id: &str| {
        place.instances.get(id).is_some_and(|one| one.agent.is_some() && one.state == State::Running)
    };
    for (at, id) in ids.iter().enumerate() {
        if ids.iter().take(at).any(|other| other == id) {
            return Err(invalid("DuplicateInstanceId", ""));
        }
        if !is_managed(id) {
            return Err(invalid(
                "InvalidInstanceId",
                format!("Instances [[{id}]] not in a valid state for account {}", place.account),
            ));
        }
    }
    if targets.is_empty() {
        return Ok(ids.into_iter().map(CompactString::from).collect());
    }
    let mut wanted: Vec<Filter> = Vec::new();
    for part in targets {
        let name = part.text("Key").unwrap_or_default();
        if name != "InstanceIds" && name != "tag-key" && !name.starts_with("tag:") {
            return Err(invalid("InvalidTarget", format!("The target {name} is not understood here.")));
        }
        wanted.push(Filter { name, values: part.texts("Values") });
    }
    let admits = |id: &str| {
        let Some(instance) = place.instances.get(id) else { return false };
        wanted.iter().all(|filter| match filter.name {
            "InstanceIds" => filter.admits(id),
            "tag-key" => filter.admits_any(instance.tags.iter().map(|(key, _)| key.as_str())),
            name => instance.tag(name.trim_start_matches("tag:")).is_some_and(|value| filter.admits(value)),
        })
    };
    let all = place.instances.rows().map(|instance| instance.id.clone());
    Ok(all.filter(|id| is_managed(id) && admits(id)).collect())
}

/// The parameters of a call, which the document must know and allow.
fn parameters(call: &Call, row: &Document, content: &str) -> Result<Value, Fault> {
    let document: Value = serde_json::from_str(content).unwrap_or_default();
    let empty = serde_json::Map::new();
    let declared = document.get("parameters").and_then(Value::as_object).unwrap_or(&empty);
    let bad = |sentence: String| invalid("InvalidParameters", sentence);
    let mut given = serde_json::Map::new();
    if let Some(sent) = call.input.get("Parameters") {
        for name in sent.names() {
            let values: Vec<Value> = sent.texts(name).into_iter().map(Value::from).collect();
            given.insert(name.to_owned(), Value::Array(values));
        }
    }
    if let Some(stranger) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(bad(format!("document {} does not support parameters. [{stranger}]", row.name)));
    }
    for (name, rules) in declared {
        let Some(values) = given.get(name).and_then(Value::as_array) else {
            if rules.get("default").is_none() {
                return Err(bad(format!("Parameter \"{name}\" requires argument value")));
            }
            continue;
        };
        let allowed = rules.get("allowedValues").and_then(Value::as_array);
        let pattern = rules.get("allowedPattern").and_then(Value::as_str);
        let pattern = pattern.and_then(|pattern| regex::Regex::new(pattern).ok());
        let is_list = rules.get("type").and_then(Value::as_str) == Some("StringList");
        if !is_list && values.len() != 1 {
            return Err(bad(format!("Parameter \"{name}\" takes one value")));
        }
        for value in values {
            let text = value.as_str().unwrap_or_default();
            if allowed.is_some_and(|allowed| !allowed.contains(value)) {
                return Err(bad(format!(
                    "Parameter \"{name}\" value \"{text}\" is not in the list of allowed values"
                )));
            }
            if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                return Err(bad(format!(
                    "Parameter \"{name}\" value \"{text}\" does not match the allowed pattern"
                )));
            }
        }
    }
    Ok(Value::Object(given))
}

fn command_shape(sent: &Sent) -> Shape {
    let (status, details) = sent.status();
    let given = sent.parameters.as_object();
    let parameters = given.into_iter().flatten().map(|(name, values)| {
        let texts = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        (CompactString::from(name.as_str()), list(texts, |text| text))
    });
    let targets = list(sent.targets.as_array().into_iter().flatten(), |target| {
        let values = target.get("Values").and_then(Value::as_array).into_iter().flatten();
        Fields::new()
            .with("Key", target.get("Key").and_then(Value::as_str).unwrap_or_default())
            .with("Values", list(values.filter_map(Value::as_str), |text| text))
    });
    let over = sent.invocations.iter().filter(|one| one.is_over()).count();
    let late = sent.invocations.iter().filter(|one| one.details == "DeliveryTimedOut").count();
    Fields::new()
        .with("CommandId", &sent.id)
        .with("DocumentName", &sent.document)
        .with("DocumentVersion", (sent.version + 1).to_string())
        .with("Comment", &sent.comment)
        .with("ExpiresAfter", sent.expires)
        .with("Parameters", Shape::Map(parameters.collect()))
        .with("InstanceIds", list(&sent.named, Shape::from))
        .with("Targets", targets)
        .with("RequestedDateTime", sent.asked)
        .with("Status", status)
        .with("StatusDetails", details)
        .with("OutputS3BucketName", "")
        .with("OutputS3KeyPrefix", "")
        .with("MaxConcurrency", &sent.limits.0)
        .with("MaxErrors", &sent.limits.1)
        .with("TargetCount", sent.invocations.len())
        .with("CompletedCount", over)
        .with("ErrorCount", sent.errors())
        .with("DeliveryTimedOutCount", late)
        .with("ServiceRole", "")
        .with("TimeoutSeconds", sent.timeout)
        .into()
}

/// Commands that are known by now, newest first, with their keys for pages.
fn known<'p>(call: &Call, place: &'p Place) -> Vec<(u64, &'p Sent)> {
    let wanted = call.input.text("CommandId");
    let host = call.input.text("InstanceId");
    let is_meant = |sent: &&Sent| {
        sent.known <= call.now
            && wanted.is_none_or(|id| sent.id == id)
            && host.is_none_or(|host| sent.invocations.iter().any(|one| one.instance == host))
    };
    let rows = place.sent.rows().rev().filter(is_meant);
    (1..).zip(rows).collect()
}

/// Filters of ListCommands and ListCommandInvocations, whose command id is one if it is there.
fn filters<'a>(call: &Call<'a>) -> Result<Vec<(&'a str, &'a str)>, Fault> {
    if let Some(id) = call.input.text("CommandId").filter(|id| id.chars().count() != 36) {
        return Err(validation(format!(
            "1 validation error detected: Value '{id}' at 'commandId' failed to satisfy constraint: Member must have length 36"
        )));
    }
    let names = ["InvokedAfter", "InvokedBefore", "Status", "DocumentName", "ExecutionStage"];
    let rows = call.input.list("Filters").into_iter();
    rows.map(|part| {
        let (key, value) = (part.text("key").unwrap_or_default(), part.text("value").unwrap_or_default());
        match names.contains(&key) {
            true => Ok((key, value)),
            false => Err(invalid("InvalidFilterKey", "The specified filter key is not valid.")),
        }
    })
    .collect()
}

fn admits((key, value): (&str, &str), sent: &Sent, status: &str, is_over: bool) -> bool {
    match key {
        "InvokedAfter" => Moment::read(value).is_some_and(|at| sent.asked >= at),
        "InvokedBefore" => Moment::read(value).is_some_and(|at| sent.asked <= at),
        "Status" => status == value,
        "DocumentName" => sent.document == value,
        _ => (value == "Complete") == is_over,
    }
}

/// ListCommands.
pub(super) fn list_commands(call: &Call, place: &Place) -> Answer {
    let filters = filters(call)?;
    let page = Paging { default: 50, min: 1, max: 50, ..PAGING }.of(call)?;
    let mut rows = known(call, place);
    rows.retain(|(_, sent)| {
        let is_over = sent.invocations.iter().all(Invocation::is_over);
        filters.iter().all(|filter| admits(*filter, sent, sent.status().0, is_over))
    });
    let (rows, token) = page.take(call, rows);
    Ok(Fields::new().with("Commands", list(rows, command_shape)).maybe("NextToken", token).into())
}

/// ListCommandInvocations: with `Details` what each step wrote, at most 2,500 characters of it.
pub(super) fn list_invocations(call: &Call, place: &Place) -> Answer {
    let filters = filters(call)?;
    let host = call.input.text("InstanceId");
    let page = Paging { default: 50, min: 1, max: 50, ..PAGING }.of(call)?;
    let with_details = call.input.flag("Details");
    let mut rows: Vec<(&Sent, &Invocation)> = Vec::new();
    for (_, sent) in known(call, place) {
        rows.extend(sent.invocations.iter().map(|one| (sent, one)));
    }
    rows.retain(|(sent, one)| {
        host.is_none_or(|host| one.instance == host)
            && filters.iter().all(|filter| admits(*filter, sent, one.status, one.is_over()))
    });
    let (rows, token) = page.take(call, (1..).zip(&rows));
    let shapes = list(rows, |(sent, one)| {
        let name = place.instances.get(&one.instance).and_then(|found| found.tag("Name"));
        let plugins = if with_details && one.started.is_some() {
            let both = if one.err.is_empty() || !one.is_over() {
                one.out.clone()
            } else {
                format!("{}\n----------ERROR-------\n{}", one.out, one.err)
            };
            vec![
                Fields::new()
                    .with("Name", "runShellScript")
                    .with("Status", one.status)
                    .with("StatusDetails", one.details)
                    .with("ResponseCode", one.code)
                    .maybe("ResponseStartDateTime", one.started)
                    .maybe("ResponseFinishDateTime", one.ended)
                    .with("Output", if one.is_over() { cut(&both, 2500) } else { String::new() })
                    .with("OutputS3Region", place.region)
                    .with("OutputS3BucketName", "")
                    .with("OutputS3KeyPrefix", ""),
            ]
        } else {
            Vec::new()
        };
        Fields::new()
            .with("CommandId", &sent.id)
            .with("InstanceId", &one.instance)
            .with("InstanceName", name.unwrap_or_default())
            .with("Comment", &sent.comment)
            .with("DocumentName", &sent.document)
            .with("DocumentVersion", (sent.version + 1).to_string())
            .with("RequestedDateTime", sent.asked)
            .with("Status", one.status)
            .with("StatusDetails", one.details)
            .with("StandardOutputUrl", "")
            .with("StandardErrorUrl", "")
            .with("CommandPlugins", plugins)
            .with("ServiceRole", "")
    });
    Ok(Fields::new().with("CommandInvocations", shapes).maybe("NextToken", token).into())
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mark = "\n---Output truncated---";
    text.chars().take(most - mark.len()).collect::<String>() + mark
}

/// GetCommandInvocation: not known in the first moments.
pub(super) fn get_invocation(call: &Call, place: &Place) -> Answer {
    let missing = || invalid("InvocationDoesNotExist", "");
    let id = call.input.text("CommandId").unwrap_or_default();
    let sent = place.sent.get(id).filter(|sent| sent.known <= call.now).ok_or_else(missing)?;
    let host = call.input.text("InstanceId").unwrap_or_default();
    let one = sent.invocations.iter().find(|one| one.instance == host).ok_or_else(missing)?;
    if call.input.text("PluginName").is_some_and(|name| name != "runShellScript") {
        return Err(invalid("InvalidPluginName", "The plugin name is not valid."));
    }
    let elapsed = one.started.zip(one.ended).map(|(from, to)| format!("PT{}S", to.since(from)));
    let stamp = |at: Option<Moment>| at.map(Moment::rfc3339).unwrap_or_default();
    let is_over = one.is_over();
    let written = |text: &str, most| if is_over { cut(text, most) } else { String::new() };
    Ok(Fields::new()
        .with("CommandId", &sent.id)
        .with("InstanceId", &one.instance)
        .with("Comment", &sent.comment)
        .with("DocumentName", &sent.document)
        .with("DocumentVersion", (sent.version + 1).to_string())
        .with("PluginName", "runShellScript")
        .with("ResponseCode", if is_over { one.code } else { -1 })
        .with("ExecutionStartDateTime", stamp(one.started))
        .with("ExecutionElapsedTime", elapsed.unwrap_or_default())
        .with("ExecutionEndDateTime", stamp(one.ended.filter(|_| one.started.is_some())))
        .with("Status", one.status)
        .with("StatusDetails", one.details)
        .with("StandardOutputContent", written(&one.out, 24_000))
        .with("StandardOutputUrl", "")
        .with("StandardErrorContent", written(&one.err, 8_000))
        .with("StandardErrorUrl", "")
        .with(
            "CloudWatchOutputConfig",
            Fields::new().with("CloudWatchLogGroupName", "").with("CloudWatchOutputEnabled", false),
        )
        .into())
}

/// CancelCommand: what has not begun does not begin; what runs goes on to its end, for nothing is guaranteed.
pub(super) fn cancel(call: &Call, place: &mut Place) -> Answer {
    let id = call.input.text("CommandId").unwrap_or_default();
    let hosts = call.input.texts("InstanceIds");
    let now = call.now;
    let sent = place.sent.get_mut(id).ok_or_else(|| invalid("InvalidCommandId", ""))?;
    if let Some(stranger) =
        hosts.iter().find(|host| !sent.invocations.iter().any(|one| one.instance == **host))
    {
        return Err(invalid("InvalidInstanceId", format!("{stranger} is no host of the command.")));
    }
    for one in &mut sent.invocations {
        let is_meant = hosts.is_empty() || hosts.contains(&one.instance.as_str());
        if is_meant && one.status == "Pending" {
            (one.status, one.details, one.ended) = ("Cancelled", "Cancelled", Some(now));
            sent.is_cancelled = true;
        }
    }
    Ok(Fields::new().into())
}
