//! A large fleet in parallel: a token leads only to the next page, but each availability zone is a list of its own.
//!
//! ```text
//!   page 1 ── not full, the last, or of few ──→ follow the token
//!     │ full
//!     ├─ zone a ──→ pages ─┐
//!     ├─ zone b ──→ pages ─┼─→ all of page 1 is there? ── no ──→ follow the token
//!     └─ zone c ──→ pages ─┘            │ yes: done
//! ```

use super::PAGE;
use super::instances::{SHAPE, of_reservation};
use crate::aws::api::Api;
use crate::aws::call::{Answer, Desk, Pages};
use crate::aws::fan::{self, Piece};
use crate::aws::lean::{Lean, Page};
use crate::gateway::Reading;
use crate::model::{Instance, InstanceState, Zone};
use aws_sdk_ec2::operation::describe_instances::{
    DescribeInstances, DescribeInstancesError, DescribeInstancesOutput,
};
use aws_sdk_ec2::types::Filter;
use aws_smithy_runtime_api::client::interceptors::context::Output;
use futures::FutureExt as _;
use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// A page from here on is full.
const FULL: usize = 1_000;

/// Up to so many are sooner read token by token, where it is known that they are no more.
const FEW: usize = 3_000;

pub(super) type Rows = Vec<Arc<Instance>>;

/// Reads every instance. Those that are still as an earlier run `kept` them are handed out as they lie there.
pub(super) async fn read(desk: &Desk, kept: Option<Rows>, pages: &Pages) -> Piece<Arc<Instance>> {
    let seen = &desk.site().seen().instances;
    if let Some(kept) = kept {
        seen.with_kin(|kin| kin.remind(kept));
    }
    seen.begin();
    let all = read_all(desk, pages, seen.length()).await;
    seen.end();
    if let Ok(all) = &all {
        seen.measured(all.len());
    }
    all
}

/// Reads every instance of a list that had so many when it was read before.
async fn read_all(desk: &Desk, pages: &Pages, before: Option<usize>) -> Piece<Arc<Instance>> {
    let api = Api::DescribeInstances;
    let (first, next) = desk.call(api, || ask(desk, None, None)).await.map_err(fan::nothing)?;
    let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(first) };
    pages.show(|| Reading::Instances(first.clone()));
    // Zones are other lists: going by them reads the first page twice.
    if first.len() >= FULL && before.is_none_or(|before| before > FEW) {
        let zones = zones(desk).await;
        if let Some(whole) = by_zone(desk, &zones, &first, pages).await {
            return whole;
        }
    }
    let show = |rest: &[Arc<Instance>]| pages.show(|| Reading::Instances([&first, rest].concat()));
    let request = |token| ask(desk, token, None);
    let rest = desk.follow(api, Some(next), request, |page| page, show).await;
    let (rest, trouble) = fan::apart(rest);
    fan::settle([first, rest].concat(), trouble)
}

fn ask(
    desk: &Desk,
    token: Option<String>,
    zone: Option<&Zone>,
) -> impl Future<Output = Answer<Page<Arc<Instance>>, DescribeInstancesError>> + Send + use<> {
    let filter = zone.map(|zone| Filter::builder().name("availability-zone").values(zone.as_str()).build());
    let ask = desk.ec2().describe_instances().max_results(PAGE).set_next_token(token);
    let ask = ask.set_filters(filter.map(|filter| vec![filter])).customize();
    let empty = || Output::erase(DescribeInstancesOutput::builder().build());
    let seen = Arc::clone(&desk.site().seen().instances);
    let lean = Lean::new(&DescribeInstances::new(), "", empty, SHAPE, seen);
    async move {
        let page = ask.interceptor(lean.clone()).send().await?;
        Ok(lean.page_or(|| (split(page), true)))
    }
}

fn split(page: DescribeInstancesOutput) -> Page<Arc<Instance>> {
    let reservations = page.reservations.unwrap_or_default();
    (reservations.into_iter().flat_map(of_reservation).collect(), page.next_token)
}

/// The zones that are switched on. None when they cannot be read: that costs time and no row, so it is no
/// trouble, and stands in the record of calls.
async fn zones(desk: &Desk) -> Vec<Zone> {
    let request = || desk.ec2().describe_availability_zones().send();
    let Ok(answer) = desk.call(Api::DescribeAvailabilityZones, request).await else { return Vec::new() };
    let names = answer.availability_zones.unwrap_or_default().into_iter().filter_map(|zone| zone.zone_name);
    let mut zones: Vec<Zone> = names.filter(|name| !name.is_empty()).map(Zone::from).collect();
    zones.sort();
    zones.dedup();
    zones
}

/// Reads all zones at once. Nothing when that cannot be relied on: too few zones, all of them failed, or a
/// row of the first page in none of them, as with an endpoint that does not know the filter.
async fn by_zone(
    desk: &Desk,
    zones: &[Zone],
    first: &[Arc<Instance>],
    pages: &Pages,
) -> Option<Piece<Arc<Instance>>> {
    if zones.len() < 2 {
        return None;
    }
    let so_far = Arc::new(Mutex::new(vec![Rows::new(); zones.len()]));
    let known: Arc<[Arc<Instance>]> = first.into();
    // A task for each, so that the pages of several zones are read on several processors.
    let mut streams = JoinSet::new();
    for (at, zone) in zones.iter().cloned().enumerate() {
        let (desk, pages) = (desk.clone(), pages.clone());
        let (so_far, known) = (Arc::clone(&so_far), Arc::clone(&known));
        streams.spawn(async move {
            let show = |read: &[Arc<Instance>]| {
                pages.show(|| {
                    let mut so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(own) = so_far.get_mut(at) {
                        *own = read.to_vec();
                    }
                    Reading::Instances(together(so_far.concat(), &known))
                })
            };
            let request = |token| ask(&desk, token, Some(&zone));
            (at, desk.follow(Api::DescribeInstances, None, request, |page| page, show).boxed().await)
        });
    }
    let mut pieces = Vec::with_capacity(zones.len());
    while let Some(ended) = streams.join_next().await {
        match ended {
            Ok(piece) => pieces.push(piece),
            // Whoever looks after this read looks after its panics too.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return None,
        }
    }
    pieces.sort_by_key(|(at, _)| *at);
    // An endpoint that passes the filter over gives every row with every zone.
    let (mut read, mut ids) = (Rows::new(), HashSet::new());
    let (mut troubles, mut failed) = (Vec::new(), Vec::new());
    for (zone, (_, piece)) in zones.iter().zip(pieces) {
        let (rows, trouble) = fan::apart(piece);
        read.extend(rows.into_iter().filter(|one| ids.insert(one.id.clone())));
        if let Some(trouble) = trouble {
            troubles.push(trouble);
            failed.push(zone.as_str());
        }
    }
    let is_lost = |one: &&Arc<Instance>| {
        // A machine that is gone leaves the lists in the meantime.
        let is_gone = one.state == InstanceState::Terminated;
        !ids.contains(&one.id) && !is_gone && !failed.contains(&one.zone.as_str())
    };
    if failed.len() == zones.len() || first.iter().any(|one| is_lost(&one)) {
        return None;
    }
    let trouble = troubles.into_iter().next().map(|mut trouble| {
        trouble.message = format!("{} (availability zone {})", trouble.message, failed.join(", "));
        trouble
    });
    // What the first page told of a zone that failed is known all the same.
    let known: Rows = first.iter().filter(|one| failed.contains(&one.zone.as_str())).cloned().collect();
    Some(fan::settle(together(read, &known), trouble))
}

/// Adds to rows what they lack of others, which are fewer.
fn together(mut rows: Rows, others: &[Arc<Instance>]) -> Rows {
    let mut lacking: HashSet<&str> = others.iter().map(|one| one.id.as_str()).collect();
    for one in &rows {
        lacking.remove(one.id.as_str());
    }
    rows.extend(others.iter().filter(|one| lacking.contains(one.id.as_str())).cloned());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::TroubleKind;

    fn xml(text: impl Into<String>) -> Say {
        Say::Whole(200, "text/xml", text.into())
    }

    fn page(ids: impl IntoIterator<Item = usize>, zone: &str, token: &str) -> Say {
        let row = |n| {
            format!(
                "<item><instanceId>i-{n}</instanceId><placement><availabilityZone>{zone}</availabilityZone>\
                 </placement></item>"
            )
        };
        let rows: String = ids.into_iter().map(row).collect();
        xml(format!(
            "<DescribeInstancesResponse><reservationSet><item><reservationId>r</reservationId><instancesSet>\
             {rows}</instancesSet></item></reservationSet><nextToken>{token}</nextToken></DescribeInstancesResponse>"
        ))
    }

    fn two_zones() -> Say {
        xml("<DescribeAvailabilityZonesResponse><availabilityZoneInfo><item><zoneName>z-a</zoneName></item>\
             <item><zoneName>z-b</zoneName></item></availabilityZoneInfo></DescribeAvailabilityZonesResponse>")
    }

    /// A fleet of 1,500: two pages by token, of which the first is all in zone a, which holds a hundred more.
    fn fleet(request: &str, in_a: impl Fn() -> Say, in_b: impl Fn() -> Say) -> Say {
        match request {
            text if text.contains("Action=DescribeAvailabilityZones") => two_zones(),
            text if text.contains("z-a") && text.contains("NextToken=more") => page(1_000..1_100, "z-a", ""),
            text if text.contains("z-a") => in_a(),
            text if text.contains("z-b") => in_b(),
            text if text.contains("NextToken=two") => page(1_000..1_500, "z-b", ""),
            _ => page(0..1_000, "z-a", "two"),
        }
    }

    fn by_token(fake: &Fake) -> usize {
        fake.heard.lock().unwrap().iter().filter(|text| text.contains("NextToken=two")).count()
    }

    fn numbers(rows: &[Arc<Instance>]) -> Vec<usize> {
        let mut all: Vec<usize> = rows.iter().map(|one| one.id.as_str()[2..].parse().unwrap()).collect();
        all.sort_unstable();
        all
    }

    #[tokio::test]
    async fn a_full_first_page_is_followed_zone_by_zone_and_nothing_stands_twice() {
        let fake = Fake::new(|request, _| {
            fleet(request, || page(0..1_000, "z-a", "more"), || page(1_100..1_500, "z-b", ""))
        })
        .await;
        let all = read(&fake.desk().await, None, &Pages::default()).await.unwrap();
        assert_eq!(numbers(&all), (0..1_500).collect::<Vec<_>>());
        assert_eq!(by_token(&fake), 0);
    }

    #[tokio::test]
    async fn a_list_that_is_known_to_be_of_few_is_read_token_by_token() {
        let fake = Fake::new(|request, _| {
            fleet(request, || page(0..1_000, "z-a", "more"), || page(1_100..1_500, "z-b", ""))
        })
        .await;
        let desk = fake.desk().await;
        let first = read(&desk, None, &Pages::default()).await.unwrap();
        let asked = fake.heard.lock().unwrap().len();
        let second = read(&desk, None, &Pages::default()).await.unwrap();
        assert_eq!((numbers(&first), by_token(&fake)), (numbers(&second), 1));
        assert_eq!(fake.heard.lock().unwrap().len() - asked, 2, "two pages, and no zone");
    }

    #[tokio::test]
    async fn an_endpoint_that_does_not_know_the_filter_is_read_by_token() {
        let fake = Fake::new(|request, _| fleet(request, || page([], "", ""), || page([], "", ""))).await;
        let all = read(&fake.desk().await, None, &Pages::default()).await.unwrap();
        assert_eq!(numbers(&all), (0..1_500).collect::<Vec<_>>());
        assert_eq!(by_token(&fake), 1);
    }

    #[tokio::test]
    async fn an_endpoint_that_passes_the_filter_over_gives_no_row_twice() {
        let whole = || page(0..1_500, "z-a", "");
        let fake = Fake::new(move |request, _| fleet(request, whole, whole)).await;
        let all = read(&fake.desk().await, None, &Pages::default()).await.unwrap();
        assert_eq!(numbers(&all), (0..1_500).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_zone_that_fails_alone_keeps_the_others_and_is_named() {
        let html = || Say::Whole(500, "text/html", "<html>".to_owned());
        let fake = Fake::new(move |request, _| fleet(request, html, || page(1_100..1_500, "z-b", ""))).await;
        let broken = read(&fake.desk().await, None, &Pages::default()).await.unwrap_err();
        assert_eq!(numbers(&broken.read), (0..1_000).chain(1_100..1_500).collect::<Vec<_>>());
        assert_eq!(broken.trouble.kind, TroubleKind::Garbled);
        assert!(broken.trouble.message.ends_with("(availability zone z-a)"), "{}", broken.trouble.message);
    }

    #[tokio::test]
    async fn without_a_word_about_zones_the_token_is_followed() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("Action=DescribeAvailabilityZones") => {
                Say::Whole(500, "text/html", "no".into())
            }
            text => fleet(text, || page([], "", ""), || page([], "", "")),
        })
        .await;
        let all = read(&fake.desk().await, None, &Pages::default()).await.unwrap();
        assert_eq!((all.len(), by_token(&fake)), (1_500, 1));
    }
}
