//! The pool that a person pays from: opened once, filled when it is used again and that is wanted, replaced when it can
//! pay nobody new, given back when it has ended.

use std::path::Path;

use ledger::{
    AssetId, ChainId, TransactionId,
    domains::paypool::{self, Pool},
};
use primitives::KeyPair;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FINAL_WITHIN, Pay, Purse, PurseError, state};
use crate::{key_file, ledger_client::ClientError};

/// How long a pool lives; used again with less than [`LEFT_LEAST_S`] left, it lives so long from then.
const TTL_S: u64 = 7 * 86_400;
/// A pool with less life is extended.
const LEFT_LEAST_S: u64 = 86_400;
/// The key of vouchers, in the data folder: the account's own signs nothing while bytes come.
const SIGNER: &str = "voucher.key";
/// Which pools there are.
const REMEMBERED: &str = "pool.json";
/// Most pools remembered that were used before; the oldest is forgotten, and anybody may end it.
const BEFORE_MAX: usize = 16;

/// What is written down of a person's pools on one ledger.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    /// Which ledger.
    chain: Option<ChainId>,
    /// The one that is used.
    pool: Option<u64>,
    /// The transaction that opens it, while nobody knows its number.
    opening: Option<TransactionId>,
    /// Those that were used before and whose deposits did not come back yet.
    before: Vec<u64>,
}

/// What is done with a pool that was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It is filled up to what may be spent.
    Filled,
    /// It goes on with what is left in it; one that has ended is followed by one with as much.
    AsItIs,
    /// It goes on with what is left in it; one that has ended is followed by one with what may be spent.
    Kept,
}

/// The key of a folder's vouchers.
pub(super) fn signer(data: &Path) -> Result<KeyPair, PurseError> {
    Ok(key_file::load_or_create(&data.join(SIGNER))?.key)
}

/// The number of a pool that holds what may be spent, and its voucher key.
pub(super) async fn find_or_open(
    purse: &Purse,
    pay: &Pay,
    again: Again,
) -> Result<(u64, KeyPair), PurseError> {
    let signer = signer(&pay.data)?;
    let path = pay.data.join(REMEMBERED);
    let mut known = Known::read(&path, purse.chain).await?;
    known.find(purse).await?;
    known.give_back(purse).await?;
    let mut deposit = pay.spend_max;
    if let Some(number) = known.pool {
        match purse.pool(number).await? {
            Some((pool, now_s)) if is_ours(&pool, purse, &signer) && pool.is_open(now_s) => {
                match again {
                    Again::Filled => fill(purse, pay, number, &pool, now_s).await?,
                    Again::AsItIs | Again::Kept => prolong(purse, number, &pool, now_s).await?,
                }
                known.write(&path).await?;
                return Ok((number, signer));
            }
            Some((pool, _)) => {
                if again == Again::AsItIs {
                    deposit = deposit.min(pool.free.saturating_add(pool.reserved));
                }
                known.before.push(number);
            }
            None => {}
        }
        known.pool = None;
    }
    if deposit == 0 && again != Again::Filled {
        return Err(PurseError::Empty);
    }
    let number = open(purse, &mut known, &path, deposit, &signer).await?;
    Ok((number, signer))
}

/// Opens another pool in place of one that can pay nobody new, and asks for what is left of that: it comes back a day
/// later, when [`give_back`] is called.
pub(super) async fn replace(
    purse: &Purse,
    data: &Path,
    before: u64,
    deposit: u128,
    signer: &KeyPair,
) -> Result<u64, PurseError> {
    let path = data.join(REMEMBERED);
    let mut known = Known::read(&path, purse.chain).await?;
    known.find(purse).await?;
    let found = known.pool.take().filter(|number| *number != before);
    if !known.before.contains(&before) {
        known.before.push(before);
    }
    let number = match found {
        // An earlier try opened it and did not hear so.
        Some(number) => {
            known.pool = Some(number);
            known.write(&path).await?;
            number
        }
        None => open(purse, &mut known, &path, deposit, signer).await?,
    };
    if let Some((pool, now_s)) = purse.pool(before).await?
        && pool.is_open(now_s)
        && let Err(error) = purse.act(paypool::Action::CloseStart { pool: before }).await
    {
        // It ends by itself when its time is over.
        tracing::warn!("what is left in pool {before} could not be asked for: {error}");
    }
    Ok(number)
}

/// Ends pools that were used before and whose time is over.
pub(super) async fn give_back(purse: &Purse, data: &Path) -> Result<(), PurseError> {
    let path = data.join(REMEMBERED);
    let mut known = Known::read(&path, purse.chain).await?;
    if known.before.is_empty() {
        return Ok(());
    }
    known.give_back(purse).await?;
    known.write(&path).await
}

/// Opens a pool, and remembers it.
async fn open(
    purse: &Purse,
    known: &mut Known,
    path: &Path,
    deposit: u128,
    signer: &KeyPair,
) -> Result<u64, PurseError> {
    check_funds(purse, deposit).await?;
    let open = paypool::Action::Open {
        asset: AssetId::NATIVE,
        deposit,
        ttl_s: TTL_S,
        signer: signer.id(),
    };
    let id = purse.send(open).await?;
    known.opening = Some(id);
    known.write(path).await?;
    let receipt = purse.client.done(id, FINAL_WITHIN).await?;
    let number = number_of(&receipt).ok_or_else(|| ClientError::Form("a receipt".to_owned()))?;
    (known.pool, known.opening) = (Some(number), None);
    known.write(path).await?;
    Ok(number)
}

fn is_ours(pool: &Pool, purse: &Purse, signer: &KeyPair) -> bool {
    pool.payer == purse.account() && pool.signer == signer.id() && pool.asset == AssetId::NATIVE
}

/// The pool that a receipt says was opened.
fn number_of(receipt: &Value) -> Option<u64> {
    let events = receipt["events"].as_array().into_iter().flatten();
    let mut numbers = events.filter_map(|event| event["numbers"][0].as_str());
    numbers.find_map(|number| number.parse().ok())
}

/// What became of closing a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// There is none.
    Nothing,
    /// Its payees have time to hand in what they were promised.
    Waits {
        /// Its number.
        pool: u64,
        /// Units that come back, but for what they hand in.
        units: u128,
        /// From when on, in seconds since 1970-01-01 UTC.
        ends_s: u64,
    },
    /// It is gone.
    Returned {
        /// Its number.
        pool: u64,
        /// Units that came back.
        units: u128,
    },
}

/// Asks for what is left in the pool that a folder remembers, or takes it if nobody has to be waited for.
pub(super) async fn close(purse: &Purse, data: &Path) -> Result<Closed, PurseError> {
    let path = data.join(REMEMBERED);
    let mut known = Known::read(&path, purse.chain).await?;
    known.find(purse).await?;
    known.give_back(purse).await?;
    let Some(number) = known.pool else {
        known.write(&path).await?;
        return Ok(Closed::Nothing);
    };
    let Some((pool, now_s)) = purse.pool(number).await? else {
        known.pool = None;
        known.write(&path).await?;
        return Ok(Closed::Nothing);
    };
    let units = pool.free.saturating_add(pool.reserved);
    if pool.open_lanes == 0 || now_s >= pool.ends_s() {
        purse.act(paypool::Action::CloseFinish { pool: number }).await?;
        known.pool = None;
        known.write(&path).await?;
        return Ok(Closed::Returned { pool: number, units });
    }
    if pool.closing_s.is_none() {
        purse.act(paypool::Action::CloseStart { pool: number }).await?;
    }
    let ends_s = purse.pool(number).await?.map_or(now_s, |(pool, _)| pool.ends_s());
    known.write(&path).await?;
    Ok(Closed::Waits { pool: number, units, ends_s })
}

impl Known {
    /// Nothing, if it is of another ledger or none.
    async fn read(path: &Path, chain: ChainId) -> Result<Self, PurseError> {
        let known: Self = state::read(path).await?;
        let chain = Some(chain);
        Ok(if known.chain == chain { known } else { Self { chain, ..Self::default() } })
    }

    async fn write(&mut self, path: &Path) -> Result<(), PurseError> {
        let over = self.before.len().saturating_sub(BEFORE_MAX);
        self.before.drain(..over);
        state::write(path, self).await
    }

    /// Whoever was interrupted finds its deposit by the receipt.
    async fn find(&mut self, purse: &Purse) -> Result<(), PurseError> {
        if let Some(id) = self.opening.take() {
            self.pool = purse.client.receipt(id).await?.as_ref().and_then(number_of).or(self.pool);
        }
        Ok(())
    }

    /// Ends pools whose time is over: what nobody claimed comes back.
    async fn give_back(&mut self, purse: &Purse) -> Result<(), PurseError> {
        let mut left = Vec::new();
        for number in std::mem::take(&mut self.before) {
            match purse.pool(number).await? {
                Some((pool, now_s)) if now_s >= pool.ends_s() => {
                    purse.act(paypool::Action::CloseFinish { pool: number }).await?;
                }
                Some(_) => left.push(number),
                None => {}
            }
        }
        self.before = left;
        Ok(())
    }
}

/// Makes what it holds enough, lanes of earlier sessions counted, and its life long enough.
async fn fill(
    purse: &Purse,
    pay: &Pay,
    number: u64,
    pool: &Pool,
    now_s: u64,
) -> Result<(), PurseError> {
    let lacking = pay.spend_max.saturating_sub(pool.free.saturating_add(pool.reserved));
    if lacking > 0 {
        check_funds(purse, lacking).await?;
        purse.act(paypool::Action::TopUp { pool: number, amount: lacking }).await?;
    }
    prolong(purse, number, pool, now_s).await?;
    Ok(())
}

/// Makes its life long enough.
pub(super) async fn prolong(
    purse: &Purse,
    number: u64,
    pool: &Pool,
    now_s: u64,
) -> Result<(), ClientError> {
    if pool.expiry_s.saturating_sub(now_s) < LEFT_LEAST_S {
        purse.act(paypool::Action::Extend { pool: number, ttl_s: TTL_S }).await?;
    }
    Ok(())
}

async fn check_funds(purse: &Purse, wanted: u128) -> Result<(), PurseError> {
    let units = purse.client.holding(purse.account()).await?.units;
    let units = units.parse().unwrap_or(0);
    if units > wanted { Ok(()) } else { Err(PurseError::Short { units, wanted }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_damaged_file_is_an_error_and_none_is_no_pool() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(REMEMBERED);
        let (chain, other) = (ChainId::new([1; 32]), ChainId::new([2; 32]));
        let mut known = Known::read(&path, chain).await.unwrap();
        assert_eq!((known.chain, known.pool), (Some(chain), None));
        known.pool = Some(7);
        known.write(&path).await.unwrap();
        assert_eq!(Known::read(&path, chain).await.unwrap().pool, Some(7));
        assert_eq!(Known::read(&path, other).await.unwrap().pool, None);

        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in ["", "{}", &text[..text.len() - 1], text.replace('7', "-7").as_str()] {
            std::fs::write(&path, damaged).unwrap();
            let read = Known::read(&path, chain).await;
            assert!(matches!(read, Err(PurseError::Damaged { .. })), "{damaged}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(Known::read(&path, chain).await, Err(PurseError::Io { .. })));
    }

    #[test]
    fn what_was_written_before_is_read() {
        let (chain, opening) = (ChainId::new([1; 32]), TransactionId::new([2; 32]));
        let text =
            format!(r#"{{"before":[1,2],"chain":"{chain}","opening":"{opening}","pool":null}}"#);
        let known: Known = serde_json::from_str(&text).unwrap();
        assert_eq!((known.chain, known.opening), (Some(chain), Some(opening)));
        assert_eq!((known.pool, known.before), (None, vec![1, 2]));
    }
}
