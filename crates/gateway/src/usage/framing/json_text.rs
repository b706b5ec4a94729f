//! A body that is JSON: one text, or one in each line.

use super::Ending;
use super::framed::{Frame, Framed};
use crate::json::Scanner;
use crate::usage::fields::fields;
use crate::usage::reading::Reading;

/// One JSON text after the other.
#[derive(Clone, Debug)]
pub(crate) struct JsonText {
    scanner: Scanner,
    /// A line ended right after a document: this is one in each line, so that
    /// after a bad line the next can be read.
    is_by_line: bool,
    is_malformed: bool,
}

impl Default for JsonText {
    fn default() -> Self {
        Self {
            scanner: Scanner::new(fields().paths()),
            is_by_line: false,
            is_malformed: false,
        }
    }
}

/// Lets each document count when it is whole.
struct Documents;

impl Frame for Documents {
    fn document(&mut self, reading: &mut Reading) {
        reading.commit();
    }
}

impl Documents {
    const fn of(reading: &mut Reading) -> Framed<'_, Self> {
        Framed {
            reading,
            frame: Self,
        }
    }
}

impl JsonText {
    pub(crate) fn push(&mut self, mut bytes: &[u8], reading: &mut Reading) {
        // Lines matter only between documents and after a bad one.
        while !bytes.is_empty() {
            if !self.is_by_line && !self.scanner.is_at_rest() && !self.scanner.is_broken() {
                bytes = self
                    .scanner
                    .push_document(bytes, &mut Documents::of(reading));
                if self.scanner.is_broken() {
                    self.is_malformed = true;
                    reading.discard();
                }
                continue;
            }
            let at = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (line, behind) = bytes.split_at(at);
            bytes = behind;
            self.scanner.push(line, &mut Documents::of(reading));
            let is_line_end = line.ends_with(b"\n");
            // A string can't hold a line end; where it does, and that isn't
            // one document in each line, there is nothing to gain by it.
            let is_cut_line = is_line_end && self.is_by_line && self.scanner.is_in_string();
            if self.scanner.is_broken() || is_cut_line {
                self.is_malformed = true;
                reading.discard();
                if is_line_end && self.is_by_line {
                    self.scanner.reset();
                }
            }
            if is_line_end {
                self.is_by_line |= self.scanner.is_at_rest() && self.scanner.documents() > 0;
            }
        }
    }

    pub(crate) fn end(&mut self, reading: &mut Reading) -> Ending {
        self.scanner.end(&mut Documents::of(reading));
        let is_whole = self.scanner.is_at_rest();
        if self.scanner.is_broken() {
            reading.discard();
        } else {
            // What was said before the body was cut was said.
            reading.commit();
        }
        Ending {
            documents: self.scanner.documents(),
            is_whole,
            is_malformed: self.is_malformed,
        }
    }
}
