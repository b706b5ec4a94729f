//! The ring: claim, publish, drain, release.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use loom::thread::{self, JoinHandle};
use quipu::model::{Drainer, Refused, Ring, mark, record};
use quipu_loom_tests::{ALL, THREE, explore};

/// A ring of one shard.
fn ring(capacity: usize, position: u64) -> (Ring, Drainer) {
    let ring = Ring::new(1, capacity, position).expect("memory");
    let drainer = ring.drainer(&[position]);
    (ring, drainer)
}

/// Pushes each mark once; gives those that were accepted.
fn producer<const N: usize>(ring: &Ring, marks: [u64; N]) -> JoinHandle<Vec<u64>> {
    let ring = ring.clone();
    thread::spawn(move || {
        let accepted = |mark: &u64| match ring.push(0, &record(*mark)) {
            Ok(()) => true,
            Err(Refused::Full) => false,
            Err(Refused::Closed) => panic!("nobody closed the ring"),
        };
        marks.into_iter().filter(accepted).collect()
    })
}

/// One drain and one release.
fn round(drainer: &mut Drainer, drained: &mut Vec<u64>) {
    drainer.drain(u64::MAX, |record| {
        drained.push(mark(record).expect("a record is whole"));
    });
    drainer.release();
}

/// Drains `rounds` times beside the producers and once after them; what came
/// out must be what was accepted, the records of each in their order.
fn assert_conserved(
    mut drainer: Drainer,
    rounds: usize,
    producers: Vec<JoinHandle<Vec<u64>>>,
) -> Vec<u64> {
    let mut drained = Vec::new();
    for _ in 0..rounds {
        round(&mut drainer, &mut drained);
    }
    let accepted: Vec<_> = producers.into_iter().map(|p| p.join().unwrap()).collect();
    round(&mut drainer, &mut drained);
    for accepted in &accepted {
        let of_this = drained.iter().filter(|mark| accepted.contains(mark));
        assert!(of_this.eq(accepted), "{accepted:?} of {drained:?}");
    }
    assert_eq!(drained.len(), accepted.iter().map(Vec::len).sum::<usize>());
    drained
}

#[test]
fn two_producers_and_the_wrap_of_the_slots() {
    explore(
        "every accepted record is drained once, whole and in its producer's order, and no slot is written before it was drained and released",
        THREE,
        || {
            let (ring, drainer) = ring(2, 0);
            let producers = vec![producer(&ring, [1, 2]), producer(&ring, [3])];
            let drained = assert_conserved(drainer, 2, producers);
            assert!(drained.len() >= 2, "Full on a ring with room: {drained:?}");
        },
    );
}

#[test]
fn the_wrap_of_the_positions() {
    explore("the same where the positions wrap at 2^63", THREE, || {
        let (ring, drainer) = ring(2, (1 << 63) - 1);
        let producers = vec![producer(&ring, [1, 2]), producer(&ring, [3, 4])];
        let drained = assert_conserved(drainer, 1, producers);
        assert!(drained.len() >= 2, "Full on a ring with room: {drained:?}");
    });
}

#[test]
fn a_batch_beside_a_single_push() {
    explore(
        "the same for a batch, which takes the room there is and no more",
        THREE,
        || {
            let (ring, drainer) = ring(2, (1 << 63) - 1);
            let single = producer(&ring, [1, 2]);
            let batch = thread::spawn(move || {
                let batch = [3, 4, 5];
                let (accepted, refused) = ring.push_batch(0, &batch.map(record));
                assert!(accepted <= 2, "{accepted} accepted by two slots");
                assert_eq!(refused, Some(Refused::Full));
                batch[..accepted].to_vec()
            });
            assert_conserved(drainer, 2, vec![single, batch]);
        },
    );
}

#[test]
fn a_full_shard_sends_its_producers_elsewhere() {
    explore(
        "a producer whose shard is full uses its neighbour; nobody is refused while a shard has room",
        THREE,
        || {
            let ring = Ring::new(2, 1, 0).expect("memory");
            let mut drainer = ring.drainer(&[0, 0]);
            let producers = [producer(&ring, [1, 2]), producer(&ring, [3])];
            let mut drained = Vec::new();
            round(&mut drainer, &mut drained);
            let accepted = producers.map(|producer| producer.join().unwrap());
            round(&mut drainer, &mut drained);
            let mut accepted = accepted.concat();
            accepted.sort_unstable();
            drained.sort_unstable();
            assert_eq!(drained, accepted);
            assert!(drained.len() >= 2, "Full on a ring with room: {drained:?}");
        },
    );
}

#[test]
fn who_knows_of_a_release_is_not_refused() {
    explore(
        "whoever was refused and knows of a release is accepted",
        ALL,
        || {
            let (ring, mut drainer) = ring(1, 0);
            ring.push(0, &record(1)).expect("an empty ring has room");
            assert_eq!(ring.push(0, &record(2)), Err(Refused::Full));
            let (released, is_released) = loom::sync::mpsc::channel();
            let again = thread::spawn(move || {
                is_released.recv().unwrap();
                ring.push(0, &record(2)).expect("the slot was released");
            });
            let mut drained = Vec::new();
            round(&mut drainer, &mut drained);
            released.send(()).unwrap();
            again.join().unwrap();
            round(&mut drainer, &mut drained);
            assert_eq!(drained, [1, 2]);
        },
    );
}

#[test]
fn a_stale_view_of_the_claims_is_not_taken_for_a_full_ring() {
    explore(
        "nobody is refused because its view of the claims is older than that of the releases",
        THREE,
        || {
            let (ring, mut drainer) = ring(4, 0);
            // Three claims in all: nobody can see four slots in use.
            let two = producer(&ring, [1, 2]);
            let one = thread::spawn(move || {
                ring.push(0, &record(3)).expect("there is always room");
            });
            let mut drained = Vec::new();
            round(&mut drainer, &mut drained);
            assert_eq!(two.join().unwrap(), [1, 2]);
            one.join().unwrap();
            round(&mut drainer, &mut drained);
            assert_eq!(drained.len(), 3);
        },
    );
}
