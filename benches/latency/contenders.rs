//! What is measured: the same 56 bytes put into quipu and into a queue, and
//! two floors.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;
use quipu::{Recorder, UsageRecord};

use crate::common::NEVER;

pub(crate) trait Contender: Sync {
    const NAME: &'static str;
    /// What one thread has for itself.
    type Own: Send;

    fn own(&self) -> Self::Own;

    /// The call; `false` where it was refused for want of room.
    fn call(&self, own: &mut Self::Own) -> bool;

    /// Has what was put in taken out, while `work` runs.
    fn consumed<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        work()
    }
}

#[derive(Debug)]
pub(crate) struct Record<'a>(pub(crate) &'a Recorder, pub(crate) UsageRecord);

impl Contender for Record<'_> {
    const NAME: &'static str = "record()";
    type Own = ();

    fn own(&self) {}

    #[inline(always)]
    fn call(&self, (): &mut ()) -> bool {
        self.0.record(black_box(self.1)).is_ok()
    }

    fn consumed<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let result = work();
        self.0.flush(NEVER).unwrap();
        result
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    queue: ArrayQueue<UsageRecord>,
    usage: UsageRecord,
    /// How long its consumer sleeps when it has taken all there is.
    nap: Duration,
}

impl Queue {
    pub(crate) fn new(usage: UsageRecord, slots: usize, nap: Duration) -> Self {
        let queue = ArrayQueue::new(slots);
        // As the recorder's ring: no page is touched for the first time later.
        while queue.push(usage).is_ok() {}
        while queue.pop().is_some() {}
        Self { queue, usage, nap }
    }
}

impl Contender for Queue {
    const NAME: &'static str = "ArrayQueue::push";
    type Own = ();

    fn own(&self) {}

    #[inline(always)]
    fn call(&self, (): &mut ()) -> bool {
        self.queue.push(black_box(self.usage)).is_ok()
    }

    /// A thread that takes all there is and naps, and has nothing to add up.
    fn consumed<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let consumer = scope.spawn(|| {
                loop {
                    let last = is_over.load(Ordering::Acquire);
                    while let Some(usage) = self.queue.pop() {
                        black_box(usage);
                    }
                    if last {
                        return;
                    }
                    thread::park_timeout(self.nap);
                }
            });
            let result = work();
            is_over.store(true, Ordering::Release);
            consumer.thread().unpark();
            result
        })
    }
}

/// An atomic addition to a word that only this thread uses.
#[derive(Debug)]
pub(crate) struct FetchAdd;

impl Contender for FetchAdd {
    const NAME: &'static str = "fetch_add, uncontended";
    type Own = Box<CachePadded<AtomicU64>>;

    fn own(&self) -> Self::Own {
        Box::default()
    }

    #[inline(always)]
    fn call(&self, own: &mut Self::Own) -> bool {
        own.fetch_add(1, Ordering::Relaxed);
        true
    }
}

/// A sequence word and the record, copied to a line that only this thread
/// uses.
#[derive(Debug)]
pub(crate) struct Copy64(pub(crate) UsageRecord);

impl Contender for Copy64 {
    const NAME: &'static str = "copy of 64 bytes to an own line";
    type Own = Box<CachePadded<(u64, UsageRecord)>>;

    fn own(&self) -> Self::Own {
        Box::new(CachePadded::new((0, self.0)))
    }

    #[inline(always)]
    fn call(&self, own: &mut Self::Own) -> bool {
        ***own = (1, black_box(self.0));
        black_box(own);
        true
    }
}

/// Nothing: what the clock takes.
#[derive(Debug)]
pub(crate) struct Alone;

impl Contender for Alone {
    const NAME: &'static str = "the clock alone (not taken off)";
    type Own = ();

    fn own(&self) {}

    #[inline(always)]
    fn call(&self, (): &mut ()) -> bool {
        true
    }
}
