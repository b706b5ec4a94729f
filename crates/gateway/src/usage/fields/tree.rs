//! The paths of the table as a tree: one step for each key.

use super::action::Action;

/// Deepest path of the table, and one for an outermost list of documents.
pub(crate) const MOST_DEPTH: usize = 8;

/// The step of a path that means "any element of the array".
const ITEMS: &str = "[]";

/// A place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(u16);

impl Node {
    /// The document itself.
    pub(crate) const ROOT: Self = Self(0);
    /// Not in the table.
    pub(crate) const DEAD: Self = Self(u16::MAX);

    pub(crate) fn is_dead(self) -> bool {
        self == Self::DEAD
    }
}

#[derive(Debug, Default)]
struct Entry {
    keys: Vec<(&'static str, Node)>,
    items: Option<Node>,
    actions: Vec<Action>,
    is_streamed: bool,
}

/// All paths.
#[derive(Debug)]
pub(crate) struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    pub(super) fn new(rows: &[(&'static str, Action)]) -> Self {
        let mut tree = Self {
            entries: vec![Entry::default()],
        };
        for (path, action) in rows {
            let mut node = Node::ROOT;
            for step in path.split('.') {
                node = tree.step(node, step);
            }
            if let Some(entry) = tree.entries.get_mut(usize::from(node.0)) {
                entry.is_streamed |= matches!(action, Action::Payload);
                entry.actions.push(*action);
            }
        }
        for entry in &mut tree.entries {
            entry
                .keys
                .sort_unstable_by_key(|(key, _)| order(key.as_bytes()));
        }
        tree
    }

    fn step(&mut self, node: Node, step: &'static str) -> Node {
        let next = Node(u16::try_from(self.entries.len()).unwrap_or(u16::MAX));
        let Some(entry) = self.entries.get_mut(usize::from(node.0)) else {
            return Node::DEAD;
        };
        let known = if step == ITEMS {
            entry.items
        } else {
            let mut keys = entry.keys.iter();
            keys.find(|(key, _)| *key == step).map(|(_, node)| *node)
        };
        if let Some(known) = known {
            return known;
        }
        if step == ITEMS {
            entry.items = Some(next);
        } else {
            entry.keys.push((step, next));
        }
        self.entries.push(Entry::default());
        next
    }

    fn entry(&self, node: Node) -> Option<&Entry> {
        self.entries.get(usize::from(node.0))
    }

    /// The node of `key` in the object at `node`.
    pub(crate) fn key(&self, node: Node, key: &[u8]) -> Node {
        let found = self.entry(node).and_then(|entry| {
            let keys = &entry.keys;
            let at = keys.binary_search_by_key(&order(key), |(known, _)| order(known.as_bytes()));
            keys.get(at.ok()?).map(|(_, node)| *node)
        });
        found.unwrap_or(Node::DEAD)
    }

    /// The node of the elements of the array at `node`.
    pub(crate) fn items(&self, node: Node) -> Node {
        let items = self.entry(node).and_then(|entry| entry.items);
        items.unwrap_or(Node::DEAD)
    }

    pub(crate) fn has_keys(&self, node: Node) -> bool {
        self.entry(node).is_some_and(|entry| !entry.keys.is_empty())
    }

    /// Whether a string here is handed on in pieces.
    pub(crate) fn is_streamed(&self, node: Node) -> bool {
        self.entry(node).is_some_and(|entry| entry.is_streamed)
    }

    pub(crate) fn actions(&self, node: Node) -> &[Action] {
        self.entry(node).map_or(&[], |entry| &entry.actions)
    }
}

/// Length first: most keys that aren't in the table differ in it.
const fn order(key: &[u8]) -> (usize, &[u8]) {
    (key.len(), key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::fields::{table, tree};

    #[test]
    fn the_scanner_has_room_for_the_deepest_path() {
        let deepest = table::rows()
            .iter()
            .map(|(path, _)| path.split('.').count())
            .max();
        assert!(deepest.unwrap() < MOST_DEPTH);
    }

    #[test]
    fn every_row_is_found_by_its_path() {
        for (path, action) in table::rows() {
            let node = path.split('.').fold(Node::ROOT, |node, step| match step {
                ITEMS => tree().items(node),
                key => tree().key(node, key.as_bytes()),
            });
            assert!(tree().actions(node).contains(&action), "{path}");
        }
    }

    #[test]
    fn other_keys_lead_nowhere() {
        assert!(tree().key(Node::ROOT, b"usages").is_dead());
        assert!(tree().key(Node::DEAD, b"usage").is_dead());
        assert!(tree().items(Node::DEAD).is_dead());
    }
}
