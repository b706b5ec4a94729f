//! The processor's time stamp, read after what came before is done.

use quanta::Clock;

/// Gives ticks; on a machine without a steady time stamp, nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Stopwatch(Clock);

impl Stopwatch {
    pub(crate) fn new() -> Self {
        Self(Clock::new())
    }

    /// Without the fences a processor reads the time while the instructions
    /// before it are still under way, and short calls seem shorter.
    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        fence();
        let now = self.0.raw();
        fence();
        now
    }

    /// For waiting: cheap, and not exact.
    #[inline(always)]
    pub(crate) fn about(&self) -> u64 {
        self.0.raw()
    }

    /// How far apart in nanoseconds the times are that it can tell, apart from
    /// a tick or two of rounding: some processors renew the time stamp at a
    /// hundred million a second only.
    pub(crate) fn step(&self) -> f64 {
        let mut last = self.now();
        let mut times: Vec<_> = (0..10_000)
            .map(|_| {
                let before = std::mem::replace(&mut last, self.now());
                last - before
            })
            .collect();
        times.sort_unstable();
        // Without the rare long ones.
        times.truncate(times.len() * 99 / 100);
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        let step = gaps.filter(|gap| *gap > 2).min().unwrap_or(1);
        step as f64 / self.ticks_per_nano()
    }

    pub(crate) fn ticks_per_nano(&self) -> f64 {
        const LONG: u64 = 1 << 36;
        LONG as f64 / self.0.delta_as_nanos(0, LONG) as f64
    }
}

/// Waits for the loads and the arithmetic before it, not for stores to reach
/// the cache: what a call leaves in the store buffer is not its own time.
#[inline(always)]
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction.
    unsafe {
        core::arch::x86_64::_mm_lfence();
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}
