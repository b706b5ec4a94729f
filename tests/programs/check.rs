//! What anybody sees of a store against what the model says.

use std::collections::BTreeMap;

use quipu::Snapshot;

use crate::common::counts::{Buckets, Counts, Key, Sums};
use crate::common::sums;
use crate::model::Model;
use crate::program::Eye;

/// The answer of a check: what is wrong, in words.
pub(crate) type Checked = Result<(), String>;

/// Gives what is wrong instead of panicking, so that a program can be shortened
/// without noise.
macro_rules! ensure {
    ($is:expr, $($words:tt)+) => {
        if !$is {
            return Err(format!($($words)+));
        }
    };
}
pub(crate) use ensure;

/// What somebody saw of a store.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) generation: u64,
    pub(crate) requests: usize,
    /// All counts.
    pub(crate) text: String,
    /// The same, where they didn't come as a text.
    pub(crate) counts: Option<Counts>,
}

impl View {
    /// Takes down what a snapshot holds, which must add up.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let total = sums::check(snapshot);
        let counts = Counts::of(snapshot);
        assert_eq!(counts.requests(), total.requests, "requests of rows");
        Self {
            generation: snapshot.generation(),
            requests: total.requests as usize,
            text: counts.to_string(),
            counts: Some(counts),
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What each generation counts, whoever sees it, and when.
    generations: BTreeMap<u64, String>,
    /// The last generation that each eye saw.
    last: BTreeMap<Eye, u64>,
}

impl Seen {
    /// Checks a view as somebody has it now. `is_sequential` says that it must
    /// be of the first calls that were accepted, not just of some.
    pub(crate) fn look(
        &mut self,
        eye: Eye,
        view: &View,
        model: &Model,
        is_sequential: bool,
    ) -> Checked {
        let View {
            generation, text, ..
        } = view;
        let last = self.last.insert(eye, *generation).unwrap_or(0);
        ensure!(
            *generation >= last,
            "generation {generation} is seen after {last}"
        );
        let known = self.generations.entry(*generation);
        let known = known.or_insert_with(|| text.clone());
        ensure!(
            known == text,
            "in generation {generation} is seen\n{text}and was\n{known}"
        );
        let n = view.requests;
        if is_sequential && model.has_room(n) {
            let expected = model.counts(n).to_string();
            ensure!(
                *text == expected,
                "after {n} calls is seen\n{text}and not\n{expected}"
            );
        }
        match &view.counts {
            Some(counts) if is_sequential => bounds(counts, n, model),
            Some(counts) => some(counts, model),
            None => Ok(()),
        }
    }
}

/// Counts of some of the calls: nobody knows which.
fn some(counts: &Counts, model: &Model) -> Checked {
    let some = total(counts).counters;
    let all = total(&model.counts(model.accepted.len())).counters;
    ensure!(
        some.iter().zip(all).all(|(n, all)| *n <= all),
        "{some:?} is more than all calls, {all:?}"
    );
    Ok(())
}

/// Counts of the first `n` calls: what also holds where there isn't a row for
/// each key, and some are counted in others.
fn bounds(counts: &Counts, n: usize, model: &Model) -> Checked {
    let expected = model.counts(n);
    let (found, right) = (total(counts), total(&expected));
    ensure!(
        found == right,
        "the total of {n} calls is\n{found:?}\nand not\n{right:?}"
    );
    for (what, found, right) in [
        ("latencies", &counts.latencies, &expected.latencies),
        (
            "times to first token",
            &counts.times_to_first_token,
            &expected.times_to_first_token,
        ),
    ] {
        let (found, right) = (all_buckets(found), all_buckets(right));
        ensure!(found == right, "{what} are {found:?} and not {right:?}");
    }
    if model.keeps_buckets() {
        let (found, right) = (by_bucket(counts), by_bucket(&expected));
        ensure!(
            found == right,
            "the buckets count\n{found:?}\nand not\n{right:?}"
        );
    }
    for ((key, tenant), sums) in &counts.rows {
        if tenant == quipu::OTHER {
            continue;
        }
        let most = expected.rows.get(&(key.clone(), tenant.clone()));
        let most = most.map(|sums| sums.counters).unwrap_or_default();
        ensure!(
            sums.counters.iter().zip(most).all(|(n, most)| *n <= most),
            "{key:?} of {tenant:?} counts\n{sums:?}\nof calls that are\n{most:?}"
        );
    }
    Ok(())
}

fn all_buckets(histograms: &BTreeMap<Key, Buckets>) -> Buckets {
    let mut sums = Buckets::new();
    for (low, n) in histograms.values().flatten() {
        *sums.entry(*low).or_default() += n;
    }
    sums
}

fn add(to: &mut Sums, sums: &Sums) {
    for (counter, n) in sums.counters.iter().enumerate() {
        to.add(counter, *n);
    }
    to.saturated |= sums.saturated;
}

fn total(counts: &Counts) -> Sums {
    let mut total = Sums::default();
    counts.rows.values().for_each(|sums| add(&mut total, sums));
    total
}

fn by_bucket(counts: &Counts) -> BTreeMap<(Option<u64>, Option<u64>), Sums> {
    let mut buckets = BTreeMap::<_, Sums>::new();
    for (((day, hour, ..), _), sums) in &counts.rows {
        add(buckets.entry((*day, *hour)).or_default(), sums);
    }
    buckets
}
