//! Judged by AWS's own `session-manager-plugin`, which did not see this code: coredeck starts it as the aws command
//! does, and it talks to the simulator's data channels.
//!
//! It is no package of an index, so nothing installs it here: `docs/judges.md` says how it is built. The suite takes it
//! from `judges/session-manager-plugin` in the target folder, or from where `SESSION_MANAGER_PLUGIN` says, and is
//! skipped, loudly, where it is in neither place.

use crate::python::target;
use crate::shell::started;
use crate::tunnel::Rig;
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;

/// The real plugin; none where it is not there, which is said.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not judged")]
fn plugin() -> Option<PathBuf> {
    let usual = || target().join("judges/session-manager-plugin");
    let at = std::env::var_os("SESSION_MANAGER_PLUGIN").map_or_else(usual, PathBuf::from);
    if at.exists() {
        return Some(at);
    }
    eprintln!(
        "NOT JUDGED by session-manager-plugin: {} is not there; docs/judges.md says how it is built",
        at.display()
    );
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_say_the_same_through_the_real_plugin_as_directly_with_new_agents_and_with_old_ones() {
    let Some(plugin) = plugin() else { return };
    let rig = Rig::new(2).await;
    std::os::unix::fs::symlink(plugin, rig.home.path().join("bin/session-manager-plugin")).unwrap();
    let get = "get cores --columns id,answer,domains,rate,users,features,health -o json";
    let door = rig.running.cores_door().unwrap();
    let direct = rig.run(&format!("reach = \"direct\"\nproxy = \"http://{door}\""), get).await;
    assert_eq!(direct.code, Some(0), "{}", direct.err);
    let by_id = |rows: Vec<serde_json::Value>| {
        let mut rows = rows;
        rows.sort_by_key(|row| row["id"].to_string());
        rows
    };
    let cores = rig.running.cores().len();
    for (times, agent) in [(1, "3.3.2958.0"), (2, "3.0.196.0")] {
        rig.running.set_agents(agent);
        let through = rig.done(get).await;
        assert_eq!(by_id(through.data()), by_id(direct.data()), "agent {agent}");
        let shared = by_id(through.data()).into_iter().find(|row| row["id"] == "shared-1").unwrap();
        assert_eq!(shared["domains"], json!(3), "{shared}");
        // Each plugin ends its session when it is asked to, by its own flag. It numbers what it sends without a lock:
        // the end of a connection and that of the session may get the same number, and then the agent drops the second.
        // That is seldom, and Systems Manager is told of such a session.
        assert_eq!(rig.count("StartSession"), times * cores, "{agent}");
        assert!(rig.count("TerminateSession") < times * cores, "{agent}");
        assert_eq!(rig.running.sessions(), Vec::<String>::new(), "{agent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_by_the_real_plugin_has_the_terminal_and_gives_it_back() {
    let Some(plugin) = plugin() else { return };
    let version = Command::new(&plugin).arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let inside = started(false).await;
    std::os::unix::fs::symlink(plugin, inside.folder.join("session-manager-plugin")).unwrap();
    tokio::task::spawn_blocking(move || {
        let mut terminal = inside.terminal("shell instance/prod-slatepay", &version);
        terminal.wait_for("sh-5.2$");
        terminal.press("docker ps --format '{{.Names}}'\r");
        terminal.wait("the container", |screen| {
            screen.contents().lines().any(|line| line.starts_with("supertokens-prod-slatepay"))
        });
        terminal.press("exit\r");
        terminal.wait_for("Exiting session with sessionId");
        let (status, said) = terminal.ended();
        assert!(status.success(), "{said}");
        assert_eq!(inside.running.sessions(), Vec::<String>::new());
    })
    .await
    .unwrap();
}
