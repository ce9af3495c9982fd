//! Filters and sorts 100,000 instances, beside the plain way to do the same.
//!
//! The budget for each is 16 ms, one frame: what is typed on the screen shows at once. The plain way is
//! what one would write first: every cell as a new lower-case text for a filter, every key taken anew in
//! each comparison for a sort. Run it with `cargo bench --bench query`; the ratios stand at the end.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench may stop, and prints its figures"
)]

use coredeck::fleet::{Belonging, Fleet, InstanceRow, Item};
use coredeck::model::{
    AccountName, Health, Instance, InstanceState, Known, Lifecycle, Make, Metrics, Particulars, Point,
    Region, Scope, Tags, Text, WhyUnknown,
};
use coredeck::query::{Ctx, Kind, Query, Shown, Sort, Unit, Value, natural, select, sort};
use criterion::{Criterion, criterion_group};
use jiff::Timestamp;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROWS: u32 = 100_000;
const NOW: Timestamp = Timestamp::constant(1_780_315_200, 0);

/// A scatter that is the same in every run.
fn scattered(at: u32) -> u64 {
    let mut x = u64::from(at).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn instance(at: u32) -> Instance {
    let chance = scattered(at);
    let tier = ["development", "production", "shared"][(chance % 3) as usize];
    let tags: Tags = [
        ("Name".to_owned(), format!("core-{tier}-{}", chance % 50_000)),
        ("Environment".to_owned(), tier.to_owned()),
        ("team".to_owned(), "auth-platform".to_owned()),
        ("cost-centre".to_owned(), format!("cc-{}", chance % 40)),
        ("aws:autoscaling:groupName".to_owned(), format!("asg-{tier}-{}", chance % 200)),
        ("aws:ec2launchtemplate:id".to_owned(), format!("lt-{:017x}", chance % 200)),
        ("aws:ec2launchtemplate:version".to_owned(), (chance % 30).to_string()),
    ]
    .into_iter()
    .collect();
    Instance {
        particulars: Particulars {
            reservation_id: Text::new(format!("r-{chance:017x}")),
            ..Particulars::default()
        }
        .into(),
        id: format!("i-{chance:017x}").into(),
        state: if chance.is_multiple_of(17) { InstanceState::Stopped } else { InstanceState::Running },
        launched_at: Some(NOW - Duration::from_secs(chance % 10_000_000)),
        private_ip: Some(Text::new(format!(
            "10.{}.{}.{}",
            chance % 200,
            chance / 200 % 250,
            chance / 50_000 % 250
        ))),
        tags,
        make: Arc::new(Make {
            owner_id: "123456789012".into(),
            instance_type: ["t3.small", "t2.micro", "t3.large"][(chance % 3) as usize].into(),
            zone: ["eu-west-1a", "eu-west-1b", "eu-west-1c"][(chance / 3 % 3) as usize].into(),
            image_id: format!("ami-{:017x}", chance % 12).into(),
            architecture: Some("x86_64".into()),
            lifecycle: if chance.is_multiple_of(2) { Lifecycle::Spot } else { Lifecycle::OnDemand },
            vpc_id: Some("vpc-0a1b2c3d4e5f60718".into()),
            subnet_id: Some("subnet-0a1b2c3d4e5f60718".into()),
            key_name: None,
            profile_arn: None,
            platform: Some("Linux/UNIX".into()),
            security_groups: Box::new(["sg-0a1b2c3d4e5f60718".into()]),
            root_device: Some("/dev/xvda".into()),
            detailed_monitoring: false,
        }),
    }
}

fn fleet() -> Fleet {
    let scope = Arc::new(Scope { account: AccountName::new("main"), region: Region::new("eu-west-1") });
    let point = |at: u32| Point { at: NOW, value: (scattered(at) % 1_000) as f64 / 10.0 };
    let metrics = (0..ROWS).map(|at| Metrics { cpu: vec![point(at)], ..Metrics::default() }).collect();
    let instances = Item::all(&Arc::new(metrics))
        .zip(0..)
        .map(|(metrics, at)| {
            let it = Arc::new(instance(at));
            InstanceRow {
                scope: Arc::clone(&scope),
                belongs: Arc::new(Belonging {
                    tier: it.tags.get("Environment").map(Into::into),
                    tier_by: None,
                    group: it.group_tag().map(Into::into),
                }),
                it,
                member: Known::default(),
                host: Known::default(),
                agent: Known::default(),
                status: Known::default(),
                metrics: if at % 10 == 0 {
                    Known::No(WhyUnknown::Pending)
                } else {
                    Known::Yes(Some(metrics))
                },
                image: Known::default(),
                cores: Known::default(),
                health: Health::Ok,
                troubles: Vec::new(),
            }
        })
        .collect();
    Fleet { instances, ..Fleet::empty(NOW) }
}

/// One measurement: our way and the plain way to the same rows.
struct Case {
    name: &'static str,
    ours: Box<dyn Fn(Ctx<'_>) -> Vec<u32>>,
    plain: Box<dyn Fn(Ctx<'_>) -> Vec<u32>>,
}

fn cases() -> Vec<Case> {
    let filter = |name, text: &'static str, plain: fn(Ctx<'_>, u32) -> bool| {
        let query = Query::parse(text, Kind::Instances).unwrap();
        Case {
            name,
            ours: Box::new(move |ctx| select(&query, ctx, Kind::Instances)),
            plain: Box::new(move |ctx| (0..ROWS).filter(|at| plain(ctx, *at)).collect()),
        }
    };
    vec![
        filter("filter by a word", "production-77", |ctx, at| {
            any_text(ctx, at, |text| text.contains("production-77"))
        }),
        filter("filter by a word that no row has", "no such thing", |ctx, at| {
            ["no", "such", "thing"].iter().all(|word| any_text(ctx, at, |text| text.contains(word)))
        }),
        filter("filter by columns", "state:running cpu>95 tag.team:auth", |ctx, at| {
            let row = &ctx.fleet.instances[at as usize];
            let cpu = match &row.metrics {
                Known::Yes(Some(metrics)) => metrics.cpu.last().map(|point| point.value),
                _ => None,
            };
            row.it.state.word().to_lowercase().contains("running")
                && cpu.is_some_and(|cpu| cpu > 95.0)
                && row.it.tags.get("team").is_some_and(|team| team.to_lowercase().contains("auth"))
        }),
        filter("filter by a regular expression", "name:/^core-(dev|prod).*7$/", |ctx, at| {
            let name = ctx.fleet.instances[at as usize].it.name().unwrap_or("").to_lowercase();
            (name.starts_with("core-dev") || name.starts_with("core-prod")) && name.ends_with('7')
        }),
        order("sort by number", "cpu:desc"),
        order("sort by moment", "launched_at"),
        order("sort by text with numbers", "name"),
        order("sort by few texts, then id", "zone,id"),
    ]
}

fn order(name: &'static str, text: &str) -> Case {
    let by = Sort::parse(text, Kind::Instances).unwrap();
    let ours = by.clone();
    Case {
        name,
        ours: Box::new(move |ctx| {
            let mut rows: Vec<u32> = (0..ROWS).collect();
            sort(&ours, ctx, Kind::Instances, &mut rows);
            rows
        }),
        plain: Box::new(move |ctx| {
            let mut rows: Vec<u32> = (0..ROWS).collect();
            rows.sort_by(|a, b| {
                by.by
                    .iter()
                    .map(|(column, direction)| {
                        let cell = |at: u32| (column.get)(ctx, at as usize);
                        compare(&cell(*a), &cell(*b), *direction == coredeck::query::Direction::Down)
                    })
                    .find(|order| order.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            rows
        }),
    }
}

fn compare(a: &Value<'_>, b: &Value<'_>, is_down: bool) -> std::cmp::Ordering {
    let rank = |value: &Value<'_>| match value {
        Value::Unknown(_) => 2,
        Value::Absent => 1,
        _ => 0,
    };
    rank(a).cmp(&rank(b)).then_with(|| {
        let known = match (a, b) {
            (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
            (Value::Moment(a), Value::Moment(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => natural::order(a, b),
            _ => std::cmp::Ordering::Equal,
        };
        if is_down { known.reverse() } else { known }
    })
}

/// Every searched cell as a new lower-case text.
fn any_text(ctx: Ctx<'_>, at: u32, is_found: impl Fn(&str) -> bool) -> bool {
    let columns = Kind::Instances.columns().iter().filter(|column| {
        column.unit == Unit::Tags
            || (column.shown == Shown::Always && matches!(column.unit, Unit::Text | Unit::Health))
    });
    let texts = columns.flat_map(|column| match (column.get)(ctx, at as usize) {
        Value::Text(text) => vec![text.to_lowercase()],
        Value::Health(health) => vec![health.word().to_lowercase()],
        Value::Tags(tags) => tags.iter().flat_map(|(k, v)| [k.to_lowercase(), v.to_lowercase()]).collect(),
        _ => Vec::new(),
    });
    texts.into_iter().any(|text| is_found(&text))
}

fn queries(criterion: &mut Criterion) {
    let fleet = fleet();
    let ctx = Ctx { fleet: &fleet, now: fleet.at };
    let mut group = criterion.benchmark_group("100,000 instances");
    group.sample_size(20);
    for case in cases() {
        assert_eq!((case.ours)(ctx), (case.plain)(ctx), "{}: both ways must find the same", case.name);
        group.bench_function(case.name, |bencher| bencher.iter(|| black_box((case.ours)(ctx))));
    }
    group.finish();
}

/// The middle of several runs.
fn median(run: impl Fn() -> Vec<u32>) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn ratios() {
    let fleet = fleet();
    let ctx = Ctx { fleet: &fleet, now: fleet.at };
    println!("\n{:<36} {:>10} {:>10} {:>7}", "100,000 instances", "ours", "plain", "ratio");
    for case in cases() {
        let (ours, plain) = (median(|| (case.ours)(ctx)), median(|| (case.plain)(ctx)));
        let ratio = plain.as_secs_f64() / ours.as_secs_f64();
        let over = if ours > Duration::from_millis(16) { "  over the budget of 16 ms" } else { "" };
        println!("{:<36} {ours:>10.2?} {plain:>10.2?} {ratio:>6.1}x{over}", case.name);
    }
}

criterion_group!(benches, queries);

fn main() {
    benches();
    // `cargo test` only asks whether both ways agree.
    if std::env::args().any(|arg| arg == "--bench") {
        ratios();
    }
    Criterion::default().configure_from_args().final_summary();
}
