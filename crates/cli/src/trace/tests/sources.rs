//! What all formats share: compression, line ends, marks, emptiness.

use std::io::Write;

use super::super::source::{MAX_ROW, Source};
use super::super::{Place, Step, Trace, TraceError};
use super::{defaults, gzip, lines, open, read};

const CSV: &str = "provider,model,input\np,a,1\np,b,2\n";

#[test]
fn gzip_is_told_by_its_bytes() {
    assert_eq!(read(gzip(CSV.as_bytes())), read(CSV));
    // Two members, as `cat a.gz b.gz` makes them.
    let two = [gzip(b"provider,model,input\np,a,1\n"), gzip(b"p,b,2\n")].concat();
    assert_eq!(read(two), read(CSV));
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(&gzip(CSV.as_bytes())).unwrap();
    let place = Place::File(file.path().to_owned());
    assert!(Trace::open(&place, &defaults()).is_ok());
}

#[test]
fn a_cut_gzip_is_an_error_after_what_was_read() {
    let mut long = CSV.to_owned();
    for index in 0..100_000 {
        long.push_str(&format!("p,m{index},{}\n", index * 7919 % 1009));
    }
    let gz = gzip(long.as_bytes());
    let mut trace = open(&gz[..gz.len() / 2], &defaults()).unwrap();
    let mut calls = 0;
    let error = loop {
        match trace.next(&mut |_| calls += 1) {
            Ok(Step::End) => panic!("the end of a cut file was taken for its end"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(calls > 1000, "{calls}");
    assert!(matches!(error, TraceError::Io { .. }), "{error}");
}

#[test]
fn line_ends_marks_and_blank_lines_do_not_matter() {
    let expected = read(CSV).0;
    for variant in [
        "provider,model,input\r\np,a,1\r\np,b,2\r\n",
        "provider,model,input\np,a,1\np,b,2",
        "\u{feff}provider,model,input\np,a,1\np,b,2\n",
        "\u{feff}\r\n\r\nprovider,model,input\r\n\r\np,a,1\r\n  \r\np,b,2\r\n\r\n",
        "provider, model ,input\n p,a,1 \np,b, 2\n",
    ] {
        let (events, bad) = read(variant);
        assert_eq!(bad, [], "{variant:?}");
        // Names are kept to the letter, numbers are not.
        let numbers = |events: &[super::Event<'_>]| -> Vec<_> {
            events
                .iter()
                .map(|event| (event.model.to_string(), event.tokens))
                .collect()
        };
        assert_eq!(numbers(&events), numbers(&expected), "{variant:?}");
    }
}

#[test]
fn bad_lines_have_the_number_that_an_editor_shows() {
    for end in ["\n", "\r\n"] {
        let text = [
            "",
            "",
            "provider,model,input",
            "p,a,1",
            "",
            "p,b,x",
            "p,c,3",
            "p,d,y",
        ]
        .join(end);
        assert_eq!(lines(&read(text).1, &["\"x\"", "\"y\""]), [6, 8]);
        let text = [
            "",
            r#"{"provider":"p","model":"m"}"#,
            "",
            "{",
            r#"{"provider":"p","model":"m"}"#,
            "}",
        ]
        .join(end);
        assert_eq!(
            lines(&read(text).1, &["breaks off", "isn't a JSON object"]),
            [4, 6]
        );
    }
}

#[test]
fn text_that_is_not_utf8_is_one_bad_line() {
    let (events, bad) = read(b"provider,model,input\np,a,1\np,\xff,2\np,c,3\n".to_vec());
    assert_eq!(events.len(), 2);
    assert_eq!(lines(&bad, &["UTF-8"]), [3]);
}

#[test]
fn nothing_is_an_error_and_a_header_alone_is_not() {
    for empty in ["", "\n\n", "\u{feff}", " \r\n\t\n"] {
        let refusal = open(empty, &defaults()).err().unwrap();
        assert!(
            matches!(refusal, TraceError::Empty { .. }),
            "{empty:?}: {refusal}"
        );
    }
    assert!(matches!(
        open(gzip(b""), &defaults()).err().unwrap(),
        TraceError::Empty { .. }
    ));
    assert_eq!(read("provider,model\n"), (vec![], vec![]));
    assert_eq!(
        read("TIMESTAMP,ContextTokens,GeneratedTokens"),
        (vec![], vec![])
    );
}

#[test]
fn unknown_formats_are_refused_with_what_was_found() {
    let refusal = |bytes: &[u8]| {
        let refusal = open(bytes, &defaults()).err().unwrap();
        assert!(
            matches!(refusal, TraceError::Unrecognised { .. }),
            "{refusal}"
        );
        let text = refusal.to_string();
        assert!(!text.contains('\n'), "{text:?}");
        text
    };
    assert!(refusal(b"a,b,c\n1,2,3\n").contains("its first line is \"a,b,c\""));
    assert!(refusal(b"{\"a\":1}\n").contains("the keys \"a\""));
    assert!(refusal(b"{\"provider\":\n").contains("isn't one JSON object"));
    assert!(refusal(b"[{\"provider\":\"p\"}]").contains("JSON array"));
    assert!(refusal(b"\x7fELF\x02\x01\x01\0\n").contains("its first line is"));
    assert!(refusal(b"\xff\xfe,\n").contains("UTF-8"));
    assert!(refusal(&[b'x'; 5000]).len() < 600);
}

#[test]
fn places_that_cannot_be_read_say_why() {
    let directory = tempfile::tempdir().unwrap();
    let refusal = |path: &std::path::Path| {
        let error = Trace::open(&Place::File(path.to_owned()), &defaults())
            .err()
            .unwrap();
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()), "{text}");
        text
    };
    assert!(refusal(directory.path()).contains("is a directory"));
    assert!(refusal(&directory.path().join("none.csv")).contains("No such file"));
    let error = Source::new(&b"\x28\xb5\x2f\xfd...."[..]).err().unwrap();
    assert!(error.to_string().contains("zstdcat"), "{error}");
}

#[test]
fn a_row_without_an_end_does_not_fill_the_memory() {
    let header = std::io::Cursor::new(&b"provider,model\n"[..]);
    let endless = std::io::Read::chain(header, std::io::repeat(b'x'));
    let source = Source::new(std::io::Read::take(endless, 4 * MAX_ROW)).unwrap();
    let mut trace = Trace::from_source(source, Place::Stdin, &defaults()).unwrap();
    let error = trace.next(&mut |_| ()).err().unwrap();
    assert!(error.to_string().contains("longer than 64 MiB"), "{error}");
}

#[test]
fn any_bytes_are_read_or_refused_without_a_panic() {
    // A small generator of its own: the same bytes in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let pieces: [&[u8]; 16] = [
        b"provider",
        b"model",
        b",",
        b",",
        b"\n",
        b"\r\n",
        b"\"",
        b"p",
        b"{",
        b"}",
        b":",
        b"\"a\"",
        b"\xff",
        b"\0",
        b"9999999999999999999999",
        b"\xe2\x80\xae",
    ];
    let headers: [&[u8]; 6] = [
        b"provider,model,input\n",
        b"TIMESTAMP,ContextTokens,GeneratedTokens\n",
        b"Timestamp,Model,Request tokens,Response tokens\n",
        b"{\"timestamp\":1,\"input_length\":1,\"output_length\":1}\n",
        b"{\"provider\":\"p\",\"model\":\"m\"}\n",
        b"",
    ];
    for _ in 0..20_000 {
        let mut bytes = headers[next() as usize % headers.len()].to_vec();
        for _ in 0..next() % 24 {
            bytes.extend_from_slice(pieces[next() as usize % pieces.len()]);
        }
        if let Ok(mut trace) = open(bytes, &defaults()) {
            while !matches!(trace.next(&mut |_| ()), Ok(Step::End)) {}
        }
    }
}
