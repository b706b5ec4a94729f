//! Real traces, replayed by four producers: what the store then holds is
//! compared with sums made here, straight from the files, by a route that
//! shares nothing with the command.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use quipu::{Reader, Totals};
use support::{run, stdout};

/// (provider, model) → requests, errors, tokens by kind.
type Sums = BTreeMap<(String, String), (u64, u64, [u64; 6])>;

fn traces() -> Option<PathBuf> {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let traces = data.join("traces");
    if traces.is_dir() {
        return Some(traces);
    }
    println!("skipped: {} is not there", traces.display());
    None
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    let mut file = File::open(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
    } else {
        file.read_to_string(&mut text).unwrap();
    }
    text
}

fn add(sums: &mut Sums, provider: &str, model: &str, is_error: bool, tokens: [u64; 6]) {
    let (requests, errors, sum) = sums.entry((provider.into(), model.into())).or_default();
    *requests += 1;
    *errors += u64::from(is_error);
    for (sum, tokens) in sum.iter_mut().zip(tokens) {
        *sum += tokens;
    }
}

/// Replays the trace and compares, model by model; gives the total.
fn compare(trace: &Path, expected: &Sums) -> Totals {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("usage.quipu");
    let printed = stdout([
        "replay".as_ref(),
        trace.as_os_str(),
        "--store".as_ref(),
        store.as_os_str(),
        "--producers".as_ref(),
        "4".as_ref(),
    ]);
    assert!(printed.contains("4 producers"), "{printed}");
    let snapshot = Reader::open(&store).unwrap().snapshot().unwrap();
    let found: Sums = snapshot
        .by_model()
        .into_iter()
        .map(|model| {
            let Totals {
                requests,
                errors,
                tokens,
                ..
            } = model.totals;
            (
                (model.provider.to_string(), model.model.to_string()),
                (requests, errors, tokens),
            )
        })
        .collect();
    assert_eq!(&found, expected);
    snapshot.total()
}

/// The number that follows `key` in a line of JSON.
fn number(line: &str, key: &str) -> u64 {
    let (_, rest) = line.split_once(&format!("\"{key}\": ")).unwrap();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    rest[..end].parse().unwrap()
}

#[test]
fn azure() {
    let Some(traces) = traces() else { return };
    let trace = traces.join("azure_llm_2023_code.csv");
    let mut sums = Sums::new();
    for line in text(&trace).lines().skip(1) {
        let cells: Vec<u64> = line
            .split(',')
            .skip(1)
            .map(|cell| cell.parse().unwrap())
            .collect();
        add(
            &mut sums,
            "azure",
            "unnamed",
            false,
            [cells[0], 0, 0, cells[1], 0, 0],
        );
    }
    let total = compare(&trace, &sums);
    assert_eq!(total.requests, 8_819);
    assert_eq!(total.tokens, [18_059_974, 0, 0, 245_896, 0, 0]);
    // Cached tokens were not reported as zero: they were not reported.
    assert_eq!(total.reported, [8_819, 0, 0, 8_819, 0, 0]);
}

#[test]
fn burstgpt() {
    let Some(traces) = traces() else { return };
    let trace = traces.join("burstgpt_slice_400.csv");
    let mut sums = Sums::new();
    for line in text(&trace).lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (input, output) = (cells[2].parse().unwrap(), cells[3].parse().unwrap());
        let is_error = cells[4] == "0";
        add(
            &mut sums,
            "openai",
            cells[1],
            is_error,
            [input, 0, 0, output, 0, 0],
        );
    }
    let total = compare(&trace, &sums);
    assert_eq!((total.requests, total.errors), (400, 17));
    assert_eq!(total.tokens, [208_189, 0, 0, 110_612, 0, 0]);
}

#[test]
fn mooncake() {
    let Some(traces) = traces() else { return };
    let trace = traces.join("mooncake_conversation_trace.jsonl.gz");
    let mut sums = Sums::new();
    for line in text(&trace).lines() {
        let tokens = [
            number(line, "input_length"),
            0,
            0,
            number(line, "output_length"),
            0,
            0,
        ];
        add(&mut sums, "mooncake", "unnamed", false, tokens);
    }
    let total = compare(&trace, &sums);
    assert_eq!(total.requests, 12_031);
    assert_eq!(total.tokens, [144_793_823, 0, 0, 4_122_048, 0, 0]);
}

#[test]
fn ragpulse() {
    let Some(traces) = traces() else { return };
    let trace = traces.join("ragpulse_0_trace.jsonl.gz");
    let mut sums = Sums::new();
    for line in text(&trace).lines().filter(|line| !line.is_empty()) {
        let tokens = [
            number(line, "input_length"),
            0,
            0,
            number(line, "output_length"),
            0,
            0,
        ];
        add(&mut sums, "ragpulse", "unnamed", false, tokens);
    }
    let total = compare(&trace, &sums);
    assert_eq!(total.requests, 7_106);
    assert_eq!(total.tokens, [20_917_099, 0, 0, 2_012_676, 0, 0]);
}

#[test]
fn claude_code() {
    let Some(traces) = traces() else { return };
    let trace = traces.join("claude_code_requests.csv.gz");
    let mut sums = Sums::new();
    let (mut streamed, mut timed, mut first_tokens) = (0, 0, 0);
    for line in text(&trace).lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (prompt, output): (u64, u64) = (cells[6].parse().unwrap(), cells[7].parse().unwrap());
        let cached = match cells[9] {
            "" => 0,
            blocks => prompt.min(blocks.parse::<u64>().unwrap() * 64),
        };
        add(
            &mut sums,
            "anthropic",
            cells[5],
            false,
            [prompt - cached, cached, 0, output, 0, 0],
        );
        streamed += u64::from(cells[4] == "1");
        timed += u64::from(!cells[11].is_empty());
        first_tokens += u64::from(!cells[12].is_empty());
    }
    let total = compare(&trace, &sums);
    assert_eq!(total.requests, 30_669);
    assert_eq!(total.tokens[0] + total.tokens[1], 3_578_318_603);
    assert_eq!(total.tokens[3], 13_448_191);
    // All but the first of each agent have cache reads that stand in.
    assert_eq!(total.estimated, total.reported[1]);
    assert_eq!(total.streamed, streamed);
    assert_eq!(total.latency.count, timed);
    assert_eq!(total.time_to_first_token.count, first_tokens);
}

/// Cache reads, cache writes and reasoning as reported.
fn counts_of_parts(cells: &[&str]) -> [u64; 3] {
    [7, 8, 9].map(|cell| cells[cell].parse().unwrap_or(0))
}

#[test]
fn recorded_calls() {
    let Some(traces) = traces() else { return };
    let trace = traces.join("recorded_calls.csv");
    let mut sums = Sums::new();
    let (mut prompts, mut answers, mut cut) = (0, 0, 0);
    for line in text(&trace).lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let count = |cell: usize| cells[cell].parse::<u64>().unwrap_or(0);
        let is_on_top = [
            "anthropic.messages",
            "bedrock.converse",
            "bedrock.invoke.nova",
        ]
        .contains(&cells[1]);
        let (input, read, write) = match (count(5), count(7), count(8)) {
            counts if is_on_top => counts,
            (input, _, _) if cells[5].is_empty() => (input, count(7), count(8)),
            // Cut at the whole prompt: first what was read, then what was
            // written, then the rest.
            (whole, read, write) => {
                let read_ends = read.min(whole);
                let write_ends = (read + write).min(whole).max(read_ends);
                (whole - write_ends, read_ends, write_ends - read_ends)
            }
        };
        let (output, reasoning) = match (count(6), count(9)) {
            counts if cells[1].starts_with("gemini") || cells[6].is_empty() => counts,
            (whole, reasoning) => (whole - reasoning.min(whole), reasoning.min(whole)),
        };
        let counted = [input, read, write, output, reasoning];
        let reported = counts_of_parts(&cells);
        cut += u64::from(counted[1..3] != reported[..2] || counted[4] != reported[2]);
        prompts += count(5);
        answers += count(6);
        let model = if cells[3].is_empty() {
            "unnamed"
        } else {
            cells[3]
        };
        add(
            &mut sums,
            cells[0],
            model,
            false,
            [input, read, write, output, reasoning, 0],
        );
    }
    assert_eq!((prompts, answers), (1_453_303, 308_618));
    let total = compare(&trace, &sums);
    assert_eq!(total.requests, 2_341);
    assert_eq!(total.estimated, cut);
    // What was not reported is not a zero.
    assert_eq!(total.reported, [2_336, 1_417, 567, 2_305, 1_307, 0]);
}

/// The published sessions say the same as the rows that were derived from
/// them by somebody else.
#[test]
fn sessions_agree_with_the_table_made_from_them() {
    let Some(traces) = traces() else { return };
    let table = text(&traces.join("claude_code_requests.csv.gz"));
    let header = table.lines().next().unwrap();
    let directory = tempfile::tempdir().unwrap();
    for id in ["trace_0103", "trace_0291", "trace_0331"] {
        let rows = table
            .lines()
            .filter(|line| line.starts_with(&format!("{id},")));
        let rows: Vec<&str> = std::iter::once(header).chain(rows).collect();
        let csv = directory.path().join(format!("{id}.csv"));
        std::fs::write(&csv, rows.join("\n")).unwrap();
        let session = traces.join(format!("claude_code_raw/{id}.json"));
        let [of_rows, of_session] = [csv, session].map(|trace| {
            let store = directory
                .path()
                .join(format!("{}.quipu", trace.file_name().unwrap().display()));
            let output = run([
                "replay".as_ref(),
                trace.as_os_str(),
                "--store".as_ref(),
                store.as_os_str(),
            ]);
            assert_eq!(output.status.code(), Some(0));
            Reader::open(&store).unwrap().snapshot().unwrap()
        });
        assert!(of_rows.total().requests > 0);
        assert_eq!(of_rows.total(), of_session.total(), "{id}");
        let models = |snapshot: &quipu::Snapshot| {
            snapshot
                .by_model()
                .into_iter()
                .map(|m| (m.model, m.totals))
                .collect::<Vec<_>>()
        };
        assert_eq!(models(&of_rows), models(&of_session), "{id}");
    }
}
