//! Where lists of records begin, and what their keys say: for those who ask a validator for all of a kind.

use super::state::{COMMUNITIES, MEMBERS, METERS, SLOTS};
use crate::{AccountId, Key};

/// What the keys of all communities begin with.
pub fn communities_prefix() -> Key {
    COMMUNITIES.key(&[])
}

/// Which community a key of [`communities_prefix`] is of.
pub fn community_of(key: &Key) -> Option<u32> {
    COMMUNITIES.id_of(key)?.try_into().ok().map(u32::from_be_bytes)
}

/// What the keys of all members of a community begin with.
pub fn members_prefix(community: u32) -> Key {
    MEMBERS.key(&[&community.to_be_bytes()])
}

/// Of which community a key of [`members_prefix`] is, and whose.
pub fn member_of(key: &Key) -> Option<(u32, AccountId)> {
    let (community, account) = MEMBERS.id_of(key)?.split_first_chunk::<4>()?;
    let account = account.try_into().ok()?;
    Some((u32::from_be_bytes(*community), AccountId::new(account)))
}

/// What the keys of all meters of a community begin with.
pub fn meters_prefix(community: u32) -> Key {
    METERS.key(&[&community.to_be_bytes()])
}

/// Which meter a key of [`meters_prefix`] is of.
pub fn meter_of(key: &Key) -> Option<u32> {
    METERS.id_of(key)?.get(4..)?.try_into().ok().map(u32::from_be_bytes)
}

/// What the keys of all slots of a community begin with.
pub fn slots_prefix(community: u32) -> Key {
    SLOTS.key(&[&community.to_be_bytes()])
}

/// Which slot a key of [`slots_prefix`] is of.
pub fn slot_of(key: &Key) -> Option<u64> {
    SLOTS.id_of(key)?.get(4..)?.try_into().ok().map(u64::from_be_bytes)
}
