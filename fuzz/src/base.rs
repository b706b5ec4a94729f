//! Valid files to begin with, made once in each process by the library itself.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quipu::{Bucket, Durability, Outcome, Recorder, TokenKind, UsageRecord};

use crate::aggregate::{self, Map};
use crate::bed::Bed;
use crate::ring;

/// How long anything may take, also on a machine that is held up; the fuzzer
/// has a limit of its own.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// The store's id, the same in every process.
pub(crate) const ID: [u64; 2] = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];

/// A store's files.
#[derive(Debug, Default)]
pub struct Base {
    pub aggregate: Vec<u8>,
    pub map: Map,
    /// Of the writer that was killed.
    pub ring: Option<Vec<u8>>,
    /// Records that are committed.
    pub committed: u64,
    /// Records that are only on the ring.
    pub in_ring: u64,
}

impl Base {
    /// The one that an input asks for: 0 to 3, and the large one seldom
    /// otherwise, as it costs as much as the others together.
    pub fn choose(which: u8) -> &'static Self {
        static BASES: OnceLock<[Base; 4]> = OnceLock::new();
        let bases = BASES.get_or_init(|| [killed(), closed(), fresh(), grown()]);
        match which {
            0..=3 => &bases[usize::from(which)],
            255 => &bases[3],
            _ => &bases[usize::from(which) % 3],
        }
    }

    /// The one whose writer was killed.
    pub fn killed() -> &'static Self {
        Self::choose(0)
    }

    /// The ring's number.
    pub fn ring_number(&self) -> u64 {
        self.ring.as_deref().map_or(0, ring::number)
    }

    /// Takes the aggregate file and the ring that are there now.
    fn keep(bed: &Bed) -> Self {
        let mut aggregate = fs::read(bed.aggregate()).unwrap();
        aggregate::set_identity(&mut aggregate, ID);
        let mut rings = fs::read_dir(bed.ring_dir()).unwrap();
        let ring = rings.next().map(|entry| {
            let mut ring = fs::read(entry.unwrap().path()).unwrap();
            ring::set_store(&mut ring, ID);
            ring
        });
        Self {
            map: Map::of(&aggregate),
            aggregate,
            ring,
            ..Self::default()
        }
    }
}

/// A store that has a checkpoint.
#[derive(Debug)]
pub struct Checkpointed {
    pub checkpoint: Vec<u8>,
    pub map: Map,
    /// A live file as a power cut may leave it.
    pub older: Vec<u8>,
    /// The last one, whose writer was killed.
    pub newer: Base,
}

impl Checkpointed {
    pub fn get() -> &'static Self {
        static FILES: OnceLock<Checkpointed> = OnceLock::new();
        FILES.get_or_init(checkpointed)
    }
}

/// A record that says everything.
pub(crate) fn usage(recorder: &Recorder, model: &str, tenant: &str) -> UsageRecord {
    UsageRecord::new(recorder.model("provider", model).unwrap())
        .tenant(recorder.tenant(tenant).unwrap())
        .at(moment())
        .tokens(TokenKind::Input, 1)
        .tokens(TokenKind::Output, 2)
        .cost_nanos(3)
        .latency(Duration::from_millis(4))
        .time_to_first_token(Duration::from_micros(5))
}

/// Always the same, so that all runs begin with the same files.
pub(crate) fn moment() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_764_000_000)
}

/// Two commits, so that both versions of each row are in use, and records on
/// both shards of the ring.
fn killed() -> Base {
    let bed = Bed::get();
    bed.clear_all();
    let recorder = bed.builder().open(bed.store()).unwrap();
    let one = usage(&recorder, "m", "t");
    let other = usage(&recorder, "n", "u").outcome(Outcome::RateLimited);
    for _ in 0..2 {
        assert_eq!(recorder.record_batch(&[one, other]), 2);
        recorder.flush(PATIENCE).unwrap();
    }
    std::thread::scope(|scope| {
        for usage in [one, other] {
            let recorder = &recorder;
            scope.spawn(move || assert_eq!(recorder.record_batch(&[usage; 5]), 5));
        }
    });
    let kept = Base {
        committed: 4,
        in_ring: 10,
        ..Base::keep(bed)
    };
    drop(recorder);
    bed.clear_all();
    kept
}

/// Closed properly, with hours.
fn closed() -> Base {
    let bed = Bed::get();
    let recorder = bed
        .builder()
        .bucket(Bucket::Hour)
        .open(bed.store())
        .unwrap();
    for hour in 0..3 {
        let usage = usage(&recorder, "m", "t").at(moment() + Duration::from_secs(3600 * hour));
        recorder.record(usage).unwrap();
    }
    recorder.close(PATIENCE).unwrap();
    let kept = Base {
        committed: 3,
        ..Base::keep(bed)
    };
    bed.clear_all();
    kept
}

/// Nothing in it yet.
fn fresh() -> Base {
    let bed = Bed::get();
    bed.builder()
        .open(bed.store())
        .unwrap()
        .close(PATIENCE)
        .unwrap();
    let kept = Base::keep(bed);
    bed.clear_all();
    kept
}

/// More rows than fit in the first extent.
fn grown() -> Base {
    const TENANTS: u64 = 260;
    let bed = Bed::get();
    let builder = bed.builder().shard_capacity(1024);
    let recorder = builder.open(bed.store()).unwrap();
    for tenant in 0..TENANTS {
        recorder
            .record(usage(&recorder, "m", &tenant.to_string()))
            .unwrap();
    }
    recorder.close(PATIENCE).unwrap();
    let kept = Base {
        committed: TENANTS,
        ..Base::keep(bed)
    };
    bed.clear_all();
    kept
}

/// Two records in a live file, four in the checkpoint, seven in another live
/// file, and two more on its ring.
fn checkpointed() -> Checkpointed {
    let bed = Bed::get();
    bed.clear_all();
    let builder = bed
        .builder()
        .durability(Durability::Checkpoint(Duration::from_secs(3600)));
    let recorder = builder.clone().open(bed.store()).unwrap();
    let record = |recorder: &Recorder, records: usize| {
        let usage = usage(recorder, "m", "t");
        assert_eq!(recorder.record_batch(&vec![usage; records]), records);
    };
    record(&recorder, 2);
    recorder.flush(PATIENCE).unwrap();
    let older = fs::read(bed.aggregate()).unwrap();
    record(&recorder, 2);
    recorder.close(PATIENCE).unwrap();
    drop(recorder);

    let recorder = builder.open(bed.store()).unwrap();
    // Its first checkpoint names its ring; that of the close named none.
    let opened = recorder.stats().generation;
    let deadline = Instant::now() + PATIENCE;
    while recorder.stats().checkpoint < opened {
        assert!(Instant::now() < deadline, "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(1));
    }
    record(&recorder, 3);
    recorder.flush(PATIENCE).unwrap();
    record(&recorder, 2);
    let newer = Base {
        committed: 7,
        in_ring: 2,
        ..Base::keep(bed)
    };
    let checkpoint = fs::read(bed.checkpoint()).unwrap();
    drop(recorder);
    bed.clear_all();
    let [older, checkpoint] = [older, checkpoint].map(|mut file| {
        aggregate::set_identity(&mut file, ID);
        file
    });
    Checkpointed {
        map: Map::of(&checkpoint),
        checkpoint,
        older,
        newer,
    }
}
