//! Records of markets.

use minicbor::{Decode, Encode};

use super::{Error, Reserve};
use crate::{AccountId, Key, Overlay, Prefix, Store, state::Table};

pub(super) const MARKETS: Table<Market> = Table::new(Prefix::Lending, 0);
pub(super) const RESERVES: Table<Reserve> = Table::new(Prefix::Lending, 1);
pub(super) const POSITIONS: Table<Position> = Table::new(Prefix::Lending, 2);
pub(super) const COUNT: Table<u32> = Table::new(Prefix::Lending, 3);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    [
        MARKETS.reads(key, record),
        RESERVES.reads(key, record),
        POSITIONS.reads(key, record),
        COUNT.reads(key, record),
    ]
    .into_iter()
    .flatten()
    .next()
}

/// A market: reserves that share risk with each other and with nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Market {
    /// Who opened it and may stop new business.
    #[n(0)]
    pub creator: AccountId,
    /// Who collects the protocol's share.
    #[n(1)]
    pub treasury: AccountId,
    /// Number of reserves.
    #[n(2)]
    pub reserves: u8,
}

/// What an account has in a market, reserves in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// One per reserve in which it has something.
    #[n(0)]
    pub entries: Vec<Entry>,
}

/// What an account has in a reserve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// 0-based position in the market.
    #[n(0)]
    pub reserve: u8,
    /// Claims, scaled.
    #[n(1)]
    pub supply_scaled: u128,
    /// Debts, scaled.
    #[n(2)]
    pub debt_scaled: u128,
    /// Whether the claims stand for debts.
    #[n(3)]
    pub collateral: bool,
}

impl Position {
    /// What it has in a reserve.
    pub fn entry(&self, reserve: u8) -> Entry {
        let found = self.entries.iter().find(|entry| entry.reserve == reserve);
        found.copied().unwrap_or(Entry { reserve, ..Entry::default() })
    }

    /// Whether it owes anything.
    pub fn owes(&self) -> bool {
        self.entries.iter().any(|entry| entry.debt_scaled > 0)
    }

    pub(super) fn set(&mut self, entry: Entry) {
        self.entries.retain(|other| other.reserve != entry.reserve);
        if entry.supply_scaled > 0 || entry.debt_scaled > 0 {
            let at = self.entries.partition_point(|other| other.reserve < entry.reserve);
            self.entries.insert(at, entry);
        }
    }
}

/// A market's record.
pub fn market(store: &dyn Store, market: u32) -> Option<Market> {
    MARKETS.get(store, &[&market.to_be_bytes()])
}

/// A reserve's record as of its last action.
pub fn reserve(store: &dyn Store, market: u32, reserve: u8) -> Option<Reserve> {
    RESERVES.get(store, &[&market.to_be_bytes(), &[reserve]])
}

/// What an account has in a market.
pub fn position(store: &dyn Store, market: u32, account: AccountId) -> Position {
    POSITIONS.get(store, &[&market.to_be_bytes(), account.as_bytes()]).unwrap_or_default()
}

/// How many markets were opened; they are numbered from 1.
pub fn count(store: &dyn Store) -> u32 {
    COUNT.get(store, &[]).unwrap_or_default()
}

/// Where it is said how many markets were opened.
pub fn count_key() -> Key {
    COUNT.key(&[])
}

/// Where a market's record is.
pub fn market_key(market: u32) -> Key {
    MARKETS.key(&[&market.to_be_bytes()])
}

/// Where a reserve's record is.
pub fn reserve_key(market: u32, reserve: u8) -> Key {
    RESERVES.key(&[&market.to_be_bytes(), &[reserve]])
}

/// Where an account's position is.
pub fn position_key(market: u32, account: AccountId) -> Key {
    POSITIONS.key(&[&market.to_be_bytes(), account.as_bytes()])
}

pub(super) fn write_reserve(state: &mut Overlay<'_>, market: u32, index: u8, record: &Reserve) {
    RESERVES.put(state, &[&market.to_be_bytes(), &[index]], record);
}

pub(super) fn write_position(
    state: &mut Overlay<'_>,
    market: u32,
    account: AccountId,
    record: &Position,
) {
    let number = market.to_be_bytes();
    let id: [&[u8]; 2] = [&number, account.as_bytes()];
    if record.entries.is_empty() {
        POSITIONS.remove(state, &id);
    } else {
        POSITIONS.put(state, &id, record);
    }
}

/// A reserve that must be there, brought up to date.
pub(super) fn current(
    store: &dyn Store,
    now_s: u64,
    market: u32,
    index: u8,
) -> Result<Reserve, Error> {
    let mut found = reserve(store, market, index).ok_or(Error::NoReserve)?;
    found.accrue(now_s)?;
    Ok(found)
}

/// Where supplied units lie.
pub fn vault() -> AccountId {
    AccountId::of_domain("lending")
}
