//! The recorder: the handle that a gateway holds.

mod builder;
mod life;
mod start;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_utils::Backoff;

pub use builder::Builder;

use crate::consumer::{Core, Waited};
use crate::error::{CloseError, FlushError, NameError, OpenError, RecordError};
use crate::names::{ModelId, TenantId};
use crate::record::UsageRecord;
use crate::ring::{self, Refused, Ring};
use crate::snapshot::Snapshot;
use crate::stats::Stats;
use crate::store::SetAside;
use life::{CheckpointThread, Life};

/// How often `stats` looks again because of a commit in between.
const STATS_ATTEMPTS: u32 = 100;

/// What the counts survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The death of the process at any instant. Nothing is synced to disk.
    #[default]
    Process,
    /// The same, and a power cut: a thread of its own writes a whole, synced
    /// copy of what is committed each interval, and when the recorder is
    /// closed. A power cut costs at most the records of the last interval, of
    /// the time that writing the copy takes, and of one flush interval.
    ///
    /// A copy costs by rows held: 512 bytes each, written and synced.
    Checkpoint(Duration),
}

/// Records usage. Cheap to clone; all clones record into the same store.
///
/// Dropping the last clone closes the recorder.
#[derive(Clone)]
pub struct Recorder {
    // The ring comes first: `record` needs nothing else.
    ring: Arc<Ring>,
    core: Arc<Core>,
    life: Arc<Life>,
    set_aside: Arc<[SetAside]>,
}

impl Recorder {
    /// Opens the store at `path` with default settings; see
    /// [`Builder::open`].
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder().open(path)
    }

    /// Settings other than the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A recorder without files, with default settings: what it counted ends
    /// with the process.
    ///
    /// # Panics
    ///
    /// Where the system has no memory for the ring or can't start a thread;
    /// [`Builder::in_memory`] gives an error instead.
    #[must_use]
    pub fn in_memory() -> Self {
        match Self::builder().in_memory() {
            Ok(recorder) => recorder,
            Err(error) => panic!("a recorder in memory: {error}"),
        }
    }

    fn new(
        core: Arc<Core>,
        consumer: JoinHandle<()>,
        checkpointer: Option<CheckpointThread>,
        set_aside: Vec<SetAside>,
    ) -> Self {
        Self {
            ring: Arc::clone(&core.ring),
            life: Arc::new(Life::new(Arc::clone(&core), consumer, checkpointer)),
            set_aside: set_aside.into(),
            core,
        }
    }

    /// What could not be used when the store was opened and was set aside,
    /// bytes unchanged: a damaged file, in whose place the checkpoint or an
    /// empty file stands now, or a ring that doesn't fit. Empty when all was
    /// well. Worth a line in the gateway's log.
    #[must_use]
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// The id of a model. Intern once and keep it: a name that is known costs
    /// some 50 ns, a new one a lock and a write to the store.
    ///
    /// Beyond the limits on models or the length of a name, and for an empty
    /// name, this is [`ModelId::OTHER`].
    ///
    /// # Errors
    ///
    /// [`NameError::Closed`] after the recorder was closed.
    pub fn model(&self, provider: &str, model: &str) -> Result<ModelId, NameError> {
        self.require_open()?;
        Ok(self.core.interner.model(provider, model))
    }

    /// The id of a tenant; the same holds as for [`model`](Self::model).
    ///
    /// # Errors
    ///
    /// [`NameError::Closed`] after the recorder was closed.
    pub fn tenant(&self, tenant: &str) -> Result<TenantId, NameError> {
        self.require_open()?;
        Ok(self.core.interner.tenant(tenant))
    }

    fn require_open(&self) -> Result<(), NameError> {
        if self.ring.is_closed() {
            return Err(NameError::Closed);
        }
        Ok(())
    }

    /// Records one call. Takes nanoseconds; no lock, no allocation, no
    /// waiting, and no system call but one when a shard becomes half full, to
    /// wake the consumer.
    ///
    /// After `Ok` the record is counted exactly once, even if the process is
    /// killed in the next instant. The one exception: while the store can't be
    /// written ([`Stats::degraded`]) and the ring has no room to keep it, a kill
    /// loses it, and the next open counts it in [`Stats::lost`].
    ///
    /// # Errors
    ///
    /// [`RecordError::Full`] when no shard has a free slot, at once.
    /// [`RecordError::Closed`] after the recorder was closed. Both are counted
    /// as rejected.
    #[inline]
    pub fn record(&self, usage: UsageRecord) -> Result<(), RecordError> {
        // All that is rare is one call at the end, so that the rest needs no
        // registers that have to be saved.
        let done = ring::home_so_far().and_then(|home| self.ring.try_push(home, &usage));
        match done {
            Some(false) => Ok(()),
            Some(true) => {
                self.core.mailbox.press();
                Ok(())
            }
            None => self.record_slowly(&usage),
        }
    }

    /// The thread's first record, a shard that is contended or full, the end.
    #[cold]
    #[inline(never)]
    fn record_slowly(&self, usage: &UsageRecord) -> Result<(), RecordError> {
        // There was room, so another thread was faster on this shard.
        if ring::home_so_far().is_some_and(|home| self.ring.has_room(home)) {
            ring::move_on();
        }
        match self.ring.push(ring::home(), usage) {
            Ok(wake) => {
                if wake {
                    self.core.mailbox.press();
                }
                Ok(())
            }
            Err(why) => Err(self.refuse(why, 1)),
        }
    }

    /// Records several calls with one claim for a run of slots; gives how many
    /// were accepted, always from the first on. The others count as rejected.
    #[inline]
    pub fn record_batch(&self, usages: &[UsageRecord]) -> usize {
        let (accepted, wake, refused) = self.ring.push_batch(ring::home(), usages);
        if wake {
            self.core.mailbox.press();
        }
        if let Some(why) = refused {
            self.refuse(why, (usages.len() - accepted) as u64);
        }
        accepted
    }

    /// Like [`record`](Self::record), but waits up to `timeout` for a free
    /// slot. Counts as one attempt.
    ///
    /// # Errors
    ///
    /// As for `record`; `Full` only after the time has passed.
    pub fn record_timeout(&self, usage: UsageRecord, timeout: Duration) -> Result<(), RecordError> {
        let home = ring::home();
        let backoff = Backoff::new();
        // Looked at only when the ring is full.
        let mut deadline = None;
        loop {
            let why = match self.ring.push(home, &usage) {
                Ok(wake) => {
                    if wake {
                        self.core.mailbox.press();
                    }
                    return Ok(());
                }
                Err(why) => why,
            };
            let now = Instant::now();
            let deadline = *deadline.get_or_insert_with(|| now.checked_add(timeout));
            let is_over = deadline.is_some_and(|deadline| now >= deadline);
            if why == Refused::Closed || is_over {
                return Err(self.refuse(why, 1));
            }
            self.core.mailbox.press();
            if backoff.is_completed() {
                std::thread::sleep(Duration::from_micros(20));
            } else {
                backoff.snooze();
            }
        }
    }

    #[cold]
    fn refuse(&self, why: Refused, records: u64) -> RecordError {
        self.core.refuse(why, records);
        match why {
            Refused::Full => RecordError::Full,
            Refused::Closed => RecordError::Closed,
        }
    }

    /// Waits until everything that was accepted before the call, by any
    /// thread, is committed and visible to readers.
    ///
    /// # Errors
    ///
    /// See [`FlushError`]; what was accepted stays counted in this process in
    /// any case.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        if self.ring.is_closed() {
            return Err(FlushError::Closed);
        }
        match self
            .core
            .mailbox
            .flush()
            .wait(Instant::now().checked_add(timeout))
        {
            Waited::Done => Ok(()),
            Waited::Failed => Err(FlushError::Degraded(self.reason())),
            Waited::TimedOut => Err(FlushError::Timeout),
        }
    }

    /// The newest committed view; some ten nanoseconds.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.core.published.load()
    }

    /// The state of the recorder.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (snapshot, in_ring) = self.balance();
        let mut stats = Stats::of(&snapshot, in_ring);
        stats.set_refusals(self.core.refusals());
        stats.set_last_commit(self.core.commit_nanos());
        stats.unwritten = self.core.unwritten();
        stats.checkpoint = self.core.checkpoint();
        stats.degraded = self.core.degraded();
        stats
    }

    /// The newest view, and the records accepted since. What was committed
    /// while they were counted would be in both.
    fn balance(&self) -> (Arc<Snapshot>, u64) {
        let mut snapshot = self.snapshot();
        for _ in 0..STATS_ATTEMPTS {
            let in_ring = self.ring.in_use(&snapshot.block.positions);
            let newest = self.snapshot();
            if newest.generation == snapshot.generation {
                return (snapshot, in_ring);
            }
            snapshot = newest;
        }
        // Commits come faster than this thread can look: still balanced, but
        // of different instants.
        let in_ring = self.ring.in_use(&snapshot.block.positions);
        (snapshot, in_ring)
    }

    /// Accepts no more records, commits what was accepted, and gives up the
    /// store. Closing again, from any clone, waits for the same end.
    ///
    /// # Errors
    ///
    /// See [`CloseError`]. Only after [`CloseError::Degraded`] can anything be
    /// lost, and the next open says how much: [`Stats::lost`].
    pub fn close(&self, timeout: Duration) -> Result<Stats, CloseError> {
        match self.life.end(timeout) {
            Waited::Done => Ok(self.stats()),
            Waited::Failed => Err(CloseError::Degraded(self.reason())),
            Waited::TimedOut => Err(CloseError::Timeout),
        }
    }

    fn reason(&self) -> String {
        // Between the failure and this look it may have recovered.
        self.core
            .degraded()
            .unwrap_or_else(|| "it could not be written, but can be again by now".to_owned())
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("stats", &self.stats())
            .field("set_aside", &self.set_aside)
            .finish_non_exhaustive()
    }
}
