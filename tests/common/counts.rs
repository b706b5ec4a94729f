//! All that a store counted, as a text that can be kept and compared.

use std::collections::BTreeMap;
use std::fmt;
use std::time::UNIX_EPOCH;

use quipu::{By, Day, Histogram, Outcome, RollUp, Snapshot, TokenKind, Totals};

/// Day since 1970 (`None` for what is older than the store keeps apart), hour,
/// provider and model.
pub(crate) type Key = (Option<u64>, Option<u64>, String, String);

/// The 28 counters of a row, as the file has them, and whether one of them has
/// saturated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) counters: [u64; 28],
    pub(crate) saturated: bool,
}

/// Counts by the least duration of a bucket.
pub(crate) type Buckets = BTreeMap<u64, u64>;

/// What a store counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// By tenant, too.
    pub(crate) rows: BTreeMap<(Key, String), Sums>,
    pub(crate) latencies: BTreeMap<Key, Buckets>,
    pub(crate) times_to_first_token: BTreeMap<Key, Buckets>,
}

impl Sums {
    pub(crate) fn add(&mut self, counter: usize, n: u64) {
        let (sum, overflow) = self.counters[counter].overflowing_add(n);
        self.counters[counter] = if overflow { u64::MAX } else { sum };
        self.saturated |= overflow;
    }
}

impl Counts {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let mut counts = Self::default();
        for row in snapshot.rows() {
            let key = key(row.day, row.hour, &row.provider, &row.model);
            let sums = sums(&row.totals);
            counts.rows.insert((key, row.tenant.to_string()), sums);
        }
        let mut by_model = RollUp::new(By {
            day: true,
            hour: true,
            provider: true,
            model: true,
            tenant: false,
        });
        by_model.add(snapshot);
        for group in by_model.groups() {
            let (provider, model) = (group.provider.unwrap(), group.model.unwrap());
            let key = key(group.day.unwrap(), group.hour, &provider, &model);
            let totals = group.totals;
            let put = |to: &mut BTreeMap<Key, Buckets>, histogram: &Histogram| {
                if !histogram.is_empty() {
                    let buckets = histogram.buckets().map(|(low, _, n)| (low, n));
                    to.insert(key.clone(), buckets.collect());
                }
            };
            put(&mut counts.latencies, &totals.latency.histogram);
            let ttft = &totals.time_to_first_token;
            put(&mut counts.times_to_first_token, &ttft.histogram);
        }
        counts
    }

    pub(crate) fn requests(&self) -> u64 {
        self.rows.values().map(|sums| sums.counters[0]).sum()
    }
}

fn key(day: Day, hour: Option<u8>, provider: &str, model: &str) -> Key {
    let start = day.start().map(|start| start.duration_since(UNIX_EPOCH));
    let day = start.map(|since| since.unwrap().as_secs() / 86_400);
    let hour = hour.map(u64::from);
    (day, hour, provider.to_owned(), model.to_owned())
}

/// The counters that these totals stand for.
fn sums(totals: &Totals) -> Sums {
    let mut counters = vec![totals.requests];
    counters.extend(Outcome::ALL[1..].iter().map(|it| totals.outcome(*it)));
    counters.extend(TokenKind::ALL.map(|kind| totals.token(kind)));
    counters.extend(totals.reported);
    let ttft = &totals.time_to_first_token;
    counters.extend([totals.cost_nanos, totals.priced]);
    counters.extend([totals.latency.sum_us, totals.latency.count]);
    counters.extend([ttft.sum_us, ttft.count]);
    counters.extend([totals.streamed, totals.estimated]);
    Sums {
        counters: counters.try_into().unwrap(),
        saturated: totals.saturated,
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |(day, hour, provider, model): &Key| {
            let day = day.map_or("older".to_owned(), |day| format!("day {day}"));
            let hour = hour.map_or(String::new(), |hour| format!(" hour {hour}"));
            format!("{day}{hour} {provider:?} {model:?}")
        };
        for ((key, tenant), Sums { counters: n, .. }) in &self.rows {
            write!(f, "{} tenant {tenant:?}: requests {}", place(key), n[0])?;
            write!(f, " failed {:?} tokens {:?}", &n[1..8], &n[8..14])?;
            write!(f, " reported {:?} cost {} of {}", &n[14..20], n[20], n[21])?;
            write!(f, " latency {} of {} first token", n[22], n[23])?;
            write!(f, " {} of {} streamed {}", n[24], n[25], n[26])?;
            writeln!(f, " estimated {}", n[27])?;
        }
        for ((key, tenant), _) in self.rows.iter().filter(|(_, sums)| sums.saturated) {
            writeln!(f, "{} tenant {tenant:?}: saturated", place(key))?;
        }
        for (what, all) in [
            ("latencies", &self.latencies),
            ("times to first token", &self.times_to_first_token),
        ] {
            for (key, buckets) in all {
                write!(f, "{} {what}:", place(key))?;
                for (low, n) in buckets {
                    write!(f, " {n} from {low}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
