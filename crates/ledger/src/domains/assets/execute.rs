//! What assets do.

use super::{
    Action, Asset, Error, asset as find, laws,
    state::{self, ASSETS, COUNT},
};
use crate::{
    AccountId, AssetId, BlockContext, Key, Overlay, Prefix, Scan,
    domains::{Broken, Domain, accounts},
    limits::{DECIMALS_MAX, SYMBOL_BYTES_MAX},
};

/// The domain.
#[derive(Debug)]
pub struct Assets;

impl Domain for Assets {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        match action {
            Action::Create { symbol, decimals, .. } => check_name(symbol, *decimals),
            Action::Issue { amount: 0, .. } | Action::Burn { amount: 0, .. } => {
                Err(Error::NothingToIssue)
            }
            Action::Issue { .. }
            | Action::Burn { .. }
            | Action::Freeze { .. }
            | Action::Renounce { .. } => Ok(()),
        }
    }

    fn work(_: &Action) -> u32 {
        4
    }

    fn execute(
        _: &BlockContext,
        signer: AccountId,
        action: &Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Error> {
        Self::check(action)?;
        match action {
            Action::Create { symbol, decimals, supply_max, freezable } => {
                let symbol = symbol.clone();
                let (decimals, supply_max, freezable) = (*decimals, *supply_max, *freezable);
                let closed = false;
                let issuer = signer;
                create(state, Asset { issuer, symbol, decimals, supply_max, freezable, closed })
            }
            Action::Issue { asset, to, amount } => issue(state, signer, *asset, *to, *amount),
            Action::Burn { asset, amount } => {
                find(state, *asset).ok_or(Error::NoAsset)?;
                accounts::burn(state, *asset, signer, *amount)?;
                emit(state, 2, &[signer], *asset, &[*amount]);
                Ok(())
            }
            Action::Freeze { asset, account, frozen } => {
                freeze(state, signer, *asset, *account, *frozen)
            }
            Action::Renounce { asset } => renounce(state, signer, *asset),
        }
    }

    /// Nothing waits for the end of a block here.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

fn check_name(symbol: &str, decimals: u8) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if symbol.is_empty() || symbol.len() > SYMBOL_BYTES_MAX || !symbol.bytes().all(allowed) {
        return Err(Error::BadSymbol);
    }
    if decimals > DECIMALS_MAX { Err(Error::BadDecimals) } else { Ok(()) }
}

fn create(state: &mut Overlay<'_>, asset: Asset) -> Result<(), Error> {
    // 0 is the ledger's own.
    let number = COUNT.get(state, &[]).unwrap_or_default();
    let number = number.checked_add(1).ok_or(Error::TooMany)?;
    COUNT.put(state, &[], &number);
    ASSETS.put(state, &[&number.to_be_bytes()], &asset);
    emit(state, 0, &[asset.issuer], AssetId(number), &[]);
    Ok(())
}

fn issue(
    state: &mut Overlay<'_>,
    signer: AccountId,
    id: AssetId,
    to: AccountId,
    amount: u128,
) -> Result<(), Error> {
    let asset = issued_by(state, signer, id)?;
    if asset.closed {
        return Err(Error::Closed);
    }
    let total = accounts::supply(state, id).checked_add(amount);
    let cap = asset.supply_max.unwrap_or(u128::MAX);
    if total.is_none_or(|total| total > cap) {
        return Err(Error::OverCap);
    }
    accounts::mint(state, id, to, amount)?;
    emit(state, 1, &[signer, to], id, &[amount]);
    Ok(())
}

fn freeze(
    state: &mut Overlay<'_>,
    signer: AccountId,
    id: AssetId,
    account: AccountId,
    frozen: bool,
) -> Result<(), Error> {
    if !issued_by(state, signer, id)?.freezable {
        return Err(Error::NotFreezable);
    }
    accounts::set_frozen(state, account, id, frozen);
    emit(state, 3, &[signer, account], id, &[frozen.into()]);
    Ok(())
}

fn renounce(state: &mut Overlay<'_>, signer: AccountId, id: AssetId) -> Result<(), Error> {
    let mut asset = issued_by(state, signer, id)?;
    if asset.closed {
        return Err(Error::Closed);
    }
    asset.closed = true;
    ASSETS.put(state, &[&id.0.to_be_bytes()], &asset);
    emit(state, 4, &[signer], id, &[]);
    Ok(())
}

fn issued_by(state: &Overlay<'_>, signer: AccountId, id: AssetId) -> Result<Asset, Error> {
    let asset = find(state, id).ok_or(Error::NoAsset)?;
    if asset.issuer == signer { Ok(asset) } else { Err(Error::NotIssuer) }
}

fn emit(
    state: &mut Overlay<'_>,
    kind: u8,
    accounts: &[AccountId],
    asset: AssetId,
    numbers: &[u128],
) {
    let numbers = [&[u128::from(asset.0)], numbers].concat();
    state.emit(Prefix::Assets, kind, accounts, &numbers);
}
