//! One function for each target but the trace readers': what is done with an
//! input. In the library, so that the corpora are also a test.

use std::fs;
use std::time::Duration;

use quipu::{Builder, Durability, SalvageError};

use crate::aggregate::{self, Map};
use crate::base::{Base, Checkpointed};
use crate::bed::Bed;
use crate::check::{self, Made, Seen};
use crate::edit::Program;
use crate::{names, ring};

/// In `choices`: what follows the head are the file's bytes themselves.
const RAW: u8 = 1 << 7;
/// There is no ring.
const NO_RING: u8 = 1 << 6;
/// The recorder writes checkpoints.
const CHECKPOINTS: u8 = 1 << 5;

fn image(program: &Program<'_>, valid: &[u8], map: &Map) -> Vec<u8> {
    if program.choices & RAW != 0 {
        return program.rest.to_vec();
    }
    let mut bytes = valid.to_vec();
    program.apply(&mut bytes, |bytes, area, index| {
        map.place(bytes, area, index)
    });
    map.seal(&mut bytes, program.seals);
    bytes
}

/// Puts an aggregate file into the bed, with the ring that its writer left.
fn put(bed: &Bed, aggregate: &[u8], base: &Base, choices: u8) {
    bed.clear();
    fs::write(bed.aggregate(), aggregate).unwrap();
    if let Some(ring) = &base.ring
        && choices & NO_RING == 0
    {
        fs::write(bed.ring(base.ring_number()), ring).unwrap();
    }
}

fn builder(bed: &Bed, choices: u8) -> Builder {
    match choices & CHECKPOINTS {
        0 => bed.builder(),
        _ => bed
            .builder()
            .durability(Durability::Checkpoint(Duration::from_secs(3600))),
    }
}

/// A reader and `verify` meet an aggregate file.
pub fn reader(input: &[u8]) {
    let Some(program) = Program::parse(input) else {
        return;
    };
    let bed = lay_out(&program);
    check::read(bed, Made::with(program.seals));
}

/// Puts the edited aggregate file of a program in place.
fn lay_out(program: &Program) -> &'static Bed {
    let (base, bed) = (Base::choose(program.base), Bed::get());
    put(
        bed,
        &image(program, &base.aggregate, &base.map),
        base,
        program.choices,
    );
    bed
}

/// A writer meets one.
pub fn recorder(input: &[u8]) {
    let Some(program) = Program::parse(input) else {
        return;
    };
    let bed = lay_out(&program);
    let made = Made::with(program.seals);
    let seen = check::read(bed, made);
    check::write(bed, &builder(bed, program.choices), made, &seen);
}

/// A writer meets a checkpoint, and in place of the live file nothing, one that
/// is older or newer, or one that is damaged.
pub fn checkpoint(input: &[u8]) {
    let Some(program) = Program::parse(input) else {
        return;
    };
    let (files, bed) = (Checkpointed::get(), Bed::get());
    let checkpoint = image(&program, &files.checkpoint, &files.map);
    let mut live = files.newer.aggregate.clone();
    match program.choices & 7 {
        1 => live.clone_from(&files.older),
        // The names and the last commit can still be read: its ring is used.
        2 => live[files.newer.map.first_row() + 8] ^= 1,
        3 => live[100] ^= 1,
        _ => {}
    }
    put(bed, &live, &files.newer, program.choices);
    if program.choices & 7 == 0 {
        bed.clear_all();
    }
    fs::write(bed.checkpoint(), checkpoint).unwrap();
    let made = Made::with(program.seals);
    let seen = Seen {
        // The checkpoint goes first where it is newer.
        snapshot: None,
        ..check::read(bed, made)
    };
    check::write(bed, &builder(bed, program.choices), made, &seen);
}

/// A writer meets the ring of one that was killed.
pub fn ring(input: &[u8]) {
    let Some(program) = Program::parse(input) else {
        return;
    };
    let (base, bed) = (Base::killed(), Bed::get());
    let valid = base.ring.as_deref().unwrap();
    let bytes = if program.choices & RAW == 0 {
        let mut bytes = valid.to_vec();
        program.apply(&mut bytes, |_, area, index| ring::place(valid, area, index));
        if program.seals & 1 != 0 {
            ring::seal(&mut bytes);
        }
        bytes
    } else {
        program.rest.to_vec()
    };
    put(bed, &base.aggregate, base, 0);
    fs::write(bed.ring(base.ring_number()), &bytes).unwrap();
    let seen = check::read(bed, Made::ByDamage);
    check::write(bed, &builder(bed, program.choices), Made::ByDamage, &seen);
}

/// Everything meets a log of names; or names come through the API.
pub fn names(input: &[u8]) {
    const BY_API: u8 = 1;
    const FROM_THE_END: u8 = 2;
    const COMMITTED: u8 = 4;
    let Some(program) = Program::parse(input) else {
        return;
    };
    let bed = Bed::get();
    if program.choices & BY_API != 0 {
        return names::by_api(bed, &program);
    }
    let base = Base::choose(program.base);
    let mut bytes = base.aggregate.clone();
    let from_the_end = program.choices & FROM_THE_END != 0;
    let count = names::write_log(&mut bytes, &base.map, program.rest, from_the_end);
    if program.choices & COMMITTED != 0 {
        aggregate::set_committed_names(&mut bytes, count);
    }
    put(bed, &bytes, base, program.choices);
    let seen = check::read(bed, Made::OnPurpose);
    check::write(bed, &builder(bed, program.choices), Made::OnPurpose, &seen);
}

/// What is sound of a damaged file goes into a new store or one that is there.
pub fn salvage(input: &[u8]) {
    const INTO_ANOTHER: u8 = 1;
    const OTHER_ID: [u64; 2] = [7, 7];
    let Some(program) = Program::parse(input) else {
        return;
    };
    let (base, bed) = (Base::choose(program.base), Bed::get());
    let damaged = bed.beside("damaged");
    let bytes = image(&program, &base.aggregate, &base.map);
    fs::write(&damaged, &bytes).unwrap();
    bed.clear_all();
    if program.choices & INTO_ANOTHER != 0 {
        let mut other = Base::killed().aggregate.clone();
        aggregate::set_identity(&mut other, OTHER_ID);
        fs::write(bed.aggregate(), other).unwrap();
    }
    let before = check::read(bed, Made::ByDamage).requests().unwrap_or(0);
    let done = quipu::salvage(&damaged, bed.store());
    assert!(
        fs::read(&damaged).unwrap() == bytes,
        "the damaged file was changed"
    );
    match done {
        Ok(done) => {
            let seen = check::read(bed, Made::with(program.seals));
            let all = before.saturating_add(done.records);
            assert_eq!(seen.requests(), Some(all), "salvaged, and read again");
            let found = seen.verification.unwrap().problems;
            check::sound(found.iter(), Made::with(program.seals));
            let again = quipu::salvage(&damaged, bed.store());
            assert!(
                matches!(again, Err(SalvageError::Refused { .. })),
                "{again:?}"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
