//! What of a file of readings a meter can sign: slots that the ledger takes, with counters that go on
//! from its last one, and why it would not take others.

use ledger::domains::energy::{self as rules, Booked, Content, Mode, Reading};
use primitives::Hash;

use super::{SLOT_S, Scene, Spoken, book::community_keys};

/// Energy of one slot, as a file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Which slot.
    pub slot: u64,
    /// Wh taken.
    pub import_wh: u64,
    /// Wh given.
    pub export_wh: u64,
}

/// Slots of a file that are not signed, by why not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// They have not ended.
    pub ahead: usize,
    /// The time for them is over.
    pub over: usize,
    /// The meter came later.
    pub before: usize,
    /// It read them, or a later one.
    pub read: usize,
    /// More than the connection carries: a wrong unit, or another meter's file.
    pub too_much: usize,
    /// What is paid in does not cover them.
    pub not_covered: usize,
    /// What the retailer paid in does not.
    pub grid_not_covered: usize,
}

/// What would be signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Readings in order of slots, without signatures.
    pub readings: Vec<Reading>,
    /// What is left out.
    pub skipped: Skipped,
    /// Units that are set aside until the slots are settled: the most that it can cost.
    pub cover: u128,
    /// Units that are missing to cover the rest; 0: nothing is.
    pub missing: u128,
    /// Slots that could still be read, before the last that is signed, and are not signed with it: they stay out.
    pub gaps: u64,
}

/// Where a slot that is left out is counted.
type Why = fn(&mut Skipped) -> &mut usize;

/// Why a slot can't be signed, or what it needs: units of the owner and of the grid.
enum Fit {
    Not(Why),
    Needs(u128, u128),
}

/// Time for a person to look and for a block to come, in milliseconds of the ledger's time.
pub(super) const SIGNING_MS: u64 = 5_000;

/// What of a file's slots, which ascend, a meter can sign; `None`: what decides it is not proved. A
/// meter that was cut, or is trusted too little, can sign nothing. A slot of a book that is not covered
/// ends the plan: after a later slot it could not be read any more, and what was sold in it would be owed.
///
/// What was signed before and no block took (`spoken`) is signed under the next revision: the ledger takes any as
/// the first, and nothing is said twice.
pub fn plan(
    scene: &Scene<'_>,
    community: u32,
    meter: u32,
    said: &[Said],
    spoken: &Spoken,
) -> Option<Plan> {
    scene.book.seen(&community_keys(scene.book, community, scene.account))?;
    let street = rules::community(scene.book, community)?;
    let device = rules::meter(scene.book, community, meter)?;
    let me = rules::member(scene.book, community, scene.account)?;
    let mut plan = Plan::default();
    let (mut free, mut grid_free) = (me.free, street.funds.grid_free);
    let mut totals = device.last.map_or((0, 0), |last| (last.import_wh, last.export_wh));
    let now = street.slot_at(scene.now_ms);
    let soon = street.slot_at(scene.now_ms.saturating_add(SIGNING_MS));
    let mut ended: Option<Why> = None;
    for one in said {
        // What was traded before is covered already.
        let position = rules::position(scene.book, community, one.slot, meter);
        let booked = position.map(|position| position.booked).unwrap_or_default();
        let (own, grid) = match fit(&street, &device, one, (now, soon), &booked) {
            Fit::Not(why) => {
                *why(&mut plan.skipped) += 1;
                continue;
            }
            Fit::Needs(own, grid) => (own, grid),
        };
        let Some(revision) = spoken.next(one.slot, None) else {
            plan.skipped.read += 1;
            continue;
        };
        // Who traded is read without the retailer's money, and gets nothing for what it did not sell.
        let has_traded = booked != Booked::default();
        let grid = if has_traded && grid > grid_free { 0 } else { grid };
        let short: Option<Why> = if own > free {
            Some(|skipped| &mut skipped.not_covered)
        } else if grid > grid_free {
            Some(|skipped| &mut skipped.grid_not_covered)
        } else {
            None
        };
        if let Some(why) = ended.or(short) {
            *why(&mut plan.skipped) += 1;
            if own > free {
                plan.missing = plan.missing.saturating_add(own);
            }
            let is_book = street.rules_at(one.slot).is_some_and(|rules| rules.mode == Mode::Book);
            ended = ended.or(is_book.then_some(why));
            continue;
        }
        (free, grid_free) = (free - own, grid_free - grid);
        plan.cover += own;
        totals = (totals.0 + one.import_wh, totals.1 + one.export_wh);
        plan.readings.push(Reading { revision, ..reading(community, meter, one, totals) });
    }
    // What is left of the purse is less than any that waits for money.
    plan.missing = plan.missing.saturating_sub(if plan.missing > 0 { free } else { 0 });
    plan.gaps = gaps(&plan.readings, &device, street.oldest(soon));
    Some(plan)
}

/// Slots that could be read and are none of `readings`, which are of one meter; what comes later counts none.
/// `oldest`: the first slot whose time is not over.
fn gaps(readings: &[Reading], device: &rules::Meter, oldest: u64) -> u64 {
    let Some(last) = readings.last() else { return 0 };
    let first = device.last.map_or(device.from_slot, |last| last.slot.saturating_add(1));
    let open = last.slot.saturating_add(1).saturating_sub(first.max(oldest));
    open.saturating_sub(u64::try_from(readings.len()).unwrap_or(u64::MAX))
}

fn fit(
    street: &rules::Community,
    device: &rules::Meter,
    said: &Said,
    (now, soon): (u64, u64),
    booked: &Booked,
) -> Fit {
    if said.slot >= now {
        return Fit::Not(|skipped| &mut skipped.ahead);
    }
    if street.is_over(said.slot, soon) {
        return Fit::Not(|skipped| &mut skipped.over);
    }
    if said.slot < device.from_slot {
        return Fit::Not(|skipped| &mut skipped.before);
    }
    if device.last.is_some_and(|last| last.slot >= said.slot) {
        return Fit::Not(|skipped| &mut skipped.read);
    }
    let most_wh = u64::from(device.connection_w) * SLOT_S / 3_600;
    if said.import_wh > most_wh || said.export_wh > most_wh {
        return Fit::Not(|skipped| &mut skipped.too_much);
    }
    let Some(rules) = street.rules_at(said.slot) else {
        return Fit::Not(|skipped| &mut skipped.over);
    };
    let held = device.limits.iter().rev().find(|(from, _)| *from <= said.slot);
    let limits = held.map_or_else(|| rules.standing(), |(_, limits)| *limits);
    let import_wh = said.import_wh.saturating_sub(booked.net_bought_wh());
    let export_wh = said.export_wh.saturating_sub(booked.net_sold_wh());
    Fit::Needs(rules.cover(import_wh, &limits), rules.grid_cover(export_wh))
}

/// The wallet commits to it and signs.
fn reading(community: u32, meter: u32, said: &Said, totals: (u64, u64)) -> Reading {
    let content = Content {
        import_wh: said.import_wh,
        export_wh: said.export_wh,
        import_total_wh: totals.0,
        export_total_wh: totals.1,
        commitment: Hash::new([0; 32]),
    };
    Reading { community, meter, slot: said.slot, revision: 0, content, signature: [0; 64] }
}
