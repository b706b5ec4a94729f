//! The harness itself: what it makes of a valid file must be that file, and
//! every input of the corpora must pass.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::aggregate::{Map, seals};
use crate::base::{Base, Checkpointed};
use crate::bed::Bed;
use crate::check::{self, Made};
use crate::{format, ring, targets, usage};

type Target = fn(&[u8]);

/// There is one bed.
static BED: Mutex<()> = Mutex::new(());

fn with_the_bed(test: impl FnOnce()) {
    let _bed = BED.lock().unwrap_or_else(PoisonError::into_inner);
    test();
}

#[test]
fn what_is_valid_has_the_checksums_that_are_made_here() {
    with_the_bed(|| {
        let checkpoint = &*Checkpointed::get().checkpoint;
        let files = (0..4).map(|n| &*Base::choose(n).aggregate);
        let files = files.chain([checkpoint]);
        for file in files {
            let mut sealed = file.to_vec();
            Map::of(file).seal(&mut sealed, seals::ALL);
            let other = sealed
                .iter()
                .zip(file)
                .position(|(one, other)| one != other);
            assert_eq!(other, None, "the first byte that is another");
        }
        let ring = Base::killed().ring.as_deref().unwrap();
        let mut sealed = ring.to_vec();
        ring::seal(&mut sealed);
        assert!(sealed == ring);
    });
}

#[test]
fn without_edits_everything_is_counted() {
    with_the_bed(|| {
        let bed = Bed::get();
        for (n, base) in (0..4).map(|n| (n, Base::choose(n))) {
            targets::recorder(&[n, 0, 0, 0]);
            // Three records of the check itself, and the ring's.
            let seen = check::read(bed, Made::ByDamage);
            assert_eq!(
                seen.requests(),
                Some(base.committed + base.in_ring + 3),
                "base {n}"
            );
        }
        // What the checkpoint has; what the ring has where it is known.
        for (choices, counted) in [(0, 4), (1, 4 + 2), (2, 4 + 2), (3, 4 + 2), (4, 7 + 2)] {
            targets::checkpoint(&[0, 0, 0, choices]);
            let requests = check::read(bed, Made::ByDamage).requests();
            assert_eq!(requests, Some(counted + 3), "live file {choices}");
        }
        targets::salvage(&[0, 0, 0, 0]);
        assert_eq!(check::read(bed, Made::ByDamage).requests(), Some(4));
    });
}

#[test]
#[should_panic(expected = "it opens, and `verify` finds")]
fn a_store_that_opens_and_is_not_sound_is_noticed() {
    with_the_bed(|| {
        let (base, bed) = (Base::choose(1), Bed::get());
        let mut bytes = base.aggregate.clone();
        // Another model than that of any name, all checksums right.
        let place = base.map.place(&bytes, 4, 2);
        let word = format::word(&bytes, place);
        format::set(&mut bytes, place, word ^ 0xff << 32);
        base.map.seal(&mut bytes, seals::ALL);
        bed.clear();
        fs::write(bed.aggregate(), &bytes).unwrap();
        check::read(bed, Made::ByDamage);
    });
}

#[test]
fn all_of_the_corpora_pass() {
    with_the_bed(|| {
        let all: [(&str, Target); 7] = [
            ("reader", targets::reader),
            ("recorder", targets::recorder),
            ("checkpoint", targets::checkpoint),
            ("ring", targets::ring),
            ("names", targets::names),
            ("salvage", targets::salvage),
            ("usage", usage::responses),
        ];
        for (name, target) in all {
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("corpus")
                .join(name);
            let inputs: Vec<_> = fs::read_dir(&corpus).unwrap().collect();
            assert!(inputs.len() >= 6, "{} of {name}", inputs.len());
            for input in inputs {
                target(&fs::read(input.unwrap().path()).unwrap());
            }
        }
    });
}
