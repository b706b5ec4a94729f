//! Where tests kill, stop or fail the process: named points in the protocols,
//! and every call to the system that touches a file.
//!
//! They are there with the feature `__fault-points` only, which nobody but
//! this project's own tests turns on. Without it a point compiles to nothing
//! and a call to the call itself.

/// A named point of a protocol. Under loom and without the feature: nothing.
macro_rules! point {
    ($name:literal) => {
        #[cfg(all(feature = "__fault-points", not(loom)))]
        $crate::fault::reach($name);
    };
}
pub(crate) use point;

#[cfg(all(feature = "__fault-points", not(loom)))]
mod hooks;
#[cfg(all(feature = "__fault-points", not(loom)))]
pub use hooks::{CALLS, Call, POINTS, Verdict, set_boot, set_call_hook, set_clock, set_point_hook};
#[cfg(all(feature = "__fault-points", not(loom)))]
pub(crate) use hooks::{ask, boot, clock, reach};
