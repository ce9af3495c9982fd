//! The figures of a fleet that are worth a course over time, each with the moment at which it was read.
//!
//! A figure that rests on a list that was not read whole is left out: its course then has a gap, not a dip.

use super::{Fleet, TierRow, counted};
use crate::gateway::Source;
use crate::model::admin::DomainWord;
use crate::model::{AlarmState, Gauge, Known, Point, SpotPrice, Usd};
use crate::snapshot::{Measure, Part, Sample, Snapshot, Subject};
use jiff::Timestamp;

/// What a tier's counts of instances rest on.
const MACHINES: [Source; 2] = [Source::Instances, Source::Groups];
/// What the health of instances rests on besides.
const HEALTH: [Source; 3] = [Source::Instances, Source::Groups, Source::Statuses];
/// What cores and tenants rest on besides what the rows themselves say is known.
const PEOPLE: [Source; 2] = [Source::Registry, Source::Instances];

/// What their own words rest on.
const TOLD: [Source; 3] = [Source::Registry, Source::Instances, Source::Admin];

/// A sum over the databases of a tier's cores; none unless each core told: a core that is silent is no dip.
fn sum(fleet: &Fleet, tier: &TierRow, of: impl Fn(&DomainWord) -> Option<u64>) -> Option<u64> {
    let mine = fleet.cores.iter().filter(|core| core.tier == tier.name);
    counted(mine, of).yes().map(|counted| counted.sum)
}

/// Every count that is known now. Each bears the age of the oldest list behind it.
pub fn samples(snapshot: &Snapshot, fleet: &Fleet) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut put = |subject: Subject, measure: Measure, at: Option<Timestamp>, value: f64| {
        if let Some(at) = at {
            samples.push(Sample { subject, measure, at, value });
        }
    };
    let (machines, health) = (read(snapshot, &MACHINES), read(snapshot, &HEALTH));
    let (people, alarms) = (read(snapshot, &PEOPLE), read(snapshot, &[Source::Alarms]));
    let told = read(snapshot, &TOLD);
    let (mut instances, mut spot, mut unwell) = (0, 0, 0);
    for tier in &fleet.tiers {
        let of = || Subject::Tier(tier.name.clone());
        let bad = tier.by_health.iter().skip(3).sum::<u32>();
        instances += tier.instances;
        spot += tier.spot;
        unwell += bad;
        put(of(), Measure::Instances, machines, tier.instances.into());
        put(of(), Measure::Spot, machines, tier.spot.into());
        put(of(), Measure::Unwell, health, bad.into());
        if let Known::Yes(cores) = tier.cores {
            put(of(), Measure::Cores, people, cores.into());
        }
        if let Known::Yes(tenants) = tier.tenants {
            put(of(), Measure::Tenants, people, tenants.into());
        }
        if let Known::Yes(_) = tier.cores {
            for (measure, sum) in [
                (Measure::Users, sum(fleet, tier, |domain| domain.users)),
                (Measure::MonthlyUsers, sum(fleet, tier, |domain| domain.monthly)),
            ] {
                if let Some(sum) = sum {
                    put(of(), measure, told, sum as f64);
                }
            }
        }
    }
    put(Subject::Fleet, Measure::Instances, machines, instances.into());
    put(Subject::Fleet, Measure::Spot, machines, spot.into());
    put(Subject::Fleet, Measure::Unwell, health, unwell.into());
    let ringing = fleet.alarms.iter().filter(|row| row.it.state == AlarmState::Alarm).count();
    put(Subject::Fleet, Measure::Alarms, alarms, count(ringing));
    for part in &snapshot.parts {
        let scope = || part.scope.as_ref().clone();
        let groups = since(part, Source::Groups);
        for group in part.groups.value.iter().flat_map(|list| list.iter()) {
            let of = || Subject::Group(scope(), group.name.clone());
            let in_service = group.members.iter().filter(|member| member.state == "InService").count();
            put(of(), Measure::Desired, groups, group.desired.into());
            put(of(), Measure::Running, groups, count(in_service));
        }
        let services = since(part, Source::Services);
        for service in part.services.value.iter().flat_map(|list| list.iter()) {
            let of = || Subject::Service(scope(), service.arn.clone());
            put(of(), Measure::Desired, services, service.desired.into());
            put(of(), Measure::Running, services, service.running.into());
        }
    }
    for part in &snapshot.parts {
        let prices = since(part, Source::Prices);
        for SpotPrice { market, price, .. } in latest(part) {
            let of = Subject::Market(part.scope.as_ref().clone(), market.clone());
            put(of, Measure::SpotPrice, prices, dollars(*price));
        }
    }
    samples
}

/// What each market of a part costs now.
fn latest(part: &Part) -> impl Iterator<Item = &SpotPrice> {
    let prices = part.prices.value.as_deref().map_or(&[][..], Vec::as_slice);
    // The oldest of each market comes first.
    let next = prices.iter().skip(1).map(Some).chain([None]);
    let pairs = prices.iter().zip(next);
    pairs.filter(|(one, next)| next.is_none_or(|next| next.market != one.market)).map(|(one, _)| one)
}

/// Every point of the metrics of a part.
pub fn metric_samples(part: &Part) -> Vec<Sample> {
    let mut samples = Vec::new();
    for metrics in part.metrics.value.iter().flat_map(|list| list.iter()) {
        let subject = Subject::Instance(part.scope.as_ref().clone(), metrics.id.clone());
        for (measure, gauge) in METERED {
            let series = metrics.series(gauge);
            let sample = |point: &Point| Sample {
                subject: subject.clone(),
                measure,
                at: point.at,
                value: point.value,
            };
            samples.extend(series.iter().map(sample));
        }
    }
    samples
}

/// What is measured of an instance.
const METERED: [(Measure, Gauge); 4] = [
    (Measure::Cpu, Gauge::Cpu),
    (Measure::NetworkIn, Gauge::NetworkIn),
    (Measure::NetworkOut, Gauge::NetworkOut),
    (Measure::Credits, Gauge::Credits),
];

/// When a list of a part was read; none where it is not whole or the last read of it failed.
fn since(part: &Part, source: Source) -> Option<Timestamp> {
    let standing = part.standing(source);
    standing.as_of.filter(|_| standing.is_whole && standing.trouble.is_none())
}

/// When the oldest of some lists was read in any part; none where one is not whole.
fn read(snapshot: &Snapshot, sources: &[Source]) -> Option<Timestamp> {
    let all = snapshot.parts.iter().flat_map(|part| sources.iter().map(|source| since(part, *source)));
    if snapshot.troubles.is_empty() { all.collect::<Option<Vec<_>>>()?.into_iter().min() } else { None }
}

#[allow(clippy::cast_precision_loss)] // so do prices
fn dollars(amount: Usd) -> f64 {
    amount.micros() as f64 / 1e6
}

#[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Reading;
    use crate::model::{Alarm, Scope, Tier};
    use std::sync::Arc;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn part(region: &str) -> Part {
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: region.into() }));
        part.settle(Reading::Instances(vec![]), at(0), true);
        part.settle(Reading::Groups(vec![]), at(1), true);
        let alarm = |state| Alarm {
            name: "cpu".into(),
            arn: "arn".into(),
            state,
            reason: None,
            changed_at: None,
            namespace: None,
            metric: None,
            dimensions: vec![],
            description: None,
            actions_enabled: true,
        };
        part.settle(Reading::Alarms(vec![alarm(AlarmState::Alarm), alarm(AlarmState::Ok)]), at(2), true);
        part
    }

    fn found(parts: Vec<Part>) -> Vec<(Measure, Timestamp, f64)> {
        let mut snapshot = Snapshot::empty(at(9));
        snapshot.parts = parts.into_iter().map(Arc::new).collect();
        let tiers: Vec<Tier> = Vec::new();
        let fleet = crate::fleet::join(&snapshot, &tiers);
        let of_all = samples(&snapshot, &fleet).into_iter().filter(|it| it.subject == Subject::Fleet);
        of_all.map(|it| (it.measure, it.at, it.value)).collect()
    }

    #[test]
    fn a_figure_bears_the_age_of_the_oldest_list_behind_it() {
        assert_eq!(
            found(vec![part("r"), part("s")]),
            [(Measure::Instances, at(0), 0.0), (Measure::Spot, at(0), 0.0), (Measure::Alarms, at(2), 2.0)],
            "how well they are is not known without their status checks"
        );
    }

    #[test]
    fn a_figure_that_rests_on_a_part_of_a_list_is_none() {
        let mut broken = part("s");
        let trouble = crate::model::Trouble {
            kind: crate::model::TroubleKind::Denied,
            call: "c".into(),
            code: None,
            message: "no".into(),
            hint: None,
            request_id: None,
            at: at(3),
        };
        broken.failed(Source::Groups, trouble);
        assert_eq!(found(vec![part("r"), broken]), [(Measure::Alarms, at(2), 2.0)]);
    }

    #[test]
    fn users_have_a_course_where_every_core_told_and_none_where_one_is_silent() {
        use crate::fleet::Rows;
        use crate::model::admin::CoreWord;
        use crate::model::{Core, Health, Home, Text};
        let word = |users, database: &str| {
            let domain = DomainWord {
                users: Some(users),
                monthly: Some(users / 10),
                database: Some(database.into()),
                ..DomainWord::default()
            };
            Known::Yes(Some(Arc::new(CoreWord { domains: vec![Arc::new(domain)], ..CoreWord::default() })))
        };
        let core = |id: &str, word| Core {
            id: id.into(),
            scope: Arc::new(Scope { account: "a".into(), region: "r".into() }),
            tier: Some("t".into()),
            home: Home::Container { instance_id: None, container: None::<Text> },
            port: None,
            version: None,
            tenants: Known::Yes(0),
            room: Known::Yes(None),
            left: Known::Yes(None),
            cpu: Known::Yes(None),
            credits: Known::Yes(None),
            names: Known::Yes(Vec::new()),
            drift: None,
            word,
            health: Health::Ok,
            troubles: Vec::new(),
        };
        let mut part = part("r");
        let registry = Reading::Registry { cores: Vec::new(), tenants: Vec::new(), faults: Vec::new() };
        part.settle(registry, at(3), true);
        part.settle(Reading::Admin(vec![]), at(4), true);
        let mut snapshot = Snapshot::empty(at(9));
        snapshot.parts = vec![Arc::new(part)];
        let mut fleet = Fleet::empty(at(9));
        fleet.tiers = Rows::from(vec![TierRow {
            name: Some("t".into()),
            instances: 2,
            by_health: [2, 0, 0, 0, 0],
            spot: 0,
            groups: 0,
            services: 0,
            cores: Known::Yes(2),
            adrift: 0,
            core_room: Known::Yes(None),
            tenants: Known::Yes(0),
            zones: Vec::new(),
            types: Vec::new(),
            health: Health::Ok,
            troubles: Vec::new(),
        }]);
        let of = |fleet: &Fleet| {
            let all = samples(&snapshot, fleet).into_iter();
            let mine = all.filter(|one| matches!(one.measure, Measure::Users | Measure::MonthlyUsers));
            mine.filter(|one| one.subject == Subject::Tier(Some("t".into())))
                .map(|one| (one.measure, one.at, one.value))
                .collect::<Vec<_>>()
        };
        fleet.cores = Rows::from(vec![
            core("one", word(70, "d1")),
            core("two", word(30, "d2")),
            core("its replica", word(30, "d2")),
        ]);
        assert_eq!(of(&fleet), [(Measure::Users, at(0), 100.0), (Measure::MonthlyUsers, at(0), 10.0)]);
        fleet.cores = Rows::from(vec![core("one", word(70, "d1")), core("two", Known::Yes(None))]);
        assert_eq!(of(&fleet), []);
    }
}
