//! The sequential model: what a store must have counted, with nothing of what
//! makes quipu quick or safe. A vector of calls, folded anew for each look.

use std::collections::{BTreeMap, BTreeSet};

use crate::call::{Call, DAY, HOUR, MODELS, TENANTS};
use crate::common::by_the_page::least;
use crate::common::counts::{Counts, Sums};
use crate::program::Limits;

/// A call under the names that it is counted by.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    call: Call,
    provider: &'static str,
    model: &'static str,
    tenant: &'static str,
    /// Of the bucket; `true` where the moment had to be cut to the range.
    bucket: (u64, bool),
    buckets_kept: usize,
}

/// What a sequential recorder would know.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) limits: Limits,
    pub(crate) clock: i128,
    pub(crate) hourly: bool,
    models: BTreeSet<usize>,
    tenants: BTreeSet<usize>,
    pub(crate) accepted: Vec<Named>,
    pub(crate) names_refused: u64,
    /// The least limit on rows that there ever was.
    least_rows: usize,
    /// Whether that limit is still the first one.
    rows_are_steady: bool,
}

const OTHER: &str = quipu::OTHER;

impl Model {
    pub(crate) fn new(limits: Limits, hourly: bool, clock: i128) -> Self {
        Self {
            limits,
            clock,
            hourly,
            models: BTreeSet::new(),
            tenants: BTreeSet::new(),
            accepted: Vec::new(),
            names_refused: 0,
            least_rows: limits.rows,
            rows_are_steady: true,
        }
    }

    /// The store was closed and is opened again with other limits.
    pub(crate) fn limit(&mut self, limits: Limits) {
        self.rows_are_steady &= self.limits.rows == limits.rows;
        self.limits = limits;
        self.least_rows = self.least_rows.min(self.limits.rows);
    }

    /// Whether there was a row for each key of the first `n` calls, at any
    /// time.
    pub(crate) fn has_room(&self, n: usize) -> bool {
        self.most_rows(n) <= self.least_rows
    }

    /// Rows that the first `n` calls may take: for what was in a bucket of its
    /// own and for what is in `older`.
    fn most_rows(&self, n: usize) -> usize {
        let mut keys = BTreeSet::new();
        for named in &self.accepted[..n] {
            let (bucket, model) = (named.bucket.0, (named.provider, named.model));
            keys.insert((0, bucket, model, named.tenant, 0));
            for (kind, us) in [(1, named.call.latency), (2, named.call.ttft)] {
                if let Some(us) = us {
                    keys.insert((kind, bucket, model, "", us));
                }
            }
        }
        2 * keys.len()
    }

    /// Whether each bucket's calls are counted in that bucket, under some
    /// name: there is a reserve for it, unless limits were lowered later.
    pub(crate) fn keeps_buckets(&self) -> bool {
        self.rows_are_steady
    }

    pub(crate) fn models(&self) -> u64 {
        self.models.len() as u64
    }

    pub(crate) fn tenants(&self) -> u64 {
        self.tenants.len() as u64
    }

    /// Gives a call its names, whether or not it will be accepted.
    pub(crate) fn name(&mut self, call: &Call) -> Named {
        let fits = |name: &str| !name.is_empty() && name.len() <= self.limits.name_len;
        let (mut provider, mut model) = MODELS[call.model];
        let is_new = (provider, model) != (OTHER, OTHER) && !self.models.contains(&call.model);
        if is_new && fits(provider) && fits(model) && self.models.len() < self.limits.models {
            self.models.insert(call.model);
        } else if is_new {
            (provider, model) = (OTHER, OTHER);
            self.names_refused += 1;
        }
        let mut tenant = TENANTS[call.tenant].unwrap_or_default();
        let is_named = TENANTS[call.tenant].is_some() && tenant != OTHER;
        let is_new = is_named && !self.tenants.contains(&call.tenant);
        if is_new && fits(tenant) && self.tenants.len() < self.limits.tenants {
            self.tenants.insert(call.tenant);
        } else if is_new {
            tenant = OTHER;
            self.names_refused += 1;
        }
        let at = call.at.unwrap_or(self.clock);
        let cut = at.clamp(0, u64::MAX.into());
        let bucket = cut / if self.hourly { HOUR } else { DAY };
        Named {
            call: call.clone(),
            provider,
            model,
            tenant,
            bucket: (bucket as u64, cut != at),
            buckets_kept: self.limits.buckets,
        }
    }

    /// What the first `n` accepted calls add up to, where rows have room.
    pub(crate) fn counts(&self, n: usize) -> Counts {
        // Of all buckets the latest so many are kept apart; when one begins, the
        // oldest goes to `older` for good.
        let mut older = Vec::new();
        let mut kept = BTreeMap::<u64, Vec<&Named>>::new();
        for named in &self.accepted[..n] {
            let bucket = named.bucket.0;
            while !kept.contains_key(&bucket) && kept.len() >= named.buckets_kept {
                match kept.first_entry() {
                    Some(oldest) if *oldest.key() < bucket => older.append(&mut oldest.remove()),
                    _ => break,
                }
            }
            if kept.contains_key(&bucket) || kept.len() < named.buckets_kept {
                kept.entry(bucket).or_default().push(named);
            } else {
                older.push(named);
            }
        }
        let mut counts = Counts::default();
        for named in older {
            named.add_to(&mut counts, false, self.hourly);
        }
        for named in kept.into_values().flatten() {
            named.add_to(&mut counts, true, self.hourly);
        }
        counts
    }
}

impl Named {
    /// Adds the call as the file's page says that it is counted.
    fn add_to(&self, counts: &mut Counts, is_kept: bool, hourly: bool) {
        let Self {
            call,
            bucket: (bucket, was_cut),
            ..
        } = self;
        let day = if hourly { bucket / 24 } else { *bucket };
        let key = (
            is_kept.then_some(day),
            (hourly && is_kept).then_some(bucket % 24),
            self.provider.to_owned(),
            self.model.to_owned(),
        );
        for (us, histograms) in [
            (call.latency, &mut counts.latencies),
            (call.ttft, &mut counts.times_to_first_token),
        ] {
            if let Some(us) = us.map(most) {
                let lows = (0..464).map(least);
                let low = lows.take_while(|low| *low <= us).last().unwrap();
                let buckets = histograms.entry(key.clone()).or_default();
                *buckets.entry(low).or_default() += 1;
            }
        }
        let sums = counts.rows.entry((key, self.tenant.to_owned()));
        let sums: &mut Sums = sums.or_default();
        sums.add(0, 1);
        if call.outcome != 0 {
            sums.add(call.outcome, 1);
        }
        for (kind, tokens) in call.tokens.iter().enumerate() {
            sums.add(8 + kind, tokens.map_or(0, most));
            sums.add(14 + kind, tokens.is_some().into());
        }
        for (counter, value) in [
            (20, call.cost),
            (22, call.latency.map(most)),
            (24, call.ttft.map(most)),
        ] {
            sums.add(counter, value.unwrap_or(0));
            sums.add(counter + 1, value.is_some().into());
        }
        sums.add(26, call.streamed.into());
        sums.add(27, call.estimated.into());
        let small = call.tokens.iter().chain([&call.latency, &call.ttft]);
        sums.saturated |= *was_cut || small.flatten().any(|n| *n != most(*n));
    }
}

/// The value as a field of 32 bits holds it.
fn most(value: u64) -> u64 {
    value.min(u32::MAX.into())
}
