//! The judges that are written in Python: a pinned virtual environment under the target folder, moto as a
//! server that stops by itself, and scripts that fill it and list it.
//!
//! Nothing is installed outside the target folder. On a machine without Python, or without a way to the
//! package index, the suites that need it say loudly that nothing was judged and pass, so that cargo and a C
//! compiler are enough for the rest; where `CI` is set, unjudged is failed.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// How long a server may take to say that it listens. A machine that builds at the same time is slow.
const START_WITHIN: Duration = Duration::from_secs(120);

/// Lines of a server's log that are kept, to be shown when something fails.
const LOG_LINES: usize = 60;

/// The virtual environment with the pinned judges.
pub(crate) struct Python {
    folder: PathBuf,
}

/// Returns the environment, made on first use; none, said loudly, when this machine cannot make it.
///
/// # Panics
/// When it cannot be made and `CI` is set.
pub(crate) fn judges() -> Option<&'static Python> {
    static MADE: LazyLock<Result<Python, String>> = LazyLock::new(Python::make);
    match &*MADE {
        Ok(python) => Some(python),
        Err(why) => {
            let said = format!(
                "the judges could not run: {why}\n\
                 they need python3 (3.11 or newer) with venv, and pip's package index, once"
            );
            assert!(std::env::var_os("CI").is_none_or(|value| value.is_empty()), "{said}");
            // Straight to the descriptor: the test runner hides what a passing test prints.
            std::io::stderr().write_all(format!("\n*** NOT JUDGED: {said} ***\n").as_bytes()).unwrap();
            None
        }
    }
}

impl Python {
    /// Makes the environment once per target folder and list of requirements. Processes that come
    /// together wait for the first one at a file lock.
    fn make() -> Result<Self, String> {
        let requirements = scripts().join("requirements.txt");
        let wanted = fs::read(&requirements).map_err(|e| format!("{}: {e}", requirements.display()))?;
        let key: String = Sha256::digest(&wanted)[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        let base = target().join("judges");
        fs::create_dir_all(&base).map_err(|e| format!("{}: {e}", base.display()))?;

        let lock = File::create(base.join("lock")).map_err(|e| format!("lock: {e}"))?;
        lock.lock().map_err(|e| format!("lock: {e}"))?;
        let folder = base.join(key);
        let complete = folder.join("complete");
        if !complete.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
            }
            succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            // Nothing is left outside the target folder, so no cache in the home either.
            let pip = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-input"];
            let mut pip_install = Command::new(folder.join("bin/python"));
            succeed(pip_install.args(pip).args(["--disable-pip-version-check", "-r"]).arg(&requirements))?;
            File::create(&complete).map_err(|e| format!("{}: {e}", complete.display()))?;
        }
        Ok(Self { folder })
    }

    /// A command that runs one of the scripts of `tests/judges/`, with nothing of the machine's own AWS
    /// configuration and no byte code written beside the sources.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = Command::new(self.folder.join("bin/python"));
        command
            .arg(scripts().join(script))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("PYTHONPYCACHEPREFIX", self.folder.join("pycache"))
            .env("PYTHONUNBUFFERED", "1");
        command
    }

    /// Runs a script that prints one JSON value.
    pub(crate) fn run(&self, script: &str, args: &[&str]) -> Value {
        let output = self.command(script).args(args).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} {args:?}: {}\n{}", output.status, tail(&said));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{script} {args:?}: {e}\n{}", tail(&said)))
    }
}

/// A moto server of one's own on a free loopback port. It ends when this value is dropped, and also when
/// this process dies in any way: it ends with its standard input.
pub(crate) struct Moto {
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    child: Child,
    log: Arc<Mutex<VecDeque<String>>>,
}

impl Moto {
    /// Starts a server with these variables in its environment, and waits until it listens.
    pub(crate) fn start(python: &Python, env: &[(&str, &str)]) -> Self {
        let mut child = python
            .command("moto_until_eof.py")
            .args(["-H", "127.0.0.1", "-p", "0"])
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let (found, address) = sync_channel(1);
        let lines = BufReader::new(child.stderr.take().unwrap()).split(b'\n');
        let kept = Arc::clone(&log);
        // The log is read to its end, or the server would stand still at a full pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some((_, url)) = line.split_once("Running on ") {
                    // Nobody listens any more when the start was given up.
                    found.try_send(url.trim().to_owned()).ok();
                }
                let mut kept = kept.lock().unwrap();
                if kept.len() == LOG_LINES {
                    kept.pop_front();
                }
                kept.push_back(line);
            }
        });
        let url = address.recv_timeout(START_WITHIN);
        let moto = Self { url: url.clone().unwrap_or_default(), child, log };
        assert!(url.is_ok(), "moto did not start:\n{}", moto.log());
        moto
    }

    /// Turns on users, signatures and policies: from now on every request needs real keys.
    pub(crate) fn require_iam(&self) {
        self.post("/moto-api/reset-auth", "text/plain", "0");
    }

    fn post(&self, path: &str, kind: &str, body: &str) {
        let answer =
            crate::loopback::ask(self.host(), "POST", path, &[("Content-Type", kind)], body.as_bytes());
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}\n{}", self.log());
    }

    /// `127.0.0.1:…`
    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }

    /// The latest lines that it logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().iter().fold(String::new(), |all, line| all + line + "\n")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Both fail only when it has already ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// boto3 at the end of a pipe: whoever judges asks it again and again without starting it anew.
pub(crate) struct Boto {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Boto {
    /// Starts it for one endpoint.
    pub(crate) fn start(python: &Python, url: &str) -> Self {
        let mut command = python.command("asked.py");
        command.args([url, "us-east-1"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipes = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, pipes: Mutex::new(pipes) }
    }

    /// What AWS answers, with its own field names.
    ///
    /// # Panics
    /// When it is an error.
    pub(crate) fn ask(&self, service: &str, call: &str, asked: Value) -> Value {
        let mut said = self.say(service, call, &asked);
        assert!(said.get("ok").is_some(), "{service} {call} {asked}: {said}");
        said["ok"].take()
    }

    fn say(&self, service: &str, call: &str, asked: &Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{}", serde_json::json!([service, call, asked])).unwrap();
        let mut line = String::new();
        pipes.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|why| panic!("{service} {call} {asked}: {why}: {line}"))
    }
}

impl Drop for Boto {
    fn drop(&mut self) {
        // Both fail only when it has already ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The folder of the scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges")
}

/// The target folder that this test was built in.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{}", output.status, tail(&said)))
}

/// The end of a long text: what a traceback has to say stands there.
fn tail(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(400).collect()).collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
