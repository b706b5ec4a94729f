//! Two versions of one thing: the protocol by which the writer replaces it
//! and readers copy it, without a lock and never torn.
//!
//! ```text
//!   word 0        words 1 ..= N-2            word N-1
//! +------------+---------------------------+----------+
//! | generation | payload                   | checksum |   version 0
//! +------------+---------------------------+----------+
//! | generation | payload                   | checksum |   version 1
//! +------------+---------------------------+----------+
//! ```
//!
//! At committed generation `g` the thing's value is that of the version with
//! the greatest generation that is not above `g`. Commit `g + 1` overwrites
//! the other version. A version with generation 0 has no value, and one that
//! is being written is above every generation.
//!
//! # Orderings
//!
//! The writer marks the version with `Release`, a release fence, the words,
//! then the generation with `Release`. The reader loads both generations with
//! `Acquire`, copies the words of one version, an acquire fence, and loads its
//! generation again: where it changed, the words may be mixed and are not used
//! (I6). All words are relaxed atomics: a torn copy is a wrong value, never
//! undefined.
//!
//! The two generations are not loaded in one instant. A version that was seen
//! before the other one was overwritten may itself have been overwritten one
//! commit earlier. Who sees the later mark sees the earlier one too, for the
//! release fence stands between them; so a choice holds only if the generation
//! of the chosen version is still the same after both were loaded.

use crate::disk::Mappable;
use crate::disk::format::checksum;
use crate::fault::point;
use crate::sync::{AtomicU64, Ordering, fence};

/// The generation of a version that is being written. Not 0: a pair both of
/// whose versions are seen in writing, one commit after the other, has a value.
const IN_WRITING: u64 = u64::MAX;

/// Two versions of `N` words.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Pair<const N: usize> {
    versions: [[AtomicU64; N]; 2],
}

// SAFETY: atomics only, any bits, no drop, alignment 64; `N` is a multiple of
// 8 wherever a pair is placed, so there is no padding (I6).
unsafe impl<const N: usize> Mappable for Pair<N> {}

impl<const N: usize> Default for Pair<N> {
    fn default() -> Self {
        Self {
            versions: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
        }
    }
}

/// Which value it is: two of different content differ in one of these, but for
/// one chance in four thousand million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) generation: u64,
    pub(crate) checksum: u64,
}

/// Why a reader got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// Both versions are newer than what was asked for, or one was being
    /// written: ask again for a newer generation.
    Overtaken,
    /// There is no value yet.
    Absent,
    /// The words don't have their checksum: the file was damaged.
    Damaged(Unsound),
}

/// Why a version is not sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsound {
    /// Which of the two.
    pub(crate) version: usize,
    pub(crate) generation: u64,
}

impl<const N: usize> Pair<N> {
    /// Words without generation and checksum.
    pub(crate) const PAYLOAD: usize = N - 2;

    /// Writes `payload` as the value at generation `next`, which becomes
    /// visible when the caller commits it. `committed` is the generation that
    /// is visible now; its value stays as it is (I3).
    pub(crate) fn write(&self, committed: u64, next: u64, payload: &[u64]) -> Stamp {
        debug_assert!(payload.len() == Self::PAYLOAD && next > committed);
        let version = &self.versions[1 - self.current(committed).unwrap_or(1)];
        // Release: who sees the mark and looks again sees that a newer
        // generation is committed.
        version[0].store(IN_WRITING, Ordering::Release);
        // Release fence: a reader that copies one of the words stored below
        // sees the mark at its re-check, by the acquire fence before that.
        fence(Ordering::Release);
        for (to, word) in version[1..].iter().zip(payload) {
            to.store(*word, Ordering::Relaxed);
        }
        point!("commit: mid row");
        let checksum = checksum(next, payload);
        version[N - 1].store(checksum, Ordering::Relaxed);
        // Release: pairs with the Acquire of the generation in `copy`.
        version[0].store(next, Ordering::Release);
        Stamp {
            generation: next,
            checksum,
        }
    }

    /// Copies the value at generation `committed` to `payload`.
    pub(crate) fn copy(&self, committed: u64, payload: &mut [u64]) -> Result<Stamp, Missed> {
        debug_assert!(payload.len() == Self::PAYLOAD);
        let (version, generation) = self.choose(committed)?;
        for (word, from) in payload.iter_mut().zip(&self.versions[version][1..]) {
            *word = from.load(Ordering::Relaxed);
        }
        let sum = self.versions[version][N - 1].load(Ordering::Relaxed);
        // Acquire fence: keeps the copy before the re-check.
        fence(Ordering::Acquire);
        if !self.is_still(version, generation) {
            return Err(Missed::Overtaken);
        }
        if sum != checksum(generation, payload) {
            return Err(Missed::Damaged(Unsound {
                version,
                generation,
            }));
        }
        Ok(Stamp {
            generation,
            checksum: sum,
        })
    }

    /// Which generation a copy at `committed` would have; the words are not
    /// touched.
    pub(crate) fn generation(&self, committed: u64) -> Result<u64, Missed> {
        match self.choose(committed)? {
            (version, generation) if self.is_still(version, generation) => Ok(generation),
            _ => Err(Missed::Overtaken),
        }
    }

    /// Which version holds the value at `committed`, and its generation. For
    /// readers; it must be confirmed by `is_still`.
    fn choose(&self, committed: u64) -> Result<(usize, u64), Missed> {
        // Acquire: pairs with the Release of mark and generation in `write`.
        let generations = [0, 1].map(|v| self.versions[v][0].load(Ordering::Acquire));
        match newest(generations, committed) {
            Some(version) => Ok((version, generations[version])),
            None if committed == 0 || generations == [0, 0] => Err(Missed::Absent),
            None => Err(Missed::Overtaken),
        }
    }

    fn is_still(&self, version: usize, generation: u64) -> bool {
        // Acquire: who is overtaken sees at the next look that a newer
        // generation is committed.
        self.versions[version][0].load(Ordering::Acquire) == generation
    }

    /// Makes every version above `committed` one without a value: the commit
    /// it was written for never happened. For the writer, at open.
    pub(crate) fn scrub(&self, committed: u64) {
        for version in &self.versions {
            // Relaxed: nobody uses what is above the committed generation.
            if version[0].load(Ordering::Relaxed) > committed {
                version[0].store(0, Ordering::Relaxed);
            }
        }
    }

    /// Compares the checksum of each version that has a value and is not above
    /// `committed`. Not for use while a writer is at work.
    pub(crate) fn check(&self, committed: u64) -> Result<(), Unsound> {
        for version in 0..2 {
            let (generation, payload, sum) = self.version_words(version);
            if generation != 0 && generation <= committed && sum != checksum(generation, &payload) {
                return Err(Unsound {
                    version,
                    generation,
                });
            }
        }
        Ok(())
    }

    fn version_words(&self, version: usize) -> (u64, Vec<u64>, u64) {
        let words = &self.versions[version];
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let payload = words[1..N - 1].iter().map(load).collect();
        (load(&words[0]), payload, load(&words[N - 1]))
    }

    /// The version that holds the value at `committed`. For the writer.
    fn current(&self, committed: u64) -> Option<usize> {
        // Relaxed: only this thread writes.
        let generations = [0, 1].map(|v| self.versions[v][0].load(Ordering::Relaxed));
        newest(generations, committed)
    }
}

/// The version with the greatest generation from 1 to `committed`.
fn newest(generations: [u64; 2], committed: u64) -> Option<usize> {
    let valid = |g: u64| g != 0 && g <= committed;
    match generations.map(valid) {
        [true, true] => Some(usize::from(generations[1] > generations[0])),
        [true, false] => Some(0),
        [false, true] => Some(1),
        [false, false] => None,
    }
}
