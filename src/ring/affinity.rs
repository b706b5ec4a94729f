//! Which shard a thread prefers.

use std::cell::Cell;

use crate::sync::{AtomicUsize, Ordering};

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The thread has no number yet.
const NONE: usize = usize::MAX;

thread_local! {
    static HOME: Cell<usize> = const { Cell::new(NONE) };
}

/// The calling thread's number; its low bits choose the shard. Numbers are
/// given out in turn, so that threads spread evenly, and stay the same until
/// [`move_on`]. During a thread's destruction every thread gets 0.
pub(crate) fn home() -> usize {
    home_so_far().unwrap_or_else(|| {
        // Relaxed: only the number's uniqueness matters.
        let mine = NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1);
        let kept = HOME.try_with(|home| home.set(mine));
        kept.map_or(0, |()| mine)
    })
}

/// Gives the thread the next number, after it met another thread on its shard.
/// Of the threads that got their numbers in turn not all are at work: without
/// this, two that are could share a shard while others lie idle.
pub(crate) fn move_on() {
    let next = home().wrapping_add(1) & (usize::MAX >> 1);
    // A thread that is being destroyed stays where it is.
    let _ = HOME.try_with(|home| home.set(next));
}

/// The same, `None` before the thread has its number.
#[inline]
pub(crate) fn home_so_far() -> Option<usize> {
    let home = HOME.try_with(Cell::get).unwrap_or(0);
    (home != NONE).then_some(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_number_until_it_moves_on() {
        let work = || {
            assert_eq!(home_so_far(), None);
            let first = home();
            assert_eq!((home(), home_so_far()), (first, Some(first)));
            move_on();
            assert_eq!(home(), first + 1);
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            scope.spawn(work);
        });
    }

    #[test]
    fn threads_get_their_numbers_in_turn() {
        let mut numbers: Vec<_> = (0..16)
            .map(|_| std::thread::spawn(home).join().unwrap())
            .collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 16, "{numbers:?}");
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}
