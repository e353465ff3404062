//! What is always true of communities.

use std::collections::BTreeMap;

use super::{
    Booked, Community, DEALS_KEPT, Due, KEPT_SLOTS, METERS_MAX, METERS_OF_MEMBER_MAX, Meter, Mode,
    OPEN_SLOTS_MAX, ORDERS_OF_METER_MAX, OrderBook, PACE_MAX, Position, Record, Side, Slot,
    Summary, TERMS_MAX, ceil_cost,
    closing::unclaimed,
    floor_cost,
    position::thousandths,
    state::{
        BOOKS, COMMUNITIES, COUNT, KEPT, KEYS, MEMBERS, METERS, POSITIONS, READINGS, SLOTS, vault,
    },
};
use crate::{
    AccountId, AssetId, Scan,
    domains::{Broken, accounts},
};

/// What readings that wait hold, and what settled ones left.
#[derive(Default)]
struct Sums {
    held: BTreeMap<AccountId, u128>,
    grid_held: u128,
    waiting: BTreeMap<u32, u128>,
    open_slots: u128,
    settled_slots: u128,
    unclaimed_wh: u128,
    /// By meter, what its counters were after the last slot seen.
    totals: BTreeMap<u32, (u64, u64)>,
}

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let (mut here, mut keys, mut readings) = (BTreeMap::<AssetId, u128>::new(), 0, 0);
    let (mut books, mut positions) = (0, 0);
    let communities = COMMUNITIES.all(state);
    let opened = u128::from(COUNT.get(state, &[]).unwrap_or_default());
    Broken::unless_equal(
        "every number up to the count is a community",
        opened,
        count(&communities),
    )?;
    for (id, community) in &communities {
        let mut sums = Sums::default();
        // In order of slots.
        for (key, slot) in SLOTS.all_of(state, id) {
            let found = READINGS.all_of(state, &key);
            readings += count(&found);
            let traded = POSITIONS.all_of(state, &key);
            positions += count(&traded);
            let book = BOOKS.get(state, &[&key]);
            books += u128::from(book.is_some());
            check_slot(&slot, &found, &mut sums)?;
            check_book(&slot, &book.unwrap_or_default(), &traded, &mut sums)?;
            if let Some(summary) = &slot.summary {
                check_settled(&slot, summary, &found, &traded)?;
            }
        }
        check_members(state, id, community, &sums)?;
        keys += check_meters(state, id, community, &sums)?;
        check_bounds(community, &sums)?;
        let kept = count(&KEPT.all_of(state, id));
        Broken::unless_equal("settled slots are kept", sums.settled_slots, kept)?;
        let sum = here.entry(community.asset).or_default();
        *sum = sum.saturating_add(community.funds.total);
    }
    Broken::unless_equal("no key is without its meter", keys, count(&KEYS.all(state)))?;
    let all = count(&READINGS.all(state));
    Broken::unless_equal("no reading is without its slot", readings, all)?;
    let all = (count(&BOOKS.all(state)), count(&POSITIONS.all(state)));
    Broken::unless_equal("no book is without its slot", books, all.0)?;
    Broken::unless_equal("no position is without its slot", positions, all.1)?;
    here.into_iter().try_for_each(|(asset, counted)| {
        let held = accounts::balance(state, vault(), asset);
        // Somebody may send to the domain's account: a gift is nobody's and changes nothing.
        Broken::unless_at_most("what communities count is there", held, counted)
    })
}

/// A slot and its readings; adds what they hold.
fn check_slot(slot: &Slot, found: &[(Vec<u8>, Record)], sums: &mut Sums) -> Result<(), Broken> {
    let listed = slot.meters.iter().map(|meter| meter.to_be_bytes());
    // community (4) ‖ slot (8) ‖ meter (4)
    let same = listed.eq(found.iter().map(|(key, _)| [key[12], key[13], key[14], key[15]]));
    Broken::unless_equal("a slot lists the meters that read it", 1, same.into())?;
    for (meter, (_, record)) in slot.meters.iter().zip(found) {
        let content = &record.content;
        let totals = (content.import_total_wh, content.export_total_wh);
        let earlier = sums.totals.insert(*meter, totals).unwrap_or_default();
        check_counters(record, earlier)?;
        let held = sums.held.entry(record.owner).or_default();
        *held += record.cover;
        sums.grid_held += record.grid_cover;
        sums.unclaimed_wh += u128::from(unclaimed(record));
        if slot.summary.is_none() {
            *sums.waiting.entry(*meter).or_default() += 1;
        }
    }
    match &slot.summary {
        None => sums.open_slots += 1,
        Some(_) => sums.settled_slots += 1,
    }
    Ok(())
}

/// A book and what meters have on it; adds what they hold.
fn check_book(
    slot: &Slot,
    book: &OrderBook,
    found: &[(Vec<u8>, Position)],
    sums: &mut Sums,
) -> Result<(), Broken> {
    let listed = book.meters.iter().map(|meter| meter.to_be_bytes());
    let same = listed.eq(found.iter().map(|(key, _)| [key[12], key[13], key[14], key[15]]));
    Broken::unless_equal("a book lists the meters that have something on it", 1, same.into())?;
    let tariff = &slot.rules.tariff;
    let mut all = Booked::default();
    for (meter, (_, position)) in book.meters.iter().zip(found) {
        let booked = &position.booked;
        all.bought_wh += booked.bought_wh;
        all.sold_wh += booked.sold_wh;
        all.cost += booked.cost;
        all.fee += booked.fee;
        all.revenue += booked.revenue;
        let mut waits = Position { booked: *booked, ..Position::new(position.owner) };
        let own = book.waiting.iter().filter(|one| one.meter == *meter);
        own.clone().for_each(|one| {
            waits.wait(one.side, one.quantity_wh, one.price + tariff.grid_fee);
        });
        if slot.summary.is_none() {
            (waits.cover, waits.grid_cover) = waits.covers(tariff);
            *sums.waiting.entry(*meter).or_default() += 1;
        }
        let fits = waits == Position { due: None, ..position.clone() };
        Broken::unless_equal("a position is its trades and orders, covered", 1, fits.into())?;
        let law = "orders of a meter are bounded";
        Broken::unless_at_most(law, limit(ORDERS_OF_METER_MAX), limit(own.count()))?;
        *sums.held.entry(position.owner).or_default() += position.cover;
        sums.grid_held += position.grid_cover;
    }
    let (sold_wh, bought_wh) = (all.sold_wh.into(), all.bought_wh.into());
    Broken::unless_equal("what is bought is sold", sold_wh, bought_wh)?;
    Broken::unless_equal("what is paid is got, fees aside", all.cost, all.fee + all.revenue)?;
    let most = thousandths(all.bought_wh, tariff.grid_fee);
    Broken::unless_equal("all that is bought pays the way", most, all.fee)?;
    let is_crossed = book.waiting.iter().any(|bid| {
        let crosses = |offer: &&super::Waiting| {
            (bid.side, offer.side) == (Side::Buy, Side::Sell) && bid.price >= offer.price
        };
        book.waiting.iter().filter(crosses).any(|offer| offer.owner != bid.owner)
    });
    Broken::unless_equal("no orders of two owners cross", 0, is_crossed.into())?;
    let waits = if slot.summary.is_some() { count(&book.waiting) } else { 0 };
    Broken::unless_equal("nothing waits on a settled book", 0, waits)?;
    Broken::unless_at_most("trades kept are bounded", limit(DEALS_KEPT), count(&book.deals))
}

/// Counters of a reading, and those it began from, which were no less after `earlier` slots.
fn check_counters(record: &Record, earlier: (u64, u64)) -> Result<(), Broken> {
    let content = &record.content;
    let law = "counters do not fall";
    let before = record.before.map_or((0, 0), |before| (before.import_wh, before.export_wh));
    Broken::unless_at_most(law, before.0.into(), earlier.0.into())?;
    Broken::unless_at_most(law, before.1.into(), earlier.1.into())?;
    let import_wh = content.import_wh.saturating_add(before.0);
    let export_wh = content.export_wh.saturating_add(before.1);
    Broken::unless_at_most(law, content.import_total_wh.into(), import_wh.into())?;
    Broken::unless_at_most(law, content.export_total_wh.into(), export_wh.into())
}

/// Money and energy of a settled slot add up to nothing; in mode 1 everybody gains.
fn check_settled(
    slot: &Slot,
    summary: &Summary,
    found: &[(Vec<u8>, Record)],
    traded: &[(Vec<u8>, Position)],
) -> Result<(), Broken> {
    let (mut paid, mut got) = (summary.grid_paid, summary.grid_got);
    let (mut taken, mut given) = (0_u128, 0_u128);
    let mut grid_net = (u128::from(summary.grid_in_wh), u128::from(summary.grid_out_wh));
    let mut add = |due: &Due| {
        paid += due.paid;
        got += due.got;
        taken += u128::from(due.local_import_wh);
        given += u128::from(due.local_export_wh);
    };
    let of_meter = |key: &[u8]| traded.iter().find(|(other, _)| other == key).map(|(_, one)| one);
    for (key, record) in found {
        Broken::unless_equal("what is settled holds nothing", 0, record.cover + record.grid_cover)?;
        let Some(due) = record.due else { continue };
        add(&due);
        grid_net.0 += u128::from(record.content.export_wh);
        grid_net.1 += u128::from(record.content.import_wh);
        check_due(slot, record, of_meter(key), &due)?;
    }
    for (_, position) in traded {
        let Some(due) = position.due else { continue };
        add(&due);
        let law = "nobody pays more than their position's cover";
        Broken::unless_at_most(law, position.covers(&slot.rules.tariff).0, due.paid)?;
    }
    got += summary.fees + summary.residue;
    Broken::unless_equal("a slot's money adds up to nothing", paid, got)?;
    let volume = u128::from(summary.volume_wh);
    Broken::unless_equal("what neighbours take is what is traded", volume, taken)?;
    Broken::unless_equal("what neighbours give is what is traded", volume, given)?;
    Broken::unless_equal("a slot's energy adds up to nothing", grid_net.0, grid_net.1)
}

/// What a slot came to for a meter that read it.
fn check_due(
    slot: &Slot,
    record: &Record,
    position: Option<&Position>,
    due: &Due,
) -> Result<(), Broken> {
    let content = &record.content;
    let tariff = &slot.rules.tariff;
    let used_wh = due.local_export_wh.saturating_add(due.claimed_wh);
    let law = "certificates are used up once";
    Broken::unless_at_most(law, content.export_wh.into(), used_wh.into())?;
    let booked = position.map(|position| position.booked).unwrap_or_default();
    let beyond_wh = content.export_wh.saturating_sub(booked.net_sold_wh());
    let law = "what is sold is never fed in for nothing";
    Broken::unless_at_most(law, beyond_wh.into(), record.unpaid_wh.unwrap_or_default().into())?;
    let import_wh = content.import_wh.saturating_sub(booked.net_bought_wh());
    let before = position.map_or(0, |position| position.covers(tariff).0);
    let cover = slot.rules.cover(import_wh, &record.limits) + before;
    Broken::unless_at_most("nobody pays more than their reading's cover", cover, due.paid)?;
    if slot.rules.mode == Mode::Sharing {
        // Two units, because three parts are rounded.
        let retail = ceil_cost(content.import_wh, tariff.retail) + 2;
        Broken::unless_at_most("nobody pays more than retail", retail, due.paid)?;
        let feed_in = floor_cost(content.export_wh, tariff.feed_in);
        Broken::unless_at_most("nobody gets less than feed-in", due.got + 2, feed_in)?;
    }
    Ok(())
}

fn check_members(
    state: &dyn Scan,
    id: &[u8],
    community: &Community,
    sums: &Sums,
) -> Result<(), Broken> {
    let members = MEMBERS.all_of(state, id);
    Broken::unless_equal(
        "a community counts its members",
        count(&members),
        community.members.into(),
    )?;
    let funds = &community.funds;
    let mut total = funds.grid_free + funds.grid_held + funds.fees + funds.fund;
    let (mut claimed_wh, mut held) = (community.certificates.left_wh, 0);
    for (key, member) in &members {
        // community (4) ‖ account (32)
        let account: Option<[u8; 32]> = key.get(4..).and_then(|account| account.try_into().ok());
        let covers = account.and_then(|account| sums.held.get(&AccountId::new(account)).copied());
        Broken::unless_equal(
            "a member holds what its readings need",
            covers.unwrap_or_default(),
            member.held,
        )?;
        let most = METERS_OF_MEMBER_MAX.into();
        Broken::unless_at_most("a member's meters are bounded", most, member.meters.into())?;
        total += member.free + member.held;
        held += member.held;
        claimed_wh += member.claimed_wh;
    }
    let covers: u128 = sums.held.values().sum();
    Broken::unless_equal("covers are members'", covers, held)?;
    Broken::unless_equal("the grid holds what readings need", sums.grid_held, funds.grid_held)?;
    Broken::unless_equal("purses add up to the total", total, funds.total)?;
    let certificates = &community.certificates;
    let law = "certificates are used up by members";
    Broken::unless_equal(law, certificates.claimed_wh, claimed_wh)?;
    let all_wh = certificates.claimed_wh + certificates.expired_wh + sums.unclaimed_wh;
    Broken::unless_equal("certificates are Wh fed in", certificates.minted_wh, all_wh)
}

/// Checks the meters; how many there are.
fn check_meters(
    state: &dyn Scan,
    id: &[u8],
    community: &Community,
    sums: &Sums,
) -> Result<u128, Broken> {
    let meters = METERS.all_of(state, id);
    Broken::unless_equal("a community counts its meters", count(&meters), community.meters.into())?;
    let mut waiting = 0;
    for (key, meter) in &meters {
        let number = key.get(4..).and_then(|number| number.try_into().ok());
        let number = number.map_or(u32::MAX, u32::from_be_bytes);
        let expected = sums.waiting.get(&number).copied().unwrap_or_default();
        Broken::unless_equal("a meter counts what waits", expected, meter.open.into())?;
        waiting += u128::from(meter.open);
        let known = KEYS.get(state, &[meter.key.as_bytes()]);
        let own = known.is_some_and(|(of, meter)| of.to_be_bytes() == *id && meter == number);
        Broken::unless_equal("a key leads to its meter", 1, own.into())?;
        check_meter(meter)?;
    }
    let all: u128 = sums.waiting.values().sum();
    Broken::unless_equal("no meter leaves what waits", all, waiting)?;
    Ok(count(&meters))
}

fn check_meter(meter: &Meter) -> Result<(), Broken> {
    let terms = count(&meter.limits).max(count(&meter.friends));
    Broken::unless_at_most("limits and friends are bounded", limit(TERMS_MAX), terms)?;
    let ascending = meter.limits.is_sorted_by(|(one, _), (next, _)| one < next)
        && meter.friends.is_sorted_by(|(one, _), (next, _)| one < next);
    Broken::unless_equal("limits and friends ascend", 1, ascending.into())
}

fn check_bounds(community: &Community, sums: &Sums) -> Result<(), Broken> {
    let open = u128::from(community.open_slots);
    Broken::unless_equal("a community counts its open slots", sums.open_slots, open)?;
    Broken::unless_at_most("open slots are bounded", OPEN_SLOTS_MAX.into(), open)?;
    let settled = community.settled_slots.min(KEPT_SLOTS.into());
    Broken::unless_equal("a month of settled slots is kept", settled.into(), sums.settled_slots)?;
    Broken::unless_at_most("meters are bounded", METERS_MAX.into(), community.meters.into())?;
    Broken::unless_at_most("rules are bounded", limit(TERMS_MAX), count(&community.rules))?;
    if let Some(clock) = community.clock {
        let law = "a trial's clock is faster than the ledger's, and no faster than any may be";
        Broken::unless_at_most(law, clock.pace.into(), 2)?;
        Broken::unless_at_most(law, PACE_MAX.into(), clock.pace.into())?;
    }
    let ascending = community.rules.is_sorted_by(|(one, _), (next, _)| one < next);
    let sound = community.rules.iter().all(|(_, rules)| rules.is_sound());
    Broken::unless_equal("rules ascend and can be kept", 1, (ascending && sound).into())
}

fn count<T>(list: &[T]) -> u128 {
    limit(list.len())
}

fn limit(number: usize) -> u128 {
    u128::try_from(number).unwrap_or(u128::MAX)
}
