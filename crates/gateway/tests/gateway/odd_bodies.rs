//! Bodies that are not what they should be pass as they are.

use std::io::{Read, Write};
use std::net::TcpStream;

use flate2::read::GzDecoder;

use crate::cases::{CHAT, MESSAGES, RESPONSES, of_json, streamed};
use crate::client::{post, send_raw};
use crate::server::PATIENCE;
use crate::setup::{Setup, tokens};

#[test]
fn text_that_is_no_utf8_passes_and_its_usage_is_read() {
    let setup = Setup::new(&[]);
    let headers = [("x-mock-fault", "invalid-utf8")];
    let mut calls = 0;
    for case in [CHAT, RESPONSES, MESSAGES] {
        for body in [case.body.to_owned(), streamed(case.body)] {
            let answer = post(&setup.gateway, case.path, &headers, &body).unwrap();
            assert!(String::from_utf8(answer.body()).is_err());
            calls += 1;
        }
    }
    let total = setup.counted(calls);
    assert_eq!(total["errors"], 0);
    assert_eq!(tokens(&total), of_json(&setup.served()["tokens"]["served"]));
    assert!(tokens(&total)[0] > 0);
}

#[test]
fn requests_that_are_no_json_or_utf8_pass_too() {
    let setup = Setup::new(&[]);
    let bodies: [&[u8]; 5] = [
        b"",
        b"{",
        b"\xff\xfe\xfd",
        b"{\"model\":\"\xff\xfe\",\"messages\":[]",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];
    for body in bodies {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            CHAT.path,
            body.len()
        );
        let answer = send_raw(&setup.gateway, &[head.as_bytes(), body].concat());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("can't be read"), "{answer}");
    }
    let total = setup.counted(5);
    assert_eq!(total["errors_client_error"], 5);
    let served = setup.served();
    assert_eq!(served["requests"]["errors"]["400"], 5);
}

#[test]
fn a_length_beside_chunks_is_not_passed_on() {
    let setup = Setup::new(&[]);
    let (path, body) = (CHAT.path, CHAT.body);
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let (length, encoding) = ("content-length: 3", "transfer-encoding: chunked");
    for (first, second) in [(length, encoding), (encoding, length)] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\n{first}\r\n{second}\r\n\r\n{chunks}"
        );
        let answer = send_raw(&setup.gateway, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(setup.counted(2)["errors"], 0);
}

#[test]
fn who_waits_to_be_told_to_send_a_body_is_told_so() {
    let setup = Setup::new(&[]);
    let mut stream = TcpStream::connect(setup.gateway.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (path, body) = (CHAT.path, CHAT.body);
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut word = [0; 25];
    stream.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(setup.counted(1)["errors"], 0);
}

#[test]
fn a_wrong_content_type_makes_no_difference_to_usage() {
    let setup = Setup::new(&[]);
    let mut calls = 0;
    for fault in [
        "wrong-type",
        "wrong-type=text/plain",
        "wrong-type=image/png",
    ] {
        for body in [CHAT.body.to_owned(), streamed(CHAT.body)] {
            let headers = [CHAT.asked, &[("x-mock-fault", fault)]].concat();
            let answer = post(&setup.gateway, CHAT.path, &headers, &body).unwrap();
            let kind = fault.split_once('=').map_or("text/html", |(_, kind)| kind);
            assert_eq!(answer.header("content-type"), kind);
            calls += 1;
        }
    }
    let total = setup.counted(calls);
    assert_eq!(tokens(&total), CHAT.kinds.map(|tokens| tokens * calls));
    assert_eq!(
        (&total["streamed"], &total["errors"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn compressed_bodies_pass_compressed_and_are_counted_without_usage() {
    let setup = Setup::new(&[]);
    let headers = [("x-mock-fault", "gzip"), ("accept-encoding", "gzip")];
    for body in [CHAT.body.to_owned(), streamed(CHAT.body)] {
        let answer = post(&setup.gateway, CHAT.path, &headers, &body).unwrap();
        assert_eq!(answer.header("content-encoding"), "gzip");
        let mut text = String::new();
        let bytes = answer.body();
        GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains("prompt_tokens"), "{text}");
    }
    let total = setup.counted(2);
    assert_eq!((tokens(&total), &total["errors"]), ([0; 6], &0.into()));
    assert!(total["input"].is_null());
    // The request named it.
    assert_eq!(setup.usage("by=model")["rows"][0]["model"], "gpt-4o");
}

#[test]
fn neither_bombs_nor_huge_bodies_take_memory() {
    const MOST: u64 = 16 << 20;
    let setup = Setup::new(&[]);
    // What is used once is there afterwards.
    post(&setup.gateway, CHAT.path, &[], &streamed(CHAT.body)).unwrap();
    let before = setup.gateway.memory();
    let bomb = [("x-mock-fault", "bomb=4")];
    let huge = [("x-mock-fault", "huge=48")];
    for (headers, least) in [(&bomb, 2 << 20), (&huge, 48 << 20)] {
        for body in [CHAT.body.to_owned(), streamed(CHAT.body)] {
            let answer = post(&setup.gateway, CHAT.path, headers, &body).unwrap();
            assert!(answer.is_whole);
            assert!(answer.body().len() > least, "{}", answer.body().len());
        }
    }
    let total = setup.counted(5);
    assert_eq!(total["errors"], 0);
    let grown = setup.gateway.memory().saturating_sub(before);
    assert!(grown < MOST, "{grown} bytes more");
}
