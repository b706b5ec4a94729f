use super::*;
use crate::report::{Rest, Sort};
use std::time::Duration;

fn totals(requests: u64) -> Totals {
    let mut totals = Totals {
        requests,
        errors: requests / 10,
        cost_nanos: requests * 1_234_567,
        priced: requests,
        ..Totals::default()
    };
    totals.tokens[TokenKind::Input.index()] = requests * 1_000;
    totals.reported[TokenKind::Input.index()] = requests;
    totals.reported[TokenKind::Reasoning.index()] = 1;
    totals.latency.count = requests;
    totals.latency.sum_us = requests * 730_000;
    totals
}

fn group(day: &str, model: &str, requests: u64) -> Group {
    Group {
        day: day.parse().ok(),
        hour: None,
        provider: None,
        model: Some(Label::from(model)),
        tenant: None,
        totals: totals(requests),
    }
}

fn report(models: &[&str]) -> Report {
    let groups: Vec<Group> = models
        .iter()
        .zip([1_000, 250, 30])
        .map(|(model, requests)| group("2023-11-16", model, requests))
        .collect();
    let mut total = Totals::default();
    for group in &groups {
        total.merge(&group.totals);
    }
    Report {
        keys: vec![Key::Day, Key::Model],
        stores: vec![Store {
            path: "usage.quipu".to_owned(),
            generation: 1_234,
            committed_at: None,
            status: None,
        }],
        groups,
        rest: None,
        left_out: 0,
        total,
        measure: Sort::Cost,
    }
}

fn lines(report: &Report, width: Option<usize>) -> Vec<String> {
    let mut out = Vec::new();
    let screen = Screen {
        width,
        ..Screen::PLAIN
    };
    write(&mut out, report, &screen).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn rows_align_and_the_total_adds_up() {
    let lines = lines(&report(&["gpt-4o", "claude-3", "o1"]), None);
    let column = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        column(&lines[2])[..8],
        [
            "2023-11-16",
            "gpt-4o",
            "1,000",
            "100",
            "1,000,000",
            "-",
            "-",
            "-"
        ]
    );
    assert_eq!(
        column(&lines[6])[..4],
        ["total", "1,280", "128", "1,280,000"]
    );
    // The reported zero of reasoning is a zero; audio was never reported.
    assert_eq!(column(&lines[6])[7..11], ["0", "-", "$1.5802", "100.0"]);
    let end_of = |line: &str, what: &str| line.find(what).map(|at| at + what.len());
    assert_eq!(end_of(&lines[2], "$1.2346"), end_of(&lines[6], "$1.5802"));
    assert_eq!(lines.last().unwrap(), "usage.quipu: generation 1,234");
}

#[test]
fn f39_no_name_breaks_a_line() {
    let nasty = "a\nb\r\u{1b}[2J\u{202e}\u{200b}";
    let lines = lines(&report(&[nasty, "模型模型", "e\u{301}"]), None);
    assert!(
        lines[2].contains("a\\nb\\r\\u{1b}[2J\\u{202e}\\u{200b}"),
        "{lines:#?}"
    );
    let at = |line: &str, what: &str| {
        line.find(what)
            .map(|at| text::width(&line[..at]) + what.len())
    };
    let ends = [
        at(&lines[2], " 1,000 "),
        at(&lines[3], " 250 "),
        at(&lines[4], " 30 "),
    ];
    assert!(ends.iter().all(|end| *end == ends[0]), "{lines:#?}");
}

#[test]
fn eighty_columns_are_enough() {
    let names = [
        "a-model-with-a-name-that-is-longer-than-most-names-are",
        "b",
        "c",
    ];
    for width in [20, 40, 60, 80, 120, 200] {
        let lines = lines(&report(&names), Some(width));
        let table = lines.iter().take_while(|line| !line.is_empty());
        for line in table {
            assert!(text::width(line) <= width, "{width}: {line}");
        }
    }
    let wide = lines(&report(&names), Some(100));
    assert!(
        wide[2].contains("███"),
        "the largest share has a bar: {wide:#?}"
    );
    let lines = lines(&report(&names), Some(80));
    for needed in ["requests", "input", "cost", "of cost", "errors"] {
        assert!(lines[1].contains(needed), "{lines:#?}");
    }
}

#[test]
fn what_most_of_the_usage_is_stays() {
    let mut report = report(&["claude-opus-4-5-20251101", "b", "c"]);
    let cached = TokenKind::CacheRead.index();
    for totals in report.groups.iter_mut().map(|group| &mut group.totals) {
        totals.tokens[cached] = 1_000_000_000;
        totals.reported[cached] = 1;
        totals.priced = 0;
    }
    report.total.tokens[cached] = 3_000_000_000;
    report.total.reported[cached] = 1;
    report.total.priced = 0;
    report.measure = Sort::Tokens;
    report.keys = vec![Key::Model];
    for width in [40, 80] {
        let lines = lines(&report, Some(width));
        assert!(lines[1].contains("cache read"), "{lines:#?}");
        assert!(lines[0].contains(" tokens "), "{lines:#?}");
        assert_eq!(lines[1].contains("of tokens"), width == 80, "{lines:#?}");
    }
}

#[test]
fn the_rest_is_one_line() {
    let mut report = report(&["gpt-4o", "claude-3", "o1"]);
    report.groups.truncate(1);
    report.rest = Some(Rest {
        rows: 2,
        totals: totals(280),
    });
    let lines = lines(&report, None);
    assert!(lines[3].starts_with("2 more"), "{lines:#?}");
    assert!(lines[3].contains("280,000"), "{lines:#?}");
    assert!(lines[5].starts_with("total"), "{lines:#?}");
}

#[test]
fn what_the_numbers_leave_out_is_said() {
    let mut report = report(&["gpt-4o"]);
    report.total.priced -= 1;
    report.total.estimated = 7;
    report.total.saturated = true;
    let text = lines(&report, None).join("\n");
    assert!(text.contains("1 request without a price"), "{text}");
    assert!(
        text.contains("7 requests are the gateway's estimate"),
        "{text}"
    );
    assert!(text.contains("reached its limit"), "{text}");
}

#[test]
fn latencies_have_units() {
    let mut report = report(&["gpt-4o"]);
    report.total.latency.sum_us = 1;
    report.total.latency.count = 1;
    let text = lines(&report, None).join("\n");
    assert!(text.contains("730 ms"), "{text}");
    assert!(text.contains("1.00 µs"), "{text}");
    assert_eq!(Span(Duration::from_micros(1)).to_string(), "1.00 µs");
}
