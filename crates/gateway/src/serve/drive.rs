//! One connection, from its first byte to its end.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper_util::server::graceful::GracefulConnection;
use tokio::time::{sleep, timeout};

use super::activity::Activity;
use super::room::Room;

/// How long a connection must have been without a request to be called idle:
/// a client that has just connected, or has just been answered, often sends
/// one at once.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long a connection may be without a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// Before its first: hyper's own limit begins when the protocol is known,
    /// so a client that sends half a preface would stay for ever.
    pub(super) at_first: Duration,
    /// After that.
    pub(super) later: Duration,
}

/// How it came that a connection is not run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// It has ended by itself.
    Ended,
    /// It has been idle for too long, or somebody else needs its place.
    Idle,
}

/// Lets a connection run to its end. One that is idle for too long is closed,
/// or when others wait for `room`, and any when the server stops: without
/// delay where no request ever came, else when what is under way has ended.
pub(super) async fn drive(
    connection: impl GracefulConnection,
    activity: &Activity,
    idle: Idle,
    room: Option<&Room>,
    stop: impl Future,
) {
    let mut connection = pin!(connection);
    let has_ended = {
        let rest = pin!(run(connection.as_mut(), activity, idle, room));
        matches!(
            select(rest, pin!(stop)).await,
            Either::Left((Rest::Ended, _))
        )
    };
    if has_ended || activity.begun() == 0 {
        return;
    }
    connection.as_mut().graceful_shutdown();
    // How it ends concerns its client; bodies have noticed by themselves. A
    // client without a request that doesn't take its leave is left.
    while timeout(idle.at_first, connection.as_mut()).await.is_err() {
        if activity.is_idle() {
            return;
        }
    }
}

/// Runs a connection until it ends or should.
async fn run<C: GracefulConnection>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    idle: Idle,
    room: Option<&Room>,
) -> Rest {
    loop {
        let (begun, was_idle) = (activity.begun(), activity.is_idle());
        let most = if begun == 0 {
            idle.at_first
        } else {
            idle.later
        };
        let moment = A_MOMENT.min(most);
        if timeout(moment, connection.as_mut()).await.is_ok() {
            return Rest::Ended;
        }
        let is_idle = was_idle && activity.is_idle() && activity.begun() == begun;
        if !is_idle {
            continue;
        }
        let called = poll_fn(|cx| match connection.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(Some(Rest::Ended)),
            // Requests come while it is polled, here.
            Poll::Pending if activity.begun() != begun => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let wanted = pin!(async {
            match room {
                Some(room) => room.is_wanted().await,
                None => pending().await,
            }
        });
        let too_long = pin!(sleep(most - moment));
        match select(pin!(called), select(too_long, wanted)).await {
            Either::Left((None, _)) => {}
            Either::Left((Some(rest), _)) => return rest,
            Either::Right(_) => return Rest::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;
    use std::sync::mpsc;

    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::super::activity::Busy;
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const MOMENT: Duration = Duration::from_millis(1);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: g\r\n\r\n";

    /// Drives a connection whose client sends `bytes` and waits for the end;
    /// gives the answer. It returns, or the test doesn't.
    fn driven(bytes: &[u8], idle: Idle, room: Option<&Room>, stop: impl Future) -> String {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        let (sender, ends) = mpsc::channel();
        let service = service_fn(move |_: Request<Incoming>| {
            let sender = sender.clone();
            async move {
                sleep(Duration::from_millis(20)).await;
                sender.send(()).unwrap();
                Ok::<_, Infallible>(Response::new("whole".to_owned()))
            }
        });
        let activity = Busy::default().connection();
        let service = activity.watch(service);
        runtime.block_on(async {
            let (mut client, server) = duplex(1 << 16);
            client.write_all(bytes).await.unwrap();
            let builder = Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(server), service);
            drive(connection, &activity, idle, room, stop).await;
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            let requests = u64::from(bytes == REQUEST);
            assert_eq!((activity.begun(), activity.is_idle()), (requests, true));
            assert_eq!(ends.try_iter().count() as u64, requests);
            answer
        })
    }

    const fn idle(at_first: Duration, later: Duration) -> Idle {
        Idle { at_first, later }
    }

    #[test]
    fn a_connection_without_a_request_is_closed() {
        for bytes in [&b""[..], &REQUEST[..20], b"PRI * HTTP/2"] {
            let never = pending::<()>;
            assert_eq!(driven(bytes, idle(MOMENT, HOUR), None, never()), "");
            assert_eq!(driven(bytes, idle(HOUR, HOUR), None, ready(())), "");
        }
    }

    #[test]
    fn one_with_a_request_comes_to_its_end_first() {
        let is_whole = |answer: String| assert!(answer.ends_with("whole"), "{answer}");
        is_whole(driven(REQUEST, idle(HOUR, HOUR), None, ready(())));
        is_whole(driven(REQUEST, idle(HOUR, MOMENT), None, pending::<()>()));
    }

    #[test]
    fn idle_ones_leave_when_others_wait() {
        let room = Room::new(std::num::NonZeroUsize::MIN);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        let taken = runtime.block_on(room.enter());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| runtime.block_on(room.enter()));
            for bytes in [&b""[..], REQUEST] {
                let answer = driven(bytes, idle(HOUR, HOUR), Some(&room), pending::<()>());
                assert_eq!(answer.ends_with("whole"), bytes == REQUEST, "{answer}");
            }
            drop(taken);
            drop(waits.join().unwrap());
        });
    }
}
