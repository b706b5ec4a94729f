//! Interning: gives names their ids, and puts them into the store's file
//! before anybody can record under them.

use std::collections::VecDeque;

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

/// A name that is in memory and not yet in the file, which could not be
/// written. No commit is made before it is there: so a row never has an id
/// whose name could be lost.
#[derive(Debug)]
struct Pending {
    kind: NameKind,
    id: u32,
    name: String,
}

#[derive(Debug, Default)]
struct Kept {
    /// `None` in memory.
    file: Option<NamesFile>,
    pending: VecDeque<Pending>,
}

/// Gives out ids.
#[derive(Debug)]
pub(crate) struct Interner {
    names: Arc<Names>,
    limits: NameLimits,
    /// The lock is held while a new name gets its id.
    kept: Mutex<Kept>,
    refused: AtomicU64,
}

impl Kept {
    fn write_pending(&mut self) -> Result<(), OpenError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if self.pending.is_empty() {
            return Ok(());
        }
        file.aggregate.check_present()?;
        while let Some(Pending { kind, id, name }) = self.pending.front() {
            file.log.append(&file.aggregate, *kind, *id, name)?;
            self.pending.pop_front();
        }
        Ok(())
    }
}

impl Interner {
    pub(crate) fn new(names: Arc<Names>, limits: NameLimits, file: Option<NamesFile>) -> Self {
        Self {
            names,
            limits,
            kept: Mutex::new(Kept {
                file,
                pending: VecDeque::new(),
            }),
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
        let kept = &mut *lock(&self.kept);
        // Without room for the model, its provider must not take room either.
        let is_room = self.has_room(NameKind::Model { provider: 0 });
        if !(is_room && self.is_fit(provider) && self.is_fit(model)) {
            return None;
        }
        let provider = self.add(kept, NameKind::Provider, provider);
        let provider = u16::try_from(provider).ok()?;
        Some(self.add(kept, NameKind::Model { provider }, model))
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
        let kept = &mut *lock(&self.kept);
        let fits = self.has_room(NameKind::Tenant) && self.is_fit(tenant);
        fits.then(|| self.add(kept, NameKind::Tenant, tenant))
    }

    /// The id of the name, which is new unless somebody was faster.
    fn add(&self, kept: &mut Kept, kind: NameKind, name: &str) -> u32 {
        if let Some(id) = self.names.find(kind, name) {
            return id;
        }
        if kept.file.is_some() {
            let id = self.names.next_id(kind);
            let name = name.to_owned();
            let is_first = kept.pending.is_empty();
            kept.pending.push_back(Pending { kind, id, name });
            // Where it can't be written it waits for the next commit, which
            // says why, and so do those after it. If the process is killed
            // before that, records under these names are `__other__`.
            if is_first {
                let _ = kept.write_pending();
            }
        }
        self.names.add(kind, name).id
    }

    /// Whether names wait that the file doesn't have.
    pub(crate) fn has_pending(&self) -> bool {
        !lock(&self.kept).pending.is_empty()
    }

    /// Puts the names that wait into the file.
    pub(crate) fn write_pending(&self) -> Result<(), OpenError> {
        lock(&self.kept).write_pending()
    }

    /// Goes on with the file that `make` gives, which has all names. None is
    /// added in between.
    pub(crate) fn rebuild(
        &self,
        make: impl FnOnce() -> Result<NamesFile, OpenError>,
    ) -> Result<(), OpenError> {
        let mut kept = lock(&self.kept);
        *kept = Kept {
            file: Some(make()?),
            pending: VecDeque::new(),
        };
        Ok(())
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
