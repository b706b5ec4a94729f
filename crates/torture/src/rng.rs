//! Random choices that can be repeated (SplitMix64).

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream that belongs to `seed` and `number`.
    pub(crate) const fn new(seed: u64, number: u64) -> Self {
        Self(mix(mix(seed) ^ number))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// 0 to `end` - 1, each as often.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether an event of so many per cent happens.
    pub(crate) const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// 1 to `most`, each order of magnitude as often.
    pub(crate) fn magnitude(&mut self, most: u64) -> u64 {
        let fraction = self.below(1 << 20) as f64 / f64::from(1 << 20);
        let chosen = (most as f64 + 1.0).powf(fraction) as u64;
        chosen.clamp(1, most)
    }

    pub(crate) const fn choose<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
