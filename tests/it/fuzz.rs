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
