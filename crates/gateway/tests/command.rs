//! The real command: what it prints, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::data;

fn run<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>, stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quipu-gateway"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may end without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn usage(args: &[&str], stdin: &str) -> (i32, String, String) {
    let args = ["usage"].iter().chain(args).chain(&["-"]);
    let output = run(args, stdin.as_bytes());
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn body(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/bodies")
        .join(name)
}

#[test]
fn the_usage_is_one_json_object_with_null_for_what_is_not_said() {
    let body = r#"{"model":"gpt-4o","usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":2}}}"#;
    let (code, out, err) = usage(&[], body);
    assert_eq!(code, 0);
    assert_eq!(err, "");
    assert_eq!(
        out,
        "{\"provider\":\"openai\",\"model\":\"gpt-4o\",\"input\":10,\"cache_read\":2,\
         \"cache_write\":null,\"output\":5,\"reasoning\":null,\"audio\":null,\
         \"usage_state\":\"complete\",\"estimated\":false}\n"
    );
}

#[test]
fn provider_and_path_decide_before_the_body() {
    let body = r#"{"usage":{"inputTokens":8,"outputTokens":2}}"#;
    let (_, out, _) = usage(&["--path", "/model/acme.one-v1%3A0/converse"], body);
    assert!(
        out.starts_with(r#"{"provider":"bedrock","model":"acme.one-v1:0","input":8,"#),
        "{out}"
    );
    let (_, out, _) = usage(&["--provider", "azure"], r#"{"model":"gpt-4o"}"#);
    assert!(
        out.starts_with(r#"{"provider":"azure_openai","model":"gpt-4o","input":null,"#),
        "{out}"
    );
    let (_, out, _) = usage(
        &["--path", "https://api.groq.com/openai/v1/chat/completions"],
        "{}",
    );
    assert!(
        out.starts_with(r#"{"provider":"groq","model":null,"#),
        "{out}"
    );
}

#[test]
fn a_body_without_usage_is_no_failure() {
    for body in [
        "{}",
        "",
        r#"{"error":{"message":"no"}}"#,
        r#"{"usage":null}"#,
        r#"{"cut":"#,
    ] {
        let (code, out, _) = usage(&[], body);
        assert_eq!(code, 0, "{body}");
        assert!(out.contains(r#""usage_state":"missing""#), "{body}: {out}");
    }
}

#[test]
fn an_empty_body_is_said_to_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("empty.json");
    fs::write(&file, "").unwrap();
    let output = run([OsStr::new("usage"), file.as_os_str()], b"");
    assert_eq!(output.status.code(), Some(0));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains(r#""usage_state":"missing""#), "{out}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "quipu-gateway: note: the body is empty\n");
}

#[test]
fn counts_that_can_not_be_written_are_found_before_anything_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere/served.json");
    for file in [dir.path(), &nowhere] {
        // It ends by itself, or the test doesn't.
        let args = ["mock", "--listen", "127.0.0.1:0", "--served"].map(OsStr::new);
        let output = run(args.into_iter().chain([file.as_os_str()]), b"");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(file.to_str().unwrap()), "{said}");
    }
}

#[test]
fn what_can_not_be_read_fails_with_one_line() {
    for body in ["<html></html>", "\u{1f}not", "{oops}"] {
        let (code, out, err) = usage(&[], body);
        assert_eq!((code, out.as_str()), (1, ""), "{body}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    let output = run(["usage", "/nowhere/at/all"], b"");
    assert_eq!(output.status.code(), Some(1));
    let output = run([OsStr::new("usage"), body("").as_os_str()], b"");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for args in [
        &["usage"][..],
        &["usage", "--provider", "acme", "-"],
        &["usage", "--chunk", "0", "-"],
        &["usage", "--chunk", "many", "-"],
        &["usages"],
        &[],
    ] {
        assert_eq!(run(args, b"").status.code(), Some(2), "{args:?}");
    }
    assert_eq!(run(["--help"], b"").status.code(), Some(0));
    assert_eq!(run(["usage", "--help"], b"").status.code(), Some(0));
}

#[test]
fn oddities_are_said_on_stderr() {
    let body = r#"{"usage":{"prompt_tokens":3,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":9}}}"#;
    let (code, out, err) = usage(&[], body);
    assert_eq!(code, 0);
    assert!(out.contains(r#""input":0,"cache_read":9,"#), "{out}");
    assert!(out.contains(r#""estimated":true"#), "{out}");
    assert!(err.contains("more than the prompt's 3"), "{err}");
}

#[test]
fn the_chunk_changes_nothing() {
    let mut files: Vec<PathBuf> = fs::read_dir(body(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    if let Some(data) = data() {
        let wire = data.join("wire");
        files.extend(
            [
                "bedrock/invoke_stream_nova.eventstream",
                "gemini/stream_json_array.json",
            ]
            .map(|file| wire.join(file)),
        );
    }
    for file in files {
        let run = |chunk: &str| {
            let args = ["usage", "--chunk", chunk].map(OsStr::new);
            let output = run(args.into_iter().chain([file.as_os_str()]), b"");
            assert_eq!(output.status.code(), Some(0), "{}", file.display());
            (output.stdout, output.stderr)
        };
        let whole = run("65536");
        for chunk in ["1", "2", "7", "64", "18446744073709551615"] {
            assert_eq!(run(chunk), whole, "{} in {chunk}", file.display());
        }
    }
}
