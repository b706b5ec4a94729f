//! Opening a store for writing: take the lock, create what isn't there, load
//! what was committed, replay what wasn't, and go into business with a new
//! ring, all by one commit.
//!
//! Nothing that a reader or another recovery could see is written before that
//! commit, so that opening can be killed and repeated at any point (I2).

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::aggregate::{Aggregate, ExtentKind, View};
use super::commit::CommitBlock;
use super::identity::{Identity, StoreId};
use super::layout::live;
use super::lock::StoreLock;
use super::names_log::NamesLog;
use super::rows::{RowCopy, RowsFile};
use super::{AGGREGATE, LOCK};
use crate::bucket::Bucket;
use crate::error::OpenError;
use crate::ledger::{Ledger, LedgerLimits, Row, Sums};
use crate::names::{ModelId, NameKind, Names, TenantId};
use crate::record::UsageRecord;
use crate::ring::{Geometry, Ring, RingFile, RingId};
use crate::sync::{Arc, Ordering};

/// Where rings go unless the caller chose: memory that outlives the process.
const SHARED_MEMORY: &str = "/dev/shm";

/// What the caller wants of a store.
#[derive(Clone, Debug)]
pub(crate) struct OpenOptions {
    pub(crate) bucket: Option<Bucket>,
    pub(crate) geometry: Geometry,
    pub(crate) limits: LedgerLimits,
    pub(crate) ring_dir: Option<PathBuf>,
}

/// The parts of an open store, each for the one that works with it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) block: CommitBlock,
    pub(crate) ring: Ring,
    pub(crate) names: Arc<Names>,
    pub(crate) names_log: NamesLog,
    pub(crate) bucket: Bucket,
}

/// The consumer's side of an open store.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) aggregate: Arc<Aggregate>,
    rows: RowsFile,
    generation: u64,
    ring_file: RingFile,
    _lock: StoreLock,
}

impl Store {
    /// The generation that is committed.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes the ledger's changes and `block` durable against the death of
    /// the process, together (I3). On an error nothing was committed, and the
    /// ledger's changes are still marked.
    pub(crate) fn commit(
        &mut self,
        ledger: &mut Ledger,
        block: &mut CommitBlock,
    ) -> Result<u64, OpenError> {
        self.rows.reserve(&self.aggregate, ledger.rows().len())?;
        write_commit(&self.aggregate, &self.rows, self.generation, ledger, block)?;
        self.generation += 1;
        Ok(self.generation)
    }

    /// Removes the ring's file. After the commit that says there is no ring.
    pub(crate) fn remove_ring(&self) -> Result<(), OpenError> {
        self.ring_file.remove()
    }
}

fn write_commit(
    aggregate: &Aggregate,
    rows: &RowsFile,
    generation: u64,
    ledger: &mut Ledger,
    block: &mut CommitBlock,
) -> Result<(), OpenError> {
    let next = generation + 1;
    ledger.changed(|number, row| rows.write(number, generation, next, row));
    block.committed_at = now_nanos();
    block.rows = ledger.rows().len() as u64;
    block.records = ledger.records();
    block.names = aggregate.load_sealed(live::NAMES, "the number of names")?;
    aggregate.commit(generation, next, block);
    Ok(())
}

/// Nanoseconds since 1970 by the system's clock.
pub(crate) fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(1, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

/// Opens the store at `path` for writing, and creates it where there is none.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Opened, OpenError> {
    create_directory(path)?;
    let lock = StoreLock::take(path, &path.join(LOCK))?;
    let aggregate = open_or_create(path, options.bucket.unwrap_or_default())?;
    let bucket = aggregate.identity.bucket;
    if options.bucket.is_some_and(|wanted| wanted != bucket) {
        return Err(OpenError::Setting {
            name: "bucket",
            what: format!("is fixed when a store is created, and this store has {bucket:?}"),
        });
    }
    let mut loaded = Loaded::load(&aggregate)?;
    let view = loaded.view.take().unwrap_or(View {
        generation: 0,
        block: CommitBlock::default(),
    });
    let generation = view.generation;
    aggregate.scrub(generation);
    loaded.rows.scrub(generation);

    let mut block = view.block;
    let records = block.records;
    let ledger_rows = std::mem::take(&mut loaded.ledger_rows);
    let mut ledger = Ledger::new(bucket, options.limits, ledger_rows, records);
    let earlier = replay(&aggregate, &loaded.names, &mut block, &mut ledger)?;

    let (ring_file, ring) = new_ring(path, &aggregate, &mut loaded, &mut block, options)?;
    let Loaded {
        names,
        mut rows,
        names_log,
        ..
    } = loaded;
    rows.reserve(&aggregate, ledger.rows().len())?;
    write_commit(&aggregate, &rows, generation, &mut ledger, &mut block)?;
    ledger.settle();
    if let Some(earlier) = earlier {
        // Best effort, as below: all that was in it is committed now.
        let _ = earlier.remove();
    }
    ring_file.remove_others();
    for (word, value) in [
        (live::WRITER_PID, std::process::id().into()),
        (live::HEARTBEAT, now_nanos()),
        (live::DEGRADED, 0),
    ] {
        // Relaxed: each says something by itself.
        aggregate.live(word).store(value, Ordering::Relaxed);
    }
    Ok(Opened {
        store: Store {
            aggregate: Arc::new(aggregate),
            rows,
            generation: generation + 1,
            ring_file,
            _lock: lock,
        },
        ledger,
        block,
        ring,
        names,
        names_log,
        bucket,
    })
}

fn create_directory(path: &Path) -> Result<(), OpenError> {
    match fs::DirBuilder::new().mode(0o750).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_directory = fs::metadata(path).is_ok_and(|metadata| metadata.is_dir());
            if is_directory {
                return Ok(());
            }
            Err(OpenError::NotAStore {
                path: path.to_owned(),
                found: "it is there, but not a directory".into(),
            })
        }
        Err(error) => Err(OpenError::io("create the directory", path, error)),
    }
}

fn open_or_create(path: &Path, bucket: Bucket) -> Result<Aggregate, OpenError> {
    let place = path.join(AGGREGATE);
    match Aggregate::open(&place, true) {
        Err(error) if error.is_not_found() => {}
        other => return other,
    }
    // Built under another name and renamed when it is whole: what is killed
    // in here is not a store.
    let draft = path.join(format!("{AGGREGATE}.new"));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(OpenError::io("remove", &draft, error));
        }
        _ => {}
    }
    let random = StoreId::random().map_err(|error| OpenError::io("create", &place, error))?;
    let identity = Identity {
        store: random,
        created: now_nanos(),
        bucket,
    };
    drop(Aggregate::create(&draft, identity)?);
    fs::rename(&draft, &place).map_err(|error| OpenError::io("create", &place, error))?;
    Aggregate::open(&place, true)
}

/// What a store's file holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) view: Option<View>,
    pub(crate) rows: RowsFile,
    pub(crate) ledger_rows: Vec<Row>,
    pub(crate) names: Arc<Names>,
    pub(crate) names_log: NamesLog,
}

impl Loaded {
    /// Reads all of a file that nobody writes to, and checks what it reads.
    fn load(aggregate: &Aggregate) -> Result<Self, OpenError> {
        let view = aggregate.view()?;
        let mut rows = RowsFile::default();
        let mut names_log = NamesLog::default();
        for extent in aggregate.new_extents(true)? {
            match extent.kind {
                ExtentKind::Rows => rows.attach(aggregate, &extent)?,
                ExtentKind::Names => names_log.attach(aggregate, &extent)?,
            }
        }
        let names = Arc::new(Names::new());
        names_log.read_new(aggregate, &names)?;
        let ledger_rows = match &view {
            Some(view) => load_rows(aggregate, &rows, view)?,
            None => Vec::new(),
        };
        Ok(Self {
            view,
            rows,
            ledger_rows,
            names,
            names_log,
        })
    }
}

fn load_rows(aggregate: &Aggregate, rows: &RowsFile, view: &View) -> Result<Vec<Row>, OpenError> {
    let View { generation, block } = view;
    aggregate.check_blocks(*generation)?;
    if aggregate.load_sealed(live::NAMES, "the number of names")? < block.names {
        return Err(aggregate.damaged("it has fewer names than were committed"));
    }
    if block.rows > rows.capacity() as u64 {
        return Err(aggregate.damaged("it has fewer rows than were committed"));
    }
    let mut loaded = Vec::with_capacity(block.rows as usize);
    let mut sums = Sums::default();
    for number in 0..block.rows as u32 {
        rows.check(number, *generation).map_err(|unsound| {
            aggregate.damaged(format!(
                "version {} of row {number}, generation {}, doesn't have its checksum",
                unsound.version, unsound.generation
            ))
        })?;
        match rows.read(number, *generation) {
            RowCopy::At(_, row) => {
                sums.add(&row);
                loaded.push(row);
            }
            _ => return Err(aggregate.damaged(format!("row {number} has no valid version"))),
        }
    }
    if let Some(what) = sums.disagreement(block.records).or(block.imbalance()) {
        return Err(aggregate.damaged(what));
    }
    Ok(loaded)
}

/// Folds what the last writer's ring holds beyond the last commit, and takes
/// the ring out of `block`. Gives the ring's file, to be removed later.
fn replay(
    aggregate: &Aggregate,
    names: &Names,
    block: &mut CommitBlock,
    ledger: &mut Ledger,
) -> Result<Option<RingFile>, OpenError> {
    if block.ring == 0 {
        return Ok(None);
    }
    let io = |error| OpenError::io("look at", aggregate.path(), error);
    let id = RingId::new(aggregate.identity.store, aggregate.file(), block.ring).map_err(io)?;
    let dir = names
        .ring_dir(block.ring_dir as u32)
        .ok_or_else(|| aggregate.damaged("the name of the ring's directory is missing"))?;
    let opened = RingFile::open(Path::new(dir.as_str()), id)?;
    let covered = block.covered();
    let mut survived = 0;
    let file = match opened {
        None => {
            // Shared memory is empty after a reboot: what was in the ring and
            // not committed is gone, and nobody can say how much it was.
            block.rings_lost += 1;
            None
        }
        Some((file, ring)) => {
            if ring.shards().len() != block.positions.len() {
                let what = "the ring has another number of shards than was committed";
                return Err(aggregate.damaged(what));
            }
            let now = now_nanos();
            for (shard, position) in ring.shards().iter().zip(&block.positions) {
                for survivor in shard.survivors(*position) {
                    survived += 1;
                    match survivor {
                        Some(record) => {
                            ledger.fold(&known(record, names), now);
                            block.replayed += 1;
                        }
                        None => block.holes += 1,
                    }
                }
            }
            Some(file)
        }
    };
    block.earlier_positions = covered.wrapping_add(survived);
    block.ring = 0;
    block.positions = Vec::new();
    Ok(file)
}

/// The record with ids that the store knows. Ids are in the file before they
/// are given out, so only a damaged slot has others.
fn known(mut record: UsageRecord, names: &Names) -> UsageRecord {
    if u32::from(record.model) >= names.next_id(NameKind::Model { provider: 0 }) {
        record.model = ModelId::OTHER.0;
    }
    if record.tenant >= names.next_id(NameKind::Tenant) {
        record.tenant = TenantId::OTHER.0;
    }
    record
}

fn new_ring(
    store: &Path,
    aggregate: &Aggregate,
    loaded: &mut Loaded,
    block: &mut CommitBlock,
    options: &OpenOptions,
) -> Result<(RingFile, Ring), OpenError> {
    let number = block.rings + 1;
    let id = RingId::new(aggregate.identity.store, aggregate.file(), number)
        .map_err(|error| OpenError::io("look at", aggregate.path(), error))?;
    let (dir, (file, ring)) = match &options.ring_dir {
        Some(dir) => {
            let dir = absolute(dir)?;
            let created = RingFile::create(&dir, id, options.geometry)?;
            (dir, created)
        }
        None => {
            let shared = PathBuf::from(SHARED_MEMORY);
            match RingFile::create(&shared, id, options.geometry) {
                Ok(created) => (shared, created),
                // No shared memory, or too little, as in many containers.
                Err(_) => {
                    let dir = absolute(store)?;
                    let created = RingFile::create(&dir, id, options.geometry)?;
                    (dir, created)
                }
            }
        }
    };
    let dir = dir.to_str().ok_or_else(|| OpenError::Setting {
        name: "ring_dir",
        what: "must be a path in UTF-8".into(),
    })?;
    let ring_dir = match loaded.names.find(NameKind::RingDir, dir) {
        Some(known) => known,
        None => {
            let next = loaded.names.next_id(NameKind::RingDir);
            loaded
                .names_log
                .append(aggregate, NameKind::RingDir, next, dir)?;
            loaded.names.add(NameKind::RingDir, dir).id
        }
    };
    block.ring = number;
    block.rings = number;
    block.ring_dir = u64::from(ring_dir);
    block.shard_capacity = options.geometry.capacity as u64;
    block.positions = vec![0; options.geometry.shards];
    Ok((file, ring))
}

fn absolute(path: &Path) -> Result<PathBuf, OpenError> {
    path.canonicalize()
        .map_err(|error| OpenError::io("find", path, error))
}
