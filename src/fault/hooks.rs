//! The hooks that tests set.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// A call to the system that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What it does: one of [`CALLS`].
    pub name: &'static str,
    /// The file or directory.
    pub path: &'a Path,
    /// The new name, of a `rename`.
    pub to: Option<&'a Path>,
    /// Bytes, of a `write`.
    pub len: usize,
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Verdict {
    /// It is made.
    Go,
    /// It fails without having been made.
    Fail(io::Error),
    /// A `write` writes so many bytes and no more.
    Short(usize),
}

/// Names of all calls.
pub const CALLS: [&str; 11] = [
    "open", "create", "allocate", "write", "read", "map", "sync", "sync-dir", "rename", "remove",
    "stat",
];

/// Names of all points, in the order in which a record passes them.
pub const POINTS: [&str; 24] = [
    "create: header written",
    "create: before the rename",
    "create: after the rename",
    "set aside: after the rename",
    "restore: before the rename",
    "recovery: before the replay",
    "recovery: mid replay",
    "recovery: ring created",
    "recovery: before the commit",
    "recovery: after the commit",
    "record: claimed",
    "record: half written",
    "record: published",
    "consumer: mid batch",
    "names: half written",
    "names: before they count",
    "growth: allocated",
    "growth: before it counts",
    "commit: mid row",
    "commit: before the store",
    "commit: after the store",
    "commit: before the release",
    "checkpoint: written",
    "checkpoint: renamed",
];

type PointHook = Arc<dyn Fn(&'static str) + Send + Sync>;
type CallHook = Arc<dyn Fn(&Call<'_>) -> Verdict + Send + Sync>;

static ARE_POINTS_ARMED: AtomicBool = AtomicBool::new(false);
static POINT_HOOK: RwLock<Option<PointHook>> = RwLock::new(None);
static CALL_HOOK: RwLock<Option<CallHook>> = RwLock::new(None);
static CLOCK: AtomicU64 = AtomicU64::new(0);
static BOOT: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// From now on `hook` is called at every point, by the thread that comes
/// by. It may panic or end the process.
pub fn set_point_hook(hook: Option<PointHook>) {
    let is_armed = hook.is_some();
    *POINT_HOOK.write().unwrap_or_else(PoisonError::into_inner) = hook;
    ARE_POINTS_ARMED.store(is_armed, Ordering::SeqCst);
}

/// From now on `hook` is asked before every call.
pub fn set_call_hook(hook: Option<CallHook>) {
    *CALL_HOOK.write().unwrap_or_else(PoisonError::into_inner) = hook;
}

/// From now on the clock stands at `nanos` since 1970; 0 gives the
/// system's back.
pub fn set_clock(nanos: u64) {
    CLOCK.store(nanos, Ordering::SeqCst);
}

/// From now on the machine was booted as `id`; zeros give the system's
/// back.
pub fn set_boot(id: [u64; 2]) {
    for (word, id) in BOOT.iter().zip(id) {
        word.store(id, Ordering::SeqCst);
    }
}

pub(crate) fn reach(name: &'static str) {
    // Relaxed: who sets a hook and needs it seen makes sure of that.
    if !ARE_POINTS_ARMED.load(Ordering::Relaxed) {
        return;
    }
    debug_assert!(POINTS.contains(&name), "{name}");
    let hook = POINT_HOOK.read().unwrap_or_else(PoisonError::into_inner);
    // Called without the lock: it may wait for somebody who sets another.
    if let Some(hook) = hook.clone() {
        hook(name);
    }
}

pub(crate) fn ask(call: &Call<'_>) -> Verdict {
    let hook = CALL_HOOK.read().unwrap_or_else(PoisonError::into_inner);
    let hook = hook.clone();
    hook.map_or(Verdict::Go, |hook| hook(call))
}

pub(crate) fn clock() -> Option<u64> {
    Some(CLOCK.load(Ordering::Relaxed)).filter(|nanos| *nanos != 0)
}

pub(crate) fn boot() -> Option<[u64; 2]> {
    let id = [0, 1].map(|n: usize| BOOT[n].load(Ordering::Relaxed));
    Some(id).filter(|id| *id != [0, 0])
}
