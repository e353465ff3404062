//! Names that people and organisations own: `did:starling`, by rules that give a thief's work back and
//! a lost key's owner a second way in.
//!
//! What is signed is `identity::did::starling`: an op holds all that a DID says. Anyone may bring it in a
//! transaction and pays; only the DID's own keys count. The ledger keeps hashes; what ops say is in the
//! blocks, so a DID is proved by two records and a fetched body.
//!
//! | action | fields | whose signatures count |
//! |---|---|---|
//! | create | op 0 | the key it names among its own |
//! | apply | id, op: set, recover or stop | a key that may change the DID |
//! | guard | id, new keys | enough guardians |
//! | veto | id, hash of what guardians want | a key that may change the DID |
//! | finish | id | nobody's: after seven days anyone may |
//! | close | id | nobody's: after a stop is final, the deposit goes back |
//! | anchor | issuer, list, version, hash of its token | the issuer's: a key that may change the DID |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 did | id | head, number, keys, promises, content's hash, guardians, what is pending, deposit | never |
//! | 1 past | id, number | an op of the last 72 hours, and what was before it | after 72 hours |
//! | 2 version | id, number | an op's hash, its block, the content's hash after it, when it was erased | never |
//! | 3 anchored | hashes of issuer and list | the newest version, its token's hash, its block | never |
//!
//! Rules, as numbered in the design:
//! - R1 an op names the head and has the next number: of two that race, one is late;
//! - R2 its signer may change the DID as the head says;
//! - R3 if keys were promised, every key of the new list is one of them;
//! - R4 within 72 hours a key erases what keys of less authority did, and says what holds instead.
//!   Keys that an erased op brought in have its authority, not that of their place;
//! - R5 enough guardians give new keys after seven days, in which any current key says no;
//! - R6 a stop is an op like others, and final when it can't be erased any more;
//! - R7 a deposit for each DID, at most ten ops of a DID in a day;
//! - R8 nothing personal: the ledger is for ever. Pages warn.
//!
//! A recovery says the new content in the same op. If it only took the erased ops back, they could be
//! brought in again: what they name as the op before them would be the head.
//!
//! Events, the first number the first 16 bytes of the id: 0 created (payer; number), 1 set (-; number),
//! 2 recovered (-; number, first erased), 3 stopped (-; number), 4 guardians ask (-; second from which it
//! may be finished), 5 vetoed (-), 6 finished (-; number), 7 closed (payer); of an
//! issuer's hash: 8 anchored (payer; version).
//!
//! Versions of a status list have no gap: of two that race one is late, and who has one of an issuer's keys
//! for a while cannot use up the numbers.
//!
//! Laws: the head is the newest version and not erased; numbers have no gap; what is erased was at most
//! 72 hours old; deposits are there.

mod action;
mod anchor;
mod change;
mod error;
mod execute;
mod guard;
mod laws;
mod state;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use anchor::{anchored, anchored_key};
pub use error::Error;
pub use execute::Identity;
pub use state::{
    Anchored, Pending, Record, Standing, Version, did, did_key, version, version_at, version_key,
};

/// How long an op may be erased by more authority, in seconds.
pub const WINDOW_S: u64 = 72 * 3600;
/// How long a current key may say no to guardians, in seconds.
pub const GUARD_DELAY_S: u64 = 7 * 24 * 3600;
/// Most ops of a DID in a day of UTC; recoveries and vetoes are not counted.
pub const OPS_PER_DAY_MAX: u8 = 10;
/// What a DID locks, in units of the ledger's own asset.
pub const DEPOSIT: u128 = 1_000_000;
