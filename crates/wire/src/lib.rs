//! Every message that crosses a machine boundary, and its bounds.
//!
//! - [`peer`]: CBOR between two peers over data channels (`docs/spec/swarm.md`).
//! - [`blocks`]: the same between peers that share files (`docs/spec/files.md`).
//! - [`signaling`]: JSON between a peer and a signaling server (`docs/spec/signaling.md`).
//! - [`pay`]: CBOR between two peers who pay for bytes (`docs/spec/payments.md`).
//! - [`fund`]: JSON between viewers and who pays them for uploading (the same page).
//! - [`node`]: CBOR between the signaling servers of one host (`docs/spec/signaling.md`).
//! - [`ledger`]: CBOR from a server of the ledger to a light client (`docs/spec/ledger.md`).
//! - [`near`]: CBOR between two peers of which one reaches no server of the ledger (the same page).
//! - [`json`]: how JSON is read.
//! - [`limits`]: every bound, named once.
//!
//! Nothing else in the workspace is serialised for another machine.

pub mod blocks;
pub mod fund;
pub mod json;
pub mod ledger;
pub mod limits;
pub mod near;
pub mod node;
pub mod pay;
pub mod peer;
pub mod signaling;
