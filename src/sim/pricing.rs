//! The Price List: on-demand prices of EC2 in us-east-1, as they were on 2026-07-20.
//!
//! Other services, regions and terms are not in the list: they have no products, rather than made-up ones.

use super::dice::Dice;
use super::fault::Fault;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Run, Service};
use super::shape::{Fields, list};
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
    operations: &[Operation {
        name: "GetProducts",
        takes: &["ServiceCode", "Filters", "FormatVersion", "MaxResults", "NextToken"],
        run: Run::Read(get_products),
    }],
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

const PRICES: &str = include_str!("data/ondemand-us-east-1.csv");

/// The publication date of the list that the prices are from.
const PUBLISHED: &str = "2026-07-20T13:44:30Z";

fn get_products(call: &Call, _: &Place) -> Answer {
    let service = call.input.text("ServiceCode").unwrap_or_default();
    if !matches!(call.region, "us-east-1" | "ap-south-1" | "eu-central-1") {
        return Err(Fault::new(
            "UnknownOperationException",
            "The Price List is served from us-east-1, ap-south-1 and eu-central-1",
        ));
    }
    let mut products: Vec<Value> = Vec::new();
    if service == "AmazonEC2" {
        let rows = PRICES.lines().filter(|line| !line.starts_with('#')).skip(1);
        products.extend(rows.filter_map(|row| row.split_once(',')).map(|(kind, price)| product(kind, price)));
    }
    for filter in call.input.list("Filters") {
        let part = |name| filter.text(name).unwrap_or_default();
        if part("Type") != "TERM_MATCH" && part("Type") != "EQUALS" {
            return Err(Fault::new(
                "InvalidParameterException",
                format!("The filter type {} is not understood here", part("Type")),
            ));
        }
        products.retain(|product| {
            let attribute = match part("Field") {
                "productFamily" => product["product"]["productFamily"].as_str(),
                field => product["product"]["attributes"][field].as_str(),
            };
            // The service compares without regard to case.
            attribute.is_some_and(|value| value.eq_ignore_ascii_case(part("Value")))
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
