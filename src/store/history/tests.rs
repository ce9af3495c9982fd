//! What was read is what is shown for a moment, whatever happened to the history between.

use super::*;
use crate::gateway::Reading;
use crate::model::{Agent, InstanceId, TierName};
use crate::snapshot::{Measure, Subject};
use proptest::prelude::*;

const VIEW: &str = "prod";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

fn scope() -> Arc<Scope> {
    Arc::new(Scope { account: "a".into(), region: "r".into() })
}

fn agent(id: u8, ping: u8) -> Agent {
    Agent {
        id: format!("i-{id:03}").into(),
        ping: ["Online", "ConnectionLost", "Inactive"][usize::from(ping % 3)].into(),
        last_ping_at: None,
        version: None,
        platform: (ping > 2).then(|| "Amazon Linux \u{1b}[2J\n=0,1".into()),
    }
}

fn part(rows: &[(u8, u8)], as_of: Timestamp) -> Arc<Part> {
    let mut part = Part::new(scope());
    part.settle(Reading::Agents(rows.iter().map(|(id, ping)| agent(*id, *ping)).collect()), as_of, true);
    Arc::new(part)
}

fn open(file: &Path) -> History {
    History::open(Some(file.to_owned()), VIEW, Limits::default(), at(0)).unwrap()
}

/// What is shown of the agents at a moment: the rows by id, and their age.
fn shown(history: &History, moment: Timestamp) -> Option<(Vec<Agent>, Timestamp)> {
    let parts = history.at(moment).unwrap().recv().unwrap().unwrap();
    let part = parts.into_iter().next()?;
    let agents = part.agents.value.as_ref()?;
    assert!(part.agents.is_whole && part.agents.trouble.is_none());
    Some((agents.as_ref().clone(), part.agents.as_of?))
}

fn sorted(rows: &[(u8, u8)]) -> Vec<Agent> {
    let mut agents: Vec<Agent> = rows.iter().map(|(id, ping)| agent(*id, *ping)).collect();
    agents.sort_by(|a, b| a.id.cmp(&b.id));
    agents
}

#[derive(Clone, Debug)]
enum Event {
    /// The list is read after so many seconds, and these rows are another.
    Read(i64, Vec<(u8, u8)>),
    /// The same list is read again, in another order.
    Again(i64),
    /// The program ends and begins.
    Reopen,
    /// Another program writes meanwhile what it reads.
    Other(i64, Vec<(u8, u8)>),
    /// Everything older than so many seconds is cut away, by another program.
    Cut(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Few rows: lists of which most rows change at once are kept less often.
    let rows = || {
        proptest::collection::btree_map(0_u8..12, 0_u8..4, 0..10)
            .prop_map(|rows| rows.into_iter().collect::<Vec<_>>())
    };
    let event = prop_oneof![
        4 => (1_i64..4000, rows()).prop_map(|(after, rows)| Event::Read(after, rows)),
        3 => (1_i64..4000).prop_map(Event::Again),
        1 => Just(Event::Reopen),
        1 => (1_i64..4000, rows()).prop_map(|(after, rows)| Event::Other(after, rows)),
        1 => (0_i64..20_000).prop_map(Event::Cut),
    ];
    proptest::collection::vec(event, 1..24)
}

/// What must be shown: the last list that was read, for an hour; as new as the moment itself where the same
/// was found again soon after it.
fn expected(reads: &[(i64, Vec<(u8, u8)>)], moment: i64) -> Option<(Vec<Agent>, Timestamp)> {
    let nth = reads.iter().rposition(|(read, _)| *read <= moment)?;
    let (read, rows) = &reads[nth];
    let goes_on = reads
        .get(nth + 1)
        .is_some_and(|(next, again)| next - read <= 20 * 60 && sorted(again) == sorted(rows));
    let as_of = if goes_on { moment } else { *read };
    (moment - as_of <= 3600).then(|| (sorted(rows), at(as_of)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_read_is_what_is_shown(events in events(), moments in proptest::collection::vec(0.0..1.0_f64, 8)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let mut history = open(&file);
        let (mut reads, mut now, mut cutoff) = (Vec::<(i64, Vec<(u8, u8)>)>::new(), 0, i64::MIN);
        for event in events {
            match event {
                Event::Read(after, rows) => {
                    now += after;
                    history.keep(&part(&rows, at(now)), Source::Agents);
                    reads.push((now, rows));
                }
                Event::Again(after) => {
                    let Some((_, rows)) = reads.last() else { continue };
                    let rows: Vec<_> = rows.iter().rev().copied().collect();
                    now += after;
                    history.keep(&part(&rows, at(now)), Source::Agents);
                    reads.push((now, rows));
                }
                Event::Reopen => {
                    drop(history);
                    history = open(&file);
                }
                Event::Other(after, rows) => {
                    now += after;
                    // What this one still has to write comes before it.
                    shown(&history, at(now));
                    let other = open(&file);
                    other.keep(&part(&rows, at(now)), Source::Agents);
                    drop(other);
                    reads.push((now, rows));
                }
                Event::Cut(ago) => {
                    shown(&history, at(now));
                    cutoff = cutoff.max(now - ago);
                    cut_history(&file, at(now - ago)).unwrap();
                }
            }
        }
        let edges = reads.iter().flat_map(|(read, _)| [*read - 1, *read, *read + 1]);
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let between = moments.iter().map(|share| (share * (now + 4000) as f64) as i64);
        for moment in edges.chain(between).filter(|moment| *moment >= cutoff) {
            prop_assert_eq!(shown(&history, at(moment)), expected(&reads, moment), "at {} of {:?}", moment, reads);
        }
        prop_assert_eq!(history.trouble(), None);
    }
}

#[test]
fn what_nobody_read_is_not_shown_as_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(&folder.path().join("history.db"));
    history.keep(&part(&[], at(100)), Source::Agents);
    let parts = history.at(at(110)).unwrap().recv().unwrap().unwrap();
    assert_eq!(parts[0].agents.value.as_deref(), Some(&vec![]), "read, and empty");
    assert!(parts[0].instances.value.is_none() && parts[0].instances.as_of.is_none(), "never read");
    assert!(history.at(at(99)).unwrap().recv().unwrap().unwrap().is_empty());
    assert!(history.at(at(100 + 3601)).unwrap().recv().unwrap().unwrap().is_empty());
    assert_eq!(history.since(), Some(at(100)));
}

#[test]
fn what_is_kept_begins_where_the_first_reading_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(&folder.path().join("history.db"));
    history.keep(&part(&[(1, 1)], at(100)), Source::Agents);
    let mut rest = Part::new(scope());
    rest.settle(Reading::Instances(vec![]), at(130), true);
    rest.settle(Reading::Images(vec![]), at(1300), true);
    let rest = Arc::new(rest);
    history.keep(&rest, Source::Instances);
    history.keep(&rest, Source::Images);
    history.at(at(130)).unwrap().recv().unwrap().unwrap();
    assert_eq!(history.since(), Some(at(130)), "a list that somebody asked for later does not move it");
}

#[test]
fn the_very_same_list_is_written_once_a_minute_and_found_as_late_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let mut db = tables::open(Some(&file), at(0)).unwrap().db;
    db.busy_timeout(std::time::Duration::ZERO).unwrap();
    let (mut frames, other) = (Frames::default(), Connection::open(&file).unwrap());
    let list = row::rows(&part(&[(1, 1)], at(0)), Source::Agents).unwrap();
    let place = (&*scope(), Source::Agents);
    let mut keep = |db: &mut Connection, second| frames.keep(db, VIEW, place, at(second), &list);
    assert!(keep(&mut db, 0).unwrap());
    other.execute_batch("begin immediate").unwrap();
    for second in [15, 30, 59] {
        assert!(!keep(&mut db, second).unwrap(), "nothing is written, so another may hold the file");
    }
    assert!(keep(&mut db, 60).is_err(), "now it must be");
    other.execute_batch("commit").unwrap();
    assert!(!keep(&mut db, 61).unwrap());
    assert!(!keep(&mut db, 75).unwrap());
    frames.close(&db).unwrap();
    let kept = kept_at(&file, VIEW, at(80)).unwrap();
    assert_eq!(kept[0].agents.as_of, Some(at(75)));
}

#[test]
fn each_view_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    open(&file).keep(&part(&[(1, 1)], at(10)), Source::Agents);
    let other = History::open(Some(file.clone()), "demo", Limits::default(), at(20)).unwrap();
    assert!(other.at(at(10)).unwrap().recv().unwrap().unwrap().is_empty());
    assert_eq!(kept_at(&file, VIEW, at(10)).unwrap().len(), 1);
    let facts = history_facts(&file, VIEW).unwrap().unwrap();
    assert_eq!((facts.lists.len(), facts.lists[0].rows, facts.other_views), (1, 1, 0));
}

#[test]
fn figures_come_back_after_a_restart_and_metrics_as_they_were_then() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let sample = |subject: &Subject, measure, second, value| Sample {
        subject: subject.clone(),
        measure,
        at: at(second),
        value,
    };
    let tier = Subject::Tier(Some(TierName::new("shared")));
    let host = Subject::Instance(scope().as_ref().clone(), InstanceId::new("i-1"));
    let history = open(&file);
    for (second, value) in [(0, 3.0), (60, 3.0), (120, 3.0), (180, 4.0), (170, 9.0), (2000, 4.0)] {
        history.note(vec![sample(&tier, Measure::Cores, second, value)]);
    }
    history.note(vec![
        sample(&host, Measure::Cpu, 100, 7.5),
        sample(&host, Measure::Cpu, 400, 8.5),
        sample(&host, Measure::Cpu, 400, f64::NAN),
        sample(&host, Measure::Credits, 300, 100.0),
    ]);
    drop(history);
    let history = open(&file);
    let parts = history.at(at(350)).unwrap().recv().unwrap().unwrap();
    let metrics = &parts[0].metrics.value.as_ref().unwrap()[0];
    assert_eq!(metrics.cpu.iter().map(|point| (point.at, point.value)).collect::<Vec<_>>(), [(at(100), 7.5)]);
    assert_eq!((metrics.credits.len(), parts[0].metrics.as_of), (1, Some(at(300))));
    let trends = history.take_trends().unwrap();
    let spans: Vec<_> = trends
        .get(&tier, Measure::Cores)
        .unwrap()
        .spans()
        .iter()
        .map(|it| (it.from, it.until, it.value))
        .collect();
    assert_eq!(spans, [(at(0), at(120), 3.0), (at(180), at(180), 4.0), (at(2000), at(2000), 4.0)]);
    assert!(history.take_trends().is_none());
}

/// Lists of which each has some rows that no other has.
fn busy(history: &History, from: i64, count: i64) {
    for nth in from..from + count {
        let row =
            |id: u8| Agent { version: Some(format!("{nth}-{id}-{}", "x".repeat(40)).into()), ..agent(id, 0) };
        let mut part = Part::new(scope());
        part.settle(Reading::Agents((0..15).map(row).collect()), at(nth * 60), true);
        history.keep(&Arc::new(part), Source::Agents);
        // The writer keeps up: nothing is passed over.
        history.at(at(0)).unwrap().recv().unwrap().unwrap();
    }
}

#[test]
fn the_oldest_goes_when_it_takes_too_much_and_what_is_newer_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let limits = Limits { bytes: 100 << 10, ..Limits::default() };
    let history = History::open(Some(file.clone()), VIEW, limits, at(0)).unwrap();
    busy(&history, 0, 700);
    assert_eq!(history.trouble(), None);
    let (rows, as_of) = shown(&history, at(699 * 60)).unwrap();
    assert_eq!((rows.len(), as_of), (15, at(699 * 60)));
    assert!(rows[0].version.as_ref().unwrap().starts_with("699-"));
    assert_eq!(shown(&history, at(0)), None);
    let since = history.since().unwrap();
    assert!(since > at(0) && since < at(690 * 60), "{since}");
    drop(history);
    assert!(std::fs::metadata(&file).unwrap().len() <= 120 << 10, "the disk has it back");
}

#[test]
fn a_list_of_which_one_picture_is_too_large_is_told() {
    let limits = Limits { bytes: 16 << 10, ..Limits::default() };
    let history = History::open(None, VIEW, limits, at(0)).unwrap();
    let row = |id: u32| Agent {
        // Nothing that could be compressed.
        version: Some(
            format!("{:x}", u128::from(id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
                .into(),
        ),
        id: format!("i-{id}").into(),
        ..agent(0, 0)
    };
    let mut part = Part::new(scope());
    part.settle(Reading::Agents((0..4000).map(row).collect()), at(1), true);
    history.keep(&Arc::new(part), Source::Agents);
    assert_eq!(shown(&history, at(1)), None);
    let trouble = history.trouble().unwrap();
    assert!(trouble.starts_with("agents of a/r: not kept for later"), "{trouble}");
}

#[test]
fn what_is_wrong_with_the_file_is_told_and_nothing_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    std::fs::write(&file, "this is no database, and long enough to be looked at as one".repeat(9)).unwrap();
    let history = open(&file);
    history.keep(&part(&[(1, 1)], at(10)), Source::Agents);
    assert!(shown(&history, at(10)).is_some());
    let trouble = history.trouble().unwrap();
    assert!(trouble.contains("damaged and is begun anew; the old one is"), "{trouble}");
    drop(history);

    let other = Connection::open(&file).unwrap();
    other.execute_batch("pragma locking_mode = exclusive; begin exclusive; create table t (x);").unwrap();
    let history = open(&file);
    history.keep(&part(&[(2, 2)], at(20)), Source::Agents);
    let answer = history.at(at(20)).unwrap().recv().unwrap().unwrap_err();
    assert!(answer.starts_with("nothing of this run is kept for later"), "{answer}");
    assert_eq!(history.trouble(), Some(answer));
    assert!(kept_at(&file, VIEW, at(10)).unwrap_err().message.contains("cannot be opened"));
    drop(other);
    assert!(
        kept_at(&folder.path().join("none.db"), VIEW, at(10))
            .unwrap_err()
            .message
            .contains("nothing is kept")
    );
}

#[test]
fn rows_that_this_version_cannot_read_are_missing_and_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let history = open(&file);
    history.keep(&part(&[(1, 1), (2, 2)], at(10)), Source::Agents);
    drop(history);
    use std::io::Write;
    let mut body = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    let row = serde_json::to_string(&agent(1, 1)).unwrap();
    writeln!(body, "{row}\n{{\"of\": \"another version\"}}").unwrap();
    let db = Connection::open(&file).unwrap();
    db.execute("update frame set body = ?1", [body.finish().unwrap()]).unwrap();
    drop(db);
    let parts = kept_at(&file, VIEW, at(10)).unwrap();
    assert_eq!(parts[0].agents.value.as_ref().unwrap().len(), 1);
    assert!(!parts[0].agents.is_whole);
    let said = &parts[0].agents.trouble.as_ref().unwrap().message;
    assert!(said.starts_with("1 of the agents kept then cannot be read"), "{said}");
}
