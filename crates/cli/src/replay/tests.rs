//! The pieces between the trace and the recorder.

use std::collections::BinaryHeap;
use std::time::{Duration, UNIX_EPOCH};

use crossbeam_channel::unbounded;
use quipu::{Outcome, Recorder, TokenKind, UsageRecord};

use super::batch::{BATCH, Batch};
use super::draft::Chunker;
use super::gauge::Gauge;
use super::names::Names;
use super::pace::{Due, Pace};
use super::producers::produce;
use super::stop::Stop;
use super::target::{Cleanup, Target};
use crate::signals::Signal;
use crate::trace::Event;

const TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn a_full_ring_is_waited_for_and_nothing_is_dropped() {
    // A ring of a few slots, so that producers are faster than any consumer.
    let recorder = Recorder::builder()
        .shards(1)
        .shard_capacity(64)
        .in_memory()
        .unwrap();
    let record = UsageRecord::new(recorder.model("p", "m").unwrap()).tokens(TokenKind::Input, 1);
    let (batches, work) = unbounded();
    for _ in 0..8 {
        batches.send(Batch::from(vec![record; BATCH])).unwrap();
    }
    drop(batches);
    let gauge = Gauge::default();
    let (stop, _setter) = Stop::new();
    let produced = produce(&recorder, &work, &gauge, &stop);
    let stats = recorder.close(TIMEOUT).unwrap();
    let records = 8 * BATCH as u64;
    assert_eq!(produced.records, records);
    assert_eq!(gauge.recorded(), records);
    assert_eq!(
        (stats.accepted, stats.committed, stats.in_ring),
        (records, records, 0)
    );
    // Each wait began with one refusal.
    assert!(produced.waits > 0);
    assert_eq!(stats.rejected_full, produced.waits);
    assert_eq!(recorder.snapshot().total().tokens[0], records);
}

#[test]
fn producers_stop_when_told_and_when_refused() {
    let recorder = Recorder::in_memory();
    let record = UsageRecord::new(recorder.model("p", "m").unwrap());
    let play = |stop: &Stop| {
        let (batches, work) = unbounded();
        batches.send(Batch::from(vec![record; 10])).unwrap();
        drop(batches);
        produce(&recorder, &work, &Gauge::default(), stop)
    };
    let (stop, setter) = Stop::new();
    assert_eq!(play(&stop).records, 10);
    recorder.close(TIMEOUT).unwrap();
    let refused = play(&stop);
    assert_eq!((refused.records, refused.is_refused), (0, true));
    setter.set(Signal::Interrupt);
    let stopped = play(&stop);
    assert_eq!((stopped.records, stopped.is_refused), (0, false));
}

#[test]
fn sleepers_wake_at_the_stop() {
    let (stop, setter) = Stop::new();
    assert!(stop.sleep(Duration::from_millis(1)));
    let sleeper = std::thread::spawn(move || stop.sleep(Duration::MAX));
    setter.set(Signal::Interrupt);
    assert!(!sleeper.join().unwrap());
}

#[test]
fn the_earliest_is_due_first() {
    let model = Recorder::in_memory().model("p", "m").unwrap();
    let mut window: BinaryHeap<Due> = [5, 1, 9, 3]
        .map(|at| Due::new(at, UsageRecord::new(model)))
        .into();
    let order: Vec<u64> = std::iter::from_fn(|| window.pop())
        .map(|due| due.at)
        .collect();
    assert_eq!(order, [1, 3, 5, 9]);
}

#[test]
fn the_pace_is_the_traces_own() {
    let hour = 3_600_000_000_000;
    let pace = Pace::new(10 * hour, 60.0);
    let wait = pace.wait(11 * hour);
    assert!(wait <= Duration::from_secs(60), "{wait:?}");
    assert!(pace.wait(34 * hour) > Duration::from_secs(23 * 60));
    assert_eq!(pace.wait(10 * hour), Duration::ZERO);
    // What is late goes out at once.
    assert_eq!(pace.wait(0), Duration::ZERO);
}

/// The records that become of these calls.
fn records(names: &mut Names, events: &[Event<'_>]) -> Vec<UsageRecord> {
    let mut chunker = Chunker::default();
    events.iter().for_each(|event| chunker.push(event));
    assert_eq!(chunker.len(), events.len());
    let chunk = chunker.take();
    assert_eq!(chunker.len(), 0);
    let records = names.records(&chunk).unwrap();
    records.map(|(_, record)| record).collect()
}

#[test]
fn events_become_records_with_what_they_have() {
    let recorder = Recorder::in_memory();
    let mut names = Names::new(recorder.clone());
    let mut event = Event::new(7, "p", "m");
    event.tokens[TokenKind::CacheRead.index()] = Some(0);
    let mut other = event.clone();
    other.tenant = "t".into();
    let both = records(&mut names, &[event.clone(), other.clone()]);
    let record = both[0];
    assert_eq!(record.reported(TokenKind::CacheRead), Some(0));
    assert_eq!(record.reported(TokenKind::Input), None);
    assert_eq!(record.tenant_id(), quipu::TenantId::NONE);
    assert_eq!(record.model_id(), recorder.model("p", "m").unwrap());
    assert_eq!(both[1].model_id(), record.model_id());
    assert_eq!(both[1].tenant_id(), recorder.tenant("t").unwrap());
    // The next chunk has lists of its own.
    assert_eq!(records(&mut names, &[other]), both[1..]);
}

#[test]
fn every_field_of_a_call_gets_into_its_record() {
    let recorder = Recorder::in_memory();
    let mut event = Event::new(7, "p", "m");
    event.tokens = [1, 2, 3, 4, 5, u64::MAX].map(Some);
    event.cost_nanos = Some(u64::MAX);
    event.latency = Some(Duration::from_micros(8));
    event.time_to_first_token = Some(Duration::from_micros(9));
    event.outcome = Outcome::Filtered;
    event.streamed = true;
    event.estimated = true;
    let made = records(&mut Names::new(recorder.clone()), &[event]);
    let mut expected = UsageRecord::new(recorder.model("p", "m").unwrap())
        .at(UNIX_EPOCH + Duration::from_nanos(7))
        .cost_nanos(u64::MAX)
        .latency(Duration::from_micros(8))
        .time_to_first_token(Duration::from_micros(9))
        .outcome(Outcome::Filtered)
        .streamed(true)
        .estimated(true);
    for (kind, tokens) in TokenKind::ALL.into_iter().zip([1, 2, 3, 4, 5, u64::MAX]) {
        expected = expected.tokens(kind, tokens);
    }
    assert!(expected.is_saturated());
    assert_eq!(made, [expected]);
}

#[test]
fn names_beyond_the_limits_are_not_kept() {
    let recorder = Recorder::builder().max_tenants(3).in_memory().unwrap();
    let mut names = Names::new(recorder.clone());
    for index in 0..10 {
        let mut event = Event::new(1, "p", "m");
        event.tenant = format!("t{index}").into();
        for record in records(&mut names, &[event]) {
            recorder.record(record).unwrap();
        }
    }
    recorder.close(TIMEOUT).unwrap();
    let snapshot = recorder.snapshot();
    assert_eq!(snapshot.total().requests, 10);
    assert!(
        snapshot
            .by_tenant()
            .iter()
            .any(|tenant| tenant.tenant == quipu::OTHER)
    );
}

#[test]
fn who_cannot_wait_leaves_nothing_behind() {
    let cleanup = Cleanup::default();
    let target = Target::open(None, cleanup.clone()).unwrap();
    let store = target.path.clone();
    assert!(store.join("aggregate").exists());
    cleanup.run();
    assert!(!store.exists() && store.parent().is_some_and(|parent| !parent.exists()));
    assert!(target.recorder.flush(TIMEOUT).is_err(), "it is closed");
    target.end().unwrap();
}
