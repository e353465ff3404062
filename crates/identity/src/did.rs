//! Decentralised identifiers (W3C DID 1.0): names whose keys can be looked up.
//!
//! | method | keys | where they are found |
//! |---|---|---|
//! | `did:key` | the name itself | nowhere to look: [`did_key`] |
//! | `did:starling` | may change; recoverable | the ledger, proved to a page |
//! | `did:web`, `did:webvh` | may change | a web server, fetched by a host: [`Document::parse`] |

mod cbor;
pub mod did_key;
mod document;
mod name;
pub mod starling;

pub use document::{Document, DocumentError, Method, Purpose};
pub use name::{Did, DidError, StarlingId};
