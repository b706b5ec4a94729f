//! A snapshot seen from several sides must add up to the same.

use std::time::Duration;

use quipu::{Recorder, Snapshot, TokenKind, Totals, UsageRecord};

/// Checks that days, models, providers, tenants and rows each add up to the
/// total, and gives the total.
pub(crate) fn check(snapshot: &Snapshot) -> Totals {
    let total = snapshot.total();
    let sum = |totals: Vec<Totals>| {
        let mut sum = Totals::default();
        for part in &totals {
            sum.merge(part);
        }
        sum
    };
    let by_day = snapshot.by_day().into_iter().map(|of| of.totals);
    let by_model = snapshot.by_model().into_iter().map(|of| of.totals);
    let by_provider = snapshot.by_provider().into_iter().map(|of| of.totals);
    assert_eq!(sum(by_day.collect()), total, "days");
    assert_eq!(sum(by_model.collect()), total, "models");
    assert_eq!(sum(by_provider.collect()), total, "providers");

    let mut without_histograms = total.clone();
    without_histograms.latency.histogram = Default::default();
    without_histograms.time_to_first_token.histogram = Default::default();
    let by_tenant = snapshot.by_tenant().into_iter().map(|of| of.totals);
    let rows = snapshot.rows().into_iter().map(|of| of.totals);
    assert_eq!(sum(by_tenant.collect()), without_histograms, "tenants");
    assert_eq!(sum(rows.collect()), without_histograms, "rows");

    assert_eq!(total.outcomes.iter().sum::<u64>(), total.requests);
    assert_eq!(total.outcomes[1..].iter().sum::<u64>(), total.errors);
    assert_eq!(total.latency.histogram.count(), total.latency.count);
    let ttft = &total.time_to_first_token;
    assert_eq!(ttft.histogram.count(), ttft.count);
    total
}

/// A record with 1 token of input and 2 of output.
pub(crate) fn one_two(recorder: &Recorder, model: &str, tenant: &str) -> UsageRecord {
    UsageRecord::new(recorder.model("provider", model).unwrap())
        .tenant(recorder.tenant(tenant).unwrap())
        .tokens(TokenKind::Input, 1)
        .tokens(TokenKind::Output, 2)
        .latency(Duration::from_millis(3))
}

/// The same as [`check`] for records that are all [`one_two`].
pub(crate) fn check_one_two(snapshot: &Snapshot) -> u64 {
    let total = check(snapshot);
    for row in snapshot.rows() {
        assert_eq!(row.totals.token(TokenKind::Input), row.totals.requests);
        assert_eq!(row.totals.token(TokenKind::Output), 2 * row.totals.requests);
    }
    total.requests
}
