//! What a document says goes to the reading; how it lies, to its frame.

use crate::json::{Bare, Node, Sink, Unread};
use crate::usage::reading::Reading;

/// What a frame wants to hear of the documents in it.
pub(super) trait Frame {
    /// A piece of a string that is handed on.
    fn piece(&mut self, _piece: &[u8], _reading: &mut Reading) {}
    /// Such a string ended.
    fn pieces_end(&mut self, _reading: &mut Reading) {}
    /// A document is whole.
    fn document(&mut self, _reading: &mut Reading) {}
    /// A value that nobody asks for.
    fn unread(&mut self, _value: Unread) {}
}

/// A reading, and the frame around what it reads.
pub(super) struct Framed<'a, F> {
    pub(super) reading: &'a mut Reading,
    pub(super) frame: F,
}

impl<F: Frame> Sink for Framed<'_, F> {
    fn open(&mut self, node: Node) {
        self.reading.open(node);
    }

    fn close(&mut self, node: Node) {
        self.reading.close(node);
    }

    fn bare(&mut self, node: Node, value: Bare) {
        self.reading.bare(node, value);
    }

    fn string(&mut self, node: Node, value: Option<&[u8]>) {
        self.reading.string(node, value);
    }

    fn piece(&mut self, piece: &[u8]) {
        self.frame.piece(piece, self.reading);
    }

    fn pieces_end(&mut self) {
        self.frame.pieces_end(self.reading);
    }

    fn document(&mut self) {
        self.frame.document(self.reading);
    }

    fn unread(&mut self, value: Unread) {
        self.frame.unread(value);
    }
}
