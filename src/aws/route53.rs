//! Route 53: the zones that may hold the fleet's host names, and their records that lead somewhere.

use super::api::Api;
use super::call::{Broken, Desk, Pages};
use super::fan::{self, Piece};
use crate::clock::monotonic;
use crate::gateway::{GatewayError, Reading};
use crate::model::{DnsRecord, HostedZone, Region, Scope, Text, Trouble, TroubleKind};
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use futures::FutureExt as _;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// The longest page of zones, and of records.
const ZONES: i32 = 100;
const RECORDS: i32 = 300;

/// The region in which a partition of AWS keeps what it has once for all of its regions.
pub(super) fn home(region: &Region) -> Region {
    Region::new(match region.as_str() {
        name if name.starts_with("cn-") => "cn-northwest-1",
        name if name.starts_with("us-gov-") => "us-gov-west-1",
        _ => "us-east-1",
    })
}

/// How long what one region of an account was told holds for its other regions: less than anybody reads again after, so that
/// no region answers itself, and a round of all of them costs as much as one.
const SHARED_FOR: Duration = Duration::from_secs(120);

/// Those who read the host names of one account. Route 53 is the same in all of its regions, so what one of them read,
/// or was denied, is not asked for again by the others of the same round.
#[derive(Debug, Default)]
pub(super) struct Line(tokio::sync::Mutex<Told>);

/// What the regions of an account were told in this round.
#[derive(Debug, Default)]
struct Told {
    /// Who asked first, when, and what came: all zones without their records, or why not.
    zones: Option<(Scope, Instant, Result<Vec<HostedZone>, Trouble>)>,
    /// Zones with their records, as far as they were read whole.
    records: Vec<HostedZone>,
}

impl Line {
    /// The zones that these host names may stand in, each with its records. Other zones are listed and passed over.
    pub(super) async fn zones(
        &self,
        desk: &Desk,
        scope: &Scope,
        domains: &[Text],
        pages: &Pages,
    ) -> Result<Vec<HostedZone>, GatewayError> {
        let mut told = self.0.lock().await;
        let now = monotonic();
        let is_shared =
            |(who, at, _): &(Scope, Instant, _)| who != scope && now.duration_since(*at) < SHARED_FOR;
        if !told.zones.as_ref().is_some_and(is_shared) {
            let (all, unlisted) = fan::apart(listed(desk).await);
            told.records.clear();
            // A list that broke off is this region's alone; the next one asks for itself.
            told.zones = match &unlisted {
                None => Some((scope.clone(), now, Ok(all.clone()))),
                Some(trouble) if trouble.kind == TroubleKind::Denied => {
                    Some((scope.clone(), now, Err(trouble.clone())))
                }
                Some(_) => None,
            };
            if let Some(trouble) = unlisted {
                let read = records(desk, &mut told.records, wanted(all, domains), pages).await;
                return fan::after(Some(trouble), read).map_err(|broken| broken.partial(Reading::Records));
            }
        }
        let all = match &told.zones {
            Some((.., Ok(all))) => all.clone(),
            Some((.., Err(trouble))) => return Err(trouble.clone().into()),
            None => Vec::new(),
        };
        let read = records(desk, &mut told.records, wanted(all, domains), pages).await;
        read.map_err(|broken| broken.partial(Reading::Records))
    }
}

/// All zones, without their records.
async fn listed(desk: &Desk) -> Piece<HostedZone> {
    let request = |marker| desk.route53().list_hosted_zones().max_items(ZONES).set_marker(marker).send();
    let listed = desk.pages(Api::ListHostedZones, request, |page| {
        let zones = page.hosted_zones.into_iter().map(|raw| HostedZone {
            id: Text::new(raw.id.rsplit('/').next().unwrap_or_default()),
            name: plain(&raw.name),
            is_private: raw.config.is_some_and(|config| config.private_zone),
            records: Vec::new(),
        });
        (zones.collect(), page.next_marker.filter(|_| page.is_truncated))
    });
    listed.await
}

/// Those that these host names may stand in.
fn wanted(all: Vec<HostedZone>, domains: &[Text]) -> Vec<HostedZone> {
    all.into_iter().filter(|zone| domains.iter().any(|domain| holds(&zone.name, domain))).collect()
}

/// Zones with their records: those that another region read, and the rest from Route 53.
async fn records(
    desk: &Desk,
    known: &mut Vec<HostedZone>,
    wanted: Vec<HostedZone>,
    pages: &Pages,
) -> Piece<HostedZone> {
    let is_known = |zone: &HostedZone| known.iter().any(|one| one.id == zone.id);
    let (have, lack): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_known);
    let have: Vec<_> =
        known.iter().filter(|one| have.iter().any(|zone| zone.id == one.id)).cloned().collect();
    let ask = |zone| records_of(desk, zone).boxed();
    let read = fan::each(lack, ask, fan::shown(pages, Reading::Records)).await;
    if let Ok(read) = &read {
        known.extend(read.iter().cloned());
    }
    let with = |read: Vec<HostedZone>| have.iter().cloned().chain(read).collect();
    match read {
        Ok(read) => Ok(with(read)),
        Err(Broken { read, trouble }) => Err(Broken { read: with(read), trouble }),
    }
}

/// Whether a zone of that name may hold that host name.
fn holds(zone: &str, domain: &str) -> bool {
    let Some(start) = domain.len().checked_sub(zone.len()) else { return false };
    let is_below = domain.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(zone));
    is_below && (start == 0 || domain.as_bytes().get(start - 1) == Some(&b'.'))
}

/// Where the next page of records begins: a name, its type, and what tells records of both apart.
const SEPARATOR: char = '\n';

async fn records_of(desk: &Desk, zone: HostedZone) -> Piece<HostedZone> {
    let request = |token: Option<String>| {
        let mut from = token.as_deref().unwrap_or_default().split(SEPARATOR).map(str::to_owned);
        let mut next = || from.next().filter(|part| !part.is_empty());
        let (name, kind, set) = (next(), next(), next());
        let ask = desk.route53().list_resource_record_sets().hosted_zone_id(zone.id.as_str());
        let ask = ask.max_items(RECORDS).set_start_record_name(name).set_start_record_identifier(set);
        ask.set_start_record_type(kind.map(|kind| RrType::from(kind.as_str()))).send()
    };
    let listed = desk.pages(Api::ListResourceRecordSets, request, |page| {
        let next = page.next_record_name.filter(|_| page.is_truncated).map(|name| {
            let kind = page.next_record_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
            let set = page.next_record_identifier.unwrap_or_default();
            format!("{name}{SEPARATOR}{kind}{SEPARATOR}{set}")
        });
        // Every record counts, for a page of mail records is not an empty one.
        (page.resource_record_sets.into_iter().map(record).collect(), next)
    });
    let of = |read: Vec<Option<DnsRecord>>| {
        let mut known = HashSet::new();
        // Where a page begins without the identifier, what the page before ended with comes again.
        let is_new = |one: &DnsRecord| known.insert((one.name.clone(), one.kind.clone(), one.set.clone()));
        vec![HostedZone { records: read.into_iter().flatten().filter(is_new).collect(), ..zone.clone() }]
    };
    match listed.await {
        Ok(read) => Ok(of(read)),
        Err(Broken { read, trouble }) => Err(Broken { read: of(read), trouble }),
    }
}

/// A record, if it leads somewhere.
fn record(raw: ResourceRecordSet) -> Option<DnsRecord> {
    if !matches!(raw.r#type, RrType::A | RrType::Aaaa | RrType::Cname) {
        return None;
    }
    let policy = match (&raw.region, &raw.failover, &raw.geo_location) {
        (Some(region), ..) => Some(format!("latency {}", region.as_str())),
        (_, Some(failover), _) => Some(format!("failover {}", failover.as_str())),
        (_, _, Some(place)) => {
            let of = [place.subdivision_code(), place.country_code(), place.continent_code()];
            Some(format!("location {}", of.into_iter().flatten().next().unwrap_or("*")))
        }
        _ if raw.multi_value_answer == Some(true) => Some("multivalue".to_owned()),
        _ if raw.geo_proximity_location.is_some() => Some("proximity".to_owned()),
        _ if raw.cidr_routing_config.is_some() => Some("cidr".to_owned()),
        _ => None,
    };
    let own = raw.resource_records.unwrap_or_default().into_iter().map(|one| plain(&one.value));
    Some(DnsRecord {
        name: plain(&raw.name),
        kind: Text::new(raw.r#type.as_str()),
        // Some endpoints write one for an alias too, which has none.
        ttl: raw.ttl.filter(|_| raw.alias_target.is_none()).and_then(|ttl| u32::try_from(ttl).ok()),
        is_alias: raw.alias_target.is_some(),
        targets: own.chain(raw.alias_target.iter().map(|alias| plain(&alias.dns_name))).collect(),
        set: raw.set_identifier.map(Text::from),
        weight: raw.weight.and_then(|weight| u32::try_from(weight).ok()),
        policy: policy.map(Text::from),
    })
}

/// A name as people write it: lower case, without the last dot, and without Route 53's `\052` for `*`.
fn plain(raw: &str) -> Text {
    let raw = raw.strip_suffix('.').unwrap_or(raw);
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|code| u32::from_str_radix(code, 8).ok());
        match (code.and_then(char::from_u32), after.get(3..)) {
            (Some(c), Some(left)) => {
                out.push(c);
                rest = left;
            }
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Text::from(out.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    #[test]
    fn names_are_written_as_people_write_them() {
        assert_eq!(plain("\\052.Cores.Example.com."), "*.cores.example.com");
        assert_eq!(plain("a\\9.b"), "a\\9.b");
        assert_eq!(plain("\\"), "\\");
        assert!(holds("example.com", "A.Example.Com") && holds("example.com", "example.com"));
        assert!(!holds("example.com", "badexample.com") && !holds("example.com", "com"));
    }

    #[test]
    fn what_is_the_same_everywhere_is_asked_for_at_its_partitions_home() {
        for (region, at) in
            [("eu-west-1", "us-east-1"), ("cn-north-1", "cn-northwest-1"), ("us-gov-east-1", "us-gov-west-1")]
        {
            assert_eq!(home(&Region::new(region)).as_str(), at);
        }
    }

    fn region(name: &str) -> Scope {
        Scope { account: "a".into(), region: name.into() }
    }

    fn xml(body: String) -> Say {
        Say::Whole(200, "text/xml", body)
    }

    fn set(name: &str, kind: &str, more: &str) -> String {
        format!("<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>{more}</ResourceRecordSet>")
    }

    #[tokio::test]
    async fn only_zones_that_may_hold_a_name_are_read_and_each_page_of_them() {
        let fake = Fake::new(|request, _| {
            let line = request.lines().next().unwrap_or_default().to_owned();
            if line.contains("/hostedzone?") {
                let zone = |id: &str, name: &str| {
                    format!("<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}.</Name><CallerReference>x</CallerReference></HostedZone>")
                };
                return xml(format!(
                    "<ListHostedZonesResponse><HostedZones>{}{}</HostedZones><Marker></Marker><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>",
                    zone("Z1", "example.com"),
                    zone("Z2", "elsewhere.org")
                ));
            }
            assert!(line.contains("/hostedzone/Z1/rrset"), "{line}");
            let weighted = |id: &str, weight: u32| {
                let more = format!("<SetIdentifier>{id}</SetIdentifier><Weight>{weight}</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>10.0.0.1</Value></ResourceRecord></ResourceRecords>");
                set("w.example.com.", "A", &more)
            };
            let (sets, next) = if line.contains("identifier=two") {
                assert!(line.contains("name=w.example.com.") && line.contains("type=A"), "{line}");
                (weighted("two", 20), String::new())
            } else {
                let mail = set("example.com.", "MX", "<TTL>300</TTL><ResourceRecords><ResourceRecord><Value>1 mx</Value></ResourceRecord></ResourceRecords>");
                (
                    mail + &weighted("one", 10),
                    "<NextRecordName>w.example.com.</NextRecordName><NextRecordType>A</NextRecordType><NextRecordIdentifier>two</NextRecordIdentifier>".to_owned(),
                )
            };
            xml(format!(
                "<ListResourceRecordSetsResponse><ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>{}</IsTruncated>{next}<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>",
                !next.is_empty()
            ))
        })
        .await;
        let (line, desk) = (Line::default(), fake.desk().await);
        let names = ["c1.example.com".into()];
        let read = line.zones(&desk, &region("r1"), &names, &Pages::default()).await.unwrap();
        assert_eq!(read.len(), 1);
        let told: Vec<_> =
            read[0].records.iter().map(|one| (one.set.as_deref(), one.weight, one.ttl)).collect();
        assert_eq!(told, [(Some("one"), Some(10), Some(60)), (Some("two"), Some(20), Some(60))]);
        assert_eq!((read[0].id.as_str(), read[0].name.as_str()), ("Z1", "example.com"));
        // Another region of the account is answered from that; the same one asks again.
        let asked = fake.heard.lock().unwrap().len();
        assert_eq!(asked, 3);
        assert_eq!(line.zones(&desk, &region("r2"), &names, &Pages::default()).await.unwrap(), read);
        assert_eq!(fake.heard.lock().unwrap().len(), asked);
        assert_eq!(line.zones(&desk, &region("r1"), &names, &Pages::default()).await.unwrap(), read);
        assert_eq!(fake.heard.lock().unwrap().len(), 2 * asked);
    }

    #[tokio::test]
    async fn a_denial_is_one_call_and_told_to_each_region() {
        let fake = Fake::new(|_, _| {
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
            Say::Whole(403, "text/xml", body.to_owned())
        })
        .await;
        let (line, desk) = (Line::default(), fake.desk().await);
        let names = ["c1.example.com".into()];
        let error = line.zones(&desk, &region("r1"), &names, &Pages::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Denied);
        assert_eq!(error.trouble.call, "route53:ListHostedZones");

        // Nobody is told that there are no names where nobody may look.
        assert_eq!(line.zones(&desk, &region("r2"), &names, &Pages::default()).await, Err(error));
        assert_eq!(fake.heard.lock().unwrap().len(), 1);
        assert!(line.zones(&desk, &region("r1"), &names, &Pages::default()).await.is_err());
        assert_eq!(fake.heard.lock().unwrap().len(), 2);
    }
}
