//! A request's parameters, read back from its serialised body: a form, JSON, or CBOR.

use super::Sent;
use crate::aws::api::Api;
use aws_smithy_cbor::Decoder;
use aws_smithy_cbor::data::Type;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// No request of ours is this deep.
const DEEPEST: u32 = 32;

/// Parameters that are yes or no, which a form writes like any other text.
const YES_OR_NO: [&str; 13] = [
    "AllRegions",
    "AutoRollback",
    "DryRun",
    "HonorCooldown",
    "IncludeAllInstances",
    "IncludeDeletedGroups",
    "IncludeDeprecated",
    "IncludeDisabled",
    "ProtectedFromScaleIn",
    "ResolveAlias",
    "ShouldDecrementDesiredCapacity",
    "SkipMatching",
    "WaitForTransitioningInstances",
];

/// Parameters that are numbers, or lists of them, where they stand inside others: there the aws command takes
/// JSON, which tells a number from a text.
const NUMBERS: [&str; 9] = [
    "BakeTime",
    "CheckpointDelay",
    "CheckpointPercentages",
    "InstanceWarmup",
    "MaxHealthyPercentage",
    "MinHealthyPercentage",
    "OnDemandBaseCapacity",
    "OnDemandPercentageAboveBaseCapacity",
    "Port",
];

/// The parameters by the names that AWS's model has for them.
pub(super) fn parameters(api: Api, sent: &Sent) -> Option<Map<String, Value>> {
    if api.action().starts_with("route53:") {
        return rest(&sent.address);
    }
    let kind = sent.kind.split(';').next().unwrap_or_default().trim();
    let value = match kind {
        "application/x-www-form-urlencoded" => {
            let mut root = Node::default();
            for (key, value) in form_urlencoded::parse(&sent.body) {
                if !matches!(key.as_ref(), "Action" | "Version") {
                    root.put(key.split('.'), value.into_owned());
                }
            }
            root.value(api.action().starts_with("ec2:"))
        }
        "application/cbor" => {
            let mut decoder = Decoder::new(&sent.body);
            cbor(&mut decoder, 0)?
        }
        kind if kind.starts_with("application/x-amz-json") => serde_json::from_slice(&sent.body).ok()?,
        _ => return None,
    };
    match value {
        Value::Object(parameters) => Some(parameters),
        _ => None,
    }
}

/// The parameters of a request of Route 53: its address holds them. The longest page is what it gives unasked, and
/// the aws command means something else by `--max-items`.
fn rest(address: &str) -> Option<Map<String, Value>> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (_, zone) = path.split_once("/hostedzone")?;
    let mut parameters = Map::new();
    if let Some(id) = zone.trim_matches('/').split('/').next().filter(|id| !id.is_empty()) {
        parameters.insert("HostedZoneId".to_owned(), id.into());
    }
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = match name.as_ref() {
            "marker" => "Marker",
            "name" => "StartRecordName",
            "type" => "StartRecordType",
            "identifier" => "StartRecordIdentifier",
            _ => continue,
        };
        parameters.insert(name.to_owned(), value.as_ref().into());
    }
    Some(parameters)
}

/// A form's keys, taken apart at their dots.
#[derive(Default)]
struct Node {
    text: Option<String>,
    below: BTreeMap<String, Node>,
}

impl Node {
    fn put<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, text: String) {
        match path.next() {
            Some(name) => self.below.entry(name.to_owned()).or_default().put(path, text),
            None => self.text = Some(text),
        }
    }

    /// Numbers are places in a list; `member` stands before them in all services but EC2.
    fn value(self, is_ec2: bool) -> Value {
        let Self { text, mut below } = self;
        if let Some(text) = text {
            return Value::String(text);
        }
        if below.len() == 1
            && let Some(list) = below.remove("member")
        {
            return list.value(is_ec2);
        }
        let places: Option<Vec<u32>> = below.keys().map(|name| name.parse().ok()).collect();
        match places {
            Some(places) if !places.is_empty() => {
                let mut items: Vec<(u32, Node)> = places.into_iter().zip(below.into_values()).collect();
                items.sort_by_key(|(place, _)| *place);
                items.into_iter().map(|(_, item)| item.value(is_ec2)).collect()
            }
            _ => {
                let named = below.into_iter().map(|(name, node)| named(name, node.value(is_ec2), is_ec2));
                Value::Object(named.collect())
            }
        }
    }
}

/// The model's name of a form's parameter, and its value with its type. EC2 writes lists in the singular.
fn named(name: String, value: Value, is_ec2: bool) -> (String, Value) {
    let value = match value.as_str() {
        Some("true") if YES_OR_NO.contains(&name.as_str()) => Value::Bool(true),
        Some("false") if YES_OR_NO.contains(&name.as_str()) => Value::Bool(false),
        _ if NUMBERS.contains(&name.as_str()) => numbers(value),
        _ => value,
    };
    let name = match (name.as_str(), &value) {
        ("ResourceId", Value::Array(_)) if is_ec2 => "Resources".to_owned(),
        ("SetDefaultVersion", _) if is_ec2 => "DefaultVersion".to_owned(),
        ("LaunchTemplateVersion", Value::Array(_)) => "Versions".to_owned(),
        ("ExecutableBy", Value::Array(_)) => "ExecutableUsers".to_owned(),
        (own, Value::Array(_)) if is_ec2 && !own.ends_with('s') => format!("{own}s"),
        _ => name,
    };
    (name, value)
}

/// A text that is a number as one, and so in a list.
fn numbers(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::String(text) => text.parse::<i64>().map_or(Value::String(text), Value::from),
        other => other,
    }
}

fn cbor(decoder: &mut Decoder<'_>, depth: u32) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    Some(match decoder.datatype().ok()? {
        Type::Bool => Value::Bool(decoder.boolean().ok()?),
        Type::Null | Type::Undefined => {
            decoder.null().ok()?;
            Value::Null
        }
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => Value::from(decoder.long().ok()?),
        Type::F16 | Type::F32 | Type::F64 => Value::from(decoder.double().ok()?),
        Type::String | Type::StringIndef => Value::String(decoder.string().ok()?),
        // The only tag that a request has is that of a moment.
        Type::Tag => Value::String(decoder.timestamp().ok()?.fmt(Format::DateTime).ok()?),
        Type::Array | Type::ArrayIndef => {
            let mut left = decoder.list().ok()?;
            let mut items = Vec::new();
            while is_more(decoder, &mut left)? {
                items.push(cbor(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let mut left = decoder.map().ok()?;
            let mut fields = Map::new();
            while is_more(decoder, &mut left)? {
                let name = decoder.string().ok()?;
                fields.insert(name, cbor(decoder, depth + 1)?);
            }
            Value::Object(fields)
        }
        _ => return None,
    })
}

/// Tells whether another item follows, of a list or map that says how many it has or ends with a break.
fn is_more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Option<bool> {
    match left {
        Some(0) => Some(false),
        Some(n) => {
            *n -= 1;
            Some(true)
        }
        None if decoder.datatype().ok()? == Type::Break => {
            decoder.skip().ok()?;
            Some(false)
        }
        None => Some(true),
    }
}
