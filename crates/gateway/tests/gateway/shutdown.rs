//! How it ends.

use std::io::Write;
use std::net::TcpStream;
use std::thread;

use http_body_util::BodyExt;
use quipu::{Outcome, TokenKind};
use rustix::process::Signal;

use crate::cases::{CHAT, MESSAGES, of_json, streamed};
use crate::client::{connect, get, open, page, post, post_http2, read, run};
use crate::server::wait_for;
use crate::setup::{HOUR, ROUTE, Setup};

fn wait_until_nothing_is_accepted(setup: &Setup) {
    wait_for("a refusal", || {
        TcpStream::connect(setup.gateway.address).err().map(drop)
    });
}

#[test]
fn what_runs_comes_to_its_end_and_is_in_the_store() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut setup = Setup::new(&["--gap-ms", "30", "--chunks", "10"]);
        run(async {
            let body = streamed(MESSAGES.body);
            let headers = MESSAGES.asked;
            let opened = open(&setup.gateway, MESSAGES.path, headers, &body).await;
            let (head, mut body) = opened.unwrap().into_parts();
            body.frame().await.unwrap().unwrap();
            setup.gateway.signal(signal);
            wait_until_nothing_is_accepted(&setup);
            let rest = read(hyper::Response::from_parts(head, body)).await;
            assert!(rest.is_whole);
            assert!(rest.text().ends_with("{\"type\":\"message_stop\"}\n\n"));
        });
        assert!(setup.gateway.wait().success());
        let total = setup.stored().total();
        assert_eq!((total.requests, total.outcome(Outcome::Ok)), (1, 1));
        assert_eq!(total.tokens, MESSAGES.kinds);
        assert_eq!(setup.gateway.said(), "");
    }
}

#[test]
fn a_stream_over_http2_comes_to_its_end_too() {
    let mut setup = Setup::new(&["--gap-ms", "50", "--chunks", "20"]);
    thread::scope(|scope| {
        let gateway = &setup.gateway;
        let body = streamed(CHAT.body);
        let stream = scope.spawn(move || post_http2(gateway, CHAT.path, CHAT.asked, &body));
        setup.wait_until_running(1);
        gateway.signal(Signal::TERM);
        let answer = stream.join().unwrap().unwrap();
        assert!(answer.is_whole && answer.text().ends_with("data: [DONE]\n\n"));
    });
    assert!(setup.gateway.wait().success());
    let total = setup.stored().total();
    assert_eq!((total.outcome(Outcome::Ok), total.tokens), (1, CHAT.kinds));
}

#[test]
fn what_does_not_end_is_broken_off_and_counted_as_cancelled() {
    for grace in [0, 3600] {
        let config = format!("grace_seconds = {grace}\n{ROUTE}");
        let mut setup = Setup::with(&["--gap-ms", HOUR], &config);
        post(&setup.gateway, MESSAGES.path, &[], MESSAGES.body).unwrap();
        run(async {
            let body = streamed(MESSAGES.body);
            let opened = open(&setup.gateway, MESSAGES.path, &[], &body).await;
            let (head, mut body) = opened.unwrap().into_parts();
            body.frame().await.unwrap().unwrap();
            setup.gateway.signal(Signal::TERM);
            wait_until_nothing_is_accepted(&setup);
            if grace > 0 {
                setup.gateway.signal(Signal::TERM);
            }
            let rest = read(hyper::Response::from_parts(head, body)).await;
            assert!(!rest.is_whole);
        });
        assert!(setup.gateway.wait().success());
        let said = setup.gateway.said();
        assert!(said.contains("broke off 1 connections"), "{said}");
        let total = setup.stored().total();
        assert_eq!((total.requests, total.outcome(Outcome::Cancelled)), (2, 1));
        // What was said until then is counted, too.
        let served = setup.served();
        assert_eq!(served["requests"]["cancelled"], 1);
        let stated = of_json(&served["tokens"]["cut"])[0] + of_json(&served["tokens"]["served"])[0];
        assert_eq!(total.token(TokenKind::Input), stated);
    }
}

#[test]
fn a_connection_that_nothing_runs_on_does_not_hold_it_up() {
    let mut setup = Setup::with(&[], &format!("grace_seconds = 3600\n{ROUTE}"));
    let silent = TcpStream::connect(setup.gateway.address).unwrap();
    run(async {
        let mut kept = connect(setup.gateway.address).await;
        let request = hyper::Request::get("/v1/models").header("host", "g");
        let request = request.body(http_body_util::Full::default()).unwrap();
        assert!(
            read(kept.send_request(request).await.unwrap())
                .await
                .is_whole
        );
        assert!(setup.gateway.end().success());
        drop((silent, kept));
    });
    assert_eq!(setup.stored().total().requests, 0);
}

#[test]
fn counts_go_on_in_the_same_store() {
    let mut setup = Setup::with(&[], &format!("admin = \"127.0.0.1:0\"\n{ROUTE}"));
    for round in 1..=3 {
        assert_ne!(setup.gateway.address, setup.gateway.pages);
        // The pages are not where clients call, nor the calls where they are.
        assert_eq!(get(&setup.gateway, "/usage", &[]).status, 404);
        assert_eq!(page(&setup.gateway, "/v1/models", &[]).status, 404);
        post(&setup.gateway, CHAT.path, CHAT.asked, CHAT.body).unwrap();
        let total = setup.counted(round);
        assert_eq!(total["input"], 812 * round);
        assert_eq!(setup.end().total().requests, round);
        setup.restart();
    }
    assert_eq!(setup.counted(3)["requests"], 3);
}

#[test]
fn who_has_not_asked_for_anything_holds_nothing_up() {
    let mut setup = Setup::with(&[], &format!("grace_seconds = {HOUR}\n{ROUTE}"));
    let silent = TcpStream::connect(setup.gateway.address).unwrap();
    let mut half = TcpStream::connect(setup.gateway.address).unwrap();
    half.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: ")
        .unwrap();
    // Both have been accepted when a later one is answered.
    assert_eq!(page(&setup.gateway, "/healthz", &[]).status, 200);
    assert!(setup.gateway.end().success(), "{}", setup.gateway.said());
    drop((silent, half));
}
