//! Connections: taken from a port, through TLS if there is a certificate, to the routes.
//!
//! A client that is slow to say what it wants is not waited for: a handshake and the head of a request
//! have their time. Plain HTTP is version 1; over TLS version 2 too, by ALPN (RFC 7301).

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use super::tls::HTTP_2;

/// How long a TLS handshake, and the head of a request, may take.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// Silence of a connection of HTTP/2 after which the client is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Serves until told to stop; then takes nobody new and finishes what is under way.
pub(super) async fn serve(
    mut listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    loop {
        // `accept` waits and goes on when the system has no more files.
        let (stream, client) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = told(&mut stopped) => break,
        };
        let (tls, app, watcher) = (tls.clone(), app.clone(), graceful.watcher());
        tokio::spawn(connection(stream, client, tls, app, watcher));
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Waits until it is told to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error: the sender is gone, which is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    tls: Option<TlsAcceptor>,
    app: Router,
    watcher: Watcher,
) {
    // Signals are small and urgent. An error: the client is gone, which reading will tell.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return http(stream, false, client, app, watcher).await };
    match tokio::time::timeout(HEAD_WITHIN, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
            http(stream, is_2, client, app, watcher).await;
        }
        Ok(Err(error)) => tracing::debug!(%client, %error, "no TLS"),
        Err(_) => tracing::debug!(%client, "the TLS handshake took too long"),
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    is_2: bool,
    client: SocketAddr,
    app: Router,
    watcher: Watcher,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let mut version_2 = builder.http2();
    version_2.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY);
    // WebSockets over HTTP/2 (RFC 8441).
    version_2.enable_connect_protocol();
    let builder = if is_2 { builder.http2_only() } else { builder.http1_only() };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(client));
        // Routers are always ready.
        app.clone().call(request)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::trace!(%client, %error, "a connection ended");
    }
}
