//! Which shard a thread prefers.

use std::cell::Cell;

use crate::sync::{AtomicUsize, Ordering};

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The thread has no number yet.
const NONE: usize = usize::MAX;

thread_local! {
    static HOME: Cell<usize> = const { Cell::new(NONE) };
}

/// A number that stays the same for the life of the calling thread; its low
/// bits choose the shard. Numbers are given out in turn, so that threads
/// spread evenly. During a thread's destruction every thread gets 0.
pub(crate) fn home() -> usize {
    home_so_far().unwrap_or_else(|| {
        // Relaxed: only the number's uniqueness matters.
        let mine = NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1);
        let kept = HOME.try_with(|home| home.set(mine));
        kept.map_or(0, |()| mine)
    })
}

/// The same, `None` before the thread has its number.
#[inline]
pub(crate) fn home_so_far() -> Option<usize> {
    let home = HOME.try_with(Cell::get).unwrap_or(0);
    (home != NONE).then_some(home)
}
