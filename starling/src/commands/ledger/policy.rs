//! `starling ledger policy`: which keys speak for an account, and how many of them it takes.

use std::path::PathBuf;
use std::time::Duration;

use ledger::domains::accounts::{self, Account, account_key};
use ledger::{AccountId, Action, Policy};
use primitives::PeerId;
use serde_json::{Value, json};
use starling::key_file;
use starling::ledger_client::{Client, Follower, Proved};

use super::signing::{Drafting, policy_of, problem};
use crate::commands::Problem;

/// Keys, and how many of them must sign.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    /// How many of them must sign
    #[arg(long, value_name = "COUNT")]
    threshold: u8,
    /// All of them, as `starling keys show` says them
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<PeerId>,
}

impl Keys {
    fn policy(&self) -> Result<Policy, Problem> {
        policy_of(self.threshold, self.keys.clone())
            .map_err(|error| problem(&error, "Name each key once, and how many must sign."))
    }
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum What {
    /// Say which account a set of keys has from the start; asks nobody
    Name {
        #[command(flatten)]
        keys: Keys,
    },
    /// Which keys speak for an account, proved
    Show {
        /// Which account
        account: AccountId,
    },
    /// Change which keys speak for an account, whose name stays. The keys before sign that, and nothing afterwards
    Set {
        #[command(flatten)]
        keys: Keys,
        /// The account's key, if one speaks for it now
        #[arg(
            long,
            value_name = "FILE",
            required_unless_present = "draft",
            conflicts_with = "draft"
        )]
        key: Option<PathBuf>,
        /// How long to wait for the receipt, in seconds
        #[arg(long, default_value_t = 30)]
        wait_s: u64,
        #[command(flatten)]
        drafting: Drafting,
    },
}

/// Does it, and says what came of it.
pub(super) async fn run(client: &Client, what: What) -> Result<Value, Problem> {
    match what {
        What::Name { keys } => {
            let policy = keys.policy()?;
            Ok(shown(AccountId::of(&policy), &policy))
        }
        What::Show { account } => show(client, account).await,
        What::Set { keys, key, wait_s, drafting } => {
            let policy = keys.policy()?;
            let action = Action::Accounts(accounts::Action::SetPolicy { policy });
            if let Some(told) = drafting.write(client, action.clone(), None).await? {
                return Ok(told);
            }
            let key = key.as_deref().ok_or_else(Problem::no_signer)?;
            let key = key_file::load_or_create(key)?.key;
            let id = client.act(&key, action).await?;
            Ok(client.done(id, Duration::from_secs(wait_s)).await?)
        }
    }
}

async fn show(client: &Client, account: AccountId) -> Result<Value, Problem> {
    let root = client.root().await?;
    let follower = Follower::new(&root)
        .map_err(|error| Problem::identity(&error, "Ask another validator with --node."))?;
    let proved: Proved<Account> = client.proved_in(&follower, &account_key(account)).await?;
    let mut answer = match proved.record.and_then(|record| record.policy) {
        Some(policy) => shown(account, &policy),
        // The keys that name it: the ledger has their hash.
        None => json!({ "account": account, "threshold": null, "keys": null }),
    };
    answer["height"] = json!(proved.height);
    Ok(answer)
}

fn shown(account: AccountId, policy: &Policy) -> Value {
    json!({ "account": account, "threshold": policy.threshold, "keys": policy.keys })
}
