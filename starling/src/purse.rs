//! Paying for bytes, and being paid, on a ledger: what the tills of `seed` and `get` ask for.
//!
//! What a payee counts on is proved to a light client. Of the server it is believed that it passes transactions
//! on, and what they cost, up to [`FEE_MAX`].

mod error;
mod keeping;
mod payout;
mod pool;
mod promises;
mod source;
mod state;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use ledger::{
    AccountId, Action, AssetId, Body, ChainId, TransactionId,
    domains::paypool::{self, Lane, Pool, Voucher, lane_key, pool_key},
};
use light_client::TrustRoot;
use payments::{Earning, Input, LaneProof, Output, Paying, Reserved, Setup};
use peer_native::{OpenTill, payments, questions};
use primitives::{KeyPair, PeerId};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::ledger_client::{Client, ClientError, Follower, Waits};

pub use error::PurseError;
use keeping::Keeping;
pub(crate) use payout::{Handed, Outlook, Pot};
pub use pool::Closed;
use promises::Promises;
pub(crate) use source::{Source, Stock};

/// How long a transaction may take to be final.
const FINAL_WITHIN: Duration = Duration::from_secs(20);
/// Questions of one kind that are answered by one transaction.
const BATCH_MAX: usize = 64;
/// Vouchers worth more than so many times what a claim costs are handed in at once.
const CLAIM_TIMES: u128 = 10;
/// Most units that a transaction may cost: five times a claim of 64 vouchers.
pub const FEE_MAX: u128 = 1_000_000;

/// What a person says about money.
#[derive(Debug, Clone)]
pub struct Options {
    /// A server of the ledger: "https://host".
    pub node: String,
    /// Which ledger, and by whose key; none: as the server says, this time.
    pub root: Option<TrustRoot>,
    /// The account's key.
    pub key: KeyPair,
    /// To pay.
    pub pay: Option<Pay>,
    /// To be paid.
    pub earn: Option<Earn>,
}

/// What is paid, at most.
#[derive(Debug, Clone)]
pub struct Pay {
    /// Most units in all.
    pub spend_max: u128,
    /// Most units for a MiB.
    pub per_mib_max: u64,
    /// Folder that remembers the pool.
    pub data: PathBuf,
}

/// What bytes cost.
#[derive(Debug, Clone, Copy)]
pub struct Earn {
    /// Units for a MiB.
    pub per_mib: u64,
    /// Whoever does not pay is not served beyond a first credit.
    pub required: bool,
    /// Vouchers that neighbours leave are kept, and handed in if they don't come back.
    pub keeps: bool,
}

/// Who asks the ledger.
#[derive(Debug)]
pub struct Purse {
    client: Client,
    follower: Follower,
    chain: ChainId,
    key: KeyPair,
    paying: Option<(u64, Promises)>,
    /// Payees in whose lanes something is left that the till counts on no more.
    forgotten: BTreeSet<AccountId>,
    /// Somebody is owed something for whom the pool has no lane left.
    is_full: bool,
    keeping: Keeping,
}

impl Purse {
    /// Meets the ledger; for who pays, a pool with enough in it is found or opened.
    ///
    /// # Errors
    /// See [`PurseError`].
    pub async fn open(
        options: Options,
    ) -> Result<(Self, OpenTill, mpsc::Receiver<Output>), PurseError> {
        let Options { node, root, key, pay, earn } = options;
        let mut purse = Self::meet(&node, root, key).await?;
        let chain = purse.chain;
        let paying = match &pay {
            Some(pay) => Some(purse.paying(pay).await?),
            None => None,
        };
        if let (Some(pay), Some(Paying { pool, .. })) = (&pay, &paying) {
            purse.paying = Some((*pool, Promises::of(&pay.data, chain, *pool).await?));
        }
        purse.keeping.is_on = earn.is_some_and(|earn| earn.keeps);
        let earning = match earn {
            Some(earn) => Some(purse.earning(earn).await?),
            None => None,
        };
        let (ledger, asked) = questions();
        let setup = Setup { chain, paying, earning };
        Ok((purse, OpenTill { setup, ledger }, asked))
    }

    /// Meets the ledger; nothing is paid or earned yet.
    async fn meet(node: &str, root: Option<TrustRoot>, key: KeyPair) -> Result<Self, PurseError> {
        let client = Client::new(node)?;
        let root = match root {
            Some(root) => root,
            None => client.root().await?,
        };
        let follower = Follower::new(&root).map_err(PurseError::Root)?;
        let chain = ChainId::new(*root.chain.as_bytes());
        let (paying, forgotten, is_full) = (None, BTreeSet::new(), false);
        let keeping = Keeping::default();
        Ok(Self { client, follower, chain, key, paying, forgotten, is_full, keeping })
    }

    /// Whose it is.
    pub fn account(&self) -> AccountId {
        AccountId::of_key(self.key.id())
    }

    async fn paying(&self, pay: &Pay) -> Result<Paying, PurseError> {
        let (pool, signer) = pool::find_or_open(self, pay, pool::Again::Filled).await?;
        Ok(Paying {
            pool,
            asset: AssetId::NATIVE,
            signer,
            per_mib_max: pay.per_mib_max,
            spend_max: pay.spend_max,
        })
    }

    async fn earning(&self, earn: Earn) -> Result<Earning, ClientError> {
        let cost = self.claim_cost().await?;
        Ok(Earning {
            account: self.account(),
            asset: AssetId::NATIVE,
            per_mib: earn.per_mib,
            required: earn.required,
            claim_from: cost * CLAIM_TIMES,
            claim_least: cost,
        })
    }

    /// Most units that a claim of one voucher costs.
    async fn claim_cost(&self) -> Result<u128, ClientError> {
        let params = self.client.status().await?.params;
        // Numbers of as many bytes as any.
        let (most, units) = (u64::MAX, u128::from(u64::MAX));
        let voucher = Voucher::sign(&self.key, self.chain, most, self.account(), u32::MAX, units);
        let claim = Action::Paypool(paypool::Action::Claim { vouchers: vec![voucher] });
        let cost = Body::new(self.chain, self.account(), most, claim).cost(&params);
        Ok(cost.min(FEE_MAX))
    }

    /// Answers a till's questions until it is gone. Questions of one kind that wait together are asked in one
    /// transaction. Meanwhile what neighbours left is looked after.
    pub async fn serve(mut self, mut asked: mpsc::Receiver<Output>, answer: impl Fn(Input)) {
        let mut batch = Vec::new();
        let mut looks = interval(keeping::LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let count = tokio::select! {
                count = asked.recv_many(&mut batch, BATCH_MAX) => count,
                _ = looks.tick() => {
                    self.look_after_kept().await;
                    continue;
                }
            };
            if count == 0 {
                return;
            }
            let (mut lanes, mut vouchers, mut entrusted) = (Vec::new(), Vec::new(), Vec::new());
            for question in batch.drain(..) {
                match question {
                    Output::Reserve { payee, amount } => lanes.push((payee, amount)),
                    Output::Claim { peer, voucher } => vouchers.push((peer, voucher)),
                    Output::Prove { peer, lane } => {
                        let proof = self.proof(lane).await.unwrap_or_else(|error| {
                            tracing::warn!("a lane could not be looked up: {error}");
                            None
                        });
                        answer(Input::Proved { peer, lane, proof });
                    }
                    Output::Forget(payee) => {
                        self.forgotten.insert(payee);
                    }
                    Output::Remember(promised) => {
                        if let Some((_, promises)) = &mut self.paying {
                            promises.note(promised);
                        }
                    }
                    Output::Entrusted { from, keep } => entrusted.push((from, keep)),
                    // What is not claimed when it leaves, it loses; a process ends by its own word.
                    Output::Keep(_)
                    | Output::Send { .. }
                    | Output::Hold { .. }
                    | Output::Event(_) => {}
                }
            }
            if let Some((_, promises)) = &mut self.paying {
                promises.write().await;
            }
            if !lanes.is_empty() {
                self.reserve(lanes, &answer).await;
            }
            if !vouchers.is_empty() {
                self.claim(vouchers, &answer).await;
            }
            // Strangers' come last.
            for (from, keep) in entrusted {
                self.keep(from, &keep).await;
            }
        }
    }

    async fn reserve(&mut self, mut lanes: Vec<(AccountId, u128)>, answer: &impl Fn(Input)) {
        let forgotten: Vec<_> =
            lanes.iter().map(|(payee, _)| self.forgotten.remove(payee)).collect();
        let Some((pool, promises)) = &self.paying else { return };
        let pool = *pool;
        for ((payee, amount), forgotten) in lanes.iter_mut().zip(forgotten) {
            if forgotten {
                // What is left in its lane is used up before more is set aside.
                let lane = self.lane(pool, *payee).await.ok().flatten().filter(|lane| lane.open);
                let room = lane.map_or(0, |lane| {
                    let used = lane.redeemed.max(promises.of_lane(*payee, lane.epoch));
                    lane.reserve.saturating_sub(used)
                });
                *amount = amount.saturating_sub(room);
            }
        }
        // A till asks once for a payee until it is answered.
        lanes.sort();
        let more: Vec<_> = lanes.iter().copied().filter(|(_, amount)| *amount > 0).collect();
        let done = if more.is_empty() {
            Ok(())
        } else {
            self.act(paypool::Action::Reserve { pool, lanes: more }).await
        };
        if let Err(error) = &done {
            tracing::warn!("no units could be set aside: {error}");
        }
        for (payee, _) in lanes {
            let lane = match &done {
                Ok(()) => self.lane(pool, payee).await.ok().flatten(),
                Err(_) => None,
            };
            let lane = lane.filter(|lane| lane.open).map(|lane| Reserved {
                epoch: lane.epoch,
                reserve: lane.reserve,
                used: lane.redeemed.max(promises.of_lane(payee, lane.epoch)),
            });
            answer(Input::Reserved { payee, lane });
        }
    }

    async fn claim(&self, vouchers: Vec<(PeerId, Voucher)>, answer: &impl Fn(Input)) {
        let batch = vouchers.iter().map(|(_, voucher)| voucher.clone()).collect();
        if let Err(error) = self.act(paypool::Action::Claim { vouchers: batch }).await {
            tracing::warn!("what was earned could not be claimed: {error}");
        }
        // Somebody else may have claimed it, or the receipt came too late.
        for (peer, voucher) in vouchers {
            let lane = self.lane(voucher.pool, voucher.payee).await.ok().flatten();
            let redeemed = lane.filter(|lane| lane.epoch == voucher.epoch);
            answer(Input::Claimed { peer, redeemed: redeemed.map(|lane| lane.redeemed) });
        }
    }

    /// Sends an action and waits until it is final.
    async fn act(&self, action: paypool::Action) -> Result<(), ClientError> {
        let id = self.send(action).await?;
        self.client.done(id, FINAL_WITHIN).await.map(drop)
    }

    async fn send(&self, action: paypool::Action) -> Result<TransactionId, ClientError> {
        let waits = Waits { fee_max: Some(FEE_MAX), ..Waits::default() };
        self.client.act_as(&self.key, Action::Paypool(action), waits).await
    }

    /// A lane of this account, with what a payee counts on.
    async fn proof(&self, lane: wire::pay::Lane) -> Result<Option<LaneProof>, ClientError> {
        let Some(pool) = self.pool(lane.pool).await? else { return Ok(None) };
        let (pool, now_s) = pool;
        let found = self.lane(lane.pool, self.account()).await?;
        let found = found.filter(|found| found.open && found.epoch == lane.epoch);
        Ok(found.map(|found| LaneProof {
            signer: pool.signer,
            asset: pool.asset,
            reserve: found.reserve,
            redeemed: found.redeemed,
            epoch: found.epoch,
            left_s: match pool.closing_s {
                Some(_) => 0,
                None => pool.expiry_s.saturating_sub(now_s),
            },
        }))
    }

    /// A pool, proved, and the time of the block it is of.
    async fn pool(&self, pool: u64) -> Result<Option<(Pool, u64)>, ClientError> {
        let (pool, now_s) = self.client.proved(&self.follower, &pool_key(pool)).await?;
        Ok(pool.map(|pool| (pool, now_s)))
    }

    /// A lane, proved.
    async fn lane(&self, pool: u64, payee: AccountId) -> Result<Option<Lane>, ClientError> {
        let (lane, _) = self.client.proved(&self.follower, &lane_key(pool, payee)).await?;
        Ok(lane)
    }
}
