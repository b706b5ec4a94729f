//! The formats of others.

use std::time::Duration;

use quipu::Outcome;

use super::super::{Format, ModelName};
use super::{SECOND, START, defaults, lines, open, read, read_with};

const CLAUDE_CODE: &str = "trace_id,agent,seq,t_s,stream,model,input_tokens,output_tokens,blocks,\
    prefix_blocks_same_as_prev,stop,api_time_s,ttft_s,think_time_s\n";

#[test]
fn claude_code_splits_the_prompt_at_the_repeated_blocks() {
    let (events, bad) = read(format!(
        "{CLAUDE_CODE}\
         s1,main,0,0.0,0,opus,1000,50,16,,tool_use,7.34,,0.0\n\
         s1,main,1,19.5,1,opus,1500,7,24,16,,,0.25,1.0\n\
         s1,sub,0,3,1,haiku,100,0,2,2,,,,\n"
    ));
    assert_eq!(bad, []);
    assert_eq!(
        events[0].tokens,
        [Some(1000), None, None, Some(50), None, None]
    );
    assert_eq!(events[0].at, START);
    assert_eq!(events[0].latency, Some(Duration::from_millis(7340)));
    assert_eq!(events[0].time_to_first_token, None);
    assert!(!events[0].streamed);
    assert_eq!(
        (&*events[0].provider, &*events[0].tenant),
        ("anthropic", "s1")
    );
    assert_eq!(
        events[1].tokens,
        [Some(476), Some(1024), None, Some(7), None, None]
    );
    assert_eq!(events[1].at, START + 19 * SECOND + SECOND / 2);
    assert_eq!(events[1].latency, None);
    assert_eq!(
        events[1].time_to_first_token,
        Some(Duration::from_millis(250))
    );
    assert!(events[1].streamed);
    // 2 blocks are 128 tokens of a prompt of 100; and the clock went back.
    assert_eq!(
        events[2].tokens,
        [Some(0), Some(100), None, Some(0), None, None]
    );
    assert_eq!(events[2].at, START + 3 * SECOND);
}

#[test]
fn claude_code_names_what_it_cannot_read() {
    let (events, bad) = read(format!(
        "{CLAUDE_CODE}\
         s1,main,0,0.0,0,opus,many,50,16,,,,,\n\
         s1,main,0,-1,0,opus,10,50,16,,,,,\n\
         s1,main,0,0.0,0,,10,50,16,,,,,\n\
         s1,main,0,0.0,maybe,opus,10,50,16,,,,,\n\
         ,main,0,0.0,0,opus,10,50,16,,,,,\n\
         s1,main,0,nan,0,opus,10,50,16,,,,,\n\
         s1,main,0,1e300,0,opus,10,50,16,,,,,\n\
         s1,main,0\n\
         s1,main,0,1,0,opus,10,50,16,,,,,\n"
    ));
    let words = [
        "input_tokens: \"many\" is not a whole number",
        "t_s: -1 seconds are out of range",
        "model is empty",
        "stream: \"maybe\"",
        "trace_id is empty",
        "t_s: NaN",
        "t_s",
        "3 columns where the header has 14",
    ];
    assert_eq!(lines(&bad, &words), [2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(events.len(), 1);
}

#[test]
fn claude_session_counts_sub_agents_and_their_clock() {
    let (events, bad) = read(concat!(
        r#"{"id":"s7","models":["a"],"block_size":64,"requests":["#,
        r#"{"t":1.0,"type":"s","model":"a","in":130,"out":3,"hash_ids":[1,2,3],"api_time":2.5,"ttft":0.5},"#,
        r#"{"t":10.0,"type":"subagent","requests":["#,
        r#"{"t":0.5,"type":"n","model":"b","in":64,"out":1,"hash_ids":[9]}]},"#,
        r#"{"t":20.0,"type":"n","model":"a","in":200,"out":4,"hash_ids":[1,2,8,9]}"#,
        r#"]}"#
    ));
    assert_eq!(bad, []);
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].tokens[..4], [Some(130), None, None, Some(3)]);
    assert!(events[0].streamed);
    assert_eq!(events[0].latency, Some(Duration::from_millis(2500)));
    assert_eq!(&*events[1].model, "b");
    assert_eq!(events[1].at, START + 10 * SECOND + SECOND / 2);
    assert!(!events[1].streamed);
    // The sub-agent in between does not break the main agent's prefix.
    assert_eq!(events[2].tokens[..4], [Some(72), Some(128), None, Some(4)]);
    assert!(events.iter().all(|event| event.tenant == "s7"));
}

#[test]
fn claude_session_counts_whole_or_not_at_all() {
    let good =
        r#"{"id":"s","block_size":64,"requests":[{"t":0,"type":"n","model":"a","in":1,"out":1}]}"#;
    let half = r#"{"id":"s","block_size":64,"requests":[{"t":0,"type":"n","model":"a","in":1,"out":1},{"t":1,"type":"n","model":"a","in":1}]}"#;
    let (events, bad) = read(format!("{good}\n{half}\n{good}\n"));
    assert_eq!(events.len(), 2);
    assert_eq!(lines(&bad, &["request 1: out is missing"]), [2]);
    let nested = r#"{"id":"s","block_size":64,"requests":[{"t":0,"type":"subagent","requests":[{"t":"x","type":"n"}]}]}"#;
    let (_, bad) = read(format!(
        "{nested}\n{{\"id\":1,\"block_size\":2,\"requests\":[]}}\n"
    ));
    assert_eq!(
        lines(
            &bad,
            &[
                "request 0: request 0: t: \"x\" is not a number",
                "id: \"1\" is not a text"
            ]
        ),
        [1, 2]
    );
}

#[test]
fn azure_has_moments_of_100_ns_and_no_model() {
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n\
                2023-11-16 18:17:03.9799601,4808,10\r\n\
                2024-05-10 00:00:00.009930+00:00,1,2\r\n\
                yesterday,1,2\r\n\
                2023-11-16 18:17:04,1,";
    let (events, bad) = read(text);
    assert_eq!(events[0].at, 1_700_158_623_979_960_100);
    assert_eq!(
        (&*events[0].provider, &*events[0].model),
        ("azure", "unnamed")
    );
    assert_eq!(events[0].tokens[..4], [Some(4808), None, None, Some(10)]);
    assert_eq!(events[1].at, 1_715_299_200_009_930_000);
    assert_eq!(
        lines(
            &bad,
            &[
                "TIMESTAMP: \"yesterday\" is not a time",
                "GeneratedTokens is empty"
            ]
        ),
        [4, 5]
    );

    let mut named = defaults();
    named.model = Some(ModelName {
        provider: "openai".into(),
        model: "gpt-4".into(),
    });
    let (events, _) = read_with(text, &named);
    assert_eq!(
        (&*events[0].provider, &*events[0].model),
        ("openai", "gpt-4")
    );
}

#[test]
fn burstgpt_fails_where_nothing_was_answered() {
    let (events, bad) = read(
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
         5,ChatGPT,472,18,490,Conversation log\n\
         6,GPT-4,0,0,0,Conversation log\n\
         6.5,GPT-4,-1,2,1,API log\n",
    );
    assert_eq!(events[0].outcome, Outcome::Ok);
    assert_eq!(events[0].at, START + 5 * SECOND);
    assert_eq!(
        (&*events[0].provider, &*events[0].model),
        ("openai", "ChatGPT")
    );
    assert_eq!(events[1].outcome, Outcome::UpstreamError);
    assert_eq!(events[1].tokens[..4], [Some(0), None, None, Some(0)]);
    assert_eq!(lines(&bad, &["Request tokens: \"-1\""]), [4]);
}

#[test]
fn burstgpt_with_sessions_has_tenants_and_latency() {
    let (events, bad) = read(
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
         5,88,1.5,ChatGPT,472,18,490,Conversation log\n\
         5,,,ChatGPT,472,18,490,API log\n",
    );
    assert_eq!(bad, []);
    assert_eq!(events[0].tenant, "88");
    assert_eq!(events[0].latency, Some(Duration::from_millis(1500)));
    assert_eq!((&*events[1].tenant, events[1].latency), ("", None));
}

#[test]
fn mooncake_counts_milliseconds() {
    let (events, bad) = read(
        "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n\
         {\"timestamp\": 1500, \"input_length\": 1, \"output_length\": 2}\n\
         {\"timestamp\": 1, \"input_length\": 1}\n\
         {\"timestamp\": 1, \"input_length\": 1.5, \"output_length\": 2}\n\
         {\"timestamp\": 1, \"input_le\n",
    );
    assert_eq!(events[0].tokens[..4], [Some(6758), None, None, Some(500)]);
    assert_eq!(events[1].at, START + SECOND + SECOND / 2);
    assert_eq!(&*events[0].provider, "mooncake");
    assert_eq!(
        lines(
            &bad,
            &[
                "output_length is missing",
                "input_length: \"1.5\" is not a whole number",
                "breaks off"
            ]
        ),
        [3, 4, 5]
    );
    assert!(
        bad.iter().all(|bad| !bad.reason.contains("line")),
        "{bad:?}"
    );
}

#[test]
fn ragpulse_has_seconds_as_text_and_sessions() {
    let (events, bad) = read(
        "{\"timestamp\": \"82\", \"input_length\": 3112, \"output_length\": 192, \"hash_ids\": {\"history\": [1]}, \"session_id\": \"a-1\"}\n\
         \n\
         {\"timestamp\": \"80\", \"input_length\": 3, \"output_length\": 1, \"session_id\": \"a-\\u0031\"}\n\
         {\"timestamp\": \"later\", \"input_length\": 3, \"output_length\": 1, \"session_id\": \"b\"}\n",
    );
    assert_eq!(events[0].at, START + 82 * SECOND);
    // Earlier than the row before: taken as it is.
    assert_eq!(events[1].at, START + 80 * SECOND);
    assert_eq!(events[0].tenant, "a-1");
    assert_eq!(events[1].tenant, "a-1");
    assert_eq!(lines(&bad, &["timestamp: \"later\""]), [4]);
}

const CALLS: &str = "provider,api,stream,model,created_unix,input_tokens,output_tokens,cache_read,\
    cache_write,reasoning,total_reported,source_repo,source_path,interaction\n";

#[test]
fn recorded_calls_become_disjoint_by_the_convention_of_their_api() {
    let row = |api: &str, counts: &str| format!("p,{api},0,m,,{counts},,r,s,0\n");
    let text = [
        CALLS.to_owned(),
        row("anthropic.messages", "4,202,1163,10,"),
        row("bedrock.converse", "4,202,1163,10,"),
        row("bedrock.invoke.nova", "4,202,1163,10,"),
        row("openai.chat", "100,50,30,20,40"),
        row("gemini.generateContent", "100,50,30,,40"),
        row("cohere.v2.chat", "100,50,30,,"),
    ]
    .concat();
    let (events, bad) = read(text);
    assert_eq!(bad, []);
    let tokens: Vec<_> = events.iter().map(|event| event.tokens).collect();
    let on_top = [Some(4), Some(1163), Some(10), Some(202), None, None];
    assert_eq!(tokens[..3], [on_top; 3]);
    assert_eq!(
        tokens[3],
        [Some(50), Some(30), Some(20), Some(10), Some(40), None]
    );
    assert_eq!(
        tokens[4],
        [Some(70), Some(30), None, Some(50), Some(40), None]
    );
    assert_eq!(tokens[5], [Some(70), Some(30), None, Some(50), None, None]);
}

#[test]
fn recorded_calls_keep_the_reported_total_where_a_part_exceeds_it() {
    let (events, _) = read(format!(
        "{CALLS}\
         azure,openai.chat,0,grok,1787150066,10,213,161,,0,223,,,0\n\
         openrouter,openai.chat,1,m2,,43,10,0,,11,53,,,0\n\
         openai,openai.chat,1,m3,,10,1,8,7,,,,,0\n"
    ));
    assert_eq!(
        events[0].tokens,
        [Some(0), Some(10), None, Some(213), Some(0), None]
    );
    assert_eq!(events[0].at, 1_787_150_066 * SECOND);
    assert_eq!(
        events[1].tokens,
        [Some(43), Some(0), None, Some(0), Some(10), None]
    );
    assert!(events[1].streamed);
    assert_eq!(events[1].at, START);
    assert_eq!(
        events[2].tokens,
        [Some(0), Some(8), Some(2), Some(1), None, None]
    );
}

#[test]
fn recorded_calls_leave_missing_what_was_not_reported() {
    let (events, _) = read(format!(
        "{CALLS}\
         gemini,gemini.generateContent,0,flash,,,18,,,58,,,,0\n\
         mystery,openai.chat,0,,,,,5,,6,,,,0\n"
    ));
    assert_eq!(
        events[0].tokens,
        [None, None, None, Some(18), Some(58), None]
    );
    // Parts of a total that nobody reported stand alone.
    assert_eq!(events[1].tokens, [None, Some(5), None, None, Some(6), None]);
    assert_eq!(
        (&*events[1].provider, &*events[1].model),
        ("mystery", "unnamed")
    );
}

#[test]
fn formats_are_told_by_their_names_in_any_order() {
    let format = |text: &str| open(text, &defaults()).map(|trace| trace.format()).ok();
    assert_eq!(format("model,provider\n"), Some(Format::NativeCsv));
    assert_eq!(
        format("output_tokens,input_tokens,model,api,provider\n"),
        Some(Format::RecordedCalls)
    );
    assert_eq!(format(CLAUDE_CODE), Some(Format::ClaudeCode));
    assert_eq!(
        format(r#"{"session_id":"a","output_length":1,"input_length":1,"timestamp":"1"}"#),
        Some(Format::RagPulse)
    );
    assert_eq!(
        format(r#"{"output_length":1,"input_length":1,"timestamp":1}"#),
        Some(Format::Mooncake)
    );
    assert_eq!(
        format(r#"{"model":"m","provider":"p"}"#),
        Some(Format::NativeJson)
    );
}
