//! What several tests need.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use quipu_gateway::usage::{Extractor, Tokens, Usage};

/// The recorded data beside the repository (or where `QUIPU_DATA` says), or a
/// word and `None` where it isn't.
pub(crate) fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("QUIPU_DATA").map_or(beside, PathBuf::from);
    if data.join("wire/expected_usage.csv").is_file() {
        return Some(data);
    }
    println!("skipped: there is no recorded data in {}", data.display());
    None
}

/// Reads a body that arrives in chunks of this many bytes.
pub(crate) fn read(extractor: Extractor, body: &[u8], chunk: usize) -> Usage {
    read_pieces(extractor, body.chunks(chunk.max(1)))
}

/// Reads a body that arrives in these pieces.
pub(crate) fn read_pieces<'a>(
    mut extractor: Extractor,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Usage {
    for piece in pieces {
        extractor.push(piece);
    }
    extractor.finish()
}

/// Reads a body that arrives whole; who answered isn't told.
pub(crate) fn read_whole(body: &[u8]) -> Usage {
    read(Extractor::new(), body, body.len())
}

/// Tokens of a call without anything special.
pub(crate) fn tokens(input: u64, output: u64) -> Tokens {
    Tokens {
        input: Some(input),
        output: Some(output),
        ..Tokens::default()
    }
}
