//! One connection, from its first byte to its end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::service::Service;
use tokio::time::timeout;

/// Whether a connection has brought a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun(Arc<AtomicBool>);

impl Begun {
    /// The same service, which notes its first call here.
    pub(super) fn watch<S>(&self, service: S) -> Watched<S> {
        Watched {
            service,
            begun: self.clone(),
        }
    }

    fn has(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A service whose first call is noted.
#[derive(Clone, Debug)]
pub(super) struct Watched<S> {
    service: S,
    begun: Begun,
}

impl<R, S: Service<R>> Service<R> for Watched<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: R) -> S::Future {
        self.begun.0.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}

/// Lets a connection run to its end. One without a request in this time is
/// closed: hyper's own limit begins when the protocol is known, so a client
/// that sends half a preface would stay for ever. Such a one is closed, too,
/// when the server stops.
pub(super) async fn drive(
    connection: impl Future,
    begun: &Begun,
    header_time: Duration,
    stop: impl Future,
) {
    let mut connection = pin!(connection);
    let has_ended = {
        let in_time = pin!(timeout(header_time, connection.as_mut()));
        let stop = pin!(stop);
        matches!(select(in_time, stop).await, Either::Left((Ok(_), _)))
    };
    if !has_ended && begun.has() {
        // How it ends concerns its client; bodies have noticed by themselves.
        connection.await;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, pending, ready};
    use std::sync::mpsc;

    use super::*;

    struct Answers;

    impl Service<()> for Answers {
        type Response = ();
        type Error = Infallible;
        type Future = Ready<Result<(), Infallible>>;

        fn call(&self, (): ()) -> Self::Future {
            ready(Ok(()))
        }
    }

    fn run(future: impl Future) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        runtime.block_on(future);
    }

    #[test]
    fn a_connection_without_a_request_is_closed() {
        // It returns, or the test doesn't.
        let begun = Begun::default();
        let never = pending::<()>;
        run(drive(never(), &begun, Duration::ZERO, never()));
        run(drive(never(), &begun, Duration::from_secs(3600), ready(())));
    }

    #[test]
    fn one_with_a_request_runs_to_its_end() {
        let (sender, ends) = mpsc::channel();
        let begun = Begun::default();
        let service = begun.watch(Answers);
        let connection = async {
            let _ = service.call(()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send(()).unwrap();
        };
        run(drive(
            connection,
            &begun,
            Duration::from_millis(1),
            ready(()),
        ));
        assert_eq!(ends.try_recv(), Ok(()));
    }
}
