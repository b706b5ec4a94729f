//! Programs: what a gateway, its operator and fate do to a store, one step
//! after the other. Every step can follow every other, so that a program that
//! fails can be shortened anywhere.

use std::fmt;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use quipu::{Bucket, Builder, Durability, Recorder};

use crate::call::{CLOCK_STANDS, CLOCKS, Call, calls, show_moment};

/// Limits on what is kept apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) rows: usize,
    pub(crate) buckets: usize,
    pub(crate) models: usize,
    pub(crate) tenants: usize,
    pub(crate) name_len: usize,
}

/// What may change at every opening, also after a kill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    pub(crate) shards: usize,
    pub(crate) slots: usize,
    pub(crate) flush_millis: u64,
    pub(crate) flush_records: u64,
    pub(crate) checkpoints: bool,
}

/// Who looks at the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Eye {
    /// The recorder's own snapshot.
    Recorder,
    /// A new reader in the recorder's process.
    Inside,
    /// A reader in another process, from before the first record on.
    Outside,
    /// A new reader in another process.
    Fresh,
}

/// One step of a program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Record(Call),
    /// Waits for a slot where there is none.
    Wait(Call),
    Batch(Vec<Call>),
    Flush,
    Look(Eye),
    /// The clock of the writer's machine is set.
    Clock(i128),
    /// Closes, then tries to record so many calls, then opens.
    Close(u64, Pace, Limits),
    /// Drops the recorder, then opens.
    Drop(Pace, Limits),
    /// Kills the writer while it may still be at work on a batch, then opens.
    Kill(Vec<Call>, Pace),
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) hourly: bool,
    pub(crate) limits: Limits,
    pub(crate) pace: Pace,
    pub(crate) steps: Vec<Step>,
}

impl Program {
    /// All programs of up to `most` steps.
    pub(crate) fn any(most: usize) -> impl Strategy<Value = Self> {
        let steps = vec(steps(), 1..=most);
        (any::<bool>(), limits(), paces(), steps).prop_map(|(hourly, limits, pace, steps)| Self {
            hourly,
            limits,
            pace,
            steps,
        })
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    // The first of each is where shrinking ends: no limit is reached.
    (
        select(&[10_000usize, 60, 12, 4, 1]),
        select(&[400usize, 3, 2, 1]),
        select(&[100usize, 2, 1]),
        select(&[100usize, 2, 1]),
        select(&[256usize, 8, 1]),
    )
        .prop_map(|(rows, buckets, models, tenants, name_len)| Limits {
            rows,
            buckets,
            models,
            tenants,
            name_len,
        })
}

fn paces() -> impl Strategy<Value = Pace> {
    (
        select(&[1usize, 2, 4]),
        select(&[64usize, 2, 8, 16]),
        select(&[3_600_000u64, 1, 5]),
        select(&[100_000u64, 1, 7]),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(shards, slots, flush_millis, flush_records, checkpoints)| Pace {
                shards,
                slots,
                flush_millis,
                flush_records,
                checkpoints,
            },
        )
}

fn steps() -> impl Strategy<Value = Step> {
    let eyes = select(&[Eye::Recorder, Eye::Inside, Eye::Outside, Eye::Fresh]);
    prop_oneof![
        6 => calls().prop_map(Step::Record),
        4 => calls().prop_map(Step::Wait),
        4 => vec(calls(), 0..12).prop_map(Step::Batch),
        3 => Just(Step::Flush),
        4 => eyes.prop_map(Step::Look),
        if CLOCK_STANDS { 2 } else { 0 } => select(&CLOCKS).prop_map(Step::Clock),
        1 => (0..3u64, paces(), limits())
            .prop_map(|(late, pace, limits)| Step::Close(late, pace, limits)),
        1 => (paces(), limits()).prop_map(|(pace, limits)| Step::Drop(pace, limits)),
        2 => (vec(calls(), 0..8), paces())
            .prop_map(|(unanswered, pace)| Step::Kill(unanswered, pace)),
    ]
}

/// The settings of an opening.
pub(crate) fn builder(hourly: bool, pace: Pace, limits: Limits) -> Builder {
    let number = |n: usize| u32::try_from(n).unwrap();
    Recorder::builder()
        .bucket(if hourly { Bucket::Hour } else { Bucket::Day })
        .shards(pace.shards)
        .shard_capacity(pace.slots)
        .flush_interval(Duration::from_millis(pace.flush_millis))
        .flush_records(pace.flush_records)
        .durability(match pace.checkpoints {
            true => Durability::Checkpoint(Duration::from_millis(10)),
            false => Durability::Process,
        })
        .max_rows(number(limits.rows))
        .buckets_kept(number(limits.buckets))
        .max_models(u16::try_from(limits.models).unwrap())
        .max_tenants(number(limits.tenants))
        .max_name_len(limits.name_len)
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, buckets, .. } = self;
        write!(f, "up to {rows} rows, {buckets} buckets, ")?;
        let Self {
            models,
            tenants,
            name_len,
            ..
        } = self;
        write!(f, "{models} models, {tenants} tenants, names of {name_len}")
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} shards of {} slots, ", self.shards, self.slots)?;
        write!(f, "flushed each {} ms or ", self.flush_millis)?;
        write!(f, "{} records", self.flush_records)?;
        f.write_str(if self.checkpoints {
            ", with checkpoints"
        } else {
            ""
        })
    }
}

fn list(f: &mut fmt::Formatter<'_>, calls: &[Call]) -> fmt::Result {
    calls
        .iter()
        .try_for_each(|call| write!(f, "\n           {call}"))
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(call) => write!(f, "record     {call}"),
            Self::Wait(call) => write!(f, "wait       {call}"),
            Self::Batch(calls) => {
                write!(f, "batch of   {}", calls.len())?;
                list(f, calls)
            }
            Self::Flush => f.write_str("flush"),
            Self::Look(eye) => write!(f, "look       {eye:?}"),
            Self::Clock(now) => write!(f, "set clock  {}", show_moment(*now)),
            Self::Close(late, pace, limits) => {
                write!(f, "close      and record {late} calls too late")?;
                write!(f, "\nopen       {pace},\n           {limits}")
            }
            Self::Drop(pace, limits) => {
                write!(f, "drop\nopen       {pace},\n           {limits}")
            }
            Self::Kill(unanswered, pace) => {
                write!(f, "kill       in a batch of {}", unanswered.len())?;
                list(f, unanswered)?;
                write!(f, "\nopen       {pace}")
            }
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = if self.hourly { "hours" } else { "days" };
        writeln!(f, "create     by {width}, {},", self.pace)?;
        writeln!(f, "           {}", self.limits)?;
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}
