//! Rows in chunks that successive snapshots share.
//!
//! ```text
//! root ── node ── chunk of 16 rows        A change copies one chunk and one
//!   │       ├──── chunk                   node; all others are shared with the
//!   │       └──── … 32                    snapshot before.
//!   └──── node …
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ledger::{Row, RowKey};

/// Rows in a chunk: 4 KiB.
const CHUNK: usize = 16;
/// Chunks in a node.
const FAN: usize = 32;
/// Chunks and nodes that wait to be used again.
const POOL: usize = 4096;

#[derive(Clone, Debug)]
struct Chunk([Row; CHUNK]);

#[derive(Clone, Debug)]
struct Node([Option<Arc<Chunk>>; FAN]);

/// The rows of one snapshot. Cloning it costs one reference count for each
/// 512 rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    root: Vec<Arc<Node>>,
}

impl Rows {
    /// All rows that are in use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.root
            .iter()
            .flat_map(|node| node.0.iter().flatten())
            .flat_map(|chunk| &chunk.0)
            .filter(|row| row.key != RowKey::FREE)
    }

    /// The row with this number, where there is one.
    pub(crate) fn get(&self, number: u32) -> Option<&Row> {
        let (chunk, within) = (number as usize / CHUNK, number as usize % CHUNK);
        let node = self.root.get(chunk / FAN)?;
        Some(&node.0[chunk % FAN].as_ref()?.0[within])
    }
}

/// Chunks and nodes that a newer snapshot has replaced. The writer keeps them:
/// when nobody reads them any more they are used again, so that a reader
/// seldom has to free memory, and the writer seldom to allocate.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    chunks: VecDeque<Arc<Chunk>>,
    nodes: VecDeque<Arc<Node>>,
}

impl Rows {
    /// Sets one row. What is shared with other snapshots is copied first.
    pub(crate) fn set(&mut self, number: u32, row: &Row, pool: &mut Pool) {
        let (chunk, within) = (number as usize / CHUNK, number as usize % CHUNK);
        while self.root.len() <= chunk / FAN {
            self.root.push(Arc::new(Node([const { None }; FAN])));
        }
        let node = own(&mut self.root[chunk / FAN], &mut pool.nodes);
        let chunk = node.0[chunk % FAN].get_or_insert_with(|| Arc::new(Chunk([Row::FREE; CHUNK])));
        own(chunk, &mut pool.chunks).0[within] = *row;
    }
}

/// `shared`'s value to change: itself where nobody else has it, else a copy in
/// recycled memory.
fn own<'a, T: Clone>(shared: &'a mut Arc<T>, pool: &mut VecDeque<Arc<T>>) -> &'a mut T {
    if Arc::get_mut(shared).is_none() {
        let copy = match pool.pop_front() {
            Some(mut used) => match Arc::get_mut(&mut used) {
                Some(value) => {
                    value.clone_from(shared);
                    used
                }
                None => {
                    pool.push_back(used);
                    Arc::new(T::clone(shared))
                }
            },
            None => Arc::new(T::clone(shared)),
        };
        let replaced = std::mem::replace(shared, copy);
        if pool.len() < POOL {
            pool.push_back(replaced);
        }
    }
    Arc::make_mut(shared)
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
            rows.set(n, &row(n), &mut pool);
        }
        let before = rows.clone();
        rows.set(700, &row(9999), &mut pool);
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
    fn replaced_chunks_are_used_again() {
        let mut pool = Pool::default();
        let mut rows = Rows::default();
        rows.set(0, &row(1), &mut pool);
        for n in 0..100 {
            let published = rows.clone();
            rows.set(0, &row(n), &mut pool);
            drop(published);
        }
        assert!(pool.chunks.len() <= 2, "{} chunks", pool.chunks.len());
        assert!(pool.nodes.len() <= 2);
    }
}
