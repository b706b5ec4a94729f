//! A server for HTTP/1 and HTTP/2 on one port: accepts, drives connections
//! within limits, and ends without breaking off what runs.

mod activity;
mod drive;
mod room;
mod signals;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use activity::Busy;
use drive::{Idle, drive};
use room::Room;
pub(crate) use signals::{Hangups, Signals};

/// What anything that hyper writes out may fail with.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long to wait after the system refused a connection: out of file
/// descriptors, as a rule, which goes away with connections that end.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// What a client may take.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Time for the headers of a connection's first request.
    pub(crate) header_time: Duration,
    /// Time without a request after which a connection is closed.
    pub(crate) idle_time: Duration,
    /// Bytes of the headers of a request, at least 8192.
    pub(crate) header_bytes: usize,
    /// Connections at once. Idle ones make room for more, which wait else.
    pub(crate) connections: Option<NonZeroUsize>,
    /// Time that running responses have to end when the server stops.
    pub(crate) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(60),
            header_bytes: 64 << 10,
            connections: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// No answer was broken off.
    Drained,
    /// So many connections were broken off with answers under way.
    CutOff(usize),
}

/// A server that accepts.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    room: Option<Room>,
}

impl Server {
    /// Listens on `address`; port 0 takes any that is free.
    pub(crate) async fn bind(address: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let room = limits.connections.map(Room::new);
        Ok(Self {
            listener,
            address,
            limits,
            room,
        })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the first signal; then accepts no more, lets what runs end
    /// within the time of grace or until the second signal, and breaks off the
    /// rest.
    ///
    /// A service that fails closes its connection without an answer (over
    /// HTTP/2, its stream).
    pub(crate) async fn run<S, B>(self, service: S, mut signals: Signals) -> Ended
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let builder = builder(&self.limits);
        let idle = Idle {
            at_first: self.limits.header_time,
            later: self.limits.idle_time,
        };
        let busy = Busy::default();
        let mut connections = JoinSet::new();
        // Closed when the server stops.
        let (running, stopped) = watch::channel(());
        {
            let mut stop = pin!(signals.next());
            loop {
                let accepted = match select(stop.as_mut(), pin!(self.accept())).await {
                    Either::Left(_) => break,
                    Either::Right((accepted, _)) => accepted,
                };
                // Else the set would keep what has ended.
                while connections.try_join_next().is_some() {}
                let (stream, permit) = accepted;
                let activity = busy.connection();
                let service = activity.watch(service.clone());
                let connection = builder
                    .serve_connection(TokioIo::new(stream), service)
                    .into_owned();
                let room = self.room.clone();
                let mut stopped = stopped.clone();
                connections.spawn(async move {
                    let stop = stopped.changed();
                    drive(connection, &activity, idle, room.as_ref(), stop).await;
                    drop(permit);
                });
            }
        }
        drop((self.listener, running));
        let has_drained = {
            let drained = async { while connections.join_next().await.is_some() {} };
            let in_time = pin!(timeout(self.limits.grace, drained));
            matches!(
                select(in_time, pin!(signals.next())).await,
                Either::Left((Ok(()), _))
            )
        };
        if has_drained {
            return Ended::Drained;
        }
        // The others had nothing to lose, and maybe no time to end.
        let left = busy.count();
        // Waits, so that bodies have been dropped, and count that.
        connections.shutdown().await;
        match left {
            0 => Ended::Drained,
            _ => Ended::CutOff(left),
        }
    }

    /// The next connection, and its share of the room there is for them.
    async fn accept(&self) -> (TcpStream, Option<OwnedSemaphorePermit>) {
        let stream = loop {
            match self.listener.accept().await {
                Ok((stream, _)) => break stream,
                Err(_) => sleep(AFTER_REFUSAL).await,
            }
        };
        // Events of a stream are small and are to leave at once. A socket that
        // refuses is one whose client has left.
        let _ = stream.set_nodelay(true);
        let permit = match &self.room {
            Some(room) => Some(room.enter().await),
            None => None,
        };
        (stream, permit)
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let bytes = limits.header_bytes.max(8192);
    builder
        .http1()
        .timer(TokioTimer::new())
        // Idle connections are ended by `drive`, whatever they speak.
        .header_read_timeout(None)
        .max_buf_size(bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.header_time)
        .max_header_list_size(u32::try_from(bytes).unwrap_or(u32::MAX));
    builder
}
