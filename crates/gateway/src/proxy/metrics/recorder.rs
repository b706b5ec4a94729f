//! What the recorder says of itself.

use quipu::Stats;

use super::text::{Kind, Text};

pub(super) fn write(text: &mut Text, stats: &Stats) {
    let counters = [
        (
            "quipu_records_attempted",
            "Records that were handed to the recorder.",
            stats.attempted,
        ),
        (
            "quipu_records_accepted",
            "Records that were accepted; each is counted once.",
            stats.accepted,
        ),
        (
            "quipu_records_committed",
            "Records that are counted in the store.",
            stats.committed,
        ),
        (
            "quipu_records_lost",
            "Records that were accepted and can't be counted any more.",
            stats.lost,
        ),
        (
            "quipu_names_refused",
            "Calls that got no name of their own, for the limits on names.",
            stats.names_refused,
        ),
        ("quipu_flushes", "Commits with new records.", stats.flushes),
        (
            "quipu_consumer_restarts",
            "Panics of the consumer that counting went on after.",
            stats.restarts,
        ),
    ];
    for (name, help, value) in counters {
        text.family(Kind::Counter, name, "", help);
        text.value(&[], value);
    }
    let help = "Records that were not accepted.";
    text.family(Kind::Counter, "quipu_records_rejected", "", help);
    text.value(&[("reason", "full")], stats.rejected_full);
    text.value(&[("reason", "closed")], stats.rejected_closed);
    let gauges = [
        (
            "quipu_records_in_ring",
            "Records that are accepted and not committed yet.",
            stats.in_ring,
        ),
        (
            "quipu_records_unwritten",
            "Records that are counted in memory only.",
            stats.unwritten,
        ),
        (
            "quipu_ring_capacity",
            "Records that the ring holds.",
            stats.ring_capacity,
        ),
        (
            "quipu_ring_high_water",
            "The most records that the ring has held.",
            stats.ring_high_water,
        ),
        (
            "quipu_generation",
            "Number of the last commit.",
            stats.generation,
        ),
        ("quipu_rows", "Rows of the store.", stats.rows),
        (
            "quipu_models",
            "Models with a name of their own.",
            stats.models,
        ),
        (
            "quipu_tenants",
            "Tenants with a name of their own.",
            stats.tenants,
        ),
        (
            "quipu_degraded",
            "1 while something keeps the store from being written as it should.",
            u64::from(stats.degraded.is_some()),
        ),
    ];
    for (name, help, value) in gauges {
        text.family(Kind::Gauge, name, "", help);
        text.value(&[], value);
    }
    let name = "quipu_commit_duration_seconds";
    text.family(
        Kind::Gauge,
        name,
        "seconds",
        "How long the last commit took.",
    );
    text.value(&[], stats.commit_last.as_secs_f64());
}
