//! A file system of a few pages, to be full.

use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

/// A mounted tmpfs, unmounted when it is dropped.
#[derive(Debug)]
pub(crate) struct Tmpfs {
    at: PathBuf,
}

impl Tmpfs {
    /// Mounts one of so many KiB at the directory `at`; `None`, with a word,
    /// where that isn't allowed.
    pub(crate) fn mount(at: &Path, kib: u64) -> Option<Self> {
        let size = std::ffi::CString::new(format!("size={kib}k")).unwrap();
        match mount(
            "quipu-test",
            at,
            "tmpfs",
            MountFlags::empty(),
            size.as_c_str(),
        ) {
            Ok(()) => Some(Self { at: at.to_owned() }),
            Err(error) => {
                eprintln!("skipped: mounting a tmpfs isn't allowed here ({error})");
                None
            }
        }
    }

    /// From now on it has so many KiB.
    pub(crate) fn resize(&self, kib: u64) {
        mount_remount(&self.at, MountFlags::empty(), format!("size={kib}k")).unwrap();
    }

    /// Leaves no more than what is in use.
    pub(crate) fn fill(&self) {
        let stat = rustix::fs::statvfs(&self.at).unwrap();
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize / 1024;
        self.resize(used);
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Detached, as somebody may still have a file open after a panic.
        let _ = unmount(&self.at, UnmountFlags::DETACH);
    }
}
