//! One price for a slot: the uniform-price call auction.

use super::{ceil_cost, floor_cost, ratio::pro_rata};
use crate::AccountId;

/// A standing limit for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Decides between equals: the smaller first. Says nothing of the time of arrival.
    pub id: u64,
    /// Whose it is.
    pub owner: AccountId,
    /// Millionths per kWh; a buyer's includes the grid fee. At most [`super::PRICE_MAX`].
    pub limit: u64,
    /// Wh; at most [`super::QUANTITY_MAX_WH`]. None is no order.
    pub quantity_wh: u64,
}

/// What an order got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Which order.
    pub id: u64,
    /// Whose.
    pub owner: AccountId,
    /// Wh; more than none.
    pub quantity_wh: u64,
    /// Millionths: what a buyer pays in all, or what a seller gets.
    pub money: u128,
    /// Millionths of it that are the grid fee; a seller pays none.
    pub fee: u128,
}

/// Who supplied whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Which offer.
    pub offer: u64,
    /// Which bid.
    pub bid: u64,
    /// Wh.
    pub quantity_wh: u64,
}

/// A slot that cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearing {
    /// Wh that changed hands.
    pub volume_wh: u64,
    /// Millionths per kWh, without the grid fee: the middle of `low` and `high`, rounded down.
    pub price: u64,
    /// Lowest price at which nobody would trade otherwise.
    pub low: u64,
    /// Highest such price.
    pub high: u64,
    /// Bids that got something, best first.
    pub buys: Vec<Fill>,
    /// Offers that gave something, cheapest first.
    pub sells: Vec<Fill>,
    /// Who supplied whom, in the order of both.
    pub flows: Vec<Flow>,
    /// Millionths left by rounding: for the community.
    pub residue: u128,
    /// Millionths of grid fees.
    pub grid_fees: u128,
}

/// An order with what counts in the market: a buyer's limit less the grid fee, a seller's as it is.
#[derive(Clone, Copy)]
struct Ranked {
    order: Order,
    net: u64,
}

/// Clears a slot: the largest volume at which the last bid still pays the last offer. None: nobody
/// trades.
pub fn clear(bids: &[Order], offers: &[Order], grid_fee: u64) -> Option<Clearing> {
    // A bid below the grid fee can pay nobody.
    let net_bid =
        |order: &Order| Some(Ranked { net: order.limit.checked_sub(grid_fee)?, order: *order });
    let some = |order: &&Order| order.quantity_wh > 0;
    let mut bids: Vec<Ranked> = bids.iter().filter(some).filter_map(net_bid).collect();
    bids.sort_by_key(|bid| (core::cmp::Reverse(bid.net), bid.order.id));
    let ranked = |order: &Order| Ranked { net: order.limit, order: *order };
    let mut offers: Vec<Ranked> = offers.iter().filter(some).map(ranked).collect();
    offers.sort_by_key(|offer| (offer.net, offer.order.id));

    let Crossing { volume_wh, bid, offer } = crossing(&bids, &offers)?;
    let bought = fill(&bids, bid, volume_wh);
    let sold = fill(&offers, offer, volume_wh);
    let left = |orders: &[Ranked], filled: &[u64]| {
        let partly = |(order, got): &(&Ranked, &u64)| order.order.quantity_wh > **got;
        orders.iter().zip(filled).find(partly).map(|(order, _)| order.net)
    };
    let low = left(&bids, &bought).map_or(offer, |net| net.max(offer));
    let high = left(&offers, &sold).map_or(bid, |net| net.min(bid));
    let price = low.midpoint(high);

    let buy =
        |quantity_wh| (ceil_cost(quantity_wh, price + grid_fee), floor_cost(quantity_wh, grid_fee));
    let buys = fills(&bids, &bought, buy);
    let sells = fills(&offers, &sold, |quantity_wh| (floor_cost(quantity_wh, price), 0));
    let sum = |fills: &[Fill], of: fn(&Fill) -> u128| fills.iter().map(of).sum::<u128>();
    let grid_fees = sum(&buys, |fill| fill.fee);
    let paid = sum(&buys, |fill| fill.money) - grid_fees;
    let residue = paid - sum(&sells, |fill| fill.money);
    let flows = flows(&buys, &sells);
    Some(Clearing { volume_wh, price, low, high, buys, sells, flows, residue, grid_fees })
}

/// Where demand and supply cross: the volume, and the prices of the last of both.
struct Crossing {
    volume_wh: u64,
    bid: u64,
    offer: u64,
}

fn crossing(bids: &[Ranked], offers: &[Ranked]) -> Option<Crossing> {
    let mut found: Option<Crossing> = None;
    let (mut demand, mut supply) = (bids.iter(), offers.iter());
    let (mut bid, mut offer) = (demand.next().copied(), supply.next().copied());
    while let (Some(buyer), Some(seller)) = (&mut bid, &mut offer) {
        if buyer.net < seller.net {
            break;
        }
        let quantity_wh = buyer.order.quantity_wh.min(seller.order.quantity_wh);
        let before = found.map_or(0, |crossing| crossing.volume_wh);
        let volume_wh = before + quantity_wh;
        found = Some(Crossing { volume_wh, bid: buyer.net, offer: seller.net });
        buyer.order.quantity_wh -= quantity_wh;
        seller.order.quantity_wh -= quantity_wh;
        let (bought, sold) = (buyer.order.quantity_wh == 0, seller.order.quantity_wh == 0);
        if bought {
            bid = demand.next().copied();
        }
        if sold {
            offer = supply.next().copied();
        }
    }
    found
}

/// What each order gets: all of those better than the margin, a share by quantity of those at it.
fn fill(orders: &[Ranked], margin: u64, volume_wh: u64) -> Vec<u64> {
    let is_at_margin = |order: &Ranked| order.net == margin;
    let first = orders.iter().position(is_at_margin).unwrap_or(orders.len());
    let last = first + orders[first..].iter().take_while(|order| is_at_margin(order)).count();
    let quantities: Vec<u64> = orders.iter().map(|order| order.order.quantity_wh).collect();
    let better: u64 = quantities[..first].iter().sum();
    let mut filled = quantities[..first].to_vec();
    filled.extend(pro_rata(volume_wh - better, &quantities[first..last]));
    filled.resize(orders.len(), 0);
    filled
}

fn fills(orders: &[Ranked], filled: &[u64], money: impl Fn(u64) -> (u128, u128)) -> Vec<Fill> {
    let got = orders.iter().zip(filled).filter(|(_, quantity_wh)| **quantity_wh > 0);
    got.map(|(ranked, quantity_wh)| {
        let (money, fee) = money(*quantity_wh);
        let Order { id, owner, .. } = ranked.order;
        Fill { id, owner, quantity_wh: *quantity_wh, money, fee }
    })
    .collect()
}

/// Pairs both lists in their order.
fn flows(buys: &[Fill], sells: &[Fill]) -> Vec<Flow> {
    let mut flows = Vec::new();
    let mut sellers = sells.iter().copied();
    let mut seller = sellers.next();
    for buy in buys {
        let mut wanted_wh = buy.quantity_wh;
        while let (Some(from), true) = (&mut seller, wanted_wh > 0) {
            let quantity_wh = wanted_wh.min(from.quantity_wh);
            flows.push(Flow { offer: from.id, bid: buy.id, quantity_wh });
            wanted_wh -= quantity_wh;
            from.quantity_wh -= quantity_wh;
            if from.quantity_wh == 0 {
                seller = sellers.next();
            }
        }
    }
    flows
}
