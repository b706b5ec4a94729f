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

/// A mix such as a gateway sees: 8 models, 32 tenants, each of the 256 pairs
/// about as often as any other, in no order; spread latencies. One in four is
/// like the one before it, as in a busy session.
pub(crate) fn mix(recorder: &Recorder) -> Vec<UsageRecord> {
    let mut chance = 1u64;
    let mut records = Vec::<UsageRecord>::with_capacity(4096);
    for n in 0..4096u64 {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005) + 1;
        let [pick, again] = [chance >> 33 & 0xff, chance >> 61];
        if let (0 | 1, Some(last)) = (again, records.last()) {
            records.push(*last);
            continue;
        }
        let model = recorder.model("openai", &format!("model {}", pick % 8));
        let tenant = recorder.tenant(&format!("tenant {}", pick / 8));
        let with = UsageRecord::new(model.unwrap())
            .tenant(tenant.unwrap())
            .tokens(TokenKind::Input, n)
            .tokens(TokenKind::Output, n / 4)
            .cost_nanos(n * 1000)
            .latency(Duration::from_micros(200_000 + n * n % 3_000_000))
            .time_to_first_token(Duration::from_micros(100_000 + n * 91 % 300_000))
            .at(std::time::SystemTime::now());
        records.push(with);
    }
    records
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
