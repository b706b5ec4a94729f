//! Clients, well and badly behaved.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::read;
use crate::plan::{Manner, Request};
use crate::tally::{End, Tally};

/// More than any of it takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Limits of the gateway.
pub(crate) const HEADER_BYTES: usize = 16 << 10;
pub(crate) const BODY_BYTES: usize = 64 << 10;

/// Where the gateway is at the moment.
#[derive(Debug)]
pub(crate) struct Gateway(Mutex<SocketAddr>);

impl Gateway {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(Mutex::new(address))
    }

    pub(crate) fn is_now_at(&self, address: SocketAddr) {
        *self.0.lock().unwrap() = address;
    }

    fn address(&self) -> SocketAddr {
        *self.0.lock().unwrap()
    }

    /// A connection; after a kill nobody is there for a moment.
    async fn dial(&self) -> TcpStream {
        loop {
            match TcpStream::connect(self.address()).await {
                Ok(stream) => return stream,
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    }

    async fn open(&self) -> SendRequest<Full<Bytes>> {
        loop {
            let stream = TokioIo::new(self.dial().await);
            if let Ok((sender, connection)) = http1::handshake(stream).await {
                tokio::spawn(connection);
                return sender;
            }
        }
    }
}

/// A client's connection that is kept from call to call.
#[derive(Default)]
pub(crate) struct Client {
    kept: Option<SendRequest<Full<Bytes>>>,
    address: Option<SocketAddr>,
}

impl Client {
    /// Makes one request, whatever comes of it.
    pub(crate) async fn call(&mut self, gateway: &Gateway, request: &Request, tally: &Tally) {
        let made = timeout(PATIENCE, async {
            match request.manner {
                Manner::Reads => self.ask(gateway, request).await,
                Manner::LeavesInMidStream => leave_in_mid_stream(gateway, request).await,
                _ => misbehave(gateway, request).await,
            }
        });
        let (end, states_usage) = made.await.unwrap_or((End::Stuck, false));
        tally.note(request, end, states_usage);
    }

    async fn ask(&mut self, gateway: &Gateway, request: &Request) -> (End, bool) {
        let address = gateway.address();
        let mut kept = self.kept.take().filter(|_| self.address == Some(address));
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(kept) => kept,
            None => gateway.open().await,
        };
        let Ok(response) = sender.send_request(hyper_request(request)).await else {
            return (End::Closed, false);
        };
        let answer = read(response).await;
        if !answer.is_whole {
            return (End::Cut(answer.status), false);
        }
        (self.kept, self.address) = (Some(sender), Some(address));
        let is_plain = !request
            .headers
            .iter()
            .any(|(name, _)| *name == "x-mock-fault");
        (End::Whole(answer.status), is_plain && answer.status == 200)
    }
}

fn hyper_request(request: &Request) -> hyper::Request<Full<Bytes>> {
    let mut built = hyper::Request::post(request.path).header("host", "g");
    for (name, value) in &request.headers {
        built = built.header(*name, value);
    }
    built
        .body(Full::new(Bytes::from(request.body.clone())))
        .unwrap()
}

async fn leave_in_mid_stream(gateway: &Gateway, request: &Request) -> (End, bool) {
    let mut sender = gateway.open().await;
    let Ok(response) = sender.send_request(hyper_request(request)).await else {
        return (End::Closed, false);
    };
    match response.into_body().frame().await {
        Some(Ok(_)) => (End::Left, false),
        _ => (End::Closed, false),
    }
}

/// The request's head, with these headers more.
fn head(request: &Request, more: &str) -> String {
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: g\r\nconnection: close\r\n",
        request.path
    );
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + more + "\r\n"
}

async fn misbehave(gateway: &Gateway, request: &Request) -> (End, bool) {
    let mut stream = gateway.dial().await;
    let body = &request.body;
    let length = format!("content-length: {}\r\n", body.len());
    let sent = match request.manner {
        Manner::LeavesEarly => {
            let _ = stream
                .write_all((head(request, &length) + body).as_bytes())
                .await;
            sleep(Duration::from_millis(request.input % 20)).await;
            return (End::Left, false);
        }
        Manner::BreaksOff => {
            let half = &body[..body.len() / 2];
            let _ = stream
                .write_all((head(request, &length) + half).as_bytes())
                .await;
            return (End::Left, false);
        }
        Manner::IsSlow => {
            for piece in (head(request, &length) + body).as_bytes().chunks(61) {
                if stream.write_all(piece).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(1)).await;
            }
            String::new()
        }
        Manner::HasLongHeaders => {
            let long = format!("long: {}\r\n", "x".repeat(3 * HEADER_BYTES));
            head(request, &(long + &length)) + body
        }
        Manner::AnnouncesTooMuch => head(request, "content-length: 1000000000\r\n") + body,
        Manner::SendsTooMuch => {
            let padding = "x".repeat(2 * BODY_BYTES);
            let chunk = format!("{:x}\r\n{padding}\r\n0\r\n\r\n", padding.len());
            head(request, "transfer-encoding: chunked\r\n") + &chunk
        }
        _ => "\u{16}\u{3}\u{1}no HTTP at all\r\n\r\n".to_owned(),
    };
    let _ = stream.write_all(sent.as_bytes()).await;
    let mut answer = Vec::new();
    let mut piece = [0; 97];
    let is_closed = loop {
        match stream.read(&mut piece).await {
            Ok(0) => break true,
            Ok(bytes) => answer.extend_from_slice(&piece[..bytes]),
            Err(_) => break false,
        }
        if request.manner == Manner::IsSlow {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    let end = match status {
        None => End::Closed,
        // Of a stream the last chunk, of a body as much as was said: whoever
        // closes early leaves out either.
        Some(status) if is_closed && is_whole(&text) => End::Whole(status),
        Some(status) => End::Cut(status),
    };
    (end, end == End::Whole(200))
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    match length {
        Some(length) => length.parse() == Ok(body.len()),
        None => body.ends_with("0\r\n\r\n"),
    }
}
