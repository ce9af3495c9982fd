//! Changing the fleet from the screen: keys in, orders out, answers in, picture out. Who stands behind the counter
//! is played by the test; the plans are real ones, put together by hand.

use super::fleet;
use coredeck::gateway::Change;
use coredeck::gateway::change::{HostState, Token};
use coredeck::model::{AccountId, ClusterArn, HostArn, Scope, TaskArn};
use coredeck::ops::counter::{Answer, Declined, Listed, Logged, Offer, Order, Register};
use coredeck::ops::event::{At, Event, How, Way};
use coredeck::ops::plan::{Account, Cost, Fact, GOOD_FOR, Leg, Most, Pool, Proof, SCHEMA, leg};
use coredeck::ops::progress::line;
use coredeck::ops::{
    Aspect, Condition, Intent, Lane, OnTimeout, OpState, Outcome, Plan, Step, Then, Undo, Value, Verb,
};
use coredeck::query::Kind;
use coredeck::store::journal::{Entry, OpRecord, Who};
use coredeck::tui::headless::Headless;
use coredeck::tui::keymap::Keymap;
use coredeck::tui::signs::Signs;
use coredeck::tui::theme::Theme;
use coredeck::tui::{About, Acting, Effect, Input, Setup};
use coredeck::world::Wish;
use std::sync::Arc;

const SIZES: [(u16, u16); 2] = [(80, 24), (180, 50)];

fn id(n: u32) -> String {
    format!("i-{n:017x}")
}

fn cluster() -> ClusterArn {
    ClusterArn::new("arn:aws:ecs:eu-west-1:111122223333:cluster/api")
}

fn host(n: u32) -> HostArn {
    HostArn::new(format!("arn:aws:ecs:eu-west-1:111122223333:container-instance/api/{n:032x}"))
}

/// To a state of the host, and how that is seen.
fn to(n: u32, state: HostState) -> Leg {
    let fact = Aspect::HostStatus { cluster: cluster(), host: host(n) };
    let value = Value::word(state.word());
    let change = Change::HostState { cluster: cluster(), hosts: vec![host(n)], to: state };
    leg(change, Condition::Is { fact, value }, 60, 2)
}

fn lane(n: u32, tier: &str, undo: Option<&str>) -> Lane {
    let undo = match undo {
        None => Undo::Exact { leg: Box::new(to(n, HostState::Active)) },
        Some(why) => Undo::Impossible { why: why.to_owned() },
    };
    let stop =
        Change::StopTask { cluster: cluster(), task: TaskArn::new("arn:t/1"), reason: "{op}".to_owned() };
    let second = leg(stop, Condition::Taken, 600, 5);
    let fact = Aspect::HostStatus { cluster: cluster(), host: host(n) };
    Lane {
        name: format!("{} (shared-hosts-{n})", id(n)),
        target: id(n),
        scope: Scope { account: "prod".into(), region: "eu-west-1".into() },
        tier: Some(tier.to_owned()),
        facts: vec![Fact { fact, was: Value::word("ACTIVE") }],
        steps: vec![
            Step {
                title: "set its host to DRAINING".to_owned(),
                go: to(n, HostState::Draining),
                undo: Undo::Exact { leg: Box::new(to(n, HostState::Active)) },
                proof: Proof::Checked,
                expected_s: 2,
                may_be_forced: false,
            },
            Step {
                title: "stop its last task".to_owned(),
                go: second,
                undo,
                proof: Proof::Proved,
                expected_s: 120,
                may_be_forced: true,
            },
        ],
    }
}

fn plan(verb: &str, lanes: Vec<Lane>) -> Plan {
    let tiers: std::collections::BTreeSet<String> =
        lanes.iter().filter_map(|lane| lane.tier.clone()).collect();
    let targets = lanes.iter().map(|lane| lane.target.clone()).collect();
    Plan {
        schema: SCHEMA.to_owned(),
        id: String::new(),
        fleet: "acme".to_owned(),
        intent: Intent { verb: verb.to_owned(), targets, ..Intent::default() },
        title: format!("{verb} {} instances", lanes.len()),
        made_at: fleet::now(),
        expires_at: fleet::now().checked_add(GOOD_FOR).unwrap(),
        accounts: vec![Account {
            scope: Scope { account: "prod".into(), region: "eu-west-1".into() },
            id: AccountId::new("111122223333"),
            principal: "arn:aws:iam::111122223333:user/anna".to_owned(),
        }],
        lanes,
        pools: tiers.into_iter().map(|tier| Pool { tier, most: Most::Count(1) }).collect(),
        holds: Vec::new(),
        on_timeout: OnTimeout::Undo,
        warnings: vec!["ECS scales the group by itself".to_owned()],
        notes: Vec::new(),
        cost: Cost::Unknown("the group launches another one".to_owned()),
        waves: Vec::new(),
        is_one_piece: false,
        losses: vec![],
    }
    .sealed()
}

fn offer(plan: &Plan) -> Arc<Offer> {
    let command = |n: usize| Some(format!("aws ecs update-container-instances-state --status DRAINING #{n}"));
    let commands = (0..plan.lanes.len()).map(|n| vec![command(n), None]).collect();
    Arc::new(Offer { plan: Arc::new(plan.clone()), commands })
}

fn two() -> Plan {
    plan("drain", vec![lane(1, "development", None), lane(2, "development", None)])
}

fn one() -> Plan {
    plan("drain", vec![lane(1, "development", None)])
}

/// The orders so far, in order.
fn orders(screen: &Headless) -> Vec<Order> {
    let orders = screen.effects.iter().filter_map(|effect| match effect {
        Effect::Order(order) => Some(order.clone()),
        _ => None,
    });
    orders.collect()
}

fn ticket(screen: &Headless) -> u64 {
    match orders(screen).last() {
        Some(Order::Plan { ticket, .. } | Order::TakeBack { ticket, .. } | Order::Begin { ticket, .. }) => {
            *ticket
        }
        other => panic!("no order with a ticket: {other:?}"),
    }
}

fn answer(screen: &mut Headless, plan: &Plan) {
    let ticket = ticket(screen);
    screen.input(Input::Answer(Answer::Planned { ticket, offer: Ok(offer(plan)) }));
}

/// The instances with a dialog for a verb's keys, and its plan.
fn dialog(size: (u16, u16), keys: &str, plan: &Plan) -> Headless {
    let mut screen = Headless::new(fleet::full(), size);
    screen.keys("2").keys(keys);
    answer(&mut screen, plan);
    screen
}

#[test]
fn marked_rows_are_drained_by_one_wish_when_it_was_shown_and_confirmed() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("2 jj ").keys("xd");
        let [Order::Plan { ticket, intent }] = &orders(&screen)[..] else { panic!("{:?}", screen.effects) };
        assert_eq!(
            (intent.verb.as_str(), intent.targets.len(), intent.options.then),
            ("drain", 2, Then::Keep)
        );
        assert!(
            screen.text().contains("drain 2 instances") && screen.text().contains("planning"),
            "{}",
            screen.text()
        );
        // Whoever types ahead has not seen the plan: that is no yes.
        let ticket = *ticket;
        screen.keys("yyy<ret>");
        // Neither is the answer to another question.
        screen.input(Input::Answer(Answer::Planned { ticket: ticket + 7, offer: Ok(offer(&two())) }));
        assert!(screen.text().contains("planning"), "{}", screen.text());
        answer(&mut screen, &two());
        insta::assert_snapshot!(format!("preview_{}x{}", size.0, size.1), screen.text());
        screen.keys("y<ret><ret>drain 3<ret>");
        assert_eq!(orders(&screen).len(), 1, "the answer is no until it is this one");
        screen.keys("drain 2<ret>");
        let [_, Order::Begin { plan, reason: None, .. }] = &orders(&screen)[..] else {
            panic!("{}: {:?}", screen.text(), orders(&screen))
        };
        assert_eq!(**plan, two(), "exactly what was shown");
        // Once is enough, however often it is pressed.
        screen.keys("drain 2<ret>y<ret>");
        assert_eq!(orders(&screen).len(), 2);
        let op = Ok(("op-1121-aaaa".to_owned(), "it runs in a session of its own".to_owned()));
        screen.input(Input::Answer(Answer::Begun { ticket, op }));
        let text = screen.text();
        assert!(text.contains("op-1121-aaaa") && text.contains("session of its own"), "{text}");
    }
}

#[test]
fn what_sets_itself_back_takes_one_key_and_no_other() {
    let mut screen = dialog((80, 24), "xd", &one());
    screen.keys("n<ret>q<space>");
    assert_eq!(orders(&screen).len(), 1, "the answer is no until it is yes");
    screen.keys("y");
    assert!(
        matches!(&orders(&screen)[..], [_, Order::Begin { plan, .. }] if **plan == one()),
        "{}",
        screen.text()
    );
}

#[test]
fn the_whole_plan_can_be_scrolled_through_at_both_sizes() {
    for size in SIZES {
        let lanes: Vec<Lane> = (1..9).map(|n| lane(n, "development", None)).collect();
        let mut screen = dialog(size, "xd", &plan("drain", lanes));
        let mut seen = screen.text();
        for _ in 0..12 {
            seen.push_str(screen.keys("<pagedown>").text().as_str());
        }
        for told in [
            "now: status of host",
            "2. stop its last task",
            "undone exactly",
            "AWS said that it would",
            "only checked",
            "#7",
            "at most 1 of tier development",
            "not known: the group launches",
            "user/anna",
            "good until",
        ] {
            assert!(seen.contains(told), "no {told}:\n{seen}");
        }
        let end = screen.text();
        assert_eq!(screen.keys("<down>").text(), end, "it ends at its end");
        assert_eq!(screen.keys("<up>").keys("<down>").text(), end);
    }
}

#[test]
fn nobody_says_yes_to_a_plan_that_does_not_show() {
    let must_type = plan("drain", vec![lane(1, "production", None), lane(2, "production", None)]);
    for (made, yes) in [(one(), "y"), (must_type, "drain 2<ret>")] {
        for (size, told) in [
            ((10, 5), "too small"),
            ((10, 3), "x"),
            ((10, 60), "The screen"),
            ((200, 5), "too small"),
            ((29, 40), "rows are"),
        ] {
            let mut screen = dialog(size, "xd", &made);
            let text = screen.text();
            assert!(text.contains(told) && !text.contains("[no]"), "{size:?}:\n{text}");
            screen.keys(yes).keys(yes);
            assert_eq!(orders(&screen).len(), 1, "{size:?}: {}", screen.text());
        }
        // On a screen of the size that it names the plan shows and is begun; a row less is too little.
        let mut screen = dialog((10, 5), "xd", &made);
        let text = screen.text();
        let size = text.split_whitespace().find_map(|word| {
            let (columns, rows) = word.split_once('x')?;
            Some((columns.parse::<u16>().ok()?, rows.parse::<u16>().ok()?))
        });
        let Some((columns, rows)) = size else { panic!("no size is named:\n{text}") };
        for too_small in [(columns, rows - 1), (columns - 1, rows)] {
            screen.input(Input::Resize(too_small.0, too_small.1)).keys("<ret>").keys(yes);
            assert_eq!(orders(&screen).len(), 1, "{}", screen.text());
        }
        screen.input(Input::Resize(columns, rows));
        let text = screen.text();
        assert!(text.contains("[no]") && text.contains(&made.title), "{text}");
        screen.keys(yes);
        assert!(matches!(orders(&screen).last(), Some(Order::Begin { .. })), "{}", screen.text());
    }
}

#[test]
fn what_destroys_or_disturbs_production_must_be_typed() {
    let gone = plan("terminate", vec![lane(1, "development", Some("it is gone"))]);
    let mut screen = dialog((80, 24), "xT", &gone);
    let text = screen.text();
    assert!(text.contains("Type i-00000000000000001 and enter") && text.contains("NO, not wholly"), "{text}");
    screen.keys("y<ret>i-0000000000000000<ret>");
    assert_eq!(orders(&screen).len(), 1, "not by a y, nor by almost the name: {}", screen.text());
    assert!(screen.text().contains("nothing was changed"), "{}", screen.text());
    screen.input(Input::Paste("i-00000000000000001\n".to_owned())).keys("<ret>");
    assert_eq!(orders(&screen).len(), 1, "pasted text confirms nothing");
    screen.keys("i-00000000000000001<ret>");
    assert!(matches!(orders(&screen).last(), Some(Order::Begin { .. })), "{}", screen.text());

    let production = plan("drain", vec![lane(1, "production", None), lane(2, "production", None)]);
    let mut screen = dialog((80, 24), "xd", &production);
    assert!(screen.text().contains("Type drain 2 and enter"), "{}", screen.text());
    screen.keys("drain 2<ret>");
    assert!(matches!(orders(&screen).last(), Some(Order::Begin { .. })), "{}", screen.text());
}

#[test]
fn fields_change_the_plan_and_the_reason_goes_with_it() {
    for size in SIZES {
        let mut screen = dialog(size, "xd", &one());
        // From the confirmation tab leads to the first field.
        screen.keys("<tab><right>");
        let Some(Order::Plan { intent, .. }) = orders(&screen).last().cloned() else { panic!() };
        assert_eq!(intent.options.then, Then::Standby);
        assert!(
            screen.text().contains("<standby>") && screen.text().contains("planning"),
            "{}",
            screen.text()
        );
        // The plan of before is not taken any more.
        screen.input(Input::Answer(Answer::Planned { ticket: 1, offer: Ok(offer(&two())) }));
        assert!(screen.text().contains("planning"), "{}", screen.text());
        answer(&mut screen, &one());
        let before = orders(&screen).len();
        screen.keys("<shift-tab><shift-tab>kernel CVE");
        assert!(screen.text().contains("kernel CVE"), "{}", screen.text());
        screen.keys("<tab>y");
        let all = orders(&screen);
        assert_eq!(all.len(), before + 1, "why is no reason to plan again");
        let Some(Order::Begin { reason, .. }) = all.last() else { panic!("{all:?}") };
        assert_eq!(reason.as_deref(), Some("kernel CVE"));
    }
}

#[test]
fn a_size_is_asked_for_first_and_held_to_be_a_number() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("3xn");
        assert!(orders(&screen).is_empty(), "nothing is planned of what only stands there");
        screen.keys("<ctrl-u>many<ret>");
        assert!(
            screen.text().contains("`many` is no whole number") && orders(&screen).is_empty(),
            "{}",
            screen.text()
        );
        screen.keys("<ctrl-u>12<ret>");
        let Some(Order::Plan { intent, .. }) = orders(&screen).last().cloned() else {
            panic!("{}", screen.text())
        };
        assert_eq!((intent.verb.as_str(), intent.options.desired), ("scale", Some(12)));
        // Another number makes what was planned worthless.
        answer(&mut screen, &plan("scale", vec![lane(1, "development", None)]));
        screen.keys("<tab><backspace>");
        screen.keys("y");
        assert!(
            !orders(&screen).iter().any(|order| matches!(order, Order::Begin { .. })),
            "{}",
            screen.text()
        );
    }
}

#[test]
fn what_stands_against_it_is_told_with_its_mend() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("2xd");
        let ticket = ticket(&screen);
        let declined = Declined {
            what: "drain is refused for 2 reasons; nothing was changed".to_owned(),
            why: vec![
                "api: it would never move; raise its maximum to 200 %\u{1b}[2J".to_owned(),
                "task 1f: belongs to no service; wait, or --include-standalone".to_owned(),
            ],
            hints: vec!["coredeck scale api --desired 2".to_owned()],
        };
        screen.input(Input::Answer(Answer::Planned { ticket, offer: Err(declined) }));
        insta::assert_snapshot!(format!("declined_{}x{}", size.0, size.1), screen.text());
        screen.keys("y");
        assert_eq!(orders(&screen).len(), 1);
        screen.keys("<ret>");
        assert!(matches!(orders(&screen).last(), Some(Order::Plan { .. })), "enter plans it again");
        screen.keys("<esc>");
        assert_eq!(orders(&screen).last(), Some(&Order::Forget));
        assert!(
            screen.text().contains("nothing was changed") && screen.text().contains("STATE"),
            "{}",
            screen.text()
        );
    }
}

#[test]
fn nothing_is_changed_in_the_past_nor_in_read_only_mode_nor_on_rows_that_it_is_not_for() {
    let world = fleet::full();
    let mut past = (*world).clone();
    past.timeline.since = Some(fleet::ago(86_400));
    past.timeline.past = Some(fleet::ago(3_600));
    let mut screen = Headless::new(Arc::new(past), (80, 24));
    for keys in ["2xd", "2xT", "3xn", "Xp", "Xb"] {
        screen.keys(keys);
        assert!(screen.text().contains("this is the past"), "{keys}: {}", screen.text());
    }
    assert!(orders(&screen).is_empty());

    let about = About { acting: Acting::ReadOnly, ..About::default() };
    let setup = Setup { about, ..Setup::new(Keymap::shipped("default").unwrap(), Signs::Unicode, (80, 24)) };
    let mut screen = Headless::with(Arc::clone(&world), fleet::now(), setup, Theme::plain());
    screen.keys("2xd");
    assert!(screen.text().contains("read-only mode") && orders(&screen).is_empty(), "{}", screen.text());

    let mut screen = Headless::new(world, (80, 24));
    for (keys, says) in [
        ("4xd", "drain is for instances and hosts, not for services"),
        ("2xn", "scale is for groups and services, not for instances"),
        ("1:drain<ret>", "there is no row here"),
        ("Xp", "which operation?"),
    ] {
        screen.keys(keys);
        assert!(screen.text().contains(says), "{keys}: {}", screen.text());
    }
    assert!(orders(&screen).is_empty());
}

#[test]
fn every_change_is_reached_by_its_name_and_by_keys_in_every_keymap() {
    let rows = [
        (
            Kind::Instances,
            &[
                "drain",
                "undrain",
                "protect",
                "unprotect",
                "standby",
                "return",
                "stop",
                "start",
                "reboot",
                "terminate",
            ][..],
        ),
        (
            Kind::Groups,
            &[
                "scale",
                "refresh-group",
                "roll-out",
                "spot-share",
                "tune-group",
                "suspend-processes",
                "resume-processes",
            ],
        ),
        (Kind::Templates, &["clean-template"]),
        (Kind::Services, &["scale", "redeploy"]),
        (Kind::Tasks, &["stop", "terminate"]),
        (Kind::Hosts, &["drain", "undrain"]),
    ];
    for (kind, verbs) in rows {
        for verb in verbs {
            let mut screen = Headless::new(super::rich::rich(), (80, 24));
            screen.keys(&format!(":{}<ret>:{verb}<ret>", kind.word()));
            let text = screen.text();
            assert!(text.contains("esc leave"), "{verb} of {kind}:\n{text}");
            let asks = matches!(
                *verb,
                "scale" | "spot-share" | "tune-group" | "suspend-processes" | "resume-processes"
            );
            assert!(asks || matches!(orders(&screen)[..], [Order::Plan { .. }]), "{verb} of {kind}: {text}");
        }
    }
}

// --- Operations -------------------------------------------------------------------------------------------

fn record(id: &str, plan: &Plan, seconds: i64) -> OpRecord {
    OpRecord {
        id: id.to_owned(),
        fleet: "acme".to_owned(),
        kind: plan.intent.verb.clone(),
        title: plan.title.clone(),
        plan_id: plan.id.clone(),
        plan: plan.json(),
        reach: Vec::new(),
        who: Who {
            user: "anna".to_owned(),
            host: "bastion".to_owned(),
            terminal: Some("/dev/pts/3".to_owned()),
            from: Some("10.1.2.3".to_owned()),
            principal: None,
        },
        reason: Some("kernel CVE".to_owned()),
        at: fleet::ago(seconds),
    }
}

/// An operation with what was recorded of it, a few seconds between.
fn listed(record: OpRecord, lives: bool, events: Vec<Event>) -> Arc<Listed> {
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
    Arc::new(Listed { op, lives, log })
}

fn begun() -> Vec<Event> {
    let at = |lane, step| At { lane, step };
    let change = Change::HostState { cluster: cluster(), hosts: vec![host(1)], to: HostState::Draining };
    vec![
        Event::Claimed {
            who: Who { user: "anna".into(), host: "bastion".into(), ..Who::default() },
            pid: 4711,
            home: "session".to_owned(),
        },
        Event::Opened { lanes: vec![0] },
        Event::Intended {
            call: 1,
            steps: vec![at(0, 0)],
            way: Way::There,
            change: Box::new(change),
            token: Token::of(&["t"]),
        },
        Event::Answered {
            call: 1,
            request_id: Some("7f3a-req".to_owned()),
            command: "aws ecs update-container-instances-state".to_owned(),
            missed: Vec::new(),
        },
        Event::Settled {
            at: at(0, 0),
            way: Way::There,
            how: How::Done,
            seen: vec![("status".to_owned(), Value::word("DRAINING"))],
        },
        Event::Waiting { at: at(0, 1), way: Way::There, is_adopted: false },
    ]
}

fn register(ops: Vec<Arc<Listed>>) -> Input {
    Input::Register(Arc::new(Register { ops, trouble: None, is_read: true }))
}

fn running() -> Arc<Listed> {
    listed(record("op-1121-bbbb", &two(), 90), true, begun())
}

fn over() -> Arc<Listed> {
    let events = [begun(), vec![Event::Ended { end: Outcome::PartWay }]].concat();
    listed(record("op-1121-aaaa", &two(), 7_200), false, events)
}

/// One that runs, and one that is over.
pub(super) fn operations() -> Input {
    register(vec![running(), over()])
}

/// What comes of the plan that was asked for last, if one was: the plan, or why there is none.
pub(super) fn plan_arrives(screen: &mut Headless, is_good: bool) {
    let Some(Order::Plan { ticket, .. }) = orders(screen).last().cloned() else { return };
    let declined =
        || Declined { what: "refused".to_owned(), why: vec!["it serves".to_owned()], hints: vec![] };
    let offer = if is_good { Ok(offer(&two())) } else { Err(declined()) };
    screen.input(Input::Answer(Answer::Planned { ticket, offer }));
}

#[test]
fn operations_are_filtered_while_it_is_typed_and_sorted() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.input(operations()).keys("gxj");
        let shown = |screen: &Headless| {
            let text = screen.text();
            ["op-1121-bbbb", "op-1121-aaaa"].map(|id| text.find(id))
        };
        assert!(matches!(shown(&screen), [Some(first), Some(second)] if first < second), "{}", screen.text());
        // The cursor goes with its operation, wherever that is sorted to; the worst comes first.
        screen.keys("s");
        assert!(matches!(shown(&screen), [Some(first), Some(second)] if first > second), "{}", screen.text());
        let row = screen.text().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
        assert!(row.contains("stopped part way"), "{row}");
        assert!(screen.text().contains("operations  2  by state ↑"), "{}", screen.text());
        screen.keys("S");
        assert!(matches!(shown(&screen), [Some(first), Some(second)] if first < second), "{}", screen.text());
        // Rows follow each letter; what is no field is pointed at, and holds nothing back.
        screen.keys("/state:open");
        assert!(matches!(shown(&screen), [Some(_), None]), "{}", screen.text());
        screen.keys("<ctrl-u>stat:x");
        assert!(screen.text().contains("did you mean `state`?"), "{}", screen.text());
        screen.keys("<ctrl-u>!anna<ret>");
        assert!(screen.text().contains("operations  0 of 2  /!anna"), "{}", screen.text());
        assert!(screen.text().contains("none of 2 operations is like that"), "{}", screen.text());
        screen.keys(":filter kernel why:cve<ret>:sort begun desc<ret>");
        assert!(matches!(shown(&screen), [Some(first), Some(second)] if first > second), "{}", screen.text());
        screen.keys(":sort stat<ret>");
        assert!(screen.text().contains("they are by state, kind"), "{}", screen.text());
        // What is given up leaves what was.
        screen.keys("<esc>/open<esc>");
        assert!(screen.text().contains("operations  2  /kernel why:cve"), "{}", screen.text());
        screen.keys("<ret>");
        assert!(screen.text().contains("operations › op-1121-"), "{}", screen.text());
    }
}

#[test]
fn the_overview_tells_what_we_do_beside_what_aws_does() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.input(operations());
        let text = screen.text();
        let line =
            text.lines().find(|line| line.contains("drain 2 instances")).unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains("running, 1 of 4 steps") && !text.contains("op-1121-aaaa"), "{text}");
        let down = "j".repeat(text.lines().count());
        let at = (0..down.len()).find(|_| {
            let text = screen.keys("j").text();
            text.lines().any(|line| line.starts_with('▌') && line.contains("drain 2 instances"))
        });
        assert!(at.is_some(), "{}", screen.text());
        assert!(screen.keys("<ret>").text().contains("op-1121-bbbb"), "{}", screen.text());
        screen.keys("<esc>d");
        assert!(screen.text().contains("op-1121-bbbb"), "{}", screen.text());
    }
}

#[test]
fn operations_are_listed_with_how_far_they_are_and_shown_in_full() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("gx");
        assert!(screen.text().contains("reading the journal"), "{}", screen.text());
        screen.input(register(vec![running(), over()]));
        insta::assert_snapshot!(format!("operations_{}x{}", size.0, size.1), screen.text());
        screen.keys("<ret>");
        insta::assert_snapshot!(format!("operation_{}x{}", size.0, size.1), screen.text());
        let whole = format!("{}{}", screen.text(), screen.keys("G").text());
        assert!(whole.contains("7f3a-req") && whole.contains("aws ecs update-container"), "{whole}");
        screen.keys("<esc>");
        assert!(screen.text().contains("▌ … running"), "{}", screen.text());
        // The header says so on every page.
        assert!(screen.keys("2").text().lines().next().unwrap().contains("drain 1/4"), "{}", screen.text());
    }
}

#[test]
fn an_operation_is_steered_by_requests() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.input(register(vec![running(), over()]));
    let ask = |verb, reason: Option<&str>| Order::Ask {
        op: "op-1121-bbbb".to_owned(),
        verb,
        reason: reason.map(str::to_owned),
    };
    // From anywhere, as long as there is only one that could be meant.
    screen.keys("2Xp");
    assert_eq!(orders(&screen), [ask(Verb::Pause, None)]);
    screen.keys("gxXr");
    assert_eq!(orders(&screen).last(), Some(&ask(Verb::Resume, None)));
    // What leaves something half done is asked for first.
    screen.keys("Xc");
    assert!(screen.text().contains("half done") && orders(&screen).len() == 2, "{}", screen.text());
    screen.keys("<tab>wrong hosts<tab>y");
    assert_eq!(orders(&screen).last(), Some(&ask(Verb::Cancel, Some("wrong hosts"))));
    screen.keys("Xb<esc>Xt");
    assert!(screen.text().contains("Another runner becomes its runner"), "{}", screen.text());
    screen.keys("y");
    assert_eq!(orders(&screen).last(), Some(&ask(Verb::Takeover, None)));
    // What is over is taken back by a plan of its own.
    screen.keys("jXp");
    assert!(screen.text().contains("op-1121-aaaa is over"), "{}", screen.text());
    screen.keys("Xb");
    assert!(matches!(orders(&screen).last(), Some(Order::TakeBack { op, .. }) if op == "op-1121-aaaa"));
    answer(&mut screen, &plan("rollback", vec![lane(1, "production", None)]));
    screen.keys("y");
    assert!(matches!(orders(&screen).last(), Some(Order::Begin { .. })), "{}", screen.text());
}

#[test]
fn what_an_operation_changed_is_read_again_when_it_ends_and_the_cursor_stays_on_its_operation() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.input(register(vec![running()])).keys("gx");
    let newer = listed(record("op-1121-cccc", &two(), 10), true, Vec::new());
    screen.input(register(vec![newer, running()]));
    let row = screen.text().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
    assert!(row.contains("1/4"), "{}", screen.text());
    screen.effects.clear();
    let events = [begun(), vec![Event::Ended { end: Outcome::Done }]].concat();
    screen.input(register(vec![listed(record("op-1121-bbbb", &two(), 90), false, events)]));
    let is_read =
        |effect: &Effect| matches!(effect, Effect::Wish(Wish::Refresh(sources)) if !sources.is_empty());
    assert!(screen.effects.iter().any(is_read), "{:?}", screen.effects);
}

#[test]
fn rows_that_are_held_say_by_whom_and_the_timeline_is_told() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.input(register(vec![running()])).keys(&format!("2/{}<ret>", id(2)));
        let row = screen
            .text()
            .lines()
            .find(|line| line.contains(&id(2)) && line.starts_with('▌'))
            .unwrap()
            .to_owned();
        assert!(row.starts_with("▌»"), "{}", screen.text());
        screen.keys("d");
        assert!(
            screen.text().contains("held by operation op-1121-bbbb of anna@bastion"),
            "{}",
            screen.text()
        );
        let told = screen.effects.iter().find_map(|effect| match effect {
            Effect::Wish(Wish::Deeds(deeds)) => Some(Arc::clone(deeds)),
            _ => None,
        });
        let told = told.expect("the collector is told");
        assert_eq!((told.len(), told[0].state.as_str()), (1, "running"));
        // In what was read it stands among the events, of the instance too.
        let mut rows = (*fleet::full().fleet).clone();
        rows.tell(&told);
        let event = rows.events.iter().find(|event| event.sort.word() == "operation").unwrap();
        assert_eq!(event.instances(), [id(1), id(2)]);
        assert!(event.what().contains("drain 2 instances: running, by anna@bastion"), "{}", event.what());
        // A record that changes nothing of that is not told again.
        screen.effects.clear();
        screen.input(register(vec![listed(record("op-1121-bbbb", &two(), 90), true, begun())]));
        assert!(!screen.effects.iter().any(|effect| matches!(effect, Effect::Wish(Wish::Deeds(_)))));
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_said_where_operations_would_stand() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        let trouble =
            Some("the journal /x/journal.db is damaged; `coredeck op list` reads what can be".to_owned());
        let damaged = Arc::new(Register { trouble, is_read: true, ..Register::default() });
        screen.keys("gx").input(Input::Register(Arc::clone(&damaged)));
        assert!(screen.text().contains("is damaged"), "{}", screen.text());
        // And wherever they would be told beside others.
        for keys in ["1", ":events<ret>"] {
            let mut other = Headless::new(fleet::full(), size);
            other.input(Input::Register(Arc::clone(&damaged))).keys(keys);
            let text = other.text();
            assert!(text.contains("operations of coredeck are missing"), "{text}");
        }
    }
}

/// One that takes back the operation that stopped part way.
fn taking_back(end: Option<Outcome>) -> Arc<Listed> {
    let mut plan = plan("rollback", vec![lane(1, "shared", None)]);
    plan.intent.targets = vec!["op-1121-aaaa".to_owned()];
    let events = begun().into_iter().chain(end.map(|end| Event::Ended { end })).collect();
    listed(record("op-1121-cccc", &plan.sealed(), 600), end.is_none(), events)
}

#[test]
fn what_was_rolled_back_by_another_operation_says_so_and_asks_for_no_other() {
    let shown = |by: Option<Arc<Listed>>| {
        let mut screen = Headless::new(fleet::full(), (180, 50));
        screen.input(register(by.into_iter().chain([over()]).collect()));
        screen.keys("gxG");
        let list = screen.text();
        let list =
            list.lines().skip_while(|line| !line.contains("drain 2 instances") || line.contains("roll back"));
        let list = list.take(2).collect::<Vec<_>>().join(" ");
        let page = screen.keys("<ret>").text();
        // What was recorded of it stays as it was.
        let (page, _) = page.split_once("\nLog").unwrap();
        (list, page.trim_end().to_owned())
    };
    let again = "op rollback op-1121-aaaa";
    let (list, page) = shown(None);
    assert!(list.contains("stopped part way") && page.contains(again), "{list}\n{page}");
    let (list, page) = shown(Some(taking_back(Some(Outcome::Done))));
    for text in [&list, &page] {
        assert!(text.contains("rolled back") && text.contains("by operation op-1121-cccc"), "{text}");
        assert!(!text.contains("stopped part way") && !text.contains(again), "{text}");
    }
    let (list, page) = shown(Some(taking_back(None)));
    for text in [&list, &page] {
        assert!(text.contains("operation op-1121-cccc is rolling it back"), "{text}");
        assert!(text.contains("op watch op-1121-cccc") && !text.contains(again), "{text}");
    }
    // One that changed nothing took nothing back.
    let (_, page) = shown(Some(taking_back(Some(Outcome::Failed))));
    assert!(page.contains(again) && !page.contains("op-1121-cccc"), "{page}");
    let (_, page) = shown(Some(taking_back(Some(Outcome::PartWay))));
    assert!(page.contains("was to roll it back and stopped part way") && page.contains(again), "{page}");
}

#[test]
fn what_was_rolled_back_is_not_rolled_back_once_more_from_its_page() {
    let pressed = |by: Option<Arc<Listed>>| {
        let mut screen = Headless::new(fleet::full(), (180, 50));
        screen.input(register(by.into_iter().chain([over()]).collect()));
        let page = screen.keys("gxG<ret>").text();
        let offers = page.trim_end().lines().last().is_some_and(|hints| hints.contains("roll back"));
        (offers, screen.keys("Xb").text())
    };
    for by in [None, Some(Outcome::PartWay)] {
        let (offers, text) = pressed(by.map(|end| taking_back(Some(end))));
        assert!(offers && text.contains("roll back op-1121-aaaa"), "{text}");
    }
    for (by, says) in [
        (Some(Outcome::Done), "operation op-1121-cccc has rolled op-1121-aaaa back already"),
        (None, "operation op-1121-cccc is rolling op-1121-aaaa back"),
    ] {
        let (offers, text) = pressed(Some(taking_back(by)));
        assert!(!offers && text.contains(says) && !text.contains("Why"), "{text}");
    }
}

#[test]
fn a_step_of_an_operation_that_is_over_does_not_look_as_if_it_ran() {
    let step = |of: Arc<Listed>| {
        let mut screen = Headless::new(fleet::full(), (180, 50));
        screen.input(register(vec![of]));
        let text = screen.keys("gx<ret>").text();
        text.lines().find(|line| line.contains("2. stop its last task")).unwrap().to_owned()
    };
    assert!(step(running()).contains("… 2. stop its last task  since "));
    let over = step(over());
    assert!(over.contains("? 2. stop its last task  not finished: begun "), "{over}");
}

#[test]
fn the_line_of_a_target_whose_end_was_not_recorded_says_so() {
    let mut screen = Headless::new(fleet::full(), (180, 50));
    screen.input(register(vec![over()]));
    let text = screen.keys("gx<ret>").text();
    let line = text.lines().find(|line| line.contains("not recorded")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("not known: stop its last task; how it ended was not recorded"), "{line}");
    assert!(!text.contains("running: "), "{text}");
}

#[test]
fn a_plan_that_takes_its_time_tells_how_far_it_is() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.keys("2").keys("xd");
    let ticket = ticket(&screen);
    let said = || "41 calls made, 33 wait for their turn, about 7s".to_owned();
    // What is told of another plan is not of this one.
    screen.input(Input::Answer(Answer::Planning { ticket: ticket + 1, said: said() }));
    assert!(!screen.text().contains("41 calls made"), "{}", screen.text());
    screen.input(Input::Answer(Answer::Planning { ticket, said: said() }));
    let text = screen.text();
    assert!(text.contains("reading the fleet and planning") && text.contains(&said()), "{text}");
    answer(&mut screen, &two());
    assert!(!screen.text().contains("41 calls made"), "{}", screen.text());
}

#[test]
fn a_command_that_carries_a_document_is_cut_and_says_by_how_much() {
    let plan = one();
    let mut screen = dialog((80, 24), "xd", &plan);
    let long = Offer {
        plan: Arc::new(plan.clone()),
        commands: vec![vec![Some(format!("aws ssm create-document {}", "word ".repeat(400))), None]],
    };
    let ticket = ticket(&screen);
    screen.input(Input::Answer(Answer::Planned { ticket, offer: Ok(Arc::new(long)) }));
    let mut text = screen.text();
    for _ in 0..6 {
        text.push_str(&screen.keys("<pgdn>").text());
    }
    assert!(text.contains("aws ssm create-document word"), "{text}");
    assert!(text.contains("lines more of it, which the operation's log has once it is made"), "{text}");
    assert!(text.contains("2. stop its last task"), "what follows is in sight: {text}");
}

#[test]
fn a_field_that_answers_a_warning_is_named_under_it() {
    let mut plan = one();
    plan.warnings = vec!["nothing watches: say --override-budget".to_owned()];
    let mut screen = dialog((180, 50), "xd", &plan.sealed());
    let text = screen.text();
    assert!(text.contains("--override-budget is the field `budget` here."), "{text}");
    // A command of AWS is nobody's field.
    let ticket = ticket(&screen);
    let declined = Declined {
        what: "drain is refused".to_owned(),
        why: vec!["there is no such parameter; aws ssm put-parameter --type SecureString".to_owned()],
        ..Declined::default()
    };
    screen.input(Input::Answer(Answer::Planned { ticket, offer: Err(declined) }));
    assert!(!screen.text().contains("What a flag does"), "{}", screen.text());
}
