//! quipu's own CSV and JSON lines.

use std::time::Duration;

use quipu::Outcome;

use super::super::{Event, Format, ModelName};
use super::{START, defaults, lines, open, read, read_with};

const FULL: &str = "at,provider,model,tenant,input,cache_read,cache_write,output,reasoning,audio,\
    cost_nanos,latency_us,ttft_us,outcome,streamed,estimated\n";

fn full() -> Event<'static> {
    let mut event = Event::new(1_700_000_000_000_000_001, "openai", "gpt-4o");
    event.tenant = "acme".into();
    event.tokens = [Some(1), Some(2), Some(3), Some(4), Some(5), Some(6)];
    event.cost_nanos = Some(7);
    event.latency = Some(Duration::from_micros(8));
    event.time_to_first_token = Some(Duration::from_micros(9));
    event.outcome = Outcome::Cancelled;
    event.streamed = true;
    event.estimated = true;
    event
}

#[test]
fn every_field_is_read() {
    let csv = format!(
        "{FULL}1700000000000000001,openai,gpt-4o,acme,1,2,3,4,5,6,7,8,9,cancelled,true,1\n"
    );
    assert_eq!(read(csv), (vec![full()], vec![]));
    let json = r#"{"at":1700000000000000001,"provider":"openai","model":"gpt-4o","tenant":"acme",
        "input":1,"cache_read":2,"cache_write":3,"output":4,"reasoning":5,"audio":6,
        "cost_nanos":7,"latency_us":8,"ttft_us":9,"outcome":"cancelled","streamed":true,
        "estimated":true}"#
        .replace('\n', " ");
    assert_eq!(read(json), (vec![full()], vec![]));
}

#[test]
fn absent_empty_and_null_are_missing_and_zero_is_zero() {
    let bare = Event::new(START, "p", "m");
    assert_eq!(read("provider,model\np,m\n"), (vec![bare.clone()], vec![]));
    assert_eq!(
        read(format!("{FULL},p,m,,,,,,,,,,,,,\n")),
        (vec![bare.clone()], vec![])
    );
    assert_eq!(
        read(r#"{"provider":"p","model":"m"}"#),
        (vec![bare.clone()], vec![])
    );
    let null = r#"{"provider":"p","model":"m","at":null,"tenant":null,"input":null,"outcome":null,"streamed":null}"#;
    assert_eq!(read(null), (vec![bare.clone()], vec![]));
    let mut zero = bare;
    zero.tokens[0] = Some(0);
    zero.cost_nanos = Some(0);
    assert_eq!(
        read("cost_nanos,input,model,provider\n0,0,m,p\n"),
        (vec![zero.clone()], vec![])
    );
    assert_eq!(
        read(r#"{"cost_nanos":0,"input":0,"model":"m","provider":"p"}"#),
        (vec![zero], vec![])
    );
}

#[test]
fn moments_are_written_in_several_ways() {
    let (events, bad) = read(
        "at,provider,model\n\
         2023-11-14T22:13:20.000000001Z,p,m\n\
         2023-11-14T23:13:20+01:00,p,m\n\
         2023-11-14 22:13:20,p,m\n\
         2023-11-14,p,m\n\
         1700000000000000000,p,m\n\
         0,p,m\n\
         1969-12-31T23:59:59Z,p,m\n\
         2600-01-01,p,m\n\
         99999999999999999999999,p,m\n\
         soon,p,m\n\
         2023-02-30,p,m\n",
    );
    let at: Vec<u64> = events.iter().map(|event| event.at).collect();
    let second = 1_700_000_000_000_000_000;
    let day = 1_699_920_000_000_000_000;
    assert_eq!(at, [second + 1, second, second, day, second, 0]);
    let words = [
        "between 1970",
        "between 1970",
        "after the year 2554",
        "not a time",
        "not a time",
    ];
    assert_eq!(lines(&bad, &words), [8, 9, 10, 11, 12]);
}

#[test]
fn names_hold_any_character_and_run_over_lines() {
    let (events, bad) = read(
        "provider,model,tenant\n\
         \"a,b\",\"say \"\"hi\"\"\",\" two\nlines \"\n\
         p,m,t\n\
         p,,t\n",
    );
    assert_eq!(
        (&*events[0].provider, &*events[0].model, &*events[0].tenant),
        ("a,b", "say \"hi\"", " two\nlines ")
    );
    assert_eq!(events.len(), 2);
    // The quoted cell ran over lines 2 and 3.
    assert_eq!(lines(&bad, &["model is empty"]), [5]);
}

#[test]
fn an_open_quote_costs_a_hundred_lines_not_the_rest() {
    let mut text = "provider,model\np,\"m\n".to_owned();
    text.push_str(&"p,m\n".repeat(150));
    let (events, bad) = read(text);
    assert_eq!(
        lines(&bad, &["a quote is not closed; it and the next 99 lines"]),
        [2]
    );
    assert_eq!(events.len(), 51);
    let (events, bad) = read("provider,model\np,m\np,\"m");
    assert_eq!(events.len(), 1);
    assert_eq!(lines(&bad, &["a quote is not closed"]), [3]);
}

#[test]
fn misspelt_columns_are_refused() {
    let refusal = |text: &str| open(text, &defaults()).err().unwrap().to_string();
    assert!(refusal("provider,model,ouput\n").contains("the column \"ouput\""));
    assert!(refusal("provider,model,input,input\n").contains("the column input twice"));
    let (events, bad) = read(
        "{\"provider\":\"p\",\"model\":\"m\"}\n{\"provider\":\"p\",\"model\":\"m\",\"ouput\":1}\n",
    );
    assert_eq!(events.len(), 1);
    assert_eq!(lines(&bad, &["ouput"]), [2]);
}

#[test]
fn bad_values_are_named() {
    let (_, bad) = read(format!(
        "{FULL}\
         ,p,m,,1.5,,,,,,,,,,,\n\
         ,p,m,,,,,,,,-3,,,,,\n\
         ,p,m,,,,,,,,,,,great,,\n\
         ,p,m,,,,,,,,,,,,yes,\n\
         ,,m,,,,,,,,,,,,,\n\
         ,p,m,,18446744073709551616,,,,,,,,,,,\n"
    ));
    let words = [
        "input: \"1.5\"",
        "cost_nanos: \"-3\"",
        "outcome: \"great\"",
        "streamed: \"yes\"",
        "provider is empty",
        "input: \"184467",
    ];
    assert_eq!(lines(&bad, &words), [2, 3, 4, 5, 6, 7]);
    let (_, bad) = read(
        "{\"provider\":\"p\",\"model\":\"m\"}\n\
         {\"provider\":\"p\"}\n\
         {\"provider\":\"p\",\"model\":\"m\",\"outcome\":\"great\"}\n\
         {\"provider\":\"p\",\"model\":\"m\",\"input\":-1}\n\
         {\"provider\":\"p\",\"model\":\"m\",\"at\":1.5}\n\
         {\"provider\":\"p\",\"model\":\"m\",\"ouput\":1}\n\
         {\"provider\":\"p\",\"model\":\"m\",\"output\":1,\"output\":2}\n\
         {\"provider\":\"p\",\"model\":7}\n\
         {\"provider\":\"p\",\"model\":\"m\",\"streamed\":\"yes\"}\n\
         {\"provider\":\"p\",\"model\":\"m\"}}\n\
         [1,\"p\",\"m\",null,1,1,1,1,1,1,1,1,1,null,true,true]\n",
    );
    let words = [
        "model is empty",
        "outcome",
        "input: \"-1\" is not a whole number",
        "at: \"1.5\"",
        "the key \"ouput\"",
        "the key \"output\" is there twice",
        "model: \"7\" is not a text",
        "streamed: \"yes\" is not true or false",
        "isn't valid JSON from column 29 on",
        "isn't a JSON object",
    ];
    assert_eq!(lines(&bad, &words), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}

#[test]
fn the_given_model_fills_empty_names() {
    let mut named = defaults();
    named.model = Some(ModelName {
        provider: "x".into(),
        model: "y".into(),
    });
    let (events, bad) = read_with("provider,model\n,\np,\n,m\np,m\n", &named);
    // A row of empty cells is blank, not a call.
    assert_eq!(bad, []);
    let names: Vec<_> = events.iter().map(|e| (&*e.provider, &*e.model)).collect();
    assert_eq!(names, [("x", "y"), ("p", "y"), ("x", "m"), ("p", "m")]);
    assert_eq!(
        open("provider,model\n", &named).unwrap().format(),
        Format::NativeCsv
    );
}
