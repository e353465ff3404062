//! A light client: it follows the ledger from a pinned trust root and believes no server.
//!
//! [`LightClient::step`] takes the time and one [`Input`], pushes [`Output`]s and says when to call
//! again. A driver asks servers and holds their sockets; which servers, which question and what an
//! answer is worth is decided here. Bytes: `docs/spec/ledger.md`; what was chosen and why:
//! `docs/adr/0029-light-client.md`.
//!
//! | part | what it decides |
//! |---|---|
//! | [`TrustRoot`] | which ledger, and by which key its certificates are checked |
//! | [`Verifier`] | whether headers are final, whether a record is or is not in the state |
//! | `succession` | by whose key headers of which height hold: validators are replaced by others |
//! | `heads` | what the ledger's newest block is; who forks, who goes back |
//! | `clock` | whether this device's clock agrees with the blocks' times |
//! | `queries` | whom to ask for a proof; who lies, who withholds |
//! | [`LightClient`] | hands one the input, the other what followed from it |
//!
//! Laws of this crate:
//! - nothing is told before a certificate covers it, under the trust root's key or one that was named under
//!   it; what is told of a record names the height of which it is true;
//! - a server is blamed for what it sent or did not send, by name, and only for that;
//! - total: no bytes make this panic or grow without a named bound;
//! - the same inputs give the same outputs.
//!
//! Not here: sockets, transactions, what a record means but for the one that names the next validators.

mod certificate;
mod client;
mod clock;
mod fault;
mod header;
mod heads;
mod input;
mod output;
mod proof;
mod queries;
mod reader;
mod root;
mod succession;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod verifier;

pub use client::{LightClient, Status, Wake};
pub use fault::Fault;
pub use header::Header;
pub use input::{Input, QueryId, RequestId, ServerId};
pub use output::{Event, Head, Output, Proved, Question, Unproved};
pub use root::{RootError, TrustRoot};
pub use succession::{Identity, SUCCESSIONS_MAX, succession_key};
pub use verifier::Verifier;
