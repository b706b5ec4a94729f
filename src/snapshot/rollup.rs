//! Roll-ups: rows added up by the keys that a report asks for.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::Snapshot;
use crate::bucket::{BucketIndex, Day};
use crate::ledger::{KeyHasher, RowKind};
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
    /// By model. Models of the same name at different providers are one group
    /// unless `provider` is set too.
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
    /// Of each snapshot its groups; those of different snapshots with the
    /// same key are merged when they are asked for.
    groups: Vec<(Key, Totals)>,
    total: Totals,
}

/// A key as ids of one snapshot.
type Ids = (Option<BucketIndex>, Option<u16>, Option<u32>);

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    day: Option<Day>,
    hour: Option<u8>,
    provider: Option<Label>,
    model: Option<Label>,
    tenant: Option<Label>,
}

impl Key {
    fn with(self, totals: Totals) -> Group {
        Group {
            day: self.day,
            hour: self.hour,
            provider: self.provider,
            model: self.model,
            tenant: self.tenant,
            totals,
        }
    }
}

impl By {
    /// The key that `ids` stand for.
    fn key(self, snapshot: &Snapshot, ids: Ids, day: Day, hour: Option<u8>) -> Key {
        let (_, model, tenant) = ids;
        let (provider, model) = model.map(|id| snapshot.names.model(id)).unzip();
        Key {
            day: self.day.then_some(day),
            hour: if self.hour { hour } else { None },
            provider: provider.filter(|_| self.provider),
            model: model.filter(|_| self.model),
            tenant: tenant.map(|id| snapshot.names.tenant(id)),
        }
    }
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

    /// Adds all of a snapshot's rows: some hundred nanoseconds for each row
    /// and each group.
    pub fn add(&mut self, snapshot: &Snapshot) {
        let first = self.groups.len();
        let mut places: HashMap<Ids, usize, BuildHasherDefault<KeyHasher>> = HashMap::default();
        for row in snapshot.rows.iter() {
            let bucket = row.key.bucket();
            let (day, hour) = snapshot.width.locate(bucket);
            let inside = self.since.is_none_or(|since| day >= since)
                && self.until.is_none_or(|until| day <= until);
            if !inside {
                continue;
            }
            if row.key.kind() == RowKind::Salvaged {
                continue;
            }
            row.add_to(&mut self.total);
            // A histogram is of no tenant in particular.
            if self.by.tenant && row.key.kind() != RowKind::Usage {
                continue;
            }
            let by = self.by;
            let ids = (
                (by.day || by.hour).then_some(bucket),
                (by.provider || by.model).then_some(row.key.model()),
                by.tenant.then_some(row.key.tenant()),
            );
            let place = *places.entry(ids).or_insert_with(|| {
                let key = by.key(snapshot, ids, day, hour);
                self.groups.push((key, Totals::default()));
                self.groups.len() - 1
            });
            row.add_to(&mut self.groups[place].1);
        }
        debug_assert_eq!(self.groups.len() - first, places.len());
    }

    /// The groups, sorted by their keys.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        self.clone().into_groups()
    }

    /// The groups, sorted by their keys.
    pub(super) fn into_groups(mut self) -> Vec<Group> {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_unstable_by(|a, b| self.groups[*a].0.cmp(&self.groups[*b].0));
        let mut groups: Vec<Group> = Vec::with_capacity(order.len());
        let mut last = None;
        for place in order {
            let (key, totals) = &mut self.groups[place];
            match groups.last_mut() {
                Some(group) if last.as_ref() == Some(key) => group.totals.merge(totals),
                _ => {
                    last = Some(key.clone());
                    groups.push(key.clone().with(std::mem::take(totals)));
                }
            }
        }
        groups
    }

    /// What everything within the given days adds up to.
    #[must_use]
    pub const fn total(&self) -> &Totals {
        &self.total
    }
}
