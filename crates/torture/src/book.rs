//! The oracle: acknowledged ≤ counted ≤ attempted, and nothing twice.

use std::ops::Range;
use std::path::Path;

use crate::counted::Counted;
use crate::marks::PRODUCERS;
use crate::notes::{self, Note};

/// What is known of one store's records from outside of it.
#[derive(Debug, Default)]
pub(crate) struct Book {
    accounts: [Account; PRODUCERS as usize],
    /// What the store held when it was last read.
    seen: Counted,
    /// What its checkpoint held.
    checkpoint: Counted,
    /// Numbers that were offered, not acknowledged, and not counted: as many
    /// holes there can be, and no more.
    vanished: u64,
}

/// What is known of one producer's records.
#[derive(Debug, Default)]
struct Account {
    /// Bytes of notes that were read.
    read: u64,
    /// Numbers that are acknowledged, or in doubt once and then counted.
    accepted: Vec<Range<u64>>,
    /// Numbers that were offered when the producer was killed: each may be
    /// counted.
    in_doubt: Vec<Range<u64>>,
}

impl Book {
    /// Reads what the producers of a writer that is dead have noted.
    pub(crate) fn read_notes(&mut self, place: &Path) -> Result<(), String> {
        for (producer, account) in self.accounts.iter_mut().enumerate() {
            let notes = notes::read_new(place, producer as u64, &mut account.read)
                .map_err(|error| format!("the notes of producer {producer}: {error}"))?;
            account.add(notes);
        }
        Ok(())
    }

    /// Records that are acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.accounts.iter().map(Account::acknowledged).sum()
    }

    /// Records that were counted at the last look.
    pub(crate) const fn records(&self) -> u64 {
        self.seen.records
    }

    /// Numbers that were never acknowledged and never counted.
    pub(crate) const fn vanished(&self) -> u64 {
        self.vanished
    }

    /// Checks what a reader sees of a store that was not recovered yet: what
    /// it saw before, and nothing that was not offered.
    pub(crate) fn check_seen(&mut self, counted: Counted) -> Result<(), String> {
        if let Some((producer, n)) = counted.misses(&self.seen) {
            return Err(format!(
                "number {n} of producer {producer} had been counted and is gone"
            ));
        }
        for producer in 0..PRODUCERS {
            let account = &self.accounts[producer as usize];
            let known = account.counted(&counted, producer, &account.accepted)
                + account.counted(&counted, producer, &account.in_doubt);
            if known != counted.count(producer) {
                let is_known = |n: &u64| account.knows(*n);
                let stray = counted.of(producer).find(|n| !is_known(n));
                return Err(format!(
                    "number {stray:?} of producer {producer} was counted and never offered"
                ));
            }
        }
        self.seen = counted;
        Ok(())
    }

    /// Checks what the checkpoint holds: a part of what the store holds, and
    /// never less than the checkpoint before.
    pub(crate) fn check_checkpoint(&mut self, counted: Counted) -> Result<(), String> {
        let missing = counted.misses(&self.checkpoint);
        if let Some((producer, n)) = missing.or(self.seen.misses(&counted)) {
            return Err(format!(
                "number {n} of producer {producer} is not both in the checkpoint and in the store"
            ));
        }
        self.checkpoint = counted;
        Ok(())
    }

    /// Checks what a store holds that was recovered: also all that is
    /// acknowledged. What was in doubt is not any more.
    pub(crate) fn check_all(&mut self, counted: Counted) -> Result<(), String> {
        self.check_seen(counted)?;
        for (producer, account) in self.accounts.iter_mut().enumerate() {
            let producer = producer as u64;
            let there = account.counted(&self.seen, producer, &account.accepted);
            let lost = account.acknowledged() - there;
            if lost > 0 {
                let first = account.accepted.iter().cloned().flatten();
                let first = first.into_iter().find(|n| !self.seen.has(producer, *n));
                return Err(format!(
                    "{lost} records of producer {producer} were lost, the first of them number \
                     {first:?}"
                ));
            }
            for n in std::mem::take(&mut account.in_doubt).into_iter().flatten() {
                if self.seen.has(producer, n) {
                    account.accept(n..n + 1);
                } else {
                    self.vanished += 1;
                }
            }
        }
        Ok(())
    }
}

impl Account {
    fn add(&mut self, notes: Vec<Note>) {
        let mut offered = None;
        for note in notes {
            match note {
                Note::Offered(range) => offered = Some(range),
                Note::Accepted(range) => {
                    offered = None;
                    self.accept(range);
                }
            }
        }
        self.in_doubt.extend(offered);
    }

    fn accept(&mut self, range: Range<u64>) {
        match self.accepted.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.accepted.push(range),
        }
    }

    fn acknowledged(&self) -> u64 {
        self.accepted
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    fn counted(&self, counted: &Counted, producer: u64, ranges: &[Range<u64>]) -> u64 {
        ranges
            .iter()
            .map(|range| counted.count_in(producer, range))
            .sum()
    }

    fn knows(&self, n: u64) -> bool {
        let mut ranges = self.accepted.iter().chain(&self.in_doubt);
        ranges.any(|range| range.contains(&n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Producer 2 was told that 0 to 199 are accepted, and was killed while it
    /// offered 200 to 209.
    fn book() -> Book {
        let mut book = Book::default();
        book.accounts[2].add(vec![
            Note::Offered(0..150),
            Note::Accepted(0..150),
            Note::Offered(150..200),
            Note::Accepted(150..200),
            Note::Offered(200..210),
        ]);
        book
    }

    fn counted(numbers: impl IntoIterator<Item = u64>) -> Counted {
        Counted::these(numbers.into_iter().map(|n| (2, n)))
    }

    #[test]
    fn what_was_offered_may_be_counted_or_not() {
        for end in 200..=210 {
            let mut book = book();
            book.check_all(counted(0..end)).unwrap();
            assert_eq!((book.acknowledged(), book.vanished()), (end, 210 - end));
            // Once recovered, it stays so.
            book.check_all(counted(0..end)).unwrap();
            assert!(book.check_seen(counted(0..end + 1)).is_err());
            assert!(book.check_seen(counted(0..end - 1)).is_err());
        }
    }

    #[test]
    fn what_was_acknowledged_must_be_counted() {
        let lost = |n: u64| counted((0..210).filter(|of| *of != n));
        let error = book().check_all(lost(77)).unwrap_err();
        assert!(
            error.contains("1 records of producer 2 were lost"),
            "{error}"
        );
        assert!(error.contains("Some(77)"), "{error}");
        // Before the recovery it may still be on the ring, but not for ever.
        let mut book = book();
        book.check_seen(lost(77)).unwrap();
        book.check_seen(counted(0..200)).unwrap_err();
        assert!(book.check_all(lost(199)).is_err());
    }

    #[test]
    fn what_was_never_offered_must_not_be_counted() {
        let error = book().check_seen(counted(0..211)).unwrap_err();
        assert!(error.contains("Some(210)"), "{error}");
        let other = Counted::these([(3, 0)]);
        assert!(book().check_seen(other).is_err());
    }

    #[test]
    fn a_checkpoint_is_a_part_of_the_store_and_only_grows() {
        let mut book = book();
        book.check_seen(counted(0..100)).unwrap();
        book.check_checkpoint(counted(0..50)).unwrap();
        assert!(book.check_checkpoint(counted(0..49)).is_err());
        assert!(book.check_checkpoint(counted(0..101)).is_err());
        book.check_checkpoint(counted(0..100)).unwrap();
    }
}
