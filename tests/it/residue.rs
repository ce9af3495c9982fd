//! What tests leave behind holds no secret of a pretended fleet: every folder of this binary is searched when its test
//! is over, with all that was printed and shown meanwhile, and so is every snapshot that is kept.
//!
//! The simulator begins each secret that it makes alike, and tests that put secrets in themselves name them here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// What secrets begin with, or hold: of the simulator's own first, then of tests.
const MARKS: [&str; 9] = [
    coredeck::sim::SECRET,
    // Where pretended databases are: cores write it into their errors.
    ".db.internal",
    "PLANTED-",
    "planted_user_07",
    "the-old-key-of-one-customer",
    "the-new-key-of-one-customer",
    "the-key-of-the-shared-core",
    "the-secret-of-a-shared-core",
    "s3cret-pw",
];

/// A folder of a test, and what was printed and shown while it was used.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    /// What programs wrote, as files: none of the tests' own.
    outputs: tempfile::TempDir,
    count: Mutex<usize>,
}

impl Folder {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let (folder, outputs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Self { folder, outputs, count: Mutex::new(0) }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps what was printed or shown until the test is over.
    pub(crate) fn keep(&self, output: &[u8]) {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        std::fs::write(self.outputs.path().join(format!("output-{count}")), output).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that has failed is not made to fail twice.
        if std::thread::panicking() {
            return;
        }
        let found = search(&[self.folder.path(), self.outputs.path()], &[]);
        assert!(found.is_empty(), "a secret was left behind: {found:#?}");
    }
}

/// Every form in which a text may stand somewhere, whatever stands around it.
pub(crate) fn forms(text: &str) -> Vec<String> {
    let percent: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let quoted = serde_json::Value::from(text).to_string();
    let mut forms = vec![
        text.to_owned(),
        text.to_lowercase(),
        text.to_uppercase(),
        percent,
        quoted.trim_matches('"').to_owned(),
        text.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    // In base64 a text looks three ways, by how many bytes stand before it; its ends mix with its neighbours.
    for before in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(text.bytes()).collect();
        let coded = STANDARD_NO_PAD.encode(&padded);
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        forms.push(coded[from..to].to_owned());
        forms.push(coded[from..to].replace('+', "-").replace('/', "_"));
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Where a mark of a secret stands in these folders, or one of these texts in any form. By grep: a debug build of ours
/// would take minutes for what the whole suite leaves behind.
pub(crate) fn search(folders: &[&Path], more: &[String]) -> Vec<String> {
    let marks = MARKS.iter().flat_map(|mark| forms(mark)).chain(more.iter().flat_map(|text| forms(text)));
    let marks: Vec<String> = marks.collect();
    let mut grep = Command::new("grep")
        .args(["-r", "-a", "-o", "-H", "-F", "-D", "skip", "-f", "-"])
        .args(folders)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C")
        .spawn()
        .unwrap();
    grep.stdin.take().unwrap().write_all(marks.join("\n").as_bytes()).unwrap();
    let ended = grep.wait_with_output().unwrap();
    // A file may go while it is searched: a runner that was left behind still tidies up.
    let said = String::from_utf8_lossy(&ended.stderr);
    let is_well = said.lines().all(|line| line.contains("No such file"));
    assert!(is_well && ended.status.code().is_some(), "{said}");
    let mut found: Vec<String> = String::from_utf8_lossy(&ended.stdout).lines().map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_secret_that_is_left_behind_makes_its_test_fail_in_whatever_form_it_stands() {
    let sealed = format!("{}0123456789abcdef", coredeck::sim::SECRET);
    let mut written = forms(&sealed);
    written.push(format!("xx{}yy", base64::engine::general_purpose::STANDARD.encode(format!("u:{sealed}"))));
    written.push(format!("postgresql://u:{sealed}@h/x"));
    for text in written {
        let left = std::thread::spawn(move || {
            let folder = Folder::new();
            std::fs::create_dir(folder.path().join("deep")).unwrap();
            std::fs::write(folder.path().join("deep/log"), [b"\0\xff before ", text.as_bytes()].concat())
                .unwrap();
            text
        });
        assert!(left.join().is_err(), "it was not found");
    }
    let printed = std::thread::spawn(move || Folder::new().keep(sealed.as_bytes()));
    assert!(printed.join().is_err(), "what was printed is searched too");
    let folder = Folder::new();
    std::fs::write(folder.path().join("log"), "pretended, secret-").unwrap();
    folder.keep(b"nothing");
}

#[test]
fn no_snapshot_holds_a_secret_and_no_test_keeps_a_folder_that_is_not_searched() {
    use std::path::PathBuf;
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all = vec![tests.clone()];
    let (mut sources, mut snapshots) = (Vec::<PathBuf>::new(), Vec::<PathBuf>::new());
    while let Some(folder) = all.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|end| end.to_str()) {
                _ if path.is_dir() => all.push(path),
                Some("rs") => sources.push(path),
                Some("snap") => snapshots.push(path),
                _ => {}
            }
        }
    }
    assert!(sources.len() > 100 && snapshots.len() > 100, "{} {}", sources.len(), snapshots.len());
    let paths: Vec<&Path> = snapshots.iter().map(PathBuf::as_path).collect();
    assert_eq!(search(&paths, &[]), Vec::<String>::new());
    let word = ["temp", "file::"].concat();
    let other = |path: &&PathBuf| {
        !path.ends_with("it/residue.rs") && std::fs::read_to_string(path).unwrap().contains(&word)
    };
    let others: Vec<&PathBuf> = sources.iter().filter(other).collect();
    assert!(others.is_empty(), "`residue::Folder` is searched when it goes, and these are not: {others:#?}");
}
