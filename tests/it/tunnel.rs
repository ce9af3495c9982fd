//! Cores that cannot be reached from here, asked through ports that Systems Manager forwards: the plugin is a program
//! of the test's own that really forwards TCP to the pretended cores.

use crate::binary::{Home, Ran};
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, parse, serve};
use serde_json::{Map, Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// Three hosts with a core on each, and one shared core with its tenants.
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
count = 3
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

/// Forwards a port of this machine to the core that is meant, and ends when it is told to.
const PLUGIN: &str = r#"#!/usr/bin/env python3
import json, os, signal, socket, sys, threading
# Like the real one it hears an interrupt even where whoever started all this had it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.argv[1:] == ["--version"]:
    print("1.2.650.0")
    sys.exit()
here = os.path.dirname(sys.argv[0])
asked = json.loads(sys.argv[5])
local, port = (int(asked["Parameters"][name][0]) for name in ("localPortNumber", "portNumber"))
host, at = json.load(open(os.path.join(here, "cores")))[f'{asked["Target"]}:{port}'].rsplit(":", 1)
with open(os.path.join(here, "pids"), "a") as pids:
    pids.write(f"{os.getpid()}\n")

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
    os._exit(0)
"#;

async fn run(running: &Running, home: &Arc<Home>, reach: &str, args: &str) -> Ran {
    let config = home.write(&format!("{}.toml", reach.len()), &format!("[cores]\n{reach}\n"));
    let folder = home.path().join("bin");
    let mut env = running.exports();
    env.push(("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())));
    let (home, args) = (Arc::clone(home), format!("{args} --config {}", config.display()));
    tokio::task::spawn_blocking(move || {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        home.run_with(&args.split(' ').collect::<Vec<_>>(), &env)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_say_the_same_through_systems_manager_as_directly_and_nothing_is_left_behind() {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let options = parse(FLEET, "tunnel.toml").unwrap();
    let running = serve(Options { clock, cores: true, ..options }).await.unwrap();
    let home = Arc::new(Home::new());
    let cores = running.cores();
    assert_eq!(cores.len(), 4);
    let at: Map<String, Value> = cores
        .iter()
        .map(|core| {
            let port = core.address.rsplit(':').next().unwrap();
            (format!("{}:{port}", core.instance), json!(core.listens.unwrap().to_string()))
        })
        .collect();
    home.write("bin/cores", &Value::Object(at).to_string());
    let columns = "--columns id,answer,domains,rate,users,features,health -o json";
    let get = format!("get cores {columns}");

    // Without a plugin nothing is asked at all, and that is said.
    let ran = run(&running, &home, "reach = \"ssm\"", &get).await;
    assert!(
        ran.code == Some(1) && ran.err.contains("session-manager-plugin is not installed"),
        "{}",
        ran.err
    );

    let plugin: PathBuf = home.write("bin/session-manager-plugin", PLUGIN);
    std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o755)).unwrap();
    let door = running.cores_door().unwrap();
    let direct = run(&running, &home, &format!("reach = \"direct\"\nproxy = \"http://{door}\""), &get).await;
    assert_eq!(direct.code, Some(0), "{}", direct.err);
    let through = run(&running, &home, "reach = \"ssm\"", &get).await;
    assert_eq!(through.code, Some(0), "{}", through.err);
    let by_id = |ran: &Ran| {
        let mut rows = ran.data();
        rows.sort_by_key(|row| row["id"].to_string());
        rows
    };
    assert_eq!(by_id(&through), by_id(&direct), "Host names the domain on both ways");
    let shared = by_id(&through).into_iter().find(|row| row["id"] == "shared-1").unwrap();
    assert_eq!((&shared["domains"], &shared["answer"]), (&json!(3), &json!("well")), "{shared}");

    // One session for each core, however often it is asked, and none that outlives the run.
    let started = running.calls().iter().filter(|call| call["operation"] == "StartSession").count();
    assert_eq!(started, cores.len());
    let pids = std::fs::read_to_string(home.path().join("bin/pids")).unwrap();
    assert_eq!(pids.lines().count(), cores.len());
    let lives = |pid: &str| {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = state.rsplit(") ").next().unwrap_or_default().to_owned();
        !(state.is_empty() || state.starts_with('Z'))
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while pids.lines().any(lives) {
        assert!(std::time::Instant::now() < until, "a plugin outlives coredeck");
        std::thread::yield_now();
    }
}
