//! The founding figures, counted out.

use super::*;
use crate::fleet::Rows;
use crate::model::admin::{CoreWord, DomainWord};
use crate::model::{Health, Home, Scarce, Scope};
use crate::snapshot::{Held, Trend};
use jiff::SignedDuration;
use std::sync::Arc;

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn tier(name: &str) -> Tier {
    Tier { name: name.into(), ..Tier::default() }
}

fn core(tier: &str, tenants: u32, room: Option<i64>) -> Core {
    Core {
        id: "c".into(),
        scope: Arc::new(Scope { account: "a".into(), region: "r".into() }),
        tier: Some(tier.into()),
        home: Home::Container { instance_id: None, container: None },
        port: None,
        version: None,
        tenants: Known::Yes(tenants),
        room: Known::Yes(room),
        left: Known::Yes(None),
        cpu: Known::Yes(None),
        credits: Known::Yes(None),
        names: Known::Yes(Vec::new()),
        drift: None,
        word: Known::Yes(None),
        health: Health::Ok,
        troubles: Vec::new(),
    }
}

fn row(name: &str, instances: u32, cores: u32, each: Option<u32>, tenants: u32) -> TierRow {
    TierRow {
        name: Some(name.into()),
        instances,
        by_health: [instances, 0, 0, 0, 0],
        spot: 0,
        groups: 0,
        services: 0,
        cores: Known::Yes(cores),
        adrift: 0,
        core_room: Known::Yes(each.map(|each| each * instances)),
        tenants: Known::Yes(tenants),
        zones: Vec::new(),
        types: Vec::new(),
        health: Health::Ok,
        troubles: Vec::new(),
    }
}

fn one(row: TierRow, tier: Tier, cores: Vec<Core>, figures: &Figures, trends: &Trends) -> Capacity {
    let mut fleet = Fleet::empty(at(0));
    fleet.tiers = Rows::from(vec![row]);
    fleet.cores = Rows::from(cores);
    capacity(&fleet, &[tier], figures, trends, at(48)).remove(0)
}

#[test]
fn where_nobody_told_of_cores_nothing_is_counted_and_the_next_command_is_named() {
    let mut row = row("development", 12, 0, Some(7), 0);
    row.cores = Known::No(WhyUnknown::NotAsked);
    row.tenants = Known::No(WhyUnknown::NotAsked);
    let tier = Tier { name: "development".into(), cores_per_host: Some(7), ..Tier::default() };
    let it = one(row, tier, Vec::new(), &Figures::default(), &Trends::default());
    assert_eq!(
        (it.cores.said(), it.tenants.said(), it.monthly.said()),
        ("? of 84".into(), "?".into(), "? of 1.2M".into())
    );
    assert!(it.densities.is_empty() && it.tenants.most == Known::No(WhyUnknown::NotAsked));
    assert!(it.lacks()[0].contains("coredeck inventory diff"), "{:?}", it.lacks());
    assert!(!it.lacks().iter().any(|lack| lack.contains("reach")), "{:?}", it.lacks());
}

fn course(points: &[(i64, i64, f64)]) -> Trends {
    course_of(Measure::Tenants, points)
}

fn course_of(measure: Measure, points: &[(i64, i64, f64)]) -> Trends {
    let spans =
        points.iter().map(|(from, until, value)| Held { from: at(*from), until: at(*until), value: *value });
    let mut trends = Trends::default();
    trends.put(Subject::Tier(Some("t".into())), measure, Trend::of(spans.collect()));
    trends
}

#[test]
fn seven_development_cores_fit_on_a_t3_small() {
    let tier = Tier { cores_per_host: Some(7), ..tier("t") };
    let found = one(row("t", 12, 80, Some(7), 80), tier, Vec::new(), &Figures::default(), &Trends::default());
    assert_eq!((found.cores.left(), found.tenants.left()), (Some(4), Some(4)), "12 × 7 − 80");
    assert_eq!(found.development, None);
}

#[test]
fn fifty_production_or_a_hundred_development_tenants_fit_on_a_shared_core() {
    let tier = Tier { tenants_per_core: Some(50), development_tenants_per_core: Some(100), ..tier("t") };
    let cores = vec![core("t", 20, Some(30)), core("t", 55, Some(-5)), core("other", 0, Some(50))];
    let found = one(row("t", 2, 2, None, 75), tier, cores, &Figures::default(), &Trends::default());
    assert_eq!(found.tenants.left(), Some(30), "a core with too many makes no room elsewhere");
    assert_eq!(found.development, Some(60));
    // Pools of 20 and 55 tenants and of each core's own domain, ten connections each.
    assert_eq!(found.connections.used, Known::Yes(770));
    assert_eq!(found.connections.left(), None, "what the database takes is not known");
    let figures = Figures { max_connections: Some(1000), ..Figures::default() };
    let tier = Tier { tenants_per_core: Some(50), ..self::tier("t") };
    let found =
        one(row("t", 2, 2, None, 75), tier, vec![core("t", 20, Some(30))], &figures, &Trends::default());
    assert_eq!(found.connections.left(), Some(790));
}

#[test]
fn hosts_bear_users_and_requests_as_was_published() {
    let word = |users, monthly, rate| {
        let domain = DomainWord { apps: 1, users, monthly, rate, ..DomainWord::default() };
        Known::Yes(Some(Arc::new(CoreWord { domains: vec![Arc::new(domain)], ..CoreWord::default() })))
    };
    let telling = Core { word: word(Some(2_000_000), Some(250_000), Some(30.0)), ..core("t", 1, None) };
    let figures = Figures::default();
    let found = one(row("t", 6, 1, None, 1), tier("t"), vec![telling.clone()], &figures, &Trends::default());
    assert_eq!(found.rate_most, 150.0, "on six t3.micro");
    assert_eq!((found.rate, found.monthly.left()), (Some(30.0), Some(350_000)));
    assert_eq!(found.database_mib(&figures), Some(3_072), "1.5 GB for a million users");
    assert_eq!(found.connections.used, Known::Yes(10));
    // One core that does not tell leaves the sums unknown.
    let silent = Core { word: Known::Yes(None), ..core("t", 0, None) };
    let found = one(row("t", 6, 2, None, 1), tier("t"), vec![telling, silent], &figures, &Trends::default());
    assert_eq!((found.monthly.left(), found.database_mib(&figures)), (None, None));
}

#[test]
fn what_was_not_counted_is_not_known() {
    let unknown = TierRow { cores: Known::No(WhyUnknown::Trouble), ..row("t", 3, 0, Some(7), 0) };
    let tier = Tier { cores_per_host: Some(7), ..tier("t") };
    let found = one(unknown, tier, Vec::new(), &Figures::default(), &Trends::default());
    assert_eq!((found.cores.left(), found.tenants.left()), (None, None));
    assert_eq!(
        (found.monthly.left(), found.users.yes()),
        (None, None),
        "no cores were found, and some may be"
    );
}

#[test]
fn growth_leads_to_a_day_and_too_little_history_to_none() {
    let tier = || Tier { cores_per_host: Some(7), ..tier("t") };
    let of = |trends: &Trends| {
        one(row("t", 12, 80, Some(7), 80), tier(), Vec::new(), &Figures::default(), trends).growth
    };
    let day = SignedDuration::from_hours(24);
    // Two more in a day, and room for four: two days.
    let grows = of(&course(&[(24, 36, 78.0), (36, 48, 80.0)]));
    let Growth::Moves { per_day, over, full_at, range } = grows else { panic!("{grows:?}") };
    assert_eq!((per_day, over, full_at), (2.0, day, Some(at(96))));
    // All of it came at once: nobody knows whether it goes on.
    let (early, late) = range.unwrap();
    assert!(early > at(48) && early < at(96) && late.is_none(), "{early} {late:?}");
    // A steady pace says when.
    let steady: Vec<(i64, i64, f64)> =
        (0..24_i32).map(|n| (24 + i64::from(n), 25 + i64::from(n), 56.0 + f64::from(n))).collect();
    let Growth::Moves { full_at: Some(full), range: Some((early, Some(late))), .. } = of(&course(&steady))
    else {
        panic!()
    };
    assert!(early <= full && full <= late && late.duration_since(early) < day, "{early} {full} {late}");
    assert_eq!(of(&course(&[(24, 48, 80.0)])), Growth::Steady { over: day });
    let shrinks = of(&course(&[(24, 36, 82.0), (36, 48, 80.0)]));
    assert_eq!(shrinks, Growth::Moves { per_day: -2.0, over: day, full_at: None, range: None });
    for (trends, why) in [
        (Trends::default(), "no history"),
        (course(&[(40, 48, 80.0)]), "only 8 h"),
        (course(&[(0, 30, 80.0)]), "ends 18 h ago"),
    ] {
        let Growth::Unknown(told) = of(&trends) else { panic!("{why}") };
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn the_tier_that_runs_out_first_is_named_with_what_makes_room() {
    let figures = Figures::default();
    let small = Tier { cores_per_host: Some(7), instance_types: vec!["t3.small".into()], ..tier("t") };
    let of = |used: u32| {
        one(row("t", 2, used, Some(7), used), small.clone(), Vec::new(), &figures, &Trends::default())
    };
    let tiers = [small.clone()];
    assert_eq!(next_step(&[of(5)], &tiers), None, "half of it is free");
    assert_eq!(
        next_step(&[of(14)], &tiers).unwrap(),
        "t runs out first: it has no room for another tenant; one t3.small more holds 7 cores"
    );
    assert!(next_step(&[of(16)], &tiers).unwrap().contains("it has 2 too many"));
    let large = Tier { tenants_per_core: Some(50), development_tenants_per_core: Some(100), ..tier("u") };
    let cores = vec![core("u", 48, Some(2))];
    let near = one(row("u", 1, 1, None, 48), large.clone(), cores, &figures, &Trends::default());
    let said = next_step(&[of(5), near.clone()], &[small.clone(), large.clone()]).unwrap();
    assert!(said.starts_with("u runs out first: room for 2 more tenants is left; one host more"), "{said}");
    assert!(
        next_step(&[near, of(14)], &[small, large]).unwrap().starts_with("t runs"),
        "full comes before near"
    );
}

#[test]
fn replicas_add_to_a_database_and_what_nobody_told_is_said() {
    let domain = |name: &str, database: Option<&str>, pool| {
        let database = database.map(crate::model::Text::new);
        Arc::new(DomainWord { domain: name.into(), database, pool, ..DomainWord::default() })
    };
    let mine = domain("c1", Some("d1"), Some(3));
    let of = |id: &str, domains: Option<Vec<Arc<DomainWord>>>| {
        let word = domains.map(|domains| Arc::new(CoreWord { domains, ..CoreWord::default() }));
        Core { id: id.into(), word: Known::Yes(word), ..core("t", 0, None) }
    };
    let mut fleet = Fleet::empty(at(0));
    fleet.cores = Rows::from(vec![
        of("one", Some(vec![Arc::clone(&mine), domain("c2", Some("d2"), None)])),
        of("two", Some(vec![Arc::clone(&mine), domain("c3", Some("d1"), None)])),
        of("three", Some(vec![domain("", None, None)])),
        of("four", None),
    ]);
    let figures = Figures { max_connections: Some(15), ..Figures::default() };
    let all = pools(&fleet, std::slice::from_ref(&mine), &figures);
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((one.used(), one.untold, one.is_too_many()), (16, 2, true), "3, and 3 with the usual 10");
    assert_eq!(one.said(), "16 of 15: two 13, one 3; of 2 domains nobody knows whether they add to it");
    assert!(pools(&fleet, &[domain("x", None, None)], &figures).is_empty());
}

#[test]
fn users_of_a_month_fill_hosts_too_and_say_when() {
    let domain = DomainWord { users: Some(500_000), monthly: Some(50_000), ..DomainWord::default() };
    let word = CoreWord { domains: vec![Arc::new(domain)], ..CoreWord::default() };
    let telling = Core { word: Known::Yes(Some(Arc::new(word))), ..core("t", 1, None) };
    let of = |trends: &Trends| {
        one(row("t", 1, 1, None, 1), tier("t"), vec![telling.clone()], &Figures::default(), trends)
    };
    // From 40,000 to 50,000 in two days, and the host bears 100,000.
    let grown = of(&course_of(Measure::MonthlyUsers, &[(0, 24, 40_000.0), (24, 48, 50_000.0)]));
    let Growth::Moves { per_day, full_at, .. } = &grown.monthly_growth else { panic!("{grown:?}") };
    assert_eq!((*per_day, *full_at), (5_000.0, Some(at(48 + 10 * 24))));
    assert_eq!(
        grown.growth,
        Growth::Unknown("no history of it is kept".to_owned()),
        "tenants are another figure"
    );
    assert_eq!(grown.monthly_growth.json("monthly_users")["monthly_users_per_day"], 5_000.0);
    // A few hours say nothing.
    let short = of(&course_of(Measure::MonthlyUsers, &[(40, 44, 40_000.0), (44, 48, 50_000.0)]));
    assert_eq!(short.monthly_growth.to_string(), "not known: only 8 h of history, 20 are needed");
    assert!(
        short.lacks().contains(&"growth of monthly users: only 8 h of history, 20 are needed".to_owned())
    );
    // Nothing but their database holds users.
    let users = of(&course_of(Measure::Users, &[(0, 24, 400_000.0), (24, 48, 500_000.0)]));
    assert_eq!(users.users_growth.to_string(), "+50000.0 a day");
}

#[test]
fn a_core_has_as_much_left_as_the_tightest_of_density_connections_and_users_allows() {
    let word = |monthly, database: &str| {
        let base = DomainWord {
            apps: 1,
            monthly: Some(monthly),
            database: Some(database.into()),
            ..DomainWord::default()
        };
        Known::Yes(Some(Arc::new(CoreWord { domains: vec![Arc::new(base)], ..CoreWord::default() })))
    };
    let on = |id: &str, host: &str, word| Core {
        id: id.into(),
        home: Home::Container { instance_id: Some(host.into()), container: None },
        word,
        ..core("t", 20, Some(30))
    };
    let of = |cores: Vec<Core>, figures: &Figures| {
        let mut fleet = Fleet::empty(at(0));
        fleet.cores = Rows::from(cores);
        let left = left(&fleet, &fleet.cores[0], figures);
        // The row says the tightest of what the description says.
        reckon(&mut fleet, figures);
        let row = fleet.cores[0].left;
        assert_eq!(row, Known::Yes(left.tightest().map(|(limit, room)| (room, limit))));
        left
    };
    let two = || vec![on("a", "i-1", word(40_000, "d")), on("b", "i-2", word(40_000, "d"))];
    // Its own pools and those of its replica: 10 each; a tenant more opens 10 in both.
    let figures = Figures { max_connections: Some(100), ..Figures::default() };
    let found = of(two(), &figures);
    assert_eq!((found.density, found.connections), (Known::Yes(Some(30)), Known::Yes(Some(4))));
    assert_eq!((found.monthly, found.monthly_tenants), (Known::Yes(60_000), Some(30)), "2,000 users each");
    assert_eq!(found.tightest(), Some((Scarce::Connections, 4)));
    let said: Vec<String> = found.said().into_iter().map(|(what, said)| format!("{what} {said}")).collect();
    assert_eq!(
        said,
        [
            "by density 30 tenants more",
            "by connections 4 tenants more: 20 of 100 may be open",
            "by monthly users 60000 users more, 30 tenants more like those it has",
            "the tightest connections, 4 tenants more",
        ]
    );
    // Whoever shares its host takes of its users; what nobody said is not known, and no figure stands in for it.
    let crowded = vec![on("a", "i-1", word(40_000, "d")), on("b", "i-1", word(50_000, "e"))];
    let found = of(crowded, &Figures::default());
    assert_eq!((found.connections, found.monthly_tenants), (Known::Yes(None), Some(5)));
    assert_eq!(found.tightest(), Some((Scarce::MonthlyUsers, 5)));
    assert!(found.said()[1].1.starts_with("? how many its database takes nobody said"));
    let silent = vec![on("a", "i-1", Known::Yes(None))];
    let found = of(silent, &Figures::default());
    assert_eq!(
        (found.monthly, found.tightest()),
        (Known::No(WhyUnknown::NotAsked), Some((Scarce::Density, 30)))
    );
}
