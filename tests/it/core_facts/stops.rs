//! What takes time: neighbours who wait for each other, a core that is told to stop, one that starts, a database that is
//! away. Time stands still but for our steps, and answers wait for them.

use super::{Asked, Key, OWN, Rig, SECRET, URI, domain, get, sent};
use crate::sim::{json as call, query};
use coredeck::gateway::{AdminError, CoreAdmin as _};
use coredeck::model::admin::Place;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const DOMAINS: &str = "/recipe/multitenancy/connectionuridomain/v2";
const C1: &str = "c1.example.com";
const LONE: &str = "lone.db.internal";

fn seconds(many: u64) -> Duration {
    Duration::from_secs(many)
}

/// A rig with a domain whose database stands at a host of its own, and whose answers wait.
async fn rig() -> Arc<Rig> {
    let rig = Rig::of_each_sort().await;
    let own = json!({ "postgresql_connection_uri": format!("postgresql://u:p@{LONE}/c1"), "api_keys": OWN });
    assert_eq!(rig.ask("one", &sent("PUT", DOMAINS, domain(C1, own))).await.0, 200);
    // Its thread is free again.
    rig.running.step(seconds(1));
    rig.running.hold_answers();
    Arc::new(rig)
}

type Answer = JoinHandle<Option<(u16, String)>>;

/// Asks, and goes on.
fn asks(rig: &Arc<Rig>, asked: Asked<'static>) -> Answer {
    let rig = Arc::clone(rig);
    tokio::spawn(async move { rig.heard("one", &asked).await })
}

fn count(host: &'static str) -> Asked<'static> {
    get("/users/count").host(host)
}

/// Goes on when a core is at work on so many requests.
async fn serves(rig: &Rig, many: usize) {
    while rig.running.serving("one") != many {
        tokio::task::yield_now().await;
    }
}

/// Runs a script on the host; tells the command.
async fn tells(rig: &Rig, script: &str) -> String {
    let host = rig.core("one").instance;
    let body = json!({
        "DocumentName": "AWS-RunShellScript", "InstanceIds": [host], "Parameters": { "commands": [script] },
    });
    let sent = call(&rig.running, "ssm", "AmazonSSM.SendCommand", body).await;
    sent["Command"]["CommandId"].as_str().unwrap().to_owned()
}

/// What a script wrote, a minute and a half later.
async fn wrote(rig: &Rig, script: &str) -> String {
    let id = tells(rig, script).await;
    rig.running.step(seconds(90));
    let asked = json!({ "CommandId": id, "InstanceId": rig.core("one").instance });
    let ended = call(&rig.running, "ssm", "AmazonSSM.GetCommandInvocation", asked).await;
    ended["StandardOutputContent"].as_str().unwrap_or_default().trim().to_owned()
}

async fn is_open(rig: &Rig, core: &str) -> bool {
    rig.heard(core, &get("/hello").key(Key::None)).await.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_locked_tables_let_all_others_wait() {
    let rig = rig().await;
    rig.running.lock(LONE, seconds(14));
    let stuck: Vec<Answer> = (0..12).map(|_| asks(&rig, count(C1))).collect();
    serves(&rig, 12).await;
    // Ten threads serve everybody: the base has to wait for the first of them, though its database is well.
    let base = asks(&rig, count(""));
    serves(&rig, 13).await;
    rig.running.step(Duration::from_millis(13_900));
    assert_eq!(rig.running.serving("one"), 13);
    rig.running.step(Duration::from_millis(100));
    assert_eq!(rig.running.serving("one"), 2, "two of the tenant begin only now");
    assert_eq!(base.await.unwrap().unwrap().0, 200);
    rig.running.step(seconds(14));
    for answer in stuck {
        assert_eq!(answer.await.unwrap().unwrap().0, 200);
    }
    // What asks no database is not held up by it, and a replica is another process.
    rig.running.lock(LONE, Duration::ZERO);
    assert_eq!(rig.ask("two", &count("")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_said_after_five_seconds() {
    let rig = rig().await;
    rig.running.take_down(LONE, true);
    let (hello, users) = (asks(&rig, get("/hello").host(C1).key(Key::None)), asks(&rig, count(C1)));
    serves(&rig, 2).await;
    rig.running.step(Duration::from_millis(4_999));
    assert_eq!(rig.running.serving("one"), 2);
    rig.running.step(Duration::from_millis(1));
    for answer in [hello, users] {
        assert_eq!(answer.await.unwrap().unwrap().0, 500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_served_at_a_stop_is_cut_off_after_five_seconds_and_the_port_closes_at_once() {
    let rig = rig().await;
    rig.running.lock(LONE, seconds(600));
    let stuck = asks(&rig, count(C1));
    serves(&rig, 1).await;
    tells(&rig, "docker stop -t 30 supertokens-one").await;
    let mut waited = 0;
    while is_open(&rig, "one").await {
        assert!(waited < 120, "it never closes");
        rig.running.step(seconds(1));
        waited += 1;
    }
    // Told within the last second. Nobody new gets in, and who is in is still served.
    rig.running.step(seconds(3));
    assert_eq!(rig.running.serving("one"), 1);
    assert!(!is_open(&rig, "one").await);
    rig.running.step(seconds(2));
    assert_eq!(rig.running.serving("one"), 0);
    assert_eq!(stuck.await.unwrap(), None, "an empty reply");
    rig.running.step(seconds(15));
    // With thirty seconds it ends by itself; with docker's own ten it does not.
    let state = "docker inspect --format '{{.State.ExitCode}} {{.State.Status}}' supertokens-one";
    assert_eq!(wrote(&rig, state).await, "0 exited");
    tells(&rig, "docker start supertokens-one").await;
    rig.running.step(seconds(120));
    assert!(is_open(&rig, "one").await);
    let stuck = asks(&rig, count(C1));
    serves(&rig, 1).await;
    tells(&rig, "docker stop supertokens-one").await;
    rig.running.step(seconds(120));
    assert_eq!(stuck.await.unwrap(), None);
    assert_eq!(wrote(&rig, state).await, "137 exited");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_domains_take_five_hundred_connections_and_eight_seconds_more_to_boot() {
    let rig = Rig::of_each_sort().await;
    rig.running.limit_connections("many.db.internal", 500);
    for nth in 1..=51 {
        let uri = format!("postgresql://u:p@many.db.internal/d{nth}");
        let body = domain(
            &format!("d{nth}.example.com"),
            json!({ "postgresql_connection_uri": uri, "api_keys": OWN }),
        );
        let (status, said) = rig.ask("old", &sent("PUT", DOMAINS, body)).await;
        let full = "org.postgresql.util.PSQLException: FATAL: sorry, too many clients already";
        assert_eq!(
            (status, said.contains(full)),
            if nth <= 50 { (200, false) } else { (500, true) },
            "{nth}: {said}"
        );
    }
    // What stands in no database has none to remember it by: one that failed counts as well.
    let remove = json!({ "connectionUriDomain": "d51.example.com", "coreConfig": { "postgresql_connection_uri": format!("{URI}d51") } });
    assert_eq!(rig.ask("old", &sent("PUT", DOMAINS, remove)).await.0, 200);
    for (core, boots) in [("two", 7..=8), ("old", 15..=16)] {
        tells(&rig, &format!("docker restart -t 30 supertokens-{core}")).await;
        let (mut waited, mut closed) = (0, None);
        loop {
            match (is_open(&rig, core).await, closed) {
                (false, None) => closed = Some(waited),
                (true, Some(since)) => {
                    // It takes up to twelve seconds to end, and one to start again.
                    let took = waited - since;
                    let least = boots.start() + 2;
                    assert!((least..=boots.end() + 13).contains(&took), "{core}: {took}");
                    break;
                }
                _ => {}
            }
            assert!(waited < 300, "{core}");
            rig.running.step(seconds(1));
            waited += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balancer_counts_what_the_core_behind_it_counts() {
    let rig = Rig::of_each_sort().await;
    let groups =
        query(&rig.running, "elasticloadbalancing", "Action=DescribeTargetGroups&Version=2015-12-01").await;
    let part = |begin: &str| {
        let rest = &groups[groups.find(begin).unwrap_or_else(|| panic!("{begin}: {groups}"))..];
        rest[..rest.find('<').unwrap()].to_owned()
    };
    let (group, balancer) = (part("targetgroup/front/"), part("app/front/"));
    let dimensions = json!([
        { "Name": "LoadBalancer", "Value": balancer }, { "Name": "TargetGroup", "Value": group },
    ]);
    let end = 1_795_262_400; // 2026-11-21T12:00:00Z
    let asked = json!({
        "StartTime": end - 1800, "EndTime": end,
        "MetricDataQueries": [{ "Id": "r", "MetricStat": {
            "Metric": { "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dimensions },
            "Period": 60, "Stat": "Sum",
        } }],
    });
    let told = call(&rig.running, "monitoring", "GraniteServiceVersion20100801.GetMetricData", asked).await;
    let series = &told["MetricDataResults"][0];
    let (at, values) = (series["Timestamps"].as_array().unwrap(), series["Values"].as_array().unwrap());
    assert!(values.len() > 10, "{told}");
    let mut by_core = Vec::new();
    for host in ["", "acme.example.com", "only.example.com"] {
        let (_, body) = rig.ask("one", &get("/requests/stats").host(host)).await;
        by_core.push(serde_json::from_str::<Value>(&body).unwrap());
    }
    for (at, value) in at.iter().zip(values) {
        let minute = (at.as_f64().unwrap() as i64) / 60;
        let index = usize::try_from(1440 - (end / 60 - minute)).unwrap();
        let counted: f64 =
            by_core.iter().map(|all| all["averageRequestsPerSecond"][index].as_f64().unwrap() * 60.0).sum();
        assert_eq!(counted.round(), value.as_f64().unwrap(), "{minute}");
        assert!(counted > 10.0, "{counted}");
    }
}

/// Milliseconds that a core takes for an answer.
async fn took(rig: &Arc<Rig>, core: &'static str, host: &'static str) -> u64 {
    let mine = Arc::clone(rig);
    let asked = count(host).key(if host == C1 { Key::Own(OWN) } else { Key::Secret });
    let answer: Answer = tokio::spawn(async move { mine.heard(core, &asked).await });
    let mut waited = 0;
    while !answer.is_finished() {
        if rig.running.serving(core) > 0 {
            rig.running.step(Duration::from_millis(50));
            waited += 50;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(answer.await.unwrap().unwrap().0, 200);
    waited
}

/// Seconds that the balancer saw targets take, minute by minute from the start.
async fn response_times(rig: &Rig, minutes: i64) -> Vec<f64> {
    let groups =
        query(&rig.running, "elasticloadbalancing", "Action=DescribeTargetGroups&Version=2015-12-01").await;
    let part = |begin: &str| {
        let rest = &groups[groups.find(begin).unwrap_or_else(|| panic!("{begin}: {groups}"))..];
        rest[..rest.find('<').unwrap()].to_owned()
    };
    let dimensions = json!([
        { "Name": "LoadBalancer", "Value": part("app/front/") },
        { "Name": "TargetGroup", "Value": part("targetgroup/front/") },
    ]);
    let start = 1_795_262_400; // 2026-11-21T12:00:00Z
    let asked = json!({
        "StartTime": start - 120, "EndTime": start + minutes * 60, "ScanBy": "TimestampAscending",
        "MetricDataQueries": [{ "Id": "r", "MetricStat": {
            "Metric": {
                "Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Dimensions": dimensions,
            },
            "Period": 60, "Stat": "Average",
        } }],
    });
    let told = call(&rig.running, "monitoring", "GraniteServiceVersion20100801.GetMetricData", asked).await;
    let values = told["MetricDataResults"][0]["Values"].as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_tenant_asks_too_much_all_others_of_its_core_wait_for_and_the_balancer_sees_it() {
    // What one tenant does, and the milliseconds that the base waits for its count of users.
    let sticks = |rig: &Arc<Rig>, many: usize| {
        rig.running.lock(LONE, Duration::from_millis(8_500));
        (0..many).map(|_| asks(rig, count(C1))).collect::<Vec<_>>()
    };
    // Recorded: twelve sign-ins that wait for a locked table of one domain make the base take 8.5 s. Nine leave a thread.
    for (stuck, wanted) in [(9, 0), (12, 8_500)] {
        let rig = rig().await;
        let waiting = sticks(&rig, stuck);
        serves(&rig, stuck).await;
        let base = asks(&rig, count(""));
        let mut waited = 0;
        while !base.is_finished() {
            if rig.running.serving("one") > stuck {
                rig.running.step(Duration::from_millis(100));
                waited += 100;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!((base.await.unwrap().unwrap().0, waited), (200, wanted), "{stuck}");
        rig.running.step(seconds(60));
        for answer in waiting {
            answer.await.unwrap();
        }
    }
    // Requests a second more, for how many seconds; whoever comes at their end waits so long at least and at most.
    for (rate, lasts, least, most) in [(0.0, 10, 0, 0), (50.0, 10, 0, 100), (900.0, 10, 8_000, 90_000)] {
        let rig = rig().await;
        rig.running.crowd("one", C1, rate, seconds(lasts));
        rig.running.step(seconds(lasts) - Duration::from_millis(1));
        let others = [took(&rig, "one", "").await, took(&rig, "one", "acme.example.com").await];
        assert!((least..=most).contains(&others[0]), "{rate}: {others:?}");
        // Who comes after that has less to wait for, and the replica has no part in it.
        assert!(others[1] <= others[0], "{rate}: {others:?}");
        assert_eq!(took(&rig, "two", "").await, 0);
        rig.running.step(seconds(600));
        assert_eq!(took(&rig, "one", "").await, 0, "it is worked off");
    }
    // Half a minute of it, as the balancer tells it afterwards.
    let rig = rig().await;
    rig.running.crowd("one", C1, 900.0, seconds(30));
    rig.running.step(seconds(300));
    let told = response_times(&rig, 5).await;
    let usual = told[0];
    assert!((0.01..0.12).contains(&usual) && told[2] > 20.0 * usual, "{told:?}");
    assert!(*told.last().unwrap() < 1.5 * usual, "worked off: {told:?}");
    // What it asked for is counted, for it alone.
    let minute = |host| {
        let rig = Arc::clone(&rig);
        async move {
            let (_, body) = rig
                .ask(
                    "one",
                    &get("/requests/stats").host(host).key(if host == C1 {
                        Key::Own(OWN)
                    } else {
                        Key::Secret
                    }),
                )
                .await;
            let all: Value = serde_json::from_str(&body).unwrap();
            all["averageRequestsPerSecond"].as_array().unwrap()[1435].as_f64().unwrap()
        }
    };
    assert!(minute(C1).await >= 450.0 && minute("").await < 100.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_with_a_path_of_its_own_answers_below_it_and_nowhere_else() {
    let rig = Rig::of_each_sort().await;
    rig.running.plant("lone", "BASE_PATH", "/auth", "note", "");
    rig.running.plant("lone", "MAX_SERVER_POOL_SIZE", "4", "note", "");
    for (path, status) in [
        ("/auth/hello", 200),
        ("/AUTH/hello", 200),
        ("/auth", 200),
        ("/auth/users/count", 200),
        ("/auth/t1/users/count", 400),
        ("/hello", 404),
        ("/users/count", 404),
        ("/authentic/hello", 404),
    ] {
        assert_eq!(rig.ask("lone", &get(path)).await.0, status, "{path}");
    }
    let mut door = rig.door("lone", SECRET);
    door.address += "/auth";
    let settings = rig.client.settings(&door, &Place::of("")).await.unwrap();
    let value = |key: &str| settings.iter().find(|one| one.key == key).map(|one| one.value.shown());
    assert_eq!(value("max_server_pool_size").as_deref(), Some("4"));
    assert!(rig.client.traffic(&door, &Place::of("")).await.is_ok());
    assert_eq!(
        rig.client.users(&rig.door("lone", SECRET), &Place::of(""), true).await,
        Err(AdminError::UnknownCall)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_imported_in_five_minutes() {
    let rig = Rig::of_each_sort().await;
    let user = json!({ "loginMethods": [{ "recipeId": "emailpassword", "email": "a@example.com" }] });
    let (status, said) =
        rig.ask("one", &sent("POST", "/bulk-import/users", json!({ "users": [user, user] }))).await;
    assert!(status == 200 && said.contains("\"id\""), "{said}");
    let waiting = || async {
        let door = rig.door("one", super::SECRET);
        let place = coredeck::model::admin::Place::of("");
        let imports =
            coredeck::gateway::CoreAdmin::imports(&rig.client, &door, &place).await.unwrap().unwrap();
        let users = coredeck::gateway::CoreAdmin::users(&rig.client, &door, &place, false).await.unwrap();
        (imports.waiting, imports.failed, users)
    };
    let before = waiting().await;
    assert_eq!((before.0, before.1), (2, 0));
    rig.running.step(seconds(301));
    assert_eq!(waiting().await, (0, 0, before.2 + 2));
    let many: Vec<&Value> = (0..10_001).map(|_| &user).collect();
    let (status, said) = rig.ask("one", &sent("POST", "/bulk-import/users", json!({ "users": many }))).await;
    assert_eq!((status, said.as_str()), (400, "{\"error\":\"You can only add 10000 users at a time.\"}"));
    let (status, said) = rig.ask("one", &sent("POST", "/bulk-import/users", json!({ "users": [{}] }))).await;
    assert!(status == 400 && said.contains("missing or invalid fields"), "{said}");
}
