//! Names to ids. The recorder interns; this remembers what it said, so that a
//! name costs one look-up and not three.

use std::collections::HashMap;

use quipu::{ModelId, NameError, Recorder, TenantId, TokenKind, UsageRecord};

use crate::trace::Event;
use std::time::{Duration, UNIX_EPOCH};

/// Turns the calls of a trace into records.
pub(super) struct Names {
    recorder: Recorder,
    models: HashMap<String, HashMap<String, ModelId>>,
    tenants: HashMap<String, TenantId>,
}

impl Names {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            models: HashMap::new(),
            tenants: HashMap::new(),
        }
    }

    pub(super) fn record(&mut self, event: &Event<'_>) -> Result<UsageRecord, NameError> {
        let model = self.model(&event.provider, &event.model)?;
        let tenant = self.tenant(&event.tenant)?;
        let mut record = UsageRecord::new(model)
            .tenant(tenant)
            .at(UNIX_EPOCH + Duration::from_nanos(event.at))
            .outcome(event.outcome)
            .streamed(event.streamed)
            .estimated(event.estimated);
        for (kind, tokens) in TokenKind::ALL.into_iter().zip(event.tokens) {
            if let Some(tokens) = tokens {
                record = record.tokens(kind, tokens);
            }
        }
        if let Some(cost) = event.cost_nanos {
            record = record.cost_nanos(cost);
        }
        if let Some(latency) = event.latency {
            record = record.latency(latency);
        }
        if let Some(ttft) = event.time_to_first_token {
            record = record.time_to_first_token(ttft);
        }
        Ok(record)
    }

    fn model(&mut self, provider: &str, model: &str) -> Result<ModelId, NameError> {
        let known = self.models.get(provider).and_then(|of| of.get(model));
        if let Some(id) = known {
            return Ok(*id);
        }
        let id = self.recorder.model(provider, model)?;
        // Names beyond the recorder's limits aren't remembered, so that its
        // limits are also those of this table.
        if !id.is_other() {
            let of = self.models.entry(provider.to_owned()).or_default();
            of.insert(model.to_owned(), id);
        }
        Ok(id)
    }

    fn tenant(&mut self, tenant: &str) -> Result<TenantId, NameError> {
        if tenant.is_empty() {
            return Ok(TenantId::NONE);
        }
        if let Some(id) = self.tenants.get(tenant) {
            return Ok(*id);
        }
        let id = self.recorder.tenant(tenant)?;
        if !id.is_other() {
            self.tenants.insert(tenant.to_owned(), id);
        }
        Ok(id)
    }
}
