//! A hostile body costs no memory: what an extractor holds doesn't depend on
//! what goes through it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use quipu_gateway::usage::{Extractor, Usage, UsageState};

/// Counts the bytes that this thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: hands everything on to the system's allocator; counting allocates
// nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size().cast_signed());
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        add(-layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What an extractor may hold, in bytes, its own size included.
const MOST_HELD: isize = 10 * 1024;

/// Reads a beginning, then `piece` again and again, then an end, and looks at
/// what was held at most.
fn read(start: &[u8], piece: &[u8], times: usize, end: &[u8]) -> Usage {
    // The table is made once for all.
    drop(Extractor::new().finish());
    let before = HELD.get();
    MOST.set(before);
    let mut extractor = Box::new(Extractor::new());
    extractor.push(start);
    for _ in 0..times {
        extractor.push(piece);
    }
    extractor.push(end);
    let most = MOST.get() - before;
    assert!(most < MOST_HELD, "{most} bytes are held");
    extractor.finish()
}

#[test]
fn an_extractor_is_small() {
    let size = size_of::<Extractor>();
    assert!(size < 5 * 1024, "{size} bytes");
}

const MIB: usize = 1 << 20;

#[test]
fn a_string_of_64_mib_is_not_kept() {
    let piece = vec![b'x'; 64 * 1024];
    let end = br#"","usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    for start in [
        &br#"{"text":""#[..],
        br#"{"model":""#,
        br#"{"usage":{"prompt_tokens":""#,
    ] {
        let usage = read(start, &piece, 64 * MIB / piece.len(), end);
        assert_eq!(usage.model, None);
        assert_ne!(usage.tokens.input, Some(0));
    }
    let usage = read(br#"{"text":""#, &piece, 64 * MIB / piece.len(), end);
    assert_eq!(usage.tokens.input, Some(3));
}

#[test]
fn a_key_of_64_mib_is_not_kept() {
    let piece = vec![b'k'; 64 * 1024];
    let end = br#"":1,"usage":{"prompt_tokens":3}}"#;
    let usage = read(br#"{""#, &piece, 1024, end);
    assert_eq!(usage.tokens.input, Some(3));
}

#[test]
fn a_number_of_16_mib_is_no_count() {
    let piece = vec![b'7'; 64 * 1024];
    let usage = read(
        br#"{"usage":{"prompt_tokens":"#,
        &piece,
        256,
        b",\"completion_tokens\":2}}",
    );
    assert_eq!((usage.tokens.input, usage.tokens.output), (None, Some(2)));
}

#[test]
fn nesting_a_million_levels_deep_is_walked_through() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let start = [
            r#"{"deep":"#,
            &open.repeat(1_000_000),
            "1",
            &close.repeat(1_000_000),
        ]
        .concat();
        let end = br#","usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
        let usage = read(start.as_bytes(), b" ", 1, end);
        assert_eq!(
            (usage.tokens.input, usage.state),
            (Some(3), UsageState::Complete)
        );
        // Within what is looked at, too, and without an end.
        let start = [r#"{"usage":"#, &open.repeat(1_000_000)].concat();
        assert_eq!(
            read(start.as_bytes(), b" ", 1, b"").state,
            UsageState::Missing
        );
    }
}

#[test]
fn a_million_events_and_lines_without_end_are_not_kept() {
    let event = br#"data: {"model":"m","usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    let usage = read(b"", &[&event[..], b"\n\n"].concat(), 200_000, b"");
    assert_eq!(
        (usage.tokens.input, usage.state),
        (Some(3), UsageState::Partial)
    );
    let usage = read(
        b"data: {\"usage\":{}}\n\n",
        b": comment without end ",
        200_000,
        b"",
    );
    assert_eq!(usage.state, UsageState::Missing);
    let usage = read(b"data: ", b"data", 1_000_000, b"");
    assert_eq!(usage.state, UsageState::Missing);
    let usage = read(
        b"",
        b"\r\n \t",
        1_000_000,
        b"{\"usage\":{\"prompt_tokens\":3}}",
    );
    assert_eq!(usage.tokens.input, Some(3));
}

/// A message of an event stream, with right checksums.
fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut message = total.to_be_bytes().to_vec();
    message.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

#[test]
fn a_message_of_15_mib_is_not_kept() {
    let mut payload = br#"{"p":""#.to_vec();
    payload.resize(15 * MIB, b'A');
    payload.extend(br#"","usage":{"inputTokens":3,"outputTokens":1}}"#);
    let whole = message(&vec![0; 60_000], &payload);
    let usage = read(b"", &whole, 1, b"");
    assert_eq!(usage.tokens.input, Some(3));
    // Packed in base64.
    let mut payload = br#"{"bytes":""#.to_vec();
    payload.resize(15 * MIB, b'A');
    payload.extend(br#""}"#);
    let usage = read(b"", &message(b"", &payload), 1, b"");
    assert_eq!(usage.state, UsageState::Missing);
}
