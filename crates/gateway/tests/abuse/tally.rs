//! What clients saw.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::plan::{Manner, Request};

/// How a request ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// An answer with this status, to its end.
    Whole(u16),
    /// An answer with this status that was cut.
    Cut(u16),
    /// A connection that was closed, or refused.
    Closed,
    /// The client left, as it meant to.
    Left,
    /// Nothing for so long that something is wrong.
    Stuck,
}

#[derive(Debug, Default)]
struct Counts {
    ends: BTreeMap<(Manner, End), u64>,
    input: u64,
}

/// Counts by what the client did and saw.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

impl Tally {
    pub(crate) fn note(&self, request: &Request, end: End, states_usage: bool) {
        let mut counts = self.0.lock().unwrap();
        *counts.ends.entry((request.manner, end)).or_default() += 1;
        if states_usage {
            counts.input += request.input;
        }
    }

    /// How many there were of these.
    pub(crate) fn count(&self, is_meant: impl Fn(Manner, End) -> bool) -> u64 {
        let counts = self.0.lock().unwrap();
        let ends = counts.ends.iter();
        let meant = ends.filter(|((manner, end), _)| is_meant(*manner, *end));
        meant.map(|(_, count)| count).sum()
    }

    /// Tokens of input that whole answers stated.
    pub(crate) fn input(&self) -> u64 {
        self.0.lock().unwrap().input
    }

    pub(crate) fn print(&self) {
        for ((manner, end), count) in &self.0.lock().unwrap().ends {
            println!("  {count:>8}  {manner:?}: {end:?}");
        }
    }
}
