//! Threads that record until all is committed.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use quipu::{Recorder, UsageRecord};

use super::NEVER;

/// Millions of records per second, from the first call until all are
/// committed. `batch` records go into one call, one of them into `record()`;
/// what a full ring refused is recorded again with a wait.
pub(crate) fn end_to_end(
    recorder: &Recorder,
    records: &[UsageRecord],
    threads: usize,
    batch: usize,
    count: usize,
) -> f64 {
    let each = count / threads;
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let calls = records.chunks_exact(batch).cycle().take(each / batch);
                for call in calls {
                    let accepted = match call {
                        [usage] => usize::from(recorder.record(black_box(*usage)).is_ok()),
                        call => recorder.record_batch(black_box(call)),
                    };
                    for usage in &call[accepted..] {
                        recorder.record_timeout(black_box(*usage), NEVER).unwrap();
                    }
                }
            });
        }
    });
    recorder.flush(NEVER).unwrap();
    let recorded = each / batch * batch * threads;
    recorded as f64 / 1e6 / start.elapsed().as_secs_f64()
}
