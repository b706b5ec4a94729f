//! Which call fails, and how.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quipu::fault::{CALLS, Call, Verdict};

use super::Seam;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails with the system's error of this number, once.
    Once(i32),
    /// The same, and every later one of its name until the fault is over.
    FromThenOn(i32),
    /// A signal comes in between.
    Interrupted,
    /// A write writes half of what it should.
    Short,
}

/// The n-th call of a name fails, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) call: &'static str,
    pub(crate) nth: usize,
    pub(crate) fault: Fault,
}

/// A plan that is in force.
#[derive(Debug)]
pub(crate) struct Armed<'a> {
    seam: &'a Seam,
    seen: Arc<AtomicUsize>,
    nth: usize,
}

impl Plan {
    /// From now on; concerns calls on what is below `root`.
    pub(crate) fn arm<'a>(&self, seam: &'a Seam, root: &Path) -> Armed<'a> {
        let seen = Arc::new(AtomicUsize::new(0));
        let (plan, root, count) = (*self, root.to_owned(), Arc::clone(&seen));
        seam.on_calls(move |call| plan.judge(call, &root, &count));
        Armed {
            seam,
            seen,
            nth: self.nth,
        }
    }

    fn judge(&self, call: &Call<'_>, root: &Path, count: &AtomicUsize) -> Verdict {
        if call.name != self.call || !call.path.starts_with(root) {
            return Verdict::Go;
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let fail = |errno| Verdict::Fail(io::Error::from_raw_os_error(errno));
        match self.fault {
            Fault::FromThenOn(errno) if number >= self.nth => fail(errno),
            _ if number != self.nth => Verdict::Go,
            Fault::Once(errno) | Fault::FromThenOn(errno) => fail(errno),
            Fault::Interrupted => Verdict::Fail(io::ErrorKind::Interrupted.into()),
            Fault::Short => Verdict::Short(call.len / 2),
        }
    }
}

impl Armed<'_> {
    /// Whether the call was made, and failed.
    pub(crate) fn has_struck(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.nth
    }

    /// The fault is over; whether there was one.
    pub(crate) fn end(self) -> bool {
        self.seam.clear();
        self.has_struck()
    }
}

/// Runs `scenario` with each fault at the n-th call of each name, for each n
/// until one comes through without having met the fault. Gives the number of
/// faults that were met.
pub(crate) fn sweep(errnos: &[i32], mut scenario: impl FnMut(&Plan) -> bool) -> usize {
    let mut met = 0;
    for call in CALLS {
        let mut faults = vec![Fault::Interrupted];
        faults.extend(errnos.iter().map(|errno| Fault::Once(*errno)));
        faults.extend(errnos.iter().map(|errno| Fault::FromThenOn(*errno)));
        if call == "write" {
            faults.push(Fault::Short);
        }
        for fault in faults {
            let mut nth = 1;
            while scenario(&Plan { call, nth, fault }) {
                met += 1;
                nth += 1;
                assert!(nth < 1000, "{call} is called without end");
            }
        }
    }
    met
}
