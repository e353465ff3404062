//! Identity: keys, names, credentials, statuses, grants. What a person proves, to whom, and how they
//! keep the keys.
//!
//! - [`PublicKey`], [`SecretKey`]: Ed25519 and P-256 in the forms of others.
//! - [`did`]: DIDs, the document of `did:key`, documents of strangers.
//! - [`sd_jwt`]: credentials of which the holder shows part.
//! - [`dcql`], [`request`]: what a verifier asks for, and the answer.
//! - [`holder`]: a person's credentials, each copy shown once.
//! - [`status`]: lists that say which credentials still hold.
//! - [`custody`]: the seed all keys follow from, and the ways to it.
//! - [`credentials`]: all of these in a browser: held, shown, issued, checked.
//! - [`session`]: the seed in a browser, open or locked, and what it signs for a page.
//! - [`statement`]: a text, who signed it and when.
//! - [`grant`]: a document's key, sealed for one person and one purpose.
//! - [`letter`]: bytes sealed for several people.
//! - [`access`]: a share, granted to one person: signed, for a purpose, until an end; and their receipt.
//!
//! Forms and rules: `docs/spec/identity.md`; why they are these: `docs/adr/0020-credentials.md`.
//!
//! Laws of this crate:
//! - what does not have the one form that its standard gives it is refused, with a reason that a page
//!   has words for;
//! - any bytes give a value or a refusal within the bounds of [`limits`], never a panic;
//! - a secret is in no error, no text and no log; what holds one wipes it.
//!
//! Not here: clocks, entropy (seeds are arguments), storage, fetching, the ledger's own rules of
//! `did:starling` (crate `ledger`), whom to trust.

pub mod access;
mod base64url;
pub mod credentials;
pub mod custody;
pub mod dcql;
pub mod did;
pub mod grant;
pub mod holder;
mod jcs;
mod json;
mod jws;
mod key;
pub mod letter;
pub mod limits;
pub mod request;
pub mod sd_jwt;
pub mod session;
pub mod statement;
pub mod status;
mod words;

pub use key::{BadSignature, KeyError, KeyKind, PublicKey, SecretKey};
