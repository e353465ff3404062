//! Records of assets.

use minicbor::{Decode, Encode};

use crate::{AccountId, AssetId, Key, Prefix, Store, state::Table};

pub(super) const ASSETS: Table<Asset> = Table::new(Prefix::Assets, 0);
pub(super) const COUNT: Table<u32> = Table::new(Prefix::Assets, 1);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    [ASSETS.reads(key, record), COUNT.reads(key, record)].into_iter().flatten().next()
}

/// What was promised when an asset was made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Asset {
    /// Whose promise it is.
    #[n(0)]
    pub issuer: AccountId,
    /// What the issuer calls it.
    #[n(1)]
    pub symbol: String,
    /// Decimals by which units are shown.
    #[n(2)]
    pub decimals: u8,
    /// Most units there may ever be.
    #[n(3)]
    pub supply_max: Option<u128>,
    /// Whether the issuer may freeze balances.
    #[n(4)]
    pub freezable: bool,
    /// Whether issuing was given up.
    #[n(5)]
    pub closed: bool,
}

/// An asset's record. The ledger's own unit has none: its name is in the genesis.
pub fn asset(store: &dyn Store, asset: AssetId) -> Option<Asset> {
    ASSETS.get(store, &[&asset.0.to_be_bytes()])
}

/// How many assets were made; they are numbered from 1.
pub fn count(store: &dyn Store) -> u32 {
    COUNT.get(store, &[]).unwrap_or_default()
}

/// Where it is said how many assets were made.
pub fn count_key() -> Key {
    COUNT.key(&[])
}

/// Where an asset's record is.
pub fn asset_key(asset: AssetId) -> Key {
    ASSETS.key(&[&asset.0.to_be_bytes()])
}

/// What the keys of all assets begin with.
pub fn assets_prefix() -> Key {
    ASSETS.key(&[])
}

/// Which asset a key is of; none: it is of something else.
pub fn asset_of(key: &Key) -> Option<AssetId> {
    let id = ASSETS.id_of(key)?.try_into().ok()?;
    Some(AssetId(u32::from_be_bytes(id)))
}
