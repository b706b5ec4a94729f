//! Compressed bodies.

use std::fmt;
use std::io::Write;
use std::mem;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Compresses a stream, so that each event can be read when it has come.
pub(crate) struct Gzip(GzEncoder<Vec<u8>>);

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gzip")
    }
}

impl Default for Gzip {
    fn default() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }
}

impl Gzip {
    /// The event, compressed, and the end of it all if it is the last.
    pub(super) fn event(&mut self, bytes: &[u8], is_last: bool) -> Vec<u8> {
        let written = self.0.write_all(bytes).and_then(|()| {
            if is_last {
                self.0.try_finish()
            } else {
                self.0.flush()
            }
        });
        debug_assert!(written.is_ok(), "memory takes everything");
        mem::take(self.0.get_mut())
    }
}

/// All of a body, compressed.
pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    Gzip::default().event(bytes, true)
}
