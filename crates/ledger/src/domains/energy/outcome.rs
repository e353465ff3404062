//! What a slot comes to: who traded how much, and who pays what. No state: pages show it beforehand.

use minicbor::{Decode, Encode};

use super::{
    Booked, Clearing, Fill, Friend, Limits, Metered, Mode, Order, Rules, Traded, booked, ceil_cost,
    clear, floor_cost, settle, share,
};
use crate::AccountId;

/// What a meter brings to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which meter.
    pub meter: u32,
    /// Whose it is.
    pub owner: AccountId,
    /// Wh taken.
    pub import_wh: u64,
    /// Wh given.
    pub export_wh: u64,
    /// For what its owner trades in an auction.
    pub limits: Limits,
    /// To whom it gives first; in an auction only if that one names it, too.
    pub friend: Option<Friend>,
    /// What it traded before, where there is a book.
    pub booked: Booked,
    /// Wh given there that the grid takes for nothing.
    pub unpaid_wh: u64,
}

/// What a slot came to for one meter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Due {
    /// Wh taken from neighbours: their certificates are used up in the owner's name.
    #[n(0)]
    pub local_import_wh: u64,
    /// Wh given to neighbours.
    #[n(1)]
    pub local_export_wh: u64,
    /// Units the owner paid.
    #[n(2)]
    pub paid: u128,
    /// Units the owner got.
    #[n(3)]
    pub got: u128,
    /// Certificates of what neighbours did not take, in Wh, that were used up since.
    #[n(4)]
    pub claimed_wh: u64,
}

/// What a slot came to in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Summary {
    /// Wh that stayed among neighbours.
    #[n(0)]
    pub volume_wh: u64,
    /// Millionths per kWh between them, friends aside, without the grid fee; of a book the mean, rounded
    /// down; 0 if nobody traded.
    #[n(1)]
    pub price: u64,
    /// Wh the grid supplied.
    #[n(2)]
    pub grid_in_wh: u64,
    /// Wh the grid took.
    #[n(3)]
    pub grid_out_wh: u64,
    /// Units the retailer got.
    #[n(4)]
    pub grid_got: u128,
    /// Units the retailer paid.
    #[n(5)]
    pub grid_paid: u128,
    /// Units of grid fees.
    #[n(6)]
    pub fees: u128,
    /// Units left by rounding: the community's.
    #[n(7)]
    pub residue: u128,
}

/// What a slot comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One per entry, in their order.
    pub dues: Vec<Due>,
    /// In all.
    pub summary: Summary,
}

/// Who gave to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// The meter that gave.
    pub from: u32,
    /// The meter that took.
    pub to: u32,
    /// Wh.
    pub quantity_wh: u64,
    /// Millionths per kWh, without the grid fee.
    pub price: u64,
    /// As a friend, before all others.
    pub is_friend: bool,
}

/// What is bid and offered in a slot once friends are served, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// Bids, in order of meters; their limits include the grid fee.
    pub bids: Vec<Order>,
    /// Offers, in order of meters.
    pub offers: Vec<Order>,
    /// None: nobody traded.
    pub cleared: Option<Clearing>,
}

/// What is left to trade of an entry, in Wh.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub(super) wants_wh: u64,
    pub(super) has_wh: u64,
}

/// What a meter traded among neighbours.
#[derive(Clone, Copy, Default)]
pub(super) struct Local {
    pub(super) taken_wh: u64,
    pub(super) given_wh: u64,
    pub(super) cost: u128,
    /// Of the cost.
    pub(super) fee: u128,
    pub(super) revenue: u128,
}

/// What a meter traded with the grid.
struct Grid {
    in_wh: u64,
    out_wh: u64,
    cost: u128,
    revenue: u128,
}

/// What a slot comes to under these rules; entries ascend by meter, each meter once.
pub fn outcome(rules: &Rules, entries: &[Entry]) -> Outcome {
    debug_assert!(entries.is_sorted_by(|one, next| one.meter < next.meter), "each meter once");
    let mut left: Vec<Left> = entries.iter().map(|entry| left(rules, entry)).collect();
    let friends = among_friends(rules, entries, &mut left, &mut Vec::new());
    let (price, neighbours) = match rules.mode {
        Mode::Sharing => shared(rules, entries, &left),
        Mode::Auction => auctioned(rules, entries, &left),
        Mode::Book => booked::traded(rules, entries),
    };
    let mut summary = Summary { price, ..Summary::default() };
    let mut dues = Vec::with_capacity(entries.len());
    let (mut costs, mut revenues) = (0, 0);
    for ((entry, friend), neighbour) in entries.iter().zip(friends).zip(neighbours) {
        let local = friend.and(neighbour);
        let grid = grid(rules, entry, &local, &friend);
        summary.volume_wh += local.taken_wh;
        summary.grid_in_wh += grid.in_wh;
        summary.grid_out_wh += grid.out_wh;
        summary.grid_got += grid.cost;
        summary.grid_paid += grid.revenue;
        summary.fees += local.fee;
        costs += local.cost;
        revenues += local.revenue;
        dues.push(Due {
            local_import_wh: local.taken_wh,
            local_export_wh: local.given_wh,
            paid: local.cost + grid.cost,
            got: local.revenue + grid.revenue,
            claimed_wh: 0,
        });
    }
    // Costs are rounded up, fees and revenues down.
    summary.residue = costs - summary.fees - revenues;
    Outcome { dues, summary }
}

/// Who gave to whom, where rules say it: friends, and in an auction bids and offers in their order. What
/// is shared in the middle goes through one pool, so nobody gives to anybody there; who traded on a book
/// is in [`super::OrderBook`].
pub fn supplies(rules: &Rules, entries: &[Entry]) -> Vec<Supply> {
    let mut left: Vec<Left> = entries.iter().map(|entry| left(rules, entry)).collect();
    let mut supplies = Vec::new();
    among_friends(rules, entries, &mut left, &mut supplies);
    let cleared = match rules.mode {
        Mode::Sharing | Mode::Book => None,
        Mode::Auction => orders(rules, entries, &left).cleared,
    };
    let flows = cleared.iter().flat_map(|cleared| {
        cleared.flows.iter().map(|flow| Supply {
            from: meter_of(flow.offer),
            to: meter_of(flow.bid),
            quantity_wh: flow.quantity_wh,
            price: cleared.price,
            is_friend: false,
        })
    });
    supplies.extend(flows);
    supplies
}

/// What is bid and offered by limits, whatever the mode.
pub fn market(rules: &Rules, entries: &[Entry]) -> Market {
    let mut left: Vec<Left> = entries.iter().map(|entry| left(rules, entry)).collect();
    among_friends(rules, entries, &mut left, &mut Vec::new());
    orders(rules, entries, &left)
}

/// The meter whose order has this number.
fn meter_of(order: u64) -> u32 {
    u32::try_from(order).expect("orders are numbered by meters")
}

impl Local {
    fn and(self, other: Self) -> Self {
        Self {
            taken_wh: self.taken_wh + other.taken_wh,
            given_wh: self.given_wh + other.given_wh,
            cost: self.cost + other.cost,
            fee: self.fee + other.fee,
            revenue: self.revenue + other.revenue,
        }
    }
}

/// What an entry is for neighbours: in an auction only what its own does not make up for, and after a book
/// only what was not traded there. What is lost on the way is not for them.
fn left(rules: &Rules, entry: &Entry) -> Left {
    let (import_wh, export_wh) = (entry.import_wh, entry.export_wh);
    let net = (import_wh.saturating_sub(export_wh), export_wh.saturating_sub(import_wh));
    match rules.mode {
        Mode::Sharing => Left { wants_wh: import_wh, has_wh: rules.tradeable(export_wh) },
        Mode::Auction => Left { wants_wh: net.0, has_wh: rules.tradeable(net.1) },
        Mode::Book => booked::left(rules, entry),
    }
}

/// Serves friends, in order of who gives. What somebody takes of several is added up before it is
/// rounded.
fn among_friends(
    rules: &Rules,
    entries: &[Entry],
    left: &mut [Left],
    supplies: &mut Vec<Supply>,
) -> Vec<Local> {
    let mut served = vec![Local::default(); entries.len()];
    for (seller, entry) in entries.iter().enumerate() {
        let Some(friend) = entry.friend else { continue };
        let place = entries.binary_search_by_key(&friend.meter, |other| other.meter);
        let Some(buyer) = place.ok().filter(|buyer| *buyer != seller) else { continue };
        let (price, grid_fee) = (rules.friendly(friend), rules.tariff.grid_fee);
        if rules.mode == Mode::Auction && !agrees(&entries[buyer], entry.meter, price + grid_fee) {
            continue;
        }
        let quantity_wh = left[buyer].wants_wh.min(left[seller].has_wh);
        left[buyer].wants_wh -= quantity_wh;
        left[seller].has_wh -= quantity_wh;
        if quantity_wh > 0 {
            let (from, to) = (entry.meter, friend.meter);
            supplies.push(Supply { from, to, quantity_wh, price, is_friend: true });
        }
        // In thousandths until all is added up.
        let money = |price: u64| u128::from(quantity_wh) * u128::from(price);
        served[buyer].taken_wh += quantity_wh;
        served[buyer].cost += money(price + grid_fee);
        served[buyer].fee += money(grid_fee);
        served[seller].given_wh += quantity_wh;
        served[seller].revenue += money(price);
    }
    for local in &mut served {
        local.cost = local.cost.div_ceil(1_000);
        local.fee /= 1_000;
        local.revenue /= 1_000;
    }
    served
}

/// Whether a buyer takes a giver for a friend at this price, grid fee included: in an auction
/// others may ask for less.
fn agrees(buyer: &Entry, giver: u32, price: u64) -> bool {
    buyer.friend.is_some_and(|friend| friend.meter == giver) && price <= buyer.limits.buy
}

/// One price in the middle.
fn shared(rules: &Rules, entries: &[Entry], left: &[Left]) -> (u64, Vec<Local>) {
    let metered = |(entry, left): (&Entry, &Left)| Metered {
        id: entry.meter.into(),
        import_wh: left.wants_wh,
        export_wh: left.has_wh,
    };
    let metered: Vec<Metered> = entries.iter().zip(left).map(metered).collect();
    let shared = share(&metered, &rules.tariff);
    let price = if shared.volume_wh > 0 { shared.mid } else { 0 };
    let local = shared.parts.iter().map(|part| Local {
        taken_wh: part.local_import_wh,
        given_wh: part.local_export_wh,
        cost: part.local_cost,
        fee: part.grid_fee,
        revenue: part.local_revenue,
    });
    (price, local.collect())
}

/// What is left as orders by limits, cleared.
fn orders(rules: &Rules, entries: &[Entry], left: &[Left]) -> Market {
    let order = |entry: &Entry, limit: u64, quantity_wh: u64| Order {
        id: entry.meter.into(),
        owner: entry.owner,
        limit,
        quantity_wh,
    };
    let (mut bids, mut offers) = (Vec::new(), Vec::new());
    for (entry, left) in entries.iter().zip(left) {
        bids.push(order(entry, entry.limits.buy, left.wants_wh));
        offers.push(order(entry, entry.limits.sell, left.has_wh));
    }
    let cleared = clear(&bids, &offers, rules.tariff.grid_fee);
    Market { bids, offers, cleared }
}

/// One price by limits.
fn auctioned(rules: &Rules, entries: &[Entry], left: &[Left]) -> (u64, Vec<Local>) {
    let mut locals = vec![Local::default(); entries.len()];
    let Some(cleared) = orders(rules, entries, left).cleared else { return (0, locals) };
    let place = |fill: &Fill| {
        let place = entries.binary_search_by_key(&fill.id, |entry| entry.meter.into());
        place.expect("an order is of an entry")
    };
    for fill in &cleared.buys {
        let local = &mut locals[place(fill)];
        (local.taken_wh, local.cost, local.fee) = (fill.quantity_wh, fill.money, fill.fee);
    }
    for fill in &cleared.sells {
        let local = &mut locals[place(fill)];
        (local.given_wh, local.revenue) = (fill.quantity_wh, fill.money);
    }
    (cleared.price, locals)
}

/// The grid's part: in an auction and after a book what was traded against what was measured, otherwise
/// what neighbours did not take and give, each by itself. After a book friends come in between.
fn grid(rules: &Rules, entry: &Entry, local: &Local, friend: &Local) -> Grid {
    let tariff = &rules.tariff;
    match rules.mode {
        Mode::Sharing => {
            let in_wh = entry.import_wh - local.taken_wh;
            let out_wh = entry.export_wh - local.given_wh;
            let (cost, revenue) =
                (ceil_cost(in_wh, tariff.retail), floor_cost(out_wh, tariff.feed_in));
            Grid { in_wh, out_wh, cost, revenue }
        }
        Mode::Book => {
            let (in_wh, out_wh) = booked::missing_and_over(rules, entry);
            let (in_wh, out_wh) = (in_wh - friend.taken_wh, out_wh - friend.given_wh);
            let paid_wh = out_wh.saturating_sub(entry.unpaid_wh);
            let (cost, revenue) =
                (ceil_cost(in_wh, tariff.retail), floor_cost(paid_wh, tariff.feed_in));
            Grid { in_wh, out_wh, cost, revenue }
        }
        Mode::Auction => {
            let (import_wh, export_wh) = (entry.import_wh, entry.export_wh);
            let metered = Metered { id: entry.meter.into(), import_wh, export_wh };
            let (sold_wh, bought_wh) = (local.given_wh, local.taken_wh);
            let settled = settle(&[Traded { metered, sold_wh, bought_wh }], tariff);
            let narrow = |wh: u128| u64::try_from(wh).expect("Wh are bounded far below 64 bits");
            Grid {
                in_wh: narrow(settled.grid_in_wh),
                out_wh: narrow(settled.grid_out_wh),
                cost: u128::try_from(settled.grid_net).unwrap_or_default(),
                revenue: u128::try_from(-settled.grid_net).unwrap_or_default(),
            }
        }
    }
}
