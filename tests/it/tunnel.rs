//! Cores that cannot be reached from here, asked and changed through ports that Systems Manager forwards: the plugin is
//! a program of the test's own that really forwards TCP to the pretended cores.

mod signals;

use crate::binary::{Home, Ran};
use coredeck::clock::Clock;
use coredeck::sim::{Options, Rule, Running, parse, serve};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hosts with a core on each, and one shared core with its tenants.
const FLEET: &str = r#"
accounts = ["111122223333"]
regions = ["us-east-1"]
start = "2026-11-21T12:00:00Z"
speed = 0
[[fleet]]
account = "1111*"
region = "us-east-1"
name = "default"
[[fleet.hosts]]
name = "prod-{n:03}"
count = HOSTS
type = "t2.micro"
tier = "production"
cores = 1
tenants = 1
age = "9d"
[[fleet.hosts]]
name = "shared-host"
type = "t3.large"
age = "9d"
[[fleet.core]]
id = "shared-1"
tier = "shared"
host = "shared-host"
[[fleet.tenant]]
id = "customer-{n:02}"
count = 3
core = "shared-1"
domain = "customer-{n:02}.shared.example.com"
"#;

/// A tenant's domain on the shared core.
const DOMAIN: &str = "customer-01.shared.example.com";

/// Forwards a port of this machine to the core that is meant, and ends when it is told to. Beside it may lie `squat`:
/// then somebody else has the port before it; `gate`: then it does not begin for a runner as long as that is there; and
/// `stuck`: then one of them never has a port, and does not heed whoever wants it to end.
const PLUGIN: &str = r#"#!/usr/bin/env python3
import json, os, signal, socket, sys, threading, time
# Like the real one it hears an interrupt even where whoever started all this had it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.argv[1:] == ["--version"]:
    print("1.2.650.0")
    sys.exit()
here = os.path.dirname(sys.argv[0])
asked = json.loads(sys.argv[5])
local, port = (int(asked["Parameters"][name][0]) for name in ("localPortNumber", "portNumber"))
host, at = json.load(open(os.path.join(here, "cores")))[f'{asked["Target"]}:{port}'].rsplit(":", 1)

def tell(name, text):
    with open(os.path.join(here, name), "a") as file:
        file.write(f"{text}\n")

def lives(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False

def squat(until):
    listener = socket.create_server(("127.0.0.1", local))
    listener.settimeout(0.1)
    while lives(until):
        try:
            client = listener.accept()[0]
            tell("stolen", client.recv(65536))
        except OSError:
            pass

tell("pids", os.getpid())
try:
    if os.path.exists(os.path.join(here, "squat")):
        me = os.getpid()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                squat(me)
            os._exit(0)
        os.wait()
        # And it does not end when it is asked to.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            signal.pause()
    try:
        os.rename(os.path.join(here, "stuck"), os.path.join(here, "is-stuck"))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        tell("waits", os.getpid())
        while True:
            signal.pause()
    except FileNotFoundError:
        pass
    gate, parent = os.path.join(here, "gate"), os.getppid()
    if os.path.exists(gate) and b"op\0run" in open(f"/proc/{parent}/cmdline", "rb").read():
        tell("held", parent)
        while os.path.exists(gate):
            time.sleep(0.05)
        if os.getppid() != parent:
            sys.exit()
except KeyboardInterrupt:
    os._exit(0)

def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for end in (a, b):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

def serve(client):
    core = socket.create_connection((host, int(at)))
    threading.Thread(target=pump, args=(client, core), daemon=True).start()
    pump(core, client)

listener = socket.create_server(("127.0.0.1", local))
try:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
except KeyboardInterrupt:
    tell("ended", os.getpid())
    os._exit(0)
"#;

const SSM: &str = "reach = \"ssm\"";

/// A fleet with so many hosts, and a home that has the plugin's map of its cores.
pub(crate) struct Rig {
    pub(crate) running: Running,
    pub(crate) home: Arc<Home>,
}

impl Rig {
    pub(crate) async fn new(hosts: usize) -> Self {
        Self::with(hosts, Vec::new()).await
    }

    async fn with(hosts: usize, faults: Vec<Rule>) -> Self {
        let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
        let options = parse(&FLEET.replace("HOSTS", &hosts.to_string()), "tunnel.toml").unwrap();
        let running = serve(Options { clock, cores: true, faults, ..options }).await.unwrap();
        let home = Arc::new(Home::new());
        let cores = running.cores();
        assert_eq!(cores.len(), hosts + 1);
        let at: Map<String, Value> = cores
            .iter()
            .map(|core| {
                let port = core.address.rsplit(':').next().unwrap();
                (format!("{}:{port}", core.instance), json!(core.listens.unwrap().to_string()))
            })
            .collect();
        home.write("bin/cores", &Value::Object(at).to_string());
        Self { running, home }
    }

    fn install(&self) {
        let plugin: PathBuf = self.home.write("bin/session-manager-plugin", PLUGIN);
        std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// The arguments of `coredeck`, and what it finds around it.
    fn typed(&self, reach: &str, args: &str) -> (String, Vec<(&'static str, String)>) {
        let config = self.home.write(&format!("{}.toml", reach.len()), &format!("[cores]\n{reach}\n"));
        let folder = self.home.path().join("bin");
        let mut env = self.running.exports();
        env.push(("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())));
        (format!("{args} --config {}", config.display()), env)
    }

    pub(crate) async fn run(&self, reach: &str, args: &str) -> Ran {
        let home = Arc::clone(&self.home);
        let (args, env) = self.typed(reach, args);
        tokio::task::spawn_blocking(move || {
            let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
            home.run_with(&args.split(' ').collect::<Vec<_>>(), &env)
        })
        .await
        .unwrap()
    }

    pub(crate) async fn done(&self, args: &str) -> Ran {
        let ran = self.run(SSM, args).await;
        assert_eq!(ran.code, Some(0), "{args}: {}{}", ran.err, ran.out);
        ran
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.running.calls().iter().filter(|call| call["operation"] == operation).count()
    }

    fn told(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join("bin").join(name)).unwrap_or_default()
    }

    /// Every plugin that was ever started is gone.
    async fn nothing_is_left(&self) {
        let pids = self.told("pids");
        until("a plugin outlives coredeck", || !pids.lines().any(lives)).await;
    }
}

/// Whether a process lives: what it held it gives back before it is a zombie.
fn lives(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = state.rsplit(") ").next().unwrap_or_default().to_owned();
    !(state.is_empty() || state.starts_with('Z'))
}

async fn until(otherwise: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{otherwise}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_say_the_same_through_systems_manager_as_directly_and_nothing_is_left_behind() {
    let rig = Rig::new(5).await;
    let columns = "--columns id,answer,domains,rate,users,features,health -o json";
    let get = format!("get cores {columns}");

    // Without a plugin no core is asked, and that is said; what asks no core goes on.
    let ran = rig.run(SSM, &get).await;
    assert!(
        ran.code == Some(1) && ran.err.contains("session-manager-plugin is not installed"),
        "{:?} {}",
        ran.code,
        ran.err
    );
    rig.done("get instances -o name").await;
    rig.done("op list").await;

    rig.install();
    let door = rig.running.cores_door().unwrap();
    let direct = rig.run(&format!("reach = \"direct\"\nproxy = \"http://{door}\""), &get).await;
    assert_eq!(direct.code, Some(0), "{}", direct.err);
    let through = rig.done(&get).await;
    let by_id = |ran: &Ran| {
        let mut rows = ran.data();
        rows.sort_by_key(|row| row["id"].to_string());
        rows
    };
    assert_eq!(by_id(&through), by_id(&direct), "Host names the domain on both ways");
    let answered = |row: &Value| row["answer"] == "well" || row["answer"] == "unproven";
    assert!(by_id(&through).iter().all(answered), "{}", through.out);
    let shared = by_id(&through).into_iter().find(|row| row["id"] == "shared-1").unwrap();
    assert_eq!(shared["domains"], json!(3), "{shared}");

    // One session for each core, however often it is asked, and none that outlives the run: each plugin was asked to
    // end it and ended well, and left it open all the same, which one look at all sessions tells.
    let cores = rig.running.cores().len();
    assert_eq!((rig.count("StartSession"), rig.count("TerminateSession")), (cores, cores));
    assert_eq!((rig.count("DescribeSessions"), rig.running.sessions()), (1, Vec::new()));
    assert_eq!((rig.told("pids").lines().count(), rig.told("ended").lines().count()), (cores, cores));
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_cores_that_are_asked_about_are_asked() {
    let rig = Rig::new(7).await;
    rig.install();
    let cores = rig.running.cores();
    let other = &cores.iter().find(|core| core.id != "shared-1").unwrap().id;
    let mut sessions = 0;
    let told = |ran: &Ran| ran.data()[0]["answer"].as_str().map(str::to_owned);
    let answers = [Some("well".to_owned()), Some("unproven".to_owned())];
    let tenant = rig.done("get tenants -o name").await;
    let tenant = tenant.out.lines().find(|id| id.starts_with("customer-")).unwrap().to_owned();
    for args in [
        "describe core shared-1 -o json".to_owned(),
        format!("get cores id={other} --columns id,answer -o json"),
        format!("describe tenant {tenant} -o json"),
        "get cores --sort id --limit 1 --columns id,answer -o json".to_owned(),
    ] {
        let ran = rig.done(&args).await;
        assert!(answers.contains(&told(&ran)), "{args}: {}", ran.out);
        sessions += 1;
        assert_eq!(rig.count("StartSession"), sessions, "{args}");
    }
    // Whose answers decide, of them all are asked, but for those that another word has excluded.
    let ran = rig.done("get cores tier=production answer=failed -o json").await;
    assert!(ran.data().is_empty(), "{}", ran.out);
    sessions += cores.len() - 1;
    assert_eq!(rig.count("StartSession"), sessions);
    // What any of them says may be all that is wrong with it.
    rig.done("get cores health:bad --columns id,answer -o json").await;
    assert_eq!(rig.count("StartSession"), sessions + cores.len());
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_all_cores_is_told_what_that_takes_may_leave_it_and_may_stop_it() {
    let rig = Rig::new(12).await;
    rig.install();
    let ran = rig.done("capacity --without-cores -o json").await;
    assert!(!ran.err.contains("session") && !ran.err.contains("warning"), "{}", ran.err);
    assert_eq!(rig.count("StartSession"), 0);
    for args in ["capacity", "inventory show"] {
        let folder = rig.home.path().join("bin");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let config = rig.home.write("ssm.toml", &format!("[cores]\n{SSM}\n"));
        let before = rig.count("StartSession");
        let child = rig
            .home
            .command()
            .envs(rig.running.exports())
            .env("PATH", path)
            .args(args.split(' '))
            .args(["--config", config.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until("no session is opened", || rig.count("StartSession") >= before + 2).await;
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
        let ended = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        rig.home.keep(said.as_bytes());
        assert_eq!(ended.status.code(), Some(130), "{said}");
        assert!(
            said.contains("asking 13 cores, each through a session") && said.contains("stopped: of 13"),
            "{said}"
        );
        assert!(rig.count("StartSession") < before + 13);
        assert_eq!(rig.running.sessions(), Vec::<String>::new(), "what was opened is ended");
    }
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_the_port_before_the_plugin_gets_nothing() {
    let rig = Rig::new(1).await;
    rig.install();
    rig.home.write("bin/squat", "");
    let ran = rig.run(SSM, "describe core shared-1").await;
    assert!(
        ran.out.contains("another process of this machine listens on port"),
        "{:?} {}{}",
        ran.code,
        ran.out,
        ran.err
    );
    assert_eq!(rig.told("stolen"), "", "no request, and no key");
    // The plugins do not end when they are asked to: they are killed, and Systems Manager told.
    assert!(rig.count("StartSession") > 0);
    assert_eq!(rig.count("StartSession"), rig.count("TerminateSession"));
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_planned_run_resumed_and_taken_back_through_systems_manager() {
    let rig = Rig::new(1).await;
    rig.install();
    let show = format!("core config show shared-1 --domain {DOMAIN} --changed -o json");
    let id = |ran: &Ran| {
        let found = regex::Regex::new("op-[0-9]{4}-[0-9a-f]{8}").unwrap();
        found.find(&format!("{}{}", ran.err, ran.out)).expect("an operation").as_str().to_owned()
    };

    // The first runner is killed while its first port is being opened; another one goes on.
    rig.home.write("bin/gate", "");
    let set = format!("core config set shared-1 access_token_validity=7200 --domain {DOMAIN} --yes --detach");
    let ran = rig.run(SSM, &set).await;
    assert_eq!(ran.code, Some(7), "{}", ran.err);
    let op = id(&ran);
    until("no runner asks a core", || !rig.told("held").is_empty()).await;
    let runner = rig.told("held").lines().next().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(runner).unwrap(), Signal::KILL).unwrap();
    until("the runner outlives its end", || !lives(&runner.to_string())).await;
    std::fs::remove_file(rig.home.path().join("bin/gate")).unwrap();
    rig.done(&format!("op resume {op}")).await;
    let now = rig.done(&show).await;
    assert!(now.out.contains("access_token_validity") && now.out.contains("7200"), "{}", now.out);

    rig.done(&format!("op rollback {op} --yes")).await;
    let now = rig.done(&show).await;
    assert!(!now.out.contains("7200"), "{}", now.out);

    // A plan of one process is run by another one, with a key that is made on the way.
    let plan = rig.home.path().join("plan.json");
    let rotate = format!("core keys rotate shared-1 --domain {DOMAIN} --generate /keys/made");
    rig.done(&format!("{rotate} --plan-out {}", plan.display())).await;
    rig.done(&format!("apply {} --yes", plan.display())).await;
    let retire = format!("core keys retire shared-1 --domain {DOMAIN} --keep /keys/made --dry-run");
    let ran = rig.done(&retire).await;
    assert!(ran.out.contains("take 1 of 2 keys away"), "{}", ran.out);
    rig.nothing_is_left().await;
}
