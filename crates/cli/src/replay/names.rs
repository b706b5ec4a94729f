//! Names to ids. The recorder interns; this remembers what it said, so that a
//! name costs one look-up and not three.

use std::collections::HashMap;

use quipu::{ModelId, NameError, Recorder, TenantId, UsageRecord};

use super::draft::Chunk;

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

    /// The records of a chunk, each with its time.
    pub(super) fn records<'a>(
        &mut self,
        chunk: &'a Chunk,
    ) -> Result<impl Iterator<Item = (u64, UsageRecord)> + use<'a>, NameError> {
        let models: Vec<ModelId> = chunk
            .models
            .iter()
            .map(|(provider, model)| self.model(provider, model))
            .collect::<Result<_, _>>()?;
        let tenants: Vec<TenantId> = chunk
            .tenants
            .iter()
            .map(|tenant| self.tenant(tenant))
            .collect::<Result<_, _>>()?;
        Ok(chunk.calls.iter().map(move |draft| {
            let model = models[draft.model as usize];
            let tenant = tenants[draft.tenant as usize];
            (draft.at, draft.record(model, tenant))
        }))
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
