//! Records of communities.

use minicbor::{Decode, Encode};
use primitives::PeerId;

use super::{
    Clock, Content, Due, Error, Friend, Limits, OrderBook, Position, Rules, Source, Summary, Trust,
    rules::term,
};
use crate::{AccountId, AssetId, Key, Overlay, Prefix, Store, state::Table};

pub(super) const COMMUNITIES: Table<Community> = Table::new(Prefix::Energy, 0);
pub(super) const MEMBERS: Table<Member> = Table::new(Prefix::Energy, 1);
pub(super) const METERS: Table<Meter> = Table::new(Prefix::Energy, 2);
pub(super) const KEYS: Table<(u32, u32)> = Table::new(Prefix::Energy, 3);
pub(super) const SLOTS: Table<Slot> = Table::new(Prefix::Energy, 4);
pub(super) const READINGS: Table<Record> = Table::new(Prefix::Energy, 5);
pub(super) const KEPT: Table<u64> = Table::new(Prefix::Energy, 6);
pub(super) const COUNT: Table<u32> = Table::new(Prefix::Energy, 7);
pub(super) const BOOKS: Table<OrderBook> = Table::new(Prefix::Energy, 8);
pub(super) const POSITIONS: Table<Position> = Table::new(Prefix::Energy, 9);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    [
        COMMUNITIES.reads(key, record),
        MEMBERS.reads(key, record),
        METERS.reads(key, record),
        KEYS.reads(key, record),
        SLOTS.reads(key, record),
        READINGS.reads(key, record),
        KEPT.reads(key, record),
        COUNT.reads(key, record),
        BOOKS.reads(key, record),
        POSITIONS.reads(key, record),
    ]
    .into_iter()
    .flatten()
    .next()
}

/// A community.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Community {
    /// Who takes in, sets rules and says whom to trust.
    #[n(0)]
    pub operator: AccountId,
    /// In what is paid.
    #[n(1)]
    pub asset: AssetId,
    /// The retailer.
    #[n(2)]
    pub grid: AccountId,
    /// Who gets the grid fees.
    #[n(3)]
    pub network: AccountId,
    /// Time for readings after a slot, in slots.
    #[n(4)]
    pub window_slots: u16,
    /// Rules with the first slot they hold for, ascending; at most [`super::TERMS_MAX`].
    #[n(5)]
    pub rules: Vec<(u64, Rules)>,
    /// Members now.
    #[n(6)]
    pub members: u16,
    /// Meters now.
    #[n(7)]
    pub meters: u16,
    /// Meters that ever came: the next one's number.
    #[n(8)]
    pub meters_ever: u32,
    /// Slots with readings or a book that are not settled.
    #[n(9)]
    pub open_slots: u16,
    /// Slots that were settled.
    #[n(10)]
    pub settled_slots: u64,
    /// Money here.
    #[n(11)]
    pub funds: Funds,
    /// Certificates so far.
    #[n(12)]
    pub certificates: Certificates,
    /// Its clock, where that is not the ledger's: it is for trying out.
    #[n(13)]
    pub clock: Option<Clock>,
}

/// What a community has in the domain's account, in units of its asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Funds {
    /// All of it, members' included.
    #[n(0)]
    pub total: u128,
    /// The retailer's.
    #[n(1)]
    pub grid_free: u128,
    /// The retailer's, for readings that wait.
    #[n(2)]
    pub grid_held: u128,
    /// Grid fees.
    #[n(3)]
    pub fees: u128,
    /// The community's own.
    #[n(4)]
    pub fund: u128,
}

/// Certificates of a community, in Wh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Certificates {
    /// For what was fed in.
    #[n(0)]
    pub minted_wh: u128,
    /// Used up, by neighbours that traded or in somebody's name.
    #[n(1)]
    pub claimed_wh: u128,
    /// Of those, by members that left.
    #[n(2)]
    pub left_wh: u128,
    /// Forgotten with their slots.
    #[n(3)]
    pub expired_wh: u128,
}

/// What a member has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// Units it may take out.
    #[n(0)]
    pub free: u128,
    /// Units for readings that wait.
    #[n(1)]
    pub held: u128,
    /// Meters.
    #[n(2)]
    pub meters: u16,
    /// Certificates used up in its name, in Wh.
    #[n(3)]
    pub claimed_wh: u128,
}

/// Counters after a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Counters {
    /// Which slot.
    #[n(0)]
    pub slot: u64,
    /// Wh taken in all.
    #[n(1)]
    pub import_wh: u64,
    /// Wh given in all.
    #[n(2)]
    pub export_wh: u64,
}

/// A meter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Meter {
    /// What it signs with.
    #[n(0)]
    pub key: PeerId,
    /// Whose it is.
    #[n(1)]
    pub owner: AccountId,
    /// Where what it feeds in comes from.
    #[n(2)]
    pub source: Source,
    /// What its connection carries, in W.
    #[n(3)]
    pub connection_w: u32,
    /// How far it is trusted.
    #[n(4)]
    pub trust: Trust,
    /// Whether it contradicted itself or lied: it trades no more.
    #[n(5)]
    pub cut: bool,
    /// The first slot it may read.
    #[n(6)]
    pub from_slot: u64,
    /// After the last slot it read.
    #[n(7)]
    pub last: Option<Counters>,
    /// Limits with the first slot they hold for, ascending; at most [`super::TERMS_MAX`].
    #[n(8)]
    pub limits: Vec<(u64, Limits)>,
    /// Friends with the first slot they are such for, ascending; at most [`super::TERMS_MAX`].
    #[n(9)]
    pub friends: Vec<(u64, Option<Friend>)>,
    /// Readings and positions on books that wait.
    #[n(10)]
    pub open: u16,
}

/// A slot of a community that some meter has read, or has an order for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Slot {
    /// What holds for it.
    #[n(0)]
    pub rules: Rules,
    /// Meters that read it, ascending; at most [`super::METERS_MAX`].
    #[n(1)]
    pub meters: Vec<u32>,
    /// What it came to, once settled.
    #[n(2)]
    pub summary: Option<Summary>,
}

/// What a meter said of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Whose the meter is.
    #[n(0)]
    pub owner: AccountId,
    /// Which revision holds.
    #[n(1)]
    pub revision: u8,
    /// What was said.
    #[n(2)]
    pub content: Content,
    /// The meter's counters before.
    #[n(3)]
    pub before: Option<Counters>,
    /// The limits that hold for the slot.
    #[n(4)]
    pub limits: Limits,
    /// To whom the meter gives first.
    #[n(5)]
    pub friend: Option<Friend>,
    /// Units of the owner's for it, until it is settled.
    #[n(6)]
    pub cover: u128,
    /// Units of the grid's for it, until it is settled.
    #[n(7)]
    pub grid_cover: u128,
    /// What it came to, once settled; none if the meter was cut before.
    #[n(8)]
    pub due: Option<Due>,
    /// Wh given beyond those sold before that the grid does not pay for, because its purse did not cover
    /// them; none: it pays for all.
    #[n(9)]
    pub unpaid_wh: Option<u64>,
}

/// Who stands behind a community.
pub(super) struct Parties {
    pub(super) operator: AccountId,
    pub(super) grid: AccountId,
    pub(super) network: AccountId,
}

impl Community {
    /// One without members.
    pub(super) fn new(parties: Parties, asset: AssetId, window_slots: u16, rules: Rules) -> Self {
        Self {
            operator: parties.operator,
            asset,
            grid: parties.grid,
            network: parties.network,
            window_slots,
            rules: vec![(0, rules)],
            members: 0,
            meters: 0,
            meters_ever: 0,
            open_slots: 0,
            settled_slots: 0,
            funds: Funds::default(),
            certificates: Certificates::default(),
            clock: None,
        }
    }

    /// The rules of a slot that may be read or is yet to come; none of one that is long over.
    pub fn rules_at(&self, slot: u64) -> Option<Rules> {
        term(&self.rules, slot)
    }

    /// The earliest slot that may be read at `now`, a slot that runs.
    pub fn oldest(&self, now: u64) -> u64 {
        now.saturating_sub(u64::from(self.window_slots))
    }

    /// Whether all time for readings of a slot is over.
    pub fn is_over(&self, slot: u64, now: u64) -> bool {
        slot < self.oldest(now)
    }
}

/// How many communities were opened: they are numbered from 1.
pub fn count(store: &dyn Store) -> u32 {
    COUNT.get(store, &[]).unwrap_or_default()
}

/// Where it is said how many communities were opened.
pub fn count_key() -> Key {
    COUNT.key(&[])
}

/// A community's record.
pub fn community(store: &dyn Store, community: u32) -> Option<Community> {
    COMMUNITIES.get(store, &[&community.to_be_bytes()])
}

/// Where a community's record is.
pub fn community_key(community: u32) -> Key {
    COMMUNITIES.key(&[&community.to_be_bytes()])
}

/// What a member has.
pub fn member(store: &dyn Store, community: u32, account: AccountId) -> Option<Member> {
    MEMBERS.get(store, &[&community.to_be_bytes(), account.as_bytes()])
}

/// Where what a member has is.
pub fn member_key(community: u32, account: AccountId) -> Key {
    MEMBERS.key(&[&community.to_be_bytes(), account.as_bytes()])
}

/// A meter's record.
pub fn meter(store: &dyn Store, community: u32, meter: u32) -> Option<Meter> {
    METERS.get(store, &[&community.to_be_bytes(), &meter.to_be_bytes()])
}

/// Where a meter's record is.
pub fn meter_key(community: u32, meter: u32) -> Key {
    METERS.key(&[&community.to_be_bytes(), &meter.to_be_bytes()])
}

/// Of which community's meter a key is, and the meter's number: a key serves one.
pub fn meter_with(store: &dyn Store, key: PeerId) -> Option<(u32, u32)> {
    KEYS.get(store, &[key.as_bytes()])
}

/// Where that is said.
pub fn meter_with_key(key: PeerId) -> Key {
    KEYS.key(&[key.as_bytes()])
}

/// A slot's record.
pub fn slot(store: &dyn Store, community: u32, slot: u64) -> Option<Slot> {
    SLOTS.get(store, &[&community.to_be_bytes(), &slot.to_be_bytes()])
}

/// Where a slot's record is.
pub fn slot_key(community: u32, slot: u64) -> Key {
    SLOTS.key(&[&community.to_be_bytes(), &slot.to_be_bytes()])
}

/// What a meter said of a slot, and what that came to.
pub fn record(store: &dyn Store, community: u32, slot: u64, meter: u32) -> Option<Record> {
    READINGS.get(store, &[&community.to_be_bytes(), &slot.to_be_bytes(), &meter.to_be_bytes()])
}

/// Where what a meter said of a slot is.
pub fn record_key(community: u32, slot: u64, meter: u32) -> Key {
    READINGS.key(&[&community.to_be_bytes(), &slot.to_be_bytes(), &meter.to_be_bytes()])
}

/// The book of a slot.
pub fn order_book(store: &dyn Store, community: u32, slot: u64) -> Option<OrderBook> {
    BOOKS.get(store, &[&community.to_be_bytes(), &slot.to_be_bytes()])
}

/// Where the book of a slot is.
pub fn order_book_key(community: u32, slot: u64) -> Key {
    BOOKS.key(&[&community.to_be_bytes(), &slot.to_be_bytes()])
}

/// What a meter has on the book of a slot.
pub fn position(store: &dyn Store, community: u32, slot: u64, meter: u32) -> Option<Position> {
    POSITIONS.get(store, &[&community.to_be_bytes(), &slot.to_be_bytes(), &meter.to_be_bytes()])
}

/// Where what a meter has on the book of a slot is.
pub fn position_key(community: u32, slot: u64, meter: u32) -> Key {
    POSITIONS.key(&[&community.to_be_bytes(), &slot.to_be_bytes(), &meter.to_be_bytes()])
}

pub(super) fn write_book(state: &mut Overlay<'_>, id: u32, slot: u64, record: &OrderBook) {
    BOOKS.put(state, &[&id.to_be_bytes(), &slot.to_be_bytes()], record);
}

pub(super) fn write_position(
    state: &mut Overlay<'_>,
    id: u32,
    slot: u64,
    meter: u32,
    record: &Position,
) {
    let (id, slot, meter) = (id.to_be_bytes(), slot.to_be_bytes(), meter.to_be_bytes());
    POSITIONS.put(state, &[&id, &slot, &meter], record);
}

pub(super) fn remove_position(state: &mut Overlay<'_>, id: u32, slot: u64, meter: u32) {
    POSITIONS.remove(state, &[&id.to_be_bytes(), &slot.to_be_bytes(), &meter.to_be_bytes()]);
}

pub(super) fn write_community(state: &mut Overlay<'_>, id: u32, record: &Community) {
    COMMUNITIES.put(state, &[&id.to_be_bytes()], record);
}

pub(super) fn write_member(state: &mut Overlay<'_>, id: u32, who: AccountId, record: &Member) {
    MEMBERS.put(state, &[&id.to_be_bytes(), who.as_bytes()], record);
}

pub(super) fn write_meter(state: &mut Overlay<'_>, id: u32, number: u32, record: &Meter) {
    METERS.put(state, &[&id.to_be_bytes(), &number.to_be_bytes()], record);
}

pub(super) fn write_slot(state: &mut Overlay<'_>, id: u32, number: u64, record: &Slot) {
    SLOTS.put(state, &[&id.to_be_bytes(), &number.to_be_bytes()], record);
}

pub(super) fn write_record(
    state: &mut Overlay<'_>,
    id: u32,
    slot: u64,
    meter: u32,
    record: &Record,
) {
    let (id, slot, meter) = (id.to_be_bytes(), slot.to_be_bytes(), meter.to_be_bytes());
    READINGS.put(state, &[&id, &slot, &meter], record);
}

/// A community that must be there.
pub(super) fn existing(store: &dyn Store, id: u32) -> Result<Community, Error> {
    community(store, id).ok_or(Error::NoCommunity)
}

/// A community that the signer operates.
pub(super) fn operated(store: &dyn Store, signer: AccountId, id: u32) -> Result<Community, Error> {
    let community = existing(store, id)?;
    if community.operator == signer { Ok(community) } else { Err(Error::NotOperator) }
}

/// Where all money of communities lies.
pub fn vault() -> AccountId {
    AccountId::of_domain("energy")
}
