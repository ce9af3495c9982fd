//! What new hosts cost, as far as that is known: a list price is told with its date, a spot price as one of now, and
//! what nobody told is said to be unknown.

use super::super::super::desk::Desk;
use super::super::super::plan::More;
use super::super::spot_share::lists;
use super::launch::Launch;
use crate::gateway::{Look, Seen};
use crate::model::{InstanceType, SpotPrice, Text, Usd, Zone};
use std::collections::BTreeMap;

/// What so many new hosts cost while they run.
///
/// # Errors
///
/// Why that is not known, in words.
pub(super) async fn of(desk: &Desk<'_>, launch: &Launch<'_>, news: usize) -> Result<More, String> {
    let Some(kind) = launch.instance_type() else {
        return Err(format!("{} names no type of instance", launch.name()));
    };
    let Some(product) = launch.product() else {
        return Err("nobody says what its image is billed as".to_owned());
    };
    if !launch.is_spot() {
        let region = launch.scope().region.as_str();
        let price = lists::on_demand(region, product, kind.as_str());
        let Some(price) = price else {
            return Err(format!("no list price of {kind} ({product}) in {region} is at hand"));
        };
        return Ok(on_demand(kind, price, region, news));
    }
    let look = Look::Prices { of: vec![kind.clone()], products: vec![product.clone()] };
    let prices = match desk.probe.look(launch.scope(), &look).await {
        Ok(Seen::Prices(prices)) => prices,
        Ok(_) => Vec::new(),
        Err(trouble) => return Err(format!("spot prices of {kind} could not be read: {trouble}")),
    };
    spot(kind, &prices, launch.zones(desk).as_deref(), news)
}

fn on_demand(kind: &InstanceType, price: Usd, region: &str, news: usize) -> More {
    let all = times(price, news);
    let of = format!("{news} × {kind} on demand, by AWS's list of {} for {region}", lists::LISTED);
    More { least: all.micros(), most: all.micros(), of }
}

/// By the zones that it may be launched in; none where that may be any.
fn spot(
    kind: &InstanceType,
    prices: &[SpotPrice],
    zones: Option<&[Zone]>,
    news: usize,
) -> Result<More, String> {
    let mut latest: BTreeMap<&Zone, &SpotPrice> = BTreeMap::new();
    for price in prices.iter().filter(|price| price.market.instance_type == *kind) {
        let zone = latest.entry(&price.market.zone).or_insert(price);
        if zone.since <= price.since {
            *zone = price;
        }
    }
    latest.retain(|zone, _| zones.is_none_or(|zones| zones.contains(zone)));
    let lacking = zones.and_then(|zones| zones.iter().find(|zone| !latest.contains_key(zone)));
    if let Some(zone) = lacking {
        return Err(format!("no spot price of {kind} in {zone} is told"));
    }
    let all = || latest.values().map(|price| price.price);
    let (Some(least), Some(most)) = (all().min(), all().max()) else {
        return Err(format!("no spot price of {kind} is told"));
    };
    let told: Vec<&str> = latest.keys().map(|zone| zone.as_str()).collect();
    Ok(More {
        least: times(least, news).micros(),
        most: times(most, news).micros(),
        of: format!("{news} × {kind} spot in {}, at the price of now", told.join(" or ")),
    })
}

fn times(price: Usd, news: usize) -> Usd {
    price * i64::try_from(news).unwrap_or(i64::MAX)
}

/// What hosts are billed as: what all of them are, and nothing where one differs or nobody says it.
pub(super) fn agreed<'a>(mut products: impl Iterator<Item = Option<&'a Text>>) -> Option<Text> {
    let first = products.next()??;
    products.all(|one| one == Some(first)).then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Market;

    #[test]
    fn a_spot_host_costs_what_its_zones_cost_now_and_nothing_is_made_up() {
        let price = |zone: &str, at: i64, micros| SpotPrice {
            market: Market {
                instance_type: "t3.small".into(),
                zone: zone.into(),
                product: lists::PRODUCT.into(),
            },
            since: Some(jiff::Timestamp::from_second(at).unwrap()),
            price: Usd::from_micros(micros),
        };
        let prices = [price("a", 1, 9_000), price("a", 2, 6_000), price("b", 1, 7_000), price("c", 1, 1)];
        let says = |zones: Option<&[Zone]>, news| spot(&"t3.small".into(), &prices, zones, news);
        let both = says(Some(&["a".into(), "b".into()]), 2).unwrap();
        assert_eq!((both.least, both.most), (12_000, 14_000), "the latest of each, twice");
        assert_eq!(
            both.to_string(),
            "about $0.012 to $0.014 an hour, $8.76 to $10.22 in a month of 730 hours: 2 × t3.small spot in a or b, at the \
             price of now"
        );
        assert_eq!(says(None, 1).unwrap().least, 1, "it may be launched anywhere");
        let lacks = says(Some(&["a".into(), "d".into()]), 1).unwrap_err();
        assert_eq!(lacks, "no spot price of t3.small in d is told");
        assert!(spot(&"t3.huge".into(), &prices, None, 1).is_err());
        let listed = on_demand(&"t2.micro".into(), Usd::from_micros(11_600), "us-east-1", 1);
        assert_eq!(
            listed.to_string(),
            "about $0.0116 an hour, $8.47 in a month of 730 hours: 1 × t2.micro on demand, by AWS's list of 2026-07-20 for \
             us-east-1"
        );
    }

    #[test]
    fn hosts_that_are_billed_differently_say_nothing() {
        let (linux, windows) = (Text::new("Linux/UNIX"), Text::new("Windows"));
        assert_eq!(agreed([Some(&linux), Some(&linux)].into_iter()), Some(linux.clone()));
        assert_eq!(agreed([Some(&linux), Some(&windows)].into_iter()), None);
        assert_eq!(agreed([Some(&linux), None].into_iter()), None);
        assert_eq!(agreed(std::iter::empty()), None);
    }
}
