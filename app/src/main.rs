//! The pages of Starling: watch a stream together, share files, see who sends what, set limits.
//!
//! One [`session::Session`] owns the peer and the one signal everything shown is derived from; routes
//! lay out, components draw, [`format`] puts numbers into words. Nothing below `peer-wasm` is known
//! here, and no protocol decision is made here.

#![allow(unreachable_pub, reason = "the component macro makes what it makes public")]

mod app;
mod assets;
mod blocks;
mod browser;
mod components;
mod format;
mod host;
mod kept;
mod keys;
mod later;
mod ledger;
mod money;
mod neighbours;
mod paying;
mod picked;
mod reporting;
mod routes;
mod session;
mod settings;
mod share_words;
mod sharing;
mod story;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
    browser::remove_boot_screen();
}
