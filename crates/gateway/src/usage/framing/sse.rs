//! Server-sent events, as the HTML standard has them: lines end with CR, LF or
//! both, a blank line ends an event, the `data` lines of one event belong
//! together.

use super::Ending;
use super::framed::{Frame, Framed};
use super::repeat::Repeat;
use crate::json::{Scanner, Unread};
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
    /// The next line is an event's first.
    begins: bool,
    /// The last byte was CR: an LF now belongs to it.
    is_after_cr: bool,
    has_data: bool,
    events: u64,
    is_malformed: bool,
    repeat: Repeat,
}

/// Notes on the way what may differ in the next event.
struct Noted<'a> {
    repeat: &'a mut Repeat,
    /// Bytes of the event behind those that are read.
    left: usize,
}

impl Frame for Noted<'_> {
    fn unread(&mut self, value: Unread) {
        self.repeat.may_differ(value, self.left);
    }
}

impl Default for Sse {
    fn default() -> Self {
        Self {
            scanner: Scanner::new(fields().paths()),
            state: State::Start,
            begins: true,
            is_after_cr: false,
            has_data: false,
            events: 0,
            is_malformed: false,
            repeat: Repeat::default(),
        }
    }
}

impl Sse {
    pub(crate) fn push(&mut self, mut bytes: &[u8], reading: &mut Reading) {
        // Bytes behind the event, where all of it is there.
        let mut behind_event = 0;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.is_after_cr && byte == b'\n' {
                self.is_after_cr = false;
                bytes = rest;
                continue;
            }
            self.is_after_cr = false;
            if self.begins && !is_line_end(byte) {
                if let Some(behind) = self.repeat.behind_another(bytes) {
                    self.events += 1;
                    bytes = behind;
                    continue;
                }
                self.begins = false;
                self.repeat.begin(bytes);
                behind_event = bytes.len() - self.repeat.len();
            }
            if matches!(self.state, State::Data | State::Ignored) {
                let at = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
                let (run, behind) = bytes.split_at(at);
                if self.state == State::Data {
                    let frame = Noted {
                        repeat: &mut self.repeat,
                        left: behind.len().saturating_sub(behind_event),
                    };
                    self.scanner.push(run, &mut Framed { reading, frame });
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
        let is_end = is_line_end(byte);
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
        self.begins = true;
        self.finish_event(reading);
    }

    fn finish_event(&mut self, reading: &mut Reading) {
        if !self.has_data {
            return;
        }
        self.has_data = false;
        self.events += 1;
        self.scanner.end(reading);
        let is_whole = self.scanner.is_at_rest();
        self.repeat.end(is_whole && !reading.has_counts());
        if is_whole {
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

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many events were read, and how many of them in full.
    fn read(stream: &str) -> (u64, u64) {
        let mut sse = Sse::default();
        sse.push(stream.as_bytes(), &mut Reading::default());
        (sse.events, sse.scanner.documents())
    }

    fn chat(content: &str, rest: &str) -> String {
        format!(
            "data: {{\"id\":\"c-1\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\
             \"{content}\"}},\"finish_reason\":null}}],{rest}\"usage\":null}}\n\n"
        )
    }

    #[test]
    fn events_that_differ_where_nobody_looks_are_read_once() {
        let contents = [
            "",
            "a",
            "b",
            "a knot",
            "\\\"",
            "\\\"a",
            "\\\\",
            "é, \\u00e9 and }",
            "last",
        ];
        let chats = contents.map(|content| chat(content, "")).concat();
        assert_eq!(read(&chats), (9, 1));
        let numbers = [1, 10, 100, 7].map(|number| chat("x", &format!("\"number\":{number},")));
        assert_eq!(read(&numbers.concat()), (4, 1));
        let deltas = ["one", "two", "three"].map(|text| {
            format!(
                "event: delta\ndata: {{\"type\":\"delta\",\"index\":0,\"text\":\"{text}\"}}\n\n"
            )
        });
        assert_eq!(read(&deltas.concat()), (3, 1));
    }

    #[test]
    fn events_that_may_say_something_are_read_in_full() {
        let counts = "data: {\"usage\":{\"prompt_tokens\":1}}\n\n";
        assert_eq!(read(&counts.repeat(3)), (3, 3), "counts");
        let models = ["m", "n", "m"].map(|model| format!("data: {{\"model\":\"{model}\"}}\n\n"));
        assert_eq!(read(&models.concat()), (3, 3), "another model");
        let ends = [chat("a", ""), chat("a", "").replace("null}]", "\"stop\"}]")];
        assert_eq!(read(&ends.concat()), (2, 2), "an end");
        // The quote behind the backslash ends no string.
        let broken = [chat("\\n", ""), chat("\\n", "").replace("\\n\"", "\\\"")];
        assert_eq!(read(&broken.concat()), (2, 1), "a string without an end");
        let between = [chat("a", ""), counts.to_owned(), chat("a", "")];
        assert_eq!(read(&between.concat()), (3, 3), "something else between");
    }
}
