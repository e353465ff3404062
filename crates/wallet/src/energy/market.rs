//! The market of a slot: who supplied whom, what was bid and offered, and what other limits would have
//! come to. All of it is computed by the ledger's own code of the readings that it keeps.

use ledger::domains::energy::{self as rules, Entry, Supply};

use super::{
    Book, Friend, Limits, Mode, Rules, Scene, Seen, Span,
    book::{record_keys, traded},
};

/// A step of a curve: from so many Wh to so many, at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Wh before it.
    pub from_wh: u64,
    /// Wh with it.
    pub to_wh: u64,
    /// Millionths per kWh, without the grid fee.
    pub price: u64,
}

/// What was bid and offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// Bids, dearest first, less the grid fee.
    pub bids: Vec<Step>,
    /// Offers, cheapest first.
    pub offers: Vec<Step>,
    /// Where they cross: Wh and the price; none: nobody traded.
    pub cross: Option<(u64, u64)>,
    /// At which blocks the readings were so.
    pub seen: Seen,
}

/// What somebody gave to neighbours, or took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Giver {
    /// Which meter.
    pub meter: u32,
    /// Wh given to the pool or the market.
    pub given_wh: u64,
    /// Wh taken out of it.
    pub taken_wh: u64,
    /// Whether it is the account's.
    pub is_mine: bool,
}

/// What a day came to for a meter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// Units paid less units got; less than none: earned.
    pub net: i128,
    /// Wh taken from neighbours.
    pub local_import_wh: u64,
    /// Wh given to them.
    pub local_export_wh: u64,
}

/// Something else tried on slots: settled ones with other limits, waiting ones with another reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Slots in which the meter traded.
    pub slots: usize,
    /// Slots whose readings are not all proved yet, so not counted.
    pub unproved: usize,
    /// As it was.
    pub was: Tried,
    /// As it would have been.
    pub would: Tried,
}

/// What meters that were not cut brought to a slot, if all that they said is proved.
fn entries(book: &Book, id: u32, slot: u64) -> Option<(rules::Slot, Vec<Entry>, Seen)> {
    let found = rules::slot(book, id, slot)?;
    let keys = record_keys(book, id, slot);
    let seen = book.seen(&keys)?;
    let is_settled = found.summary.is_some();
    let traded = traded(book, id, slot, &found);
    let mut meters = [found.meters.as_slice(), &traded].concat();
    meters.sort_unstable();
    meters.dedup();
    let mut list = Vec::with_capacity(meters.len());
    for meter in meters {
        let said = if found.meters.contains(&meter) {
            Some(rules::record(book, id, slot, meter)?)
        } else {
            None
        };
        let position = if traded.contains(&meter) {
            Some(rules::position(book, id, slot, meter)?)
        } else {
            None
        };
        // Who was cut before is left out of what was settled, and of what will be; its trades stand.
        let is_cut = rules::meter(book, id, meter).is_some_and(|meter| meter.cut);
        let said = said.filter(|one| if is_settled { one.due.is_some() } else { !is_cut });
        let owners = (said.as_ref().map(|one| one.owner), position.as_ref().map(|one| one.owner));
        let Some(owner) = owners.0.or(owners.1) else { continue };
        list.push(Entry {
            meter,
            owner,
            import_wh: said.as_ref().map_or(0, |one| one.content.import_wh),
            export_wh: said.as_ref().map_or(0, |one| one.content.export_wh),
            limits: said.as_ref().map_or_else(|| found.rules.standing(), |one| one.limits),
            friend: said.as_ref().and_then(|one| one.friend),
            booked: position.map(|one| one.booked).unwrap_or_default(),
            unpaid_wh: said.and_then(|one| one.unpaid_wh).unwrap_or_default(),
        });
    }
    Some((found, list, seen))
}

/// Who gave to whom in a slot, where the rules say it: friends, in an auction all, and of a book its newest
/// trades. `None`: not all readings of it are proved.
pub fn supplies(book: &Book, id: u32, slot: u64) -> Option<Vec<Supply>> {
    let (found, entries, _) = entries(book, id, slot)?;
    let orders = rules::order_book(book, id, slot).filter(|_| found.rules.mode == Mode::Book);
    let mut all: Vec<Supply> = orders.iter().flat_map(|orders| &orders.deals).map(supply).collect();
    all.extend(rules::supplies(&found.rules, &entries));
    Some(all)
}

/// A trade of a book, as who gave to whom.
pub(super) fn supply(deal: &rules::Deal) -> Supply {
    let rules::Deal { from, to, quantity_wh, price } = *deal;
    Supply { from, to, quantity_wh, price, is_friend: false }
}

/// What each meter gave to neighbours and took from them in a slot. In sharing this is all there is to
/// say: what is given is one pool, and each takes of it in proportion. A slot that waits is told as it
/// would be settled now. `None`: not all readings are proved.
pub fn neighbours(scene: &Scene<'_>, id: u32, slot: u64) -> Option<Vec<Giver>> {
    let (found, entries, _) = entries(scene.book, id, slot)?;
    let dues = rules::outcome(&found.rules, &entries).dues;
    let one = |(entry, due): (&Entry, rules::Due)| Giver {
        meter: entry.meter,
        given_wh: due.local_export_wh,
        taken_wh: due.local_import_wh,
        is_mine: entry.owner == scene.account,
    };
    let all = entries.iter().zip(dues).map(one);
    Some(all.filter(|one| one.given_wh > 0 || one.taken_wh > 0).collect())
}

/// Bids and offers of a slot by the limits that held, friends aside. `None`: not all readings are
/// proved.
pub fn depth(book: &Book, id: u32, slot: u64) -> Option<Depth> {
    let (found, entries, seen) = entries(book, id, slot)?;
    let market = rules::market(&found.rules, &entries);
    let fee = found.rules.tariff.grid_fee;
    let net = |order: &rules::Order| Some((order.limit.checked_sub(fee)?, order.quantity_wh));
    let mut bids: Vec<(u64, u64)> = market.bids.iter().filter_map(net).collect();
    bids.sort_by_key(|(price, _)| core::cmp::Reverse(*price));
    let gross = |order: &rules::Order| (order.limit, order.quantity_wh);
    let mut offers: Vec<(u64, u64)> = market.offers.iter().map(gross).collect();
    offers.sort_by_key(|(price, _)| *price);
    let cross = market.cleared.map(|cleared| (cleared.volume_wh, cleared.price));
    Some(Depth { bids: steps(&bids), offers: steps(&offers), cross, seen })
}

/// Orders in their order, those of one price together.
pub(super) fn steps(orders: &[(u64, u64)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (price, quantity_wh) in orders.iter().copied().filter(|(_, wh)| *wh > 0) {
        let from_wh = steps.last().map_or(0, |last| last.to_wh);
        match steps.last_mut() {
            Some(last) if last.price == price => last.to_wh += quantity_wh,
            _ => steps.push(Step { from_wh, to_wh: from_wh + quantity_wh, price }),
        }
    }
    steps
}

/// What settled slots of a span would have come to for a meter, had it other limits, and had the
/// community traded in this mode. Others' limits and readings stay as they were.
pub fn what_if(scene: &Scene<'_>, span: Span, meter: u32, limits: Limits, mode: Mode) -> WhatIf {
    tried(scene, span, meter, Some(mode), |entry| entry.limits = limits)
}

/// The same with another friend, or none; in an auction only a friend that named the meter counts.
pub fn what_if_friend(scene: &Scene<'_>, span: Span, meter: u32, friend: Option<Friend>) -> WhatIf {
    tried(scene, span, meter, None, |entry| entry.friend = friend)
}

/// What settled slots would have come to, had something been otherwise for a meter, and had the community
/// traded in this mode, if one is said.
fn tried(
    scene: &Scene<'_>,
    span: Span,
    meter: u32,
    mode: Option<Mode>,
    change: impl Fn(&mut Entry),
) -> WhatIf {
    let mut told = WhatIf::default();
    for slot in span.slots(scene.book, scene.now_ms) {
        let Some(found) = rules::slot(scene.book, span.community, slot) else { continue };
        if found.summary.is_some() && found.meters.contains(&meter) {
            told.try_slot(scene.book, (span.community, slot), meter, mode, &change);
        }
    }
    told
}

impl WhatIf {
    /// Adds what a slot comes to for a meter, and would come to, had something been otherwise for it and had the
    /// community traded in this mode, if one is said. Others' limits and readings stay as they are.
    pub(super) fn try_slot(
        &mut self,
        book: &Book,
        (id, slot): (u32, u64),
        meter: u32,
        mode: Option<Mode>,
        change: impl Fn(&mut Entry),
    ) {
        let Some((found, mut entries, _)) = entries(book, id, slot) else {
            self.unproved += 1;
            return;
        };
        let Some(at) = entries.iter().position(|entry| entry.meter == meter) else { return };
        self.slots += 1;
        self.was.add(&found.rules, &entries, at);
        change(&mut entries[at]);
        let mode = mode.unwrap_or(found.rules.mode);
        self.would.add(&Rules { mode, ..found.rules }, &entries, at);
    }
}

impl Tried {
    fn add(&mut self, rules: &Rules, entries: &[Entry], at: usize) {
        let due = rules::outcome(rules, entries).dues[at];
        let signed = |units: u128| i128::try_from(units).unwrap_or(i128::MAX);
        self.net += signed(due.paid) - signed(due.got);
        self.local_import_wh += due.local_import_wh;
        self.local_export_wh += due.local_export_wh;
    }
}
