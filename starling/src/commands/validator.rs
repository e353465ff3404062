//! `starling validator`.

use std::path::{Path, PathBuf};

use ledger_node::{Config, Node, api, config};
use starling::serve::{ServeError, ledger::hosts};
use starling::settings;
use tokio::net::TcpListener;

use super::{Problem, signals, waiting};

/// Options of `starling validator`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Settings; without them: a ledger of this validator alone, in the folder `ledger`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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
    let config = match &args.config {
        Some(path) => read(path)?,
        None => Config::default(),
    };
    let hosts = hosts(&config.others).map_err(ServeError::from)?;
    let fail = |error| Problem::no_port(config.http, &error);
    let listener = TcpListener::bind(config.http).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    // Waits for its disk.
    let settings = config.clone();
    let mut node = waiting(move || Node::start(&settings)).await?;
    let stop = signals::stop();
    let handle = node.handle();
    println!("ledger {} at http://{address}/ledger/status", handle.chain());
    let serving = axum::serve(listener, api::router(handle, &hosts)).into_future();
    tokio::select! {
        () = stop => {}
        error = node.failed() => return Err(error.into()),
        served = serving => return served.map_err(fail),
    }
    node.stop().await;
    Ok(())
}
