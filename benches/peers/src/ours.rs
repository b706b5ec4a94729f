//! quipu itself.

use std::path::Path;
use std::time::Duration;

use quipu::{ModelId, Reader, Recorder, TenantId, TokenKind, UsageRecord};

use crate::event::{Event, SERIES, Totals, names};
use crate::peer::{CAPACITY, Each, Handle, Peer, Row, Setup};

pub(crate) const RECORD: &str = "quipu, record()";

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: RECORD,
        burst: crate::peer::BURST,
        make: |setup| Box::new(Quipu::new(setup, false)),
        found: Some(found),
    },
    Row {
        name: "quipu, record_batch() of 64",
        burst: crate::peer::BURST,
        make: |setup| Box::new(Quipu::new(setup, true)),
        found: Some(found),
    },
];

const STORE: &str = "usage.quipu";
/// Longer than any run.
const NEVER: Duration = Duration::from_secs(3600);

struct Quipu {
    recorder: Recorder,
    batch: bool,
    ids: Vec<(ModelId, TenantId)>,
}

impl Quipu {
    fn new(setup: &Setup, batch: bool) -> Self {
        let mut builder = Recorder::builder().shards(2);
        if setup.held {
            builder = builder
                .shard_capacity(CAPACITY)
                .flush_interval(NEVER)
                .flush_records(u64::MAX);
        }
        let recorder = builder.open(setup.dir.join(STORE)).unwrap();
        let ids = (0..SERIES).map(|series| {
            let [provider, model, tenant] = names(series);
            let model = recorder.model(provider, model).unwrap();
            (model, recorder.tenant(tenant).unwrap())
        });
        Self {
            ids: ids.collect(),
            batch,
            recorder,
        }
    }

    fn usage(&self, event: &Event) -> UsageRecord {
        let (model, tenant) = self.ids[event.series];
        UsageRecord::new(model)
            .tenant(tenant)
            .tokens(TokenKind::Input, event.tokens[0].into())
            .tokens(TokenKind::CacheRead, event.tokens[1].into())
            .tokens(TokenKind::CacheWrite, event.tokens[2].into())
            .tokens(TokenKind::Output, event.tokens[3].into())
            .cost_nanos(event.cost_nanos)
            .latency(event.latency)
            .at_nanos(event.at_nanos)
    }
}

impl Peer for Quipu {
    fn handle(&self) -> Box<dyn Handle + '_> {
        if self.batch {
            return Box::new(Batches(self));
        }
        Box::new(Each(|event: &Event| {
            let usage = self.usage(event);
            if self.recorder.record(usage).is_err() {
                self.recorder.record_timeout(usage, NEVER).unwrap();
            }
        }))
    }

    fn settle(&self, _: u64) {
        self.recorder.flush(NEVER).unwrap();
    }

    fn totals(&self) -> Totals {
        let totals = self.recorder.snapshot().total();
        Totals {
            requests: totals.requests,
            tokens: [
                totals.token(TokenKind::Input),
                totals.token(TokenKind::CacheRead),
                totals.token(TokenKind::CacheWrite),
                totals.token(TokenKind::Output),
            ],
            cost_nanos: totals.cost_nanos,
            latency_us: totals.latency.sum_us,
            timed: totals.latency.count,
        }
    }
}

struct Batches<'a>(&'a Quipu);

impl Handle for Batches<'_> {
    fn record(&mut self, events: &[Event]) {
        let recorder = &self.0.recorder;
        let mut run = Vec::with_capacity(64);
        for events in events.chunks(64) {
            run.clear();
            run.extend(
                std::hint::black_box(events)
                    .iter()
                    .map(|event| self.0.usage(event)),
            );
            let accepted = recorder.record_batch(&run);
            for usage in &run[accepted..] {
                recorder.record_timeout(*usage, NEVER).unwrap();
            }
        }
    }
}

/// Opens the store as the next start of the gateway would.
fn found(dir: &Path) -> u64 {
    let store = dir.join(STORE);
    Recorder::open(&store).unwrap().close(NEVER).unwrap();
    Reader::open(&store)
        .unwrap()
        .snapshot()
        .unwrap()
        .total()
        .requests
}
