//! A disk that is really full under a real runner: a small file system of its own, filled in the middle of a drain.

use super::closed::{coredeck, ended};
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A small file system that only the processes see that are put into it.
struct Small {
    /// Holds it open; ends with its standard input.
    keeper: Child,
    at: PathBuf,
}

impl Small {
    /// None where this machine lets nobody make one.
    fn new(at: &Path) -> Option<Self> {
        let script = format!("mount -t tmpfs -o size=2m none {} && echo there && exec cat", at.display());
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        let made = unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut keeper = made.ok()?;
        let mut said = String::new();
        BufReader::new(keeper.stdout.take()?).read_line(&mut said).ok()?;
        (said.trim() == "there").then(|| Self { keeper, at: at.to_path_buf() })
    }

    /// The same command, in there.
    fn within(&self, command: &Command) -> Command {
        let mut entered = Command::new("nsenter");
        let pid = self.keeper.id().to_string();
        entered.args(["--user", "--mount", "--preserve-credentials", "--target", &pid, "--"]);
        entered.arg(command.get_program()).args(command.get_args()).env_clear();
        entered.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        entered.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        entered
    }

    fn shell(&self, line: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("PATH", "/usr/bin:/bin").env("AT", &self.at);
        let (code, _, err) = ended(&mut self.within(&shell));
        assert_eq!(code, 0, "{line}: {err}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn run(running: &Running, small: &Small, args: &[&str]) -> (i32, String, String) {
    ended(&mut small.within(coredeck(running, &small.at).args(args)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_runner_and_not_the_operation() {
    let running = serve(Options { clock: Clock::Real, speed: 4.0, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    tokio::task::spawn_blocking(move || {
        let Some(small) = Small::new(folder.path()) else {
            writeln!(std::io::stderr(), "NOT RUN: nobody may mount a small file system here (unshare)")
                .unwrap();
            return;
        };
        let list = ["get", "hosts", "cluster:workers-prod status:ACTIVE provider:workers-m7g", "-o", "json"];
        let (code, out, err) = run(&running, &small, &list);
        assert_eq!(code, 0, "{err}");
        let hosts: serde_json::Value = serde_json::from_str(&out).unwrap();
        let host = hosts["data"][0]["instance"].as_str().unwrap().to_owned();
        let drain = ["drain", &host, "--yes", "--override-budget", "--detach"];
        let (code, _, err) = run(&running, &small, &drain);
        assert_eq!(code, 7, "{err}");
        let id = err.split_whitespace().find(|word| word.starts_with("op-")).expect("its id").to_owned();
        let begun = |_: &u32| run(&running, &small, &["op", "log", &id]).1.contains("AWS took it");
        assert!((0..500).any(|nth| begun(&nth)), "it never began");
        // Full to the last byte, while the tasks move.
        small.shell("cat /dev/zero > $AT/ballast 2>/dev/null; cat /dev/zero > $AT/rest 2>/dev/null; true");
        let (code, _, err) = run(&running, &small, &["op", "watch", &id]);
        assert!(
            code == 5 && err.contains("is gone") && err.contains(&format!("coredeck op resume {id}")),
            "{code}: {err}"
        );
        // Everything that only reads goes on.
        let (code, out, err) = run(&running, &small, &["op", "list", "-o", "json"]);
        assert!(code == 0 && out.contains(&id), "{code}: {out} {err}");
        let (code, out, err) = run(&running, &small, &["op", "show", &id]);
        assert!(code == 0 && out.contains(&format!("coredeck op resume {id}")), "{code}: {out} {err}");
        let (code, out, err) = run(&running, &small, &["op", "export"]);
        assert!(
            code == 0 && out.contains("\"intended\"") && out.contains("\"answered\""),
            "{code}: {out} {err}"
        );
        // What writes says why not, and what to do.
        let (code, _, err) = run(&running, &small, &["op", "resume", &id]);
        assert!(code == 1 && err.contains("is full") && err.contains("free some space"), "{code}: {err}");
        let scale = ["scale", "workers-prod/email-worker", "--desired", "6", "--yes"];
        let (code, _, err) = run(&running, &small, &scale);
        assert!(code == 1 && err.contains("is full"), "{code}: {err}");

        small.shell("rm $AT/ballast $AT/rest");
        let (code, _, err) = run(&running, &small, &["op", "resume", &id]);
        assert_eq!(code, 0, "{err}");
        let (code, _, err) = run(&running, &small, &["op", "verify"]);
        assert_eq!(code, 0, "{err}");
        let calls = running.calls();
        let of = |name: &str| {
            calls.iter().filter(|call| call["operation"] == name && call["acted"] == true).count()
        };
        assert_eq!((of("UpdateContainerInstancesState"), of("UpdateService")), (1, 0));
    })
    .await
    .unwrap();
}
