//! The identity: what a store is, written once when it is created.

use std::ops::Range;
use std::path::Path;

use super::layout::{
    COMPATIBLE_FEATURES, IDENTITY_WORDS, INCOMPATIBLE_FEATURES, MAGIC, identity as at,
};
use crate::bucket::Bucket;
use crate::disk::format::{BYTE_ORDER, StoreId, VERSION_MAJOR, VERSION_MINOR, checksum, version};
use crate::error::OpenError;

/// What a store is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) store: StoreId,
    /// Nanoseconds since 1970.
    pub(crate) created: u64,
    pub(crate) bucket: Bucket,
    /// Feature bits that may be ignored, also those that this version doesn't
    /// know.
    compatible: u64,
    minor: u32,
    /// Words that this version doesn't know: a newer minor version may.
    unknown: [u64; UNKNOWN.end - UNKNOWN.start],
}

/// The identity's words that this version doesn't know.
const UNKNOWN: Range<usize> = at::BUCKET_NANOS + 1..at::CHECKSUM;

impl Identity {
    /// That of a new store.
    pub(crate) const fn new(store: StoreId, created: u64, bucket: Bucket) -> Self {
        Self {
            store,
            created,
            bucket,
            compatible: COMPATIBLE_FEATURES,
            minor: VERSION_MINOR,
            unknown: [0; UNKNOWN.end - UNKNOWN.start],
        }
    }

    pub(crate) fn to_words(self) -> [u64; IDENTITY_WORDS] {
        let mut words = [0; IDENTITY_WORDS];
        words[at::MAGIC] = u64::from_le_bytes(MAGIC);
        words[at::BYTE_ORDER] = BYTE_ORDER;
        words[at::VERSION] = version(self.minor);
        words[at::COMPATIBLE] = self.compatible;
        words[at::INCOMPATIBLE] = INCOMPATIBLE_FEATURES;
        words[at::STORE_ID..at::STORE_ID + 2].copy_from_slice(&self.store.0);
        words[at::CREATED] = self.created;
        words[at::BUCKET_NANOS] = self.bucket.nanos();
        words[UNKNOWN].copy_from_slice(&self.unknown);
        words[at::CHECKSUM] = checksum(0, &words[..at::CHECKSUM]);
        words
    }

    /// Whether this version can read a file with these words at all. Looks at
    /// no more than the first three, which are the same in every version.
    pub(crate) fn check_version(
        words: &[u64; IDENTITY_WORDS],
        path: &Path,
    ) -> Result<(), OpenError> {
        let incompatible = |what| incompatible(path, what);
        let magic = words[at::MAGIC].to_le_bytes();
        if magic != MAGIC {
            return Err(match magic {
                _ if words.iter().all(|word| *word == 0) => {
                    OpenError::damaged(path, "the header is all zeros")
                }
                _ if words[at::MAGIC].swap_bytes().to_le_bytes() == MAGIC
                    && words[at::BYTE_ORDER] != BYTE_ORDER =>
                {
                    incompatible("it has the wrong byte order".into())
                }
                _ => OpenError::damaged(path, "its first 8 bytes are not those of a quipu file"),
            });
        }
        if words[at::BYTE_ORDER] == BYTE_ORDER.swap_bytes() {
            return Err(incompatible("it has the wrong byte order".into()));
        }
        if words[at::BYTE_ORDER] != BYTE_ORDER {
            return Err(OpenError::damaged(path, "the byte-order mark is wrong"));
        }
        let major = words[at::VERSION] >> 32;
        if major != u64::from(VERSION_MAJOR) {
            return Err(incompatible(format!(
                "it has format version {major}, and this version reads {VERSION_MAJOR}: \
                 use the version of quipu that wrote it, or a newer one"
            )));
        }
        Ok(())
    }

    /// Reads and judges the identity of the file at `path`.
    pub(crate) fn from_words(
        words: &[u64; IDENTITY_WORDS],
        path: &Path,
    ) -> Result<Self, OpenError> {
        // Before the checksum, which a newer major version may make otherwise:
        // what it wrote must be refused, never set aside.
        Self::check_version(words, path)?;
        if words[at::CHECKSUM] != checksum(0, &words[..at::CHECKSUM]) {
            return Err(OpenError::damaged(
                path,
                "the identity in bytes 16 to 255 doesn't have its checksum",
            ));
        }
        let unknown = words[at::INCOMPATIBLE] & !INCOMPATIBLE_FEATURES;
        if unknown != 0 {
            return Err(incompatible(
                path,
                format!(
                    "it uses features {unknown:#x} that this version doesn't know: \
                 use the version of quipu that wrote it, or a newer one"
                ),
            ));
        }
        let bucket = [Bucket::Day, Bucket::Hour]
            .into_iter()
            .find(|bucket| bucket.nanos() == words[at::BUCKET_NANOS])
            .ok_or_else(|| OpenError::damaged(path, "the bucket width is neither day nor hour"))?;
        let mut unknown = [0; UNKNOWN.end - UNKNOWN.start];
        unknown.copy_from_slice(&words[UNKNOWN]);
        Ok(Self {
            store: StoreId([words[at::STORE_ID], words[at::STORE_ID + 1]]),
            created: words[at::CREATED],
            bucket,
            compatible: words[at::COMPATIBLE],
            minor: words[at::VERSION] as u32,
            unknown,
        })
    }
}

fn incompatible(path: &Path, what: String) -> OpenError {
    OpenError::Incompatible {
        path: path.to_owned(),
        what,
    }
}
