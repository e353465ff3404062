//! Paying many people out of one pool: units are set aside for exactly what is signed, and handed in for them.

use std::path::Path;

use ledger::{
    AccountId, ChainId,
    domains::paypool::{self, BATCH_MAX, LANES_MAX, Lane, Voucher},
};
use peer_native::payments::Promised;
use primitives::KeyPair;

use super::{Closed, Options, Pay, Promises, Purse, PurseError, Source, pool};
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
    /// Units that may be drawn beside these.
    pub(crate) drawable: u128,
    /// Most units that paying one person costs, fees of both transactions.
    pub(crate) cost: u128,
}

/// Whether the pool can pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// It can, and so many units of it are free.
    Open(u128),
    /// Its owner asked for the rest.
    Closing,
    /// It has ended, or somebody is owed something for whom it has no lane left.
    Over,
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
    /// Finds or opens a pool that holds what may be spent, or a part of it where the rest is drawn from `source`. One
    /// that is there is filled up to that if `refills`, and goes on with what is left in it otherwise.
    pub(crate) async fn pot(
        options: Options,
        pay: &Pay,
        refills: bool,
        source: Option<Source>,
    ) -> Result<(Self, Pot), PurseError> {
        let Options { node, root, key, .. } = options;
        let mut purse = Self::meet(&node, root, key).await?;
        let chain = purse.chain;
        // Before another pool takes the place of the one in which it was promised.
        if let Some((number, promises)) = Promises::last(&pay.data, chain).await? {
            purse.hand_in_again(number, &pool::signer(&pay.data)?, &promises).await?;
        }
        let again = if refills { pool::Again::Filled } else { pool::Again::AsItIs };
        let ((number, signer), drawable) = match source {
            Some(source) => purse.find_or_draw(source, pay).await?,
            None => (pool::find_or_open(&purse, pay, again).await?, 0),
        };
        let promises = Promises::of(&pay.data, chain, number).await?;
        purse.paying = Some((number, promises));
        let free = purse.pool(number).await?.map_or(0, |(pool, _)| pool.free);
        let cost = purse.claim_cost().await?.saturating_mul(2);
        Ok((purse, Pot { chain, pool: number, signer, free, drawable, cost }))
    }

    /// Asks for what is left in the pool that a folder remembers, and gives back what was not drawn from `source`.
    ///
    /// # Errors
    /// See [`PurseError`].
    pub async fn close(
        options: Options,
        data: &Path,
        source: Option<u64>,
    ) -> Result<Closed, PurseError> {
        let Options { node, root, key, .. } = options;
        let purse = Self::meet(&node, root, key).await?;
        if let Some(source) = source {
            purse.let_go(source).await?;
        }
        pool::close(&purse, data).await
    }

    /// Keeps the pool alive; whether it can pay.
    pub(crate) async fn prolong(&self) -> Result<Outlook, ClientError> {
        let Some((number, _)) = &self.paying else { return Ok(Outlook::Closing) };
        match self.pool(*number).await? {
            Some((pool, now_s)) if pool.is_open(now_s) => {
                pool::prolong(self, *number, &pool, now_s).await?;
                Ok(if self.is_full { Outlook::Over } else { Outlook::Open(pool.free) })
            }
            Some((pool, _)) if pool.closing_s.is_some() => Ok(Outlook::Closing),
            _ => Ok(Outlook::Over),
        }
    }

    /// Opens another pool, with so many units or as many as there are; its number, and what is in it. What was promised
    /// of the one before must be handed in.
    pub(crate) async fn replace(
        &mut self,
        data: &Path,
        signer: &KeyPair,
        wanted: u128,
    ) -> Result<(u64, u128), PurseError> {
        let before = self.paying.as_ref().map_or(0, |(number, _)| *number);
        let units = self.units().await?;
        // Fees of what is paid come on top.
        let deposit = wanted.min(units.saturating_sub(self.fees().await?));
        if deposit == 0 {
            return Err(PurseError::Short { units, wanted });
        }
        let number = pool::replace(self, data, before, deposit, signer).await?;
        self.paying = Some((number, Promises::of(data, self.chain, number).await?));
        self.is_full = false;
        let free = self.pool(number).await?.map_or(0, |(pool, _)| pool.free);
        Ok((number, free))
    }

    /// Takes back what is left in pools that were used before and whose time is over.
    pub(crate) async fn give_back(&self, data: &Path) -> Result<(), PurseError> {
        pool::give_back(self, data).await
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
    async fn set_aside(&mut self, due: &[(AccountId, u128)]) -> Result<(), ClientError> {
        let Some((number, promises)) = &self.paying else { return Ok(()) };
        let number = *number;
        let open = self.pool(number).await?.filter(|(pool, now_s)| pool.is_open(*now_s));
        let Some((pool, _)) = open else {
            tracing::warn!("pool {number} is closing: nothing more is set aside in it");
            return Ok(());
        };
        let (mut free, mut places) = (pool.free, LANES_MAX.saturating_sub(pool.payees));
        let (mut lanes, mut is_full) = (Vec::new(), false);
        for (payee, units) in due {
            let lane = self.lane(number, *payee).await?;
            let open = lane.filter(|lane| lane.open);
            let room =
                open.map_or(0, |lane| lane.reserve.saturating_sub(used(promises, *payee, &lane)));
            let lacking = units.saturating_sub(room).min(free);
            if lane.is_none() && places == 0 {
                is_full = true;
                continue;
            }
            if lacking == 0 {
                continue;
            }
            places -= u32::from(lane.is_none());
            free -= lacking;
            lanes.push((*payee, lacking));
        }
        self.is_full = is_full;
        if lanes.is_empty() {
            return Ok(());
        }
        self.act(paypool::Action::Reserve { pool: number, lanes }).await
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
