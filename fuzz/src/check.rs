//! What must hold whatever the files are. A store may be refused with an
//! error; nothing else may go wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use quipu::{Builder, Problem, Reader, Recorder, Snapshot, Totals, Verification};

use crate::base::{PATIENCE, usage};
use crate::bed::Bed;

/// Most bytes that opening a store may add to its file.
const GROWTH: u64 = 8 << 20;

/// Requests by bucket, provider, model and tenant.
type Rows = BTreeMap<[String; 4], u64>;

/// Whether damage was done to the file, or also somebody made checksums right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    ByDamage,
    OnPurpose,
}

impl Made {
    /// By the checksums that were made right.
    pub const fn with(seals: u16) -> Self {
        if seals == 0 {
            Self::ByDamage
        } else {
            Self::OnPurpose
        }
    }
}

/// What a reader and `verify` say of the store.
#[derive(Debug, Default)]
pub struct Seen {
    pub snapshot: Option<Arc<Snapshot>>,
    pub verification: Option<Verification>,
}

impl Seen {
    fn is_sound(&self) -> bool {
        self.verification
            .as_ref()
            .is_some_and(Verification::is_sound)
    }

    pub fn requests(&self) -> Option<u64> {
        self.snapshot.as_ref().map(|it| it.total().requests)
    }
}

/// A reader and `verify` meet the store, and agree.
pub fn read(bed: &Bed, made: Made) -> Seen {
    let before = fs::read(bed.aggregate()).unwrap_or_default();
    let verification = quipu::verify(bed.store()).ok();
    let reader = Reader::open(bed.store());
    let snapshot = reader.as_ref().ok().and_then(|it| it.snapshot().ok());
    if let (Ok(reader), Some(snapshot)) = (&reader, &snapshot) {
        adds_up(snapshot);
        let stats = reader.stats().unwrap();
        assert_eq!(stats.generation, snapshot.generation());
        reader.status().unwrap();
    }
    if let Some(found) = &verification {
        let is_empty = found.generation == 0;
        if found.is_sound() && !is_empty {
            let snapshot = snapshot
                .as_ref()
                .expect("`verify` finds nothing, and it can't be read");
            assert_eq!(found.records, snapshot.total().requests);
        }
        // A version that is not in force is nothing to a reader, and `verify`
        // leaves out what has one that is damaged.
        let is_older = |it: &Problem| it.what.ends_with("doesn't have its checksum");
        if snapshot.is_some() && !found.problems.iter().any(is_older) {
            sound(found.problems.iter(), made);
        }
    }
    assert!(
        fs::read(bed.aggregate()).unwrap_or_default() == before,
        "a reader wrote"
    );
    Seen {
        snapshot,
        verification,
    }
}

/// A writer opens the store, counts, closes it and opens it again.
pub fn write(bed: &Bed, builder: &Builder, made: Made, before: &Seen) {
    let image = fs::read(bed.aggregate()).unwrap_or_default();
    let recorder = match builder.clone().open(bed.store()) {
        Ok(recorder) => recorder,
        Err(error) => {
            let text = error.to_string();
            let names = |path: &Path| text.contains(path.to_str().unwrap());
            // A checkpoint of a newer version refuses the store. Who makes
            // checksums right can also say that the ring is where nothing can
            // be opened, and that does too.
            if !names(&bed.checkpoint()) {
                assert!(names(&bed.store()) || made == Made::OnPurpose, "{text}");
                let is_sound = names(&bed.store()) && before.is_sound();
                assert!(!is_sound, "`verify` finds nothing, and yet: {text}");
            }
            assert!(
                fs::read(bed.aggregate()).unwrap_or_default() == image,
                "changed, but {text}"
            );
            return;
        }
    };
    let first = recorder.snapshot();
    match bed.set_aside(&recorder) {
        Some(path) => assert!(fs::read(path).unwrap() == image, "set aside, but changed"),
        None => {
            if let Some(requests) = before.requests() {
                let at_least = first.total().requests >= requests;
                assert!(at_least, "{requests} before it was opened");
            }
        }
    }
    balances(&recorder);
    let counted = count(&recorder, &first);
    let committed = recorder.close(PATIENCE).unwrap().committed;
    drop(recorder);

    let len = fs::metadata(bed.aggregate()).unwrap().len();
    assert!(len <= image.len() as u64 + GROWTH, "it grew to {len} bytes");
    let reader = Reader::open(bed.store()).unwrap();
    let seen = match reader.snapshot() {
        // Who makes checksums right can put a number next to its limit, and
        // what is counted next is beyond it.
        Err(error) if made == Made::OnPurpose && is_beyond(&error) => return,
        seen => seen.unwrap(),
    };
    assert_eq!(rows(&seen), counted, "written and read again");
    assert_eq!(reader.stats().unwrap().committed, committed);
    let found = quipu::verify(bed.store()).unwrap();
    sound(found.problems.iter(), made);

    let again = builder.clone().open(bed.store()).unwrap();
    assert_eq!(rows(&again.snapshot()), counted, "opened again");
    assert!(again.set_aside().is_empty(), "{:?}", again.set_aside());
    again.close(PATIENCE).unwrap();
}

/// Records three calls, which must be all that changes; gives the rows then.
fn count(recorder: &Recorder, first: &Snapshot) -> Rows {
    let restarts = recorder.stats().restarts;
    let committed = recorder.stats().committed;
    let usage = usage(recorder, "a new one", "a new one");
    assert_eq!(recorder.record_batch(&[usage; 2]), 2);
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let (mut expected, seen) = (rows(first), rows(&recorder.snapshot()));
    let new: Vec<_> = seen
        .iter()
        .filter(|(key, requests)| expected.get(*key).copied().unwrap_or(0) != **requests)
        .map(|(key, _)| key.clone())
        .collect();
    let [key] = new.as_slice() else {
        panic!("{new:?} changed, and one row should have");
    };
    assert_eq!(&key[1..], ["provider", "a new one", "a new one"]);
    let requests = expected.entry(key.clone()).or_default();
    *requests = requests.saturating_add(3);
    assert_eq!(seen, expected, "after three records");
    let total = first.total().requests.saturating_add(3);
    assert_eq!(recorder.snapshot().total().requests, total);
    assert_eq!(recorder.stats().committed, committed + 3);
    assert_eq!(recorder.stats().restarts, restarts, "the consumer panicked");
    adds_up(&recorder.snapshot());
    balances(recorder);
    expected
}

fn is_beyond(error: &impl std::error::Error) -> bool {
    error.to_string().contains("is more than there can be")
}

/// I1, as far as the recorder itself can tell.
pub fn balances(recorder: &Recorder) {
    let stats = recorder.stats();
    assert_eq!(stats.attempted, stats.accepted.wrapping_add(stats.rejected));
    assert_eq!(stats.accepted, stats.committed.wrapping_add(stats.in_ring));
}

/// Nothing is wrong but what no damage can do: rows that are each sound, with
/// the digest of the commit that names them, and yet contradict each other.
/// `verify` finds that; opening a store doesn't look for it.
pub fn sound<'a>(problems: impl Iterator<Item = &'a Problem>, made: Made) {
    let is_forged = |it: &Problem| {
        let words = [
            "it has the key of row",
            "has no name",
            "the ring's directory is missing",
        ];
        it.place == "identity" || words.iter().any(|words| it.what.contains(words))
    };
    let left: Vec<_> = problems
        .filter(|it| made == Made::ByDamage || !is_forged(it))
        .collect();
    assert!(left.is_empty(), "it opens, and `verify` finds {left:?}");
}

/// All ways to add a snapshot up give the same.
pub fn adds_up(snapshot: &Snapshot) {
    let total = snapshot.total();
    let sum = |parts: Vec<Totals>| {
        let mut sum = Totals::default();
        parts.iter().for_each(|part| sum.merge(part));
        sum
    };
    let by_day = snapshot.by_day().into_iter().map(|of| of.totals);
    let by_model = snapshot.by_model().into_iter().map(|of| of.totals);
    let by_provider = snapshot.by_provider().into_iter().map(|of| of.totals);
    assert_eq!(sum(by_day.collect()), total, "days");
    assert_eq!(sum(by_model.collect()), total, "models");
    assert_eq!(sum(by_provider.collect()), total, "providers");
    let by_tenant = snapshot.by_tenant().into_iter().map(|of| of.totals);
    let rows = snapshot.rows().into_iter().map(|of| of.totals);
    assert_eq!(sum(by_tenant.collect()).requests, total.requests, "tenants");
    assert_eq!(sum(rows.collect()).requests, total.requests, "rows");
    for q in [0.0, 0.5, 1.0] {
        let _ = (
            total.latency.quantile(q),
            total.time_to_first_token.quantile(q),
        );
    }
    let _ = (total.latency.mean(), snapshot.committed_at());
}

/// The rows' requests; those of rows with the same names are added up.
pub fn rows(snapshot: &Snapshot) -> Rows {
    let mut rows = Rows::new();
    for row in snapshot.rows() {
        let bucket = format!("{} {:?}", row.day, row.hour);
        let names = [row.provider, row.model, row.tenant].map(|it| it.as_str().to_owned());
        let [provider, model, tenant] = names;
        let requests = rows.entry([bucket, provider, model, tenant]).or_default();
        *requests = requests.saturating_add(row.totals.requests);
    }
    rows
}
