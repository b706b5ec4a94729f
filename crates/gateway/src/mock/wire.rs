//! Writing JSON and events.

use serde::Serialize;

use super::amounts::Kinds;

/// Writes a value as JSON.
pub(super) fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    // Memory takes everything, and all keys are strings.
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Writes an event that has a name.
pub(super) fn named_event(out: &mut Vec<u8>, name: &str, value: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'\n');
    event(out, value);
}

/// Writes an event that has none.
pub(super) fn event(out: &mut Vec<u8>, value: &impl Serialize) {
    out.extend_from_slice(b"data: ");
    json(out, value);
    out.extend_from_slice(b"\n\n");
}

/// The events of a stream: some at its beginning, one for each piece of text,
/// some at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Events before the first piece.
    pub(super) head: u64,
    /// Pieces.
    pub(super) pieces: u64,
    /// Events after the last.
    pub(super) tail: u64,
}

/// Where in a stream an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the head, at this place in it.
    Head(u64),
    Piece,
    /// In the tail, at this place in it.
    Tail(u64),
}

impl Layout {
    /// How many events there are.
    pub(super) const fn events(self) -> u64 {
        self.text_end() + self.tail
    }

    /// The first event behind the text.
    pub(super) const fn text_end(self) -> u64 {
        self.head + self.pieces
    }

    /// Whether time passes before this event.
    pub(super) const fn is_paced(self, event: u64) -> bool {
        event > self.head && event < self.text_end()
    }

    pub(super) const fn place(self, event: u64) -> Place {
        if event < self.head {
            Place::Head(event)
        } else if event < self.text_end() {
            Place::Piece
        } else {
            Place::Tail(event - self.text_end())
        }
    }
}

/// The counts that what was just written states.
pub(super) type Stated = Option<Kinds>;
