//! Paying many people out of one pool: units are set aside for exactly what is signed, and handed in for them.

use std::path::Path;

use ledger::{
    AccountId, ChainId,
    domains::paypool::{self, LANES_MAX, Lane, Voucher},
};
use peer_native::payments::Promised;
use primitives::KeyPair;

use super::{Closed, Options, Pay, Promises, Purse, PurseError, pool};
use crate::ledger_client::ClientError;

/// A pool that pays whoever is owed something.
pub(crate) struct Pot {
    /// The ledger.
    pub(crate) chain: ChainId,
    /// The pool's number.
    pub(crate) pool: u64,
    /// Who signs its vouchers.
    pub(crate) signer: KeyPair,
    /// Units that nobody was promised.
    pub(crate) free: u128,
    /// Most units that paying one person costs, fees of both transactions.
    pub(crate) cost: u128,
}

impl Purse {
    /// Finds or opens a pool that holds what may be spent.
    pub(crate) async fn pot(options: Options, pay: &Pay) -> Result<(Self, Pot), PurseError> {
        let Options { node, root, key, .. } = options;
        let mut purse = Self::meet(&node, root, key).await?;
        let chain = purse.chain;
        let (number, signer) = pool::find_or_open(&purse, pay).await?;
        purse.paying = Some((number, Promises::of(&pay.data, chain, number).await?));
        let free = purse.pool(number).await?.map_or(0, |(pool, _)| pool.free);
        let cost = purse.claim_cost().await?.saturating_mul(2);
        Ok((purse, Pot { chain, pool: number, signer, free, cost }))
    }

    /// Asks for what is left in the pool that a folder remembers.
    ///
    /// # Errors
    /// See [`PurseError`].
    pub async fn close(options: Options, data: &Path) -> Result<Closed, PurseError> {
        let Options { node, root, key, .. } = options;
        pool::close(&Self::meet(&node, root, key).await?, data).await
    }

    /// Keeps the pool alive.
    pub(crate) async fn prolong(&self) -> Result<(), ClientError> {
        let Some((number, _)) = &self.paying else { return Ok(()) };
        match self.pool(*number).await? {
            Some((pool, now_s)) => pool::prolong(self, *number, &pool, now_s).await,
            None => Ok(()),
        }
    }

    /// Sets units aside and signs for each payee, in ascending order; the vouchers, and how many units more each is. Who
    /// finds no room in the pool is left out.
    pub(crate) async fn sign_for(
        &mut self,
        signer: &KeyPair,
        due: &[(AccountId, u128)],
    ) -> Result<Vec<(Voucher, u128)>, ClientError> {
        self.set_aside(due).await?;
        let Some((number, promises)) = &self.paying else { return Ok(Vec::new()) };
        let mut signed = Vec::new();
        for (payee, units) in due {
            let Some(lane) = self.open_lane(*number, *payee).await? else { continue };
            let used = used(promises, *payee, &lane);
            let cumulative = used.saturating_add(*units).min(lane.reserve);
            if cumulative > used {
                let (chain, epoch) = (self.chain, lane.epoch);
                let voucher = Voucher::sign(signer, chain, *number, *payee, epoch, cumulative);
                signed.push((voucher, cumulative - used));
            }
        }
        // Written down before anybody is told.
        if let Some((_, promises)) = &mut self.paying {
            for (Voucher { payee, epoch, cumulative, .. }, _) in &signed {
                let (payee, epoch, cumulative) = (*payee, *epoch, *cumulative);
                promises.note(Promised { payee, epoch, cumulative });
            }
            promises.write().await;
        }
        Ok(signed)
    }

    /// Sets aside what lanes lack for what is due, as far as the pool has units and lanes left.
    async fn set_aside(&self, due: &[(AccountId, u128)]) -> Result<(), ClientError> {
        let Some((number, promises)) = &self.paying else { return Ok(()) };
        let Some((pool, _)) = self.pool(*number).await? else { return Ok(()) };
        let (mut free, mut places) = (pool.free, LANES_MAX.saturating_sub(pool.payees));
        let mut lanes = Vec::new();
        for (payee, units) in due {
            let lane = self.lane(*number, *payee).await?;
            let open = lane.filter(|lane| lane.open);
            let room =
                open.map_or(0, |lane| lane.reserve.saturating_sub(used(promises, *payee, &lane)));
            let lacking = units.saturating_sub(room).min(free);
            if lacking == 0 || (lane.is_none() && places == 0) {
                continue;
            }
            places -= u32::from(lane.is_none());
            free -= lacking;
            lanes.push((*payee, lacking));
        }
        if lanes.is_empty() {
            return Ok(());
        }
        self.act(paypool::Action::Reserve { pool: *number, lanes }).await
    }

    /// Hands vouchers in for their payees; how much of each lane is paid now, whoever did it.
    pub(crate) async fn hand_in(
        &self,
        vouchers: Vec<Voucher>,
    ) -> Result<Vec<(AccountId, u32, u128)>, ClientError> {
        let lanes: Vec<_> = vouchers.iter().map(|one| (one.pool, one.payee)).collect();
        let done = self.act(paypool::Action::Claim { vouchers }).await;
        let mut paid = Vec::new();
        for (pool, payee) in lanes {
            let lane = self.lane(pool, payee).await?;
            paid.extend(lane.map(|lane| (payee, lane.epoch, lane.redeemed)));
        }
        if let Err(error) = done {
            tracing::warn!("what viewers earned could not be handed in: {error}");
        }
        Ok(paid)
    }

    async fn open_lane(&self, pool: u64, payee: AccountId) -> Result<Option<Lane>, ClientError> {
        Ok(self.lane(pool, payee).await?.filter(|lane| lane.open))
    }
}

/// Units of a lane that were paid or promised.
fn used(promises: &Promises, payee: AccountId, lane: &Lane) -> u128 {
    lane.redeemed.max(promises.of_lane(payee, lane.epoch))
}
