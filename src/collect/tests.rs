//! A collection against a reader that answers when the test lets it; no test waits for a clock.

use super::board::Board;
use super::fake::{Fake, trouble};
use super::{Chronicle, Keeping, Patience, once, start};
use crate::clock::Clock;
use crate::config::{Account, Config, CoreReach, Login, Regions};
use crate::fleet::Deed;
use crate::fleet::made::instance;
use crate::gateway::{GatewayError, Reading, Source, Urgency};
use crate::model::admin::Sign;
use crate::model::{Cluster, CoreRecord, Health, Known, Scope, Trouble, TroubleKind, WhyUnknown};
use crate::snapshot::{Measure, Subject};
use crate::store::{Cache, History, Limits};
use crate::world::{Interest, Wish, World};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

fn config(regions: Regions) -> Arc<Config> {
    Arc::new(Config { regions, ..Config::default() })
}

fn named() -> Regions {
    Regions::Named(vec!["r1".into(), "r2".into()])
}

fn cluster() -> Reading {
    Reading::Clusters(vec![Cluster {
        arn: "arn:aws:ecs:r1:1:cluster/api".into(),
        name: "api".into(),
        status: "ACTIVE".into(),
        host_count: 0,
        running_tasks: 0,
        pending_tasks: 0,
        service_count: 0,
        providers: vec![],
        managed_draining: false,
        tags: Default::default(),
    }])
}

fn kind(world: &World, part: usize, source: Source) -> Option<TroubleKind> {
    world.snapshot.parts[part].standing(source).trouble.map(|trouble| trouble.kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn once_reads_what_is_asked_for_and_what_that_needs_and_nothing_else() {
    let fake = Arc::new(Fake { readings: [(("r1", Source::Clusters), cluster())].into(), ..Fake::default() });
    let world = once(
        fake.clone(),
        config(named()),
        &[Source::Services],
        Interest::default(),
        Clock::Real,
        Patience::default(),
    )
    .await;
    let asked = fake.asked.lock().unwrap().clone();
    let mut names: Vec<_> = asked.iter().map(|(region, source, _)| (region.as_str(), *source)).collect();
    names.sort();
    // In r2 there is no cluster, so there is nothing to ask about services: known to be empty.
    assert_eq!(names, [("r1", Source::Clusters), ("r1", Source::Services), ("r2", Source::Clusters)]);
    assert!(asked.iter().all(|(_, _, urgency)| *urgency == Urgency::User));
    for part in &world.snapshot.parts {
        assert_eq!(part.services.known(), Known::Yes(&vec![]));
        assert_eq!(part.instances.known(), Known::No(WhyUnknown::NotAsked));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_source_blocks_what_needs_it_and_nothing_else() {
    let fake = Arc::new(Fake { denied: vec![("r1", Source::Clusters)], ..Fake::default() });
    let sources = [Source::Services, Source::Instances];
    let world =
        once(fake, config(named()), &sources, Interest::default(), Clock::Real, Patience::default()).await;
    assert_eq!(kind(&world, 0, Source::Clusters), Some(TroubleKind::Denied));
    assert_eq!(kind(&world, 0, Source::Services), Some(TroubleKind::Denied));
    assert_eq!(kind(&world, 0, Source::Instances), None);
    assert_eq!(kind(&world, 1, Source::Services), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_says_when_what_failed_is_tried_again() {
    let fake = Arc::new(Fake { denied: vec![("r1", Source::Instances)], ..Fake::default() });
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    let cancel = CancellationToken::new();
    let mut collector = start(
        fake,
        config(named()),
        &[Source::Instances],
        Clock::Fixed(now),
        Keeping::default(),
        cancel.clone(),
    );
    let world =
        collector.world.wait_for(|world| kind_of(world, Source::Instances).is_some()).await.unwrap().clone();
    cancel.cancel();
    let planned: Vec<_> = world.retries.iter().collect();
    assert_eq!(planned.len(), 1, "{planned:?}");
    let ((scope, source), at) = planned[0];
    assert_eq!((scope.region.as_str(), *source), ("r1", Source::Instances));
    assert!(*at > now, "{at}");
}

fn kind_of(world: &World, source: Source) -> Option<TroubleKind> {
    world.snapshot.parts.first().and_then(|part| part.standing(source).trouble).map(|trouble| trouble.kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_hangs_neither_blanks_nor_delays_the_others() {
    let fake = Arc::new(Fake { hanging: vec!["r2"], ..Fake::default() });
    let cancel = CancellationToken::new();
    let mut collector =
        start(fake, config(named()), &[Source::Instances], Clock::Real, Keeping::default(), cancel.clone());
    // r2 still hangs when r1 is there: that is the proof, without any measuring.
    let world = collector
        .world
        .wait_for(|world| world.snapshot.parts.first().is_some_and(|part| part.instances.as_of.is_some()))
        .await
        .unwrap()
        .clone();
    assert!(world.snapshot.parts[1].instances.is_asked);
    assert_eq!(world.snapshot.parts[1].instances.known(), Known::No(WhyUnknown::Pending));
    cancel.cancel();
    collector.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_are_found_out_and_a_denied_account_says_so() {
    let mut config = Config { regions: Regions::All, ..Config::default() };
    config.accounts.push(Account { name: "denied".into(), login: Login::Chain, regions: None });
    let world = once(
        Arc::new(Fake::default()),
        Arc::new(config),
        &[Source::Groups],
        Interest::default(),
        Clock::Real,
        Patience::default(),
    )
    .await;
    let scopes: Vec<String> = world.snapshot.parts.iter().map(|part| part.scope.to_string()).collect();
    assert_eq!(scopes, ["default/r1", "default/r2"]);
    assert_eq!(world.snapshot.troubles, [("denied".to_owned(), trouble(TroubleKind::Denied))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_reads_again_and_old_rows_stay_meanwhile() {
    let fake = Arc::new(Fake {
        readings: [(("r1", Source::Clusters), cluster())].into(),
        gate: Some(Semaphore::new(1)),
        ..Fake::default()
    });
    let cancel = CancellationToken::new();
    let regions = Regions::Named(vec!["r1".into()]);
    let mut collector = start(
        fake.clone(),
        config(regions),
        &[Source::Clusters],
        Clock::Real,
        Keeping::default(),
        cancel.clone(),
    );
    collector.world.wait_for(|world| world.fleet.clusters.len() == 1).await.unwrap();
    collector.wishes.send(Wish::Refresh(vec![Source::Clusters])).await.unwrap();
    let again = collector
        .world
        .wait_for(|world| world.snapshot.parts.first().is_some_and(|part| part.clusters.is_asked))
        .await
        .unwrap()
        .clone();
    assert_eq!(again.fleet.clusters.len(), 1);
    fake.gate.as_ref().unwrap().add_permits(1);
    let same = collector
        .world
        .wait_for(|world| {
            world.snapshot.seq > again.snapshot.seq && !world.snapshot.parts[0].clusters.is_asked
        })
        .await
        .unwrap()
        .clone();
    assert_eq!(fake.asked.lock().unwrap().len(), 2);
    let age = |world: &World| world.snapshot.parts[0].clusters.as_of;
    assert!(age(&same) > age(&again), "it was read again");
    assert!(
        same.fleet.shares_rows_with(&again.fleet),
        "and brought nothing new: the rows are not joined again"
    );
    cancel.cancel();
    collector.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_start_shows_what_the_last_one_read_with_its_age_while_nothing_answers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache.db");
    let cached = || Keeping { cache: Some(Cache::open(&file, "fleet").unwrap()), ..Keeping::default() };
    let first =
        Arc::new(Fake { readings: [(("r1", Source::Clusters), cluster())].into(), ..Fake::default() });
    let cancel = CancellationToken::new();
    let mut collector =
        start(first, config(named()), &[Source::Clusters], Clock::Real, cached(), cancel.clone());
    let before = collector
        .world
        .wait_for(|world| {
            !world.snapshot.parts.is_empty() && world.snapshot.parts.iter().all(|part| part.clusters.is_whole)
        })
        .await
        .unwrap()
        .clone();
    cancel.cancel();
    collector.task.await.unwrap();

    let cancel = CancellationToken::new();
    let dead = Arc::new(Fake { hanging: vec!["r1", "r2"], ..Fake::default() });
    let collector = start(dead, config(named()), &[Source::Clusters], Clock::Real, cached(), cancel.clone());
    let after = collector.world.borrow().clone();
    assert_eq!(after.fleet.clusters.len(), 1);
    assert_eq!(after.snapshot.parts[0].clusters.as_of, before.snapshot.parts[0].clusters.as_of);
    cancel.cancel();
    collector.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_panics_ends_like_any_other() {
    let fake = Arc::new(Fake { panicking: vec![Source::Groups], ..Fake::default() });
    let sources = [Source::Groups, Source::Instances];
    let world =
        once(fake, config(named()), &sources, Interest::default(), Clock::Real, Patience::default()).await;
    assert_eq!(kind(&world, 0, Source::Groups), Some(TroubleKind::Other));
    assert_eq!(kind(&world, 0, Source::Instances), None);
}

#[test]
fn a_new_name_in_a_list_is_followed_without_waiting_for_the_cadence() {
    let config = config(Regions::Named(vec!["r1".into()]));
    let scope = Scope { account: "a".into(), region: "r1".into() };
    let mut board = Board::new(&config, &[Source::Clusters, Source::Services], None);
    board.add((0, 0), scope.clone());
    let (start, at) = (crate::clock::monotonic(), jiff::Timestamp::UNIX_EPOCH);
    let asked = |board: &mut Board, now| -> Vec<Source> {
        board.begin(&config, now, at).jobs.iter().map(|job| job.ask.source()).collect()
    };
    // Services wait for what names them, also when both are due.
    assert_eq!(asked(&mut board, start), [Source::Clusters]);
    board.done(&scope, Source::Clusters, Ok(Reading::Clusters(vec![])), start, at);
    assert_eq!(asked(&mut board, start), []);
    assert_eq!(board.part(&scope).unwrap().services.known(), Known::Yes(&vec![]));
    board.want(None, &[Source::Clusters]);
    assert_eq!(asked(&mut board, start), [Source::Clusters]);
    board.done(&scope, Source::Clusters, Ok(cluster()), start, at);
    // A moment after the last look, and then: the new cluster's services are asked for.
    assert_eq!(asked(&mut board, start), []);
    assert_eq!(asked(&mut board, start + Duration::from_secs(16)), [Source::Services]);
}

#[test]
fn a_core_that_appears_while_nobody_asks_is_not_asked_yet_and_makes_nothing_look_fresh() {
    let mut config = Config::clone(&config(Regions::Named(vec!["r1".into()])));
    config.cores.reach = CoreReach::Ssm;
    let scope = Scope { account: "a".into(), region: "r1".into() };
    let mut board = Board::new(&config, &[Source::Instances, Source::Registry, Source::Admin], None);
    board.add((0, 0), scope.clone());
    let (start, at) = (crate::clock::monotonic(), jiff::Timestamp::UNIX_EPOCH);
    let hosts = || {
        let mut host = instance("i-1", &[]);
        host.private_ip = Some("10.0.0.1".into());
        Reading::Instances(vec![Arc::new(host)])
    };
    let registry = |cores: &[&str]| {
        let core = |id: &&str| CoreRecord {
            id: (*id).into(),
            instance_id: Some("i-1".into()),
            ..CoreRecord::default()
        };
        Reading::Registry { cores: cores.iter().map(core).collect(), tenants: vec![], faults: vec![] }
    };
    let signs = |board: &Board| -> Vec<(String, Sign)> {
        let part = board.part(&scope).unwrap();
        let words = part.admin.value.iter().flat_map(|all| all.iter());
        words.map(|word| (word.core.to_string(), word.sign.clone())).collect()
    };
    let unasked = |id: &str| (id.to_owned(), Sign::Unasked);
    board.begin(&config, start, at);
    board.done(&scope, Source::Instances, Ok(hosts()), start, at);
    board.done(&scope, Source::Registry, Ok(registry(&["c1"])), start, at);
    board.begin(&config, start, at);
    assert_eq!(signs(&board), [unasked("c1")]);
    // Later the registry names another one, and still nobody looks.
    let (then, later) = (start + Duration::from_secs(600), at + SignedDuration::from_secs(600));
    board.want(None, &[Source::Registry]);
    board.begin(&config, then, later);
    board.done(&scope, Source::Instances, Ok(hosts()), then, later);
    board.done(&scope, Source::Registry, Ok(registry(&["c1", "c2"])), then, later);
    board.want(None, &[Source::Admin]);
    board.begin(&config, then, later);
    assert_eq!(signs(&board), [unasked("c1"), unasked("c2")]);
    assert_eq!(
        board.part(&scope).unwrap().standing(Source::Admin).as_of,
        Some(at),
        "nobody said anything new"
    );
    // Somebody looks, the core cannot be asked, and he looks elsewhere: what went wrong stays until it goes well.
    let looks = |cores: &[&str]| {
        let cores_of = cores.iter().map(|core| (scope.clone(), (*core).into())).collect();
        Interest { cores_of: Some(cores_of), ..Interest::default() }
    };
    board.look(looks(&["c1"]));
    board.begin(&config, then, later);
    let failed = GatewayError { trouble: trouble(TroubleKind::Denied), partial: None };
    board.done(&scope, Source::Admin, Err(failed), then, later);
    board.look(looks(&[]));
    board.want(None, &[Source::Admin]);
    board.begin(&config, then, later);
    assert!(board.part(&scope).unwrap().standing(Source::Admin).trouble.is_some());
}

/// One operation, as it stood at whatever moment is asked for.
#[derive(Debug)]
struct Told(Arc<Scope>);

impl Chronicle for Told {
    fn at(&self, at: Timestamp) -> (Vec<Deed>, Vec<(String, Trouble)>) {
        let deed = Deed {
            id: "op-1".into(),
            title: "drain one".into(),
            who: "anna".into(),
            reason: None,
            state: "running".into(),
            health: Health::Busy,
            began_at: at,
            at,
            scope: Arc::clone(&self.0),
            targets: vec!["i-1".into()],
        };
        (vec![deed], Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_of_the_past_shows_what_was_kept_then_and_nothing_that_is_read_now() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let then: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    let now = then + SignedDuration::from_hours(2);
    let history = || History::open(Some(file.clone()), "fleet", Limits::default(), now).unwrap();
    let home = Arc::new(Scope { account: "default".into(), region: "r1".into() });
    let mut part = crate::snapshot::Part::new(Arc::clone(&home));
    part.settle(cluster(), then, true);
    history().keep(&Arc::new(part), Source::Clusters);

    let fake = Arc::new(Fake::default());
    let cancel = CancellationToken::new();
    let kept =
        Keeping { history: Some(history()), chronicle: Some(Arc::new(Told(home))), ..Keeping::default() };
    let sources = [Source::Clusters, Source::Services];
    let mut collector = start(fake, config(named()), &sources, Clock::Fixed(now), kept, cancel.clone());
    let read = |world: &Arc<World>| {
        world.snapshot.parts.len() == 2 && world.snapshot.parts.iter().all(|part| part.services.is_whole)
    };
    let live = collector.world.wait_for(read).await.unwrap().clone();
    assert_eq!((live.fleet.clusters.len(), live.timeline.past), (0, None));

    let moment = then + SignedDuration::from_mins(30);
    collector.wishes.send(Wish::At(Some(moment))).await.unwrap();
    let past = collector.world.wait_for(|world| world.timeline.past.is_some()).await.unwrap().clone();
    assert_eq!((past.timeline.past, past.snapshot.taken_at, past.fleet.at), (Some(moment), moment, moment));
    assert_eq!(past.fleet.clusters.len(), 1);
    let told: Vec<_> = past.fleet.events.iter().map(|event| event.at).collect();
    assert_eq!(told, [Some(moment)], "what coredeck did stands among what happened");
    assert!(live.fleet.events.is_empty());
    let parts = &past.snapshot.parts;
    assert_eq!((parts.len(), parts[0].clusters.as_of), (2, Some(then)));
    assert_eq!(parts[0].services.known(), Known::No(WhyUnknown::NotAsked), "nobody had read them");
    assert_eq!(parts[1].clusters.known(), Known::No(WhyUnknown::NotAsked));

    collector.wishes.send(Wish::At(None)).await.unwrap();
    let again = collector.world.wait_for(|world| world.timeline.past.is_none()).await.unwrap().clone();
    assert!(again.fleet.clusters.is_empty());
    cancel.cancel();
    collector.task.await.unwrap();
    // What was read meanwhile was kept, and so was what is known to be empty without a question.
    let kept = crate::store::kept_at(&file, "fleet", now).unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|part| part.clusters.is_whole && part.services.is_whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_history_the_past_is_refused_and_says_why() {
    let cancel = CancellationToken::new();
    let sources = [Source::Clusters];
    let fake = Arc::new(Fake::default());
    let mut collector =
        start(fake, config(named()), &sources, Clock::Real, Keeping::default(), cancel.clone());
    collector.wishes.send(Wish::At(Some(Timestamp::UNIX_EPOCH))).await.unwrap();
    let world = collector.world.wait_for(|world| world.timeline.trouble.is_some()).await.unwrap().clone();
    assert_eq!(world.timeline.past, None);
    cancel.cancel();
    collector.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_have_a_course_as_soon_as_they_are_known() {
    let cancel = CancellationToken::new();
    let sources = [Source::Instances, Source::Groups];
    let fake = Arc::new(Fake::default());
    let mut collector =
        start(fake, config(named()), &sources, Clock::Real, Keeping::default(), cancel.clone());
    let is_noted = |world: &Arc<World>| {
        let course = world.timeline.trends.get(&Subject::Fleet, Measure::Instances);
        course.and_then(|course| course.last()).is_some_and(|(_, count)| count == 0.0)
    };
    collector.world.wait_for(is_noted).await.unwrap();
    cancel.cancel();
    collector.task.await.unwrap();
}
