//! The commands that README.md and docs/ name are there: each is given to the program with `--help` behind it, which
//! reads every word before it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands of a page with the line that they stand in: those in blocks, and those within a text.
fn commands(page: &str) -> Vec<(usize, String)> {
    let (mut found, mut is_block) = (Vec::new(), false);
    for (at, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            is_block = !is_block;
            continue;
        }
        let line = line.trim();
        if is_block {
            let command = line.strip_prefix("$ ").unwrap_or(line);
            found.extend(command.starts_with("coredeck ").then(|| (at + 1, command.to_owned())));
            continue;
        }
        // What stands between two marks is every second piece.
        let quoted = line.split('`').skip(1).step_by(2).filter(|text| text.starts_with("coredeck "));
        found.extend(quoted.map(|text| (at + 1, text.to_owned())));
    }
    found
}

/// A command as a person would type it: without what is said of it behind two blanks and what it is piped into, and with
/// something in place of what stands for something.
fn typed(command: &str) -> String {
    let command = command.split(" | ").next().unwrap_or_default();
    let command = command.split_once("  ").map_or(command, |(command, _)| command);
    let words = command.replace(['…', '[', ']'], "").replace(" -- ", " ");
    let words = words.trim().trim_end_matches('\\').trim().split(' ').map(|word| match word {
        "SHELL" => "bash",
        "N" => "1",
        "VERB" => "drain",
        "--process" => "--process=Launch",
        // One of several: the first stands for all.
        word if !word.contains(['\'', '"']) => word.split('|').next().unwrap_or_default(),
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_that_the_docs_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.push(root.join("README.md"));
    pages.sort();
    let (mut seen, mut faults) = (0, Vec::new());
    for page in pages {
        for (line, command) in commands(&std::fs::read_to_string(&page).unwrap()) {
            // A shell takes quotes and comments apart as the reader's would.
            let script = format!("coredeck() {{ \"$BIN\" \"$@\" --help; }}\n{}", typed(&command));
            let mut shell = Command::new("sh");
            shell.args(["-c", &script]).env("BIN", env!("CARGO_BIN_EXE_coredeck"));
            let answer = shell.output().unwrap();
            seen += 1;
            if !answer.status.success() {
                let why = String::from_utf8_lossy(&answer.stderr);
                let why = why.lines().next().unwrap_or_default().to_owned();
                faults.push(format!("{}:{line}: {command}: {why}", page.display()));
            }
        }
    }
    assert!(seen > 120, "{seen}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_command_that_is_not_there_would_be_found() {
    assert_eq!(typed("coredeck scale GROUP --min N      | what it does"), "coredeck scale GROUP --min 1");
    assert_eq!(typed("coredeck theme list|show|check"), "coredeck theme list");
    assert_eq!(typed("coredeck get instances 'a|b' -o json | jq ."), "coredeck get instances 'a|b' -o json");
    let page = "text `coredeck get cores` and `x`\n```sh\ncoredeck drain x   # y\n$ coredeck get\nls\n```\n";
    let found: Vec<String> = commands(page).into_iter().map(|(_, command)| command).collect();
    assert_eq!(found, ["coredeck get cores", "coredeck drain x   # y", "coredeck get"]);
    let answer =
        Command::new(env!("CARGO_BIN_EXE_coredeck")).args(["drian", "x", "--help"]).output().unwrap();
    assert!(!answer.status.success());
}
