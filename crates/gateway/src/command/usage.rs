//! `quipu-gateway usage`: what a recorded body says about its usage.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use quipu_gateway::usage::{Extractor, Provider, Usage};
use serde::Serialize;

use super::error::{CommandError, say};

/// Prints the usage in a recorded response body, as one JSON object.
///
/// Fields: provider, model, input, cache_read, cache_write, output, reasoning,
/// audio (tokens by disjoint kinds; null where the provider did not say),
/// usage_state (complete, partial, missing), estimated (the counts contradict
/// each other). What is odd about the body is said on stderr. A body without
/// usage, be it empty, is no failure: its usage_state is missing. One that can't
/// be read at all is.
#[derive(Debug, Args)]
pub(super) struct UsageArgs {
    /// Who answered; recognised from path and body where it isn't given
    #[arg(long, value_name = "P")]
    provider: Option<Provider>,

    /// The request's path, or its whole URL
    #[arg(long, value_name = "REQUEST_PATH")]
    path: Option<String>,

    /// Lets the body arrive in chunks of this size; the result is the same for
    /// every size
    #[arg(long, value_name = "BYTES", default_value = "65536")]
    chunk: NonZeroUsize,

    /// The body as it was received, without headers; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Line<'a> {
    provider: Option<&'static str>,
    model: Option<&'a str>,
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    audio: Option<u64>,
    usage_state: &'static str,
    estimated: bool,
}

impl<'a> Line<'a> {
    fn new(usage: &'a Usage) -> Self {
        let tokens = &usage.tokens;
        Self {
            provider: usage.provider.map(Provider::name),
            model: usage.model.as_deref(),
            input: tokens.input,
            cache_read: tokens.cache_read,
            cache_write: tokens.cache_write,
            output: tokens.output,
            reasoning: tokens.reasoning,
            audio: tokens.audio,
            usage_state: usage.state.name(),
            estimated: usage.estimated,
        }
    }
}

pub(super) fn run(args: &UsageArgs) -> Result<(), CommandError> {
    let mut extractor = Extractor::new();
    if let Some(provider) = args.provider {
        extractor = extractor.provider(provider);
    }
    if let Some(path) = &args.path {
        extractor = extractor.path(path);
    }
    let input_error = |source| CommandError::Input {
        name: args.file.clone(),
        source,
    };
    let file = open(&args.file).map_err(input_error)?;
    let (usage, is_empty) = read(file, extractor, args.chunk).map_err(input_error)?;
    if let Some(why) = usage.unreadable {
        return Err(CommandError::Body {
            name: args.file.clone(),
            why,
        });
    }
    if is_empty {
        say("note: the body is empty");
    }
    for finding in &usage.findings {
        say(&format!("note: {finding}"));
    }
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &Line::new(&usage)).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        Ok(Box::new(io::stdin().lock()))
    } else {
        Ok(Box::new(File::open(file)?))
    }
}

/// Reads to the end in chunks of exactly this size, as far as the body goes;
/// gives what it says, and whether there was nothing.
fn read(
    mut file: impl Read,
    mut extractor: Extractor,
    chunk: NonZeroUsize,
) -> io::Result<(Usage, bool)> {
    const MOST: usize = 1 << 20;
    let mut buffer = vec![0; chunk.get().min(MOST)];
    let mut is_empty = true;
    loop {
        let mut filled = 0;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            match file.read(room) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        is_empty &= filled == 0;
        extractor.push(buffer.get(..filled).unwrap_or_default());
        if filled < buffer.len() {
            return Ok((extractor.finish(), is_empty));
        }
    }
}
