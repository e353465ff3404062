//! Shared builders and checks.
