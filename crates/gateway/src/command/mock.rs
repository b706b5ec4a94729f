//! `quipu-gateway mock`: a provider to try gateways on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::runtime::Builder;

use super::error::{CommandError, say};
use crate::mock::{Dice, FAULTS, Fault, Mock, Pace, Served, Settings, service};
use crate::serve::{Ended, Limits, Server, Signals};

const EXAMPLES: &str = "\
Requests:
  POST /v1/chat/completions, /v1/responses, /v1/completions, /v1/embeddings (OpenAI),
  POST /v1/messages, /v1/messages/count_tokens (Anthropic), GET /v1/models (both);
  GET  /served            what was served, as JSON
  POST /served/reset      begins to count at zero

Usage of an answer: one token for each four bytes of the prompt's text; as many of output as
max_tokens says, else --output. The model is the request's. These headers of a request say
otherwise (all are numbers):
  x-mock-input, x-mock-output, x-mock-cache-read, x-mock-cache-write, x-mock-cache-write-1h,
  x-mock-reasoning, x-mock-audio, x-mock-audio-output
                          tokens; none is contained in another
  x-mock-first-ms, x-mock-gap-ms, x-mock-chunks
                          the pace, as the options say it
  x-mock-chunk-bytes      the body comes in pieces of so many bytes, cut anywhere
  x-mock-fault            what goes wrong; see --fault, or none

Examples:
  quipu-gateway mock --gap-ms 20 --served served.json
  curl -N localhost:8399/v1/chat/completions -H 'x-mock-cache-read: 900' \\
       -d '{\"model\":\"gpt-4o\",\"stream\":true,\"stream_options\":{\"include_usage\":true},
            \"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'
  curl localhost:8399/v1/messages -H 'x-mock-fault: status=529' \\
       -d '{\"model\":\"claude-x\",\"max_tokens\":50,\"messages\":[]}'
  curl localhost:8399/served

With OPENAI_BASE_URL=http://127.0.0.1:8399/v1 or ANTHROPIC_BASE_URL=http://127.0.0.1:8399 (and
any key) the official packages call it, too.";

/// Plays a provider, offline: answers in OpenAI's and Anthropic's protocols,
/// and counts what it served.
///
/// Prints `listening on http://ADDRESS` when it can be called. Ends at SIGINT
/// or SIGTERM, after what runs, or at once at the second.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct MockArgs {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8399")]
    listen: SocketAddr,

    /// Time until an answer begins
    #[arg(long, value_name = "MS", default_value = "0")]
    first_ms: u64,

    /// Time between two pieces of a stream's text
    #[arg(long, value_name = "MS", default_value = "0")]
    gap_ms: u64,

    /// Pieces that an answer's text has, in a stream an event each
    #[arg(long, value_name = "N", default_value = "16")]
    chunks: NonZeroU64,

    /// Tokens of an answer whose request has no max_tokens
    #[arg(long, value_name = "TOKENS", default_value = "64")]
    output: u64,

    /// What goes wrong with every request; a request's own header goes before
    #[arg(long, value_name = "FAULT", long_help = fault_help())]
    fault: Option<Fault>,

    /// Share of the requests that go wrong at random, by an error 429, or a
    /// connection closed at once or in mid-stream
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = share)]
    fault_rate: f64,

    /// Which requests these are: the same for the same seed
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,

    /// The key that requests must have, as Bearer or x-api-key; else any will do
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// A name for the list of models (can be repeated); every name can be called
    #[arg(long = "model", value_name = "NAME", default_value = "mock-1")]
    models: Vec<String>,

    /// Where to write at the end what GET /served says
    #[arg(long, value_name = "FILE")]
    served: Option<PathBuf>,

    /// Connections at once; more wait
    #[arg(long, value_name = "N")]
    connections: Option<NonZeroUsize>,

    /// Time that what runs has to end
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    grace: u64,

    /// Threads that serve; one for each processor where it isn't given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

fn fault_help() -> String {
    format!(
        "What goes wrong with every request; a request's own header goes before. One of: {FAULTS}. \
         docs/mock.md says what each does."
    )
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".to_owned()),
    }
}

/// Bytes that a request's body may have.
const BODY_BYTES: usize = 64 << 20;

pub(super) fn run(args: MockArgs) -> Result<(), CommandError> {
    let limits = Limits {
        connections: args.connections,
        grace: Duration::from_secs(args.grace),
        ..Limits::default()
    };
    // Now, so that nothing is served in vain.
    let report = args.served.map(Report::open).transpose()?;
    let mock = Arc::new(Mock::new(Settings {
        pace: Pace {
            first: Duration::from_millis(args.first_ms),
            gap: Duration::from_millis(args.gap_ms),
            chunks: args.chunks,
        },
        output: args.output,
        key: args.key,
        models: args.models,
        fault: args.fault,
        dice: Dice {
            rate: args.fault_rate,
            seed: args.seed,
        },
        body_bytes: BODY_BYTES,
    }));
    let mut runtime = Builder::new_multi_thread();
    if let Some(threads) = args.threads {
        runtime.worker_threads(threads.get());
    }
    let runtime = runtime.enable_all().build().map_err(CommandError::Start)?;
    let ended = runtime.block_on(serve(args.listen, limits, Arc::clone(&mock)))?;
    if let Ended::CutOff(connections) = ended {
        say(&format!("broke off {connections} connections"));
    }
    report.map_or(Ok(()), |report| report.write(mock.served()))
}

async fn serve(
    address: SocketAddr,
    limits: Limits,
    mock: Arc<Mock>,
) -> Result<Ended, CommandError> {
    let signals = Signals::new().map_err(CommandError::Start)?;
    let server = Server::bind(address, limits).await;
    let server = server.map_err(|source| CommandError::Listen { address, source })?;
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{}", server.address())?;
    out.flush()?;
    drop(out);
    Ok(server.run(service(mock), signals).await)
}

/// The file for the counts.
struct Report {
    name: PathBuf,
    file: File,
}

impl Report {
    fn open(name: PathBuf) -> Result<Self, CommandError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&name);
        match file {
            Ok(file) => Ok(Self { name, file }),
            Err(source) => Err(CommandError::Report { name, source }),
        }
    }

    /// Puts the counts in place of what was there.
    fn write(mut self, served: &Served) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(&served.report()).map_err(io::Error::from);
        let written = text.and_then(|text| {
            // What has no length, as a pipe, has nothing to replace.
            let _ = self.file.set_len(0);
            self.file.write_all((text + "\n").as_bytes())
        });
        written.map_err(|source| CommandError::Report {
            name: self.name,
            source,
        })
    }
}
