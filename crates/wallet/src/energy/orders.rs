//! The book of a slot that has not begun: what is bid and offered, what was traded, and what an order would
//! meet. The ledger's own book says it.

use ledger::domains::energy::{self as rules, Booked, Waiting};

use super::{
    Mode, NOTICE_SLOTS, Rules, Scene, Seen, Side, Supply, TRADES_MAX,
    book::{meters_of, trade_keys},
    market::{Step, steps, supply},
};

/// The book of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orders {
    /// What holds for the slot.
    pub rules: Rules,
    /// When it begins and orders end, in milliseconds of the ledger's time.
    pub begins_ms: u64,
    /// Bids, dearest first, less the grid fee.
    pub bids: Vec<Step>,
    /// Offers, cheapest first.
    pub offers: Vec<Step>,
    /// Orders of the account that wait.
    pub mine: Vec<Waiting>,
    /// What the account's meters traded.
    pub booked: Vec<(u32, Booked)>,
    /// The newest trades, the last one first.
    pub deals: Vec<Supply>,
    /// At which blocks this was so.
    pub seen: Seen,
}

/// An order that somebody thinks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Whether it buys or sells.
    pub side: Side,
    /// Most it pays, grid fee included, or least it takes.
    pub limit: u64,
    /// Wh.
    pub quantity_wh: u64,
}

/// What it would meet on the book as it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met {
    /// Wh traded at once.
    pub now_wh: u64,
    /// Units paid for them, grid fee included, or got.
    pub money: u128,
    /// Units that the grid alone would ask for them, or pay.
    pub grid: u128,
    /// Wh that would wait.
    pub waits_wh: u64,
    /// Units that are set aside for all of it until the slot is settled.
    pub held: u128,
}

/// Slots that orders may be for now, the next one first; none: neighbours do not trade by orders.
pub fn open_slots(scene: &Scene<'_>, id: u32) -> Vec<u64> {
    let Some(community) = rules::community(scene.book, id) else { return Vec::new() };
    let now = community.slot_at(scene.now_ms);
    let has_book =
        |slot: &u64| community.rules_at(*slot).is_some_and(|rules| rules.mode == Mode::Book);
    (now + 1..now + NOTICE_SLOTS).filter(has_book).collect()
}

/// The book of a slot; `None`: it is not proved.
pub fn orders(scene: &Scene<'_>, id: u32, slot: u64) -> Option<Orders> {
    let Scene { book, account, .. } = *scene;
    let community = rules::community(book, id)?;
    let seen = book.seen(&trade_keys(book, id, slot, account))?;
    let kept = rules::slot(book, id, slot).map(|slot| slot.rules);
    let held = kept.or_else(|| community.rules_at(slot)).filter(|one| one.mode == Mode::Book)?;
    let found = rules::order_book(book, id, slot).unwrap_or_default();
    let side = |side: Side| {
        let of = found.waiting.iter().filter(move |one| one.side == side);
        of.map(|one| (one.price, one.quantity_wh)).collect::<Vec<(u64, u64)>>()
    };
    let (mut bids, mut offers) = (side(Side::Buy), side(Side::Sell));
    bids.sort_by_key(|(price, _)| core::cmp::Reverse(*price));
    offers.sort_by_key(|(price, _)| *price);
    let mine = found.waiting.iter().filter(|one| one.owner == account).copied();
    let booked = meters_of(book, id, account).into_iter();
    let booked =
        booked.filter_map(|meter| Some((meter, rules::position(book, id, slot, meter)?.booked)));
    Some(Orders {
        rules: held,
        begins_ms: community.begins_ms(slot),
        bids: steps(&bids),
        offers: steps(&offers),
        mine: mine.collect(),
        booked: booked.collect(),
        deals: found.deals.iter().rev().map(supply).collect(),
        seen,
    })
}

/// What an order would meet; `None`: the book is not proved, or the bid does not pay the grid fee.
pub fn meets(scene: &Scene<'_>, id: u32, slot: u64, order: &Order) -> Option<Met> {
    let known = orders(scene, id, slot)?;
    let found = rules::order_book(scene.book, id, slot).unwrap_or_default();
    let tariff = known.rules.tariff;
    let net = match order.side {
        Side::Buy => order.limit.checked_sub(tariff.grid_fee)?,
        Side::Sell => order.limit,
    };
    let quantity_wh = order.quantity_wh;
    let coming = rules::Order { id: found.arrivals, owner: scene.account, limit: net, quantity_wh };
    let most = usize::from(TRADES_MAX);
    let trades = found.market().place_within(order.side, coming, most);
    let now_wh: u64 = trades.iter().map(|trade| trade.quantity_wh).sum();
    let waits_wh = if trades.len() < most { quantity_wh - now_wh } else { 0 };
    // In thousandths of units, as the ledger counts until the slot is settled.
    let times = |wh: u64, price: u64| u128::from(wh) * u128::from(price);
    let all = |fee: u64| {
        trades.iter().map(|trade| times(trade.quantity_wh, trade.price + fee)).sum::<u128>()
    };
    Some(match order.side {
        Side::Buy => {
            let cost = all(tariff.grid_fee);
            Met {
                now_wh,
                money: cost.div_ceil(1_000),
                grid: times(now_wh, tariff.retail).div_ceil(1_000),
                waits_wh,
                held: (cost + times(waits_wh, order.limit)).div_ceil(1_000) + 1,
            }
        }
        Side::Sell => Met {
            now_wh,
            money: all(0) / 1_000,
            grid: times(now_wh, tariff.feed_in) / 1_000,
            waits_wh,
            held: times(now_wh + waits_wh, tariff.retail).div_ceil(1_000) + 1,
        },
    })
}
