//! Every peer counts exactly what was recorded.

use std::thread;

use crate::event::{Ids, Key as _, Names, Totals, mix};
use crate::peer::{Row, Setup};
use crate::rows;

/// Two threads record, twice, less than a queue holds.
fn counts_all(row: &Row, held: bool) {
    let dir = tempfile::tempdir().unwrap();
    let peer = (row.make)(&Setup {
        held,
        dir: dir.path().to_owned(),
    });
    let events = mix();
    let events = &events[..row.burst.min(2000)];
    for round in 1..=2 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| peer.handle().record(events));
            }
        });
        peer.settle(2 * round * events.len() as u64);
    }
    let mut expected = Totals::default();
    for event in events.iter().cycle().take(4 * events.len()) {
        expected.add(event);
    }
    assert_eq!(peer.totals(), expected, "{}, held: {held}", row.name);
}

#[test]
fn every_peer_counts_all_events_in_bursts() {
    for row in rows() {
        counts_all(&row, true);
    }
}

#[test]
fn every_peer_counts_all_events_with_its_consumer_at_work() {
    for row in rows() {
        counts_all(&row, false);
    }
}

/// More than fits into any queue.
#[test]
fn every_peer_counts_more_than_fits() {
    for row in rows() {
        let dir = tempfile::tempdir().unwrap();
        let peer = (row.make)(&Setup {
            held: false,
            dir: dir.path().to_owned(),
        });
        let events = mix();
        let events = &events[..row.burst];
        let mut handle = peer.handle();
        for _ in 0..9 {
            handle.record(events);
        }
        peer.settle(9 * events.len() as u64);
        assert_eq!(
            peer.totals().requests,
            9 * events.len() as u64,
            "{}",
            row.name
        );
    }
}

#[test]
fn what_is_found_after_a_close_is_all() {
    for row in rows() {
        let Some(found) = row.found else { continue };
        let dir = tempfile::tempdir().unwrap();
        let peer = (row.make)(&Setup {
            held: false,
            dir: dir.path().to_owned(),
        });
        peer.handle().record(&mix()[..100]);
        peer.settle(100);
        drop(peer);
        assert_eq!(found(dir.path()), 100, "{}", row.name);
    }
}

#[test]
fn names_are_unique_since_children_go_by_them() {
    let mut names: Vec<_> = rows().iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows().len());
}

#[test]
fn ids_keep_apart_what_names_keep_apart() {
    for event in mix() {
        assert_eq!(Ids::of(&event).names(), Names::of(&event));
    }
}
