//! Giving back.

use super::{
    CHALLENGE_S, Error,
    execute::emit,
    state::{LANES, PAYEES, POOLS, lane, own, pool, vault, write_lane, write_pool},
};
use crate::{AccountId, BlockContext, Overlay, domains::accounts};

/// The payee gives the rest of its lane back.
pub(super) fn release(
    signer: AccountId,
    id: u64,
    epoch: u32,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut pool = pool(state, id).ok_or(Error::NoPool)?;
    let lane = lane(state, id, signer).filter(|lane| lane.open && lane.epoch == epoch);
    let mut lane = lane.ok_or(Error::NoLane)?;
    let freed = lane.reserve - lane.redeemed;
    lane.open = false;
    pool.open_lanes -= 1;
    let sums = "a pool's reserve is the sum of its lanes', and all of it was locked";
    pool.reserved = pool.reserved.checked_sub(freed).expect(sums);
    pool.free = pool.free.checked_add(freed).expect(sums);
    write_lane(state, id, signer, &lane);
    write_pool(state, id, &pool);
    emit(state, 5, &[pool.payer, signer], &[id.into(), freed]);
    Ok(())
}

/// The payer asks for the rest; payees have a day.
pub(super) fn start(
    context: &BlockContext,
    signer: AccountId,
    id: u64,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut pool = own(state, signer, id)?;
    if pool.closing_s.is_some() {
        return Err(Error::Closed);
    }
    let closing_s = context.now_s().saturating_add(CHALLENGE_S);
    pool.closing_s = Some(closing_s);
    write_pool(state, id, &pool);
    emit(state, 6, &[signer], &[id.into(), closing_s.into()]);
    Ok(())
}

/// Returns the rest to the payer and forgets the pool.
pub(super) fn finish(
    context: &BlockContext,
    signer: AccountId,
    id: u64,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let pool = pool(state, id).ok_or(Error::NoPool)?;
    let nobody_waits = pool.open_lanes == 0 && signer == pool.payer;
    if context.now_s() < pool.ends_s() && !nobody_waits {
        return Err(Error::TooEarly);
    }
    let rest = pool.free.checked_add(pool.reserved).expect("all of it was locked");
    accounts::send(state, pool.asset, vault(), pool.payer, rest)?;
    let number = id.to_be_bytes();
    for index in 0..pool.payees {
        let index = index.to_be_bytes();
        let payee = PAYEES.get(state, &[&number, &index]);
        let payee = payee.expect("every payee below the count has a record");
        LANES.remove(state, &[&number, payee.as_bytes()]);
        PAYEES.remove(state, &[&number, &index]);
    }
    POOLS.remove(state, &[&number]);
    emit(state, 7, &[pool.payer], &[id.into(), rest]);
    Ok(())
}
