//! Paying many people out of one pool: units are set aside for exactly what is signed, and handed in for them.

use std::path::Path;

use ledger::{
    AccountId, ChainId,
    domains::paypool::{self, BATCH_MAX, LANES_MAX, Lane, Voucher},
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

/// What became of vouchers that were handed in.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// Lanes, by payee and epoch, and how much of each is paid now, whoever did it.
    pub(crate) paid: Vec<(AccountId, u32, u128)>,
    /// Lanes that their payees gave back.
    pub(crate) given_back: Vec<(AccountId, u32)>,
}

impl Purse {
    /// Finds or opens a pool that holds what may be spent.
    pub(crate) async fn pot(options: Options, pay: &Pay) -> Result<(Self, Pot), PurseError> {
        let Options { node, root, key, .. } = options;
        let mut purse = Self::meet(&node, root, key).await?;
        let chain = purse.chain;
        let (number, signer) = pool::find_or_open(&purse, pay).await?;
        let promises = Promises::of(&pay.data, chain, number).await?;
        purse.hand_in_again(number, &signer, &promises).await?;
        purse.paying = Some((number, promises));
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
            Some((pool, now_s)) if pool.is_open(now_s) => {
                pool::prolong(self, *number, &pool, now_s).await
            }
            _ => Ok(()),
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
        let open = self.pool(*number).await?.filter(|(pool, now_s)| pool.is_open(*now_s));
        let Some((pool, _)) = open else {
            tracing::warn!("pool {number} is closing: nothing more is set aside in it");
            return Ok(());
        };
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

    /// Hands vouchers in for their payees. A lane that was given back pays nothing, and trying costs a fee: none of its
    /// vouchers goes out.
    pub(crate) async fn hand_in(&self, vouchers: Vec<Voucher>) -> Result<Handed, ClientError> {
        let (mut live, mut handed) = (Vec::new(), Handed::default());
        for voucher in vouchers {
            let (payee, epoch) = (voucher.payee, voucher.epoch);
            match self.open_lane(voucher.pool, payee).await? {
                Some(lane) if lane.epoch != epoch => handed.given_back.push((payee, epoch)),
                None => handed.given_back.push((payee, epoch)),
                Some(lane) if lane.redeemed < voucher.cumulative => live.push(voucher),
                Some(lane) => handed.paid.push((payee, epoch, lane.redeemed)),
            }
        }
        if live.is_empty() {
            return Ok(handed);
        }
        let lanes: Vec<_> = live.iter().map(|one| (one.pool, one.payee)).collect();
        let done = self.act(paypool::Action::Claim { vouchers: live }).await;
        for (pool, payee) in lanes {
            let lane = self.lane(pool, payee).await?;
            handed.paid.extend(lane.map(|lane| (payee, lane.epoch, lane.redeemed)));
        }
        if let Err(error) = done {
            tracing::warn!("what viewers earned could not be handed in: {error}");
        }
        Ok(handed)
    }

    /// Hands in what an earlier process promised and could not: signed again, it is the same voucher.
    async fn hand_in_again(
        &self,
        pool: u64,
        signer: &KeyPair,
        promises: &Promises,
    ) -> Result<(), ClientError> {
        let sign = |Promised { payee, epoch, cumulative }| {
            Voucher::sign(signer, self.chain, pool, payee, epoch, cumulative)
        };
        let vouchers: Vec<Voucher> = promises.all().map(sign).collect();
        for batch in vouchers.chunks(BATCH_MAX) {
            self.hand_in(batch.to_vec()).await?;
        }
        Ok(())
    }

    async fn open_lane(&self, pool: u64, payee: AccountId) -> Result<Option<Lane>, ClientError> {
        Ok(self.lane(pool, payee).await?.filter(|lane| lane.open))
    }
}

/// Units of a lane that were paid or promised.
fn used(promises: &Promises, payee: AccountId, lane: &Lane) -> u128 {
    lane.redeemed.max(promises.of_lane(payee, lane.epoch))
}
