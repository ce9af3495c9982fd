//! Real processes and what they end with: rolled back, interrupted, taken over; and a person at a real terminal.

use super::closed::{coredeck, ended};
use crate::pty::Terminal;
use coredeck::clock::Clock;
use coredeck::sim::{Mischief, Options, Rule, Running, serve};
use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

async fn simulator(speed: f64) -> Running {
    serve(Options { clock: Clock::Real, speed, ..Options::default() }).await.unwrap()
}

/// A host whose services may move.
fn host(running: &Running, at: &Path) -> String {
    let list = ["get", "hosts", "cluster:workers-prod status:ACTIVE provider:workers-m7g", "-o", "json"];
    let (code, out, err) = ended(coredeck(running, at).args(list));
    assert_eq!(code, 0, "{err}");
    let hosts: serde_json::Value = serde_json::from_str(&out).unwrap();
    hosts["data"][0]["instance"].as_str().unwrap().to_owned()
}

fn kill(pid: i64, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// Begins a drain that is followed, and returns its process and id once it has begun.
fn begun(running: &Running, at: &Path, host: &str) -> (std::process::Child, String) {
    let mut child =
        coredeck(running, at).args(["drain", host, "--yes", "--override-budget"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let entered = lines.find(|line| line.starts_with("operation ")).expect("it is entered");
    let id = entered.split(' ').nth(1).unwrap().to_owned();
    lines.find(|line| line.contains("AWS took it")).expect("it has begun");
    // What it says later must not fill a pipe that nobody reads.
    std::thread::spawn(move || lines.count());
    (child, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_is_too_late_is_rolled_back_and_ends_with_6() {
    let running = simulator(4.0).await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let host = host(&running, &at);
        let drain = ["drain", &host, "--yes", "--override-budget", "--patience", "1s"];
        let (code, _, err) = ended(coredeck(&running, &at).args(drain));
        assert_eq!(code, 6, "{err}");
        assert!(
            err.contains("after 1 s still not") && err.contains(&format!("coredeck drain {host}")),
            "{err}"
        );
        let one = ["get", "hosts", &format!("instance:{host}"), "-o", "json"];
        let (_, out, _) = ended(coredeck(&running, &at).args(one));
        assert!(out.contains("\"ACTIVE\""), "{out}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_watcher_with_130_and_a_killed_runner_is_taken_over() {
    let running = simulator(4.0).await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let host = host(&running, &at);
        let (mut child, id) = begun(&running, &at, &host);
        kill(child.id().into(), Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let standing = || {
            let (code, out, err) = ended(coredeck(&running, &at).args(["op", "show", &id, "-o", "json"]));
            assert_eq!(code, 0, "{err}");
            serde_json::from_str::<serde_json::Value>(&out).unwrap()
        };
        assert_eq!(standing()["standing"], "running", "the operation goes on");

        // Its runner is killed where it stands; what it began is known, and somebody else goes on.
        kill(runner_of(&running, &at), Signal::KILL);
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "watch", &id]));
        assert!(
            code == 5 && err.contains("is gone") && err.contains(&format!("op resume {id}")),
            "{code}: {err}"
        );
        assert_eq!(standing()["standing"], "orphaned");
        let takeover = ["op", "takeover", &id, "--reason", "it died"];
        let (code, _, err) = ended(coredeck(&running, &at).env("USER", "ben").args(takeover));
        assert_eq!(code, 0, "{err}");
        assert_eq!(standing()["standing"], "done");
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "verify"]));
        assert_eq!(code, 0, "{err}");
        let drained = running
            .calls()
            .into_iter()
            .filter(|call| call["operation"] == "UpdateContainerInstancesState" && call["error"].is_null());
        assert_eq!(drained.count(), 1);
    })
    .await
    .unwrap();
}

/// A pretended AWS whose time only moves when it is stepped, and in which the alarm of `web` rings after ten minutes.
async fn ringing() -> Running {
    serve(Options { clock: Clock::Real, ..crate::traps::options("alarm-fires") }).await.unwrap()
}

/// Begins an operation, kills its runner as soon as the refresh is started, lets an hour pass in which the alarm rings,
/// and takes it over. Returns how that ended and what it said.
fn killed_and_taken_over(running: &Running, at: &Path, args: &[&str]) -> (i32, String) {
    let mut child = coredeck(running, at).args(args).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = Vec::new();
    let mut find = |word: &str| {
        let found = lines.by_ref().inspect(|line| seen.push(line.clone())).find(|line| line.contains(word));
        found.unwrap_or_else(|| panic!("no {word} in {}", seen.join("\n")))
    };
    let id = find("operation ").split(' ').nth(1).unwrap().to_owned();
    find("StartInstanceRefresh");
    kill(child.id().into(), Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    kill(runner_of(running, at), Signal::KILL);
    // What happens by itself catches up with the clock when somebody asks.
    for seconds in [540, 120, 3600] {
        running.step(Duration::from_secs(seconds));
        let (code, _, err) = ended(coredeck(running, at).args(["get", "alarms"]));
        assert_eq!(code, 0, "{err}");
    }
    let takeover = ["op", "takeover", &id, "--reason", "it died"];
    let (code, _, err) = ended(coredeck(running, at).env("USER", "ben").args(takeover));
    (code, err)
}

/// The process of the runner that claimed an operation last.
fn runner_of(running: &Running, at: &Path) -> i64 {
    let (_, out, _) = ended(coredeck(running, at).args(["op", "export"]));
    let claimed = out.lines().rev().find(|line| line.contains("claimed")).expect("a runner");
    let at_pid = claimed.find("pid").expect("its process");
    let digits = claimed[at_pid..].trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// The versions that members of a group run, and how many calls of a name were made.
fn left(running: &Running, at: &Path, group: &str, call: &str) -> (BTreeSet<String>, usize) {
    let list = [
        "get",
        "instances",
        &format!("group:{group} state:running"),
        "--columns",
        "id,template_version",
        "-o",
        "json",
    ];
    let (code, out, err) = ended(coredeck(running, at).args(list));
    assert_eq!(code, 0, "{err}");
    let all: serde_json::Value = serde_json::from_str(&out).unwrap();
    let all = all["data"].as_array().unwrap();
    let versions = all.iter().map(|one| one["template_version"].to_string().replace('"', "")).collect();
    let made = running.calls().iter().filter(|it| it["operation"] == call && it["error"].is_null()).count();
    (versions, made)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_alarm_rings_while_its_runner_is_dead_ends_with_6() {
    let running = ringing().await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let refresh = [
            "refresh",
            "web",
            "--to-version",
            "2",
            "--alarm",
            "web-errors",
            "--warmup",
            "60s",
            "--checkpoints",
            "none",
            "--yes",
        ];
        let (code, err) = killed_and_taken_over(&running, &at, &refresh);
        assert!(code == 6 && err.contains("web-errors"), "{code}: {err}");
        let (versions, started) = left(&running, &at, "web", "StartInstanceRefresh");
        assert_eq!((versions, started), (BTreeSet::from(["1".to_owned()]), 1));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_alarm_rings_while_its_runner_is_dead_is_taken_back_and_ends_with_6() {
    let running = ringing().await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let rollout = [
            "rollout",
            "web",
            "--image",
            "self:web-2",
            "--canary",
            "10",
            "--alarm",
            "web-errors",
            "--move-default",
            "--yes",
        ];
        let (code, err) = killed_and_taken_over(&running, &at, &rollout);
        assert!(code == 6 && err.contains("web-errors"), "{code}: {err}");
        let (versions, started) = left(&running, &at, "web", "StartInstanceRefresh");
        assert_eq!((versions, started), (BTreeSet::from(["1".to_owned()]), 1));
        assert_eq!(left(&running, &at, "web", "CreateLaunchTemplateVersion").1, 1);
        assert_eq!(left(&running, &at, "web", "ModifyLaunchTemplate").1, 0, "$Default stays");
    })
    .await
    .unwrap();
}

/// Asks a person at a real terminal, who types this. Returns the exit code and what was on the screen.
fn asked(running: &Running, at: &Path, args: &[&str], typed: impl Fn(&str) -> String) -> (u32, String) {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
    command.args(args);
    command.env_clear();
    for (name, value) in running.exports() {
        command.env(name, value);
    }
    command.env("HOME", at);
    command.env("USER", "anna");
    command.env("PATH", "/usr/bin:/bin");
    command.env("COREDECK_JOURNAL", at.join("journal.db"));
    command.cwd(at);
    let mut terminal = Terminal::of(command, None, 50, 180);
    terminal.wait_for("[no]:");
    let words = typed(&terminal.text());
    terminal.press(&format!("{words}\r"));
    let (status, _) = terminal.ended();
    (status.exit_code(), words)
}

/// What a screen asks a person to type.
fn wanted(screen: &str) -> String {
    screen.rsplit("Type `").next().and_then(|rest| rest.split('`').next()).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_must_type_the_right_word_and_nobody_is_no_yes() {
    let running = simulator(20.0).await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let scale = ["scale", "workers-prod/email-worker", "--desired", "6"];
        for wrong in ["", "no", "yess", "YES"] {
            let (code, _) = asked(&running, &at, &scale, |_| wrong.to_owned());
            assert_eq!(code, 1, "{wrong:?}");
        }
        // A task that is stopped is gone for good: its name is asked for, and yes is not enough.
        let list = ["get", "tasks", "service:webhook-worker", "-o", "json"];
        let (_, out, err) = ended(coredeck(&running, &at).args(list));
        let tasks: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out} {err}"));
        let task = tasks["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{tasks}")).to_owned();
        let stop = ["stop", task.as_str()];
        let (code, _) = asked(&running, &at, &stop, |_| "yes".to_owned());
        assert_eq!(code, 1);
        let changed = |name: &str| running.calls().iter().filter(|call| call["operation"] == name).count();
        assert_eq!((changed("StopTask"), changed("UpdateService")), (0, 0));
        let (code, words) = asked(&running, &at, &stop, wanted);
        assert_eq!((code, words.as_str()), (0, task.as_str()));
        assert_eq!(changed("StopTask"), 1);
        let (code, _) = asked(&running, &at, &scale, |_| "yes".to_owned());
        assert_eq!((code, changed("UpdateService")), (0, 1));
        // Without a terminal the flag is named.
        let again = ["scale", "workers-prod/email-worker", "--desired", "7"];
        let (code, _, err) = ended(coredeck(&running, &at).args(again));
        assert!(code == 2 && err.contains("--yes") && err.contains("--dry-run"), "{code}: {err}");
    })
    .await
    .unwrap();
}

/// A pretended AWS of a scenario, some calls of which are denied.
async fn denying(name: &str, service: &str, call: &str) -> Running {
    let mut options = crate::traps::options(name);
    let (service, call) = (service.to_owned(), call.to_owned());
    options.faults.push(Rule { service, call, ..Rule::always(Mischief::Denied) });
    serve(Options { clock: Clock::Real, ..options }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_a_rollout_says_by_its_code_whether_there_is_something_to_do() {
    let running = serve(Options { clock: Clock::Real, ..crate::traps::options("plain") }).await.unwrap();
    let denied = denying("plain", "ec2", "DescribeImages").await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let of = |running: &Running, group: &str, image: &str, more: &[&str]| {
            let args = ["rollout", group, "--check", "--image", image];
            ended(coredeck(running, &at).args(args).args(more))
        };
        let (code, out, err) = of(&running, "web", "self:web-2", &[]);
        assert!(
            code == 3 && out.starts_with("web: launches ami-") && out.contains("(web-2) is meant"),
            "{out}"
        );
        assert!(err.contains("1 of 1 groups have something to roll out; nothing was changed"), "{err}");
        let (code, out, _) = of(&running, "web", "self:web-2", &["-o", "json"]);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"));
        assert!(code == 3 && told[0]["group"] == "web" && told[0]["todo"].is_string(), "{out}");

        let (code, out, err) = of(&running, "web", "self:web-1", &[]);
        assert!(code == 0 && out.contains("(web-1)") && err.is_empty(), "{code}: {out} {err}");
        let (code, out, _) = of(&running, "web", "self:web-1", &["-o", "json"]);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"));
        assert!(code == 0 && told[0]["todo"].is_null() && told[0]["says"].is_string(), "{out}");

        // What is meant may be one that its maker mends no more: that is said beside.
        let ends = "is Amazon Linux 2, whose support end";
        let (code, out, _) = of(&running, "web", "al2", &[]);
        assert!(code == 3 && out.contains("is meant; ami-") && out.contains(ends), "{code}: {out}");
        let (code, out, _) = of(&running, "web", "al2", &["-o", "json"]);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"));
        let said = told[0]["support"].as_str().unwrap_or_default();
        assert!(code == 3 && said.starts_with("ami-") && said.contains(ends), "{code}: {out}");
        let (_, out, _) = of(&running, "web", "self:web-1", &["-o", "json"]);
        assert!(out.contains("\"support\": null"), "{out}");

        let (code, out, err) = of(&running, "nobody", "self:web-2", &[]);
        assert!(
            code == 1 && out.is_empty() && err.contains("nobody: there is no such group"),
            "{code}: {err}"
        );
        let (code, _, err) = of(&running, "web", "self:web-9", &[]);
        assert!(code == 1 && err.contains("no image that is called web-9"), "{code}: {err}");
        // Who may not see is not told that there is nothing to do.
        let (code, out, err) = of(&denied, "web", "self:web-2", &[]);
        assert!(code == 1 && out.is_empty() && err.contains("DescribeImages"), "{code}: {out} {err}");

        let drift = |args: &[&str]| ended(coredeck(&running, &at).args(["get", "drift"]).args(args));
        let (code, out, err) = drift(&["-o", "json"]);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out} {err}"));
        let web = &told["data"][0];
        assert_eq!((code, &web["drift"], &web["younger"]), (0, &"behind".into(), &1.into()), "{web}");
        assert_eq!((&web["image_name"], &web["versions"][0]), (&"web-1".into(), &"1×4".into()), "{web}");
        let (code, out, err) = drift(&["drift:behind"]);
        assert!(code == 0 && out.contains("web") && out.contains("1×4"), "{code}: {out} {err}");
        let (code, _, err) = ended(coredeck(&denied, &at).args(["get", "drift"]));
        assert!(code != 0 && err.contains("DescribeImages"), "what was not seen is no drift: {code}: {err}");
        assert!(!running.calls().iter().chain(&denied.calls()).any(|call| call["changes"] == true));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_nobody_waits_for_says_what_it_still_listens_to() {
    let running = simulator(4.0).await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let host = host(&running, &at);
        let (mut child, id) = begun(&running, &at, &host);
        kill(child.id().into(), Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "watch", &id, "--timeout", "1s"]));
        assert_eq!(code, 7, "{err}");
        for typed in ["watch", "pause", "cancel", "rollback"] {
            assert!(err.contains(&format!("op {typed} {id}")), "{typed} in {err}");
        }
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "rollback", &id, "--detach"]));
        assert_eq!(code, 7, "{err}");
        assert!(err.contains(&format!("operation {id} takes back what it did")), "{err}");
        assert!(err.contains(&format!("coredeck op watch {id} follows it to its end")), "{err}");
        assert!(!err.contains("op pause") && !err.contains("op cancel"), "which would be refused: {err}");
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "watch", &id]));
        assert_eq!(code, 6, "{err}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_of_somebody_else_is_taken_over_by_either_verb_with_what_is_to_be_committed() {
    let running = simulator(0.0).await;
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        for verb in ["refresh", "rollout"] {
            let (code, out, err) =
                ended(coredeck(&running, &at).args([verb, "workers-r7g", "--adopt", "--dry-run"]));
            assert_eq!(code, 0, "{verb}: {err}");
            let plan = out.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(plan.contains("take over refresh") && plan.contains("commit `version = "), "{plan}");
        }
        let typed = ["rollout", "workers-r7g", "--adopt", "--image", "al2023", "--dry-run"];
        let (code, _, err) = ended(coredeck(&running, &at).args(typed));
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("--adopt") && err.contains("--image"), "{err}");
    })
    .await
    .unwrap();
}
