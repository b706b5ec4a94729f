//! The command line's readers of traces: plain text, compressed text, and
//! compressed bytes that are damaged.
//!
//! ```text
//! byte 0   which format's first line is put in front; 0 is none
//! byte 1   bit 0: the text is compressed, bit 1: that is damaged,
//!          bit 2: no model is given for rows without one
//! then the text
//! ```
#![no_main]

#[allow(dead_code, unreachable_pub, unused_imports)]
#[path = "../../crates/cli/src/trace/mod.rs"]
mod trace;

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::{Arc, OnceLock};

use flate2::{Compression, write::GzEncoder};
use trace::{BadLine, Defaults, ModelName, Place, Step, Trace, TraceError};

const START: u64 = 1_735_689_600_000_000_000;

/// How compressed bytes begin.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// First lines of the CSV formats, and keys of the JSON ones.
const HEADERS: [&str; 8] = [
    "",
    "trace_id,agent,seq,t_s,stream,model,input_tokens,output_tokens,blocks,prefix_blocks_same_as_prev,stop,api_time_s,ttft_s,think_time_s\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\n",
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n",
    "provider,api,model,input_tokens,output_tokens,cache_read,cache_write,reasoning\n",
    "at,provider,model,tenant,input,cache_read,cache_write,output,reasoning,audio,cost_nanos,latency_us,ttft_us,outcome,streamed,estimated\n",
    "{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n",
    "{\"id\":\"s\",\"block_size\":64,\"requests\":[]}\n",
];

/// What a trace gives: its calls and the lines that could not be read.
#[derive(Debug, PartialEq)]
struct All {
    calls: u64,
    tokens: u64,
    bad: Vec<BadLine>,
    end: Result<(), String>,
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&[header, bits], text)) = input.split_first_chunk::<2>() else {
        return;
    };
    let mut plain = HEADERS[usize::from(header) % HEADERS.len()]
        .as_bytes()
        .to_vec();
    plain.extend_from_slice(text);
    let defaults = Defaults {
        start: START,
        model: (bits & 4 == 0).then(|| ModelName {
            provider: "p".into(),
            model: "m".into(),
        }),
    };
    let all = read(&plain, &defaults);
    assert_eq!(all, read(&plain, &defaults), "read twice");
    if bits & 1 == 0 {
        return;
    }
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&plain).unwrap();
    let mut compressed = gz.finish().unwrap();
    if bits & 2 == 0 {
        // What is compressed already is another trace when it is once more.
        let marks = [&GZIP[..], &ZSTD];
        if !marks.iter().any(|mark| plain.starts_with(mark)) {
            assert_eq!(all, read(&compressed, &defaults), "the same compressed");
        }
    } else {
        let at = usize::from(header) * 7 % compressed.len();
        compressed[at] ^= bits;
        read(&compressed, &defaults);
        compressed.truncate(at);
        read(&compressed, &defaults);
    }
});

/// Reads a trace to its end, and checks what it says on the way.
fn read(bytes: &[u8], defaults: &Defaults) -> All {
    let place = Place::Spool {
        name: "input".into(),
        file: file(bytes),
    };
    let mut all = All {
        calls: 0,
        tokens: 0,
        bad: Vec::new(),
        end: Ok(()),
    };
    match Trace::open(&place, defaults) {
        Ok(mut trace) => all.end = steps(&mut trace, &mut all).map_err(|error| error.to_string()),
        Err(error) => all.end = Err(error.to_string()),
    }
    let mut last = 0;
    for bad in &all.bad {
        assert!(
            bad.line > last && bad.lines > 0,
            "{bad:?} after line {last}"
        );
        last = bad.line + bad.lines - 1;
        assert!(
            !bad.reason.is_empty() && bad.reason.len() < 10_000,
            "{bad:?}"
        );
    }
    all
}

fn steps(trace: &mut Trace, all: &mut All) -> Result<(), TraceError> {
    let (calls, tokens) = (&mut all.calls, &mut all.tokens);
    loop {
        let step = trace.next(&mut |event| {
            *calls += 1;
            for kind in event.tokens.into_iter().flatten() {
                *tokens = tokens.wrapping_add(kind);
            }
        })?;
        match step {
            Step::Read => {}
            Step::Bad(bad) => all.bad.push(bad),
            Step::End => return Ok(()),
        }
    }
}

/// One file for all inputs, used again and again.
fn file(bytes: &[u8]) -> Arc<File> {
    static FILE: OnceLock<Arc<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let bed = quipu_fuzz::bed::Bed::get();
        let path = bed.beside("trace");
        let all = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path);
        Arc::new(all.unwrap())
    });
    let mut to = &**file;
    to.rewind().unwrap();
    to.set_len(0).unwrap();
    to.write_all(bytes).unwrap();
    Arc::clone(file)
}
