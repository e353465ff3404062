//! What is held beside the ledger's own unit: an issuer's promises, named as such.
//!
//! Anyone may create an asset and is its issuer. What the issuer may do later is said at creation
//! and never widened: a cap on the supply, whether balances can be frozen. An asset is a claim on its
//! issuer, never money by itself; pages show symbol and issuer together.
//!
//! | action | fields | who signs |
//! |---|---|---|
//! | create | symbol, decimals, supply cap or none, freezable | the issuer to be |
//! | issue | asset, to, amount | the issuer |
//! | burn | asset, amount of the signer's own | any holder |
//! | freeze | asset, account, on or off | the issuer, if declared at creation |
//! | renounce | asset: no more issuing, for good | the issuer |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 asset | asset | issuer, symbol, decimals, cap, freezable, closed | never |
//! | 1 count | - | assets created | never |
//!
//! Events: 0 created (issuer; asset), 1 issued (issuer, to; asset, amount), 2 burned (holder; asset,
//! amount), 3 frozen (issuer, account; asset, 1 or 0), 4 renounced (issuer; asset).
//!
//! Laws: a supply is at most its cap; frozen balances only where declared; an asset without a record
//! has no supply (the ledger's own is the exception).

mod action;
mod error;
mod execute;
mod laws;
mod state;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use error::Error;
pub use execute::Assets;
pub use state::{Asset, asset, asset_key, asset_of, assets_prefix, count, count_key};
