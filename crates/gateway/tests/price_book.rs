//! Price tables that are exchanged while others read them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use quipu_gateway::prices::{PriceBook, PriceError, PriceFiles, PriceTable};
use support::tokens;

#[test]
fn a_reload_is_seen_by_version_and_a_bad_list_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prices.toml");
    let files = PriceFiles {
        own: Some(path.clone()),
        ..PriceFiles::default()
    };
    let write = |input: &str| {
        let text = format!("[[model]]\nprovider = \"a\"\nname = \"m\"\ninput = \"{input}\"\n");
        fs::write(&path, text).unwrap();
    };
    write("1");
    let book = PriceBook::new(files.load().unwrap());
    let held = book.load();
    write("2");
    assert_eq!(book.reload(&files).unwrap(), 2);
    write("oops");
    let wrong = book.reload(&files);
    // As one finds a file that somebody is just writing.
    fs::write(&path, "").unwrap();
    assert!(matches!(book.reload(&files), Err(PriceError::Empty)));
    let Err(PriceError::InFile { path, source }) = wrong else {
        panic!("a wrong list");
    };
    assert_eq!(Some(&path), files.own.as_ref());
    assert!(matches!(*source, PriceError::Rate { .. }));
    fs::remove_file(&path).unwrap();
    assert!(matches!(book.reload(&files), Err(PriceError::Io { .. })));
    let one = tokens(1, 0);
    let cost = |prices: &quipu_gateway::prices::Prices| prices.table.cost("a", "m", &one, None);
    assert_eq!((held.version, cost(&held)), (1, Ok(1_000)));
    assert_eq!((book.load().version, cost(&book.load())), (2, Ok(2_000)));
}

#[test]
fn readers_see_whole_tables_while_they_are_exchanged() {
    // The table of version v prices a token at v micro-dollars.
    let table = |version: u64| {
        let text = format!(
            "[[model]]\nprovider = \"a\"\nname = \"m\"\ninput = \"{version}\"\noutput = \"{version}\"\n"
        );
        PriceTable::builder().own(&text).unwrap().build()
    };
    let book = Arc::new(PriceBook::new(table(1)));
    let is_done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (book, is_done) = (Arc::clone(&book), Arc::clone(&is_done));
        thread::spawn(move || {
            let mut last = 0;
            while !is_done.load(Ordering::Acquire) {
                let prices = book.load();
                assert!(prices.version >= last);
                last = prices.version;
                let cost = prices.table.cost("a", "m", &tokens(1, 1), None);
                assert_eq!(cost, Ok(2_000 * prices.version));
            }
        })
    };
    for version in 2..=500 {
        assert_eq!(book.replace(table(version)), version);
    }
    is_done.store(true, Ordering::Release);
    reader.join().unwrap();
}

#[test]
fn replacing_at_once_gives_each_a_version_of_its_own() {
    let book = Arc::new(PriceBook::new(PriceTable::default()));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let book = Arc::clone(&book);
            thread::spawn(move || {
                (0..100)
                    .map(|_| book.replace(PriceTable::default()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut versions: Vec<u64> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=401).collect::<Vec<_>>());
    assert_eq!(book.load().version, 401);
}
