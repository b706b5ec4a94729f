//! Files as a store may use them: regular, with one link, never through a
//! symlink, blocks allocated before anything is mapped (I10).

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FallocateFlags, FileType, Mode, OFlags};

use crate::error::OpenError;

/// Files of a store are for its owner and group.
const MODE: Mode = Mode::from_raw_mode(0o640);

/// Opens an existing file.
pub(crate) fn open_existing(path: &Path, writable: bool) -> Result<File, OpenError> {
    let access = if writable {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    // NONBLOCK: a FIFO must not hold up the open; it is refused below.
    let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::LOOP) => return Err(not_a_file(path, "a symbolic link")),
        Err(rustix::io::Errno::ISDIR) => return Err(not_a_file(path, "a directory")),
        Err(rustix::io::Errno::NXIO) => {
            return Err(not_a_file(path, "a FIFO, socket or device"));
        }
        Err(errno) => return Err(OpenError::io("open", path, errno)),
    };
    require_plain(path, &file)?;
    Ok(file)
}

/// Creates a file that isn't there yet.
pub(crate) fn create_new(path: &Path) -> Result<File, OpenError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::CREATE | OFlags::EXCL;
    rustix::fs::open(path, flags, MODE)
        .map(File::from)
        .map_err(|errno| OpenError::io("create", path, errno))
}

/// Opens a file for writing, creating it where it isn't there.
pub(crate) fn open_or_create(path: &Path) -> Result<File, OpenError> {
    match open_existing(path, true) {
        Err(error) if error.is_not_found() => match create_new(path) {
            // Somebody else was faster.
            Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                open_existing(path, true)
            }
            other => other,
        },
        other => other,
    }
}

/// Allocates blocks up to `offset + len`; the file grows where it is shorter.
pub(crate) fn allocate(file: &File, offset: u64, len: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), offset, len) {
        Ok(()) => Ok(()),
        // Not every file system can: writing zeros allocates everywhere.
        Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(file, offset, len),
        Err(errno) => Err(errno.into()),
    }
}

fn write_zeros(file: &File, offset: u64, len: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let zeros = [0u8; 64 * 1024];
    let end = offset + len;
    // Never over what is there already.
    let mut at = offset.max(file.metadata()?.len());
    while at < end {
        let n = (end - at).min(zeros.len() as u64);
        file.write_all_at(&zeros[..n as usize], at)?;
        at += n;
    }
    Ok(())
}

fn require_plain(path: &Path, file: &File) -> Result<(), OpenError> {
    let stat = rustix::fs::fstat(file).map_err(|errno| OpenError::io("look at", path, errno))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if stat.st_nlink == 1 => Ok(()),
        FileType::RegularFile if stat.st_nlink == 0 => Err(not_a_file(path, "a deleted file")),
        FileType::RegularFile => Err(not_a_file(path, "a file with more than one hard link")),
        FileType::Directory => Err(not_a_file(path, "a directory")),
        _ => Err(not_a_file(path, "a FIFO, socket or device")),
    }
}

fn not_a_file(path: &Path, found: &str) -> OpenError {
    OpenError::NotAStore {
        path: path.to_owned(),
        found: format!("there is {found} where a regular file belongs"),
    }
}
