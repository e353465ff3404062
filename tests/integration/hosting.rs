//! What a host gets: TLS, security headers, a relay that is nobody else's, and files to start from
//! that fit the program.
//!
//! Run as a test of the package `starling`, which is what can name its binary.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod hosting_deploy;
mod hosting_headers;
mod hosting_relay;
mod hosting_rig;
mod hosting_tls;
