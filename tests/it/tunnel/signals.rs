//! What ends a program ends its sessions first, whatever it does at that moment: it asks cores, waits for a person, is
//! watched for, or follows an operation; also where one of the sessions never opens.

use super::*;
use crate::pty::Terminal;
use coredeck::sim::Mischief;
use portable_pty::CommandBuilder;
use std::io::{BufRead as _, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Output};

/// However much else the machine has to do: what is given to sessions to end, and as much again twice.
const BOUND: Duration = Duration::from_secs(30);

const SIGNALS: [(Signal, &str); 3] = [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP")];

impl Rig {
    /// A run that goes on beside the test.
    fn start(&self, args: &str) -> Child {
        let (args, env) = self.typed(SSM, args);
        let mut command = self.home.command();
        command.envs(env).args(args.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Likewise, in a terminal.
    fn terminal(&self, args: &str) -> Terminal {
        let (args, env) = self.typed(SSM, args);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
        command.args(args.split(' '));
        command.env_clear();
        self.home.environment().iter().for_each(|(name, value)| command.env(name, value));
        env.iter().for_each(|(name, value)| command.env(name, value));
        command.cwd(self.home.path());
        Terminal::of(command, None, 40, 160)
    }

    /// The plugins that this process has started and that live.
    fn plugins_of(&self, process: u32) -> Vec<String> {
        let all = self.told("pids");
        all.lines().filter(|pid| parent(pid) == Some(process)).map(str::to_owned).collect()
    }

    /// Sends a signal, and waits for the end.
    async fn ended_by(&self, child: Child, signal: Signal) -> (Output, String) {
        let began = Instant::now();
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let waits = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
        let Ok(ended) = tokio::time::timeout(BOUND, waits).await else {
            kill_process(pid, Signal::KILL).unwrap();
            panic!("{signal:?} took {:?}", began.elapsed());
        };
        let ended = ended.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        self.home.keep(&ended.stdout);
        self.home.keep(&ended.stderr);
        (ended, said)
    }
}

/// Who started a process that lives.
fn parent(pid: &str) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    let state = fields.next()?;
    fields.next()?.parse().ok().filter(|_| state != "Z")
}

/// Never answers the first that asks for a session.
fn hangs_once() -> Vec<Rule> {
    let hang = Rule::always(Mischief::Hang);
    vec![Rule { service: "ssm".to_owned(), call: "StartSession".to_owned(), times: Some(1), ..hang }]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_waits_for_a_yes_ends_its_sessions_by_every_signal() {
    let rig = Arc::new(Rig::new(1).await);
    rig.install();
    let set = format!("core config set shared-1 access_token_validity=7200 --domain {DOMAIN}");
    let rotate = format!("core keys rotate shared-1 --domain {DOMAIN} --generate /keys/made");
    let keyboard = [(None, "Interrupt"), (Some("TERM"), "Terminated"), (Some("HUP"), "Hangup")];
    for (line, (signal, usual)) in [set.clone(), set, rotate].into_iter().zip(keyboard) {
        let mine = Arc::clone(&rig);
        let waits = tokio::task::spawn_blocking(move || {
            let mut terminal = mine.terminal(&line);
            terminal.wait_for("to do this [no]:");
            terminal
        });
        let mut terminal = waits.await.unwrap();
        assert_ne!(rig.running.sessions(), Vec::<String>::new(), "the core was asked through one");
        let began = Instant::now();
        match signal {
            None => terminal.press("\x03"),
            Some(name) => terminal.signal(name),
        }
        let (status, said) = tokio::task::spawn_blocking(|| terminal.ended()).await.unwrap();
        assert!(began.elapsed() < BOUND, "{usual} took {:?}", began.elapsed());
        assert_eq!(status.signal(), Some(usual), "{said}");
        assert_eq!(rig.running.sessions(), Vec::<String>::new(), "{usual}");
        rig.nothing_is_left().await;
    }
    let ran = rig.done("op list -o json").await;
    assert!(!ran.out.contains("op-"), "nothing was entered: {}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_watched_for_as_long_as_somebody_likes_ends_its_sessions_by_every_signal() {
    let rig = Rig::new(2).await;
    rig.install();
    for (signal, name) in SIGNALS {
        let child = rig.start("get cores --columns id,answer --watch=60s");
        until("the cores are not asked", || rig.running.sessions().len() == 3).await;
        let (ended, said) = rig.ended_by(child, signal).await;
        assert_eq!(ended.status.signal(), Some(signal.as_raw()), "{said}");
        assert_eq!(rig.running.sessions(), Vec::<String>::new(), "{name}");
        rig.nothing_is_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_an_operation_leaves_no_session_behind_and_the_operation_goes_on() {
    let rig = Rig::new(1).await;
    rig.install();
    rig.home.write("bin/gate", "");
    let set = format!("core config set shared-1 access_token_validity=7200 --domain {DOMAIN} --yes");
    let mut child = rig.start(&set);
    until("no runner asks a core", || !rig.told("held").is_empty()).await;
    // Whoever says where it runs listens for himself by then.
    let mut err = std::io::BufReader::new(child.stderr.take().unwrap());
    let heard = tokio::task::spawn_blocking(move || {
        let mut heard = String::new();
        while !heard.contains("it runs ") {
            assert_ne!(err.read_line(&mut heard).unwrap(), 0, "{heard}");
        }
        (err, heard)
    });
    let (mut err, mut said) = heard.await.unwrap();
    let mine = rig.plugins_of(child.id());
    assert!(!mine.is_empty(), "the plan was made through one");
    let (ended, _) = rig.ended_by(child, Signal::TERM).await;
    err.read_to_string(&mut said).unwrap();
    assert_eq!(ended.status.code(), Some(7), "{said}");
    // Those of the runner come and go meanwhile.
    assert!(mine.iter().all(|pid| parent(pid).is_none()), "its own have ended");
    std::fs::remove_file(rig.home.path().join("bin/gate")).unwrap();
    let op = regex::Regex::new("op-[0-9]{4}-[0-9a-f]{8}").unwrap();
    let op = op.find(&said).expect("an operation").as_str().to_owned();
    rig.done(&format!("op watch {op}")).await;
    rig.nothing_is_left().await;
    // The runner has given its operation back before it ends its sessions.
    until("a session outlives the runner", || rig.running.sessions().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_never_opens_holds_up_neither_the_end_of_the_others_nor_ours() {
    for (signal, name) in SIGNALS {
        let rig = Rig::with(3, hangs_once()).await;
        rig.install();
        let child = rig.start("get cores --columns id,answer --watch=60s");
        until("the others are not asked", || rig.running.sessions().len() == 3).await;
        let (ended, said) = rig.ended_by(child, signal).await;
        assert_eq!(ended.status.signal(), Some(signal.as_raw()), "{said}");
        assert_eq!(rig.running.sessions(), Vec::<String>::new(), "{name}");
        rig.nothing_is_left().await;
    }
    // One that asks once says how far it was.
    let rig = Rig::with(3, hangs_once()).await;
    rig.install();
    let child = rig.start("get cores --columns id,answer");
    until("the others are not asked", || rig.running.sessions().len() == 3).await;
    let (ended, said) = rig.ended_by(child, Signal::INT).await;
    assert!(ended.status.code() == Some(130) && said.contains("stopped: of 4 cores"), "{said}");
    assert_eq!(rig.running.sessions(), Vec::<String>::new());
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_never_has_its_port_and_hears_nobody_is_killed_and_its_session_ended() {
    for (line, way) in [("describe core shared-1", 130), ("get cores --columns id,answer --watch=60s", 0)] {
        let rig = Rig::new(2).await;
        rig.install();
        rig.home.write("bin/stuck", "");
        let child = rig.start(line);
        until("no plugin waits", || !rig.told("waits").is_empty()).await;
        let (ended, said) = rig.ended_by(child, Signal::INT).await;
        let usual =
            if way == 0 { ended.status.signal() == Some(2) } else { ended.status.code() == Some(way) };
        assert!(usual, "{:?} {said}", ended.status);
        assert_eq!(rig.running.sessions(), Vec::<String>::new(), "{line}");
        rig.nothing_is_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_stopped_while_it_plans_begins_nothing_also_where_nobody_is_asked() {
    for (signal, name) in SIGNALS {
        let rig = Rig::with(1, hangs_once()).await;
        rig.install();
        let child = rig.start("core stop shared-1 --yes --override-budget");
        until("no core is asked", || rig.count("StartSession") > 0).await;
        let (ended, said) = rig.ended_by(child, signal).await;
        assert_eq!(ended.status.signal(), Some(signal.as_raw()), "{name}: {said}");
        assert!(!said.contains("is entered"), "{name}: {said}");
        let ran = rig.done("op list -o json").await;
        assert!(!ran.out.contains("op-"), "{name}: {}", ran.out);
        rig.nothing_is_left().await;
    }
}
