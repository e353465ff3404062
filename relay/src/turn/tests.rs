//! The rules of RFC 8656 and RFC 8489, played by clients that speak bytes.

mod allocations;
mod anything;
mod client;
mod credentials;
mod data;
mod limits;
mod world;

use client::Answer;
use world::{World, settings};
