//! Where calls to the system pass: tried again when a signal interrupts them,
//! and, in tests, failed on purpose.

use std::io;
use std::path::Path;

use rustix::io::Errno;

#[cfg(feature = "__fault-points")]
use crate::fault::{Call, Verdict, ask};

/// Makes a call until it isn't interrupted.
pub(crate) fn attempt<T>(
    name: &'static str,
    path: &Path,
    to: Option<&Path>,
    mut call: impl FnMut() -> rustix::io::Result<T>,
) -> io::Result<T> {
    let _ = (name, path, to);
    loop {
        #[cfg(feature = "__fault-points")]
        match ask(&Call {
            name,
            path,
            to,
            len: 0,
        }) {
            Verdict::Fail(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Verdict::Fail(error) => return Err(error),
            Verdict::Go | Verdict::Short(_) => {}
        }
        match call() {
            Err(Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}

/// The same for a write of `len` bytes, of which `call` may write `most`.
pub(crate) fn attempt_write(
    path: &Path,
    len: usize,
    mut call: impl FnMut(usize) -> rustix::io::Result<usize>,
) -> io::Result<usize> {
    let _ = path;
    loop {
        #[allow(unused_mut)]
        let mut most = len;
        #[cfg(feature = "__fault-points")]
        match ask(&Call {
            name: "write",
            path,
            to: None,
            len,
        }) {
            Verdict::Fail(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Verdict::Fail(error) => return Err(error),
            Verdict::Short(short) => most = short.clamp(1, len),
            Verdict::Go => {}
        }
        match call(most) {
            Err(Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}
