//! Rows in chunks that successive snapshots share.
//!
//! ```text
//! root ── branch ── … ── twig ── chunk of 16 rows    A change copies one chunk
//!   │        │             ├──── chunk               and the path to it; all
//!   │        │             └──── … 8                 others are shared with the
//!   └─────── branch …                                snapshot before.
//! ```
//!
//! What is shared costs a reference count each time, which mostly is not in the
//! cache. So the tree is narrow and deep: a path has few neighbours.

use super::recycle::{Used, own};
use crate::ledger::{Row, RowKey};
use crate::sync::Arc;

/// Rows in a chunk: 4 KiB.
const CHUNK: usize = 16;
/// Children of a node.
const FAN: usize = 8;

#[derive(Clone, Debug)]
struct Chunk([Row; CHUNK]);

#[derive(Clone, Debug)]
struct Node<T>([Option<Arc<T>>; FAN]);

type Twig = Node<Chunk>;
type Bough = Node<Twig>;
type Branch = Node<Bough>;

/// Chunks below a branch.
const BRANCH: usize = FAN * FAN * FAN;

/// The rows of one snapshot. Cloning it costs one reference count for each
/// 8192 rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    root: Vec<Arc<Branch>>,
}

impl Rows {
    /// All rows that are in use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.root
            .iter()
            .flat_map(|branch| branch.children())
            .flat_map(Node::children)
            .flat_map(Node::children)
            .flat_map(|chunk| &chunk.0)
            .filter(|row| row.key != RowKey::FREE)
    }

    /// The row with this number, where there is one.
    pub(crate) fn get(&self, number: u32) -> Option<&Row> {
        let (chunk, within) = (number as usize / CHUNK, number as usize % CHUNK);
        let branch = self.root.get(chunk / BRANCH)?;
        let twig = branch.child(chunk / (FAN * FAN))?.child(chunk / FAN)?;
        Some(&twig.child(chunk)?.0[within])
    }
}

/// Chunks and nodes that a newer snapshot has replaced, to be used again.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    chunks: Used<Chunk>,
    twigs: Used<Twig>,
    boughs: Used<Bough>,
    branches: Used<Branch>,
}

/// Changes rows, best in ascending order: rows of one chunk in a row share the
/// way to it.
#[derive(Debug)]
pub(crate) struct Edit<'a> {
    rows: &'a mut Rows,
    pool: &'a mut Pool,
    /// The chunk in hand, and its number. It is not in the tree meanwhile.
    chunk: Option<(usize, Arc<Chunk>)>,
}

impl Rows {
    pub(crate) fn edit<'a>(&'a mut self, pool: &'a mut Pool) -> Edit<'a> {
        Edit {
            rows: self,
            pool,
            chunk: None,
        }
    }

    /// Where the chunk with this number hangs. What is shared with other
    /// snapshots on the way there is copied.
    fn place(&mut self, chunk: usize, pool: &mut Pool) -> &mut Option<Arc<Chunk>> {
        while self.root.len() <= chunk / BRANCH {
            self.root.push(Arc::new(Node::new()));
        }
        let branch = own(&mut self.root[chunk / BRANCH], &mut pool.branches);
        let bough = own(branch.grow(chunk / (FAN * FAN)), &mut pool.boughs);
        let twig = own(bough.grow(chunk / FAN), &mut pool.twigs);
        &mut twig.0[chunk % FAN]
    }
}

impl Edit<'_> {
    /// Sets one row; gives what it was before.
    #[inline]
    pub(crate) fn set(&mut self, number: u32, row: &Row) -> Row {
        let (number, within) = (number as usize / CHUNK, number as usize % CHUNK);
        if self.chunk.as_ref().is_none_or(|(held, _)| *held != number) {
            self.put_back();
            let place = self.rows.place(number, self.pool);
            let mut chunk = place
                .take()
                .unwrap_or_else(|| Arc::new(Chunk([Row::FREE; CHUNK])));
            own(&mut chunk, &mut self.pool.chunks);
            self.chunk = Some((number, chunk));
        }
        self.chunk.as_mut().map_or(Row::FREE, |(_, chunk)| {
            std::mem::replace(&mut Arc::make_mut(chunk).0[within], *row)
        })
    }

    fn put_back(&mut self) {
        if let Some((number, chunk)) = self.chunk.take() {
            *self.rows.place(number, self.pool) = Some(chunk);
        }
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        self.put_back();
    }
}

impl<T> Node<T> {
    fn new() -> Self {
        Self([const { None }; FAN])
    }

    fn children(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten().map(|child| &**child)
    }

    /// The child on the way to what has this number, counted over all nodes of
    /// a kind.
    fn child(&self, number: usize) -> Option<&T> {
        self.0[number % FAN].as_deref()
    }
}

impl<T> Node<Node<T>> {
    /// The same, which is there afterwards.
    fn grow(&mut self, number: usize) -> &mut Arc<Node<T>> {
        self.0[number % FAN].get_or_insert_with(|| Arc::new(Node::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::BucketIndex;

    fn row(n: u32) -> Row {
        Row::new(RowKey::usage(BucketIndex(n), 1, 2))
    }

    #[test]
    fn a_snapshot_keeps_its_rows_and_shares_the_others() {
        let mut pool = Pool::default();
        let mut rows = Rows::default();
        for n in 0..2000 {
            rows.edit(&mut pool).set(n, &row(n));
        }
        let before = rows.clone();
        assert_eq!(rows.edit(&mut pool).set(700, &row(9999)), row(700));
        assert_eq!(before.get(700), Some(&row(700)));
        assert_eq!(rows.get(700), Some(&row(9999)));
        assert_eq!(rows.iter().count(), 2000);
        let shared = rows
            .root
            .iter()
            .zip(&before.root)
            .filter(|(a, b)| Arc::ptr_eq(a, b))
            .count();
        assert_eq!(shared, rows.root.len() - 1);
    }

    #[test]
    fn every_row_is_found_under_its_number() {
        const ALL: u32 = 2 * 8192 + 40;
        let mut pool = Pool::default();
        let mut rows = Rows::default();
        let is_set = |n: &u32| n % 5 < 2 && n / 16 % 3 < 2;
        let set = || (0..ALL).filter(is_set);
        // In one edit, and in any order: upwards, then down again.
        let mut edit = rows.edit(&mut pool);
        for n in set().filter(|n| n % 2 == 0) {
            assert_eq!(edit.set(n, &row(n)), Row::FREE);
        }
        for n in set().rev() {
            let before = if n % 2 == 0 { row(n) } else { Row::FREE };
            assert_eq!(edit.set(n, &row(n)), before, "row {n}");
        }
        drop(edit);
        for n in 0..ALL + 100 {
            let found = rows.get(n).filter(|row| row.key != RowKey::FREE);
            let expected = (n < ALL && is_set(&n)).then(|| row(n));
            assert_eq!(found, expected.as_ref(), "row {n}");
        }
        let in_order: Vec<_> = rows.iter().map(|row| row.key.bucket().0).collect();
        assert!(in_order.into_iter().eq(set()));
        assert_eq!(rows.root.len(), 3, "a branch for each 8192 rows");
    }

    #[test]
    fn replaced_chunks_are_used_again() {
        let mut pool = Pool::default();
        let mut rows = Rows::default();
        rows.edit(&mut pool).set(0, &row(1));
        for n in 0..100 {
            let published = rows.clone();
            rows.edit(&mut pool).set(0, &row(n));
            drop(published);
        }
        assert!(pool.chunks.len() <= 2, "{} chunks", pool.chunks.len());
        assert!(pool.twigs.len() <= 2);
    }
}
