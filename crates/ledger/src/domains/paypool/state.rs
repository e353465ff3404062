//! Records of pools.

use minicbor::{Decode, Encode};
use primitives::PeerId;

use super::{CHALLENGE_S, Error};
use crate::{AccountId, AssetId, Key, Overlay, Prefix, Store, state::Table};

pub(super) const POOLS: Table<Pool> = Table::new(Prefix::Paypool, 0);
pub(super) const LANES: Table<Lane> = Table::new(Prefix::Paypool, 1);
pub(super) const PAYEES: Table<AccountId> = Table::new(Prefix::Paypool, 2);
pub(super) const COUNT: Table<u64> = Table::new(Prefix::Paypool, 3);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    [
        POOLS.reads(key, record),
        LANES.reads(key, record),
        PAYEES.reads(key, record),
        COUNT.reads(key, record),
    ]
    .into_iter()
    .flatten()
    .next()
}

/// A deposit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pool {
    /// Who locked it and gets the rest.
    #[n(0)]
    pub payer: AccountId,
    /// Of which asset.
    #[n(1)]
    pub asset: AssetId,
    /// Who signs vouchers.
    #[n(2)]
    pub signer: PeerId,
    /// Units in no lane.
    #[n(3)]
    pub free: u128,
    /// Units that open lanes may still pay.
    #[n(4)]
    pub reserved: u128,
    /// When it expires, in seconds since 1970-01-01 UTC.
    #[n(5)]
    pub expiry_s: u64,
    /// When the payer may have the rest, once it asked.
    #[n(6)]
    pub closing_s: Option<u64>,
    /// Payees that ever had a lane.
    #[n(7)]
    pub payees: u32,
    /// Lanes that are open.
    #[n(8)]
    pub open_lanes: u32,
}

/// What is set aside for a payee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Lane {
    /// Units it may pay in all.
    #[n(0)]
    pub reserve: u128,
    /// Units it has paid.
    #[n(1)]
    pub redeemed: u128,
    /// Which lane of this payee, counted from 1.
    #[n(2)]
    pub epoch: u32,
    /// Whether it may pay: false once released.
    #[n(3)]
    pub open: bool,
}

impl Pool {
    /// Whether more may be locked or reserved.
    pub fn is_open(&self, now_s: u64) -> bool {
        self.closing_s.is_none() && now_s < self.expiry_s
    }

    /// When anyone may return the rest to the payer.
    pub fn ends_s(&self) -> u64 {
        let after_expiry = self.expiry_s.saturating_add(CHALLENGE_S);
        self.closing_s.map_or(after_expiry, |closing| closing.min(after_expiry))
    }
}

/// A pool's record.
pub fn pool(store: &dyn Store, pool: u64) -> Option<Pool> {
    POOLS.get(store, &[&pool.to_be_bytes()])
}

/// Where a pool's record is.
pub fn pool_key(pool: u64) -> Key {
    POOLS.key(&[&pool.to_be_bytes()])
}

/// Where the number of pools ever opened is: that of the newest.
pub fn count_key() -> Key {
    COUNT.key(&[])
}

/// A payee's lane.
pub fn lane(store: &dyn Store, pool: u64, payee: AccountId) -> Option<Lane> {
    LANES.get(store, &[&pool.to_be_bytes(), payee.as_bytes()])
}

/// Where a payee's lane is: what it proves before it serves on credit.
pub fn lane_key(pool: u64, payee: AccountId) -> Key {
    LANES.key(&[&pool.to_be_bytes(), payee.as_bytes()])
}

pub(super) fn write_pool(state: &mut Overlay<'_>, id: u64, record: &Pool) {
    POOLS.put(state, &[&id.to_be_bytes()], record);
}

pub(super) fn write_lane(state: &mut Overlay<'_>, id: u64, payee: AccountId, record: &Lane) {
    LANES.put(state, &[&id.to_be_bytes(), payee.as_bytes()], record);
}

/// The signer's own pool.
pub(super) fn own(state: &Overlay<'_>, signer: AccountId, id: u64) -> Result<Pool, Error> {
    let pool = pool(state, id).ok_or(Error::NoPool)?;
    if pool.payer == signer { Ok(pool) } else { Err(Error::NotPayer) }
}

/// Where locked units lie.
pub(super) fn vault() -> AccountId {
    AccountId::of_domain("paypool")
}
