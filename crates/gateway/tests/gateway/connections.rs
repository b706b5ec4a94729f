//! Clients' connections: how many, and how long without a request.

use std::net::{SocketAddr, TcpStream};
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::cases::{CHAT, MESSAGES, streamed};
use crate::client::{connect, open, page, post, read, run};
use crate::setup::{HOUR, ROUTE, Setup};

fn with(settings: &str, mock: &[&str]) -> Setup {
    Setup::with(mock, &format!("{settings}{ROUTE}"))
}

/// Connections that may be idle for ever, so many.
fn most(connections: usize, mock: &[&str]) -> Setup {
    let settings = format!("connections = {connections}\nidle_seconds = {HOUR}\n");
    with(&settings, mock)
}

fn models(host: &str) -> Request<Full<Bytes>> {
    let uri = format!("{host}/v1/models");
    let request = Request::get(uri).header("host", "g");
    request.body(Full::default()).unwrap()
}

/// Asks for the models; whether there was an answer.
async fn is_answered(sender: &mut http1::SendRequest<Full<Bytes>>) -> bool {
    if sender.ready().await.is_err() {
        return false;
    }
    match sender.send_request(models("")).await {
        Ok(response) => read(response).await.is_whole,
        Err(_) => false,
    }
}

/// A connection for HTTP/2.
async fn connect_http2(address: SocketAddr) -> http2::SendRequest<Full<Bytes>> {
    let io = TokioIo::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let handshake = http2::handshake(TokioExecutor::new(), io);
    let (sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    sender
}

fn healthy(setup: &Setup) {
    assert_eq!(page(&setup.gateway, "/healthz", &[]).status, 200);
}

#[test]
fn idle_clients_make_room_and_no_more_of_them_than_must() {
    let setup = most(3, &[]);
    run(async {
        let mut idle = Vec::new();
        for _ in 0..3 {
            let mut sender = connect(setup.gateway.address).await;
            assert!(is_answered(&mut sender).await);
            idle.push(sender);
        }
        // Two who come don't drive all three away.
        for _ in 0..2 {
            let mut sender = connect(setup.gateway.address).await;
            assert!(is_answered(&mut sender).await);
        }
        let mut still_there = 0;
        for mut sender in idle {
            still_there += u32::from(is_answered(&mut sender).await);
        }
        assert!((1..=2).contains(&still_there), "{still_there}");
    });
}

#[test]
fn idle_clients_of_http2_and_silent_ones_make_room_too() {
    let setup = most(1, &[]);
    run(async {
        let mut sender = connect_http2(setup.gateway.address).await;
        let answer = sender.send_request(models("http://g")).await.unwrap();
        assert!(read(answer).await.is_whole);
        let mut next = connect(setup.gateway.address).await;
        assert!(is_answered(&mut next).await);
        drop(sender);
    });
    let silent = TcpStream::connect(setup.gateway.address).unwrap();
    healthy(&setup);
    drop(silent);
}

#[test]
fn who_has_a_call_under_way_keeps_the_place() {
    let setup = most(1, &["--gap-ms", "400", "--chunks", "10"]);
    thread::scope(|scope| {
        let waits = run(async {
            let body = streamed(MESSAGES.body);
            let opened = open(&setup.gateway, MESSAGES.path, &[], &body).await;
            let (head, mut body) = opened.unwrap().into_parts();
            body.frame().await.unwrap().unwrap();
            let waits = scope.spawn(|| post(&setup.gateway, CHAT.path, &[], CHAT.body));
            let rest = read(Response::<Incoming>::from_parts(head, body)).await;
            assert!(rest.is_whole && rest.text().contains("message_stop"));
            waits
        });
        assert_eq!(waits.join().unwrap().unwrap().status, 200);
    });
    // The page waits for its place, too.
    assert_eq!(setup.counted(2)["errors"], 0);
}

#[test]
fn who_is_idle_for_too_long_is_left() {
    let setup = with("idle_seconds = 1\n", &["--gap-ms", "300"]);
    run(async {
        let mut idle = connect(setup.gateway.address).await;
        assert!(is_answered(&mut idle).await);
        let mut idle_http2 = connect_http2(setup.gateway.address).await;
        let answer = idle_http2.send_request(models("http://g")).await.unwrap();
        assert!(read(answer).await.is_whole);
        // A stream that takes longer is not idle.
        let body = streamed(CHAT.body);
        let stream = open(&setup.gateway, CHAT.path, &[], &body).await;
        assert!(read(stream.unwrap()).await.is_whole);
        while idle.ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
        while idle_http2.ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(setup.counted(1)["errors"], 0);
}
