//! Corrections: slots that a meter read and of which something else is to be said while their window is open, with
//! what that changes.

use ledger::domains::energy::{self as rules, Booked, Content, Mode, Reading, Record, Trust};
use primitives::Hash;

use super::{
    Book, SLOT_S, Scene, Spoken, WhatIf,
    book::{community_keys, traded},
    plan::{SIGNING_MS, Said},
};

/// A slot of which something else is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What the ledger has.
    pub was: Said,
    /// What is to be said, without a signature.
    pub reading: Reading,
}

/// Slots that stay as they were read, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stays {
    /// The ledger has the same.
    pub same: usize,
    /// Their time is over.
    pub over: usize,
    /// They were left out, and a later one was read.
    pub left_out: usize,
    /// What was said of them is not proved here.
    pub unproved: usize,
    /// A later slot was counted from them: they may only be less.
    pub counted_on: usize,
    /// More than the connection carries.
    pub too_much: usize,
    /// The community asks for more trust.
    pub untrusted: usize,
    /// What is paid in does not cover them.
    pub not_covered: usize,
    /// What the retailer paid in does not.
    pub grid_not_covered: usize,
    /// They were corrected as often as may be.
    pub too_often: usize,
}

/// What would be corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrections {
    /// Slots in order.
    pub changes: Vec<Change>,
    /// Those that stay.
    pub stays: Stays,
    /// Units that are set aside for the changed ones: before and after.
    pub cover: (u128, u128),
    /// Units that are missing to cover the rest; 0: nothing is.
    pub missing: u128,
    /// What the changed slots come to, settled as they stand: before and after. Others may still read.
    pub money: WhatIf,
}

/// Purses as they are drawn on, slot by slot.
struct Purses {
    own: u128,
    grid: u128,
    /// Units that changes need which the owner's purse does not cover.
    lacks: u128,
}

/// What is set aside of the owner's for a slot, and what the grid does not pay for.
struct Covers {
    own: u128,
    unpaid_wh: u64,
}

/// Why a slot stays: where it is counted.
type Why = fn(&mut Stays) -> &mut usize;

const SAME: Why = |stays| &mut stays.same;
const OVER: Why = |stays| &mut stays.over;
const LEFT_OUT: Why = |stays| &mut stays.left_out;
const UNPROVED: Why = |stays| &mut stays.unproved;
const COUNTED_ON: Why = |stays| &mut stays.counted_on;
const TOO_MUCH: Why = |stays| &mut stays.too_much;
const UNTRUSTED: Why = |stays| &mut stays.untrusted;
const NOT_COVERED: Why = |stays| &mut stays.not_covered;
const GRID_NOT_COVERED: Why = |stays| &mut stays.grid_not_covered;
const TOO_OFTEN: Why = |stays| &mut stays.too_often;

impl Change {
    /// What is to be said.
    pub fn now(&self) -> Said {
        let Reading { slot, content: Content { import_wh, export_wh, .. }, .. } = self.reading;
        Said { slot, import_wh, export_wh }
    }
}

/// What a meter said of a slot, where that is proved.
pub fn said_of(book: &Book, community: u32, slot: u64, meter: u32) -> Option<Said> {
    let Content { import_wh, export_wh, .. } = rules::record(book, community, slot, meter)?.content;
    Some(Said { slot, import_wh, export_wh })
}

/// Of slots that ascend those that a meter read otherwise and may correct; slots after its last one are no
/// corrections. `None`: what decides it is not proved.
pub fn corrections(
    scene: &Scene<'_>,
    community: u32,
    meter: u32,
    said: &[Said],
    spoken: &Spoken,
) -> Option<Corrections> {
    let book = scene.book;
    book.seen(&community_keys(book, community, scene.account))?;
    let street = rules::community(book, community)?;
    let device = rules::meter(book, community, meter)?;
    let me = rules::member(book, community, scene.account)?;
    let mut purses = Purses { own: me.free, grid: street.funds.grid_free, lacks: 0 };
    let soon = street.slot_at(scene.now_ms.saturating_add(SIGNING_MS));
    let mut told = Corrections {
        changes: Vec::new(),
        stays: Stays::default(),
        cover: (0, 0),
        missing: 0,
        money: WhatIf::default(),
    };
    let last = device.last.map(|last| last.slot);
    for one in said.iter().filter(|one| last.is_some_and(|last| one.slot <= last)) {
        let found = if street.is_over(one.slot, soon) {
            Err(OVER)
        } else {
            known(scene, (community, meter), one.slot)
        };
        let change = found.and_then(|(slot, record, booked)| {
            let content = content(&device, &record, one, slot.rules.trust_min, &booked)?;
            let revision = spoken.next(one.slot, Some(record.revision)).ok_or(TOO_OFTEN)?;
            let covers = purses.draw(&slot.rules, &device, &record, one, &booked)?;
            let signature = [0; 64];
            let reading =
                Reading { community, meter, slot: one.slot, revision, content, signature };
            Ok((record, reading, covers))
        });
        match change {
            Ok((record, reading, covers)) => told.add(scene, meter, &record, reading, &covers),
            Err(why) => *why(&mut told.stays) += 1,
        }
    }
    // What is left of the purse is less than any that waits for money.
    told.missing = if purses.lacks > 0 { purses.lacks.saturating_sub(purses.own) } else { 0 };
    Some(told)
}

impl Corrections {
    fn add(
        &mut self,
        scene: &Scene<'_>,
        meter: u32,
        record: &Record,
        reading: Reading,
        covers: &Covers,
    ) {
        let Reading { community, slot, content, .. } = reading;
        self.cover = (self.cover.0 + record.cover, self.cover.1 + covers.own);
        self.money.try_slot(scene.book, (community, slot), meter, None, |entry| {
            (entry.import_wh, entry.export_wh) = (content.import_wh, content.export_wh);
            entry.unpaid_wh = covers.unpaid_wh;
        });
        let (import_wh, export_wh) = (record.content.import_wh, record.content.export_wh);
        let was = Said { slot, import_wh, export_wh };
        self.changes.push(Change { was, reading });
    }
}

/// A slot, what the meter said of it, and what it traded before.
fn known(
    scene: &Scene<'_>,
    (community, meter): (u32, u32),
    slot: u64,
) -> Result<(rules::Slot, Record, Booked), Why> {
    let book = scene.book;
    if !book.has(&rules::slot_key(community, slot)) {
        return Err(UNPROVED);
    }
    let found = rules::slot(book, community, slot);
    let found = found.filter(|found| found.meters.contains(&meter)).ok_or(LEFT_OUT)?;
    if found.summary.is_some() {
        return Err(OVER);
    }
    let record = rules::record(book, community, slot, meter).ok_or(UNPROVED)?;
    if found.rules.mode == Mode::Book && !book.has(&rules::order_book_key(community, slot)) {
        return Err(UNPROVED);
    }
    if !traded(book, community, slot, &found).contains(&meter) {
        return Ok((found, record, Booked::default()));
    }
    let position = rules::position(book, community, slot, meter).ok_or(UNPROVED)?;
    Ok((found, record, position.booked))
}

/// What is said, with the counters that the ledger takes; or why not.
fn content(
    device: &rules::Meter,
    record: &Record,
    said: &Said,
    trust_min: Trust,
    booked: &Booked,
) -> Result<Content, Why> {
    let known = &record.content;
    if (said.import_wh, said.export_wh) == (known.import_wh, known.export_wh) {
        return Err(SAME);
    }
    let most_wh = u64::from(device.connection_w) * SLOT_S / 3_600;
    if said.import_wh > most_wh || said.export_wh > most_wh {
        return Err(TOO_MUCH);
    }
    if device.trust < trust_min && *booked == Booked::default() {
        return Err(UNTRUSTED);
    }
    let is_newest = device.last.is_some_and(|last| last.slot == said.slot);
    let before = record.before.map_or((0, 0), |before| (before.import_wh, before.export_wh));
    let total = |known_total: u64, known_wh: u64, wh: u64, before: u64| {
        let grown = (known_total - known_wh.min(known_total)).saturating_add(wh);
        // What came after an earlier slot was counted from it.
        let total = if is_newest { grown } else { grown.min(known_total) };
        total.checked_sub(wh).is_some_and(|start| start >= before).then_some(total)
    };
    let import = total(known.import_total_wh, known.import_wh, said.import_wh, before.0);
    let export = total(known.export_total_wh, known.export_wh, said.export_wh, before.1);
    let totals = import.zip(export).ok_or(COUNTED_ON)?;
    Ok(Content {
        import_wh: said.import_wh,
        export_wh: said.export_wh,
        import_total_wh: totals.0,
        export_total_wh: totals.1,
        commitment: Hash::new([0; 32]),
    })
}

impl Purses {
    /// Sets aside what a slot may cost, in place of what is set aside for it; or why that can't be.
    fn draw(
        &mut self,
        rules: &rules::Rules,
        device: &rules::Meter,
        record: &Record,
        said: &Said,
        booked: &Booked,
    ) -> Result<Covers, Why> {
        let held = device.limits.iter().rev().find(|(from, _)| *from <= said.slot);
        let limits = held.map_or_else(|| rules.standing(), |(_, limits)| *limits);
        let own = rules.cover(said.import_wh.saturating_sub(booked.net_bought_wh()), &limits);
        let export_wh = said.export_wh.saturating_sub(booked.net_sold_wh());
        let most = rules.grid_cover(export_wh);
        let (own_has, grid_has) = (self.own + record.cover, self.grid + record.grid_cover);
        // Who traded is read without the retailer's money, and gets nothing for what it did not sell.
        let is_unpaid = *booked != Booked::default() && grid_has < most;
        let grid = if is_unpaid { 0 } else { most };
        let Some(own_left) = own_has.checked_sub(own) else {
            self.lacks = self.lacks.saturating_add(own.saturating_sub(record.cover));
            return Err(NOT_COVERED);
        };
        self.grid = grid_has.checked_sub(grid).ok_or(GRID_NOT_COVERED)?;
        self.own = own_left;
        Ok(Covers { own, unpaid_wh: if is_unpaid { export_wh } else { 0 } })
    }
}
