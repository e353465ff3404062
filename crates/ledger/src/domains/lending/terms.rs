//! Numbers that are kept for fixed-term offers, so that nothing else takes them before those come.
//!
//! Which is for what, and why they wait: `docs/adr/0084-a-door-for-fixed-terms.md`. Today they mean nothing: an
//! action of such a number is no transaction ([`crate::Refusal::Malformed`]), a key of such a table is none of this
//! version's ([`crate::reads`]).

use core::ops::RangeInclusive;

/// Actions: take an offer, void offers, pay a loan, let a loan that is due fall back to the pool; two more.
pub const ACTIONS: RangeInclusive<u8> = 10..=15;
/// Tables of records: loans, what was taken of a group of offers, from which number on somebody's offers hold, how
/// many loans there were.
pub const TABLES: RangeInclusive<u8> = 4..=7;
/// Events.
pub const EVENTS: RangeInclusive<u8> = 11..=15;
/// Refusals, within the domain.
pub const REFUSALS: RangeInclusive<u8> = 26..=35;
/// What a signature of offers begins with: nothing else of this ledger is signed under it.
pub const OFFER_CONTEXT: &[u8] = b"starling/lending/offer/1";
