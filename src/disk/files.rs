//! Files as a store may use them: regular, with one link, never through a
//! symlink, blocks allocated before anything is mapped (I10). Every call to
//! the system that touches a file of quipu is made here.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::seam::{attempt, attempt_write};
use crate::error::OpenError;

/// Files of a store are for its owner and group.
const MODE: Mode = Mode::from_raw_mode(0o640);
const DIRECTORY_MODE: u32 = 0o750;

/// Opens an existing file.
pub(crate) fn open_existing(path: &Path, writable: bool) -> Result<File, OpenError> {
    let access = if writable {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    // NONBLOCK: a FIFO must not hold up the open; it is refused below.
    let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = attempt("open", path, None, || {
        rustix::fs::open(path, flags, Mode::empty())
    });
    let file = match file {
        Ok(fd) => File::from(fd),
        Err(error) => {
            let found = match Errno::from_io_error(&error) {
                Some(Errno::LOOP) => "a symbolic link",
                Some(Errno::ISDIR) => "a directory",
                Some(Errno::NXIO) => "a FIFO, socket or device",
                _ => return Err(OpenError::io("open", path, error)),
            };
            return Err(not_a_file(path, found));
        }
    };
    require_plain(path, &file)?;
    Ok(file)
}

/// Creates a file that isn't there yet.
pub(crate) fn create_new(path: &Path) -> Result<File, OpenError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::CREATE | OFlags::EXCL;
    attempt("create", path, None, || rustix::fs::open(path, flags, MODE))
        .map(File::from)
        .map_err(|error| OpenError::io("create", path, error))
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

/// Creates a directory; its parent must be there.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    attempt("create", path, None, || {
        std::fs::DirBuilder::new()
            .mode(DIRECTORY_MODE)
            .create(path)
            .map_err(|error| errno(&error))
    })
}

/// Allocates blocks up to `offset + len`; the file grows where it is shorter.
pub(crate) fn allocate(file: &File, path: &Path, offset: u64, len: u64) -> io::Result<()> {
    let allocated = attempt("allocate", path, None, || {
        rustix::fs::fallocate(file, FallocateFlags::empty(), offset, len)
    });
    match allocated {
        // Not every file system can: writing zeros allocates everywhere.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::OPNOTSUPP) => {
            // Never over what is there already.
            let there = look_at(file, path)?.st_size.cast_unsigned();
            write_zeros(file, path, offset.max(there)..offset + len)
        }
        other => other,
    }
}

/// Writes zeros to a range of bytes.
pub(crate) fn write_zeros(file: &File, path: &Path, range: Range<u64>) -> io::Result<()> {
    let zeros = [0u8; 64 * 1024];
    let mut at = range.start;
    while at < range.end {
        let n = (range.end - at).min(zeros.len() as u64);
        write(file, path, &zeros[..n as usize], at)?;
        at += n;
    }
    Ok(())
}

/// Writes all of `bytes`.
pub(crate) fn write(file: &File, path: &Path, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = attempt_write(path, bytes.len(), |most| {
            rustix::io::pwrite(file, &bytes[..most], at)
        })?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}

/// Fills `bytes`; a file that ends before that is an error.
pub(crate) fn read(file: &File, path: &Path, bytes: &mut [u8], at: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    attempt("read", path, None, || {
        file.read_exact_at(bytes, at).map_err(|error| errno(&error))
    })
}

/// What the system knows of an open file.
pub(crate) fn look_at(file: &File, path: &Path) -> io::Result<Stat> {
    attempt("stat", path, None, || rustix::fs::fstat(file))
}

/// Waits until all of a file is on the disk. After an error nobody knows what
/// is: write another file.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    attempt("sync", path, None, || rustix::fs::fsync(file))
}

/// Waits until the names in a directory are on the disk.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    attempt("sync-dir", path, None, || {
        rustix::fs::fsync(rustix::fs::open(path, flags, Mode::empty())?)
    })
}

/// Gives a file another name, in place of what had it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    attempt("rename", from, Some(to), || rustix::fs::rename(from, to))
}

/// Gives a file another name, which nothing may have.
pub(crate) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags};
    attempt("rename", from, Some(to), || {
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not every file system can; the name has the time in it.
            Err(Errno::INVAL | Errno::NOSYS) if !to.exists() => rustix::fs::rename(from, to),
            other => other,
        }
    })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), OpenError> {
    match attempt("remove", path, None, || rustix::fs::unlink(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn require_plain(path: &Path, file: &File) -> Result<(), OpenError> {
    let stat = look_at(file, path).map_err(|error| OpenError::io("look at", path, error))?;
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

/// The system's number for an error of the standard library, which has one
/// unless the file was shorter than it should be.
fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
