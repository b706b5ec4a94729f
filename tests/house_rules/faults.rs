//! Every fault that quipu was built against has a test.

use std::collections::BTreeSet;
use std::fs;

use crate::source::{read, root, rust_files};

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
    let page = read("docs/testing.md");
    let row = |n: u32| {
        page.lines()
            .find(|line| line.starts_with(&format!("| {n} | ")))
    };
    let mut found = BTreeSet::new();
    for dir in ["src", "tests", "crates"] {
        for path in rust_files(&root().join(dir)) {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
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
