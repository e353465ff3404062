//! What the keys of markets' records begin with: for whoever lists them outside of actions.

use super::state::{MARKETS, POSITIONS, RESERVES};
use crate::{AccountId, Key};

/// What the keys of all markets begin with.
pub fn markets_prefix() -> Key {
    MARKETS.key(&[])
}

/// What the keys of a market's reserves begin with.
pub fn reserves_prefix(market: u32) -> Key {
    RESERVES.key(&[&market.to_be_bytes()])
}

/// What the keys of a market's positions begin with.
pub fn positions_prefix(market: u32) -> Key {
    POSITIONS.key(&[&market.to_be_bytes()])
}

/// Which market a key is of; none: it is of something else.
pub fn market_of(key: &Key) -> Option<u32> {
    MARKETS.id_of(key)?.try_into().ok().map(u32::from_be_bytes)
}

/// In which market a key is a position, and whose; none: it is something else.
pub fn position_of(key: &Key) -> Option<(u32, AccountId)> {
    let (market, account) = POSITIONS.id_of(key)?.split_first_chunk::<4>()?;
    let account = account.try_into().ok()?;
    Some((u32::from_be_bytes(*market), AccountId::new(account)))
}
