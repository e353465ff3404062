//! Those who keep lending honest: reporters of prices, liquidators, and a market to try them on.
//!
//! Nothing here decides what the ledger does. A reporter signs what it read ([`Reporter`]); a liquidator
//! copies records of a validator and runs the domain's own code on them ([`Look`]); the demo's market is
//! made of ordinary transactions ([`demo`](mod@demo)).

pub mod demo;

mod liquidator;
mod price;
mod reporter;

pub use liquidator::{Done, Found, Look, Plan, liquidate};
pub use price::{BadReading, Bounds, PRICE_MAX, Price, PriceError, Source};
pub use reporter::{ReportError, Reported, Reporter};
