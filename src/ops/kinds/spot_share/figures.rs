//! What a share costs and how often its spot instances are taken, as far as that is known. A dated figure is told with
//! its date, a price of now as one of now, and what nobody told is said to be unknown.

use super::lists;
use crate::fleet::GroupRow;
use crate::gateway::{Look, Seen};
use crate::model::{Group, InstanceType, Known, Mix, SpotPrice, Text, Usd};
use crate::ops::desk::{Desk, Draft};
use std::collections::BTreeMap;

/// Tells what each type costs where the group launches, how often it is interrupted, and what that comes to.
pub(super) async fn tell(desk: &Desk<'_>, row: &GroupRow, was: &Mix, new: &Mix, draft: &mut Draft) {
    let mut of: Vec<InstanceType> = new.types.iter().map(|(kind, _)| kind.clone()).collect();
    let left = was.types.iter().map(|(kind, _)| kind);
    of.extend(left.filter(|kind| !new.types.iter().any(|(one, _)| one == *kind)).cloned());
    let product = product(desk, row);
    let look = Look::Prices { of: of.clone(), products: vec![product.clone()] };
    let prices = match desk.probe.look(&row.scope, &look).await {
        Ok(Seen::Prices(prices)) => prices,
        Ok(_) => Vec::new(),
        Err(trouble) => {
            draft.notes.push(format!("spot prices are not known: {trouble}"));
            Vec::new()
        }
    };
    let figures: BTreeMap<InstanceType, Figure> =
        of.iter().map(|kind| (kind.clone(), figure(&prices, kind, row, &product))).collect();
    for kind in &of {
        let is_new = new.types.iter().any(|(one, _)| one == kind);
        let had = was.types.iter().any(|(one, _)| one == kind);
        let word = match (had, is_new) {
            (false, _) => " (new)",
            (_, false) => " (no longer)",
            _ => "",
        };
        if let Some(figure) = figures.get(kind) {
            draft.notes.push(format!("{kind}{word}, {product}, an hour: {}", figure.words()));
        }
    }
    draft.notes.push(format!(
        "on-demand prices are AWS's list of {} for us-east-1, interruptions those of its advisor of {}; neither is of \
         today, and only spot prices are of now",
        lists::LISTED,
        lists::ADVISED
    ));
    draft.notes.extend(sums(&row.it, was, new, &figures));
}

/// What is known of a type where the group launches.
#[derive(Clone, Debug, Default, PartialEq)]
struct Figure {
    on_demand: Option<Usd>,
    /// By zone.
    spot: Vec<(String, Usd)>,
    interrupted: Option<&'static str>,
}

impl Figure {
    fn words(&self) -> String {
        let on_demand = match self.on_demand {
            Some(price) => format!("on demand {price}"),
            None => "on demand not known here".to_owned(),
        };
        let spot = if self.spot.is_empty() {
            "no spot price is told".to_owned()
        } else {
            let zones: Vec<String> =
                self.spot.iter().map(|(zone, price)| format!("{zone} {price}")).collect();
            format!("spot {}", zones.join(", "))
        };
        let interrupted = match self.interrupted {
            Some(range) => format!("{range} interrupted in a month"),
            None => "interruptions not known".to_owned(),
        };
        format!("{on_demand}; {spot}; {interrupted}")
    }
}

fn figure(prices: &[SpotPrice], kind: &InstanceType, row: &GroupRow, product: &Text) -> Figure {
    let region = row.scope.region.as_str();
    Figure {
        on_demand: lists::on_demand(region, product, kind.as_str()),
        spot: by_zone(prices, kind, row),
        interrupted: lists::interrupted(region, product, kind.as_str()),
    }
}

/// The latest price of a type in each zone that the group launches into.
fn by_zone(prices: &[SpotPrice], kind: &InstanceType, row: &GroupRow) -> Vec<(String, Usd)> {
    let mut latest: BTreeMap<&str, &SpotPrice> = BTreeMap::new();
    for price in prices.iter().filter(|price| price.market.instance_type == *kind) {
        if row.it.zones.is_empty() || row.it.zones.contains(&price.market.zone) {
            let zone = latest.entry(price.market.zone.as_str()).or_insert(price);
            if zone.since <= price.since {
                *zone = price;
            }
        }
    }
    latest.into_iter().map(|(zone, price)| (zone.to_owned(), price.price)).collect()
}

/// How a group of this size is shared out, and about what an hour of it costs, before and after.
fn sums(group: &Group, was: &Mix, new: &Mix, figures: &BTreeMap<InstanceType, Figure>) -> Vec<String> {
    let name = &group.name;
    let unit = if new.types.iter().any(|(_, weight)| weight.is_some()) { " units" } else { "" };
    let told = |mix: &Mix| {
        let (on_demand, spot) = shared(group.desired, mix);
        format!("{on_demand} on demand and {spot} spot")
    };
    let mut sums =
        vec![format!("of {}{unit} in {name}: {}; before: {}", group.desired, told(new), told(was))];
    if !unit.is_empty() {
        sums.push(format!("what an hour of {name} costs is not told: its types have weights"));
        return sums;
    }
    let told = |mix| match cost(group.desired, mix, figures) {
        Ok((low, high)) if low == high => format!("about {low}"),
        Ok((low, high)) => format!("about {low} to {high}"),
        Err(kind) => format!("not known, for want of a price of {kind}"),
    };
    sums.push(format!("an hour of {name} costs {}; before: {}", told(new), told(was)));
    sums
}

/// On demand and spot of so many, as AWS shares them out: what is not whole goes to on demand.
fn shared(desired: u32, mix: &Mix) -> (u32, u32) {
    let base = mix.on_demand_base.min(desired);
    let above = u64::from(desired - base);
    let more = (above * u64::from(mix.on_demand_percent.min(100))).div_ceil(100);
    let on_demand = base + u32::try_from(more).unwrap_or(u32::MAX);
    (on_demand, desired.saturating_sub(on_demand))
}

/// What an hour costs at least and at most, whichever types and zones AWS takes; or the type whose price is missing.
fn cost(desired: u32, mix: &Mix, figures: &BTreeMap<InstanceType, Figure>) -> Result<(Usd, Usd), String> {
    let (on_demand, spot) = shared(desired, mix);
    let (mut listed, mut now): (Vec<Usd>, Vec<Usd>) = Default::default();
    for (kind, _) in &mix.types {
        let figure = figures.get(kind).cloned().unwrap_or_default();
        if on_demand > 0 {
            listed.push(figure.on_demand.ok_or_else(|| kind.to_string())?);
        }
        if spot > 0 {
            if figure.spot.is_empty() {
                return Err(kind.to_string());
            }
            now.extend(figure.spot.iter().map(|(_, price)| *price));
        }
    }
    let sum = |of: fn(&[Usd]) -> Option<Usd>| {
        of(&listed).unwrap_or_default() * i64::from(on_demand)
            + of(&now).unwrap_or_default() * i64::from(spot)
    };
    Ok((sum(|all| all.iter().min().copied()), sum(|all| all.iter().max().copied())))
}

/// What the group's members are billed as.
fn product(desk: &Desk<'_>, row: &GroupRow) -> Text {
    let mut members = desk.fleet.instances.iter().filter(|one| {
        matches!(&one.member, Known::Yes(Some(member)) if member.group().name == row.it.name)
            && one.scope == row.scope
    });
    members.find_map(|one| one.it.platform.clone()).unwrap_or_else(|| Text::new(lists::PRODUCT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(base: u32, percent: u32, types: &[&str]) -> Mix {
        Mix {
            on_demand_base: base,
            on_demand_percent: percent,
            types: types.iter().map(|kind| ((*kind).into(), None)).collect(),
            ..Mix::default()
        }
    }

    #[test]
    fn a_group_is_shared_out_as_aws_does() {
        for (desired, base, percent, expected) in [
            (10, 0, 50, (5, 5)),
            (10, 2, 20, (4, 6)),
            (10, 2, 0, (2, 8)),
            (3, 0, 50, (2, 1)),
            (2, 5, 0, (2, 0)),
            (7, 0, 100, (7, 0)),
        ] {
            assert_eq!(shared(desired, &mix(base, percent, &[])), expected, "{desired} {base} {percent}");
        }
    }

    #[test]
    fn what_it_costs_is_told_where_every_price_is_known() {
        let usd = Usd::from_micros;
        let spot = |low, high| vec![("a".to_owned(), usd(low)), ("b".to_owned(), usd(high))];
        let figures = BTreeMap::from([
            (
                "m5.large".into(),
                Figure { on_demand: Some(usd(96_000)), spot: spot(30_000, 40_000), interrupted: None },
            ),
            ("m9.large".into(), Figure { on_demand: None, spot: spot(20_000, 20_000), interrupted: None }),
        ]);
        let both = mix(0, 50, &["m5.large", "m9.large"]);
        assert_eq!(cost(10, &mix(0, 50, &["m5.large"]), &figures), Ok((usd(630_000), usd(680_000))));
        assert_eq!(cost(10, &both, &figures), Err("m9.large".to_owned()), "its list price");
        let all_spot = Mix { on_demand_percent: 0, ..both };
        assert_eq!(cost(10, &all_spot, &figures), Ok((usd(200_000), usd(400_000))));
        assert_eq!(cost(1, &mix(0, 0, &["x1.large"]), &figures), Err("x1.large".to_owned()));
    }
}
