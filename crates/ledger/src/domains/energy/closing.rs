//! Settling slots, and the certificates that come of it.

use std::collections::BTreeMap;

use super::{
    Community, Due, Entry, Error, KEPT_SLOTS, Limits, Member, Mode, OrderBook, Outcome, Position,
    Record, Slot,
    execute::emit,
    meter as find_meter, order_book, outcome, position as find_position, record as find_record,
    slot as find_slot,
    state::{
        BOOKS, KEPT, READINGS, SLOTS, existing, member, remove_position, write_book,
        write_community, write_member, write_meter, write_position, write_record, write_slot,
    },
};
use crate::{AccountId, BlockContext, Overlay, Store};

/// A meter that a slot is settled with.
struct Party {
    meter: u32,
    owner: AccountId,
    /// What it said, unless it was cut.
    record: Option<Record>,
    /// What it has on the book.
    position: Option<Position>,
}

/// Purses of those who are settled with: each is read and written once.
type Purses = BTreeMap<AccountId, Member>;

/// Settles a slot whose window is over. It can't fail then: what it may cost is covered.
pub(super) fn settle(
    context: &BlockContext,
    signer: AccountId,
    (id, number): (u32, u64),
    readings_max: u16,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let mut slot = find_slot(state, id, number).ok_or(Error::NoSlot)?;
    if slot.summary.is_some() {
        return Err(Error::Settled);
    }
    if !community.is_over(number, community.now(context)) {
        return Err(Error::TooEarly);
    }
    let has_book = slot.rules.mode == Mode::Book;
    let book = has_book.then(|| order_book(state, id, number)).flatten();
    let meters = all_meters(&slot, book.as_ref());
    // Settling forgets readings, too.
    let forgotten = oldest_kept(state, id, &community);
    let gone = forgotten.as_ref().map_or(0, |(_, _, meters)| meters.len());
    if meters.len().max(gone) > usize::from(readings_max) {
        return Err(Error::MoreReadings);
    }
    if let Some(book) = book {
        write_book(state, id, number, &OrderBook { waiting: Vec::new(), ..book });
    }
    let mut purses = Purses::new();
    let settled = release(state, (id, number), &slot, &meters, &mut community, &mut purses);
    let standing = slot.rules.standing();
    let entries: Vec<Entry> = settled.iter().map(|party| party.entry(standing)).collect();
    let Outcome { dues, summary } = outcome(&slot.rules, &entries);
    let count = settled.iter().filter(|party| party.record.is_some()).count();
    let count = u128::try_from(count).unwrap_or(u128::MAX);
    let numbers = [number.into(), count, summary.volume_wh.into(), summary.price.into()];
    emit(state, 12, &[signer], id, &numbers);
    for (party, due) in settled.into_iter().zip(dues) {
        pay(&mut purses, party.owner, &due);
        let exported = party.record.as_ref().map_or(0, |record| record.content.export_wh);
        community.certificates.minted_wh += u128::from(exported);
        let numbers = [number.into(), party.meter.into(), due.paid, due.got];
        emit(state, 13, &[party.owner], id, &numbers);
        keep_due(state, (id, number), party, due);
    }
    purses.iter().for_each(|(owner, purse)| write_member(state, id, *owner, purse));
    let funds = &mut community.funds;
    let grid_free = (funds.grid_free + summary.grid_got).checked_sub(summary.grid_paid);
    funds.grid_free = grid_free.expect("the grid's covers hold what a slot can cost");
    funds.fees += summary.fees;
    funds.fund += summary.residue;
    community.certificates.claimed_wh += u128::from(summary.volume_wh);
    slot.summary = Some(summary);
    write_slot(state, id, number, &slot);
    keep(state, id, number, &mut community, forgotten);
    write_community(state, id, &community);
    Ok(())
}

/// Meters that read a slot or have something on its book, ascending.
fn all_meters(slot: &Slot, book: Option<&OrderBook>) -> Vec<u32> {
    let traded = book.map(|book| book.meters.as_slice()).unwrap_or_default();
    let mut meters = [slot.meters.as_slice(), traded].concat();
    meters.sort_unstable();
    meters.dedup();
    meters
}

/// Gives all covers of a slot back; those it is settled with: meters that were not cut, and all that traded
/// before.
fn release(
    state: &mut Overlay<'_>,
    (id, number): (u32, u64),
    slot: &Slot,
    meters: &[u32],
    community: &mut Community,
    purses: &mut Purses,
) -> Vec<Party> {
    let mut settled = Vec::with_capacity(meters.len());
    for meter in meters {
        let mut device = find_meter(state, id, *meter).expect("no meter leaves what waits");
        let owner = device.owner;
        let purse = purses.entry(owner).or_insert_with(|| {
            member(state, id, owner).expect("nobody leaves before their meters")
        });
        let mut give_back = |cover: u128, grid_cover: u128| {
            purse.held -= cover;
            purse.free += cover;
            community.funds.grid_held -= grid_cover;
            community.funds.grid_free += grid_cover;
        };
        let mut record = find_record(state, id, number, *meter);
        if let Some(record) = &mut record {
            give_back(record.cover, record.grid_cover);
            (record.cover, record.grid_cover) = (0, 0);
            device.open -= 1;
        }
        let has_book = slot.rules.mode == Mode::Book;
        let mut position = has_book.then(|| find_position(state, id, number, *meter)).flatten();
        if let Some(position) = &mut position {
            give_back(position.cover, position.grid_cover);
            position.close();
            device.open -= 1;
        }
        write_meter(state, id, *meter, &device);
        if device.cut
            && let Some(record) = record.take()
        {
            write_record(state, id, number, *meter, &record);
        }
        if record.is_some() || position.is_some() {
            settled.push(Party { meter: *meter, owner, record, position });
        }
    }
    settled
}

impl Party {
    fn entry(&self, standing: Limits) -> Entry {
        let record = self.record.as_ref();
        let content = record.map(|record| record.content);
        Entry {
            meter: self.meter,
            owner: self.owner,
            import_wh: content.map_or(0, |content| content.import_wh),
            export_wh: content.map_or(0, |content| content.export_wh),
            limits: record.map_or(standing, |record| record.limits),
            friend: record.and_then(|record| record.friend),
            booked: self.position.as_ref().map(|position| position.booked).unwrap_or_default(),
            unpaid_wh: record.and_then(|record| record.unpaid_wh).unwrap_or_default(),
        }
    }
}

/// Moves what a slot came to for one meter into its owner's purse.
fn pay(purses: &mut Purses, owner: AccountId, due: &Due) {
    let purse = purses.get_mut(&owner).expect("purses are of those who are settled with");
    // What other meters of the owner still hold is not touched: each paid for itself.
    let free = (purse.free + due.got).checked_sub(due.paid);
    purse.free = free.expect("a cover holds what a reading can cost");
    purse.claimed_wh += u128::from(due.local_import_wh);
}

/// Writes what a slot came to for a meter: with its reading, or with its position if it has none.
fn keep_due(state: &mut Overlay<'_>, (id, number): (u32, u64), party: Party, due: Due) {
    let Party { meter, record, position, .. } = party;
    let is_told = record.is_some();
    if let Some(mut record) = record {
        record.due = Some(due);
        write_record(state, id, number, meter, &record);
    }
    if let Some(mut position) = position {
        position.due = (!is_told).then_some(due);
        write_position(state, id, number, meter, &position);
    }
}

/// Where the next settled slot is remembered.
fn place(community: &Community) -> [u8; 4] {
    let place = u32::try_from(community.settled_slots % u64::from(KEPT_SLOTS));
    place.expect("a remainder is less than its divisor").to_be_bytes()
}

/// The slot that the next settled one takes the place of, if a month of them is kept: its number, itself,
/// and all meters that have something in it.
fn oldest_kept(store: &dyn Store, id: u32, community: &Community) -> Option<(u64, Slot, Vec<u32>)> {
    let number = KEPT.get(store, &[&id.to_be_bytes(), &place(community)])?;
    let slot = find_slot(store, id, number).expect("kept slots have records");
    let book = (slot.rules.mode == Mode::Book).then(|| order_book(store, id, number)).flatten();
    let meters = all_meters(&slot, book.as_ref());
    Some((number, slot, meters))
}

/// Remembers a settled slot in place of the oldest, which is forgotten.
fn keep(
    state: &mut Overlay<'_>,
    id: u32,
    number: u64,
    community: &mut Community,
    forgotten: Option<(u64, Slot, Vec<u32>)>,
) {
    if let Some((oldest, slot, meters)) = forgotten {
        forget(state, (id, oldest), &slot, &meters, community);
    }
    KEPT.put(state, &[&id.to_be_bytes(), &place(community)], &number);
    community.settled_slots += 1;
    community.open_slots -= 1;
}

/// Removes a settled slot; certificates that nobody used up end with it.
fn forget(
    state: &mut Overlay<'_>,
    (id, number): (u32, u64),
    slot: &Slot,
    meters: &[u32],
    community: &mut Community,
) {
    for meter in meters {
        if let Some(record) = find_record(state, id, number, *meter) {
            community.certificates.expired_wh += u128::from(unclaimed(&record));
            let (id, number, meter) = (id.to_be_bytes(), number.to_be_bytes(), meter.to_be_bytes());
            READINGS.remove(state, &[&id, &number, &meter]);
        }
        if slot.rules.mode == Mode::Book {
            remove_position(state, id, number, *meter);
        }
    }
    let place: [&[u8]; 2] = [&id.to_be_bytes(), &number.to_be_bytes()];
    SLOTS.remove(state, &place);
    if slot.rules.mode == Mode::Book {
        BOOKS.remove(state, &place);
    }
}

/// Certificates of a reading that nobody used up, in Wh.
pub(super) fn unclaimed(record: &Record) -> u64 {
    let left = |due: Due| record.content.export_wh - due.local_export_wh - due.claimed_wh;
    record.due.map_or(0, left)
}

/// Uses certificates up in somebody's name.
pub(super) fn claim(
    signer: AccountId,
    (id, slot, meter): (u32, u64, u32),
    energy_wh: u64,
    holder: AccountId,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let mut owner = member(state, id, holder).ok_or(Error::NotMember)?;
    let mut record = find_record(state, id, slot, meter).ok_or(Error::NoCertificates)?;
    if record.owner != signer {
        return Err(Error::NotOwner);
    }
    if energy_wh > unclaimed(&record) {
        return Err(Error::NoCertificates);
    }
    let due = record.due.as_mut().ok_or(Error::NoCertificates)?;
    due.claimed_wh += energy_wh;
    owner.claimed_wh += u128::from(energy_wh);
    community.certificates.claimed_wh += u128::from(energy_wh);
    write_record(state, id, slot, meter, &record);
    write_member(state, id, holder, &owner);
    write_community(state, id, &community);
    let numbers = [slot.into(), meter.into(), energy_wh.into()];
    emit(state, 14, &[signer, holder], id, &numbers);
    Ok(())
}
