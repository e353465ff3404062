//! Paying what was promised.

use super::{
    Error, Voucher,
    execute::emit,
    state::{lane, pool, vault, write_lane, write_pool},
};
use crate::{BlockContext, Overlay, domains::accounts};

/// Pays every voucher. One that pays nothing is passed over, since somebody may have handed it in
/// before; if none pays, the first one's refusal stands. A bad signature refuses them all.
pub(super) fn claim(
    context: &BlockContext,
    vouchers: &[Voucher],
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut first_refusal = None;
    let mut paid = false;
    for voucher in vouchers {
        match pay(context, voucher, state) {
            Ok(()) => paid = true,
            Err(Error::NoPool | Error::NoLane | Error::NothingToPay) if paid => {}
            Err(refusal @ (Error::NoPool | Error::NoLane | Error::NothingToPay)) => {
                first_refusal.get_or_insert(refusal);
            }
            Err(refusal) => return Err(refusal),
        }
    }
    match first_refusal {
        Some(refusal) if !paid => Err(refusal),
        _ => Ok(()),
    }
}

/// Pays min(cumulative, reserve) - redeemed to the payee.
fn pay(context: &BlockContext, voucher: &Voucher, state: &mut Overlay<'_>) -> Result<(), Error> {
    let (id, payee) = (voucher.pool, voucher.payee);
    let mut pool = pool(state, id).ok_or(Error::NoPool)?;
    let lane = lane(state, id, payee).filter(|lane| lane.open && lane.epoch == voucher.epoch);
    let mut lane = lane.ok_or(Error::NoLane)?;
    voucher.verify(context.chain, pool.signer).map_err(|_| Error::BadVoucher)?;
    let due = voucher.cumulative.min(lane.reserve).checked_sub(lane.redeemed);
    let due = due.filter(|due| *due > 0).ok_or(Error::NothingToPay)?;
    accounts::send(state, pool.asset, vault(), payee, due)?;
    lane.redeemed += due;
    pool.reserved =
        pool.reserved.checked_sub(due).expect("a pool's reserve is the sum of its lanes'");
    write_lane(state, id, payee, &lane);
    write_pool(state, id, &pool);
    let numbers = [id.into(), due, lane.redeemed, lane.epoch.into()];
    emit(state, 4, &[pool.payer, payee], &numbers);
    Ok(())
}
