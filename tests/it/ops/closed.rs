//! Real processes in real time: the terminal is closed in the middle of a drain, and it ends well all the same.

use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Coredeck against a pretended AWS, with a journal of its own.
pub(super) fn coredeck(running: &Running, folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("coredeck"));
    command.env_clear().env("HOME", folder).env("USER", "anna").env("PATH", "/usr/bin:/bin");
    command.env("COREDECK_JOURNAL", folder.join("journal.db"));
    command.envs(running.exports()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(super) fn ended(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_ends_no_drain_and_a_new_one_shows_it() {
    let running = serve(Options { clock: Clock::Real, speed: 10.0, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let list = ["get", "hosts", "cluster:workers-prod status:ACTIVE running_tasks:1", "-o", "json"];
        let (code, out, err) = ended(coredeck(&running, &at).args(list));
        assert_eq!(code, 0, "{err}");
        let hosts: serde_json::Value = serde_json::from_str(&out).unwrap();
        let host = hosts["data"][0]["instance"].as_str().unwrap().to_owned();

        // What was read before is kept for a look back.
        let config = at.join(".config").join("coredeck");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("coredeck.toml"), "[history]\ngets = true\n").unwrap();
        let (code, _, err) = ended(coredeck(&running, &at).args(["get", "events"]));
        assert_eq!(code, 0, "{err}");
        let before = Clock::Real.now();

        let drain = ["drain", &host, "--yes", "--override-budget", "--reason", "a closed terminal"];
        let mut begun = coredeck(&running, &at).args(drain).spawn().unwrap();
        let mut lines = BufReader::new(begun.stderr.take().unwrap()).lines().map_while(Result::ok);
        let entered = lines.find(|line| line.starts_with("operation ")).expect("it is entered");
        let id = entered.split(' ').nth(1).unwrap().to_owned();
        lines.find(|line| line.contains("AWS took it")).expect("it has begun");
        // What a terminal does when it is closed, and then something worse.
        let pid = rustix::process::Pid::from_raw(i32::try_from(begun.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).ok();
        begun.kill().ok();
        begun.wait().unwrap();

        let again = ["drain", &host, "--yes", "--override-budget"];
        let (code, _, err) = ended(coredeck(&running, &at).env("USER", "ben").args(again));
        // Held while it runs; where it was fast it is over, and there is nothing left to drain.
        assert!(code == 4 && err.contains("anna@") && err.contains(&id) || code == 0, "{code}: {err}");

        let (code, out, err) = ended(coredeck(&running, &at).args(["op", "watch", &id, "-o", "json"]));
        assert_eq!(code, 0, "{err}");
        let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["standing"], &last["reason"]),
            (&"done".into(), &"a closed terminal".into()),
            "{out}"
        );
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "verify"]));
        assert_eq!(code, 0, "{err}");
        let (code, out, _) = ended(coredeck(&running, &at).args(["op", "log", &id]));
        assert!(
            code == 0 && out.contains("session") && out.contains("UpdateContainerInstancesState"),
            "{out}"
        );

        // Taken back by a new operation.
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "rollback", &id, "--yes"]));
        assert_eq!(code, 0, "{err}");
        // Nobody need take it back again, and it says by which operation it was.
        let (_, out, _) = ended(coredeck(&running, &at).args(["op", "list", "-o", "json"]));
        let listed: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (&listed[0]["kind"], &listed[0]["standing"]),
            (&"rollback".into(), &"done".into()),
            "{out}"
        );
        let mine = listed.iter().find(|one| one["id"] == id.as_str()).unwrap();
        let by = &mine["taken_back"];
        assert_eq!((&mine["standing"], &by["by"]), (&"rolled_back".into(), &listed[0]["id"]), "{out}");
        let (_, out, _) = ended(coredeck(&running, &at).args(["op", "show", &id]));
        let said = format!("rolled back by operation {}", by["by"].as_str().unwrap());
        assert!(out.contains(&said) && !out.contains("op rollback"), "{out}");
        let one = ["get", "hosts", &format!("instance:{host}"), "-o", "json"];
        let (_, out, _) = ended(coredeck(&running, &at).args(one));
        assert!(out.contains("\"ACTIVE\""), "{out}");
        // Nor may anybody, and it says which did and what can be typed.
        let by = by["by"].as_str().unwrap();
        let (code, _, err) = ended(coredeck(&running, &at).args(["op", "rollback", &id, "--yes"]));
        let says = format!("operation {by} has rolled {id} back already; nothing was changed");
        let next = [format!("coredeck op show {by}"), format!("coredeck op rollback {by}")];
        assert!(code == 1 && err.contains(&says), "{code}: {err}");
        assert!(next.iter().all(|next| err.contains(next)), "{err}");

        // It stands among what AWS tells of.
        let events = ["get", "events", "-o", "json"];
        let (code, out, err) = ended(coredeck(&running, &at).args(events));
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        let told = told["data"].as_array().unwrap();
        let ours = told.iter().filter(|event| event["kind"] == "operation").count();
        assert!((code, ours) == (0, 2) && told.len() > ours && out.contains(&id), "{code}: {ours} {err}");
        // In the past it stands as it stood then: not at all before it was begun.
        let then = |moment: &str| {
            let (code, out, err) = ended(coredeck(&running, &at).args(events).args(["--at", moment]));
            assert_eq!(code, 0, "{err}");
            let told: serde_json::Value = serde_json::from_str(&out).unwrap();
            let told = told["data"].as_array().unwrap();
            told.iter().filter(|event| event["kind"] == "operation").count()
        };
        assert_eq!((then(&before.to_string()), then("now")), (0, 2));
        // What cannot be read of them is said, and the answer is not called whole.
        std::fs::write(
            at.join("journal.db"),
            "no journal at all, but long enough to be looked at".repeat(40),
        )
        .unwrap();
        let (code, _, err) = ended(coredeck(&running, &at).args(events));
        assert!(
            code != 0 && err.contains("operations of coredeck") && err.contains("journal"),
            "{code}: {err}"
        );
        let (code, ..) = ended(coredeck(&running, &at).args(events).arg("--allow-partial"));
        assert_eq!(code, 0);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_plans_codes_and_sentences() {
    let running = serve(Options { clock: Clock::Real, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    tokio::task::spawn_blocking(move || {
        let run = |args: &[&str]| ended(coredeck(&running, &at).args(args));
        let plan = at.join("plan.json");
        let plan = plan.to_str().unwrap();
        let scale = ["scale", "workers-prod/email-worker", "--desired", "6"];
        let (code, out, err) = run(&[&scale[..], &["--plan-out", plan, "--detailed-exitcode"]].concat());
        assert_eq!(code, 3, "{err}");
        assert!(out.contains("set workers-prod/email-worker from 5 to 6 tasks"), "{out}");
        let (code, _, err) = run(&scale);
        assert!(code == 2 && err.contains("nobody can be asked") && err.contains("--yes"), "{code}: {err}");
        let text = std::fs::read_to_string(plan).unwrap();
        std::fs::write(at.join("edited.json"), text.replace("\"desired\":6", "\"desired\":60")).unwrap();
        let (code, _, err) = run(&["apply", at.join("edited.json").to_str().unwrap(), "--yes"]);
        assert!(code == 1 && err.contains("changed after it was made"), "{code}: {err}");
        let (code, _, err) = run(&["apply", plan, "--yes", "--detach"]);
        assert!(code == 7 && err.contains("coredeck op watch"), "{code}: {err}");
        let detached = err.split_whitespace().skip_while(|word| *word != "watch").nth(1).unwrap().to_owned();
        let detached = detached.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let (code, out, err) = run(&["op", "list", "-o", "json"]);
        assert!(code == 0 && out.contains("coredeck.operation.v1"), "{code}: {out} {err}");
        let (code, _, err) = run(&["scale", "no-such-thing", "--desired", "6", "--yes"]);
        assert!(code == 1 && err.contains("there is no such service"), "{code}: {err}");
        let (code, _, err) = run(&["drain", "--read-only", "i-0", "--yes"]);
        assert_eq!(code, 1, "{err}");
        // Its runner would outlive this test, and wait for an AWS that is gone.
        let (code, _, err) = run(&["op", "cancel", detached]);
        assert!(
            code == 5 && err.contains("stopped part way") && err.contains("op rollback"),
            "{code}: {err}"
        );
    })
    .await
    .unwrap();
}
