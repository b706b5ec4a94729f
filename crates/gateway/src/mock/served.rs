//! What was served: counts by outcome, kind and model.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::amounts::Kinds;

/// Threads mostly have a shard each, so that they don't wait for each other.
const SHARDS: usize = 16;

/// Models that are counted apart in each shard, and how long their names may
/// be; the rest is counted in `__other__`.
const MODELS: usize = 1000;
const NAME_BYTES: usize = 256;
const OTHER: &str = "__other__";

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The last byte was handed to the connection, and the body ended.
    Complete,
    /// The body was dropped before its end, or the client left before it.
    Cancelled,
    /// The body ended early, as it was told to, as if it were whole.
    Truncated,
    /// An event of the stream said that something went wrong.
    Broken,
    /// The connection was closed, before the headers or in mid-body.
    Reset,
    /// An error with this status.
    Error(u16),
}

/// Requests by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Requests {
    complete: u64,
    /// Those of the complete ones that stated no usage.
    without_usage: u64,
    cancelled: u64,
    truncated: u64,
    broken: u64,
    resets: u64,
    errors: BTreeMap<u16, u64>,
}

/// Tokens by what became of the response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct TokensByFate {
    /// Stated by responses that were complete.
    served: Kinds,
    /// Stated by responses that were cut, as far as they came.
    cut: Kinds,
    /// Used by complete responses that didn't state it.
    unsaid: Kinds,
}

/// All there is to say about one model, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    requests: Requests,
    tokens: TokensByFate,
}

impl Counts {
    fn note(&mut self, outcome: Outcome, stated: Option<&Kinds>, due: &Kinds) {
        let requests = &mut self.requests;
        let of_outcome = match outcome {
            Outcome::Complete => &mut requests.complete,
            Outcome::Cancelled => &mut requests.cancelled,
            Outcome::Truncated => &mut requests.truncated,
            Outcome::Broken => &mut requests.broken,
            Outcome::Reset => &mut requests.resets,
            Outcome::Error(status) => requests.errors.entry(status).or_default(),
        };
        *of_outcome += 1;
        match (outcome, stated) {
            (Outcome::Complete, Some(stated)) => self.tokens.served.add(stated),
            (Outcome::Complete, None) => {
                requests.without_usage += 1;
                self.tokens.unsaid.add(due);
            }
            (_, Some(stated)) => self.tokens.cut.add(stated),
            (_, None) => {}
        }
    }

    fn add(&mut self, other: &Self) {
        let (to, from) = (&mut self.requests, &other.requests);
        to.complete += from.complete;
        to.without_usage += from.without_usage;
        to.cancelled += from.cancelled;
        to.truncated += from.truncated;
        to.broken += from.broken;
        to.resets += from.resets;
        for (status, requests) in &from.errors {
            *to.errors.entry(*status).or_default() += requests;
        }
        self.tokens.served.add(&other.tokens.served);
        self.tokens.cut.add(&other.tokens.cut);
        self.tokens.unsaid.add(&other.tokens.unsaid);
    }
}

#[derive(Debug, Default)]
struct Shard {
    /// Requests that named no model.
    nameless: Counts,
    models: HashMap<Box<str>, Counts>,
}

impl Shard {
    fn counts(&mut self, model: Option<&str>) -> &mut Counts {
        let Some(model) = model else {
            return &mut self.nameless;
        };
        let is_known = self.models.contains_key(model);
        let has_room = self.models.len() < MODELS && model.len() <= NAME_BYTES;
        let name = if is_known || has_room { model } else { OTHER };
        if !self.models.contains_key(name) {
            self.models.insert(name.into(), Counts::default());
        }
        // The branch for a missing name isn't reached.
        match self.models.get_mut(name) {
            Some(counts) => counts,
            None => &mut self.nameless,
        }
    }
}

/// The counts as they are shown.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    all: Counts,
    /// Requests that haven't ended.
    running: i64,
    models: BTreeMap<Box<str>, Counts>,
}

/// Counts of everything that was served.
#[derive(Debug)]
pub(crate) struct Served {
    shards: [Mutex<Shard>; SHARDS],
    running: AtomicI64,
}

impl Default for Served {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            running: AtomicI64::new(0),
        }
    }
}

impl Served {
    /// A request has come; it counts as cancelled unless it is settled.
    pub(super) fn begin(self: &Arc<Self>) -> Ticket {
        self.running.fetch_add(1, Ordering::Relaxed);
        Ticket {
            served: Arc::clone(self),
            model: None,
            due: Kinds::default(),
            stated: None,
            is_settled: false,
        }
    }

    /// The counts so far, all of one moment.
    pub(crate) fn report(&self) -> Report {
        let mut report = Report::default();
        for shard in self.all() {
            report.all.add(&shard.nameless);
            for (model, counts) in &shard.models {
                report.all.add(counts);
                report.models.entry(model.clone()).or_default().add(counts);
            }
        }
        report.running = self.running.load(Ordering::Relaxed);
        report
    }

    /// Begins at zero again; what still runs is counted when it ends.
    pub(super) fn reset(&self) {
        for mut shard in self.all() {
            *shard = Shard::default();
        }
    }

    fn all(&self) -> Vec<MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock).collect()
    }
}

/// No count is left half done by a panic: they are plain additions.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread's shard.
fn own() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS));
    OWN.get()
}

/// One request's entry in the counts.
#[derive(Debug)]
pub(super) struct Ticket {
    served: Arc<Served>,
    model: Option<Box<str>>,
    due: Kinds,
    stated: Option<Kinds>,
    is_settled: bool,
}

impl Ticket {
    /// Says what the request is about: its model, and what it uses if it
    /// comes to its end.
    pub(super) fn is_for(&mut self, model: &str, due: Kinds) {
        self.model = Some(model.into());
        self.due = due;
    }

    /// The client has been handed these counts; later ones replace them.
    pub(super) fn states(&mut self, kinds: Kinds) {
        self.stated = Some(kinds);
    }

    /// The request has ended like this.
    pub(super) fn settle(mut self, outcome: Outcome) {
        self.note(outcome);
    }

    fn note(&mut self, outcome: Outcome) {
        self.is_settled = true;
        if let Some(shard) = self.served.shards.get(own()) {
            let mut shard = lock(shard);
            let counts = shard.counts(self.model.as_deref());
            counts.note(outcome, self.stated.as_ref(), &self.due);
        }
        self.served.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_settled {
            self.note(Outcome::Cancelled);
        }
    }
}
