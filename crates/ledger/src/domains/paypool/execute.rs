//! What pools do: opening, filling, reserving. Paying out is in `claim`, ending in `close`.

use super::{
    Action, BATCH_MAX, Error, LANES_MAX, Pool, TTL_MAX_S, TTL_MIN_S, claim, close, laws,
    state::{self, COUNT, PAYEES, lane, own, vault, write_lane, write_pool},
};
use crate::{
    AccountId, BlockContext, Key, Overlay, Prefix, Scan,
    domains::{Broken, Domain, accounts},
    limits::SIGNATURE_WORK,
};

/// The domain.
#[derive(Debug)]
pub struct Paypool;

impl Domain for Paypool {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        match action {
            Action::Open { deposit: 0, .. } | Action::TopUp { amount: 0, .. } => {
                Err(Error::NothingToLock)
            }
            Action::Open { ttl_s, .. } | Action::Extend { ttl_s, .. } => {
                let allowed = (TTL_MIN_S..=TTL_MAX_S).contains(ttl_s);
                if allowed { Ok(()) } else { Err(Error::BadTtl) }
            }
            Action::Reserve { lanes, .. } => check_lanes(lanes),
            Action::Claim { vouchers } => {
                let allowed = (1..=BATCH_MAX).contains(&vouchers.len());
                if allowed { Ok(()) } else { Err(Error::BadBatch) }
            }
            Action::TopUp { .. }
            | Action::Release { .. }
            | Action::CloseStart { .. }
            | Action::CloseFinish { .. } => Ok(()),
        }
    }

    fn work(action: &Action) -> u32 {
        let each = |count: usize, work: u32| {
            u32::try_from(count).map_or(u32::MAX, |count| count.saturating_mul(work))
        };
        match action {
            // Removing a lane when the pool closes is paid when it is made.
            Action::Reserve { lanes, .. } => each(lanes.len(), 4).saturating_add(2),
            Action::Claim { vouchers } => each(vouchers.len(), SIGNATURE_WORK + 4),
            Action::Open { .. }
            | Action::TopUp { .. }
            | Action::Extend { .. }
            | Action::Release { .. }
            | Action::CloseStart { .. }
            | Action::CloseFinish { .. } => 6,
        }
    }

    fn execute(
        context: &BlockContext,
        signer: AccountId,
        action: &Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Error> {
        Self::check(action)?;
        match action {
            Action::Open { asset, deposit, ttl_s, signer: key } => {
                let expiry_s = context.now_s().saturating_add(*ttl_s);
                let pool = Pool {
                    payer: signer,
                    asset: *asset,
                    signer: *key,
                    free: *deposit,
                    reserved: 0,
                    expiry_s,
                    closing_s: None,
                    payees: 0,
                    open_lanes: 0,
                };
                open(state, &pool)
            }
            Action::TopUp { pool, amount } => top_up(context, signer, *pool, *amount, state),
            Action::Extend { pool, ttl_s } => extend(context, signer, *pool, *ttl_s, state),
            Action::Reserve { pool, lanes } => reserve(context, signer, *pool, lanes, state),
            Action::Claim { vouchers } => claim::claim(context, vouchers, state),
            Action::Release { pool, epoch } => close::release(signer, *pool, *epoch, state),
            Action::CloseStart { pool } => close::start(context, signer, *pool, state),
            Action::CloseFinish { pool } => close::finish(context, signer, *pool, state),
        }
    }

    /// Nothing waits for the end of a block here: a pool that has ended is returned when asked for.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

fn check_lanes(lanes: &[(AccountId, u128)]) -> Result<(), Error> {
    let ascending = lanes.is_sorted_by(|(one, _), (next, _)| one < next);
    if !(1..=BATCH_MAX).contains(&lanes.len()) || !ascending {
        return Err(Error::BadBatch);
    }
    let some = lanes.iter().all(|(_, amount)| *amount > 0);
    if some { Ok(()) } else { Err(Error::NothingToLock) }
}

fn open(state: &mut Overlay<'_>, pool: &Pool) -> Result<(), Error> {
    // Numbers are never used twice: 2^64 pools do not happen.
    let id = COUNT.get(state, &[]).unwrap_or_default().saturating_add(1);
    accounts::send(state, pool.asset, pool.payer, vault(), pool.free)?;
    COUNT.put(state, &[], &id);
    write_pool(state, id, pool);
    emit(state, 0, &[pool.payer], &[id.into(), pool.asset.0.into(), pool.free]);
    Ok(())
}

fn top_up(
    context: &BlockContext,
    signer: AccountId,
    id: u64,
    amount: u128,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut pool = own(state, signer, id)?;
    if !pool.is_open(context.now_s()) {
        return Err(Error::Closed);
    }
    accounts::send(state, pool.asset, signer, vault(), amount)?;
    pool.free = pool.free.checked_add(amount).ok_or(accounts::Error::SupplyOverflow)?;
    write_pool(state, id, &pool);
    emit(state, 1, &[signer], &[id.into(), amount]);
    Ok(())
}

fn extend(
    context: &BlockContext,
    signer: AccountId,
    id: u64,
    ttl_s: u64,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut pool = own(state, signer, id)?;
    if !pool.is_open(context.now_s()) {
        return Err(Error::Closed);
    }
    let expiry_s = context.now_s().saturating_add(ttl_s);
    if expiry_s <= pool.expiry_s {
        return Err(Error::NotLater);
    }
    pool.expiry_s = expiry_s;
    write_pool(state, id, &pool);
    emit(state, 2, &[signer], &[id.into(), expiry_s.into()]);
    Ok(())
}

fn reserve(
    context: &BlockContext,
    signer: AccountId,
    id: u64,
    lanes: &[(AccountId, u128)],
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut pool = own(state, signer, id)?;
    if !pool.is_open(context.now_s()) {
        return Err(Error::Closed);
    }
    for (payee, amount) in lanes {
        pool.free = pool.free.checked_sub(*amount).ok_or(Error::InsufficientFree)?;
        pool.reserved = pool.reserved.checked_add(*amount).ok_or(Error::InsufficientFree)?;
        let epoch = add_to_lane(state, id, &mut pool, *payee, *amount)?;
        emit(state, 3, &[signer, *payee], &[id.into(), *amount, epoch.into()]);
    }
    write_pool(state, id, &pool);
    Ok(())
}

/// Adds to the payee's lane, or opens its next; tells which.
fn add_to_lane(
    state: &mut Overlay<'_>,
    id: u64,
    pool: &mut Pool,
    payee: AccountId,
    amount: u128,
) -> Result<u32, Error> {
    let mut record = match lane(state, id, payee) {
        Some(record) => record,
        None => {
            if pool.payees >= LANES_MAX {
                return Err(Error::TooManyLanes);
            }
            PAYEES.put(state, &[&id.to_be_bytes(), &pool.payees.to_be_bytes()], &payee);
            pool.payees += 1;
            super::Lane::default()
        }
    };
    if !record.open {
        record.epoch = record.epoch.checked_add(1).ok_or(Error::TooManyLanes)?;
        (record.reserve, record.redeemed, record.open) = (0, 0, true);
        pool.open_lanes += 1;
    }
    record.reserve = record.reserve.checked_add(amount).ok_or(Error::InsufficientFree)?;
    write_lane(state, id, payee, &record);
    Ok(record.epoch)
}

pub(super) fn emit(state: &mut Overlay<'_>, kind: u8, accounts: &[AccountId], numbers: &[u128]) {
    state.emit(Prefix::Paypool, kind, accounts, numbers);
}
