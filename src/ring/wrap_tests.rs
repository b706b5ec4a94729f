//! Positions next to where they begin again: 2^63. No ring lives so long: at a
//! thousand million records a second it takes three centuries.

use super::shard::{Refused, Shard, distance};
use super::{Drainer, Ring};
use crate::names::ModelId;
use crate::record::UsageRecord;
use crate::sync::Arc;

/// Where positions begin again.
const END: u64 = 1 << 63;

/// Slots of a shard; a large one takes Miri an hour.
const CAPACITIES: &[u64] = if cfg!(miri) { &[2, 4] } else { &[2, 8, 64] };

fn usage(n: u64) -> UsageRecord {
    UsageRecord::new(ModelId::OTHER).cost_nanos(n)
}

/// Both ways in, as a ring takes them.
fn push(shard: &Shard, record: &UsageRecord) -> Result<u64, Refused> {
    let room = shard.capacity();
    match shard.try_push(record, room) {
        Some(fill) => Ok(fill),
        None => shard.push(record, room),
    }
}

/// The numbers of the records from `cursor` on, and the next position.
fn drain(shard: &Shard, cursor: u64) -> (Vec<u64>, u64) {
    let mut found = Vec::new();
    let next = shard.drain(cursor, u64::MAX, |record| found.push(record.cost));
    (found, next)
}

#[test]
fn f34_distances_across_the_end() {
    assert_eq!(distance(END - 1, 0), 1);
    assert_eq!(distance(END - 5, 7), 12);
    assert_eq!(distance(0, END - 1), END - 1);
    assert_eq!(distance(3, 3), 0);
    // The bit that closes a shard doesn't count.
    assert_eq!(distance(END - 1, END), 1);
}

#[test]
fn f34_laps_across_the_end_of_positions() {
    for capacity in CAPACITIES.iter().copied() {
        for before in 0..=2 * capacity {
            let start = (END - before) % END;
            let shard = Shard::in_memory(capacity as usize, start).unwrap();
            let mut cursor = start;
            let mut n = 0;
            // Several laps: fills of every size, drained and handed back.
            for lap in 0..4 * capacity {
                let size = lap % capacity + 1;
                for fill in 1..=size {
                    assert_eq!(push(&shard, &usage(n + fill - 1)), Ok(fill));
                }
                assert_eq!(shard.held(), size);
                assert_eq!(shard.has_room(capacity), size < capacity);
                if size == capacity {
                    assert_eq!(push(&shard, &usage(0)), Err(Refused::Full));
                }
                let (found, next) = drain(&shard, cursor);
                assert_eq!(found, (n..n + size).collect::<Vec<_>>(), "from {start}");
                assert_eq!(next, (cursor + size) % END);
                // Nothing older is taken for something new.
                assert_eq!(drain(&shard, next), (Vec::new(), next));
                shard.release(next);
                assert_eq!(shard.held(), 0);
                (cursor, n) = (next, n + size);
            }
            assert!(cursor < start || before == 0, "it went across");
            assert_eq!(shard.claimed(), cursor);
        }
    }
}

#[test]
fn f34_batches_and_the_close_across_the_end() {
    for before in 1..=8 {
        let start = END - before;
        let shard = Shard::in_memory(8, start).unwrap();
        let batch: Vec<_> = (0..20).map(usage).collect();
        assert_eq!(shard.push_batch(&batch[..5], shard.capacity()), Ok((5, 5)));
        assert_eq!(shard.push_batch(&batch[5..], shard.capacity()), Ok((3, 8)));
        assert_eq!(
            shard.push_batch(&batch, shard.capacity()),
            Err(Refused::Full)
        );
        assert_eq!(shard.close(), (start + 8) % END);
        assert!(shard.is_closed());
        assert_eq!(shard.close(), (start + 8) % END);
        for _ in 0..2 {
            assert_eq!(push(&shard, &usage(0)), Err(Refused::Closed));
            assert_eq!(
                shard.push_batch(&batch, shard.capacity()),
                Err(Refused::Closed)
            );
        }
        assert_eq!(shard.held(), 8);
        let (found, next) = drain(&shard, start);
        assert_eq!(found, (0..8).collect::<Vec<_>>());
        assert_eq!(next, shard.claimed());
    }
}

#[test]
fn f34_a_shard_that_is_closed_at_the_last_position() {
    for before in 0..3 {
        let start = (END - before) % END;
        let shard = Shard::in_memory(8, start).unwrap();
        assert_eq!(shard.close(), start);
        assert_eq!(push(&shard, &usage(0)), Err(Refused::Closed));
        assert_eq!((shard.claimed(), shard.held()), (start, 0));
        assert!(!shard.has_room(8));
    }
}

#[test]
fn f34_survivors_across_the_end() {
    for before in 0..=16 {
        let start = (END - before) % END;
        for (pushed, released) in [(8u64, 0u64), (3, 0), (8, 5), (8, 8), (0, 0)] {
            let shard = Shard::in_memory(8, start).unwrap();
            for n in 0..pushed {
                push(&shard, &usage(n)).unwrap();
            }
            // Committed, and the slots used again: a lap further on.
            let committed = (start + released) % END;
            shard.release(committed);
            for n in 0..released {
                push(&shard, &usage(100 + n)).unwrap();
            }
            let survivors = shard.survivors(committed);
            assert_eq!(survivors.lost, 0);
            let found: Vec<_> = survivors.records.map(|r| r.unwrap().cost).collect();
            let expected: Vec<_> = (released..pushed).chain(100..100 + released).collect();
            assert_eq!(found, expected, "{before} before the end");

            // Handed back without a commit: lost, and known to be.
            let survivors = shard.survivors(start);
            assert_eq!(survivors.lost, released);
            assert_eq!(survivors.records.count() as u64, pushed);
        }
    }
}

#[test]
fn f34_a_ring_of_shards_at_different_places() {
    let starts = [END - 3, 0, END - 64, 17];
    let shards = starts.map(|start| Shard::in_memory(16, start).unwrap());
    let ring = Arc::new(Ring::new(&shards).unwrap());
    assert_eq!(ring.capacity(), 64);
    let mut drainer = Drainer::new(Arc::clone(&ring), &starts);
    let mut committed = starts.to_vec();
    let mut sum = 0;
    let mut expected = 0;
    for lap in 0..50u64 {
        for n in 0..64 {
            ring.push(n as usize, &usage(lap * 64 + n)).unwrap();
            expected += lap * 64 + n;
        }
        assert_eq!(ring.push(0, &usage(0)), Err(Refused::Full));
        assert_eq!((ring.in_use(&committed), ring.held()), (64, 64));
        let target = drainer.target();
        assert!(!drainer.has_reached(&target));
        let mut found = 0;
        while !drainer.has_reached(&target) {
            found += drainer.drain(7, |record| sum += record.cost);
        }
        assert_eq!((found, sum), (64, expected), "lap {lap}");
        committed = drainer.positions().to_vec();
        drainer.release();
        assert_eq!((ring.in_use(&committed), ring.held()), (0, 0));
        // An earlier target stays reached.
        assert!(drainer.has_reached(&starts));
    }
    ring.close();
    assert_eq!(ring.push(3, &usage(0)), Err(Refused::Closed));
    let going_back = committed.clone();
    drainer.go_back(&going_back);
    assert_eq!(drainer.drain(100, |_| panic!("nothing is left")), 0);
}
