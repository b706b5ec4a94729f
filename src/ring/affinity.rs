//! Which shard a thread prefers.

use std::cell::Cell;

use crate::sync::{AtomicUsize, Ordering};

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static HOME: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// A number that stays the same for the life of the calling thread; its low
/// bits choose the shard. Numbers are given out in turn, so that threads
/// spread evenly. During a thread's destruction every thread gets 0.
#[inline]
pub(crate) fn home() -> usize {
    HOME.try_with(|home| match home.get() {
        usize::MAX => first_use(home),
        home => home,
    })
    .unwrap_or(0)
}

#[cold]
fn first_use(home: &Cell<usize>) -> usize {
    // Relaxed: only the number's uniqueness matters.
    let mine = NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1);
    home.set(mine);
    mine
}
