//! Server-sent events, as the HTML standard has them: lines end with CR, LF or
//! both, a blank line ends an event, the `data` lines of one event belong
//! together.

use super::Ending;
use crate::json::Scanner;
use crate::usage::fields::{Mark, fields};
use crate::usage::reading::Reading;

/// What OpenAI ends a stream with.
const DONE: &[u8] = b"[DONE]";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    Start,
    /// In the name of a field; as many bytes of "data" match.
    Name(u8),
    /// After the colon of `data`: one blank may follow.
    Blank,
    /// In the value of `data`; as many bytes of [`DONE`] match.
    Done(u8),
    Data,
    /// In a line that doesn't matter.
    Ignored,
}

/// A stream of events whose data is JSON.
#[derive(Clone, Debug)]
pub(crate) struct Sse {
    scanner: Scanner,
    state: State,
    /// The last byte was CR: an LF now belongs to it.
    is_after_cr: bool,
    has_data: bool,
    events: u64,
    is_malformed: bool,
}

impl Default for Sse {
    fn default() -> Self {
        Self {
            scanner: Scanner::new(fields().paths()),
            state: State::Start,
            is_after_cr: false,
            has_data: false,
            events: 0,
            is_malformed: false,
        }
    }
}

impl Sse {
    pub(crate) fn push(&mut self, mut bytes: &[u8], reading: &mut Reading) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.is_after_cr && byte == b'\n' {
                self.is_after_cr = false;
                bytes = rest;
                continue;
            }
            self.is_after_cr = false;
            if matches!(self.state, State::Data | State::Ignored) {
                let at = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
                let (run, behind) = bytes.split_at(at);
                if self.state == State::Data {
                    self.scanner.push(run, reading);
                }
                let Some((&end, behind)) = behind.split_first() else {
                    return;
                };
                self.line_ends(end, reading);
                bytes = behind;
            } else {
                bytes = self.step(byte, bytes, rest, reading);
            }
        }
    }

    /// One byte where the line isn't clear yet; gives what is to be read next.
    fn step<'a>(
        &mut self,
        byte: u8,
        bytes: &'a [u8],
        rest: &'a [u8],
        reading: &mut Reading,
    ) -> &'a [u8] {
        let is_end = matches!(byte, b'\r' | b'\n');
        match self.state {
            State::Start if is_end => self.event_ends(byte, reading),
            _ if is_end => self.line_ends(byte, reading),
            State::Start => {
                self.state = State::Name(0);
                return bytes;
            }
            State::Name(matched) => {
                self.state = match (b"data".get(usize::from(matched)), byte) {
                    (Some(letter), _) if *letter == byte => State::Name(matched + 1),
                    (None, b':') => {
                        self.begin_data(reading);
                        State::Blank
                    }
                    _ => State::Ignored,
                };
            }
            State::Blank => {
                self.state = State::Done(0);
                if byte != b' ' {
                    return bytes;
                }
            }
            State::Done(matched) => {
                if DONE.get(usize::from(matched)) == Some(&byte) {
                    self.state = State::Done(matched + 1);
                } else {
                    self.flush(matched, reading);
                    self.state = State::Data;
                    return bytes;
                }
            }
            State::Data | State::Ignored => {}
        }
        rest
    }

    fn begin_data(&mut self, reading: &mut Reading) {
        if self.has_data {
            // Lines of one event are joined by LF.
            self.scanner.push(b"\n", reading);
        }
        self.has_data = true;
    }

    /// Bytes that looked like the beginning of [`DONE`] and weren't.
    fn flush(&mut self, matched: u8, reading: &mut Reading) {
        let held = DONE.get(..usize::from(matched)).unwrap_or_default();
        self.scanner.push(held, reading);
    }

    fn line_ends(&mut self, end: u8, reading: &mut Reading) {
        match self.state {
            State::Done(matched) if usize::from(matched) == DONE.len() => {
                reading.mark(Mark::Ended);
            }
            State::Done(matched) => self.flush(matched, reading),
            _ => {}
        }
        self.is_after_cr = end == b'\r';
        self.state = State::Start;
    }

    fn event_ends(&mut self, end: u8, reading: &mut Reading) {
        self.is_after_cr = end == b'\r';
        self.finish_event(reading);
    }

    fn finish_event(&mut self, reading: &mut Reading) {
        if !self.has_data {
            return;
        }
        self.has_data = false;
        self.events += 1;
        self.scanner.end(reading);
        if self.scanner.is_at_rest() {
            reading.commit();
        } else {
            self.is_malformed = true;
            reading.discard();
            self.scanner.reset();
        }
    }

    pub(crate) fn end(&mut self, reading: &mut Reading) -> Ending {
        if let State::Done(_) = self.state {
            self.line_ends(b'\n', reading);
        }
        let is_whole = self.scanner.is_at_rest();
        if is_whole {
            // The last blank line may be missing.
            self.finish_event(reading);
        } else if self.scanner.is_broken() {
            self.is_malformed = true;
            reading.discard();
        } else {
            // What was said before the stream was cut was said.
            reading.commit();
        }
        Ending {
            documents: self.scanner.documents().max(self.events),
            is_whole,
            is_malformed: self.is_malformed,
        }
    }
}
