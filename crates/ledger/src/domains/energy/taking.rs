//! Taking readings: each is checked, covered, and waits for its slot to be settled.

use super::{
    Booked, Community, Content, Counters, Error, Meter, Mode, OPEN_SLOTS_MAX, Reading, Record,
    SLOT_S, Slot,
    execute::emit,
    meter as find, position, record as find_record,
    rules::term,
    slot as find_slot,
    state::{
        existing, member, write_community, write_member, write_meter, write_record, write_slot,
    },
};
use crate::{AccountId, BlockContext, Overlay, Store};

/// Takes every reading that is news. One that was handed in before is passed over, since somebody may
/// have been quicker; any other refusal refuses them all.
pub(super) fn read(
    context: &BlockContext,
    readings: &[Reading],
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut news = false;
    for reading in readings {
        news |= take(context, reading, state)?;
    }
    if news { Ok(()) } else { Err(Error::NothingNew) }
}

/// Takes a reading; whether it was news.
fn take(context: &BlockContext, reading: &Reading, state: &mut Overlay<'_>) -> Result<bool, Error> {
    let (id, number) = (reading.community, reading.meter);
    let mut community = existing(state, id)?;
    let mut meter = find(state, id, number).ok_or(Error::NoMeter)?;
    reading.verify(context.chain, meter.key).map_err(|_| Error::BadSignature)?;
    if meter.cut {
        return Err(Error::Cut);
    }
    let known = find_record(state, id, reading.slot, number);
    if !is_news(known.as_ref(), reading)? {
        return Ok(false);
    }
    let now = community.now(context);
    let in_time = reading.slot < now && !community.is_over(reading.slot, now);
    if !in_time || reading.slot < meter.from_slot {
        return Err(Error::NotOpen);
    }
    // In time it is not settled.
    let slot = slot_or_new(state, &community, id, reading.slot);
    let (mut slot, is_first) = slot.ok_or(Error::NotOpen)?;
    let has_book = slot.rules.mode == Mode::Book;
    let position = has_book.then(|| position(state, id, reading.slot, number)).flatten();
    let booked = position.map(|position| position.booked).unwrap_or_default();
    // Who traded before was trusted then, and is not to owe what nobody lets it show. Orders alone owe
    // nothing.
    let has_traded = booked != Booked::default();
    if meter.trust < slot.rules.trust_min && !has_traded {
        return Err(Error::Untrusted);
    }
    let before = check_content(&meter, known.as_ref(), reading)?;
    if known.is_none() {
        if is_first {
            count_open(&mut community)?;
        }
        // No meter leaves what waits, so there are never more than a community may have.
        let place = slot.meters.partition_point(|other| *other < number);
        slot.meters.insert(place, number);
        meter.open += 1;
    }
    count(&mut meter, reading);
    let limits = term(&meter.limits, reading.slot).unwrap_or_else(|| slot.rules.standing());
    // What was traded before is covered by its position.
    let import_wh = reading.content.import_wh.saturating_sub(booked.net_bought_wh());
    let export_wh = reading.content.export_wh.saturating_sub(booked.net_sold_wh());
    let held = known.as_ref().map_or((0, 0), |known| (known.cover, known.grid_cover));
    let grid_most = slot.rules.grid_cover(export_wh);
    // Nor does an empty retailer keep it from showing that: what was not sold is fed in for nothing then.
    let is_unpaid = has_traded && community.funds.grid_free + held.1 < grid_most;
    let record = Record {
        owner: meter.owner,
        revision: reading.revision,
        content: reading.content,
        before,
        limits,
        friend: term(&meter.friends, reading.slot).flatten(),
        cover: slot.rules.cover(import_wh, &limits),
        grid_cover: if is_unpaid { 0 } else { grid_most },
        due: None,
        unpaid_wh: is_unpaid.then_some(export_wh),
    };
    let after = (record.cover, record.grid_cover);
    hold(state, id, &mut community, record.owner, held, after)?;
    write_community(state, id, &community);
    write_meter(state, id, number, &meter);
    write_slot(state, id, reading.slot, &slot);
    write_record(state, id, reading.slot, number, &record);
    let numbers = [number.into(), reading.slot.into(), reading.revision.into()];
    emit(state, 10, &[meter.owner], id, &numbers);
    Ok(true)
}

/// Whether a reading says more than what is known of its slot.
fn is_news(known: Option<&Record>, reading: &Reading) -> Result<bool, Error> {
    let Some(known) = known else { return Ok(true) };
    if reading.revision == known.revision && reading.content != known.content {
        return Err(Error::Contradicts);
    }
    Ok(reading.revision > known.revision)
}

/// Checks what is said against the meter; its counters before.
fn check_content(
    meter: &Meter,
    known: Option<&Record>,
    reading: &Reading,
) -> Result<Option<Counters>, Error> {
    let content = &reading.content;
    let most_wh = u64::from(meter.connection_w) * SLOT_S / 3_600;
    if content.import_wh > most_wh || content.export_wh > most_wh {
        return Err(Error::TooMuch);
    }
    let Some(known) = known else {
        if meter.last.is_some_and(|last| last.slot >= reading.slot) {
            return Err(Error::OutOfOrder);
        }
        let follows = follows(content, meter.last.as_ref(), |last| last.slot + 1 == reading.slot);
        return if follows { Ok(meter.last) } else { Err(Error::BadCounters) };
    };
    // A correction of the newest slot may say what it likes after the slot before; of an earlier one
    // only less, because what came after was counted from it.
    let newest = meter.last.is_some_and(|last| last.slot == reading.slot);
    let at_most = |said: u64, before: u64| newest || said <= before;
    let fits = at_most(content.import_total_wh, known.content.import_total_wh)
        && at_most(content.export_total_wh, known.content.export_total_wh);
    let follows = follows(content, known.before.as_ref(), |_| false);
    if fits && follows { Ok(known.before) } else { Err(Error::BadCounters) }
}

/// Whether counters follow from those before: exactly those after the slot just before, and no less
/// after others, because slots may be left out.
fn follows(
    content: &Content,
    before: Option<&Counters>,
    is_just_before: impl Fn(&Counters) -> bool,
) -> bool {
    let start_import = content.import_total_wh.checked_sub(content.import_wh);
    let start_export = content.export_total_wh.checked_sub(content.export_wh);
    let (Some(import_wh), Some(export_wh)) = (start_import, start_export) else { return false };
    match before {
        None => true,
        Some(last) if is_just_before(last) => {
            (import_wh, export_wh) == (last.import_wh, last.export_wh)
        }
        Some(last) => import_wh >= last.import_wh && export_wh >= last.export_wh,
    }
}

/// A slot as it is, or as it begins, and whether it does; none: no rules are kept for it.
pub(super) fn slot_or_new(
    store: &dyn Store,
    community: &Community,
    id: u32,
    number: u64,
) -> Option<(Slot, bool)> {
    if let Some(slot) = find_slot(store, id, number) {
        return Some((slot, false));
    }
    let rules = community.rules_at(number)?;
    Some((Slot { rules, meters: Vec::new(), summary: None }, true))
}

/// One more slot waits to be settled.
pub(super) fn count_open(community: &mut Community) -> Result<(), Error> {
    if community.open_slots >= OPEN_SLOTS_MAX {
        return Err(Error::TooManyOpen);
    }
    community.open_slots += 1;
    Ok(())
}

/// Moves the meter's counters on, if this is its newest slot.
fn count(meter: &mut Meter, reading: &Reading) {
    if meter.last.is_none_or(|last| last.slot <= reading.slot) {
        meter.last = Some(Counters {
            slot: reading.slot,
            import_wh: reading.content.import_total_wh,
            export_wh: reading.content.export_total_wh,
        });
    }
}

/// Sets aside what something may cost its owner and the grid, in place of what was set aside for it before.
pub(super) fn hold(
    state: &mut Overlay<'_>,
    id: u32,
    community: &mut Community,
    owner: AccountId,
    before: (u128, u128),
    after: (u128, u128),
) -> Result<(), Error> {
    let mut holder = member(state, id, owner).expect("nobody leaves before their meters");
    let free = (holder.free + before.0).checked_sub(after.0);
    holder.free = free.ok_or(Error::NotCovered)?;
    // Added first: of one who was met twice, what was held in between is in both sums.
    holder.held = holder.held + after.0 - before.0;
    let funds = &mut community.funds;
    let free = (funds.grid_free + before.1).checked_sub(after.1);
    funds.grid_free = free.ok_or(Error::GridNotCovered)?;
    funds.grid_held = funds.grid_held + after.1 - before.1;
    write_member(state, id, owner, &holder);
    Ok(())
}
