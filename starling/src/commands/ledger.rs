//! `starling ledger`.

mod asset;
mod policy;
mod sheet;
mod signing;

use std::path::PathBuf;
use std::time::Duration;

use ledger::domains::accounts;
use ledger::{AccountId, Action, AssetId, Body, TransactionId};
use primitives::Hash;
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
        #[arg(
            long,
            value_name = "FILE",
            required_unless_present = "draft",
            conflicts_with = "draft"
        )]
        key: Option<PathBuf>,
        /// Of which asset; 0 is the ledger's own
        #[arg(long, default_value_t = 0)]
        asset: u32,
        /// How long to wait for the receipt, in seconds
        #[arg(long, default_value_t = 30)]
        wait_s: u64,
        #[command(flatten)]
        note: Note,
        #[command(flatten)]
        drafting: signing::Drafting,
    },
    /// Which keys speak for an account, and how many of them it takes
    Policy {
        #[command(subcommand)]
        what: policy::What,
    },
    /// Sign a transaction that several must sign, in the file of its draft, and say what it is
    Sign {
        /// The file
        file: PathBuf,
        /// Whose key signs; without one, it is only said what it is
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Send a transaction that enough have signed, and wait for the receipt
    Submit {
        /// The file, or several copies of it that were signed apart
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// How long to wait for the receipt, in seconds
        #[arg(long, default_value_t = 30)]
        wait_s: u64,
    },
    /// The trust root that the validator names: which ledger, and by which key its blocks are checked
    Root,
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

/// A note that is kept elsewhere: the ledger gets its hash.
#[derive(Debug, clap::Args)]
#[group(skip)]
struct Note {
    /// A note: its SHA-256 goes into the transaction, which proves later what it was for. Who guesses it knows it
    #[arg(long, value_name = "TEXT", conflicts_with = "memo_hash")]
    memo: Option<String>,
    /// The SHA-256 of a note, or of anything
    #[arg(long, value_name = "HEX")]
    memo_hash: Option<Hash>,
}

impl Note {
    fn memo(&self) -> Option<Hash> {
        self.memo.as_deref().map(Body::memo_of).or(self.memo_hash)
    }
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let client = Client::new(&args.node)?;
    let answer = match args.what {
        What::Send { to, units, key, asset, wait_s, note, drafting } => {
            let (asset, memo) = (AssetId(asset), note.memo());
            let transfer = accounts::Action::Transfer { asset, to, amount: units };
            let action = Action::Accounts(transfer);
            match drafting.write(&client, action.clone(), memo).await? {
                Some(told) => told,
                None => {
                    let key = key.as_deref().ok_or_else(Problem::no_signer)?;
                    let key = key_file::load_or_create(key)?.key;
                    let id = client.act_noted(&key, action, memo).await?;
                    let receipt = client.done(id, Duration::from_secs(wait_s)).await?;
                    with_memo(receipt, memo)
                }
            }
        }
        What::Policy { what } => policy::run(&client, what).await?,
        What::Sign { file, key } => signing::sign(&file, key.as_deref()).await?,
        What::Submit { files, wait_s } => {
            signing::submit(&client, &files, Duration::from_secs(wait_s)).await?
        }
        What::Root => json!({ "root": client.root().await?.to_string() }),
        What::Account { account } => {
            let holding = client.holding(account).await?;
            json!({ "height": holding.height, "nonce": holding.nonce, "units": holding.units })
        }
        What::Asset { what } => asset::run(&client, what).await?,
        What::Receipt { transaction } => receipt(&client, transaction).await?,
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

/// What became of a transaction, and the memo that it has, where the validator keeps its block.
async fn receipt(client: &Client, id: TransactionId) -> Result<Value, ClientError> {
    let Some(receipt) = client.receipt(id).await? else { return Ok(json!({ "waiting": true })) };
    let memo = match receipt["height"].as_u64() {
        Some(height) => client.memo(id, height).await.unwrap_or_default(),
        None => None,
    };
    Ok(with_memo(receipt, memo))
}

fn with_memo(mut receipt: Value, memo: Option<Hash>) -> Value {
    if let Some(memo) = memo {
        receipt["memo"] = json!(memo);
    }
    receipt
}
