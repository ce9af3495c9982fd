//! DescribeSpotPriceHistory: changes of spot prices, and what each market cost before the span began.

use super::{bad_filter, dry_run};
use crate::sim::fault::Fault;
use crate::sim::filter::filters;
use crate::sim::market::{Markets, PRODUCT, REACH};
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::time::Moment;
use crate::sim::world::place::Place;

const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    default: 1000,
    min: 1,
    max: i64::MAX,
    bad_size: "InvalidParameterValue",
    bad_token: "InvalidParameterValue",
};

/// Rows of a page, whatever was asked for.
const MOST: usize = 1000;

const FILTERS: [&str; 6] = [
    "availability-zone",
    "availability-zone-id",
    "instance-type",
    "product-description",
    "spot-price",
    "timestamp",
];

struct Row {
    kind: &'static str,
    zone: usize,
    at: Moment,
    price: String,
}

/// Rows come market by market, the newest first in each; the last page's token is an empty text, as AWS's is.
pub(super) fn history(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    let filters = filters(call.input, "Filter", "Value");
    if let Some(filter) = filters.iter().find(|filter| !FILTERS.contains(&filter.name)) {
        return Err(bad_filter(filter));
    }
    let (zone, zone_id) = (call.input.text("AvailabilityZone"), call.input.text("AvailabilityZoneId"));
    if zone.is_some() && zone_id.is_some() {
        return Err(Fault::new(
            "InvalidParameterCombination",
            "AvailabilityZone and AvailabilityZoneId cannot be specified together",
        ));
    }
    let known = |name: Option<&str>, of: fn(&crate::sim::world::geography::Zone) -> &str| {
        name.is_none_or(|name| place.zones.iter().any(|zone| of(zone) == name))
    };
    if !known(zone, |zone| &zone.name) || !known(zone_id, |zone| &zone.id) {
        let name = zone.or(zone_id).unwrap_or_default();
        return Err(Fault::new("InvalidParameterValue", format!("Invalid availability zone: [{name}]")));
    }
    let oldest = call.now.minus(REACH * 86_400);
    let start = call.input.time("StartTime").unwrap_or(oldest).max(oldest);
    // Whoever asks from now on gets the prices of now, also with a clock that is ahead.
    let start = start.min(call.now);
    let end = call.input.time("EndTime").unwrap_or(call.now).min(call.now);
    if end < start {
        let sentence = "The start time must be before the end time";
        return Err(Fault::new("InvalidParameterValue", sentence));
    }
    let (kinds, products) = (call.input.texts("InstanceType"), call.input.texts("ProductDescription"));
    let mut page = PAGING.of(call)?;
    page.limit = page.limit.min(MOST);

    let markets = Markets::of(place.region);
    let mut rows: Vec<(u64, Row)> = Vec::new();
    let is_product = products.is_empty() || products.contains(&PRODUCT);
    let mut key = 0;
    'markets: for (nth, (kind, ..)) in markets.kinds.iter().enumerate() {
        for (at, here) in place.zones.iter().enumerate() {
            key += 1 << 20;
            let is_meant = is_product
                && (kinds.is_empty() || kinds.contains(kind))
                && zone.is_none_or(|zone| zone == here.name)
                && zone_id.is_none_or(|id| id == here.id)
                && filters.iter().all(|filter| match filter.name {
                    "availability-zone" => filter.admits(&here.name),
                    "availability-zone-id" => filter.admits(&here.id),
                    "instance-type" => filter.admits(kind),
                    "product-description" => filter.admits(PRODUCT),
                    _ => true,
                });
            // Markets that earlier pages have told of entirely need not be computed.
            if !is_meant || key + (1 << 20) <= page.after {
                continue;
            }
            let changes = markets.changes(nth, &here.name, start, end);
            for (number, (then, price)) in (1..).zip(changes) {
                let price = format!("{price:.6}");
                let admits = filters.iter().all(|filter| match filter.name {
                    "spot-price" => filter.admits(&price),
                    "timestamp" => filter.admits(&then.rfc3339()),
                    _ => true,
                });
                if admits && key + number > page.after {
                    rows.push((key + number, Row { kind, zone: at, at: then, price }));
                }
            }
            if rows.len() > page.limit {
                break 'markets;
            }
        }
    }
    let (rows, token) = page.take(call, rows.iter().map(|(key, row)| (*key, row)));
    let shapes = list(rows, |row| {
        Fields::new()
            .with("instanceType", row.kind)
            .with("productDescription", PRODUCT)
            .with("spotPrice", &row.price)
            .with("timestamp", row.at)
            .with("availabilityZone", place.zone(row.zone))
            .with("availabilityZoneId", place.zone_id(row.zone))
    });
    Ok(Fields::new().with("nextToken", token.unwrap_or_default()).with("spotPriceHistorySet", shapes).into())
}
