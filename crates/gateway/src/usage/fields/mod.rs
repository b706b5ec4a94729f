//! Which fields of a response mean what: the table, and where its paths lead.

mod action;
mod table;

pub(crate) use action::{Action, Mark, Marks};

use std::sync::LazyLock;

use crate::json::{Node, Paths};

/// The table by the nodes of its paths.
#[derive(Debug)]
pub(crate) struct Fields {
    paths: Paths,
    /// By node, where its actions begin among all of them; at last their end.
    starts: Vec<u16>,
    actions: Vec<Action>,
}

impl Fields {
    fn new(rows: &[(&'static str, Action)]) -> Self {
        let mut paths = Paths::default();
        let mut by_node: Vec<Vec<Action>> = Vec::new();
        for (path, action) in rows {
            let node = paths.add(path);
            if matches!(action, Action::Payload) {
                paths.stream(node);
            }
            if by_node.len() <= node.index() {
                by_node.resize_with(node.index() + 1, Vec::new);
            }
            if let Some(actions) = by_node.get_mut(node.index()) {
                actions.push(*action);
            }
        }
        // Side by side: they are looked at again and again.
        let mut starts = vec![0];
        let mut actions = Vec::with_capacity(rows.len());
        for of_node in by_node {
            actions.extend(of_node);
            starts.push(u16::try_from(actions.len()).unwrap_or(u16::MAX));
        }
        Self {
            paths,
            starts,
            actions,
        }
    }

    /// All paths of the table.
    pub(crate) const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// What the field at a node means.
    pub(crate) fn actions(&self, node: Node) -> &[Action] {
        let bounds = self.starts.get(node.index()..).unwrap_or_default();
        let [start, end, ..] = bounds else {
            return &[];
        };
        let range = usize::from(*start)..usize::from(*end);
        self.actions.get(range).unwrap_or_default()
    }
}

/// The fields that are read.
pub(crate) fn fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields::new(&table::rows()));
    &FIELDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_path() {
        for (path, action) in table::rows() {
            let paths = fields().paths();
            let node = path.split('.').fold(Node::ROOT, |node, step| match step {
                "[]" => paths.items(node),
                key => paths.key(node, key.as_bytes()),
            });
            assert!(fields().actions(node).contains(&action), "{path}");
        }
    }
}
