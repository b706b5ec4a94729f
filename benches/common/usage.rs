//! Recorders and records.

use std::time::Duration;

use quipu::{Builder, Recorder, TokenKind, UsageRecord};

use super::{CAPACITY, NEVER};

/// A recorder whose consumer sleeps unless it is asked, or a shard is half full.
pub(crate) fn quiet() -> Builder {
    Recorder::builder()
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
}

/// The same, with two shards.
pub(crate) fn lazy() -> Builder {
    quiet().shards(2).shard_capacity(CAPACITY)
}

pub(crate) fn recorder() -> Recorder {
    lazy().in_memory().unwrap()
}

pub(crate) fn usage(recorder: &Recorder) -> UsageRecord {
    UsageRecord::new(recorder.model("openai", "gpt-4o").unwrap())
        .tenant(recorder.tenant("acme").unwrap())
        .tokens(TokenKind::Input, 812)
        .tokens(TokenKind::Output, 143)
        .cost_nanos(4_110_000)
        .latency(Duration::from_millis(730))
        .time_to_first_token(Duration::from_millis(180))
        .at(std::time::SystemTime::now())
}

/// A mix such as a gateway sees: 8 models, 32 tenants, spread latencies.
pub(crate) fn mix(recorder: &Recorder) -> Vec<UsageRecord> {
    let usage = usage(recorder);
    (0..4096u64)
        .map(|n| {
            let model = recorder.model("openai", &format!("model {}", n % 8));
            let tenant = recorder.tenant(&format!("tenant {}", n * n % 32));
            let with = UsageRecord::new(model.unwrap())
                .tenant(tenant.unwrap())
                .tokens(TokenKind::Input, n)
                .tokens(TokenKind::Output, n / 4)
                .cost_nanos(n * 1000)
                .latency(Duration::from_micros(200_000 + n * n % 3_000_000))
                .time_to_first_token(Duration::from_micros(100_000 + n * 91 % 300_000))
                .at(std::time::SystemTime::now());
            // One in four is like the one before it, as in a busy session.
            if n % 4 == 0 { usage } else { with }
        })
        .collect()
}

/// Records each of which has a row of its own: ten days, then up to ten
/// models, then tenants. No histograms.
pub(crate) fn spread(recorder: &Recorder, rows: usize) -> Vec<UsageRecord> {
    let models: Vec<_> = (0..10)
        .map(|n| recorder.model("openai", &format!("model {n}")).unwrap())
        .collect();
    let tenants: Vec<_> = (0..rows.div_ceil(100))
        .map(|n| recorder.tenant(&format!("tenant {n}")).unwrap())
        .collect();
    (0..rows)
        .map(|n| {
            let day = 1_700_000_000 + 86_400 * (n as u64 % 10);
            UsageRecord::new(models[n / 10 % 10])
                .tenant(tenants[n / 100])
                .tokens(TokenKind::Input, 812)
                .tokens(TokenKind::Output, 143)
                .cost_nanos(4_110_000)
                .at(std::time::UNIX_EPOCH + Duration::from_secs(day))
        })
        .collect()
}
