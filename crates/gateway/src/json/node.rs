//! A place in the tree of paths.

/// A place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(u16);

impl Node {
    /// The document itself.
    pub(crate) const ROOT: Self = Self(0);
    /// On no path.
    pub(crate) const DEAD: Self = Self(u16::MAX);

    /// The node with this number; [`DEAD`](Self::DEAD) beyond the greatest.
    pub(super) fn new(number: usize) -> Self {
        Self(u16::try_from(number).unwrap_or(u16::MAX))
    }

    pub(crate) fn is_dead(self) -> bool {
        self == Self::DEAD
    }

    /// Where it stands among all nodes of its tree.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}
