//! Meters of a community on a ledger, run by whoever owns them: they sign what was metered, hand it in,
//! and settle what is over.
//!
//! Nothing here decides what a slot comes to: that does `ledger::domains::energy`. A meter reads its
//! quarter hours from a file or from a formula ([`Feed`]), signs each once and writes it down before
//! anybody sees it ([`Live`]), so that a restart never says two things of a slot. Settling and showing
//! that a meter lied are ordinary transactions ([`settle`], [`accuse`], [`expose`]). What registers showed is
//! sealed for a settlement group ([`Group`]), who hold it against the ledger ([`check`]).
//! [`demo`](mod@demo) is a street of twelve.

pub mod demo;

mod error;
mod feed;
mod household;
mod kept;
mod live;
mod openings;
mod said;
mod settling;

pub use error::MeteringError;
pub use feed::{Feed, Quarter};
pub use household::Household;
pub use live::{Live, Setup, Took, hand_in};
pub use openings::{ENDING, Group, Opened, Verdict, check, expose, read_opened};
pub use said::{accuse, read_said, write_said};
pub use settling::{Settled, Settler, settle};
