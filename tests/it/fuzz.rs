//! The fuzz targets without a fuzzer: every body on the kept corpus, and on random input that is made from it.

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use bodies::BODIES;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// The kept inputs of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 5, "{target} has a corpus");
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn every_target_has_a_fuzzer_and_takes_its_corpus() {
    for (target, body) in BODIES {
        let fuzzer = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{target}.rs"));
        assert!(
            fs::read_to_string(fuzzer).unwrap().contains(&format!("bodies::{target}(bytes)")),
            "{target}"
        );
        corpus(target).iter().for_each(|bytes| body(bytes));
    }
}

/// Every file of the program that is built for fuzzers, without its tests.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        // What names the SDK, a server or an argument is left out, as `lib.rs` says.
        if matches!(name, "aws" | "cli" | "sim" | "supertokens" | "main") && folder.ends_with("src") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push(text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned());
        }
    }
}

#[test]
fn fuzzers_are_built_with_every_crate_that_they_need_as_the_program_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let needs = |file: &str| {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        manifest["dependencies"].as_table().unwrap().clone()
    };
    let (program, fuzzers) = (needs("Cargo.toml"), needs("fuzz/Cargo.toml"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut used = 0;
    for (name, version) in &program {
        let path = format!("{}::", name.replace('-', "_"));
        let names = |line: &str| {
            let is_first =
                |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
            !line.trim_start().starts_with("//") && line.match_indices(&path).any(|(at, _)| is_first(at))
        };
        if files.iter().any(|file| file.lines().any(names)) {
            used += 1;
            assert_eq!(fuzzers.get(name), Some(version), "{name} in fuzz/Cargo.toml");
        }
    }
    assert!(used > 15, "{used}");
}

/// A change that a fuzzer would make: a piece of one input, bytes of another, something taken out.
#[derive(Clone, Debug)]
struct Change {
    at: prop::sample::Index,
    drop: usize,
    from: prop::sample::Index,
    begin: prop::sample::Index,
    take: usize,
    byte: Option<u8>,
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let byte = prop::option::of(prop_oneof![
        any::<u8>(),
        prop::sample::select(b"\x1b[]\"'=\n{}<>;:#-,. 0".to_vec())
    ]);
    (index(), 0..12_usize, index(), index(), 0..24_usize, byte)
        .prop_map(|(at, drop, from, begin, take, byte)| Change { at, drop, from, begin, take, byte })
}

fn changed(corpus: &[Vec<u8>], start: prop::sample::Index, changes: &[Change]) -> Vec<u8> {
    let mut bytes = start.get(corpus).clone();
    // Long ones are the shipped files, which make a debug build slow.
    bytes.truncate(1_500);
    for change in changes {
        let at = change.at.index(bytes.len() + 1);
        let end = (at + change.drop).min(bytes.len());
        let other = change.from.get(corpus);
        let begin = change.begin.index(other.len() + 1);
        let piece = &other[begin..(begin + change.take).min(other.len())];
        bytes.splice(at..end, piece.iter().copied().chain(change.byte));
    }
    bytes
}

/// How many random inputs each body gets: some each time, and as many as one likes by hand.
fn cases() -> u32 {
    std::env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(
        start in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..8),
        noise in prop::collection::vec(any::<u8>(), 0..64)
    ) {
        for (target, body) in BODIES {
            body(&changed(&corpus(target), start, &changes));
            body(&noise);
        }
    }
}
