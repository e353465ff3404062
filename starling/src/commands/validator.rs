//! `starling validator`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::extract::Request;
use ledger_node::{Config, Node, api, config};
use signaling_server::Proxies;
use starling::beginning;
use starling::serve::ServeError;
use starling::serve::ledger::{hosts, snapshot_hosts};
use starling::settings;
use tokio::net::TcpListener;
use tower::util::MapRequestLayer;

use super::{Problem, signals, waiting};

/// Options of `starling validator`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Settings; without them: a ledger of this validator alone, in the folder `ledger`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A host of this ledger ("https://a.example"): where the disk has no ledger yet, a snapshot is fetched from it,
    /// checked, and begun with; more than once: from the next where one gives none
    #[arg(long, value_name = "URL")]
    snapshot_from: Vec<String>,
    /// Where the disk's ledger ends before the blocks that those hosts keep: move it aside, and begin with a snapshot
    #[arg(long)]
    replace_late: bool,
    /// Print every setting with its default and end
    #[arg(long)]
    print_config: bool,
}

/// A validator's settings.
pub(crate) fn read(path: &Path) -> Result<Config, Problem> {
    let config: Config = settings::read(path)?;
    Ok(config.within(path.parent().unwrap_or(Path::new(""))))
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    if args.print_config {
        print!("{}", config::DEFAULT_TOML);
        return Ok(());
    }
    let mut config = match &args.config {
        Some(path) => read(path)?,
        None => Config::default(),
    };
    config.snapshot_from.extend(args.snapshot_from);
    config.snapshot_from = snapshot_hosts(&config.snapshot_from).map_err(ServeError::from)?;
    config.replace_late |= args.replace_late;
    let proxies = Proxies::parse(&config.trusted_proxies);
    let proxies = proxies.map_err(|error| Problem::no_trusted_proxy(&error))?;
    let hosts = hosts(&config.others).map_err(ServeError::from)?;
    let fail = |error| Problem::no_port(config.http, &error);
    let listener = TcpListener::bind(config.http).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    beginning::begin(&config).await?;
    // Waits for its disk.
    let settings = config.clone();
    let mut node = waiting(move || Node::start(&settings)).await?;
    let stop = signals::stop();
    let handle = node.handle();
    println!("ledger {} at http://{address}/ledger/status", handle.chain());
    let place = MapRequestLayer::new(move |request| placed(request, &proxies));
    let app = api::router(handle, &hosts).layer(place);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).into_future();
    tokio::select! {
        () = stop => {}
        error = node.failed() => return Err(error.into()),
        served = serving => return served.map_err(fail),
    }
    node.stop().await;
    Ok(())
}

/// The request with where it comes from.
fn placed(request: Request, proxies: &Proxies) -> Request {
    let (mut parts, body) = request.into_parts();
    let place = api::Place(proxies.place(&parts));
    parts.extensions.insert(place);
    Request::from_parts(parts, body)
}
