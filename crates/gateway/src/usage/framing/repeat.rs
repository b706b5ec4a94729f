//! Events that say nothing new. Most events of a stream differ from the one
//! before them only in values that nobody asks for: a piece of text, a number of
//! their own. Where the one before gave no counts, such an event changes
//! nothing, and it is enough to see that it is one.

use crate::json::Unread;

/// Longest event that is kept, in bytes.
const LONGEST: usize = 1024;

/// As many values of an event may differ.
const MOST: usize = 24;

/// A value that may differ, by its place in the event.
#[derive(Clone, Copy, Debug)]
struct Hole {
    start: usize,
    end: usize,
    value: Unread,
}

/// The last event, from the first byte of its first line to its blank line.
#[derive(Clone, Debug, Default)]
pub(super) struct Repeat {
    event: Vec<u8>,
    holes: Vec<Hole>,
    /// The event was read, and changed nothing that another like it would change
    /// again.
    is_known: bool,
}

impl Repeat {
    /// What is behind an event that `bytes` begin with, if that is like the last
    /// one.
    pub(super) fn behind_another<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if !self.is_known {
            return None;
        }
        let (mut place, mut rest) = (0, bytes);
        loop {
            let known = self.event.get(place..)?;
            let same = common(known, rest);
            if same == known.len() {
                return rest.get(same..);
            }
            // The value that differs is read from its beginning: the difference
            // may be behind a backslash.
            let differs = place + same;
            let hole = self.holes.iter().find(|hole| differs <= hole.end)?;
            let begins = hole
                .start
                .checked_sub(place)
                .filter(|begins| *begins <= same)?;
            let value = rest.get(begins..)?;
            rest = hole.value.behind_another(value)?;
            // A line's end would end more than the value.
            let (value, _) = value.split_at_checked(value.len().checked_sub(rest.len())?)?;
            if memchr::memchr2(b'\n', b'\r', value).is_some() {
                return None;
            }
            place = hole.end;
        }
    }

    /// An event begins: keeps it, if all of it is there.
    pub(super) fn begin(&mut self, bytes: &[u8]) {
        self.is_known = false;
        self.event.clear();
        self.holes.clear();
        let head = bytes.get(..LONGEST).unwrap_or(bytes);
        let mut ends = memchr::memchr_iter(b'\n', head);
        let end = ends.find(|end| head.get(end + 1) == Some(&b'\n'));
        let event = end.and_then(|end| head.get(..end + 2)).unwrap_or_default();
        // A CR ends a line, too.
        if memchr::memchr(b'\r', event).is_none() {
            self.event.extend_from_slice(event);
        }
    }

    /// A value that may differ, in a part of the event behind which so many bytes
    /// of it follow.
    pub(super) fn may_differ(&mut self, value: Unread, left: usize) {
        if let Some((start, end)) = value.place(self.event.len(), left)
            && self.holes.len() < MOST
        {
            self.holes.push(Hole { start, end, value });
        }
    }

    /// The event ended; it is known from now on, or not worth it.
    pub(super) fn end(&mut self, changes_nothing: bool) {
        self.is_known = changes_nothing && !self.event.is_empty();
    }

    /// Bytes of the event.
    pub(super) fn len(&self) -> usize {
        self.event.len()
    }
}

/// As many bytes at the beginning are the same.
fn common(one: &[u8], other: &[u8]) -> usize {
    const STEP: usize = 32;
    let (ones, _) = one.as_chunks::<STEP>();
    let (others, _) = other.as_chunks::<STEP>();
    let chunks = ones.iter().zip(others).take_while(|(a, b)| a == b).count();
    let same = chunks * STEP;
    let rest = one.iter().skip(same).zip(other.iter().skip(same));
    same + rest.take_while(|(a, b)| a == b).count()
}
