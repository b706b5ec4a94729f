//! One writer (I7).
//!
//! The lock is a POSIX record lock on the store's lock file. Unlike `flock` it
//! ends with the process even while a forked child lives on, and it can be
//! asked about without being taken. Its two weaknesses are closed here: it
//! does not exclude a second writer in the same process, and closing any
//! descriptor of the file gives it up. So the process keeps a list of the
//! stores that it holds, and nothing in it opens the lock file of one of them.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::disk::files;
use crate::error::OpenError;

/// Device and inode of the lock files that this process holds, and the
/// process: a forked child holds none of its parent's.
static HELD: Mutex<Vec<(u32, u64, u64)>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<(u32, u64, u64)>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who writes to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Nobody,
    /// The lock file can't be looked at.
    Unknown,
    /// A process; `None` where it lives in another namespace.
    Process(Option<u32>),
}

/// The lock of a store, held until it is dropped.
#[derive(Debug)]
pub(crate) struct StoreLock {
    path: PathBuf,
    file: Option<File>,
    device: u64,
    inode: u64,
}

impl StoreLock {
    /// Takes the lock of the store at `store`, whose lock file is at `path`.
    pub(crate) fn take(store: &Path, path: &Path) -> Result<Self, OpenError> {
        let in_use = |pid| OpenError::InUse {
            path: store.to_owned(),
            pid,
        };
        // Held to the end: no other thread opens the file in between.
        let mut held = held();
        if holds(&held, path) {
            return Err(in_use(Some(std::process::id())));
        }
        let file = files::open_or_create(path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
                return Err(in_use(match ask(&file) {
                    Holder::Process(pid) => pid,
                    Holder::Nobody | Holder::Unknown => None,
                }));
            }
            Err(errno) => return Err(OpenError::io("lock", path, errno)),
        }
        let metadata = file
            .metadata()
            .map_err(|error| OpenError::io("look at", path, error))?;
        let lock = Self {
            path: path.to_owned(),
            file: Some(file),
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        held.push((std::process::id(), lock.device, lock.inode));
        drop(held);
        // Whoever failed to create the store may have removed the file just
        // before it was locked here: then it keeps nobody out.
        lock.check_present()?;
        Ok(lock)
    }

    /// Whether the lock file is still the one that is locked: otherwise
    /// somebody else may hold the store that is at this path now (I7).
    pub(crate) fn check_present(&self) -> Result<(), OpenError> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (self.device, self.inode) => Ok(()),
            _ => Err(OpenError::Gone {
                path: self.path.clone(),
                what: "the store was removed or replaced while it was in use: close the \
                       recorder and open it again"
                    .into(),
            }),
        }
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        let mut held = held();
        // Closing gives the lock up; before that it must still be listed.
        drop(self.file.take());
        let mine = (std::process::id(), self.device, self.inode);
        held.retain(|entry| *entry != mine);
    }
}

/// Who writes to the store whose lock file is at `path`. Doesn't disturb.
pub(crate) fn holder(path: &Path) -> Holder {
    let held = held();
    if holds(&held, path) {
        return Holder::Process(Some(std::process::id()));
    }
    match files::open_existing(path, false) {
        Ok(file) => ask(&file),
        Err(error) if error.is_not_found() => Holder::Nobody,
        Err(_) => Holder::Unknown,
    }
}

fn holds(held: &[(u32, u64, u64)], path: &Path) -> bool {
    let me = std::process::id();
    std::fs::metadata(path)
        .is_ok_and(|metadata| held.contains(&(me, metadata.dev(), metadata.ino())))
}

fn ask(file: &File) -> Holder {
    let wanted = Flock::from(FlockType::WriteLock);
    match fcntl_getlk(file, &wanted) {
        Ok(None) | Err(_) => Holder::Nobody,
        Ok(Some(lock)) => Holder::Process(
            lock.pid
                .and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok()),
        ),
    }
}
