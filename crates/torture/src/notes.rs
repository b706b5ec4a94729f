//! What producers note outside the store: a range of numbers before they offer
//! it, and the same again after it was accepted. What was written to a file is
//! there also when the writer is killed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes of a note: two words.
const BYTES: usize = 16;
/// In the first word: this is no acknowledgement yet.
const OFFERED: u64 = 1 << 63;

/// One note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    Offered(Range<u64>),
    Accepted(Range<u64>),
}

/// The notes of one producer.
#[derive(Debug)]
pub(crate) struct Notes {
    file: File,
}

impl Notes {
    /// Goes on with the producer's notes; gives the first number that nobody
    /// has offered.
    pub(crate) fn go_on(place: &Path, producer: u64) -> io::Result<(Self, u64)> {
        let path = path(place, producer);
        let options = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path);
        let mut file = options?;
        let len = file.metadata()?.len();
        let mut next = 0;
        if len >= BYTES as u64 {
            let mut last = [0; BYTES];
            file.seek(SeekFrom::Start(len - BYTES as u64))?;
            file.read_exact(&mut last)?;
            next = words(&last)[1];
        }
        Ok((Self { file }, next))
    }

    /// Before the numbers are offered to the recorder.
    pub(crate) fn offer(&mut self, numbers: &Range<u64>) -> io::Result<()> {
        self.write(numbers.start | OFFERED, numbers.end)
    }

    /// After the recorder accepted all of them.
    pub(crate) fn accept(&mut self, numbers: &Range<u64>) -> io::Result<()> {
        self.write(numbers.start, numbers.end)
    }

    fn write(&mut self, first: u64, end: u64) -> io::Result<()> {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        bytes[8..].copy_from_slice(&end.to_le_bytes());
        self.file.write_all(&bytes)
    }
}

/// The producer's notes from byte `*from` on, which is set to their end.
pub(crate) fn read_new(place: &Path, producer: u64, from: &mut u64) -> io::Result<Vec<Note>> {
    let mut file = match File::open(path(place, producer)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    file.seek(SeekFrom::Start(*from))?;
    let mut bytes = Vec::new();
    *from += file.read_to_end(&mut bytes)? as u64;
    let (notes, _) = bytes.as_chunks::<BYTES>();
    let note = |bytes| match words(bytes) {
        [first, end] if first & OFFERED != 0 => Note::Offered(first & !OFFERED..end),
        [first, end] => Note::Accepted(first..end),
    };
    Ok(notes.iter().map(note).collect())
}

fn words(bytes: &[u8; BYTES]) -> [u64; 2] {
    let (words, _) = bytes.as_chunks::<8>();
    [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
}

fn path(place: &Path, producer: u64) -> PathBuf {
    place.join(format!("notes-{producer}"))
}
