//! Folding: one record into its rows, mostly by way of an accumulator.

use super::accumulator::Accumulator;
use super::{COUNTERS, Ledger, RowKey, RowKind};
use crate::bucket::BucketIndex;
use crate::record::{UsageRecord, flag};
use crate::totals::bucket_of;

impl Ledger {
    /// Counts one record. `now` (nanoseconds since 1970) stands for a time
    /// that the record does not have.
    // Always: in the drain's loop it takes a fifth fewer instructions.
    #[inline(always)]
    pub(crate) fn fold(&mut self, record: &UsageRecord, now: u64) {
        let at = if record.at == 0 { now } else { record.at };
        self.records += 1;
        if !self.current.holds(at) {
            self.fold_stray(record, at);
        } else if !self.current.add(record) {
            self.fold_newcomer(record);
        }
    }

    /// A record of another bucket than the current one.
    #[cold]
    #[inline(never)]
    fn fold_stray(&mut self, record: &UsageRecord, at: u64) {
        if self.current.strayed(self.records) {
            self.gather();
            self.current.move_to(at, self.width);
            self.fold_newcomer(record);
        } else {
            self.fold_alone(record, BucketIndex::of(at, self.width));
        }
    }

    /// A record of the current bucket that no accumulator takes: there is none
    /// for it, it is full, or the record has an extraordinary cost.
    #[cold]
    #[inline(never)]
    fn fold_newcomer(&mut self, record: &UsageRecord) {
        if self.current.is_overdue(self.records) {
            self.gather();
        }
        let Some(distribution) = self.current.distribution(record.model) else {
            self.fold_alone(record, self.current.bucket());
            return;
        };
        let key = RowKey::usage(self.current.bucket(), record.model, record.tenant);
        let row = self.number(key);
        if let Some(displaced) = self.current.install(record, row, distribution) {
            self.settle_into_row(displaced);
        }
        if !self.current.add(record) {
            self.fold_alone(record, self.current.bucket());
        }
    }

    /// Brings all that was counted into rows. Before anybody looks at them.
    pub(super) fn gather(&mut self) {
        if self.current.is_empty() {
            return;
        }
        self.gather_accumulators();
        let bucket = self.current.bucket();
        let (mut distributions, used) = self.current.take_distributions();
        for distribution in &mut distributions[..used] {
            let model = distribution.model;
            distribution.empty(|kind, segment, counts| {
                let row = self.row(RowKey::histogram(kind, bucket, model, segment));
                for (counter, n) in counts.iter().enumerate() {
                    row.add(counter, u64::from(*n));
                }
            });
        }
        self.current.put_back(distributions, self.records);
    }

    /// Brings accumulators into their rows, whose numbers are about to change.
    pub(super) fn gather_accumulators(&mut self) {
        while let Some(accumulator) = self.current.take_accumulator() {
            self.settle_into_row(accumulator);
        }
    }

    fn settle_into_row(&mut self, mut accumulator: Accumulator) {
        accumulator.empty_into(self.touch(accumulator.row));
    }

    /// Counts one record in its rows.
    fn fold_alone(&mut self, record: &UsageRecord, bucket: BucketIndex) {
        let mut alone = Accumulator::IDLE;
        alone.add(record);
        alone.empty_into(self.row(RowKey::usage(bucket, record.model, record.tenant)));
        for (kind, flag, us) in [
            (RowKind::Latency, flag::HAS_LATENCY, record.latency_us),
            (RowKind::Ttft, flag::HAS_TTFT, record.ttft_us),
        ] {
            if record.has(flag) {
                let at = bucket_of(us);
                let key = RowKey::histogram(kind, bucket, record.model, at / COUNTERS);
                self.row(key).add(at % COUNTERS, 1);
            }
        }
    }
}
