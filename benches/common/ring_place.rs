//! Where a store's ring is.

use std::path::Path;

/// Whether the ring that the store has, or that its writer left, is a file in
/// the store's own directory: shared memory had no room for it.
pub(crate) fn is_on_disk(store: &Path) -> bool {
    let files = std::fs::read_dir(store).unwrap();
    files
        .map(|file| file.unwrap().path())
        .any(|path| path.extension().is_some_and(|name| name == "ring"))
}

/// Says that rings of stores were on disk, if any was, before figures that
/// are of no use then. To stderr, for tables may go elsewhere.
pub(crate) fn warn(on_disk: usize, rings: usize) {
    if on_disk > 0 {
        eprintln!(
            "warning: {on_disk} of {rings} rings were on disk, since /dev/shm has no room for \
             them: what follows measures the disk, too. Give a container more by --shm-size."
        );
    }
}
