//! What is found on the disk after the power was cut.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Change, Content, PAGE, State};

/// What a disk writes in one go, at least.
const SECTOR: usize = 512;

/// Numbers that look random and can be had again (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % n as u64) as usize
    }
}

impl State {
    /// Writes what may be left after a cut at this instant to the directory
    /// `to`, which must not be there.
    pub(crate) fn cut(&self, dice: &mut Dice, to: &Path) {
        let mut names = self.names.clone();
        for change in self.arrived(dice) {
            change.apply(&mut names);
        }
        // Some disks keep pages whole, some sectors only.
        let unit = if dice.below(3) == 0 { SECTOR } else { PAGE };
        fs::create_dir(to).unwrap();
        for (name, number) in names {
            self.files[number].cut(dice, unit, &to.join(name));
        }
    }

    /// The changes that arrived: with a journal those up to one, without one
    /// any.
    fn arrived(&self, dice: &mut Dice) -> Vec<&Change> {
        if dice.below(2) == 0 {
            let up_to = dice.below(self.changes.len() + 1);
            return self.changes[..up_to].iter().collect();
        }
        let some = self.changes.iter().filter(|_| dice.below(2) == 0);
        some.collect()
    }
}

impl Content {
    fn cut(&self, dice: &mut Dice, unit: usize, to: &Path) {
        let file = File::create_new(to).unwrap();
        let len = match self.lens.len() {
            0 => 0,
            lens => self.lens[choose(dice, lens)],
        };
        file.set_len(len as u64).unwrap();
        // How much of what was on its way has arrived.
        let haste = dice.below(5);
        for (number, seen) in self.pages.iter().enumerate() {
            for offset in (0..PAGE).step_by(unit) {
                let version = match haste {
                    0 => 0,
                    1 => seen.len() - 1,
                    _ => choose(dice, seen.len()),
                };
                let at = number * PAGE + offset;
                let piece = &seen[version][offset..offset + unit];
                if at < len && piece.iter().any(|byte| *byte != 0) {
                    let piece = &piece[..piece.len().min(len - at)];
                    file.write_all_at(piece, at as u64).unwrap();
                }
            }
        }
    }
}

/// One of `n`: mostly the last, often the first.
fn choose(dice: &mut Dice, n: usize) -> usize {
    match dice.below(8) {
        0..=3 => n - 1,
        4..=5 => 0,
        _ => dice.below(n),
    }
}
