//! Which fields of a response mean what: the table, and the tree of keys that
//! the scanner walks.

mod action;
mod table;
mod tree;

pub(crate) use action::{Action, Mark, Marks};
pub(crate) use tree::{MOST_DEPTH, Node, Tree};

use std::sync::LazyLock;

/// The table as a tree.
pub(crate) fn tree() -> &'static Tree {
    static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::new(&table::rows()));
    &TREE
}
