//! The one binary, as a library so that tests run its parts in their own process.
//!
//! - [`serve`]: the built page, the media and the signaling server on one port.
//! - [`relay`]: TURN, alone or beside the page.
//! - [`publish`]: signs what the segments of an HLS stream must be.
//! - [`content`](mod@content): files as blocks in a store on disk, and back.
//! - [`share`]: files between peers: what `seed` gives and `get` takes.
//! - [`gateway`]: those blocks and files over HTTP.
//! - [`resolver`]: documents of DIDs that web servers keep, fetched for pages.
//! - [`beginning`]: a validator that fetches what it begins with.
//! - [`ledger_client`]: pays and asks on a ledger.
//! - [`keepers`]: reports prices and liquidates.
//! - [`metering`]: meters of a community that sign and hand in readings, and who settles them.
//! - [`push`](mod@push): telling people who closed the page.
//! - [`purse`]: paying for bytes, and being paid.
//! - [`fund`](mod@fund): paying viewers who upload, out of one pool.
//! - [`settings`]: what a host says in a file.
//! - [`demo`]: makes a video to start with, once or as a live stream.
//! - [`waiting`]: work that waits for disks, on a thread of its own.
//!
//! Each parses its settings, composes crates and drives IO; protocols and formats are in `crates/`.

pub mod beginning;
pub mod content;
pub mod demo;
pub mod fund;
pub mod gateway;
pub mod keepers;
pub mod key_file;
pub mod ledger_client;
pub mod metering;
pub mod publish;
pub mod purse;
pub mod push;
pub mod relay;
pub mod resolver;
pub mod serve;
pub mod settings;
pub mod share;
pub mod waiting;

mod atomic;
