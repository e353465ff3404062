//! Communities of energy as a page shows them, out of records that are proved: whose meters read what,
//! what a slot came to, and what a file of readings or other limits would come to.
//!
//! As with [`crate::lending`], the page runs this: [`wanted`] says which records the wallet is to prove,
//! [`Book`] reads them, and nothing restates a rule: slots are settled again by the ledger's own
//! `outcome`, limits are tried by its own clearing, refusals come out of its own code where all that
//! decides them is proved.
//!
//! | part | what it says |
//! |---|---|
//! | `book` | which records are needed; settled slots, which are asked for once |
//! | `street` | communities, members, meters and how they are |
//! | `day` | slots of a day: state, flows, money, savings, certificates |
//! | `market` | who supplied whom, depth with the crossing, limits tried on settled slots |
//! | `orders` | the book of a slot that has not begun, and what an order would meet there |
//! | `members` | who is in a community: listed by a server, each proved |
//! | `letters` | whom what was metered is sealed for, and what can be sealed again |
//! | `plan` | of a file's slots those that can be signed, and why others can't |
//! | `revise` | which read slots a meter can correct, and what that changes |
//! | `spoken` | what a meter was made to say before, so that nothing is said twice of a slot |
//! | `ask` | what a person wants, as a command; what was asked, in parts |
//!
//! Units: energy in Wh, prices in millionths of money per kWh, money in units of the community's asset,
//! slots of 15 minutes counted from 1970-01-01 UTC.
//!
//! Laws: a number is only shown when every record it depends on is proved; a slot that no record tells
//! of is not called zero.

mod ask;
mod book;
mod day;
mod letters;
mod market;
mod members;
mod orders;
mod plan;
mod revise;
mod spoken;
mod street;
#[cfg(test)]
mod tests;

pub use ask::{Asked, Opening, Wish, ask, asked, fee, refusal};
pub use book::{
    LISTED_MAX, Listing, METERS_SHOWN_MAX, Named, Span, is_short, joined, keep, listing,
    waiting_keys, wanted,
};
pub use day::{Day, Flow, Left, Shown, State, day, left, revisions, sum};
pub use ledger::domains::energy::{
    Booked, Friend, LOSS_MAX_PPM, Limits, METERS_MAX, Member, Mode, NOTICE_SLOTS,
    ORDERS_OF_METER_MAX, PACE_MAX, PRICE_MAX, Purse, READINGS_MAX, Reading, Rules, SLOT_S, Side,
    Source, Summary, Supply, TRADES_MAX, Tariff, Trust, WINDOW_MAX_SLOTS, WINDOW_MIN_SLOTS,
    Waiting,
};
pub use letters::{NoGroup, letters, look_at, readers, seal_day};
pub use market::{
    Depth, Giver, Step, Tried, WhatIf, depth, neighbours, supplies, what_if, what_if_friend,
};
pub use members::{Neighbour, Roll, Roster, roster};
pub use orders::{Met, Order, Orders, meets, open_slots, orders};
pub use plan::{Plan, Said, Skipped, plan};
pub use revise::{Change, Corrections, Stays, corrections, said_of};
pub use spoken::{Spoken, on_way};
pub use street::{Community, Health, Meter, community, free_device, meters};

pub use crate::lending::{Asset, Book, Scene, Seen, ledger_ms, watch};

/// The slot that runs at a time that a community's clock shows.
pub const fn slot_at(shown_ms: u64) -> u64 {
    shown_ms / 1_000 / SLOT_S
}

/// What a community's clock shows at a time of the ledger: the same, where it is not for trying out or not
/// proved yet.
pub fn shown_ms(book: &Book, community: u32, now_ms: u64) -> u64 {
    let clock = ledger::domains::energy::community(book, community).and_then(|found| found.clock);
    clock.map_or(now_ms, |clock| clock.shows_ms(now_ms))
}

/// When a slot begins, in milliseconds since 1970-01-01 UTC.
pub const fn starts_ms(slot: u64) -> u64 {
    slot.saturating_mul(SLOT_S * 1_000)
}
