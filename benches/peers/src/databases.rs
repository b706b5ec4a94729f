//! SQLite: an upsert for each event, and a writer thread that commits what
//! waits. Both with a write-ahead log and `synchronous = NORMAL`, which
//! survives a killed process; a power cut may take the last commits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::aggregator::{Aggregated, Sink};
use crate::channels::Std;
use crate::event::{Event, Totals};
use crate::peer::{Each, Handle, Peer, Row};

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "rusqlite, an upsert per event",
        burst: 1 << 8,
        make: |setup| Box::new(Direct(created(&setup.dir))),
        found: Some(|dir| totals(&dir.join(FILE)).requests),
    },
    Row {
        name: "rusqlite, batches of a writer thread",
        burst: 1 << 13,
        make: |setup| {
            let connection = open(&created(&setup.dir));
            Aggregated::<Std, Batches>::boxed(setup, Batches(Arc::new(Mutex::new(connection))))
        },
        found: Some(|dir| totals(&dir.join(FILE)).requests),
    },
];

const FILE: &str = "usage.db";
const UPSERT: &str = "
    INSERT INTO usage VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?10, 1)
    ON CONFLICT (day, provider, model, tenant) DO UPDATE SET
        requests = requests + 1, input = input + ?5, cache_read = cache_read + ?6,
        cache_write = cache_write + ?7, output = output + ?8,
        cost_nanos = cost_nanos + ?9, latency_us = latency_us + ?10, timed = timed + 1";

fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .unwrap();
    connection
}

fn created(dir: &Path) -> PathBuf {
    let file = dir.join(FILE);
    let table = "CREATE TABLE IF NOT EXISTS usage (
        day INTEGER, provider TEXT, model TEXT, tenant TEXT, requests INTEGER, input INTEGER,
        cache_read INTEGER, cache_write INTEGER, output INTEGER, cost_nanos INTEGER,
        latency_us INTEGER, timed INTEGER,
        PRIMARY KEY (day, provider, model, tenant)) WITHOUT ROWID";
    open(&file).execute(table, []).unwrap();
    file
}

fn upsert(connection: &Connection, event: &Event) {
    let [provider, model, tenant] = event.names();
    let [input, cache_read, cache_write, output] = event.tokens;
    let mut statement = connection.prepare_cached(UPSERT).unwrap();
    let changed = statement.execute(params![
        event.day() as i64,
        provider,
        model,
        tenant,
        input,
        cache_read,
        cache_write,
        output,
        event.cost_nanos as i64,
        event.latency.as_micros() as i64
    ]);
    assert_eq!(changed.unwrap(), 1);
}

fn totals(file: &Path) -> Totals {
    let sums = "SELECT total(requests), total(input), total(cache_read), total(cache_write),
        total(output), total(cost_nanos), total(latency_us), total(timed) FROM usage";
    let connection = open(file);
    let row = connection.query_row(sums, [], |row| {
        let at = |n: usize| row.get::<_, f64>(n).map(|sum| sum as u64);
        Ok(Totals {
            requests: at(0)?,
            tokens: [at(1)?, at(2)?, at(3)?, at(4)?],
            cost_nanos: at(5)?,
            latency_us: at(6)?,
            timed: at(7)?,
        })
    });
    row.unwrap()
}

/// A connection for each thread.
struct Direct(PathBuf);

impl Peer for Direct {
    fn handle(&self) -> Box<dyn Handle + '_> {
        let connection = open(&self.0);
        Box::new(Each(move |event: &Event| upsert(&connection, event)))
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        totals(&self.0)
    }
}

#[derive(Clone)]
struct Batches(Arc<Mutex<Connection>>);

impl Sink for Batches {
    const BATCH: usize = 1000;

    fn commit(&self, next: &mut dyn FnMut() -> Option<Event>) {
        let mut connection = self.0.lock().unwrap();
        let transaction = connection.transaction().unwrap();
        while let Some(event) = next() {
            upsert(&transaction, &event);
        }
        transaction.commit().unwrap();
    }

    fn totals(&self) -> Totals {
        let connection = self.0.lock().unwrap();
        totals(Path::new(connection.path().unwrap()))
    }
}
