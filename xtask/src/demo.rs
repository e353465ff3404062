//! `cargo xtask demo energy`: from nothing to a street that trades.

use std::{
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{children::Children, house::House, run, say, setup, web};

/// How long a server and its ledger may take to start: the first start makes the demo video.
const STARTED_WITHIN: Duration = Duration::from_secs(300);

/// Options of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Serve the page and play a community of twelve households on its ledger, with live meters
    Energy(EnergyArgs),
}

#[derive(Debug, clap::Args)]
struct EnergyArgs {
    #[command(flatten)]
    server: run::Args,
    /// How fast the community's clock runs: at 900x a quarter of an hour takes a second
    #[arg(long, value_name = "FACTOR", default_value = "900x")]
    speed: String,
    /// Account that is taken in and given money, such as that of your wallet; more than once: these
    #[arg(long, value_name = "ACCOUNT")]
    admit: Vec<String>,
}

/// Sets up, builds and plays until stopped.
pub(crate) fn demo(house: &House, args: &Args) -> Result<()> {
    let What::Energy(args) = &args.what;
    setup::for_run(house)?;
    web::build(house, web::Mode::Release)?;
    run::quick_server(house)?;
    let port = args.server.port();
    let mut children = Children::default();
    if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        say::note(&format!("somebody listens on port {port}: the street is made on its ledger"));
    } else {
        let mut serve = args.server.serve(house, house.tested_starling());
        children.start("starling", &mut serve)?;
        children.wait_until_listening([port], STARTED_WITHIN)?;
    }
    let faucet = faucet(house)?;
    let url = format!("http://127.0.0.1:{port}");
    let mut street = house.command(house.tested_starling());
    street.args(["demo", "energy", "--run", "--speed", &args.speed, "--node", &url, "--key"]);
    street.arg(faucet).arg("--data").arg(house.root.join("data/energy"));
    for account in &args.admit {
        street.args(["--admit", account]);
    }
    children.start("the street", &mut street)?;
    println!("\n  {url}/energy  ← what the street trades\n");
    children.wait()
}

/// The key of the server's demo ledger, once that has started.
fn faucet(house: &House) -> Result<PathBuf> {
    let path = house.root.join("data/ledger/faucet.key");
    let start = Instant::now();
    while !path.exists() {
        let late = start.elapsed() > STARTED_WITHIN;
        ensure!(!late, "{} is not there: the server runs no demo ledger", path.display());
        thread::sleep(Duration::from_millis(50));
    }
    Ok(path)
}
