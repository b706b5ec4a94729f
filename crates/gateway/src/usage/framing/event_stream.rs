//! Amazon's `application/vnd.amazon.eventstream`: binary messages, each with
//! its length, headers, a payload and two checksums.
//!
//! A payload is JSON that is read as it arrives; what it said counts when the
//! message's checksum is right. After a wrong checksum nothing is read any
//! more, since where the next message begins isn't known then.

use super::Ending;
use super::base64::Base64;
use super::framed::{Frame, Framed};
use crate::json::Scanner;
use crate::usage::fields::{Mark, fields};
use crate::usage::reading::Reading;

/// Length of the message, length of its headers, checksum of both.
const PRELUDE: usize = 12;

/// Checksum of the message.
const TRAILER: usize = 4;

/// Headers beyond this many bytes aren't looked at. Bedrock sends below 120.
const MOST_HEADERS: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Prelude,
    Headers,
    Payload,
    Trailer,
    Damaged,
}

/// A stream of messages.
#[derive(Clone, Debug)]
pub(crate) struct EventStream {
    state: State,
    /// Bytes of this part that are still to come.
    left: usize,
    payload: usize,
    held: [u8; MOST_HEADERS],
    len: usize,
    checksum: crc32fast::Hasher,
    envelope: Envelope,
    messages: u64,
}

/// The payload's JSON, and what may be packed in it.
#[derive(Clone, Debug)]
struct Envelope {
    outer: Scanner,
    inner: Inner,
}

#[derive(Clone, Debug)]
struct Inner {
    scanner: Scanner,
    base64: Base64,
    is_malformed: bool,
}

impl Default for EventStream {
    fn default() -> Self {
        Self {
            state: State::Prelude,
            left: PRELUDE,
            payload: 0,
            held: [0; MOST_HEADERS],
            len: 0,
            checksum: crc32fast::Hasher::new(),
            envelope: Envelope {
                outer: Scanner::new(fields().paths()),
                inner: Inner {
                    scanner: Scanner::new(fields().paths()),
                    base64: Base64::default(),
                    is_malformed: false,
                },
            },
            messages: 0,
        }
    }
}

impl EventStream {
    pub(crate) fn push(&mut self, mut bytes: &[u8], reading: &mut Reading) {
        while !bytes.is_empty() && self.state != State::Damaged {
            let (part, rest) = bytes.split_at(self.left.min(bytes.len()));
            bytes = rest;
            self.left -= part.len();
            if self.state == State::Payload {
                self.envelope.push(part, reading);
            } else {
                self.hold(part);
            }
            if matches!(self.state, State::Headers | State::Payload) {
                self.checksum.update(part);
            }
            // A part may be empty, and then the next begins at once.
            while self.left == 0 && self.state != State::Damaged {
                self.next(reading);
            }
        }
    }

    fn hold(&mut self, part: &[u8]) {
        let end = (self.len + part.len()).min(MOST_HEADERS);
        if let Some(room) = self.held.get_mut(self.len..end)
            && let Some(part) = part.get(..room.len())
        {
            room.copy_from_slice(part);
        }
        self.len = end;
    }

    fn held(&self) -> &[u8] {
        self.held.get(..self.len).unwrap_or_default()
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.held().get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    /// A part is whole.
    fn next(&mut self, reading: &mut Reading) {
        let next = match self.state {
            State::Prelude => self.prelude(),
            State::Headers => {
                self.headers(reading);
                Some((State::Payload, self.payload))
            }
            State::Payload => Some((State::Trailer, TRAILER)),
            State::Trailer => self.trailer(reading),
            State::Damaged => None,
        };
        self.len = 0;
        (self.state, self.left) = next.unwrap_or_else(|| {
            reading.discard();
            (State::Damaged, 0)
        });
    }

    fn prelude(&mut self) -> Option<(State, usize)> {
        let total = usize::try_from(self.word(0)?).ok()?;
        let headers = usize::try_from(self.word(4)?).ok()?;
        let covered = self.held().get(..8)?;
        if crc32fast::hash(covered) != self.word(8)? {
            return None;
        }
        self.payload = total.checked_sub(PRELUDE + TRAILER)?.checked_sub(headers)?;
        self.checksum = crc32fast::Hasher::new();
        self.checksum.update(self.held.get(..PRELUDE)?);
        Some((State::Headers, headers))
    }

    fn headers(&self, reading: &mut Reading) {
        let mut headers = self.held();
        while let Some((name, value, rest)) = header(headers) {
            match (name, value) {
                // The last message of a Converse stream.
                (b":event-type", b"metadata") => reading.mark(Mark::Ended),
                (b":message-type", b"exception" | b"error") => reading.mark(Mark::Error),
                _ => {}
            }
            headers = rest;
        }
        reading.mark(Mark::OfBedrock);
    }

    fn trailer(&mut self, reading: &mut Reading) -> Option<(State, usize)> {
        let checksum = self.checksum.clone().finalize();
        if self.word(0)? != checksum {
            return None;
        }
        self.messages += 1;
        self.envelope.end(reading);
        Some((State::Prelude, PRELUDE))
    }

    pub(crate) fn end(&mut self, reading: &mut Reading) -> Ending {
        // A message that was cut has no checksum.
        reading.discard();
        let is_damaged = self.state == State::Damaged;
        Ending {
            documents: self.messages,
            is_whole: !is_damaged && self.state == State::Prelude && self.len == 0,
            is_malformed: is_damaged || self.envelope.inner.is_malformed,
        }
    }
}

/// The first header of several: its name, the value if it is a string, and
/// what is behind it.
fn header(headers: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name_len, rest) = headers.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*name_len))?;
    let (kind, rest) = rest.split_first()?;
    let (fixed, rest) = match kind {
        0 | 1 => (0, rest),
        2 => (1, rest),
        3 => (2, rest),
        4 => (4, rest),
        5 | 8 => (8, rest),
        9 => (16, rest),
        6 | 7 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(fixed)?;
    let value = if *kind == 7 { value } else { &[] };
    Some((name, value, rest))
}

impl Envelope {
    fn push(&mut self, bytes: &[u8], reading: &mut Reading) {
        let frame = Unpack(&mut self.inner);
        self.outer.push(bytes, &mut Framed { reading, frame });
    }

    /// The message is whole and sound.
    fn end(&mut self, reading: &mut Reading) {
        // A message without a payload, or one that isn't JSON, says nothing.
        if self.outer.is_at_rest() {
            reading.commit();
        } else {
            self.inner.is_malformed = true;
            reading.discard();
        }
        self.outer.reset();
        self.inner.scanner.reset();
        self.inner.base64 = Base64::default();
    }
}

/// Unpacks what is in the payload.
struct Unpack<'a>(&'a mut Inner);

impl Frame for Unpack<'_> {
    fn piece(&mut self, piece: &[u8], reading: &mut Reading) {
        let Inner {
            scanner, base64, ..
        } = self.0;
        base64.push(piece, |bytes| scanner.push(bytes, reading));
    }

    fn pieces_end(&mut self, reading: &mut Reading) {
        let Inner {
            scanner, base64, ..
        } = self.0;
        let is_good = base64.end(|bytes| scanner.push(bytes, reading));
        if !is_good || !scanner.is_at_rest() {
            self.0.is_malformed = true;
            reading.discard();
        }
        self.0.scanner.reset();
    }
}
