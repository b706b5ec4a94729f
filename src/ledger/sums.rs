//! Sums that must agree by what rows mean: what `verify` looks at besides
//! checksums and the digest, which a writer with an error in it would get right.

use super::row::counter::{LATENCY_COUNT, REQUESTS, TTFT_COUNT};
use super::{Row, RowKey, RowKind};

/// Sums over a set of rows, wrapping.
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
        let add = |to: &mut u64, n: u64| *to = to.wrapping_add(n);
        let all = row
            .counters
            .iter()
            .fold(0, |sum: u64, n| sum.wrapping_add(*n));
        match row.key.kind() {
            RowKind::Free => {}
            // What was recovered needn't agree: see `of_salvaged`.
            RowKind::Salvaged => {
                let take = |from: &mut u64, n: usize| *from = from.wrapping_sub(row.counters[n]);
                take(&mut self.latencies, 0);
                take(&mut self.latencies_in_histograms, 1);
                take(&mut self.ttfts, 2);
                take(&mut self.ttfts_in_histograms, 3);
            }
            RowKind::Usage => {
                add(&mut self.requests, row.counters[REQUESTS]);
                add(&mut self.latencies, row.counters[LATENCY_COUNT]);
                add(&mut self.ttfts, row.counters[TTFT_COUNT]);
            }
            RowKind::Latency => add(&mut self.latencies_in_histograms, all),
            RowKind::Ttft => add(&mut self.ttfts_in_histograms, all),
        }
    }

    /// The mark of a file whose rows add up to this: some of its rows may be
    /// lost, so rows and histograms need not agree, and are left out.
    pub(crate) fn of_salvaged(&self, mark: RowKey) -> Row {
        let mut row = Row::new(mark);
        row.counters[..4].copy_from_slice(&[
            self.latencies,
            self.latencies_in_histograms,
            self.ttfts,
            self.ttfts_in_histograms,
        ]);
        row
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
