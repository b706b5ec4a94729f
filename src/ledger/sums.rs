//! Sums that must agree however rows are spread: a row that is missing, stands
//! twice or is of another generation shows here, though it is sound in itself.

use super::row::counter::{LATENCY_COUNT, REQUESTS, TTFT_COUNT};
use super::{Row, RowKind};

/// Sums over a set of rows. Wrapping, so that rows can be taken out again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    requests: u64,
    latencies: u64,
    latencies_in_histograms: u64,
    ttfts: u64,
    ttfts_in_histograms: u64,
}

impl Sums {
    /// Records that the rows count.
    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn add(&mut self, row: &Row) {
        self.each(row, u64::wrapping_add);
    }

    pub(crate) fn remove(&mut self, row: &Row) {
        self.each(row, u64::wrapping_sub);
    }

    fn each(&mut self, row: &Row, op: impl Fn(u64, u64) -> u64) {
        let all = || {
            row.counters
                .iter()
                .fold(0, |sum: u64, n| sum.wrapping_add(*n))
        };
        match row.key.kind() {
            RowKind::Free => {}
            RowKind::Usage => {
                self.requests = op(self.requests, row.counters[REQUESTS]);
                self.latencies = op(self.latencies, row.counters[LATENCY_COUNT]);
                self.ttfts = op(self.ttfts, row.counters[TTFT_COUNT]);
            }
            RowKind::Latency => {
                self.latencies_in_histograms = op(self.latencies_in_histograms, all());
            }
            RowKind::Ttft => self.ttfts_in_histograms = op(self.ttfts_in_histograms, all()),
        }
    }

    /// What doesn't agree, with each other or with the `records` of a commit.
    pub(crate) fn disagreement(&self, records: u64) -> Option<String> {
        if self.requests != records {
            let rows = self.requests;
            return Some(format!(
                "the rows count {rows} records, the commit {records}"
            ));
        }
        [
            ("latencies", self.latencies, self.latencies_in_histograms),
            ("times to first token", self.ttfts, self.ttfts_in_histograms),
        ]
        .into_iter()
        .find(|(_, counted, in_histograms)| counted != in_histograms)
        .map(|(what, counted, in_histograms)| {
            format!("the rows count {counted} {what}, the histograms {in_histograms}")
        })
    }
}
