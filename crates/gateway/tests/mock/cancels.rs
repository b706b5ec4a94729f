//! Clients that leave.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use http_body_util::BodyExt;
use quipu_gateway::usage::UsageState;

use crate::cases::{CHAT, MESSAGES, of_json, streamed};
use crate::client::{open, run, served, served_at_rest, usage};
use crate::server::{Server, wait_for};

/// So long that nothing comes after it.
const HOUR: &str = "3600000";

#[test]
fn who_leaves_in_mid_stream_has_cancelled_and_has_seen_what_is_counted() {
    let server = Server::mock(["--gap-ms", HOUR]);
    let headers = [("x-mock-input", "10"), ("x-mock-cache-read", "3")];
    let frames = run(async {
        let body = streamed(MESSAGES.body);
        let response = open(&server, MESSAGES.path, &headers, &body).await.unwrap();
        let mut body = response.into_body();
        let mut frames = Vec::new();
        // The beginning, the block, a ping, and the first piece; the next one
        // comes in an hour.
        while frames.len() < 4 {
            frames.extend(body.frame().await.unwrap().unwrap().into_data());
        }
        frames
    });
    let read = usage(MESSAGES.path, frames.iter());
    assert_eq!(read.state, UsageState::Partial);
    let served = served_at_rest(&server);
    assert_eq!(served["requests"]["cancelled"], 1);
    assert_eq!(served["requests"]["complete"], 0);
    let cut = of_json(&served["tokens"]["cut"]);
    assert_eq!(cut, [10, 3, 0, 1, 0, 0]);
    assert_eq!(read.tokens.input, Some(cut[0]));
    assert_eq!(read.tokens.output, Some(cut[3]));
    assert_eq!(of_json(&served["tokens"]["served"]), [0; 6]);
}

#[test]
fn who_leaves_before_the_usage_is_stated_has_seen_none() {
    let server = Server::mock(["--gap-ms", HOUR]);
    run(async {
        let body = streamed(CHAT.body);
        let response = open(&server, CHAT.path, &[], &body).await.unwrap();
        response.into_body().frame().await.unwrap().unwrap();
    });
    let served = served_at_rest(&server);
    assert_eq!(served["requests"]["cancelled"], 1);
    assert_eq!(of_json(&served["tokens"]["cut"]), [0; 6]);
}

#[test]
fn who_leaves_before_the_answer_begins_has_cancelled() {
    let server = Server::mock::<&str>([]);
    for header in [("x-mock-first-ms", HOUR), ("x-mock-fault", "hang")] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(&raw(header)).unwrap();
        wait_for("a request that runs", || {
            (served(&server)["running"] == 1).then_some(())
        });
        drop(stream);
        served_at_rest(&server);
    }
    let served = served(&server);
    assert_eq!(served["requests"]["cancelled"], 2);
    assert_eq!(served["models"]["gpt-4o"]["requests"]["cancelled"], 2);
}

#[test]
fn connections_are_limited_and_more_wait() {
    let server = Server::mock(["--connections", "1"]);
    let request = raw(("x-mock-chunks", "1"));
    let ask = |stream: &mut TcpStream| {
        stream.write_all(&request).unwrap();
        let read = stream.read(&mut [0; 4096]).unwrap();
        assert!(read > 0, "closed");
    };
    let mut first = TcpStream::connect(server.address).unwrap();
    ask(&mut first);
    let mut second = TcpStream::connect(server.address).unwrap();
    second.write_all(&request).unwrap();
    second.set_nonblocking(true).unwrap();
    for _ in 0..50 {
        ask(&mut first);
        let early = second.read(&mut [0; 4096]);
        assert_eq!(early.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    drop(first);
    second.set_nonblocking(false).unwrap();
    assert!(second.read(&mut [0; 4096]).unwrap() > 0);
}

/// A request as bytes, with one header more.
fn raw((name, value): (&str, &str)) -> Vec<u8> {
    let (path, body) = (CHAT.path, CHAT.body);
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: mock\r\n{name}: {value}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
