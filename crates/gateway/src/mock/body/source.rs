//! What a body is written from.

use std::time::Duration;

use bytes::Bytes;

use super::gzip::Gzip;
use super::padding::Padding;
use crate::mock::amounts::Kinds;
use crate::mock::call::Call;
use crate::mock::interface::Interface;

/// What stands for text that isn't UTF-8, until the event is written: three
/// bytes, as many as what takes its place.
pub(crate) const SPOILED: &str = "\u{fffd}";
const NOT_UTF8: &[u8] = b"\xff\xfe\xfd";

/// Where bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// From nowhere any more.
    Done,
    Events(Box<Events>),
    Padding(Padding),
}

impl Source {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Time that is to pass first; it is told once.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        match self {
            Self::Events(events) => events.pause(),
            Self::Done | Self::Padding(_) => None,
        }
    }

    /// The next bytes, and the counts that they state.
    pub(super) fn next(&mut self) -> (Bytes, Option<Kinds>) {
        let (bytes, stated, is_last) = match self {
            Self::Done => return (Bytes::new(), None),
            Self::Events(events) => events.next(),
            Self::Padding(padding) => match padding.next() {
                Some(bytes) => return (bytes, None),
                None => (Bytes::new(), None, true),
            },
        };
        if is_last {
            *self = Self::Done;
        }
        (bytes, stated)
    }
}

/// The events of a stream.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) interface: Interface,
    pub(crate) call: Call,
    /// How many of them come.
    pub(crate) end: u64,
    /// Whether one more says that something went wrong.
    pub(crate) ends_with_error: bool,
    pub(crate) gap: Duration,
    pub(crate) gzip: Option<Gzip>,
    next: u64,
    has_paused: bool,
}

impl Events {
    /// All events of an answer, one after the other.
    pub(crate) fn new(interface: Interface, call: Call) -> Self {
        let end = interface.layout(&call).events();
        Self {
            interface,
            call,
            end,
            ends_with_error: false,
            gap: Duration::ZERO,
            gzip: None,
            next: 0,
            has_paused: false,
        }
    }

    fn pause(&mut self) -> Option<Duration> {
        let is_paced = self.interface.layout(&self.call).is_paced(self.next);
        if self.gap.is_zero() || !is_paced || self.has_paused {
            return None;
        }
        self.has_paused = true;
        Some(self.gap)
    }

    /// The next event, its counts, and whether it is the last.
    fn next(&mut self) -> (Bytes, Option<Kinds>, bool) {
        self.has_paused = false;
        let mut bytes = Vec::new();
        let mut stated = None;
        if self.next < self.end {
            stated = self.interface.write(&self.call, self.next, &mut bytes);
        } else if self.ends_with_error {
            self.interface.write_error(self.next, &mut bytes);
        }
        self.next += 1;
        let is_last = self.next >= self.end + u64::from(self.ends_with_error);
        if self.call.piece.contains(SPOILED) {
            spoil(&mut bytes);
        }
        let bytes = match &mut self.gzip {
            Some(gzip) => gzip.event(&bytes, is_last),
            None => bytes,
        };
        (Bytes::from(bytes), stated, is_last)
    }
}

/// Makes text that was written to be spoiled no UTF-8.
pub(crate) fn spoil(bytes: &mut [u8]) {
    let places: Vec<usize> = memchr::memmem::find_iter(bytes, SPOILED).collect();
    for place in places {
        if let Some(bytes) = bytes.get_mut(place..place + NOT_UTF8.len()) {
            bytes.copy_from_slice(NOT_UTF8);
        }
    }
}
