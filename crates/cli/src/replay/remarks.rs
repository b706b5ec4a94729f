//! What is to be said about a trace beside its calls.

use super::bad_lines::BadLines;
use super::draft::Chunk;
use crate::format::plural;
use crate::trace::Doubt;

/// Lines that could not be read, and calls that could only be estimated.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) bad: BadLines,
    doubts: [u64; Doubt::ALL.len()],
}

impl Remarks {
    /// Keeps as many bad lines as are to be shown.
    pub(super) fn new(bad_lines: usize) -> Self {
        Self {
            bad: BadLines::new(bad_lines),
            doubts: Default::default(),
        }
    }

    /// Takes them out of a chunk.
    pub(super) fn take(&mut self, chunk: &mut Chunk) {
        chunk.bad.drain(..).for_each(|line| self.bad.push(line));
        for (sum, calls) in self.doubts.iter_mut().zip(chunk.doubts) {
            *sum += calls;
        }
    }

    /// A sentence for each kind of doubt that there was.
    pub(super) fn doubts(&self) -> impl Iterator<Item = String> {
        let doubts = Doubt::ALL.into_iter().zip(self.doubts);
        let doubts = doubts.filter(|(_, calls)| *calls > 0);
        doubts.map(|(doubt, calls)| {
            let what = match doubt {
                Doubt::StandIn => {
                    "the trace has no cache reads, the blocks of the prompt that repeat the one \
                     before stand in for them"
                }
                Doubt::Excess => {
                    "a part of the tokens was reported larger than the total it is part of, and \
                     was cut to it"
                }
            };
            format!("{}: {what}", plural(calls, "call"))
        })
    }
}
