//! A reader of stores that knows nothing but docs/file-format.md. What it
//! counts must be what the library counts: otherwise the page is wrong.

use super::counts::{Counts, Key, Sums};
use super::image::{
    COMMITTED, EXTENT_HEADER, Image, NAME_COUNT, ROW_WORDS, block, checksum, crc32,
};

/// Names by id.
#[derive(Debug)]
struct Names {
    providers: Vec<String>,
    models: Vec<(usize, String)>,
    tenants: Vec<String>,
    ring_dirs: Vec<String>,
}

/// What the file holds.
#[derive(Debug)]
pub(crate) struct Store {
    image: Image,
    names: Names,
    nanos_per_bucket: u64,
    pub(crate) counts: Counts,
    pub(crate) holes: u64,
}

impl Store {
    pub(crate) fn read(image: Image) -> Self {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check of CRC-32");
        assert!(image.bytes.starts_with(b"\x89QPU\r\n\x1a\n"));
        assert_eq!(image.word(8), 0x0102_0304_0506_0708);
        assert_eq!(image.word(16) >> 32, 1);
        assert_eq!(image.word(32), 0);
        assert_eq!(image.word(248), checksum(0, &image.bytes[..248]));
        assert_eq!(image.word(256), 1);
        let names = Names::read(&image);
        let mut store = Self {
            nanos_per_bucket: image.word(64),
            holes: image.block(block::HOLES),
            counts: Counts::default(),
            names,
            image,
        };
        for number in 0..store.image.block(block::ROWS) as usize {
            store.add_row(number);
        }
        let image = &store.image;
        assert_eq!(image.word(image.commit()), image.sealed(COMMITTED));
        assert_eq!(store.counts.requests(), image.block(block::RECORDS));
        assert_eq!(image.digest(), image.block(block::DIGEST), "digest");
        let positions = store.counts.requests() + store.holes + image.block(block::LOST);
        assert_eq!(image.covered(), positions, "I1");
        store
    }

    fn key(&self, bucket: u64, model: usize) -> Key {
        let (provider, model) = &self.names.models[model];
        let provider = &self.names.providers[*provider];
        let seconds = bucket * (self.nanos_per_bucket / 1_000_000_000);
        let is_older = bucket == 0xffff_ffff;
        let has_hours = self.nanos_per_bucket == 3_600_000_000_000 && !is_older;
        (
            (!is_older).then_some(seconds / 86_400),
            has_hours.then_some(seconds / 3600 % 24),
            provider.clone(),
            model.clone(),
        )
    }

    fn add_row(&mut self, number: usize) {
        let at = self.image.in_force(self.image.row(number), ROW_WORDS);
        let at = at.unwrap() + 8;
        let (head, ids) = (self.image.word(at), self.image.word(at + 8));
        let counters = (0..28).map(|n| self.image.word(at + 16 + 8 * n));
        let key = self.key(head & 0xffff_ffff, (ids >> 32 & 0xffff) as usize);
        let segment = (head >> 40 & 0xff) as usize;
        let counts = &mut self.counts;
        let histograms = match head >> 32 & 0xff {
            0 => return,
            1 => {
                let tenant = self.names.tenants[ids as u32 as usize].clone();
                let sums = counts.rows.entry((key, tenant)).or_default();
                for (counter, n) in counters.enumerate() {
                    sums.add(counter, n);
                }
                sums.saturated |= head >> 48 & 1 == 1;
                return;
            }
            2 => &mut counts.latencies,
            3 => &mut counts.times_to_first_token,
            other => panic!("row {number} is of kind {other}"),
        };
        for (n, count) in counters.enumerate().filter(|(_, count)| *count != 0) {
            let buckets = histograms.entry(key.clone()).or_default();
            *buckets.entry(least(28 * segment + n)).or_default() += count;
        }
    }

    /// The name of the ring's file beside the aggregate file with this inode.
    pub(crate) fn ring_name(&self, inode: u64) -> String {
        let [high, low] = [40, 48].map(|at| self.image.word(at));
        let number = self.image.block(block::RING);
        format!("quipu-{high:016x}{low:016x}-{inode:x}-{number}.ring")
    }

    /// The directory in which the ring's file is.
    pub(crate) fn ring_dir(&self) -> &str {
        &self.names.ring_dirs[self.image.block(block::RING_DIR) as usize]
    }

    /// Counts what is in a ring and not yet committed.
    pub(crate) fn recover(&mut self, ring: Vec<u8>) {
        let ring = Image { bytes: ring };
        assert!(ring.bytes.starts_with(b"\x89QPR\r\n\x1a\n"));
        assert_eq!(ring.word(248), checksum(0, &ring.bytes[..248]));
        for (at, word) in [(8, 8), (16, 16), (24, 40), (32, 48)] {
            assert_eq!(ring.word(at), self.image.word(word), "word at {at}");
        }
        assert_eq!(ring.word(40), self.image.block(block::RING));
        let [shards, slots] = [48, 56].map(|at| ring.word(at) as usize);
        assert_eq!(shards as u64, self.image.block(block::SHARDS));
        let first_slot = (4096 + 256 * shards).next_multiple_of(4096);
        assert_eq!(ring.bytes.len(), first_slot + shards * slots * 64);
        for shard in 0..shards {
            let control = 4096 + 256 * shard;
            let committed = self.image.block(block::POSITIONS + shard);
            assert_eq!(ring.word(control + 128), committed, "head");
            let slot = |position: u64| {
                let number = shard * slots + position as usize % slots;
                first_slot + 64 * number
            };
            let is_there = |position: u64| ring.word(slot(position)) == position + 1;
            let tail = ring.word(control) & !(1 << 63);
            let published = (committed..committed + slots as u64).rfind(|it| is_there(*it));
            for position in committed..tail.max(published.map_or(0, |last| last + 1)) {
                if is_there(position) {
                    let at = slot(position) + 8;
                    self.add_record(&Image {
                        bytes: ring.bytes[at..at + 56].to_vec(),
                    });
                } else {
                    self.holes += 1;
                }
            }
        }
    }

    fn add_record(&mut self, record: &Image) {
        let half = |at: usize| record.word(at & !7) >> (8 * (at & 7)) & 0xffff_ffff;
        let flags = half(44) >> 16;
        let has = |bit: u64| flags >> bit & 1;
        let key = self.key(
            record.word(0) / self.nanos_per_bucket,
            (half(44) & 0xffff) as usize,
        );
        let tenant = self.names.tenants[half(40) as usize].clone();
        for (bit, at, histograms) in [
            (12, 48, &mut self.counts.latencies),
            (13, 52, &mut self.counts.times_to_first_token),
        ] {
            if has(bit) == 1 {
                let buckets = histograms.entry(key.clone()).or_default();
                let lows = (0..464).map(least);
                let low = lows.take_while(|low| *low <= half(at)).last().unwrap();
                *buckets.entry(low).or_default() += 1;
            }
        }
        let sums: &mut Sums = self.counts.rows.entry((key, tenant)).or_default();
        sums.add(0, 1);
        if flags & 7 != 0 {
            sums.add((flags & 7) as usize, 1);
        }
        for kind in 0..6 {
            sums.add(8 + kind, has(6 + kind as u64) * half(16 + 4 * kind));
            sums.add(14 + kind, has(6 + kind as u64));
        }
        sums.add(20, has(14) * record.word(8));
        sums.add(21, has(14));
        for (counter, bit, at) in [(22, 12, 48), (24, 13, 52)] {
            sums.add(counter, has(bit) * half(at));
            sums.add(counter + 1, has(bit));
        }
        sums.add(26, has(3));
        sums.add(27, has(4));
        sums.saturated |= has(5) == 1;
    }
}

/// The least duration of a bucket.
pub(crate) fn least(bucket: usize) -> u64 {
    match bucket as u64 {
        b @ 0..=15 => b,
        b => (16 + b % 16) << (b / 16 - 1),
    }
}

impl Names {
    fn read(image: &Image) -> Self {
        let mut names = Self {
            providers: vec!["__other__".into()],
            models: vec![(0, "__other__".into())],
            tenants: vec![String::new(), "__other__".into()],
            ring_dirs: Vec::new(),
        };
        let mut left = image.sealed(NAME_COUNT);
        for extent in image.extents().iter().filter(|it| !it.holds_rows) {
            let mut at = extent.at + EXTENT_HEADER;
            while left > 0 && at < extent.at + extent.bytes && image.word(at) != 0 {
                at = names.read_one(image, at);
                left -= 1;
            }
        }
        assert_eq!(left, 0, "names are missing");
        names
    }

    /// Takes in the name at `at`; gives where the next one begins.
    fn read_one(&mut self, image: &Image, at: usize) -> usize {
        let (head, second) = (image.word(at), image.word(at + 8));
        let len = (head >> 8 & 0xffff) as usize;
        let end = at + 16 + len.next_multiple_of(8);
        let id = second & 0xffff_ffff;
        let seed = head.rotate_left(32) ^ id;
        assert_eq!(second >> 32, checksum(seed, &image.bytes[at + 16..end]));
        let name = image.bytes[at + 16..at + 16 + len].to_vec();
        let name = String::from_utf8(name).unwrap();
        let place = match head & 0xff {
            1 => push(&mut self.providers, name),
            2 => push(&mut self.models, ((head >> 24 & 0xffff) as usize, name)),
            3 => push(&mut self.tenants, name),
            4 => push(&mut self.ring_dirs, name),
            other => panic!("a name of kind {other}"),
        };
        assert_eq!(place as u64, id, "ids count up");
        end
    }
}

/// Adds to the end; gives the place.
fn push<T>(to: &mut Vec<T>, item: T) -> usize {
    to.push(item);
    to.len() - 1
}
