//! The real binary, run as a script runs it: with a home, an environment and a configuration of its own.

use crate::residue::Folder;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// No run of the binary may take longer, however slow the machine: it would be hanging.
const WITHIN: Duration = Duration::from_secs(180);

/// An empty home and nothing of the machine's own AWS configuration.
pub(crate) struct Home {
    folder: Folder,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; none when it was killed, for example because it hung.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) out: String,
    /// What it said beside that.
    pub(crate) err: String,
}

impl Home {
    /// A new home.
    pub(crate) fn new() -> Self {
        Self { folder: Folder::new() }
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps what a program in it wrote, to be searched for secrets when the test is over.
    pub(crate) fn keep(&self, output: &[u8]) {
        self.folder.keep(output);
    }

    /// Writes a file into it and returns where.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The environment of a run: keys that any stand-in accepts, and no way to a real AWS but by name.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let at = |part: &str| self.path().join(part).to_str().unwrap().to_owned();
        [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", at("")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_DATA_HOME", at("data")),
            ("AWS_CONFIG_FILE", at("aws-config")),
            ("AWS_SHARED_CREDENTIALS_FILE", at("aws-credentials")),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "judge".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "judge".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The binary in this home, to be run by the caller.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coredeck"));
        command.env_clear().envs(self.environment()).current_dir(self.path());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    /// Runs the binary to its end with more variables; an empty value takes one away.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = self.command();
        for (name, value) in env {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let output = assert_cmd::Command::from_std(command).args(args).timeout(WITHIN).output().unwrap();
        self.keep(&output.stdout);
        self.keep(&output.stderr);
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs `coredeck … -o json` that must succeed, and returns its rows.
    pub(crate) fn rows(&self, args: &[&str]) -> Vec<Value> {
        let ran = self.run(args);
        assert_eq!(
            ran.code,
            Some(0),
            "{args:?}\n{}\n{}",
            ran.err,
            ran.out.chars().take(2000).collect::<String>()
        );
        ran.data()
    }
}

impl Ran {
    /// The whole output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("not JSON: {e}\n{}\n{}", self.out, self.err))
    }

    /// The rows of the output.
    pub(crate) fn data(&self) -> Vec<Value> {
        self.json()["data"].as_array().expect("`data` is a list").clone()
    }
}
