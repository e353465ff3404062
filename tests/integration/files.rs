//! Files on the command line, by the real binary: what a store keeps through kills and quotas, and what
//! comes from gateways.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "the rig is shared with the tests of the gateway")]

mod files_get;
mod files_rig;
mod files_store;
