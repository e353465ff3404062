//! Decentralised identifiers (W3C DID 1.0): names whose keys can be looked up.
//!
//! | method | keys | where they are found |
//! |---|---|---|
//! | `did:key` | the name itself | nowhere to look: [`did_key`] |
//! | `did:starling` | may change; recoverable | the ledger, proved to a page |
//! | `did:web` | may change | a web server, which vouches alone: [`Document::parse`] |
//! | `did:webvh` | may change | a web server shows a log that its keys signed: [`webvh`] |
//!
//! [`Place`] says where a web server keeps them, [`Issuers`] keeps what was looked up.

mod cbor;
pub mod did_key;
mod document;
mod issuers;
mod name;
mod place;
pub mod starling;
pub mod webvh;

pub use document::{Document, DocumentError, Method, Purpose};
pub use issuers::{Issuers, Since, Vouched};
pub use name::{Did, DidError, StarlingId};
pub use place::Place;
