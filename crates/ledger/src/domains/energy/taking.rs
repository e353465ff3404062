//! Taking readings: each is checked, covered, and waits for its slot to be settled.

use super::{
    Community, Content, Counters, Error, Meter, OPEN_SLOTS_MAX, Reading, Record, SLOT_S, Slot,
    execute::emit,
    meter as find, record as find_record,
    rules::term,
    slot as find_slot,
    state::{
        existing, member, write_community, write_member, write_meter, write_record, write_slot,
    },
};
use crate::{BlockContext, Overlay};

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
    let mut slot = match find_slot(state, id, reading.slot) {
        Some(slot) => slot,
        None => {
            let rules = community.rules_at(reading.slot).ok_or(Error::NotOpen)?;
            Slot { rules, meters: Vec::new(), summary: None }
        }
    };
    if meter.trust < slot.rules.trust_min {
        return Err(Error::Untrusted);
    }
    let before = check_content(&meter, known.as_ref(), reading)?;
    if known.is_none() {
        enter(&mut community, &mut slot, &mut meter, number)?;
    }
    count(&mut meter, reading);
    let limits = term(&meter.limits, reading.slot).unwrap_or_else(|| slot.rules.standing());
    let record = Record {
        owner: meter.owner,
        revision: reading.revision,
        content: reading.content,
        before,
        limits,
        friend: term(&meter.friends, reading.slot).flatten(),
        cover: slot.rules.cover(reading.content.import_wh, &limits),
        grid_cover: slot.rules.grid_cover(reading.content.export_wh),
        due: None,
    };
    hold(state, id, &mut community, known.as_ref(), &record)?;
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

/// Puts a meter into a slot, which it may be the first of.
fn enter(
    community: &mut Community,
    slot: &mut Slot,
    meter: &mut Meter,
    number: u32,
) -> Result<(), Error> {
    if slot.meters.is_empty() {
        if community.open_slots >= OPEN_SLOTS_MAX {
            return Err(Error::TooManyOpen);
        }
        community.open_slots += 1;
    }
    // No meter leaves what waits, so there are never more than a community may have.
    let place = slot.meters.partition_point(|other| *other < number);
    slot.meters.insert(place, number);
    meter.open += 1;
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

/// Sets aside what the reading may cost, in place of what was set aside for what is known.
fn hold(
    state: &mut Overlay<'_>,
    id: u32,
    community: &mut Community,
    known: Option<&Record>,
    record: &Record,
) -> Result<(), Error> {
    let (cover, grid_cover) = known.map_or((0, 0), |known| (known.cover, known.grid_cover));
    let mut owner = member(state, id, record.owner).expect("nobody leaves before their meters");
    let free = (owner.free + cover).checked_sub(record.cover);
    owner.free = free.ok_or(Error::NotCovered)?;
    owner.held = owner.held - cover + record.cover;
    let funds = &mut community.funds;
    let free = (funds.grid_free + grid_cover).checked_sub(record.grid_cover);
    funds.grid_free = free.ok_or(Error::GridNotCovered)?;
    funds.grid_held = funds.grid_held - grid_cover + record.grid_cover;
    write_member(state, id, record.owner, &owner);
    Ok(())
}
