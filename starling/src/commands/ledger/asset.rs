//! `starling ledger asset`: promises of issuers, beside the ledger's own asset.

use std::path::PathBuf;
use std::time::Duration;

use ledger::domains::accounts::{Balance, balance_key, supply_key};
use ledger::domains::assets::{self, Action, Asset};
use ledger::{AccountId, AssetId, Key};
use minicbor::Decode;
use serde_json::{Value, json};
use starling::key_file;
use starling::ledger_client::{Client, Follower, Proved};

use crate::commands::Problem;

/// Who signs.
#[derive(Debug, clap::Args)]
pub(super) struct Signing {
    /// The key of the account that signs and pays the fee
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How long to wait for the receipt, in seconds
    #[arg(long, default_value_t = 30)]
    wait_s: u64,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum What {
    /// Make an asset, whose issuer the key's account is
    Create {
        /// 1 to 12 upper-case letters and digits
        symbol: String,
        /// Decimals by which units are shown
        #[arg(long, default_value_t = 6)]
        decimals: u8,
        /// Most units there may ever be [default: no cap]
        #[arg(long, value_name = "UNITS")]
        supply_max: Option<u128>,
        /// The issuer may freeze what others hold; it can't be said later
        #[arg(long)]
        freezable: bool,
        #[command(flatten)]
        signing: Signing,
    },
    /// Make units for somebody
    Issue {
        /// Of which asset
        asset: u32,
        /// For which account
        to: AccountId,
        /// How many units
        units: u128,
        #[command(flatten)]
        signing: Signing,
    },
    /// Destroy units of the key's account
    Burn {
        /// Of which asset
        asset: u32,
        /// How many units
        units: u128,
        #[command(flatten)]
        signing: Signing,
    },
    /// Freeze what an account holds
    Freeze {
        /// Of which asset
        asset: u32,
        /// Whose
        account: AccountId,
        #[command(flatten)]
        signing: Signing,
    },
    /// Let an account have its units again
    Thaw {
        /// Of which asset
        asset: u32,
        /// Whose
        account: AccountId,
        #[command(flatten)]
        signing: Signing,
    },
    /// Give up issuing for good
    Renounce {
        /// Which asset
        asset: u32,
        #[command(flatten)]
        signing: Signing,
    },
    /// What was promised, and how much there is, proved
    Show {
        /// Which asset
        asset: u32,
    },
    /// Every asset that an account holds, proved one by one
    Held {
        /// Which account
        account: AccountId,
    },
}

impl What {
    /// What is signed; none: it only looks.
    fn action(&self) -> Option<(Action, &Signing)> {
        Some(match self {
            Self::Create { symbol, decimals, supply_max, freezable, signing } => {
                let (symbol, decimals) = (symbol.clone(), *decimals);
                let (supply_max, freezable) = (*supply_max, *freezable);
                (Action::Create { symbol, decimals, supply_max, freezable }, signing)
            }
            Self::Issue { asset, to, units, signing } => {
                (Action::Issue { asset: AssetId(*asset), to: *to, amount: *units }, signing)
            }
            Self::Burn { asset, units, signing } => {
                (Action::Burn { asset: AssetId(*asset), amount: *units }, signing)
            }
            Self::Freeze { asset, account, signing } => {
                let (asset, account) = (AssetId(*asset), *account);
                (Action::Freeze { asset, account, frozen: true }, signing)
            }
            Self::Thaw { asset, account, signing } => {
                let (asset, account) = (AssetId(*asset), *account);
                (Action::Freeze { asset, account, frozen: false }, signing)
            }
            Self::Renounce { asset, signing } => {
                (Action::Renounce { asset: AssetId(*asset) }, signing)
            }
            Self::Show { .. } | Self::Held { .. } => return None,
        })
    }
}

/// Does it, and says what came of it.
pub(super) async fn run(client: &Client, what: What) -> Result<Value, Problem> {
    if let Some((action, signing)) = what.action() {
        let key = key_file::load_or_create(&signing.key)?.key;
        let is_new = matches!(action, Action::Create { .. });
        let id = client.act(&key, ledger::Action::Assets(action)).await?;
        let mut receipt = client.done(id, Duration::from_secs(signing.wait_s)).await?;
        if is_new {
            // Its event names the number that it was given.
            receipt["asset"] = receipt["events"][0]["numbers"][0].clone();
        }
        return Ok(receipt);
    }
    match what {
        What::Held { account } => Prover::new(client).await?.held(account).await,
        What::Show { asset } => Prover::new(client).await?.shown(AssetId(asset)).await,
        _ => Ok(Value::Null),
    }
}

/// Asks, and believes proofs only, of the ledger that the validator names.
struct Prover<'a> {
    client: &'a Client,
    follower: Follower,
}

impl<'a> Prover<'a> {
    async fn new(client: &'a Client) -> Result<Self, Problem> {
        let root = client.root().await?;
        let follower = Follower::new(&root)
            .map_err(|error| Problem::identity(&error, "Ask another validator with --node."))?;
        Ok(Self { client, follower })
    }

    async fn ask<T: for<'b> Decode<'b, ()>>(&self, key: Key) -> Result<Proved<T>, Problem> {
        Ok(self.client.proved_in(&self.follower, &key).await?)
    }

    async fn shown(&self, asset: AssetId) -> Result<Value, Problem> {
        let made: Proved<Asset> = self.ask(assets::asset_key(asset)).await?;
        let supply: Proved<u128> = self.ask(supply_key(asset)).await?;
        let Some(record) = made.record else {
            return Ok(json!({ "asset": asset, "exists": false, "height": made.height }));
        };
        Ok(json!({
            "asset": asset,
            "iou_of": record.issuer,
            "symbol": record.symbol,
            "decimals": record.decimals,
            "supply": supply.record.unwrap_or_default().to_string(),
            "supply_max": record.supply_max.map(|units| units.to_string()),
            "freezable": record.freezable,
            "closed": record.closed,
            "height": made.height.min(supply.height),
        }))
    }

    /// The ledger counts its assets, and the count is proved: none can be left out.
    async fn held(&self, account: AccountId) -> Result<Value, Problem> {
        let count: Proved<u32> = self.ask(assets::count_key()).await?;
        let (mut held, mut oldest) = (Vec::new(), count.height);
        for number in 0..=count.record.unwrap_or_default() {
            let asset = AssetId(number);
            let balance: Proved<Balance> = self.ask(balance_key(account, asset)).await?;
            oldest = oldest.min(balance.height);
            let Some(Balance { amount, frozen }) = balance.record else { continue };
            let mut line = json!({ "asset": asset, "units": amount.to_string(), "frozen": frozen });
            if asset != AssetId::NATIVE {
                let made: Proved<Asset> = self.ask(assets::asset_key(asset)).await?;
                line["iou_of"] = json!(made.record.as_ref().map(|record| record.issuer));
                line["symbol"] = json!(made.record.map(|record| record.symbol));
            }
            held.push(line);
        }
        Ok(json!({ "account": account, "held": held, "height": oldest }))
    }
}
