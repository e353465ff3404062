//! `starling relay`.

use std::net::SocketAddr;
use std::path::PathBuf;

use starling::relay::{alone, serve_metrics};
use starling::serve::Config;
use starling::settings;
use tokio::net::TcpListener;

use super::{Problem, signals};

/// Options of `starling relay`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port to listen on by UDP and TCP; more than once: all of them
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Settings: the [relay] table of the file of `starling serve`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to serve /metrics and /healthz
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    /// Print every setting with its default and end
    #[arg(long)]
    print_config: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    if args.print_config {
        print!("[relay]\n{}", relay::config::DEFAULT_TOML);
        return Ok(());
    }
    let mut config = match &args.config {
        Some(path) => settings::read::<Config>(path)?.relay,
        None => relay::Config::default(),
    };
    if !args.listen.is_empty() {
        config.listen = args.listen;
    }
    let stop = signals::stop();
    let server = relay::Server::bind(&alone(config))?;
    let relay = server.relay();
    if let Some(address) = args.metrics {
        let fail = |source| relay::RelayError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        println!("metrics at http://{}/metrics", listener.local_addr().map_err(fail)?);
        tokio::spawn(serve_metrics(listener, relay.clone()));
    }
    relay.urls().iter().for_each(|url| println!("relay at {url}"));
    server.run(stop).await;
    Ok(())
}
