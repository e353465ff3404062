//! Load on the ledger, for the benches. Prints one line of JSON.
//!
//! ```text
//! ledger-load domain
//! ledger-load network --node http://127.0.0.1:8800 --key faucet.key --folder DIR
//! ledger-load inside --validators 4 --folder DIR
//! ledger-load vouchers
//! ledger-load fill --data DIR --accounts 10000000 --seconds 240
//! ```
//!
//! `domain` needs no network: actions on a state in memory, with and without signatures and blocks, and what
//! an action costs in a market of 2, 100 and 10,000 positions. `network` is about validators that run: how
//! long until a transaction is final, how many there are in a second, what a certificate and a proof weigh
//! and take to check; `inside` runs them in its own process and hands transactions over without HTTP.
//! `vouchers` is about two tills: promises that one signs and the other checks. `fill` makes a ledger of
//! many accounts, for a validator to start with.
#![allow(clippy::print_stdout, reason = "the result is its only output")]

mod domain;
mod filled;
mod inside;
mod network;
mod vouchers;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;

/// What went wrong; it ends the bench.
type Fault = Box<dyn Error>;

/// Loads the ledger and measures it.
#[derive(Debug, Parser)]
enum Load {
    /// The state machine alone
    Domain {
        /// Actions of each kind
        #[arg(long, default_value_t = 2_000)]
        count: usize,
    },
    /// Validators that run
    Network(Options),
    /// Validators in this process
    Inside(inside::Options),
    /// Two tills
    Vouchers {
        /// Promises
        #[arg(long, default_value_t = 20_000)]
        count: u32,
    },
    /// A ledger of many accounts
    Fill(filled::Options),
}

/// Which validators, and how much of what.
#[derive(Debug, clap::Args)]
struct Options {
    /// Validators, all of one ledger
    #[arg(long, value_name = "URL", num_args = 1.., required = true)]
    node: Vec<String>,
    /// Who pays for all: the faucet's key of a demo network
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where keys of the market's reporters are kept
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// Transactions one after the other, whose time is taken
    #[arg(long, default_value_t = 50)]
    singles: usize,
    /// Accounts that send at the same time
    #[arg(long, default_value_t = 32)]
    payers: u64,
    /// Transactions of each of them
    #[arg(long, default_value_t = 60)]
    each: u64,
    /// Supplies to a market instead of transfers
    #[arg(long)]
    lending: bool,
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    // Nothing, unless `RUST_LOG` says what.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let told: Value = match Load::parse() {
        Load::Domain { count } => domain::measure(count)?,
        Load::Network(options) => network::measure(&options).await?,
        Load::Inside(options) => inside::measure(&options).await?,
        Load::Vouchers { count } => vouchers::measure(count)?,
        Load::Fill(options) => filled::make(&options)?,
    };
    println!("{told}");
    Ok(())
}

/// A rate, rounded to whole actions.
fn per_s(count: usize, seconds: f64) -> f64 {
    let count = u32::try_from(count).map_or(f64::INFINITY, f64::from);
    (count / seconds.max(f64::MIN_POSITIVE)).round()
}

/// The value below which so many hundredths of all lie, which are sorted for it.
fn at(values: &mut [f64], hundredths: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let found = values.get(last * hundredths / 100).copied().unwrap_or_default();
    (found * 100.0).round() / 100.0
}
