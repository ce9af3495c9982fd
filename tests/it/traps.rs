//! The traps of instance refreshes, each a scenario in `tests/samples/traps/`: a group `web` on version 1 of the
//! template `web`, whose version 2 is the one to go to.

use coredeck::sim::{Options, Running, read, serve};

/// Every trap, by the name of its file.
pub(crate) const ALL: [&str; 46] = [
    "alarm-already",
    "alarm-fires",
    "aliased-image",
    "at-its-maximum",
    "attribute-based",
    "autoscaler-fights",
    "cancelled",
    "contention",
    "default-version",
    "deprecated-image",
    "draining-stuck",
    "ec2-checks-only",
    "floating-version",
    "foreign-image",
    "heavy-weights",
    "held",
    "impaired",
    "launch-hook",
    "launch-suspended",
    "limit",
    "lost-start",
    "lost-start-unbegun",
    "managed-protection",
    "new-image-gone",
    "no-agent",
    "no-create-tags",
    "no-draining",
    "no-pass-role",
    "no-room",
    "no-room-comes-back",
    "no-run-instances",
    "old-image-goes",
    "old-image-gone",
    "one-instance",
    "other-refresh",
    "per-override-images",
    "plain",
    "protected-waits",
    "same-version",
    "standby-waits",
    "template-edited",
    "terminate-hook",
    "terminate-suspended",
    "unhealthy-replacements",
    "update-restricted",
    "wrong-architecture",
];

/// The options of a trap; its clock stands still until it is stepped.
pub(crate) fn options(name: &str) -> Options {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/samples/traps/{name}.toml"));
    read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A simulator in a trap.
pub(crate) async fn trap(name: &str) -> Running {
    serve(options(name)).await.unwrap()
}

#[test]
fn every_file_is_named_here_and_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/traps");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> =
        files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ALL);
    for name in ALL {
        options(name);
    }
}
