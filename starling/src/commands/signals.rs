//! Being told to stop.

/// The first interrupt or, on Unix, terminate signal.
///
/// It listens from the call on, not from the first time it is asked: what is told to stop right
/// after it said that it is ready ends well all the same. One is kept for a whole command, so that
/// no signal falls between two.
#[cfg(unix)]
pub(crate) fn stop() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    async fn first(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
    let interrupt = signal(SignalKind::interrupt()).ok();
    let terminate = signal(SignalKind::terminate()).ok();
    async {
        tokio::select! {
            () = first(interrupt) => {}
            () = first(terminate) => {}
        }
    }
}

/// The first interrupt.
#[cfg(not(unix))]
pub(crate) async fn stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
