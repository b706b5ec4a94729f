//! Who hears what a document says.

use super::bare::Bare;
use super::node::Node;
use super::unread::Unread;

/// What is told of a document while it is read. Only nodes of the paths are
/// told of, except the end of documents.
pub(crate) trait Sink {
    /// An object or array begins.
    fn open(&mut self, node: Node);
    /// It ended.
    fn close(&mut self, node: Node);
    /// A number or literal.
    fn bare(&mut self, node: Node, value: Bare);
    /// A string without its escapes; `None` where it was too long to keep.
    fn string(&mut self, node: Node, value: Option<&[u8]>);
    /// A piece of a string that isn't kept but handed on.
    fn piece(&mut self, _piece: &[u8]) {}
    /// Such a string ended.
    fn pieces_end(&mut self) {}
    /// A document is whole: an object, or an element of an outermost array.
    fn document(&mut self) {}
    /// A value that nobody asks for lies whole in the bytes that were pushed.
    fn unread(&mut self, _value: Unread) {}
}
