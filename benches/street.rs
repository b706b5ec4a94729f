//! The stations of a record's way, one by one, under criterion.
//!
//! For comparisons use `cargo bench --bench table`, which runs what it
//! compares in turn.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "common/spin_barrier.rs"]
mod spin_barrier;

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group};
use crossbeam_queue::ArrayQueue;
use quipu::{Reader, Recorder, TokenKind, UsageRecord};
use spin_barrier::SpinBarrier;

const NEVER: Duration = Duration::from_secs(3600);
const CAPACITY: usize = 1 << 16;
const BURST: u64 = 1 << 14;

/// The variable that tells a child which store to leave a full ring of.
const CHILD: &str = "QUIPU_BENCH_FULL_RING";

fn recorder() -> Recorder {
    Recorder::builder()
        .shards(2)
        .shard_capacity(CAPACITY)
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
        .in_memory()
        .unwrap()
}

fn usage(recorder: &Recorder) -> UsageRecord {
    UsageRecord::new(recorder.model("openai", "gpt-4o").unwrap())
        .tokens(TokenKind::Input, 812)
        .tokens(TokenKind::Output, 143)
        .cost_nanos(4_110_000)
        .latency(Duration::from_millis(730))
        .at(std::time::SystemTime::now())
}

/// Times `iterations` calls of `one` in bursts that fit, with `between` after
/// each burst and outside the clock.
fn in_bursts(iterations: u64, mut one: impl FnMut(), mut between: impl FnMut()) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let burst = left.min(BURST);
        let start = Instant::now();
        for _ in 0..burst {
            one();
        }
        total += start.elapsed();
        between();
        left -= burst;
    }
    total
}

fn record(c: &mut Criterion) {
    let mut group = c.benchmark_group("record");
    group.throughput(Throughput::Elements(1));
    let recorder = recorder();
    let usage = usage(&recorder);
    group.bench_function("quipu", |b| {
        b.iter_custom(|iterations| {
            in_bursts(
                iterations,
                || recorder.record(black_box(usage)).unwrap(),
                || recorder.flush(NEVER).unwrap(),
            )
        });
    });
    let queue = ArrayQueue::new(CAPACITY);
    group.bench_function("ArrayQueue", |b| {
        b.iter_custom(|iterations| {
            in_bursts(
                iterations,
                || queue.push(black_box(usage)).unwrap(),
                || while queue.pop().is_some() {},
            )
        });
    });
    group.finish();
}

fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("record, two threads");
    group.throughput(Throughput::Elements(2));
    let recorder = recorder();
    let usage = usage(&recorder);
    let queue = ArrayQueue::new(CAPACITY);
    let both = |push: &(dyn Fn() + Sync)| {
        let barrier = SpinBarrier::new(2);
        let work = || {
            barrier.wait();
            let start = Instant::now();
            for _ in 0..BURST {
                push();
            }
            start.elapsed()
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(work);
            work().max(other.join().unwrap())
        })
    };
    let scaled = |iterations: u64, mut round: Box<dyn FnMut() -> Duration + '_>| {
        let rounds = iterations.div_ceil(BURST);
        let total: Duration = (0..rounds).map(|_| round()).sum();
        total.mul_f64(iterations as f64 / (rounds * BURST) as f64)
    };
    group.bench_function("quipu", |b| {
        b.iter_custom(|iterations| {
            scaled(
                iterations,
                Box::new(|| {
                    let took = both(&|| recorder.record(black_box(usage)).unwrap());
                    recorder.flush(NEVER).unwrap();
                    took
                }),
            )
        });
    });
    group.bench_function("ArrayQueue", |b| {
        b.iter_custom(|iterations| {
            scaled(
                iterations,
                Box::new(|| {
                    let took = both(&|| queue.push(black_box(usage)).unwrap());
                    while queue.pop().is_some() {}
                    took
                }),
            )
        });
    });
    group.finish();
}

fn drain_and_fold(c: &mut Criterion) {
    let mut group = c.benchmark_group("drain, fold and commit");
    group.throughput(Throughput::Elements(1));
    let recorder = recorder();
    let batch = vec![usage(&recorder); BURST as usize];
    group.bench_function("one row", |b| {
        b.iter_custom(|iterations| {
            let rounds = iterations.div_ceil(BURST);
            let mut total = Duration::ZERO;
            for _ in 0..rounds {
                assert_eq!(recorder.record_batch(&batch), batch.len());
                let start = Instant::now();
                recorder.flush(NEVER).unwrap();
                total += start.elapsed();
            }
            total.mul_f64(iterations as f64 / (rounds * BURST) as f64)
        });
    });
    group.finish();
}

fn rows(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("usage.quipu");
    let recorder = Recorder::builder()
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
        .open(&path)
        .unwrap();
    let usage = usage(&recorder);
    let records: Vec<_> = (0..10_000)
        .map(|n| usage.tenant(recorder.tenant(&format!("tenant {n}")).unwrap()))
        .collect();
    let record = |every: usize| {
        for usage in records.iter().step_by(every) {
            recorder.record_timeout(*usage, NEVER).unwrap();
        }
    };
    record(1);
    recorder.flush(NEVER).unwrap();

    c.bench_function("flush with one changed row", |b| {
        b.iter(|| {
            recorder.record(usage).unwrap();
            recorder.flush(NEVER).unwrap();
        });
    });
    c.bench_function("flush with 100 of 10000 rows changed", |b| {
        b.iter(|| {
            record(100);
            recorder.flush(NEVER).unwrap();
        });
    });
    c.bench_function("snapshot", |b| b.iter(|| black_box(recorder.snapshot())));
    c.bench_function("report of 10000 rows", |b| {
        b.iter(|| {
            let reader = Reader::open(&path).unwrap();
            black_box(reader.snapshot().unwrap().by_tenant()).len()
        });
    });
    recorder.close(NEVER).unwrap();
    c.bench_function("open and close, 10000 rows", |b| {
        b.iter(|| Recorder::open(&path).unwrap().close(NEVER).unwrap());
    });
}

fn recovery(c: &mut Criterion) {
    let mut group = c.benchmark_group("recovery");
    group.throughput(Throughput::Elements(CAPACITY as u64));
    // Each iteration takes a process.
    group.sample_size(10);
    group.bench_function("full ring", |b| {
        b.iter_custom(|iterations| (0..iterations).map(|_| recover()).sum());
    });
    group.finish();
}

/// Opens a store whose writer died with a full ring.
fn recover() -> Duration {
    for _ in 0..100 {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("usage.quipu");
        let mut child = Command::new(std::env::current_exe().unwrap());
        let ended = child.env(CHILD, &store).status().unwrap();
        assert!(ended.signal().is_some(), "the child was to die: {ended}");
        let start = Instant::now();
        let recorder = Recorder::open(&store).unwrap();
        let took = start.elapsed();
        // A full ring wakes the consumer: it may have committed some of it
        // before the child was dead.
        if recorder.stats().replayed == CAPACITY as u64 {
            return took;
        }
    }
    panic!("no child died fast enough");
}

fn fill_and_die(store: &Path) -> ! {
    let recorder = Recorder::builder()
        .shards(1)
        .shard_capacity(CAPACITY)
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
        .open(store)
        .unwrap();
    let usages: Vec<_> = (0..CAPACITY as u64)
        .map(|n| {
            let model = recorder.model("openai", &format!("model {}", n % 16));
            UsageRecord::new(model.unwrap())
                .tokens(TokenKind::Input, n)
                .latency(Duration::from_micros(n))
                .at(std::time::SystemTime::now())
        })
        .collect();
    assert_eq!(recorder.record_batch(&usages), CAPACITY);
    std::process::abort();
}

criterion_group!(street, record, two_threads, drain_and_fold, rows, recovery);

fn main() {
    if let Some(store) = std::env::var_os(CHILD) {
        fill_and_die(Path::new(&store));
    }
    street();
    Criterion::default().configure_from_args().final_summary();
}
