//! Shared builders and checks.

pub mod sim;
