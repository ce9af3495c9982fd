//! What must hold of every query, sort and row: laws, checked on made-up ones.

use super::made::{cpu, fleet, row, scope, with};
use super::{Ctx, Direction, Fault, Kind, Query, Sort, Truth, Width, natural, select, sort};
use crate::fleet::{Fleet, InstanceRow};
use crate::gateway::Source;
use crate::model::{Health, InstanceState, Lifecycle};
use proptest::prelude::*;
use std::cmp::Ordering;

/// A query with a meaning of its own, evaluated without any of the code under test.
#[derive(Clone, Debug)]
enum Plain {
    Word(String),
    StateHas(String),
    CpuOver(u8),
    CpuUnknown,
    CpuAbsent,
    TagHas(String),
    NameIs(String),
    OlderThan(u16),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl Plain {
    fn text(&self) -> String {
        match self {
            Self::Word(word) => format!("\"{word}\""),
            Self::StateHas(part) => format!("state:{part}"),
            Self::CpuOver(percent) => format!("cpu > {percent}%"),
            Self::CpuUnknown => "cpu:?".to_owned(),
            Self::CpuAbsent => "cpu:-".to_owned(),
            Self::TagHas(part) => format!("tag.\"a:b\":{part}"),
            Self::NameIs(name) => format!("name={name}"),
            Self::OlderThan(minutes) => format!("age>{minutes}m"),
            Self::Not(inner) => format!("!({})", inner.text()),
            Self::And(a, b) => format!("({}) ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
        }
    }

    /// Yes, no, or not known.
    fn holds(&self, row: &InstanceRow) -> Option<bool> {
        let has = |text: Option<&str>, part: &str| {
            text.is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
        };
        let percent = match &row.metrics {
            crate::model::Known::Yes(metrics) => Some(metrics.as_ref().map(|m| m.cpu[0].value)),
            crate::model::Known::No(_) => None,
        };
        match self {
            Self::Word(word) => Some(
                [
                    Some(row.it.id.as_str()),
                    row.it.name(),
                    Some(row.it.state.word()),
                    Some("t3.small"),
                    Some("ok"),
                ]
                .into_iter()
                .chain([Some("eu-west-1a"), Some("on-demand")])
                .chain(row.it.tags.iter().flat_map(|(k, v)| [Some(k), Some(v)]))
                .any(|text| has(text, word)),
            ),
            Self::StateHas(part) => Some(has(Some(row.it.state.word()), part)),
            Self::CpuOver(least) => percent.map(|cpu| cpu.is_some_and(|cpu| cpu > f64::from(*least))),
            Self::CpuUnknown => Some(percent.is_none()),
            Self::CpuAbsent => percent.map(|cpu| cpu.is_none()),
            Self::TagHas(part) => Some(has(row.it.tags.get("a:b"), part)),
            Self::NameIs(name) => {
                Some(row.it.name().is_some_and(|n| n.to_lowercase() == name.to_lowercase()))
            }
            Self::OlderThan(minutes) => {
                Some(row.it.launched_at.is_some_and(|at| {
                    super::made::NOW.as_second() - at.as_second() > i64::from(*minutes) * 60
                }))
            }
            Self::Not(inner) => inner.holds(row).map(|holds| !holds),
            Self::And(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    let leaf = prop_oneof![
        "[a-cA-C1-3 -]{1,3}".prop_map(Plain::Word),
        "(run|stop|p|ING)".prop_map(Plain::StateHas),
        (0..100u8).prop_map(Plain::CpuOver),
        Just(Plain::CpuUnknown),
        Just(Plain::CpuAbsent),
        "[abAB1]{1,2}".prop_map(Plain::TagHas),
        "[ab]{1,2}".prop_map(Plain::NameIs),
        (0..300u16).prop_map(Plain::OlderThan),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| Plain::Not(Box::new(a))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Plain::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Plain::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn rows(most: usize) -> impl Strategy<Value = Vec<InstanceRow>> {
    let one = (
        "i-[a-c0-3]{1,4}",
        proptest::option::of("[abAB]{1,3}|[ab]?[xX]x{30}[abA0-2]{0,2}"),
        proptest::option::of("[abAB1 ]{0,4}"),
        proptest::option::of(proptest::option::of(0..100u8)),
        any::<bool>(),
        proptest::option::of(0..20_000u32),
    );
    let one = one.prop_map(|(id, name, tag, percent, is_running, age)| {
        let tags: Vec<(&str, &str)> =
            [name.as_deref().map(|n| ("Name", n)), tag.as_deref().map(|t| ("a:b", t))]
                .into_iter()
                .flatten()
                .collect();
        let mut row = with(row(&id, &tags), |it| {
            it.state = if is_running { InstanceState::Running } else { InstanceState::Stopped };
            it.launched_at = age.map(|age| super::made::NOW - std::time::Duration::from_secs(age.into()));
        });
        row.metrics = cpu(percent.map(|known| known.map(f64::from)));
        row
    });
    proptest::collection::vec(one, 0..most)
}

fn ctx(fleet: &Fleet) -> Ctx<'_> {
    Ctx { fleet, now: fleet.at }
}

fn well_placed(faults: &[Fault], text: &str) -> bool {
    !faults.is_empty()
        && faults
            .iter()
            .all(|fault| text.get(fault.span.clone()).is_some() && fault.render(text).lines().count() >= 3)
}

/// Pieces that are likelier than random characters to reach every corner of the grammar.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,3}",
        Just("cpu".to_owned()),
        Just("name".to_owned()),
        Just("launched_at".to_owned()),
        Just("health".to_owned()),
        Just("tag.".to_owned()),
        "(:|=|!=|<|<=|>|>=|!|,|\\(|\\)|\"|/|\\\\|\\*|\\?|-| |%)",
        "(and|or|not|2h|80|80%|2026-01-01|warn)",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A part of a query as it is typed.
fn narrowing() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c1]{1,3}",
        "(state|name):[a-cnrk1]{1,2}",
        "tag\\.\"a:b\":[a-c]{1,2}",
        Just("cpu:?".to_owned()),
        Just("cpu>50".to_owned()),
        Just("!b".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), kind in proptest::sample::select(Kind::ALL.to_vec())) {
        if let Err(faults) = Query::parse(&text, kind) {
            prop_assert!(well_placed(&faults, &text));
        }
        if let Err(faults) = Sort::parse(&text, kind) {
            prop_assert!(well_placed(&faults, &text));
        }
    }

    #[test]
    fn what_is_written_is_read_back_the_same(text in pieces()) {
        match Query::parse(&text, Kind::Instances) {
            Ok(query) => {
                let written = query.to_string();
                let again = Query::parse(&written, Kind::Instances);
                prop_assert_eq!(again.as_ref(), Ok(&query), "{:?} was written as {:?}", text, written);
            }
            Err(faults) => prop_assert!(well_placed(&faults, &text), "{:?}: {:?}", text, faults),
        }
    }

    #[test]
    fn a_searcher_says_what_the_query_says(
        text in "(!|i-|un|1a|[a-cx1-3*?/^$\" -]|t3|ok|prod|-|or |spot){1,6}", rows in rows(40)
    ) {
        let Ok(query) = Query::parse(&text, Kind::Instances) else { return Ok(()) };
        let rows = rows.into_iter().zip(0..).map(|(mut row, at): (InstanceRow, usize)| {
            row.tier = (at % 3 > 0).then(|| ["production", "", "a b"][at % 3].into());
            row.group = (at % 4 > 1).then(|| format!("asg-{}", at % 5).into());
            row.health = [Health::Ok, Health::Unknown, Health::Bad][at % 3];
            let make = crate::model::Make {
                instance_type: ["t3.small", "", "c5.2xlarge"][at % 3].into(),
                zone: ["us-east-1a", "us-east-1b"][at % 2].into(),
                lifecycle: [Lifecycle::Spot, Lifecycle::OnDemand][at % 2],
                ..Default::default()
            };
            with(row, |it| {
                it.make = std::sync::Arc::new(make);
                it.private_ip = (at % 2 == 0).then(|| format!("10.1.{at}.3").into());
            })
        });
        let fleet = fleet(rows.collect());
        let searcher = query.searcher(ctx(&fleet));
        for at in 0..=fleet.instances.len() {
            prop_assert_eq!(searcher.truth(at), query.truth(ctx(&fleet), at), "{} of row {}", text, at);
        }
    }

    #[test]
    fn a_query_means_what_it_says(plain in plain(), rows in rows(40)) {
        let query = Query::parse(&plain.text(), Kind::Instances).expect("generated queries are right");
        let fleet = fleet(rows);
        let truth = |at: usize| match plain.holds(&fleet.instances[at]) {
            Some(true) => Truth::True,
            Some(false) => Truth::False,
            None => Truth::Unknown,
        };
        let expected: Vec<u32> = (0..fleet.instances.len()).filter(|at| truth(*at).is_true()).map(|at| at as u32).collect();
        prop_assert_eq!(select(&query, ctx(&fleet), Kind::Instances), expected);
        for at in 0..fleet.instances.len() {
            prop_assert_eq!(query.truth(ctx(&fleet), at), truth(at), "{} of {}", plain.text(), at);
        }
    }

    #[test]
    fn what_is_certain_without_a_source_stays_so_whatever_it_says(plain in plain(), rows in rows(40)) {
        let query = Query::parse(&plain.text(), Kind::Instances).unwrap();
        let fleet = fleet(rows);
        let asks = query.columns_used().iter().any(|column| column.needs.contains(&Source::Metrics));
        for at in 0..fleet.instances.len() {
            let before = query.truth_without(Source::Metrics, ctx(&fleet), at);
            if before != Truth::Unknown || !asks {
                prop_assert_eq!(before, query.truth(ctx(&fleet), at), "{} of {}", plain.text(), at);
            }
        }
    }

    #[test]
    fn a_row_is_selected_by_a_query_or_its_negation_or_its_answer_is_unknown(plain in plain(), rows in rows(40)) {
        let fleet = fleet(rows);
        let yes = Query::parse(&plain.text(), Kind::Instances).unwrap();
        let no = Query::parse(&format!("not ({})", plain.text()), Kind::Instances).unwrap();
        let sum = select(&yes, ctx(&fleet), Kind::Instances).len()
            + select(&no, ctx(&fleet), Kind::Instances).len()
            + super::undecided(&yes, ctx(&fleet));
        prop_assert_eq!(sum, fleet.instances.len());
    }

    #[test]
    fn sorting_is_stable_and_keeps_what_is_unknown_last(rows in rows(160), is_down in any::<bool>()) {
        let fleet = fleet(rows);
        let direction = if is_down { Direction::Down } else { Direction::Up };
        let cell = |at: u32| match &fleet.instances[at as usize].metrics {
            crate::model::Known::Yes(Some(metrics)) => (0, metrics.cpu[0].value),
            crate::model::Known::Yes(None) => (1, 0.0),
            crate::model::Known::No(_) => (2, 0.0),
        };
        let mut expected: Vec<u32> = (0..fleet.instances.len() as u32).collect();
        let mut sorted = expected.clone();
        expected.sort_by(|a, b| {
            let ((rank, a), (other, b)) = (cell(*a), cell(*b));
            rank.cmp(&other).then(if is_down { b.total_cmp(&a) } else { a.total_cmp(&b) })
        });
        sort(&Sort::by(Kind::Instances.column("cpu").unwrap(), direction), ctx(&fleet), Kind::Instances, &mut sorted);
        prop_assert_eq!(sorted, expected);
    }

    #[test]
    fn a_query_that_narrows_another_answers_nothing_beside_it(
        before in prop::collection::vec(narrowing(), 1..3),
        behind in narrowing(),
        longer in "[a-c1]{0,2}",
        rows in rows(40),
    ) {
        let old = before.join(" ");
        let fleet = fleet(rows);
        let query = |text: &str| Query::parse(text, Kind::Instances).unwrap();
        for new in [format!("{old}{longer}"), format!("{old} {behind}"), behind] {
            // A letter more may make something that cannot be read.
            let (old, Ok(new)) = (query(&old), Query::parse(&new, Kind::Instances)) else { continue };
            if !new.narrows(&old) {
                continue;
            }
            for at in 0..fleet.instances.len() {
                let (old, new) = (old.truth(ctx(&fleet), at), new.truth(ctx(&fleet), at));
                prop_assert!(new <= old, "{new:?} where it was {old:?}: {at}");
            }
        }
    }

    #[test]
    fn sorting_by_several_texts_equals_the_plain_way(rows in rows(160), is_down in any::<bool>()) {
        let fleet = fleet(rows);
        let by = Sort::parse(if is_down { "-name,id" } else { "name,id" }, Kind::Instances).unwrap();
        let mut sorted: Vec<u32> = (0..fleet.instances.len() as u32).rev().collect();
        let mut expected = sorted.clone();
        sort(&by, ctx(&fleet), Kind::Instances, &mut sorted);
        expected.sort_by(|a, b| by_name_then_id(&fleet, is_down, *a, *b));
        prop_assert_eq!(sorted, expected);
    }
}

#[test]
fn many_rows_are_shared_among_threads_in_their_order() {
    let fleet = fleet((0..70_001).map(|at| row(&format!("i-{at}"), &[])).collect());
    let query = Query::parse("id:i-7*", Kind::Instances).unwrap();
    let expected: Vec<u32> = (0..70_001).filter(|at: &u32| at.to_string().starts_with('7')).collect();
    assert_eq!(select(&query, ctx(&fleet), Kind::Instances), expected);
    let all = select(&Query::every(Kind::Instances), ctx(&fleet), Kind::Instances);
    assert_eq!(all.len(), 70_001);
    assert!(select(&query, ctx(&fleet), Kind::Groups).is_empty());
}

#[test]
fn every_field_of_an_instance_is_a_column_with_the_same_value() {
    let fleet = fleet(vec![row("i-1", &[("Name", "x"), ("Env", "y")])]);
    let fields = serde_json::to_value(fleet.instances[0].it.as_ref()).unwrap();
    for (field, value) in fields.as_object().unwrap() {
        let name = if field == "instance_type" { "type" } else { field };
        let column = Kind::Instances.columns().iter().find(|column| column.name == name).expect(field);
        assert_eq!(column.json(ctx(&fleet), 0), *value, "{field}");
    }
}

#[test]
fn accounts_and_regions_show_as_soon_as_there_are_two() {
    let names = |fleet: &Fleet| {
        Kind::Instances
            .visible(fleet, Width::Narrow)
            .iter()
            .take(2)
            .map(|column| column.name)
            .collect::<Vec<_>>()
    };
    let mut rows = vec![row("i-1", &[]), row("i-2", &[])];
    assert_eq!(names(&fleet(rows.clone())), ["id", "name"]);
    rows[1].scope = scope("main", "us-east-1");
    assert_eq!(names(&fleet(rows.clone())), ["region", "id"]);
    rows.push(row("i-3", &[]));
    rows[2].scope = scope("other", "eu-west-1");
    assert_eq!(names(&fleet(rows)), ["account", "region"]);
}

#[test]
fn a_row_is_found_by_what_people_call_it() {
    let fleet = fleet(vec![row("i-1", &[("Name", "x")]), row("i-2", &[("Name", "x")])]);
    assert_eq!(Kind::Instances.find(ctx(&fleet), "i-2"), [1]);
    assert_eq!(Kind::Instances.find(ctx(&fleet), "x"), [0, 1]);
    assert!(Kind::Instances.find(ctx(&fleet), "X").is_empty());
}

#[test]
fn a_sort_is_written_as_it_is_read_and_its_faults_are_placed() {
    let sort = Sort::parse(" -cpu , name:asc", Kind::Instances).unwrap();
    assert_eq!(sort.to_string(), "cpu:desc,name");
    assert_eq!(Sort::parse(&sort.to_string(), Kind::Instances).unwrap(), sort);
    assert!(Sort::parse("", Kind::Instances).unwrap().by.is_empty());
    let faults = Sort::parse("nmae,cpu:dwon,,tags", Kind::Instances).unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.span.clone(), fault.hint.as_deref())).collect();
    assert_eq!(
        told,
        [
            (0..4, Some("did you mean 'name'?")),
            (9..13, Some("write asc or desc")),
            (14..14, None),
            (15..19, None)
        ]
    );
}

/// The order of `name,id` or `-name,id`, the plain way.
fn by_name_then_id(fleet: &Fleet, is_down: bool, a: u32, b: u32) -> Ordering {
    let (a, b) = (&fleet.instances[a as usize].it, &fleet.instances[b as usize].it);
    let names = match (a.name(), b.name()) {
        (Some(a), Some(b)) if is_down => natural::order(b, a),
        (Some(a), Some(b)) => natural::order(a, b),
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
    };
    names.then_with(|| natural::order(a.id.as_str(), b.id.as_str()))
}

#[test]
fn long_runs_of_equal_texts_are_sorted_by_what_comes_behind() {
    let long = "a-name-that-is-longer-than-what-a-sort-looks-at-first-";
    let rows = (0..3_000_u32).map(|at| {
        let scattered = at.wrapping_mul(2_654_435_761) >> 8;
        let name = match scattered % 7 {
            0 => String::new(),
            1 => "Web".to_owned(),
            2 => "web".to_owned(),
            n => format!("{long}{}{}", if n == 3 { "X-" } else { "x-" }, scattered / 7 % 12),
        };
        row(&format!("i-{}", scattered % 40), &[("Name", &name)])
    });
    let fleet = fleet(rows.collect());
    for is_down in [false, true] {
        let by = Sort::parse(if is_down { "-name,id" } else { "name,id" }, Kind::Instances).unwrap();
        let mut sorted: Vec<u32> = (0..3_000).rev().collect();
        let mut expected = sorted.clone();
        sort(&by, ctx(&fleet), Kind::Instances, &mut sorted);
        expected.sort_by(|a, b| by_name_then_id(&fleet, is_down, *a, *b));
        assert_eq!(sorted, expected);
    }
}
