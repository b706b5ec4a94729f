//! The table of names: from names to ids and back.

use std::collections::HashMap;
use std::sync::PoisonError;

use super::{Label, ModelId, OTHER, TenantId};
use crate::sync::{AtomicU64, Ordering, RwLock, RwLockReadGuard};

/// Limits on names; what lies beyond becomes `__other__`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameLimits {
    pub(crate) models: u32,
    pub(crate) tenants: u32,
    /// Bytes of one name.
    pub(crate) len: usize,
}

impl NameLimits {
    /// None but those of the ids.
    pub(crate) const NONE: Self = Self {
        models: 65_000,
        tenants: u32::MAX - 2,
        len: 32 * 1024,
    };
}

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    Provider,
    /// A model of the provider with this id.
    Model {
        provider: u16,
    },
    Tenant,
    /// The directory of a ring's file.
    RingDir,
}

/// What a name was interned as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interned {
    pub(crate) kind: NameKind,
    pub(crate) id: u32,
}

#[derive(Debug, Default)]
struct Tables {
    providers: Vec<Label>,
    provider_ids: HashMap<Label, u16>,
    models: Vec<(u16, Label)>,
    /// By provider.
    model_ids: Vec<HashMap<Label, u16>>,
    tenants: Vec<Label>,
    tenant_ids: HashMap<Label, u32>,
    ring_dirs: Vec<Label>,
}

/// All names of a store. Grows, never changes what it has: an id resolves to
/// the same name for ever.
#[derive(Debug)]
pub(crate) struct Names {
    tables: RwLock<Tables>,
    /// Models and tenants, without those that every store has. Besides the
    /// tables, so that a forked child needs no lock to count them.
    counts: [AtomicU64; 2],
}

impl Names {
    /// A table with nothing but the names that every store has.
    pub(crate) fn new() -> Self {
        let names = Self {
            tables: RwLock::default(),
            counts: Default::default(),
        };
        for (kind, name) in [
            (NameKind::Provider, OTHER),
            (NameKind::Model { provider: 0 }, OTHER),
            (NameKind::Tenant, ""),
            (NameKind::Tenant, OTHER),
        ] {
            names.add(kind, name);
        }
        names
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        // A writer that panicked left the tables between two whole names.
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of a name that is there.
    pub(crate) fn find(&self, kind: NameKind, name: &str) -> Option<u32> {
        let tables = self.read();
        match kind {
            NameKind::Provider => tables.provider_ids.get(name).map(|id| u32::from(*id)),
            NameKind::Model { provider } => tables
                .model_ids
                .get(usize::from(provider))?
                .get(name)
                .map(|id| u32::from(*id)),
            NameKind::Tenant => tables.tenant_ids.get(name).copied(),
            NameKind::RingDir => {
                let place = tables.ring_dirs.iter().position(|dir| dir == name)?;
                u32::try_from(place).ok()
            }
        }
    }

    /// The id of a model that is there.
    pub(crate) fn find_model(&self, provider: &str, model: &str) -> Option<ModelId> {
        let tables = self.read();
        let provider = *tables.provider_ids.get(provider)?;
        let models = tables.model_ids.get(usize::from(provider))?;
        models.get(model).map(|id| ModelId(*id))
    }

    /// The id of a tenant that is there.
    pub(crate) fn find_tenant(&self, tenant: &str) -> Option<TenantId> {
        self.read().tenant_ids.get(tenant).map(|id| TenantId(*id))
    }

    /// The id that the next new name of a kind gets.
    pub(crate) fn next_id(&self, kind: NameKind) -> u32 {
        let tables = self.read();
        let len = match kind {
            NameKind::Provider => tables.providers.len(),
            NameKind::Model { .. } => tables.models.len(),
            NameKind::Tenant => tables.tenants.len(),
            NameKind::RingDir => tables.ring_dirs.len(),
        };
        u32::try_from(len).unwrap_or(u32::MAX)
    }

    /// Adds a name; it must not be there. Its id is the next of its kind.
    pub(crate) fn add(&self, kind: NameKind, name: &str) -> Interned {
        let label = Label::from(name);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let tables = &mut *tables;
        let id = match kind {
            NameKind::Provider => {
                let id = tables.providers.len();
                tables.providers.push(label.clone());
                tables.model_ids.push(HashMap::new());
                tables.provider_ids.insert(label, id as u16);
                id
            }
            NameKind::Model { provider } => {
                let id = tables.models.len();
                tables.models.push((provider, label.clone()));
                tables.model_ids[usize::from(provider)].insert(label, id as u16);
                id
            }
            NameKind::Tenant => {
                let id = tables.tenants.len();
                tables.tenants.push(label.clone());
                tables.tenant_ids.insert(label, id as u32);
                id
            }
            NameKind::RingDir => {
                tables.ring_dirs.push(label);
                tables.ring_dirs.len() - 1
            }
        };
        let [models, tenants] = &self.counts;
        models.store(
            tables.models.len().saturating_sub(1) as u64,
            Ordering::Relaxed,
        );
        tenants.store(
            tables.tenants.len().saturating_sub(2) as u64,
            Ordering::Relaxed,
        );
        Interned {
            kind,
            id: id as u32,
        }
    }

    /// A model's provider and name; `__other__` for an id that isn't there.
    pub(crate) fn model(&self, id: u16) -> (Label, Label) {
        let tables = self.read();
        let (provider, model) = tables
            .models
            .get(usize::from(id))
            .unwrap_or(&tables.models[0]);
        (
            tables.providers[usize::from(*provider)].clone(),
            model.clone(),
        )
    }

    /// A tenant's name; `__other__` for an id that isn't there.
    pub(crate) fn tenant(&self, id: u32) -> Label {
        let tables = self.read();
        let other = &tables.tenants[TenantId::OTHER.0 as usize];
        tables.tenants.get(id as usize).unwrap_or(other).clone()
    }

    /// The directory of a ring's file.
    pub(crate) fn ring_dir(&self, id: u32) -> Option<Label> {
        self.read().ring_dirs.get(id as usize).cloned()
    }

    /// Every name but those that every store has, in an order in which they can
    /// be added to an empty table, each with its id.
    pub(crate) fn all(&self) -> Vec<(NameKind, u32, Label)> {
        let tables = self.read();
        let from = |first: usize, kind: NameKind, labels: &[Label]| -> Vec<_> {
            let labels = labels.iter().enumerate().skip(first);
            labels
                .map(|(id, label)| (kind, id as u32, label.clone()))
                .collect()
        };
        let models = tables.models.iter().enumerate().skip(1);
        let models = models.map(|(id, (provider, label))| {
            let provider = *provider;
            (NameKind::Model { provider }, id as u32, label.clone())
        });
        let mut all = from(1, NameKind::Provider, &tables.providers);
        all.extend(models);
        all.extend(from(2, NameKind::Tenant, &tables.tenants));
        all.extend(from(0, NameKind::RingDir, &tables.ring_dirs));
        all
    }

    /// Names of models and tenants, without those that every store has.
    pub(crate) fn counts(&self) -> (u64, u64) {
        // Relaxed: who must not give out one name too many holds the
        // interner's lock.
        let [models, tenants] = &self.counts;
        (
            models.load(Ordering::Relaxed),
            tenants.load(Ordering::Relaxed),
        )
    }
}
