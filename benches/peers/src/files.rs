//! Log lines, and the rewritten JSON file that quipu replaces.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::aggregator::{Aggregated, Queue, Receiver, Sink};
use crate::event::{Event, Ids, Key as _, Totals};
use crate::peer::{Each, Handle, Peer, Row};

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "tracing-appender, JSON lines",
        burst: 1 << 13,
        make: |setup| Box::new(Lines::new(&setup.dir)),
        found: Some(|dir| lines(&dir.join(LINES)).requests),
    },
    Row {
        name: "locked queue, rewritten JSON file",
        burst: 1 << 13,
        make: |setup| Aggregated::<Locked, Json>::boxed(setup, Json::new(&setup.dir, false)),
        found: Some(|dir| json(&dir.join(JSON)).requests),
    },
    Row {
        name: "locked queue, JSON file written and renamed",
        burst: 1 << 13,
        make: |setup| Aggregated::<Locked, Json>::boxed(setup, Json::new(&setup.dir, true)),
        found: Some(|dir| json(&dir.join(JSON)).requests),
    },
];

const LINES: &str = "usage.jsonl";
const JSON: &str = "usage.json";

struct Lines {
    file: PathBuf,
    writer: NonBlocking,
    bytes: AtomicU64,
    // Dropped last: it waits until all is written.
    _guard: WorkerGuard,
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    at: u64,
    provider: &'a str,
    model: &'a str,
    tenant: &'a str,
    tokens: [u32; 4],
    cost_nanos: u64,
    latency_us: u64,
}

impl Lines {
    fn new(dir: &Path) -> Self {
        let appender = tracing_appender::rolling::never(dir, LINES);
        // Lossless: by default, lines that don't fit are dropped.
        let builder = NonBlockingBuilder::default().lossy(false);
        let (writer, guard) = builder.finish(appender);
        Self {
            file: dir.join(LINES),
            writer,
            bytes: AtomicU64::new(0),
            _guard: guard,
        }
    }
}

impl Peer for Lines {
    fn handle(&self) -> Box<dyn Handle + '_> {
        let mut writer = self.writer.clone();
        let mut text = Vec::with_capacity(256);
        Box::new(Each(move |event: &Event| {
            text.clear();
            let [provider, model, tenant] = event.names();
            let line = Line {
                at: event.at_nanos,
                provider,
                model,
                tenant,
                tokens: event.tokens,
                cost_nanos: event.cost_nanos,
                latency_us: event.latency.as_micros() as u64,
            };
            serde_json::to_writer(&mut text, &line).unwrap();
            text.push(b'\n');
            writer.write_all(&text).unwrap();
            self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        }))
    }

    fn settle(&self, _: u64) {
        let written = || fs::metadata(&self.file).map_or(0, |file| file.len());
        while written() < self.bytes.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_micros(50));
        }
    }

    fn totals(&self) -> Totals {
        lines(&self.file)
    }
}

/// Adds up the whole lines of a log.
fn lines(file: &Path) -> Totals {
    let mut totals = Totals::default();
    let text = fs::read_to_string(file).unwrap_or_default();
    for line in text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
    {
        let line: Line<'_> = serde_json::from_str(line).unwrap();
        totals.merge(&Totals {
            requests: 1,
            tokens: line.tokens.map(u64::from),
            cost_nanos: line.cost_nanos,
            latency_us: line.latency_us,
            timed: 1,
        });
    }
    totals
}

/// A queue under a lock, with a condition to wait for.
struct Locked(Arc<Shared>);

#[derive(Default)]
struct Shared {
    events: Mutex<(VecDeque<Event>, bool)>,
    some: Condvar,
}

impl Queue for Locked {
    type Sender = Arc<Shared>;
    type Receiver = Arc<Shared>;

    fn open() -> (Self, Self::Receiver) {
        let shared = Arc::<Shared>::default();
        (Self(Arc::clone(&shared)), shared)
    }

    fn sender(&self) -> Self::Sender {
        Arc::clone(&self.0)
    }

    fn send(sender: &mut Self::Sender, event: &Event) {
        sender.events.lock().unwrap().0.push_back(*event);
        sender.some.notify_one();
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.0.events.lock().unwrap().1 = true;
        self.0.some.notify_all();
    }
}

impl Receiver for Arc<Shared> {
    fn take(&mut self) -> Option<Event> {
        self.events.lock().unwrap().0.pop_front()
    }

    fn wait(&mut self) -> Option<Event> {
        let guard = self.events.lock().unwrap();
        let empty = |(events, over): &mut (VecDeque<Event>, bool)| events.is_empty() && !*over;
        let mut guard = self.some.wait_while(guard, empty).unwrap();
        guard.0.pop_front()
    }
}

/// Sums by day, provider, model and tenant, written out as a whole.
#[derive(Clone)]
struct Json {
    file: PathBuf,
    /// Written beside and renamed, so that a kill leaves a whole file.
    renamed: bool,
    map: Arc<Mutex<HashMap<Ids, Totals>>>,
}

impl Json {
    fn new(dir: &Path, renamed: bool) -> Self {
        Self {
            file: dir.join(JSON),
            renamed,
            map: Arc::default(),
        }
    }
}

impl Sink for Json {
    const BATCH: usize = 100;

    fn commit(&self, next: &mut dyn FnMut() -> Option<Event>) {
        let mut map = self.map.lock().unwrap();
        while let Some(event) = next() {
            map.entry(Ids::of(&event)).or_default().add(&event);
        }
        let rows: Vec<_> = map.iter().map(|(ids, sums)| (ids.names(), sums)).collect();
        let text = serde_json::to_vec(&rows).unwrap();
        if self.renamed {
            let beside = self.file.with_extension("new");
            fs::write(&beside, text).unwrap();
            fs::rename(beside, &self.file).unwrap();
        } else {
            fs::write(&self.file, text).unwrap();
        }
    }

    fn totals(&self) -> Totals {
        json(&self.file)
    }
}

/// Nothing where the file was cut short by the death of its writer.
fn json(file: &Path) -> Totals {
    let text = fs::read_to_string(file).unwrap_or_default();
    let rows: Vec<((u64, String, String, String), Totals)> =
        serde_json::from_str(&text).unwrap_or_default();
    Totals::sum(rows.iter().map(|(_, totals)| totals))
}
