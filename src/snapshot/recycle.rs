//! Memory of values that snapshots share: what a newer snapshot has replaced is
//! used again once nobody reads it any more.

use std::collections::VecDeque;

use crate::sync::{Arc, make_mut};

/// Values of a kind that wait to be used again.
const MOST: usize = 4096;

/// Replaced values, the oldest first. The writer keeps them, so that a reader
/// seldom has to free memory, and the writer seldom to allocate.
pub(crate) type Used<T> = VecDeque<Arc<T>>;

/// `shared`'s value to change: itself where nobody else has it, else a copy in
/// recycled memory.
pub(crate) fn own<'a, T: Clone>(shared: &'a mut Arc<T>, used: &mut Used<T>) -> &'a mut T {
    if Arc::strong_count(shared) > 1 {
        let copy = match used.pop_front() {
            Some(mut oldest) => match Arc::get_mut(&mut oldest) {
                Some(value) => {
                    value.clone_from(shared);
                    oldest
                }
                None => {
                    used.push_back(oldest);
                    Arc::new(T::clone(shared))
                }
            },
            None => Arc::new(T::clone(shared)),
        };
        let replaced = std::mem::replace(shared, copy);
        if used.len() < MOST {
            used.push_back(replaced);
        }
    }
    make_mut(shared)
}
