//! Energy among neighbours: communities, their meters, and what every 15 minutes come to.
//!
//! A community is an operator's rules, a retailer behind it (the grid), and members with meters. A
//! meter signs what its household trades in a slot; when the slot's window is over, anyone settles
//! it: friends first, then neighbours by the mechanism of the community's rules, the grid for the rest. By
//! the rules of a book, neighbours trade before the slot begins, friends have what that left.
//! A household that is silent trades nothing and stops nobody. What a reading can cost is covered when
//! it is taken, so that settling never fails.
//!
//! A slot is 15 minutes; of a community for trying out, by a clock that runs faster than the ledger's
//! ([`Clock`]), which its record tells. Energy is in Wh, prices in millionths of money per kWh, money in units of the
//! community's asset, of which a million are one. Buyers pay rounded up, sellers get rounded down; what
//! is left is the community's.
//!
//! | mode | function | for whom |
//! |---|---|---|
//! | 1 mid-market sharing | [`share`] | households whose page is closed: readings alone decide |
//! | 2 uniform-price auction | [`clear`] | standing limits, one price for all, no race |
//! | 3 continuous book | [`Book`] | flexible loads and batteries: orders for a slot before it begins |
//! | deviations | [`settle`] | in modes 2 and 3 the grid's part: traded against measured |
//!
//! | action | fields | who signs |
//! |---|---|---|
//! | open | asset, grid, network, window in slots, rules | the operator to be |
//! | set-rules | community, first slot, rules | the operator, a day ahead |
//! | admit | community, account | the operator |
//! | leave | community, account | the member or the operator, once it has no meters |
//! | deposit | community, purse, amount | a member; anyone for the grid or the fund |
//! | withdraw | community, purse, to, amount | whose purse it is |
//! | add-meter | community, key, source, connection in W, the key's signature | the owner, a member |
//! | set-trust | community, meter, trust | the operator |
//! | set-limits | community, meter, limits | the owner; they hold from the next slot |
//! | remove-meter | community, meter | the owner; the operator, also one that was cut |
//! | read | readings, each signed by its meter | anyone |
//! | accuse | two readings that contradict each other | anyone |
//! | expose | a reading, and the opening that it lies about | anyone |
//! | settle | community, slot, most readings | anyone |
//! | claim | community, slot, meter, Wh, for whom | the meter's owner |
//! | set-friend | community, meter, friend's meter and price, or none | the owner; from the next slot |
//! | open-trial | as open, and the clock's pace | the operator to be |
//! | place | community, slot, meter, side, limit, Wh, most trades | the owner, before the slot begins |
//! | cancel | community, slot, order | the owner |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 community | community | who, rules by slot, counts, funds, certificates | never |
//! | 1 member | community ‖ account | free, held, meters, claimed Wh | when it leaves |
//! | 2 meter | community ‖ meter | key, owner, trust, counters, limits, friends | when removed |
//! | 3 key | key | community and meter | with the meter |
//! | 4 slot | community ‖ slot | rules, meters that read, what it came to | a month later |
//! | 5 reading | community ‖ slot ‖ meter | what was said, covers, what it came to | with the slot |
//! | 6 kept | community ‖ place | a settled slot, so that the oldest is found | overwritten |
//! | 7 count | - | communities opened | never |
//! | 8 book | community ‖ slot | orders that wait, meters with positions, newest trades | with the slot |
//! | 9 position | community ‖ slot ‖ meter | traded, waiting, covers, what it came to | with the slot |
//!
//! Events carry (community, ...): 0 opened (operator), 1 rules (first slot, mode), 2 admitted (member),
//! 3 left (member; amount), 4 deposited (signer; purse, amount), 5 withdrawn (signer, to; purse,
//! amount), 6 meter added (owner; meter, W), 7 trust (owner; meter, trust), 8 limits (owner; meter,
//! first slot, buy, sell), 9 meter removed (owner; meter), 10 read (owner; meter, slot, revision), 11
//! cut (owner; meter), 12 settled (slot, readings, Wh, price), 13 due (owner; slot, meter, paid, got),
//! 14 claimed (owner, for whom; slot, meter, Wh), 15 friend (owner; meter, first slot, friend's meter
//! and price or neither), 16 placed (owner; slot, meter, order, side, price without grid fee, Wh, Wh that
//! wait), 17 traded (seller, buyer; slot, seller's meter, buyer's, Wh, price), 18 cancelled (owner; slot,
//! meter, order, Wh).
//!
//! Privacy: of a reading the ledger keeps the Wh that are traded, at most what was metered, and a
//! commitment to the registers. Those are for the community's own peers, and are opened only to show
//! that a meter lied; for who settles disputes they are sealed in files of their own ([`Opened`]). A key
//! proves who said something, not that it is so: hence levels of trust.
//!
//! Laws: what the domain's account holds is what all purses add up to; covers are those of readings
//! that wait; a settled slot's money adds up to nothing with fees, residue and the grid's share, and
//! so does its energy; in mode 1 nobody pays more than retail or gets less than feed-in; counters do
//! not fall; certificates are minted for Wh fed in and claimed once; every list has its bound; on a book
//! what is bought is sold, no orders of two owners cross, and positions cover what they can cost.

mod action;
mod auction;
mod book;
mod booked;
mod clock;
mod closing;
mod deviation;
mod error;
mod evidence;
mod execute;
mod laws;
mod letter;
mod listing;
mod members;
mod meters;
mod outcome;
mod position;
mod ratio;
mod reading;
mod rules;
mod sharing;
mod state;
mod taking;
#[cfg(test)]
mod tests;
mod trading;

pub use action::{Action, Purse};
pub use auction::{Clearing, Fill, Flow, Order, clear};
pub use book::{Book, Resting, Side, Trade};
pub use clock::{Clock, PACE_MAX};
pub use deviation::{Deviation, Settlement, Traded, settle};
pub use error::Error;
pub use evidence::contradict;
pub use execute::Energy;
pub use letter::{LETTER_ENDING, LETTER_FILE_BYTES_MAX, Opened};
pub use listing::{
    communities_prefix, community_of, member_of, members_prefix, meter_of, meters_prefix, slot_of,
    slots_prefix,
};
pub use outcome::{Due, Entry, Market, Outcome, Summary, Supply, market, outcome, supplies};
pub use position::{Booked, Deal, OrderBook, Position, Waiting};
pub use ratio::pro_rata;
pub use reading::{Content, Opening, Reading, meter_proof};
pub use rules::{Friend, Limits, Mode, Rules, Source, Trust};
pub use sharing::{Metered, Part, Shared, Tariff, share};
pub use state::{
    Certificates, Community, Counters, Funds, Member, Meter, Record, Slot, community,
    community_key, count, count_key, member, member_key, meter, meter_key, meter_with,
    meter_with_key, order_book, order_book_key, position, position_key, record, record_key, slot,
    slot_key, vault,
};

/// Highest price, in millionths per kWh: a thousand units of money.
pub const PRICE_MAX: u64 = 1_000_000_000;
/// Most energy of an order or a reading, in Wh: a GWh in a slot is no household.
pub const QUANTITY_MAX_WH: u64 = 1_000_000_000;
/// Seconds of a slot. Slots are counted from 1970-01-01 UTC.
pub const SLOT_S: u64 = 900;
/// Shortest time for readings after a slot, in slots: an hour, for meters that are always there.
pub const WINDOW_MIN_SLOTS: u16 = 4;
/// Longest time for readings after a slot, in slots: three days, for meters that bring a day's at once.
pub const WINDOW_MAX_SLOTS: u16 = 288;
/// Slots between an announcement of rules and the first they hold for: a day.
pub const NOTICE_SLOTS: u64 = 96;
/// Most rules of a community, limits of a meter and friends of it that are kept side by side.
pub const TERMS_MAX: usize = 8;
/// Most of what is fed in that may be lost on the way, in millionths: a fifth.
pub const LOSS_MAX_PPM: u32 = 200_000;
/// Most members of a community at a time.
pub const MEMBERS_MAX: u16 = 256;
/// Most meters of a community at a time: what one settlement reads and writes.
pub const METERS_MAX: u16 = 128;
/// Most meters of one member at a time, so that nobody takes the places of all.
pub const METERS_OF_MEMBER_MAX: u16 = 8;
/// Strongest connection of a meter, in W.
pub const CONNECTION_MAX_W: u32 = 4_000_000;
/// Most readings in one transaction: 64 of 170 bytes fit, most of a day of one meter.
pub const READINGS_MAX: usize = 64;
/// Most slots of a community that have readings or a book and are not settled: those of the longest window,
/// the one that runs and a day ahead.
pub const OPEN_SLOTS_MAX: u16 = 384;
/// Most orders of a meter that wait on one book: all meters' fit, so that nobody takes the places of others.
pub const ORDERS_OF_METER_MAX: usize = 2;
/// Most orders that one meets when it comes.
pub const TRADES_MAX: u8 = 16;
/// Newest trades of a book that are kept for who looks; events tell all.
pub const DEALS_KEPT: usize = 32;
/// Settled slots of a community that are kept: a month of 31 days.
pub const KEPT_SLOTS: u32 = 2_976;

/// Money for energy, rounded down.
fn floor_cost(quantity_wh: u64, price: u64) -> u128 {
    u128::from(quantity_wh) * u128::from(price) / 1_000
}

/// Money for energy, rounded up.
fn ceil_cost(quantity_wh: u64, price: u64) -> u128 {
    (u128::from(quantity_wh) * u128::from(price)).div_ceil(1_000)
}
