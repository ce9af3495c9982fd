//! Lines of docker's own: from the host, by commands of Systems Manager.
//!
//! What is over is asked for by a command for each container, which may then fill the answer by itself. What is new is
//! asked for by one command for all containers of a host; one of them that wrote more than its share holds is asked
//! again by itself.

use super::{Part, Reading, Stand, Tell, Way, in_region, rests};
use crate::logs::fold::Fold;
use crate::logs::hostlog::{AT_ONCE, Span, Told};
use crate::logs::line::Line;
use crate::logs::mask::Mask;
use crate::logs::origin::Place;
use crate::logs::said::{Flow, Said};
use crate::model::{InstanceId, Scope, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Lines that a host is asked for at once.
const TAIL: u32 = 2_000;
/// From one question to the next, where few hosts are asked: each takes a command and two to four looks at it.
const AGAIN: Duration = Duration::from_secs(10);
/// Hosts that are asked so often; where there are more, each is asked more seldom.
const HOSTS: usize = 3;
/// The longest pause, between hosts that are many and after what failed.
const LONGEST: Duration = Duration::from_secs(60);
/// How far each question goes back behind the newest line: docker writes some a little out of their order.
const OVERLAP: SignedDuration = SignedDuration::from_secs(1);

/// A container on a docker host.
pub(super) struct Source {
    pub(super) name: Text,
    pub(super) container: Text,
    pub(super) from: u16,
}

/// A docker host, and the containers on it that are read.
pub(super) struct Host {
    pub(super) scope: Scope,
    pub(super) instance: InstanceId,
    pub(super) sources: Vec<Source>,
}

/// A container that is read, and what was read of it.
struct Tail {
    source: Source,
    fold: Fold,
    taken: Taken,
    since: Timestamp,
    /// Others wait for the past; what comes of it once they do not any more comes late.
    past: Option<mpsc::Sender<Vec<Line>>>,
    is_first: bool,
    failed: bool,
    is_over: bool,
}

/// What a host's task has at hand.
pub(super) struct Desk {
    pub(super) reading: Arc<Reading>,
    pub(super) mask: Arc<Mask>,
    pub(super) tell: Tell,
    pub(super) stop: CancellationToken,
}

impl Host {
    /// Reads all that is on it. `past`: where what is over of each goes, in their order.
    pub(super) async fn read(self, desk: Desk, past: Vec<mpsc::Sender<Vec<Line>>>) {
        let Self { scope, instance, sources } = self;
        let place = Where { scope, instance };
        let tails = sources.into_iter().zip(past).map(|(source, past)| {
            let fold = Fold::new(source.from, Arc::clone(&desk.mask));
            let (since, taken) = (desk.reading.since, Taken::default());
            Tail {
                source,
                fold,
                taken,
                since,
                past: Some(past),
                is_first: true,
                failed: false,
                is_over: false,
            }
        });
        let tail = desk.reading.tail.map_or(TAIL, |tail| tail.clamp(1, TAIL));
        let (place, desk) = (&place, &desk);
        let firsts = tails.map(|mut one| async move {
            one.first(place, desk, tail).await;
            one
        });
        let mut tails = futures::future::join_all(firsts).await;
        if !desk.reading.follows {
            return;
        }
        let usual = pace(&desk.reading);
        let (mut pause, mut gaze) = (usual, desk.reading.gaze.clone());
        loop {
            tails.retain(|one| !one.is_over);
            if tails.is_empty() {
                return;
            }
            rests(&mut gaze, pause).await;
            let mut is_well = false;
            for some in tails.chunks_mut(AT_ONCE) {
                is_well |= place.follow(desk, some).await;
            }
            pause = if is_well { usual } else { (pause * 2).min(LONGEST) };
        }
    }
}

/// Which host.
struct Where {
    scope: Scope,
    instance: InstanceId,
}

impl Where {
    /// Asks for some containers' lines, and again after longer and longer pauses where AWS asks for patience, which is
    /// said of these sources as long as it lasts. Lines that are asked for later are there all the same.
    async fn ask(
        &self,
        desk: &Desk,
        of: Vec<(Text, Timestamp)>,
        from: &[u16],
        tail: u32,
    ) -> Result<Vec<Result<Told, String>>, String> {
        let span = Span { of, until: desk.reading.until, tail };
        let (mut pause, mut waits) = (Duration::from_secs(1), false);
        loop {
            match desk.reading.asker.ask(&self.scope, &self.instance, &span).await {
                Err(silence) if silence.is_passing && pause <= LONGEST => {
                    if !std::mem::replace(&mut waits, true) {
                        let text = format!("{} is asked again and again: {}", self.instance, silence.why);
                        desk.tell.say(Said::turn(from.to_vec(), Flow::Waits, text)).await;
                    }
                    tokio::time::sleep(pause.min(LONGEST)).await;
                    pause *= 2;
                }
                answer => {
                    if waits && answer.is_ok() {
                        desk.tell.say(Said::turn(from.to_vec(), Flow::Comes, "")).await;
                    }
                    return answer.map_err(|silence| silence.why);
                }
            }
        }
    }

    /// Asks for what is new of some containers. Whether anything is known of any.
    async fn follow(&self, desk: &Desk, tails: &mut [Tail]) -> bool {
        let of = tails.iter().map(|one| (one.source.container.clone(), one.since)).collect();
        let from: Vec<u16> = tails.iter().map(|one| one.source.from).collect();
        let all = match self.ask(desk, of, &from, TAIL).await {
            Ok(all) => all,
            Err(why) => tails.iter().map(|_| Err(why.clone())).collect(),
        };
        let (mut is_well, shares) = (false, tails.len() > 1);
        for (one, mut told) in tails.iter_mut().zip(all) {
            if shares && matches!(told, Ok(Told::Lines { is_cut: true, .. })) {
                let of = vec![(one.source.container.clone(), one.since)];
                // Where that fails, what came with the others is better than nothing.
                let from = [one.source.from];
                if let Ok(Some(Ok(whole))) = self.ask(desk, of, &from, TAIL).await.map(|mut all| all.pop()) {
                    told = Ok(whole);
                }
            }
            is_well |= told.is_ok();
            one.take(self, desk, told, TAIL).await;
        }
        is_well
    }
}

impl Tail {
    async fn say(&self, desk: &Desk, flow: Option<Flow>, text: &str) {
        let text = if text.is_empty() { String::new() } else { format!("{}: {text}", self.source.name) };
        desk.tell.say(Said { text, of: vec![self.source.from], flow }).await;
    }

    /// What is over.
    async fn first(&mut self, place: &Where, desk: &Desk, tail: u32) {
        let of = vec![(self.source.container.clone(), self.since)];
        let asked = place.ask(desk, of, &[self.source.from], tail).await;
        let told = asked.and_then(|mut all| all.pop().unwrap_or_else(|| Err("nothing was said".to_owned())));
        self.take(place, desk, told, tail).await;
    }

    /// What a host said of it.
    async fn take(&mut self, place: &Where, desk: &Desk, told: Result<Told, String>, tail: u32) {
        let follows = desk.reading.follows;
        match told {
            Err(why) if !follows => {
                self.is_over = true;
                self.past = None;
                self.say(desk, Some(Flow::Ended), &why).await;
            }
            Err(why) => {
                self.past = None;
                if !std::mem::replace(&mut self.failed, true) {
                    self.say(desk, Some(Flow::Waits), &why).await;
                }
            }
            Ok(Told::CloudWatch { .. }) if !self.is_first => {
                self.is_over = true;
                self.say(desk, Some(Flow::Ended), "docker sends its lines elsewhere now").await;
            }
            Ok(Told::CloudWatch { group, region, stream }) => {
                self.is_over = true;
                let scope = in_region(&place.scope, region.as_ref());
                let part = Part { scope, group, streams: vec![(stream, self.source.from)] };
                let way = self.past.take().map_or_else(|| Way::Late(desk.tell.clone()), Way::Past);
                let stand = Stand::new(&desk.reading, &desk.mask, part, desk.tell.clone());
                let stop = desk.stop.clone();
                tokio::spawn(async move {
                    tokio::select! { () = stop.cancelled() => {} () = stand.read(way) => {} }
                });
            }
            Ok(Told::Lines { lines, is_cut }) => self.lines(desk, lines, is_cut, tail).await,
        }
    }

    async fn lines(&mut self, desk: &Desk, lines: Vec<(Timestamp, String)>, is_cut: bool, tail: u32) {
        let is_first = self.is_first;
        let wanted = desk.reading.tail.map(|_| tail as usize);
        if is_first && is_cut && wanted.is_none_or(|tail| lines.len() < tail) {
            let first = lines.first().map(|(at, _)| format!(" (from {at:.0})")).unwrap_or_default();
            let text = format!(
                "only the last {} lines{first}: a host hands out no more at once; --since, --until and --tail narrow it",
                lines.len()
            );
            self.say(desk, None, &text).await;
        } else if !is_first && is_cut {
            let text = "lines are missing here: it writes more than its host hands out at once";
            self.say(desk, None, text).await;
        }
        let mut whole = self.taken.fresh(&mut self.fold, lines, desk.reading.until);
        if !desk.reading.follows {
            whole.extend(self.fold.flush());
        } else if !is_first {
            whole.extend(self.fold.flush_old());
        }
        // Somebody else writes between what docker wrote out of order.
        whole.sort_by_key(|line| line.at);
        let way = match (self.past.take(), is_first) {
            (Some(send), _) => Way::Past(send),
            (None, true) => Way::Late(desk.tell.clone()),
            (None, false) => Way::Fresh(desk.tell.clone()),
        };
        let is_taken = way.hand_on(whole).await;
        drop(way);
        if !is_taken {
            self.is_over = true;
            return;
        }
        if is_first || self.failed {
            self.say(desk, Some(Flow::Comes), "").await;
        }
        (self.is_first, self.failed) = (false, false);
        self.since = self.taken.since().unwrap_or(self.since);
    }
}

/// How often each host is asked: so that all together take no more than an account can spare.
fn pace(reading: &Reading) -> Duration {
    let host = |place: &Place| match place {
        Place::Container { instance, .. } => Some(instance.clone()),
        Place::Task { .. } => None,
    };
    let hosts: BTreeSet<InstanceId> =
        reading.origins.iter().filter_map(|origin| host(&origin.place)).collect();
    let times = u32::try_from(hosts.len().div_ceil(HOSTS).max(1)).unwrap_or(u32::MAX);
    AGAIN.saturating_mul(times).min(LONGEST)
}

/// Lines that were taken and may come again: docker is asked for whole seconds, and for some that are over.
#[derive(Debug, Default)]
struct Taken {
    newest: Option<Timestamp>,
    /// How often each of the last seconds' lines was there.
    near: HashMap<(Timestamp, String), usize>,
}

impl Taken {
    /// From when on is asked next; none before there was any line.
    fn since(&self) -> Option<Timestamp> {
        let since = self.newest?.saturating_sub(OVERLAP).ok()?;
        Timestamp::from_second(since.as_second()).ok()
    }

    /// Folds the lines of an answer that were not taken yet. Two that are alike in one answer are two.
    fn fresh(
        &mut self,
        fold: &mut Fold,
        lines: Vec<(Timestamp, String)>,
        until: Option<Timestamp>,
    ) -> Vec<Line> {
        let mut whole = Vec::new();
        let mut again: HashMap<(Timestamp, String), usize> = HashMap::new();
        for (at, text) in lines {
            if until.is_some_and(|until| at >= until) {
                continue;
            }
            let key = (at, text);
            let known = self.near.get(&key).copied().unwrap_or(0);
            let times = again.get(&key).copied().unwrap_or(0) + 1;
            if times > known {
                self.newest = self.newest.max(Some(at));
                whole.extend(fold.push(at, &key.1));
            }
            again.insert(key, times);
        }
        let since = self.since();
        for (key, times) in again {
            let known = self.near.entry(key).or_default();
            *known = times.max(*known);
        }
        self.near.retain(|(at, _), _| since.is_some_and(|since| *at >= since));
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fresh, Gaze};
    use super::*;
    use crate::clock::Clock;
    use crate::gateway::change::{Answered, Change, FleetWriter, Proof, Receipt, Token, WriteError};
    use crate::gateway::{FleetProbe, Look, Seen};
    use crate::logs::hostlog::{Asker, NAME, hash};
    use crate::logs::origin::Origin;
    use crate::model::{DocumentDetail, Invocation, Trouble};
    use base64::Engine as _;
    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use std::io::Write as _;
    use std::sync::Mutex;

    /// A host with containers that write a line for each question; `loud` writes more than its share, and `lost` is
    /// not there.
    #[derive(Default)]
    struct Docker {
        /// What each command asked for.
        asked: Mutex<Vec<String>>,
    }

    impl Docker {
        fn said(&self, number: usize) -> String {
            let asked = self.asked.lock().unwrap()[number].clone();
            let all: Vec<&str> = asked.split(',').filter_map(|one| one.split(':').next()).collect();
            let mut said = format!("coredeck-logs 3 {}\n", all.len());
            for name in &all {
                if *name == "lost" {
                    said += "gone\n";
                    continue;
                }
                let (minute, second) = (number / 60 + 20, number % 60);
                let line = format!("2026-11-21T19:{minute:02}:{second:02}Z {name} {number}\n");
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                packer.write_all(line.as_bytes()).unwrap();
                let packed = base64::engine::general_purpose::STANDARD.encode(packer.finish().unwrap());
                let whole = if *name == "loud" && all.len() > 1 { 9_999 } else { line.len() };
                said += &format!("is json-file||||4f|/{name}|\n600 {whole}\n{packed}\n");
            }
            said
        }
    }

    impl FleetProbe for Docker {
        fn look<'a>(&'a self, _: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
            let seen = match look {
                Look::Document { .. } => Seen::Document(Some(DocumentDetail {
                    name: NAME.into(),
                    status: "Active".into(),
                    default_version: "1".into(),
                    sha256: Some(hash().into()),
                })),
                Look::Invocation { command, instance } => Seen::Invocations(vec![Invocation {
                    command: command.clone(),
                    instance: instance.clone(),
                    status: "Success".into(),
                    detail: "Success".into(),
                    exit_code: Some(0),
                    output: self.said(command.parse().unwrap()),
                }]),
                other => panic!("{other:?}"),
            };
            async move { Ok(seen) }.boxed()
        }
    }

    impl FleetWriter for Docker {
        fn write<'a>(
            &'a self,
            _: &'a Scope,
            change: &'a Change,
            _: &'a Token,
        ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
            let Change::SendCommand { parameters, .. } = change else { panic!("{change:?}") };
            let mut asked = self.asked.lock().unwrap();
            let answered = Answered::Command(asked.len().to_string().into());
            asked.push(parameters["Containers"][0].to_string());
            let receipt = Receipt {
                request_id: None,
                at: Timestamp::UNIX_EPOCH,
                command: String::new(),
                answered,
                missed: Vec::new(),
            };
            async move { Ok(receipt) }.boxed()
        }

        fn prove<'a>(&'a self, _: &'a Scope, _: &'a Change) -> BoxFuture<'a, Result<Proof, WriteError>> {
            async { Ok(Proof::None) }.boxed()
        }

        fn command<'a>(
            &'a self,
            _: &'a Scope,
            _: &'a Change,
            _: &'a Token,
        ) -> BoxFuture<'a, Result<String, WriteError>> {
            async { Ok(String::new()) }.boxed()
        }
    }

    #[tokio::test]
    async fn new_lines_of_all_containers_of_a_host_are_one_command_and_who_was_cut_is_asked_alone() {
        let docker = Arc::new(Docker::default());
        let scope = Scope { account: "a".into(), region: "us-east-1".into() };
        let names = ["calm", "loud", "lost"];
        let origin = |name: &str| Origin {
            name: name.into(),
            scope: Arc::new(scope.clone()),
            place: Place::Container { instance: "i-1".into(), container: name.into() },
            only: Vec::new(),
            service: None,
            doubt: None,
        };
        let (probe, writer) = (Arc::clone(&docker), Arc::clone(&docker));
        let reading = Arc::new(Reading {
            origins: names.map(origin).to_vec(),
            since: Timestamp::UNIX_EPOCH,
            until: None,
            follows: true,
            tail: None,
            sieve: None,
            asker: Asker::new(probe, Some(writer), "test".to_owned(), false),
            configured: None,
            clock: Clock::Fixed(Timestamp::UNIX_EPOCH),
            gaze: Gaze::steady(),
        });
        assert_eq!(pace(&reading), AGAIN, "three containers, and one host");
        let (lines, mut fresh) = mpsc::channel(8);
        let (say, mut said) = mpsc::channel(8);
        let tell = Tell { lines, say, searched: Arc::default() };
        let mask = Arc::<Mask>::default();
        let desk = Desk { reading, mask: Arc::clone(&mask), tell, stop: CancellationToken::new() };
        let place = Where { scope, instance: "i-1".into() };
        let tail = |(from, name): (u16, &str)| Tail {
            source: Source { name: name.into(), container: name.into(), from },
            fold: Fold::new(from, Arc::clone(&mask)),
            taken: Taken::default(),
            since: Timestamp::UNIX_EPOCH,
            past: None,
            is_first: false,
            failed: false,
            is_over: false,
        };
        let mut tails: Vec<Tail> = (0..).zip(names).map(tail).collect();
        assert!(place.follow(&desk, &mut tails).await, "something is known");
        assert!(place.follow(&desk, &mut tails).await);
        let asked = docker.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 4);
        assert_eq!(asked[..2], ["calm:0,loud:0,lost:0", "loud:0"]);
        // The second it wrote last, and one before: 19:20:00 and 19:20:01 of that day.
        assert_eq!(asked[2], "calm:1795288799,loud:1795288800,lost:0");
        assert_eq!(asked[3], "loud:1795288800");
        let why = said.try_recv().unwrap();
        assert!(why.of == [2] && why.flow == Some(Flow::Waits), "{why:?}");
        assert!(why.text.contains("no such container on i-1"), "{why:?}");
        assert!(said.try_recv().is_err(), "once");
        let mut shown = Vec::new();
        while let Ok(Fresh::Lines(lines)) = fresh.try_recv() {
            shown.extend(lines.into_iter().map(|line| line.message));
        }
        let once: BTreeSet<&String> = shown.iter().collect();
        assert!(once.len() == shown.len() && shown.contains(&"calm 0".to_owned()), "{shown:?}");
    }

    fn line(ms: i64, text: &str) -> (Timestamp, String) {
        (Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap(), text.to_owned())
    }

    #[test]
    fn lines_out_of_their_order_and_lines_that_are_alike_are_all_taken_and_none_twice() {
        let mut fold = Fold::new(0, Arc::default());
        let mut taken = Taken::default();
        let mut said = |lines: Vec<(Timestamp, String)>| {
            let mut whole = taken.fresh(&mut fold, lines, None);
            whole.extend(fold.flush());
            (whole.into_iter().map(|line| line.message).collect::<Vec<_>>(), taken.since())
        };
        let (first, since) =
            said(vec![line(1_500, "b"), line(1_200, "a"), line(1_500, "b"), line(2_900, "c")]);
        assert_eq!(first, ["b", "a", "b", "c"]);
        assert_eq!(since, Some(line(1_000, "").0), "whole seconds, and one that is over");
        // All of it again, one that was written late, and one like another.
        let again = vec![
            line(1_500, "b"),
            line(1_200, "a"),
            line(1_500, "b"),
            line(1_700, "late"),
            line(2_900, "c"),
            line(2_900, "c"),
            line(9_000, "d"),
        ];
        assert_eq!(said(again).0, ["late", "c", "d"]);
        assert!(taken.near.len() < 2, "{:?}", taken.near);
    }
}
