use super::*;
use crate::format::Count;

fn table() -> Table {
    let mut table = Table::new(vec![
        Column::key("day"),
        Column::name("model"),
        Column::number("requests", 100),
        Column::number("input", 80).under("tokens"),
        Column::number("audio", 30).under("tokens"),
        Column::text("share", 60),
    ]);
    for (model, requests) in [("gpt-4o", 1_234), ("模型-with-a-rather-long-name-in-it", 5)] {
        table.cell("2023-11-16");
        table.cell(model);
        table.cell(Count(requests));
        table.optional(Some(Count(requests * 1_000)));
        table.optional(None::<Count>);
        table.cell("████");
    }
    table.rule();
    for cell in ["total", "", "1,239", "1,239,000", "-", ""] {
        table.cell(cell);
    }
    table
}

fn written(width: Option<usize>) -> (Vec<String>, Vec<String>) {
    let mut out = Vec::new();
    let screen = Screen {
        width,
        ..Screen::PLAIN
    };
    let dropped = table().write(&mut out, &screen).unwrap();
    let text = String::from_utf8(out).unwrap();
    (text.lines().map(str::to_owned).collect(), dropped)
}

#[test]
fn columns_align_by_width_on_the_screen() {
    let (lines, dropped) = written(None);
    assert_eq!(
        lines,
        [
            "                                                          ---- tokens ----",
            "day         model                               requests      input  audio  share",
            "2023-11-16  gpt-4o                                 1,234  1,234,000      -  ████",
            "2023-11-16  模型-with-a-rather-long-name-in-it         5      5,000      -  ████",
            "---------------------------------------------------------------------------------",
            "total                                              1,239  1,239,000      -",
        ]
    );
    assert!(dropped.is_empty());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in 1..100 {
        let (lines, _) = written(Some(width));
        for line in &lines {
            assert!(text::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn no_header_is_cut() {
    let mut table = Table::new(vec![
        Column::name("model"),
        Column::number("p50", 90).under("latency"),
        Column::number("p99", 80).under("latency"),
    ]);
    for cell in ["m", "1 s", "2 s"] {
        table.cell(cell);
    }
    for (width, header) in [(15, "   latency"), (16, "- latency -"), (14, "latency")] {
        let mut out = Vec::new();
        let screen = Screen {
            width: Some(width),
            ..Screen::PLAIN
        };
        table.write(&mut out, &screen).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("latency"), "{width} {header}: {text}");
    }
}

#[test]
fn what_matters_most_stays() {
    // One less than is needed without the empty column.
    let (lines, dropped) = written(Some(73));
    assert!(!lines[1].contains("audio"), "{lines:?}");
    assert!(lines[1].contains("share"), "{lines:?}");
    assert!(lines[3].contains("…"), "{lines:?}");
    assert_eq!(text::width(&lines[4]), 73, "all room is used: {lines:?}");
    assert!(dropped.is_empty(), "an empty column goes without a word");
    let (lines, dropped) = written(Some(40));
    assert!(lines[0].contains("requests"), "{lines:?}");
    assert_eq!(dropped, ["input", "share"]);
}
