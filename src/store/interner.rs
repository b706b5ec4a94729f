//! Interning: gives names their ids, and puts them into the store's file
//! before anybody can record under them.

use super::{Aggregate, NamesLog};
use crate::error::OpenError;
use crate::names::{ModelId, NameKind, NameLimits, Names, TenantId};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// Where new names are kept besides memory.
#[derive(Debug)]
pub(crate) struct NamesFile {
    pub(crate) aggregate: Arc<Aggregate>,
    pub(crate) log: NamesLog,
}

/// Gives out ids.
#[derive(Debug)]
pub(crate) struct Interner {
    names: Arc<Names>,
    limits: NameLimits,
    /// The lock is held while a new name gets its id; `None` in memory.
    file: Mutex<Option<NamesFile>>,
    refused: AtomicU64,
}

impl Interner {
    pub(crate) fn new(names: Arc<Names>, limits: NameLimits, file: Option<NamesFile>) -> Self {
        Self {
            names,
            limits,
            file: Mutex::new(file),
            refused: AtomicU64::new(0),
        }
    }

    pub(crate) const fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// Calls that got `__other__` instead of an id of their own.
    pub(crate) fn refused(&self) -> u64 {
        // Relaxed: a statistic.
        self.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn model(&self, provider: &str, model: &str) -> ModelId {
        if let Some(id) = self.names.find_model(provider, model) {
            return id;
        }
        self.new_model(provider, model)
            .map_or_else(|| self.refuse(ModelId::OTHER), |id| ModelId(id as u16))
    }

    #[cold]
    fn new_model(&self, provider: &str, model: &str) -> Option<u32> {
        let file = &mut *lock(&self.file);
        // Without room for the model, its provider must not take room either.
        let is_room = self.has_room(NameKind::Model { provider: 0 });
        if !(is_room && self.is_fit(provider) && self.is_fit(model)) {
            return None;
        }
        let provider = self.add(file, NameKind::Provider, provider)?;
        let provider = u16::try_from(provider).ok()?;
        self.add(file, NameKind::Model { provider }, model)
    }

    pub(crate) fn tenant(&self, tenant: &str) -> TenantId {
        if tenant.is_empty() {
            return self.refuse(TenantId::OTHER);
        }
        if let Some(id) = self.names.find_tenant(tenant) {
            return id;
        }
        self.new_tenant(tenant)
            .map_or_else(|| self.refuse(TenantId::OTHER), TenantId)
    }

    #[cold]
    fn new_tenant(&self, tenant: &str) -> Option<u32> {
        let file = &mut *lock(&self.file);
        let fits = self.has_room(NameKind::Tenant) && self.is_fit(tenant);
        fits.then(|| self.add(file, NameKind::Tenant, tenant))?
    }

    /// The id of the name, which is new unless somebody was faster.
    fn add(&self, file: &mut Option<NamesFile>, kind: NameKind, name: &str) -> Option<u32> {
        if let Some(id) = self.names.find(kind, name) {
            return Some(id);
        }
        if let Some(file) = file {
            let id = self.names.next_id(kind);
            let written: Result<(), OpenError> = file.log.append(&file.aggregate, kind, id, name);
            // A name that isn't in the file must not be recorded under: after
            // a kill nobody could say whose the records were.
            written.ok()?;
        }
        Some(self.names.add(kind, name).id)
    }

    fn is_fit(&self, name: &str) -> bool {
        !name.is_empty() && name.len() <= self.limits.len
    }

    fn has_room(&self, kind: NameKind) -> bool {
        let (models, tenants) = self.names.counts();
        match kind {
            NameKind::Tenant => tenants < u64::from(self.limits.tenants),
            _ => models < u64::from(self.limits.models),
        }
    }

    fn refuse<T>(&self, other: T) -> T {
        // Relaxed: a statistic.
        self.refused.fetch_add(1, Ordering::Relaxed);
        other
    }
}
