//! Units that appear, move and vanish: the only functions that change a balance.

use super::{
    Error,
    state::{Balance, SUPPLIES, read_balance, write_balance},
};
use crate::{AccountId, AssetId, Overlay, Store};

/// Units of an asset that an account holds, frozen or not.
pub fn balance(store: &dyn Store, account: AccountId, asset: AssetId) -> u128 {
    read_balance(store, account, asset).amount
}

/// Units that an account may send.
pub fn spendable(store: &dyn Store, account: AccountId, asset: AssetId) -> u128 {
    let Balance { amount, frozen } = read_balance(store, account, asset);
    if frozen { 0 } else { amount }
}

/// Units of an asset that exist.
pub fn supply(store: &dyn Store, asset: AssetId) -> u128 {
    SUPPLIES.get(store, &[&asset.0.to_be_bytes()]).unwrap_or_default()
}

/// Moves units. Nothing moves nowhere and is no error: fees may be zero.
pub fn send(
    state: &mut Overlay<'_>,
    asset: AssetId,
    from: AccountId,
    to: AccountId,
    amount: u128,
) -> Result<(), Error> {
    let mut sender = read_balance(state, from, asset);
    if sender.frozen || read_balance(state, to, asset).frozen {
        return Err(Error::Frozen);
    }
    sender.amount = sender.amount.checked_sub(amount).ok_or(Error::InsufficientBalance)?;
    write_balance(state, from, asset, sender);
    // Read after the sender's was written: they may be one account.
    let mut receiver = read_balance(state, to, asset);
    receiver.amount = receiver.amount.checked_add(amount).ok_or(Error::SupplyOverflow)?;
    write_balance(state, to, asset, receiver);
    Ok(())
}

/// Makes units.
pub fn mint(
    state: &mut Overlay<'_>,
    asset: AssetId,
    to: AccountId,
    amount: u128,
) -> Result<(), Error> {
    let mut receiver = read_balance(state, to, asset);
    if receiver.frozen {
        return Err(Error::Frozen);
    }
    let total = supply(state, asset).checked_add(amount).ok_or(Error::SupplyOverflow)?;
    receiver.amount = receiver.amount.checked_add(amount).ok_or(Error::SupplyOverflow)?;
    write_supply(state, asset, total);
    write_balance(state, to, asset, receiver);
    Ok(())
}

/// Destroys units.
pub fn burn(
    state: &mut Overlay<'_>,
    asset: AssetId,
    from: AccountId,
    amount: u128,
) -> Result<(), Error> {
    let mut holder = read_balance(state, from, asset);
    if holder.frozen {
        return Err(Error::Frozen);
    }
    holder.amount = holder.amount.checked_sub(amount).ok_or(Error::InsufficientBalance)?;
    let total = supply(state, asset).checked_sub(amount).ok_or(Error::InsufficientBalance)?;
    write_balance(state, from, asset, holder);
    write_supply(state, asset, total);
    Ok(())
}

/// Freezes or thaws what an account holds of an asset. Whether that is allowed is for `assets`.
pub fn set_frozen(state: &mut Overlay<'_>, account: AccountId, asset: AssetId, frozen: bool) {
    let held = read_balance(state, account, asset);
    write_balance(state, account, asset, Balance { frozen, ..held });
}

fn write_supply(state: &mut Overlay<'_>, asset: AssetId, total: u128) {
    let id = asset.0.to_be_bytes();
    if total == 0 {
        SUPPLIES.remove(state, &[&id]);
    } else {
        SUPPLIES.put(state, &[&id], &total);
    }
}
