//! The state machine: one byte at a time where structure is, in runs where
//! there is only text.

use std::ops::Deref;

use super::bare::{Word, is_bare};
use super::node::Node;
use super::paths::{MOST_DEPTH, Paths};
use super::sink::Sink;
use super::skip::Skip;
use super::string::{Read, StringReader, Want};
use super::text::LONGEST;
use super::unread::Unread;
use super::whole::{self, Member};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside of documents.
    Between,
    /// A value must follow.
    Value,
    /// A value or `]`.
    ValueOrEnd,
    /// A key must follow.
    Key,
    /// A key or `}`.
    KeyOrEnd,
    Colon,
    /// `,` or the end of the container.
    After,
    InString,
    InBare,
    /// Inside a container that nobody asks for.
    Skip,
    /// Not JSON: nothing is read until the next document.
    Broken,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    node: Node,
    is_object: bool,
}

/// Reads JSON documents, one after the other. Its size is fixed.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<P = &'static Paths> {
    paths: P,
    state: State,
    stack: [Frame; MOST_DEPTH],
    depth: usize,
    /// Of the value that comes next or is being read.
    node: Node,
    string: StringReader,
    word: Word,
    skip: Skip,
    documents: u64,
}

impl<P: Deref<Target = Paths>> Scanner<P> {
    pub(crate) fn new(paths: P) -> Self {
        Self {
            paths,
            state: State::Between,
            stack: [Frame {
                node: Node::DEAD,
                is_object: false,
            }; MOST_DEPTH],
            depth: 0,
            node: Node::ROOT,
            string: StringReader::default(),
            word: Word::default(),
            skip: Skip::default(),
            documents: 0,
        }
    }

    /// Documents, and lists of them, that ended whole; a bare value is none.
    pub(crate) const fn documents(&self) -> u64 {
        self.documents
    }

    /// Whether no document is under way.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.state == State::Between
    }

    pub(crate) fn is_in_string(&self) -> bool {
        self.state == State::InString || self.state == State::Skip && self.skip.is_in_string()
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Forgets a document that is under way.
    pub(crate) fn reset(&mut self) {
        self.state = State::Between;
        self.depth = 0;
        self.node = Node::ROOT;
    }

    /// Says that nothing more follows here: a number ends with its document.
    pub(crate) fn end(&mut self, sink: &mut impl Sink) {
        if self.state == State::InBare && self.depth == 0 {
            self.end_bare(sink);
        }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], sink: &mut impl Sink) {
        while !bytes.is_empty() {
            bytes = self.push_document(bytes, sink);
        }
    }

    /// Reads on up to the end of a document, or of a blank between two; gives
    /// what is behind it.
    pub(crate) fn push_document<'a>(
        &mut self,
        mut bytes: &'a [u8],
        sink: &mut impl Sink,
    ) -> &'a [u8] {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.state {
                State::InString => self.string(bytes, sink),
                State::Skip => self.skip(bytes, sink),
                State::Broken => return &[],
                State::InBare if is_bare(byte) => {
                    self.word.push(byte);
                    rest
                }
                State::InBare => {
                    self.end_bare(sink);
                    bytes
                }
                State::Key | State::KeyOrEnd if byte == b'"' => self.members(bytes, sink),
                _ => {
                    self.structure(byte, sink);
                    rest
                }
            };
            if self.state == State::Between {
                break;
            }
        }
        bytes
    }

    /// Reads keys at once, from the quote of the first, with their values, as
    /// long as these are short; gives what is to be read next.
    fn members<'a>(&mut self, mut bytes: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        let object = self.top().map_or(Node::DEAD, |frame| frame.node);
        loop {
            let Some(Member { key, value }) = whole::member(bytes) else {
                self.begin_string(Want::Key);
                return bytes.get(1..).unwrap_or_default();
            };
            // The key of a slow reader is no longer than what it keeps.
            let is_known = key.len() <= LONGEST;
            self.node = if is_known {
                self.paths.key(object, key)
            } else {
                Node::DEAD
            };
            let Some(behind) = self.short_value(value, sink) else {
                self.state = State::Value;
                return value;
            };
            self.end_value(sink, false);
            match whole::next_key(behind) {
                Some(next) => bytes = next,
                None => return behind,
            }
        }
    }

    /// Reads a value that is whole, plain and short; gives what is behind it.
    fn short_value<'a>(&self, value: &'a [u8], sink: &mut impl Sink) -> Option<&'a [u8]> {
        let is_dead = self.node.is_dead();
        match value.first()? {
            b'"' if is_dead => {
                let text = value.get(1..)?;
                let end = whole::to_end(text)?;
                sink.unread(Unread::text(text.len(), end.len()));
                end.get(1..)
            }
            b'"' if !self.paths.is_streamed(self.node) => {
                let (text, behind) = whole::string(value)?;
                sink.string(self.node, Some(text).filter(|text| text.len() <= LONGEST));
                Some(behind)
            }
            first if is_bare(*first) => {
                let (bare, behind) = whole::bare(value)?;
                if is_dead {
                    sink.unread(Unread::bare(value.len(), behind.len()));
                } else {
                    sink.bare(self.node, bare);
                }
                Some(behind)
            }
            _ => None,
        }
    }

    fn structure(&mut self, byte: u8, sink: &mut impl Sink) {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return;
        }
        match (self.state, byte) {
            // The record separator of JSON text sequences.
            (State::Between, 0x1e) => {}
            (State::Between | State::Value, _) => self.value(byte, sink),
            (State::ValueOrEnd, b']') | (State::KeyOrEnd, b'}') => self.leave(sink),
            (State::ValueOrEnd, _) => self.value(byte, sink),
            (State::Key | State::KeyOrEnd, b'"') => self.begin_string(Want::Key),
            (State::Colon, b':') => self.state = State::Value,
            (State::After, b',') => match self.top() {
                Some(frame) if frame.is_object => self.state = State::Key,
                Some(frame) => self.element_of(frame),
                None => self.state = State::Broken,
            },
            (State::After, b'}' | b']') => {
                let is_object = byte == b'}';
                match self.top() {
                    Some(frame) if frame.is_object == is_object => self.leave(sink),
                    _ => self.state = State::Broken,
                }
            }
            _ => self.state = State::Broken,
        }
    }

    fn value(&mut self, byte: u8, sink: &mut impl Sink) {
        match byte {
            b'{' => self.enter(true, sink),
            b'[' => self.enter(false, sink),
            b'"' => {
                let want = if self.node.is_dead() {
                    Want::Nothing
                } else if self.paths.is_streamed(self.node) {
                    Want::Pieces
                } else {
                    Want::Kept
                };
                self.begin_string(want);
            }
            _ if is_bare(byte) => {
                self.word.clear();
                self.word.push(byte);
                self.state = State::InBare;
            }
            _ => self.state = State::Broken,
        }
    }

    fn enter(&mut self, is_object: bool, sink: &mut impl Sink) {
        let is_list_of_documents = !is_object && self.depth == 0;
        let node = self.node;
        if !is_list_of_documents && !node.is_dead() {
            sink.open(node);
        }
        let has_readers = if is_object {
            self.paths.has_keys(node)
        } else {
            is_list_of_documents || !self.paths.items(node).is_dead()
        };
        let frame = Frame { node, is_object };
        // The stack is as deep as any path, and one for the outermost list.
        match self.stack.get_mut(self.depth) {
            Some(slot) if has_readers => {
                *slot = frame;
                self.depth += 1;
                if is_object {
                    self.state = State::KeyOrEnd;
                } else {
                    self.element_of(frame);
                    self.state = State::ValueOrEnd;
                }
            }
            _ => {
                self.skip = Skip::begun();
                self.state = State::Skip;
            }
        }
    }

    /// An element of the array `frame` follows.
    fn element_of(&mut self, frame: Frame) {
        self.node = if self.depth == 1 && frame.node == Node::ROOT {
            Node::ROOT
        } else {
            self.paths.items(frame.node)
        };
        self.state = State::Value;
    }

    fn leave(&mut self, sink: &mut impl Sink) {
        let Some(frame) = self.top() else {
            self.state = State::Broken;
            return;
        };
        self.depth -= 1;
        let is_list_of_documents = !frame.is_object && self.depth == 0;
        if is_list_of_documents {
            self.documents += 1;
        } else {
            sink.close(frame.node);
        }
        self.end_value(sink, frame.node == Node::ROOT && frame.is_object);
    }

    /// A value ended; `is_document` says whether it was one.
    fn end_value(&mut self, sink: &mut impl Sink, is_document: bool) {
        if is_document {
            self.documents += 1;
            sink.document();
        }
        if self.depth == 0 {
            self.node = Node::ROOT;
            self.state = State::Between;
        } else {
            self.state = State::After;
        }
    }

    fn top(&self) -> Option<Frame> {
        self.stack.get(self.depth.checked_sub(1)?).copied()
    }

    fn end_bare(&mut self, sink: &mut impl Sink) {
        match self.word.read() {
            Some(value) => {
                if !self.node.is_dead() {
                    sink.bare(self.node, value);
                }
                self.end_value(sink, false);
            }
            None => self.state = State::Broken,
        }
    }

    fn begin_string(&mut self, want: Want) {
        self.string.begin(want);
        self.state = State::InString;
    }

    /// Reads on in a string; gives what is behind the part that was read.
    fn string<'a>(&mut self, bytes: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        match self.string.read(bytes, |piece| sink.piece(piece)) {
            Read::On => &[],
            Read::Ended(rest) => {
                self.end_string(sink);
                rest
            }
            Read::Broken => {
                self.state = State::Broken;
                &[]
            }
        }
    }

    fn end_string(&mut self, sink: &mut impl Sink) {
        match self.string.want() {
            Want::Key => {
                let object = self.top().map_or(Node::DEAD, |frame| frame.node);
                let key = self.string.text();
                self.node = key.map_or(Node::DEAD, |key| self.paths.key(object, key));
                self.state = State::Colon;
                return;
            }
            Want::Kept => sink.string(self.node, self.string.text()),
            Want::Pieces => sink.pieces_end(),
            Want::Nothing => {}
        }
        self.end_value(sink, false);
    }

    /// Reads on in a container that nobody asks for.
    fn skip<'a>(&mut self, bytes: &'a [u8], sink: &mut impl Sink) -> &'a [u8] {
        let passed = |begins, ends| sink.unread(Unread::any(begins, ends));
        let Some(rest) = self.skip.walk(bytes, passed) else {
            return &[];
        };
        let is_document = self.node == Node::ROOT;
        if !self.node.is_dead() {
            sink.close(self.node);
        }
        self.end_value(sink, is_document);
        rest
    }
}
