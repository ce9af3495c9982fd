//! The page of a rollout: waves, groups, checkpoints, what AWS says, what it is judged by, and the buttons that steer
//! it. Keys and clicks in, screen out; the journal is put together by hand.

use super::fleet;
use coredeck::gateway::Change;
use coredeck::gateway::change::{Preferences, Token};
use coredeck::model::{AccountId, Handling, Scope, TemplateRef};
use coredeck::ops::counter::{Listed, Logged, Order, Register};
use coredeck::ops::event::{At, Event, Way};
use coredeck::ops::launching::{Judged, LaunchFact};
use coredeck::ops::plan::{
    Account, Aftermath, Cost, Ending, GOOD_FOR, Leg, Most, Pool, Proof, SCHEMA, leg, wait,
};
use coredeck::ops::progress::line;
use coredeck::ops::{
    Aspect, Condition, Intent, Lane, OnTimeout, OpState, Outcome, Plan, Step, Undo, Value, Verb,
};
use coredeck::store::journal::{Entry, OpRecord, Who};
use coredeck::tui::decode::{Button, Mouse};
use coredeck::tui::headless::Headless;
use coredeck::tui::{Effect, Input};
use std::sync::Arc;

fn start(group: &str) -> Change {
    let preferences = Preferences {
        min_healthy: 100,
        max_healthy: 110,
        warmup_s: 60,
        checkpoints: vec![20, 50, 100],
        checkpoint_delay_s: 600,
        skips_matching: true,
        rolls_back: true,
        protected: Handling::Ignore,
        standby: Handling::Ignore,
        alarms: vec!["web-errors".into()],
        bake_s: 900,
    };
    Change::StartRefresh { group: group.into(), preferences: Box::new(preferences), desired: None }
}

fn lane(group: &str, tier: &str) -> Lane {
    Lane {
        name: group.to_owned(),
        target: group.to_owned(),
        scope: Scope { account: "prod".into(), region: "eu-west-1".into() },
        tier: Some(tier.to_owned()),
        facts: Vec::new(),
        steps: vec![
            undone(
                format!("refresh {group} from version 3 to version 4 of web; first 3 of 12 and judge them"),
                {
                    let until = Condition::AtLeast { fact: fit(group), count: 3 };
                    let ring = Condition::AtLeast { fact: rings(), count: 1 };
                    Leg {
                        until,
                        judges: vec![fit(group), rings()],
                        ends: vec![Ending {
                            when: ring,
                            why: "an alarm rings".to_owned(),
                            then: Aftermath::Turn,
                        }],
                        ..leg(start(group), Condition::Taken, 86_400, 30)
                    }
                },
            ),
            step(format!("wait until the rest of {group} has followed"), wait(Condition::Taken, 86_400, 30)),
        ],
    }
}

fn step(title: String, go: Leg) -> Step {
    Step {
        title,
        go,
        undo: Undo::Impossible { why: "a test".to_owned() },
        proof: Proof::Proved,
        expected_s: 3_600,
        may_be_forced: false,
    }
}

/// A step that AWS takes back.
fn undone(title: String, go: Leg) -> Step {
    let Some(Change::StartRefresh { group, .. }) = go.act.change() else { panic!("{title} starts nothing") };
    let back = leg(Change::RollBackRefresh { group: group.clone() }, Condition::Taken, 86_400, 30);
    Step { undo: Undo::Exact { leg: Box::new(back) }, ..step(title, go) }
}

fn fit(group: &str) -> Aspect {
    let template = TemplateRef { id: "lt-1".into(), name: "web".into(), version: "4".into() };
    let of = Judged {
        group: group.into(),
        template,
        others: Vec::new(),
        cluster: None,
        target_groups: Vec::new(),
    };
    Aspect::Launching { fact: LaunchFact::Fit { of } }
}

fn rings() -> Aspect {
    Aspect::Launching { fact: LaunchFact::Ringing { alarms: vec!["web-errors".into()] } }
}

fn plan() -> Plan {
    let groups =
        [("dev-a", "development"), ("dev-b", "development"), ("web", "production"), ("api", "production")];
    Plan {
        schema: SCHEMA.to_owned(),
        id: String::new(),
        fleet: "acme".to_owned(),
        intent: Intent { verb: "rollout".to_owned(), targets: vec!["web".to_owned()], ..Intent::default() },
        title: "roll out ami-0123 to 4 groups".to_owned(),
        made_at: fleet::now(),
        expires_at: fleet::now().checked_add(GOOD_FOR).unwrap(),
        accounts: vec![Account {
            scope: Scope { account: "prod".into(), region: "eu-west-1".into() },
            id: AccountId::new("111122223333"),
            principal: "arn:aws:iam::111122223333:user/anna".to_owned(),
        }],
        lanes: groups.map(|(group, tier)| lane(group, tier)).to_vec(),
        pools: ["development", "production"]
            .map(|tier| Pool { tier: tier.to_owned(), most: Most::Count(1) })
            .to_vec(),
        holds: Vec::new(),
        on_timeout: OnTimeout::Undo,
        warnings: Vec::new(),
        notes: Vec::new(),
        cost: Cost::None,
        waves: vec![vec![0, 1], vec![2], vec![3]],
        is_one_piece: true,
        losses: vec![],
    }
    .sealed()
}

/// The same before the third one went back.
fn forth() -> Vec<Event> {
    let is_turn = |event: &Event| matches!(event, Event::Turned { .. });
    events().into_iter().filter(|event| !is_turn(event)).collect()
}

/// The first group done, the second one under way at its first checkpoint, the third one gone back, one waiting.
fn events() -> Vec<Event> {
    let at = |lane| At { lane, step: 0 };
    let begin = |lane: usize, group: &str| {
        let call = lane as u64 + 1;
        vec![
            Event::Opened { lanes: vec![lane] },
            Event::Intended {
                call,
                steps: vec![at(lane)],
                way: Way::There,
                change: Box::new(start(group)),
                token: Token::of(&["t"]),
            },
            Event::Answered {
                call,
                request_id: Some("7f3a-req".to_owned()),
                command: "aws autoscaling start-instance-refresh".to_owned(),
                missed: Vec::new(),
            },
        ]
    };
    let judged = |lane: usize, group: &str, fit_now: &[&str], rings_now: &[&str]| {
        let words = |all: &[&str]| Value::Words(all.iter().map(|one| (*one).to_owned()).collect());
        let seen = vec![(fit(group).to_string(), words(fit_now)), (rings().to_string(), words(rings_now))];
        Event::Judged { at: at(lane), seen }
    };
    let told = |lane, what: &str| Event::Told { at: at(lane), what: what.to_owned() };
    let claimed = Event::Claimed {
        who: Who { user: "anna".into(), host: "bastion".into(), ..Who::default() },
        pid: 4711,
        home: "session".to_owned(),
    };
    let settled =
        Event::Settled { at: at(0), way: Way::There, how: coredeck::ops::event::How::Done, seen: Vec::new() };
    [
        vec![claimed],
        begin(0, "dev-a"),
        vec![told(0, "replaced 3 of 12 (25 %): a part, as its checkpoints end at 25 %"), settled, Event::Closed { lane: 0, end: coredeck::ops::End::Done }],
        begin(1, "dev-b"),
        vec![
            told(1, "replaced 2 of 12 (25 %), checkpoint 20 % reached"),
            judged(1, "dev-b", &["i-0aaa", "i-0bbb"], &[]),
        ],
        begin(2, "web"),
        vec![
            judged(2, "web", &["i-0ccc"], &["web-errors"]),
            told(2, "goes back (8 %); 1 of 12 had been replaced: The CloudWatch alarm web-errors went into ALARM state."),
            Event::Turned { lane: 2 },
        ],
    ]
    .concat()
}

fn listed(events: Vec<Event>) -> Arc<Listed> {
    let plan = plan();
    let record = OpRecord {
        id: "op-1121-cccc".to_owned(),
        fleet: "acme".to_owned(),
        kind: "rollout".to_owned(),
        title: plan.title.clone(),
        plan_id: plan.id.clone(),
        plan: plan.json(),
        reach: Vec::new(),
        who: Who { user: "anna".to_owned(), host: "bastion".to_owned(), ..Who::default() },
        reason: None,
        at: fleet::ago(1_800),
    };
    let begun = record.at;
    let mut op = OpState::new(record).unwrap();
    let mut log = Vec::new();
    for (seq, event) in (1..).zip(events) {
        let at = fleet::later(begun, seq * 3);
        let entry = Entry {
            seq,
            op: op.record.id.clone(),
            epoch: 1,
            at,
            kind: event.word().to_owned(),
            body: serde_json::to_string(&event).unwrap(),
            prev: String::new(),
            hash: String::new(),
        };
        op.take(&entry);
        let text = line(&op, &event);
        log.push(Logged { at, event: Some(event), text });
    }
    Arc::new(Listed { op, lives: true, log })
}

fn shown(size: (u16, u16), events: Vec<Event>) -> Headless {
    let mut screen = Headless::new(fleet::full(), size);
    let ops = vec![listed(events)];
    screen.input(Input::Register(Arc::new(Register { ops, trouble: None, is_read: true })));
    screen.keys("gx<ret>");
    screen
}

#[test]
fn a_refresh_of_many_groups_is_a_board_of_them() {
    for (width, height) in [(80, 24), (180, 50)] {
        let screen = shown((width, height), events());
        insta::assert_snapshot!(format!("rollout_{width}x{height}"), screen.text());
        let text = screen.text();
        let parts = [
            "Wave 1 of 3: 2 groups of development: 1 done in part, 1 under way",
            "3 of 12  25 %  done in part",
        ];
        for part in parts {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }
    let text = shown((180, 60), events()).text();
    for part in [
        "2 of 12  25 %  under way",
        "checkpoint 20 % reached",
        "i-0aaa, i-0bbb (2, 3 wanted)",
        "✖ alarm among web-errors: web-errors (1)",
        "1 of 12   8 %  going back",
        "Wave 3 of 3: one group of production: 1 waiting",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let over = [events(), vec![Event::Ended { end: Outcome::PartWay }]].concat();
    let text = shown((80, 24), over).text();
    assert!(!text.contains(" hold]") && text.contains(" roll back]"), "{text}");
}

#[test]
fn it_is_held_let_go_and_taken_back_from_its_page() {
    let mut screen = shown((80, 24), forth());
    let asked = |screen: &Headless| {
        screen.effects.iter().rev().find_map(|effect| match effect {
            Effect::Order(Order::Ask { verb, .. }) => Some(*verb),
            _ => None,
        })
    };
    screen.keys("Xp");
    assert_eq!(asked(&screen), Some(Verb::Pause));
    // The same by a click on the button, which a held one has another of.
    click(&mut screen, " hold]");
    assert_eq!(asks(&screen), 2);
    // Taking back is asked for first, and the default is no.
    click(&mut screen, " roll back]");
    screen.keys("<ret>");
    assert_eq!(asks(&screen), 2, "{}", screen.text());
    screen.keys("<esc>Xby");
    assert_eq!(asked(&screen), Some(Verb::Rollback), "{}", screen.text());
    let claimed = |verb, seq| Event::Asked { seq, verb, who: Who::default(), reason: None };
    let held = [forth(), vec![claimed(Verb::Pause, 1)]].concat();
    let mut screen = shown((80, 24), held);
    click(&mut screen, " go on]");
    assert_eq!(asked(&screen), Some(Verb::Resume), "{}", screen.text());
}

#[test]
fn only_what_can_be_done_as_it_stands_is_offered_and_the_way_back_counts_who_is_back() {
    let asked = |verb, seq| vec![Event::Asked { seq, verb, who: Who::default(), reason: None }];
    let back = |lane: usize| {
        let (at, way) = (At { lane, step: 0 }, Way::Back);
        let settled = Event::Settled { at, way, how: coredeck::ops::event::How::Done, seen: Vec::new() };
        vec![settled, Event::Closed { lane, end: coredeck::ops::End::Undone }]
    };
    let turned = |lane: usize| vec![Event::Turned { lane }];
    let (all, two) = ([" hold]", " go on]", " stop here]", " roll back]"], 2);
    // By a wave that failed, and because somebody said so.
    let failed = events();
    let told = [forth(), asked(Verb::Rollback, 1), turned(two)].concat();
    let some = [told.clone(), back(two), turned(1)].concat();
    let last = [some.clone(), back(1), turned(0)].concat();
    let skipped = vec![Event::Closed { lane: 3, end: coredeck::ops::End::Skipped }];
    let over = [last.clone(), back(0), skipped, vec![Event::Ended { end: Outcome::RolledBack }]].concat();
    let ends = [forth(), asked(Verb::Cancel, 1)].concat();
    let held = [forth(), asked(Verb::Pause, 1)].concat();
    let cases = [
        (forth(), "running", "2 of 8 steps", vec![" hold]", " stop here]", " roll back]"]),
        (held, "paused", "2 of 8 steps", vec![" go on]", " stop here]", " roll back]"]),
        (ends, "cancelling", "2 of 8 steps", vec![" roll back]"]),
        (failed, "rolling back", "0 of 3 targets back", vec![]),
        (told, "rolling back", "0 of 3 targets back", vec![]),
        (some, "rolling back", "1 of 3 targets back", vec![]),
        (last, "rolling back", "2 of 3 targets back", vec![]),
        (over, "rolled back", "3 of 3 targets back", vec![]),
    ];
    for (events, word, count, offered) in cases {
        let mut screen = shown((180, 50), events);
        let text = screen.text();
        let state = text.lines().find(|line| line.starts_with("state")).unwrap_or_default();
        assert!(state.contains(word) && state.contains(count), "{word}, {count}:\n{text}");
        let shows: Vec<&str> = all.into_iter().filter(|one| text.contains(one)).collect();
        assert_eq!(shows, offered, "{word}, {count}:\n{text}");
        // What is not offered is not asked for by its key either.
        if word == "rolling back" && count != "0 of 3 targets back" {
            screen.keys("Xp");
            assert_eq!(asks(&screen), 0);
            assert!(
                screen.text().contains("cannot pause now: it is rolling back what it did"),
                "{}",
                screen.text()
            );
        }
    }
}

#[test]
fn a_group_that_is_stuck_on_its_way_back_says_once_that_it_could_not_go_back() {
    let at = At { lane: 2, step: 0 };
    let said = "could not go back; 1 of 12 had been replaced: there is no room for m5.large";
    let told = Event::Told { at, what: said.to_owned() };
    // As it is said now, and as journals of older versions have it.
    let whys = [
        "AWS could not take it back; 1 of 12 had been replaced: there is no room for m5.large".to_owned(),
        format!("AWS could not take it back: {said}"),
    ];
    for (why, times) in whys.into_iter().zip([1, 2]) {
        let (way, then) = (Way::Back, coredeck::ops::plan::Aftermath::Policy);
        let gave_up = Event::GaveUp { at, way, is_late: false, why, seen: Vec::new(), then };
        let stuck = vec![told.clone(), gave_up, Event::Closed { lane: 2, end: coredeck::ops::End::Stuck }];
        let over = [events(), stuck, vec![Event::Ended { end: Outcome::PartWay }]].concat();
        let text = shown((180, 60), over).text();
        let board = text.split("\nLog").next().unwrap();
        assert_eq!(board.matches("could not").count(), times, "{text}");
        assert_eq!(board.matches("there is no room").count(), 1, "{text}");
        assert!(board.contains("stuck"), "{text}");
    }
}

/// How often anything was asked of the operation.
fn asks(screen: &Headless) -> usize {
    screen.effects.iter().filter(|effect| matches!(effect, Effect::Order(Order::Ask { .. }))).count()
}

/// Clicks where a text stands.
fn click(screen: &mut Headless, text: &str) {
    let rows = screen.text();
    let found = rows.lines().enumerate().find_map(|(y, row)| Some((row.find(text)?, y, row.to_owned())));
    let (at, y, row) = found.unwrap_or_else(|| panic!("no {text}:\n{rows}"));
    let x = row[..at].chars().count();
    screen.input(Input::Mouse(Mouse { what: Button::Left, x: x as u16 + 1, y: y as u16 }));
}
