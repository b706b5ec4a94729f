//! What `quipu replay` says of a trace that isn't all it could be: lines that
//! can't be read, counts that are nobody's word, names that aren't taken.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{CSV, file, printed, replay, total};

#[test]
fn bad_lines_are_counted_and_shown_and_the_others_are_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let mut text = CSV.to_owned();
    for _ in 0..12 {
        text.push_str("openai,gpt-4o,,many,,,\n");
    }
    let trace = file(
        directory.path(),
        "trace.csv",
        text + "openai,gpt-4o,,1,,,\n",
    );
    let store = directory.path().join("usage.quipu");
    let output = replay(&trace, &store, &["--repeat", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let errors = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 12, "{errors}");
    assert!(
        lines[0].starts_with("12 lines could not be read"),
        "{errors}"
    );
    assert!(
        lines[1].contains("line 5: input: \"many\" is not a whole number"),
        "{errors}"
    );
    assert!(lines[11].contains("and 2 more"), "{errors}");
    assert_eq!(total(&store).requests, 4 * 3);
    for (shown, expected) in [("all", 13), ("3", 5), ("0", 2)] {
        let output = replay(&trace, &store, &["--bad-lines", shown])
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(errors.lines().count(), expected, "{shown}: {errors}");
    }
}

#[test]
fn an_unclosed_quote_counts_every_line_it_costs() {
    let directory = tempfile::tempdir().unwrap();
    let rows = "p,m,1\n".repeat(60);
    let text = format!("provider,model,input\np,\"m,1\n{rows}");
    let trace = file(
        directory.path(),
        "trace.csv",
        format!("{text}p,\"m\",1\np,m,2\n"),
    );
    let store = directory.path().join("usage.quipu");
    let output = replay(&trace, &store, &[]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("none of the 63 lines") && errors.contains("the next 62 lines"),
        "{errors}"
    );
    let trace = file(
        directory.path(),
        "trace.csv",
        format!("provider,model,input\n{rows}p,\"m\n{rows}"),
    );
    let output = replay(&trace, &store, &[]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("61 lines could not be read"), "{errors}");
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert_eq!(total(&store).requests, 60);
}

#[test]
fn what_is_no_providers_word_is_marked_and_said() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(
        directory.path(),
        "claude.csv",
        "trace_id,t_s,stream,model,input_tokens,output_tokens,prefix_blocks_same_as_prev,\
         api_time_s,ttft_s\n\
         a,0,1,m,100,1,,,\na,1,1,m,200,1,1,,\na,2,1,m,200,1,0,,\n",
    );
    let store = directory.path().join("claude");
    let text = printed(&mut replay(&trace, &store, &["--repeat", "2"]));
    assert!(
        text.contains("estimated  2 calls: the trace has no cache reads"),
        "{text}"
    );
    assert_eq!(total(&store).estimated, 2 * 2);

    let trace = file(
        directory.path(),
        "calls.csv",
        "provider,api,model,input_tokens,output_tokens,cache_read,cache_write,reasoning\n\
         p,openai.chat,m,10,5,11,,\np,openai.chat,m,10,5,,,6\np,openai.chat,m,10,5,10,,5\n",
    );
    let store = directory.path().join("calls");
    let text = printed(&mut replay(&trace, &store, &[]));
    assert!(
        text.contains("estimated  2 calls: a part of the tokens"),
        "{text}"
    );
    assert_eq!(total(&store).estimated, 2);
}

#[test]
fn names_that_are_not_taken_are_said() {
    let directory = tempfile::tempdir().unwrap();
    let long = "x".repeat(300);
    let trace = file(
        directory.path(),
        "trace.csv",
        format!("provider,model,tenant\np,{long},\np,m,{long}\np,{long},{long}\np,m,t\n"),
    );
    let store = directory.path().join("usage.quipu");
    for more in [&["--repeat", "2"][..], &["--speed", "1000x"]] {
        let text = printed(&mut replay(&trace, &store, more));
        assert!(
            text.contains("names      3 calls with a name that is too long"),
            "{text}"
        );
    }
}

#[test]
fn bad_json_is_told_by_its_keys() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(
        directory.path(),
        "trace.jsonl",
        "{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n\
         {\"timestamp\":0,\"input_length\":\"many\",\"output_length\":1}\n\
         {\"timestamp\":0,\"output_length\":1}\n\
         {\"timestamp\":0,\n",
    );
    let store = directory.path().join("usage.quipu");
    let output = replay(&trace, &store, &[]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = errors.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "line 2: input_length: \"many\" is not a whole number from 0 on",
            "line 3: input_length is missing",
            "line 4: its JSON breaks off",
        ]
    );
}
