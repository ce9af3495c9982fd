//! `coredeck shell`: the terminal goes to a plugin and comes back, its exit code is passed on, and the token of the
//! session is seen by nobody else. The plugin is a script of the test's own that records how it was called.

use crate::binary::Home;
use crate::pty::Terminal;
use coredeck::sim::{Mischief, Options, Rule, Running, serve};
use portable_pty::CommandBuilder;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Says its version, keeps what it was given, talks a little, and ends with 7.
const PLUGIN: &str = r#"#!/bin/sh
if [ "$1" = --version ]; then echo "$PLUGIN_VERSION"; exit 0; fi
here=$(dirname "$0")
printf '%s\n' "$@" > "$here/called"
printf '%s' "$AWS_SSM_START_SESSION_RESPONSE" > "$here/given"
stty raw -echo 2>/dev/null
stty sane 2>/dev/null
echo 'inside now'
read -r line
echo "heard $line"
stty raw -echo 2>/dev/null
exit 7
"#;

pub(crate) struct Inside {
    pub(crate) running: Running,
    home: Home,
    pub(crate) folder: PathBuf,
}

pub(crate) async fn started(has_plugin: bool) -> Inside {
    with(has_plugin, Vec::new()).await
}

async fn with(has_plugin: bool, faults: Vec<Rule>) -> Inside {
    let running = serve(Options { speed: 0.0, faults, ..Options::default() }).await.unwrap();
    let home = Home::new();
    home.write("coredeck.toml", "fleet = \"demo\"\n");
    let folder = home.path().join("bin");
    std::fs::create_dir(&folder).unwrap();
    if has_plugin {
        let plugin = home.write("bin/session-manager-plugin", PLUGIN);
        std::fs::set_permissions(plugin, PermissionsExt::from_mode(0o755)).unwrap();
    }
    Inside { running, home, folder }
}

impl Inside {
    fn environment(&self, version: &str) -> Vec<(String, String)> {
        let mut all = self.home.environment();
        all.extend(self.running.exports().into_iter().map(|(name, value)| (name.to_owned(), value)));
        let path = format!("{}:/usr/bin:/bin", self.folder.display());
        all.extend([("PATH".to_owned(), path), ("PLUGIN_VERSION".to_owned(), version.to_owned())]);
        all
    }

    fn args(&self, args: &str) -> Vec<String> {
        let config = self.home.path().join("coredeck.toml");
        let log = self.home.path().join("log");
        let more = ["--config", config.to_str().unwrap(), "-vvv", "--log-file", log.to_str().unwrap()];
        args.split(' ').filter(|word| !word.is_empty()).chain(more).map(str::to_owned).collect()
    }

    /// In a terminal.
    pub(crate) fn terminal(&self, args: &str, version: &str) -> Terminal {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
        command.args(self.args(args));
        command.env_clear();
        self.environment(version).iter().for_each(|(name, value)| command.env(name, value));
        command.cwd(self.home.path());
        Terminal::of(command, None, 24, 80)
    }

    /// Without one.
    fn run(&self, args: &str, version: &str) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coredeck"));
        command
            .args(self.args(args))
            .env_clear()
            .envs(self.environment(version))
            .current_dir(self.home.path());
        let output = assert_cmd::Command::from_std(command).write_stdin("hello\n").output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        self.home.keep(&said);
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn recorded(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // The token is meant for the plugin, and for nobody else: what it was given goes before the home is searched.
        std::fs::remove_file(self.folder.join("given")).ok();
    }
}

/// Whether some file below a folder, but for those of the plugin itself, holds a text.
fn holds(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("bin") {
                holds(&path, text, found);
            }
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
}

/// The first id of a task among what was printed.
fn id(printed: &str) -> String {
    let last = printed.lines().filter_map(|line| line.rsplit('/').next());
    let mut ids = last.filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    ids.next().unwrap_or_else(|| panic!("no task in {printed}")).to_owned()
}

fn field<'a>(json: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        json.split_once(&format!("\"{name}\":\"")).unwrap_or_else(|| panic!("no {name} in {json}"));
    rest.split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_s_shell_has_the_terminal_until_it_ends_and_its_token_is_nowhere() {
    let inside = Arc::new(started(true).await);
    let mine = Arc::clone(&inside);
    tokio::task::spawn_blocking(move || {
        let mut terminal = mine.terminal("shell prod-slatepay-host-none", "1.2.650.0");
        terminal.wait_for("no core, instance or task");
        assert_eq!(terminal.ended().0.exit_code(), 1);
        let mut terminal = mine.terminal("shell instance/prod-slatepay", "1.2.650.0");
        terminal.wait_for("inside now");
        terminal.press("hello\r");
        terminal.wait_for("heard hello");
        let (status, said) = terminal.ended();
        assert_eq!(status.exit_code(), 7, "{said}");
        let called = mine.recorded("called");
        let words: Vec<&str> = called.lines().collect();
        assert_eq!(words[..4], ["AWS_SSM_START_SESSION_RESPONSE", "us-east-1", "StartSession", ""]);
        assert!(field(words[4], "Target").starts_with("i-") && words[5] == mine.running.url(), "{called}");
        let given = mine.recorded("given");
        let token = field(&given, "TokenValue").to_owned();
        assert!(token.len() > 100 && field(&given, "StreamUrl").starts_with("ws://127.0.0.1:"));
        // No log, no record of calls, no cache, and nothing on the terminal holds it.
        let mut found = Vec::new();
        holds(mine.home.path(), &token, &mut found);
        assert!(found.is_empty() && !said.contains(&token) && !called.contains(&token), "{found:?}");
        let (code, calls) = mine.run("calls", "1.2.650.0");
        assert!(code == Some(0) && calls.contains("StartSession") && !calls.contains(&token), "{calls}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_and_tasks_are_entered_and_what_stands_in_the_way_is_said() {
    let inside = Arc::new(started(true).await);
    let mine = Arc::clone(&inside);
    tokio::task::spawn_blocking(move || {
        // A core on a docker host, by a document that is put there when told. An old plugin takes the token itself.
        let (code, said) = mine.run("shell dev-001", "1.2.30.0");
        assert!(code == Some(1) && said.contains("say --yes once"), "{said}");
        let (code, said) = mine.run("shell dev-001 --yes", "1.2.30.0");
        assert_eq!(code, Some(7), "{said}");
        let called = mine.recorded("called");
        assert!(called.starts_with("{\"SessionId\"") && called.contains("coredeck-open-shell-1"), "{called}");
        assert!(called.contains("\"Container\":[\"") && mine.recorded("given").is_empty());
        let token = field(&called, "TokenValue").to_owned();
        let mut found = Vec::new();
        holds(mine.home.path(), &token, &mut found);
        assert!(found.is_empty() && !said.contains(&token), "{found:?}");
        // A task of ECS.
        let (_, tasks) = mine.run("get tasks service:auth-core -o name", "1.2.650.0");
        let task = id(&tasks);
        let (code, said) = mine.run(&format!("shell task/{task}"), "1.2.650.0");
        assert_eq!(code, Some(7), "{said}");
        assert!(
            mine.recorded("called").contains("\"Target\":\"ecs:api-prod_"),
            "{}",
            mine.recorded("called")
        );
        // One that was started without ECS exec, an agent that is silent, read-only mode.
        let (_, tasks) = mine.run("get tasks service:dashboard -o name", "1.2.650.0");
        let task = id(&tasks);
        let (code, said) = mine.run(&format!("shell task/{task}"), "1.2.650.0");
        assert!(code == Some(1) && said.contains("without ECS exec"), "{said}");
        let (code, said) = mine.run("shell instance/prod-thistle", "1.2.650.0");
        assert!(code == Some(1) && said.contains("agent is offline"), "{said}");
        let (code, said) = mine.run("shell dev-001 --read-only", "1.2.650.0");
        assert!(code == Some(1) && said.contains("read-only mode"), "{said}");
    })
    .await
    .unwrap();
    // No plugin: said before any session is opened, with where it comes from.
    let without = started(false).await;
    tokio::task::spawn_blocking(move || {
        let (code, said) = without.run("shell dev-001", "");
        assert!(
            code == Some(1) && said.contains("is not installed") && said.contains("docs.aws.amazon.com"),
            "{said}"
        );
        assert!(!without.running.calls().iter().any(|call| call["operation"] == "StartSession"));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_stands_aside_for_a_shell_and_comes_back() {
    let inside = Arc::new(started(true).await);
    let mine = Arc::clone(&inside);
    tokio::task::spawn_blocking(move || {
        let mut terminal = mine.terminal("", "1.2.650.0");
        terminal.wait_for("production");
        terminal.press("2/prod-slatepay\r");
        terminal.wait("the instance", |screen| {
            screen.contents().contains("▌ i-") && screen.contents().contains("prod-slatepay  t2")
        });
        // What is typed before it is there is not for the shell.
        terminal.press("erm -rf here\r");
        terminal.wait("the shell, on the plain screen", |screen| {
            !screen.alternate_screen() && screen.contents().contains("inside now")
        });
        terminal.press("hello\r");
        terminal.wait("the screen again", |screen| {
            screen.alternate_screen() && screen.contents().contains("ended with 7")
        });
        // A plugin that ends well may have left the session open: it is ended in any case.
        let ends = mine.running.calls().iter().filter(|call| call["operation"] == "TerminateSession").count();
        assert_eq!(ends, 1);
        terminal.press("q");
        assert!(terminal.ended().0.success());
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_nobody_opens_is_given_up_while_the_screen_lives() {
    let silent = Rule { call: "StartSession".into(), ..Rule::always(Mischief::Hang) };
    let inside = Arc::new(with(true, vec![silent]).await);
    let mine = Arc::clone(&inside);
    tokio::task::spawn_blocking(move || {
        let mut terminal = mine.terminal("", "1.2.650.0");
        terminal.wait_for("production");
        terminal.press("2/prod-slatepay\r");
        terminal.wait("the instance", |screen| screen.contents().contains("▌ i-"));
        terminal.press("e");
        terminal.wait("the screen, which lives on", |screen| {
            screen.alternate_screen() && screen.contents().contains("opening a shell in instance/i-")
        });
        while !mine.running.calls().iter().any(|call| call["operation"] == "StartSession") {
            std::thread::yield_now();
        }
        terminal.press("\x1b");
        terminal.wait("the screen", |screen| screen.contents().contains("given up: no shell"));
        terminal.press("q");
        assert!(terminal.ended().0.success());
    })
    .await
    .unwrap();
}
