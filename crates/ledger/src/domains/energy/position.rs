//! What meters have on the book of a slot: what they traded before it, and what still waits.

use minicbor::{Decode, Encode};

use super::{Book, Due, Order, Resting, Side, Tariff, ceil_cost};
use crate::AccountId;

/// What a meter traded on a book, before anything was measured. Money is in thousandths of units, so that
/// it is rounded once, when the slot is settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Booked {
    /// Wh bought.
    #[n(0)]
    pub bought_wh: u64,
    /// Wh sold.
    #[n(1)]
    pub sold_wh: u64,
    /// What is paid for those bought, grid fee included.
    #[n(2)]
    pub cost: u128,
    /// Of it, the grid fee.
    #[n(3)]
    pub fee: u128,
    /// What is got for those sold.
    #[n(4)]
    pub revenue: u128,
}

/// What a meter has on the book of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// Whose the meter is.
    #[n(0)]
    pub owner: AccountId,
    /// What was traded.
    #[n(1)]
    pub booked: Booked,
    /// Wh of its bids that wait.
    #[n(2)]
    pub bids_wh: u64,
    /// Wh of its offers that wait.
    #[n(3)]
    pub offers_wh: u64,
    /// Most that the bids can cost, in thousandths of units.
    #[n(4)]
    pub bids_cost: u128,
    /// Units of the owner's for it, until the slot is settled.
    #[n(5)]
    pub cover: u128,
    /// Units of the grid's for it, until the slot is settled.
    #[n(6)]
    pub grid_cover: u128,
    /// What the slot came to for a meter whose reading does not tell it.
    #[n(7)]
    pub due: Option<Due>,
}

/// An order that waits on the book of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Waiting {
    /// Its number there, in order of arrival from 0.
    #[n(0)]
    pub order: u64,
    /// For which meter.
    #[n(1)]
    pub meter: u32,
    /// Whose.
    #[n(2)]
    pub owner: AccountId,
    /// Whether it wants or has energy.
    #[n(3)]
    pub side: Side,
    /// Millionths per kWh, without the grid fee.
    #[n(4)]
    pub price: u64,
    /// Wh that are left of it.
    #[n(5)]
    pub quantity_wh: u64,
}

/// Two meters that traded on a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Deal {
    /// The meter that sold.
    #[n(0)]
    pub from: u32,
    /// The meter that bought.
    #[n(1)]
    pub to: u32,
    /// Wh.
    #[n(2)]
    pub quantity_wh: u64,
    /// Millionths per kWh, without the grid fee.
    #[n(3)]
    pub price: u64,
}

/// The book of a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct OrderBook {
    /// Orders that wait, in order of arrival; at most [`super::ORDERS_OF_METER_MAX`] of a meter.
    #[n(0)]
    pub waiting: Vec<Waiting>,
    /// Orders that ever came: the next one's number.
    #[n(1)]
    pub arrivals: u64,
    /// Meters that have a [`Position`], ascending.
    #[n(2)]
    pub meters: Vec<u32>,
    /// The newest trades, the last one last; at most [`super::DEALS_KEPT`].
    #[n(3)]
    pub deals: Vec<Deal>,
}

impl Booked {
    /// Wh bought beyond those sold.
    pub fn net_bought_wh(&self) -> u64 {
        self.bought_wh.saturating_sub(self.sold_wh)
    }

    /// Wh sold beyond those bought.
    pub fn net_sold_wh(&self) -> u64 {
        self.sold_wh.saturating_sub(self.bought_wh)
    }
}

impl Position {
    /// Nothing yet.
    pub(super) fn new(owner: AccountId) -> Self {
        Self {
            owner,
            booked: Booked::default(),
            bids_wh: 0,
            offers_wh: 0,
            bids_cost: 0,
            cover: 0,
            grid_cover: 0,
            due: None,
        }
    }

    /// Whether nothing was traded and nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        let Booked { bought_wh, sold_wh, .. } = self.booked;
        bought_wh + sold_wh + self.bids_wh + self.offers_wh == 0
    }

    /// Most that it can cost its owner and the grid. Who sold and has nothing buys it from the grid; a
    /// unit more, because what was bought and what is missing are rounded each by itself. The grid pays
    /// at most feed-in for all that is fed in. It holds that for what was sold net, not for offers that
    /// wait: those cost their owner nothing, so anybody could lock all it has.
    pub fn covers(&self, tariff: &Tariff) -> (u128, u128) {
        let offered_wh = self.booked.sold_wh + self.offers_wh;
        let missing = thousandths(offered_wh, tariff.retail);
        let most = self.booked.cost + self.bids_cost + missing;
        let own = if self.is_empty() { 0 } else { most.div_ceil(1_000) + 1 };
        (own, ceil_cost(self.booked.net_sold_wh(), tariff.feed_in))
    }

    /// Lets an order wait, or so much more of it.
    pub(super) fn wait(&mut self, side: Side, quantity_wh: u64, gross: u64) {
        match side {
            Side::Buy => {
                self.bids_wh += quantity_wh;
                self.bids_cost += thousandths(quantity_wh, gross);
            }
            Side::Sell => self.offers_wh += quantity_wh,
        }
    }

    /// Lets so much of an order wait no more.
    pub(super) fn end(&mut self, side: Side, quantity_wh: u64, gross: u64) {
        match side {
            Side::Buy => {
                self.bids_wh -= quantity_wh;
                self.bids_cost -= thousandths(quantity_wh, gross);
            }
            Side::Sell => self.offers_wh -= quantity_wh,
        }
    }

    /// Takes its side of a trade.
    pub(super) fn trade(&mut self, side: Side, quantity_wh: u64, price: u64, grid_fee: u64) {
        let booked = &mut self.booked;
        match side {
            Side::Buy => {
                booked.bought_wh += quantity_wh;
                booked.cost += thousandths(quantity_wh, price + grid_fee);
                booked.fee += thousandths(quantity_wh, grid_fee);
            }
            Side::Sell => {
                booked.sold_wh += quantity_wh;
                booked.revenue += thousandths(quantity_wh, price);
            }
        }
    }

    /// Settled: nothing waits and nothing is held.
    pub(super) fn close(&mut self) {
        (self.bids_wh, self.offers_wh, self.bids_cost) = (0, 0, 0);
        (self.cover, self.grid_cover) = (0, 0);
    }
}

impl OrderBook {
    /// As a market that goes on: what an order would meet, pages ask it.
    pub fn market(&self) -> Book {
        let resting = self.waiting.iter().map(|one| Resting {
            order: Order {
                id: one.order,
                owner: one.owner,
                limit: one.price,
                quantity_wh: one.quantity_wh,
            },
            side: one.side,
            arrival: one.order,
        });
        Book::resumed(resting, self.arrivals)
    }

    /// Where an order that waits is.
    pub(super) fn place_of(&self, order: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&order, |one| one.order).ok()
    }
}

/// Money for energy, in thousandths of units: not rounded.
pub(super) fn thousandths(quantity_wh: u64, price: u64) -> u128 {
    u128::from(quantity_wh) * u128::from(price)
}
