//! `docs/testing.md` has every model in `loom-tests/`, and nothing else; each
//! model has a mutant that it catches.

use std::collections::{BTreeMap, BTreeSet};

use crate::orderings::mutants;
use crate::source::{read, root, rust_files};

/// What a model shows, and within how many preemptions.
type Claim = [String; 2];

/// The models in `loom-tests/tests/`, as `file::function`.
fn in_source() -> BTreeMap<String, Claim> {
    let mut found = BTreeMap::new();
    for path in rust_files(&root().join("loom-tests/tests")) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for test in text.split("#[test]\nfn ").skip(1) {
            let (name, rest) = test.split_once("()").unwrap();
            let (_, rest) = rest.split_once("explore(").unwrap();
            let rest = rest.trim_start().strip_prefix('"').unwrap();
            let (property, rest) = rest.split_once('"').unwrap();
            let lines = property.split("\\\n").map(str::trim_start);
            let bound = rest.trim_start_matches([',', ' ', '\n']);
            let bound = match bound.split_once(',').unwrap().0 {
                "ALL" => "none",
                "THREE" => "3",
                other => panic!("{file}::{name} has the bound {other}"),
            };
            let claim = [lines.collect(), bound.to_owned()];
            found.insert(format!("{file}::{name}"), claim);
        }
    }
    found
}

/// The models in the table.
fn in_table() -> BTreeMap<String, Claim> {
    let page = read("docs/testing.md");
    let (_, section) = page.split_once("\n## Models\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [model, property, bound, executions, seconds] = cells[..] else {
                panic!("not five cells: {line}");
            };
            assert!(executions.parse::<u64>().is_ok_and(|n| n > 1), "{line}");
            assert!(seconds.parse::<f64>().is_ok(), "{line}");
            let claim = [property, bound].map(str::to_owned);
            (model.trim_matches('`').to_owned(), claim)
        })
        .collect()
}

#[test]
fn every_model_is_in_the_table_and_the_reverse() {
    let found = in_source();
    assert!(found.len() > 25, "the models could not be read: {found:?}");
    let table = in_table();
    let differ = |these: &BTreeMap<String, Claim>, those: &BTreeMap<String, Claim>| {
        let missing = these
            .iter()
            .filter(|(it, claim)| those.get(*it) != Some(claim));
        let lines = missing.map(|(it, claim)| format!("\n{it} | {}", claim.join(" | ")));
        lines.collect::<String>()
    };
    let (missing, gone) = (differ(&found, &table), differ(&table, &found));
    assert!(
        missing.is_empty() && gone.is_empty(),
        "in loom-tests/ and not in docs/testing.md:{missing}\nthe reverse:{gone}"
    );
}

#[test]
fn every_model_catches_a_mutant() {
    let catch: BTreeSet<String> = mutants().into_values().collect();
    let models = in_source().into_keys();
    let idle: Vec<_> = models.filter(|model| !catch.contains(model)).collect();
    assert!(
        idle.is_empty(),
        "no mutant shows that these can fail: {idle:?}"
    );
}
