//! Ports by a plugin of the test's own, and sessions that only remember who opened and ended them.

use super::*;
use crate::gateway::{Opened, Session};
use crate::model::Sealed;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

/// Listens, and ends well when it is asked to, whatever becomes of its session.
const PLUGIN: &str = r#"#!/usr/bin/env python3
import json, os, signal, socket, sys
signal.signal(signal.SIGINT, lambda *_: os._exit(0))
asked = json.loads(sys.argv[5])
listener = socket.create_server(("127.0.0.1", asked["local"]))
while True:
    signal.pause()
"#;

/// What is known of the sessions.
#[derive(Default)]
struct Known {
    /// The instance of each, in the order that they were opened in.
    opened: Mutex<Vec<String>>,
    /// Those that were ended, by their numbers.
    ended: Mutex<Vec<usize>>,
    /// Those of which AWS says so although nobody ended them.
    is_over: Mutex<BTreeSet<usize>>,
    /// Instances that are not there any more.
    gone: Mutex<BTreeSet<String>>,
    /// Looks at all sessions.
    looks: AtomicU64,
    /// Sessions that may be opened yet; none for any number.
    turns: Option<Semaphore>,
}

impl Sessions for Known {
    fn open<'a>(
        &'a self,
        scope: &'a Scope,
        session: &'a Session,
        _: bool,
    ) -> BoxFuture<'a, Result<Opened, Trouble>> {
        let Session::Forward { instance, local, .. } = session else { panic!("{session:?}") };
        if held(&self.gone).contains(instance.as_str()) {
            let trouble = Trouble {
                kind: TroubleKind::Other,
                call: "ssm:StartSession".into(),
                code: Some("TargetNotConnected".into()),
                message: format!("Systems Manager cannot reach {instance}"),
                hint: None,
                request_id: None,
                at: jiff::Timestamp::UNIX_EPOCH,
            };
            return async move { Err(trouble) }.boxed();
        }
        let mut opened = held(&self.opened);
        opened.push(instance.to_string());
        let opened = Opened {
            id: (opened.len() - 1).to_string().into(),
            answer: Sealed::new("{}"),
            asked: serde_json::json!({ "local": local }).to_string(),
            endpoint: String::new(),
            profile: None,
            region: scope.region.clone(),
        };
        async move {
            if let Some(turns) = &self.turns {
                turns.acquire().await.unwrap().forget();
            }
            Ok(opened)
        }
        .boxed()
    }

    fn end<'a>(&'a self, _: &'a Scope, id: &'a Text) -> BoxFuture<'a, Result<(), Trouble>> {
        held(&self.ended).push(id.parse().unwrap());
        async { Ok(()) }.boxed()
    }

    fn live<'a>(&'a self, _: &'a Scope) -> BoxFuture<'a, Result<Vec<Text>, Trouble>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let (ended, is_over) = (held(&self.ended).clone(), held(&self.is_over).clone());
        let goes_on = |id: &usize| !ended.contains(id) && !is_over.contains(id);
        let live = (0..held(&self.opened).len()).filter(goes_on).map(|id| id.to_string().into()).collect();
        async move { Ok(live) }.boxed()
    }
}

struct Rig {
    known: Arc<Known>,
    tunnels: Tunnels,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new(most: usize, rests: Duration) -> Self {
        Self::with(most, rests, Known::default())
    }

    fn with(most: usize, rests: Duration, known: Known) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin");
        std::fs::write(&path, PLUGIN).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let known = Arc::new(known);
        let tunnels = Tunnels::of(Arc::clone(&known) as Arc<dyn Sessions>, Clock::Real, most, rests);
        let program = String::leak(path.to_str().unwrap().to_owned());
        assert!(tunnels.0.plugin.set(Plugin::of(program)).is_ok());
        Self { known, tunnels, _folder: folder }
    }

    async fn lead(&self, instance: &str) -> Result<Lead, String> {
        let scope = Scope { account: "a".into(), region: "us-east-1".into() };
        let to = HostAt { scope, instance: instance.into() };
        self.tunnels.ways().lead(&to, 3567).await
    }

    fn opened(&self) -> Vec<String> {
        held(&self.known.opened).clone()
    }

    fn ended(&self) -> Vec<usize> {
        let mut ended = held(&self.known.ended).clone();
        ended.sort_unstable();
        ended
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        tokio::task::yield_now().await;
    }
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_nobody_uses_the_one_unused_for_longest_makes_room_and_nobody_is_cut_off() {
    let rig = Rig::new(2, LONG);
    let first = rig.lead("one").await.unwrap();
    drop(rig.lead("two").await.unwrap());
    let third = rig.lead("three").await.unwrap();
    // The first was asked for before the second, and is in use: it is where it was.
    drop(rig.lead("one").await.unwrap());
    assert_eq!(rig.opened(), ["one", "two", "three"]);
    // Both are in use: the next waits, and comes when one of them is not.
    {
        let fourth = rig.lead("four");
        tokio::pin!(fourth);
        assert!(futures::poll!(&mut fourth).is_pending());
        drop(third);
        drop(fourth.await.unwrap());
    }
    drop(rig.lead("one").await.unwrap());
    assert_eq!(rig.opened(), ["one", "two", "three", "four"]);
    drop(first);
    // That one lives as long as all: it is opened anew, and the one beside it goes.
    drop(rig.lead("two").await.unwrap());
    drop(rig.lead("one").await.unwrap());
    assert_eq!(rig.opened(), ["one", "two", "three", "four", "two"]);
    let Rig { known, tunnels, _folder } = rig;
    drop(tunnels);
    let mut ended = held(&known.ended).clone();
    ended.sort_unstable();
    assert_eq!(ended, [0, 1, 2, 3, 4], "every plugin ended well, and every session was open all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_nobody_asks_for_any_more_is_closed_and_a_host_that_is_gone_is_said() {
    let rig = Rig::new(24, Duration::from_millis(20));
    // A core moves from one host to another: from then on only the other is asked for.
    let there = rig.lead("before").await.unwrap();
    let port = there.port;
    drop(there);
    let after = rig.lead("after").await.unwrap();
    let takes = |port: u16| std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    until("the way to where it was is still open", || !takes(port)).await;
    assert!(takes(after.port), "what is in use stays");
    // The host ends, and its session with it: the plugin breaks off.
    let slot = held(&rig.tunnels.0.slots)
        .iter()
        .find(|(door, _)| door.0.instance.as_str() == "after")
        .unwrap()
        .1
        .clone();
    let open = slot.open.lock().await.clone().unwrap();
    open.stop().await;
    drop((open, slot));
    held(&rig.known.gone).insert("after".to_owned());
    held(&rig.known.is_over).insert(1);
    let Err(why) = rig.lead("after").await else { panic!("it leads to a host that is gone") };
    assert!(why.contains("cannot reach after"), "{why}");
    drop(after);
    let Rig { known, tunnels, _folder } = rig;
    drop(tunnels);
    // What AWS says is over is not ended again.
    assert_eq!((held(&known.ended).clone(), held(&known.opened).len()), (vec![0], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_plugins_leave_open_are_ended_and_one_look_tells_of_many() {
    let rig = Rig::new(3, LONG);
    for nth in 0..12 {
        drop(rig.lead(&format!("host-{nth}")).await.unwrap());
    }
    // Those that made room are looked after while others go on.
    until("the first are never ended", || rig.ended().len() >= CHECKED).await;
    let Rig { known, tunnels, _folder } = rig;
    drop(tunnels);
    let mut ended = held(&known.ended).clone();
    ended.sort_unstable();
    assert_eq!(ended, (0..12).collect::<Vec<_>>());
    assert!(known.looks.load(Ordering::Relaxed) <= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_being_asked_for_when_all_ends_are_ended_too_and_no_more_are_asked_for() {
    let rig = Rig::with(24, LONG, Known { turns: Some(Semaphore::new(0)), ..Known::default() });
    let scope = Scope { account: "a".into(), region: "us-east-1".into() };
    let leads: Vec<_> = (0..12)
        .map(|nth| {
            let to = HostAt { scope: scope.clone(), instance: format!("host-{nth}").as_str().into() };
            let ways = rig.tunnels.ways();
            tokio::spawn(async move { ways.lead(&to, 3567).await.map(|_| ()) })
        })
        .collect();
    until("nobody asks", || rig.opened().len() == OPENING).await;
    let Rig { known, tunnels, _folder } = rig;
    let answers = Arc::clone(&known);
    let over = tunnels.0.over.clone();
    // AWS answers those that it was asked for when everything ends, and would answer all others.
    tokio::spawn(async move {
        over.cancelled().await;
        answers.turns.as_ref().unwrap().add_permits(12);
    });
    drop(tunnels);
    for lead in leads {
        assert_eq!(lead.await.unwrap(), Err(ENDING.to_owned()));
    }
    let mut ended = held(&known.ended).clone();
    ended.sort_unstable();
    assert_eq!((ended, held(&known.opened).len()), ((0..OPENING).collect(), OPENING));
}
