//! What a runner lives in: real executables called systemd-run and loginctl stand first in the path, record what they
//! were told, and do it or fail.

use super::closed::{coredeck, ended};
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Starts what it is told in a session of its own, as the user's systemd would: with the variables that were named
/// and no others, and its words where they were told to go.
const KEEPS: &str = r#"#!/bin/bash
printf '%s\n' "$@" > "$COREDECK_TEST_FOLDER/told"
keep=()
while [ $# -gt 0 ]; do
  case "$1" in
    --) shift; break ;;
    --setenv=*) name="${1#--setenv=}"; keep+=("$name=${!name}") ;;
    --property=StandardError=append:*) log="${1#--property=StandardError=append:}" ;;
  esac
  shift
done
mkdir -p "$(dirname "$log")"
setsid env -i "${keep[@]}" "$@" >> "$log" 2>&1 < /dev/null &
"#;

/// Takes nothing, as where the bus is gone.
const FAILS: &str = "#!/bin/bash\necho 'Failed to connect to bus' >&2\nexit 1\n";

/// What logind says of a user.
const LINGERS: &str = "#!/bin/bash\n[ \"$2\" = anna ] && echo yes\n";
const LEAVES: &str = "#!/bin/bash\necho no\n";

fn tool(folder: &Path, name: &str, text: &str) {
    let path = folder.join("bin").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs an operation to its end where these tools are. Returns what it said, and its log.
fn scaled(running: &Running, folder: &Path, (run, login): (&str, &str), desired: &str) -> (String, String) {
    tool(folder, "systemd-run", run);
    tool(folder, "loginctl", login);
    std::fs::create_dir_all(folder.join("run/systemd")).unwrap();
    std::fs::write(folder.join("run/systemd/private"), "").unwrap();
    let command = |args: &[&str]| {
        let mut command = coredeck(running, folder);
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()));
        command.env("XDG_RUNTIME_DIR", folder.join("run")).env("COREDECK_TEST_FOLDER", folder);
        command.env("HISTFILE", "/nobody/needs/this").args(args);
        command
    };
    let scale = ["scale", "workers-prod/email-worker", "--desired", desired, "--yes"];
    let (code, _, err) = ended(&mut command(&scale));
    assert_eq!(code, 0, "{err}");
    let id = err.split_whitespace().find(|word| word.starts_with("op-")).expect("its id").to_owned();
    let (code, out, _) = ended(&mut command(&["op", "log", &id]));
    assert_eq!(code, 0);
    (err, out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_is_kept_by_systemd_where_that_outlives_the_logins_and_says_so() {
    let running = serve(Options { clock: Clock::Real, speed: 20.0, ..Options::default() }).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let folder = crate::residue::Folder::new();
        let (err, log) = scaled(&running, folder.path(), (KEEPS, LINGERS), "6");
        assert!(err.contains("it runs in a unit of your systemd, which outlives your logins"), "{err}");
        assert!(log.contains(", systemd)"), "{log}");
        let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
        let told: Vec<&str> = told.lines().collect();
        assert_eq!(told[..4], ["--user", "--quiet", "--collect", "--no-block"]);
        assert!(told[4].starts_with("--unit=coredeck-op-"), "{told:?}");
        assert!(
            told.contains(&"--setenv=COREDECK_JOURNAL") && told.contains(&"--setenv=AWS_SECRET_ACCESS_KEY")
        );
        assert!(!told.contains(&"--setenv=HISTFILE"), "{told:?}");
        // A secret is named, and its value stands in no list of arguments.
        let secret =
            running.exports().into_iter().find(|(name, _)| *name == "AWS_SECRET_ACCESS_KEY").unwrap().1;
        assert!(!told.iter().any(|word| word.contains(&secret)), "{told:?}");
        let end = told.iter().position(|word| *word == "--").unwrap();
        assert_eq!(told[end + 2..end + 4], ["op", "run"]);
        assert!(told[end..].windows(2).any(|pair| pair == ["--home", "systemd"]), "{told:?}");

        // It takes nothing: a session of its own, and both are said.
        let (err, log) = scaled(&running, folder.path(), (FAILS, LINGERS), "5");
        assert!(
            err.contains("systemd-run did not take it") && err.contains("in a session of its own"),
            "{err}"
        );
        assert!(log.contains(", session)"), "{log}");

        // It would end with the last login: it is not even asked.
        std::fs::remove_file(folder.path().join("told")).unwrap();
        let (err, log) = scaled(&running, folder.path(), (KEEPS, LEAVES), "6");
        assert!(err.contains("not by systemd: it would end with your last login"), "{err}");
        assert!(log.contains(", session)") && !folder.path().join("told").exists(), "{log}");
        let scaled = running.calls().into_iter().filter(|call| call["operation"] == "UpdateService").count();
        assert_eq!(scaled, 3, "each once");
    })
    .await
    .unwrap();
}
