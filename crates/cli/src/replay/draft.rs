//! Calls before there is a recorder that knows their names: a trace is read
//! before its store is opened, so that a bad one changes nothing.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use quipu::{ModelId, Outcome, TenantId, TokenKind, UsageRecord};

use crate::trace::{BadLine, Doubt, Event};

const KINDS: usize = TokenKind::ALL.len();
const COST: usize = KINDS;
const LATENCY: usize = KINDS + 1;
const FIRST_TOKEN: usize = KINDS + 2;
const VALUES: usize = KINDS + 3;

/// A call whose names are places in the lists of its [`Chunk`]. Small, since
/// millions of them may wait in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    /// Nanoseconds since the Unix epoch.
    pub(super) at: u64,
    pub(super) model: u32,
    pub(super) tenant: u32,
    /// Tokens by kind, cost, latency and time to first token.
    values: [u64; VALUES],
    /// Which of the values are there, as bits.
    present: u16,
    outcome: Outcome,
    streamed: bool,
    estimated: bool,
}

impl Draft {
    fn new(event: &Event<'_>, model: u32, tenant: u32) -> Self {
        let mut draft = Self {
            at: event.at,
            model,
            tenant,
            values: [0; VALUES],
            present: 0,
            outcome: event.outcome,
            streamed: event.streamed,
            estimated: event.estimated || event.doubt.is_some(),
        };
        // 584 years are more than a record holds.
        let nanos = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        let others = [
            event.cost_nanos,
            event.latency.map(nanos),
            event.time_to_first_token.map(nanos),
        ];
        for (place, value) in event.tokens.into_iter().chain(others).enumerate() {
            if let Some(value) = value {
                draft.values[place] = value;
                draft.present |= 1 << place;
            }
        }
        draft
    }

    fn value(&self, place: usize) -> Option<u64> {
        (self.present & 1 << place != 0).then_some(self.values[place])
    }

    /// The record, now that its names have ids.
    pub(super) fn record(&self, model: ModelId, tenant: TenantId) -> UsageRecord {
        let mut record = UsageRecord::new(model)
            .tenant(tenant)
            .at(UNIX_EPOCH + Duration::from_nanos(self.at))
            .outcome(self.outcome)
            .streamed(self.streamed)
            .estimated(self.estimated);
        for kind in TokenKind::ALL {
            if let Some(tokens) = self.value(kind.index()) {
                record = record.tokens(kind, tokens);
            }
        }
        if let Some(cost) = self.value(COST) {
            record = record.cost_nanos(cost);
        }
        if let Some(nanos) = self.value(LATENCY) {
            record = record.latency(Duration::from_nanos(nanos));
        }
        if let Some(nanos) = self.value(FIRST_TOKEN) {
            record = record.time_to_first_token(Duration::from_nanos(nanos));
        }
        record
    }
}

/// Calls that were read together, with their names.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) calls: Vec<Draft>,
    /// Providers and models.
    pub(super) models: Vec<(String, String)>,
    pub(super) tenants: Vec<String>,
    /// The lines between them that could not be read.
    pub(super) bad: Vec<BadLine>,
    /// How many calls are in which doubt.
    pub(super) doubts: [u64; Doubt::ALL.len()],
}

/// Makes chunks. The names are forgotten with each, so that no trace of ever
/// new ones fills the memory.
#[derive(Debug, Default)]
pub(super) struct Chunker {
    chunk: Chunk,
    models: HashMap<String, HashMap<String, u32>>,
    tenants: HashMap<String, u32>,
}

impl Chunker {
    pub(super) fn push(&mut self, event: &Event<'_>) {
        let model = self.model(&event.provider, &event.model);
        let tenant = self.tenant(&event.tenant);
        self.chunk.calls.push(Draft::new(event, model, tenant));
        if let Some(doubt) = event.doubt {
            self.chunk.doubts[doubt.index()] += 1;
        }
    }

    pub(super) fn push_bad(&mut self, line: BadLine) {
        self.chunk.bad.push(line);
    }

    /// Lines and calls so far.
    pub(super) fn len(&self) -> usize {
        self.chunk.calls.len() + self.chunk.bad.len()
    }

    pub(super) fn take(&mut self) -> Chunk {
        self.models.clear();
        self.tenants.clear();
        std::mem::take(&mut self.chunk)
    }

    fn model(&mut self, provider: &str, model: &str) -> u32 {
        let known = self.models.get(provider).and_then(|of| of.get(model));
        if let Some(place) = known {
            return *place;
        }
        // A chunk has far fewer names than this.
        let place = self.chunk.models.len() as u32;
        self.chunk
            .models
            .push((provider.to_owned(), model.to_owned()));
        let of = self.models.entry(provider.to_owned()).or_default();
        of.insert(model.to_owned(), place);
        place
    }

    fn tenant(&mut self, tenant: &str) -> u32 {
        if let Some(place) = self.tenants.get(tenant) {
            return *place;
        }
        let place = self.chunk.tenants.len() as u32;
        self.chunk.tenants.push(tenant.to_owned());
        self.tenants.insert(tenant.to_owned(), place);
        place
    }
}
