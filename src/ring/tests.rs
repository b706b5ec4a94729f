//! What a ring answers: where there is room, and when the consumer should be
//! woken.

use super::{Refused, Ring};
use crate::names::ModelId;
use crate::record::UsageRecord;

/// Slots of a shard.
const SLOTS: u64 = 16;
/// From here on the consumer is woken.
const HIGH_WATER: u64 = SLOTS / 2;

fn ring(shards: usize) -> Ring {
    Ring::in_memory(shards, SLOTS as usize).unwrap_or_else(|error| panic!("{error}"))
}

fn usage() -> UsageRecord {
    UsageRecord::new(ModelId::OTHER)
}

/// Slots in use of each shard.
fn held(ring: &Ring) -> Vec<u64> {
    ring.shards().iter().map(super::Shard::held).collect()
}

#[test]
fn a_shard_that_is_half_full_wakes_the_consumer() {
    let (ring, single) = (ring(1), ring(1));
    assert!(ring.is_owned() && !ring.is_pressed());
    for n in 1..=SLOTS {
        assert!(ring.has_room(0));
        assert_eq!(ring.try_push(0, &usage()), Some(n >= HIGH_WATER));
        assert_eq!(ring.is_pressed(), n >= HIGH_WATER);
        assert_eq!(single.push(0, &usage()), Ok(n >= HIGH_WATER));
    }
    assert!(!ring.has_room(0));
    assert_eq!(ring.try_push(0, &usage()), None);
    assert_eq!(ring.push(0, &usage()), Err(Refused::Full));
}

#[test]
fn a_batch_takes_what_room_there_is() {
    let ring = ring(1);
    assert_eq!(ring.push_batch(0, &[]), (0, false, None));
    assert_eq!(ring.push_batch(0, &[usage(); 7]), (7, false, None));
    assert_eq!(ring.push_batch(0, &[usage()]), (1, true, None));
    let full = Some(Refused::Full);
    assert_eq!(ring.push_batch(0, &[usage(); 20]), (8, true, full));
    assert_eq!(ring.push_batch(0, &[usage()]), (0, true, full));
}

#[test]
fn a_full_home_gives_way_to_all_others() {
    let ring = ring(4);
    for _ in 0..SLOTS {
        ring.push(1, &usage()).unwrap();
    }
    assert_eq!(held(&ring), [0, 16, 0, 0]);
    for n in 1..=3 * SLOTS {
        assert_eq!(ring.push(1, &usage()), Ok(true));
        assert_eq!(ring.held(), SLOTS + n);
    }
    assert_eq!(held(&ring), [16; 4]);
    assert_eq!(ring.push(1, &usage()), Err(Refused::Full));
}

#[test]
fn a_batch_goes_on_in_the_next_shards() {
    let ring = ring(4);
    assert_eq!(ring.push_batch(3, &[usage(); 50]), (50, true, None));
    assert_eq!(held(&ring), [16, 16, 2, 16]);
    let full = Some(Refused::Full);
    assert_eq!(ring.push_batch(3, &[usage(); 20]), (14, true, full));
}

/// Threads have numbers of any size.
#[test]
fn every_home_has_its_shard() {
    for home in [0, 1, 2, 3, 6, 63, 64, 65, 127, 128, usize::MAX >> 1] {
        let ring = ring(4);
        for _ in 0..HIGH_WATER - 2 {
            assert_eq!(ring.try_push(home, &usage()), Some(false));
        }
        assert_eq!(ring.push(home, &usage()), Ok(false));
        assert_eq!(ring.push_batch(home, &[usage()]), (1, true, None));
        let mut expected = [0; 4];
        expected[home % 4] = HIGH_WATER;
        assert_eq!(held(&ring), expected, "home {home}");
        assert!(ring.has_room(home));
        ring.push_batch(home, &[usage(); 8]);
        assert!(!ring.has_room(home));
        assert_eq!(ring.push(home, &usage()), Ok(true));
    }
}

#[test]
fn a_closed_ring_takes_nothing() {
    let ring = ring(2);
    assert!(!ring.is_closed());
    ring.close();
    assert!(ring.is_closed() && ring.is_owned());
    assert!(!ring.has_room(0));
    assert_eq!(ring.try_push(0, &usage()), None);
    assert_eq!(ring.push(0, &usage()), Err(Refused::Closed));
    let closed = Some(Refused::Closed);
    assert_eq!(ring.push_batch(0, &[usage()]), (0, false, closed));
    assert_eq!(held(&ring), [0, 0]);
}

#[test]
fn a_ring_goes_on_from_what_was_claimed_on_it() {
    let ring = ring(2);
    ring.push(0, &usage()).unwrap();
    for (committed, goes_on) in [
        (&[0, 0][..], true),
        (&[1, 0], true),
        (&[1, 1], false),
        (&[2, 0], false),
        (&[0], false),
        (&[0, 0, 0, 0], false),
    ] {
        assert_eq!(ring.goes_on_from(committed), goes_on, "{committed:?}");
    }
}
