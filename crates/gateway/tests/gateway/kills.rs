//! A gateway that is killed while it works.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use quipu::{Outcome, TokenKind};

use crate::cases::{CHAT, MESSAGES, streamed};
use crate::client::{connect, page, post, read, run};
use crate::exposition::Page;
use crate::server::wait_for;
use crate::setup::{ROUTE, Setup, requests};

const CLIENTS: u64 = 4;
const ROUNDS: u64 = 3;
/// Answers of each round before the kill.
const ENOUGH: u64 = 60;

/// Calls on one connection until it breaks; counts what it got whole.
fn call_until_broken(address: SocketAddr, received: &AtomicU64, stop: &AtomicBool) {
    run(async {
        let mut sender = connect(address).await;
        for number in 0_u64.. {
            let case = if number % 2 == 0 { &CHAT } else { &MESSAGES };
            let body = match number % 3 {
                0 => streamed(case.body),
                _ => case.body.to_owned(),
            };
            let mut request = Request::post(case.path).header("host", "g");
            request = request
                .header("x-mock-input", "10")
                .header("x-mock-output", "3");
            let request = request.body(Full::new(Bytes::from(body))).unwrap();
            if stop.load(Ordering::Relaxed) || sender.ready().await.is_err() {
                return;
            }
            let Ok(response) = sender.send_request(request).await else {
                return;
            };
            if !read(response).await.is_whole {
                return;
            }
            received.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[test]
fn what_clients_received_is_counted_and_nothing_that_was_not_served() {
    let pages = "admin = \"127.0.0.1:0\"\n";
    let mut setup = Setup::with(&["--chunks", "2"], &format!("{pages}{ROUTE}"));
    let (received, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut last: Option<Page> = None;
    for round in 1..=ROUNDS {
        let address = setup.gateway.address;
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| call_until_broken(address, &received, &stop));
            }
            wait_for("answers", || {
                (received.load(Ordering::Relaxed) >= round * ENOUGH).then_some(())
            });
            let text = page(&setup.gateway, "/metrics", &[]).text();
            let now = Page::parse(&text);
            if let Some(last) = &last {
                now.assert_not_before(last);
            }
            setup.gateway.kill();
            last = Some(now);
        });
        let found = quipu::verify(setup.store()).unwrap();
        assert!(found.is_sound(), "{:?}", found.problems);
        setup.restart();
    }
    let received = received.into_inner();
    let text = page(&setup.gateway, "/metrics", &[]).text();
    Page::parse(&text).assert_not_before(&last.unwrap());
    post(
        &setup.gateway,
        CHAT.path,
        &[("x-mock-input", "10")],
        CHAT.body,
    )
    .unwrap();
    let total = setup.end().total();
    let served = setup.served();
    assert!(total.outcome(Outcome::Ok) > received, "{total:?}");
    assert!(total.requests <= requests(&served), "{total:?}, {served}");
    assert!(total.token(TokenKind::Input) >= (received + 1) * 10);
    assert!(total.token(TokenKind::Input) <= requests(&served) * 10);
}
