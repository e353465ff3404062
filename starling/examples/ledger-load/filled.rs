//! A ledger of many accounts.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ledger_node::Config;
use serde_json::{Value, json};

use super::Fault;

/// Accounts that are made at a time.
const BATCH: u64 = 50_000;

/// Where, and how many.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder of the validator, which has no ledger yet
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Accounts, at most
    #[arg(long, default_value_t = 10_000_000)]
    accounts: u64,
    /// How long it may take; there are fewer accounts if that is too short
    #[arg(long, default_value_t = 240)]
    seconds: u64,
}

/// Makes it; the validator starts with it by the settings `data` alone.
pub(crate) fn make(options: &Options) -> Result<Value, Fault> {
    let within = Duration::from_secs(options.seconds);
    let config = Config { data: options.data.clone(), ..Config::default() };
    let began = Instant::now();
    let filled = ledger_node::fill(&config, |made| {
        let left = options.accounts.saturating_sub(made).min(BATCH);
        if began.elapsed() < within { left } else { 0 }
    })?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(json!({ "accounts": filled.accounts, "records": filled.records, "seconds": seconds }))
}
