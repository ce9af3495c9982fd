//! The command line on a hand-made fleet: formats, partial answers, hostile text, argv, pages.

use crate::residue::Folder;
use coredeck::cli::{Outside, output::Output, run_with};
use coredeck::clock::Clock;
use coredeck::config::Surroundings;
use coredeck::gateway::{Ask, FleetReader, GatewayError, Reading, Source, Spending, Urgency};
use coredeck::model::text::is_unsafe;
use coredeck::model::{
    AccountName, Check, Gauge, Group, Instance, InstanceState, InstanceStatus, Lifecycle, Make, Metrics,
    Particulars, Point, Region, Scope, Tags, Trouble, TroubleKind, Usd,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

const NOW: &str = "2026-11-21T20:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A reader with a few instances, which notes what it was asked.
#[derive(Default)]
struct Fake {
    instances: Vec<Instance>,
    groups: Vec<Group>,
    fails: Vec<Source>,
    asked: Mutex<Vec<Ask>>,
}

impl Fake {
    fn asked(&self) -> Vec<Source> {
        let mut sources: Vec<Source> = self.asked.lock().unwrap().iter().map(Ask::source).collect();
        sources.sort();
        sources
    }
}

impl FleetReader for Fake {
    fn regions(&self, _: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
        async { Ok(vec![Region::new("eu-west-1")]) }.boxed()
    }

    fn home_region(&self, _: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
        async { Ok(Region::new("eu-west-1")) }.boxed()
    }

    fn read(
        &self,
        _: &Scope,
        ask: Ask,
        _: Urgency,
        _: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, Result<Reading, GatewayError>> {
        self.asked.lock().unwrap().push(ask.clone());
        async move {
            if self.fails.contains(&ask.source()) {
                let trouble = Trouble {
                    kind: TroubleKind::Denied,
                    call: "autoscaling:DescribeAutoScalingGroups".into(),
                    code: Some("AccessDenied".into()),
                    message: "you may not\u{1b}[2J".into(),
                    hint: Some("allow autoscaling:DescribeAutoScalingGroups".into()),
                    request_id: None,
                    at: now(),
                };
                return Err(GatewayError { trouble, partial: None });
            }
            Ok(match ask {
                Ask::Instances => Reading::Instances(self.instances.iter().cloned().map(Arc::new).collect()),
                Ask::Groups => Reading::Groups(self.groups.clone()),
                Ask::Statuses => Reading::Statuses(self.instances.iter().map(passing).collect()),
                Ask::Templates(_) => Reading::Templates(vec![]),
                Ask::Images(_) => Reading::Images(vec![]),
                Ask::Published(_) => Reading::Published(vec![]),
                Ask::Refreshes(_) => Reading::Refreshes(vec![]),
                Ask::Activities(_) => Reading::Activities(vec![]),
                Ask::Clusters => Reading::Clusters(vec![]),
                Ask::Services(_) => Reading::Services(vec![]),
                Ask::Tasks(_) => Reading::Tasks(vec![]),
                Ask::Hosts(_) => Reading::Hosts(vec![]),
                Ask::TargetGroups => Reading::TargetGroups(vec![]),
                Ask::Targets(_) => Reading::Targets(vec![]),
                Ask::Rules => Reading::Rules(vec![]),
                Ask::Records(_) => Reading::Records(vec![]),
                Ask::Agents => Reading::Agents(vec![]),
                Ask::Prices { .. } => Reading::Prices(vec![]),
                Ask::Alarms => Reading::Alarms(vec![]),
                Ask::Admin(_) => Reading::Admin(vec![]),
                Ask::Registry(_) => Reading::Registry { cores: vec![], tenants: vec![], faults: vec![] },
                Ask::Metrics { of, .. } => Reading::Metrics(
                    of.into_iter()
                        .map(|id| {
                            let cpu = if id.as_str() == "i-1" { 91.5 } else { 12.0 };
                            let cpu = vec![Point { at: now(), value: cpu }];
                            Metrics { id, cpu, ..Metrics::default() }
                        })
                        .collect(),
                ),
                Ask::Identity => panic!("nobody needs to know who we are"),
            })
        }
        .boxed()
    }

    fn remind(&self, _: &Scope, _: &Reading) {}

    fn spending(&self) -> Spending {
        let paid = self.asked().contains(&Source::Metrics);
        Spending { dollars: if paid { Usd::from_micros(30) } else { Usd::ZERO }, ..Spending::default() }
    }
}

fn instance(id: &str, name: &str, tags: &[(&str, &str)]) -> Instance {
    let tags: Tags = [("Name", name)].into_iter().chain(tags.iter().copied()).collect();
    Instance {
        particulars: Particulars { reservation_id: "r-1".into(), ..Particulars::default() }.into(),
        id: id.into(),
        state: InstanceState::Running,
        launched_at: Some("2026-11-18T16:00:00Z".parse().unwrap()),
        private_ip: Some("10.0.0.1".into()),
        tags,
        make: Arc::new(Make {
            owner_id: "123456789012".into(),
            instance_type: "t3.small".into(),
            zone: "eu-west-1a".into(),
            image_id: "ami-1".into(),
            architecture: Some("x86_64".into()),
            lifecycle: Lifecycle::OnDemand,
            vpc_id: None,
            subnet_id: None,
            key_name: None,
            profile_arn: None,
            platform: None,
            security_groups: Box::new(["sg-1".into(), "sg-2".into()]),
            root_device: None,
            detailed_monitoring: false,
        }),
    }
}

fn fleet() -> Fake {
    Fake {
        instances: vec![
            instance("i-2", "東京-dev", &[("env", "dev")]),
            instance("i-1", "web\u{1b}[31m\u{9b}2J\u{202e}", &[("env", "prod"), ("note", "a,\"b\"\n=1")]),
        ],
        ..Fake::default()
    }
}

/// What a run wrote, and how it ended.
struct Ran {
    code: u8,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}\n{}", self.out, self.err))
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn home() -> (Folder, Surroundings) {
    let folder = Folder::new();
    let home = Some(folder.path().to_path_buf());
    let config_folder = Some(folder.path().join(".config"));
    (folder, Surroundings { home, config_folder, ..Surroundings::default() })
}

fn run_on(reader: &Arc<Fake>, argv: &str) -> Ran {
    let (_folder, around) = home();
    let reader: Arc<dyn FleetReader> = Arc::clone(reader) as _;
    run_in(&Outside { around, reader: Some(reader), clock: Clock::Fixed(now()), ..Outside::default() }, argv)
}

fn run_in(outside: &Outside, argv: &str) -> Ran {
    let (out, err) = (Sink::default(), Sink::default());
    let words: Vec<OsString> = std::iter::once("coredeck")
        .chain(argv.split(' ').filter(|word| !word.is_empty()))
        .map(Into::into)
        .collect();
    let code = run_with(&words, outside, &mut Output::to(out.clone(), err.clone()));
    Ran { code, out: out.text(), err: err.text() }
}

fn run(argv: &str) -> Ran {
    run_on(&Arc::new(fleet()), argv)
}

fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || !is_unsafe(c))
}

/// An instance that passes its status checks.
fn passing(instance: &Instance) -> InstanceStatus {
    InstanceStatus {
        id: instance.id.clone(),
        system: Check::Ok,
        instance: Check::Ok,
        ebs: None,
        events: Vec::new(),
    }
}

#[test]
fn table() {
    let ran = run("get instances");
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out, @r"
    ID   NAME                      TYPE      STATE    TIER         GROUP  ZONE        LIFECYCLE  AGE   PRIVATE IP
    i-1  web␛[31m\u{9b}2J\u{202e}  t3.small  running  production   -      eu-west-1a  on-demand  3d4h  10.0.0.1
    i-2  東京-dev                  t3.small  running  development  -      eu-west-1a  on-demand  3d4h  10.0.0.1
    ");
    insta::assert_snapshot!(ran.err, @r"
    tiers are guessed, by the tags coredeck:tier, tier, mode, environment and env and by the names of groups and
    services; the column tier_by says which, `coredeck config init` writes a configuration to change it
    ");
}

#[test]
fn every_format_is_harmless_and_whole() {
    for format in ["table", "wide", "json", "yaml", "csv", "name"] {
        let ran = run(&format!("get ec2 -o {format}"));
        assert_eq!(ran.code, 0, "{format}: {}", ran.err);
        assert!(is_harmless(&ran.out), "{format}: {:?}", ran.out);
        assert!(ran.out.contains("i-1") && ran.out.contains("i-2"), "{format}: {}", ran.out);
    }
}

#[test]
fn json_is_typed_and_says_how_old_it_is() {
    let ran = run("get instances -o json --columns id,name,launched_at,security_groups,tags,weight,health");
    let json = ran.json();
    assert_eq!(json["data"][0]["name"], "web\u{1b}[31m\u{9b}2J\u{202e}", "escaped, not changed");
    insta::assert_snapshot!(ran.out, @r#"
    {
      "as_of": "2026-11-21T20:00:00Z",
      "data": [
        {
          "health": "ok",
          "id": "i-1",
          "launched_at": "2026-11-18T16:00:00Z",
          "name": "web\u001b[31m\u009b2J\u202e",
          "security_groups": [
            "sg-1",
            "sg-2"
          ],
          "tags": {
            "Name": "web\u001b[31m\u009b2J\u202e",
            "env": "prod",
            "note": "a,\"b\"\n=1"
          },
          "weight": null
        },
        {
          "health": "ok",
          "id": "i-2",
          "launched_at": "2026-11-18T16:00:00Z",
          "name": "東京-dev",
          "security_groups": [
            "sg-1",
            "sg-2"
          ],
          "tags": {
            "Name": "東京-dev",
            "env": "dev"
          },
          "weight": null
        }
      ],
      "kind": "instances",
      "schema": "coredeck.get.v1",
      "warnings": []
    }
    "#);
}

#[test]
fn yaml_says_the_same() {
    let columns = "--columns id,name,launched_at,security_groups,tags,weight,health";
    let yaml = run(&format!("get instances -o yaml {columns}"));
    let json = run(&format!("get instances -o json {columns}"));
    assert_eq!(serde_yaml_ng::from_str::<Value>(&yaml.out).unwrap(), json.json());
}

#[test]
fn csv_quotes_what_must_be() {
    let ran = run("get instances -o csv --columns id,name,tags,weight --sort id");
    insta::assert_snapshot!(ran.out, @r#"
    id,name,tags,weight
    i-1,web␛[31m\u{9b}2J\u{202e},"{""Name"":""web\u001b[31m\u009b2J\u202e"",""env"":""prod"",""note"":""a,\""b\""\n=1""}",
    i-2,東京-dev,"{""Name"":""東京-dev"",""env"":""dev""}",
    "#);
    let mut reader = csv::Reader::from_reader(ran.out.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(serde_json::from_str::<Value>(&rows[0][2]).unwrap()["note"], "a,\"b\"\n=1");
}

#[test]
fn queries_sorts_and_limits_choose() {
    assert_eq!(run("get instances -o name tier:production").out, "i-1\n");
    assert_eq!(
        run("get instances -o name tag.env:prod or tier:development --sort id:desc").out,
        "i-2\ni-1\n"
    );
    assert_eq!(run("get instances -o name --sort id --limit 1").out, "i-1\n");
    let none = run("get instances state:stopped");
    assert_eq!((none.code, none.err.contains("no instances found")), (0, true), "{}", none.err);
}

#[test]
fn only_what_is_needed_is_read() {
    let read = |argv: &str| {
        let reader = Arc::new(fleet());
        let ran = run_on(&reader, argv);
        assert_eq!(ran.code, 0, "{}", ran.err);
        reader.asked()
    };
    assert_eq!(read("get groups -o name"), [Source::Groups]);
    assert_eq!(read("get instances -o name"), [Source::Instances]);
    assert_eq!(read("get instances"), [Source::Instances, Source::Groups]);
    assert_eq!(read("get instances --columns id,ssm"), [Source::Instances, Source::Agents]);
    assert!(!read("get instances -o json").contains(&Source::Metrics), "metrics cost money");
    assert!(!read("describe instance i-1").contains(&Source::Metrics), "metrics cost money");
}

#[test]
fn metrics_are_paid_for_only_when_named_and_for_what_is_shown() {
    let reader = Arc::new(fleet());
    let ran = run_on(&reader, "get instances --columns id,cpu --limit 1 --sort id --no-headers");
    assert_eq!(ran.out, "i-1  91.5%\n", "{}", ran.err);
    assert!(ran.err.contains("metrics cost about $0.00003"), "{}", ran.err);
    let asks = reader.asked.lock().unwrap();
    let of =
        asks.iter().find_map(|ask| if let Ask::Metrics { of, .. } = ask { Some(of.clone()) } else { None });
    assert_eq!(of, Some(vec!["i-1".into()]));
    drop(asks);
    assert_eq!(run("get instances -o name cpu>50").out, "i-1\n");
    assert_eq!(run("get instances -o name --sort cpu").out, "i-2\ni-1\n");
}

#[test]
fn rows_are_put_together_with_the_sums_of_the_screen() {
    let ran = run("get instances --group-by type --columns id,health,cores");
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out, @r"
    TYPE      COUNT  OK  CORES
    t3.small      2   2      0
    ");
    let ran = run("get instances --group-by type -o json");
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["schema"], "coredeck.get.groups.v1", "{}", ran.out);
    let data = document["data"].as_array().unwrap();
    let total: u64 = data.iter().map(|group| group["count"].as_u64().unwrap()).sum();
    let rows = run("get instances -o name").out.lines().count();
    assert_eq!(total, rows as u64);
    assert!(data.iter().all(|group| group["health"].is_object() && group["is_known"] == true), "{data:?}");
    assert_eq!(run("get instances --group-by type -o name --limit 1").out.lines().count(), 1);
    assert!(run("get instances --group-by type").out.starts_with("TYPE"));
    assert!(run("get instances --group-by type -o csv").out.starts_with("type,count,bad,warn"));
    let ran = run("get instances --group-by tags");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("can be put together by"), "{}", ran.err);
    assert!(run("get instances --group-by tpye").err.contains("did you mean 'type'?"));
    assert!(run("get calls --group-by api").err.contains("--summary"));
}

#[test]
fn one_metric_is_not_paid_for_as_four() {
    let gauges = |argv: &str| {
        let reader = Arc::new(fleet());
        run_on(&reader, argv);
        let asks = reader.asked.lock().unwrap();
        let of = asks.iter().find_map(|ask| match ask {
            Ask::Metrics { gauges, .. } => Some(gauges.each().map(Gauge::word).collect::<Vec<_>>()),
            _ => None,
        });
        of.unwrap_or_default()
    };
    assert_eq!(gauges("get instances --columns id,cpu"), ["cpu"]);
    assert_eq!(gauges("get instances -o name credits<5 --sort cpu"), ["cpu", "credits"]);
    assert_eq!(gauges("get instances --columns id,network_in,network_out"), ["network_in", "network_out"]);
}

#[test]
fn who_may_not_list_alarms_sees_all_else_and_is_told() {
    let reader = Arc::new(Fake { fails: vec![Source::Alarms], ..fleet() });
    let ran = run_on(&reader, "get instances --columns id,health --no-headers");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("alarms of"), "{}", ran.err);
    assert!(!run("get instances --columns id,type").err.contains("alarms"));
}

#[test]
fn the_pretended_aws_has_no_flags_that_choose_a_fleet() {
    let help = run("sim --help").out;
    for flag in ["--config", "--profile", "--region ", "--endpoint-url", "--demo", "--read-only"] {
        assert!(!help.contains(flag), "{flag}: {help}");
        assert!(run("get --help").out.contains(flag), "{flag}");
    }
    assert!(help.contains("--log-file") && help.contains("--regions"), "{help}");
}

/// Whose metrics a command asked for, sorted.
fn metered(argv: &str) -> Vec<String> {
    let reader = Arc::new(fleet());
    let ran = run_on(&reader, argv);
    assert_eq!(ran.code, 0, "{argv}: {}", ran.err);
    let asks = reader.asked.lock().unwrap();
    let mut of: Vec<String> = asks
        .iter()
        .filter_map(|ask| if let Ask::Metrics { of, .. } = ask { Some(of) } else { None })
        .flatten()
        .map(ToString::to_string)
        .collect();
    of.sort();
    of
}

#[test]
fn metrics_are_not_paid_for_where_the_rest_of_the_query_has_decided() {
    assert_eq!(metered("get instances -o name cpu>50"), ["i-1", "i-2"]);
    assert_eq!(metered("get instances -o name id:i-1 cpu>50"), ["i-1"]);
    assert_eq!(metered("get instances -o name id:i-1 !cpu:?"), ["i-1"]);
    assert_eq!(metered("get instances -o name !(id:i-2 or cpu>50)"), ["i-1"]);
    assert_eq!(metered("get instances -o name id:nothing cpu>50"), [""; 0]);
    assert_eq!(metered("get instances -o name id:i-1 --sort cpu"), ["i-1"]);
    assert_eq!(run("get instances -o name !cpu:? --sort id").out, "i-1\ni-2\n");
}

#[test]
fn a_partial_answer_is_shown_said_and_exits_1_unless_allowed() {
    let reader = Arc::new(Fake { fails: vec![Source::Groups], ..fleet() });
    let ran = run_on(&reader, "get instances --columns id,group");
    assert_eq!(ran.code, 1);
    assert!(is_harmless(&ran.out) && is_harmless(&ran.err), "{:?}", ran.err);
    insta::assert_snapshot!(ran.out, @r"
    ID   GROUP
    i-1  -
    i-2  -
    ");
    insta::assert_snapshot!(ran.err, @r"
    warning: groups of default/eu-west-1: autoscaling:DescribeAutoScalingGroups: you may not␛[2J
      allow autoscaling:DescribeAutoScalingGroups
    error: the answer is not whole: the warning says what is missing
    hint: `--allow-partial` takes what there is and exits with 0
    ");
    let allowed = run_on(&reader, "get instances --columns id,group --allow-partial -o json");
    assert_eq!(allowed.code, 0, "{}", allowed.err);
    insta::assert_snapshot!(serde_json::to_string_pretty(&allowed.json()["warnings"]).unwrap(), @r#"
    [
      {
        "call": "autoscaling:DescribeAutoScalingGroups",
        "hint": "allow autoscaling:DescribeAutoScalingGroups",
        "kind": "denied",
        "message": "you may not\u001b[2J",
        "scope": "default/eu-west-1",
        "source": "groups"
      }
    ]
    "#);
    let asks_unknown = run_on(&reader, "get instances -o name lifecycle_state:InService");
    assert!(asks_unknown.err.contains("2 rows may or may not answer"), "{}", asks_unknown.err);
}

#[test]
fn usage_errors_point_and_suggest() {
    let told = |argv: &str| {
        let ran = run(argv);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{argv}");
        assert!(is_harmless(&ran.err), "{:?}", ran.err);
        ran.err
    };
    insta::assert_snapshot!(told("get instnaces"), @r"
    error: unknown kind 'instnaces'
    hint: did you mean 'instances'?
    hint: kinds are instances, groups, templates, images, drift, clusters, services, tasks, hosts, cores, tenants, target-groups, targets, rules, alarms, events, calls
    ");
    insta::assert_snapshot!(told("get instances --columns id,nmae"), @r"
    error: instances have no column 'nmae'
    hint: did you mean 'name'?
    hint: columns are id, name, type, state, health, tier, group, zone, lifecycle, launched_at, private_ip, public_ip, troubles, image_id, image_name, image_state, image_created_at, architecture, template, template_version, protected, lifecycle_state, group_health, weight, tier_by, cluster, ecs_status, agent_connected, ecs_agent, running_tasks, pending_tasks, ssm, ssm_last_ping_at, ssm_version, os, system_check, instance_check, ebs_check, events, cores, cpu, network_in, network_out, credits, age, image_age, reservation_id, owner_id, vpc_id, subnet_id, key_name, profile_arn, platform, security_groups, root_device, spot_request_id, detailed_monitoring, private_dns, public_dns, state_reason, tags, account, region
    ");
    insta::assert_snapshot!(told("get instances stat:running --sort cup:down,id:sideways"), @r"
    error: the query and --sort cannot be understood
    instances have no column 'stat'
      stat:running
      ^^^^
      did you mean 'state'?
    instances have no column 'cup'
      cup:down,id:sideways
      ^^^
      put text into quotes to search for it; columns are id, name, type, state, health, tier, group, zone, lifecycle, launched_at, private_ip, public_ip, troubles, image_id, image_name, image_state, image_created_at, architecture, template, template_version, protected, lifecycle_state, group_health, weight, tier_by, cluster, ecs_status, agent_connected, ecs_agent, running_tasks, pending_tasks, ssm, ssm_last_ping_at, ssm_version, os, system_check, instance_check, ebs_check, events, cores, cpu, network_in, network_out, credits, age, image_age, reservation_id, owner_id, vpc_id, subnet_id, key_name, profile_arn, platform, security_groups, root_device, spot_request_id, detailed_monitoring, private_dns, public_dns, state_reason, tags, account, region
    unknown direction 'sideways'
      cup:down,id:sideways
                  ^^^^^^^^
      write asc or desc
    ");
    insta::assert_snapshot!(told("get instances --outptu json"), @r"
    error: unexpected argument '--outptu' found
    hint: a similar argument exists: '--output'
    hint: Usage: coredeck get --output <OUTPUT> <KIND> [QUERY]...
    hint: For more information, try '--help'.
    ");
    insta::assert_snapshot!(told("get instances -o jsn"), @r"
    error: invalid value 'jsn' for '--output <OUTPUT>'
      [possible values: table, wide, json, yaml, csv, name]
    hint: a similar value exists: 'json'
    hint: For more information, try '--help'.
    ");
    insta::assert_snapshot!(told("get instances --watch=often"), @r#"error: --watch=often: a duration is a number and a unit, such as "15s", "5m" or "1h30m""#);
    insta::assert_snapshot!(told("get instances --profile nobody"), @r"
    error: the configuration has a fault
    flag --profile: there is no AWS profile `nobody`
      there are no profiles yet: `aws configure sso` makes one
    ");
    insta::assert_snapshot!(told("get instances --region eu-wset1"), @r"
    error: the configuration has a fault
    flag --region: `eu-wset1` is not a region
      did you mean `eu-west-1`?
    ");
    insta::assert_snapshot!(told("gte instances"), @r"
    error: unrecognized subcommand 'gte'
    hint: a similar subcommand exists: 'tune'
    hint: Usage: coredeck [OPTIONS] [COMMAND]
    hint: For more information, try '--help'.
    ");
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    for argv in
        ["get instances -o json stat:x", "get instnaces -ojson", "get instances --output=json --clumns x"]
    {
        let ran = run(argv);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{argv}");
        let error: Value = serde_json::from_str(&ran.err).unwrap_or_else(|why| panic!("{why}: {}", ran.err));
        assert_eq!(error["schema"], "coredeck.error.v1");
        assert_eq!(error["error"]["kind"], "usage");
    }
    insta::assert_snapshot!(run("get instances -o json stat:x").err, @r#"{"error":{"causes":[],"faults":[{"column":1,"hint":"did you mean 'state'?","in":"the query","message":"instances have no column 'stat'","text":"stat:x"}],"hints":[],"kind":"usage","message":"the query cannot be understood"},"schema":"coredeck.error.v1"}"#);
}

#[test]
fn describe_tells_everything() {
    let ran = run("describe instance i-1");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(is_harmless(&ran.out));
    insta::assert_snapshot!(ran.out, @r#"
    instance i-1  default/eu-west-1
      id                   i-1
      name                 web␛[31m\u{9b}2J\u{202e}
      type                 t3.small
      state                running
      health               ● ok
      tier                 production
      group                -
      zone                 eu-west-1a
      lifecycle            on-demand
      launched_at          2026-11-18T16:00:00Z (3d4h)
      private_ip           10.0.0.1
      public_ip            -
      image_id             ami-1
      image_name           -
      image_state          -
      image_created_at     -
      architecture         x86_64
      template             -
      template_version     -
      protected            -
      lifecycle_state      -
      group_health         -
      weight               -
      tier_by              tag env=prod*
      cluster              -
      ecs_status           -
      agent_connected      -
      ecs_agent            -
      running_tasks        -
      pending_tasks        -
      ssm                  -
      ssm_last_ping_at     -
      ssm_version          -
      os                   -
      system_check         ok
      instance_check       ok
      ebs_check            -
      events               -
      cores                0
      reservation_id       r-1
      owner_id             123456789012
      vpc_id               -
      subnet_id            -
      key_name             -
      profile_arn          -
      platform             -
      security_groups      sg-1
                           sg-2
      root_device          -
      spot_request_id      -
      detailed_monitoring  no
      private_dns          -
      public_dns           -
      state_reason         -
      tags                 Name=web␛[31m\u{9b}2J\u{202e}
                           env=prod
                           note=a,"b"␊=1
      account              default
      region               eu-west-1
    "#);
    let json = run("describe instance i-1 -o json").json();
    assert_eq!(json["schema"], "coredeck.describe.v1");
    assert_eq!(json["data"][0]["id"], "i-1");
    assert!(json["data"][0]["related"].is_object() && json["data"][0]["troubles"].is_array());
}

#[test]
fn describe_of_an_unknown_id_suggests_near_ones() {
    let ran = run("describe instance i-11");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    insta::assert_snapshot!(ran.err, @r"
    error: no instance is called 'i-11'
    hint: did you mean 'i-1'?
    hint: `coredeck get instances -o name` lists what there is
    ");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }
    let (_folder, around) = home();
    let outside =
        Outside { around, reader: Some(Arc::new(fleet())), clock: Clock::Fixed(now()), ..Outside::default() };
    for argv in [&["coredeck", "get", "instances"][..], &["coredeck", "--help"], &["coredeck", "man"]] {
        let err = Sink::default();
        let words: Vec<OsString> = argv.iter().map(Into::into).collect();
        assert_eq!(run_with(&words, &outside, &mut Output::to(Gone, err.clone())), 0, "{argv:?}");
        assert_eq!(err.text(), "", "{argv:?}");
    }
}

#[test]
fn watching_writes_a_line_of_json_for_each_change_until_nobody_reads() {
    /// Reads one document, then goes away.
    #[derive(Clone)]
    struct One(Sink);
    impl Write for One {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            if self.0.text().ends_with('\n') { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        }
    }
    let (_folder, around) = home();
    let outside =
        Outside { around, reader: Some(Arc::new(fleet())), clock: Clock::Fixed(now()), ..Outside::default() };
    let out = Sink::default();
    let argv = ["coredeck", "get", "instances", "-o", "json", "--columns", "id", "--watch=5s"];
    let words: Vec<OsString> = argv.iter().map(Into::into).collect();
    assert_eq!(run_with(&words, &outside, &mut Output::to(One(out.clone()), Sink::default())), 0);
    assert_eq!(out.text().lines().count(), 1, "{}", out.text());
    let document: Value = serde_json::from_str(&out.text()).unwrap();
    assert_eq!(document["data"].as_array().unwrap().len(), 2);
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&format!("completions {shell}"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("coredeck"), "{shell}");
        let knows_kinds = ran.out.contains("tenants");
        assert!(knows_kinds || !matches!(shell, "bash" | "zsh"), "{shell}: kinds are not completed");
    }
    let page = run("man");
    assert!(page.out.contains(".TH coredeck") && page.out.contains("describe"), "{}", page.out);
    let folder = Folder::new();
    let ran = run(&format!("man {}", folder.path().join("man").display()));
    assert_eq!(ran.code, 0, "{}", ran.err);
    for page in ["coredeck.1", "coredeck-get.1", "coredeck-config-init.1"] {
        assert!(folder.path().join("man").join(page).is_file(), "{page}");
    }
}

#[test]
fn the_tree_of_commands_is_sound() {
    for argv in
        ["--help", "help get", "get --help", "describe --help", "config --help", "sim --help", "--version"]
    {
        let ran = run(argv);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{argv}");
        assert!(ran.out.contains("coredeck"), "{argv}: {}", ran.out);
    }
}

#[test]
fn configuration_is_written_shown_checked_and_found() {
    let (folder, around) = home();
    let outside = Outside { around, ..Outside::default() };
    let run = |argv: &str| {
        let ran = run_in(&outside, argv);
        let clean = |text: &str| text.replace(&folder.path().display().to_string(), "HOME");
        Ran { out: clean(&ran.out), err: clean(&ran.err), ..ran }
    };
    let path = run("config path");
    assert_eq!(
        (path.out.as_str(), path.err.as_str()),
        ("HOME/.config/coredeck/coredeck.toml\n", "it is not there\n")
    );
    assert_eq!(run("config check").err, "there is no configuration file; the defaults: good\n");
    let shown = run("config show");
    assert!(shown.out.contains("guessed"), "{}", shown.out);
    assert_eq!(run("config init").code, 0);
    let again = run("config init");
    assert_eq!(again.code, 1);
    insta::assert_snapshot!(again.err, @r"
    error: HOME/.config/coredeck/coredeck.toml is there already and was left as it is
    hint: edit it, or name another with `--config FILE`
    ");
    assert_eq!(run("config check").err, "HOME/.config/coredeck/coredeck.toml: good\n");
    let shown = run("config show");
    // How wide the first columns are depends on the temporary folder's name.
    let cells = |line: &str| {
        line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>().join(" | ")
    };
    let head: Vec<String> = shown.out.lines().take(5).map(cells).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    KEY | SOURCE | VALUE
    fleet | HOME/.config/coredeck/coredeck.toml:7 | default
    accounts.default.name | default | default
    accounts.default.profile | default | (the AWS SDK's own chain: environment, default profile, SSO, container, instance profile)
    regions | default | (the region of the profile, or of the instance that this runs on)
    ");
    let json = run("config show -o json --region all").json();
    let regions =
        json["data"].as_array().unwrap().iter().find(|setting| setting["key"] == "regions").unwrap();
    assert_eq!((&regions["value"], &regions["source"]), (&"all".into(), &"flag --region".into()));
    let bad = folder.path().join("bad.toml");
    std::fs::write(&bad, "fleet = 1\nflet = 2\n").unwrap();
    let faults = run(&format!("config check {}", bad.display()));
    assert_eq!(faults.code, 2);
    insta::assert_snapshot!(faults.err, @r"
    error: the configuration HOME/bad.toml has 2 faults
    HOME/bad.toml:1:9: `fleet` must be text in quotes, not a whole number
      1 | fleet = 1
        |         ^
    HOME/bad.toml:2:1: unknown key `flet`
      2 | flet = 2
        | ^^^^ did you mean `fleet`?
    hint: see `coredeck config check`, and docs/configuration.md
    ");
    let faults = run(&format!("--config {} config show -o json", bad.display()));
    insta::assert_snapshot!(faults.err, @r#"{"error":{"causes":[],"faults":[{"column":9,"file":"HOME/bad.toml","hint":null,"line":1,"message":"`fleet` must be text in quotes, not a whole number"},{"column":1,"file":"HOME/bad.toml","hint":"did you mean `fleet`?","line":2,"message":"unknown key `flet`"}],"hints":["see `coredeck config check`, and docs/configuration.md"],"kind":"usage","message":"the configuration HOME/bad.toml has 2 faults"},"schema":"coredeck.error.v1"}"#);
}

#[test]
fn the_demo_is_a_whole_fleet_and_reads_nothing_of_the_person() {
    let (folder, mut around) = home();
    // A broken configuration, and a profile that is not there: neither matters to the demo.
    let file = folder.path().join(".config/coredeck/coredeck.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "fleet = 1").unwrap();
    around.vars.insert("AWS_PROFILE".into(), "nobody".into());
    let outside = Outside { around, ..Outside::default() };
    // Calls are those of earlier runs, and a demo keeps none.
    let kinds = coredeck::query::Kind::ALL.into_iter().filter(|kind| kind.word() != "calls");
    for kind in kinds {
        let ran = run_in(&outside, &format!("--demo get {kind} -o json"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{kind}");
        assert!(!ran.json()["data"].as_array().unwrap().is_empty(), "the demo has no {kind}");
    }
    let id = run_in(&outside, "--demo get services -o name --limit 1").out;
    let described = run_in(&outside, &format!("--demo describe service {}", id.trim()));
    assert_eq!((described.code, described.err.as_str()), (0, ""));
    assert!(described.out.contains("related"), "{}", described.out);
    assert_eq!(
        run_in(&outside, "get instances").code,
        2,
        "outside the demo a broken configuration is a fault"
    );
}

#[test]
fn without_a_terminal_the_screen_says_so() {
    let ran = run("--demo");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("the screen cannot be opened") && ran.err.contains("coredeck get"),
        "{}",
        ran.err
    );
}
