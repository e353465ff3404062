//! Settling slots, and the certificates that come of it.

use super::{
    Community, Due, Entry, Error, KEPT_SLOTS, Outcome, Record,
    execute::emit,
    meter as find_meter, outcome, record as find_record, slot as find_slot,
    state::{
        KEPT, READINGS, SLOTS, existing, member, write_community, write_member, write_meter,
        write_record, write_slot,
    },
};
use crate::{AccountId, BlockContext, Overlay};

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
    // Settling forgets readings, too.
    let forgotten = oldest_kept(state, id, &community).and_then(|old| find_slot(state, id, old));
    let forgotten = forgotten.map_or(0, |old| old.meters.len());
    if slot.meters.len().max(forgotten) > usize::from(readings_max) {
        return Err(Error::MoreReadings);
    }
    let records = release(state, id, number, &slot.meters, &mut community);
    let entry = |(meter, record): &(u32, Record)| Entry {
        meter: *meter,
        owner: record.owner,
        import_wh: record.content.import_wh,
        export_wh: record.content.export_wh,
        limits: record.limits,
        friend: record.friend,
    };
    let entries: Vec<Entry> = records.iter().map(entry).collect();
    let Outcome { dues, summary } = outcome(&slot.rules, &entries);
    let count = u128::try_from(records.len()).unwrap_or(u128::MAX);
    let numbers = [number.into(), count, summary.volume_wh.into(), summary.price.into()];
    emit(state, 12, &[signer], id, &numbers);
    for ((meter, mut record), due) in records.into_iter().zip(dues) {
        pay(state, id, record.owner, &due);
        community.certificates.minted_wh += u128::from(record.content.export_wh);
        let (owner, numbers) = (record.owner, [number.into(), meter.into(), due.paid, due.got]);
        record.due = Some(due);
        write_record(state, id, number, meter, &record);
        emit(state, 13, &[owner], id, &numbers);
    }
    let funds = &mut community.funds;
    let grid_free = (funds.grid_free + summary.grid_got).checked_sub(summary.grid_paid);
    funds.grid_free = grid_free.expect("the grid's covers hold what a slot can cost");
    funds.fees += summary.fees;
    funds.fund += summary.residue;
    community.certificates.claimed_wh += u128::from(summary.volume_wh);
    slot.summary = Some(summary);
    write_slot(state, id, number, &slot);
    keep(state, id, number, &mut community);
    write_community(state, id, &community);
    Ok(())
}

/// Gives all covers of a slot back; the records of meters that were not cut.
fn release(
    state: &mut Overlay<'_>,
    id: u32,
    number: u64,
    meters: &[u32],
    community: &mut Community,
) -> Vec<(u32, Record)> {
    let mut standing = Vec::with_capacity(meters.len());
    for meter in meters {
        let record = find_record(state, id, number, *meter);
        let mut record = record.expect("a slot lists the meters that read it");
        let owner = record.owner;
        let mut holder = member(state, id, owner).expect("nobody leaves before their meters");
        holder.held -= record.cover;
        holder.free += record.cover;
        community.funds.grid_held -= record.grid_cover;
        community.funds.grid_free += record.grid_cover;
        (record.cover, record.grid_cover) = (0, 0);
        let mut device = find_meter(state, id, *meter).expect("no meter leaves what waits");
        device.open -= 1;
        write_member(state, id, owner, &holder);
        write_meter(state, id, *meter, &device);
        write_record(state, id, number, *meter, &record);
        if !device.cut {
            standing.push((*meter, record));
        }
    }
    standing
}

/// Moves what a slot came to for one meter into its owner's purse.
fn pay(state: &mut Overlay<'_>, id: u32, owner: AccountId, due: &Due) {
    let mut holder = member(state, id, owner).expect("nobody leaves before their meters");
    // What other meters of the owner still hold is not touched: each paid for itself.
    let free = (holder.free + due.got).checked_sub(due.paid);
    holder.free = free.expect("a cover holds what a reading can cost");
    holder.claimed_wh += u128::from(due.local_import_wh);
    write_member(state, id, owner, &holder);
}

/// Where the next settled slot is remembered.
fn place(community: &Community) -> [u8; 4] {
    let place = u32::try_from(community.settled_slots % u64::from(KEPT_SLOTS));
    place.expect("a remainder is less than its divisor").to_be_bytes()
}

/// The slot that the next settled one takes the place of, if a month of them is kept.
fn oldest_kept(state: &Overlay<'_>, id: u32, community: &Community) -> Option<u64> {
    KEPT.get(state, &[&id.to_be_bytes(), &place(community)])
}

/// Remembers a settled slot in place of the oldest, which is forgotten.
fn keep(state: &mut Overlay<'_>, id: u32, number: u64, community: &mut Community) {
    if let Some(oldest) = oldest_kept(state, id, community) {
        forget(state, id, oldest, community);
    }
    KEPT.put(state, &[&id.to_be_bytes(), &place(community)], &number);
    community.settled_slots += 1;
    community.open_slots -= 1;
}

/// Removes a settled slot; certificates that nobody used up end with it.
fn forget(state: &mut Overlay<'_>, id: u32, number: u64, community: &mut Community) {
    let slot = find_slot(state, id, number).expect("kept slots have records");
    for meter in slot.meters {
        let record = find_record(state, id, number, meter);
        let record = record.expect("a slot lists the meters that read it");
        community.certificates.expired_wh += u128::from(unclaimed(&record));
        let (id, number, meter) = (id.to_be_bytes(), number.to_be_bytes(), meter.to_be_bytes());
        READINGS.remove(state, &[&id, &number, &meter]);
    }
    SLOTS.remove(state, &[&id.to_be_bytes(), &number.to_be_bytes()]);
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
