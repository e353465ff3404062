//! Orders on the book of a slot that has not begun.

use super::{
    DEALS_KEPT, Deal, Error, Mode, NOTICE_SLOTS, ORDERS_OF_METER_MAX, Order, OrderBook, Position,
    SLOT_S, Side, Slot, Trade, Waiting,
    execute::emit,
    meter as find_meter, order_book, position as find_position, slot as find_slot,
    state::{
        existing, remove_position, write_book, write_community, write_meter, write_position,
        write_slot,
    },
    taking::{count_open, hold, slot_or_new},
};
use crate::{AccountId, BlockContext, Overlay};

/// An order that comes.
pub(super) struct New {
    pub(super) slot: u64,
    pub(super) meter: u32,
    pub(super) side: Side,
    pub(super) limit: u64,
    pub(super) quantity_wh: u64,
    pub(super) trades_max: u8,
}

/// What is left of an order after it met others, its price without the grid fee, and what the grid held
/// for those before and holds after.
struct Met {
    price: u64,
    left_wh: u64,
    makers_grid: (u128, u128),
}

/// Takes an order of a meter's owner: it meets those that wait, and waits for the rest. What all of it can
/// cost is set aside.
pub(super) fn place(
    context: &BlockContext,
    signer: AccountId,
    id: u32,
    new: &New,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let mut meter = find_meter(state, id, new.meter).ok_or(Error::NoMeter)?;
    if meter.owner != signer {
        return Err(Error::NotOwner);
    }
    if meter.cut {
        return Err(Error::Cut);
    }
    // A day ahead, so that no rules are announced for a slot that is traded.
    let now = community.now(context);
    if !(1..NOTICE_SLOTS).contains(&new.slot.saturating_sub(now)) {
        return Err(Error::GateClosed);
    }
    let (slot, is_first) = slot_or_new(state, &community, id, new.slot).ok_or(Error::NoBook)?;
    if slot.rules.mode != Mode::Book {
        return Err(Error::NoBook);
    }
    if meter.trust < slot.rules.trust_min {
        return Err(Error::Untrusted);
    }
    let mut book = order_book(state, id, new.slot).unwrap_or_default();
    let known = find_position(state, id, new.slot, new.meter);
    let is_new = known.is_none();
    let mut position = known.unwrap_or_else(|| Position::new(signer));
    let price = check_order(new, &slot, &book, &position, meter.connection_w)?;
    if is_first {
        count_open(&mut community)?;
        write_slot(state, id, new.slot, &slot);
    }
    let met = meet(state, id, new, price, &slot, &mut book, &mut position);
    let before = (position.cover, position.grid_cover + met.makers_grid.0);
    (position.cover, position.grid_cover) = position.covers(&slot.rules.tariff);
    let after = (position.cover, position.grid_cover + met.makers_grid.1);
    hold(state, id, &mut community, signer, before, after)?;
    if is_new {
        let place = book.meters.partition_point(|other| *other < new.meter);
        book.meters.insert(place, new.meter);
        meter.open += 1;
        write_meter(state, id, new.meter, &meter);
    }
    let order = book.arrivals - 1;
    write_community(state, id, &community);
    write_book(state, id, new.slot, &book);
    write_position(state, id, new.slot, new.meter, &position);
    let numbers = [
        new.slot.into(),
        new.meter.into(),
        order.into(),
        new.side.number().into(),
        met.price.into(),
        new.quantity_wh.into(),
        met.left_wh.into(),
    ];
    emit(state, 16, &[signer], id, &numbers);
    Ok(())
}

/// Whether an order may come; its price without the grid fee.
fn check_order(
    new: &New,
    slot: &Slot,
    book: &OrderBook,
    position: &Position,
    connection_w: u32,
) -> Result<u64, Error> {
    let most_wh = u64::from(connection_w) * SLOT_S / 3_600;
    let (has_wh, price) = match new.side {
        Side::Buy => (
            position.booked.bought_wh + position.bids_wh,
            new.limit.checked_sub(slot.rules.tariff.grid_fee),
        ),
        Side::Sell => (position.booked.sold_wh + position.offers_wh, Some(new.limit)),
    };
    if has_wh.saturating_add(new.quantity_wh) > most_wh {
        return Err(Error::TooMuch);
    }
    let price = price.ok_or(Error::BelowFee)?;
    let of_meter = book.waiting.iter().filter(|one| one.meter == new.meter).count();
    if of_meter >= ORDERS_OF_METER_MAX { Err(Error::TooManyOrders) } else { Ok(price) }
}

/// Lets an order meet those that wait, at their prices. What their owners hold does not change: an order
/// that waits is covered at the very price that it is met at. What the grid holds for them does.
fn meet(
    state: &mut Overlay<'_>,
    id: u32,
    new: &New,
    price: u64,
    slot: &Slot,
    book: &mut OrderBook,
    position: &mut Position,
) -> Met {
    let (owner, quantity_wh) = (position.owner, new.quantity_wh);
    let order = Order { id: book.arrivals, owner, limit: price, quantity_wh };
    let mut market = book.market();
    let trades = market.place_within(new.side, order, usize::from(new.trades_max));
    let mut makers_grid = (0, 0);
    let meter_of = |order: u64| book.place_of(order).map_or(new.meter, |at| book.waiting[at].meter);
    for trade in &trades {
        let deal = deal(new, meter_of(trade.maker), trade);
        let grid = settle_up(state, id, new, meter_of(trade.maker), trade, slot, position);
        makers_grid = (makers_grid.0 + grid.0, makers_grid.1 + grid.1);
        let numbers = [
            new.slot.into(),
            deal.from.into(),
            deal.to.into(),
            deal.quantity_wh.into(),
            deal.price.into(),
        ];
        emit(state, 17, &[trade.seller, trade.buyer], id, &numbers);
    }
    let waiting: Vec<Waiting> = market
        .resting()
        .iter()
        .map(|one| Waiting {
            order: one.arrival,
            meter: meter_of(one.arrival),
            owner: one.order.owner,
            side: one.side,
            price: one.order.limit,
            quantity_wh: one.order.quantity_wh,
        })
        .collect();
    let deals = trades.iter().map(|trade| deal(new, meter_of(trade.maker), trade));
    let mut deals: Vec<Deal> = book.deals.iter().copied().chain(deals).collect();
    deals.drain(..deals.len().saturating_sub(DEALS_KEPT));
    let last = waiting.last().filter(|one| one.order == book.arrivals);
    let left_wh = last.map_or(0, |one| one.quantity_wh);
    position.wait(new.side, left_wh, new.limit);
    book.arrivals += 1;
    (book.waiting, book.deals) = (waiting, deals);
    Met { price, left_wh, makers_grid }
}

fn deal(new: &New, maker: u32, trade: &Trade) -> Deal {
    let (from, to) = match new.side {
        Side::Buy => (maker, new.meter),
        Side::Sell => (new.meter, maker),
    };
    Deal { from, to, quantity_wh: trade.quantity_wh, price: trade.price }
}

/// Moves a trade into both positions; what the grid held for the one that waited, and holds now.
fn settle_up(
    state: &mut Overlay<'_>,
    id: u32,
    new: &New,
    maker: u32,
    trade: &Trade,
    slot: &Slot,
    position: &mut Position,
) -> (u128, u128) {
    let grid_fee = slot.rules.tariff.grid_fee;
    let (quantity_wh, price) = (trade.quantity_wh, trade.price);
    let other_side = match new.side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    };
    let other = find_position(state, id, new.slot, maker);
    let mut other = other.expect("a book lists the meters whose orders wait");
    other.end(other_side, quantity_wh, price + grid_fee);
    other.trade(other_side, quantity_wh, price, grid_fee);
    position.trade(new.side, quantity_wh, price, grid_fee);
    let before = other.grid_cover;
    (_, other.grid_cover) = other.covers(&slot.rules.tariff);
    write_position(state, id, new.slot, maker, &other);
    (before, other.grid_cover)
}

/// Takes an order back, before its slot begins or, to have its cover back sooner, after.
pub(super) fn cancel(
    signer: AccountId,
    (id, number): (u32, u64),
    order: u64,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    // Settled slots have no orders that wait.
    let mut book = order_book(state, id, number).ok_or(Error::NoOrder)?;
    let at = book.place_of(order).ok_or(Error::NoOrder)?;
    let gone = book.waiting[at];
    if gone.owner != signer {
        return Err(Error::NotOwner);
    }
    book.waiting.remove(at);
    let tariff = find_slot(state, id, number).expect("a book is of a slot").rules.tariff;
    let position = find_position(state, id, number, gone.meter);
    let mut position = position.expect("a book lists the meters whose orders wait");
    position.end(gone.side, gone.quantity_wh, gone.price + tariff.grid_fee);
    let before = (position.cover, position.grid_cover);
    let after = position.covers(&tariff);
    (position.cover, position.grid_cover) = after;
    hold(state, id, &mut community, signer, before, after)?;
    if position.is_empty() {
        book.meters.retain(|meter| *meter != gone.meter);
        remove_position(state, id, number, gone.meter);
        let device = find_meter(state, id, gone.meter);
        let mut device = device.expect("no meter leaves what waits");
        device.open -= 1;
        write_meter(state, id, gone.meter, &device);
    } else {
        write_position(state, id, number, gone.meter, &position);
    }
    write_community(state, id, &community);
    write_book(state, id, number, &book);
    let numbers = [number.into(), gone.meter.into(), order.into(), gone.quantity_wh.into()];
    emit(state, 18, &[signer], id, &numbers);
    Ok(())
}
