//! A continuous book: whoever comes meets who is there, at the price of who is there.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::{Order, ceil_cost, floor_cost};
use crate::AccountId;

/// Which side an order is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Side {
    /// Wants energy.
    #[n(0)]
    Buy,
    /// Has energy.
    #[n(1)]
    Sell,
}

impl Side {
    /// The number it is known by.
    pub const fn number(self) -> u8 {
        match self {
            Self::Buy => 0,
            Self::Sell => 1,
        }
    }
}

/// Two orders that met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The order that was there.
    pub maker: u64,
    /// The order that came.
    pub taker: u64,
    /// Who sold.
    pub seller: AccountId,
    /// Who bought.
    pub buyer: AccountId,
    /// Wh.
    pub quantity_wh: u64,
    /// The maker's limit, in millionths per kWh.
    pub price: u64,
    /// Millionths the buyer pays: rounded up.
    pub pay: u128,
    /// Millionths the seller gets: rounded down.
    pub receive: u128,
}

/// An order that waits, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// The order; its quantity is what is left.
    pub order: Order,
    /// Which side.
    pub side: Side,
    /// 0-based position of its arrival.
    pub arrival: u64,
}

/// Orders that wait: best price first, then first come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    bids: BTreeMap<(core::cmp::Reverse<u64>, u64), Order>,
    offers: BTreeMap<(u64, u64), Order>,
    arrivals: u64,
    residue: u128,
}

impl Book {
    /// Nobody waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// A book in which these wait, after so many arrivals.
    pub fn resumed(resting: impl IntoIterator<Item = Resting>, arrivals: u64) -> Self {
        let mut book = Self { arrivals, ..Self::default() };
        resting.into_iter().for_each(|one| book.rest(one));
        book
    }

    /// Takes an order: trades with whom it crosses, own orders passed over, and lets the rest wait.
    pub fn place(&mut self, side: Side, order: Order) -> Vec<Trade> {
        self.place_within(side, order, usize::MAX)
    }

    /// As [`Self::place`], with so many others at most: what is left of an order that met as many ends,
    /// so that no order waits that another crosses.
    pub fn place_within(&mut self, side: Side, mut order: Order, trades_max: usize) -> Vec<Trade> {
        let mut trades = Vec::new();
        while order.quantity_wh > 0 && trades.len() < trades_max {
            let Some(trade) = self.meet(side, &order) else { break };
            order.quantity_wh -= trade.quantity_wh;
            self.residue += trade.pay - trade.receive;
            trades.push(trade);
        }
        let arrival = self.arrivals;
        self.arrivals += 1;
        if order.quantity_wh > 0 && trades.len() < trades_max {
            self.rest(Resting { order, side, arrival });
        }
        trades
    }

    fn rest(&mut self, Resting { order, side, arrival }: Resting) {
        match side {
            Side::Buy => self.bids.insert((core::cmp::Reverse(order.limit), arrival), order),
            Side::Sell => self.offers.insert((order.limit, arrival), order),
        };
    }

    /// Everything that waits, in order of arrival.
    pub fn resting(&self) -> Vec<Resting> {
        let of =
            |side| move |(arrival, order): (u64, &Order)| Resting { order: *order, side, arrival };
        let bids = self.bids.iter().map(|((_, arrival), order)| (*arrival, order));
        let offers = self.offers.iter().map(|((_, arrival), order)| (*arrival, order));
        let mut all: Vec<Resting> =
            bids.map(of(Side::Buy)).chain(offers.map(of(Side::Sell))).collect();
        all.sort_by_key(|resting| resting.arrival);
        all
    }

    /// Millionths left by rounding so far.
    pub fn residue(&self) -> u128 {
        self.residue
    }

    /// The best order of others that crosses, reduced by what is traded.
    fn meet(&mut self, side: Side, taker: &Order) -> Option<Trade> {
        match side {
            Side::Buy => {
                let crossing =
                    self.offers.iter_mut().take_while(|(_, one)| one.limit <= taker.limit);
                let (key, maker) =
                    crossing.into_iter().find(|(_, one)| one.owner != taker.owner)?;
                let (key, trade) = (*key, trade(maker, taker, maker.owner, taker.owner));
                maker.quantity_wh -= trade.quantity_wh;
                if maker.quantity_wh == 0 {
                    self.offers.remove(&key);
                }
                Some(trade)
            }
            Side::Sell => {
                let crossing = self.bids.iter_mut().take_while(|(_, one)| one.limit >= taker.limit);
                let (key, maker) =
                    crossing.into_iter().find(|(_, one)| one.owner != taker.owner)?;
                let (key, trade) = (*key, trade(maker, taker, taker.owner, maker.owner));
                maker.quantity_wh -= trade.quantity_wh;
                if maker.quantity_wh == 0 {
                    self.bids.remove(&key);
                }
                Some(trade)
            }
        }
    }
}

fn trade(maker: &Order, taker: &Order, seller: AccountId, buyer: AccountId) -> Trade {
    let quantity_wh = maker.quantity_wh.min(taker.quantity_wh);
    let price = maker.limit;
    Trade {
        maker: maker.id,
        taker: taker.id,
        seller,
        buyer,
        quantity_wh,
        price,
        pay: ceil_cost(quantity_wh, price),
        receive: floor_cost(quantity_wh, price),
    }
}
