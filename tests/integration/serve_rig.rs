//! `starling serve` within a test, on port 0.

use std::net::SocketAddr;

use starling::serve::{Config, ServeError, Server};
use tokio::sync::oneshot;

/// A server that runs until it is stopped.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) http: reqwest::Client,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    /// With an empty folder of media below the data, and an address of the system's choice.
    pub(crate) async fn start(config: Config) -> Self {
        let media = config.data.join("media");
        std::fs::create_dir_all(&media).unwrap();
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        let server = Server::bind(Config { listen, media: Some(media), ..config }).unwrap();
        let state = server.prepare_media(&mut |_| ()).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, address) = oneshot::channel();
        let ended = tokio::spawn(server.run(
            state,
            |addresses| ready.send(addresses[0]).unwrap(),
            async move { stopped.await.unwrap_or(()) },
        ));
        let address = address.await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, http, stop, ended }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}
