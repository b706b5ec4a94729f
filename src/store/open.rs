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

use super::aggregate::{Aggregate, View};
use super::commit::CommitBlock;
use super::identity::Identity;
use super::layout::live;
use super::load::Loaded;
use super::lock::StoreLock;
use super::names_log::NamesLog;
use super::recovery::{RingPlace, new_ring, replay};
use super::writer::{Store, write_commit};
use super::{AGGREGATE, LOCK};
use crate::bucket::{Bucket, now_nanos};
use crate::disk::format::StoreId;
use crate::error::OpenError;
use crate::ledger::{Ledger, LedgerLimits};
use crate::names::Names;
use crate::ring::{Geometry, Ring};
use crate::sync::{Arc, Ordering};

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

/// Opens the store at `path` for writing, and creates it where there is none.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Opened, OpenError> {
    if let Some(chosen) = &options.ring_dir {
        // Before anything is created.
        RingPlace::find(Some(chosen), path)?;
    }
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

    let place = RingPlace::find(options.ring_dir.as_deref(), path)?;
    let geometry = options.geometry;
    let (ring_file, ring) = new_ring(&place, &aggregate, &mut loaded, &mut block, geometry)?;
    let Loaded {
        names,
        mut rows,
        names_log,
        ..
    } = loaded;
    rows.reserve(&aggregate, ledger.rows().len())
        .and_then(|()| write_commit(&aggregate, &rows, generation, &mut ledger, &mut block))
        .inspect_err(|_| {
            // Best effort: nothing was accepted on it.
            let _ = ring_file.remove();
        })?;
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
