//! Roll-ups: rows added up by the keys that a report asks for.

use std::collections::BTreeMap;

use super::Snapshot;
use crate::bucket::Day;
use crate::ledger::{Row, RowKind};
use crate::names::Label;
use crate::totals::Totals;

/// The keys to group by; those that are `false` are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct By {
    /// By UTC day.
    pub day: bool,
    /// By UTC hour; `None` in stores that keep days.
    pub hour: bool,
    /// By provider.
    pub provider: bool,
    /// By model and its provider's name; models of the same name at different
    /// providers are one group unless `provider` is set too.
    pub model: bool,
    /// By tenant. Groups by tenant have no latency quantiles.
    pub tenant: bool,
}

/// One group of a roll-up. Only the keys that were asked for are `Some`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The UTC day.
    pub day: Option<Day>,
    /// The UTC hour of the day, 0 to 23.
    pub hour: Option<u8>,
    /// The provider's name.
    pub provider: Option<Label>,
    /// The model's name.
    pub model: Option<Label>,
    /// The tenant's name; empty for calls without a tenant.
    pub tenant: Option<Label>,
    /// What the group adds up to.
    pub totals: Totals,
}

/// Adds up the rows of one or more snapshots by name.
///
/// ```
/// use quipu::{By, Recorder, RollUp, UsageRecord};
/// # let recorder = Recorder::in_memory();
/// # let usage = UsageRecord::new(recorder.model("openai", "gpt-4o")?);
/// # recorder.record(usage)?;
/// # recorder.flush(std::time::Duration::from_secs(5))?;
/// let mut roll_up = RollUp::new(By { provider: true, ..By::default() });
/// roll_up.add(&recorder.snapshot());
/// for group in roll_up.groups() {
///     println!("{:?}: {} requests", group.provider, group.totals.requests);
/// }
/// assert_eq!(roll_up.total().requests, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RollUp {
    by: By,
    since: Option<Day>,
    until: Option<Day>,
    groups: BTreeMap<Key, Totals>,
    total: Totals,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    day: Option<Day>,
    hour: Option<u8>,
    provider: Option<Label>,
    model: Option<Label>,
    tenant: Option<Label>,
}

impl RollUp {
    /// An empty roll-up by these keys.
    #[must_use]
    pub fn new(by: By) -> Self {
        Self {
            by,
            ..Self::default()
        }
    }

    /// Leaves out what happened before `day`.
    #[must_use]
    pub fn since(mut self, day: Day) -> Self {
        self.since = Some(day);
        self
    }

    /// Leaves out what happened after `day`; the day itself counts.
    #[must_use]
    pub fn until(mut self, day: Day) -> Self {
        self.until = Some(day);
        self
    }

    /// Adds all of a snapshot's rows. Costs a few tens of nanoseconds per row,
    /// and one map look-up for each (model, tenant, bucket) that is new.
    pub fn add(&mut self, snapshot: &Snapshot) {
        for row in snapshot.rows.iter() {
            let (day, hour) = snapshot.width.locate(row.key.bucket());
            let inside = self.since.is_none_or(|since| day >= since)
                && self.until.is_none_or(|until| day <= until);
            if !inside {
                continue;
            }
            row.add_to(&mut self.total);
            // A histogram is of no tenant in particular.
            if self.by.tenant && row.key.kind() != RowKind::Usage {
                continue;
            }
            let key = self.key(snapshot, row, day, hour);
            row.add_to(self.groups.entry(key).or_default());
        }
    }

    fn key(&self, snapshot: &Snapshot, row: &Row, day: Day, hour: Option<u8>) -> Key {
        let by = self.by;
        let mut key = Key {
            day: by.day.then_some(day),
            hour: if by.hour { hour } else { None },
            ..Key::default()
        };
        if by.provider || by.model {
            let (provider, model) = snapshot.names.model(row.key.model());
            key.provider = by.provider.then_some(provider);
            key.model = by.model.then_some(model);
        }
        if by.tenant {
            key.tenant = Some(snapshot.names.tenant(row.key.tenant()));
        }
        key
    }

    /// The groups, sorted by their keys.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        self.groups
            .iter()
            .map(|(key, totals)| Group {
                day: key.day,
                hour: key.hour,
                provider: key.provider.clone(),
                model: key.model.clone(),
                tenant: key.tenant.clone(),
                totals: totals.clone(),
            })
            .collect()
    }

    /// What everything within the given days adds up to.
    #[must_use]
    pub const fn total(&self) -> &Totals {
        &self.total
    }
}
