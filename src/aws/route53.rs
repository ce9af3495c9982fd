//! Route 53: the zones that may hold the fleet's host names, and their records that lead somewhere.

use super::api::Api;
use super::call::{Broken, Desk, Pages};
use super::fan::{self, Piece};
use crate::clock::monotonic;
use crate::gateway::{GatewayError, Reading};
use crate::model::{DnsRecord, HostedZone, Region, Scope, Text, TroubleKind};
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

/// How long one denial speaks for all regions of its account.
const DENIED_FOR: Duration = Duration::from_secs(600);

/// Those who read the host names of one account. What one of its regions is denied, the others are too: that is said
/// once, where it was asked first.
#[derive(Debug, Default)]
pub(super) struct Line(tokio::sync::Mutex<Option<(Scope, Instant)>>);

impl Line {
    /// The zones that these host names may stand in; none, and no trouble, where another region was just denied them.
    pub(super) async fn zones(
        &self,
        desk: &Desk,
        scope: &Scope,
        domains: &[Text],
        pages: &Pages,
    ) -> Result<Vec<HostedZone>, GatewayError> {
        let mut denied = self.0.lock().await;
        let now = monotonic();
        let is_told = |(who, at): &(Scope, Instant)| who != scope && now.duration_since(*at) < DENIED_FOR;
        if denied.as_ref().is_some_and(is_told) {
            return Ok(Vec::new());
        }
        let read = zones(desk, domains, pages).await;
        *denied = match &read {
            Err(error) if error.trouble.kind == TroubleKind::Denied => Some((scope.clone(), now)),
            _ => None,
        };
        read
    }
}

/// The zones that these host names may stand in, each with its records. Other zones are listed and passed over.
async fn zones(desk: &Desk, domains: &[Text], pages: &Pages) -> Result<Vec<HostedZone>, GatewayError> {
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
    let (all, unlisted) = fan::apart(listed.await);
    let wanted: Vec<HostedZone> =
        all.into_iter().filter(|zone| domains.iter().any(|domain| holds(&zone.name, domain))).collect();
    let ask = |zone| records_of(desk, zone).boxed();
    let read = fan::each(wanted, ask, fan::shown(pages, Reading::Records)).await;
    fan::after(unlisted, read).map_err(|broken| broken.partial(Reading::Records))
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
        let read = zones(&fake.desk().await, &["c1.example.com".into()], &Pages::default()).await.unwrap();
        assert_eq!(read.len(), 1);
        let told: Vec<_> =
            read[0].records.iter().map(|one| (one.set.as_deref(), one.weight, one.ttl)).collect();
        assert_eq!(told, [(Some("one"), Some(10), Some(60)), (Some("two"), Some(20), Some(60))]);
        assert_eq!((read[0].id.as_str(), read[0].name.as_str()), ("Z1", "example.com"));
    }

    #[tokio::test]
    async fn a_denial_is_one_trouble() {
        let fake = Fake::new(|_, _| {
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
            Say::Whole(403, "text/xml", body.to_owned())
        })
        .await;
        let error =
            zones(&fake.desk().await, &["c1.example.com".into()], &Pages::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Denied);
        assert_eq!(error.trouble.call, "route53:ListHostedZones");

        // Other regions of the account are not told the same again.
        let (line, desk) = (Line::default(), fake.desk().await);
        let (one, other) =
            ["r1", "r2"].map(|region| Scope { account: "a".into(), region: region.into() }).into();
        let names = ["c1.example.com".into()];
        assert!(line.zones(&desk, &one, &names, &Pages::default()).await.is_err());
        assert_eq!(line.zones(&desk, &other, &names, &Pages::default()).await, Ok(Vec::new()));
        assert!(line.zones(&desk, &one, &names, &Pages::default()).await.is_err());
    }
}
