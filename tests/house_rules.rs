//! Rules of this code base that the compiler can't check: where atomics and
//! `unsafe` may be, and that every fault has a test.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .collect()
}

/// Lines of `src/` that hold `needle` outside comments, as `file:line`.
fn places(needle: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places = Vec::new();
    for path in sources(&root) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(needle) {
                places.push(format!("{name}:{}", number + 1));
            }
        }
    }
    places
}

#[test]
fn atomics_come_from_one_place() {
    for needle in ["std::sync::atomic", "core::sync::atomic", "loom::sync"] {
        let elsewhere: Vec<_> = places(needle)
            .into_iter()
            .filter(|place| !place.starts_with("sync.rs:"))
            .collect();
        assert!(elsewhere.is_empty(), "{needle} in {elsewhere:?}");
    }
}

#[test]
fn unsafe_is_in_slots_and_mapped_memory_only() {
    // An `unsafe impl Mappable` says that a type may lie in mapped memory; it
    // stands beside the type.
    let allowed = [
        "disk/region.rs:",
        "ring/slot.rs:",
        "ring/shard.rs:",
        "store/version.rs:",
    ];
    let elsewhere: Vec<_> = places("unsafe")
        .into_iter()
        .filter(|place| !allowed.iter().any(|file| place.starts_with(file)))
        .collect();
    assert!(elsewhere.is_empty(), "unsafe in {elsewhere:?}");
    let blocks: Vec<_> = places("unsafe {")
        .into_iter()
        .filter(|place| {
            !place.starts_with("disk/region.rs:") && !place.starts_with("ring/slot.rs:")
        })
        .collect();
    assert!(blocks.is_empty(), "unsafe blocks in {blocks:?}");
}

/// Faults and bad inputs that have a number.
const FAULTS: u32 = 41;

/// Numbers of the faults that the test functions of a file are named after, as
/// in `fn fNN_what_holds`.
fn faults_in(text: &str) -> impl Iterator<Item = u32> {
    let names = text.split("fn f").skip(1);
    names.filter_map(|name| {
        let (number, rest) = name.split_at_checked(2)?;
        rest.starts_with('_').then(|| number.parse().ok())?
    })
}

#[test]
fn every_fault_has_a_test_and_the_page_says_where() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/testing.md")).unwrap();
    let row = |n: u32| {
        page.lines()
            .find(|line| line.starts_with(&format!("| {n} | ")))
    };
    let mut found = std::collections::BTreeSet::new();
    for dir in ["src", "tests", "crates"] {
        for path in sources(&root.join(dir)) {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            for n in faults_in(&fs::read_to_string(&path).unwrap()) {
                let row = row(n).unwrap_or_default();
                assert!(row.contains(&format!("`{name}`")), "row {n} without {name}");
                found.insert(n);
            }
        }
    }
    let missing: Vec<_> = (1..=FAULTS).filter(|n| !found.contains(n)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
}
