//! Where the bytes come from: a file or standard input, decompressed if the
//! first bytes say gzip, without a byte order mark, and never more than
//! [`MAX_ROW`] bytes for one row.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;

use super::Place;

/// The longest row that is read, in bytes. Sessions on one line reach a few
/// megabytes; more than this is a file that isn't made of lines.
pub(super) const MAX_ROW: u64 = 64 << 20;

const BUFFER: usize = 256 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The plain bytes of a trace.
pub(super) struct Source {
    reader: BufReader<Bounded>,
}

/// Ends a row that doesn't end by itself.
struct Bounded {
    inner: Box<dyn Read + Send>,
    /// Bytes read since the row began.
    row: u64,
}

impl Read for Bounded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.row > MAX_ROW {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "a row is longer than {} MiB: that is not a file of rows",
                    MAX_ROW >> 20
                ),
            ));
        }
        let read = self.inner.read(buf)?;
        self.row += read as u64;
        Ok(read)
    }
}

/// Says what is wrong with compressed bytes in words that name them.
struct Gzip<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::UnexpectedEof => "its gzip data breaks off",
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    "its gzip data is damaged"
                }
                _ => return error,
            };
            io::Error::new(error.kind(), format!("{what}, or something follows it"))
        })
    }
}

/// Opens a trace's bytes.
pub(super) fn open(place: &Place) -> io::Result<Source> {
    match place {
        Place::Stdin => Source::new(io::stdin()),
        Place::File(path) => {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::Error::new(
                    io::ErrorKind::IsADirectory,
                    "it is a directory: name one trace file",
                ));
            }
            Source::new(file)
        }
        Place::Spool { file, .. } => {
            // The copies share one position: one pass at a time.
            let mut file = file.try_clone()?;
            file.rewind()?;
            Source::new(file)
        }
    }
}

impl Source {
    pub(super) fn new(bytes: impl Read + Send + 'static) -> io::Result<Self> {
        let (magic, bytes) = peek(bytes, ZSTD.len())?;
        let plain: Box<dyn Read + Send> = if magic.starts_with(&GZIP) {
            Box::new(Gzip(MultiGzDecoder::new(BufReader::with_capacity(
                BUFFER, bytes,
            ))))
        } else if magic.starts_with(&ZSTD) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "it is compressed with zstd: decompress it, for example zstdcat FILE | quipu replay -",
            ));
        } else {
            Box::new(bytes)
        };
        let (mark, plain) = peek(plain, BYTE_ORDER_MARK.len())?;
        let plain: Box<dyn Read + Send> = if mark == BYTE_ORDER_MARK {
            Box::new(plain.into_inner().1)
        } else {
            Box::new(plain)
        };
        let bounded = Bounded {
            inner: plain,
            row: 0,
        };
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER, bounded),
        })
    }

    /// The bytes that are read already; empty only at the end.
    pub(super) fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    /// Whether the rest of the next line is still to be read.
    pub(super) fn may_wait(&self) -> bool {
        !self.reader.buffer().contains(&b'\n')
    }

    /// Skips white space before the first row; how many lines that were.
    pub(super) fn skip_blank_lines(&mut self) -> io::Result<u64> {
        let mut lines = 0;
        loop {
            self.reader.get_mut().row = 0;
            let buffer = self.reader.fill_buf()?;
            let blank = buffer
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            lines += buffer[..blank]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count() as u64;
            let ends_here = blank < buffer.len() || buffer.is_empty();
            self.reader.consume(blank);
            if ends_here {
                return Ok(lines);
            }
        }
    }

    /// Reads one line, without its end, into `line`; false at the end.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        self.reader.get_mut().row = 0;
        self.append_line(line)
    }

    /// Appends one more line of the same row, without its end.
    pub(super) fn append_line(&mut self, row: &mut Vec<u8>) -> io::Result<bool> {
        let read = self.reader.read_until(b'\n', row)?;
        if read > 0 && row.last() == Some(&b'\n') {
            row.pop();
            if row.last() == Some(&b'\r') {
                row.pop();
            }
        }
        Ok(read > 0)
    }
}

type Peeked<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// Looks at the first `count` bytes without consuming them.
fn peek<R: Read>(mut bytes: R, count: usize) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::with_capacity(count);
    bytes.by_ref().take(count as u64).read_to_end(&mut head)?;
    Ok((head.clone(), io::Cursor::new(head).chain(bytes)))
}

/// Why a source's rows can't be read at all.
pub(super) enum Refusal {
    Io(io::Error),
    Empty,
    Unrecognised(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
