//! A client that sees what comes over the connection, piece by piece.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quipu_gateway::usage::{Extractor, Usage};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{PATIENCE, Server, wait_for};

/// Headers of a request.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// Runs a test's part that waits for the network.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, future).await.expect("no answer") })
}

/// What came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) frames: Vec<Bytes>,
    /// Whether the body ended as bodies do.
    pub(crate) is_whole: bool,
}

impl Answer {
    pub(crate) fn body(&self) -> Vec<u8> {
        self.frames.concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }

    /// What a gateway learns from it, that knows nothing but the path.
    pub(crate) fn usage(&self, path: &str) -> Usage {
        usage(path, self.frames.iter())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

pub(crate) fn usage<'a>(path: &str, frames: impl Iterator<Item = &'a Bytes>) -> Usage {
    let mut extractor = Extractor::new().path(path);
    for frame in frames {
        extractor.push(frame);
    }
    extractor.finish()
}

fn request(method: Method, path: &str, headers: Headers<'_>, body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    request.header("host", "mock").body(body).unwrap()
}

/// A connection for HTTP/1.
pub(crate) async fn connect(address: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Posts a body and gives what begins to come; `None` where the connection is
/// closed instead.
pub(crate) async fn open(
    server: &Server,
    path: &str,
    headers: Headers<'_>,
    body: &str,
) -> Option<Response<Incoming>> {
    let mut sender = connect(server.address).await;
    let request = request(Method::POST, path, headers, body);
    sender.send_request(request).await.ok()
}

/// Reads to the end, whichever it is.
pub(crate) async fn read(response: Response<Incoming>) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        frames: Vec::new(),
        is_whole: true,
    };
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => answer.frames.extend(frame.into_data()),
            Err(_) => {
                answer.is_whole = false;
                break;
            }
        }
    }
    answer
}

/// Posts a body, and reads the whole answer; `None` as above.
pub(crate) fn post(
    server: &Server,
    path: &str,
    headers: Headers<'_>,
    body: &str,
) -> Option<Answer> {
    run(async {
        let response = open(server, path, headers, body).await?;
        Some(read(response).await)
    })
}

/// The same by HTTP/2, without asking whether it is spoken.
pub(crate) fn post_http2(
    server: &Server,
    path: &str,
    headers: Headers<'_>,
    body: &str,
) -> Option<Answer> {
    run(async {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let url = format!("http://mock{path}");
        let mut request = request(Method::POST, &url, headers, body);
        request.headers_mut().remove("host");
        Some(read(sender.send_request(request).await.ok()?).await)
    })
}

pub(crate) fn get(server: &Server, path: &str, headers: Headers<'_>) -> Answer {
    get_from(server.address, path, headers)
}

/// One of the pages that a gateway has of its own.
pub(crate) fn page(gateway: &Server, path: &str, headers: Headers<'_>) -> Answer {
    get_from(gateway.pages, path, headers)
}

fn get_from(address: SocketAddr, path: &str, headers: Headers<'_>) -> Answer {
    run(async {
        let mut sender = connect(address).await;
        let request = request(Method::GET, path, headers, "");
        read(sender.send_request(request).await.unwrap()).await
    })
}

/// Sends these bytes, and gives all that comes back until the other side
/// closes, which the bytes must ask for. Whoever refuses may close before it has
/// read everything, so what can't be sent is no failure.
pub(crate) fn send_raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The counts.
pub(crate) fn served(server: &Server) -> Value {
    get(server, "/served", &[]).json()
}

/// The counts, once nothing runs any more.
pub(crate) fn served_at_rest(server: &Server) -> Value {
    wait_for("nothing running", || {
        let served = served(server);
        (served["running"] == 0).then_some(served)
    })
}
