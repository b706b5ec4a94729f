//! Snapshots: immutable views of the ledger at one generation.

mod publish;
mod recycle;
mod rollup;
mod tree;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use publish::Published;
pub use rollup::{By, Group, RollUp};
pub(crate) use tree::{Pool, Rows};

use crate::bucket::{Bucket, Day};
use crate::names::{Label, Names};
use crate::store::CommitBlock;
use crate::totals::Totals;

/// Everything that was committed up to one generation. Immutable; holding one
/// costs memory for the rows that changed since, and disturbs nobody.
pub struct Snapshot {
    pub(crate) generation: u64,
    /// While commits fail there are counts in it that its generation hasn't.
    pub(crate) is_ahead: bool,
    pub(crate) width: Bucket,
    pub(crate) block: CommitBlock,
    pub(crate) rows: Rows,
    pub(crate) names: Arc<Names>,
}

/// What one day adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayTotals {
    /// The UTC day.
    pub day: Day,
    /// Its sums.
    pub totals: Totals,
}

/// What one model adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelTotals {
    /// The provider's name.
    pub provider: Label,
    /// The model's name.
    pub model: Label,
    /// Its sums.
    pub totals: Totals,
}

/// What one provider adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderTotals {
    /// The provider's name.
    pub provider: Label,
    /// Its sums.
    pub totals: Totals,
}

/// What one tenant adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantTotals {
    /// The tenant's name; empty for calls without a tenant.
    pub tenant: Label,
    /// Its sums; latencies have a mean but no quantiles.
    pub totals: Totals,
}

/// The finest that is kept: one bucket, model and tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowTotals {
    /// The UTC day.
    pub day: Day,
    /// The UTC hour, where the store keeps hours.
    pub hour: Option<u8>,
    /// The provider's name.
    pub provider: Label,
    /// The model's name.
    pub model: Label,
    /// The tenant's name; empty for calls without a tenant.
    pub tenant: Label,
    /// Its sums; latencies have a mean but no quantiles.
    pub totals: Totals,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("rows", &self.block.rows)
            .field("records", &self.block.records)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The commit that this view is of; grows by one with each.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// When that commit was made, by the writer's clock. `None` before the
    /// first.
    #[must_use]
    pub fn committed_at(&self) -> Option<SystemTime> {
        match self.block.committed_at {
            0 => None,
            nanos => UNIX_EPOCH.checked_add(Duration::from_nanos(nanos)),
        }
    }

    /// The width of this store's buckets.
    #[must_use]
    pub const fn bucket(&self) -> Bucket {
        self.width
    }

    /// Everything added up.
    #[must_use]
    pub fn total(&self) -> Totals {
        self.roll_up(By::default()).total().clone()
    }

    /// Added up by UTC day, oldest first.
    #[must_use]
    pub fn by_day(&self) -> Vec<DayTotals> {
        let by = By {
            day: true,
            ..By::default()
        };
        self.each(by, |group| {
            Some(DayTotals {
                day: group.day?,
                totals: group.totals,
            })
        })
    }

    /// Added up by model, sorted by provider and name.
    #[must_use]
    pub fn by_model(&self) -> Vec<ModelTotals> {
        let by = By {
            provider: true,
            model: true,
            ..By::default()
        };
        self.each(by, |group| {
            Some(ModelTotals {
                provider: group.provider?,
                model: group.model?,
                totals: group.totals,
            })
        })
    }

    /// Added up by provider, sorted by name.
    #[must_use]
    pub fn by_provider(&self) -> Vec<ProviderTotals> {
        let by = By {
            provider: true,
            ..By::default()
        };
        self.each(by, |group| {
            Some(ProviderTotals {
                provider: group.provider?,
                totals: group.totals,
            })
        })
    }

    /// Added up by tenant, sorted by name; calls without a tenant come first,
    /// under the empty name.
    #[must_use]
    pub fn by_tenant(&self) -> Vec<TenantTotals> {
        let by = By {
            tenant: true,
            ..By::default()
        };
        self.each(by, |group| {
            Some(TenantTotals {
                tenant: group.tenant?,
                totals: group.totals,
            })
        })
    }

    /// Every bucket, model and tenant, sorted in this order.
    #[must_use]
    pub fn rows(&self) -> Vec<RowTotals> {
        let by = By {
            day: true,
            hour: true,
            provider: true,
            model: true,
            tenant: true,
        };
        self.each(by, |group| {
            Some(RowTotals {
                day: group.day?,
                hour: group.hour,
                provider: group.provider?,
                model: group.model?,
                tenant: group.tenant?,
                totals: group.totals,
            })
        })
    }

    fn roll_up(&self, by: By) -> RollUp {
        let mut roll_up = RollUp::new(by);
        roll_up.add(self);
        roll_up
    }

    fn each<T>(&self, by: By, make: impl Fn(Group) -> Option<T>) -> Vec<T> {
        // Every key that is asked for is there, so nothing is left out.
        let groups = self.roll_up(by).into_groups();
        groups.into_iter().filter_map(make).collect()
    }
}
