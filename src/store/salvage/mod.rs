//! Salvage: what is sound of a damaged file is added to a store, by one commit
//! and only once.

mod damaged;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use self::damaged::Damaged;
use super::commit::CommitBlock;
use super::commit::MOST;
use super::interner::{Interner, NamesFile};
use super::open::{OpenOptions, Opened, open};
use super::writer::Store;
use crate::error::{OpenError, SalvageError};
use crate::ledger::{Ledger, LedgerLimits, Row, RowKey, RowKind, Sums};
use crate::names::{ModelId, NameLimits, TenantId};
use crate::ring::Geometry;

/// What [`salvage`] recovered and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvage {
    /// Rows that were added to the store.
    pub rows: u64,
    /// Of those, rows whose last value is damaged: the one before it was taken.
    pub older_rows: u64,
    /// Rows of which nothing is sound.
    pub lost_rows: u64,
    /// Records that the added rows count.
    pub records: u64,
    /// Records that the damaged file had counted, where it still says so.
    pub expected: Option<u64>,
    /// Names that are lost: their counts appear under `lost-name-N`.
    pub lost_names: u64,
    /// What is damaged, part by part.
    pub notes: Vec<String>,
}

impl fmt::Display for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} records in {} rows recovered",
            self.records, self.rows
        )?;
        match self.expected {
            Some(all) if all >= self.records => write!(f, ", of {all} records"),
            _ => Ok(()),
        }
    }
}

/// Adds every row of a damaged aggregate file whose checksum holds to the store
/// at `into`, which is created where there is none. The damaged file is only
/// read. All is added by one commit, once: the same file is refused a second
/// time, and so is a store that already has these counts from a checkpoint.
///
/// # Errors
///
/// See [`SalvageError`]; nothing was added in any case.
pub fn salvage(damaged: impl AsRef<Path>, into: impl AsRef<Path>) -> Result<Salvage, SalvageError> {
    let (path, into) = (damaged.as_ref(), into.as_ref());
    let damaged = Damaged::read(path)?;
    if damaged.rows.is_empty() {
        return Err(SalvageError::Nothing {
            path: path.to_owned(),
            notes: damaged.notes,
        });
    }
    let is_new = !into.exists();
    let options = OpenOptions {
        bucket: Some(damaged.bucket),
        geometry: Geometry {
            shards: 1,
            capacity: 2,
        },
        limits: LedgerLimits {
            rows: u32::MAX / 2,
            buckets: u32::MAX / 2,
        },
        ring_dir: None,
    };
    let mut target = Target::of(open(into, &options, None)?);
    let mark = RowKey::salvaged(damaged.fingerprint);
    let why = if target.ledger.has(mark) {
        Some("this file, or another copy of its store, was salvaged into it before")
    } else if damaged.store == Some(target.store.id()) && !is_new {
        Some(
            "it goes on from a checkpoint of the same store and has most of these counts already: \
             salvage into a new store",
        )
    } else {
        None
    };
    if let Some(why) = why {
        target.close()?;
        return Err(SalvageError::Refused {
            into: into.to_owned(),
            why: why.to_owned(),
        });
    }
    Ok(target.add(damaged, mark)?)
}

/// The store that is added to.
struct Target {
    store: Store,
    ledger: Ledger,
    block: CommitBlock,
    interner: Interner,
}

impl Target {
    fn of(opened: Opened) -> Self {
        let (aggregate, _) = opened.store.share();
        let file = NamesFile {
            aggregate,
            log: opened.names_log,
        };
        Self {
            store: opened.store,
            ledger: opened.ledger,
            block: opened.block,
            interner: Interner::new(opened.names, NameLimits::NONE, Some(file)),
        }
    }

    fn add(mut self, damaged: Damaged, mark: RowKey) -> Result<Salvage, OpenError> {
        let mut outcome = Salvage {
            older_rows: damaged.older_rows,
            lost_rows: damaged.lost_rows,
            expected: damaged.block.as_ref().map(|block| block.records),
            ..Salvage::default()
        };
        let mut namer = Namer {
            damaged: &damaged,
            interner: &self.interner,
            lost: 0,
        };
        // Each name once, and none but those that rows have.
        let keys = damaged.rows.iter().map(|row| row.key);
        let keys = keys.filter(|key| key.kind() != RowKind::Salvaged);
        let ids: BTreeSet<u16> = keys.clone().map(RowKey::model).collect();
        let models: BTreeMap<_, _> = ids.into_iter().map(|id| (id, namer.model(id))).collect();
        let ids: BTreeSet<u32> = keys.map(RowKey::tenant).collect();
        let tenants: BTreeMap<_, _> = ids.into_iter().map(|id| (id, namer.tenant(id))).collect();
        outcome.lost_names = namer.lost;
        let mut sums = Sums::default();
        for row in &damaged.rows {
            if row.key.kind() == RowKind::Salvaged {
                // What that store had salvaged, this one has now.
                self.ledger.merge(row.key, &Row::new(row.key));
                continue;
            }
            // A row may be sound and yet count more than can happen.
            if row.records() > MOST || self.ledger.records() + row.records() > MOST {
                outcome.lost_rows += 1;
                continue;
            }
            sums.add(row);
            let (model, tenant) = (models[&row.key.model()], tenants[&row.key.tenant()]);
            outcome.records += self.ledger.merge(row.key.renamed(model, tenant), row);
            outcome.rows += 1;
        }
        self.ledger.merge(mark, &sums.of_salvaged(mark));
        self.block.salvaged += outcome.records;
        self.block.earlier_positions = self.block.earlier_positions.wrapping_add(outcome.records);
        outcome.notes = damaged.notes;
        self.close()?;
        Ok(outcome)
    }

    /// Commits, and leaves the store as a writer that closes it does.
    fn close(mut self) -> Result<(), OpenError> {
        self.block.earlier_positions = self.block.covered();
        self.block.positions = Vec::new();
        self.block.ring = 0;
        let Self {
            store,
            ledger,
            block,
            interner,
        } = &mut self;
        store.commit(ledger, block, interner)?;
        // Best effort: the next open removes what is left.
        let _ = store.remove_ring();
        Ok(())
    }
}

/// Gives the ids of the damaged file the ids that their names have in the
/// store.
struct Namer<'a> {
    damaged: &'a Damaged,
    interner: &'a Interner,
    lost: u64,
}

impl Namer<'_> {
    fn model(&mut self, id: u16) -> ModelId {
        if id == ModelId::OTHER.0 {
            return ModelId::OTHER;
        }
        let lost = |kind: &str, id: u32| format!("lost-name-{kind}-{id}");
        let (provider, model) = match self.damaged.models.get(&u32::from(id)) {
            Some((provider, model)) => {
                let found = self.damaged.providers.get(&u32::from(*provider));
                let provider = found.cloned().unwrap_or_else(|| {
                    self.lost += 1;
                    lost("provider", (*provider).into())
                });
                (provider, model.clone())
            }
            None => {
                self.lost += 1;
                (lost("provider", 0), lost("model", id.into()))
            }
        };
        self.interner.model(&provider, &model)
    }

    fn tenant(&mut self, id: u32) -> TenantId {
        if id <= TenantId::OTHER.0 {
            return TenantId(id);
        }
        match self.damaged.tenants.get(&id) {
            Some(tenant) => self.interner.tenant(tenant),
            None => {
                self.lost += 1;
                self.interner.tenant(&format!("lost-name-tenant-{id}"))
            }
        }
    }
}
