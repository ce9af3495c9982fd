//! The shape of the crate as a table: who may name whom, who may say what, and how a file looks.
//!
//! Reads the sources as text. Comments and literals are blanked first, so that a word in a sentence
//! never counts as code; what stands under `#[cfg(test)]` is held apart, because tests may mix layers.

use regex::Regex;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What a module may name of this crate.
enum May {
    /// These modules, each of which stands above it.
    Name(&'static [&'static str]),
    /// Everything.
    NameAll,
}

/// `(module, what it may name)`. A module only names modules above it, so there can be no cycle.
const TABLE: &[(&str, May)] = &[
    ("model", May::Name(&[])),
    ("error", May::Name(&[])),
    ("clock", May::Name(&[])),
    ("gateway", May::Name(&["model"])),
    ("snapshot", May::Name(&["model", "gateway"])),
    ("store", May::Name(&["model", "error", "clock", "gateway", "snapshot"])),
    ("config", May::Name(&["model", "error", "gateway"])),
    ("fleet", May::Name(&["model", "gateway", "snapshot", "config"])),
    ("world", May::Name(&["model", "gateway", "snapshot", "fleet"])),
    ("query", May::Name(&["model", "error", "gateway", "fleet"])),
    ("capacity", May::Name(&["model", "snapshot", "config", "fleet"])),
    ("inventory", May::Name(&["model", "snapshot", "fleet"])),
    ("logs", May::Name(&["model", "error", "clock", "gateway", "fleet"])),
    (
        "ops",
        May::Name(&[
            "model",
            "error",
            "clock",
            "gateway",
            "snapshot",
            "store",
            "config",
            "fleet",
            "query",
            "inventory",
            "logs",
        ]),
    ),
    (
        "collect",
        May::Name(&[
            "model", "clock", "gateway", "snapshot", "store", "config", "fleet", "world", "capacity",
        ]),
    ),
    ("aws", May::Name(&["model", "error", "clock", "config", "gateway"])),
    ("supertokens", May::Name(&["model", "error", "clock", "gateway"])),
    ("sim", May::Name(&["clock", "error"])),
    (
        "tui",
        May::Name(&[
            "model", "error", "clock", "gateway", "snapshot", "config", "fleet", "capacity", "world",
            "query", "ops", "logs",
        ]),
    ),
    ("cli", May::NameAll),
    ("lib", May::NameAll),
    ("main", May::NameAll),
];

/// `(pattern, who may say it, why nobody else)`. A place is a module, or a file under `src/`.
const SAYINGS: &[(&str, &[&str], &str)] = &[
    (
        r"\b(Timestamp|Instant|SystemTime|Zoned)::now\b",
        &["clock.rs"],
        "time is read through `clock`, so that a test can hold it still",
    ),
    (r"\be?print(ln)?!", &["cli/output.rs"], "only `cli/output.rs` prints"),
    (
        r"\b(stdout|stderr)\(\)",
        &["cli/output.rs", "tui"],
        "a terminal has two owners: `cli/output.rs` and the screen",
    ),
    (
        r"\baws_(sdk_[a-z0-9]+|config|types|credential_types|smithy_[a-z0-9_]+)\b",
        &["aws", "aws.rs"],
        "SDK crates stay behind `aws`",
    ),
    (r"\breqwest\b", &["supertokens", "supertokens.rs"], "one road to the cores"),
    (r"\b(ratatui|crossterm)\b", &["tui", "tui.rs"], "only the screen draws"),
    (r"\b(axum|ciborium)::", &["sim", "sim.rs"], "a wire that only the simulator serves"),
    (
        r"\bquick_xml::",
        &["sim", "sim.rs", "aws/xml.rs"],
        "the simulator writes it, and one walk reads the lists that are too long for the SDK",
    ),
    (r"\bclap(_complete|_mangen)?::", &["cli", "cli.rs"], "only `cli` knows argv"),
    (
        r"\bFleetWriter\b",
        &[
            "gateway",
            "gateway.rs",
            "aws",
            "aws.rs",
            "supertokens",
            "supertokens.rs",
            "logs/hostlog.rs",
            "ops",
            "ops.rs",
            "cli",
        ],
        "who can change a fleet is held by operations alone, and made where the command line is read",
    ),
    (r"\brusqlite\b", &["store", "store.rs"], "one place keeps files"),
    (r"\bunbounded_channel\b|\bunbounded\(\)", &[], "a channel has a bound"),
    (r"\bthread::sleep\b", &[], "nothing waits by sleeping a thread"),
    (r"\bprocess::(exit|abort)\b", &[], "the process ends by returning from `main`"),
    (r"\b(todo|unimplemented|dbg)!", &[], "finish it or leave it out"),
    (
        r"\bstatic\s+(mut\b|\w+\s*:\s*[^=;]*\b(Mutex|RwLock|Atomic\w+|RefCell|Cell|OnceLock)\b)|\bthread_local!",
        &[],
        "no state outside values: globals make tests disturb each other",
    ),
];

/// Names that say nothing about what lives there.
const EMPTY_NAMES: &[&str] = &["mod", "util", "utils", "helper", "helpers", "common", "misc", "manager"];

/// The most lines that a file may ship.
const MAX_LINES: usize = 500;

#[test]
fn the_table_itself_has_no_cycle() {
    let mut faults = String::new();
    for (row, (module, may)) in TABLE.iter().enumerate() {
        let May::Name(names) = may else { continue };
        for name in *names {
            if !TABLE[..row].iter().any(|above| above.0 == *name) {
                _ = writeln!(faults, "`{module}` may name `{name}`, which does not stand above it");
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn modules_name_only_what_their_row_allows() {
    let mut faults = String::new();
    for file in sources() {
        let Some((_, may)) = TABLE.iter().find(|row| row.0 == file.module) else {
            _ = writeln!(faults, "{}: module `{}` has no row in TABLE", file.path, file.module);
            continue;
        };
        let May::Name(allowed) = may else { continue };
        for named in file.named_modules() {
            if named != file.module && !allowed.contains(&named.as_str()) {
                _ = writeln!(faults, "src/{}: `{}` may not name `crate::{named}`", file.path, file.module);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_row_has_a_module() {
    let have: BTreeSet<String> = sources().into_iter().map(|file| file.module).collect();
    let gone: Vec<_> = TABLE.iter().map(|row| row.0).filter(|name| !have.contains(*name)).collect();
    assert!(gone.is_empty(), "rows without a module under src/: {gone:?}");
}

#[test]
fn words_are_said_only_where_they_belong() {
    let mut faults = String::new();
    for (pattern, places, why) in SAYINGS {
        let pattern = Regex::new(pattern).unwrap();
        for file in sources() {
            let is_home = places.iter().any(|place| {
                file.path == *place || file.path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
            });
            if is_home {
                continue;
            }
            for found in pattern.find_iter(&file.shipped) {
                let line = line_of(&file.shipped, found.start());
                _ = writeln!(faults, "src/{}:{line}: `{}`: {why}", file.path, found.as_str().trim());
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_file_opens_with_its_purpose_and_is_named_after_what_lives_there() {
    let mut faults = String::new();
    for path in files_under("src", "rs")
        .into_iter()
        .chain(files_under("tests", "rs"))
        .chain(files_under("benches", "rs"))
    {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let opening = text.lines().next().unwrap_or_default();
        if opening.strip_prefix("//! ").is_none_or(|purpose| purpose.trim().is_empty()) {
            _ = writeln!(faults, "{path}: the first line must be `//! <purpose>`");
        }
        for part in path.trim_end_matches(".rs").split('/') {
            let is_empty = EMPTY_NAMES.contains(&part) || part.split('_').any(|word| word == "manager");
            if is_empty {
                _ = writeln!(faults, "{path}: `{part}` does not say what lives there");
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn files_fit_on_a_few_screens() {
    let mut faults = String::new();
    for file in sources() {
        if file.lines > MAX_LINES {
            _ = writeln!(faults, "src/{}: ships {} lines, at most {MAX_LINES}", file.path, file.lines);
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn no_file_is_forgotten() {
    let mut faults = String::new();
    for path in files_under("src", "rs").into_iter().chain(files_under("tests/it", "rs")) {
        let (folder, stem) = path.rsplit_once('/').unwrap();
        let stem = stem.trim_end_matches(".rs");
        let is_root = matches!((folder, stem), ("src", "lib" | "main") | ("tests/it", "main"));
        if is_root {
            continue;
        }
        let parent = match folder {
            "src" => "src/lib.rs".to_owned(),
            "tests/it" => "tests/it/main.rs".to_owned(),
            folder => format!("{folder}.rs"),
        };
        let declared = fs::read_to_string(root().join(&parent)).is_ok_and(|text| {
            Regex::new(&format!(r"(?m)^\s*(pub(\([a-z]+\))? )?mod {stem};")).unwrap().is_match(&blank(&text))
        });
        if !declared {
            _ = writeln!(faults, "{path}: `{parent}` has no `mod {stem};`, so it is never compiled");
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn tests_neither_sleep_nor_hide() {
    let sleep = Regex::new(r"\bsleep\s*\(").unwrap();
    let ignore = Regex::new(r"#\s*\[\s*ignore\b").unwrap();
    let unbounded = Regex::new(r"\bunbounded_channel\b|\bunbounded\(\)").unwrap();
    let mut faults = String::new();
    let mut look = |path: &str, code: &str| {
        for (pattern, why) in [
            (&sleep, "a test waits for what it needs, with a deadline; it never sleeps"),
            (&ignore, "a test that is not run is no test"),
            (&unbounded, "a channel has a bound"),
        ] {
            for found in pattern.find_iter(code) {
                _ = writeln!(faults, "{path}:{}: `{}`: {why}", line_of(code, found.start()), found.as_str());
            }
        }
    };
    for path in files_under("tests", "rs").into_iter().chain(files_under("benches", "rs")) {
        look(&path, &blank(&fs::read_to_string(root().join(&path)).unwrap()));
    }
    for path in files_under("tests", "py") {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let code: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect();
        look(&path, &code.join("\n"));
    }
    for file in sources() {
        look(&format!("src/{}", file.path), &file.tests);
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// One file under `src/`, with comments and literals blanked.
struct Source {
    /// Its path under `src/`.
    path: String,
    /// The module it belongs to: `src/tui/pages/fleet.rs` and `src/tui.rs` both belong to `tui`.
    module: String,
    /// Its code without tests; lines keep their numbers.
    shipped: String,
    /// Its tests alone; lines keep their numbers.
    tests: String,
    /// Lines without tests.
    lines: usize,
}

impl Source {
    /// Every module of this crate that the shipped code names: after `crate::`, after enough `super::`
    /// to leave the module, or after `coredeck::`; groups included.
    fn named_modules(&self) -> BTreeSet<String> {
        let depth = self.path.trim_end_matches(".rs").split('/').count();
        let road = Regex::new(r"(\$?)\b(crate::|coredeck::|(?:super::)+)").unwrap();
        let mut named = BTreeSet::new();
        for found in road.captures_iter(&self.shipped) {
            let prefix = &found[2];
            let supers = prefix.matches("super::").count();
            if &found[1] == "$" || (supers > 0 && supers < depth) {
                continue;
            }
            let rest = &self.shipped[found.get(0).unwrap().end()..];
            named.extend(heads(rest));
        }
        // Types re-exported at the crate's root would hide where they come from.
        named.retain(|name| name != "self" && name != "super");
        named
    }
}

/// The first names of a path or of a group of paths: `{a::B, c}` gives `a` and `c`.
fn heads(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let mut depth = 0_i32;
    let mut items = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            c if depth == 0 => items.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    items.iter().map(|item| word(item)).filter(|name| !name.is_empty()).collect()
}

fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    for path in files_under("src", "rs") {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let path = path.trim_start_matches("src/").to_owned();
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let is_test_file = path.split('/').any(|part| part.trim_end_matches(".rs") == "tests");
        let code = blank(&text);
        let (shipped, tests) = if is_test_file { (String::new(), code) } else { part_tests(&code) };
        let test_lines = tests.lines().filter(|line| !line.is_empty()).count();
        let lines = text.lines().count().saturating_sub(test_lines);
        all.push(Source { path, module, shipped, tests, lines });
    }
    assert!(all.len() > 20, "only {} files under src/: is this the right folder?", all.len());
    all
}

/// Parts blanked code into what ships and what stands under `#[cfg(test)]`, keeping line numbers.
/// In the tests' part a kept line is never empty, so that it can be counted.
fn part_tests(code: &str) -> (String, String) {
    let mut shipped = code.to_owned();
    let mut tests: Vec<String> = vec![String::new(); code.lines().count()];
    while let Some(start) = shipped.find("#[cfg(test)]") {
        let bytes = shipped.as_bytes();
        let mut depth = 0_usize;
        let mut end = start;
        while end < bytes.len() {
            match bytes[end] {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            end += 1;
            let is_over = depth == 0 && matches!(bytes[end - 1], b'}' | b';');
            if is_over {
                break;
            }
        }
        let first = line_of(&shipped, start) - 1;
        for (offset, line) in shipped[start..end].lines().enumerate() {
            tests[first + offset] = format!("{line} ");
        }
        let hole: String = shipped[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        shipped.replace_range(start..end, &hole);
    }
    (shipped, tests.join("\n"))
}

/// Blanks comments and the insides of string and character literals; every line stays where it was.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let keep_line = |c: char| if c == '\n' { '\n' } else { ' ' };
    while at < chars.len() {
        let rest = &chars[at..];
        let before = at.checked_sub(1).map(|i| chars[i]);
        let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let length = match rest {
            ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => string(rest),
            ['r', '"' | '#', ..] if !in_word => raw_string(rest, 1),
            ['b' | 'c', 'r', '"' | '#', ..] if !in_word => raw_string(rest, 2),
            ['\'', '\\', ..] => 3 + rest[3.min(rest.len())..].iter().take_while(|c| **c != '\'').count(),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        let length = length.min(rest.len());
        if length == 0 {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..at + length].iter().map(|c| keep_line(*c)));
            at += length;
        }
    }
    out
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The length of a raw string that begins with a prefix of `skip` letters; 0 when it is a raw identifier.
fn raw_string(rest: &[char], skip: usize) -> usize {
    let hashes = rest[skip..].iter().take_while(|c| **c == '#').count();
    if rest.get(skip + hashes) != Some(&'"') {
        return 0;
    }
    let mut at = skip + hashes + 1;
    while at < rest.len() {
        let is_end = rest[at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        if is_end {
            return at + 1 + hashes;
        }
        at += 1;
    }
    at
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files with this extension under a folder of the crate, as paths from its root, sorted.
fn files_under(folder: &str, extension: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    let mut paths: Vec<String> = found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == extension))
        .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .collect();
    paths.sort();
    paths
}

/// The reader of sources is itself worth a test: were it blind, every test above would pass.
mod reading {
    use super::{Source, blank, part_tests};

    fn source(path: &str, text: &str) -> Source {
        let (shipped, tests) = part_tests(&blank(text));
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        Source { path: path.to_owned(), module, shipped, tests, lines: 0 }
    }

    fn named(path: &str, text: &str) -> Vec<String> {
        source(path, text).named_modules().into_iter().collect()
    }

    #[test]
    fn groups_nesting_and_roads_through_super_are_seen() {
        assert_eq!(named("tui/a.rs", "use crate::{aws::x::{Y, Z}, cli};"), ["aws", "cli"]);
        assert_eq!(named("tui/a.rs", "fn f() { crate::aws::call() }"), ["aws"]);
        assert_eq!(named("tui/a.rs", "use super::super::aws::X;"), ["aws"]);
        assert!(named("tui/a/b.rs", "use super::super::aws::X;").is_empty());
        assert_eq!(named("tui.rs", "use super::aws;"), ["aws"]);
        assert_eq!(named("main.rs", "coredeck::cli::run()"), ["cli"]);
    }

    #[test]
    fn comments_literals_and_tests_are_not_code() {
        assert!(named("a.rs", "// crate::aws\n/* crate::b /* x */ crate::c */").is_empty());
        assert!(named("a.rs", r##"let x = ("crate::aws \" crate::b", r#"crate::" c"#, '"');"##).is_empty());
        assert!(named("a.rs", "#[cfg(test)]\nmod tests { use crate::aws; fn f() {} }").is_empty());
        assert_eq!(named("a.rs", "#[cfg(test)]\nuse crate::aws;\nuse crate::b;"), ["b"]);
        assert_eq!(named("a.rs", "fn f<'a>(x: &'a str) { let c = '\\''; crate::aws::g() }"), ["aws"]);
    }

    #[test]
    fn tests_are_parted_line_by_line() {
        let file =
            source("a.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() { x.sleep(1) }\n}\nfn h() {}\n");
        assert!(file.shipped.contains("fn h()") && !file.shipped.contains("sleep"));
        assert_eq!(super::line_of(&file.tests, file.tests.find("sleep").unwrap()), 4);
    }
}
