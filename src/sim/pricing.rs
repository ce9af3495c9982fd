//! The Price List: on-demand prices of EC2 in us-east-1, as they were on 2026-07-20.
//!
//! Other services, regions and terms are not in the list: they have no products, rather than made-up ones.

use super::dice::Dice;
use super::fault::Fault;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{Fields, Shape, list};
use super::world::place::Place;
use serde_json::{Value, json};

pub(crate) const SERVICE: Service = Service {
    name: "pricing",
    model: "pricing",
    title: "Price List",
    protocol: Protocol::Json,
    version: "2017-10-15",
    target: "AWSPriceListService",
    namespace: "",
    bad_parameter: "InvalidParameterException",
    operations: &[
        Operation::read(
            "GetProducts",
            &["ServiceCode", "Filters", "FormatVersion", "MaxResults", "NextToken"],
            get_products,
        ),
        Operation::read(
            "DescribeServices",
            &["ServiceCode", "FormatVersion", "MaxResults", "NextToken"],
            describe_services,
        ),
        Operation::read(
            "GetAttributeValues",
            &["ServiceCode", "AttributeName", "MaxResults", "NextToken"],
            get_attribute_values,
        ),
    ],
};

const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    default: 100,
    min: 1,
    max: 100,
    bad_size: "InvalidParameterException",
    bad_token: "InvalidNextTokenException",
};

/// The service whose prices are known.
const SERVICE_CODE: &str = "AmazonEC2";

const PRICES: &str = include_str!("../../data/ondemand-us-east-1.csv");

/// The publication date of the list that the prices are from.
const PUBLISHED: &str = "2026-07-20T13:44:30Z";

fn get_products(call: &Call, _: &Place) -> Answer {
    here(call)?;
    let service = call.input.text("ServiceCode").unwrap_or_default();
    if service.is_empty() {
        return Err(bad("ServiceCode is required"));
    }
    if let Some(format) = call.input.text("FormatVersion").filter(|format| *format != "aws_v1") {
        return Err(bad(format!("{format} is no format; there is aws_v1")));
    }
    let mut products: Vec<Value> = Vec::new();
    if service == SERVICE_CODE {
        products.extend(priced().map(|(kind, price)| product(kind, price)));
    }
    for filter in call.input.list("Filters") {
        let part = |name| filter.text(name).unwrap_or_default();
        let (sort, field, wanted) = (part("Type"), part("Field"), part("Value"));
        if !matches!(sort, "TERM_MATCH" | "EQUALS" | "CONTAINS" | "ANY_OF" | "NONE_OF") {
            return Err(bad(format!("The filter type {sort} is not understood here")));
        }
        // A list of values is one text with commas.
        let among = |value: &str| wanted.split(',').any(|one| value.eq_ignore_ascii_case(one.trim()));
        products.retain(|product| {
            // The service compares without regard to case; what lacks the attribute is none of these.
            attribute(product, field).is_some_and(|value| match sort {
                "CONTAINS" => value.to_lowercase().contains(&wanted.to_lowercase()),
                "ANY_OF" => among(value),
                "NONE_OF" => !among(value),
                _ => value.eq_ignore_ascii_case(wanted),
            })
        });
    }
    let page = PAGING.of(call)?;
    let (rows, token) = page.take(call, (1..).zip(&products));
    let shapes = list(rows, |product| product.to_string());
    Ok(Fields::new()
        .with("FormatVersion", "aws_v1")
        .with("PriceList", shapes)
        .maybe("NextToken", token)
        .into())
}

fn bad(sentence: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", sentence)
}

/// The Price List has endpoints in three regions.
fn here(call: &Call) -> Result<(), Fault> {
    if matches!(call.region, "us-east-1" | "ap-south-1" | "eu-central-1") {
        return Ok(());
    }
    Err(Fault::new(
        "UnknownOperationException",
        "The Price List is served from us-east-1, ap-south-1 and eu-central-1",
    ))
}

/// Types with their prices, as the list has them.
fn priced() -> impl Iterator<Item = (&'static str, &'static str)> {
    PRICES.lines().filter(|line| !line.starts_with('#')).skip(1).filter_map(|row| row.split_once(','))
}

fn attribute<'p>(product: &'p Value, field: &str) -> Option<&'p str> {
    match field {
        "productFamily" => product["product"]["productFamily"].as_str(),
        "ServiceCode" | "serviceCode" => product["serviceCode"].as_str(),
        field => product["product"]["attributes"][field].as_str(),
    }
}

/// DescribeServices: the one service whose prices are known here, with the attributes of its products.
fn describe_services(call: &Call, _: &Place) -> Answer {
    here(call)?;
    let wanted = call.input.text("ServiceCode");
    if let Some(code) = wanted.filter(|code| *code != SERVICE_CODE) {
        return Err(bad(format!("Invalid ServiceCode: {code}")));
    }
    let sample = priced().next().map(|(kind, price)| product(kind, price)).unwrap_or_default();
    let mut names: Vec<&str> = vec!["productFamily"];
    names.extend(
        sample["product"]["attributes"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()),
    );
    let service = Fields::new().with("ServiceCode", SERVICE_CODE).with("AttributeNames", names);
    Ok(Fields::new()
        .with("Services", Shape::List(vec![service.into()]))
        .with("FormatVersion", "aws_v1")
        .into())
}

/// GetAttributeValues: the values that the products have, in their order.
fn get_attribute_values(call: &Call, _: &Place) -> Answer {
    here(call)?;
    let name = call.input.text("AttributeName").unwrap_or_default();
    if call.input.text("ServiceCode") != Some(SERVICE_CODE) || name.is_empty() {
        return Err(bad("A known ServiceCode and an AttributeName are required"));
    }
    let products: Vec<Value> = priced().map(|(kind, price)| product(kind, price)).collect();
    let values: std::collections::BTreeSet<&str> =
        products.iter().filter_map(|product| attribute(product, name)).collect();
    if values.is_empty() {
        return Err(bad(format!("Invalid AttributeName: {name}")));
    }
    let page = PAGING.of(call)?;
    let (rows, token) = page.take(call, (1..).zip(&values));
    let shapes = list(rows, |value| Fields::new().with("Value", *value));
    Ok(Fields::new().with("AttributeValues", shapes).maybe("NextToken", token).into())
}

/// One product as the list has it: a text of JSON.
fn product(kind: &str, price: &str) -> Value {
    let sku = Dice::new(0, kind).hex(16).to_uppercase();
    let term = format!("{sku}.JRTCKXETXF");
    let dimension = format!("{term}.6YS6EN2CT7");
    let amount = format!("{:0<12}", if price.contains('.') { price.to_owned() } else { format!("{price}.") });
    json!({
        "product": {
            "productFamily": if kind.contains("metal") { "Compute Instance (bare metal)" } else { "Compute Instance" },
            "sku": sku,
            "attributes": {
                "servicecode": "AmazonEC2", "servicename": "Amazon Elastic Compute Cloud", "regionCode": "us-east-1",
                "location": "US East (N. Virginia)", "locationType": "AWS Region", "instanceType": kind,
                "operatingSystem": "Linux", "tenancy": "Shared", "capacitystatus": "Used", "preInstalledSw": "NA",
                "licenseModel": "No License required", "marketoption": "OnDemand", "operation": "RunInstances",
                "usagetype": format!("BoxUsage:{kind}"), "instancesku": sku,
            },
        },
        "serviceCode": "AmazonEC2",
        "terms": { "OnDemand": { term.clone(): {
            "sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": "2026-07-01T00:00:00Z", "termAttributes": {},
            "priceDimensions": { dimension.clone(): {
                "rateCode": dimension, "unit": "Hrs", "beginRange": "0", "endRange": "Inf", "appliesTo": [],
                "description": format!("${price} per On Demand Linux {kind} Instance Hour"),
                "pricePerUnit": { "USD": amount },
            }},
        }}},
        "version": "20260720134430", "publicationDate": PUBLISHED,
    })
}
