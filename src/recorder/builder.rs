//! Settings of a recorder, and how it is put together.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::start::Street;
use super::{Durability, Recorder};
use crate::bucket::Bucket;
use crate::error::OpenError;
use crate::ledger::{Ledger, LedgerLimits};
use crate::names::{NameLimits, Names};
use crate::pricing::{Price, Prices, Pricing};
use crate::ring::{Geometry, MAX_SHARD_CAPACITY, MAX_SHARDS, Ring};
use crate::store::{self, Checkpoints, CommitBlock, Interner, NamesFile, OpenOptions, Opened};
use crate::sync::Arc;

/// Slots of all shards together, unless set: 8 MiB.
const DEFAULT_SLOTS: usize = 1 << 17;
/// Fewer in a shard make for commits that cover little.
const LEAST_SLOTS: usize = 1 << 12;

/// Rows that a ledger can hold: row numbers have 32 bits, with room for the
/// reserve.
const MAX_ROWS: u32 = 1 << 26;

/// Settings of a [`Recorder`]. All have defaults that suit a gateway.
///
/// ```
/// use std::time::Duration;
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("usage.quipu");
/// let recorder = quipu::Recorder::builder()
///     .shards(4)
///     .shard_capacity(1 << 14)
///     .flush_interval(Duration::from_millis(100))
///     .bucket(quipu::Bucket::Day)
///     .open(&path)?;
/// recorder.close(Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `open` or `in_memory`"]
pub struct Builder {
    shards: usize,
    shard_capacity: Option<usize>,
    flush_interval: Duration,
    flush_records: u64,
    bucket: Option<Bucket>,
    durability: Durability,
    ring_dir: Option<PathBuf>,
    limits: LedgerLimits,
    names: NameLimits,
    prices: Option<Prices>,
}

impl Default for Builder {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            shards: cores.next_power_of_two().min(MAX_SHARDS),
            shard_capacity: None,
            flush_interval: Duration::from_millis(100),
            flush_records: 100_000,
            bucket: None,
            durability: Durability::Process,
            ring_dir: None,
            limits: LedgerLimits {
                rows: 1 << 20,
                buckets: 400,
            },
            names: NameLimits {
                models: 4096,
                tenants: 1 << 17,
                len: 256,
            },
            prices: None,
        }
    }
}

impl Builder {
    /// Shards of the ring: 1 to 64, rounded up to a power of two. Threads
    /// spread over them; with one per thread that records, none contend.
    /// Default: the number of cores.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards;
        self
    }

    /// Slots of one shard, 64 bytes each: 2 to 4 194 304, rounded up to a
    /// power of two. What is accepted and not yet committed must fit. Default:
    /// 131 072 slots (8 MiB) over all shards, at least 4096 (256 KiB) each.
    pub fn shard_capacity(mut self, slots: usize) -> Self {
        self.shard_capacity = Some(slots);
        self
    }

    /// The longest that an accepted record waits for its commit: 1 ms to
    /// 1 hour. Default: 100 ms.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Commits as soon as this many records wait, at least 1; looked at once
    /// for each drained batch. Default: 100 000.
    pub fn flush_records(mut self, records: u64) -> Self {
        self.flush_records = records;
        self
    }

    /// The width of a bucket of event time. Fixed when a store is created;
    /// opening an existing one with another width is an error. Default: that
    /// of the store, [`Bucket::Day`] for a new one.
    pub fn bucket(mut self, bucket: Bucket) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// What the counts survive: see [`Durability`]. The interval of checkpoints
    /// is from 10 ms to 1 day. Default: [`Durability::Process`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The directory for the ring's file, which holds what is accepted and not
    /// yet committed. Best in memory: a store to a file on a disk can be held
    /// up by write-back. Default: `/dev/shm` where it is there and has room,
    /// else the store's directory.
    pub fn ring_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.ring_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Rows (bucket × model × tenant, and segments of histograms) that are
    /// kept apart: 1 to 67 108 864. Beyond, counts go to `__other__`; rows that
    /// a store has under a higher limit stay. A row takes 512 bytes of file and
    /// as much memory. Default: 1 048 576.
    pub fn max_rows(mut self, rows: u32) -> Self {
        self.limits.rows = rows;
        self
    }

    /// Models with a name of their own: 1 to 65 000. Default: 4096.
    pub fn max_models(mut self, models: u16) -> Self {
        self.names.models = models.into();
        self
    }

    /// Tenants with a name of their own, at least 1. Default: 131 072.
    pub fn max_tenants(mut self, tenants: u32) -> Self {
        self.names.tenants = tenants;
        self
    }

    /// The longest name in bytes: 1 to 32 768. Longer ones become `__other__`.
    /// Default: 256.
    pub fn max_name_len(mut self, bytes: usize) -> Self {
        self.names.len = bytes;
        self
    }

    /// Buckets that are kept apart: at least 1. When a new one begins, the
    /// oldest is added to [`Day::OLDER`](crate::Day::OLDER). Default: 400.
    pub fn buckets_kept(mut self, buckets: u32) -> Self {
        self.limits.buckets = buckets;
        self
    }

    /// Prices calls that are recorded without a cost, in the thread that
    /// counts them: a record costs its thread no more than without. Records
    /// that a killed process left on the ring are priced when the store is
    /// opened. Clones of a builder share the prices. Default: such calls count
    /// as unpriced.
    ///
    /// ```
    /// use quipu::{PricedModel, Recorder, TokenKind, UsageRecord};
    ///
    /// let price = |record: &UsageRecord, of: PricedModel<'_>| match (of.provider, of.model) {
    ///     ("openai", "gpt-4o") => Some(2500 * u64::from(record.reported(TokenKind::Input)?)),
    ///     _ => None,
    /// };
    /// let recorder = Recorder::builder().price_with(price).in_memory()?;
    /// let usage = UsageRecord::new(recorder.model("openai", "gpt-4o")?);
    /// recorder.record(usage.tokens(TokenKind::Input, 812))?;
    /// recorder.flush(std::time::Duration::from_secs(5))?;
    /// assert_eq!(recorder.snapshot().total().cost_nanos, 812 * 2500);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn price_with(mut self, price: impl Price + 'static) -> Self {
        self.prices = Some(Prices::new(price));
        self
    }

    /// Opens the store at `path`, creates it where there is none, and counts
    /// what the last writer accepted but could not commit. The parent
    /// directory must be there.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. Nothing is accepted, and nothing that was there is
    /// changed.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Recorder, OpenError> {
        let geometry = self.check()?;
        let options = OpenOptions {
            bucket: self.bucket,
            geometry,
            limits: self.limits,
            ring_dir: self.ring_dir.clone(),
        };
        let mut pricing = self.prices.map(Pricing::new);
        let opened = store::open(path.as_ref(), &options, pricing.as_mut())?;
        let Opened {
            store,
            ledger,
            block,
            ring,
            names,
            names_log,
            bucket,
            mut set_aside,
        } = opened;
        let (aggregate, lock) = store.share();
        let checkpoints = match self.durability {
            Durability::Process => None,
            Durability::Checkpoint(interval) => {
                let dir = store.dir().to_owned();
                let (checkpoints, aside) = Checkpoints::new(dir, aggregate.identity, lock)?;
                set_aside.extend(aside);
                Some((checkpoints, interval))
            }
        };
        let file = NamesFile {
            aggregate,
            log: names_log,
        };
        let street = Street {
            bucket,
            ring,
            interner: Interner::new(names, self.names, Some(file)),
            ledger,
            limits: self.limits,
            pricing,
            flush_interval: self.flush_interval,
            flush_records: self.flush_records,
            block,
            generation: store.generation(),
            store: Some(store),
            checkpoints,
            set_aside,
        };
        street.start()
    }

    /// A recorder without files: what it counted ends with the process.
    ///
    /// # Errors
    ///
    /// A setting out of range, or no memory for the ring.
    pub fn in_memory(self) -> Result<Recorder, OpenError> {
        let geometry = self.check()?;
        let nowhere = Path::new("the ring's memory");
        let ring = Ring::in_memory(geometry.shards, geometry.capacity)
            .map_err(|error| OpenError::io("allocate", nowhere, error))?;
        let bucket = self.bucket.unwrap_or_default();
        let ledger = Ledger::new(bucket, self.limits, Vec::new(), 0);
        let interner = Interner::new(Arc::new(Names::new()), self.names, None);
        let block = CommitBlock {
            positions: vec![0; geometry.shards],
            shard_capacity: geometry.capacity as u64,
            ..CommitBlock::default()
        };
        let street = Street {
            bucket,
            ring,
            interner,
            ledger,
            limits: self.limits,
            pricing: self.prices.map(Pricing::new),
            flush_interval: self.flush_interval,
            flush_records: self.flush_records,
            block,
            generation: 0,
            store: None,
            checkpoints: None,
            set_aside: Vec::new(),
        };
        street.start()
    }

    fn check(&self) -> Result<Geometry, OpenError> {
        let shards = self.shards.next_power_of_two();
        let capacity = self
            .shard_capacity
            .unwrap_or((DEFAULT_SLOTS / shards.clamp(1, MAX_SHARDS)).max(LEAST_SLOTS));
        range("shards", self.shards, 1, MAX_SHARDS)?;
        range("shard_capacity", capacity, 2, MAX_SHARD_CAPACITY)?;
        range(
            "flush_interval",
            self.flush_interval,
            Duration::from_millis(1),
            Duration::from_secs(3600),
        )?;
        if let Durability::Checkpoint(interval) = self.durability {
            let (from, to) = (Duration::from_millis(10), Duration::from_secs(86_400));
            range("durability", interval, from, to)?;
        }
        range("flush_records", self.flush_records, 1, u64::MAX)?;
        range("max_rows", self.limits.rows, 1, MAX_ROWS)?;
        range("max_models", self.names.models, 1, 65_000)?;
        range("max_tenants", self.names.tenants, 1, u32::MAX - 2)?;
        range("max_name_len", self.names.len, 1, 32 * 1024)?;
        range("buckets_kept", self.limits.buckets, 1, MAX_ROWS)?;
        Ok(Geometry {
            shards,
            capacity: capacity.next_power_of_two(),
        })
    }
}

fn range<T: PartialOrd + Debug + Copy>(
    name: &'static str,
    value: T,
    from: T,
    to: T,
) -> Result<(), OpenError> {
    if from <= value && value <= to {
        return Ok(());
    }
    Err(OpenError::Setting {
        name,
        what: format!("must be from {from:?} to {to:?}, and is {value:?}"),
    })
}
