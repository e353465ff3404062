//! The chores of the workspace. `cargo xtask --help` is the list.
//!
//! Every chore sets up what it needs, says what it does and why, and does nothing twice: what is
//! there is not installed again, what has not changed is not built again.

#![allow(clippy::print_stdout, reason = "a command line speaks on standard output")]

mod bench_energy;
mod checkout;
mod children;
mod chores;
mod cluster;
mod demo;
mod dev;
mod dist;
mod fingerprint;
mod house;
mod localnet;
mod run;
mod say;
mod setup;
mod test;
mod tidy;
mod vectors;
mod web;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::house::House;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, version)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Set up, build and serve: the page opens at the printed address
    Run(run::RunArgs),
    /// Like run, but quick debug builds, rebuilt and reloaded when a file changes
    Dev(run::Args),
    /// Install what is missing, then check everything that CI checks
    Test(test::Args),
    /// Install what is missing for `run` (with --all: for `test` too)
    Setup {
        /// Browsers and checkers as well
        #[arg(long)]
        all: bool,
    },
    /// Build the web bundle into dist/web
    Web,
    /// Run the simulator: `sim --seed 7 --scenario live` replays one run, `sim --help` lists more
    #[command(disable_help_flag = true)]
    Sim(chores::Forwarded),
    /// Measure in real browsers and write docs/bench.md; arguments go to tests/bench/run.mjs. Servers:
    /// `bench relay` (beside coturn), `bench tracker`, `bench nodes` (two over NATS beside one),
    /// `bench load` (10,000 sockets). Files: `bench files` (beside webtorrent), `bench store`. Ledger:
    /// `bench ledger`, `bench lending`, `bench energy`
    #[command(disable_help_flag = true)]
    Bench(chores::Forwarded),
    /// The figures of `bench energy`, by this program built with --release
    #[command(hide = true)]
    MeasureEnergy(bench_energy::Args),
    /// Throw mutated bytes at every decoder and at the swarm for a while, and every trouble at validators
    Soak(chores::SoakArgs),
    /// Run a file of test vectors
    Vectors {
        /// JSON with a list under `vectors`
        file: PathBuf,
    },
    /// Start validators of a new ledger on loopback ports, and say how to submit
    Localnet(localnet::Args),
    /// Serve the page and play something on its ledger: `demo energy`
    Demo(demo::Args),
    /// Start NATS and three nodes on loopback ports, to try what several nodes do
    Cluster(cluster::Args),
    /// Check what compilers don't: the map, sizes, paths, anchors
    Tidy,
    /// Make the npm package folder dist/npm
    Dist,
}

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            say::problem(&error);
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<ExitCode> {
    let house = House::find()?;
    let chore = Cli::parse().chore;
    if checkout::claim(&house)? {
        return checkout::again(&house).map(ExitCode::from);
    }
    do_chore(&house, chore)?;
    Ok(ExitCode::SUCCESS)
}

fn do_chore(house: &House, chore: Chore) -> Result<()> {
    match chore {
        Chore::Run(args) => run::run(house, &args),
        Chore::Dev(args) => dev::dev(house, &args),
        Chore::Test(args) => test::test(house, &args),
        Chore::Setup { all: false } => setup::for_run(house),
        Chore::Setup { all: true } => setup::for_test(house),
        Chore::Web => {
            setup::for_web(house).and_then(|()| web::build(house, web::Mode::Release).map(|_| ()))
        }
        Chore::Sim(args) => chores::sim(house, &args),
        Chore::Bench(args) => chores::bench(house, &args),
        Chore::MeasureEnergy(args) => bench_energy::measure(house, &args),
        Chore::Demo(args) => demo::demo(house, &args),
        Chore::Soak(args) => chores::soak(house, &args),
        Chore::Vectors { file } => vectors::run_file(&file),
        Chore::Localnet(args) => localnet::localnet(house, &args),
        Chore::Cluster(args) => cluster::cluster(house, &args),
        Chore::Tidy => tidy::tidy(house),
        Chore::Dist => dist::dist(house),
    }
}
