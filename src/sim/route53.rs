//! Route 53: hosted zones and their records, as they are read. Its requests are paths, its answers XML.

use super::fault::Fault;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{Fields, Shape, list};
use super::world::hosted::{HostedZone, Record, labels};
use super::world::place::Place;

pub(crate) const SERVICE: Service = Service {
    name: "route53",
    model: "route53",
    title: "Route 53",
    protocol: Protocol::RestXml,
    version: "2013-04-01",
    target: "",
    namespace: "https://route53.amazonaws.com/doc/2013-04-01/",
    bad_parameter: "InvalidInput",
    operations: &[
        Operation::read("ListHostedZones", &["Marker", "MaxItems"], list_zones),
        Operation::read(
            "ListResourceRecordSets",
            &["HostedZoneId", "StartRecordName", "StartRecordType", "StartRecordIdentifier", "MaxItems"],
            list_records,
        ),
    ],
};

/// The operation that a path means, and what stands in path and query by the names that AWS's model has.
pub(crate) fn asked(method: &str, path: &str, query: &str) -> Option<(&'static str, serde_json::Value)> {
    let rest = path.strip_prefix("/2013-04-01/hostedzone")?;
    let mut content = serde_json::Map::new();
    let operation = match rest.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        [""] if method == "GET" => "ListHostedZones",
        [id, "rrset"] if method == "GET" => {
            content.insert("HostedZoneId".to_owned(), (*id).into());
            "ListResourceRecordSets"
        }
        _ => return None,
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = match name.as_ref() {
            "marker" => "Marker",
            "maxitems" => "MaxItems",
            "name" => "StartRecordName",
            "type" => "StartRecordType",
            "identifier" => "StartRecordIdentifier",
            other => other,
        };
        content.insert(name.to_owned(), value.as_ref().into());
    }
    Some((operation, content.into()))
}

/// How many items a page holds.
fn most(call: &Call, ceiling: usize) -> Result<usize, Fault> {
    let wrong = |sent: String| Fault::new("InvalidInput", format!("Invalid value for MaxItems: {sent}"));
    match call.input.number("MaxItems").map_err(wrong)? {
        None => Ok(ceiling),
        Some(asked) => match usize::try_from(asked) {
            Ok(asked) if asked > 0 => Ok(asked.min(ceiling)),
            _ => Err(wrong(asked.to_string())),
        },
    }
}

fn list_zones(call: &Call, _: &Place) -> Answer {
    let most = most(call, 100)?;
    let zones = call.world.hosted(&call.caller.account);
    let marker = call.input.text("Marker").filter(|marker| !marker.is_empty());
    let from = match marker {
        None => 0,
        Some(marker) => zones.iter().position(|zone| zone.id == marker).ok_or_else(|| {
            Fault::new("InvalidInput", format!("The specified marker {marker} is not valid"))
        })?,
    };
    let next = zones.get(from + most).map(|zone| zone.id.clone());
    let shapes = zones.iter().skip(from).take(most).map(|zone| {
        let config = Fields::new().with("Comment", "").with("PrivateZone", zone.is_private);
        Fields::new()
            .with("Id", format!("/hostedzone/{}", zone.id))
            .with("Name", &zone.name)
            .with("CallerReference", format!("made-{}", zone.id))
            .with("Config", config)
            .with("ResourceRecordSetCount", zone.records.len())
            .into()
    });
    Ok(Fields::new()
        .with("HostedZones", Shape::Items("HostedZone", shapes.collect()))
        .with("Marker", marker.unwrap_or_default())
        .with("IsTruncated", next.is_some())
        .maybe("NextMarker", next)
        .with("MaxItems", most)
        .into())
}

fn list_records(call: &Call, _: &Place) -> Answer {
    let most = most(call, 300)?;
    let id = call.input.text("HostedZoneId").unwrap_or_default();
    let zones = call.world.hosted(&call.caller.account);
    let zone: &HostedZone = zones.iter().find(|zone| zone.id == id).ok_or_else(|| {
        Fault::new("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")).with_status(404)
    })?;
    let start = |name| call.input.text(name).filter(|text| !text.is_empty());
    let (name, kind, set) =
        (start("StartRecordName"), start("StartRecordType"), start("StartRecordIdentifier"));
    if (kind.is_some() && name.is_none()) || (set.is_some() && kind.is_none()) {
        let why = "A record type needs a record name, and an identifier needs both";
        return Err(Fault::new("InvalidInput", why));
    }
    let name = name.map(|name| name.replace("\\052", "*"));
    let start =
        (name.as_deref().map(labels).unwrap_or_default(), kind.unwrap_or_default(), set.unwrap_or_default());
    let from = zone.records.partition_point(|record| record.order() < start);
    let next = zone.records.get(from + most);
    let shapes = zone.records.iter().skip(from).take(most).map(|record| shape(record).into());
    Ok(Fields::new()
        .with("ResourceRecordSets", Shape::Items("ResourceRecordSet", shapes.collect()))
        .with("IsTruncated", next.is_some())
        .maybe("NextRecordName", next.map(|record| escaped(&record.name)))
        .maybe("NextRecordType", next.map(|record| record.kind))
        .maybe("NextRecordIdentifier", next.and_then(|record| record.set.clone()))
        .with("MaxItems", most)
        .into())
}

fn shape(record: &Record) -> Fields {
    let values: Vec<Shape> = list(&record.values, |value| Fields::new().with("Value", value)).into_items();
    let alias = record.alias.as_ref().map(|name| {
        Fields::new()
            .with("HostedZoneId", "Z35SXDOTRQ7X7K")
            .with("DNSName", format!("dualstack.{name}."))
            .with("EvaluateTargetHealth", true)
    });
    Fields::new()
        .with("Name", escaped(&record.name))
        .with("Type", record.kind)
        .maybe("SetIdentifier", record.set.as_ref())
        .maybe("Weight", record.weight)
        .maybe("TTL", record.ttl)
        .when(!values.is_empty(), |fields| {
            fields.with("ResourceRecords", Shape::Items("ResourceRecord", values))
        })
        .maybe("AliasTarget", alias)
}

/// Route 53 writes what is no letter, digit, hyphen or dot by its octal number.
fn escaped(name: &str) -> String {
    name.replace('*', "\\052")
}
