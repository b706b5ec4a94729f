//! Finds the row of a key: a small direct-mapped cache in front of a map.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::row::RowKey;

/// Entries of the cache: 8192 × 24 bytes stay in the second-level cache.
const CACHE_BITS: u32 = 13;
const CACHE: usize = 1 << CACHE_BITS;

/// No row has this number.
const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: RowKey,
    row: u32,
}

/// From keys to row numbers.
#[derive(Debug)]
pub(crate) struct Index {
    cache: Box<[Entry; CACHE]>,
    map: HashMap<RowKey, u32, BuildHasherDefault<KeyHasher>>,
}

impl Index {
    pub(crate) fn new() -> Self {
        let empty = Entry {
            key: RowKey::FREE,
            row: NOBODY,
        };
        Self {
            cache: Box::new([empty; CACHE]),
            map: HashMap::default(),
        }
    }

    /// The row of `key`, if the key was looked up before.
    #[inline]
    pub(crate) fn cached(&self, key: RowKey) -> Option<u32> {
        let entry = &self.cache[Self::place(key)];
        (entry.key == key && entry.row != NOBODY).then_some(entry.row)
    }

    /// The row of `key`.
    pub(crate) fn get(&mut self, key: RowKey) -> Option<u32> {
        let row = *self.map.get(&key)?;
        self.remember(key, row);
        Some(row)
    }

    /// Answers `row` for `key` until something else takes its place in the
    /// cache. The row's own key may be another: that of `__other__`.
    pub(crate) fn remember(&mut self, key: RowKey, row: u32) {
        self.cache[Self::place(key)] = Entry { key, row };
    }

    pub(crate) fn insert(&mut self, key: RowKey, row: u32) {
        self.map.insert(key, row);
        self.remember(key, row);
    }

    pub(crate) fn remove(&mut self, key: RowKey) {
        self.map.remove(&key);
    }

    /// Forgets everything that was only remembered.
    pub(crate) fn forget(&mut self) {
        for entry in self.cache.iter_mut() {
            entry.row = NOBODY;
        }
    }

    #[inline]
    fn place(key: RowKey) -> usize {
        (key.spread() >> (64 - CACHE_BITS)) as usize
    }
}

/// A cheap hash of a few small numbers that nobody chooses to collide.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(word.into());
    }

    fn write_isize(&mut self, word: isize) {
        // The discriminant of an enum.
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(32) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, Hash};

    use super::*;
    use crate::bucket::BucketIndex;

    /// Keys as stores have them: a few days, some models, many tenants.
    fn keys() -> Vec<RowKey> {
        let key = |n: u32| RowKey::usage(BucketIndex(20_000 + n % 4), (n / 4 % 16) as u16, n / 64);
        (0..4096).map(key).collect()
    }

    fn hash(value: impl Hash) -> u64 {
        BuildHasherDefault::<KeyHasher>::default().hash_one(value)
    }

    #[test]
    fn a_key_that_was_found_is_in_the_cache_until_it_is_forgotten() {
        let mut index = Index::new();
        let keys = keys();
        assert_eq!(index.cached(keys[5]), None);
        assert_eq!(index.cached(RowKey::FREE), None, "what an empty place has");
        index.insert(keys[5], 7);
        assert_eq!(index.cached(keys[5]), Some(7));
        index.forget();
        assert_eq!(index.cached(keys[5]), None);
        assert_eq!(index.get(keys[5]), Some(7));
        assert_eq!(index.cached(keys[5]), Some(7));
        index.remove(keys[5]);
        assert_eq!(index.get(keys[5]), None);
    }

    #[test]
    fn most_keys_have_a_place_of_their_own_in_the_cache() {
        let mut index = Index::new();
        for (number, key) in keys().into_iter().enumerate() {
            index.insert(key, number as u32);
        }
        let cached = |(number, key): &(usize, RowKey)| index.cached(*key) == Some(*number as u32);
        let found = keys().into_iter().enumerate().filter(cached).count();
        assert!(found > 2000, "{found} of 4096");
    }

    #[test]
    fn most_keys_have_a_hash_of_their_own() {
        let whole: HashSet<_> = keys().into_iter().map(hash).collect();
        assert_eq!(whole.len(), 4096);
        // A map takes the low bits for the place, the high ones to compare.
        let low: HashSet<_> = whole.iter().map(|hash| hash % 4096).collect();
        assert!(low.len() > 2000, "{} of 4096", low.len());
        let high: HashSet<_> = whole.iter().map(|hash| hash >> 57).collect();
        assert_eq!(high.len(), 128);
    }

    #[test]
    fn whatever_a_key_consists_of_is_in_its_hash() {
        let all = [
            hash(()),
            hash(1u8),
            hash(2u16),
            hash(3u32),
            hash(4u64),
            // Its kind, too.
            hash(Some(4u32)),
            hash("5"),
        ];
        assert_eq!(HashSet::from(all).len(), all.len());
    }
}
