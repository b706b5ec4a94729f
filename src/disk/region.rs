//! Mapped memory, and typed slices that lie in it.
//!
//! This is the only place where bytes are cast to types. What lies in a region
//! is made of atomics, so that any process may read it at any time, and of
//! records that atomics guard; every bit pattern is a valid value.

/// Types that may lie in a mapped region.
///
/// # Safety
///
/// - every bit pattern is a valid value, and there is nothing to drop;
/// - all fields are atomics, or cells to which access is ordered by atomics:
///   the memory is shared, also with other processes;
/// - the alignment is at most 4096 bytes.
pub(crate) unsafe trait Mappable: Sync {}

// SAFETY: an atomic word: any bits, no drop, alignment 8 (I6).
unsafe impl Mappable for crate::sync::AtomicU64 {}

#[cfg(not(loom))]
pub(crate) use mapped::{Placed, PlacedOne, Region};

#[cfg(loom)]
pub(crate) use modelled::{Placed, PlacedOne, Region};

#[cfg(not(loom))]
mod mapped {
    use std::fs::File;
    use std::io;
    use std::ops::Deref;
    use std::path::Path;
    use std::ptr::NonNull;
    use std::sync::Arc;

    use memmap2::{MmapMut, MmapOptions, MmapRaw};
    use rustix::io::Errno;

    use super::Mappable;
    use crate::disk::seam::attempt;

    /// Memory of this process or of a file that stays where it is until it is
    /// dropped.
    #[derive(Debug)]
    pub(crate) struct Region {
        map: MmapRaw,
    }

    impl Region {
        /// Maps `len` bytes of `file` for reading and writing. The blocks must
        /// be allocated: a store to a block that can't be had is a signal, not
        /// an error (I10).
        pub(crate) fn writable(
            file: &File,
            path: &Path,
            offset: u64,
            len: usize,
        ) -> io::Result<Arc<Self>> {
            Self::map(path, || {
                MmapOptions::new().offset(offset).len(len).map_raw(file)
            })
        }

        /// Maps `len` bytes of `file` for reading.
        pub(crate) fn readable(
            file: &File,
            path: &Path,
            offset: u64,
            len: usize,
        ) -> io::Result<Arc<Self>> {
            Self::map(path, || {
                MmapOptions::new()
                    .offset(offset)
                    .len(len)
                    .map_raw_read_only(file)
            })
        }

        fn map(path: &Path, map: impl Fn() -> io::Result<MmapRaw>) -> io::Result<Arc<Self>> {
            let map = attempt("map", path, None, || {
                map().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
            })?;
            Ok(Arc::new(Self { map }))
        }

        /// Zeroed memory without a file.
        pub(crate) fn anonymous(len: usize) -> io::Result<Arc<Self>> {
            let map = MmapMut::map_anon(len)?.into();
            Ok(Arc::new(Self { map }))
        }

        /// Asks for huge pages, so that who walks through the memory misses
        /// fewer translations. Before the first touch; best effort.
        pub(crate) fn prefer_huge_pages(&self) {
            #[cfg(all(target_os = "linux", not(miri)))]
            let _ = self.map.advise(memmap2::Advice::HugePage);
        }

        /// Makes every page present and writable now, so that no later store
        /// takes a page fault. Best effort: kernels before 5.14 can't.
        pub(crate) fn prefault(&self) {
            #[cfg(all(target_os = "linux", not(miri)))]
            let _ = self.map.advise(memmap2::Advice::PopulateWrite);
        }

        /// From now on a forked child finds zeros here. `false` where the
        /// system can't do that.
        #[cfg(all(target_os = "linux", not(miri)))]
        pub(crate) fn wipe_on_fork(&self) -> bool {
            use rustix::mm::{Advice, madvise};
            let all = self.map.as_mut_ptr().cast();
            // SAFETY: the range is this mapping, which is private and made of
            // atomics, for which zeros are valid (I6).
            unsafe { madvise(all, self.len(), Advice::LinuxWipeOnFork) }.is_ok()
        }

        #[cfg(not(all(target_os = "linux", not(miri))))]
        pub(crate) fn wipe_on_fork(&self) -> bool {
            false
        }

        /// Bytes mapped.
        pub(crate) fn len(&self) -> usize {
            self.map.len()
        }
    }

    /// A `[T]` in a region, which it keeps alive. A clone is the same `[T]`.
    #[derive(Debug)]
    pub(crate) struct Placed<T> {
        first: NonNull<T>,
        len: usize,
        _region: Arc<Region>,
    }

    // SAFETY: it is a shared slice of `T: Sync` whose region moves along (I6).
    unsafe impl<T: Mappable> Send for Placed<T> {}
    // SAFETY: as above.
    unsafe impl<T: Mappable> Sync for Placed<T> {}

    impl<T> Clone for Placed<T> {
        fn clone(&self) -> Self {
            Self {
                first: self.first,
                len: self.len,
                _region: Arc::clone(&self._region),
            }
        }
    }

    impl<T: Mappable> Placed<T> {
        /// The `len` values at byte `offset` of `region`; `None` where they
        /// don't lie wholly in it or aren't aligned.
        pub(crate) fn new(region: &Arc<Region>, offset: usize, len: usize) -> Option<Self> {
            let bytes = len.checked_mul(size_of::<T>())?;
            let first = region.map.as_mut_ptr().wrapping_add(offset).cast::<T>();
            let inside = offset.checked_add(bytes)? <= region.len();
            if !inside || !first.is_aligned() {
                return None;
            }
            Some(Self {
                first: NonNull::new(first)?,
                len,
                _region: Arc::clone(region),
            })
        }

        /// `len` zeroed values in memory of this process.
        pub(crate) fn anonymous(len: usize) -> io::Result<Self> {
            let region = Region::anonymous(len * size_of::<T>())?;
            region.prefer_huge_pages();
            region.prefault();
            Self::new(&region, 0, len).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
        }
    }

    impl<T: Mappable> Deref for Placed<T> {
        type Target = [T];

        #[inline]
        fn deref(&self) -> &[T] {
            // SAFETY: `new` checked bounds and alignment, the region lives as
            // long as `self`, any bits are a valid `T`, and all access is
            // through atomics (I6: other processes share this memory).
            unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.len) }
        }
    }

    /// One `T` in a region, which it keeps alive.
    #[derive(Debug)]
    pub(crate) struct PlacedOne<T>(Placed<T>);

    impl<T> Clone for PlacedOne<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }

    impl<T: Mappable> PlacedOne<T> {
        /// The value at byte `offset` of `region`; `None` as for [`Placed`].
        pub(crate) fn new(region: &Arc<Region>, offset: usize) -> Option<Self> {
            Placed::new(region, offset, 1).map(Self)
        }

        /// A zeroed value in memory of this process.
        pub(crate) fn anonymous() -> io::Result<Self> {
            Placed::anonymous(1).map(Self)
        }

        /// A zeroed value in memory of this process, and of no child of it:
        /// there it is zero again.
        pub(crate) fn wiped_on_fork() -> io::Result<Self> {
            let region = Region::anonymous(size_of::<T>())?;
            region.wipe_on_fork();
            Self::new(&region, 0).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
        }
    }

    impl<T: Mappable> Deref for PlacedOne<T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: as for a slice, of which this is the one element (I6).
            unsafe { self.0.first.as_ref() }
        }
    }
}

#[cfg(loom)]
mod modelled {
    use std::ops::Deref;
    use std::sync::Arc;

    use super::Mappable;
    use crate::sync::AtomicU64;

    /// Stand-in for a slice in a mapped region: loom's atomics can't be cast
    /// from bytes.
    ///
    /// Kept by a count that loom doesn't see: when memory is unmapped is no part
    /// of any protocol, and a ring clones its shards more often than a model
    /// does anything else.
    #[derive(Debug)]
    pub(crate) struct Placed<T>(Arc<[T]>);

    impl<T> Clone for Placed<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }

    impl<T: Mappable + Default> Placed<T> {
        pub(crate) fn anonymous(len: usize) -> std::io::Result<Self> {
            Ok(Self((0..len).map(|_| T::default()).collect()))
        }
    }

    impl<T> Deref for Placed<T> {
        type Target = [T];

        fn deref(&self) -> &[T] {
            &self.0
        }
    }

    /// Stand-in for a region: it has nothing but words.
    #[derive(Debug)]
    pub(crate) struct Region(Placed<AtomicU64>);

    impl Region {
        pub(crate) fn anonymous(len: usize) -> std::io::Result<Arc<Self>> {
            Ok(Arc::new(Self(Placed::anonymous(len / 8)?)))
        }

        pub(crate) fn len(&self) -> usize {
            self.0.len() * 8
        }
    }

    impl Placed<AtomicU64> {
        /// The words of a region, which can only be had as a whole.
        pub(crate) fn new(region: &Arc<Region>, offset: usize, len: usize) -> Option<Self> {
            (offset == 0 && len == region.0.len()).then(|| region.0.clone())
        }
    }

    /// The same for one value.
    #[derive(Debug)]
    pub(crate) struct PlacedOne<T>(Arc<T>);

    impl<T> Clone for PlacedOne<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }

    impl<T: Mappable + Default> PlacedOne<T> {
        pub(crate) fn anonymous() -> std::io::Result<Self> {
            Ok(Self(Arc::new(T::default())))
        }

        pub(crate) fn wiped_on_fork() -> std::io::Result<Self> {
            Self::anonymous()
        }
    }

    impl<T> Deref for PlacedOne<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }
}
