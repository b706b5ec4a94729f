//! The paths that a scanner looks for, as a tree: one step for each key.

use super::keys::Keys;
use super::node::Node;

/// Deepest path, and one for an outermost list of documents.
pub(crate) const MOST_DEPTH: usize = 8;

/// The step of a path that means "any element of the array".
const ITEMS: &str = "[]";

/// What is known of a node.
#[derive(Clone, Copy, Debug)]
struct Entry {
    items: Node,
    has_keys: bool,
    is_streamed: bool,
}

impl Entry {
    const NEW: Self = Self {
        items: Node::DEAD,
        has_keys: false,
        is_streamed: false,
    };
}

/// All paths.
#[derive(Debug)]
pub(crate) struct Paths {
    entries: Vec<Entry>,
    keys: Keys,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            entries: vec![Entry::NEW],
            keys: Keys::default(),
        }
    }
}

impl Paths {
    /// Adds a path such as `usage.details[].tokens`, with `.` before `[]`; gives
    /// where it ends, which is [`Node::DEAD`] for one that is too deep.
    pub(crate) fn add(&mut self, path: &str) -> Node {
        if path.split('.').count() >= MOST_DEPTH {
            return Node::DEAD;
        }
        path.split('.')
            .fold(Node::ROOT, |node, step| self.step(node, step))
    }

    /// Has strings at a node handed on in pieces.
    pub(crate) fn stream(&mut self, node: Node) {
        if let Some(entry) = self.entries.get_mut(node.index()) {
            entry.is_streamed = true;
        }
    }

    fn step(&mut self, node: Node, step: &str) -> Node {
        let next = Node::new(self.entries.len());
        let Some(entry) = self.entries.get_mut(node.index()) else {
            return Node::DEAD;
        };
        let known = if step == ITEMS {
            entry.items
        } else {
            self.keys.get(node, step.as_bytes())
        };
        if !known.is_dead() {
            return known;
        }
        if step == ITEMS {
            entry.items = next;
        } else {
            entry.has_keys = true;
            self.keys.add(node, step, next);
        }
        self.entries.push(Entry::NEW);
        next
    }

    fn entry(&self, node: Node) -> Option<&Entry> {
        self.entries.get(node.index())
    }

    /// The node of `key` in the object at `node`.
    pub(crate) fn key(&self, node: Node, key: &[u8]) -> Node {
        self.keys.get(node, key)
    }

    /// The node of the elements of the array at `node`.
    pub(crate) fn items(&self, node: Node) -> Node {
        self.entry(node).map_or(Node::DEAD, |entry| entry.items)
    }

    pub(crate) fn has_keys(&self, node: Node) -> bool {
        self.entry(node).is_some_and(|entry| entry.has_keys)
    }

    /// Whether a string here is handed on in pieces.
    pub(crate) fn is_streamed(&self, node: Node) -> bool {
        self.entry(node).is_some_and(|entry| entry.is_streamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_share_their_beginnings() {
        let mut paths = Paths::default();
        let input = paths.add("usage.input");
        let of_all = paths.add("choices.[].usage.input");
        assert_eq!(paths.add("usage.input"), input);
        let usage = paths.key(Node::ROOT, b"usage");
        assert_eq!(paths.key(usage, b"input"), input);
        let choices = paths.items(paths.key(Node::ROOT, b"choices"));
        let usage = paths.key(choices, b"usage");
        assert_eq!(paths.key(usage, b"input"), of_all);
        assert!(of_all != input && !of_all.is_dead());
    }

    #[test]
    fn other_keys_lead_nowhere() {
        let mut paths = Paths::default();
        paths.add("usage");
        assert!(paths.key(Node::ROOT, b"usages").is_dead());
        assert!(paths.key(Node::DEAD, b"usage").is_dead());
        assert!(paths.items(Node::DEAD).is_dead());
        assert!(paths.add("a.b.c.d.e.f.g.h").is_dead());
    }
}
