//! `starling ledger`.

mod asset;

use std::path::PathBuf;
use std::time::Duration;

use ledger::{AccountId, AssetId, TransactionId};
use serde_json::{Value, json};
use starling::key_file;
use starling::ledger_client::{Client, ClientError, Nodes};

use super::{Problem, validator, waiting};

/// Where a validator of this machine answers.
pub(super) const NODE: &str = "http://127.0.0.1:8788";

/// Validators of a ledger, for commands that ask more than one.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeArgs {
    /// Validators; the next is asked when one does not answer
    #[arg(long, value_name = "URL", num_args = 1.., default_value = NODE)]
    node: Vec<String>,
}

impl NodeArgs {
    /// To ask them.
    pub(crate) fn open(&self) -> Result<Nodes, ClientError> {
        Nodes::new(&self.node)
    }
}

/// Options of `starling ledger`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A validator's address
    #[arg(long, global = true, value_name = "URL", default_value = NODE)]
    node: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Send units and wait for the receipt
    Send {
        /// To which account
        to: AccountId,
        /// How many units
        units: u128,
        /// The sender's key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Of which asset; 0 is the ledger's own
        #[arg(long, default_value_t = 0)]
        asset: u32,
        /// How long to wait for the receipt, in seconds
        #[arg(long, default_value_t = 30)]
        wait_s: u64,
    },
    /// What an account has, as the validator says
    Account {
        /// Which
        account: AccountId,
    },
    /// Assets beside the ledger's own: promises of their issuers
    Asset {
        #[command(subcommand)]
        what: asset::What,
    },
    /// What became of a transaction
    Receipt {
        /// Which
        transaction: TransactionId,
    },
    /// Fetch a copy of the state, for a validator to begin with
    Snapshot {
        /// Where to write it
        file: PathBuf,
    },
    /// Check a snapshot and make the ledger of a validator of it, which has its secrets and no ledger yet
    Restore {
        /// The snapshot
        file: PathBuf,
        /// The validator's settings
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Begin there although the key may have signed later blocks, which are lost then: only where fewer
        /// than four validators agree
        #[arg(long)]
        roll_back: bool,
    },
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let client = Client::new(&args.node)?;
    let answer = match args.what {
        What::Send { to, units, key, asset, wait_s } => {
            let key = key_file::load_or_create(&key)?.key;
            let id = client.send(&key, AssetId(asset), to, units).await?;
            client.done(id, Duration::from_secs(wait_s)).await?
        }
        What::Account { account } => {
            let holding = client.holding(account).await?;
            json!({ "height": holding.height, "nonce": holding.nonce, "units": holding.units })
        }
        What::Asset { what } => asset::run(&client, what).await?,
        What::Receipt { transaction } => {
            client.receipt(transaction).await?.unwrap_or_else(|| json!({ "waiting": true }))
        }
        What::Snapshot { file } => json!({ "bytes": client.snapshot(&file).await? }),
        What::Restore { file, config, roll_back } => {
            let config = validator::read(&config)?;
            let made = waiting(move || ledger_node::restore(&config, &file, roll_back)).await?;
            json!({ "height": made.height, "time_ms": made.time_ms, "records": made.records })
        }
    };
    let answer: Value = answer;
    println!("{answer}");
    Ok(())
}
