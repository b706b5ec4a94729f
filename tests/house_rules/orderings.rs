//! `docs/memory-orderings.md` has every operation on an atomic, and nothing
//! else; the models and mutants that it names are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, read, sources};

/// File, function, operation and ordering, as in the table.
type Operation = [String; 4];

/// Each operation in `src/`, and how often its function has it.
fn in_source() -> BTreeMap<Operation, usize> {
    let mut found = BTreeMap::new();
    for source in sources() {
        for operation in operations(&source) {
            *found.entry(operation).or_default() += 1;
        }
    }
    found
}

/// Operations by the place where their arguments begin: a compare-exchange has
/// two orderings.
fn operations(source: &Source) -> Vec<Operation> {
    let code = source.without_tests();
    check_mentions(source, code);
    let mut calls = BTreeMap::<usize, Vec<&str>>::new();
    for (place, text) in code.match_indices("Ordering::") {
        let is_word = code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        assert!(!is_word, "{}: another Ordering", source.name);
        let ordering = first_word(&code[place + text.len()..]);
        calls
            .entry(opening(code, place))
            .or_default()
            .push(ordering);
    }
    let operation = |(place, orderings): (usize, Vec<&str>)| {
        let (before, name) = last_word(&code[..place]);
        let function = code[..place].rmatch_indices("fn ").find(|(at, _)| {
            let before = code[..*at].chars().next_back();
            before.is_none_or(|c| c.is_whitespace() || c == '(')
        });
        let (at, fn_) = function.unwrap();
        [
            source.name.clone(),
            first_word(&code[at + fn_.len()..]).to_owned(),
            match before.trim_end().strip_suffix('.') {
                Some(receiver) => format!("{}.{name}", receiver_of(receiver)),
                None => name.to_owned(),
            },
            orderings.join(", "),
        ]
    };
    calls.into_iter().map(operation).collect()
}

/// An ordering that goes by another name, or is handed on, would not be seen:
/// the word stands before a variant or in the list of what is used.
fn check_mentions(source: &Source, code: &str) {
    for (place, word) in code.match_indices("Ordering") {
        let rest = &code[place + word.len()..];
        let statement = code[..place].rfind(';').map_or(0, |end| end + 1);
        let is_used = code[statement..place].contains("use ") && rest.starts_with([',', '}', ';']);
        assert!(
            rest.starts_with("::") || is_used,
            "{}: an ordering by another name: {}",
            source.name,
            code[place..].lines().next().unwrap_or_default()
        );
    }
}

/// Where the parenthesis opens in which `place` is.
fn opening(code: &str, place: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[..place].char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth > 0 => depth -= 1,
            '(' => return at,
            '[' | '{' => panic!("an ordering that is no argument: {}", &code[at..place]),
            _ => {}
        }
    }
    panic!("an ordering outside of a call");
}

/// The last name of an expression, before its calls and indices.
fn receiver_of(expression: &str) -> &str {
    let mut rest = expression.trim_end();
    while rest.ends_with([')', ']']) {
        let mut depth = 0;
        let opening = rest.char_indices().rev().find(|(_, c)| {
            depth += match c {
                ')' | ']' => 1,
                '(' | '[' => -1,
                _ => 0,
            };
            depth == 0
        });
        rest = &rest[..opening.unwrap().0];
    }
    last_word(rest).1
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c| !is_in_word(c));
    &text[..end.unwrap_or(text.len())]
}

/// The last word, and what is before it.
fn last_word(text: &str) -> (&str, &str) {
    let end = text.trim_end_matches(is_in_word);
    (end, &text[end.len()..])
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    operation: Operation,
    times: usize,
    models: Vec<String>,
    mutants: Vec<String>,
    why: String,
}

fn rows() -> Vec<Row> {
    let page = read("docs/memory-orderings.md");
    let lines = page.lines().filter(|line| line.starts_with("| `"));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [file, function, operation, ordering, _, models, mutants, why] = cells[..] else {
        panic!("not eight cells: {line}");
    };
    let plain = |cell: &str| cell.trim_matches('`').to_owned();
    let list = |cell: &str| -> Vec<String> {
        let items = cell.split(", ").filter(|item| *item != "–");
        items.map(plain).collect()
    };
    let (operation, times) = operation.split_once(" × ").unwrap_or((operation, "1"));
    Row {
        operation: [file, function, operation, ordering].map(plain),
        times: times.parse().unwrap(),
        models: list(models),
        mutants: list(mutants),
        why: why.to_owned(),
    }
}

#[test]
fn every_operation_on_an_atomic_is_in_the_table_and_the_reverse() {
    let found = in_source();
    assert!(found.len() > 50, "the source could not be read: {found:?}");
    let mut table = BTreeMap::new();
    for row in rows() {
        assert!(!row.why.is_empty(), "no reason: {row:?}");
        let before = table.insert(row.operation, row.times);
        assert_eq!(before, None, "a row that is there twice");
    }
    let differ = |these: &BTreeMap<Operation, usize>, those: &BTreeMap<Operation, usize>| {
        let missing = these.iter().filter(|(it, n)| those.get(*it) != Some(n));
        let lines = missing.map(|(it, n)| format!("\n{} × {n}", it.join(" | ")));
        lines.collect::<String>()
    };
    let (missing, gone) = (differ(&found, &table), differ(&table, &found));
    assert!(
        missing.is_empty() && gone.is_empty(),
        "in src/ and not in docs/memory-orderings.md:{missing}\nthe reverse:{gone}"
    );
}

/// Mutants by name, each with the model that catches it.
pub(crate) fn mutants() -> BTreeMap<String, String> {
    let run = read("loom-tests/run");
    let calls = run.split("\n    mutant '").skip(1);
    calls
        .map(|call| {
            let (name, rest) = call.split_once('\'').unwrap();
            let end = rest.find("\n    mutant '").unwrap_or(rest.len());
            let mut words = rest[..end].lines().take_while(|line| !line.is_empty());
            let mut last = words.next().unwrap();
            for line in words.filter(|line| line.starts_with("        ")) {
                last = line;
            }
            let (before, model) = last.trim().rsplit_once(' ').unwrap();
            let test = before.rsplit(' ').next().unwrap();
            let model = match model.strip_prefix('$') {
                Some(variable) => value_of(&run, variable),
                None => model.to_owned(),
            };
            (name.to_owned(), format!("{test}::{model}"))
        })
        .collect()
}

/// What a variable of the script stands for.
fn value_of(script: &str, variable: &str) -> String {
    let set = format!("local {variable}=");
    let (_, rest) = script.split_once(&set).unwrap();
    first_word(rest).to_owned()
}

#[test]
fn the_models_and_mutants_of_the_table_are_there() {
    let mutants = mutants();
    assert!(mutants.len() > 30, "the script could not be read");
    let mut named = BTreeSet::new();
    for row in rows() {
        for model in &row.models {
            let (file, function) = model.split_once("::").unwrap();
            let tests = read(&format!("loom-tests/tests/{file}.rs"));
            let is_there = tests.contains(&format!("fn {function}()"));
            assert!(is_there, "there is no model {model}");
        }
        for mutant in &row.mutants {
            let caught_by = mutants.get(mutant);
            let caught_by = caught_by.unwrap_or_else(|| panic!("there is no mutant {mutant:?}"));
            assert!(
                row.models.contains(caught_by),
                "{mutant:?} is caught by {caught_by}, not one of {:?}",
                row.models
            );
            named.insert(mutant.clone());
        }
        let is_strict = row.operation[3] != "Relaxed" && row.operation[3] != "Relaxed, Relaxed";
        let is_guarded = !row.mutants.is_empty() || row.why.contains("No model: ");
        let is_ours = !["sync/modelled.rs", "fault/hooks.rs"].contains(&&*row.operation[0]);
        assert!(
            is_guarded || !is_strict || !is_ours,
            "neither a mutant nor a reason for none: {row:?}"
        );
    }
    for mutant in mutants.keys() {
        let is_of_an_ordering = mutant.contains("relaxed") || mutant.contains("fence");
        assert!(
            named.contains(mutant) || !is_of_an_ordering,
            "{mutant:?} is not in the table"
        );
    }
}
